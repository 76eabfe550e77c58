//! Reads JSON text in place, without a tree: strings, numbers, and the extent of values.

use std::borrow::Cow;

/// JSON that a [`Cursor`] does not read: it is invalid, or has a form that only `serde_json` decides, such as a number with
/// an exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Maximum nesting of values. It is lower than the limit of `serde_json`, 128, since parts of a document are parsed on
/// their own.
const MAX_DEPTH: usize = 100;

/// A position in JSON text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// A string of the text, between its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawString<'a> {
    pub(super) text: &'a str,
    /// The offset of the text in the document.
    pub(super) start: usize,
    /// Whether the text has escapes.
    pub(super) has_escapes: bool,
    /// Whether the text has escaped code points, so that the characters of the string differ from those of the text.
    pub(super) has_code_points: bool,
}

/// A number of the text, without an exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawNumber<'a> {
    pub(super) text: &'a str,
    pub(super) is_integer: bool,
}

impl RawString<'_> {
    /// Returns the string without escapes.
    pub(super) fn unescape(&self) -> Result<Cow<'_, str>, Unreadable> {
        if !self.has_escapes {
            return Ok(Cow::Borrowed(self.text));
        }
        serde_json::from_str(&format!("\"{}\"", self.text)).map(Cow::Owned).map_err(|_| Unreadable)
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, offset: usize) -> Self {
        Self { text, at: offset }
    }

    /// Returns the offset in the text.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns the text from this offset to the position.
    pub(super) fn slice(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// Skips whitespace and returns the next byte.
    pub(super) fn peek(&mut self) -> Result<u8, Unreadable> {
        loop {
            match self.byte().ok_or(Unreadable)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Ok(byte),
            }
        }
    }

    /// Fails if anything but whitespace follows.
    pub(super) fn end(mut self) -> Result<(), Unreadable> {
        if self.peek().is_ok() { Err(Unreadable) } else { Ok(()) }
    }

    /// Skips whitespace and this byte.
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.peek()? != byte {
            return Err(Unreadable);
        }
        self.at += 1;
        Ok(())
    }

    /// Skips whitespace and this byte, if it is the next one.
    pub(super) fn skip_byte(&mut self, byte: u8) -> Result<bool, Unreadable> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    /// Moves to the next element of an array or to the next member of an object, whose opening bracket was read. Returns
    /// whether there is one; otherwise skips the closing bracket.
    pub(super) fn next_element(&mut self, is_first: bool, close: u8) -> Result<bool, Unreadable> {
        if is_first {
            return Ok(!self.skip_byte(close)?);
        }
        if self.skip_byte(b',')? {
            return Ok(true);
        }
        self.expect(close)?;
        Ok(false)
    }

    /// Reads the name of a member and the colon.
    pub(super) fn name(&mut self) -> Result<RawString<'a>, Unreadable> {
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    pub(super) fn string(&mut self) -> Result<RawString<'a>, Unreadable> {
        self.expect(b'"')?;
        let start = self.at;
        let (mut has_escapes, mut has_code_points) = (false, false);
        loop {
            match self.byte().ok_or(Unreadable)? {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    has_escapes = true;
                    match self.byte() {
                        Some(b'u') => has_code_points = true,
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        _ => return Err(Unreadable),
                    }
                }
                0..0x20 => return Err(Unreadable),
                _ => {}
            }
            self.at += 1;
        }
        let string = RawString { text: self.slice(start), start, has_escapes, has_code_points };
        self.at += 1;
        if has_code_points {
            // Half of a surrogate pair is invalid.
            string.unescape()?;
        }
        Ok(string)
    }

    pub(super) fn number(&mut self) -> Result<RawNumber<'a>, Unreadable> {
        self.peek()?;
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        let first = self.byte();
        let digits = self.digits();
        // More digits can be out of the range of numbers.
        if digits == 0 || digits > 300 || first == Some(b'0') && digits > 1 {
            return Err(Unreadable);
        }
        let is_integer = self.byte() != Some(b'.');
        if !is_integer {
            self.at += 1;
            if self.digits() == 0 {
                return Err(Unreadable);
            }
        }
        match self.byte() {
            Some(b'e' | b'E') => Err(Unreadable),
            _ => Ok(RawNumber { text: self.slice(start), is_integer }),
        }
    }

    /// Skips digits and returns their number.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    pub(super) fn literal(&mut self, literal: &str) -> Result<(), Unreadable> {
        self.peek()?;
        let is_next =
            self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(literal.as_bytes()));
        self.at += literal.len();
        if is_next { Ok(()) } else { Err(Unreadable) }
    }

    /// Skips a value at this depth and returns its text. The root has depth 0.
    pub(super) fn skip_value(&mut self, depth: usize) -> Result<&'a str, Unreadable> {
        let first = self.peek()?;
        let start = self.at;
        check_depth(depth)?;
        match first {
            b'{' | b'[' => {
                let close = if first == b'{' { b'}' } else { b']' };
                self.at += 1;
                let mut is_first = true;
                while self.next_element(is_first, close)? {
                    is_first = false;
                    if first == b'{' {
                        self.name()?;
                    }
                    self.skip_value(depth + 1)?;
                }
            }
            b'"' => {
                self.string()?;
            }
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => {
                self.number()?;
            }
        }
        Ok(self.slice(start))
    }
}

/// Fails if the nesting is too deep.
pub(super) fn check_depth(depth: usize) -> Result<(), Unreadable> {
    if depth < MAX_DEPTH { Ok(()) } else { Err(Unreadable) }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read(text: &str) -> Result<&str, Unreadable> {
        let mut cursor = Cursor::new(text, 0);
        let value = cursor.skip_value(0)?;
        cursor.end()?;
        Ok(value)
    }

    #[test]
    fn skip_value_returns_text_of_valid_json() {
        for text in [
            r#"{"a":[1,-2.50,true,false,null,"x\"\\\u00e4"],"b":{},"c":[ ]}"#,
            "\n [ { \"a\" :\t1 } , 0 ]\r\n",
            r#""\ud83d\ude00""#,
            "0",
        ] {
            assert_eq!(read(text), Ok(text.trim()), "{text}");
        }
    }

    /// What the cursor reads, `serde_json` reads, too.
    #[test]
    fn skip_value_rejects_invalid_json() {
        for text in [
            "",
            "{",
            "[1",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{1:2}",
            "[1 2]",
            "1 2",
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "tru",
            "nulls",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\u{1}\"",
            "]",
        ] {
            assert_eq!(read(text), Err(Unreadable), "{text}");
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
        for text in ["1e5".to_owned(), "[".repeat(101) + &"]".repeat(101)] {
            assert_eq!(read(&text), Err(Unreadable), "{text}");
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        }
    }
}
