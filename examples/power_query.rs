//! Asks for a table: a power query, waited for by the command of the integration.
//!
//! ```console
//! $ cargo run --example power_query
//! ```
//!
//! That is on the embedded sandbox, which answers the same whatever is asked. It changes nothing; on a console,
//! by `S1_CONSOLE_URL` and `S1_API_TOKEN`:
//! `cargo run --example power_query -- 'event.type = * | group n = count() by event.type' FROM TO`.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::Timestamp;
use sentinelone::commands::{Command, Event, GetPowerQueryResults, Watch};

/// Tells what happens meanwhile.
struct Telling;

impl Watch for Telling {
    fn on(&self, event: Event) {
        match event {
            // Whoever is interrupted goes on with this, instead of asking everything again.
            Event::Started { argument, .. } => println!("started, and known by its {argument}"),
            Event::Waiting { state, .. } => println!("not yet: {state}"),
            _ => {}
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_read().await?;
    let query = GetPowerQueryResults {
        account_ids: Vec::new(),
        site_ids: Vec::new(),
        query: place.argument("QUERY", "event.type = * | columns event.type")?,
        from_date: Timestamp::from(place.argument("FROM", "2026-11-12T00:00:00Z")?),
        to_date: Timestamp::from(place.argument("TO", "2026-11-20T00:00:00Z")?),
        limit: Some(1000),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(300),
        query_id: None,
    };

    let outcome = query.run_watched(&place.client, &Telling).await?;
    if let Some(failure) = outcome.failure {
        return Err(failure.into());
    }
    // What the console sent; `outcome.context` has it under the paths of the integration.
    println!("columns: {}", outcome.answer["data"]["columns"]);
    for row in outcome.answer["data"]["data"].as_array().into_iter().flatten() {
        println!("row: {row}");
    }
    Ok(())
}
