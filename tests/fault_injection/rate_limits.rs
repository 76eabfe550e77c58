//! Rate limits, throttling pauses, and dropped calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentinelone::raw::{self, OPERATIONS};
use sentinelone::threats::ThreatFilter;
use sentinelone::{ApiToken, Client, Delivery, ErrorKind, RateLimits, Result, RetryPolicy};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use crate::clock::VirtualClock;
use crate::matrix::{Case, cases};
use crate::retry::{action_success, builder, empty_page, retry_after, send_action, send_read, unavailable};
use crate::server::Server;

const THROTTLED: &str = "429 Too Many Requests";

/// Sends another operation than [`send_action`], in the same class.
async fn resolve(client: &Client) -> Result<()> {
    let filter = ThreatFilter::default().ids(["1"]);
    client.threats().update_incident().filter(filter).status("resolved").send().await.map(drop)
}

async fn list_agents(client: &Client) -> Result<()> {
    client.agents().list().page().await.map(drop)
}

/// Returns the seconds that a number of `agents_list` calls takes.
async fn seconds_of(calls: usize, limits: &RateLimits) -> f64 {
    let (server, clock) = (Server::scripted([empty_page()]).await, VirtualClock::auto());
    let client = builder(&server, &clock).rate_limits(limits.clone()).build().unwrap();
    for _ in 0..calls {
        list_agents(&client).await.unwrap();
    }
    assert_eq!(server.requests().len(), calls);
    clock.seconds()
}

fn is_close(value: f64, other: f64) -> bool {
    (value - other).abs() < 1e-6 * other.max(1.0)
}

#[tokio::test]
async fn throttling_pauses_its_class_across_clones() {
    for (after, pause) in [("30", vec![30.0]), ("3600", vec![300.0]), ("0", vec![0.1])] {
        let server = Server::scripted([
            retry_after(THROTTLED, after),
            empty_page(),
            action_success(),
            action_success(),
        ])
        .await;
        let clock = VirtualClock::auto();
        let client =
            builder(&server, &clock).timeout(Duration::from_secs(900)).retry_policy(RetryPolicy::disabled());
        let client = client.build().unwrap();
        let clone = client.clone();
        assert_eq!(send_action(&client).await.unwrap_err().status().unwrap().as_u16(), 429);
        list_agents(&clone).await.unwrap();
        assert_eq!(clock.waits(), [0.0; 0], "another class");
        resolve(&clone).await.unwrap();
        // A pause is limited to five minutes.
        assert_eq!(clock.waits(), pause, "the same class, Retry-After: {after}");
        resolve(&client).await.unwrap();
        assert_eq!(clock.waits(), pause, "the pause is over");
    }
}

#[tokio::test]
async fn throttling_pause_beyond_timeout_fails_immediately() {
    let (server, clock) =
        (Server::scripted([retry_after(THROTTLED, "100"), action_success()]).await, VirtualClock::auto());
    let client = builder(&server, &clock).timeout(Duration::from_secs(60)).build().unwrap();
    send_action(&client).await.unwrap_err();
    let error = resolve(&client).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery(), error.attempts()),
        (ErrorKind::RateLimitTimeout, Delivery::NotSent, 0)
    );
    assert!(error.to_string().contains("paused by the console for another 100.0 s"), "{error}");
    assert!(!error.may_have_taken_effect());
    assert_eq!((server.requests().len(), clock.waits()), (1, vec![]));
}

/// Calls of a class run at once up to the burst, then at the documented rate.
#[tokio::test]
async fn rate_limits_default_to_documented_rates() {
    let mut classes: BTreeMap<&str, Case> = BTreeMap::new();
    for case in cases() {
        if let Some(rate) = &case.operation.rate_limit {
            classes.entry(rate.class).or_insert(case);
        }
    }
    assert!(classes.len() >= 10, "{:?}", classes.keys());
    for (class, case) in classes {
        let rate = case.operation.rate_limit.as_ref().unwrap();
        let (server, clock) = (Server::scripted([empty_page()]).await, VirtualClock::auto());
        let limits = RateLimits::default();
        let client = builder(&server, &clock).rate_limits(limits).api_version(case.version).build().unwrap();
        let calls = rate.burst + 3;
        for call in 0..calls {
            let _ = client.send(&case.request).await.unwrap_or_else(|error| panic!("{class}: {error}"));
            if call + 1 == rate.burst {
                assert_eq!(clock.waits(), [0.0; 0], "{class}: the burst is not delayed");
            }
        }
        // The first permit after the burst is available one period after the first call.
        let due = 3.0 / rate.per_second;
        assert!(is_close(clock.seconds(), due), "{class}: {} s, expected {due}", clock.seconds());
        assert_eq!(server.requests().len(), calls as usize);
    }
}

#[tokio::test]
async fn rate_limits_can_be_set_shared_and_disabled() {
    // 25 per second, burst of 1.
    assert!(is_close(seconds_of(51, &RateLimits::default()).await, 2.0));
    assert_eq!(seconds_of(200, &RateLimits::disabled()).await, 0.0);

    let limits = RateLimits::default();
    limits.set("agents", 2.0, 3).unwrap();
    assert!(is_close(seconds_of(5, &limits).await, 1.0), "burst of 3, then 2 per second");
    let limits = RateLimits::default();
    limits.set_share(0.5).unwrap();
    assert!(is_close(seconds_of(51, &limits).await, 4.0), "half of the rate");
    let limits = RateLimits::default();
    limits.remove("agents").unwrap();
    assert_eq!(seconds_of(50, &limits).await, 0.0, "the class has no limit");
    let limits = RateLimits::default();
    limits.set("agents", 1e-30, 1).unwrap();
    let (server, clock) = (Server::scripted([empty_page(), empty_page()]).await, VirtualClock::auto());
    let client = builder(&server, &clock).rate_limits(limits).build().unwrap();
    list_agents(&client).await.unwrap();
    assert_eq!(
        list_agents(&client).await.unwrap_err().kind(),
        ErrorKind::RateLimitTimeout,
        "the slowest rate limits calls"
    );
    let limits = RateLimits::default();
    limits.set("threats", 0.1, 1).unwrap();
    assert!(is_close(seconds_of(51, &limits).await, 2.0), "another class is not affected");
}

#[tokio::test]
async fn invalid_rate_limits_are_rejected_and_change_nothing() {
    let limits = RateLimits::default();
    limits.set("agents", 2.0, 3).unwrap();
    for rate in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = limits.set("agents", rate, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let message = format!("the rate of the class \"agents\" is {rate}; expected a finite number above 0");
        assert_eq!(error.to_string(), message);
    }
    let error = limits.set("agents", 1.0, 0).unwrap_err();
    assert_eq!(error.to_string(), "the burst of the class \"agents\" is 0; expected 1 or more");
    for share in [0.0, -0.5, 1.1, f64::NAN, f64::INFINITY] {
        let error = limits.set_share(share).unwrap_err();
        assert!(error.to_string().contains(&format!("is {share}; expected a number above 0")), "{error}");
    }
    for unknown in [limits.set("agent", 1.0, 1), limits.remove("agent")] {
        let error = unknown.unwrap_err();
        assert_eq!(error.to_string(), "no operation has the rate-limit class \"agent\"");
        assert!(error.help().is_some());
    }
    assert!(is_close(seconds_of(5, &limits).await, 1.0), "burst of 3, then 2 per second");
}

#[tokio::test]
async fn clients_sharing_rate_limits_are_throttled_together() {
    let (server, clock) = (Server::scripted([empty_page()]).await, VirtualClock::auto());
    let limits = RateLimits::default();
    limits.set("agents", 1.0, 1).unwrap();
    let client = || builder(&server, &clock).rate_limits(limits.clone()).build().unwrap();
    let (first, second) = (client(), client());
    for client in [&first, &second, &first, &second] {
        list_agents(client).await.unwrap();
    }
    assert!(is_close(clock.seconds(), 3.0), "{}", clock.seconds());
    // A change applies to later calls of all clients.
    first.rate_limits().set_enabled(false);
    list_agents(&second).await.unwrap();
    list_agents(&second).await.unwrap();
    assert!(is_close(clock.seconds(), 3.0), "{}", clock.seconds());
    assert!(!second.rate_limits().is_enabled());
}

#[tokio::test]
async fn permit_beyond_timeout_fails_immediately() {
    let (server, clock) = (Server::scripted([empty_page()]).await, VirtualClock::auto());
    let limits = RateLimits::default();
    limits.set("agents", 0.1, 1).unwrap();
    let client = builder(&server, &clock).rate_limits(limits).timeout(Duration::from_secs(9));
    let client = client.build().unwrap();
    list_agents(&client).await.unwrap();
    let error = list_agents(&client).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery(), error.attempts()),
        (ErrorKind::RateLimitTimeout, Delivery::NotSent, 0)
    );
    assert_eq!(error.operation(), Some("agents_list"));
    assert!(!error.may_have_taken_effect() && error.help().unwrap_or_default().contains("nothing was sent"));
    assert_eq!((server.requests().len(), clock.waits()), (1, vec![]));
}

/// If the permit of a retry comes too late, the call returns the error of the previous response.
#[tokio::test]
async fn rate_limit_timeout_on_retry_keeps_previous_response_error() {
    let (server, clock) = (Server::scripted([unavailable()]).await, VirtualClock::auto());
    let limits = RateLimits::default();
    limits.set("threats", 0.001, 2).unwrap();
    let client = builder(&server, &clock).rate_limits(limits).build().unwrap();
    let error = send_read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Api, 2));
    assert_eq!(error.status().unwrap().as_u16(), 503);
    assert_eq!((error.delivery(), server.requests().len()), (Delivery::Delivered, 2));
}

/// Permits are issued in order, and a dropped call passes its permit to the next one.
#[tokio::test]
async fn dropped_call_releases_its_permit() {
    let (server, clock) = (Server::scripted([empty_page()]).await, VirtualClock::manual());
    let limits = RateLimits::default();
    limits.set("agents", 0.1, 1).unwrap();
    let client = builder(&server, &clock).rate_limits(limits).build().unwrap();
    list_agents(&client).await.unwrap();

    let order = Arc::new(Mutex::new(Vec::new()));
    let mut calls = Vec::new();
    for name in 0..4 {
        let (client, order) = (client.clone(), Arc::clone(&order));
        calls.push(tokio::spawn(async move {
            list_agents(&client).await.unwrap();
            order.lock().unwrap().push(name);
        }));
        clock.sleepers(name + 1).await;
    }
    let asleep = clock.sleepers(4).await;
    assert_eq!(
        asleep[0],
        Duration::from_secs(10),
        "the first call waits for the permit, the others for the first call"
    );
    assert_eq!(asleep[1..], [Duration::from_secs(180); 3]);

    clock.advance(Duration::from_secs(4));
    calls.remove(0).abort();
    // The next call waits for the remaining time of the permit.
    loop {
        let asleep = clock.sleepers(3).await;
        if asleep[0] < Duration::from_secs(180) {
            assert_eq!(asleep[0], Duration::from_secs(6));
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(server.requests().len(), 1, "no call was sent early");
    for (served, call) in calls.into_iter().enumerate() {
        clock.advance(Duration::from_secs(if served == 0 { 6 } else { 10 }));
        call.await.unwrap();
        let left = 2 - served;
        if left > 0 {
            clock.sleepers(left).await;
        }
    }
    assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn dropped_call_closes_its_connection() {
    let (received, is_received) = oneshot::channel();
    let (closed, is_closed) = oneshot::channel();
    let senders = Arc::new(Mutex::new(Some((received, closed))));
    let server = Server::start(move |mut connection| {
        let (received, closed) = senders.lock().unwrap().take().unwrap();
        async move {
            connection.request().await.unwrap();
            received.send(()).unwrap();
            connection.stall().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let client = builder(&server, &VirtualClock::auto()).build().unwrap();
    let call = tokio::spawn(async move { send_action(&client).await });
    is_received.await.unwrap();
    call.abort();
    tokio::time::timeout(Duration::from_secs(10), is_closed).await.unwrap().unwrap();
    assert_eq!(server.requests().len(), 1);
}

/// Calls of a class do not use the permits of other classes.
#[tokio::test]
async fn operation_without_rate_limit_is_not_delayed() {
    let limits = RateLimits::default();
    limits.set("threats", 1.0, 1).unwrap();
    limits.remove("threats.other").unwrap();
    let operations: Vec<_> = OPERATIONS.iter().filter(|operation| operation.resource == "threats").collect();
    assert!(operations.iter().any(|operation| operation.rate_limit.is_none()));
    for operation in &operations {
        let class = RateLimits::class_of(operation);
        assert_eq!(class == "threats.other", operation.rate_limit.is_none(), "{}", operation.id);
    }
    let (server, clock) = (
        Server::scripted([empty_page(), empty_page(), empty_page(), action_success()]).await,
        VirtualClock::auto(),
    );
    let client = builder(&server, &clock).rate_limits(limits).build().unwrap();
    for _ in 0..3 {
        let _ = client.threats().list().page().await.unwrap();
    }
    assert!(is_close(clock.seconds(), 2.0), "burst of 1, then 1 per second");
    let request = raw::threats::summary(&raw::threats::ThreatsSummaryQuery::default()).unwrap();
    let request = request.with_response_type::<Value>();
    for _ in 0..5 {
        let _ = client.send(&request).await.unwrap();
    }
    assert!(is_close(clock.seconds(), 2.0), "calls were delayed: {}", clock.seconds());
}

/// Returns the bound of the requests in flight after a number of successes, if eight were throttled at the same time.
fn bound_after(successes: usize) -> usize {
    let reached = [4, 9, 15, 22].iter().filter(|needed| successes >= **needed).count();
    if reached == 4 { usize::MAX } else { 4 + reached }
}

#[tokio::test]
async fn throttling_lowers_concurrency_of_clients_sharing_rate_limits() {
    const THROTTLED_CALLS: usize = 8;
    #[derive(Default)]
    struct Load {
        received: usize,
        in_flight: usize,
        served: usize,
        violations: Vec<(usize, usize)>,
    }
    let load = Arc::new(Mutex::new(Load::default()));
    let (all_received, is_received) = watch::channel(false);
    let all_received = Arc::new(all_received);
    let server = {
        let load = Arc::clone(&load);
        Server::start(move |mut connection| {
            let (load, mut is_received) = (Arc::clone(&load), is_received.clone());
            let all_received = Arc::clone(&all_received);
            async move {
                while connection.request().await.is_some() {
                    let number = {
                        let mut load = load.lock().unwrap();
                        load.received += 1;
                        load.received
                    };
                    if number <= THROTTLED_CALLS {
                        // All of them are in flight when the first response arrives.
                        if number == THROTTLED_CALLS {
                            all_received.send_replace(true);
                        }
                        is_received.wait_for(|received| *received).await.unwrap();
                        connection.write(retry_after(THROTTLED, "0")).await;
                        continue;
                    }
                    {
                        let mut load = load.lock().unwrap();
                        load.in_flight += 1;
                        if load.in_flight > bound_after(load.served) {
                            let violation = (load.in_flight, load.served);
                            load.violations.push(violation);
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    {
                        let mut load = load.lock().unwrap();
                        load.in_flight -= 1;
                        load.served += 1;
                    }
                    connection.write(empty_page()).await;
                }
            }
        })
        .await
    };
    // Calls wait for each other, so the clock is the real one.
    let limits = RateLimits::disabled();
    let client = || {
        let client = Client::builder(server.url()).token(ApiToken::new("an-example").unwrap());
        client.rate_limits(limits.clone()).build().unwrap()
    };
    let (first, second) = (client(), client());
    let spawn = |client: &Client, calls: usize| -> Vec<_> {
        let call = |client: Client| tokio::spawn(async move { list_agents(&client).await });
        (0..calls).map(|_| call(client.clone())).collect()
    };
    let mut calls = spawn(&first, THROTTLED_CALLS);
    // The second client calls after the first one was throttled.
    while load.lock().unwrap().received <= THROTTLED_CALLS {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    calls.extend(spawn(&second, 20));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let load = load.lock().unwrap();
    assert_eq!(load.served, THROTTLED_CALLS + 20);
    assert_eq!(load.violations, [], "requests in flight, and those served before");
}
