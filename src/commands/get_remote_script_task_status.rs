//! `sentinelone-get-remote-script-task-status`: the tasks of a script's run.

use sentinelone_raw::remote_scripts::{self as raw, RemoteScriptsListTasksQuery, TaskStatus};
use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Page, Request};
use serde_json::Value;

use super::act::refuse;
use super::context::Output;
use super::lists::{given, in_batches, of_one_list, read_all, wanted};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 50;

/// The tasks of a script's run that match.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetRemoteScriptTaskStatus {
    /// The parent task of the run.
    pub parent_task_id: String,
    /// How many tasks at the most; without it 50, or as many as the filter has identifiers.
    pub limit: Option<u64>,
    /// What else they have to match, and where to begin. Its own parent task and limit are not looked at.
    pub filter: RemoteScriptsListTasksQuery,
}

const PREFIX: &str = "SentinelOne.GetRemoteScript";

impl Command for GetRemoteScriptTaskStatus {
    const INFO: Info = Info {
        name: "get-remote-script-task-status",
        full_name: "sentinelone-get-remote-script-task-status",
        summary: "List the tasks of a script's run",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["remote_scripts_list_tasks"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.GetRemoteScript.id", "String", "Identifier of the task", "id"),
        Output::field("SentinelOne.GetRemoteScript.accountId", "String", "Account of the agent", "accountId")
            .no_column(),
        Output::field(
            "SentinelOne.GetRemoteScript.accountName",
            "String",
            "Name of the account",
            "accountName",
        )
        .no_column(),
        Output::field("SentinelOne.GetRemoteScript.agentId", "String", "Agent that runs it", "agentId"),
        Output::field(
            "SentinelOne.GetRemoteScript.agentIsActive",
            "Boolean",
            "Whether the agent is active",
            "agentIsActive",
        )
        .no_column(),
        Output::field(
            "SentinelOne.GetRemoteScript.agentMachineType",
            "String",
            "Kind of machine",
            "agentMachineType",
        )
        .no_column(),
        Output::field("SentinelOne.GetRemoteScript.agentOsType", "String", "Operating system", "agentOsType")
            .no_column(),
        Output::field("SentinelOne.GetRemoteScript.agentUuid", "String", "UUID of the agent", "agentUuid")
            .no_column(),
        Output::field("SentinelOne.GetRemoteScript.createdAt", "String", "When it was created", "createdAt")
            .no_column(),
        Output::field("SentinelOne.GetRemoteScript.description", "String", "What it is for", "description"),
        Output::field(
            "SentinelOne.GetRemoteScript.detailedStatus",
            "String",
            "Where it stands, in words",
            "detailedStatus",
        ),
        Output::field("SentinelOne.GetRemoteScript.groupId", "String", "Group of the agent", "groupId")
            .no_column(),
        Output::field("SentinelOne.GetRemoteScript.groupName", "String", "Name of the group", "groupName")
            .no_column(),
        Output::field("SentinelOne.GetRemoteScript.initiatedBy", "String", "Who started it", "initiatedBy")
            .no_column(),
        Output::field(
            "SentinelOne.GetRemoteScript.initiatedById",
            "String",
            "Identifier of who started it",
            "initiatedById",
        )
        .no_column(),
        Output::field(
            "SentinelOne.GetRemoteScript.parentTaskId",
            "String",
            "Parent task of the run",
            "parentTaskId",
        )
        .no_column(),
        Output::field("SentinelOne.GetRemoteScript.siteId", "String", "Site of the agent", "siteId")
            .no_column(),
        Output::field("SentinelOne.GetRemoteScript.siteName", "String", "Name of the site", "siteName")
            .no_column(),
        Output::field("SentinelOne.GetRemoteScript.status", "String", "Where it stands", "status"),
        Output::field(
            "SentinelOne.GetRemoteScript.statusCode",
            "String",
            "The same as a number",
            "statusCode",
        )
        .no_column(),
        Output::field(
            "SentinelOne.GetRemoteScript.statusDescription",
            "String",
            "The same for people",
            "statusDescription",
        )
        .no_column(),
        Output::field("SentinelOne.GetRemoteScript.type", "String", "Kind of task", "type").no_column(),
        Output::field("SentinelOne.GetRemoteScript.updateAt", "String", "When it last changed", "updatedAt"),
        Output::field(
            "SentinelOne.GetRemoteScript.updatedAt",
            "String",
            "The same, where the integration writes it",
            "updatedAt",
        )
        .no_column()
        .undocumented(),
        Output::field(
            "SentinelOne.GetRemoteScript.agentComputerName",
            "String",
            "Name of the endpoint",
            "agentComputerName",
        )
        .undocumented(),
        Output::field(
            "SentinelOne.GetRemoteScript.agentIsDecommissioned",
            "Boolean",
            "Whether the agent is decommissioned",
            "agentIsDecommissioned",
        )
        .no_column()
        .undocumented(),
        Output::field(
            "SentinelOne.GetRemoteScript.scriptResultsSignature",
            "String",
            "Signature of the results",
            "scriptResultsSignature",
        )
        .no_column()
        .undocumented(),
        Output::field(
            "SentinelOne.GetRemoteScript.scriptResultsPath",
            "String",
            "Where the results are stored",
            "scriptResultsPath",
        )
        .no_column()
        .undocumented(),
        Output::field(
            "SentinelOne.GetRemoteScript.scriptResultsBucket",
            "String",
            "Storage that the results are in",
            "scriptResultsBucket",
        )
        .no_column()
        .undocumented(),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, Text, Time};
        vec![
            Argument::new("account_ids", List, "Only tasks of these accounts, by identifier."),
            Argument::new("computer_name_contains", List, "Parts of computer names; any of them will do."),
            Argument::new("count_only", Boolean, "Whether to count the tasks without listing them."),
            Argument::new("created_at_gt", Time, "Created after this time."),
            Argument::new("created_at_gte", Time, "Created at this time or after."),
            Argument::new("created_at_lt", Time, "Created before this time."),
            Argument::new("created_at_lte", Time, "Created at this time or before."),
            Argument::new("cursor", Text, "Where to begin: pagination.nextCursor of an earlier answer."),
            Argument::new("description_contains", List, "Parts of descriptions; any of them will do."),
            Argument::new(
                "detailed_status_contains",
                List,
                "Parts of detailed statuses; any of them will do.",
            ),
            Argument::new("group_ids", List, "Only tasks of these groups, by identifier."),
            Argument::new("ids", List, "Only these tasks, by identifier."),
            Argument::new("initiated_by_contains", List, "Parts of who started it; any of them will do."),
            Argument::new(
                "limit",
                Integer,
                "How many tasks at the most; as many as ids where those are more.",
            )
            .default("50")
            .or_all(),
            Argument::new("parent_task_id", Text, "Parent task of the run, from run-remote-script.")
                .required(),
            Argument::new("parent_task_id_in", List, "Only tasks of these parent tasks, by identifier."),
            Argument::new("query", Text, "Free text, looked for in several fields."),
            Argument::new("site_ids", List, "Only tasks of these sites, by identifier."),
            Argument::new("status", List, "Only tasks with one of these statuses.").values(TaskStatus::KNOWN),
            Argument::new(
                "tenant",
                Boolean,
                "Whether to look at the whole tenant. It goes with no other scope.",
            ),
            Argument::new("updated_at_gt", Time, "Changed after this time."),
            Argument::new("updated_at_gte", Time, "Changed at this time or after."),
            Argument::new("updated_at_lt", Time, "Changed before this time."),
            Argument::new("updated_at_lte", Time, "Changed at this time or before."),
            Argument::new("uuid_contains", List, "Parts of agents' UUIDs; any of them will do."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let status = arguments.choices("status", TaskStatus::KNOWN)?;
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
                cursor: arguments.text("cursor")?.map(|cursor| cursor.trim().to_owned()),
                description_contains: arguments.list("description_contains")?,
                detailed_status_contains: arguments.list("detailed_status_contains")?,
                group_ids: arguments.list("group_ids")?,
                ids: arguments.list("ids")?,
                initiated_by_contains: arguments.list("initiated_by_contains")?,
                parent_task_id_in: arguments.list("parent_task_id_in")?,
                query: arguments.text("query")?,
                site_ids: arguments.list("site_ids")?,
                status: given(&status),
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

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.lists()?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        read_all((client, watch), self.lists()?, Some(self.wanted()), |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetRemoteScriptTaskStatus {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, self.ids())
    }

    fn ids(&self) -> &[String] {
        self.filter.ids.as_deref().unwrap_or_default()
    }

    fn lists(&self) -> Result<Vec<Request<Page<Value>>>> {
        let filter = &self.filter;
        let of_one = [
            ("cursor", filter.cursor.is_some()),
            ("skip", filter.skip.is_some()),
            ("sort_by", filter.sort_by.is_some()),
            ("sort_order", filter.sort_order.is_some()),
        ];
        of_one.into_iter().try_for_each(|one| of_one_list(self, one, ("ids", self.ids())))?;
        in_batches(self.ids(), Some(self.wanted()), |ids| self.request(ids))
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Page<Value>>> {
        let filter = &self.filter;
        let narrower = [&filter.account_ids, &filter.site_ids, &filter.group_ids];
        if filter.tenant == Some(true) && narrower.iter().any(|ids| ids.is_some()) {
            let message = "is the widest scope and goes with no accounts, sites or groups; leave one out";
            return Err(refuse(Self::INFO.name, "tenant", message));
        }
        let query = RemoteScriptsListTasksQuery {
            parent_task_id: Some(self.parent_task_id.clone()),
            ids,
            limit: None,
            ..filter.clone()
        };
        Ok(raw::list_tasks(&query)?.answering())
    }
}
