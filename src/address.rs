//! The address of a console.

use std::fmt;

use url::{Host, Url};

/// The address of a console, such as `https://usea1.sentinelone.net`.
///
/// Reading one is forgiving about how it was copied: the scheme may be missing, a path, a query and
/// trailing slashes are dropped. It is strict about safety: plain `http` is taken for this machine only.
///
/// ```
/// use sentinelone::Console;
///
/// let console: Console = "usea1.sentinelone.net/web/api/v2.1/".parse()?;
/// assert_eq!(console.to_string(), "https://usea1.sentinelone.net");
/// assert!("http://usea1.sentinelone.net".parse::<Console>().is_err());
/// assert!("http://127.0.0.1:8080".parse::<Console>().is_ok());
/// # Ok::<(), sentinelone::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console(Url);

/// Why a text is no address of a console.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Nothing was given.
    #[error("the console's address is empty; give its host name, such as usea1.sentinelone.net")]
    Empty,
    /// The text is no URL.
    #[error(
        "{address:?} is no address of a console ({reason}); give its host name, such as usea1.sentinelone.net"
    )]
    Invalid {
        /// The text.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// Plain http to another machine would show the token to everyone on the way.
    #[error("plain http would send the token in clear to {0}; use https, http is for this machine only")]
    PlainHttp(String),
    /// A scheme other than https or http.
    #[error("{0:?} is no scheme of a console; use https")]
    Scheme(String),
    /// A user name or a password in the address.
    #[error("the console's address holds a user name or a password; the token is all that is needed")]
    Credentials,
}

impl Console {
    /// Whether the console is on this machine.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            // Names below localhost are not: some resolvers ask others for them.
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether an address is this console's own, and on this machine: a place where nothing of a network reads
    /// along.
    pub(crate) fn is_here(&self, other: &Url) -> bool {
        self.is_loopback()
            && (self.0.host(), self.0.port_or_known_default())
                == (other.host(), other.port_or_known_default())
    }

    /// The URL of a path, which is percent-encoded already, and of a query, which is not.
    pub(crate) fn url(&self, path: &str, query: &[(String, String)]) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl std::str::FromStr for Console {
    type Err = AddressError;

    fn from_str(address: &str) -> Result<Self, AddressError> {
        let address = address.trim();
        if address.is_empty() {
            return Err(AddressError::Empty);
        }
        let invalid = |reason: String| {
            // What stands before an @ may be a password.
            let shown = address.rsplit_once('@').map_or(address, |(_, host)| host);
            AddressError::Invalid { address: shown.to_owned(), reason }
        };
        let place = address.split(['?', '#']).next().unwrap_or_default();
        let full = match place.split_once("://") {
            Some((scheme, _)) if !scheme.contains('/') => address.to_owned(),
            // One slash is a slip, and would make a host of the scheme.
            _ if place.starts_with("http:") || place.starts_with("https:") => {
                return Err(invalid("two slashes follow the scheme".into()));
            }
            _ => format!("https://{address}"),
        };
        let mut url = Url::parse(&full).map_err(|error| invalid(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(AddressError::Scheme(url.scheme().to_owned()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("it has no host".into()));
        }
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        let plain = url.scheme() == "http";
        let console = Self(url);
        if plain && !console.is_loopback() {
            let host = console.0.host_str().unwrap_or_default().to_owned();
            return Err(AddressError::PlainHttp(host));
        }
        Ok(console)
    }
}

impl fmt::Display for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str().trim_end_matches('/'))
    }
}
