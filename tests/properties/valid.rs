//! Values, requests and responses that the specification allows.

use std::ops::RangeInclusive;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sentinelone::Request;
use sentinelone::raw::OPERATIONS;
use sentinelone::raw::runtime::RequestParts;
use sentinelone_contract::{Contract, Finding, OperationSpec};
use serde_json::{Value, json};

use super::points::is_nullable;
use super::schemas::{SeededRng, keyword};
use super::values::{Values, sent};

/// Maximum depth of generated values, which exceeds the depth of all schemas.
const MAX_DEPTH: u32 = 12;

/// Generates values that the specification allows.
pub(crate) struct Valid {
    pub(crate) rng: SeededRng,
    /// Number of optional fields that are omitted for each included one; `None` to omit all.
    pub(crate) omitted_per_included: Option<usize>,
    /// Whether nullable values may be null.
    pub(crate) allow_nulls: bool,
}

impl Valid {
    pub(crate) fn responses(seed: u64) -> Self {
        Self { rng: SeededRng(seed), omitted_per_included: Some(1), allow_nulls: true }
    }

    pub(crate) fn requests(seed: u64) -> Self {
        Self { rng: SeededRng(seed), omitted_per_included: Some(7), allow_nulls: false }
    }

    /// Generates required fields only.
    pub(crate) fn minimal(seed: u64) -> Self {
        Self { rng: SeededRng(seed), omitted_per_included: None, allow_nulls: false }
    }

    pub(crate) fn of(&mut self, schema: &Value) -> Value {
        self.value(schema, MAX_DEPTH)
    }
}

impl Valid {
    /// Generates a string that matches a pattern, with a length in the range.
    fn matching(&mut self, pattern: &str, length: RangeInclusive<usize>) -> String {
        let unanchored = pattern.trim_start_matches('^').trim_end_matches('$');
        // In the dialect of the specification, `\d` is an ASCII digit.
        let ascii = if pattern.contains("[^") { "" } else { "(?-u)" };
        let strategy = proptest::string::string_regex(&format!("{ascii}{unanchored}")).unwrap();
        let seed = self.rng.below(usize::MAX).to_le_bytes().repeat(4);
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        loop {
            let text = strategy.new_tree(&mut runner).unwrap().current();
            // A list in a query separates its items by commas, and a blank string is rejected.
            let is_sent = !text.trim().is_empty() && !text.contains([',', '\0', '\r', '\n']);
            if is_sent && length.contains(&text.chars().count()) {
                return text;
            }
        }
    }
}

impl Values for Valid {
    fn rng(&mut self) -> &mut SeededRng {
        &mut self.rng
    }

    fn string(&mut self, schema: &Value) -> String {
        if schema["x-s1"]["json"] == true {
            return json!({ "owner": [self.rng.pick(&["finance", "sales"])] }).to_string();
        }
        match keyword(schema, "format").and_then(Value::as_str) {
            Some("uuid") => return format!("{:08x}-53f4-4b52-9f2c-30a1b1c6d7e8", self.rng.below(1 << 32)),
            Some("duration") => return format!("PT{}M", self.rng.below(600)),
            _ => {}
        }
        let bound = |key| keyword(schema, key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap());
        let (min, max) = (bound("minLength").unwrap_or(1).max(1), bound("maxLength").unwrap_or(usize::MAX));
        if let Some(pattern) = keyword(schema, "pattern").and_then(Value::as_str) {
            return self.matching(pattern, min..=max);
        }
        // A comma separates list items in a query.
        let alphabet: Vec<char> = "abcXYZ019 -_.:/\\%&=+?#\"'äß€😀".chars().collect();
        let length = (min + self.rng.below(9)).min(max);
        let inside: String = (0..length).map(|_| *self.rng.pick(&alphabet)).collect();
        // Blank strings and path segments of dots are rejected.
        format!("{}x", inside.chars().skip(1).collect::<String>())
    }

    /// A list in a query cannot have a value with a comma, which some enums list.
    fn listed(&mut self, values: &[&str]) -> String {
        let values: Vec<&str> = values.iter().copied().filter(|value| !value.contains(',')).collect();
        (*self.rng.pick(&values)).to_owned()
    }

    fn replacement(&mut self, schema: &Value) -> Option<Value> {
        (self.allow_nulls && is_nullable(schema) && self.rng.below(4) == 0).then_some(Value::Null)
    }

    fn includes_optional(&mut self) -> bool {
        self.omitted_per_included.is_some_and(|omitted| self.rng.below(omitted + 1) == 0)
    }

    fn unconstrained(&mut self) -> Value {
        self.rng.pick(&[json!("x"), json!(7), json!(true), json!({ "a": [null] })]).clone()
    }
}

/// Returns the pointers of the members that the decoder needs to recognize the structure of a response.
fn envelope(operation: &OperationSpec, schema: &Value) -> Vec<String> {
    let members = Contract::bundled().properties(schema);
    let declared = ["data", "pagination"].into_iter().filter(|name| members.contains_key(name));
    let mut pointers: Vec<String> = declared.map(|name| format!("/{name}")).collect();
    let items = items_of(operation);
    if items != "data" {
        pointers.push(format!("/{}", items.replace('.', "/")));
    }
    pointers
}

/// Returns the location of the list items of a response.
fn items_of(operation: &OperationSpec) -> &'static str {
    OPERATIONS.iter().find(|one| one.id == operation.id()).unwrap().items
}

/// Generates a response of an operation with non-null data.
pub(crate) fn response(operation: &OperationSpec, schema: &Value, values: &mut Valid) -> Value {
    let mut response = non_null(values, schema);
    for pointer in envelope(operation, schema) {
        place_mut(values, schema, &mut response, &pointer);
    }
    response
}

/// Returns the schema of a property, or of the values of a map.
fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let contract = Contract::bundled();
    // The properties of a schema with references are collected, which takes longer.
    let declared = schema["properties"].get(name);
    declared.or_else(|| contract.properties(schema).remove(name)).or_else(|| contract.items(schema))
}

/// Generates a value that is not null.
fn non_null(values: &mut Valid, schema: &Value) -> Value {
    let allow_nulls = std::mem::replace(&mut values.allow_nulls, false);
    let value = values.of(schema);
    values.allow_nulls = allow_nulls;
    value
}

/// Returns the value at a pointer of a document. Generates it, and what encloses it, if it is missing or null.
pub(crate) fn place_mut<'a>(
    values: &mut Valid,
    schema: &Value,
    document: &'a mut Value,
    pointer: &str,
) -> &'a mut Value {
    let contract = Contract::bundled();
    let (mut schema, mut target) = (schema, document);
    for name in pointer.split('/').skip(1) {
        if target.is_array() {
            schema = contract.items(schema).unwrap();
            if target.get(0).is_none() {
                *target = json!([null]);
            }
            target = &mut target[name.parse::<usize>().unwrap()];
        } else {
            let property = property(schema, name).unwrap();
            schema = sent(property).unwrap_or(property);
            target = &mut target[name];
        }
        if target.is_null() {
            *target = non_null(values, schema);
        }
    }
    target
}

/// Returns the number of non-null items of a page, also of a nested list.
pub(crate) fn item_count(operation: &OperationSpec, response: &Value) -> Option<usize> {
    let list = response.pointer(&format!("/{}", items_of(operation).replace('.', "/")))?.as_array()?;
    Some(list.iter().filter(|item| !item.is_null()).count())
}

/// Generates request parts that the specification allows.
pub(crate) fn parts(operation: &OperationSpec, values: &mut Valid) -> RequestParts {
    let mut parts = RequestParts::default();
    for parameter in operation.parameters() {
        if parameter.is_in_path() {
            let Value::String(string) = values.of(&parameter.schema) else { panic!("{}", parameter.name) };
            parts.path_params.insert(parameter.name.clone(), string);
        } else if parameter.is_in_header() {
            if parameter.required || values.includes_optional() {
                parts.headers.insert(parameter.name.to_ascii_lowercase(), "a1-b2".to_owned());
            }
        } else if parameter.required || values.includes_optional() {
            let schema = with_x_s1(&parameter.schema, &parameter.x_s1);
            parts.query.insert(parameter.name.clone(), non_empty(values, &schema));
        }
    }
    parts.body = operation.body_schema().map(|schema| {
        let mut body = values.of(schema);
        fill(values, schema, &mut body);
        body
    });
    parts
}

/// Returns the schema of a parameter with its `x-s1`.
pub(crate) fn with_x_s1(schema: &Value, x_s1: &Value) -> Value {
    let mut schema = schema.clone();
    if !x_s1.is_null() {
        schema["x-s1"] = x_s1.clone();
    }
    schema
}

/// Generates a value that is not an empty list.
pub(crate) fn non_empty(values: &mut Valid, schema: &Value) -> Value {
    let mut value = values.of(schema);
    while value.as_array().is_some_and(Vec::is_empty) {
        value = values.of(schema);
    }
    value
}

/// Fills the empty lists of a body, which the client rejects.
pub(crate) fn fill(values: &mut Valid, schema: &Value, value: &mut Value) {
    let contract = Contract::bundled();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let Some(inner) = property(schema, name).and_then(|property| sent(property)) else {
                    continue;
                };
                if value.as_array().is_some_and(Vec::is_empty) {
                    *value = non_empty(values, inner);
                }
                fill(values, inner, value);
            }
        }
        Value::Array(items) => {
            let inner = contract.items(schema).unwrap();
            for item in items {
                if item.as_array().is_some_and(Vec::is_empty) {
                    *item = non_empty(values, inner);
                }
                fill(values, inner, item);
            }
        }
        _ => {}
    }
}

/// Returns URL, headers and body as sent.
pub(crate) fn wire(request: &Request<Value>) -> (String, Vec<(String, String)>, Option<String>) {
    let version = request.operation().versions[0];
    let mut url = url::Url::parse("https://console.example").unwrap();
    url.set_path(&request.path(version).unwrap());
    url.query_pairs_mut().extend_pairs(request.query());
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), value.to_string()));
    (url.to_string(), headers.collect(), request.body().map(Value::to_string))
}

pub(crate) fn findings(
    operation: &OperationSpec,
    parts: &RequestParts,
    request: &Request<Value>,
) -> Vec<Finding> {
    Contract::bundled().check_request(operation, &parts.path_params, &request.query(), request.body())
}
