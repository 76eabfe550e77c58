//! Search for secrets in the values of an exchange.

use serde_json::Value;

use super::finding::{ContractRule, Finding};
use super::location;
use super::schema::Splice;
use super::secret_text::contains_jwt;
use super::value_context::ValueContext;

/// A search for secrets.
#[derive(Default)]
pub(super) struct Search {
    pub(super) findings: Vec<Finding>,
    /// The list that was searched before.
    pub(super) splice: Option<Splice>,
}

impl Search {
    pub(super) fn report(&mut self, location: &str, message: &str) {
        let finding = Finding::new(ContractRule::UnredactedSecret, location, message);
        // A location is visited once, so equal findings follow each other.
        let mut same = self.findings.iter().rev().take_while(|earlier| earlier.location == location);
        if !same.any(|earlier| *earlier == finding) {
            self.findings.push(finding);
        }
    }

    pub(super) fn jwt(&mut self, text: &str, location: &str) {
        if contains_jwt(text) {
            self.report(location, "the value holds a signed token");
        }
    }

    pub(super) fn text(&mut self, context: &ValueContext<'_>, text: &str, location: &str) {
        self.jwt(text, location);
        let harmless = text.is_empty() || context.is_expected_value(text) || text == context.mask();
        if context.is_secret() && !harmless {
            self.report(location, "the field holds an unredacted secret");
        }
    }

    pub(super) fn value(&mut self, context: &ValueContext<'_>, value: &Value, at: &mut String) {
        let length = at.len();
        match value {
            Value::String(text) => match context.kind() {
                Some("array") => self.text(&context.item(), text, at),
                _ => self.text(context, text, at),
            },
            Value::Array(items) => {
                if let Some(list) = self.splice.take_if(|list| list.location == *at) {
                    self.findings.extend(list.findings);
                    return;
                }
                for (index, item) in items.iter().enumerate() {
                    location::index(at, index);
                    self.value(&context.item(), item, at);
                    at.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    location::field(at, name);
                    self.jwt(name, at);
                    if matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_)) {
                        self.value(&context.field(name).0, value, at);
                    }
                    at.truncate(length);
                }
            }
            _ => {}
        }
    }
}

/// Returns the secrets of a response body that is not JSON.
pub(super) fn text_secrets(text: &str) -> Vec<Finding> {
    let mut search = Search::default();
    search.jwt(text, "response.body");
    search.findings
}
