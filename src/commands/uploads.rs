//! What the commands that take files from agents have in common.

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

use super::act::refuse;
use super::context::{Output, under};
use super::wait::Patience;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Event, Watch};
use crate::Result;
use crate::client::Client;
use crate::error::Error;
use crate::files::{Download, Saved, safe_name};
#[cfg(feature = "unzip")]
use crate::files::{Limits, unpack_while};

/// The context path of a download.
pub(super) const PATH: Output =
    Output::computed("SentinelOne.Download.Path", "String", "Name of the file in the zip, once unpacked")
        .undocumented();

/// What an archive holds beside the files.
const MANIFEST: &str = "manifest.json";

/// How long to wait for an upload, unless said otherwise.
const TIMEOUT: u64 = 600;

/// Something that an agent handed over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Upload {
    /// The agent.
    pub(super) agent: String,
    /// The activity that tells of it.
    pub(super) activity: String,
}

impl Upload {
    /// The upload that an entry of a log tells of: its data has a path such as `/agents/1/uploads/2`.
    fn told_by(entry: &Value) -> Option<Self> {
        let path = entry.pointer("/data/downloadUrl")?.as_str()?;
        let (agent, activity) = path.strip_prefix("/agents/")?.split_once("/uploads/")?;
        let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (is_id(agent) && is_id(activity))
            .then(|| Self { agent: agent.to_owned(), activity: activity.to_owned() })
    }

    /// The path, as the console writes it.
    pub(super) fn path(&self) -> String {
        format!("/agents/{}/uploads/{}", self.agent, self.activity)
    }
}

/// What a look at a log found.
pub(super) struct Log {
    /// The uploads, in the order of the log.
    pub(super) uploads: Vec<Upload>,
    /// When its newest entry was made, by the clock of the console.
    pub(super) newest: Option<Timestamp>,
}

impl Log {
    /// Looks at a log, for the uploads that entries which `fit` tell of.
    pub(super) async fn read(
        client: &Client,
        request: &Request<Page<Value>>,
        fit: impl Fn(&Value) -> bool,
    ) -> Result<Self> {
        let entries = client.send(request).await?.into_value().data;
        let uploads = entries.iter().filter(|entry| fit(entry)).filter_map(Upload::told_by).collect();
        let times = entries.iter().filter_map(|entry| entry.get("createdAt")?.as_str());
        let times = times.map(Timestamp::from).filter(|time| time.unix_millis().is_some());
        Ok(Self { uploads, newest: times.max_by_key(Timestamp::unix_millis) })
    }

    /// The first upload that was not there before, of a log with the newest at its beginning.
    pub(super) fn new_since(self, before: &HashSet<Upload>) -> Option<Upload> {
        self.uploads.into_iter().rfind(|upload| !before.contains(upload))
    }
}

/// How often to look for an upload.
pub(super) const fn patience(timeout: Duration) -> Patience {
    Patience { interval: Duration::from_secs(2), slowest: Duration::from_secs(15), timeout }
}

/// Where a download goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The folder.
    pub(super) folder: &'a Path,
    /// Name of the folder that it is unpacked into, and of the zip file without its ending.
    pub(super) name: &'a str,
    /// Whether to unpack it.
    pub(super) unpack: bool,
}

impl Place<'_> {
    /// Where it is then.
    pub(super) fn target(&self) -> PathBuf {
        let name = if self.unpack { self.name.to_owned() } else { format!("{}.zip", self.name) };
        self.folder.join(safe_name(&name))
    }

    /// Nothing of that name is there already. This is looked at before anything is sent.
    pub(super) fn check(&self) -> Result<()> {
        let target = self.target();
        if target.symlink_metadata().is_ok() {
            return Err(Error::file(&target, std::io::ErrorKind::AlreadyExists.into()));
        }
        Ok(())
    }

    /// Downloads an upload to here.
    pub(super) async fn take(
        &self,
        client: &Client,
        upload: &Upload,
        password: &SecretString,
        watch: &dyn Watch,
    ) -> Result<Vec<Saved>> {
        let download = client.download(&raw::download(&upload.agent, &upload.activity)?).await?;
        if self.unpack {
            return self.unpack(download, password, watch).await;
        }
        Ok(vec![self.save(download, self.folder, watch).await?])
    }

    async fn save(&self, download: Download, folder: &Path, watch: &dyn Watch) -> Result<Saved> {
        let (name, total) = (format!("{}.zip", self.name), download.length());
        let received = |bytes| watch.on(Event::Received { name: name.clone(), bytes, total });
        download.save(folder, &name, received).await
    }

    #[cfg(feature = "unzip")]
    async fn unpack(
        &self,
        download: Download,
        password: &SecretString,
        watch: &dyn Watch,
    ) -> Result<Vec<Saved>> {
        let failed = |source| Error::file(self.folder, source);
        std::fs::create_dir_all(self.folder).map_err(failed)?;
        // The zip is gone with this folder, whatever happens.
        let beside = tempfile::TempDir::new_in(self.folder).map_err(failed)?;
        let zip = self.save(download, beside.path(), watch).await?;
        let target = self.target();
        let (password, into) = (password.clone(), target.clone());
        let wanted = Wanted(Arc::new(AtomicBool::new(true)));
        let still = Arc::clone(&wanted.0);
        let work = tokio::task::spawn_blocking(move || {
            let is_wanted = || still.load(Ordering::Relaxed);
            let files = unpack_while(&zip.path, &password, &into, Limits::default(), &is_wanted);
            drop(beside);
            files
        });
        let files = work.await.map_err(|_| Error::archive("the unpacking ended early"))??;
        drop(wanted);
        if first(&files).is_none() {
            std::fs::remove_dir_all(&target).map_err(|source| Error::file(&target, source))?;
            return Err(Error::archive("the upload holds no file: there was nothing to collect"));
        }
        Ok(files)
    }

    #[cfg(not(feature = "unzip"))]
    async fn unpack(&self, _: Download, _: &SecretString, _: &dyn Watch) -> Result<Vec<Saved>> {
        Err(Error::configuration(NOT_BUILT))
    }
}

/// Nobody waits for the unpacking any more when this is dropped.
#[cfg(feature = "unzip")]
struct Wanted(Arc<AtomicBool>);

#[cfg(feature = "unzip")]
impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The first file that was collected.
fn first(files: &[Saved]) -> Option<&Saved> {
    files.iter().find(|file| file.name != MANIFEST)
}

/// The context of what was taken from a place. The names in a zip that is kept as it is are not known.
pub(super) fn context(files: &[Saved], unpack: bool) -> Value {
    match first(files).filter(|_| unpack) {
        Some(file) => under(PATH.path, file.name.clone().into()),
        None => Value::Object(Map::new()),
    }
}

const NOT_BUILT: &str = "needs the feature unzip, which this build leaves out; with unpack=false the \
     protected zip is kept";

/// An archive can be unpacked, if it is to be.
pub(super) fn check_unpack(command: &'static str, unpack: bool) -> Result<()> {
    if unpack && !cfg!(feature = "unzip") {
        return Err(refuse(command, "unpack", NOT_BUILT));
    }
    Ok(())
}

/// The console refuses other passwords, or would protect the file badly.
pub(super) fn check_password(command: &'static str, password: &SecretString) -> Result<()> {
    let password = password.expose_secret();
    let symbol = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control();
    let classes = [
        password.contains(|c: char| c.is_uppercase()),
        password.contains(|c: char| c.is_lowercase()),
        password.contains(|c: char| c.is_numeric()),
        password.contains(symbol),
    ];
    let count = classes.into_iter().filter(|is_there| *is_there).count();
    if (10..=256).contains(&password.chars().count()) && count >= 3 {
        return Ok(());
    }
    let message = "has to have 10 to 256 characters, and three out of uppercase letters, lowercase letters, \
         digits and symbols";
    Err(refuse(command, "password", message))
}

/// The argument that is the password of an archive that is still to be made.
pub(super) const fn new_password() -> Argument {
    Argument::new(
        "password",
        ArgumentKind::Text,
        "The password to protect the zip with: 10 to 256 characters, with three out of uppercase letters, \
         lowercase letters, digits and symbols.",
    )
    .required()
}

/// The password, as it is given: blanks belong to it.
pub(super) fn password(arguments: &mut Arguments) -> Result<SecretString, ArgumentError> {
    Ok(SecretString::from(arguments.required("password")?))
}

/// An identifier that has to be there.
pub(super) fn id(arguments: &mut Arguments, name: &str) -> Result<String, ArgumentError> {
    Ok(arguments.required(name)?.trim().to_owned())
}

/// The argument that says where files go.
pub(super) const fn folder_argument() -> Argument {
    Argument::new("folder", ArgumentKind::Text, "The folder on this machine that files are written to.")
        .default(".")
}

/// Its value.
pub(super) fn folder(arguments: &mut Arguments) -> Result<PathBuf, ArgumentError> {
    Ok(arguments.text("folder")?.unwrap_or_else(|| ".".to_owned()).into())
}

/// The argument that says whether to unpack.
pub(super) const fn unpack_argument() -> Argument {
    Argument::new(
        "unpack",
        ArgumentKind::Boolean,
        "Whether to unpack the zip, into a folder of its own; otherwise it is kept as it is, protected.",
    )
    .default("true")
}

/// Its value.
pub(super) fn unpack(arguments: &mut Arguments) -> Result<bool, ArgumentError> {
    Ok(arguments.boolean("unpack")?.unwrap_or(true))
}

/// The argument that says how long to wait.
pub(super) const fn timeout_argument() -> Argument {
    Argument::new("timeout", ArgumentKind::Integer, "How many seconds to wait for the upload at the most.")
        .default("600")
}

/// Its value.
pub(super) fn timeout(arguments: &mut Arguments) -> Result<Duration, ArgumentError> {
    // Longer than a week is no waiting; beyond it the clock would overflow in the end.
    const WEEK: u64 = 7 * 24 * 60 * 60;
    match arguments.count("timeout")?.unwrap_or(TIMEOUT) {
        seconds if seconds <= WEEK => Ok(Duration::from_secs(seconds)),
        _ => Err(arguments.wrong("timeout", format!("is more than {WEEK}, which is a week"))),
    }
}
