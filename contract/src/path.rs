//! Path templates.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that are percent-encoded in a segment: all except the unreserved ones.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A segment of a path with parameters in braces, such as `/threats/{threat_id}/notes`.
enum Segment<'a> {
    Literal(&'a str),
    Name { before: &'a str, name: &'a str, after: &'a str },
}

impl<'a> Segment<'a> {
    fn new(text: &'a str) -> Self {
        let parts = split_at_byte(text, b'{').and_then(|(before, rest)| {
            let (name, after) = split_at_byte(rest, b'}')?;
            Some(Self::Name { before, name, after })
        });
        parts.unwrap_or(Self::Literal(text))
    }

    /// Returns the value of the parameter, or the literal; `None` if the segment of a path does not match. An empty value
    /// does not match.
    fn value<'s>(&self, segment: &'s str) -> Option<&'s str> {
        match self {
            Self::Literal(literal) => (*literal == segment).then_some(segment),
            Self::Name { before, after, .. } => {
                segment.strip_prefix(before)?.strip_suffix(after).filter(|value| !value.is_empty())
            }
        }
    }
}

/// Splits a text at an ASCII character. For these short texts, a search by bytes is several times faster than one by
/// characters, and each request is compared with each template.
fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn template_segments(template: &str) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = Some(template.strip_prefix('/').unwrap_or(template));
    std::iter::from_fn(move || {
        let text = rest?;
        let (segment, after) = match split_at_byte(text, b'/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (text, None),
        };
        rest = after;
        Some(Segment::new(segment))
    })
}

/// Returns the sort key of a template. If two templates match a path, the one with a literal in the first differing
/// segment sorts first.
pub(super) fn rank(template: &str) -> Vec<bool> {
    template_segments(template).map(|segment| matches!(segment, Segment::Name { .. })).collect()
}

/// Returns the parameter values if the path matches the template.
pub(super) fn values(template: &str, segments: &[String]) -> Option<BTreeMap<String, String>> {
    let mut expected = template_segments(template);
    // Most templates do not match. Nothing is allocated for them.
    let is_match =
        segments.iter().all(|segment| expected.next().is_some_and(|one| one.value(segment).is_some()));
    if !is_match || expected.next().is_some() {
        return None;
    }
    let pairs = template_segments(template).zip(segments).filter_map(|(expected, segment)| match expected {
        Segment::Name { name, .. } => Some((name.to_owned(), expected.value(segment)?.to_owned())),
        Segment::Literal(_) => None,
    });
    Some(pairs.collect())
}

/// Returns the path with percent-encoded parameter values.
pub(super) fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let segments = template_segments(template).map(|segment| match segment {
        Segment::Literal(literal) => format!("/{literal}"),
        Segment::Name { before, name, after } => format!("/{before}{}{after}", encode(&value(name))),
    });
    segments.collect()
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
