//! The client: settings, and the one place through which every request goes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use sentinelone_raw::runtime::{
    Answer, AnswerForm, ApiVersion, Binary, DecodeError, Kind, Method, Operation, Page, Request,
};
use serde_json::Value;

use crate::Result;
use crate::address::{AddressError, Console};
use crate::error::{BODY_KEPT, Error, ErrorKind, Trouble, errors_beside_data, vendor_errors};
use crate::files::{Download, LONGEST_DOWNLOAD};
use crate::paging::{Items, Pages};
use crate::response::Response;
use crate::token::ApiToken;

/// A client of one console, cheap to clone; clones share connections.
///
/// ```no_run
/// use sentinelone::threats::{IncidentStatus, ThreatFilter};
/// use sentinelone::{ApiToken, Client};
///
/// # async fn example() -> Result<(), sentinelone::Error> {
/// let client = Client::builder("usea1.sentinelone.net").token(ApiToken::from_env("S1_API_TOKEN")?).build()?;
/// let answer = client
///     .threats()
///     .update_incident()
///     .filter(ThreatFilter::default().computer_name_contains(["web-01"]))
///     .status(IncidentStatus::Resolved)
///     .send()
///     .await?;
/// println!("{} threats updated", answer.affected().unwrap_or_default());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    /// For addresses elsewhere: without the token.
    plain: reqwest::Client,
    settings: Arc<Settings>,
}

#[derive(Debug)]
struct Settings {
    console: Console,
    version: ApiVersion,
    timeout: Duration,
    max_answer: usize,
    /// Kept so that it can be taken out of what an error keeps.
    token: ApiToken,
}

/// Builds a [`Client`]. What is wrong with the settings is said by [`build`](Self::build).
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    console: Result<Console, AddressError>,
    token: Option<ApiToken>,
    version: ApiVersion,
    timeout: Duration,
    connect_timeout: Duration,
    max_answer: usize,
    proxy: Proxy,
    roots: Vec<Vec<u8>>,
    trust_any: bool,
    user_agent: Option<String>,
}

enum Proxy {
    System,
    None,
    /// May hold a password.
    Url(SecretString),
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::None => "None",
            Self::Url(_) => "Url(…)",
        })
    }
}

impl Client {
    /// Starts with the console's address; see [`Console`] for what is forgiven and what is refused.
    pub fn builder(console: impl AsRef<str>) -> ClientBuilder {
        ClientBuilder {
            console: console.as_ref().parse(),
            token: None,
            version: ApiVersion::default(),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            max_answer: 64 * 1024 * 1024,
            proxy: Proxy::System,
            roots: Vec::new(),
            trust_any: false,
            user_agent: None,
        }
    }

    /// The version of the API that requests go to.
    pub fn api_version(&self) -> ApiVersion {
        self.settings.version
    }

    /// The console's address.
    pub fn console(&self) -> &Console {
        &self.settings.console
    }

    /// Sends a request: any of [`raw`](crate::raw), so that an operation without a method of its own is
    /// usable too.
    ///
    /// # Errors
    /// Before anything is sent: when the operation is not on this version of the API, or acts and has a
    /// filter that selects nothing in particular. After that: whatever [`ErrorKind`](crate::ErrorKind)
    /// lists. An answer of status 200 with errors and no data is an error too; with data it is an answer,
    /// and [`Response::vendor_errors`] has the errors.
    pub async fn send<T: Answer>(&self, request: &Request<T>) -> Result<Response<T>> {
        let builder = self.build(request)?;
        let operation = request.operation();
        let answer = builder.send().await.map_err(|error| Error::transport(operation, error))?;
        self.read(operation, answer).await.map_err(|error| self.clean(error))
    }

    /// Asks for a file, whose bytes are then read one by one and never held in memory as a whole: see
    /// [`Download`].
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the answer is a document or a page instead of a file. The limit on the
    /// size of answers does not apply; that on the time does until the file begins.
    pub async fn download(&self, request: &Request<Binary>) -> Result<Download> {
        let builder = self.build(request)?.timeout(LONGEST_DOWNLOAD);
        self.start(request.operation(), builder, |answer| !is_page(answer)).await
    }

    /// Asks for a file at an address that the console gave out, such as that of a script's results. The token
    /// is not sent there. `operation` is the one that gave the address.
    ///
    /// # Errors
    /// When it is no https address (plain http is taken from a console on this machine only), and as
    /// [`download`](Self::download).
    pub async fn download_from(&self, operation: &'static Operation, url: &str) -> Result<Download> {
        let parsed = url::Url::parse(url).ok().filter(|url| {
            url.scheme() == "https" || (url.scheme() == "http" && self.settings.console.is_here(url))
        });
        let parsed = parsed.ok_or_else(|| {
            let message = "the console gave an address that is not https";
            Error::ended(operation, message, "the file cannot be fetched from there")
        })?;
        // Scripts give files of any type.
        self.start(operation, self.plain.get(parsed).timeout(LONGEST_DOWNLOAD), |_| true).await
    }

    /// Waits for the file to begin, as long as for any answer.
    async fn start(
        &self,
        operation: &'static Operation,
        builder: reqwest::RequestBuilder,
        is_file: impl Fn(&reqwest::Response) -> bool,
    ) -> Result<Download> {
        let begin = async {
            let answer = builder.send().await.map_err(|error| Error::transport(operation, error))?;
            if answer.status() == StatusCode::OK && is_file(&answer) {
                return Ok(Download::new(operation, answer));
            }
            let status = answer.status();
            match self.read::<Binary>(operation, answer).await {
                Err(error) => Err(self.clean(error)),
                Ok(text) if says_only_errors(text.body()) => {
                    Err(self.clean(Error::api(operation, status, text.body().clone(), None)))
                }
                Ok(_) => {
                    let message = format!("the answer, of status {status}, is no file");
                    Err(Error::ended(operation, message, "there may be nothing to download"))
                }
            }
        };
        let slow = |_| {
            let message = "no file came within the time limit".to_owned();
            Error::of(operation, Trouble::Line { kind: ErrorKind::Timeout, message })
        };
        tokio::time::timeout(self.settings.timeout, begin).await.map_err(slow)?
    }

    /// How many things the filter of an action selects, asked of the list that takes the same filter; `None`
    /// where no list does, or the console gives no total.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn count_of<T>(&self, request: &Request<T>) -> Result<Option<u64>> {
        let version = self.settings.version;
        let lists = sentinelone_raw::OPERATIONS.iter().filter(|list| list.is_in(version));
        let Some(count) = lists.filter_map(|list| request.counting::<Page<Value>>(list)).next() else {
            return Ok(None);
        };
        Ok(self.send(&count).await?.total())
    }

    /// A request for the wire.
    fn build<T>(&self, request: &Request<T>) -> Result<reqwest::RequestBuilder> {
        request.check()?;
        let path = request.path(self.settings.version)?;
        let operation = request.operation();
        let url = self.settings.console.url(&path, &request.query());
        let method = match request.method() {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Delete => http::Method::DELETE,
        };
        let accept = if operation.answer == AnswerForm::Binary { "*/*" } else { "application/json" };
        let mut builder = self.http.request(method, url).header(header::ACCEPT, accept);
        if let Some(body) = request.body() {
            builder = builder.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Ok(builder)
    }

    /// An error without this client's token in it.
    pub(crate) fn clean(&self, error: Error) -> Error {
        error.without(&self.settings.token)
    }

    async fn read<T: Answer>(
        &self,
        operation: &'static Operation,
        mut answer: reqwest::Response,
    ) -> Result<Response<T>> {
        let status = answer.status();
        let headers = std::mem::take(answer.headers_mut());
        let fine = status.is_success();
        let limit = if fine { self.settings.max_answer } else { BODY_KEPT };
        let mut body = BytesMut::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                // The status is the message; what is missing of the text is not worth losing it.
                Err(_) if !fine => break,
                Err(error) => return Err(Error::transport(operation, error)),
            }
            if body.len() > limit {
                if fine {
                    return Err(Error::of(operation, Trouble::TooLarge { status, limit }));
                }
                break;
            }
        }
        let body = body.freeze();
        if !fine || operation.answer == AnswerForm::Json && says_only_errors(&body) {
            return Err(Error::api(operation, status, body, retry_after(&headers)));
        }
        let value = decode(operation, &body)
            .map_err(|source| Error::of(operation, Trouble::Decode { status, source, body: body.clone() }))?;
        let mut errors = if errors_beside_data(&body) { vendor_errors(&body) } else { Vec::new() };
        errors.iter_mut().for_each(|error| error.redact(&self.settings.token));
        Ok(Response { operation, status, headers, body, errors, value })
    }

    /// Walks the pages of a list, from the first to the last, one request at a time, each when it is
    /// asked for.
    pub fn pages<T>(&self, request: Request<Page<T>>) -> Pages<T> {
        Pages::of(self.clone(), Ok(request))
    }

    /// Walks the items of a list over all its pages.
    pub fn items<T>(&self, request: Request<Page<T>>) -> Items<T> {
        self.pages(request).items()
    }
}

fn retry_after(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(header::RETRY_AFTER)?.to_str().ok()?.to_owned())
}

/// Whether an answer says what it is, and that is something to read: what the console says instead of a file, or
/// the page of a proxy.
fn is_page(answer: &reqwest::Response) -> bool {
    let kind =
        answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/json" | "application/problem+json" | "text/html")
}

/// Whether an answer of status 200 has errors and no data. With data it is an answer: what was done and
/// what was found must not be lost for what was not.
fn says_only_errors(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Data {
        #[serde(default)]
        data: Option<serde::de::IgnoredAny>,
    }
    errors_beside_data(body) && serde_json::from_slice::<Data>(body).is_ok_and(|answer| answer.data.is_none())
}

fn decode<T: Answer>(operation: &'static Operation, body: &[u8]) -> Result<T, DecodeError> {
    if operation.answer != AnswerForm::Json || !body.iter().all(u8::is_ascii_whitespace) {
        return T::decode(body);
    }
    match operation.kind {
        // An action that is done without a word is done; a list without a word is not an empty list.
        Kind::Action => T::decode(b"{}"),
        Kind::Read => Err(DecodeError { path: ".".into(), message: "the body is empty".into() }),
    }
}

impl ClientBuilder {
    /// The API token. It cannot be left out.
    pub fn token(mut self, token: ApiToken) -> Self {
        self.token = Some(token);
        self
    }

    /// The version of the API; 2.1 unless said otherwise.
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// How long a call may take from the first byte sent to the last byte read; 60 seconds unless said
    /// otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take; 10 seconds unless said otherwise.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How large an answer may be, in bytes; 64 MiB unless said otherwise. A page of a thousand threats
    /// has some 7 MB.
    pub fn max_answer_size(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// The proxy to go through, such as `http://proxy.example.com:3128`. Without it, and without
    /// [`no_proxy`](Self::no_proxy), the environment decides (`HTTPS_PROXY`, `NO_PROXY`).
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Proxy::Url(SecretString::from(url.into()));
        self
    }

    /// Goes through no proxy, whatever the environment says. A console on this machine is never
    /// reached through one.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Proxy::None;
        self
    }

    /// A further root certificate to trust, in PEM: that of a proxy which opens TLS, say.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Trusts any certificate, which lets anyone on the way read the token and act as you. For a lab;
    /// [`root_certificate`](Self::root_certificate) is the way for everything else.
    pub fn dangerously_trust_any_certificate(mut self, trust: bool) -> Self {
        self.trust_any = trust;
        self
    }

    /// What the client calls itself in front of its own name and version, such as `my-soar/2.3`.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// When the address is none, the token is missing, or a proxy or certificate cannot be used.
    pub fn build(self) -> Result<Client> {
        let console = self.console?;
        let token = self.token.ok_or_else(|| {
            Error::configuration("no API token; read one with ApiToken::from_env or ApiToken::from_file")
        })?;
        let unusable = |what: &str, error: reqwest::Error| {
            Error::configuration(format!("{what} cannot be used: {}", chain(&error.without_url())))
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, token.header()?);
        let own = concat!("sentinelone-rs/", env!("CARGO_PKG_VERSION"));
        let agent = self.user_agent.map_or(own.to_owned(), |name| format!("{name} {own}"));
        let agent = HeaderValue::try_from(agent)
            .map_err(|_| Error::configuration("the user agent holds characters that no header may have"))?;

        let http = || -> Result<reqwest::ClientBuilder> {
            let http = reqwest::Client::builder()
                .user_agent(agent.clone())
                .timeout(self.timeout)
                .connect_timeout(self.connect_timeout)
                // The API redirects nowhere; following one could carry the token to another host.
                .redirect(reqwest::redirect::Policy::none());
            let http = match &self.proxy {
                _ if console.is_loopback() => http.no_proxy(),
                Proxy::System => http,
                Proxy::None => http.no_proxy(),
                Proxy::Url(url) => http.proxy(proxy(url.expose_secret())?),
            };
            tls(http, &self.roots, self.trust_any)
        };
        let plain = http()?.build().map_err(|error| unusable("the HTTP client", error))?;
        let http = http()?.default_headers(headers).build();
        let http = http.map_err(|error| unusable("the HTTP client", error))?;
        let (version, timeout, max_answer) = (self.version, self.timeout, self.max_answer);
        let settings = Settings { console, version, timeout, max_answer, token };
        Ok(Client { http, plain, settings: Arc::new(settings) })
    }
}

/// What is wrong with it is not said in detail: it may hold a password.
fn proxy(url: &str) -> Result<reqwest::Proxy> {
    let unusable = || Error::configuration("the proxy cannot be used; write it as http://host:port");
    let parsed = url::Url::parse(url).map_err(|_| unusable())?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(unusable());
    }
    reqwest::Proxy::all(parsed).map_err(|_| unusable())
}

#[cfg(feature = "rustls")]
fn tls(
    mut http: reqwest::ClientBuilder,
    roots: &[Vec<u8>],
    trust_any: bool,
) -> Result<reqwest::ClientBuilder> {
    let unusable = |error: reqwest::Error| {
        Error::configuration(format!("a root certificate cannot be used: {}", chain(&error)))
    };
    for pem in roots {
        let bundle = reqwest::Certificate::from_pem_bundle(pem).map_err(unusable)?;
        if bundle.is_empty() {
            return Err(Error::configuration("a root certificate holds no PEM certificate"));
        }
        for certificate in bundle {
            http = http.add_root_certificate(certificate);
        }
    }
    Ok(http.tls_danger_accept_invalid_certs(trust_any))
}

#[cfg(not(feature = "rustls"))]
fn tls(http: reqwest::ClientBuilder, roots: &[Vec<u8>], trust_any: bool) -> Result<reqwest::ClientBuilder> {
    if roots.is_empty() && !trust_any {
        return Ok(http);
    }
    Err(Error::configuration("certificates need the feature rustls, which this build leaves out"))
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
