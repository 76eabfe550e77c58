//! Validation of the requests of all commands against the vendor document, Swagger 2.0 as JSON, whose path is in
//! `S1_VENDOR_DOCUMENT`. The document is not part of this project; the test is skipped without it.

use std::collections::BTreeSet;

use sentinelone::ApiVersion;
use sentinelone::Timestamp;
use sentinelone::commands::{Argument, ArgumentKind, Arguments, RegisteredCommand, registry};
use sentinelone_contract::Contract;
use serde_json::{Map, Value, json};

const NOW: &str = "2026-11-21T08:30:00Z";

/// Requests that the document does not declare, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "GET /web/api/v2.1/private/threats/summary",
    "private; the only source is the code of the integration",
)];

/// Values that the document of June 2026 does not have, with their source.
const OTHER_VALUES: &[(&str, &str)] = &[
    ("\"POC\"", "a site type that the integration offers"),
    ("\"DEV\"", "a site type that the integration offers"),
    ("\"NFR\"", "a site type that the integration offers"),
    ("\"DataSetCloud\"", "a destination of script output that the integration offers"),
    ("\"processes\"", "a query type of STAR rules in the document of March 2024"),
    ("\"advanceddetection\"", "a query type of STAR rules in the document of March 2024"),
];

/// Fields that this project declares in another form than the document, with the reason.
const OPEN: &[(&str, &str)] = &[
    ("request.query.activityTypes", "each release adds numbers"),
    ("request.body.filter.isActive", "a list in June 2026, where consoles take one value too"),
];

/// Converts the requests of the document to OpenAPI 3.0.
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
                    location @ ("query" | "path") => parameters.push(json!({
                        "name": parameter["name"],
                        "in": location,
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
    // Names contain dots, but no slashes or tildes, which JSON pointers escape.
    let schemas: Map<_, _> = definitions.map(|(name, one)| (name.clone(), schema(one))).collect();
    json!({
        "openapi": "3.0.3",
        "servers": [{ "url": "https://console.example" }],
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// Converts a schema, or a parameter with schema keywords. Items of IDs have a numeric minimum although they are
/// strings, some enum values are arrays, and defaults are null. These keywords do not describe requests, so they are
/// dropped.
fn schema(node: &Value) -> Value {
    const KEYWORDS: [&str; 11] = [
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
    for name in KEYWORDS {
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

/// Returns values to try for an argument. The command rejects unsuitable ones.
fn candidates(argument: &Argument) -> Vec<String> {
    if !argument.values.is_empty() {
        return argument.values.iter().map(|value| (*value).to_owned()).collect();
    }
    let values: &[&str] = match argument.kind {
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
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// Returns sets of arguments: the required ones, these with each optional one, and these with all compatible ones.
fn argument_sets(entry: &RegisteredCommand) -> Vec<Vec<(&'static str, String)>> {
    let arguments = (entry.arguments)();
    let fits = |base: &[(&'static str, String)], extra: Option<(&'static str, &str)>| {
        let mut args = base.to_vec();
        args.extend(extra.map(|(name, value)| (name, value.to_owned())));
        requests(entry, &args).is_some().then_some(args)
    };
    // Arguments can be required in combinations that the registry does not declare.
    let mut bases: Vec<Vec<(&'static str, String)>> = vec![Vec::new()];
    for argument in arguments.iter().filter(|argument| argument.required) {
        let values = candidates(argument);
        bases = bases
            .iter()
            .flat_map(|base| {
                values.iter().map(|value| {
                    let mut base = base.clone();
                    base.push((argument.name, value.clone()));
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
            for value in candidates(argument) {
                found.extend(bases.iter().filter_map(|base| fits(base, Some((argument.name, &value)))));
            }
        }
    }
    found.truncate(60);
    let bases = found.clone();
    for argument in &arguments {
        for value in candidates(argument) {
            let more = bases.iter().filter(|base| base.iter().all(|(name, _)| *name != argument.name));
            found.extend(more.take(3).filter_map(|base| fits(base, Some((argument.name, &value)))));
        }
    }
    // As many compatible arguments as possible.
    for base in bases.iter().take(3) {
        let mut all = base.clone();
        for argument in &arguments {
            let free = all.iter().all(|(name, _)| *name != argument.name);
            let mut values = candidates(argument).into_iter().filter(|_| free);
            if let Some(more) = values.find_map(|value| fits(&all, Some((argument.name, &value)))) {
                all = more;
            }
        }
        found.push(all);
    }
    found
}

type RequestTuple = (String, String, Vec<(String, String)>, Option<Value>);

/// Returns method, path, query and body of the requests of a command on API 2.1.
fn requests(entry: &RegisteredCommand, args: &[(&'static str, String)]) -> Option<Vec<RequestTuple>> {
    let start = Arguments::new().relative_to(Timestamp::from(NOW));
    let arguments = args.iter().fold(start, |arguments, (name, value)| arguments.with(name, value.as_str()));
    let requests = entry.prepare(arguments).ok()?.requests(ApiVersion::V2_1).ok()?;
    let tuples = requests.iter().map(|request| {
        let path = request.path(ApiVersion::V2_1).unwrap();
        (request.method().as_str().to_owned(), path, request.query(), request.body().cloned())
    });
    Some(tuples.collect())
}

#[test]
fn command_requests_conform_to_vendor_document() {
    let Some(path) = std::env::var_os("S1_VENDOR_DOCUMENT") else { return };
    let json = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let contract = Contract::from_document(openapi(&serde_json::from_str(&json).unwrap())).unwrap();
    let (mut checked, mut used) = (0, BTreeSet::new());
    let mut failures = BTreeSet::new();
    for entry in registry().iter().filter(|entry| entry.info.versions.contains(&ApiVersion::V2_1)) {
        let sets = argument_sets(entry);
        assert!(!sets.is_empty(), "{}: no valid set of arguments", entry.info.name);
        let mut distinct = BTreeSet::new();
        for args in sets {
            for (method, path, query, body) in requests(entry, &args).unwrap() {
                let Some(found) = contract.match_operation(&method, &path) else {
                    let operation = format!("{method} {path}");
                    assert!(EXCEPTIONS.iter().any(|(exception, _)| *exception == operation), "{operation}");
                    used.insert(operation);
                    continue;
                };
                let findings =
                    contract.check_request(found.operation, &found.path_values, &query, body.as_ref());
                for finding in findings {
                    let open = OPEN.iter().any(|(field, _)| finding.location.starts_with(field));
                    if open || OTHER_VALUES.iter().any(|(value, _)| finding.message.starts_with(value)) {
                        continue;
                    }
                    failures.insert(format!(
                        "{} {method} {path}: {}: {}",
                        entry.info.name, finding.location, finding.message
                    ));
                }
                distinct.insert((method, path, query, body.map(|body| body.to_string())));
            }
        }
        checked += distinct.len();
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(EXCEPTIONS.iter().all(|(exception, _)| used.contains(*exception)), "an exception is not used");
    println!("{checked} distinct requests");
    assert!(checked > 500, "{checked}");
}
