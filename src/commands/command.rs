//! The trait of commands, and static information about a command.

use std::fmt::Debug;

use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::Value;

use super::arguments::{Argument, ArgumentError, Arguments};
use super::outcome::Outcome;
use super::support::context_path::ContextPath;
use super::support::execution::{NoProgress, ProgressObserver};
use crate::Result;
use crate::client::Client;

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

    /// Sends `requests`, which are those of [`requests`](Self::requests) for the API version of the client, and reads
    /// what the outcome needs. Commands that poll, download or read pages report events to `observer`.
    ///
    /// # Errors
    /// Returns the errors of [`Client::send`]. An error after the first request of an action, or after the first page,
    /// becomes [`Outcome::failure`].
    fn execute(
        &self,
        client: &Client,
        requests: Vec<Request<Value>>,
        observer: &dyn ProgressObserver,
    ) -> impl Future<Output = Result<Outcome>> + Send;

    /// Runs the command.
    ///
    /// # Errors
    /// Returns the errors of [`requests`](Self::requests), before any request is sent, and those of
    /// [`Client::send`]. An error after the first request of an action, or after the first page, becomes
    /// [`Outcome::failure`].
    fn run(&self, client: &Client) -> impl Future<Output = Result<Outcome>> + Send {
        self.run_with_progress(client, &NoProgress)
    }

    /// Runs the command and reports progress. Commands that poll, download or read pages report events.
    ///
    /// # Errors
    /// Returns the errors of [`run`](Self::run).
    fn run_with_progress(
        &self,
        client: &Client,
        observer: &dyn ProgressObserver,
    ) -> impl Future<Output = Result<Outcome>> + Send {
        async move { self.execute(client, self.requests(client.api_version())?, observer).await }
    }
}
