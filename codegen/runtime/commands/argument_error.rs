//! Errors of arguments.

use std::fmt;

/// The error for a missing, unknown or invalid argument. No request was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl std::error::Error for ArgumentError {}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.argument {
            Some(argument) => write!(f, "{}: {argument} {}", self.command, self.message),
            None => write!(f, "{} {}", self.command, self.message),
        }
    }
}

impl ArgumentError {
    /// Creates the error of an argument. The message follows the name of the argument.
    pub fn new(command: &'static str, argument: &str, message: impl Into<String>) -> Self {
        Self { command, argument: Some(argument.to_owned()), message: message.into(), invalid_value: None }
    }

    /// Creates the error of a command that cannot run. The message follows the name of the command.
    pub fn for_command(command: &'static str, message: impl Into<String>) -> Self {
        Self { command, argument: None, message: message.into(), invalid_value: None }
    }

    /// Adds the invalid value and the allowed values.
    #[must_use]
    pub fn with_values<'a>(mut self, value: &str, allowed: impl IntoIterator<Item = &'a &'a str>) -> Self {
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
