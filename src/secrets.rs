//! Taking secrets out of texts that others wrote.

use std::borrow::Cow;

use bytes::Bytes;
use sentinelone_raw::runtime::Secret;
use serde_json::Value;

use crate::token::ApiToken;

/// How much of the beginning of a secret gives it away.
const HEAD: usize = 8;

/// What stands in the place of a secret.
const COVER: &str = "…";

/// What must not be shown of what is said about a request: its passwords, and the token that it was sent with.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    passwords: Vec<Secret>,
    token: Option<ApiToken>,
}

impl Kept {
    pub(crate) fn new(passwords: Vec<Secret>, token: &ApiToken) -> Self {
        Self { passwords, token: Some(token.clone()) }
    }

    /// They as they are looked for, in each of their spellings.
    pub(crate) fn spelt(&self) -> Secrets<'_> {
        Secrets::of(self.passwords.iter().map(Secret::expose).chain(self.token.iter().map(ApiToken::exposed)))
    }
}

/// Texts that must not be shown.
#[derive(Clone)]
pub(crate) struct Secrets<'a>(Vec<Cow<'a, str>>);

impl<'a> Secrets<'a> {
    pub(crate) fn of(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            // What was cut off is read as text, and pages and addresses have escapes of their own.
            let quoted = Value::from(secret).to_string();
            let in_json = quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
            let in_page = |quote: &str, apostrophe: &str| {
                let page = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                page.replace('"', quote).replace('\'', apostrophe)
            };
            let in_query = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
            let in_path = in_query.replace('+', "%20");
            let pages = [
                in_page("&quot;", "&#39;"),
                in_page("&#34;", "&#x27;"),
                in_page("&quot;", "'"),
                in_page("\"", "'"),
            ];
            let others = [in_json, in_query, in_path].into_iter().chain(pages);
            forms.extend(others.filter(|form| form != secret).map(Cow::Owned));
            forms.push(Cow::Borrowed(secret));
        }
        let mut secrets = forms;
        // One may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// A text without them. What was cut off at its end may hold the beginning of one, which goes too.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.0 {
            if clean.contains(secret.as_ref()) {
                clean = clean.replace(secret.as_ref(), COVER);
            }
            let heads = (HEAD..secret.len()).rev().filter_map(|length| secret.get(..length));
            if let Some(head) = heads.into_iter().find(|head| clean.ends_with(head)) {
                clean.truncate(clean.len() - head.len());
                clean.push_str(COVER);
            }
        }
        clean
    }

    /// A body without them, in the escapes of JSON either.
    pub(crate) fn redact_body(&self, body: &Bytes) -> Bytes {
        if let Ok(mut json) = serde_json::from_slice::<Value>(body) {
            return if self.redact_json(&mut json) { json.to_string().into() } else { body.clone() };
        }
        let text = String::from_utf8_lossy(body);
        let clean = self.redact(&text);
        if clean == text { body.clone() } else { clean.into() }
    }

    /// Takes them out of every text of a document, and tells whether one was there.
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
                // A password may be one, and come back as one.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_wherever_they_stand() {
        let secrets = Secrets::of(["token-1234567890", "pass\"word\\", "4711471147", ""]);
        assert_eq!(secrets.redact("a token-1234567890 b"), "a … b");
        assert_eq!(secrets.redact("cut off: token-123"), "cut off: …", "the beginning of one");
        assert_eq!(secrets.redact("token-1 is none"), "token-1 is none");
        let body = |text: &str| {
            let clean = secrets.redact_body(&Bytes::from(text.to_owned()));
            String::from_utf8_lossy(&clean).into_owned()
        };
        let escaped = r#"{"a":["pass\u0022word\\"],"token-1234567890":4711471147}"#;
        assert_eq!(body(escaped), r#"{"a":["…"],"…":"…"}"#);
        assert_eq!(body(r#"{"a":"pass\"word\\", cut"#), r#"{"a":"…", cut"#);
        assert_eq!(body("<p>nothing to hide</p>"), "<p>nothing to hide</p>");
        assert_eq!(body("<p>pass&quot;word\\</p>"), "<p>…</p>");
        assert_eq!(body("no file ?p=pass%22word%5C&x=1"), "no file ?p=…&x=1");
    }
}
