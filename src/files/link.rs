//! Links to files at other servers.

use sentinelone_raw::remote_scripts::{FETCH_RESULTS, ScriptDownloadLink};
use sentinelone_raw::runtime::Operation;
use sentinelone_raw::threats::{GET_CLOUD_DOWNLOAD, ThreatCloudFile};

/// A link to a file that the console returned; [`Client::download_link`](crate::Client::download_link) downloads it.
///
/// It is implemented for [`ScriptDownloadLink`](crate::remote_scripts::ScriptDownloadLink) and
/// [`ThreatCloudFile`](crate::threats::ThreatCloudFile), and not for others to implement.
pub trait DownloadLink: sealed::Link {}

mod sealed {
    use sentinelone_raw::runtime::Operation;

    pub trait Link {
        /// The operation that returns the link.
        const OPERATION: &'static Operation;

        fn url(&self) -> Option<&str>;
    }
}

/// Returns the operation of a link, and its URL.
pub(crate) fn parts<L: DownloadLink>(link: &L) -> (&'static Operation, Option<&str>) {
    (L::OPERATION, link.url())
}

impl DownloadLink for ScriptDownloadLink {}

impl sealed::Link for ScriptDownloadLink {
    const OPERATION: &'static Operation = &FETCH_RESULTS;

    fn url(&self) -> Option<&str> {
        self.download_url.as_deref()
    }
}

impl DownloadLink for ThreatCloudFile {}

impl sealed::Link for ThreatCloudFile {
    const OPERATION: &'static Operation = &GET_CLOUD_DOWNLOAD;

    fn url(&self) -> Option<&str> {
        self.download_url.as_deref()
    }
}
