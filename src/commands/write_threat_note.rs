//! `sentinelone-write-threat-note`: a note on threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::threats::{self as raw, ThreatFilter, ThreatNoteAddition, ThreatNoteData};
use serde_json::{Value, json};

use super::act::{act, batches, contexts};
use super::context::{Output, put};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::outcome::IdState;

/// Adds a note to threats.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteThreatNote {
    /// The threats.
    pub threat_ids: Vec<String>,
    /// The note, 2 to 10,000 characters.
    pub note: String,
}

const PREFIX: &str = "SentinelOne.Threat";

impl Command for WriteThreatNote {
    const INFO: Info = Info {
        name: "write-threat-note",
        full_name: "sentinelone-write-threat-note",
        summary: "Add a note to threats",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Threat.ID", "String", "Identifier of the threat", "threat_ids"),
        Output::argument("SentinelOne.Threat.Note", "String", "The note", "note"),
        Output::computed(
            "SentinelOne.Threat.Status",
            "String",
            "Success or Failed; Unknown when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("threat_ids", ArgumentKind::List, "Identifiers of the threats.").required(),
            Argument::new("note", ArgumentKind::Text, "The note, 2 to 10,000 characters.").required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { threat_ids: arguments.required_list("threat_ids")?, note: arguments.required("note")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        batches(&self.threat_ids, ThreatFilter::FIELDS)
            .into_iter()
            .map(|ids| {
                let data = ThreatNoteData::new(self.note.clone());
                let filter = ThreatFilter::default().ids(ids);
                Ok(raw::add_note(&ThreatNoteAddition::new(data, filter))?.answering())
            })
            .collect()
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut outcome, _) = act(client, self.requests(client.api_version())?).await?;
        outcome.context = contexts(PREFIX, &outcome.ids, |one, entry| {
            put(entry, "Note", json!(self.note));
            let status = match one.state {
                IdState::Unknown => "Unknown",
                state if state.is_fulfilled() => "Success",
                _ => "Failed",
            };
            put(entry, "Status", json!(status));
        });
        Ok(outcome)
    }
}
