//! Laws of each place of the requests and responses of all operations: each parameter, field and list item that the
//! specification declares.

use std::collections::BTreeSet;

use sentinelone::raw::runtime::{RequestParts, RequestPartsError};
use sentinelone::raw::{reencode_request_body, reencode_response, request_from_parts};
use sentinelone_contract::{Contract, ContractRule, Finding, OperationSpec, round_trip_losses};
use serde_json::{Map, Value, json};

use super::operations::json_operations;
use super::points::is_nullable;
use super::schemas::{enum_values, keyword};
use super::valid::{
    Valid, fill, findings, item_count, non_empty, parts, place_mut, response, wire, with_x_s1,
};
use super::values::sent;

/// The failures of a law, of which each has a message.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn check(&mut self, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.0.push(message());
        }
    }
}

impl Drop for Failures {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{} failures:\n{}", self.0.len(), self.0.join("\n"));
        }
    }
}

/// A place of a document.
struct Place<'a> {
    /// Pointer to the value; the first item represents a list, and the member `first` a map.
    pointer: String,
    /// Location, as findings name it.
    location: String,
    schema: &'a Value,
}

/// Returns all places of the documents of a schema, except the document itself. Locations begin with `root`. A schema
/// that contains itself is entered once.
fn places<'a>(schema: &'a Value, root: &str) -> Vec<Place<'a>> {
    fn visit<'a>(place: Place<'a>, enclosing: &mut Vec<&'a str>, into: &mut Vec<Place<'a>>) {
        let Place { pointer, location, schema } = &place;
        let name = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        if name.is_some_and(|name| enclosing.contains(&name)) {
            return;
        }
        enclosing.extend(name);
        let contract = Contract::bundled();
        for (name, property) in contract.properties(schema) {
            if let Some(schema) = sent(property) {
                let (pointer, location) = (format!("{pointer}/{name}"), format!("{location}.{name}"));
                visit(Place { pointer, location, schema }, enclosing, into);
            }
        }
        if let Some(schema) = contract.items(schema) {
            let is_map = contract.type_of(place.schema) == Some("object");
            let (pointer, location) = if is_map {
                (format!("{pointer}/first"), format!("{location}.first"))
            } else {
                (format!("{pointer}/0"), format!("{location}[0]"))
            };
            visit(Place { pointer, location, schema }, enclosing, into);
        }
        enclosing.truncate(enclosing.len() - usize::from(name.is_some()));
        if !place.pointer.is_empty() {
            into.push(place);
        }
    }
    let mut all = Vec::new();
    let document = Place { pointer: String::new(), location: root.to_owned(), schema };
    visit(document, &mut Vec::new(), &mut all);
    all
}

/// A value at each place of a response decodes without a loss. An undeclared field, enum value or null decodes too,
/// with all items, and the contract check reports the rule and the location.
#[test]
fn response_value_at_each_place_decodes_and_is_checked() {
    let contract = Contract::bundled();
    let mut failures = Failures::default();
    for (operation, status, schema) in json_operations() {
        let id = operation.id();
        let mut values = Valid::minimal(7);
        let minimal = response(operation, schema, &mut values);
        for place in places(schema, "response.body") {
            let mut before = minimal.clone();
            place_mut(&mut values, schema, &mut before, &place.pointer);
            let with = |change: &dyn Fn(&mut Value)| {
                let mut after = before.clone();
                change(after.pointer_mut(&place.pointer).unwrap());
                after
            };
            let null = (!is_nullable(place.schema) && contract.type_of(place.schema).is_some())
                .then_some((ContractRule::UndeclaredNull, place.location.clone()));
            let mut changes = vec![(before.clone(), None), (with(&|value| *value = Value::Null), null)];
            if !contract.properties(place.schema).is_empty() {
                let expected = (ContractRule::UndeclaredField, format!("{}.addedLater", place.location));
                changes.push((with(&|value| value["addedLater"] = json!({ "a": [null] })), Some(expected)));
            }
            if !enum_values(place.schema).is_empty() {
                let expected = (ContractRule::UndeclaredEnumValue, place.location.clone());
                changes.push((with(&|value| *value = json!("future_value")), Some(expected)));
            }
            for (after, expected) in changes {
                let body = after.to_string();
                let decoded = match reencode_response(id, body.as_bytes()).unwrap() {
                    Ok(decoded) => decoded,
                    Err(error) => {
                        failures.check(false, || format!("{id}: {error}: {body}"));
                        continue;
                    }
                };
                let counts = (item_count(operation, &decoded), item_count(operation, &after));
                let is_equal = counts.0.zip(counts.1).is_none_or(|(decoded, sent)| decoded == sent);
                failures.check(is_equal, || format!("{id}: {counts:?}: {body}"));
                let found = contract.check_response(operation, status, body.as_bytes());
                let is_drift = found.iter().all(|finding| finding.is_drift());
                let found: Vec<_> = found.into_iter().map(|one| (one.rule, one.location)).collect();
                let is_expected = is_drift && found == Vec::from_iter(expected.clone());
                failures.check(is_expected, || format!("{id}: {found:?}, expected {expected:?}: {body}"));
                if expected.is_none() {
                    let (lost, added) =
                        (round_trip_losses(&after, &decoded), round_trip_losses(&decoded, &after));
                    failures.check(lost.is_empty() && added.is_empty(), || {
                        format!("{id}: lost {lost:?}, added {added:?}: {body}")
                    });
                }
            }
        }
    }
}

/// Returns the schema of the parts of a request as one document.
fn request_schema(operation: &OperationSpec) -> Value {
    let (mut path, mut query, mut headers) = (Map::new(), Map::new(), Map::new());
    for parameter in operation.parameters() {
        let schema = with_x_s1(&parameter.schema, &parameter.x_s1);
        if parameter.is_in_path() {
            path.insert(parameter.name.clone(), schema);
        } else if parameter.is_in_header() {
            headers.insert(parameter.name.to_ascii_lowercase(), schema);
        } else {
            query.insert(parameter.name.clone(), schema);
        }
    }
    let object = |properties| json!({ "type": "object", "properties": properties });
    let mut parts = Map::from_iter([
        ("path".to_owned(), object(path)),
        ("query".to_owned(), object(query)),
        ("headers".to_owned(), object(headers)),
    ]);
    parts.extend(operation.body_schema().map(|schema| ("body".to_owned(), schema.clone())));
    object(parts)
}

/// Returns the places of a request, without the documents that enclose the parts.
fn request_places(schema: &Value) -> Vec<Place<'_>> {
    let mut all = places(schema, "request");
    all.retain(|place| place.pointer.matches('/').count() > 1);
    all
}

/// Returns the parts of a request as one document.
fn document(parts: &RequestParts) -> Value {
    json!({ "path": parts.path_params, "query": parts.query, "headers": parts.headers, "body": parts.body })
}

/// Returns the parts of a request from one document.
fn from_document(document: &Value) -> RequestParts {
    let strings = |name: &str| {
        let fields = document[name].as_object().unwrap().iter();
        fields.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
    };
    RequestParts {
        path_params: strings("path"),
        query: document["query"].as_object().unwrap().clone(),
        headers: strings("headers"),
        body: Some(document["body"].clone()).filter(|body| !body.is_null()),
    }
}

/// Returns a valid request with a value at a place.
fn request_with(minimal: &Value, schema: &Value, place: &Place<'_>) -> Value {
    let (mut document, mut values) = (minimal.clone(), Valid::minimal(7));
    place_mut(&mut values, schema, &mut document, &place.pointer);
    fill(&mut values, schema, &mut document);
    document
}

/// A value at each place of a request is sent, and the contract check has no findings. Another value at the place gives
/// another request.
#[test]
fn request_value_at_each_place_is_sent() {
    let mut failures = Failures::default();
    for operation in Contract::bundled().operations() {
        let id = operation.id();
        let schema = request_schema(operation);
        let build = |document: &Value| {
            let parts = from_document(document);
            let request =
                request_from_parts(id, &parts).map_err(|error| format!("{id}: {error}: {document}"))?;
            Ok::<_, String>((parts, request))
        };
        let minimal = document(&parts(operation, &mut Valid::minimal(7)));
        let without = build(&minimal).map(|(_, request)| wire(&request));
        for place in request_places(&schema) {
            let document = request_with(&minimal, &schema, &place);
            let mut values = Valid::minimal(11);
            let mut other = document.clone();
            let value = other.pointer_mut(&place.pointer).unwrap();
            for _ in 0..9 {
                *value = non_empty(&mut values, place.schema);
                fill(&mut values, place.schema, value);
            }
            let (without, (parts, request), with_other) = match (&without, build(&document), build(&other)) {
                (Ok(without), Ok(with), Ok((_, other))) => (without, with, wire(&other)),
                (without, with, other) => {
                    failures.0.extend(without.as_ref().err().cloned());
                    failures.0.extend([with.err(), other.err()].into_iter().flatten());
                    continue;
                }
            };
            let found = findings(operation, &parts, &request);
            failures.check(found.is_empty(), || format!("{id}: {found:?}: {document}"));
            let query = Contract::bundled().query_to_json(operation, &request.query());
            let sent = json!({ "query": query, "body": request.body() });
            let expected = json!({ "query": parts.query, "body": parts.body });
            let (lost, added) = (round_trip_losses(&expected, &sent), round_trip_losses(&sent, &expected));
            failures.check(lost.is_empty() && added.is_empty(), || {
                format!("{id}: not sent {lost:?}, added {added:?}: {document}")
            });
            if let Some(body) = &parts.body {
                let decoded = reencode_request_body(id, body.to_string().as_bytes()).unwrap().unwrap();
                let (lost, added) = (round_trip_losses(body, &decoded), round_trip_losses(&decoded, body));
                failures.check(lost.is_empty() && added.is_empty(), || {
                    format!("{id}: lost {lost:?}, added {added:?}: {document}")
                });
            }
            let sent = wire(&request);
            for (one, built) in [(&minimal, without), (&other, &with_other)] {
                let is_same = (*built == sent, *one == document);
                failures.check(is_same.0 == is_same.1, || {
                    format!("{id}: same {is_same:?}: {document} and {one}")
                });
            }
        }
    }
}

/// Returns whether the client leaves a check to the console: unknown enum values may be newer than the client, formats
/// and patterns of operations that no person has checked may be wrong, and fields inside of a field of a part are optional
/// in types that responses share.
fn is_left_to_console(operation: &OperationSpec, finding: &Finding) -> bool {
    let is_documented = operation.x_s1()["tier"] == "documented";
    let is_nested = finding.location.starts_with("request.body") && finding.location.split('.').count() > 4;
    // A list of objects whose type responses share.
    let is_item = finding.location.contains('[');
    match finding.rule {
        ContractRule::UndeclaredEnumValue => true,
        ContractRule::MissingField => is_nested || (is_documented && is_item),
        ContractRule::FormatMismatch => is_documented,
        _ => is_nested,
    }
}

/// With an invalid value at any place, the request is rejected by name, or it conforms in all that the
/// client checks.
#[test]
fn request_invalid_value_at_each_place_is_rejected_by_name() {
    let in_path = [json!(""), json!(" "), json!(".."), json!("a\nb")];
    let elsewhere = [
        json!([]),
        json!(""),
        json!("  "),
        json!([""]),
        json!(["a,b"]),
        json!(-7),
        json!(9_000_000_000_u64),
        json!("yesterday"),
        json!({ "addedLater": 1 }),
        json!(true),
    ];
    let (mut rejected, mut built) = (0, 0);
    let mut failures = Failures::default();
    for operation in Contract::bundled().operations() {
        let id = operation.id();
        let schema = request_schema(operation);
        let minimal = document(&parts(operation, &mut Valid::minimal(7)));
        let is_documented = operation.x_s1()["tier"] == "documented";
        for (number, place) in request_places(&schema).into_iter().enumerate() {
            let name = place.pointer.rsplit('/').find(|name| !matches!(*name, "0" | "first")).unwrap();
            let valid = request_with(&minimal, &schema, &place);
            let is_text = place.pointer.starts_with("/path/") || place.pointer.starts_with("/headers/");
            // Lists of thousands of items take long, so only curated operations get them.
            let max = keyword(place.schema, "maxItems").and_then(Value::as_u64);
            let max = max.filter(|max| *max < 200 || !is_documented);
            let too_many = max.map(|max| json!(vec!["x"; usize::try_from(max).unwrap() + 1]));
            let unusual = if is_text { &in_path[..] } else { &elsewhere };
            // Each place of the many documented operations gets every other value.
            let (skip, step) = if is_documented { (number % 2, 2) } else { (0, 1) };
            for unusual in unusual.iter().skip(skip).step_by(step).chain(&too_many) {
                let mut document = valid.clone();
                *document.pointer_mut(&place.pointer).unwrap() = unusual.clone();
                let parts = from_document(&document);
                match request_from_parts(id, &parts) {
                    Ok(request) => {
                        built += 1;
                        let mut found = findings(operation, &parts, &request);
                        found.retain(|finding| !is_left_to_console(operation, finding));
                        let at = &place.pointer;
                        failures.check(found.is_empty(), || {
                            format!("{id}: {found:?} with {unusual:.60} at {at}")
                        });
                    }
                    Err(error) => {
                        rejected += 1;
                        let is_named = matches!(error, RequestPartsError::InvalidPart { .. }) || {
                            let message = error.to_string();
                            message.contains(id) && message.to_lowercase().contains(&name.to_lowercase())
                        };
                        let at = &place.pointer;
                        failures.check(is_named, || format!("{id}: {error} with {unusual:.60} at {at}"));
                    }
                }
            }
        }
    }
    assert!(rejected > built && built > 0, "{rejected} rejected, {built} built");
}

/// An empty list in a body is rejected wherever a list is declared, for lists of objects too, unless its minimum of 0
/// items documents what it does. Lists below the declared fields of a `PUT` replace those of the object.
#[test]
fn request_empty_list_at_each_place_is_rejected() {
    let mut failures = Failures::default();
    let mut rejected = BTreeSet::new();
    for operation in Contract::bundled().operations() {
        let id = operation.id();
        let schema = request_schema(operation);
        let minimal = document(&parts(operation, &mut Valid::minimal(7)));
        for place in request_places(&schema) {
            let is_list = Contract::bundled().type_of(place.schema) == Some("array");
            let may_be_empty = keyword(place.schema, "minItems").and_then(Value::as_u64) == Some(0);
            // The fields of a part have two names: those of the part and of the field.
            let replaces = operation.method() == "PUT" && place.pointer.matches('/').count() > 3;
            if !is_list || may_be_empty || replaces {
                continue;
            }
            let mut document = request_with(&minimal, &schema, &place);
            *document.pointer_mut(&place.pointer).unwrap() = json!([]);
            let name = place.pointer.replace("/0", "").split('/').skip(2).collect::<Vec<_>>().join(".");
            let result = request_from_parts(id, &from_document(&document)).map(|request| wire(&request));
            let message = result.as_ref().map_or_else(ToString::to_string, |_| String::new());
            let is_named = message.contains(&format!("{name} is an empty list"));
            failures.check(is_named, || format!("{id}: {name} is empty: {result:?}"));
            rejected.insert(format!("{id} {name}"));
        }
    }
    for expected in ["iocs_create data", "iocs_create data.labels", "threats_mitigate filter.ids"] {
        assert!(rejected.contains(expected), "{expected}: {rejected:?}");
    }
}
