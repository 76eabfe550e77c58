//! Tokens in the keyring of the system: under the profile's name and its console, so that settings that were
//! changed do not send a token elsewhere.

use std::io;

use secrecy::SecretString;

use crate::profiles::Profile;
use crate::run::Failure;

#[cfg(feature = "keyring")]
mod system {
    use keyring::v1::{Entry, Error};
    use secrecy::{ExposeSecret, SecretString};

    use super::{failed, left};
    use crate::profiles::Profile;
    use crate::run::Failure;

    fn entry(profile: &Profile) -> Result<Entry, String> {
        if let Err(error) = Entry::store_status() {
            return Err(format!("the system has no keyring that can be used ({error})"));
        }
        let user = format!("{} {}", profile.name, profile.console);
        Entry::new("s1", &user).map_err(|error| error.to_string())
    }

    /// The token of a profile; `None` where none is kept.
    pub(crate) fn find(profile: &Profile) -> Result<Option<SecretString>, Failure> {
        match entry(profile).map_err(|message| failed(profile, &message))?.get_password() {
            Ok(token) => Ok(Some(token.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(profile, &error.to_string())),
        }
    }

    pub(crate) fn set(profile: &Profile, token: &SecretString) -> Result<(), Failure> {
        let entry = entry(profile).map_err(|message| failed(profile, &message))?;
        let set = entry.set_password(token.expose_secret());
        set.map_err(|error| failed(profile, &error.to_string()))
    }

    pub(crate) fn delete(profile: &Profile) -> Result<(), Failure> {
        match entry(profile).map_err(|message| left(profile, &message))?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(left(profile, &error.to_string())),
        }
    }
}

#[cfg(not(feature = "keyring"))]
mod system {
    use secrecy::SecretString;

    use super::{failed, left};
    use crate::profiles::Profile;
    use crate::run::Failure;

    const ABSENT: &str = "this s1 was built without the feature `keyring`";

    pub(crate) fn find(profile: &Profile) -> Result<Option<SecretString>, Failure> {
        Err(failed(profile, ABSENT))
    }

    pub(crate) fn set(profile: &Profile, _: &SecretString) -> Result<(), Failure> {
        Err(failed(profile, ABSENT))
    }

    pub(crate) fn delete(profile: &Profile) -> Result<(), Failure> {
        Err(left(profile, ABSENT))
    }
}

pub(crate) use system::{delete, find, set};

/// The token of a profile, which has to be there.
pub(crate) fn get(profile: &Profile) -> Result<SecretString, Failure> {
    find(profile)?.ok_or_else(|| failed(profile, "there is no token for this console in it"))
}

fn failed(profile: &Profile, message: &str) -> Failure {
    let name = &profile.name;
    Failure::Io(io::Error::other(format!(
        "profile {name}: the keyring gives no token: {message}; log in with s1 login --profile {name} \
         --token-in file"
    )))
}

fn left(profile: &Profile, message: &str) -> Failure {
    let Profile { name, console, .. } = profile;
    Failure::Io(io::Error::other(format!(
        "profile {name}: its token for {console} may still be in the keyring: {message}; take it out there"
    )))
}
