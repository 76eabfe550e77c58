//! Runs of long-running queries by commands, with the responses of Deep Visibility.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use sentinelone_raw::long_running_query as raw;
use sentinelone_raw::runtime::{RawItem, Request};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::context_entry::context_under;
use super::deep_visibility::rows;
use super::execution::{PageHandling, ProgressEvent, ProgressObserver, relay};
use super::list_entries::{ContextEntries, ListPage};
use super::list_pages::finite;
use super::query_event::deep_visibility_event;
use super::query_handle::QueryHandle;
use crate::Result;
use crate::client::Client;
use crate::commands::{CommandDeclaration, Outcome, PingPowerQuery};
use crate::error::{ApiError, ErrorKind};
use crate::queries::{
    EventQuery, LogQuery, QueryEvent, QueryEvents, QuerySettings, QuerySummary, TableQuery,
};

/// Most events that are handled at once.
const PAGE: usize = 1_000;

/// Time between two polls.
const INTERVAL: Duration = Duration::from_secs(1);

/// The events that a command reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventRead<'a> {
    pub(crate) handle: &'a QueryHandle,
    /// Restricts the filter.
    pub(crate) condition: Option<&'a str>,
    pub(crate) limit: Option<u64>,
    /// Cursor of the last event of an earlier run.
    pub(crate) cursor: Option<&'a str>,
}

impl EventRead<'_> {
    /// Returns the launch of the first page.
    pub(crate) fn launch(&self) -> Result<Request<Value>> {
        Ok(self.query()?.first_request(self.handle.end())?.with_response_type())
    }

    fn query(&self) -> Result<EventQuery> {
        let mut query = self.handle.events(self.condition)?;
        query.after = self.cursor.map(str::to_owned);
        if let Some(limit) = finite(self.limit) {
            // One more event shows whether there is another page.
            let limit = limit.saturating_add(1);
            query.limit = Some(limit);
            query.page_size = u32::try_from(limit).unwrap_or(query.page_size).min(query.page_size);
        }
        Ok(query)
    }

    /// Reads the events. The response has the form of a Deep Visibility list.
    ///
    /// An error before the first event is returned. A later error becomes [`Outcome::failure`].
    pub(crate) async fn run(
        &self,
        (client, observer): (&Client, &dyn ProgressObserver),
        entries: ContextEntries<'_>,
    ) -> Result<Outcome> {
        let mut query = self.query()?;
        let progress = report_progress(&mut query.settings);
        let events = LogQuery::of(client, query).events();
        relay(self.collect(events, (client, observer), entries), progress, observer).await
    }

    async fn collect(
        &self,
        mut events: QueryEvents,
        (client, observer): (&Client, &dyn ProgressObserver),
        entries: ContextEntries<'_>,
    ) -> Result<Outcome> {
        let reader = entries.reader(client.api_version(), 0);
        let max = finite(self.limit).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let mut outcome = Outcome::new(Value::Null, Value::Null);
        let (mut data, mut context, mut count) = (Vec::new(), Vec::new(), 0);
        let (mut last, mut has_more) = (None, false);
        let mut pages = (&mut events).ready_chunks(PAGE);
        while let Some(page) = pages.next().await {
            let mut found: Vec<QueryEvent> = Vec::with_capacity(page.len());
            for event in page {
                match event {
                    Ok(event) => found.push(event),
                    Err(error) if count == 0 && found.is_empty() => return Err(error),
                    Err(error) => (outcome.failure, has_more) = (Some(error), true),
                }
            }
            has_more |= found.len() > max - count;
            found.truncate(max - count);
            let Some(event) = found.last() else { continue };
            last = event.cursor.clone();
            count += found.len();
            let items: Vec<RawItem> =
                found.iter().map(|event| RawItem::from(&deep_visibility_event(event))).collect();
            observer.on_event(ProgressEvent::PageRead { items: items.len() });
            match observer.on_page(&ListPage { items: &items, items_path: "data", reader: &reader }) {
                PageHandling::Buffer => {
                    for item in items.iter().map(RawItem::to_value) {
                        context.push(reader.entry_of(&item));
                        data.push(item);
                    }
                }
                PageHandling::Consumed => {}
                PageHandling::Stop => {
                    has_more = true;
                    break;
                }
            }
        }
        let summary = events.summary();
        let next = last.filter(|_| has_more);
        outcome.response = json!({
            "data": data,
            "pagination": { "nextCursor": next, "totalItems": summary.match_count },
        });
        outcome.context = context_under(entries.prefix, Value::Array(context));
        add_summary(&mut outcome, &summary, observer);
        Ok(outcome)
    }
}

/// Runs a PowerQuery. The response has the form of a finished PowerQuery of Deep Visibility.
pub(crate) async fn read_rows(
    handle: &QueryHandle,
    (client, observer): (&Client, &dyn ProgressObserver),
    timeout: Option<Duration>,
) -> Result<Outcome> {
    let mut query = handle.rows()?;
    if let Some(timeout) = timeout {
        query.settings.run.timeout = timeout;
    }
    let progress = report_progress(&mut query.settings);
    let table = relay(TableQuery::of(client, query).run(), progress, observer).await?;
    let columns: Vec<Value> =
        table.columns.iter().map(|column| json!({ "name": column.name, "type": column.kind })).collect();
    let data = json!({
        "queryId": handle.id(),
        "status": "FINISHED",
        "progress": 100,
        "columns": columns,
        "data": table.rows,
    });
    let context = context_under(PingPowerQuery::INFO.context, rows(&data));
    let mut outcome = Outcome::new(json!({ "data": data }), context);
    add_summary(&mut outcome, &table.summary, observer);
    Ok(outcome)
}

/// Returns the request of [`read_rows`].
pub(crate) fn launch_rows(handle: &QueryHandle) -> Result<Request<Value>> {
    Ok(raw::create(&handle.rows()?.request(handle.end())?)?.with_response_type())
}

/// Runs a query for events without reading them. The response has the form of a status of Deep Visibility. A query that
/// fails has the state `FAILED`, and becomes [`Outcome::failure`].
pub(crate) async fn read_status(
    handle: &QueryHandle,
    (client, observer): (&Client, &dyn ProgressObserver),
) -> Result<Outcome> {
    let mut query = status_query(handle)?;
    let progress = report_progress(&mut query.settings);
    let now = client.now();
    let mut events = LogQuery::of(client, query).events();
    let failure = match relay(events.next(), progress, observer).await {
        Some(Err(error)) if error.kind() == ErrorKind::NoResult => Some(error),
        Some(Err(error)) => return Err(error),
        _ => None,
    };
    let summary = events.summary();
    let mut data = json!({
        "responseState": if failure.is_some() { "FAILED" } else { "FINISHED" },
        "progressStatus": 100,
        "queryModeInfo": { "mode": "lrq", "lastActivatedAt": now },
        "warnings": summary.warnings.join("; "),
    });
    if let Some(error) = &failure {
        data["responseError"] = error.to_string().into();
    }
    let mut outcome = Outcome::new(json!({ "data": data }), Value::Null);
    outcome.failure = failure;
    add_summary(&mut outcome, &summary, observer);
    Ok(outcome)
}

/// Returns the request of [`read_status`].
pub(crate) fn launch_status(handle: &QueryHandle) -> Result<Request<Value>> {
    Ok(status_query(handle)?.first_request(handle.end())?.with_response_type())
}

fn status_query(handle: &QueryHandle) -> Result<EventQuery> {
    let mut query = handle.events(None)?;
    (query.limit, query.page_size) = (Some(1), 1);
    Ok(query)
}

/// Returns the events of the progress of a query.
fn report_progress(settings: &mut QuerySettings) -> UnboundedReceiver<ProgressEvent> {
    let (sender, received) = unbounded_channel();
    settings.run.observer = Some(Arc::new(move |progress| {
        if !progress.is_finished() {
            let state = format!("{} of {} steps", progress.steps_completed, progress.steps_total);
            // The receiver exists as long as the command runs.
            let _ = sender.send(ProgressEvent::Waiting { state, next: INTERVAL });
        }
    }));
    received
}

/// Adds the gaps of the results as errors, and reports the warnings.
fn add_summary(outcome: &mut Outcome, summary: &QuerySummary, observer: &dyn ProgressObserver) {
    let error = |gap: String| ApiError {
        title: Some("incomplete results".to_owned()),
        detail: Some(gap),
        code: None,
    };
    outcome.errors.extend(summary.gaps().into_iter().map(error));
    for warning in &summary.warnings {
        observer.on_event(ProgressEvent::Warning { message: warning.clone() });
    }
    if !summary.warnings.is_empty() {
        outcome.response["warnings"] = json!(summary.warnings);
    }
}
