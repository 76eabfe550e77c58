//! Remote scripts: the library, its runs on endpoints, and their results.

use sentinelone_raw::remote_scripts as raw;
use sentinelone_raw::runtime::Data;

pub use sentinelone_raw::agents::AgentFilter;
pub use sentinelone_raw::remote_scripts::{
    PasswordScope, RemoteScriptExecution, RemoteScriptExecutionData, RemoteScriptStarted,
    RemoteScriptsListQuery, RemoteScriptsListTasksQuery, Script, ScriptDownloadError, ScriptDownloadLink,
    ScriptOsType, ScriptOutputDestination, ScriptPackage, ScriptResultLinks, ScriptResultRequest,
    ScriptResultRequestData, ScriptResults, ScriptScopeLevel, ScriptSortField, ScriptType, Task,
    TaskSortField, TaskStatus,
};
pub use sentinelone_raw::service_users::ScopeLevel;
pub use sentinelone_raw::shared::SortOrder;
pub use sentinelone_raw::threats::OsType;

use super::grammar::{Act, List, acts, lists, resource};
use crate::Result;
use crate::response::Response;

resource! {
    /// Everything about remote scripts; from [`Client::remote_scripts`](crate::Client::remote_scripts).
    RemoteScripts
}

lists! {
    RemoteScriptsListQuery: sorts ScriptSortField, counts;
    RemoteScriptsListTasksQuery: sorts TaskSortField, counts;
}

acts! {
    AgentFilter: RemoteScriptExecution;
}

impl<'a> RemoteScripts<'a> {
    /// Lists the scripts of the library.
    ///
    /// `GET /web/api/v2.1/remote-scripts`
    pub fn list(self) -> List<'a, RemoteScriptsListQuery, Script> {
        List::new(self.client, RemoteScriptsListQuery::default(), |_, query| raw::list(query))
    }

    /// Runs a script on the endpoints that a filter selects, one task each under a common parent task. Where
    /// an approval is needed, it waits for that first and there is no parent task yet.
    ///
    /// `POST /web/api/v2.1/remote-scripts/execute`
    ///
    /// ```no_run
    /// # use sentinelone::remote_scripts::{AgentFilter, RemoteScriptExecutionData, ScriptOutputDestination};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let cloud = ScriptOutputDestination::SentinelCloud;
    /// let script = RemoteScriptExecutionData::new(cloud, "1234567890123456789", "collect logs");
    /// let one = AgentFilter::default().ids(["9876543210987654321"]);
    /// let run = client.remote_scripts().execute(script).filter(one).send().await?;
    /// if let Some(parent) = run.into_value().data.and_then(|started| started.parent_task_id) {
    ///     for task in client.remote_scripts().tasks(parent).items().collect().await? {
    ///         println!("{:?}", task.status);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn execute(
        self,
        script: RemoteScriptExecutionData,
    ) -> Act<'a, RemoteScriptExecution, Data<RemoteScriptStarted>> {
        let body = RemoteScriptExecution::new(AgentFilter::default()).data(script);
        Act::new(self.client, body, |_, body| raw::execute(body))
    }

    /// Lists the tasks of a run. Tasks of several runs are listed by
    /// [`parent_task_id_in`](RemoteScriptsListTasksQuery::parent_task_id_in) in
    /// [`query`](List::query); the API demands one of the two.
    ///
    /// `GET /web/api/v2.1/remote-scripts/status`
    pub fn tasks(self, parent_task_id: impl Into<String>) -> List<'a, RemoteScriptsListTasksQuery, Task> {
        let query = RemoteScriptsListTasksQuery::default().parent_task_id(parent_task_id);
        List::new(self.client, query, |_, query| raw::list_tasks(query))
    }

    /// The addresses of the results of tasks. They are downloaded without a token.
    ///
    /// `POST /web/api/v2.1/remote-scripts/fetch-files`
    ///
    /// ```no_run
    /// # use sentinelone::remote_scripts::ScriptResultRequestData;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let tasks = ScriptResultRequestData::default().task_ids(["1234567890123456789"]);
    /// let results = client.remote_scripts().results(tasks).await?;
    /// let operation = results.operation();
    /// let links = results.into_value().data.unwrap_or_default().download_links.unwrap_or_default();
    /// for link in links {
    ///     let file = client.download_from(operation, &link.download_url.unwrap_or_default()).await?;
    ///     println!("{:?} bytes", file.length());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::send`](crate::Client::send).
    pub async fn results(self, wanted: ScriptResultRequestData) -> Result<Response<Data<ScriptResults>>> {
        self.client.send(&raw::fetch_results(&ScriptResultRequest::new(wanted))?).await
    }
}
