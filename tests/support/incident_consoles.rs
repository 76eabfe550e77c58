//! Mock consoles with threats, for the tests of incidents in the library and at the command line.

use std::time::Duration;

use sentinelone::incidents::{Fetcher, IncidentConfig};
use sentinelone::{ApiToken, ApiVersion, Client, RateLimits, RetryPolicy, Timestamp};
use serde_json::json;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) fn client_of(url: &str, token: &str, version: ApiVersion) -> Client {
    let builder = Client::builder(url).token(ApiToken::new(token).unwrap()).api_version(version);
    builder
        .retry_policy(RetryPolicy::default().max_attempts(1))
        .rate_limits(RateLimits::disabled())
        .build()
        .unwrap()
}

pub(crate) fn ago(seconds: u64) -> Timestamp {
    Timestamp::from(std::time::SystemTime::now() - Duration::from_secs(seconds))
}

/// Returns a console that lists these threats on each request, and a fetcher for it.
pub(crate) async fn console_with(threats: &[&str]) -> (MockServer, Fetcher) {
    let server = MockServer::start().await;
    let body = format!(r#"{{"data": [{}], "pagination": {{"totalItems": 3}}}}"#, threats.join(","));
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
    let mut config = IncidentConfig::default();
    config.first_fetch = "2026-11-01T00:00:00Z".into();
    let fetcher = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), config).unwrap();
    (server, fetcher)
}

pub(crate) fn threat(id: u32, name: &str) -> String {
    let created = format!("2026-11-10T10:00:{id:02}Z");
    format!(r#"{{"id": "{id}", "threatInfo": {{"createdAt": "{created}", "threatName": {name}}}}}"#)
}

/// A console that supports API 2.0 only.
pub(crate) async fn console_v2_0() -> MockServer {
    let server = MockServer::start().await;
    let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
    let threats = Mock::given(path("/web/api/v2.0/threats"));
    threats.respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
    server
}

pub(crate) fn unreachable_url() -> String {
    // The port was bound and released, so connections to it are refused.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Returns a console whose list of threats never ends: it has four threats and repeats the cursor.
pub(crate) async fn console_with_list_without_end() -> MockServer {
    // The second page repeats the cursor, with other items.
    let server = MockServer::start().await;
    let (fresh, known) = (["31", "33"].map(String::from), ["32", "34"].map(String::from));
    let respond = move |request: &wiremock::Request| {
        let has_cursor = request.url.query_pairs().any(|(name, _)| name == "cursor");
        let ids = if has_cursor { &known } else { &fresh };
        let data = ids.each_ref().map(|id| threat(id.parse().unwrap(), "null")).join(",");
        let body = format!(r#"{{"data": [{data}], "pagination": {{"nextCursor": "again"}}}}"#);
        ResponseTemplate::new(200).set_body_string(body)
    };
    Mock::given(any()).respond_with(respond).mount(&server).await;
    server
}
