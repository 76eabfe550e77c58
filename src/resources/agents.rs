//! Agents: their endpoints, actions and uploaded files.

use sentinelone_raw::agents as raw;
use sentinelone_raw::runtime::{Data, Page, Secret};
use sentinelone_raw::shared::{Affected, SuccessFlag};

pub use sentinelone_raw::agents::{
    Agent, AgentActionNeeded, AgentActiveDirectory, AgentBroadcastData, AgentCloudProvider, AgentCount,
    AgentFileRequestData, AgentFilter, AgentLocation, AgentLogRequestData, AgentNetworkInterface,
    AgentProxyStates, AgentSortField, AgentTag, AgentTags, AgentsAbortScanRequest, AgentsBroadcastRequest,
    AgentsConnectRequest, AgentsCountQuery, AgentsDisconnectRequest, AgentsFetchFilesRequest,
    AgentsFetchLogsRequest, AgentsInitiateScanRequest, AgentsListApplicationsQuery, AgentsListQuery,
    AgentsShutdownRequest, AgentsUninstallRequest, AppsVulnerabilityStatus, ConsoleMigrationStatus,
    InstalledApplication, InstallerType, LocationType, MissingPermission, RangerStatus, RemoteScriptLevel,
};
pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::threats::{MachineType, MitigationMode, NetworkStatus, OsArch, OsType, ScanStatus};

#[cfg(feature = "endpoints")]
pub use super::documented::types::agents::*;

use super::builders::{
    ActionBuilder, ListBuilder, impl_action_body, impl_countable_filter, impl_list_query, resource,
};
use crate::Result;
use crate::files::Download;
use crate::response::Response;

resource! {
    /// Operations on agents; see [`Client::agents`](crate::Client::agents).
    Agents
}

impl_list_query! {
    AgentsListQuery: sorts AgentSortField, filters AgentFilter, counts;
}

impl_action_body! {
    AgentFilter: AgentsBroadcastRequest, AgentsConnectRequest, AgentsDisconnectRequest, AgentsFetchLogsRequest, AgentsInitiateScanRequest,
        AgentsAbortScanRequest, AgentsShutdownRequest, AgentsUninstallRequest;
}

impl_countable_filter!(AgentFilter: agents, AgentsListQuery, Agent);

impl Agents {
    /// Lists the agents that match a filter.
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
    pub fn list(&self) -> ListBuilder<AgentsListQuery, Agent> {
        ListBuilder::new(&self.client, AgentsListQuery::default(), |_, query| raw::list(query))
    }

    /// Returns the number of agents that match a filter, as counted by the console. An empty filter matches all
    /// agents in scope. [`ListBuilder::count`] counts with the list instead, also on API 2.0.
    ///
    /// `GET /web/api/v2.1/agents/count`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails or the response has no total.
    pub async fn count(&self, filter: &AgentFilter) -> Result<u64> {
        let response =
            self.client.send(&raw::count(&AgentsCountQuery::default().filter(filter.clone()))?).await?;
        let total = response.data.as_ref().and_then(|count| count.total);
        let total = total.and_then(|total| u64::try_from(total).ok());
        total.ok_or_else(|| response.missing_value("data.total"))
    }

    /// Lists the applications that are installed on the endpoints of these agents. The items do not name their
    /// endpoint, so request one agent at a time.
    ///
    /// `GET /web/api/v2.1/agents/applications`
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn applications(
        &self,
        agent_ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Response<Page<InstalledApplication>>> {
        let request = raw::list_applications(&AgentsListApplicationsQuery::new(agent_ids))?;
        self.client.send(&request).await
    }

    /// Ends the network isolation of the endpoints that match the filter. An offline agent does so when it is
    /// online again.
    ///
    /// `POST /web/api/v2.1/agents/actions/connect`
    pub fn connect(&self) -> ActionBuilder<AgentsConnectRequest, Data<Affected>> {
        let body = AgentsConnectRequest::new(AgentFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::connect(body))
    }

    /// Isolates the endpoints that match the filter: they can reach only the console until they are connected
    /// again. An offline agent does so when it is online again.
    ///
    /// ```no_run
    /// # use sentinelone::agents::AgentFilter;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let filter = AgentFilter::default().computer_name("web-01");
    /// let isolate = client.agents().disconnect().filter(filter);
    /// if isolate.count().await? == 1 {
    ///     let response = isolate.send().await?;
    ///     println!("{} affected", response.affected().unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `POST /web/api/v2.1/agents/actions/disconnect`
    pub fn disconnect(&self) -> ActionBuilder<AgentsDisconnectRequest, Data<Affected>> {
        let body = AgentsDisconnectRequest::new(AgentFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::disconnect(body))
    }

    /// Shows a message to the users of the endpoints that match the filter. According to SentinelOne, it works on
    /// Windows and macOS only.
    ///
    /// `POST /web/api/v2.1/agents/actions/broadcast`
    pub fn broadcast(
        &self,
        message: impl Into<String>,
    ) -> ActionBuilder<AgentsBroadcastRequest, Data<Affected>> {
        let body = AgentsBroadcastRequest::new(AgentBroadcastData::new(message), AgentFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::broadcast(body))
    }

    /// Shuts down the endpoints that match the filter. The console cannot start them again.
    ///
    /// `POST /web/api/v2.1/agents/actions/shutdown`
    pub fn shutdown(&self) -> ActionBuilder<AgentsShutdownRequest, Data<Affected>> {
        let body = AgentsShutdownRequest::new(AgentFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::shutdown(body))
    }

    /// Uninstalls the agent from the endpoints that match the filter, which are unprotected from then on.
    ///
    /// `POST /web/api/v2.1/agents/actions/uninstall`
    pub fn uninstall(&self) -> ActionBuilder<AgentsUninstallRequest, Data<Affected>> {
        let body = AgentsUninstallRequest::new(AgentFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::uninstall(body))
    }

    /// Starts a full disk scan on the endpoints that match the filter. Detected threats are mitigated according
    /// to the policy.
    ///
    /// `POST /web/api/v2.1/agents/actions/initiate-scan`
    pub fn initiate_scan(&self) -> ActionBuilder<AgentsInitiateScanRequest, Data<Affected>> {
        let body = AgentsInitiateScanRequest::new(AgentFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::initiate_scan(body))
    }

    /// Stops the running scans on the endpoints that match the filter.
    ///
    /// `POST /web/api/v2.1/agents/actions/abort-scan`
    pub fn abort_scan(&self) -> ActionBuilder<AgentsAbortScanRequest, Data<Affected>> {
        let body = AgentsAbortScanRequest::new(AgentFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::abort_scan(body))
    }

    /// Instructs the agents that match the filter to upload their logs. Each completed upload appears as an
    /// activity.
    ///
    /// `POST /web/api/v2.1/agents/actions/fetch-logs`
    pub fn fetch_logs(&self) -> ActionBuilder<AgentsFetchLogsRequest, Data<Affected>> {
        let body = AgentsFetchLogsRequest::new(AgentFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::fetch_logs(body))
    }

    /// Instructs an agent to upload up to 10 files in one archive, protected by the password. The upload appears
    /// as an activity; [`download`](Self::download) returns it.
    ///
    /// `POST /web/api/v2.1/agents/{agent_id}/actions/fetch-files`
    ///
    /// ```no_run
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let agent = "1234567890123456789";
    /// let response = client.agents().fetch_files(agent, ["/var/log/auth.log"], "a password").send().await?;
    /// println!("HTTP {}", response.status());
    /// # Ok(())
    /// # }
    /// ```
    pub fn fetch_files(
        &self,
        agent_id: impl Into<String>,
        files: impl IntoIterator<Item = impl Into<String>>,
        password: impl Into<Secret>,
    ) -> ActionBuilder<AgentsFetchFilesRequest, Data<SuccessFlag>> {
        let body = AgentsFetchFilesRequest::new(AgentFileRequestData::new(files, password));
        ActionBuilder::with_path_param(&self.client, agent_id.into(), body, raw::fetch_files)
    }

    /// Downloads the logs or files that an agent uploaded. The activity of the upload identifies them.
    ///
    /// `GET /web/api/v2.1/agents/{agent_id}/uploads/{activity_id}`
    ///
    /// # Errors
    /// Returns an error if [`Client::download`](crate::Client::download) fails.
    pub async fn download(
        &self,
        agent_id: impl AsRef<str>,
        activity_id: impl AsRef<str>,
    ) -> Result<Download> {
        self.client.download(&raw::download(agent_id.as_ref(), activity_id.as_ref())?).await
    }
}

impl ActionBuilder<AgentsFetchLogsRequest, Data<Affected>> {
    /// Sets the logs to upload.
    pub fn logs(mut self, logs: AgentLogRequestData) -> Self {
        self.body.data = Some(logs);
        self
    }
}
