//! Configuration of calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sentinelone_raw::runtime::ApiVersion;

use super::clock::Clock;
use super::rate_limits::RateLimits;
use super::record::Recorder;
use super::retry::{RetryPolicy, require_time};
use crate::Result;
use crate::console_url::ConsoleUrl;
use crate::json_repair::RepairLog;
use crate::token::ApiToken;

/// Configuration of calls.
#[derive(Clone)]
pub(crate) struct CallConfig {
    pub(crate) console: ConsoleUrl,
    pub(crate) version: ApiVersion,
    /// Timeout of a call, with all attempts and delays.
    pub(crate) timeout: Duration,
    /// Longest time without any data.
    pub(crate) read_timeout: Duration,
    pub(crate) max_response_size: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) limits: RateLimits,
    pub(crate) clock: Arc<dyn Clock>,
    /// Source of random numbers from 0 to 1.
    pub(crate) random: Arc<dyn Fn() -> f64 + Send + Sync>,
    pub(crate) recorder: Option<Arc<dyn Recorder>>,
    /// Receives the repairs of all responses.
    pub(crate) repair_log: Option<RepairLog>,
    /// Maximum number of requests in flight of a list that a command reads.
    #[cfg(feature = "commands")]
    pub(crate) list_concurrency: std::num::NonZeroUsize,
    /// Token to redact in errors.
    pub(crate) token: ApiToken,
}

impl CallConfig {
    /// Checks the settings that a call can have of its own.
    pub(crate) fn validate(&self) -> Result<()> {
        require_time("timeout", self.timeout)?;
        self.retry.validate()
    }
}

impl fmt::Debug for CallConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallConfig")
            .field("console", &self.console)
            .field("version", &self.version)
            .field("timeout", &self.timeout)
            .field("max_response_size", &self.max_response_size)
            .field("retry", &self.retry)
            .field("limits", &self.limits)
            .field("clock", &self.clock)
            .field("recorder", &self.recorder)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
