//! HAR file with pages of threats, as a browser exports it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::json;

use crate::page::{self, PageBuffer};

/// Writes a HAR file of at least `bytes` bytes. Returns its size and the number of its exchanges. Each exchange is a page
/// of [`page::THREATS`] threats, about 8 MB.
///
/// # Errors
/// Returns an error if the page cannot be built or the file cannot be written.
pub fn write(path: &Path, bytes: u64) -> Result<(u64, usize), Box<dyn std::error::Error + Send + Sync>> {
    let mut buffer = PageBuffer::new()?;
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(br#"{"log":{"version":"1.2","creator":{"name":"s1-bench","version":"1"},"entries":["#)?;
    let (mut written, mut exchanges) = (0, 0);
    while written < bytes {
        let first = (exchanges * page::THREATS) as u64;
        let next = first + page::THREATS as u64;
        let mut body = buffer.write(first..next)?.to_vec();
        body.extend(page::suffix(Some(next.to_string()), 100_000));
        let entry = json!({
            "startedDateTime": "2024-01-08T00:00:00.000Z",
            "time": 300,
            "request": {
                "method": "GET",
                "url": format!("https://console.example.com/web/api/v2.1/threats?limit={}&cursor={first}", page::THREATS),
                "headers": [],
            },
            "response": {
                "status": 200,
                "headers": [{ "name": "content-type", "value": "application/json" }],
                "content": { "mimeType": "application/json", "text": String::from_utf8(body)? },
            },
        })
        .to_string();
        if exchanges > 0 {
            file.write_all(b",")?;
        }
        file.write_all(entry.as_bytes())?;
        written += entry.len() as u64;
        exchanges += 1;
    }
    file.write_all(b"]}}")?;
    let file = file.into_inner().map_err(|error| error.into_error())?;
    Ok((file.metadata()?.len(), exchanges))
}
