//! Fetches new threats and alerts as incidents, each exactly once, as a SOAR platform's fetching does:
//!
//! ```console
//! $ cargo run --example fetch_incidents
//! ```
//!
//! That is on the embedded sandbox. It changes nothing on a console, which it asks by `S1_CONSOLE_URL` and
//! `S1_API_TOKEN`; there it wants to know in which folder it left off, and how far back to begin:
//! `cargo run --example fetch_incidents -- state "3 days"`.

mod support;

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use sentinelone::incidents::{Checkpoint, FetchType, Fetcher, Settings};

/// Where the last run left off; the beginning where there was none.
fn left_off(state: &Path) -> Result<Checkpoint, Box<dyn Error>> {
    match fs::read(state) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Checkpoint::default()),
        Err(error) => Err(error.into()),
    }
}

/// Written beside its name and renamed, so that a crash leaves the old one or the new one.
fn remember(state: &Path, checkpoint: &Checkpoint) -> Result<(), Box<dyn Error>> {
    let beside = state.with_extension("new");
    fs::write(&beside, serde_json::to_vec(checkpoint)?)?;
    Ok(fs::rename(beside, state)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_read().await?;
    let state = place.folder("FOLDER")?.join("incidents.json");

    let mut settings = Settings::default();
    settings.fetch_type = FetchType::Both;
    settings.first_fetch = place.argument("SINCE", "2020-01-01T00:00:00Z")?;
    settings.limit = 4;
    let fetcher = Fetcher::new(place.client.clone(), settings)?;

    loop {
        let batch = fetcher.poll(&left_off(&state)?).await?;
        for failure in batch.failures {
            eprintln!("{} could not be read: {}", failure.stream.as_str(), failure.error);
        }
        println!("{} new", batch.incidents.len());
        for incident in batch.incidents {
            // Open a ticket under this key. After a crash the same batch comes again, with the same keys.
            println!("  {}  {}", incident.dedupe_key, incident.name);
        }
        // Only now: before the tickets are there, a crash would lose them.
        remember(&state, &batch.checkpoint)?;
        if !batch.more {
            break;
        }
    }
    println!("then {} new", fetcher.poll(&left_off(&state)?).await?.incidents.len());
    Ok(())
}
