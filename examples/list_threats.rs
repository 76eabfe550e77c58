//! Lists the threats that nobody has dealt with, newest first:
//!
//! ```console
//! $ cargo run --example list_threats
//! ```
//!
//! That is on the embedded sandbox. It changes nothing; on a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! it wants to know how many: `cargo run --example list_threats -- 50`.

mod support;

use std::error::Error;

use sentinelone::threats::{IncidentStatus, SortOrder, ThreatFilter, ThreatSortField};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_read().await?;
    let most = place.argument("HOW-MANY", "4")?.parse()?;

    let open = ThreatFilter::default().incident_statuses([IncidentStatus::Unresolved]);
    let list = place.client.threats().list().filter(open);
    println!("{} threats are unresolved", list.count().await?);

    // Page by page, as they are wanted: what is beyond the limit is never asked for.
    let newest = list.sort_by(ThreatSortField::CreatedAt, SortOrder::Desc);
    let mut threats = newest.items().limit(most);
    while let Some(threat) = threats.next().await {
        let threat = threat?;
        // Every field of an answer may be absent: consoles differ, and nothing breaks where they do.
        let info = threat.threat_info.unwrap_or_default();
        let computer = threat.agent_realtime_info.and_then(|agent| agent.agent_computer_name);
        println!(
            "{}  {}  {}  {}",
            threat.id.unwrap_or_default(),
            info.created_at.map(|time| time.to_string()).unwrap_or_default(),
            computer.unwrap_or_default(),
            info.threat_name.unwrap_or_default(),
        );
    }
    Ok(())
}
