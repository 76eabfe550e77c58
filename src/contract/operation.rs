//! An operation of the specification, with what is needed to check and to play it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use sentinelone_raw::runtime::{ApiVersion, FilterRule, Kind, Paging};
use serde_json::Value;

use super::path::Template;

/// An operation as the specification describes it.
#[derive(Debug)]
pub struct OperationSpec {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) template: Template,
    pub(super) versions: Vec<ApiVersion>,
    pub(super) node: Value,
    pub(super) parameters: Vec<Parameter>,
    pub(super) compiled: Compiled,
}

/// Validators, compiled when they are first needed; an error where the specification's schema cannot be.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    pub(super) path: OnceLock<Result<Validator, String>>,
    pub(super) query: OnceLock<Result<Validator, String>>,
    pub(super) body: OnceLock<Result<Validator, String>>,
    pub(super) answers: BTreeMap<String, OnceLock<Result<Validator, String>>>,
}

/// A parameter of an operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parameter {
    /// Name on the wire.
    pub name: String,
    /// Whether it stands in the path; otherwise it stands in the query.
    pub in_path: bool,
    /// Whether the request cannot be without it.
    pub required: bool,
    /// Its schema, which may refer to a named one.
    pub schema: Value,
    /// Its `x-s1` extension; null without one.
    pub x_s1: Value,
}

impl OperationSpec {
    /// Identifier, such as `threats_list`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// HTTP method in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Path from the root of the console: `/web/api/v{version}/threats/{threat_id}/notes`. Operations of
    /// API 2.0 alone have the version written out.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// API versions that have it. All of them where the specification does not say.
    pub fn versions(&self) -> &[ApiVersion] {
        &self.versions
    }

    /// The operation object of the document.
    pub fn node(&self) -> &Value {
        &self.node
    }

    /// Its `x-s1` extension; null without one.
    pub fn x_s1(&self) -> &Value {
        self.node.get("x-s1").unwrap_or(&Value::Null)
    }

    /// Whether it reads or acts. Where the specification does not say, a `GET` reads.
    pub fn kind(&self) -> Kind {
        match self.text("kind") {
            Some("read") => Kind::Read,
            Some(_) => Kind::Action,
            None if self.method == "GET" => Kind::Read,
            None => Kind::Action,
        }
    }

    /// Whether it needs a filter that selects something.
    pub fn filter_rule(&self) -> FilterRule {
        match self.text("filter") {
            Some("mandatory") => FilterRule::Mandatory,
            Some("optional") => FilterRule::Optional,
            _ => FilterRule::None,
        }
    }

    /// How its lists are paged.
    pub fn paging(&self) -> Paging {
        if self.text("paging") == Some("cursor") { Paging::Cursor } else { Paging::None }
    }

    /// Parameters in the path and in the query.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The query parameter of this name.
    pub fn query_parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| !parameter.in_path && parameter.name == name)
    }

    /// The schema of the body that it takes.
    pub fn body_schema(&self) -> Option<&Value> {
        json_of(self.node.get("requestBody")?)
    }

    /// The schema of the answer of a status; `None` where none is declared, or no JSON.
    pub fn answer_schema(&self, status: u16) -> Option<&Value> {
        json_of(self.answer(status)?.1)
    }

    /// The declared answer of a status with the key that it stands under.
    pub(super) fn answer(&self, status: u16) -> Option<(&str, &Value)> {
        let answers = self.node.get("responses")?.as_object()?;
        let keys = [status.to_string(), format!("{}XX", status / 100), "default".to_owned()];
        keys.iter().find_map(|key| answers.get_key_value(key)).map(|(key, answer)| (key.as_str(), answer))
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.x_s1().get(key)?.as_str()
    }
}

pub(super) fn json_of(node: &Value) -> Option<&Value> {
    node.get("content")?.get("application/json")?.get("schema")
}
