//! Runs a PowerQuery with the integration command, which polls until the result table is complete.
//!
//! ```console
//! $ cargo run --example power_query
//! ```
//!
//! By default, the example runs on the embedded sandbox, which returns the same table for every query. It only reads.
//! To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`, and pass query, start and end time:
//! `cargo run --example power_query -- 'event.type = * | group n = count() by event.type' FROM TO`.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::commands::{Command, GetPowerQueryResults, ProgressEvent, ProgressObserver};

/// Prints the progress.
struct PrintProgress;

impl ProgressObserver for PrintProgress {
    fn on_event(&self, event: ProgressEvent) {
        match event {
            // After an interruption, pass this ID to resume instead of starting a new query.
            ProgressEvent::Started { argument, .. } => println!("started; resume with {argument}"),
            ProgressEvent::Waiting { state, .. } => println!("waiting: {state}"),
            _ => {}
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_reads().await?;
    let query = GetPowerQueryResults::default()
        .query(context.argument("QUERY", "event.type = * | columns event.type")?)
        .from_date(context.argument("FROM", "2026-11-12T00:00:00Z")?)
        .to_date(context.argument("TO", "2026-11-20T00:00:00Z")?)
        .limit(1000)
        .interval(Duration::from_secs(1));

    let outcome = query.run(&context.client, &PrintProgress).await?;
    if let Some(failure) = outcome.failure {
        return Err(failure.into());
    }
    // `outcome.response` is the response of the console; `outcome.context` has the context paths of the integration.
    println!("columns: {}", outcome.response["data"]["columns"]);
    for row in outcome.response["data"]["data"].as_array().into_iter().flatten() {
        println!("row: {row}");
    }
    Ok(())
}
