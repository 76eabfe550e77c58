//! The generated part of `fixtures/` is what `spec/` gives, shows what it has to, and is invented.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says where"
)]

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

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::read(&root().join("spec")).unwrap());

static FILES: LazyLock<Files> = LazyLock::new(|| examples::all(&BUNDLE).unwrap());

/// An example of an operation, if there is one of this name.
fn example(id: &str, name: &str) -> Option<Value> {
    FILES.get(&format!("{id}/generated_{name}.json")).map(|text| serde_json::from_str(text).unwrap())
}

#[test]
fn repository_has_no_drift() {
    if let Err(error) = files::check_fixtures(&root().join("fixtures"), &FILES) {
        panic!("{error}");
    }
}

#[test]
fn twice_gives_the_same_bytes() {
    assert!(*FILES == fixtures(&root().join("spec")).unwrap());
}

#[test]
fn what_is_changed_missing_or_left_over_is_named_and_the_rest_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::create_dir(folder.join("a_list")).unwrap();
    fs::write(folder.join("README.md"), "by hand\n").unwrap();
    fs::write(folder.join("a_list/one.json"), "by hand\n").unwrap();
    let wanted = Files::from([
        ("a_list/generated_full.json".to_owned(), "{}\n".to_owned()),
        ("b_get/generated_full.json".to_owned(), "{ }\n".to_owned()),
    ]);
    let write = || files::write_owned(folder, &wanted, examples::owns).unwrap();
    assert_eq!(write().written, ["a_list/generated_full.json", "b_get/generated_full.json"]);
    files::check_fixtures(folder, &wanted).unwrap();
    assert_eq!(write(), Changes::default());

    fs::write(folder.join("a_list/generated_full.json"), "{\r\n}\n").unwrap();
    fs::write(folder.join("a_list/generated_old.json"), "{}\n").unwrap();
    fs::remove_file(folder.join("b_get/generated_full.json")).unwrap();
    let error = files::check_fixtures(folder, &wanted).unwrap_err();
    assert!(matches!(error, Error::Fixtures(_)), "{error:?}");
    let text = error.to_string();
    for line in [
        "--- a/fixtures/a_list/generated_full.json\n",
        "--- a/fixtures/a_list/generated_old.json\n",
        "+++ b/fixtures/b_get/generated_full.json\n",
        "run `cargo xtask fixtures` and commit the result",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("one.json") && !text.contains("README"), "{text}");

    let changes = write();
    assert_eq!(changes.written, ["a_list/generated_full.json", "b_get/generated_full.json"]);
    assert_eq!(changes.removed, ["a_list/generated_old.json"]);
    files::check_fixtures(folder, &wanted).unwrap();
    assert!(folder.join("README.md").exists() && folder.join("a_list/one.json").exists());
}

/// What the specification says of a field of an answer.
#[derive(Debug, Default)]
struct Declared {
    nullable: bool,
    free: bool,
}

fn declared(schema: &Value, place: &str, into: &mut BTreeMap<String, Declared>) {
    let inner = reference(schema).map_or(schema, |name| BUNDLE.schema(name).unwrap());
    let entry = into.entry(place.to_owned()).or_default();
    entry.nullable |= schema["nullable"] == true || inner["nullable"] == true;
    entry.free |= inner["additionalProperties"] == true;
    for (name, property) in inner["properties"].as_object().into_iter().flatten() {
        declared(property, &format!("{place}.{name}"), into);
    }
    if inner["items"].is_object() {
        declared(&inner["items"], &format!("{place}[]"), into);
    }
    if inner["additionalProperties"].is_object() {
        declared(&inner["additionalProperties"], &format!("{place}.*"), into);
    }
}

/// The fields of an answer by place, with whether each is null wherever it is.
fn shown(value: &Value, place: &str, known: &BTreeMap<String, Declared>, into: &mut BTreeMap<String, bool>) {
    *into.entry(place.to_owned()).or_insert(true) &= value.is_null();
    match value {
        Value::Array(items) => items.iter().for_each(|item| shown(item, &format!("{place}[]"), known, into)),
        Value::Object(_) if known.get(place).is_some_and(|declared| declared.free) => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                let key = format!("{place}.*");
                let below = if known.contains_key(&key) { key } else { format!("{place}.{name}") };
                shown(value, &below, known, into);
            }
        }
        _ => {}
    }
}

fn answers() -> impl Iterator<Item = (Operation<'static>, BTreeMap<String, Declared>)> {
    BUNDLE.operations().filter_map(|operation| {
        let (_, answer) = operation.success().unwrap();
        let schema = &answer["content"]["application/json"]["schema"];
        let mut all = BTreeMap::new();
        if schema.is_null() {
            return None;
        }
        declared(schema, "", &mut all);
        // A success has no errors.
        all.retain(|place, _| !place.starts_with(".errors["));
        Some((operation, all))
    })
}

#[test]
fn a_full_answer_shows_every_declared_field() {
    let mut fields = 0;
    for (operation, declared) in answers() {
        let id = operation.id();
        let mut there = BTreeMap::new();
        shown(&example(id, "full").unwrap()["response"], "", &declared, &mut there);
        let wanted: BTreeSet<&String> = declared.keys().collect();
        assert_eq!(there.keys().collect::<BTreeSet<_>>(), wanted, "{id}");
        // What has no next page has no cursor.
        there.remove(".pagination.nextCursor");
        let nulls: Vec<_> = there.iter().filter(|(_, null)| **null).collect();
        assert!(nulls.is_empty(), "{id}: {nulls:?}");
        fields += wanted.len();
    }
    assert!(fields > 1500, "{fields}");
}

/// A success does not say that it is none.
#[test]
fn a_full_answer_says_that_it_is_one() {
    fn said<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
        match value {
            Value::Object(map) => {
                // A number of that name is a count.
                into.extend(map.get("success").filter(|word| !word.is_number()));
                map.values().for_each(|inner| said(inner, into));
            }
            Value::Array(list) => list.iter().for_each(|inner| said(inner, into)),
            _ => {}
        }
    }
    let mut words = 0;
    for (operation, _) in answers() {
        let example = example(operation.id(), "full").unwrap();
        let mut all = Vec::new();
        said(&example["response"]["data"], &mut all);
        words += all.len();
        assert!(all.iter().all(|word| **word == true || **word == "true"), "{}: {all:?}", operation.id());
    }
    assert!(words >= 4, "{words}");
}

#[test]
fn a_null_answer_has_every_null_that_is_declared_and_no_other() {
    let mut nulls = 0;
    for (operation, declared) in answers() {
        let id = operation.id();
        let answer = &example(id, "null").unwrap()["response"];
        let first = match &answer["data"] {
            Value::Array(items) => &items[0],
            data => data,
        };
        let place = if answer["data"].is_array() { ".data[]" } else { ".data" };
        let mut there = BTreeMap::new();
        shown(first, place, &declared, &mut there);
        for (place, null) in there.iter().filter(|(place, _)| !place.contains("sites[]")) {
            assert_eq!(*null, declared[place].nullable, "{id}: {place}");
            nulls += usize::from(*null);
        }
        let mut all = BTreeMap::new();
        shown(answer, "", &declared, &mut all);
        for (place, null) in all {
            assert!(!null || declared[&place].nullable, "{id}: {place}");
        }
    }
    assert!(nulls > 150, "{nulls}");
}

#[test]
fn every_operation_has_the_examples_of_its_kind() {
    for operation in BUNDLE.operations() {
        let id = operation.id();
        let facts = &operation.node["x-s1"];
        let has = |name: &str| example(id, name).is_some();
        assert!(has("full"), "{id}");
        let binary = operation.success().unwrap().1["content"]["application/json"].is_null();
        assert_eq!(has("null"), !binary, "{id}");
        assert_eq!(has("nothing"), facts["kind"] == "action", "{id}");
        for name in ["middle_page", "last_page"] {
            assert_eq!(has(name), facts["paging"] == "cursor", "{id}: {name}");
        }
        let mut failures: Vec<&String> = operation.node["responses"].as_object().unwrap().keys().collect();
        failures.retain(|status| status.as_str() >= "400");
        let count = FILES.keys().filter(|name| name.starts_with(&format!("{id}/generated_error_"))).count();
        assert_eq!(count, failures.len().max(1), "{id}");
        assert!(failures.iter().all(|status| has(&format!("error_{status}"))), "{id}");
    }
}

/// The pages of a list are those of one walk.
#[test]
fn one_page_leads_to_the_next() {
    let mut walks = 0;
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
        let in_all = middle["response"]["pagination"]["totalItems"].as_u64().unwrap();
        assert!(list(&middle) > 0 && in_all > list(&middle) + list(&last), "{id}");
        walks += 1;
    }
    assert!(walks > 15, "{walks}");
}

/// Nothing that could belong to anybody: addresses, names and people are of the ranges kept free for examples.
#[test]
fn values_are_invented() {
    fn texts(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
            Value::Object(fields) => fields.values().for_each(|value| texts(value, into)),
            _ => {}
        }
    }
    let (mut addresses, mut people) = (0, 0);
    for (name, text) in FILES.iter() {
        let exchange: Value = serde_json::from_str(text).unwrap();
        assert_eq!(exchange["provenance"]["kind"], "generated");
        assert!(text.ends_with("}\n") && !text.contains("eyJ"), "{name}");
        let mut all = Vec::new();
        texts(&exchange["response"], &mut all);
        texts(&exchange["request"], &mut all);
        for text in all {
            // A version of an agent looks like an address.
            if let Ok(address) = text.parse::<Ipv4Addr>()
                && !text.starts_with("24.")
            {
                assert!(address.is_documentation(), "{name}: {text}");
                addresses += 1;
            }
            if let Some((_, domain)) = text.split_once('@') {
                assert_eq!(domain, "example.com", "{name}");
                people += 1;
            }
            if let Some((_, rest)) = text.split_once("://") {
                assert!(rest.starts_with("files.example.com/"), "{name}: {text}");
            }
        }
    }
    assert!(addresses > 20 && people > 5, "{addresses} addresses, {people} people");
}
