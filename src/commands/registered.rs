//! Commands by name: entries of the registry, and commands with parsed arguments.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use sentinelone_raw::runtime::{ApiVersion, Operation, Request};
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use super::command::{Behavior, Run, checked_requests};
use super::outcome::Outcome;
use super::run_options::RunOptions;
use super::support::batch_action::with_batch_size;
use super::support::execution::{Requests, relay};
use super::{Argument, ArgumentError, Arguments, CommandInfo, ContextPath};
use crate::Result;
use crate::client::Client;
use crate::json_repair::RepairLog;
use crate::parallel::{is_parallel, refusal};

/// A command with parsed arguments, created by [`RegisteredCommand::prepare`].
#[derive(Debug)]
pub struct PreparedCommand {
    command: Box<dyn DynCommand>,
    /// The last checked requests with their API version, until they are sent.
    checked: Mutex<Option<(ApiVersion, Requests)>>,
}

impl PreparedCommand {
    /// Returns [`CommandDeclaration::INFO`](super::CommandDeclaration::INFO).
    pub fn info(&self) -> &'static CommandInfo {
        self.command.info()
    }

    /// Returns the requests, like [`Command::requests`](super::Command::requests).
    ///
    /// # Errors
    /// Returns the errors of [`Command::requests`](super::Command::requests), and an error if the API version does not support the command or a
    /// request is invalid.
    pub fn requests(&self, version: ApiVersion) -> Result<Vec<Request<Value>>> {
        let requests = self.take_requests(version)?;
        self.keep_requests(version, requests.clone());
        Ok(requests)
    }

    /// Returns the checked requests, which are built unless they are stored.
    fn take_requests(&self, version: ApiVersion) -> Result<Requests> {
        let stored = self.checked.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stored = stored.filter(|(of_version, _)| *of_version == version);
        stored.map_or_else(|| self.command.requests(version), |(_, requests)| Ok(requests))
    }

    fn keep_requests(&self, version: ApiVersion, requests: Requests) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, requests));
    }

    /// Runs the command, like [`Command::run`](super::Command::run).
    ///
    /// # Errors
    /// Returns the errors of [`Command::run`](super::Command::run) and of [`requests`](Self::requests).
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
        let requests = self.take_requests(client.api_version())?;
        self.command.run(client, requests, options).await
    }

    /// Checks that the list of the command can be read with [`RunOptions::concurrency`].
    ///
    /// # Errors
    /// Returns an error with the reason if the command reads no list, its list
    /// [cannot be read in parts](crate::Pages::concurrency), or its limit fits in one page.
    pub fn check_concurrency(&self, version: ApiVersion) -> Result<()> {
        let requests = self.take_requests(version)?;
        let refusal = match requests.as_slice() {
            requests if requests.is_empty() || !self.command.has_limit() => {
                Some("it reads no list".to_owned())
            }
            requests => requests.iter().find_map(|request| refusal(request).or_else(|| short_list(request))),
        };
        self.keep_requests(version, requests);
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
        with_batch_size(self.requests(version)?, options.batch_size)
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

    fn requests(&self, version: ApiVersion) -> Result<Requests>;

    /// Returns whether the command reads a list up to a limit.
    fn has_limit(&self) -> bool;

    /// Executes the command with its checked requests.
    fn run<'a>(
        &'a self,
        client: &'a Client,
        requests: Requests,
        options: &'a RunOptions<'a>,
    ) -> RunFuture<'a>;
}

type RunFuture<'a> = Pin<Box<dyn Future<Output = Result<Outcome>> + Send + 'a>>;

impl<C: Behavior> DynCommand for C {
    fn info(&self) -> &'static CommandInfo {
        const { &C::INFO }
    }

    fn requests(&self, version: ApiVersion) -> Result<Requests> {
        let requests = checked_requests(self, version)?;
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

    fn run<'a>(
        &'a self,
        client: &'a Client,
        requests: Requests,
        options: &'a RunOptions<'a>,
    ) -> RunFuture<'a> {
        Box::pin(async move {
            if options.journal.is_some() && C::INFO.batch_argument.is_none() {
                let message = "sends no batches of IDs, and cannot use a journal";
                return Err(ArgumentError::for_command(C::INFO.name, message).into());
            }
            // A command can send requests that are not part of its outcome, such as a read before an update.
            let log = RepairLog::default();
            let (events, received) = unbounded_channel();
            let client = client
                .with_repair_log(&log)
                .with_batch_settings(options.batch_settings(events))
                .with_list_concurrency(options.concurrency);
            let run = self.execute(Run { client: &client, requests, observer: options.observer });
            let mut outcome = relay(run, received, options.observer).await?;
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

/// An entry of the [`registry`](super::registry()).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RegisteredCommand {
    /// Static information.
    pub info: &'static CommandInfo,
    /// Context paths.
    pub outputs: &'static [ContextPath],
    /// Arguments.
    pub arguments: fn() -> Vec<Argument>,
    parse: fn(Arguments) -> Result<PreparedCommand, ArgumentError>,
}

impl RegisteredCommand {
    pub(super) const fn new<C: Behavior>() -> Self {
        Self {
            info: const { &C::INFO },
            outputs: C::OUTPUTS,
            arguments: C::arguments,
            parse: |arguments| {
                let command = Box::new(C::parse(arguments)?);
                Ok(PreparedCommand { command, checked: Mutex::default() })
            },
        }
    }

    /// Returns the operations that the command can send, on any API version.
    pub fn operations(&self) -> impl Iterator<Item = &'static Operation> + use<> {
        let ids = self.info.operations;
        sentinelone_raw::OPERATIONS.iter().copied().filter(move |operation| ids.contains(&operation.id))
    }

    /// Returns whether the command reads a list that [`RunOptions::concurrency`] can apply to, on any API version.
    pub fn supports_concurrency(&self) -> bool {
        if !has_limit(&(self.arguments)()) {
            return false;
        }
        let mut arguments = Arguments::new();
        arguments.set("limit", "all");
        match self.prepare(arguments) {
            // Some commands sort their list by another field.
            Ok(command) => {
                let mut versions = self.info.versions.iter();
                versions.any(|version| command.check_concurrency(*version).is_ok())
            }
            // An argument is required.
            Err(_) => self.operations().any(is_parallel),
        }
    }

    /// Returns the argument whose IDs go out in batches; `None` if the command has none. Such a command can use a
    /// [`journal`](RunOptions::journal).
    pub fn batch_argument(&self) -> Option<&'static str> {
        self.info.batch_argument
    }

    /// Returns the JSON Schema of the arguments, which [`Arguments::from_json`] reads.
    pub fn arguments_schema(&self) -> Value {
        self.info.arguments_schema(&(self.arguments)())
    }

    /// Parses the arguments of the command.
    ///
    /// # Errors
    /// Returns an error if an argument is unknown, missing or invalid.
    pub fn prepare(&self, arguments: Arguments) -> Result<PreparedCommand, ArgumentError> {
        (self.parse)(arguments)
    }
}
