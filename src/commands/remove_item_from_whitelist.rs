//! `sentinelone-remove-item-from-whitelist`: removes exclusions by value.

use sentinelone_raw::exclusions::{
    self as raw, ExclusionDeletionData, ExclusionType, ExclusionsDeleteRequest, ExclusionsListQuery,
};
use sentinelone_raw::runtime::{ApiVersion, Fields};
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::support::batch_action::{batch_requests, without_detail};
use super::support::batched_lists::delete_entries;
use super::support::context_entry::context_under;
use super::support::execution::Requests;
use super::support::ids::is_hexadecimal;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::{CommandDeclaration, Outcome, RemoveItemFromWhitelist};
use crate::Result;
use crate::entry_id::id_of;
use crate::outcome::{IdOutcome, IdState};
use crate::paging::with_page_size;

impl Behavior for RemoveItemFromWhitelist {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        // Only the substring search ignores case, which hashes need. It accepts neither commas nor a single character.
        let by_substring = !self.item.contains(',') && self.item.chars().count() > 1;
        let query = ExclusionsListQuery::default().include_children(true).include_parents(true);
        let mut query =
            if by_substring { query.value_contains([&self.item]) } else { query.value(&self.item) };
        query.os_types = self.os_type.clone().map(|os_type| vec![os_type]);
        query.type_ = self.exclusion_type.clone();
        Ok(vec![with_page_size(raw::list(&query)?.with_response_type(), None)?])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: lists, .. } = run;
        let mut found =
            list(client, lists, None, Some(&|entry| matches(self, entry)), ContextEntries::NONE).await?;
        // No exclusion is removed unless the whole list was read.
        if let Some(failure) = found.failure.take() {
            return Err(failure);
        }
        let entries = found.response.get("data").and_then(Value::as_array).map(Vec::as_slice);
        let entries = entries.unwrap_or_default();
        let ids: Vec<String> = entries.iter().filter_map(id_of).collect();
        let (is_empty, has_entry_without_id) = (entries.is_empty(), ids.len() < entries.len());

        let mut outcome = if ids.is_empty() {
            Outcome { affected: Some(0), ..Outcome::new(found.response, Value::Null) }
        } else {
            let deletions =
                batch_requests(Self::INFO.name, ("item", &ids), ExclusionDeletionData::FIELDS, |ids| {
                    raw::delete(&ExclusionsDeleteRequest::new(ExclusionDeletionData::new(ids)))
                })?;
            delete_entries(client, deletions).await?
        };
        // The list may be incomplete.
        let is_unknown = is_empty && (!found.errors.is_empty() || found.repairs.has_loss());
        if is_empty || has_entry_without_id {
            // A missing exclusion is not a success, and an exclusion without an ID cannot be removed.
            let state = if is_unknown { IdState::Unknown } else { IdState::NotAffected };
            let detail = match (is_empty, is_unknown) {
                (true, false) => "no scope that the token reaches has an exclusion with this value",
                (true, true) => "the list may be incomplete",
                (false, _) => "an exclusion with this value has no ID",
            };
            let detail = Some(detail.to_owned());
            outcome.results.push(IdOutcome { detail, ..without_detail(self.item.clone(), state) });
        }
        outcome.errors.splice(0..0, found.errors);
        found.repairs.extend(&outcome.repairs);
        outcome.repairs = found.repairs;
        let status = match is_empty {
            true if is_unknown => "Unknown".to_owned(),
            true => "Not on whitelist".to_owned(),
            false => status(&outcome.results),
        };
        outcome.context = context_under(Self::INFO.context, json!({ "item": self.item, "status": status }));
        Ok(outcome)
    }
}

/// Returns whether an exclusion has exactly this value, and the requested operating system and type if it reports
/// them.
fn matches(command: &RemoveItemFromWhitelist, entry: &Value) -> bool {
    let string = |name: &str| entry.get(name).and_then(Value::as_str);
    let Some(value) = string("value") else { return false };
    let is_hash = matches!(command.item.len(), 32 | 40 | 64) && is_hexadecimal(&command.item);
    let field_matches = |name: &str, expected: Option<&str>| {
        expected.zip(string(name)).is_none_or(|(expected, actual)| actual.eq_ignore_ascii_case(expected))
    };
    (value == command.item || (is_hash && value.eq_ignore_ascii_case(&command.item)))
        && field_matches("osType", command.os_type.as_ref().map(OsType::as_str))
        && field_matches("type", command.exclusion_type.as_ref().map(ExclusionType::as_str))
}

fn status(ids: &[IdOutcome]) -> String {
    let count = ids.len();
    let removed = ids.iter().filter(|result| result.state.is_success()).count();
    if removed == count {
        format!("Removed {count} entries from whitelist")
    } else if ids.iter().any(|result| result.state == IdState::Unknown) {
        format!("Removed at least {removed} of {count} entries from whitelist")
    } else {
        format!("Removed {removed} of {count} entries from whitelist")
    }
}
