//! Path templates.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a segment has to have encoded: all but the characters that need it nowhere.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path with names in braces: `/threats/{threat_id}/notes`.
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

    /// What orders templates: of two that match the same path, the one whose first differing segment is
    /// a literal counts.
    pub(super) fn rank(&self) -> Vec<bool> {
        self.segments.iter().map(|segment| matches!(segment, Segment::Name { .. })).collect()
    }

    /// The values of the names, if the path matches. An empty segment matches no name.
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

    /// The path with these values in the places of the names, encoded.
    pub(super) fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => format!("/{literal}"),
            Segment::Name { before, name, after } => format!("/{before}{}{after}", encode(&value(name))),
        });
        segments.collect()
    }
}

/// A text as a segment of a path.
pub(super) fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}

/// The decoded segments of a path, without its query; `None` when what is encoded is no text.
pub(super) fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // Decoding comes after splitting: an encoded slash belongs to its segment.
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
