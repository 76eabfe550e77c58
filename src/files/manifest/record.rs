//! What a manifest has about a file: status, reason, and the roles of its members.

use serde_json::Value;

use crate::text::is_unprintable;

/// Maximum length of a shown reason or path, in characters.
pub(super) const MAX_TEXT: usize = 1000;

/// A file as a manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileRecord {
    /// Path on the endpoint; `None` for a reason that names no file.
    pub(crate) path: Option<String>,
    pub(crate) status: FileStatus,
    /// Text of the manifest on this file.
    pub(crate) reason: Option<String>,
}

/// Status of a file in a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileStatus {
    /// The manifest lists the file without a known status.
    Listed,
    /// The file was collected.
    Collected,
    /// The file was not collected.
    Failed,
}

/// Meaning of a member of a record, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Path,
    /// A path, if it looks like one.
    Name,
    Status,
    /// True if the file was collected.
    Flag,
    Error,
    Text,
    Other,
}

impl Role {
    pub(super) fn of(key: &str) -> Self {
        let word = key_word(key);
        let contains = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
        match word.as_str() {
            "name" | "source" | "target" | "location" | "requested" | "original" => Self::Name,
            "success" | "succeeded" | "ok" | "found" | "exists" | "collected" | "fetched" | "uploaded"
            | "included" | "available" | "present" | "copied" | "added" => Self::Flag,
            "missing" | "denied" | "skipped" | "notfound" => Self::Error,
            _ if contains(&["error", "fail", "exception"]) => Self::Error,
            _ if contains(&["reason", "message", "msg", "detail", "description", "cause", "statustext"]) => {
                Self::Text
            }
            "status" | "state" | "result" | "outcome" | "disposition" => Self::Status,
            _ if word.ends_with("status") || word.ends_with("state") || word.ends_with("result") => {
                Self::Status
            }
            "file" | "filename" | "filepath" | "fullpath" | "fullname" => Self::Path,
            _ if word.ends_with("path") || word.ends_with("filename") => Self::Path,
            _ => Self::Other,
        }
    }
}

/// Returns the letters and digits of a key in lower case, so that `errorMessage` and `error_message` are equal.
pub(super) fn key_word(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Joins different texts.
pub(super) fn join(texts: impl IntoIterator<Item = String>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    let mut length = 0;
    for text in texts {
        // The rest is not shown, and comparing many texts takes long.
        if length > MAX_TEXT {
            break;
        }
        if !all.contains(&text) {
            length += text.chars().count();
            all.push(text);
        }
    }
    bounded(&all.join("; "))
}

/// Returns a text without surrounding spaces, shortened; `None` if it is empty.
pub(super) fn bounded(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| shorten(text, MAX_TEXT))
}

/// Returns a text with at most `max` characters.
pub(super) fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns a text for display: control characters are escaped, and only the first `max` characters are shown.
pub(crate) fn escaped(text: &str, max: usize) -> String {
    let mut shown = String::new();
    for c in shorten(text.trim(), max).chars() {
        if is_unprintable(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Returns the texts and numbers of a value, joined.
pub(super) fn leaves(value: &Value) -> Option<String> {
    fn collect(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::String(text) => all.extend(bounded(text)),
            Value::Number(number) => all.push(number.to_string()),
            Value::Array(list) => list.iter().for_each(|one| collect(one, all)),
            Value::Object(object) => object.values().for_each(|one| collect(one, all)),
            Value::Null | Value::Bool(_) => {}
        }
    }
    let mut all = Vec::new();
    collect(value, &mut all);
    bounded(&all.join(": "))
}
