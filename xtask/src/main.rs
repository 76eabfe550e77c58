//! The levers: thin commands over codegen and the contract.

#[cfg(test)]
mod adding;
mod bench;
mod commands;
mod diff;
mod import;
mod measure;
mod package;
mod release_notes;
#[cfg(feature = "report")]
mod report;
mod tidy;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use sentinelone_codegen::{Error, Result, examples, files, fixtures, generate};

const USAGE: &str = "\
usage: cargo xtask <command>

commands:
  generate           write generated/ from spec/
  generate --check   compare instead; print a diff and fail when they differ
  fixtures           write the generated part of fixtures/ from spec/
  fixtures --check   compare instead
  import FILE        what a document of the vendor says otherwise than spec/; --write makes spec/ say it, --check fails
                     when something is left, --accept notes what stands behind corrections and evidence,
                     --date 2024-03 is its month, --lossy PROFILE what it has lost;
                     --format text|markdown|json, --out FILE
  report             write the page of evidence for every operation to target/report/index.html;
                     --out FILE, --base URL (what links begin with); S1_EXTRA_FIXTURES names what others published
  diff OLD NEW       what changed, and whom it concerns; OLD and NEW are a document, a folder such as spec, or
                     either at a revision (v0.1.0:spec); --format text|markdown|json|html, --used (only operations
                     of the specification), --class CLASS (show only these), --lossy PROFILE (what a document
                     has lost); exits with 1 when something breaks
  tidy               what breaks the rules of the house that the compiler does not know; --list says what these are
  release-notes      which number the next release takes and what it has to say; --since REV instead of the last tag
  bench [--quick]    what the client costs beside what people would write by hand, as ratios with their goals, in
                     one table; without --quick it is written to docs/performance.md
  measure            time release builds of generated/ beside the generator's own output
  package            unpack what would be published into target/package/, and make a crate that uses it
                     in target/downstream/ from examples/downstream/
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["generate"] => write(root()),
        ["generate", "--check"] => check(root()),
        ["fixtures"] => write_fixtures(root()),
        ["fixtures", "--check"] => check_fixtures(root()),
        ["report", rest @ ..] => report(rest),
        ["import", rest @ ..] => return import::run(root(), rest),
        ["diff", rest @ ..] => return diff::run(root(), rest),
        ["release-notes", rest @ ..] => release_notes::run(root(), rest),
        ["tidy", rest @ ..] => return tidy::run(root(), rest),
        ["bench", rest @ ..] => bench::run(root(), rest),
        ["measure"] => measure::run(root()),
        ["package"] => package::run(root()),
        ["--help" | "-h" | "help"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(message) => {
            // Whoever reads only the beginning is no error.
            let _ = writeln!(std::io::stdout(), "{message}");
            ExitCode::SUCCESS
        }
        Err(Error::Drift(diff)) => {
            print!("{diff}");
            eprintln!("generated/ is not what spec/ gives; run `cargo xtask generate` and commit the result");
            ExitCode::FAILURE
        }
        Err(Error::Fixtures(diff)) => {
            print!("{diff}");
            eprintln!("fixtures/ is not what spec/ gives; run `cargo xtask fixtures` and commit the result");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "report")]
fn report(arguments: &[&str]) -> Result<String> {
    report::run(root(), arguments)
}

/// The report needs the client, which this build does not have.
#[cfg(not(feature = "report"))]
fn report(arguments: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .args(["run", "--quiet", "--package", "xtask", "--features", "report", "--", "report"])
        .args(arguments)
        .status()
        .map_err(|error| Error::Generator(format!("cargo cannot be run: {error}")))?;
    // What there is to say was said.
    std::process::exit(status.code().unwrap_or(1))
}

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

fn write(root: &Path) -> Result<String> {
    let files = generate(&root.join("spec"))?;
    let changes = files::write(&root.join("generated"), &files)?;
    Ok(list("generated", &changes) + &format!("generated/ has {} files", files.len()))
}

fn check(root: &Path) -> Result<String> {
    let files = generate(&root.join("spec"))?;
    files::check(&root.join("generated"), &files)?;
    Ok(format!("generated/ is what spec/ gives ({} files)", files.len()))
}

fn write_fixtures(root: &Path) -> Result<String> {
    let files = fixtures(&root.join("spec"))?;
    let changes = files::write_owned(&root.join("fixtures"), &files, examples::owns)?;
    Ok(list("fixtures", &changes) + &format!("fixtures/ has {} generated files", files.len()))
}

fn check_fixtures(root: &Path) -> Result<String> {
    let files = fixtures(&root.join("spec"))?;
    files::check_fixtures(&root.join("fixtures"), &files)?;
    Ok(format!("fixtures/ is what spec/ gives ({} generated files)", files.len()))
}

/// A line for every file that a run changed.
fn list(folder: &str, changes: &files::Changes) -> String {
    let lines = |verb: &str, names: &[String]| {
        names.iter().map(|name| format!("{verb} {folder}/{name}\n")).collect::<String>()
    };
    lines("wrote", &changes.written) + &lines("removed", &changes.removed)
}
