//! `sentinelone-write-threat-note`: adds a note to threats.

use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::threats::{self as raw, ThreatFilter, ThreatNoteData, ThreatsAddNoteRequest};
use serde_json::json;

use super::support::batch_action::{THREAT_ID, batch_requests, run_threat_action, threat_ids};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;
use crate::outcome::IdState;

/// Adds a note to threats.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteThreatNote {
    /// Threat IDs.
    pub threat_ids: Vec<String>,
    /// Note, 2 to 10,000 characters.
    pub note: String,
}

impl Command for WriteThreatNote {
    const INFO: CommandInfo = CommandInfo {
        name: "write-threat-note",
        full_name: "sentinelone-write-threat-note",
        topic: Topic::Threats,
        summary: "Add a note to threats",
        example: "s1 write-threat-note --threat-ids 460000000000000011 --note 'Checked by the SOC'",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_add_note"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        THREAT_ID,
        ContextPath::argument("SentinelOne.Threat.Note", "String", "The note", "note"),
        ContextPath::computed("SentinelOne.Threat.Status", "String", "Success, Failed or Unknown"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            threat_ids(),
            Argument::new("note", ArgumentKind::String, "Note, 2 to 10,000 characters.").required(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { threat_ids: arguments.required_list("threat_ids")?, note: arguments.required("note")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        batch_requests(self, ("threat_ids", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            let data = ThreatNoteData::new(self.note.clone());
            raw::add_note(&ThreatsAddNoteRequest::new(data, ThreatFilter::default().ids(ids)))
        })
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        run_threat_action(client, actions, |result, entry| {
            set_path(entry, "Note", json!(self.note));
            let status = match result.state {
                IdState::Unknown | IdState::Partial => "Unknown",
                state if state.is_success() => "Success",
                _ => "Failed",
            };
            set_path(entry, "Status", json!(status));
        })
        .await
    }
}
