//! Encoding of forms (`multipart/form-data`, RFC 7578).

use bytes::Bytes;
use http::HeaderValue;
use sentinelone_raw::runtime::FilePart;
use serde_json::Value;

/// Returns the media type and the body of a form. `fields` is the object of its fields, in which a file is its name. Each
/// item of a list is a field, and an object is a field with JSON.
pub(super) fn encode(fields: &Value, files: &[(&'static str, FilePart)]) -> (HeaderValue, Bytes) {
    // 128 random bits occur in no file.
    let boundary = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
    let size: usize = files.iter().map(|(_, file)| file.content().len()).sum();
    let mut form = Form { boundary: &boundary, body: Vec::with_capacity(size + 4096) };
    for (name, value) in fields.as_object().into_iter().flatten() {
        match (files.iter().find(|(file, _)| file == name), value) {
            (Some((_, file)), _) => form.file(name, file),
            (None, Value::Null) => {}
            (None, Value::Array(items)) => items.iter().for_each(|item| form.value(name, item)),
            (None, value) => form.value(name, value),
        }
    }
    form.body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    // A boundary of hexadecimal digits is valid in a header.
    let kind = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"));
    (kind.unwrap_or(HeaderValue::from_static("multipart/form-data")), form.body.into())
}

struct Form<'a> {
    boundary: &'a str,
    body: Vec<u8>,
}

impl Form<'_> {
    fn part(&mut self, name: &str, parameters: &str, media_type: Option<&str>, content: &[u8]) {
        let (boundary, name) = (self.boundary, quoted(name));
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name={name}{parameters}\r\n");
        let kind = media_type.map(|kind| format!("Content-Type: {kind}\r\n")).unwrap_or_default();
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(kind.as_bytes());
        self.body.extend_from_slice(b"\r\n");
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
    }

    fn value(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(text) => self.part(name, "", None, text.as_bytes()),
            Value::Object(_) | Value::Array(_) => {
                self.part(name, "", Some("application/json"), value.to_string().as_bytes());
            }
            scalar => self.part(name, "", None, scalar.to_string().as_bytes()),
        }
    }

    fn file(&mut self, name: &str, file: &FilePart) {
        let parameters = format!("; filename={}", quoted(file.name()));
        self.part(name, &parameters, Some(file.media_type()), file.content());
    }
}

/// Returns a quoted parameter of a header, with the escapes of browsers.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
    format!("\"{escaped}\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn form_has_a_part_for_each_value() {
        let fields = json!({
            "file": "a\"\r\n.csv", "ids": ["7", "8"], "count": 3, "none": null, "scope": { "tenant": true },
        });
        let files = [("file", FilePart::new("a\"\r\n.csv", "x,y\r\n"))];
        let (kind, body) = encode(&fields, &files);
        let boundary = kind.to_str().unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        let part = |name: &str, rest: &str, content: &str| {
            let head = format!("Content-Disposition: form-data; name={name:?}{rest}");
            format!("--{boundary}\r\n{head}\r\n\r\n{content}\r\n")
        };
        let expected = [
            part("count", "", "3"),
            part("file", "; filename=\"a%22%0D%0A.csv\"\r\nContent-Type: text/csv", "x,y\r\n"),
            part("ids", "", "7"),
            part("ids", "", "8"),
            part("scope", "\r\nContent-Type: application/json", "{\"tenant\":true}"),
        ];
        // Another crate may enable `preserve_order` of serde_json, so the order of the fields differs.
        let text = std::str::from_utf8(&body).unwrap();
        for part in &expected {
            assert!(text.contains(part.as_str()), "{part}\n{text}");
        }
        assert!(text.ends_with(&format!("--{boundary}--\r\n")));
        assert_eq!(text.len(), expected.concat().len() + boundary.len() + 6);
    }
}
