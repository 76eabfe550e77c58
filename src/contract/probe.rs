//! Asks a console everything that can be asked without changing anything, and holds the answers to the
//! specification.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::StatusCode;
use sentinelone_raw::runtime::{AnswerForm, Kind, Method, Operation, Parts, PartsError, Request};
use serde_json::{Value, json};

use super::fixture::{Exchange, Provenance, ProvenanceKind};
use super::{Contract, Finding, FindingKind, OperationSpec};
use crate::{Client, Error, ErrorKind};

/// Items of a list that are asked for: enough to see their form.
const ITEMS: u64 = 2;

/// Asks every `GET` operation that reads once, first those that need nothing, then those that need an
/// identifier, with one of an answer on the way. Nothing else than `GET` is sent, and nothing is guessed: what
/// needs something that no list tells is not called, unless it is [given](Self::given).
///
/// ```no_run
/// use sentinelone::contract::Probe;
///
/// # async fn example(client: sentinelone::Client) {
/// Probe::new(&client)
///     .run(|probed| {
///         for finding in &probed.findings {
///             println!("{}: {finding}", probed.operation.id);
///         }
///     })
///     .await;
/// # }
/// ```
#[derive(Debug)]
pub struct Probe<'a> {
    client: &'a Client,
    given: BTreeMap<String, String>,
}

/// What became of an operation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Probed {
    /// The operation.
    pub operation: &'static Operation,
    /// What came of it.
    pub result: ProbeResult,
    /// How long it took, with waits for the console's rates and repetitions.
    pub time: Duration,
    /// Where the answer departs from the specification.
    pub findings: Vec<Finding>,
}

/// What came of an operation that was to be asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProbeResult {
    /// It was answered.
    Answered(StatusCode),
    /// It was answered with an error, or not at all.
    Failed(Error),
    /// It was not called, and why.
    NotCalled(String),
}

/// Something that an operation needs beside its version: where it is found.
struct Need {
    operation: &'static str,
    parameter: &'static str,
    source: Source,
}

enum Source {
    /// Under this pointer in an item of these lists.
    Item(&'static [&'static str], &'static str),
    /// Always the same.
    Constant(&'static str),
    /// No list tells it; what it would be.
    Nowhere(&'static str),
}

const THREATS: &[&str] = &["threats_list", "threats_list_v2_0"];

const fn need(operation: &'static str, parameter: &'static str, source: Source) -> Need {
    Need { operation, parameter, source }
}

/// The needs of all operations: the names in their paths, the parameters that the specification requires, and
/// those that only its text does.
const NEEDS: &[Need] = &[
    need("accounts_get", "account_id", Source::Item(&["accounts_list"], "/id")),
    need("agents_download", "activity_id", Source::Nowhere("the activity that tells of an upload")),
    need("agents_download", "agent_id", Source::Nowhere("the agent of that activity")),
    need("agents_list_applications", "ids", Source::Item(&["agents_list"], "/id")),
    need("deep_visibility_get_query_status", "queryId", Source::Nowhere("a query, which has to be started")),
    need("deep_visibility_list_events", "queryId", Source::Nowhere("a query, which has to be started")),
    need("deep_visibility_list_events_of_type", "event_type", Source::Constant("process")),
    need(
        "deep_visibility_list_events_of_type",
        "queryId",
        Source::Nowhere("a query, which has to be started"),
    ),
    need(
        "deep_visibility_ping_power_query",
        "queryId",
        Source::Nowhere("a power query, which has to be started"),
    ),
    need("hashes_get_verdict", "hash", Source::Item(&["threats_list"], "/threatInfo/sha1")),
    need("hashes_get_verdict", "hash", Source::Item(&["threats_list_v2_0"], "/fileContentHash")),
    need(
        "remote_scripts_list_tasks",
        "parentTaskId",
        Source::Nowhere("the run of a script, which has to be started"),
    ),
    need("sites_get", "site_id", Source::Item(&["sites_list"], "/id")),
    need("threats_get_cloud_download", "threat_id", Source::Item(THREATS, "/id")),
    need("threats_list_notes", "threat_id", Source::Item(THREATS, "/id")),
    need("threats_list_timeline", "threat_id", Source::Item(THREATS, "/id")),
];

impl<'a> Probe<'a> {
    /// A probe of the console of this client, on its version of the API and within its rates.
    pub fn new(client: &'a Client) -> Self {
        Self { client, given: BTreeMap::new() }
    }

    /// A value that no list tells, such as the `queryId` of a query that was started before. `name` is that of
    /// the parameter, or operation and parameter with a dot: `deep_visibility_ping_power_query.queryId`.
    #[must_use]
    pub fn given(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.insert(name.into(), value.into());
        self
    }

    /// The names that [`given`](Self::given) takes.
    pub fn names() -> impl Iterator<Item = String> {
        NEEDS
            .iter()
            .flat_map(|need| [need.parameter.to_owned(), format!("{}.{}", need.operation, need.parameter)])
    }

    /// The requests that are known before anything is asked, in their order.
    pub fn requests(&self) -> Vec<Request<Value>> {
        let operations = operations().filter(|operation| operation.is_in(self.client.api_version()));
        let requests = operations.filter_map(|one| self.request(one, &Found::default()).ok());
        requests.collect()
    }

    /// Asks, one operation after the other, and hands out what became of each. An error ends nothing but its
    /// own call; only when the console cannot be reached, or does not take the token, the others are not
    /// called.
    pub async fn run(&self, mut each: impl FnMut(Probed)) {
        let mut found = Found::default();
        let mut hopeless = None;
        for operation in operations() {
            let begun = Instant::now();
            let (result, findings) = match (&hopeless, self.request(operation, &found)) {
                (_, Err(why)) => (ProbeResult::NotCalled(why), Vec::new()),
                (Some(why), Ok(_)) => (ProbeResult::NotCalled(String::clone(why)), Vec::new()),
                (None, Ok(request)) => self.call(&request, &mut found).await,
            };
            if let ProbeResult::Failed(error) = &result {
                hopeless = match error.kind() {
                    ErrorKind::Connect => Some("the console was not reached".to_owned()),
                    _ if error.status() == Some(StatusCode::UNAUTHORIZED) => {
                        Some("the console does not take the token".to_owned())
                    }
                    _ => None,
                };
            }
            each(Probed { operation, result, time: begun.elapsed(), findings });
        }
    }

    /// The request of an operation, or why there is none.
    fn request(&self, operation: &'static Operation, found: &Found) -> Result<Request<Value>, String> {
        if !operation.is_in(self.client.api_version()) {
            let versions: Vec<_> = operation.versions.iter().map(|version| version.as_str()).collect();
            return Err(format!("needs API {}", versions.join(" or ")));
        }
        let spec = Contract::bundled().operation(operation.id);
        let mut parts = Parts::default();
        for parameter in needed(operation, spec) {
            let value = self.value(operation, &parameter, found)?;
            match spec.and_then(|spec| spec.query_parameter(&parameter)) {
                Some(declared) => {
                    let list = Contract::bundled().type_of(&declared.schema) == Some("array");
                    let value = if list { json!([value]) } else { json!(value) };
                    parts.query.insert(parameter, value);
                }
                None => {
                    parts.segments.insert(parameter, value);
                }
            }
        }
        if operation.query_field("limit").is_some() {
            parts.query.insert("limit".to_owned(), ITEMS.into());
        }
        sentinelone_raw::request_of(operation.id, &parts).map_err(|error| match error {
            PartsError::Request(error) => error.to_string(),
            other => format!("{other:?}"),
        })
    }

    fn value(&self, operation: &Operation, parameter: &str, found: &Found) -> Result<String, String> {
        let qualified = format!("{}.{parameter}", operation.id);
        if let Some(given) = self.given.get(&qualified).or_else(|| self.given.get(parameter)) {
            return Ok(given.clone());
        }
        let needs =
            || NEEDS.iter().filter(|need| need.operation == operation.id && need.parameter == parameter);
        let known = needs().find_map(|need| match need.source {
            Source::Item(lists, pointer) => {
                lists.iter().find_map(|list| found.0.get(&(*list, pointer))).cloned()
            }
            Source::Constant(value) => Some(value.to_owned()),
            Source::Nowhere(_) => None,
        });
        // What has to be one of a few words is none of the tenant's secrets: the first of them.
        let known = known.or_else(|| Some((*operation.query_field(parameter)?.known.first()?).to_owned()));
        known.ok_or_else(|| match needs().next().map(|need| &need.source) {
            Some(Source::Nowhere(what)) => format!("{parameter} is not known: that of {what}"),
            Some(Source::Item(lists, _)) => {
                format!("{parameter} is not known: {} has none", lists.first().copied().unwrap_or_default())
            }
            _ => format!("{parameter} is not known: no list is known to have one"),
        })
    }

    async fn call(&self, request: &Request<Value>, found: &mut Found) -> (ProbeResult, Vec<Finding>) {
        let operation = request.operation();
        if operation.answer != AnswerForm::Json {
            // Of a file the beginning says enough.
            let file = self.client.download(&request.clone().answering()).await;
            return match file {
                Ok(_) => (ProbeResult::Answered(StatusCode::OK), Vec::new()),
                Err(error) => self.failed(request, error),
            };
        }
        match self.client.send(request).await {
            Ok(answer) => {
                found.look(operation, &answer);
                let findings = self.check(request, answer.status(), answer.body());
                (ProbeResult::Answered(answer.status()), findings)
            }
            Err(error) => self.failed(request, error),
        }
    }

    fn failed(&self, request: &Request<Value>, error: Error) -> (ProbeResult, Vec<Finding>) {
        let findings = match (error.status(), error.body()) {
            // What gateways say is not the API's.
            (Some(status), Some(body))
                if status.as_u16() < 500 && status != StatusCode::TOO_MANY_REQUESTS =>
            {
                let mut findings = self.check(request, status, body);
                // The status is told as what it is. It says something of the token, and nothing new of the API.
                findings
                    .retain(|finding| status.is_success() || finding.kind != FindingKind::UndeclaredStatus);
                findings
            }
            _ => Vec::new(),
        };
        (ProbeResult::Failed(error), findings)
    }

    fn check(&self, request: &Request<Value>, status: StatusCode, body: &[u8]) -> Vec<Finding> {
        let Ok(path) = request.path(self.client.api_version()) else { return Vec::new() };
        let provenance = Provenance::new(ProvenanceKind::Recorded, "probe");
        let mut exchange = Exchange::new(format!("GET {path}"), status.as_u16(), provenance);
        exchange.request.query = request.query().into_iter().collect();
        match serde_json::from_slice(body) {
            Ok(answer) => exchange.response = Some(answer),
            Err(_) => exchange.response_text = Some(String::from_utf8_lossy(body).into_owned()),
        }
        let mut findings = super::check(&exchange);
        // It is the console itself, and no recording that somebody may read.
        findings.retain(|finding| finding.kind != FindingKind::Secret);
        findings
    }
}

/// The operations that are asked, those without needs first.
fn operations() -> impl Iterator<Item = &'static Operation> {
    let reads = sentinelone_raw::OPERATIONS.iter().copied();
    let mut reads: Vec<_> = reads.filter(|one| one.method == Method::Get && one.kind == Kind::Read).collect();
    reads.sort_by_key(|one| !needed(one, Contract::bundled().operation(one.id)).is_empty());
    reads.into_iter()
}

/// The parameters that an operation cannot be asked without.
fn needed(operation: &Operation, spec: Option<&OperationSpec>) -> Vec<String> {
    let mut names: Vec<String> = NEEDS
        .iter()
        .filter(|need| need.operation == operation.id)
        .map(|need| need.parameter.to_owned())
        .collect();
    let required = spec.into_iter().flat_map(OperationSpec::parameters);
    names.extend(required.filter(|parameter| parameter.required).map(|parameter| parameter.name.clone()));
    names.sort();
    names.dedup();
    // It is part of every path, and no need.
    names.retain(|name| name != "version");
    names
}

/// What the answers on the way tell: by list and pointer, the first value.
#[derive(Default)]
struct Found(BTreeMap<(&'static str, &'static str), String>);

impl Found {
    fn look(&mut self, operation: &'static Operation, answer: &Value) {
        let items = answer.pointer(&format!("/{}", operation.items.replace('.', "/")));
        let items = items.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for need in NEEDS {
            let Source::Item(lists, pointer) = need.source else { continue };
            let text = items.iter().find_map(|item| match item.pointer(pointer)? {
                Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
            if lists.contains(&operation.id)
                && let Some(text) = text
            {
                self.0.entry((operation.id, pointer)).or_insert(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new operation that needs something says here where that is found, and what is said here is about
    /// operations and parameters that there are.
    #[test]
    fn every_need_is_in_the_table_and_the_table_is_true() {
        for operation in operations() {
            for name in needed(operation, Contract::bundled().operation(operation.id)) {
                let known = NEEDS.iter().any(|need| need.operation == operation.id && need.parameter == name);
                let words = operation.query_field(&name).is_some_and(|field| !field.known.is_empty());
                assert!(known || words, "{} needs {name}", operation.id);
            }
        }
        for Need { operation, parameter, source } in NEEDS {
            let spec = Contract::bundled().operation(operation).unwrap();
            assert!(spec.parameters().iter().any(|one| one.name == *parameter), "{operation}: {parameter}");
            let Source::Item(lists, _) = source else { continue };
            for list in *lists {
                assert!(operations().any(|one| one.id == *list), "{list}");
            }
        }
    }
}
