//! Resources of the API. A call is a chain: `client.threats()`, an operation, its arguments, and `send`, `page` or
//! `items`. `request` returns the request without sending it.
//!
//! - A list is a [`ListBuilder`]: `filter` or `query`, `sort_by`, then `page`, `pages`, `items` or `count`.
//! - An action is an [`ActionBuilder`]: `filter` if it has one, then `count` and `send`.
//! - A read with a single response is an `async fn`.
//! - Any other operation is a `CallBuilder`: `send`, or `.await`. The operations of the tier `documented` are behind the
//!   features of the crate.

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
pub mod long_running_query;
pub mod remote_scripts;
pub mod service_users;
pub mod sites;
pub mod star_rules;
pub mod system;
pub mod threats;
pub mod users;

/// The resource modules, re-exported from the crate root.
pub(crate) mod all {
    pub use super::{
        accounts, activities, agents, alerts, blocklist, deep_visibility, exclusions, groups, hashes, iocs,
        long_running_query, remote_scripts, service_users, sites, star_rules, system, threats, users,
    };

    #[cfg(feature = "documented")]
    #[allow(unreachable_pub, unused_imports, reason = "empty if all operations are curated")]
    pub use super::documented::all::*;
}

mod builders;
#[cfg(feature = "documented")]
mod call;
#[cfg(feature = "documented")]
mod documented;

use crate::client::Client;

#[cfg(feature = "documented")]
pub use call::CallBuilder;

pub use builders::{
    ActionBuilder, CountableFilter, CountableQuery, FilterableBody, FilterableQuery, LimitedBody,
    ListBuilder, SortableQuery,
};

/// Access to the resources.
impl Client {
    /// Returns the operations on accounts, the parts of a tenant.
    pub fn accounts(&self) -> accounts::Accounts {
        accounts::Accounts::new(self)
    }

    /// Returns the operations on activities, the log of actions by users, agents and the console.
    pub fn activities(&self) -> activities::Activities {
        activities::Activities::new(self)
    }

    /// Returns the operations on agents and their endpoints.
    pub fn agents(&self) -> agents::Agents {
        agents::Agents::new(self)
    }

    /// Returns the operations on alerts, the events that STAR rules matched.
    pub fn alerts(&self) -> alerts::Alerts {
        alerts::Alerts::new(self)
    }

    /// Returns the operations on the blocklist, the hashes of files that agents block.
    pub fn blocklist(&self) -> blocklist::Blocklist {
        blocklist::Blocklist::new(self)
    }

    /// Returns the operations on Deep Visibility queries and PowerQueries.
    pub fn deep_visibility(&self) -> deep_visibility::DeepVisibility {
        deep_visibility::DeepVisibility::new(self)
    }

    /// Returns the operations on exclusions, the objects that agents do not inspect.
    pub fn exclusions(&self) -> exclusions::Exclusions {
        exclusions::Exclusions::new(self)
    }

    /// Returns the operations on groups, the parts of a site.
    pub fn groups(&self) -> groups::Groups {
        groups::Groups::new(self)
    }

    /// Returns the operations on hashes, which return verdicts of the reputation service.
    pub fn hashes(&self) -> hashes::Hashes {
        hashes::Hashes::new(self)
    }

    /// Returns the calls of a long-running query; [`queries`](Self::queries) runs them.
    pub fn long_running_query(&self) -> long_running_query::LongRunningQuery {
        long_running_query::LongRunningQuery::new(self)
    }

    /// Returns the operations on indicators of compromise.
    pub fn iocs(&self) -> iocs::Iocs {
        iocs::Iocs::new(self)
    }

    /// Returns the operations on the script library, script tasks and their results.
    pub fn remote_scripts(&self) -> remote_scripts::RemoteScripts {
        remote_scripts::RemoteScripts::new(self)
    }

    /// Returns the operations on service users, the accounts for automation.
    pub fn service_users(&self) -> service_users::ServiceUsers {
        service_users::ServiceUsers::new(self)
    }

    /// Returns the operations on sites, the parts of an account.
    pub fn sites(&self) -> sites::Sites {
        sites::Sites::new(self)
    }

    /// Returns the operations on STAR rules, the custom detection rules.
    pub fn star_rules(&self) -> star_rules::StarRules {
        star_rules::StarRules::new(self)
    }

    /// Returns the operations on the system, such as the health of the console.
    pub fn system(&self) -> system::System {
        system::System::new(self)
    }

    /// Returns the operations on threats, the detections of agents.
    pub fn threats(&self) -> threats::Threats {
        threats::Threats::new(self)
    }

    /// Returns the operations on users, such as the details of their API tokens.
    pub fn users(&self) -> users::Users {
        users::Users::new(self)
    }
}
