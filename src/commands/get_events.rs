//! `sentinelone-get-events`: what a Deep Visibility query found.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityListEventsQuery};
use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use serde_json::Value;

use super::context::{Output, entry, under};
use super::read::{Walked, walk};
use super::telemetry::{EVENT, event};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::paging::sized;

const DEFAULT_LIMIT: u64 = 50;

/// The events that a finished Deep Visibility query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetEvents {
    /// The query.
    pub query_id: String,
    /// How many at the most; 50 without it.
    pub limit: Option<u64>,
    /// Where to begin: what an earlier run has at `SentinelOne.Cursor.Event`.
    pub cursor: Option<String>,
    /// Further fields of an event for the context, as the console names them.
    pub columns: Vec<String>,
}

const CURSOR: &str = "SentinelOne.Cursor.Event";
const GENERIC: &str = "Event";

impl Command for GetEvents {
    const INFO: Info = Info {
        name: "get-events",
        full_name: "sentinelone-get-events",
        summary: "List the events that a Deep Visibility query found",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["deep_visibility_list_events"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::fields(
            "SentinelOne.Event.ProcessUID",
            "String",
            "Unique key of the process; on API 2.1 from processUniqueKey where srcProcUid is absent",
            "processUniqueKey",
            "srcProcUid",
        )
        .no_column(),
        Output::field("SentinelOne.Event.SHA256", "String", "SHA-256 of the file", "sha256").no_column(),
        Output::field("SentinelOne.Event.AgentOS", "String", "Operating system of the endpoint", "agentOs")
            .no_column(),
        Output::field("SentinelOne.Event.ProcessID", "Number", "Number of the process", "pid"),
        Output::field("SentinelOne.Event.User", "String", "User of the process", "user"),
        Output::field("SentinelOne.Event.Time", "Date", "When the process started", "processStartTime"),
        Output::field("SentinelOne.Event.Endpoint", "String", "Name of the endpoint", "agentName"),
        Output::field("SentinelOne.Event.SiteName", "String", "Site of the endpoint", "siteName").no_column(),
        Output::field(
            "SentinelOne.Event.EventType",
            "String",
            "What kind of event it is, such as file or dns",
            "eventType",
        ),
        Output::field("SentinelOne.Event.ProcessName", "String", "Name of the process", "processName"),
        Output::field("SentinelOne.Event.MD5", "String", "MD5 of the file", "md5").no_column(),
        Output::field("SentinelOne.Event.SourceIP", "String", "Address that a connection came from", "srcIp")
            .no_column(),
        Output::field("SentinelOne.Event.SourcePort", "String", "Port that it came from", "srcPort")
            .no_column(),
        Output::field("SentinelOne.Event.DestinationIP", "String", "Address that it went to", "dstIp"),
        Output::field("SentinelOne.Event.DestinationPort", "String", "Port that it went to", "dstPort")
            .no_column(),
        Output::field(
            "SentinelOne.Event.SourceProcessUser",
            "String",
            "User of the process that caused it; from processUserName where srcProcUser is absent",
            "srcProcUser",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Event.SourceProcessCommandLine",
            "String",
            "Command line of the process that caused it; from processCmd where srcProcCmdLine is absent",
            "srcProcCmdLine",
        )
        .no_column(),
        Output::field("SentinelOne.Event.DNSRequest", "String", "Domain that was asked for", "dnsRequest")
            .no_column(),
        Output::field("SentinelOne.Event.FileFullName", "String", "Path of the file", "fileFullName"),
        Output::field(
            "SentinelOne.Event.EventTime",
            "String",
            "When it happened; from createdAt where eventTime is absent",
            "eventTime",
        )
        .no_column(),
        Output::field("Event.ID", "String", "Number of the process", "pid").no_column(),
        Output::field("Event.Name", "String", "Name of the process", "processName").no_column(),
        Output::field("Event.Type", "String", "What kind of event it is", "eventType").no_column(),
        Output::computed(CURSOR, "String", "Where the next events begin; absent when there are no more")
            .no_column(),
        Output::field("SentinelOne.Event.FilePath", "String", "Path of the file", "fileFullName")
            .no_column()
            .undocumented(),
        Output::field("SentinelOne.Event.IPAddress", "String", "Address of the endpoint", "agentIp")
            .no_column()
            .undocumented(),
        Output::field("SentinelOne.Event.EventID", "String", "Identifier of the event", "id")
            .no_column()
            .undocumented(),
        Output::computed("SentinelOne.Event.<column>", "Unknown", "Each of the fields that columns names")
            .no_column()
            .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, Text};
        vec![
            Argument::new("limit", Integer, "How many events at the most.").default("50").or_all(),
            Argument::new("query_id", Text, "Identifier of the query, from create-query.").required(),
            Argument::new(
                "cursor",
                Text,
                "Where to begin: SentinelOne.Cursor.Event of an earlier run with the same limit.",
            ),
            Argument::new(
                "columns",
                List,
                "Further fields of an event that the context has, under the names that the console gives them.",
            ),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            query_id: arguments.required("query_id")?.trim().to_owned(),
            limit: arguments.limit()?,
            cursor: arguments.text("cursor")?.map(|cursor| cursor.trim().to_owned()),
            columns: arguments.list("columns")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let Walked { mut outcome, items, .. } =
            walk((client, watch), self.request()?, Some(self.wanted()), |_| true).await?;
        let next = outcome.answer.pointer("/pagination/nextCursor").and_then(Value::as_str);
        let next = next.filter(|cursor| !cursor.is_empty()).map(str::to_owned);
        outcome.context = self.context(client.api_version(), &items, next);
        Ok(outcome)
    }
}

impl GetEvents {
    fn wanted(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    fn request(&self) -> Result<Request<Page<Value>>> {
        let query = DeepVisibilityListEventsQuery {
            cursor: self.cursor.clone(),
            ..DeepVisibilityListEventsQuery::new(self.query_id.as_str())
        };
        Ok(sized(raw::list_events(&query)?.answering(), Some(self.wanted()))?)
    }

    fn context(&self, version: ApiVersion, items: &[Value], next: Option<String>) -> Value {
        let (own, generic): (Vec<Output>, Vec<Output>) =
            Self::OUTPUTS.iter().partition(|output| !output.path.starts_with("Event."));
        let events = items.iter().map(|item| {
            let mut event = event(&own, version, item);
            for column in &self.columns {
                let value = item.get(column).filter(|value| !value.is_null());
                if let (Some(value), Some(fields)) = (value, event.as_object_mut()) {
                    fields.insert(column.clone(), value.clone());
                }
            }
            event
        });
        let mut context = under(EVENT, events.collect());
        put(
            &mut context,
            GENERIC,
            items.iter().map(|item| entry(&generic, GENERIC, version, item)).collect(),
        );
        if let Some(next) = next {
            put(&mut context, CURSOR, next.into());
        }
        context
    }
}
