//! `sentinelone-add-hash-to-blocklist`: adds a file hash to the blocklist.

use std::collections::VecDeque;

use sentinelone_raw::blocklist::{self as raw, BlocklistCreateData, BlocklistCreateRequest, BlocklistType};
use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::support::batch_action::{merge_response, without_detail};
use super::support::batched_lists::scope_ids;
use super::support::blocklist_entry::{check_sha1, sha1_argument, site_batches, sites_argument};
use super::support::context_path::{ContextPath, context_under};
use super::support::execution::{ProgressObserver, Requests, next_request};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::outcome::{IdOutcome, IdState};

/// Adds a hash to the blocklist of the tenant or of sites. Agents in this scope block the file.
///
/// The outcome has one result per site, or one for the hash if the scope is the tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct AddHashToBlocklist {
    /// SHA-1 of the file.
    pub sha1: String,
    /// Source of the entry.
    pub source: String,
    /// Operating system.
    pub os_type: OsType,
    /// Description.
    pub description: String,
    /// Site IDs. Default: the blocklist of the tenant.
    pub block_site_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.AddHashToBlocklist";
const SYSTEMS: &[&str] = &["windows", "linux", "macos"];
const SOURCE: &str = "XSOAR";
const DESCRIPTION: &str = "Blocked from XSOAR";
const ALREADY: &str = "Already on blocklist";
/// Error code of the console for a hash that is on the list.
const EXISTS: &str = "4000030";

impl Command for AddHashToBlocklist {
    const INFO: CommandInfo = CommandInfo {
        name: "add-hash-to-blocklist",
        full_name: "sentinelone-add-hash-to-blocklist",
        topic: Topic::Exclusions,
        summary: "Add a hash to the blocklist",
        example: "s1 add-hash-to-blocklist --sha1 1a75ccc7ee55cd96a1a9b1b8e1a0a4c8f6c3d9e2 --os-type windows",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: true,
        operations: &["blocklist_create"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.AddHashToBlocklist.hash", "Unknown", "The hash", "sha1"),
        ContextPath::computed(
            "SentinelOne.AddHashToBlocklist.status",
            "Unknown",
            "Added to global blocklist, Added to scoped blocklist, Already on blocklist, Partially added to \
             scoped blocklist if only some sites succeeded, or Unknown",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::String;
        vec![
            sha1_argument(),
            Argument::new("source", String, "Source of the entry.").default(SOURCE),
            Argument::new("os_type", String, "Operating system.").required().values(SYSTEMS),
            Argument::new("description", String, "Description of the entry.").default(DESCRIPTION),
            sites_argument(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sha1: arguments.required("sha1")?.trim().to_owned(),
            source: arguments.string("source")?.unwrap_or_else(|| SOURCE.to_owned()),
            os_type: arguments.required_choice_ignore_case("os_type", SYSTEMS)?,
            description: arguments.string("description")?.unwrap_or_else(|| DESCRIPTION.to_owned()),
            block_site_ids: arguments.list("block_site_ids")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        check_sha1(Self::INFO.name, &self.sha1)?;
        site_batches(&self.block_site_ids).iter().map(|sites| self.request(sites)).collect()
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let mut outcome = Outcome::new(Value::Null, Value::Null);
        let mut rejection = Value::Null;
        let mut actions = actions.into_iter();
        let batches = site_batches(&self.block_site_ids).into_iter();
        let batches = batches.map(|sites| Ok((sites, next_request::<Value>(&mut actions)?)));
        let mut left = batches.collect::<Result<VecDeque<_>>>()?;
        while let Some((sites, request)) = left.pop_front() {
            if outcome.failure.is_some() {
                outcome.results.extend(self.results_with_state(&sites, IdState::NotAffected));
                continue;
            }
            match client.send(&request).await {
                Ok(response) => {
                    let body = response.json();
                    let entries = body.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                    outcome.results.extend(self.results_of_entries(&sites, entries));
                    outcome.affected = Some(outcome.affected.unwrap_or(0) + entries.len() as u64);
                    outcome.add_diagnostics(&response);
                    merge_response(&mut outcome.response, body);
                }
                // If one site has the hash, the sites are sent one by one.
                Err(error) if is_already_listed(&error) && sites.len() > 1 => {
                    for site in sites.into_iter().rev() {
                        let request = self.request(std::slice::from_ref(&site))?;
                        left.push_front((vec![site], request));
                    }
                }
                Err(error) if is_already_listed(&error) => {
                    rejection =
                        error.body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
                    outcome.results.extend(self.results_with_state(&sites, IdState::AlreadySet));
                    outcome.affected = Some(outcome.affected.unwrap_or(0));
                }
                Err(error) if outcome.results.is_empty() => return Err(error),
                Err(error) => {
                    let state =
                        if error.may_have_taken_effect() { IdState::Unknown } else { IdState::NotAffected };
                    outcome.results.extend(self.results_with_state(&sites, state));
                    outcome.failure = Some(error);
                }
            }
        }
        if outcome.response.is_null() {
            outcome.response = rejection;
        }
        outcome.context =
            context_under(PREFIX, json!({ "hash": self.sha1, "status": self.status(&outcome.results) }));
        Ok(outcome)
    }
}

impl AddHashToBlocklist {
    fn request(&self, sites: &[String]) -> Result<Request<Value>> {
        let data =
            BlocklistCreateData::new(self.os_type.clone(), BlocklistType::BlackHash, self.sha1.clone())
                .source(self.source.clone())
                .description(self.description.clone());
        let scope = ScopeFilter::default();
        let scope = if sites.is_empty() { scope.tenant(true) } else { scope.site_ids(sites) };
        Ok(raw::create(&BlocklistCreateRequest::new(data, scope))?.with_response_type())
    }

    /// Returns the same state for each site of a request, or for the hash if the scope is the tenant.
    fn results_with_state(&self, sites: &[String], state: IdState) -> Vec<IdOutcome> {
        let scope = if sites.is_empty() { "tenant" } else { "site" };
        let result = |id: &String| {
            let detail = (state == IdState::AlreadySet).then(|| format!("{ALREADY} of the {scope}"));
            IdOutcome { detail, ..without_detail(id.clone(), state) }
        };
        if sites.is_empty() { vec![result(&self.sha1)] } else { sites.iter().map(result).collect() }
    }

    /// Returns the results of a response: all sites are done if there is an entry per site, else those in the entries.
    fn results_of_entries(&self, sites: &[String], entries: &[Value]) -> Vec<IdOutcome> {
        if !entries.is_empty() && entries.len() >= sites.len() {
            return self.results_with_state(sites, IdState::Done);
        }
        let named = |site: &String| entries.iter().any(|entry| scope_ids(entry, "siteIds").contains(site));
        let mut ids = self.results_with_state(sites, IdState::Unknown);
        ids.iter_mut().filter(|result| named(&result.id)).for_each(|result| result.state = IdState::Done);
        ids
    }

    fn status(&self, ids: &[IdOutcome]) -> &'static str {
        let all = ids.iter().all(|result| result.state.is_success());
        match (all, ids.iter().any(|result| result.state == IdState::Done)) {
            (true, false) => ALREADY,
            (true, true) if self.block_site_ids.is_empty() => "Added to global blocklist",
            (true, true) => "Added to scoped blocklist",
            (false, _) if ids.iter().any(|result| result.state.is_success()) => {
                "Partially added to scoped blocklist"
            }
            (false, _) => "Unknown",
        }
    }
}

/// Returns whether the console rejected the request only because the hash is on the list.
fn is_already_listed(error: &Error) -> bool {
    let errors = error.api_errors();
    error.kind() == ErrorKind::Api
        && !errors.is_empty()
        && errors.iter().all(|error| error.code.as_deref() == Some(EXISTS))
}
