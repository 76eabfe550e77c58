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

/// Comments, without the one that is written above the first enum of a file.
fn comments(sources: &Sources) -> Vec<String> {
    let texts = sources.texts();
    let lines = texts.values().flat_map(|text| text.lines());
    let comments = lines.filter(|line| line.trim_start().starts_with('#'));
    comments.filter(|line| !line.contains("# Enumerations.")).map(str::to_owned).collect()
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

/// Numbers that are the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn some<T>(&mut self, mut all: Vec<T>, many: usize) -> Vec<T> {
        let mut chosen = Vec::new();
        while chosen.len() < many && !all.is_empty() {
            let index = (self.next() % all.len() as u64) as usize;
            chosen.push(all.swap_remove(index));
        }
        chosen
    }
}

/// What is removed leaves lines out; what has to be written anew for that is in the same places.
fn only_near(before: &Sources, after: &Sources, most: usize, what: &str) {
    assert_eq!(comments(before), comments(after), "{what}");
    let changed = changed_lines(before, after);
    let new: usize = changed.values().map(|(_, new)| new.len()).sum();
    assert!(new <= most, "{what}: {new} new lines, at most {most}: {changed:#?}");
}

fn fact(key: &Key, place: &str, fact: &str, value: Option<Value>) -> Change {
    Change::Fact { operation: key.clone(), place: place.to_owned(), fact: fact.to_owned(), value }
}

/// The places of one spot, each with what is said there.
type Said = Vec<(Key, String, Value)>;

/// Places that stand in the same spot, with a fact that is said there, by spot.
fn spots_of(fact: &str) -> Vec<Said> {
    let mut spots: BTreeMap<String, Said> = BTreeMap::new();
    for (key, operation) in &SURFACE.operations {
        for (place, node) in &operation.places {
            let Some(value) = node.facts.get(fact) else { continue };
            let located = &MAP.operations[key][place];
            if located.again || place.starts_with("request.path.") || place == "request.body" {
                continue;
            }
            let site = SPEC.at(&located.site.file, &located.site.pointer).unwrap();
            let at_site = site.get(fact).is_some() || fact == "required" || fact == "deprecated";
            let at = if at_site { &located.site } else { &located.target };
            spots.entry(at.to_string()).or_default().push((key.clone(), place.clone(), value.clone()));
        }
    }
    spots.into_values().collect()
}

#[test]
fn a_fact_that_was_taken_away_comes_back() {
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
    let mut spots: Vec<(&str, Said)> = Vec::new();
    for keyword in all {
        spots.extend(numbers.some(spots_of(keyword), 14).into_iter().map(|spot| (keyword, spot)));
    }
    let places = || spots.iter().flat_map(|(keyword, spot)| spot.iter().map(move |place| (*keyword, place)));
    let mut sources = SPEC.clone();
    let gone = places().map(|(keyword, (key, place, _))| fact(key, place, keyword, None)).collect();
    all_done(&apply(&mut sources, gone, DATE).unwrap(), "gone");
    only_near(&SPEC, &sources, spots.len(), "gone");
    let without = surface(&sources);
    for (keyword, (key, place, _)) in places() {
        let node = &without.operations[key].places[place];
        assert!(!node.facts.contains_key(keyword), "{key} {place} {keyword}");
    }
    let back = places().map(|(keyword, (key, place, value))| fact(key, place, keyword, Some(value.clone())));
    let report = apply(&mut sources, back.collect(), DATE).unwrap();
    all_done(&report, "back");
    assert_eq!(report.undescribed, Vec::<String>::new());
    same(&sources, &SURFACE, "back");
    only_near(&SPEC, &sources, spots.len(), "back");
    assert!(spots.len() > 80, "{}", spots.len());
}

#[test]
fn a_value_that_was_taken_away_comes_back() {
    let mut numbers = Numbers(2);
    let spots = numbers.some(spots_of("enum"), 40);
    let places = || spots.iter().flatten();
    let mut sources = SPEC.clone();
    let fewer = |value: &Value| json!(value.as_array().unwrap()[1..]);
    let gone = places().filter(|(_, _, value)| value.as_array().unwrap().len() > 1);
    let gone = gone.map(|(key, place, value)| fact(key, place, "enum", Some(fewer(value)))).collect();
    let report = apply(&mut sources, gone, DATE).unwrap();
    all_done(&report, "enum");
    only_near(&SPEC, &sources, spots.len(), "enum");
    for (_, (gone, _)) in changed_lines(&SPEC, &sources) {
        assert!(gone.len() <= spots.len());
    }
    let back = places().map(|(key, place, value)| fact(key, place, "enum", Some(value.clone()))).collect();
    all_done(&apply(&mut sources, back, DATE).unwrap(), "enum");
    same(&sources, &SURFACE, "enum");
    assert!(spots.len() > 30);
}

#[test]
fn an_enum_that_became_text_comes_back_as_a_named_schema() {
    let mut numbers = Numbers(3);
    let spots = numbers.some(spots_of("enum"), 40);
    let mut sources = SPEC.clone();
    let gone = spots.iter().flatten().map(|(key, place, _)| fact(key, place, "enum", None)).collect();
    let report = apply(&mut sources, gone, DATE).unwrap();
    // A shared parameter is not written out for that, and a shared spot has places that were not chosen.
    assert!(report.refused.iter().all(|(_, reason)| reason.contains("is shared")), "{:#?}", report.refused);
    let is_gone =
        |key: &Key, place: &str| report.done.iter().any(|done| done.change == fact(key, place, "enum", None));
    let without = surface(&sources);
    let mut back = Vec::new();
    for (key, place, value) in spots.iter().flatten() {
        let node = &without.operations[key].places[place];
        if is_gone(key, place) {
            assert!(!node.facts.contains_key("enum") && node.facts["type"] == "string", "{key} {place}");
            back.push(fact(key, place, "enum", Some(value.clone())));
        } else {
            assert!(node.facts.contains_key("enum"), "{key} {place}");
        }
    }
    assert!(back.len() > 40, "{}", back.len());
    let report = apply(&mut sources, back, DATE).unwrap();
    all_done(&report, "enum");
    assert!(!report.undescribed.is_empty());
    same(&sources, &SURFACE, "enum");
    assert_eq!(comments(&SPEC), comments(&sources));
}

/// A schema of the bundle with all references written out.
fn inlined(document: &Value, node: &Value) -> Value {
    if let Some(target) = node["$ref"].as_str() {
        return inlined(document, document.pointer(target.strip_prefix('#').unwrap()).unwrap());
    }
    match node {
        Value::Object(map) => {
            let mut all: serde_json::Map<String, Value> =
                map.iter().map(|(name, value)| (name.clone(), inlined(document, value))).collect();
            if let Some(Value::Array(parts)) = all.remove("allOf") {
                let mut whole = parts[0].clone();
                for (name, value) in all {
                    whole[name] = value;
                }
                return whole;
            }
            all.remove("x-s1");
            Value::Object(all)
        }
        Value::Array(list) => Value::Array(list.iter().map(|one| inlined(document, one)).collect()),
        other => other.clone(),
    }
}

/// The schema at a place, written out, as a new document has it.
fn node_of(document: &Value, key: &Key, place: &str) -> Value {
    let path = &SURFACE.operations[key].path;
    let operation = &document["paths"][path][&key.method];
    let mut parts = place.split('.');
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
            let answer = &operation["responses"][status.trim_end_matches("[]")];
            (answer["content"]["application/json"]["schema"].clone(), parts.collect())
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
fn a_place_that_was_removed_comes_back() {
    let bundle = SPEC.bundle().unwrap();
    let mut spots: BTreeMap<String, Vec<(Key, String)>> = BTreeMap::new();
    for (key, places) in &MAP.operations {
        for (place, located) in places {
            let parts = place.split('.').count();
            let of_envelope = place.starts_with("response.") && parts <= 3;
            let of_error = place.starts_with("response.4");
            if of_envelope || of_error || place == "request.body.filter" || place == "request.query.cursor" {
                continue;
            }
            let at = match (&located.parameter, &located.owner) {
                (Some(parameter), _) if place.starts_with("request.query.") => &parameter.element,
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
            spots.entry(at.to_string()).or_default().push((key.clone(), place.clone()));
        }
    }
    let mut numbers = Numbers(4);
    let total = spots.len();
    let (mut parameters, mut properties) = (0, 0);
    for round in 0..3 {
        let chosen = numbers.some(spots.values().collect(), 25);
        // Two from the same object could be its only fields, or one within the other.
        let mut owners = BTreeSet::new();
        let chosen: Vec<&Vec<(Key, String)>> = chosen
            .into_iter()
            .filter(|spot| {
                let located = &MAP.operations[&spot[0].0][&spot[0].1];
                owners.insert(located.owner.clone().unwrap_or_else(|| located.site.clone()))
            })
            .collect();
        let inner: Vec<(Key, String)> = chosen.iter().copied().flatten().cloned().collect();
        let within = |(key, place): &(Key, String)| {
            inner.iter().any(|(other, above)| {
                let rest = place.strip_prefix(above.as_str()).unwrap_or_default();
                other == key && rest.starts_with(['.', '[', '{'])
            })
        };
        let chosen: Vec<_> = chosen.into_iter().filter(|spot| !spot.iter().any(&within)).collect();
        let places = || chosen.iter().copied().flatten();
        let what = format!("round {round}");
        let mut sources = SPEC.clone();
        let gone = places()
            .map(|(key, place)| Change::Remove { operation: key.clone(), place: place.clone() })
            .collect();
        all_done(&apply(&mut sources, gone, DATE).unwrap(), &what);
        // Nothing but what names the removed field in a list of required ones is written anew.
        only_near(&SPEC, &sources, 4, &what);
        let without = surface(&sources);
        for (key, place) in places() {
            assert!(!without.operations[key].places.contains_key(place), "{key} {place}");
        }
        let back = places().map(|(key, place)| {
            let required = SURFACE.operations[key].places[place].facts.get("required") == Some(&json!(true));
            let node = node_of(&bundle.document, key, place);
            Change::Add { operation: key.clone(), place: place.clone(), node, required }
        });
        let back: Vec<Change> = back.collect();
        let report = apply(&mut sources, back.clone(), DATE).unwrap();
        all_done(&report, &what);
        assert!(!report.undescribed.is_empty());
        same(&sources, &SURFACE, &what);
        sound(&sources);
        assert_eq!(comments(&SPEC), comments(&sources));
        let texts = sources.texts();
        // What is there is not added again.
        let again = apply(&mut sources, back, DATE).unwrap();
        assert_eq!(again.done, Vec::new());
        assert!(texts == sources.texts());
        for spot in &chosen {
            let located = &MAP.operations[&spot[0].0][&spot[0].1];
            if located.parameter.is_some() { parameters += 1 } else { properties += 1 }
        }
    }
    assert!(total > 1000 && parameters > 5 && properties > 30, "{total} {parameters} {properties}");
}

#[test]
fn every_error_status_can_go_and_come_back() {
    let mut statuses = Vec::new();
    for key in SURFACE.operations.keys() {
        for status in ["400", "401", "403", "404", "409"] {
            let node = &MAP.nodes[key];
            let answer = SPEC.at(&node.file, &format!("{}/responses/{status}", node.pointer));
            // Some are described where they stand.
            if answer.is_some_and(|answer| answer["$ref"].is_string()) {
                statuses.push((key.clone(), status.to_owned()));
            }
        }
    }
    // One keeps the schema of errors in use.
    statuses.pop();
    let mut sources = SPEC.clone();
    let gone = statuses.iter().cloned();
    let gone = gone.map(|(operation, status)| Change::RemoveStatus { operation, status }).collect();
    all_done(&apply(&mut sources, gone, DATE).unwrap(), "statuses");
    let lines: usize =
        changed_lines(&SPEC, &sources).values().map(|(gone, new)| gone.len() + new.len()).sum();
    assert_eq!(lines, statuses.len());
    let back = statuses.iter().cloned();
    let back = back.map(|(operation, status)| Change::AddStatus { operation, status }).collect();
    all_done(&apply(&mut sources, back, DATE).unwrap(), "statuses");
    assert!(sources.texts() == SPEC.texts());
    assert!(statuses.len() > 100);
}

fn key(method: &str, path: &str) -> Key {
    Key::new(method, path)
}

fn refusal(report: &Report) -> &str {
    let [(_, reason)] = report.refused.as_slice() else { panic!("{report:#?}") };
    reason
}

#[test]
fn a_shared_spot_changes_only_when_all_ask() {
    let place = "response.200.data[].computerName";
    let agents = key("get", "/agents");
    let one = fact(&agents, "response.200.data[].groupName", "maxLength", Some(json!(9)));
    let mut sources = SPEC.clone();
    // Agents are listed by one operation alone.
    all_done(&apply(&mut sources, vec![one], DATE).unwrap(), "one user");

    let mut sources = SPEC.clone();
    let filter = key("post", "/agents/actions/connect");
    let change = fact(&filter, "request.body.filter.ids", "maxItems", Some(json!(7)));
    let report = apply(&mut sources, vec![change.clone()], DATE).unwrap();
    let reason = refusal(&report);
    assert!(reason.contains("spec/agents.yaml#/components/schemas/AgentFilter/properties/ids"), "{reason}");
    assert!(reason.contains("more") && reason.contains("GET /agents request.query.ids"), "{reason}");
    assert!(sources.texts() == SPEC.texts());

    let users =
        MAP.reached.iter().find(|(at, _)| at.pointer.ends_with("/AgentFilter/properties/ids")).unwrap().1;
    let all: Vec<Change> =
        users.iter().map(|(key, place)| fact(key, place, "maxItems", Some(json!(7)))).collect();
    assert!(all.len() > 5 && all.contains(&change));
    all_done(&apply(&mut sources, all, DATE).unwrap(), "all users");
    let changed = changed_lines(&SPEC, &sources);
    assert_eq!(changed.len(), 1);
    let (gone, new) = &changed["agents.yaml"];
    assert_eq!((gone.len(), new.as_slice()), (1, ["          maxItems: 7\n".to_owned()].as_slice()));

    let removal = Change::Remove { operation: filter.clone(), place: "request.body.filter.ids".into() };
    let report = apply(&mut sources, vec![removal], DATE).unwrap();
    assert!(refusal(&report).contains("is shared"));
    let node = json!({ "type": "string" });
    let addition =
        Change::Add { operation: filter, place: "request.body.filter.colour".into(), node, required: false };
    let report = apply(&mut sources, vec![addition], DATE).unwrap();
    assert!(refusal(&report).contains("request.query.colour"));

    let nowhere = fact(&agents, "response.200.data[].nowhere", "format", None);
    assert!(refusal(&apply(&mut sources, vec![nowhere], DATE).unwrap()).contains("has no place"));
    let unknown = fact(&key("get", "/nowhere"), place, "format", None);
    assert!(refusal(&apply(&mut sources, vec![unknown], DATE).unwrap()).contains("no operation"));
}

#[test]
fn a_shared_parameter_is_written_out_where_it_differs() {
    let mut sources = SPEC.clone();
    let agents = key("get", "/agents");
    let change = |value: i32| fact(&agents, "request.query.limit", "maximum", Some(json!(value)));
    all_done(&apply(&mut sources, vec![change(70)], DATE).unwrap(), "limit");
    let changed = changed_lines(&SPEC, &sources);
    let expected = "        - name: limit
          in: query
          schema: { type: integer, format: int32, minimum: 1, maximum: 70, default: 10 }
          description: Size of a page. Without it the console sends 10 items.
          x-s1: { selects: false }
";
    assert_eq!(changed["agents.yaml"].1.concat(), expected);
    assert_eq!((changed.len(), changed["agents.yaml"].0.len()), (1, 1));
    all_done(&apply(&mut sources, vec![change(1000)], DATE).unwrap(), "limit");
    same(&sources, &SURFACE, "limit");

    // All that share it: it changes where it stands.
    let mut sources = SPEC.clone();
    let shared = MAP.reached.iter().find(|(at, _)| at.pointer == "/components/parameters/Limit").unwrap().1;
    let all = shared.iter().map(|(key, place)| fact(key, place, "maximum", Some(json!(70)))).collect();
    all_done(&apply(&mut sources, all, DATE).unwrap(), "limit");
    let changed = changed_lines(&SPEC, &sources);
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["openapi.yaml"]);
    assert_eq!(changed["openapi.yaml"].1.len(), 1);
}

#[test]
fn what_would_break_a_rule_is_an_error_and_changes_nothing() {
    let mut sources = SPEC.clone();
    let place = "response.200.data[].isDefault";
    let change = fact(&key("get", "/groups"), place, "type", Some(json!("array")));
    let node = json!({ "type": "object", "properties": { "is_default": { "type": "string" } } });
    // Two names that are one in Rust.
    let twin = Change::Add {
        operation: key("get", "/groups"),
        place: "response.200.data[].is_default".into(),
        node: node["properties"]["is_default"].clone(),
        required: false,
    };
    let error = apply(&mut sources, vec![change, twin], DATE).unwrap_err().to_string();
    assert!(error.contains("same Rust name"), "{error}");
    assert!(sources.texts() == SPEC.texts());
}

#[test]
fn a_nested_object_gets_a_name_and_sentences_that_people_find() {
    let mut sources = SPEC.clone();
    let node = json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": { "type": "string", "readOnly": true, "description": "Words of others." },
                "lockState": { "type": "string", "enum": ["locked", "open"] },
                "createdAt": { "type": "string", "format": "date-time", "nullable": true },
            },
        },
    });
    let place = "response.200.data[].officeDoors";
    let add = Change::Add { operation: key("get", "/groups"), place: place.into(), node, required: true };
    let report = apply(&mut sources, vec![add], DATE).unwrap();
    all_done(&report, "doors");
    sound(&sources);
    let (gone, new) = &changed_lines(&SPEC, &sources)["groups.yaml"];
    assert_eq!(gone.len(), 0);
    let known = "known by its name alone, from the vendor's document of 2024-03.";
    let expected = format!(
        "        officeDoors:
          type: array
          items: {{ $ref: '#/components/schemas/GroupOfficeDoor' }}
          description: Office doors; {known}

    GroupOfficeDoor:
      type: object
      description: Group office door; {known}
      properties:
        id:
          type: string
          description: Id; {known}
        createdAt:
          type: string
          format: date-time
          nullable: true
          description: Created at; {known}
        lockState:
          $ref: '#/components/schemas/GroupOfficeDoorLockState'
          description: Lock state; {known}

    GroupOfficeDoorLockState:
      type: string
      enum: [locked, open]
      description: >-
        Group office door lock state values; {known}
"
    );
    assert_eq!(new.concat(), expected);
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

fn answer(data: &Value) -> Value {
    let errors = json!({ "type": "array", "items": { "type": "object" } });
    let schema = json!({ "type": "object", "properties": { "data": data, "errors": errors } });
    json!({
        "200": { "description": "x", "content": { "application/json": { "schema": schema } } },
        "401": { "description": "x" },
        "418": { "description": "x" },
    })
}

/// A list, one thing, a change by filter, a removal: invented, in the manner of the document.
fn operations() -> Vec<Change> {
    let label = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "name": { "type": "string", "description": "Words of others." },
            "colour": { "type": "string", "enum": ["red", "green"] },
            "createdAt": { "type": "string", "format": "date-time" },
            "owner": { "type": "object", "properties": { "id": { "type": "string" }, "mail": { "type": "string" } } },
        },
    });
    let text = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    let mut page = answer(&json!({ "type": "array", "items": label }));
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
            { "name": "colours", "in": "query",
              "schema": { "type": "array", "items": { "type": "string", "enum": ["green", "red"] } } },
            { "name": "createdAt__gt", "in": "query", "schema": { "type": "string", "format": "date-time" } },
            { "name": "sortBy", "in": "query", "schema": { "type": "string", "enum": ["id", "name"] } },
            text("unheardOf"),
        ],
        "responses": page,
    });
    let id = json!([{ "name": "label_id", "in": "path", "required": true, "schema": { "type": "string" } }]);
    let get = json!({ "parameters": id, "responses": answer(&label) });
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
                    "required": ["colour"],
                    "properties": { "colour": { "type": "string", "enum": ["red", "green"] } },
                },
                "filter": filter,
            },
        })),
        "responses": answer(&json!({ "type": "object", "properties": { "affected": { "type": "integer", "format": "int32" } } })),
    });
    let create = json!({
        "requestBody": body(json!({
            "type": "object",
            "properties": { "data": { "type": "object", "properties": { "name": { "type": "string" } } } },
        })),
        "responses": answer(&label),
    });
    let delete = json!({
        "parameters": id,
        "responses": answer(&json!({ "type": "object", "properties": { "success": { "type": "boolean" } } })),
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
fn new_operations_are_written_as_the_house_writes() {
    let mut sources = SPEC.clone();
    let report = apply(&mut sources, operations(), DATE).unwrap();
    all_done(&report, "operations");
    sound(&sources);
    insta::assert_snapshot!("labels", sources.text("labels.yaml"));
    // What was there stays as it was; the index and the tags have new lines.
    let changed = changed_lines(&SPEC, &sources);
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["labels.yaml", "openapi.yaml"]);
    let (gone, new) = &changed["openapi.yaml"];
    assert_eq!(gone.len(), 0);
    insta::assert_snapshot!("index", new.concat());
    let notes: Vec<&String> = report.done.iter().flat_map(|done| &done.notes).collect();
    assert!(notes.iter().any(|note| note.contains("418")), "{notes:?}");

    // The whole way to the raw client, and the examples, which both read a folder.
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in sources.texts() {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let files = sentinelone_codegen::generate(folder.path()).unwrap();
    assert!(files["src/labels.rs"].contains("pub struct LabelPaint"));
    let examples = sentinelone_codegen::fixtures(folder.path()).unwrap();
    for id in ["labels_list", "labels_create", "labels_get", "labels_delete", "labels_paint"] {
        assert!(examples.contains_key(&format!("{id}/generated_full.json")), "{id}");
    }

    // A second time there is nothing to add.
    let texts = sources.texts();
    let report = apply(&mut sources, operations(), DATE).unwrap();
    assert_eq!(report.done, Vec::new());
    assert!(report.refused.iter().all(|(_, reason)| reason == "it is there already"), "{report:#?}");
    assert!(texts == sources.texts());
}

#[test]
fn an_operation_without_a_known_form_is_refused_alone() {
    let mut sources = SPEC.clone();
    let mut all = operations();
    all.truncate(1);
    let odd = [
        (json!({ "responses": answer(&json!({ "type": "string" })) }), "neither {data: [T]} nor {data: T}"),
        (
            json!({ "responses": answer(&json!({ "type": "array", "items": { "type": "object" } })) }),
            "nobody says",
        ),
        (json!({ "responses": { "400": { "description": "x" } } }), "no successful answer"),
        (
            json!({ "responses": { "200": { "content": { "application/json": { "schema": {
                "type": "object", "properties": { "total": { "type": "integer" } } } } } } } }),
            "an envelope has",
        ),
        (
            json!({ "requestBody": { "content": { "multipart/form-data": { "schema": {} } } },
                    "responses": answer(&json!({ "type": "object", "properties": { "affected": { "type": "integer", "format": "int32" } } })) }),
            "not JSON",
        ),
    ];
    for (index, (node, _)) in odd.iter().enumerate() {
        all.push(new("post", &format!("/labels/odd{index}"), &format!("labels_odd{index}"), node.clone()));
    }
    let report = apply(&mut sources, all, DATE).unwrap();
    assert_eq!(report.done.len(), 1);
    assert_eq!(report.refused.len(), odd.len());
    for ((_, reason), (_, expected)) in report.refused.iter().zip(&odd) {
        assert!(reason.contains(expected), "{reason}");
    }
    sound(&sources);
}
