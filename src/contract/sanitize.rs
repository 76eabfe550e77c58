//! Takes out of exchanges what belongs to people.

use std::cell::RefCell;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Number, Value};

use super::disguise::{Disguise, Form, form};
use super::fixture::{Exchange, ExchangeRequest};
use super::path;
use super::spot::{Ground, MASK, Spot, Standing, holds_jwt};
use super::{Contract, Found};
use crate::ApiToken;

/// Replaces everything in an exchange that could say something about somebody.
///
/// What is known to say nothing is kept: nulls, flags, ordinary numbers, times, empty texts, field names, words
/// of the vendor's enums (those that the specification does not know yet included, if they have no digits),
/// versions where the name speaks of one. **Everything else is replaced**, known or not, by a value of the same
/// kind:
///
/// | what | becomes |
/// | --- | --- |
/// | identifiers, digests, UUIDs | as many digits of the same alphabet |
/// | e-mail address | `user-….@example.com` |
/// | IPv4 address | one of `240.0.0.0/4`, which no network has |
/// | IPv6 address | one of `2001:db8::/32` |
/// | hardware address | one that is locally administered |
/// | host name | `host-….example.com` |
/// | URL | `https://host-….example.com/…`, with its own scheme |
/// | secret | `[secret]`, whatever it was |
/// | any other text | `text-…` |
///
/// The same value becomes the same replacement wherever it stands, in all exchanges and in all runs with the
/// same key: an identifier in a path is still that of the answer before. Identifiers, digests and UUIDs stay
/// distinct; for all others the hash has 64 bits, for IPv4 addresses 28, for hardware addresses 46.
///
/// Replacements are made with HMAC-SHA256. Whoever does not have the key cannot tell whether a guess is right,
/// and the key is not kept anywhere: [`for_token`](Self::for_token) makes it from the token.
///
/// What it does not see: a name without digits in a field in which the specification expects a word of an enum,
/// and a name in the place of a field name that looks like one.
pub struct Sanitizer {
    disguise: Disguise,
    /// In small letters, as they are and as JSON writes them.
    secrets: Vec<SecretString>,
}

/// The secrets and the key are not shown.
impl fmt::Debug for Sanitizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sanitizer").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

/// Keeps the key of recordings apart from all else that could be made of a token.
const PURPOSE: &[u8] = b"sentinelone: replacements in recordings, 1\0";

/// Shorter texts are not looked for once more in field names: they stand in many of them.
const SHORTEST_FOUND: usize = 6;

/// Numbers from here on may be identifiers.
const LARGE: u64 = 10_000_000_000;

impl Sanitizer {
    /// Replacements that depend on this key.
    pub fn with_key(key: &[u8]) -> Self {
        Self { disguise: Disguise::new(key), secrets: Vec::new() }
    }

    /// Replacements that are the same in all recordings made with this token, which itself survives nowhere.
    pub fn for_token(token: &ApiToken) -> Self {
        let key = SecretString::from(token.exposed());
        let material = [PURPOSE, key.expose_secret().as_bytes()].concat();
        Self::with_key(&material).secret(token.exposed())
    }

    /// A further secret, which survives nowhere: not as part of a text, of a number or of a field name either.
    /// Large and small letters count as the same.
    #[must_use]
    pub fn secret(mut self, text: impl AsRef<str>) -> Self {
        let plain = SecretString::from(text.as_ref().trim().to_lowercase());
        let quoted = SecretString::from(Value::from(plain.expose_secret()).to_string());
        let escaped = quoted.expose_secret().trim_matches('"');
        if escaped != plain.expose_secret() {
            self.secrets.push(SecretString::from(escaped));
        }
        if !plain.expose_secret().is_empty() {
            self.secrets.push(plain);
        }
        self
    }

    /// The exchange without anything that says something about somebody. Its provenance is kept: it is the word
    /// of whoever made the file. Operations are those of the [bundled](Contract::bundled) contract; of others
    /// less is kept.
    pub fn exchange(&self, exchange: &Exchange) -> Exchange {
        let first = Pass { with: self, known: &[], found: RefCell::default() };
        let clean = first.exchange(exchange);
        let found = first.found.into_inner();
        if found.is_empty() {
            return clean;
        }
        // What stood in the place of a secret could stand in what is kept, too.
        Pass { with: self, known: &found, found: RefCell::default() }.exchange(exchange)
    }

    /// What stands in the place of a body that is no JSON: its type and its length.
    pub(super) fn opaque(content_type: Option<&str>, body: &[u8]) -> String {
        let start = body.trim_ascii_start();
        let kind = match content_type.and_then(media_type) {
            Some(kind) => kind,
            None if start.starts_with(b"<") => "text/html",
            None if std::str::from_utf8(body).is_ok() => "text/plain",
            None => "application/octet-stream",
        };
        let length = body.len();
        match kind {
            _ if body.is_empty() => String::new(),
            "text/html" => format!("<html><!-- {length} bytes, left out of the recording --></html>"),
            "text/xml" | "application/xml" => format!("<body><!-- {length} bytes, left out --></body>"),
            kind => format!("[{kind} of {length} bytes, left out of the recording]"),
        }
    }

    /// Whether a secret stands in the text, as it is or as JSON writes it.
    pub(super) fn betrays(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.secrets.iter().any(|secret| text.contains(secret.expose_secret()))
    }
}

/// One way through an exchange.
struct Pass<'s> {
    with: &'s Sanitizer,
    /// What stands in the places of secrets.
    known: &'s [SecretString],
    /// What of it is seen on the way.
    found: RefCell<Vec<SecretString>>,
}

impl Pass<'_> {
    fn exchange(&self, exchange: &Exchange) -> Exchange {
        let ground = Ground::of(Contract::bundled(), exchange);
        let (operation, path) = match &ground.found {
            Some(found) => self.known_path(&ground, found, exchange),
            None => self.unknown_path(exchange),
        };
        let query = exchange.request.query.iter().map(|(name, value)| {
            let (spot, standing) = ground.parameter(false, name);
            (self.name(name, standing), self.parameter(&spot, value))
        });
        let request = ExchangeRequest {
            path,
            query: query.collect(),
            body: exchange.request.body.as_ref().map(|body| self.value(&ground.body(), body)),
        };
        let content_type =
            exchange.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = content_type.map(|(_, value)| value.as_str());
        let opaque = |text: &String| Sanitizer::opaque(content_type, text.as_bytes());
        Exchange {
            operation,
            request,
            status: exchange.status,
            headers: exchange.headers.iter().filter_map(|(name, value)| header(name, value)).collect(),
            response: exchange.response.as_ref().map(|answer| self.value(&ground.answer(), answer)),
            response_text: exchange.response_text.as_ref().map(opaque),
            placeholder_kind: exchange.placeholder_kind.clone(),
            inferred: exchange.inferred,
            provenance: exchange.provenance.clone(),
        }
    }

    /// The operation as the specification names it, and the path as it was asked.
    fn known_path(
        &self,
        ground: &Ground<'_>,
        found: &Found<'_>,
        exchange: &Exchange,
    ) -> (String, Option<String>) {
        let operation = found.operation;
        let version = found.version.unwrap_or_default().as_str();
        let name = format!("{} {}", operation.method(), operation.path().replace("{version}", version));
        // Files that do not know what was asked have the names in braces.
        let is_name = |value: &str| value.starts_with('{') && value.ends_with('}');
        let asked = exchange.request.path.is_some() || ground.path_values().any(|(_, value)| !is_name(value));
        let path = asked.then(|| {
            operation.template.fill(|name| {
                if name == "version" {
                    return version.to_owned();
                }
                let value = found.path_values.get(name).map(String::as_str).unwrap_or_default();
                self.text(&ground.parameter(true, name).0, value)
            })
        });
        (name, path)
    }

    /// Of the path of an operation that nobody knows the words stay that stand in paths of known ones.
    fn unknown_path(&self, exchange: &Exchange) -> (String, Option<String>) {
        let segment = |segment: &str| {
            let literal =
                |operation: &super::OperationSpec| operation.path().split('/').any(|own| own == segment);
            let known = Contract::bundled().operations().any(literal) || matches!(segment, "v2.0" | "v2.1");
            if known { segment.to_owned() } else { path::encode(&self.by_form(segment)) }
        };
        let replaced = |path: &str| match path::segments(path) {
            Some(segments) => segments.iter().map(|own| format!("/{}", segment(own))).collect::<String>(),
            None => format!("/{}", path::encode(&self.by_form(path))),
        };
        let method = exchange.method().to_ascii_uppercase();
        let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
        let method = methods.iter().find(|known| **known == method).copied().unwrap_or("GET");
        let template = exchange.operation.split_once(' ').map_or("", |(_, path)| path.trim());
        (format!("{method} {}", replaced(template)), exchange.request.path.as_deref().map(replaced))
    }

    fn value(&self, spot: &Spot<'_>, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(number) => Value::Number(self.number(spot, number)),
            Value::String(text) => Value::String(match spot.kind() {
                // Where a list is declared, a lone element counts as one.
                Some("array") => self.text(&spot.item(), text),
                _ => self.text(spot, text),
            }),
            Value::Array(items) => {
                let item = spot.item();
                items.iter().map(|value| self.value(&item, value)).collect()
            }
            Value::Object(fields) => Value::Object(self.fields(spot, fields)),
        }
    }

    fn fields(&self, spot: &Spot<'_>, fields: &Map<String, Value>) -> Map<String, Value> {
        let mut clean = Map::new();
        for (name, value) in fields {
            let (below, standing) = spot.field(name);
            let new = self.name(name, standing);
            let mut key = new.clone();
            // A name that another field has, or will have, is passed over.
            let mut number = 2;
            while clean.contains_key(&key) || key != *name && fields.contains_key(&key) {
                key = format!("{new}-{number}");
                number += 1;
            }
            clean.insert(key, self.value(&below, value));
        }
        clean
    }

    fn name(&self, name: &str, standing: Standing) -> String {
        let kept = match standing {
            Standing::Declared => !self.with.betrays(name),
            Standing::Unknown => is_field_name(name) && !self.betrays(name),
            Standing::Key => name.is_empty(),
        };
        if kept { name.to_owned() } else { self.by_form(name) }
    }

    /// A value in a query, where lists are texts with commas.
    fn parameter(&self, spot: &Spot<'_>, text: &str) -> String {
        let list = |spot: &Spot<'_>| {
            text.split(',').map(|text| self.parameter(spot, text)).collect::<Vec<_>>().join(",")
        };
        match spot.kind() {
            Some("array") => list(&spot.item()),
            Some("integer" | "number") => match serde_json::from_str::<Number>(text) {
                Ok(number) if number.to_string() == text => self.number(spot, &number).to_string(),
                _ => self.text(spot, text),
            },
            None if text.contains(',') && !spot.is_declared() => list(spot),
            _ => self.text(spot, text),
        }
    }

    fn text(&self, spot: &Spot<'_>, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        if self.with.betrays(text) || holds_jwt(text) {
            return spot.mask();
        }
        if spot.expects(text) {
            return text.to_owned();
        }
        if spot.is_secret() {
            if text.chars().count() >= SHORTEST_FOUND {
                self.found.borrow_mut().push(SecretString::from(text.to_lowercase()));
            }
            return spot.mask();
        }
        if says_nothing(spot, text) && !self.betrays(text) {
            return text.to_owned();
        }
        if spot.is_json()
            && let Ok(document) = serde_json::from_str::<Value>(text)
            && (document.is_object() || document.is_array())
        {
            return self.value(&spot.document(), &document).to_string();
        }
        let new = self.by_form(text);
        if spot.fits(&new) {
            return new;
        }
        // Any text that is made to fit: the hash stands at its end.
        spot.fit(&self.with.disguise.other(text), '-')
    }

    /// A text of which nothing is known but what it looks like.
    fn by_form(&self, text: &str) -> String {
        if self.with.betrays(text) || holds_jwt(text) {
            return MASK.to_owned();
        }
        self.address(text).unwrap_or_else(|| self.with.disguise.text(text))
    }

    /// An address within the console, such as that of an upload, keeps its form, so that it still leads to the
    /// operation.
    fn address(&self, text: &str) -> Option<String> {
        let in_full = |path: &str| Contract::bundled().find("GET", path);
        if !text.starts_with('/') || text.contains(['?', '#']) {
            return None;
        }
        let base = "/web/api/v2.1";
        let (found, cut) = match in_full(text) {
            Some(found) => (found, 0),
            None => (in_full(&format!("{base}{text}"))?, base.len()),
        };
        let version = found.version?.as_str();
        let path = found.operation.template.fill(|name| match found.path_values.get(name) {
            Some(value) => self.by_form(value),
            None => version.to_owned(),
        });
        Some(path.get(cut..)?.to_owned())
    }

    fn number(&self, spot: &Spot<'_>, number: &Number) -> Number {
        let text = number.to_string();
        let hidden = spot.is_secret() && !matches!(spot.kind(), Some("integer" | "number"));
        if hidden || self.betrays(&text) {
            return Number::from(0);
        }
        let digits = text.trim_start_matches('-');
        let is_large = match digits.parse::<u64>() {
            Ok(number) => number >= LARGE,
            Err(_) => number.as_f64().is_none_or(|number| number.abs() >= LARGE as f64),
        };
        if !is_large || speaks_of_an_amount(spot.name()) {
            return number.clone();
        }
        if form(digits) == Form::Digits {
            let sign = &text[..text.len() - digits.len()];
            let new = format!("{sign}{}", self.with.disguise.digits(digits));
            return serde_json::from_str(&new).unwrap_or_else(|_| Number::from(0));
        }
        let new = self.with.disguise.large(&text);
        Number::from_f64(if text.starts_with('-') { -new } else { new }).unwrap_or_else(|| Number::from(0))
    }

    fn betrays(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.with.betrays(text) || self.known.iter().any(|secret| lower.contains(secret.expose_secret()))
    }
}

/// Whether a text can be kept for where it stands.
fn says_nothing(spot: &Spot<'_>, text: &str) -> bool {
    let name = spot.name().to_ascii_lowercase();
    let is_range = || {
        let moments = text.split_once('-').map(|(from, to)| [from, to]);
        moments.is_some_and(|all| all.iter().all(|one| one.len() == 13 && form(one) == Form::Digits))
    };
    spot.has_words() && is_word(text)
        || name.contains("version") && is_version(text)
        || name == "sortby" && is_field_name(text)
        || name.ends_with("__between") && is_range()
}

/// Whether a text could be a word of an enum that the specification does not know yet. With digits it could as
/// well be the name of a machine.
fn is_word(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | ' ');
    text.chars().count() <= 60 && text.chars().all(inside)
}

/// Whether a text could be a version, or a range of two. What could as well be an address is one only where the
/// first number is as small as those of agents are.
fn is_version(text: &str) -> bool {
    let one = |text: &str| {
        let text = text.strip_prefix('v').unwrap_or(text);
        let parts: Vec<&str> = text.split('.').collect();
        let number = |part: &&str| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let first = parts.first().and_then(|part| part.parse::<u32>().ok());
        let is_address = matches!(form(text), Form::Ipv4(..));
        parts.len() <= 6
            && parts.iter().all(number)
            && (!is_address || first.is_some_and(|first| first < 64 && first != 10))
    };
    one(text) || text.split_once('-').is_some_and(|(from, to)| one(from) && one(to))
}

/// Words with several digits that stand in names of fields. Any others make a name look like that of a machine.
const TECHNICAL: &[&str] = &["sha256", "sha512", "base64", "win32", "win64", "wow64", "x86", "x64"];

/// Whether a name looks like those that programs give to fields, and not like a value.
fn is_field_name(name: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let lower = name.to_ascii_lowercase();
    let rest = TECHNICAL.iter().fold(lower, |rest, word| rest.replace(word, "-"));
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 60
        && name.chars().all(inside)
        && digits <= 1
        && matches!(form(name), Form::Text | Form::Plain)
}

/// Whether a number under this name is a size or a time: large, and nobody's identifier.
fn speaks_of_an_amount(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words = ["size", "bytes", "memory", "time", "timestamp", "date", "duration", "millis", "seconds"];
    name.ends_with("At") || lower.ends_with("_at") || words.iter().any(|word| lower.ends_with(word))
}

/// The headers that say how an answer is to be read, without what else could stand in them.
fn header(name: &str, value: &str) -> Option<(String, String)> {
    let name = name.to_ascii_lowercase();
    let kept = match name.as_str() {
        "content-type" => media_type(value)?,
        "retry-after" => Some(value.trim()).filter(|value| {
            let seconds = (1..=6).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
            // A comment in brackets could hold anything.
            seconds || jiff::fmt::rfc2822::parse(value).is_ok() && !value.contains('(')
        })?,
        _ => return None,
    };
    let kept = kept.to_owned();
    Some((name, kept))
}

/// The media type without its parameters, if it is a usual one.
fn media_type(value: &str) -> Option<&'static str> {
    let essence = value.split(';').next().unwrap_or_default().trim();
    const USUAL: &[&str] = &[
        "application/json",
        "application/octet-stream",
        "application/problem+json",
        "application/xml",
        "application/zip",
        "text/csv",
        "text/html",
        "text/plain",
        "text/xml",
    ];
    USUAL.iter().find(|usual| usual.eq_ignore_ascii_case(essence)).copied()
}
