//! `sentinelone-write-threat-note`: a note on threats.

use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::threats::{self as raw, ThreatFilter, ThreatNoteAddition, ThreatNoteData};
use serde_json::{Value, json};

use super::act::{THREAT_ID, act_on_threats, requests, threat_ids};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::outcome::IdState;

/// Adds a note to threats.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteThreatNote {
    /// The threats.
    pub threat_ids: Vec<String>,
    /// The note, 2 to 10,000 characters.
    pub note: String,
}

impl Command for WriteThreatNote {
    const INFO: Info = Info {
        name: "write-threat-note",
        full_name: "sentinelone-write-threat-note",
        summary: "Add a note to threats",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["threats_add_note"],
    };

    const OUTPUTS: &'static [Output] = &[
        THREAT_ID,
        Output::argument("SentinelOne.Threat.Note", "String", "The note", "note"),
        Output::computed(
            "SentinelOne.Threat.Status",
            "String",
            "Success or Failed; Unknown when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            threat_ids(),
            Argument::new("note", ArgumentKind::Text, "The note, 2 to 10,000 characters.").required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { threat_ids: arguments.required_list("threat_ids")?, note: arguments.required("note")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        requests(self, ("threat_ids", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            let data = ThreatNoteData::new(self.note.clone());
            raw::add_note(&ThreatNoteAddition::new(data, ThreatFilter::default().ids(ids)))
        })
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        act_on_threats(self, client, |one, entry| {
            put(entry, "Note", json!(self.note));
            let status = match one.state {
                IdState::Unknown | IdState::Partly => "Unknown",
                state if state.is_fulfilled() => "Success",
                _ => "Failed",
            };
            put(entry, "Status", json!(status));
        })
        .await
    }
}
