//! Requests as the Python SDK of SentinelOne and published integrations send them, as raw HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

/// A client that writes requests to a socket.
struct RawClient {
    address: String,
    _sandbox: Sandbox,
}

impl RawClient {
    async fn start() -> Self {
        let sandbox = Console::start().await.sandbox;
        Self { address: sandbox.url().replace("http://", ""), _sandbox: sandbox }
    }

    /// Sends a request with these header lines and returns the status, the header lines and the body.
    async fn send(&self, method: &str, target: &str, headers: &[&str], body: &str) -> (u16, String, Value) {
        let mut request =
            format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        if !body.is_empty() {
            let length = body.len();
            request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        let address = self.address.clone();
        let response = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).unwrap();
            response
        });
        let response = response.await.unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), serde_json::from_str(body).unwrap())
    }
}

#[tokio::test]
async fn authorization_scheme_ignores_case_and_spaces() {
    let client = RawClient::start().await;
    let cases = [
        ("ApiToken sandbox-token", 200),
        ("APIToken sandbox-token", 200),
        ("apitoken sandbox-token", 200),
        ("APITOKEN    sandbox-token", 200),
        ("ApiToken\tsandbox-token ", 200),
        ("ApiToken", 401),
        ("ApiTokensandbox-token", 401),
        ("ApiToken Sandbox-Token", 401),
        ("ApiToken sandbox-token2", 401),
        ("ApiToken sandbox- token", 401),
        ("Token sandbox-token", 401),
    ];
    for (value, expected) in cases {
        let header = format!("Authorization: {value}");
        let (status, head, _) = client.send("GET", "/web/api/v2.1/sites?limit=1", &[&header], "").await;
        assert_eq!(status, expected, "{value:?}");
        assert_eq!(head.contains("www-authenticate: apitoken"), expected == 401, "{head}");
    }
}

/// The rows are forms that clients in production send, not forms of the specification.
#[tokio::test]
async fn vendor_sdk_requests_are_accepted() {
    let (agent, other) = ("440000000000000002", "440000000000000003");
    let threat = id(7);
    let filter = json!({ "ids": [agent] });
    let with_empty_data = json!({ "filter": filter, "data": {} }).to_string();
    let threat_filter = json!({ "ids": [threat] });
    let action = |name: &str| format!("/web/api/v2.1/agents/actions/{name}");
    // Method, target, body, and a part of the response with its value.
    let rows: Vec<(&str, String, String, &str, Value)> = vec![
        ("GET", "/web/api/v2.1/system/status".into(), String::new(), "/data/health", json!("ok")),
        // Python writes booleans as `True` and `False`.
        (
            "GET",
            "/web/api/v2.1/agents?isActive=True&infected=False&countOnly=False".into(),
            String::new(),
            "/pagination/totalItems",
            json!(1),
        ),
        (
            "GET",
            "/web/api/v2.1/threats?resolved=False&limit=100&skipCount=True".into(),
            String::new(),
            "/data/0/threatInfo/incidentStatus",
            json!("unresolved"),
        ),
        // A list as a repeated key.
        (
            "GET",
            format!("/web/api/v2.1/agents?ids={agent}&ids={other}"),
            String::new(),
            "/pagination/totalItems",
            json!(2),
        ),
        (
            "GET",
            "/web/api/v2.1/threats?incidentStatuses=unresolved&incidentStatuses=in_progress&limit=1".into(),
            String::new(),
            "/pagination/totalItems",
            json!(8),
        ),
        // A repeated key whose values are booleans.
        (
            "GET",
            format!("/web/api/v2.1/agents?ids={agent}&isDecommissioned=False&isDecommissioned=True"),
            String::new(),
            "/pagination/totalItems",
            json!(1),
        ),
        // Null where the document declares it is not a condition.
        (
            "PUT",
            "/web/api/v2.1/groups/430000000000000002/move-agents".into(),
            json!({ "filter": { "ids": [agent], "agentIds": null } }).to_string(),
            "/data/agentsMoved",
            json!(1),
        ),
        // A list without items is not a condition, in a field without a counterpart in the example data as well.
        (
            "POST",
            action("initiate-scan"),
            json!({ "filter": { "ids": [agent], "cloudProvider": [] } }).to_string(),
            "/data/affected",
            json!(1),
        ),
        // A list as comma-separated text in a body.
        (
            "POST",
            "/web/api/v2.1/threats/analyst-verdict".into(),
            json!({ "filter": { "ids": format!("{},{}", id(4), id(5)) }, "data": { "analystVerdict": "undefined" } })
                .to_string(),
            "/data/details/1/result",
            json!("already_set"),
        ),
        // Without options, the SDK sends an empty object as `data`.
        ("POST", action("disconnect"), with_empty_data.clone(), "/data/affected", json!(1)),
        ("POST", action("connect"), with_empty_data.clone(), "/data/affected", json!(1)),
        ("POST", action("abort-scan"), with_empty_data.clone(), "/data/affected", json!(1)),
        ("POST", action("initiate-scan"), with_empty_data.clone(), "/data/affected", json!(1)),
        (
            "POST",
            "/web/api/v2.1/threats/mitigate/kill".into(),
            json!({ "filter": threat_filter, "data": {} }).to_string(),
            "/data/affected",
            json!(1),
        ),
        // A boolean as text in a body.
        (
            "POST",
            "/web/api/v2.1/threats/notes".into(),
            json!({ "filter": { "ids": [threat], "tenant": "true" }, "data": { "text": "Checked" } }).to_string(),
            "/data/affected",
            json!(1),
        ),
        // An empty object, null or a line break as the body of a request that has none.
        ("GET", format!("/web/api/v2.1/agents?ids={agent}"), "{}".into(), "/pagination/totalItems", json!(1)),
        ("GET", format!("/web/api/v2.1/agents?ids={agent}"), "null".into(), "/pagination/totalItems", json!(1)),
        ("GET", format!("/web/api/v2.1/agents?ids={agent}"), "\r\n".into(), "/pagination/totalItems", json!(1)),
        (
            "POST",
            "/web/api/v2.1/sites/420000000000000002/expire-now".into(),
            "{}".into(),
            "/data/id",
            json!("420000000000000002"),
        ),
        (
            "DELETE",
            "/web/api/v2.1/groups/430000000000000004".into(),
            "{}".into(),
            "/data/success",
            json!(true),
        ),
        ("POST", action("shutdown"), with_empty_data.clone(), "/data/affected", json!(1)),
        ("POST", action("uninstall"), with_empty_data, "/data/affected", json!(1)),
    ];
    let client = RawClient::start().await;
    let header = format!("Authorization: APIToken {}", Sandbox::TOKEN);
    let mut failures = Vec::new();
    for (method, target, body, pointer, expected) in rows {
        let (status, _, response) = client.send(method, &target, &[&header, "Accept: */*"], &body).await;
        if (status, response.pointer(pointer)) != (200, Some(&expected)) {
            failures.push(format!("{method} {target} {body}: {status} {response:.300}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
