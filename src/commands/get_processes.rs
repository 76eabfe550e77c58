//! `sentinelone-get-processes`: the processes that a Deep Visibility query found.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityListEventsOfTypeQuery};
use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use serde_json::Value;

use super::context::{Output, under};
use super::read::list;
use super::telemetry::{EVENT, event};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::paging::sized;

const DEFAULT_LIMIT: u64 = 50;

/// The process events that a finished Deep Visibility query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetProcesses {
    /// The query.
    pub query_id: String,
    /// How many at the most; 50 without it.
    pub limit: Option<u64>,
}

impl Command for GetProcesses {
    const INFO: Info = Info {
        name: "get-processes",
        full_name: "sentinelone-get-processes",
        summary: "List the processes that a Deep Visibility query found",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["deep_visibility_list_events_of_type"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Event.ParentProcessID", "Number", "Number of the parent", "parentPid"),
        Output::fields(
            "SentinelOne.Event.ProcessUID",
            "String",
            "Unique key of the process; on API 2.1 from processUniqueKey where srcProcUid is absent",
            "processUniqueKey",
            "srcProcUid",
        )
        .no_column(),
        Output::field(
            "SentinelOne.Event.SHA1",
            "String",
            "SHA-1 of the file that it was started from",
            "processImageSha1Hash",
        )
        .no_column(),
        Output::field("SentinelOne.Event.SubsystemType", "String", "Subsystem", "processSubSystem")
            .no_column(),
        Output::field(
            "SentinelOne.Event.ParentProcessStartTime",
            "Date",
            "When the parent started",
            "parentProcessStartTime",
        )
        .no_column(),
        Output::field("SentinelOne.Event.ProcessID", "Number", "Number of the process", "pid"),
        Output::field(
            "SentinelOne.Event.ParentProcessUID",
            "String",
            "Unique key of the parent",
            "parentProcessUniqueKey",
        )
        .no_column(),
        Output::field("SentinelOne.Event.User", "String", "User of the process", "user"),
        Output::field("SentinelOne.Event.Time", "Date", "When the process started", "processStartTime"),
        Output::field(
            "SentinelOne.Event.ParentProcessName",
            "String",
            "Name of the parent",
            "parentProcessName",
        ),
        Output::field("SentinelOne.Event.SiteName", "String", "Site of the endpoint", "siteName").no_column(),
        Output::field("SentinelOne.Event.EventType", "String", "What kind of event it is", "eventType")
            .no_column(),
        Output::field("SentinelOne.Event.Endpoint", "String", "Name of the endpoint", "agentName"),
        Output::field(
            "SentinelOne.Event.IntegrityLevel",
            "String",
            "Integrity level of the process",
            "processIntegrityLevel",
        )
        .no_column(),
        Output::field("SentinelOne.Event.CMD", "String", "Command line of the process", "processCmd"),
        Output::field("SentinelOne.Event.ProcessName", "String", "Name of the process", "processName"),
        Output::field(
            "SentinelOne.Event.ProcessDisplayName",
            "String",
            "Name of the process as people know it",
            "processDisplayName",
        )
        .no_column(),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("query_id", ArgumentKind::Text, "Identifier of the query, from create-query.")
                .required(),
            Argument::new("limit", ArgumentKind::Integer, "How many processes at the most.")
                .default("50")
                .or_all(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { query_id: arguments.required("query_id")?.trim().to_owned(), limit: arguments.limit()? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let outputs = (EVENT, Self::OUTPUTS);
        let mut outcome =
            list((client, watch), self.request()?, Some(self.wanted()), |_| true, outputs).await?;
        let items = outcome.answer.get("data").and_then(Value::as_array);
        let version = client.api_version();
        let events = items.into_iter().flatten().map(|item| event(Self::OUTPUTS, version, item));
        outcome.context = under(EVENT, events.collect());
        Ok(outcome)
    }
}

impl GetProcesses {
    fn wanted(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    fn request(&self) -> Result<Request<Page<Value>>> {
        let query = DeepVisibilityListEventsOfTypeQuery::new(self.query_id.as_str());
        Ok(sized(raw::list_events_of_type("process", &query)?.answering(), Some(self.wanted()))?)
    }
}
