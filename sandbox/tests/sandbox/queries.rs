//! Long-running queries in the sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sentinelone::long_running_query::LongRunningQueryCreateRequest;
use sentinelone::queries::{QueryRange, QueryScope};
use sentinelone::{
    ApiToken, Client, ClientBuilder, Clock, Error, ErrorKind, RateLimits, RetryPolicy, SleepFuture, Timestamp,
};
use sentinelone_sandbox::{QueryFault, Sandbox};
use serde_json::{Value, json};

const WEEK: QueryRange = QueryRange::last(Duration::from_secs(7 * 24 * 60 * 60));
const TAG: &str = "x-dataset-query-forward-tag";

/// A clock that advances by the time between two polls instead of waiting, and otherwise in real time.
#[derive(Debug)]
struct NoWaits {
    start: Instant,
    skipped: AtomicU64,
}

impl Default for NoWaits {
    fn default() -> Self {
        Self { start: Instant::now(), skipped: AtomicU64::new(0) }
    }
}

impl Clock for NoWaits {
    fn now(&self) -> Duration {
        self.start.elapsed() + Duration::from_millis(self.skipped.load(Ordering::SeqCst))
    }

    fn sleep(&self, delay: Duration) -> SleepFuture {
        // Longer delays are timeouts.
        if delay > Duration::from_secs(1) {
            return Box::pin(tokio::time::sleep(delay));
        }
        self.skipped.fetch_add(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

fn builder(sandbox: &Sandbox) -> ClientBuilder {
    let client = Client::builder(sandbox.url()).token(ApiToken::new(Sandbox::TOKEN).unwrap());
    client.rate_limits(RateLimits::disabled())
}

/// A sandbox with a clock that a test moves, in milliseconds since 1970, and a client that does not wait between polls.
async fn sandbox() -> (Sandbox, Client, Arc<AtomicI64>) {
    let start = Timestamp::from("2026-11-20T10:00:00Z").unix_millis().unwrap();
    let time = Arc::new(AtomicI64::new(start));
    let now = Arc::clone(&time);
    let clock = move || Timestamp::from_unix_millis(now.load(Ordering::SeqCst)).unwrap();
    let sandbox = Sandbox::builder().clock(clock).start().await.unwrap();
    let client = builder(&sandbox).clock(NoWaits::default()).build().unwrap();
    (sandbox, client, time)
}

fn range() -> QueryRange {
    QueryRange::between("2026-11-13T10:00:00Z", "2026-11-20T10:00:00Z")
}

#[tokio::test]
async fn log_query_finds_what_its_filter_describes() {
    let (sandbox, client, _) = sandbox().await;
    let find = |filter: &'static str| client.queries().log(filter).scope(QueryScope::tenant()).range(range());
    for (filter, expected) in [
        (
            r#"event.type = "Process Creation" and tgt.process.name contains "powershell""#,
            &["event-9", "event-3"][..],
        ),
        ("dst.port.number >= 443 and not (dst.ip.address matches '^203')", &["event-4"]),
        ("endpoint.name in ('web-01')", &["event-8"]),
        ("tgt.process.name = 'absent.exe'", &[]),
    ] {
        let mut events = find(filter).page_size(1).events();
        let mut found = Vec::new();
        while let Some(event) = events.next().await {
            found.push(event.unwrap().values["event.id"].as_str().unwrap().to_owned());
        }
        assert_eq!(found, expected, "{filter}");
        assert_eq!(events.summary().match_count, Some(expected.len() as u64));
    }
    let other = client.queries().log("*").scope(QueryScope::account("410000000000000002")).range(range());
    assert!(other.events().next().await.is_none(), "the account has no events");
    let site = find("event.type = 'Process Creation'").sites(["420000000000000001"]);
    assert!(site.events().next().await.is_none(), "the only process of the site is older");
    assert_eq!(sandbox.running_queries(), 0);
}

#[tokio::test]
async fn power_query_groups_sorts_and_limits() {
    let (sandbox, client, _) = sandbox().await;
    let run = |text: &'static str| {
        client.queries().power_query(text).scope(QueryScope::tenant()).range(range()).run()
    };
    let table = run("event.type = * | group n = count(), last = max_by(endpoint.name, event.time) by event.type | sort -n | limit 2")
        .await
        .unwrap();
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["event.type", "n", "last"]);
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut events =
        client.queries().log("event.type = *").scope(QueryScope::tenant()).range(range()).events();
    while let Some(event) = events.next().await {
        let values = event.unwrap().values;
        let text = |name: &str| values[name].as_str().unwrap().to_owned();
        // The newest event is first.
        expected.entry(text("event.type")).or_default().push(text("endpoint.name"));
    }
    let mut counts: Vec<usize> = expected.values().map(Vec::len).collect();
    counts.sort_by(|one, other| other.cmp(one));
    assert!(table.rows.len() == 2 && expected.len() > 2, "{:?}", table.rows);
    for (row, count) in table.rows.iter().zip(counts) {
        let endpoints = &expected[row[0].as_str().unwrap()];
        assert_eq!(row[1..], [json!(count), json!(endpoints[0])], "{row:?}");
        assert_eq!(endpoints.len(), count, "{row:?}");
    }
    let total = expected.values().map(Vec::len).sum::<usize>() as u64;
    assert_eq!((table.key_columns, table.summary.match_count), (Some(1), Some(total)));
    let table = run(
        "dst.port.number = * | filter dst.port.number > 443 | columns host = endpoint.name, dst.port.number",
    )
    .await
    .unwrap();
    assert_eq!(table.rows, [[json!("web-02"), json!(4444)]]);
    let error = run("* | parse 'x' from message").await.unwrap_err();
    assert_eq!(error.status().unwrap(), 501);
    assert!(error.report().to_string().contains("parse"), "{}", error.report());
    assert_eq!(sandbox.running_queries(), 0);
}

#[tokio::test]
async fn query_ends_without_reads_and_needs_its_route() {
    let (sandbox, client, time) = sandbox().await;
    let calls = client.long_running_query();
    let body = json!({ "queryType": "LOG", "log": { "filter": "" }, "tenant": true });
    let request: LongRunningQueryCreateRequest = serde_json::from_value(body).unwrap();
    let launched = calls.create(request.clone()).send().await.unwrap();
    let tag = launched.headers()[TAG].to_str().unwrap().to_owned();
    let id = launched.into_value().0.id.unwrap();
    for wrong in [None, Some("node-1")] {
        assert_eq!(calls.get(&id, 0, wrong).await.unwrap_err().status().unwrap(), 404);
    }
    time.fetch_add(900, Ordering::SeqCst);
    assert_eq!(calls.get(&id, 0, Some(&tag)).await.unwrap().steps_completed, Some(1));
    time.fetch_add(29_000, Ordering::SeqCst);
    let moved = calls.get(&id, 1, Some(&tag)).await.unwrap();
    assert_eq!(moved.steps_completed, moved.steps_total);
    let moved = moved.headers()[TAG].to_str().unwrap().to_owned();
    assert_ne!(moved, tag);
    assert_eq!(calls.get(&id, 2, Some(&tag)).await.unwrap_err().status().unwrap(), 404, "the route moved");
    assert_eq!(sandbox.running_queries(), 1);
    time.fetch_add(31_000, Ordering::SeqCst);
    assert_eq!(sandbox.running_queries(), 0);
    assert_eq!(calls.get(&id, 2, Some(&moved)).await.unwrap_err().status().unwrap(), 404);
    assert_eq!(calls.delete(&id, Some(&moved)).await.unwrap_err().status().unwrap(), 404);
}

#[tokio::test]
async fn scope_and_scheme_are_checked_as_by_the_data_lake() {
    let (sandbox, _, _) = sandbox().await;
    let http = reqwest::Client::new();
    let launch = async |scheme: &str, body: Value| {
        let request = http.post(format!("{}/sdl/v2/api/queries", sandbox.url()));
        let request = request.header("authorization", format!("{scheme} {}", Sandbox::TOKEN));
        let response =
            request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let query = |scope: Value| {
        let mut body = json!({ "queryType": "LOG", "log": { "filter": "" } });
        body.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
        body
    };
    let account = "410000000000000001";
    for (scheme, scope, status, text) in [
        ("ApiToken", json!({ "tenant": true }), 500, "actually starts with \"ApiTok\""),
        ("Bearer", json!({}), 200, "stepsTotal"),
        ("Bearer", json!({ "tenant": true, "accountIds": [account] }), 400, "tenant=false should be used"),
        (
            "Bearer",
            json!({ "tenant": false, "accountIds": ["7"] }),
            500,
            "do not have access to this account",
        ),
        ("Bearer", json!({ "accountIds": account }), 400, "Invalid JSON"),
        ("Bearer", json!({ "siteIds": ["7"] }), 400, "Invalid JSON"),
        ("Bearer", json!({ "queryType": "PLOT", "plot": {} }), 501, "PLOT"),
        ("Bearer", json!({ "queryType": "PQ" }), 400, "Unexpected value 'PQ'"),
        ("Bearer", json!({ "log": { "filter": "a.b = 'x" } }), 400, "invalid_argument"),
    ] {
        let (actual, body) = launch(scheme, query(scope.clone())).await;
        assert_eq!(actual, status, "{scope}: {body}");
        assert!(body.contains(text), "{scope}: {body}");
    }
}

/// Without a scope, a query finds nothing, and the data lake reports no error.
#[tokio::test]
async fn query_without_scope_finds_nothing() {
    let (_sandbox, client, _) = sandbox().await;
    let calls = client.long_running_query();
    let all = crate::tenant()["data_lake_events"].as_array().unwrap().len();
    for (scope, expected) in [(json!({}), 0), (json!({ "tenant": true }), all)] {
        let mut body =
            json!({ "queryType": "LOG", "log": { "filter": "" }, "startTime": "2w", "endTime": "now" });
        body.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
        let request: LongRunningQueryCreateRequest = serde_json::from_value(body).unwrap();
        let launched = calls.create(request).send().await.unwrap();
        let tag = launched.headers()[TAG].to_str().unwrap().to_owned();
        let id = launched.into_value().0.id.unwrap();
        let _ = calls.get(&id, 0, Some(&tag)).await.unwrap();
        let read = calls.get(&id, 1, Some(&tag)).await.unwrap();
        let matches = read.json()["data"]["matches"].as_array().unwrap().len();
        assert_eq!(matches, expected, "{scope}");
    }
}

#[tokio::test]
async fn dropped_query_leaves_none_running() {
    let (sandbox, ..) = sandbox().await;
    let client = builder(&sandbox).build().unwrap();
    for polls in 0..3 {
        let query =
            client.queries().power_query("* | group n = count()").scope(QueryScope::tenant()).range(WEEK);
        let timeout = Duration::from_millis(200 + 700 * polls);
        assert!(tokio::time::timeout(timeout, query.run()).await.is_err());
        client.finish_queries().await;
        assert_eq!(sandbox.running_queries(), 0);
    }
    let error = client.queries().power_query("*").scope(QueryScope::account("7")).run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api);
}

/// A query completes its steps while it is not read.
#[tokio::test]
async fn steps_of_a_query_advance_with_time() {
    let (_sandbox, client, time) = sandbox().await;
    let calls = client.long_running_query();
    let body = json!({ "queryType": "LOG", "log": { "filter": "" }, "tenant": true });
    let request: LongRunningQueryCreateRequest = serde_json::from_value(body).unwrap();
    let launched = calls.create(request).send().await.unwrap();
    let tag = launched.headers()[TAG].to_str().unwrap().to_owned();
    let id = launched.into_value().0.id.unwrap();
    time.fetch_add(5_000, Ordering::SeqCst);
    let read = calls.get(&id, 0, Some(&tag)).await.unwrap();
    assert_eq!(read.steps_completed, read.steps_total);
}

/// Each fault of published clients has the expected effect on a query, and occurs once.
#[tokio::test]
async fn query_faults_occur_once() {
    for fault in QueryFault::ALL {
        assert_eq!(fault.as_str().parse(), Ok(fault));
        let now = || Timestamp::from("2026-11-20T10:00:00Z");
        let sandbox = Sandbox::builder().clock(now).query_faults([fault]).start().await.unwrap();
        // A client of its own for each query: one waits after status 429.
        let query = || {
            let client = builder(&sandbox).clock(NoWaits::default()).retry_policy(RetryPolicy::disabled());
            let client = client.build().unwrap();
            client.queries().power_query("* | limit 3").scope(QueryScope::tenant()).range(range()).run()
        };
        let first = query().await;
        let expected = match fault {
            QueryFault::LaunchUnavailable => Err(ErrorKind::Api),
            QueryFault::LaunchThrottled | QueryFault::ReadThrottled => Err(ErrorKind::Api),
            QueryFault::QueryFails => Err(ErrorKind::NoResult),
            _ => Ok(3),
        };
        assert_eq!(first.as_ref().map(|table| table.rows.len()).map_err(Error::kind), expected, "{fault}");
        let summary = first.map(|table| table.summary).unwrap_or_default();
        assert_eq!(summary.is_incomplete(), fault == QueryFault::PartialResults, "{fault}");
        assert_eq!(summary.warnings.is_empty(), fault != QueryFault::PartialResults, "{fault}");
        let left = usize::from(fault == QueryFault::DeletionFails);
        assert_eq!(sandbox.running_queries(), left, "{fault}");
        assert_eq!(query().await.unwrap().rows.len(), 3, "{fault}");
        assert_eq!(sandbox.running_queries(), left, "{fault}");
        sandbox.stop().await;
    }
    assert!("read-nothing".parse::<QueryFault>().unwrap_err().to_string().contains("read-not-found"));
}
