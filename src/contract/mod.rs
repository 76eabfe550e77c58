//! Holds requests and answers to the specification that this client was generated from.
//!
//! [`check`](fn@check) tells where an exchange departs from the specification, as [`Finding`]s: with operation,
//! place, rule and [`Severity`]. [`fixture`] reads exchanges from files, [`har`] from what browsers and proxies
//! export. A test of your own recordings is five lines:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/system_get_status");
//! # if !std::path::Path::new(folder).exists() { return Ok(()); }
//! for (file, exchange) in sentinelone::contract::fixture::read_all(folder)? {
//!     for finding in sentinelone::contract::check(&exchange) {
//!         assert!(finding.is_drift(), "{}: {finding}", file.display());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Contract::bundled`] knows the specification, and [`check_request`](Contract::check_request) and
//! [`check_answer`](Contract::check_answer) hold the halves of an exchange to it. [`compare`](fn@compare) tells
//! what a value lost on its way through the client's types. [`Recording`] writes exchanges down, without what
//! belongs to people ([`Sanitizer`]). [`Probe`] asks a console everything that can be asked without changing
//! anything.
//!
//! ```
//! use sentinelone::contract::{Contract, FindingKind};
//!
//! let contract = Contract::bundled();
//! let found = contract.find("GET", "/web/api/v2.1/threats").unwrap();
//! let answer = br#"{"data": [{"id": "1", "mood": "calm"}], "pagination": {"totalItems": 1}}"#;
//! let findings = contract.check_answer(found.operation, 200, answer);
//! assert_eq!(findings[0].kind, FindingKind::UndeclaredField);
//! assert_eq!(findings[0].place, "answer.data[0].mood");
//! ```

mod compare;
mod coverage;
mod disguise;
mod finding;
pub mod fixture;
pub mod har;
mod operation;
mod path;
mod place;
mod probe;
mod query;
mod recording;
mod sanitize;
mod schema;
mod secrets;
mod spot;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{LazyLock, OnceLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use sentinelone_raw::runtime::{ApiVersion, Kind, Timestamp};
use serde_json::{Map, Value, json};

pub use compare::{Loss, compare};
pub use coverage::{Coverage, Seen};
pub use finding::{Finding, FindingKind, Part, Severity, UnknownRule};
pub use operation::{OperationSpec, Parameter};
pub use probe::{Probe, ProbeResult, Probed};
pub use recording::{Recording, RecordingError};
pub use sanitize::Sanitizer;

use operation::{Compiled, json_of};
use path::Template;
use schema::Schemas;

/// A specification that exchanges are held to.
#[derive(Debug, Default)]
pub struct Contract {
    schemas: Schemas,
    /// In the order in which a path is looked up: literal segments before names.
    operations: Vec<OperationSpec>,
}

/// The operation that a method and a path lead to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found<'a> {
    /// The operation.
    pub operation: &'a OperationSpec,
    /// The API version in the path, if it is a known one. That the operation exists on it is not said.
    pub version: Option<ApiVersion>,
    /// The values of the names in the path, decoded.
    pub path_values: BTreeMap<String, String>,
}

/// Why a document cannot serve as a contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// It is no OpenAPI document of version 3.0.
    #[error("this is no OpenAPI 3.0 document: {0}")]
    NotOpenApi(String),
    /// An operation lacks its identifier, or shares it with another one.
    #[error("{method} {path} has no identifier of its own")]
    Identifier {
        /// HTTP method.
        method: String,
        /// Path in the document.
        path: String,
    },
    /// A reference leads to no named schema of the document.
    #[error("the reference {0:?} leads nowhere")]
    Reference(String),
}

static BUNDLED: LazyLock<Contract> = LazyLock::new(|| {
    let document = serde_json::from_str(sentinelone_raw::OPENAPI).unwrap_or_default();
    // The document is part of the build and a test reads it, so the empty contract is never seen.
    Contract::from_document(document).unwrap_or_default()
});

/// Holds an exchange to the [bundled](Contract::bundled) specification: request, status and answer, and secrets
/// in what was recorded. No finding means that all of it is as the specification says.
pub fn check(exchange: &fixture::Exchange) -> Vec<Finding> {
    Contract::bundled().check_exchange(exchange)
}

impl Contract {
    /// The specification that this version of the client was generated from.
    pub fn bundled() -> &'static Contract {
        &BUNDLED
    }

    /// Reads a document: OpenAPI 3.0 with references to named schemas only. Without `servers` the paths
    /// stand below `/web/api/v{version}`.
    ///
    /// # Errors
    /// [`ContractError`] when the document is of another form.
    pub fn from_document(document: Value) -> Result<Contract, ContractError> {
        let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("3.0") {
            return Err(ContractError::NotOpenApi(format!("its version is {version:?}")));
        }
        let Some(paths) = document.get("paths").and_then(Value::as_object) else {
            return Err(ContractError::NotOpenApi("it has no paths".into()));
        };
        let schemas = Schemas::of(&document);
        check_references(&document, &schemas)?;
        let mut operations = Vec::new();
        let mut ids = BTreeSet::new();
        for (path, item) in paths {
            let full = full_path(&document, item, path);
            for method in ["get", "put", "post", "delete", "patch", "head", "options"] {
                let Some(node) = item.get(method) else { continue };
                let method = method.to_uppercase();
                let id = node.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
                if id.is_empty() || !ids.insert(id.clone()) {
                    return Err(ContractError::Identifier { method, path: path.clone() });
                }
                operations.push(operation(id, method, full.clone(), item, node.clone()));
            }
        }
        operations.sort_by_cached_key(|operation| operation.template.rank());
        Ok(Contract { schemas, operations })
    }

    /// The operation of a method and a full path such as `/web/api/v2.1/threats/123/notes`. A query
    /// after the path is left out of account. A path without names goes before one with names.
    pub fn find(&self, method: &str, path: &str) -> Option<Found<'_>> {
        self.matches(path).into_iter().find(|found| found.operation.method.eq_ignore_ascii_case(method))
    }

    /// The methods that a path takes; none when the specification does not have the path.
    pub fn methods(&self, path: &str) -> BTreeSet<&str> {
        self.matches(path).into_iter().map(|found| found.operation.method()).collect()
    }

    fn matches(&self, path: &str) -> Vec<Found<'_>> {
        let Some(segments) = path::segments(path) else { return Vec::new() };
        let version = segments.get(2).and_then(|segment| {
            let text = segment.strip_prefix('v')?;
            ApiVersion::ALL.iter().copied().find(|version| version.as_str() == text)
        });
        let found = self.operations.iter().filter_map(|operation| {
            let mut path_values = operation.template.values(&segments)?;
            path_values.remove("version");
            Some(Found { operation, version, path_values })
        });
        found.collect()
    }

    /// The operation of this identifier.
    pub fn operation(&self, id: &str) -> Option<&OperationSpec> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// All operations.
    pub fn operations(&self) -> impl Iterator<Item = &OperationSpec> {
        self.operations.iter()
    }

    /// The declared fields of an object schema, with references followed and `allOf` put together.
    pub fn properties<'a>(&'a self, schema: &'a Value) -> BTreeMap<&'a str, &'a Value> {
        self.schemas.properties(schema)
    }

    /// The schema of the elements of a list schema, or of the values of a map schema.
    pub fn items<'a>(&'a self, schema: &'a Value) -> Option<&'a Value> {
        self.schemas.items(schema)
    }

    /// The type that a schema declares: `string`, `array`, …
    pub fn type_of<'a>(&'a self, schema: &'a Value) -> Option<&'a str> {
        self.schemas.type_of(schema)
    }

    /// Holds a value to a schema of this specification as an answer would be. `place` is what the
    /// findings' places start with.
    pub fn check_value(&self, schema: &Value, value: &Value, place: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        violations(&self.compile(schema, Direction::Answer), value, place, &mut findings);
        self.schemas.undeclared(schema, value, place, &mut findings);
        findings
    }

    /// Holds a request to an operation: its path values, its query (names and decoded texts, in order)
    /// and its body. Everything that is not declared is a finding.
    pub fn check_request(
        &self,
        operation: &OperationSpec,
        path_values: &BTreeMap<String, String>,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.check_parameters(operation, path_values, query, &mut findings);
        let place = "request.body";
        let declared = operation.node.get("requestBody");
        match (operation.body_schema(), body) {
            (Some(schema), Some(body)) => {
                let validator =
                    operation.compiled.body.get_or_init(|| self.compile(schema, Direction::Request));
                violations(validator, body, place, &mut findings);
                self.schemas.undeclared(schema, body, place, &mut findings);
            }
            (None, Some(_)) => {
                let message = "the operation takes no JSON body";
                findings.push(Finding::new(FindingKind::UndeclaredField, place, message));
            }
            (_, None) if declared.and_then(|body| body.get("required")) == Some(&Value::Bool(true)) => {
                let message = "the operation needs a body";
                findings.push(Finding::new(FindingKind::MissingField, place, message));
            }
            (_, None) => {}
        }
        findings
    }

    fn check_parameters(
        &self,
        operation: &OperationSpec,
        path_values: &BTreeMap<String, String>,
        query: &[(String, String)],
        findings: &mut Vec<Finding>,
    ) {
        let mut seen = BTreeSet::new();
        for (name, _) in query {
            let mut place = "request.query".to_owned();
            place::field(&mut place, name);
            if operation.query_parameter(name).is_none() {
                let message = "the operation has no such parameter";
                findings.push(Finding::new(FindingKind::UndeclaredParameter, place, message));
            } else if !seen.insert(name) {
                let message = "given more than once; the items of a list stand in one value, with commas";
                findings.push(Finding::new(FindingKind::RepeatedParameter, place, message));
            }
        }
        for parameter in operation.parameters.iter().filter(|parameter| parameter.required) {
            let (root, given) = match parameter.in_path {
                true => ("request.path", path_values.contains_key(&parameter.name)),
                false => ("request.query", query.iter().any(|(name, _)| *name == parameter.name)),
            };
            if !given {
                let mut place = root.to_owned();
                place::field(&mut place, &parameter.name);
                findings.push(Finding::new(FindingKind::MissingParameter, place, "required, but absent"));
            }
        }
        let query = Value::Object(self.query_to_json(operation, query));
        let validator = operation
            .compiled
            .query
            .get_or_init(|| self.compile(&object_of(operation, false), Direction::Request));
        violations(validator, &query, "request.query", findings);

        let pairs: Vec<_> = path_values.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let path = Value::Object(self.typed(operation, true, &pairs));
        let validator = operation
            .compiled
            .path
            .get_or_init(|| self.compile(&object_of(operation, true), Direction::Request));
        violations(validator, &path, "request.path", findings);
    }

    /// The query as JSON, typed as the parameters declare: lists as arrays, flags and numbers as such.
    /// What does not read as its type stays text, and so do undeclared parameters; of a name that is
    /// given twice the first value counts.
    pub fn query_to_json(&self, operation: &OperationSpec, query: &[(String, String)]) -> Map<String, Value> {
        self.typed(operation, false, query)
    }

    fn typed(
        &self,
        operation: &OperationSpec,
        in_path: bool,
        pairs: &[(String, String)],
    ) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, text) in pairs {
            let mut parameters = operation.parameters.iter();
            let parameter = parameters.find(|p| p.in_path == in_path && p.name == *name);
            let value = match parameter {
                Some(parameter) => query::read(&self.schemas, &parameter.schema, text),
                None => Value::String(text.clone()),
            };
            map.entry(name).or_insert(value);
        }
        map
    }

    /// Holds an answer to an operation.
    ///
    /// An undeclared status is the only finding on a failure; an undeclared success is not looked into
    /// either. An empty body passes for an action, which has nothing to say. Times in answers may lack
    /// their zone, as some do.
    pub fn check_answer(&self, operation: &OperationSpec, status: u16, body: &[u8]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some((key, answer)) = operation.answer(status) else {
            let message = format!("the operation declares no answer of status {status}");
            findings.push(Finding::new(FindingKind::UndeclaredStatus, "answer.status", message));
            return findings;
        };
        let Some(schema) = json_of(answer) else { return findings };
        if body.trim_ascii().is_empty() {
            if operation.kind() == Kind::Read {
                findings.push(Finding::new(FindingKind::NotJson, "answer", "the body is empty"));
            }
            return findings;
        }
        let value: Value = match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(error) => {
                findings.push(Finding::new(FindingKind::NotJson, "answer", error.to_string()));
                return findings;
            }
        };
        match operation.compiled.answers.get(key) {
            Some(cell) => {
                let validator = cell.get_or_init(|| self.compile(schema, Direction::Answer));
                violations(validator, &value, "answer", &mut findings);
            }
            None => violations(&self.compile(schema, Direction::Answer), &value, "answer", &mut findings),
        }
        self.schemas.undeclared(schema, &value, "answer", &mut findings);
        for finding in &mut findings {
            let notice = matches!(finding.place.as_str(), "answer.deprecation_date" | "answer.sunset_date");
            if notice && finding.kind == FindingKind::UndeclaredField {
                finding.kind = FindingKind::Deprecation;
                let date = finding.place.strip_prefix("answer.").and_then(|key| value.get(key));
                finding.message = format!("the console announces {}", short(date.unwrap_or(&Value::Null)));
            }
        }
        findings
    }

    /// Whether the operation exists on the API version in the path. A path that leaves the version open says
    /// nothing about it.
    fn check_version(&self, found: &Found<'_>, path: &str) -> Option<Finding> {
        if found.version.is_some_and(|version| found.operation.versions.contains(&version)) {
            return None;
        }
        let segment = path::segments(path)?.into_iter().nth(2).unwrap_or_default();
        if segment.contains('{') || !found.operation.path.contains("{version}") {
            return None;
        }
        let message = format!("the operation does not exist on {segment:?}");
        Some(Finding::new(FindingKind::UndeclaredVersion, "request.path", message))
    }

    /// Holds a whole exchange to the contract: [`Exchange::check`](fixture::Exchange::check), with a finding
    /// for an operation that the specification does not have. What stands in the place of a secret is not
    /// quoted.
    pub fn check_exchange(&self, exchange: &fixture::Exchange) -> Vec<Finding> {
        exchange.check(self).unwrap_or_else(|| {
            let message = format!("there is no operation {} {}", exchange.method(), exchange.path());
            let mut findings = vec![Finding::new(FindingKind::UndeclaredOperation, "request.path", message)];
            findings.extend(self.check_secrets(exchange));
            // What is not known has no names for what stands in it.
            let secret = spot::holds_jwt(&exchange.operation);
            settled(findings, if secret { exchange.method() } else { &exchange.operation })
        })
    }

    fn compile(&self, schema: &Value, direction: Direction) -> Result<Validator, String> {
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let options = match direction {
            Direction::Request => options,
            // Consoles leave out the zone now and then, and the client reads that.
            Direction::Answer => {
                options.with_format("date-time", |text: &str| Timestamp::from(text).to_utc().is_some())
            }
        };
        options.build(&self.schemas.json_schema(schema)).map_err(|error| error.to_string())
    }
}

/// The findings of an exchange, with its operation, and without what stands where a secret was found.
fn settled(findings: Vec<Finding>, operation: &str) -> Vec<Finding> {
    let secret: BTreeSet<String> = findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::Secret)
        .map(|finding| finding.place.clone())
        .collect();
    let settled = |finding: Finding| {
        let finding = if secret.contains(&finding.place) { finding.covered() } else { finding };
        finding.of(operation)
    };
    findings.into_iter().map(settled).collect()
}

#[derive(Clone, Copy)]
enum Direction {
    Request,
    Answer,
}

fn operation(id: String, method: String, path: String, item: &Value, node: Value) -> OperationSpec {
    let lists = [node.get("parameters"), item.get("parameters")];
    let mut parameters: Vec<Parameter> = Vec::new();
    for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
        let in_path = match text("in") {
            "path" => true,
            "query" => false,
            _ => continue,
        };
        // What the operation says goes before what its path says for all of its methods.
        if parameters.iter().any(|other| other.in_path == in_path && other.name == text("name")) {
            continue;
        }
        parameters.push(Parameter {
            name: text("name").to_owned(),
            in_path,
            required: in_path || parameter.get("required") == Some(&Value::Bool(true)),
            schema: parameter.get("schema").cloned().unwrap_or_default(),
            x_s1: parameter.get("x-s1").cloned().unwrap_or_default(),
        });
    }
    let versions = node.pointer("/x-s1/versions").and_then(Value::as_array);
    let versions = match versions {
        None => ApiVersion::ALL.to_vec(),
        Some(named) => {
            let all = ApiVersion::ALL.iter().copied();
            all.filter(|version| named.iter().any(|name| name == version.as_str())).collect()
        }
    };
    let answers = node.get("responses").and_then(Value::as_object).into_iter().flatten();
    let answers = answers.map(|(status, _)| (status.clone(), OnceLock::new())).collect();
    let template = Template::new(&path);
    let compiled = Compiled { answers, ..Compiled::default() };
    OperationSpec { id, method, path, template, versions, node, parameters, compiled }
}

/// The path from the root of the console: that of the server, then that of the document.
fn full_path(document: &Value, item: &Value, path: &str) -> String {
    let server = |node: &Value| Some(node.pointer("/servers/0/url")?.as_str()?.to_owned());
    let url = server(item).or_else(|| server(document));
    let url = url.unwrap_or_else(|| "https://{console}/web/api/v{version}".into());
    let after_scheme = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let base = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    format!("{}{path}", base.trim_end_matches('/'))
}

fn check_references(node: &Value, schemas: &Schemas) -> Result<(), ContractError> {
    match node {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref")
                && schemas.get(reference).is_none()
            {
                return Err(ContractError::Reference(reference.clone()));
            }
            fields.values().try_for_each(|value| check_references(value, schemas))
        }
        Value::Array(items) => items.iter().try_for_each(|value| check_references(value, schemas)),
        _ => Ok(()),
    }
}

/// The parameters as an object schema. What is required is checked apart, for a kind of its own.
fn object_of(operation: &OperationSpec, in_path: bool) -> Value {
    let parameters = operation.parameters.iter().filter(|parameter| parameter.in_path == in_path);
    let properties: Map<String, Value> = parameters.map(|p| (p.name.clone(), p.schema.clone())).collect();
    json!({ "type": "object", "properties": properties })
}

fn violations(validator: &Result<Validator, String>, value: &Value, root: &str, findings: &mut Vec<Finding>) {
    let validator = match validator {
        Ok(validator) => validator,
        Err(error) => {
            let message = format!("the specification's own schema cannot be used: {error}");
            findings.push(Finding::new(FindingKind::Violation, root, message));
            return;
        }
    };
    let mut places: HashMap<String, usize> = HashMap::new();
    for error in validator.iter_errors(value) {
        let mut place = place::of_pointer(root, value, error.instance_path().as_str());
        let finding = classify(&error, &mut place);
        let found = Finding::new(finding.0, place, finding.1);
        // A value of the wrong type breaks the rules about its text as well; one finding says enough.
        let earlier = places.get(&found.place).copied();
        match earlier.map(|at| &mut findings[at]) {
            Some(earlier) if found.kind == FindingKind::WrongType => *earlier = found,
            Some(earlier) if earlier.kind == FindingKind::WrongType => {}
            Some(earlier) if earlier.kind == found.kind => {}
            _ => {
                places.entry(found.place.clone()).or_insert(findings.len());
                findings.push(found);
            }
        }
    }
}

fn classify(error: &ValidationError<'_>, place: &mut String) -> (FindingKind, String) {
    use ValidationErrorKind as Error;
    let instance = error.instance();
    let kind = match error.kind() {
        Error::Type { .. } | Error::Enum { .. } if instance.is_null() => {
            return (FindingKind::UndeclaredNull, "null is not declared here".into());
        }
        Error::Enum { .. } => {
            let message = format!("{} is not among the declared values", short(instance));
            return (FindingKind::UndeclaredEnumValue, message);
        }
        Error::Required { property } => {
            place::field(place, property.as_str().unwrap_or_default());
            return (FindingKind::MissingField, "required, but absent".into());
        }
        Error::Type { .. } => FindingKind::WrongType,
        Error::Format { .. } | Error::Pattern { .. } => FindingKind::WrongFormat,
        Error::Minimum { .. }
        | Error::Maximum { .. }
        | Error::ExclusiveMinimum { .. }
        | Error::ExclusiveMaximum { .. }
        | Error::MultipleOf { .. }
        | Error::MinLength { .. }
        | Error::MaxLength { .. }
        | Error::MinItems { .. }
        | Error::MaxItems { .. }
        | Error::MinProperties { .. }
        | Error::MaxProperties { .. } => FindingKind::OutOfBounds,
        _ => FindingKind::Violation,
    };
    (kind, error.masked_with(short(instance)).to_string())
}

/// A value for a message: what is long is only named.
fn short(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {} items", items.len()),
        Value::Object(_) => "an object".into(),
        Value::String(text) if text.chars().count() > 60 => {
            format!("{:?}…", text.chars().take(60).collect::<String>())
        }
        other => other.to_string(),
    }
}
