//! Values of list options from files and from stdin.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sentinelone::commands::{Argument, ArgumentKind, is_possible_id};
use serde_json::Value;

use crate::failure::CliError;
use crate::options::option;

/// Maximum size of a list in a file or on stdin, in bytes: about 400,000 IDs.
const MAX_SIZE: u64 = 8 * 1024 * 1024;

/// Value that reads the list from stdin.
const STDIN: &str = "-";

/// Reads the values of list options.
#[derive(Default)]
pub(crate) struct ListReader {
    /// Option that stdin was read for.
    stdin: Option<String>,
}

impl ListReader {
    /// Returns the option for which stdin was read.
    pub(crate) fn stdin_option(&self) -> Option<&str> {
        self.stdin.as_deref()
    }

    /// Returns the value of an argument. Lines that are read for a list become a JSON array.
    ///
    /// # Errors
    /// Returns the errors of [`lines`](Self::lines).
    pub(crate) fn read(&mut self, argument: &Argument, value: &str) -> Result<String, CliError> {
        if argument.kind != ArgumentKind::List {
            return Ok(value.to_owned());
        }
        let lines = self.lines(&option(argument.name), value)?;
        Ok(lines.map_or_else(|| value.to_owned(), |lines| Value::from(lines).to_string()))
    }

    /// Returns the IDs of a list option that is not an argument of an integration command.
    ///
    /// # Errors
    /// Returns the errors of [`lines`](Self::lines), and a usage error for a value that cannot be an ID.
    pub(crate) fn ids(&mut self, option: &str, values: Vec<String>) -> Result<Vec<String>, CliError> {
        let mut ids = Vec::new();
        for value in values {
            match self.lines(option, &value)? {
                Some(mut lines) => ids.append(&mut lines),
                None => ids.push(value),
            }
        }
        match ids.iter().find(|id| !is_possible_id(id)) {
            Some(id) => Err(CliError::Usage(format!("--{option}: {id:?} is not an ID"))),
            None => Ok(ids),
        }
    }

    /// Returns the lines of the file for `@FILE`, or of stdin for `-`, and `None` for any other value. Blank lines and
    /// lines that begin with `#` are left out.
    ///
    /// # Errors
    /// Returns a usage error if the file cannot be read, is too large, is not text, or has no value, or if stdin is
    /// read twice.
    fn lines(&mut self, option: &str, value: &str) -> Result<Option<Vec<String>>, CliError> {
        let option = format!("--{option}");
        let (source, bytes) = match (value.trim(), value.trim().strip_prefix('@')) {
            (STDIN, _) => {
                if let Some(other) = &self.stdin {
                    let message = format!("{option} -: stdin is already read for {other}");
                    return Err(CliError::Usage(message));
                }
                self.stdin = Some(option.clone());
                ("stdin", read_all(io::stdin().lock()))
            }
            (_, Some("")) => return Err(CliError::Usage(format!("{option}: @ has no file name"))),
            (_, Some(path)) => (path, File::open(Path::new(path)).and_then(read_all)),
            _ => return Ok(None),
        };
        let usage = |problem: &str| CliError::Usage(format!("{option}: {source} {problem}"));
        let bytes = bytes.map_err(|error| usage(&format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(usage(&format!("has more than {MAX_SIZE} bytes")));
        }
        let text = decode(&bytes).ok_or_else(|| usage("is not text in UTF-8 or UTF-16"))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let values: Vec<String> = lines.map(str::to_owned).collect();
        if values.is_empty() {
            return Err(usage("has no value; expected one per line"));
        }
        Ok(Some(values))
    }
}

/// Reads up to one byte more than the maximum size.
fn read_all(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Decodes UTF-8, or UTF-16 with a byte-order mark, which PowerShell writes. Removes the byte-order mark.
fn decode(bytes: &[u8]) -> Option<String> {
    let utf16 = |units: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = units.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty())
    };
    match bytes {
        [0xff, 0xfe, units @ ..] => utf16(units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => utf16(units, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8(text.to_vec()).ok(),
        text => String::from_utf8(text.to_vec()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_accepts_byte_order_marks() {
        let utf16 =
            |unit: fn(u16) -> [u8; 2]| "\u{feff}1\r\n2".encode_utf16().flat_map(unit).collect::<Vec<_>>();
        for bytes in [
            b"1\r\n2".to_vec(),
            b"\xef\xbb\xbf1\r\n2".to_vec(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Some("1\r\n2"), "{bytes:?}");
        }
        for bytes in [&b"\xff"[..], b"\xff\xfe1", b"a\xc3"] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
