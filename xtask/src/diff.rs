//! `cargo xtask diff OLD NEW`: changes between two API documents, with the operations and commands they affect.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::render::{self, Comparison};
use sentinelone_codegen::diff::{self, Class, Finding, SpecIndex};
use sentinelone_codegen::import::lossy::{self, Profile};
use sentinelone_codegen::surface::Surface;
use sentinelone_codegen::{Error, Result, document};
use serde_json::Value;

use crate::commands;

/// A document to compare.
pub(crate) enum DiffInput {
    /// The curated specification, with its metadata.
    Curated(Box<Bundle>),
    /// Any other API document.
    Other(Value),
}

impl DiffInput {
    fn surface(&self) -> Surface {
        match self {
            Self::Curated(bundle) => Surface::from_document(&bundle.document),
            Self::Other(document) => Surface::from_document(document),
        }
    }

    /// Returns the loss profile that the document declares. The curated specification has no losses.
    fn profile(&self) -> Profile {
        match self {
            Self::Curated(_) => Profile::default(),
            Self::Other(document) => Profile::detect(document),
        }
    }
}

/// The arguments of the command.
struct Args<'a> {
    old: &'a str,
    new: &'a str,
    format: &'a str,
    known_only: bool,
    /// Classes to print; empty for all.
    classes: Vec<Class>,
    /// Overrides the loss profile that the documents declare.
    profile: Option<Profile>,
}

/// Runs the command. The exit code is 1 if there are breaking changes, and 2 if the comparison fails.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    match parse_args(arguments).and_then(|args| render_diff(root, &args)) {
        Ok((output, breaks)) => {
            // Ignores a closed pipe.
            let _ = std::io::stdout().write_all(output.as_bytes());
            ExitCode::from(u8::from(breaks))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse_args<'a>(arguments: &[&'a str]) -> Result<Args<'a>> {
    let usage = |message: String| Error::Command(message);
    let (mut paths, mut format, mut known_only, mut classes) = (Vec::new(), "text", false, Vec::new());
    let mut profile = None;
    let mut rest = arguments.iter().copied();
    while let Some(argument) = rest.next() {
        match argument {
            "--known-only" => known_only = true,
            "--format" => {
                format = rest.next().unwrap_or_default();
                if !["text", "markdown", "json", "html"].contains(&format) {
                    return Err(usage(format!(
                        "invalid format {format:?}; allowed: text, markdown, json, html"
                    )));
                }
            }
            "--class" => {
                let name = rest.next().unwrap_or_default();
                let class = Class::ALL.into_iter().find(|class| class.slug() == name).ok_or_else(|| {
                    let allowed: Vec<&str> = Class::ALL.into_iter().map(Class::slug).collect();
                    usage(format!("invalid class {name:?}; allowed: {}", allowed.join(", ")))
                })?;
                classes.push(class);
            }
            "--lossy" => {
                let name = rest.next().unwrap_or_default();
                profile = Some(name.parse().map_err(|message| usage(format!("--lossy: {message}")))?);
            }
            option if option.starts_with("--") => {
                return Err(usage(format!("unknown option {option}")));
            }
            path => paths.push(path),
        }
    }
    match paths.as_slice() {
        [old, new] => Ok(Args { old, new, format, known_only, classes, profile }),
        other => Err(usage(format!("expected the two arguments OLD and NEW, got {}", other.len()))),
    }
}

/// Returns the report, and whether there are breaking changes.
fn render_diff(root: &Path, args: &Args<'_>) -> Result<(String, bool)> {
    let (old, new) = (read_input(root, args.old)?, read_input(root, args.new)?);
    let mut findings = compare(root, &old, &new, args.known_only, args.profile.as_ref())?;
    // The exit code does not depend on `--class`.
    let breaks = findings.iter().any(|finding| finding.class.breaks());
    if !args.classes.is_empty() {
        findings.retain(|finding| args.classes.contains(&finding.class));
    }
    let comparison = Comparison { old: args.old, new: args.new, findings: &findings };
    let output = match args.format {
        "markdown" => render::markdown(&comparison),
        "json" => render::json(&comparison),
        "html" => render::html(&comparison),
        _ => render::text(&comparison),
    };
    Ok((output, breaks))
}

/// Compares two documents.
///
/// Names come from `spec/`, or else from the document that has the element. Information that one document lacks, by
/// `profile` or by its own declaration, is copied from the other.
pub(crate) fn compare(
    root: &Path,
    old: &DiffInput,
    new: &DiffInput,
    known_only: bool,
    profile: Option<&Profile>,
) -> Result<Vec<Finding>> {
    let mut index = SpecIndex::new(commands::by_operation(root)?);
    index.add(&Bundle::read(&root.join("spec"))?)?;
    for input in [new, old] {
        if let DiffInput::Curated(bundle) = input
            && let Err(error) = index.add(bundle)
        {
            // The findings are complete but lack names.
            eprintln!(
                "warning: names are missing, the generator cannot read this version of the spec: {error}"
            );
        }
    }
    let losses = |input: &DiffInput| profile.cloned().unwrap_or_else(|| input.profile());
    let (old_losses, new_losses) = (losses(old), losses(new));
    let (mut old, mut new) = (old.surface(), new.surface());
    if known_only {
        diff::retain_known(&mut old, &mut new, &index);
    }
    lossy::restore(&new_losses, &mut new, &old);
    lossy::restore(&old_losses, &mut old, &new);
    Ok(diff::compare(&old, &new, &index))
}

/// Reads a file or a directory, optionally at a revision: `REV:PATH`.
pub(crate) fn read_input(root: &Path, name: &str) -> Result<DiffInput> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(DiffInput::Curated(Box::new(Bundle::read(path)?)));
    }
    if path.is_file() {
        return Ok(DiffInput::Other(document::read(path)?));
    }
    let Some((revision, path)) = name.split_once(':') else {
        return Err(Error::Command(format!(
            "{name} is not a file or a directory; a revision has the form REV:PATH"
        )));
    };
    let path = path.trim_end_matches('/');
    // `--end-of-options` prevents that git parses the revision as an option.
    let commit = git(
        root,
        &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")],
    )
    .map_err(|_| Error::Command(format!("{name}: unknown git revision {revision}")))?;
    let object = format!("{}:{path}", commit.trim());
    let kind = git(root, &["cat-file", "-t", &object])
        .map_err(|_| Error::Command(format!("{name}: {path} does not exist at {revision}")))?;
    if kind.trim() == "blob" {
        let content = git(root, &["cat-file", "blob", &object])?;
        return Ok(DiffInput::Other(document::parse(name, &content)?));
    }
    let mut files = BTreeMap::new();
    for file in git(root, &["ls-tree", "--name-only", &object])?.lines() {
        if file.ends_with(".yaml") {
            files.insert(file.to_owned(), git(root, &["cat-file", "blob", &format!("{object}/{file}")])?);
        }
    }
    Ok(DiffInput::Curated(Box::new(Bundle::join(&files)?)))
}

/// Runs git and returns its standard output.
pub(crate) fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let failed = |message: String| Error::Command(format!("git {}: {message}", arguments.join(" ")));
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

    use super::*;

    /// Creates a repository with two versions of a small specification. The second one is not committed.
    fn repository() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("src/commands")).unwrap();
        std::fs::write(
            root.join("src/commands/one.rs"),
            "const INFO: CommandInfo = CommandInfo { name: \"list-items\", operations: &[\"items_list\"] };",
        )
        .unwrap();
        write_spec(root, 100);
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "."],
            &[
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@example.com",
                "-c",
                "commit.gpgsign=false",
                "commit",
                "--quiet",
                "--message",
                "one",
            ],
            &["tag", "v1"],
        ] {
            git(root, arguments).unwrap();
        }
        write_spec(root, 50);
        dir
    }

    fn write_spec(root: &Path, limit: u32) {
        std::fs::create_dir_all(root.join("spec")).unwrap();
        let index = "openapi: 3.0.3\ninfo: { title: Small, version: '2.1' }\ntags: [{ name: items, description: Items. }]\n\
                     paths:\n  /items: { $ref: 'items.yaml#/paths/~1items' }\n";
        std::fs::write(root.join("spec/openapi.yaml"), index).unwrap();
        let items = format!(
            "paths:\n  /items:\n    get:\n      operationId: items_list\n      tags: [items]\n      summary: List items\n      \
             parameters:\n        - {{ name: limit, in: query, description: Size., schema: {{ type: integer, maximum: {limit} }} }}\n      \
             responses:\n        '200':\n          description: The items.\n          content:\n            application/json:\n              \
             schema: {{ type: object, properties: {{ data: {{ type: array, items: {{ $ref: '#/components/schemas/Item' }} }} }} }}\n      \
             x-s1: {{ versions: ['2.1'], kind: read, idempotent: true, destructive: false, filter: none, paging: none, evidence: [] }}\n\
             components:\n  schemas:\n    Item:\n      type: object\n      description: An item.\n      properties:\n        \
             name: {{ type: string, description: Its name. }}\n"
        );
        std::fs::write(root.join("spec/items.yaml"), items).unwrap();
    }

    fn diff(root: &Path, arguments: &[&str]) -> Result<(String, bool)> {
        parse_args(arguments).and_then(|args| render_diff(root, &args))
    }

    #[test]
    fn diff_compares_a_revision_with_the_working_tree() {
        let dir = repository();
        let spec = dir.path().join("spec");
        let spec = spec.to_str().unwrap();
        let (text, breaks) = diff(dir.path(), &["v1:spec", spec]).unwrap();
        assert!(breaks, "{text}");
        for part in [
            "1 change\n",
            "has the maximum `50` instead of `100`",
            "commands: list-items",
            "items::ItemsListQuery::limit",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let (text, breaks) = diff(dir.path(), &["v1:spec", "HEAD:spec/", "--known-only"]).unwrap();
        assert!(!breaks && text.contains("no changes"), "{text}");
        // The reverse comparison has no breaking change; `--class` does not affect the exit code.
        let (_, breaks) = diff(dir.path(), &[spec, "v1:spec"]).unwrap();
        assert!(!breaks);
        let (text, breaks) =
            diff(dir.path(), &["v1:spec", spec, "--class", "new", "--format", "json"]).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        assert!(breaks && report["findings"] == serde_json::json!([]));
    }

    #[test]
    fn diff_invalid_arguments_return_error() {
        let dir = repository();
        for (arguments, message) in [
            (&["v1:spec"][..], "expected the two arguments OLD and NEW, got 1"),
            (&["v1:spec", "missing"], "missing is not a file or a directory"),
            (&["v2:spec", "v1:spec"], "v2:spec: unknown git revision v2"),
            (&["--output=x:spec", "v1:spec"], "unknown option --output=x:spec"),
            (&["v1:spek", "v1:spec"], "v1:spek: spek does not exist at v1"),
            (&["v1:src", "v1:spec"], "openapi.yaml: is missing"),
            (&["v1:spec", "v1:spec", "--format", "pdf"], "invalid format \"pdf\"; allowed: text"),
            (&["v1:spec", "v1:spec", "--class", "bad"], "invalid class \"bad\"; allowed: "),
            (&["v1:spec", "v1:spec", "--fast"], "unknown option --fast"),
        ] {
            let Err(error) = diff(dir.path(), arguments) else { panic!("{arguments:?}") };
            assert!(error.to_string().contains(message), "{arguments:?}: {error}");
        }
    }
}
