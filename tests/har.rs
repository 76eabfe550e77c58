//! HAR files as browsers and proxies write them.

#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::io::Read;
use std::ops::ControlFlow;

use sentinelone::contract::FindingKind;
use sentinelone::contract::fixture::ProvenanceKind;
use sentinelone::contract::har::{Entry, FileKind, HarError, Summary, kind_of, read};
use serde_json::{Value, json};

const URL: &str = "https://console.example.com/web/api/v2.1/";

fn all(text: impl AsRef<[u8]>) -> Result<(Vec<Entry>, Summary), HarError> {
    let mut entries = Vec::new();
    let summary = read(text.as_ref(), |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    })?;
    Ok((entries, summary))
}

fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": { "name": "x" }, "entries": entries } }).to_string()
}

/// The exchange of one entry.
fn one(request: Value, response: Value) -> (Entry, Summary) {
    let (mut entries, summary) = all(har(&[json!({ "request": request, "response": response })])).unwrap();
    (entries.remove(0), summary)
}

#[test]
fn an_entry_becomes_an_exchange() {
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
            // {"data": {"affected": 1}}, on two lines.
            "content": { "encoding": "base64", "text": "eyJkYXRhIjogeyJhZmZl\nY3RlZCI6IDF9fQ==", "mimeType": "a/b" },
        }),
    );
    let exchange = &entry.exchange;
    assert_eq!(exchange.operation, "POST /web/api/v2.1/threats/incident");
    let query: Vec<_> =
        exchange.request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(query, [("a", "x y z"), ("b", "ä")]);
    assert_eq!(exchange.request.body, Some(body));
    assert_eq!(exchange.response, Some(json!({ "data": { "affected": 1 } })));
    assert_eq!(exchange.headers.len(), 1);
    assert_eq!(exchange.provenance.kind, ProvenanceKind::Recorded);
    let found: Vec<_> = entry.check().into_iter().map(|finding| (finding.kind, finding.place)).collect();
    let expected = ["a", "b"].map(|name| (FindingKind::UndeclaredParameter, format!("request.query.{name}")));
    assert_eq!(found, expected);
    assert_eq!((summary.exchanges, summary.skipped, summary.findings.len()), (1, 0, 0));
}

#[test]
fn what_the_file_does_not_have_is_not_held_against_the_console() {
    let get = || json!({ "method": "GET", "url": format!("{URL}system/status") });
    // Chrome leaves a body out when its memory is full.
    let (entry, _) =
        one(get(), json!({ "status": 200, "content": { "size": 1234, "mimeType": "application/json" } }));
    assert!(!entry.has_answer);
    assert_eq!(entry.check(), []);
    let (entry, _) = one(get(), json!({ "status": 200, "content": { "size": 0 } }));
    assert!(entry.has_answer);
    assert_eq!(entry.check()[0].kind, FindingKind::NotJson, "an empty body is one");
    assert_eq!(entry.check()[0].operation(), Some("system_get_status"));
}

#[test]
fn entries_are_told_apart() {
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
    let Summary { exchanges, skipped, unanswered, unreadable, .. } = summary;
    assert_eq!((exchanges, skipped, unanswered, unreadable), (1, 3, 2, 2));
}

/// What is odd about one entry hides no other, and what is about others may be of any form.
#[test]
fn odd_entries_hide_no_others() {
    let broken = r#"{ "request": { "method": "GET", "url": "https://console.example.com/web/api/v2.1/system/status" },
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
        let har = format!(r#"{{ "log": {{ "entries": [{odd}, {broken}] }} }}"#);
        let mut found = Vec::new();
        let summary = read(har.as_bytes(), |entry| {
            found.extend(entry.check().into_iter().map(|finding| (finding.kind, finding.place)));
            ControlFlow::Continue(())
        });
        assert_eq!(found, [(FindingKind::WrongType, "answer.data.health".to_owned())], "{odd:.100}");
        let summary = summary.unwrap();
        assert_eq!((summary.skipped + summary.unreadable, summary.exchanges), (1, 1), "{odd:.100}");
    }
}

/// What the exporter left out, or cannot be read, is not held against the console.
#[test]
fn a_body_that_is_not_in_the_file_is_not_missing() {
    let post = |data: Value| {
        let url = format!("{URL}threats/incident");
        let request = json!({ "method": "POST", "url": url, "bodySize": 500, "postData": data });
        one(request, json!({ "status": 200, "content": {} })).0.check()
    };
    assert!(post(json!({ "mimeType": "application/json" })).is_empty());
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzYW1wbGUifQ.c2lnbmF0dXJlLW9mLXRoZS10ZXN0";
    let form = post(json!({ "text": format!("a=b&token={token}") }));
    let kinds: Vec<FindingKind> = form.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::Secret, FindingKind::NotJson], "{form:?}");

    let url = format!("{URL}system/status");
    let content = json!({ "text": "@@@@", "encoding": "base64" });
    let request = json!({ "method": "GET", "url": url });
    let answer = one(request, json!({ "status": 200, "content": content })).0.check();
    assert_eq!(answer.len(), 1, "{answer:?}");
    assert!(answer[0].message.contains("base64"));

    let url = format!("{URL}threats?{token}=1&{token}=2");
    let twice = one(json!({ "method": "GET", "url": url }), json!({ "status": 200 })).0.check();
    assert!(!format!("{twice:?}").contains(token), "{twice:?}");
}

#[test]
fn a_parameter_that_is_repeated_is_found() {
    let url = format!("{URL}threats?ids=1&ids=2&ids=3");
    let (entry, _) = one(json!({ "method": "GET", "url": url }), json!({ "status": 200 }));
    assert_eq!(entry.exchange.request.query["ids"], "1,2,3");
    let found = entry.check();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].kind, found[0].place.as_str()),
        (FindingKind::RepeatedParameter, "request.query.ids")
    );
    assert_eq!(found[0].operation(), Some("threats_list"));
}

/// Wherever a token is, it is found and nothing of what is kept or told has it.
#[test]
fn secrets_are_found_and_gone() {
    let secret = "s3cret-of-somebody";
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
    let places: Vec<&str> = summary.findings.iter().map(|finding| finding.place.as_str()).collect();
    let expected = [
        "answer.headers.Set-Cookie",
        "answer.headers.content-type",
        "request.headers.Authorization",
        "request.headers.Cookie",
        "request.headers.X-CSRF-Token",
        "request.headers.x-trace",
    ];
    assert_eq!(places, expected);
    assert!(summary.findings.iter().all(|finding| finding.kind == FindingKind::Secret));
    assert!(summary.findings[0].message.ends_with("2 entries have it"));
    let told = format!("{entries:?}{summary:?}{:?}", entries[0].check());
    assert!(!told.contains(secret) && !told.contains("eyJ"), "{told}");

    // What was taken out before, as some browsers do, is none.
    let covered = json!({
        "request": { "method": "GET", "url": format!("{URL}threats"),
                     "headers": [{ "name": "Authorization", "value": "[secret]" }, { "name": "Cookie", "value": "" }] },
        "response": { "status": 200 },
    });
    assert_eq!(all(har(&[covered])).unwrap().1.findings, []);
}

/// A password that breaks a rule is not quoted by the finding about the rule.
#[test]
fn what_stands_in_the_place_of_a_secret_is_not_quoted() {
    let body = json!({ "data": { "password": 7, "files": ["x"] } });
    let text = |body: &Value| {
        let (entry, _) = one(
            json!({ "method": "POST", "url": format!("{URL}agents/1/actions/fetch-files"),
                    "postData": { "text": body.to_string() } }),
            json!({ "status": 200, "content": { "text": "{\"data\": {\"success\": true}}" } }),
        );
        entry.check().iter().map(|finding| format!("{finding}\n")).collect::<String>()
    };
    assert!(text(&body).contains("wrong type"), "{}", text(&body));
    let short = json!({ "data": { "password": "hunter2", "files": [] } });
    let found = text(&short);
    assert!(found.contains("request.body.data.password") && !found.contains("hunter2"), "{found}");
}

#[test]
fn what_is_no_har_is_an_error_that_quotes_nothing() {
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
    assert!(matches!(read(broken.chain(Broken), |_| ControlFlow::Continue(())), Err(HarError::Io(_))));
}

trait ChainExt {
    fn chain(&self, next: impl Read) -> impl Read;
}

impl ChainExt for Vec<u8> {
    fn chain(&self, next: impl Read) -> impl Read {
        Read::chain(self.as_slice(), next)
    }
}

/// A disk that fails.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("broken"))
    }
}

#[test]
fn reading_ends_when_it_is_asked_to() {
    let entry = json!({ "request": { "method": "GET", "url": format!("{URL}threats") }, "response": { "status": 200 } });
    let mut seen = 0;
    let text = har(&[entry.clone(), entry.clone(), entry]);
    let summary = read(text.as_bytes(), |_| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((seen, summary.unwrap().exchanges), (2, 2));
}

#[test]
fn files_are_told_apart_by_the_names_at_their_top() {
    for (text, kind) in [
        (r#"{ "log": { never read"#, FileKind::Har),
        (r#"{ "comment": [1], "log": {} }"#, FileKind::Har),
        ("\u{feff}{ \"operation\": \"GET /\" }", FileKind::Exchange),
        (r#"{ "name": { "log": 1 } }"#, FileKind::Other),
        ("[]", FileKind::Other),
        ("7", FileKind::Other),
    ] {
        assert_eq!(kind_of(text.as_bytes()).unwrap(), kind, "{text}");
    }
    for text in ["", "{", "{]", "PK\u{3}\u{4}"] {
        assert!(matches!(kind_of(text.as_bytes()), Err(HarError::Format { .. })), "{text}");
    }
}

/// A file that breaks off tells what it held until then.
#[test]
fn a_file_that_breaks_off_hides_no_secret() {
    let headers = json!([{ "name": "Authorization", "value": "ApiToken of-the-test" }]);
    let request = json!({ "method": "GET", "url": format!("{URL}system/status"), "headers": headers });
    let whole = har(&[json!({ "request": request, "response": { "status": 200 } })]);
    let cut = whole.strip_suffix("]}}").unwrap_or(&whole).to_owned() + ", {";
    let Err(HarError::Format { until, .. }) = all(cut) else { panic!("it breaks off") };
    assert_eq!((until.exchanges, until.findings.len()), (1, 1), "{until:?}");
    assert_eq!(until.findings[0].place, "request.headers.Authorization");
    assert!(!format!("{until:?}").contains("of-the-test"));
}
