//! `sentinelone-list-agents`: lists agents.

use sentinelone_raw::agents::{self as raw, AgentsListQuery};
use sentinelone_raw::runtime::ApiVersion;
use serde_json::Value;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batched_lists::non_empty;
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::{Keep, list};
use super::support::requested_ids::RequestedIds;
use super::{CommandDeclaration, ListAgents, Outcome};
use crate::Result;
use crate::json_path::set_path;
use crate::paging::with_page_size;

impl Behavior for ListAgents {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        // The console compares with "greater than".
        let above = min_threats(self).map(|min| min - 1);
        let mut filter = self.params.clone();
        set(&mut filter.computer_name_like, self.computer_name.clone(), "computer_name")?;
        set(&mut filter.scan_statuses, non_empty(&self.scan_status), "scan_status")?;
        set(&mut filter.os_types, non_empty(&self.os_type), "os_type")?;
        set(&mut filter.created_at_gte, self.created_at.clone(), "created_at")?;
        set(&mut filter.active_threats_gt, above, "min_active_threats")?;
        let request = raw::list(&AgentsListQuery::default().filter(filter))?;
        // If agents may be dropped here, small pages would need a request per kept agent.
        let page_limit = min_threats(self).is_none().then(|| self.limit.unwrap_or(Self::DEFAULT_LIMIT));
        Ok(vec![with_page_size(request, page_limit)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let limit = Some(self.limit.unwrap_or(Self::DEFAULT_LIMIT));
        // The API document also describes the filter as "at least", so the items are filtered here too.
        let keep =
            |agent: &Value| match (min_threats(self), agent.get("activeThreats").and_then(Value::as_i64)) {
                (Some(min), Some(count)) => count >= min,
                _ => true,
            };
        let ids = |ids: &Option<Vec<String>>| ids.clone().unwrap_or_default();
        let requested = RequestedIds::default()
            .with("params.ids", &ids(&self.params.ids), &["id"])
            .with("params.uuids", &ids(&self.params.uuids), &["uuid"])
            .with_one("params.computerName", self.params.computer_name.as_ref());
        let add_columns = |_: usize, agent: &Value, entry: &mut Value| {
            for column in &self.columns {
                if let Some(value) = agent.get(column).filter(|value| !value.is_null()) {
                    set_path(entry, column, value.clone());
                }
            }
        };
        let mut entries = ContextEntries::of::<Self>();
        if !self.columns.is_empty() {
            entries = entries.filled(&add_columns);
        }
        let keep: Keep<'_> = if min_threats(self).is_some() { Some(&keep) } else { None };
        list((client, observer, &requested), requests, limit, keep, entries).await
    }
}

/// Returns the minimum number of active threats, or `None` if it is 0.
fn min_threats(command: &ListAgents) -> Option<i64> {
    command.min_active_threats.filter(|min| *min > 0)
}

/// Sets a field of the filter. Returns an error if `params` has set it.
fn set<T>(field: &mut Option<T>, value: Option<T>, argument: &str) -> Result<()> {
    if value.is_none() {
        return Ok(());
    }
    if field.is_some() {
        let message = format!("contains the field of {argument}; set only one of them");
        return Err(argument_error(ListAgents::INFO.name, "params", message));
    }
    *field = value;
    Ok(())
}
