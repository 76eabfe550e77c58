//! `sentinelone-remove-hash-from-blocklist`: removes a file hash from the blocklist.

use std::collections::HashSet;

use sentinelone_raw::blocklist::{
    self as raw, BlocklistDeleteRequest, BlocklistDeletionData, BlocklistListQuery, BlocklistSortField,
};
use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::support::batch_action::{batch_requests, without_detail};
use super::support::batched_lists::{delete_entries, scope_ids};
use super::support::blocklist_entry::{LEVELS, check_sha1, scope_text, site_batches};
use super::support::context_entry::context_under;
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::{CommandDeclaration, Outcome, RemoveHashFromBlocklist};
use crate::Result;
use crate::entry_id::id_of;
use crate::json_path::set_path;
use crate::json_repair::Repairs;
use crate::outcome::{IdOutcome, IdState};
use crate::paging::with_page_size;

const NOT_LISTED: &str = "Not on blocklist";

impl Behavior for RemoveHashFromBlocklist {
    /// Returns the search requests. The delete requests depend on their responses.
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        check_sha1(Self::INFO.name, &self.sha1)?;
        // For each scope its own list, and then the lists below and above it.
        let mut queries = Vec::new();
        let none = BlocklistListQuery::default;
        let batches = |ids: &[String]| site_batches(ids).into_iter().filter(|ids| !ids.is_empty());
        queries.extend(batches(&self.block_site_ids).map(|ids| none().site_ids(ids)));
        queries.extend(batches(&self.block_group_ids).map(|ids| none().group_ids(ids)));
        queries.extend(batches(&self.block_account_ids).map(|ids| none().account_ids(ids)));
        let is_tenant = queries.is_empty();
        if is_tenant {
            queries.push(none().tenant(true));
        }
        let wide = queries.clone().into_iter().map(|mut query| {
            query.include_children = Some(true);
            query.include_parents = (!is_tenant).then_some(true);
            query
        });
        let search = |mut query: BlocklistListQuery| {
            query.os_types = self.os_type.clone().map(|one| vec![one]);
            // A search for the exact value would be case-sensitive.
            let query = query
                .value_contains([&self.sha1])
                .sort_by(BlocklistSortField::UpdatedAt)
                .sort_order(SortOrder::Asc);
            Ok(with_page_size(raw::list(&query)?.with_response_type(), None)?)
        };
        queries.into_iter().chain(wide).map(search).collect()
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: lists, .. } = run;
        let (mut known_ids, mut entries) = (HashSet::new(), Vec::new());
        // The wide search returns the entries of the other one again.
        let (mut without_id, mut wide_without_id) = (0, 0);
        let (mut response, mut errors, mut repairs) = (Value::Null, Vec::new(), Repairs::default());
        // The second half of the searches includes other scopes than the requested ones.
        let narrow = lists.len() / 2;
        for (number, request) in lists.into_iter().enumerate() {
            let is_wide = number >= narrow;
            let mut found =
                list(client, vec![request], None, Some(&|entry| matches(self, entry)), ContextEntries::NONE)
                    .await?;
            if let Some(failure) = found.failure {
                // No entry was deleted so far.
                return Err(failure);
            }
            if let Some(Value::Array(found)) = found.response.get_mut("data").map(Value::take) {
                for entry in found {
                    match id_of(&entry) {
                        Some(id) if known_ids.insert(id.clone()) => {
                            let place = if is_wide { Place::Elsewhere } else { place(self, &entry) };
                            entries.push((id, place, scope_text(&entry)));
                        }
                        Some(_) => {}
                        None if is_wide => wide_without_id += 1,
                        None => without_id += 1,
                    }
                }
            }
            errors.extend(found.errors);
            repairs.extend(&found.repairs);
            response = found.response;
        }
        let without_id = wide_without_id.max(without_id);
        let is_whole = errors.is_empty() && !repairs.has_loss();
        let is_removable = |(_, place, _): &(String, Place, String)| *place == Place::InScope;
        let (removable, kept): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_removable);
        let removable: Vec<String> = removable.into_iter().map(|(id, ..)| id).collect();
        let mut outcome = if removable.is_empty() {
            set_path(&mut response, "data", json!([]));
            Outcome { affected: Some(0), ..Outcome::new(response, Value::Null) }
        } else {
            let deletions = batch_requests(
                Self::INFO.name,
                ("sha1", &removable),
                BlocklistDeletionData::FIELDS,
                |ids| raw::delete(&BlocklistDeleteRequest::new(BlocklistDeletionData::new(ids))),
            )?;
            delete_entries(client, deletions).await?
        };
        outcome.errors.splice(0..0, errors);
        repairs.extend(&outcome.repairs);
        outcome.repairs = repairs;
        let scopes: Vec<&str> = kept.iter().map(|(.., scope)| scope.as_str()).collect();
        let status = if removable.is_empty() && !scopes.is_empty() && without_id == 0 {
            format!("Not removed: on the blocklist of {}", scopes.join(", "))
        } else {
            status(&outcome, (kept.len(), without_id), is_whole)
        };
        outcome.results.extend(kept.into_iter().map(|(id, place, scope)| {
            let detail = match place {
                Place::Shared => format!("is also on the list of other scopes: {scope}"),
                _ => format!("still blocks the file: it is on the blocklist of {scope}"),
            };
            IdOutcome { detail: Some(detail), ..without_detail(id, IdState::NotAffected) }
        }));
        let hash_result = |state, detail: &str| IdOutcome {
            detail: Some(detail.to_owned()),
            ..without_detail(self.sha1.clone(), state)
        };
        if without_id > 0 {
            // An entry without an ID cannot be deleted.
            outcome.results.push(hash_result(IdState::Unknown, "is in entries without an ID"));
        } else if outcome.results.is_empty() && is_whole {
            let system = self.os_type.as_ref().map(|system| format!(" for {system}")).unwrap_or_default();
            let detail = format!("{NOT_LISTED}{system} of {}", searched(self));
            outcome.results.push(hash_result(IdState::AlreadySet, &detail));
        } else if outcome.results.is_empty() {
            outcome.results.push(without_detail(self.sha1.clone(), IdState::Unknown));
        }
        outcome.context = context_under(Self::INFO.context, json!({ "hash": self.sha1, "status": status }));
        Ok(outcome)
    }
}

/// Returns the status text. `kept` is the number of entries that were not removed, because of their scope;
/// `without_id` that of the entries without an ID. `is_whole` is false if the lists may lack entries.
fn status(outcome: &Outcome, (kept, without_id): (usize, usize), is_whole: bool) -> String {
    let found = outcome.results.len() + kept + without_id;
    let all = kept + without_id == 0 && outcome.results.iter().all(|one| one.state.is_success());
    match outcome.affected {
        _ if found == 0 && is_whole => NOT_LISTED.to_owned(),
        _ if outcome.results.is_empty() => "Unknown".to_owned(),
        _ if all => format!("Removed {found} entries from blocklist"),
        Some(affected) => format!("Removed {affected} of {found} entries from blocklist"),
        None => "Unknown".to_owned(),
    }
}

/// Scope of an entry, relative to the requested one.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    InScope,
    /// In the requested scope, and in others of the same level.
    Shared,
    Elsewhere,
}

/// Returns the IDs of the requested scope, by the member of an entry that has them.
fn requested_ids<'a>(command: &'a RemoveHashFromBlocklist, name: &str) -> &'a [String] {
    match name {
        "siteIds" => &command.block_site_ids,
        "groupIds" => &command.block_group_ids,
        _ => &command.block_account_ids,
    }
}

/// Describes the scopes that were searched.
fn searched(command: &RemoveHashFromBlocklist) -> String {
    let named: Vec<String> = LEVELS
        .iter()
        .flat_map(|(level, name)| requested_ids(command, name).iter().map(move |id| format!("{level} {id}")))
        .collect();
    if named.is_empty() {
        "the tenant, nor of an account, site or group that the token reaches".to_owned()
    } else {
        format!("{}, nor of the scopes below and above that the token reaches", named.join(", "))
    }
}

/// Returns whether an entry matches the hash and the operating system.
fn matches(command: &RemoveHashFromBlocklist, entry: &Value) -> bool {
    let string = |name: &str| entry.get(name).and_then(Value::as_str);
    let value = string("value").is_some_and(|value| value.eq_ignore_ascii_case(&command.sha1));
    let expected = command.os_type.as_ref().map(OsType::as_str);
    let system =
        expected.zip(string("osType")).is_none_or(|(expected, system)| system.eq_ignore_ascii_case(expected));
    value && system
}

/// Returns the place of an entry from the list of the requested scope. A console that does not return the scope of
/// an entry has applied the filter.
fn place(command: &RemoveHashFromBlocklist, entry: &Value) -> Place {
    let is_tenant = entry.pointer("/scope/tenant").and_then(Value::as_bool) == Some(true);
    let scope: Vec<(&str, Vec<String>)> = LEVELS
        .iter()
        .map(|(_, name)| (*name, scope_ids(entry, name)))
        .filter(|(_, ids)| !ids.is_empty())
        .collect();
    let requests_tenant = LEVELS.iter().all(|(_, name)| requested_ids(command, name).is_empty());
    if scope.is_empty() {
        return if is_tenant && !requests_tenant { Place::Elsewhere } else { Place::InScope };
    }
    let is_requested = |(name, id): (&str, &String)| requested_ids(command, name).contains(id);
    let mut ids = scope.iter().flat_map(|(name, ids)| ids.iter().map(move |id| (*name, id)));
    if is_tenant || !ids.clone().any(is_requested) {
        Place::Elsewhere
    } else if ids.all(is_requested) {
        Place::InScope
    } else {
        Place::Shared
    }
}
