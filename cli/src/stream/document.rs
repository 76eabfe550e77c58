//! An indented JSON document whose list is written item by item.

use std::io::{self, Write};

use serde_json::Value;

use crate::json_text::{append_indented, append_line_break};

/// A document with one list, which comes first at each level of its path. The other members follow at the end.
#[derive(Default)]
pub(super) struct Document {
    /// Names of the members that lead to the list; empty before the list is opened.
    path: Vec<String>,
    has_items: bool,
    /// Text that is not written yet.
    buffer: Vec<u8>,
}

impl Document {
    /// Writes items of the list at a dotted path. The items are JSON text.
    pub(super) fn write<S: AsRef<str>>(
        &mut self,
        path: &str,
        items: impl Iterator<Item = S>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for item in items {
            self.open(path);
            if self.has_items {
                self.buffer.push(b',');
            }
            self.has_items = true;
            let level = self.path.len() + 1;
            append_line_break(level, &mut self.buffer);
            append_indented(item.as_ref(), level, &mut self.buffer);
            self.flush(out)?;
        }
        Ok(())
    }

    /// Closes the list, and writes the members of `rest` that are not part of it.
    pub(super) fn end(&mut self, path: &str, rest: &Value, out: &mut dyn Write) -> io::Result<()> {
        self.open(path);
        if self.has_items {
            append_line_break(self.path.len(), &mut self.buffer);
        }
        self.buffer.push(b']');
        for (level, name) in self.path.iter().enumerate().rev() {
            let object = self.path.iter().take(level).try_fold(rest, |value, name| value.get(name));
            let members = object.and_then(Value::as_object).into_iter().flatten();
            for (key, value) in members.filter(|(key, _)| *key != name) {
                self.buffer.push(b',');
                append_line_break(level + 1, &mut self.buffer);
                append_indented(&Value::from(key.as_str()).to_string(), 0, &mut self.buffer);
                self.buffer.extend_from_slice(b": ");
                append_indented(&value.to_string(), level + 1, &mut self.buffer);
            }
            append_line_break(level, &mut self.buffer);
            self.buffer.push(b'}');
        }
        self.buffer.push(b'\n');
        self.flush(out)
    }

    fn open(&mut self, path: &str) {
        if !self.path.is_empty() {
            return;
        }
        self.path = path.split('.').map(str::to_owned).collect();
        for (level, name) in self.path.iter().enumerate() {
            self.buffer.push(b'{');
            append_line_break(level + 1, &mut self.buffer);
            append_indented(&Value::from(name.as_str()).to_string(), 0, &mut self.buffer);
            self.buffer.extend_from_slice(b": ");
        }
        self.buffer.push(b'[');
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json_text::pretty;

    /// Returns the document of a list in pages.
    fn document(path: &str, pages: &[&[Value]], rest: &Value) -> String {
        let (mut document, mut out) = (Document::default(), Vec::new());
        for page in pages {
            document.write(path, page.iter().map(Value::to_string), &mut out).unwrap();
        }
        document.end(path, rest, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn document_in_pages_equals_the_whole() {
        let items = [json!({"id": "1", "a": []}), json!({"id": "2"}), json!("\u{9b}"), json!([])];
        let whole = |list: &[Value]| {
            json!({
                "data": { "sites": list, "allSites": { "n": 1 } },
                "pagination": { "nextCursor": null },
                "errors": [],
                "notFound": [{ "id": "x\u{202e}" }],
            })
        };
        let rest = whole(&[]);
        let pages: [&[&[Value]]; 4] = [
            &[&items],
            &[&items[..1], &[], &items[1..]],
            &[&[], &items[..2], &items[2..]],
            &[&items[..3], &items[3..]],
        ];
        for pages in pages {
            assert_eq!(document("data.sites", pages, &rest), pretty(&whole(&items)));
        }
        assert_eq!(document("data.sites", &[&[]], &rest), pretty(&rest));
        assert_eq!(document("data", &[], &json!({ "data": [] })), "{\n  \"data\": []\n}\n");
    }

    #[test]
    fn document_has_its_list_first() {
        let rest = json!({ "pagination": { "totalItems": 1 }, "data": [] });
        let text = document("data", &[&[json!(1)]], &rest);
        assert_eq!(
            text,
            "{\n  \"data\": [\n    1\n  ],\n  \"pagination\": {\n    \"totalItems\": 1\n  }\n}\n"
        );
    }

    #[test]
    fn document_without_its_end_is_valid_json() {
        let text = document("data.sites", &[&[json!({ "id": "1" })]], &Value::Null);
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({ "data": { "sites": [{ "id": "1" }] } })
        );
    }
}
