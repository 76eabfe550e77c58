//! Deep Visibility: periods, events and PowerQuery.

use std::collections::HashSet;

use sentinelone_raw::deep_visibility::{self as raw, DeepVisibilityPingPowerQueryQuery, PowerQuery};
use sentinelone_raw::runtime::commands::ContextPath;
use sentinelone_raw::runtime::{ApiVersion, Data, Request, Timestamp};
use serde_json::{Map, Value, json};

use super::context_entry::context_under;
use crate::Result;
use crate::commands::argument_error::argument_error;
use crate::commands::{CommandDeclaration, Outcome, PingPowerQuery};
use crate::error::Error;
use crate::event_fields::EventFields;
use crate::json_path::set_path;
use crate::response::Response;

/// Rejects a period that ends before it starts.
fn check_period(command: &'static str, from: &Timestamp, to: &Timestamp) -> Result<()> {
    match from.unix_millis().zip(to.unix_millis()) {
        Some((first, last)) if first > last => {
            Err(argument_error(command, "from_date", format!("is {from}, which is after to_date, {to}")))
        }
        _ => Ok(()),
    }
}

/// A context path for which the integration reads a field that no document declares.
struct DocumentedField {
    /// Last part of the path.
    path: &'static str,
    /// Declared field, which is read if the event does not have the other one.
    field: &'static str,
    /// What the path contains if the process of the event is its target process.
    of_target: TargetValue,
}

/// Value of a path in an event whose process is the target process.
#[derive(PartialEq)]
enum TargetValue {
    /// The declared field of the target process.
    Declared,
    /// The field of the source process, without a fallback.
    Source,
    /// The same as in other events.
    Same,
}

const DOCUMENTED: &[DocumentedField] = &[
    DocumentedField { path: "ProcessUID", field: "processUniqueKey", of_target: TargetValue::Declared },
    DocumentedField { path: "SourceProcessUser", field: "processUserName", of_target: TargetValue::Source },
    DocumentedField { path: "SourceProcessCommandLine", field: "processCmd", of_target: TargetValue::Source },
    DocumentedField { path: "EventTime", field: "createdAt", of_target: TargetValue::Same },
];

/// Returns the context entry of an event below `prefix`. Fields that newer agents leave null are read from the fields
/// of the source and target process.
pub(crate) fn event(outputs: &[ContextPath], prefix: &str, version: ApiVersion, item: &Value) -> Value {
    let fields = EventFields::new(item);
    let mut event = Value::Object(Map::new());
    for output in outputs {
        let Some(field) = output.field_on(version) else { continue };
        let path = output.relative_to(prefix);
        let documented = DOCUMENTED.iter().find(|one| one.path == path);
        let value = match documented {
            None => fields.get(field),
            Some(one) if fields.target_is_process() && one.of_target == TargetValue::Declared => {
                fields.get(one.field)
            }
            Some(one) if fields.target_is_process() && one.of_target == TargetValue::Source => {
                fields.get(field)
            }
            Some(one) => fields.get(field).or_else(|| fields.get(one.field)),
        };
        if let Some(value) = value {
            set_path(&mut event, path, value.clone());
        }
    }
    event
}

/// Words in the states of a query that ended without a result, such as `FAILED_CLIENT` or `QUERY_CANCELLED`.
const FAILURES: [&str; 12] = [
    "FAIL",
    "ERROR",
    "CANCEL",
    "ABORT",
    "REJECT",
    "EXPIRED",
    "TIMED_OUT",
    "TIMEOUT",
    "NOT_FOUND",
    "KILLED",
    "STOPPED",
    "TERMINATED",
];

/// Members of a response in which the console may explain a failed query.
const REASONS: [&str; 4] = ["/data/responseError", "/data/errorMessage", "/data/error", "/data/message"];

/// State of a PowerQuery.
pub(crate) enum PowerQueryState {
    /// Rows are available.
    Finished,
    /// The query is running; holds the state and progress.
    Running(String),
    /// The query ended without rows; holds the state.
    Failed(String),
    /// The response has no state.
    Missing,
}

/// Returns whether a query in this state ended without a result.
pub(crate) fn is_failed_state(state: &str) -> bool {
    let state = state.to_ascii_uppercase();
    FAILURES.iter().any(|word| state.contains(word))
}

/// Returns the state in a response. A state that is not recognized counts as running.
pub(crate) fn power_query_state(response: &Value) -> PowerQueryState {
    let state = response.pointer("/data/status").and_then(Value::as_str).unwrap_or_default().trim();
    let upper = state.to_ascii_uppercase();
    match upper.as_str() {
        "" => PowerQueryState::Missing,
        "FINISHED" | "EMPTY_RESULTS" => PowerQueryState::Finished,
        _ if is_failed_state(state) => PowerQueryState::Failed(state.to_owned()),
        _ => {
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

/// Returns the outcome of a PowerQuery response: the rows, or the ID of a running query.
///
/// A query that failed, that has no state, or that has errors and no rows, is an error.
pub(crate) fn power_query_outcome<T>(response: &Response<T>, id: Option<&str>) -> Result<Outcome> {
    let body = response.json();
    let id = query_id(&body).or(id).map(str::to_owned);
    let context = match power_query_state(&body) {
        PowerQueryState::Finished => {
            let rows = rows(body.get("data").unwrap_or(&Value::Null));
            if rows.as_array().is_none_or(Vec::is_empty)
                && let Some(error) = response.partial_error()
            {
                return Err(error);
            }
            rows
        }
        PowerQueryState::Running(_) => json!({ "queryId": id }),
        PowerQueryState::Failed(state) => return Err(query_failed(response, &state, id.as_deref())),
        PowerQueryState::Missing => return Err(no_query_state(response, id.as_deref())),
    };
    let mut outcome = Outcome::new(body, context_under(PingPowerQuery::INFO.context, context));
    outcome.add_diagnostics(response);
    Ok(outcome)
}

/// Returns the query ID in parentheses, for a message.
fn labeled(id: Option<&str>) -> String {
    id.map(|id| format!(" (query_id={id})")).unwrap_or_default()
}

fn query_failed<T>(response: &Response<T>, state: &str, id: Option<&str>) -> Error {
    let body = response.json();
    let reasons = REASONS.iter().filter_map(|path| body.pointer(path)?.as_str().map(str::to_owned));
    let reasons: Vec<String> = reasons.chain(response.api_errors().iter().map(ToString::to_string)).collect();
    let mut message = format!("the PowerQuery ended in the state {state}{}", labeled(id));
    for reason in reasons.iter().filter(|reason| !reason.trim().is_empty()) {
        message.push_str(&format!(": {reason}"));
    }
    Error::no_result(response.operation(), message, "check the query and its period, then run it again")
}

/// Returns the error for a response without the state of the query.
pub(crate) fn no_query_state<T>(response: &Response<T>, id: Option<&str>) -> Error {
    let message = format!("the console returned no state of the PowerQuery{}", labeled(id));
    let help = "the query does not exist or has expired; run it again";
    Error::no_result(response.operation(), message, help)
}

/// Returns the rows as objects with the column names as keys. A column without a name, or a cell without a column, is
/// `column_<position>`; a duplicate name gets the position as a suffix.
pub(crate) fn rows(data: &Value) -> Value {
    let list = |name: &str| data.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (columns, rows) = (list("columns"), list("data"));
    let cells = |row: &Value| row.as_array().map_or(0, Vec::len);
    let width = rows.iter().map(cells).max().unwrap_or(0).max(columns.len());
    let mut known_names = HashSet::new();
    let names = (0..width).map(|index| {
        let position = index + 1;
        let name = columns.get(index).and_then(|column| column.get("name")?.as_str());
        let mut name =
            name.filter(|name| !name.is_empty()).map_or_else(|| format!("column_{position}"), str::to_owned);
        while !known_names.insert(name.clone()) {
            name = format!("{name}_{position}");
        }
        name
    });
    let names: Vec<String> = names.collect();
    let row = |row: &Value| -> Value {
        let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
        Value::Object(names.iter().cloned().zip(cells.iter().cloned()).collect::<Map<_, _>>())
    };
    rows.iter().map(row).collect()
}

/// Rejects an empty query, and a period that ends before it starts.
pub(crate) fn check_query(
    command: &'static str,
    query: &str,
    from: &Timestamp,
    to: &Timestamp,
) -> Result<()> {
    check_period(command, from, to)?;
    match query.trim().is_empty() {
        true => Err(argument_error(command, "query", "is missing")),
        false => Ok(()),
    }
}

/// Returns the request that starts a PowerQuery.
pub(crate) fn start_request(query: &PowerQuery) -> Result<Request<Data<raw::PowerQueryResult>>> {
    Ok(raw::create_power_query(query)?)
}

/// Returns the request that polls a PowerQuery.
pub(crate) fn ping_request(query_id: &str) -> Result<Request<Data<raw::PowerQueryResult>>> {
    Ok(raw::ping_power_query(&DeepVisibilityPingPowerQueryQuery::default().query_id(query_id))?)
}
