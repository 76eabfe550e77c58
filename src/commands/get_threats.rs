//! `sentinelone-get-threats`: lists threats.

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Request};
use sentinelone_raw::threats::{
    self as raw, LegacyMitigationStatus, LegacyThreatFilter, MitigationStatus, ThreatFilter,
    ThreatsListQuery, ThreatsListV20Query,
};
use serde_json::Value;

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batched_lists::{batched_list_requests, non_empty, read_lists};
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::Keep;
use super::support::requested_ids::RequestedIds;
use super::{CommandDeclaration, GetThreats, Outcome};
use crate::Result;

impl Behavior for GetThreats {
    fn build_requests(&self, version: ApiVersion) -> Result<Requests> {
        // With a rank, threats may be dropped here. Small pages would then need a request per kept threat.
        let page_limit = self.rank.is_none().then(|| effective_limit(self));
        batched_list_requests(&self.threat_ids, page_limit, |ids| match version {
            ApiVersion::V2_0 => request_2_0(self, ids),
            _ => request_2_1(self, ids),
        })
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        // The console may not filter by the minimum rank, so the items are filtered here too.
        let keep = |threat: &Value| match (self.rank, threat.get("rank").and_then(Value::as_i64)) {
            (Some(lowest), Some(rank)) => rank >= lowest,
            _ => true,
        };
        let requested = RequestedIds::default().with("threat_ids", &self.threat_ids, &["id"]).with(
            "content_hash",
            &self.content_hash,
            &["threatInfo.sha1", "fileContentHash"],
        );
        let (limit, entries) = (Some(effective_limit(self)), ContextEntries::of::<Self>());
        let keep: Keep<'_> = if self.rank.is_some() { Some(&keep) } else { None };
        read_lists((client, observer, &requested), requests, limit, keep, entries).await
    }
}

fn effective_limit(command: &GetThreats) -> u64 {
    command.limit.unwrap_or(GetThreats::DEFAULT_LIMIT.max(command.threat_ids.len() as u64))
}

/// Returns the filter for resolved threats. A platform passes both documented defaults (false), which mean no filter.
fn resolved(command: &GetThreats) -> Option<bool> {
    match (command.include_resolved_param, command.resolved) {
        (Some(false), _) => None,
        (Some(true), None) => Some(false),
        (_, resolved) => resolved,
    }
}

fn request_2_1(command: &GetThreats, ids: &[String]) -> Result<Request<Value>> {
    if command.rank.is_some() {
        let message = "is not available on API 2.1: threats of API 2.1 have no such field";
        return Err(argument_error(GetThreats::INFO.name, "rank", message));
    }
    let mut filter = ThreatFilter::default();
    filter.content_hashes = non_empty(&command.content_hash);
    filter.mitigation_statuses = non_empty(&mitigation_2_1(command)?);
    filter.created_at_lt = command.created_before.clone();
    filter.created_at_gt = command.created_after.clone();
    filter.created_at_lte = command.created_until.clone();
    filter.created_at_gte = command.created_from.clone();
    filter.resolved = resolved(command);
    filter.display_name = command.display_name.clone();
    filter.query = command.query.clone();
    filter.ids = non_empty(ids);
    filter.classifications = non_empty(&command.classifications);
    filter.site_ids = non_empty(&command.site_ids);
    filter.incident_statuses = non_empty(&command.incident_statuses);
    Ok(raw::list(&ThreatsListQuery::default().filter(filter))?.with_response_type())
}

fn mitigation_2_1(command: &GetThreats) -> Result<Vec<MitigationStatus>> {
    command
        .mitigation_status
        .iter()
        .map(|status| match status.as_str() {
            // The former name of this status.
            "active" => Ok(MitigationStatus::NotMitigated),
            known if MitigationStatus::VALUES.contains(&known) => Ok(known.into()),
            other => Err(unknown_status(other, ApiVersion::V2_1, MitigationStatus::VALUES)),
        })
        .collect()
}

fn unknown_status(status: &str, version: ApiVersion, values: &[&str]) -> crate::Error {
    let message = format!("is {status:?}; API {version} accepts {}", values.join(", "));
    argument_error(GetThreats::INFO.name, "mitigation_status", message)
}

fn request_2_0(command: &GetThreats, ids: &[String]) -> Result<Request<Value>> {
    if !command.incident_statuses.is_empty() {
        let message = "is not available on API 2.0: its threats have no incident status; use resolved";
        return Err(argument_error(GetThreats::INFO.name, "incident_statuses", message));
    }
    let known = LegacyMitigationStatus::VALUES;
    let statuses = &command.mitigation_status;
    if let Some(other) = statuses.iter().find(|status| !known.contains(&status.as_str())) {
        return Err(unknown_status(other, ApiVersion::V2_0, known));
    }
    let mut filter = LegacyThreatFilter::default();
    filter.content_hashes = non_empty(&command.content_hash);
    filter.mitigation_statuses =
        (!statuses.is_empty()).then(|| statuses.iter().map(|status| status.as_str().into()).collect());
    filter.created_at_lt = command.created_before.clone();
    filter.created_at_gt = command.created_after.clone();
    filter.created_at_lte = command.created_until.clone();
    filter.created_at_gte = command.created_from.clone();
    filter.resolved = resolved(command);
    filter.display_name_like = command.display_name.clone();
    filter.query = command.query.clone();
    filter.ids = non_empty(ids);
    filter.classifications = non_empty(&command.classifications);
    filter.site_ids = non_empty(&command.site_ids);
    filter.rank = command.rank;
    Ok(raw::list_v2_0(&ThreatsListV20Query::default().filter(filter))?.with_response_type())
}
