//! The base URL of a console.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use url::{Host, Url};

/// The base URL of a console, such as `https://usea1.sentinelone.net`.
///
/// The scheme is optional when parsing, except for a host name without a domain. A path, a query and trailing slashes
/// are removed. Plain `http` is accepted for loopback hosts only.
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
pub struct ConsoleUrl(Arc<Url>);

/// The error of parsing a [`ConsoleUrl`]. The message is the fact, and [`help`](Self::help) is the remedy.
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
    #[error("plain http would send the token in clear text to {0}; http is for this machine only")]
    PlainHttp(String),
    /// The scheme is neither https nor http.
    #[error("the scheme {0:?} is not supported for a console; expected https")]
    Scheme(String),
    /// The string is a host name without a domain and without a scheme, such as `usea1`.
    #[error("the console URL {0:?} is not a full host name")]
    ShortName(String),
    /// The URL contains a user name or a password.
    #[error("the console URL contains a user name or a password")]
    Credentials,
}

impl ConsoleUrlError {
    /// Returns the remedy in one sentence; `None` if the message says what is allowed.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::PlainHttp(_) => "use https".to_owned(),
            Self::ShortName(name) => {
                format!(
                    "use https://{name}.sentinelone.net, or https://{name} for a host of the local network"
                )
            }
            Self::Credentials => "remove it; the API token is sufficient".to_owned(),
            Self::Empty | Self::Invalid { .. } | Self::Scheme(_) => return None,
        })
    }
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

    /// Returns whether connections to the console use TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns whether a URL has the host and port of this console, and the console is on this machine, so that the
    /// traffic does not leave it.
    pub(crate) fn is_same_loopback_host(&self, other: &Url) -> bool {
        self.is_loopback()
            && (self.0.host(), self.0.port_or_known_default())
                == (other.host(), other.port_or_known_default())
    }

    /// Returns the host name, if it has no domain and is not `localhost`.
    pub(crate) fn short_host(&self) -> Option<&str> {
        match self.0.host() {
            Some(Host::Domain(name)) if !name.contains('.') && name != "localhost" => Some(name),
            _ => None,
        }
    }

    /// Returns the URL of a percent-encoded path and a query that is not percent-encoded.
    pub(crate) fn url(&self, path: &str, query: &[(String, String)]) -> Url {
        let mut url = Url::clone(&self.0);
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
        if is_token_like(base) {
            let reason = "it is too long for a host name, or an API token".to_owned();
            return Err(ConsoleUrlError::Invalid { url: "…".to_owned(), reason });
        }
        let has_scheme = base.split_once("://").is_some_and(|(scheme, _)| !scheme.contains('/'));
        if let Some(quote) = input.chars().find(|c| is_quote(*c)) {
            return Err(invalid(format!("it contains the quote {quote}")));
        }
        let absolute = match base {
            _ if has_scheme => input.to_owned(),
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
        match url.host() {
            None => return Err(invalid("the host is missing".into())),
            // A second scheme.
            Some(Host::Domain("http" | "https")) if url.path().starts_with("//") => {
                return Err(invalid("it has two schemes".into()));
            }
            // The parser accepts more than a name can have, such as quotes.
            Some(Host::Domain(name)) => {
                if let Some(odd) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._".contains(*c)) {
                    return Err(invalid(format!("the host contains the character {odd}")));
                }
            }
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
        }
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        let plain = url.scheme() == "http";
        let console = Self(Arc::new(url));
        if let Some(name) = console.short_host().filter(|_| !has_scheme && !base.contains(':')) {
            return Err(ConsoleUrlError::ShortName(name.to_owned()));
        }
        if plain && !console.is_loopback() {
            let host = console.0.host_str().unwrap_or_default().to_owned();
            return Err(ConsoleUrlError::PlainHttp(host));
        }
        Ok(console)
    }
}

impl TryFrom<&str> for ConsoleUrl {
    type Error = ConsoleUrlError;

    fn try_from(input: &str) -> Result<Self, ConsoleUrlError> {
        input.parse()
    }
}

impl TryFrom<&String> for ConsoleUrl {
    type Error = ConsoleUrlError;

    fn try_from(input: &String) -> Result<Self, ConsoleUrlError> {
        input.parse()
    }
}

impl TryFrom<String> for ConsoleUrl {
    type Error = ConsoleUrlError;

    fn try_from(input: String) -> Result<Self, ConsoleUrlError> {
        input.parse()
    }
}

impl From<&ConsoleUrl> for ConsoleUrl {
    fn from(console: &ConsoleUrl) -> Self {
        console.clone()
    }
}

/// A conversion from a [`ConsoleUrl`] does not fail.
impl From<Infallible> for ConsoleUrlError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Returns whether a text without a scheme can be an API token, which must not be shown or resolved: it begins like a JWT,
/// or has a label that is longer than one of a host name.
fn is_token_like(text: &str) -> bool {
    /// Maximum length of a label in the DNS.
    const MAX_LABEL: usize = 63;
    let host = text.split(['/', ':']).next().unwrap_or_default();
    text.starts_with("eyJ") || host.split('.').any(|label| label.len() > MAX_LABEL)
}

/// Returns whether a character is a quote, which some tools keep around a value of an environment file.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}')
}

impl fmt::Display for ConsoleUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str().trim_end_matches('/'))
    }
}
