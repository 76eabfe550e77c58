//! Whether fetching would work, told so that somebody can mend it.

use http::StatusCode;
use sentinelone_raw::runtime::{ApiVersion, Page, Request, Timestamp};
use serde_json::Value;

use super::fetch::{Ask, Fetcher, request};
use super::settings::Stream;
use crate::client::Client;
use crate::{Error, ErrorKind};

/// Why fetching would not work. Each says what is wrong first and what to do last; the error of the call is its
/// source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// Nothing answers there.
    #[error("nothing answers at {console}: check the address, the network and the proxy")]
    Address {
        /// The console's address.
        console: String,
        /// The call.
        source: Error,
    },
    /// The token is not taken.
    #[error("{console} does not take the API token: it is wrong, expired or revoked; create a new one")]
    Token {
        /// The console's address.
        console: String,
        /// The call.
        source: Error,
    },
    /// The token may not read what is to be fetched.
    #[error(
        "the API token may not read {stream}: give its user a role that may view them, in the scope that is meant"
    )]
    Permission {
        /// What it may not read.
        stream: &'static str,
        /// The call.
        source: Error,
    },
    /// The console speaks another version of the API.
    #[error("{console} speaks API {other} and not API {version}: use version {other}")]
    Version {
        /// The console's address.
        console: String,
        /// The version that was asked for.
        version: ApiVersion,
        /// The version that it speaks.
        other: ApiVersion,
        /// The call.
        source: Error,
    },
    /// Something answers, and it is no console of this API.
    #[error("what answers at {console} is no SentinelOne console with API {version}: check the address")]
    NoConsole {
        /// The address.
        console: String,
        /// The version that was asked for.
        version: ApiVersion,
        /// The call.
        source: Error,
    },
    /// Anything else.
    #[error("{stream} cannot be read from {console}; {}", .source.advice())]
    Other {
        /// The console's address.
        console: String,
        /// What cannot be read.
        stream: &'static str,
        /// The call.
        source: Error,
    },
}

impl ConnectionError {
    /// The error of the call.
    pub fn error(&self) -> &Error {
        match self {
            Self::Address { source, .. }
            | Self::Token { source, .. }
            | Self::Permission { source, .. }
            | Self::Version { source, .. }
            | Self::NoConsole { source, .. }
            | Self::Other { source, .. } => source,
        }
    }
}

impl Fetcher {
    /// Tries whether fetching would work: reads one thing of each stream that is to be fetched, and says of address,
    /// token, permission and version which one is wrong. Nothing is changed.
    ///
    /// `GET /web/api/v2.1/threats`, `GET /web/api/v2.1/cloud-detection/alerts`
    ///
    /// # Errors
    /// [`ConnectionError`], with the error of the call as its source.
    pub async fn test_connection(&self) -> Result<(), ConnectionError> {
        for stream in self.settings.fetch_type.streams() {
            if let Err(error) = one(&self.client, self, *stream).await {
                return Err(self.explained(*stream, error).await);
            }
        }
        Ok(())
    }

    async fn explained(&self, stream: Stream, source: Error) -> ConnectionError {
        let console = self.client.console().to_string();
        let (version, name) = (self.client.api_version(), stream.as_str());
        match (source.kind(), source.status()) {
            (ErrorKind::Connect, _) => ConnectionError::Address { console, source },
            (_, Some(StatusCode::UNAUTHORIZED)) => ConnectionError::Token { console, source },
            (_, Some(StatusCode::FORBIDDEN)) => ConnectionError::Permission { stream: name, source },
            // A console that does not know the path, or something else than a console, which answers with a page.
            (_, Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)) | (ErrorKind::Decode, _) => {
                match self.other_version().await {
                    Some(other) => ConnectionError::Version { console, version, other, source },
                    None => ConnectionError::NoConsole { console, version, source },
                }
            }
            (_, Some(status)) if status.is_redirection() => {
                ConnectionError::NoConsole { console, version, source }
            }
            _ => ConnectionError::Other { console, stream: name, source },
        }
    }

    /// Another version of the API on which the console answers, were it to refuse the token.
    async fn other_version(&self) -> Option<ApiVersion> {
        let others =
            ApiVersion::ALL.iter().rev().copied().filter(|other| *other != self.client.api_version());
        for version in others {
            // Threats are there on every version.
            let known = match one(&self.client.on(version), self, Stream::Threats).await {
                Ok(()) => true,
                Err(error) => {
                    matches!(error.status(), Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
                }
            };
            if known {
                return Some(version);
            }
        }
        None
    }
}

/// Reads one thing of a stream.
async fn one(client: &Client, fetcher: &Fetcher, stream: Stream) -> crate::Result<()> {
    let now = client.now();
    let since = fetcher.settings.start(&now).unwrap_or_else(|_| Timestamp::clone(&now));
    let ask = Ask { stream, since, size: 1, settings: &fetcher.settings };
    let mut request: Request<Page<Value>> = request(client.api_version(), &ask)?;
    request.set_query("limit", 1_u64)?;
    client.send(&request).await.map(drop)
}
