//! Where a value of an exchange stands: what the specification says of it, and what its name does.

use std::collections::BTreeMap;

use serde_json::Value;

use super::disguise::{Form, form, is_time};
use super::fixture::Exchange;
use super::operation::OperationSpec;
use super::schema::Schemas;
use super::{Contract, Found};

/// What a secret is replaced by. It says nothing about what stood there.
pub(super) const MASK: &str = "[secret]";

/// The places of an exchange from which its values are walked.
pub(super) struct Ground<'a> {
    schemas: &'a Schemas,
    pub(super) found: Option<Found<'a>>,
    status: u16,
}

/// A place, with what is known of the value that stands there.
pub(super) struct Spot<'a> {
    schemas: &'a Schemas,
    /// The schemas that the value has to fit, references followed.
    parts: Vec<&'a Value>,
    /// Extensions that stand beside the schema and not in it.
    beside: Option<&'a Value>,
    /// The name of the field or parameter; elements of a list have that of the list.
    name: String,
    secret: bool,
    /// Whether the names below are people's own, as the keys of tags are.
    own_names: bool,
}

/// What the specification says of the name of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has the field.
    Declared,
    /// The object is a map, so the name is data.
    Key,
    /// It has no such field, or lets any stand there.
    Unknown,
}

impl<'a> Ground<'a> {
    pub(super) fn of(contract: &'a Contract, exchange: &Exchange) -> Self {
        Self { schemas: &contract.schemas, found: exchange.find(contract), status: exchange.status }
    }

    fn operation(&self) -> Option<&'a OperationSpec> {
        self.found.as_ref().map(|found| found.operation)
    }

    /// The values of the names in the path.
    pub(super) fn path_values(&self) -> impl Iterator<Item = (&str, &str)> {
        let values: Option<&BTreeMap<String, String>> = self.found.as_ref().map(|found| &found.path_values);
        values.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn parameter(&self, in_path: bool, name: &str) -> (Spot<'a>, Standing) {
        let mut all = self.operation().map(|operation| operation.parameters.iter()).into_iter().flatten();
        match all.find(|parameter| parameter.in_path == in_path && parameter.name == name) {
            Some(parameter) => {
                let schema = Some(&parameter.schema);
                (Spot::new(self.schemas, schema, Some(&parameter.x_s1), name, false), Standing::Declared)
            }
            None => (Spot::new(self.schemas, None, None, name, false), Standing::Unknown),
        }
    }

    pub(super) fn body(&self) -> Spot<'a> {
        self.root(self.operation().and_then(OperationSpec::body_schema))
    }

    pub(super) fn answer(&self) -> Spot<'a> {
        self.root(self.operation().and_then(|operation| operation.answer_schema(self.status)))
    }

    fn root(&self, schema: Option<&'a Value>) -> Spot<'a> {
        Spot::new(self.schemas, schema, None, "", false)
    }
}

impl<'a> Spot<'a> {
    fn new(
        schemas: &'a Schemas,
        schema: Option<&'a Value>,
        beside: Option<&'a Value>,
        name: &str,
        inherited: bool,
    ) -> Self {
        let parts = schema.map(|schema| schemas.parts(schema)).unwrap_or_default();
        Self::of(schemas, parts, beside, name, inherited)
    }

    fn of(
        schemas: &'a Schemas,
        parts: Vec<&'a Value>,
        beside: Option<&'a Value>,
        name: &str,
        inherited: bool,
    ) -> Self {
        let name = name.to_owned();
        let mut spot = Self { schemas, parts, beside, name, secret: false, own_names: false };
        // A flag or an object whose name speaks of a password, such as the scope it is taken from, is none.
        let by_name = is_secret_name(&spot.name) && spot.kind().is_none_or(|kind| kind == "string");
        spot.secret = inherited || spot.says("secret") || by_name;
        spot
    }

    /// A document in a text, whose keys are people's own.
    pub(super) fn document(&self) -> Self {
        let mut spot = Self::of(self.schemas, Vec::new(), None, &self.name, self.secret);
        spot.own_names = true;
        spot
    }

    /// An element of the list that stands here.
    pub(super) fn item(&self) -> Self {
        let items = self.parts.iter().filter_map(|part| part.get("items"));
        let parts = items.flat_map(|schema| self.schemas.parts(schema)).collect();
        // What lies in a list with a secret's name is one, unless the specification says that it is none.
        let mut spot = Self::of(self.schemas, parts, self.beside, &self.name, self.secret);
        spot.own_names = self.own_names;
        spot
    }

    /// A field of the object that stands here.
    pub(super) fn field(&self, name: &str) -> (Self, Standing) {
        let own: Vec<&Value> =
            self.parts.iter().filter_map(|part| part.get("properties")?.get(name)).collect();
        let values = || {
            let further = self.parts.iter().filter_map(|part| part.get("additionalProperties"));
            further.filter(|schema| schema.is_object()).collect::<Vec<_>>()
        };
        let (schemas, standing) = match (own.is_empty(), values()) {
            (false, _) => (own, Standing::Declared),
            (true, values) if !values.is_empty() => (values, Standing::Key),
            _ if self.own_names => (Vec::new(), Standing::Key),
            _ => (Vec::new(), Standing::Unknown),
        };
        let parts = schemas.into_iter().flat_map(|schema| self.schemas.parts(schema)).collect();
        let mut spot = Self::of(self.schemas, parts, None, name, self.secret);
        spot.own_names = self.own_names;
        (spot, standing)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The declared type.
    pub(super) fn kind(&self) -> Option<&'a str> {
        self.parts.iter().find_map(|part| part.get("type")?.as_str())
    }

    /// Whether the specification knows the place at all.
    pub(super) fn is_declared(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Whether the value is a secret: the specification says so, or the name does.
    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether the text holds a JSON document.
    pub(super) fn is_json(&self) -> bool {
        self.says("json")
    }

    fn is_time(&self) -> bool {
        self.parts.iter().any(|part| part.get("format").and_then(Value::as_str) == Some("date-time"))
    }

    /// Whether the specification lists the values that it knows.
    pub(super) fn has_words(&self) -> bool {
        self.parts.iter().any(|part| part.get("enum").is_some())
    }

    /// Whether the text is what the specification expects here, and says nothing about anybody: one of the
    /// values that it lists, or a time.
    pub(super) fn expects(&self, text: &str) -> bool {
        // Some releases write a time as milliseconds.
        let is_moment = || is_time(text) || text.len() == 13 && form(text) == Form::Digits;
        self.is_known(text) || self.is_time() && is_moment()
    }

    fn is_known(&self, text: &str) -> bool {
        let words = self.parts.iter().filter_map(|part| part.get("enum")?.as_array()).flatten();
        words.filter_map(Value::as_str).any(|word| word == text)
    }

    /// What stands in the place of a secret: always the same, but within the bounds of the place.
    pub(super) fn mask(&self) -> String {
        self.fit(MASK, '*')
    }

    /// The text within the declared lengths; what is cut off is the beginning.
    pub(super) fn fit(&self, text: &str, filler: char) -> String {
        let bound = |key: &'static str| {
            let bounds = self.parts.iter().filter_map(move |part| part.get(key)?.as_u64());
            bounds.map(|bound| usize::try_from(bound).unwrap_or(usize::MAX))
        };
        let length = text.chars().count();
        let most = bound("maxLength").min().unwrap_or(usize::MAX);
        // A demand beyond reason is left unmet instead of filling the memory.
        let least = bound("minLength").max().unwrap_or_default().min(most).min(10_000);
        let cut = text.chars().skip(length.saturating_sub(most));
        cut.chain(std::iter::repeat_n(filler, least.saturating_sub(length))).collect()
    }

    /// Whether the text fits the declared lengths.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.fit(text, '*') == text
    }

    fn says(&self, fact: &str) -> bool {
        let within = self.parts.iter().filter_map(|part| part.get("x-s1"));
        within.chain(self.beside).any(|x_s1| x_s1.get(fact) == Some(&Value::Bool(true)))
    }
}

/// Names under which secrets stand, in small letters without what separates words.
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

/// Whether a name says that a secret stands under it.
pub(super) fn is_secret_name(name: &str) -> bool {
    // A name that was replaced says nothing of what stands under it.
    if name.starts_with(MASK) {
        return false;
    }
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| plain.contains(secret))
}

/// Whether a signed token (JWT) stands somewhere in the text.
pub(super) fn holds_jwt(text: &str) -> bool {
    text.match_indices("eyJ").any(|(at, _)| {
        let mut segments = text[at..].split('.');
        let mut segment = |whole: bool| {
            segments.next().is_some_and(|segment| {
                let inside = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '=');
                let length = segment.chars().take_while(inside).count();
                length >= 8 && (!whole || length == segment.len())
            })
        };
        // What follows the payload is the signature; one that was cut off is no reason to keep the rest.
        segment(true) && segment(false)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_put_in_fits() {
        let schemas = Schemas::default();
        let fit = |schema: Value, text: &str| {
            Spot::new(&schemas, Some(&schema), None, "mood", false).fit(text, '-')
        };
        assert_eq!(fit(json!({}), "text-0123"), "text-0123");
        assert_eq!(fit(json!({ "maxLength": 4 }), "text-0123"), "0123", "the hash is kept");
        assert_eq!(fit(json!({ "minLength": 11 }), "text-0123"), "text-0123--");
        assert_eq!(fit(json!({ "allOf": [{ "maxLength": 3 }], "minLength": 2 }), "ä"), "ä-");
        let schema = json!({ "minLength": 10, "x-s1": { "secret": true } });
        let spot = Spot::new(&schemas, Some(&schema), None, "mood", false);
        assert!(spot.is_secret() && spot.mask() == "[secret]**" && spot.fits(&spot.mask()));
    }

    #[test]
    fn names_of_secrets() {
        for name in ["password", "X-Api-Key", "api_token", "clientSecret", "Set-Cookie", "licenseKey"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["key", "uniqueKey", "passes", "[secret]", "[secret]-2"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn signed_tokens() {
        for text in [
            "eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0",
            "Bearer eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0, and more",
            "eyJx eyJhbGciOiJF.eyJzdWIiOiJz",
        ] {
            assert!(holds_jwt(text), "{text}");
        }
        // A cursor is no token.
        for text in ["eyJpZCI6MTkwfQ==", "eyJpZCI6MTkwfQ. A sentence", "eyJ.a.b", "hostname.example.com"] {
            assert!(!holds_jwt(text), "{text}");
        }
    }
}
