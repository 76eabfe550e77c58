//! Every request that a command can print is held to the vendor's own document, where `S1_VENDOR_DOCUMENT` names
//! it: Swagger 2.0 as JSON. The document is not part of this project; without it there is nothing to hold to.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use sentinelone::ApiVersion;
use sentinelone::Timestamp;
use sentinelone::commands::{Argument, ArgumentKind, Arguments, Entry, registry};
use sentinelone::contract::Contract;
use serde_json::{Map, Value, json};

const NOW: &str = "2026-11-21T08:30:00Z";

/// Requests that the document cannot know, with the reason.
const EXCEPTIONS: &[(&str, &str)] =
    &[("GET /web/api/v2.1/private/threats/summary", "private, known from the integration's source alone")];

/// Values that the document of March 2024 does not have yet, with the source that does.
const NEWER: &[(&str, &str)] = &[
    ("\"ecs task\"", "a machine type of the vendor's description of April 2024"),
    ("\"POC\"", "a site type that the integration offers"),
    ("\"DEV\"", "a site type that the integration offers"),
    ("\"NFR\"", "a site type that the integration offers"),
    ("\"DataSetCloud\"", "a destination of script output that the integration offers"),
];

/// Fields whose values the document lists and this project does not.
const OPEN: &[(&str, &str)] =
    &[("request.query.activityTypes", "512 numbers in March 2024; every release adds some")];

/// The document in the form of OpenAPI 3.0, as far as requests go.
fn openapi(swagger: &Value) -> Value {
    let mut paths = Map::new();
    for (path, item) in swagger["paths"].as_object().unwrap() {
        let mut methods = Map::new();
        for (method, operation) in item.as_object().unwrap() {
            let mut parameters = Vec::new();
            let mut body = Value::Null;
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                match parameter["in"].as_str().unwrap() {
                    "body" => body = schema(&parameter["schema"]),
                    place @ ("query" | "path") => parameters.push(json!({
                        "name": parameter["name"],
                        "in": place,
                        "required": parameter["required"] == true,
                        "schema": schema(parameter),
                    })),
                    _ => {}
                }
            }
            let mut node = json!({
                "operationId": format!("{method} {path}"),
                "parameters": parameters,
                "responses": {},
            });
            if !body.is_null() {
                let content = json!({ "application/json": { "schema": body } });
                node["requestBody"] = json!({ "required": true, "content": content });
            }
            methods.insert(method.clone(), node);
        }
        paths.insert(path.clone(), Value::Object(methods));
    }
    let definitions = swagger["definitions"].as_object().unwrap().iter();
    // A dot in a name is no trouble, but a slash or a tilde would be.
    let schemas: Map<_, _> = definitions.map(|(name, one)| (name.clone(), schema(one))).collect();
    json!({
        "openapi": "3.0.3",
        "servers": [{ "url": "https://console.example" }],
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// A schema, or a parameter that is one. Elements that are ids have a numeric minimum although they are texts,
/// some values of enums are lists, and defaults are null: none of that says anything about a request.
fn schema(node: &Value) -> Value {
    const KEPT: [&str; 11] = [
        "type",
        "format",
        "required",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "pattern",
        "description",
    ];
    if let Some(target) = node["$ref"].as_str() {
        return json!({ "$ref": target.replace("#/definitions/", "#/components/schemas/") });
    }
    let mut schema = Map::new();
    for name in KEPT {
        let numeric = matches!(name, "minimum" | "maximum");
        match &node[name] {
            Value::Null => {}
            Value::Bool(_) => {}
            _ if numeric && node["type"] == "string" => {}
            value => drop(schema.insert(name.into(), value.clone())),
        }
    }
    if let Some(values) = node["enum"].as_array() {
        let values: Vec<_> = values.iter().filter(|value| !value.is_array()).cloned().collect();
        schema.insert("enum".into(), values.into());
    }
    if node["x-nullable"] == true {
        schema.insert("nullable".into(), true.into());
    }
    if node["items"].is_object() {
        schema.insert("items".into(), self::schema(&node["items"]));
    }
    if let Some(properties) = node["properties"].as_object() {
        let properties: Map<_, _> =
            properties.iter().map(|(name, one)| (name.clone(), self::schema(one))).collect();
        schema.insert("properties".into(), properties.into());
    } else if node["type"] == "object" {
        schema.insert("additionalProperties".into(), true.into());
    }
    Value::Object(schema)
}

/// Texts that an argument might take; what does not fit is refused by the command itself.
fn candidates(argument: &Argument) -> Vec<String> {
    if !argument.values.is_empty() {
        return argument.values.iter().map(|value| (*value).to_owned()).collect();
    }
    let texts: &[&str] = match argument.kind {
        ArgumentKind::Boolean => &["true", "false"],
        ArgumentKind::Integer => &["1", "100", "3600"],
        ArgumentKind::Time => &["3 days", "2025-01-01T00:00:00Z", "2030-01-01T00:00:00Z"],
        _ if argument.name.contains("password") => &["Sample-Pass-1234"],
        _ if argument.name.contains("hash") || argument.name == "sha1" || argument.name == "item" => {
            &["3395856ce81f2b7382dee72602f798b642f14140"]
        }
        _ if argument.name == "params" => &["isActive=true", "activeThreats=3", "osTypes=windows"],
        _ if argument.name == "delta" => {
            &[r#"{"sentinelonethreatanalystverdict": "Suspicious", "sentinelonethreatstatus": "Resolved"}"#]
        }
        ArgumentKind::List => &["225494730938493804,225494730938493915"],
        _ => &[
            "225494730938493804",
            "windows",
            "path",
            "Permanent",
            "IPV4",
            "EQUALS",
            "1582800000000-1582900000000",
        ],
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Sets of arguments: what is required alone, with each of the others in turn, and with all of them.
fn sets(entry: &Entry) -> Vec<Vec<(&'static str, String)>> {
    let arguments = (entry.arguments)();
    let fits = |base: &[(&'static str, String)], extra: Option<(&'static str, &str)>| {
        let mut given = base.to_vec();
        given.extend(extra.map(|(name, text)| (name, text.to_owned())));
        requests(entry, &given).is_some().then_some(given)
    };
    // Whatever the command cannot do without, whether it is declared so or not.
    let mut bases: Vec<Vec<(&'static str, String)>> = vec![Vec::new()];
    for argument in arguments.iter().filter(|argument| argument.required) {
        let texts = candidates(argument);
        bases = bases
            .iter()
            .flat_map(|base| {
                texts.iter().map(|text| {
                    let mut base = base.clone();
                    base.push((argument.name, text.clone()));
                    base
                })
            })
            .take(200)
            .collect();
    }
    let mut found: Vec<_> = bases.iter().filter_map(|base| fits(base, None)).collect();
    if found.is_empty() {
        let optional = arguments.iter().filter(|argument| !argument.required);
        for argument in optional {
            for text in candidates(argument) {
                found.extend(bases.iter().filter_map(|base| fits(base, Some((argument.name, &text)))));
            }
        }
    }
    found.truncate(60);
    let bases = found.clone();
    for argument in &arguments {
        for text in candidates(argument) {
            let more = bases.iter().filter(|base| base.iter().all(|(name, _)| *name != argument.name));
            found.extend(more.take(3).filter_map(|base| fits(base, Some((argument.name, &text)))));
        }
    }
    // As many at once as go together.
    for base in bases.iter().take(3) {
        let mut all = base.clone();
        for argument in &arguments {
            let free = all.iter().all(|(name, _)| *name != argument.name);
            let mut texts = candidates(argument).into_iter().filter(|_| free);
            if let Some(more) = texts.find_map(|text| fits(&all, Some((argument.name, &text)))) {
                all = more;
            }
        }
        found.push(all);
    }
    found
}

type Sent = (String, String, Vec<(String, String)>, Option<Value>);

/// Method, path, query and body of what the command prints on API 2.1.
fn requests(entry: &Entry, given: &[(&'static str, String)]) -> Option<Vec<Sent>> {
    let start = Arguments::new().at(Timestamp::from(NOW));
    let arguments = given.iter().fold(start, |arguments, (name, text)| arguments.with(name, text.as_str()));
    let requests = entry.prepare(arguments).ok()?.requests(ApiVersion::V2_1).ok()?;
    let sent = requests.iter().map(|request| {
        let path = request.path(ApiVersion::V2_1).unwrap();
        (request.method().as_str().to_owned(), path, request.query(), request.body().cloned())
    });
    Some(sent.collect())
}

#[test]
fn every_request_of_a_command_is_one_that_the_vendor_documents() {
    let Some(path) = std::env::var_os("S1_VENDOR_DOCUMENT") else { return };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let contract = Contract::from_document(openapi(&serde_json::from_str(&text).unwrap())).unwrap();
    let (mut checked, mut used) = (0, BTreeSet::new());
    let mut wrong = BTreeSet::new();
    for entry in registry().iter().filter(|entry| entry.info.versions.contains(&ApiVersion::V2_1)) {
        let sets = sets(entry);
        assert!(!sets.is_empty(), "{}: no arguments go together", entry.info.name);
        let mut seen = BTreeSet::new();
        for given in sets {
            for (method, path, query, body) in requests(entry, &given).unwrap() {
                let Some(found) = contract.find(&method, &path) else {
                    let place = format!("{method} {path}");
                    assert!(EXCEPTIONS.iter().any(|(exception, _)| *exception == place), "{place}");
                    used.insert(place);
                    continue;
                };
                let findings =
                    contract.check_request(found.operation, &found.path_values, &query, body.as_ref());
                for finding in findings {
                    let open = OPEN.iter().any(|(field, _)| finding.place.starts_with(field));
                    if open || NEWER.iter().any(|(value, _)| finding.message.starts_with(value)) {
                        continue;
                    }
                    wrong.insert(format!(
                        "{} {method} {path}: {}: {}",
                        entry.info.name, finding.place, finding.message
                    ));
                }
                seen.insert((method, path, query, body.map(|body| body.to_string())));
            }
        }
        checked += seen.len();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(EXCEPTIONS.iter().all(|(exception, _)| used.contains(*exception)), "an exception is not needed");
    println!("{checked} different requests");
    assert!(checked > 500, "{checked}");
}
