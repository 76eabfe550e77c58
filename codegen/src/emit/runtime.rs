//! The support code of the generated modules: files and type names.

/// Runtime files that are copied into the generated crate: file name and source text.
pub(super) const RUNTIME_FILES: [(&str, &str); 15] = [
    ("mod.rs", include_str!("../../runtime/mod.rs")),
    ("response.rs", include_str!("../../runtime/response.rs")),
    ("field.rs", include_str!("../../runtime/field.rs")),
    ("field_validator.rs", include_str!("../../runtime/field_validator.rs")),
    ("json.rs", include_str!("../../runtime/json.rs")),
    ("lenient.rs", include_str!("../../runtime/lenient.rs")),
    ("object_reader.rs", include_str!("../../runtime/object_reader.rs")),
    ("open_enum.rs", include_str!("../../runtime/open_enum.rs")),
    ("operation.rs", include_str!("../../runtime/operation.rs")),
    ("parts.rs", include_str!("../../runtime/parts.rs")),
    ("raw_item.rs", include_str!("../../runtime/raw_item.rs")),
    ("request.rs", include_str!("../../runtime/request.rs")),
    ("request_error.rs", include_str!("../../runtime/request_error.rs")),
    ("secret.rs", include_str!("../../runtime/secret.rs")),
    ("timestamp.rs", include_str!("../../runtime/timestamp.rs")),
];

/// Runtime types that a module may import. A schema cannot have one of these names.
pub(crate) const RUNTIME: [&str; 25] = [
    "AffectedCount",
    "ApiVersion",
    "Binary",
    "BodyPart",
    "Data",
    "Empty",
    "Evidence",
    "Field",
    "FieldKind",
    "FieldValue",
    "Fields",
    "Filter",
    "FilterRequirement",
    "Method",
    "OpenEnum",
    "Operation",
    "OperationKind",
    "Page",
    "Paging",
    "RateLimit",
    "Request",
    "RequestError",
    "ResponseFormat",
    "Secret",
    "Timestamp",
];
