//! The client: what can be asked of a console.

use std::sync::Arc;

use sentinelone_raw::runtime::{Answer, ApiVersion, Binary, Operation, Page, Request, Timestamp};
use serde_json::Value;

use crate::Result;
use crate::address::Console;
use crate::builder::ClientBuilder;
use crate::error::Error;
use crate::files::Download;
use crate::paging::{Items, Pages};
use crate::response::Response;
use crate::token::ApiToken;
use crate::transport::{RateLimits, Settings, Transport};

/// A client of one console, cheap to clone; clones share connections and rate limits.
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
pub struct Client(Arc<Transport>);

impl Client {
    /// Starts with the console's address; see [`Console`] for what is forgiven and what is refused.
    pub fn builder(console: impl AsRef<str>) -> ClientBuilder {
        ClientBuilder::new(console.as_ref().parse())
    }

    pub(crate) fn over(transport: Transport) -> Self {
        Self(Arc::new(transport))
    }

    /// The same client on another version of the API.
    pub(crate) fn on(&self, version: ApiVersion) -> Self {
        let Transport { http, authorization, settings } = &*self.0;
        let settings = Settings { version, ..settings.clone() };
        Self::over(Transport { http: http.clone(), authorization: authorization.clone(), settings })
    }

    /// The version of the API that requests go to.
    pub fn api_version(&self) -> ApiVersion {
        self.0.settings.version
    }

    /// The console's address.
    pub fn console(&self) -> &Console {
        &self.0.settings.console
    }

    /// The rates that this client keeps to, together with its clones.
    pub fn rate_limits(&self) -> &RateLimits {
        &self.0.settings.limits
    }

    /// Sends a request: any of [`raw`](crate::raw), so that an operation without a method of its own is
    /// usable too. It waits for its turn under the [rate limits](RateLimits), and is made again where that
    /// [is safe](crate::Retry).
    ///
    /// Dropping the future ends the call. An action may have been done then.
    ///
    /// # Errors
    /// Before anything is sent: when the operation is not on this version of the API, or acts and has a
    /// filter that selects nothing in particular. After that: whatever [`ErrorKind`](crate::ErrorKind)
    /// lists. An answer of status 200 with errors and no data is an error too; with data it is an answer,
    /// and [`Response::vendor_errors`] has the errors.
    pub async fn send<T: Answer>(&self, request: &Request<T>) -> Result<Response<T>> {
        let (whole, history, secrets) = self.0.send(request).await?;
        match whole.decode::<T>(request.operation()) {
            Ok(response) => Ok(response.keeping(secrets)),
            Err(error) => Err(history.ended(error).without(&secrets.spelt())),
        }
    }

    /// Asks for a file, whose bytes are then read one by one and never held in memory as a whole: see
    /// [`Download`].
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the answer is a document or a page instead of a file. The limit on the
    /// size of answers does not apply; that on the time does until the file begins, which then may take six hours
    /// and stand still for as long as [`read_timeout`](ClientBuilder::read_timeout) says.
    pub async fn download(&self, request: &Request<Binary>) -> Result<Download> {
        self.0.download(request).await
    }

    /// Asks for a file at an address that the console gave out, such as that of a script's results. The token
    /// is not sent there. `operation` is the one that gave the address.
    ///
    /// # Errors
    /// When it is no https address (plain http is taken from a console on this machine only), and as
    /// [`download`](Self::download).
    pub async fn download_from(&self, operation: &'static Operation, url: &str) -> Result<Download> {
        let parsed = url::Url::parse(url)
            .ok()
            .filter(|url| url.scheme() == "https" || (url.scheme() == "http" && self.console().is_here(url)));
        let parsed = parsed.ok_or_else(|| {
            let message = "the console gave an address that is not https";
            Error::ended(operation, message, "the file cannot be fetched from there")
        })?;
        self.0.download_from(operation, parsed).await
    }

    /// How many things the filter of an action selects, asked of the list that takes the same filter; `None`
    /// where no list does, or the console gives no total.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn count_of<T>(&self, request: &Request<T>) -> Result<Option<u64>> {
        let version = self.api_version();
        let lists = sentinelone_raw::OPERATIONS.iter().filter(|list| list.is_in(version));
        let Some(count) = lists.filter_map(|list| request.counting::<Page<Value>>(list)).next() else {
            return Ok(None);
        };
        Ok(self.send(&count).await?.total())
    }

    pub(crate) fn token(&self) -> &ApiToken {
        &self.0.settings.token
    }

    /// The time of day by the client's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.settings.clock.time_of_day().into()
    }

    /// An error without the secrets of a request in it.
    pub(crate) fn clean<T>(&self, error: Error, request: &Request<T>) -> Error {
        error.without(&self.0.secrets_of(request).spelt())
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
