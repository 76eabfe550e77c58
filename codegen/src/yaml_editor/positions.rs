//! Byte ranges of the nodes of a YAML text, kept up to date over edits.

use granit_parser::{Event, Parser, StructureStyle};

use crate::pointer::{split, unescape};
use crate::{Error, Result};

/// A node with its byte range in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Scalar,
    Map { flow: bool, entries: Vec<Entry> },
    List { flow: bool, items: Vec<Node> },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) start: usize,
    pub(super) value: Node,
}

/// A replacement of a part of a text.
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    new: String,
    /// Collection that contains all changed nodes, as JSON pointer.
    within: String,
    /// Index of the entry of this block mapping that `new` is, if the edit only inserts one.
    inserted: Option<usize>,
}

impl Edit {
    pub(super) fn replace(within: &str, start: usize, end: usize, new: String) -> Self {
        Self { start, end, new, within: within.to_owned(), inserted: None }
    }

    pub(super) fn insert_entry(within: &str, index: usize, at: usize, new: String) -> Self {
        Self { start: at, end: at, new, within: within.to_owned(), inserted: Some(index) }
    }

    pub(super) fn apply(self, file: &str, text: &mut String, tree: &mut Node) -> Result<()> {
        text.replace_range(self.start..self.end, &self.new);
        let (added, removed) = (self.new.len(), self.end - self.start);
        if let Some(index) = self.inserted {
            let mut inserted = scan(file, &self.new)?;
            tree.shift(self.end, added, removed);
            inserted.shift(0, self.start, 0);
            if let (Some(node), Kind::Map { entries: new, .. }) =
                (find_mut(tree, &self.within), inserted.kind)
                && let Kind::Map { entries, .. } = &mut node.kind
            {
                entries.splice(index..index, new);
                tree.close_blocks(&self.within);
                return Ok(());
            }
        } else if let Some(unit) = block_entry(tree, &self.within) {
            // The text of the unit is a block mapping with one entry.
            let (from, to) = {
                let node = find(tree, unit).map_or(0, |node| node.end);
                let (parent, key) = split(unit);
                let start = match find(tree, parent).map(|node| &node.kind) {
                    Some(Kind::Map { entries, .. }) => {
                        entries.iter().find(|entry| entry.key == key).map_or(0, |entry| entry.start)
                    }
                    _ => 0,
                };
                (line_start(text, start), node.max(self.end) + added - removed)
            };
            let mut scanned = scan(file, &text[from..to])?;
            tree.shift(self.end, added, removed);
            scanned.shift(0, from, 0);
            let (parent, key) = split(unit);
            if let (Some(node), Kind::Map { entries: new, .. }) = (find_mut(tree, parent), scanned.kind)
                && let Kind::Map { entries, .. } = &mut node.kind
                && let Some(index) = entries.iter().position(|entry| entry.key == key)
            {
                entries.splice(index..=index, new);
                tree.close_blocks(parent);
                return Ok(());
            }
        }
        *tree = scan(file, text)?;
        Ok(())
    }
}

/// Returns the pointer of the smallest entry of block mappings that is or contains the node at `within`.
pub(super) fn block_entry<'a>(root: &Node, within: &'a str) -> Option<&'a str> {
    let mut unit = None;
    let mut node = root;
    let mut length = 0;
    for token in within.split('/').skip(1) {
        let Kind::Map { flow: false, entries } = &node.kind else { break };
        length += 1 + token.len();
        let key = unescape(token);
        node = &entries.iter().find(|entry| entry.key == key)?.value;
        unit = Some(&within[..length]);
    }
    unit
}

impl Node {
    /// Moves all positions at or after `from` by `added - removed`.
    fn shift(&mut self, from: usize, added: usize, removed: usize) {
        let moved = |at: &mut usize| {
            if *at >= from {
                *at = *at + added - removed;
            }
        };
        if self.end < from {
            return;
        }
        moved(&mut self.start);
        moved(&mut self.end);
        match &mut self.kind {
            Kind::Scalar => {}
            Kind::List { items, .. } => items.iter_mut().for_each(|item| item.shift(from, added, removed)),
            Kind::Map { entries, .. } => {
                for entry in entries {
                    moved(&mut entry.start);
                    entry.value.shift(from, added, removed);
                }
            }
        }
    }

    /// Sets the end of each block collection on the way to a node to the end of its last element.
    fn close_blocks(&mut self, pointer: &str) {
        if let Some(rest) = pointer.strip_prefix('/') {
            let end = rest.find('/').unwrap_or(rest.len());
            let (token, rest) = rest.split_at(end);
            let below = match &mut self.kind {
                Kind::Map { entries, .. } => {
                    let key = unescape(token);
                    entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
                }
                Kind::List { items, .. } => token.parse().ok().and_then(|index: usize| items.get_mut(index)),
                Kind::Scalar => None,
            };
            if let Some(below) = below {
                below.close_blocks(rest);
            }
        }
        let last = match &self.kind {
            Kind::Map { flow: false, entries } => entries.last().map(|entry| entry.value.end),
            Kind::List { flow: false, items } => items.last().map(|item| item.end),
            _ => None,
        };
        self.end = last.unwrap_or(self.end);
    }
}

pub(super) fn find<'a>(root: &'a Node, pointer: &str) -> Option<&'a Node> {
    let mut node = root;
    for token in pointer.split('/').skip(1) {
        let token = unescape(token);
        node = match &node.kind {
            Kind::Map { entries, .. } => &entries.iter().find(|entry| entry.key == token)?.value,
            Kind::List { items, .. } => items.get(token.parse::<usize>().ok()?)?,
            Kind::Scalar => return None,
        };
    }
    Some(node)
}

pub(super) fn find_mut<'a>(root: &'a mut Node, pointer: &str) -> Option<&'a mut Node> {
    let mut node = root;
    for token in pointer.split('/').skip(1) {
        let token = unescape(token);
        node = match &mut node.kind {
            Kind::Map { entries, .. } => &mut entries.iter_mut().find(|entry| entry.key == token)?.value,
            Kind::List { items, .. } => items.get_mut(token.parse::<usize>().ok()?)?,
            Kind::Scalar => return None,
        };
    }
    Some(node)
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Returns the offset after the line break of the line that contains `at`.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

pub(super) fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].chars().count()
}

/// Returns the indentation of the line that contains `at`.
pub(super) fn indentation(text: &str, at: usize) -> usize {
    let line = &text[line_start(text, at)..];
    line.len() - line.trim_start_matches(' ').len()
}

/// Parses a text into nodes with byte ranges.
pub(super) fn scan(name: &str, text: &str) -> Result<Node> {
    /// A collection whose end event has not been read.
    struct Open {
        node: Node,
        key: Option<(String, usize, usize)>,
    }

    let empty = || Node { start: 0, end: 0, kind: Kind::Map { flow: false, entries: Vec::new() } };
    let mut stack: Vec<Open> = Vec::new();
    let mut root = None;
    let unsupported = || Error::spec(name, "has YAML syntax that cannot be edited in place".into());
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| Error::spec(name, error.to_string()))?;
        let (Some(start), Some(end)) = (span.start.byte_offset(), span.end.byte_offset()) else {
            return Err(unsupported());
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
                let Some(Open { mut node, .. }) = stack.pop() else { return Err(unsupported()) };
                node.end = match &node.kind {
                    Kind::Map { flow: true, .. } | Kind::List { flow: true, .. } => end,
                    // The parser reports the end of a block at the next token, after blank lines and comments.
                    Kind::Map { entries, .. } => entries.last().map_or(node.end, |entry| entry.value.end),
                    Kind::List { items, .. } => items.last().map_or(node.end, |item| item.end),
                    Kind::Scalar => node.end,
                };
                node
            }
            Event::Scalar(value, ..) => {
                let node = Node {
                    start,
                    end: start + text.get(start..end).ok_or_else(unsupported)?.trim_end().len(),
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
            Event::Alias(..) => return Err(unsupported()),
            _ => continue,
        };
        match stack.last_mut() {
            None => root = Some(done),
            Some(Open { node: Node { kind: Kind::Map { entries, .. }, .. }, key }) => {
                let (key, start, key_end) = key.take().ok_or_else(unsupported)?;
                let mut value = done;
                if value.end < key_end {
                    // The value after the colon is empty.
                    (value.start, value.end) = (key_end + 1, key_end + 1);
                }
                entries.push(Entry { key, start, value });
            }
            Some(Open { node: Node { kind: Kind::List { items, .. }, .. }, .. }) => items.push(done),
            Some(_) => return Err(unsupported()),
        }
    }
    Ok(root.unwrap_or_else(empty))
}
