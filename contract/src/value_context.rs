//! A value in an exchange with its schema and location.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fixture::Exchange;
use super::operation::OperationSpec;
use super::pseudonymize::{Format, detect_format, is_time};
use super::schema::Schemas;
use super::{Contract, OperationMatch};

/// The replacement of a secret. It is constant, so it does not depend on the secret.
pub(super) const MASK: &str = "[secret]";

/// An exchange with its operation. It returns the contexts of parameters and bodies.
pub(super) struct ExchangeContext<'a> {
    schemas: &'a Schemas,
    pub(super) found: Option<OperationMatch<'a>>,
    status: u16,
}

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

impl<'a> ExchangeContext<'a> {
    pub(super) fn new(contract: &'a Contract, exchange: &Exchange) -> Self {
        Self {
            schemas: &contract.schemas,
            found: exchange.match_operation(contract),
            status: exchange.status,
        }
    }

    fn operation(&self) -> Option<&'a OperationSpec> {
        self.found.as_ref().map(|found| found.operation)
    }

    /// Returns the values of the path parameters.
    pub(super) fn path_values(&self) -> impl Iterator<Item = (&str, &str)> {
        let values: Option<&BTreeMap<String, String>> = self.found.as_ref().map(|found| &found.path_values);
        values.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn parameter(&self, in_path: bool, name: &str) -> (ValueContext<'a>, FieldDeclaration) {
        let mut all = self.operation().map(|operation| operation.parameters().iter()).into_iter().flatten();
        match all.find(|parameter| parameter.in_path == in_path && parameter.name == name) {
            Some(parameter) => {
                let schema = Some(&parameter.schema);
                (
                    ValueContext::new(self.schemas, schema, Some(&parameter.x_s1), name, false),
                    FieldDeclaration::Declared,
                )
            }
            None => (ValueContext::new(self.schemas, None, None, name, false), FieldDeclaration::Undeclared),
        }
    }

    pub(super) fn request_body(&self) -> ValueContext<'a> {
        self.root(self.operation().and_then(OperationSpec::body_schema))
    }

    pub(super) fn response_body(&self) -> ValueContext<'a> {
        self.root(self.operation().and_then(|operation| operation.response_schema(self.status)))
    }

    fn root(&self, schema: Option<&'a Value>) -> ValueContext<'a> {
        ValueContext::root(self.schemas, schema)
    }
}

impl<'a> ValueContext<'a> {
    /// Returns the context of a body.
    pub(super) fn root(schemas: &'a Schemas, schema: Option<&'a Value>) -> Self {
        Self::new(schemas, schema, None, "", false)
    }

    fn new(
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

/// Names of fields with secrets, in lower case without separators.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "token",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "encryptionkey",
    "licensekey",
    "authorization",
    "cookie",
    "credential",
];

/// Returns whether a name indicates a secret value.
pub(super) fn is_secret_name(name: &str) -> bool {
    // A redacted name does not indicate a secret value.
    if name.starts_with(MASK) {
        return false;
    }
    let plain = name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    let plain: Vec<u8> = plain.collect();
    let begins = |rest: &[u8]| SECRET_NAMES.iter().any(|secret| rest.starts_with(secret.as_bytes()));
    (0..plain.len()).any(|at| plain.get(at..).is_some_and(begins))
}

/// Returns whether a string contains a signed token (JWT).
pub(super) fn contains_jwt(text: &str) -> bool {
    text.match_indices("eyJ").any(|(at, _)| {
        let mut segments = text[at..].split('.');
        let mut segment = |whole: bool| {
            segments.next().is_some_and(|segment| {
                let inside = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '=');
                let length = segment.chars().take_while(inside).count();
                length >= 8 && (!whole || length == segment.len())
            })
        };
        // The signature follows the payload. It can be truncated, so it is not required.
        segment(true) && segment(false)
    })
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

    #[test]
    fn is_secret_name_matches_parts_of_names() {
        for name in ["password", "X-Api-Key", "api_token", "clientSecret", "Set-Cookie", "licenseKey"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["key", "uniqueKey", "passes", "[secret]", "[secret]-2"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn contains_jwt_requires_header_and_payload() {
        for text in [
            "eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0",
            "Bearer eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0, and more",
            "eyJx eyJhbGciOiJF.eyJzdWIiOiJz",
        ] {
            assert!(contains_jwt(text), "{text}");
        }
        // A cursor is not a token.
        for text in ["eyJpZCI6MTkwfQ==", "eyJpZCI6MTkwfQ. A sentence", "eyJ.a.b", "hostname.example.com"] {
            assert!(!contains_jwt(text), "{text}");
        }
    }
}
