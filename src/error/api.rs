//! Errors of the API: entries of error responses and their formats.

use std::fmt;

use serde_json::Value;

use crate::json_repair;
use crate::redaction::Redactor;
use crate::text::is_unprintable;

/// Maximum length of a shown part of an error, in characters.
const MAX_PART: usize = 1_000;

/// Maximum length of a shown body, in characters.
const MAX_EXCERPT: usize = 200;

/// An entry of the API's `errors` array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// Error code of the API, such as `4000040`.
    pub code: Option<String>,
    /// Short description.
    pub title: Option<String>,
    /// Details; often missing.
    pub detail: Option<String>,
}

impl ApiError {
    pub(crate) fn redact(&mut self, secrets: &Redactor<'_>) {
        for part in [&mut self.code, &mut self.title, &mut self.detail] {
            *part = part.take().map(|text| secrets.redact(&text));
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In some entries the title and the detail are equal.
        let detail = if self.detail == self.title { &None } else { &self.detail };
        let [code, title, detail] =
            [&self.code, &self.title, detail].map(|part| shortened(part.as_deref()?, MAX_PART));
        let text: Vec<_> = title.into_iter().chain(detail).collect();
        let parts: Vec<_> = code.into_iter().chain((!text.is_empty()).then(|| text.join(": "))).collect();
        f.write_str(&parts.join(" "))
    }
}

/// Returns the beginning of a response body on one line, without HTML tags and control characters.
pub(crate) fn excerpt(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let mut plain = String::new();
    let mut in_tag = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '<' if chars.peek().is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(*next)) => {
                in_tag = true;
            }
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if in_tag => {}
            c => plain.push(c),
        }
    }
    shortened(&plain, MAX_EXCERPT)
}

/// Returns the beginning of a text on one line, without control characters; `None` if nothing remains.
fn shortened(text: &str, max: usize) -> Option<String> {
    let plain = text.replace(is_unprintable, " ");
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(max).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    (!short.is_empty()).then_some(short)
}

/// Parses the known formats of error bodies: the `errors` array, entries with `message` instead of `title`, a nested
/// `error.errors`, and a single `error` or `message` string.
pub(crate) fn parse_api_errors(body: &[u8]) -> Vec<ApiError> {
    let Some(body) = json_repair::parse::<Value>(body) else { return Vec::new() };
    match body.get("errors").or_else(|| body.pointer("/error/errors")) {
        None | Some(Value::Null) => parse_api_error(&body).into_iter().collect(),
        Some(Value::Array(list)) => list.iter().map(parse_any_error).collect(),
        Some(other) => vec![parse_any_error(other)],
    }
}

/// Parses an entry of any format. An unknown format becomes the detail, unchanged.
fn parse_any_error(entry: &Value) -> ApiError {
    let detail = || ApiError { detail: Some(entry.to_string()), ..ApiError::default() };
    parse_api_error(entry).unwrap_or_else(detail)
}

/// Returns whether a response has errors, with or without data.
#[inline]
pub(crate) fn has_errors(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Errors {
        #[serde(default)]
        errors: Value,
    }
    // A search avoids a second parse of large pages.
    let mentioned = memchr::memmem::find(body, b"\"errors\"").is_some();
    let parsed = if mentioned { json_repair::parse::<Errors>(body) } else { None };
    parsed.is_some_and(|parsed| match parsed.errors {
        Value::Null => false,
        Value::Array(errors) => !errors.is_empty(),
        _ => true,
    })
}

fn parse_api_error(entry: &Value) -> Option<ApiError> {
    let string = |name: &str| match entry.get(name)? {
        Value::String(string) if string.is_empty() => None,
        Value::String(string) => Some(string.clone()),
        Value::Null => None,
        Value::Object(inner) => inner.get("message")?.as_str().map(str::to_owned),
        other => Some(other.to_string()),
    };
    if let Value::String(string) = entry {
        return Some(ApiError { detail: Some(string.clone()), ..ApiError::default() });
    }
    let error = ApiError {
        code: string("code"),
        title: string("title").or_else(|| string("error")),
        detail: ["detail", "message", "error_description"].into_iter().find_map(string),
    };
    (error != ApiError::default()).then_some(error)
}
