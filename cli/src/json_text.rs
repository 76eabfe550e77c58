//! JSON text, formatted without parsing it into values. Numbers and strings keep their bytes.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memchr3};
use sentinelone::replace_control_chars;
use serde_json::Value;

/// Largest number of levels that are indented. A parsed value has at most 127; deeper text must not grow without bounds.
const MAX_LEVELS: usize = 256;

/// The control character after the printable ones of ASCII.
const DELETE: u8 = 0x7f;

/// The first bytes of the characters outside of ASCII that are escaped. Most other characters have other first bytes.
const FIRST_BYTES: [u8; 3] = [0xc2, 0xd8, 0xe2];

/// Returns an indented document with a final line break.
pub(crate) fn pretty(value: &Value) -> String {
    escape_control_chars(&format!("{value:#}")).into_owned() + "\n"
}

/// Returns one line of JSON per value.
pub(crate) fn lines(values: &[Value]) -> String {
    values.iter().map(line).collect()
}

/// Returns a value in one line.
pub(crate) fn line(value: &Value) -> String {
    escape_control_chars(&value.to_string()).into_owned() + "\n"
}

/// Returns JSON text with `\uXXXX` for the characters of its strings that can control a terminal or change the reading
/// order. Its value stays the same.
pub(crate) fn escape_control_chars(json: &str) -> Cow<'_, str> {
    let ([a, b, c], bytes) = (FIRST_BYTES, json.as_bytes());
    if memchr(DELETE, bytes).is_none() && (json.is_ascii() || memchr3(a, b, c, bytes).is_none()) {
        return Cow::Borrowed(json);
    }
    let replaced = replace_control_chars(json);
    if replaced == json {
        return Cow::Borrowed(json);
    }
    // Each character is replaced by one character.
    let mut escaped = String::with_capacity(json.len());
    for (old, new) in json.chars().zip(replaced.chars()) {
        // Up to the space they are white space between values: JSON strings have the others as escapes.
        if old == new || old < ' ' {
            escaped.push(old);
        } else {
            // All of them have four digits at most.
            escaped.push_str(&format!("\\u{:04x}", u32::from(old)));
        }
    }
    Cow::Owned(escaped)
}

/// Appends JSON text in one line. The text is unchanged unless it has line breaks or tabs; then its white space is
/// removed.
pub(crate) fn append_line(json: &str, out: &mut Vec<u8>) {
    let json = escape_control_chars(json);
    if memchr3(b'\n', b'\r', b'\t', json.as_bytes()).is_some() {
        let text = json.as_bytes();
        (Tokens { text, at: 0 }).for_each(|token| out.extend_from_slice(text.get(token).unwrap_or_default()));
    } else {
        out.extend_from_slice(json.as_bytes());
    }
    out.push(b'\n');
}

/// Appends JSON text in the format of `serde_json`'s pretty printer, without a line break at its end. The lines after the
/// first are indented by `level` levels more.
pub(crate) fn append_indented(json: &str, mut level: usize, out: &mut Vec<u8>) {
    let json = escape_control_chars(json);
    let text = json.as_bytes();
    out.reserve(text.len());
    // Tokens without white space between them are appended together.
    let mut pending = 0..0;
    let append = |pending: &mut Range<usize>, next: usize, out: &mut Vec<u8>| {
        out.extend_from_slice(text.get(std::mem::replace(pending, next..next)).unwrap_or_default());
    };
    let mut is_first = false;
    for token in (Tokens { text, at: 0 }) {
        let kind = text.get(token.start).copied().unwrap_or_default();
        let is_end = matches!(kind, b'}' | b']');
        if is_end {
            level = level.saturating_sub(1);
        }
        // An empty list or object has no line break.
        let has_break = is_end != is_first;
        if has_break || token.start != pending.end {
            append(&mut pending, token.start, out);
        }
        if has_break {
            append_line_break(level, out);
        }
        pending.end = token.end;
        is_first = matches!(kind, b'{' | b'[');
        level += usize::from(is_first);
        if kind == b',' {
            append(&mut pending, token.end, out);
            append_line_break(level, out);
        } else if kind == b':' {
            append(&mut pending, token.end, out);
            out.push(b' ');
        }
    }
    append(&mut pending, text.len(), out);
}

/// Appends a line break and an indentation.
pub(crate) fn append_line_break(level: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.resize(out.len() + 2 * level.min(MAX_LEVELS), b' ');
}

/// The tokens of JSON text: punctuation, strings with their quotes, and other scalars. White space between them is
/// skipped.
struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..)?;
        let space = rest.iter().position(|byte| !is_space(*byte))?;
        let token = rest.get(space..)?;
        let length = match token.first()? {
            b'"' => string_length(token),
            byte if is_punctuation(*byte) => 1,
            _ => {
                let is_end = |byte: &u8| *byte == b'"' || is_punctuation(*byte) || is_space(*byte);
                token.iter().position(is_end).unwrap_or(token.len())
            }
        };
        let start = self.at + space;
        self.at = start + length;
        Some(start..self.at)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn is_punctuation(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':')
}

/// Returns the length of the string at the start of `text`, with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        match text.get(at - 1) {
            Some(b'\\') => at += 1,
            _ => return at,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Number, json};

    use super::*;

    fn indented(json: &str) -> String {
        let mut out = Vec::new();
        append_indented(json, 0, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn one_line(json: &str) -> String {
        let mut out = Vec::new();
        append_line(json, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn number() -> impl Strategy<Value = Value> {
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?"
            .prop_map(|digits| Value::Number(digits.parse::<Number>().unwrap()))
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[\"\\\\{}\\[\\],: \t\n/a-c]{0,12}",
            "[a\u{7f}\u{85}\u{9b}\u{61c}\u{200e}\u{2028}\u{202e}\u{2066}\u{1b}é]{0,8}",
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            number(),
            text().prop_map(Value::String),
        ];
        scalar.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec((text(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Returns the text of a value with white space around each token.
    fn spaced(value: &Value, spaces: &[String]) -> String {
        let text = value.to_string();
        let mut spaces = spaces.iter().cycle();
        let mut next = || spaces.next().map_or("", String::as_str);
        (Tokens { text: text.as_bytes(), at: 0 })
            .map(|token| format!("{}{}{}", next(), &text[token], next()))
            .collect()
    }

    proptest! {
        #[test]
        fn append_indented_equals_the_pretty_printer(
            value in value(), spaces in prop::collection::vec("[ \t\r\n]{0,3}", 1..9),
        ) {
            let json = spaced(&value, &spaces);
            prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value.clone());
            prop_assert_eq!(indented(&json) + "\n", pretty(&value));
            prop_assert_eq!(serde_json::from_str::<Value>(&indented(&json)).unwrap(), value);
        }

        #[test]
        fn append_line_keeps_the_value_in_one_line(
            value in value(), spaces in prop::collection::vec("[ \t\r\n]{0,3}", 1..9),
        ) {
            let json = spaced(&value, &spaces);
            let text = one_line(&json);
            prop_assert_eq!(text.matches(['\n', '\r', '\t']).count(), 1);
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value.clone());
            if json.contains(['\n', '\r', '\t']) {
                prop_assert_eq!(text, line(&value));
            } else {
                prop_assert_eq!(text, escape_control_chars(&json).into_owned() + "\n");
            }
        }

        #[test]
        fn output_has_no_control_characters(value in value()) {
            let lines = [one_line(&value.to_string()), indented(&value.to_string()), pretty(&value), line(&value)];
            for one in lines.iter().flat_map(|text| text.lines()) {
                prop_assert_eq!(replace_control_chars(one), one);
            }
        }

        #[test]
        fn any_text_is_accepted(text in "(?s).{0,40}", odd in "[\"\\\\{}\\[\\],: \n\u{7f}1é]{0,20}") {
            for text in [text, odd] {
                indented(&text);
                one_line(&text);
                let escaped = escape_control_chars(&text).into_owned();
                prop_assert!(escaped.chars().all(|c| c < ' ' || replace_control_chars(&c.to_string()).starts_with(c)));
            }
        }
    }

    #[test]
    fn append_indented_keeps_digits_and_escapes() {
        let json = r#"{"a":1.10,"b":[],"c":{},"d":[{"e":"\/\u00e9"}],"f":-0.0e+1}"#;
        let expected = "{\n  \"a\": 1.10,\n  \"b\": [],\n  \"c\": {},\n  \"d\": [\n    {\n      \"e\": \"\\/\\u00e9\"\n    \
                        }\n  ],\n  \"f\": -0.0e+1\n}";
        assert_eq!(indented(json), expected);
        assert_eq!(one_line("{\"a\" :\n 1.10}"), "{\"a\":1.10}\n");
        assert_eq!(one_line("{\"a\" : 1.10}"), "{\"a\" : 1.10}\n");
    }

    #[test]
    fn append_indented_limits_the_indentation() {
        let deep = "[".repeat(10_000);
        assert!(indented(&deep).len() < 10_000 * (2 * MAX_LEVELS + 2));
    }

    #[test]
    fn escape_control_chars_escapes_every_character_that_is_replaced() {
        let all: String = (' '..=char::MAX).collect();
        let replaced = replace_control_chars(&all);
        for (c, _) in all.chars().zip(replaced.chars()).filter(|(c, new)| c != new) {
            assert_eq!(escape_control_chars(&c.to_string()), format!("\\u{:04x}", u32::from(c)));
        }
    }

    #[test]
    fn escape_control_chars_keeps_printable_characters() {
        let value = json!({ "a\u{9b}": "x\u{7f}\u{202e}\u{2028}é" });
        assert_eq!(line(&value), "{\"a\\u009b\":\"x\\u007f\\u202e\\u2028é\"}\n");
        assert_eq!(one_line(&value.to_string()), line(&value));
    }
}
