//! The commands: what they send, what they refuse, and what they make of answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agents;
mod console;
mod detections;
mod files;
mod queries;
mod threats;

use std::sync::Mutex;

use sentinelone::commands::{Arguments, Entry, Event, Outcome, Source, Watch, find, registry};
use sentinelone::{ApiToken, ApiVersion, Client, IdState, RateLimits, Retry, Timestamp};
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

const NOW: &str = "2026-11-21T08:30:00Z";

/// What a command told on the way.
#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl Watch for Log {
    fn on(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Log {
    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    fn started(&self) -> Vec<(&'static str, String)> {
        let started = |event| match event {
            Event::Started { argument, value } => Some((argument, value)),
            _ => None,
        };
        self.events().into_iter().filter_map(started).collect()
    }
}

fn arguments(given: &[(&str, &str)]) -> Arguments {
    let start = Arguments::new().at(Timestamp::from(NOW));
    given.iter().fold(start, |arguments, (name, value)| arguments.with(name, *value))
}

fn entry(name: &str) -> &'static Entry {
    find(name).unwrap_or_else(|| panic!("{name} is no command"))
}

/// Method, path, query and body of what a command sends.
fn sent(name: &str, version: ApiVersion, given: &[(&str, &str)]) -> Result<Vec<Value>, String> {
    let command = entry(name).prepare(arguments(given)).map_err(|error| error.to_string())?;
    let requests = command.requests(version).map_err(|error| error.to_string())?;
    Ok(requests
        .iter()
        .map(|request| {
            let query: serde_json::Map<_, _> =
                request.query().into_iter().map(|(name, value)| (name, value.into())).collect();
            json!([request.method().as_str(), request.path(version).unwrap(), query, request.body()])
        })
        .collect())
}

const V2_0: ApiVersion = ApiVersion::V2_0;
const V2_1: ApiVersion = ApiVersion::V2_1;

/// A client that shows every answer as it comes: nothing is made again, nothing waits.
fn client(server: &MockServer, version: ApiVersion) -> Client {
    let client = Client::builder(server.uri()).token(ApiToken::new("token-of-the-test").unwrap());
    client.api_version(version).retry(Retry::off()).rate_limits(RateLimits::off()).build().unwrap()
}

async fn run(server: &MockServer, version: ApiVersion, name: &str, given: &[(&str, &str)]) -> Outcome {
    entry(name).prepare(arguments(given)).unwrap().run(&client(server, version)).await.unwrap()
}

fn answer(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn states(outcome: &Outcome) -> Vec<(&str, IdState)> {
    outcome.ids.iter().map(|one| (one.id.as_str(), one.state)).collect()
}

#[test]
fn the_registry_is_complete_and_consistent() {
    let names: Vec<_> = registry().iter().map(|entry| entry.info.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for entry in registry() {
        // Those of the mirroring have no prefix.
        let prefixed = format!("sentinelone-{}", entry.info.name);
        assert!([entry.info.name, &prefixed].contains(&entry.info.full_name), "{}", entry.info.full_name);
        assert!(std::ptr::eq(find(entry.info.full_name).unwrap(), entry));
        let arguments = (entry.arguments)();
        for argument in &arguments {
            assert!(!argument.doc.is_empty(), "{}", argument.name);
            assert!(argument.default.is_none() || !argument.required, "{}", argument.name);
        }
        for output in entry.outputs {
            if let Source::Argument(name) = output.source {
                assert!(arguments.iter().any(|argument| argument.name == name), "{}: {name}", output.path);
            }
            let absent =
                matches!(output.source, Source::Field { v2_1: None, .. } | Source::Field { v2_0: None, .. });
            assert_eq!(absent, output.absent.is_some(), "{}: the reason is missing", output.path);
        }
        assert!(entry.info.asks || !entry.info.destructive, "{}", entry.info.name);
        assert!(entry.info.acts || !entry.info.asks, "{}", entry.info.name);
    }
}

/// A variable of a script that was empty must not make a filter wider.
#[test]
fn an_argument_without_anything_in_it_is_refused_whatever_it_is() {
    for entry in registry() {
        for argument in (entry.arguments)() {
            for blank in ["", " ", "\t"] {
                let given = [("ids", "1"), ("incident_status", "resolved"), (argument.name, blank)];
                let known = |name: &str| (entry.arguments)().iter().any(|one| one.name == name);
                let given: Vec<_> = given.into_iter().filter(|(name, _)| known(name)).collect();
                let error = entry.prepare(arguments(&given)).map(drop);
                assert!(error.is_err(), "{} {}", entry.info.name, argument.name);
            }
        }
    }
}

#[test]
fn lists_add_up_and_nothing_else_is_given_twice() {
    let mut twice = arguments(&[]);
    twice.add("threat-ids", r#"["1"]"#);
    twice.add("threat_ids", "2,3");
    let requests = entry("get-threats").prepare(twice).unwrap().requests(V2_1).unwrap();
    assert_eq!(requests[0].query()[0], ("ids".to_owned(), "1,2,3".to_owned()));
    let mut twice = arguments(&[]);
    twice.add("limit", "1");
    twice.add("limit", "2");
    assert_eq!(entry("get-threats").prepare(twice).unwrap_err().argument(), Some("limit"));
}
