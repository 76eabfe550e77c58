//! Labels of the platform for analyst verdicts and incident statuses, and the values of the API.
//!
//! ```
//! use sentinelone::incidents::labels;
//! use sentinelone::threats::AnalystVerdict;
//!
//! assert_eq!(labels::parse_verdict("true positive"), Some(AnalystVerdict::TruePositive));
//! assert_eq!(labels::label_of_verdict(&AnalystVerdict::TruePositive), Some("True positive"));
//! assert_eq!(labels::parse_verdict("benign"), None);
//! ```

use sentinelone_raw::runtime::OpenEnum;
use sentinelone_raw::threats::{AnalystVerdict, IncidentStatus};

/// Labels with the values of the API.
type Table = &'static [(&'static str, &'static str)];

const VERDICTS: Table = &[
    ("True positive", "true_positive"),
    ("Suspicious", "suspicious"),
    ("False positive", "false_positive"),
    ("Undefined", "undefined"),
];

const STATUSES: Table =
    &[("Unresolved", "unresolved"), ("In progress", "in_progress"), ("Resolved", "resolved")];

/// Returns the analyst verdict of a label, or `None` for an unknown label. Case and surrounding whitespace are
/// ignored.
pub fn parse_verdict(label: &str) -> Option<AnalystVerdict> {
    value(VERDICTS, label)
}

/// Returns the incident status of a label, or `None` for an unknown label. Case and surrounding whitespace are
/// ignored.
pub fn parse_status(label: &str) -> Option<IncidentStatus> {
    value(STATUSES, label)
}

/// Returns the label of an analyst verdict on the platform, or `None` for an unknown verdict.
pub fn label_of_verdict(verdict: &AnalystVerdict) -> Option<&'static str> {
    label_of(VERDICTS, verdict)
}

/// Returns the label of an incident status on the platform, or `None` for an unknown status.
pub fn label_of_status(status: &IncidentStatus) -> Option<&'static str> {
    label_of(STATUSES, status)
}

/// Returns the labels of all analyst verdicts.
pub fn verdict_labels() -> impl Iterator<Item = &'static str> {
    VERDICTS.iter().map(|(label, _)| *label)
}

/// Returns the labels of all incident statuses.
pub fn status_labels() -> impl Iterator<Item = &'static str> {
    STATUSES.iter().map(|(label, _)| *label)
}

fn value<T: OpenEnum>(table: Table, label: &str) -> Option<T> {
    let found = table.iter().find(|(other, _)| other.eq_ignore_ascii_case(label.trim()));
    found.map(|(_, value)| T::from((*value).to_owned()))
}

fn label_of<T: OpenEnum>(table: Table, value: &T) -> Option<&'static str> {
    table.iter().find(|(_, wire)| *wire == value.as_str()).map(|(label, _)| *label)
}
