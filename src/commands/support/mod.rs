//! Helpers shared by several commands.

mod action_command;
pub(crate) mod agent_uploads;
pub(crate) mod batch_action;
pub(crate) mod batched_lists;
pub(crate) mod blocklist_entry;
pub(crate) mod context_entry;
pub(crate) mod deep_visibility;
pub(crate) mod error_text;
pub(crate) mod execution;
pub(crate) mod ids;
pub(crate) mod list_command;
pub(crate) mod list_entries;
pub(crate) mod list_pages;
pub(crate) mod polling;
pub(crate) mod query_engine;
pub(crate) mod query_event;
pub(crate) mod query_handle;
pub(crate) mod query_run;
pub(crate) mod remote_scripts;
pub(crate) mod requested_ids;
pub(crate) mod saved;
pub(crate) mod single;
pub(crate) mod star_rule_settings;
pub(crate) mod upload_report;
