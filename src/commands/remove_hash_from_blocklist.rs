//! `sentinelone-remove-hash-from-blocklist`: removes a file hash from the blocklist.

use std::collections::HashSet;

use sentinelone_raw::blocklist::{
    self as raw, BlocklistDeleteRequest, BlocklistDeletionData, BlocklistListQuery, BlocklistSortField,
};
use sentinelone_raw::runtime::{ApiVersion, Fields, Page, Request};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::support::batch_action::{batch_requests, without_detail};
use super::support::batched_lists::{delete_entries, id_of, non_empty, scope_ids};
use super::support::blocklist_entry::{check_sha1, sha1_argument, site_batches, sites_argument};
use super::support::context_path::{ContextPath, context_under};
use super::support::list_pages::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;
use crate::outcome::{IdOutcome, IdState};
use crate::paging::with_page_size;

/// Removes a hash from the blocklist of the tenant or of sites. Agents in this scope no longer block the file.
///
/// The outcome has one result per matching entry, or one for the hash if no entry matches.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoveHashFromBlocklist {
    /// SHA-1 of the file.
    pub sha1: String,
    /// Operating system. Default: all.
    pub os_type: Option<OsType>,
    /// Site IDs. Default: the blocklist of the tenant.
    pub block_site_ids: Vec<String>,
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
            "Not on blocklist, the number of removed entries, or Unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            sha1_argument(),
            Argument::new("os_type", ArgumentKind::String, "Operating system. Default: all.").values(SYSTEMS),
            sites_argument(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sha1: arguments.required("sha1")?.trim().to_owned(),
            os_type: arguments.choice_ignore_case("os_type", SYSTEMS)?,
            block_site_ids: arguments.list("block_site_ids")?.unwrap_or_default(),
        })
    }

    /// Returns the search requests. The delete requests depend on their responses.
    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.searches()?.into_iter().map(Request::with_response_type).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut known_ids, mut entries, mut without_id) = (HashSet::new(), Vec::new(), 0);
        let (mut response, mut errors) = (Value::Null, Vec::new());
        for search in self.searches()? {
            let mut found = list(client, search, None, |entry| self.matches(entry), (PREFIX, &[])).await?;
            if let Some(failure) = found.failure {
                // No entry was deleted so far.
                return Err(failure);
            }
            if let Some(Value::Array(found)) = found.response.get_mut("data").map(Value::take) {
                for entry in found {
                    match id_of(&entry) {
                        Some(id) if known_ids.insert(id.clone()) => entries.push((id, entry)),
                        Some(_) => {}
                        None => without_id += 1,
                    }
                }
            }
            errors.extend(found.errors);
            response = found.response;
        }
        // Entries that also apply to other sites are kept and reported.
        let (removable, shared): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(_, entry)| self.is_only_in_scope(entry));
        let removable: Vec<String> = removable.into_iter().map(|(id, _)| id).collect();
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
        outcome.results.extend(shared.into_iter().map(|(id, _)| IdOutcome {
            detail: Some("is also on the list of other sites".to_owned()),
            ..without_detail(id, IdState::NotAffected)
        }));
        let status = status(&outcome, without_id);
        let hash_result = |state, detail: &str| IdOutcome {
            detail: Some(detail.to_owned()),
            ..without_detail(self.sha1.clone(), state)
        };
        if without_id > 0 {
            // An entry without an ID cannot be deleted.
            outcome.results.push(hash_result(IdState::Unknown, "is in entries without an ID"));
        } else if outcome.results.is_empty() && outcome.errors.is_empty() {
            outcome.results.push(hash_result(IdState::AlreadySet, NOT_LISTED));
        } else if outcome.results.is_empty() {
            outcome.results.push(without_detail(self.sha1.clone(), IdState::Unknown));
        }
        outcome.context = context_under(PREFIX, json!({ "hash": self.sha1, "status": status }));
        Ok(outcome)
    }
}

/// Returns the status text. `without_id` is the number of entries without an ID.
fn status(outcome: &Outcome, without_id: usize) -> String {
    let found = outcome.results.len() + without_id;
    let all = without_id == 0 && outcome.results.iter().all(|one| one.state.is_success());
    match outcome.affected {
        _ if found == 0 && outcome.errors.is_empty() => NOT_LISTED.to_owned(),
        // A list with errors may be incomplete.
        _ if outcome.results.is_empty() => "Unknown".to_owned(),
        _ if all => format!("Removed {found} entries from blocklist"),
        Some(affected) => format!("Removed {affected} of {found} entries from blocklist"),
        None => "Unknown".to_owned(),
    }
}

impl RemoveHashFromBlocklist {
    /// Returns the request of the first page of each list.
    fn searches(&self) -> Result<Vec<Request<Page<Value>>>> {
        check_sha1(Self::INFO.name, &self.sha1)?;
        let search = |sites: &Vec<String>| {
            let query = BlocklistListQuery {
                tenant: sites.is_empty().then_some(true),
                site_ids: non_empty(sites),
                os_types: self.os_type.clone().map(|one| vec![one]),
                // A search for the exact value would be case-sensitive.
                value_contains: Some(vec![self.sha1.clone()]),
                sort_by: Some(BlocklistSortField::UpdatedAt),
                sort_order: Some(SortOrder::Asc),
                ..BlocklistListQuery::default()
            };
            Ok(with_page_size(raw::list(&query)?.with_response_type(), None)?)
        };
        site_batches(&self.block_site_ids).iter().map(search).collect()
    }

    /// Returns whether an entry matches the hash, the operating system and the scope.
    fn matches(&self, entry: &Value) -> bool {
        let string = |name: &str| entry.get(name).and_then(Value::as_str);
        let value = string("value").is_some_and(|value| value.eq_ignore_ascii_case(&self.sha1));
        let expected = self.os_type.as_ref().map(OsType::as_str);
        let system = expected
            .zip(string("osType"))
            .is_none_or(|(expected, system)| system.eq_ignore_ascii_case(expected));
        let sites = scope_ids(entry, "siteIds");
        let level = if self.block_site_ids.is_empty() {
            sites.is_empty()
        } else {
            let tenant = entry.pointer("/scope/tenant").and_then(Value::as_bool);
            // A console that does not return the scope has applied the filter.
            let in_scope = sites.is_empty() || sites.iter().any(|site| self.block_site_ids.contains(site));
            in_scope && tenant != Some(true)
        };
        let other = ["groupIds", "accountIds"].iter().any(|name| !scope_ids(entry, name).is_empty());
        value && system && level && !other
    }

    fn is_only_in_scope(&self, entry: &Value) -> bool {
        scope_ids(entry, "siteIds").iter().all(|site| self.block_site_ids.contains(site))
    }
}
