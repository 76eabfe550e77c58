//! Fetches new threats and alerts as incidents, each once, as a SOAR platform does.
//!
//! ```console
//! $ cargo run --example fetch_incidents
//! ```
//!
//! By default, the example runs on the embedded sandbox. It only reads. To use a console, set `S1_CONSOLE_URL` and
//! `S1_API_TOKEN`, and pass the state directory and the start time:
//! `cargo run --example fetch_incidents -- state "3 days"`.

mod support;

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use sentinelone::incidents::{Checkpoint, FetchType, Fetcher, IncidentConfig};

/// Reads the checkpoint of the last run; returns the default if the file is missing.
fn read_checkpoint(state: &Path) -> Result<Checkpoint, Box<dyn Error>> {
    match fs::read(state) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Checkpoint::default()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the checkpoint to a temporary file and renames it, so that a crash leaves a complete file.
fn write_checkpoint(state: &Path, checkpoint: &Checkpoint) -> Result<(), Box<dyn Error>> {
    let temporary = state.with_extension("new");
    fs::write(&temporary, serde_json::to_vec(checkpoint)?)?;
    Ok(fs::rename(temporary, state)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_reads().await?;
    let state = context.dir("DIR")?.join("incidents.json");

    let mut config = IncidentConfig::default();
    config.fetch_type = FetchType::Both;
    config.first_fetch = context.argument("SINCE", "2020-01-01T00:00:00Z")?;
    config.limit = 4;
    let fetcher = Fetcher::new(context.client.clone(), config)?;

    loop {
        let batch = fetcher.poll(&read_checkpoint(&state)?).await?;
        for failure in batch.failures {
            eprintln!("{} failed: {}", failure.stream.as_str(), failure.error.report());
        }
        println!("{} new", batch.incidents.len());
        for incident in batch.incidents {
            // Create a ticket with this key. After a crash the same batch is returned again, with the same keys.
            println!("  {}  {}", incident.dedupe_key, incident.name);
        }
        // Write the checkpoint after the tickets are stored, so that a crash loses none of them.
        write_checkpoint(&state, &batch.checkpoint)?;
        if !batch.has_more {
            break;
        }
    }
    println!("then {} new", fetcher.poll(&read_checkpoint(&state)?).await?.incidents.len());
    Ok(())
}
