//! The laws of rates, of pauses, and of calls that are dropped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentinelone::raw::{self, OPERATIONS};
use sentinelone::threats::ThreatFilter;
use sentinelone::{Client, ErrorKind, RateLimits, Result, Retry, Sent};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::clock::Virtual;
use crate::laws::{act, builder, done, later, page, read, unavailable};
use crate::matrix::{Case, cases};
use crate::server::Server;

const THROTTLED: &str = "429 Too Many Requests";

/// Of the class of threats below: another one than that of [`act`].
async fn resolve(client: &Client) -> Result<()> {
    let filter = ThreatFilter::default().ids(["1"]);
    client.threats().update_incident().filter(filter).status("resolved").send().await.map(drop)
}

async fn agents(client: &Client) -> Result<()> {
    client.agents().list().page().await.map(drop)
}

/// The seconds that so many agents_list calls take.
async fn seconds_of(calls: usize, limits: &RateLimits) -> f64 {
    let (server, clock) = (Server::scripted([page()]).await, Virtual::skipping());
    let client = builder(&server, &clock).rate_limits(limits.clone()).build().unwrap();
    for _ in 0..calls {
        agents(&client).await.unwrap();
    }
    assert_eq!(server.seen().len(), calls);
    clock.seconds()
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-6 * other.max(1.0)
}

#[tokio::test]
async fn a_429_holds_up_its_class_for_all_clones_and_no_other_class() {
    for (after, pause) in [("30", vec![30.0]), ("3600", vec![300.0]), ("0", vec![0.1])] {
        let server = Server::scripted([later(THROTTLED, after), page(), done(), done()]).await;
        let clock = Virtual::skipping();
        let client = builder(&server, &clock).timeout(Duration::from_secs(900)).retry(Retry::off());
        let client = client.build().unwrap();
        let clone = client.clone();
        assert_eq!(act(&client).await.unwrap_err().status().unwrap().as_u16(), 429);
        agents(&clone).await.unwrap();
        assert_eq!(clock.waits(), [0.0; 0], "another class");
        resolve(&clone).await.unwrap();
        // However long the console asks for: no longer than five minutes.
        assert_eq!(clock.waits(), pause, "the same class, Retry-After: {after}");
        resolve(&client).await.unwrap();
        assert_eq!(clock.waits(), pause, "the pause is over");
    }
}

#[tokio::test]
async fn a_pause_beyond_the_deadline_is_not_waited_for() {
    let (server, clock) = (Server::scripted([later(THROTTLED, "100"), done()]).await, Virtual::skipping());
    let client = builder(&server, &clock).timeout(Duration::from_secs(60)).build().unwrap();
    act(&client).await.unwrap_err();
    let error = resolve(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::Held, Sent::No, 0));
    assert!(error.to_string().contains("a pause of 100.0 s more"), "{error}");
    assert!(!error.may_have_acted());
    assert_eq!((server.seen().len(), clock.waits()), (1, vec![]));
}

/// The documented rate of every class: so many at once, and then one after the other as the rate allows.
#[tokio::test]
async fn every_class_keeps_to_its_documented_rate() {
    let mut classes: BTreeMap<&str, Case> = BTreeMap::new();
    for case in cases() {
        if let Some(rate) = &case.operation.rate {
            classes.entry(rate.class).or_insert(case);
        }
    }
    assert!(classes.len() >= 10, "{:?}", classes.keys());
    for (class, case) in classes {
        let rate = case.operation.rate.as_ref().unwrap();
        let (server, clock) = (Server::scripted([page()]).await, Virtual::skipping());
        let limits = RateLimits::default();
        let client = builder(&server, &clock).rate_limits(limits).api_version(case.version).build().unwrap();
        let calls = rate.burst + 3;
        for call in 0..calls {
            client.send(&case.request).await.unwrap_or_else(|error| panic!("{class}: {error}"));
            if call + 1 == rate.burst {
                assert_eq!(clock.waits(), [0.0; 0], "{class}: the burst waits for nothing");
            }
        }
        // The first of the burst is a whole period old when the next one may come.
        let due = 3.0 / rate.per_second;
        assert!(near(clock.seconds(), due), "{class}: {} s, not {due}", clock.seconds());
        assert_eq!(server.seen().len(), calls as usize);
    }
}

#[tokio::test]
async fn rates_are_set_shared_and_switched_off() {
    // 25 a second, one at once.
    assert!(near(seconds_of(51, &RateLimits::default()).await, 2.0));
    assert_eq!(seconds_of(200, &RateLimits::off()).await, 0.0);

    let limits = RateLimits::default();
    limits.set("agents", 2.0, 3);
    assert!(near(seconds_of(5, &limits).await, 1.0), "three at once, two at half a second");
    let limits = RateLimits::default();
    limits.share(0.5);
    assert!(near(seconds_of(51, &limits).await, 4.0), "half the rate takes twice the time");
    let limits = RateLimits::default();
    limits.set("agents", 0.0, 1);
    assert_eq!(seconds_of(50, &limits).await, 0.0, "no rate is no limit");
    let limits = RateLimits::default();
    limits.set("agents", 1e-30, 1);
    let (server, clock) = (Server::scripted([page(), page()]).await, Virtual::skipping());
    let client = builder(&server, &clock).rate_limits(limits).build().unwrap();
    agents(&client).await.unwrap();
    assert_eq!(agents(&client).await.unwrap_err().kind(), ErrorKind::Held, "the slowest rate is one");
    let limits = RateLimits::default();
    limits.set("threats", 0.1, 1);
    assert!(near(seconds_of(51, &limits).await, 2.0), "another class has its own");
}

#[tokio::test]
async fn clients_with_the_same_limits_take_turns() {
    let (server, clock) = (Server::scripted([page()]).await, Virtual::skipping());
    let limits = RateLimits::default();
    limits.set("agents", 1.0, 1);
    let client = || builder(&server, &clock).rate_limits(limits.clone()).build().unwrap();
    let (one, two) = (client(), client());
    for client in [&one, &two, &one, &two] {
        agents(client).await.unwrap();
    }
    assert!(near(clock.seconds(), 3.0), "{}", clock.seconds());
    // A change is for calls from now on, through whichever client it is made.
    one.rate_limits().switch(false);
    agents(&two).await.unwrap();
    agents(&two).await.unwrap();
    assert!(near(clock.seconds(), 3.0), "{}", clock.seconds());
    assert!(!two.rate_limits().is_on());
}

#[tokio::test]
async fn a_turn_beyond_the_deadline_is_not_waited_for() {
    let (server, clock) = (Server::scripted([page()]).await, Virtual::skipping());
    let limits = RateLimits::default();
    limits.set("agents", 0.1, 1);
    let client = builder(&server, &clock).rate_limits(limits).timeout(Duration::from_secs(9));
    let client = client.build().unwrap();
    agents(&client).await.unwrap();
    let error = agents(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::Held, Sent::No, 0));
    assert_eq!(error.operation(), Some("agents_list"));
    assert!(!error.may_have_acted() && error.advice().contains("nothing was sent"));
    assert_eq!((server.seen().len(), clock.waits()), (1, vec![]));
}

/// A turn that comes too late for a further attempt does not hide what the console said to the one before.
#[tokio::test]
async fn a_turn_too_late_leaves_the_last_answer() {
    let (server, clock) = (Server::scripted([unavailable()]).await, Virtual::skipping());
    let limits = RateLimits::default();
    limits.set("threats", 0.001, 2);
    let client = builder(&server, &clock).rate_limits(limits).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Api, 2));
    assert_eq!(error.status().unwrap().as_u16(), 503);
    assert_eq!((error.was_sent(), server.seen().len()), (Sent::Yes, 2));
}

/// First come, first served; and who gives up while waiting gives the turn to the next one.
#[tokio::test]
async fn a_call_that_is_dropped_gives_its_turn_away() {
    let (server, clock) = (Server::scripted([page()]).await, Virtual::held());
    let limits = RateLimits::default();
    limits.set("agents", 0.1, 1);
    let client = builder(&server, &clock).rate_limits(limits).build().unwrap();
    agents(&client).await.unwrap();

    let order = Arc::new(Mutex::new(Vec::new()));
    let mut calls = Vec::new();
    for name in 0..4 {
        let (client, order) = (client.clone(), Arc::clone(&order));
        calls.push(tokio::spawn(async move {
            agents(&client).await.unwrap();
            order.lock().unwrap().push(name);
        }));
        clock.sleepers(name + 1).await;
    }
    let asleep = clock.sleepers(4).await;
    assert_eq!(asleep[0], Duration::from_secs(10), "the first waits for the rate, the others for the first");
    assert_eq!(asleep[1..], [Duration::from_secs(180); 3]);

    clock.advance(Duration::from_secs(4));
    calls.remove(0).abort();
    // The next one has the turn, and waits for what is left.
    loop {
        let asleep = clock.sleepers(3).await;
        if asleep[0] < Duration::from_secs(180) {
            assert_eq!(asleep[0], Duration::from_secs(6));
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(server.seen().len(), 1, "nobody went before the time");
    for (served, call) in calls.into_iter().enumerate() {
        clock.advance(Duration::from_secs(if served == 0 { 6 } else { 10 }));
        call.await.unwrap();
        let left = 2 - served;
        if left > 0 {
            clock.sleepers(left).await;
        }
    }
    assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_call_that_is_dropped_under_way_closes_its_connection() {
    let (arrived, has_arrived) = oneshot::channel();
    let (closed, is_closed) = oneshot::channel();
    let ends = Arc::new(Mutex::new(Some((arrived, closed))));
    let server = Server::start(move |mut connection| {
        let (arrived, closed) = ends.lock().unwrap().take().unwrap();
        async move {
            connection.request().await.unwrap();
            arrived.send(()).unwrap();
            connection.stall().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let client = builder(&server, &Virtual::skipping()).build().unwrap();
    let call = tokio::spawn(async move { act(&client).await });
    has_arrived.await.unwrap();
    call.abort();
    tokio::time::timeout(Duration::from_secs(10), is_closed).await.unwrap().unwrap();
    assert_eq!(server.seen().len(), 1);
}

/// Calls of a class never use up what others have for themselves, whatever ran before.
#[tokio::test]
async fn an_operation_without_a_rate_waits_for_nobody() {
    let limits = RateLimits::default();
    assert!(limits.set("threats", 1.0, 1), "a class of that name");
    assert!(limits.set("threats.other", 0.0, 0) && !limits.set("threat", 1.0, 1), "no class of that name");
    let limited: Vec<_> = OPERATIONS.iter().filter(|operation| operation.resource == "threats").collect();
    assert!(limited.iter().any(|operation| operation.rate.is_none()));
    for operation in &limited {
        let class = RateLimits::class_of(operation);
        assert_eq!(class == "threats.other", operation.rate.is_none(), "{}", operation.id);
    }
    let (server, clock) = (Server::scripted([page(), page(), page(), done()]).await, Virtual::skipping());
    let client = builder(&server, &clock).rate_limits(limits).build().unwrap();
    for _ in 0..3 {
        client.threats().list().page().await.unwrap();
    }
    assert!(near(clock.seconds(), 2.0), "one at once, and one a second");
    let request = raw::threats::summary(&raw::threats::ThreatsSummaryQuery::default()).unwrap();
    let request = request.answering::<Value>();
    for _ in 0..5 {
        client.send(&request).await.unwrap();
    }
    assert!(near(clock.seconds(), 2.0), "nothing holds them up: {}", clock.seconds());
}
