//! The laws of making a call again: which waits there are, how many attempts, and what an error tells of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sentinelone::threats::ThreatFilter;
use sentinelone::{ApiToken, Client, ClientBuilder, Error, ErrorKind, RateLimits, Result, Retry, Sent};

use crate::TOKEN;
use crate::clock::Virtual;
use crate::server::{Server, answer};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A client whose random parts of waits are as long as they can be.
pub(crate) fn builder(server: &Server, clock: &Virtual) -> ClientBuilder {
    Client::builder(server.url())
        .token(ApiToken::new(TOKEN).unwrap())
        .rate_limits(RateLimits::off())
        .clock(clock.clone())
        .random(|| 1.0)
}

pub(crate) fn unavailable() -> Vec<u8> {
    answer("503 Service Unavailable", &[], "")
}

pub(crate) fn later(status: &str, retry_after: &str) -> Vec<u8> {
    answer(status, &[("Retry-After", retry_after)], "")
}

pub(crate) fn page() -> Vec<u8> {
    answer("200 OK", &[], r#"{"data":[],"pagination":{"totalItems":0}}"#)
}

pub(crate) fn done() -> Vec<u8> {
    answer("200 OK", &[], r#"{"data":{"affected":1}}"#)
}

pub(crate) async fn read(client: &Client) -> Result<()> {
    client.threats().list().page().await.map(drop)
}

pub(crate) async fn act(client: &Client) -> Result<()> {
    client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"])).send().await.map(drop)
}

const THROTTLED: &str = "429 Too Many Requests";
const UNAVAILABLE: &str = "503 Service Unavailable";

fn told(error: &Error) -> (ErrorKind, Option<u16>, u32) {
    (error.kind(), error.status().map(|status| status.as_u16()), error.attempts())
}

#[tokio::test]
async fn waits_double_up_to_the_longest_one() {
    let server = Server::scripted([unavailable()]).await;
    let retry = Retry::default().attempts(8).first_wait(seconds(1)).longest_wait(seconds(10));
    for (random, waits) in [
        (1.0, [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]),
        (0.5, [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]),
        (0.0, [0.0; 7]),
    ] {
        let (clock, before) = (Virtual::skipping(), server.seen().len());
        let client = builder(&server, &clock).retry(retry).random(move || random).build().unwrap();
        let error = read(&client).await.unwrap_err();
        assert_eq!(clock.waits(), waits, "a part of {random}");
        assert_eq!(told(&error), (ErrorKind::Api, Some(503), 8));
        assert!(error.to_string().contains("(attempt 8)"), "{error}");
        assert_eq!(server.seen().len() - before, 8);
    }
}

/// Every wait draws for itself, and clients that failed together do not come back together.
#[tokio::test]
async fn the_jitter_is_full() {
    let server = Server::scripted([unavailable()]).await;
    let drawn = Arc::new(AtomicU32::new(0));
    let (clock, next) = (Virtual::skipping(), Arc::clone(&drawn));
    let random = move || f64::from(next.fetch_add(1, Ordering::SeqCst)) / 4.0;
    let retry = Retry::default().first_wait(seconds(4)).longest_wait(seconds(4));
    let client = builder(&server, &clock).retry(retry).random(random).build().unwrap();
    read(&client).await.unwrap_err();
    assert_eq!(clock.waits(), [0.0, 1.0, 2.0, 3.0]);

    let clock = Virtual::skipping();
    let own = Client::builder(server.url()).token(ApiToken::new(TOKEN).unwrap()).clock(clock.clone());
    let own = own.retry(retry.attempts(41)).rate_limits(RateLimits::off()).timeout(seconds(3600));
    read(&own.build().unwrap()).await.unwrap_err();
    let waits = clock.waits();
    assert!(waits.len() == 40 && waits.iter().all(|wait| (0.0..=4.0).contains(wait)), "{waits:?}");
    // By chance this fails once in a million million runs.
    let low = waits.iter().filter(|wait| **wait < 2.0).count();
    assert!((1..40).contains(&low), "{waits:?}");
}

#[tokio::test]
async fn what_the_console_asks_for_is_waited() {
    let dated = |until: &str| {
        let date = ("Date", "Sat, 21 Nov 2026 15:00:00 GMT");
        answer(UNAVAILABLE, &[("Retry-After", until), date], "")
    };
    for (says, random, wait) in [
        (later(UNAVAILABLE, "7"), 0.0, 7.0),
        (later(THROTTLED, "7"), 0.0, 7.0),
        (later(UNAVAILABLE, "1.5"), 0.0, 1.5),
        // The random part is no shorter for it, and no longer.
        (later(UNAVAILABLE, "7"), 1.0, 7.0),
        (later(UNAVAILABLE, "0"), 1.0, 0.5),
        (later(UNAVAILABLE, "0"), 0.0, 0.0),
        // A date is held against that of the answer, or else against the clock, by which it is 12:00:00.
        (dated("Sat, 21 Nov 2026 15:00:30 GMT"), 0.0, 30.0),
        (dated("Sat, 21 Nov 2026 14:00:00 GMT"), 0.0, 0.0),
        (later(UNAVAILABLE, "Sat, 21 Nov 2026 12:00:20 GMT"), 0.0, 20.0),
        (later(UNAVAILABLE, "Sat, 21 Nov 2026 11:59:00 GMT"), 0.0, 0.0),
        // After 429 nobody comes back at once.
        (later(THROTTLED, "0"), 0.0, 0.1),
        (later(THROTTLED, "-5"), 0.0, 0.1),
        (later(THROTTLED, "Sat, 21 Nov 2020 12:00:00 GMT"), 0.0, 0.1),
        (answer(THROTTLED, &[], ""), 0.0, 0.1),
        (answer(THROTTLED, &[], ""), 1.0, 0.5),
    ] {
        let shown = String::from_utf8(says.clone()).unwrap();
        let (server, clock) = (Server::scripted([says, done()]).await, Virtual::skipping());
        let client = builder(&server, &clock).random(move || random).build().unwrap();
        // It was refused or put off, so that an action is sent again too.
        act(&client).await.unwrap();
        assert_eq!(clock.waits(), [wait], "{shown}");
        assert_eq!(server.seen().len(), 2, "{shown}");
    }
}

/// For answers of status 429 the deadline is the only end.
#[tokio::test]
async fn being_throttled_does_not_count_as_an_attempt() {
    let throttled = || later(THROTTLED, "1");
    let script = [throttled(), unavailable(), throttled(), throttled(), throttled(), page()];
    let (server, clock) = (Server::scripted(script).await, Virtual::skipping());
    let client = builder(&server, &clock).random(|| 0.0).retry(Retry::default().attempts(2)).build().unwrap();
    read(&client).await.unwrap();
    assert_eq!(server.seen().len(), 6);
    assert_eq!(clock.waits(), [1.0, 0.0, 1.0, 1.0, 1.0]);

    let (server, clock) = (Server::scripted([throttled()]).await, Virtual::skipping());
    let client = builder(&server, &clock).random(|| 0.0).timeout(seconds(20)).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!(told(&error), (ErrorKind::Api, Some(429), 20));
    assert_eq!(clock.seconds(), 19.0);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    for status in [THROTTLED, UNAVAILABLE] {
        for after in ["11", "10", "99999999999", "Fri, 01 Jan 2100 00:00:00 GMT"] {
            let (server, clock) = (Server::scripted([later(status, after)]).await, Virtual::skipping());
            let client = builder(&server, &clock).timeout(seconds(10)).build().unwrap();
            let error = act(&client).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Api, "the console's answer, and no word of a deadline");
            assert_eq!((error.retry_after(), error.attempts()), (Some(after), 1));
            assert!(error.retry_after_wait().unwrap() >= seconds(10));
            assert_eq!(clock.waits(), [0.0; 0], "{status}, {after}");
            assert_eq!(server.seen().len(), 1);
        }
    }
}

#[tokio::test]
async fn the_deadline_beats_the_attempts() {
    let (server, clock) = (Server::scripted([unavailable()]).await, Virtual::skipping());
    let retry = Retry::default().attempts(100).first_wait(seconds(4)).longest_wait(seconds(4));
    let client = builder(&server, &clock).retry(retry).timeout(seconds(10)).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!(clock.waits(), [4.0, 4.0]);
    assert_eq!(told(&error), (ErrorKind::Api, Some(503), 3));
}

#[tokio::test]
async fn without_retry_there_is_one_attempt() {
    for off in [Retry::off(), Retry::default().attempts(1)] {
        for says in [later(THROTTLED, "1"), later(UNAVAILABLE, "1"), unavailable(), answer("502 Oh", &[], "")]
        {
            let (server, clock) = (Server::scripted([says]).await, Virtual::skipping());
            let client = builder(&server, &clock).retry(off).build().unwrap();
            assert_eq!(read(&client).await.unwrap_err().attempts(), 1);
            assert_eq!((server.seen().len(), clock.waits().len()), (1, 0));
        }
        let (server, clock) =
            (Server::start(|connection| connection.reset_unread()).await, Virtual::skipping());
        let client = builder(&server, &clock).retry(off).build().unwrap();
        assert_eq!(told(&read(&client).await.unwrap_err()), (ErrorKind::Broken, None, 1));
        assert_eq!((server.connections(), clock.waits().len()), (1, 0));
    }
}

/// What an attempt before the last one may have done is not forgotten.
#[tokio::test]
async fn an_error_tells_of_all_attempts() {
    let resets = AtomicU32::new(0);
    let server = Server::start(move |mut connection| {
        let first = resets.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            while connection.request().await.is_some() {
                if first {
                    return connection.reset();
                }
                connection.write(answer("403 Forbidden", &[], "")).await;
            }
        }
    })
    .await;
    let client = builder(&server, &Virtual::skipping()).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!(told(&error), (ErrorKind::Api, Some(403), 2));
    assert_eq!((error.was_sent(), error.may_have_acted()), (Sent::Yes, true));

    // An answer that turns out to be none was got in an attempt too.
    let none = answer("200 OK", &[], "<p>no</p>");
    let server = Server::scripted([unavailable(), unavailable(), none]).await;
    let client = builder(&server, &Virtual::skipping()).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!(told(&error), (ErrorKind::Decode, Some(200), 3));
    assert!(error.may_have_acted() && error.to_string().contains("(attempt 3)"), "{error}");

    // Put off, and refused: nothing was done.
    let server = Server::scripted([later(UNAVAILABLE, "1"), answer("409 Conflict", &[], "")]).await;
    let client = builder(&server, &Virtual::skipping()).build().unwrap();
    let error = act(&client).await.unwrap_err();
    assert_eq!((told(&error), error.may_have_acted()), ((ErrorKind::Api, Some(409), 2), false));
}

/// Actions whose answer is a list of what they made may say nothing too.
#[tokio::test]
async fn creating_without_a_word_is_done() {
    let server = Server::scripted([answer("200 OK", &[], "")]).await;
    let client = builder(&server, &Virtual::skipping()).build().unwrap();
    for case in crate::matrix::cases() {
        let id = case.operation.id;
        if ["blocklist_create", "exclusions_create", "iocs_create"].contains(&id) {
            let made = client.send(&case.request.answering::<sentinelone::Page<serde_json::Value>>()).await;
            assert_eq!(made.unwrap_or_else(|error| panic!("{error}")).data.len(), 0);
        }
    }
    assert_eq!(server.seen().len(), 3);
}
