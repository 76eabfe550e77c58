//! `s1 login`, `s1 logout` and `s1 profiles`: tokens that are kept, after a connection test.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use secrecy::{ExposeSecret, SecretString};
use sentinelone::incidents::{Fetcher, Settings as Fetching};
use sentinelone::{ApiToken, Console, Error};

use crate::incidents::tell_why;
use crate::output;
use crate::profiles::{Kept, Profile, Settings, check_name};
use crate::progress::Terminal;
use crate::run::{DONE, FAILED, Failure, end_asked_for, text};
use crate::session::{self, Session};

/// The name of a profile that nobody named.
const UNNAMED: &str = "default";

/// The three commands.
pub(crate) fn commands() -> [Command; 3] {
    let login = Command::new("login")
        .about("Keep a console and its token as a profile, once a connection test has succeeded")
        .after_help(
            "Asks for what is missing. The token is typed without being shown, or comes with --token-stdin or \
             --api-token-file; it is never an argument. When the test fails nothing is written.\n\n\
             Exit codes: 0 kept; 1 the test failed or nothing could be written; 2 something is missing.",
        )
        .args([
            Arg::new("token-stdin")
                .long("token-stdin")
                .action(ArgAction::SetTrue)
                .conflicts_with("api-token-file")
                .help("Read the token from stdin"),
            Arg::new("token-in")
                .long("token-in")
                .value_name("PLACE")
                .value_parser(PossibleValuesParser::new(["file", "keyring"]))
                .default_value("file")
                .help("Where to keep the token: a file that its owner alone can read, or the system's keyring"),
        ]);
    let logout = Command::new("logout").about("Remove a profile, and its token from where login has put it");
    let profiles = Command::new("profiles").about("List the profiles; tokens are not shown");
    [login, logout, profiles]
}

/// Refuses options that mean nothing here.
fn check(matches: &ArgMatches) -> Result<(), Failure> {
    for option in ["sandbox", "dry-run"] {
        if matches.get_flag(option) {
            return Err(Failure::Usage(format!("--{option} does not go with profiles; leave it out")));
        }
    }
    Ok(())
}

/// Lists the profiles.
pub(crate) fn profiles(matches: &ArgMatches) -> Result<u8, Failure> {
    check(matches)?;
    output::write(&Settings::read()?.list(text(matches, "output"))?)?;
    Ok(DONE)
}

/// The profile that is meant: named, else the usual one.
fn name(matches: &ArgMatches, settings: &Settings) -> Result<Option<String>, Failure> {
    Ok(match session::named(matches)? {
        Some((name, _)) => Some(name),
        None => settings.default()?,
    })
}

/// Removes a profile.
pub(crate) fn logout(matches: &ArgMatches) -> Result<u8, Failure> {
    check(matches)?;
    let mut settings = Settings::read()?;
    let name = name(matches, &settings)?.ok_or_else(|| {
        Failure::Usage("no profile is named, and there is no default; give --profile".into())
    })?;
    let left = settings.forget(&name)?;
    output::write(&format!("profile {name} is removed\n"))?;
    if let Some(left) = left {
        output::say(left);
    }
    Ok(DONE)
}

/// Keeps a token once it has been tried.
pub(crate) async fn login(matches: &ArgMatches) -> Result<u8, Failure> {
    check(matches)?;
    let mut settings = Settings::read()?;
    let name = name(matches, &settings)?.unwrap_or_else(|| UNNAMED.to_owned());
    check_name(&name)?;
    settings.check_new(&name)?;
    let before = match settings.names()?.contains(&name) {
        true => Some(settings.profile(&name)?),
        false => None,
    };
    // A profile that is there moves to another console only where an option says so.
    let console = match (session::console_option(matches)?, &before) {
        (Some(console), _) => console,
        (None, Some(before)) => before.console.clone(),
        (None, None) => match session::given_console(matches)? {
            Some(console) => console,
            None => asked_console()?,
        },
    };
    let token = token(matches, &console)?;
    let same = before.filter(|before| before.console == console);
    let version = session::given_version(matches).or(same.and_then(|before| before.version));
    let kept =
        if text(matches, "token-in") == "keyring" { Kept::Keyring } else { Kept::File(settings.kept(&name)) };
    let profile = Profile { name, console, version, token: kept };

    let to_try = ApiToken::new(token.expose_secret())?;
    let session = Session::on(matches, profile.console.to_string(), to_try, version.unwrap_or_default())?;
    let tried = try_out(&session, &profile, &mut settings, &token).await;
    session.close(tried).await
}

async fn try_out(
    session: &Session,
    profile: &Profile,
    settings: &mut Settings,
    token: &SecretString,
) -> Result<u8, Failure> {
    let client = &session.client;
    let fetcher = Fetcher::new(client.clone(), Fetching::default())
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let terminal = Terminal::new();
    let tries = async {
        fetcher.test_connection().await?;
        Ok(client.token_details().await)
    };
    let tested = tokio::select! {
        tested = terminal.during("trying the connection", tries) => tested,
        signal = end_asked_for() => {
            signal?;
            return Err(interrupted());
        }
    };
    drop(terminal);
    // Whether it tells of itself or not, a token that was taken works.
    let details = match tested {
        Ok(details) => details.ok(),
        Err(error) => {
            tell_why(&error);
            output::say("nothing was written");
            return Ok(FAILED);
        }
    };
    let expires = details.and_then(|details| details.expires_at);
    let expires = match expires {
        Some(time) => format!("its token expires {}", time.as_str()),
        None => "the console does not say when its token expires".to_owned(),
    };
    let became_default = settings.keep(profile, token)?;
    let Profile { name, console, token: kept, .. } = profile;
    let (version, file) = (client.api_version(), settings.path().display());
    output::write(&format!(
        "profile {name}: {console} on API {version}; {expires}\nkept in {file}, the token in {kept}\n{}",
        if became_default { "it is the default profile now\n" } else { "" }
    ))?;
    Ok(DONE)
}

/// The token, from where it is safe to take it.
fn token(matches: &ArgMatches, console: &Console) -> Result<SecretString, Failure> {
    // Typed at a terminal it would be shown.
    let typed = if matches.get_flag("token-stdin") && !io::stdin().is_terminal() {
        let mut line = Vec::new();
        io::stdin().lock().read_until(b'\n', &mut line)?;
        let line =
            String::from_utf8(line).map_err(|_| Failure::Usage("what stdin holds is no token".into()))?;
        SecretString::from(line)
    } else if let Some(file) = matches.get_one::<std::path::PathBuf>("api-token-file") {
        let read = std::fs::read_to_string(file);
        read.map_err(|error| {
            Failure::Usage(format!("{}: the token cannot be read: {error}", file.display()))
        })?
        .into()
    } else if is_terminal() || matches.get_flag("token-stdin") {
        typed(console)?
    } else {
        let message = "there is no terminal to ask for the token at; give it with --token-stdin";
        return Err(Failure::Usage(message.into()));
    };
    // What does not look like a token is refused before anything is sent; the prefix that consoles show goes.
    ApiToken::new(typed.expose_secret()).map_err(Error::from)?;
    let plain = typed.expose_secret().trim();
    Ok(plain.strip_prefix("ApiToken ").unwrap_or(plain).trim().into())
}

/// The token, as it is typed without being shown. Ctrl-C is waited for, so that the terminal shows again what is
/// typed.
fn typed(console: &Console) -> Result<SecretString, Failure> {
    #[cfg(unix)]
    let _waited_for = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    match rpassword::prompt_password(format!("API token of {console} (not shown): ")) {
        Ok(token) => Ok(token.into()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(interrupted()),
        Err(error) => Err(error.into()),
    }
}

fn interrupted() -> Failure {
    Failure::Interrupted("nothing was written".into())
}

fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn asked_console() -> Result<Console, Failure> {
    if !is_terminal() {
        let message = "no console: give --console-url, since there is no terminal to ask at";
        return Err(Failure::Usage(message.into()));
    }
    write!(io::stderr(), "Address of the console, such as usea1.sentinelone.net: ")?;
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.parse().map_err(Error::from)?)
}
