//! `sentinelone-get-events`: lists the events of a Deep Visibility query.

use std::sync::{Mutex, PoisonError};

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityListEventsQuery};
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
use crate::event_fields::EventFields;
use crate::json_path::set_path;
use crate::paging::with_page_size;

const DEFAULT_LIMIT: u64 = 50;

/// Lists the events of a finished Deep Visibility query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetEvents {
    /// Query ID.
    pub query_id: String,
    /// Maximum number of items. Default: 50.
    pub limit: Option<u64>,
    /// Cursor: `SentinelOne.Cursor.Event` of an earlier run.
    pub cursor: Option<String>,
    /// Additional event fields for the context, with the names of the API.
    pub columns: Vec<String>,
}

const CURSOR: &str = "SentinelOne.Cursor.Event";
const GENERIC: &str = "Event";

impl Command for GetEvents {
    const INFO: CommandInfo = CommandInfo {
        name: "get-events",
        full_name: "sentinelone-get-events",
        topic: Topic::Hunting,
        summary: "List the events of a Deep Visibility query",
        example: "s1 get-events --query-id q900000000000000002 --limit 100",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["deep_visibility_list_events"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::fields(
            "SentinelOne.Event.ProcessUID",
            "String",
            "Unique key of the process; on API 2.1 from processUniqueKey if srcProcUid is missing",
            "processUniqueKey",
            "srcProcUid",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Event.SHA256", "String", "SHA-256 of the file", "sha256").no_column(),
        ContextPath::field(
            "SentinelOne.Event.AgentOS",
            "String",
            "Operating system of the endpoint",
            "agentOs",
        )
        .no_column(),
        ContextPath::field("SentinelOne.Event.ProcessID", "Number", "Process ID", "pid"),
        ContextPath::field("SentinelOne.Event.User", "String", "User of the process", "user"),
        ContextPath::field("SentinelOne.Event.Time", "Date", "Start time of the process", "processStartTime"),
        ContextPath::field("SentinelOne.Event.Endpoint", "String", "Name of the endpoint", "agentName"),
        ContextPath::field("SentinelOne.Event.SiteName", "String", "Name of the site", "siteName")
            .no_column(),
        ContextPath::field(
            "SentinelOne.Event.EventType",
            "String",
            "Type of the event, such as file or dns",
            "eventType",
        ),
        ContextPath::field("SentinelOne.Event.ProcessName", "String", "Name of the process", "processName"),
        ContextPath::field("SentinelOne.Event.MD5", "String", "MD5 of the file", "md5").no_column(),
        ContextPath::field(
            "SentinelOne.Event.SourceIP",
            "String",
            "Source IP address of a connection",
            "srcIp",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Event.SourcePort",
            "String",
            "Source port of a connection",
            "srcPort",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Event.DestinationIP",
            "String",
            "Destination IP address of a connection",
            "dstIp",
        ),
        ContextPath::field(
            "SentinelOne.Event.DestinationPort",
            "String",
            "Destination port of a connection",
            "dstPort",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Event.SourceProcessUser",
            "String",
            "User of the source process; from processUserName if srcProcUser is missing",
            "srcProcUser",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.Event.SourceProcessName",
            "String",
            "Name of the source process, on newer agents",
            "srcProcName",
        )
        .undocumented(),
        ContextPath::field(
            "SentinelOne.Event.SourceProcessCommandLine",
            "String",
            "Command line of the source process; from processCmd if srcProcCmdLine is missing",
            "srcProcCmdLine",
        ),
        ContextPath::field(
            "SentinelOne.Event.SourceProcessID",
            "Number",
            "Process ID of the source process, on newer agents",
            "srcProcPid",
        )
        .no_column()
        .undocumented(),
        ContextPath::field(
            "SentinelOne.Event.TargetProcessName",
            "String",
            "Name of the target process, on newer agents",
            "tgtProcName",
        )
        .undocumented(),
        ContextPath::field(
            "SentinelOne.Event.TargetProcessCommandLine",
            "String",
            "Command line of the target process, on newer agents",
            "tgtProcCmdLine",
        )
        .undocumented(),
        ContextPath::field(
            "SentinelOne.Event.TargetProcessID",
            "Number",
            "Process ID of the target process, on newer agents",
            "tgtProcPid",
        )
        .no_column()
        .undocumented(),
        ContextPath::field(
            "SentinelOne.Event.TargetProcessUser",
            "String",
            "User of the target process, on newer agents",
            "tgtProcUser",
        )
        .no_column()
        .undocumented(),
        ContextPath::field("SentinelOne.Event.DNSRequest", "String", "Domain of a DNS request", "dnsRequest")
            .no_column(),
        ContextPath::field("SentinelOne.Event.FileFullName", "String", "Path of the file", "fileFullName"),
        ContextPath::field(
            "SentinelOne.Event.EventTime",
            "String",
            "Time of the event; from createdAt if eventTime is missing",
            "eventTime",
        )
        .no_column(),
        ContextPath::field("Event.ID", "String", "Process ID", "pid").no_column(),
        ContextPath::field("Event.Name", "String", "Name of the process", "processName").no_column(),
        ContextPath::field("Event.Type", "String", "Type of the event", "eventType").no_column(),
        ContextPath::computed(CURSOR, "String", "Cursor of the next events; missing after the last page")
            .no_column(),
        ContextPath::field("SentinelOne.Event.FilePath", "String", "Path of the file", "fileFullName")
            .no_column()
            .undocumented(),
        ContextPath::field("SentinelOne.Event.IPAddress", "String", "IP address of the endpoint", "agentIp")
            .no_column()
            .undocumented(),
        ContextPath::field("SentinelOne.Event.EventID", "String", "ID of the event", "id")
            .no_column()
            .undocumented(),
        IMAGE_PATH,
        STORYLINE_ID,
        ContextPath::field(
            "SentinelOne.Event.RegistryPath",
            "String",
            "Path of the registry key",
            "registryPath",
        )
        .no_column()
        .undocumented(),
        ContextPath::computed("SentinelOne.Event.<column>", "Unknown", "Each field of the argument columns")
            .no_column()
            .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, String};
        vec![
            Argument::new("limit", Integer, "Maximum number of events.").default("50").accepts_all(),
            Argument::new("query_id", String, "ID of the query, from create-query.").required(),
            Argument::new(
                "cursor",
                String,
                "Cursor of the next page: SentinelOne.Cursor.Event of an earlier run with the same limit.",
            ),
            Argument::new(
                "columns",
                List,
                "Additional event fields for the context, with the names of the API.",
            ),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            query_id: arguments.required("query_id")?.trim().to_owned(),
            limit: arguments.limit()?,
            cursor: arguments.string("cursor")?.map(|cursor| cursor.trim().to_owned()),
            columns: arguments.list("columns")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let query = DeepVisibilityListEventsQuery {
            cursor: self.cursor.clone(),
            ..DeepVisibilityListEventsQuery::new(self.query_id.as_str())
        };
        let request = raw::list_events(&query)?.with_response_type();
        Ok(vec![with_page_size(request, Some(self.effective_limit()))?])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let version = client.api_version();
        let (own, generic): (Vec<ContextPath>, Vec<ContextPath>) =
            Self::OUTPUTS.iter().partition(|output| !output.path.starts_with("Event."));
        // The context has a second list, with an entry for each entry of the first.
        let generic_events = Mutex::new(Vec::new());
        let event = |item: &Value| {
            let generic_event = event(&generic, GENERIC, version, item);
            generic_events.lock().unwrap_or_else(PoisonError::into_inner).push(generic_event);
            let mut event = event(&own, EVENT, version, item);
            for column in &self.columns {
                let value = EventFields::new(item).get(column);
                if let (Some(value), Some(fields)) = (value, event.as_object_mut()) {
                    fields.insert(column.clone(), value.clone());
                }
            }
            event
        };
        let (limit, entries) = (Some(self.effective_limit()), ContextEntries::built(EVENT, &event));
        let mut outcome = list((client, observer), requests, limit, None, entries).await?;
        let generic_events = generic_events.into_inner().unwrap_or_else(PoisonError::into_inner);
        set_path(&mut outcome.context, GENERIC, Value::Array(generic_events));
        let next = outcome.response.pointer("/pagination/nextCursor").and_then(Value::as_str);
        if let Some(next) = next.filter(|cursor| !cursor.is_empty()) {
            set_path(&mut outcome.context, CURSOR, next.into());
        }
        Ok(outcome)
    }
}

impl GetEvents {
    fn effective_limit(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }
}
