//! `sentinelone-get-remote-script-task-status`: lists the tasks of a script run.

use sentinelone_raw::remote_scripts::{self as raw, RemoteScriptsListTasksQuery, TaskStatus};
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Request};
use serde_json::Value;

use super::arguments::argument_error;
use super::support::batched_lists::{
    batched_list_requests, effective_limit, non_empty, read_lists, require_single_list,
};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 50;

/// Lists the tasks of a script run that match all filters, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetRemoteScriptTaskStatus {
    /// ID of the parent task of the run.
    pub parent_task_id: String,
    /// Maximum number of tasks. Default: 50, or the number of IDs in the filter if larger.
    pub limit: Option<u64>,
    /// Further filters, and the cursor. The parent task and limit of this query are ignored.
    pub filter: RemoteScriptsListTasksQuery,
}

const PREFIX: &str = "SentinelOne.GetRemoteScript";

impl Command for GetRemoteScriptTaskStatus {
    const INFO: CommandInfo = CommandInfo {
        name: "get-remote-script-task-status",
        full_name: "sentinelone-get-remote-script-task-status",
        topic: Topic::RemoteScripts,
        summary: "List the tasks of a script run",
        example: "s1 get-remote-script-task-status --parent-task-id 580000000000000100",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["remote_scripts_list_tasks"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.GetRemoteScript.id", "String", "ID of the task", "id"),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.accountId",
            "String",
            "ID of the account",
            "accountId",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.accountName",
            "String",
            "Name of the account",
            "accountName",
        )
        .no_column(),
        ContextPath::field("SentinelOne.GetRemoteScript.agentId", "String", "ID of the agent", "agentId"),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.agentIsActive",
            "Boolean",
            "Whether the agent is active",
            "agentIsActive",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.agentMachineType",
            "String",
            "Machine type",
            "agentMachineType",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.agentOsType",
            "String",
            "Operating system",
            "agentOsType",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.agentUuid",
            "String",
            "UUID of the agent",
            "agentUuid",
        )
        .no_column(),
        ContextPath::field("SentinelOne.GetRemoteScript.createdAt", "String", "Creation time", "createdAt")
            .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.description",
            "String",
            "Description of the task",
            "description",
        ),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.detailedStatus",
            "String",
            "Detailed status",
            "detailedStatus",
        ),
        ContextPath::field("SentinelOne.GetRemoteScript.groupId", "String", "ID of the group", "groupId")
            .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.groupName",
            "String",
            "Name of the group",
            "groupName",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.initiatedBy",
            "String",
            "Name of the user who started the run",
            "initiatedBy",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.initiatedById",
            "String",
            "ID of the user who started the run",
            "initiatedById",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.parentTaskId",
            "String",
            "ID of the parent task",
            "parentTaskId",
        )
        .no_column(),
        ContextPath::field("SentinelOne.GetRemoteScript.siteId", "String", "ID of the site", "siteId")
            .no_column(),
        ContextPath::field("SentinelOne.GetRemoteScript.siteName", "String", "Name of the site", "siteName")
            .no_column(),
        ContextPath::field("SentinelOne.GetRemoteScript.status", "String", "Status", "status"),
        ContextPath::field("SentinelOne.GetRemoteScript.statusCode", "String", "Status code", "statusCode")
            .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.statusDescription",
            "String",
            "Description of the status",
            "statusDescription",
        )
        .no_column(),
        ContextPath::field("SentinelOne.GetRemoteScript.type", "String", "Type of the task", "type")
            .no_column(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.updateAt",
            "String",
            "Time of the last change",
            "updatedAt",
        ),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.updatedAt",
            "String",
            "Time of the last change, under the path that the integration writes",
            "updatedAt",
        )
        .no_column()
        .undocumented(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.agentComputerName",
            "String",
            "Name of the endpoint",
            "agentComputerName",
        )
        .undocumented(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.agentIsDecommissioned",
            "Boolean",
            "Whether the agent is decommissioned",
            "agentIsDecommissioned",
        )
        .no_column()
        .undocumented(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.scriptResultsSignature",
            "String",
            "Signature of the results",
            "scriptResultsSignature",
        )
        .no_column()
        .undocumented(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.scriptResultsPath",
            "String",
            "Storage path of the results",
            "scriptResultsPath",
        )
        .no_column()
        .undocumented(),
        ContextPath::field(
            "SentinelOne.GetRemoteScript.scriptResultsBucket",
            "String",
            "Storage bucket of the results",
            "scriptResultsBucket",
        )
        .no_column()
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String, Time};
        vec![
            Argument::new("account_ids", List, "Account IDs."),
            Argument::new(
                "computer_name_contains",
                List,
                "Substrings of computer names; any of them matches.",
            ),
            Argument::new("count_only", Boolean, "Whether to count the tasks without listing them."),
            Argument::new("created_at_gt", Time, "Created after this time."),
            Argument::new("created_at_gte", Time, "Created at or after this time."),
            Argument::new("created_at_lt", Time, "Created before this time."),
            Argument::new("created_at_lte", Time, "Created at or before this time."),
            Argument::new(
                "cursor",
                String,
                "Cursor of the next page: pagination.nextCursor of an earlier response.",
            ),
            Argument::new("description_contains", List, "Substrings of descriptions; any of them matches."),
            Argument::new(
                "detailed_status_contains",
                List,
                "Substrings of detailed statuses; any of them matches.",
            ),
            Argument::new("group_ids", List, "Group IDs."),
            Argument::new("ids", List, "Task IDs."),
            Argument::new(
                "initiated_by_contains",
                List,
                "Substrings of the user who started the run; any of them matches.",
            ),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of tasks; if not set, at least the number of ids.",
            )
            .default("50")
            .accepts_all(),
            Argument::new("parent_task_id", String, "ID of the parent task, from run-remote-script.")
                .required(),
            Argument::new("parent_task_id_in", List, "IDs of parent tasks."),
            Argument::new("query", String, "Full-text search in several fields."),
            Argument::new("site_ids", List, "Site IDs."),
            Argument::new("status", List, "Task statuses.").values(TaskStatus::VALUES),
            Argument::new(
                "tenant",
                Boolean,
                "Whether to list the tasks of the whole tenant. Cannot be used with another scope.",
            ),
            Argument::new("updated_at_gt", Time, "Changed after this time."),
            Argument::new("updated_at_gte", Time, "Changed at or after this time."),
            Argument::new("updated_at_lt", Time, "Changed before this time."),
            Argument::new("updated_at_lte", Time, "Changed at or before this time."),
            Argument::new("uuid_contains", List, "Substrings of agent UUIDs; any of them matches."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let status = arguments.choices("status", TaskStatus::VALUES)?;
        Ok(Self {
            parent_task_id: arguments.required("parent_task_id")?.trim().to_owned(),
            limit: arguments.limit()?,
            filter: RemoteScriptsListTasksQuery {
                account_ids: arguments.list("account_ids")?,
                computer_name_contains: arguments.list("computer_name_contains")?,
                count_only: arguments.boolean("count_only")?,
                created_at_gt: arguments.time("created_at_gt")?,
                created_at_gte: arguments.time("created_at_gte")?,
                created_at_lt: arguments.time("created_at_lt")?,
                created_at_lte: arguments.time("created_at_lte")?,
                cursor: arguments.string("cursor")?.map(|cursor| cursor.trim().to_owned()),
                description_contains: arguments.list("description_contains")?,
                detailed_status_contains: arguments.list("detailed_status_contains")?,
                group_ids: arguments.list("group_ids")?,
                ids: arguments.list("ids")?,
                initiated_by_contains: arguments.list("initiated_by_contains")?,
                parent_task_id_in: arguments.list("parent_task_id_in")?,
                query: arguments.string("query")?,
                site_ids: arguments.list("site_ids")?,
                status: non_empty(&status),
                tenant: arguments.boolean("tenant")?,
                updated_at_gt: arguments.time("updated_at_gt")?,
                updated_at_gte: arguments.time("updated_at_gte")?,
                updated_at_lt: arguments.time("updated_at_lt")?,
                updated_at_lte: arguments.time("updated_at_lte")?,
                uuid_contains: arguments.list("uuid_contains")?,
                ..RemoteScriptsListTasksQuery::default()
            },
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let filter = &self.filter;
        let single_list = [
            ("cursor", filter.cursor.is_some()),
            ("skip", filter.skip.is_some()),
            ("sort_by", filter.sort_by.is_some()),
            ("sort_order", filter.sort_order.is_some()),
        ];
        single_list
            .into_iter()
            .try_for_each(|argument| require_single_list(self, argument, ("ids", self.ids())))?;
        batched_list_requests(self.ids(), Some(self.effective_limit()), |ids| self.request(ids))
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let requested = self.requested_ids();
        read_lists(
            (client, observer, &requested),
            requests,
            Some(self.effective_limit()),
            None,
            (PREFIX, Self::OUTPUTS),
        )
        .await
    }
}

impl GetRemoteScriptTaskStatus {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, self.ids())
    }

    fn ids(&self) -> &[String] {
        self.filter.ids.as_deref().unwrap_or_default()
    }

    /// Returns the identifiers to look for in the tasks. A count lists no task.
    fn requested_ids(&self) -> RequestedIds {
        if self.filter.count_only == Some(true) {
            return RequestedIds::default();
        }
        let parents = self.filter.parent_task_id_in.as_deref().unwrap_or_default();
        let requested = RequestedIds::default().with("ids", self.ids(), &["id"]).with(
            "parent_task_id_in",
            parents,
            &["parentTaskId"],
        );
        // A run without tasks that match the other filters may exist.
        if self.filter == RemoteScriptsListTasksQuery::default() {
            requested.with_one("parent_task_id", Some(&self.parent_task_id))
        } else {
            requested
        }
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Value>> {
        let filter = &self.filter;
        let scopes = [&filter.account_ids, &filter.site_ids, &filter.group_ids];
        if filter.tenant == Some(true) && scopes.iter().any(|ids| ids.is_some()) {
            let message = "cannot be used with account_ids, site_ids or group_ids";
            return Err(argument_error(Self::INFO.name, "tenant", message));
        }
        let query = RemoteScriptsListTasksQuery {
            parent_task_id: Some(self.parent_task_id.clone()),
            ids,
            limit: None,
            ..filter.clone()
        };
        Ok(raw::list_tasks(&query)?.with_response_type())
    }
}
