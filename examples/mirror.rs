//! Mirrors threats and tickets in both directions, on the embedded sandbox.
//!
//! ```console
//! $ cargo run --example mirror
//! ```
//!
//! `Store` and `Ticket` represent your ticket system. The code for the console is complete.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, SystemTime};

use sentinelone::incidents::{
    Checkpoint, Delta, Fetcher, Incident, IncidentAction, IncidentConfig, MirrorDirection, ThreatMirror,
    labels,
};
use sentinelone::threats::{AnalystVerdict, IncidentStatus, ThreatFilter};
use sentinelone::{ApiToken, Client, Timestamp};
use sentinelone_sandbox::Sandbox;

/// A ticket for a threat.
#[derive(Debug)]
pub(crate) struct Ticket {
    title: String,
    threat: String,
    pub(crate) open: bool,
    /// Events of the ticket.
    pub(crate) log: Vec<String>,
}

/// Tickets by the deduplication key of their incident.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) tickets: BTreeMap<String, Ticket>,
}

impl Store {
    /// Creates a ticket for an incident if it does not exist, so that a batch can be repeated after a crash.
    fn create(&mut self, incident: Incident) {
        let Some(mirror) = incident.mirror else { return };
        self.tickets.entry(incident.dedupe_key).or_insert_with(|| Ticket {
            title: incident.name,
            threat: mirror.id,
            open: true,
            log: Vec::new(),
        });
    }

    fn of_threat(&mut self, id: &str) -> Option<&mut Ticket> {
        self.tickets.values_mut().find(|ticket| ticket.threat == id)
    }
}

impl Ticket {
    fn add_event(&mut self, event: impl Into<String>) {
        let event = event.into();
        println!("ticket {} ({}): {event}", self.threat, self.title);
        self.log.push(event);
    }
}

/// Sends the changes of a ticket to the console.
async fn push_ticket(
    mirror: &ThreatMirror,
    ticket: &mut Ticket,
    delta: &Delta,
) -> Result<(), Box<dyn Error>> {
    let updated = mirror.push_changes(&ticket.threat, delta).await?;
    for one in &updated.steps {
        ticket.add_event(format!("{} on the console: {}", one.step.as_str(), one.state));
    }
    // The ticket log has the steps before a failure; the caller gets the error.
    match updated.failure {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

/// Applies the changes of the console since `since` to the tickets. Returns the start time of the next call.
async fn pull_threats(
    mirror: &ThreatMirror,
    store: &mut Store,
    since: &Timestamp,
) -> Result<Timestamp, Box<dyn Error>> {
    let next = five_minutes_ago();
    for id in mirror.modified_ids(since).await? {
        // The console returns all changed threats; threats without a ticket are skipped.
        let Some(ticket) = store.of_threat(&id) else { continue };
        let Some(remote) = mirror.fetch_threat(&id, since).await? else { continue };
        let verdict = remote.verdict();
        for entry in remote.actions {
            match entry {
                IncidentAction::Close if ticket.open => {
                    ticket.open = false;
                    let label = verdict.as_ref().and_then(labels::label_of_verdict).unwrap_or("no verdict");
                    ticket.add_event(format!("closed by the console: {label}"));
                }
                IncidentAction::Reopen if !ticket.open => {
                    ticket.open = true;
                    ticket.add_event("reopened by the console");
                }
                // The ticket has this state already. Changes sent by `push_ticket` are also returned.
                _ => {}
            }
        }
    }
    Ok(next)
}

/// Returns the time five minutes ago, to allow for clock differences. Repeated changes have no effect.
fn five_minutes_ago() -> Timestamp {
    Timestamp::from(SystemTime::now() - Duration::from_secs(300))
}

/// Changes the status of a threat, as a console user does.
async fn set_status_on_console(
    client: &Client,
    threat: &str,
    status: IncidentStatus,
) -> sentinelone::Result<()> {
    println!("console: {threat} becomes {}", labels::label_of_status(&status).unwrap_or("an unknown status"));
    let filter = ThreatFilter::default().ids([threat]);
    let updated = client.threats().update_incident().filter(filter).status(status).send().await?;
    println!("console: {} threats updated", updated.affected().unwrap_or_default());
    Ok(())
}

/// Runs the example. Returns the tickets, and the console notes of the threat whose ticket was closed.
pub(crate) async fn run() -> Result<(Store, Vec<String>), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    let client = Client::builder(sandbox.url()).token(ApiToken::new(Sandbox::TOKEN)?).build()?;

    let mut config = IncidentConfig::default();
    config.first_fetch = "2020-01-01T00:00:00Z".to_owned();
    config.limit = 3;
    config.mirror_direction = MirrorDirection::Both;
    config.mirror_instance = "example".to_owned();
    config.close_resolved = true;
    let mirror = ThreatMirror::new(client.clone(), &config)?;
    let fetcher = Fetcher::new(client.clone(), config)?;
    let mut since = five_minutes_ago();

    // Create a ticket for each new threat. Store the checkpoint after the tickets.
    let (mut store, mut checkpoint) = (Store::default(), Checkpoint::default());
    loop {
        let batch = fetcher.poll(&checkpoint).await?;
        batch.incidents.into_iter().for_each(|incident| store.create(incident));
        checkpoint = batch.checkpoint;
        println!("{} tickets so far", store.tickets.len());
        if !batch.has_more {
            break;
        }
    }

    // An analyst closes one of the tickets.
    let closed = "460000000000000011";
    if let Some(ticket) = store.of_threat(closed) {
        ticket.open = false;
        ticket.add_event("closed locally: True positive");
        let delta = Delta::default()
            .verdict(AnalystVerdict::TruePositive)
            .status(IncidentStatus::Resolved)
            .close_notes("the host was reinstalled");
        push_ticket(&mirror, ticket, &delta).await?;
    }

    // A console user resolves another threat and reopens it.
    let other = "460000000000000012";
    for status in [IncidentStatus::Resolved, IncidentStatus::InProgress] {
        set_status_on_console(&client, other, status).await?;
        since = pull_threats(&mirror, &mut store, &since).await?;
    }

    let mut notes = Vec::new();
    let mut items = client.threats().notes(closed).items();
    while let Some(note) = items.next().await {
        notes.extend(note?.text);
    }
    sandbox.stop().await;
    Ok((store, notes))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (store, notes) = run().await?;
    let open = store.tickets.values().filter(|ticket| ticket.open).count();
    println!("{open} of {} tickets are open", store.tickets.len());
    for note in notes {
        println!("note on the console: {note}");
    }
    Ok(())
}
