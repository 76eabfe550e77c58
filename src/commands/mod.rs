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
//! let command = UpdateThreatsStatus::new(IncidentStatus::Resolved, ["1234567890123456789"]);
//! let requests = command.requests(ApiVersion::V2_1)?;
//! assert_eq!(requests[0].path(ApiVersion::V2_1)?, "/web/api/v2.1/threats/incident");
//! # Ok::<(), sentinelone::Error>(())
//! ```
//!
//! If the published integration deviates from SentinelOne's API document, the requests follow the document: lists are
//! joined by commas, times are in UTC, and all IDs are in one request if the API accepts their number. An argument that the API version does not have
//! is an error before any request is sent.

mod add_hash_to_blocklist;
mod agent_actions;
mod argument_error;
mod command;
mod create_ioc;
mod create_power_query;
mod create_query;
mod create_star_rule;
mod create_white_list_item;
mod delete_group;
mod download_fetched_file;
mod endpoints;
mod fetch_file;
mod fetch_threat_file;
mod get_accounts;
mod get_activities;
mod get_alerts;
mod get_blocklist;
mod get_dv_query_status;
mod get_events;
mod get_hash;
mod get_mapping_fields;
mod get_modified_remote_data;
mod get_power_query_results;
mod get_processes;
mod get_remote_data;
mod get_remote_script_task_results;
mod get_remote_script_task_status;
mod get_star_rules;
mod get_threat_notes;
mod get_threats;
mod list_agents;
mod outcome;
mod ping_power_query;
mod registered;
mod registry;
mod remote_script_automate_results;
mod remove_hash_from_blocklist;
mod remove_item_from_whitelist;
mod run_options;
mod run_remote_script;
mod sites;
mod support;
mod threat_summary;
mod update_remote_system;
mod update_star_rule;
mod update_threat_incident;

pub use command::Command;
pub use outcome::{NotFound, Outcome};
pub use registered::{PreparedCommand, RegisteredCommand};
pub use registry::{find, registry};
pub use run_options::RunOptions;
pub use sentinelone_raw::commands::*;
pub use sentinelone_raw::runtime::commands::{
    Argument, ArgumentError, ArgumentKind, Arguments, CommandDeclaration, CommandInfo, ContextPath,
    ContextSource, ResultValue, Topic, is_possible_id,
};
pub use support::execution::{NoProgress, PageHandling, ProgressEvent, ProgressObserver};
pub use support::list_entries::ListPage;
