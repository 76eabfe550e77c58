//! The client with a mock console.

use std::time::Duration;

use sentinelone::batch::Journal;
use sentinelone::bytes::Bytes;
use sentinelone::http::Response;
use sentinelone::remote_scripts::ScriptDownloadLink;
use sentinelone::threats::{AnalystVerdict, IncidentStatus, MitigationAction, ThreatFilter};
use sentinelone::{
    ApiToken, ApiVersion, Client, ClientBuilder, ConsoleUrl, ConsoleUrlError, Delivery, Error, ErrorKind,
    IdState, Page, RateLimits, Request, RequestErrorKind, RetryPolicy, Timestamp, TokenError, raw,
};
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

pub(super) const TOKEN: &str = "eyJ-not-a-real-token";

fn builder(server: &MockServer) -> ClientBuilder {
    let client = Client::builder(server.uri()).token(ApiToken::new(TOKEN).unwrap());
    client.retry_policy(RetryPolicy::disabled()).rate_limits(RateLimits::disabled())
}

pub(super) fn client(server: &MockServer) -> Client {
    builder(server).build().unwrap()
}

pub(super) fn page(ids: std::ops::Range<u32>, next: Value) -> ResponseTemplate {
    let data: Vec<_> = ids.map(|id| json!({ "id": id.to_string() })).collect();
    ResponseTemplate::new(200)
        .set_body_json(json!({ "data": data, "pagination": { "nextCursor": next, "totalItems": 25 } }))
}

/// Mounts a list of 25 threats in three pages. A fourth page does not exist.
async fn three_pages(server: &MockServer) {
    let list = || Mock::given(method("GET")).and(path("/web/api/v2.1/threats"));
    list().and(query_param_is_missing("cursor")).respond_with(page(0..10, "a".into())).mount(server).await;
    list().and(query_param("cursor", "a")).respond_with(page(10..20, "b".into())).mount(server).await;
    list().and(query_param("cursor", "b")).respond_with(page(20..25, Value::Null)).mount(server).await;
}

pub(super) async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn items_returns_all_pages_once_in_order() {
    for prefetch in [false, true] {
        let server = MockServer::start().await;
        three_pages(&server).await;
        let filter = ThreatFilter::default().incident_statuses(["unresolved", "in_progress"]);
        let items = client(&server).threats().list().filter(filter).items();
        let items = if prefetch { items.prefetch() } else { items };
        let ids: Vec<String> = items.collect().await.unwrap().into_iter().map(|t| t.id.unwrap()).collect();
        assert_eq!(ids, (0..25).map(|id: u32| id.to_string()).collect::<Vec<_>>());
        let received = server.received_requests().await.unwrap();
        assert_eq!(received.len(), 3);
        for request in received {
            let query: std::collections::BTreeMap<_, _> = request.url.query_pairs().into_owned().collect();
            assert_eq!(query["incidentStatuses"], "unresolved,in_progress", "each page has the filter");
            assert_eq!(query["limit"], "1000");
        }
    }
}

/// Waits until the server has received `times` requests.
async fn wait_for_requests(server: &MockServer, times: usize) {
    let waiting = async {
        while requests(server).await < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the requests are missing");
}

#[tokio::test]
async fn prefetch_requests_next_page_early() {
    let server = MockServer::start().await;
    three_pages(&server).await;
    let mut items = client(&server).threats().list().items().prefetch();
    assert_eq!(requests(&server).await, 0, "no request before the first item");
    items.next().await.unwrap().unwrap();
    wait_for_requests(&server, 2).await;
    for _ in 1..10 {
        items.next().await.unwrap().unwrap();
    }
    assert_eq!(requests(&server).await, 2, "one page is prefetched");
    items.next().await.unwrap().unwrap();
    wait_for_requests(&server, 3).await;
    assert_eq!(items.collect().await.unwrap().len(), 14);
    assert_eq!(requests(&server).await, 3);
}

#[tokio::test]
async fn prefetch_error_is_returned_in_order() {
    let server = MockServer::start().await;
    let list = || Mock::given(path("/web/api/v2.1/threats"));
    list().and(query_param_is_missing("cursor")).respond_with(page(0..2, "a".into())).mount(&server).await;
    list().and(query_param("cursor", "a")).respond_with(ResponseTemplate::new(403)).mount(&server).await;
    let mut items = client(&server).threats().list().items().prefetch();
    items.next().await.unwrap().unwrap();
    wait_for_requests(&server, 2).await;
    items.next().await.unwrap().expect("the items of the page come first");
    assert_eq!(items.next().await.unwrap().unwrap_err().kind(), ErrorKind::Api);
    assert!(items.next().await.is_none());
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn prefetch_timeout_is_retried() {
    let server = MockServer::start().await;
    let list = || Mock::given(path("/web/api/v2.1/threats"));
    let late = page(2..4, Value::Null).set_delay(Duration::from_secs(60));
    list().and(query_param_is_missing("cursor")).respond_with(page(0..2, "a".into())).mount(&server).await;
    list().and(query_param("cursor", "a")).respond_with(late).up_to_n_times(1).mount(&server).await;
    list().and(query_param("cursor", "a")).respond_with(page(2..4, Value::Null)).mount(&server).await;
    let client = builder(&server).timeout(Duration::from_secs(1)).build().unwrap();
    let items = client.threats().list().items().prefetch().collect().await.unwrap();
    assert_eq!(items.len(), 4);
    assert_eq!(requests(&server).await, 3);
}

/// Counts the responses.
#[derive(Debug, Default)]
struct ResponseCounter(std::sync::atomic::AtomicUsize);

impl sentinelone::Recorder for ResponseCounter {
    fn record(&self, _: &sentinelone::RawExchange<'_>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

#[tokio::test]
async fn dropped_items_cancel_prefetch() {
    let server = MockServer::start().await;
    let list = || Mock::given(path("/web/api/v2.1/threats"));
    let late = page(2..4, Value::Null).set_delay(Duration::from_secs(2));
    list().and(query_param_is_missing("cursor")).respond_with(page(0..2, "a".into())).mount(&server).await;
    list().and(query_param("cursor", "a")).respond_with(late).mount(&server).await;
    let responses = std::sync::Arc::new(ResponseCounter::default());
    let client = builder(&server).recorder(responses.clone()).build().unwrap();
    let mut pages = client.threats().list().pages().prefetch();
    let _ = pages.next().await.unwrap().unwrap();
    wait_for_requests(&server, 2).await;
    // Dropping the future of `next` does not cancel the prefetch.
    let waiting = tokio::time::timeout(Duration::from_millis(1), pages.next()).await;
    assert!(waiting.is_err(), "the response takes two seconds");
    assert_eq!(pages.next().await.unwrap().unwrap().data.len(), 2);
    assert_eq!((requests(&server).await, responses.0.load(std::sync::atomic::Ordering::SeqCst)), (2, 2));

    let mut pages = client.threats().list().pages().prefetch();
    let _ = pages.next().await.unwrap().unwrap();
    wait_for_requests(&server, 4).await;
    drop(pages);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(responses.0.load(std::sync::atomic::Ordering::SeqCst), 3, "the fourth response is not read");
}

#[tokio::test]
async fn items_limit_bounds_requests() {
    for (limit, pages, sizes) in [
        (0, 0, vec![]),
        (1, 1, vec!["1"]),
        (10, 1, vec!["10"]),
        (11, 2, vec!["11", "11"]),
        (20, 2, vec!["20", "20"]),
        (25, 3, vec!["25", "25", "25"]),
        (99, 3, vec!["99", "99", "99"]),
    ] {
        for prefetch in [false, true] {
            let server = MockServer::start().await;
            three_pages(&server).await;
            let items = client(&server).threats().list().items().limit(limit);
            let items = if prefetch { items.prefetch() } else { items };
            let items = items.collect().await.unwrap();
            assert_eq!(items.len() as u64, limit.min(25));
            let received = server.received_requests().await.unwrap();
            assert_eq!(received.len(), pages, "limit {limit}");
            let limits: Vec<String> = received
                .iter()
                .map(|request| {
                    request.url.query_pairs().find(|(name, _)| name == "limit").unwrap().1.into_owned()
                })
                .collect();
            assert_eq!(limits, sizes, "the page size is constant and at most the limit");
        }
    }
}

#[tokio::test]
async fn items_are_requested_lazily() {
    let server = MockServer::start().await;
    three_pages(&server).await;
    let client = client(&server);
    let mut items = client.threats().list().items().page_size(10);
    assert_eq!(requests(&server).await, 0);
    for _ in 0..10 {
        items.next().await.unwrap().unwrap();
        assert_eq!(requests(&server).await, 1);
    }
    items.next().await.unwrap().unwrap();
    assert_eq!(requests(&server).await, 2);

    let mut pages = client.threats().list().pages();
    assert_eq!(pages.next().await.unwrap().unwrap().data.len(), 10);
    assert_eq!(requests(&server).await, 3);
}

#[tokio::test]
async fn items_repeated_cursor_is_an_error() {
    let server = MockServer::start().await;
    let list = || Mock::given(path("/web/api/v2.1/threats"));
    list().and(query_param_is_missing("cursor")).respond_with(page(0..2, "a".into())).mount(&server).await;
    list().and(query_param("cursor", "a")).respond_with(page(2..4, "b".into())).mount(&server).await;
    list().and(query_param("cursor", "b")).respond_with(page(4..6, "a".into())).mount(&server).await;
    let client = client(&server);
    let list = || client.threats().list().items();
    for (round, mut items) in [list(), list().prefetch()].into_iter().enumerate() {
        let mut count = 0;
        let error = loop {
            match items.next().await.unwrap() {
                Ok(_) => count += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(count, 6, "the items before the error");
        assert_eq!(error.kind(), ErrorKind::RepeatedCursor);
        assert_eq!(error.operation(), Some("threats_list"));
        assert!(items.next().await.is_none(), "an error ends the list");
        assert_eq!(requests(&server).await, 3 * (round + 1));
    }
}

#[tokio::test]
async fn null_or_blank_cursor_ends_paging() {
    for next in [json!(null), json!(""), json!("null")] {
        let server = MockServer::start().await;
        Mock::given(path("/web/api/v2.1/threats")).respond_with(page(0..3, next)).mount(&server).await;
        assert_eq!(client(&server).threats().list().items().collect().await.unwrap().len(), 3);
        assert_eq!(requests(&server).await, 1);
    }
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_body_json(json!({ "data": [{ "id": "1" }] }));
    Mock::given(path("/web/api/v2.1/threats")).respond_with(response).mount(&server).await;
    assert_eq!(client(&server).threats().list().items().collect().await.unwrap().len(), 1);
}

#[tokio::test]
async fn page_keeps_items_next_to_an_undecoded_one() {
    let server = MockServer::start().await;
    let response = json!({ "data": [
        { "id": "1" },
        { "id": "2", "threatInfo": { "fileSize": { "bytes": 3 } } },
        { "id": "3" },
    ] });
    let response = ResponseTemplate::new(200).set_body_json(response);
    Mock::given(path("/web/api/v2.1/threats")).respond_with(response).mount(&server).await;
    let client = client(&server);

    let page = client.threats().list().page().await.unwrap();
    assert_eq!(page.data.len(), 2);
    assert_eq!(page.undecoded[0].index, 1);
    assert_eq!(page.undecoded[0].value["id"], "2", "the item is unchanged");

    let mut items = client.threats().list().items();
    assert_eq!(items.next().await.unwrap().unwrap().id.as_deref(), Some("1"));
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.decode_error().unwrap().path, "data[1].threatInfo.fileSize");
    assert_eq!(items.next().await.unwrap().unwrap().id.as_deref(), Some("3"), "the list continues");
    assert!(items.next().await.is_none());
}

#[tokio::test]
async fn update_incident_sends_filter_and_data() {
    let server = MockServer::start().await;
    let expected = json!({
        "data": { "incidentStatus": "resolved", "analystVerdict": "false_positive" },
        "filter": { "computerName__contains": ["web-01", "web-02"] },
    });
    Mock::given(method("POST"))
        .and(path("/web/api/v2.1/threats/incident"))
        .and(header("authorization", format!("ApiToken {TOKEN}").as_str()))
        .and(header("content-type", "application/json"))
        .and(body_json(expected))
        .respond_with(
            ResponseTemplate::new(200)
                .insert_header("x-rqid", "r-1")
                .set_body_json(json!({ "data": { "affected": 2, "unheardOf": 1 } })),
        )
        .expect(1)
        .mount(&server)
        .await;
    let response = client(&server)
        .threats()
        .update_incident()
        .filter(ThreatFilter::default().computer_name_contains(["web-01", "web-02"]))
        .status(IncidentStatus::Resolved)
        .verdict(AnalystVerdict::FalsePositive)
        .send()
        .await
        .unwrap();
    assert_eq!(response.affected(), Some(2));
    assert_eq!(response.request_id(), Some("r-1"));
    assert_eq!(response.json()["data"]["unheardOf"], 1, "the body keeps undeclared fields");
}

#[tokio::test]
async fn action_without_selective_filter_is_rejected() {
    let server = MockServer::start().await;
    let client = client(&server);
    let threats = client.threats();
    let not_selective = [
        ThreatFilter::default(),
        ThreatFilter::default().tenant(true),
        ThreatFilter::default().counts_for("osTypes"),
    ];
    for filter in not_selective {
        let update = threats.update_incident().filter(filter.clone()).status("resolved");
        let verdict = threats.update_analyst_verdict("suspicious").filter(filter.clone());
        let mitigate = threats.mitigate(MitigationAction::Kill).filter(filter.clone());
        let note = threats.add_note("a note").filter(filter);
        for error in [
            update.send().await.map(drop).unwrap_err(),
            verdict.send().await.map(drop).unwrap_err(),
            mitigate.send().await.map(drop).unwrap_err(),
            note.send().await.map(drop).unwrap_err(),
        ] {
            assert_eq!(error.request_error().unwrap().kind(), &RequestErrorKind::EmptyFilter);
            assert_eq!(error.delivery(), Delivery::NotSent);
        }
    }
    let no_ids: [&str; 0] = [];
    let update = threats.update_incident().filter(ThreatFilter::default().ids(no_ids).site_ids(["1"]));
    let error = update.status("resolved").everything_in_scope().send().await.unwrap_err();
    assert_eq!(error.request_error().unwrap().kind(), &RequestErrorKind::EmptyList("filter.ids".into()));
    let error =
        threats.update_incident().filter(ThreatFilter::default().ids(["1"])).send().await.unwrap_err();
    assert_eq!(
        error.request_error().unwrap().kind(),
        &RequestErrorKind::Missing("data.incidentStatus".into())
    );
    assert_eq!(requests(&server).await, 0);
}

#[tokio::test]
async fn everything_in_scope_sends_empty_filter() {
    let server = MockServer::start().await;
    Mock::given(path("/web/api/v2.1/threats/incident"))
        .and(body_json(json!({ "data": { "incidentStatus": "resolved" }, "filter": {} })))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "data": { "affected": 9 } })))
        .expect(1)
        .mount(&server)
        .await;
    let client = client(&server);
    let update = client.threats().update_incident().status("resolved").everything_in_scope();
    assert_eq!(update.send().await.unwrap().affected(), Some(9));
}

#[tokio::test]
async fn count_requests_only_the_count() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/web/api/v2.1/threats"))
        .and(query_param("countOnly", "true"))
        .and(query_param("siteIds", "1,2"))
        .and(query_param_is_missing("limit"))
        .respond_with(page(0..0, Value::Null))
        .expect(1)
        .mount(&server)
        .await;
    let client = client(&server);
    let filter = ThreatFilter::default().site_ids(["1", "2"]);
    assert_eq!(client.threats().update_incident().filter(filter).limit(3).count().await.unwrap(), 25);
}

#[tokio::test]
async fn request_can_be_inspected_before_send() {
    let server = MockServer::start().await;
    three_pages(&server).await;
    let query = raw::threats::ThreatsListQuery::default();
    let request: Request<Page<raw::threats::Threat>> = raw::threats::list(&query).unwrap();
    assert_eq!(request.path(ApiVersion::V2_1).unwrap(), "/web/api/v2.1/threats");
    let response = client(&server).send(&request).await.unwrap();
    assert_eq!(response.data.len(), 10);
    let raw: Request<Value> = request.with_response_type();
    assert_eq!(client(&server).send(&raw).await.unwrap()["pagination"]["totalItems"], 25);
}

#[tokio::test]
async fn operation_of_other_api_version_is_rejected() {
    let server = MockServer::start().await;
    let client = builder(&server).api_version(ApiVersion::V2_0).build().unwrap();
    let error = client.threats().list().page().await.unwrap_err();
    assert!(matches!(error.request_error().unwrap().kind(), RequestErrorKind::UnsupportedApiVersion { .. }));
    assert_eq!(requests(&server).await, 0);
}

#[tokio::test]
async fn response_with_data_and_errors_keeps_both() {
    let errors = json!([{ "code": 4000, "title": "No", "detail": "part" }]);
    let server = MockServer::start().await;
    let both = json!({ "data": { "affected": 1 }, "errors": errors });
    Mock::given(path("/web/api/v2.1/threats/notes"))
        .respond_with(ResponseTemplate::new(200).set_body_json(both))
        .mount(&server)
        .await;
    let errors_only = ResponseTemplate::new(200).set_body_json(json!({ "data": null, "errors": errors }));
    Mock::given(path("/web/api/v2.1/threats/incident")).respond_with(errors_only).mount(&server).await;
    let client = client(&server);

    let one = ThreatFilter::default().ids(["1"]);
    let response = client.threats().add_note("a note").filter(one.clone()).send().await.unwrap();
    assert_eq!(response.affected(), Some(1));
    assert_eq!(response.api_errors()[0].detail.as_deref(), Some("part"));

    let error = client.threats().update_incident().filter(one).status("resolved").send().await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Api, 200));
    assert!(error.may_have_taken_effect());
}

#[tokio::test]
async fn error_display_is_message_and_report_adds_remedy() {
    let server = MockServer::start().await;
    let errors = json!({ "errors": [{ "code": 4040010, "title": "Not Found", "detail": "No such site" }] });
    let response = ResponseTemplate::new(404).set_body_json(errors);
    Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let error = client(&server).sites().get("1").await.unwrap_err();
    let message = "sites_get: HTTP 404 Not Found: 4040010 Not Found: No such site";
    assert_eq!(error.to_string(), message);
    let help = "check the ID, and that this console supports the operation on this API version";
    assert_eq!((error.help().as_deref(), error.resume_hint()), (Some(help), None));
    assert_eq!(error.report().to_string(), format!("{message}; {help}"));
    assert_eq!(format!("{error:?}"), format!("Error(Api: {message}; {help})"));
    // These messages say what is allowed.
    let url = "ftp://x".parse::<ConsoleUrl>().map_err(Error::from).unwrap_err();
    assert_eq!((url.help(), url.report().to_string()), (None, url.to_string()));
}

#[tokio::test]
async fn error_of_html_response_redacts_token() {
    let server = MockServer::start().await;
    let echo = format!("<html>502\u{1b}[2J for Authorization: ApiToken {TOKEN}</html>");
    let response = ResponseTemplate::new(502).set_body_string(echo);
    Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let error = client(&server).threats().list().page().await.unwrap_err();
    let output = format!("{error} {error:?} {}", String::from_utf8_lossy(error.body().unwrap()));
    assert!(!output.contains(TOKEN), "{output}");
    assert!(!error.to_string().contains('\u{1b}'), "no control characters");
    let title =
        json!({ "errors": [{ "code": 1, "title": "\u{1b}[31mred\nline", "detail": "x".repeat(9000) }] });
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(403).set_body_json(title);
    Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let text = client(&server).threats().list().page().await.unwrap_err().to_string();
    assert!(!text.contains(['\u{1b}', '\n']) && text.len() < 1400, "{text}");
}

#[tokio::test]
async fn error_message_keeps_the_words_of_the_console() {
    let long = format!("{}It has no Custom Rules", "Requested by the service user of the site. ".repeat(10));
    for (body, words) in [
        (json!({ "errors": [{ "code": 1, "title": "No", "detail": long }] }).to_string(), long.as_str()),
        (
            json!({ "errors": [{ "code": 1, "detail": "limit < 1 or <none>; set it" }] }).to_string(),
            "limit < 1 or <none>; set it",
        ),
        (
            json!({ "error": "denied", "error_description": "Ask the owner" }).to_string(),
            "denied: Ask the owner",
        ),
        ("<b>limit</b> < 1 <!-- x --> is invalid".to_owned(), "limit < 1 is invalid"),
    ] {
        let server = MockServer::start().await;
        let response = ResponseTemplate::new(400).set_body_string(&body);
        Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
        let text = client(&server).threats().list().page().await.unwrap_err().to_string();
        assert!(text.contains(words), "{body}: {text}");
    }
}

#[tokio::test]
async fn error_redacts_token_in_each_part() {
    let escaped: String = TOKEN.chars().map(|c| format!("\\u{:04x}", c as u32)).collect();
    let cut = format!("{}ApiToken {}", "x".repeat(64 * 1024 - 9 - TOKEN.len() / 2), TOKEN);
    let responses = [
        (200, format!(r#"{{"data":"ApiToken {TOKEN}"}}"#)),
        (200, format!(r#"{{"data":[{{"id":[]}}],"pagination":{{}},"errors":[{{"title":"bad {TOKEN}"}}]}}"#)),
        (500, format!(r#"{{"message":"{escaped}"}}"#)),
        (429, "slow".to_owned()),
        (500, cut),
    ];
    for (status, body) in responses {
        let server = MockServer::start().await;
        let response =
            ResponseTemplate::new(status).insert_header("retry-after", TOKEN).set_body_string(&body);
        Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
        let client = client(&server);
        let list = client.threats().list();
        let mut output = match list.page().await {
            Ok(page) => format!("{:?}", page.api_errors()),
            Err(error) => {
                let body = String::from_utf8_lossy(error.body().unwrap()).into_owned();
                format!("{error} {:?} {:?} {body}", error.retry_after_header(), error.api_errors())
            }
        };
        if let Some(Err(error)) = list.items().next().await {
            output.push_str(&format!("{error} {}", String::from_utf8_lossy(error.body().unwrap())));
        }
        assert!(!output.contains(&TOKEN[..10]), "{status}: {}", &output[output.len().saturating_sub(300)..]);
        assert!(!output.contains(&escaped[..60]), "{status}");
    }
}

#[tokio::test]
async fn response_errors_are_kept_in_any_format() {
    for odd in [json!({ "code": 7, "title": "No" }), json!("boom"), json!([{ "reason": "boom" }])] {
        let server = MockServer::start().await;
        let body = json!({ "data": { "affected": 2 }, "errors": odd });
        let response = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
        let client = client(&server);
        let note = client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"]));
        assert_eq!(note.send().await.unwrap().api_errors().len(), 1, "{odd}");
    }
}

#[tokio::test]
async fn page_malformed_envelope_keeps_items_and_arrays_are_rejected() {
    let page = |body: Value| async move {
        let server = MockServer::start().await;
        let response = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
        client(&server).threats().list().page().await
    };
    let malformed = json!({ "data": [null, { "id": "1" }], "pagination": "none", "errors": {} });
    assert_eq!(page(malformed).await.unwrap().data.len(), 1);
    for invalid in [json!([[]]), json!([null]), json!([[{ "id": "1" }]]), json!("text"), json!({})] {
        assert_eq!(page(invalid).await.unwrap_err().kind(), ErrorKind::Decode);
    }
}

#[tokio::test]
async fn outcomes_report_each_id() {
    let server = MockServer::start().await;
    let details =
        json!([{ "threatId": "1", "result": "updated" }, { "threatId": "2", "result": "already_set" }]);
    let response =
        ResponseTemplate::new(200).set_body_json(json!({ "data": { "affected": 1, "details": details } }));
    Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let client = client(&server);
    let update = client.threats().update_incident().filter(ThreatFilter::default().ids(["1", "2", "3"]));
    let response = update.status("resolved").send().await.unwrap();
    let states: Vec<_> = response.outcomes(["1", "2", "3"]).into_iter().map(|one| one.state).collect();
    assert_eq!(states, [IdState::Done, IdState::AlreadySet, IdState::NotAffected]);
}

#[tokio::test]
async fn empty_body_is_valid_for_action_only() {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let client = client(&server);
    let note = client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"]));
    assert_eq!(note.send().await.unwrap().affected(), None);
    assert_eq!(client.threats().list().page().await.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn decode_error_keeps_body() {
    let server = MockServer::start().await;
    let login = "<html><body>Please log in</body></html>";
    let response = ResponseTemplate::new(200).set_body_raw(login, "text/html");
    Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let error = client(&server).threats().list().page().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.body().unwrap().as_ref(), login.as_bytes());
}

#[tokio::test]
async fn response_size_is_limited() {
    let server = MockServer::start().await;
    three_pages(&server).await;
    let client = builder(&server).max_response_size(100).build().unwrap();
    assert_eq!(client.threats().list().page().await.unwrap_err().kind(), ErrorKind::ResponseTooLarge);

    let server = MockServer::start().await;
    let response = ResponseTemplate::new(500).set_body_string("x".repeat(1 << 20));
    Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let error = builder(&server).build().unwrap().threats().list().page().await.unwrap_err();
    assert_eq!(error.body().unwrap().len(), 64 * 1024);
    assert!(error.to_string().len() < 600, "the message omits most of the body");
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let other_server = MockServer::start().await;
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(302).insert_header("location", other_server.uri());
    Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let error = client(&server).threats().list().page().await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 302);
    assert_eq!(requests(&other_server).await, 0);
}

#[test]
fn client_settings_of_zero_are_rejected() {
    let builder = || Client::builder("http://127.0.0.1:9").token(ApiToken::new(TOKEN).unwrap());
    let retry = RetryPolicy::default;
    for (client, message) in [
        (builder().timeout(Duration::ZERO), "timeout is 0 s; expected a time above zero"),
        (builder().connect_timeout(Duration::ZERO), "connect_timeout is 0 s; expected a time above zero"),
        (builder().read_timeout(Duration::ZERO), "read_timeout is 0 s; expected a time above zero"),
        (builder().max_response_size(0), "max_response_size is 0 bytes; expected 1 or more"),
        (
            builder().retry_policy(retry().max_attempts(0)),
            "max_attempts of the retry policy is 0; expected 1 or more",
        ),
        (
            builder().retry_policy(retry().initial_backoff(Duration::ZERO)),
            "initial_backoff of the retry policy is 0 s; expected a time above zero",
        ),
        (
            builder().retry_policy(retry().max_backoff(Duration::ZERO)),
            "max_backoff of the retry policy is 0 s; expected a time above zero",
        ),
    ] {
        let error = client.build().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Configuration, message));
    }
    assert!(builder().retry_policy(RetryPolicy::disabled()).build().is_ok());
}

/// A setting of a call has the range of that of the client. The transport is not reached.
#[tokio::test]
async fn call_settings_of_zero_are_rejected() {
    let sent = |_: sentinelone::http::Request<Bytes>| -> Response<Bytes> { panic!("a request was sent") };
    let client = Client::builder("http://127.0.0.1:9").token(ApiToken::new(TOKEN).unwrap()).transport(sent);
    let client = client.build().unwrap();
    let list = || client.threats().list();
    let note = || client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"]));
    let batch = || note().batches(["1", "2"]).unwrap();
    let file = raw::agents::download("1", "2").unwrap();
    let mut link = ScriptDownloadLink::default();
    link.download_url = Some("https://files.example/a.zip".to_owned());
    let retry = RetryPolicy::default;
    macro_rules! assert_rejected {
        ($($call:expr, $timeout:ident, $retry:ident, |$own:ident| $error:expr;)+) => { $(
            for ($own, message) in [
                ($call.$timeout(Duration::ZERO), "timeout is 0 s; expected a time above zero"),
                (
                    $call.$retry(retry().max_attempts(0)),
                    "max_attempts of the retry policy is 0; expected 1 or more",
                ),
                (
                    $call.$retry(retry().initial_backoff(Duration::ZERO)),
                    "initial_backoff of the retry policy is 0 s; expected a time above zero",
                ),
                (
                    $call.$retry(retry().max_backoff(Duration::ZERO)),
                    "max_backoff of the retry policy is 0 s; expected a time above zero",
                ),
            ] {
                let error: Error = $error;
                let actual = (error.kind(), error.delivery(), error.attempts());
                let name = stringify!($call);
                assert_eq!(actual, (ErrorKind::Configuration, Delivery::NotSent, 0), "{name}: {error}");
                assert_eq!(error.to_string(), message, "{name}");
            }
        )+ };
    }
    assert_rejected! {
        list(), timeout, retry, |own| own.page().await.unwrap_err();
        list(), timeout, retry, |own| own.count().await.unwrap_err();
        list().pages(), timeout, retry, |own| { let mut own = own; own.next().await.unwrap().unwrap_err() };
        list().items(), timeout, retry, |own| own.collect().await.unwrap_err();
        list().concurrency(2), timeout, retry, |own| { let mut own = own; own.next().await.unwrap().unwrap_err() };
        note(), timeout, retry, |own| own.send().await.unwrap_err();
        batch(), timeout, retry, |own| own.send().await.unwrap_err();
        client, with_timeout, with_retry, |own| own.sites().get("7").await.unwrap_err();
        client, with_timeout, with_retry, |own| own.download(&file).await.unwrap_err();
        client, with_timeout, with_retry, |own| own.download_link(&link).await.unwrap_err();
    }
    // The journal would record that the console rejected the batches.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal");
    let journal = Journal::open(&file).unwrap();
    let error = batch().journal(journal).timeout(Duration::ZERO).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(std::fs::read(&file).unwrap_or_default().is_empty(), "{error}");
}

#[tokio::test]
async fn list_numbers_of_zero_are_rejected() {
    let client = Client::builder("http://127.0.0.1:9").token(ApiToken::new(TOKEN).unwrap()).build().unwrap();
    let list = || client.threats().list().pages();
    let page = list().page_size(0).next().await.unwrap().unwrap_err();
    let parallel_page = list().page_size(0).concurrency(2).next().await.unwrap().unwrap_err();
    for error in [page, parallel_page] {
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
        assert!(error.to_string().contains("limit"), "{error}");
    }
    let error = list().concurrency(0).next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
    assert!(error.to_string().contains("0 requests in flight; expected 1 or more"), "{error}");
}

#[tokio::test]
async fn connection_refused_reports_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::builder(format!("http://{address}")).token(ApiToken::new(TOKEN).unwrap());
    let client = client.retry_policy(RetryPolicy::disabled()).build().unwrap();
    let error = client.threats().list().page().await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Connect, Delivery::NotSent));
    assert!(!error.may_have_taken_effect());
}

#[tokio::test]
async fn timeout_on_action_reports_possible_effect() {
    struct Stall;
    impl Respond for Stall {
        fn respond(&self, _: &wiremock::Request) -> ResponseTemplate {
            ResponseTemplate::new(200).set_delay(Duration::from_secs(30))
        }
    }
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any()).respond_with(Stall).mount(&server).await;
    let client = builder(&server).timeout(Duration::from_millis(200)).build().unwrap();
    let note = client.threats().add_note("a note").filter(ThreatFilter::default().ids(["1"]));
    let error = note.send().await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Timeout, Delivery::Unknown));
    assert!(error.may_have_taken_effect());
    assert!(error.help().unwrap_or_default().contains("check the result"), "a note must not be added twice");
    assert!(error.to_string().contains("no response within the timeout"), "{error}");
    let client = builder(&server)
        .read_timeout(Duration::from_millis(200))
        .retry_policy(RetryPolicy::disabled())
        .build()
        .unwrap();
    let error = client.threats().list().page().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("no data for 0.2 s"), "{error}");
}

#[tokio::test]
async fn token_is_absent_from_debug_output() {
    let token = ApiToken::new(TOKEN).unwrap();
    assert!(!format!("{token:?}").contains(TOKEN));
    let server = MockServer::start().await;
    let setup = builder(&server).proxy("http://user:secret@127.0.0.1:1");
    assert!(!format!("{setup:?}").contains(TOKEN) && !format!("{setup:?}").contains("secret"));
    let client = setup.build().unwrap();
    assert!(!format!("{client:?}").contains(TOKEN), "{client:?}");
    let error = client.threats().list().page().await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains(TOKEN));
}

#[test]
fn api_token_parsing_trims_and_hides_invalid_values() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, format!("ApiToken {TOKEN}\n")).unwrap();
    assert!(ApiToken::from_file(&file).is_ok());
    for text in ["", "  \n", "ApiToken ", "two words", "caf\u{e9}", "line\nbreak"] {
        let error = ApiToken::new(text).unwrap_err();
        let output = format!("{error} {error:?}");
        assert!(text.trim().is_empty() || text == "ApiToken " || !output.contains(text), "{output}");
    }
    assert!(ApiToken::from_file(dir.path().join("none")).unwrap_err().to_string().contains("none"));
    assert!(ApiToken::from_env("S1_NO_SUCH_VARIABLE").is_err());
}

#[test]
fn console_url_parsing_accepts_and_rejects() {
    for url in [
        "usea1.sentinelone.net",
        " usea1.sentinelone.net/ ",
        "https://usea1.sentinelone.net",
        "https://usea1.sentinelone.net///",
        "https://usea1.sentinelone.net/web/api/v2.1/threats?limit=1#x",
        "USEA1.sentinelone.net/login",
        "usea1.sentinelone.net/login?next=https://other_server.example",
        "https://usea1.sentinelone.net:443/",
    ] {
        let console: ConsoleUrl = url.parse().unwrap();
        assert_eq!(console.to_string(), "https://usea1.sentinelone.net", "{url}");
    }
    for (local, expected) in [
        ("localhost:8443", "https://localhost:8443"),
        ("localhost", "https://localhost"),
        ("console:8443", "https://console:8443"),
        ("https://console", "https://console"),
        ("127.0.0.1", "https://127.0.0.1"),
    ] {
        assert_eq!(local.parse::<ConsoleUrl>().unwrap().to_string(), expected);
    }
    for short in ["usea1", " USEA1/ ", "usea1/web/api/v2.1", "usea1?x=1"] {
        let error = short.parse::<ConsoleUrl>().unwrap_err();
        assert_eq!(error, ConsoleUrlError::ShortName("usea1".to_owned()), "{short}");
        assert!(error.help().unwrap().contains("https://usea1.sentinelone.net"), "{error}");
    }
    for loopback in ["http://127.0.0.1:1", "http://localhost", "http://[::1]:8080", "http://127.8.9.1"] {
        assert!(loopback.parse::<ConsoleUrl>().unwrap().is_loopback(), "{loopback}");
    }
    for invalid in [
        "",
        " ",
        "http://usea1.sentinelone.net",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://evil.localhost",
        "http:/usea1.sentinelone.net",
        "https:usea1.sentinelone.net",
        "ftp://usea1.sentinelone.net",
        "https://user:secret@usea1.sentinelone.net",
        "user:secret@usea1.sentinelone.net",
        "https://",
        "not a host",
        "https://https://usea1.sentinelone.net",
    ] {
        let error = invalid.parse::<ConsoleUrl>().expect_err(invalid);
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn console_url_with_odd_characters_names_them() {
    for (url, reason) in [
        ("\"https://usea1.sentinelone.net\"", "it contains the quote \""),
        ("'usea1.sentinelone.net'", "it contains the quote '"),
        ("“usea1.sentinelone.net”", "it contains the quote “"),
        ("usea1.sentinelone.net;", "the host contains the character ;"),
        ("$S1_CONSOLE_URL", "the host contains the character $"),
        ("https://https://usea1.sentinelone.net", "it has two schemes"),
    ] {
        match url.parse::<ConsoleUrl>() {
            Err(ConsoleUrlError::Invalid { reason: actual, .. }) => assert_eq!(actual, reason, "{url}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[test]
fn console_url_that_is_a_token_is_not_shown() {
    let opaque = "Ab3".repeat(27);
    for token in ["eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln", opaque.as_str()] {
        let error = token.parse::<ConsoleUrl>().unwrap_err().to_string().to_lowercase();
        assert!(error.contains("api token"), "{error}");
        assert!(!error.contains(&token.to_lowercase()), "{error}");
    }
}

#[test]
fn configuration_error_has_its_remedy_apart_from_the_message() {
    let url = |text: &str| Error::from(text.parse::<ConsoleUrl>().unwrap_err());
    let token = |error: TokenError| Error::from(error);
    let agent = Client::builder("http://127.0.0.1:9").token(ApiToken::new(TOKEN).unwrap());
    for (error, message, help) in [
        (
            url("http://usea1.example"),
            "plain http would send the token in clear text to usea1.example; http is for this machine only",
            Some("use https"),
        ),
        (
            url("usea1"),
            "the console URL \"usea1\" is not a full host name",
            Some("use https://usea1.sentinelone.net, or https://usea1 for a host of the local network"),
        ),
        (
            url("https://user:secret@usea1.example"),
            "the console URL contains a user name or a password",
            Some("remove it; the API token is sufficient"),
        ),
        (url(""), "the console URL is empty; expected a host name such as usea1.sentinelone.net", None),
        (
            token(ApiToken::new("").unwrap_err()),
            "the API token is empty",
            Some("create one in the console, in the settings of the user or service user"),
        ),
        (
            token(TokenError::Invalid("spaces".into())),
            "the API token contains spaces",
            Some("copy only the token from the console"),
        ),
        (
            token(TokenError::Environment("S1_API_TOKEN".into())),
            "the environment variable S1_API_TOKEN contains no API token",
            Some("set it, or use a token file"),
        ),
        (
            agent.user_agent("line\nbreak").build().unwrap_err(),
            concat!(
                "the user agent \"line\\nbreak sentinelone-rs/",
                env!("CARGO_PKG_VERSION"),
                "\" contains a control character; expected none"
            ),
            None,
        ),
    ] {
        assert_eq!((error.to_string().as_str(), error.help().as_deref()), (message, help));
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    }
}

/// A printed chain has each text once.
#[test]
fn converted_error_is_transparent_and_downcasts() {
    let error = Error::from("usea1".parse::<ConsoleUrl>().unwrap_err());
    assert!(std::error::Error::source(&error).is_none(), "{error:?}");
    assert_eq!(error.downcast_ref(), Some(&ConsoleUrlError::ShortName("usea1".to_owned())));
    assert!(error.downcast_ref::<TokenError>().is_none());
    let error = Error::from(ApiToken::from_file("missing").unwrap_err());
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    assert_eq!(cause.unwrap().kind(), std::io::ErrorKind::NotFound);
    assert!(matches!(error.downcast_ref(), Some(TokenError::File { .. })));
}

/// Callers convert with the time library of this crate, in the same version.
#[test]
fn timestamp_converts_to_the_reexported_library() {
    let time = sentinelone::jiff::Timestamp::try_from(Timestamp::from("2026-11-21T12:00:00Z")).unwrap();
    assert_eq!(Timestamp::from(time).as_str(), "2026-11-21T12:00:00Z");
}

#[test]
fn client_builder_invalid_configuration_is_an_error() {
    const HTTPS: &str = "usea1.sentinelone.net";
    const LOOPBACK: &str = "http://127.0.0.1:9";
    let builder = |url: &str| Client::builder(url).token(ApiToken::new(TOKEN).unwrap());
    // A build without TLS rejects https first. Connections to this machine have no proxy.
    let of_tls = |fact| if cfg!(feature = "rustls") { fact } else { "this build has no TLS" };
    let proxy = of_tls("the proxy URL is invalid");
    for (client, fact) in [
        (Client::builder(LOOPBACK), "the API token is missing"),
        (builder("http://usea1.sentinelone.net"), "plain http"),
        (builder(HTTPS).proxy("::no proxy::"), proxy),
        (builder(HTTPS).proxy("user:secret@proxy:99999"), proxy),
        (builder(HTTPS).proxy("ftp://user:secret@proxy"), proxy),
        (builder(LOOPBACK).add_root_certificate("no certificate"), of_tls("contains no PEM certificate")),
        (builder(LOOPBACK).user_agent("line\nbreak"), "the user agent"),
    ] {
        let error = client.build().unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Configuration, Delivery::NotSent),
            "{error}"
        );
        assert!(error.to_string().contains(fact), "{error}");
        assert!(!format!("{error:?}").contains("secret"));
    }
}
