//! Development commands on top of codegen and the contract.

mod add;
#[cfg(test)]
mod add_command;
#[cfg(test)]
mod add_operation;
mod bench;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#[path = "../../codegen/tests/support/curated.rs"]
mod curated;
mod diff;
mod generation;
mod import;
#[cfg(test)]
mod import_changes;
mod package;
#[cfg(test)]
mod project_copy;
mod release_notes;
#[cfg(feature = "report")]
mod report;
mod tidy;
mod users;
mod vendor_document;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sentinelone_codegen::{Error, Result};

use generation::{check, check_fixtures, write, write_fixtures};

/// Development tasks of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write generated/ from spec/
    Generate(Check),
    /// Write the generated fixtures from spec/
    Fixtures(Check),
    /// Compare a vendor document with spec/
    Import(import::Args),
    /// Add operations of the vendor document, with everything that is generated from them
    Add(add::Args),
    /// Compare two API documents; exit with 1 on breaking changes
    Diff(diff::Args),
    /// Write the evidence page of all operations
    ///
    /// S1_EXTRA_FIXTURES is a directory with published exchanges.
    Report(ReportArgs),
    /// Run the repository checks
    Tidy {
        /// Print the rules instead
        #[arg(long)]
        list: bool,
    },
    /// Propose the next version and its changelog section
    ReleaseNotes {
        /// Compare with this revision [default: the latest tag]
        #[arg(long, value_name = "REV")]
        since: Option<String>,
    },
    /// Measure the overhead and write docs/reference/performance.md
    ///
    /// Without --quick, each measurement has more runs, and the command line and release builds are measured too.
    Bench {
        /// Print the table in less than five minutes, or three if the binaries are built
        #[arg(long)]
        quick: bool,
        /// Print only the builds of a dependent crate, in less than ten minutes
        #[arg(long, conflicts_with = "quick")]
        builds: bool,
    },
    /// Unpack the packages that would be published, and create a dependent crate
    ///
    /// The packages are in target/package/, the dependent crate in target/downstream/.
    Package,
}

#[derive(clap::Args)]
struct Check {
    /// Print the differences instead; exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

#[derive(clap::Args)]
struct ReportArgs {
    /// Output file [default: target/report/index.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prefix of links [default: a relative path]
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    /// Print the report as JSON, instead of writing a page
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["out", "base"])]
    format: ReportFormat,
}

#[derive(Clone, Copy, Default, PartialEq, clap::ValueEnum)]
enum ReportFormat {
    #[default]
    Html,
    Json,
}

fn main() -> ExitCode {
    let task = Arguments::parse().task;
    let root = match root() {
        Ok(root) => root,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let root = root.as_path();
    let result = match task {
        Task::Generate(Check { check: false }) => write(root),
        Task::Generate(Check { check: true }) => check(root),
        Task::Fixtures(Check { check: false }) => write_fixtures(root),
        Task::Fixtures(Check { check: true }) => check_fixtures(root),
        Task::Report(args) => report(root, &args),
        Task::Import(args) => return import::run(root, &args),
        Task::Add(args) => add::run(root, &args),
        Task::Diff(args) => return diff::run(root, &args),
        Task::ReleaseNotes { since } => release_notes::run(root, since.as_deref()),
        Task::Tidy { list } => return tidy::run(root, list),
        Task::Bench { builds: true, .. } => bench::builds(root),
        Task::Bench { quick, .. } => bench::run(root, quick),
        Task::Package => package::run(root),
    };
    match result {
        Ok(message) => {
            // Ignores a closed pipe.
            let _ = writeln!(std::io::stdout(), "{message}");
            ExitCode::SUCCESS
        }
        Err(Error::Drift(diff)) => {
            print!("{diff}");
            eprintln!(
                "generated/ or docs/reference/commands/ does not match spec/; run `cargo xtask generate` and commit the result"
            );
            ExitCode::FAILURE
        }
        Err(Error::Fixtures(diff)) => {
            print!("{diff}");
            eprintln!("fixtures/ does not match spec/; run `cargo xtask fixtures` and commit the result");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "report")]
fn report(root: &Path, args: &ReportArgs) -> Result<String> {
    match args.format {
        ReportFormat::Html => report::run(root, args.out.as_deref(), args.base.as_deref()),
        ReportFormat::Json => report::json(root),
    }
}

/// Runs `xtask` again with the feature `report`, since this build does not have the client.
#[cfg(not(feature = "report"))]
fn report(_: &Path, args: &ReportArgs) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command.args(["run", "--quiet", "--package", "xtask", "--features", "report", "--", "report"]);
    if args.format == ReportFormat::Json {
        command.args(["--format", "json"]);
    }
    if let Some(file) = &args.out {
        command.arg("--out").arg(file);
    }
    if let Some(url) = &args.base {
        command.args(["--base", url]);
    }
    let status = command.status().map_err(|error| Error::Generator(format!("cannot run cargo: {error}")))?;
    // The child process has printed the result.
    std::process::exit(status.code().unwrap_or(1))
}

/// Returns the checkout of the project that contains the current directory, which need not be the one that this program
/// was compiled from.
fn root() -> Result<PathBuf> {
    let dir = std::env::current_dir().map_err(|source| Error::Io { path: ".".into(), source })?;
    let root = root_of(&dir).map(Path::to_owned);
    root.ok_or_else(|| Error::Command(format!("{} is not in a checkout of the project", dir.display())))
}

fn root_of(dir: &Path) -> Option<&Path> {
    let is_root =
        |dir: &Path| ["spec/openapi.yaml", "xtask/Cargo.toml"].iter().all(|file| dir.join(file).is_file());
    dir.ancestors().find(|dir| is_root(dir))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{root, root_of};

    /// A copy of the project that has another one around it, such as in `target/`, is its own root.
    #[test]
    fn root_is_the_checkout_around_the_current_directory() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("target/copy");
        for dir in [outer.path(), &inner] {
            for file in ["spec/openapi.yaml", "xtask/Cargo.toml"] {
                std::fs::create_dir_all(dir.join(file).parent().unwrap()).unwrap();
                std::fs::write(dir.join(file), "").unwrap();
            }
        }
        assert_eq!(root_of(&inner.join("spec")), Some(inner.as_path()));
        assert_eq!(root_of(&outer.path().join("target")), Some(outer.path()));
        assert!(std::env::current_dir().unwrap().starts_with(root().unwrap()));
    }
}
