//! What a command talks to: the client, the embedded sandbox where that is asked for, and who looks on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;
use sentinelone::contract::Recording;
use sentinelone::incidents::Stream;
use sentinelone::sandbox::Sandbox;
use sentinelone::{ApiToken, ApiVersion, Client, Console, Error, RateLimits, Recorder, Retry, Timestamp};

use tracing::level_filters::LevelFilter;

use crate::cli::Share;
use crate::profiles::{Kept, Profile, Settings};
use crate::run::{Failure, text};
use crate::{output, record};

/// A client and what belongs to it.
pub(crate) struct Session {
    pub(crate) client: Client,
    sandbox: Option<Sandbox>,
    recording: Option<Arc<Recording>>,
}

/// Which console is asked and on which version: what options, environment and profiles come to.
///
/// A token goes to the console that it was given with, and to no other: that of a profile to the profile's
/// console, one of options and environment to the console that they name or to that of a profile that was named.
pub(crate) struct Choice {
    profile: Option<Profile>,
    /// How the profile was named; nothing for the usual one.
    named: Option<Named>,
    /// From options or environment.
    given: Option<Console>,
    /// Profiles there are, where none was taken.
    others: Vec<String>,
    /// The version of the API.
    pub(crate) version: ApiVersion,
}

/// Where a profile's name is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    ByOption,
    ByEnvironment,
}

impl Choice {
    /// Nothing is read where nothing is missing.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let version = given_version(matches);
        let mut choice = Self {
            profile: None,
            named: None,
            given: None,
            others: Vec::new(),
            version: version.unwrap_or(USUAL),
        };
        if is_sandbox(matches)? {
            return Ok(choice);
        }
        let name = named(matches)?;
        choice.named = name.as_ref().map(|(_, by)| *by);
        // A profile that an option names comes before the environment.
        choice.given = match choice.named {
            Some(Named::ByOption) => console_option(matches)?,
            _ => given_console(matches)?,
        };
        match name {
            Some((name, _)) => choice.profile = Some(Settings::read()?.profile(&name)?),
            None if choice.given.is_some() && given_token(matches)?.is_some() => {}
            None => {
                if let Some(settings) = Settings::read_if_any()? {
                    match settings.default()? {
                        Some(name) => choice.profile = Some(settings.profile(&name)?),
                        None => choice.others = settings.names()?,
                    }
                }
            }
        }
        let of_profile = choice.profile.as_ref().filter(|profile| choice.is_of(profile));
        if let (None, Some(version)) = (version, of_profile.and_then(|profile| profile.version)) {
            choice.version = version;
        }
        Ok(choice)
    }

    /// Whether the console that is asked is the profile's.
    fn is_of(&self, profile: &Profile) -> bool {
        self.given.as_ref().is_none_or(|given| *given == profile.console)
    }

    fn console(&self) -> Result<&Console, Failure> {
        let console = self.given.as_ref().or(self.profile.as_ref().map(|profile| &profile.console));
        console.ok_or_else(|| {
            Failure::Usage(match self.others.as_slice() {
                [] => "no console: give --console-url, set S1_CONSOLE_URL, use s1 login, or try --sandbox"
                    .to_owned(),
                others => format!("no console: name a profile with --profile ({})", others.join(", ")),
            })
        })
    }

    fn token(&self, matches: &ArgMatches) -> Result<ApiToken, Failure> {
        let own = self.profile.as_ref().filter(|profile| profile.token != Kept::Nowhere);
        let given = given_token(matches)?;
        let token = match (given, own) {
            // The profile that an option names outranks the environment.
            (Some(Given::Environment) | None, Some(own)) if self.named == Some(Named::ByOption) => Err(own),
            (Some(Given::Environment), Some(own)) if self.given.is_none() && self.named.is_some() => {
                let name = &own.name;
                return Err(Failure::Usage(format!(
                    "two tokens: S1_API_TOKEN is set, and the profile {name} of S1_PROFILE has one of its own; \
                     unset one of the two variables, or give --profile {name}"
                )));
            }
            (Some(given), _) => Ok(given),
            (None, Some(own)) => Err(own),
            (None, None) => {
                let message = "no API token: set S1_API_TOKEN, give --api-token-file, or use s1 login";
                return Err(Failure::Usage(message.into()));
            }
        };
        match (token, &self.profile) {
            (Ok(given), Some(profile)) if self.given.is_none() && self.named.is_none() => {
                let (name, console) = (&profile.name, &profile.console);
                Err(Failure::Usage(format!(
                    "there is a token ({given}) and no console beside it, and nothing says that it is one of \
                     {console}, the default profile's; give --profile {name} if it is, or name its console"
                )))
            }
            // The token of the environment is that of the console beside it.
            (Ok(Given::Environment), Some(profile)) if self.given.is_none() && names_another(profile)? => {
                let (name, console) = (&profile.name, &profile.console);
                Err(Failure::Usage(format!(
                    "the token in S1_API_TOKEN is for the console in S1_CONSOLE_URL and is not sent to {console}, that \
                     of the profile {name}, which has none of its own; run s1 login --profile {name}, or unset \
                     S1_CONSOLE_URL if the token is for {console}"
                )))
            }
            (Ok(Given::File(file)), _) => Ok(ApiToken::from_file(file)?),
            (Ok(Given::Environment), _) => Ok(ApiToken::from_env("S1_API_TOKEN")?),
            (Err(own), _) if !self.is_of(own) => {
                let (name, console) = (&own.name, &own.console);
                Err(Failure::Usage(format!(
                    "the token of the profile {name} is for {console} and is not sent to {}; give that console's \
                     own token, or another profile",
                    self.console()?
                )))
            }
            (Err(own), _) => own.token(is_quiet(matches)),
        }
    }
}

/// A token of options or environment.
#[derive(Clone, Copy)]
enum Given<'a> {
    File(&'a PathBuf),
    Environment,
}

impl std::fmt::Display for Given<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "--api-token-file",
            Self::Environment => "S1_API_TOKEN",
        })
    }
}

fn given_token(matches: &ArgMatches) -> Result<Option<Given<'_>>, Failure> {
    if let Some(file) = matches.get_one("api-token-file") {
        return Ok(Some(Given::File(file)));
    }
    Ok(set("S1_API_TOKEN", |_| ())?.map(|()| Given::Environment))
}

/// Whether the environment names another console than the profile's.
fn names_another(profile: &Profile) -> Result<bool, Failure> {
    Ok(parsed(variable("S1_CONSOLE_URL")?)?.is_some_and(|console| console != profile.console))
}

/// The profile that options or environment name.
pub(crate) fn named(matches: &ArgMatches) -> Result<Option<(String, Named)>, Failure> {
    if let Some(name) = matches.get_one::<String>("profile") {
        return Ok(Some((name.clone(), Named::ByOption)));
    }
    Ok(variable("S1_PROFILE")?.map(|name| (name, Named::ByEnvironment)))
}

fn variable(name: &str) -> Result<Option<String>, Failure> {
    set(name, str::to_owned)
}

/// Looks at a variable of the environment. An empty one is as good as none; what cannot be read is not.
fn set<T>(name: &str, look: impl FnOnce(&str) -> T) -> Result<Option<T>, Failure> {
    let Some(value) = std::env::var_os(name) else { return Ok(None) };
    match value.to_str() {
        Some(text) if text.trim().is_empty() => Ok(None),
        Some(text) => Ok(Some(look(text))),
        None => Err(Failure::Usage(format!("{name} is no UTF-8; set it anew, or unset it"))),
    }
}

fn parsed(url: Option<String>) -> Result<Option<Console>, Failure> {
    Ok(url.map(|url| url.parse()).transpose().map_err(Error::from)?)
}

/// The console that an option names.
pub(crate) fn console_option(matches: &ArgMatches) -> Result<Option<Console>, Failure> {
    parsed(matches.get_one::<String>("console-url").cloned())
}

/// The console that options or environment name.
pub(crate) fn given_console(matches: &ArgMatches) -> Result<Option<Console>, Failure> {
    match console_option(matches)? {
        None => parsed(variable("S1_CONSOLE_URL")?),
        console => Ok(console),
    }
}

/// The version of the API, where nobody says another.
const USUAL: ApiVersion = ApiVersion::V2_1;

/// The version of the API that an option names.
pub(crate) fn given_version(matches: &ArgMatches) -> Option<ApiVersion> {
    let given = matches.value_source("api-version") == Some(ValueSource::CommandLine);
    let version = text(matches, "api-version");
    ApiVersion::ALL.iter().copied().find(|one| given && one.as_str() == version)
}

impl Session {
    /// Makes the client that options, environment and profiles describe. Nothing is sent.
    pub(crate) async fn open(matches: &ArgMatches) -> Result<Self, Failure> {
        Self::of(matches, &Choice::of(matches)?).await
    }

    /// The same, where that was looked at before.
    pub(crate) async fn of(matches: &ArgMatches, choice: &Choice) -> Result<Self, Failure> {
        if is_sandbox(matches)? {
            let sandbox = Sandbox::start().await?;
            let token = ApiToken::new(Sandbox::TOKEN)?;
            return Self::with(matches, sandbox.url(), token, choice.version, Some(sandbox));
        }
        let console = choice.console()?.to_string();
        Self::on(matches, console, choice.token(matches)?, choice.version)
    }

    /// A session with this console.
    pub(crate) fn on(
        matches: &ArgMatches,
        console: String,
        token: ApiToken,
        version: ApiVersion,
    ) -> Result<Self, Failure> {
        Self::with(matches, console, token, version, None)
    }

    fn with(
        matches: &ArgMatches,
        url: String,
        token: ApiToken,
        version: ApiVersion,
        sandbox: Option<Sandbox>,
    ) -> Result<Self, Failure> {
        let recording = record::recording(matches, &token)?;
        let insecure = matches.get_flag("insecure");
        if insecure && is_quiet(matches) {
            output::say("warning: certificates are not verified: anyone on the way can read the token");
        }
        let mut client = Client::builder(url)
            .token(token)
            .api_version(version)
            .user_agent(concat!("s1/", env!("CARGO_PKG_VERSION")))
            .retry(Retry::default().attempts(matches.get_one("attempts").copied().unwrap_or_default()))
            .rate_limits(rate_limits(matches, sandbox.is_some()))
            .dangerously_trust_any_certificate(insecure);
        if let Some(seconds) = matches.get_one("call-timeout").copied() {
            client = client.timeout(Duration::from_secs(seconds));
        }
        if let Some(file) = matches.get_one::<PathBuf>("root-certificate") {
            let pem = std::fs::read(file).map_err(|error| {
                Failure::Usage(format!("{}: the certificate cannot be read: {error}", file.display()))
            })?;
            client = client.root_certificate(pem);
        }
        if let Some(recording) = &recording {
            client = client.recorder(Arc::clone(recording) as Arc<dyn Recorder>);
        }
        Ok(Self { client: client.build()?, sandbox, recording })
    }

    /// Whether the embedded sandbox answers.
    pub(crate) fn is_embedded(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Lets something new come to the embedded sandbox, whose tenant is as old as this version: a threat and an alert.
    /// Elsewhere things come by themselves.
    pub(crate) fn bring(&self, count: usize) {
        if let Some(sandbox) = &self.sandbox {
            for stream in [Stream::Alerts, Stream::Threats] {
                sandbox.arrive(stream, count, &Timestamp::now());
            }
        }
    }

    /// Ends what was begun, and says what was recorded.
    pub(crate) async fn close(self, result: Result<u8, Failure>) -> Result<u8, Failure> {
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
        record::settle(self.recording.as_deref(), result)
    }
}

/// What is logged.
pub(crate) fn log_level(matches: &ArgMatches) -> LevelFilter {
    text(matches, "log").parse().unwrap_or(LevelFilter::WARN)
}

/// Whether the log leaves out warnings, so that what has to be loud is said otherwise.
pub(crate) fn is_quiet(matches: &ArgMatches) -> bool {
    log_level(matches) < LevelFilter::WARN
}

/// Whether the embedded console is asked, which goes with no other.
fn is_sandbox(matches: &ArgMatches) -> Result<bool, Failure> {
    if !matches.get_flag("sandbox") {
        return Ok(false);
    }
    for elsewhere in ["console-url", "api-token-file", "profile"] {
        if matches.value_source(elsewhere) == Some(ValueSource::CommandLine) {
            let message =
                "--sandbox is a console of its own; leave out --console-url, --api-token-file and --profile";
            return Err(Failure::Usage(message.into()));
        }
    }
    Ok(true)
}

fn rate_limits(matches: &ArgMatches, embedded: bool) -> RateLimits {
    match matches.get_one::<Option<Share>>("rate-limits") {
        // The embedded console has none.
        _ if embedded => RateLimits::off(),
        Some(None) => RateLimits::off(),
        Some(Some(Share(share))) => {
            let limits = RateLimits::default();
            limits.share(*share);
            limits
        }
        None => RateLimits::default(),
    }
}
