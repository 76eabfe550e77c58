//! What the client is used for, resource by resource, in one grammar: `client.threats()`, then a verb,
//! then what it is about, then `send`, `page` or `items`. Before that, `request` gives the request as a
//! value, to look at or to send later.
//!
//! A list is a [`List`]: `filter` or `query`, `sort_by`, then `page`, `pages`, `items` or `count`. What
//! starts or changes something is an [`Act`]: `filter` where it has one, then `count` and `send`. What is
//! read in one answer is an `async fn` and is asked for at once.

pub mod accounts;
pub mod activities;
pub mod agents;
pub mod alerts;
pub mod blocklist;
pub mod deep_visibility;
pub mod exclusions;
pub mod groups;
pub mod hashes;
pub mod iocs;
pub mod remote_scripts;
pub mod service_users;
pub mod sites;
pub mod star_rules;
pub mod system;
pub mod threats;
pub mod users;

/// The modules of the resources, which the root of the crate has too.
pub(crate) mod all {
    pub use super::{
        accounts, activities, agents, alerts, blocklist, deep_visibility, exclusions, groups, hashes, iocs,
        remote_scripts, service_users, sites, star_rules, system, threats, users,
    };
}

mod grammar;

use crate::client::Client;

pub use grammar::{Act, Acts, Counts, Filters, List, Selects, Sorts};

/// The resources.
impl Client {
    /// Accounts: what a tenant is divided into.
    pub fn accounts(&self) -> accounts::Accounts<'_> {
        accounts::Accounts::new(self)
    }

    /// Activities: the log of what people, agents and the console did.
    pub fn activities(&self) -> activities::Activities<'_> {
        activities::Activities::new(self)
    }

    /// Agents: the endpoints that run one, and what they are told to do.
    pub fn agents(&self) -> agents::Agents<'_> {
        agents::Agents::new(self)
    }

    /// Alerts: what STAR rules found, and what was decided about it.
    pub fn alerts(&self) -> alerts::Alerts<'_> {
        alerts::Alerts::new(self)
    }

    /// The blocklist: files that must not run.
    pub fn blocklist(&self) -> blocklist::Blocklist<'_> {
        blocklist::Blocklist::new(self)
    }

    /// Deep Visibility: questions to the telemetry.
    pub fn deep_visibility(&self) -> deep_visibility::DeepVisibility<'_> {
        deep_visibility::DeepVisibility::new(self)
    }

    /// Exclusions: what agents leave alone.
    pub fn exclusions(&self) -> exclusions::Exclusions<'_> {
        exclusions::Exclusions::new(self)
    }

    /// Groups: what a site is divided into.
    pub fn groups(&self) -> groups::Groups<'_> {
        groups::Groups::new(self)
    }

    /// Hashes: what the reputation service knows about a file.
    pub fn hashes(&self) -> hashes::Hashes<'_> {
        hashes::Hashes::new(self)
    }

    /// Indicators of compromise.
    pub fn iocs(&self) -> iocs::Iocs<'_> {
        iocs::Iocs::new(self)
    }

    /// Remote scripts: the library, its runs on endpoints, and their results.
    pub fn remote_scripts(&self) -> remote_scripts::RemoteScripts<'_> {
        remote_scripts::RemoteScripts::new(self)
    }

    /// Service users: the accounts of machines.
    pub fn service_users(&self) -> service_users::ServiceUsers<'_> {
        service_users::ServiceUsers::new(self)
    }

    /// Sites: what an account is divided into.
    pub fn sites(&self) -> sites::Sites<'_> {
        sites::Sites::new(self)
    }

    /// STAR rules: detections of one's own.
    pub fn star_rules(&self) -> star_rules::StarRules<'_> {
        star_rules::StarRules::new(self)
    }

    /// The system: whether the console is up.
    pub fn system(&self) -> system::System<'_> {
        system::System::new(self)
    }

    /// Threats: what agents detected, and what was decided about it.
    pub fn threats(&self) -> threats::Threats<'_> {
        threats::Threats::new(self)
    }

    /// Users: their API tokens.
    pub fn users(&self) -> users::Users<'_> {
        users::Users::new(self)
    }
}
