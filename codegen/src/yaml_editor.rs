//! Format-preserving edits of the files of `spec/`.
//!
//! An edit changes only the lines of the edited node. Comments, blank lines, the order of members and the style of
//! scalars stay. Each edit is applied to the text and to the parsed value; [`Sources::verify`] parses the text and
//! compares both.

mod positions;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::bundle::{Bundle, yaml_files};
use crate::pointer::{join, split};
use crate::spec_update::style;
use crate::{Error, Result};

use positions::{Edit, Kind, Node, column, find, indentation, line_end, line_start, scan};

/// An editable directory of YAML files.
#[derive(Clone, Debug)]
pub struct Sources {
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug)]
struct File {
    text: String,
    /// Text before the edits; `None` for a new file.
    before: Option<String>,
    value: Value,
    tree: Node,
}

/// Position of a new object member.
#[derive(Clone, Copy, Debug)]
pub enum Position<'a> {
    /// Position by the member order of `spec/`.
    Ranked,
    /// After this member, or first.
    After(Option<&'a str>),
}

impl Sources {
    /// Reads all files of a directory.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or is not YAML.
    pub fn read(directory: &Path) -> Result<Self> {
        Self::from_texts(yaml_files(directory)?)
    }

    /// Creates the editor from file names and texts.
    ///
    /// # Errors
    /// Returns an error if a text is not YAML.
    pub fn from_texts(texts: BTreeMap<String, String>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (name, text) in texts {
            let file = File {
                before: Some(text.clone()),
                value: crate::yaml::read(&text).map_err(|error| Error::spec(&name, error))?,
                tree: scan(&name, &text)?,
                text,
            };
            files.insert(name, file);
        }
        Ok(Self { files })
    }

    /// Returns the texts by file name.
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(name, file)| (name.clone(), file.text.clone())).collect()
    }

    /// Writes the changed files and returns their names. If a file cannot be written, none is changed.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<Vec<String>> {
        let changed: Vec<_> =
            self.files.iter().filter(|(_, file)| file.before.as_ref() != Some(&file.text)).collect();
        let temporary = |name: &str| directory.join(format!(".{name}.new"));
        for (name, file) in &changed {
            if let Err(source) = std::fs::write(temporary(name), &file.text) {
                for (name, _) in &changed {
                    // Files that were not written yet do not exist.
                    let _ = std::fs::remove_file(temporary(name));
                }
                return Err(Error::Io { path: directory.join(name), source });
            }
        }
        for (name, _) in &changed {
            let path = directory.join(name);
            std::fs::rename(temporary(name), &path).map_err(|source| Error::Io { path, source })?;
        }
        Ok(changed.into_iter().map(|(name, _)| name.clone()).collect())
    }

    /// Joins the files to one document.
    ///
    /// # Errors
    /// Returns an error if a reference cannot be resolved or the index is invalid.
    pub fn bundle(&self) -> Result<Bundle> {
        let files = self.files.iter().map(|(name, file)| (name.as_str(), &file.value));
        Bundle::join_parsed(&files.collect())
    }

    /// Checks that each changed text equals its edited value.
    ///
    /// # Errors
    /// Returns an error if a text is not YAML, or has another value.
    pub fn verify(&self) -> Result<()> {
        for (name, file) in self.files.iter().filter(|(_, file)| file.before.as_ref() != Some(&file.text)) {
            let value: Value = crate::yaml::read(&file.text).map_err(|error| Error::spec(name, error))?;
            if let Some(difference) = difference(&value, &file.value, &mut String::new()) {
                return Err(Error::spec(
                    name,
                    format!("the edited file has an unexpected value at {difference}"),
                ));
            }
        }
        Ok(())
    }

    /// Returns the file names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Returns the value of a file, or null if the file does not exist.
    pub fn tree(&self, file: &str) -> &Value {
        self.files.get(file).map_or(&Value::Null, |file| &file.value)
    }

    /// Returns the text of a file, or an empty string if the file does not exist.
    pub fn text(&self, file: &str) -> &str {
        self.files.get(file).map_or("", |file| &file.text)
    }

    /// Returns the node at a JSON pointer.
    pub fn at(&self, file: &str, pointer: &str) -> Option<&Value> {
        self.files.get(file)?.value.pointer(pointer)
    }

    /// Returns the member names of the object at a JSON pointer, in the order of the text.
    pub fn keys(&self, file: &str, pointer: &str) -> Vec<String> {
        let node = self.files.get(file).and_then(|file| find(&file.tree, pointer));
        match node.map(|node| &node.kind) {
            Some(Kind::Map { entries, .. }) => entries.iter().map(|entry| entry.key.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Returns an error if the file exists or the text is not YAML.
    pub fn create(&mut self, name: &str, text: String) -> Result<()> {
        if self.files.contains_key(name) {
            return Err(Error::spec(name, "already exists".into()));
        }
        let value = crate::yaml::read(&text).map_err(|error| Error::spec(name, error))?;
        let tree = scan(name, &text)?;
        self.files.insert(name.to_owned(), File { text, before: None, value, tree });
        Ok(())
    }

    /// Sets a member of the object at a JSON pointer; a new member gets the position by the order of `spec/`.
    ///
    /// # Errors
    /// Returns an error if the node is not an object.
    pub fn put(&mut self, file: &str, pointer: &str, key: &str, value: &Value) -> Result<()> {
        self.put_at(file, pointer, key, value, Position::Ranked)
    }

    /// Sets a member of the object at a JSON pointer; a new member gets this position.
    ///
    /// # Errors
    /// Returns an error if the node is not an object.
    pub fn put_at(
        &mut self,
        file: &str,
        pointer: &str,
        key: &str,
        value: &Value,
        position: Position<'_>,
    ) -> Result<()> {
        if self.at(file, pointer).and_then(|node| node.get(key)) == Some(value) {
            return Ok(());
        }
        self.edit(file, pointer, |text, root| {
            let node = find(root, pointer)?;
            let Kind::Map { flow, entries } = &node.kind else { return None };
            let present = entries.iter().find(|entry| entry.key == key);
            if *flow {
                let mut parts: Vec<(String, String)> = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), text[entry.start..entry.value.end].to_owned()))
                    .collect();
                let new = format!("{}: {}", style::key(key), style::flow(value));
                match parts.iter_mut().find(|(name, _)| name == key) {
                    Some(part) => part.1 = new,
                    None => {
                        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
                        parts.insert(insertion_index(&names, key, position), (key.to_owned(), new));
                    }
                }
                let parts: Vec<&str> = parts.iter().map(|(_, part)| part.as_str()).collect();
                return Some(Edit::replace(
                    pointer,
                    node.start,
                    node.end,
                    format!("{{ {} }}", parts.join(", ")),
                ));
            }
            let indent = entries.first().map(|entry| column(text, entry.start))?;
            if let Some(entry) = present {
                let lines = style::entry(key, value, indent, is_block_list(&entry.value));
                let new = lines.trim().to_owned();
                return Some(Edit::replace(pointer, entry.start, entry.value.end, new));
            }
            let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            let lines = style::entry(key, value, indent, false);
            let index = insertion_index(&names, key, position);
            let spaced = style::is_spaced(pointer) && value.get("$ref").is_none();
            let Some(before) = index.checked_sub(1).and_then(|index| entries.get(index)) else {
                let gap = if spaced { "\n" } else { "" };
                let start = entries.first()?.start;
                // In a list element the first member follows the dash.
                let rest = " ".repeat(indent);
                let new = format!("{}\n{gap}{rest}", lines.trim());
                return Some(Edit::replace(pointer, start, start, new));
            };
            let gap = if spaced { "\n" } else { "" };
            let from = line_end(text, before.value.end);
            Some(Edit::insert_entry(pointer, index, from, format!("{gap}{lines}")))
        })?;
        self.change(file, pointer, |node| {
            node.as_object_mut().map(|map| drop(map.insert(key.to_owned(), value.clone())))
        })?;
        self.wrap_long_line(file, pointer)
    }

    /// Replaces the object member or list element at a JSON pointer.
    ///
    /// # Errors
    /// Returns an error if the node does not exist.
    pub fn replace(&mut self, file: &str, pointer: &str, value: &Value) -> Result<()> {
        let (parent, key) = split(pointer);
        if self.at(file, parent).is_some_and(Value::is_object) {
            return self.put(file, parent, &key, value);
        }
        self.edit(file, pointer, |text, root| {
            let node = find(root, pointer)?;
            let Kind::List { flow, .. } = &find(root, parent)?.kind else { return None };
            if *flow {
                return Some(Edit::replace(parent, node.start, node.end, style::flow(value)));
            }
            let indent = column(text, line_start(text, node.start) + indentation(text, node.start));
            let new = style::item(value, indent).trim()[2..].to_owned();
            Some(Edit::replace(parent, node.start, node.end, new))
        })?;
        self.change(file, pointer, |node| {
            *node = value.clone();
            Some(())
        })
    }

    /// Adds an element to the list at a JSON pointer.
    ///
    /// # Errors
    /// Returns an error if the node is not a list.
    pub fn push(&mut self, file: &str, pointer: &str, value: &Value) -> Result<()> {
        self.edit(file, pointer, |text, root| {
            let node = find(root, pointer)?;
            let Kind::List { flow, items } = &node.kind else { return None };
            if *flow {
                let mut parts: Vec<String> =
                    items.iter().map(|item| text[item.start..item.end].to_owned()).collect();
                parts.push(style::flow(value));
                let new = format!("[{}]", parts.join(", "));
                return Some(Edit::replace(pointer, node.start, node.end, new));
            }
            let last = items.last()?;
            let indent = indentation(text, items.first()?.start);
            let from = line_end(text, last.end);
            Some(Edit::replace(pointer, from, from, style::item(value, indent)))
        })?;
        self.change(file, pointer, |node| node.as_array_mut().map(|list| list.push(value.clone())))?;
        self.wrap_long_line(file, pointer)
    }

    /// Gives a member of the object at a JSON pointer another name, in its place.
    ///
    /// # Errors
    /// Returns an error if the object has no such member.
    pub fn rename(&mut self, file: &str, pointer: &str, from: &str, to: &str) -> Result<()> {
        self.edit(file, pointer, |text, root| {
            let Kind::Map { entries, .. } = &find(root, pointer)?.kind else { return None };
            let start = entries.iter().find(|entry| entry.key == from)?.start;
            let forms =
                [style::flow(&json!(from)), format!("{from:?}"), format!("'{from}'"), from.to_owned()];
            let old = forms.iter().find(|form| text[start..].starts_with(form.as_str()))?;
            Some(Edit::replace(pointer, start, start + old.len(), style::flow(&json!(to))))
        })?;
        self.change(file, pointer, |node| {
            let map = node.as_object_mut()?;
            let value = map.remove(from)?;
            map.insert(to.to_owned(), value);
            Some(())
        })
    }

    /// Inserts a comment above an object member, followed by a blank line.
    ///
    /// # Errors
    /// Returns an error if the member does not exist.
    pub fn comment_above(&mut self, file: &str, pointer: &str, comment: &str) -> Result<()> {
        let (parent, key) = split(pointer);
        self.edit(file, pointer, |text, root| {
            let Kind::Map { flow: false, entries } = &find(root, parent)?.kind else { return None };
            let start = entries.iter().find(|entry| entry.key == key)?.start;
            let blanks = " ".repeat(column(text, start));
            Some(Edit::replace(parent, start, start, format!("{comment}\n\n{blanks}")))
        })
    }

    /// Removes an object member or a list element. A parent that would be empty is removed too.
    ///
    /// # Errors
    /// Returns an error if the node does not exist.
    pub fn remove(&mut self, file: &str, pointer: &str) -> Result<()> {
        let (parent, key) = split(pointer);
        let is_only_child = match self.at(file, parent) {
            Some(Value::Object(map)) => map.len() == 1 && map.contains_key(&key),
            Some(Value::Array(list)) => list.len() == 1,
            _ => false,
        };
        if is_only_child && !parent.is_empty() {
            return self.remove(file, parent);
        }
        self.edit(file, pointer, |text, root| {
            let node = find(root, parent)?;
            let (flow, parts, at): (bool, Vec<(usize, usize)>, usize) = match &node.kind {
                Kind::Map { flow, entries } => (
                    *flow,
                    entries.iter().map(|entry| (entry.start, entry.value.end)).collect(),
                    entries.iter().position(|entry| entry.key == key)?,
                ),
                Kind::List { flow, items } => (
                    *flow,
                    items.iter().map(|item| (item.start, item.end)).collect(),
                    key.parse().ok().filter(|index| *index < items.len())?,
                ),
                Kind::Scalar => return None,
            };
            let (start, end) = *parts.get(at)?;
            if flow {
                // The range includes the comma before the node, or after the first node.
                return match (at.checked_sub(1).and_then(|at| parts.get(at)), parts.get(at + 1)) {
                    (Some((_, before)), _) => Some(Edit::replace(parent, *before, end, String::new())),
                    (None, Some((next, _))) => Some(Edit::replace(parent, start, *next, String::new())),
                    (None, None) => None,
                };
            }
            let from = line_start(text, start);
            let inside_item = matches!(node.kind, Kind::Map { .. }) && !text[from..start].trim().is_empty();
            if inside_item {
                // The first member follows the dash of its list element; the dash stays.
                let (next, _) = *parts.get(at + 1)?;
                return Some(Edit::replace(parent, start, next, String::new()));
            }
            let mut to = line_end(text, end);
            let mut from = from;
            let blank_before = from == 0 || text[..from].ends_with("\n\n") || text[..from].ends_with(":\n");
            let rest = &text[to..];
            if blank_before && rest.starts_with('\n') {
                to += 1;
            } else if rest.is_empty() && text[..from].ends_with("\n\n") {
                from -= 1;
            }
            Some(Edit::replace(parent, from, to, String::new()))
        })?;
        self.change(file, parent, |node| match node {
            Value::Object(map) => map.remove(&key).map(drop),
            Value::Array(list) => {
                let index = key.parse::<usize>().ok().filter(|index| *index < list.len())?;
                list.remove(index);
                Some(())
            }
            _ => None,
        })
    }

    /// Changes a flow collection to block style if its line is too long.
    fn wrap_long_line(&mut self, file: &str, pointer: &str) -> Result<()> {
        let Some(entry) = self.files.get(file) else { return Ok(()) };
        let mut outer: Option<&str> = None;
        let mut length = pointer.len();
        loop {
            let here = &pointer[..length];
            match find(&entry.tree, here).map(|node| &node.kind) {
                Some(Kind::Map { flow: true, .. } | Kind::List { flow: true, .. }) => outer = Some(here),
                _ => break,
            }
            let Some(slash) = here.rfind('/') else { break };
            length = slash;
        }
        let Some(outer) = outer else { return Ok(()) };
        let Some(node) = find(&entry.tree, outer) else { return Ok(()) };
        let line = &entry.text[line_start(&entry.text, node.start)..node.end];
        if line.chars().count() <= style::WIDTH {
            return Ok(());
        }
        let (parent, key) = split(outer);
        let Some(value) = entry.value.pointer(outer).cloned() else { return Ok(()) };
        self.edit(file, outer, |text, root| {
            let Kind::Map { flow: false, entries } = &find(root, parent)?.kind else { return None };
            let entry = entries.iter().find(|entry| entry.key == key)?;
            let indent = column(text, entry.start);
            let lines = style::block(&key, &value, indent);
            Some(Edit::replace(parent, entry.start, entry.value.end, lines.trim().to_owned()))
        })
    }

    /// Replaces a part of a text, and parses the changed part for the new positions.
    fn edit(
        &mut self,
        file: &str,
        pointer: &str,
        find: impl FnOnce(&str, &Node) -> Option<Edit>,
    ) -> Result<()> {
        let entry = self.files.get_mut(file).ok_or_else(|| Error::spec(file, "is missing".into()))?;
        let edit = find(&entry.text, &entry.tree)
            .ok_or_else(|| Error::spec(file, format!("{pointer} cannot be edited in place")))?;
        edit.apply(file, &mut entry.text, &mut entry.tree)
    }

    fn change(
        &mut self,
        file: &str,
        pointer: &str,
        change: impl FnOnce(&mut Value) -> Option<()>,
    ) -> Result<()> {
        let node = self.files.get_mut(file).and_then(|entry| entry.value.pointer_mut(pointer));
        node.and_then(change).ok_or_else(|| Error::spec(file, format!("{pointer} does not exist")))
    }
}

/// Returns the index of a new object member.
fn insertion_index(names: &[&str], key: &str, position: Position<'_>) -> usize {
    match position {
        Position::After(Some(name)) => {
            names.iter().position(|other| *other == name).map_or(names.len(), |index| index + 1)
        }
        Position::After(None) => 0,
        Position::Ranked => style::insertion_index(names, key),
    }
}

fn is_block_list(node: &Node) -> bool {
    matches!(node.kind, Kind::List { flow: false, .. })
}

/// Returns the first difference of two values as JSON pointer and values.
fn difference(one: &Value, other: &Value, at: &mut String) -> Option<String> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let below = &mut join(at, name);
                let none = Value::Null;
                match (a.get(name), b.get(name)) {
                    (Some(one), Some(other)) => difference(one, other, below),
                    (one, other) => Some(format!(
                        "{below}: {}, expected {}",
                        one.unwrap_or(&none),
                        other.unwrap_or(&none)
                    )),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (one, other))| difference(one, other, &mut join(at, &index.to_string()))),
        _ if one == other => None,
        _ => Some(format!("{at}: {one}, expected {other}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    type EditAt = fn(&mut Sources, &str, &str) -> Result<()>;

    /// Returns all pointers of a node.
    fn pointers(node: &Node, at: &str, into: &mut Vec<String>) {
        into.push(at.to_owned());
        match &node.kind {
            Kind::Scalar => {}
            Kind::Map { entries, .. } => {
                entries.iter().for_each(|entry| pointers(&entry.value, &join(at, &entry.key), into));
            }
            Kind::List { items, .. } => {
                let items = items.iter().enumerate();
                items.for_each(|(index, item)| pointers(item, &join(at, &index.to_string()), into));
            }
        }
    }

    #[test]
    fn edits_at_every_node_keep_text_value_and_positions_in_step() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec");
        let sources = Sources::read(&directory).unwrap();
        let file = "hashes.yaml";
        let mut all = Vec::new();
        pointers(&sources.files[file].tree, "", &mut all);
        let edits: [EditAt; 5] = [
            |sources, file, at| sources.put(file, at, "description", &json!("Another text.")),
            |sources, file, at| {
                sources.put_at(file, at, "first", &json!({ "a": [1] }), Position::After(None))
            },
            |sources, file, at| sources.push(file, at, &json!({ "name": "x", "value": "y" })),
            |sources, file, at| sources.remove(file, at),
            |sources, file, at| sources.comment_above(file, at, "# A comment."),
        ];
        let mut edited = [0; 5];
        for at in &all {
            for (edit, count) in edits.iter().zip(&mut edited) {
                let mut changed = Sources { files: [(file.to_owned(), sources.files[file].clone())].into() };
                if edit(&mut changed, file, at).is_err() {
                    continue;
                }
                *count += 1;
                let result = &changed.files[file];
                let (kept, scanned) =
                    (format!("{:#?}", result.tree), format!("{:#?}", scan(file, &result.text).unwrap()));
                let differs = kept.lines().zip(scanned.lines()).find(|(one, other)| one != other);
                assert_eq!(differs, None, "{at}");
                changed.verify().unwrap();
            }
        }
        assert!(edited.iter().all(|count| *count > 0), "{edited:?}");
    }
}
