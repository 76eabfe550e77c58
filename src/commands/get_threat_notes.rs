//! `sentinelone-get-threat-notes`: the notes of a threat.

use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use sentinelone_raw::threats::{self as raw, ThreatsListNotesQuery};
use serde_json::Value;

use super::context::Output;
use super::read::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::paging::sized;

/// All notes of a threat.
#[derive(Clone, Debug, PartialEq)]
pub struct GetThreatNotes {
    /// The threat.
    pub threat_id: String,
}

const PREFIX: &str = "SentinelOne.Notes";

impl Command for GetThreatNotes {
    const INFO: Info = Info {
        name: "get-threat-notes",
        full_name: "sentinelone-get-threat-notes",
        summary: "List the notes of a threat",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["threats_list_notes"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Notes.CreatedAt", "String", "When it was written", "createdAt"),
        Output::field("SentinelOne.Notes.Creator", "String", "Name of the writer", "creator"),
        Output::field("SentinelOne.Notes.CreatorID", "String", "Identifier of the writer", "creatorId"),
        Output::field("SentinelOne.Notes.Edited", "Boolean", "Whether it was changed since", "edited"),
        Output::field("SentinelOne.Notes.ID", "String", "Identifier of the note", "id"),
        Output::field("SentinelOne.Notes.Text", "String", "The note", "text"),
        Output::field("SentinelOne.Notes.UpdatedAt", "String", "When it was last changed", "updatedAt"),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("threat_id", ArgumentKind::Text, "Identifier of the threat.").required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { threat_id: arguments.required("threat_id")?.trim().to_owned() })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        list((client, watch), self.request()?, None, |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetThreatNotes {
    fn request(&self) -> Result<Request<Page<Value>>> {
        let request = raw::list_notes(&self.threat_id, &ThreatsListNotesQuery::default())?;
        Ok(sized(request.answering(), None)?)
    }
}
