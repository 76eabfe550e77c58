//! Laws that hold for every operation of the specification, over values that its schemas allow and over values
//! next to those.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/points.rs"]
mod points;
#[path = "support/schemas.rs"]
mod schemas;
#[path = "support/values.rs"]
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use sentinelone::contract::{Contract, FindingKind, OperationSpec, compare};
use sentinelone::raw::runtime::{AnswerForm, Kind, Parts, PartsError};
use sentinelone::raw::{OPERATIONS, answer_again, body_again, request_of};
use sentinelone::{ApiToken, Client, ErrorKind, Request, Sent};
use serde_json::{Map, Value, json};

use points::{Point, may_be_null, points};
use schemas::{Dice, says, words};
use values::Values;

/// A part of a request whose type answers share, so that it demands nothing, and which lies deeper than the client
/// looks before it sends. The console has the last word there.
const UNCHECKED: &str = "request.body.data.advancedDetectionParams";

/// How deep values are made: deeper than any schema is.
const DEEP: u32 = 12;

/// Makes values that the specification allows.
struct Valid {
    dice: Dice,
    /// How many fields are left out for one that is kept.
    sparse: usize,
    /// Whether nulls may stand where the specification has them.
    nulls: bool,
}

impl Valid {
    fn answers(seed: u64) -> Self {
        Self { dice: Dice(seed), sparse: 1, nulls: true }
    }

    fn requests(seed: u64) -> Self {
        Self { dice: Dice(seed), sparse: 7, nulls: false }
    }

    fn of(&mut self, schema: &Value) -> Value {
        self.value(schema, DEEP)
    }
}

impl Values for Valid {
    fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    fn text(&mut self, schema: &Value) -> String {
        if schema["x-s1"]["json"] == true {
            return json!({ "owner": [self.dice.pick(&["finance", "sales"])] }).to_string();
        }
        let bound = |key| says(schema, key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap());
        let (least, most) =
            (bound("minLength").unwrap_or(1).max(1), bound("maxLength").unwrap_or(usize::MAX));
        // A comma would end an item of a query.
        let signs: Vec<char> = "abcXYZ019 -_.:/\\%&=+?#\"'äß€😀".chars().collect();
        let many = (least + self.dice.below(9)).min(most);
        let inside: String = (0..many).map(|_| *self.dice.pick(&signs)).collect();
        // Blank texts are refused, and so is a segment of dots.
        format!("{}x", inside.chars().skip(1).collect::<String>())
    }

    fn instead(&mut self, schema: &Value) -> Option<Value> {
        (self.nulls && may_be_null(schema) && self.dice.below(4) == 0).then_some(Value::Null)
    }

    fn keeps(&mut self) -> bool {
        let sparse = self.sparse;
        self.dice.below(sparse + 1) == 0
    }

    fn any(&mut self) -> Value {
        self.dice.pick(&[json!("x"), json!(7), json!(true), json!({ "a": [null] })]).clone()
    }
}

/// The operations with a success that is JSON.
fn answering() -> impl Iterator<Item = (&'static OperationSpec, &'static Value)> {
    let operations = Contract::bundled().operations();
    operations.filter_map(|operation| Some((operation, operation.answer_schema(200)?)))
}

/// An answer of an operation that is not without data.
fn answer(schema: &Value, seed: u64) -> Value {
    let mut made = Valid::answers(seed);
    let mut answer = made.of(schema);
    let contract = Contract::bundled();
    let properties = contract.properties(schema);
    while answer["data"].is_null() {
        answer["data"] = made.of(properties["data"]);
    }
    // A list one level deeper is known as one by what stands beside it.
    if let Some(pagination) = properties.get("pagination") {
        while !answer["pagination"].is_object() {
            answer["pagination"] = made.of(pagination);
        }
    }
    if let Some(sites) = contract.properties(properties["data"]).get("sites") {
        while !answer["data"]["sites"].is_array() {
            answer["data"]["sites"] = made.of(sites);
        }
    }
    answer
}

/// The things of a page that are none of its nulls, however deep they lie.
fn things(answer: &Value) -> Option<usize> {
    let list = match &answer["data"] {
        Value::Object(data) => data.get("sites")?.as_array()?,
        other => other.as_array()?,
    };
    Some(list.iter().filter(|thing| !thing.is_null()).count())
}

/// The parts of a request that the specification allows.
fn parts(operation: &OperationSpec, made: &mut Valid) -> Parts {
    let mut parts = Parts::default();
    for parameter in operation.parameters() {
        if parameter.in_path {
            let Value::String(text) = made.of(&parameter.schema) else { panic!("{}", parameter.name) };
            parts.segments.insert(parameter.name.clone(), text);
        } else if parameter.required || made.keeps() {
            let schema = with_facts(&parameter.schema, &parameter.x_s1);
            parts.query.insert(parameter.name.clone(), filled(made, &schema));
        }
    }
    parts.body = operation.body_schema().map(|schema| {
        let mut body = made.of(schema);
        fill(made, schema, &mut body);
        body
    });
    parts
}

/// The schema of a parameter with the facts that stand beside it.
fn with_facts(schema: &Value, x_s1: &Value) -> Value {
    let mut schema = schema.clone();
    if !x_s1.is_null() {
        schema["x-s1"] = x_s1.clone();
    }
    schema
}

/// A value that is no empty list.
fn filled(made: &mut Valid, schema: &Value) -> Value {
    let mut value = made.of(schema);
    while value.as_array().is_some_and(Vec::is_empty) {
        value = made.of(schema);
    }
    value
}

/// Puts something into every list of a body: one without items is refused.
fn fill(made: &mut Valid, schema: &Value, value: &mut Value) {
    let contract = Contract::bundled();
    match value {
        Value::Object(fields) => {
            let properties = contract.properties(schema);
            for (name, value) in fields {
                let Some(inner) = properties.get(name.as_str()) else { continue };
                if value.as_array().is_some_and(Vec::is_empty) {
                    *value = filled(made, inner);
                }
                fill(made, inner, value);
            }
        }
        Value::Array(items) => {
            let inner = contract.items(schema).unwrap();
            items.iter_mut().for_each(|item| fill(made, inner, item));
        }
        _ => {}
    }
}

/// What goes over the wire.
fn wire(request: &Request<Value>) -> (String, Option<String>) {
    let version = request.operation().versions[0];
    let mut url = url::Url::parse("https://console.example").unwrap();
    url.set_path(&request.path(version).unwrap());
    url.query_pairs_mut().extend_pairs(request.query());
    (url.to_string(), request.body().map(Value::to_string))
}

fn findings(
    operation: &OperationSpec,
    parts: &Parts,
    request: &Request<Value>,
) -> Vec<sentinelone::contract::Finding> {
    Contract::bundled().check_request(operation, &parts.segments, &request.query(), request.body())
}

/// Nothing listens there, and nothing is to arrive.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let token = ApiToken::new("token-of-the-test").unwrap();
    Client::builder("http://127.0.0.1:9").token(token).build().unwrap()
});

proptest! {
    // In each case every operation has its turn.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// What an answer may hold is kept by the types, whole and in place, and is no finding.
    #[test]
    fn answers_survive_the_types(seed in 1..u64::MAX) {
        for (operation, schema) in answering() {
            let (id, answer) = (operation.id(), answer(schema, seed));
            let found = Contract::bundled().check_answer(operation, 200, answer.to_string().as_bytes());
            prop_assert!(found.is_empty(), "{}: {:?} in {}", id, found, answer);
            let again = answer_again(id, answer.to_string().as_bytes()).unwrap();
            let again = again.unwrap_or_else(|error| panic!("{id}: {error}: {answer}"));
            prop_assert_eq!(compare(&answer, &again), [], "{}: lost from {}", id, answer);
            prop_assert_eq!(compare(&again, &answer), [], "{}: added to {}", id, answer);
            let twice = answer_again(id, again.to_string().as_bytes()).unwrap().unwrap();
            prop_assert_eq!(twice, again, "{}", id);
        }
    }

    /// So is what a request may hold.
    #[test]
    fn bodies_survive_the_types(seed in 1..u64::MAX) {
        let operations = Contract::bundled().operations();
        for (operation, schema) in operations.filter_map(|one| Some((one, one.body_schema()?))) {
            let (id, body) = (operation.id(), Valid::requests(seed).of(schema));
            let again = body_again(id, body.to_string().as_bytes()).unwrap();
            let again = again.unwrap_or_else(|error| panic!("{id}: {error}: {body}"));
            prop_assert_eq!(compare(&body, &again), [], "{}: lost from {}", id, body);
            prop_assert_eq!(compare(&again, &body), [], "{}: added to {}", id, body);
            let twice = body_again(id, again.to_string().as_bytes()).unwrap().unwrap();
            prop_assert_eq!(twice, again, "{}", id);
        }
    }

    /// A field that nobody declared, a word that no enum has, a null where none is declared: the answer decodes
    /// with all its things, and the contract names the kind and the place.
    #[test]
    fn what_is_new_costs_nothing_and_is_named(seed in 1..u64::MAX) {
        let contract = Contract::bundled();
        let mut dice = Dice(seed);
        for (operation, schema) in answering() {
            let (id, before) = (operation.id(), answer(schema, seed));
            let all = points(schema, &before, "answer");
            let objects = |point: &&Point<'_>| {
                let declares = !contract.properties(point.schema).is_empty();
                declares && before.pointer(&point.pointer).unwrap().is_object()
            };
            let words_of = |point: &&Point<'_>| !words(point.schema).is_empty();
            let mut changes = Vec::new();
            let objects: Vec<_> = all.iter().filter(objects).collect();
            let enums: Vec<_> = all.iter().filter(words_of).collect();
            // Without the envelope there is no answer.
            let below: Vec<_> = all.iter().filter(|point| !point.pointer.is_empty()).collect();
            for _ in 0..4 {
                let (point, mut after) = (dice.pick(&objects), before.clone());
                after.pointer_mut(&point.pointer).unwrap()["moodOfTheDay"] = Valid::answers(seed).any();
                let expected = Some((FindingKind::UndeclaredField, format!("{}.moodOfTheDay", point.place)));
                changes.push((after, expected));
                if !enums.is_empty() {
                    let (point, mut after) = (dice.pick(&enums), before.clone());
                    *after.pointer_mut(&point.pointer).unwrap() = json!("a_word_of_tomorrow");
                    let expected = Some((FindingKind::UndeclaredEnumValue, point.place.clone()));
                    changes.push((after, expected));
                }
                let (point, mut after) = (dice.pick(&below), before.clone());
                *after.pointer_mut(&point.pointer).unwrap() = Value::Null;
                let expected = (!point.nullable).then(|| (FindingKind::UndeclaredNull, point.place.clone()));
                changes.push((after, expected));
            }
            for (after, expected) in changes {
                let text = after.to_string();
                let again = answer_again(id, text.as_bytes()).unwrap();
                let again = again.unwrap_or_else(|error| panic!("{id}: {error}: {text}"));
                if let (Some(sent), Some(kept)) = (things(&after), things(&again)) {
                    prop_assert_eq!(kept, sent, "{}: {}", id, text);
                }
                let found = contract.check_answer(operation, 200, text.as_bytes());
                prop_assert!(found.iter().all(|finding| finding.is_drift()), "{}: {:?}", id, found);
                let found: Vec<_> = found.into_iter().map(|finding| (finding.kind, finding.place)).collect();
                prop_assert_eq!(found, Vec::from_iter(expected), "{}: {}", id, text);
            }
        }
    }

    /// What the specification allows can be asked for, all of it is on the wire, and the contract has nothing
    /// to say.
    #[test]
    fn requests_that_are_allowed_are_built_and_fit(seed in 1..u64::MAX) {
        for operation in Contract::bundled().operations() {
            let id = operation.id();
            let parts = parts(operation, &mut Valid::requests(seed));
            let request = request_of(id, &parts).unwrap_or_else(|error| panic!("{id}: {error}: {:?}", parts.body));
            let found = findings(operation, &parts, &request);
            prop_assert!(found.is_empty(), "{}: {:?}", id, found);
            let sent = json!({ "query": Contract::bundled().query_to_json(operation, &request.query()),
                "body": request.body() });
            let given = json!({ "query": parts.query, "body": parts.body });
            prop_assert_eq!(compare(&given, &sent), [], "{}", id);
            prop_assert_eq!(compare(&sent, &given), [], "{}", id);
        }
    }

    /// One thing in a request is spoilt: it is refused, with its name in the message, or what is built fits all
    /// the same. A word that no enum has is let through, since it may be newer than the client.
    #[test]
    fn requests_that_are_not_allowed_are_refused_by_name(seed in 1..u64::MAX) {
        let mut dice = Dice(seed);
        for operation in Contract::bundled().operations() {
            let id = operation.id();
            let whole = parts(operation, &mut Valid::requests(seed));
            for _ in 0..3 {
                let mut parts = whole.clone();
                let Some(name) = spoil(&mut dice, &mut parts) else { continue };
                match request_of(id, &parts) {
                    Ok(request) => {
                        let mut found = findings(operation, &parts, &request);
                        found.retain(|finding| finding.kind != FindingKind::UndeclaredEnumValue);
                        found.retain(|finding| !finding.place.starts_with(UNCHECKED));
                        prop_assert!(found.is_empty(), "{}: {:?} after {}", id, found, name);
                    }
                    Err(error) => {
                        let named = error.to_string();
                        let outline = matches!(error, PartsError::Part { .. });
                        prop_assert!(outline || named.contains(id), "{}: {}", id, named);
                        prop_assert!(outline || named.contains(&name), "{}: {} was spoilt: {}", id, name, named);
                    }
                }
            }
        }
    }

    /// Two different requests are never the same on the wire: whatever one changes in a query, a filter or
    /// data.
    #[test]
    fn what_differs_differs_on_the_wire(seed in 1..u64::MAX) {
        let mut dice = Dice(seed);
        for operation in Contract::bundled().operations() {
            let id = operation.id();
            let one = parts(operation, &mut Valid::requests(seed));
            let first = wire(&request_of(id, &one).unwrap());
            for _ in 0..4 {
                // Another of its kind, and a neighbour that differs in one place.
                let mut other = parts(operation, &mut Valid::requests(1 + dice.below(1 << 30) as u64));
                if dice.below(2) == 0 {
                    other = one.clone();
                    change(&mut dice, operation, &mut other);
                }
                let Ok(request) = request_of(id, &other) else { continue };
                prop_assert_eq!(wire(&request) == first, other == one, "{}: {:?} and {:?}", id, one, other);
            }
        }
    }
}

/// Spoils one value of a request; gives its name.
fn spoil(dice: &mut Dice, parts: &mut Parts) -> Option<String> {
    fn places(value: &Value, pointer: &str, into: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let pointer = format!("{pointer}/{name}");
                    into.push(pointer.clone());
                    places(value, &pointer, into);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    places(value, &format!("{pointer}/{index}"), into);
                }
            }
            _ => {}
        }
    }
    let mut document = json!({ "query": parts.query, "body": parts.body });
    let mut all = Vec::new();
    places(&document["query"], "/query", &mut all);
    places(&document["body"], "/body", &mut all);
    all.extend(parts.segments.keys().map(|name| format!("/path/{name}")));
    let pointer = dice.pick(if all.is_empty() { return None } else { &all }).clone();
    let name = pointer.rsplit('/').next().unwrap().to_owned();
    if pointer.starts_with("/path/") {
        parts.segments.insert(name.clone(), (*dice.pick(&["", " ", "..", "a\nb"])).to_owned());
        return Some(name);
    }
    let strange = [
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
    *document.pointer_mut(&pointer).unwrap() = dice.pick(&strange).clone();
    parts.query = document["query"].as_object().unwrap().clone();
    parts.body = parts.body.as_ref().map(|_| document["body"].clone());
    Some(name)
}

/// Changes one value of a request to another that is allowed, leaves one out, or sets one more.
fn change(dice: &mut Dice, operation: &OperationSpec, parts: &mut Parts) {
    let contract = Contract::bundled();
    let mut made = Valid::requests(1 + dice.below(1 << 30) as u64);
    let mut settle = |fields: &mut Map<String, Value>, name: &str, schema: &Value, required: bool| {
        if fields.contains_key(name) && !required && made.dice.below(3) == 0 {
            fields.remove(name);
        } else {
            let mut value = filled(&mut made, schema);
            fill(&mut made, schema, &mut value);
            fields.insert(name.to_owned(), value);
        }
    };
    let query: Vec<_> = operation.parameters().iter().filter(|parameter| !parameter.in_path).collect();
    if !query.is_empty() {
        let parameter = dice.pick(&query);
        let schema = with_facts(&parameter.schema, &parameter.x_s1);
        settle(&mut parts.query, &parameter.name, &schema, parameter.required);
    }
    let (Some(schema), Some(Value::Object(body))) = (operation.body_schema(), &mut parts.body) else {
        return;
    };
    let properties: Vec<_> = contract.properties(schema).into_iter().collect();
    let (name, inner) = *dice.pick(&properties);
    match body.get_mut(name) {
        Some(Value::Object(fields)) if !contract.properties(inner).is_empty() => {
            let below: Vec<_> = contract.properties(inner).into_iter().collect();
            let (name, schema) = *dice.pick(&below);
            settle(fields, name, schema, true);
        }
        _ => settle(body, name, inner, true),
    }
}

/// The law of what is spoilt speaks of something: most of it is refused, and some is still a request.
#[test]
fn what_is_spoilt_is_refused_more_often_than_not() {
    let (mut refused, mut built) = (0, 0);
    let mut dice = Dice(11);
    for operation in Contract::bundled().operations() {
        for seed in 1..20 {
            let mut parts = parts(operation, &mut Valid::requests(seed));
            if spoil(&mut dice, &mut parts).is_some() {
                let count =
                    if request_of(operation.id(), &parts).is_ok() { &mut built } else { &mut refused };
                *count += 1;
            }
        }
    }
    assert!(refused > 500 && built > 50 && refused > built, "{refused} refused, {built} built");
}

/// The laws speak of every operation, and of every form of answer.
#[test]
fn every_operation_is_meant() {
    let operations: BTreeSet<&str> = Contract::bundled().operations().map(OperationSpec::id).collect();
    let known: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    assert_eq!(operations, known);
    let json = OPERATIONS.iter().filter(|operation| operation.answer == AnswerForm::Json).count();
    assert_eq!(answering().count(), json);
}

/// What has no filter that selects, and needs one, does not leave the client.
#[tokio::test]
async fn an_action_without_a_selection_is_never_sent() {
    let mut refused = BTreeMap::new();
    for operation in Contract::bundled().operations().filter(|operation| operation.kind() == Kind::Action) {
        let Some(schema) = operation.body_schema() else { continue };
        let properties = Contract::bundled().properties(schema);
        if !properties.contains_key("filter") {
            continue;
        }
        let mut parts = parts(operation, &mut Valid::requests(7));
        parts.body.as_mut().unwrap()["filter"] = json!({});
        let request = request_of(operation.id(), &parts).unwrap();
        let error = CLIENT.send(&request).await.unwrap_err();
        assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Request, Sent::No), "{error}");
        assert!(error.to_string().contains(operation.id()), "{error}");
        refused.insert(operation.id(), error);
    }
    assert!(refused.len() >= 20, "{:?}", refused.keys());
}
