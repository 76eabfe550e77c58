//! Secret scan of recordings.

use serde_json::Value;

use super::fixture::Exchange;
use super::location;
use super::schema::Splice;
use super::value_context::{ExchangeContext, ValueContext, contains_jwt, is_secret_name};
use super::{Contract, ContractRule, Finding};

impl Contract {
    /// Returns the secrets of a recording: a signed token at any location, a header for secrets, and a value in
    /// a field for secrets that is not the mask of the [`Sanitizer`](super::Sanitizer). The findings do not quote
    /// the secret. An exchange that is not a recording of a console or the sandbox has no such findings.
    pub fn check_secrets(&self, exchange: &Exchange) -> Vec<Finding> {
        if !exchange.is_recording() {
            return Vec::new();
        }
        let mut search = Search { findings: self.secrets_outside_response(exchange), splice: None };
        if let Some(response) = &exchange.response {
            let context = ExchangeContext::new(self, exchange).response_body();
            search.value(&context, response, &mut "response.body".to_owned());
        }
        if let Some(text) = &exchange.response_text {
            search.jwt(text, "response.body");
        }
        search.findings
    }

    /// Returns the secrets of a recording, except those in the response body.
    pub(super) fn secrets_outside_response(&self, exchange: &Exchange) -> Vec<Finding> {
        let mut search = Search::default();
        let exchange_context = ExchangeContext::new(self, exchange);
        // The path of an unmatched operation has no declared values, so it is scanned as one string.
        search.jwt(exchange.path(), "request.path");
        for (name, value) in exchange_context.path_values() {
            let mut location = "request.path".to_owned();
            location::field(&mut location, name);
            search.text(&exchange_context.parameter(true, name).0, value, &location);
        }
        for (name, value) in &exchange.request.query {
            let mut location = "request.query".to_owned();
            location::field(&mut location, name);
            search.jwt(name, &location);
            let context = exchange_context.parameter(false, name).0;
            let items = value.split(',').filter(|_| context.kind() == Some("array"));
            let items: Vec<&str> = items.collect();
            if items.is_empty() {
                search.text(&context, value, &location);
            }
            for item in items {
                search.text(&context.item(), item, &location);
            }
        }
        if let Some(body) = &exchange.request.body {
            search.value(&exchange_context.request_body(), body, &mut "request.body".to_owned());
        }
        for (name, value) in &exchange.headers {
            let mut location = "response.headers".to_owned();
            location::field(&mut location, name);
            if is_secret_name(name) {
                search.report(&location, "the header contains a secret");
            }
            search.jwt(value, &location);
        }
        search.findings
    }
}

/// Returns the secrets of a response body that is not JSON.
pub(super) fn text_secrets(text: &str) -> Vec<Finding> {
    let mut search = Search::default();
    search.jwt(text, "response.body");
    search.findings
}

/// A search for secrets.
#[derive(Default)]
pub(super) struct Search {
    pub(super) findings: Vec<Finding>,
    /// The list that was searched before.
    pub(super) splice: Option<Splice>,
}

impl Search {
    fn report(&mut self, location: &str, message: &str) {
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

    fn text(&mut self, context: &ValueContext<'_>, text: &str, location: &str) {
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
