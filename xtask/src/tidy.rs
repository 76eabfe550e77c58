//! The rules of the house that the compiler does not know: `cargo xtask tidy`.
//!
//! The project is read once, as a [`Tree`]; a [`Rule`] looks at it and reports places. Rust is read by its
//! tokens, manifests as TOML, documents as Markdown, and spec/ as codegen reads it. What every rule demands and
//! why is in [`rules`], and `--list` prints it. A rule that is added needs a planted violation in `tests`.

mod documents;
mod manifests;
mod rooms;
mod rust;
mod size;
mod sources;
mod specification;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use sentinelone_codegen::Result;

use tree::Tree;

/// Something that is demanded of the project.
pub(crate) struct Rule {
    /// Its name, which every violation has.
    pub(crate) id: &'static str,
    demands: &'static str,
    why: &'static str,
    check: fn(&Tree, &mut Report),
}

/// All rules.
pub(crate) fn rules() -> &'static [Rule] {
    &[
        Rule {
            id: "module-docs",
            demands: "a Rust source begins with `//!`, a generated one after its line that says so",
            why: "whoever opens a file learns what it is for",
            check: sources::module_docs,
        },
        Rule {
            id: "rooms",
            demands: "rooms import one way, in manifests and in paths: generated/ and the runtime do no I/O, \
                      codegen/ knows nothing that is made from it, and the client knows no codegen",
            why: "each can be understood, tested and replaced without what is built upon it",
            check: rooms::rooms,
        },
        Rule {
            id: "layers",
            demands: "modules of src/ use only the layers that the table in xtask/src/tidy/rooms.rs allows",
            why: "commands are made from the client, and never the client from commands",
            check: rooms::layers,
        },
        Rule {
            id: "quiet",
            demands: "the library prints nothing and never ends the process; src/bin/ may",
            why: "stdout and the process belong to those who use the library",
            check: sources::quiet,
        },
        Rule {
            id: "unfinished",
            demands: "a Rust source has no note of work that is left, no such macro, and no ignored test or example",
            why: "what is left is an issue, where somebody sees it",
            check: sources::unfinished,
        },
        Rule {
            id: "machine-paths",
            demands: "no text names a folder of the machine that it was written on",
            why: "there is no such folder on any other machine",
            check: documents::machine_paths,
        },
        Rule {
            id: "registries",
            demands: "lock files name no registry but crates.io, and cargo's settings none at all",
            why: "the project builds for everybody, from what everybody can look at",
            check: manifests::registries,
        },
        Rule {
            id: "dependency-reasons",
            demands: "a dependency ends with its reason in a comment, at the place that gives its version",
            why: "one that nobody can give a reason for is one too many",
            check: manifests::reasons,
        },
        Rule {
            id: "spec-used",
            demands: "every file of spec/ is read, and says something that an operation needs",
            why: "what lies about unused is not held to anything, and is believed all the same",
            check: specification::used,
        },
        Rule {
            id: "fixtures",
            demands: "an operation has a folder with exchanges, a folder has an operation, and an exchange \
                      says where it comes from",
            why: "evidence of unknown origin is none",
            check: specification::fixtures,
        },
        Rule {
            id: "size",
            demands: size::DEMANDS,
            why: "a long file has two subjects, or a reason",
            check: size::size,
        },
        Rule {
            id: "links",
            demands: "relative links of documents lead to files and headings that exist",
            why: "a link that leads nowhere says that nobody reads here",
            check: documents::links,
        },
        Rule {
            id: "decisions",
            demands: "the records of docs/decisions.md are numbered from 1 without a gap",
            why: "they are cited by number",
            check: documents::decisions,
        },
    ]
}

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// The file or folder, from the root of the project.
    pub(crate) path: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The rule's name.
    pub(crate) rule: &'static str,
    what: String,
    remedy: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, what, remedy } = self;
        write!(f, "{path}:{line}: {what} ({rule}): {remedy}")
    }
}

/// What the rules have found so far.
struct Report {
    rule: &'static str,
    violations: Vec<Violation>,
}

impl Report {
    /// Notes a violation of the rule that is looked at.
    fn add(&mut self, path: &str, line: usize, what: impl Into<String>, remedy: impl Into<String>) {
        let (what, remedy) = (what.into(), remedy.into());
        self.violations.push(Violation { path: path.to_owned(), line, rule: self.rule, what, remedy });
    }
}

/// What breaks a rule in the project in this folder, by file and line.
pub(crate) fn violations(root: &Path) -> Result<Vec<Violation>> {
    let tree = Tree::read(root)?;
    let mut report = Report { rule: "", violations: Vec::new() };
    std::thread::scope(|scope| {
        // It takes as long as all the rest.
        scope.spawn(|| tree.bundle().is_ok());
        for rule in rules() {
            report.rule = rule.id;
            (rule.check)(&tree, &mut report);
        }
    });
    report.violations.sort();
    // One `use` may name the same twice.
    report.violations.dedup();
    Ok(report.violations)
}

/// `cargo xtask tidy` with these arguments; fails when a rule is broken.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    let (text, code) = match arguments {
        [] => match violations(root) {
            Ok(found) if found.is_empty() => {
                (format!("the project keeps all {} rules", rules().len()), ExitCode::SUCCESS)
            }
            Ok(found) => (lines(&found), ExitCode::FAILURE),
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        },
        ["--list"] => {
            let line = |rule: &Rule| format!("{}: {}\n    because {}", rule.id, rule.demands, rule.why);
            (rules().iter().map(line).collect::<Vec<_>>().join("\n"), ExitCode::SUCCESS)
        }
        other => {
            eprintln!("error: {}: give --list or nothing", other.join(" "));
            return ExitCode::from(2);
        }
    };
    // Whoever reads only the beginning is no error.
    let _ = writeln!(std::io::stdout(), "{text}");
    code
}

fn lines(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("\n")
}
