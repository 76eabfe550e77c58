//! `s1 contract probe`: validates the responses of a console against the specification.

use std::collections::BTreeSet;
use std::io;

use clap::ArgMatches;
use sentinelone::replace_control_chars;
use sentinelone_contract::{Probe, ProbeOutcome, ProbeReport, Severity};
use serde_json::json;

use crate::failure::{CliError, DONE, FAILED};
use crate::findings::{Deny, FindingSource, Format, JsonWriter, annotation, grouped, json_of};
use crate::output;
use crate::record;
use crate::session::Session;
use crate::signals::shutdown_signal;
use crate::stdio;

/// Prints the result of each operation and counts the results.
struct ProbeReporter {
    format: Format,
    deny: Deny,
    items: JsonWriter,
    succeeded: usize,
    failed: usize,
    skipped: usize,
    errors: usize,
    drift: usize,
    denied: usize,
    /// First error while writing.
    write_error: Option<io::Error>,
}

pub(crate) async fn run(matches: &ArgMatches) -> Result<u8, CliError> {
    let format = Format::of(matches)?;
    let params = params(matches)?;
    if matches.get_flag("dry-run") {
        record::reject_record(matches)?;
    }
    let session = Session::open(matches).await?;
    let probe =
        params.into_iter().fold(Probe::new(&session.client), |probe, (name, value)| probe.param(name, value));
    if matches.get_flag("dry-run") {
        let requests = output::requests(&probe.requests(), session.client.api_version())?;
        stdio::write(&requests)?;
        return session.close(Ok(DONE)).await;
    }
    let mut reporter = ProbeReporter {
        format,
        deny: Deny::of(matches),
        items: JsonWriter::new(format),
        succeeded: 0,
        failed: 0,
        skipped: 0,
        errors: 0,
        drift: 0,
        denied: 0,
        write_error: None,
    };
    let run = tokio::select! {
        () = probe.run(|report| reporter.report(&report)) => Ok(()),
        signal = shutdown_signal() => Err(signal),
    };
    let result = match (run, reporter.write_error.take()) {
        (_, Some(error)) | (Err(Err(error)), None) => Err(error.into()),
        (Err(Ok(())), None) => Err(CliError::Interrupted("the console was not changed".to_owned())),
        (Ok(()), None) => reporter.end().map_err(CliError::from),
    };
    session.close(result).await
}

/// Parses the values of `--param`.
fn params(matches: &ArgMatches) -> Result<Vec<(String, String)>, CliError> {
    let names: BTreeSet<String> = Probe::param_names().collect();
    let mut params = Vec::new();
    for text in matches.get_many::<String>("param").into_iter().flatten() {
        let Some((name, value)) = text.split_once('=').filter(|(_, value)| !value.trim().is_empty()) else {
            return Err(CliError::Usage(format!("--param {text}: expected NAME=VALUE, such as queryId=q1")));
        };
        if !names.contains(name) {
            let names: Vec<_> = names.into_iter().filter(|name| !name.contains('.')).collect();
            let message = format!(
                "--param {text}: no operation has the parameter {name}; expected {}",
                names.join(", ")
            );
            return Err(CliError::Usage(message));
        }
        params.push((name.to_owned(), value.to_owned()));
    }
    Ok(params)
}

impl ProbeReporter {
    fn report(&mut self, report: &ProbeReport) {
        match &report.outcome {
            ProbeOutcome::Responded(_) => self.succeeded += 1,
            ProbeOutcome::Failed(_) => self.failed += 1,
            _ => self.skipped += 1,
        }
        for finding in &report.findings {
            match finding.severity() {
                Severity::Error => self.errors += 1,
                _ => self.drift += 1,
            }
            self.denied += usize::from(self.deny.denies(finding));
        }
        if let Err(error) = self.write(report) {
            self.write_error.get_or_insert(error);
        }
    }

    fn write(&mut self, report: &ProbeReport) -> io::Result<()> {
        let id = report.operation.id;
        let seconds = report.duration.as_secs_f64();
        let source = FindingSource { file: None, entry: None };
        let (status, error, reason) = match &report.outcome {
            ProbeOutcome::Responded(status) => (Some(*status), None, None),
            ProbeOutcome::Failed(error) => (error.status(), Some(error.report().to_string()), None),
            ProbeOutcome::Skipped(reason) => (None, None, Some(reason.as_str())),
            _ => (None, None, None),
        };
        match self.format {
            Format::Json | Format::Ndjson => self.items.item(&json!({
                "operation": id,
                "status": status.map(|status| status.as_u16()),
                "seconds": if reason.is_some() { None } else { Some(seconds) },
                "error": error,
                "skipped": reason,
                "findings": report
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
                for one in grouped(&report.findings) {
                    text += &one.annotation(&source, &self.deny);
                }
                stdio::write(&text)
            }
            Format::Text => {
                let duration = format!("{seconds:.2} s");
                let mut text = match (status, &error, reason) {
                    (_, _, Some(reason)) => format!("{id}: skipped: {}\n", replace_control_chars(reason)),
                    (_, Some(error), _) => {
                        format!("{id}: failed, {duration}: {}\n", replace_control_chars(error))
                    }
                    (Some(status), None, _) => format!("{id}: {}, {duration}\n", status.as_u16()),
                    (None, None, None) => format!("{id}: {duration}\n"),
                };
                for one in grouped(&report.findings) {
                    text += &format!("  {}", one.line(&source));
                }
                stdio::write(&text)
            }
        }
    }

    fn end(&self) -> io::Result<u8> {
        match self.format {
            Format::Json | Format::Ndjson => self.items.end()?,
            _ => stdio::write(&format!(
                "succeeded: {}, failed: {}, skipped: {}, errors: {}, drift: {}\n",
                self.succeeded, self.failed, self.skipped, self.errors, self.drift
            ))?,
        }
        // Without a successful operation no response was validated.
        Ok(if self.denied > 0 || self.succeeded == 0 { FAILED } else { DONE })
    }
}
