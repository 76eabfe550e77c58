//! Sets analyst verdict and incident status of the unresolved, severe alerts of a STAR rule.
//!
//! ```console
//! $ cargo run --example alerts
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act` and the rule name: `cargo run --example alerts -- --act "Shell started by a web server"`.

mod support;

use std::error::Error;

use sentinelone::alerts::{AlertFilter, AlertIncidentStatus, AnalystVerdict, IncidentStatus, Severity};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let rule = context.argument("RULE", "Shell started by a web server")?;
    let client = &context.client;

    let severe = AlertFilter::default()
        .rule_name_contains([rule])
        .severity([Severity::High, Severity::Critical])
        .incident_status([AlertIncidentStatus::Unresolved]);
    let mut ids = Vec::new();
    let mut alerts = client.alerts().list().filter(severe).items();
    while let Some(alert) = alerts.next().await {
        let alert = alert?;
        let info = alert.alert_info.unwrap_or_default();
        let endpoint = alert.agent_realtime_info.and_then(|agent| agent.name).unwrap_or_default();
        println!("{endpoint}: {}", alert.rule_info.and_then(|rule| rule.name).unwrap_or_default());
        ids.extend(info.alert_id);
    }
    if ids.is_empty() {
        println!("no matching alerts");
        return Ok(());
    }

    // The filter names the listed alerts, so newer alerts are not changed.
    let listed = AlertFilter::default().ids(&ids);
    let verdict = client.alerts().update_analyst_verdict(AnalystVerdict::Suspicious).filter(listed.clone());
    println!("verdict: {} affected", verdict.send().await?.affected().unwrap_or_default());
    let status = client.alerts().update_incident().filter(listed).status(IncidentStatus::InProgress);
    println!("status: {} affected", status.send().await?.affected().unwrap_or_default());
    Ok(())
}
