//! Builders and lists as values: they own their client, and have their own settings.

use sentinelone::alerts::AlertFilter;
use sentinelone::bytes::Bytes;
use sentinelone::http::{Request, Response};
use sentinelone::raw::runtime::Data;
use sentinelone::raw::shared::Affected;
use sentinelone::resources::{ActionBuilder, ListBuilder};
use sentinelone::threats::{IncidentStatus, Threat, ThreatFilter, ThreatsAddNoteRequest, ThreatsListQuery};
use sentinelone::{
    ApiToken, Client, ConsoleUrl, Delivery, ErrorKind, RateLimits, RequestErrorKind, RetryPolicy,
};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "eyJ-not-a-real-token";

async fn mock_server(body: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
    server
}

fn client(url: &str) -> Client {
    let client = Client::builder(url).token(ApiToken::new(TOKEN).unwrap());
    client.retry_policy(RetryPolicy::disabled()).rate_limits(RateLimits::disabled()).build().unwrap()
}

/// Returns a list whose client was made here.
fn list_of(url: &str) -> ListBuilder<ThreatsListQuery, Threat> {
    client(url).threats().list().filter(ThreatFilter::default().ids(["7"]))
}

/// Returns an action whose client was made here.
fn note_of(url: &str) -> ActionBuilder<ThreatsAddNoteRequest, Data<Affected>> {
    client(url).threats().add_note("a note").filter(ThreatFilter::default().ids(["7"]))
}

#[tokio::test]
async fn builders_returned_from_function_are_spawned() {
    let page = json!({ "data": [{ "id": "7" }], "pagination": { "totalItems": 1, "nextCursor": null } });
    let server = mock_server(page).await;
    let list = list_of(&server.uri());
    let (items, counted) = (list.clone(), list.clone());
    let items = tokio::spawn(async move { items.items().collect().await });
    let counted = tokio::spawn(async move { counted.count().await });
    let page = tokio::spawn(async move { list.page().await });
    assert_eq!(items.await.unwrap().unwrap().len(), 1);
    assert_eq!(counted.await.unwrap().unwrap(), 1);
    assert_eq!(page.await.unwrap().unwrap().data.len(), 1);

    let server = mock_server(json!({ "data": { "affected": 1 } })).await;
    let note = note_of(&server.uri());
    let batch = note.batches(["7", "8"]).unwrap();
    let note = tokio::spawn(async move { note.send().await });
    let batch = tokio::spawn(async move { batch.send().await });
    assert_eq!(note.await.unwrap().unwrap().affected(), Some(1));
    assert_eq!(batch.await.unwrap().unwrap().outcomes.len(), 2);
}

#[tokio::test]
async fn resource_of_dropped_client_is_used_again() {
    let server = mock_server(json!({ "data": [], "pagination": { "totalItems": 3 } })).await;
    let threats = {
        let client = client(&server.uri());
        client.threats()
    };
    let filter = ThreatFilter::default();
    assert_eq!(threats.count(&filter).await.unwrap(), 3);
    assert_eq!(threats.list().count().await.unwrap(), 3);
}

#[test]
fn client_builder_accepts_strings_and_console_urls() {
    let console: ConsoleUrl = "console.example".parse().unwrap();
    let text = console.to_string();
    let built = [
        Client::builder("console.example"),
        Client::builder(text.clone()),
        Client::builder(&text),
        Client::builder(&console),
        Client::builder(console.clone()),
    ];
    for builder in built {
        // A build without TLS accepts https with a transport only.
        let builder = builder.transport(|_: Request<Bytes>| Response::new(Bytes::new()));
        let client = builder.token(ApiToken::new(TOKEN).unwrap()).build().unwrap();
        assert_eq!(client.console_url(), &console);
    }
    let error = Client::builder("http://console.example").token(ApiToken::new(TOKEN).unwrap()).build();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
}

/// The same action of both resources is built in the same way, and rejects the same omission.
#[tokio::test]
async fn incident_updates_of_both_resources_have_one_shape() {
    let server = mock_server(json!({ "data": { "affected": 1 } })).await;
    let client = client(&server.uri());
    let threats = client.threats().update_incident().filter(ThreatFilter::default().ids(["7"]));
    let alerts = client.alerts().update_incident().filter(AlertFilter::default().ids(["7"]));
    for error in [threats.send().await.unwrap_err(), alerts.send().await.unwrap_err()] {
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
        assert!(error.to_string().contains("data.incidentStatus"), "{error}");
    }
    let _ = threats.status(IncidentStatus::Resolved).send().await.unwrap();
    let _ = alerts.status(IncidentStatus::Resolved).send().await.unwrap();
    let bodies: Vec<Value> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    let body = json!({ "data": { "incidentStatus": "resolved" }, "filter": { "ids": ["7"] } });
    assert_eq!(bodies, [body.clone(), body]);
}

#[test]
fn action_limit_is_sent_in_the_filter() {
    let client = client("http://127.0.0.1:9");
    let (threats, alerts) = (client.threats(), client.alerts());
    let (threat, alert) = (ThreatFilter::default().ids(["7"]), AlertFilter::default().ids(["7"]));
    macro_rules! assert_limited {
        ($($action:expr;)+) => { $(
            let body = $action.limit(2).request().unwrap().body().unwrap().clone();
            assert_eq!(body["filter"], json!({ "ids": ["7"], "limit": 2 }), "{}", stringify!($action));
            let error = $action.limit(0).request().unwrap_err();
            assert!(matches!(error.kind(), RequestErrorKind::ValueOutOfRange { .. }), "{error}");
            let unlimited = $action.request().unwrap().body().unwrap().clone();
            assert_eq!(unlimited["filter"], json!({ "ids": ["7"] }), "{}", stringify!($action));
        )+ };
    }
    assert_limited! {
        threats.update_incident().status("resolved").filter(threat.clone());
        threats.update_analyst_verdict("suspicious").filter(threat.clone());
        threats.mitigate("kill").filter(threat.clone());
        threats.add_note("a note").filter(threat.clone());
        alerts.update_incident().status("resolved").filter(alert.clone());
        alerts.update_analyst_verdict("suspicious").filter(alert.clone());
    }
    let limit_only = threats.update_incident().status("resolved").limit(5).request().unwrap();
    assert!(!limit_only.has_selective_filter());
}
