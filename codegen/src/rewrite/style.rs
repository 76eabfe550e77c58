//! How new text is written in `spec/`.

use serde_json::{Map, Value};

/// No line is longer, unless nothing in it can be parted.
pub(crate) const WIDTH: usize = 112;

/// What bounds a value, in the order in which it is written.
pub(super) const BOUNDS: [&str; 10] = [
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];

/// The order of keywords, of which no object has all.
const ORDER: [&[&str]; 3] = [&BEFORE_BOUNDS, &BOUNDS, &BEHIND_BOUNDS];

const BEFORE_BOUNDS: [&str; 17] = [
    "operationId",
    "tags",
    "summary",
    "$ref",
    "source",
    "date",
    "ref",
    "note",
    "name",
    "in",
    "type",
    "format",
    "nullable",
    "deprecated",
    "items",
    "additionalProperties",
    "enum",
];

const BEHIND_BOUNDS: [&str; 43] = [
    "pattern",
    "default",
    "required",
    "style",
    "explode",
    "schema",
    "data",
    "pagination",
    "errors",
    "description",
    "parameters",
    "requestBody",
    "content",
    "responses",
    "x-s1",
    "versions",
    "permission",
    "kind",
    "idempotent",
    "destructive",
    "filter",
    "class",
    "perSecond",
    "burst",
    "rate",
    "paging",
    "query",
    "evidence",
    "sandbox",
    "selects",
    "secret",
    "field",
    "op",
    "needs",
    "collection",
    "where",
    "list",
    "create",
    "set",
    "delete",
    "answer",
    "paths",
    "components",
];

/// Members whose value stands in one line, where it fits.
const IN_A_LINE: [&str; 6] = ["schema", "items", "additionalProperties", "x-s1", "where", "answer"];

/// Whether the members of the object at this pointer are apart by a blank line.
pub(crate) fn is_spaced(pointer: &str) -> bool {
    matches!(
        pointer,
        "" | "/components/schemas" | "/components/parameters" | "/components/responses" | "/paths"
    )
}

/// Names that the document gives have no order; they stand as they come.
fn rank(key: &str, names: &[&str]) -> usize {
    // A schema says what it requires, and a body what it has, behind its description.
    let object = names.contains(&"properties") || key == "properties";
    let operation = names.contains(&"operationId");
    let answer = names.contains(&"content") && !names.contains(&"required");
    let order = || ORDER.into_iter().flatten();
    let own = |key: &str| order().position(|other| *other == key).map(|index| 2 * index);
    let behind = |other: &str| own(other).map(|index| index + 1);
    let found = match key {
        "required" if object => behind("description"),
        "description" if operation || answer => behind("summary"),
        "items" if names.contains(&"versions") => behind("paging"),
        _ => own(key),
    };
    found.unwrap_or(2 * order().count())
}

/// Where a new member goes among others.
pub(crate) fn place(names: &[&str], key: &str) -> usize {
    let mut all = names.to_vec();
    all.push(key);
    // Statuses are in their order.
    if all.iter().all(|name| name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_digit())) {
        return names.iter().position(|name| *name > key).unwrap_or(names.len());
    }
    let own = rank(key, &all);
    names.iter().rposition(|name| rank(name, &all) <= own).map_or(0, |index| index + 1)
}

/// Objects whose members are names that the document gives.
const OF_NAMES: [&str; 7] = ["properties", "schemas", "paths", "responses", "set", "item", "where"];

/// The members of an object in the order in which they are written.
fn ordered<'a>(name: &str, map: &'a Map<String, Value>) -> Vec<(&'a String, &'a Value)> {
    let names: Vec<&str> = map.keys().map(String::as_str).collect();
    let mut members: Vec<_> = map.iter().collect();
    members.sort_by_key(|(member, _)| match OF_NAMES.contains(&name) {
        true => (usize::from(*member != "id"), (*member).clone()),
        false => (rank(member, &names), (*member).clone()),
    });
    members
}

/// A name as a key.
pub(crate) fn key(name: &str) -> String {
    text(name, false)
}

/// A text as a scalar: as it is, where that means the text, else in quotes.
fn text(text: &str, in_flow: bool) -> String {
    if plain(text, in_flow) { text.to_owned() } else { Value::from(text).to_string() }
}

fn plain(text: &str, in_flow: bool) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || "_/$.(".contains(c));
    let special = text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || text.contains(char::is_control)
        || text.trim() != text
        || (in_flow && text.contains([',', '[', ']', '{', '}']));
    if !first || special || text.starts_with("null") && text.len() == 4 {
        return false;
    }
    // Numbers, flags and what else a reader may take for something else than a text.
    let looks_else = ["true", "false", "yes", "no", "on", "off", "y", "n", "none", "~"];
    if looks_else.contains(&text.to_ascii_lowercase().as_str()) && text != "none" {
        return false;
    }
    serde_saphyr::from_str::<Value>(text).is_ok_and(|value| value == text)
}

/// A value in one line.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let members = ordered("", map).into_iter().map(|(name, value)| match value.as_str() {
                Some(target) if name == "$ref" => format!("$ref: {}", quoted(target)),
                _ => format!("{}: {}", text(name, true), flow(value)),
            });
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(value) => text(value, true),
        other => other.to_string(),
    }
}

fn quoted(target: &str) -> String {
    format!("'{}'", target.replace('\'', "''"))
}

/// Whether a value may stand in one line: no sentences, no lists of objects.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().all(|(name, value)| {
            !matches!(name.as_str(), "description" | "evidence" | "properties" | "versions") && is_flat(value)
        }),
        Value::Array(list) => list.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

/// A member of an object with all its lines; `as_lines` writes a list over several lines though it would fit.
pub(crate) fn entry(name: &str, value: &Value, indent: usize, as_lines: bool) -> String {
    let blanks = " ".repeat(indent);
    let only_reference = value.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("$ref"));
    let in_a_line = match value {
        Value::Object(map) => {
            map.is_empty() || only_reference || (IN_A_LINE.contains(&name) && is_flat(value))
        }
        Value::Array(list) => list.is_empty() || (!as_lines && is_flat(value)),
        _ => false,
    };
    if in_a_line {
        let line = format!("{blanks}{}: {}", key(name), flow(value));
        if line.chars().count() <= WIDTH || only_reference {
            return format!("{line}\n");
        }
    }
    block(name, value, indent)
}

/// A member of an object over as many lines as it has parts.
pub(crate) fn block(name: &str, value: &Value, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            let spaced = matches!(name, "schemas") && indent == 2;
            let members =
                ordered(name, map).into_iter().map(|(name, value)| entry(name, value, indent + 2, false));
            let between = if spaced { "\n" } else { "" };
            format!("{blanks}{}:\n{}", key(name), members.collect::<Vec<_>>().join(between))
        }
        Value::Array(list) if !list.is_empty() => {
            let items: String = list.iter().map(|value| item(value, indent + 2)).collect();
            format!("{blanks}{}:\n{items}", key(name))
        }
        Value::String(target) if name == "$ref" => format!("{blanks}$ref: {}\n", quoted(target)),
        Value::String(words) => {
            let line = format!("{blanks}{}: {words}", key(name));
            if plain(words, false) && line.chars().count() <= WIDTH {
                return format!("{line}\n");
            }
            if !words.contains(' ') || words.trim() != words || words.contains(['\n', '\t']) {
                return format!("{blanks}{}: {}\n", key(name), text(words, false));
            }
            format!("{blanks}{}: >-\n{}", key(name), folded(words, indent + 2))
        }
        other => format!("{blanks}{}: {}\n", key(name), flow(other)),
    }
}

/// An element of a list with all its lines; `indent` is that of the dash.
pub(crate) fn item(value: &Value, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            let members: String = ordered("", map)
                .into_iter()
                .map(|(name, value)| entry(name, value, indent + 2, false))
                .collect();
            format!("{blanks}- {}", members.trim_start())
        }
        other => format!("{blanks}- {}\n", flow(other)),
    }
}

/// A text over several lines, which a reader joins with blanks.
fn folded(words: &str, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let mut lines = String::new();
    let mut line = String::new();
    for word in words.split(' ') {
        let length = indent + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH {
            lines.push_str(&format!("{blanks}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push_str(&format!("{blanks}{line}\n"));
    lines
}
