//! Deep Visibility: periods, events and PowerQuery.

use std::collections::HashSet;

use sentinelone_raw::deep_visibility::{
    self as raw, DeepVisibilityPingPowerQueryQuery, PowerQuery, QueryState,
};
use sentinelone_raw::runtime::{ApiVersion, Data, Operation, Request, Timestamp};
use serde_json::{Map, Value, json};

use super::batch_action::argument_error;
use super::context_path::{ContextPath, context_under, entry};
use crate::Result;
use crate::commands::{ArgumentError, Arguments, Outcome};
use crate::error::Error;
use crate::response::Response;

/// Parses a required time.
pub(crate) fn required_time(arguments: &mut Arguments, name: &str) -> Result<Timestamp, ArgumentError> {
    let time = arguments.time(name)?;
    time.ok_or_else(|| arguments.error(name, "is missing"))
}

/// Rejects a period that ends before it starts.
pub(crate) fn check_period(command: &'static str, from: &Timestamp, to: &Timestamp) -> Result<()> {
    match from.unix_millis().zip(to.unix_millis()) {
        Some((first, last)) if first > last => {
            Err(argument_error(command, "from_date", format!("is {from}, which is after to_date, {to}")))
        }
        _ => Ok(()),
    }
}

/// Context prefix of events.
pub(crate) const EVENT: &str = "SentinelOne.Event";

/// Context paths with their documented field. The integration reads a different field, which some consoles send.
const DOCUMENTED: &[(&str, &str)] = &[
    ("ProcessUID", "processUniqueKey"),
    ("SourceProcessUser", "processUserName"),
    ("SourceProcessCommandLine", "processCmd"),
    ("EventTime", "createdAt"),
];

/// Returns the context entry of an event.
pub(crate) fn event(outputs: &[ContextPath], version: ApiVersion, item: &Value) -> Value {
    let mut event = entry(outputs, EVENT, version, item);
    let Some(fields) = event.as_object_mut() else { return event };
    for output in outputs {
        let name = output.path.rsplit('.').next().unwrap_or_default();
        let documented = DOCUMENTED.iter().find(|(one, _)| *one == name);
        let value = documented.and_then(|(_, field)| item.get(field)).filter(|value| !value.is_null());
        if let Some(value) = value {
            fields.entry(name).or_insert_with(|| value.clone());
        }
    }
    event
}

/// Context prefix of PowerQueries.
pub(crate) const POWER_QUERY: &str = "SentinelOne.PowerQuery";

/// Context paths of PowerQueries. The integration does not document them.
pub(crate) const POWER_QUERY_OUTPUTS: &[ContextPath] = &[
    ContextPath::field(
        "SentinelOne.PowerQuery.queryId",
        "String",
        "ID of the query, until rows are available",
        "queryId",
    )
    .undocumented(),
    ContextPath::computed("SentinelOne.PowerQuery.<column>", "Unknown", "Value of the column, in each row")
        .undocumented(),
];

/// States of a PowerQuery that ended without rows.
const FAILURES: [QueryState; 8] = [
    QueryState::Failed,
    QueryState::FailedClient,
    QueryState::Error,
    QueryState::QueryCancelled,
    QueryState::QueryCancel,
    QueryState::TimedOut,
    QueryState::QueryExpired,
    QueryState::QueryNotFound,
];

/// State of a PowerQuery.
pub(crate) enum PowerQueryState {
    /// Rows are available.
    Finished,
    /// The query is running; holds the state and progress.
    Running(String),
    /// The query ended without rows; holds the state.
    Failed(String),
}

pub(crate) fn power_query_state(response: &Value) -> PowerQueryState {
    match response.pointer("/data/status").and_then(Value::as_str) {
        Some("FINISHED" | "EMPTY_RESULTS") => PowerQueryState::Finished,
        Some(state) if FAILURES.iter().any(|failure| failure.as_str() == state) => {
            PowerQueryState::Failed(state.to_owned())
        }
        // An unknown state counts as running.
        state => {
            let state = state.unwrap_or("unknown state");
            let progress = response.pointer("/data/progress").and_then(Value::as_u64);
            PowerQueryState::Running(match progress {
                Some(progress) => format!("{state}, {progress} %"),
                None => state.to_owned(),
            })
        }
    }
}

/// Returns the query ID of a response.
pub(crate) fn query_id(response: &Value) -> Option<&str> {
    response.pointer("/data/queryId").and_then(Value::as_str).filter(|id| !id.is_empty())
}

/// Returns the outcome of a PowerQuery response: the rows, or the ID and the failure.
pub(crate) fn power_query_outcome<T>(response: &Response<T>, id: Option<&str>) -> Outcome {
    let body = response.json();
    let id = query_id(&body).or(id).map(str::to_owned);
    let mut failure = None;
    let context = match power_query_state(&body) {
        PowerQueryState::Finished => rows(body.get("data").unwrap_or(&Value::Null)),
        PowerQueryState::Running(_) => json!({ "queryId": id }),
        PowerQueryState::Failed(state) => {
            failure = Some(query_failed(response.operation(), &state, id.as_deref()));
            json!({ "queryId": id })
        }
    };
    let mut outcome = Outcome::new(body, context_under(POWER_QUERY, context));
    outcome.errors = response.api_errors().to_vec();
    outcome.failure = failure;
    outcome
}

fn query_failed(operation: &'static Operation, state: &str, id: Option<&str>) -> Error {
    let id = id.map(|id| format!(" (query_id={id})")).unwrap_or_default();
    let message = format!("the PowerQuery ended in the state {state}{id}");
    Error::no_result(operation, message, "check the query and its period, then run it again")
}

/// Returns the rows as objects with the column names as keys. A column without a name is `column_<position>`; a
/// duplicate name gets the position as a suffix.
fn rows(data: &Value) -> Value {
    let list = |name: &str| data.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut names = HashSet::new();
    let columns = list("columns").iter().zip(1..).map(|(column, position)| {
        let name = column.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let mut name = name.map_or_else(|| format!("column_{position}"), str::to_owned);
        while !names.insert(name.clone()) {
            name = format!("{name}_{position}");
        }
        name
    });
    let columns: Vec<String> = columns.collect();
    let row = |row: &Value| -> Value {
        let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
        Value::Object(columns.iter().cloned().zip(cells.iter().cloned()).collect::<Map<_, _>>())
    };
    list("data").iter().map(row).collect()
}

/// Returns the request that starts a PowerQuery.
pub(crate) fn start_request(
    command: &'static str,
    query: &PowerQuery,
) -> Result<Request<Data<raw::PowerQueryResult>>> {
    check_period(command, &query.from_date, &query.to_date)?;
    if query.query.trim().is_empty() {
        return Err(argument_error(command, "query", "is missing"));
    }
    Ok(raw::create_power_query(query)?)
}

/// Returns the request that polls a PowerQuery.
pub(crate) fn ping_request(query_id: &str) -> Result<Request<Data<raw::PowerQueryResult>>> {
    Ok(raw::ping_power_query(&DeepVisibilityPingPowerQueryQuery::default().query_id(query_id))?)
}
