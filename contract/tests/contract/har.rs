//! HAR files as browsers and proxies write them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Read;
use std::ops::ControlFlow;

use sentinelone_contract::ContractRule;
use sentinelone_contract::fixture::ProvenanceKind;
use sentinelone_contract::har::{FileKind, HarEntry, HarError, HarSummary, detect_file_kind, read_entries};
use serde_json::{Value, json};

const URL: &str = "https://console.example.com/web/api/v2.1/";

fn all(text: impl AsRef<[u8]>) -> Result<(Vec<HarEntry>, HarSummary), HarError> {
    let mut entries = Vec::new();
    let summary = read_entries(text.as_ref(), |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    })?;
    Ok((entries, summary))
}

fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": { "name": "x" }, "entries": entries } }).to_string()
}

/// Reads a HAR file with one entry.
fn one(request: Value, response: Value) -> (HarEntry, HarSummary) {
    let (mut entries, summary) = all(har(&[json!({ "request": request, "response": response })])).unwrap();
    (entries.remove(0), summary)
}

#[test]
fn har_entry_converts_to_exchange() {
    let body = json!({ "filter": { "ids": ["1"] }, "data": { "incidentStatus": "resolved" } });
    let (entry, summary) = one(
        json!({
            "method": "post",
            "url": format!("{URL}threats/incident?a=x%20y+z&b=%C3%A4#top"),
            "postData": { "mimeType": "application/json", "text": body.to_string() },
        }),
        json!({
            "status": 200,
            "headers": [{ "name": "Content-Type", "value": "application/json" }, { "name": "x-rqid", "value": "7" }],
            // {"data": {"affected": 1}} as base64 on two lines.
            "content": { "encoding": "base64", "text": "eyJkYXRhIjogeyJhZmZl\nY3RlZCI6IDF9fQ==", "mimeType": "a/b" },
        }),
    );
    let exchange = entry.clone().into_exchange();
    assert_eq!(exchange.operation, "POST /web/api/v2.1/threats/incident");
    let query: Vec<_> =
        exchange.request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(query, [("a", "x y z"), ("b", "ä")]);
    assert_eq!(exchange.request.body, Some(body));
    assert_eq!(exchange.response, Some(json!({ "data": { "affected": 1 } })));
    assert_eq!(exchange.headers.len(), 1);
    assert_eq!(exchange.provenance.kind, ProvenanceKind::Recorded);
    let found: Vec<_> = entry.check().into_iter().map(|finding| (finding.rule, finding.location)).collect();
    let expected =
        ["a", "b"].map(|name| (ContractRule::UndeclaredParameter, format!("request.query.{name}")));
    assert_eq!(found, expected);
    assert_eq!((summary.exchanges, summary.skipped, summary.findings.len()), (1, 0, 0));
}

#[test]
fn har_omitted_body_yields_no_finding() {
    let get = || json!({ "method": "GET", "url": format!("{URL}system/status") });
    // Chrome omits a body if its buffer is full.
    let (entry, _) =
        one(get(), json!({ "status": 200, "content": { "size": 1234, "mimeType": "application/json" } }));
    assert!(!entry.has_response_body);
    assert_eq!(entry.check(), []);
    let (entry, _) = one(get(), json!({ "status": 200, "content": { "size": 0 } }));
    assert!(entry.has_response_body);
    assert_eq!(entry.check()[0].rule, ContractRule::InvalidJson, "an empty body is not an omitted one");
    assert_eq!(entry.check()[0].operation(), Some("system_get_status"));
}

#[test]
fn har_summary_counts_entries_by_kind() {
    let entry = |url: String, status: i64| json!({ "request": { "method": "GET", "url": url }, "response": { "status": status, "content": {} } });
    let (entries, summary) = all(har(&[
        entry("https://console.example.com/".into(), 200),
        entry("https://elsewhere.example.com/api/web/api/v2.1/threats".into(), 200),
        entry("data:text/plain,x".into(), 200),
        entry(format!("{URL}threats"), 0),
        entry(format!("{URL}threats"), -1),
        json!({ "request": {} }),
        json!(null),
        entry(format!("{URL}threats"), 204),
    ]))
    .unwrap();
    assert_eq!(entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [8]);
    let HarSummary { exchanges, skipped, without_response, unreadable, .. } = summary;
    assert_eq!((exchanges, skipped, without_response, unreadable), (1, 3, 2, 2));
}

/// A malformed entry does not affect the others. The format of entries of other hosts does not matter.
#[test]
fn har_malformed_entry_does_not_affect_others() {
    let valid = r#"{ "request": { "method": "GET", "url": "https://console.example.com/web/api/v2.1/system/status" },
        "response": { "status": 200.0, "headers": null, "content": { "text": "{\"data\": {\"health\": 7}}" } } }"#;
    let deep = "[".repeat(2000) + &"]".repeat(2000);
    let first = [
        format!(
            r#"{{ "_initiator": {deep}, "request": {{ "method": "GET", "url": "https://ads.example.com/x" }} }}"#
        ),
        r#"{ "request": { "method": "GET", "url": "https://ads.example.com/x" },
             "response": { "status": -1, "content": { "text": "\ud800" } } }"#
            .to_owned(),
        r#"{ "request": { "method": "GET", "url": "https://ads.example.com/x", "headers": null },
             "response": { "status": "none" } }"#
            .to_owned(),
    ];
    for odd in first {
        let har = format!(r#"{{ "log": {{ "entries": [{odd}, {valid}] }} }}"#);
        let mut found = Vec::new();
        let summary = read_entries(har.as_bytes(), |entry| {
            found.extend(entry.check().into_iter().map(|finding| (finding.rule, finding.location)));
            ControlFlow::Continue(())
        });
        assert_eq!(
            found,
            [(ContractRule::TypeMismatch, "response.body.data.health".to_owned())],
            "{odd:.100}"
        );
        let summary = summary.unwrap();
        assert_eq!((summary.skipped + summary.unreadable, summary.exchanges), (1, 1), "{odd:.100}");
    }
}

/// Bodies that the exporter omitted, or that are not readable, are not missing.
#[test]
fn har_omitted_request_body_yields_no_missing_field() {
    let post = |data: Value| {
        let url = format!("{URL}threats/incident");
        let request = json!({ "method": "POST", "url": url, "bodySize": 500, "postData": data });
        one(request, json!({ "status": 200, "content": {} })).0.check()
    };
    assert!(post(json!({ "mimeType": "application/json" })).is_empty());
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzYW1wbGUifQ.c2lnbmF0dXJlLW9mLXRoZS10ZXN0";
    let form = post(json!({ "text": format!("a=b&token={token}") }));
    let rules: Vec<ContractRule> = form.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, [ContractRule::UnredactedSecret, ContractRule::InvalidJson], "{form:?}");

    let url = format!("{URL}system/status");
    let content = json!({ "text": "@@@@", "encoding": "base64" });
    let request = json!({ "method": "GET", "url": url });
    let findings = one(request, json!({ "status": 200, "content": content })).0.check();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].message.contains("base64"));

    let url = format!("{URL}threats?{token}=1&{token}=2");
    let twice = one(json!({ "method": "GET", "url": url }), json!({ "status": 200 })).0.check();
    assert!(!format!("{twice:?}").contains(token), "{twice:?}");
}

/// A form has either a text or a list of parameters.
#[test]
fn har_form_and_headers_are_checked() {
    let entry = |data: Value, headers: Value| {
        let url = format!("{URL}filters/csv-filter");
        let request = json!({ "method": "POST", "url": url, "postData": data, "headers": headers });
        one(request, json!({ "status": 401, "content": {} })).0
    };
    let kind = "multipart/form-data; boundary=b";
    let part = |head: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    };
    let text = part("name=\"file\"; filename=\"a.csv\"", "x")
        + &part("name=\"agentFilterField\"", "uuid")
        + &part("name=\"excludeHeader\"", "true")
        + "--b--\r\n";
    let params = json!([
        { "name": "file", "fileName": "a.csv", "contentType": "text/csv" },
        { "name": "agentFilterField", "value": "uuid" },
        { "name": "excludeHeader", "value": "true" },
    ]);
    let body = json!({ "file": "a.csv", "agentFilterField": "uuid", "excludeHeader": true });
    for data in [json!({ "mimeType": kind, "text": text }), json!({ "mimeType": kind, "params": params })] {
        let entry = entry(data, json!([]));
        let request = |finding: &sentinelone_contract::Finding| finding.location.starts_with("request");
        assert!(!entry.check().iter().any(request), "{:?}", entry.check());
        assert_eq!(entry.into_exchange().request.body, Some(body.clone()));
    }
    let broken = entry(json!({ "mimeType": kind, "text": "a=b" }), json!([])).check();
    let found: Vec<_> = broken.iter().map(|finding| (finding.rule, finding.message.as_str())).collect();
    assert!(found.contains(&(ContractRule::InvalidJson, "the body is not a form")), "{found:?}");

    let poll = |headers: Value| {
        let url = "https://console.example.com/sdl/v2/api/queries/7?lastStepSeen=0";
        let request = json!({ "method": "GET", "url": url, "headers": headers });
        one(request, json!({ "status": 200, "content": { "text": "{}" } })).0
    };
    let tag = poll(json!([{ "name": "x-dataset-query-forward-tag", "value": "node-3" }]));
    assert_eq!(tag.check(), []);
    assert_eq!(tag.into_exchange().request.headers["X-Dataset-Query-Forward-Tag"], "node-3");
    let without = poll(json!([]));
    assert_eq!(without.check(), []);
    assert!(without.into_exchange().request.headers.is_empty());
}

#[test]
fn har_repeated_parameter_is_joined_and_reported() {
    for (query, value, rule, location) in [
        ("ids=1&ids=2&ids=3", "1,2,3", ContractRule::ToleratedForm, "request.query.ids"),
        (
            "countOnly=true&countOnly=true",
            "true,true",
            ContractRule::DuplicateParameter,
            "request.query.countOnly",
        ),
    ] {
        let url = format!("{URL}threats?{query}");
        let (entry, _) = one(json!({ "method": "GET", "url": url }), json!({ "status": 200 }));
        let name = location.strip_prefix("request.query.").unwrap();
        let found = entry.check();
        assert_eq!(entry.into_exchange().request.query[name], value);
        assert!(found.iter().any(|one| (one.rule, one.location.as_str()) == (rule, location)), "{found:?}");
        assert!(found.iter().all(|one| one.operation() == Some("threats_list")), "{found:?}");
    }
}

/// Secrets are reported at each location. Neither the exchanges nor the findings contain them.
#[test]
fn har_secrets_are_reported_and_removed() {
    let secret = "s3cret-of-the-test";
    let jwt = format!("eyJhbGciOiJF.eyJzdWIiOiJz.{secret}");
    let entry = |name: &str| {
        json!({
            "request": {
                "method": "POST",
                "url": format!("https://user:{secret}@console.example.com/web/api/v2.1/threats/incident"),
                "headers": [{ "name": name, "value": format!("ApiToken {secret}") },
                            { "name": "x-trace", "value": jwt }],
                "cookies": [{ "name": "sid", "value": secret }],
                "postData": { "text": format!("no json {secret}") },
            },
            "response": {
                "status": 200,
                "headers": [{ "name": "Set-Cookie", "value": format!("sid={secret}") },
                            { "name": "content-type", "value": jwt }, { "name": "retry-after", "value": secret }],
                "content": { "mimeType": jwt, "encoding": "base64", "text": format!("{secret}!") },
            },
        })
    };
    let (entries, summary) = all(har(&[entry("Authorization"), entry("X-CSRF-Token")])).unwrap();
    let locations: Vec<&str> = summary.findings.iter().map(|finding| finding.location.as_str()).collect();
    let expected = [
        "request.headers.Authorization",
        "request.headers.Cookie",
        "request.headers.X-CSRF-Token",
        "request.headers.x-trace",
        "response.headers.Set-Cookie",
        "response.headers.content-type",
    ];
    assert_eq!(locations, expected);
    assert!(summary.findings.iter().all(|finding| finding.rule == ContractRule::UnredactedSecret));
    let set_cookie =
        summary.findings.iter().find(|finding| finding.location.ends_with("Set-Cookie")).unwrap();
    assert!(set_cookie.message.ends_with("in 2 entries"));
    let output = format!("{entries:?}{summary:?}{:?}", entries[0].check());
    assert!(!output.contains(secret) && !output.contains("eyJ"), "{output}");

    // A redacted value, as some browsers export it, is not a secret.
    let redacted = json!({
        "request": { "method": "GET", "url": format!("{URL}threats"),
                     "headers": [{ "name": "Authorization", "value": "[secret]" }, { "name": "Cookie", "value": "" }] },
        "response": { "status": 200 },
    });
    assert_eq!(all(har(&[redacted])).unwrap().1.findings, []);
}

/// A finding at the location of a secret does not quote it, even if it is of another rule.
#[test]
fn check_finding_at_secret_does_not_quote_value() {
    let body = json!({ "data": { "password": 7, "files": ["x"] } });
    let findings = |body: &Value| {
        let (entry, _) = one(
            json!({ "method": "POST", "url": format!("{URL}agents/1/actions/fetch-files"),
                    "postData": { "text": body.to_string() } }),
            json!({ "status": 200, "content": { "text": "{\"data\": {\"success\": true}}" } }),
        );
        entry.check().iter().map(|finding| format!("{finding}\n")).collect::<String>()
    };
    assert!(findings(&body).contains("type mismatch"), "{}", findings(&body));
    let short = json!({ "data": { "password": "hunter2", "files": [] } });
    let found = findings(&short);
    assert!(found.contains("request.body.data.password") && !found.contains("hunter2"), "{found}");
}

#[test]
fn read_entries_invalid_har_error_quotes_nothing() {
    for text in [
        "",
        "{}",
        "[]",
        "s3cret",
        r#"{ "log": "s3cret" }"#,
        r#"{ "log": { "entries": "s3cret" } }"#,
        r#"{ "log": { "entries": [] } } s3cret"#,
        r#"{ "log": { "entries": [{"#,
    ] {
        let error = all(text).unwrap_err();
        assert!(
            matches!(error, HarError::Format { .. }) && !error.to_string().contains("s3cret"),
            "{text}: {error}"
        );
    }
    assert_eq!(all("\u{feff}{ \"x\": {}, \"log\": { \"entries\": [] } }").unwrap().0.len(), 0);
    let broken = "{ \"log\": { \"entries\": [".chars().map(|c| c as u8).collect::<Vec<_>>();
    assert!(matches!(
        read_entries(broken.chain(Broken), |_| ControlFlow::Continue(())),
        Err(HarError::Io(_))
    ));
}

trait ChainExt {
    fn chain(&self, next: impl Read) -> impl Read;
}

impl ChainExt for Vec<u8> {
    fn chain(&self, next: impl Read) -> impl Read {
        Read::chain(self.as_slice(), next)
    }
}

/// A reader that fails.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("broken"))
    }
}

#[test]
fn read_entries_break_stops_reading() {
    let entry = json!({ "request": { "method": "GET", "url": format!("{URL}threats") }, "response": { "status": 200 } });
    let mut count = 0;
    let text = har(&[entry.clone(), entry.clone(), entry]);
    let summary = read_entries(text.as_bytes(), |_| {
        count += 1;
        if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((count, summary.unwrap().exchanges), (2, 2));
}

#[test]
fn detect_file_kind_uses_top_level_members() {
    for (text, kind) in [
        (r#"{ "log": { never read"#, FileKind::Har),
        (r#"{ "comment": [1], "log": {} }"#, FileKind::Har),
        ("\u{feff}{ \"operation\": \"GET /\" }", FileKind::Exchange),
        (r#"{ "name": { "log": 1 } }"#, FileKind::Other),
        ("[]", FileKind::Other),
        ("7", FileKind::Other),
    ] {
        assert_eq!(detect_file_kind(text.as_bytes()).unwrap(), kind, "{text}");
    }
    for text in ["", "{", "{]", "PK\u{3}\u{4}"] {
        assert!(matches!(detect_file_kind(text.as_bytes()), Err(HarError::Format { .. })), "{text}");
    }
}

/// The error of a truncated file has the summary of the entries before.
#[test]
fn read_entries_truncated_file_error_has_summary() {
    let headers = json!([{ "name": "Authorization", "value": "ApiToken of-the-test" }]);
    let request = json!({ "method": "GET", "url": format!("{URL}system/status"), "headers": headers });
    let complete = har(&[json!({ "request": request, "response": { "status": 200 } })]);
    let truncated = complete.strip_suffix("]}}").unwrap_or(&complete).to_owned() + ", {";
    let Err(HarError::Format { summary, .. }) = all(truncated) else { panic!("the file is truncated") };
    assert_eq!((summary.exchanges, summary.findings.len()), (1, 1), "{summary:?}");
    assert_eq!(summary.findings[0].location, "request.headers.Authorization");
    assert!(!format!("{summary:?}").contains("of-the-test"));
}
