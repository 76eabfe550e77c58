//! Filters whose fields are arguments.

use super::argument_error::ArgumentError;
use super::arguments::Arguments;
use crate::runtime::{Field, FieldKind, FieldValue, Filter};

impl Arguments {
    /// Parses a filter. Each of its fields is an argument, which has the Rust name of the field.
    pub(crate) fn filter<F: Filter>(&mut self) -> Result<F, ArgumentError> {
        let mut filter = F::default();
        for field in F::FIELDS {
            self.set_field(&mut filter, field, field.rust_name, "cannot be set")?;
        }
        Ok(filter)
    }

    /// Parses a list of `field=value` pairs into a filter. A list field may be in several pairs.
    pub(crate) fn filter_pairs<F: Filter>(&mut self, name: &str) -> Result<F, ArgumentError> {
        let key = |field: &Field| format!("{name}.{}", field.name);
        let mut fields: Vec<&Field> = Vec::new();
        for pair in self.list(name)?.unwrap_or_default() {
            let Some((field, value)) = pair.split_once('=') else {
                return Err(self.error(name, format!("contains {pair:?}, which is not a field=value pair")));
            };
            let field = field.trim();
            let Some(known) = F::FIELDS.iter().find(|known| known.name == field) else {
                return Err(self.error(name, format!("contains {field:?}, which is not a filter field")));
            };
            if !fields.iter().any(|other| other.name == known.name) {
                fields.push(known);
            }
            // Each field is parsed like a separate argument.
            self.add(&key(known), value);
        }
        let mut filter = F::default();
        for field in fields {
            self.set_field(&mut filter, field, &key(field), "is not a valid value of the field")?;
        }
        Ok(filter)
    }

    /// Sets the field of a filter to the value of an argument, if it is set.
    fn set_field<F: Filter>(
        &mut self,
        filter: &mut F,
        field: &Field,
        name: &str,
        invalid: &str,
    ) -> Result<(), ArgumentError> {
        let value = match field.kind {
            FieldKind::List => self.list(name)?.map(FieldValue::List),
            FieldKind::Boolean => self.boolean(name)?.map(FieldValue::Boolean),
            FieldKind::Integer => self.integer(name)?.map(FieldValue::Integer),
            FieldKind::Timestamp => self.time(name)?.map(|time| FieldValue::String(time.to_string())),
            _ => self.trimmed(name)?.map(FieldValue::String),
        };
        let Some(value) = value else { return Ok(()) };
        let texts = match &value {
            FieldValue::List(items) => items.as_slice(),
            FieldValue::String(text) => std::slice::from_ref(text),
            _ => &[],
        };
        texts.iter().try_for_each(|text| self.check_value(name, text, field.enum_values))?;
        filter.set(field.name, value).map_err(|_| self.error(name, invalid))
    }
}
