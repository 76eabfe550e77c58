//! Incident fetching over HTTP and on the command line: requests, state files and recovery after a kill.

use std::collections::{BTreeMap, BTreeSet};

use super::consoles::{
    ago, client_of, console_v2_0, console_with, console_with_list_without_end, threat, unreachable_url,
};
use sentinelone::incidents::{
    Batch, Checkpoint, ConnectionError, FetchType, Fetcher, IncidentConfig, IncidentSeverity,
    MirrorDirection, Stream,
};
use sentinelone::{ApiVersion, ErrorKind};
use sentinelone_sandbox::Sandbox;
use serde_json::json;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn config_with(change: impl FnOnce(&mut IncidentConfig)) -> IncidentConfig {
    let mut settings = IncidentConfig::default();
    change(&mut settings);
    settings
}

#[tokio::test]
async fn poll_request_matches_config() {
    let server = MockServer::start().await;
    let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
    let config = config_with(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "2026-11-01T00:00:00Z".into();
        one.site_ids = vec!["1".into(), "2".into()];
        one.alert_severities = vec!["High".into(), "Critical".into()];
        one.threat_statuses = vec!["unresolved".into(), "in_progress".into()];
        one.limit = 25;
    });
    let requests = async |version, config: IncidentConfig| -> Vec<(String, BTreeMap<String, String>)> {
        server.reset().await;
        let page = json!({ "data": [], "pagination": { "totalItems": 0 } });
        Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(page)).mount(&server).await;
        let fetcher = Fetcher::new(client_of(&server.uri(), "t", version), config).unwrap();
        let batch = fetcher.poll(&Checkpoint::default()).await.unwrap();
        assert!(batch.incidents.is_empty() && !batch.has_more);
        let requests = server.received_requests().await.unwrap();
        let query = |url: &url::Url| url.query_pairs().into_owned().collect();
        requests.iter().map(|one| (one.url.path().to_owned(), query(&one.url))).collect()
    };
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let both = requests(ApiVersion::V2_1, config.clone()).await;
    assert_eq!(
        both,
        [
            (
                "/web/api/v2.1/cloud-detection/alerts".to_owned(),
                map(&[
                    ("createdAt__gte", "2026-11-01T00:00:00Z"),
                    ("incidentStatus", "UNRESOLVED"),
                    ("limit", "25"),
                    ("severity", "High,Critical"),
                    ("siteIds", "1,2"),
                    ("sortBy", "alertInfoCreatedAt"),
                    ("sortOrder", "asc"),
                ])
            ),
            (
                "/web/api/v2.1/threats".to_owned(),
                map(&[
                    ("createdAt__gte", "2026-11-01T00:00:00Z"),
                    ("incidentStatuses", "unresolved,in_progress"),
                    ("limit", "25"),
                    ("siteIds", "1,2"),
                    ("sortBy", "createdAt"),
                    ("sortOrder", "asc"),
                ])
            ),
        ]
    );
    let mut config_v2_0 = config;
    config_v2_0.fetch_type = FetchType::Threats;
    let old = requests(ApiVersion::V2_0, config_v2_0).await;
    let expected = [("createdAt__gte", "2026-11-01T00:00:00Z"), ("limit", "25"), ("siteIds", "1,2")];
    assert_eq!(old, [("/web/api/v2.0/threats".to_owned(), map(&expected))]);
}

#[tokio::test]
async fn poll_incident_fields_are_complete() {
    let sandbox = Sandbox::start().await.unwrap();
    let fetcher =
        |version, config| Fetcher::new(client_of(&sandbox.url(), Sandbox::TOKEN, version), config).unwrap();
    let created = ago(60);
    let threat = sandbox.inject(Stream::Threats, 1, &created).remove(0);
    let alert = sandbox.inject(Stream::Alerts, 1, &created).remove(0);
    let config = config_with(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "1 hour".into();
        one.mirror_direction = MirrorDirection::Both;
        one.mirror_instance = "instance_1".into();
    });
    let batch = fetcher(ApiVersion::V2_1, config).poll(&Checkpoint::default()).await.unwrap();
    let [first, second] = batch.incidents.as_slice() else { panic!("{:?}", batch.incidents) };
    assert_eq!(first.dedupe_key, format!("alerts:{alert}"));
    assert!(first.name.starts_with("Sentinel One Alert: "), "{}", first.name);
    assert_eq!(
        (first.mirror.as_ref(), first.raw["alertInfo"]["alertId"].as_str()),
        (None, Some(alert.as_str()))
    );
    assert_eq!(second.dedupe_key, format!("threats:{threat}"));
    assert!(second.name.starts_with("Sentinel One Threat: "), "{}", second.name);
    assert_eq!(second.occurred.as_ref(), Some(&created));
    assert!(matches!(second.severity, Some(IncidentSeverity::Medium | IncidentSeverity::High)));
    let written = serde_json::to_value(second).unwrap();
    assert_eq!(
        written["mirror"],
        json!({ "direction": "Both", "instance": "instance_1", "incidentType": "SentinelOne Incident", "id": threat })
    );
    assert_eq!(serde_json::from_value::<sentinelone::incidents::Incident>(written).unwrap(), *second);

    // API 2.0 has the same threats in another format, with a risk score.
    let fetcher_v2_0 = |min_risk| {
        let config = config_with(|one| {
            one.first_fetch = "2020-01-01T00:00:00Z".into();
            one.limit = 100;
            one.min_risk = min_risk;
        });
        fetcher(ApiVersion::V2_0, config)
    };
    let all = fetcher_v2_0(0).poll(&Checkpoint::default()).await.unwrap();
    let some = fetcher_v2_0(7).poll(&Checkpoint::default()).await.unwrap();
    assert!(all.incidents.len() > some.incidents.len());
    assert_eq!(
        all.incidents.len(),
        some.incidents.len() + usize::try_from(some.skipped_below_min_risk).unwrap()
    );
    assert!(all.incidents.iter().all(|one| one.occurred.is_some()));
    sandbox.stop().await;
}

#[tokio::test]
async fn poll_repeated_batches_return_each_incident_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client_of(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_1);
    let config = config_with(|one| {
        one.fetch_type = FetchType::Both;
        one.first_fetch = "1 hour".into();
        one.limit = 4;
    });
    let fetcher = Fetcher::new(client, config).unwrap();
    let (mut injected, mut received, mut checkpoint) = (BTreeSet::new(), Vec::new(), Checkpoint::default());
    for round in 0..6_u64 {
        for stream in [Stream::Threats, Stream::Alerts] {
            // In every other round, items that appear late; all items of a round have the same time.
            let created = ago(if round % 2 == 0 { 0 } else { 300 });
            let ids = sandbox.inject(stream, 7, &created);
            injected.extend(ids.into_iter().map(|id| format!("{}:{id}", stream.as_str())));
        }
        let batch = fetcher.poll(&checkpoint).await.unwrap();
        assert!(batch.has_more);
        received.extend(batch.incidents.into_iter().map(|one| one.dedupe_key));
        // Through JSON, as after a restart.
        checkpoint = serde_json::from_str(&serde_json::to_string(&batch.checkpoint).unwrap()).unwrap();
    }
    loop {
        let batch = fetcher.poll(&checkpoint).await.unwrap();
        received.extend(batch.incidents.into_iter().map(|one| one.dedupe_key));
        checkpoint = batch.checkpoint;
        if !batch.has_more {
            break;
        }
    }
    assert_eq!(received.len(), injected.len());
    assert_eq!(received.into_iter().collect::<BTreeSet<_>>(), injected);
    sandbox.stop().await;
}

fn ids(batch: &Batch) -> Vec<&str> {
    batch.incidents.iter().map(|incident| incident.id.as_str()).collect()
}

#[tokio::test]
async fn poll_repaired_item_is_delivered_once_with_its_repairs() {
    let threats = [threat(31, r#""ok""#), threat(32, r#""a\udabc""#), threat(33, "NaN")];
    let (server, fetcher) = console_with(&threats.each_ref().map(String::as_str)).await;
    let mut limited = fetcher.config().clone();
    limited.limit = 2;
    let limited = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), limited).unwrap();
    let first = limited.poll(&Checkpoint::default()).await.unwrap();
    assert_eq!(ids(&first), ["31", "32"]);
    assert_eq!(first.incidents[1].raw["threatInfo"]["threatName"], "a\u{fffd}");
    let repairs: Vec<_> = first.repairs.iter().map(ToString::to_string).collect();
    let expected = "data[1].threatInfo.threatName (ID 32): unpaired surrogate \\udabc replaced by U+FFFD";
    assert_eq!(repairs, [expected], "the third item is not delivered yet");
    let second = fetcher.poll(&first.checkpoint).await.unwrap();
    assert_eq!(ids(&second), ["33"]);
    assert_eq!(
        second.repairs.iter().map(|repair| repair.item_id.as_deref()).collect::<Vec<_>>(),
        [Some("33")]
    );
    let third = fetcher.poll(&second.checkpoint).await.unwrap();
    assert!(third.incidents.is_empty() && third.repairs.is_empty());
}

#[tokio::test]
async fn poll_more_repairs_than_described_are_counted_once() {
    let simultaneous = |id: u32| threat(id, "NaN").replace(&format!(":{id:02}Z"), ":31Z");
    let mut threats: Vec<_> = (200..305).map(simultaneous).collect();
    threats.push(threat(32, r#""C:\q""#));
    let (server, fetcher) = console_with(&threats.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut config = fetcher.config().clone();
    config.limit = 200;
    let fetcher = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), config).unwrap();
    let first = fetcher.poll(&Checkpoint::default()).await.unwrap();
    assert_eq!((first.incidents.len(), first.set_apart.len()), (105, 1));
    assert_eq!((first.repairs.iter().count(), first.repairs.omitted()), (100, 5));
    let second = fetcher.poll(&first.checkpoint).await.unwrap();
    assert!(second.incidents.is_empty() && second.set_apart.is_empty());
    assert_eq!(second.repairs.omitted(), 0);
}

#[tokio::test]
async fn poll_item_set_apart_is_reported_once_and_does_not_block() {
    let without_time = r#"{"id": "32", "threatInfo": {"createdAt": "\q"}}"#;
    let with_word = r#"{"threatInfo": {"createdAt": tomorrow}, "id": "32"}"#;
    let with_comma = r#"{"id": "32", "threatInfo": {"createdAt": "2026-11-10T10:00:32Z",}}"#;
    let unreadable = r#"{"id" "32", "threatInfo": {"createdAt": "2026-11-10T10:00:32Z"}}"#;
    let with_time = threat(32, r#""C:\q""#);
    let readable = [with_time.as_str(), without_time, with_word, with_comma].map(|item| (item, Some("32")));
    let cases = readable.into_iter().chain([(unreadable, None)]);
    for (invalid, id) in cases {
        let (before, after) = (threat(31, "null"), threat(33, "null"));
        let (_server, fetcher) = console_with(&[&before, invalid, &after]).await;
        let first = fetcher.poll(&Checkpoint::default()).await.unwrap();
        assert_eq!(ids(&first), ["31", "33"], "{invalid}");
        let [item] = first.set_apart.as_slice() else { panic!("{invalid}: {:?}", first.set_apart) };
        assert_eq!((item.id.as_deref(), item.index, item.text.as_str()), (id, 1, invalid));
        assert_eq!(first.checkpoint.newest(Stream::Threats).unwrap().as_str(), "2026-11-10T10:00:33Z");
        // Through JSON, as after a restart.
        let stored = serde_json::from_str(&serde_json::to_string(&first.checkpoint).unwrap()).unwrap();
        let second = fetcher.poll(&stored).await.unwrap();
        assert!(second.incidents.is_empty() && second.set_apart.is_empty(), "{invalid}: {second:?}");
        assert_eq!(second.checkpoint, stored, "{invalid}");
    }
}

#[tokio::test]
async fn poll_list_without_end_delivers_its_items_and_fails() {
    let server = console_with_list_without_end().await;
    let config = config_with(|one| one.first_fetch = "2026-11-01T00:00:00Z".into());
    let fetcher = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), config).unwrap();
    let batch = fetcher.poll(&Checkpoint::default()).await.unwrap();
    assert_eq!(ids(&batch), ["31", "32", "33", "34"]);
    let kinds: Vec<_> = batch.failures.iter().map(|failure| failure.error.kind()).collect();
    assert_eq!(kinds, [ErrorKind::RepeatedCursor]);
    // The list does not ascend, so an older item may not have been read.
    assert_eq!(batch.checkpoint.newest(Stream::Threats).unwrap().as_str(), "2026-11-01T00:00:00Z");
    let again = fetcher.poll(&batch.checkpoint).await.unwrap();
    assert!(again.incidents.is_empty() && again.failures.len() == 1);
}

async fn test_connection(url: &str, token: &str, version: ApiVersion) -> Result<(), ConnectionError> {
    let config = config_with(|one| one.first_fetch = "1 hour".into());
    Fetcher::new(client_of(url, token, version), config).unwrap().test_connection().await
}

#[tokio::test]
async fn test_connection_reports_the_cause() {
    let sandbox = Sandbox::start().await.unwrap();
    test_connection(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_1).await.unwrap();
    test_connection(&sandbox.url(), Sandbox::TOKEN, ApiVersion::V2_0).await.unwrap();
    let wrong = test_connection(&sandbox.url(), "another-token", ApiVersion::V2_1).await.unwrap_err();
    assert!(matches!(wrong, ConnectionError::Unauthorized { .. }), "{wrong:?}");
    let unreachable = test_connection(&unreachable_url(), "t", ApiVersion::V2_1).await.unwrap_err();
    assert!(matches!(unreachable, ConnectionError::Unreachable { .. }), "{unreachable:?}");
    let old = console_v2_0().await;
    let other = test_connection(&old.uri(), "t", ApiVersion::V2_1).await.unwrap_err();
    assert!(
        matches!(other, ConnectionError::UnsupportedApiVersion { supported: ApiVersion::V2_0, .. }),
        "{other:?}"
    );
    test_connection(&old.uri(), "t", ApiVersion::V2_0).await.unwrap();

    let response_error = async |status: u16, body: &str| {
        let server = MockServer::start().await;
        let response = ResponseTemplate::new(status).set_body_raw(body, "text/html");
        Mock::given(any()).respond_with(response).mount(&server).await;
        (test_connection(&server.uri(), "t", ApiVersion::V2_1).await.unwrap_err(), server)
    };
    let (page, _server) = response_error(200, "<html>Welcome</html>").await;
    assert!(matches!(page, ConnectionError::NotAConsole { .. }), "{page:?}");
    let (blocked, _server) = response_error(403, "<html><title>Blocked by the proxy</title></html>").await;
    assert!(matches!(blocked, ConnectionError::NotAConsole { .. }), "{blocked:?}");
    assert!(blocked.error().to_string().contains("Blocked by the proxy"), "{blocked:?}");
    let (missing, _server) = response_error(404, "no").await;
    assert!(matches!(missing, ConnectionError::NotAConsole { .. }), "{missing:?}");
    let (forbidden, _server) = response_error(403, "{}").await;
    assert!(matches!(forbidden, ConnectionError::Forbidden { stream: "threats", .. }), "{forbidden:?}");
    let (broken, _server) = response_error(500, "{}").await;
    assert!(matches!(broken, ConnectionError::Other { .. }), "{broken:?}");
    // The console accepts the token for threats, so a rejection of alerts is not a matter of the token.
    let server = MockServer::start().await;
    let empty = json!({ "data": [], "pagination": { "totalItems": 0 } });
    let threats = Mock::given(path("/web/api/v2.1/threats"));
    threats.respond_with(ResponseTemplate::new(200).set_body_json(empty)).mount(&server).await;
    let alerts = Mock::given(path("/web/api/v2.1/cloud-detection/alerts"));
    alerts.respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let both = config_with(|one| one.fetch_type = FetchType::Both);
    let fetcher = Fetcher::new(client_of(&server.uri(), "t", ApiVersion::V2_1), both).unwrap();
    let unavailable = fetcher.test_connection().await.unwrap_err();
    assert!(matches!(unavailable, ConnectionError::Forbidden { stream: "alerts", .. }), "{unavailable:?}");
    let help = unavailable.help().unwrap_or_default();
    assert!(!help.is_empty() && !help.contains("new token"), "{unavailable}; {help}");
    let messages = [wrong, unreachable, other, page, forbidden, broken].map(|error| error.to_string());
    assert_eq!(messages.iter().collect::<BTreeSet<_>>().len(), messages.len(), "{messages:#?}");
    assert!(messages.iter().all(|message| !message.contains("another-token")));
    sandbox.stop().await;
}
