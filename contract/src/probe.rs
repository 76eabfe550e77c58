//! Probe: calls the `GET` operations of a console and validates the responses.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::StatusCode;
use sentinelone::raw::runtime::{
    Method, Operation, OperationKind, Request, RequestParts, RequestPartsError, ResponseFormat,
};
use serde_json::{Value, json};

use super::fixture::{Exchange, Provenance, ProvenanceKind};
use super::{Contract, ContractRule, Finding, OperationSpec};
use sentinelone::{Client, Error, ErrorKind, Tier};

/// The page size of list requests. Two items are sufficient to check the format.
const PAGE_SIZE: u64 = 2;

/// A probe of a console: calls each `GET` operation that is a read once, and validates the responses.
///
/// Operations without required parameters are called first; their responses provide IDs for the others. Only `GET`
/// requests are sent, and parameter values are never invented. An operation with a parameter that no list provides is
/// skipped, unless the value is [set](Self::param).
///
/// ```no_run
/// use sentinelone_contract::Probe;
///
/// # async fn example(client: sentinelone::Client) {
/// Probe::new(&client)
///     .run(|report| {
///         for finding in &report.findings {
///             println!("{}: {finding}", report.operation.id);
///         }
///     })
///     .await;
/// # }
/// ```
#[derive(Debug)]
pub struct Probe<'a> {
    client: &'a Client,
    params: BTreeMap<String, String>,
}

/// The result of the probe for an operation.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProbeReport {
    /// The operation.
    pub operation: &'static Operation,
    /// The outcome of the call.
    pub outcome: ProbeOutcome,
    /// The duration, including delays of the rate limits and retries.
    pub duration: Duration,
    /// The differences between the response and the specification.
    pub findings: Vec<Finding>,
}

/// The outcome of the probe for an operation.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProbeOutcome {
    /// The console returned a successful response.
    Responded(StatusCode),
    /// The call failed.
    Failed(Error),
    /// The operation was not called, for this reason.
    Skipped(String),
}

/// A required parameter of an operation, except the version, with the origin of its value.
struct ParamSource {
    operation: &'static str,
    parameter: &'static str,
    source: ValueOrigin,
}

enum ValueOrigin {
    /// A JSON pointer into the items of these lists.
    Item(&'static [&'static str], &'static str),
    /// A constant.
    Constant(&'static str),
    /// No list provides the value. The string describes the value's origin.
    Unavailable(&'static str),
}

const THREATS: &[&str] = &["threats_list", "threats_list_v2_0"];

const fn param(operation: &'static str, parameter: &'static str, source: ValueOrigin) -> ParamSource {
    ParamSource { operation, parameter, source }
}

/// The required parameters of all operations: path parameters, query parameters that the specification requires, and
/// those that only their description requires.
const PARAM_SOURCES: &[ParamSource] = &[
    param("accounts_get", "account_id", ValueOrigin::Item(&["accounts_list"], "/id")),
    param("agents_download", "activity_id", ValueOrigin::Unavailable("the activity of an upload")),
    param("agents_download", "agent_id", ValueOrigin::Unavailable("the agent of an upload")),
    param("agents_list_applications", "ids", ValueOrigin::Item(&["agents_list"], "/id")),
    param("deep_visibility_get_query_status", "queryId", ValueOrigin::Unavailable("a started query")),
    param("deep_visibility_list_events", "queryId", ValueOrigin::Unavailable("a started query")),
    param("deep_visibility_list_events_of_type", "event_type", ValueOrigin::Constant("process")),
    param("deep_visibility_list_events_of_type", "queryId", ValueOrigin::Unavailable("a started query")),
    param("deep_visibility_ping_power_query", "queryId", ValueOrigin::Unavailable("a started PowerQuery")),
    param("hashes_get_verdict", "hash", ValueOrigin::Item(&["threats_list"], "/threatInfo/sha1")),
    param("hashes_get_verdict", "hash", ValueOrigin::Item(&["threats_list_v2_0"], "/fileContentHash")),
    param("long_running_query_get", "id", ValueOrigin::Unavailable("a launched query")),
    param("long_running_query_get", "lastStepSeen", ValueOrigin::Constant("0")),
    param("remote_scripts_list_tasks", "parentTaskId", ValueOrigin::Unavailable("a started script task")),
    param("sites_get", "site_id", ValueOrigin::Item(&["sites_list"], "/id")),
    param("threats_get_cloud_download", "threat_id", ValueOrigin::Item(THREATS, "/id")),
    param("threats_list_notes", "threat_id", ValueOrigin::Item(THREATS, "/id")),
    param("threats_list_timeline", "threat_id", ValueOrigin::Item(THREATS, "/id")),
];

impl<'a> Probe<'a> {
    /// Creates a probe of the console of this client, with its API version and rate limits.
    pub fn new(client: &'a Client) -> Self {
        Self { client, params: BTreeMap::new() }
    }

    /// Sets a parameter value that no list provides, such as the `queryId` of a started query. `name` is a parameter,
    /// or an operation and a parameter with a dot: `deep_visibility_ping_power_query.queryId`.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.insert(name.into(), value.into());
        self
    }

    /// Returns the names that [`param`](Self::param) accepts.
    pub fn param_names() -> impl Iterator<Item = String> {
        PARAM_SOURCES.iter().flat_map(|entry| {
            [entry.parameter.to_owned(), format!("{}.{}", entry.operation, entry.parameter)]
        })
    }

    /// Returns the requests that do not depend on a response, in the order of sending.
    pub fn requests(&self) -> Vec<Request<Value>> {
        let operations = operations().filter(|operation| operation.supports(self.client.api_version()));
        let requests = operations.filter_map(|entry| self.request(entry, &CollectedValues::default()).ok());
        requests.collect()
    }

    /// Calls the operations one after the other, and passes a report for each one to `on_report`. After an error, the
    /// probe continues with the next operation. If the console is not reached or rejects the token, the remaining
    /// operations are skipped.
    pub async fn run(&self, mut on_report: impl FnMut(ProbeReport)) {
        let mut values = CollectedValues::default();
        let mut stop_reason = None;
        for operation in operations() {
            let start = Instant::now();
            let (outcome, findings) = match (&stop_reason, self.request(operation, &values)) {
                (_, Err(reason)) => (ProbeOutcome::Skipped(reason), Vec::new()),
                (Some(reason), Ok(_)) => (ProbeOutcome::Skipped(String::clone(reason)), Vec::new()),
                (None, Ok(request)) => self.call(&request, &mut values).await,
            };
            if let ProbeOutcome::Failed(error) = &outcome {
                stop_reason = match error.kind() {
                    ErrorKind::Connect => Some("the console was not reached".to_owned()),
                    _ if error.status() == Some(StatusCode::UNAUTHORIZED) => {
                        Some("the console rejected the token".to_owned())
                    }
                    _ => None,
                };
            }
            on_report(ProbeReport { operation, outcome, duration: start.elapsed(), findings });
        }
    }

    /// Returns the request of an operation, or the reason to skip it.
    fn request(
        &self,
        operation: &'static Operation,
        values: &CollectedValues,
    ) -> Result<Request<Value>, String> {
        if !operation.supports(self.client.api_version()) {
            let versions: Vec<_> = operation.versions.iter().map(|version| version.as_str()).collect();
            return Err(format!("requires API {}", versions.join(" or ")));
        }
        let spec = Contract::bundled().operation(operation.id);
        let mut parts = RequestParts::default();
        for parameter in required_params(operation, spec) {
            let value = self.value(operation, &parameter, values)?;
            match spec.and_then(|spec| spec.query_parameter(&parameter)) {
                Some(declared) => {
                    let list = Contract::bundled().type_of(&declared.schema) == Some("array");
                    let value = if list { json!([value]) } else { json!(value) };
                    parts.query.insert(parameter, value);
                }
                None => {
                    parts.path_params.insert(parameter, value);
                }
            }
        }
        if operation.query_field("limit").is_some() {
            parts.query.insert("limit".to_owned(), PAGE_SIZE.into());
        }
        sentinelone::raw::request_from_parts(operation.id, &parts).map_err(|error| match error {
            RequestPartsError::Request(error) => error.to_string(),
            other => format!("{other:?}"),
        })
    }

    fn value(
        &self,
        operation: &Operation,
        parameter: &str,
        values: &CollectedValues,
    ) -> Result<String, String> {
        let qualified = format!("{}.{parameter}", operation.id);
        if let Some(value) = self.params.get(&qualified).or_else(|| self.params.get(parameter)) {
            return Ok(value.clone());
        }
        let sources = || {
            PARAM_SOURCES
                .iter()
                .filter(|entry| entry.operation == operation.id && entry.parameter == parameter)
        };
        let value = sources().find_map(|entry| match entry.source {
            ValueOrigin::Item(lists, pointer) => {
                lists.iter().find_map(|list| values.0.get(&(*list, pointer))).cloned()
            }
            ValueOrigin::Constant(value) => Some(value.to_owned()),
            ValueOrigin::Unavailable(_) => None,
        });
        // The first value of an enum is not a secret of the tenant.
        let value =
            value.or_else(|| Some((*operation.query_field(parameter)?.enum_values.first()?).to_owned()));
        value.ok_or_else(|| match sources().next().map(|entry| &entry.source) {
            Some(ValueOrigin::Unavailable(origin)) => format!("no value for {parameter}: requires {origin}"),
            Some(ValueOrigin::Item(lists, _)) => {
                let list = lists.first().copied().unwrap_or_default();
                format!("no value for {parameter}: {list} returned no value")
            }
            _ => format!("no value for {parameter}: no list provides it"),
        })
    }

    async fn call(
        &self,
        request: &Request<Value>,
        values: &mut CollectedValues,
    ) -> (ProbeOutcome, Vec<Finding>) {
        let operation = request.operation();
        if operation.response_format != ResponseFormat::Json {
            // The start of a file is sufficient.
            let file = self.client.download(&request.clone().with_response_type()).await;
            return match file {
                Ok(_) => (ProbeOutcome::Responded(StatusCode::OK), Vec::new()),
                Err(error) => self.failed(request, error),
            };
        }
        match self.client.send(request).await {
            Ok(response) => {
                values.collect(operation, &response);
                let findings = self.check(request, response.status(), response.body());
                (ProbeOutcome::Responded(response.status()), findings)
            }
            Err(error) => self.failed(request, error),
        }
    }

    fn failed(&self, request: &Request<Value>, error: Error) -> (ProbeOutcome, Vec<Finding>) {
        let findings = match (error.status(), error.body()) {
            // Errors of gateways are not part of the API.
            (Some(status), Some(body))
                if status.as_u16() < 500 && status != StatusCode::TOO_MANY_REQUESTS =>
            {
                let mut findings = self.check(request, status, body);
                // The error has the status code, which depends on the token and not on the API.
                findings
                    .retain(|finding| status.is_success() || finding.rule != ContractRule::UndeclaredStatus);
                findings
            }
            _ => Vec::new(),
        };
        (ProbeOutcome::Failed(error), findings)
    }

    fn check(&self, request: &Request<Value>, status: StatusCode, body: &[u8]) -> Vec<Finding> {
        let Ok(path) = request.path(self.client.api_version()) else { return Vec::new() };
        let provenance = Provenance::new(ProvenanceKind::Recorded, "probe");
        let mut exchange = Exchange::new(format!("GET {path}"), status.as_u16(), provenance);
        exchange.request.query = request.query().into_iter().collect();
        match serde_json::from_slice(body) {
            Ok(response) => exchange.response = Some(response),
            Err(_) => exchange.response_text = Some(String::from_utf8_lossy(body).into_owned()),
        }
        let mut findings = super::check(&exchange);
        // The probe does not write a recording, so secrets are not findings.
        findings.retain(|finding| finding.rule != ContractRule::UnredactedSecret);
        findings
    }
}

/// Returns the operations of the probe, first those without required parameters. An operation of the tier `documented`
/// is not called: a program inferred that it only reads.
fn operations() -> impl Iterator<Item = &'static Operation> {
    let reads = sentinelone::raw::OPERATIONS.iter().copied().filter(|entry| entry.tier == Tier::Curated);
    let mut reads: Vec<_> =
        reads.filter(|entry| entry.method == Method::Get && entry.kind == OperationKind::Read).collect();
    reads.sort_by_key(|entry| !required_params(entry, Contract::bundled().operation(entry.id)).is_empty());
    reads.into_iter()
}

/// Returns the required parameters of an operation.
fn required_params(operation: &Operation, spec: Option<&OperationSpec>) -> Vec<String> {
    let mut names: Vec<String> = PARAM_SOURCES
        .iter()
        .filter(|entry| entry.operation == operation.id)
        .map(|entry| entry.parameter.to_owned())
        .collect();
    let required = spec.into_iter().flat_map(OperationSpec::parameters);
    names.extend(required.filter(|parameter| parameter.required).map(|parameter| parameter.name.clone()));
    names.sort();
    names.dedup();
    // The client sets the version of each path.
    names.retain(|name| name != "version");
    names
}

/// Values from responses: the first value by list and pointer.
#[derive(Default)]
struct CollectedValues(BTreeMap<(&'static str, &'static str), String>);

impl CollectedValues {
    fn collect(&mut self, operation: &'static Operation, response: &Value) {
        let items = response.pointer(&format!("/{}", operation.items.replace('.', "/")));
        let items = items.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for entry in PARAM_SOURCES {
            let ValueOrigin::Item(lists, pointer) = entry.source else { continue };
            let value = items.iter().find_map(|item| match item.pointer(pointer)? {
                Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
            if lists.contains(&operation.id)
                && let Some(value) = value
            {
                self.0.entry((operation.id, pointer)).or_insert(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each required parameter has a source or an enum, and each source refers to existing operations and parameters.
    #[test]
    fn param_sources_cover_every_required_param() {
        for operation in operations() {
            for name in required_params(operation, Contract::bundled().operation(operation.id)) {
                let sourced = PARAM_SOURCES
                    .iter()
                    .any(|entry| entry.operation == operation.id && entry.parameter == name);
                let is_enum = operation.query_field(&name).is_some_and(|field| !field.enum_values.is_empty());
                assert!(sourced || is_enum, "{} requires {name}", operation.id);
            }
        }
        for ParamSource { operation, parameter, source } in PARAM_SOURCES {
            let spec = Contract::bundled().operation(operation).unwrap();
            assert!(
                spec.parameters().iter().any(|entry| entry.name == *parameter),
                "{operation}: {parameter}"
            );
            let ValueOrigin::Item(lists, _) = source else { continue };
            for list in *lists {
                assert!(operations().any(|entry| entry.id == *list), "{list}");
            }
        }
    }
}
