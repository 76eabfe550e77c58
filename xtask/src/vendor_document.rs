//! The vendor document that the last `cargo xtask import` read.

use std::path::{Path, PathBuf};

use sentinelone_codegen::{Error, Result};

/// Copy of the document, below the root of the project.
const COPY: &str = "target/vendor-document";

/// Month of the document.
const DATE: &str = "target/vendor-document-date";

/// Variable with the path of a document.
const VARIABLE: &str = "S1_VENDOR_DOCUMENT";

/// Keeps a document for later commands.
pub(crate) fn remember(root: &Path, file: &Path, date: &str) -> Result<()> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    std::fs::create_dir_all(root.join("target")).map_err(io(&root.join("target")))?;
    std::fs::copy(file, root.join(COPY)).map_err(io(file))?;
    std::fs::write(root.join(DATE), date).map_err(io(&root.join(DATE)))
}

/// Returns the document and its month, if known: that of the argument, of the variable `S1_VENDOR_DOCUMENT`, or of the last
/// import.
///
/// # Errors
/// Returns an error if no document is known.
pub(crate) fn find(root: &Path, argument: Option<&Path>) -> Result<(PathBuf, Option<String>)> {
    if let Some(file) = argument {
        return Ok((file.to_owned(), None));
    }
    if let Some(file) = std::env::var_os(VARIABLE).filter(|file| !file.is_empty()) {
        return Ok((file.into(), None));
    }
    if root.join(COPY).is_file() {
        return Ok((root.join(COPY), std::fs::read_to_string(root.join(DATE)).ok()));
    }
    Err(Error::Command(format!(
        "no vendor document is known; pass --document FILE, set {VARIABLE}, or run `cargo xtask import FILE` once"
    )))
}
