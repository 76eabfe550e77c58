//! Triages a threat: mitigates it, sets the analyst verdict, adds a note and sets the incident status.
//!
//! ```console
//! $ cargo run --example triage
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example triage -- --act THREAT-ID "Reason of the verdict"`. It kills and
//! quarantines the threat.

mod support;

use std::error::Error;

use sentinelone::threats::{AnalystVerdict, IncidentStatus, MitigationAction, ThreatFilter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let id = context.argument("THREAT-ID", "460000000000000012")?;
    let note = context.argument("NOTE", "Not the original tool: the signature is missing.")?;
    let threats = || context.client.threats();
    let one = ThreatFilter::default().ids([&id]);

    for action in [MitigationAction::Kill, MitigationAction::Quarantine] {
        let name = action.to_string();
        let response = threats().mitigate(action).filter(one.clone()).send().await?;
        println!("{name}: {} affected", response.affected().unwrap_or_default());
    }

    let verdict =
        threats().update_analyst_verdict(AnalystVerdict::TruePositive).filter(one.clone()).send().await?;
    println!("verdict: {} affected", verdict.affected().unwrap_or_default());
    let noted = threats().add_note(note).filter(one.clone()).send().await?;
    println!("note: {} affected", noted.affected().unwrap_or_default());
    let update = threats().update_incident().filter(one.clone()).status(IncidentStatus::Resolved);
    for outcome in update.send().await?.outcomes([&id]) {
        println!("{}: {}", outcome.id, outcome.state);
    }

    // Print the state that the console reports.
    for threat in threats().list().filter(one).items().collect().await? {
        let info = threat.threat_info.unwrap_or_default();
        let display = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
        println!(
            "{}: {}, {}, {}",
            info.threat_name.unwrap_or_default(),
            display(info.mitigation_status.map(|status| status.to_string())),
            display(info.analyst_verdict.map(|verdict| verdict.to_string())),
            display(info.incident_status.map(|status| status.to_string())),
        );
    }
    let mut notes = threats().notes(id).items();
    while let Some(note) = notes.next().await {
        println!("note: {}", note?.text.unwrap_or_default());
    }
    Ok(())
}
