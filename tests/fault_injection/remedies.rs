//! Remedies of errors: they follow the status, the words of the console, and what the client knows.

use std::collections::BTreeMap;

use sentinelone::commands::registry;
use sentinelone::raw::OPERATIONS;
use sentinelone::raw::agents::DOWNLOAD;
use sentinelone::raw::users::ELEVATE_SESSION;
use sentinelone::threats::ThreatCloudFile;
use sentinelone::{ApiToken, ApiVersion, Client, Delivery, Error, ErrorKind, RetryPolicy, Timestamp};
use serde_json::{Value, json};

use crate::TOKEN;
use crate::clock::VirtualClock;
use crate::files::link_to;
use crate::matrix::cases;
use crate::retry::{action_success, builder, empty_page, send_action, send_read};
use crate::server::{Server, response};

const FORBIDDEN: &str = "403 Forbidden";
const UNAUTHORIZED: &str = "401 Unauthorized";

fn client(server: &Server) -> Client {
    builder(server, &VirtualClock::auto()).retry_policy(RetryPolicy::disabled()).build().unwrap()
}

fn refusal(status: &str, title: &str, detail: Option<&str>) -> Vec<u8> {
    let errors = json!([{ "code": 4030010, "title": title, "detail": detail }]);
    response(status, &[("Content-Type", "application/json")], json!({ "errors": errors }).to_string())
}

async fn error_of(response: Vec<u8>) -> Error {
    send_read(&client(&Server::scripted([response]).await)).await.unwrap_err()
}

#[tokio::test]
async fn forbidden_remedy_follows_the_detail() {
    let words = ["license", "feature", "single scope", "support", "verification code", "role", "token"];
    for (detail, expected) in [
        ("The scope of 4711 has no Ranger", &["license", "feature"][..]),
        ("Feature 'ranger' isn't available here", &["license", "feature"]),
        ("Not for multi-scope users", &["single scope", "token"]),
        ("Switched off. Contact support.", &["support"]),
        ("Protected action: 2FA required", &["verification code", "token"]),
        ("User lacks the permission Threats.view", &["role", "token"]),
    ] {
        let error = error_of(refusal(FORBIDDEN, "Insufficient permissions", Some(detail))).await;
        let help = error.help().unwrap_or_default();
        let found: Vec<_> = words.into_iter().filter(|word| help.contains(word)).collect();
        assert_eq!(found, expected, "{detail}: {help}");
        assert!(error.to_string().contains(detail), "{error}");
        assert_eq!(error.api_errors()[0].detail.as_deref(), Some(detail));
    }
    // A reason without any known word does not become a matter of the role.
    for detail in ["Cette fonction est absente de ce contrat", "Der Bereich umfasst das nicht"] {
        let help = error_of(refusal(FORBIDDEN, "Insufficient permissions", Some(detail)))
            .await
            .help()
            .unwrap_or_default();
        assert!(help.contains("license") && help.contains("permissions") && !help.contains("role"), "{help}");
    }
    let vague = error_of(refusal(FORBIDDEN, "License required", Some("See the documentation"))).await;
    assert!(vague.help().unwrap_or_default().contains("includes the feature"), "{vague}");
    // Without a detail, the title or the body has the reason.
    let titled = error_of(refusal(FORBIDDEN, "License required", None)).await;
    assert!(titled.help().unwrap_or_default().contains("license"), "{titled}");
    let plain = error_of(response(FORBIDDEN, &[], "Feature disabled on this site")).await;
    assert!(plain.help().unwrap_or_default().contains("license"), "{plain}");
}

/// Returns a client for each version of the API. Building a client takes longer than most calls.
fn clients(server: &Server, clock: &VirtualClock, retry: RetryPolicy) -> BTreeMap<ApiVersion, Client> {
    let client = |version| builder(server, clock).retry_policy(retry).api_version(version).build().unwrap();
    ApiVersion::ALL.iter().map(|version| (*version, client(*version))).collect()
}

#[tokio::test]
async fn forbidden_remedy_has_documented_permission() {
    let server = Server::scripted([refusal(FORBIDDEN, "Insufficient permissions", None)]).await;
    let clients = clients(&server, &VirtualClock::auto(), RetryPolicy::disabled());
    for case in cases() {
        let error = clients[&case.version].send(&case.request).await.unwrap_err();
        let (help, operation) = (error.help().unwrap_or_default(), case.operation);
        let required = operation.permissions.required.iter().chain(&operation.access);
        let some =
            operation.permissions.optional.iter().filter(|_| operation.permissions.required.is_empty());
        let expected: Vec<&&str> = required.chain(some).collect();
        assert!(expected.iter().all(|expected| help.contains(**expected)), "{}: {help}", operation.id);
        assert!(!expected.is_empty() || help.contains("role"), "{}: {help}", operation.id);
    }
}

#[tokio::test]
async fn unauthorized_after_success_keeps_the_token() {
    let server = Server::scripted([
        refusal(UNAUTHORIZED, "Authentication Failed", None),
        empty_page(),
        refusal(UNAUTHORIZED, "Authentication Failed", None),
    ])
    .await;
    let client = client(&server);
    let first = send_read(&client).await.unwrap_err();
    assert!(first.help().unwrap_or_default().starts_with("create a new token"), "{first}");
    assert!(first.help().unwrap_or_default().contains("another console"), "{first}");
    send_read(&client).await.unwrap();
    assert!(
        first.help().unwrap_or_default().starts_with("keep the token"),
        "it is printed after the success: {first}"
    );
    // Clones share what the client knows.
    let later = send_action(&client.clone()).await.unwrap_err();
    assert!(later.help().unwrap_or_default().starts_with("keep the token"), "{later}");
    assert!(!later.help().unwrap_or_default().contains("new token"), "{later}");
}

#[tokio::test]
async fn unauthorized_after_public_operation_asks_for_a_token() {
    let ok = response("200 OK", &[], r#"{"data":{"health":"ok"}}"#);
    let server = Server::scripted([ok, refusal(UNAUTHORIZED, "Authentication Failed", None)]).await;
    let client = client(&server);
    let _ = client.system().status().await.unwrap();
    let error = send_read(&client).await.unwrap_err();
    assert!(error.help().unwrap_or_default().starts_with("create a new token"), "{error}");
}

#[tokio::test]
async fn unauthorized_after_success_of_same_operation_asks_for_a_token() {
    let rejected = || refusal(UNAUTHORIZED, "Authentication Failed", None);
    let server = Server::scripted([empty_page(), rejected(), rejected()]).await;
    let client = client(&server);
    send_read(&client).await.unwrap();
    for error in [send_read(&client).await.unwrap_err(), send_action(&client).await.unwrap_err()] {
        assert!(
            error.help().unwrap_or_default().starts_with("create a new token"),
            "the token was revoked: {error}"
        );
    }
}

#[tokio::test]
async fn unauthorized_remedy_follows_the_detail() {
    for (detail, wants_token) in [
        ("Not available to service users", false),
        ("User has no permission for this page", false),
        ("Requests from this IP address are not allowed", false),
        ("Invalid token", true),
        ("Authentication credentials were not provided", true),
        ("You are not authorized to do this", true),
        ("Denied", true),
    ] {
        let help =
            error_of(refusal(UNAUTHORIZED, "Unauthorized", Some(detail))).await.help().unwrap_or_default();
        assert_eq!(help.contains("new token"), wants_token, "{detail}: {help}");
    }
}

#[tokio::test]
async fn rejected_verification_code_is_to_be_checked() {
    let case = cases().into_iter().find(|case| case.operation == &ELEVATE_SESSION).unwrap();
    for (status, detail) in [
        ("400 Bad Request", Some("Invalid verification code")),
        (UNAUTHORIZED, None),
        (UNAUTHORIZED, Some("2FA code is wrong")),
        (FORBIDDEN, Some("Protected action: invalid code")),
    ] {
        let server = Server::scripted([refusal(status, "Failed", detail)]).await;
        let help = client(&server).send(&case.request).await.unwrap_err().help().unwrap_or_default();
        assert!(help.starts_with("check the verification code"), "{status} {detail:?}: {help}");
        assert!(!help.contains("elevate"), "{help}");
    }
}

#[tokio::test]
async fn excerpt_of_text_in_place_of_a_file_has_no_token() {
    let case = cases().into_iter().find(|case| case.operation == &DOWNLOAD).unwrap();
    let request = case.request.with_response_type();
    // The excerpt ends at each position of the token.
    for length in (200 - TOKEN.len()..200).step_by(5) {
        let body = format!("{} {TOKEN}", "x".repeat(length));
        for kind in ["application/json", "application/octet-stream"] {
            let server = Server::scripted([response("200 OK", &[("Content-Type", kind)], &body)]).await;
            let error = match client(&server).download(&request).await {
                Err(error) => error,
                Ok(mut download) => loop {
                    match download.chunk().await {
                        Ok(chunk) => assert!(chunk.is_some()),
                        Err(error) => break error,
                    }
                },
            };
            let text = error.to_string();
            assert!(text.contains("xxx") && !text.contains(&TOKEN[..8]), "{kind} {length}: {text}");
        }
    }
}

#[tokio::test]
async fn unauthorized_with_expired_token_reports_expiry() {
    // Claims with the expiry time 2026-11-21T11:54:59Z; the virtual clock starts at 12:00.
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ0ZXN0IiwiZXhwIjoxNzk1MjYyMDk5fQ.c2ln";
    let server = Server::scripted([empty_page(), refusal(UNAUTHORIZED, "Authentication Failed", None)]).await;
    let token = ApiToken::new(token).unwrap();
    let clock = VirtualClock::auto();
    let warnings = token.warnings(&Timestamp::from("2026-11-21T12:00:00Z"));
    assert!(warnings[0].to_string().contains("expired at 2026-11-21T11:54:59Z"), "{warnings:?}");
    let client = builder(&server, &clock).token(token).retry_policy(RetryPolicy::disabled()).build().unwrap();
    send_read(&client).await.expect("an expired token is sent");
    let error = send_read(&client).await.unwrap_err();
    assert!(error.help().unwrap_or_default().contains("expired at 2026-11-21T11:54:59Z"), "{error}");
}

#[tokio::test]
async fn unimplemented_operation_is_not_worth_a_retry() {
    let server = Server::scripted([response("501 Not Implemented", &[], "")]).await;
    let client = builder(&server, &VirtualClock::auto()).build().unwrap();
    for error in [send_read(&client).await.unwrap_err(), send_action(&client).await.unwrap_err()] {
        assert!(error.help().unwrap_or_default().contains("does not support the operation"), "{error}");
        assert!(!error.help().unwrap_or_default().contains("later") && !error.is_temporary(), "{error}");
        assert_eq!(error.attempts(), 1);
    }
}

#[tokio::test]
async fn html_page_is_named_with_its_title() {
    let page = |kind: &str, body: &str| response("200 OK", &[("Content-Type", kind)], body);
    let declared = |body: &str| page("text/html; charset=utf-8", body);
    for (bytes, title) in [
        (declared("<html><head><title>Sign in</title></head></html>"), Some("Sign in")),
        (
            page("application/json", "\u{feff} <!-- x --><!DOCTYPE HTML><TITLE>A &amp; B</TITLE>"),
            Some("A & B"),
        ),
        (page("text/plain", "<HTML><title>Gate\u{1b}[2J</title>"), Some("Gate [2J")),
        (declared("Please sign in"), None),
    ] {
        let server = Server::scripted([bytes]).await;
        let client = builder(&server, &VirtualClock::auto()).build().unwrap();
        for (error, is_action) in
            [(send_read(&client).await.unwrap_err(), false), (send_action(&client).await.unwrap_err(), true)]
        {
            let text = error.to_string();
            assert!(error.is_html_page() && error.kind() == ErrorKind::Decode, "{text}");
            assert!(text.contains("HTML page") && !text.contains('\u{1b}'), "{text}");
            assert!(title.is_none_or(|title| text.contains(&format!("\"{title}\""))), "{text}");
            assert!(
                error.help().unwrap_or_default().contains("address")
                    && error.help().unwrap_or_default().contains("proxy"),
                "{text}"
            );
            assert_eq!(
                error.help().unwrap_or_default().contains("may have taken effect"),
                is_action,
                "{text}"
            );
            assert!(error.may_have_taken_effect() && !error.is_temporary(), "{text}");
            assert_eq!(error.attempts(), 1);
        }
    }
    let blocked =
        error_of(response(FORBIDDEN, &[], "<html><title>Access denied by the gateway</title>")).await;
    assert!(blocked.to_string().contains("\"Access denied by the gateway\""), "{blocked}");
    assert!(
        blocked.help().unwrap_or_default().contains("proxy")
            && !blocked.help().unwrap_or_default().contains("role"),
        "{blocked}"
    );
    let json = error_of(page("text/html", r#"{"data":7}"#)).await;
    assert!(!json.is_html_page(), "{json}");
}

#[tokio::test]
async fn html_page_in_place_of_a_file_is_named_with_its_title() {
    let page = "<html><title>Sign in</title></html>";
    let server = Server::scripted([response("200 OK", &[("Content-Type", "text/html")], page)]).await;
    let request = cases().into_iter().find(|case| case.operation == &DOWNLOAD).unwrap().request;
    let error = client(&server).download(&request.with_response_type()).await.unwrap_err();
    assert!(error.to_string().contains("HTML page with the title \"Sign in\""), "{error}");
    assert!(error.help().unwrap_or_default().contains("address") && error.is_html_page(), "{error}");
}

#[tokio::test]
async fn approval_remedy_names_the_field_that_requests_it() {
    let server = Server::scripted([refusal(FORBIDDEN, "No", Some("The run needs an approval"))]).await;
    let clients = clients(&server, &VirtualClock::auto(), RetryPolicy::disabled());
    for case in cases() {
        let error = clients[&case.version].send(&case.request).await.unwrap_err();
        let is_script = case.operation.id == "remote_scripts_execute";
        assert!(error.help().unwrap_or_default().contains("approv"), "{error}");
        assert_eq!(error.help().unwrap_or_default().contains("--requires-approval"), is_script, "{error}");
    }
}

#[tokio::test]
async fn html_title_has_no_token() {
    let references: String = TOKEN.chars().map(|c| format!("&#{};", c as u32)).collect();
    for quoted in [TOKEN.to_owned(), references, format!("{}{TOKEN}", "x".repeat(90))] {
        let body = format!("<html><title>{quoted}</title></html>");
        for status in ["200 OK", FORBIDDEN] {
            let text = format!("{:?}", error_of(response(status, &[], &body)).await);
            assert!(text.contains("HTML page") && !text.contains(&TOKEN[..8]), "{text}");
        }
    }
}

#[tokio::test]
async fn redirect_names_its_target_without_secrets() {
    let path = "/sso/start?RelayState=4711-secret#4711-secret";
    for (location, target) in [
        (format!("https://user:4711-secret@login.example.com{path}"), "https://login.example.com/sso/start"),
        (path.to_owned(), "/sso/start"),
        (format!("https://login.example.com/{TOKEN}"), "https://login.example.com/…"),
    ] {
        let error = error_of(response("302 Found", &[("Location", &location)], "moved")).await;
        for text in [error.to_string(), error.help().unwrap_or_default()] {
            assert!(text.contains(&format!("to {target}")), "{text}");
            assert!(!text.contains("4711-secret") && !text.contains(TOKEN), "{text}");
        }
        assert!(error.help().unwrap_or_default().contains("address"), "{error}");
    }
}

/// Requests a link with a signature on a server with this response.
async fn link_error(query: &str, status: &str, body: &str) -> Error {
    let server = Server::scripted([response(status, &[("Content-Type", "application/xml")], body)]).await;
    let url = format!("{}/results/1?{query}", server.url());
    client(&server).download_link(&link_to(&url)).await.unwrap_err()
}

#[tokio::test]
async fn expired_link_asks_for_a_new_one() {
    let xml = |code: &str, message: &str, more: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
        )
    };
    let (signature, valid) =
        ("X-Amz-Signature=0a1b2c3d4e5f", "X-Amz-Date=20261121T120000Z&X-Amz-Expires=300");
    let past = "X-Amz-Date=20261121T110000Z&X-Amz-Expires=300";
    let echo = "<SignatureProvided>0a1b2c3d4e5f</SignatureProvided>";
    for (query, status, body, has_expired) in [
        (valid, FORBIDDEN, xml("AccessDenied", "Request has expired", ""), true),
        (valid, "400 Bad Request", xml("ExpiredToken", "The token of 0a1b2c3d4e5f", ""), true),
        (past, FORBIDDEN, xml("AccessDenied", "Access denied", ""), true),
        (valid, FORBIDDEN, xml("SignatureDoesNotMatch", "Another key", echo), false),
        (valid, "404 Not Found", xml("NoSuchKey", "No such key", ""), false),
    ] {
        let error = link_error(&format!("{query}&{signature}"), status, &body).await;
        let text = format!("{error} {:?}", error.body());
        assert_eq!(text.contains("link to the file has expired"), has_expired, "{text}");
        assert!(error.help().unwrap_or_default().contains("get-remote-script-task-results"), "{text}");
        assert!(
            !text.contains("0a1b2c3d4e5f") && !error.help().unwrap_or_default().contains("role"),
            "{text}"
        );
        let code = body.split("<Code>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
        assert!(error.to_string().contains(code), "{text}");
    }
    // Servers other than object stores.
    for (status, body, has_expired) in [
        (FORBIDDEN, r#"{"message":"URL expired"}"#, true),
        (UNAUTHORIZED, r#"{"error":"invalid_token","error_description":"The link has expired"}"#, true),
        ("410 Gone", "Download expired", true),
        (FORBIDDEN, "<html><title>Forbidden</title><p>This link has expired</p></html>", true),
        (FORBIDDEN, r#"{"message":"Blocked"}"#, false),
        ("404 Not Found", "expired or never there", false),
    ] {
        let error = link_error(&format!("{valid}&{signature}"), status, body).await.to_string();
        assert_eq!(error.contains("link to the file has expired"), has_expired, "{body}: {error}");
    }
    // With status 200, the content shows that the file is missing.
    for (body, kind) in [
        ("<html><title>Request expired</title></html>".to_owned(), ErrorKind::NoResult),
        (xml("AccessDenied", "Request expired", ""), ErrorKind::Archive),
        (r#"{"message":"Request expired"}"#.to_owned(), ErrorKind::Archive),
    ] {
        let response = response("200 OK", &[("Content-Type", "application/zip")], &body);
        let server = Server::scripted([response]).await;
        let url = format!("{}/results/1.zip", server.url());
        let mut download = client(&server).download_link(&link_to(&url)).await.unwrap();
        let error = loop {
            match download.chunk().await {
                Ok(chunk) => assert!(chunk.is_some(), "{body}"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("Request expired"), "{error}");
        assert!(
            error
                .help()
                .unwrap_or_default()
                .contains("again with remote_scripts_fetch_results (s1 get-remote-script-task-results)"),
            "{error}"
        );
    }
    let failed = link_error(valid, "500 Internal Server Error", "").await;
    assert!(failed.help().unwrap_or_default().contains("retry later"), "{failed}");
}

#[tokio::test]
async fn link_without_https_reports_not_sent() {
    let server = Server::scripted([action_success()]).await;
    let client = client(&server);
    for url in ["http://files.example.com/1", "ftp://files.example.com/1", "no url"] {
        let error = client.download_link(&link_to(url)).await.unwrap_err();
        let facts = (error.kind(), error.delivery(), error.may_have_taken_effect(), error.attempts());
        assert_eq!(facts, (ErrorKind::NoResult, Delivery::NotSent, false, 0), "{url}");
    }
    let without_url = ThreatCloudFile::default();
    let error = client.download_link(&without_url).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::NoResult, Delivery::NotSent));
    assert_eq!(error.operation(), Some("threats_get_cloud_download"));
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn unresolved_host_without_domain_is_not_retried() {
    // No name below `invalid` exists.
    for (url, attempts, words) in [
        ("https://invalid", 1, "https://invalid.sentinelone.net"),
        ("https://console.invalid", 3, "DNS server"),
    ] {
        let client = Client::builder(url)
            .token(ApiToken::new(TOKEN).unwrap())
            .retry_policy(RetryPolicy::default().max_attempts(3))
            .clock(VirtualClock::auto())
            .no_proxy()
            .build()
            .unwrap();
        let error = send_read(&client).await.unwrap_err();
        let facts = (error.kind(), error.delivery(), error.attempts());
        assert_eq!(facts, (ErrorKind::Connect, Delivery::NotSent, attempts), "{error}");
        assert!(error.help().unwrap_or_default().contains(words), "{error}");
    }
}

/// Returns whether status 409 of an operation means that a query is running: all of Deep Visibility, except for
/// canceling a query.
fn waits_for_queries(id: &str) -> bool {
    id.starts_with("deep_visibility_") && id != "deep_visibility_cancel_query"
}

#[tokio::test]
async fn conflict_is_retried_only_while_a_query_runs() {
    let conflict = || refusal("409 Conflict", "Conflict", Some("Query 4711 is running"));
    let command_of = |id: &str| {
        registry().iter().find(|entry| entry.info.operations.first() == Some(&id)).unwrap().info.name
    };
    let (server, clock) = (Server::scripted([conflict()]).await, VirtualClock::auto());
    let clients = clients(&server, &clock, RetryPolicy::default());
    for case in cases() {
        let id = case.operation.id;
        let (before, start, waits) = (server.requests().len(), clock.seconds(), clock.waits().len());
        let error = clients[&case.version].send(&case.request).await.unwrap_err();
        let (requests, seconds) = (server.requests().len() - before, clock.seconds() - start);
        assert_eq!((error.kind(), error.may_have_taken_effect()), (ErrorKind::Api, false), "{id}");
        assert_eq!(requests, error.attempts() as usize, "{id}");
        if waits_for_queries(id) {
            // Not limited by the number of attempts.
            assert!(requests > 5 && seconds > 90.0, "{id}: {error}");
            assert!(clock.waits()[waits..].iter().all(|wait| *wait >= 1.0), "{id}: {:?}", clock.waits());
            let is_power_query = id.contains("power_query");
            let kind = if is_power_query { "ping_power_query" } else { "get_query_status" };
            let status_command = command_of(&format!("deep_visibility_{kind}"));
            assert!(error.help().unwrap_or_default().contains(status_command), "{id}: {error}");
        } else {
            assert_eq!((requests, seconds), (1, 0.0), "{id}: {error}");
        }
    }
}

#[tokio::test]
async fn conflict_of_new_query_respects_rate_limit() {
    let conflict = || refusal("409 Conflict", "Conflict", Some("Another query is being processed"));
    let started = response("200 OK", &[], r#"{"data":{"queryId":"q7"}}"#);
    let server = Server::scripted([conflict(), conflict(), started]).await;
    let clock = VirtualClock::auto();
    let client = builder(&server, &clock).rate_limits(Default::default()).build().unwrap();
    let case = cases().into_iter().find(|case| case.operation.id == "deep_visibility_create_query").unwrap();
    let response = client.send(&case.request).await.unwrap();
    assert_eq!(response.json()["data"]["queryId"], "q7");
    assert_eq!(server.requests().len(), 3);
    assert!((120.0..180.0).contains(&clock.seconds()), "one query a minute: {}", clock.seconds());
}

#[tokio::test]
async fn conflict_with_running_query_is_retried_whatever_else_its_text_says() {
    let started = || response("200 OK", &[], r#"{"data":{"queryId":"q7"},"pagination":{"totalItems":0}}"#);
    for (id, details) in [
        (
            "deep_visibility_create_query",
            &[
                "Failed to start the query: your previous one runs",
                "The previous query has not expired",
                "Cancel the other query first",
            ][..],
        ),
        (
            "deep_visibility_list_events",
            &[
                "Failed to load the events: the query is still being processed",
                "The query is in progress; wait, or cancel it",
                "Query 4711 is running; its results expire in an hour",
            ],
        ),
    ] {
        for detail in details {
            let conflict = refusal("409 Conflict", "Conflict", Some(detail));
            let server = Server::scripted([conflict, started()]).await;
            let client = builder(&server, &VirtualClock::auto()).build().unwrap();
            let case = cases().into_iter().find(|case| case.operation.id == id).unwrap();
            assert!(client.send(&case.request).await.is_ok(), "{detail}");
            assert_eq!(server.requests().len(), 2, "{detail}");
        }
    }
}

#[tokio::test]
async fn conflict_of_canceled_query_is_not_retried() {
    for detail in
        ["The query was cancelled", "Query 4711: canceled", "The query failed", "The query has expired"]
    {
        let server = Server::scripted([refusal("409 Conflict", "Conflict", Some(detail))]).await;
        let client = builder(&server, &VirtualClock::auto()).build().unwrap();
        let case =
            cases().into_iter().find(|case| case.operation.id == "deep_visibility_list_events").unwrap();
        let error = client.send(&case.request).await.unwrap_err();
        assert_eq!((error.attempts(), server.requests().len()), (1, 1), "{error}");
    }
}

/// A response without a token does not show that the console accepts the token. The client knows the public operations
/// by their resource.
#[test]
fn public_operations_are_of_system() {
    let document: Value = serde_json::from_str(sentinelone::raw::OPENAPI).unwrap();
    let operations = document["paths"].as_object().unwrap().values().filter_map(Value::as_object);
    let public: Vec<_> = operations
        .flat_map(|operations| operations.values())
        .filter(|operation| operation.get("security") == Some(&json!([])))
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert!(!public.is_empty());
    let system = |id: &&str| OPERATIONS.iter().any(|one| one.id == *id && one.resource == "system");
    assert!(public.iter().all(system), "{public:?}");
}
