//! Long-running queries: launch, reads and deletion, over the events of the tenant.

mod call;
mod evaluate;
mod fault;
mod range;
mod table;

use http::StatusCode;
use sentinelone::s1ql::{SyntaxError, parse_filter, parse_power_query};
use sentinelone_contract::OperationSpec;
use serde_json::{Map, Value, json};

use super::message::SandboxResponse;
use super::running_queries::RunningQuery;
use super::tenant::Tenant;
use call::{not_found, text};
use evaluate::{CompiledFilter, Unsupported};
use range::TimeRange;
use table::Table;

pub(super) use call::{FORWARD_TAG, QueryCall};

/// Number of steps of a query. It completes one with each read, and one each second.
const STEPS: u64 = 2;

/// End of the route after the query moved to another node, with the last step.
const MOVED: &str = "-moved";

/// Most events in a response.
const MAX_EVENTS: usize = 5_000;

/// Returns the call of a long-running query that an operation is: `launch`, `read` or `delete`.
pub(super) fn step(operation: &OperationSpec) -> Option<&str> {
    operation.x_s1().pointer("/sandbox/longRunningQuery")?.as_str()
}

/// Returns the response to a token with another scheme.
pub(super) fn wrong_scheme(authorization: &str) -> SandboxResponse {
    let start: String = authorization.chars().take(6).collect();
    let message = format!("Header must start with Bearer, but actually starts with \"{start}\"");
    text(StatusCode::INTERNAL_SERVER_ERROR, message)
}

/// Returns an error in the format of the data lake.
pub(super) fn invalid(details: impl IntoIterator<Item = String>) -> SandboxResponse {
    let details: Vec<Value> = details
        .into_iter()
        .map(|detail| match detail.split_once(": ") {
            Some((field, message)) => json!({ "field": field, "message": message }),
            None => json!({ "message": detail }),
        })
        .collect();
    let body = json!({ "code": "invalid_argument", "message": "Invalid JSON", "details": details });
    SandboxResponse { status: StatusCode::BAD_REQUEST, ..SandboxResponse::ok(body) }
}

/// Handles a call, with the next fault of its kind.
pub(super) fn handle(tenant: &mut Tenant, call: &QueryCall<'_>) -> Result<SandboxResponse, SandboxResponse> {
    let fault = tenant.queries.next_fault(call.step);
    if let Some(refusal) = fault.and_then(|fault| fault::refusal(fault, call)) {
        return Err(refusal);
    }
    let mut response = run(tenant, call)?;
    if let Some(fault) = fault {
        fault::change(fault, &mut response);
        if let Some(query) = tenant.queries.newest_mut().filter(|_| call.step == "launch") {
            fault::change_query(fault, query);
        }
    }
    Ok(response)
}

fn run(tenant: &mut Tenant, call: &QueryCall<'_>) -> Result<SandboxResponse, SandboxResponse> {
    if call.step == "launch" {
        return launch(tenant, call);
    }
    let id = call.id.unwrap_or_default();
    let found = tenant.queries.get_mut(id, call.now).filter(|query| call.tag == query.tag.as_deref());
    let Some(query) = found else { return Err(not_found(id)) };
    if call.step == "delete" {
        tenant.queries.remove(id);
        return Ok(text(StatusCode::NO_CONTENT, String::new()));
    }
    query.last_seen = call.now;
    let seconds = u64::try_from(call.now.saturating_sub(query.launched) / 1_000).unwrap_or_default();
    query.steps = (query.steps + 1).max(seconds).min(STEPS);
    if let Some(tag) = query.tag.as_mut().filter(|tag| query.steps == STEPS && !tag.ends_with(MOVED)) {
        tag.push_str(MOVED);
    }
    Ok(response(query, id))
}

fn response(query: &RunningQuery, id: &str) -> SandboxResponse {
    let nanoseconds = |millis: i64| millis.saturating_mul(1_000_000);
    let mut body = json!({
        "id": id,
        "stepsCompleted": query.steps,
        "stepsTotal": STEPS,
        "cpuUsage": query.steps * 1_000_000,
        "resolvedTimeRange": { "start": nanoseconds(query.range.0), "end": nanoseconds(query.range.1) },
        "data": if query.steps == STEPS { query.data.clone() } else { Value::Null },
    });
    if query.is_partial && query.steps == STEPS {
        fault::mark_partial(&mut body);
    }
    let route = query.tag.iter().map(|tag| (FORWARD_TAG, tag.clone()));
    SandboxResponse { headers: route.collect(), ..SandboxResponse::ok(body) }
}

fn launch(tenant: &mut Tenant, call: &QueryCall<'_>) -> Result<SandboxResponse, SandboxResponse> {
    let body = &call.body;
    let kind = body.get("queryType").and_then(Value::as_str).unwrap_or_default();
    let member = match kind {
        "LOG" => "log",
        "PQ" => "pq",
        other => return Err(not_implemented(&format!("queries of the type {other}"))),
    };
    let settings = body.get(member).and_then(Value::as_object);
    let settings = settings.ok_or_else(|| rejected(format!("Unexpected value '{kind}'")))?;
    let time = |name: &str| body.get(name).and_then(Value::as_str);
    let range = TimeRange::parse(time("startTime"), time("endTime"), call.now).map_err(rejected)?;
    let events = events(tenant, body, range)?;
    let data = match kind {
        "LOG" => find(events, settings)?,
        _ => calculate(events, settings)?,
    };
    let number = tenant.new_id();
    let id = format!("{number}+/=");
    let (tag, range) = (Some(format!("node-{number}")), (range.start, range.end));
    let query = RunningQuery {
        tag,
        launched: call.now,
        last_seen: call.now,
        steps: 0,
        range,
        is_partial: false,
        data,
    };
    let response = response(&query, &id);
    tenant.queries.insert(id, query);
    Ok(response)
}

/// An event with its position and time.
struct Event {
    cursor: String,
    /// Milliseconds since 1970.
    millis: i64,
    values: Map<String, Value>,
}

/// Returns the events of the scope and the time range, oldest first.
fn events(tenant: &Tenant, body: &Value, range: TimeRange) -> Result<Vec<Event>, SandboxResponse> {
    let is_tenant = body.get("tenant") == Some(&Value::Bool(true));
    let accounts: Vec<&str> = body
        .get("accountIds")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if is_tenant && !accounts.is_empty() {
        return Err(rejected("tenant=false should be used when querying accountIds".to_owned()));
    }
    let known =
        |id: &&str| tenant.items("accounts").iter().any(|account| account.get("id") == Some(&json!(id)));
    if !accounts.iter().all(known) {
        let message = "You do not have access to this account".to_owned();
        return Err(text(StatusCode::INTERNAL_SERVER_ERROR, message));
    }
    let event = |(number, item): (usize, &Value)| {
        let values = item.get("values")?.as_object()?.clone();
        let account = values.get("account.id").and_then(Value::as_str).unwrap_or_default();
        let time = item.get("createdAt").and_then(Value::as_str)?;
        let millis = time.parse::<jiff::Timestamp>().ok()?.as_millisecond();
        let is_selected = (is_tenant || accounts.contains(&account)) && range.contains(millis);
        is_selected.then(|| Event { cursor: format!("cursor-{number}"), millis, values })
    };
    Ok(tenant.items("data_lake_events").iter().enumerate().filter_map(event).collect())
}

/// Returns the events that a filter selects.
fn find(mut events: Vec<Event>, settings: &Map<String, Value>) -> Result<Value, SandboxResponse> {
    let text = settings.get("filter").and_then(Value::as_str).unwrap_or_default();
    let filter = parse_filter(text).map_err(|error| invalid_query(&error))?;
    let filter = CompiledFilter::new(&filter).map_err(unsupported)?;
    events.retain(|event| filter.matches(&with_time(event)));
    let total = events.len();
    if settings.get("ascending") != Some(&Value::Bool(true)) {
        events.reverse();
    }
    if let Some(cursor) = settings.get("cursor").and_then(Value::as_str) {
        let position = events.iter().position(|event| event.cursor == cursor);
        let position = position.ok_or_else(|| rejected(format!("Invalid cursor '{cursor}'")))?;
        let is_exclusive = settings.get("exclusive") == Some(&Value::Bool(true));
        events.drain(..position + usize::from(is_exclusive));
    }
    let limit = settings.get("limit").and_then(Value::as_u64).unwrap_or(1_000);
    events.truncate(usize::try_from(limit).unwrap_or(MAX_EVENTS).min(MAX_EVENTS));
    let matches: Vec<Value> = events
        .into_iter()
        .map(|event| {
            json!({
                "cursor": event.cursor,
                "timestamp": event.millis.saturating_mul(1_000_000),
                "severity": 3,
                "threadId": "1",
                "sessionId": "sandbox",
                "serverInfo": {},
                "values": event.values,
            })
        })
        .collect();
    Ok(json!({ "estimatedMatchCount": total, "matches": matches }))
}

/// Returns the table of a PowerQuery.
fn calculate(events: Vec<Event>, settings: &Map<String, Value>) -> Result<Value, SandboxResponse> {
    if settings.get("resultType").and_then(Value::as_str) != Some("TABLE") {
        return Err(not_implemented("results other than TABLE"));
    }
    let text = settings.get("query").and_then(Value::as_str).unwrap_or_default();
    let query = parse_power_query(text).map_err(|error| invalid_query(&error))?;
    let filter = CompiledFilter::new(&query.filter).map_err(unsupported)?;
    let rows: Vec<_> = events.iter().map(with_time).filter(|row| filter.matches(row)).collect();
    let count = rows.len();
    let table = query.stages.iter().try_fold(Table::of_events(rows), Table::apply).map_err(unsupported)?;
    let mut data = table.to_json();
    data["matchCount"] = count.into();
    Ok(data)
}

/// Returns the fields of an event, with its time.
fn with_time(event: &Event) -> Map<String, Value> {
    let mut row = event.values.clone();
    row.insert("timestamp".to_owned(), event.millis.saturating_mul(1_000_000).into());
    row.insert("event.time".to_owned(), event.millis.into());
    row
}

fn invalid_query(error: &SyntaxError) -> SandboxResponse {
    rejected(error.to_string())
}

fn rejected(message: String) -> SandboxResponse {
    let body = json!({ "code": "invalid_argument", "message": message });
    SandboxResponse { status: StatusCode::BAD_REQUEST, ..SandboxResponse::ok(body) }
}

fn unsupported(unsupported: Unsupported) -> SandboxResponse {
    not_implemented(&format!("{:?} in a query", unsupported.0))
}

fn not_implemented(what: &str) -> SandboxResponse {
    let body = json!({ "code": "unimplemented", "message": format!("The sandbox does not play {what}") });
    SandboxResponse { status: StatusCode::NOT_IMPLEMENTED, ..SandboxResponse::ok(body) }
}
