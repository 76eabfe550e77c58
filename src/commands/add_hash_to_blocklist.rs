//! `sentinelone-add-hash-to-blocklist`: a file that is to run nowhere.

use std::collections::VecDeque;

use sentinelone_raw::blocklist::{self as raw, BlocklistCreation, BlocklistCreationData, BlocklistType};
use sentinelone_raw::runtime::{ApiVersion, Request};
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::threats::OsType;
use serde_json::{Value, json};

use super::act::{join, without_answer};
use super::blocklist_entry::{scopes, sha1, sha1_argument, sites_argument};
use super::context::{Output, under};
use super::lists::scope_ids;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::outcome::{IdOutcome, IdState};

/// Adds a hash to the blocklist of the tenant, or to those of sites. No agent there lets the file run.
///
/// The outcome tells of each site; for the tenant, of the hash.
#[derive(Clone, Debug, PartialEq)]
pub struct AddHashToBlocklist {
    /// SHA-1 of the file.
    pub sha1: String,
    /// Where the entry is said to come from.
    pub source: String,
    /// The operating system that it is for.
    pub os_type: OsType,
    /// Free text.
    pub description: String,
    /// Sites; without them, the whole tenant.
    pub block_site_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.AddHashToBlocklist";
const SYSTEMS: &[&str] = &["windows", "linux", "macos"];
const SOURCE: &str = "XSOAR";
const DESCRIPTION: &str = "Blocked from XSOAR";
const ALREADY: &str = "Already on blocklist";
/// What the console says of a hash that is on the list.
const EXISTS: &str = "4000030";

impl Command for AddHashToBlocklist {
    const INFO: Info = Info {
        name: "add-hash-to-blocklist",
        full_name: "sentinelone-add-hash-to-blocklist",
        summary: "Add a hash to the blocklist",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: true,
        operations: &["blocklist_create"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.AddHashToBlocklist.hash", "Unknown", "The hash", "sha1"),
        Output::computed(
            "SentinelOne.AddHashToBlocklist.status",
            "Unknown",
            "Added to global blocklist, Added to scoped blocklist, or Already on blocklist; Partly added to \
             scoped blocklist where only some sites are known to have it; Unknown when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::Text;
        vec![
            sha1_argument(),
            Argument::new("source", Text, "Where the entry is said to come from.").default(SOURCE),
            Argument::new("os_type", Text, "The operating system that it is for.").required().values(SYSTEMS),
            Argument::new("description", Text, "Free text that is kept with the entry.").default(DESCRIPTION),
            sites_argument(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            sha1: arguments.required("sha1")?.trim().to_owned(),
            source: arguments.text("source")?.unwrap_or_else(|| SOURCE.to_owned()),
            os_type: arguments.required_choice_of_any_case("os_type", SYSTEMS)?,
            description: arguments.text("description")?.unwrap_or_else(|| DESCRIPTION.to_owned()),
            block_site_ids: arguments.list("block_site_ids")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        sha1(Self::INFO.name, &self.sha1)?;
        scopes(&self.block_site_ids).iter().map(|sites| self.request(sites)).collect()
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        sha1(Self::INFO.name, &self.sha1)?;
        let mut outcome = Outcome::found(Value::Null, Value::Null);
        let mut refusal = Value::Null;
        let mut left = VecDeque::from(scopes(&self.block_site_ids));
        while let Some(sites) = left.pop_front() {
            if outcome.failure.is_some() {
                outcome.ids.extend(self.each(&sites, IdState::NotAffected));
                continue;
            }
            match client.send(&self.request(&sites)?).await {
                Ok(answer) => {
                    let body = answer.json();
                    let entries = body.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                    outcome.ids.extend(self.created(&sites, entries));
                    outcome.affected = Some(outcome.affected.unwrap_or(0) + entries.len() as u64);
                    outcome.errors.extend_from_slice(answer.vendor_errors());
                    join(&mut outcome.answer, body);
                }
                // One site that has the hash must not keep it from the others.
                Err(error) if exists(&error) && sites.len() > 1 => {
                    sites.into_iter().rev().for_each(|site| left.push_front(vec![site]));
                }
                Err(error) if exists(&error) => {
                    refusal =
                        error.body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
                    outcome.ids.extend(self.each(&sites, IdState::AlreadySet));
                    outcome.affected = Some(outcome.affected.unwrap_or(0));
                }
                Err(error) if outcome.ids.is_empty() => return Err(error),
                Err(error) => {
                    let state = if error.may_have_acted() { IdState::Unknown } else { IdState::NotAffected };
                    outcome.ids.extend(self.each(&sites, state));
                    outcome.failure = Some(error);
                }
            }
        }
        if outcome.answer.is_null() {
            outcome.answer = refusal;
        }
        outcome.context = under(PREFIX, json!({ "hash": self.sha1, "status": self.status(&outcome.ids) }));
        Ok(outcome)
    }
}

impl AddHashToBlocklist {
    fn request(&self, sites: &[String]) -> Result<Request<Value>> {
        let data =
            BlocklistCreationData::new(self.os_type.clone(), BlocklistType::BlackHash, self.sha1.clone())
                .source(self.source.clone())
                .description(self.description.clone());
        let scope = ScopeFilter::default();
        let scope = if sites.is_empty() { scope.tenant(true) } else { scope.site_ids(sites) };
        Ok(raw::create(&BlocklistCreation::new(data, scope))?.answering())
    }

    /// The same for every site of a request, or for the tenant.
    fn each(&self, sites: &[String], state: IdState) -> Vec<IdOutcome> {
        let one = |id: &String| {
            let detail = (state == IdState::AlreadySet).then(|| ALREADY.to_owned());
            IdOutcome { detail, ..without_answer(id.clone(), state) }
        };
        if sites.is_empty() { vec![one(&self.sha1)] } else { sites.iter().map(one).collect() }
    }

    /// What the new entries say: all of it when there are as many as sites, else of the sites that they name.
    fn created(&self, sites: &[String], entries: &[Value]) -> Vec<IdOutcome> {
        if !entries.is_empty() && entries.len() >= sites.len() {
            return self.each(sites, IdState::Done);
        }
        let named = |site: &String| entries.iter().any(|entry| scope_ids(entry, "siteIds").contains(site));
        let mut ids = self.each(sites, IdState::Unknown);
        ids.iter_mut().filter(|one| named(&one.id)).for_each(|one| one.state = IdState::Done);
        ids
    }

    fn status(&self, ids: &[IdOutcome]) -> &'static str {
        let all = ids.iter().all(|one| one.state.is_fulfilled());
        match (all, ids.iter().any(|one| one.state == IdState::Done)) {
            (true, false) => ALREADY,
            (true, true) if self.block_site_ids.is_empty() => "Added to global blocklist",
            (true, true) => "Added to scoped blocklist",
            (false, _) if ids.iter().any(|one| one.state.is_fulfilled()) => {
                "Partly added to scoped blocklist"
            }
            (false, _) => "Unknown",
        }
    }
}

/// Whether the console refused it only because the hash is on the list.
fn exists(error: &Error) -> bool {
    let errors = error.vendor_errors();
    error.kind() == ErrorKind::Api
        && !errors.is_empty()
        && errors.iter().all(|error| error.code.as_deref() == Some(EXISTS))
}
