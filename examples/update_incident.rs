//! Resolves the unresolved threats of endpoints, as the Swimlane action "Update Threat Incident" does.
//!
//! ```console
//! $ cargo run --example update_incident
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example update_incident -- --act web-01,web-02`.

mod support;

use std::error::Error;

use sentinelone::threats::{AnalystVerdict, IncidentStatus, ThreatFilter};

/// Maximum number of threats. A higher count indicates a wrong filter.
const MAX_THREATS: u64 = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let endpoints = context.argument("ENDPOINTS", "web-01,web-02")?;

    // This builds the request without sending it. A request with a filter that is not selective fails.
    let open = ThreatFilter::default()
        .computer_name_contains(endpoints.split(','))
        .incident_statuses([IncidentStatus::Unresolved]);
    let update = context
        .client
        .threats()
        .update_incident()
        .filter(open)
        .status(IncidentStatus::Resolved)
        .verdict(AnalystVerdict::TruePositive);

    // The count uses the list operation with the same filter.
    let count = update.count().await?;
    println!("{count} unresolved threats on {endpoints}");
    if count > MAX_THREATS {
        return Err(format!("{count} threats exceed the maximum of {MAX_THREATS}; narrow the filter").into());
    }

    let response = update.send().await?;
    // The outcomes have the state that the console reports per threat. A count alone gives no state per threat.
    for outcome in response.outcomes::<String>([]) {
        println!("{}: {} ({})", outcome.id, outcome.state, outcome.detail.unwrap_or_default());
    }
    println!("{} resolved", response.affected().unwrap_or_default());
    Ok(())
}
