//! Configuration of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sentinelone_raw::runtime::ApiVersion;
use tracing::warn;

use crate::Result;
use crate::client::Client;
use crate::console_url::{ConsoleUrl, ConsoleUrlError};
use crate::error::Error;
use crate::token::ApiToken;
use crate::transport::{
    CallConfig, Clock, HttpSettings, HttpTransport, Proxy, RateLimits, Recorder, RetryPolicy, TokioClock,
    Transport, require_time,
};

/// Builds a [`Client`]. [`build`](Self::build) reports invalid configuration.
#[must_use]
pub struct ClientBuilder {
    console: Result<ConsoleUrl, ConsoleUrlError>,
    token: Option<ApiToken>,
    version: ApiVersion,
    timeout: Duration,
    read_timeout: Duration,
    max_response_size: usize,
    retry: RetryPolicy,
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
            .field("max_response_size", &self.max_response_size)
            .field("retry", &self.retry)
            .field("limits", &self.limits)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Returns a builder for the console with this URL: a [`ConsoleUrl`], or a string in one of the forms that it accepts.
    /// [`build`](ClientBuilder::build) reports an invalid URL.
    ///
    /// ```
    /// use sentinelone::{Client, ConsoleUrl};
    ///
    /// let console: ConsoleUrl = "usea1.sentinelone.net".parse()?;
    /// let builder = Client::builder(console);
    /// # Ok::<(), sentinelone::ConsoleUrlError>(())
    /// ```
    pub fn builder<U>(console: U) -> ClientBuilder
    where
        U: TryInto<ConsoleUrl, Error: Into<ConsoleUrlError>>,
    {
        ClientBuilder::new(console.try_into().map_err(Into::into))
    }
}

impl ClientBuilder {
    pub(crate) fn new(console: Result<ConsoleUrl, ConsoleUrlError>) -> Self {
        Self {
            console,
            token: None,
            version: ApiVersion::default(),
            timeout: Duration::from_secs(180),
            read_timeout: Duration::from_secs(60),
            max_response_size: 64 * 1024 * 1024,
            retry: RetryPolicy::default(),
            limits: RateLimits::default(),
            clock: Arc::new(TokioClock),
            random: Arc::new(fastrand::f64),
            recorder: None,
            http: HttpSettings {
                connect_timeout: Duration::from_secs(10),
                proxy: Proxy::System,
                roots: Vec::new(),
                accept_invalid_certs: false,
                user_agent: None,
                transport: None,
            },
        }
    }

    /// Sets the API token, which is required.
    pub fn token(mut self, token: ApiToken) -> Self {
        self.token = Some(token);
        self
    }

    /// Sets the version of the API. The default is 2.1.
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Sets the timeout of a call, above zero. It includes all attempts, rate-limit permits, delays that the console requests, and
    /// backoff. The default is 180 seconds. For a [download](Client::download), it is the time until the file begins.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the timeout for the connection setup, above zero. The default is 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.http.connect_timeout = timeout;
        self
    }

    /// Sets the read timeout: the longest time without any data, before and within a response; above zero. The default is 60
    /// seconds. A value above [`timeout`](Self::timeout) has no effect.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Sets the retry policy; see [`RetryPolicy`] for the default.
    pub fn retry_policy(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the rate limits; see [`RateLimits`] for the default. Pass clones of one value to all clients with the same
    /// token.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the clock for delays, so that tests need not wait. The default is the clock of tokio. Connect and read
    /// timeouts always use the system clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the source of random numbers from 0 to 1 for the jitter of backoff delays. The default is a pseudorandom
    /// generator.
    pub fn jitter_source(mut self, random: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Sets the recorder, which receives each exchange with the console. By default, exchanges are not recorded.
    pub fn recorder(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Sets the maximum size of a response in bytes, 1 or more. The default is 64 MiB. A page of 1000 threats has about 7 MB.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Sets the proxy URL, such as `http://proxy.example.com:3128`. The default is the proxy of the environment
    /// (`HTTPS_PROXY`, `NO_PROXY`), unless [`no_proxy`](Self::no_proxy) is set.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.http.proxy = Proxy::Url(SecretString::from(url.into()));
        self
    }

    /// Disables the proxy, regardless of the environment. Connections to a console on this machine never use a proxy.
    pub fn no_proxy(mut self) -> Self {
        self.http.proxy = Proxy::None;
        self
    }

    /// Adds trusted root certificates in PEM format, for example that of a proxy that intercepts TLS. Requires the
    /// cargo feature `rustls`.
    pub fn add_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.http.roots.push(pem.into());
        self
    }

    /// Sets whether invalid certificates are accepted. The default is false. If true, an attacker on the network path
    /// can read the token and impersonate the client, and building the client logs a warning. Use it in a lab only;
    /// otherwise use [`add_root_certificate`](Self::add_root_certificate). Requires the cargo feature `rustls`.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.http.accept_invalid_certs = accept;
        self
    }

    /// Sets a prefix of the `User-Agent` header, such as `my-soar/2.3`. The name and version of this crate follow it.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.http.user_agent = Some(name.into());
        self
    }

    /// Sets a transport that sends all requests in place of connections, for example in tests. Rate limits, retries,
    /// timeouts, redaction, recording and decoding stay. Downloads use it too. It has no TLS, no proxy and no connect
    /// timeout of its own, so the console URL can be any https URL, without the cargo feature `rustls`.
    ///
    /// See [`HttpTransport`] for an example.
    pub fn transport(mut self, transport: impl HttpTransport + 'static) -> Self {
        self.http.transport = Some(Arc::new(transport));
        self
    }

    /// Builds the client, and logs the [warnings of the token](ApiToken::warnings). Nothing is sent.
    ///
    /// # Errors
    /// Returns an error of the kind [`Configuration`](crate::ErrorKind::Configuration) if
    /// - the console URL is invalid, or uses https without the cargo feature `rustls` and without a
    ///   [transport](Self::transport),
    /// - the token is missing,
    /// - the proxy, a certificate or the user agent is invalid,
    /// - a proxy or a certificate is set next to a transport, or
    /// - a timeout, the maximum response size, or a number of the [retry policy](RetryPolicy) is 0.
    pub fn build(self) -> Result<Client> {
        let console = self.console?;
        let token = self.token.ok_or_else(|| {
            Error::configuration("the API token is missing")
                .with_help("read one with ApiToken::from_env or ApiToken::from_file")
        })?;
        for (name, time) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.http.connect_timeout),
            ("read_timeout", self.read_timeout),
        ] {
            require_time(name, time)?;
        }
        if self.max_response_size == 0 {
            return Err(Error::configuration("max_response_size is 0 bytes; expected 1 or more"));
        }
        self.retry.validate()?;
        let http = self.http.build(&console)?;
        let (authorization, bearer) = (token.header("ApiToken")?, token.header("Bearer")?);
        let settings = CallConfig {
            console,
            version: self.version,
            timeout: self.timeout,
            read_timeout: self.read_timeout,
            max_response_size: self.max_response_size,
            retry: self.retry,
            limits: self.limits,
            clock: self.clock,
            random: self.random,
            recorder: self.recorder,
            repair_log: None,
            #[cfg(feature = "commands")]
            list_concurrency: std::num::NonZeroUsize::MIN,
            token,
        };
        for warning in settings.token.warnings(&settings.clock.system_time().into()) {
            warn!(target: "sentinelone", "{warning}");
        }
        Ok(Client::from_transport(Transport {
            http,
            authorization,
            bearer,
            accepted: Arc::default(),
            settings,
        }))
    }
}
