//! The trait of commands.

use std::fmt::Debug;

use sentinelone_raw::runtime::commands::{ArgumentError, CommandDeclaration};
use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::Value;

use super::outcome::Outcome;
use super::support::execution::{NoProgress, ProgressObserver, Requests};
use crate::Result;
use crate::client::Client;

/// A command with typed arguments. Other crates cannot implement it.
pub trait Command: Behavior {
    /// Returns the requests in the order of sending. A list has the request of its first page.
    ///
    /// # Errors
    /// Returns an error if the API version does not support the command or an argument, or the API does not accept a
    /// value.
    fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        checked_requests(self, version)
    }

    /// Runs the command. Commands that poll, download or read pages report events to `observer`;
    /// [`NoProgress`](super::NoProgress) ignores them.
    ///
    /// # Errors
    /// Returns the errors of [`requests`](Self::requests), before any request is sent, and those of [`Client::send`]. An
    /// error after the first request of an action, or after the first page, becomes [`Outcome::failure`].
    fn run(
        &self,
        client: &Client,
        observer: &dyn ProgressObserver,
    ) -> impl Future<Output = Result<Outcome>> + Send {
        async move {
            let requests = checked_requests(self, client.api_version())?;
            self.execute(Run { client, requests, observer }).await
        }
    }
}

impl<C: Behavior> Command for C {}

/// What a command does, in addition to its declaration.
pub trait Behavior: CommandDeclaration + Debug + Send + Sync + 'static {
    /// Builds the requests. The arguments are checked.
    fn build_requests(&self, version: ApiVersion) -> Result<Requests>;

    /// Sends the requests, which are those of [`build_requests`](Self::build_requests) for the API version of the client,
    /// and reads what the outcome needs.
    fn execute(&self, run: Run<'_>) -> impl Future<Output = Result<Outcome>> + Send;
}

/// A run of a command.
pub struct Run<'a> {
    pub(super) client: &'a Client,
    pub(super) requests: Requests,
    pub(super) observer: &'a dyn ProgressObserver,
}

impl Run<'_> {
    /// Returns the run without its observer, for a list whose items the command uses.
    pub(super) fn without_observer(self) -> Self {
        Self { observer: &NoProgress, ..self }
    }
}

/// Checks the arguments of a command and builds its requests.
pub(super) fn checked_requests<C: Behavior>(command: &C, version: ApiVersion) -> Result<Requests> {
    check_version::<C>(version)?;
    command.check()?;
    let requests = command.build_requests(version)?;
    requests.iter().try_for_each(Request::validate)?;
    Ok(requests)
}

fn check_version<C: Behavior>(version: ApiVersion) -> Result<(), ArgumentError> {
    if C::INFO.versions.contains(&version) {
        return Ok(());
    }
    let versions: Vec<_> = C::INFO.versions.iter().map(|version| version.as_str()).collect();
    let message = format!("is not available on API {version}, only on {}", versions.join(" and "));
    Err(ArgumentError::for_command(C::INFO.name, message))
}
