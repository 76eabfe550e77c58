//! Sanitizer: redacts secrets and pseudonymizes data in exchanges.

use std::cell::RefCell;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Number, Value};

use super::exchange_context::ExchangeContext;
use super::fixture::{Exchange, ExchangeRequest};
use super::operation::ParameterLocation;
use super::path;
use super::pseudonymize::{Format, Pseudonymizer, detect_format};
use super::secret_text::{MASK, contains_jwt};
use super::value_context::{FieldDeclaration, ValueContext};
use super::{Contract, OperationMatch};
use sentinelone::ApiToken;

/// Replaces all data in an exchange that could be sensitive.
///
/// It keeps values that are not sensitive: nulls, booleans, ordinary numbers, times, empty strings, field names, and
/// versions in fields whose name contains `version`. It keeps the enum values of the API, including undeclared ones
/// without digits. **All other values are replaced**, whether declared or not, by a value of the same format:
///
/// | value | replacement |
/// | --- | --- |
/// | IDs, digests, UUIDs | the same number of digits of the same alphabet |
/// | e-mail address | `user-….@example.com` |
/// | IPv4 address | an address in `240.0.0.0/4`, which no network uses |
/// | IPv6 address | an address in `2001:db8::/32` |
/// | hardware address | a locally administered address |
/// | host name | `host-….example.com` |
/// | URL | `https://host-….example.com/…`, with the original scheme |
/// | secret | `[secret]` |
/// | other string | `text-…` |
///
/// Equal values have equal replacements, at any location, in all exchanges and in all runs with the same key. For
/// example, an ID in a path still equals the ID in the response before. Replacements of IDs, digests and UUIDs are
/// distinct. The hash of other values has 64 bits, of IPv4 addresses 28 bits, of hardware addresses 46 bits.
///
/// Replacements are computed with HMAC-SHA256. Without the key, a guess cannot be verified. The key is not stored:
/// [`for_token`](Self::for_token) derives it from the token.
///
/// Limits: it keeps a name without digits in a field with an enum, and data that is used as a field name and resembles
/// one.
pub struct Sanitizer {
    pseudonymizer: Pseudonymizer,
    /// In lower case, plain and as JSON strings.
    secrets: Vec<SecretString>,
}

/// Omits the secrets and the key.
impl fmt::Debug for Sanitizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sanitizer").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

/// Separates the key of recordings from other keys derived from a token.
const PURPOSE: &[u8] = b"sentinelone: replacements in recordings, 1\0";

/// The minimum length of a secret that is searched in other values and field names. Shorter strings occur in many of
/// them.
const MIN_SECRET_LENGTH: usize = 6;

/// Minimum of the numbers that can be IDs.
const MIN_ID_NUMBER: u64 = 10_000_000_000;

impl Sanitizer {
    /// Creates a sanitizer whose replacements depend on this key.
    pub fn with_key(key: &[u8]) -> Self {
        Self { pseudonymizer: Pseudonymizer::new(key), secrets: Vec::new() }
    }

    /// Creates a sanitizer whose replacements are equal in all recordings with this token. The token is one of its
    /// secrets.
    pub fn for_token(token: &ApiToken) -> Self {
        let key = SecretString::from(token.expose_secret());
        let material = [PURPOSE, key.expose_secret().as_bytes()].concat();
        Self::with_key(&material).add_secret(token.expose_secret())
    }

    /// Adds a secret, which is redacted at each location: also as a part of a string, a number or a field name. Case is
    /// ignored.
    #[must_use]
    pub fn add_secret(mut self, secret: impl AsRef<str>) -> Self {
        let plain = SecretString::from(secret.as_ref().trim().to_lowercase());
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

    /// Returns the sanitized exchange with its original provenance. Operations are matched against the
    /// [bundled](Contract::bundled) contract. Without a matching operation, less data is kept.
    pub fn exchange(&self, exchange: &Exchange) -> Exchange {
        let first = Pass { sanitizer: self, known_secrets: &[], found_secrets: RefCell::default() };
        let clean = first.exchange(exchange);
        let found_secrets = first.found_secrets.into_inner();
        if found_secrets.is_empty() {
            return clean;
        }
        // The value of a secret field can also occur in values that are kept.
        Pass { sanitizer: self, known_secrets: &found_secrets, found_secrets: RefCell::default() }
            .exchange(exchange)
    }

    /// Returns the placeholder of a body that is not JSON, with its type and length.
    pub(super) fn body_placeholder(content_type: Option<&str>, body: &[u8]) -> String {
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

    /// Returns whether the string contains a secret, plain or as a JSON string.
    pub(super) fn contains_secret(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.secrets.iter().any(|secret| text.contains(secret.expose_secret()))
    }
}

/// One pass over an exchange.
struct Pass<'s> {
    sanitizer: &'s Sanitizer,
    /// Values of secret fields from the previous pass.
    known_secrets: &'s [SecretString],
    /// Values of secret fields in this pass.
    found_secrets: RefCell<Vec<SecretString>>,
}

impl Pass<'_> {
    fn exchange(&self, exchange: &Exchange) -> Exchange {
        let exchange_context = ExchangeContext::new(Contract::bundled(), exchange);
        let (operation, path) = match &exchange_context.found {
            Some(found) => self.known_path(&exchange_context, found, exchange),
            None => self.unknown_path(exchange),
        };
        let query = exchange.request.query.iter().map(|(name, value)| {
            let (context, declaration) = exchange_context.parameter(ParameterLocation::Query, name);
            (self.name(name, declaration), self.parameter(&context, value))
        });
        let headers = exchange.request.headers.iter().filter_map(|(name, value)| {
            let (context, declaration) = exchange_context.parameter(ParameterLocation::Header, name);
            let is_declared = declaration == FieldDeclaration::Declared;
            is_declared.then(|| (name.clone(), self.parameter(&context, value)))
        });
        let request = ExchangeRequest {
            path,
            query: query.collect(),
            headers: headers.collect(),
            body: exchange
                .request
                .body
                .as_ref()
                .map(|body| self.value(&exchange_context.request_body(), body)),
        };
        let content_type =
            exchange.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = content_type.map(|(_, value)| value.as_str());
        let placeholder = |text: &String| Sanitizer::body_placeholder(content_type, text.as_bytes());
        Exchange {
            operation,
            request,
            status: exchange.status,
            headers: exchange.headers.iter().filter_map(|(name, value)| header(name, value)).collect(),
            response: exchange
                .response
                .as_ref()
                .map(|body| self.value(&exchange_context.response_body(), body)),
            response_text: exchange.response_text.as_ref().map(placeholder),
            placeholder_kind: exchange.placeholder_kind.clone(),
            inferred: exchange.inferred,
            provenance: exchange.provenance.clone(),
        }
    }

    /// Returns the operation of the specification, and the path of the request.
    fn known_path(
        &self,
        exchange_context: &ExchangeContext<'_>,
        found: &OperationMatch<'_>,
        exchange: &Exchange,
    ) -> (String, Option<String>) {
        let operation = found.operation;
        let version = found.version.unwrap_or_default().as_str();
        let name = format!("{} {}", operation.method(), operation.path().replace("{version}", version));
        // A file without path values has the names in braces.
        let is_name = |value: &str| value.starts_with('{') && value.ends_with('}');
        let has_values = exchange.request.path.is_some()
            || exchange_context.path_values().any(|(_, value)| !is_name(value));
        let path = has_values.then(|| {
            path::fill(operation.path(), |name| {
                if name == "version" {
                    return version.to_owned();
                }
                let value = found.path_values.get(name).map(String::as_str).unwrap_or_default();
                self.text(&exchange_context.parameter(ParameterLocation::Path, name).0, value)
            })
        });
        (name, path)
    }

    /// Returns operation and path of an unmatched operation. Segments from paths of the specification are kept.
    fn unknown_path(&self, exchange: &Exchange) -> (String, Option<String>) {
        let segment = |segment: &str| {
            let literal =
                |operation: &super::OperationSpec| operation.path().split('/').any(|own| own == segment);
            let known = Contract::bundled().operations().any(literal) || matches!(segment, "v2.0" | "v2.1");
            if known { segment.to_owned() } else { path::encode(&self.by_format(segment)) }
        };
        let replaced = |path: &str| match path::segments(path) {
            Some(segments) => segments.iter().map(|own| format!("/{}", segment(own))).collect::<String>(),
            None => format!("/{}", path::encode(&self.by_format(path))),
        };
        let method = exchange.method().to_ascii_uppercase();
        let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
        let method = methods.iter().find(|known| **known == method).copied().unwrap_or("GET");
        let template = exchange.operation.split_once(' ').map_or("", |(_, path)| path.trim());
        (format!("{method} {}", replaced(template)), exchange.request.path.as_deref().map(replaced))
    }

    fn value(&self, context: &ValueContext<'_>, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(number) => Value::Number(self.number(context, number)),
            Value::String(text) => Value::String(match context.kind() {
                // If an array is declared, a single element counts as one.
                Some("array") => self.text(&context.item(), text),
                _ => self.text(context, text),
            }),
            Value::Array(items) => {
                let item = context.item();
                items.iter().map(|value| self.value(&item, value)).collect()
            }
            Value::Object(fields) => Value::Object(self.fields(context, fields)),
        }
    }

    fn fields(&self, context: &ValueContext<'_>, fields: &Map<String, Value>) -> Map<String, Value> {
        let mut clean = Map::new();
        for (name, value) in fields {
            let (below, declaration) = context.field(name);
            let new = self.name(name, declaration);
            let mut key = new.clone();
            // A suffix avoids the names of other fields.
            let mut number = 2;
            while clean.contains_key(&key) || key != *name && fields.contains_key(&key) {
                key = format!("{new}-{number}");
                number += 1;
            }
            clean.insert(key, self.value(&below, value));
        }
        clean
    }

    fn name(&self, name: &str, declaration: FieldDeclaration) -> String {
        let keep = match declaration {
            FieldDeclaration::Declared => !self.sanitizer.contains_secret(name),
            FieldDeclaration::Undeclared => is_field_name(name) && !self.contains_secret(name),
            FieldDeclaration::MapKey => name.is_empty(),
        };
        if keep { name.to_owned() } else { self.by_format(name) }
    }

    /// Sanitizes a query value, where lists are joined by commas.
    fn parameter(&self, context: &ValueContext<'_>, text: &str) -> String {
        let list = |context: &ValueContext<'_>| {
            text.split(',').map(|text| self.parameter(context, text)).collect::<Vec<_>>().join(",")
        };
        match context.kind() {
            Some("array") => list(&context.item()),
            Some("integer" | "number") => match serde_json::from_str::<Number>(text) {
                Ok(number) if number.to_string() == text => self.number(context, &number).to_string(),
                _ => self.text(context, text),
            },
            None if text.contains(',') && !context.is_declared() => list(context),
            _ => self.text(context, text),
        }
    }

    fn text(&self, context: &ValueContext<'_>, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        if self.sanitizer.contains_secret(text) || contains_jwt(text) {
            return context.mask();
        }
        if context.is_expected_value(text) {
            return text.to_owned();
        }
        if context.is_secret() {
            if text.chars().count() >= MIN_SECRET_LENGTH {
                self.found_secrets.borrow_mut().push(SecretString::from(text.to_lowercase()));
            }
            return context.mask();
        }
        if is_harmless(context, text) && !self.contains_secret(text) {
            return text.to_owned();
        }
        if context.is_json()
            && let Ok(document) = serde_json::from_str::<Value>(text)
            && (document.is_object() || document.is_array())
        {
            return self.value(&context.document(), &document).to_string();
        }
        let new = self.by_format(text);
        if context.fits(&new) {
            return new;
        }
        // Fit the generic pseudonym to the declared lengths. The hash is at its end.
        context.fit(&self.sanitizer.pseudonymizer.text_pseudonym(text), '-')
    }

    /// Replaces a string by its format alone.
    fn by_format(&self, text: &str) -> String {
        if self.sanitizer.contains_secret(text) || contains_jwt(text) {
            return MASK.to_owned();
        }
        self.address(text).unwrap_or_else(|| self.sanitizer.pseudonymizer.pseudonym(text))
    }

    /// Sanitizes a path within the console, such as that of an upload. The result still matches the operation.
    fn address(&self, text: &str) -> Option<String> {
        let in_full = |path: &str| Contract::bundled().match_operation("GET", path);
        if !text.starts_with('/') || text.contains(['?', '#']) {
            return None;
        }
        let base = "/web/api/v2.1";
        let (found, cut) = match in_full(text) {
            Some(found) => (found, 0),
            None => (in_full(&format!("{base}{text}"))?, base.len()),
        };
        let version = found.version?.as_str();
        let path = path::fill(found.operation.path(), |name| match found.path_values.get(name) {
            Some(value) => self.by_format(value),
            None => version.to_owned(),
        });
        Some(path.get(cut..)?.to_owned())
    }

    fn number(&self, context: &ValueContext<'_>, number: &Number) -> Number {
        let text = number.to_string();
        let redacted = context.is_secret() && !matches!(context.kind(), Some("integer" | "number"));
        if redacted || self.contains_secret(&text) {
            return Number::from(0);
        }
        let digits = text.trim_start_matches('-');
        let is_large = match digits.parse::<u64>() {
            Ok(number) => number >= MIN_ID_NUMBER,
            Err(_) => number.as_f64().is_none_or(|number| number.abs() >= MIN_ID_NUMBER as f64),
        };
        if !is_large || is_amount_name(context.name()) {
            return number.clone();
        }
        if detect_format(digits) == Format::Digits {
            let sign = &text[..text.len() - digits.len()];
            let new = format!("{sign}{}", self.sanitizer.pseudonymizer.digits(digits));
            return serde_json::from_str(&new).unwrap_or_else(|_| Number::from(0));
        }
        let new = self.sanitizer.pseudonymizer.large_number(&text);
        Number::from_f64(if text.starts_with('-') { -new } else { new }).unwrap_or_else(|| Number::from(0))
    }

    fn contains_secret(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.sanitizer.contains_secret(text)
            || self.known_secrets.iter().any(|secret| lower.contains(secret.expose_secret()))
    }
}

/// Returns whether a string at this location is not sensitive.
fn is_harmless(context: &ValueContext<'_>, text: &str) -> bool {
    let name = context.name().to_ascii_lowercase();
    let is_range = || {
        let times = text.split_once('-').map(|(from, to)| [from, to]);
        times.is_some_and(|all| all.iter().all(|one| one.len() == 13 && detect_format(one) == Format::Digits))
    };
    context.has_enum() && looks_like_enum_value(text)
        || name.contains("version") && is_version(text)
        || name == "sortby" && is_field_name(text)
        || name.ends_with("__between") && is_range()
}

/// Returns whether a string could be an undeclared enum value. With digits, it could be the name of an endpoint.
fn looks_like_enum_value(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | ' ');
    text.chars().count() <= 60 && text.chars().all(inside)
}

/// Returns whether a string could be a version or a range of versions. A version that could be an IP address counts
/// only if its first number is as small as in agent versions.
fn is_version(text: &str) -> bool {
    let one = |text: &str| {
        let text = text.strip_prefix('v').unwrap_or(text);
        let parts: Vec<&str> = text.split('.').collect();
        let number = |part: &&str| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let first = parts.first().and_then(|part| part.parse::<u32>().ok());
        let is_address = matches!(detect_format(text), Format::Ipv4(..));
        parts.len() <= 6
            && parts.iter().all(number)
            && (!is_address || first.is_some_and(|first| first < 64 && first != 10))
    };
    one(text) || text.split_once('-').is_some_and(|(from, to)| one(from) && one(to))
}

/// Literals with several digits in field names. Other digits suggest the name of an endpoint.
const TECHNICAL: &[&str] = &["sha256", "sha512", "base64", "win32", "win64", "wow64", "x86", "x64"];

/// Returns whether a name resembles a field name, and not a value.
fn is_field_name(name: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let lower = name.to_ascii_lowercase();
    let rest = TECHNICAL.iter().fold(lower, |rest, technical| rest.replace(technical, "-"));
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 60
        && name.chars().all(inside)
        && digits <= 1
        && matches!(detect_format(name), Format::Text | Format::Plain)
}

/// Returns whether a name indicates a size or a time: a large number that is not an ID.
fn is_amount_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let suffixes = ["size", "bytes", "memory", "time", "timestamp", "date", "duration", "millis", "seconds"];
    name.ends_with("At") || lower.ends_with("_at") || suffixes.iter().any(|suffix| lower.ends_with(suffix))
}

/// Returns a header that describes how to read the response, without other data.
fn header(name: &str, value: &str) -> Option<(String, String)> {
    let name = name.to_ascii_lowercase();
    let value = match name.as_str() {
        "content-type" => media_type(value)?,
        "retry-after" => Some(value.trim()).filter(|value| {
            let seconds = (1..=6).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
            // A comment in parentheses could hold any data.
            seconds || jiff::fmt::rfc2822::parse(value).is_ok() && !value.contains('(')
        })?,
        _ => return None,
    };
    let value = value.to_owned();
    Some((name, value))
}

/// Returns the media type without its parameters, if it is a common one.
fn media_type(value: &str) -> Option<&'static str> {
    let essence = value.split(';').next().unwrap_or_default().trim();
    const COMMON: &[&str] = &[
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
    COMMON.iter().find(|common| common.eq_ignore_ascii_case(essence)).copied()
}
