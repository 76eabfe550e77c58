//! Resolution of the references of a document.

use serde_json::{Map, Value, json};

/// Resolves references.
pub(crate) struct Resolver<'a> {
    document: &'a Value,
    /// References that are being resolved.
    active: Vec<String>,
    /// Remaining number of nodes.
    remaining: usize,
}

/// Maximum number of nodes of a resolved operation. The largest of the vendor document has about 20,000.
pub(crate) const MAX_NODES: usize = 2_000_000;

/// Maximum depth of nested references.
const MAX_REFERENCE_DEPTH: usize = 100;

impl<'a> Resolver<'a> {
    pub(crate) fn new(document: &'a Value) -> Self {
        Self { document, active: Vec::new(), remaining: MAX_NODES }
    }

    /// Returns whether the resolved nodes reached [`MAX_NODES`].
    pub(crate) fn is_exhausted(&self) -> bool {
        self.remaining == 0
    }

    /// Returns a node with all references resolved. Recursive schemas, and those beyond the limits, are cut off.
    pub(crate) fn resolve(&mut self, node: &Value) -> Value {
        self.remaining = self.remaining.saturating_sub(1);
        match node {
            Value::Object(map) => {
                let target = map.get("$ref").and_then(Value::as_str);
                let found = target
                    .and_then(|target| Some((target, self.document.pointer(target.strip_prefix('#')?)?)));
                let Some((target, found)) = found else {
                    let members =
                        map.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"));
                    let members = members.map(|(name, value)| {
                        // Below `properties`, `example` is a property name.
                        let value = match (name.as_str(), value) {
                            ("properties", Value::Object(all)) => {
                                let all = all.iter().map(|(name, one)| (name.clone(), self.resolve(one)));
                                Value::Object(all.collect())
                            }
                            _ => self.resolve(value),
                        };
                        (name.clone(), value)
                    });
                    return Value::Object(members.collect());
                };
                let recursive = self.active.iter().any(|one| one == target);
                if recursive || self.active.len() > MAX_REFERENCE_DEPTH || self.remaining == 0 {
                    let mut cut = json!({ "type": "object", "x-recursive": true });
                    copy_siblings(map, &mut cut);
                    return cut;
                }
                self.active.push(target.to_owned());
                let mut found = self.resolve(found);
                self.active.pop();
                copy_siblings(map, &mut found);
                found
            }
            Value::Array(list) => Value::Array(list.iter().map(|one| self.resolve(one)).collect()),
            other => other.clone(),
        }
    }
}

/// Copies the siblings of a reference to its target.
fn copy_siblings(reference: &Map<String, Value>, found: &mut Value) {
    if let Some(found) = found.as_object_mut() {
        for (name, value) in reference.iter().filter(|(name, _)| *name != "$ref") {
            found.insert(name.clone(), value.clone());
        }
    }
}
