//! What the commands on telemetry have in common: periods, events, and power queries.

use std::collections::HashSet;

use sentinelone_raw::deep_visibility::{
    self as raw, DeepVisibilityPingPowerQueryQuery, PowerQuery, QueryState,
};
use sentinelone_raw::runtime::{ApiVersion, Data, Operation, Request, Timestamp};
use serde_json::{Map, Value, json};

use super::act::refuse;
use super::context::{Output, entry, under};
use super::{ArgumentError, Arguments, Outcome};
use crate::Result;
use crate::error::Error;
use crate::response::Response;

/// A point in time that has to be there.
pub(super) fn required_time(arguments: &mut Arguments, name: &str) -> Result<Timestamp, ArgumentError> {
    let time = arguments.time(name)?;
    time.ok_or_else(|| arguments.wrong(name, "is missing"))
}

/// Refuses a period that ends before it begins, in which nothing can be found.
pub(super) fn check_period(command: &'static str, from: &Timestamp, to: &Timestamp) -> Result<()> {
    match from.unix_millis().zip(to.unix_millis()) {
        Some((first, last)) if first > last => {
            Err(refuse(command, "from_date", format!("is {from}, which is after to_date, {to}")))
        }
        _ => Ok(()),
    }
}

/// Where events stand in the context.
pub(super) const EVENT: &str = "SentinelOne.Event";

/// The documented fields of what the integration reads from others, which some consoles send.
const DOCUMENTED: &[(&str, &str)] = &[
    ("ProcessUID", "processUniqueKey"),
    ("SourceProcessUser", "processUserName"),
    ("SourceProcessCommandLine", "processCmd"),
    ("EventTime", "createdAt"),
];

/// The context entry of an event.
pub(super) fn event(outputs: &[Output], version: ApiVersion, item: &Value) -> Value {
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

/// Where power queries stand in the context.
pub(super) const POWER_QUERY: &str = "SentinelOne.PowerQuery";

/// The context paths of power queries. The integration documents none.
pub(super) const POWER_QUERY_OUTPUTS: &[Output] = &[
    Output::field(
        "SentinelOne.PowerQuery.queryId",
        "String",
        "Identifier of the query, as long as there are no rows",
        "queryId",
    )
    .undocumented(),
    Output::computed(
        "SentinelOne.PowerQuery.<column>",
        "Unknown",
        "Of each row: its value, under the name of the column",
    )
    .undocumented(),
];

/// States in which a power query ends without rows.
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

/// Where a power query stands.
pub(super) enum Standing {
    /// There are rows.
    Finished,
    /// There will be; what the console says.
    Running(String),
    /// There will be none; the state.
    Failed(String),
}

pub(super) fn standing(answer: &Value) -> Standing {
    match answer.pointer("/data/status").and_then(Value::as_str) {
        Some("FINISHED" | "EMPTY_RESULTS") => Standing::Finished,
        Some(state) if FAILURES.iter().any(|failure| failure.as_str() == state) => {
            Standing::Failed(state.to_owned())
        }
        // A state that is not known yet is waited out.
        state => {
            let state = state.unwrap_or("state unknown");
            let progress = answer.pointer("/data/progress").and_then(Value::as_u64);
            Standing::Running(match progress {
                Some(progress) => format!("{state}, {progress} %"),
                None => state.to_owned(),
            })
        }
    }
}

/// The identifier that an answer about a query gives.
pub(super) fn query_id(answer: &Value) -> Option<&str> {
    answer.pointer("/data/queryId").and_then(Value::as_str).filter(|id| !id.is_empty())
}

/// What an answer about a power query comes to: its rows, or its identifier and what ended it.
pub(super) fn power_query<T>(answer: &Response<T>, asked: Option<&str>) -> Outcome {
    let body = answer.json();
    let id = query_id(&body).or(asked).map(str::to_owned);
    let mut failure = None;
    let context = match standing(&body) {
        Standing::Finished => rows(body.get("data").unwrap_or(&Value::Null)),
        Standing::Running(_) => json!({ "queryId": id }),
        Standing::Failed(state) => {
            failure = Some(failed(answer.operation(), &state, id.as_deref()));
            json!({ "queryId": id })
        }
    };
    let mut outcome = Outcome::found(body, under(POWER_QUERY, context));
    outcome.errors = answer.vendor_errors().to_vec();
    outcome.failure = failure;
    outcome
}

fn failed(operation: &'static Operation, state: &str, id: Option<&str>) -> Error {
    let id = id.map(|id| format!(" (query_id={id})")).unwrap_or_default();
    let message = format!("the power query ended in the state {state}{id}");
    Error::ended(operation, message, "it gives no rows: look at the query and its period, and start it anew")
}

/// The rows as objects, each value under the name of its column: `column_<position>` without one, and with the
/// position behind it as long as a column before has the same.
fn rows(data: &Value) -> Value {
    let list = |name: &str| data.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut seen = HashSet::new();
    let columns = list("columns").iter().zip(1..).map(|(column, position)| {
        let name = column.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let mut name = name.map_or_else(|| format!("column_{position}"), str::to_owned);
        while !seen.insert(name.clone()) {
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

/// The request that starts a power query.
pub(super) fn start(
    command: &'static str,
    query: &PowerQuery,
) -> Result<Request<Data<raw::PowerQueryResult>>> {
    check_period(command, &query.from_date, &query.to_date)?;
    if query.query.trim().is_empty() {
        return Err(refuse(command, "query", "is missing"));
    }
    Ok(raw::create_power_query(query)?)
}

/// The request that asks after a power query.
pub(super) fn ping(query_id: &str) -> Result<Request<Data<raw::PowerQueryResult>>> {
    Ok(raw::ping_power_query(&DeepVisibilityPingPowerQueryQuery::default().query_id(query_id))?)
}
