//! Runs an integration command: a command of the registry.

use std::num::NonZeroUsize;

use clap::ArgMatches;
use sentinelone::commands::{Arguments, Outcome, PreparedCommand, RegisteredCommand};
use sentinelone::{IdState, Request};
use serde_json::Value;

use crate::batches;
use crate::columns::{check_columns, writes_files};
use crate::confirm::{confirm, has_filter};
use crate::failure::{CliError, DONE, FAILED, PARTIAL, format_error};
use crate::list_values::ListReader;
use crate::options::text;
use crate::session::{Connection, Session};
use crate::signals::shutdown_signal;
use crate::stream::ListWriter;
use crate::terminal::Terminal;
use crate::{output, record, stdio};

/// Runs a command with the selected columns.
pub(crate) async fn run(
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
        stdio::write(&output::requests(&requests, version)?)?;
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
        stdio::write(&output::outcome(command, &outcome, format, columns)?)?;
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

/// Prints the identifiers that were not found, with one line for each argument.
fn report_not_found(command: &PreparedCommand, outcome: &Outcome) {
    for group in outcome.not_found.chunk_by(|one, other| one.argument == other.argument) {
        let ids: Vec<_> = group.iter().map(|one| one.id.as_str()).collect();
        let argument = group.first().map_or("", |one| one.argument);
        let ids = ids.join(", ");
        stdio::report(format_args!("error: {}: {argument} not found: {ids}", command.info().name));
    }
    if !outcome.not_found.is_empty() {
        stdio::report("  help: check the identifiers, the scope of the token and the other filters");
    }
}

/// Prints the details of the results without success. The context does not contain them.
fn report_details(outcome: &Outcome) {
    for result in outcome.results.iter().filter(|result| !result.state.is_success()) {
        if let Some(detail) = &result.detail {
            stdio::report(format_args!("error: {}: {}: {detail}", result.id, result.state));
        }
    }
}

fn code(command: &PreparedCommand, outcome: &Outcome, written: bool) -> u8 {
    stdio::report_repairs(command.info().name, &outcome.repairs);
    for error in &outcome.errors {
        stdio::report(format_args!("error: {error}"));
    }
    if let Some(failure) = &outcome.failure {
        stdio::report(format_args!("error: {}", format_error(failure)));
    }
    report_not_found(command, outcome);
    let is_action = command.info().is_action;
    if is_action && outcome.results.is_empty() && outcome.affected.is_none() {
        stdio::report("error: the response does not contain the outcome");
        return FAILED;
    }
    if outcome.is_complete() {
        return DONE;
    }
    if !outcome.results.is_empty() {
        let count = |keep: fn(IdState) -> bool| outcome.results.iter().filter(|one| keep(one.state)).count();
        let (succeeded, unknown) = (count(IdState::is_success), count(|state| state == IdState::Unknown));
        let suffix = if unknown > 0 { format!(", {unknown} unknown") } else { String::new() };
        stdio::report(format_args!("{succeeded} of {} IDs succeeded{suffix}", outcome.results.len()));
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
