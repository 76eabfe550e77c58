//! Options of the actions on many IDs: batches, their journal, and how an interrupted run is resumed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use sentinelone::batch::{Journal, MAX_IN_FLIGHT};
use sentinelone::commands::{Outcome, RegisteredCommand, RunOptions};
use sentinelone::{Client, IdState, Request};
use serde_json::Value;

use crate::failure::CliError;
use crate::options::has_secret_option;
use crate::signals::shutdown_signal;
use crate::stdio;
use crate::terminal::Terminal;

/// Names of the options of [`arguments`].
pub(crate) const NAMES: [&str; 4] = ["--journal", "--in-flight", "--batch-size", "--resend-unknown"];

/// Longest command line that is repeated in a message.
const MAX_COMMAND_LINE: usize = 500;

/// Returns the options of a command whose action goes out in batches.
pub(crate) fn arguments() -> [Arg; 4] {
    [
        Arg::new("journal")
            .long("journal")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Record each batch and its outcome in this file; the same command with it resumes"),
        Arg::new("in-flight")
            .long("in-flight")
            .value_name("NUMBER")
            .value_parser(value_parser!(u16).range(1..=MAX_IN_FLIGHT as i64))
            .default_value("4")
            .help("Limit the batches in flight, 1 to 16"),
        Arg::new("batch-size")
            .long("batch-size")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32).range(1..))
            .help("Limit the IDs of a batch [default: one batch, or 1000 if the IDs need several]"),
        Arg::new("resend-unknown")
            .long("resend-unknown")
            .action(ArgAction::SetTrue)
            .requires("journal")
            .help("Send IDs with an unknown outcome, even if the action may then be applied twice"),
    ]
}

/// Returns the options of a run, except the journal.
pub(crate) fn options<'a>(entry: &RegisteredCommand, matches: &ArgMatches) -> RunOptions<'a> {
    let mut options = RunOptions::default();
    if entry.batch_argument().is_some() {
        options.in_flight =
            matches.get_one::<u16>("in-flight").map_or(options.in_flight, |n| usize::from(*n));
        options.batch_size = matches.get_one::<u32>("batch-size").and_then(|n| usize::try_from(*n).ok());
        options.resend_unknown = matches.get_flag("resend-unknown");
    }
    options
}

/// Opens the journal, if the command has one.
pub(crate) fn journal(entry: &RegisteredCommand, matches: &ArgMatches) -> Result<Option<Journal>, CliError> {
    let path = entry.batch_argument().and_then(|_| matches.get_one::<PathBuf>("journal"));
    Ok(path.map(Journal::open).transpose()?)
}

/// Returns the number of IDs without an outcome and the number of all IDs, for the prompt.
pub(crate) fn remaining(
    journal: &Journal,
    client: &Client,
    requests: &[Request<Value>],
) -> Result<(u64, usize), CliError> {
    // The requests of some commands include the reads after the action.
    let actions: Vec<_> = requests.iter().filter(|request| !request.ids().is_empty()).cloned().collect();
    let total = actions.iter().map(|request| request.ids().len()).sum();
    Ok((journal.remaining(client, &actions)?, total))
}

/// Waits for a run. After a signal, the batches in flight have a few seconds; a second signal ends the run at once, and
/// the result is `None`.
pub(crate) async fn wait(
    run: impl Future<Output = sentinelone::Result<Outcome>>,
    options: &RunOptions<'_>,
    terminal: &Terminal,
) -> Result<Option<sentinelone::Result<Outcome>>, CliError> {
    let mut run = std::pin::pin!(run);
    tokio::select! {
        outcome = &mut run => return Ok(Some(outcome)),
        signal = shutdown_signal() => signal?,
    }
    options.stop.stop();
    terminal.clear();
    stdio::report("interrupted; waiting up to 5 seconds for the batches in flight");
    tokio::select! {
        outcome = &mut run => Ok(Some(outcome)),
        signal = shutdown_signal() => signal.map(|()| None).map_err(CliError::from),
        // The library ends the run before.
        () = tokio::time::sleep(Duration::from_secs(30)) => Ok(None),
    }
}

/// Prints how a run is resumed, if IDs have no outcome.
pub(crate) fn report_remaining(options: &RunOptions<'_>, outcome: &Outcome) {
    let unknown = outcome.results.iter().filter(|one| one.state == IdState::Unknown).count();
    if outcome.is_stopped {
        stdio::report("error: interrupted before all IDs were sent");
    }
    let is_open = outcome.is_stopped || outcome.failure.is_some() || unknown > 0;
    match &options.journal {
        Some(_) if !is_open => {}
        Some(journal) => {
            stdio::report(format_args!(
                "  help: the same command resumes with the outcomes in {}: {}",
                journal.path().display(),
                resume_command()
            ));
            if unknown > 0 && !options.resend_unknown {
                stdio::report(
                    "  help: the state of unknown IDs is read first; those whose state cannot be read are sent only with \
                     --resend-unknown",
                );
            }
        }
        None if outcome.is_stopped => {
            stdio::report("  help: with --journal FILE, the same command resumes");
        }
        None => {}
    }
}

/// Returns how to repeat the command line. It is not quoted if it has a secret or is long.
fn resume_command() -> String {
    let arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    if has_secret_option(&arguments) {
        return "pass the same options".to_owned();
    }
    let name = std::iter::once("s1".to_owned());
    let line: Vec<String> = name.chain(arguments.iter().skip(1).map(|one| quoted(one))).collect();
    let line = line.join(" ");
    if line.len() > MAX_COMMAND_LINE { "pass the same options".to_owned() } else { line }
}

/// Quotes an argument for a shell.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=@+%".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}
