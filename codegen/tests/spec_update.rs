//! Tests of in-place changes of the specification: only the requested nodes change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/curated.rs"]
mod curated;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use sentinelone_codegen::lint;
use sentinelone_codegen::spec_update::locate::LocationIndex;
use sentinelone_codegen::spec_update::{Change, NewOperation, Report, apply};
use sentinelone_codegen::surface::{Key, SITE_FACTS, Surface};
use sentinelone_codegen::yaml_editor::Sources;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

const DATE: &str = "2024-03";

static SPEC: LazyLock<Sources> = LazyLock::new(|| Sources::read(&curated::spec()).unwrap());

static SURFACE: LazyLock<Surface> = LazyLock::new(|| surface(&SPEC));

static LOCATIONS: LazyLock<LocationIndex> = LazyLock::new(|| LocationIndex::new(&SPEC));

/// Returns the surface of the sources without descriptions, with sorted enums.
fn surface(sources: &Sources) -> Surface {
    let mut surface = Surface::from_document(&sources.bundle().unwrap().document);
    for operation in surface.operations.values_mut() {
        for node in operation.locations.values_mut() {
            node.facts.remove("description");
            if let Some(Value::Array(values)) = node.facts.get_mut("enum") {
                values.sort_by_key(Value::to_string);
            }
        }
    }
    surface
}

/// Facts of all locations.
type AllFacts = BTreeMap<(Key, String), BTreeMap<&'static str, Value>>;

fn facts(surface: &Surface) -> AllFacts {
    let mut all = AllFacts::new();
    for (key, operation) in &surface.operations {
        all.insert((key.clone(), String::new()), operation.facts.clone());
        for (location, node) in &operation.locations {
            let mut facts = node.facts.clone();
            // The new document has no `x-s1` metadata.
            facts.retain(|name, _| !matches!(*name, "selective" | "secret"));
            all.insert((key.clone(), location.clone()), facts);
        }
    }
    all
}

fn assert_same_facts(one: &Sources, other: &Surface, context: &str) {
    let (one, other) = (facts(&surface(one)), facts(other));
    for (location, facts) in &one {
        assert_eq!(Some(facts), other.get(location), "{context}: {location:?}");
    }
    assert_eq!(one.len(), other.len(), "{context}");
}

fn assert_no_lint_findings(sources: &Sources) {
    let findings = lint::check(&sources.bundle().unwrap());
    assert!(
        findings.is_empty(),
        "{}",
        findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    );
}

fn assert_all_applied(report: &Report, context: &str) {
    assert!(report.rejected.is_empty(), "{context}: {:#?}", report.rejected);
}

/// Returns the removed and the added lines, by file.
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

/// Returns all comments except the one above the enums of a file.
fn comments(sources: &Sources) -> Vec<String> {
    let texts = sources.texts();
    let lines = texts.values().flat_map(|text| text.lines());
    let comments = lines.filter(|line| line.trim_start().starts_with('#'));
    comments.filter(|line| !line.contains("# Enums.")).map(str::to_owned).collect()
}

#[test]
fn apply_without_changes_is_a_no_op() {
    let mut sources = SPEC.clone();
    let report = apply(&mut sources, Vec::new(), DATE).unwrap();
    assert_eq!(report, Report::default());
    assert!(sources.texts() == SPEC.texts());
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(sources.write(directory.path()).unwrap(), Vec::<String>::new());
}

#[test]
fn location_index_matches_bundle() {
    let mut checked = 0;
    for (key, operation) in &SURFACE.operations {
        let locations = &LOCATIONS.operations[key];
        let found: BTreeSet<&String> = locations.keys().collect();
        assert_eq!(found, operation.locations.keys().collect(), "{key}");
        for (location, node) in &operation.locations {
            let located = &locations[location];
            // Schema names in the bundle equal those in the files.
            let name = located.target.schema_name();
            if let Some(schema) = &node.target.schema {
                assert_eq!(name, Some(schema.as_str()), "{key} {location}");
            }
            let target = SPEC.at(&located.target.file, &located.target.pointer);
            for (fact, value) in &node.facts {
                if !SITE_FACTS.contains(fact) && !["media", "recursive", "unresolved", "enum"].contains(fact)
                {
                    let site = SPEC.at(&located.site.file, &located.site.pointer).unwrap();
                    let declared = site.get(*fact).or(target.unwrap().get(*fact));
                    assert_eq!(declared, Some(value), "{key} {location} {fact}");
                }
            }
            checked += 1;
        }
    }
    assert!(checked > 5000, "{checked}");
}

/// Deterministic random numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn sample<T>(&mut self, mut all: Vec<T>, count: usize) -> Vec<T> {
        let mut chosen = Vec::new();
        while chosen.len() < count && !all.is_empty() {
            let index = (self.next() % all.len() as u64) as usize;
            chosen.push(all.swap_remove(index));
        }
        chosen
    }
}

/// Asserts that the comments are equal and that at most `limit` lines are new.
fn assert_local_change(before: &Sources, after: &Sources, limit: usize, context: &str) {
    assert_eq!(comments(before), comments(after), "{context}");
    let changed = changed_lines(before, after);
    let new: usize = changed.values().map(|(_, new)| new.len()).sum();
    assert!(new <= limit, "{context}: {new} new lines, at most {limit}: {changed:#?}");
}

fn keyword_change(key: &Key, location: &str, keyword: &str, value: Option<Value>) -> Change {
    Change::Keyword {
        operation: key.clone(),
        location: location.to_owned(),
        keyword: keyword.to_owned(),
        value,
    }
}

/// Locations that share a node, each with the value of a keyword.
type SharedValues = Vec<(Key, String, Value)>;

/// Returns the locations that have a keyword, grouped by the node that declares it.
fn nodes_with(fact: &str) -> Vec<SharedValues> {
    let mut groups: BTreeMap<String, SharedValues> = BTreeMap::new();
    for (key, operation) in &SURFACE.operations {
        for (location, node) in &operation.locations {
            let Some(value) = node.facts.get(fact) else { continue };
            let located = &LOCATIONS.operations[key][location];
            if located.recursive || location.starts_with("request.path.") || location == "request.body" {
                continue;
            }
            let site = SPEC.at(&located.site.file, &located.site.pointer).unwrap();
            let at_site = site.get(fact).is_some() || fact == "required" || fact == "deprecated";
            let at = if at_site { &located.site } else { &located.target };
            groups.entry(at.to_string()).or_default().push((key.clone(), location.clone(), value.clone()));
        }
    }
    groups.into_values().collect()
}

#[test]
fn apply_restores_removed_keyword() {
    let mut numbers = Numbers(1);
    let all = [
        "format",
        "nullable",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "default",
        "required",
        "deprecated",
        "pattern",
    ];
    let mut groups: Vec<(&str, SharedValues)> = Vec::new();
    for keyword in all {
        groups.extend(numbers.sample(nodes_with(keyword), 14).into_iter().map(|group| (keyword, group)));
    }
    let locations =
        || groups.iter().flat_map(|(keyword, group)| group.iter().map(move |location| (*keyword, location)));
    let mut sources = SPEC.clone();
    let removed = locations()
        .map(|(keyword, (key, location, _))| keyword_change(key, location, keyword, None))
        .collect();
    assert_all_applied(&apply(&mut sources, removed, DATE).unwrap(), "gone");
    assert_local_change(&SPEC, &sources, groups.len(), "gone");
    let without = surface(&sources);
    for (keyword, (key, location, _)) in locations() {
        let node = &without.operations[key].locations[location];
        assert!(!node.facts.contains_key(keyword), "{key} {location} {keyword}");
    }
    let restored = locations()
        .map(|(keyword, (key, location, value))| keyword_change(key, location, keyword, Some(value.clone())));
    let report = apply(&mut sources, restored.collect(), DATE).unwrap();
    assert_all_applied(&report, "back");
    assert_eq!(report.undescribed, Vec::<String>::new());
    assert_same_facts(&sources, &SURFACE, "back");
    assert_local_change(&SPEC, &sources, groups.len(), "back");
    assert!(groups.len() > 80, "{}", groups.len());
}

/// Returns whether an enum has a value in two spellings. The client sends one of them, which a restored enum does not say.
fn in_both_cases(values: &Value) -> bool {
    let texts = || values.as_array().unwrap().iter().filter_map(Value::as_str);
    texts().any(|text| texts().any(|other| other != text && other.eq_ignore_ascii_case(text)))
}

/// Returns the schemas that have comments inside. A schema that is removed with its only use loses them.
fn commented_schemas() -> BTreeSet<String> {
    let mut commented = BTreeSet::new();
    for text in SPEC.texts().values() {
        let mut schema = "";
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            match line.trim() {
                name if indent == 4 && name.ends_with(':') => schema = name.trim_end_matches(':'),
                comment if indent > 4 && comment.starts_with('#') => {
                    commented.insert(schema.to_owned());
                }
                _ => {}
            }
        }
    }
    commented
}

#[test]
fn apply_restores_removed_enum_value() {
    let mut numbers = Numbers(2);
    let mut enums = nodes_with("enum");
    enums.retain(|group| !group.iter().any(|(_, _, values)| in_both_cases(values)));
    let groups = numbers.sample(enums, 40);
    let locations = || groups.iter().flatten();
    let mut sources = SPEC.clone();
    let fewer = |value: &Value| json!(value.as_array().unwrap()[1..]);
    let removed = locations().filter(|(_, _, value)| value.as_array().unwrap().len() > 1);
    let removed = removed
        .map(|(key, location, value)| keyword_change(key, location, "enum", Some(fewer(value))))
        .collect();
    let report = apply(&mut sources, removed, DATE).unwrap();
    assert_all_applied(&report, "enum");
    assert_local_change(&SPEC, &sources, groups.len(), "enum");
    for (_, (removed, _)) in changed_lines(&SPEC, &sources) {
        assert!(removed.len() <= groups.len());
    }
    let restored = locations()
        .map(|(key, location, value)| keyword_change(key, location, "enum", Some(value.clone())))
        .collect();
    assert_all_applied(&apply(&mut sources, restored, DATE).unwrap(), "enum");
    assert_same_facts(&sources, &SURFACE, "enum");
    assert!(groups.len() > 30);
}

#[test]
fn apply_restores_removed_enum_as_named_schema() {
    let mut numbers = Numbers(3);
    let mut enums = nodes_with("enum");
    enums.retain(|group| !group.iter().any(|(_, _, values)| in_both_cases(values)));
    let groups = numbers.sample(enums, 40);
    let mut sources = SPEC.clone();
    let removed = groups
        .iter()
        .flatten()
        .map(|(key, location, _)| keyword_change(key, location, "enum", None))
        .collect();
    let report = apply(&mut sources, removed, DATE).unwrap();
    // Enum changes of a shared node are rejected if some of its users were not chosen.
    assert!(report.rejected.iter().all(|(_, reason)| reason.contains("is shared")), "{:#?}", report.rejected);
    let is_removed = |key: &Key, location: &str| {
        report.applied.iter().any(|done| done.change == keyword_change(key, location, "enum", None))
    };
    let without = surface(&sources);
    let mut restored = Vec::new();
    for (key, location, value) in groups.iter().flatten() {
        let node = &without.operations[key].locations[location];
        if is_removed(key, location) {
            assert!(!node.facts.contains_key("enum") && node.facts["type"] == "string", "{key} {location}");
            restored.push(keyword_change(key, location, "enum", Some(value.clone())));
        } else {
            assert!(node.facts.contains_key("enum"), "{key} {location}");
        }
    }
    assert!(restored.len() > 40, "{}", restored.len());
    let report = apply(&mut sources, restored, DATE).unwrap();
    assert_all_applied(&report, "enum");
    assert!(!report.undescribed.is_empty());
    assert_same_facts(&sources, &SURFACE, "enum");
    assert_eq!(comments(&SPEC), comments(&sources));
}

/// Returns a schema of the bundle with all references resolved.
fn inlined(document: &Value, node: &Value) -> Value {
    if let Some(target) = node["$ref"].as_str() {
        return inlined(document, document.pointer(target.strip_prefix('#').unwrap()).unwrap());
    }
    match node {
        Value::Object(map) => {
            let mut all: serde_json::Map<String, Value> =
                map.iter().map(|(name, value)| (name.clone(), inlined(document, value))).collect();
            if let Some(Value::Array(parts)) = all.remove("allOf") {
                let mut merged = parts[0].clone();
                for (name, value) in all {
                    merged[name] = value;
                }
                return merged;
            }
            all.remove("x-s1");
            Value::Object(all)
        }
        Value::Array(list) => Value::Array(list.iter().map(|one| inlined(document, one)).collect()),
        other => other.clone(),
    }
}

/// Returns the schema of a location with all references resolved, as in a new document.
fn node_of(document: &Value, key: &Key, location: &str) -> Value {
    let path = &SURFACE.operations[key].path;
    let operation = &document["paths"][path][&key.method];
    let mut parts = location.split('.');
    let (mut node, mut names): (Value, Vec<&str>) = match (parts.next().unwrap(), parts.next().unwrap()) {
        ("request", "query") => {
            let name = parts.next().unwrap();
            let name = name.trim_end_matches("[]");
            let parameters = operation["parameters"].as_array().unwrap();
            let parameter = parameters.iter().find(|one| one["name"] == name && one["in"] == "query");
            (parameter.unwrap().clone(), parts.collect())
        }
        ("request", _) => {
            (operation["requestBody"]["content"]["application/json"]["schema"].clone(), parts.collect())
        }
        (_, status) => {
            let response = &operation["responses"][status.trim_end_matches("[]")];
            (response["content"]["application/json"]["schema"].clone(), parts.collect())
        }
    };
    node = inlined(document, &node);
    for name in std::mem::take(&mut names) {
        let plain = name.trim_end_matches(['[', ']', '{', '}']);
        node = node["properties"][plain].clone();
        let mut rest = &name[plain.len()..];
        while !rest.is_empty() {
            node = if rest.starts_with("[]") {
                node["items"].clone()
            } else {
                node["additionalProperties"].clone()
            };
            rest = &rest[2..];
        }
    }
    node
}

#[test]
fn apply_restores_removed_location() {
    let bundle = SPEC.bundle().unwrap();
    let all = surface(&SPEC);
    let commented = commented_schemas();
    let mut groups: BTreeMap<String, Vec<(Key, String)>> = BTreeMap::new();
    for (key, locations) in &LOCATIONS.operations {
        for (location, located) in locations {
            let parts = location.split('.').count();
            let is_commented = located.target.schema_name().is_some_and(|name| commented.contains(name));
            let of_envelope = location.starts_with("response.") && parts <= 3;
            // The errors of all statuses have one schema.
            let of_error = location.starts_with("response.4") || location.contains(".errors[].");
            // The import writes no `required` in responses.
            let is_required = all.operations[key].locations[location].facts.contains_key("required");
            let of_required_response = location.starts_with("response.") && is_required;
            // The list of a page, which is not `data` itself.
            let items = bundle.operations().find(|one| Key::new(one.method, one.path) == *key);
            let items = items.and_then(|one| one.node["x-s1"]["items"].as_str());
            let is_list = items.is_some_and(|name| *location == format!("response.200.data.{name}"));
            if of_envelope
                || of_error
                || of_required_response
                || is_list
                || is_commented
                || location == "request.body.filter"
                || location == "request.query.cursor"
            {
                continue;
            }
            let at = match (&located.parameter, &located.owner) {
                (Some(parameter), _) if location.starts_with("request.query.") => &parameter.element,
                (None, Some(owner)) => {
                    let fields =
                        SPEC.at(&owner.file, &owner.pointer).unwrap()["properties"].as_object().unwrap();
                    if fields.len() == 1 {
                        continue;
                    }
                    &located.site
                }
                _ => continue,
            };
            groups.entry(at.to_string()).or_default().push((key.clone(), location.clone()));
        }
    }
    let mut numbers = Numbers(4);
    let total = groups.len();
    let (mut parameters, mut properties) = (0, 0);
    for round in 0..3 {
        let chosen = numbers.sample(groups.values().collect(), 25);
        // Two properties of one object could be its only properties; one could contain the other.
        let mut owners = BTreeSet::new();
        let chosen: Vec<&Vec<(Key, String)>> = chosen
            .into_iter()
            .filter(|group| {
                let located = &LOCATIONS.operations[&group[0].0][&group[0].1];
                owners.insert(located.owner.clone().unwrap_or_else(|| located.site.clone()))
            })
            .collect();
        let inner: Vec<(Key, String)> = chosen.iter().copied().flatten().cloned().collect();
        let within = |(key, location): &(Key, String)| {
            inner.iter().any(|(other, above)| {
                let rest = location.strip_prefix(above.as_str()).unwrap_or_default();
                other == key && rest.starts_with(['.', '[', '{'])
            })
        };
        let chosen: Vec<_> = chosen.into_iter().filter(|group| !group.iter().any(&within)).collect();
        let locations = || chosen.iter().copied().flatten();
        let context = format!("round {round}");
        let mut sources = SPEC.clone();
        let removed = locations()
            .map(|(key, location)| Change::Remove { operation: key.clone(), location: location.clone() })
            .collect();
        assert_all_applied(&apply(&mut sources, removed, DATE).unwrap(), &context);
        // Only `required` lists that contained a removed property are written again.
        assert_local_change(&SPEC, &sources, 4, &context);
        let without = surface(&sources);
        for (key, location) in locations() {
            assert!(!without.operations[key].locations.contains_key(location), "{key} {location}");
        }
        let restored = locations().map(|(key, location)| {
            let required =
                SURFACE.operations[key].locations[location].facts.get("required") == Some(&json!(true));
            let node = node_of(&bundle.document, key, location);
            Change::Add { operation: key.clone(), location: location.clone(), node, required }
        });
        let restored: Vec<Change> = restored.collect();
        let report = apply(&mut sources, restored.clone(), DATE).unwrap();
        assert_all_applied(&report, &context);
        assert!(!report.undescribed.is_empty());
        assert_same_facts(&sources, &SURFACE, &context);
        assert_no_lint_findings(&sources);
        assert_eq!(comments(&SPEC), comments(&sources));
        let texts = sources.texts();
        // A second run adds no properties.
        let second = apply(&mut sources, restored, DATE).unwrap();
        assert_eq!(second.applied, Vec::new());
        assert!(texts == sources.texts());
        for group in &chosen {
            let located = &LOCATIONS.operations[&group[0].0][&group[0].1];
            if located.parameter.is_some() { parameters += 1 } else { properties += 1 }
        }
    }
    assert!(total > 1000 && parameters > 5 && properties > 30, "{total} {parameters} {properties}");
}

#[test]
fn apply_restores_removed_error_status() {
    let mut statuses = Vec::new();
    for key in SURFACE.operations.keys() {
        for status in ["400", "401", "403", "404", "409"] {
            let node = &LOCATIONS.nodes[key];
            let response = SPEC.at(&node.file, &format!("{}/responses/{status}", node.pointer));
            // Inline responses cannot be restored.
            if response.is_some_and(|response| response["$ref"].is_string()) {
                statuses.push((key.clone(), status.to_owned()));
            }
        }
    }
    // One status stays, so that the error schema is not removed.
    statuses.pop();
    let mut sources = SPEC.clone();
    let removed = statuses.iter().cloned();
    let removed = removed.map(|(operation, status)| Change::RemoveStatus { operation, status }).collect();
    assert_all_applied(&apply(&mut sources, removed, DATE).unwrap(), "statuses");
    let lines: usize =
        changed_lines(&SPEC, &sources).values().map(|(removed, new)| removed.len() + new.len()).sum();
    assert_eq!(lines, statuses.len());
    let restored = statuses.iter().cloned();
    let restored = restored.map(|(operation, status)| Change::AddStatus { operation, status }).collect();
    assert_all_applied(&apply(&mut sources, restored, DATE).unwrap(), "statuses");
    assert!(sources.texts() == SPEC.texts());
    assert!(statuses.len() > 100);
}

fn key(method: &str, path: &str) -> Key {
    Key::new(method, path)
}

fn rejection(report: &Report) -> &str {
    let [(_, reason)] = report.rejected.as_slice() else { panic!("{report:#?}") };
    reason
}

#[test]
fn apply_shared_schema_requires_all_users() {
    let location = "response.200.data[].computerName";
    let agents = key("get", "/agents");
    let one = keyword_change(&agents, "response.200.data[].groupName", "maxLength", Some(json!(9)));
    let mut sources = SPEC.clone();
    // Only one operation returns these agents.
    assert_all_applied(&apply(&mut sources, vec![one], DATE).unwrap(), "one user");

    let mut sources = SPEC.clone();
    let filter = key("post", "/agents/actions/connect");
    let change = keyword_change(&filter, "request.body.filter.ids", "maxItems", Some(json!(7)));
    let report = apply(&mut sources, vec![change.clone()], DATE).unwrap();
    let reason = rejection(&report);
    assert!(reason.contains("spec/agents.yaml#/components/schemas/AgentFilter/properties/ids"), "{reason}");
    assert!(reason.contains("more") && reason.contains("GET /agents request.query.ids"), "{reason}");
    assert!(sources.texts() == SPEC.texts());

    let users =
        LOCATIONS.users.iter().find(|(at, _)| at.pointer.ends_with("/AgentFilter/properties/ids")).unwrap().1;
    let all: Vec<Change> = users
        .iter()
        .map(|(key, location)| keyword_change(key, location, "maxItems", Some(json!(7))))
        .collect();
    assert!(all.len() > 5 && all.contains(&change));
    assert_all_applied(&apply(&mut sources, all, DATE).unwrap(), "all users");
    let changed = changed_lines(&SPEC, &sources);
    assert_eq!(changed.len(), 1);
    let (removed, new) = &changed["agents.yaml"];
    assert_eq!((removed.len(), new.as_slice()), (1, ["          maxItems: 7\n".to_owned()].as_slice()));

    let removal = Change::Remove { operation: filter.clone(), location: "request.body.filter.ids".into() };
    let report = apply(&mut sources, vec![removal], DATE).unwrap();
    assert!(rejection(&report).contains("is shared"));
    let node = json!({ "type": "string" });
    let addition = Change::Add {
        operation: filter,
        location: "request.body.filter.color".into(),
        node,
        required: false,
    };
    let report = apply(&mut sources, vec![addition], DATE).unwrap();
    assert!(rejection(&report).contains("request.query.color"));

    let missing = keyword_change(&agents, "response.200.data[].nowhere", "format", None);
    assert!(rejection(&apply(&mut sources, vec![missing], DATE).unwrap()).contains("has no location"));
    let unknown = keyword_change(&key("get", "/nowhere"), location, "format", None);
    assert!(rejection(&apply(&mut sources, vec![unknown], DATE).unwrap()).contains("unknown operation"));
}

#[test]
fn apply_copies_shared_parameter_if_users_differ() {
    let mut sources = SPEC.clone();
    let agents = key("get", "/agents");
    let change = |value: i32| keyword_change(&agents, "request.query.limit", "maximum", Some(json!(value)));
    assert_all_applied(&apply(&mut sources, vec![change(70)], DATE).unwrap(), "limit");
    let changed = changed_lines(&SPEC, &sources);
    let expected = "        - name: limit
          in: query
          schema: { type: integer, format: int32, minimum: 1, maximum: 70, default: 10 }
          description: Page size. The console returns 10 items by default.
          x-s1: { selective: false }
";
    assert_eq!(changed["agents.yaml"].1.concat(), expected);
    assert_eq!((changed.len(), changed["agents.yaml"].0.len()), (1, 1));
    assert_all_applied(&apply(&mut sources, vec![change(1000)], DATE).unwrap(), "limit");
    assert_same_facts(&sources, &SURFACE, "limit");

    // If all users change, the shared parameter changes.
    let mut sources = SPEC.clone();
    let shared =
        LOCATIONS.users.iter().find(|(at, _)| at.pointer == "/components/parameters/Limit").unwrap().1;
    let all = shared
        .iter()
        .map(|(key, location)| keyword_change(key, location, "maximum", Some(json!(70))))
        .collect();
    assert_all_applied(&apply(&mut sources, all, DATE).unwrap(), "limit");
    let changed = changed_lines(&SPEC, &sources);
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["openapi.yaml"]);
    assert_eq!(changed["openapi.yaml"].1.len(), 1);
}

#[test]
fn apply_rejects_only_the_change_that_violates_a_lint_rule() {
    let mut sources = SPEC.clone();
    let add = |name: &str| Change::Add {
        operation: key("get", "/groups"),
        location: format!("response.200.data[].{name}"),
        node: json!({ "type": "string" }),
        required: false,
    };
    // is_default has the same Rust name as isDefault.
    let report = apply(&mut sources, vec![add("is_default"), add("isNew")], DATE).unwrap();
    assert!(rejection(&report).contains("the Rust name is the same as that of isDefault"));
    assert_eq!(report.applied.len(), 1);
    assert!(sources.text("groups.yaml").contains("isNew:"));
    assert_no_lint_findings(&sources);
}

#[test]
fn apply_keyword_of_a_response_without_body_is_rejected() {
    let mut sources = SPEC.clone();
    let node = json!({ "responses": { "204": { "description": "x" } } });
    apply(&mut sources, vec![new("delete", "/labels", "labels_delete", node)], DATE).unwrap();
    let before = sources.texts();
    let change = keyword_change(&key("delete", "/labels"), "response.204", "type", Some(json!("object")));
    let report = apply(&mut sources, vec![change], DATE).unwrap();
    assert!(rejection(&report).contains("the response has no body"));
    assert!(sources.texts() == before);
}

#[test]
fn apply_fields_of_an_inline_object_become_a_named_schema() {
    let mut sources = SPEC.clone();
    let object = json!({ "type": "object", "additionalProperties": true, "description": "Invented." });
    sources.put("agents.yaml", "/components/schemas/Agent/properties", "invented", &object).unwrap();
    // Every operation that returns agents has the location.
    let users = LOCATIONS
        .users
        .iter()
        .find(|(node, _)| node.schema_name() == Some("Agent") && node.pointer.ends_with("/properties/uuid"));
    let changes = users.unwrap().1.iter().map(|(operation, location)| Change::Add {
        operation: operation.clone(),
        location: format!("{}.invented.cnTotal", location.strip_suffix(".uuid").unwrap()),
        node: json!({ "type": "integer" }),
        required: false,
    });
    let report = apply(&mut sources, changes.collect(), DATE).unwrap();
    assert_all_applied(&report, "");
    assert_no_lint_findings(&sources);
    let schema = sources.at("agents.yaml", "/components/schemas/AgentInvented").unwrap();
    assert_eq!(schema["properties"]["cnTotal"]["type"], "integer");
}

#[test]
fn apply_nested_object_gets_named_schema_with_placeholders() {
    let mut sources = SPEC.clone();
    let node = json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": { "type": "string", "readOnly": true, "description": "Vendor description." },
                "lockState": { "type": "string", "enum": ["locked", "open"] },
                "createdAt": { "type": "string", "format": "date-time", "nullable": true },
            },
        },
    });
    let location = "response.200.data[].officeDoors";
    let add =
        Change::Add { operation: key("get", "/groups"), location: location.into(), node, required: true };
    let report = apply(&mut sources, vec![add], DATE).unwrap();
    assert_all_applied(&report, "doors");
    assert_no_lint_findings(&sources);
    let (removed, new) = &changed_lines(&SPEC, &sources)["groups.yaml"];
    assert_eq!(removed.len(), 0);
    let placeholder = "Undocumented; description derived from the name (vendor document of 2024-03).";
    let expected = format!(
        "        officeDoors:
          type: array
          items: {{ $ref: '#/components/schemas/GroupOfficeDoor' }}
          description: >-
            Office doors. {placeholder}

    GroupOfficeDoor:
      type: object
      description: >-
        Group office door. {placeholder}
      properties:
        id:
          type: string
          description: Id. {placeholder}
        createdAt:
          type: string
          format: date-time
          nullable: true
          description: Created at. {placeholder}
        lockState:
          $ref: '#/components/schemas/GroupOfficeDoorLockState'
          description: Lock state. {placeholder}

    GroupOfficeDoorLockState:
      type: string
      enum: [locked, open]
      description: >-
        Group office door lock state values. Undocumented; description derived from the name (vendor document of
        2024-03).
"
    );
    // The line diff may assign a blank line to either of two schemas.
    let without_blank =
        |text: &str| text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(without_blank(&new.concat()), without_blank(&expected));
    let updated = &sources.texts()["groups.yaml"];
    let (property, schemas) = expected.split_once("\n\n").unwrap();
    assert!(updated.contains(&format!("{property}\n")), "{updated}");
    for schema in schemas.trim_end().split("\n\n") {
        assert!(updated.contains(&format!("\n\n{schema}\n")), "{schema}\n{updated}");
    }
    assert!(!updated.contains("\n\n\n"), "{updated}");
    assert_eq!(report.undescribed.len(), 6);
}

fn new(method: &str, path: &str, id: &str, node: Value) -> Change {
    let operation = NewOperation {
        key: key(method, path),
        path: path.to_owned(),
        id: id.to_owned(),
        file: "labels.yaml".to_owned(),
        node,
        reference: format!("_web_api{path}_{method}").replace('/', "_"),
        date: DATE.to_owned(),
    };
    Change::AddOperation { operation: Box::new(operation) }
}

fn responses(data: &Value) -> Value {
    let errors = json!({ "type": "array", "items": { "type": "object" } });
    let schema = json!({ "type": "object", "properties": { "data": data, "errors": errors } });
    json!({
        "200": { "description": "x", "content": { "application/json": { "schema": schema } } },
        "401": { "description": "x" },
        "418": { "description": "x" },
    })
}

/// Returns invented operations: list, create, get, delete, and an action with a filter.
fn operations() -> Vec<Change> {
    let label = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "name": { "type": "string", "description": "Vendor description." },
            "color": { "type": "string", "enum": ["red", "green"] },
            "createdAt": { "type": "string", "format": "date-time" },
            "owner": { "type": "object", "properties": { "id": { "type": "string" }, "mail": { "type": "string" } } },
        },
    });
    let text = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    let mut page = responses(&json!({ "type": "array", "items": label }));
    page["200"]["content"]["application/json"]["schema"]["properties"]["pagination"] =
        json!({ "type": "object" });
    let list = json!({
        "parameters": [
            { "name": "limit", "in": "query",
              "schema": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 1000, "default": 10 } },
            { "name": "skip", "in": "query",
              "schema": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 40 } },
            text("cursor"),
            { "name": "ids", "in": "query", "schema": { "type": "array", "items": { "type": "string" } } },
            { "name": "colors", "in": "query",
              "schema": { "type": "array", "items": { "type": "string", "enum": ["green", "red"] } } },
            { "name": "createdAt__gt", "in": "query", "schema": { "type": "string", "format": "date-time" } },
            { "name": "sortBy", "in": "query", "schema": { "type": "string", "enum": ["id", "name"] } },
            text("unheardOf"),
        ],
        "responses": page,
    });
    let id = json!([{ "name": "label_id", "in": "path", "required": true, "schema": { "type": "string" } }]);
    let get = json!({ "parameters": id, "responses": responses(&label) });
    let body = |schema: Value| json!({ "content": { "application/json": { "schema": schema } } });
    let filter = json!({
        "type": "object",
        "properties": { "ids": { "type": "array", "items": { "type": "string" } }, "name__contains": { "type": "string" } },
    });
    let paint = json!({
        "requestBody": body(json!({
            "type": "object",
            "required": ["data"],
            "properties": {
                "data": {
                    "type": "object",
                    "required": ["color"],
                    "properties": { "color": { "type": "string", "enum": ["red", "green"] } },
                },
                "filter": filter,
            },
        })),
        "responses": responses(&json!({ "type": "object", "properties": { "affected": { "type": "integer", "format": "int32" } } })),
    });
    let create = json!({
        "requestBody": body(json!({
            "type": "object",
            "properties": { "data": { "type": "object", "properties": { "name": { "type": "string" } } } },
        })),
        "responses": responses(&label),
    });
    let delete = json!({
        "parameters": id,
        "responses": responses(&json!({ "type": "object", "properties": { "success": { "type": "boolean" } } })),
    });
    vec![
        new("get", "/labels", "labels_list", list),
        new("post", "/labels", "labels_create", create),
        new("get", "/labels/{label_id}", "labels_get", get),
        new("delete", "/labels/{label_id}", "labels_delete", delete),
        new("post", "/labels/actions/paint", "labels_paint", paint),
    ]
}

#[test]
fn apply_new_operation_matches_spec_style() {
    let mut sources = SPEC.clone();
    let report = apply(&mut sources, operations(), DATE).unwrap();
    assert_all_applied(&report, "operations");
    assert_no_lint_findings(&sources);
    insta::assert_snapshot!("labels", sources.text("labels.yaml"));
    // Existing lines are unchanged; the index and the tags have new lines.
    let changed = changed_lines(&SPEC, &sources);
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["labels.yaml", "openapi.yaml"]);
    let (removed, new) = &changed["openapi.yaml"];
    assert_eq!(removed.len(), 0);
    insta::assert_snapshot!("index", new.concat());
    let notes: Vec<&String> = report.applied.iter().flat_map(|done| &done.notes).collect();
    assert!(notes.iter().any(|note| note.contains("418")), "{notes:?}");

    // The generated crate and the fixtures include the new operations.
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in sources.texts() {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let files = sentinelone_codegen::generate(directory.path()).unwrap();
    assert!(files["src/labels.rs"].contains("pub struct LabelsPaintRequest"));
    let examples = sentinelone_codegen::fixtures(directory.path()).unwrap();
    for id in ["labels_list", "labels_create", "labels_get", "labels_delete", "labels_paint"] {
        assert!(examples.contains_key(&format!("{id}/generated_full.json")), "{id}");
    }

    // A second run applies no change.
    let texts = sources.texts();
    let report = apply(&mut sources, operations(), DATE).unwrap();
    assert_eq!(report.applied, Vec::new());
    assert!(report.rejected.iter().all(|(_, reason)| reason == "it already exists"), "{report:#?}");
    assert!(texts == sources.texts());
}

/// Returns the schema of the success response of an operation that `apply` adds.
fn added_response(node: &Value, media: &str) -> Value {
    let mut sources = SPEC.clone();
    let report =
        apply(&mut sources, vec![new("post", "/labels/odd", "labels_odd", node.clone())], DATE).unwrap();
    assert_all_applied(&report, &node.to_string());
    assert_no_lint_findings(&sources);
    let (_, at) = report.applied[0].at.split_once('#').unwrap();
    let media = media.replace('/', "~1");
    sources.at("labels.yaml", &format!("{at}/responses/200/content/{media}/schema")).unwrap().clone()
}

#[test]
fn apply_operation_without_declared_fields_keeps_what_is_known() {
    let json = "application/json";
    let free = json!({ "type": "object", "additionalProperties": true });
    let list = json!({ "type": "array", "items": { "type": "object", "properties": {} } });
    let node = json!({ "responses": responses(&list) });
    assert_eq!(added_response(&node, json)["properties"]["data"], json!({ "type": "array", "items": free }));
    let node = json!({ "responses": responses(&json!({ "type": "string" })) });
    assert_eq!(added_response(&node, json)["properties"]["data"], json!({ "type": "string" }));
    let total = json!({ "type": "object", "properties": { "total": { "type": "integer" } } });
    let node = json!({ "responses": { "200": { "content": { "application/json": { "schema": total } } } } });
    assert_eq!(added_response(&node, json), json!({ "$ref": "#/components/schemas/LabelsOddResult" }));
    // Neither a missing success nor a success without a schema means that the response is empty.
    for responses in [json!({ "400": {} }), json!({ "200": { "description": "x" } })] {
        assert_eq!(added_response(&json!({ "responses": responses }), "*/*"), json!({}));
    }
}

#[test]
fn apply_operation_with_passwords_and_keys_marks_them_as_secret() {
    let mut sources = SPEC.clone();
    let text = json!({ "type": "string" });
    let data = json!({ "type": "object", "properties": {
        "name": text, "newPassword": text, "proxy": { "type": "object", "properties": { "apiKey": text, "url": text } },
    } });
    let body = json!({ "type": "object", "properties": { "data": data } });
    let node = json!({
        "requestBody": { "content": { "application/json": { "schema": body } } },
        "responses": responses(&json!({ "type": "object", "properties": { "token": text } })),
    });
    let report = apply(&mut sources, vec![new("post", "/labels", "labels_create", node)], DATE).unwrap();
    assert_all_applied(&report, "");
    let schemas = &sources.tree("labels.yaml")["components"]["schemas"];
    let mut secret = Vec::new();
    for (name, schema) in schemas.as_object().unwrap() {
        for (property, node) in schema["properties"].as_object().into_iter().flatten() {
            if node["x-s1"]["secret"] == true {
                secret.push(format!("{name}.{property}"));
            }
        }
    }
    assert_eq!(secret, ["Label.token", "LabelsCreateData.newPassword", "LabelsCreateDataProxy.apiKey"]);
    let commands = sentinelone_codegen::commands::Commands::default();
    let files = sentinelone_codegen::generate_from(&sources.bundle().unwrap(), &commands).unwrap();
    let paths = "secret_fields: &[\"data.newPassword\", \"data.proxy.apiKey\"],";
    assert!(files["src/labels.rs"].contains(paths));
}

/// An operation of the data lake has another base path and scheme; forms and headers are arguments of the function.
#[test]
fn apply_operation_with_form_headers_and_another_base_path_is_generated() {
    let mut sources = SPEC.clone();
    let text = json!({ "type": "string" });
    let file = json!({ "type": "string", "format": "binary" });
    let form = json!({ "type": "object", "required": ["file"], "properties": { "file": file, "other": file, "name": text } });
    let header = json!({ "schema": text, "description": "x" });
    let content = json!({ "application/json": { "schema": { "type": "array", "items": text } } });
    let node = json!({
        "parameters": [
            { "name": "X-Tag", "in": "header", "required": true, "schema": text },
            { "name": "scheme", "in": "header", "schema": {} },
        ],
        "requestBody": { "content": { "multipart/form-data": { "schema": form } } },
        "responses": {
            "200": { "description": "x", "headers": { "X-Route": header }, "content": content },
            "207": { "description": "y", "content": content },
        },
    });
    let change = new("post", "/sdl/labels", "labels_import", node);
    let report = apply(&mut sources, vec![change], DATE).unwrap();
    assert_all_applied(&report, "");
    assert_no_lint_findings(&sources);
    let item = &sources.tree("labels.yaml")["paths"]["/sdl/labels"];
    assert_eq!(item["servers"][0]["url"], "https://{console}");
    let post = &item["post"];
    assert_eq!(post["security"], json!([{ "Bearer": [] }]));
    assert_eq!(post["responses"]["200"]["headers"]["X-Route"]["schema"], text);
    assert_eq!(post["responses"]["200"], post["responses"]["207"]);
    let commands = sentinelone_codegen::commands::Commands::default();
    let files = sentinelone_codegen::generate_from(&sources.bundle().unwrap(), &commands).unwrap();
    let module = &files["src/labels.rs"];
    for expected in [
        "path: \"/sdl/labels\",",
        "security: Security::Bearer,",
        "request_format: RequestFormat::Form,",
        "pub file: FilePart,",
        "pub other: Option<FilePart>,",
        "    x_tag: &str,\n    scheme: Option<&str>,\n    body: &LabelsImportRequest,\n",
        ".header_param(\"scheme\", scheme)?",
        ".header_param(\"X-Tag\", x_tag)?",
        ".with_file(\"file\", &body.file)?",
        ".with_file(\"other\", body.other.as_ref())",
    ] {
        assert!(module.contains(expected), "{expected}\n{module}");
    }
    assert!(files["src/lib.rs"].contains(
        "labels::import(parts.header(\"x-tag\")?, parts.optional_header(\"scheme\"), &parts.body()?)"
    ));
}

#[test]
fn apply_operations_with_the_same_conditions_share_a_filter() {
    let mut sources = SPEC.clone();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let conditions = names.map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }));
    let limit = json!({ "name": "limit", "in": "query", "schema": { "type": "integer" } });
    let node = |own: Value| {
        let parameters: Vec<Value> = conditions.iter().cloned().chain([own]).collect();
        json!({ "parameters": parameters, "responses": { "200": { "description": "x" } } })
    };
    let format = json!({ "name": "format", "in": "query", "required": true, "schema": { "type": "string" } });
    let operations = [
        ("get", "/labels", "labels_list", limit.clone()),
        ("get", "/labels/export", "labels_export", format),
        ("post", "/labels/act", "labels_act", limit),
    ];
    let changes = operations.into_iter().map(|(method, path, id, own)| new(method, path, id, node(own)));
    let report = apply(&mut sources, changes.collect(), DATE).unwrap();
    assert_all_applied(&report, "");
    assert_no_lint_findings(&sources);
    for (path, method) in [("/labels", "get"), ("/labels/export", "get"), ("/labels/act", "post")] {
        let operation = &sources.tree("labels.yaml")["paths"][path][method];
        assert_eq!(operation["x-s1"]["query"], "LabelFilter", "{path}");
        assert_eq!(operation["parameters"].as_array().unwrap().len(), 1, "{path}");
    }
    // An action without a condition would change everything in scope.
    assert_eq!(sources.tree("labels.yaml")["paths"]["/labels/act"]["post"]["x-s1"]["filter"], "required");
}

#[test]
fn apply_rejects_only_the_unsupported_operation() {
    let mut sources = SPEC.clone();
    let mut all = operations();
    all.truncate(1);
    let affected =
        json!({ "type": "object", "properties": { "affected": { "type": "integer", "format": "int32" } } });
    let choice = json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] });
    let unsupported = [
        (
            json!({ "requestBody": { "content": { "text/plain": { "schema": {} } } },
                    "responses": responses(&affected) }),
            "neither JSON nor a form",
        ),
        (json!({ "responses": responses(&choice) }), "oneOf"),
    ];
    for (index, (node, _)) in unsupported.iter().enumerate() {
        all.push(new("post", &format!("/labels/odd{index}"), &format!("labels_odd{index}"), node.clone()));
    }
    let report = apply(&mut sources, all, DATE).unwrap();
    assert_eq!(report.applied.len(), 1);
    assert_eq!(report.rejected.len(), unsupported.len());
    for ((_, reason), (_, expected)) in report.rejected.iter().zip(&unsupported) {
        assert!(reason.contains(expected), "{reason}");
    }
    assert_no_lint_findings(&sources);
}
