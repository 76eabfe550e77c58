//! Exchanges in HAR 1.2 files, as exported by browsers and proxies.
//!
//! A HAR file of a console session holds all traffic, including the token and the cookies. [`read_entries`] reads its
//! exchanges with the management API one by one, so the file can be large. Of the headers, it keeps `content-type` and
//! `retry-after` of the response only. A header or cookie with a secret is a finding, which does not quote the secret.
//! Bodies are unchanged, since findings refer to them; use the `Sanitizer` to replace their values.
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! let har = r#"{ "log": { "version": "1.2", "entries": [{
//!     "request": { "method": "GET", "url": "https://console.example.com/web/api/v2.1/system/status",
//!                  "headers": [{ "name": "Authorization", "value": "ApiToken …" }] },
//!     "response": { "status": 200, "content": { "text": "{\"data\": {\"health\": 7}}" } }
//! }] } }"#;
//! let mut locations = Vec::new();
//! let summary = sentinelone_contract::har::read_entries(har.as_bytes(), |entry| {
//!     locations.extend(entry.check().into_iter().map(|finding| finding.location));
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!(locations, ["response.body.data.health"]);
//! assert_eq!(summary.findings[0].location, "request.headers.Authorization");
//! # Ok::<(), sentinelone_contract::har::HarError>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::fixture::{BYTE_ORDER_MARK, Exchange, Provenance, ProvenanceKind};
use super::form::FormField;
use super::json_stream::{JsonStream, StreamError};
use super::operation::OperationSpec;
use super::sanitize::Sanitizer;
use super::secret_text::{MASK, contains_jwt, is_secret_name};
use super::{Contract, ContractRule, Finding, OperationMatch, location};

/// The base paths of the API on each console.
const API_PATHS: [&str; 2] = ["/web/api/", "/sdl/"];

/// An exchange with the management API in a HAR file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HarEntry {
    /// The number of the entry in the file, from 1.
    pub number: usize,
    /// The exchange without its response body.
    exchange: Exchange,
    /// The response body, or a placeholder if it is not text.
    body: Option<String>,
    /// Whether the file holds the response body. Browsers omit large bodies and bodies that were not displayed.
    pub has_response_body: bool,
    /// Whether `exchange` holds the request body, or the request has none.
    has_request_body: bool,
    /// Findings that cannot be derived from `exchange`.
    findings: Vec<Finding>,
}

/// The entry counts and secrets of a HAR file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HarSummary {
    /// The number of exchanges with the management API.
    pub exchanges: usize,
    /// The number of entries with other hosts or paths.
    pub skipped: usize,
    /// The number of API entries without a response, after a cancellation or a connection error.
    pub without_response: usize,
    /// The number of entries that do not conform to HAR 1.2.
    pub unreadable: usize,
    /// Secrets in the headers and cookies of exchanges, one finding per name.
    pub findings: Vec<Finding>,
}

/// The error of reading a HAR file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(io::Error),
    /// The file is not a HAR file, or is truncated. Its content is not quoted.
    #[error("not a HAR file: invalid at line {line}, column {column}")]
    Format {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The summary of the entries before the error.
        summary: Box<HarSummary>,
    },
}

impl HarEntry {
    /// Returns the exchange. The values of a parameter that occurs more than once are joined by commas.
    ///
    /// The exchange holds the tree of a JSON body, which is up to ten times larger than its text.
    /// [`check`](Self::check) does not need it.
    pub fn into_exchange(self) -> Exchange {
        let Self { mut exchange, body, .. } = self;
        match body.as_deref().map(serde_json::from_str) {
            Some(Ok(json)) => exchange.response = Some(json),
            Some(Err(_)) => exchange.response_text = body,
            None => {}
        }
        exchange
    }

    /// Returns the operation of the bundled specification that matches the exchange; `None` if no operation matches.
    pub fn match_operation(&self) -> Option<OperationMatch<'static>> {
        self.exchange.match_operation(Contract::bundled())
    }

    /// Validates the exchange against the bundled specification like [`check`](fn@super::check), with findings that
    /// only the HAR file reveals. A response body that the file omits yields no finding.
    pub fn check(&self) -> Vec<Finding> {
        let contract = Contract::bundled();
        let body = self.body.as_deref().unwrap_or_default();
        let mut findings = contract.check_exchange_with_body(&self.exchange, body.as_bytes());
        if !self.has_response_body {
            findings.retain(|finding| {
                !(finding.rule == ContractRule::InvalidJson && finding.location == "response.body")
            });
        }
        if !self.has_request_body {
            let missing = |finding: &Finding| {
                finding.rule == ContractRule::MissingField && finding.location == "request.body"
            };
            findings.retain(|finding| !missing(finding));
        }
        if self.findings.is_empty() {
            return findings;
        }
        let operation = findings.first().and_then(|finding| finding.operation().map(str::to_owned));
        let matched = || self.exchange.match_operation(contract).map(|found| found.operation.id().to_owned());
        let operation = operation.or_else(matched).unwrap_or_default();
        findings.extend(self.findings.iter().cloned().map(|finding| finding.with_operation(&operation)));
        findings
    }
}

/// Reads a HAR file entry by entry and returns a summary. `on_entry` is called with each exchange with the management
/// API; if it returns `Break`, the reading stops. At most one entry is in memory.
///
/// # Errors
/// Returns a [`HarError`] if the file cannot be read or is not a HAR file. `on_entry` was called with the exchanges
/// before the error. For an invalid or truncated file, the error has the summary.
pub fn read_entries(
    reader: impl Read,
    on_entry: impl FnMut(HarEntry) -> ControlFlow<()>,
) -> Result<HarSummary, HarError> {
    let mut entries =
        EntryReader { on_entry, number: 0, summary: HarSummary::default(), secrets: BTreeMap::new() };
    let mut json = JsonStream::new(strip_byte_order_mark(reader).map_err(HarError::Io)?);
    let read = entries.document(&mut json);
    let secrets = entries.secrets.into_iter().map(|(location, count)| {
        let message = match count {
            1 => "the header contains a secret, in 1 entry".to_owned(),
            count => format!("the header contains a secret, in {count} entries"),
        };
        Finding::new(ContractRule::UnredactedSecret, location, message)
    });
    entries.summary.findings = secrets.collect();
    match read {
        Ok(_) => Ok(entries.summary),
        Err(StreamError::Io(error)) => Err(HarError::Io(error)),
        Err(StreamError::Format) => {
            let (line, column) = json.position();
            Err(HarError::Format { line, column, summary: Box::new(entries.summary) })
        }
    }
}

/// The kind of a JSON document, detected by its top-level members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A HAR file.
    Har,
    /// An [`Exchange`].
    Exchange,
    /// Another document.
    Other,
}

/// Detects the kind of a JSON document. Reads only up to the member that identifies it.
///
/// # Errors
/// Returns a [`HarError`] if the document cannot be read or is not JSON.
pub fn detect_file_kind(reader: impl Read) -> Result<FileKind, HarError> {
    let mut kind = None;
    let mut json =
        serde_json::Deserializer::from_reader(strip_byte_order_mark(reader).map_err(HarError::Io)?);
    match (TopLevel(&mut kind).deserialize(&mut json), kind) {
        // The visitor stops early, which serde_json reports as an error.
        (_, Some(kind)) => Ok(kind),
        (Err(error), None) if error.is_io() => Err(HarError::Io(error.into())),
        // A valid value that is not an object.
        (Err(error), None) if error.is_data() => Ok(FileKind::Other),
        (Err(error), None) => {
            let summary = Box::default();
            Err(HarError::Format { line: error.line(), column: error.column(), summary })
        }
        (Ok(()), None) => Ok(FileKind::Other),
    }
}

/// Skips the byte order mark that some programs write.
fn strip_byte_order_mark(reader: impl Read) -> io::Result<impl BufRead> {
    let mut reader = BufReader::with_capacity(64 * 1024, reader);
    let mut start = Vec::new();
    reader.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
    if start == BYTE_ORDER_MARK {
        start.clear();
    }
    Ok(io::Cursor::new(start).chain(reader))
}

struct TopLevel<'a>(&'a mut Option<FileKind>);

impl<'de> DeserializeSeed<'de> for TopLevel<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        de.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TopLevel<'_> {
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
            return Err(A::Error::custom("the kind is detected"));
        }
        Ok(())
    }
}

/// The state of reading a HAR file.
struct EntryReader<F> {
    on_entry: F,
    number: usize,
    summary: HarSummary,
    /// The locations of secrets in headers, with the number of entries.
    secrets: BTreeMap<String, usize>,
}

/// Reads an object and calls `on_member` at the value of each member of this name. The other members are skipped. Fails if
/// the object has no such member.
fn read_member<R: Read>(
    json: &mut JsonStream<R>,
    name: &str,
    mut on_member: impl FnMut(&mut JsonStream<R>) -> Result<ControlFlow<()>, StreamError>,
) -> Result<ControlFlow<()>, StreamError> {
    json.expect(b'{')?;
    let (mut is_first, mut found) = (true, false);
    while json.next_element(is_first, b'}')? {
        is_first = false;
        if json.name()? != name {
            json.skip_value()?;
            continue;
        }
        found = true;
        if on_member(json)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    if found { Ok(ControlFlow::Continue(())) } else { Err(StreamError::Format) }
}

impl<F: FnMut(HarEntry) -> ControlFlow<()>> EntryReader<F> {
    fn document<R: Read>(&mut self, json: &mut JsonStream<R>) -> Result<ControlFlow<()>, StreamError> {
        let flow = read_member(json, "log", |json| read_member(json, "entries", |json| self.entries(json)))?;
        if flow.is_continue() {
            json.end()?;
        }
        Ok(flow)
    }

    /// Reads the entries. Each is parsed on its own: an entry of another format does not affect the others.
    fn entries<R: Read>(&mut self, json: &mut JsonStream<R>) -> Result<ControlFlow<()>, StreamError> {
        json.expect(b'[')?;
        let mut is_first = true;
        while json.next_element(is_first, b']')? {
            is_first = false;
            let entry = std::str::from_utf8(json.value()?).map_err(|_| StreamError::Format)?;
            let flow = match serde_json::from_str(entry) {
                Ok(parts) => self.entry(&parts),
                Err(_) if serde_json::from_str::<IgnoredAny>(entry).is_ok() => {
                    self.number += 1;
                    self.summary.unreadable += 1;
                    ControlFlow::Continue(())
                }
                Err(_) => return Err(StreamError::Format),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn entry(&mut self, parts: &EntryParts<'_>) -> ControlFlow<()> {
        self.number += 1;
        // The format of entries of other hosts does not matter, so only the URL is parsed first.
        let Ok(RequestUrl { url }) = serde_json::from_str(parts.request.get()) else {
            self.summary.unreadable += 1;
            return ControlFlow::Continue(());
        };
        let url = url::Url::parse(&url)
            .ok()
            .filter(|url| API_PATHS.iter().any(|base| url.path().starts_with(base)));
        let Some(url) = url else {
            self.summary.skipped += 1;
            return ControlFlow::Continue(());
        };
        let Some((request, response)) = parts.parse() else {
            self.summary.unreadable += 1;
            return ControlFlow::Continue(());
        };
        for location in secret_locations(&request, &response) {
            *self.secrets.entry(location).or_default() += 1;
        }
        // Browsers write status 0 or -1 without a response.
        let status = Some(response.status).filter(|status| (100.0..1000.0).contains(status));
        let Some(status) = status.map(|status| status as u16) else {
            self.summary.without_response += 1;
            return ControlFlow::Continue(());
        };
        self.summary.exchanges += 1;
        (self.on_entry)(build_entry(self.number, request, &url, status, response))
    }
}

/// The parts of an entry, which are parsed only if the URL is one of the API.
#[derive(Deserialize)]
struct EntryParts<'a> {
    #[serde(borrow)]
    request: &'a RawValue,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

impl EntryParts<'_> {
    fn parse(&self) -> Option<(HarRequest, HarResponse)> {
        let request = serde_json::from_str(self.request.get()).ok()?;
        Some((request, serde_json::from_str(self.response?.get()).ok()?))
    }
}

#[derive(Deserialize)]
struct RequestUrl {
    url: String,
}

/// The file format of a request, limited to the members in use. Unknown members are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarRequest {
    method: String,
    #[serde(default, deserialize_with = "null_as_default")]
    headers: Vec<NameValue>,
    #[serde(default, deserialize_with = "null_as_default")]
    cookies: Vec<NameValue>,
    body_size: Option<f64>,
    post_data: Option<HarPostData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarPostData {
    mime_type: Option<String>,
    text: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    params: Vec<HarParam>,
}

/// A field of a form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarParam {
    name: String,
    value: Option<String>,
    file_name: Option<String>,
}

impl HarPostData {
    /// Returns the form as JSON; `None` if it is not readable.
    fn form(self, contract: &Contract, operation: &OperationSpec) -> Option<Value> {
        let Self { mime_type, text, params } = self;
        let Some(text) = text.filter(|_| params.is_empty()) else {
            let fields = params.into_iter().map(|HarParam { name, value, file_name }| FormField {
                name,
                file_name,
                text: value.unwrap_or_default(),
            });
            return contract.form_of_fields(operation, fields.collect()).ok();
        };
        contract.form_to_json(operation, &mime_type?, text.into()).ok()
    }
}

#[derive(Deserialize)]
struct HarResponse {
    status: f64,
    #[serde(default, deserialize_with = "null_as_default")]
    headers: Vec<NameValue>,
    #[serde(default, deserialize_with = "null_as_default")]
    cookies: Vec<NameValue>,
    #[serde(default, deserialize_with = "null_as_default")]
    content: HarContent,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct HarContent {
    size: Option<f64>,
    mime_type: Option<String>,
    text: Option<String>,
    encoding: Option<String>,
}

/// A header or a cookie.
#[derive(Deserialize)]
struct NameValue {
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    value: String,
}

/// Deserializes null as the default value.
fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(de: D) -> Result<T, D::Error> {
    Option::deserialize(de).map(Option::unwrap_or_default)
}

fn build_entry(
    number: usize,
    request: HarRequest,
    url: &url::Url,
    status: u16,
    response: HarResponse,
) -> HarEntry {
    let HarRequest { method, post_data, body_size, headers: request_headers, .. } = request;
    let mut findings = Vec::new();
    let mut provenance = Provenance::new(ProvenanceKind::Recorded, "HAR");
    provenance.note = format!("entry {number}");
    let operation = format!("{} {}", method.to_uppercase(), url.path());
    let mut exchange = Exchange::new(operation, status, provenance);
    let contract = Contract::bundled();
    let found = contract.match_operation(&method, url.path()).map(|found| found.operation);
    for parameter in found.into_iter().flat_map(OperationSpec::parameters).filter(|one| one.is_in_header()) {
        let sent = request_headers.iter().find(|header| header.name.eq_ignore_ascii_case(&parameter.name));
        let sent = sent.filter(|header| !contains_jwt(&header.value));
        exchange.request.headers.extend(sent.map(|header| (parameter.name.clone(), header.value.clone())));
    }

    for (name, value) in url.query_pairs() {
        let query = &mut exchange.request.query;
        match query.get_mut(name.as_ref()) {
            None => {
                query.insert(name.into_owned(), value.into_owned());
            }
            Some(earlier) => {
                let mut finding = contract.repeated_parameter(found, &name);
                // The name can be a secret, too.
                if contains_jwt(&name) {
                    finding.location = "request.query".to_owned();
                }
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
                *earlier = format!("{earlier},{value}");
            }
        }
    }
    let has_body = post_data.is_some() || body_size.is_some_and(|size| size > 0.0);
    if let Some(data) = post_data {
        let has_token = data.text.as_deref().is_some_and(contains_jwt);
        let is_empty =
            data.params.is_empty() && data.text.as_deref().is_none_or(|text| text.trim().is_empty());
        let (body, expected) = match found.filter(|operation| operation.has_form()) {
            Some(operation) => (data.form(contract, operation), "a form"),
            None => (data.text.and_then(|text| serde_json::from_str(&text).ok()), "JSON"),
        };
        if body.is_none() && !is_empty {
            if has_token {
                let message = "the body holds a signed token";
                findings.push(Finding::new(ContractRule::UnredactedSecret, "request.body", message));
            }
            let message = format!("the body is not {expected}");
            findings.push(Finding::new(ContractRule::InvalidJson, "request.body", message));
        }
        exchange.request.body = body.filter(|_| !is_empty);
    }

    for NameValue { name, value } in &response.headers {
        let name = name.to_ascii_lowercase();
        let allowed = name == "content-type" || name == "retry-after" && value.parse::<u32>().is_ok();
        if allowed && !contains_jwt(value) {
            exchange.headers.insert(name, value.clone());
        }
    }
    let HarContent { size, mime_type, text, encoding } = response.content;
    if let Some(kind) = mime_type.filter(|kind| !kind.is_empty() && !contains_jwt(kind)) {
        exchange.headers.entry("content-type".to_owned()).or_insert(kind);
    }
    let mut has_response_body = text.is_some() || size == Some(0.0);
    let is_encoded = encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"));
    let bytes = text.map(|text| if is_encoded { decode_base64(&text) } else { Ok(text.into_bytes()) });
    let mut body = None;
    match bytes {
        Some(Ok(bytes)) => {
            let kind = exchange.headers.get("content-type").map(String::as_str);
            let text = String::from_utf8(bytes);
            body = Some(text.unwrap_or_else(|error| Sanitizer::body_placeholder(kind, error.as_bytes())));
        }
        Some(Err(())) => {
            has_response_body = false;
            let message = "the body is declared as base64, but is not valid base64";
            findings.push(Finding::new(ContractRule::InvalidJson, "response.body", message));
        }
        None => {}
    }
    let has_request_body = exchange.request.body.is_some() || !has_body;
    HarEntry { number, exchange, body, has_request_body, has_response_body, findings }
}

/// Decodes base64 on one or several lines.
fn decode_base64(text: &str) -> Result<Vec<u8>, ()> {
    let plain: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).map_err(|_| ())
}

/// Returns the locations of headers and cookies with a secret, without duplicates.
fn secret_locations(request: &HarRequest, response: &HarResponse) -> Vec<String> {
    let mut locations = Vec::new();
    for (root, headers, cookies) in [
        ("request.headers", &request.headers, &request.cookies),
        ("response.headers", &response.headers, &response.cookies),
    ] {
        let headers = headers.iter().map(|pair| (pair, is_secret_name(&pair.name)));
        for (NameValue { name, value }, is_secret) in headers {
            let redacted = value.trim().is_empty() || value.trim().ends_with(MASK);
            if !redacted && (is_secret || contains_jwt(value)) {
                let mut location = root.to_owned();
                location::field(&mut location, if contains_jwt(name) { MASK } else { name });
                locations.push(location);
            }
        }
        let cookie = if root.starts_with("request") { "Cookie" } else { "Set-Cookie" };
        let is_cookie_header = |location: &String| {
            location.to_lowercase().ends_with(&format!("headers.{}", cookie.to_lowercase()))
        };
        // The name of a cookie does not show whether it is a secret, so each cookie counts as one.
        let unredacted = |pair: &NameValue| !matches!(pair.value.trim(), "" | MASK);
        if cookies.iter().any(unredacted) && !locations.iter().any(is_cookie_header) {
            locations.push(format!("{root}.{cookie}"));
        }
    }
    locations.sort();
    locations.dedup();
    locations
}
