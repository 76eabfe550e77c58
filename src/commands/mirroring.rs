//! What the commands of the mirroring have in common.

/// What an incident of the platform is that mirrors a threat.
pub(super) const INCIDENT_TYPE: &str = "SentinelOne Incident";

/// The verdicts: as the platform's field has them, and as the API does.
pub(super) const VERDICTS: &[(&str, &str)] = &[
    ("True positive", "true_positive"),
    ("Suspicious", "suspicious"),
    ("False positive", "false_positive"),
    ("Undefined", "undefined"),
];

/// The incident statuses.
pub(super) const STATUSES: &[(&str, &str)] =
    &[("Unresolved", "unresolved"), ("In progress", "in_progress"), ("Resolved", "resolved")];

/// The API's value of a label, in capitals or not.
pub(super) fn value(labels: &[(&'static str, &'static str)], label: &str) -> Option<&'static str> {
    labels.iter().find(|(one, _)| one.eq_ignore_ascii_case(label.trim())).map(|(_, value)| *value)
}

/// The label of one of the API's values.
pub(super) fn label(labels: &[(&'static str, &'static str)], value: &str) -> Option<&'static str> {
    labels.iter().find(|(_, one)| *one == value).map(|(label, _)| *label)
}
