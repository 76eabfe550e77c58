//! `sentinelone-remove-hash-from-blocklist`: removes a file hash from the blocklist.

use std::collections::HashSet;

use sentinelone_raw::blocklist::{
    self as raw, BlocklistDeleteRequest, BlocklistDeletionData, BlocklistListQuery, BlocklistSortField,
};
use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::support::batch_action::{batch_requests, without_detail};
use super::support::batched_lists::{delete_entries, scope_ids};
use super::support::blocklist_entry::{
    LEVELS, check_sha1, scope_text, sha1_argument, site_batches, sites_argument,
};
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::entry_id::id_of;
use crate::json_path::set_path;
use crate::json_repair::Repairs;
use crate::outcome::{IdOutcome, IdState};
use crate::paging::with_page_size;

/// Removes a hash from the blocklist of the tenant, or of sites, groups and accounts. Agents in this scope no longer
/// block the file, unless another scope has the hash, too.
///
/// The command also searches the scopes below and above. An entry in another scope is kept and reported with its scope.
/// The outcome has one result per matching entry, or one for the hash if no entry matches.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoveHashFromBlocklist {
    /// SHA-1 of the file.
    pub sha1: String,
    /// Operating system. Default: all.
    pub os_type: Option<OsType>,
    /// Site IDs. Default: the blocklist of the tenant, if no other scope is set.
    pub block_site_ids: Vec<String>,
    /// Group IDs.
    pub block_group_ids: Vec<String>,
    /// Account IDs.
    pub block_account_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.RemoveHashFromBlocklist";
const SYSTEMS: &[&str] = &["windows", "macos", "linux"];
const NOT_LISTED: &str = "Not on blocklist";

impl Command for RemoveHashFromBlocklist {
    const INFO: CommandInfo = CommandInfo {
        name: "remove-hash-from-blocklist",
        full_name: "sentinelone-remove-hash-from-blocklist",
        topic: Topic::Exclusions,
        summary: "Remove a hash from the blocklist",
        example: "s1 remove-hash-from-blocklist --sha1 1a75ccc7ee55cd96a1a9b1b8e1a0a4c8f6c3d9e2 \
            --os-type windows",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["blocklist_delete", "blocklist_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.RemoveHashFromBlocklist.hash", "Unknown", "The hash", "sha1"),
        ContextPath::computed(
            "SentinelOne.RemoveHashFromBlocklist.status",
            "Unknown",
            "Not on blocklist, the number of removed entries, Not removed with the scopes that have the hash, or \
             Unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            sha1_argument(),
            Argument::new("os_type", ArgumentKind::String, "Operating system. Default: all.").values(SYSTEMS),
            sites_argument(),
            Argument::new("block_group_ids", ArgumentKind::List, "Group IDs."),
            Argument::new("block_account_ids", ArgumentKind::List, "Account IDs."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sha1: arguments.required("sha1")?.trim().to_owned(),
            os_type: arguments.choice_ignore_case("os_type", SYSTEMS)?,
            block_site_ids: arguments.list("block_site_ids")?.unwrap_or_default(),
            block_group_ids: arguments.list("block_group_ids")?.unwrap_or_default(),
            block_account_ids: arguments.list("block_account_ids")?.unwrap_or_default(),
        })
    }

    /// Returns the search requests. The delete requests depend on their responses.
    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        check_sha1(Self::INFO.name, &self.sha1)?;
        // For each scope its own list, and then the lists below and above it.
        let mut queries = Vec::new();
        for ids in site_batches(&self.block_site_ids).into_iter().filter(|ids| !ids.is_empty()) {
            queries.push(BlocklistListQuery { site_ids: Some(ids), ..BlocklistListQuery::default() });
        }
        for ids in site_batches(&self.block_group_ids).into_iter().filter(|ids| !ids.is_empty()) {
            queries.push(BlocklistListQuery { group_ids: Some(ids), ..BlocklistListQuery::default() });
        }
        for ids in site_batches(&self.block_account_ids).into_iter().filter(|ids| !ids.is_empty()) {
            queries.push(BlocklistListQuery { account_ids: Some(ids), ..BlocklistListQuery::default() });
        }
        let is_tenant = queries.is_empty();
        if is_tenant {
            queries.push(BlocklistListQuery::default().tenant(true));
        }
        let wide = queries.clone().into_iter().map(|query| BlocklistListQuery {
            include_children: Some(true),
            include_parents: (!is_tenant).then_some(true),
            ..query
        });
        let search = |query| {
            let query = BlocklistListQuery {
                os_types: self.os_type.clone().map(|one| vec![one]),
                // A search for the exact value would be case-sensitive.
                value_contains: Some(vec![self.sha1.clone()]),
                sort_by: Some(BlocklistSortField::UpdatedAt),
                sort_order: Some(SortOrder::Asc),
                ..query
            };
            Ok(with_page_size(raw::list(&query)?.with_response_type(), None)?)
        };
        queries.into_iter().chain(wide).map(search).collect()
    }

    async fn execute(&self, client: &Client, lists: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let (mut known_ids, mut entries) = (HashSet::new(), Vec::new());
        // The wide search returns the entries of the other one again.
        let (mut without_id, mut wide_without_id) = (0, 0);
        let (mut response, mut errors, mut repairs) = (Value::Null, Vec::new(), Repairs::default());
        // The second half of the searches includes other scopes than the requested ones.
        let narrow = lists.len() / 2;
        for (number, request) in lists.into_iter().enumerate() {
            let is_wide = number >= narrow;
            let mut found =
                list(client, vec![request], None, Some(&|entry| self.matches(entry)), ContextEntries::NONE)
                    .await?;
            if let Some(failure) = found.failure {
                // No entry was deleted so far.
                return Err(failure);
            }
            if let Some(Value::Array(found)) = found.response.get_mut("data").map(Value::take) {
                for entry in found {
                    match id_of(&entry) {
                        Some(id) if known_ids.insert(id.clone()) => {
                            let place = if is_wide { Place::Elsewhere } else { self.place(&entry) };
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
            let deletions =
                batch_requests(self, ("sha1", &removable), BlocklistDeletionData::FIELDS, |ids| {
                    raw::delete(&BlocklistDeleteRequest::new(BlocklistDeletionData::new(ids)))
                })?;
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
            let detail = format!("{NOT_LISTED}{system} of {}", self.searched());
            outcome.results.push(hash_result(IdState::AlreadySet, &detail));
        } else if outcome.results.is_empty() {
            outcome.results.push(without_detail(self.sha1.clone(), IdState::Unknown));
        }
        outcome.context = context_under(PREFIX, json!({ "hash": self.sha1, "status": status }));
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

impl RemoveHashFromBlocklist {
    /// Returns the IDs of the requested scope, by the member of an entry that has them.
    fn requested_ids(&self, name: &str) -> &[String] {
        match name {
            "siteIds" => &self.block_site_ids,
            "groupIds" => &self.block_group_ids,
            _ => &self.block_account_ids,
        }
    }

    /// Describes the scopes that were searched.
    fn searched(&self) -> String {
        let named: Vec<String> = LEVELS
            .iter()
            .flat_map(|(level, name)| self.requested_ids(name).iter().map(move |id| format!("{level} {id}")))
            .collect();
        if named.is_empty() {
            "the tenant, nor of an account, site or group that the token reaches".to_owned()
        } else {
            format!("{}, nor of the scopes below and above that the token reaches", named.join(", "))
        }
    }

    /// Returns whether an entry matches the hash and the operating system.
    fn matches(&self, entry: &Value) -> bool {
        let string = |name: &str| entry.get(name).and_then(Value::as_str);
        let value = string("value").is_some_and(|value| value.eq_ignore_ascii_case(&self.sha1));
        let expected = self.os_type.as_ref().map(OsType::as_str);
        let system = expected
            .zip(string("osType"))
            .is_none_or(|(expected, system)| system.eq_ignore_ascii_case(expected));
        value && system
    }

    /// Returns the place of an entry from the list of the requested scope. A console that does not return the scope of
    /// an entry has applied the filter.
    fn place(&self, entry: &Value) -> Place {
        let is_tenant = entry.pointer("/scope/tenant").and_then(Value::as_bool) == Some(true);
        let scope: Vec<(&str, Vec<String>)> = LEVELS
            .iter()
            .map(|(_, name)| (*name, scope_ids(entry, name)))
            .filter(|(_, ids)| !ids.is_empty())
            .collect();
        let requests_tenant = LEVELS.iter().all(|(_, name)| self.requested_ids(name).is_empty());
        if scope.is_empty() {
            return if is_tenant && !requests_tenant { Place::Elsewhere } else { Place::InScope };
        }
        let is_requested = |(name, id): (&str, &String)| self.requested_ids(name).contains(id);
        let mut ids = scope.iter().flat_map(|(name, ids)| ids.iter().map(move |id| (*name, id)));
        if is_tenant || !ids.clone().any(is_requested) {
            Place::Elsewhere
        } else if ids.all(is_requested) {
            Place::InScope
        } else {
            Place::Shared
        }
    }
}
