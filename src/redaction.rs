//! Redaction of secrets in text of other programs.

use std::borrow::Cow;

use bytes::Bytes;
use sentinelone_raw::runtime::Secret;
use serde_json::Value;

use crate::token::ApiToken;

/// Minimum length of a secret's prefix that is redacted at the end of a truncated text.
const MIN_PREFIX: usize = 8;

/// Minimum length of a redacted secret. A shorter one occurs in most words, so that redaction would reveal it and make
/// the text unreadable.
const MIN_SECRET: usize = 4;

/// Length from which a secret is also redacted within a word.
const MIN_PART: usize = 8;

/// Replacement of a secret.
const REDACTED: &str = "…";

/// The secrets of a request: its passwords, and the token.
#[derive(Clone, Default)]
pub(crate) struct RequestSecrets {
    passwords: Vec<Secret>,
    token: Option<ApiToken>,
}

impl RequestSecrets {
    pub(crate) fn new(passwords: Vec<Secret>, token: &ApiToken) -> Self {
        Self { passwords, token: Some(token.clone()) }
    }

    /// Returns a redactor for the secrets in all their encodings.
    pub(crate) fn redactor(&self) -> Redactor<'_> {
        Redactor::new(
            self.passwords.iter().map(Secret::expose).chain(self.token.iter().map(ApiToken::expose_secret)),
        )
    }
}

/// Replaces secrets in text and JSON.
#[derive(Clone)]
pub(crate) struct Redactor<'a>(Vec<Cow<'a, str>>);

impl<'a> Redactor<'a> {
    pub(crate) fn new(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= MIN_SECRET) {
            // A truncated body is not valid JSON and is redacted as text, so escaped forms are needed. HTML pages and
            // URLs have their own escapes.
            let quoted = Value::from(secret).to_string();
            let in_json = quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
            let in_html = |quote: &str, apostrophe: &str| {
                let escaped = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                escaped.replace('"', quote).replace('\'', apostrophe)
            };
            let in_query = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
            let in_path = in_query.replace('+', "%20");
            let html_forms = [
                in_html("&quot;", "&#39;"),
                in_html("&#34;", "&#x27;"),
                in_html("&quot;", "'"),
                in_html("\"", "'"),
            ];
            let encoded = [in_json, in_query, in_path].into_iter().chain(html_forms);
            forms.extend(encoded.filter(|form| form != secret).map(Cow::Owned));
            forms.push(Cow::Borrowed(secret));
        }
        // The longest form is replaced first, because it may contain another one.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self(forms)
    }

    /// Redacts a text. If a truncated text ends with the beginning of a secret, also in front of an ellipsis, that is
    /// redacted too.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.0 {
            if clean.contains(secret.as_ref()) {
                clean = replaced(&clean, secret);
            }
            let prefixes = (MIN_PREFIX..secret.len()).rev().filter_map(|length| secret.get(..length));
            let text = clean.strip_suffix(REDACTED).unwrap_or(&clean);
            if let Some(prefix) = prefixes.into_iter().find(|prefix| text.ends_with(prefix)) {
                clean.truncate(text.len() - prefix.len());
                clean.push_str(REDACTED);
            }
        }
        clean
    }

    /// Redacts a body, including secrets with JSON escapes.
    pub(crate) fn redact_body(&self, body: &Bytes) -> Bytes {
        if let Ok(mut json) = serde_json::from_slice::<Value>(body) {
            return if self.redact_json(&mut json) { json.to_string().into() } else { body.clone() };
        }
        let text = String::from_utf8_lossy(body);
        let clean = self.redact(&text);
        if clean == text { body.clone() } else { clean.into() }
    }

    /// Redacts all strings, member names and numbers of a JSON value. Returns whether it found a secret.
    fn redact_json(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let clean = self.redact(text);
                let found = clean != *text;
                *text = clean;
                found
            }
            Value::Array(list) => {
                let mut found = false;
                for item in list {
                    found |= self.redact_json(item);
                }
                found
            }
            Value::Object(map) => {
                let mut found = false;
                for (name, mut value) in std::mem::take(map) {
                    let clean = self.redact(&name);
                    found |= self.redact_json(&mut value) || clean != name;
                    map.insert(clean, value);
                }
                found
            }
            Value::Number(number) => {
                // A password may consist of digits, and a server may return it as a number.
                let text = number.to_string();
                let clean = self.redact(&text);
                let found = clean != text;
                if found {
                    *value = Value::from(clean);
                }
                found
            }
            Value::Null | Value::Bool(_) => false,
        }
    }
}

/// Replaces a secret in a text: everywhere, or, if the secret is short, where it is not a part of a word.
fn replaced(text: &str, secret: &str) -> String {
    if secret.len() >= MIN_PART {
        return text.replace(secret, REDACTED);
    }
    let mut clean = String::new();
    let mut rest = 0;
    for (at, _) in text.match_indices(secret) {
        let end = at + secret.len();
        let before = text[..at].ends_with(char::is_alphanumeric) && secret.starts_with(char::is_alphanumeric);
        let after = text[end..].starts_with(char::is_alphanumeric) && secret.ends_with(char::is_alphanumeric);
        if !before && !after {
            clean.push_str(&text[rest..at]);
            clean.push_str(REDACTED);
            rest = end;
        }
    }
    clean.push_str(&text[rest..]);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redactor_short_secrets_keep_text_readable() {
        let text = "an error of the console: no data";
        for secret in ["e", "a", "no", "the"] {
            assert_eq!(Redactor::new([secret]).redact(text), text, "{secret}");
        }
        let secrets = Redactor::new(["test", "s3cr3t"]);
        assert_eq!(secrets.redact("the contest: test, (test) tests s3cr3t."), "the contest: …, (…) tests ….");
        let body =
            secrets.redact_body(&Bytes::from_static(br#"{"detail":"ApiToken test, latest","test":1}"#));
        assert_eq!(body, r#"{"detail":"ApiToken …, latest","…":1}"#);
    }

    #[test]
    fn redactor_removes_secret_in_every_encoding() {
        let secrets = Redactor::new(["token-1234567890", "pass\"word\\", "4711471147", ""]);
        assert_eq!(secrets.redact("a token-1234567890 b"), "a … b");
        assert_eq!(secrets.redact("truncated: token-123"), "truncated: …", "the beginning of a secret");
        assert_eq!(secrets.redact("an excerpt: token-123…"), "an excerpt: …");
        assert_eq!(secrets.redact("token-1 is too short"), "token-1 is too short");
        let body = |text: &str| {
            let clean = secrets.redact_body(&Bytes::from(text.to_owned()));
            String::from_utf8_lossy(&clean).into_owned()
        };
        let escaped = r#"{"a":["pass\u0022word\\"],"token-1234567890":4711471147}"#;
        assert_eq!(body(escaped), r#"{"a":["…"],"…":"…"}"#);
        assert_eq!(body(r#"{"a":"pass\"word\\", cut"#), r#"{"a":"…", cut"#);
        assert_eq!(body("<p>no secret</p>"), "<p>no secret</p>");
        assert_eq!(body("<p>pass&quot;word\\</p>"), "<p>…</p>");
        assert_eq!(body("no file ?p=pass%22word%5C&x=1"), "no file ?p=…&x=1");
    }
}
