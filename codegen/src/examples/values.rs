//! Values of schemas.

use serde_json::{Map, Value, json};

use super::{named, texts};
use crate::bundle::{Bundle, members};
use crate::facts;

/// Schemas that lie deeper are left empty: one that holds itself would never end.
const DEEPEST: usize = 12;

/// How much is shown of a thing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Every field.
    Full,
    /// What is required, and some of the rest.
    Some,
    /// Every field; null where that is allowed.
    Null,
    /// The same, but what holds other fields is opened to show theirs.
    NullBelow,
}

/// A place in a document.
#[derive(Clone)]
pub(super) struct Spot {
    /// Name of the field; elements of a list have that of the list.
    pub(super) name: String,
    /// What the value is called elsewhere, where the name does not tell: `threatId` for the `id` of a threat.
    pub(super) known_as: String,
    /// Whether this is the thing that the operation is about.
    pub(super) is_subject: bool,
    /// The names from the root, without positions, so that what is alike in all things is so by the place.
    pub(super) path: String,
    /// Which of several things it belongs to, and which element of a list it is.
    pub(super) item: usize,
    pub(super) depth: usize,
}

impl Spot {
    pub(super) fn new(name: &str, below: &str) -> Self {
        Self {
            name: name.to_owned(),
            known_as: name.to_owned(),
            is_subject: false,
            path: format!("{below}.{name}"),
            item: 0,
            depth: 0,
        }
    }

    fn field(&self, name: &str) -> Self {
        // `id` is a word that everything has.
        let known_as = match name {
            "id" if self.is_subject => self.known_as.clone(),
            "id" => format!("{}Id", self.name),
            _ => name.to_owned(),
        };
        Self {
            name: name.to_owned(),
            known_as,
            is_subject: false,
            path: format!("{}.{name}", self.path),
            item: self.item,
            depth: self.depth + 1,
        }
    }

    fn element(&self, number: usize) -> Self {
        Self { item: self.item + number, depth: self.depth + 1, ..self.clone() }
    }
}

/// Makes the values of an operation.
pub(super) struct Maker<'a> {
    bundle: &'a Bundle,
    operation: &'a str,
    look: Look,
}

impl<'a> Maker<'a> {
    pub(super) fn new(bundle: &'a Bundle, operation: &'a str, look: Look) -> Self {
        Self { bundle, operation, look }
    }

    /// A value that the schema takes.
    pub(super) fn value(&self, schema: &Value, spot: &Spot) -> Value {
        let inner = resolve(self.bundle, schema);
        let nullable = [schema, inner].iter().any(|schema| schema["nullable"] == true);
        let holds_fields = |schema: &Value| schema["properties"].is_object();
        let is_null = match self.look {
            Look::Null => nullable,
            Look::NullBelow => {
                let items = resolve(self.bundle, &inner["items"]);
                nullable && !holds_fields(inner) && !holds_fields(items)
            }
            Look::Full | Look::Some => false,
        };
        if is_null {
            return Value::Null;
        }
        match inner["type"].as_str() {
            Some("object") => self.object(inner, spot),
            Some("array") => self.list(inner, spot),
            // A success says so.
            Some("boolean") if spot.name == "success" => json!(true),
            Some("string") if spot.name == "success" => json!("true"),
            Some("boolean") => json!((self.number(spot) + spot.item as u64).is_multiple_of(2)),
            Some("integer" | "number") => self.integer(inner, spot),
            _ => self.text(schema, inner, spot),
        }
    }

    fn object(&self, schema: &Value, spot: &Spot) -> Value {
        let mut fields = Map::new();
        if spot.depth > DEEPEST {
            return Value::Object(fields);
        }
        let is_chosen =
            |name: &str| name == "id" || requires(schema, name) || self.number(&spot.field(name)) & 1 == 0;
        // An object that would say nothing says everything.
        let says_nothing = !members(schema, "/properties").any(|(name, _)| is_chosen(name));
        for (name, property) in members(schema, "/properties") {
            let spot = spot.field(name);
            if self.look == Look::Some && !says_nothing && !is_chosen(name) {
                continue;
            }
            fields.insert(name.clone(), self.value(property, &spot));
        }
        match &schema["additionalProperties"] {
            // Nobody says what stands here.
            Value::Bool(true) => {
                fields.insert("computerName".to_owned(), json!(texts::host(spot.item)));
                fields.insert("count".to_owned(), json!(1 + spot.item));
            }
            values @ Value::Object(_) => {
                let spot = Spot { name: spot.name.clone(), ..spot.field("key") };
                fields.insert(texts::key(&spot.name).to_owned(), self.value(values, &spot));
            }
            _ => {}
        }
        Value::Object(fields)
    }

    fn list(&self, schema: &Value, spot: &Spot) -> Value {
        let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
        let least = bound("minItems").unwrap_or_default();
        let most = bound("maxItems").unwrap_or(usize::MAX);
        let many = match self.look {
            Look::Full | Look::NullBelow => 2,
            Look::Some | Look::Null => 1,
        };
        let items = 0..many.max(least).min(most);
        items.map(|number| self.value(&schema["items"], &spot.element(number))).collect()
    }

    fn integer(&self, schema: &Value, spot: &Spot) -> Value {
        let number = self.number(&spot.element(spot.item));
        let name = spot.name.to_ascii_lowercase();
        let (from, to) = if name.ends_with("port") {
            (1024, 9999)
        } else if name.ends_with("size") || name.ends_with("memory") {
            (4096, 8_388_608)
        } else {
            (1, 100)
        };
        let bound = |name: &str| schema[name].as_u64();
        let from = bound("minimum").unwrap_or(from);
        let to = bound("maximum").unwrap_or(to.max(from)).max(from);
        json!(from + number % (to - from + 1))
    }

    fn text(&self, outer: &Value, schema: &Value, spot: &Spot) -> Value {
        let number = self.number(spot);
        if let Some(words) = schema["enum"].as_array().filter(|words| !words.is_empty()) {
            // One after the other, so that a document shows several.
            let words: Vec<&Value> = words.iter().filter(|word| !word.is_null()).collect();
            let at = (number % words.len() as u64) as usize + spot.item;
            return words[at % words.len()].clone();
        }
        if schema["format"] == "date-time" {
            return json!(texts::time(&spot.name, number, spot.item));
        }
        if outer[facts::KEY]["json"] == true {
            return json!(json!({ "owner": ["finance"] }).to_string());
        }
        // What is blocked is a file.
        let blocked = spot.name == "value" && self.operation.starts_with("blocklist");
        let known_as = if blocked { "sha1" } else { &spot.known_as };
        // There are fewer scopes than things in them.
        let is_scope = matches!(spot.name.as_str(), "accountId" | "siteId" | "groupId");
        let item = if is_scope { spot.item % 2 } else { spot.item };
        // A name of several words means the same wherever it stands.
        let tells = known_as.contains(|c: char| c.is_ascii_uppercase());
        let number = if tells { hash(&["text", known_as]) } else { number };
        let text = texts::text(known_as, number, item);
        let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
        let most = bound("maxLength").unwrap_or(usize::MAX);
        let mut text: String = text.chars().take(most).collect();
        while text.chars().count() < bound("minLength").unwrap_or_default() {
            text.push('x');
        }
        json!(text)
    }

    fn number(&self, spot: &Spot) -> u64 {
        hash(&[self.operation, &spot.path])
    }
}

/// The schema itself, where others refer to it.
pub(super) fn resolve<'a>(bundle: &'a Bundle, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEEPEST {
        let Some(inner) = named(bundle, schema) else { break };
        schema = inner;
    }
    schema
}

/// Whether an object has to have a field.
pub(super) fn requires(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name))
}

/// Whether nobody says what the object holds.
pub(super) fn is_free(schema: &Value) -> bool {
    schema["additionalProperties"] == true && schema["properties"].is_null()
}

/// A number that depends on nothing but these texts: FNV-1a, with its bits mixed once more (splitmix64), since
/// only the lower ones are used.
pub(super) fn hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
