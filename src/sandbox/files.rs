//! The archives that agents of the sandbox upload.

use std::io::{Cursor, Write};

use serde_json::Value;
use zip::ZipWriter;
use zip::result::ZipError;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;

/// A zip file of entries with a name and a text, with a manifest before them. With a password it is protected
/// in the old manner, which is what published integrations can open.
pub(super) fn zip(entries: &Value, password: Option<&str>) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = match password {
        Some(password) => SimpleFileOptions::default().with_deprecated_encryption(password.as_bytes())?,
        None => SimpleFileOptions::default(),
    };
    let texts = |entry: &Value| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        (relative(&text("name")), text("text"))
    };
    let entries: Vec<(String, String)> = entries.as_array().into_iter().flatten().map(texts).collect();
    if password.is_some() {
        let names: Vec<&String> = entries.iter().map(|(name, _)| name).collect();
        zip.start_file("manifest.json", options)?;
        zip.write_all(serde_json::json!({ "files": names }).to_string().as_bytes())?;
    }
    for (name, text) in &entries {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The path of an endpoint as it stands in an archive.
fn relative(path: &str) -> String {
    path.replace('\\', "/").replace(':', "").trim_start_matches('/').to_owned()
}
