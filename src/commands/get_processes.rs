//! `sentinelone-get-processes`: lists the process events of a Deep Visibility query.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityListEventsOfTypeQuery};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::Value;

use super::command::{Behavior, Run};
use super::support::deep_visibility::event;
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::{CommandDeclaration, GetProcesses, Outcome};
use crate::Result;
use crate::paging::with_page_size;

impl Behavior for GetProcesses {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let query = DeepVisibilityListEventsOfTypeQuery::new(self.query_id.as_str());
        let request = raw::list_events_of_type("process", &query)?.with_response_type();
        Ok(vec![with_page_size(request, Some(self.limit.unwrap_or(Self::DEFAULT_LIMIT)))?])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let version = client.api_version();
        let event = |item: &Value| event(Self::OUTPUTS, Self::INFO.context, version, item);
        let (limit, entries) = (
            Some(self.limit.unwrap_or(Self::DEFAULT_LIMIT)),
            ContextEntries::built(Self::INFO.context, &event),
        );
        list((client, observer), requests, limit, None, entries).await
    }
}
