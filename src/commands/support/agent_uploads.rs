//! Files that agents upload, and their download.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
#[cfg(feature = "unzip")]
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sentinelone_raw::agents as raw;
use sentinelone_raw::runtime::{Page, Request, Timestamp};
use serde_json::{Map, Value};

use super::batch_action::argument_error;
use super::context_path::{ContextPath, context_under};
use super::polling::PollPolicy;
use crate::Result;
use crate::client::Client;
use crate::commands::{Argument, ArgumentError, ArgumentKind, Arguments, ProgressEvent, ProgressObserver};
use crate::error::Error;
use crate::files::{Download, SavedFile, safe_name};
#[cfg(feature = "unzip")]
use crate::files::{UnpackLimits, unpack_while};

/// Context path of a download.
pub(crate) const PATH: ContextPath =
    ContextPath::computed("SentinelOne.Download.Path", "String", "Name of the unpacked file").undocumented();

/// Metadata file of an archive.
const MANIFEST: &str = "manifest.json";

/// Default timeout of an upload, in seconds.
const TIMEOUT: u64 = 600;

/// An upload of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Upload {
    /// ID of the agent.
    pub(crate) agent: String,
    /// ID of the activity that reports the upload.
    pub(crate) activity: String,
}

impl Upload {
    /// Returns the upload of an activity, whose data has a path such as `/agents/1/uploads/2`.
    fn from_activity(entry: &Value) -> Option<Self> {
        let path = entry.pointer("/data/downloadUrl")?.as_str()?;
        let (agent, activity) = path.strip_prefix("/agents/")?.split_once("/uploads/")?;
        let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (is_id(agent) && is_id(activity))
            .then(|| Self { agent: agent.to_owned(), activity: activity.to_owned() })
    }

    /// Returns the path in the notation of the console.
    pub(crate) fn path(&self) -> String {
        format!("/agents/{}/uploads/{}", self.agent, self.activity)
    }
}

/// The uploads of an activity log.
pub(crate) struct ActivityLog {
    /// Uploads in the order of the log.
    pub(crate) uploads: Vec<Upload>,
    /// Time of the newest entry, by the clock of the console.
    pub(crate) newest: Option<Timestamp>,
}

impl ActivityLog {
    /// Reads a log and returns the uploads of the entries that match `filter`.
    pub(crate) async fn read(
        client: &Client,
        request: &Request<Page<Value>>,
        filter: impl Fn(&Value) -> bool,
    ) -> Result<Self> {
        let entries = client.send(request).await?.into_value().data;
        let uploads =
            entries.iter().filter(|entry| filter(entry)).filter_map(Upload::from_activity).collect();
        let times = entries.iter().filter_map(|entry| entry.get("createdAt")?.as_str());
        let times = times.map(Timestamp::from).filter(|time| time.unix_millis().is_some());
        Ok(Self { uploads, newest: times.max_by_key(Timestamp::unix_millis) })
    }

    /// Returns the oldest upload that is not in `before`. The log starts with the newest entry.
    pub(crate) fn new_since(self, before: &HashSet<Upload>) -> Option<Upload> {
        self.uploads.into_iter().rfind(|upload| !before.contains(upload))
    }
}

/// Returns the poll policy of uploads.
pub(crate) const fn poll_policy(timeout: Duration) -> PollPolicy {
    PollPolicy { interval: Duration::from_secs(2), max_interval: Duration::from_secs(15), timeout }
}

/// The destination of a download.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DownloadTarget<'a> {
    /// Output directory.
    pub(crate) dir: &'a Path,
    /// Name of the directory of the unpacked files, and of the zip file without its extension.
    pub(crate) name: &'a str,
    /// Whether to unpack the zip.
    pub(crate) unpack: bool,
}

impl DownloadTarget<'_> {
    /// Returns the path of the zip or of the directory.
    pub(crate) fn path(&self) -> PathBuf {
        let name = if self.unpack { self.name.to_owned() } else { format!("{}.zip", self.name) };
        self.dir.join(safe_name(&name))
    }

    /// Returns an error if the path exists. Called before any request is sent.
    pub(crate) fn check(&self) -> Result<()> {
        let target = self.path();
        if target.symlink_metadata().is_ok() {
            return Err(Error::io(&target, std::io::ErrorKind::AlreadyExists.into()));
        }
        Ok(())
    }

    /// Downloads an upload to this destination.
    pub(crate) async fn download(
        &self,
        client: &Client,
        upload: &Upload,
        password: &SecretString,
        observer: &dyn ProgressObserver,
    ) -> Result<Vec<SavedFile>> {
        let download = client.download(&raw::download(&upload.agent, &upload.activity)?).await?;
        if self.unpack {
            return self.unpack(download, password, observer).await;
        }
        Ok(vec![self.save(download, self.dir, observer).await?])
    }

    async fn save(
        &self,
        download: Download,
        dir: &Path,
        observer: &dyn ProgressObserver,
    ) -> Result<SavedFile> {
        let (name, total) = (format!("{}.zip", self.name), download.length());
        let received =
            |bytes| observer.on_event(ProgressEvent::Received { name: name.clone(), bytes, total });
        download.save(dir, &name, received).await
    }

    #[cfg(feature = "unzip")]
    async fn unpack(
        &self,
        download: Download,
        password: &SecretString,
        observer: &dyn ProgressObserver,
    ) -> Result<Vec<SavedFile>> {
        let failed = |source| Error::io(self.dir, source);
        std::fs::create_dir_all(self.dir).map_err(failed)?;
        // The temporary directory removes the zip in any case.
        let temp_dir = tempfile::TempDir::new_in(self.dir).map_err(failed)?;
        let zip = self.save(download, temp_dir.path(), observer).await?;
        let target = self.path();
        let (password, into) = (password.clone(), target.clone());
        let guard = CancelOnDrop(Arc::new(AtomicBool::new(true)));
        let active = Arc::clone(&guard.0);
        let work = tokio::task::spawn_blocking(move || {
            let is_active = || active.load(Ordering::Relaxed);
            let files = unpack_while(&zip.path, &password, &into, UnpackLimits::default(), &is_active);
            drop(temp_dir);
            files
        });
        let files = work.await.map_err(|_| Error::archive("unpacking was interrupted"))??;
        drop(guard);
        if first_file(&files).is_none() {
            std::fs::remove_dir_all(&target).map_err(|source| Error::io(&target, source))?;
            return Err(Error::archive("the upload contains no file"));
        }
        Ok(files)
    }

    #[cfg(not(feature = "unzip"))]
    async fn unpack(
        &self,
        _: Download,
        _: &SecretString,
        _: &dyn ProgressObserver,
    ) -> Result<Vec<SavedFile>> {
        Err(Error::configuration(NOT_BUILT))
    }
}

/// Stops the unpacking when it is dropped.
#[cfg(feature = "unzip")]
struct CancelOnDrop(Arc<AtomicBool>);

#[cfg(feature = "unzip")]
impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Returns the first file that is not the manifest.
fn first_file(files: &[SavedFile]) -> Option<&SavedFile> {
    files.iter().find(|file| file.name != MANIFEST)
}

/// Returns the context of downloaded files. The names in a zip that is not unpacked are unknown.
pub(crate) fn context(files: &[SavedFile], unpack: bool) -> Value {
    match first_file(files).filter(|_| unpack) {
        Some(file) => context_under(PATH.path, file.name.clone().into()),
        None => Value::Object(Map::new()),
    }
}

const NOT_BUILT: &str = "requires the feature unzip, which is not part of this build; use unpack=false to \
                         keep the protected zip";

/// Rejects `unpack` if the build does not include the feature `unzip`.
pub(crate) fn check_unpack(command: &'static str, unpack: bool) -> Result<()> {
    if unpack && !cfg!(feature = "unzip") {
        return Err(argument_error(command, "unpack", NOT_BUILT));
    }
    Ok(())
}

/// Validates a new password by the rules of the console.
pub(crate) fn check_password(command: &'static str, password: &SecretString) -> Result<()> {
    let password = password.expose_secret();
    let symbol = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control();
    let classes = [
        password.contains(|c: char| c.is_uppercase()),
        password.contains(|c: char| c.is_lowercase()),
        password.contains(|c: char| c.is_numeric()),
        password.contains(symbol),
    ];
    let count = classes.into_iter().filter(|is_present| *is_present).count();
    if (10..=256).contains(&password.chars().count()) && count >= 3 {
        return Ok(());
    }
    let message =
        "must have 10 to 256 characters and three of: uppercase letters, lowercase letters, digits, symbols";
    Err(argument_error(command, "password", message))
}

/// The argument for the password of a new archive.
pub(crate) const fn new_password() -> Argument {
    Argument::new(
        "password",
        ArgumentKind::String,
        "Password that protects the zip: 10 to 256 characters, with three of uppercase letters, lowercase \
         letters, digits and symbols.",
    )
    .required()
}

/// Parses the password. Spaces are part of it.
pub(crate) fn password(arguments: &mut Arguments) -> Result<SecretString, ArgumentError> {
    Ok(SecretString::from(arguments.required("password")?))
}

/// Parses a required ID.
pub(crate) fn id(arguments: &mut Arguments, name: &str) -> Result<String, ArgumentError> {
    Ok(arguments.required(name)?.trim().to_owned())
}

/// The argument for the output directory.
pub(crate) const fn dir_argument() -> Argument {
    Argument::new("dir", ArgumentKind::String, "Output directory.").default(".")
}

/// Parses the output directory.
pub(crate) fn dir(arguments: &mut Arguments) -> Result<PathBuf, ArgumentError> {
    Ok(arguments.string("dir")?.unwrap_or_else(|| ".".to_owned()).into())
}

/// The argument for unpacking.
pub(crate) const fn unpack_argument() -> Argument {
    Argument::new(
        "unpack",
        ArgumentKind::Boolean,
        "Whether to unpack the zip into its own directory. Otherwise the protected zip is kept.",
    )
    .default("true")
}

/// Parses `unpack`.
pub(crate) fn unpack(arguments: &mut Arguments) -> Result<bool, ArgumentError> {
    Ok(arguments.boolean("unpack")?.unwrap_or(true))
}

/// The argument for the timeout.
pub(crate) const fn timeout_argument() -> Argument {
    Argument::new("timeout", ArgumentKind::Integer, "Maximum time to wait for the upload, in seconds.")
        .default("600")
}

/// Parses the timeout, at most one week.
pub(crate) fn timeout(arguments: &mut Arguments) -> Result<Duration, ArgumentError> {
    // Larger values would overflow the clock.
    const WEEK: u64 = 7 * 24 * 60 * 60;
    match arguments.count("timeout")?.unwrap_or(TIMEOUT) {
        seconds if seconds <= WEEK => Ok(Duration::from_secs(seconds)),
        _ => Err(arguments.error("timeout", format!("exceeds {WEEK} seconds (one week)"))),
    }
}
