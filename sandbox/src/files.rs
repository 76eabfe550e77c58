//! Zip archives of the files that agents of the sandbox upload.

use std::io::{Cursor, Write};

use serde_json::Value;
use zip::ZipWriter;
use zip::result::ZipError;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;

/// Creates a zip archive from entries with a name and a content. With a password, the archive starts with a
/// manifest and uses ZipCrypto, which the published integrations can open.
pub(super) fn zip(entries: &Value, password: Option<&str>) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = match password {
        Some(password) => SimpleFileOptions::default().with_deprecated_encryption(password.as_bytes())?,
        None => SimpleFileOptions::default(),
    };
    let parse = |entry: &Value| {
        let string = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        (relative_path(&string("name")), string("content"))
    };
    let entries: Vec<(String, String)> = entries.as_array().into_iter().flatten().map(parse).collect();
    if password.is_some() {
        let names: Vec<&String> = entries.iter().map(|(name, _)| name).collect();
        zip.start_file("manifest.json", options)?;
        zip.write_all(serde_json::json!({ "files": names }).to_string().as_bytes())?;
    }
    for (name, content) in &entries {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(content.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Converts a path of an endpoint to a path in an archive.
fn relative_path(path: &str) -> String {
    path.replace('\\', "/").replace(':', "").trim_start_matches('/').to_owned()
}
