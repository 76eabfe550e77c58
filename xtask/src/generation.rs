//! Writes what is generated from `spec/`, or compares it with the files on disk.

use std::path::Path;

use sentinelone_codegen::{COMMAND_PAGES, Result, examples, files, fixtures, generate_with_documents};

pub(crate) fn write(root: &Path) -> Result<String> {
    let (files, pages) = generate_with_documents(&root.join("spec"))?;
    let changes = files::write(&root.join("generated"), &files)?;
    let pages = files::write_owned(&root.join("docs"), &pages, is_command_page)?;
    let lists = list("generated", &changes) + &list("docs", &pages);
    Ok(lists + &format!("generated/ has {} files", files.len()))
}

/// Returns whether a page of `docs/` is generated.
fn is_command_page(name: &str) -> bool {
    name.starts_with(COMMAND_PAGES)
}

pub(crate) fn check(root: &Path) -> Result<String> {
    let (files, pages) = generate_with_documents(&root.join("spec"))?;
    files::check(&root.join("generated"), &files)?;
    files::check_documents(&root.join("docs"), &pages, is_command_page)?;
    Ok(format!("generated/ matches spec/ ({} files)", files.len()))
}

pub(crate) fn write_fixtures(root: &Path) -> Result<String> {
    let files = fixtures(&root.join("spec"))?;
    let changes = files::write_owned(&root.join("fixtures"), &files, examples::owns)?;
    Ok(list("fixtures", &changes) + &format!("fixtures/ has {} generated files", files.len()))
}

pub(crate) fn check_fixtures(root: &Path) -> Result<String> {
    let files = fixtures(&root.join("spec"))?;
    files::check_fixtures(&root.join("fixtures"), &files)?;
    Ok(format!("fixtures/ matches spec/ ({} generated files)", files.len()))
}

/// Returns one line per changed file.
fn list(dir: &str, changes: &files::Changes) -> String {
    let lines = |verb: &str, names: &[String]| {
        names.iter().map(|name| format!("{verb} {dir}/{name}\n")).collect::<String>()
    };
    lines("wrote", &changes.written) + &lines("removed", &changes.removed)
}
