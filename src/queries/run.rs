//! The life of a query: launch, polls, and its deletion in all cases.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use sentinelone_raw::long_running_query::{
    self as raw, LongRunningQueryCreateRequest, LongRunningQueryGetQuery,
};
use sentinelone_raw::runtime::{JsonBody, Request};
use serde_json::Value;
use tokio::sync::oneshot;

use super::progress::{QueryProgress, QueryState};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::response::Response;

/// Header with the route to the node that runs a query.
const FORWARD_TAG: &str = "x-dataset-query-forward-tag";

/// Time between two polls.
const INTERVAL: Duration = Duration::from_secs(1);

/// Longest time of a poll. The data lake ends a query 30 seconds after the last one.
const POLL_TIMEOUT: Duration = Duration::from_secs(25);

/// Longest time of a deletion.
const DELETE_TIMEOUT: Duration = Duration::from_secs(20);

/// Number of polls in sequence with status 404 after which the query is lost. Published clients met 404 on living queries.
const MAX_NOT_FOUND: u32 = 3;

/// Function that receives the progress of queries.
pub(crate) type Observer = Arc<dyn Fn(QueryProgress) + Send + Sync>;

/// How a query is run.
#[derive(Clone)]
pub(crate) struct RunSettings {
    /// Longest time from the launch to the last poll.
    pub(crate) timeout: Duration,
    pub(crate) observer: Option<Observer>,
}

impl fmt::Debug for RunSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunSettings").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Runs a query to its end and returns the last response.
///
/// The query is deleted in all cases: after success and failure, on a timeout, and when the future is dropped.
pub(super) async fn run(
    client: &Client,
    request: &LongRunningQueryCreateRequest,
    settings: &RunSettings,
) -> Result<Response<JsonBody<Value>>> {
    let (mut query, response) = launch(client, request).await?;
    let result = wait(client, &mut query, response, settings).await;
    query.delete().await;
    result
}

/// Launches a query once. A launch that the caller no longer waits for is completed and deleted.
async fn launch(
    client: &Client,
    request: &LongRunningQueryCreateRequest,
) -> Result<(LaunchedQuery, Response<JsonBody<Value>>)> {
    let request = raw::create(request)?.with_response_type::<JsonBody<Value>>();
    let (sender, receiver) = oneshot::channel();
    let own = client.clone();
    let task = async move {
        let result = match own.send(&request).await {
            Ok(response) => LaunchedQuery::new(&own, &response).map(|query| (query, response)),
            Err(error) => Err(error),
        };
        // Without a receiver, the query is dropped, which deletes it.
        drop(sender.send(result));
    };
    if let Some(task) = client.background().spawn(task) {
        task.await;
    }
    receiver.await.unwrap_or_else(|_| {
        let message = "the launch ended without a result: the runtime is shutting down";
        Err(Error::no_result(&raw::CREATE, message, "run the query again"))
    })
}

/// Polls a query until all steps are completed.
async fn wait(
    client: &Client,
    query: &mut LaunchedQuery,
    mut response: Response<JsonBody<Value>>,
    settings: &RunSettings,
) -> Result<Response<JsonBody<Value>>> {
    let (clock, start) = (client.clock(), client.clock().now());
    let client = client.with_timeout(POLL_TIMEOUT);
    let (mut steps, mut not_found, mut confirmed) = (0, 0, false);
    loop {
        let text = String::from_utf8_lossy(response.body());
        let state = QueryState::parse(&text);
        if let Some(reason) = state.failure() {
            let help = "correct the query, or shorten its time range";
            return Err(Error::no_result(&raw::GET, format!("the query failed: {reason}"), help));
        }
        if let Some(observer) = &settings.observer {
            observer(state.progress);
        }
        if state.progress.is_finished() {
            // A launch can be finished without rows that the next poll has.
            if confirmed || state.has_rows() {
                return Ok(response);
            }
            confirmed = true;
        }
        steps = steps.max(state.progress.steps_completed);
        response = loop {
            if clock.now().saturating_sub(start) + INTERVAL > settings.timeout {
                let hint = "shorten the time range, cut it into slices, or allow more time";
                return Err(Error::wait_timeout(&raw::GET, hint));
            }
            client.sleep(INTERVAL).await;
            match client.send(&query.poll(steps)?).await {
                Ok(next) => break next,
                Err(error) if error.status() == Some(StatusCode::NOT_FOUND) && not_found < MAX_NOT_FOUND => {
                    not_found += 1;
                }
                Err(error) => return Err(error),
            }
        };
        not_found = 0;
        query.follow(response.headers());
    }
}

/// A query in the data lake. It is deleted when it is dropped.
struct LaunchedQuery {
    client: Client,
    id: String,
    /// Route to the node that runs the query, from the newest response; `None` if no response has one.
    tag: Option<String>,
    is_deleted: bool,
}

impl LaunchedQuery {
    fn new(client: &Client, response: &Response<JsonBody<Value>>) -> Result<Self> {
        let text = String::from_utf8_lossy(response.body());
        let id = QueryState::parse(&text).id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| response.missing_value("id"))?;
        let mut query = Self { client: client.clone(), id, tag: None, is_deleted: false };
        query.follow(response.headers());
        Ok(query)
    }

    /// Takes over the route of a response, if it has one.
    fn follow(&mut self, headers: &HeaderMap) {
        if let Some(tag) = headers.get(FORWARD_TAG).and_then(|tag| tag.to_str().ok()) {
            self.tag = Some(tag.to_owned());
        }
    }

    fn poll(&self, last_step: u64) -> Result<Request<JsonBody<Value>>> {
        let query = LongRunningQueryGetQuery::new(i64::try_from(last_step).unwrap_or(i64::MAX));
        Ok(raw::get(&self.id, &query, self.tag.as_deref())?.with_response_type())
    }

    /// Deletes the query. A failure does not matter to the caller: the results are complete, and the data lake ends the
    /// query after 30 seconds.
    async fn delete(mut self) {
        delete(&self.client, &self.id, self.tag.as_deref()).await;
        self.is_deleted = true;
    }
}

impl Drop for LaunchedQuery {
    fn drop(&mut self) {
        if self.is_deleted {
            return;
        }
        let (client, id, tag) = (self.client.clone(), std::mem::take(&mut self.id), self.tag.take());
        let deletion = async move { delete(&client, &id, tag.as_deref()).await };
        if self.client.background().spawn(deletion).is_some() {
            tracing::warn!(
                "a query is not deleted, because the tokio runtime is gone; it ends after 30 seconds"
            );
        }
    }
}

async fn delete(client: &Client, id: &str, tag: Option<&str>) {
    let result = match raw::delete(id, tag) {
        Ok(request) => client.with_timeout(DELETE_TIMEOUT).send(&request).await.map(drop),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => {}
        // It is gone already.
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {}
        // The body can repeat the query.
        Err(error) => {
            let (kind, status) = (error.kind(), error.status().map(|status| status.as_u16()));
            tracing::warn!(?kind, status, "a query is not deleted; it ends after 30 seconds");
        }
    }
}
