//! Agents: the endpoints that run one, what they are told to do, and the files that they hand over.

use sentinelone_raw::agents as raw;
use sentinelone_raw::runtime::{Data, Page, Secret};
use sentinelone_raw::shared::{Affected, SuccessFlag};

pub use sentinelone_raw::agents::{
    Agent, AgentActionNeeded, AgentActiveDirectory, AgentBroadcast, AgentBroadcastData, AgentCloudProvider,
    AgentConnection, AgentCount, AgentDisconnection, AgentFileRequest, AgentFileRequestData, AgentFilter,
    AgentLocation, AgentLogRequest, AgentLogRequestData, AgentNetworkInterface, AgentProxyStates, AgentScan,
    AgentScanAbortion, AgentShutdown, AgentSortField, AgentTag, AgentTags, AgentUninstallation,
    AgentsCountQuery, AgentsListApplicationsQuery, AgentsListQuery, AppsVulnerabilityStatus,
    ConsoleMigrationStatus, InstalledApplication, InstallerType, LocationType, MissingPermission,
    RangerStatus, RemoteScriptLevel,
};
pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::threats::{MachineType, MitigationMode, NetworkStatus, OsArch, OsType, ScanStatus};

use super::grammar::{Act, List, acts, lists, resource, selects};
use crate::Result;
use crate::files::Download;
use crate::response::Response;

resource! {
    /// Everything about agents; from [`Client::agents`](crate::Client::agents).
    Agents
}

lists! {
    AgentsListQuery: sorts AgentSortField, filters AgentFilter, counts;
}

acts! {
    AgentFilter: AgentBroadcast, AgentConnection, AgentDisconnection, AgentLogRequest, AgentScan,
        AgentScanAbortion, AgentShutdown, AgentUninstallation;
}

selects!(AgentFilter: agents, AgentsListQuery, Agent);

impl<'a> Agents<'a> {
    /// Lists agents.
    ///
    /// `GET /web/api/v2.1/agents`
    ///
    /// ```no_run
    /// # use sentinelone::agents::AgentFilter;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let infected = AgentFilter::default().infected(true);
    /// let mut agents = client.agents().list().filter(infected).items().limit(50);
    /// while let Some(agent) = agents.next().await {
    ///     println!("{}", agent?.computer_name.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> List<'a, AgentsListQuery, Agent> {
        List::new(self.client, AgentsListQuery::default(), |_, query| raw::list(query))
    }

    /// How many agents a filter selects, as the console counts them. An empty filter counts everything in
    /// scope. [`List::count`] asks the list instead, which API 2.0 has too.
    ///
    /// `GET /web/api/v2.1/agents/count`
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send); also when the console answers without a total.
    pub async fn count(self, filter: &AgentFilter) -> Result<u64> {
        let answer = self.client.send(&raw::count(&AgentsCountQuery { filter: filter.clone() })?).await?;
        let total = answer.data.as_ref().and_then(|count| count.total);
        let total = total.and_then(|total| u64::try_from(total).ok());
        total.ok_or_else(|| answer.lacks("data.total"))
    }

    /// What is installed on the given endpoints. The entries do not say which endpoint they are from, so
    /// one agent at a time is best.
    ///
    /// `GET /web/api/v2.1/agents/applications`
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn applications(
        self,
        agent_ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Response<Page<InstalledApplication>>> {
        let request = raw::list_applications(&AgentsListApplicationsQuery::new(agent_ids))?;
        self.client.send(&request).await
    }

    /// Lifts the network isolation of the endpoints that a filter selects. An agent that is offline follows
    /// when it returns.
    ///
    /// `POST /web/api/v2.1/agents/actions/connect`
    pub fn connect(self) -> Act<'a, AgentConnection, Data<Affected>> {
        let body = AgentConnection::new(AgentFilter::default());
        Act::new(self.client, body, |_, body| raw::connect(body))
    }

    /// Isolates the endpoints that a filter selects: nothing but the console can be reached from them, until
    /// they are connected again. An agent that is offline follows when it returns.
    ///
    /// ```no_run
    /// # use sentinelone::agents::AgentFilter;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let one = AgentFilter::default().computer_name("web-01");
    /// let isolate = client.agents().disconnect().filter(one);
    /// if isolate.count().await? == 1 {
    ///     isolate.send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `POST /web/api/v2.1/agents/actions/disconnect`
    pub fn disconnect(self) -> Act<'a, AgentDisconnection, Data<Affected>> {
        let body = AgentDisconnection::new(AgentFilter::default());
        Act::new(self.client, body, |_, body| raw::disconnect(body))
    }

    /// Shows a text to the people at the endpoints that a filter selects. Windows and macOS only, as far as
    /// the vendor says.
    ///
    /// `POST /web/api/v2.1/agents/actions/broadcast`
    pub fn broadcast(self, message: impl Into<String>) -> Act<'a, AgentBroadcast, Data<Affected>> {
        let body = AgentBroadcast::new(AgentBroadcastData::new(message), AgentFilter::default());
        Act::new(self.client, body, |_, body| raw::broadcast(body))
    }

    /// Turns the endpoints off that a filter selects. The console cannot turn them on again.
    ///
    /// `POST /web/api/v2.1/agents/actions/shutdown`
    pub fn shutdown(self) -> Act<'a, AgentShutdown, Data<Affected>> {
        let body = AgentShutdown::new(AgentFilter::default());
        Act::new(self.client, body, |_, body| raw::shutdown(body))
    }

    /// Removes the agent from the endpoints that a filter selects, which are unprotected from then on.
    ///
    /// `POST /web/api/v2.1/agents/actions/uninstall`
    pub fn uninstall(self) -> Act<'a, AgentUninstallation, Data<Affected>> {
        let body = AgentUninstallation::new(AgentFilter::default());
        Act::new(self.client, body, |_, body| raw::uninstall(body))
    }

    /// Has the agents that a filter selects scan all disks. What they find is mitigated as the policy says.
    ///
    /// `POST /web/api/v2.1/agents/actions/initiate-scan`
    pub fn initiate_scan(self) -> Act<'a, AgentScan, Data<Affected>> {
        let body = AgentScan::new(AgentFilter::default());
        Act::new(self.client, body, |_, body| raw::initiate_scan(body))
    }

    /// Stops the scans that run on the endpoints that a filter selects.
    ///
    /// `POST /web/api/v2.1/agents/actions/abort-scan`
    pub fn abort_scan(self) -> Act<'a, AgentScanAbortion, Data<Affected>> {
        let body = AgentScanAbortion::new(AgentFilter::default());
        Act::new(self.client, body, |_, body| raw::abort_scan(body))
    }

    /// Has the agents that a filter selects upload their logs. Each upload shows up as an activity when it is
    /// there.
    ///
    /// `POST /web/api/v2.1/agents/actions/fetch-logs`
    pub fn fetch_logs(self) -> Act<'a, AgentLogRequest, Data<Affected>> {
        let body = AgentLogRequest::new(AgentFilter::default());
        Act::new(self.client, body, |_, body| raw::fetch_logs(body))
    }

    /// Has an agent upload up to 10 files in one archive that the password protects. The upload shows up as
    /// an activity when it is there, and [`download`](Self::download) gets it.
    ///
    /// `POST /web/api/v2.1/agents/{agent_id}/actions/fetch-files`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let agent = "1234567890123456789";
    /// client.agents().fetch_files(agent, ["/var/log/auth.log"], "a password").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn fetch_files(
        self,
        agent_id: impl Into<String>,
        files: impl IntoIterator<Item = impl Into<String>>,
        password: impl Into<Secret>,
    ) -> Act<'a, AgentFileRequest, Data<SuccessFlag>> {
        let body = AgentFileRequest::new(AgentFileRequestData::new(files, password));
        Act::of(self.client, agent_id.into(), body, raw::fetch_files)
    }

    /// Downloads what an agent uploaded, logs or files, by the activity that tells of the upload.
    ///
    /// `GET /web/api/v2.1/agents/{agent_id}/uploads/{activity_id}`
    ///
    /// # Errors
    /// As [`Client::download`](crate::Client::download).
    pub async fn download(self, agent_id: impl AsRef<str>, activity_id: impl AsRef<str>) -> Result<Download> {
        self.client.download(&raw::download(agent_id.as_ref(), activity_id.as_ref())?).await
    }
}

impl Act<'_, AgentLogRequest, Data<Affected>> {
    /// Which logs are wanted.
    pub fn logs(mut self, logs: AgentLogRequestData) -> Self {
        self.body.data = Some(logs);
        self
    }
}
