//! How long the token still lives.

use std::time::Duration;

use sentinelone_raw::runtime::Timestamp;
use tracing::warn;

use crate::Result;
use crate::client::Client;
use crate::response::Response;

/// When a token was created and when it expires; from [`Client::token_details`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenDetails {
    /// When it was created, as far as the console says.
    pub created_at: Option<Timestamp>,
    /// When it expires, as far as the console says.
    pub expires_at: Option<Timestamp>,
}

impl TokenDetails {
    /// With less left than this it is time for a new token: two weeks.
    pub const WARN_BEFORE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

    /// How much is left at this moment: nothing when the token has expired, `None` when the console does not say
    /// when it will.
    pub fn left(&self, at: &Timestamp) -> Option<Duration> {
        let left = self.expires_at.as_ref()?.unix_millis()?.saturating_sub(at.unix_millis()?);
        Some(Duration::from_millis(u64::try_from(left).unwrap_or_default()))
    }

    /// What there is to warn of at this moment, in a sentence.
    pub fn warning(&self, at: &Timestamp) -> Option<String> {
        let left = self.left(at).filter(|left| *left < Self::WARN_BEFORE)?;
        let expiry = self.expires_at.as_ref().map(Timestamp::as_str).unwrap_or_default();
        if left.is_zero() {
            return Some(format!("the API token has expired ({expiry}); create a new one"));
        }
        let left = match (left.as_secs() / 86_400, left.as_secs() / 3_600) {
            (0, 0) => "within the hour".to_owned(),
            (0, 1) => "in 1 hour".to_owned(),
            (0, hours) => format!("in {hours} hours"),
            (1, _) => "in 1 day".to_owned(),
            (days, _) => format!("in {days} days"),
        };
        Some(format!("the API token expires {left} ({expiry}); create a new one"))
    }
}

impl Client {
    /// When this client's token was created and when it expires. With less than two weeks left, or none, that is
    /// also a warning in the log: a new token revokes the old one at once, so it takes planning.
    ///
    /// `POST /web/api/v2.1/users/api-token-details`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let details = client.token_details().await?;
    /// if let Some(warning) = details.warning(&sentinelone::Timestamp::now()) {
    ///     eprintln!("{warning}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send); a token that has expired already is refused with status 401. The operation is not
    /// on API 2.0.
    pub async fn token_details(&self) -> Result<TokenDetails> {
        let answer = self.users().api_token_details(self.token()).await;
        let data = answer.map(Response::into_value)?.data.unwrap_or_default();
        let details = TokenDetails { created_at: data.created_at, expires_at: data.expires_at };
        if let Some(warning) = details.warning(&self.now()) {
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
    fn two_weeks_before_the_end_there_is_a_warning() {
        let now = Timestamp::from("2026-11-21T12:00:00Z");
        let warning = |at: &str| expiring(at).warning(&now);
        assert_eq!(warning("2026-12-05T12:00:00.000Z"), None, "two weeks to the second");
        assert!(warning("2026-12-05T11:59:59Z").unwrap().contains("in 13 days"));
        assert!(warning("2026-11-23T11:00:00Z").unwrap().contains("in 1 day "));
        assert!(warning("2026-11-22T11:00:00Z").unwrap().contains("in 23 hours"));
        assert!(warning("2026-11-21T13:59:00Z").unwrap().contains("in 1 hour "));
        assert!(warning("2026-11-21T12:10:00Z").unwrap().contains("within the hour"));
        assert!(warning("2026-11-21T12:00:00Z").unwrap().contains("has expired"));
        assert!(warning("2020-01-01T00:00:00Z").unwrap().contains("has expired"));
        assert_eq!(warning("in due course"), None, "what is no time is no reason");
        let unknown = TokenDetails { created_at: None, expires_at: None };
        assert_eq!((unknown.left(&now), unknown.warning(&now)), (None, None));
        let left = expiring("2026-11-21T12:00:01.500Z").left(&now);
        assert_eq!(left, Some(Duration::from_millis(1500)));
    }
}
