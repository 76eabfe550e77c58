//! Swimlane's "Update Threat Incident": `POST /threats/incident` with all its filters.

use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::threats::{
    self as raw, ThreatActionFilter, ThreatFilter, ThreatIncidentData, ThreatsUpdateIncidentRequest,
};
use serde_json::json;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batch_action::{batch_requests, run_action};
use super::support::execution::Requests;
use super::{CommandDeclaration, Outcome, UpdateThreatIncident};
use crate::Result;

const NOT_SELECTIVE: &str = "is not selective, so the command would update all threats in scope; set a \
                             field such as ids or computer_name_contains (limit, tenant and counts_for are \
                             not selective), or everything_in_scope";

impl Behavior for UpdateThreatIncident {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let build = |filter: ThreatActionFilter| {
            let mut data = ThreatIncidentData::new(self.incident_status.clone());
            data.analyst_verdict = self.analyst_verdict.clone();
            let request = raw::update_incident(&ThreatsUpdateIncidentRequest::new(data, filter))?;
            Ok(if self.everything_in_scope { request.everything_in_scope() } else { request })
        };
        let max = ThreatFilter::FIELDS
            .iter()
            .find(|field| field.name == "ids")
            .and_then(|field| field.item_count.1);
        let ids = self.filter.filter.ids.as_ref().map_or(0, |ids| ids.len() as u64);
        if self.filter.limit.is_some() && max.is_some_and(|max| ids > max) {
            // The limit applies to each request, so several requests would exceed it.
            let message = format!(
                "cannot be used with more than {} ids, the maximum of one request",
                max.unwrap_or(ids)
            );
            return Err(argument_error(Self::INFO.name, "limit", message));
        }
        let requests = match &self.filter.filter.ids {
            Some(ids) if !ids.is_empty() => {
                batch_requests(Self::INFO.name, ("ids", ids), ThreatFilter::FIELDS, |ids| {
                    let mut filter = self.filter.clone();
                    filter.filter.ids = Some(ids);
                    build(filter)
                })?
            }
            _ => vec![build(self.filter.clone())?.with_response_type()],
        };
        if !self.everything_in_scope && !requests.iter().all(Request::has_selective_filter) {
            return Err(argument_error(Self::INFO.name, "filter", NOT_SELECTIVE));
        }
        Ok(requests)
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: actions, .. } = run;
        let (mut outcome, statuses) = run_action(client, actions).await?;
        // The status is null if no request was sent, because the journal has all outcomes.
        let status = statuses.last().copied();
        let reason = status.and_then(|status| http::StatusCode::from_u16(status).ok()?.canonical_reason());
        outcome.context = json!({ "status_code": status, "reason": reason, "json_body": outcome.response });
        Ok(outcome)
    }
}
