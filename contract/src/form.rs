//! Forms (`multipart/form-data`) as JSON.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream;
use serde_json::{Map, Value};

use super::query;
use super::schema::Schemas;

/// A field of a form.
pub(super) struct FormField {
    pub(super) name: String,
    /// The file name; `None` if the field is not a file.
    pub(super) file_name: Option<String>,
    /// The content; of a file, it does not matter.
    pub(super) text: String,
}

/// Reads the fields of a form from a request body. `content_type` has the boundary.
///
/// # Errors
/// Returns a description of the error if the body is not a form.
pub(super) fn fields(content_type: &str, body: Bytes) -> Result<Vec<FormField>, String> {
    let boundary = multer::parse_boundary(content_type).map_err(|error| error.to_string())?;
    let chunks = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let read = async {
        let mut form = multer::Multipart::new(chunks, boundary);
        let mut fields = Vec::new();
        while let Some(field) = form.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let content = field.bytes().await?;
            let text = match file_name {
                Some(_) => String::new(),
                None => String::from_utf8_lossy(&content).into_owned(),
            };
            fields.push(FormField { name, file_name, text });
        }
        Ok(fields)
    };
    // The whole body is in memory, so reading never waits.
    match read.now_or_never() {
        Some(fields) => fields.map_err(|error: multer::Error| error.to_string()),
        None => Err("the form is incomplete".to_owned()),
    }
}

/// Returns the fields of a form as an object of the declared types. A file is its name. A field that occurs more than once
/// is a list.
pub(super) fn to_json(schemas: &Schemas, schema: &Value, fields: Vec<FormField>) -> Value {
    let properties = schemas.properties(schema);
    let mut object = Map::new();
    for FormField { name, file_name, text } in fields {
        let declared = properties.get(name.as_str()).copied();
        let is_list = declared.is_some_and(|schema| schemas.type_of(schema) == Some("array"));
        let item = declared.and_then(|schema| if is_list { schemas.items(schema) } else { Some(schema) });
        let value = match (file_name, item) {
            (Some(file_name), _) => Value::String(file_name),
            (None, Some(schema)) if schemas.type_of(schema) == Some("object") => {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
            (None, Some(schema)) => query::to_json(schemas, schema, &text),
            (None, None) => Value::String(text),
        };
        match object.get_mut(&name) {
            None if is_list => drop(object.insert(name, Value::Array(vec![value]))),
            None => drop(object.insert(name, value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;
    use crate::Contract;

    #[test]
    fn form_is_an_object_of_the_declared_types() {
        let schema = json!({ "type": "object", "properties": {
            "file": { "type": "string", "format": "binary" },
            "ids": { "type": "array", "items": { "type": "string" } },
            "count": { "type": "integer" },
            "enabled": { "type": "boolean" },
            "scope": { "type": "object" },
        } });
        let part = |headers: &str, content: &str| {
            format!("--b\r\nContent-Disposition: form-data; {headers}\r\n\r\n{content}\r\n")
        };
        let body = [
            part("name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv", "x,y\r\n--not-the-boundary"),
            part("name=\"ids\"", "7"),
            part("name=\"count\"", "3"),
            part("name=\"enabled\"", "true"),
            part("name=\"scope\"", "{\"tenant\":true}"),
            part("name=\"other\"", "1"),
            part("name=\"other\"", "2"),
        ];
        let body = body.concat() + "--b--\r\n";
        let read = |body: &str| fields("multipart/form-data; boundary=b", Bytes::from(body.to_owned()));
        let json = to_json(Contract::bundled().schemas(), &schema, read(&body).unwrap());
        let expected = json!({
            "file": "a.csv", "ids": ["7"], "count": 3, "enabled": true, "scope": { "tenant": true },
            "other": ["1", "2"],
        });
        assert_eq!(json, expected);
        assert!(read(&body[..body.len() - 9]).is_err(), "the end is missing");
        assert!(fields("application/json", Bytes::new()).is_err());
    }
}
