//! Example crate that uses `sentinelone`: a report of unresolved threats.

use std::collections::BTreeMap;

use sentinelone::threats::{IncidentStatus, ThreatFilter};
use sentinelone::{Client, Error};

/// Returns the number of unresolved threats per endpoint.
///
/// # Errors
/// Returns an error if a request fails.
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
