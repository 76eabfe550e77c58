//! Development commands on top of codegen and the contract.

#[cfg(test)]
mod add_operation;
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
  generate               Write generated/ from spec/
    --check              Print the differences instead; exit with 1 if there are any
  fixtures               Write the generated fixtures from spec/
    --check              Print the differences instead; exit with 1 if there are any
  import FILE            Compare a vendor document with spec/
    --write              Apply the differences to spec/
    --check              Exit with 1 if a difference needs attention
    --update-baseline    Write spec/baseline.toml
    --date YYYY-MM       Set the month of the document [default: the current month]
    --lossy PROFILE      Set the information that the document lacks
    --format FORMAT      Set the report format [text, markdown, json]
    --out FILE           Write the report to a file
  diff OLD NEW           Compare two API documents; exit with 1 on breaking changes
                         OLD, NEW: a file, a directory such as spec, or REV:PATH
    --known-only         Compare only the operations in spec/
    --class CLASS        Print only findings of this class; can be repeated
    --lossy PROFILE      Set the information that the documents lack
    --format FORMAT      Set the report format [text, markdown, json, html]
  report                 Write the evidence page of all operations
    --out FILE           Set the output file [default: target/report/index.html]
    --base URL           Set the prefix of links [default: a relative path]
                         S1_EXTRA_FIXTURES: directory with published exchanges
  tidy                   Run the repository checks
    --list               Print the rules instead
  release-notes          Propose the next version and its changelog section
    --since REV          Compare with this revision [default: the latest tag]
  bench                  Measure the overhead and write docs/reference/performance.md
    --quick              Take fewer measurements and only print the table
  measure                Time release builds of generated/ and of progenitor's output
  package                Unpack the packages that would be published into
                         target/package/ and create a dependent crate in
                         target/downstream/
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
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
    match result {
        Ok(message) => {
            // Ignores a closed pipe.
            let _ = writeln!(std::io::stdout(), "{message}");
            ExitCode::SUCCESS
        }
        Err(Error::Drift(diff)) => {
            print!("{diff}");
            eprintln!("generated/ does not match spec/; run `cargo xtask generate` and commit the result");
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
fn report(arguments: &[&str]) -> Result<String> {
    report::run(root(), arguments)
}

/// Runs `xtask` again with the feature `report`, since this build does not have the client.
#[cfg(not(feature = "report"))]
fn report(arguments: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .args(["run", "--quiet", "--package", "xtask", "--features", "report", "--", "report"])
        .args(arguments)
        .status()
        .map_err(|error| Error::Generator(format!("cannot run cargo: {error}")))?;
    // The child process has printed the result.
    std::process::exit(status.code().unwrap_or(1))
}

fn root() -> &'static Path {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir.parent().unwrap_or(manifest_dir)
}

fn write(root: &Path) -> Result<String> {
    let files = generate(&root.join("spec"))?;
    let changes = files::write(&root.join("generated"), &files)?;
    Ok(list("generated", &changes) + &format!("generated/ has {} files", files.len()))
}

fn check(root: &Path) -> Result<String> {
    let files = generate(&root.join("spec"))?;
    files::check(&root.join("generated"), &files)?;
    Ok(format!("generated/ matches spec/ ({} files)", files.len()))
}

fn write_fixtures(root: &Path) -> Result<String> {
    let files = fixtures(&root.join("spec"))?;
    let changes = files::write_owned(&root.join("fixtures"), &files, examples::owns)?;
    Ok(list("fixtures", &changes) + &format!("fixtures/ has {} generated files", files.len()))
}

fn check_fixtures(root: &Path) -> Result<String> {
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
