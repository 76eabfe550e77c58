//! `sentinelone-get-site`, `sentinelone-expire-site` and `sentinelone-reactivate-site`: one site.

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::sites::{self as raw, SiteReactivationData, SitesReactivateRequest};
use serde_json::{Value, json};

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::batch_action::{success_or_null, success_outcome};
use super::support::context_entry::{context_under, entry};
use super::support::execution::Requests;
use super::support::list_pages::get;
use super::support::single::run_single_action;
use super::{CommandDeclaration, ExpireSite, GetSite, Outcome, ReactivateSite};
use crate::Result;
use crate::json_path::set_path;
use crate::outcome::{IdOutcome, IdState};

impl Behavior for GetSite {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(vec![raw::get(&self.site_id)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        get::<Self, Value>(run, Some(("site_id", &self.site_id))).await
    }
}

impl Behavior for ExpireSite {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(vec![raw::expire(&self.site_id)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let version = run.client.api_version();
        let evaluate = |response: &Value| state_outcome("expired", &self.site_id, response);
        let mut outcome = run_single_action(run, evaluate).await?;
        let site = outcome.response.get("data").unwrap_or(&Value::Null);
        let mut entry = entry(Self::OUTPUTS, Self::INFO.context, version, site);
        // The response may omit the ID of the site.
        set_path(&mut entry, "ID", json!(self.site_id));
        outcome.context = context_under(Self::INFO.context, entry);
        Ok(outcome)
    }
}

impl Behavior for ReactivateSite {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let error = |message| Err(argument_error(Self::INFO.name, "expiration", message));
        let unlimited = match (self.unlimited, &self.expiration) {
            (None, None) => return error("is missing; set it, or unlimited=true"),
            (Some(false), None) => return error("is missing; it is required with unlimited=false"),
            (Some(true), Some(_)) => return error("cannot be used with unlimited=true"),
            (unlimited, _) => unlimited.unwrap_or(false),
        };
        let mut data = SiteReactivationData::default().unlimited(unlimited);
        data.expiration = self.expiration.clone();
        Ok(vec![raw::reactivate(&self.site_id, &SitesReactivateRequest::new(data))?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let evaluate = |response: &Value| state_outcome("active", &self.site_id, response);
        let mut outcome = run_single_action(run, evaluate).await?;
        let reactivated = outcome.results.first().map(success_or_null);
        let entry = json!({ "ID": self.site_id, "Reactivated": reactivated });
        outcome.context = context_under(Self::INFO.context, entry);
        Ok(outcome)
    }
}

/// Returns the result of an action that puts a site in a state.
fn state_outcome(state: &str, site_id: &str, response: &Value) -> Vec<IdOutcome> {
    let mut ids = success_outcome(site_id, response);
    let now = response.pointer("/data/state").and_then(Value::as_str);
    for result in ids.iter_mut().filter(|result| result.state == IdState::Unknown) {
        // Another state may be the previous one, so the result remains unknown.
        if now == Some(state) {
            result.state = IdState::Done;
        }
        result.detail = now.map(str::to_owned);
    }
    ids
}
