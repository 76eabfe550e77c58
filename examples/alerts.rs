//! Works off the alerts of STAR rules: the severe ones that nobody has looked at get a verdict and a status.
//!
//! ```console
//! $ cargo run --example alerts
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so, and of which rule: `cargo run --example alerts -- --act "Shell started by a web server"`.

mod support;

use std::error::Error;

use sentinelone::alerts::{AlertFilter, AlertIncidentStatus, AnalystVerdict, IncidentStatus, Severity};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let rule = place.argument("RULE", "Shell started by a web server")?;
    let client = &place.client;

    let severe = AlertFilter::default()
        .rule_name_contains([rule])
        .severity([Severity::High, Severity::Critical])
        .incident_status([AlertIncidentStatus::Unresolved]);
    let mut ids = Vec::new();
    let mut alerts = client.alerts().list().filter(severe).items();
    while let Some(alert) = alerts.next().await {
        let alert = alert?;
        let info = alert.alert_info.unwrap_or_default();
        let computer = alert.agent_realtime_info.and_then(|agent| agent.name).unwrap_or_default();
        println!("{computer}: {}", alert.rule_info.and_then(|rule| rule.name).unwrap_or_default());
        ids.extend(info.alert_id);
    }
    if ids.is_empty() {
        println!("nothing to do");
        return Ok(());
    }

    // Those that were looked at, and not those that came meanwhile.
    let seen = AlertFilter::default().ids(&ids);
    let verdict = client.alerts().update_analyst_verdict(AnalystVerdict::Suspicious).filter(seen.clone());
    println!("verdict: {} affected", verdict.send().await?.affected().unwrap_or_default());
    let status = client.alerts().update_incident(IncidentStatus::InProgress).filter(seen);
    println!("status: {} affected", status.send().await?.affected().unwrap_or_default());
    Ok(())
}
