//! Remote scripts: the script library, tasks on endpoints and their results.

use sentinelone_raw::remote_scripts as raw;
use sentinelone_raw::runtime::Data;

pub use sentinelone_raw::agents::AgentFilter;
pub use sentinelone_raw::remote_scripts::{
    PasswordScope, RemoteScriptsExecuteData, RemoteScriptsExecuteRequest, RemoteScriptsExecuteResult,
    RemoteScriptsFetchResultsData, RemoteScriptsFetchResultsRequest, RemoteScriptsListQuery,
    RemoteScriptsListTasksQuery, Script, ScriptDownloadError, ScriptDownloadLink, ScriptOsType,
    ScriptOutputDestination, ScriptPackage, ScriptResultLinks, ScriptResults, ScriptScopeLevel,
    ScriptSortField, ScriptType, Task, TaskSortField, TaskStatus,
};
pub use sentinelone_raw::service_users::ScopeLevel;
pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::threats::OsType;

#[cfg(feature = "remote-ops")]
pub use super::documented::types::remote_scripts::*;

use super::builders::{ActionBuilder, ListBuilder, impl_action_body, impl_list_query, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Operations on remote scripts; see [`Client::remote_scripts`](crate::Client::remote_scripts).
    RemoteScripts
}

impl_list_query! {
    RemoteScriptsListQuery: sorts ScriptSortField, counts;
    RemoteScriptsListTasksQuery: sorts TaskSortField, counts;
}

impl_action_body! {
    AgentFilter: RemoteScriptsExecuteRequest;
}

impl RemoteScripts {
    /// Lists the scripts of the library that match a query.
    ///
    /// `GET /web/api/v2.1/remote-scripts`
    pub fn list(&self) -> ListBuilder<RemoteScriptsListQuery, Script> {
        ListBuilder::new(&self.client, RemoteScriptsListQuery::default(), |_, query| raw::list(query))
    }

    /// Runs a script on the endpoints that match the filter, with one task per endpoint under a common parent
    /// task. If an approval is required, the script waits for it and the response has no parent task.
    ///
    /// `POST /web/api/v2.1/remote-scripts/execute`
    ///
    /// ```no_run
    /// # use sentinelone::remote_scripts::{AgentFilter, RemoteScriptsExecuteData, ScriptOutputDestination};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let cloud = ScriptOutputDestination::SentinelCloud;
    /// let script = RemoteScriptsExecuteData::new(cloud, "1234567890123456789", "collect logs");
    /// let filter = AgentFilter::default().ids(["9876543210987654321"]);
    /// let run = client.remote_scripts().execute(script).filter(filter).send().await?;
    /// if let Some(parent) = run.into_value().data.and_then(|started| started.parent_task_id) {
    ///     for task in client.remote_scripts().tasks(parent).items().collect().await? {
    ///         println!("{:?}", task.status);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn execute(
        &self,
        script: RemoteScriptsExecuteData,
    ) -> ActionBuilder<RemoteScriptsExecuteRequest, Data<RemoteScriptsExecuteResult>> {
        let body = RemoteScriptsExecuteRequest::new(AgentFilter::default()).data(script);
        ActionBuilder::new(&self.client, body, |_, body| raw::execute(body))
    }

    /// Lists the tasks of a parent task. To list the tasks of several parents, set
    /// [`parent_task_id_in`](RemoteScriptsListTasksQuery::parent_task_id_in) with [`query`](ListBuilder::query).
    /// The API requires one of the two.
    ///
    /// `GET /web/api/v2.1/remote-scripts/status`
    pub fn tasks(&self, parent_task_id: impl Into<String>) -> ListBuilder<RemoteScriptsListTasksQuery, Task> {
        let query = RemoteScriptsListTasksQuery::default().parent_task_id(parent_task_id);
        ListBuilder::new(&self.client, query, |_, query| raw::list_tasks(query))
    }

    /// Returns the download links of task results; see [`Client::download_link`](crate::Client::download_link).
    ///
    /// `POST /web/api/v2.1/remote-scripts/fetch-files`
    ///
    /// ```no_run
    /// # use sentinelone::remote_scripts::RemoteScriptsFetchResultsData;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let tasks = RemoteScriptsFetchResultsData::default().task_ids(["1234567890123456789"]);
    /// let results = client.remote_scripts().result_links(tasks).await?;
    /// let links = results.into_value().data.unwrap_or_default().download_links.unwrap_or_default();
    /// for link in links {
    ///     let file = client.download_link(&link).await?;
    ///     println!("{:?} bytes", file.length());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails.
    pub async fn result_links(
        &self,
        tasks: RemoteScriptsFetchResultsData,
    ) -> Result<Response<Data<ScriptResults>>> {
        self.client.send(&raw::fetch_results(&RemoteScriptsFetchResultsRequest::new(tasks))?).await
    }
}
