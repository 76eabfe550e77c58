//! Long-running queries against a data lake that counts its queries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentinelone::bytes::Bytes;
use sentinelone::http::{Request, Response};
use sentinelone::queries::{LogQuery, QueryError, QueryRange, QueryScope, QueryTable, TableQuery};
use sentinelone::{Client, ErrorKind, HttpTransport, RateLimits, TransportBody, TransportFuture, raw};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::clock::VirtualClock;
use crate::transport::{TOKEN, builder};

const TAG: &str = "X-Dataset-Query-Forward-Tag";

/// A response of the data lake.
#[derive(Clone)]
struct Script {
    status: u16,
    tag: Option<&'static str>,
    body: String,
}

impl Script {
    fn new(status: u16, body: &Value) -> Self {
        Self { status, tag: Some("route-A"), body: body.to_string() }
    }

    fn tag(self, tag: Option<&'static str>) -> Self {
        Self { tag, ..self }
    }
}

type Respond = Box<dyn Fn(&Value, usize) -> Script + Send + Sync>;

/// A data lake: `respond` gets the launched query and the number of earlier reads.
struct DataLake {
    respond: Respond,
    state: Mutex<State>,
    /// A request that waits until it is notified.
    pause: Option<(&'static str, Notify, Notify)>,
}

#[derive(Default)]
struct State {
    /// Living queries with their launch and the number of reads.
    queries: BTreeMap<String, (Value, usize)>,
    launches: Vec<Value>,
    deletions: usize,
    /// Method, path with query, and forward tag of each request.
    requests: Vec<(String, String, Option<String>)>,
}

impl DataLake {
    fn new(respond: impl Fn(&Value, usize) -> Script + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { respond: Box::new(respond), state: Mutex::default(), pause: None })
    }

    /// Creates a data lake that does not respond to one method until it is notified.
    fn paused(
        method: &'static str,
        respond: impl Fn(&Value, usize) -> Script + Send + Sync + 'static,
    ) -> Arc<Self> {
        let pause = Some((method, Notify::new(), Notify::new()));
        Arc::new(Self { respond: Box::new(respond), state: Mutex::default(), pause })
    }

    fn state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.lock().unwrap())
    }

    fn client(self: &Arc<Self>) -> Client {
        builder(Shared(Arc::clone(self)))
            .clock(VirtualClock::auto())
            .rate_limits(RateLimits::disabled())
            .build()
            .unwrap()
    }

    fn handle(&self, request: &Request<Bytes>) -> Response<TransportBody> {
        let mut state = self.state.lock().unwrap();
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("authorization").unwrap(), format!("Bearer {TOKEN}"));
        let (method, path) = (request.method().as_str(), request.uri().path_and_query().unwrap().to_string());
        state.requests.push((method.to_owned(), path.clone(), header(TAG)));
        let id = request.uri().path().trim_start_matches("/sdl/v2/api/queries").trim_start_matches('/');
        let id = percent_encoding::percent_decode_str(id).decode_utf8().unwrap().into_owned();
        let script = match method {
            "POST" => {
                let launch: Value = serde_json::from_slice(request.body()).unwrap();
                state.launches.push(launch.clone());
                let mut script = (self.respond)(&launch, 0);
                let mut body: Value = serde_json::from_str(&script.body).unwrap();
                if body["id"] == "q" {
                    body["id"] = format!("q{}", state.launches.len()).into();
                    script.body = body.to_string();
                }
                state.queries.extend(body["id"].as_str().map(|id| (id.to_owned(), (launch, 1))));
                script
            }
            "GET" => match state.queries.get_mut(&id) {
                Some((launch, reads)) => {
                    *reads += 1;
                    (self.respond)(launch, *reads - 1)
                }
                None => {
                    Script::new(404, &json!({ "code": "not_found", "message": "Requested token not found" }))
                }
            },
            _ => {
                state.deletions += 1;
                state.queries.remove(&id);
                Script { status: 204, tag: None, body: String::new() }
            }
        };
        let mut response = Response::builder().status(script.status);
        if let Some(tag) = script.tag {
            response = response.header(TAG, tag);
        }
        response.body(TransportBody::from(script.body)).unwrap()
    }
}

struct Shared(Arc<DataLake>);

impl HttpTransport for Shared {
    fn send(&self, request: Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(async move {
            let response = self.0.handle(&request);
            if let Some((method, reached, proceed)) = &self.0.pause
                && request.method() == *method
            {
                reached.notify_one();
                proceed.notified().await;
            }
            Ok(response)
        })
    }
}

/// Returns a response of a query with three steps, with these results after the last one.
fn after_three_steps(data: Value) -> impl Fn(&Value, usize) -> Script {
    move |_, reads| match reads {
        0 => Script::new(200, &json!({ "id": "a+/=", "stepsCompleted": 0, "stepsTotal": 0 })),
        1 => Script::new(200, &json!({ "stepsCompleted": 1, "stepsTotal": 3, "data": null }))
            .tag(Some("route-B")),
        _ => Script::new(200, &json!({ "stepsCompleted": 3, "stepsTotal": 3, "data": data })).tag(None),
    }
}

fn table(client: &Client) -> TableQuery {
    client.queries().power_query("* | group n = count() by event.type").scope(QueryScope::tenant())
}

fn log(client: &Client) -> LogQuery {
    client.queries().log("event.type = 'Process Creation'").scope(QueryScope::account("41"))
}

#[tokio::test]
async fn query_is_polled_to_its_end_and_deleted() {
    let data = json!({ "columns": [{ "name": "event.type" }, { "name": "n" }], "values": [["File", 7]], "matchCount": 7 });
    let lake = DataLake::new(after_three_steps(data));
    let client = lake.client();
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    let observed = table(&client).on_progress(move |progress| {
        seen.lock().unwrap().push((progress.steps_completed, progress.steps_total));
    });
    let result: QueryTable = observed.run().await.unwrap();
    assert_eq!((result.rows, result.summary.match_count), (vec![vec![json!("File"), json!(7)]], Some(7)));
    assert_eq!(*steps.lock().unwrap(), [(0, 0), (1, 3), (3, 3)]);
    let id = "/sdl/v2/api/queries/a%2B%2F%3D";
    let expected = [
        ("POST", "/sdl/v2/api/queries".to_owned(), None),
        ("GET", format!("{id}?lastStepSeen=0"), Some("route-A")),
        ("GET", format!("{id}?lastStepSeen=1"), Some("route-B")),
        ("DELETE", id.to_owned(), Some("route-B")),
    ];
    let expected = expected.map(|(method, path, tag)| (method.to_owned(), path, tag.map(str::to_owned)));
    lake.state(|state| {
        assert_eq!(state.requests, expected);
        assert!(state.queries.is_empty());
        let launch = &state.launches[0];
        assert_eq!(
            (&launch["tenant"], &launch["queryPriority"], launch.get("accountIds")),
            (&json!(true), &json!("LOW"), None)
        );
        let time = |name: &str| launch[name].as_str().unwrap().parse::<i64>().unwrap();
        assert_eq!(time("endTime") - time("startTime"), 24 * 60 * 60 * 1000);
    });
}

#[tokio::test]
async fn query_without_rows_is_polled_once_more() {
    let lake = DataLake::new(|_, reads| {
        let values = if reads == 0 { json!([]) } else { json!([[1]]) };
        let data = json!({ "columns": [{ "name": "n" }], "values": values });
        Script::new(200, &json!({ "id": "q", "stepsCompleted": 1, "stepsTotal": 1, "data": data }))
    });
    assert_eq!(table(&lake.client()).run().await.unwrap().rows, [[json!(1)]]);
    assert_eq!(lake.state(|state| state.requests.len()), 3);
}

#[tokio::test]
async fn failed_query_is_deleted_and_never_launched_again() {
    let running = json!({ "id": "q", "stepsCompleted": 0, "stepsTotal": 1 });
    let failed = json!({ "error": { "message": "too many columns", "details": "at 7" } });
    for (response, kind, launches, deletions) in [
        (Script::new(200, &failed), ErrorKind::NoResult, 1, 1),
        (Script::new(500, &json!({ "message": "failed" })), ErrorKind::Api, 1, 1),
        (Script::new(403, &json!({ "code": "x" })), ErrorKind::Api, 1, 1),
        (Script::new(404, &json!({ "code": "not_found" })), ErrorKind::Api, 1, 1),
    ] {
        let running = Script::new(200, &running);
        let lake = DataLake::new(move |_, reads| if reads == 0 { running.clone() } else { response.clone() });
        let error = table(&lake.client()).run().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        lake.state(|state| {
            assert_eq!((state.launches.len(), state.deletions), (launches, deletions), "{error}");
            assert!(state.queries.is_empty(), "{error}");
        });
    }
    let lake = DataLake::new(|_, _| Script::new(503, &json!({ "message": "busy" })));
    let error = table(&lake.client()).run().await.unwrap_err();
    assert_eq!(
        (error.kind(), lake.state(|state| state.launches.len())),
        (ErrorKind::Api, 1),
        "a launch is not repeated"
    );
}

#[tokio::test]
async fn query_status_404_of_a_living_query_is_polled_again() {
    let lake = DataLake::new(|_, reads| match reads {
        0 => Script::new(200, &json!({ "id": "q", "stepsCompleted": 0, "stepsTotal": 1 })),
        1 | 2 => Script::new(404, &json!({ "code": "not_found" })),
        _ => Script::new(200, &json!({ "stepsCompleted": 1, "totalSteps": 1, "data": { "values": [[1]] } })),
    });
    assert_eq!(table(&lake.client()).run().await.unwrap().rows.len(), 1);
    assert_eq!(lake.state(|state| (state.launches.len(), state.queries.len())), (1, 0));
}

#[tokio::test]
async fn query_timeout_deletes_it() {
    let lake =
        DataLake::new(|_, _| Script::new(200, &json!({ "id": "q", "stepsCompleted": 0, "stepsTotal": 9 })));
    let error = table(&lake.client()).timeout(Duration::from_secs(30)).run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimeout);
    lake.state(|state| {
        assert!(state.queries.is_empty());
        assert_eq!(state.requests.iter().filter(|(method, ..)| method == "GET").count(), 30);
    });
}

/// Dropping the future at any request leaves no query.
#[tokio::test]
async fn dropped_query_is_deleted() {
    for method in ["POST", "GET", "DELETE"] {
        let data = json!({ "columns": [{ "name": "n" }], "values": [[1]] });
        let lake = DataLake::paused(method, after_three_steps(data));
        let client = lake.client();
        let (_, reached, proceed) = lake.pause.as_ref().unwrap();
        tokio::select! {
            result = table(&client).run() => panic!("{result:?}"),
            () = reached.notified() => {}
        }
        // The deletion waits, too, if it is the paused method.
        let resume = async {
            loop {
                proceed.notify_one();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = client.finish_queries() => {}
            () = resume => {}
        }
        lake.state(|state| {
            assert_eq!((state.launches.len(), state.queries.len()), (1, 0), "{method}: {:?}", state.requests);
        });
    }
}

/// Returns the events of a data lake with 25 events, one a second, of which two have the same time.
fn events(accepts_cursors: bool) -> impl Fn(&Value, usize) -> Script {
    let all: Vec<Value> = (0..25_i64)
        .map(|number| {
            let seconds = if number == 12 { 11 } else { number };
            let time = 1_700_000_000_000_000_000 + seconds * 1_000_000_000;
            json!({ "cursor": format!("c{number}"), "timestamp": time.to_string(), "values": { "number": number } })
        })
        .collect();
    move |launch, _| {
        let log = &launch["log"];
        if log["cursor"].is_string() && !accepts_cursors {
            return Script::new(
                400,
                &json!({ "code": "invalid_argument", "message": "cursor is not supported" }),
            );
        }
        let time = |name: &str| launch[name].as_str().unwrap().parse::<i64>().unwrap();
        let is_in_range = |event: &&Value| {
            let millis = event["timestamp"].as_str().unwrap().parse::<i64>().unwrap() / 1_000_000;
            (time("startTime")..time("endTime")).contains(&millis)
        };
        let mut found: Vec<&Value> = all.iter().filter(is_in_range).collect();
        let total = found.len();
        if log["ascending"] == false {
            found.reverse();
        }
        if let Some(cursor) = log["cursor"].as_str() {
            let at = found.iter().position(|event| event["cursor"] == cursor).unwrap();
            assert_eq!(log["exclusive"], true);
            found.drain(..=at);
        }
        found.truncate(usize::try_from(log["limit"].as_u64().unwrap()).unwrap());
        let data = json!({ "matches": found, "estimatedMatchCount": total });
        Script::new(200, &json!({ "id": "q", "stepsCompleted": 1, "stepsTotal": 1, "data": data }))
    }
}

fn all_events() -> QueryRange {
    QueryRange::between("2023-11-14T22:13:20Z", "2023-11-14T22:14:20Z")
}

async fn numbers(query: LogQuery) -> Vec<i64> {
    let mut events = query.events();
    let mut numbers = Vec::new();
    while let Some(event) = events.next().await {
        numbers.push(event.unwrap().values["number"].as_i64().unwrap());
    }
    numbers
}

#[tokio::test]
async fn events_of_all_pages_and_slices_are_read_once_in_order() {
    for accepts_cursors in [true, false] {
        for (page_size, slices) in [(1000, 1), (10, 1), (3, 1), (1000, 4), (2, 7)] {
            if page_size == 2 && !accepts_cursors {
                continue;
            }
            let lake = DataLake::new(events(accepts_cursors));
            let client = lake.client();
            let query = || log(&client).range(all_events()).page_size(page_size).slices(slices);
            let note = format!("page size {page_size}, {slices} slices, cursors {accepts_cursors}");
            let ascending = numbers(query().ascending()).await;
            assert_eq!(ascending, (0..25).collect::<Vec<_>>(), "{note}");
            let descending = numbers(query()).await;
            assert_eq!(descending, (0..25).rev().collect::<Vec<_>>(), "{note}");
            assert_eq!(numbers(query().limit(5)).await.len(), 5, "{note}");
            client.finish_queries().await;
            assert!(lake.state(|state| state.queries.is_empty()), "{note}");
        }
    }
    let lake = DataLake::new(events(true));
    let query = log(&lake.client()).range(all_events());
    assert_eq!(query.clone().estimate().await.unwrap(), Some(25));
    let mut paged = query.page_size(4).events();
    while let Some(event) = paged.next().await {
        event.unwrap();
    }
    assert_eq!(paged.summary().match_count, Some(25), "the first page counts all matches");
}

#[tokio::test]
async fn events_without_progress_end_with_an_error() {
    let event = json!({ "cursor": "same", "timestamp": 7, "values": {} });
    let data = json!({ "matches": [event, event] });
    let lake = DataLake::new(move |_, _| {
        Script::new(200, &json!({ "id": "q", "stepsCompleted": 1, "stepsTotal": 1, "data": data }))
    });
    let mut events = log(&lake.client()).page_size(2).events();
    let mut kinds = BTreeSet::new();
    for _ in 0..9 {
        if let Some(Err(error)) = events.next().await {
            kinds.insert(error.to_string());
            assert_eq!(error.kind(), ErrorKind::RepeatedCursor);
        }
    }
    assert_eq!(kinds.len(), 1);
    assert_eq!(lake.state(|state| state.launches.len()), 2);
}

#[tokio::test]
async fn invalid_query_is_not_sent() {
    let lake = DataLake::new(|_, _| panic!("a request was sent"));
    let client = lake.client();
    let queries = client.queries();
    let day = QueryRange::between("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z");
    let future = QueryRange::between("2999-01-01T00:00:00Z", "2999-01-02T00:00:00Z");
    let scoped = || log(&client);
    let error = |events: Option<sentinelone::Result<_>>| events.unwrap().map(drop).unwrap_err();
    for (mut events, expected) in [
        (queries.log("a.b = 1").events(), "the query has no scope"),
        (scoped().range(day).events(), "which is not after its start"),
        (scoped().range(future).events(), "which is in the future"),
        (scoped().page_size(0).events(), "the page size is 0; expected 1 to 5000"),
        (scoped().page_size(5_001).events(), "the page size is 5001"),
        (scoped().slices(0).events(), "the number of slices is 0"),
        (
            queries.log("SrcProcName ContainsCIS 'x'").scope(QueryScope::tenant()).events(),
            "which S1QL 2.0 does not have",
        ),
        (queries.log("a.b = 'x").scope(QueryScope::tenant()).events(), "column"),
    ] {
        let error = error(events.next().await);
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.downcast_ref::<QueryError>().is_some() && error.help().is_some());
    }
    let none: [&str; 0] = [];
    for sites in [&none[..], &[""], &["7", " "], &["a'b\"c"]] {
        let error = error(scoped().sites(sites.iter().copied()).events().next().await);
        assert_eq!(error.downcast_ref(), Some(&QueryError::Sites), "{sites:?}");
    }
    let error = queries.power_query(" ").scope(QueryScope::tenant()).run().await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&QueryError::Empty));
    let kind = raw::long_running_query::LongRunningQueryCreateQueryType::TopFacets;
    let request = raw::long_running_query::LongRunningQueryCreateRequest::new(kind);
    let error = queries.run(&request).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&QueryError::NoScope));
    let error = queries.run(&request.tenant(true).account_ids(["1"])).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&QueryError::TenantAndAccounts));
    assert_eq!(QueryScope::accounts([""]), Err(QueryError::EmptyAccounts));
    assert_eq!(QueryScope::accounts(Vec::<String>::new()), Err(QueryError::EmptyAccounts));
}
