//! `--record`: writes the exchanges of a command as fixtures.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;
use sentinelone::ApiToken;
use sentinelone_contract::fixture::{Provenance, ProvenanceKind};
use sentinelone_contract::{FixtureRecorder, Sanitizer};

use crate::failure::{CliError, FAILED};
use crate::stdio;

fn dir(matches: &ArgMatches) -> Option<&PathBuf> {
    matches.get_one("record")
}

/// Returns a usage error for `--record` with `--dry-run`.
pub(crate) fn reject_record(matches: &ArgMatches) -> Result<(), CliError> {
    match dir(matches) {
        Some(_) => {
            Err(CliError::Usage("--record cannot be used with --dry-run, which sends no request".into()))
        }
        None => Ok(()),
    }
}

/// Creates the recorder of `--record`.
pub(crate) fn recorder(
    matches: &ArgMatches,
    token: &ApiToken,
) -> Result<Option<Arc<FixtureRecorder>>, CliError> {
    let Some(dir) = dir(matches) else { return Ok(None) };
    let provenance = Provenance::new(ProvenanceKind::Recorded, concat!("s1 ", env!("CARGO_PKG_VERSION")));
    let recorder = FixtureRecorder::create(dir, Sanitizer::for_token(token), provenance);
    let recorder = recorder.map_err(|error| CliError::Usage(format!("cannot record: {error}")))?;
    Ok(Some(Arc::new(recorder)))
}

/// Prints the number of recordings. If an exchange could not be recorded, a successful command fails.
pub(crate) fn finish(
    recorder: Option<&FixtureRecorder>,
    result: Result<u8, CliError>,
) -> Result<u8, CliError> {
    let Some(recorder) = recorder else { return result };
    let errors = recorder.errors();
    for error in &errors {
        stdio::report(format_args!("error: not recorded: {error}"));
    }
    let (written, dir) = (recorder.written_count(), recorder.dir().display());
    let exchanges = if written == 1 { "exchange" } else { "exchanges" };
    stdio::report(format_args!(
        "{written} {exchanges} recorded in {dir}; check the files before you share them"
    ));
    if errors.is_empty() { result } else { result.map(|_| FAILED) }
}
