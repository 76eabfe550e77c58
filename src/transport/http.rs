//! The HTTP clients: one for the console, and one without the token for other places.

use std::fmt;
use std::time::Duration;

use ::http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use crate::Result;
use crate::address::Console;
use crate::error::Error;

/// How long a connection is kept that nobody uses.
const LONGEST_IDLE: Duration = Duration::from_secs(30);

/// How connections are made.
#[derive(Debug)]
pub(crate) struct HttpSettings {
    pub(crate) connect_timeout: Duration,
    pub(crate) proxy: Proxy,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) trust_any: bool,
    pub(crate) user_agent: Option<String>,
}

pub(crate) enum Proxy {
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

impl HttpSettings {
    /// The connections, of which none has the token: it goes with the requests to the console alone.
    pub(crate) fn client(&self, console: &Console) -> Result<reqwest::Client> {
        let client = self.configured(console)?.build().map_err(|error| {
            Error::configuration(format!("the HTTP client cannot be used: {}", chain(&error.without_url())))
        })?;
        if self.trust_any {
            warn!(
                target: "sentinelone",
                %console,
                "certificates are not verified: anyone on the way can read the token and act with it"
            );
        }
        Ok(client)
    }

    fn configured(&self, console: &Console) -> Result<reqwest::ClientBuilder> {
        let own = concat!("sentinelone-rs/", env!("CARGO_PKG_VERSION"));
        let agent = self.user_agent.as_ref().map_or(own.to_owned(), |name| format!("{name} {own}"));
        let agent = HeaderValue::try_from(agent)
            .map_err(|_| Error::configuration("the user agent holds characters that no header may have"))?;
        let http = reqwest::Client::builder()
            .user_agent(agent)
            .connect_timeout(self.connect_timeout)
            // Gateways drop what is idle for a minute or so. An action that meets such a connection may have been
            // done for all that this side can tell, so that connections are given up before.
            .pool_idle_timeout(LONGEST_IDLE)
            // When a request may be made again is decided in one place, and that is not here.
            .retry(reqwest::retry::never())
            // The API redirects nowhere; following one could carry the token to another host.
            .redirect(reqwest::redirect::Policy::none());
        let http = match &self.proxy {
            _ if console.is_loopback() => http.no_proxy(),
            Proxy::System => {
                sound_environment(|name| std::env::var(name).ok())?;
                http
            }
            Proxy::None => http.no_proxy(),
            Proxy::Url(url) => http.proxy(proxy(url.expose_secret())?),
        };
        tls(http, &self.roots, self.trust_any)
    }
}

/// Refuses a proxy of the environment whose password has an @ in it. It is read up to the first one, so that the rest
/// of the password is taken for a part of the host, and is shown as such.
fn sound_environment(value: impl Fn(&str) -> Option<String>) -> Result<()> {
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let value = value(name).unwrap_or_default();
        let address = value.split_once("://").map_or(value.as_str(), |(_, address)| address);
        if address.split(['/', '?', '#']).next().unwrap_or_default().matches('@').count() > 1 {
            let message = format!("{name} cannot be used: write an @ in its password as %40");
            return Err(Error::configuration(message));
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::sound_environment;

    #[test]
    fn a_proxy_password_that_would_be_shown_is_refused() {
        let with = |value: &'static str| move |name: &str| (name == "HTTPS_PROXY").then(|| value.to_owned());
        for fine in ["", "http://proxy:3128", "http://a:b@proxy:3128/x@y", "a:b%40c@proxy"] {
            assert!(sound_environment(with(fine)).is_ok(), "{fine}");
        }
        let refused = sound_environment(with("http://someone:pro@secret@proxy:3128"));
        let message = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("HTTPS_PROXY") && !message.contains("secret"), "{message}");
    }
}
