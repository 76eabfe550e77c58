//! Lists the unresolved threats, newest first.
//!
//! ```console
//! $ cargo run --example list_threats
//! ```
//!
//! By default, the example runs on the embedded sandbox. It only reads. To use a console, set `S1_CONSOLE_URL` and
//! `S1_API_TOKEN`, and pass the number of threats: `cargo run --example list_threats -- 50`.

mod support;

use std::error::Error;

use sentinelone::threats::{IncidentStatus, SortOrder, ThreatFilter, ThreatSortField};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_reads().await?;
    let limit = context.argument("LIMIT", "4")?.parse()?;

    let open = ThreatFilter::default().incident_statuses([IncidentStatus::Unresolved]);
    let list = context.client.threats().list().filter(open);
    println!("{} threats are unresolved", list.count().await?);

    // Pages are requested on demand; no page after the limit is requested.
    let newest = list.sort_by(ThreatSortField::CreatedAt, SortOrder::Desc);
    let mut threats = newest.items().limit(limit);
    while let Some(threat) = threats.next().await {
        let threat = threat?;
        // All response fields are optional, because consoles differ.
        let info = threat.threat_info.unwrap_or_default();
        let endpoint = threat.agent_realtime_info.and_then(|agent| agent.agent_computer_name);
        println!(
            "{}  {}  {}  {}",
            threat.id.unwrap_or_default(),
            info.created_at.map(|time| time.to_string()).unwrap_or_default(),
            endpoint.unwrap_or_default(),
            info.threat_name.unwrap_or_default(),
        );
    }
    Ok(())
}
