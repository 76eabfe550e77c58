//! `sentinelone-remove-item-from-whitelist`: removes exclusions by value.

use sentinelone_raw::exclusions::{
    self as raw, ExclusionDeletionData, ExclusionType, ExclusionsDeleteRequest, ExclusionsListQuery,
};
use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum};
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::get_hash::is_hexadecimal;
use super::get_white_list::OS_TYPES;
use super::support::batch_action::{batch_requests, without_detail};
use super::support::batched_lists::delete_entries;
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_entries::ContextEntries;
use super::support::list_pages::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::entry_id::id_of;
use crate::outcome::{IdOutcome, IdState};
use crate::paging::with_page_size;

/// Removes all exclusions of a value, in all scopes of the token.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoveItemFromWhitelist {
    /// Exact value. Hashes are case-insensitive.
    pub item: String,
    /// Operating system. Default: all.
    pub os_type: Option<OsType>,
    /// Exclusion type. Default: all.
    pub exclusion_type: Option<ExclusionType>,
}

const PREFIX: &str = "SentinelOne.RemoveItemFromWhitelist";

impl Command for RemoveItemFromWhitelist {
    const INFO: CommandInfo = CommandInfo {
        name: "remove-item-from-whitelist",
        full_name: "sentinelone-remove-item-from-whitelist",
        topic: Topic::Exclusions,
        summary: "Remove exclusions by value",
        example: "s1 remove-item-from-whitelist --item /opt/backup",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: true,
        requires_confirmation: true,
        operations: &["exclusions_delete", "exclusions_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.RemoveItemFromWhitelist.item", "String", "The value", "item"),
        ContextPath::computed(
            "SentinelOne.RemoveItemFromWhitelist.status",
            "String",
            "Number of removed exclusions, Not on whitelist, or Unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::String;
        vec![
            Argument::new("item", String, "Exact value of the exclusion.").required(),
            Argument::new("os_type", String, "Operating system. Default: all.").values(OS_TYPES),
            Argument::new(
                "exclusion_type",
                String,
                "Exclusion type: file_type, path, white_hash, certificate or browser. Default: all.",
            ),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            item: arguments.required("item")?,
            os_type: arguments.choice("os_type", OS_TYPES)?,
            exclusion_type: arguments.choice("exclusion_type", ExclusionType::VALUES)?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        // Only the substring search ignores case, which hashes need. It accepts neither commas nor a single character.
        let by_substring = !self.item.contains(',') && self.item.chars().count() > 1;
        let query = ExclusionsListQuery {
            value: (!by_substring).then(|| self.item.clone()),
            value_contains: by_substring.then(|| vec![self.item.clone()]),
            os_types: self.os_type.clone().map(|os_type| vec![os_type]),
            type_: self.exclusion_type.clone(),
            include_children: Some(true),
            include_parents: Some(true),
            ..ExclusionsListQuery::default()
        };
        Ok(vec![with_page_size(raw::list(&query)?.with_response_type(), None)?])
    }

    async fn execute(&self, client: &Client, lists: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let mut found =
            list(client, lists, None, Some(&|entry| self.matches(entry)), ContextEntries::NONE).await?;
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
            let deletions = batch_requests(self, ("item", &ids), ExclusionDeletionData::FIELDS, |ids| {
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
        outcome.context = context_under(PREFIX, json!({ "item": self.item, "status": status }));
        Ok(outcome)
    }
}

impl RemoveItemFromWhitelist {
    /// Returns whether an exclusion has exactly this value, and the requested operating system and type if it reports
    /// them.
    fn matches(&self, entry: &Value) -> bool {
        let string = |name: &str| entry.get(name).and_then(Value::as_str);
        let Some(value) = string("value") else { return false };
        let is_hash = matches!(self.item.len(), 32 | 40 | 64) && is_hexadecimal(&self.item);
        let field_matches = |name: &str, expected: Option<&str>| {
            expected.zip(string(name)).is_none_or(|(expected, actual)| actual.eq_ignore_ascii_case(expected))
        };
        (value == self.item || (is_hash && value.eq_ignore_ascii_case(&self.item)))
            && field_matches("osType", self.os_type.as_ref().map(OsType::as_str))
            && field_matches("type", self.exclusion_type.as_ref().map(ExclusionType::as_str))
    }
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
