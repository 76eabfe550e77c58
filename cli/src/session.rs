//! Client of a command, from the options, the environment and the profiles.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;
use sentinelone::incidents::Stream;
use sentinelone::{
    ApiToken, ApiVersion, Client, ConsoleUrl, Error, RateLimits, Recorder, RetryPolicy, Timestamp,
    parse_timestamp,
};
use sentinelone_contract::FixtureRecorder;
use sentinelone_sandbox::{Sandbox, SandboxBuilder};

use tracing::level_filters::LevelFilter;

use crate::failure::CliError;
use crate::global_options::Share;
use crate::options::text;
use crate::profile::{Profile, TokenStorage};
use crate::profiles::{self, ConfigFile};
use crate::{record, stdio};

/// Client, embedded sandbox and recorder of a command.
pub(crate) struct Session {
    pub(crate) client: Client,
    sandbox: Option<Sandbox>,
    recorder: Option<Arc<FixtureRecorder>>,
}

/// Console, token and API version of a command, from the options, the environment and the profiles.
///
/// A token is sent only to its console: the token of a profile to the console of the profile, and a token of an
/// option or of the environment to the console that is set there or that a selected profile has.
pub(crate) struct Connection {
    profile: Option<Profile>,
    /// How the profile was selected; `None` for the default profile.
    selected_by: Option<ProfileSource>,
    /// Console URL of an option or of the environment.
    console_url: Option<ConsoleUrl>,
    /// Names of the profiles if none is selected.
    other_profiles: Vec<String>,
    /// API version.
    pub(crate) version: ApiVersion,
}

/// Source of a profile name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProfileSource {
    Option,
    Environment,
}

impl Connection {
    /// Selects console, token and API version. The configuration file is read only if it is needed.
    pub(crate) fn select(matches: &ArgMatches) -> Result<Self, CliError> {
        let version = version_option(matches);
        let mut connection = Self {
            profile: None,
            selected_by: None,
            console_url: None,
            other_profiles: Vec::new(),
            version: version.unwrap_or(DEFAULT_VERSION),
        };
        if is_sandbox(matches)? {
            return Ok(connection);
        }
        let name = profile_name(matches)?;
        connection.selected_by = name.as_ref().map(|(_, by)| *by);
        // A profile of an option overrides the environment.
        connection.console_url = match connection.selected_by {
            Some(ProfileSource::Option) => console_option(matches)?,
            _ => configured_console(matches)?,
        };
        match name {
            Some((name, _)) => connection.profile = Some(ConfigFile::read()?.profile(&name)?),
            None if connection.console_url.is_some() && token_source(matches)?.is_some() => {}
            None => {
                if let Some(config) = ConfigFile::read_optional()? {
                    match config.default()? {
                        Some(name) => connection.profile = Some(config.profile(&name)?),
                        None => connection.other_profiles = config.names()?,
                    }
                }
            }
        }
        let profile = connection.profile.as_ref().filter(|profile| connection.uses_console_of(profile));
        if let (None, Some(version)) = (version, profile.and_then(|profile| profile.version)) {
            connection.version = version;
        }
        Ok(connection)
    }

    /// Returns whether the console is the one of the profile.
    fn uses_console_of(&self, profile: &Profile) -> bool {
        self.console_url.as_ref().is_none_or(|url| *url == profile.console)
    }

    fn console(&self) -> Result<&ConsoleUrl, CliError> {
        let console = self.console_url.as_ref().or(self.profile.as_ref().map(|profile| &profile.console));
        console.ok_or_else(|| {
            CliError::Usage(match self.other_profiles.as_slice() {
                [] => "no console URL: use --console-url, S1_CONSOLE_URL, s1 login or --sandbox".to_owned(),
                others => format!("no console URL: select a profile with --profile ({})", others.join(", ")),
            })
        })
    }

    fn token(&self, matches: &ArgMatches) -> Result<ApiToken, CliError> {
        let own = self.profile.as_ref().filter(|profile| profile.token != TokenStorage::None);
        let source = token_source(matches)?;
        let token = match (source, own) {
            // A profile of an option overrides the environment.
            (Some(TokenSource::Environment) | None, Some(own))
                if self.selected_by == Some(ProfileSource::Option) =>
            {
                Err(own)
            }
            (Some(TokenSource::Environment), Some(own))
                if self.console_url.is_none() && self.selected_by.is_some() =>
            {
                let name = &own.name;
                return Err(CliError::Usage(format!(
                    "two tokens: S1_API_TOKEN is set, and the profile {name} of S1_PROFILE has a token; unset one of \
                     the variables, or use --profile {name}"
                )));
            }
            (Some(source), _) => Ok(source),
            (None, Some(own)) => Err(own),
            (None, None) => {
                let message = "no API token: use S1_API_TOKEN, --api-token-file or s1 login";
                return Err(CliError::Usage(message.into()));
            }
        };
        match (token, &self.profile) {
            (Ok(source), Some(profile)) if self.console_url.is_none() && self.selected_by.is_none() => {
                let (name, console) = (&profile.name, &profile.console);
                Err(CliError::Usage(format!(
                    "no console URL for the token in {source}, which may not belong to {console} of the default \
                     profile; use --profile {name} if it does, or set the console URL"
                )))
            }
            // A token of the environment belongs to the console of the environment.
            (Ok(TokenSource::Environment), Some(profile))
                if self.console_url.is_none() && environment_has_other_console(profile)? =>
            {
                let (name, console) = (&profile.name, &profile.console);
                Err(CliError::Usage(format!(
                    "the token in S1_API_TOKEN belongs to the console in S1_CONSOLE_URL and is not sent to {console} of \
                     the profile {name}, which has no token; run s1 login --profile {name}, or unset \
                     S1_CONSOLE_URL if the token belongs to {console}"
                )))
            }
            (Ok(TokenSource::File(file)), _) => Ok(ApiToken::from_file(file)?),
            (Ok(TokenSource::Environment), _) => Ok(ApiToken::from_env("S1_API_TOKEN")?),
            (Err(own), _) if !self.uses_console_of(own) => {
                let (name, console) = (&own.name, &own.console);
                Err(CliError::Usage(format!(
                    "the token of the profile {name} belongs to {console} and is not sent to {}; use a token of that \
                     console, or another profile",
                    self.console()?
                )))
            }
            (Err(own), _) => profiles::token(own, is_quiet(matches)),
        }
    }
}

/// Source of a token outside of the profiles.
#[derive(Clone, Copy)]
enum TokenSource<'a> {
    File(&'a PathBuf),
    Environment,
}

impl std::fmt::Display for TokenSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "--api-token-file",
            Self::Environment => "S1_API_TOKEN",
        })
    }
}

/// Returns the source of a token outside of the profiles.
fn token_source(matches: &ArgMatches) -> Result<Option<TokenSource<'_>>, CliError> {
    if let Some(file) = matches.get_one("api-token-file") {
        return Ok(Some(TokenSource::File(file)));
    }
    Ok(read_variable("S1_API_TOKEN", |_| ())?.map(|()| TokenSource::Environment))
}

/// Returns whether the environment has another console than the profile.
fn environment_has_other_console(profile: &Profile) -> Result<bool, CliError> {
    Ok(parsed(variable("S1_CONSOLE_URL")?)?.is_some_and(|console| console != profile.console))
}

/// Returns the profile name of the option or of the environment.
pub(crate) fn profile_name(matches: &ArgMatches) -> Result<Option<(String, ProfileSource)>, CliError> {
    if let Some(name) = matches.get_one::<String>("profile") {
        return Ok(Some((name.clone(), ProfileSource::Option)));
    }
    Ok(variable("S1_PROFILE")?.map(|name| (name, ProfileSource::Environment)))
}

fn variable(name: &str) -> Result<Option<String>, CliError> {
    read_variable(name, str::to_owned)
}

/// Reads an environment variable. An empty variable counts as unset; a variable that is not UTF-8 is an error.
fn read_variable<T>(name: &str, convert: impl FnOnce(&str) -> T) -> Result<Option<T>, CliError> {
    let Some(value) = std::env::var_os(name) else { return Ok(None) };
    match value.to_str() {
        Some(text) if text.trim().is_empty() => Ok(None),
        Some(text) => Ok(Some(convert(text))),
        None => Err(CliError::Usage(format!("{name} is not UTF-8; correct it or unset it"))),
    }
}

fn parsed(url: Option<String>) -> Result<Option<ConsoleUrl>, CliError> {
    Ok(url.map(|url| url.parse()).transpose().map_err(Error::from)?)
}

/// Returns the console of `--console-url`.
pub(crate) fn console_option(matches: &ArgMatches) -> Result<Option<ConsoleUrl>, CliError> {
    parsed(matches.get_one::<String>("console-url").cloned())
}

/// Returns the console of the option or of the environment.
pub(crate) fn configured_console(matches: &ArgMatches) -> Result<Option<ConsoleUrl>, CliError> {
    match console_option(matches)? {
        None => parsed(variable("S1_CONSOLE_URL")?),
        console => Ok(console),
    }
}

/// Default API version.
const DEFAULT_VERSION: ApiVersion = ApiVersion::V2_1;

/// Returns the API version of `--api-version`.
pub(crate) fn version_option(matches: &ArgMatches) -> Option<ApiVersion> {
    let is_set = matches.value_source("api-version") == Some(ValueSource::CommandLine);
    let version = text(matches, "api-version");
    ApiVersion::ALL.iter().copied().find(|one| is_set && one.as_str() == version)
}

impl Session {
    /// Creates the client of the options, the environment and the profiles. Sends no request.
    pub(crate) async fn open(matches: &ArgMatches) -> Result<Self, CliError> {
        Self::with_connection(matches, &Connection::select(matches)?).await
    }

    /// Creates the client of a connection. Sends no request.
    pub(crate) async fn with_connection(
        matches: &ArgMatches,
        connection: &Connection,
    ) -> Result<Self, CliError> {
        if is_sandbox(matches)? {
            let sandbox = sandbox_settings()?.start().await?;
            let token = ApiToken::new(Sandbox::TOKEN)?;
            return Self::new(matches, sandbox.url(), token, connection.version, Some(sandbox));
        }
        let console = connection.console()?.to_string();
        Self::with_console(matches, console, connection.token(matches)?, connection.version)
    }

    /// Creates the client of a console.
    pub(crate) fn with_console(
        matches: &ArgMatches,
        console: String,
        token: ApiToken,
        version: ApiVersion,
    ) -> Result<Self, CliError> {
        Self::new(matches, console, token, version, None)
    }

    fn new(
        matches: &ArgMatches,
        url: String,
        token: ApiToken,
        version: ApiVersion,
        sandbox: Option<Sandbox>,
    ) -> Result<Self, CliError> {
        let recorder = record::recorder(matches, &token)?;
        let insecure = matches.get_flag("insecure");
        if insecure && is_quiet(matches) {
            stdio::report("warning: TLS certificates are not verified; an attacker can read the token");
        }
        // Otherwise the log has the warnings.
        if is_quiet(matches) {
            for warning in token.warnings(&Timestamp::now()) {
                stdio::report(format_args!("warning: {warning}"));
            }
        }
        let mut client = Client::builder(url)
            .token(token)
            .api_version(version)
            .user_agent(concat!("s1/", env!("CARGO_PKG_VERSION")))
            .retry_policy(
                RetryPolicy::default().max_attempts(matches.get_one("max-attempts").copied().unwrap_or(1)),
            )
            .rate_limits(rate_limits(matches, sandbox.is_some())?)
            .danger_accept_invalid_certs(insecure);
        if let Some(seconds) = matches.get_one("request-timeout").copied() {
            client = client.timeout(Duration::from_secs(seconds));
        }
        if let Some(file) = matches.get_one::<PathBuf>("ca-cert") {
            let pem = std::fs::read(file).map_err(|error| {
                CliError::Usage(format!("{}: cannot read the certificate: {error}", file.display()))
            })?;
            client = client.add_root_certificate(pem);
        }
        if let Some(recorder) = &recorder {
            client = client.recorder(Arc::clone(recorder) as Arc<dyn Recorder>);
        }
        Ok(Self { client: client.build()?, sandbox, recorder })
    }

    /// Returns the current time: that of the embedded sandbox, or of the system.
    pub(crate) fn now(&self) -> Timestamp {
        self.sandbox.as_ref().map_or_else(Timestamp::now, Sandbox::now)
    }

    /// Returns whether the console is the embedded sandbox.
    pub(crate) fn is_embedded(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Injects a threat and an alert into the embedded sandbox. Has no effect on another console.
    pub(crate) fn inject(&self) {
        self.sandbox.iter().for_each(inject_incidents);
    }

    /// Waits for the deletion of queries, stops the embedded sandbox, and prints the number of recordings.
    pub(crate) async fn close(self, result: Result<u8, CliError>) -> Result<u8, CliError> {
        self.client.finish_queries().await;
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
        record::finish(self.recorder.as_deref(), result)
    }
}

/// Returns the level of the log.
pub(crate) fn log_level(matches: &ArgMatches) -> LevelFilter {
    text(matches, "log-level").parse().unwrap_or(LevelFilter::WARN)
}

/// Returns whether the log has no warnings. Important warnings are then printed without it.
pub(crate) fn is_quiet(matches: &ArgMatches) -> bool {
    log_level(matches) < LevelFilter::WARN
}

/// Returns the settings of a sandbox: the clock stands still at the time of `S1_SANDBOX_NOW`, if it is set.
pub(crate) fn sandbox_settings() -> Result<SandboxBuilder, CliError> {
    let settings = Sandbox::builder();
    let Some(text) = variable("S1_SANDBOX_NOW")? else { return Ok(settings) };
    let now = parse_timestamp(&text, &Timestamp::now())
        .map_err(|error| CliError::Usage(format!("S1_SANDBOX_NOW: {error}")))?;
    Ok(settings.clock(move || now.clone()))
}

/// Injects a threat and an alert at the current time of a sandbox.
pub(crate) fn inject_incidents(sandbox: &Sandbox) {
    for stream in [Stream::Alerts, Stream::Threats] {
        sandbox.inject(stream, 1, &sandbox.now());
    }
}

/// Returns whether the embedded sandbox is selected; options for another console are then an error.
fn is_sandbox(matches: &ArgMatches) -> Result<bool, CliError> {
    if !matches.get_flag("sandbox") {
        return Ok(false);
    }
    for option in ["console-url", "api-token-file", "profile"] {
        if matches.value_source(option) == Some(ValueSource::CommandLine) {
            let message = "--sandbox cannot be used with --console-url, --api-token-file or --profile";
            return Err(CliError::Usage(message.into()));
        }
    }
    Ok(true)
}

fn rate_limits(matches: &ArgMatches, embedded: bool) -> Result<RateLimits, CliError> {
    match matches.get_one::<Option<Share>>("rate-limits") {
        // The embedded sandbox has no rate limits.
        _ if embedded => Ok(RateLimits::disabled()),
        Some(None) => Ok(RateLimits::disabled()),
        Some(Some(Share(share))) => {
            let limits = RateLimits::default();
            limits.set_share(*share)?;
            Ok(limits)
        }
        None => Ok(RateLimits::default()),
    }
}
