//! `--record`: what goes over the wire, as files.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;
use sentinelone::ApiToken;
use sentinelone::contract::fixture::{Provenance, ProvenanceKind};
use sentinelone::contract::{Recording, Sanitizer};

use crate::output;
use crate::run::{FAILED, Failure};

fn folder(matches: &ArgMatches) -> Option<&PathBuf> {
    matches.get_one("record")
}

/// Refuses to record what is not sent.
pub(crate) fn nothing_to_record(matches: &ArgMatches) -> Result<(), Failure> {
    match folder(matches) {
        Some(_) => Err(Failure::Usage("--dry-run sends nothing, so there is nothing to --record".into())),
        None => Ok(()),
    }
}

/// The recording that was asked for.
pub(crate) fn recording(matches: &ArgMatches, token: &ApiToken) -> Result<Option<Arc<Recording>>, Failure> {
    let Some(folder) = folder(matches) else { return Ok(None) };
    let provenance = Provenance::new(ProvenanceKind::Recorded, concat!("s1 ", env!("CARGO_PKG_VERSION")));
    let recording = Recording::into_folder(folder, Sanitizer::for_token(token), provenance);
    let recording = recording.map_err(|error| Failure::Usage(format!("nothing can be recorded: {error}")))?;
    Ok(Some(Arc::new(recording)))
}

/// Says what was recorded, whatever came of the command. One that is done is a failure where not all of it was.
pub(crate) fn settle(recording: Option<&Recording>, result: Result<u8, Failure>) -> Result<u8, Failure> {
    let Some(recording) = recording else { return result };
    let errors = recording.errors();
    for error in &errors {
        output::say(format_args!("error: not recorded: {error}"));
    }
    let (written, folder) = (recording.written(), recording.folder().display());
    let exchanges = if written == 1 { "exchange" } else { "exchanges" };
    output::say(format_args!(
        "{written} {exchanges} recorded in {folder}; look through them before you share them"
    ));
    if errors.is_empty() { result } else { result.map(|_| FAILED) }
}
