//! Retries: delays, number of attempts, and the facts that errors report about them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sentinelone::threats::ThreatFilter;
use sentinelone::{
    ApiToken, Client, ClientBuilder, Delivery, Error, ErrorKind, RateLimits, Result, RetryPolicy,
};

use crate::TOKEN;
use crate::clock::VirtualClock;
use crate::server::{Server, response};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Returns a client builder with maximum jitter and without rate limits.
pub(crate) fn builder(server: &Server, clock: &VirtualClock) -> ClientBuilder {
    Client::builder(server.url())
        .token(ApiToken::new(TOKEN).unwrap())
        .rate_limits(RateLimits::disabled())
        .clock(clock.clone())
        .jitter_source(|| 1.0)
}

pub(crate) fn unavailable() -> Vec<u8> {
    response("503 Service Unavailable", &[], "")
}

pub(crate) fn retry_after(status: &str, retry_after: &str) -> Vec<u8> {
    response(status, &[("Retry-After", retry_after)], "")
}

pub(crate) fn empty_page() -> Vec<u8> {
    response("200 OK", &[], r#"{"data":[],"pagination":{"totalItems":0}}"#)
}

pub(crate) fn action_success() -> Vec<u8> {
    response("200 OK", &[], r#"{"data":{"affected":1}}"#)
}

pub(crate) async fn send_read(client: &Client) -> Result<()> {
    client.threats().list().page().await.map(drop)
}

pub(crate) async fn send_action(client: &Client) -> Result<()> {
    client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"])).send().await.map(drop)
}

const THROTTLED: &str = "429 Too Many Requests";
const UNAVAILABLE: &str = "503 Service Unavailable";

fn facts(error: &Error) -> (ErrorKind, Option<u16>, u32) {
    (error.kind(), error.status().map(|status| status.as_u16()), error.attempts())
}

#[tokio::test]
async fn backoff_doubles_up_to_maximum() {
    let server = Server::scripted([unavailable()]).await;
    let retry = RetryPolicy::default().max_attempts(8).initial_backoff(seconds(1)).max_backoff(seconds(10));
    for (random, waits) in [
        (1.0, [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]),
        (0.5, [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]),
        (0.0, [0.0; 7]),
    ] {
        let (clock, before) = (VirtualClock::auto(), server.requests().len());
        let client =
            builder(&server, &clock).retry_policy(retry).jitter_source(move || random).build().unwrap();
        let error = send_read(&client).await.unwrap_err();
        assert_eq!(clock.waits(), waits, "jitter of {random}");
        assert_eq!(facts(&error), (ErrorKind::Api, Some(503), 8));
        assert!(error.to_string().contains("(attempt 8)"), "{error}");
        assert_eq!(server.requests().len() - before, 8);
    }
}

/// Each delay has its own jitter, so that clients do not retry at the same time.
#[tokio::test]
async fn backoff_uses_full_jitter() {
    let server = Server::scripted([unavailable()]).await;
    let draws = Arc::new(AtomicU32::new(0));
    let (clock, next) = (VirtualClock::auto(), Arc::clone(&draws));
    let random = move || f64::from(next.fetch_add(1, Ordering::SeqCst)) / 4.0;
    let retry = RetryPolicy::default().initial_backoff(seconds(4)).max_backoff(seconds(4));
    let client = builder(&server, &clock).retry_policy(retry).jitter_source(random).build().unwrap();
    send_read(&client).await.unwrap_err();
    assert_eq!(clock.waits(), [0.0, 1.0, 2.0, 3.0]);

    let clock = VirtualClock::auto();
    let builder = Client::builder(server.url()).token(ApiToken::new(TOKEN).unwrap()).clock(clock.clone());
    let builder = builder
        .retry_policy(retry.max_attempts(41))
        .rate_limits(RateLimits::disabled())
        .timeout(seconds(3600));
    send_read(&builder.build().unwrap()).await.unwrap_err();
    let waits = clock.waits();
    assert!(waits.len() == 40 && waits.iter().all(|wait| (0.0..=4.0).contains(wait)), "{waits:?}");
    // Fails by chance once in 10^12 runs.
    let low = waits.iter().filter(|wait| **wait < 2.0).count();
    assert!((1..40).contains(&low), "{waits:?}");
}

#[tokio::test]
async fn retry_after_header_is_honored() {
    let dated = |until: &str| {
        let date = ("Date", "Sat, 21 Nov 2026 15:00:00 GMT");
        response(UNAVAILABLE, &[("Retry-After", until), date], "")
    };
    for (first, random, wait) in [
        (retry_after(UNAVAILABLE, "7"), 0.0, 7.0),
        (retry_after(THROTTLED, "7"), 0.0, 7.0),
        (retry_after(UNAVAILABLE, "1.5"), 0.0, 1.5),
        // Jitter does not change the delay.
        (retry_after(UNAVAILABLE, "7"), 1.0, 7.0),
        (retry_after(UNAVAILABLE, "0"), 1.0, 0.5),
        (retry_after(UNAVAILABLE, "0"), 0.0, 0.0),
        // A date is relative to the `Date` header, or else to the clock, which starts at 12:00:00.
        (dated("Sat, 21 Nov 2026 15:00:30 GMT"), 0.0, 30.0),
        (dated("Sat, 21 Nov 2026 14:00:00 GMT"), 0.0, 0.0),
        (retry_after(UNAVAILABLE, "Sat, 21 Nov 2026 12:00:20 GMT"), 0.0, 20.0),
        (retry_after(UNAVAILABLE, "Sat, 21 Nov 2026 11:59:00 GMT"), 0.0, 0.0),
        // After status 429, the delay has a minimum.
        (retry_after(THROTTLED, "0"), 0.0, 0.1),
        (retry_after(THROTTLED, "-5"), 0.0, 0.1),
        (retry_after(THROTTLED, "Sat, 21 Nov 2020 12:00:00 GMT"), 0.0, 0.1),
        (response(THROTTLED, &[], ""), 0.0, 0.1),
        (response(THROTTLED, &[], ""), 1.0, 0.5),
    ] {
        let text = String::from_utf8(first.clone()).unwrap();
        let (server, clock) = (Server::scripted([first, action_success()]).await, VirtualClock::auto());
        let client = builder(&server, &clock).jitter_source(move || random).build().unwrap();
        // The console rejected the request, so actions are retried too.
        send_action(&client).await.unwrap();
        assert_eq!(clock.waits(), [wait], "{text}");
        assert_eq!(server.requests().len(), 2, "{text}");
    }
}

/// Only the timeout limits retries after status 429.
#[tokio::test]
async fn throttled_responses_do_not_count_as_attempts() {
    let throttled = || retry_after(THROTTLED, "1");
    let script = [throttled(), unavailable(), throttled(), throttled(), throttled(), empty_page()];
    let (server, clock) = (Server::scripted(script).await, VirtualClock::auto());
    let client = builder(&server, &clock)
        .jitter_source(|| 0.0)
        .retry_policy(RetryPolicy::default().max_attempts(2))
        .build()
        .unwrap();
    send_read(&client).await.unwrap();
    assert_eq!(server.requests().len(), 6);
    assert_eq!(clock.waits(), [1.0, 0.0, 1.0, 1.0, 1.0]);

    let (server, clock) = (Server::scripted([throttled()]).await, VirtualClock::auto());
    let client = builder(&server, &clock).jitter_source(|| 0.0).timeout(seconds(20)).build().unwrap();
    let error = send_read(&client).await.unwrap_err();
    assert_eq!(facts(&error), (ErrorKind::Api, Some(429), 20));
    assert_eq!(clock.seconds(), 19.0);
}

#[tokio::test]
async fn retry_after_beyond_timeout_fails_immediately() {
    for status in [THROTTLED, UNAVAILABLE] {
        for after in ["11", "10", "99999999999", "Fri, 01 Jan 2100 00:00:00 GMT"] {
            let (server, clock) =
                (Server::scripted([retry_after(status, after)]).await, VirtualClock::auto());
            let client = builder(&server, &clock).timeout(seconds(10)).build().unwrap();
            let error = send_action(&client).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Api, "the error of the console, not a timeout");
            assert_eq!((error.retry_after_header(), error.attempts()), (Some(after), 1));
            assert!(error.retry_after().unwrap() >= seconds(10));
            assert_eq!(clock.waits(), [0.0; 0], "{status}, {after}");
            assert_eq!(server.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn timeout_ends_retries_before_max_attempts() {
    let (server, clock) = (Server::scripted([unavailable()]).await, VirtualClock::auto());
    let retry = RetryPolicy::default().max_attempts(100).initial_backoff(seconds(4)).max_backoff(seconds(4));
    let client = builder(&server, &clock).retry_policy(retry).timeout(seconds(10)).build().unwrap();
    let error = send_read(&client).await.unwrap_err();
    assert_eq!(clock.waits(), [4.0, 4.0]);
    assert_eq!(facts(&error), (ErrorKind::Api, Some(503), 3));
}

#[tokio::test]
async fn disabled_retries_send_one_attempt() {
    for policy in [RetryPolicy::disabled(), RetryPolicy::default().max_attempts(1)] {
        for bytes in [
            retry_after(THROTTLED, "1"),
            retry_after(UNAVAILABLE, "1"),
            unavailable(),
            response("502 Oh", &[], ""),
        ] {
            let (server, clock) = (Server::scripted([bytes]).await, VirtualClock::auto());
            let client = builder(&server, &clock).retry_policy(policy).build().unwrap();
            assert_eq!(send_read(&client).await.unwrap_err().attempts(), 1);
            assert_eq!((server.requests().len(), clock.waits().len()), (1, 0));
        }
        let (server, clock) =
            (Server::start(|connection| connection.reset_unread()).await, VirtualClock::auto());
        let client = builder(&server, &clock).retry_policy(policy).build().unwrap();
        assert_eq!(facts(&send_read(&client).await.unwrap_err()), (ErrorKind::ConnectionLost, None, 1));
        assert_eq!((server.connections(), clock.waits().len()), (1, 0));
    }
}

/// Delivery and effect cover earlier attempts, not only the last one.
#[tokio::test]
async fn error_delivery_covers_all_attempts() {
    let resets = AtomicU32::new(0);
    let server = Server::start(move |mut connection| {
        let first = resets.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            while connection.request().await.is_some() {
                if first {
                    return connection.reset();
                }
                connection.write(response("403 Forbidden", &[], "")).await;
            }
        }
    })
    .await;
    let client = builder(&server, &VirtualClock::auto()).build().unwrap();
    let error = send_read(&client).await.unwrap_err();
    assert_eq!(facts(&error), (ErrorKind::Api, Some(403), 2));
    assert_eq!((error.delivery(), error.may_have_taken_effect()), (Delivery::Delivered, true));

    // An invalid response counts as an attempt.
    let invalid = response("200 OK", &[], "<p>no</p>");
    let server = Server::scripted([unavailable(), unavailable(), invalid]).await;
    let client = builder(&server, &VirtualClock::auto()).build().unwrap();
    let error = send_read(&client).await.unwrap_err();
    assert_eq!(facts(&error), (ErrorKind::Decode, Some(200), 3));
    assert!(error.may_have_taken_effect() && error.to_string().contains("(attempt 3)"), "{error}");

    // 503 with `Retry-After`, then 409: no effect.
    let server = Server::scripted([retry_after(UNAVAILABLE, "1"), response("409 Conflict", &[], "")]).await;
    let client = builder(&server, &VirtualClock::auto()).build().unwrap();
    let error = send_action(&client).await.unwrap_err();
    assert_eq!((facts(&error), error.may_have_taken_effect()), ((ErrorKind::Api, Some(409), 2), false));
}

/// The response body may be empty even if the API declares a list of created items.
#[tokio::test]
async fn create_with_empty_body_succeeds() {
    let server = Server::scripted([response("200 OK", &[], "")]).await;
    let client = builder(&server, &VirtualClock::auto()).build().unwrap();
    for case in crate::matrix::cases() {
        let id = case.operation.id;
        if ["blocklist_create", "exclusions_create", "iocs_create"].contains(&id) {
            let created =
                client.send(&case.request.with_response_type::<sentinelone::Page<serde_json::Value>>()).await;
            assert_eq!(created.unwrap_or_else(|error| panic!("{error}")).data.len(), 0);
        }
    }
    assert_eq!(server.requests().len(), 3);
}
