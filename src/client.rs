//! The client of a console.

#[cfg(feature = "commands")]
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use sentinelone_raw::runtime::{ApiVersion, Binary, Operation, Page, Request, ResponseBody, Timestamp};
use serde_json::Value;

use crate::Result;
use crate::background::BackgroundTasks;
#[cfg(feature = "commands")]
use crate::batch::BatchSettings;
use crate::console_url::ConsoleUrl;
use crate::error::Error;
use crate::files::{DownloadLink, link_parts};
#[cfg(feature = "commands")]
use crate::json_repair::RepairLog;
use crate::response::Response;
use crate::token::ApiToken;
use crate::transport::{CallConfig, Clock, Download, RateLimits, SleepFuture, Transport};

pub(crate) use crate::transport::RetryPolicy;

pub(crate) const IS_LEGACY: &str = "isLegacy";

/// A client of one console, cheap to clone; clones share connections and rate limits.
///
/// ```no_run
/// use sentinelone::threats::{IncidentStatus, ThreatFilter};
/// use sentinelone::{ApiToken, Client};
///
/// # async fn example() -> Result<(), sentinelone::Error> {
/// let client = Client::builder("usea1.sentinelone.net").token(ApiToken::from_env("S1_API_TOKEN")?).build()?;
/// let response = client
///     .threats()
///     .update_incident()
///     .filter(ThreatFilter::default().computer_name_contains(["web-01"]))
///     .status(IncidentStatus::Resolved)
///     .send()
///     .await?;
/// println!("{} threats updated", response.affected().unwrap_or_default());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<Transport>,
    /// Settings of the actions on many IDs that a command sends.
    #[cfg(feature = "commands")]
    batches: Option<Arc<BatchSettings>>,
    /// Tasks that go on when a future is dropped.
    background: Arc<BackgroundTasks>,
}

impl Client {
    pub(crate) fn from_transport(transport: Transport) -> Self {
        Self {
            transport: Arc::new(transport),
            #[cfg(feature = "commands")]
            batches: None,
            background: Arc::default(),
        }
    }

    /// Returns a client with the same connections and configuration for another version of the API.
    pub(crate) fn with_api_version(&self, version: ApiVersion) -> Self {
        self.with_settings(CallConfig { version, ..self.transport.settings.clone() })
    }

    /// Returns a client with the same connections and configuration that adds the repairs of all responses to a log.
    #[cfg(feature = "commands")]
    pub(crate) fn with_repair_log(&self, log: &RepairLog) -> Self {
        self.with_settings(CallConfig { repair_log: Some(log.clone()), ..self.transport.settings.clone() })
    }

    /// Returns a client with the same connections and configuration whose commands read lists with this number of
    /// requests in flight.
    #[cfg(feature = "commands")]
    pub(crate) fn with_list_concurrency(&self, requests: Option<NonZeroUsize>) -> Self {
        let list_concurrency = requests.unwrap_or(NonZeroUsize::MIN);
        self.with_settings(CallConfig { list_concurrency, ..self.transport.settings.clone() })
    }

    /// Returns the number of requests in flight with which commands read lists.
    #[cfg(feature = "commands")]
    pub(crate) fn list_concurrency(&self) -> usize {
        self.transport.settings.list_concurrency.get()
    }

    /// Returns a client with these settings, which share their large values with those of this client.
    fn with_settings(&self, settings: CallConfig) -> Self {
        let Transport { http, authorization, bearer, accepted, .. } = &*self.transport;
        let (http, accepted) = (Arc::clone(http), Arc::clone(accepted));
        let (authorization, bearer) = (authorization.clone(), bearer.clone());
        let mut client = self.clone();
        client.transport = Arc::new(Transport { http, authorization, bearer, accepted, settings });
        client
    }

    /// Returns a client with the same connections and configuration whose commands send actions on many IDs with these
    /// settings.
    #[cfg(feature = "commands")]
    pub(crate) fn with_batch_settings(&self, settings: BatchSettings) -> Self {
        let mut client = self.clone();
        client.batches = Some(Arc::new(settings));
        client
    }

    /// Returns the settings of actions on many IDs that commands send.
    #[cfg(feature = "commands")]
    pub(crate) fn batch_settings(&self) -> BatchSettings {
        self.batches.as_deref().cloned().unwrap_or_default()
    }

    /// Returns whether the console accepts the token for any operation.
    pub(crate) fn token_is_accepted(&self) -> bool {
        self.transport.accepted.any()
    }

    /// Checks the timeout and the retry policy of calls.
    pub(crate) fn check_call_settings(&self) -> Result<()> {
        self.transport.settings.validate()
    }

    /// Returns a client with another call timeout, above zero, and the same connections, rate limits and configuration.
    /// The timeout includes all attempts, rate-limit permits, delays that the console requests, and backoff; of a
    /// [download](Self::download), it is the time until the file begins. With zero, each call returns an error of the
    /// kind [`Configuration`](crate::ErrorKind::Configuration), and sends nothing.
    ///
    /// It costs one small allocation, so a client can be derived for a single call:
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let status = client.with_timeout(Duration::from_secs(5)).system().status().await?;
    /// println!("{:?}", status.data);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the client itself does not change"]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        self.with_settings(CallConfig { timeout, ..self.transport.settings.clone() })
    }

    /// Returns a client with another retry policy, in the ranges of [`RetryPolicy`], and the same connections, rate
    /// limits and configuration. It costs one small allocation. With another number, each call returns an error of the
    /// kind [`Configuration`](crate::ErrorKind::Configuration), and sends nothing.
    #[must_use = "the client itself does not change"]
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        self.with_settings(CallConfig { retry, ..self.transport.settings.clone() })
    }

    /// Returns the version of the API.
    pub fn api_version(&self) -> ApiVersion {
        self.transport.settings.version
    }

    /// Returns the console URL.
    pub fn console_url(&self) -> &ConsoleUrl {
        &self.transport.settings.console
    }

    /// Returns the rate limits, which the clones of the client share.
    pub fn rate_limits(&self) -> &RateLimits {
        &self.transport.settings.limits
    }

    /// Sends a request and decodes the response. [`raw`](crate::raw) builds requests for all operations, including
    /// those without their own method. The call acquires a permit under the [rate limits](RateLimits), and is retried
    /// [if that is safe](crate::RetryPolicy).
    ///
    /// Dropping the future ends the call. An action may have taken effect.
    ///
    /// # Errors
    /// Nothing is sent if this version of the API does not have the operation, or the filter of an action is not
    /// selective. The other errors are listed at [`ErrorKind`](crate::ErrorKind). A response with status 200 that has
    /// errors and no data is an error. If it also has data, it is returned, and [`Response::api_errors`] has the
    /// errors.
    pub async fn send<T: ResponseBody>(&self, request: &Request<T>) -> Result<Response<T>> {
        let (raw, history, secrets) = self.transport.send(request).await?;
        match raw.decode::<T>(request.operation()) {
            Ok(response) => {
                self.transport.accepted.accept(request.operation());
                Ok(response.with_secrets(secrets).with_repair_log(self.transport.settings.repair_log.clone()))
            }
            Err(error) => Err(history.attach_to(error).redacted(&secrets.redactor())),
        }
    }

    /// Starts the download of a file, whose bytes are read in chunks; see [`Download`].
    ///
    /// # Errors
    /// Returns the errors of [`send`](Self::send), and an error if the response is a JSON document or an HTML page
    /// instead of a file. The response size is not limited. The call timeout applies until the file begins. From then
    /// on, the limits are six hours for the whole file and the [`read_timeout`](crate::ClientBuilder::read_timeout).
    pub async fn download(&self, request: &Request<Binary>) -> Result<Download> {
        self.transport.download(request).await
    }

    /// Starts the download of a file whose link the console returned: the results of a script, or the file of a threat in
    /// the cloud. The request does not contain the token.
    ///
    /// # Errors
    /// Returns the errors of [`download`](Self::download), and an error of kind
    /// [`NoResult`](crate::ErrorKind::NoResult) if the link has no URL, or one that is not https. Plain http is accepted for
    /// a console on this machine only.
    pub async fn download_link(&self, link: &impl DownloadLink) -> Result<Download> {
        let (operation, url) = link_parts(link);
        let missing = || {
            let message = "the console returned a link without a URL";
            Error::no_result(operation, message, "check that there is a file to download").before_request()
        };
        self.download_url(operation, url.ok_or_else(missing)?).await
    }

    /// Starts the download of a file at a URL that an operation returned; see [`download_link`](Self::download_link).
    pub(crate) async fn download_url(&self, operation: &'static Operation, url: &str) -> Result<Download> {
        let parsed = url::Url::parse(url).ok().filter(|url| {
            url.scheme() == "https"
                || (url.scheme() == "http" && self.console_url().is_same_loopback_host(url))
        });
        let parsed = parsed.ok_or_else(|| {
            let message = "the console returned a URL that is not https";
            Error::no_result(operation, message, "the file cannot be downloaded from this URL")
                .before_request()
        })?;
        self.transport.download_url(operation, parsed).await
    }

    /// Returns the number of items that match the filter of an action, from the list with the same filter. Returns
    /// `None` if no list has this filter, or the console returns no total.
    ///
    /// # Errors
    /// Returns the errors of [`send`](Self::send).
    pub async fn count_matching<T>(&self, request: &Request<T>) -> Result<Option<u64>> {
        let version = self.api_version();
        let lists = sentinelone_raw::OPERATIONS.iter().filter(|list| list.supports(version));
        let Some(mut count) = lists.filter_map(|list| request.count_request::<Page<Value>>(list)).next()
        else {
            return Ok(None);
        };
        if count.operation().query_field(IS_LEGACY).is_some() {
            // Without it, the list of STAR rules lacks scheduled rules, which actions affect, too.
            count.set_query_param(IS_LEGACY, false)?;
        }
        Ok(self.send(&count).await?.total())
    }

    /// Returns the tasks of the client and its clones that go on when a future is dropped.
    pub(crate) fn background(&self) -> &BackgroundTasks {
        &self.background
    }

    /// Returns the clock, for the time since a fixed instant.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.transport.settings.clock)
    }

    pub(crate) fn token(&self) -> &ApiToken {
        &self.transport.settings.token
    }

    /// Returns the current time of the client's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.transport.settings.clock.system_time().into()
    }

    /// Waits, by the client's clock.
    pub(crate) fn sleep(&self, delay: Duration) -> SleepFuture {
        self.transport.settings.clock.sleep(delay)
    }

    /// Redacts the secrets of a request in an error.
    pub(crate) fn redact_error<T>(&self, error: Error, request: &Request<T>) -> Error {
        error.redacted(&self.transport.secrets_of(request).redactor())
    }
}
