//! `sentinelone-get-star-rules`: lists STAR rules.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use sentinelone_raw::runtime::ApiVersion;
use serde_json::Value;

use super::command::{Behavior, Run};
use super::support::batched_lists::read_lists;
use super::support::execution::Requests;
use super::support::list_command::{effective_limit, list_requests};
use super::support::list_entries::ContextEntries;
use super::support::requested_ids::RequestedIds;
use super::{GetStarRules, Outcome};
use crate::Result;
use crate::entry_id::id_of;
use crate::rule_update::{LISTS, rejects_is_legacy};

impl Behavior for GetStarRules {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let both = if self.is_legacy.is_some() { vec![self.is_legacy] } else { LISTS.to_vec() };
        let mut requests = Vec::new();
        for is_legacy in both {
            for mut request in list_requests(self)? {
                request.set_query_param("isLegacy", is_legacy)?;
                requests.push(request);
            }
        }
        Ok(requests)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let requested = RequestedIds::of(self);
        // Both lists can have a rule.
        let known = Mutex::new((HashSet::new(), 0_u64));
        let is_new = |rule: &Value| {
            let (ids, count) = &mut *known.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = id_of(rule).is_none_or(|id| ids.insert(id));
            *count += u64::from(is_new);
            is_new
        };
        let (limit, entries) = (effective_limit(self), ContextEntries::of::<Self>());
        let observed = (client, observer, &requested);
        let mut outcome = read_lists(observed, requests, limit, Some(&is_new), entries).await?;
        if self.is_legacy.is_none() {
            // The totals of the lists count common rules twice. Below the limit, every rule was read.
            let (_, count) = known.into_inner().unwrap_or_else(PoisonError::into_inner);
            // A console that rejects the parameter has the default list only, which was read first.
            let has_one_list = outcome.failure.as_ref().is_some_and(rejects_is_legacy);
            outcome.failure = outcome.failure.filter(|_| !has_one_list);
            let is_whole = outcome.failure.is_none()
                && outcome.errors.is_empty()
                && !outcome.repairs.has_loss()
                && limit.is_none_or(|limit| count < limit);
            if has_one_list && is_whole {
                outcome.not_found = requested.not_found();
            }
            if let Some(Value::Object(pagination)) = outcome.response.get_mut("pagination") {
                pagination.insert("totalItems".into(), is_whole.then_some(count).into());
            }
        }
        Ok(outcome)
    }
}
