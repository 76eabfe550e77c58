//! A specification, with the checks of requests and responses against it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bytes::Bytes;
use sentinelone::raw::runtime::{ApiVersion, OperationKind};
use serde_json::{Map, Value, json};

use super::finding::{ContractRule, Finding};
use super::form::FormField;
use super::operation::{OperationSpec, Parameter, ParameterLocation, json_schema_of};
use super::response_check::{BodyFindings, DeclaredBody, check_body};
use super::schema::{self, Node, Schemas};
use super::secret_search::text_secrets;
use super::tolerance::{self, DeclaredRequest};
use super::validation::{Direction, compile, validate};
use super::{form, location, path, query};

/// A specification to validate exchanges against.
#[derive(Debug, Default)]
pub struct Contract {
    pub(super) schemas: Schemas,
    /// In match order: paths with literal segments before paths with parameters.
    pub(super) operations: Vec<OperationSpec>,
}

/// The operation that matches a method and a path.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationMatch<'a> {
    /// The operation.
    pub operation: &'a OperationSpec,
    /// The API version in the path, if it is a supported one. The operation may not exist in this version.
    pub version: Option<ApiVersion>,
    /// The decoded values of the path parameters.
    pub path_values: BTreeMap<String, String>,
}

/// The error of reading a [`Contract`] from a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// The document is not OpenAPI 3.0.
    #[error("not an OpenAPI 3.0 document: {0}")]
    NotOpenApi(String),
    /// The `operationId` of an operation is missing or not unique.
    #[error("{method} {path}: operationId is missing or not unique")]
    Identifier {
        /// The HTTP method.
        method: String,
        /// The path in the document.
        path: String,
    },
    /// A reference does not point to a named schema of the document.
    #[error("unresolved reference {0:?}")]
    Reference(String),
}

static BUNDLED: LazyLock<Contract> = LazyLock::new(Contract::with_positions);

impl Contract {
    /// Returns the specification that this version of the client is generated from.
    pub fn bundled() -> &'static Contract {
        &BUNDLED
    }

    /// Reads an OpenAPI 3.0 document with references to named schemas only. Without `servers`, the paths are
    /// below `/web/api/v{version}`.
    ///
    /// # Errors
    /// Returns a [`ContractError`] if the document has another format.
    pub fn from_document(mut document: Value) -> Result<Contract, ContractError> {
        let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("3.0") {
            return Err(ContractError::NotOpenApi(format!("version {version:?}")));
        }
        schema::join_null(&mut document);
        let Some(paths) = document.get("paths").and_then(Value::as_object) else {
            return Err(ContractError::NotOpenApi("paths are missing".into()));
        };
        let schemas = Schemas::from_document(&document);
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
                operations.push(OperationSpec::parsed(id, method, full.clone(), item, node.clone()));
            }
        }
        Ok(Self::new(schemas, operations))
    }

    /// Returns the bundled document. Its operations and schemas are parsed on first use, so that a start does not depend on
    /// their number.
    pub(super) fn with_positions() -> Self {
        // Both lists have all operations, sorted by ID: this crate enables all features.
        let positions = sentinelone::raw::positions::OPERATIONS.iter();
        let operations = sentinelone::raw::OPERATIONS.iter().zip(positions);
        let operations = operations.map(|(operation, (_, start, end))| {
            OperationSpec::bundled(operation, Node::bundled(*start, *end))
        });
        Self::new(Schemas::bundled(), operations.collect())
    }

    fn new(schemas: Schemas, mut operations: Vec<OperationSpec>) -> Self {
        operations.sort_by_cached_key(|operation| path::rank(operation.path()));
        Self { schemas, operations }
    }

    /// Returns the operation that matches a method and a full path such as `/web/api/v2.1/threats/123/notes`; `None` if
    /// no operation matches. A query after the path is ignored. A literal path takes precedence over a path with
    /// parameters.
    pub fn match_operation(&self, method: &str, path: &str) -> Option<OperationMatch<'_>> {
        self.matches(path).into_iter().find(|found| found.operation.method().eq_ignore_ascii_case(method))
    }

    /// Returns the methods that a path allows; empty if the specification does not have the path.
    pub fn allowed_methods(&self, path: &str) -> BTreeSet<&str> {
        self.matches(path).into_iter().map(|found| found.operation.method()).collect()
    }

    fn matches(&self, path: &str) -> Vec<OperationMatch<'_>> {
        let Some(segments) = path::segments(path) else { return Vec::new() };
        let version = segments.get(2).and_then(|segment| {
            let text = segment.strip_prefix('v')?;
            ApiVersion::ALL.iter().copied().find(|version| version.as_str() == text)
        });
        let found = self.operations.iter().filter_map(|operation| {
            let mut path_values = path::values(operation.path(), &segments)?;
            path_values.remove("version");
            // The version of the API is only in paths below `/web/api`.
            let is_versioned = operation.path().starts_with("/web/api/");
            let version = if is_versioned { version } else { operation.versions().last().copied() };
            Some(OperationMatch { operation, version, path_values })
        });
        found.collect()
    }

    /// Returns the operation with this ID.
    pub fn operation(&self, id: &str) -> Option<&OperationSpec> {
        self.operations.iter().find(|operation| operation.id() == id)
    }

    /// Returns all operations.
    pub fn operations(&self) -> impl Iterator<Item = &OperationSpec> {
        self.operations.iter()
    }

    pub(super) fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// Returns the declared properties of an object schema. References are resolved and `allOf` is merged.
    pub fn properties<'a>(&'a self, schema: &'a Value) -> BTreeMap<&'a str, &'a Value> {
        self.schemas.properties(schema)
    }

    /// Returns the schema of the items of an array schema, or of the values of a map schema.
    pub fn items<'a>(&'a self, schema: &'a Value) -> Option<&'a Value> {
        self.schemas.items(schema)
    }

    /// Returns the declared type of a schema: `string`, `array`, …
    pub fn type_of<'a>(&'a self, schema: &'a Value) -> Option<&'a str> {
        self.schemas.type_of(schema)
    }

    /// Validates a value of a response against a schema of this specification. `location` is the prefix of the
    /// locations of the findings.
    pub fn check_value(&self, schema: &Value, value: &Value, location: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        validate(&compile(&self.schemas, schema, Direction::Response), value, location, &mut findings);
        self.schemas.undeclared(schema, value, location, None, &mut findings);
        findings
    }

    /// Validates a request against an operation: path values, query (names and decoded values, in order) and body.
    /// Undeclared values are findings. Forms that published clients send and the console takes are findings of the
    /// rule [`ToleratedForm`](ContractRule::ToleratedForm).
    pub fn check_request(
        &self,
        operation: &OperationSpec,
        path_values: &BTreeMap<String, String>,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<Finding> {
        self.check_declared(operation, path_values, query, body).findings
    }

    /// Validates the headers of a request that are parameters of the operation. Other headers are ignored.
    pub fn check_headers(
        &self,
        operation: &OperationSpec,
        headers: &BTreeMap<String, String>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for parameter in operation.parameters().iter().filter(|parameter| parameter.is_in_header()) {
            let mut sent = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&parameter.name));
            let mut location = ParameterLocation::Header.root().to_owned();
            location::field(&mut location, &parameter.name);
            match sent.next() {
                None if parameter.required => findings.push(missing(parameter)),
                None => {}
                Some((_, text)) => {
                    let value = query::to_json(&self.schemas, &parameter.schema, text);
                    let validator = compile(&self.schemas, &parameter.schema, Direction::Request);
                    validate(&validator, &value, &location, &mut findings);
                }
            }
        }
        findings
    }

    /// Returns the fields of a form (`multipart/form-data`) as an object of the declared types, in which a file is its
    /// name. `content_type` is the header `Content-Type`, which has the boundary.
    ///
    /// # Errors
    /// Returns a description of the error if the body is not a form, or the operation has none.
    pub fn form_to_json(
        &self,
        operation: &OperationSpec,
        content_type: &str,
        body: Bytes,
    ) -> Result<Value, String> {
        self.form_of_fields(operation, form::fields(content_type, body)?)
    }

    pub(super) fn form_of_fields(
        &self,
        operation: &OperationSpec,
        fields: Vec<FormField>,
    ) -> Result<Value, String> {
        let schema = operation.body_schema().filter(|_| operation.has_form());
        let schema = schema.ok_or_else(|| "the operation has no form".to_owned())?;
        Ok(form::to_json(&self.schemas, schema, fields))
    }

    /// Validates a request like [`check_request`](Self::check_request), and returns it in the declared forms with the
    /// findings. A server that tolerates what the console tolerates continues with these forms.
    pub fn check_declared(
        &self,
        operation: &OperationSpec,
        path_values: &BTreeMap<String, String>,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> DeclaredRequest {
        let mut request = DeclaredRequest::new(&self.schemas, operation, query, body);
        let mut findings = std::mem::take(&mut request.findings);
        self.check_parameters(operation, path_values, query, &request.query, &mut findings);
        let location = "request.body";
        let declared = operation.as_json().get("requestBody");
        match (operation.body_schema(), &request.body) {
            (Some(schema), Some(body)) => {
                let validator = operation
                    .validators()
                    .body
                    .get_or_init(|| compile(&self.schemas, schema, Direction::Request));
                validate(validator, body, location, &mut findings);
                self.schemas.undeclared(schema, body, location, None, &mut findings);
            }
            (None, Some(_)) => {
                let message = "the operation has no body";
                findings.push(Finding::new(ContractRule::UndeclaredField, location, message));
            }
            (_, None) if declared.and_then(|body| body.get("required")) == Some(&Value::Bool(true)) => {
                let message = "the request body is required, but missing";
                findings.push(Finding::new(ContractRule::MissingField, location, message));
            }
            (_, None) => {}
        }
        request.findings = findings;
        request
    }

    fn check_parameters(
        &self,
        operation: &OperationSpec,
        path_values: &BTreeMap<String, String>,
        query: &[(String, String)],
        typed_query: &Map<String, Value>,
        findings: &mut Vec<Finding>,
    ) {
        for (name, _) in query {
            if operation.query_parameter(name).is_none() {
                let mut location = "request.query".to_owned();
                location::field(&mut location, name);
                let message = "the operation has no such parameter";
                findings.push(Finding::new(ContractRule::UndeclaredParameter, location, message));
            }
        }
        for parameter in operation.parameters().iter().filter(|parameter| parameter.required) {
            let present = match parameter.location {
                ParameterLocation::Path => path_values.contains_key(&parameter.name),
                ParameterLocation::Query => query.iter().any(|(name, _)| *name == parameter.name),
                // `check_headers` reports it.
                ParameterLocation::Header => true,
            };
            if !present {
                findings.push(missing(parameter));
            }
        }
        let query = Value::Object(typed_query.clone());
        let validator = operation.validators().query.get_or_init(|| {
            compile(&self.schemas, &parameter_schema(operation, ParameterLocation::Query), Direction::Request)
        });
        validate(validator, &query, "request.query", findings);

        let path: Map<String, Value> = path_values
            .iter()
            .map(|(name, text)| {
                let mut parameters = operation.parameters().iter();
                let parameter =
                    parameters.find(|parameter| parameter.is_in_path() && parameter.name == *name);
                let value = match parameter {
                    Some(parameter) => query::to_json(&self.schemas, &parameter.schema, text),
                    None => Value::String(text.clone()),
                };
                (name.clone(), value)
            })
            .collect();
        let path = Value::Object(path);
        let validator = operation.validators().path.get_or_init(|| {
            compile(&self.schemas, &parameter_schema(operation, ParameterLocation::Path), Direction::Request)
        });
        validate(validator, &path, "request.path", findings);
    }

    /// Converts a query to JSON with the declared types: lists to arrays, booleans and numbers to their JSON types.
    /// Invalid values and undeclared parameters stay strings. The values of a list that is repeated are joined; of
    /// another parameter that occurs twice, the first value is used.
    pub fn query_to_json(&self, operation: &OperationSpec, query: &[(String, String)]) -> Map<String, Value> {
        DeclaredRequest::new(&self.schemas, operation, query, None).query
    }

    /// Returns the finding for a query parameter that occurs more than once.
    pub(super) fn repeated_parameter(&self, operation: Option<&OperationSpec>, name: &str) -> Finding {
        tolerance::repeated(&self.schemas, operation, name)
    }

    /// Validates a response against an operation.
    ///
    /// If the status code is undeclared, it is the only finding, and the body is not validated. The empty response
    /// body of an action is valid. Date-times in responses can lack the time zone, since some consoles omit it.
    pub fn check_response(&self, operation: &OperationSpec, status: u16, body: &[u8]) -> Vec<Finding> {
        self.check_response_body(Some(operation), status, body, false).schema
    }

    /// Validates a response like [`check_response`](Self::check_response); with `secrets`, it is also searched for secrets.
    /// Without an operation, it is only searched.
    pub(super) fn check_response_body(
        &self,
        operation: Option<&OperationSpec>,
        status: u16,
        body: &[u8],
        secrets: bool,
    ) -> BodyFindings {
        let mut findings = Vec::new();
        let (mut declared, mut can_be_text) = (None, false);
        match operation.map(|operation| (operation, operation.declared_response(status))) {
            None => {}
            Some((_, None)) => {
                let message = format!("the operation does not declare status code {status}");
                findings.push(Finding::new(ContractRule::UndeclaredStatus, "response.status", message));
            }
            Some((operation, Some((key, response)))) => {
                let checks = operation.validators().responses.get(key);
                declared = json_schema_of(response).map(|schema| DeclaredBody { schema, checks });
                can_be_text = response.pointer("/content/text~1plain").is_some();
                if declared.is_some()
                    && body.trim_ascii().is_empty()
                    && operation.kind() == OperationKind::Read
                {
                    findings.push(Finding::new(
                        ContractRule::InvalidJson,
                        "response.body",
                        "the body is empty",
                    ));
                }
            }
        }
        let is_checked = declared.is_some() || secrets;
        if body.trim_ascii().is_empty() || !is_checked {
            return BodyFindings { schema: findings, secrets: Vec::new() };
        }
        match check_body(&self.schemas, declared, body, secrets) {
            Ok(found) => {
                findings.extend(found.schema);
                BodyFindings { schema: findings, secrets: found.secrets }
            }
            Err(error) => {
                if declared.is_some() && !can_be_text {
                    findings.push(Finding::new(
                        ContractRule::InvalidJson,
                        "response.body",
                        error.to_string(),
                    ));
                }
                let secrets = if secrets { text_secrets(&String::from_utf8_lossy(body)) } else { Vec::new() };
                BodyFindings { schema: findings, secrets }
            }
        }
    }

    /// Checks that the operation exists in the API version of the path. A path without a literal version has no
    /// finding.
    pub(super) fn check_version(&self, found: &OperationMatch<'_>, path: &str) -> Option<Finding> {
        if found.version.is_some_and(|version| found.operation.versions().contains(&version)) {
            return None;
        }
        let segment = path::segments(path)?.into_iter().nth(2).unwrap_or_default();
        if segment.contains('{') || !found.operation.path().contains("{version}") {
            return None;
        }
        let message = format!("the operation does not exist in {segment:?}");
        Some(Finding::new(ContractRule::UndeclaredVersion, "request.path", message))
    }
}

/// Returns the path from the root of the console: the path of the server and the path of the document.
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

/// Returns the finding for a missing parameter.
fn missing(parameter: &Parameter) -> Finding {
    let mut location = parameter.location.root().to_owned();
    location::field(&mut location, &parameter.name);
    Finding::new(ContractRule::MissingParameter, location, "required, but missing")
}

/// Returns an object schema of the parameters. Required parameters are checked separately, by another rule.
fn parameter_schema(operation: &OperationSpec, location: ParameterLocation) -> Value {
    let parameters = operation.parameters().iter().filter(|parameter| parameter.location == location);
    let properties: Map<String, Value> = parameters.map(|p| (p.name.clone(), p.schema.clone())).collect();
    json!({ "type": "object", "properties": properties })
}
