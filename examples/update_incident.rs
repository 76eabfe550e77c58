//! Resolves the open threats of some computers, as Swimlane's action "Update Threat Incident" does:
//!
//! ```console
//! $ cargo run --example update_incident
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so: `cargo run --example update_incident -- --act web-01,web-02`.

mod support;

use std::error::Error;

use sentinelone::threats::{AnalystVerdict, IncidentStatus, ThreatFilter};

/// More threats than this at once are rather a mistake in the filter.
const MOST: u64 = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let computers = place.argument("COMPUTERS", "web-01,web-02")?;

    // What is to be changed, and to what. Nothing is sent yet, and a filter that selects nothing never would
    // be.
    let open = ThreatFilter::default()
        .computer_name_contains(computers.split(','))
        .incident_statuses([IncidentStatus::Unresolved]);
    let update = place
        .client
        .threats()
        .update_incident()
        .filter(open)
        .status(IncidentStatus::Resolved)
        .verdict(AnalystVerdict::TruePositive);

    // The list counts what the action would reach.
    let count = update.count().await?;
    println!("{count} open threats on {computers}");
    if count > MOST {
        return Err(format!("{count} threats are more than {MOST}; narrow the filter").into());
    }

    let answer = update.send().await?;
    // Of each threat what the console says of it, and no more: a count alone is no truth about any of them.
    for outcome in answer.outcomes::<String>([]) {
        println!("{}: {} ({})", outcome.id, outcome.state, outcome.detail.unwrap_or_default());
    }
    println!("{} resolved", answer.affected().unwrap_or_default());
    Ok(())
}
