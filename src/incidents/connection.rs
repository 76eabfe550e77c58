//! The connection test and its errors.

use http::StatusCode;
use sentinelone_raw::runtime::{ApiVersion, Page, Request, Timestamp};
use serde_json::Value;

use super::config::Stream;
use super::fetch::{Fetcher, ListQuery, request};
use crate::client::Client;
use crate::{Error, ErrorKind};

/// The error of [`Fetcher::test_connection`]. The message is the fact, [`help`](Self::help) is the remedy, and the source
/// is the error of the call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The console is unreachable.
    #[error("{console} is unreachable")]
    Unreachable {
        /// The console URL.
        console: String,
        /// The error of the call.
        source: Error,
    },
    /// The console rejected the token.
    #[error("{console} rejected the API token")]
    Unauthorized {
        /// The console URL.
        console: String,
        /// The error of the call.
        source: Error,
    },
    /// The console does not allow the token to read a configured stream.
    #[error("the console does not allow the API token to view {stream}")]
    Forbidden {
        /// The stream.
        stream: &'static str,
        /// The error of the call.
        source: Error,
    },
    /// The console supports another API version.
    #[error("{console} supports API {supported}, not API {version}")]
    UnsupportedApiVersion {
        /// The console URL.
        console: String,
        /// The configured version.
        version: ApiVersion,
        /// The supported version.
        supported: ApiVersion,
        /// The error of the call.
        source: Error,
    },
    /// The server is not a console of this API.
    #[error("the server at {console} is not a SentinelOne console with API {version}")]
    NotAConsole {
        /// The console URL.
        console: String,
        /// The configured version.
        version: ApiVersion,
        /// The error of the call.
        source: Error,
    },
    /// Any other error.
    #[error("{stream} cannot be read from {console}")]
    Other {
        /// The console URL.
        console: String,
        /// The stream that cannot be read.
        stream: &'static str,
        /// The error of the call.
        source: Error,
    },
}

impl ConnectionError {
    /// Returns the error of the call.
    pub fn error(&self) -> &Error {
        match self {
            Self::Unreachable { source, .. }
            | Self::Unauthorized { source, .. }
            | Self::Forbidden { source, .. }
            | Self::UnsupportedApiVersion { source, .. }
            | Self::NotAConsole { source, .. }
            | Self::Other { source, .. } => source,
        }
    }

    /// Returns the remedy in one sentence; `None` if the message of the [error of the call](Self::error) says what is
    /// allowed.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnsupportedApiVersion { supported, .. } => Some(format!("use version {supported}")),
            Self::NotAConsole { .. } => Some("check the address in the console URL and the proxy".into()),
            _ => self.error().help(),
        }
    }
}

impl Fetcher {
    /// Tests whether fetching is possible by reading one item of each configured stream. The error shows whether the
    /// URL, the token, the permission or the version is wrong.
    ///
    /// `GET /web/api/v2.1/threats`, `GET /web/api/v2.1/cloud-detection/alerts`
    ///
    /// # Errors
    /// Returns a [`ConnectionError`] if a stream cannot be read. Its source is the error of the call.
    pub async fn test_connection(&self) -> Result<(), ConnectionError> {
        let streams = self.config.fetch_type.streams();
        for (index, stream) in streams.iter().enumerate() {
            if let Err(error) = read_one(&self.client, self, *stream).await {
                if error.status() == Some(StatusCode::UNAUTHORIZED) {
                    // Whether the console accepts the token for another stream decides about the cause.
                    for other in &streams[index + 1..] {
                        read_one(&self.client, self, *other).await.ok();
                    }
                }
                return Err(self.connection_error(*stream, error).await);
            }
        }
        Ok(())
    }

    async fn connection_error(&self, stream: Stream, source: Error) -> ConnectionError {
        let console = self.client.console_url().to_string();
        let (version, name) = (self.client.api_version(), stream.as_str());
        match (source.kind(), source.status()) {
            (ErrorKind::Connect, _) => ConnectionError::Unreachable { console, source },
            // The page of a proxy or another server.
            (ErrorKind::Api, Some(status)) if source.is_html_page() && status.is_client_error() => {
                ConnectionError::NotAConsole { console, version, source }
            }
            (_, Some(StatusCode::UNAUTHORIZED)) if !self.client.token_is_accepted() => {
                ConnectionError::Unauthorized { console, source }
            }
            (_, Some(StatusCode::UNAUTHORIZED)) => ConnectionError::Forbidden { stream: name, source },
            (_, Some(StatusCode::FORBIDDEN)) => ConnectionError::Forbidden { stream: name, source },
            // Either a console without this path or another server, which returns an HTML page.
            (_, Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)) | (ErrorKind::Decode, _) => {
                match self.supported_version().await {
                    Some(supported) => {
                        ConnectionError::UnsupportedApiVersion { console, version, supported, source }
                    }
                    None => ConnectionError::NotAConsole { console, version, source },
                }
            }
            (_, Some(status)) if status.is_redirection() => {
                ConnectionError::NotAConsole { console, version, source }
            }
            _ => ConnectionError::Other { console, stream: name, source },
        }
    }

    /// Returns another API version to which the console responds, even if it rejects the token.
    async fn supported_version(&self) -> Option<ApiVersion> {
        let others =
            ApiVersion::ALL.iter().rev().copied().filter(|other| *other != self.client.api_version());
        for version in others {
            // All versions have threats.
            let responds = match read_one(&self.client.with_api_version(version), self, Stream::Threats).await
            {
                Ok(()) => true,
                Err(error) => {
                    matches!(error.status(), Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
                }
            };
            if responds {
                return Some(version);
            }
        }
        None
    }
}

/// Reads one item of a stream.
async fn read_one(client: &Client, fetcher: &Fetcher, stream: Stream) -> crate::Result<()> {
    let now = client.now();
    let since = fetcher.config.start(&now).unwrap_or_else(|_| Timestamp::clone(&now));
    let query = ListQuery { stream, since, size: 1, config: &fetcher.config };
    let mut request: Request<Page<Value>> = request(client.api_version(), &query)?;
    request.set_query_param("limit", 1_u64)?;
    client.send(&request).await.map(drop)
}
