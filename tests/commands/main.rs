//! Integration commands: requests, rejected arguments and outcomes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod agents;
mod batches;
mod blocklist;
mod console;
mod detections;
mod files;
mod hunting;
mod queries;
mod query_engines;
mod repairs;
mod schema;
mod script_results;
mod star_rules;
mod threats;
mod uploads;
mod xsoar_integration;

use std::sync::Mutex;

use sentinelone::commands::{
    ArgumentError, Arguments, ContextSource, Outcome, ProgressEvent, ProgressObserver, RegisteredCommand,
    RunOptions, find, registry,
};
use sentinelone::{ApiToken, ApiVersion, Client, Error, IdState, RateLimits, RetryPolicy, Timestamp};
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

const NOW: &str = "2026-11-21T08:30:00Z";

/// Records the progress events of a command.
#[derive(Default)]
struct Log(Mutex<Vec<ProgressEvent>>);

impl ProgressObserver for Log {
    fn on_event(&self, event: ProgressEvent) {
        self.0.lock().unwrap().push(event);
    }
}

impl Log {
    fn events(&self) -> Vec<ProgressEvent> {
        self.0.lock().unwrap().clone()
    }

    fn started(&self) -> Vec<(&'static str, String)> {
        let started = |event| match event {
            ProgressEvent::Started { argument, value } => Some((argument, value)),
            _ => None,
        };
        self.events().into_iter().filter_map(started).collect()
    }
}

/// Returns the argument error that an error was converted from.
fn argument_error(error: &Error) -> &ArgumentError {
    error.downcast_ref().unwrap()
}

fn arguments(args: &[(&str, &str)]) -> Arguments {
    let start = Arguments::new().relative_to(Timestamp::from(NOW));
    args.iter().fold(start, |arguments, (name, value)| arguments.with(name, *value))
}

fn entry(name: &str) -> &'static RegisteredCommand {
    find(name).unwrap_or_else(|| panic!("unknown command {name}"))
}

/// Returns the method, path, query and body of each request of a command.
fn sent(name: &str, version: ApiVersion, args: &[(&str, &str)]) -> Result<Vec<Value>, String> {
    let command = entry(name).prepare(arguments(args)).map_err(|error| error.to_string())?;
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

/// Returns a client without retries and rate limits.
fn client(server: &MockServer, version: ApiVersion) -> Client {
    let client = Client::builder(server.uri()).token(ApiToken::new("token-of-the-test").unwrap());
    client
        .api_version(version)
        .retry_policy(RetryPolicy::disabled())
        .rate_limits(RateLimits::disabled())
        .build()
        .unwrap()
}

async fn run(server: &MockServer, version: ApiVersion, name: &str, args: &[(&str, &str)]) -> Outcome {
    entry(name).prepare(arguments(args)).unwrap().run(&client(server, version)).await.unwrap()
}

/// Runs a command whose batches have 5,000 IDs and are sent one after the other.
async fn run_in_sequence(server: &MockServer, name: &str, args: &[(&str, &str)]) -> Outcome {
    let mut options = RunOptions::default();
    (options.batch_size, options.in_flight) = (Some(5000), 1);
    let command = entry(name).prepare(arguments(args)).unwrap();
    command.run_with(&client(server, V2_1), &options).await.unwrap()
}

fn json_response(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn states(outcome: &Outcome) -> Vec<(&str, IdState)> {
    outcome.results.iter().map(|one| (one.id.as_str(), one.state)).collect()
}

#[test]
fn registry_is_consistent() {
    let names: Vec<_> = registry().iter().map(|entry| entry.info.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for entry in registry() {
        // Mirroring commands have no prefix.
        let prefixed = format!("sentinelone-{}", entry.info.name);
        assert!([entry.info.name, &prefixed].contains(&entry.info.full_name), "{}", entry.info.full_name);
        assert!(std::ptr::eq(find(entry.info.full_name).unwrap(), entry));
        let arguments = (entry.arguments)();
        for argument in &arguments {
            assert!(!argument.doc.is_empty(), "{}", argument.name);
            assert!(argument.default.is_none() || !argument.required, "{}", argument.name);
        }
        for output in entry.outputs {
            if let ContextSource::Argument(name) = output.source {
                assert!(arguments.iter().any(|argument| argument.name == name), "{}: {name}", output.path);
            }
            let is_unavailable = matches!(
                output.source,
                ContextSource::Field { v2_1: None, .. } | ContextSource::Field { v2_0: None, .. }
            );
            assert_eq!(
                is_unavailable,
                output.unavailable_on.is_some(),
                "{}: the reason is missing",
                output.path
            );
        }
        assert!(entry.info.requires_confirmation || !entry.info.destructive, "{}", entry.info.name);
        assert!(entry.info.is_action || !entry.info.requires_confirmation, "{}", entry.info.name);
    }
}

/// An empty variable of a script must not widen a filter.
#[test]
fn empty_argument_is_rejected_by_all_commands() {
    for entry in registry() {
        for argument in (entry.arguments)() {
            for blank in ["", " ", "\t"] {
                let args = [("ids", "1"), ("incident_status", "resolved"), (argument.name, blank)];
                let known = |name: &str| (entry.arguments)().iter().any(|one| one.name == name);
                let args: Vec<_> = args.into_iter().filter(|(name, _)| known(name)).collect();
                let error = entry.prepare(arguments(&args)).map(drop);
                assert!(error.is_err(), "{} {}", entry.info.name, argument.name);
            }
        }
    }
}

#[test]
fn repeated_list_arguments_merge_and_scalars_are_rejected() {
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
