//! `s1 fetch-incidents` and `s1 test-connection`: the standing jobs of the integration at a terminal.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use sentinelone::ErrorKind;
use sentinelone::incidents::{
    Batch, Checkpoint, ConnectionError, FetchType, Fetcher, Incident, Mirroring, Settings,
};
use serde::{Deserialize, Serialize};

use crate::output;
use crate::profiles::{open_lock, replace};
use crate::progress::Terminal;
use crate::run::{DONE, FAILED, Failure, PARTLY, end_asked_for, parted, text};
use crate::session::Session;

/// The form of the state file.
const FORM: u32 = 1;

/// `fetch-incidents`.
pub(crate) fn fetch() -> Command {
    Command::new("fetch-incidents")
        .about("Fetch new threats and alerts as incidents, each exactly once")
        .after_help(
            "Prints what is new since the state file was written last, oldest first, and then writes the file. Killed \
             anywhere, nothing is lost: what was printed and not noted comes again, under the same dedupeKey. Without \
             a state file every call begins at --fetch-time.\n\n\
             Exit codes: 0 done; 1 failed, the state is what it was; 3 one of two streams could not be read, and \
             comes next time.",
        )
        .args(settings())
        .args([
            Arg::new("state")
                .long("state")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Where it is noted how far it has come; made when it is not there. One process at a time"),
            Arg::new("follow")
                .long("follow")
                .action(ArgAction::SetTrue)
                .help("Go on until asked to end (Ctrl-C), with a poll every --interval"),
            Arg::new("interval")
                .long("interval")
                .value_name("TIME")
                .value_parser(span)
                .default_value("60s")
                .requires("follow")
                .help("How long to wait between polls when nothing is left: 500ms, 60s, 5m"),
            Arg::new("to")
                .long("to")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(["ndjson", "json", "table"]))
                .help("The same as --output"),
        ])
}

/// `test-connection`.
pub(crate) fn test() -> Command {
    Command::new("test-connection")
        .about("Try whether fetching would work: address, token, permission and API version")
        .args(settings())
}

/// The parameters of the integration that are about fetching.
fn settings() -> Vec<Arg> {
    let list = |name: &'static str| {
        Arg::new(name).long(name).value_name("A,B,…").value_delimiter(',').action(ArgAction::Append)
    };
    vec![
        Arg::new("fetch-type")
            .long("fetch-type")
            .value_name("TYPE")
            .value_parser(parsed::<FetchType>)
            .default_value("threats")
            .help("threats, alerts or both"),
        Arg::new("fetch-time")
            .long("fetch-time")
            .value_name("TIME")
            .default_value("3 days")
            .help("How far the first fetch goes back: a span, as `12 hours` or `3 months`, or a time"),
        Arg::new("min-risk")
            .long("min-risk")
            .value_name("NUMBER")
            .value_parser(value_parser!(u8).range(0..=10))
            .default_value("5")
            .help("The least risk score of a threat, 0 to 10; on API 2.0 alone"),
        list("alert-severities")
            .help("Severities of alerts, such as High,Critical; all when it is not given"),
        list("alert-statuses").default_value("UNRESOLVED").help("Incident statuses of alerts"),
        list("threat-statuses").default_value("unresolved").help("Incident statuses of threats"),
        Arg::new("limit")
            .long("limit")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32).range(1..))
            .default_value("10")
            .help("How many threats, and how many alerts, come at once; the others come next time"),
        list("site-ids").help("Sites; all in the token's scope when it is not given"),
        Arg::new("mirror-direction")
            .long("mirror-direction")
            .value_name("DIRECTION")
            .value_parser(parsed::<Mirroring>)
            .default_value("None")
            .help("Which way threats are mirrored, for the incident to say so: None, In, Out or Both"),
        Arg::new("mirror-instance")
            .long("mirror-instance")
            .value_name("TEXT")
            .default_value("")
            .help("The name of the instance that mirrors, for the incident to say so"),
        Arg::new("overlap")
            .long("overlap")
            .value_name("TIME")
            .value_parser(span)
            .default_value("10m")
            .help("How late a thing may show in the lists and still be fetched"),
    ]
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A span of time.
fn span(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let wrong = || format!("{text:?} is no span of time, as 500ms, 60s, 5m or 2h");
    let value: u64 = number.trim().parse().map_err(|_| wrong())?;
    let unit = match &text[number.len()..] {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    value.checked_mul(unit).map(Duration::from_millis).ok_or_else(wrong)
}

fn wanted(matches: &ArgMatches) -> Settings {
    let texts = |name: &str| -> Vec<String> {
        matches.get_many::<String>(name).into_iter().flatten().map(|text| text.trim().to_owned()).collect()
    };
    let mut settings = Settings::default();
    settings.fetch_type = matches.get_one("fetch-type").copied().unwrap_or_default();
    settings.first_fetch = text(matches, "fetch-time").to_owned();
    settings.min_risk = matches.get_one("min-risk").copied().unwrap_or(settings.min_risk);
    settings.alert_severities = texts("alert-severities").into_iter().map(Into::into).collect();
    settings.alert_statuses = texts("alert-statuses").into_iter().map(Into::into).collect();
    settings.threat_statuses = texts("threat-statuses").into_iter().map(Into::into).collect();
    settings.limit = matches.get_one("limit").copied().unwrap_or(settings.limit);
    settings.site_ids = texts("site-ids");
    settings.mirroring = matches.get_one("mirror-direction").copied().unwrap_or_default();
    settings.instance = text(matches, "mirror-instance").to_owned();
    settings.overlap = matches.get_one("overlap").copied().unwrap_or(settings.overlap);
    settings
}

/// Tries a connection, and says so when that takes its time.
async fn tried(fetcher: &Fetcher) -> Result<(), ConnectionError> {
    let terminal = Terminal::new();
    terminal.during("trying the connection", fetcher.test_connection()).await
}

/// Says what is wrong with a connection: the cause first, what to do last.
pub(crate) fn tell_why(error: &ConnectionError) {
    let (call, advice) = parted(error.error());
    let text = error.to_string();
    let (what, remedy) = match (error, text.split_once(": ")) {
        (ConnectionError::Other { .. }, _) | (_, None) => {
            let what = text.split("; ").next().unwrap_or_default();
            (what, advice.unwrap_or_default())
        }
        (_, Some((what, remedy))) => (what, remedy.to_owned()),
    };
    output::say(format_args!("error: {what}\n  because: {call}\n  what to do: {remedy}"));
}

fn fetcher(session: &Session, matches: &ArgMatches) -> Result<Fetcher, Failure> {
    Fetcher::new(session.client.clone(), wanted(matches)).map_err(|error| Failure::Usage(error.to_string()))
}

/// Tries the connection, and says what is wrong and what to do.
pub(crate) async fn test_connection(matches: &ArgMatches) -> Result<u8, Failure> {
    let session = Session::open(matches).await?;
    let tested = match fetcher(&session, matches) {
        Ok(fetcher) => match tried(&fetcher).await {
            Ok(()) => {
                let client = &session.client;
                let streams: Vec<_> =
                    fetcher.settings().fetch_type.streams().iter().map(|stream| stream.as_str()).collect();
                let (console, version) = (client.console(), client.api_version());
                let line =
                    format!("{console} answers on API {version}; {} can be read\n", streams.join(" and "));
                output::write(&line).map(|()| DONE).map_err(Failure::from)
            }
            Err(error) => {
                tell_why(&error);
                Ok(FAILED)
            }
        },
        Err(failure) => Err(failure),
    };
    session.close(tested).await
}

/// Fetches once, or until asked to end.
pub(crate) async fn fetch_incidents(matches: &ArgMatches) -> Result<u8, Failure> {
    let mut state = State::open(matches.get_one::<PathBuf>("state"))?;
    let session = Session::open(matches).await?;
    let done = match fetcher(&session, matches) {
        Ok(fetcher) => {
            session.bring(2);
            go_on(&fetcher, &session, &mut state, matches).await
        }
        Err(failure) => Err(failure),
    };
    session.close(done).await
}

async fn go_on(
    fetcher: &Fetcher,
    session: &Session,
    state: &mut State,
    matches: &ArgMatches,
) -> Result<u8, Failure> {
    let format = matches.get_one::<String>("to").map_or(text(matches, "output"), String::as_str);
    let follow = matches.get_flag("follow");
    let interval: Duration = matches.get_one("interval").copied().unwrap_or_default();
    loop {
        let terminal = Terminal::new();
        let polled = tokio::select! {
            polled = terminal.during("looking for what is new", fetcher.poll(&state.checkpoint)) => polled,
            signal = end_asked_for() => {
                signal?;
                return Ok(DONE);
            }
        };
        drop(terminal);
        let more = match polled {
            Ok(batch) => {
                hand_out(&batch, format)?;
                for failure in &batch.failures {
                    let (stream, error) = (failure.stream.as_str(), &failure.error);
                    output::say(format_args!(
                        "error: {stream} could not be read, and come next time: {error}"
                    ));
                }
                let partly = !batch.failures.is_empty();
                state.note(batch.checkpoint)?;
                if !follow {
                    if batch.more {
                        output::say("more are waiting; they come with the next call");
                    }
                    return Ok(if partly { PARTLY } else { DONE });
                }
                batch.more
            }
            Err(error) if follow && may_pass(&error) => {
                output::say(format_args!("error: {error}; the next poll tries again"));
                false
            }
            Err(error) => return Err(error.into()),
        };
        if !more {
            tokio::select! {
                () = tokio::time::sleep(interval) => session.bring(1),
                signal = end_asked_for() => {
                    signal?;
                    return Ok(DONE);
                }
            }
        }
    }
}

/// Whether it is worth to go on: not where somebody has to mend something first.
fn may_pass(error: &sentinelone::Error) -> bool {
    let refused = error.status().is_some_and(|status| matches!(status.as_u16(), 400..=404));
    !refused && !matches!(error.kind(), ErrorKind::Configuration | ErrorKind::Request)
}

/// Hands a batch out, all of it: a reader that went away has not got it, and the state must not go on.
fn hand_out(batch: &Batch, format: &str) -> Result<(), Failure> {
    for nameless in &batch.nameless {
        let stream = nameless.stream.as_str();
        output::say(format_args!(
            "warning: one of the {stream} has no identifier and is left out: {}",
            nameless.raw
        ));
    }
    if batch.passed_over > 0 {
        output::say(format_args!(
            "{} threats below the minimum risk score were passed over",
            batch.passed_over
        ));
    }
    let line = |incident: &Incident| serde_json::to_value(incident).unwrap_or_default();
    let text = match format {
        "ndjson" => {
            batch.incidents.iter().map(|one| output::inert(&line(one).to_string()) + "\n").collect::<String>()
        }
        "json" | "context" => output::pretty(&batch.incidents.iter().map(line).collect()),
        _ => output::incidents(&batch.incidents),
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// How far the fetching has come, in a file that one process holds.
struct State {
    checkpoint: Checkpoint,
    file: Option<PathBuf>,
    /// Held until the process ends, however it does.
    _lock: Option<File>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    form: u32,
    checkpoint: Checkpoint,
}

impl State {
    /// Reads the file, if there is one, and keeps others from it.
    fn open(file: Option<&PathBuf>) -> Result<Self, Failure> {
        let Some(file) = file else {
            return Ok(Self { checkpoint: Checkpoint::default(), file: None, _lock: None });
        };
        let usage = |message: String| Failure::Usage(format!("{}: {message}", file.display()));
        let lock =
            open_lock(file).map_err(|error| usage(format!("the state cannot be kept there: {error}")))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(usage("another process is fetching with this state; one at a time".to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(usage(format!("it cannot be locked: {error}"))),
        }
        let checkpoint = match std::fs::read(file) {
            Ok(bytes) => {
                let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| {
                    usage(format!(
                        "is no state of s1 fetch-incidents ({error}); name another file to begin anew"
                    ))
                })?;
                if stored.form != FORM {
                    return Err(usage(format!(
                        "is a state of another form ({}), and not {FORM}",
                        stored.form
                    )));
                }
                stored.checkpoint
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Checkpoint::default(),
            Err(error) => return Err(usage(format!("cannot be read: {error}"))),
        };
        Ok(Self { checkpoint, file: Some(file.clone()), _lock: Some(lock) })
    }

    /// Goes on to a checkpoint: in the file all of it or what was there before.
    fn note(&mut self, checkpoint: Checkpoint) -> Result<(), Failure> {
        if let Some(file) =
            self.file.as_deref().filter(|file| checkpoint != self.checkpoint || !file.exists())
        {
            let stored = Stored { form: FORM, checkpoint: checkpoint.clone() };
            let text = serde_json::to_vec_pretty(&stored).map_err(io::Error::from)?;
            replace(file, &text).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!(
                        "{}: the state could not be written, and the last batch comes again: {error}",
                        file.display()
                    ),
                )
            })?;
        }
        self.checkpoint = checkpoint;
        Ok(())
    }
}
