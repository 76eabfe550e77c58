//! Reads a JSON document of any size from a reader, one value in memory at a time.

use std::io::{self, Read};

use memchr::{memchr_iter, memchr2, memrchr};

/// The number of bytes that are read at once.
const BLOCK: usize = 256 * 1024;

/// A JSON document that is read member by member.
pub(super) struct JsonStream<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The start of the bytes in use: those of the present value.
    start: usize,
    /// The position in the buffer.
    at: usize,
    /// The line of the start of the buffer, from 1.
    line: usize,
    /// The number of bytes before the buffer in its line.
    column: usize,
}

/// The error of a [`JsonStream`].
#[derive(Debug)]
pub(super) enum StreamError {
    Io(io::Error),
    /// The document is not valid JSON, or not of the expected form.
    Format,
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

type Result<T> = std::result::Result<T, StreamError>;

impl<R: Read> JsonStream<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, at: 0, line: 1, column: 0 }
    }

    /// Returns line and column of the position, from 1.
    pub(super) fn position(&self) -> (usize, usize) {
        self.position_at(self.at)
    }

    fn position_at(&self, at: usize) -> (usize, usize) {
        let before = self.buffer.get(..at).unwrap_or_default();
        match memrchr(b'\n', before) {
            Some(last) => (self.line + memchr_iter(b'\n', before).count(), before.len() - last),
            None => (self.line, self.column + before.len() + 1),
        }
    }

    /// Gives up the bytes before the position.
    fn release(&mut self) {
        self.start = self.at;
    }

    /// Reads a block. Returns whether there is one.
    fn fill(&mut self) -> Result<bool> {
        let (line, column) = self.position_at(self.start);
        (self.line, self.column) = (line, column - 1);
        self.buffer.drain(..self.start);
        (self.start, self.at) = (0, self.at - self.start);
        let length = self.buffer.len();
        self.buffer.resize(length + BLOCK, 0);
        let read = loop {
            match self.reader.read(self.buffer.get_mut(length..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(length + read.as_ref().map_or(0, |read| *read));
        Ok(read? > 0)
    }

    /// Returns the byte at the position; `None` at the end of the document.
    fn byte(&mut self) -> Result<Option<u8>> {
        if self.at == self.buffer.len() && !self.fill()? {
            return Ok(None);
        }
        Ok(self.buffer.get(self.at).copied())
    }

    /// Skips whitespace and returns the next byte; `None` at the end of the document.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.byte()? {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    /// Skips whitespace and this byte.
    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek()? != Some(byte) {
            return Err(StreamError::Format);
        }
        self.at += 1;
        Ok(())
    }

    /// Fails if anything but whitespace follows.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.peek()?.is_some() { Err(StreamError::Format) } else { Ok(()) }
    }

    /// Moves to the next element of an array or to the next member of an object, whose opening bracket was read. Returns
    /// whether there is one; otherwise skips the closing bracket.
    pub(super) fn next_element(&mut self, is_first: bool, close: u8) -> Result<bool> {
        match self.peek()? {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(_) if is_first => Ok(true),
            _ => self.expect(b',').map(|()| true),
        }
    }

    /// Reads the name of a member and the colon.
    pub(super) fn name(&mut self) -> Result<String> {
        let name = serde_json::from_slice(self.value()?).map_err(|_| StreamError::Format)?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Reads a value. Only its brackets and strings are checked.
    pub(super) fn value(&mut self) -> Result<&[u8]> {
        self.peek()?;
        self.release();
        self.scan(true)?;
        Ok(self.buffer.get(self.start..self.at).unwrap_or_default())
    }

    /// Skips a value of any size. Only its brackets and strings are checked.
    pub(super) fn skip_value(&mut self) -> Result<()> {
        self.peek()?;
        self.scan(false)
    }

    /// Moves behind a value. With `keep`, its bytes stay in the buffer.
    fn scan(&mut self, keep: bool) -> Result<()> {
        // The closing brackets of the open containers.
        let mut open = Vec::new();
        loop {
            if !keep && self.at == self.buffer.len() {
                self.release();
            }
            let byte = self.byte()?.ok_or(StreamError::Format)?;
            match byte {
                b'{' => open.push(b'}'),
                b'[' => open.push(b']'),
                b'}' | b']' if open.pop() != Some(byte) => return Err(StreamError::Format),
                b'"' => {
                    self.at += 1;
                    self.scan_string(keep)?;
                    if open.is_empty() {
                        return Ok(());
                    }
                    continue;
                }
                b'}' | b']' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {}
                _ if open.is_empty() => return self.scan_word(),
                _ => {}
            }
            self.at += 1;
            if open.is_empty() {
                return if matches!(byte, b'}' | b']') { Ok(()) } else { Err(StreamError::Format) };
            }
        }
    }

    /// Moves behind a string, whose first quote was read.
    fn scan_string(&mut self, keep: bool) -> Result<()> {
        loop {
            match memchr2(b'"', b'\\', self.buffer.get(self.at..).unwrap_or_default()) {
                Some(found) => {
                    self.at += found + 1;
                    if self.buffer.get(self.at - 1) == Some(&b'"') {
                        return Ok(());
                    }
                    self.byte()?.ok_or(StreamError::Format)?;
                    self.at += 1;
                }
                None => {
                    self.at = self.buffer.len();
                    if !keep {
                        self.release();
                    }
                    self.byte()?.ok_or(StreamError::Format)?;
                }
            }
        }
    }

    /// Moves behind a number or a literal.
    fn scan_word(&mut self) -> Result<()> {
        while self.byte()?.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = into.len().min(1);
            self.0.read(&mut into[..length])
        }
    }

    fn elements(text: &str) -> Result<Vec<String>> {
        let mut stream = JsonStream::new(Slow(text.as_bytes()));
        stream.expect(b'[')?;
        let mut all = Vec::new();
        while stream.next_element(all.is_empty(), b']')? {
            all.push(String::from_utf8_lossy(stream.value()?).into_owned());
        }
        stream.end()?;
        Ok(all)
    }

    #[test]
    fn value_returns_text_of_each_element() {
        let all = [r#"{"a":[1,{"b":"}\"]\\"}]}"#, "-1.5e3", "true", r#""x\\""#, "[]", "{}", "null", r#""""#];
        assert_eq!(elements(&format!("[{}]", all.join(" ,\n"))).unwrap(), all);
        for broken in ["[1", "[1}", "[{]}]", "[\"a", "[1 2]", "[1] 2", "[,1]", "{}", "[:]", "[\"\\"] {
            assert!(matches!(elements(broken), Err(StreamError::Format)), "{broken}");
        }
    }

    #[test]
    fn position_counts_lines_of_released_text() {
        let mut stream = JsonStream::new(Slow(b"[\n {\"a\":\n\"b\"},\n  x"));
        stream.expect(b'[').unwrap();
        assert!(stream.next_element(true, b']').unwrap());
        stream.skip_value().unwrap();
        assert_eq!(stream.position(), (3, 5));
        assert!(stream.next_element(false, b']').unwrap());
        stream.value().unwrap();
        assert_eq!((stream.position(), stream.buffer.as_slice()), ((4, 4), &b"x"[..]));
    }
}
