//! `s1 login`, `s1 logout` and `s1 profiles`.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use secrecy::{ExposeSecret, SecretString};
use sentinelone::incidents::{Fetcher, IncidentConfig};
use sentinelone::{ApiToken, ConsoleUrl, Error};

use crate::failure::{CliError, DONE, FAILED};
use crate::incidents::report_connection_error;
use crate::options::text;
use crate::profile::{Profile, TokenStorage};
use crate::profiles::{ConfigFile, check_name};
use crate::session::{self, Session};
use crate::signals::shutdown_signal;
use crate::stdio;
use crate::terminal::Terminal;

/// Name of the first profile, unless another name is set.
const DEFAULT_NAME: &str = "default";

/// Returns `login`, `logout` and `profiles`.
pub(crate) fn commands() -> [Command; 3] {
    let login = Command::new("login").about("Store a console and its token as a profile").args([
        Arg::new("token-stdin")
            .long("token-stdin")
            .action(ArgAction::SetTrue)
            .conflicts_with("api-token-file")
            .help("Read the token from stdin"),
        Arg::new("token-store")
            .long("token-store")
            .value_name("STORE")
            .value_parser(PossibleValuesParser::new(["file", "keyring"]))
            .default_value("file")
            .help("Store the token in a private file or in the system keyring"),
    ]);
    let logout = Command::new("logout").about("Remove a profile and its stored token");
    let profiles = Command::new("profiles").about("List the profiles");
    [login, logout, profiles]
}

/// Returns a usage error for options that these commands do not support.
fn check(matches: &ArgMatches) -> Result<(), CliError> {
    for option in ["sandbox", "dry-run"] {
        if matches.get_flag(option) {
            return Err(CliError::Usage(format!(
                "--{option} is not supported by login, logout and profiles"
            )));
        }
    }
    Ok(())
}

/// Prints the profiles.
pub(crate) fn profiles(matches: &ArgMatches) -> Result<u8, CliError> {
    check(matches)?;
    stdio::write(&ConfigFile::read()?.list(text(matches, "output"))?)?;
    Ok(DONE)
}

/// Returns the name of the selected profile, or else of the default profile.
fn name(matches: &ArgMatches, config: &ConfigFile) -> Result<Option<String>, CliError> {
    Ok(match session::profile_name(matches)? {
        Some((name, _)) => Some(name),
        None => config.default()?,
    })
}

/// Removes a profile.
pub(crate) fn logout(matches: &ArgMatches) -> Result<u8, CliError> {
    check(matches)?;
    let mut config = ConfigFile::read()?;
    let name = name(matches, &config)?.ok_or_else(|| {
        CliError::Usage("no profile: use --profile, because no default profile is set".into())
    })?;
    let warning = config.remove(&name)?;
    stdio::write(&format!("profile {name} removed\n"))?;
    if let Some(warning) = warning {
        stdio::report(warning);
    }
    Ok(DONE)
}

/// Tests a token and stores it.
pub(crate) async fn login(matches: &ArgMatches) -> Result<u8, CliError> {
    check(matches)?;
    let mut config = ConfigFile::read()?;
    let name = name(matches, &config)?.unwrap_or_else(|| DEFAULT_NAME.to_owned());
    check_name(&name)?;
    config.check_new(&name)?;
    let before = match config.names()?.contains(&name) {
        true => Some(config.profile(&name)?),
        false => None,
    };
    // Only an option changes the console of an existing profile.
    let console = match (session::console_option(matches)?, &before) {
        (Some(console), _) => console,
        (None, Some(before)) => before.console.clone(),
        (None, None) => match session::configured_console(matches)? {
            Some(console) => console,
            None => prompt_console()?,
        },
    };
    let token = token(matches, &console)?;
    let same = before.filter(|before| before.console == console);
    let version = session::version_option(matches).or(same.and_then(|before| before.version));
    let storage = if text(matches, "token-store") == "keyring" {
        TokenStorage::Keyring
    } else {
        TokenStorage::File(config.token_file(&name))
    };
    let profile = Profile { name, console, version, token: storage };

    let console = profile.console.to_string();
    let stored = SecretString::from(token.expose_secret());
    let session = Session::with_console(matches, console, token, version.unwrap_or_default())?;
    let result = test_and_store(&session, &profile, &mut config, &stored).await;
    session.close(result).await
}

/// Tests the connection and stores the profile.
async fn test_and_store(
    session: &Session,
    profile: &Profile,
    config: &mut ConfigFile,
    token: &SecretString,
) -> Result<u8, CliError> {
    let client = &session.client;
    let fetcher = Fetcher::new(client.clone(), IncidentConfig::default())
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let terminal = Terminal::new();
    let test = async {
        fetcher.test_connection().await?;
        Ok(client.token_details().await)
    };
    let tested = tokio::select! {
        tested = terminal.during("testing the connection", test) => tested,
        signal = shutdown_signal() => {
            signal?;
            return Err(interrupted());
        }
    };
    drop(terminal);
    // The test succeeded: a token without details is valid, too.
    let details = match tested {
        Ok(details) => details.ok(),
        Err(error) => {
            report_connection_error(&error);
            stdio::report("no profile was written");
            return Ok(FAILED);
        }
    };
    let expires = details.and_then(|details| details.expires_at);
    let expires = match expires {
        Some(time) => format!("its token expires {}", time.as_str()),
        None => "the expiry of its token is not available".to_owned(),
    };
    let became_default = config.store(profile, token)?;
    let Profile { name, console, token: storage, .. } = profile;
    let (version, file) = (client.api_version(), config.path().display());
    stdio::write(&format!(
        "profile {name}: {console} on API {version}; {expires}\nstored in {file}, the token in {storage}\n{}",
        if became_default { "it is now the default profile\n" } else { "" }
    ))?;
    Ok(DONE)
}

/// Reads the token from stdin, a file or the prompt.
fn token(matches: &ArgMatches, console: &ConsoleUrl) -> Result<ApiToken, CliError> {
    // A terminal as stdin would show the token.
    Ok(if matches.get_flag("token-stdin") && !io::stdin().is_terminal() {
        let mut line = Vec::new();
        io::stdin().lock().read_until(b'\n', &mut line)?;
        ApiToken::from_bytes(line)?
    } else if let Some(file) = matches.get_one::<std::path::PathBuf>("api-token-file") {
        ApiToken::from_file(file)?
    } else if is_terminal() || matches.get_flag("token-stdin") {
        ApiToken::new(prompt_token(console)?.expose_secret())?
    } else {
        let message = "no terminal for the token prompt; use --token-stdin or --api-token-file";
        return Err(CliError::Usage(message.into()));
    })
}

/// Prompts for the token without echo. The handler of Ctrl-C lets the prompt restore the echo.
fn prompt_token(console: &ConsoleUrl) -> Result<SecretString, CliError> {
    #[cfg(unix)]
    let _handler = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    match rpassword::prompt_password(format!("API token of {console} (hidden): ")) {
        Ok(token) => Ok(token.into()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(interrupted()),
        Err(error) => Err(error.into()),
    }
}

fn interrupted() -> CliError {
    CliError::Interrupted("no profile was written".into())
}

fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Prompts for the console URL.
fn prompt_console() -> Result<ConsoleUrl, CliError> {
    if !is_terminal() {
        let message = "no console URL: use --console-url; a prompt needs a terminal";
        return Err(CliError::Usage(message.into()));
    }
    write!(io::stderr(), "Console URL (for example usea1.sentinelone.net): ")?;
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.parse().map_err(Error::from)?)
}
