//! The commands of two published integrations, with their names and arguments: Cortex XSOAR's "SentinelOne v2" and
//! Swimlane's "Update Threat Incident".
//!
//! A command is a typed struct. [`requests`](Command::requests) returns its requests without sending them,
//! [`run`](Command::run) sends them, and the outcome has the context paths of the integration. [`registry`] lists all
//! commands for callers with names and strings, such as a command line or a SOAR platform.
//!
//! ```
//! use sentinelone::ApiVersion;
//! use sentinelone::commands::{Command, UpdateThreatsStatus};
//! use sentinelone::threats::IncidentStatus;
//!
//! let command = UpdateThreatsStatus {
//!     threat_ids: vec!["1234567890123456789".into()],
//!     status: IncidentStatus::Resolved,
//! };
//! let requests = command.requests(ApiVersion::V2_1)?;
//! assert_eq!(requests[0].path(ApiVersion::V2_1)?, "/web/api/v2.1/threats/incident");
//! # Ok::<(), sentinelone::Error>(())
//! ```
//!
//! If the published integration deviates from SentinelOne's API document, the requests follow the document: lists are
//! joined by commas, times are in UTC, and all IDs are in one request if the API accepts their number. An argument that the API version does not have
//! is an error before any request is sent.

mod arguments;
mod outcome;
mod run_options;

mod support;

mod add_hash_to_blocklist;
mod broadcast_message;
mod connect_agent;
mod create_ioc;
mod create_power_query;
mod create_query;
mod create_star_rule;
mod create_white_list_item;
mod delete_group;
mod delete_ioc;
mod delete_star_rule;
mod disable_star_rules;
mod disconnect_agent;
mod download_fetched_file;
mod enable_star_rules;
mod expire_site;
mod fetch_file;
mod fetch_threat_file;
mod get_accounts;
mod get_activities;
mod get_agent;
mod get_agent_mac;
mod get_alerts;
mod get_blocklist;
mod get_dv_query_status;
mod get_events;
mod get_groups;
mod get_hash;
mod get_installed_applications;
mod get_iocs;
mod get_mapping_fields;
mod get_modified_remote_data;
mod get_power_query_results;
mod get_processes;
mod get_remote_data;
mod get_remote_script_task_results;
mod get_remote_script_task_status;
mod get_site;
mod get_sites;
mod get_star_rules;
mod get_threat_notes;
mod get_threats;
mod get_white_list;
mod initiate_endpoint_scan;
mod list_agents;
mod mark_as_threat;
mod mitigate_threat;
mod move_agent;
mod ping_power_query;
mod reactivate_site;
mod remote_script_automate_results;
mod remove_hash_from_blocklist;
mod remove_item_from_whitelist;
mod resolve_threat;
mod run_remote_script;
mod shutdown_agent;
mod threat_summary;
mod uninstall_agent;
mod update_alerts_status;
mod update_alerts_verdict;
mod update_remote_system;
mod update_star_rule;
mod update_threat_incident;
mod update_threats_status;
mod update_threats_verdict;
mod write_threat_note;

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use sentinelone_raw::runtime::{ApiVersion, Operation, Request};
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use crate::Result;
use crate::client::Client;
use crate::json_repair::RepairLog;
use crate::parallel::{is_parallel, refusal};

use support::batch_action::{BATCHED_COMMANDS, with_batch_size};

pub use add_hash_to_blocklist::AddHashToBlocklist;
pub use arguments::{Argument, ArgumentError, ArgumentKind, Arguments, is_possible_id};
pub use broadcast_message::BroadcastMessage;
pub use connect_agent::ConnectAgent;
pub use create_ioc::CreateIoc;
pub use create_power_query::CreatePowerQuery;
pub use create_query::CreateQuery;
pub use create_star_rule::CreateStarRule;
pub use create_white_list_item::CreateWhiteListItem;
pub use delete_group::DeleteGroup;
pub use delete_ioc::DeleteIoc;
pub use delete_star_rule::DeleteStarRule;
pub use disable_star_rules::DisableStarRules;
pub use disconnect_agent::DisconnectAgent;
pub use download_fetched_file::DownloadFetchedFile;
pub use enable_star_rules::EnableStarRules;
pub use expire_site::ExpireSite;
pub use fetch_file::FetchFile;
pub use fetch_threat_file::FetchThreatFile;
pub use get_accounts::GetAccounts;
pub use get_activities::GetActivities;
pub use get_agent::GetAgent;
pub use get_agent_mac::GetAgentMac;
pub use get_alerts::GetAlerts;
pub use get_blocklist::GetBlocklist;
pub use get_dv_query_status::GetDvQueryStatus;
pub use get_events::GetEvents;
pub use get_groups::GetGroups;
pub use get_hash::GetHash;
pub use get_installed_applications::GetInstalledApplications;
pub use get_iocs::GetIocs;
pub use get_mapping_fields::GetMappingFields;
pub use get_modified_remote_data::GetModifiedRemoteData;
pub use get_power_query_results::GetPowerQueryResults;
pub use get_processes::GetProcesses;
pub use get_remote_data::GetRemoteData;
pub use get_remote_script_task_results::GetRemoteScriptTaskResults;
pub use get_remote_script_task_status::GetRemoteScriptTaskStatus;
pub use get_site::GetSite;
pub use get_sites::GetSites;
pub use get_star_rules::GetStarRules;
pub use get_threat_notes::GetThreatNotes;
pub use get_threats::GetThreats;
pub use get_white_list::GetWhiteList;
pub use initiate_endpoint_scan::InitiateEndpointScan;
pub use list_agents::ListAgents;
pub use mark_as_threat::MarkAsThreat;
pub use mitigate_threat::MitigateThreat;
pub use move_agent::MoveAgent;
pub use outcome::{NotFound, Outcome};
pub use ping_power_query::PingPowerQuery;
pub use reactivate_site::ReactivateSite;
pub use remote_script_automate_results::RemoteScriptAutomateResults;
pub use remove_hash_from_blocklist::RemoveHashFromBlocklist;
pub use remove_item_from_whitelist::RemoveItemFromWhitelist;
pub use resolve_threat::ResolveThreat;
pub use run_options::RunOptions;
pub use run_remote_script::RunRemoteScript;
pub use shutdown_agent::ShutdownAgent;
pub use support::context_path::{ContextPath, ContextSource};
pub use support::list_entries::ListPage;
pub use support::polling::{NoProgress, PageHandling, ProgressEvent, ProgressObserver};
pub use support::star_rule_settings::StarRuleSettings;
pub use threat_summary::ThreatSummary;
pub use uninstall_agent::UninstallAgent;
pub use update_alerts_status::UpdateAlertsStatus;
pub use update_alerts_verdict::UpdateAlertsVerdict;
pub use update_remote_system::UpdateRemoteSystem;
pub use update_star_rule::UpdateStarRule;
pub use update_threat_incident::UpdateThreatIncident;
pub use update_threats_status::UpdateThreatsStatus;
pub use update_threats_verdict::UpdateThreatsVerdict;
pub use write_threat_note::WriteThreatNote;

/// Topic of a command. The help groups commands by topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Topic {
    /// Threats, their notes and files.
    Threats,
    /// Alerts of STAR rules.
    Alerts,
    /// Agents and their endpoints.
    Agents,
    /// Files on endpoints, and file hashes.
    Files,
    /// Deep Visibility and PowerQuery.
    Hunting,
    /// Script library and tasks.
    RemoteScripts,
    /// STAR rules and indicators of compromise.
    Detection,
    /// Exclusions and the blocklist.
    Exclusions,
    /// Accounts, sites, groups and the activity log.
    Console,
    /// Incident mirroring.
    Incidents,
}

impl Topic {
    /// All topics, in the order of the help.
    pub const ALL: [Self; 10] = [
        Self::Threats,
        Self::Alerts,
        Self::Agents,
        Self::Files,
        Self::Hunting,
        Self::RemoteScripts,
        Self::Detection,
        Self::Exclusions,
        Self::Console,
        Self::Incidents,
    ];

    /// Returns the name of the topic in lower case, such as `remote-scripts`: the argument of `s1 help`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Threats => "threats",
            Self::Alerts => "alerts",
            Self::Agents => "agents",
            Self::Files => "files",
            Self::Hunting => "hunting",
            Self::RemoteScripts => "remote-scripts",
            Self::Detection => "detection",
            Self::Exclusions => "exclusions",
            Self::Console => "console",
            Self::Incidents => "incidents",
        }
    }

    /// Returns the heading of the topic, such as `Remote scripts`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Threats => "Threats",
            Self::Alerts => "Alerts",
            Self::Agents => "Agents",
            Self::Files => "Files",
            Self::Hunting => "Hunting",
            Self::RemoteScripts => "Remote scripts",
            Self::Detection => "Detection",
            Self::Exclusions => "Exclusions and blocklist",
            Self::Console => "Console",
            Self::Incidents => "Incidents",
        }
    }
}

/// Static information about a command.
#[derive(Debug)]
#[non_exhaustive]
pub struct CommandInfo {
    /// Name without the prefix, such as `get-threats`.
    pub name: &'static str,
    /// Name in the published integration, such as `sentinelone-get-threats`.
    pub full_name: &'static str,
    /// Topic under which help lists the command.
    pub topic: Topic,
    /// Summary in one line.
    pub summary: &'static str,
    /// Example: a command line of `s1`, such as `s1 get-site --site-id 420000000000000001`.
    pub example: &'static str,
    /// API versions that support the command.
    pub versions: &'static [ApiVersion],
    /// Whether the command changes the state of the console or of endpoints.
    pub is_action: bool,
    /// Whether the command interrupts, removes or isolates endpoints or objects, or cannot be undone.
    pub destructive: bool,
    /// Whether a user has to confirm the command: it is destructive, starts or stops work on many endpoints, or
    /// changes the protection of endpoints.
    pub requires_confirmation: bool,
    /// IDs of the operations that the command can send, on any API version.
    pub operations: &'static [&'static str],
}

/// A command with typed arguments.
pub trait Command: Debug + Send + Sync + Sized + 'static {
    /// Static information.
    const INFO: CommandInfo;

    /// Context paths.
    const OUTPUTS: &'static [ContextPath];

    /// Returns the arguments.
    fn arguments() -> Vec<Argument>;

    /// Parses the command from named strings.
    ///
    /// # Errors
    /// Returns an error if an argument is missing or invalid.
    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError>;

    /// Returns the requests in the order of sending. A list has the request of its first page.
    ///
    /// # Errors
    /// Returns an error if the API version does not support an argument, or the API does not accept its value.
    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>>;

    /// Runs the command.
    ///
    /// # Errors
    /// Returns the errors of [`requests`](Self::requests), before any request is sent, and those of
    /// [`Client::send`]. An error after the first request of an action, or after the first page, becomes
    /// [`Outcome::failure`].
    fn run(&self, client: &Client) -> impl Future<Output = Result<Outcome>> + Send;

    /// Runs the command and reports progress. Commands that poll, download or read pages report events.
    ///
    /// # Errors
    /// Returns the errors of [`run`](Self::run).
    fn run_with_progress(
        &self,
        client: &Client,
        observer: &dyn ProgressObserver,
    ) -> impl Future<Output = Result<Outcome>> + Send {
        let _ = observer;
        self.run(client)
    }
}

/// A command with parsed arguments, created by [`RegisteredCommand::prepare`].
#[derive(Debug)]
pub struct PreparedCommand(Box<dyn DynCommand>);

impl PreparedCommand {
    /// Returns [`Command::INFO`].
    pub fn info(&self) -> &'static CommandInfo {
        self.0.info()
    }

    /// Returns the requests, like [`Command::requests`].
    ///
    /// # Errors
    /// Returns the errors of [`Command::requests`], and an error if the API version does not support the command or a
    /// request is invalid.
    pub fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        self.0.requests(version)
    }

    /// Runs the command, like [`Command::run`].
    ///
    /// # Errors
    /// Returns the errors of [`Command::run`] and of [`requests`](Self::requests).
    pub async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_with(client, &RunOptions::default()).await
    }

    /// Runs the command with options.
    ///
    /// # Errors
    /// Returns the errors of [`run`](Self::run), those of [`ActionBatch::send`](crate::batch::ActionBatch::send) and of
    /// [`check_concurrency`](Self::check_concurrency), and an error for a journal with a command that sends no batches.
    pub async fn run_with(&self, client: &Client, options: &RunOptions<'_>) -> Result<Outcome> {
        if options.reads_in_parallel() {
            self.check_concurrency(client.api_version())?;
        }
        self.0.run(client, options).await
    }

    /// Checks that the list of the command can be read with [`RunOptions::concurrency`].
    ///
    /// # Errors
    /// Returns an error with the reason if the command reads no list, its list
    /// [cannot be read in parts](crate::Pages::concurrency), or its limit fits in one page.
    pub fn check_concurrency(&self, version: ApiVersion) -> Result<()> {
        let requests = self.0.requests(version)?;
        let refusal = match requests.as_slice() {
            requests if requests.is_empty() || !self.0.has_limit() => Some("it reads no list".to_owned()),
            requests => requests.iter().find_map(|request| refusal(request).or_else(|| short_list(request))),
        };
        let message = refusal.map(|reason| format!("cannot be read in parallel: {reason}"));
        message.map_or(Ok(()), |message| Err(ArgumentError::for_command(self.info().name, message).into()))
    }

    /// Returns the requests that [`run_with`](Self::run_with) sends, regardless of the journal.
    ///
    /// # Errors
    /// Returns the errors of [`requests`](Self::requests).
    pub fn requests_with(
        &self,
        version: ApiVersion,
        options: &RunOptions<'_>,
    ) -> Result<Vec<Request<Value>>> {
        with_batch_size(self.0.requests(version)?, options.batch_size)
    }
}

/// Returns why the list of a request needs no parallel reading: its limit fits in one page.
fn short_list(request: &Request<Value>) -> Option<String> {
    let max = u64::try_from(request.operation().query_field("limit")?.range.1?).ok()?;
    let (_, limit) = request.query().into_iter().find(|(name, _)| name == "limit")?;
    let limit: u64 = limit.parse().ok()?;
    (limit < max).then(|| format!("its limit of {limit} items fits in one page of {max}"))
}

trait DynCommand: Debug + Send + Sync {
    fn info(&self) -> &'static CommandInfo;

    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>>;

    /// Returns whether the command reads a list up to a limit.
    fn has_limit(&self) -> bool;

    fn run<'a>(&'a self, client: &'a Client, options: &'a RunOptions<'a>) -> RunFuture<'a>;
}

type RunFuture<'a> = Pin<Box<dyn Future<Output = Result<Outcome>> + Send + 'a>>;

impl<C: Command> DynCommand for C {
    fn info(&self) -> &'static CommandInfo {
        const { &C::INFO }
    }

    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        check_version::<C>(version)?;
        let requests = Command::requests(self, version)?;
        requests.iter().try_for_each(Request::validate)?;
        // Unknown enum values are rejected, because the console returns an empty list for a misspelled value.
        if let Some((field, value)) = requests.iter().flat_map(Request::unknown_enum_values).next() {
            let allowed =
                requests.iter().find_map(|request| enum_values(request, &field)).unwrap_or_default();
            let message = format!("{field} is {value:?}; expected one of {}", allowed.join(", "));
            return Err(ArgumentError::for_command(C::INFO.name, message)
                .with_values(&value, allowed)
                .into());
        }
        Ok(requests)
    }

    fn has_limit(&self) -> bool {
        has_limit(&C::arguments())
    }

    fn run<'a>(&'a self, client: &'a Client, options: &'a RunOptions<'a>) -> RunFuture<'a> {
        Box::pin(async move {
            DynCommand::requests(self, client.api_version())?;
            if options.journal.is_some() && batch_argument(C::INFO.name).is_none() {
                let message = "sends no batches of IDs, and cannot use a journal";
                return Err(ArgumentError::for_command(C::INFO.name, message).into());
            }
            // A command can send requests that are not part of its outcome, such as a read before an update.
            let log = RepairLog::default();
            let (events, mut received) = unbounded_channel();
            let client = client
                .with_repair_log(&log)
                .with_batch_settings(options.batch_settings(events))
                .with_list_concurrency(options.concurrency);
            let mut run = pin!(Command::run_with_progress(self, &client, options.observer));
            let outcome = poll_fn(|context| {
                let polled = run.as_mut().poll(context);
                while let Poll::Ready(Some(event)) = received.poll_recv(context) {
                    options.observer.on_event(event);
                }
                polled
            });
            let mut outcome = outcome.await?;
            outcome.repairs = log.take();
            Ok(outcome)
        })
    }
}

fn has_limit(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| argument.accepts_all)
}

/// Returns the enum values of a field. The name of a body field has its body part as a prefix.
fn enum_values(request: &Request<Value>, field: &str) -> Option<&'static [&'static str]> {
    let operation = request.operation();
    let parts = operation
        .body_parts
        .iter()
        .flat_map(|part| part.fields.iter().map(move |candidate| (part.name, candidate)));
    let all = operation.query_fields().map(|candidate| ("", candidate)).chain(parts);
    let mut found = all.filter(|(part, candidate)| match part.is_empty() {
        true => candidate.name == field,
        false => field.strip_prefix(part).and_then(|rest| rest.strip_prefix('.')) == Some(candidate.name),
    });
    found.find(|(_, candidate)| !candidate.enum_values.is_empty()).map(|(_, candidate)| candidate.enum_values)
}

fn batch_argument(command: &str) -> Option<&'static str> {
    BATCHED_COMMANDS.iter().find(|(name, _)| *name == command).map(|(_, argument)| *argument)
}

fn check_version<C: Command>(version: ApiVersion) -> Result<(), ArgumentError> {
    if C::INFO.versions.contains(&version) {
        return Ok(());
    }
    let versions: Vec<_> = C::INFO.versions.iter().map(|version| version.as_str()).collect();
    let message = format!("is not available on API {version}, only on {}", versions.join(" and "));
    Err(ArgumentError::for_command(C::INFO.name, message))
}

/// An entry of the [`registry`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RegisteredCommand {
    /// Static information.
    pub info: &'static CommandInfo,
    /// Context paths.
    pub outputs: &'static [ContextPath],
    /// Arguments.
    pub arguments: fn() -> Vec<Argument>,
    parse: fn(&mut Arguments) -> Result<PreparedCommand, ArgumentError>,
}

impl RegisteredCommand {
    const fn new<C: Command>() -> Self {
        Self {
            info: const { &C::INFO },
            outputs: C::OUTPUTS,
            arguments: C::arguments,
            parse: |arguments| Ok(PreparedCommand(Box::new(C::from_arguments(arguments)?))),
        }
    }

    /// Returns whether the command reads a list that [`RunOptions::concurrency`] can apply to, on any API version.
    pub fn supports_concurrency(&self) -> bool {
        if !has_limit(&(self.arguments)()) {
            return false;
        }
        let mut arguments = Arguments::new();
        arguments.set("limit", "all");
        let is_of_command = |operation: &&Operation| self.info.operations.contains(&operation.id);
        match self.prepare(arguments) {
            // Some commands sort their list by another field.
            Ok(command) => {
                let mut versions = self.info.versions.iter();
                versions.any(|version| command.check_concurrency(*version).is_ok())
            }
            // An argument is required.
            Err(_) => sentinelone_raw::OPERATIONS.iter().copied().filter(is_of_command).any(is_parallel),
        }
    }

    /// Returns the argument whose IDs go out in batches; `None` if the command has none. Such a command can use a
    /// [`journal`](RunOptions::journal).
    pub fn batch_argument(&self) -> Option<&'static str> {
        batch_argument(self.info.name)
    }

    /// Parses the arguments of the command.
    ///
    /// # Errors
    /// Returns an error if an argument is unknown, missing or invalid.
    pub fn prepare(&self, arguments: Arguments) -> Result<PreparedCommand, ArgumentError> {
        let mut arguments = arguments.with_command(self.info.name);
        let known = (self.arguments)();
        arguments.check_names(&known)?;
        arguments.check_ids(&known)?;
        (self.parse)(&mut arguments)
    }
}

/// Returns all commands in alphabetical order.
pub const fn registry() -> &'static [RegisteredCommand] {
    const {
        &[
            RegisteredCommand::new::<AddHashToBlocklist>(),
            RegisteredCommand::new::<BroadcastMessage>(),
            RegisteredCommand::new::<ConnectAgent>(),
            RegisteredCommand::new::<CreateIoc>(),
            RegisteredCommand::new::<CreatePowerQuery>(),
            RegisteredCommand::new::<CreateQuery>(),
            RegisteredCommand::new::<CreateStarRule>(),
            RegisteredCommand::new::<CreateWhiteListItem>(),
            RegisteredCommand::new::<DeleteGroup>(),
            RegisteredCommand::new::<DeleteIoc>(),
            RegisteredCommand::new::<DeleteStarRule>(),
            RegisteredCommand::new::<DisableStarRules>(),
            RegisteredCommand::new::<DisconnectAgent>(),
            RegisteredCommand::new::<DownloadFetchedFile>(),
            RegisteredCommand::new::<EnableStarRules>(),
            RegisteredCommand::new::<ExpireSite>(),
            RegisteredCommand::new::<FetchFile>(),
            RegisteredCommand::new::<FetchThreatFile>(),
            RegisteredCommand::new::<GetAccounts>(),
            RegisteredCommand::new::<GetActivities>(),
            RegisteredCommand::new::<GetAgent>(),
            RegisteredCommand::new::<GetAgentMac>(),
            RegisteredCommand::new::<GetAlerts>(),
            RegisteredCommand::new::<GetBlocklist>(),
            RegisteredCommand::new::<GetDvQueryStatus>(),
            RegisteredCommand::new::<GetEvents>(),
            RegisteredCommand::new::<GetGroups>(),
            RegisteredCommand::new::<GetHash>(),
            RegisteredCommand::new::<GetInstalledApplications>(),
            RegisteredCommand::new::<GetIocs>(),
            RegisteredCommand::new::<GetMappingFields>(),
            RegisteredCommand::new::<GetModifiedRemoteData>(),
            RegisteredCommand::new::<GetPowerQueryResults>(),
            RegisteredCommand::new::<GetProcesses>(),
            RegisteredCommand::new::<GetRemoteData>(),
            RegisteredCommand::new::<GetRemoteScriptTaskResults>(),
            RegisteredCommand::new::<GetRemoteScriptTaskStatus>(),
            RegisteredCommand::new::<GetSite>(),
            RegisteredCommand::new::<GetSites>(),
            RegisteredCommand::new::<GetStarRules>(),
            RegisteredCommand::new::<GetThreatNotes>(),
            RegisteredCommand::new::<GetThreats>(),
            RegisteredCommand::new::<GetWhiteList>(),
            RegisteredCommand::new::<InitiateEndpointScan>(),
            RegisteredCommand::new::<ListAgents>(),
            RegisteredCommand::new::<MarkAsThreat>(),
            RegisteredCommand::new::<MitigateThreat>(),
            RegisteredCommand::new::<MoveAgent>(),
            RegisteredCommand::new::<PingPowerQuery>(),
            RegisteredCommand::new::<ReactivateSite>(),
            RegisteredCommand::new::<RemoteScriptAutomateResults>(),
            RegisteredCommand::new::<RemoveHashFromBlocklist>(),
            RegisteredCommand::new::<RemoveItemFromWhitelist>(),
            RegisteredCommand::new::<ResolveThreat>(),
            RegisteredCommand::new::<RunRemoteScript>(),
            RegisteredCommand::new::<ShutdownAgent>(),
            RegisteredCommand::new::<ThreatSummary>(),
            RegisteredCommand::new::<UninstallAgent>(),
            RegisteredCommand::new::<UpdateAlertsStatus>(),
            RegisteredCommand::new::<UpdateAlertsVerdict>(),
            RegisteredCommand::new::<UpdateRemoteSystem>(),
            RegisteredCommand::new::<UpdateStarRule>(),
            RegisteredCommand::new::<UpdateThreatIncident>(),
            RegisteredCommand::new::<UpdateThreatsStatus>(),
            RegisteredCommand::new::<UpdateThreatsVerdict>(),
            RegisteredCommand::new::<WriteThreatNote>(),
        ]
    }
}

/// Returns the command with this name, with or without the prefix `sentinelone-`.
pub fn find(name: &str) -> Option<&'static RegisteredCommand> {
    registry().iter().find(|entry| entry.info.name == name || entry.info.full_name == name)
}
