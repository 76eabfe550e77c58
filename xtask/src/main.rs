//! The levers: thin commands over codegen and the contract.

mod measure;
mod package;

use std::path::Path;
use std::process::ExitCode;

use sentinelone_codegen::{Error, Result, files, generate};

const USAGE: &str = "\
usage: cargo xtask <command>

commands:
  generate           write generated/ from spec/
  generate --check   compare instead; print a diff and fail when they differ
  measure            time release builds of generated/ beside the generator's own output
  package            unpack what would be published into target/package/, for examples/downstream
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["generate"] => write(),
        ["generate", "--check"] => check(),
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
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(Error::Drift(diff)) => {
            print!("{diff}");
            eprintln!("generated/ is not what spec/ gives; run `cargo xtask generate` and commit the result");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

fn write() -> Result<String> {
    let files = generate(&root().join("spec"))?;
    let changes = files::write(&root().join("generated"), &files)?;
    let list = |verb: &str, names: &[String]| {
        names.iter().map(|name| format!("{verb} generated/{name}\n")).collect::<String>()
    };
    let summary = format!("generated/ has {} files", files.len());
    Ok(list("wrote", &changes.written) + &list("removed", &changes.removed) + &summary)
}

fn check() -> Result<String> {
    let files = generate(&root().join("spec"))?;
    files::check(&root().join("generated"), &files)?;
    Ok(format!("generated/ is what spec/ gives ({} files)", files.len()))
}
