//! Timeouts and retry policies of single calls, which replace those of the client.

use std::time::Duration;

use sentinelone::raw::runtime::Data;
use sentinelone::raw::shared::Affected;
use sentinelone::resources::{ActionBuilder, ListBuilder};
use sentinelone::threats::{Threat, ThreatFilter, ThreatsAddNoteRequest, ThreatsListQuery};
use sentinelone::{Client, Error, ErrorKind, RetryPolicy};

use crate::clock::VirtualClock;
use crate::retry::{builder, empty_page, retry_after};
use crate::server::Server;

/// Seconds that the console requests before the next attempt.
const RETRY_AFTER: &str = "30";

/// Shorter than the requested delay, so a call with it is not retried.
const SHORT: Duration = Duration::from_secs(10);

async fn console() -> (Server, VirtualClock, Client) {
    let server = Server::scripted([retry_after("503 Service Unavailable", RETRY_AFTER)]).await;
    let clock = VirtualClock::auto();
    let client = builder(&server, &clock).build().unwrap();
    (server, clock, client)
}

fn two_attempts() -> RetryPolicy {
    RetryPolicy::default().max_attempts(2)
}

fn list(client: &Client) -> ListBuilder<ThreatsListQuery, Threat> {
    client.threats().list()
}

fn note(client: &Client) -> ActionBuilder<ThreatsAddNoteRequest, Data<Affected>> {
    client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"]))
}

/// The error of a call with the settings of the client, with a timeout of its own, and with a retry policy of its own.
struct Errors {
    default: Error,
    timeout: Error,
    retry: Error,
}

fn assert_attempts(name: &str, errors: &Errors) {
    let Errors { default, timeout, retry } = errors;
    assert_eq!(default.attempts(), 5, "{name} with the settings of the client");
    assert_eq!(timeout.attempts(), 1, "{name} with a timeout below the requested delay");
    assert_eq!(retry.attempts(), 2, "{name} with two attempts");
    assert!([default, timeout, retry].iter().all(|error| error.kind() == ErrorKind::Api), "{name}");
}

macro_rules! assert_settings {
    ($($call:expr, |$own:ident| $error:expr;)+) => { $({
        let mut errors = Vec::new();
        for $own in [$call, $call.timeout(SHORT), $call.retry(two_attempts())] {
            errors.push($error.await);
        }
        let [default, timeout, retry] = <[Error; 3]>::try_from(errors).unwrap();
        assert_attempts(stringify!($call), &Errors { default, timeout, retry });
    })+ };
}

#[tokio::test]
async fn call_settings_replace_those_of_the_client() {
    let (_server, clock, client) = console().await;
    assert_settings! {
        list(&client), |own| async { own.page().await.unwrap_err() };
        list(&client), |own| async { own.count().await.unwrap_err() };
        list(&client), |own| async { own.pages().next().await.unwrap().unwrap_err() };
        list(&client), |own| async { own.items().collect().await.unwrap_err() };
        list(&client).pages(), |own| async { let mut own = own; own.next().await.unwrap().unwrap_err() };
        list(&client).pages(), |own| async { own.raw().next().await.unwrap().unwrap_err() };
        list(&client).items(), |own| async { own.collect().await.unwrap_err() };
        note(&client), |own| async { own.send().await.unwrap_err() };
        note(&client), |own| async { own.count().await.unwrap_err() };
        note(&client), |own| async { own.batches(["1", "2"]).unwrap().send().await.unwrap_err() };
        note(&client).batches(["1", "2"]).unwrap(), |own| async { own.send().await.unwrap_err() };
    }
    let read = async |client: Client| client.system().status().await.unwrap_err();
    let errors = Errors {
        default: read(client.clone()).await,
        timeout: read(client.with_timeout(SHORT)).await,
        retry: read(client.with_retry(two_attempts())).await,
    };
    assert_attempts("a read", &errors);
    assert!(clock.waits().iter().all(|wait| *wait == 30.0), "only delays that the console requests");
}

#[tokio::test]
async fn parallel_call_settings_replace_those_of_the_client() {
    let (server, clock, client) = console().await;
    let agents = || client.agents().list().concurrency(2);
    let mut attempts = Vec::new();
    for mut pages in [agents(), agents().timeout(SHORT), agents().retry(RetryPolicy::disabled())] {
        attempts.push(pages.next().await.unwrap().unwrap_err().attempts());
    }
    for mut items in [agents().items().timeout(SHORT), agents().items().retry(RetryPolicy::disabled())] {
        attempts.push(items.next().await.unwrap().unwrap_err().attempts());
    }
    assert_eq!(attempts, [5, 1, 1, 1, 1]);
    assert!(!clock.waits().is_empty() && server.requests().len() > attempts.len());
}

/// The later setting decides, and both settings can be combined.
#[tokio::test]
async fn batch_settings_precede_those_of_its_action() {
    let (_server, _clock, client) = console().await;
    let action = note(&client).retry(two_attempts());
    let batch = action.batches(["1"]).unwrap();
    assert_eq!(batch.send().await.unwrap_err().attempts(), 2);
    let batch = action.batches(["1"]).unwrap().retry(RetryPolicy::default().max_attempts(3));
    assert_eq!(batch.send().await.unwrap_err().attempts(), 3);
    assert_eq!(batch.timeout(SHORT).send().await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn derived_client_shares_connections_and_rate_limits() {
    let server = Server::scripted([empty_page()]).await;
    let client = builder(&server, &VirtualClock::auto()).build().unwrap();
    let _ = client.threats().list().page().await.unwrap();
    for derived in [client.with_timeout(SHORT), client.with_retry(RetryPolicy::disabled())] {
        let _ = derived.threats().list().page().await.unwrap();
        for is_enabled in [true, false] {
            client.rate_limits().set_enabled(is_enabled);
            assert_eq!(derived.rate_limits().is_enabled(), is_enabled);
        }
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}
