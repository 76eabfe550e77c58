//! `sentinelone-get-blocklist`: lists the blocklist.

use sentinelone_raw::runtime::ApiVersion;

use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::ids::is_hexadecimal;
use super::support::list_command::{effective_limit, list_requests};
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::support::requested_ids::RequestedIds;
use super::{GetBlocklist, Outcome};
use crate::Result;

impl Behavior for GetBlocklist {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let scopes = [&self.group_ids, &self.site_ids, &self.account_ids];
        let has_scope = scopes.iter().any(|ids| !ids.is_empty());
        // A hash that only a site blocks is blocked, too.
        let is_search = !self.hash.is_empty() && !has_scope && self.global;
        let include_children = self.include_children.or(is_search.then_some(true));
        let mut requests = list_requests(self)?;
        for request in &mut requests {
            // The API accepts either the tenant or IDs.
            request.set_query_param("tenant", (!has_scope).then_some(self.global))?;
            request.set_query_param("includeChildren", include_children)?;
            request.set_query_param("sortBy", "updatedAt")?;
            request.set_query_param("sortOrder", "desc")?;
        }
        Ok(requests)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        // A shorter value is a substring.
        let is_hash = |value: &&String| matches!(value.len(), 32 | 40 | 64) && is_hexadecimal(value);
        let hashes: Vec<String> = self.hash.iter().filter(is_hash).cloned().collect();
        let requested = RequestedIds::default().with("hash", &hashes, &["value"]);
        let (limit, entries) = (effective_limit(self), ContextEntries::of::<Self>());
        list((client, observer, &requested), requests, limit, None, entries).await
    }
}
