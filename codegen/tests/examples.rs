//! Tests of the generated fixtures: they match `spec/`, are complete, and contain only invented values.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/curated.rs"]
mod curated;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::LazyLock;

use sentinelone_codegen::bundle::{Bundle, Operation, reference};
use sentinelone_codegen::files::{self, Changes, Files};
use sentinelone_codegen::{Error, examples, fixtures};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::read(&curated::spec()).unwrap().sent_by_client());

static FILES: LazyLock<Files> = LazyLock::new(|| examples::all(&BUNDLE).unwrap());

/// Returns the example of an operation with this name, if it exists.
fn example(id: &str, name: &str) -> Option<Value> {
    FILES.get(&format!("{id}/generated_{name}.json")).map(|text| serde_json::from_str(text).unwrap())
}

#[test]
fn fixtures_in_repository_are_current() {
    let files = fixtures(&root().join("spec")).unwrap();
    if let Err(error) = files::check_fixtures(&root().join("fixtures"), &files) {
        panic!("{error}");
    }
}

#[test]
fn generate_is_deterministic() {
    assert!(*FILES == fixtures(&curated::spec()).unwrap());
}

#[test]
fn write_owned_updates_only_generated_fixtures() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path();
    fs::create_dir(directory.join("a_list")).unwrap();
    fs::write(directory.join("README.md"), "by hand\n").unwrap();
    fs::write(directory.join("a_list/one.json"), "by hand\n").unwrap();
    let expected = Files::from([
        ("a_list/generated_full.json".to_owned(), "{}\n".to_owned()),
        ("b_get/generated_full.json".to_owned(), "{ }\n".to_owned()),
    ]);
    let write = || files::write_owned(directory, &expected, examples::owns).unwrap();
    assert_eq!(write().written, ["a_list/generated_full.json", "b_get/generated_full.json"]);
    files::check_fixtures(directory, &expected).unwrap();
    assert_eq!(write(), Changes::default());

    fs::write(directory.join("a_list/generated_full.json"), "{\r\n}\n").unwrap();
    fs::write(directory.join("a_list/generated_old.json"), "{}\n").unwrap();
    fs::remove_file(directory.join("b_get/generated_full.json")).unwrap();
    let error = files::check_fixtures(directory, &expected).unwrap_err();
    assert!(matches!(error, Error::Fixtures(_)), "{error:?}");
    let text = error.to_string();
    for line in [
        "--- a/fixtures/a_list/generated_full.json\n",
        "--- a/fixtures/a_list/generated_old.json\n",
        "+++ b/fixtures/b_get/generated_full.json\n",
        "run `cargo xtask fixtures` and commit the result",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    assert!(!text.contains("one.json") && !text.contains("README"), "{text}");

    let changes = write();
    assert_eq!(changes.written, ["a_list/generated_full.json", "b_get/generated_full.json"]);
    assert_eq!(changes.removed, ["a_list/generated_old.json"]);
    files::check_fixtures(directory, &expected).unwrap();
    assert!(directory.join("README.md").exists() && directory.join("a_list/one.json").exists());
}

/// Declaration of a response field in the specification.
#[derive(Debug, Default)]
struct Declared {
    nullable: bool,
    free: bool,
}

fn add_declared(schema: &Value, location: &str, into: &mut BTreeMap<String, Declared>) {
    let inner = reference(schema).map_or(schema, |name| BUNDLE.schema(name).unwrap());
    let entry = into.entry(location.to_owned()).or_default();
    entry.nullable |= schema["nullable"] == true || inner["nullable"] == true;
    entry.free |= inner["additionalProperties"] == true;
    for (name, property) in inner["properties"].as_object().into_iter().flatten() {
        add_declared(property, &format!("{location}.{name}"), into);
    }
    if inner["items"].is_object() {
        add_declared(&inner["items"], &format!("{location}[]"), into);
    }
    if inner["additionalProperties"].is_object() {
        add_declared(&inner["additionalProperties"], &format!("{location}.*"), into);
    }
}

/// Adds the fields of a response by location, with whether each occurrence is null.
fn add_present(
    value: &Value,
    location: &str,
    declared: &BTreeMap<String, Declared>,
    into: &mut BTreeMap<String, bool>,
) {
    *into.entry(location.to_owned()).or_insert(true) &= value.is_null();
    match value {
        Value::Array(items) => {
            items.iter().for_each(|item| add_present(item, &format!("{location}[]"), declared, into))
        }
        Value::Object(_) if declared.get(location).is_some_and(|field| field.free) => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                let key = format!("{location}.*");
                let below = if declared.contains_key(&key) { key } else { format!("{location}.{name}") };
                add_present(value, &below, declared, into);
            }
        }
        _ => {}
    }
}

fn json_responses() -> impl Iterator<Item = (Operation<'static>, BTreeMap<String, Declared>)> {
    BUNDLE.operations().filter_map(|operation| {
        let (_, response) = operation.success().unwrap();
        let schema = &response["content"]["application/json"]["schema"];
        let mut all = BTreeMap::new();
        if schema.is_null() {
            return None;
        }
        add_declared(schema, "", &mut all);
        // A success has no errors.
        all.retain(|location, _| !location.starts_with(".errors["));
        Some((operation, all))
    })
}

#[test]
fn full_example_has_every_declared_field() {
    let mut fields = 0;
    for (operation, declared) in json_responses() {
        let id = operation.id();
        let mut present = BTreeMap::new();
        add_present(&example(id, "full").unwrap()["response"], "", &declared, &mut present);
        let expected: BTreeSet<&String> = declared.keys().collect();
        assert_eq!(present.keys().collect::<BTreeSet<_>>(), expected, "{id}");
        // The full example has no next page, so its cursor is null.
        present.remove(".pagination.nextCursor");
        let nulls: Vec<_> = present.iter().filter(|(_, null)| **null).collect();
        assert!(nulls.is_empty(), "{id}: {nulls:?}");
        fields += expected.len();
    }
    assert!(fields > 1500, "{fields}");
}

#[test]
fn full_example_success_members_are_true() {
    fn success_values<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
        match value {
            Value::Object(map) => {
                // A number with this name is a count.
                into.extend(map.get("success").filter(|value| !value.is_number()));
                map.values().for_each(|inner| success_values(inner, into));
            }
            Value::Array(list) => list.iter().for_each(|inner| success_values(inner, into)),
            _ => {}
        }
    }
    let mut checked = 0;
    for (operation, _) in json_responses() {
        let example = example(operation.id(), "full").unwrap();
        let mut all = Vec::new();
        success_values(&example["response"]["data"], &mut all);
        checked += all.len();
        assert!(all.iter().all(|value| **value == true || **value == "true"), "{}: {all:?}", operation.id());
    }
    assert!(checked >= 4, "{checked}");
}

#[test]
fn null_example_has_exactly_the_declared_nulls() {
    let mut nulls = 0;
    for (operation, declared) in json_responses() {
        let id = operation.id();
        let response = &example(id, "null").unwrap()["response"];
        let first = match &response["data"] {
            Value::Array(items) => &items[0],
            data => data,
        };
        let location = if response["data"].is_array() { ".data[]" } else { ".data" };
        let mut present = BTreeMap::new();
        add_present(first, location, &declared, &mut present);
        for (location, null) in present.iter().filter(|(location, _)| !location.contains("sites[]")) {
            assert_eq!(*null, declared[location].nullable, "{id}: {location}");
            nulls += usize::from(*null);
        }
        let mut all = BTreeMap::new();
        add_present(response, "", &declared, &mut all);
        for (location, null) in all {
            assert!(!null || declared[&location].nullable, "{id}: {location}");
        }
    }
    assert!(nulls > 150, "{nulls}");
}

#[test]
fn examples_match_operation_kind() {
    for operation in BUNDLE.operations() {
        let id = operation.id();
        let metadata = &operation.node["x-s1"];
        let has = |name: &str| example(id, name).is_some();
        assert!(has("full"), "{id}");
        let binary = operation.success().unwrap().1["content"]["application/json"].is_null();
        assert_eq!(has("null"), !binary, "{id}");
        let success = &operation.success().unwrap().1["content"]["application/json"]["schema"];
        let has_data = success["properties"].get("data").is_some();
        assert_eq!(has("no_effect"), metadata["kind"] == "action" && has_data, "{id}");
        for name in ["middle_page", "last_page"] {
            assert_eq!(has(name), metadata["paging"] == "cursor", "{id}: {name}");
        }
        let mut failures: Vec<&String> = operation.node["responses"].as_object().unwrap().keys().collect();
        failures.retain(|status| status.as_str() >= "400");
        let count = FILES.keys().filter(|name| name.starts_with(&format!("{id}/generated_error_"))).count();
        assert_eq!(count, failures.len().max(1), "{id}");
        assert!(failures.iter().all(|status| has(&format!("error_{status}"))), "{id}");
    }
}

#[test]
fn page_examples_are_consecutive() {
    let mut lists = 0;
    for operation in BUNDLE.operations() {
        let id = operation.id();
        let (Some(middle), Some(last)) = (example(id, "middle_page"), example(id, "last_page")) else {
            continue;
        };
        assert_eq!(
            last["request"]["query"]["cursor"], middle["response"]["pagination"]["nextCursor"],
            "{id}"
        );
        assert!(last["response"]["pagination"]["nextCursor"].is_null(), "{id}");
        let list = |page: &Value| {
            let data = &page["response"]["data"];
            data.as_array().or_else(|| data["sites"].as_array()).unwrap().len() as u64
        };
        let total = middle["response"]["pagination"]["totalItems"].as_u64().unwrap();
        assert!(list(&middle) > 0 && total > list(&middle) + list(&last), "{id}");
        lists += 1;
    }
    assert!(lists > 15, "{lists}");
}

/// Host names, IP addresses and email addresses are in the ranges reserved for documentation.
#[test]
fn example_values_are_reserved_for_documentation() {
    fn strings(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
            Value::Object(fields) => fields.values().for_each(|value| strings(value, into)),
            _ => {}
        }
    }
    let (mut addresses, mut emails) = (0, 0);
    for (name, text) in FILES.iter() {
        let exchange: Value = serde_json::from_str(text).unwrap();
        assert_eq!(exchange["provenance"]["kind"], "generated");
        assert!(text.ends_with("}\n") && !text.contains("eyJ"), "{name}");
        let mut all = Vec::new();
        strings(&exchange["response"], &mut all);
        strings(&exchange["request"], &mut all);
        for text in all {
            // An agent version has the form of an IPv4 address.
            if let Ok(address) = text.parse::<Ipv4Addr>()
                && !text.starts_with("24.")
            {
                assert!(address.is_documentation(), "{name}: {text}");
                addresses += 1;
            }
            if let Some((_, domain)) = text.split_once('@') {
                assert_eq!(domain, "example.com", "{name}");
                emails += 1;
            }
            if let Some((_, rest)) = text.split_once("://") {
                assert!(rest.starts_with("files.example.com/"), "{name}: {text}");
            }
        }
    }
    assert!(addresses > 20 && emails > 5, "{addresses} addresses, {emails} emails");
}
