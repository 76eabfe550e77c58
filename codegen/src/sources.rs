//! The files of `spec/` as people wrote them, changed in place.
//!
//! A change touches the lines of what it changes and no others: comments, blank lines, the order of members and
//! the form of texts stay. Every change is made twice, in the text and in the tree that the text stands for, and
//! [`Sources::verify`] reads the texts again and compares.

use std::collections::BTreeMap;
use std::path::Path;

use granit_parser::{Event, Parser, StructureStyle};
use serde_json::Value;

use crate::bundle::{Bundle, texts};
use crate::rewrite::style;
use crate::{Error, Result};

/// A folder of YAML files that can be changed.
#[derive(Clone, Debug)]
pub struct Sources {
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug)]
struct File {
    text: String,
    /// As it was read; nothing for a new file.
    before: Option<String>,
    value: Value,
    tree: Node,
}

/// Where a node stands in the text.
#[derive(Clone, Debug)]
struct Node {
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Scalar,
    Map { flow: bool, entries: Vec<Entry> },
    List { flow: bool, items: Vec<Node> },
}

#[derive(Clone, Debug)]
struct Entry {
    key: String,
    start: usize,
    value: Node,
}

/// Where a new member of an object goes.
#[derive(Clone, Copy, Debug)]
pub enum Position<'a> {
    /// Where the house has it.
    Ranked,
    /// Behind this member, or first.
    After(Option<&'a str>),
}

impl Sources {
    /// Reads all files of the folder.
    ///
    /// # Errors
    /// When a file cannot be read or is no YAML.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::from_texts(texts(folder)?)
    }

    /// Takes files that are already read: name to text.
    ///
    /// # Errors
    /// When one is no YAML.
    pub fn from_texts(texts: BTreeMap<String, String>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (name, text) in texts {
            let file = File {
                before: Some(text.clone()),
                value: serde_saphyr::from_str(&text).map_err(|error| wrong(&name, error.to_string()))?,
                tree: scan(&name, &text)?,
                text,
            };
            files.insert(name, file);
        }
        Ok(Self { files })
    }

    /// The texts by name.
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(name, file)| (name.clone(), file.text.clone())).collect()
    }

    /// Writes the files that are not as they were read, and returns their names: all of them, or none when one cannot
    /// be written.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<String>> {
        let changed: Vec<_> =
            self.files.iter().filter(|(_, file)| file.before.as_ref() != Some(&file.text)).collect();
        let beside = |name: &str| folder.join(format!(".{name}.new"));
        for (name, file) in &changed {
            if let Err(source) = std::fs::write(beside(name), &file.text) {
                for (name, _) in &changed {
                    // What was not written yet is not there.
                    let _ = std::fs::remove_file(beside(name));
                }
                return Err(Error::Io { path: folder.join(name), source });
            }
        }
        for (name, _) in &changed {
            let path = folder.join(name);
            std::fs::rename(beside(name), &path).map_err(|source| Error::Io { path, source })?;
        }
        Ok(changed.into_iter().map(|(name, _)| name.clone()).collect())
    }

    /// The files as one document.
    ///
    /// # Errors
    /// When a reference leads nowhere, or an index is out of form.
    pub fn bundle(&self) -> Result<Bundle> {
        Bundle::join(&self.texts())
    }

    /// Whether every text still says what its tree says.
    ///
    /// # Errors
    /// When a text is no YAML any more, or says something else.
    pub fn verify(&self) -> Result<()> {
        for (name, file) in self.files.iter().filter(|(_, file)| file.before.as_ref() != Some(&file.text)) {
            let value: Value =
                serde_saphyr::from_str(&file.text).map_err(|error| wrong(name, error.to_string()))?;
            if let Some(place) = difference(&value, &file.value, &mut String::new()) {
                return Err(wrong(name, format!("was not written as it was meant at {place}")));
            }
        }
        Ok(())
    }

    /// The names of the files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The tree of a file; null when there is no such file.
    pub fn tree(&self, file: &str) -> &Value {
        self.files.get(file).map_or(&Value::Null, |file| &file.value)
    }

    /// The text of a file; empty when there is no such file.
    pub fn text(&self, file: &str) -> &str {
        self.files.get(file).map_or("", |file| &file.text)
    }

    /// The node at a JSON pointer.
    pub fn at(&self, file: &str, pointer: &str) -> Option<&Value> {
        self.files.get(file)?.value.pointer(pointer)
    }

    /// The names of the members at a JSON pointer, in the order of the text.
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
    /// When there is one of that name, or the text is no YAML.
    pub fn create(&mut self, name: &str, text: String) -> Result<()> {
        if self.files.contains_key(name) {
            return Err(wrong(name, "is there already".into()));
        }
        let value = serde_saphyr::from_str(&text).map_err(|error| wrong(name, error.to_string()))?;
        let tree = scan(name, &text)?;
        self.files.insert(name.to_owned(), File { text, before: None, value, tree });
        Ok(())
    }

    /// Sets a member of the object at a JSON pointer; a new one goes where the house has it.
    ///
    /// # Errors
    /// When there is no object.
    pub fn put(&mut self, file: &str, pointer: &str, key: &str, value: &Value) -> Result<()> {
        self.put_at(file, pointer, key, value, Position::Ranked)
    }

    /// Sets a member of the object at a JSON pointer; a new one goes to this position.
    ///
    /// # Errors
    /// When there is no object.
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
            let there = entries.iter().find(|entry| entry.key == key);
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
                        parts.insert(place(&names, key, position), (key.to_owned(), new));
                    }
                }
                let parts: Vec<&str> = parts.iter().map(|(_, part)| part.as_str()).collect();
                return Some((node.start, node.end, format!("{{ {} }}", parts.join(", "))));
            }
            let indent = entries.first().map(|entry| column(text, entry.start))?;
            if let Some(entry) = there {
                let lines = style::entry(key, value, indent, is_block_list(&entry.value));
                return Some((entry.start, entry.value.end, lines.trim().to_owned()));
            }
            let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            let lines = style::entry(key, value, indent, false);
            let index = place(&names, key, position);
            let spaced = style::is_spaced(pointer) && value.get("$ref").is_none();
            let Some(before) = index.checked_sub(1).and_then(|index| entries.get(index)) else {
                let gap = if spaced { "\n" } else { "" };
                let start = entries.first()?.start;
                // In a list the first member stands behind the dash.
                let rest = " ".repeat(indent);
                return Some((start, start, format!("{}\n{gap}{rest}", lines.trim())));
            };
            let gap = if spaced { "\n" } else { "" };
            let from = line_end(text, before.value.end);
            Some((from, from, format!("{gap}{lines}")))
        })?;
        self.change(file, pointer, |node| {
            node.as_object_mut().map(|map| drop(map.insert(key.to_owned(), value.clone())))
        })?;
        self.fit(file, pointer)
    }

    /// Replaces the node at a JSON pointer, which is a member of an object or an element of a list.
    ///
    /// # Errors
    /// When there is none.
    pub fn replace(&mut self, file: &str, pointer: &str, value: &Value) -> Result<()> {
        let (parent, key) = split(pointer);
        if self.at(file, parent).is_some_and(Value::is_object) {
            return self.put(file, parent, &key, value);
        }
        self.edit(file, pointer, |text, root| {
            let node = find(root, pointer)?;
            let Kind::List { flow, .. } = &find(root, parent)?.kind else { return None };
            if *flow {
                return Some((node.start, node.end, style::flow(value)));
            }
            let indent = column(text, line_start(text, node.start) + leading(text, node.start));
            Some((node.start, node.end, style::item(value, indent).trim()[2..].to_owned()))
        })?;
        self.change(file, pointer, |node| {
            *node = value.clone();
            Some(())
        })
    }

    /// Adds an element to the list at a JSON pointer.
    ///
    /// # Errors
    /// When there is no list.
    pub fn push(&mut self, file: &str, pointer: &str, value: &Value) -> Result<()> {
        self.edit(file, pointer, |text, root| {
            let node = find(root, pointer)?;
            let Kind::List { flow, items } = &node.kind else { return None };
            if *flow {
                let mut parts: Vec<String> =
                    items.iter().map(|item| text[item.start..item.end].to_owned()).collect();
                parts.push(style::flow(value));
                return Some((node.start, node.end, format!("[{}]", parts.join(", "))));
            }
            let last = items.last()?;
            let indent = leading(text, items.first()?.start);
            let from = line_end(text, last.end);
            Some((from, from, style::item(value, indent)))
        })?;
        self.change(file, pointer, |node| node.as_array_mut().map(|list| list.push(value.clone())))?;
        self.fit(file, pointer)
    }

    /// Puts a comment above a member of an object, apart from it by a blank line.
    ///
    /// # Errors
    /// When there is no such member.
    pub fn comment_above(&mut self, file: &str, pointer: &str, comment: &str) -> Result<()> {
        let (parent, key) = split(pointer);
        self.edit(file, pointer, |text, root| {
            let Kind::Map { flow: false, entries } = &find(root, parent)?.kind else { return None };
            let start = entries.iter().find(|entry| entry.key == key)?.start;
            let blanks = " ".repeat(column(text, start));
            Some((start, start, format!("{comment}\n\n{blanks}")))
        })
    }

    /// Removes a member of an object or an element of a list; what holds nothing else goes with it.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove(&mut self, file: &str, pointer: &str) -> Result<()> {
        let (parent, key) = split(pointer);
        let alone = match self.at(file, parent) {
            Some(Value::Object(map)) => map.len() == 1 && map.contains_key(&key),
            Some(Value::Array(list)) => list.len() == 1,
            _ => false,
        };
        if alone && !parent.is_empty() {
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
                // With the comma before it, or the one behind it.
                return match (at.checked_sub(1).and_then(|at| parts.get(at)), parts.get(at + 1)) {
                    (Some((_, before)), _) => Some((*before, end, String::new())),
                    (None, Some((next, _))) => Some((start, *next, String::new())),
                    (None, None) => None,
                };
            }
            let from = line_start(text, start);
            let inside_item = matches!(node.kind, Kind::Map { .. }) && !text[from..start].trim().is_empty();
            if inside_item {
                // The first member stands behind the dash of its list, which stays.
                let (next, _) = *parts.get(at + 1)?;
                return Some((start, next, String::new()));
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
            Some((from, to, String::new()))
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

    /// Writes what stands in one line, and has become too long for it, over several.
    fn fit(&mut self, file: &str, pointer: &str) -> Result<()> {
        let Some(entry) = self.files.get(file) else { return Ok(()) };
        let mut outer: Option<&str> = None;
        let mut ends = pointer.len();
        loop {
            let here = &pointer[..ends];
            match find(&entry.tree, here).map(|node| &node.kind) {
                Some(Kind::Map { flow: true, .. } | Kind::List { flow: true, .. }) => outer = Some(here),
                _ => break,
            }
            let Some(slash) = here.rfind('/') else { break };
            ends = slash;
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
            Some((entry.start, entry.value.end, lines.trim().to_owned()))
        })
    }

    /// Replaces a part of a text, and reads where things stand now.
    fn edit(
        &mut self,
        file: &str,
        pointer: &str,
        find: impl FnOnce(&str, &Node) -> Option<(usize, usize, String)>,
    ) -> Result<()> {
        let entry = self.files.get_mut(file).ok_or_else(|| wrong(file, "is missing".into()))?;
        let (start, end, new) = find(&entry.text, &entry.tree)
            .ok_or_else(|| wrong(file, format!("{pointer} cannot be changed in place")))?;
        entry.text.replace_range(start..end, &new);
        entry.tree = scan(file, &entry.text)?;
        Ok(())
    }

    fn change(
        &mut self,
        file: &str,
        pointer: &str,
        change: impl FnOnce(&mut Value) -> Option<()>,
    ) -> Result<()> {
        let node = self.files.get_mut(file).and_then(|entry| entry.value.pointer_mut(pointer));
        node.and_then(change).ok_or_else(|| wrong(file, format!("{pointer} leads nowhere")))
    }
}

/// Where in the order of an object a new member goes.
fn place(names: &[&str], key: &str, position: Position<'_>) -> usize {
    match position {
        Position::After(Some(name)) => {
            names.iter().position(|other| *other == name).map_or(names.len(), |index| index + 1)
        }
        Position::After(None) => 0,
        Position::Ranked => style::place(names, key),
    }
}

fn is_block_list(node: &Node) -> bool {
    matches!(node.kind, Kind::List { flow: false, .. })
}

/// The parent of a JSON pointer, and the name in it.
pub(crate) fn split(pointer: &str) -> (&str, String) {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    (parent, key.replace("~1", "/").replace("~0", "~"))
}

/// A JSON pointer with one name more.
pub(crate) fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn find<'a>(root: &'a Node, pointer: &str) -> Option<&'a Node> {
    let mut node = root;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        node = match &node.kind {
            Kind::Map { entries, .. } => &entries.iter().find(|entry| entry.key == token)?.value,
            Kind::List { items, .. } => items.get(token.parse::<usize>().ok()?)?,
            Kind::Scalar => return None,
        };
    }
    Some(node)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Behind the line of a position, its end included.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].chars().count()
}

/// How many blanks the line of a position begins with.
fn leading(text: &str, at: usize) -> usize {
    let line = &text[line_start(text, at)..];
    line.len() - line.trim_start_matches(' ').len()
}

/// Where two trees differ.
fn difference(one: &Value, other: &Value, at: &mut String) -> Option<String> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let below = &mut join(at, name);
                let none = Value::Null;
                match (a.get(name), b.get(name)) {
                    (Some(one), Some(other)) => difference(one, other, below),
                    (one, other) => {
                        Some(format!("{below}: {} and not {}", one.unwrap_or(&none), other.unwrap_or(&none)))
                    }
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (one, other))| difference(one, other, &mut join(at, &index.to_string()))),
        _ if one == other => None,
        _ => Some(format!("{at}: {one} and not {other}")),
    }
}

pub(crate) fn wrong(file: &str, message: String) -> Error {
    Error::Spec { file: file.to_owned(), message }
}

/// Reads where everything stands.
fn scan(name: &str, text: &str) -> Result<Node> {
    /// An object or a list whose end was not read yet.
    struct Open {
        node: Node,
        key: Option<(String, usize, usize)>,
    }

    let empty = || Node { start: 0, end: 0, kind: Kind::Map { flow: false, entries: Vec::new() } };
    let mut stack: Vec<Open> = Vec::new();
    let mut root = None;
    let odd = || wrong(name, "has a form that cannot be changed in place".into());
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| wrong(name, error.to_string()))?;
        let (Some(start), Some(end)) = (span.start.byte_offset(), span.end.byte_offset()) else {
            return Err(odd());
        };
        let done = match event {
            Event::MappingStart(style, ..) => {
                let flow = style == StructureStyle::Flow;
                let node = Node { start, end, kind: Kind::Map { flow, entries: Vec::new() } };
                stack.push(Open { node, key: None });
                continue;
            }
            Event::SequenceStart(style, ..) => {
                let flow = style == StructureStyle::Flow;
                let node = Node { start, end, kind: Kind::List { flow, items: Vec::new() } };
                stack.push(Open { node, key: None });
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let Some(Open { mut node, .. }) = stack.pop() else { return Err(odd()) };
                node.end = match &node.kind {
                    Kind::Map { flow: true, .. } | Kind::List { flow: true, .. } => end,
                    // The end of a block is where the next one begins, blank lines and comments between.
                    Kind::Map { entries, .. } => entries.last().map_or(node.end, |entry| entry.value.end),
                    Kind::List { items, .. } => items.last().map_or(node.end, |item| item.end),
                    Kind::Scalar => node.end,
                };
                node
            }
            Event::Scalar(value, ..) => {
                let node = Node {
                    start,
                    end: start + text.get(start..end).ok_or_else(odd)?.trim_end().len(),
                    kind: Kind::Scalar,
                };
                if let Some(Open { node: Node { kind: Kind::Map { .. }, .. }, key: key @ None }) =
                    stack.last_mut()
                {
                    *key = Some((value.into_owned(), node.start, node.end));
                    continue;
                }
                node
            }
            Event::Alias(..) => return Err(odd()),
            _ => continue,
        };
        match stack.last_mut() {
            None => root = Some(done),
            Some(Open { node: Node { kind: Kind::Map { entries, .. }, .. }, key }) => {
                let (key, start, key_end) = key.take().ok_or_else(odd)?;
                let mut value = done;
                if value.end < key_end {
                    // Nothing is written behind the colon.
                    (value.start, value.end) = (key_end + 1, key_end + 1);
                }
                entries.push(Entry { key, start, value });
            }
            Some(Open { node: Node { kind: Kind::List { items, .. }, .. }, .. }) => items.push(done),
            Some(_) => return Err(odd()),
        }
    }
    Ok(root.unwrap_or_else(empty))
}
