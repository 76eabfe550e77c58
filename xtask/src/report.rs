//! What is proven of every operation, and by what: one page of HTML that needs no network.

mod evidence;
mod page;

use std::path::{Path, PathBuf};

use sentinelone_codegen::{Error, Result};

use evidence::Evidence;

/// Where the page goes unless said otherwise.
const OUT: &str = "target/report/index.html";

/// Writes the page and gives the totals; an operation without success, null or error evidence is an error.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<String> {
    let (mut out, mut base) = (root.join(OUT), None);
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        match (*option, rest.next()) {
            ("--out", Some(file)) => out = PathBuf::from(file),
            ("--base", Some(url)) => base = Some((*url).to_owned()),
            _ => return Err(Error::Generator(format!("{option}: give --out FILE or --base URL"))),
        }
    }
    let failed = |error: std::io::Error| Error::Generator(format!("{}: {error}", out.display()));
    let evidence =
        Evidence::gather(root, std::env::var_os("S1_EXTRA_FIXTURES").map(PathBuf::from).as_deref())?;
    let folder = out.parent().unwrap_or(root);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let base = match base {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => way_up(folder, root)?,
    };
    std::fs::write(&out, page::html(&evidence, &base)).map_err(failed)?;
    let totals = evidence.totals();
    let summary = format!("{totals}\nwritten to {}", out.display());
    if totals.lacking() == 0 { Ok(summary) } else { Err(Error::Generator(summary)) }
}

/// The relative way from a folder to the root of the project, for links.
fn way_up(folder: &Path, root: &Path) -> Result<String> {
    let full = |path: &Path| {
        std::fs::canonicalize(path).map_err(|error| Error::Generator(format!("{}: {error}", path.display())))
    };
    let (folder, root) = (full(folder)?, full(root)?);
    match folder.strip_prefix(&root) {
        Ok(below) if below.as_os_str().is_empty() => Ok(".".to_owned()),
        Ok(below) => Ok(below.components().map(|_| "..").collect::<Vec<_>>().join("/")),
        Err(_) => Ok(format!("file://{}", root.display())),
    }
}

#[cfg(test)]
mod tests;
