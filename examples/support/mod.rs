//! Where an example works: on the embedded sandbox, or on the console that the environment names.
//!
//! A copy of an example has one line in its place,
//! `Client::builder(url).token(ApiToken::from_env("S1_API_TOKEN")?).build()?`, and its own way of asking before
//! it acts.
#![allow(dead_code, reason = "no example needs all of it")]

use std::env;
use std::error::Error;
use std::path::PathBuf;

use sentinelone::sandbox::Sandbox;
use sentinelone::{ApiToken, Client, RateLimits};

/// A client, and what the example was told.
pub(crate) struct Place {
    pub(crate) client: Client,
    arguments: std::vec::IntoIter<String>,
    /// Ends when it is dropped, as does the folder.
    sandbox: Option<Sandbox>,
    folder: Option<tempfile::TempDir>,
}

/// For an example that changes nothing. It asks the console of `S1_CONSOLE_URL` and `S1_API_TOKEN` where the
/// first is set, and the sandbox otherwise.
pub(crate) async fn to_read() -> Result<Place, Box<dyn Error>> {
    open(false).await
}

/// The same for one that changes something. On a console it has to be told so by `--act`.
pub(crate) async fn to_act() -> Result<Place, Box<dyn Error>> {
    open(true).await
}

async fn open(acts: bool) -> Result<Place, Box<dyn Error>> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let told = arguments.first().is_some_and(|word| word == "--act");
    if told {
        arguments.remove(0);
    }
    let (client, sandbox) = match env::var_os("S1_CONSOLE_URL") {
        Some(url) if acts && !told => {
            return Err(format!(
                "this example changes things on {}; give --act as its first argument to let it, or unset \
                 S1_CONSOLE_URL to try it on the sandbox",
                url.display()
            )
            .into());
        }
        Some(url) => {
            let url = url.into_string().map_err(|_| "S1_CONSOLE_URL is no text")?;
            (Client::builder(url).token(ApiToken::from_env("S1_API_TOKEN")?), None)
        }
        None => {
            let sandbox = Sandbox::start().await?;
            let client = Client::builder(sandbox.url()).token(ApiToken::new(Sandbox::TOKEN)?);
            // The sandbox has no rates to keep to.
            (client.rate_limits(RateLimits::off()), Some(sandbox))
        }
    };
    Ok(Place { client: client.build()?, arguments: arguments.into_iter(), sandbox, folder: None })
}

impl Place {
    /// The next argument. The sandbox has something to put in its place; on a console nothing is guessed.
    pub(crate) fn argument(&mut self, name: &str, on_sandbox: &str) -> Result<String, Box<dyn Error>> {
        match self.arguments.next() {
            Some(argument) => Ok(argument),
            None if self.sandbox.is_some() => Ok(on_sandbox.to_owned()),
            None => Err(format!("{name} is missing: on a console each argument has to be given").into()),
        }
    }

    /// The next argument as a folder; on the sandbox one that is gone at the end.
    pub(crate) fn folder(&mut self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let passing = tempfile::TempDir::new()?;
        let folder = self.argument(name, &passing.path().display().to_string())?;
        self.folder = Some(passing);
        Ok(folder.into())
    }
}
