//! JSON Schemas of the arguments, and arguments as a JSON object.

use std::collections::BTreeSet;

use sentinelone::commands::{Argument, ArgumentKind, Arguments, registry};
use serde_json::{Map, Value, json};

use crate::{V2_1, arguments, entry};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// The schema of each command has each of its arguments, and nothing else.
#[test]
fn schema_of_each_command_equals_its_arguments() {
    for entry in registry() {
        let (schema, arguments) = (entry.arguments_schema(), (entry.arguments)());
        let name = entry.info.name;
        assert_eq!(schema["title"], name);
        assert_eq!(schema["additionalProperties"], false, "{name}");
        assert!(!entry.info.description.is_empty(), "{name}");
        let properties = schema["properties"].as_object().unwrap();
        let names: BTreeSet<&str> = arguments.iter().map(|argument| argument.name).collect();
        assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), names, "{name}");
        let required: Vec<_> =
            arguments.iter().filter(|argument| argument.required).map(|argument| argument.name).collect();
        assert_eq!(schema["required"], json!(required), "{name}");
        for argument in arguments {
            check_property(&argument, &properties[argument.name]);
        }
    }
}

fn check_property(argument: &Argument, property: &Value) {
    let name = argument.name;
    assert_eq!(property["description"], argument.doc, "{name}");
    assert_eq!(property["writeOnly"] == true, argument.secret, "{name}");
    let text = if argument.kind == ArgumentKind::List { &property["items"] } else { property };
    if argument.kind != ArgumentKind::Boolean && !argument.values.is_empty() {
        assert_eq!(text["enum"], json!(argument.values), "{name}");
    }
    let kind = match argument.kind {
        ArgumentKind::List => json!("array"),
        ArgumentKind::Boolean => json!("boolean"),
        ArgumentKind::Integer if argument.accepts_all => Value::Null,
        ArgumentKind::Integer => json!("integer"),
        _ => json!("string"),
    };
    assert_eq!(property["type"], kind, "{name}");
    // A default is a value of the property's own type, which the command accepts.
    if let Some(default) = argument.default {
        let typed = &property["default"];
        let text = typed.as_str().map_or_else(|| typed.to_string(), str::to_owned);
        assert_eq!(text, default, "{name}");
        assert_eq!(typed.is_string(), matches!(argument.kind, ArgumentKind::String | ArgumentKind::Time));
    }
}

/// A command reports only required arguments as missing, and others together with the condition.
#[test]
fn schema_requires_what_the_command_cannot_run_without() {
    for entry in registry() {
        let required = (entry.arguments)().into_iter().filter(|argument| argument.required);
        let arguments = required.fold(Arguments::new(), |arguments, argument| {
            let value = match argument.kind {
                ArgumentKind::Boolean => "true",
                ArgumentKind::Time => "2036-01-01",
                _ => argument.values.first().copied().unwrap_or("11"),
            };
            arguments.with(argument.name, value)
        });
        let prepared = entry.prepare(arguments).map_err(sentinelone::Error::from);
        let requests = prepared.and_then(|command| command.requests(entry.info.versions[0]));
        let error = requests.err().map(|error| error.to_string()).unwrap_or_default();
        let is_unconditional = error.ends_with("is missing") || error.contains("is missing; expected");
        assert!(!is_unconditional, "{}: {error}", entry.info.name);
    }
}

/// An argument with the name of a secret is a secret in each command.
#[test]
fn secret_arguments_are_secret_in_each_command() {
    let all = || registry().iter().flat_map(|entry| (entry.arguments)());
    let secret: BTreeSet<&str> = all().filter(|one| one.secret).map(|one| one.name).collect();
    assert!(secret.contains("password") && secret.contains("api_key"));
    assert!(all().all(|one| one.secret == secret.contains(one.name)));
}

#[test]
fn arguments_from_json_equal_arguments_from_text() {
    let members = object(json!({
        "threat-ids": ["1", "2"], "resolved": true, "limit": 5, "created_after": "2026-11-20", "rank": null,
    }));
    let parsed = Arguments::from_json(&members).unwrap();
    let requests = |arguments| entry("get-threats").prepare(arguments).unwrap().requests(V2_1).unwrap();
    let texts =
        [("threat_ids", "1,2"), ("resolved", "true"), ("limit", "5"), ("created_after", "2026-11-20")];
    assert_eq!(requests(parsed), requests(arguments(&texts)));
    let delta = json!({ "remoteId": "9", "incidentChanged": true, "delta": { "sentinelonethreatstatus": "Resolved" } });
    let parsed = Arguments::from_json(&object(delta)).unwrap();
    assert!(!entry("update-remote-system").prepare(parsed).unwrap().requests(V2_1).unwrap().is_empty());
}

#[test]
fn arguments_from_json_invalid_members_are_rejected() {
    let twice = object(json!({ "threat-ids": ["1"], "threat_ids": ["2"] }));
    assert!(Arguments::from_json(&twice).unwrap_err().to_string().contains("set twice"));
    for (members, about) in [
        (json!({ "threat_ids": [] }), "empty item"),
        (json!({ "threat_ids": [{}] }), "not strings"),
        (json!({ "resolved": 1 }), "true or false"),
        (json!({ "limit": 1.5 }), "integer"),
        (json!({ "unknown": "1" }), "not an argument"),
    ] {
        let error = entry("get-threats").prepare(Arguments::from_json(&object(members.clone())).unwrap());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(about), "{members}: {error}");
    }
}
