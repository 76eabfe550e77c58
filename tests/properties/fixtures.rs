//! Validation and round trips of fixtures. The fixtures in `fixtures/` must conform and decode without losses. The
//! exchanges of the directory in `S1_EXTRA_FIXTURES` must decode if the client has their operations.

use std::collections::{BTreeMap, BTreeSet};

use sentinelone::raw::runtime::{Binary, ResponseFormat};
use sentinelone::raw::{OPERATIONS, reencode_request_body, reencode_response};
use sentinelone::{ApiToken, Client, Delivery, ErrorKind, RateLimits, RetryPolicy};
use sentinelone_contract::fixture::{Exchange, ProvenanceKind, read_dir};
use sentinelone_contract::{Contract, ContractRule, round_trip_losses};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::support::{fixtures, is_curated, request_of};

/// Returns the round-trip losses of the response and the request.
fn losses(id: &str, exchange: &Exchange) -> Vec<String> {
    let mut losses = Vec::new();
    if let Some(body) = exchange.response.as_ref().filter(|_| exchange.status < 300) {
        let reencoded = reencode_response(id, body.to_string().as_bytes());
        match reencoded.unwrap_or_else(|| panic!("{id} has no JSON response")) {
            Ok(reencoded) => losses.extend(
                round_trip_losses(body, &reencoded).iter().map(|loss| format!("response.body.{loss}")),
            ),
            Err(error) => losses.push(format!("response does not decode: {error}")),
        }
    }
    if let Some(body) = &exchange.request.body {
        let reencoded = reencode_request_body(id, body.to_string().as_bytes());
        match reencoded.unwrap_or_else(|| panic!("{id} has no request body")) {
            Ok(reencoded) => losses.extend(
                round_trip_losses(body, &reencoded).iter().map(|loss| format!("request.body.{loss}")),
            ),
            Err(error) => losses.push(format!("request body does not decode: {error}")),
        }
    }
    losses
}

#[test]
fn fixtures_conform_to_contract() {
    let contract = Contract::bundled();
    for (path, exchange) in fixtures() {
        let file = path.display();
        assert_ne!(
            exchange.provenance.kind,
            ProvenanceKind::Published,
            "{file}: published payloads are not fixtures"
        );
        assert!(!exchange.provenance.source.is_empty(), "{file}: the source is missing");
        let found = exchange.match_operation(contract).unwrap_or_else(|| panic!("{file}: unknown operation"));
        let id = found.operation.id();
        let dir = path.parent().unwrap().file_name().unwrap();
        assert_eq!(dir, id, "{file}: the file is in the directory of another operation");

        let mut findings = exchange.check(contract).unwrap();
        // The vendor document declares 400 and 401 only; consoles and gateways return other status codes, too.
        if exchange.status >= 400 {
            findings.retain(|finding| finding.rule != ContractRule::UndeclaredStatus);
        }
        assert!(findings.is_empty(), "{file}: {findings:#?}");
        let losses = losses(id, &exchange);
        assert!(losses.is_empty(), "{file}: {losses:#?}");
    }
}

#[test]
fn operations_have_success_and_error_fixtures() {
    let dirs: BTreeSet<String> = fixtures()
        .iter()
        .map(|(path, _)| path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let operations: BTreeSet<String> = OPERATIONS.iter().map(|operation| operation.id.to_owned()).collect();
    assert_eq!(dirs, operations);
    let with_status = |matches: fn(u16) -> bool| -> BTreeSet<String> {
        let all = fixtures().into_iter().filter(|(_, exchange)| matches(exchange.status));
        all.map(|(_, exchange)| {
            exchange.match_operation(Contract::bundled()).unwrap().operation.id().to_owned()
        })
        .collect()
    };
    assert_eq!(with_status(|status| status < 300), operations);
    let curated = operations.into_iter().filter(|id| is_curated(id)).collect();
    let with_error = with_status(|status| status >= 400);
    assert!(with_error.is_superset(&curated), "{:?}", curated.difference(&with_error));
}

/// A response decodes with any field set to null or removed.
#[test]
fn responses_with_null_or_missing_fields_decode() {
    fn variants_of(value: &Value, variants: &mut Vec<Value>) {
        match value {
            Value::Object(map) => {
                for name in map.keys() {
                    let mut null = map.clone();
                    null[name] = Value::Null;
                    variants.push(Value::Object(null));
                    let mut missing = map.clone();
                    missing.remove(name);
                    variants.push(Value::Object(missing));
                    let mut inner = Vec::new();
                    variants_of(&map[name], &mut inner);
                    for value in inner {
                        let mut changed = map.clone();
                        changed[name] = value;
                        variants.push(Value::Object(changed));
                    }
                }
            }
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    let mut inner = vec![Value::Null];
                    variants_of(item, &mut inner);
                    for value in inner {
                        let mut changed = list.clone();
                        changed[index] = value;
                        variants.push(Value::Array(changed));
                    }
                }
            }
            _ => {}
        }
    }
    /// Keeps the first item of each array.
    fn first_items(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                map.iter().map(|(name, value)| (name.clone(), first_items(value))).collect()
            }
            Value::Array(list) => list.iter().take(1).map(first_items).collect(),
            other => other.clone(),
        }
    }
    let mut checked = 0;
    for (path, exchange) in fixtures() {
        let Some(body) = exchange.response.as_ref().filter(|_| exchange.status < 300) else { continue };
        // Of the generated fixtures, the full one has all fields, and its items are similar.
        let body = match exchange.provenance.kind {
            ProvenanceKind::Generated if path.ends_with("generated_full.json") => &first_items(body),
            ProvenanceKind::Generated => continue,
            _ => body,
        };
        let id = exchange.match_operation(Contract::bundled()).unwrap().operation.id().to_owned();
        if !is_curated(&id) {
            continue;
        }
        let mut variants = Vec::new();
        variants_of(body, &mut variants);
        for variant in variants {
            // A page requires `data` or `pagination`.
            let has = |name: &str, or_null: bool| {
                variant.get(name).is_some_and(|value| or_null || !value.is_null())
            };
            if !has("data", true) && !has("pagination", true) && !has("errors", false) {
                continue;
            }
            let reencoded = reencode_response(&id, variant.to_string().as_bytes()).unwrap();
            let reencoded =
                reencoded.unwrap_or_else(|error| panic!("{}: {error}: {variant}", path.display()));
            if let (Some(Value::Array(items)), Some(Value::Array(reencoded))) =
                (variant.get("data"), reencoded.get("data"))
            {
                assert_eq!(reencoded.len(), items.iter().filter(|item| !item.is_null()).count());
            }
            checked += 1;
        }
    }
    assert!(checked > 3000, "only {checked} variants");
}

/// A page with undeclared enum values and fields decodes, and the check reports them as drift.
#[test]
fn undeclared_values_decode_and_are_reported() {
    let body = serde_json::json!({
        "data": [{
            "id": "1",
            "threatInfo": { "sha1": "a", "incidentStatus": "escalated", "sortingHat": 3 },
            "agentRealtimeInfo": { "agentMachineType": null },
        }],
        "pagination": { "totalItems": 1, "nextCursor": null },
    });
    let body = body.to_string();
    let reencoded = reencode_response("threats_list", body.as_bytes()).unwrap().unwrap();
    assert_eq!(reencoded["data"][0]["threatInfo"]["incidentStatus"], "escalated");

    let contract = Contract::bundled();
    let findings = contract.check_response(contract.operation("threats_list").unwrap(), 200, body.as_bytes());
    let found: BTreeSet<(ContractRule, &str)> =
        findings.iter().map(|finding| (finding.rule, finding.location.as_str())).collect();
    let expected = [
        (ContractRule::UndeclaredEnumValue, "response.body.data[0].threatInfo.incidentStatus"),
        (ContractRule::UndeclaredField, "response.body.data[0].threatInfo.sortingHat"),
        (ContractRule::UndeclaredNull, "response.body.data[0].agentRealtimeInfo.agentMachineType"),
    ];
    assert_eq!(found, BTreeSet::from(expected));
    assert!(findings.iter().all(|finding| finding.rule.is_drift()));
}

/// The client sends each fixture request over HTTP as in the file. The response of the file is returned as a value or
/// as an error with status code, operation, body and API errors.
#[tokio::test]
async fn client_replays_fixtures() {
    let contract = Contract::bundled();
    let server = MockServer::start().await;
    // Clients are reused, since building one takes longer than a call.
    let mut clients = BTreeMap::new();
    for (path, exchange) in fixtures() {
        let found = exchange.match_operation(contract).unwrap();
        let id = found.operation.id();
        if !is_curated(id) {
            continue;
        }
        server.reset().await;
        let mut template = ResponseTemplate::new(exchange.status);
        template = match exchange.response_text {
            Some(_) => template.set_body_raw(exchange.response_bytes(), "text/html"),
            None => template.set_body_raw(exchange.response_bytes(), "application/json"),
        };
        for (name, value) in &exchange.headers {
            template = template.insert_header(name.as_str(), value.as_str());
        }
        Mock::given(any()).respond_with(template).expect(1).mount(&server).await;

        let version = found.version.unwrap_or_default();
        let client = clients.entry(version).or_insert_with(|| {
            Client::builder(server.uri())
                .token(ApiToken::new("token-of-the-test").unwrap())
                .api_version(version)
                .retry_policy(RetryPolicy::disabled())
                .rate_limits(RateLimits::disabled())
                .build()
                .unwrap()
        });
        let request = request_of(id, &exchange, &found.path_values);
        let result = match request.operation().response_format {
            ResponseFormat::Json => {
                client.send(&request).await.map(|response| (response.status(), response.body().clone()))
            }
            _ => {
                let response = client.send(&request.with_response_type::<Binary>()).await;
                response.map(|response| (response.status(), response.body().clone()))
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
        let is_bearer = found.operation.as_json()["security"] == json!([{ "Bearer": [] }]);
        let scheme = if is_bearer { "Bearer" } else { "ApiToken" };
        assert_eq!(received.headers["authorization"], format!("{scheme} token-of-the-test"));

        match result {
            Ok((status, body)) => {
                assert!(exchange.status < 300);
                assert_eq!(status.as_u16(), exchange.status);
                assert_eq!(body.as_ref(), exchange.response_bytes(), "the body is unchanged");
            }
            Err(error) => {
                assert!(exchange.status >= 400, "{}: {error}", path.display());
                assert_eq!(error.kind(), ErrorKind::Api);
                assert_eq!(error.delivery(), Delivery::Delivered);
                assert_eq!(error.operation(), Some(id));
                assert_eq!(error.status().unwrap().as_u16(), exchange.status);
                assert_eq!(error.body().unwrap().as_ref(), exchange.response_bytes());
                // The data lake has one error without a list.
                let count = |body: &Value| body["errors"].as_array().map_or(1, Vec::len);
                let api_errors = exchange.response.as_ref().map_or(0, count);
                assert_eq!(error.api_errors().len(), api_errors, "{}", path.display());
                if exchange.provenance.kind == ProvenanceKind::Generated {
                    // Generated errors are similar, so they have no snapshots.
                    let (text, body) = (error.to_string(), exchange.response.as_ref().unwrap());
                    let title = body["errors"][0]["title"].as_str().or(body["message"].as_str()).unwrap();
                    assert!(text.contains(id) && text.contains(title), "{}: {text}", path.display());
                    continue;
                }
                insta::assert_snapshot!(
                    format!("error_{}", path.file_stem().unwrap().to_string_lossy()),
                    error.report()
                );
            }
        }
    }
}

/// Published payloads of declared operations decode. Differences from the specification are printed and do not fail the
/// test.
#[test]
fn extra_fixtures_decode() {
    let Some(dir) = std::env::var_os("S1_EXTRA_FIXTURES") else {
        println!("S1_EXTRA_FIXTURES is not set: only the fixtures of the project were checked");
        return;
    };
    let contract = Contract::bundled();
    let (mut checked, mut unmatched) = (0, BTreeSet::new());
    for (path, exchange) in read_dir(dir).unwrap() {
        if exchange.placeholder_kind.as_deref() == Some("type-names") {
            continue;
        }
        let Some(found) = exchange.match_operation(contract) else {
            unmatched.insert(exchange.operation.clone());
            continue;
        };
        let id = found.operation.id();
        let name = path.file_name().unwrap().to_string_lossy();
        let findings = exchange.check(contract).unwrap_or_default();
        for finding in &findings {
            println!("{name}: {finding}");
        }
        let request_findings: Vec<_> =
            findings.iter().filter(|finding| finding.location.starts_with("request.")).collect();
        if let Some(body) = exchange.response.as_ref().filter(|_| exchange.status < 300) {
            // No source states the schema of some responses.
            let Some(reencoded) = reencode_response(id, body.to_string().as_bytes()) else { continue };
            let reencoded = match reencoded {
                Ok(reencoded) => reencoded,
                // The vendor document of the tier `documented` can contradict a console.
                Err(error) if !is_curated(id) => {
                    println!("{name}: {error}");
                    continue;
                }
                Err(error) => panic!("{name}: {error}"),
            };
            for loss in round_trip_losses(body, &reencoded) {
                println!("{name}: lost in the round trip: {loss}");
            }
        }
        // Published requests are often incomplete; those without findings must decode without losses.
        if let Some(body) = exchange.request.body.as_ref().filter(|_| request_findings.is_empty()) {
            let reencoded = reencode_request_body(id, body.to_string().as_bytes()).unwrap();
            let reencoded = reencoded.unwrap_or_else(|error| panic!("{name}: request: {error}"));
            let losses = round_trip_losses(body, &reencoded);
            assert!(losses.is_empty(), "{name}: {losses:?}");
        }
        checked += 1;
    }
    println!(
        "{checked} published exchanges checked; {} operations are not in the specification:",
        unmatched.len()
    );
    unmatched.iter().for_each(|operation| println!("  {operation}"));
    assert!(checked > 0, "the directory has no exchange of a declared operation");
}
