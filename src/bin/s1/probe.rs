//! `s1 contract probe`: what a console answers, against the specification.

use std::collections::BTreeSet;
use std::io;

use clap::ArgMatches;
use sentinelone::contract::{Probe, ProbeResult, Probed, Severity};
use sentinelone::printable;
use serde_json::json;

use crate::findings::{Deny, Format, Items, Place, annotation, folded, json_of};
use crate::output;
use crate::record;
use crate::run::{DONE, FAILED, Failure, end_asked_for};
use crate::session::Session;

/// What was asked so far.
struct Told {
    format: Format,
    deny: Deny,
    items: Items,
    answered: usize,
    failed: usize,
    not_called: usize,
    errors: usize,
    drift: usize,
    denied: usize,
    /// What kept something from being written.
    broken: Option<io::Error>,
}

pub(crate) async fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    let format = Format::of(matches)?;
    let given = given(matches)?;
    if matches.get_flag("dry-run") {
        record::nothing_to_record(matches)?;
    }
    let session = Session::open(matches).await?;
    let probe =
        given.into_iter().fold(Probe::new(&session.client), |probe, (name, value)| probe.given(name, value));
    if matches.get_flag("dry-run") {
        let requests = output::requests(&probe.requests(), session.client.api_version())?;
        output::write(&requests)?;
        return session.close(Ok(DONE)).await;
    }
    let mut told = Told {
        format,
        deny: Deny::of(matches),
        items: Items::new(format),
        answered: 0,
        failed: 0,
        not_called: 0,
        errors: 0,
        drift: 0,
        denied: 0,
        broken: None,
    };
    let ended = tokio::select! {
        () = probe.run(|probed| told.tell(&probed)) => Ok(()),
        signal = end_asked_for() => Err(signal),
    };
    let result = match (ended, told.broken.take()) {
        (_, Some(error)) | (Err(Err(error)), None) => Err(error.into()),
        (Err(Ok(())), None) => Err(Failure::Interrupted("nothing was changed".to_owned())),
        (Ok(()), None) => told.end().map_err(Failure::from),
    };
    session.close(result).await
}

/// Names and values that the person knows.
fn given(matches: &ArgMatches) -> Result<Vec<(String, String)>, Failure> {
    let names: BTreeSet<String> = Probe::names().collect();
    let mut given = Vec::new();
    for text in matches.get_many::<String>("id").into_iter().flatten() {
        let Some((name, value)) = text.split_once('=').filter(|(_, value)| !value.trim().is_empty()) else {
            return Err(Failure::Usage(format!("--id {text}: give a name and a value, as queryId=q1")));
        };
        if !names.contains(name) {
            let names: Vec<_> = names.into_iter().filter(|name| !name.contains('.')).collect();
            let message = format!("--id {text}: nothing needs {name}; it may be {}", names.join(", "));
            return Err(Failure::Usage(message));
        }
        given.push((name.to_owned(), value.to_owned()));
    }
    Ok(given)
}

impl Told {
    fn tell(&mut self, probed: &Probed) {
        match &probed.result {
            ProbeResult::Answered(_) => self.answered += 1,
            ProbeResult::Failed(_) => self.failed += 1,
            _ => self.not_called += 1,
        }
        for finding in &probed.findings {
            match finding.severity() {
                Severity::Error => self.errors += 1,
                _ => self.drift += 1,
            }
            self.denied += usize::from(self.deny.denies(finding));
        }
        if let Err(error) = self.write(probed) {
            self.broken.get_or_insert(error);
        }
    }

    fn write(&mut self, probed: &Probed) -> io::Result<()> {
        let id = probed.operation.id;
        let seconds = probed.time.as_secs_f64();
        let place = Place { file: None, entry: None };
        let (status, error, why) = match &probed.result {
            ProbeResult::Answered(status) => (Some(*status), None, None),
            ProbeResult::Failed(error) => (error.status(), Some(error.to_string()), None),
            ProbeResult::NotCalled(why) => (None, None, Some(why.as_str())),
            _ => (None, None, None),
        };
        match self.format {
            Format::Json | Format::Ndjson => self.items.item(&json!({
                "operation": id,
                "status": status.map(|status| status.as_u16()),
                "seconds": if why.is_some() { None } else { Some(seconds) },
                "error": error,
                "notCalled": why,
                "findings": probed
                    .findings
                    .iter()
                    .map(|finding| json_of(finding, &self.deny))
                    .collect::<Vec<_>>(),
            })),
            Format::Github => {
                let mut text = String::new();
                if let Some(error) = error {
                    text += &annotation("warning", None, &format!("{id}: failed"), &error);
                }
                for one in folded(&probed.findings) {
                    text += &one.annotation(&place, &self.deny);
                }
                output::write(&text)
            }
            Format::Text => {
                let took = format!("{seconds:.2} s");
                let mut text = match (status, &error, why) {
                    (_, _, Some(why)) => format!("{id}: not called: {}\n", printable(why)),
                    (_, Some(error), _) => format!("{id}: failed, {took}: {}\n", printable(error)),
                    (Some(status), None, _) => format!("{id}: {}, {took}\n", status.as_u16()),
                    (None, None, None) => format!("{id}: {took}\n"),
                };
                for one in folded(&probed.findings) {
                    text += &format!("  {}", one.line(&place));
                }
                output::write(&text)
            }
        }
    }

    fn end(&self) -> io::Result<u8> {
        match self.format {
            Format::Json | Format::Ndjson => self.items.end()?,
            _ => output::write(&format!(
                "answered: {}, failed: {}, not called: {}, contradictions: {}, new to the specification: {}\n",
                self.answered, self.failed, self.not_called, self.errors, self.drift
            ))?,
        }
        // Where nothing was answered, nothing was checked.
        Ok(if self.denied > 0 || self.answered == 0 { FAILED } else { DONE })
    }
}
