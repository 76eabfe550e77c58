//! Runs a command line and returns its exit code.

use std::io;
use std::time::Duration;

use clap::ArgMatches;
use sentinelone::Timestamp;
use sentinelone::commands::{RegisteredCommand, find, registry};
use sentinelone_sandbox::{QueryFault, Sandbox};

use crate::failure::{CliError, DONE, USAGE};
use crate::options::text;
use crate::session::{self, Session};
use crate::signals::shutdown_signal;
use crate::suggest::did_you_mean;
use crate::terminal::Terminal;
use crate::{cli, completions, contract, help, incidents, integration, log, login, output, query, stdio};

pub(crate) async fn run(matches: &ArgMatches) -> Result<u8, CliError> {
    let Some((name, matches)) = matches.subcommand() else { return Ok(USAGE) };
    let format = text(matches, "output");
    let columns = columns(name, matches)?;
    check_dry_run(name, matches)?;
    if format == "csv" && name != "query" {
        return Err(CliError::Usage(format!("--output csv is not supported by {name}, only by query")));
    }
    log::init(session::log_level(matches));
    match name {
        "contract" => contract::run(matches).await,
        "sandbox" => run_sandbox(matches).await,
        "query" => query::query(matches).await,
        "token" => print_token(matches, format).await,
        "fetch-incidents" => incidents::fetch_incidents(matches).await,
        "test-connection" => incidents::test_connection(matches).await,
        "login" => login::login(matches).await,
        "logout" => login::logout(matches),
        "profiles" => login::profiles(matches),
        "completions" => completions::completions(matches, cli::command()),
        "man" => completions::man(matches, cli::command()),
        "help" => help::print(matches, cli::command()),
        "commands" => {
            let entries = selected_commands(matches)?;
            stdio::write(&match matches.get_flag("schema") {
                true => output::schemas(&entries, format),
                false => output::commands(&entries, format),
            })?;
            Ok(DONE)
        }
        name => {
            let entry = find(name).ok_or_else(|| CliError::Usage(format!("unknown command {name}")))?;
            integration::run(entry, matches, &columns).await
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
    let faults = matches.get_many::<QueryFault>("query-faults").into_iter().flatten().copied();
    let sandbox =
        session::sandbox_settings()?.port(port).query_faults(faults).start().await.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen on port {port}: {error}"))
        })?;
    stdio::write(&format!(
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
            stdio::report(format_args!("warning: {warning}"));
        }
        stdio::write(&output::token(&details, &now, format))?;
        Ok(DONE)
    });
    session.close(result).await
}

/// Returns the commands that the arguments of `s1 commands` name; all commands without a name.
fn selected_commands(matches: &ArgMatches) -> Result<Vec<RegisteredCommand>, CliError> {
    let Some(names) = matches.get_many::<String>("command") else { return Ok(registry().to_vec()) };
    let entry = |name: &String| {
        find(name).copied().ok_or_else(|| {
            let known = registry().iter().map(|entry| entry.info.name);
            CliError::Usage(format!("unknown command {name}{}", did_you_mean(name, known)))
        })
    };
    names.map(entry).collect()
}
