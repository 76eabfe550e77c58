//! An operation of the specification, with its parameters, schemas and validators.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use sentinelone_raw::runtime::{ApiVersion, FilterRequirement, OperationKind, Paging};
use serde_json::Value;

use super::path::Template;

/// An operation of the specification.
#[derive(Debug)]
pub struct OperationSpec {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) template: Template,
    pub(super) versions: Vec<ApiVersion>,
    pub(super) node: Value,
    pub(super) parameters: Vec<Parameter>,
    pub(super) validators: Validators,
}

/// Validators, compiled on first use; an error if the schema of the specification is not usable.
#[derive(Debug, Default)]
pub(super) struct Validators {
    pub(super) path: OnceLock<Result<Validator, String>>,
    pub(super) query: OnceLock<Result<Validator, String>>,
    pub(super) body: OnceLock<Result<Validator, String>>,
    pub(super) responses: BTreeMap<String, OnceLock<Result<Validator, String>>>,
}

/// A parameter of an operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parameter {
    /// The name on the wire.
    pub name: String,
    /// Whether it is a path parameter; otherwise it is a query parameter.
    pub in_path: bool,
    /// Whether the request requires it.
    pub required: bool,
    /// The schema, which may be a reference.
    pub schema: Value,
    /// The `x-s1` extension; null if it is missing.
    pub x_s1: Value,
}

impl OperationSpec {
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
        &self.node
    }

    /// Returns the `x-s1` extension; null if it is missing.
    pub fn x_s1(&self) -> &Value {
        self.node.get("x-s1").unwrap_or(&Value::Null)
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

    /// Returns the path and query parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Returns the query parameter `name`.
    pub fn query_parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| !parameter.in_path && parameter.name == name)
    }

    /// Returns the schema of the JSON request body.
    pub fn body_schema(&self) -> Option<&Value> {
        json_schema_of(self.node.get("requestBody")?)
    }

    /// Returns the JSON schema of the response with this status code, or `None` if no JSON is declared.
    pub fn response_schema(&self, status: u16) -> Option<&Value> {
        json_schema_of(self.declared_response(status)?.1)
    }

    /// Returns the declared response of a status code with its key in `responses`.
    pub(super) fn declared_response(&self, status: u16) -> Option<(&str, &Value)> {
        let responses = self.node.get("responses")?.as_object()?;
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
