//! Quick check of JSON text against a schema, which sorts out the values without findings.
//!
//! Most values of a response conform. [`QuickCheck::doubts`] reads the text of a value once, without a tree, and returns
//! which checks can have findings. Only these checks then run on the value. A doubt without a finding costs time; a
//! finding without a doubt would be lost, so every keyword that this module does not know is a doubt.

use std::collections::{BTreeMap, HashMap};

use memchr::memmem;
use sentinelone::raw::runtime::Timestamp;
use serde_json::Value;

use super::json_cursor::{Cursor, RawString, Unreadable, check_depth};
use super::schema::Schemas;
use super::secret_text::{contains_jwt, is_secret_name};
use super::value_context::ValueContext;

/// The checks that can have findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Doubts {
    /// The value can violate its schema.
    pub(super) schema: bool,
    /// The value can have undeclared fields.
    pub(super) fields: bool,
    /// The value can have secrets.
    pub(super) secrets: bool,
}

impl Doubts {
    pub(super) fn any(self) -> bool {
        self.schema || self.fields || self.secrets
    }

    /// Returns the doubts that are also doubts of the other value.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            schema: self.schema && other.schema,
            fields: self.fields && other.fields,
            secrets: self.secrets && other.secrets,
        }
    }
}

/// A schema, prepared for [`QuickCheck::doubts`].
#[derive(Debug)]
pub(super) struct QuickCheck {
    nodes: Vec<Node>,
}

type NodeId = usize;

/// The root is the first node.
const ROOT: NodeId = 0;

/// What a value must satisfy to have no findings.
#[derive(Debug)]
struct Node {
    /// Whether the node holds every keyword of the schema. Otherwise each value is a doubt.
    is_exact: bool,
    types: u8,
    /// The strings of an enum.
    strings: Option<Vec<String>>,
    is_time: bool,
    /// The bounds of a number. Only integers are compared.
    range: (f64, f64),
    /// The bounds of the length of a string.
    length: (u64, u64),
    /// The bounds of the number of items.
    item_count: (u64, u64),
    fields: HashMap<String, Field>,
    /// The bits of the required fields.
    required: u64,
    other_fields: OtherFields,
    items: NodeId,
    is_secret: bool,
    /// The replacement of a secret.
    mask: String,
}

#[derive(Debug)]
struct Field {
    node: NodeId,
    /// The bit of the field in [`Node::required`]; 0 if it is not required.
    bit: u64,
}

/// The fields that an object does not name.
#[derive(Clone, Copy, Debug)]
struct OtherFields {
    are_declared: bool,
    node: NodeId,
}

const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const INTEGER: u8 = 4;
const FRACTION: u8 = 8;
const STRING: u8 = 16;
const ARRAY: u8 = 32;
const OBJECT: u8 = 64;
const ANY: u8 = 127;

/// Maximum number of schemas that apply to one value.
const MAX_PARTS: usize = 100;

/// Largest magnitude at which each integer has an exact `f64`.
const MAX_EXACT: i64 = 1 << 53;

/// A schema that applies to a value, and whether a reference to it adds null.
type Constraint<'a> = (&'a Value, bool);

impl Node {
    /// A node without constraints and fields.
    fn any() -> Self {
        Self {
            is_exact: true,
            types: ANY,
            strings: None,
            is_time: false,
            range: (f64::NEG_INFINITY, f64::INFINITY),
            length: (0, u64::MAX),
            item_count: (0, u64::MAX),
            fields: HashMap::new(),
            required: 0,
            other_fields: OtherFields { are_declared: true, node: ROOT },
            items: ROOT,
            is_secret: false,
            mask: String::new(),
        }
    }
}

impl QuickCheck {
    /// Prepares a schema. `context` has its declarations; without a schema, only secrets are found.
    pub(super) fn new<'a>(
        schemas: &'a Schemas,
        schema: Option<&'a Value>,
        context: &ValueContext<'a>,
    ) -> Self {
        let mut builder = Builder { schemas, nodes: Vec::new(), known: BTreeMap::new() };
        builder.node(context, &schema.into_iter().collect::<Vec<_>>());
        Self { nodes: builder.nodes }
    }

    /// Returns the checks that can have findings for a document.
    ///
    /// # Errors
    /// Returns [`Unreadable`] if the text is not JSON, or if only `serde_json` can decide it.
    pub(super) fn doubts(&self, text: &str) -> Result<Doubts, Unreadable> {
        let mut reader = self.reader(text, 0);
        let doubts = reader.read(0)?;
        reader.cursor.end()?;
        Ok(doubts)
    }

    /// Returns a reader of values that begins at this offset of a text.
    pub(super) fn reader<'a>(&'a self, text: &'a str, offset: usize) -> Reader<'a> {
        let cursor = Cursor::new(text, offset);
        Reader { nodes: &self.nodes, cursor, text, next_token: Some(offset), doubts: Doubts::default() }
    }
}

/// The schemas of the context, whether its value is a secret, and the constraints, which identify a node.
type NodeKey = (Vec<*const Value>, bool, bool, Vec<(*const Value, bool)>);

struct Builder<'a> {
    schemas: &'a Schemas,
    nodes: Vec<Node>,
    /// Nodes by their key, since schemas can be recursive.
    known: BTreeMap<NodeKey, NodeId>,
}

impl<'a> Builder<'a> {
    /// Returns the node of values that must satisfy each of the schemas.
    fn node(&mut self, context: &ValueContext<'a>, schemas: &[&'a Value]) -> NodeId {
        let (mut parts, mut node) = (Vec::new(), Node::any());
        for schema in schemas {
            self.collect(schema, false, &mut parts, &mut node);
        }
        let key = (
            context.parts().iter().map(|part| std::ptr::from_ref(*part)).collect(),
            context.is_secret(),
            is_secret_name(context.name()),
            parts.iter().map(|(part, nullable)| (std::ptr::from_ref(*part), *nullable)).collect(),
        );
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = self.nodes.len();
        self.nodes.push(Node::any());
        self.known.insert(key, id);
        for (part, nullable) in &parts {
            constrain(&mut node, part, *nullable);
        }
        // A text in place of a list is searched like an item of the list.
        node.is_secret = context.is_secret() || context.kind() == Some("array");
        node.mask = context.mask();
        self.add_fields(&mut node, context, &parts);
        let items: Vec<&Value> = parts.iter().filter_map(|(part, _)| part.get("items")).collect();
        node.items = self.node(&context.item(), &items);
        if let Some(slot) = self.nodes.get_mut(id) {
            *slot = node;
        }
        id
    }

    /// Collects the schemas that `schema` combines by `allOf`, with references resolved, and whether null is added to
    /// them, as in the translation to JSON Schema.
    fn collect(&self, schema: &'a Value, nullable: bool, parts: &mut Vec<Constraint<'a>>, node: &mut Node) {
        let nullable = nullable || schema.get("nullable") == Some(&Value::Bool(true));
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            match self.schemas.get(reference).filter(|target| target.get("$ref").is_none()) {
                Some(target) => self.collect(target, nullable, parts, node),
                None => node.is_exact = false,
            }
            return;
        }
        // `allOf` can form a cycle.
        if parts.len() > MAX_PARTS {
            node.is_exact = false;
            return;
        }
        parts.push((schema, nullable));
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.collect(part, nullable, parts, node);
        }
    }

    fn add_fields(&mut self, node: &mut Node, context: &ValueContext<'a>, parts: &[Constraint<'a>]) {
        let is_open =
            |part: &&Value| part.get("properties").is_some() || part.get("additionalProperties").is_some();
        let additional = |part: &&'a Value| part.get("additionalProperties");
        let mut declared = context.parts().iter().filter_map(additional);
        let are_declared =
            !context.parts().iter().any(is_open) || declared.any(|one| *one != Value::Bool(false));
        let others: Vec<&Value> =
            parts.iter().filter_map(|(part, _)| additional(part)).filter(|one| one.is_object()).collect();
        // A field that one schema declares can be an additional one of another.
        node.is_exact &= others.is_empty() || parts.len() == 1;
        node.other_fields = OtherFields { are_declared, node: self.node(&context.field("").0, &others) };
        let mut names: Vec<&str> = Vec::new();
        for part in context.parts() {
            names.extend(
                part.get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str()),
            );
        }
        for name in names {
            let schemas: Vec<&Value> =
                parts.iter().filter_map(|(part, _)| part.get("properties")?.get(name)).collect();
            let field = Field { node: self.node(&context.field(name).0, &schemas), bit: 0 };
            node.fields.insert(name.to_owned(), field);
        }
        let required = || parts.iter().filter_map(|(part, _)| part.get("required"));
        node.is_exact &= required().all(Value::is_array);
        for name in required().filter_map(Value::as_array).flatten() {
            let bit = 1_u64.checked_shl(node.required.count_ones());
            match (name.as_str().and_then(|name| node.fields.get_mut(name)), bit) {
                (Some(field), Some(bit)) if field.bit == 0 => {
                    field.bit = bit;
                    node.required |= bit;
                }
                (Some(_), Some(_)) => {}
                _ => node.is_exact = false,
            }
        }
    }
}

/// Adds the keywords of a schema to a node.
fn constrain(node: &mut Node, schema: &Value, nullable: bool) {
    let Value::Object(keywords) = schema else { return };
    for (key, value) in keywords {
        match key.as_str() {
            "type" => {
                let types = match value.as_str() {
                    Some("boolean") => BOOLEAN,
                    Some("integer") => INTEGER,
                    Some("number") => INTEGER | FRACTION,
                    Some("string") => STRING,
                    Some("array") => ARRAY,
                    Some("object") => OBJECT,
                    _ => {
                        node.is_exact = false;
                        continue;
                    }
                };
                node.types &= types | if nullable { NULL } else { 0 };
            }
            "enum" => {
                let values = value.as_array().map(Vec::as_slice).unwrap_or_default();
                let strings: Vec<String> =
                    values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                let has_null = values.contains(&Value::Null);
                node.is_exact &= value.is_array()
                    && node.strings.is_none()
                    && values.len() == strings.len() + usize::from(has_null);
                node.types &= STRING | if nullable || has_null { NULL } else { 0 };
                node.strings = Some(strings);
            }
            "format" => match value.as_str() {
                Some("date-time") => node.is_time = true,
                // The sizes of numbers are not checked.
                Some("int32" | "int64" | "float" | "double") => {}
                _ => node.is_exact = false,
            },
            "minimum" => set_bound(&mut node.is_exact, &mut node.range.0, value.as_f64(), f64::max),
            "maximum" => set_bound(&mut node.is_exact, &mut node.range.1, value.as_f64(), f64::min),
            "minLength" => set_bound(&mut node.is_exact, &mut node.length.0, value.as_u64(), u64::max),
            "maxLength" => set_bound(&mut node.is_exact, &mut node.length.1, value.as_u64(), u64::min),
            "minItems" => set_bound(&mut node.is_exact, &mut node.item_count.0, value.as_u64(), u64::max),
            "maxItems" => set_bound(&mut node.is_exact, &mut node.item_count.1, value.as_u64(), u64::min),
            "not" | "anyOf" | "oneOf" | "pattern" | "multipleOf" | "uniqueItems" | "minProperties"
            | "maxProperties" | "exclusiveMinimum" | "exclusiveMaximum" => node.is_exact = false,
            // `Builder` reads the members that declare fields and items. The others have no meaning for a value.
            _ => {}
        }
    }
}

fn set_bound<T: Copy>(is_exact: &mut bool, bound: &mut T, value: Option<T>, stricter: fn(T, T) -> T) {
    match value {
        Some(value) => *bound = stricter(*bound, value),
        None => *is_exact = false,
    }
}

/// The start of a signed token.
const TOKEN: &[u8] = b"eyJ";

/// Reads values of one schema.
pub(super) struct Reader<'a> {
    nodes: &'a [Node],
    pub(super) cursor: Cursor<'a>,
    text: &'a str,
    /// The offset of the next possible token, or of an earlier one.
    next_token: Option<usize>,
    doubts: Doubts,
}

impl<'a> Reader<'a> {
    /// Reads the next value, which is at this depth of the document, and returns its doubts.
    pub(super) fn read(&mut self, depth: usize) -> Result<Doubts, Unreadable> {
        self.doubts = Doubts::default();
        self.value(ROOT, depth)?;
        Ok(self.doubts)
    }

    fn value(&mut self, id: NodeId, depth: usize) -> Result<(), Unreadable> {
        let nodes = self.nodes;
        let Some(node) = nodes.get(id) else { return Err(Unreadable) };
        check_depth(depth)?;
        self.doubts.schema |= !node.is_exact;
        let kind = match self.cursor.peek()? {
            b'{' => OBJECT,
            b'[' => ARRAY,
            b'"' => STRING,
            b't' | b'f' => BOOLEAN,
            b'n' => NULL,
            _ => INTEGER | FRACTION,
        };
        self.doubts.schema |= node.types & kind == 0;
        match kind {
            OBJECT => self.object(node, depth),
            ARRAY => self.array(node, depth),
            STRING => self.string(node),
            BOOLEAN | NULL => self.cursor.skip_value(depth).map(|_| ()),
            _ => self.number(node),
        }
    }

    fn object(&mut self, node: &'a Node, depth: usize) -> Result<(), Unreadable> {
        self.cursor.expect(b'{')?;
        let mut is_first = true;
        let mut seen = 0;
        while self.cursor.next_element(is_first, b'}')? {
            is_first = false;
            let name = self.cursor.name()?;
            self.find_token(&name)?;
            let field = match name.has_escapes {
                false => node.fields.get(name.text),
                true => node.fields.get(name.unescape()?.as_ref()),
            };
            match field {
                Some(field) => {
                    seen |= field.bit;
                    self.value(field.node, depth + 1)?;
                }
                None => {
                    self.doubts.fields |= !node.other_fields.are_declared;
                    self.doubts.secrets |= is_secret_name(&name.unescape()?);
                    self.value(node.other_fields.node, depth + 1)?;
                }
            }
        }
        self.doubts.schema |= seen != node.required;
        Ok(())
    }

    fn array(&mut self, node: &Node, depth: usize) -> Result<(), Unreadable> {
        self.cursor.expect(b'[')?;
        let mut count = 0;
        while self.cursor.next_element(count == 0, b']')? {
            count += 1;
            self.value(node.items, depth + 1)?;
        }
        self.doubts.schema |= count < node.item_count.0 || count > node.item_count.1;
        Ok(())
    }

    fn string(&mut self, node: &Node) -> Result<(), Unreadable> {
        let string = self.cursor.string()?;
        self.find_token(&string)?;
        let has_length = node.length != (0, u64::MAX);
        if !has_length && !node.is_time && !node.is_secret && node.strings.is_none() {
            return Ok(());
        }
        let text = string.unescape()?;
        let length = || text.chars().count() as u64;
        let conforms = node.strings.as_ref().is_none_or(|strings| strings.iter().any(|one| *one == text))
            && (!node.is_time || Timestamp::from(text.as_ref()).to_utc().is_some())
            && (!has_length || (node.length.0..=node.length.1).contains(&length()));
        self.doubts.schema |= !conforms;
        self.doubts.secrets |= node.is_secret && !text.is_empty() && text != node.mask;
        Ok(())
    }

    fn number(&mut self, node: &Node) -> Result<(), Unreadable> {
        let number = self.cursor.number()?;
        // A number such as 1.0 is an integer, too.
        let fits = node.types & if number.is_integer { INTEGER } else { FRACTION } != 0;
        let is_bounded = node.range != (f64::NEG_INFINITY, f64::INFINITY);
        let in_range = || {
            let integer =
                number.text.parse().ok().filter(|value: &i64| (-MAX_EXACT..=MAX_EXACT).contains(value));
            integer.is_some_and(|value| (node.range.0..=node.range.1).contains(&(value as f64)))
        };
        self.doubts.schema |= !fits || is_bounded && !in_range();
        Ok(())
    }

    /// Searches a string for a signed token.
    fn find_token(&mut self, string: &RawString<'_>) -> Result<(), Unreadable> {
        while let Some(next) = self.next_token.filter(|next| *next < string.start) {
            let after = next + 1;
            let rest = self.text.as_bytes().get(after..).unwrap_or_default();
            self.next_token = memmem::find(rest, TOKEN).map(|at| after + at);
        }
        let has_start = self.next_token.is_some_and(|next| next < string.start + string.text.len());
        if has_start || string.has_code_points {
            self.doubts.secrets |= contains_jwt(&string.unescape()?);
        }
        Ok(())
    }
}
