//! Profiles: consoles and their tokens under a name, in a file of settings.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf, is_separator};
use std::thread;
use std::time::{Duration, Instant};

use etcetera::BaseStrategy;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sentinelone::{ApiToken, ApiVersion, Console, TokenError};
use serde_json::{Value, json};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value as Setting, value};

use crate::keyring;
use crate::output;
use crate::run::Failure;
use crate::suggest::did_you_mean;

/// What a profile has in place of a token that the system keeps.
const KEYRING: &str = "keyring";
/// The folder beside the settings in which login keeps tokens.
const TOKENS: &str = "tokens";
const TOP: [&str; 2] = ["default", "profiles"];
const KEYS: [&str; 4] = ["console", "token-file", "token", "api-version"];

/// How long another process may take to change the settings.
const PATIENCE: Duration = Duration::from_secs(5);

/// The file of settings, as it is.
pub(crate) struct Settings {
    path: PathBuf,
    document: DocumentMut,
}

/// A console under a name.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) console: Console,
    pub(crate) version: Option<ApiVersion>,
    pub(crate) token: Kept,
}

/// Where a profile's token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Nowhere,
    File(PathBuf),
    Keyring,
}

impl Settings {
    /// Reads the file, on a system that has a place for it.
    pub(crate) fn read_if_any() -> Result<Option<Self>, Failure> {
        path().ok().map(Self::of).transpose()
    }

    /// Reads the file; what is not there holds nothing.
    pub(crate) fn read() -> Result<Self, Failure> {
        Self::of(path()?)
    }

    fn of(path: PathBuf) -> Result<Self, Failure> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Failure::Usage(format!(
                    "{}: the profiles cannot be read: {error}",
                    path.display()
                )));
            }
        };
        let document = text.parse::<DocumentMut>().map_err(|error| {
            // The error itself shows the line, and there may be a token in it.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Failure::Usage(format!("{}: line {line} is no TOML: {}", path.display(), error.message()))
        })?;
        let settings = Self { path, document };
        settings.check_keys(settings.document.as_table(), &TOP, "")?;
        Ok(settings)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn wrong(&self, message: impl std::fmt::Display) -> Failure {
        Failure::Usage(format!("{}: {message}", self.path.display()))
    }

    fn check_keys(&self, table: &dyn TableLike, known: &[&str], place: &str) -> Result<(), Failure> {
        match table.iter().map(|(key, _)| key).find(|key| !known.contains(key)) {
            Some(key) => {
                let meant = did_you_mean(key, known.iter().copied());
                let known = known.join(", ");
                Err(self.wrong(format_args!("{place}{key:?} is no setting; there are {known}{meant}")))
            }
            None => Ok(()),
        }
    }

    /// The name of the profile that is taken where none is named.
    pub(crate) fn default(&self) -> Result<Option<String>, Failure> {
        match self.document.get("default") {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(name) => Ok(Some(name.to_owned())),
                None => Err(self.wrong("default is no text; give the name of a profile")),
            },
        }
    }

    fn profiles(&self) -> Result<Option<&dyn TableLike>, Failure> {
        match self.document.get("profiles") {
            None => Ok(None),
            Some(item) => match item.as_table_like() {
                Some(profiles) => Ok(Some(profiles)),
                None => Err(self.wrong("profiles is no table; write [profiles.NAME]")),
            },
        }
    }

    /// The names of all profiles, as they stand.
    pub(crate) fn names(&self) -> Result<Vec<String>, Failure> {
        Ok(self
            .profiles()?
            .map(|all| all.iter().map(|(name, _)| name.to_owned()).collect())
            .unwrap_or_default())
    }

    /// A profile, which has to be there.
    pub(crate) fn profile(&self, name: &str) -> Result<Profile, Failure> {
        let item = self.profiles()?.and_then(|all| all.get(name));
        let Some(item) = item else {
            let names = self.names()?;
            let meant = did_you_mean(name, names.iter().map(String::as_str));
            let known = match names.as_slice() {
                [] => format!("there is none; s1 login --profile {name} makes it"),
                names => format!("there are {}", names.join(", ")),
            };
            return Err(self.wrong(format_args!("there is no profile {name:?}; {known}{meant}")));
        };
        let place = format!("profile {name}: ");
        let table = item.as_table_like();
        let table = table
            .ok_or_else(|| self.wrong(format_args!("{place}it is no table; write [profiles.{name}]")))?;
        self.check_keys(table, &KEYS, &place)?;
        // What stands there may be a token in the wrong place, so it is not shown.
        let text = |key: &str| match table.get(key) {
            None => Ok(None),
            Some(item) => match item.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(self.wrong(format_args!("{place}{key} is no text; put it in quotes"))),
            },
        };
        let console =
            text("console")?.ok_or_else(|| self.wrong(format_args!("{place}console is missing")))?;
        let console = console.parse().map_err(|error| self.wrong(format_args!("{place}{error}")))?;
        let version =
            match text("api-version")? {
                None => None,
                Some(text) => {
                    let version = ApiVersion::ALL.iter().copied().find(|version| version.as_str() == text);
                    Some(version.ok_or_else(|| {
                        self.wrong(format_args!("{place}api-version is neither 2.0 nor 2.1"))
                    })?)
                }
            };
        let token = match (text("token-file")?, text("token")?) {
            (None, None) => Kept::Nowhere,
            (Some(file), None) if looks_like_a_token(file) => {
                return Err(self.wrong(format_args!(
                    "{place}token-file takes the name of a file and never a token itself, which everyone who reads \
                     this file would read; take it out, create a new one if others could see it, and run s1 login \
                     --profile {name}"
                )));
            }
            (Some(file), None) => Kept::File(self.beside(file)?),
            (None, Some(KEYRING)) => Kept::Keyring,
            (Some(_), Some(KEYRING)) => {
                return Err(
                    self.wrong(format_args!("{place}token-file and token exclude each other; keep one"))
                );
            }
            (_, Some(_)) => {
                return Err(self.wrong(format_args!(
                    "{place}token takes \"keyring\" and never a token itself, which everyone who reads this file \
                     would read; take it out, create a new one if others could see it, and run s1 login \
                     --profile {name}"
                )));
            }
        };
        Ok(Profile { name: name.to_owned(), console, version, token })
    }

    /// A file that the settings name: below their folder, or below the home folder after ~/.
    fn beside(&self, file: &str) -> Result<PathBuf, Failure> {
        if let Some(rest) = file.strip_prefix("~/") {
            let home = etcetera::home_dir().map_err(|error| self.wrong(error))?;
            return Ok(home.join(rest));
        }
        Ok(self.folder().join(file))
    }

    fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// The file in which login keeps the token of a profile.
    pub(crate) fn kept(&self, name: &str) -> PathBuf {
        self.folder().join(TOKENS).join(format!("{name}.token"))
    }

    /// Refuses the name of a new profile that is another's but for capitals: some systems take the files of their
    /// tokens for one.
    pub(crate) fn check_new(&self, name: &str) -> Result<(), Failure> {
        let names = self.names()?;
        match names.iter().find(|one| one.eq_ignore_ascii_case(name)) {
            Some(other) if !names.iter().any(|one| one == name) => {
                Err(self.wrong(format_args!(
                    "there is a profile {other}, which {name} differs from in capitals alone; take that, or another name"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Keeps other processes from changing the settings, and reads what they have made of them.
    fn lock(&mut self) -> Result<File, Failure> {
        let file = self.target();
        private_folder(folder_of(&file))?;
        let lock = open_lock(&file).map_err(|error| cannot_write(&file, &error))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => {
                    let message = "another s1 is changing the profiles; try again when it is done";
                    return Err(cannot_write(&file, &io::Error::new(io::ErrorKind::WouldBlock, message)));
                }
                Err(TryLockError::Error(error)) => return Err(cannot_write(&file, &error)),
            }
        }
        *self = Self::of(self.path.clone())?;
        Ok(lock)
    }

    /// Keeps a token and its profile, both or none. Whether the profile became the default by that.
    pub(crate) fn keep(&mut self, profile: &Profile, token: &SecretString) -> Result<bool, Failure> {
        let _lock = self.lock()?;
        let name = &profile.name;
        self.check_new(name)?;
        let before = self.profile(name).ok();
        let had_default = self.default()?.is_some();
        let document = self.with(profile)?;
        match &profile.token {
            Kept::Keyring => {
                let old = keyring::find(profile)?;
                keyring::set(profile, token)?;
                if let Err(failure) = self.write(document) {
                    // What was there before is there again.
                    match old {
                        Some(old) => keyring::set(profile, &old)?,
                        None => keyring::delete(profile)?,
                    }
                    return Err(failure);
                }
            }
            _ => {
                let file = self.kept(name);
                let old = fs::read(&file).ok().map(SecretSlice::from);
                private_folder(folder_of(&file))?;
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
        // The profile is kept. What login kept elsewhere before is not left behind where that can be helped.
        let cleared = match before {
            Some(before) if before.token == Kept::Keyring => {
                let same = profile.token == Kept::Keyring && before.console == profile.console;
                if same { Ok(()) } else { keyring::delete(&before) }
            }
            Some(Profile { token: Kept::File(file), .. }) if file == self.kept(name) => match profile.token {
                Kept::Keyring => remove_if_there(&file),
                _ => Ok(()),
            },
            _ => Ok(()),
        };
        if let Err(failure) = cleared {
            output::say(format_args!("warning: the token from before is left: {failure}"));
        }
        Ok(!had_default && self.default()?.as_ref() == Some(name))
    }

    /// The settings with this profile in them.
    fn with(&self, profile: &Profile) -> Result<DocumentMut, Failure> {
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
            .ok_or_else(|| self.wrong("profiles is no table; write [profiles.NAME]"))?;
        if all.get(name).is_none() {
            all.insert(name, Item::Table(Table::new()));
        }
        // Whichever way it is written, it stays.
        let table = all.get_mut(name).and_then(Item::as_table_like_mut);
        let table = table.ok_or_else(|| {
            self.wrong(format_args!("profile {name}: it is no table; write [profiles.{name}]"))
        })?;
        put(table, "console", &profile.console.to_string());
        match profile.version {
            Some(version) => put(table, "api-version", version.as_str()),
            None => drop(table.remove("api-version")),
        }
        let (kept, other, where_it_is) = match profile.token {
            Kept::Keyring => ("token", "token-file", KEYRING.to_owned()),
            _ => ("token-file", "token", format!("{TOKENS}/{name}.token")),
        };
        put(table, kept, &where_it_is);
        table.remove(other);
        Ok(document)
    }

    /// Removes a profile, and its token where login has put it. Tells what is left.
    pub(crate) fn forget(&mut self, name: &str) -> Result<Option<String>, Failure> {
        // Where there is nothing to forget nothing is written.
        self.profile(name)?;
        let _lock = self.lock()?;
        let profile = self.profile(name)?;
        let left = match &profile.token {
            Kept::File(file) if *file == self.kept(name) => remove_if_there(file).map(|()| None)?,
            Kept::File(file) => is_there(file).then(|| {
                format!("{}: this file with a token was not made by s1 login, and is left", file.display())
            }),
            // A keyring that is gone keeps nobody from leaving.
            Kept::Keyring => keyring::delete(&profile).err().map(|failure| format!("warning: {failure}")),
            Kept::Nowhere => None,
        };
        let mut document = self.document.clone();
        if let Some(all) = document.get_mut("profiles").and_then(Item::as_table_like_mut) {
            all.remove(name);
        }
        if self.default()?.as_deref() == Some(name) {
            // What is written above it is more than the line's.
            let above = document
                .key("default")
                .and_then(|key| key.leaf_decor().prefix()?.as_str())
                .map(str::to_owned);
            document.remove("default");
            document = format!("{}{document}", above.unwrap_or_default())
                .parse()
                .map_err(|_| self.wrong("it cannot be changed without harm; take the profile out by hand"))?;
        }
        self.write(document)?;
        Ok(left)
    }

    /// The file that is written: settings may be a link to where somebody keeps them, or is going to.
    fn target(&self) -> PathBuf {
        let linked = || fs::read_link(&self.path).map(|to| self.folder().join(to));
        fs::canonicalize(&self.path).or_else(|_| linked()).unwrap_or_else(|_| self.path.clone())
    }

    fn write(&mut self, document: DocumentMut) -> Result<(), Failure> {
        let file = self.target();
        private_folder(folder_of(&file))?;
        replace(&file, document.to_string().as_bytes()).map_err(|error| cannot_write(&file, &error))?;
        self.document = document;
        Ok(())
    }

    /// All profiles, without anything of their tokens.
    pub(crate) fn list(&self, format: &str) -> Result<String, Failure> {
        let default = self.default()?;
        let names = self.names()?;
        let profiles = names.iter().map(|name| self.profile(name)).collect::<Result<Vec<_>, _>>()?;
        let described = |profile: &Profile| {
            json!({
                "name": profile.name,
                "default": default.as_deref() == Some(profile.name.as_str()),
                "console": profile.console.to_string(),
                "apiVersion": profile.version.map(ApiVersion::as_str),
                "token": profile.token.to_string(),
            })
        };
        let all: Vec<Value> = profiles.iter().map(described).collect();
        Ok(match format {
            "ndjson" => output::lines(&all),
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
                output::grid(["Profile", "Default", "Console", "API", "Token"], rows)
            }
            _ => output::pretty(&Value::Array(all)),
        })
    }
}

impl Profile {
    /// The token, read from where it is kept.
    pub(crate) fn token(&self, quiet: bool) -> Result<ApiToken, Failure> {
        match &self.token {
            Kept::File(file) => {
                let token = match ApiToken::from_file(file) {
                    // What stands there may be no name of a file at all.
                    Err(TokenError::File { source, .. }) if !is_there(file) => {
                        let name = &self.name;
                        return Err(Failure::Usage(format!(
                            "profile {name}: the file that token-file names cannot be read: {source}; correct it, or \
                             run s1 login --profile {name}"
                        )));
                    }
                    read => read?,
                };
                if let Some(warning) = open_to_others(file).filter(|_| !quiet) {
                    output::say(warning);
                }
                Ok(token)
            }
            Kept::Keyring => Ok(ApiToken::new(keyring::get(self)?.expose_secret())?),
            Kept::Nowhere => {
                let name = &self.name;
                Err(Failure::Usage(format!("profile {name} has no token; run s1 login --profile {name}")))
            }
        }
    }
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nowhere => f.write_str("none"),
            Self::File(file) if is_there(file) => write!(f, "{}", file.display()),
            Self::File(_) => f.write_str("token-file, which is not there"),
            Self::Keyring => f.write_str(KEYRING),
        }
    }
}

/// Writes a setting, in its place and with the comment beside it where it is there.
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

/// Whether what should be the name of a file is a token: nobody names a file so.
fn looks_like_a_token(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix("ApiToken").map_or(text, str::trim_start);
    text.starts_with("eyJ") || (text.len() > 64 && !text.contains(is_separator))
}

/// Whether a file is known to be there.
fn is_there(file: &Path) -> bool {
    file.try_exists().unwrap_or_default()
}

fn remove_if_there(file: &Path) -> Result<(), Failure> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::Io(io::Error::new(
            error.kind(),
            format!("{}: it cannot be removed: {error}", file.display()),
        ))),
        _ => Ok(()),
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// Names of profiles are also names of files.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.chars().all(fits) {
        return Ok(());
    }
    let message = "is no name of a profile; take letters, digits, and - _ . after the first";
    Err(Failure::Usage(format!("{name:?} {message}")))
}

fn path() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os("S1_CONFIG").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        Failure::Usage(format!("there is no folder for settings: {error}; name the file in S1_CONFIG"))
    })?;
    Ok(strategy.config_dir().join("s1").join("config.toml"))
}

fn cannot_write(file: &Path, error: &io::Error) -> Failure {
    Failure::Io(io::Error::new(error.kind(), format!("{}: it cannot be written: {error}", file.display())))
}

/// Makes a folder that its owner alone can look into; one that is there stays as it is.
fn private_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match folder.as_os_str().is_empty() {
        true => Ok(()),
        false => builder.create(folder).map_err(|error| cannot_write(folder, &error)),
    }
}

/// What there is to warn of where others can read a token.
#[cfg(unix)]
fn open_to_others(file: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(file).ok()?.permissions().mode();
    let shown = file.display();
    (mode & 0o077 != 0)
        .then(|| format!("warning: others can read the token in {shown}; run chmod 600 {shown}"))
}

/// What others may read is no matter of modes there.
#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<String> {
    None
}

/// The file beside another that those lock who change it: it is replaced as a whole, so that a lock on it would
/// hold nobody.
pub(crate) fn open_lock(file: &Path) -> io::Result<File> {
    let mut beside = file.to_path_buf().into_os_string();
    beside.push(".lock");
    File::options().create(true).truncate(false).write(true).open(beside)
}

/// Writes a file that is there as a whole or as it was, readable by its owner alone.
pub(crate) fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(content)?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    // So that the name survives a power cut too; not every system lets a folder be opened.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
