//! `cargo xtask import`: a document of the vendor beside `spec/`.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::Atlas;
use sentinelone_codegen::import::lossy::Profile;
use sentinelone_codegen::import::report::Report;
use sentinelone_codegen::import::{self, Import, accepted};
use sentinelone_codegen::{Error, Result, document};

use crate::commands;

/// What was asked for.
#[derive(Debug, Default, PartialEq)]
struct Wanted<'a> {
    file: &'a str,
    format: Format,
    out: Option<&'a str>,
    profile: Option<Profile>,
    date: Option<&'a str>,
    write: bool,
    check: bool,
    accept: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Text,
    Markdown,
    Json,
}

/// Runs the command; 1 means that `--check` found a difference, 2 that it could not be done.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    let wanted = match wanted(arguments) {
        Ok(wanted) => wanted,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    // What cannot be written is said before anything is.
    let mut out: Box<dyn Write> = match wanted.out {
        None => Box::new(std::io::stdout()),
        Some(path) => match std::fs::File::create(path) {
            Ok(file) => Box::new(file),
            Err(source) => return failed(&Error::Io { path: PathBuf::from(path), source }),
        },
    };
    match done(root, &wanted) {
        Ok((text, differs)) => {
            match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                // Whoever reads only the beginning is no error.
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    eprintln!("error: the report cannot be written: {error}");
                    return ExitCode::from(2);
                }
                _ => {}
            }
            ExitCode::from(u8::from(wanted.check && differs))
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}

fn wanted<'a>(arguments: &[&'a str]) -> Result<Wanted<'a>, String> {
    let mut wanted = Wanted::default();
    let mut rest = arguments.iter().copied();
    let value = |rest: &mut dyn Iterator<Item = &'a str>, name: &str| {
        rest.next().ok_or_else(|| format!("{name} wants a value"))
    };
    while let Some(argument) = rest.next() {
        match argument {
            "--write" => wanted.write = true,
            "--check" => wanted.check = true,
            "--accept" => wanted.accept = true,
            "--format" => {
                wanted.format = match value(&mut rest, argument)? {
                    "text" => Format::Text,
                    "markdown" => Format::Markdown,
                    "json" => Format::Json,
                    other => {
                        return Err(format!("{other:?} is no format; there are text, markdown and json"));
                    }
                }
            }
            "--out" => wanted.out = Some(value(&mut rest, argument)?),
            "--lossy" => wanted.profile = Some(value(&mut rest, argument)?.parse()?),
            "--date" => {
                let date = value(&mut rest, argument)?;
                if !is_month(date) {
                    return Err(format!("{date:?} is no month, as in 2024-03"));
                }
                wanted.date = Some(date);
            }
            option if option.starts_with('-') => return Err(format!("there is no option {option}")),
            file if wanted.file.is_empty() => wanted.file = file,
            other => return Err(format!("one document at a time, and not {other} too")),
        }
    }
    if wanted.file.is_empty() {
        return Err("which document? cargo xtask import FILE".to_owned());
    }
    if wanted.write && wanted.check {
        return Err("--check looks and --write changes; one of them".to_owned());
    }
    Ok(wanted)
}

fn is_month(text: &str) -> bool {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('-').is_some_and(|(year, month)| {
        digits(year, 4) && digits(month, 2) && (1..=12).contains(&month.parse().unwrap_or(0))
    })
}

/// What there is to say, and whether a difference is left without an explanation.
fn done(root: &Path, wanted: &Wanted<'_>) -> Result<(String, bool)> {
    let spec = root.join("spec");
    let document = document::open(Path::new(wanted.file))?;
    let import: Import = import::look(&spec, document, wanted.profile.clone())?;
    let mut atlas = Atlas::new(commands::by_operation(root)?);
    if !import.differences.is_empty() {
        atlas.add(&Bundle::read(&spec)?)?;
    }
    let findings = import.findings(&atlas);
    let written = match wanted.write {
        true => Some(import::write(&spec, &import, &month(wanted.date))?),
        false => None,
    };
    let name = Path::new(wanted.file).file_name().unwrap_or_default().to_string_lossy();
    let report = Report { name: &name, import: &import, findings: &findings, written: written.as_ref() };
    let text = match wanted.format {
        Format::Text => report.text(),
        Format::Markdown => report.markdown(),
        Format::Json => report.json(),
    };
    if wanted.accept {
        if !import.profile.losses.is_empty() {
            let message = "a document that has lost things cannot be accepted: what it lacks is not what the vendor says";
            return Err(Error::Command(message.to_owned()));
        }
        let path = spec.join(accepted::FILE);
        std::fs::write(&path, import.accepted.to_text()).map_err(|source| Error::Io { path, source })?;
    }
    Ok((text, !import.is_settled()))
}

/// The month of the document: the present one, where nobody says.
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
    fn what_is_asked_for_is_understood() {
        let all = ["a.json", "--write", "--format", "markdown", "--out", "r.md", "--date", "2024-03"];
        let expected = Wanted {
            file: "a.json",
            format: Format::Markdown,
            out: Some("r.md"),
            date: Some("2024-03"),
            write: true,
            ..Wanted::default()
        };
        assert_eq!(wanted(&all).unwrap(), expected);
        let lossy = wanted(&["--lossy", "bounds", "a.json", "--check"]).unwrap();
        assert_eq!(lossy.profile, Some("bounds".parse().unwrap()));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (arguments, message) in [
            (&[][..], "which document?"),
            (&["a", "b"], "one document at a time"),
            (&["a", "--format", "xml"], "\"xml\" is no format"),
            (&["a", "--format"], "--format wants a value"),
            (&["a", "--date", "March"], "is no month"),
            (&["a", "--date", "2024-13"], "is no month"),
            (&["a", "--lossy", "names"], "is no loss"),
            (&["a", "--force"], "there is no option --force"),
            (&["a", "--write", "--check"], "one of them"),
        ] {
            let error = wanted(arguments).unwrap_err();
            assert!(error.contains(message), "{arguments:?}: {error}");
        }
    }
}
