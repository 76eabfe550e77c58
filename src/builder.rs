//! The settings of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sentinelone_raw::runtime::ApiVersion;

use crate::Result;
use crate::address::{AddressError, Console};
use crate::client::Client;
use crate::error::Error;
use crate::token::ApiToken;
use crate::transport::{
    Clock, HttpSettings, Proxy, RateLimits, Recorder, Retry, Settings, TokioClock, Transport,
};

/// Builds a [`Client`]. What is wrong with the settings is said by [`build`](Self::build).
#[must_use]
pub struct ClientBuilder {
    console: Result<Console, AddressError>,
    token: Option<ApiToken>,
    version: ApiVersion,
    timeout: Duration,
    read_timeout: Duration,
    max_answer: usize,
    retry: Retry,
    limits: RateLimits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Fn() -> f64 + Send + Sync>,
    recorder: Option<Arc<dyn Recorder>>,
    http: HttpSettings,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("console", &self.console)
            .field("token", &self.token)
            .field("version", &self.version)
            .field("timeout", &self.timeout)
            .field("read_timeout", &self.read_timeout)
            .field("max_answer", &self.max_answer)
            .field("retry", &self.retry)
            .field("limits", &self.limits)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(crate) fn new(console: Result<Console, AddressError>) -> Self {
        Self {
            console,
            token: None,
            version: ApiVersion::default(),
            timeout: Duration::from_secs(180),
            read_timeout: Duration::from_secs(60),
            max_answer: 64 * 1024 * 1024,
            retry: Retry::default(),
            limits: RateLimits::default(),
            clock: Arc::new(TokioClock),
            random: Arc::new(fastrand::f64),
            recorder: None,
            http: HttpSettings {
                connect_timeout: Duration::from_secs(10),
                proxy: Proxy::System,
                roots: Vec::new(),
                trust_any: false,
                user_agent: None,
            },
        }
    }

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

    /// How long a call may take in all, with every attempt and every wait: for its turn under the rate limits,
    /// for what the console asks for, and between attempts; three minutes unless said otherwise. Of a
    /// [download](Client::download) it ends what comes before the file.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take; 10 seconds unless said otherwise.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http.connect_timeout = timeout;
        self
    }

    /// How long the console may send nothing, before its answer begins and within it; a minute unless said
    /// otherwise. Longer than [`timeout`](Self::timeout) it takes no effect.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// When calls are made again; see [`Retry`] for what is unless said otherwise.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The rates to keep to; see [`RateLimits`] for what they are unless said otherwise. Clients with the same token
    /// are given clones of the same ones.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The clock to wait by, for tests that do not. The time limits on connecting and reading are those of the
    /// system in any case.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where the random parts of waits come from: numbers from 0 to 1.
    pub fn random(mut self, random: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Who looks on at every exchange with the console.
    pub fn recorder(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.recorder = Some(recorder);
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
        self.http.proxy = Proxy::Url(SecretString::from(url.into()));
        self
    }

    /// Goes through no proxy, whatever the environment says. A console on this machine is never
    /// reached through one.
    pub fn no_proxy(mut self) -> Self {
        self.http.proxy = Proxy::None;
        self
    }

    /// A further root certificate to trust, in PEM: that of a proxy which opens TLS, say.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.http.roots.push(pem.into());
        self
    }

    /// Trusts any certificate, which lets anyone on the way read the token and act as you. For a lab;
    /// [`root_certificate`](Self::root_certificate) is the way for everything else. Building the client says so
    /// in a warning.
    pub fn dangerously_trust_any_certificate(mut self, trust: bool) -> Self {
        self.http.trust_any = trust;
        self
    }

    /// What the client calls itself in front of its own name and version, such as `my-soar/2.3`.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.http.user_agent = Some(name.into());
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
        let (http, authorization) = (self.http.client(&console)?, token.header()?);
        let settings = Settings {
            console,
            version: self.version,
            timeout: self.timeout,
            read_timeout: self.read_timeout,
            max_answer: self.max_answer,
            retry: self.retry,
            limits: self.limits,
            clock: self.clock,
            random: self.random,
            recorder: self.recorder,
            token,
        };
        Ok(Client::over(Transport { http, authorization, settings }))
    }
}
