//! `cargo xtask import`: compares a vendor document with `spec/`.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::commands;
use sentinelone_codegen::diff::SpecIndex;
use sentinelone_codegen::import::report::Report;
use sentinelone_codegen::import::{self, Import, baseline};
use sentinelone_codegen::{Error, Result, document};

use crate::{users, vendor_document};

/// The arguments of the command.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Vendor document: Swagger 2.0 or OpenAPI 3.0, JSON or YAML
    file: PathBuf,
    /// Apply the differences to spec/
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Exit with 1 if a difference needs attention
    #[arg(long)]
    check: bool,
    /// Write spec/baseline.toml
    #[arg(long)]
    update_baseline: bool,
    /// Month of the document [default: the current month]
    #[arg(long, value_name = "YYYY-MM", value_parser = parse_month)]
    date: Option<String>,
    /// Report format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write the report to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[cfg(test)]
impl Args {
    /// Returns the arguments of a call that writes JSON.
    pub(crate) fn of(file: &Path, date: &str, write: bool) -> Self {
        Self {
            file: file.to_owned(),
            write,
            check: false,
            update_baseline: false,
            date: Some(date.to_owned()),
            format: Format::Json,
            out: None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Markdown,
    Json,
}

/// Runs the command. The exit code is 1 if `--check` finds a difference, and 2 if the import fails.
pub(crate) fn run(root: &Path, args: &Args) -> ExitCode {
    // Opens the output first, so that an unwritable file fails before `spec/` changes.
    let mut out: Box<dyn Write> = match &args.out {
        None => Box::new(std::io::stdout()),
        Some(path) => match std::fs::File::create(path) {
            Ok(file) => Box::new(file),
            Err(source) => return failed(&Error::Io { path: path.clone(), source }),
        },
    };
    match run_import(root, args) {
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

/// Accepts a month, such as `2026-06`.
pub(crate) fn parse_month(text: &str) -> Result<String, String> {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let valid = text.split_once('-').is_some_and(|(year, month)| {
        digits(year, 4) && digits(month, 2) && (1..=12).contains(&month.parse().unwrap_or(0))
    });
    if valid { Ok(text.to_owned()) } else { Err("expected YYYY-MM".to_owned()) }
}

/// Returns the report, and whether a difference needs attention.
pub(crate) fn run_import(root: &Path, args: &Args) -> Result<(String, bool)> {
    let spec = root.join("spec");
    let document = document::open(&args.file)?;
    vendor_document::remember(root, &args.file, &month(args.date.as_deref(), &args.file))?;
    let import: Import = import::compare_with_spec(&spec, document)?;
    let mut index = SpecIndex::new(commands::by_operation(&root.join("spec"))?);
    if !import.differences.is_empty() {
        index.add(&Bundle::read(&spec)?)?;
    }
    let mut findings = import.findings(&index);
    users::add(root, &mut findings)?;
    let written = match args.write {
        true => Some(import::write(&spec, &import, &month(args.date.as_deref(), &args.file))?),
        false => None,
    };
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let report = Report { name: &name, import: &import, findings: &findings, written: written.as_ref() };
    let output = match args.format {
        Format::Text => report.text(),
        Format::Markdown => report.markdown(),
        Format::Json => report.json(),
    };
    if args.update_baseline {
        let path = spec.join(baseline::FILE);
        std::fs::write(&path, import.baseline.to_text()).map_err(|source| Error::Io { path, source })?;
    }
    Ok((output, !import.is_settled()))
}

/// Returns the month of the document: by default the one in the name of the file, such as `vendor-2026-06.json`, or
/// else the current month.
pub(crate) fn month(date: Option<&str>, file: &Path) -> String {
    let named = || month_in(&file.file_name()?.to_string_lossy());
    let current = || jiff::Timestamp::now().strftime("%Y-%m").to_string();
    date.map(str::to_owned).or_else(named).unwrap_or_else(current)
}

/// Returns the only month in a text.
fn month_in(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_digit() && c != '-').collect();
    let mut months = parts.iter().filter_map(|part| parse_month(part.trim_matches('-')).ok());
    months.next().filter(|_| months.next().is_none())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{month_in, parse_month};

    #[test]
    fn month_in_name_of_file_is_found() {
        let named = |name: &str| month_in(name);
        assert_eq!(named("vendor-2026-06.swagger.json").as_deref(), Some("2026-06"));
        assert_eq!(named("2026-06.json").as_deref(), Some("2026-06"));
        for name in
            ["swagger.json", "v2.1-2026.json", "2026-06-01.json", "2024-03_2026-06.json", "2026-13.json"]
        {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn parse_month_accepts_year_and_month_only() {
        assert_eq!(parse_month("2024-03").unwrap(), "2024-03");
        for text in ["March", "2024-13", "2024-00", "2024-3", "24-03", "2024-03-01", ""] {
            assert!(parse_month(text).is_err(), "{text}");
        }
    }
}
