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
mod command;
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
mod registered;
mod registry;
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

pub use add_hash_to_blocklist::AddHashToBlocklist;
pub use arguments::{Argument, ArgumentError, ArgumentKind, Arguments, is_possible_id};
pub use broadcast_message::BroadcastMessage;
pub use command::{Command, CommandInfo, Topic};
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
pub use registered::{PreparedCommand, RegisteredCommand};
pub use registry::{find, registry};
pub use remote_script_automate_results::RemoteScriptAutomateResults;
pub use remove_hash_from_blocklist::RemoveHashFromBlocklist;
pub use remove_item_from_whitelist::RemoveItemFromWhitelist;
pub use resolve_threat::ResolveThreat;
pub use run_options::RunOptions;
pub use run_remote_script::RunRemoteScript;
pub use shutdown_agent::ShutdownAgent;
pub use support::context_path::{ContextPath, ContextSource};
pub use support::execution::{NoProgress, PageHandling, ProgressEvent, ProgressObserver};
pub use support::list_entries::ListPage;
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
