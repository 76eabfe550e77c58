//! `s1 fetch-incidents` and `s1 test-connection`.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use jiff::fmt::friendly::SpanParser;
use sentinelone::ErrorKind;
use sentinelone::incidents::{
    Batch, Checkpoint, ConnectionError, FetchType, Fetcher, Incident, IncidentConfig, MirrorDirection,
    StreamFailure,
};
use serde::{Deserialize, Serialize};

use crate::atomic_file::{open_lock, replace};
use crate::failure::{CliError, DONE, FAILED, PARTIAL, format_error};
use crate::json_text;
use crate::list_values::ListReader;
use crate::options::text;
use crate::output;
use crate::session::Session;
use crate::signals::shutdown_signal;
use crate::stdio;
use crate::terminal::Terminal;

/// Version of the state file.
const STATE_VERSION: u32 = 2;

/// Returns `fetch-incidents`.
pub(crate) fn fetch_command() -> Command {
    Command::new("fetch-incidents")
        .about("Fetch new threats and alerts as incidents")
        .args(config_options())
        .args([
            Arg::new("state")
                .long("state")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Store the checkpoint in this file; one process at a time can use it"),
            Arg::new("follow")
                .long("follow")
                .action(ArgAction::SetTrue)
                .help("Poll until interrupted by Ctrl-C or a signal"),
            Arg::new("interval")
                .long("interval")
                .value_name("TIME")
                .value_parser(duration)
                .default_value("60s")
                .requires("follow")
                .help("Set the delay between polls, such as 500ms, 60s or 5m"),
        ])
}

/// Returns `test-connection`.
pub(crate) fn test_command() -> Command {
    Command::new("test-connection")
        .about("Test the console URL, token, permissions and version")
        .args(config_options())
}

/// Returns the options for the configuration of a fetcher.
fn config_options() -> Vec<Arg> {
    let list = |name: &'static str| {
        Arg::new(name).long(name).value_name("A,B,…").value_delimiter(',').action(ArgAction::Append)
    };
    vec![
        Arg::new("fetch-type")
            .long("fetch-type")
            .value_name("TYPE")
            .value_parser(parsed::<FetchType>)
            .default_value("threats")
            .help("Select the streams: threats, alerts or both"),
        Arg::new("first-fetch")
            .long("first-fetch")
            // The name of the parameter in the XSOAR integration.
            .alias("fetch-time")
            .value_name("TIME")
            .default_value("3 days")
            .help("Set the start of the first fetch: a time, or a duration such as 12 hours"),
        Arg::new("min-risk")
            .long("min-risk")
            .value_name("NUMBER")
            .value_parser(value_parser!(u8).range(0..=10))
            .default_value("5")
            .help("Set the lowest risk score of a threat, 0 to 10; API 2.0 only"),
        list("alert-severities").help("Select alert severities, such as High,Critical [default: all]"),
        list("alert-statuses").default_value("UNRESOLVED").help("Select incident statuses of alerts"),
        list("threat-statuses").default_value("unresolved").help("Select incident statuses of threats"),
        Arg::new("limit")
            .long("limit")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32).range(1..))
            .default_value("10")
            .help("Limit the threats and the alerts per poll; the next poll reads the rest"),
        list("site-ids").help("Select sites [default: all in the scope of the token]"),
        Arg::new("mirror-direction")
            .long("mirror-direction")
            .value_name("DIRECTION")
            .value_parser(parsed::<MirrorDirection>)
            .default_value("None")
            .help("Set the mirror direction in the incidents: None, In, Out or Both"),
        Arg::new("mirror-instance")
            .long("mirror-instance")
            .value_name("NAME")
            .default_value("")
            .help("Set the name of the mirroring instance in the incidents"),
        Arg::new("overlap")
            .long("overlap")
            .value_name("TIME")
            .value_parser(duration)
            .default_value("10m")
            .help("Start each poll this long before the newest item, to find late items"),
    ]
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// Parses a duration; a number without a unit is in seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let text = if is_number { format!("{text}s") } else { text.to_owned() };
    let duration = SpanParser::new().parse_unsigned_duration(text);
    duration.map_err(|_| "expected a duration such as 500ms, 60s, 5m or 2h".to_owned())
}

/// Returns the configuration of the options. `--site-ids` reads a file or stdin, like the list options of commands.
fn config(matches: &ArgMatches) -> Result<IncidentConfig, CliError> {
    let values = |name: &str| -> Vec<String> {
        matches.get_many::<String>(name).into_iter().flatten().map(|text| text.trim().to_owned()).collect()
    };
    let mut config = IncidentConfig::default();
    config.fetch_type = matches.get_one("fetch-type").copied().unwrap_or_default();
    config.first_fetch = text(matches, "first-fetch").to_owned();
    config.min_risk = matches.get_one("min-risk").copied().unwrap_or(config.min_risk);
    config.alert_severities = values("alert-severities").into_iter().map(Into::into).collect();
    config.alert_statuses = values("alert-statuses").into_iter().map(Into::into).collect();
    config.threat_statuses = values("threat-statuses").into_iter().map(Into::into).collect();
    config.limit = matches.get_one("limit").copied().unwrap_or(config.limit);
    config.site_ids = ListReader::default().ids("site-ids", values("site-ids"))?;
    config.mirror_direction = matches.get_one("mirror-direction").copied().unwrap_or_default();
    config.mirror_instance = text(matches, "mirror-instance").to_owned();
    config.overlap = matches.get_one("overlap").copied().unwrap_or(config.overlap);
    Ok(config)
}

/// Tests a connection and shows the progress.
async fn run_test(fetcher: &Fetcher) -> Result<(), ConnectionError> {
    let terminal = Terminal::new();
    terminal.during("testing the connection", fetcher.test_connection()).await
}

/// Prints the error of a connection test: the fact, the cause and the remedy.
pub(crate) fn report_connection_error(error: &ConnectionError) {
    let help = error.help().map(|help| format!("\n  help: {help}")).unwrap_or_default();
    stdio::report(format_args!("error: {error}\n  caused by: {}{help}", error.error()));
}

fn fetcher(session: &Session, matches: &ArgMatches) -> Result<Fetcher, CliError> {
    Fetcher::new(session.client.clone(), config(matches)?).map_err(|error| CliError::Usage(error.to_string()))
}

/// Tests the connection, and prints the result, or the cause and the remedy.
pub(crate) async fn test_connection(matches: &ArgMatches) -> Result<u8, CliError> {
    let session = Session::open(matches).await?;
    let tested = match fetcher(&session, matches) {
        Ok(fetcher) => match run_test(&fetcher).await {
            Ok(()) => {
                let client = &session.client;
                let streams: Vec<_> =
                    fetcher.config().fetch_type.streams().iter().map(|stream| stream.as_str()).collect();
                let (console, version) = (client.console_url(), client.api_version());
                let line = format!("{console}: API {version}, {} can be read\n", streams.join(" and "));
                stdio::write(&line).map(|()| DONE).map_err(CliError::from)
            }
            Err(error) => {
                report_connection_error(&error);
                Ok(FAILED)
            }
        },
        Err(failure) => Err(failure),
    };
    session.close(tested).await
}

/// Fetches once, or until the process is interrupted.
pub(crate) async fn fetch_incidents(matches: &ArgMatches) -> Result<u8, CliError> {
    let mut state = CheckpointFile::open(matches.get_one::<PathBuf>("state"))?;
    let session = Session::open(matches).await?;
    let done = match fetcher(&session, matches) {
        Ok(fetcher) => poll(&fetcher, &session, &mut state, matches).await,
        Err(failure) => Err(failure),
    };
    session.close(done).await
}

/// Polls once, or in a loop with `--follow`.
async fn poll(
    fetcher: &Fetcher,
    session: &Session,
    state: &mut CheckpointFile,
    matches: &ArgMatches,
) -> Result<u8, CliError> {
    let format = text(matches, "output");
    let follow = matches.get_flag("follow");
    let interval: Duration = matches.get_one("interval").copied().unwrap_or_default();
    loop {
        let terminal = Terminal::new();
        let polled = tokio::select! {
            polled = terminal.during("polling", fetcher.poll(&state.checkpoint)) => polled,
            signal = shutdown_signal() => {
                signal?;
                return Ok(DONE);
            }
        };
        drop(terminal);
        let more = match polled {
            Ok(batch) => {
                print(&batch, format)?;
                batch.failures.iter().for_each(report_failure);
                let is_partial = !batch.failures.is_empty() || !batch.set_apart.is_empty();
                state.save(batch.checkpoint)?;
                if !follow {
                    if batch.has_more {
                        stdio::report("more items are available; run the command again");
                    }
                    return Ok(if is_partial { PARTIAL } else { DONE });
                }
                batch.has_more
            }
            Err(error) if follow && error.is_temporary() => {
                stdio::report(format_args!("error: {}; the next poll retries", error.report()));
                false
            }
            Err(error) => return Err(error.into()),
        };
        if !more {
            tokio::select! {
                () = tokio::time::sleep(interval) => session.inject(),
                signal = shutdown_signal() => {
                    signal?;
                    return Ok(DONE);
                }
            }
        }
    }
}

/// Prints the failure of a stream. Only a temporary one is resolved by the next poll.
fn report_failure(failure: &StreamFailure) {
    let (stream, error) = (failure.stream.as_str(), &failure.error);
    if matches!(error.kind(), ErrorKind::RepeatedCursor | ErrorKind::EmptyPages) {
        stdio::report(format_args!("error: {stream} could not be read to the end: {}", format_error(error)));
        return;
    }
    if failure.is_temporary() {
        let report = error.report();
        stdio::report(format_args!("error: {stream} could not be read; the next poll reads them: {report}"));
        return;
    }
    let other = FetchType::ALL.into_iter().find(|one| {
        let streams = one.streams();
        !streams.is_empty() && !streams.contains(&failure.stream)
    });
    let option = other.map(|other| format!("\n  help: --fetch-type {} leaves {stream} out", other.as_str()));
    stdio::report(format_args!(
        "error: {stream} could not be read: {}{}",
        format_error(error),
        option.unwrap_or_default()
    ));
}

/// Prints a batch. A closed pipe is an error, so that the state file keeps the old checkpoint.
fn print(batch: &Batch, format: &str) -> Result<(), CliError> {
    for item in &batch.without_id {
        let stream = item.stream.as_str();
        stdio::report(format_args!("warning: an item of {stream} has no ID and is skipped: {}", item.raw));
    }
    stdio::report_repairs("fetch-incidents", &batch.repairs);
    for item in &batch.set_apart {
        let stream = item.stream.as_str();
        let id = item.id.as_deref().unwrap_or("unreadable");
        stdio::report(format_args!(
            "warning: {stream}: data[{}] (ID {id}) is not valid JSON and is skipped: {} at {}",
            item.index, item.reason, item.path
        ));
    }
    if batch.skipped_below_min_risk > 0 {
        stdio::report(format_args!(
            "skipped threats below the minimum risk score: {}",
            batch.skipped_below_min_risk
        ));
    }
    let to_json = |incident: &Incident| serde_json::to_value(incident).unwrap_or_default();
    let text = match format {
        "ndjson" => batch.incidents.iter().map(|one| json_text::line(&to_json(one))).collect::<String>(),
        "json" | "context" => json_text::pretty(&batch.incidents.iter().map(to_json).collect()),
        _ => output::incidents(&batch.incidents),
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Checkpoint in a file that one process locks.
struct CheckpointFile {
    checkpoint: Checkpoint,
    file: Option<PathBuf>,
    /// Held until the process ends.
    _lock: Option<File>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    version: u32,
    checkpoint: Checkpoint,
}

/// Version of a state file. Version 1 had the member `form`.
#[derive(Deserialize)]
struct StateVersion {
    #[serde(alias = "form")]
    version: u32,
}

impl CheckpointFile {
    /// Locks and reads the file, if it exists.
    fn open(file: Option<&PathBuf>) -> Result<Self, CliError> {
        let Some(file) = file else {
            return Ok(Self { checkpoint: Checkpoint::default(), file: None, _lock: None });
        };
        let usage = |message: String| CliError::Usage(format!("{}: {message}", file.display()));
        let lock = open_lock(file).map_err(|error| usage(format!("cannot create the lock file: {error}")))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(usage("another process uses this state file".to_owned()));
            }
            Err(TryLockError::Error(error)) => {
                return Err(usage(format!("cannot lock the state file: {error}")));
            }
        }
        let checkpoint = match std::fs::read(file) {
            Ok(bytes) => {
                let invalid = |error: serde_json::Error| {
                    usage(format!("not a state file of s1 fetch-incidents ({error}); use another file"))
                };
                let StateVersion { version } = serde_json::from_slice(&bytes).map_err(invalid)?;
                if version != STATE_VERSION {
                    return Err(usage(format!(
                        "the state file has version {version}, but this s1 requires version {STATE_VERSION}; use a \
                         new state file, with --first-fetch at the time of the last fetch"
                    )));
                }
                let stored: StateFile = serde_json::from_slice(&bytes).map_err(invalid)?;
                stored.checkpoint
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Checkpoint::default(),
            Err(error) => return Err(usage(format!("cannot read the state file: {error}"))),
        };
        Ok(Self { checkpoint, file: Some(file.clone()), _lock: Some(lock) })
    }

    /// Stores a checkpoint. The file is replaced atomically.
    fn save(&mut self, checkpoint: Checkpoint) -> Result<(), CliError> {
        if let Some(file) =
            self.file.as_deref().filter(|file| checkpoint != self.checkpoint || !file.exists())
        {
            let stored = StateFile { version: STATE_VERSION, checkpoint: checkpoint.clone() };
            let text = serde_json::to_vec_pretty(&stored).map_err(io::Error::from)?;
            replace(file, &text).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!(
                        "{}: cannot write the state file; the next poll returns the last batch again: {error}",
                        file.display()
                    ),
                )
            })?;
        }
        self.checkpoint = checkpoint;
        Ok(())
    }
}
