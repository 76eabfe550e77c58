//! Writes down what goes over the wire.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use serde_json::Value;

use super::fixture::{Exchange, Provenance, ProvenanceKind};
use super::{Contract, Sanitizer};
use crate::response::is_from_sandbox;
use crate::{Recorder, Seen};

/// Writes every exchange of a client as a file, without what belongs to people.
///
/// The files are [`Exchange`]s: `<folder>/<operation>/<number>-<status>.json`. Nothing is overwritten: numbers
/// go on from those that are there, and several clients can record into one folder. What cannot be written
/// keeps no call from being made; [`errors`](Self::errors) has it. The file is written before the call goes on, which
/// holds up the task that made it: some milliseconds for what is usual.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use sentinelone::ApiToken;
/// use sentinelone::contract::fixture::{Provenance, ProvenanceKind};
/// use sentinelone::contract::{Recording, Sanitizer};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let token = ApiToken::from_env("S1_API_TOKEN")?;
/// let provenance = Provenance::new(ProvenanceKind::Recorded, "a console of ours");
/// let recording = Recording::into_folder("recorded", Sanitizer::for_token(&token), provenance)?;
/// // For the client, which takes any `Arc<dyn Recorder>`.
/// let recording = Arc::new(recording);
/// println!("{} exchanges written", recording.written());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
    sanitizer: Sanitizer,
    provenance: Provenance,
    done: Mutex<Done>,
}

#[derive(Debug, Default)]
struct Done {
    written: usize,
    errors: Vec<String>,
}

/// Why an exchange was not written down.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file or folder cannot be written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        error: io::Error,
    },
    /// A secret would stand in the file even after everything was replaced, such as one that is a word of the
    /// specification.
    #[error("the answer to {operation} was left out: a secret would have stood in it")]
    Secret {
        /// The operation.
        operation: String,
    },
}

const NOTE: &str = "Names, addresses, identifiers and texts are replaced; the same one always by the same.";

impl Recording {
    /// Records into a folder, which is made if it is not there. A date or a note that the provenance lacks is
    /// filled in: today, and that values are replaced. Answers of the sandbox are marked as such in any case.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn into_folder(
        folder: impl Into<PathBuf>,
        sanitizer: Sanitizer,
        provenance: Provenance,
    ) -> Result<Self, RecordingError> {
        let folder = folder.into();
        create(&folder)?;
        let mut provenance = provenance;
        if provenance.date.is_empty() {
            let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
            provenance.date = today.to_string();
        }
        if provenance.note.is_empty() {
            provenance.note = NOTE.to_owned();
        }
        Ok(Self { folder, sanitizer, provenance, done: Mutex::default() })
    }

    /// Writes down an exchange that came from elsewhere, and says where. Its own provenance is kept.
    ///
    /// # Errors
    /// When it cannot be written; [`errors`](Self::errors) does not have it then.
    pub fn add(&self, exchange: &Exchange) -> Result<PathBuf, RecordingError> {
        self.store(&self.sanitizer.exchange(exchange))
    }

    /// How many exchanges were written.
    pub fn written(&self) -> usize {
        self.done().written
    }

    /// Why others were not.
    pub fn errors(&self) -> Vec<String> {
        self.done().errors.clone()
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        // A count is right whatever became of another thread.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, clean: &Exchange) -> Result<PathBuf, RecordingError> {
        // One by one, so that the numbers of a client are in the order of its calls.
        let mut done = self.done();
        let path = self.write(clean)?;
        done.written += 1;
        Ok(path)
    }

    fn write(&self, clean: &Exchange) -> Result<PathBuf, RecordingError> {
        let secret = || RecordingError::Secret { operation: clean.operation.clone() };
        let found = clean.find(Contract::bundled());
        let folder = self.folder.join(found.map_or("unknown", |found| found.operation.id()));
        let io = |error| RecordingError::Io { path: folder.clone(), error };
        let mut text = serde_json::to_string_pretty(clean).map_err(|error| io(error.into()))?;
        text.push('\n');
        if self.sanitizer.betrays(&text) {
            return Err(secret());
        }
        create(&folder)?;
        let mut file =
            tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(&folder).map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        let mut number = u64::from(last_number(&folder).map_err(io)?);
        loop {
            number += 1;
            let path = folder.join(format!("{number:03}-{}.json", clean.status));
            match file.persist_noclobber(&path) {
                Ok(_) => return Ok(path),
                // Somebody else was faster.
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.file,
                Err(error) => return Err(RecordingError::Io { path, error: error.error }),
            }
        }
    }
}

impl Recorder for Recording {
    fn record(&self, seen: &Seen<'_>) {
        let mut provenance = self.provenance.clone();
        // What is invented is never called recorded, whatever whoever records believes to talk to.
        if is_from_sandbox(seen.headers) {
            provenance.kind = ProvenanceKind::Sandbox;
        }
        let mut clean = self.sanitizer.exchange(&exchange(seen, provenance));
        if let Some(body) = seen.answer.filter(|_| clean.response.is_none()) {
            // Its length is that of the bytes, which may be no text.
            let content_type = clean.headers.get("content-type").map(String::as_str);
            clean.response_text = Some(Sanitizer::opaque(content_type, body));
        }
        if let Err(error) = self.store(&clean) {
            self.done().errors.push(error.to_string());
        }
    }
}

/// What was seen, without a body that is no JSON.
fn exchange(seen: &Seen<'_>, provenance: Provenance) -> Exchange {
    let path = seen.operation.path.replace("{version}", seen.version.as_str());
    let operation = format!("{} {path}", seen.operation.method.as_str());
    let mut exchange = Exchange::new(operation, seen.status.as_u16(), provenance);
    exchange.request.path = (path != seen.path).then(|| seen.path.to_owned());
    exchange.request.query = seen.query.iter().cloned().collect();
    exchange.request.body = seen.body.cloned();
    exchange.headers = texts(seen.headers);
    exchange.response = seen.answer.and_then(|body| serde_json::from_slice::<Value>(body).ok());
    exchange
}

fn texts(headers: &HeaderMap) -> std::collections::BTreeMap<String, String> {
    let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    texts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn create(folder: &Path) -> Result<(), RecordingError> {
    let io = |error| RecordingError::Io { path: folder.to_owned(), error };
    std::fs::create_dir_all(folder).map_err(io)
}

/// The highest number that a file of the folder has.
fn last_number(folder: &Path) -> io::Result<u32> {
    let mut last = 0;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.split_once('-')?.0.parse().ok());
        last = last.max(number.unwrap_or_default());
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, StatusCode};
    use sentinelone_raw::runtime::ApiVersion;

    use super::*;
    use crate::contract::fixture::{ProvenanceKind, read_all};

    const ID: &str = "225494730938493804";

    /// What a recording has of an exchange with this answer.
    fn recorded(status: u16, headers: &[(&'static str, &'static str)], answer: Option<&[u8]>) -> Exchange {
        let folder = tempfile::TempDir::new().unwrap();
        let provenance = Provenance::new(ProvenanceKind::Recorded, "this test");
        let sanitizer = Sanitizer::with_key(b"k").secret("x7-token");
        let recording = Recording::into_folder(folder.path(), sanitizer, provenance).unwrap();
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let operation =
            sentinelone_raw::OPERATIONS.iter().find(|one| one.id == "threats_list_notes").unwrap();
        recording.record(&Seen {
            operation,
            version: ApiVersion::V2_1,
            path: &format!("/web/api/v2.1/threats/{ID}/notes"),
            query: &[("limit".into(), "7".into()), ("creator__like".into(), "x7-token".into())],
            body: None,
            status: StatusCode::from_u16(status).unwrap(),
            headers: &headers,
            answer,
        });
        assert_eq!((recording.written(), recording.errors()), (1, Vec::new()));
        let (path, exchange) = read_all(folder.path()).unwrap().remove(0);
        assert!(path.ends_with(format!("threats_list_notes/001-{status}.json")), "{}", path.display());
        let file = std::fs::read_to_string(path).unwrap();
        assert!(!file.contains(ID) && !file.contains("x7-token") && file.ends_with("}\n"), "{file}");
        exchange
    }

    #[test]
    fn an_answer_is_recorded_with_where_it_comes_from() {
        let answer = format!(r#"{{"data": [{{"id": "{ID}", "text": "x7-token"}}]}}"#);
        let headers = [("content-type", "application/json; x=x7-token"), ("set-cookie", "sid=x7-token")];
        let exchange = recorded(200, &headers, Some(answer.as_bytes()));
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
    fn of_what_is_no_json_only_kind_and_length_are_kept() {
        let page = b"<html>web-01 x7-token</html>";
        let exchange = recorded(502, &[("content-type", "text/html"), ("retry-after", "7")], Some(page));
        let expected = "<html><!-- 28 bytes, left out of the recording --></html>";
        assert_eq!(exchange.response_text.as_deref(), Some(expected));
        assert_eq!(exchange.headers["retry-after"], "7");
        // The length is that of the bytes, which are no text.
        let exchange = recorded(200, &[], Some(b"PK\xff\xfe"));
        let expected = "[application/octet-stream of 4 bytes, left out of the recording]";
        assert_eq!(exchange.response_text.as_deref(), Some(expected));
        let until = [("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")];
        let exchange = recorded(504, &until, Some(b""));
        assert_eq!(exchange.response_text.as_deref(), Some(""), "an empty body is one");
        assert_eq!(exchange.headers["retry-after"], until[0].1);
        assert_eq!(recorded(504, &[("retry-after", "after web-01")], None).headers.len(), 0);
        let exchange = recorded(200, &[], None);
        assert_eq!((exchange.response, exchange.response_text), (None, None), "a file is none");
    }

    #[test]
    fn a_call_goes_on_where_nothing_can_be_written() {
        let folder = tempfile::TempDir::new().unwrap();
        let provenance = Provenance::new(ProvenanceKind::Recorded, "this test");
        let recording = Recording::into_folder(folder.path(), Sanitizer::with_key(b"k"), provenance).unwrap();
        std::fs::write(folder.path().join("threats_list"), "").unwrap();
        let operation = sentinelone_raw::OPERATIONS.iter().find(|one| one.id == "threats_list").unwrap();
        let (path, headers) = ("/web/api/v2.1/threats", HeaderMap::new());
        let seen = Seen {
            operation,
            version: ApiVersion::V2_1,
            path,
            query: &[],
            body: None,
            status: StatusCode::OK,
            headers: &headers,
            answer: Some(b"{}"),
        };
        recording.record(&seen);
        recording.record(&seen);
        assert_eq!((recording.written(), recording.errors().len()), (0, 2));
        assert!(recording.errors()[0].contains("threats_list"));
    }
}
