//! The specification is changed in place: what was asked for changes, and nothing else does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use sentinelone_codegen::lint;
use sentinelone_codegen::rewrite::locate::Map;
use sentinelone_codegen::rewrite::{Change, NewOperation, Report, apply};
use sentinelone_codegen::sources::Sources;
use sentinelone_codegen::surface::{Key, OF_THE_SITE, Surface};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

const DATE: &str = "2024-03";

static SPEC: LazyLock<Sources> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("spec");
    Sources::read(&folder).unwrap()
});

static SURFACE: LazyLock<Surface> = LazyLock::new(|| surface(&SPEC));

static MAP: LazyLock<Map> = LazyLock::new(|| Map::of(&SPEC));

/// What the sources say, without texts and without the order of lists that have none.
fn surface(sources: &Sources) -> Surface {
    let mut surface = Surface::of(&sources.bundle().unwrap().document);
    for operation in surface.operations.values_mut() {
        for node in operation.places.values_mut() {
            node.facts.remove("description");
            if let Some(Value::Array(values)) = node.facts.get_mut("enum") {
                values.sort_by_key(Value::to_string);
            }
        }
    }
    surface
}

/// Facts of all places, whichever schema they stand in.
type AllFacts = BTreeMap<(Key, String), BTreeMap<&'static str, Value>>;

fn facts(surface: &Surface) -> AllFacts {
    let mut all = AllFacts::new();
    for (key, operation) in &surface.operations {
        all.insert((key.clone(), String::new()), operation.facts.clone());
        for (place, node) in &operation.places {
            let mut facts = node.facts.clone();
            // Of what selects nothing, the new document says nothing.
            facts.retain(|name, _| !matches!(*name, "selects" | "secret"));
            all.insert((key.clone(), place.clone()), facts);
        }
    }
    all
}

fn same(one: &Sources, other: &Surface, what: &str) {
    let (one, other) = (facts(&surface(one)), facts(other));
    for (place, facts) in &one {
        assert_eq!(Some(facts), other.get(place), "{what}: {place:?}");
    }
    assert_eq!(one.len(), other.len(), "{what}");
}

fn sound(sources: &Sources) {
    let findings = lint::check(&sources.bundle().unwrap());
    assert!(
        findings.is_empty(),
        "{}",
        findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    );
}

fn all_done(report: &Report, what: &str) {
    assert!(report.refused.is_empty(), "{what}: {:#?}", report.refused);
}

/// The lines that are gone and the lines that are new, by file.
fn changed_lines(one: &Sources, other: &Sources) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let mut changed = BTreeMap::new();
    let (one, other) = (one.texts(), other.texts());
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    for name in names {
        let none = String::new();
        let (before, after) = (one.get(name).unwrap_or(&none), other.get(name).unwrap_or(&none));
        if before == after {
            continue;
        }
        let diff = TextDiff::from_lines(before.as_str(), after.as_str());
        let lines = |tag: ChangeTag| {
            let changes = diff.iter_all_changes().filter(|change| change.tag() == tag);
            changes.map(|change| change.value().to_string()).collect::<Vec<_>>()
        };
        changed.insert(name.clone(), (lines(ChangeTag::Delete), lines(ChangeTag::Insert)));
    }
    changed
}

fn comments(sources: &Sources) -> Vec<String> {
    let texts = sources.texts();
    let lines = texts.values().flat_map(|text| text.lines());
    lines.filter(|line| line.trim_start().starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn nothing_to_change_changes_no_byte() {
    let mut sources = SPEC.clone();
    let report = apply(&mut sources, Vec::new(), DATE).unwrap();
    assert_eq!(report, Report::default());
    assert!(sources.texts() == SPEC.texts());
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(sources.write(folder.path()).unwrap(), Vec::<String>::new());
}

#[test]
fn places_are_found_where_the_bundle_has_them() {
    let mut checked = 0;
    for (key, operation) in &SURFACE.operations {
        let places = &MAP.operations[key];
        let found: BTreeSet<&String> = places.keys().collect();
        assert_eq!(found, operation.places.keys().collect(), "{key}");
        for (place, node) in &operation.places {
            let located = &places[place];
            // A schema of the bundle is one of the files.
            let name = located.target.schema_name();
            if let Some(schema) = &node.target.schema {
                assert_eq!(name, Some(schema.as_str()), "{key} {place}");
            }
            let there = SPEC.at(&located.target.file, &located.target.pointer);
            for (fact, value) in &node.facts {
                if !OF_THE_SITE.contains(fact) && !["media", "recursive", "unresolved", "enum"].contains(fact)
                {
                    let site = SPEC.at(&located.site.file, &located.site.pointer).unwrap();
                    let said = site.get(*fact).or(there.unwrap().get(*fact));
                    assert_eq!(said, Some(value), "{key} {place} {fact}");
                }
            }
            checked += 1;
        }
    }
    assert!(checked > 5000, "{checked}");
}
