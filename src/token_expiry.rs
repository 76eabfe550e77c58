//! Expiry of the API token.

use std::time::Duration;

use sentinelone_raw::runtime::Timestamp;
use tracing::warn;

use crate::Result;
use crate::client::Client;
use crate::response::Response;

/// The creation and expiry times of a token; from [`Client::token_details`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenDetails {
    /// Creation time, if the console returns it.
    pub created_at: Option<Timestamp>,
    /// Expiry time, if the console returns it.
    pub expires_at: Option<Timestamp>,
}

impl TokenDetails {
    /// Remaining lifetime below which [`expiry_warning`](Self::expiry_warning) returns a warning: two weeks.
    pub const EXPIRY_WARNING_PERIOD: Duration = Duration::from_secs(14 * 24 * 60 * 60);

    /// Returns the remaining lifetime at `time`: zero if the token has expired, `None` if the expiry time is
    /// missing or invalid.
    pub fn remaining(&self, time: &Timestamp) -> Option<Duration> {
        let millis = self.expires_at.as_ref()?.unix_millis()?.saturating_sub(time.unix_millis()?);
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
    }

    /// Returns a warning if the token has expired or expires within two weeks of `time`.
    pub fn expiry_warning(&self, time: &Timestamp) -> Option<String> {
        let remaining = self.remaining(time).filter(|remaining| *remaining < Self::EXPIRY_WARNING_PERIOD)?;
        let expiry = self.expires_at.as_ref().map(Timestamp::as_str).unwrap_or_default();
        if remaining.is_zero() {
            return Some(format!("the API token has expired ({expiry}); create a new one"));
        }
        let period = match (remaining.as_secs() / 86_400, remaining.as_secs() / 3_600) {
            (0, 0) => "within the hour".to_owned(),
            (0, 1) => "in 1 hour".to_owned(),
            (0, hours) => format!("in {hours} hours"),
            (1, _) => "in 1 day".to_owned(),
            (days, _) => format!("in {days} days"),
        };
        Some(format!("the API token expires {period} ({expiry}); create a new one"))
    }
}

impl Client {
    /// Returns the creation and expiry times of the client's token. Logs a warning if the token has expired or expires
    /// within two weeks. A new token revokes the old one immediately, so plan its replacement.
    ///
    /// `POST /web/api/v2.1/users/api-token-details`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let details = client.token_details().await?;
    /// if let Some(warning) = details.expiry_warning(&sentinelone::Timestamp::now()) {
    ///     eprintln!("{warning}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the errors of [`send`](Self::send). The console rejects an expired token with HTTP 401. API 2.0 does not
    /// have the operation.
    pub async fn token_details(&self) -> Result<TokenDetails> {
        let response = self.users().api_token_details(self.token()).await;
        let data = response.map(Response::into_value)?.data.unwrap_or_default();
        let details = TokenDetails { created_at: data.created_at, expires_at: data.expires_at };
        if let Some(warning) = details.expiry_warning(&self.now()) {
            warn!(target: "sentinelone", "{warning}");
        }
        Ok(details)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn expiring(at: &str) -> TokenDetails {
        TokenDetails { created_at: None, expires_at: Some(at.into()) }
    }

    #[test]
    fn expiry_warning_starts_two_weeks_before_expiry() {
        let now = Timestamp::from("2026-11-21T12:00:00Z");
        let warning = |at: &str| expiring(at).expiry_warning(&now);
        assert_eq!(warning("2026-12-05T12:00:00.000Z"), None, "exactly two weeks");
        assert!(warning("2026-12-05T11:59:59Z").unwrap().contains("in 13 days"));
        assert!(warning("2026-11-23T11:00:00Z").unwrap().contains("in 1 day "));
        assert!(warning("2026-11-22T11:00:00Z").unwrap().contains("in 23 hours"));
        assert!(warning("2026-11-21T13:59:00Z").unwrap().contains("in 1 hour "));
        assert!(warning("2026-11-21T12:10:00Z").unwrap().contains("within the hour"));
        assert!(warning("2026-11-21T12:00:00Z").unwrap().contains("has expired"));
        assert!(warning("2020-01-01T00:00:00Z").unwrap().contains("has expired"));
        assert_eq!(warning("unknown"), None, "an invalid time gives no warning");
        let unknown = TokenDetails { created_at: None, expires_at: None };
        assert_eq!((unknown.remaining(&now), unknown.expiry_warning(&now)), (None, None));
        let remaining = expiring("2026-11-21T12:00:01.500Z").remaining(&now);
        assert_eq!(remaining, Some(Duration::from_millis(1500)));
    }
}
