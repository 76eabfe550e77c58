//! An operation of the specification, with its parameters, schemas and validators.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use sentinelone::raw::runtime::{ApiVersion, FilterRequirement, Operation, OperationKind, Paging};
use serde_json::Value;

use super::response_check::ResponseChecks;
use super::schema::Node;

/// An operation of the specification.
#[derive(Debug)]
pub struct OperationSpec {
    id: Cow<'static, str>,
    method: Cow<'static, str>,
    path: Cow<'static, str>,
    versions: Cow<'static, [ApiVersion]>,
    node: Node,
    /// The parameters of the path item.
    shared_parameters: Value,
    details: OnceLock<Details>,
}

/// What is derived from the node of an operation.
#[derive(Debug)]
struct Details {
    parameters: Vec<Parameter>,
    validators: Validators,
}

/// The media type of a form.
const FORM: &str = "multipart/form-data";

/// Validators, compiled on first use; an error if the schema of the specification is not usable.
#[derive(Debug, Default)]
pub(super) struct Validators {
    pub(super) path: OnceLock<Result<Validator, String>>,
    pub(super) query: OnceLock<Result<Validator, String>>,
    pub(super) body: OnceLock<Result<Validator, String>>,
    pub(super) responses: BTreeMap<String, ResponseChecks>,
}

/// Where a request has a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterLocation {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

impl ParameterLocation {
    /// Returns the prefix of the locations in findings: `request.path`, `request.query` or `request.headers`.
    pub(super) fn root(self) -> &'static str {
        match self {
            Self::Path => "request.path",
            Self::Query => "request.query",
            Self::Header => "request.headers",
        }
    }
}

/// A parameter of an operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parameter {
    /// The name on the wire.
    pub name: String,
    /// Where the request has it.
    pub location: ParameterLocation,
    /// Whether the request requires it.
    pub required: bool,
    /// The schema, which may be a reference.
    pub schema: Value,
    /// The `x-s1` extension; null if it is missing.
    pub x_s1: Value,
}

impl Parameter {
    /// Returns whether it has this location and name. The case of the name of a header is ignored.
    pub(super) fn is_named(&self, location: ParameterLocation, name: &str) -> bool {
        let same = match location {
            ParameterLocation::Header => self.name.eq_ignore_ascii_case(name),
            ParameterLocation::Path | ParameterLocation::Query => self.name == name,
        };
        self.location == location && same
    }

    /// Returns whether it is a path parameter.
    pub fn is_in_path(&self) -> bool {
        self.location == ParameterLocation::Path
    }

    /// Returns whether it is a query parameter.
    pub fn is_in_query(&self) -> bool {
        self.location == ParameterLocation::Query
    }

    /// Returns whether it is a header.
    pub fn is_in_header(&self) -> bool {
        self.location == ParameterLocation::Header
    }
}

impl Details {
    fn new(node: &Value, shared_parameters: &Value) -> Self {
        let lists = [node.get("parameters"), Some(shared_parameters)];
        let mut parameters: Vec<Parameter> = Vec::new();
        for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
            let string = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let location = match string("in") {
                "path" => ParameterLocation::Path,
                "query" => ParameterLocation::Query,
                "header" => ParameterLocation::Header,
                _ => continue,
            };
            // A parameter of the operation takes precedence over a parameter of the path item.
            if parameters.iter().any(|other| other.is_named(location, string("name"))) {
                continue;
            }
            parameters.push(Parameter {
                name: string("name").to_owned(),
                location,
                required: location == ParameterLocation::Path
                    || parameter.get("required") == Some(&Value::Bool(true)),
                schema: parameter.get("schema").cloned().unwrap_or_default(),
                x_s1: parameter.get("x-s1").cloned().unwrap_or_default(),
            });
        }
        let responses = node.get("responses").and_then(Value::as_object).into_iter().flatten();
        let responses = responses.map(|(status, _)| (status.clone(), ResponseChecks::default())).collect();
        Self { parameters, validators: Validators { responses, ..Validators::default() } }
    }
}

impl OperationSpec {
    /// Returns an operation of a parsed document.
    pub(super) fn parsed(id: String, method: String, path: String, item: &Value, node: Value) -> Self {
        let versions = node.pointer("/x-s1/versions").and_then(Value::as_array);
        let versions = match versions {
            None => Cow::Borrowed(ApiVersion::ALL),
            Some(named) => {
                let all = ApiVersion::ALL.iter().copied();
                all.filter(|version| named.iter().any(|name| name == version.as_str())).collect()
            }
        };
        Self {
            id: id.into(),
            method: method.into(),
            path: path.into(),
            versions,
            node: Node::parsed(node),
            shared_parameters: item.get("parameters").cloned().unwrap_or_default(),
            details: OnceLock::new(),
        }
    }

    /// Returns an operation of the bundled document, whose path items have no parameters.
    pub(super) fn bundled(operation: &'static Operation, node: Node) -> Self {
        Self {
            id: operation.id.into(),
            method: operation.method.as_str().into(),
            path: operation.path.into(),
            versions: operation.versions.into(),
            node,
            shared_parameters: Value::Null,
            details: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn is_parsed(&self) -> bool {
        self.node.is_parsed()
    }

    fn details(&self) -> &Details {
        self.details.get_or_init(|| Details::new(self.node.get(), &self.shared_parameters))
    }

    pub(super) fn validators(&self) -> &Validators {
        &self.details().validators
    }

    /// Returns the operation ID, such as `threats_list`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the HTTP method in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path from the root of the console: `/web/api/v{version}/threats/{threat_id}/notes`. Operations
    /// of API 2.0 only have a literal version.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the API versions that have the operation: all versions unless the specification restricts them.
    pub fn versions(&self) -> &[ApiVersion] {
        &self.versions
    }

    /// Returns the operation object of the document.
    pub fn as_json(&self) -> &Value {
        self.node.get()
    }

    /// Returns the `x-s1` extension; null if it is missing.
    pub fn x_s1(&self) -> &Value {
        self.as_json().get("x-s1").unwrap_or(&Value::Null)
    }

    /// Returns whether the operation is a read or an action. By default, `GET` operations are reads.
    pub fn kind(&self) -> OperationKind {
        match self.x_s1_str("kind") {
            Some("read") => OperationKind::Read,
            Some(_) => OperationKind::Action,
            None if self.method == "GET" => OperationKind::Read,
            None => OperationKind::Action,
        }
    }

    /// Returns whether the operation requires a selective filter.
    pub fn filter_requirement(&self) -> FilterRequirement {
        match self.x_s1_str("filter") {
            Some("required") => FilterRequirement::Required,
            Some("optional") => FilterRequirement::Optional,
            _ => FilterRequirement::None,
        }
    }

    /// Returns the pagination of the operation.
    pub fn paging(&self) -> Paging {
        if self.x_s1_str("paging") == Some("cursor") { Paging::Cursor } else { Paging::None }
    }

    /// Returns the parameters in path, query and headers.
    pub fn parameters(&self) -> &[Parameter] {
        &self.details().parameters
    }

    /// Returns the query parameter `name`.
    pub fn query_parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters().iter().find(|parameter| parameter.is_in_query() && parameter.name == name)
    }

    /// Returns the schema of the request body: of JSON, or of the fields of a form.
    pub fn body_schema(&self) -> Option<&Value> {
        let body = self.as_json().get("requestBody")?;
        json_schema_of(body).or_else(|| body.get("content")?.get(FORM)?.get("schema"))
    }

    /// Returns whether the request body is a form (`multipart/form-data`).
    pub fn has_form(&self) -> bool {
        let content = self.as_json().get("requestBody").and_then(|body| body.get("content"));
        content.is_some_and(|content| content.get(FORM).is_some())
    }

    /// Returns the JSON schema of the response with this status code, or `None` if no JSON is declared.
    pub fn response_schema(&self, status: u16) -> Option<&Value> {
        json_schema_of(self.declared_response(status)?.1)
    }

    /// Returns the status code and the JSON schema of the success response, or `None` if no JSON is declared.
    pub fn success_schema(&self) -> Option<(u16, &Value)> {
        let responses = self.as_json().get("responses")?.as_object()?;
        let mut successes = responses.iter().filter(|(status, _)| status.starts_with('2'));
        successes.find_map(|(status, response)| Some((status.parse().ok()?, json_schema_of(response)?)))
    }

    /// Returns the declared response of a status code with its key in `responses`.
    pub(super) fn declared_response(&self, status: u16) -> Option<(&str, &Value)> {
        let responses = self.as_json().get("responses")?.as_object()?;
        let keys = [status.to_string(), format!("{}XX", status / 100), "default".to_owned()];
        let found = keys.iter().find_map(|key| responses.get_key_value(key));
        found.map(|(key, response)| (key.as_str(), response))
    }

    fn x_s1_str(&self, key: &str) -> Option<&str> {
        self.x_s1().get(key)?.as_str()
    }
}

pub(super) fn json_schema_of(node: &Value) -> Option<&Value> {
    node.get("content")?.get("application/json")?.get("schema")
}
