//! Exchanges in HAR 1.2 files, as browsers and proxies export them.
//!
//! A HAR of a session with a console holds everything that went over the wire, the token and the cookies
//! included. [`read`] gives its exchanges with the management API one by one, however large the file is. Of
//! headers it keeps `content-type` and `retry-after` of the answer and nothing else; a header or cookie that
//! carries a secret is a finding, which does not quote it. Bodies are kept as they are, as findings are about
//! them: `Sanitizer` replaces what is in them.
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! let har = r#"{ "log": { "version": "1.2", "entries": [{
//!     "request": { "method": "GET", "url": "https://console.example.com/web/api/v2.1/system/status",
//!                  "headers": [{ "name": "Authorization", "value": "ApiToken …" }] },
//!     "response": { "status": 200, "content": { "text": "{\"data\": {\"health\": 7}}" } }
//! }] } }"#;
//! let mut places = Vec::new();
//! let summary = sentinelone::contract::har::read(har.as_bytes(), |entry| {
//!     places.extend(entry.check().into_iter().map(|finding| finding.place));
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!(places, ["answer.data.health"]);
//! assert_eq!(summary.findings[0].place, "request.headers.Authorization");
//! # Ok::<(), sentinelone::contract::har::HarError>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::fixture::{BYTE_ORDER_MARK, Exchange, Provenance, ProvenanceKind};
use super::sanitize::Sanitizer;
use super::spot::{MASK, holds_jwt, is_secret_name};
use super::{Finding, FindingKind, place};

/// The API stands below this path on every console.
const BELOW: &str = "/web/api/";

/// An exchange with the management API.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its place among all entries of the file, from 1.
    pub number: usize,
    /// The exchange. Of a parameter that was given more than once the values are one, with commas.
    pub exchange: Exchange,
    /// Whether the body of the answer is in the file. Browsers leave out what is large, or was not looked at.
    pub has_answer: bool,
    /// Whether the body of the request is in `exchange`, or there was none.
    has_body: bool,
    /// What the exchange itself cannot say.
    findings: Vec<Finding>,
}

/// What a file held.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Entries that are exchanges with the management API.
    pub exchanges: usize,
    /// Entries of other hosts and paths.
    pub skipped: usize,
    /// Entries below the API's path without an answer: they were cancelled, or the connection broke.
    pub unanswered: usize,
    /// Entries that are none of HAR 1.2.
    pub unreadable: usize,
    /// Secrets in the headers and cookies of exchanges, one finding for each name.
    pub findings: Vec<Finding>,
}

/// Why a file was not read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarError {
    /// It cannot be read.
    #[error(transparent)]
    Io(io::Error),
    /// It is no HAR, or breaks off. Nothing of it is quoted.
    #[error("this is no HAR from line {line}, column {column} on")]
    Format {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was read until there.
        until: Box<Summary>,
    },
}

impl Entry {
    /// Holds the exchange to the bundled specification: [`check`](fn@super::check), with what only the HAR
    /// tells, and without a word on an answer that is not in it.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = super::check(&self.exchange);
        if !self.has_answer {
            findings.retain(|finding| !(finding.kind == FindingKind::NotJson && finding.place == "answer"));
        }
        if !self.has_body {
            let missing = |finding: &Finding| {
                finding.kind == FindingKind::MissingField && finding.place == "request.body"
            };
            findings.retain(|finding| !missing(finding));
        }
        let operation = findings.first().and_then(|finding| finding.operation().map(str::to_owned));
        let found =
            || self.exchange.find(super::Contract::bundled()).map(|found| found.operation.id().to_owned());
        let operation = operation.or_else(found).unwrap_or_default();
        findings.extend(self.findings.iter().cloned().map(|finding| finding.of(&operation)));
        findings
    }
}

/// Reads a HAR entry by entry: `each` is called with every exchange with the management API, and ends the
/// reading with `Break`. No more than one entry is in memory.
///
/// # Errors
/// [`HarError`] when the file cannot be read or is no HAR. What was read until then was handed out; of a file that
/// breaks off the error has the summary.
pub fn read(reader: impl Read, each: impl FnMut(Entry) -> ControlFlow<()>) -> Result<Summary, HarError> {
    let mut walk =
        Walk { each, number: 0, stopped: false, summary: Summary::default(), secrets: BTreeMap::new() };
    let mut from = serde_json::Deserializer::from_reader(without_mark(reader).map_err(HarError::Io)?);
    let read = Document(&mut walk).deserialize(&mut from).and_then(|()| from.end());
    let secrets = walk.secrets.into_iter().map(|(place, count)| {
        let message = match count {
            1 => "a secret in a recording; one entry has it".to_owned(),
            count => format!("a secret in a recording; {count} entries have it"),
        };
        Finding::new(FindingKind::Secret, place, message)
    });
    walk.summary.findings = secrets.collect();
    match read {
        Err(error) if !walk.stopped && error.is_io() => Err(HarError::Io(error.into())),
        Err(error) if !walk.stopped => {
            let until = Box::new(walk.summary);
            Err(HarError::Format { line: error.line(), column: error.column(), until })
        }
        _ => Ok(walk.summary),
    }
}

/// What a JSON document is, by the names at its top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A HAR.
    Har,
    /// An [`Exchange`].
    Exchange,
    /// Anything else.
    Other,
}

/// Tells what a JSON document is, and reads no further than is needed for that.
///
/// # Errors
/// [`HarError`] when it cannot be read or is no JSON.
pub fn kind_of(reader: impl Read) -> Result<FileKind, HarError> {
    let mut kind = None;
    let mut from = serde_json::Deserializer::from_reader(without_mark(reader).map_err(HarError::Io)?);
    match (Top(&mut kind).deserialize(&mut from), kind) {
        // The rest of it is not read, which is an error to the reader of JSON.
        (_, Some(kind)) => Ok(kind),
        (Err(error), None) if error.is_io() => Err(HarError::Io(error.into())),
        // Whatever it is instead of an object.
        (Err(error), None) if error.is_data() => Ok(FileKind::Other),
        (Err(error), None) => {
            let until = Box::default();
            Err(HarError::Format { line: error.line(), column: error.column(), until })
        }
        (Ok(()), None) => Ok(FileKind::Other),
    }
}

/// The text without the mark that some programs begin it with.
fn without_mark(reader: impl Read) -> io::Result<impl BufRead> {
    let mut reader = BufReader::with_capacity(64 * 1024, reader);
    let mut start = Vec::new();
    reader.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
    if start == BYTE_ORDER_MARK {
        start.clear();
    }
    Ok(io::Cursor::new(start).chain(reader))
}

struct Top<'a>(&'a mut Option<FileKind>);

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        de.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let kind = match name.as_str() {
                "log" => FileKind::Har,
                "operation" => FileKind::Exchange,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *self.0 = Some(kind);
            return Err(A::Error::custom("no more is needed"));
        }
        Ok(())
    }
}

/// What is known on the way through a file.
struct Walk<F> {
    each: F,
    number: usize,
    stopped: bool,
    summary: Summary,
    /// Places of secrets in headers, with the number of entries.
    secrets: BTreeMap<String, usize>,
}

/// The object at the top.
struct Document<'a, F>(&'a mut Walk<F>);

/// Its `log`.
struct Log<'a, F>(&'a mut Walk<F>);

/// The `entries` of that.
struct Entries<'a, F>(&'a mut Walk<F>);

/// Walks an object for the one field that the next seed reads.
macro_rules! inside {
    ($seed:ident, $name:literal, $next:ident) => {
        impl<'de, F: FnMut(Entry) -> ControlFlow<()>> DeserializeSeed<'de> for $seed<'_, F> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
                de.deserialize_map(self)
            }
        }

        impl<'de, F: FnMut(Entry) -> ControlFlow<()>> Visitor<'de> for $seed<'_, F> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("an object with ", $name))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                let mut found = false;
                while let Some(name) = map.next_key::<String>()? {
                    if name == $name {
                        found = true;
                        map.next_value_seed($next(&mut *self.0))?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                if found { Ok(()) } else { Err(A::Error::missing_field($name)) }
            }
        }
    };
}

inside!(Document, "log", Log);
inside!(Log, "entries", Entries);

impl<'de, F: FnMut(Entry) -> ControlFlow<()>> DeserializeSeed<'de> for Entries<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        de.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Entry) -> ControlFlow<()>> Visitor<'de> for Entries<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        // One entry that is of another form, or nested deeper than a parser goes, must not hide the others: it is
        // taken as a text first, and looked into afterwards.
        while let Some(entry) = entries.next_element::<Box<RawValue>>()? {
            if self.0.entry(entry.get()).is_break() {
                self.0.stopped = true;
                return Err(A::Error::custom("no more is wanted"));
            }
        }
        Ok(())
    }
}

impl<F: FnMut(Entry) -> ControlFlow<()>> Walk<F> {
    fn entry(&mut self, entry: &str) -> ControlFlow<()> {
        self.number += 1;
        // What is about others may be of whatever form.
        let Ok(Addressed { request }) = serde_json::from_str(entry) else {
            self.summary.unreadable += 1;
            return ControlFlow::Continue(());
        };
        let url = url::Url::parse(&request.url).ok().filter(|url| url.path().starts_with(BELOW));
        let Some(url) = url else {
            self.summary.skipped += 1;
            return ControlFlow::Continue(());
        };
        let Ok(Stored { request, response }) = serde_json::from_str(entry) else {
            self.summary.unreadable += 1;
            return ControlFlow::Continue(());
        };
        for place in secrets(&request, &response) {
            *self.secrets.entry(place).or_default() += 1;
        }
        // Browsers write 0 where no answer came, and others -1.
        let status = Some(response.status).filter(|status| (100.0..1000.0).contains(status));
        let Some(status) = status.map(|status| status as u16) else {
            self.summary.unanswered += 1;
            return ControlFlow::Continue(());
        };
        self.summary.exchanges += 1;
        (self.each)(made(self.number, request, &url, status, response))
    }
}

/// An entry, as far as its address.
#[derive(Deserialize)]
struct Addressed {
    request: Address,
}

#[derive(Deserialize)]
struct Address {
    url: String,
}

/// An entry, as far as it matters. Names that a newer browser adds are passed over.
#[derive(Deserialize)]
struct Stored {
    request: StoredRequest,
    response: StoredResponse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredRequest {
    method: String,
    #[serde(default, deserialize_with = "or_nothing")]
    headers: Vec<Pair>,
    #[serde(default, deserialize_with = "or_nothing")]
    cookies: Vec<Pair>,
    body_size: Option<f64>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct PostData {
    text: Option<String>,
}

#[derive(Deserialize)]
struct StoredResponse {
    status: f64,
    #[serde(default, deserialize_with = "or_nothing")]
    headers: Vec<Pair>,
    #[serde(default, deserialize_with = "or_nothing")]
    cookies: Vec<Pair>,
    #[serde(default, deserialize_with = "or_nothing")]
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Content {
    size: Option<f64>,
    mime_type: Option<String>,
    text: Option<String>,
    encoding: Option<String>,
}

/// A header or a cookie.
#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default, deserialize_with = "or_nothing")]
    value: String,
}

/// A null in the place of something is nothing.
fn or_nothing<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(de: D) -> Result<T, D::Error> {
    Option::deserialize(de).map(Option::unwrap_or_default)
}

fn made(
    number: usize,
    request: StoredRequest,
    url: &url::Url,
    status: u16,
    response: StoredResponse,
) -> Entry {
    let StoredRequest { method, post_data, body_size, .. } = request;
    let mut findings = Vec::new();
    let mut provenance = Provenance::new(ProvenanceKind::Recorded, "HAR");
    provenance.note = format!("entry {number}");
    let operation = format!("{} {}", method.to_uppercase(), url.path());
    let mut exchange = Exchange::new(operation, status, provenance);

    for (name, value) in url.query_pairs() {
        let query = &mut exchange.request.query;
        match query.get_mut(name.as_ref()) {
            None => {
                query.insert(name.into_owned(), value.into_owned());
            }
            Some(earlier) => {
                let mut place = "request.query".to_owned();
                // A name may be a secret too.
                if !holds_jwt(&name) {
                    place::field(&mut place, &name);
                }
                let message = "given more than once; the items of a list stand in one value, with commas";
                let finding = Finding::new(FindingKind::RepeatedParameter, place, message);
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
                *earlier = format!("{earlier},{value}");
            }
        }
    }
    let was_sent = post_data.is_some() || body_size.is_some_and(|size| size > 0.0);
    let sent = post_data.and_then(|data| data.text).filter(|text| !text.trim().is_empty());
    match sent.as_ref().map(|text| serde_json::from_str(text)) {
        Some(Ok(body)) => exchange.request.body = Some(body),
        Some(Err(_)) => {
            if sent.as_deref().is_some_and(holds_jwt) {
                let message = "a secret in a recording";
                findings.push(Finding::new(FindingKind::Secret, "request.body", message));
            }
            let message = "the body is no JSON";
            findings.push(Finding::new(FindingKind::NotJson, "request.body", message));
        }
        None => {}
    }

    for Pair { name, value } in &response.headers {
        let name = name.to_ascii_lowercase();
        let harmless = name == "content-type" || name == "retry-after" && value.parse::<u32>().is_ok();
        if harmless && !holds_jwt(value) {
            exchange.headers.insert(name, value.clone());
        }
    }
    let Content { size, mime_type, text, encoding } = response.content;
    if let Some(kind) = mime_type.filter(|kind| !kind.is_empty() && !holds_jwt(kind)) {
        exchange.headers.entry("content-type".to_owned()).or_insert(kind);
    }
    let mut has_answer = text.is_some() || size == Some(0.0);
    let is_encoded = encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"));
    let bytes = text.map(|text| if is_encoded { decoded(&text) } else { Ok(text.into_bytes()) });
    match bytes {
        Some(Ok(bytes)) => match serde_json::from_slice(&bytes) {
            Ok(answer) => exchange.response = Some(answer),
            Err(_) => {
                let kind = exchange.headers.get("content-type").map(String::as_str);
                let opaque = |_| Sanitizer::opaque(kind, &bytes);
                exchange.response_text = Some(String::from_utf8(bytes.clone()).unwrap_or_else(opaque));
            }
        },
        Some(Err(())) => {
            has_answer = false;
            let message = "the body is said to be in base64, and is not";
            findings.push(Finding::new(FindingKind::NotJson, "answer", message));
        }
        None => {}
    }
    let has_body = exchange.request.body.is_some() || !was_sent;
    Entry { number, exchange, has_body, has_answer, findings }
}

/// Base64, on one line or several.
fn decoded(text: &str) -> Result<Vec<u8>, ()> {
    let plain: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).map_err(|_| ())
}

/// The places of headers and cookies that carry a secret, each once.
fn secrets(request: &StoredRequest, response: &StoredResponse) -> Vec<String> {
    let mut places = Vec::new();
    for (root, headers, cookies) in [
        ("request.headers", &request.headers, &request.cookies),
        ("answer.headers", &response.headers, &response.cookies),
    ] {
        let headers = headers.iter().map(|pair| (pair, is_secret_name(&pair.name)));
        for (Pair { name, value }, is_secret) in headers {
            let covered = value.trim().is_empty() || value.trim().ends_with(MASK);
            if !covered && (is_secret || holds_jwt(value)) {
                let mut at = root.to_owned();
                place::field(&mut at, if holds_jwt(name) { MASK } else { name });
                places.push(at);
            }
        }
        let cookie = if root.starts_with("request") { "Cookie" } else { "Set-Cookie" };
        let named =
            |place: &String| place.to_lowercase().ends_with(&format!("headers.{}", cookie.to_lowercase()));
        // What a cookie is good for, its name need not say.
        let uncovered = |pair: &Pair| !matches!(pair.value.trim(), "" | MASK);
        if cookies.iter().any(uncovered) && !places.iter().any(named) {
            places.push(format!("{root}.{cookie}"));
        }
    }
    places.sort();
    places.dedup();
    places
}
