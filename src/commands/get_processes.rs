//! `sentinelone-get-processes`: lists the process events of a Deep Visibility query.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityListEventsOfTypeQuery};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::Value;

use super::support::context_path::ContextPath;
use super::support::deep_visibility::{EVENT, IMAGE_PATH, STORYLINE_ID, event};
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::paging::with_page_size;

const DEFAULT_LIMIT: u64 = 50;

/// Lists the process events of a finished Deep Visibility query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetProcesses {
    /// Query ID.
    pub query_id: String,
    /// Maximum number of items. Default: 50.
    pub limit: Option<u64>,
}

impl Command for GetProcesses {
    const INFO: CommandInfo = CommandInfo {
        name: "get-processes",
        full_name: "sentinelone-get-processes",
        topic: Topic::Hunting,
        summary: "List the process events of a Deep Visibility query",
        example: "s1 get-processes --query-id q900000000000000002",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["deep_visibility_list_events_of_type"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field(
            "SentinelOne.Event.ParentProcessID",
            "Number",
            "Process ID of the parent",
            "parentPid",
        ),
        ContextPath::fields(
            "SentinelOne.Event.ProcessUID",
            "String",
            "Unique key of the process; on API 2.1 from processUniqueKey if srcProcUid is missing",
            "processUniqueKey",
            "srcProcUid",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Event.SHA1",
            "String",
            "SHA-1 of the process file",
            "processImageSha1Hash",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Event.SubsystemType", "String", "Subsystem", "processSubSystem")
            .no_column(),
        ContextPath::field(
            "SentinelOne.Event.ParentProcessStartTime",
            "Date",
            "Start time of the parent",
            "parentProcessStartTime",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Event.ProcessID", "Number", "Process ID", "pid"),
        ContextPath::field(
            "SentinelOne.Event.ParentProcessUID",
            "String",
            "Unique key of the parent",
            "parentProcessUniqueKey",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Event.User", "String", "User of the process", "user"),
        ContextPath::field("SentinelOne.Event.Time", "Date", "Start time of the process", "processStartTime"),
        ContextPath::field(
            "SentinelOne.Event.ParentProcessName",
            "String",
            "Name of the parent",
            "parentProcessName",
        ),
        ContextPath::field("SentinelOne.Event.SiteName", "String", "Name of the site", "siteName")
            .no_column(),
        ContextPath::field("SentinelOne.Event.EventType", "String", "Type of the event", "eventType")
            .no_column(),
        ContextPath::field("SentinelOne.Event.Endpoint", "String", "Name of the endpoint", "agentName"),
        ContextPath::field(
            "SentinelOne.Event.IntegrityLevel",
            "String",
            "Integrity level of the process",
            "processIntegrityLevel",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Event.CMD", "String", "Command line of the process", "processCmd"),
        ContextPath::field("SentinelOne.Event.ProcessName", "String", "Name of the process", "processName"),
        ContextPath::field(
            "SentinelOne.Event.ProcessDisplayName",
            "String",
            "Display name of the process",
            "processDisplayName",
        )
        .no_column(),
        IMAGE_PATH,
        STORYLINE_ID,
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("query_id", ArgumentKind::String, "ID of the query, from create-query.").required(),
            Argument::new("limit", ArgumentKind::Integer, "Maximum number of processes.")
                .default("50")
                .accepts_all(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { query_id: arguments.required("query_id")?.trim().to_owned(), limit: arguments.limit()? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let query = DeepVisibilityListEventsOfTypeQuery::new(self.query_id.as_str());
        let request = raw::list_events_of_type("process", &query)?.with_response_type();
        Ok(vec![with_page_size(request, Some(self.effective_limit()))?])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let version = client.api_version();
        let event = |item: &Value| event(Self::OUTPUTS, EVENT, version, item);
        let (limit, entries) = (Some(self.effective_limit()), ContextEntries::built(EVENT, &event));
        list((client, observer), requests, limit, None, entries).await
    }
}

impl GetProcesses {
    fn effective_limit(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }
}
