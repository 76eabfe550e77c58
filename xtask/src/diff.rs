//! `cargo xtask diff OLD NEW`: changes between two API documents, with the operations and commands they affect.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::ValueEnum;
use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::commands;
use sentinelone_codegen::diff::render::{self, Comparison};
use sentinelone_codegen::diff::{self, Class, Finding, SpecIndex};
use sentinelone_codegen::surface::Surface;
use sentinelone_codegen::{Error, Result, document};
use serde_json::Value;

use crate::users;

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
}

/// The arguments of the command.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Document before the changes: a file, a directory such as spec, or either at a Git revision, as REV:PATH
    old: String,
    /// Document after the changes, in one of the same forms
    new: String,
    /// Compare only the operations in spec/
    #[arg(long)]
    known_only: bool,
    /// Print only findings of this class; can be repeated
    #[arg(long = "class", value_name = "CLASS", value_parser = parse_class)]
    classes: Vec<Class>,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Markdown,
    Json,
    Html,
}

fn parse_class(name: &str) -> Result<Class, String> {
    Class::ALL.into_iter().find(|class| class.slug() == name).ok_or_else(|| {
        let allowed: Vec<&str> = Class::ALL.into_iter().map(Class::slug).collect();
        format!("allowed: {}", allowed.join(", "))
    })
}

/// Runs the command. The exit code is 1 if there are breaking changes, and 2 if the comparison fails.
pub(crate) fn run(root: &Path, args: &Args) -> ExitCode {
    match render_diff(root, args) {
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

/// Returns the report, and whether there are breaking changes.
fn render_diff(root: &Path, args: &Args) -> Result<(String, bool)> {
    let (old, new) = (read_input(root, &args.old)?, read_input(root, &args.new)?);
    let mut findings = compare(root, &old, &new, args.known_only)?;
    users::add(root, &mut findings)?;
    // The exit code does not depend on `--class`.
    let breaks = findings.iter().any(|finding| finding.class.breaks());
    if !args.classes.is_empty() {
        findings.retain(|finding| args.classes.contains(&finding.class));
    }
    let comparison = Comparison { old: &args.old, new: &args.new, findings: &findings };
    let output = match args.format {
        Format::Markdown => render::markdown(&comparison),
        Format::Json => render::json(&comparison),
        Format::Html => render::html(&comparison),
        Format::Text => render::text(&comparison),
    };
    Ok((output, breaks))
}

/// Compares two documents.
///
/// Names come from `spec/`, or else from the document that has the element.
pub(crate) fn compare(
    root: &Path,
    old: &DiffInput,
    new: &DiffInput,
    known_only: bool,
) -> Result<Vec<Finding>> {
    let mut index = SpecIndex::new(commands::by_operation(&root.join("spec"))?);
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
    let (mut old, mut new) = (old.surface(), new.surface());
    if known_only {
        diff::retain_known(&mut old, &mut new, &index);
    }
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

    use clap::Parser;

    use super::*;

    /// Creates a repository with two versions of a small specification. The second one is not committed.
    fn repository() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("spec/commands")).unwrap();
        std::fs::write(
            root.join("spec/commands/console.yaml"),
            "topic: console\ncommands:\n  list-items:\n    summary: List items\n    description: Lists items.\n    \
             example: s1 list-items\n    operations: [items_list]\n    risk: read\n",
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

    #[derive(clap::Parser)]
    struct Diff {
        #[command(flatten)]
        args: Args,
    }

    fn diff(root: &Path, arguments: &[&str]) -> Result<(String, bool)> {
        let parsed = Diff::try_parse_from(std::iter::once(&"diff").chain(arguments));
        render_diff(root, &parsed.map_err(|error| Error::Command(error.to_string()))?.args)
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
            (&["v1:spec"][..], "<NEW>"),
            (&["v1:spec", "missing"], "missing is not a file or a directory"),
            (&["v2:spec", "v1:spec"], "v2:spec: unknown git revision v2"),
            (&["--output=x:spec", "v1:spec"], "unexpected argument '--output'"),
            (&["v1:spek", "v1:spec"], "v1:spek: spek does not exist at v1"),
            (&["v1:spec/commands", "v1:spec"], "openapi.yaml: is missing"),
            (&["v1:spec", "v1:spec", "--format", "pdf"], "invalid value 'pdf' for '--format <FORMAT>'"),
            (&["v1:spec", "v1:spec", "--class", "bad"], "allowed: breaking"),
            (&["v1:spec", "v1:spec", "--fast"], "unexpected argument '--fast'"),
        ] {
            let Err(error) = diff(dir.path(), arguments) else { panic!("{arguments:?}") };
            assert!(error.to_string().contains(message), "{arguments:?}: {error}");
        }
    }
}
