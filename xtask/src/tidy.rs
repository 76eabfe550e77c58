//! `cargo xtask tidy`: repository checks that the compiler does not have.
//!
//! A [`Tree`] reads the project once, and each [`Rule`] reports its violations. Rust files are parsed as tokens,
//! manifests as TOML, documents as Markdown, and `spec/` with codegen. [`rules`] lists the rules; `--list` prints
//! them. A new rule needs a violation in `tests`.

mod book;
mod boundaries;
mod cycles;
mod documents;
mod file_length;
mod manifests;
mod report;
mod rust;
mod sources;
mod specification;
#[cfg(test)]
mod tests;
mod tree;
mod vocabulary;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use sentinelone_codegen::Result;

use report::{Report, Violation};
use tree::Tree;

/// A repository check.
pub(crate) struct Rule {
    /// Name of the rule, printed with each violation.
    pub(crate) id: &'static str,
    requirement: &'static str,
    reason: &'static str,
    check: fn(&Tree, &mut Report),
}

/// Returns all rules.
pub(crate) fn rules() -> &'static [Rule] {
    &[
        Rule {
            id: "module-docs",
            requirement: "a Rust file starts with `//!` documentation; a generated file has it after \
                          the `@generated` line",
            reason: "readers see the purpose of a file first",
            check: sources::module_docs,
        },
        Rule {
            id: "crate-boundaries",
            requirement: "manifests and paths follow the table of boundaries: generated/ and the runtime do no I/O, \
                          codegen/ uses no crate that is generated from it, the client does not use codegen/",
            reason: "each part can be tested and replaced alone",
            check: boundaries::crate_boundaries,
        },
        Rule {
            id: "layers",
            requirement: "a module of src/ uses only the layers that its row in xtask/src/tidy/boundaries.rs allows",
            reason: "commands use the client, never the reverse",
            check: boundaries::layers,
        },
        Rule {
            id: "import-cycles",
            requirement: "the files of a crate do not import each other in a cycle; `mod` lines and re-exports of a \
                          parent module do not count",
            reason: "a file can be read and changed with those below it, without those above it",
            check: cycles::import_cycles,
        },
        Rule {
            id: "no-printing",
            requirement: "the libraries do not print and do not end the process; cli/ may",
            reason: "output and process belong to the caller",
            check: sources::no_printing,
        },
        Rule {
            id: "no-todo",
            requirement: "a Rust file has no note or macro for remaining work, no ignored test and no ignored example",
            reason: "remaining work is an issue",
            check: sources::no_todo,
        },
        Rule {
            id: "no-local-paths",
            requirement: "no file contains an absolute path of a developer machine",
            reason: "the path does not exist on other machines",
            check: documents::no_local_paths,
        },
        Rule {
            id: "registries",
            requirement: "lock files name crates.io only; .cargo/ configures no source and no registry",
            reason: "the project builds for everyone from public sources",
            check: manifests::registries,
        },
        Rule {
            id: "dependency-reasons",
            requirement: "the line that sets the version of a dependency ends with a comment that states its purpose",
            reason: "dependencies without a purpose are removed",
            check: manifests::dependency_reasons,
        },
        Rule {
            id: "no-unused-spec",
            requirement: "each file of spec/ is read: it is needed by an operation, declares commands, or has overlay actions",
            reason: "unused files are not validated",
            check: specification::no_unused_spec,
        },
        Rule {
            id: "fixtures",
            requirement: "each operation has fixtures, each directory of fixtures/ is an operation, and each fixture \
                          has a provenance kind and source",
            reason: "an exchange without provenance proves no behavior",
            check: specification::fixtures,
        },
        Rule {
            id: "file-length",
            requirement: file_length::REQUIREMENT,
            reason: "a long file often has two subjects",
            check: file_length::file_length,
        },
        Rule {
            id: "links",
            requirement: "relative links of documents refer to existing files and headings",
            reason: "broken links mislead readers",
            check: documents::links,
        },
        Rule {
            id: "decisions",
            requirement: "the records docs/adr/NNNN-title.md are numbered from 1 without a gap and have the sections \
                          Status, Context, Decision and Consequences",
            reason: "records are cited by number",
            check: documents::decisions,
        },
        Rule {
            id: "summary",
            requirement: "each page below docs/ is in docs/SUMMARY.md, the table of contents of the book",
            reason: "a page that is not in the table of contents is not in the book",
            check: book::summary,
        },
        Rule {
            id: "console-blocks",
            requirement: "documents show commands in `console` blocks, which the tests run; a block that no test runs, \
                          such as a script, follows a comment with the reason",
            reason: "an example that no test runs becomes wrong",
            check: book::console_blocks,
        },
        Rule {
            id: "vocabulary",
            requirement: vocabulary::REQUIREMENT,
            reason: "readers know the terms of HTTP, Rust, OpenAPI and the SentinelOne console",
            check: vocabulary::vocabulary,
        },
    ]
}

/// Returns the violations in a project directory, sorted by file and line.
pub(crate) fn violations(root: &Path) -> Result<Vec<Violation>> {
    let tree = Tree::read(root)?;
    let mut report = Report { rule: "", violations: Vec::new() };
    std::thread::scope(|scope| {
        // Parses the specification in parallel, since it takes as long as all other work.
        scope.spawn(|| tree.bundle().is_ok());
        for rule in rules() {
            report.rule = rule.id;
            (rule.check)(&tree, &mut report);
        }
    });
    report.violations.sort();
    // One `use` may contain the same path twice.
    report.violations.dedup();
    Ok(report.violations)
}

/// Runs the command. The exit code is 1 if there are violations, and 2 for invalid arguments.
pub(crate) fn run(root: &Path, list: bool) -> ExitCode {
    let (output, code) = if list {
        let line = |rule: &Rule| format!("{}: {}\n    reason: {}", rule.id, rule.requirement, rule.reason);
        (rules().iter().map(line).collect::<Vec<_>>().join("\n"), ExitCode::SUCCESS)
    } else {
        match violations(root) {
            Ok(found) if found.is_empty() => {
                (format!("no violations of {} rules", rules().len()), ExitCode::SUCCESS)
            }
            Ok(found) => (lines(&found), ExitCode::FAILURE),
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
    };
    // Ignores a closed pipe.
    let _ = writeln!(std::io::stdout(), "{output}");
    code
}

fn lines(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("\n")
}
