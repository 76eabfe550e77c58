//! `sentinelone-create-white-list-item`: creates an exclusion.

use std::collections::HashSet;

use sentinelone_raw::exclusions::{
    self as raw, ExclusionType, ExclusionsCreateData, ExclusionsCreateRequest,
};
use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::shared::ScopeFilter;
use serde_json::Value;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batch_action::{run_action, without_detail};
use super::support::batched_lists::{non_empty, scope_ids};
use super::support::context_entry::context_under;
use super::support::execution::Requests;
use super::support::list_pages::entries;
use super::{CommandDeclaration, CreateWhiteListItem, Outcome};
use crate::Result;
use crate::entry_id::id_of;
use crate::outcome::{IdOutcome, IdState};

impl Behavior for CreateWhiteListItem {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        if self.site_ids.is_empty() && self.group_ids.is_empty() {
            let message = "or group_ids is required; otherwise the exclusion would apply to the whole tenant";
            return Err(argument_error(name, "site_ids", message));
        }
        let for_paths = [
            ("exclusion_mode", self.exclusion_mode.is_some()),
            ("path_exclusion_type", self.path_exclusion_type.is_some()),
        ];
        let path_option = for_paths.iter().find(|(_, is_set)| *is_set);
        if let Some((argument, _)) = path_option.filter(|_| self.exclusion_type != ExclusionType::Path) {
            let message = format!("requires exclusion_type path; exclusion_type is {}", self.exclusion_type);
            return Err(argument_error(name, argument, message));
        }
        let mut data = ExclusionsCreateData::new(&self.os_type, &self.exclusion_type, &self.exclusion_value);
        data.description = self.description.clone();
        data.mode = self.exclusion_mode.clone();
        data.path_exclusion_type = self.path_exclusion_type.clone();
        let mut scope = ScopeFilter::default();
        (scope.site_ids, scope.group_ids) = (non_empty(&self.site_ids), non_empty(&self.group_ids));
        Ok(vec![raw::create(&ExclusionsCreateRequest::new(data, scope))?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: actions, .. } = run;
        let version = client.api_version();
        let (mut outcome, _) = run_action(client, actions).await?;
        let created = outcome.response.get("data").and_then(Value::as_array).cloned();
        outcome.affected = created.as_ref().map(|created| created.len() as u64);
        let created = created.unwrap_or_default();
        let ids = created.iter().filter_map(id_of);
        outcome.results = ids.map(|id| without_detail(id, IdState::Done)).collect();
        if outcome.results.is_empty() {
            // Without an ID, the result is that of the excluded value.
            let state = if outcome.affected == Some(0) { IdState::NotAffected } else { IdState::Unknown };
            outcome.results.push(without_detail(self.exclusion_value.clone(), state));
        } else {
            outcome.results.extend(missing_scopes(self, &created));
        }
        outcome.context =
            context_under(Self::INFO.context, entries(Self::OUTPUTS, Self::INFO.context, version, &created));
        Ok(outcome)
    }
}

/// Returns the results of the sites and groups that are not in the entries. If at least as many entries have no
/// scope, the list is empty, because each of them can belong to any site or group.
fn missing_scopes(command: &CreateWhiteListItem, created: &[Value]) -> Vec<IdOutcome> {
    let mut missing = Vec::new();
    for (name, kind, ids) in
        [("site", "siteIds", &command.site_ids), ("group", "groupIds", &command.group_ids)]
    {
        let reported: HashSet<_> = created.iter().flat_map(|entry| scope_ids(entry, kind)).collect();
        let mut unique = HashSet::new();
        missing.extend(ids.iter().filter(|id| !reported.contains(*id) && unique.insert(*id)).map(|id| {
            let detail = Some(format!("the response has no exclusion for this {name}"));
            IdOutcome { detail, ..without_detail(id.clone(), IdState::Unknown) }
        }));
    }
    let has_no_scope = |entry: &&Value| {
        let tenant = entry.pointer("/scope/tenant").and_then(Value::as_bool) == Some(true);
        !tenant && ["siteIds", "groupIds", "accountIds"].iter().all(|kind| scope_ids(entry, kind).is_empty())
    };
    if created.iter().filter(has_no_scope).count() >= missing.len() {
        missing.clear();
    }
    missing
}
