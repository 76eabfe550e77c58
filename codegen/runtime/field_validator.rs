//! Validation of the values of declared fields.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::{Field, FieldKind, RequestErrorKind, Timestamp};

/// Part of a request that has a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldLocation {
    Query,
    Filter,
    Data,
}

/// Validates the fields of a part of a request.
#[derive(Clone, Copy)]
pub(super) struct FieldValidator {
    pub(super) part: &'static str,
    pub(super) location: FieldLocation,
}

impl FieldValidator {
    /// Validates values against the declared fields, and writes timestamps in the format of the API. Returns whether
    /// a value is selective.
    pub(super) fn validate(
        self,
        map: &mut Map<String, Value>,
        find_field: impl Fn(&str) -> Option<&'static Field>,
    ) -> Result<bool, RequestErrorKind> {
        let mut selective = false;
        for (name, value) in map.iter_mut().filter(|(_, value)| !value.is_null()) {
            let Some(field) = find_field(name) else { continue };
            self.value(field, value)?;
            // `tenant: false` is not a scope.
            let no_tenant = name == "tenant" && *value == Value::Bool(false);
            selective |= field.narrows_selection && !no_tenant;
        }
        Ok(selective)
    }

    fn location_of(self, field: &Field) -> String {
        match self.part {
            "" => field.name.to_owned(),
            part => format!("{part}.{}", field.name),
        }
    }

    fn value(self, field: &Field, value: &mut Value) -> Result<(), RequestErrorKind> {
        match value {
            Value::Array(list) => {
                if list.is_empty() && !(self.location == FieldLocation::Data && field.allows_empty_list()) {
                    return Err(RequestErrorKind::EmptyList(self.location_of(field)));
                }
                let count = list.len() as u64;
                if is_out_of_bounds(count, field.item_count) {
                    let field_name = self.location_of(field);
                    return Err(RequestErrorKind::ItemCountOutOfRange {
                        field: field_name,
                        count,
                        bounds: field.item_count,
                    });
                }
                for item in list {
                    // A blank item is always an error, for example from an empty variable of a script.
                    if item.as_str().is_some_and(|item| item.trim().is_empty()) {
                        return Err(RequestErrorKind::Blank(self.location_of(field)));
                    }
                    self.number(field, item)?;
                    self.string(field, item)?;
                }
            }
            Value::Number(_) => self.number(field, value)?,
            other => self.string(field, other)?,
        }
        Ok(())
    }

    fn number(self, field: &Field, value: &Value) -> Result<(), RequestErrorKind> {
        let Value::Number(number) = value else { return Ok(()) };
        match number_out_of_bounds(number, field.range) {
            Some(value) => {
                let (field, bounds) = (self.location_of(field), field.range);
                Err(RequestErrorKind::ValueOutOfRange { field, value, bounds })
            }
            None => Ok(()),
        }
    }

    fn string(self, field: &Field, value: &mut Value) -> Result<(), RequestErrorKind> {
        let Value::String(string) = value else { return Ok(()) };
        if string.trim().is_empty() && self.location != FieldLocation::Data {
            return Err(RequestErrorKind::Blank(self.location_of(field)));
        }
        if field.kind == FieldKind::Timestamp {
            match Timestamp::from(string.as_str()).to_utc() {
                Some(time) => *string = time.as_str().to_owned(),
                None => {
                    return Err(RequestErrorKind::InvalidTimestamp {
                        field: self.location_of(field),
                        value: string.clone(),
                    });
                }
            }
        }
        if field.kind == FieldKind::Json && !is_object_of_lists(string) {
            return Err(RequestErrorKind::InvalidJsonString {
                field: self.location_of(field),
                value: string.clone(),
            });
        }
        let count = string.chars().count() as u64;
        if is_out_of_bounds(count, field.length) {
            return Err(RequestErrorKind::LengthOutOfRange {
                field: self.location_of(field),
                count,
                bounds: field.length,
            });
        }
        if field.kind == FieldKind::List && self.location == FieldLocation::Query && string.contains(',') {
            return Err(RequestErrorKind::CommaInListItem {
                field: self.location_of(field),
                item: string.clone(),
            });
        }
        Ok(())
    }
}

/// Returns whether a string is a non-empty JSON object of non-empty lists of non-blank strings.
fn is_object_of_lists(json: &str) -> bool {
    let Ok(map) = serde_json::from_str::<BTreeMap<String, Vec<String>>>(json) else { return false };
    let is_valid = |list: &Vec<String>| !list.is_empty() && list.iter().all(|item| !item.trim().is_empty());
    !map.is_empty() && map.values().all(is_valid)
}

fn is_out_of_bounds<N: PartialOrd>(value: N, (min, max): (Option<N>, Option<N>)) -> bool {
    min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max)
}

/// Returns the number if it is out of bounds.
fn number_out_of_bounds(number: &Number, (min, max): (Option<i64>, Option<i64>)) -> Option<i64> {
    match (number.as_i64(), number.as_f64()?) {
        (Some(value), _) => is_out_of_bounds(value, (min, max)).then_some(value),
        (None, value) if min.is_some_and(|min| value < min as f64) => Some(value.floor() as i64),
        (None, value) if max.is_some_and(|max| value > max as f64) => Some(value.ceil() as i64),
        (None, _) => None,
    }
}
