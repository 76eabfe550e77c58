//! Arguments of commands: names and texts.

use std::collections::BTreeMap;
use std::fmt;

use sentinelone_raw::runtime::{Field, FieldKind, OpenEnum, Timestamp};
use serde_json::Value;

use crate::time::point_in_time;

/// An argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// Name, such as `threat_ids`.
    pub name: &'static str,
    /// What texts look like.
    pub kind: ArgumentKind,
    /// Whether the command cannot do without.
    pub required: bool,
    /// What holds when it is not given.
    pub default: Option<&'static str>,
    /// The values that are taken; empty where any text goes.
    pub values: Vec<&'static str>,
    /// Meaning.
    pub doc: &'static str,
    /// A limit: whether `all` is taken too. The list behind it is then read to its last page.
    pub or_all: bool,
}

/// What the text of an argument looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArgumentKind {
    /// Any text.
    Text,
    /// Several, separated by commas, or a JSON array of texts.
    List,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A point in time; see [`point_in_time`].
    Time,
}

impl ArgumentKind {
    /// `text`, `list`, `boolean`, `integer` or `time`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::List => "list",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Time => "time",
        }
    }
}

impl Argument {
    pub(super) const fn new(name: &'static str, kind: ArgumentKind, doc: &'static str) -> Self {
        Self { name, kind, required: false, default: None, values: Vec::new(), doc, or_all: false }
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(super) const fn or_all(mut self) -> Self {
        self.or_all = true;
        self
    }

    pub(super) fn values(mut self, values: &[&'static str]) -> Self {
        self.values = values.to_vec();
        self
    }

    /// The argument that fills a field of a request.
    pub(super) fn of_field(field: &Field) -> Self {
        let kind = match field.kind {
            FieldKind::List => ArgumentKind::List,
            FieldKind::Boolean => ArgumentKind::Boolean,
            FieldKind::Integer => ArgumentKind::Integer,
            FieldKind::Timestamp => ArgumentKind::Time,
            _ => ArgumentKind::Text,
        };
        Self::new(field.rust_name, kind, field.doc).values(field.known)
    }
}

/// An argument that is missing, unknown, or does not fit. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ArgumentError {
    command: &'static str,
    argument: Option<String>,
    message: String,
    choice: Option<Choice>,
}

/// What was given, and what could have been.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    given: String,
    values: Vec<String>,
}

impl std::fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.argument {
            Some(argument) => write!(f, "{}: {argument} {}", self.command, self.message),
            None => write!(f, "{} {}", self.command, self.message),
        }
    }
}

impl ArgumentError {
    pub(super) fn new(command: &'static str, argument: &str, message: impl Into<String>) -> Self {
        Self { command, argument: Some(argument.to_owned()), message: message.into(), choice: None }
    }

    pub(super) fn of_command(command: &'static str, message: impl Into<String>) -> Self {
        Self { command, argument: None, message: message.into(), choice: None }
    }

    /// The same with what was given in place of one of the values.
    pub(super) fn choosing<'a>(mut self, given: &str, values: impl IntoIterator<Item = &'a &'a str>) -> Self {
        let values = values.into_iter().map(|value| (*value).to_owned()).collect();
        self.choice = Some(Choice { given: given.to_owned(), values });
        self
    }

    /// What was given where only certain values are taken, and those, for a suggestion.
    pub fn choice(&self) -> Option<(&str, &[String])> {
        self.choice.as_ref().map(|choice| (choice.given.as_str(), choice.values.as_slice()))
    }

    /// Name of the command.
    pub fn command(&self) -> &'static str {
        self.command
    }

    /// Name of the argument; `None` when the command itself cannot be run.
    pub fn argument(&self) -> Option<&str> {
        self.argument.as_deref()
    }
}

/// The arguments that a command is given: names and texts.
///
/// Names may be written with hyphens or underscores. An argument that is given without anything in it is an
/// error and does not count as left out: a variable that was empty must not make a filter wider. A platform
/// that passes every argument leaves the empty ones out itself.
#[derive(Clone)]
pub struct Arguments {
    command: &'static str,
    values: BTreeMap<String, Vec<String>>,
    now: Timestamp,
}

/// Texts may be passwords, so only the names are shown.
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
    /// No arguments. Relative times count back from now.
    pub fn new() -> Self {
        Self { command: "", values: BTreeMap::new(), now: Timestamp::now() }
    }

    /// Lets relative times count back from another moment.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Gives an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Gives an argument, in place of what was given before.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.replace('-', "_"), vec![value.into()]);
    }

    /// Gives an argument once more: the items of a list add up, anything else cannot be given twice.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.values.entry(name.replace('-', "_")).or_default().push(value.into());
    }

    pub(super) fn of_command(mut self, command: &'static str) -> Self {
        self.command = command;
        self
    }

    pub(super) fn check_names(&self, known: &[Argument]) -> Result<(), ArgumentError> {
        match self.values.keys().find(|name| !known.iter().any(|one| one.name == **name)) {
            Some(name) => Err(self.wrong(name, "is no argument of this command")),
            None => Ok(()),
        }
    }

    pub(super) fn wrong(&self, name: &str, message: impl Into<String>) -> ArgumentError {
        ArgumentError::new(self.command, name, message)
    }

    /// The text of an argument, if it is given.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, ArgumentError> {
        let mut texts = self.texts(name)?;
        if texts.len() > 1 {
            return Err(self.wrong(name, "is given more than once"));
        }
        Ok(texts.pop())
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>, ArgumentError> {
        let texts = self.values.remove(name).unwrap_or_default();
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(self.wrong(name, "is given without anything in it; leave it out or fill it"));
        }
        Ok(texts)
    }

    /// The text of an argument that has to be there.
    pub(super) fn required(&mut self, name: &str) -> Result<String, ArgumentError> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// The texts of a list, if it is given.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, ArgumentError> {
        let texts = self.texts(name)?;
        if texts.is_empty() {
            return Ok(None);
        }
        let mut items = Vec::new();
        for text in texts {
            items.extend(self.items(name, &text)?);
        }
        Ok(Some(items))
    }

    fn items(&self, name: &str, text: &str) -> Result<Vec<String>, ArgumentError> {
        let items: Vec<String> = if text.trim_start().starts_with('[') {
            let Ok(items) = serde_json::from_str::<Vec<Value>>(text) else {
                return Err(self.wrong(name, "starts like a JSON array, but is none"));
            };
            let texts = items.iter().map(|item| match item {
                Value::String(text) => Some(text.trim().to_owned()),
                Value::Number(number) if !number.is_f64() => Some(number.to_string()),
                _ => None,
            });
            let Some(texts) = texts.collect() else {
                return Err(self.wrong(name, "is a JSON array of other things than texts"));
            };
            texts
        } else {
            text.split(',').map(|item| item.trim().to_owned()).collect()
        };
        // A gap is where a script's variable was empty: what was meant cannot be told.
        if items.is_empty() || items.iter().any(String::is_empty) {
            let message = format!("has an empty item in {text:?}; remove the comma or fill the gap");
            return Err(self.wrong(name, message));
        }
        Ok(items)
    }

    /// The texts of a list that has to be there.
    pub(super) fn required_list(&mut self, name: &str) -> Result<Vec<String>, ArgumentError> {
        self.list(name)?.ok_or_else(|| self.wrong(name, "is missing; give at least one"))
    }

    /// One of the known values of an enum.
    pub(super) fn choice<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<Option<E>, ArgumentError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let text = text.trim().to_owned();
        self.one_of(name, &text, values)?;
        Ok(Some(E::from(text)))
    }

    /// One of the known values of an enum, which has to be there.
    pub(super) fn required_choice<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<E, ArgumentError> {
        let missing = self.wrong(name, format!("is missing; give one of {}", values.join(", ")));
        self.choice(name, values)?.ok_or(missing)
    }

    pub(super) fn one_of(&self, name: &str, text: &str, values: &[&str]) -> Result<(), ArgumentError> {
        if values.is_empty() || values.contains(&text) {
            return Ok(());
        }
        let message = format!("is {text:?}; give one of {}", values.join(", "));
        Err(self.wrong(name, message).choosing(text, values))
    }

    /// One of the known values of an enum, in capitals or not.
    pub(super) fn choice_of_any_case<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<Option<E>, ArgumentError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        self.value_of_any_case(name, text.trim(), values).map(Some)
    }

    /// One of the known values of an enum, in capitals or not, which has to be there.
    pub(super) fn required_choice_of_any_case<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<E, ArgumentError> {
        let missing = self.wrong(name, format!("is missing; give one of {}", values.join(", ")));
        self.choice_of_any_case(name, values)?.ok_or(missing)
    }

    /// Known values of an enum; none when they are not given.
    pub(super) fn choices<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<Vec<E>, ArgumentError> {
        let texts = self.list(name)?.unwrap_or_default();
        texts.iter().try_for_each(|text| self.one_of(name, text, values))?;
        Ok(texts.into_iter().map(E::from).collect())
    }

    /// Known values of an enum, in capitals or not; none when they are not given.
    pub(super) fn choices_of_any_case<E: OpenEnum>(
        &mut self,
        name: &str,
        values: &[&str],
    ) -> Result<Vec<E>, ArgumentError> {
        let texts = self.list(name)?.unwrap_or_default();
        texts.iter().map(|text| self.value_of_any_case(name, text, values)).collect()
    }

    fn value_of_any_case<E: OpenEnum>(
        &self,
        name: &str,
        text: &str,
        values: &[&str],
    ) -> Result<E, ArgumentError> {
        let known = values.iter().find(|known| known.eq_ignore_ascii_case(text)).unwrap_or(&text);
        self.one_of(name, known, values)?;
        Ok(E::from((*known).to_owned()))
    }

    /// A flag.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ArgumentError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Ok(Some(true)),
            "false" | "no" => Ok(Some(false)),
            _ => Err(self.wrong(name, format!("is {text:?}; give true or false"))),
        }
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, ArgumentError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number =
            text.trim().parse().map_err(|_| self.wrong(name, format!("is {text:?}; give a whole number")))?;
        Ok(Some(number))
    }

    /// A whole number from 1.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, ArgumentError> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        match u64::try_from(number) {
            Ok(count) if count > 0 => Ok(Some(count)),
            _ => Err(self.wrong(name, format!("is {number}; give a number from 1"))),
        }
    }

    /// How many things a list is to have: a number from 1, or `all`, which no list is longer than.
    pub(super) fn limit(&mut self) -> Result<Option<u64>, ArgumentError> {
        let all = |text: &String| text.trim().eq_ignore_ascii_case("all");
        if self.values.get("limit").is_some_and(|texts| texts.len() == 1 && texts.iter().all(all)) {
            self.values.remove("limit");
            return Ok(Some(u64::MAX));
        }
        self.count("limit")
    }

    /// A point in time, written out or relative.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, ArgumentError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let time = point_in_time(&text, &self.now)
            .map_err(|error| self.wrong(name, format!("is no point in time: {error}")))?;
        Ok(Some(time))
    }

    /// A point in time that is still to come.
    pub(super) fn time_to_come(&mut self, name: &str) -> Result<Option<Timestamp>, ArgumentError> {
        let Some(time) = self.time(name)? else { return Ok(None) };
        if time.unix_millis() <= self.now.unix_millis() {
            let message = format!(
                "is {time}, which is over; relative times count back, so write it as 2027-01-31T12:00:00Z"
            );
            return Err(self.wrong(name, message));
        }
        Ok(Some(time))
    }
}
