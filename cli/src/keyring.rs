//! Tokens in the system keyring. An entry belongs to a profile and its console, so that a changed configuration file
//! cannot redirect a token.

use std::io;

use secrecy::SecretString;

use crate::failure::CliError;
use crate::profile::Profile;

#[cfg(feature = "keyring")]
mod system {
    use keyring::v1::{Entry, Error};
    use secrecy::{ExposeSecret, SecretString};

    use super::{access_error, removal_error};
    use crate::failure::CliError;
    use crate::profile::Profile;

    fn entry(profile: &Profile) -> Result<Entry, String> {
        if let Err(error) = Entry::store_status() {
            return Err(format!("no usable keyring ({error})"));
        }
        let user = format!("{} {}", profile.name, profile.console);
        Entry::new("s1", &user).map_err(|error| error.to_string())
    }

    /// Returns the token of a profile, or `None` if the keyring has no entry.
    pub(crate) fn find(profile: &Profile) -> Result<Option<SecretString>, CliError> {
        match entry(profile).map_err(|message| access_error(profile, &message))?.get_password() {
            Ok(token) => Ok(Some(token.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(access_error(profile, &error.to_string())),
        }
    }

    pub(crate) fn set(profile: &Profile, token: &SecretString) -> Result<(), CliError> {
        let entry = entry(profile).map_err(|message| access_error(profile, &message))?;
        let set = entry.set_password(token.expose_secret());
        set.map_err(|error| access_error(profile, &error.to_string()))
    }

    pub(crate) fn delete(profile: &Profile) -> Result<(), CliError> {
        match entry(profile).map_err(|message| removal_error(profile, &message))?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(removal_error(profile, &error.to_string())),
        }
    }
}

#[cfg(not(feature = "keyring"))]
mod system {
    use secrecy::SecretString;

    use super::{access_error, removal_error};
    use crate::failure::CliError;
    use crate::profile::Profile;

    const UNSUPPORTED: &str = "s1 was built without the feature `keyring`";

    pub(crate) fn find(profile: &Profile) -> Result<Option<SecretString>, CliError> {
        Err(access_error(profile, UNSUPPORTED))
    }

    pub(crate) fn set(profile: &Profile, _: &SecretString) -> Result<(), CliError> {
        Err(access_error(profile, UNSUPPORTED))
    }

    pub(crate) fn delete(profile: &Profile) -> Result<(), CliError> {
        Err(removal_error(profile, UNSUPPORTED))
    }
}

pub(crate) use system::{delete, find, set};

/// Returns the token of a profile.
pub(crate) fn get(profile: &Profile) -> Result<SecretString, CliError> {
    find(profile)?.ok_or_else(|| access_error(profile, "no token for this console"))
}

fn access_error(profile: &Profile, message: &str) -> CliError {
    let name = &profile.name;
    CliError::Io(io::Error::other(format!(
        "profile {name}: cannot use the keyring: {message}; run s1 login --profile {name} --token-store file"
    )))
}

fn removal_error(profile: &Profile, message: &str) -> CliError {
    let Profile { name, console, .. } = profile;
    CliError::Io(io::Error::other(format!(
        "profile {name}: the token for {console} may remain in the keyring: {message}; remove it there"
    )))
}
