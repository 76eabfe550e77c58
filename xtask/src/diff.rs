//! `cargo xtask diff OLD NEW`: what changed between two documents, and whom it concerns.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::render::{self, Comparison};
use sentinelone_codegen::diff::{self, Atlas, Class, Finding};
use sentinelone_codegen::import::lossy::{self, Profile};
use sentinelone_codegen::surface::Surface;
use sentinelone_codegen::{Error, Result, document};
use serde_json::Value;

use crate::commands;

/// A document, and the specification where it is the curated one.
pub(crate) enum Source {
    Curated(Box<Bundle>),
    Other(Value),
}

impl Source {
    fn surface(&self) -> Surface {
        match self {
            Self::Curated(bundle) => Surface::of(&bundle.document),
            Self::Other(document) => Surface::of(document),
        }
    }

    /// What it has lost by its own account; the curated specification nothing.
    fn profile(&self) -> Profile {
        match self {
            Self::Curated(_) => Profile::default(),
            Self::Other(document) => Profile::of(document),
        }
    }
}

/// What the command line asks for.
struct Wanted<'a> {
    old: &'a str,
    new: &'a str,
    form: &'a str,
    used: bool,
    classes: Vec<Class>,
    /// What a document has lost, where it is not for the document to say.
    profile: Option<Profile>,
}

/// 0 when nothing breaks, 1 when something does, 2 when it cannot be told.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    match wanted(arguments).and_then(|wanted| told(root, &wanted)) {
        Ok((text, breaks)) => {
            // Whoever reads only the beginning is no error.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::from(u8::from(breaks))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn wanted<'a>(arguments: &[&'a str]) -> Result<Wanted<'a>> {
    let wrong = |message: String| Error::Command(message);
    let (mut paths, mut form, mut used, mut classes) = (Vec::new(), "text", false, Vec::new());
    let mut profile = None;
    let mut rest = arguments.iter().copied();
    while let Some(argument) = rest.next() {
        match argument {
            "--used" => used = true,
            "--format" => {
                form = rest.next().unwrap_or_default();
                if !["text", "markdown", "json", "html"].contains(&form) {
                    return Err(wrong(format!("--format {form}: give text, markdown, json or html")));
                }
            }
            "--class" => {
                let name = rest.next().unwrap_or_default();
                let class = Class::ALL.into_iter().find(|class| class.slug() == name).ok_or_else(|| {
                    let known: Vec<&str> = Class::ALL.into_iter().map(Class::slug).collect();
                    wrong(format!("--class {name}: give one of {}", known.join(", ")))
                })?;
                classes.push(class);
            }
            "--lossy" => {
                let name = rest.next().unwrap_or_default();
                profile = Some(name.parse().map_err(|message| wrong(format!("--lossy: {message}")))?);
            }
            option if option.starts_with("--") => {
                return Err(wrong(format!("{option} is no option of diff")));
            }
            path => paths.push(path),
        }
    }
    match paths.as_slice() {
        [old, new] => Ok(Wanted { old, new, form, used, classes, profile }),
        other => Err(wrong(format!("diff takes OLD and NEW, and got {} of them", other.len()))),
    }
}

fn told(root: &Path, wanted: &Wanted<'_>) -> Result<(String, bool)> {
    let (old, new) = (source(root, wanted.old)?, source(root, wanted.new)?);
    let mut findings = between(root, &old, &new, wanted.used, wanted.profile.as_ref())?;
    // Whether something breaks does not depend on what is shown.
    let breaks = findings.iter().any(|finding| finding.class.breaks());
    if !wanted.classes.is_empty() {
        findings.retain(|finding| wanted.classes.contains(&finding.class));
    }
    let comparison = Comparison { old: wanted.old, new: wanted.new, findings: &findings };
    let text = match wanted.form {
        "markdown" => render::markdown(&comparison),
        "json" => render::json(&comparison),
        "html" => render::html(&comparison),
        _ => render::text(&comparison),
    };
    Ok((text, breaks))
}

/// What changed, told with the names of the specification as it stands here; what only one of the two has is told with
/// its own. What one of them has lost, by the profile or by its own account, is taken from the other.
pub(crate) fn between(
    root: &Path,
    old: &Source,
    new: &Source,
    used: bool,
    profile: Option<&Profile>,
) -> Result<Vec<Finding>> {
    let mut atlas = Atlas::new(commands::by_operation(root)?);
    atlas.add(&Bundle::read(&root.join("spec"))?)?;
    for source in [new, old] {
        if let Source::Curated(bundle) = source
            && let Err(error) = atlas.add(bundle)
        {
            // Names are missing then, and no change is.
            eprintln!("note: an edition of the specification that the generator cannot read: {error}");
        }
    }
    let lost = |source: &Source| profile.cloned().unwrap_or_else(|| source.profile());
    let (of_old, of_new) = (lost(old), lost(new));
    let (mut old, mut new) = (old.surface(), new.surface());
    if used {
        diff::only_used(&mut old, &mut new, &atlas);
    }
    lossy::restore(&of_new, &mut new, &old);
    lossy::restore(&of_old, &mut old, &new);
    Ok(diff::compare(&old, &new, &atlas))
}

/// Reads a file, a folder, or either of them at a revision: `REV:path`.
pub(crate) fn source(root: &Path, name: &str) -> Result<Source> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(Source::Curated(Box::new(Bundle::read(path)?)));
    }
    if path.is_file() {
        return Ok(Source::Other(document::read(path)?));
    }
    let Some((revision, path)) = name.split_once(':') else {
        return Err(Error::Command(format!(
            "{name} is no file and no folder; a revision is given as REV:path"
        )));
    };
    let path = path.trim_end_matches('/');
    // Not taken for an option of git, whatever it is.
    let commit = git(
        root,
        &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")],
    )
    .map_err(|_| Error::Command(format!("{name}: git knows no revision {revision}")))?;
    let object = format!("{}:{path}", commit.trim());
    let kind = git(root, &["cat-file", "-t", &object])
        .map_err(|_| Error::Command(format!("{name}: there is no {path} at {revision}")))?;
    if kind.trim() == "blob" {
        let text = git(root, &["cat-file", "blob", &object])?;
        return Ok(Source::Other(document::parse(name, &text)?));
    }
    let mut texts = BTreeMap::new();
    for file in git(root, &["ls-tree", "--name-only", &object])?.lines() {
        if file.ends_with(".yaml") {
            texts.insert(file.to_owned(), git(root, &["cat-file", "blob", &format!("{object}/{file}")])?);
        }
    }
    Ok(Source::Curated(Box::new(Bundle::join(&texts)?)))
}

/// What git prints.
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

    /// A repository with two editions of a small specification, the second of them only on disk.
    fn repository() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        std::fs::create_dir_all(root.join("src/commands")).unwrap();
        std::fs::write(
            root.join("src/commands/one.rs"),
            "const INFO: Info = Info { name: \"list-things\", operations: &[\"things_list\"] };",
        )
        .unwrap();
        edition(root, 100);
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
        edition(root, 50);
        home
    }

    fn edition(root: &Path, limit: u32) {
        std::fs::create_dir_all(root.join("spec")).unwrap();
        let index = "openapi: 3.0.3\ninfo: { title: Small, version: '2.1' }\ntags: [{ name: things, description: Things. }]\n\
                     paths:\n  /things: { $ref: 'things.yaml#/paths/~1things' }\n";
        std::fs::write(root.join("spec/openapi.yaml"), index).unwrap();
        let things = format!(
            "paths:\n  /things:\n    get:\n      operationId: things_list\n      tags: [things]\n      summary: List things\n      \
             parameters:\n        - {{ name: limit, in: query, description: Size., schema: {{ type: integer, maximum: {limit} }} }}\n      \
             responses:\n        '200':\n          description: The answer.\n          content:\n            application/json:\n              \
             schema: {{ type: object, properties: {{ data: {{ type: array, items: {{ $ref: '#/components/schemas/Thing' }} }} }} }}\n      \
             x-s1: {{ versions: ['2.1'], kind: read, idempotent: true, destructive: false, filter: none, paging: none, evidence: [] }}\n\
             components:\n  schemas:\n    Thing:\n      type: object\n      description: A thing.\n      properties:\n        \
             name: {{ type: string, description: Its name. }}\n"
        );
        std::fs::write(root.join("spec/things.yaml"), things).unwrap();
    }

    fn asked(root: &Path, arguments: &[&str]) -> Result<(String, bool)> {
        wanted(arguments).and_then(|wanted| told(root, &wanted))
    }

    #[test]
    fn a_revision_is_compared_with_what_is_there() {
        let home = repository();
        let spec = home.path().join("spec");
        let spec = spec.to_str().unwrap();
        let (text, breaks) = asked(home.path(), &["v1:spec", spec]).unwrap();
        assert!(breaks, "{text}");
        for part in [
            "1 change\n",
            "has `50` instead of `100` as its greatest value",
            "commands: list-things",
            "things::ThingsListQuery::limit",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let (text, breaks) = asked(home.path(), &["v1:spec", "HEAD:spec/", "--used"]).unwrap();
        assert!(!breaks && text.contains("nothing changed"), "{text}");
        // The other way round nothing breaks; what is shown does not decide.
        let (_, breaks) = asked(home.path(), &[spec, "v1:spec"]).unwrap();
        assert!(!breaks);
        let (text, breaks) =
            asked(home.path(), &["v1:spec", spec, "--class", "new", "--format", "json"]).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        assert!(breaks && told["findings"] == serde_json::json!([]));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let home = repository();
        for (arguments, message) in [
            (&["v1:spec"][..], "diff takes OLD and NEW, and got 1 of them"),
            (&["v1:spec", "nowhere"], "nowhere is no file and no folder"),
            (&["v2:spec", "v1:spec"], "v2:spec: git knows no revision v2"),
            (&["--output=x:spec", "v1:spec"], "--output=x:spec is no option of diff"),
            (&["v1:spek", "v1:spec"], "v1:spek: there is no spek at v1"),
            (&["v1:src", "v1:spec"], "openapi.yaml: is missing"),
            (&["v1:spec", "v1:spec", "--format", "pdf"], "--format pdf: give text"),
            (&["v1:spec", "v1:spec", "--class", "bad"], "--class bad: give one of breaks-callers"),
            (&["v1:spec", "v1:spec", "--fast"], "--fast is no option"),
        ] {
            let Err(error) = asked(home.path(), arguments) else { panic!("{arguments:?}") };
            assert!(error.to_string().contains(message), "{arguments:?}: {error}");
        }
    }
}
