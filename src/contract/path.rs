//! Path templates.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that are percent-encoded in a segment: all except the unreserved ones.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path with parameters in braces: `/threats/{threat_id}/notes`.
#[derive(Debug)]
pub(super) struct Template {
    segments: Vec<Segment>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Name { before: String, name: String, after: String },
}

impl Template {
    pub(super) fn new(path: &str) -> Self {
        let segments = path.trim_start_matches('/').split('/').map(|segment| {
            let parts = segment.split_once('{').and_then(|(before, rest)| {
                let (name, after) = rest.split_once('}')?;
                Some(Segment::Name { before: before.into(), name: name.into(), after: after.into() })
            });
            parts.unwrap_or_else(|| Segment::Literal(segment.into()))
        });
        Self { segments: segments.collect() }
    }

    /// Returns the sort key of templates. If two templates match a path, the one with a literal in the first
    /// differing segment sorts first.
    pub(super) fn rank(&self) -> Vec<bool> {
        self.segments.iter().map(|segment| matches!(segment, Segment::Name { .. })).collect()
    }

    /// Returns the parameter values if the path matches. An empty segment does not match a parameter.
    pub(super) fn values(&self, segments: &[String]) -> Option<BTreeMap<String, String>> {
        if segments.len() != self.segments.len() {
            return None;
        }
        let mut values = BTreeMap::new();
        for (expected, segment) in self.segments.iter().zip(segments) {
            match expected {
                Segment::Literal(literal) if literal == segment => {}
                Segment::Literal(_) => return None,
                Segment::Name { before, name, after } => {
                    let value = segment.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                    if value.is_empty() {
                        return None;
                    }
                    values.insert(name.clone(), value.to_owned());
                }
            }
        }
        Some(values)
    }

    /// Returns the path with percent-encoded parameter values.
    pub(super) fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => format!("/{literal}"),
            Segment::Name { before, name, after } => format!("/{before}{}{after}", encode(&value(name))),
        });
        segments.collect()
    }
}

/// Percent-encodes a string as a path segment.
pub(super) fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}

/// Returns the decoded segments of a path without its query; `None` if a segment is not valid percent-encoded UTF-8.
pub(super) fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // Split before decoding: an encoded slash is part of its segment.
    path.strip_prefix('/')?.split('/').map(decode).collect()
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let (pair, after) = after.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
