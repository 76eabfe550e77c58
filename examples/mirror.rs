//! Threats mirrored in a store of tickets, both ways, on the embedded sandbox:
//!
//! ```console
//! $ cargo run --example mirror
//! ```
//!
//! What is here of the tickets is what your ticket system has; what is here of the console is all there is to
//! do.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, SystemTime};

use sentinelone::incidents::{
    Checkpoint, Delta, Entry, Fetcher, Incident, Mirroring, Settings, ThreatMirror, labels,
};
use sentinelone::sandbox::Sandbox;
use sentinelone::threats::{AnalystVerdict, IncidentStatus, ThreatFilter};
use sentinelone::{ApiToken, Client, Timestamp};

/// A ticket about a threat.
#[derive(Debug)]
pub(crate) struct Ticket {
    title: String,
    threat: String,
    pub(crate) open: bool,
    /// What happened to it.
    pub(crate) log: Vec<String>,
}

/// The tickets, each under the key that tells incidents apart.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) tickets: BTreeMap<String, Ticket>,
}

impl Store {
    /// A ticket for an incident, unless there is one: a batch that is repeated after a crash does no harm.
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
    fn happens(&mut self, what: impl Into<String>) {
        let what = what.into();
        println!("ticket {} ({}): {what}", self.threat, self.title);
        self.log.push(what);
    }
}

/// Out: what somebody decided about a ticket goes to the console.
async fn send(mirror: &ThreatMirror, ticket: &mut Ticket, delta: &Delta) -> Result<(), Box<dyn Error>> {
    let updated = mirror.update(&ticket.threat, delta).await?;
    for one in &updated.steps {
        ticket.happens(format!("{} on the console: {}", one.step.as_str(), one.state));
    }
    // What was done before a failure is in the log of the ticket; the failure is for whoever sent it.
    match updated.failure {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

/// In: what changed on the console since then comes to the tickets. Gives when to ask from next time.
async fn receive(
    mirror: &ThreatMirror,
    store: &mut Store,
    since: &Timestamp,
) -> Result<Timestamp, Box<dyn Error>> {
    let next = a_little_ago();
    for id in mirror.modified(since).await? {
        // The console tells of every threat; those without a ticket are nobody's business here.
        let Some(ticket) = store.of_threat(&id) else { continue };
        let Some(remote) = mirror.remote(&id, since).await? else { continue };
        let verdict = remote.verdict();
        for entry in remote.entries {
            match entry {
                Entry::Close if ticket.open => {
                    ticket.open = false;
                    let label = verdict.as_ref().and_then(labels::label_of_verdict).unwrap_or("no verdict");
                    ticket.happens(format!("closed by the console: {label}"));
                }
                Entry::Reopen if !ticket.open => {
                    ticket.open = true;
                    ticket.happens("reopened by the console");
                }
                // It is so already: also what was sent from here comes back.
                _ => {}
            }
        }
    }
    Ok(next)
}

/// Some minutes before now, for clocks that differ. What is asked for twice does no harm.
fn a_little_ago() -> Timestamp {
    Timestamp::from(SystemTime::now() - Duration::from_secs(300))
}

/// Somebody at the console changes the status of a threat.
async fn decide(client: &Client, threat: &str, status: IncidentStatus) -> sentinelone::Result<()> {
    println!("console: {threat} becomes {}", labels::label_of_status(&status).unwrap_or("something new"));
    let filter = ThreatFilter::default().ids([threat]);
    client.threats().update_incident().filter(filter).status(status).send().await?;
    Ok(())
}

/// What comes of it all: the tickets, and the notes that the console has about the one that somebody worked on.
pub(crate) async fn run() -> Result<(Store, Vec<String>), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    let client = Client::builder(sandbox.url()).token(ApiToken::new(Sandbox::TOKEN)?).build()?;

    let mut settings = Settings::default();
    settings.first_fetch = "2020-01-01T00:00:00Z".to_owned();
    settings.limit = 3;
    settings.mirroring = Mirroring::Both;
    settings.instance = "example".to_owned();
    settings.close_mirrored = true;
    let mirror = ThreatMirror::new(client.clone(), &settings)?;
    let fetcher = Fetcher::new(client.clone(), settings)?;
    let mut since = a_little_ago();

    // A ticket for each new threat. The checkpoint is to be stored once the tickets are.
    let (mut store, mut checkpoint) = (Store::default(), Checkpoint::default());
    loop {
        let batch = fetcher.poll(&checkpoint).await?;
        batch.incidents.into_iter().for_each(|incident| store.create(incident));
        checkpoint = batch.checkpoint;
        println!("{} tickets so far", store.tickets.len());
        if !batch.more {
            break;
        }
    }

    // Somebody works on one of them.
    let worked = "460000000000000011";
    if let Some(ticket) = store.of_threat(worked) {
        ticket.open = false;
        ticket.happens("closed here: True positive");
        let delta = Delta::default()
            .verdict(AnalystVerdict::TruePositive)
            .status(IncidentStatus::Resolved)
            .close_notes("the host was built anew");
        send(&mirror, ticket, &delta).await?;
    }

    // Somebody at the console resolves another, and thinks again.
    let other = "460000000000000012";
    for status in [IncidentStatus::Resolved, IncidentStatus::InProgress] {
        decide(&client, other, status).await?;
        since = receive(&mirror, &mut store, &since).await?;
    }

    let mut notes = Vec::new();
    let mut items = client.threats().notes(worked).items();
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
    println!("in the end {open} of {} tickets are open", store.tickets.len());
    for note in notes {
        println!("note on the console: {note}");
    }
    Ok(())
}
