//! `sentinelone-create-white-list-item`: creates an exclusion.

use std::collections::HashSet;

use sentinelone_raw::exclusions::{
    self as raw, ExclusionMode, ExclusionType, ExclusionsCreateData, ExclusionsCreateRequest,
    PathExclusionType,
};
use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::threats::OsType;
use serde_json::Value;

use super::arguments::argument_error;
use super::get_white_list::{OS_TYPES, TYPES};
use super::support::batch_action::{run_action, without_detail};
use super::support::batched_lists::{non_empty, scope_ids};
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::entries;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::entry_id::id_of;
use crate::outcome::{IdOutcome, IdState};

/// Creates an exclusion, which reduces the protection: agents ignore the excluded value.
///
/// The outcome has one result per new exclusion, and one per site or group without an exclusion in the response.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateWhiteListItem {
    /// Type of the value.
    pub exclusion_type: ExclusionType,
    /// Excluded value.
    pub exclusion_value: String,
    /// Operating system.
    pub os_type: OsType,
    /// Description.
    pub description: Option<String>,
    /// Exclusion mode, for paths only.
    pub exclusion_mode: Option<ExclusionMode>,
    /// Depth of the exclusion below the path, for paths only.
    pub path_exclusion_type: Option<PathExclusionType>,
    /// Group IDs.
    pub group_ids: Vec<String>,
    /// Site IDs.
    pub site_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Exclusions";

/// Values of the integration.
const MODES: &[&str] = &[
    "suppress",
    "disable_in_process_monitor_deep",
    "disable_in_process_monitor",
    "disable_all_monitors",
    "disable_all_monitors_deep",
];

impl Command for CreateWhiteListItem {
    const INFO: CommandInfo = CommandInfo {
        name: "create-white-list-item",
        full_name: "sentinelone-create-white-list-item",
        topic: Topic::Exclusions,
        summary: "Create an exclusion in sites or groups",
        example: "s1 create-white-list-item --exclusion-type path --exclusion-value /opt/backup --os-type \
                  linux --site-ids 420000000000000001",
        versions: ApiVersion::ALL,
        is_action: true,
        destructive: false,
        requires_confirmation: true,
        operations: &["exclusions_create"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.Exclusions.ID", "String", "ID of the exclusion", "id"),
        ContextPath::field("SentinelOne.Exclusions.Type", "String", "Type of the value", "type"),
        ContextPath::field("SentinelOne.Exclusions.CreatedAt", "Date", "Creation time", "createdAt"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{List, String};
        vec![
            Argument::new("exclusion_type", String, "Type of the value.").required().values(TYPES),
            Argument::new("exclusion_value", String, "Excluded value.").required(),
            Argument::new("os_type", String, "Operating system.").required().values(OS_TYPES),
            Argument::new("description", String, "Description."),
            Argument::new("exclusion_mode", String, "Exclusion mode, for paths only.").values(MODES),
            Argument::new(
                "path_exclusion_type",
                String,
                "Depth of the exclusion, for paths only: file, folder or subfolders.",
            ),
            Argument::new("group_ids", List, "Group IDs. group_ids or site_ids is required."),
            Argument::new("site_ids", List, "Site IDs. group_ids or site_ids is required."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            exclusion_type: arguments.required_choice("exclusion_type", TYPES)?,
            exclusion_value: arguments.required("exclusion_value")?,
            os_type: arguments.required_choice("os_type", OS_TYPES)?,
            description: arguments.string("description")?,
            exclusion_mode: arguments.choice("exclusion_mode", MODES)?,
            path_exclusion_type: arguments.choice("path_exclusion_type", &[])?,
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
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
        let data = ExclusionsCreateData {
            description: self.description.clone(),
            mode: self.exclusion_mode.clone(),
            path_exclusion_type: self.path_exclusion_type.clone(),
            ..ExclusionsCreateData::new(&self.os_type, &self.exclusion_type, &self.exclusion_value)
        };
        let scope = ScopeFilter {
            site_ids: non_empty(&self.site_ids),
            group_ids: non_empty(&self.group_ids),
            ..ScopeFilter::default()
        };
        Ok(vec![raw::create(&ExclusionsCreateRequest::new(data, scope))?.with_response_type()])
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
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
            outcome.results.extend(self.missing_scopes(&created));
        }
        outcome.context = context_under(PREFIX, entries(Self::OUTPUTS, PREFIX, version, &created));
        Ok(outcome)
    }
}

impl CreateWhiteListItem {
    /// Returns the results of the sites and groups that are not in the entries. If at least as many entries have no
    /// scope, the list is empty, because each of them can belong to any site or group.
    fn missing_scopes(&self, created: &[Value]) -> Vec<IdOutcome> {
        let mut missing = Vec::new();
        for (name, kind, ids) in [("site", "siteIds", &self.site_ids), ("group", "groupIds", &self.group_ids)]
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
            !tenant
                && ["siteIds", "groupIds", "accountIds"].iter().all(|kind| scope_ids(entry, kind).is_empty())
        };
        if created.iter().filter(has_no_scope).count() >= missing.len() {
            missing.clear();
        }
        missing
    }
}
