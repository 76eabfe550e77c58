//! `sentinelone-get-dv-query-status`: returns the status of a Deep Visibility query.

use sentinelone_raw::deep_visibility::{
    self as raw, DeepVisibilityGetQueryStatusQuery, DeepVisibilityQueryStatus,
};
use sentinelone_raw::runtime::{ApiVersion, Data};
use serde_json::{Value, json};

use super::support::context_path::ContextPath;
use super::support::deep_visibility::is_failed_state;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::get;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::json_path::{get_path, set_path};

/// Returns the status of a Deep Visibility query. If the query failed, the outcome has the status and a failure.
#[derive(Clone, Debug, PartialEq)]
pub struct GetDvQueryStatus {
    /// Query ID.
    pub query_id: String,
}

const PREFIX: &str = "SentinelOne.Query.Status";

impl Command for GetDvQueryStatus {
    const INFO: CommandInfo = CommandInfo {
        name: "get-dv-query-status",
        full_name: "sentinelone-get-dv-query-status",
        topic: Topic::Hunting,
        summary: "Get the status of a Deep Visibility query",
        example: "s1 get-dv-query-status --query-id q900000000000000002",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["deep_visibility_get_query_status"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field(
            "SentinelOne.Query.Status.progressStatus",
            "String",
            "Progress in percent",
            "progressStatus",
        ),
        ContextPath::field(
            "SentinelOne.Query.Status.queryModeInfo.lastActivatedAt",
            "String",
            "Time of the last activation of the query mode",
            "queryModeInfo.lastActivatedAt",
        ),
        ContextPath::field(
            "SentinelOne.Query.Status.queryModeInfo.mode",
            "String",
            "Query mode",
            "queryModeInfo.mode",
        ),
        ContextPath::field(
            "SentinelOne.Query.Status.responseState",
            "String",
            "State, such as RUNNING or FINISHED",
            "responseState",
        ),
        ContextPath::field(
            "SentinelOne.Query.Status.warnings",
            "String",
            "Warnings of the query",
            "warnings",
        ),
        ContextPath::argument("SentinelOne.Query.Status.QueryId", "String", "ID of the query", "query_id"),
        ContextPath::argument(
            "SentinelOne.Query.Status.QueryID",
            "String",
            "ID of the query, under the path that the integration writes",
            "query_id",
        )
        .no_column()
        .undocumented(),
        ContextPath::field(
            "SentinelOne.Query.Status.responseError",
            "String",
            "Error of the query",
            "responseError",
        )
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        let doc = "ID of the query, from create-query.";
        vec![Argument::new("query_id", ArgumentKind::String, doc).required()]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { query_id: arguments.required("query_id")?.trim().to_owned() })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let query = DeepVisibilityGetQueryStatusQuery::new(self.query_id.as_str());
        Ok(vec![raw::get_query_status(&query)?.with_response_type()])
    }

    async fn execute(&self, client: &Client, reads: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let (id, outputs) = (Some(("query_id", self.query_id.as_str())), (PREFIX, Self::OUTPUTS));
        let mut outcome = get::<Data<DeepVisibilityQueryStatus>>(client, reads, id, outputs).await?;
        for name in ["QueryId", "QueryID"] {
            set_path(&mut outcome.context, &format!("{PREFIX}.{name}"), json!(self.query_id));
        }
        let status = |name: &str| {
            get_path(&outcome.context, &format!("{PREFIX}.{name}")).and_then(Value::as_str).map(str::to_owned)
        };
        if let Some(state) = status("responseState").filter(|state| is_failed_state(state)) {
            let reason = status("responseError").map(|reason| format!(": {reason}")).unwrap_or_default();
            let message =
                format!("the query ended in the state {state} (query_id={}){reason}", self.query_id);
            let help = "check the query and its period, then run it again";
            outcome.failure = Some(Error::no_result(&raw::GET_QUERY_STATUS, message, help));
            outcome.is_placeholder = true;
        }
        Ok(outcome)
    }
}
