//! Runs a command line and returns its exit code.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::ArgMatches;
use sentinelone::batch::Journal;
use sentinelone::commands::{
    ArgumentError, Arguments, Outcome, PreparedCommand, RegisteredCommand, find, registry,
};
use sentinelone::raw::users::ELEVATE_SESSION;
use sentinelone::{
    Client, Error, ErrorKind, FilterRequirement, IdState, OperationKind, Request, RequestError, Timestamp,
    TokenError, replace_control_chars,
};
use sentinelone_sandbox::Sandbox;
use serde_json::Value;

use crate::columns::{check_columns, writes_files};
use crate::list_values::ListReader;
use crate::progress::Terminal;
use crate::session::{self, Connection, Session};
use crate::stream::ListWriter;
use crate::suggest::did_you_mean;
use crate::{batches, completions, contract, help, incidents, log, login, output, record};

pub(crate) const DONE: u8 = 0;
pub(crate) const FAILED: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const PARTIAL: u8 = 3;

/// Error of a command.
#[derive(Debug)]
pub(crate) enum CliError {
    Usage(String),
    Interrupted(String),
    /// Interrupted after a part of the result was written.
    Partial(String),
    Client(Error),
    Io(io::Error),
}

impl CliError {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Client(error) => match error.kind() {
                ErrorKind::Configuration | ErrorKind::InvalidRequest | ErrorKind::Journal => USAGE,
                _ => FAILED,
            },
            Self::Partial(_) => PARTIAL,
            Self::Io(_) | Self::Interrupted(_) => FAILED,
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Interrupted(message) | Self::Partial(message) => write!(f, "interrupted; {message}"),
            Self::Client(error) => f.write_str(&format_error(error)),
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// Splits the message of an error into the fact and the remedy.
pub(crate) fn split_help(error: &Error) -> (String, Option<String>) {
    let text = error.to_string();
    let help = replace_control_chars(&error.help());
    // The message ends with the help, and may continue with the option that resumes a job.
    match text.split_once(&format!("; {help}")) {
        Some((fact, rest)) if !help.is_empty() => (fact.to_owned(), Some(format!("{help}{rest}"))),
        _ => (text, None),
    }
}

/// Formats an error in lines: the fact, the sources, the remedy, and the nearest expected value.
pub(crate) fn format_error(error: &Error) -> String {
    let (mut text, help) = split_help(error);
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!("\n  caused by: {cause}"));
        source = cause.source();
    }
    if let Some(help) = help {
        text.push_str(&format!("\n  help: {help}"));
    }
    if let Some((value, expected)) = error.argument_error().and_then(ArgumentError::expected_values) {
        text.push_str(&did_you_mean(value, expected.iter().map(String::as_str)));
    }
    text
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl From<ArgumentError> for CliError {
    fn from(error: ArgumentError) -> Self {
        Self::Client(error.into())
    }
}

impl From<RequestError> for CliError {
    fn from(error: RequestError) -> Self {
        Self::Client(error.into())
    }
}

impl From<TokenError> for CliError {
    fn from(error: TokenError) -> Self {
        Self::Client(error.into())
    }
}

pub(crate) fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map(String::as_str).unwrap_or_default()
}

pub(crate) async fn run(matches: &ArgMatches) -> Result<u8, CliError> {
    let Some((name, matches)) = matches.subcommand() else { return Ok(USAGE) };
    let format = text(matches, "output");
    let columns = columns(name, matches)?;
    check_dry_run(name, matches)?;
    log::init(session::log_level(matches));
    match name {
        "contract" => contract::run(matches).await,
        "sandbox" => run_sandbox(matches).await,
        "token" => print_token(matches, format).await,
        "fetch-incidents" => incidents::fetch_incidents(matches).await,
        "test-connection" => incidents::test_connection(matches).await,
        "login" => login::login(matches).await,
        "logout" => login::logout(matches),
        "profiles" => login::profiles(matches),
        "completions" => completions::completions(matches),
        "man" => completions::man(matches),
        "help" => help::run(matches),
        "commands" => {
            output::write(&output::commands(registry(), format))?;
            Ok(DONE)
        }
        name => {
            let entry = find(name).ok_or_else(|| CliError::Usage(format!("unknown command {name}")))?;
            run_command(entry, matches, &columns).await
        }
    }
}

/// Returns a usage error for `--dry-run` with a command that does not support it.
fn check_dry_run(name: &str, matches: &ArgMatches) -> Result<(), CliError> {
    let is_supported = match name {
        "contract" => matches.subcommand_name() == Some("probe"),
        // These commands check their options themselves.
        "login" | "logout" | "profiles" => true,
        name => find(name).is_some(),
    };
    if is_supported || !matches.get_flag("dry-run") {
        return Ok(());
    }
    Err(CliError::Usage(format!("--dry-run is not supported by {name}")))
}

/// Runs a sandbox until it is interrupted.
async fn run_sandbox(matches: &ArgMatches) -> Result<u8, CliError> {
    let port = matches.get_one::<u16>("port").copied().unwrap_or_default();
    let sandbox =
        session::sandbox_settings()?.port(port).start().await.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen on port {port}: {error}"))
        })?;
    output::write(&format!(
        "# Sandbox console with example data. Changes are lost when this process ends.\n\
         export S1_CONSOLE_URL={}\nexport S1_API_TOKEN={}\n",
        sandbox.url(),
        Sandbox::TOKEN
    ))?;
    let seconds = matches.get_one::<u64>("inject-interval").copied().filter(|seconds| *seconds > 0);
    let interval = seconds.map(Duration::from_secs);
    let inject = async {
        let Some(interval) = interval else { return std::future::pending().await };
        loop {
            tokio::time::sleep(interval).await;
            session::inject_incidents(&sandbox);
        }
    };
    tokio::select! {
        signal = shutdown_signal() => signal?,
        () = inject => {}
    }
    sandbox.stop().await;
    Ok(DONE)
}

/// Returns the selected columns of an integration command.
fn columns(name: &str, matches: &ArgMatches) -> Result<Vec<String>, CliError> {
    let entry = find(name);
    // The argument `columns` of an integration command has its own meaning.
    if entry.is_some_and(|entry| (entry.arguments)().iter().any(|argument| argument.name == "columns")) {
        return Ok(Vec::new());
    }
    let Ok(Some(names)) = matches.try_get_many::<String>("columns") else { return Ok(Vec::new()) };
    let names: Vec<String> =
        names.flat_map(|names| names.split(',')).map(|name| name.trim().to_owned()).collect();
    let usage = |message: &str| Err(CliError::Usage(format!("--columns {message}")));
    match () {
        () if entry.is_none() => usage(&format!("is not supported by {name}")),
        () if text(matches, "output") != "table" => usage("requires --output table"),
        () if names.iter().any(String::is_empty) => usage("has an empty name; remove the extra comma"),
        () => Ok(names),
    }
}

async fn run_command(
    entry: &RegisteredCommand,
    matches: &ArgMatches,
    columns: &[String],
) -> Result<u8, CliError> {
    let connection = Connection::select(matches)?;
    let version = connection.version;
    let mut lists = ListReader::default();
    let command = entry.prepare(arguments(entry, matches, &mut lists)?)?;
    check_columns(entry, columns)?;
    // Invalid arguments are reported before a request is sent and before the prompt.
    let requests = command.requests_with(version, &batches::options(entry, matches))?;
    let concurrency =
        matches.get_one::<u8>("parallel").and_then(|number| NonZeroUsize::new((*number).into()));
    if concurrency > NonZeroUsize::new(1) {
        command.check_concurrency(version)?;
    }
    if matches.get_flag("dry-run") {
        record::reject_record(matches)?;
        output::write(&output::requests(&requests, version)?)?;
        return Ok(DONE);
    }

    let session = Session::with_connection(matches, &connection).await?;
    let stdin_option = lists.stdin_option();
    let call =
        CommandCall { entry, command: &command, requests: &requests, concurrency, columns, stdin_option };
    let result = execute(&call, matches, &session).await;
    session.close(result).await
}

/// A prepared command with its requests.
#[derive(Clone, Copy)]
struct CommandCall<'a> {
    entry: &'a RegisteredCommand,
    command: &'a PreparedCommand,
    requests: &'a [Request<Value>],
    concurrency: Option<NonZeroUsize>,
    columns: &'a [String],
    /// Option for which stdin was read.
    stdin_option: Option<&'a str>,
}

/// Runs a command, after the prompt if one is required, and prints the outcome.
async fn execute(call: &CommandCall<'_>, matches: &ArgMatches, session: &Session) -> Result<u8, CliError> {
    let CommandCall { entry, command, requests, concurrency, columns, stdin_option } = *call;
    let format = text(matches, "output");
    let journal = batches::journal(entry, matches)?;
    let everything = entry.info.is_action
        && requests.iter().any(|request| !request.has_selective_filter() && has_filter(request));
    if (entry.info.requires_confirmation || everything) && !session.is_embedded() && !matches.get_flag("yes")
    {
        if let Some(option) = stdin_option {
            let message = format!(
                "{} requires a confirmation, and stdin was read for {option}; pass --yes",
                command.info().name
            );
            return Err(CliError::Usage(message));
        }
        confirm(command, requests, &session.client, journal.as_ref()).await?;
    }
    let mut terminal = Terminal::new();
    if !entry.info.is_action {
        terminal = terminal.writing(ListWriter::new(entry, format, columns));
    }
    let label = format!("{}: waiting for {}", command.info().name, session.client.console_url());
    let mut options = batches::options(entry, matches);
    (options.journal, options.observer, options.concurrency) = (journal, &terminal, concurrency);
    let run = terminal.during(&label, command.run_with(&session.client, &options));
    let outcome = if options.journal.is_some() || entry.batch_argument().is_some() && requests.len() > 1 {
        batches::wait(run, &options, &terminal).await?
    } else {
        tokio::select! {
            outcome = run => Some(outcome),
            signal = shutdown_signal() => signal.map(|()| None)?,
        }
    };
    terminal.clear();
    let outcome = match outcome {
        Some(Ok(outcome)) => outcome,
        Some(Err(error)) => {
            // The error of the command is reported, also if its output cannot be written.
            let _ = terminal.interrupt_list();
            return Err(error.into());
        }
        None => {
            terminal.interrupt_list()?;
            return Err(interrupted(entry, &terminal));
        }
    };
    if !terminal.end_list(&outcome)? {
        output::write(&output::outcome(command, &outcome, format, columns)?)?;
    }
    if format == "context" {
        report_details(&outcome);
    }
    let code = code(command, &outcome, terminal.has_written());
    batches::report_remaining(&options, &outcome);
    Ok(code)
}

/// Returns the error of a command that was interrupted before its end.
fn interrupted(entry: &RegisteredCommand, terminal: &Terminal) -> CliError {
    if terminal.has_written() {
        return CliError::Partial("the list is incomplete".to_owned());
    }
    let effect = match terminal.resume() {
        Some((option, value)) => format!("the job continues; resume it with --{option} {value}"),
        None if entry.info.is_action => "the request may have taken effect".to_owned(),
        None if writes_files(entry) => "files may have been written; the console was not changed".to_owned(),
        None => "the console was not changed".to_owned(),
    };
    CliError::Interrupted(effect)
}

/// Prints the creation and expiry time of the token, and warns before it expires.
async fn print_token(matches: &ArgMatches, format: &str) -> Result<u8, CliError> {
    let session = Session::open(matches).await?;
    let terminal = Terminal::new();
    let details = terminal.during("token: waiting for the console", session.client.token_details()).await;
    terminal.clear();
    let result = details.map_err(CliError::from).and_then(|details| {
        let now = Timestamp::now();
        // Otherwise the log has the warning.
        if let Some(warning) = details.expiry_warning(&now).filter(|_| session::is_quiet(matches)) {
            output::report(format_args!("warning: {warning}"));
        }
        output::write(&output::token(&details, &now, format))?;
        Ok(DONE)
    });
    session.close(result).await
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
#[cfg(unix)]
pub(crate) async fn shutdown_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn shutdown_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Returns whether a request requires a filter. A request for one item in its path has none.
fn has_filter(request: &Request<Value>) -> bool {
    request.operation().filter == FilterRequirement::Required
}

fn arguments(
    entry: &RegisteredCommand,
    matches: &ArgMatches,
    lists: &mut ListReader,
) -> Result<Arguments, CliError> {
    let mut arguments = Arguments::new();
    for argument in (entry.arguments)() {
        // An argument that shares its option with another has the name of that one.
        let Ok(Some(values)) = matches.try_get_many::<String>(argument.name) else { continue };
        // A list can be one option or several.
        for value in values {
            arguments.add(argument.name, lists.read(&argument, value)?);
        }
    }
    if matches.try_get_one::<bool>("all").is_ok_and(|all| all == Some(&true)) {
        arguments.set("limit", "all");
    }
    Ok(arguments)
}

/// Prompts at the terminal, with the number of selected items, or of those without an outcome in the journal. Only `y`
/// and `yes` confirm.
async fn confirm(
    command: &PreparedCommand,
    requests: &[Request<Value>],
    client: &Client,
    journal: Option<&Journal>,
) -> Result<(), CliError> {
    let name = command.info().name;
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let message = format!("{name} requires a confirmation; without a terminal, pass --yes");
        return Err(CliError::Usage(message));
    }
    // Elevating the session prepares the action and affects no item.
    let is_action = |one: &&Request<Value>| {
        one.operation().kind == OperationKind::Action && one.operation().id != ELEVATE_SESSION.id
    };
    let actions: Vec<_> = requests.iter().filter(is_action).collect();
    let mut scope = ActionScope::default();
    let terminal = Terminal::new();
    for request in actions.iter().filter(|_| journal.is_none()) {
        terminal.during("counting the selected items", scope.add(request, client)).await;
    }
    drop(terminal);
    let selection = match journal {
        Some(journal) => {
            let (remaining, total) = batches::remaining(journal, client, requests)?;
            format!(
                "on {remaining} of {total} items, the others have an outcome in {}",
                journal.path().display()
            )
        }
        None => scope.describe(),
    };
    let request = actions.first().copied().or(requests.first());
    let path = request.map(|request| request.path(client.api_version())).transpose()?.unwrap_or_default();
    write!(io::stderr(), "{name}: {}{path} {selection}. Continue? [y/N] ", client.console_url())?;
    io::stderr().flush()?;
    let mut answer = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut answer)?;
    if matches!(String::from_utf8_lossy(&answer).trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(CliError::Usage("not confirmed; no action was sent".into()))
}

/// Selection of actions, for the prompt.
#[derive(Default)]
struct ActionScope {
    /// Scopes without a number of items.
    scopes: Vec<String>,
    items: u64,
    /// Whether the items of a request could not be counted.
    uncounted: bool,
    any: bool,
}

impl ActionScope {
    async fn add(&mut self, request: &Request<Value>, client: &Client) {
        self.any = true;
        let body = request.body();
        let filter = body.and_then(|body| body.get("filter")).and_then(Value::as_object);
        let length = |value: &Value| value.as_array().map_or(1, |items| items.len() as u64);
        let ids = body.and_then(|body| body.pointer("/data/ids")).map(length);
        let Some(filter) = filter.filter(|_| has_filter(request)) else {
            // The IDs in the data, or the ID in the path.
            self.items = self.items.saturating_add(ids.unwrap_or(1));
            return;
        };
        let fields: Vec<(&str, &Value)> = filter
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        match fields.as_slice() {
            _ if !request.has_selective_filter() => {
                self.scopes.push("on ALL ITEMS in the scope of the token".into())
            }
            [("tenant", _)] => self.scopes.push("in the WHOLE TENANT".into()),
            [("ids" | "uuids", ids)] => self.items = self.items.saturating_add(length(ids)),
            // Thousands of IDs make a URL that no server accepts. The number is then unknown.
            _ => match client.count_matching(request).await {
                Ok(Some(count)) => self.items = self.items.saturating_add(count),
                _ => {
                    let scope = |(name, ids): &(&str, &Value)| {
                        let level = name.strip_suffix("Ids").filter(|_| ids.is_array())?;
                        Some(format!("{} {level}{}", length(ids), if length(ids) == 1 { "" } else { "s" }))
                    };
                    let scopes: Option<Vec<String>> = fields.iter().map(scope).collect();
                    match scopes {
                        Some(scopes) => self.scopes.push(format!("in {}", scopes.join(" and "))),
                        None => self.uncounted = true,
                    }
                }
            },
        }
    }

    fn describe(mut self) -> String {
        self.scopes.dedup();
        let number = match self.items {
            0 if !self.scopes.is_empty() => None,
            1 => Some("on 1 item".to_owned()),
            items => Some(format!("on {items} items")),
        };
        let number = if self.uncounted || !self.any {
            Some("on an unknown number of items".to_owned())
        } else {
            number
        };
        self.scopes.into_iter().chain(number).collect::<Vec<_>>().join(" and ")
    }
}

/// Prints the identifiers that were not found, with one line for each argument.
fn report_not_found(command: &PreparedCommand, outcome: &Outcome) {
    for group in outcome.not_found.chunk_by(|one, other| one.argument == other.argument) {
        let ids: Vec<_> = group.iter().map(|one| one.id.as_str()).collect();
        let argument = group.first().map_or("", |one| one.argument);
        let ids = ids.join(", ");
        output::report(format_args!("error: {}: {argument} not found: {ids}", command.info().name));
    }
    if !outcome.not_found.is_empty() {
        output::report("  help: check the identifiers, the scope of the token and the other filters");
    }
}

/// Prints the details of the results without success. The context does not contain them.
fn report_details(outcome: &Outcome) {
    for result in outcome.results.iter().filter(|result| !result.state.is_success()) {
        if let Some(detail) = &result.detail {
            output::report(format_args!("error: {}: {}: {detail}", result.id, result.state));
        }
    }
}

fn code(command: &PreparedCommand, outcome: &Outcome, written: bool) -> u8 {
    output::report_repairs(command.info().name, &outcome.repairs);
    for error in &outcome.errors {
        output::report(format_args!("error: {error}"));
    }
    if let Some(failure) = &outcome.failure {
        output::report(format_args!("error: {}", format_error(failure)));
    }
    report_not_found(command, outcome);
    let is_action = command.info().is_action;
    if is_action && outcome.results.is_empty() && outcome.affected.is_none() {
        output::report("error: the response does not contain the outcome");
        return FAILED;
    }
    if outcome.is_complete() {
        return DONE;
    }
    if !outcome.results.is_empty() {
        let count = |keep: fn(IdState) -> bool| outcome.results.iter().filter(|one| keep(one.state)).count();
        let (succeeded, unknown) = (count(IdState::is_success), count(|state| state == IdState::Unknown));
        let suffix = if unknown > 0 { format!(", {unknown} unknown") } else { String::new() };
        output::report(format_args!("{succeeded} of {} IDs succeeded{suffix}", outcome.results.len()));
    }
    if outcome.is_stopped {
        return PARTIAL;
    }
    // An item that is set apart is a part that failed, even if it is the only item of a list.
    let is_set_apart = outcome.repairs.has_loss() && outcome.failure.is_none() && outcome.errors.is_empty();
    let is_partial = match is_action {
        true => outcome.has_effect(),
        false => written || outcome.has_results() || is_set_apart,
    };
    if is_partial { PARTIAL } else { FAILED }
}
