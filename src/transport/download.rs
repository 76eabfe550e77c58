//! Downloads in chunks, which are checked for completeness.

use std::fmt;
use std::time::Duration;

use ::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use sentinelone_raw::runtime::{Operation, ResponseFormat};

use super::completeness::{Completeness, Expectation};
use super::connection::HttpResponse;
use super::response_timeouts::ResponseTimeouts;
use crate::Result;
use crate::error::{ArchiveFault, Error, ErrorKind, ErrorRepr, History};
use crate::redaction::RequestSecrets;

/// Timeout of a whole download.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);

/// A download in chunks; from [`Client::download`](crate::Client::download).
///
/// Dropping it ends the download.
#[must_use = "no byte is read before `chunk` or `save` is called"]
pub struct Download {
    operation: &'static Operation,
    response: HttpResponse,
    /// The first chunk, if it was read to determine the type of the content.
    first: Option<Bytes>,
    length: Option<u64>,
    received: u64,
    completeness: Completeness,
    timeouts: ResponseTimeouts,
    /// Summary of the attempts before the file began.
    history: History,
    /// Secrets to redact in the text of a server that sent no archive.
    secrets: RequestSecrets,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, received, .. } = self;
        f.debug_struct("Download").field("operation", &operation.id).field("received", received).finish()
    }
}

impl Download {
    /// Starts a download with this read timeout. `length` is that of the response before the first chunk, because
    /// it may then be the remaining length.
    pub(super) fn new(
        operation: &'static Operation,
        response: HttpResponse,
        (length, first): (Option<u64>, Option<Bytes>),
        read_timeout: Duration,
    ) -> Self {
        let timeouts = ResponseTimeouts::new(
            operation,
            read_timeout,
            DOWNLOAD_TIMEOUT,
            "the download did not finish within six hours",
        );
        let completeness = Completeness::new(expectation(operation, &response));
        let (history, secrets) = (History::default(), RequestSecrets::default());
        Self { operation, response, first, length, received: 0, completeness, timeouts, history, secrets }
    }

    /// Sets the summary of the attempts before the file began, and the secrets to redact in errors.
    pub(crate) fn with_history(mut self, history: History, secrets: RequestSecrets) -> Self {
        (self.history, self.secrets) = (history, secrets);
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns the size in bytes from the `Content-Length` header; `None` if it is missing.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns the number of bytes read so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Returns the next chunk; `None` at the end.
    ///
    /// A zip archive is checked at its end. Expected to be one are the uploads of agents, a file whose URL,
    /// `Content-Disposition` or `Content-Type` names one, and content that begins like one. An upload can also be a gzip
    /// stream, which is not checked.
    ///
    /// # Errors
    /// Returns [`Timeout`](ErrorKind::Timeout) if no data arrives within the
    /// [`read_timeout`](crate::ClientBuilder::read_timeout), or the download takes six hours. Returns
    /// [`ConnectionLost`](ErrorKind::ConnectionLost) if the connection closes early, or the size differs from the
    /// announced length. If the download is expected to be a zip archive, returns [`NoResult`](ErrorKind::NoResult)
    /// instead of `None` for an HTML page, and [`Archive`](ErrorKind::Archive) if it is empty, truncated, or something
    /// else.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let history = self.history;
        let chunk = match self.first.take() {
            Some(first) => Some(first),
            None => {
                self.timeouts.apply(self.response.chunk()).await.map_err(|error| history.attach_to(error))?
            }
        };
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        let failed = |repr| Err(history.attach_to(Error::for_operation(self.operation, repr)));
        match (self.length, &chunk) {
            (Some(length), _) if self.received > length || chunk.is_none() && self.received < length => {
                let message = format!("the download has {} of {length} bytes", self.received);
                return failed(ErrorRepr::Connection { kind: ErrorKind::ConnectionLost, message });
            }
            (_, Some(bytes)) => self.completeness.add(bytes),
            (_, None) => {
                if let Some(defect) = self.completeness.defect() {
                    if let Some(page) = self.completeness.page() {
                        let error = Error::page_for_file(self.operation, self.status(), page);
                        return Err(history.attach_to(error.redacted(&self.secrets.redactor())));
                    }
                    let message = self.secrets.redactor().redact(&defect);
                    return failed(ErrorRepr::Archive { message, fault: ArchiveFault::Download });
                }
            }
        }
        Ok(chunk)
    }

    /// Expects a complete zip archive.
    pub(crate) fn expect_archive(&mut self) {
        self.completeness.expected = Expectation::Name;
    }
}

/// Returns why a response is expected to be a zip archive.
fn expectation(operation: &Operation, response: &HttpResponse) -> Expectation {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_zip_type = matches!(
        kind.as_str(),
        "application/zip" | "application/x-zip" | "application/x-zip-compressed" | "multipart/x-zip"
    );
    let mut parameters =
        text(header::CONTENT_DISPOSITION).split(';').map(|part| part.trim().trim_end_matches('"'));
    match () {
        () if is_zip_type || is_zip_name(response.path()) || parameters.any(is_zip_name) => Expectation::Name,
        () if operation.response_format == ResponseFormat::Binary => Expectation::Operation,
        () => Expectation::Content,
    }
}

/// Returns whether a name has the extension `.zip`.
pub(crate) fn is_zip_name(name: &str) -> bool {
    name.len()
        .checked_sub(4)
        .and_then(|at| name.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(".zip"))
}
