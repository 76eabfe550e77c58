//! A value in an exchange with its schema and location.

use serde_json::Value;

use super::pseudonymize::{Format, detect_format, is_time};
use super::schema::Schemas;
use super::secret_text::{MASK, is_secret_name};

/// The declarations and the name of a value.
#[derive(Clone)]
pub(super) struct ValueContext<'a> {
    schemas: &'a Schemas,
    /// The schemas of the value, with references resolved.
    parts: Vec<&'a Value>,
    /// The `x-s1` extension of a parameter, which is not part of its schema.
    parameter_x_s1: Option<&'a Value>,
    /// The name of the field or parameter. Items of an array have the name of the array.
    name: String,
    secret: bool,
    /// Whether the keys below are data, as in a JSON document in a string.
    keys_are_data: bool,
}

/// The declaration of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldDeclaration {
    /// The schema declares the field.
    Declared,
    /// The object is a map, so the name is data.
    MapKey,
    /// The schema does not declare the field, or allows any field.
    Undeclared,
}

impl<'a> ValueContext<'a> {
    /// Returns the context of a body.
    pub(super) fn root(schemas: &'a Schemas, schema: Option<&'a Value>) -> Self {
        Self::new(schemas, schema, None, "", false)
    }

    pub(super) fn new(
        schemas: &'a Schemas,
        schema: Option<&'a Value>,
        parameter_x_s1: Option<&'a Value>,
        name: &str,
        inherited: bool,
    ) -> Self {
        let parts = schema.map(|schema| schemas.parts(schema)).unwrap_or_default();
        Self::from_parts(schemas, parts, parameter_x_s1, name, inherited)
    }

    fn from_parts(
        schemas: &'a Schemas,
        parts: Vec<&'a Value>,
        parameter_x_s1: Option<&'a Value>,
        name: &str,
        inherited: bool,
    ) -> Self {
        let name = name.to_owned();
        let mut context = Self { schemas, parts, parameter_x_s1, name, secret: false, keys_are_data: false };
        // A boolean or an object is not a secret, even if its name contains, for example, `password`.
        let by_name = is_secret_name(&context.name) && context.kind().is_none_or(|kind| kind == "string");
        context.secret = inherited || context.has_flag("secret") || by_name;
        context
    }

    /// Returns the context of a JSON document in a string, whose keys are data.
    pub(super) fn document(&self) -> Self {
        let mut context = Self::from_parts(self.schemas, Vec::new(), None, &self.name, self.secret);
        context.keys_are_data = true;
        context
    }

    /// Returns the context of an item of this array.
    pub(super) fn item(&self) -> Self {
        let items = self.parts.iter().filter_map(|part| part.get("items"));
        let parts = items.flat_map(|schema| self.schemas.parts(schema)).collect();
        // The items of an array with a secret name are secrets, unless the specification declares another type.
        let mut context = Self::from_parts(self.schemas, parts, self.parameter_x_s1, &self.name, self.secret);
        context.keys_are_data = self.keys_are_data;
        context
    }

    /// Returns the context of a field of this object, with its declaration.
    pub(super) fn field(&self, name: &str) -> (Self, FieldDeclaration) {
        let properties: Vec<&Value> =
            self.parts.iter().filter_map(|part| part.get("properties")?.get(name)).collect();
        let map_values = || {
            let additional = self.parts.iter().filter_map(|part| part.get("additionalProperties"));
            additional.filter(|schema| schema.is_object()).collect::<Vec<_>>()
        };
        let (schemas, declaration) = match (properties.is_empty(), map_values()) {
            (false, _) => (properties, FieldDeclaration::Declared),
            (true, values) if !values.is_empty() => (values, FieldDeclaration::MapKey),
            _ if self.keys_are_data => (Vec::new(), FieldDeclaration::MapKey),
            _ => (Vec::new(), FieldDeclaration::Undeclared),
        };
        let parts = schemas.into_iter().flat_map(|schema| self.schemas.parts(schema)).collect();
        let mut context = Self::from_parts(self.schemas, parts, None, name, self.secret);
        context.keys_are_data = self.keys_are_data;
        (context, declaration)
    }

    /// Returns the schemas of the value.
    pub(super) fn parts(&self) -> &[&'a Value] {
        &self.parts
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the declared type.
    pub(super) fn kind(&self) -> Option<&'a str> {
        self.parts.iter().find_map(|part| part.get("type")?.as_str())
    }

    /// Returns whether the specification declares the value.
    pub(super) fn is_declared(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Returns whether the value is a secret by its declaration or its name.
    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    /// Returns whether the string holds a JSON document.
    pub(super) fn is_json(&self) -> bool {
        self.has_flag("json")
    }

    fn is_time(&self) -> bool {
        self.parts.iter().any(|part| part.get("format").and_then(Value::as_str) == Some("date-time"))
    }

    /// Returns whether the specification declares an enum.
    pub(super) fn has_enum(&self) -> bool {
        self.parts.iter().any(|part| part.get("enum").is_some())
    }

    /// Returns whether the string is a declared enum value or a declared time. Such a value is not sensitive.
    pub(super) fn is_expected_value(&self, text: &str) -> bool {
        // Some releases write a time as milliseconds.
        let is_timestamp = || is_time(text) || text.len() == 13 && detect_format(text) == Format::Digits;
        self.is_enum_value(text) || self.is_time() && is_timestamp()
    }

    fn is_enum_value(&self, text: &str) -> bool {
        let values = self.parts.iter().filter_map(|part| part.get("enum")?.as_array()).flatten();
        values.filter_map(Value::as_str).any(|value| value == text)
    }

    /// Returns the replacement of a secret: the mask within the declared lengths.
    pub(super) fn mask(&self) -> String {
        self.fit(MASK, '*')
    }

    /// Fits the string to the declared lengths: truncates it at the start, or pads it at the end.
    pub(super) fn fit(&self, text: &str, filler: char) -> String {
        let bound = |key: &'static str| {
            let bounds = self.parts.iter().filter_map(move |part| part.get(key)?.as_u64());
            bounds.map(|bound| usize::try_from(bound).unwrap_or(usize::MAX))
        };
        let length = text.chars().count();
        let max = bound("maxLength").min().unwrap_or(usize::MAX);
        // An unreasonable minimum is ignored to limit the memory.
        let min = bound("minLength").max().unwrap_or_default().min(max).min(10_000);
        let tail = text.chars().skip(length.saturating_sub(max));
        tail.chain(std::iter::repeat_n(filler, min.saturating_sub(length))).collect()
    }

    /// Returns whether the string has a declared length.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.fit(text, '*') == text
    }

    fn has_flag(&self, key: &str) -> bool {
        let extensions = self.parts.iter().filter_map(|part| part.get("x-s1"));
        extensions.chain(self.parameter_x_s1).any(|x_s1| x_s1.get(key) == Some(&Value::Bool(true)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replacement_satisfies_length_bounds() {
        let schemas = Schemas::default();
        let fit = |schema: Value, text: &str| {
            ValueContext::new(&schemas, Some(&schema), None, "mood", false).fit(text, '-')
        };
        assert_eq!(fit(json!({}), "text-0123"), "text-0123");
        assert_eq!(fit(json!({ "maxLength": 4 }), "text-0123"), "0123", "the hash remains");
        assert_eq!(fit(json!({ "minLength": 11 }), "text-0123"), "text-0123--");
        assert_eq!(fit(json!({ "allOf": [{ "maxLength": 3 }], "minLength": 2 }), "ä"), "ä-");
        let schema = json!({ "minLength": 10, "x-s1": { "secret": true } });
        let context = ValueContext::new(&schemas, Some(&schema), None, "mood", false);
        assert!(context.is_secret() && context.mask() == "[secret]**" && context.fits(&context.mask()));
    }
}
