//! `s1 contract verify`: validates recorded exchanges against the specification.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::ArgMatches;
use sentinelone::replace_control_chars;
use sentinelone_contract::fixture::{self, Exchange};
use sentinelone_contract::har::{self, FileKind};
use sentinelone_contract::{Contract, ContractRule, Finding, OperationMatch, Severity, check};
use serde_json::Value;

use crate::ends::EndingExchanges;
use crate::failure::{CliError, DONE, FAILED, USAGE};
use crate::findings::{Deny, FindingSource, Format, JsonWriter, annotation, grouped, json_of};
use crate::probe;
use crate::progress::Bytes;
use crate::stdio;

/// Maximum number of undeclared operations that are listed.
const MAX_LISTED: usize = 10;

/// Maximum number of undeclared operations that are counted one by one, which limits the memory.
const MAX_UNDECLARED: usize = 1000;

pub(crate) async fn run(matches: &ArgMatches) -> Result<u8, CliError> {
    match matches.subcommand() {
        Some(("verify", matches)) => verify(matches),
        Some(("probe", matches)) => probe::run(matches).await,
        _ => Ok(USAGE),
    }
}

/// State of a verification.
struct Verify {
    format: Format,
    deny: Deny,
    bar: Rc<Bytes>,
    items: JsonWriter,
    exchanges: usize,
    errors: usize,
    drift: usize,
    tolerated: usize,
    denied: usize,
    /// Undeclared operations with the number of their exchanges, up to [`MAX_UNDECLARED`].
    undeclared: BTreeMap<String, usize>,
    /// Exchanges of more undeclared operations.
    more_undeclared: usize,
    /// JSON files without an exchange.
    other_files: usize,
    unreadable: usize,
    skipped: usize,
    ends: EndingExchanges,
}

fn verify(matches: &ArgMatches) -> Result<u8, CliError> {
    let format = Format::of(matches)?;
    let paths = matches.get_many::<PathBuf>("path").into_iter().flatten();
    let files = files(paths)?;
    let bar = Bytes::new(files.iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum());
    let mut verify = Verify {
        format,
        deny: Deny::of(matches),
        bar: Rc::new(bar),
        items: JsonWriter::new(format),
        exchanges: 0,
        errors: 0,
        drift: 0,
        tolerated: 0,
        denied: 0,
        undeclared: BTreeMap::new(),
        more_undeclared: 0,
        other_files: 0,
        unreadable: 0,
        skipped: 0,
        ends: EndingExchanges::default(),
    };
    for file in &files {
        verify.file(file)?;
    }
    verify.bar.clear();
    if verify.exchanges == 0 && verify.denied == 0 {
        let skipped = if verify.skipped > 0 { "; no HAR entry has a path below /web/api/" } else { "" };
        let message = format!("no exchange found; the names of exchange files end in .json or .har{skipped}");
        return Err(CliError::Usage(message));
    }
    verify.end()?;
    Ok(match (verify.denied, verify.unreadable) {
        (0, 0) => DONE,
        (0, _) => USAGE,
        _ => FAILED,
    })
}

/// Returns the files and those in the directories, each file once.
fn files<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<Vec<PathBuf>, CliError> {
    let usage = |error: &dyn std::fmt::Display| CliError::Usage(error.to_string());
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let data = path
            .metadata()
            .map_err(|error| usage(&format_args!("{}: cannot read the path: {error}", path.display())))?;
        if !data.is_dir() && !data.is_file() {
            return Err(usage(&format_args!("{}: not a regular file", path.display())));
        }
        let found = match data.is_dir() {
            true => fixture::list_files(path, &["json", "har"]).map_err(|error| usage(&error))?,
            false => vec![path.clone()],
        };
        // A path can name a file in a directory that another path names.
        let is_new = |file: &PathBuf| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone()));
        files.extend(found.into_iter().filter(is_new));
    }
    Ok(files)
}

const NO_EXCHANGE: &str = "neither an exchange nor a HAR file";

/// Returns an error message without the parts that quote the file.
fn without_quotes(error: &str) -> String {
    match (error.find('"'), error.rfind('"')) {
        (Some(from), Some(to)) if from < to => format!("{}…{}", &error[..from], &error[to + 1..]),
        _ => error.to_owned(),
    }
}

/// File that reports the bytes read as progress.
struct ProgressReader<'a>(File, &'a Bytes);

impl Read for ProgressReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(into)?;
        self.1.add(read as u64);
        Ok(read)
    }
}

impl Verify {
    fn file(&mut self, path: &Path) -> Result<(), CliError> {
        let name = path.display().to_string();
        let is_har = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("har"));
        let kind = match is_har {
            true => Ok(FileKind::Har),
            false => File::open(path).map_err(har::HarError::Io).and_then(har::detect_file_kind),
        };
        match kind {
            Ok(FileKind::Har) => self.har(path, &name, is_har),
            Ok(FileKind::Exchange) => {
                let exchange = Exchange::read(path);
                self.bar.add(path.metadata().map_or(0, |data| data.len()));
                match exchange {
                    Ok(exchange) => {
                        self.exchanges += 1;
                        self.count_end(exchange.match_operation(Contract::bundled()));
                        let source = FindingSource { file: Some(&name), entry: None };
                        self.report(&source, &check(&exchange)).map_err(CliError::from)
                    }
                    Err(error) => {
                        let error = error.to_string();
                        let error = error.strip_prefix(&format!("{name}: ")).unwrap_or(&error);
                        self.unreadable(&name, &without_quotes(error))
                    }
                }
            }
            Ok(_) => {
                self.other_files += 1;
                self.report_file(&name, "notice", "skipped", NO_EXCHANGE)
            }
            Err(har::HarError::Io(error)) => self.unreadable(&name, &error.to_string()),
            Err(_) => self.unreadable(&name, "not JSON"),
        }
    }

    /// Verifies a HAR file. `has_extension` is false if only its content looks like one.
    fn har(&mut self, path: &Path, name: &str, has_extension: bool) -> Result<(), CliError> {
        let before = self.exchanges;
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => return self.unreadable(name, &error.to_string()),
        };
        let bar = Rc::clone(&self.bar);
        let written = RefCell::new(Ok(()));
        let summary = har::read_entries(ProgressReader(file, &bar), |entry| {
            self.exchanges += 1;
            self.count_end(entry.match_operation());
            let source = FindingSource { file: Some(name), entry: Some(entry.number) };
            match self.report(&source, &entry.check()) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    *written.borrow_mut() = Err(error);
                    ControlFlow::Break(())
                }
            }
        });
        written.into_inner()?;
        let summary = match summary {
            Ok(summary) => summary,
            // A JSON file with a `log` member that is not a HAR file.
            Err(har::HarError::Format { .. }) if !has_extension && self.exchanges == before => {
                self.other_files += 1;
                return self.report_file(name, "notice", "skipped", NO_EXCHANGE);
            }
            Err(error) => {
                // Findings before the error count.
                if let har::HarError::Format { summary, .. } = &error {
                    self.skipped += summary.skipped + summary.without_response;
                    self.report(&FindingSource { file: Some(name), entry: None }, &summary.findings)?;
                }
                return self.unreadable(name, &error.to_string());
            }
        };
        self.skipped += summary.skipped + summary.without_response;
        self.report(&FindingSource { file: Some(name), entry: None }, &summary.findings)?;
        match summary.unreadable {
            0 => Ok(()),
            count => self.unreadable(name, &format!("entries that are not HAR 1.2: {count}")),
        }
    }

    fn report(&mut self, source: &FindingSource<'_>, findings: &[Finding]) -> io::Result<()> {
        if source.entry.is_some() || self.exchanges > 0 {
            self.items.begin()?;
        }
        for finding in findings {
            match finding.severity() {
                Severity::Error => self.errors += 1,
                Severity::Drift => self.drift += 1,
                Severity::Tolerated => self.tolerated += 1,
                _ => self.count_undeclared(operation_of(finding)),
            }
            self.denied += usize::from(self.deny.denies(finding));
        }
        if findings.is_empty() {
            return Ok(());
        }
        let bar = Rc::clone(&self.bar);
        bar.suspend(|| match self.format {
            Format::Json | Format::Ndjson => findings.iter().try_for_each(|finding| {
                let mut item = serde_json::Map::from_iter([("file".to_owned(), Value::from(source.file))]);
                item.extend(source.entry.map(|entry| ("entry".to_owned(), Value::from(entry))));
                if let Value::Object(fields) = json_of(finding, &self.deny) {
                    item.extend(fields);
                }
                self.items.item(&Value::Object(item))
            }),
            Format::Github => {
                let lines = grouped(findings);
                let listed = lines.iter().filter(|one| self.is_listed(one.finding));
                stdio::write(&listed.map(|one| one.annotation(source, &self.deny)).collect::<String>())
            }
            Format::Text => {
                let lines = grouped(findings);
                let listed = lines.iter().filter(|one| self.is_listed(one.finding));
                stdio::write(&listed.map(|one| one.line(source)).collect::<String>())
            }
        })
    }

    fn count_end(&mut self, found: Option<OperationMatch<'_>>) {
        if let Some(found) = found {
            self.ends.count(found.operation.id());
        }
    }

    fn count_undeclared(&mut self, operation: String) {
        if self.undeclared.len() < MAX_UNDECLARED || self.undeclared.contains_key(&operation) {
            *self.undeclared.entry(operation).or_default() += 1;
        } else {
            self.more_undeclared += 1;
        }
    }

    /// Returns whether a finding has a line. Undeclared operations are listed at the end.
    fn is_listed(&self, finding: &Finding) -> bool {
        finding.rule != ContractRule::UndeclaredOperation || self.deny.denies(finding)
    }

    /// Reports a file that cannot be read.
    fn unreadable(&mut self, file: &str, reason: &str) -> Result<(), CliError> {
        self.unreadable += 1;
        self.report_file(file, "error", "unreadable", reason)
    }

    /// Reports a file without a finding.
    fn report_file(&self, file: &str, level: &str, title: &str, message: &str) -> Result<(), CliError> {
        self.bar.suspend(|| match self.format {
            Format::Github => stdio::write(&annotation(level, Some(file), title, message)),
            _ => {
                stdio::report(format_args!("{file}: {title}: {message}"));
                Ok(())
            }
        })?;
        Ok(())
    }

    fn end(&self) -> io::Result<()> {
        if matches!(self.format, Format::Json | Format::Ndjson) {
            return self.items.end();
        }
        let mut text = String::new();
        let undeclared = self.undeclared.values().sum::<usize>() + self.more_undeclared;
        if undeclared > 0 && self.format == Format::Github {
            // These strings come from the files, too.
            let listed = self.undeclared.iter().take(MAX_LISTED);
            text.extend(listed.map(|(operation, count)| {
                let message = format!("{operation}: not validated, exchanges: {count}");
                annotation("notice", None, "undeclared operation", &message)
            }));
        } else if undeclared > 0 {
            let operations = self.undeclared.len();
            text += &format!("undeclared operations, not validated (exchanges: {undeclared}):\n");
            for (operation, count) in self.undeclared.iter().take(MAX_LISTED) {
                text += &format!("  {}", replace_control_chars(operation));
                text += &if *count > 1 { format!(" ({count})\n") } else { "\n".to_owned() };
            }
            if operations > MAX_LISTED {
                let least = if self.more_undeclared > 0 { "at least " } else { "" };
                let more = operations - MAX_LISTED;
                text += &format!("  and {least}{more} more operations; --format json lists all\n");
            }
        }
        text += &self.ends.report(self.format == Format::Github);
        text += &format!(
            "exchanges: {}, errors: {}, drift: {}, exchanges of undeclared operations: {undeclared}",
            self.exchanges, self.errors, self.drift
        );
        let more = [
            ("tolerated forms", self.tolerated),
            ("skipped HAR entries", self.skipped),
            ("skipped files", self.other_files),
            ("unreadable files", self.unreadable),
        ];
        for (label, count) in more.iter().filter(|(_, count)| *count > 0) {
            text += &format!(", {label}: {count}");
        }
        stdio::write(&(text + "\n"))
    }
}

/// Returns method and path of an undeclared operation, with `{id}` in place of IDs.
fn operation_of(finding: &Finding) -> String {
    let operation = finding.operation().unwrap_or_default();
    let is_id = |segment: &str| {
        let hex = segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        segment.len() >= 10 && hex && segment.bytes().any(|byte| byte.is_ascii_digit())
    };
    let segments = operation.split('/').map(|segment| if is_id(segment) { "{id}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}
