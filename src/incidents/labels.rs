//! The words of the platform for verdicts and statuses, and those of the API.
//!
//! ```
//! use sentinelone::incidents::labels;
//! use sentinelone::threats::AnalystVerdict;
//!
//! assert_eq!(labels::verdict("true positive"), Some(AnalystVerdict::TruePositive));
//! assert_eq!(labels::label_of_verdict(&AnalystVerdict::TruePositive), Some("True positive"));
//! assert_eq!(labels::verdict("benign"), None);
//! ```

use sentinelone_raw::runtime::OpenEnum;
use sentinelone_raw::threats::{AnalystVerdict, IncidentStatus};

/// Each label with the value of the API.
type Table = &'static [(&'static str, &'static str)];

const VERDICTS: Table = &[
    ("True positive", "true_positive"),
    ("Suspicious", "suspicious"),
    ("False positive", "false_positive"),
    ("Undefined", "undefined"),
];

const STATUSES: Table =
    &[("Unresolved", "unresolved"), ("In progress", "in_progress"), ("Resolved", "resolved")];

/// The verdict of a label; upper and lower case are the same, and blanks around it do not count. `None` for what is
/// no label of a verdict.
pub fn verdict(label: &str) -> Option<AnalystVerdict> {
    value(VERDICTS, label)
}

/// The incident status of a label, likewise.
pub fn status(label: &str) -> Option<IncidentStatus> {
    value(STATUSES, label)
}

/// The label of a verdict, as the platform's field has it. `None` for a verdict that this version does not know.
pub fn label_of_verdict(verdict: &AnalystVerdict) -> Option<&'static str> {
    label_of(VERDICTS, verdict)
}

/// The label of an incident status, likewise.
pub fn label_of_status(status: &IncidentStatus) -> Option<&'static str> {
    label_of(STATUSES, status)
}

/// The labels of all verdicts.
pub fn verdicts() -> impl Iterator<Item = &'static str> {
    VERDICTS.iter().map(|(label, _)| *label)
}

/// The labels of all incident statuses.
pub fn statuses() -> impl Iterator<Item = &'static str> {
    STATUSES.iter().map(|(label, _)| *label)
}

fn value<T: OpenEnum>(table: Table, label: &str) -> Option<T> {
    let found = table.iter().find(|(one, _)| one.eq_ignore_ascii_case(label.trim()));
    found.map(|(_, value)| T::from((*value).to_owned()))
}

fn label_of<T: OpenEnum>(table: Table, value: &T) -> Option<&'static str> {
    table.iter().find(|(_, one)| *one == value.as_str()).map(|(label, _)| *label)
}
