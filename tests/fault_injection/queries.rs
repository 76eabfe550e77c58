//! 10,000 long-running queries under random faults: none is launched twice, and none is left on the server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use sentinelone::queries::QueryScope;
use sentinelone::{
    ApiToken, Client, HttpTransport, RateLimits, RetryPolicy, TransportBody, TransportError, TransportFuture,
};
use serde_json::{Value, json};

use crate::clock::VirtualClock;
use crate::{TOKEN, print_line};

const QUERIES: u64 = 10_000;

/// Path of the queries.
const PATH: &str = "/sdl/v2/api/queries";

/// Header with the route to the node that runs a query.
const TAG: &str = "x-dataset-query-forward-tag";

/// Behavior of the server for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Behavior {
    Success,
    /// The response has no route.
    WithoutTag,
    /// The response has a new route.
    NewTag,
    /// The query failed, with status 200.
    FailedQuery,
    /// An error status, before the effect.
    ErrorBeforeEffect,
    /// An error status, after the effect.
    ErrorAfterEffect,
    /// The request does not reach the server.
    NotSent,
    /// The response is lost.
    ResponseLost,
    /// The response is not JSON.
    InvalidJson,
    /// The response is an empty object.
    EmptyObject,
    /// The server does not respond.
    Silence,
}

const FAULTS: [Behavior; 10] = [
    Behavior::WithoutTag,
    Behavior::NewTag,
    Behavior::FailedQuery,
    Behavior::ErrorBeforeEffect,
    Behavior::ErrorAfterEffect,
    Behavior::NotSent,
    Behavior::ResponseLost,
    Behavior::InvalidJson,
    Behavior::EmptyObject,
    Behavior::Silence,
];

/// Statuses of errors, with their bodies.
const ERRORS: [(u16, &str); 7] = [
    (429, "<html>slow down</html>"),
    (400, r#"{"code": "invalid_argument", "message": "no"}"#),
    (403, ""),
    (404, r#"{"code": "not_found", "message": "Requested token=q not found"}"#),
    (500, "Internal error"),
    (502, "Bad gateway"),
    (503, r#"{"message": "query repeated"}"#),
];

/// Returns the ID of the query in a path.
fn query_id(path: &str) -> String {
    let id = path.trim_start_matches(PATH).trim_start_matches('/');
    percent_encoding::percent_decode_str(id).decode_utf8().unwrap().into_owned()
}

struct Server(Mutex<State>);

struct State {
    rng: Rng,
    /// Probability of a fault in percent.
    fault_rate: u8,
    launches: u64,
    /// Living queries with the number of their reads.
    living: BTreeMap<String, u64>,
    /// Queries whose ID is in a response that the client got.
    known: BTreeSet<String>,
    /// Queries whose deletion got a response that is not an error, or 404.
    deleted: BTreeSet<String>,
    /// Queries whose deletion was tried.
    tried: BTreeSet<String>,
    behaviors: BTreeMap<(String, Behavior), u64>,
}

impl State {
    fn behavior(&mut self) -> Behavior {
        match self.rng.u8(..100) < self.fault_rate {
            true => FAULTS[self.rng.usize(..FAULTS.len())],
            false => Behavior::Success,
        }
    }

    /// Applies the effect of a request. Returns the ID of its query and the response.
    fn apply(&mut self, method: &str, path: &str) -> (String, u16, Value) {
        let id = query_id(path);
        match method {
            "POST" => {
                self.launches += 1;
                let id = format!("q+/{}=", self.launches);
                self.living.insert(id.clone(), 0);
                let body = json!({ "id": id, "stepsCompleted": 0, "stepsTotal": 2 });
                (id, 200, body)
            }
            "GET" => match self.living.get_mut(&id) {
                Some(reads) => {
                    *reads += 1;
                    let steps = (*reads).min(2);
                    let data = (steps == 2).then(|| json!({ "columns": [{ "name": "n" }], "values": [[1]] }));
                    (id, 200, json!({ "stepsCompleted": steps, "stepsTotal": 2, "data": data }))
                }
                None => (id, 404, json!({ "code": "not_found" })),
            },
            "DELETE" => {
                let status = if self.living.remove(&id).is_some() { 204 } else { 404 };
                (id, status, Value::Null)
            }
            other => panic!("{other}"),
        }
    }

    fn respond(
        &mut self,
        request: &Request<Bytes>,
    ) -> Result<Option<Response<TransportBody>>, TransportError> {
        let (method, path) = (request.method().as_str(), request.uri().path());
        let behavior = self.behavior();
        *self.behaviors.entry((method.to_owned(), behavior)).or_default() += 1;
        if method == "DELETE" {
            self.tried.insert(query_id(path));
        }
        if behavior == Behavior::NotSent {
            return Err(TransportError::not_sent("refused"));
        }
        let is_error = matches!(behavior, Behavior::ErrorBeforeEffect | Behavior::ErrorAfterEffect);
        // A 429 certainly has no effect.
        let errors = if behavior == Behavior::ErrorAfterEffect { &ERRORS[1..] } else { &ERRORS[..] };
        let error = is_error.then(|| errors[self.rng.usize(..errors.len())]);
        let effect = (behavior != Behavior::ErrorBeforeEffect).then(|| self.apply(method, path));
        match behavior {
            Behavior::ResponseLost => return Err(TransportError::connection_lost("reset")),
            Behavior::Silence => return Ok(None),
            _ => {}
        }
        let (status, body) = match (error, effect) {
            (Some((status, body)), _) => (status, body.to_owned()),
            (None, Some((id, status, body))) => {
                let body = match behavior {
                    Behavior::InvalidJson if status == 200 => "{\"id\": ".to_owned(),
                    Behavior::EmptyObject if status == 200 => "{}".to_owned(),
                    Behavior::FailedQuery if status == 200 => {
                        json!({ "id": id, "error": { "message": "too much" } }).to_string()
                    }
                    _ if body.is_null() => String::new(),
                    _ => body.to_string(),
                };
                if method == "POST" && body.contains("\"q+/") {
                    self.known.insert(id);
                } else if method == "DELETE" {
                    self.deleted.insert(id);
                }
                (status, body)
            }
            (None, None) => unreachable!("only an error has no effect"),
        };
        let mut response = Response::builder().status(status).header("content-type", "application/json");
        if behavior != Behavior::WithoutTag {
            response = response.header(TAG, if behavior == Behavior::NewTag { "route-B" } else { "route-A" });
        }
        Ok(Some(response.body(TransportBody::from(body)).unwrap()))
    }
}

struct Shared(Arc<Server>);

impl HttpTransport for Shared {
    fn send(&self, request: Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            // The caller can drop the future before and after the server handles the request.
            tokio::task::yield_now().await;
            let response = self.0.0.lock().unwrap().respond(&request)?;
            tokio::task::yield_now().await;
            match response {
                Some(response) => Ok(response),
                None => std::future::pending().await,
            }
        })
    }
}

/// Each history is one query with random faults, which is dropped at a random point in one of four histories.
#[tokio::test(start_paused = true)]
async fn queries_under_random_faults_are_launched_once_and_deleted() {
    let seed = fastrand::u64(..);
    print_line(&format!("queries: seed {seed}"));
    let (mut behaviors, mut finished, mut dropped) = (BTreeMap::new(), 0, 0);
    for number in 0..QUERIES {
        let mut rng = Rng::with_seed(seed.wrapping_add(number));
        let drop_after = (rng.u8(..4) == 0).then(|| rng.usize(..16));
        let attempts = rng.u32(1..4);
        let server = Arc::new(Server(Mutex::new(State {
            fault_rate: rng.u8(..60),
            rng,
            launches: 0,
            living: BTreeMap::new(),
            known: BTreeSet::new(),
            deleted: BTreeSet::new(),
            tried: BTreeSet::new(),
            behaviors: BTreeMap::new(),
        })));
        let client = Client::builder("https://console.example")
            .token(ApiToken::new(TOKEN).unwrap())
            .transport(Shared(Arc::clone(&server)))
            .clock(VirtualClock::auto())
            .timeout(Duration::from_secs(20))
            .retry_policy(RetryPolicy::default().max_attempts(attempts))
            .rate_limits(RateLimits::disabled())
            .build()
            .unwrap();
        let query = client.queries().power_query("* | limit 1").scope(QueryScope::tenant()).run();
        let stop = async {
            match drop_after {
                Some(polls) => {
                    for _ in 0..polls {
                        tokio::task::yield_now().await;
                    }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            result = query => finished += u64::from(result.is_ok_and(|table| table.rows.len() == 1)),
            () = stop => dropped += 1,
        }
        client.finish_queries().await;
        let state = server.0.lock().unwrap();
        let context = format!("seed {seed}, history {number}: {:?}", state.behaviors);
        assert!(state.launches <= 1, "launched {} times: {context}", state.launches);
        assert!(state.known.is_subset(&state.tried), "not deleted: {context}");
        // A deletion that fails is repeated as far as the retry policy allows; the data lake ends the query otherwise.
        let left: Vec<&String> = state.living.keys().filter(|id| state.deleted.contains(*id)).collect();
        assert!(left.is_empty(), "left after its deletion: {context}");
        let failed = !state.known.is_subset(&state.deleted);
        let has_faults =
            state.behaviors.keys().any(|(method, one)| method == "DELETE" && *one != Behavior::Success);
        assert!(!failed || has_faults, "a deletion without faults failed: {context}");
        for (key, count) in &state.behaviors {
            *behaviors.entry(key.clone()).or_insert(0) += count;
        }
    }
    print_line(&format!("queries: {finished} of {QUERIES} finished, {dropped} dropped; {behaviors:?}"));
    for method in ["POST", "GET", "DELETE"] {
        for fault in FAULTS {
            assert!(behaviors.contains_key(&(method.to_owned(), fault)), "{method} {fault:?}");
        }
    }
    assert!(finished > QUERIES / 4 && dropped > QUERIES / 20, "{finished} finished, {dropped} dropped");
}
