//! Secret scan of recordings.

use super::contract::Contract;
use super::exchange_context::ExchangeContext;
use super::finding::Finding;
use super::fixture::Exchange;
use super::location;
use super::operation::ParameterLocation;
use super::secret_search::Search;
use super::secret_text::is_secret_name;

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
            search.text(&exchange_context.parameter(ParameterLocation::Path, name).0, value, &location);
        }
        for (name, value) in &exchange.request.query {
            let mut location = "request.query".to_owned();
            location::field(&mut location, name);
            search.jwt(name, &location);
            let context = exchange_context.parameter(ParameterLocation::Query, name).0;
            // An undeclared parameter may be a list, too.
            let is_list = match context.kind() {
                None => !context.is_declared(),
                kind => kind == Some("array"),
            };
            let items: Vec<&str> = value.split(',').filter(|_| is_list).collect();
            if items.is_empty() {
                search.text(&context, value, &location);
            }
            for item in items {
                search.text(&context.item(), item, &location);
            }
        }
        for (name, value) in &exchange.request.headers {
            let mut location = ParameterLocation::Header.root().to_owned();
            location::field(&mut location, name);
            search.text(&exchange_context.parameter(ParameterLocation::Header, name).0, value, &location);
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
