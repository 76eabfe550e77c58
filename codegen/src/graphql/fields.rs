//! Fields by which filters of unified alerts select.

use std::collections::BTreeSet;

use heck::ToShoutySnakeCase;

use crate::bundle::Bundle;
use crate::{Error, Result};

/// File below `spec/graphql/`: a line for each field, with its kind and its enum.
pub(super) const FILE: &str = "alert-fields.tsv";

/// Kinds of fields, with the Rust type of their constants.
const KINDS: [(&str, &str); 5] = [
    ("text", "TextField"),
    ("choice", "ListedField"),
    ("time", "TimeField"),
    ("boolean", "BooleanField"),
    ("number", "NumberField"),
];

/// Returns the module with a constant for each field of the table.
///
/// # Errors
/// Returns an error if a line does not have three cells, a kind or an enum does not exist, or the fields are not sorted and
/// unique.
pub(super) fn module(text: &str, bundle: &Bundle) -> Result<String> {
    let (mut seen, mut types, mut constants) = (BTreeSet::new(), BTreeSet::new(), String::new());
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).skip(1);
    for (number, line) in lines {
        let invalid = |message: String| Error::spec(FILE, format!("line {}: {message}", number + 1));
        let cells: Vec<&str> = line.split('\t').collect();
        let [field, kind, values] = cells[..] else {
            return Err(invalid("expected a field, a kind and an enum, with tabs between them".to_owned()));
        };
        let known = KINDS.iter().find(|(name, _)| *name == kind);
        let (_, ty) = known.ok_or_else(|| invalid(format!("{kind:?} is not a kind of fields")))?;
        if !seen.insert(field) || seen.last() != Some(&field) {
            return Err(invalid(format!("{field} is not in order, or a duplicate")));
        }
        let is_enum = |name: &str| bundle.schema(name).is_some_and(|schema| schema.get("enum").is_some());
        let (ty, constructor) = match values {
            "" => (types.insert((*ty).to_owned()), ((*ty).to_owned(), (*ty).to_owned())).1,
            name if kind == "choice" && is_enum(name) => {
                types.insert("EnumField".to_owned());
                (format!("EnumField<raw::{name}>"), "EnumField".to_owned())
            }
            name => return Err(invalid(format!("{name} is not an enum of the documents"))),
        };
        constants.push_str(&format!(
            "\n/// `{field}`.\npub const {}: {ty} = {constructor}::new({field:?});\n",
            field.to_shouty_snake_case()
        ));
    }
    let types = types.into_iter().collect::<Vec<_>>().join(", ");
    Ok(format!(
        "//! Fields by which a filter selects alerts.\n\nuse sentinelone_raw::unified_alerts as raw;\n\n\
         use super::filter::{{{types}}};\n{constants}"
    ))
}
