//! `s1 contract verify`: exchanges in files against the specification.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::ArgMatches;
use sentinelone::contract::fixture::{self, Exchange};
use sentinelone::contract::har::{self, FileKind};
use sentinelone::contract::{Finding, FindingKind, Severity, check};
use sentinelone::printable;
use serde_json::Value;

use crate::findings::{Deny, Format, Items, Place, annotation, folded, json_of};
use crate::output;
use crate::probe;
use crate::progress::Bytes;
use crate::run::{DONE, FAILED, Failure, USAGE};

/// Operations that the specification does not have are named up to this number.
const NAMED: usize = 10;

pub(crate) async fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("verify", matches)) => verify(matches),
        Some(("probe", matches)) => probe::run(matches).await,
        _ => Ok(USAGE),
    }
}

/// What was looked at so far.
struct Verify {
    format: Format,
    deny: Deny,
    bar: Rc<Bytes>,
    items: Items,
    exchanges: usize,
    errors: usize,
    drift: usize,
    denied: usize,
    /// Operations that the specification does not have, with the number of exchanges.
    unknown: BTreeMap<String, usize>,
    /// JSON that is something else.
    foreign: usize,
    unreadable: usize,
    skipped: usize,
}

fn verify(matches: &ArgMatches) -> Result<u8, Failure> {
    let format = Format::of(matches)?;
    let paths = matches.get_many::<PathBuf>("path").into_iter().flatten();
    let files = files(paths)?;
    let bar = Bytes::new(files.iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum());
    let mut verify = Verify {
        format,
        deny: Deny::of(matches),
        bar: Rc::new(bar),
        items: Items::new(format),
        exchanges: 0,
        errors: 0,
        drift: 0,
        denied: 0,
        unknown: BTreeMap::new(),
        foreign: 0,
        unreadable: 0,
        skipped: 0,
    };
    for file in &files {
        verify.file(file)?;
    }
    verify.bar.clear();
    if verify.exchanges == 0 && verify.denied == 0 {
        let skipped = if verify.skipped > 0 { ", and no HAR holds one with the management API" } else { "" };
        let message = format!("there is no file of an exchange; their names end in .json or .har{skipped}");
        return Err(Failure::Usage(message));
    }
    verify.end()?;
    Ok(match (verify.denied, verify.unreadable) {
        (0, 0) => DONE,
        (0, _) => USAGE,
        _ => FAILED,
    })
}

/// The files that are named, and those in the folders that are, each once.
fn files<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<Vec<PathBuf>, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let data = path.metadata().map_err(|error| usage(&format_args!("{}: {error}", path.display())))?;
        if !data.is_dir() && !data.is_file() {
            return Err(usage(&format_args!("{}: it is no file that can be read twice", path.display())));
        }
        let below = match data.is_dir() {
            true => fixture::files(path, &["json", "har"]).map_err(|error| usage(&error))?,
            false => vec![path.clone()],
        };
        // A file may be named beside the folder that it lies in.
        let is_new = |file: &PathBuf| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone()));
        files.extend(below.into_iter().filter(is_new));
    }
    Ok(files)
}

const NO_EXCHANGE: &str = "left out: it is no exchange and no HAR";

/// What is wrong with a file, without what it quotes of it.
fn without_quotes(error: &str) -> String {
    match (error.find('"'), error.rfind('"')) {
        (Some(from), Some(to)) if from < to => format!("{}…{}", &error[..from], &error[to + 1..]),
        _ => error.to_owned(),
    }
}

/// A file that tells how far it was read.
struct Told<'a>(File, &'a Bytes);

impl Read for Told<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(into)?;
        self.1.add(read as u64);
        Ok(read)
    }
}

impl Verify {
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let named = path.display().to_string();
        let is_har = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("har"));
        let kind = match is_har {
            true => Ok(FileKind::Har),
            false => File::open(path).map_err(har::HarError::Io).and_then(har::kind_of),
        };
        match kind {
            Ok(FileKind::Har) => self.har(path, &named, is_har),
            Ok(FileKind::Exchange) => {
                let exchange = Exchange::read(path);
                self.bar.add(path.metadata().map_or(0, |data| data.len()));
                match exchange {
                    Ok(exchange) => {
                        self.exchanges += 1;
                        let place = Place { file: Some(&named), entry: None };
                        self.tell(&place, &check(&exchange)).map_err(Failure::from)
                    }
                    Err(error) => {
                        let error = error.to_string();
                        let error = error.strip_prefix(&format!("{named}: ")).unwrap_or(&error);
                        self.unread(&named, &without_quotes(error))
                    }
                }
            }
            Ok(_) => {
                self.foreign += 1;
                self.aside(&named, "notice", "no exchange", NO_EXCHANGE)
            }
            Err(har::HarError::Io(error)) => self.unread(&named, &error.to_string()),
            Err(_) => self.unread(&named, "it is no JSON"),
        }
    }

    /// `is_named_so` says whether it is called a HAR, or only looked like one.
    fn har(&mut self, path: &Path, named: &str, is_named_so: bool) -> Result<(), Failure> {
        let before = self.exchanges;
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => return self.unread(named, &error.to_string()),
        };
        let bar = Rc::clone(&self.bar);
        let told = RefCell::new(Ok(()));
        let summary = har::read(Told(file, &bar), |entry| {
            self.exchanges += 1;
            let place = Place { file: Some(named), entry: Some(entry.number) };
            match self.tell(&place, &entry.check()) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    *told.borrow_mut() = Err(error);
                    ControlFlow::Break(())
                }
            }
        });
        told.into_inner()?;
        let summary = match summary {
            Ok(summary) => summary,
            // Another JSON with a `log` in it.
            Err(har::HarError::Format { .. }) if !is_named_so && self.exchanges == before => {
                self.foreign += 1;
                return self.aside(named, "notice", "no exchange", NO_EXCHANGE);
            }
            Err(error) => {
                // What is known of the part that was read counts.
                if let har::HarError::Format { until, .. } = &error {
                    self.skipped += until.skipped + until.unanswered;
                    self.tell(&Place { file: Some(named), entry: None }, &until.findings)?;
                }
                return self.unread(named, &error.to_string());
            }
        };
        self.skipped += summary.skipped + summary.unanswered;
        self.tell(&Place { file: Some(named), entry: None }, &summary.findings)?;
        match summary.unreadable {
            0 => Ok(()),
            count => self.unread(named, &format!("{count} of its entries are none of HAR 1.2")),
        }
    }

    fn tell(&mut self, place: &Place<'_>, findings: &[Finding]) -> io::Result<()> {
        if place.entry.is_some() || self.exchanges > 0 {
            self.items.begin()?;
        }
        for finding in findings {
            match finding.severity() {
                Severity::Error => self.errors += 1,
                Severity::Drift => self.drift += 1,
                _ => *self.unknown.entry(asked(finding)).or_default() += 1,
            }
            self.denied += usize::from(self.deny.denies(finding));
        }
        if findings.is_empty() {
            return Ok(());
        }
        let bar = Rc::clone(&self.bar);
        bar.suspend(|| match self.format {
            Format::Json | Format::Ndjson => findings.iter().try_for_each(|finding| {
                let mut item = serde_json::Map::from_iter([("file".to_owned(), Value::from(place.file))]);
                item.extend(place.entry.map(|entry| ("entry".to_owned(), Value::from(entry))));
                if let Value::Object(fields) = json_of(finding, &self.deny) {
                    item.extend(fields);
                }
                self.items.item(&Value::Object(item))
            }),
            Format::Github => {
                let lines = folded(findings);
                let shown = lines.iter().filter(|one| self.is_shown(one.finding));
                output::write(&shown.map(|one| one.annotation(place, &self.deny)).collect::<String>())
            }
            Format::Text => {
                let lines = folded(findings);
                let shown = lines.iter().filter(|one| self.is_shown(one.finding));
                output::write(&shown.map(|one| one.line(place)).collect::<String>())
            }
        })
    }

    /// Operations that the specification does not have are told together at the end.
    fn is_shown(&self, finding: &Finding) -> bool {
        finding.kind != FindingKind::UndeclaredOperation || self.deny.denies(finding)
    }

    /// A file that should have been read, and was not.
    fn unread(&mut self, file: &str, why: &str) -> Result<(), Failure> {
        self.unreadable += 1;
        self.aside(file, "error", "not read", why)
    }

    /// What is no finding.
    fn aside(&self, file: &str, level: &str, title: &str, message: &str) -> Result<(), Failure> {
        self.bar.suspend(|| match self.format {
            Format::Github => output::write(&annotation(level, Some(file), title, message)),
            _ => {
                output::say(format_args!("{file}: {title}: {message}"));
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
        let unknown: usize = self.unknown.values().sum();
        if unknown > 0 && self.format == Format::Github {
            // Also these come from files that somebody else may have written.
            let told = self.unknown.iter().take(NAMED);
            text.extend(told.map(|(operation, count)| {
                let message = format!("{operation}: {count} exchanges, not checked");
                annotation("notice", None, "not in the specification", &message)
            }));
        } else if unknown > 0 {
            let operations = self.unknown.len();
            text += &format!("not in the specification, and not checked ({unknown} exchanges):\n");
            for (operation, count) in self.unknown.iter().take(NAMED) {
                text += &format!("  {}", printable(operation));
                text += &if *count > 1 { format!(" ({count})\n") } else { "\n".to_owned() };
            }
            if operations > NAMED {
                text += &format!("  and {} more operations; --format json has all\n", operations - NAMED);
            }
        }
        text += &format!(
            "exchanges: {}, contradictions: {}, new to the specification: {}, of unknown operations: {unknown}",
            self.exchanges, self.errors, self.drift
        );
        let further = [
            ("other entries of HAR files", self.skipped),
            ("other files", self.foreign),
            ("files not read", self.unreadable),
        ];
        for (what, count) in further.iter().filter(|(_, count)| *count > 0) {
            text += &format!(", {what}: {count}");
        }
        output::write(&(text + "\n"))
    }
}

/// Method and path, with what looks like an identifier left out, so that the same operation is the same.
fn asked(finding: &Finding) -> String {
    let operation = finding.operation().unwrap_or_default();
    let is_id = |segment: &str| {
        let hex = segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        segment.len() >= 10 && hex && segment.bytes().any(|byte| byte.is_ascii_digit())
    };
    let segments = operation.split('/').map(|segment| if is_id(segment) { "{id}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}
