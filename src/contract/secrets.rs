//! Looks for secrets in recordings.

use serde_json::Value;

use super::fixture::{Exchange, ProvenanceKind};
use super::place;
use super::spot::{Ground, Spot, holds_jwt, is_secret_name};
use super::{Contract, Finding, FindingKind};

impl Contract {
    /// What looks like a secret in a recording: a signed token anywhere, a header that carries one, and a value
    /// under the name of a secret that is not what [`Sanitizer`](super::Sanitizer) puts there. The findings do
    /// not quote it. An exchange that was not recorded has none.
    pub fn check_secrets(&self, exchange: &Exchange) -> Vec<Finding> {
        let mut search = Search::default();
        if !matches!(exchange.provenance.kind, ProvenanceKind::Recorded | ProvenanceKind::Sandbox) {
            return search.findings;
        }
        let ground = Ground::of(self, exchange);
        // Of a known operation the values are looked at one by one; of any other the path is one text.
        search.jwt(exchange.path(), "request.path");
        for (name, value) in ground.path_values() {
            let mut place = "request.path".to_owned();
            place::field(&mut place, name);
            search.text(&ground.parameter(true, name).0, value, &place);
        }
        for (name, value) in &exchange.request.query {
            let mut place = "request.query".to_owned();
            place::field(&mut place, name);
            search.jwt(name, &place);
            let spot = ground.parameter(false, name).0;
            let items = value.split(',').filter(|_| spot.kind() == Some("array"));
            let items: Vec<&str> = items.collect();
            if items.is_empty() {
                search.text(&spot, value, &place);
            }
            for item in items {
                search.text(&spot.item(), item, &place);
            }
        }
        if let Some(body) = &exchange.request.body {
            search.value(&ground.body(), body, &mut "request.body".to_owned());
        }
        for (name, value) in &exchange.headers {
            let mut place = "answer.headers".to_owned();
            place::field(&mut place, name);
            if is_secret_name(name) {
                search.found(&place, "no recording holds such a header");
            }
            search.jwt(value, &place);
        }
        if let Some(answer) = &exchange.response {
            search.value(&ground.answer(), answer, &mut "answer".to_owned());
        }
        if let Some(text) = &exchange.response_text {
            search.jwt(text, "answer");
        }
        search.findings
    }
}

#[derive(Default)]
struct Search {
    findings: Vec<Finding>,
}

impl Search {
    fn found(&mut self, place: &str, message: &str) {
        let finding = Finding::new(FindingKind::Secret, place, message);
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn jwt(&mut self, text: &str, place: &str) {
        if holds_jwt(text) {
            self.found(place, "this looks like a signed token");
        }
    }

    fn text(&mut self, spot: &Spot<'_>, text: &str, place: &str) {
        self.jwt(text, place);
        let harmless = text.is_empty() || spot.expects(text) || text == spot.mask();
        if spot.is_secret() && !harmless {
            self.found(place, "a secret stands here, and is not covered");
        }
    }

    fn value(&mut self, spot: &Spot<'_>, value: &Value, at: &mut String) {
        let length = at.len();
        match value {
            Value::String(text) => match spot.kind() {
                Some("array") => self.text(&spot.item(), text, at),
                _ => self.text(spot, text, at),
            },
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    place::index(at, index);
                    self.value(&spot.item(), item, at);
                    at.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    place::field(at, name);
                    self.jwt(name, at);
                    self.value(&spot.field(name).0, value, at);
                    at.truncate(length);
                }
            }
            _ => {}
        }
    }
}
