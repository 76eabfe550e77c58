//! The base URL of a console.

use std::fmt;

use url::{Host, Url};

/// The base URL of a console, such as `https://usea1.sentinelone.net`.
///
/// The scheme is optional when parsing. A path, a query and trailing slashes are removed. Plain `http` is accepted for
/// loopback hosts only.
///
/// ```
/// use sentinelone::ConsoleUrl;
///
/// let console: ConsoleUrl = "usea1.sentinelone.net/web/api/v2.1/".parse()?;
/// assert_eq!(console.to_string(), "https://usea1.sentinelone.net");
/// assert!("http://usea1.sentinelone.net".parse::<ConsoleUrl>().is_err());
/// assert!("http://127.0.0.1:8080".parse::<ConsoleUrl>().is_ok());
/// # Ok::<(), sentinelone::ConsoleUrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleUrl(Url);

/// The error of parsing a [`ConsoleUrl`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleUrlError {
    /// The string is empty.
    #[error("the console URL is empty; expected a host name such as usea1.sentinelone.net")]
    Empty,
    /// The string is not a valid URL.
    #[error(
        "{url:?} is not a valid console URL ({reason}); expected a host name such as usea1.sentinelone.net"
    )]
    Invalid {
        /// The string.
        url: String,
        /// Description of the error.
        reason: String,
    },
    /// The URL is plain http to another machine, which would send the token in clear text.
    #[error("plain http would send the token in clear text to {0}; use https: http is for this machine only")]
    PlainHttp(String),
    /// The scheme is neither https nor http.
    #[error("the scheme {0:?} is not supported for a console; expected https")]
    Scheme(String),
    /// The URL contains a user name or a password.
    #[error("the console URL contains a user name or a password; remove it: the API token is sufficient")]
    Credentials,
}

impl ConsoleUrl {
    /// Returns whether the console is on this machine.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            // Subdomains of localhost are not accepted, because some resolvers query other servers for them.
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Returns whether a URL has the host and port of this console, and the console is on this machine, so that the
    /// traffic does not leave it.
    pub(crate) fn is_same_loopback_host(&self, other: &Url) -> bool {
        self.is_loopback()
            && (self.0.host(), self.0.port_or_known_default())
                == (other.host(), other.port_or_known_default())
    }

    /// Returns the URL of a percent-encoded path and a query that is not percent-encoded.
    pub(crate) fn url(&self, path: &str, query: &[(String, String)]) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl std::str::FromStr for ConsoleUrl {
    type Err = ConsoleUrlError;

    fn from_str(input: &str) -> Result<Self, ConsoleUrlError> {
        let input = input.trim();
        if input.is_empty() {
            return Err(ConsoleUrlError::Empty);
        }
        let invalid = |reason: String| {
            // The part before an @ may contain a password.
            let redacted = input.rsplit_once('@').map_or(input, |(_, host)| host);
            ConsoleUrlError::Invalid { url: redacted.to_owned(), reason }
        };
        let base = input.split(['?', '#']).next().unwrap_or_default();
        let absolute = match base.split_once("://") {
            Some((scheme, _)) if !scheme.contains('/') => input.to_owned(),
            // With fewer than two slashes the scheme would be parsed as the host.
            _ if base.starts_with("http:") || base.starts_with("https:") => {
                return Err(invalid("expected two slashes after the scheme".into()));
            }
            _ => format!("https://{input}"),
        };
        let mut url = Url::parse(&absolute).map_err(|error| invalid(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConsoleUrlError::Credentials);
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(ConsoleUrlError::Scheme(url.scheme().to_owned()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("the host is missing".into()));
        }
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        let plain = url.scheme() == "http";
        let console = Self(url);
        if plain && !console.is_loopback() {
            let host = console.0.host_str().unwrap_or_default().to_owned();
            return Err(ConsoleUrlError::PlainHttp(host));
        }
        Ok(console)
    }
}

impl fmt::Display for ConsoleUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str().trim_end_matches('/'))
    }
}
