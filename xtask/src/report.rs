//! `cargo xtask report`: tier, permissions, fixtures, method, commands and tests of each operation, as one HTML page or as
//! JSON.
//!
//! The page loads nothing from the network.

mod evidence;
mod page;

use std::path::{Path, PathBuf};

use sentinelone_codegen::{Error, Result};

use evidence::Evidence;

/// Default output file.
const OUT: &str = "target/report/index.html";

/// Writes the page and returns the totals.
///
/// # Errors
///
/// Returns an error if an operation has no fixture for a success, a null or an error, or if a file cannot be read or
/// written.
pub(crate) fn run(root: &Path, out: Option<&Path>, base: Option<&str>) -> Result<String> {
    let out = out.map_or_else(|| root.join(OUT), Path::to_owned);
    let failed = |error: std::io::Error| Error::Generator(format!("{}: {error}", out.display()));
    let evidence = gather(root)?;
    let dir = out.parent().unwrap_or(root);
    std::fs::create_dir_all(dir).map_err(failed)?;
    let base = match base {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => relative_root(dir, root)?,
    };
    std::fs::write(&out, page::html(&evidence, &base)).map_err(failed)?;
    let totals = evidence.totals();
    let summary = format!("{totals}\nwrote {}", out.display());
    if totals.lacking() == 0 { Ok(summary) } else { Err(Error::Generator(summary)) }
}

/// Returns the report as JSON.
///
/// # Errors
///
/// Returns an error if a file cannot be read.
pub(crate) fn json(root: &Path) -> Result<String> {
    Ok(format!("{:#}", gather(root)?.json()))
}

fn gather(root: &Path) -> Result<Evidence> {
    Evidence::gather(root, std::env::var_os("S1_EXTRA_FIXTURES").map(PathBuf::from).as_deref())
}

/// Returns the relative path from a directory to the project root, for links.
fn relative_root(dir: &Path, root: &Path) -> Result<String> {
    let canonical = |path: &Path| {
        std::fs::canonicalize(path).map_err(|error| Error::Generator(format!("{}: {error}", path.display())))
    };
    let (dir, root) = (canonical(dir)?, canonical(root)?);
    match dir.strip_prefix(&root) {
        Ok(below) if below.as_os_str().is_empty() => Ok(".".to_owned()),
        Ok(below) => Ok(below.components().map(|_| "..").collect::<Vec<_>>().join("/")),
        Err(_) => Ok(format!("file://{}", root.display())),
    }
}

#[cfg(test)]
mod tests;
