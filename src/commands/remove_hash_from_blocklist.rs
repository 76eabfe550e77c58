//! `sentinelone-remove-hash-from-blocklist`: a file that may run again.

use std::collections::HashSet;

use sentinelone_raw::blocklist::{
    self as raw, BlocklistDeletion, BlocklistDeletionData, BlocklistListQuery, BlocklistSortField,
};
use sentinelone_raw::runtime::{ApiVersion, Fields, Page, Request};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::act::{requests, without_answer};
use super::blocklist_entry::{scopes, sha1, sha1_argument, sites_argument};
use super::context::{Output, under};
use super::lists::{given, id_of, remove, scope_ids};
use super::read::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::outcome::{IdOutcome, IdState};
use crate::paging::sized;

/// Removes a hash from the blocklist of the tenant, or from those of sites. The file may run there again.
///
/// The outcome tells of each entry that was found; where there is none, of the hash.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoveHashFromBlocklist {
    /// SHA-1 of the file.
    pub sha1: String,
    /// Only for this operating system; without it, for all of them.
    pub os_type: Option<OsType>,
    /// Sites; without them, the whole tenant.
    pub block_site_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.RemoveHashFromBlocklist";
const SYSTEMS: &[&str] = &["windows", "macos", "linux"];
const NOT_THERE: &str = "Not on blocklist";

impl Command for RemoveHashFromBlocklist {
    const INFO: Info = Info {
        name: "remove-hash-from-blocklist",
        full_name: "sentinelone-remove-hash-from-blocklist",
        summary: "Remove a hash from the blocklist",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: true,
        asks: true,
        operations: &["blocklist_delete", "blocklist_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.RemoveHashFromBlocklist.hash", "Unknown", "The hash", "sha1"),
        Output::computed(
            "SentinelOne.RemoveHashFromBlocklist.status",
            "Unknown",
            "Not on blocklist, or how many entries were removed; Unknown when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            sha1_argument(),
            Argument::new(
                "os_type",
                ArgumentKind::Text,
                "Only for this operating system; without it, for all of them.",
            )
            .values(SYSTEMS),
            sites_argument(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sha1: arguments.required("sha1")?.trim().to_owned(),
            os_type: arguments.choice_of_any_case("os_type", SYSTEMS)?,
            block_site_ids: arguments.list("block_site_ids")?.unwrap_or_default(),
        })
    }

    /// Those that look for the entries. Which ones are deleted is known only after that.
    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.searches()?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut seen, mut entries, mut nameless) = (HashSet::new(), Vec::new(), 0);
        let (mut answer, mut errors) = (Value::Null, Vec::new());
        for search in self.searches()? {
            let mut found = list(client, search, None, |entry| self.is_meant(entry), (PREFIX, &[])).await?;
            if let Some(failure) = found.failure {
                // Nothing was done so far.
                return Err(failure);
            }
            if let Some(Value::Array(found)) = found.answer.get_mut("data").map(Value::take) {
                for entry in found {
                    match id_of(&entry) {
                        Some(id) if seen.insert(id.clone()) => entries.push((id, entry)),
                        Some(_) => {}
                        None => nameless += 1,
                    }
                }
            }
            errors.extend(found.errors);
            answer = found.answer;
        }
        // What reaches further than what was asked for stays, and is told.
        let (mine, shared): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(_, entry)| self.is_only_here(entry));
        let mine: Vec<String> = mine.into_iter().map(|(id, _)| id).collect();
        let mut outcome = if mine.is_empty() {
            put(&mut answer, "data", json!([]));
            Outcome { affected: Some(0), ..Outcome::found(answer, Value::Null) }
        } else {
            let deletions = requests(self, ("sha1", &mine), BlocklistDeletionData::FIELDS, |ids| {
                raw::delete(&BlocklistDeletion::new(BlocklistDeletionData::new(ids)))
            })?;
            remove(client, deletions).await?
        };
        outcome.errors.splice(0..0, errors);
        outcome.ids.extend(shared.into_iter().map(|(id, _)| IdOutcome {
            detail: Some("is on the list of other sites too".to_owned()),
            ..without_answer(id, IdState::NotAffected)
        }));
        let status = status(&outcome, nameless);
        let of_hash = |state, detail: &str| IdOutcome {
            detail: Some(detail.to_owned()),
            ..without_answer(self.sha1.clone(), state)
        };
        if nameless > 0 {
            // What has no identifier cannot be removed.
            outcome.ids.push(of_hash(IdState::Unknown, "is in entries without an identifier"));
        } else if outcome.ids.is_empty() && outcome.errors.is_empty() {
            outcome.ids.push(of_hash(IdState::AlreadySet, NOT_THERE));
        } else if outcome.ids.is_empty() {
            outcome.ids.push(without_answer(self.sha1.clone(), IdState::Unknown));
        }
        outcome.context = under(PREFIX, json!({ "hash": self.sha1, "status": status }));
        Ok(outcome)
    }
}

/// `nameless` is how many entries have no identifier.
fn status(outcome: &Outcome, nameless: usize) -> String {
    let found = outcome.ids.len() + nameless;
    let all = nameless == 0 && outcome.ids.iter().all(|one| one.state.is_fulfilled());
    match outcome.affected {
        _ if found == 0 && outcome.errors.is_empty() => NOT_THERE.to_owned(),
        // With errors beside it, a list may lack what it should show.
        _ if outcome.ids.is_empty() => "Unknown".to_owned(),
        _ if all => format!("Removed {found} entries from blocklist"),
        Some(affected) => format!("Removed {affected} of {found} entries from blocklist"),
        None => "Unknown".to_owned(),
    }
}

impl RemoveHashFromBlocklist {
    /// The first page of each list that is looked through.
    fn searches(&self) -> Result<Vec<Request<Page<Value>>>> {
        sha1(Self::INFO.name, &self.sha1)?;
        let search = |sites: &Vec<String>| {
            let query = BlocklistListQuery {
                tenant: sites.is_empty().then_some(true),
                site_ids: given(sites),
                os_types: self.os_type.clone().map(|one| vec![one]),
                // The whole value would be compared with regard to capitals.
                value_contains: Some(vec![self.sha1.clone()]),
                sort_by: Some(BlocklistSortField::UpdatedAt),
                sort_order: Some(SortOrder::Asc),
                ..BlocklistListQuery::default()
            };
            Ok(sized(raw::list(&query)?.answering(), None)?)
        };
        scopes(&self.block_site_ids).iter().map(search).collect()
    }

    /// Whether an entry that was found is of this hash and operating system, and of the scope in question.
    fn is_meant(&self, entry: &Value) -> bool {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let value = text("value").is_some_and(|value| value.eq_ignore_ascii_case(&self.sha1));
        let wanted = self.os_type.as_ref().map(OsType::as_str);
        let system =
            wanted.zip(text("osType")).is_none_or(|(wanted, system)| system.eq_ignore_ascii_case(wanted));
        let sites = scope_ids(entry, "siteIds");
        let level = if self.block_site_ids.is_empty() {
            sites.is_empty()
        } else {
            let tenant = entry.pointer("/scope/tenant").and_then(Value::as_bool);
            // A console that does not say the scope has looked at it itself.
            let here = sites.is_empty() || sites.iter().any(|site| self.block_site_ids.contains(site));
            here && tenant != Some(true)
        };
        let other = ["groupIds", "accountIds"].iter().any(|name| !scope_ids(entry, name).is_empty());
        value && system && level && !other
    }

    fn is_only_here(&self, entry: &Value) -> bool {
        scope_ids(entry, "siteIds").iter().all(|site| self.block_site_ids.contains(site))
    }
}
