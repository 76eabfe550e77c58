//! `sentinelone-get-threat-notes`: lists the notes of a threat.

use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::threats::{self as raw, ThreatsListNotesQuery};

use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::{Keep, list};
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::incidents::mirror::threat_request;
use crate::paging::with_page_size;

/// Lists all notes of a threat.
#[derive(Clone, Debug, PartialEq)]
pub struct GetThreatNotes {
    /// Threat ID.
    pub threat_id: String,
}

const PREFIX: &str = "SentinelOne.Notes";

impl Command for GetThreatNotes {
    const INFO: CommandInfo = CommandInfo {
        name: "get-threat-notes",
        full_name: "sentinelone-get-threat-notes",
        topic: Topic::Threats,
        summary: "List the notes of a threat",
        example: "s1 get-threat-notes --threat-id 460000000000000006",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_list_notes", "threats_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.Notes.CreatedAt", "String", "Creation time", "createdAt"),
        ContextPath::field("SentinelOne.Notes.Creator", "String", "Name of the author", "creator"),
        ContextPath::field("SentinelOne.Notes.CreatorID", "String", "ID of the author", "creatorId"),
        ContextPath::field("SentinelOne.Notes.Edited", "Boolean", "Whether the note was edited", "edited"),
        ContextPath::field("SentinelOne.Notes.ID", "String", "ID of the note", "id"),
        ContextPath::field("SentinelOne.Notes.Text", "String", "Text of the note", "text"),
        ContextPath::field("SentinelOne.Notes.UpdatedAt", "String", "Time of the last change", "updatedAt"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("threat_id", ArgumentKind::String, "ID of the threat.").required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { threat_id: arguments.required("threat_id")?.trim().to_owned() })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let request = raw::list_notes(&self.threat_id, &ThreatsListNotesQuery::default())?;
        Ok(vec![with_page_size(request.with_response_type(), None)?])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let outputs = (PREFIX, Self::OUTPUTS);
        let notes = AtomicUsize::new(0);
        let count: Keep<'_> = Some(&|_| {
            notes.fetch_add(1, Ordering::Relaxed);
            true
        });
        let mut outcome = list((client, observer), requests, None, count, outputs).await?;
        if notes.into_inner() == 0 && outcome.is_complete() {
            // The list is also empty if the threat does not exist.
            let requested =
                RequestedIds::default().with("threat_id", slice::from_ref(&self.threat_id), &["id"]);
            let threat = threat_request(client.api_version(), &self.threat_id)?.with_response_type();
            match list((client, &requested), vec![threat], None, None, outputs).await {
                Ok(threats) => outcome.not_found = threats.not_found,
                Err(error) => outcome.failure = Some(error),
            }
        }
        Ok(outcome)
    }
}
