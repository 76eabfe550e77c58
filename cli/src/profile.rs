//! A profile: a console, and where its token is stored.

use std::path::{Path, PathBuf};

use sentinelone::{ApiVersion, ConsoleUrl};

/// Value of `token` for a token in the system keyring.
pub(crate) const KEYRING: &str = "keyring";

/// Console and token under a name.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) console: ConsoleUrl,
    pub(crate) version: Option<ApiVersion>,
    pub(crate) token: TokenStorage,
}

/// Location of the token of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenStorage {
    None,
    File(PathBuf),
    Keyring,
}

impl std::fmt::Display for TokenStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::File(file) if exists(file) => write!(f, "{}", file.display()),
            Self::File(_) => f.write_str("token-file (missing)"),
            Self::Keyring => f.write_str(KEYRING),
        }
    }
}

/// Returns whether a file exists.
pub(crate) fn exists(file: &Path) -> bool {
    file.try_exists().unwrap_or_default()
}
