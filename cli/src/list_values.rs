//! Values of list options from files and from stdin, and options in the place of a value.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sentinelone::commands::{Argument, ArgumentKind, RegisteredCommand, find, is_possible_id};
use serde_json::Value;

use crate::batches;
use crate::cli::{allows_dash, global_option_names, has_secret_option, is_secret, option, option_names};
use crate::run::CliError;

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

/// Returns the usage error for an option that takes a text and is followed by something that looks like an option, such
/// as `--query --from-date`: the value was probably forgotten. `--query=--from-date` is accepted.
pub(crate) fn missing_value(arguments: &[String]) -> Option<String> {
    let entry = arguments.iter().find_map(|argument| find(argument))?;
    let list = (entry.arguments)();
    arguments.windows(2).find_map(|pair| {
        let [name, value] = pair else { return None };
        let argument = list.iter().find(|argument| option_names(argument).contains(name))?;
        let is_option = match is_secret(argument.name) {
            true => is_known_option(entry, value),
            false => looks_like_option(entry, value),
        };
        if !allows_dash(argument) || !is_option {
            return None;
        }
        // A rejected value can be an option with a secret.
        if has_secret_option(arguments) {
            let help = format!("help: pass a value that begins with a dash as {name}=VALUE");
            return Some(format!("{name} requires a value\n  {help}"));
        }
        let quote = if value.contains(char::is_whitespace) { "'" } else { "" };
        Some(format!(
            "{name} requires a value, but {value:?} looks like an option\n  help: pass it as \
             {quote}{name}={value}{quote} if it is the value"
        ))
    })
}

/// Returns the name of an option in an argument of the command line, without its value.
fn option_part(argument: &str) -> &str {
    argument.split_once('=').map_or(argument, |(name, _)| name)
}

/// Returns whether an argument is an option of the command, or a global option.
fn is_known_option(entry: &RegisteredCommand, argument: &str) -> bool {
    let name = option_part(argument);
    let own = (entry.arguments)().iter().any(|argument| option_names(argument).iter().any(|one| one == name));
    let is_of_batches = entry.batch_argument().is_some() && batches::NAMES.contains(&name);
    own || is_of_batches
        || ["-h", "--help", "--all"].contains(&name)
        || global_option_names().any(|one| one == name)
}

/// Returns whether an argument is a known option, or has the form of one.
fn looks_like_option(entry: &RegisteredCommand, argument: &str) -> bool {
    let has_form = option_part(argument).strip_prefix("--").is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    });
    has_form || is_known_option(entry, argument)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn check(line: &[&str]) -> Option<String> {
        let arguments: Vec<String> = line.iter().map(|argument| (*argument).to_owned()).collect();
        missing_value(&arguments)
    }

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

    #[test]
    fn missing_value_of_every_text_option_is_found() {
        for entry in sentinelone::commands::registry() {
            let list = (entry.arguments)();
            let own = list.first().map(option_names).unwrap_or_default();
            for argument in list.iter().filter(|argument| allows_dash(argument)) {
                let names = option_names(argument);
                let name = names[0].as_str();
                for value in own.iter().chain(&names).map(String::as_str).chain(["--output", "--help"]) {
                    let line = [entry.info.name, name, value];
                    let message = check(&line).unwrap_or_else(|| panic!("{line:?}"));
                    assert!(message.starts_with(&format!("{name} requires a value")), "{message}");
                    assert_eq!(check(&[entry.info.name, &format!("{name}={value}")]), None);
                }
                for value in ["-Path C:\\x", "-5", "--", "- item", "--x y", "text", "-"] {
                    assert_eq!(check(&[entry.info.name, name, value]), None, "{name} {value}");
                }
            }
        }
    }

    #[test]
    fn missing_value_of_a_secret_is_not_shown() {
        let secret = ["fetch-file", "--password", "--Xy12"];
        assert_eq!(check(&secret), None, "a password can begin with dashes");
        let message = check(&["fetch-file", "--password", "--file-path=/etc/secret"]).unwrap();
        assert!(!message.contains("secret"), "{message}");
    }
}
