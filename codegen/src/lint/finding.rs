//! A violation of a lint rule.

use std::fmt;

/// A violation of a lint rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Operation, schema or file.
    pub location: String,
    /// The violation, with the remedy if it is not obvious.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}
