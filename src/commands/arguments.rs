//! Arguments of commands as names and strings.

use crate::error::{Error, ErrorKind};
use std::collections::BTreeMap;
use std::fmt;

use sentinelone_raw::runtime::{Field, FieldKind, OpenEnum, Timestamp};
use serde_json::Value;

use crate::time::parse_timestamp;

/// An argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// Name, such as `threat_ids`.
    pub name: &'static str,
    /// Kind of the value.
    pub kind: ArgumentKind,
    /// Whether the argument is required.
    pub required: bool,
    /// Default value; `None` if the argument has no default.
    pub default: Option<&'static str>,
    /// Allowed values; empty if any string is allowed.
    pub values: Vec<&'static str>,
    /// Description.
    pub doc: &'static str,
    /// Whether a limit also accepts `all`, which reads the list to its last page.
    pub accepts_all: bool,
}

/// Kind of the value of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArgumentKind {
    /// Any string.
    String,
    /// Strings separated by commas, or a JSON array of strings.
    List,
    /// `true` or `false`, or `yes` or `no`.
    Boolean,
    /// An integer.
    Integer,
    /// A time; see [`parse_timestamp`].
    Time,
}

impl ArgumentKind {
    /// Returns `string`, `list`, `boolean`, `integer` or `time`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Time => "time",
        }
    }
}

impl Argument {
    pub(super) const fn new(name: &'static str, kind: ArgumentKind, doc: &'static str) -> Self {
        Self { name, kind, required: false, default: None, values: Vec::new(), doc, accepts_all: false }
    }

    /// Returns whether the values are IDs of objects. A value that cannot be an ID, such as one with a space, is
    /// rejected before a request is sent.
    pub fn is_id(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let is_text = matches!(self.kind, ArgumentKind::String | ArgumentKind::List);
        let has_suffix = ["id", "ids", "uuids", "id_in"].into_iter().any(|suffix| {
            let rest = name.strip_suffix(suffix);
            // `queryId` and `ruleIds` have no underscore.
            rest.is_some_and(|rest| {
                rest.is_empty()
                    || rest.ends_with('_')
                    || self.name.ends_with("Id")
                    || self.name.ends_with("Ids")
            })
        });
        is_text && has_suffix && !name.starts_with("external")
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(super) const fn accepts_all(mut self) -> Self {
        self.accepts_all = true;
        self
    }

    pub(super) fn values(mut self, values: &[&'static str]) -> Self {
        self.values = values.to_vec();
        self
    }

    /// Returns the argument for a field of a request.
    pub(super) fn from_field(field: &Field) -> Self {
        let kind = match field.kind {
            FieldKind::List => ArgumentKind::List,
            FieldKind::Boolean => ArgumentKind::Boolean,
            FieldKind::Integer => ArgumentKind::Integer,
            FieldKind::Timestamp => ArgumentKind::Time,
            _ => ArgumentKind::String,
        };
        Self::new(field.rust_name, kind, field.doc).values(field.enum_values)
    }
}

/// The error for a missing, unknown or invalid argument. No request was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ArgumentError {
    command: &'static str,
    argument: Option<String>,
    message: String,
    invalid_value: Option<InvalidValue>,
}

/// An invalid value and the allowed values.
#[derive(Clone, Debug, PartialEq, Eq)]
struct InvalidValue {
    value: String,
    allowed: Vec<String>,
}

impl std::fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.argument {
            Some(argument) => write!(f, "{}: {argument} {}", self.command, self.message),
            None => write!(f, "{} {}", self.command, self.message),
        }
    }
}

/// The kind is [`InvalidRequest`](ErrorKind::InvalidRequest), and [`source`](std::error::Error::source) returns the
/// argument error.
impl From<ArgumentError> for Error {
    fn from(error: ArgumentError) -> Self {
        Self::caused(ErrorKind::InvalidRequest, error)
    }
}

/// Returns an argument error, for commands that validate while they build their requests.
pub(super) fn argument_error(command: &'static str, argument: &str, message: impl Into<String>) -> Error {
    ArgumentError::new(command, argument, message).into()
}

impl ArgumentError {
    pub(super) fn new(command: &'static str, argument: &str, message: impl Into<String>) -> Self {
        Self { command, argument: Some(argument.to_owned()), message: message.into(), invalid_value: None }
    }

    pub(super) fn for_command(command: &'static str, message: impl Into<String>) -> Self {
        Self { command, argument: None, message: message.into(), invalid_value: None }
    }

    /// Adds the invalid value and the allowed values.
    pub(super) fn with_values<'a>(
        mut self,
        value: &str,
        allowed: impl IntoIterator<Item = &'a &'a str>,
    ) -> Self {
        let allowed = allowed.into_iter().map(|value| (*value).to_owned()).collect();
        self.invalid_value = Some(InvalidValue { value: value.to_owned(), allowed });
        self
    }

    /// Returns the invalid value and the allowed values; `None` if the error does not concern an enum value.
    pub fn expected_values(&self) -> Option<(&str, &[String])> {
        self.invalid_value.as_ref().map(|invalid| (invalid.value.as_str(), invalid.allowed.as_slice()))
    }

    /// Returns the name of the command.
    pub fn command(&self) -> &'static str {
        self.command
    }

    /// Returns the name of the argument, or `None` if the command itself cannot run.
    pub fn argument(&self) -> Option<&str> {
        self.argument.as_deref()
    }
}

/// Characters of IDs other than letters and digits.
const ID_PUNCTUATION: &str = "- _ . : ~ + =";

/// Returns whether a text can be the ID of an object: ASCII letters, digits and the characters `-_.:~+=`, with at least
/// one letter or digit.
pub fn is_possible_id(text: &str) -> bool {
    let is_punctuation = |c: char| c != ' ' && ID_PUNCTUATION.contains(c);
    text.contains(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || is_punctuation(c))
}

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

    /// Adds a value to an argument. Values of a list are appended; other arguments accept one value only.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.values.entry(name.replace('-', "_")).or_default().push(value.into());
    }

    pub(super) fn with_command(mut self, command: &'static str) -> Self {
        self.command = command;
        self
    }

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
    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, ArgumentError> {
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

    /// Returns the value of a required argument.
    pub(super) fn required(&mut self, name: &str) -> Result<String, ArgumentError> {
        self.string(name)?.ok_or_else(|| self.error(name, "is missing"))
    }

    /// Returns the items of a list, if it is set.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, ArgumentError> {
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

    /// Returns the items of a required list.
    pub(super) fn required_list(&mut self, name: &str) -> Result<Vec<String>, ArgumentError> {
        self.list(name)?.ok_or_else(|| self.error(name, "is missing; expected at least one value"))
    }

    /// Parses an enum value.
    pub(super) fn choice<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<Option<E>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let text = text.trim().to_owned();
        self.check_value(name, &text, values)?;
        Ok(Some(E::from(text)))
    }

    /// Parses a required enum value.
    pub(super) fn required_choice<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<E, ArgumentError> {
        let missing = self.error(name, format!("is missing; expected one of {}", values.join(", ")));
        self.choice(name, values)?.ok_or(missing)
    }

    pub(super) fn check_value(&self, name: &str, text: &str, values: &[&str]) -> Result<(), ArgumentError> {
        if values.is_empty() || values.contains(&text) {
            return Ok(());
        }
        let message = format!("is {text:?}; expected one of {}", values.join(", "));
        Err(self.error(name, message).with_values(text, values))
    }

    /// Parses an enum value, ignoring case.
    pub(super) fn choice_ignore_case<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<Option<E>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        self.value_ignore_case(name, text.trim(), values).map(Some)
    }

    /// Parses a required enum value, ignoring case.
    pub(super) fn required_choice_ignore_case<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<E, ArgumentError> {
        let missing = self.error(name, format!("is missing; expected one of {}", values.join(", ")));
        self.choice_ignore_case(name, values)?.ok_or(missing)
    }

    /// Parses a list of enum values; empty if the argument is missing.
    pub(super) fn choices<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<Vec<E>, ArgumentError> {
        let texts = self.list(name)?.unwrap_or_default();
        texts.iter().try_for_each(|text| self.check_value(name, text, values))?;
        Ok(texts.into_iter().map(E::from).collect())
    }

    /// Parses a list of enum values, ignoring case; empty if the argument is missing.
    pub(super) fn choices_ignore_case<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<Vec<E>, ArgumentError> {
        let texts = self.list(name)?.unwrap_or_default();
        texts.iter().map(|text| self.value_ignore_case(name, text, values)).collect()
    }

    fn value_ignore_case<E: OpenEnum>(
        &self,
        name: &str,
        text: &str,
        values: &[&str],
    ) -> Result<E, ArgumentError> {
        let value = values.iter().find(|value| value.eq_ignore_ascii_case(text)).unwrap_or(&text);
        self.check_value(name, value, values)?;
        Ok(E::from((*value).to_owned()))
    }

    /// Parses a boolean.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Ok(Some(true)),
            "false" | "no" => Ok(Some(false)),
            _ => Err(self.error(name, format!("is {text:?}; expected true or false"))),
        }
    }

    /// Parses an integer.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let number =
            text.trim().parse().map_err(|_| self.error(name, format!("is {text:?}; expected an integer")))?;
        Ok(Some(number))
    }

    /// Parses a positive integer.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, ArgumentError> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        match u64::try_from(number) {
            Ok(count) if count > 0 => Ok(Some(count)),
            _ => Err(self.error(name, format!("is {number}; expected a number of at least 1"))),
        }
    }

    /// Parses the argument `limit`: a positive integer, or `all`, which becomes `u64::MAX`.
    pub(super) fn limit(&mut self) -> Result<Option<u64>, ArgumentError> {
        let all = |text: &String| text.trim().eq_ignore_ascii_case("all");
        if self.values.get("limit").is_some_and(|values| values.len() == 1 && values.iter().all(all)) {
            self.values.remove("limit");
            return Ok(Some(u64::MAX));
        }
        self.count("limit")
    }

    /// Parses an absolute or relative time.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, ArgumentError> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let time = parse_timestamp(&text, &self.now)
            .map_err(|error| self.error(name, format!("is invalid: {error}")))?;
        Ok(Some(time))
    }

    /// Parses a time in the future.
    pub(super) fn future_time(&mut self, name: &str) -> Result<Option<Timestamp>, ArgumentError> {
        let Some(time) = self.time(name)? else { return Ok(None) };
        if time.unix_millis() <= self.now.unix_millis() {
            let message =
                format!("is {time}, which is in the past; use an absolute time such as 2027-01-31T12:00:00Z");
            return Err(self.error(name, message));
        }
        Ok(Some(time))
    }
}
