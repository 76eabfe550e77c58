//! What an analyst does with a threat: mitigate it, give it a verdict, write down why, and set its status.
//!
//! ```console
//! $ cargo run --example triage
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so, and kills and quarantines: `cargo run --example triage -- --act THREAT-ID "what was found out"`.

mod support;

use std::error::Error;

use sentinelone::threats::{AnalystVerdict, IncidentStatus, MitigationAction, ThreatFilter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let id = place.argument("THREAT-ID", "460000000000000012")?;
    let why = place.argument("NOTE", "Not the tool of the vendor: the signature is missing.")?;
    let threats = || place.client.threats();
    let one = ThreatFilter::default().ids([&id]);

    for action in [MitigationAction::Kill, MitigationAction::Quarantine] {
        let name = action.to_string();
        let answer = threats().mitigate(action).filter(one.clone()).send().await?;
        println!("{name}: {} affected", answer.affected().unwrap_or_default());
    }

    threats().update_analyst_verdict(AnalystVerdict::TruePositive).filter(one.clone()).send().await?;
    threats().add_note(why).filter(one.clone()).send().await?;
    let update = threats().update_incident().filter(one.clone()).status(IncidentStatus::Resolved);
    for outcome in update.send().await?.outcomes([&id]) {
        println!("{}: {}", outcome.id, outcome.state);
    }

    // Not what was asked for, but what is there now.
    for threat in threats().list().filter(one).items().collect().await? {
        let info = threat.threat_info.unwrap_or_default();
        let word = |word: Option<String>| word.unwrap_or_else(|| "unknown".to_owned());
        println!(
            "{}: {}, {}, {}",
            info.threat_name.unwrap_or_default(),
            word(info.mitigation_status.map(|status| status.to_string())),
            word(info.analyst_verdict.map(|verdict| verdict.to_string())),
            word(info.incident_status.map(|status| status.to_string())),
        );
    }
    let mut notes = threats().notes(id).items();
    while let Some(note) = notes.next().await {
        println!("note: {}", note?.text.unwrap_or_default());
    }
    Ok(())
}
