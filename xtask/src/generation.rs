//! Writes what is generated from `spec/`, or compares it with the files on disk.

use std::path::Path;

use sentinelone_codegen::emit::METHOD_CALLS;
use sentinelone_codegen::{
    ALERT_FIELDS, COMMAND_PAGES, Project, Result, examples, files, fixtures, generate_project,
};

pub(crate) fn write(root: &Path) -> Result<String> {
    let project = generate_project(root)?;
    let mut lists = String::new();
    for Output { dir, files, owns } in outputs(&project) {
        lists.push_str(&list(dir, &files::write_owned(&root.join(dir), files, owns)?));
    }
    Ok(lists + &format!("generated/ has {} files", project.raw.len()))
}

pub(crate) fn check(root: &Path) -> Result<String> {
    let project = generate_project(root)?;
    for Output { dir, files, owns } in outputs(&project) {
        files::check_owned(&root.join(dir), dir, files, owns)?;
    }
    Ok(format!("generated/ matches spec/ ({} files)", project.raw.len()))
}

/// Generated files of a directory.
struct Output<'a> {
    /// Path below the root.
    dir: &'static str,
    files: &'a files::Files,
    /// Returns whether a file of the directory is generated.
    owns: fn(&str) -> bool,
}

fn outputs(project: &Project) -> [Output<'_>; 5] {
    let Project { raw, pages, methods, calls, fields } = project;
    [
        Output { dir: "generated", files: raw, owns: |_| true },
        Output { dir: "docs", files: pages, owns: |name| name.starts_with(COMMAND_PAGES) },
        Output { dir: "src/resources/documented", files: methods, owns: |_| true },
        Output { dir: "src/unified_alerts", files: fields, owns: |name| name == ALERT_FIELDS },
        Output { dir: "tests/properties", files: calls, owns: |name| name == METHOD_CALLS },
    ]
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
