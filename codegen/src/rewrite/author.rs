//! New schemas, and sentences for what nobody has described yet.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::{Map, Value, json};

use super::locate::At;
use super::style::BOUNDS;
use crate::bundle::{ROOT, members};
use crate::emit::RUNTIME;
use crate::facts;
use crate::sources::{Position, Sources, join};
use crate::{Result, bundle, rewrite};

/// Keywords that are taken over as they are, beside those that bound a value.
const KEPT: [&str; 7] = ["type", "format", "pattern", "default", "nullable", "deprecated", "style"];

/// Members of a request that do not narrow what it selects.
pub(super) const NO_SELECTION: [&str; 8] =
    ["limit", "skip", "cursor", "countOnly", "skipCount", "sortBy", "sortOrder", "tenant"];

/// Nothing is deeper than this.
const DEEPEST: usize = 24;

/// The comment above the enums of a file.
const ENUMERATIONS: &str = "# Enumerations. The client keeps values that are not listed.";

/// A named schema that is to be compared with new ones.
struct Known {
    name: String,
    at: At,
    /// What it asks for when it is sent and when it is read; nothing for what is in the files already.
    form: Option<[Value; 2]>,
    filter: bool,
    /// The names of its fields, or its values: what tells most schemas apart at a glance.
    names: BTreeSet<String>,
}

impl Known {
    fn is(&self, sources: &Sources, wanted: &Value, way: Way) -> bool {
        match &self.form {
            Some(form) => form[way as usize] == *wanted,
            None => {
                let schema = sources.at(&self.at.file, &self.at.pointer).unwrap_or(&Value::Null);
                form(sources, &self.at.file, schema, way, 0).as_ref() == Some(wanted)
            }
        }
    }
}

/// The fields of an object, or the values of an enum.
fn names(schema: &Value) -> BTreeSet<String> {
    let fields = members(schema, "/properties").map(|(name, _)| name.clone());
    let values = schema["enum"].as_array().into_iter().flatten();
    fields.chain(values.map(Value::to_string)).collect()
}

/// Whether something is sent or read: nothing in an answer is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Sent,
    Read,
}

/// Writes schemas; nothing is in the files before [`flush`](Self::flush).
pub(super) struct Author<'a> {
    pub(super) date: &'a str,
    /// The file that new schemas go to.
    pub(super) file: String,
    sources: Sources,
    known: Vec<Known>,
    taken: BTreeSet<String>,
    pending: Vec<(String, Value)>,
    /// What has a sentence that says nothing but its name.
    pub(super) undescribed: Vec<String>,
    /// What could not be said as the document says it.
    pub(super) notes: Vec<String>,
    /// The fields of the thing that filters look at, where it is known.
    pub(super) fields: BTreeSet<String>,
}

impl<'a> Author<'a> {
    pub(super) fn new(sources: &Sources, file: &str, date: &'a str) -> Self {
        let mut known = Vec::new();
        let mut taken: BTreeSet<String> = RUNTIME.iter().map(|name| (*name).to_owned()).collect();
        for other in sources.names() {
            for (name, schema) in members(sources.tree(other), "/components/schemas") {
                taken.insert(name.clone());
                known.push(Known {
                    name: name.clone(),
                    at: At { file: other.to_owned(), pointer: join("/components/schemas", name) },
                    form: None,
                    filter: schema[facts::KEY]["filter"] == true,
                    names: names(schema),
                });
            }
        }
        Self {
            date,
            file: file.to_owned(),
            sources: sources.clone(),
            known,
            taken,
            pending: Vec::new(),
            undescribed: Vec::new(),
            notes: Vec::new(),
            fields: BTreeSet::new(),
        }
    }

    /// A sentence for what has a name and nothing else. People find these by "known by its name alone".
    pub(super) fn describe(&mut self, place: &str, subject: &str) -> String {
        self.undescribed.push(format!("spec/{}: {place}", self.file));
        format!(
            "{}; known by its name alone, from the vendor's document of {}.",
            sentence(subject),
            self.date
        )
    }

    /// A reference from the file at hand.
    pub(super) fn reference(&self, file: &str, name: &str) -> Value {
        let file = if file == self.file { "" } else { file };
        json!({ "$ref": format!("{file}#/components/schemas/{name}") })
    }

    /// A property or a parameter, with what is said of the place itself.
    pub(super) fn property(
        &mut self,
        owner: &str,
        name: &str,
        node: &Value,
        way: Way,
    ) -> Result<Value, String> {
        let mut property = self.schema(&name_below(owner, name), node, way)?;
        property["description"] = json!(self.describe(&format!("{owner}.{name}"), name));
        Ok(property)
    }

    /// A schema as it stands where it is used; `name` is what it is called, if it has to be a named one.
    pub(super) fn schema(&mut self, name: &str, node: &Value, way: Way) -> Result<Value, String> {
        for key in ["$ref", "oneOf", "anyOf", "allOf", "not"] {
            if node.get(key).is_some() {
                return Err(format!("{name} has {key}, which has no form here"));
            }
        }
        let mut kept = Map::new();
        for key in KEPT.into_iter().chain(BOUNDS) {
            if let Some(value) = node.get(key).filter(|value| !value.is_null() && **value != false) {
                kept.insert(key.to_owned(), value.clone());
            }
        }
        // Flags may be false, as a default says.
        if let Some(value) = node.get("default").filter(|value| !value.is_null()) {
            kept.insert("default".into(), value.clone());
        }
        kept.remove("style");
        if let Some(values) = node["enum"].as_array() {
            let texts: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
            if texts.len() < values.len() {
                kept.insert("nullable".into(), json!(true));
            }
            match usable(&texts) {
                Ok(()) => return self.refer(name, &json!({ "type": "string", "enum": texts }), way, kept),
                Err(reason) => self.notes.push(format!("the values of {name} are not listed: {reason}")),
            }
        }
        if node["properties"].as_object().is_some_and(|properties| !properties.is_empty()) {
            return self.refer(name, node, way, kept);
        }
        if node["items"].is_object() {
            kept.insert("type".into(), json!("array"));
            kept.insert("items".into(), self.schema(&singular(name), &node["items"], way)?);
        } else if kept.get("type") == Some(&json!("array")) {
            kept.insert("items".into(), json!({}));
        }
        match node.get("additionalProperties") {
            Some(Value::Object(values)) if !values.is_empty() => {
                let values = self.schema(name, &node["additionalProperties"], way)?;
                kept.insert("additionalProperties".into(), values);
            }
            Some(Value::Bool(false)) => {}
            _ if kept.get("type") == Some(&json!("object")) => {
                kept.insert("additionalProperties".into(), json!(true));
            }
            _ => {}
        }
        Ok(Value::Object(kept))
    }

    /// A reference to a named schema, with what may stand beside it.
    fn refer(
        &mut self,
        name: &str,
        node: &Value,
        way: Way,
        kept: Map<String, Value>,
    ) -> Result<Value, String> {
        let mut reference = self.named(name, node, way, false)?;
        for key in ["nullable", "deprecated"] {
            if let Some(value) = kept.get(key) {
                reference[key] = value.clone();
            }
        }
        if kept.contains_key("default") {
            self.notes.push(format!("the default of {name} is left out: it cannot stand beside a reference"));
        }
        Ok(reference)
    }

    /// A reference to a named schema of this form: one that is there, or a new one.
    pub(super) fn named(
        &mut self,
        name: &str,
        node: &Value,
        way: Way,
        filter: bool,
    ) -> Result<Value, String> {
        let wanted = bare(node, way);
        let look = names(&wanted);
        let listed = node.get("enum").is_some();
        let same = self.known.iter().find(|known| {
            let near = known.at.file == self.file || known.at.file == ROOT;
            // Small things that look alike may be different things.
            let same_thing = near || known.name == name || (!listed && known.names.len() >= 3);
            let alike = same_thing && known.filter == filter && known.names == look;
            alike && known.is(&self.sources, &wanted, way)
        });
        if let Some(known) = same {
            return Ok(self.reference(&known.at.file, &known.name));
        }
        let name = self.free(name);
        self.taken.insert(name.clone());
        let index = self.pending.len();
        self.pending.push((name.clone(), Value::Null));
        let mut schema = json!({ "type": node["type"].as_str().unwrap_or("object") });
        if listed {
            schema["enum"] = node["enum"].clone();
            schema["description"] = json!(self.describe(&name, &format!("{name} values")));
        } else {
            schema["type"] = json!("object");
            schema["description"] = json!(self.describe(&name, &name));
            let mut properties = Map::new();
            let mut idents = BTreeSet::new();
            for (property, node) in members(node, "/properties") {
                if !idents.insert(property.to_snake_case()) {
                    return Err(format!("{name}.{property} has the same Rust name as another property"));
                }
                let mut written = self.property(&name, property, node, way)?;
                if filter {
                    self.selecting(property, &mut written);
                }
                properties.insert(property.clone(), written);
            }
            schema["properties"] = Value::Object(properties);
            let required: BTreeSet<&str> =
                node["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if way == Way::Sent && !filter && !required.is_empty() {
                schema["required"] = json!(required);
            }
            if filter {
                schema[facts::KEY] = json!({ "filter": true });
            }
        }
        self.known.push(Known {
            name: name.clone(),
            at: At { file: self.file.clone(), pointer: join("/components/schemas", &name) },
            // Nothing that is read is required, and then it is not when it is sent either.
            form: match way {
                Way::Read => Some([wanted.clone(), wanted]),
                Way::Sent => Some([wanted, bare(node, Way::Read)]),
            },
            filter,
            names: names(node),
        });
        if let Some(entry) = self.pending.get_mut(index) {
            entry.1 = schema;
        }
        Ok(self.reference(&self.file.clone(), &name))
    }

    /// The body of a request with a filter, which is a schema of its own kind.
    pub(super) fn body(&mut self, name: &str, body: &Value, filter: &Value) -> Result<Value, String> {
        let (file, filter) = self.filter_of(filter).ok_or("the filter has no form here")?;
        let name = self.free(name);
        self.taken.insert(name.clone());
        let index = self.pending.len();
        self.pending.push((name.clone(), Value::Null));
        let mut properties = Map::new();
        for (property, node) in members(body, "/properties") {
            properties.insert(property.clone(), self.property(&name, property, node, Way::Sent)?);
        }
        let mut reference = self.reference(&file, &filter);
        reference["description"] = json!("What the action is applied to.");
        properties.insert("filter".into(), reference);
        let required = body["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut required: BTreeSet<&str> = required.collect();
        required.insert("filter");
        let schema = json!({
            "type": "object",
            "description": self.describe(&name, &name),
            "required": required,
            "properties": properties,
        });
        if let Some(entry) = self.pending.get_mut(index) {
            entry.1 = schema;
        }
        Ok(self.reference(&self.file.clone(), &name))
    }

    /// Adds the facts of what selects: whether it does, and what field it looks at.
    pub(super) fn selecting(&self, name: &str, node: &mut Value) {
        if NO_SELECTION.contains(&name) {
            node[facts::KEY] = json!({ "selects": false });
        } else if let Some(field) = self.field(name) {
            node[facts::KEY] = json!({ "field": field });
        }
    }

    /// The field that a parameter looks at, as far as its name tells.
    fn field(&self, name: &str) -> Option<String> {
        let base = name.split("__").next().unwrap_or(name);
        let base = base.strip_suffix("Nin").unwrap_or(base);
        let single = singular(base);
        let all = [base, single.as_str()];
        all.into_iter().find(|name| self.fields.contains(*name)).map(str::to_owned)
    }

    /// The existing schema of this form that is a filter, if there is one.
    pub(super) fn filter_of(&self, node: &Value) -> Option<(String, String)> {
        let wanted = bare(node, Way::Sent);
        let look = names(&wanted);
        let mut all = self.known.iter().filter(|known| known.filter && known.names == look);
        let found = all.find(|known| known.is(&self.sources, &wanted, Way::Sent));
        found.map(|known| (known.at.file.clone(), known.name.clone()))
    }

    /// Whether an existing schema has this name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    fn free(&self, name: &str) -> String {
        let name = name.to_upper_camel_case();
        let mut all = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}{number}")));
        all.find(|name| !self.taken.contains(name)).unwrap_or(name)
    }

    /// Puts the new schemas into their file.
    pub(super) fn flush(&mut self, sources: &mut Sources, after: Option<&str>) -> Result<()> {
        const SCHEMAS: &str = "/components/schemas";
        let mut after = after.map(str::to_owned);
        for (name, schema) in self.pending.drain(..) {
            let file = self.file.as_str();
            if sources.at(file, SCHEMAS).is_none() {
                if sources.at(file, "/components").is_none() {
                    sources.put(file, "", "components", &json!({ "schemas": { name: schema } }))?;
                } else {
                    sources.put(file, "/components", "schemas", &json!({ name: schema }))?;
                }
                continue;
            }
            let names = sources.keys(file, SCHEMAS);
            let listed =
                |name: &String| sources.tree(file)["components"]["schemas"][name].get("enum").is_some();
            let first_listed = schema.get("enum").is_some() && !names.iter().any(listed);
            let position = if schema.get("enum").is_some() {
                names.last().cloned()
            } else {
                let last = names.iter().rfind(|name| !listed(name)).cloned();
                let near = after.take().filter(|name| names.contains(name) && !listed(name)).or(last);
                after = Some(name.clone());
                near
            };
            sources.put_at(file, SCHEMAS, &name, &schema, Position::After(position.as_deref()))?;
            if first_listed && !sources.text(file).contains(ENUMERATIONS) {
                sources.comment_above(file, &join(SCHEMAS, &name), ENUMERATIONS)?;
            }
        }
        Ok(())
    }
}

/// Whether values can be those of an enum.
pub(super) fn usable(values: &[&Value]) -> Result<(), String> {
    if values.is_empty() {
        return Err("there are none".into());
    }
    let mut idents = BTreeSet::new();
    for value in values {
        let Some(text) = value.as_str() else { return Err(format!("{value} is no text")) };
        let ident = text.to_upper_camel_case();
        if ident.is_empty() || ident == "Unrecognized" {
            return Err(format!("{text:?} gives no Rust name"));
        }
        if !idents.insert(ident) {
            return Err(format!("{text:?} has the Rust name of another"));
        }
    }
    Ok(())
}

/// What a schema of a new document asks for, without texts.
pub(super) fn bare(node: &Value, way: Way) -> Value {
    strip(node.clone(), way)
}

/// What a schema of a file asks for, its references written out and without texts; none for one without end.
pub(super) fn form(sources: &Sources, file: &str, node: &Value, way: Way, depth: usize) -> Option<Value> {
    written_out(sources, file, node, depth).map(|node| strip(node, way))
}

fn written_out(sources: &Sources, file: &str, node: &Value, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    if let Some(target) = node["$ref"].as_str() {
        let at = rewrite::locate::resolve(sources, file, target)?;
        let mut found = written_out(sources, &at.file, sources.at(&at.file, &at.pointer)?, depth + 1)?;
        if node["nullable"] == true {
            found["nullable"] = json!(true);
        }
        return Some(found);
    }
    match node {
        Value::Object(map) => {
            let all = map
                .iter()
                .map(|(name, value)| Some((name.clone(), written_out(sources, file, value, depth + 1)?)));
            all.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Value::Array(list) => {
            let all = list.iter().map(|value| written_out(sources, file, value, depth + 1));
            all.collect::<Option<Vec<_>>>().map(Value::Array)
        }
        other => Some(other.clone()),
    }
}

/// The structure of a schema in one order.
fn strip(node: Value, way: Way) -> Value {
    let Value::Object(map) = node else { return node };
    let mut kept = Map::new();
    for (name, value) in map {
        let sorted = |value: Value| match value {
            Value::Array(list) => {
                let mut texts: Vec<(String, Value)> =
                    list.into_iter().map(|value| (value.to_string(), value)).collect();
                texts.sort_by(|one, other| one.0.cmp(&other.0));
                Value::Array(texts.into_iter().map(|(_, value)| value).collect())
            }
            other => other,
        };
        match name.as_str() {
            "properties" => {
                let Value::Object(properties) = value else { continue };
                let properties = properties.into_iter().map(|(name, node)| (name, strip(node, way)));
                kept.insert(name, properties.collect());
            }
            "items" => drop(kept.insert(name, strip(value, way))),
            "additionalProperties" if value.is_object() => drop(kept.insert(name, strip(value, way))),
            "enum" => drop(kept.insert(name, sorted(value))),
            "required" if way == Way::Sent && value.as_array().is_some_and(|list| !list.is_empty()) => {
                kept.insert(name, sorted(value));
            }
            "default" if !value.is_null() => drop(kept.insert(name, value)),
            "deprecated" | "style" => {}
            other
                if (KEPT.contains(&other) || BOUNDS.contains(&other))
                    && !value.is_null()
                    && value != false =>
            {
                kept.insert(name, value);
            }
            _ => {}
        }
    }
    Value::Object(kept)
}

/// The name of a schema that a property refers to.
pub(super) fn name_below(owner: &str, name: &str) -> String {
    format!("{}{}", owner.to_upper_camel_case(), name.to_upper_camel_case())
}

/// One of several.
pub(super) fn singular(word: &str) -> String {
    let same = ["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if same {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    for end in ["sses", "xes", "shes", "ches", "uses"] {
        if word.ends_with(end) {
            return word[..word.len() - 2].to_owned();
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// A name as words that begin a sentence.
fn sentence(name: &str) -> String {
    let words = name.to_snake_case().replace('_', " ");
    let mut chars = words.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

/// All schemas that nothing refers to, as file and name.
pub(super) fn unused(sources: &Sources) -> BTreeSet<At> {
    let mut used = BTreeSet::new();
    let mut todo: Vec<(String, &Value)> = Vec::new();
    for (_, item) in members(sources.tree(ROOT), "/paths") {
        todo.push((ROOT.to_owned(), item));
    }
    // What is shared by name stays, whether something uses it at the moment or not.
    for part in ["parameters", "responses"] {
        todo.push((ROOT.to_owned(), &sources.tree(ROOT)["components"][part]));
    }
    let mut visited = BTreeSet::new();
    while let Some((file, node)) = todo.pop() {
        match node {
            Value::Object(map) => {
                let target = map.get("$ref").and_then(Value::as_str);
                let target = target.and_then(|target| rewrite::locate::resolve(sources, &file, target));
                let query = map.get("query").and_then(Value::as_str).filter(|_| map.contains_key("versions"));
                let query = query.and_then(|name| rewrite::locate::schema(sources, name));
                for at in target.into_iter().chain(query) {
                    if visited.insert(at.clone())
                        && let Some(node) = sources.at(&at.file, &at.pointer)
                    {
                        todo.push((at.file.clone(), node));
                        if at.is_schema() {
                            used.insert(at);
                        }
                    }
                }
                todo.extend(map.values().map(|value| (file.clone(), value)));
            }
            Value::Array(list) => todo.extend(list.iter().map(|value| (file.clone(), value))),
            _ => {}
        }
    }
    let mut unused = BTreeSet::new();
    for file in sources.names() {
        for (name, _) in bundle::members(sources.tree(file), "/components/schemas") {
            let at = At { file: file.to_owned(), pointer: join("/components/schemas", name) };
            if !used.contains(&at) {
                unused.insert(at);
            }
        }
    }
    unused
}
