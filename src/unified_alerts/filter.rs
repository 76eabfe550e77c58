//! Filters of unified alerts.

use std::marker::PhantomData;

use sentinelone_raw::runtime::{OpenEnum, Timestamp};
use sentinelone_raw::unified_alerts::{
    AndFilterSelectionInput, EqualFilterBooleanInput, EqualFilterLongInput, EqualFilterStringInput,
    FilterInput, FullTextOperator, FulltextFilterInput, InFilterLongInput, InFilterStringInput,
    OrFilterSelectionInput, RangeFilterLongInput,
};

use crate::error::{Error, ErrorKind};

/// A filter that the client does not send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlertFilterError {
    /// The filter has no condition, or a group without one, so it would select all alerts.
    #[error(
        "the filter has no condition, or a group without one, and selects all alerts; expected a condition"
    )]
    SelectsEverything,
    /// The operation accepts one group of conditions.
    #[error("the filter has several groups; expected one")]
    SeveralGroups,
    /// A condition has no value.
    #[error("the condition on {0} has no value; expected at least 1")]
    NoValue(&'static str),
    /// The value of a condition is not one of its enum. The console finds nothing for it and reports no error.
    #[error("{value:?} is not a value of {field}; expected one of {expected}")]
    UnknownValue {
        /// The field.
        field: &'static str,
        /// The value.
        value: String,
        /// The values of the enum.
        expected: String,
    },
    /// A time of a condition is not valid.
    #[error("{value:?} of {field} is not a time; expected RFC 3339, such as 2026-11-20T10:00:00Z")]
    InvalidTime {
        /// The field.
        field: &'static str,
        /// The time.
        value: String,
    },
}

impl From<AlertFilterError> for Error {
    fn from(error: AlertFilterError) -> Self {
        let help = match &error {
            AlertFilterError::SelectsEverything => {
                "add a condition, or allow the action on all alerts with everything_in_scope"
            }
            _ => "correct the condition",
        };
        Self::caused(ErrorKind::InvalidRequest, error, Some(help.to_owned()))
    }
}

/// Alerts that match all conditions of at least one group.
///
/// ```
/// use sentinelone::unified_alerts::{AlertFilter, Severity, Status, fields};
///
/// let filter = AlertFilter::all([
///     fields::STATUS.is_in([Status::New, Status::InProgress]),
///     fields::SEVERITY.is(Severity::Critical),
///     fields::CREATED_AT.from("2026-11-20T00:00:00Z"),
/// ]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertFilter {
    groups: Vec<Vec<AlertCondition>>,
}

impl AlertFilter {
    /// Returns the filter of the alerts that match all conditions.
    pub fn all(conditions: impl IntoIterator<Item = AlertCondition>) -> Self {
        Self { groups: vec![conditions.into_iter().collect()] }
    }

    /// Returns the filter of alerts by their IDs.
    pub fn ids<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self::all([TextField::new("id").is_in(ids)])
    }

    /// Adds the alerts that match all of these conditions.
    pub fn or(mut self, conditions: impl IntoIterator<Item = AlertCondition>) -> Self {
        self.groups.push(conditions.into_iter().collect());
        self
    }

    /// Returns the conditions of a filter with one group; `None` with several groups.
    pub(super) fn conditions(&self) -> Result<Option<Vec<FilterInput>>, AlertFilterError> {
        match self.groups.as_slice() {
            [group] if !group.is_empty() => inputs(group).map(Some),
            [] | [_] => Err(AlertFilterError::SelectsEverything),
            _ => Ok(None),
        }
    }

    /// Returns the groups.
    pub(super) fn selection(&self) -> Result<OrFilterSelectionInput, AlertFilterError> {
        if self.groups.is_empty() || self.groups.iter().any(Vec::is_empty) {
            return Err(AlertFilterError::SelectsEverything);
        }
        let group = |conditions: &Vec<AlertCondition>| {
            Ok(AndFilterSelectionInput::default().and(inputs(conditions)?))
        };
        let groups: Vec<AndFilterSelectionInput> = self.groups.iter().map(group).collect::<Result<_, _>>()?;
        Ok(OrFilterSelectionInput::default().or(groups))
    }
}

fn inputs(conditions: &[AlertCondition]) -> Result<Vec<FilterInput>, AlertFilterError> {
    conditions.iter().map(|condition| condition.0.clone()).collect()
}

/// A condition on a field of an alert; from the constants of [`fields`](super::fields).
#[derive(Clone, Debug, PartialEq)]
pub struct AlertCondition(Result<FilterInput, AlertFilterError>);

impl AlertCondition {
    /// Returns the opposite condition.
    pub fn negated(self) -> Self {
        Self(self.0.map(|input| {
            let is_negated = input.is_negated == Some(true);
            input.is_negated(!is_negated)
        }))
    }
}

/// Returns texts; an empty list is an error.
fn texts<I: Into<String>>(
    field: &'static str,
    values: impl IntoIterator<Item = I>,
) -> Result<Vec<String>, AlertFilterError> {
    let values: Vec<String> = values.into_iter().map(Into::into).collect();
    if values.is_empty() { Err(AlertFilterError::NoValue(field)) } else { Ok(values) }
}

fn one_of(field: &'static str, values: Result<Vec<String>, AlertFilterError>) -> AlertCondition {
    let input = |values| FilterInput::new(field).string_in(InFilterStringInput::default().values(values));
    AlertCondition(values.map(input))
}

fn equal(field: &'static str, value: Result<String, AlertFilterError>) -> AlertCondition {
    let input =
        |value: String| FilterInput::new(field).string_equal(EqualFilterStringInput::default().value(value));
    AlertCondition(value.map(input))
}

macro_rules! field {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(&'static str);

        impl $name {
            pub(super) const fn new(id: &'static str) -> Self {
                Self(id)
            }

            /// Returns the field ID.
            pub const fn id(self) -> &'static str {
                self.0
            }
        }
    };
}

field! {
    /// A field with a text.
    TextField
}

impl TextField {
    /// Selects a value.
    pub fn is(self, value: impl Into<String>) -> AlertCondition {
        equal(self.0, Ok(value.into()))
    }

    /// Selects any of the values.
    pub fn is_in<I: Into<String>>(self, values: impl IntoIterator<Item = I>) -> AlertCondition {
        one_of(self.0, texts(self.0, values))
    }

    /// Selects alerts without a value.
    pub fn is_missing(self) -> AlertCondition {
        AlertCondition(Ok(FilterInput::new(self.0).string_equal(EqualFilterStringInput::default())))
    }

    /// Selects values that contain any of the texts.
    pub fn contains<I: Into<String>>(self, values: impl IntoIterator<Item = I>) -> AlertCondition {
        self.matches(FullTextOperator::Contains, values)
    }

    /// Selects values that start with any of the texts.
    pub fn starts_with<I: Into<String>>(self, values: impl IntoIterator<Item = I>) -> AlertCondition {
        self.matches(FullTextOperator::StartsWith, values)
    }

    /// Selects values that end with any of the texts.
    pub fn ends_with<I: Into<String>>(self, values: impl IntoIterator<Item = I>) -> AlertCondition {
        self.matches(FullTextOperator::EndsWith, values)
    }

    fn matches<I: Into<String>>(
        self,
        operator: FullTextOperator,
        values: impl IntoIterator<Item = I>,
    ) -> AlertCondition {
        let input = |values| {
            let comparator = FulltextFilterInput::default().operator(operator).values(values);
            FilterInput::new(self.0).match_(comparator)
        };
        AlertCondition(texts(self.0, values).map(input))
    }
}

field! {
    /// A field with a text of a list that the console has. Other values find nothing.
    ListedField
}

impl ListedField {
    /// Selects a value.
    pub fn is(self, value: impl Into<String>) -> AlertCondition {
        equal(self.0, Ok(value.into()))
    }

    /// Selects any of the values.
    pub fn is_in<I: Into<String>>(self, values: impl IntoIterator<Item = I>) -> AlertCondition {
        one_of(self.0, texts(self.0, values))
    }
}

/// A field with a value of an enum. A value that the enum does not have is rejected, because the console finds nothing
/// for it and reports no error.
#[derive(Debug)]
pub struct EnumField<T>(&'static str, PhantomData<fn() -> T>);

impl<T: OpenEnum> EnumField<T> {
    pub(super) const fn new(id: &'static str) -> Self {
        Self(id, PhantomData)
    }

    /// Returns the field ID.
    pub const fn id(&self) -> &'static str {
        self.0
    }

    /// Selects a value.
    pub fn is(&self, value: T) -> AlertCondition {
        equal(self.0, self.known(&value))
    }

    /// Selects any of the values.
    pub fn is_in(&self, values: impl IntoIterator<Item = T>) -> AlertCondition {
        let values: Result<Vec<String>, _> = values.into_iter().map(|value| self.known(&value)).collect();
        one_of(self.0, values.and_then(|values| texts(self.0, values)))
    }

    fn known(&self, value: &T) -> Result<String, AlertFilterError> {
        match value.is_known() {
            true => Ok(value.as_str().to_owned()),
            false => Err(AlertFilterError::UnknownValue {
                field: self.0,
                value: value.as_str().to_owned(),
                expected: T::VALUES.join(", "),
            }),
        }
    }
}

field! {
    /// A field with a time.
    TimeField
}

impl TimeField {
    /// Selects times from `start` on.
    pub fn from(self, start: impl Into<Timestamp>) -> AlertCondition {
        self.range(|range| Ok(range.start(self.millis(&start.into())?)))
    }

    /// Selects times after `start`.
    pub fn after(self, start: impl Into<Timestamp>) -> AlertCondition {
        self.range(|range| Ok(range.start(self.millis(&start.into())?).start_inclusive(false)))
    }

    /// Selects times before `end`.
    pub fn before(self, end: impl Into<Timestamp>) -> AlertCondition {
        self.range(|range| Ok(range.end(self.millis(&end.into())?).end_inclusive(false)))
    }

    /// Selects times from `start` on, and before `end`.
    pub fn between(self, start: impl Into<Timestamp>, end: impl Into<Timestamp>) -> AlertCondition {
        let (start, end) = (start.into(), end.into());
        self.range(|range| Ok(range.start(self.millis(&start)?).end(self.millis(&end)?).end_inclusive(false)))
    }

    fn millis(self, time: &Timestamp) -> Result<i64, AlertFilterError> {
        let invalid = || AlertFilterError::InvalidTime { field: self.0, value: time.to_string() };
        time.unix_millis().ok_or_else(invalid)
    }

    fn range(
        self,
        build: impl FnOnce(RangeFilterLongInput) -> Result<RangeFilterLongInput, AlertFilterError>,
    ) -> AlertCondition {
        let range = build(RangeFilterLongInput::default());
        AlertCondition(range.map(|range| FilterInput::new(self.0).date_time_range(range)))
    }
}

field! {
    /// A field that is true or false.
    BooleanField
}

impl BooleanField {
    /// Selects a value.
    pub fn is(self, value: bool) -> AlertCondition {
        let comparator = EqualFilterBooleanInput::default().value(value);
        AlertCondition(Ok(FilterInput::new(self.0).boolean_equal(comparator)))
    }
}

field! {
    /// A field with a number.
    NumberField
}

impl NumberField {
    /// Selects a number.
    pub fn is(self, value: i64) -> AlertCondition {
        let comparator = EqualFilterLongInput::default().value(value);
        AlertCondition(Ok(FilterInput::new(self.0).long_equal(comparator)))
    }

    /// Selects any of the numbers.
    pub fn is_in(self, values: impl IntoIterator<Item = i64>) -> AlertCondition {
        let values: Vec<i64> = values.into_iter().collect();
        AlertCondition(match values.is_empty() {
            true => Err(AlertFilterError::NoValue(self.0)),
            false => Ok(FilterInput::new(self.0).long_in(InFilterLongInput::default().values(values))),
        })
    }
}
