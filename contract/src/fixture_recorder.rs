//! Recorder of exchanges as fixture files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use serde_json::Value;

use sentinelone::{RawExchange, Recorder};

use super::fixture::{Exchange, Provenance, ProvenanceKind, REQUEST_ID_HEADER, SANDBOX_REQUEST_ID_PREFIX};
use super::{Contract, Sanitizer};

/// Returns whether a response is from the sandbox.
fn is_from_sandbox(headers: &HeaderMap) -> bool {
    let id = headers.get(REQUEST_ID_HEADER);
    id.is_some_and(|id| id.as_bytes().starts_with(SANDBOX_REQUEST_ID_PREFIX.as_bytes()))
}

/// Records each exchange of a client as a sanitized fixture file.
///
/// The files are [`Exchange`]s: `<dir>/<operation>/<number>-<status>.json`. Files are never overwritten: the numbers
/// continue after the highest existing number, and several clients can record into one directory. A write error does
/// not fail the call; [`errors`](Self::errors) returns it. The file is written before the call returns, which usually
/// blocks the task for some milliseconds.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use sentinelone::ApiToken;
/// use sentinelone_contract::fixture::{Provenance, ProvenanceKind};
/// use sentinelone_contract::{FixtureRecorder, Sanitizer};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let token = ApiToken::from_env("S1_API_TOKEN")?;
/// let provenance = Provenance::new(ProvenanceKind::Recorded, "test console");
/// let recorder = FixtureRecorder::create("recorded", Sanitizer::for_token(&token), provenance)?;
/// // Pass it to the client, which takes any `Arc<dyn Recorder>`.
/// let recorder = Arc::new(recorder);
/// println!("{} exchanges written", recorder.written_count());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FixtureRecorder {
    dir: PathBuf,
    sanitizer: Sanitizer,
    provenance: Provenance,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    written: usize,
    errors: Vec<String>,
}

/// The error of writing a fixture file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureRecorderError {
    /// The file or directory cannot be written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        error: io::Error,
    },
    /// The sanitized file would still contain a secret, such as one that equals a literal of the specification.
    #[error("{operation}: the exchange was not recorded, because the file would contain a secret")]
    Secret {
        /// The operation.
        operation: String,
    },
}

const NOTE: &str =
    "Names, addresses, identifiers and strings are replaced; equal values have equal replacements.";

impl FixtureRecorder {
    /// Creates a recorder for a directory, which is created if it does not exist. If the provenance lacks a date or
    /// a note, today and a note about replaced values are used. Responses of the sandbox always have the provenance
    /// kind [`Sandbox`](ProvenanceKind::Sandbox).
    ///
    /// # Errors
    /// Returns an error if the directory cannot be created.
    pub fn create(
        dir: impl Into<PathBuf>,
        sanitizer: Sanitizer,
        provenance: Provenance,
    ) -> Result<Self, FixtureRecorderError> {
        let dir = dir.into();
        create_dir(&dir)?;
        let mut provenance = provenance;
        if provenance.date.is_empty() {
            let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
            provenance.date = today.to_string();
        }
        if provenance.note.is_empty() {
            provenance.note = NOTE.to_owned();
        }
        Ok(Self { dir, sanitizer, provenance, state: Mutex::default() })
    }

    /// Writes an exchange from another source with its own provenance. Returns the path of the file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written; [`errors`](Self::errors) does not include it.
    pub fn add(&self, exchange: &Exchange) -> Result<PathBuf, FixtureRecorderError> {
        self.store(&self.sanitizer.exchange(exchange))
    }

    /// Returns the number of exchanges written.
    pub fn written_count(&self) -> usize {
        self.state().written
    }

    /// Returns the errors of the exchanges that were not written.
    pub fn errors(&self) -> Vec<String> {
        self.state().errors.clone()
    }

    /// Returns the directory of the files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is valid even if another thread panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, exchange: &Exchange) -> Result<PathBuf, FixtureRecorderError> {
        // The lock keeps the numbers of a client in the order of its calls.
        let mut state = self.state();
        let path = self.write(exchange)?;
        state.written += 1;
        Ok(path)
    }

    fn write(&self, exchange: &Exchange) -> Result<PathBuf, FixtureRecorderError> {
        let secret = || FixtureRecorderError::Secret { operation: exchange.operation.clone() };
        let found = exchange.match_operation(Contract::bundled());
        let dir = self.dir.join(found.map_or("unknown", |found| found.operation.id()));
        let io = |error| FixtureRecorderError::Io { path: dir.clone(), error };
        let mut json = serde_json::to_string_pretty(exchange).map_err(|error| io(error.into()))?;
        json.push('\n');
        if self.sanitizer.contains_secret(&json) {
            return Err(secret());
        }
        create_dir(&dir)?;
        let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(&dir).map_err(io)?;
        file.write_all(json.as_bytes()).map_err(io)?;
        let mut number = u64::from(last_number(&dir).map_err(io)?);
        loop {
            number += 1;
            let path = dir.join(format!("{number:03}-{}.json", exchange.status));
            match file.persist_noclobber(&path) {
                Ok(_) => return Ok(path),
                // Another recorder used the number.
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.file,
                Err(error) => return Err(FixtureRecorderError::Io { path, error: error.error }),
            }
        }
    }
}

impl Recorder for FixtureRecorder {
    fn record(&self, raw: &RawExchange<'_>) {
        let mut provenance = self.provenance.clone();
        // A sandbox response never has the provenance of a console.
        if is_from_sandbox(raw.headers) {
            provenance.kind = ProvenanceKind::Sandbox;
        }
        let mut clean = self.sanitizer.exchange(&exchange(raw, provenance));
        if let Some(body) = raw.response_body.filter(|_| clean.response.is_none()) {
            // The placeholder has the length of the bytes, which may not be UTF-8.
            let content_type = clean.headers.get("content-type").map(String::as_str);
            clean.response_text = Some(Sanitizer::body_placeholder(content_type, body));
        }
        if let Err(error) = self.store(&clean) {
            self.state().errors.push(error.to_string());
        }
    }
}

/// Converts a raw exchange, without a response body that is not JSON.
fn exchange(raw: &RawExchange<'_>, provenance: Provenance) -> Exchange {
    let path = raw.operation.path.replace("{version}", raw.api_version.as_str());
    let operation = format!("{} {path}", raw.operation.method.as_str());
    let mut exchange = Exchange::new(operation, raw.status.as_u16(), provenance);
    exchange.request.path = (path != raw.path).then(|| raw.path.to_owned());
    exchange.request.query = raw.query.iter().cloned().collect();
    let headers = raw.request_headers.iter();
    exchange.request.headers = headers.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    exchange.request.body = raw.request_body.cloned();
    exchange.headers = string_headers(raw.headers);
    exchange.response = raw.response_body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
    exchange
}

fn string_headers(headers: &HeaderMap) -> std::collections::BTreeMap<String, String> {
    let strings = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    strings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn create_dir(dir: &Path) -> Result<(), FixtureRecorderError> {
    let io = |error| FixtureRecorderError::Io { path: dir.to_owned(), error };
    std::fs::create_dir_all(dir).map_err(io)
}

/// Returns the highest number of a file in the directory.
fn last_number(dir: &Path) -> io::Result<u32> {
    let mut last = 0;
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.split_once('-')?.0.parse().ok());
        last = last.max(number.unwrap_or_default());
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, StatusCode};
    use sentinelone::raw::runtime::ApiVersion;

    use super::*;
    use crate::fixture::{ProvenanceKind, read_dir};

    const ID: &str = "225494730938493804";

    /// Returns the recorded fixture of an exchange with this response.
    fn recorded(status: u16, headers: &[(&'static str, &'static str)], body: Option<&[u8]>) -> Exchange {
        let dir = tempfile::TempDir::new().unwrap();
        let provenance = Provenance::new(ProvenanceKind::Recorded, "this test");
        let sanitizer = Sanitizer::with_key(b"k").add_secret("x7-token");
        let recorder = FixtureRecorder::create(dir.path(), sanitizer, provenance).unwrap();
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let operation = sentinelone::raw::OPERATIONS
            .iter()
            .find(|operation| operation.id == "threats_list_notes")
            .unwrap();
        let path = format!("/web/api/v2.1/threats/{ID}/notes");
        let status_code = StatusCode::from_u16(status).unwrap();
        let mut raw = RawExchange::new(operation, ApiVersion::V2_1, &path, status_code, &headers);
        let query = [("limit".into(), "7".into()), ("creator__like".into(), "x7-token".into())];
        (raw.query, raw.response_body) = (&query, body);
        recorder.record(&raw);
        assert_eq!((recorder.written_count(), recorder.errors()), (1, Vec::new()));
        let (path, exchange) = read_dir(dir.path()).unwrap().remove(0);
        assert!(path.ends_with(format!("threats_list_notes/001-{status}.json")), "{}", path.display());
        let file = std::fs::read_to_string(path).unwrap();
        assert!(!file.contains(ID) && !file.contains("x7-token") && file.ends_with("}\n"), "{file}");
        exchange
    }

    #[test]
    fn recorder_json_response_has_provenance() {
        let body = format!(r#"{{"data": [{{"id": "{ID}", "text": "x7-token"}}]}}"#);
        let headers = [("content-type", "application/json; x=x7-token"), ("set-cookie", "sid=x7-token")];
        let exchange = recorded(200, &headers, Some(body.as_bytes()));
        assert_eq!(exchange.operation, "GET /web/api/v2.1/threats/{threat_id}/notes");
        let id = exchange.response.as_ref().unwrap()["data"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(exchange.path(), format!("/web/api/v2.1/threats/{id}/notes"));
        assert_eq!(exchange.request.query["limit"], "7");
        assert_eq!(exchange.headers.keys().collect::<Vec<_>>(), ["content-type"]);
        assert_eq!(exchange.headers["content-type"], "application/json");
        let Provenance { kind, source, date, note } = exchange.provenance;
        assert_eq!((kind, source.as_str(), note.as_str()), (ProvenanceKind::Recorded, "this test", NOTE));
        assert!(date.parse::<jiff::civil::Date>().is_ok(), "{date}");
    }

    #[test]
    fn recorder_non_json_response_keeps_type_and_length() {
        let page = b"<html>web-01 x7-token</html>";
        let exchange = recorded(502, &[("content-type", "text/html"), ("retry-after", "7")], Some(page));
        let expected = "<html><!-- 28 bytes, left out of the recording --></html>";
        assert_eq!(exchange.response_text.as_deref(), Some(expected));
        assert_eq!(exchange.headers["retry-after"], "7");
        // The placeholder has the length of the bytes, which are not UTF-8.
        let exchange = recorded(200, &[], Some(b"PK\xff\xfe"));
        let expected = "[application/octet-stream of 4 bytes, left out of the recording]";
        assert_eq!(exchange.response_text.as_deref(), Some(expected));
        let until = [("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")];
        let exchange = recorded(504, &until, Some(b""));
        assert_eq!(exchange.response_text.as_deref(), Some(""), "an empty body is recorded");
        assert_eq!(exchange.headers["retry-after"], until[0].1);
        assert_eq!(recorded(504, &[("retry-after", "after web-01")], None).headers.len(), 0);
        let exchange = recorded(200, &[], None);
        assert_eq!((exchange.response, exchange.response_text), (None, None), "a download has no body");
    }

    #[test]
    fn recorder_write_error_is_collected() {
        let dir = tempfile::TempDir::new().unwrap();
        let provenance = Provenance::new(ProvenanceKind::Recorded, "this test");
        let recorder = FixtureRecorder::create(dir.path(), Sanitizer::with_key(b"k"), provenance).unwrap();
        std::fs::write(dir.path().join("threats_list"), "").unwrap();
        let operation =
            sentinelone::raw::OPERATIONS.iter().find(|operation| operation.id == "threats_list").unwrap();
        let (path, headers) = ("/web/api/v2.1/threats", HeaderMap::new());
        let mut raw = RawExchange::new(operation, ApiVersion::V2_1, path, StatusCode::OK, &headers);
        raw.response_body = Some(b"{}");
        recorder.record(&raw);
        recorder.record(&raw);
        assert_eq!((recorder.written_count(), recorder.errors().len()), (0, 2));
        assert!(recorder.errors()[0].contains("threats_list"));
    }
}
