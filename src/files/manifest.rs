//! Manifests: members of an archive that list the files of an upload, and the reasons for missing ones.
//!
//! SentinelOne does not publish the format of a manifest, so the parser accepts any JSON with objects that have a path,
//! maps from a path to a status, lists of paths, JSON lines, and lines of text.

#![cfg_attr(not(feature = "unzip"), allow(dead_code, reason = "only the feature unzip reads archives"))]

use serde_json::{Map, Value};

use crate::error::Error;

mod record;
mod text;

pub(crate) use record::{FileRecord, FileStatus, escaped};
use record::{Role, bounded, join, key_word, leaves};
pub(crate) use text::status_of;
use text::{is_benign, is_path, parse_line, path_start};

/// Maximum number of records of a manifest that are failures, and of the others.
const MAX_RECORDS: usize = 2000;

/// Extensions of a manifest. It may also have none.
const EXTENSIONS: [&str; 10] = ["json", "jsonl", "ndjson", "txt", "text", "log", "csv", "xml", "yaml", "yml"];

/// The names of the files in an archive, and its manifests.
#[derive(Debug, Default)]
pub(crate) struct ArchiveContent {
    /// Names of the entries that are not directories.
    pub(crate) names: Vec<String>,
    pub(crate) manifests: Vec<ManifestText>,
    /// The first error of a manifest that was not read, such as one with another password.
    pub(crate) unreadable: Option<Error>,
}

/// A manifest of an archive.
#[derive(Clone, Debug)]
pub(crate) struct ManifestText {
    /// Name of the entry.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Returns whether the name of a member is that of a manifest, in any directory.
pub(crate) fn is_manifest(name: &str) -> bool {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, "json"));
    EXTENSIONS.contains(&extension)
        && stem.split(|c: char| !c.is_alphanumeric()).any(|word| word == "manifest")
}

/// Decodes a manifest: UTF-8 or UTF-16. UTF-16 without a byte-order mark is known by the zero byte of its first character.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let units = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|unit| read(*unit)).collect();
        String::from_utf16_lossy(units.strip_prefix(&[0xfeff]).unwrap_or(&units))
    };
    match bytes {
        [0xff, 0xfe, ..] | [1..=u8::MAX, 0, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, 1..=u8::MAX, ..] => units(u16::from_be_bytes),
        bytes => String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned(),
    }
}

/// The records of a manifest.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) records: Vec<FileRecord>,
    /// Whether the manifest is text, of which the records may be incomplete.
    pub(crate) is_text: bool,
}

impl Manifest {
    /// Parses a manifest. Records with the same path become one.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parser = Parser::default();
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        let json_lines = || lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>();
        let mut is_text = false;
        match serde_json::from_str(text).or_else(|_| json_lines().map(Value::Array)) {
            Ok(json @ (Value::Object(_) | Value::Array(_))) => parser.visit(&json, &Context::Other, false),
            _ => {
                is_text = true;
                lines().filter_map(parse_line).for_each(|record| parser.add(record));
            }
        }
        Self { records: merge(parser.0), is_text }
    }
}

/// Merges records with the same path. A failure takes precedence, and the reasons are joined.
fn merge(records: Vec<FileRecord>) -> Vec<FileRecord> {
    let mut merged: Vec<FileRecord> = Vec::new();
    let mut positions = std::collections::HashMap::new();
    for record in records {
        let key = record.path.as_deref().map(Name::new);
        let position = key.and_then(|key| match positions.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => Some(*known.get()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(merged.len());
                None
            }
        });
        match position.and_then(|position: usize| merged.get_mut(position)) {
            Some(known) => {
                known.status = known.status.max(record.status);
                known.reason = join(known.reason.take().into_iter().chain(record.reason));
            }
            None => merged.push(record),
        }
    }
    merged
}

/// A file name in a form that does not depend on the notation of the system: without a drive colon, with `/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    exact: String,
    /// The name in lower case, between `/`.
    lower: String,
}

/// Degrees of equality of two names, from the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Exact,
    /// Case is ignored.
    IgnoreCase,
    /// One name is the end of the other, or a directory that contains it.
    Part,
    /// The last components are equal.
    FileName,
}

impl Match {
    pub(crate) const ALL: [Self; 4] = [Self::Exact, Self::IgnoreCase, Self::Part, Self::FileName];
}

impl Name {
    pub(crate) fn new(name: &str) -> Self {
        let name = name.trim().replace('\\', "/");
        let name = name.trim_start_matches("//?/");
        let parts =
            name.split('/').map(|part| part.trim_end_matches(':')).filter(|part| !matches!(*part, "" | "."));
        let exact = parts.collect::<Vec<_>>().join("/");
        let lower = format!("/{}/", exact.to_lowercase());
        Self { exact, lower }
    }

    /// Returns whether two names match in this degree.
    pub(crate) fn matches(&self, other: &Self, degree: Match) -> bool {
        match degree {
            _ if self.exact.is_empty() || other.exact.is_empty() => false,
            Match::Exact => self.exact == other.exact,
            Match::IgnoreCase => self.lower == other.lower,
            Match::Part => self.lower.contains(&other.lower) || other.lower.contains(&self.lower),
            Match::FileName => self.lower.rsplit('/').nth(1) == other.lower.rsplit('/').nth(1),
        }
    }
}

/// The member in which a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Context {
    /// A list of files.
    Files,
    /// A list of failures; holds its name.
    Failures(String),
    Other,
}

impl Context {
    fn new(key: &str) -> Self {
        let word = key_word(key);
        let is_one_of = |words: &[&str]| words.iter().any(|one| word.contains(one));
        if is_one_of(&[
            "error",
            "fail",
            "missing",
            "notfound",
            "skipped",
            "denied",
            "unavailable",
            "rejected",
        ]) {
            Self::Failures(key.to_owned())
        } else if is_one_of(&["file", "path", "entr", "item", "content"]) {
            Self::Files
        } else {
            Self::Other
        }
    }
}

/// Collects records from JSON.
#[derive(Default)]
struct Parser(Vec<FileRecord>);

impl Parser {
    fn add(&mut self, record: FileRecord) {
        let is_failure = |one: &FileRecord| one.status == FileStatus::Failed;
        let is_full = self.0.len() >= MAX_RECORDS
            && self.0.iter().filter(|one| is_failure(one) == is_failure(&record)).count() >= MAX_RECORDS;
        if !is_full {
            self.0.push(record);
        }
    }

    fn visit(&mut self, value: &Value, context: &Context, is_in_list: bool) {
        match value {
            Value::Object(object) => self.visit_object(object, context, is_in_list),
            Value::Array(list) => match row_record(list).filter(|_| is_in_list) {
                Some(record) => self.add(record),
                None => list.iter().for_each(|value| self.visit(value, context, true)),
            },
            Value::String(text) if is_in_list => self.visit_text(text, context),
            _ => {}
        }
    }

    fn visit_object(&mut self, object: &Map<String, Value>, context: &Context, is_in_list: bool) {
        let facts = Facts::of(object);
        let is_failure = matches!(context, Context::Failures(_));
        let path = facts.path().or_else(|| facts.unnamed_paths.first().copied().filter(|_| is_failure));
        let before = self.0.len();
        for (key, value) in object.iter().filter(|(_, value)| value.is_object() || value.is_array()) {
            // An error of a file is an object at times, whose members do not name another file.
            let is_of_file =
                path.is_some() && matches!(Role::of(key), Role::Error | Role::Text | Role::Status);
            if !is_of_file && !is_path(key) {
                let inner = match Context::new(key) {
                    Context::Other => context.clone(),
                    inner => inner,
                };
                self.visit(value, &inner, false);
            }
        }
        let Some(path) = path else {
            self.add_without_path(object, context, before);
            // The object of a file can have its path in a member of its own, next to the outcome.
            if let Some(path) = nested_path(object) {
                let records = self.0.iter_mut().skip(before).filter(|record| record.path.is_none());
                records.for_each(|record| record.path = bounded(path));
                if is_in_list && self.0.len() == before {
                    self.add(FileRecord { path: bounded(path), status: FileStatus::Listed, reason: None });
                }
            }
            return;
        };
        // A directory with files. Its other members belong to the directory.
        let inner: Vec<FileRecord> = self.0.drain(before..).filter(|record| record.path.is_some()).collect();
        let has_inner = !inner.is_empty();
        self.0.extend(inner);
        let (mut status, mut reason) = (facts.status(), facts.reason());
        if let Context::Failures(name) = context {
            status = FileStatus::Failed;
            reason = reason.or_else(|| facts.rest()).or_else(|| bounded(name));
        }
        let is_evident = is_in_list || status > FileStatus::Listed || reason.is_some();
        if has_inner && status == FileStatus::Failed && facts.has_text() || !has_inner && is_evident {
            self.add(FileRecord { path: Some(path.to_owned()), status, reason });
        }
    }

    /// Adds the records of an object that maps paths to values, or that has an error of the whole upload. `before` is
    /// the number of records before its inner values.
    fn add_without_path(&mut self, object: &Map<String, Value>, context: &Context, before: usize) {
        for (path, value) in object.iter().filter(|(key, _)| is_path(key)) {
            let record = keyed_record(path, value, context);
            self.add(record);
        }
        let has_inner = self.0.len() > before;
        // The inner values have records of their own.
        let is_single = |value: &Value| !value.is_object() && !value.is_array();
        let single = object.iter().filter(|(key, value)| is_single(value) && !is_path(key));
        let single: Map<String, Value> = single.map(|(key, value)| (key.clone(), value.clone())).collect();
        let facts = Facts::of(&single);
        let (status, reason) = match context {
            Context::Failures(_) => (FileStatus::Failed, facts.reason().or_else(|| facts.rest())),
            _ => (facts.status(), facts.reason()),
        };
        // Next to other records, a status without a text adds nothing.
        if status == FileStatus::Failed && reason.is_some() && (!has_inner || facts.has_text()) {
            self.add(FileRecord { path: None, status, reason });
        }
    }

    /// Adds the record of a text in a list: a path, or a line with a reason.
    fn visit_text(&mut self, text: &str, context: &Context) {
        let line = parse_line(text);
        let record = match (context, line) {
            (Context::Failures(name), Some(line)) => FileRecord {
                reason: line.reason.or_else(|| Some(name.clone())),
                status: FileStatus::Failed,
                path: line.path,
            },
            (Context::Failures(name), None) if is_path(text) || text.contains('.') && !text.contains(' ') => {
                FileRecord { path: bounded(text), status: FileStatus::Failed, reason: bounded(name) }
            }
            (Context::Failures(_), None) => {
                FileRecord { path: None, status: FileStatus::Failed, reason: bounded(text) }
            }
            (Context::Files, _) => {
                FileRecord { path: bounded(text), status: FileStatus::Listed, reason: None }
            }
            (Context::Other, _) if path_start(text) == Some(0) => {
                FileRecord { path: bounded(text), status: FileStatus::Listed, reason: None }
            }
            (Context::Other, _) => return,
        };
        self.add(record);
    }
}

/// Returns the record of a row: a list of texts and numbers with one path and a status.
fn row_record(row: &[Value]) -> Option<FileRecord> {
    let is_path = |value: &&Value| value.as_str().is_some_and(|text| path_start(text) == Some(0));
    let (paths, others): (Vec<&Value>, Vec<&Value>) = row.iter().partition(is_path);
    let is_scalar = others.iter().all(|value| !value.is_object() && !value.is_array());
    let [path] = paths.as_slice() else { return None };
    let texts: Vec<String> = others.into_iter().filter_map(leaves).collect();
    let status = texts.iter().map(|text| status_of(text)).max().unwrap_or(FileStatus::Listed);
    (is_scalar && status > FileStatus::Listed).then(|| FileRecord {
        path: path.as_str().and_then(bounded),
        status,
        reason: join(texts).filter(|_| status == FileStatus::Failed),
    })
}

/// Returns the path in a member of an object, if only one member has a path and this member has no outcome.
fn nested_path(object: &Map<String, Value>) -> Option<&str> {
    let members = object.values().filter_map(Value::as_object).map(Facts::of);
    let mut paths = members.filter_map(|facts| {
        let is_bare = facts.status() == FileStatus::Listed && facts.reason().is_none();
        Some((facts.path()?, is_bare))
    });
    match (paths.next(), paths.next()) {
        (Some((path, true)), None) => Some(path),
        _ => None,
    }
}

/// Returns the record of a map from paths to values.
fn keyed_record(path: &str, value: &Value, context: &Context) -> FileRecord {
    let (status, reason) = match value {
        Value::Object(object) => {
            let facts = Facts::of(object);
            (facts.status(), facts.reason())
        }
        Value::Bool(true) => (FileStatus::Collected, None),
        Value::Bool(false) => (FileStatus::Failed, None),
        Value::Null | Value::Number(_) => (FileStatus::Listed, None),
        other => {
            let text = leaves(other);
            let status = status_of(text.as_deref().unwrap_or_default());
            (status, text.filter(|_| status != FileStatus::Collected))
        }
    };
    let (status, reason) = match context {
        Context::Failures(name) => (FileStatus::Failed, reason.or_else(|| bounded(name))),
        _ => (status, reason),
    };
    FileRecord { path: bounded(path), status, reason }
}

/// The members of an object that describe a file.
#[derive(Default)]
struct Facts<'a> {
    paths: Vec<&'a str>,
    names: Vec<&'a str>,
    statuses: Vec<String>,
    /// Flags that are false, such as `found`.
    failed_flags: Vec<String>,
    has_true_flag: bool,
    errors: Vec<String>,
    texts: Vec<String>,
    /// Absolute paths in members whose meaning is not known.
    unnamed_paths: Vec<&'a str>,
    /// Other texts of these members.
    others: Vec<String>,
}

impl<'a> Facts<'a> {
    fn of(object: &'a Map<String, Value>) -> Self {
        let mut facts = Self::default();
        for (key, value) in object {
            let is_flag = |flag: bool| match value {
                Value::Bool(value) => *value == flag,
                Value::String(text) => text.eq_ignore_ascii_case(if flag { "true" } else { "false" }),
                _ => false,
            };
            match Role::of(key) {
                Role::Path => facts.paths.extend(value.as_str().filter(|text| !text.trim().is_empty())),
                Role::Name => facts.names.extend(value.as_str().filter(|text| !text.trim().is_empty())),
                Role::Flag if is_flag(true) => facts.has_true_flag = true,
                Role::Flag if is_flag(false) => facts.failed_flags.push(format!("{key}: false")),
                Role::Error if is_flag(true) => facts.errors.push(key.clone()),
                Role::Error if is_flag(false) => {}
                Role::Error => match value {
                    Value::Number(number) if number.as_f64() == Some(0.0) => {}
                    Value::Number(number) => facts.errors.push(format!("{key} {number}")),
                    value => facts.errors.extend(leaves(value).filter(|text| !is_benign(text))),
                },
                Role::Status => facts.statuses.extend(match value {
                    Value::String(_) => leaves(value),
                    _ => None,
                }),
                Role::Text => facts.texts.extend(leaves(value).filter(|text| !is_benign(text))),
                Role::Other => match value {
                    Value::String(text) if path_start(text) == Some(0) => facts.unnamed_paths.push(text),
                    Value::String(_) => facts.others.extend(leaves(value)),
                    _ => {}
                },
                Role::Flag => {}
            }
        }
        facts
    }

    fn path(&self) -> Option<&'a str> {
        let is_evident = self.status() > FileStatus::Listed || !self.texts.is_empty();
        let has_extension = |name: &str| {
            name.rsplit_once('.').is_some_and(|(_, end)| (1..=8).contains(&end.len()) && !end.contains(' '))
        };
        let mut names =
            self.names.iter().copied().filter(|name| is_evident || is_path(name) || has_extension(name));
        // Of a directory and a name, the longer text is the path.
        let named = self.paths.iter().copied().max_by_key(|path| path.len()).or_else(|| names.next());
        let has_failed = || self.status() == FileStatus::Failed || !self.texts.is_empty();
        named.or_else(|| self.unnamed_paths.first().copied().filter(|_| has_failed()))
    }

    fn status(&self) -> FileStatus {
        let statuses = self.statuses.iter().map(|status| status_of(status));
        let found = statuses.max().unwrap_or(FileStatus::Listed);
        if found == FileStatus::Failed || !self.errors.is_empty() || !self.failed_flags.is_empty() {
            FileStatus::Failed
        } else if self.has_true_flag {
            FileStatus::Collected
        } else {
            found
        }
    }

    /// Returns whether there is a text of an error, not only a status.
    fn has_text(&self) -> bool {
        !self.errors.is_empty() || !self.texts.is_empty()
    }

    /// Returns the reason: the errors and texts, and a status that is more specific than "failed".
    fn reason(&self) -> Option<String> {
        let is_general = |status: &&String| {
            status_of(status) == FileStatus::Collected
                || ["failed", "failure", "fail", "error"].iter().any(|one| status.eq_ignore_ascii_case(one))
        };
        let specific = self.statuses.iter().filter(|status| !is_general(status));
        let parts: Vec<&String> = specific.chain(&self.errors).chain(&self.texts).collect();
        if !parts.is_empty() {
            return join(parts.into_iter().cloned());
        }
        let failed = self.statuses.iter().filter(|status| status_of(status) == FileStatus::Failed);
        let all: Vec<&String> = self.failed_flags.iter().chain(failed).collect();
        if all.is_empty() { None } else { join(all.into_iter().cloned().chain(self.rest())) }
    }

    /// Returns the texts of the other members.
    fn rest(&self) -> Option<String> {
        join(self.others.iter().cloned())
    }
}

#[cfg(test)]
mod tests;
