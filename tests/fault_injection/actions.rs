//! 10,000 actions under random faults: no action takes effect twice.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use sentinelone::agents::AgentFilter;
use sentinelone::threats::{MitigationAction, ThreatFilter};
use sentinelone::{ApiToken, Client, Delivery, RateLimits, Result, RetryPolicy};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::clock::VirtualClock;
use crate::server::{Connection, Server, bind_socket, response};
use crate::{TOKEN, print_line};

const ACTIONS: usize = 10_000;

/// Number of concurrent actions.
const IN_FLIGHT: usize = 64;

/// Number of clients. Each lowers its requests in flight after a 429, so that one client alone would soon send one
/// request after the other.
const CLIENTS: usize = 32;

/// Read timeout of the clients.
const READ_TIMEOUT: Duration = Duration::from_millis(300);

/// Behavior of the server for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Behavior {
    Success,
    /// The connection ends after the response, while the client may reuse it.
    SuccessThenClose,
    SuccessThenReset,
    /// 429, without an effect.
    Throttled,
    ThrottledRetryAfter,
    /// 503 with `Retry-After`, without an effect.
    UnavailableRetryAfter,
    /// 500, 502, 503 or 504, before or after the effect.
    ErrorBeforeEffect,
    ErrorAfterEffect,
    ResetBeforeEffect,
    ResetAfterEffect,
    /// The action takes effect; the server sends no response.
    StallAfterEffect,
    /// The action takes effect after the client timed out; the server sends no response.
    LateEffect,
    TruncatedResponse,
    InvalidJson,
}

/// Weight of each behavior, per 1,000 requests.
const BEHAVIORS: [(Behavior, usize); 14] = [
    (Behavior::Success, 460),
    (Behavior::SuccessThenClose, 70),
    (Behavior::SuccessThenReset, 40),
    (Behavior::Throttled, 40),
    (Behavior::ThrottledRetryAfter, 60),
    (Behavior::UnavailableRetryAfter, 60),
    (Behavior::ErrorBeforeEffect, 40),
    (Behavior::ErrorAfterEffect, 40),
    (Behavior::ResetBeforeEffect, 35),
    (Behavior::ResetAfterEffect, 35),
    (Behavior::StallAfterEffect, 20),
    (Behavior::LateEffect, 20),
    (Behavior::TruncatedResponse, 40),
    (Behavior::InvalidJson, 40),
];

impl Behavior {
    fn draw(rng: &mut Rng) -> Self {
        let all: usize = BEHAVIORS.iter().map(|(_, weight)| weight).sum();
        let mut left = rng.usize(..all);
        for (behavior, weight) in BEHAVIORS {
            match left.checked_sub(weight) {
                None => return behavior,
                Some(rest) => left = rest,
            }
        }
        unreachable!("the random number is less than the sum of the weights")
    }

    /// Returns whether the response certainly means that the action had no effect.
    fn rejects(self) -> bool {
        matches!(self, Self::Throttled | Self::ThrottledRetryAfter | Self::UnavailableRetryAfter)
    }
}

/// Requests and effects of one ID.
#[derive(Clone, Copy, Default)]
struct IdState {
    received: u64,
    effects: u32,
    /// The action took effect or may have taken effect, so it must not be retried.
    must_not_retry: bool,
    /// The action was retried although it must not be.
    invalid_retry: bool,
}

/// State of the server.
#[derive(Default)]
struct ConsoleState {
    seed: u64,
    ids: Mutex<HashMap<String, IdState>>,
    behaviors: Mutex<BTreeMap<Behavior, usize>>,
    /// Number of pending late effects.
    late: AtomicUsize,
    /// Number of connections that were reset before the request was read.
    unread: AtomicUsize,
}

impl ConsoleState {
    /// Records a request and draws the behavior.
    fn receive(&self, id: &str) -> (Behavior, Rng) {
        let mut ids = self.ids.lock().unwrap();
        let id_state = ids.entry(id.to_owned()).or_default();
        id_state.received += 1;
        id_state.invalid_retry |= id_state.must_not_retry;
        // Depends on ID and attempt, since the seed does not determine the order of requests.
        let mut mix = DefaultHasher::new();
        (self.seed, id, id_state.received).hash(&mut mix);
        let mut rng = Rng::with_seed(mix.finish());
        let behavior = Behavior::draw(&mut rng);
        id_state.must_not_retry |= !behavior.rejects();
        *self.behaviors.lock().unwrap().entry(behavior).or_default() += 1;
        (behavior, rng)
    }

    fn apply_effect(&self, id: &str) {
        self.ids.lock().unwrap().get_mut(id).unwrap().effects += 1;
    }
}

async fn serve(mut connection: Connection, state: Arc<ConsoleState>) {
    if fastrand::u8(..) < 4 {
        state.unread.fetch_add(1, Ordering::SeqCst);
        return connection.reset_unread().await;
    }
    while let Some(request) = connection.request().await {
        let json = request.json();
        let id = json["filter"]["ids"][0].as_str().unwrap();
        let (behavior, mut rng) = state.receive(id);
        let success = response("200 OK", &[], r#"{"data":{"affected":1}}"#);
        let errors = ["500 Oh", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"];
        let apply_effect = || state.apply_effect(id);
        let bytes = match behavior {
            Behavior::Throttled => response("429 Too Many Requests", &[], "<html>slow</html>"),
            Behavior::ThrottledRetryAfter => response("429 Too Many Requests", &[("Retry-After", "1")], ""),
            Behavior::UnavailableRetryAfter => {
                response("503 Service Unavailable", &[("Retry-After", "2")], "")
            }
            Behavior::ErrorBeforeEffect => response(rng.choice(errors).unwrap(), &[], ""),
            Behavior::ResetBeforeEffect => return connection.reset(),
            Behavior::LateEffect => {
                state.late.fetch_add(1, Ordering::SeqCst);
                let (id, state) = (id.to_owned(), Arc::clone(&state));
                // Runs even if the connection is closed.
                tokio::spawn(async move {
                    tokio::time::sleep(READ_TIMEOUT * 2).await;
                    state.apply_effect(&id);
                    state.late.fetch_sub(1, Ordering::SeqCst);
                });
                return connection.stall().await;
            }
            Behavior::ErrorAfterEffect => {
                apply_effect();
                response(rng.choice(errors).unwrap(), &[], "")
            }
            Behavior::ResetAfterEffect => {
                apply_effect();
                return connection.reset();
            }
            Behavior::StallAfterEffect => {
                apply_effect();
                return connection.stall().await;
            }
            Behavior::TruncatedResponse => {
                apply_effect();
                connection.write(&success[..rng.usize(1..success.len())]).await;
                return;
            }
            Behavior::InvalidJson => {
                apply_effect();
                response("200 OK", &[], r#"{"data":{"affected""#)
            }
            Behavior::Success | Behavior::SuccessThenClose | Behavior::SuccessThenReset => {
                apply_effect();
                success
            }
        };
        let open = connection.write(bytes).await;
        match behavior {
            Behavior::SuccessThenClose => return,
            Behavior::SuccessThenReset => return connection.reset_later().await,
            _ if !open => return,
            _ => {}
        }
    }
}

/// Sends one of four actions for an ID.
async fn send_action(client: &Client, number: usize) -> Result<()> {
    let id = number.to_string();
    let threats = client.threats();
    let threat = || ThreatFilter::default().ids([&id]);
    match number % 4 {
        0 => threats.add_note("a note").filter(threat()).send().await.map(drop),
        1 => threats.update_incident().filter(threat()).status("resolved").send().await.map(drop),
        2 => threats.mitigate(MitigationAction::Kill).filter(threat()).send().await.map(drop),
        _ => client.agents().initiate_scan().filter(AgentFilter::default().ids([&id])).send().await.map(drop),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actions_under_random_faults_take_effect_at_most_once() {
    let seed = std::env::var("S1_FAULT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("set S1_FAULT_SEED={seed} to repeat these faults");
    let state = Arc::new(ConsoleState { seed, ..ConsoleState::default() });
    // Reserves the port while the server is closed.
    let port = bind_socket("127.0.0.1:0");
    let address = port.local_addr().unwrap();
    let open = || {
        let state = Arc::clone(&state);
        let listener = bind_socket(&address.to_string()).listen(1024).unwrap();
        Server::on_listener(listener, Arc::default(), move |connection| serve(connection, Arc::clone(&state)))
    };
    let clock = VirtualClock::auto();
    let client = || {
        Client::builder(format!("http://{address}"))
            .token(ApiToken::new(TOKEN).unwrap())
            .retry_policy(RetryPolicy::default().max_attempts(4))
            .rate_limits(RateLimits::disabled())
            .clock(clock.clone())
            // The clock skips the waits of all calls, so the timeout must not expire.
            .timeout(Duration::from_secs(100_000_000))
            .read_timeout(READ_TIMEOUT)
            .build()
            .unwrap()
    };
    let clients: Vec<Client> = (0..CLIENTS).map(|_| client()).collect();

    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut server = Some(open());
    let mut calls = JoinSet::new();
    for number in 0..ACTIONS {
        // The server is unavailable for a few actions.
        match number % 2000 {
            1000 => server.take().unwrap().close().await,
            1040 => {
                // Waits for the calls that started without a server.
                drop(permits.acquire_many(IN_FLIGHT as u32).await.unwrap());
                server = Some(open());
            }
            _ => {}
        }
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        let client = clients[number % CLIENTS].clone();
        calls.spawn(async move {
            let result = send_action(&client, number).await;
            drop(permit);
            (number, result)
        });
    }
    let results = calls.join_all().await;
    while state.late.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(READ_TIMEOUT / 10).await;
    }

    let (ids, mut kinds) = (state.ids.lock().unwrap().clone(), BTreeMap::<String, usize>::new());
    let mut failures = Vec::new();
    assert_eq!(results.len(), ACTIONS);
    for (number, result) in &results {
        let id_state = ids.get(&number.to_string()).copied().unwrap_or_default();
        let IdState { received, effects, invalid_retry, .. } = id_state;
        let kind = match result {
            Ok(()) if received > 1 => "success after retries".to_owned(),
            Ok(()) => "success".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        };
        let is_wrong = match result {
            Ok(()) => effects != 1,
            Err(error) => {
                let effect_not_reported = !error.may_have_taken_effect() && effects > 0;
                effect_not_reported || error.delivery() == Delivery::NotSent && received > 0
            }
        };
        if effects > 1 || invalid_retry || is_wrong {
            failures.push(format!("{number}: {received} requests, {effects} effects, {result:?}"));
        }
        *kinds.entry(kind).or_default() += 1;
    }
    let behaviors = state.behaviors.lock().unwrap().clone();
    let unread = state.unread.load(Ordering::SeqCst);
    println!("{kinds:?}\n{behaviors:?}\n{unread} connections reset unread");
    assert!(failures.is_empty(), "seed {seed}: {} failures:\n{}", failures.len(), failures.join("\n"));

    // Each behavior and each result occurred.
    for (behavior, weight) in BEHAVIORS {
        let count = behaviors.get(&behavior).copied().unwrap_or_default();
        assert!(count * 2 > weight * ACTIONS / 1000, "seed {seed}: {behavior:?} occurred only {count} times");
    }
    assert!(unread > 20, "{unread} connections reset unread");
    let minimums = [
        ("success", 5000),
        ("success after retries", 500),
        ("Api", 300),
        ("ConnectionLost", 500),
        ("Connect", 50),
        ("Decode", 200),
        ("Timeout", 60),
    ];
    for (kind, minimum) in minimums {
        let count = kinds.get(kind).copied().unwrap_or_default();
        assert!(count >= minimum, "seed {seed}: only {count} calls ended with {kind}");
    }
    let effects: usize = ids.values().map(|id_state| id_state.effects as usize).sum();
    print_line(&format!(
        "{ACTIONS} actions under random faults: {effects} effects, none twice (S1_FAULT_SEED={seed})"
    ));
}
