//! Property tests of all operations, with values that their schemas allow and with values that they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use sentinelone::raw::runtime::{OperationKind, RequestParts, RequestPartsError, ResponseFormat};
use sentinelone::raw::{OPERATIONS, reencode_request_body, reencode_response, request_from_parts};
use sentinelone::{ApiToken, Client, Delivery, ErrorKind, RateLimits, Request, Tier};
use sentinelone_contract::{Contract, ContractRule, OperationSpec, round_trip_losses};
use serde_json::{Map, Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::documented_calls;
use super::points::{Point, is_nullable, points};
use super::schemas::{SeededRng, enum_values, keyword};
use super::values::{Values, sent};

/// Request members that the client does not validate: responses share their types, so their fields are optional, and
/// they are nested below the validated levels. The console validates them.
const UNCHECKED: &[&str] = &[
    "request.body.data.advancedDetectionParams",
    "request.body.data.coolOffSettings",
    "request.body.data.correlationParams",
    "request.body.data.scheduledParams",
];

/// Maximum depth of generated values, which exceeds the depth of all schemas.
const MAX_DEPTH: u32 = 12;

/// Generates values that the specification allows.
struct Valid {
    rng: SeededRng,
    /// Number of optional fields that are omitted for each included one.
    omitted_per_included: usize,
    /// Whether nullable values may be null.
    allow_nulls: bool,
}

impl Valid {
    fn responses(seed: u64) -> Self {
        Self { rng: SeededRng(seed), omitted_per_included: 1, allow_nulls: true }
    }

    fn requests(seed: u64) -> Self {
        Self { rng: SeededRng(seed), omitted_per_included: 7, allow_nulls: false }
    }

    fn of(&mut self, schema: &Value) -> Value {
        self.value(schema, MAX_DEPTH)
    }
}

impl Values for Valid {
    fn rng(&mut self) -> &mut SeededRng {
        &mut self.rng
    }

    fn string(&mut self, schema: &Value) -> String {
        if schema["x-s1"]["json"] == true {
            return json!({ "owner": [self.rng.pick(&["finance", "sales"])] }).to_string();
        }
        let bound = |key| keyword(schema, key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap());
        let (min, max) = (bound("minLength").unwrap_or(1).max(1), bound("maxLength").unwrap_or(usize::MAX));
        // A comma separates list items in a query.
        let alphabet: Vec<char> = "abcXYZ019 -_.:/\\%&=+?#\"'äß€😀".chars().collect();
        let length = (min + self.rng.below(9)).min(max);
        let inside: String = (0..length).map(|_| *self.rng.pick(&alphabet)).collect();
        // Blank strings and path segments of dots are rejected.
        format!("{}x", inside.chars().skip(1).collect::<String>())
    }

    fn replacement(&mut self, schema: &Value) -> Option<Value> {
        (self.allow_nulls && is_nullable(schema) && self.rng.below(4) == 0).then_some(Value::Null)
    }

    fn includes_optional(&mut self) -> bool {
        let omitted_per_included = self.omitted_per_included;
        self.rng.below(omitted_per_included + 1) == 0
    }

    fn unconstrained(&mut self) -> Value {
        self.rng.pick(&[json!("x"), json!(7), json!(true), json!({ "a": [null] })]).clone()
    }
}

/// Returns the curated operations. The values that the tests generate do not fit all schemas of the tier `documented`, which
/// have patterns and required members of nested objects.
fn curated() -> impl Iterator<Item = &'static OperationSpec> {
    Contract::bundled().operations().filter(|operation| operation.x_s1()["tier"] == "curated")
}

/// Returns the curated operations with a JSON success response, with its schema.
fn json_operations() -> impl Iterator<Item = (&'static OperationSpec, &'static Value)> {
    let operations = curated();
    operations.filter_map(|operation| Some((operation, operation.response_schema(200)?)))
}

/// Generates a response of an operation with non-null data.
fn response(schema: &Value, seed: u64) -> Value {
    let mut values = Valid::responses(seed);
    let mut response = values.of(schema);
    let contract = Contract::bundled();
    let properties = contract.properties(schema);
    while response["data"].is_null() {
        response["data"] = values.of(properties["data"]);
    }
    // The decoder recognizes a nested list by its siblings.
    if let Some(pagination) = properties.get("pagination") {
        while !response["pagination"].is_object() {
            response["pagination"] = values.of(pagination);
        }
    }
    if let Some(sites) = contract.properties(properties["data"]).get("sites") {
        while !response["data"]["sites"].is_array() {
            response["data"]["sites"] = values.of(sites);
        }
    }
    response
}

/// Returns the number of non-null items of a page, also of a nested list.
fn item_count(response: &Value) -> Option<usize> {
    let list = match &response["data"] {
        Value::Object(data) => data.get("sites")?.as_array()?,
        other => other.as_array()?,
    };
    Some(list.iter().filter(|item| !item.is_null()).count())
}

/// Generates request parts that the specification allows.
fn parts(operation: &OperationSpec, values: &mut Valid) -> RequestParts {
    let mut parts = RequestParts::default();
    for parameter in operation.parameters() {
        if parameter.is_in_path() {
            let Value::String(string) = values.of(&parameter.schema) else { panic!("{}", parameter.name) };
            parts.path_params.insert(parameter.name.clone(), string);
        } else if parameter.is_in_header() {
            if parameter.required || values.includes_optional() {
                parts.headers.insert(parameter.name.to_ascii_lowercase(), "a1-b2".to_owned());
            }
        } else if parameter.required || values.includes_optional() {
            let schema = with_x_s1(&parameter.schema, &parameter.x_s1);
            parts.query.insert(parameter.name.clone(), non_empty(values, &schema));
        }
    }
    parts.body = operation.body_schema().map(|schema| {
        let mut body = values.of(schema);
        fill(values, schema, &mut body);
        body
    });
    parts
}

/// Returns the schema of a parameter with its `x-s1`.
fn with_x_s1(schema: &Value, x_s1: &Value) -> Value {
    let mut schema = schema.clone();
    if !x_s1.is_null() {
        schema["x-s1"] = x_s1.clone();
    }
    schema
}

/// Generates a value that is not an empty list.
fn non_empty(values: &mut Valid, schema: &Value) -> Value {
    let mut value = values.of(schema);
    while value.as_array().is_some_and(Vec::is_empty) {
        value = values.of(schema);
    }
    value
}

/// Fills the empty lists of a body, which the client rejects.
fn fill(values: &mut Valid, schema: &Value, value: &mut Value) {
    let contract = Contract::bundled();
    match value {
        Value::Object(fields) => {
            let properties = contract.properties(schema);
            for (name, value) in fields {
                let Some(inner) = properties.get(name.as_str()).and_then(|property| sent(property)) else {
                    continue;
                };
                if value.as_array().is_some_and(Vec::is_empty) {
                    *value = non_empty(values, inner);
                }
                fill(values, inner, value);
            }
        }
        Value::Array(items) => {
            let inner = contract.items(schema).unwrap();
            items.iter_mut().for_each(|item| fill(values, inner, item));
        }
        _ => {}
    }
}

/// Returns URL and body as sent.
fn wire(request: &Request<Value>) -> (String, Option<String>) {
    let version = request.operation().versions[0];
    let mut url = url::Url::parse("https://console.example").unwrap();
    url.set_path(&request.path(version).unwrap());
    url.query_pairs_mut().extend_pairs(request.query());
    (url.to_string(), request.body().map(Value::to_string))
}

fn findings(
    operation: &OperationSpec,
    parts: &RequestParts,
    request: &Request<Value>,
) -> Vec<sentinelone_contract::Finding> {
    Contract::bundled().check_request(operation, &parts.path_params, &request.query(), request.body())
}

/// A client of an unreachable console. No request may be sent.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let token = ApiToken::new("token-of-the-test").unwrap();
    Client::builder("http://127.0.0.1:9").token(token).build().unwrap()
});

proptest! {
    // Each case tests all operations.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Response types preserve all allowed values, and the contract check has no findings.
    #[test]
    fn valid_responses_round_trip(seed in 1..u64::MAX) {
        for (operation, schema) in json_operations() {
            let (id, response) = (operation.id(), response(schema, seed));
            let found = Contract::bundled().check_response(operation, 200, response.to_string().as_bytes());
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
        let operations = curated();
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

    /// An undeclared field, enum value or null: the response decodes with all items, and the contract check
    /// reports the rule and the location.
    #[test]
    fn undeclared_values_decode_and_are_reported(seed in 1..u64::MAX) {
        let contract = Contract::bundled();
        let mut rng = SeededRng(seed);
        for (operation, schema) in json_operations() {
            let (id, before) = (operation.id(), response(schema, seed));
            let all = points(schema, &before, "response.body");
            let objects = |point: &&Point<'_>| {
                let declares = !contract.properties(point.schema).is_empty();
                declares && before.pointer(&point.pointer).unwrap().is_object()
            };
            let has_enum = |point: &&Point<'_>| !enum_values(point.schema).is_empty();
            let mut changes = Vec::new();
            let objects: Vec<_> = all.iter().filter(objects).collect();
            let enums: Vec<_> = all.iter().filter(has_enum).collect();
            // The envelope itself must not be null.
            let below: Vec<_> = all.iter().filter(|point| !point.pointer.is_empty()).collect();
            for _ in 0..4 {
                let (point, mut after) = (rng.pick(&objects), before.clone());
                after.pointer_mut(&point.pointer).unwrap()["moodOfTheDay"] = Valid::responses(seed).unconstrained();
                let expected = Some((ContractRule::UndeclaredField, format!("{}.moodOfTheDay", point.location)));
                changes.push((after, expected));
                if !enums.is_empty() {
                    let (point, mut after) = (rng.pick(&enums), before.clone());
                    *after.pointer_mut(&point.pointer).unwrap() = json!("future_value");
                    let expected = Some((ContractRule::UndeclaredEnumValue, point.location.clone()));
                    changes.push((after, expected));
                }
                let (point, mut after) = (rng.pick(&below), before.clone());
                *after.pointer_mut(&point.pointer).unwrap() = Value::Null;
                let expected = (!point.nullable).then(|| (ContractRule::UndeclaredNull, point.location.clone()));
                changes.push((after, expected));
            }
            for (after, expected) in changes {
                let string = after.to_string();
                let encoded = reencode_response(id, string.as_bytes()).unwrap();
                let encoded = encoded.unwrap_or_else(|error| panic!("{id}: {error}: {string}"));
                if let (Some(sent), Some(decoded)) = (item_count(&after), item_count(&encoded)) {
                    prop_assert_eq!(decoded, sent, "{}: {}", id, string);
                }
                let found = contract.check_response(operation, 200, string.as_bytes());
                prop_assert!(found.iter().all(|finding| finding.is_drift()), "{}: {:?}", id, found);
                let found: Vec<_> = found.into_iter().map(|finding| (finding.rule, finding.location)).collect();
                prop_assert_eq!(found, Vec::from_iter(expected), "{}: {}", id, string);
            }
        }
    }

    /// Allowed request parts build a request with all values on the wire, and the contract check has no findings.
    #[test]
    fn valid_parts_build_conforming_requests(seed in 1..u64::MAX) {
        for operation in curated() {
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

    /// With one invalid value, the request is rejected by name, or the built request still conforms. Unknown enum
    /// values are accepted, since they may be newer than the client.
    #[test]
    fn invalid_parts_are_rejected_by_name(seed in 1..u64::MAX) {
        let mut rng = SeededRng(seed);
        for operation in curated() {
            let id = operation.id();
            let valid = parts(operation, &mut Valid::requests(seed));
            for _ in 0..3 {
                let mut parts = valid.clone();
                let Some(name) = corrupt(&mut rng, &mut parts) else { continue };
                match request_from_parts(id, &parts) {
                    Ok(request) => {
                        let mut found = findings(operation, &parts, &request);
                        found.retain(|finding| finding.rule != ContractRule::UndeclaredEnumValue);
                        found.retain(|finding| !UNCHECKED.iter().any(|one| finding.location.starts_with(one)));
                        prop_assert!(found.is_empty(), "{}: {:?} after {}", id, found, name);
                    }
                    Err(error) => {
                        let message = error.to_string();
                        let is_invalid_part = matches!(error, RequestPartsError::InvalidPart { .. });
                        prop_assert!(is_invalid_part || message.contains(id), "{}: {}", id, message);
                        prop_assert!(is_invalid_part || message.contains(&name), "{}: {} was invalid: {}", id, name, message);
                    }
                }
            }
        }
    }

    /// Two different requests have different wire forms, also if they differ in a single value.
    #[test]
    fn distinct_requests_serialize_differently(seed in 1..u64::MAX) {
        let mut rng = SeededRng(seed);
        for operation in curated() {
            let id = operation.id();
            let one = parts(operation, &mut Valid::requests(seed));
            let first = wire(&request_from_parts(id, &one).unwrap());
            for _ in 0..4 {
                // Another random request, or the same request with one change.
                let mut other = parts(operation, &mut Valid::requests(1 + rng.below(1 << 30) as u64));
                if rng.below(2) == 0 {
                    other = one.clone();
                    change(&mut rng, operation, &mut other);
                }
                let Ok(request) = request_from_parts(id, &other) else { continue };
                prop_assert_eq!(wire(&request) == first, other == one, "{}: {:?} and {:?}", id, one, other);
            }
        }
    }
}

/// Replaces one value of a request with an unusual one. Returns its name.
fn corrupt(rng: &mut SeededRng, parts: &mut RequestParts) -> Option<String> {
    fn pointers(value: &Value, pointer: &str, into: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let pointer = format!("{pointer}/{name}");
                    into.push(pointer.clone());
                    pointers(value, &pointer, into);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    pointers(value, &format!("{pointer}/{index}"), into);
                }
            }
            _ => {}
        }
    }
    let mut document = json!({ "query": parts.query, "body": parts.body });
    let mut all = Vec::new();
    pointers(&document["query"], "/query", &mut all);
    pointers(&document["body"], "/body", &mut all);
    all.extend(parts.path_params.keys().map(|name| format!("/path/{name}")));
    let pointer = rng.pick(if all.is_empty() { return None } else { &all }).clone();
    let name = pointer.rsplit('/').next().unwrap().to_owned();
    if pointer.starts_with("/path/") {
        parts.path_params.insert(name.clone(), (*rng.pick(&["", " ", "..", "a\nb"])).to_owned());
        return Some(name);
    }
    let unusual = [
        json!([]),
        json!(""),
        json!("  "),
        json!([""]),
        json!(["a,b"]),
        json!(-7),
        json!(9_000_000_000_u64),
        json!("yesterday"),
        json!({ "moodOfTheDay": 1 }),
        json!(vec!["x"; 6000]),
        json!(true),
    ];
    *document.pointer_mut(&pointer).unwrap() = rng.pick(&unusual).clone();
    parts.query = document["query"].as_object().unwrap().clone();
    parts.body = parts.body.as_ref().map(|_| document["body"].clone());
    Some(name)
}

/// Changes one value of a request to another allowed value, removes one, or adds one.
fn change(rng: &mut SeededRng, operation: &OperationSpec, parts: &mut RequestParts) {
    let contract = Contract::bundled();
    let mut values = Valid::requests(1 + rng.below(1 << 30) as u64);
    let mut change_field = |fields: &mut Map<String, Value>, name: &str, schema: &Value, required: bool| {
        if fields.contains_key(name) && !required && values.rng.below(3) == 0 {
            fields.remove(name);
        } else {
            let mut value = non_empty(&mut values, schema);
            fill(&mut values, schema, &mut value);
            fields.insert(name.to_owned(), value);
        }
    };
    let query: Vec<_> = operation.parameters().iter().filter(|parameter| parameter.is_in_query()).collect();
    if !query.is_empty() {
        let parameter = rng.pick(&query);
        let schema = with_x_s1(&parameter.schema, &parameter.x_s1);
        change_field(&mut parts.query, &parameter.name, &schema, parameter.required);
    }
    let (Some(schema), Some(Value::Object(body))) = (operation.body_schema(), &mut parts.body) else {
        return;
    };
    let sent_properties = |schema| -> Vec<(&str, &Value)> {
        let properties = contract.properties(schema).into_iter();
        properties.filter_map(|(name, property)| Some((name, sent(property)?))).collect()
    };
    let (name, inner) = *rng.pick(&sent_properties(schema));
    match body.get_mut(name) {
        Some(Value::Object(fields)) if !contract.properties(inner).is_empty() => {
            let below = sent_properties(inner);
            let (name, schema) = *rng.pick(&below);
            change_field(fields, name, schema, true);
        }
        _ => change_field(body, name, inner, true),
    }
}

/// Checks the generator above: most invalid requests are rejected, and some are still valid.
#[test]
fn invalid_parts_are_mostly_rejected() {
    let (mut rejected, mut built) = (0, 0);
    let mut rng = SeededRng(11);
    for operation in curated() {
        for seed in 1..20 {
            let mut parts = parts(operation, &mut Valid::requests(seed));
            if corrupt(&mut rng, &mut parts).is_some() {
                let count = if request_from_parts(operation.id(), &parts).is_ok() {
                    &mut built
                } else {
                    &mut rejected
                };
                *count += 1;
            }
        }
    }
    assert!(rejected > 500 && built > 50 && rejected > built, "{rejected} rejected, {built} built");
}

/// The tests cover all operations and all response formats.
#[test]
fn property_tests_cover_every_operation() {
    let operations: BTreeSet<&str> = curated().map(OperationSpec::id).collect();
    let typed = OPERATIONS.iter().filter(|operation| operation.tier == Tier::Curated);
    let typed: BTreeSet<&str> = typed.map(|operation| operation.id).collect();
    assert_eq!(operations, typed);
    let json = OPERATIONS
        .iter()
        .filter(|one| one.tier == Tier::Curated && one.response_format == ResponseFormat::Json)
        .count();
    assert_eq!(json_operations().count(), json);
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
    for operation in Contract::bundled().operations() {
        let Some(example) = Contract::bundled().example_response(operation, 200) else { continue };
        let Some(decoded) = reencode_response(operation.id(), example.to_string().as_bytes()) else {
            continue;
        };
        assert!(decoded.is_ok(), "{}: {decoded:?}: {example}", operation.id());
    }
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
        let mut values = Valid { rng: SeededRng(seed), omitted_per_included: 0, allow_nulls: false };
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

/// Collects the pointers of all lists in values of a schema, except lists that are documented to be empty.
fn lists(schema: &Value, pointer: &str, into: &mut BTreeSet<String>) {
    let contract = Contract::bundled();
    if let Some(items) = contract.items(schema) {
        if keyword(schema, "minItems").and_then(Value::as_u64) != Some(0) {
            into.insert(pointer.to_owned());
        }
        lists(items, &format!("{pointer}/0"), into);
    }
    for (name, property) in contract.properties(schema) {
        lists(property, &format!("{pointer}/{name}"), into);
    }
}

/// Sets the value at a pointer, and adds the objects and lists around it.
fn insert(document: &mut Value, pointer: &str, new: Value) {
    let mut target = document;
    for name in pointer.split('/').skip(1) {
        if name == "0" {
            if target.as_array().is_none_or(Vec::is_empty) {
                *target = json!([{}]);
            }
            target = &mut target[0];
        } else {
            if !target.is_object() {
                *target = json!({});
            }
            target = &mut target[name];
        }
    }
    *target = new;
}

/// An empty list in a body is rejected wherever a list is declared, for lists of objects too, unless its minimum of 0
/// items documents what it does. Lists below the declared fields of a `PUT` replace those of the object.
#[test]
fn request_empty_lists_are_rejected_in_every_part() {
    let mut rejected = BTreeSet::new();
    for operation in curated() {
        let Some(schema) = operation.body_schema() else { continue };
        let mut all = BTreeSet::new();
        lists(schema, "", &mut all);
        // The fields of a part have two names: those of the part and of the field.
        all.retain(|pointer| operation.method() != "PUT" || pointer.matches('/').count() <= 2);
        for pointer in all {
            let mut parts = parts(operation, &mut Valid::requests(5));
            insert(parts.body.as_mut().unwrap(), &pointer, json!([]));
            let error = match request_from_parts(operation.id(), &parts) {
                Err(error) => error.to_string(),
                // The client does not send every field that the API accepts.
                Ok(request) => {
                    let sent = request.body().and_then(|body| body.pointer(&pointer));
                    assert_eq!(sent, None, "{} {pointer}", operation.id());
                    continue;
                }
            };
            let name = pointer.trim_matches('/').replace("/0", "").replace('/', ".");
            let is_named = error.contains(&format!("{name} is an empty list"));
            assert!(is_named, "{} {pointer}: {error}", operation.id());
            rejected.insert(format!("{} {name}", operation.id()));
        }
    }
    for expected in ["iocs_create data", "iocs_create data.labels", "threats_mitigate filter.ids"] {
        assert!(rejected.contains(expected), "{expected}: {rejected:?}");
    }
}
