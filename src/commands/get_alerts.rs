//! `sentinelone-get-alerts`: lists alerts.

use sentinelone_raw::runtime::ApiVersion;
use serde_json::Value;

use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::list_command::{list_requests, read_list};
use super::support::list_entries::ContextEntries;
use super::{GetAlerts, Outcome};
use crate::Result;
use crate::json_path::{get_path, set_path};

/// Context paths whose field is not documented, with the documented field of the state at the detection.
const FALLBACK_FIELDS: &[(&str, &str)] =
    &[("EndpointName", "agentDetectionInfo.name"), ("AgentOS", "agentDetectionInfo.osFamily")];

impl Behavior for GetAlerts {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        list_requests(self)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let add_fallbacks = |_: usize, alert: &Value, entry: &mut Value| {
            for (path, field) in FALLBACK_FIELDS {
                let value = get_path(alert, field).filter(|value| !value.is_null());
                if let (None, Some(value)) = (entry.get(path), value) {
                    set_path(entry, path, value.clone());
                }
            }
        };
        read_list(self, run, ContextEntries::of::<Self>().filled(&add_fallbacks)).await
    }
}
