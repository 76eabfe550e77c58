//! Exchanges are held to the specification, decoded, encoded again and compared: those of `fixtures/`
//! strictly, those of the folder in `S1_EXTRA_FIXTURES` as far as the client has their operations.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use sentinelone::contract::fixture::{Exchange, ProvenanceKind, read_all};
use sentinelone::contract::{Contract, FindingKind, compare};
use sentinelone::raw::runtime::{AnswerForm, Binary};
use sentinelone::raw::{OPERATIONS, answer_again, body_again};
use sentinelone::{ApiToken, Client, ErrorKind, RateLimits, Retry, Sent};
use serde_json::Value;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use support::{fixtures, request_of};

/// What decoding and encoding again loses of an answer and of a request.
fn losses(id: &str, exchange: &Exchange) -> Vec<String> {
    let mut losses = Vec::new();
    if let Some(answer) = exchange.response.as_ref().filter(|_| exchange.status < 300) {
        let again = answer_again(id, answer.to_string().as_bytes());
        match again.unwrap_or_else(|| panic!("{id} has no JSON answer")) {
            Ok(again) => losses.extend(compare(answer, &again).iter().map(|loss| format!("answer.{loss}"))),
            Err(error) => losses.push(format!("answer does not decode {error}")),
        }
    }
    if let Some(body) = &exchange.request.body {
        let again = body_again(id, body.to_string().as_bytes());
        match again.unwrap_or_else(|| panic!("{id} has no body")) {
            Ok(again) => losses.extend(compare(body, &again).iter().map(|loss| format!("request.{loss}"))),
            Err(error) => losses.push(format!("request does not decode {error}")),
        }
    }
    losses
}

#[test]
fn fixtures_keep_the_contract() {
    let contract = Contract::bundled();
    for (path, exchange) in fixtures() {
        let place = path.display();
        assert_ne!(exchange.provenance.kind, ProvenanceKind::Published, "{place}: belongs elsewhere");
        assert!(!exchange.provenance.source.is_empty(), "{place}: says nothing about its source");
        let found = exchange.find(contract).unwrap_or_else(|| panic!("{place}: no such operation"));
        let id = found.operation.id();
        let folder = path.parent().unwrap().file_name().unwrap();
        assert_eq!(folder, id, "{place}: stands in the folder of another operation");

        let mut findings = exchange.check(contract).unwrap();
        // The vendor declares 400 and 401 only; consoles and what stands before them answer others too.
        if exchange.status >= 400 {
            findings.retain(|finding| finding.kind != FindingKind::UndeclaredStatus);
        }
        assert!(findings.is_empty(), "{place}: {findings:#?}");
        let losses = losses(id, &exchange);
        assert!(losses.is_empty(), "{place}: {losses:#?}");
    }
}

#[test]
fn every_operation_has_a_fixture() {
    let folders: BTreeSet<String> = fixtures()
        .iter()
        .map(|(path, _)| path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let operations: BTreeSet<String> = OPERATIONS.iter().map(|operation| operation.id.to_owned()).collect();
    assert_eq!(folders, operations);
    // Of each one that went well and one that did not.
    let of = |wanted: fn(u16) -> bool| -> BTreeSet<String> {
        let all = fixtures().into_iter().filter(|(_, exchange)| wanted(exchange.status));
        all.map(|(_, exchange)| exchange.find(Contract::bundled()).unwrap().operation.id().to_owned())
            .collect()
    };
    assert_eq!(of(|status| status < 300), operations);
    assert_eq!(of(|status| status >= 400), operations);
}

/// Nothing an answer may leave out or set to null keeps it from decoding.
#[test]
fn null_and_absence_anywhere_decode() {
    fn nulled(value: &Value, into: &mut Vec<Value>) {
        match value {
            Value::Object(map) => {
                for name in map.keys() {
                    let mut null = map.clone();
                    null[name] = Value::Null;
                    into.push(Value::Object(null));
                    let mut absent = map.clone();
                    absent.remove(name);
                    into.push(Value::Object(absent));
                    let mut inner = Vec::new();
                    nulled(&map[name], &mut inner);
                    for value in inner {
                        let mut changed = map.clone();
                        changed[name] = value;
                        into.push(Value::Object(changed));
                    }
                }
            }
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    let mut inner = vec![Value::Null];
                    nulled(item, &mut inner);
                    for value in inner {
                        let mut changed = list.clone();
                        changed[index] = value;
                        into.push(Value::Array(changed));
                    }
                }
            }
            _ => {}
        }
    }
    /// The first element of every list.
    fn thin(value: &Value) -> Value {
        match value {
            Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), thin(value))).collect(),
            Value::Array(list) => list.iter().take(1).map(thin).collect(),
            other => other.clone(),
        }
    }
    let mut tried = 0;
    for (path, exchange) in fixtures() {
        let Some(answer) = exchange.response.as_ref().filter(|_| exchange.status < 300) else { continue };
        // Of the generated ones the full one has what all of them have, and its things are alike.
        let answer = match exchange.provenance.kind {
            ProvenanceKind::Generated if path.ends_with("generated_full.json") => &thin(answer),
            ProvenanceKind::Generated => continue,
            _ => answer,
        };
        let id = exchange.find(Contract::bundled()).unwrap().operation.id().to_owned();
        let mut variants = Vec::new();
        nulled(answer, &mut variants);
        for variant in variants {
            // A page without data and pagination is no page; everything else is.
            let says = |name: &str, null_counts: bool| {
                variant.get(name).is_some_and(|value| null_counts || !value.is_null())
            };
            if !says("data", true) && !says("pagination", true) && !says("errors", false) {
                continue;
            }
            let again = answer_again(&id, variant.to_string().as_bytes()).unwrap();
            let again = again.unwrap_or_else(|error| panic!("{}: {error}: {variant}", path.display()));
            if let (Some(Value::Array(items)), Some(Value::Array(kept))) =
                (variant.get("data"), again.get("data"))
            {
                assert_eq!(kept.len(), items.iter().filter(|item| !item.is_null()).count());
            }
            tried += 1;
        }
    }
    assert!(tried > 3000, "only {tried} variants");
}

/// Values that are not in the enums and fields that nobody declared: a page decodes, and the check says
/// what is new.
#[test]
fn what_is_new_decodes_and_is_reported() {
    let answer = serde_json::json!({
        "data": [{
            "id": "1",
            "threatInfo": { "sha1": "a", "incidentStatus": "escalated", "sortingHat": 3 },
            "agentRealtimeInfo": { "agentMachineType": null },
        }],
        "pagination": { "totalItems": 1, "nextCursor": null },
    });
    let body = answer.to_string();
    let again = answer_again("threats_list", body.as_bytes()).unwrap().unwrap();
    assert_eq!(again["data"][0]["threatInfo"]["incidentStatus"], "escalated");

    let contract = Contract::bundled();
    let findings = contract.check_answer(contract.operation("threats_list").unwrap(), 200, body.as_bytes());
    let found: BTreeSet<(FindingKind, &str)> =
        findings.iter().map(|finding| (finding.kind, finding.place.as_str())).collect();
    let expected = [
        (FindingKind::UndeclaredEnumValue, "answer.data[0].threatInfo.incidentStatus"),
        (FindingKind::UndeclaredField, "answer.data[0].threatInfo.sortingHat"),
        (FindingKind::UndeclaredNull, "answer.data[0].agentRealtimeInfo.agentMachineType"),
    ];
    assert_eq!(found, BTreeSet::from(expected));
    assert!(findings.iter().all(|finding| finding.kind.is_drift()));
}

/// Every fixture goes through the real client over real HTTP: the request is the one in the file, and
/// the answer is what the file says, as a value or as an error that answers questions.
#[tokio::test]
async fn fixtures_replay_through_the_client() {
    let contract = Contract::bundled();
    let server = MockServer::start().await;
    // Building a client takes longer than a call.
    let mut clients = BTreeMap::new();
    for (path, exchange) in fixtures() {
        let found = exchange.find(contract).unwrap();
        let id = found.operation.id();
        server.reset().await;
        let mut answer = ResponseTemplate::new(exchange.status);
        answer = match exchange.response_text {
            Some(_) => answer.set_body_raw(exchange.answer(), "text/html"),
            None => answer.set_body_raw(exchange.answer(), "application/json"),
        };
        for (name, value) in &exchange.headers {
            answer = answer.insert_header(name.as_str(), value.as_str());
        }
        Mock::given(any()).respond_with(answer).expect(1).mount(&server).await;

        let version = found.version.unwrap_or_default();
        let client = clients.entry(version).or_insert_with(|| {
            Client::builder(server.uri())
                .token(ApiToken::new("token-of-the-test").unwrap())
                .api_version(version)
                .retry(Retry::off())
                .rate_limits(RateLimits::off())
                .build()
                .unwrap()
        });
        let request = request_of(id, &exchange, &found.path_values);
        let result = match request.operation().answer {
            AnswerForm::Json => {
                client.send(&request).await.map(|answer| (answer.status(), answer.body().clone()))
            }
            _ => {
                let answer = client.send(&request.answering::<Binary>()).await;
                answer.map(|answer| (answer.status(), answer.body().clone()))
            }
        };

        server.verify().await;
        let received = server.received_requests().await.unwrap().remove(0);
        assert_eq!(received.url.path(), exchange.path(), "{}", path.display());
        assert_eq!(received.method.as_str(), exchange.method());
        let mut query: Vec<(String, String)> = received.url.query_pairs().into_owned().collect();
        query.sort();
        assert_eq!(query, exchange.query(), "{}", path.display());
        let body: Option<Value> = serde_json::from_slice(&received.body).ok();
        assert_eq!(body, exchange.request.body, "{}", path.display());
        assert_eq!(received.headers["authorization"], "ApiToken token-of-the-test");

        match result {
            Ok((status, body)) => {
                assert!(exchange.status < 300);
                assert_eq!(status.as_u16(), exchange.status);
                assert_eq!(body.as_ref(), exchange.answer(), "the body is kept as it came");
            }
            Err(error) => {
                assert!(exchange.status >= 400, "{}: {error}", path.display());
                assert_eq!(error.kind(), ErrorKind::Api);
                assert_eq!(error.was_sent(), Sent::Yes);
                assert_eq!(error.operation(), Some(id));
                assert_eq!(error.status().unwrap().as_u16(), exchange.status);
                assert_eq!(error.body().unwrap().as_ref(), exchange.answer());
                let told =
                    exchange.response.as_ref().map_or(0, |body| body["errors"].as_array().unwrap().len());
                assert_eq!(error.vendor_errors().len(), told, "{}", path.display());
                if exchange.provenance.kind == ProvenanceKind::Generated {
                    // They are all alike, and say what there is to say.
                    let (text, body) = (error.to_string(), exchange.response.as_ref().unwrap());
                    let title = body["errors"][0]["title"].as_str().unwrap();
                    assert!(text.contains(id) && text.contains(title), "{}: {text}", path.display());
                    continue;
                }
                insta::assert_snapshot!(
                    format!("error_{}", path.file_stem().unwrap().to_string_lossy()),
                    error
                );
            }
        }
    }
}

/// Payloads that others published: whatever their publishers did to them, they decode. What they show
/// beyond the specification is printed and is no failure.
#[test]
fn extra_fixtures_decode() {
    let Some(folder) = std::env::var_os("S1_EXTRA_FIXTURES") else {
        println!("S1_EXTRA_FIXTURES is not set: only the fixtures of the project were checked");
        return;
    };
    let contract = Contract::bundled();
    let (mut checked, mut left) = (0, BTreeSet::new());
    for (path, exchange) in read_all(folder).unwrap() {
        if exchange.placeholder_kind.as_deref() == Some("type-names") {
            continue;
        }
        let Some(found) = exchange.find(contract) else {
            left.insert(exchange.operation.clone());
            continue;
        };
        let id = found.operation.id();
        let name = path.file_name().unwrap().to_string_lossy();
        let findings = exchange.check(contract).unwrap_or_default();
        for finding in &findings {
            println!("{name}: {finding}");
        }
        let broken_request: Vec<_> =
            findings.iter().filter(|finding| finding.place.starts_with("request.")).collect();
        if let Some(answer) = exchange.response.as_ref().filter(|_| exchange.status < 300) {
            let again = answer_again(id, answer.to_string().as_bytes()).unwrap();
            let again = again.unwrap_or_else(|error| panic!("{name}: {error}"));
            for loss in compare(answer, &again) {
                println!("{name}: not kept by the types: {loss}");
            }
        }
        // Publishers leave parts of requests out; what they show whole has to decode too.
        if let Some(body) = exchange.request.body.as_ref().filter(|_| broken_request.is_empty()) {
            let again = body_again(id, body.to_string().as_bytes()).unwrap();
            let again = again.unwrap_or_else(|error| panic!("{name}: request: {error}"));
            let lost = compare(body, &again);
            assert!(lost.is_empty(), "{name}: {lost:?}");
        }
        checked += 1;
    }
    println!("{checked} published exchanges checked; {} operations are not in the specification", left.len());
    assert!(checked > 0, "the folder holds no exchange of a known operation");
}
