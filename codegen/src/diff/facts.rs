//! The rules for changed facts of a location or of an operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules::Rule;
use crate::surface::Facts;

/// Keywords that bound a value, with `true` for upper bounds.
const BOUNDS: [(&str, bool); 8] = [
    ("minimum", false),
    ("maximum", true),
    ("exclusiveMinimum", false),
    ("exclusiveMaximum", true),
    ("minLength", false),
    ("maxLength", true),
    ("minItems", false),
    ("maxItems", true),
];

/// Returns the rule for a fact of a location, or `None` if the fact has several rules or did not effectively change.
pub(super) fn rule(fact: &str, old_value: &Value, new_value: &Value) -> Option<Rule> {
    Some(match fact {
        "format" => Rule::FormatChanged,
        "composed" => Rule::StructureChanged,
        "required" => toggle(new_value, Rule::BecameRequired, Rule::BecameOptional),
        "nullable" => toggle(new_value, Rule::BecameNullable, Rule::NoLongerNullable),
        "deprecated" => toggle(new_value, Rule::Deprecated, Rule::Undeprecated),
        "description" | "title" => Rule::DescriptionChanged,
        "default" => Rule::DefaultChanged,
        "readOnly" | "writeOnly" => Rule::ReadOnlyChanged,
        "secret" => Rule::SecretChanged,
        "selective" => Rule::SelectiveChanged,
        "pattern" => match (old_value.is_null(), new_value.is_null()) {
            (true, _) => Rule::PatternAdded,
            (_, true) => Rule::PatternRemoved,
            _ => Rule::PatternChanged,
        },
        _ => return bound(fact, old_value, new_value),
    })
}

fn bound(fact: &str, old_value: &Value, new_value: &Value) -> Option<Rule> {
    let upper = BOUNDS.iter().find(|(name, _)| *name == fact).map(|(_, upper)| *upper);
    if upper.is_none() && !["multipleOf", "uniqueItems"].contains(&fact) {
        return None;
    }
    // False also means that the bound is not set.
    let is_set = |value: &Value| !value.is_null() && value != false;
    let wider = match (is_set(old_value), is_set(new_value)) {
        (false, false) => return None,
        (false, true) => false,
        (true, false) => true,
        (true, true) => {
            let (old_value, new_value) = (old_value.as_f64()?, new_value.as_f64()?);
            // A `multipleOf` is wider if each old value is also valid with the new one.
            upper.map_or_else(
                || new_value != 0.0 && old_value % new_value == 0.0,
                |upper| (new_value > old_value) == upper,
            )
        }
    };
    Some(if wider { Rule::BoundWidened } else { Rule::BoundNarrowed })
}

/// Returns the facts that describe the type of a location, without texts.
pub(super) fn type_facts(facts: &Facts) -> BTreeMap<&'static str, Value> {
    let names = ["type", "format", "enum", "required", "nullable", "default", "media"];
    facts
        .iter()
        .filter(|(fact, _)| names.contains(*fact))
        .map(|(fact, value)| (*fact, value.clone()))
        .collect()
}

/// Returns the facts that differ, with null for missing values.
pub(super) fn differing(old: &Facts, new: &Facts) -> Vec<(&'static str, Value, Value)> {
    // Compared separately.
    const SEPARATE: [&str; 8] =
        ["media", "type", "recursive", "unresolved", "additionalProperties", "style", "explode", "items"];
    let facts: BTreeSet<&'static str> = old.keys().chain(new.keys()).copied().collect();
    // `items` of an operation is a fact of `x-s1`.
    let is_operation = old.contains_key("kind") || new.contains_key("kind");
    facts
        .into_iter()
        .filter(|fact| !SEPARATE.contains(fact) || (is_operation && *fact == "items"))
        .filter(|fact| old.get(fact) != new.get(fact))
        .map(|fact| {
            (fact, old.get(fact).cloned().unwrap_or_default(), new.get(fact).cloned().unwrap_or_default())
        })
        .collect()
}

pub(super) fn toggle(new_value: &Value, set: Rule, unset: Rule) -> Rule {
    if *new_value == true { set } else { unset }
}
