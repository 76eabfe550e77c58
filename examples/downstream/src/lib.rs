//! What somebody writes on top of `sentinelone`: a report on threats that nobody has dealt with yet.

use std::collections::BTreeMap;

use sentinelone::threats::{IncidentStatus, ThreatFilter};
use sentinelone::{Client, Error};

/// How many unresolved threats each endpoint has.
///
/// # Errors
/// When the console cannot be asked.
pub async fn unresolved_by_endpoint(client: &Client) -> Result<BTreeMap<String, usize>, Error> {
    let unresolved = ThreatFilter::default().incident_statuses([IncidentStatus::Unresolved]);
    let mut threats = client.threats().list().filter(unresolved).items();
    let mut endpoints = BTreeMap::new();
    while let Some(threat) = threats.next().await {
        let endpoint = threat?.agent_realtime_info.and_then(|agent| agent.agent_computer_name);
        *endpoints.entry(endpoint.unwrap_or_else(|| "unknown".to_owned())).or_default() += 1;
    }
    Ok(endpoints)
}
