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
        let mut query = DeepVisibilityListEventsQuery::new(self.query_id.as_str());
        query.cursor = self.cursor.clone();
        let request = raw::list_events(&query)?.with_response_type();
        Ok(vec![with_page_size(request, Some(self.limit.unwrap_or(Self::DEFAULT_LIMIT)))?])
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
        let (limit, entries) =
            (Some(self.limit.unwrap_or(Self::DEFAULT_LIMIT)), ContextEntries::built(EVENT, &event));
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
