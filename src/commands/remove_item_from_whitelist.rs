//! `sentinelone-remove-item-from-whitelist`: exclusions go, found by their value.

use sentinelone_raw::exclusions::{
    self as raw, ExclusionDeletion, ExclusionDeletionData, ExclusionType, ExclusionsListQuery,
};
use sentinelone_raw::runtime::{ApiVersion, Fields, OpenEnum, Page, Request};
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::act::{requests, without_answer};
use super::context::{Output, under};
use super::get_hash::is_hexadecimal;
use super::get_white_list::OS_TYPES;
use super::lists::{id_of, remove};
use super::read::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::outcome::{IdOutcome, IdState};
use crate::paging::sized;

/// Removes every exclusion of a value, in all scopes that the token can reach.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoveItemFromWhitelist {
    /// The whole value; of hashes in capitals or not.
    pub item: String,
    /// Only those of this operating system.
    pub os_type: Option<OsType>,
    /// Only those of this type.
    pub exclusion_type: Option<ExclusionType>,
}

const PREFIX: &str = "SentinelOne.RemoveItemFromWhitelist";

impl Command for RemoveItemFromWhitelist {
    const INFO: Info = Info {
        name: "remove-item-from-whitelist",
        full_name: "sentinelone-remove-item-from-whitelist",
        summary: "Remove the exclusions of a value",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: true,
        asks: true,
        operations: &["exclusions_delete", "exclusions_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.RemoveItemFromWhitelist.item", "String", "The value", "item"),
        Output::computed(
            "SentinelOne.RemoveItemFromWhitelist.status",
            "String",
            "How many exclusions were removed, or that there was none; Unknown when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::Text;
        vec![
            Argument::new("item", Text, "The whole value of the exclusion.").required(),
            Argument::new("os_type", Text, "Only exclusions of this operating system.").values(OS_TYPES),
            Argument::new(
                "exclusion_type",
                Text,
                "Only exclusions of this type: file_type, path, white_hash, certificate or browser.",
            ),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            item: arguments.required("item")?,
            os_type: arguments.choice("os_type", OS_TYPES)?,
            exclusion_type: arguments.choice("exclusion_type", ExclusionType::KNOWN)?,
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.search()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let mut found = list(client, self.search()?, None, |entry| self.names(entry), (PREFIX, &[])).await?;
        // Nothing is removed before it is known what there is.
        if let Some(failure) = found.failure.take() {
            return Err(failure);
        }
        let entries = found.answer.get("data").and_then(Value::as_array).map(Vec::as_slice);
        let entries = entries.unwrap_or_default();
        let ids: Vec<String> = entries.iter().filter_map(id_of).collect();
        let (none, nameless) = (entries.is_empty(), ids.len() < entries.len());

        let mut outcome = if ids.is_empty() {
            Outcome { affected: Some(0), ..Outcome::found(found.answer, Value::Null) }
        } else {
            let deletions = requests(self, ("item", &ids), ExclusionDeletionData::FIELDS, |ids| {
                raw::delete(&ExclusionDeletion::new(ExclusionDeletionData::new(ids)))
            })?;
            remove(client, deletions).await?
        };
        // With errors beside it, a list may lack what it should show.
        let unsure = none && !found.errors.is_empty();
        if none || nameless {
            // Not to have found it is no success, and what has no identifier cannot be removed.
            let state = if unsure { IdState::Unknown } else { IdState::NotAffected };
            outcome.ids.push(without_answer(self.item.clone(), state));
        }
        outcome.errors.splice(0..0, found.errors);
        let status = match none {
            true if unsure => "Unknown".to_owned(),
            true => "Not on whitelist".to_owned(),
            false => status(&outcome.ids),
        };
        outcome.context = under(PREFIX, json!({ "item": self.item, "status": status }));
        Ok(outcome)
    }
}

impl RemoveItemFromWhitelist {
    fn search(&self) -> Result<Request<Page<Value>>> {
        // Only the search by part takes capitals for small letters, and hashes need that. It takes neither
        // commas nor a single character.
        let by_part = !self.item.contains(',') && self.item.chars().count() > 1;
        let query = ExclusionsListQuery {
            value: (!by_part).then(|| self.item.clone()),
            value_contains: by_part.then(|| vec![self.item.clone()]),
            os_types: self.os_type.clone().map(|os_type| vec![os_type]),
            type_: self.exclusion_type.clone(),
            include_children: Some(true),
            include_parents: Some(true),
            ..ExclusionsListQuery::default()
        };
        Ok(sized(raw::list(&query)?.answering(), None)?)
    }

    /// Whether an exclusion is of this value and not of one that only has it in it, and of the operating system
    /// and type that are asked for, if it shows them.
    fn names(&self, entry: &Value) -> bool {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let Some(value) = text("value") else { return false };
        let is_hash = matches!(self.item.len(), 32 | 40 | 64) && is_hexadecimal(&self.item);
        let fits = |name: &str, wanted: Option<&str>| {
            wanted.zip(text(name)).is_none_or(|(wanted, shown)| shown.eq_ignore_ascii_case(wanted))
        };
        (value == self.item || (is_hash && value.eq_ignore_ascii_case(&self.item)))
            && fits("osType", self.os_type.as_ref().map(OsType::as_str))
            && fits("type", self.exclusion_type.as_ref().map(ExclusionType::as_str))
    }
}

fn status(ids: &[IdOutcome]) -> String {
    let count = ids.len();
    let removed = ids.iter().filter(|one| one.state.is_fulfilled()).count();
    if removed == count {
        format!("Removed {count} entries from whitelist")
    } else if ids.iter().any(|one| one.state == IdState::Unknown) {
        format!("Removed {removed} entries from whitelist for certain, of {count} found")
    } else {
        format!("Removed {removed} of {count} entries from whitelist")
    }
}
