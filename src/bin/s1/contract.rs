//! `s1 contract`: exchanges in files against the specification.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use sentinelone::contract::fixture::{Exchange, FixtureError, read_all};
use sentinelone::contract::{Contract, Finding};
use sentinelone::printable;
use serde_json::{Value, json};

use crate::output;
use crate::run::{DONE, FAILED, Failure, USAGE, text};

/// What was looked at, and what was found there.
#[derive(Default)]
struct Report {
    exchanges: usize,
    found: Vec<Found>,
}

struct Found {
    file: String,
    finding: Finding,
}

pub(crate) fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("verify", matches)) => verify(matches, text(matches, "output")),
        _ => Ok(USAGE),
    }
}

fn verify(matches: &ArgMatches, format: &str) -> Result<u8, Failure> {
    if format == "context" {
        return Err(Failure::Usage("findings have no context paths; give --output table or json".into()));
    }
    let paths = matches.get_many::<PathBuf>("path").into_iter().flatten();
    let mut report = Report::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        for (file, exchange) in exchanges(path).map_err(|error| Failure::Usage(error.to_string()))? {
            // A file may be named beside the folder that it lies in.
            if seen.insert(file.clone()) {
                report.check(&file, &exchange);
            }
        }
    }
    if report.exchanges == 0 {
        return Err(Failure::Usage("there is no file of an exchange; their names end in .json".into()));
    }
    output::write(&match format {
        "json" => output::pretty(&report.found.iter().map(Found::to_json).collect()),
        "ndjson" => report.found.iter().map(|found| format!("{}\n", found.to_json())).collect(),
        _ => report.to_string(),
    })?;
    Ok(if report.found.iter().all(|found| found.finding.is_drift()) { DONE } else { FAILED })
}

/// The exchanges of a file, or of all files in a folder.
fn exchanges(path: &Path) -> Result<Vec<(PathBuf, Exchange)>, FixtureError> {
    if path.is_dir() {
        return read_all(path);
    }
    Ok(vec![(path.to_owned(), Exchange::read(path)?)])
}

impl Report {
    fn check(&mut self, file: &Path, exchange: &Exchange) {
        self.exchanges += 1;
        let file = file.display().to_string();
        let findings = Contract::bundled().check_exchange(exchange);
        self.found.extend(findings.into_iter().map(|finding| Found { file: file.clone(), finding }));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Found { file, finding } in &self.found {
            let Finding { place, kind, message, .. } = finding;
            writeln!(f, "{}", printable(&format!("{file}: {place}: {kind}: {message}")))?;
        }
        let drift = self.found.iter().filter(|found| found.finding.is_drift()).count();
        let broken = self.found.len() - drift;
        writeln!(
            f,
            "exchanges: {}, contradictions: {broken}, new to the specification: {drift}",
            self.exchanges
        )
    }
}

impl Found {
    fn to_json(&self) -> Value {
        let Finding { place, kind, message, .. } = &self.finding;
        json!({
            "file": self.file,
            "place": place,
            "rule": kind,
            "message": message,
            "drift": self.finding.is_drift(),
        })
    }
}
