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
use crate::run::{Failure, text};
use crate::{output, record};

/// A client and what belongs to it.
pub(crate) struct Session {
    pub(crate) client: Client,
    sandbox: Option<Sandbox>,
    recording: Option<Arc<Recording>>,
}

impl Session {
    /// Makes the client that the options describe. Nothing is sent.
    pub(crate) async fn open(matches: &ArgMatches) -> Result<Self, Failure> {
        let sandbox = embedded(matches).await?;
        let (url, token) = match &sandbox {
            Some(sandbox) => (sandbox.url(), ApiToken::new(Sandbox::TOKEN)?),
            None => (console(matches)?.to_string(), token(matches.get_one("api-token-file"))?),
        };
        let recording = record::recording(matches, &token)?;
        let insecure = matches.get_flag("insecure");
        if insecure && is_quiet(matches) {
            output::say("warning: certificates are not verified: anyone on the way can read the token");
        }
        let mut client = Client::builder(url)
            .token(token)
            .api_version(version(matches))
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

fn console(matches: &ArgMatches) -> Result<Console, Failure> {
    let url = matches.get_one::<String>("console-url").cloned();
    let from_environment = || std::env::var("S1_CONSOLE_URL").ok().filter(|url| !url.trim().is_empty());
    let url = url.or_else(from_environment).ok_or_else(|| {
        Failure::Usage("no console: give --console-url, set S1_CONSOLE_URL, or try --sandbox".into())
    })?;
    Ok(url.parse().map_err(Error::from)?)
}

/// What is logged.
pub(crate) fn log_level(matches: &ArgMatches) -> LevelFilter {
    text(matches, "log").parse().unwrap_or(LevelFilter::WARN)
}

/// Whether the log leaves out warnings, so that what has to be loud is said otherwise.
pub(crate) fn is_quiet(matches: &ArgMatches) -> bool {
    log_level(matches) < LevelFilter::WARN
}

/// The version of the API that is asked.
pub(crate) fn version(matches: &ArgMatches) -> ApiVersion {
    if text(matches, "api-version") == "2.0" { ApiVersion::V2_0 } else { ApiVersion::V2_1 }
}

/// The console to ask: the embedded one, if that is asked for.
async fn embedded(matches: &ArgMatches) -> Result<Option<Sandbox>, Failure> {
    if !matches.get_flag("sandbox") {
        return Ok(None);
    }
    for elsewhere in ["console-url", "api-token-file"] {
        if matches.value_source(elsewhere) == Some(ValueSource::CommandLine) {
            let message = "--sandbox is a console of its own; leave out --console-url and --api-token-file";
            return Err(Failure::Usage(message.into()));
        }
    }
    Ok(Some(Sandbox::start().await?))
}

fn token(file: Option<&PathBuf>) -> Result<ApiToken, Failure> {
    match file {
        Some(file) => Ok(ApiToken::from_file(file)?),
        None if std::env::var_os("S1_API_TOKEN").is_none() => {
            Err(Failure::Usage("no API token: set S1_API_TOKEN, or give --api-token-file".into()))
        }
        None => Ok(ApiToken::from_env("S1_API_TOKEN")?),
    }
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
