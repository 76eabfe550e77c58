//! Lists as streams, and their debug output.

use std::time::Duration;

use futures_util::future::FutureExt;
use futures_util::stream::{Stream, StreamExt, TryStreamExt};
use sentinelone::agents::{AgentFilter, AgentSortField, SortOrder};
use sentinelone::threats::{Threat, ThreatFilter};
use sentinelone::{ApiToken, Client, ErrorKind, Items, Pages, RateLimits, RetryPolicy};
use serde_json::json;
use wiremock::matchers::{any, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "eyJ-not-a-real-token";

fn client(server: &MockServer) -> Client {
    let client = Client::builder(server.uri()).token(ApiToken::new(TOKEN).unwrap());
    client.retry_policy(RetryPolicy::disabled()).rate_limits(RateLimits::disabled()).build().unwrap()
}

/// Returns a console whose list has the IDs 0 to 5 on three pages.
async fn three_pages() -> MockServer {
    let server = MockServer::start().await;
    let page = |from: u32, next: Option<&str>| {
        let items = [json!({ "id": from.to_string() }), json!({ "id": (from + 1).to_string() })];
        let pagination = json!({ "nextCursor": next, "totalItems": 6 });
        ResponseTemplate::new(200).set_body_json(json!({ "data": items, "pagination": pagination }))
    };
    Mock::given(query_param_is_missing("cursor")).respond_with(page(0, Some("a"))).mount(&server).await;
    Mock::given(query_param("cursor", "a")).respond_with(page(2, Some("b"))).mount(&server).await;
    Mock::given(query_param("cursor", "b")).respond_with(page(4, None)).mount(&server).await;
    server
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

fn items(server: &MockServer) -> Items<Threat> {
    client(server).threats().list().items()
}

fn pages(server: &MockServer) -> Pages<Threat> {
    client(server).threats().list().pages()
}

fn ids(threats: Vec<Threat>) -> Vec<String> {
    threats.into_iter().map(|threat| threat.id.unwrap()).collect()
}

#[tokio::test]
async fn items_stream_has_all_items_in_order() {
    let server = three_pages().await;
    let all = ["0", "1", "2", "3", "4", "5"];
    assert_eq!(ids(items(&server).try_collect::<Vec<_>>().await.unwrap()), all);
    assert_eq!(ids(items(&server).prefetch().try_collect::<Vec<_>>().await.unwrap()), all);
    let found: Vec<_> = StreamExt::collect(items(&server)).await;
    assert_eq!(found.len(), 6);
    assert_eq!(items(&server).limit(3).count().await, 3);
}

#[tokio::test]
async fn items_stream_requests_only_the_pages_it_needs() {
    let server = three_pages().await;
    let mut stream = items(&server);
    assert_eq!(requests(&server).await, 0);
    let first: Vec<_> = stream.by_ref().take(2).try_collect().await.unwrap();
    assert_eq!((ids(first), requests(&server).await), (vec!["0".to_owned(), "1".to_owned()], 1));
    // The inherent method continues where the stream stopped, and the reverse.
    assert_eq!(stream.next().await.unwrap().unwrap().id.as_deref(), Some("2"));
    assert_eq!(StreamExt::next(&mut stream).await.unwrap().unwrap().id.as_deref(), Some("3"));
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn pages_stream_has_all_pages() {
    let server = three_pages().await;
    let sizes = |pages: Vec<sentinelone::Response<sentinelone::Page<Threat>>>| {
        pages.iter().map(|page| page.data.len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(pages(&server).try_collect().await.unwrap()), [2, 2, 2]);
    assert_eq!(sizes(pages(&server).limit(3).prefetch().try_collect().await.unwrap()), [2, 1]);
    let parallel = client(&server).agents().list().concurrency(4);
    let agents: usize = parallel.map(|page| page.unwrap().data.len()).collect::<Vec<_>>().await.iter().sum();
    assert_eq!(agents, 6);
    let parallel = client(&server).agents().list().concurrency(4).items();
    assert_eq!(parallel.try_collect::<Vec<_>>().await.unwrap().len(), 6);
}

/// A page that a dropped future waited for is not requested again.
#[tokio::test]
async fn stream_page_arrives_while_it_is_not_polled() {
    let server = three_pages().await;
    let mut stream = pages(&server);
    assert!(StreamExt::next(&mut stream).now_or_never().is_none());
    while requests(&server).await == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(stream.next().await.unwrap().unwrap().data.len(), 2);
    assert_eq!(StreamExt::next(&mut stream).await.unwrap().unwrap().data.len(), 2);
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn stream_error_ends_the_list() {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(any()).respond_with(response).mount(&server).await;
    let client = client(&server).with_timeout(Duration::from_millis(50));
    let mut stream = client.threats().list().items();
    let error = StreamExt::next(&mut stream).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(StreamExt::next(&mut stream).await.is_none());
    assert_eq!(requests(&server).await, 1, "a page that was not requested in advance is requested once");

    let invalid = ThreatFilter::default().ids(Vec::<String>::new());
    let list: Vec<_> = StreamExt::collect(client.threats().list().filter(invalid).pages()).await;
    assert_eq!(
        list.iter().map(|page| page.as_ref().unwrap_err().kind()).collect::<Vec<_>>(),
        [ErrorKind::InvalidRequest]
    );
}

#[tokio::test]
async fn stream_outside_of_a_runtime_is_an_error() {
    let server = three_pages().await;
    let mut stream = pages(&server);
    let first = std::thread::spawn(move || StreamExt::next(&mut stream).now_or_never());
    let error = first.join().unwrap().unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn list_debug_output_has_settings_and_no_values() {
    fn is_stream(_: &(impl Stream + Unpin + Send)) {}
    let server = three_pages().await;
    let agents = client(&server).agents().list().filter(AgentFilter::default().computer_name("web-secret"));
    let sorted = agents.clone().sort_by(AgentSortField::Id, SortOrder::Asc);
    let (pages, parallel) = (sorted.pages().limit(7).page_size(5), agents.concurrency(3));
    let (items, parallel_items) = (sorted.items().prefetch(), agents.concurrency(3).items());
    is_stream(&pages);
    is_stream(&parallel);
    is_stream(&items);
    is_stream(&parallel_items);
    let text = format!("{pages:?} {parallel:?} {items:?} {parallel_items:?}");
    for expected in
        ["agents_list", "limit: Some(7)", "page_size: Some(5)", "concurrency: 3", "prefetch: true"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for secret in [TOKEN, "web-secret"] {
        assert!(!text.contains(secret), "{text}");
    }
    let invalid = client(&server).threats().notes("secret/\u{7}").pages();
    assert!(!format!("{invalid:?}").contains("secret"), "{invalid:?}");
}
