//! Client and arguments of an example, for the embedded sandbox or the console of the environment.
//!
//! In a copy of an example, `Client::builder(url).token(ApiToken::from_env("S1_API_TOKEN")?).build()?` replaces this
//! module. Add a confirmation before actions.
#![allow(dead_code, reason = "each example uses a part of this module")]

use std::env;
use std::error::Error;
use std::path::PathBuf;

use sentinelone::{ApiToken, Client, RateLimits, Timestamp};
use sentinelone_sandbox::Sandbox;

/// Client and command-line arguments of an example.
pub(crate) struct ExampleContext {
    pub(crate) client: Client,
    arguments: std::vec::IntoIter<String>,
    /// Stops when it is dropped; the directory is removed then.
    sandbox: Option<Sandbox>,
    dir: Option<tempfile::TempDir>,
}

/// Creates the context of an example that only reads. It uses the console of `S1_CONSOLE_URL` and `S1_API_TOKEN` if
/// `S1_CONSOLE_URL` is set, and otherwise the sandbox.
pub(crate) async fn for_reads() -> Result<ExampleContext, Box<dyn Error>> {
    open(false).await
}

/// Creates the context of an example with actions. On a console it requires `--act` as the first argument.
pub(crate) async fn for_actions() -> Result<ExampleContext, Box<dyn Error>> {
    open(true).await
}

async fn open(has_actions: bool) -> Result<ExampleContext, Box<dyn Error>> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let confirmed = arguments.first().is_some_and(|argument| argument == "--act");
    if confirmed {
        arguments.remove(0);
    }
    let (client, sandbox) = match env::var_os("S1_CONSOLE_URL") {
        Some(url) if has_actions && !confirmed => {
            return Err(format!(
                "this example changes data on {}; pass --act as the first argument to run it there, or unset \
                 S1_CONSOLE_URL to run it on the sandbox",
                url.display()
            )
            .into());
        }
        Some(url) => {
            let url = url.into_string().map_err(|_| "S1_CONSOLE_URL is not valid UTF-8")?;
            (Client::builder(url).token(ApiToken::from_env("S1_API_TOKEN")?), None)
        }
        None => {
            // The times of the example data are relative to the clock; a fixed one gives the same output on every day.
            let sandbox =
                Sandbox::builder().clock(|| Timestamp::from("2026-11-20T10:00:00Z")).start().await?;
            let client = Client::builder(sandbox.url()).token(ApiToken::new(Sandbox::TOKEN)?);
            // The sandbox has no rate limits.
            (client.rate_limits(RateLimits::disabled()), Some(sandbox))
        }
    };
    Ok(ExampleContext { client: client.build()?, arguments: arguments.into_iter(), sandbox, dir: None })
}

impl ExampleContext {
    /// Returns the next argument, or `sandbox_default` on the sandbox. On a console the argument is required.
    pub(crate) fn argument(&mut self, name: &str, sandbox_default: &str) -> Result<String, Box<dyn Error>> {
        match self.arguments.next() {
            Some(argument) => Ok(argument),
            None if self.sandbox.is_some() => Ok(sandbox_default.to_owned()),
            None => Err(format!("{name} is missing: on a console all arguments are required").into()),
        }
    }

    /// Returns the next argument as a directory; the default on the sandbox is a temporary directory.
    pub(crate) fn dir(&mut self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let temporary = tempfile::TempDir::new()?;
        let dir = self.argument(name, &temporary.path().display().to_string())?;
        self.dir = Some(temporary);
        Ok(dir.into())
    }
}
