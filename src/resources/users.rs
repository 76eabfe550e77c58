//! Users: their API tokens and elevated sessions.

use sentinelone_raw::runtime::{Data, Secret};
use sentinelone_raw::users as raw;

pub use sentinelone_raw::users::{ApiTokenDetails, ElevatedSession, UsersElevateSessionRequest};

#[cfg(feature = "administration")]
pub use super::documented::types::users::*;

use super::builders::{ActionBuilder, resource};
use crate::Result;
use crate::response::Response;
use crate::token::ApiToken;

resource! {
    /// Operations on users; see [`Client::users`](crate::Client::users).
    Users
}

impl Users {
    /// Returns the creation and expiration time of a token. The token is sent in the request body and may differ
    /// from the token of the client. Errors do not contain it.
    ///
    /// `POST /web/api/v2.1/users/api-token-details`
    ///
    /// ```no_run
    /// # use sentinelone::ApiToken;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let token = ApiToken::from_env("S1_API_TOKEN")?;
    /// let details = client.users().api_token_details(&token).await?.into_value().data.unwrap_or_default();
    /// println!("{:?}", details.expires_at);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn api_token_details(&self, token: &ApiToken) -> Result<Response<Data<ApiTokenDetails>>> {
        let data = raw::ApiTokenQueryData::default().api_token(token.expose_secret());
        let request = raw::get_api_token_details(&raw::UsersGetApiTokenDetailsRequest::default().data(data))?;
        // The token is one of the secrets of the request, so errors do not contain it.
        self.client.send(&request).await
    }

    /// Elevates the session of the token's user with a verification code of an authenticator app, so that the user can
    /// run protected actions, such as remote scripts, for some minutes. Errors do not contain the code.
    ///
    /// `POST /web/api/v2.1/users/auth/elevate`
    pub fn elevate_session(
        &self,
        code: impl Into<Secret>,
    ) -> ActionBuilder<UsersElevateSessionRequest, Data<ElevatedSession>> {
        let body = UsersElevateSessionRequest::new(raw::ElevateSessionData::new(code));
        ActionBuilder::new(&self.client, body, |_, body| raw::elevate_session(body))
    }
}
