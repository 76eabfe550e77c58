//! `sentinelone-create-white-list-item`: an exclusion.

use std::collections::HashSet;

use sentinelone_raw::exclusions::{
    self as raw, ExclusionCreation, ExclusionCreationData, ExclusionMode, ExclusionType, PathExclusionType,
};
use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::threats::OsType;
use serde_json::Value;

use super::act::{act, refuse, without_answer};
use super::context::{Output, under};
use super::get_white_list::{OS_TYPES, TYPES};
use super::lists::{given, id_of, scope_ids};
use super::read::entries;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::outcome::{IdOutcome, IdState};

/// Creates an exclusion: agents leave the thing alone, which is a gap in the protection.
///
/// The outcome tells of each new exclusion, and of the sites and groups for which the console shows none.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateWhiteListItem {
    /// What the value is.
    pub exclusion_type: ExclusionType,
    /// What is excluded.
    pub exclusion_value: String,
    /// Operating system.
    pub os_type: OsType,
    /// Why, for people.
    pub description: Option<String>,
    /// What agents leave undone; for paths only.
    pub exclusion_mode: Option<ExclusionMode>,
    /// How far below the path it reaches; for paths only.
    pub path_exclusion_type: Option<PathExclusionType>,
    /// Groups in which it holds.
    pub group_ids: Vec<String>,
    /// Sites in which it holds.
    pub site_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Exclusions";

/// Those that the integration offers.
const MODES: &[&str] = &[
    "suppress",
    "disable_in_process_monitor_deep",
    "disable_in_process_monitor",
    "disable_all_monitors",
    "disable_all_monitors_deep",
];

impl Command for CreateWhiteListItem {
    const INFO: Info = Info {
        name: "create-white-list-item",
        full_name: "sentinelone-create-white-list-item",
        summary: "Create an exclusion in sites or groups",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: false,
        asks: true,
        operations: &["exclusions_create"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.Exclusions.ID", "String", "Identifier of the exclusion", "id"),
        Output::field("SentinelOne.Exclusions.Type", "String", "What its value is", "type"),
        Output::field("SentinelOne.Exclusions.CreatedAt", "Date", "When it was created", "createdAt"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{List, Text};
        vec![
            Argument::new("exclusion_type", Text, "What the value is.").required().values(TYPES),
            Argument::new("exclusion_value", Text, "What is excluded.").required(),
            Argument::new("os_type", Text, "Operating system.").required().values(OS_TYPES),
            Argument::new("description", Text, "Why, for people."),
            Argument::new("exclusion_mode", Text, "What agents leave undone. For paths only.").values(MODES),
            Argument::new(
                "path_exclusion_type",
                Text,
                "How far below the path it reaches: file, folder or subfolders. For paths only.",
            ),
            Argument::new("group_ids", List, "Groups in which it holds. Give these, or site_ids."),
            Argument::new("site_ids", List, "Sites in which it holds. Give these, or group_ids."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            exclusion_type: arguments.required_choice("exclusion_type", TYPES)?,
            exclusion_value: arguments.required("exclusion_value")?,
            os_type: arguments.required_choice("os_type", OS_TYPES)?,
            description: arguments.text("description")?,
            exclusion_mode: arguments.choice("exclusion_mode", MODES)?,
            path_exclusion_type: arguments.choice("path_exclusion_type", &[])?,
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let name = Self::INFO.name;
        if self.site_ids.is_empty() && self.group_ids.is_empty() {
            let message = "and group_ids are missing; give at least one of them, since an exclusion for the \
                           whole tenant is never made by leaving something out";
            return Err(refuse(name, "site_ids", message));
        }
        let for_paths = [
            ("exclusion_mode", self.exclusion_mode.is_some()),
            ("path_exclusion_type", self.path_exclusion_type.is_some()),
        ];
        let given_one = for_paths.iter().find(|(_, is_given)| *is_given);
        if let Some((argument, _)) = given_one.filter(|_| self.exclusion_type != ExclusionType::Path) {
            let message = format!("goes with exclusion_type path only, and that is {}", self.exclusion_type);
            return Err(refuse(name, argument, message));
        }
        let data = ExclusionCreationData {
            description: self.description.clone(),
            mode: self.exclusion_mode.clone(),
            path_exclusion_type: self.path_exclusion_type.clone(),
            ..ExclusionCreationData::new(&self.os_type, &self.exclusion_type, &self.exclusion_value)
        };
        let scope = ScopeFilter {
            site_ids: given(&self.site_ids),
            group_ids: given(&self.group_ids),
            ..ScopeFilter::default()
        };
        Ok(vec![raw::create(&ExclusionCreation::new(data, scope))?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let version = client.api_version();
        let (mut outcome, _) = act(client, self.requests(version)?).await?;
        let created = outcome.answer.get("data").and_then(Value::as_array).cloned();
        outcome.affected = created.as_ref().map(|created| created.len() as u64);
        let created = created.unwrap_or_default();
        let ids = created.iter().filter_map(id_of);
        outcome.ids = ids.map(|id| without_answer(id, IdState::Done)).collect();
        if outcome.ids.is_empty() {
            // There is no identifier to tell of, but something was asked for.
            let state = if outcome.affected == Some(0) { IdState::NotAffected } else { IdState::Unknown };
            outcome.ids.push(without_answer(self.exclusion_value.clone(), state));
        } else {
            outcome.ids.extend(self.not_shown(&created));
        }
        outcome.context = under(PREFIX, entries(Self::OUTPUTS, PREFIX, version, &created));
        Ok(outcome)
    }
}

impl CreateWhiteListItem {
    /// The sites and groups that no entry shows. One that shows no scope stands for any of them, so that with as
    /// many of those nothing is missing.
    fn not_shown(&self, created: &[Value]) -> Vec<IdOutcome> {
        let mut missing = Vec::new();
        for (name, kind, ids) in [("site", "siteIds", &self.site_ids), ("group", "groupIds", &self.group_ids)]
        {
            let shown: HashSet<_> = created.iter().flat_map(|entry| scope_ids(entry, kind)).collect();
            let mut seen = HashSet::new();
            missing.extend(ids.iter().filter(|id| !shown.contains(*id) && seen.insert(*id)).map(|id| {
                let detail = Some(format!("the answer shows no exclusion for this {name}"));
                IdOutcome { detail, ..without_answer(id.clone(), IdState::Unknown) }
            }));
        }
        let shows_none = |entry: &&Value| {
            let tenant = entry.pointer("/scope/tenant").and_then(Value::as_bool) == Some(true);
            !tenant
                && ["siteIds", "groupIds", "accountIds"].iter().all(|kind| scope_ids(entry, kind).is_empty())
        };
        if created.iter().filter(shows_none).count() >= missing.len() {
            missing.clear();
        }
        missing
    }
}
