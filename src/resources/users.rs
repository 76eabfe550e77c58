//! Users: their API tokens.

use sentinelone_raw::runtime::Data;
use sentinelone_raw::users as raw;

pub use sentinelone_raw::users::ApiTokenDetails;

use super::grammar::resource;
use crate::Result;
use crate::response::Response;
use crate::token::ApiToken;

resource! {
    /// Everything about users; from [`Client::users`](crate::Client::users).
    Users
}

impl Users<'_> {
    /// When a token was created and when it expires. The token goes into the body; it may be another than
    /// the client's own, and no error keeps it.
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
    /// As [`Client::send`](crate::Client::send).
    pub async fn api_token_details(self, token: &ApiToken) -> Result<Response<Data<ApiTokenDetails>>> {
        let data = raw::ApiTokenQueryData::default().api_token(token.exposed());
        let request = raw::get_api_token_details(&raw::ApiTokenQuery::default().data(data))?;
        // The request has the token among its secrets, so that no error keeps it.
        self.client.send(&request).await
    }
}
