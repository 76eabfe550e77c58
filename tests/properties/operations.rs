//! Property tests of all operations, with values that their schemas allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use sentinelone::raw::runtime::{OperationKind, ResponseFormat};
use sentinelone::raw::{OPERATIONS, reencode_request_body, reencode_response, request_from_parts};
use sentinelone::{ApiToken, Client, Delivery, ErrorKind, RateLimits};
use sentinelone_contract::{Contract, OperationSpec, round_trip_losses};
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::documented_calls;
use super::schemas::SeededRng;
use super::valid::{Valid, findings, parts, response, wire};

/// Returns the operations with a JSON success response, with its status code and schema.
pub(crate) fn json_operations() -> impl Iterator<Item = (&'static OperationSpec, u16, &'static Value)> {
    let operations = Contract::bundled().operations();
    operations.filter_map(|operation| {
        let (status, schema) = operation.success_schema()?;
        Some((operation, status, schema))
    })
}

/// A client of an unreachable console. No request may be sent.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let token = ApiToken::new("token-of-the-test").unwrap();
    Client::builder("http://127.0.0.1:9").token(token).build().unwrap()
});

proptest! {
    // Each case tests all operations.
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Response types preserve all allowed values, and the contract check has no findings.
    #[test]
    fn valid_responses_round_trip(seed in 1..u64::MAX) {
        for (operation, status, schema) in json_operations() {
            let (id, response) = (operation.id(), response(operation, schema, &mut Valid::responses(seed)));
            let found = Contract::bundled().check_response(operation, status, response.to_string().as_bytes());
            prop_assert!(found.is_empty(), "{}: {:?} in {}", id, found, response);
            let encoded = reencode_response(id, response.to_string().as_bytes()).unwrap();
            let encoded = encoded.unwrap_or_else(|error| panic!("{id}: {error}: {response}"));
            prop_assert_eq!(round_trip_losses(&response, &encoded), [], "{}: lost from {}", id, response);
            prop_assert_eq!(round_trip_losses(&encoded, &response), [], "{}: added to {}", id, response);
            let reencoded = reencode_response(id, encoded.to_string().as_bytes()).unwrap().unwrap();
            prop_assert_eq!(reencoded, encoded, "{}", id);
        }
    }

    /// Request body types preserve all allowed values.
    #[test]
    fn valid_request_bodies_round_trip(seed in 1..u64::MAX) {
        let operations = Contract::bundled().operations();
        for (operation, schema) in operations.filter_map(|one| Some((one, one.body_schema()?))) {
            let (id, body) = (operation.id(), Valid::requests(seed).of(schema));
            let encoded = reencode_request_body(id, body.to_string().as_bytes()).unwrap();
            let encoded = encoded.unwrap_or_else(|error| panic!("{id}: {error}: {body}"));
            prop_assert_eq!(round_trip_losses(&body, &encoded), [], "{}: lost from {}", id, body);
            prop_assert_eq!(round_trip_losses(&encoded, &body), [], "{}: added to {}", id, body);
            let reencoded = reencode_request_body(id, encoded.to_string().as_bytes()).unwrap().unwrap();
            prop_assert_eq!(reencoded, encoded, "{}", id);
        }
    }

    /// Allowed request parts build a request with all values on the wire, and the contract check has no findings.
    #[test]
    fn valid_parts_build_conforming_requests(seed in 1..u64::MAX) {
        for operation in Contract::bundled().operations() {
            let id = operation.id();
            let parts = parts(operation, &mut Valid::requests(seed));
            let request = request_from_parts(id, &parts).unwrap_or_else(|error| panic!("{id}: {error}: {:?}", parts.body));
            let found = findings(operation, &parts, &request);
            prop_assert!(found.is_empty(), "{}: {:?}", id, found);
            let sent = json!({ "query": Contract::bundled().query_to_json(operation, &request.query()),
                "body": request.body() });
            let expected = json!({ "query": parts.query, "body": parts.body });
            prop_assert_eq!(round_trip_losses(&expected, &sent), [], "{}", id);
            prop_assert_eq!(round_trip_losses(&sent, &expected), [], "{}", id);
        }
    }

    /// The generated method of an operation builds the request of the raw client.
    #[test]
    fn generated_methods_build_requests_of_raw_client(seed in 1..u64::MAX) {
        for operation in Contract::bundled().operations() {
            let id = operation.id();
            let parts = parts(operation, &mut Valid::requests(seed));
            let built = documented_calls::request(&CLIENT, id, &parts);
            let is_documented = operation.x_s1()["tier"] == "documented";
            prop_assert_eq!(built.is_some(), is_documented, "{}", id);
            if let Some(built) = built {
                let expected = request_from_parts(id, &parts);
                prop_assert_eq!(built.map(|request| wire(&request)), expected.map(|request| wire(&request)), "{}", id);
            }
        }
    }
}

/// The tests cover all operations and all response formats.
#[test]
fn property_tests_cover_every_operation() {
    let operations: BTreeSet<&str> = Contract::bundled().operations().map(OperationSpec::id).collect();
    let typed: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    assert!(operations == typed, "{:?}", operations.symmetric_difference(&typed).collect::<Vec<_>>());
    let json: BTreeSet<&str> = json_operations().map(|(operation, ..)| operation.id()).collect();
    let typed = OPERATIONS.iter().filter(|one| one.response_format == ResponseFormat::Json);
    let typed: BTreeSet<&str> = typed.map(|operation| operation.id).collect();
    assert!(json == typed, "{:?}", json.symmetric_difference(&typed).collect::<Vec<_>>());
}

/// An action with a required filter is not sent if the filter is not selective.
#[tokio::test]
async fn action_with_unselective_filter_is_not_sent() {
    let mut rejected = BTreeMap::new();
    for operation in
        Contract::bundled().operations().filter(|operation| operation.kind() == OperationKind::Action)
    {
        let Some(schema) = operation.body_schema() else { continue };
        let properties = Contract::bundled().properties(schema);
        let is_filter = |filter: &&Value| Contract::bundled().type_of(filter) == Some("object");
        if properties.get("filter").copied().filter(is_filter).is_none() {
            continue;
        }
        let mut parts = parts(operation, &mut Valid::requests(7));
        parts.body.as_mut().unwrap()["filter"] = json!({});
        let request = request_from_parts(operation.id(), &parts).unwrap();
        let error = CLIENT.send(&request).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::InvalidRequest, Delivery::NotSent),
            "{error}"
        );
        assert!(error.to_string().contains(operation.id()), "{error}");
        rejected.insert(operation.id(), error);
    }
    assert!(rejected.len() >= 20, "{:?}", rejected.keys());
}

/// The invented response of each operation decodes.
#[test]
fn example_response_of_each_operation_decodes() {
    for (operation, status, _) in json_operations() {
        let Some(example) = Contract::bundled().example_response(operation, status) else { continue };
        let Some(decoded) = reencode_response(operation.id(), example.to_string().as_bytes()) else {
            continue;
        };
        assert!(decoded.is_ok(), "{}: {decoded:?}: {example}", operation.id());
    }
}

/// Returns the curated operations.
fn curated() -> impl Iterator<Item = &'static OperationSpec> {
    Contract::bundled().operations().filter(|operation| operation.x_s1()["tier"] == "curated")
}

/// `PUT` operations with data that do not replace an object, with the reason.
const NOT_REPLACING: &[(&str, &str)] = &[(
    "sites_reactivate",
    "the data is the new expiration, and no field of the site is replaced by omitting it",
)];

/// Adds an undeclared member to each object.
fn with_undeclared_members(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(with_undeclared_members);
            members.insert("addedLater".into(), json!(1));
        }
        Value::Array(items) => items.iter_mut().for_each(with_undeclared_members),
        _ => {}
    }
}

/// Each `PUT` that replaces an object has a method that keeps the fields which the caller does not change.
#[tokio::test]
async fn replacing_put_sends_present_value_of_unmentioned_fields() {
    let has_data = |operation: &&OperationSpec| {
        let data =
            operation.body_schema().and_then(|schema| Contract::bundled().properties(schema).remove("data"));
        operation.method() == "PUT" && data.is_some()
    };
    let puts: BTreeSet<&str> = curated().filter(has_data).map(OperationSpec::id).collect();
    let covered = NOT_REPLACING.iter().map(|(id, _)| *id).chain(["star_rules_update"]).collect();
    assert_eq!(puts, covered, "a new PUT needs a case here");

    let operation = curated().find(|one| one.id() == "star_rules_update").unwrap();
    let schema = Contract::bundled().properties(operation.body_schema().unwrap()).remove("data").unwrap();
    for seed in 0..25 {
        let mut values = Valid { rng: SeededRng(seed), omitted_per_included: Some(0), allow_nulls: false };
        let mut present = values.of(schema);
        present["id"] = json!("7");
        let mut rule = present.clone();
        with_undeclared_members(&mut rule);
        // Members inside of the settings are kept; those of the rule itself describe it.
        present = rule.clone();
        present.as_object_mut().unwrap().remove("addedLater");
        // A value of any type is kept as it is, but a number is sent as a string, which the console requires.
        present["queryLang"] = match &rule["queryLang"] {
            Value::Number(number) => format!("{number}.0").into(),
            other => other.clone(),
        };
        rule["scope"] = json!("account");
        rule["scopeId"] = json!(["41"]);
        let server = MockServer::start().await;
        let respond = |body: Value| ResponseTemplate::new(200).set_body_json(body);
        Mock::given(method("GET")).respond_with(respond(json!({ "data": [rule] }))).mount(&server).await;
        Mock::given(method("PUT")).respond_with(respond(json!({ "data": rule }))).mount(&server).await;
        let client = Client::builder(server.uri()).token(ApiToken::new("token-of-the-test").unwrap());
        let client = client.rate_limits(RateLimits::disabled()).build().unwrap();
        let changed = client.star_rules().change("7", |rule| rule.name = "renamed".to_owned()).await.unwrap();
        let stored: Vec<String> = changed.differences.iter().map(|one| one.setting.clone()).collect();
        assert_eq!(stored, ["name"], "the console returned the previous name");
        let requests = server.received_requests().await.unwrap();
        let put = requests.iter().find(|request| request.method.as_str() == "PUT").unwrap();
        let body: Value = serde_json::from_slice(&put.body).unwrap();
        present["name"] = json!("renamed");
        assert_eq!(body, json!({ "data": present, "filter": { "accountIds": ["41"] } }), "seed {seed}");
    }
}
