//! The clock of the sandbox, and the times of the example data.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sentinelone::incidents::{Checkpoint, FetchType, Fetcher, IncidentConfig};
use sentinelone::{ApiToken, Client as ApiClient, RateLimits};

use super::*;

fn millis(text: &str) -> Option<i64> {
    let time = text.ends_with('Z') && text.contains('T');
    time.then(|| Timestamp::from(text).unix_millis())?
}

/// Compares a value with the same value of a later start. Adds the number of timestamps.
fn compare_times(before: &Value, after: &Value, delay: i64, location: &str, count: &mut usize) {
    match (before, after) {
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len(), "{location}");
            for (before, after) in before.iter().zip(after) {
                compare_times(before, after, delay, &format!("{location}[]"), count);
            }
        }
        (Value::Object(before), Value::Object(after)) => {
            assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{location}");
            for (name, before) in before {
                compare_times(before, &after[name], delay, &format!("{location}.{name}"), count);
            }
        }
        (Value::String(before), Value::String(after)) if millis(before).is_some() => {
            assert_eq!(
                millis(before).unwrap() + delay,
                millis(after).unwrap(),
                "{location}: {before} {after}"
            );
            assert_eq!(before.len(), after.len(), "{location}: the precision changed");
            *count += 1;
        }
        (before, after) => assert_eq!(before, after, "{location}"),
    }
}

/// Each list has the same items at each start, and only their times differ.
#[tokio::test]
async fn tenant_times_are_relative_to_the_start() {
    let earlier = Console::start().await;
    let later = Console::start_at("2031-03-05T06:07:08.900Z").await;
    let delay = millis("2031-03-05T06:07:08Z").unwrap() - millis(NOW).unwrap();
    let mut with_times = BTreeSet::new();
    // Without a plan, the response is the same at any time.
    let is_played = |one: &&OperationSpec| one.method() == "GET" && one.x_s1()["sandbox"].is_object();
    for operation in Contract::bundled().operations().filter(is_played) {
        if operation.parameters().iter().any(|parameter| parameter.required && parameter.is_in_query()) {
            continue;
        }
        for path in paths(operation) {
            let mut responses = Vec::new();
            for console in [&earlier, &later] {
                // A link to a file has the port of the sandbox.
                let response = console.send("GET", &path, &[], None).await.1.to_string();
                let response = response.replace(&console.sandbox.url(), "http://127.0.0.1");
                responses.push(serde_json::from_str::<Value>(&response).unwrap());
            }
            let mut count = 0;
            compare_times(&responses[0], &responses[1], delay, operation.id(), &mut count);
            with_times.extend((count > 0).then(|| operation.id()));
        }
    }
    let lists = ["activities_list", "agents_list", "alerts_list", "sites_list", "threats_list"];
    assert!(with_times.is_superset(&lists.into()), "{with_times:?}");

    let path = "/web/api/v2.1/users/api-token-details";
    let body = json!({ "data": { "apiToken": Sandbox::TOKEN } });
    let (before, after) = (earlier.post(path, body.clone()).await, later.post(path, body).await);
    let mut count = 0;
    compare_times(&before, &after, delay, "token", &mut count);
    assert_eq!(count, 2, "the creation and the expiry");
}

#[tokio::test]
async fn created_items_and_responses_have_the_time_of_the_clock() {
    let now = Arc::new(AtomicI64::new(millis("2033-01-02T03:04:05Z").unwrap()));
    let clock = Arc::clone(&now);
    let clock = move || Timestamp::from_unix_millis(clock.load(Ordering::Relaxed)).unwrap();
    let console =
        Console { sandbox: Sandbox::builder().clock(clock).start().await.unwrap(), http: Client::new() };
    now.fetch_add(90_000, Ordering::Relaxed);
    assert_eq!(millis(console.sandbox.now().as_str()), millis("2033-01-02T03:05:35Z"));

    let body = json!({ "data": { "text": "Checked" }, "filter": { "ids": [id(4)] } });
    console.post(&format!("{THREATS}/notes"), body).await;
    let notes = console.get(&format!("{THREATS}/{}/notes", id(4)), &[]).await;
    assert_eq!(millis(notes["data"][0]["createdAt"].as_str().unwrap()), millis("2033-01-02T03:05:35Z"));

    let period = ["2033-01-01T00:00:00Z", "2033-01-02T00:00:00Z"];
    let query = json!({ "query": "x", "fromDate": period[0], "toDate": period[1] });
    let started = console.post("/web/api/v2.1/dv/events/pq", query).await;
    let query_id = started["data"]["queryId"].as_str().unwrap().to_owned();
    let ping = async || console.get("/web/api/v2.1/dv/events/pq-ping", &[("queryId", &query_id)]).await;
    ping().await;
    let finished = ping().await;
    let day = 24 * 60 * 60 * 1000;
    assert_eq!(finished["data"]["data"][0][0], millis("2033-01-02T03:05:35Z").unwrap() - day);

    let url = format!("{}{THREATS}", console.sandbox.url());
    let response = console.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["date"], "Sun, 02 Jan 2033 03:05:35 GMT");
}

#[tokio::test]
async fn clock_without_a_time_is_rejected_at_the_start() {
    let error = Sandbox::builder().clock(|| Timestamp::from("soon")).start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("\"soon\""), "{error}");
    // The header `Date` has no such year.
    for time in ["1969-12-31T23:59:59Z", "-000001-01-01T00:00:00Z"] {
        let console = Console::start_at(time).await;
        assert_eq!(console.select(&[]).await.len(), 12, "{time}");
    }
}

/// The start of the first fetch is relative to the system clock.
#[tokio::test]
async fn first_fetch_with_default_period_finds_threats_and_alerts() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = ApiClient::builder(sandbox.url())
        .token(ApiToken::new(Sandbox::TOKEN).unwrap())
        .rate_limits(RateLimits::disabled())
        .build()
        .unwrap();
    let mut config = IncidentConfig::default();
    config.fetch_type = FetchType::Both;
    let batch = Fetcher::new(client, config).unwrap().poll(&Checkpoint::default()).await.unwrap();
    let keys: BTreeSet<String> = batch.incidents.into_iter().map(|incident| incident.dedupe_key).collect();
    let threats = [11, 12].map(|number| format!("threats:{}", id(number)));
    let expected = threats.into_iter().chain(["alerts:530000000000000004".to_owned()]);
    assert_eq!(keys, expected.collect());
}

/// The bundled file states the time that its times are relative to.
#[test]
fn tenant_items_are_not_newer_than_its_reference_time() {
    let now = tenant()["_now"].as_str().unwrap().to_owned();
    assert_eq!(now, NOW);
    for (collection, items) in tenant().as_object().unwrap() {
        for item in items.as_array().into_iter().flatten() {
            for name in ["createdAt", "updatedAt", "lastActiveDate"] {
                let time = item[name].as_str();
                assert!(time.is_none_or(|time| millis(time) <= millis(&now)), "{collection}: {item}");
            }
        }
    }
}
