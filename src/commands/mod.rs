//! The commands of two published integrations, under their names and with their arguments: Cortex
//! XSOAR's "SentinelOne v2" and Swimlane's "Update Threat Incident".
//!
//! A command is a typed struct. It tells the [`requests`](Command::requests) it would send without
//! sending anything, [runs](Command::run) on a client, and answers under the context paths that the
//! integration documents. [`registry`] lists them all for those who have names and texts, as a command
//! line or a SOAR platform does.
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
//! Where the published integration sends what the vendor's document does not know, these send what it
//! does: lists joined by commas, times in UTC, every identifier in one request, and an error before
//! anything is sent for an argument that cannot reach the API.

mod act;
mod agents;
mod arguments;
mod blocklist_entry;
mod context;
mod lists;
mod outcome;
mod read;
mod saved;
mod scripts;
mod single;
mod sites_context;
mod telemetry;
mod uploads;
mod wait;

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
mod star_rule_settings;
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
use std::future::Future;
use std::pin::Pin;

use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::Value;

use crate::Result;
use crate::client::Client;

pub use add_hash_to_blocklist::AddHashToBlocklist;
pub use arguments::{Argument, ArgumentError, ArgumentKind, Arguments};
pub use broadcast_message::BroadcastMessage;
pub use connect_agent::ConnectAgent;
pub use context::{Output, Source};
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
pub use outcome::Outcome;
pub use ping_power_query::PingPowerQuery;
pub use reactivate_site::ReactivateSite;
pub use remote_script_automate_results::RemoteScriptAutomateResults;
pub use remove_hash_from_blocklist::RemoveHashFromBlocklist;
pub use remove_item_from_whitelist::RemoveItemFromWhitelist;
pub use resolve_threat::ResolveThreat;
pub use run_remote_script::RunRemoteScript;
pub use shutdown_agent::ShutdownAgent;
pub use star_rule_settings::StarRuleSettings;
pub use threat_summary::ThreatSummary;
pub use uninstall_agent::UninstallAgent;
pub use update_alerts_status::UpdateAlertsStatus;
pub use update_alerts_verdict::UpdateAlertsVerdict;
pub use update_remote_system::UpdateRemoteSystem;
pub use update_star_rule::UpdateStarRule;
pub use update_threat_incident::UpdateThreatIncident;
pub use update_threats_status::UpdateThreatsStatus;
pub use update_threats_verdict::UpdateThreatsVerdict;
pub use wait::{Event, Silent, Taken, Watch};
pub use write_threat_note::WriteThreatNote;

/// What is known about a command without its arguments.
#[derive(Debug)]
#[non_exhaustive]
pub struct Info {
    /// Name without the prefix, such as `get-threats`.
    pub name: &'static str,
    /// Name in the published integration, such as `sentinelone-get-threats`.
    pub full_name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// API versions that have it.
    pub versions: &'static [ApiVersion],
    /// Whether it changes anything.
    pub acts: bool,
    /// Whether it interrupts, removes or isolates something, or cannot be taken back.
    pub destructive: bool,
    /// Whether a person is asked first: what is destructive, what runs or stops something on many endpoints,
    /// and what opens or closes gaps in the protection.
    pub asks: bool,
    /// Identifiers of the operations that it may send, on any version.
    pub operations: &'static [&'static str],
}

/// A command: arguments in, requests and context out.
pub trait Command: Debug + Send + Sync + Sized + 'static {
    /// What is known about it.
    const INFO: Info;

    /// Its context paths.
    const OUTPUTS: &'static [Output];

    /// Its arguments.
    fn arguments() -> Vec<Argument>;

    /// Reads it from named texts.
    ///
    /// # Errors
    /// When an argument is missing, or its text does not fit.
    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError>;

    /// The requests that it sends, in order; of a list the first page.
    ///
    /// # Errors
    /// When an argument cannot reach the API on this version, or is outside what the API takes.
    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>>;

    /// Runs it.
    ///
    /// # Errors
    /// Those of [`requests`](Self::requests), before anything is sent, and those of
    /// [`Client::send`]. Once part of an action is done, what failed after that is in
    /// [`Outcome::failure`].
    fn run(&self, client: &Client) -> impl Future<Output = Result<Outcome>> + Send;

    /// Runs it, telling what happens on the way: commands that wait, and those that download.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    fn run_watched(
        &self,
        client: &Client,
        watch: &dyn Watch,
    ) -> impl Future<Output = Result<Outcome>> + Send {
        let _ = watch;
        self.run(client)
    }
}

/// A command whose type is known at run time only; from [`Entry::prepare`].
#[derive(Debug)]
pub struct Prepared(Box<dyn Erased>);

impl Prepared {
    /// As [`Command::INFO`].
    pub fn info(&self) -> &'static Info {
        self.0.info()
    }

    /// As [`Command::requests`].
    ///
    /// # Errors
    /// As there; also when the version does not have the command, or a request must not be sent.
    pub fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        self.0.requests(version)
    }

    /// As [`Command::run`].
    ///
    /// # Errors
    /// As there; also when the version does not have the command.
    pub async fn run(&self, client: &Client) -> Result<Outcome> {
        self.0.run(client, &Silent).await
    }

    /// As [`Command::run_watched`].
    ///
    /// # Errors
    /// As there; also when the version does not have the command.
    pub async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        self.0.run(client, watch).await
    }
}

trait Erased: Debug + Send + Sync {
    fn info(&self) -> &'static Info;

    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>>;

    fn run<'a>(&'a self, client: &'a Client, watch: &'a dyn Watch) -> Running<'a>;
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Outcome>> + Send + 'a>>;

impl<C: Command> Erased for C {
    fn info(&self) -> &'static Info {
        const { &C::INFO }
    }

    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        on_version::<C>(version)?;
        let requests = Command::requests(self, version)?;
        requests.iter().try_for_each(Request::check)?;
        // A command takes what it can tell to be right: a misspelt value is answered with an empty list.
        if let Some((field, value)) = requests.iter().flat_map(Request::unknown_values).next() {
            let known = requests.iter().find_map(|request| known_values(request, &field)).unwrap_or_default();
            let message = format!("{field} cannot be {value:?}; give one of {}", known.join(", "));
            return Err(ArgumentError::of_command(C::INFO.name, message).choosing(&value, known).into());
        }
        Ok(requests)
    }

    fn run<'a>(&'a self, client: &'a Client, watch: &'a dyn Watch) -> Running<'a> {
        Box::pin(async move {
            Erased::requests(self, client.api_version())?;
            Command::run_watched(self, client, watch).await
        })
    }
}

/// The values of a field, named with the part of the body in front.
fn known_values(request: &Request<Value>, field: &str) -> Option<&'static [&'static str]> {
    let operation = request.operation();
    let parts = operation.body.iter().flat_map(|part| part.fields.iter().map(move |one| (part.name, one)));
    let all = operation.query_fields().map(|one| ("", one)).chain(parts);
    let mut found = all.filter(|(part, one)| match part.is_empty() {
        true => one.name == field,
        false => field.strip_prefix(part).and_then(|rest| rest.strip_prefix('.')) == Some(one.name),
    });
    found.find(|(_, one)| !one.known.is_empty()).map(|(_, one)| one.known)
}

fn on_version<C: Command>(version: ApiVersion) -> Result<(), ArgumentError> {
    if C::INFO.versions.contains(&version) {
        return Ok(());
    }
    let versions: Vec<_> = C::INFO.versions.iter().map(|version| version.as_str()).collect();
    let message = format!("is not on API {version}, only on {}", versions.join(" and "));
    Err(ArgumentError::of_command(C::INFO.name, message))
}

/// An entry of the [`registry`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// What is known about the command.
    pub info: &'static Info,
    /// Its context paths.
    pub outputs: &'static [Output],
    /// Its arguments.
    pub arguments: fn() -> Vec<Argument>,
    read: fn(&mut Arguments) -> Result<Prepared, ArgumentError>,
}

impl Entry {
    const fn of<C: Command>() -> Self {
        Self {
            info: const { &C::INFO },
            outputs: C::OUTPUTS,
            arguments: C::arguments,
            read: |arguments| Ok(Prepared(Box::new(C::read(arguments)?))),
        }
    }

    /// Reads the command from named texts.
    ///
    /// # Errors
    /// When an argument is unknown or missing, or its text does not fit.
    pub fn prepare(&self, arguments: Arguments) -> Result<Prepared, ArgumentError> {
        let mut arguments = arguments.of_command(self.info.name);
        arguments.check_names(&(self.arguments)())?;
        (self.read)(&mut arguments)
    }
}

/// All commands, in alphabetical order.
pub const fn registry() -> &'static [Entry] {
    const {
        &[
            Entry::of::<AddHashToBlocklist>(),
            Entry::of::<BroadcastMessage>(),
            Entry::of::<ConnectAgent>(),
            Entry::of::<CreateIoc>(),
            Entry::of::<CreatePowerQuery>(),
            Entry::of::<CreateQuery>(),
            Entry::of::<CreateStarRule>(),
            Entry::of::<CreateWhiteListItem>(),
            Entry::of::<DeleteGroup>(),
            Entry::of::<DeleteIoc>(),
            Entry::of::<DeleteStarRule>(),
            Entry::of::<DisableStarRules>(),
            Entry::of::<DisconnectAgent>(),
            Entry::of::<DownloadFetchedFile>(),
            Entry::of::<EnableStarRules>(),
            Entry::of::<ExpireSite>(),
            Entry::of::<FetchFile>(),
            Entry::of::<FetchThreatFile>(),
            Entry::of::<GetAccounts>(),
            Entry::of::<GetActivities>(),
            Entry::of::<GetAgent>(),
            Entry::of::<GetAgentMac>(),
            Entry::of::<GetAlerts>(),
            Entry::of::<GetBlocklist>(),
            Entry::of::<GetDvQueryStatus>(),
            Entry::of::<GetEvents>(),
            Entry::of::<GetGroups>(),
            Entry::of::<GetHash>(),
            Entry::of::<GetInstalledApplications>(),
            Entry::of::<GetIocs>(),
            Entry::of::<GetMappingFields>(),
            Entry::of::<GetModifiedRemoteData>(),
            Entry::of::<GetPowerQueryResults>(),
            Entry::of::<GetProcesses>(),
            Entry::of::<GetRemoteData>(),
            Entry::of::<GetRemoteScriptTaskResults>(),
            Entry::of::<GetRemoteScriptTaskStatus>(),
            Entry::of::<GetSite>(),
            Entry::of::<GetSites>(),
            Entry::of::<GetStarRules>(),
            Entry::of::<GetThreatNotes>(),
            Entry::of::<GetThreats>(),
            Entry::of::<GetWhiteList>(),
            Entry::of::<InitiateEndpointScan>(),
            Entry::of::<ListAgents>(),
            Entry::of::<MarkAsThreat>(),
            Entry::of::<MitigateThreat>(),
            Entry::of::<MoveAgent>(),
            Entry::of::<PingPowerQuery>(),
            Entry::of::<ReactivateSite>(),
            Entry::of::<RemoteScriptAutomateResults>(),
            Entry::of::<RemoveHashFromBlocklist>(),
            Entry::of::<RemoveItemFromWhitelist>(),
            Entry::of::<ResolveThreat>(),
            Entry::of::<RunRemoteScript>(),
            Entry::of::<ShutdownAgent>(),
            Entry::of::<ThreatSummary>(),
            Entry::of::<UninstallAgent>(),
            Entry::of::<UpdateAlertsStatus>(),
            Entry::of::<UpdateAlertsVerdict>(),
            Entry::of::<UpdateRemoteSystem>(),
            Entry::of::<UpdateStarRule>(),
            Entry::of::<UpdateThreatIncident>(),
            Entry::of::<UpdateThreatsStatus>(),
            Entry::of::<UpdateThreatsVerdict>(),
            Entry::of::<WriteThreatNote>(),
        ]
    }
}

/// The command of this name, with or without the prefix `sentinelone-`.
pub fn find(name: &str) -> Option<&'static Entry> {
    registry().iter().find(|entry| entry.info.name == name || entry.info.full_name == name)
}
