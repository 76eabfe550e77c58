//! `sentinelone-add-hash-to-blocklist`: adds a file hash to the blocklist.

use std::collections::VecDeque;

use sentinelone_raw::blocklist::{self as raw, BlocklistCreateData, BlocklistCreateRequest, BlocklistType};
use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::shared::ScopeFilter;
use serde_json::{Value, json};

use super::command::{Behavior, Run};
use super::support::batch_action::{merge_response, without_detail};
use super::support::batched_lists::scope_ids;
use super::support::blocklist_entry::{check_sha1, site_batches};
use super::support::context_entry::context_under;
use super::support::execution::{Requests, next_request};
use super::{AddHashToBlocklist, CommandDeclaration, Outcome};
use crate::Result;
use crate::error::{Error, ErrorKind};
use crate::outcome::{IdOutcome, IdState};

const ALREADY: &str = "Already on blocklist";
/// Error code of the console for a hash that is on the list.
const EXISTS: &str = "4000030";

impl Behavior for AddHashToBlocklist {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        check_sha1(Self::INFO.name, &self.sha1)?;
        site_batches(&self.block_site_ids).iter().map(|sites| site_request(self, sites)).collect()
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: actions, .. } = run;
        let mut outcome = Outcome::new(Value::Null, Value::Null);
        let mut rejection = Value::Null;
        let mut actions = actions.into_iter();
        let batches = site_batches(&self.block_site_ids).into_iter();
        let batches = batches.map(|sites| Ok((sites, next_request::<Value>(&mut actions)?)));
        let mut left = batches.collect::<Result<VecDeque<_>>>()?;
        while let Some((sites, request)) = left.pop_front() {
            if outcome.failure.is_some() {
                outcome.results.extend(results_with_state(self, &sites, IdState::NotAffected));
                continue;
            }
            match client.send(&request).await {
                Ok(response) => {
                    let body = response.json();
                    let entries = body.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                    outcome.results.extend(results_of_entries(self, &sites, entries));
                    outcome.affected = Some(outcome.affected.unwrap_or(0) + entries.len() as u64);
                    outcome.add_diagnostics(&response);
                    merge_response(&mut outcome.response, body);
                }
                // If one site has the hash, the sites are sent one by one.
                Err(error) if is_already_listed(&error) && sites.len() > 1 => {
                    for site in sites.into_iter().rev() {
                        let request = site_request(self, std::slice::from_ref(&site))?;
                        left.push_front((vec![site], request));
                    }
                }
                Err(error) if is_already_listed(&error) => {
                    rejection =
                        error.body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
                    outcome.results.extend(results_with_state(self, &sites, IdState::AlreadySet));
                    outcome.affected = Some(outcome.affected.unwrap_or(0));
                }
                Err(error) if outcome.results.is_empty() => return Err(error),
                Err(error) => {
                    let state =
                        if error.may_have_taken_effect() { IdState::Unknown } else { IdState::NotAffected };
                    outcome.results.extend(results_with_state(self, &sites, state));
                    outcome.failure = Some(error);
                }
            }
        }
        if outcome.response.is_null() {
            outcome.response = rejection;
        }
        outcome.context = context_under(
            Self::INFO.context,
            json!({ "hash": self.sha1, "status": status(self, &outcome.results) }),
        );
        Ok(outcome)
    }
}

fn site_request(command: &AddHashToBlocklist, sites: &[String]) -> Result<Request<Value>> {
    let data = BlocklistCreateData::new(command.os_type.clone(), BlocklistType::BlackHash)
        .value(command.sha1.clone())
        .source(command.source.clone())
        .description(command.description.clone());
    let scope = ScopeFilter::default();
    let scope = if sites.is_empty() { scope.tenant(true) } else { scope.site_ids(sites) };
    Ok(raw::create(&BlocklistCreateRequest::new(data, scope))?.with_response_type())
}

/// Returns the same state for each site of a request, or for the hash if the scope is the tenant.
fn results_with_state(command: &AddHashToBlocklist, sites: &[String], state: IdState) -> Vec<IdOutcome> {
    let scope = if sites.is_empty() { "tenant" } else { "site" };
    let result = |id: &String| {
        let detail = (state == IdState::AlreadySet).then(|| format!("{ALREADY} of the {scope}"));
        IdOutcome { detail, ..without_detail(id.clone(), state) }
    };
    if sites.is_empty() { vec![result(&command.sha1)] } else { sites.iter().map(result).collect() }
}

/// Returns the results of a response: all sites are done if there is an entry per site, else those in the entries.
fn results_of_entries(command: &AddHashToBlocklist, sites: &[String], entries: &[Value]) -> Vec<IdOutcome> {
    if !entries.is_empty() && entries.len() >= sites.len() {
        return results_with_state(command, sites, IdState::Done);
    }
    let named = |site: &String| entries.iter().any(|entry| scope_ids(entry, "siteIds").contains(site));
    let mut ids = results_with_state(command, sites, IdState::Unknown);
    ids.iter_mut().filter(|result| named(&result.id)).for_each(|result| result.state = IdState::Done);
    ids
}

fn status(command: &AddHashToBlocklist, ids: &[IdOutcome]) -> &'static str {
    let all = ids.iter().all(|result| result.state.is_success());
    match (all, ids.iter().any(|result| result.state == IdState::Done)) {
        (true, false) => ALREADY,
        (true, true) if command.block_site_ids.is_empty() => "Added to global blocklist",
        (true, true) => "Added to scoped blocklist",
        (false, _) if ids.iter().any(|result| result.state.is_success()) => {
            "Partially added to scoped blocklist"
        }
        (false, _) => "Unknown",
    }
}

/// Returns whether the console rejected the request only because the hash is on the list.
fn is_already_listed(error: &Error) -> bool {
    let errors = error.api_errors();
    error.kind() == ErrorKind::Api
        && !errors.is_empty()
        && errors.iter().all(|error| error.code.as_deref() == Some(EXISTS))
}
