//! Transports of the caller in place of connections.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use sentinelone::agents::AgentFilter;
use sentinelone::bytes::Bytes;
use sentinelone::http::{Request, Response, StatusCode};
use sentinelone::remote_scripts::{
    RemoteScriptsExecuteData, RemoteScriptsFetchResultsData, ScriptDownloadLink, ScriptOutputDestination,
};
use sentinelone::threats::{IncidentStatus, ThreatFilter};
use sentinelone::{
    ApiToken, Client, ClientBuilder, Delivery, ErrorKind, HttpTransport, RawExchange, Recorder, RetryPolicy,
    TransportBody, TransportError, TransportFuture, raw,
};
use sentinelone_sandbox::Sandbox;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::clock::VirtualClock;

/// A link to the results of a script.
fn script_link(url: &str) -> ScriptDownloadLink {
    let mut link = ScriptDownloadLink::default();
    link.download_url = Some(url.to_owned());
    link
}

const CONSOLE: &str = "https://console.example";
pub(crate) const TOKEN: &str = "token-of-the-test";

pub(crate) fn builder(transport: impl HttpTransport + 'static) -> ClientBuilder {
    Client::builder(CONSOLE).token(ApiToken::new(TOKEN).unwrap()).transport(transport)
}

pub(crate) fn json_response(status: u16, body: &Value) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap()
}

fn query(request: &Request<Bytes>, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    pairs.into_owned().find(|(key, _)| key == name).map(|(_, value)| value)
}

#[tokio::test]
async fn transport_list_follows_cursor() {
    let client = builder(|request: Request<Bytes>| {
        let start: usize = query(&request, "cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let data: Vec<_> = (start..start + 2).map(|id| json!({ "id": id.to_string() })).collect();
        let next = (start < 4).then(|| (start + 2).to_string());
        json_response(200, &json!({ "data": data, "pagination": { "nextCursor": next, "totalItems": 6 } }))
    });
    let client = client.build().unwrap();
    let threats = client.threats().list().items().collect().await.unwrap();
    let ids: Vec<_> = threats.iter().map(|threat| threat.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["0", "1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn transport_request_has_url_headers_and_body() {
    #[derive(Debug, Default)]
    struct Counter(Mutex<usize>);
    impl Recorder for Counter {
        fn record(&self, exchange: &RawExchange<'_>) {
            assert_eq!((exchange.path, exchange.status.as_u16()), ("/web/api/v2.1/threats/incident", 200));
            *self.0.lock().unwrap() += 1;
        }
    }
    let recorder = Arc::new(Counter::default());
    let client = builder(|request: Request<Bytes>| {
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri(), "https://console.example/web/api/v2.1/threats/incident");
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(header("authorization"), format!("ApiToken {TOKEN}"));
        assert!(request.headers()["authorization"].is_sensitive());
        assert_eq!((header("accept"), header("content-type")), ("application/json", "application/json"));
        assert!(header("user-agent").starts_with("tests sentinelone-rs/"));
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(body["filter"]["ids"], json!(["1"]));
        json_response(200, &json!({ "data": { "affected": 1 } }))
    });
    let client =
        client.recorder(Arc::clone(&recorder) as Arc<dyn Recorder>).user_agent("tests").build().unwrap();
    let one = ThreatFilter::default().ids(["1"]);
    let update = client.threats().update_incident().filter(one).status(IncidentStatus::Resolved);
    assert_eq!(update.send().await.unwrap().affected(), Some(1));
    assert_eq!(*recorder.0.lock().unwrap(), 1);
}

#[tokio::test]
async fn transport_429_is_retried_by_the_clock_of_the_client() {
    let (clock, count) = (VirtualClock::auto(), Mutex::new(0));
    let client = builder(move |_: Request<Bytes>| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let mut response = json_response(429, &json!({ "errors": [{ "title": TOKEN }] }));
        if *count < 3 {
            response.headers_mut().insert("retry-after", "7".parse().unwrap());
            return response;
        }
        json_response(200, &json!({ "data": { "id": "7" } }))
    });
    let client = client.clock(clock.clone()).jitter_source(|| 1.0).build().unwrap();
    assert_eq!(client.sites().get("7").await.unwrap().status(), StatusCode::OK);
    assert!((14.0..15.0).contains(&clock.seconds()), "{}", clock.seconds());

    let limited = |_: Request<Bytes>| json_response(429, &json!({ "errors": [{ "title": TOKEN }] }));
    let client = builder(limited).retry_policy(RetryPolicy::disabled()).build().unwrap();
    let error = client.sites().get("7").await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Api, 429));
    assert!(!format!("{error:?}").contains(TOKEN), "the token is redacted: {error}");
}

/// A transport that returns the results of a function, which may be errors.
struct Scripted<F>(F);

impl<F: Fn(&Request<Bytes>) -> Result<Response<TransportBody>, TransportError> + Send + Sync> HttpTransport
    for Scripted<F>
{
    fn send(&self, request: Request<Bytes>) -> TransportFuture<'_> {
        let result = self.0(&request);
        Box::pin(async move { result })
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("unplugged")]
struct Unplugged;

#[tokio::test]
async fn transport_failure_decides_about_repetition() {
    for (failure, kind, delivery, attempts) in [
        (TransportError::not_sent as fn(Unplugged) -> _, ErrorKind::Connect, Delivery::NotSent, 5),
        (TransportError::connection_lost, ErrorKind::ConnectionLost, Delivery::Unknown, 1),
    ] {
        let client = builder(Scripted(move |_: &Request<Bytes>| Err(failure(Unplugged))));
        let client = client.clock(VirtualClock::auto()).build().unwrap();
        let note = client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"]));
        let error = note.send().await.unwrap_err();
        assert_eq!((error.kind(), error.delivery(), error.attempts()), (kind, delivery, attempts), "{error}");
        assert_eq!(error.may_have_taken_effect(), delivery == Delivery::Unknown);
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
        assert_eq!(cause, Some(&Unplugged));
    }
    let failure = TransportError::not_sent(Unplugged);
    assert!(!failure.may_be_sent() && TransportError::connection_lost(Unplugged).may_be_sent());
    assert_eq!(failure.to_string(), "the request was not sent");
}

/// A response has begun, so the request was sent.
#[tokio::test]
async fn transport_body_failure_is_a_lost_connection() {
    for failure in [TransportError::not_sent as fn(Unplugged) -> _, TransportError::connection_lost] {
        let client = builder(Scripted(move |_: &Request<Bytes>| {
            let chunks = [Ok(Bytes::from_static(b"{")), Err(failure(Unplugged))];
            Ok(Response::new(TransportBody::from_stream(stream::iter(chunks))))
        }));
        let client = client.clock(VirtualClock::auto()).build().unwrap();
        let note = client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"]));
        let error = note.send().await.unwrap_err();
        let expected = (ErrorKind::ConnectionLost, Delivery::Unknown, 1);
        assert_eq!((error.kind(), error.delivery(), error.attempts()), expected, "{error}");
        assert!(error.may_have_taken_effect());
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
        assert_eq!(cause, Some(&Unplugged));
    }
}

#[tokio::test(start_paused = true)]
async fn transport_without_response_times_out() {
    struct Silent;
    impl HttpTransport for Silent {
        fn send(&self, _: Request<Bytes>) -> TransportFuture<'_> {
            Box::pin(std::future::pending())
        }
    }
    let client = builder(Silent).timeout(Duration::from_secs(5)).retry_policy(RetryPolicy::disabled());
    let error = client.build().unwrap().sites().get("7").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

fn archive() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.txt", SimpleFileOptions::default()).unwrap();
    zip.write_all(b"content").unwrap();
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn transport_download_is_saved_in_chunks_without_the_token_for_links() {
    let with_token = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&with_token);
    let transport = Scripted(move |request: &Request<Bytes>| {
        let has_token = request.headers().contains_key("authorization");
        seen.lock().unwrap().insert((request.uri().host().unwrap().to_owned(), has_token));
        let chunks: Vec<_> = archive().chunks(10).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        Ok(Response::new(TransportBody::from_stream(stream::iter(chunks))))
    });
    let client = builder(transport).build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let download = client.download(&raw::agents::download("1", "2").unwrap()).await.unwrap();
    assert_eq!(download.save(dir.path(), "one.zip", |_| ()).await.unwrap().bytes, archive().len() as u64);
    let link = "https://files.example/b.zip?sig=secret";
    let download = client.download_link(&script_link(link)).await.unwrap();
    let saved = download.save(dir.path(), "two.zip", |_| ()).await.unwrap();
    assert_eq!(std::fs::read(saved.path).unwrap(), archive());
    let expected = [("console.example".to_owned(), true), ("files.example".to_owned(), false)];
    assert_eq!(*with_token.lock().unwrap(), expected.into());
}

#[tokio::test]
async fn link_with_user_and_password_has_them_in_a_header_only() {
    let received = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&received);
    let transport = move |request: Request<Bytes>| {
        assert!(request.headers()["authorization"].is_sensitive());
        seen.lock().unwrap().push((request.uri().to_string(), request.headers().clone()));
        Response::new(Bytes::new())
    };
    let link = "https://us%2Ber:p%40+&ss@files.example/log.txt?sig=1";
    let client = builder(transport).build().unwrap();
    let _ = client.download_link(&script_link(link)).await.unwrap();
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let client = Client::builder(server.uri()).token(ApiToken::new(TOKEN).unwrap()).build().unwrap();
    let link = format!("{}/log.txt?sig=1", server.uri()).replace("http://", "http://us%2Ber:p%40+&ss@");
    let _ = client.download_link(&script_link(&link)).await.unwrap();
    let request = server.received_requests().await.unwrap().remove(0);
    let (uri, mut headers) = received.lock().unwrap().remove(0);
    assert_eq!(uri, "https://files.example/log.txt?sig=1");
    assert_eq!(headers["authorization"], "Basic dXMrZXI6cEArJnNz");
    // The header of a connection.
    headers.insert("host", request.headers["host"].clone());
    assert_eq!(headers, request.headers);
}

/// All chunks have already arrived, so only the writes wait.
#[tokio::test(flavor = "current_thread")]
async fn save_lets_other_tasks_run_while_it_writes() {
    const CHUNK: usize = 512 * 1024;
    let client = builder(Scripted(|_: &Request<Bytes>| {
        let chunks = (0..16).map(|_| Ok(Bytes::from(vec![b'x'; CHUNK])));
        Ok(Response::new(TransportBody::from_stream(stream::iter(chunks))))
    }));
    let client = client.build().unwrap();
    let link = "https://files.example/log.txt";
    let download = client.download_link(&script_link(link)).await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let task = tokio::spawn(async move {
        loop {
            counter.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let saved = download.save(dir.path(), "log.txt", |_| ()).await.unwrap();
    task.abort();
    assert_eq!(saved.bytes, 16 * CHUNK as u64);
    assert_eq!(std::fs::metadata(&saved.path).unwrap().len(), saved.bytes);
    let runs = runs.load(Ordering::Relaxed);
    assert!(runs >= 16, "another task ran {runs} times, expected once per write or more");
}

#[tokio::test]
async fn transport_incomplete_download_is_an_error() {
    let lost = || Err(TransportError::connection_lost(Unplugged));
    let chunk = || Ok(Bytes::from_static(b"PK\x03\x04 the beginning"));
    for (chunks, announced) in [(vec![chunk(), lost()], None), (vec![chunk()], Some(99))] {
        let chunks = Mutex::new(Some(chunks));
        let client = builder(Scripted(move |_: &Request<Bytes>| {
            let body = TransportBody::from_stream(stream::iter(chunks.lock().unwrap().take().unwrap()));
            let mut response = Response::new(body);
            if let Some(length) = announced {
                response.headers_mut().insert("content-length", length.into());
            }
            Ok(response)
        }));
        let client = client.build().unwrap();
        let download = client.download(&raw::agents::download("1", "2").unwrap()).await.unwrap();
        assert_eq!(download.length(), announced);
        let dir = tempfile::tempdir().unwrap();
        let error = download.save(dir.path(), "one.zip", |_| ()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "no partial file");
    }
}

/// A stream of `unfold` panics if it is polled after its end.
#[tokio::test]
async fn transport_stream_is_not_polled_after_its_end() {
    let client = builder(Scripted(|_: &Request<Bytes>| {
        let empty = stream::unfold((), |()| async { None::<(Result<Bytes, TransportError>, ())> });
        let response = Response::builder().header("content-type", "application/json");
        Ok(response.body(TransportBody::from_stream(empty)).unwrap())
    }));
    let client = client.build().unwrap();
    let error = client.download(&raw::agents::download("1", "2").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoResult, "{error}");
}

#[test]
fn transport_next_to_a_connection_setting_is_rejected() {
    let console = |_: Request<Bytes>| Response::new(Bytes::new());
    for (client, setting) in [
        (builder(console).proxy("http://proxy:3128"), "a proxy"),
        (builder(console).add_root_certificate("PEM"), "a root certificate"),
        (builder(console).danger_accept_invalid_certs(true), "danger_accept_invalid_certs"),
    ] {
        let error = client.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().starts_with(setting) && error.help().is_some(), "{}", error.report());
    }
    assert!(builder(console).no_proxy().build().is_ok());
}

/// Runs with `cargo test -p sentinelone --no-default-features`.
#[cfg(not(feature = "rustls"))]
#[test]
fn https_console_without_tls_is_rejected_unless_a_transport_is_set() {
    let builder = |url: &str| Client::builder(url).token(ApiToken::new(TOKEN).unwrap());
    for url in ["https://usea1.sentinelone.net", "usea1.sentinelone.net"] {
        let error = builder(url).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let fact = "the console URL https://usea1.sentinelone.net uses https, and this build has no TLS";
        assert_eq!(error.to_string(), fact);
        assert!(error.help().unwrap().contains("cargo feature rustls"), "{}", error.report());
        let console = |_: Request<Bytes>| Response::new(Bytes::new());
        assert!(builder(url).transport(console).build().is_ok());
    }
    assert!(builder("http://127.0.0.1:9").build().is_ok());
}

#[tokio::test]
async fn transport_to_in_process_sandbox_lists_changes_and_downloads() {
    let sandbox = Sandbox::builder().in_process().unwrap();
    let console = sandbox.clone();
    let client = Client::builder(CONSOLE)
        .token(ApiToken::new(Sandbox::TOKEN).unwrap())
        .transport(move |request| console.respond(request))
        .clock(VirtualClock::auto())
        .build()
        .unwrap();
    let unresolved = ThreatFilter::default().incident_statuses([IncidentStatus::Unresolved]);
    assert_eq!(client.threats().list().filter(unresolved.clone()).count().await.unwrap(), 5);
    let update =
        client.threats().update_incident().filter(unresolved.clone()).status(IncidentStatus::Resolved);
    assert_eq!(update.send().await.unwrap().affected(), Some(5));
    assert_eq!(client.threats().list().filter(unresolved).count().await.unwrap(), 0);
    let wrong = ApiToken::new("another-token").unwrap();
    let console = sandbox.clone();
    let other = Client::builder(CONSOLE).token(wrong).transport(move |request| console.respond(request));
    let error = other.build().unwrap().sites().get("1").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    let statuses: Vec<_> = sandbox.exchanges().iter().map(|exchange| exchange.status).collect();
    assert_eq!(statuses, [200, 200, 200, 401]);
}

/// The links to the results have the origin of the request, so they lead to the transport.
#[tokio::test]
async fn transport_to_in_process_sandbox_runs_script_and_downloads_results() {
    let sandbox = Sandbox::builder().in_process().unwrap();
    let client = Client::builder(CONSOLE)
        .token(ApiToken::new(Sandbox::TOKEN).unwrap())
        .transport(move |request| sandbox.respond(request))
        .build()
        .unwrap();
    let scripts = client.remote_scripts();
    let script = scripts.list().items().limit(1).collect().await.unwrap().remove(0).id.unwrap();
    let agent = client.agents().list().items().limit(1).collect().await.unwrap().remove(0).id.unwrap();
    let run = RemoteScriptsExecuteData::new(ScriptOutputDestination::SentinelCloud, script, "a test");
    let run = scripts.execute(run).filter(AgentFilter::default().ids([agent])).send().await.unwrap();
    let parent = run.into_value().data.unwrap().parent_task_id.unwrap();
    let task = loop {
        let task = scripts.tasks(parent.as_str()).items().collect().await.unwrap().remove(0);
        if task.status.is_some_and(|status| status.as_str() == "completed") {
            break task.id.unwrap();
        }
    };
    let results = RemoteScriptsFetchResultsData::default().task_ids([task]);
    let results = scripts.result_links(results).await.unwrap().into_value().data.unwrap();
    let links = results.data.unwrap().download_links.unwrap();
    let link = links[0].download_url.as_deref().unwrap();
    assert!(link.starts_with(CONSOLE), "{link}");
    let download = client.download_link(&links[0]).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    assert!(download.save(dir.path(), "results.zip", |_| ()).await.unwrap().bytes > 0);
}
