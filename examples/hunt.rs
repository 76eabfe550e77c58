//! Asks the telemetry of the agents, by a Deep Visibility query: start it, wait for it, read what it found.
//!
//! ```console
//! $ cargo run --example hunt
//! ```
//!
//! That is on the embedded sandbox, which finds the same whatever is asked. It changes nothing; on a console,
//! by `S1_CONSOLE_URL` and `S1_API_TOKEN`:
//! `cargo run --example hunt -- 'DNS ContainsCIS "bad"' 2026-11-12T00:00:00Z 2026-11-20T00:00:00Z`.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::deep_visibility::{DeepVisibilityQuery, QueryState};

/// Between two looks, and how many looks there are at the most.
const PAUSE: Duration = Duration::from_secs(1);
const LOOKS: u32 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_read().await?;
    let what = place.argument("QUERY", r#"ProcessName = "sh""#)?;
    let from = place.argument("FROM", "2026-11-12T00:00:00Z")?;
    let to = place.argument("TO", "2026-11-20T00:00:00Z")?;
    let telemetry = || place.client.deep_visibility();

    let started = telemetry().create_query(DeepVisibilityQuery::new(from, what, to)).send().await?;
    let id =
        started.into_value().data.and_then(|query| query.query_id).ok_or("the query has no identifier")?;

    for look in 1.. {
        let status = telemetry().query_status(&id).await?.into_value().data.unwrap_or_default();
        let state = status.response_state.ok_or("the query has no state")?;
        println!("look {look}: {state}");
        match state {
            QueryState::Finished | QueryState::EmptyResults => break,
            QueryState::Running
            | QueryState::Planning
            | QueryState::QueryRunning
            | QueryState::ProcessRunning
            | QueryState::EventsRunning => {}
            ended => return Err(format!("{ended}: {}", status.response_error.unwrap_or_default()).into()),
        }
        if look == LOOKS {
            // A query that nobody waits for any more is ended, since a console runs few of them at once.
            telemetry().cancel_query(&id).send().await?;
            return Err("the query takes too long and was cancelled".into());
        }
        tokio::time::sleep(PAUSE).await;
    }

    let mut events = telemetry().events(id).items().limit(100);
    while let Some(event) = events.next().await {
        let event = event?;
        let subject = event.dns_request.or(event.dst_ip).or(event.file_full_name).or(event.process_cmd);
        println!(
            "{}  {}  {}  {}",
            event.created_at.map(|time| time.to_string()).unwrap_or_default(),
            event.agent_name.unwrap_or_default(),
            event.event_type.unwrap_or_default(),
            subject.unwrap_or_default(),
        );
    }
    Ok(())
}
