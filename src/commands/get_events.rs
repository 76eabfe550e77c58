//! `sentinelone-get-events`: lists the events of a Deep Visibility query.

use std::sync::{Mutex, PoisonError};

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityListEventsQuery};
use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::runtime::commands::ContextPath;
use serde_json::Value;

use super::command::{Behavior, Run};
use super::support::deep_visibility::event;
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::support::query_engine::handle;
use super::support::query_handle::{QueryHandle, QueryKind};
use super::support::query_run::EventRead;
use super::{CommandDeclaration, GetEvents, Outcome};
use crate::Result;
use crate::event_fields::EventFields;
use crate::json_path::set_path;
use crate::paging::with_page_size;

const EVENT: &str = GetEvents::INFO.context;
const CURSOR: &str = "SentinelOne.Cursor.Event";
const GENERIC: &str = "Event";

impl Behavior for GetEvents {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        if let Some(handle) =
            handle(Self::INFO.name, &self.engine, ("query_id", &self.query_id), QueryKind::Log)?
        {
            return Ok(vec![read(self, &handle).launch()?]);
        }
        let mut query = DeepVisibilityListEventsQuery::new(self.query_id.as_str());
        query.cursor = self.cursor.clone();
        let request = raw::list_events(&query)?.with_response_type();
        Ok(vec![with_page_size(request, Some(limit(self)))?])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
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
        let entries = ContextEntries::built(EVENT, &event);
        let mut outcome =
            match handle(Self::INFO.name, &self.engine, ("query_id", &self.query_id), QueryKind::Log)? {
                Some(handle) => read(self, &handle).run((client, observer), entries).await?,
                None => list((client, observer), requests, Some(limit(self)), None, entries).await?,
            };
        let generic_events = generic_events.into_inner().unwrap_or_else(PoisonError::into_inner);
        set_path(&mut outcome.context, GENERIC, Value::Array(generic_events));
        let next = outcome.response.pointer("/pagination/nextCursor").and_then(Value::as_str);
        if let Some(next) = next.filter(|cursor| !cursor.is_empty()) {
            set_path(&mut outcome.context, CURSOR, next.into());
        }
        Ok(outcome)
    }
}

fn limit(command: &GetEvents) -> u64 {
    command.limit.unwrap_or(GetEvents::DEFAULT_LIMIT)
}

fn read<'a>(command: &'a GetEvents, handle: &'a QueryHandle) -> EventRead<'a> {
    EventRead { handle, condition: None, limit: Some(limit(command)), cursor: command.cursor.as_deref() }
}
