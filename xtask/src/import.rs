//! `cargo xtask import`: compares a vendor document with `spec/`.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::SpecIndex;
use sentinelone_codegen::import::lossy::Profile;
use sentinelone_codegen::import::report::Report;
use sentinelone_codegen::import::{self, Import, baseline};
use sentinelone_codegen::{Error, Result, document};

use crate::commands;

/// The arguments of the command.
#[derive(Debug, Default, PartialEq)]
struct Args<'a> {
    file: &'a str,
    format: Format,
    out: Option<&'a str>,
    profile: Option<Profile>,
    date: Option<&'a str>,
    write: bool,
    check: bool,
    update_baseline: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Text,
    Markdown,
    Json,
}

/// Runs the command. The exit code is 1 if `--check` finds a difference, and 2 if the import fails.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    let args = match parse_args(arguments) {
        Ok(args) => args,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    // Opens the output first, so that an unwritable file fails before `spec/` changes.
    let mut out: Box<dyn Write> = match args.out {
        None => Box::new(std::io::stdout()),
        Some(path) => match std::fs::File::create(path) {
            Ok(file) => Box::new(file),
            Err(source) => return failed(&Error::Io { path: PathBuf::from(path), source }),
        },
    };
    match run_import(root, &args) {
        Ok((output, differs)) => {
            match out.write_all(output.as_bytes()).and_then(|()| out.flush()) {
                // Ignores a closed pipe.
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    eprintln!("error: cannot write the report: {error}");
                    return ExitCode::from(2);
                }
                _ => {}
            }
            ExitCode::from(u8::from(args.check && differs))
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}

fn parse_args<'a>(arguments: &[&'a str]) -> Result<Args<'a>, String> {
    let mut args = Args::default();
    let mut rest = arguments.iter().copied();
    let value = |rest: &mut dyn Iterator<Item = &'a str>, name: &str| {
        rest.next().ok_or_else(|| format!("{name} requires a value"))
    };
    while let Some(argument) = rest.next() {
        match argument {
            "--write" => args.write = true,
            "--check" => args.check = true,
            "--update-baseline" => args.update_baseline = true,
            "--format" => {
                args.format = match value(&mut rest, argument)? {
                    "text" => Format::Text,
                    "markdown" => Format::Markdown,
                    "json" => Format::Json,
                    other => {
                        return Err(format!("invalid format {other:?}; allowed: text, markdown, json"));
                    }
                }
            }
            "--out" => args.out = Some(value(&mut rest, argument)?),
            "--lossy" => args.profile = Some(value(&mut rest, argument)?.parse()?),
            "--date" => {
                let date = value(&mut rest, argument)?;
                if !is_month(date) {
                    return Err(format!("invalid month {date:?}; expected YYYY-MM"));
                }
                args.date = Some(date);
            }
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            file if args.file.is_empty() => args.file = file,
            other => return Err(format!("unexpected argument {other}; expected one FILE")),
        }
    }
    if args.file.is_empty() {
        return Err("argument FILE is missing".to_owned());
    }
    if args.write && args.check {
        return Err("--check and --write cannot be combined".to_owned());
    }
    Ok(args)
}

fn is_month(string: &str) -> bool {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    string.split_once('-').is_some_and(|(year, month)| {
        digits(year, 4) && digits(month, 2) && (1..=12).contains(&month.parse().unwrap_or(0))
    })
}

/// Returns the report, and whether a difference needs attention.
fn run_import(root: &Path, args: &Args<'_>) -> Result<(String, bool)> {
    let spec = root.join("spec");
    let document = document::open(Path::new(args.file))?;
    let import: Import = import::compare_with_spec(&spec, document, args.profile.clone())?;
    let mut index = SpecIndex::new(commands::by_operation(root)?);
    if !import.differences.is_empty() {
        index.add(&Bundle::read(&spec)?)?;
    }
    let findings = import.findings(&index);
    let written = match args.write {
        true => Some(import::write(&spec, &import, &month(args.date))?),
        false => None,
    };
    let name = Path::new(args.file).file_name().unwrap_or_default().to_string_lossy();
    let report = Report { name: &name, import: &import, findings: &findings, written: written.as_ref() };
    let output = match args.format {
        Format::Text => report.text(),
        Format::Markdown => report.markdown(),
        Format::Json => report.json(),
    };
    if args.update_baseline {
        if !import.profile.losses.is_empty() {
            let message = "a document that lacks information cannot update the baseline; use a complete vendor document";
            return Err(Error::Command(message.to_owned()));
        }
        let path = spec.join(baseline::FILE);
        std::fs::write(&path, import.baseline.to_text()).map_err(|source| Error::Io { path, source })?;
    }
    Ok((output, !import.is_settled()))
}

/// Returns the month of the document, by default the current month.
fn month(date: Option<&str>) -> String {
    match date {
        Some(date) => date.to_owned(),
        None => jiff::Timestamp::now().strftime("%Y-%m").to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn parse_args_valid_arguments_are_parsed() {
        let all = ["a.json", "--write", "--format", "markdown", "--out", "r.md", "--date", "2024-03"];
        let expected = Args {
            file: "a.json",
            format: Format::Markdown,
            out: Some("r.md"),
            date: Some("2024-03"),
            write: true,
            ..Args::default()
        };
        assert_eq!(parse_args(&all).unwrap(), expected);
        let lossy = parse_args(&["--lossy", "bounds", "a.json", "--check"]).unwrap();
        assert_eq!(lossy.profile, Some("bounds".parse().unwrap()));
    }

    #[test]
    fn parse_args_invalid_arguments_return_error() {
        for (arguments, message) in [
            (&[][..], "FILE is missing"),
            (&["a", "b"], "unexpected argument b"),
            (&["a", "--format", "xml"], "invalid format \"xml\""),
            (&["a", "--format"], "--format requires a value"),
            (&["a", "--date", "March"], "invalid month"),
            (&["a", "--date", "2024-13"], "invalid month"),
            (&["a", "--lossy", "names"], "unknown loss \"names\""),
            (&["a", "--force"], "unknown option --force"),
            (&["a", "--write", "--check"], "cannot be combined"),
        ] {
            let error = parse_args(arguments).unwrap_err();
            assert!(error.contains(message), "{arguments:?}: {error}");
        }
    }
}
