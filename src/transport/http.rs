//! Configuration of the HTTP client.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use super::connection::Connection;
use super::http_transport::HttpTransport;
use crate::Result;
use crate::console_url::ConsoleUrl;
use crate::error::Error;

/// Time after which an idle connection is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Connection settings.
pub(crate) struct HttpSettings {
    pub(crate) connect_timeout: Duration,
    pub(crate) proxy: Proxy,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) accept_invalid_certs: bool,
    pub(crate) user_agent: Option<String>,
    /// Replaces the connections.
    pub(crate) transport: Option<Arc<dyn HttpTransport>>,
}

/// Omits the transport, which may have no text.
impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("connect_timeout", &self.connect_timeout)
            .field("proxy", &self.proxy)
            .field("roots", &self.roots.len())
            .field("accept_invalid_certs", &self.accept_invalid_certs)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}

pub(crate) enum Proxy {
    System,
    None,
    /// May contain a password.
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

/// The connections to a console and to the servers that it refers to.
pub(crate) struct Connections {
    settings: HttpSettings,
    console_url: ConsoleUrl,
    console: Connection,
    /// The connections for HTTPS, if the console uses HTTP.
    https: OnceLock<Connection>,
}

impl Connections {
    /// Returns the connections to the console.
    pub(super) fn console(&self) -> &Connection {
        &self.console
    }

    /// Returns the connections to a URL that the console returned.
    pub(super) fn of_url(&self, url: &url::Url) -> Result<&Connection> {
        let is_custom = matches!(self.console, Connection::Custom { .. });
        if is_custom || self.console_url.is_https() || url.scheme() != "https" {
            return Ok(&self.console);
        }
        if let Some(connection) = self.https.get() {
            return Ok(connection);
        }
        require_tls(true, || format!("the link to {} uses https", url.host_str().unwrap_or_default()))?;
        let client = self.settings.build_client(&self.console_url, Certificates::OfSystem)?;
        Ok(self.https.get_or_init(|| Connection::Pool(client)))
    }
}

/// The certificates that a client trusts, besides those of the settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certificates {
    /// Those of the system. Reading and parsing them takes milliseconds.
    OfSystem,
    /// None. A client without TLS needs none.
    None,
}

impl HttpSettings {
    /// Builds the connections. For a console without TLS, no certificates are read.
    pub(crate) fn build(self, console: &ConsoleUrl) -> Result<Arc<Connections>> {
        let connection = match &self.transport {
            Some(transport) => {
                self.reject_connection_settings()?;
                Connection::Custom { transport: Arc::clone(transport), user_agent: self.user_agent()? }
            }
            None => {
                require_tls(console.is_https(), || format!("the console URL {console} uses https"))?;
                let is_https = console.is_https();
                let certificates = if is_https { Certificates::OfSystem } else { Certificates::None };
                Connection::Pool(self.build_client(console, certificates)?)
            }
        };
        if self.accept_invalid_certs {
            warn!(
                target: "sentinelone",
                %console,
                "certificates are not verified: an attacker on the network path can read and use the token"
            );
        }
        let console_url = console.clone();
        Ok(Arc::new(Connections { settings: self, console_url, console: connection, https: OnceLock::new() }))
    }

    /// Rejects settings of connections next to a transport that replaces them.
    fn reject_connection_settings(&self) -> Result<()> {
        let ignored = [
            ("a proxy", matches!(self.proxy, Proxy::Url(_))),
            ("a root certificate", !self.roots.is_empty()),
            ("danger_accept_invalid_certs", self.accept_invalid_certs),
        ];
        match ignored.into_iter().find(|(_, is_set)| *is_set) {
            Some((name, _)) => Err(Error::configuration(format!(
                "{name} is set next to a transport, which replaces the connections that it would apply to"
            ))
            .with_help("set it in the transport, or remove the transport")),
            None => Ok(()),
        }
    }

    fn user_agent(&self) -> Result<HeaderValue> {
        let product = concat!("sentinelone-rs/", env!("CARGO_PKG_VERSION"));
        let agent = self.user_agent.as_ref().map_or(product.to_owned(), |name| format!("{name} {product}"));
        HeaderValue::try_from(&agent).map_err(|_| {
            Error::configuration(format!(
                "the user agent {agent:?} contains a control character; expected none"
            ))
        })
    }

    fn build_client(&self, console: &ConsoleUrl, certificates: Certificates) -> Result<reqwest::Client> {
        self.client_builder(console, certificates)?.build().map_err(|error| {
            Error::configuration(format!(
                "cannot build the HTTP client: {}",
                error_chain(&error.without_url())
            ))
        })
    }

    fn client_builder(
        &self,
        console: &ConsoleUrl,
        certificates: Certificates,
    ) -> Result<reqwest::ClientBuilder> {
        let http = reqwest::Client::builder()
            .user_agent(self.user_agent()?)
            .connect_timeout(self.connect_timeout)
            // Gateways drop idle connections after about a minute. An action that is sent on a dropped connection has
            // an unknown result, so the client closes idle connections earlier.
            .pool_idle_timeout(IDLE_TIMEOUT)
            // `RetryPolicy` decides about all retries.
            .retry(reqwest::retry::never())
            // The API does not redirect, and following a redirect could send the token to another host.
            .redirect(reqwest::redirect::Policy::none());
        let http = match &self.proxy {
            _ if console.is_loopback() => http.no_proxy(),
            Proxy::System => {
                check_proxy_environment(|name| std::env::var(name).ok())?;
                http
            }
            Proxy::None => http.no_proxy(),
            Proxy::Url(url) => http.proxy(proxy(url.expose_secret())?),
        };
        tls(http, &self.roots, certificates, self.accept_invalid_certs)
    }
}

/// Returns an error if a URL requires TLS, and the build has none. `fact` names the URL.
fn require_tls(is_https: bool, fact: impl FnOnce() -> String) -> Result<()> {
    if cfg!(feature = "rustls") || !is_https {
        return Ok(());
    }
    let error = Error::configuration(format!("{}, and this build has no TLS", fact()));
    Err(error.with_help("enable the cargo feature rustls of the crate sentinelone, or set a transport"))
}

/// Rejects a proxy of the environment whose password contains an @. The password is parsed up to the first @, so its
/// rest would be a part of the host and would be printed.
fn check_proxy_environment(value: impl Fn(&str) -> Option<String>) -> Result<()> {
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let value = value(name).unwrap_or_default();
        let authority = value.split_once("://").map_or(value.as_str(), |(_, rest)| rest);
        if authority.split(['/', '?', '#']).next().unwrap_or_default().matches('@').count() > 1 {
            let error = Error::configuration(format!("{name} has an unescaped @ in its password"));
            return Err(error.with_help("write it as %40"));
        }
    }
    Ok(())
}

/// Parses a proxy URL. The error has no details, because the URL may contain a password.
fn proxy(url: &str) -> Result<reqwest::Proxy> {
    let invalid = || Error::configuration("the proxy URL is invalid; expected http://host:port");
    let parsed = url::Url::parse(url).map_err(|_| invalid())?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(invalid());
    }
    reqwest::Proxy::all(parsed).map_err(|_| invalid())
}

#[cfg(feature = "rustls")]
fn tls(
    mut http: reqwest::ClientBuilder,
    roots: &[Vec<u8>],
    certificates: Certificates,
    accept_invalid_certs: bool,
) -> Result<reqwest::ClientBuilder> {
    let invalid = |error: reqwest::Error| {
        Error::configuration(format!("a root certificate is invalid: {}", error_chain(&error)))
    };
    for pem in roots {
        let bundle = reqwest::Certificate::from_pem_bundle(pem).map_err(invalid)?;
        if bundle.is_empty() {
            return Err(Error::configuration("a root certificate contains no PEM certificate"));
        }
        for certificate in bundle {
            http = http.add_root_certificate(certificate);
        }
    }
    if certificates == Certificates::None {
        http = http.tls_certs_only([]);
    }
    Ok(http.tls_danger_accept_invalid_certs(accept_invalid_certs))
}

#[cfg(not(feature = "rustls"))]
fn tls(
    http: reqwest::ClientBuilder,
    roots: &[Vec<u8>],
    _: Certificates,
    accept_invalid_certs: bool,
) -> Result<reqwest::ClientBuilder> {
    if roots.is_empty() && !accept_invalid_certs {
        return Ok(http);
    }
    let error = Error::configuration("a certificate option is set, and this build has no TLS");
    Err(error.with_help("enable the cargo feature rustls of the crate sentinelone"))
}

/// Returns an error and its sources in one line.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        source = error.source();
    }
    chain
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::check_proxy_environment;

    #[test]
    fn proxy_environment_unescaped_password_is_rejected() {
        let with = |value: &'static str| move |name: &str| (name == "HTTPS_PROXY").then(|| value.to_owned());
        for valid in ["", "http://proxy:3128", "http://a:b@proxy:3128/x@y", "a:b%40c@proxy"] {
            assert!(check_proxy_environment(with(valid)).is_ok(), "{valid}");
        }
        let error = check_proxy_environment(with("http://user:pro@secret@proxy:3128")).unwrap_err();
        assert_eq!(error.to_string(), "HTTPS_PROXY has an unescaped @ in its password");
        assert_eq!(error.help().as_deref(), Some("write it as %40"));
    }
}
