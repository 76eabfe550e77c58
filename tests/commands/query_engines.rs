//! The query commands on both engines: Deep Visibility, and long-running queries.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response};
use sentinelone::ErrorKind;
use sentinelone_sandbox::{InProcessSandbox, Sandbox};

use super::queries::DV;
use super::*;

const LAUNCH: &str = "/sdl/v2/api/queries";
const PERIOD: [(&str, &str); 2] =
    [("from_date", "2026-11-01T00:00:00Z"), ("to_date", "2026-11-20T10:00:00Z")];
const FILTER: (&str, &str) = ("query", "EventType Exists");
const POWER: (&str, &str) = (
    "query",
    "event.type = * | sort timestamp | columns eventTime = timestamp, agentName = endpoint.name | limit 2",
);

/// Returns the response to requests that do not reach the sandbox.
type Intercept = fn(&Request<Bytes>) -> Option<Response<Bytes>>;

/// Returns a sandbox and its client.
fn sandbox(intercept: Intercept) -> (InProcessSandbox, Client) {
    // Its events are in the period.
    let sandbox = Sandbox::builder().clock(|| Timestamp::from(PERIOD[1].1)).in_process().unwrap();
    let console = sandbox.clone();
    let client = Client::builder("https://console.example")
        .token(ApiToken::new(Sandbox::TOKEN).unwrap())
        .transport(move |request: Request<Bytes>| {
            intercept(&request).unwrap_or_else(|| console.respond(request))
        })
        .retry_policy(RetryPolicy::disabled())
        .rate_limits(RateLimits::disabled());
    (sandbox, client.build().unwrap())
}

fn status(status: u16) -> Response<Bytes> {
    let body = r#"{"errors": [{"code": 1, "title": "Title", "detail": null}]}"#;
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Bytes::from_static(body.as_bytes())).unwrap()
}

/// Returns the paths of the requests.
fn paths_of(sandbox: &InProcessSandbox) -> Vec<String> {
    sandbox.exchanges().into_iter().map(|exchange| exchange.path).collect()
}

async fn call(client: &Client, name: &str, args: &[(&str, &str)]) -> Result<Outcome, Error> {
    entry(name).prepare(arguments(args))?.run(client).await
}

fn query_id(outcome: &Outcome) -> String {
    outcome.response["data"]["queryId"].as_str().unwrap().to_owned()
}

fn with<'a>(own: &[(&'a str, &'a str)], engine: &'a str) -> Vec<(&'a str, &'a str)> {
    own.iter().copied().chain([("engine", engine)]).collect()
}

fn with_period<'a>(own: (&'a str, &'a str), engine: &'a str) -> Vec<(&'a str, &'a str)> {
    with(&[own], engine).into_iter().chain(PERIOD).collect()
}

/// Returns the context of each of the seven commands.
async fn contexts(client: &Client, engine: &str) -> Vec<(&'static str, Value)> {
    let mut contexts = Vec::new();
    let mut keep = |name: &'static str, outcome: Outcome| {
        assert!(outcome.is_complete(), "{name} on {engine}: {outcome:?}");
        contexts.push((name, outcome.context.clone()));
        outcome
    };
    let created = call(client, "create-query", &with_period(FILTER, engine)).await.unwrap();
    let id = query_id(&keep("create-query", created));
    let by_id = with(&[("query_id", id.as_str())], engine);
    let mut status = call(client, "get-dv-query-status", &by_id).await.unwrap();
    while status.response["data"]["responseState"] == "RUNNING" {
        status = call(client, "get-dv-query-status", &by_id).await.unwrap();
    }
    let _ = keep("get-dv-query-status", status);
    let _ = keep("get-events", call(client, "get-events", &by_id).await.unwrap());
    let _ = keep("get-processes", call(client, "get-processes", &by_id).await.unwrap());

    let created = call(client, "create-power-query", &with_period(POWER, engine)).await.unwrap();
    let id = query_id(&keep("create-power-query", created));
    let by_id = with(&[("queryId", id.as_str())], engine);
    let mut rows = call(client, "ping-power-query", &by_id).await.unwrap();
    while rows.response["data"]["status"] == "RUNNING" {
        rows = call(client, "ping-power-query", &by_id).await.unwrap();
    }
    let _ = keep("ping-power-query", rows);
    let rows = call(client, "get-power-query-results", &with_period(POWER, engine)).await.unwrap();
    let _ = keep("get-power-query-results", rows);
    contexts
}

/// Adds the paths of the values of a context.
fn paths(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| paths(value, &format!("{prefix}.{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{prefix}[]"), found)),
        _ => {
            found.insert(prefix.to_owned());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn query_commands_have_the_same_context_paths_on_both_engines() {
    let (sandbox, client) = sandbox(|_| None);
    let on_dv = contexts(&client, "dv").await;
    let on_lrq = contexts(&client, "lrq").await;
    let commands: BTreeSet<&str> = on_dv.iter().map(|(name, _)| *name).collect();
    let with_engine =
        registry().iter().filter(|one| (one.arguments)().iter().any(|one| one.name == "engine"));
    assert_eq!(commands, with_engine.map(|one| one.info.name).collect());
    for ((name, dv), (_, lrq)) in on_dv.iter().zip(&on_lrq) {
        let [dv_paths, lrq_paths] = [dv, lrq].map(|context| {
            let mut found = BTreeSet::new();
            paths(context, "", &mut found);
            found
        });
        assert!(!dv_paths.is_empty(), "{name}");
        assert_eq!(lrq_paths, dv_paths, "{name}");
    }
    assert_eq!(sandbox.running_queries(), 0);
}

/// `auto` changes the engine if the console does not have Deep Visibility, and for no other error.
#[tokio::test(start_paused = true)]
async fn auto_engine_follows_the_console() {
    let starts =
        [("create-query", FILTER), ("create-power-query", POWER), ("get-power-query-results", POWER)];
    for (name, query) in starts {
        let (sandbox, client) = sandbox(|_| None);
        let outcome = call(&client, name, &with_period(query, "auto")).await.unwrap();
        assert!(outcome.is_complete(), "{name}");
        assert!(paths_of(&sandbox).iter().all(|path| path.starts_with(DV)), "{name}");
    }
    let on = |code: u16| -> Intercept {
        match code {
            404 => |request| request.uri().path().starts_with(DV).then(|| status(404)),
            405 => |request| request.uri().path().starts_with(DV).then(|| status(405)),
            410 => |request| request.uri().path().starts_with(DV).then(|| status(410)),
            501 => |request| request.uri().path().starts_with(DV).then(|| status(501)),
            400 => |request| request.uri().path().starts_with(DV).then(|| status(400)),
            403 => |request| request.uri().path().starts_with(DV).then(|| status(403)),
            _ => |request| request.uri().path().starts_with(DV).then(|| status(500)),
        }
    };
    for (code, is_gone) in
        [(404, true), (405, true), (410, true), (501, true), (400, false), (403, false), (500, false)]
    {
        for (name, query) in starts {
            let (sandbox, client) = sandbox(on(code));
            let result = call(&client, name, &with_period(query, "auto")).await;
            assert_eq!(result.is_ok(), is_gone, "{name} after {code}: {result:?}");
            assert_eq!(sandbox.exchanges().is_empty(), !is_gone, "{name} after {code}");
            let result = call(&client, name, &with_period(query, "dv")).await;
            assert_eq!(result.unwrap_err().status().map(|status| status.as_u16()), Some(code), "{name}");
            assert_eq!(sandbox.running_queries(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn query_id_selects_the_engine() {
    let (sandbox, client) = sandbox(|_| None);
    let created = call(&client, "create-query", &with_period(FILTER, "lrq")).await.unwrap();
    let events = query_id(&created);
    let created = call(&client, "create-power-query", &with_period(POWER, "lrq")).await.unwrap();
    let rows = query_id(&created);
    // Nothing runs before it is read.
    assert!(paths_of(&sandbox).iter().all(|path| path.ends_with("/accounts")), "{:?}", paths_of(&sandbox));
    let by_events = ["get-dv-query-status", "get-events", "get-processes"].map(|name| (name, "query_id"));
    let by_rows = [("ping-power-query", "queryId"), ("get-power-query-results", "query_id")];
    for (own, other, commands, argument) in [
        (&events, &rows, by_events.as_slice(), "create-query"),
        (&rows, &events, &by_rows, "create-power-query"),
    ] {
        for (name, id) in commands {
            assert!(call(&client, name, &[(id, own)]).await.unwrap().is_complete(), "{name}");
            let sent = sandbox.exchanges().len();
            for (args, message) in [
                (
                    with(&[(*id, own.as_str())], "dv"),
                    "engine is dv, but the ID is that of a long-running query",
                ),
                (with(&[(*id, "q1")], "lrq"), "engine is lrq, but the ID is that of a Deep Visibility query"),
                (vec![(*id, other.as_str())], argument),
                (vec![(*id, &own[..own.len() - 3])], "is not a complete ID of a long-running query"),
                (with(&[(*id, own.as_str())], "other"), "expected one of auto, lrq, dv"),
            ] {
                let error = call(&client, name, &args).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}: {error}");
                assert!(error.to_string().contains(message), "{name}: {error}");
            }
            assert_eq!(sandbox.exchanges().len(), sent, "{name}");
        }
    }
    assert_eq!(sandbox.running_queries(), 0);
}

/// The requests of a command without running it are those that it sends.
#[tokio::test(start_paused = true)]
async fn long_running_commands_send_their_requests() {
    let (sandbox, client) = sandbox(|_| None);
    let account = ("account_ids", "410000000000000001");
    let query = |query, own: &[(&'static str, &'static str)]| {
        let mut args = with_period(query, "lrq");
        args.extend_from_slice(own);
        args
    };
    let events = query_id(&call(&client, "create-query", &query(FILTER, &[account])).await.unwrap());
    let rows = query_id(&call(&client, "create-power-query", &query(POWER, &[account])).await.unwrap());
    assert!(sandbox.exchanges().is_empty(), "a query with accounts needs no request");
    let cases: [(&str, Vec<(&str, &str)>); 7] = [
        ("create-query", query(FILTER, &[])),
        ("get-dv-query-status", vec![("query_id", &events)]),
        ("get-events", vec![("query_id", &events), ("limit", "3"), ("cursor", "cursor-4")]),
        ("get-processes", vec![("query_id", &events), ("limit", "all")]),
        ("ping-power-query", vec![("queryId", &rows)]),
        ("get-power-query-results", query(POWER, &[])),
        (
            "get-power-query-results",
            query(POWER, &[account, ("site_ids", "420000000000000001"), ("limit", "5")]),
        ),
    ];
    for (name, args) in cases {
        let expected = sent(name, V2_1, &args).unwrap();
        let before = sandbox.exchanges().len();
        assert!(call(&client, name, &args).await.unwrap().is_complete(), "{name}");
        let exchange = &sandbox.exchanges()[before];
        let query: serde_json::Map<_, _> =
            exchange.query.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let own = json!([exchange.method, exchange.path, query, exchange.body]);
        assert_eq!([own], expected.as_slice(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn accounts_of_the_token_are_searched_and_reported() {
    let (_, client) = sandbox(|_| None);
    let (command, log) =
        (entry("create-query").prepare(arguments(&with_period(FILTER, "lrq"))).unwrap(), Log::default());
    let mut options = RunOptions::default();
    options.observer = &log;
    let _ = command.run_with(&client, &options).await.unwrap();
    let ids = ["410000000000000002", "410000000000000001"].map(str::to_owned).to_vec();
    assert_eq!(log.events(), [ProgressEvent::Accounts { ids }]);

    for (name, query) in
        [("create-query", FILTER), ("create-power-query", POWER), ("get-power-query-results", POWER)]
    {
        let (sandbox, client) =
            sandbox(|request| request.uri().path().ends_with("/accounts").then(|| status(403)));
        let error = call(&client, name, &with_period(query, "lrq")).await.unwrap_err();
        let message = error.to_string();
        assert!(message.contains("account_ids is missing, and the accounts of the token"), "{message}");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(sandbox.exchanges().is_empty(), "{name}");
    }
}

#[test]
fn invalid_long_running_queries_are_rejected_before_anything_is_sent() {
    let error = |name: &str, own: (&str, &str), period: [(&str, &str); 2]| {
        let args = with(&[own], "lrq").into_iter().chain(period).collect::<Vec<_>>();
        let command = entry(name).prepare(arguments(&args)).unwrap();
        command.requests(V2_1).unwrap_err().report().to_string()
    };
    let reversed = [("from_date", PERIOD[1].1), ("to_date", PERIOD[0].1)];
    for name in ["create-query", "create-power-query", "get-power-query-results"] {
        assert!(error(name, ("query", "a.b = "), PERIOD).contains("a.b = "), "{name}");
        let refused = error(name, ("query", "TgtProcNme ContainsCIS 'x'"), PERIOD);
        assert!(
            refused.contains("no translation to S1QL 2.0") && refused.contains("TgtProcNme"),
            "{refused}"
        );
        assert!(
            error(name, FILTER, reversed).contains("is after to_date")
                || error(name, FILTER, reversed).contains("after to_date"),
            "{name}"
        );
    }
}

/// Pages with a limit have each event once, in the order of a list without a limit.
#[tokio::test(start_paused = true)]
async fn get_events_continues_after_its_cursor() {
    let (sandbox, client) = sandbox(|_| None);
    let id = query_id(&call(&client, "create-query", &with_period(FILTER, "lrq")).await.unwrap());
    let all = call(&client, "get-events", &[("query_id", &id), ("limit", "all")]).await.unwrap();
    let all = all.response["data"].as_array().unwrap().clone();
    assert_eq!(all.len(), 10);
    for limit in 1..=all.len() + 1 {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let limit = limit.to_string();
            let mut args = vec![("query_id", id.as_str()), ("limit", &limit)];
            args.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = call(&client, "get-events", &args).await.unwrap();
            found.extend(page.response["data"].as_array().unwrap().clone());
            let next = &page.context["SentinelOne"]["Cursor"]["Event"];
            cursor = next.as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, all, "{limit}");
    }
    assert_eq!(sandbox.running_queries(), 0);
}

#[tokio::test(start_paused = true)]
async fn get_dv_query_status_reports_a_failed_long_running_query() {
    let (_, client) = sandbox(|request| {
        (request.method() == "POST").then(|| {
            let body = r#"{"id": "q", "error": {"message": "too many events", "details": "narrow it"}}"#;
            Response::new(Bytes::from_static(body.as_bytes()))
        })
    });
    let id = query_id(&call(&client, "create-query", &with_period(FILTER, "lrq")).await.unwrap());
    let outcome = call(&client, "get-dv-query-status", &[("query_id", &id)]).await.unwrap();
    let status = &outcome.context["SentinelOne"]["Query"]["Status"];
    assert_eq!(status["responseState"], "FAILED");
    assert!(status["responseError"].as_str().unwrap().contains("too many events: narrow it"), "{status}");
    assert_eq!(outcome.failure.as_ref().unwrap().kind(), ErrorKind::NoResult);
    assert!(!outcome.has_results());
}

#[tokio::test(start_paused = true)]
async fn dropped_command_leaves_no_query() {
    let (sandbox, client) = sandbox(|_| None);
    let id = query_id(&call(&client, "create-query", &with_period(FILTER, "lrq")).await.unwrap());
    let args = [("query_id", id.as_str())];
    let run = call(&client, "get-events", &args);
    let stopped = tokio::time::timeout(std::time::Duration::from_millis(500), run).await;
    assert!(stopped.is_err() && paths_of(&sandbox).iter().any(|path| path == LAUNCH));
    client.finish_queries().await;
    assert_eq!(sandbox.running_queries(), 0);
}
