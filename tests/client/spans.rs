//! Tracing: one span per call, with metrics and without content.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::clock::VirtualClock;
use sentinelone::{ApiToken, Client, RateLimits, Timestamp};
use serde_json::json;
use tracing::Level;
use tracing::instrument::WithSubscriber;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// In-memory log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn subscriber(&self, level: Level) -> impl tracing::Subscriber + Send + Sync + use<> {
        let log = self.clone();
        tracing_subscriber::fmt()
            .with_max_level(level)
            .without_time()
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Returns the responses in order, then repeats the last one.
struct Script(Vec<ResponseTemplate>, AtomicUsize);

impl Respond for Script {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let at = self.1.fetch_add(1, Ordering::Relaxed).min(self.0.len() - 1);
        self.0[at].clone()
    }
}

async fn serving(script: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Script(script, AtomicUsize::new(0))).mount(&server).await;
    server
}

fn client(server: &MockServer) -> Client {
    let client = Client::builder(server.uri()).token(ApiToken::new("token-of-the-test").unwrap());
    client
        .clock(VirtualClock::auto())
        .jitter_source(|| 1.0)
        .rate_limits(RateLimits::disabled())
        .build()
        .unwrap()
}

#[tokio::test]
async fn call_span_records_metrics() {
    let body = json!({ "data": [{ "id": "content-of-a-response" }], "pagination": {} });
    let server = serving(vec![
        ResponseTemplate::new(503).set_body_string("content-of-an-error"),
        ResponseTemplate::new(200).insert_header("x-rqid", "rq-4711").set_body_json(&body),
    ])
    .await;
    let log = Log::default();
    let filter =
        sentinelone::threats::ThreatFilter::default().computer_name_contains(["content-of-a-request"]);
    let client = client(&server);
    let call = async { client.threats().list().filter(filter).page().await.unwrap() };
    let _ = call.with_subscriber(log.subscriber(Level::TRACE)).await;

    let text = log.text();
    let last = text.lines().rfind(|line| line.contains(" INFO ")).unwrap();
    let bytes = format!("bytes={}", body.to_string().len());
    for field in [
        r#"operation="threats_list""#,
        "attempts=2",
        "waited_ms=500",
        "status=200",
        r#"request_id="rq-4711""#,
        &bytes,
        "completed",
    ] {
        assert!(last.contains(field), "{field} is not in {last}");
    }
    for field in ["status=", "bytes=", "request_id=", "attempts="] {
        assert_eq!(last.matches(field).count(), 1, "{field} occurs once: {last}");
    }
    let retry = text.lines().find(|line| line.contains(" WARN ")).unwrap();
    for field in ["status=503", "wait_ms=500", r#"operation="threats_list""#, "attempt=1"] {
        assert!(retry.contains(field), "{retry}");
    }
    let attempts = |number| text.contains(&format!("sending attempt={number}"));
    assert!(attempts(1) && attempts(2) && !attempts(3), "{text}");
    for content in ["content-of", "web/api", "computerName", "token-of"] {
        assert!(!text.contains(content), "{content} is in the log:\n{text}");
    }
}

#[tokio::test]
async fn failed_call_is_logged() {
    let server = serving(vec![ResponseTemplate::new(403).set_body_string("content-of-an-error")]).await;
    let log = Log::default();
    let client = client(&server);
    let call = async { client.threats().list().page().await.unwrap_err() };
    call.with_subscriber(log.subscriber(Level::INFO)).await;
    let text = log.text();
    assert_eq!(text.lines().count(), 1, "one line per call:\n{text}");
    for field in ["failed", "error=Api", "status=403", "attempts=1", "waited_ms=0"] {
        assert!(text.contains(field), "{field} is not in {text}");
    }
}

#[tokio::test]
async fn dropped_call_is_logged() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let log = Log::default();
    let client = Client::builder(format!("http://{}", listener.local_addr().unwrap()))
        .token(ApiToken::new("token-of-the-test").unwrap())
        .build()
        .unwrap();
    let call = async {
        let request = client.threats().list();
        // The server accepts the connection and does not respond.
        tokio::select! {
            _ = request.page() => panic!("the server does not respond"),
            _ = listener.accept() => {}
        }
    };
    call.with_subscriber(log.subscriber(Level::INFO)).await;
    let text = log.text();
    assert!(text.contains("dropped") && text.contains("attempts=1"), "{text}");
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn danger_accept_invalid_certs_is_logged_once() {
    let log = Log::default();
    async {
        let token = ApiToken::new("token-of-the-test").unwrap();
        let secure = Client::builder("console.example").token(token.clone()).build().unwrap();
        let insecure = Client::builder("console.example").token(token).danger_accept_invalid_certs(true);
        let insecure = insecure.connect_timeout(std::time::Duration::from_millis(1)).build().unwrap();
        drop((insecure.clone(), insecure, secure));
    }
    .with_subscriber(log.subscriber(Level::WARN))
    .await;
    let text = log.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("certificates are not verified"), "{text}");
}

#[tokio::test]
async fn token_details_warns_before_expiry() {
    // The test clock is at 2026-11-21T12:00:00Z.
    let expiring = |at: &str| {
        ResponseTemplate::new(200).set_body_json(json!({ "data": { "createdAt": null, "expiresAt": at } }))
    };
    for (at, warned) in [("2026-12-05T12:00:00Z", false), ("2026-12-05T11:00:00Z", true)] {
        let server = serving(vec![expiring(at)]).await;
        let log = Log::default();
        let client = client(&server);
        let call = async { client.token_details().await.unwrap() };
        let details = call.with_subscriber(log.subscriber(Level::WARN)).await;
        assert_eq!(details.expires_at, Some(Timestamp::from(at)));
        assert_eq!(log.text().contains("expires in 13 days"), warned, "{}", log.text());
    }
}
