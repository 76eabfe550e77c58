//! Formats new YAML in `spec/`.

use serde_json::{Map, Value};

/// Maximum line length. A longer line is written only if it cannot be split.
pub(crate) const WIDTH: usize = 112;

/// Keywords that limit a value, in the order in which they are written.
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

/// Order of all keywords.
const ORDER: [&[&str]; 3] = [&BEFORE_BOUNDS, &BOUNDS, &AFTER_BOUNDS];

const BEFORE_BOUNDS: [&str; 18] = [
    "servers",
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

const AFTER_BOUNDS: [&str; 48] = [
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
    "security",
    "parameters",
    "requestBody",
    "headers",
    "content",
    "responses",
    "x-s1",
    "tier",
    "versions",
    "permissions",
    "optional",
    "access",
    "end",
    "kind",
    "idempotent",
    "destructive",
    "filter",
    "class",
    "perSecond",
    "burst",
    "rateLimit",
    "paging",
    "query",
    "evidence",
    "sandbox",
    "selective",
    "secret",
    "field",
    "op",
    "requires",
    "collection",
    "where",
    "list",
    "create",
    "set",
    "delete",
    "paths",
    "components",
];

/// Members whose value is written on one line if it fits.
const SINGLE_LINE: [&str; 7] =
    ["schema", "items", "additionalProperties", "x-s1", "permissions", "where", "data"];

/// Returns whether blank lines separate the members of the object at this pointer.
pub(crate) fn is_spaced(pointer: &str) -> bool {
    matches!(
        pointer,
        "" | "/components/schemas" | "/components/parameters" | "/components/responses" | "/paths"
    )
}

/// Returns the sort key of a member. All names that are not keywords have the same key.
fn rank(key: &str, names: &[&str]) -> usize {
    // In schemas and request bodies, `required` follows the description.
    let object = names.contains(&"properties") || key == "properties";
    let operation = names.contains(&"operationId");
    let response = names.contains(&"content") && !names.contains(&"required");
    let order = || ORDER.into_iter().flatten();
    let own = |key: &str| order().position(|other| *other == key).map(|index| 2 * index);
    let after = |other: &str| own(other).map(|index| index + 1);
    let found = match key {
        "required" if object => after("description"),
        "description" if operation || response => after("summary"),
        "items" if names.contains(&"versions") => after("paging"),
        // The `data` of a sandbox plan, unlike the `data` of a response envelope, comes last.
        "data" if names.contains(&"collection") || names.contains(&"create") => after("delete"),
        _ => own(key),
    };
    found.unwrap_or(2 * order().count())
}

/// Returns the position of a new member.
pub(crate) fn insertion_index(names: &[&str], key: &str) -> usize {
    let mut all = names.to_vec();
    all.push(key);
    // Status codes are sorted.
    if all.iter().all(|name| name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_digit())) {
        return names.iter().position(|name| *name > key).unwrap_or(names.len());
    }
    let own = rank(key, &all);
    names.iter().rposition(|name| rank(name, &all) <= own).map_or(0, |index| index + 1)
}

/// Objects whose members are names and not keywords.
const NAME_MAPS: [&str; 7] = ["properties", "schemas", "paths", "responses", "set", "item", "where"];

/// Returns the members of an object in the order in which they are written.
fn ordered<'a>(name: &str, map: &'a Map<String, Value>) -> Vec<(&'a String, &'a Value)> {
    let names: Vec<&str> = map.keys().map(String::as_str).collect();
    let mut members: Vec<_> = map.iter().collect();
    members.sort_by_key(|(member, _)| match NAME_MAPS.contains(&name) {
        true => (usize::from(*member != "id"), (*member).clone()),
        false => (rank(member, &names), (*member).clone()),
    });
    members
}

/// Returns a name as a mapping key.
pub(crate) fn key(name: &str) -> String {
    scalar(name, false)
}

/// Returns a string as a scalar, quoted only if necessary.
fn scalar(text: &str, in_flow: bool) -> String {
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
    // YAML 1.1 parsers read these as another type.
    let ambiguous = ["true", "false", "yes", "no", "on", "off", "y", "n", "none", "~"];
    if ambiguous.contains(&text.to_ascii_lowercase().as_str()) && text != "none" {
        return false;
    }
    serde_saphyr::from_str::<Value>(text).is_ok_and(|value| value == text)
}

/// Returns a value on one line.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let members = ordered("", map).into_iter().map(|(name, value)| match value.as_str() {
                Some(target) if name == "$ref" => format!("$ref: {}", quoted(target)),
                _ => format!("{}: {}", scalar(name, true), flow(value)),
            });
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(value) => scalar(value, true),
        other => other.to_string(),
    }
}

fn quoted(target: &str) -> String {
    format!("'{}'", target.replace('\'', "''"))
}

/// Returns whether a value may be written on one line: it has no descriptions and no lists of objects.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().all(|(name, value)| {
            !matches!(name.as_str(), "description" | "evidence" | "properties" | "versions") && is_flat(value)
        }),
        Value::Array(list) => list.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

/// Returns the lines of an object member. With `block_list`, a list uses several lines even if it fits on one.
pub(crate) fn entry(name: &str, value: &Value, indent: usize, block_list: bool) -> String {
    let blanks = " ".repeat(indent);
    let only_reference = value.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("$ref"));
    let single_line = match value {
        Value::Object(map) => {
            // The `data` of a sandbox plan may be on one line; a property `data` is a schema and is not.
            let is_schema = map.contains_key("type") || map.contains_key("$ref");
            let may_be_flow = SINGLE_LINE.contains(&name) && !(name == "data" && is_schema);
            map.is_empty() || only_reference || (may_be_flow && is_flat(value))
        }
        Value::Array(list) => list.is_empty() || (!block_list && is_flat(value)),
        _ => false,
    };
    if single_line {
        let line = format!("{blanks}{}: {}", key(name), flow(value));
        if line.chars().count() <= WIDTH || only_reference {
            return format!("{line}\n");
        }
    }
    block(name, value, indent)
}

/// Returns an object member in block style.
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
        Value::String(string) => {
            let line = format!("{blanks}{}: {string}", key(name));
            if plain(string, false) && line.chars().count() <= WIDTH {
                return format!("{line}\n");
            }
            if !string.contains(' ') || string.trim() != string || string.contains(['\n', '\t']) {
                return format!("{blanks}{}: {}\n", key(name), scalar(string, false));
            }
            format!("{blanks}{}: >-\n{}", key(name), folded(string, indent + 2))
        }
        other => format!("{blanks}{}: {}\n", key(name), flow(other)),
    }
}

/// Returns the lines of a list element; `indent` is the column of the dash.
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

/// Returns the lines of a folded block scalar.
fn folded(text: &str, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let mut lines = String::new();
    let mut line = String::new();
    for part in text.split(' ') {
        let length = indent + line.chars().count() + 1 + part.chars().count();
        if !line.is_empty() && length > WIDTH {
            lines.push_str(&format!("{blanks}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(part);
    }
    lines.push_str(&format!("{blanks}{line}\n"));
    lines
}
