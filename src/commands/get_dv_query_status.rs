//! `sentinelone-get-dv-query-status`: how far a Deep Visibility query is.

use sentinelone_raw::deep_visibility::{
    self as raw, DeepVisibilityGetQueryStatusQuery, DeepVisibilityQueryStatus,
};
use sentinelone_raw::runtime::{ApiVersion, Data, Request};
use serde_json::{Value, json};

use super::context::Output;
use super::read::get;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// How far a Deep Visibility query is.
#[derive(Clone, Debug, PartialEq)]
pub struct GetDvQueryStatus {
    /// The query.
    pub query_id: String,
}

const PREFIX: &str = "SentinelOne.Query.Status";

impl Command for GetDvQueryStatus {
    const INFO: Info = Info {
        name: "get-dv-query-status",
        full_name: "sentinelone-get-dv-query-status",
        summary: "Tell how far a Deep Visibility query is",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["deep_visibility_get_query_status"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field(
            "SentinelOne.Query.Status.progressStatus",
            "String",
            "How much of it is done, in percent",
            "progressStatus",
        ),
        Output::field(
            "SentinelOne.Query.Status.queryModeInfo.lastActivatedAt",
            "String",
            "When its mode was last activated",
            "queryModeInfo.lastActivatedAt",
        ),
        Output::field(
            "SentinelOne.Query.Status.queryModeInfo.mode",
            "String",
            "Mode that it runs in",
            "queryModeInfo.mode",
        ),
        Output::field(
            "SentinelOne.Query.Status.responseState",
            "String",
            "State, such as RUNNING or FINISHED",
            "responseState",
        ),
        Output::field("SentinelOne.Query.Status.warnings", "String", "Warnings that it gave", "warnings"),
        Output::argument("SentinelOne.Query.Status.QueryId", "String", "Identifier of the query", "query_id"),
        Output::argument(
            "SentinelOne.Query.Status.QueryID",
            "String",
            "The same, where the integration writes it",
            "query_id",
        )
        .no_column()
        .undocumented(),
        Output::field("SentinelOne.Query.Status.responseError", "String", "Why it failed", "responseError")
            .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        let doc = "Identifier of the query, from create-query.";
        vec![Argument::new("query_id", ArgumentKind::Text, doc).required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { query_id: arguments.required("query_id")?.trim().to_owned() })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let mut outcome = get(client, &self.request()?, (PREFIX, Self::OUTPUTS)).await?;
        for name in ["QueryId", "QueryID"] {
            put(&mut outcome.context, &format!("{PREFIX}.{name}"), json!(self.query_id));
        }
        Ok(outcome)
    }
}

impl GetDvQueryStatus {
    fn request(&self) -> Result<Request<Data<DeepVisibilityQueryStatus>>> {
        Ok(raw::get_query_status(&DeepVisibilityGetQueryStatusQuery::new(self.query_id.as_str()))?)
    }
}
