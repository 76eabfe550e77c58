//! Arguments of a command as names and strings.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::argument::{Argument, ArgumentKind, ID_PUNCTUATION, is_possible_id};
use super::argument_error::ArgumentError;
use crate::runtime::{Timestamp, parse_timestamp};

/// Arguments of a command as names and strings.
///
/// Names may have hyphens or underscores. An empty argument is an error and does not count as missing, because an
/// empty variable must not widen a filter. A platform that passes all arguments has to omit the empty ones.
#[derive(Clone)]
pub struct Arguments {
    command: &'static str,
    values: BTreeMap<String, Vec<String>>,
    now: Timestamp,
}

/// Prints the names only, because values may be passwords.
impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.values.keys().collect();
        f.debug_struct("Arguments").field("command", &self.command).field("names", &names).finish()
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self::new()
    }
}

impl Arguments {
    /// Creates an empty set of arguments. Relative times are relative to the current time.
    pub fn new() -> Self {
        Self { command: "", values: BTreeMap::new(), now: Timestamp::now() }
    }

    /// Sets the base of relative times.
    #[must_use]
    pub fn relative_to(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Sets an argument and replaces its previous values.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets an argument and replaces its previous values.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.replace('-', "_"), vec![value.into()]);
    }

    /// Creates the arguments from a JSON object, as `CommandInfo::arguments_schema` of the command describes it. Members
    /// that are null are omitted; a number or a boolean is the same as its text, and an array is a list.
    ///
    /// # Errors
    /// Returns an error if two members have the same name except for hyphens and underscores.
    pub fn from_json(members: &Map<String, Value>) -> Result<Self, ArgumentError> {
        let mut arguments = Self::new();
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            if arguments.values.contains_key(&name.replace('-', "_")) {
                return Err(arguments.error(name, "is set twice, with a hyphen and with an underscore"));
            }
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            arguments.set(name, text);
        }
        Ok(arguments)
    }

    /// Adds a value to an argument. Values of a list are appended; other arguments accept one value only.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.values.entry(name.replace('-', "_")).or_default().push(value.into());
    }

    /// Sets the name of the command, which errors have.
    pub(super) fn of_command(mut self, command: &'static str) -> Self {
        self.command = command;
        self
    }

    /// Rejects names that are not those of an argument.
    pub(super) fn check_names(&self, known: &[Argument]) -> Result<(), ArgumentError> {
        match self.values.keys().find(|name| !known.iter().any(|argument| argument.name == **name)) {
            Some(name) => Err(self.error(name, "is not an argument of this command")),
            None => Ok(()),
        }
    }

    /// Rejects values that cannot be IDs, such as `@file`, `-`, or two IDs separated by a space.
    pub(super) fn check_ids(&self, known: &[Argument]) -> Result<(), ArgumentError> {
        for argument in known.iter().filter(|argument| argument.is_id()) {
            // A query ID can be Base64, which has slashes.
            let is_query = argument.name.starts_with("query");
            for value in self.values.get(argument.name).into_iter().flatten() {
                // The parser of the command reports an empty value, and a list that cannot be split.
                let ids = match argument.kind {
                    ArgumentKind::List => self.split_items(argument.name, value).unwrap_or_default(),
                    _ => vec![value.trim().to_owned()],
                };
                let is_id =
                    |id: &str| is_possible_id(id) || (is_query && is_possible_id(&id.replace('/', "")));
                if let Some(id) = ids.iter().find(|id| !id.is_empty() && !is_id(id)) {
                    let message = format!(
                        "is {id:?}, which is not an ID; expected letters, digits and the characters {ID_PUNCTUATION}"
                    );
                    return Err(self.error(argument.name, message));
                }
            }
        }
        Ok(())
    }

    pub(super) fn error(&self, name: &str, message: impl Into<String>) -> ArgumentError {
        ArgumentError::new(self.command, name, message)
    }

    /// Returns the value of an argument, if it is set.
    pub(crate) fn string(&mut self, name: &str) -> Result<Option<String>, ArgumentError> {
        let mut values = self.take_values(name)?;
        if values.len() > 1 {
            return Err(self.error(name, "is set more than once"));
        }
        Ok(values.pop())
    }

    fn take_values(&mut self, name: &str) -> Result<Vec<String>, ArgumentError> {
        let values = self.values.remove(name).unwrap_or_default();
        if values.iter().any(|value| value.trim().is_empty()) {
            return Err(self.error(name, "is empty; omit it or set a value"));
        }
        Ok(values)
    }

    /// Returns the value of an argument without spaces around it, if it is set.
    pub(crate) fn trimmed(&mut self, name: &str) -> Result<Option<String>, ArgumentError> {
        Ok(self.string(name)?.map(|text| text.trim().to_owned()))
    }

    /// Returns the value of a required argument.
    pub(crate) fn require<T>(&self, name: &str, value: Option<T>) -> Result<T, ArgumentError> {
        value.ok_or_else(|| self.error(name, "is missing"))
    }

    /// Returns the value of a required argument that accepts these values.
    pub(crate) fn require_choice<T>(
        &self,
        name: &str,
        value: Option<T>,
        values: &[&str],
    ) -> Result<T, ArgumentError> {
        let missing = || self.error(name, format!("is missing; expected one of {}", values.join(", ")));
        value.ok_or_else(missing)
    }

    /// Returns the items of a required list.
    pub(crate) fn require_items<T>(
        &self,
        name: &str,
        value: Option<Vec<T>>,
    ) -> Result<Vec<T>, ArgumentError> {
        value.ok_or_else(|| self.error(name, "is missing; expected at least one value"))
    }

    /// Returns the items of a list, if it is set.
    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, ArgumentError> {
        let values = self.take_values(name)?;
        if values.is_empty() {
            return Ok(None);
        }
        let mut items = Vec::new();
        for value in values {
            items.extend(self.split_items(name, &value)?);
        }
        Ok(Some(items))
    }

    fn split_items(&self, name: &str, value: &str) -> Result<Vec<String>, ArgumentError> {
        let items: Vec<String> = if value.trim_start().starts_with('[') {
            let Ok(items) = serde_json::from_str::<Vec<Value>>(value) else {
                return Err(self.error(name, "starts with [ but is not a JSON array"));
            };
            let strings = items.iter().map(|item| match item {
                Value::String(text) => Some(text.trim().to_owned()),
                Value::Number(number) if !number.is_f64() => Some(number.to_string()),
                _ => None,
            });
            let Some(strings) = strings.collect() else {
                return Err(self.error(name, "is a JSON array with members that are not strings"));
            };
            strings
        } else {
            value.split(',').map(|item| item.trim().to_owned()).collect()
        };
        // An empty variable of a script leaves an empty item, whose intended value is unknown.
        if items.is_empty() || items.iter().any(String::is_empty) {
            let message = format!("has an empty item in {value:?}; remove the comma or add a value");
            return Err(self.error(name, message));
        }
        Ok(items)
    }

    /// Parses an enum value.
    pub(crate) fn choice<E: From<String>>(
        &mut self,
        name: &str,
        values: Choices<'_>,
    ) -> Result<Option<E>, ArgumentError> {
        let Some(text) = self.trimmed(name)? else { return Ok(None) };
        self.chosen(name, text, values).map(Some)
    }

    /// Parses a list of enum values.
    pub(crate) fn choices<E: From<String>>(
        &mut self,
        name: &str,
        values: Choices<'_>,
    ) -> Result<Option<Vec<E>>, ArgumentError> {
        let Some(texts) = self.list(name)? else { return Ok(None) };
        texts.into_iter().map(|text| self.chosen(name, text, values)).collect::<Result<_, _>>().map(Some)
    }

    fn chosen<E: From<String>>(
        &self,
        name: &str,
        text: String,
        values: Choices<'_>,
    ) -> Result<E, ArgumentError> {
        let Choices { values, ignore_case } = values;
        let is_same = |value: &&&str| **value == text || (ignore_case && value.eq_ignore_ascii_case(&text));
        let text = values.iter().find(is_same).map_or(text, |value| (*value).to_owned());
        self.check_value(name, &text, values)?;
        Ok(E::from(text))
    }

    /// Rejects a value that is not one of `values`, unless they are empty.
    pub(super) fn check_value(&self, name: &str, text: &str, values: &[&str]) -> Result<(), ArgumentError> {
        if values.is_empty() || values.contains(&text) {
            return Ok(());
        }
        let message = format!("is {text:?}; expected one of {}", values.join(", "));
        Err(self.error(name, message).with_values(text, values))
    }

    /// Parses a boolean.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Ok(Some(true)),
            "false" | "no" => Ok(Some(false)),
            _ => Err(self.error(name, format!("is {text:?}; expected true or false"))),
        }
    }

    /// Parses an integer.
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let number =
            text.trim().parse().map_err(|_| self.error(name, format!("is {text:?}; expected an integer")))?;
        Ok(Some(number))
    }

    /// Parses a positive integer.
    fn count(&mut self, name: &str) -> Result<Option<u64>, ArgumentError> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        match u64::try_from(number) {
            Ok(count) if count > 0 => Ok(Some(count)),
            _ => Err(self.error(name, format!("is {number}; expected a number of at least 1"))),
        }
    }

    /// Parses the argument `limit`: a positive integer, or `all`, which becomes `u64::MAX`.
    pub(crate) fn limit(&mut self) -> Result<Option<u64>, ArgumentError> {
        let all = |text: &String| text.trim().eq_ignore_ascii_case("all");
        if self.values.get("limit").is_some_and(|values| values.len() == 1 && values.iter().all(all)) {
            self.values.remove("limit");
            return Ok(Some(u64::MAX));
        }
        self.count("limit")
    }

    /// Parses an absolute or relative time.
    pub(crate) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let time = parse_timestamp(&text, &self.now)
            .map_err(|error| self.error(name, format!("is invalid: {error}")))?;
        Ok(Some(time))
    }

    /// Parses a time in the future.
    pub(crate) fn future_time(&mut self, name: &str) -> Result<Option<Timestamp>, ArgumentError> {
        let Some(time) = self.time(name)? else { return Ok(None) };
        if time.unix_millis() <= self.now.unix_millis() {
            let message =
                format!("is {time}, which is in the past; use an absolute time such as 2027-01-31T12:00:00Z");
            return Err(self.error(name, message));
        }
        Ok(Some(time))
    }

    /// Parses an inclusive range of times: epoch milliseconds joined by a hyphen, or two times separated by a comma or
    /// by ` - `.
    pub(crate) fn time_range(&mut self, name: &str) -> Result<Option<(Timestamp, Timestamp)>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let milliseconds = text.trim().split_once('-').map(|(from, to)| (from.trim(), to.trim()));
        let milliseconds = milliseconds.filter(|(from, to)| is_number(from) && is_number(to));
        let Some((from, to)) =
            milliseconds.or_else(|| text.split_once(',')).or_else(|| text.split_once(" - "))
        else {
            let message = format!(
                "is {text:?}; expected epoch milliseconds such as 1514978764288-1514978999999, or two times \
                 separated by a comma"
            );
            return Err(self.error(name, message));
        };
        let mut time = |text: &str| {
            self.set(name, text);
            self.time(name)
        };
        Ok(time(from)?.zip(time(to)?))
    }

    /// Parses a number of seconds, at least 1.
    pub(crate) fn seconds(&mut self, name: &str) -> Result<Option<Duration>, ArgumentError> {
        Ok(self.count(name)?.map(Duration::from_secs))
    }

    /// Returns a path, if it is set.
    pub(crate) fn path(&mut self, name: &str) -> Result<Option<PathBuf>, ArgumentError> {
        Ok(self.string(name)?.map(PathBuf::from))
    }

    /// Returns a secret, if it is set.
    pub(crate) fn secret(&mut self, name: &str) -> Result<Option<SecretString>, ArgumentError> {
        Ok(self.string(name)?.map(SecretString::from))
    }

    /// Parses a JSON object.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let message = |problem: &str| format!("{problem}; expected a JSON object");
        match serde_json::from_str(&text) {
            Ok(Value::Object(object)) => Ok(Some(object)),
            Ok(_) => Err(self.error(name, message("is invalid"))),
            Err(error) => Err(self.error(name, message(&format!("is invalid: {error}")))),
        }
    }
}

/// The allowed values of an argument; any value if they are empty.
#[derive(Clone, Copy)]
pub(crate) struct Choices<'a> {
    /// The values.
    pub(crate) values: &'a [&'a str],
    /// Whether upper and lower case are the same.
    pub(crate) ignore_case: bool,
}
