//! Corrections of the vendor document, as OpenAPI Overlay documents: `spec/overlays/`.
//!
//! The format is Overlay 1.0.0 with three additional rules:
//!
//! - A target without a match is an error. This also applies to each name in brackets with several names. The Overlay
//!   specification ignores both.
//! - An action has a description, and evidence in `x-s1.evidence`.
//! - An update adds missing values to an array, so that a second application has no effect. It creates only an array
//!   without elements.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::baseline::{hash, without_texts};
use crate::bundle::yaml_files;
use crate::metadata::Evidence;
use crate::pointer::unescape;
use crate::{Error, Result};

/// Name of the directory.
pub const DIR: &str = "overlays";

/// An overlay document.
#[derive(Debug)]
pub struct Overlay {
    /// Name of the file.
    pub file: String,
    /// Title of the overlay.
    pub title: String,
    /// Actions, in order.
    pub actions: Vec<Action>,
}

/// An action of an overlay.
#[derive(Debug)]
pub struct Action {
    /// JSONPath of the nodes to change.
    pub target: String,
    path: JsonPath,
    /// The error in the document, as a sentence.
    pub description: String,
    /// Evidence for the correction.
    pub evidence: Vec<Evidence>,
    /// The change.
    pub edit: Edit,
}

impl Overlay {
    /// Returns the overlay for a document in which paths have changed: old and new path.
    ///
    /// # Errors
    /// Returns an error if a target is not valid any more.
    pub(super) fn with_paths(&self, moved: &[(&str, &str)]) -> Result<Self> {
        let action = |action: &Action| {
            let target = with_paths(&action.target, moved);
            let path = JsonPath::parse(&target).map_err(|error| Error::Spec {
                file: self.file.clone(),
                message: format!("{target}: {error}"),
            })?;
            let (description, evidence) = (action.description.clone(), action.evidence.clone());
            Ok(Action { target, path, description, evidence, edit: action.edit.clone() })
        };
        let actions = self.actions.iter().map(action).collect::<Result<_>>()?;
        Ok(Self { file: self.file.clone(), title: self.title.clone(), actions })
    }
}

/// Returns a text with other paths: old and new path.
pub(super) fn with_paths(text: &str, moved: &[(&str, &str)]) -> String {
    let quoted = |path: &str| format!("'{path}'");
    moved.iter().fold(text.to_owned(), |text, (old, new)| text.replace(&quoted(old), &quoted(new)))
}

impl Action {
    /// Returns whether the target can match nodes of an operation.
    pub fn concerns(&self, method: &str, path: &str) -> bool {
        let quoted_names = self.target.strip_prefix("$.paths['").and_then(|rest| rest.split_once("']"));
        let Some((names, rest)) = quoted_names else { return true };
        let has_path = names.split("',").any(|name| name.trim().trim_start_matches('\'') == path);
        let target_method =
            rest.trim_start().strip_prefix('.').and_then(|rest| rest.split(['.', '[']).next());
        has_path && target_method.is_none_or(|one| one.trim() == method)
    }
}

/// The change of an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Merges the value into each node.
    Update(Value),
    /// Removes each node.
    Remove,
}

/// Effect of an action on a document.
#[derive(Debug)]
pub struct Applied<'a> {
    /// File of the overlay.
    pub file: &'a str,
    /// The action.
    pub action: &'a Action,
    /// Number of matching nodes.
    pub matched: usize,
    /// Number of changed nodes.
    pub changed: usize,
    /// Names without a match, in brackets with several names.
    pub missed: Vec<String>,
    /// Content before the correction, or its length and hash.
    pub before: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverlay {
    overlay: String,
    info: RawInfo,
    actions: Vec<RawAction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInfo {
    title: String,
    #[allow(dead_code, reason = "required by the Overlay specification")]
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAction {
    target: String,
    #[serde(default)]
    description: String,
    update: Option<Value>,
    #[serde(default)]
    remove: bool,
    #[serde(default, rename = "x-s1")]
    metadata: RawMetadata,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMetadata {
    #[serde(default)]
    evidence: Vec<Evidence>,
}

/// Reads all overlays of a specification, sorted by file name.
///
/// # Errors
/// Returns an error if an overlay cannot be read or is invalid.
pub fn read(spec: &Path) -> Result<Vec<Overlay>> {
    let dir = spec.join(DIR);
    if !dir.exists() {
        return Ok(Vec::new());
    }
    yaml_files(&dir)?.iter().map(|(name, text)| parse(&format!("{DIR}/{name}"), text)).collect()
}

/// Parses an overlay; `file` is for error messages.
///
/// # Errors
/// Returns an error if the overlay is invalid.
pub fn parse(file: &str, text: &str) -> Result<Overlay> {
    let invalid = |message: String| Error::Spec { file: file.to_owned(), message };
    let raw: RawOverlay = crate::yaml::read(text).map_err(invalid)?;
    if raw.overlay != "1.0.0" {
        return Err(invalid(format!("unsupported overlay version {:?}: expected 1.0.0", raw.overlay)));
    }
    let mut actions = Vec::new();
    for (number, action) in raw.actions.into_iter().enumerate() {
        let invalid = |message: &str| invalid(format!("action {}, {}: {message}", number + 1, action.target));
        let path = JsonPath::parse(&action.target).map_err(|error| invalid(&error.to_string()))?;
        if action.description.trim().is_empty() {
            return Err(invalid("has no description"));
        }
        if action.metadata.evidence.is_empty() {
            return Err(invalid("has no evidence, in x-s1.evidence"));
        }
        let edit = match (action.update, action.remove) {
            (Some(update), false) => Edit::Update(update),
            (None, true) => Edit::Remove,
            _ => return Err(invalid("requires either update or remove")),
        };
        actions.push(Action {
            target: action.target,
            path,
            description: crate::surface::single_line(&action.description),
            evidence: action.metadata.evidence,
            edit,
        });
    }
    Ok(Overlay { file: file.to_owned(), title: raw.info.title, actions })
}

/// Applies all actions in order. Returns the effect of each action, including those without a match; see
/// [`unmatched`].
///
/// # Errors
/// Returns an error if a target is neither an object nor an array.
pub fn apply<'a>(overlays: &'a [Overlay], document: &mut Value) -> Result<Vec<Applied<'a>>> {
    let mut all = Vec::new();
    for overlay in overlays {
        for action in &overlay.actions {
            all.push(apply_action(&overlay.file, action, document)?);
        }
    }
    Ok(all)
}

/// Returns an error if actions have no match.
pub fn unmatched<'a>(applied: impl IntoIterator<Item = &'a Applied<'a>>) -> Option<Error> {
    let lines: Vec<String> = applied
        .into_iter()
        .filter(|one| one.matched == 0 || !one.missed.is_empty())
        .map(|one| match one.missed.as_slice() {
            [] => format!("  {}: {}", one.file, one.action.target),
            missed => format!("  {}: {} ({} does not exist)", one.file, one.action.target, missed.join(", ")),
        })
        .collect();
    (!lines.is_empty()).then(|| Error::Unmatched(lines.join("\n")))
}

fn apply_action<'a>(file: &'a str, action: &'a Action, document: &mut Value) -> Result<Applied<'a>> {
    let located = action.path.query_located(document);
    let mut pointers: Vec<String> = located
        .iter()
        .filter(|node| has_lists(&action.edit, node.node()))
        .map(|node| node.location().to_json_pointer())
        .collect();
    let matched_names: BTreeSet<String> =
        pointers.iter().flat_map(|pointer| pointer.split('/')).map(unescape).collect();
    let missed =
        bracket_names(&action.target).into_iter().filter(|name| !matched_names.contains(name)).collect();
    let before: BTreeSet<String> = pointers
        .iter()
        .filter_map(|pointer| document.pointer(pointer))
        .map(|node| content_before(&action.edit, node))
        .collect();
    let before = match before.into_iter().collect::<Vec<_>>().join(" | ") {
        short if short.len() <= 60 => short,
        long => format!("{} characters, {:016x}", long.len(), hash(&long)),
    };
    let matched = pointers.len();
    let mut changed = 0;
    // In reverse order, because a removal shifts the following items.
    pointers.reverse();
    for pointer in pointers {
        let invalid = |message: &str| Error::Spec {
            file: file.to_owned(),
            message: format!("{} matches {pointer}: {message}", action.target),
        };
        match &action.edit {
            Edit::Update(update) => {
                let Some(node) = document.pointer_mut(&pointer) else { continue };
                let before = node.clone();
                match node {
                    Value::Object(_) if update.is_object() => merge(node, update),
                    Value::Object(_) => {
                        return Err(invalid("the node is an object, but the update is not an object"));
                    }
                    Value::Array(list) => {
                        if !list.contains(update) {
                            list.push(update.clone());
                        }
                    }
                    _ => return Err(invalid("the node is neither an object nor an array")),
                }
                changed += usize::from(*node != before);
            }
            Edit::Remove => {
                let Some((parent, name)) = pointer.rsplit_once('/') else {
                    return Err(invalid("the document itself cannot be removed"));
                };
                match document.pointer_mut(parent) {
                    Some(Value::Object(map)) => {
                        let name = unescape(name);
                        changed += usize::from(map.remove(&name).is_some());
                    }
                    Some(Value::Array(list)) => {
                        if let Some(index) = name.parse::<usize>().ok().filter(|index| *index < list.len()) {
                            list.remove(index);
                            changed += 1;
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(Applied { file, action, matched, changed, missed, before })
}

fn has_elements(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty())
}

/// Returns whether the node has each list that the update extends.
fn has_lists(edit: &Edit, node: &Value) -> bool {
    match edit {
        Edit::Update(Value::Object(update)) => update
            .iter()
            .all(|(name, value)| !has_elements(value) || node.get(name).is_some_and(Value::is_array)),
        _ => true,
    }
}

/// Returns the content that an edit changes, without texts.
fn content_before(edit: &Edit, node: &Value) -> String {
    fn affected(update: &Value, node: Option<&Value>) -> Value {
        match update {
            Value::Object(update) => {
                let all = update.iter().map(|(name, value)| {
                    (name.clone(), affected(value, node.and_then(|node| node.get(name))))
                });
                Value::Object(all.collect())
            }
            _ => node.map_or(Value::Null, |node| without_texts(node, false)),
        }
    }
    let mut content = match edit {
        Edit::Update(update) if update.is_object() => affected(update, Some(node)),
        _ => without_texts(node, false),
    };
    // A dependent crate may enable `preserve_order` of serde_json.
    content.sort_all_objects();
    content.to_string()
}

/// Returns the names of all brackets with several names. Each name must match.
fn bracket_names(target: &str) -> Vec<String> {
    let groups = target.split('[').skip(1).filter_map(|rest| rest.split_once(']')).map(|(group, _)| group);
    let quoted = |group: &str| -> Option<Vec<String>> {
        let names =
            group.split(',').map(|name| Some(name.trim().strip_prefix('\'')?.strip_suffix('\'')?.to_owned()));
        names.collect()
    };
    groups.filter_map(quoted).filter(|names| names.len() > 1).flatten().collect()
}

fn merge(node: &mut Value, update: &Value) {
    match (node, update) {
        (Value::Object(map), Value::Object(update)) => {
            for (name, value) in update {
                match map.get_mut(name) {
                    Some(present) if present.is_object() == value.is_object() => merge(present, value),
                    _ => drop(map.insert(name.clone(), value.clone())),
                }
            }
        }
        (Value::Array(list), Value::Array(update)) => {
            for value in update {
                if !list.contains(value) {
                    list.push(value.clone());
                }
            }
        }
        (node, update) => *node = update.clone(),
    }
}
