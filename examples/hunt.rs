//! Runs a Deep Visibility query: starts it, polls its status and lists the events.
//!
//! ```console
//! $ cargo run --example hunt
//! ```
//!
//! By default, the example runs on the embedded sandbox, which returns the same events for every query. It only reads.
//! To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`, and pass query, start and end time:
//! `cargo run --example hunt -- 'DNS ContainsCIS "bad"' 2026-11-12T00:00:00Z 2026-11-20T00:00:00Z`.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::deep_visibility::{DeepVisibilityQuery, QueryState};

/// Interval between two polls.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of polls.
const MAX_POLLS: u32 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_reads().await?;
    let query = context.argument("QUERY", r#"ProcessName = "sh""#)?;
    let from = context.argument("FROM", "2026-11-12T00:00:00Z")?;
    let to = context.argument("TO", "2026-11-20T00:00:00Z")?;
    let telemetry = || context.client.deep_visibility();

    let started = telemetry().create_query(DeepVisibilityQuery::new(from, query, to)).send().await?;
    let id = started.into_value().data.and_then(|query| query.query_id).ok_or("the query has no ID")?;

    for poll in 1.. {
        let status = telemetry().query_status(&id).await?.into_value().data.unwrap_or_default();
        let state = status.response_state.ok_or("the query has no state")?;
        println!("poll {poll}: {state}");
        match state {
            QueryState::Finished | QueryState::EmptyResults => break,
            QueryState::Running
            | QueryState::Planning
            | QueryState::QueryRunning
            | QueryState::ProcessRunning
            | QueryState::EventsRunning => {}
            other => return Err(format!("{other}: {}", status.response_error.unwrap_or_default()).into()),
        }
        if poll == MAX_POLLS {
            // Cancel the query, because a console runs only a few queries at a time.
            let _ = telemetry().cancel_query(&id).send().await?;
            return Err("query timed out and was canceled".into());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
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
