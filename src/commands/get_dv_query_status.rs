//! `sentinelone-get-dv-query-status`: returns the status of a Deep Visibility query.

use sentinelone_raw::deep_visibility::{
    self as raw, DeepVisibilityGetQueryStatusQuery, DeepVisibilityQueryStatus,
};
use sentinelone_raw::runtime::{ApiVersion, Data};
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::support::context_entry::{context_under, entry};
use super::support::deep_visibility::is_failed_state;
use super::support::execution::Requests;
use super::support::list_pages::get;
use super::support::query_engine::handle;
use super::support::query_handle::QueryKind;
use super::support::query_run::{launch_status, read_status};
use super::{CommandDeclaration, GetDvQueryStatus, Outcome};
use crate::Result;
use crate::error::Error;
use crate::json_path::{get_path, set_path};

impl Behavior for GetDvQueryStatus {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        if let Some(handle) =
            handle(Self::INFO.name, &self.engine, ("query_id", &self.query_id), QueryKind::Log)?
        {
            return Ok(vec![launch_status(&handle)?]);
        }
        let query = DeepVisibilityGetQueryStatusQuery::new(self.query_id.as_str());
        Ok(vec![raw::get_query_status(&query)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let prefix = Self::INFO.context;
        let mut outcome =
            match handle(Self::INFO.name, &self.engine, ("query_id", &self.query_id), QueryKind::Log)? {
                Some(handle) => {
                    let mut outcome = read_status(&handle, (run.client, run.observer)).await?;
                    let data = outcome.response.get("data").unwrap_or(&Value::Null);
                    let fields = entry(Self::OUTPUTS, prefix, run.client.api_version(), data);
                    outcome.context = context_under(prefix, fields);
                    outcome
                }
                None => {
                    let requested = Some(("query_id", self.query_id.as_str()));
                    get::<Self, Data<DeepVisibilityQueryStatus>>(run, requested).await?
                }
            };
        for name in ["QueryId", "QueryID"] {
            set_path(&mut outcome.context, &format!("{prefix}.{name}"), json!(self.query_id));
        }
        let status = |name: &str| {
            get_path(&outcome.context, &format!("{prefix}.{name}")).and_then(Value::as_str).map(str::to_owned)
        };
        if let Some(state) = status("responseState").filter(|state| is_failed_state(state)) {
            let reason = status("responseError").map(|reason| format!(": {reason}")).unwrap_or_default();
            let message =
                format!("the query ended in the state {state} (query_id={}){reason}", self.query_id);
            let help = "check the query and its period, then run it again";
            let failure = || Error::no_result(&raw::GET_QUERY_STATUS, message, help);
            outcome.failure = outcome.failure.or_else(|| Some(failure()));
            outcome.is_placeholder = true;
        }
        Ok(outcome)
    }
}
