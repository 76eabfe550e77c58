//! Files that agents upload, and their download.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sentinelone_raw::agents as raw;
use sentinelone_raw::runtime::{Binary, Page, Request, Timestamp};
use serde_json::{Map, Value, json};

use super::context_entry::context_under;
use super::error_text::error_about;
use super::polling::PollPolicy;
use super::upload_report::UploadReport;
use crate::Result;
#[cfg(feature = "unzip")]
use crate::cancel_on_drop::CancelOnDrop;
use crate::client::Client;
use crate::commands::argument_error::argument_error;
use crate::commands::{CommandDeclaration, FetchFile, ProgressEvent, ProgressObserver};
use crate::entry_id::id_of;
#[cfg(feature = "unzip")]
use crate::error::ArchiveFault;
use crate::error::{ApiError, Error};
#[cfg(feature = "unzip")]
use crate::files::manifest::ArchiveContent;
use crate::files::manifest::{FileStatus, status_of};
use crate::files::{Download, SavedFile, safe_name};
#[cfg(feature = "unzip")]
use crate::files::{UnpackLimits, read_content, unpack_while, unpacked_content};
use crate::outcome::{IdOutcome, IdState};
#[cfg(feature = "unzip")]
use crate::redaction::RequestSecrets;

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
    /// Entries that report a failure.
    pub(crate) failures: Vec<ApiError>,
}

impl ActivityLog {
    /// Reads a log and returns the uploads of the entries that match `filter`.
    pub(crate) async fn read(
        client: &Client,
        request: &Request<Page<Value>>,
        filter: impl Fn(&Value) -> bool,
    ) -> Result<Self> {
        let mut entries = client.send(request).await?.into_value().data;
        let times = entries.iter().filter_map(|entry| entry.get("createdAt")?.as_str());
        let times = times.map(Timestamp::from).filter(|time| time.unix_millis().is_some());
        let newest = times.max_by_key(Timestamp::unix_millis);
        entries.retain(filter);
        let uploads = entries.iter().filter_map(Upload::from_activity).collect();
        let failures = entries.iter().filter_map(reported_failure).collect();
        Ok(Self { uploads, newest, failures })
    }

    /// Returns the oldest upload that is not in `before`. The log starts with the newest entry.
    pub(crate) fn new_since(self, before: &HashSet<Upload>) -> Option<Upload> {
        self.uploads.into_iter().rfind(|upload| !before.contains(upload))
    }
}

/// Returns the description of an activity that reports a failure.
fn reported_failure(entry: &Value) -> Option<ApiError> {
    let text =
        |name: &str| entry.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let parts: Vec<&str> =
        ["primaryDescription", "secondaryDescription", "description"].into_iter().filter_map(text).collect();
    let description = parts.join(": ");
    (status_of(&description) == FileStatus::Failed)
        .then(|| error_about(&format!("activity {}", id_of(entry).unwrap_or_default()), description))
}

/// The failures that an activity log reports after a request.
#[derive(Debug, Default)]
pub(crate) struct ReportedFailures {
    before: Vec<ApiError>,
    last: Mutex<Vec<ApiError>>,
}

impl ReportedFailures {
    /// `before` are the failures before the request.
    pub(crate) fn new(before: Vec<ApiError>) -> Self {
        Self { before, last: Mutex::default() }
    }

    /// Records the failures of a later log.
    pub(crate) fn record(&self, failures: &[ApiError]) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |failure: &&ApiError| !self.before.contains(failure) && !last.contains(failure);
        let new: Vec<ApiError> = failures.iter().filter(is_new).cloned().collect();
        last.extend(new);
    }

    /// Returns the failures since the request.
    pub(crate) fn into_inner(self) -> Vec<ApiError> {
        self.last.into_inner().unwrap_or_else(PoisonError::into_inner)
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
            return Err(Error::io(&target, std::io::ErrorKind::AlreadyExists.into()).before_request());
        }
        Ok(())
    }

    /// Downloads an upload to this destination. `requested` are the paths on the endpoint, as far as they are known.
    pub(crate) async fn download(
        &self,
        observed: (&Client, &dyn ProgressObserver),
        upload: &Upload,
        password: &SecretString,
        requested: &[&str],
    ) -> Result<ReceivedUpload> {
        let request = raw::download(&upload.agent, &upload.activity)?;
        self.receive(observed, &request, password, requested).await
    }

    /// Downloads an upload with the request for it.
    pub(crate) async fn receive(
        &self,
        (client, observer): (&Client, &dyn ProgressObserver),
        request: &Request<Binary>,
        password: &SecretString,
        requested: &[&str],
    ) -> Result<ReceivedUpload> {
        let download = client.download(request).await?;
        if !self.unpack {
            let zip = self.save(download, self.dir, observer).await?;
            return Ok(self.inspect(zip, client, password, requested).await);
        }
        self.unpack(download, (client, observer), password, requested).await
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
        (client, observer): (&Client, &dyn ProgressObserver),
        password: &SecretString,
        requested: &[&str],
    ) -> Result<ReceivedUpload> {
        let failed = |source| Error::io(self.dir, source);
        std::fs::create_dir_all(self.dir).map_err(failed)?;
        // The temporary directory removes the zip in any case.
        let temp_dir = tempfile::TempDir::new_in(self.dir).map_err(failed)?;
        let zip = self.save(download, temp_dir.path(), observer).await?;
        let target = self.path();
        let (key, into) = (password.clone(), target.clone());
        let guard = CancelOnDrop::default();
        let is_canceled = guard.is_canceled();
        let work = tokio::task::spawn_blocking(move || {
            let files = unpack_while(&zip.path, &key, &into, UnpackLimits::default(), &|| !is_canceled());
            drop(temp_dir);
            files
        });
        let interrupted = |_| Error::archive(ArchiveFault::Content, "unpacking was interrupted");
        let mut files = work.await.map_err(interrupted)??;
        drop(guard);
        let report = report(&unpacked_content(&files)?, client, password, requested);
        if report.received == 0 {
            // The failure has the text of the manifest.
            std::fs::remove_dir_all(&target).map_err(|source| Error::io(&target, source))?;
            files.clear();
        }
        Ok(ReceivedUpload { files, report: Some(report), unreadable: None })
    }

    /// Reads the names and the manifests of a zip that is kept.
    #[cfg(feature = "unzip")]
    async fn inspect(
        &self,
        zip: SavedFile,
        client: &Client,
        password: &SecretString,
        requested: &[&str],
    ) -> ReceivedUpload {
        let (path, key) = (zip.path.clone(), password.clone());
        let work = tokio::task::spawn_blocking(move || read_content(&path, &key, UnpackLimits::default()));
        let interrupted =
            |_| Err(Error::archive(ArchiveFault::Content, "reading the archive was interrupted"));
        let (report, unreadable) = match work.await.unwrap_or_else(interrupted) {
            Ok(content) => (Some(report(&content, client, password, requested)), content.unreadable),
            Err(error) => (None, Some(error)),
        };
        if let Some(error) =
            unreadable.as_ref().filter(|_| report.as_ref().is_none_or(|one| one.received > 0))
        {
            tracing::warn!(target: "sentinelone", "the manifest of the upload was not read: {error}");
        }
        ReceivedUpload { files: vec![zip], report, unreadable }
    }

    #[cfg(not(feature = "unzip"))]
    async fn inspect(&self, zip: SavedFile, _: &Client, _: &SecretString, _: &[&str]) -> ReceivedUpload {
        ReceivedUpload { files: vec![zip], report: None, unreadable: None }
    }

    #[cfg(not(feature = "unzip"))]
    async fn unpack(
        &self,
        _: Download,
        _: (&Client, &dyn ProgressObserver),
        _: &SecretString,
        _: &[&str],
    ) -> Result<ReceivedUpload> {
        Err(Error::configuration(NOT_BUILT))
    }
}

/// Compares the content of an archive with its manifests and the requested paths. Secrets are redacted in the result.
#[cfg(feature = "unzip")]
fn report(
    content: &ArchiveContent,
    client: &Client,
    password: &SecretString,
    requested: &[&str],
) -> UploadReport {
    let secrets = RequestSecrets::new(vec![password.clone().into()], client.token());
    UploadReport::new(content, requested, &secrets.redactor())
}

/// A downloaded upload.
#[derive(Debug)]
pub(crate) struct ReceivedUpload {
    /// Files that were written: those of the archive, or the zip.
    pub(crate) files: Vec<SavedFile>,
    /// Outcomes of the files; `None` if the content of the zip is unknown.
    report: Option<UploadReport>,
    /// Error of a manifest that was not read. The zip is kept.
    unreadable: Option<Error>,
}

impl ReceivedUpload {
    /// Returns the outcome of each file of the archive, of its manifest and of the request.
    pub(crate) fn results(&self) -> Vec<IdOutcome> {
        self.report.as_ref().map(|report| report.files.clone()).unwrap_or_default()
    }

    /// Returns the state of the upload: done, partial if a file is missing, or not affected without any file.
    pub(crate) fn state(&self) -> IdState {
        match &self.report {
            Some(report) if report.received == 0 => IdState::NotAffected,
            Some(report) if report.reasons().is_some() => IdState::Partial,
            _ => IdState::Done,
        }
    }

    /// Returns the reasons for missing files, in one line.
    pub(crate) fn reasons(&self) -> Option<String> {
        self.report.as_ref()?.reasons()
    }

    /// Returns an error for each missing file, and for each text of a manifest that names no file. `subject` precedes
    /// the path. Empty if there is a [`failure`](Self::failure), which has the same reasons.
    pub(crate) fn errors(&self, subject: &str) -> Vec<ApiError> {
        let Some(report) = self.report.as_ref().filter(|report| report.received > 0) else {
            return Vec::new();
        };
        let missing = report.failed().map(|file| (file.id.as_str(), file.detail.clone().unwrap_or_default()));
        let notes = report.notes.iter().map(|note| ("manifest", note.clone()));
        missing.chain(notes).map(|(id, detail)| error_about(&format!("{subject} {id}"), detail)).collect()
    }

    /// Returns an error if the archive contains no file besides its manifest.
    pub(crate) fn failure(&self) -> Option<Error> {
        let report = self.report.as_ref().filter(|report| report.received == 0)?;
        let help = match &self.unreadable {
            Some(error) if error.is_wrong_password() => "check the password; the zip is kept",
            Some(_) => "the manifest is damaged; the zip is kept",
            None if self.files.is_empty() => {
                "check that the file exists on the endpoint and that the agent can read it; unpack=false keeps the \
                 archive with its manifest"
            }
            None => {
                "check that the file exists on the endpoint and that the agent can read it; the zip is kept"
            }
        };
        let parts = [report.reasons(), self.unreadable.as_ref().map(ToString::to_string)];
        let reasons: Vec<String> = parts.into_iter().flatten().collect();
        let message = match reasons.as_slice() {
            [] => "the upload contains no file and no reason for it".to_owned(),
            reasons => format!("the upload contains no file: {}", reasons.join("; ")),
        };
        Some(Error::no_result(&raw::DOWNLOAD, message, help))
    }

    /// Returns the context: the name of the first unpacked file. The files of a zip that is kept are not in it.
    pub(crate) fn context(&self, unpack: bool) -> Value {
        match self.report.as_ref().and_then(|report| report.first.as_ref()).filter(|_| unpack) {
            Some(name) => context_under(FetchFile::INFO.context, json!({ "Path": name })),
            None => empty_context(),
        }
    }
}

/// Returns the context of an upload that was not downloaded.
pub(crate) fn empty_context() -> Value {
    Value::Object(Map::new())
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
