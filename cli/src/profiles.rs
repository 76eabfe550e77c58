//! Profiles in the configuration file.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf, is_separator};
use std::thread;
use std::time::{Duration, Instant};

use etcetera::BaseStrategy;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sentinelone::{ApiToken, ApiVersion, ConsoleUrlError, TokenError};
use serde_json::{Value, json};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value as Setting, value};

use crate::atomic_file::{open_lock, replace};
use crate::failure::CliError;
use crate::json_text;
use crate::keyring;
use crate::profile::{KEYRING, Profile, TokenStorage, exists};
use crate::stdio;
use crate::suggest::did_you_mean;
use crate::table;

/// Directory of the token files, next to the configuration file.
const TOKENS: &str = "tokens";
const TOP_KEYS: [&str; 2] = ["default", "profiles"];
const PROFILE_KEYS: [&str; 4] = ["console", "token-file", "token", "api-version"];

/// Longest time to wait for the lock of another process.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The configuration file with its comments.
pub(crate) struct ConfigFile {
    path: PathBuf,
    document: DocumentMut,
}

impl ConfigFile {
    /// Reads the file. Returns `None` if the system has no configuration directory.
    pub(crate) fn read_optional() -> Result<Option<Self>, CliError> {
        path().ok().map(Self::load).transpose()
    }

    /// Reads the file; a missing file is empty.
    pub(crate) fn read() -> Result<Self, CliError> {
        Self::load(path()?)
    }

    fn load(path: PathBuf) -> Result<Self, CliError> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(CliError::Usage(format!(
                    "{}: cannot read the profiles: {error}",
                    path.display()
                )));
            }
        };
        let document = text.parse::<DocumentMut>().map_err(|error| {
            // The error quotes the line, which can contain a token.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            CliError::Usage(format!("{}: line {line} is not valid TOML: {}", path.display(), error.message()))
        })?;
        let config = Self { path, document };
        config.check_keys(config.document.as_table(), &TOP_KEYS, "")?;
        Ok(config)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn error(&self, message: impl std::fmt::Display) -> CliError {
        CliError::Usage(format!("{}: {message}", self.path.display()))
    }

    fn check_keys(&self, table: &dyn TableLike, known: &[&str], location: &str) -> Result<(), CliError> {
        match table.iter().map(|(key, _)| key).find(|key| !known.contains(key)) {
            Some(key) => {
                let hint = did_you_mean(key, known.iter().copied());
                let known = known.join(", ");
                Err(self.error(format_args!("{location}unknown key {key:?}; expected {known}{hint}")))
            }
            None => Ok(()),
        }
    }

    /// Returns the name of the default profile.
    pub(crate) fn default(&self) -> Result<Option<String>, CliError> {
        match self.document.get("default") {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(name) => Ok(Some(name.to_owned())),
                None => Err(self.error("default is not a string; set it to the name of a profile")),
            },
        }
    }

    fn profiles(&self) -> Result<Option<&dyn TableLike>, CliError> {
        match self.document.get("profiles") {
            None => Ok(None),
            Some(item) => match item.as_table_like() {
                Some(profiles) => Ok(Some(profiles)),
                None => Err(self.error("profiles is not a table; write [profiles.NAME]")),
            },
        }
    }

    /// Returns the names of all profiles, in the order of the file.
    pub(crate) fn names(&self) -> Result<Vec<String>, CliError> {
        Ok(self
            .profiles()?
            .map(|all| all.iter().map(|(name, _)| name.to_owned()).collect())
            .unwrap_or_default())
    }

    /// Returns a profile.
    pub(crate) fn profile(&self, name: &str) -> Result<Profile, CliError> {
        let item = self.profiles()?.and_then(|all| all.get(name));
        let Some(item) = item else {
            let names = self.names()?;
            let hint = did_you_mean(name, names.iter().map(String::as_str));
            let help = match names.as_slice() {
                [] => format!("run s1 login --profile {name} to create it"),
                names => format!("expected {}", names.join(", ")),
            };
            return Err(self.error(format_args!("unknown profile {name:?}; {help}{hint}")));
        };
        let location = format!("profile {name}: ");
        let table = item.as_table_like();
        let table = table
            .ok_or_else(|| self.error(format_args!("{location}not a table; write [profiles.{name}]")))?;
        self.check_keys(table, &PROFILE_KEYS, &location)?;
        // The value can be a token. It is not shown.
        let string = |key: &str| match table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(self.error(format_args!("{location}{key} is not a string; put it in quotes"))),
            },
        };
        let console =
            string("console")?.ok_or_else(|| self.error(format_args!("{location}console is missing")))?;
        let console = console.parse().map_err(|error: ConsoleUrlError| {
            let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
            self.error(format_args!("{location}{error}{help}"))
        })?;
        let version = match string("api-version")? {
            None => None,
            Some(text) => {
                let version = ApiVersion::ALL.iter().copied().find(|version| version.as_str() == text);
                Some(version.ok_or_else(|| {
                    self.error(format_args!("{location}api-version is neither 2.0 nor 2.1"))
                })?)
            }
        };
        let token = match (string("token-file")?, string("token")?) {
            (None, None) => TokenStorage::None,
            (Some(file), None) if is_token_like(file) => {
                return Err(self.error(format_args!(
                    "{location}token-file must be the path of a file, not a token; remove the token, create a new \
                     one if others could read it, and run s1 login --profile {name}"
                )));
            }
            (Some(file), None) => TokenStorage::File(self.resolve(file)?),
            (None, Some(KEYRING)) => TokenStorage::Keyring,
            (Some(_), Some(KEYRING)) => {
                return Err(
                    self.error(format_args!("{location}token-file and token exclude each other; keep one"))
                );
            }
            (_, Some(_)) => {
                return Err(self.error(format_args!(
                    "{location}token must be \"keyring\", not a token; remove the token, create a new one if \
                     others could read it, and run s1 login --profile {name}"
                )));
            }
        };
        Ok(Profile { name: name.to_owned(), console, version, token })
    }

    /// Resolves a path: relative to the configuration file, or to the home directory after `~/`.
    fn resolve(&self, file: &str) -> Result<PathBuf, CliError> {
        if let Some(rest) = file.strip_prefix("~/") {
            let home = etcetera::home_dir().map_err(|error| self.error(error))?;
            return Ok(home.join(rest));
        }
        Ok(self.dir().join(file))
    }

    fn dir(&self) -> &Path {
        dir_of(&self.path)
    }

    /// Returns the file in which login stores the token of a profile.
    pub(crate) fn token_file(&self, name: &str) -> PathBuf {
        self.dir().join(TOKENS).join(format!("{name}.token"))
    }

    /// Returns an error if a new name differs from an existing one only in case: some file systems ignore the case
    /// of the token files.
    pub(crate) fn check_new(&self, name: &str) -> Result<(), CliError> {
        let names = self.names()?;
        match names.iter().find(|one| one.eq_ignore_ascii_case(name)) {
            Some(other) if !names.iter().any(|one| one == name) => Err(self.error(format_args!(
                "the profile {other} differs from {name} only in case; use {other}, or another name"
            ))),
            _ => Ok(()),
        }
    }

    /// Locks the configuration file, and reads it again.
    fn lock(&mut self) -> Result<File, CliError> {
        let file = self.target();
        create_private_dir(dir_of(&file))?;
        let lock = open_lock(&file).map_err(|error| cannot_write(&file, &error))?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_TIMEOUT => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => {
                    let message = "another s1 process is changing the profiles; retry when it has ended";
                    return Err(cannot_write(&file, &io::Error::new(io::ErrorKind::WouldBlock, message)));
                }
                Err(TryLockError::Error(error)) => return Err(cannot_write(&file, &error)),
            }
        }
        *self = Self::load(self.path.clone())?;
        Ok(lock)
    }

    /// Stores a profile and its token, both or neither. Returns whether it became the default profile.
    pub(crate) fn store(&mut self, profile: &Profile, token: &SecretString) -> Result<bool, CliError> {
        let _lock = self.lock()?;
        let name = &profile.name;
        self.check_new(name)?;
        let before = self.profile(name).ok();
        let had_default = self.default()?.is_some();
        let document = self.document_with(profile)?;
        match &profile.token {
            TokenStorage::Keyring => {
                let old = keyring::find(profile)?;
                keyring::set(profile, token)?;
                if let Err(failure) = self.write(document) {
                    // Restore the old token.
                    match old {
                        Some(old) => keyring::set(profile, &old)?,
                        None => keyring::delete(profile)?,
                    }
                    return Err(failure);
                }
            }
            _ => {
                let file = self.token_file(name);
                let old = fs::read(&file).ok().map(SecretSlice::from);
                create_private_dir(dir_of(&file))?;
                let line = token.expose_secret().as_bytes();
                replace(&file, line).map_err(|error| cannot_write(&file, &error))?;
                if let Err(failure) = self.write(document) {
                    match old {
                        Some(old) => replace(&file, old.expose_secret())?,
                        None => fs::remove_file(&file)?,
                    }
                    return Err(failure);
                }
            }
        }
        // The profile is stored. Remove the old token from another token store.
        let removed = match before {
            Some(before) if before.token == TokenStorage::Keyring => {
                let same = profile.token == TokenStorage::Keyring && before.console == profile.console;
                if same { Ok(()) } else { keyring::delete(&before) }
            }
            Some(Profile { token: TokenStorage::File(file), .. }) if file == self.token_file(name) => {
                match profile.token {
                    TokenStorage::Keyring => remove_if_exists(&file),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        };
        if let Err(failure) = removed {
            stdio::report(format_args!("warning: the previous token was not removed: {failure}"));
        }
        Ok(!had_default && self.default()?.as_ref() == Some(name))
    }

    /// Returns the document with this profile.
    fn document_with(&self, profile: &Profile) -> Result<DocumentMut, CliError> {
        let name = profile.name.as_str();
        let mut document = self.document.clone();
        if document.get("default").is_none() && self.names()?.is_empty() {
            document.insert("default", value(name));
        }
        let all = document.entry("profiles").or_insert_with(|| {
            let mut all = Table::new();
            all.set_implicit(true);
            Item::Table(all)
        });
        let all = all
            .as_table_like_mut()
            .ok_or_else(|| self.error("profiles is not a table; write [profiles.NAME]"))?;
        if all.get(name).is_none() {
            all.insert(name, Item::Table(Table::new()));
        }
        // An inline table stays an inline table.
        let table = all.get_mut(name).and_then(Item::as_table_like_mut);
        let table = table.ok_or_else(|| {
            self.error(format_args!("profile {name}: not a table; write [profiles.{name}]"))
        })?;
        put(table, "console", &profile.console.to_string());
        match profile.version {
            Some(version) => put(table, "api-version", version.as_str()),
            None => drop(table.remove("api-version")),
        }
        let (key, other, location) = match profile.token {
            TokenStorage::Keyring => ("token", "token-file", KEYRING.to_owned()),
            _ => ("token-file", "token", format!("{TOKENS}/{name}.token")),
        };
        put(table, key, &location);
        table.remove(other);
        Ok(document)
    }

    /// Removes a profile, and its token if login stored it. Returns a warning about a token that remains.
    pub(crate) fn remove(&mut self, name: &str) -> Result<Option<String>, CliError> {
        // An unknown profile is an error before the file is locked.
        self.profile(name)?;
        let _lock = self.lock()?;
        let profile = self.profile(name)?;
        let warning = match &profile.token {
            TokenStorage::File(file) if *file == self.token_file(name) => {
                remove_if_exists(file).map(|()| None)?
            }
            TokenStorage::File(file) => exists(file).then(|| {
                format!("{}: s1 login did not create this token file; it was not removed", file.display())
            }),
            // An unavailable keyring does not prevent the removal of the profile.
            TokenStorage::Keyring => {
                keyring::delete(&profile).err().map(|failure| format!("warning: {failure}"))
            }
            TokenStorage::None => None,
        };
        let mut document = self.document.clone();
        if let Some(all) = document.get_mut("profiles").and_then(Item::as_table_like_mut) {
            all.remove(name);
        }
        if self.default()?.as_deref() == Some(name) {
            // The comment above the line belongs to the file.
            let comment = document
                .key("default")
                .and_then(|key| key.leaf_decor().prefix()?.as_str())
                .map(str::to_owned);
            document.remove("default");
            document = format!("{}{document}", comment.unwrap_or_default())
                .parse()
                .map_err(|_| self.error("cannot remove the profile; edit the file by hand"))?;
        }
        self.write(document)?;
        Ok(warning)
    }

    /// Returns the file to write. The path can be a link, also to a missing file.
    fn target(&self) -> PathBuf {
        let linked = || fs::read_link(&self.path).map(|to| self.dir().join(to));
        fs::canonicalize(&self.path).or_else(|_| linked()).unwrap_or_else(|_| self.path.clone())
    }

    fn write(&mut self, document: DocumentMut) -> Result<(), CliError> {
        let file = self.target();
        create_private_dir(dir_of(&file))?;
        replace(&file, document.to_string().as_bytes()).map_err(|error| cannot_write(&file, &error))?;
        self.document = document;
        Ok(())
    }

    /// Returns the list of the profiles, without their tokens.
    pub(crate) fn list(&self, format: &str) -> Result<String, CliError> {
        let default = self.default()?;
        let names = self.names()?;
        let profiles = names.iter().map(|name| self.profile(name)).collect::<Result<Vec<_>, _>>()?;
        let to_json = |profile: &Profile| {
            json!({
                "name": profile.name,
                "default": default.as_deref() == Some(profile.name.as_str()),
                "console": profile.console.to_string(),
                "apiVersion": profile.version.map(ApiVersion::as_str),
                "token": profile.token.to_string(),
            })
        };
        let all: Vec<Value> = profiles.iter().map(to_json).collect();
        Ok(match format {
            "ndjson" => json_text::lines(&all),
            "table" if all.is_empty() => "0 found\n".to_owned(),
            "table" => {
                let rows = profiles.iter().map(|profile| {
                    let is_default = default.as_deref() == Some(profile.name.as_str());
                    let version = profile.version.map(|version| version.as_str().to_owned());
                    vec![
                        profile.name.clone(),
                        if is_default { "yes".to_owned() } else { String::new() },
                        profile.console.to_string(),
                        version.unwrap_or_default(),
                        profile.token.to_string(),
                    ]
                });
                table::grid(["Profile", "Default", "Console", "API", "Token"], rows)
            }
            _ => json_text::pretty(&Value::Array(all)),
        })
    }
}

/// Reads the token of a profile.
pub(crate) fn token(profile: &Profile, quiet: bool) -> Result<ApiToken, CliError> {
    match &profile.token {
        TokenStorage::File(file) => {
            let token = match ApiToken::from_file(file) {
                // The path can be a token. It is not shown.
                Err(TokenError::File { source, .. }) if !exists(file) => {
                    let name = &profile.name;
                    return Err(CliError::Usage(format!(
                        "profile {name}: cannot read the file of token-file: {source}; correct the path, or run \
                         s1 login --profile {name}"
                    )));
                }
                read => read?,
            };
            if let Some(warning) = permission_warning(file).filter(|_| !quiet) {
                stdio::report(warning);
            }
            Ok(token)
        }
        TokenStorage::Keyring => Ok(ApiToken::new(keyring::get(profile)?.expose_secret())?),
        TokenStorage::None => {
            let name = &profile.name;
            Err(CliError::Usage(format!("profile {name} has no token; run s1 login --profile {name}")))
        }
    }
}

/// Sets a key. An existing key keeps its position and its comment.
fn put(table: &mut dyn TableLike, key: &str, text: &str) {
    let mut new = Setting::from(text);
    match table.get_mut(key) {
        Some(item) => {
            if let Some(old) = item.as_value() {
                *new.decor_mut() = old.decor().clone();
            }
            *item = Item::Value(new);
        }
        None => drop(table.insert(key, Item::Value(new))),
    }
}

/// Returns whether a value of `token-file` is a token.
fn is_token_like(text: &str) -> bool {
    let token = ApiToken::new(text).ok();
    let text = token.as_ref().map_or(text.trim(), ApiToken::expose_secret);
    text.starts_with("eyJ") || (text.len() > 64 && !text.contains(is_separator))
}

fn remove_if_exists(file: &Path) -> Result<(), CliError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CliError::Io(io::Error::new(
            error.kind(),
            format!("{}: cannot remove the file: {error}", file.display()),
        ))),
        _ => Ok(()),
    }
}

fn dir_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// Returns an error unless a profile name is also a valid file name.
pub(crate) fn check_name(name: &str) -> Result<(), CliError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.chars().all(fits) {
        return Ok(());
    }
    let message =
        "is not a valid profile name; use letters, digits, - and _, and . after the first character";
    Err(CliError::Usage(format!("{name:?} {message}")))
}

fn path() -> Result<PathBuf, CliError> {
    if let Some(path) = std::env::var_os("S1_CONFIG").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        CliError::Usage(format!("no configuration directory: {error}; set S1_CONFIG to the path of the file"))
    })?;
    Ok(strategy.config_dir().join("s1").join("config.toml"))
}

fn cannot_write(file: &Path, error: &io::Error) -> CliError {
    CliError::Io(io::Error::new(error.kind(), format!("{}: cannot write: {error}", file.display())))
}

/// Creates a directory that only its owner can read. An existing directory keeps its mode.
fn create_private_dir(dir: &Path) -> Result<(), CliError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match dir.as_os_str().is_empty() {
        true => Ok(()),
        false => builder.create(dir).map_err(|error| cannot_write(dir, &error)),
    }
}

/// Returns a warning if other users can read a token file.
#[cfg(unix)]
fn permission_warning(file: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(file).ok()?.permissions().mode();
    let path = file.display();
    (mode & 0o077 != 0)
        .then(|| format!("warning: other users can read the token in {path}; run chmod 600 {path}"))
}

/// Returns no warning: other systems do not have file modes.
#[cfg(not(unix))]
fn permission_warning(_: &Path) -> Option<String> {
    None
}
