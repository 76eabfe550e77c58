//! What the vendor's document gets wrong, as OpenAPI Overlay documents: `spec/overlays/`.
//!
//! Overlay 1.0.0, with three rules that make it safe to keep for years:
//!
//! - an action whose target matches nothing is an error, and so is one name of several in its brackets that matches
//!   nothing: the specification of overlays lets both pass in silence;
//! - an action has a description, and evidence in `x-s1.evidence`;
//! - an array is extended by what it does not hold yet, so that applying an overlay twice changes nothing; one that is
//!   not there is not made.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::accepted::{bare, fingerprint};
use crate::bundle::texts;
use crate::facts::Evidence;
use crate::{Error, Result};

/// The folder's name.
pub const FOLDER: &str = "overlays";

/// An overlay document.
#[derive(Debug)]
pub struct Overlay {
    /// The file's name.
    pub file: String,
    /// What it is about.
    pub title: String,
    /// Its actions, in order.
    pub actions: Vec<Action>,
}

/// An action.
#[derive(Debug)]
pub struct Action {
    /// JSONPath of the nodes that it changes.
    pub target: String,
    path: JsonPath,
    /// What is wrong, in a sentence.
    pub description: String,
    /// Who says so.
    pub evidence: Vec<Evidence>,
    /// What is done.
    pub edit: Edit,
}

impl Action {
    /// Whether the target is about an operation, among others perhaps.
    pub fn concerns(&self, method: &str, path: &str) -> bool {
        let inside = self.target.strip_prefix("$.paths['").and_then(|rest| rest.split_once("']"));
        let Some((names, rest)) = inside else { return true };
        let named = names.split("',").any(|name| name.trim().trim_start_matches('\'') == path);
        let of_method = rest.trim_start().strip_prefix('.').and_then(|rest| rest.split(['.', '[']).next());
        named && of_method.is_none_or(|one| one.trim() == method)
    }
}

/// What an action does.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Merges this into every node.
    Update(Value),
    /// Takes every node away.
    Remove,
}

/// What an action did to a document.
#[derive(Debug)]
pub struct Applied<'a> {
    /// The file of the overlay.
    pub file: &'a str,
    /// The action.
    pub action: &'a Action,
    /// How many nodes matched.
    pub matched: usize,
    /// How many of them it changed.
    pub changed: usize,
    /// Names in brackets with several of them that matched nothing.
    pub missed: Vec<String>,
    /// What stood where it corrects, in a few characters.
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
    #[allow(dead_code, reason = "the specification of overlays demands it")]
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
    facts: RawFacts,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFacts {
    #[serde(default)]
    evidence: Vec<Evidence>,
}

/// Reads all overlays of a specification, by the name of the file.
///
/// # Errors
/// When one cannot be read, or breaks a rule.
pub fn read(spec: &Path) -> Result<Vec<Overlay>> {
    let folder = spec.join(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    texts(&folder)?.iter().map(|(name, text)| parse(&format!("{FOLDER}/{name}"), text)).collect()
}

/// Reads the text of an overlay; `file` is for errors.
///
/// # Errors
/// When it breaks a rule.
pub fn parse(file: &str, text: &str) -> Result<Overlay> {
    let wrong = |message: String| Error::Spec { file: file.to_owned(), message };
    let raw: RawOverlay = crate::yaml::read(text).map_err(wrong)?;
    if raw.overlay != "1.0.0" {
        return Err(wrong(format!("is an overlay of version {:?}, and not of 1.0.0", raw.overlay)));
    }
    let mut actions = Vec::new();
    for (number, action) in raw.actions.into_iter().enumerate() {
        let wrong = |message: &str| wrong(format!("action {}, {}: {message}", number + 1, action.target));
        let path = JsonPath::parse(&action.target).map_err(|error| wrong(&error.to_string()))?;
        if action.description.trim().is_empty() {
            return Err(wrong("has no description"));
        }
        if action.facts.evidence.is_empty() {
            return Err(wrong("has no evidence, in x-s1.evidence"));
        }
        let edit = match (action.update, action.remove) {
            (Some(update), false) => Edit::Update(update),
            (None, true) => Edit::Remove,
            _ => return Err(wrong("either updates or removes")),
        };
        actions.push(Action {
            target: action.target,
            path,
            description: crate::surface::words(&action.description),
            evidence: action.facts.evidence,
            edit,
        });
    }
    Ok(Overlay { file: file.to_owned(), title: raw.info.title, actions })
}

/// Applies all actions in order, and tells what each did. What matched nothing is told too: [`unmatched`] makes an
/// error of it.
///
/// # Errors
/// When a target is neither an object nor an array, which overlays cannot change.
pub fn apply<'a>(overlays: &'a [Overlay], document: &mut Value) -> Result<Vec<Applied<'a>>> {
    let mut all = Vec::new();
    for overlay in overlays {
        for action in &overlay.actions {
            all.push(one(&overlay.file, action, document)?);
        }
    }
    Ok(all)
}

/// The error of actions that matched nothing, if there are any.
pub fn unmatched<'a>(applied: impl IntoIterator<Item = &'a Applied<'a>>) -> Option<Error> {
    let lines: Vec<String> = applied
        .into_iter()
        .filter(|one| one.matched == 0 || !one.missed.is_empty())
        .map(|one| match one.missed.as_slice() {
            [] => format!("  {}: {}", one.file, one.action.target),
            missed => format!("  {}: {} ({} is not there)", one.file, one.action.target, missed.join(", ")),
        })
        .collect();
    (!lines.is_empty()).then(|| Error::Unmatched(lines.join("\n")))
}

fn one<'a>(file: &'a str, action: &'a Action, document: &mut Value) -> Result<Applied<'a>> {
    let located = action.path.query_located(document);
    let mut pointers: Vec<String> = located
        .iter()
        .filter(|found| extends(&action.edit, found.node()))
        .map(|found| found.location().to_json_pointer())
        .collect();
    let hit: BTreeSet<String> = pointers
        .iter()
        .flat_map(|pointer| pointer.split('/'))
        .map(|name| name.replace("~1", "/").replace("~0", "~"))
        .collect();
    let missed = names(&action.target).into_iter().filter(|name| !hit.contains(name)).collect();
    let before: BTreeSet<String> = pointers
        .iter()
        .filter_map(|pointer| document.pointer(pointer))
        .map(|node| stood(&action.edit, node))
        .collect();
    let before = match before.into_iter().collect::<Vec<_>>().join(" | ") {
        short if short.len() <= 60 => short,
        long => format!("{} characters, {:016x}", long.len(), fingerprint(&long)),
    };
    let matched = pointers.len();
    let mut changed = 0;
    // From the end, so that removing an element moves none that is still to be removed.
    pointers.reverse();
    for pointer in pointers {
        let wrong = |message: &str| Error::Spec {
            file: file.to_owned(),
            message: format!("{} matches {pointer}, which is {message}", action.target),
        };
        match &action.edit {
            Edit::Update(update) => {
                let Some(node) = document.pointer_mut(&pointer) else { continue };
                let before = node.clone();
                match node {
                    Value::Object(_) if update.is_object() => merge(node, update),
                    Value::Object(_) => return Err(wrong("an object, and what it is updated by is none")),
                    Value::Array(list) => {
                        if !list.contains(update) {
                            list.push(update.clone());
                        }
                    }
                    _ => return Err(wrong("neither an object nor an array")),
                }
                changed += usize::from(*node != before);
            }
            Edit::Remove => {
                let Some((parent, name)) = pointer.rsplit_once('/') else {
                    return Err(wrong("the document itself"));
                };
                match document.pointer_mut(parent) {
                    Some(Value::Object(map)) => {
                        let name = name.replace("~1", "/").replace("~0", "~");
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

/// Whether there is a list for every one that an update extends: a list that is gone is no list that lacks something.
fn extends(edit: &Edit, node: &Value) -> bool {
    match edit {
        Edit::Update(Value::Object(update)) => update
            .iter()
            .all(|(name, value)| !value.is_array() || node.get(name).is_some_and(Value::is_array)),
        _ => true,
    }
}

/// What stands where an edit changes something, without texts.
fn stood(edit: &Edit, node: &Value) -> String {
    fn inside(update: &Value, node: Option<&Value>) -> Value {
        match update {
            Value::Object(update) => {
                let all = update
                    .iter()
                    .map(|(name, value)| (name.clone(), inside(value, node.and_then(|node| node.get(name)))));
                Value::Object(all.collect())
            }
            _ => node.map_or(Value::Null, |node| bare(node, false)),
        }
    }
    let mut stood = match edit {
        Edit::Update(update) if update.is_object() => inside(update, Some(node)),
        _ => bare(node, false),
    };
    // The same where a dependent lets serde_json keep the order of a file.
    stood.sort_all_objects();
    stood.to_string()
}

/// The names in brackets that have several: each has to match.
fn names(target: &str) -> Vec<String> {
    let groups = target.split('[').skip(1).filter_map(|rest| rest.split_once(']')).map(|(inside, _)| inside);
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
