//! `sentinelone-get-processes`: lists the process events of a Deep Visibility query.

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityListEventsOfTypeQuery};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::Value;

use super::command::{Behavior, Run};
use super::support::deep_visibility::event;
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::support::query_engine::handle;
use super::support::query_handle::{QueryHandle, QueryKind};
use super::support::query_run::EventRead;
use super::{CommandDeclaration, GetProcesses, Outcome};
use crate::Result;
use crate::paging::with_page_size;

/// Condition of the events whose category is the type `process` of Deep Visibility.
const PROCESS_EVENTS: &str = "event.category = 'process'";

impl Behavior for GetProcesses {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        if let Some(handle) =
            handle(Self::INFO.name, &self.engine, ("query_id", &self.query_id), QueryKind::Log)?
        {
            return Ok(vec![read(self, &handle).launch()?]);
        }
        let query = DeepVisibilityListEventsOfTypeQuery::new(self.query_id.as_str());
        let request = raw::list_events_of_type("process", &query)?.with_response_type();
        Ok(vec![with_page_size(request, Some(limit(self)))?])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let version = client.api_version();
        let event = |item: &Value| event(Self::OUTPUTS, Self::INFO.context, version, item);
        let entries = ContextEntries::built(Self::INFO.context, &event);
        match handle(Self::INFO.name, &self.engine, ("query_id", &self.query_id), QueryKind::Log)? {
            Some(handle) => read(self, &handle).run((client, observer), entries).await,
            None => list((client, observer), requests, Some(limit(self)), None, entries).await,
        }
    }
}

fn limit(command: &GetProcesses) -> u64 {
    command.limit.unwrap_or(GetProcesses::DEFAULT_LIMIT)
}

fn read<'a>(command: &GetProcesses, handle: &'a QueryHandle) -> EventRead<'a> {
    EventRead { handle, condition: Some(PROCESS_EVENTS), limit: Some(limit(command)), cursor: None }
}
