//! From the command line to an exit code.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use clap::ArgMatches;
use sentinelone::commands::{ArgumentError, Arguments, Entry, Outcome, Prepared, find, registry};
use sentinelone::incidents::Stream;
use sentinelone::sandbox::Sandbox;
use sentinelone::{
    Client, Error, ErrorKind, FilterRule, IdState, Kind, Request, RequestError, Timestamp, TokenError,
    printable,
};
use serde_json::Value;

use crate::progress::Terminal;
use crate::session::{self, Choice, Session};
use crate::suggest::did_you_mean;
use crate::{contract, incidents, log, login, output, record, shell};

pub(crate) const DONE: u8 = 0;
pub(crate) const FAILED: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const PARTLY: u8 = 3;

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Failure {
    Usage(String),
    Interrupted(String),
    /// Interrupted, with a part of the result written.
    Partly(String),
    Client(Error),
    Io(io::Error),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Client(error) => match error.kind() {
                ErrorKind::Configuration | ErrorKind::Request => USAGE,
                _ => FAILED,
            },
            Self::Partly(_) => PARTLY,
            Self::Io(_) | Self::Interrupted(_) => FAILED,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Interrupted(message) | Self::Partly(message) => write!(f, "interrupted; {message}"),
            Self::Client(error) => f.write_str(&told(error)),
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// What an error is about, and what to do.
pub(crate) fn parted(error: &Error) -> (String, Option<String>) {
    let text = error.to_string();
    let advice = printable(&error.advice());
    // The advice is the last part of the error, with how to go on behind it.
    match text.split_once(&format!("; {advice}")) {
        Some((what, on)) if !advice.is_empty() => (what.to_owned(), Some(format!("{advice}{on}"))),
        _ => (text, None),
    }
}

/// An error in lines: what happened and what the console says, what that is because of, and what to do.
pub(crate) fn told(error: &Error) -> String {
    let (mut told, remedy) = parted(error);
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        told.push_str(&format!("\n  because: {cause}"));
        source = cause.source();
    }
    if let Some(remedy) = remedy {
        told.push_str(&format!("\n  what to do: {remedy}"));
    }
    if let Some((given, values)) = error.argument_error().and_then(ArgumentError::choice) {
        told.push_str(&did_you_mean(given, values.iter().map(String::as_str)));
    }
    told
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl From<ArgumentError> for Failure {
    fn from(error: ArgumentError) -> Self {
        Self::Client(error.into())
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::Client(error.into())
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Client(error.into())
    }
}

pub(crate) fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map(String::as_str).unwrap_or_default()
}

pub(crate) async fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some((name, matches)) = matches.subcommand() else { return Ok(USAGE) };
    let format = text(matches, "output");
    let columns = columns(name, matches)?;
    check_dry_run(name, matches)?;
    log::to_stderr(session::log_level(matches));
    match name {
        "contract" => contract::run(matches).await,
        "sandbox" => keep_sandbox(matches).await,
        "token" => tell_token(matches, format).await,
        "fetch-incidents" => incidents::fetch_incidents(matches).await,
        "test-connection" => incidents::test_connection(matches).await,
        "login" => login::login(matches).await,
        "logout" => login::logout(matches),
        "profiles" => login::profiles(matches),
        "completions" => shell::completions(matches),
        "man" => shell::man(matches),
        "commands" => {
            output::write(&output::commands(registry(), format))?;
            Ok(DONE)
        }
        name => {
            let entry = find(name).ok_or_else(|| Failure::Usage(format!("{name} is no command")))?;
            run_command(entry, matches, &columns).await
        }
    }
}

/// Refuses a dry run of what has none: it would be sent.
fn check_dry_run(name: &str, matches: &ArgMatches) -> Result<(), Failure> {
    let has_one = match name {
        "contract" => matches.subcommand_name() == Some("probe"),
        // They say themselves what does not go with them.
        "login" | "logout" | "profiles" => true,
        name => find(name).is_some(),
    };
    if has_one || !matches.get_flag("dry-run") {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "--dry-run prints the requests of a command, and {name} has none to print; leave it out"
    )))
}

async fn keep_sandbox(matches: &ArgMatches) -> Result<u8, Failure> {
    let port = matches.get_one::<u16>("port").copied().unwrap_or_default();
    let sandbox = Sandbox::start_on(port).await.map_err(|error| {
        io::Error::new(error.kind(), format!("the sandbox cannot listen on port {port}: {error}"))
    })?;
    output::write(&format!(
        "# An invented tenant; what is done to it lasts until this process ends.\n\
         export S1_CONSOLE_URL={}\nexport S1_API_TOKEN={}\n",
        sandbox.url(),
        Sandbox::TOKEN
    ))?;
    let pause = matches.get_one::<u64>("arrivals").copied().map(Duration::from_secs);
    let arrivals = async {
        let Some(pause) = pause else { return std::future::pending().await };
        loop {
            tokio::time::sleep(pause).await;
            for stream in [Stream::Threats, Stream::Alerts] {
                sandbox.arrive(stream, 1, &Timestamp::now());
            }
        }
    };
    tokio::select! {
        signal = end_asked_for() => signal?,
        () = arrivals => {}
    }
    sandbox.stop().await;
    Ok(DONE)
}

/// The columns that are asked for, which only tables of the commands have.
fn columns(name: &str, matches: &ArgMatches) -> Result<Vec<String>, Failure> {
    let entry = find(name);
    // Some commands have an argument of this name, and it means what the integration says.
    if entry.is_some_and(|entry| (entry.arguments)().iter().any(|argument| argument.name == "columns")) {
        return Ok(Vec::new());
    }
    let Ok(Some(names)) = matches.try_get_many::<String>("columns") else { return Ok(Vec::new()) };
    let names: Vec<String> =
        names.flat_map(|names| names.split(',')).map(|name| name.trim().to_owned()).collect();
    let wrong = |message: &str| Err(Failure::Usage(format!("--columns {message}")));
    match () {
        () if entry.is_none() => wrong(&format!("chooses columns of what a console has; {name} has none")),
        () if text(matches, "output") != "table" => {
            wrong("goes with a table; with --output json, ndjson and context everything is there")
        }
        () if names.iter().any(String::is_empty) => {
            wrong("has an empty name; remove the comma or fill the gap")
        }
        () => Ok(names),
    }
}

async fn run_command(entry: &Entry, matches: &ArgMatches, columns: &[String]) -> Result<u8, Failure> {
    let choice = Choice::of(matches)?;
    let version = choice.version;
    let command = entry.prepare(arguments(entry, matches))?;
    output::check_columns(entry, columns)?;
    // Also when they are sent: what does not fit is said before anything is asked for or started.
    let requests = command.requests(version)?;
    if matches.get_flag("dry-run") {
        record::nothing_to_record(matches)?;
        output::write(&output::requests(&requests, version)?)?;
        return Ok(DONE);
    }

    let session = Session::of(matches, &choice).await?;
    let what = Sending { entry, command: &command, requests: &requests, columns };
    let done = carry_out(&what, matches, &session).await;
    session.close(done).await
}

/// A command that is about to be sent.
#[derive(Clone, Copy)]
struct Sending<'a> {
    entry: &'a Entry,
    command: &'a Prepared,
    requests: &'a [Request<Value>],
    columns: &'a [String],
}

/// Sends what the command is, after asking where that has to be, and shows what came of it.
async fn carry_out(sending: &Sending<'_>, matches: &ArgMatches, session: &Session) -> Result<u8, Failure> {
    let Sending { entry, command, requests, columns } = *sending;
    let format = text(matches, "output");
    let everything =
        entry.info.acts && requests.iter().any(|request| !request.selects() && has_filter(request));
    if (entry.info.asks || everything) && !session.is_embedded() && !matches.get_flag("yes") {
        confirm(command, requests, &session.client).await?;
    }
    let terminal = Terminal::new();
    // What is read to the end may be long: as lines it is never held as a whole.
    let terminal = if format == "ndjson" && reads_all(matches) { terminal.streaming() } else { terminal };
    let waiting = format!("{}: waiting for {}", command.info().name, session.client.console());
    let outcome = tokio::select! {
        outcome = terminal.during(&waiting, command.run_watched(&session.client, &terminal)) => outcome,
        signal = end_asked_for() => {
            signal?;
            terminal.clear();
            if terminal.has_written() {
                return Err(Failure::Partly("the list is written as far as it came".to_owned()));
            }
            let again = match terminal.resume() {
                Some((option, value)) => format!("what was started goes on; take it up again with --{option} {value}"),
                None if entry.info.acts => "what was sent may have been done".to_owned(),
                None if output::writes_files(entry) => "files may have been written; nothing else was changed".to_owned(),
                None => "nothing was changed".to_owned(),
            };
            return Err(Failure::Interrupted(again));
        }
    };
    terminal.clear();
    let outcome = outcome?;
    if let Some(error) = terminal.broken() {
        return Err(error.into());
    }
    output::write(&output::outcome(command, &outcome, format, columns)?)?;
    Ok(code(command, &outcome, terminal.has_written()))
}

/// Whether a list is to be read to its last page, in either way to say so.
fn reads_all(matches: &ArgMatches) -> bool {
    let flag = matches.try_get_one::<bool>("all").ok().flatten().copied();
    let limit = matches.try_get_one::<String>("limit").ok().flatten();
    flag.unwrap_or_default() || limit.is_some_and(|limit| limit.trim().eq_ignore_ascii_case("all"))
}

/// Tells how long the token lives, and warns of its end.
async fn tell_token(matches: &ArgMatches, format: &str) -> Result<u8, Failure> {
    let session = Session::open(matches).await?;
    let terminal = Terminal::new();
    let details = terminal.during("token: waiting for the console", session.client.token_details()).await;
    terminal.clear();
    let told = details.map_err(Failure::from).and_then(|details| {
        let now = Timestamp::now();
        // Where the log has not said it.
        if let Some(warning) = details.warning(&now).filter(|_| session::is_quiet(matches)) {
            output::say(format_args!("warning: {warning}"));
        }
        output::write(&output::token(&details, &now, format))?;
        Ok(DONE)
    });
    session.close(told).await
}

/// Waits until the person or the machine asks this process to end.
#[cfg(unix)]
pub(crate) async fn end_asked_for() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

/// Waits until the person asks this process to end.
#[cfg(not(unix))]
pub(crate) async fn end_asked_for() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Whether a request has a filter at all; one that names a thing in its path has none.
fn has_filter(request: &Request<Value>) -> bool {
    request.operation().filter == FilterRule::Mandatory
}

fn arguments(entry: &Entry, matches: &ArgMatches) -> Arguments {
    let mut arguments = Arguments::new();
    for argument in (entry.arguments)() {
        // One that shares its option with another is given under that one's name.
        let Ok(Some(values)) = matches.try_get_many::<String>(argument.name) else { continue };
        // A list may be given at once or in several options.
        for value in values {
            arguments.add(argument.name, value.as_str());
        }
    }
    if matches.try_get_one::<bool>("all").is_ok_and(|all| all == Some(&true)) {
        arguments.set("limit", "all");
    }
    arguments
}

/// Asks the person at the terminal, after telling how much it is about, and takes nothing else than yes for it.
async fn confirm(command: &Prepared, requests: &[Request<Value>], client: &Client) -> Result<(), Failure> {
    let name = command.info().name;
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let message = format!("{name} needs a yes and there is no terminal to ask at; give --yes");
        return Err(Failure::Usage(message));
    }
    let acting: Vec<_> = requests.iter().filter(|one| one.operation().kind == Kind::Action).collect();
    let mut reach = Reach::default();
    let terminal = Terminal::new();
    for request in &acting {
        terminal.during("counting what it is about", reach.add(request, client)).await;
    }
    drop(terminal);
    let what = reach.in_words();
    let request = acting.first().copied().or(requests.first());
    let path = request.map(|request| request.path(client.api_version())).transpose()?.unwrap_or_default();
    write!(io::stderr(), "{name}: {}{path} {what}. Go on? [y/N] ", client.console())?;
    io::stderr().flush()?;
    let mut answer = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut answer)?;
    if matches!(String::from_utf8_lossy(&answer).trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::Usage("not confirmed; nothing was done".into()))
}

/// How far actions reach, to be told before they are sent.
#[derive(Default)]
struct Reach {
    /// Everything, the whole tenant, or named scopes: what is more than a number.
    scopes: Vec<String>,
    things: u64,
    /// Whether something could not be counted.
    uncounted: bool,
    any: bool,
}

impl Reach {
    async fn add(&mut self, request: &Request<Value>, client: &Client) {
        self.any = true;
        let body = request.body();
        let filter = body.and_then(|body| body.get("filter")).and_then(Value::as_object);
        let length = |value: &Value| value.as_array().map_or(1, |items| items.len() as u64);
        let named = body.and_then(|body| body.pointer("/data/ids")).map(length);
        let Some(filter) = filter.filter(|_| has_filter(request)) else {
            // Things that are named in the data, or the one in the path.
            self.things = self.things.saturating_add(named.unwrap_or(1));
            return;
        };
        let given: Vec<(&str, &Value)> = filter
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        match given.as_slice() {
            _ if !request.selects() => self.scopes.push("on EVERYTHING in the scope of the token".into()),
            [("tenant", _)] => self.scopes.push("in the WHOLE TENANT".into()),
            [("ids" | "uuids", ids)] => self.things = self.things.saturating_add(length(ids)),
            // A list of thousands of ids makes a URL that no server takes; then the number stays unknown.
            _ => match client.count_of(request).await {
                Ok(Some(count)) => self.things = self.things.saturating_add(count),
                _ => {
                    let scope = |(name, ids): &(&str, &Value)| {
                        let level = name.strip_suffix("Ids").filter(|_| ids.is_array())?;
                        Some(format!("{} {level}{}", length(ids), if length(ids) == 1 { "" } else { "s" }))
                    };
                    let scopes: Option<Vec<String>> = given.iter().map(scope).collect();
                    match scopes {
                        Some(scopes) => self.scopes.push(format!("in {}", scopes.join(" and "))),
                        None => self.uncounted = true,
                    }
                }
            },
        }
    }

    fn in_words(mut self) -> String {
        self.scopes.dedup();
        let number = match self.things {
            0 if !self.scopes.is_empty() => None,
            1 => Some("on 1 thing".to_owned()),
            things => Some(format!("on {things} things")),
        };
        let number = if self.uncounted || !self.any { Some("on what it finds".to_owned()) } else { number };
        self.scopes.into_iter().chain(number).collect::<Vec<_>>().join(" and ")
    }
}

fn code(command: &Prepared, outcome: &Outcome, written: bool) -> u8 {
    for error in &outcome.errors {
        output::say(format_args!("error: {error}"));
    }
    if let Some(failure) = &outcome.failure {
        output::say(format_args!("error: {}", told(failure)));
    }
    let acts = command.info().acts;
    if acts && outcome.ids.is_empty() && outcome.affected.is_none() {
        output::say("the console did not say what was done");
        return FAILED;
    }
    if outcome.is_complete() {
        return DONE;
    }
    if !outcome.ids.is_empty() {
        let count = |keep: fn(IdState) -> bool| outcome.ids.iter().filter(|one| keep(one.state)).count();
        let (known, unknown) = (count(IdState::is_fulfilled), count(|state| state == IdState::Unknown));
        let unsure = if unknown > 0 { format!(", {unknown} unknown") } else { String::new() };
        output::say(format_args!("{known} of {} as asked for{unsure}", outcome.ids.len()));
    }
    let something = if acts { outcome.did_something() } else { written || outcome.found_something() };
    if something { PARTLY } else { FAILED }
}
