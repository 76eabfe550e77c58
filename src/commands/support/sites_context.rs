//! Context paths of sites, and the result of an action on a site.

use serde_json::Value;

use super::batch_action::success_outcome;
use super::context_path::ContextPath;
use crate::outcome::{IdOutcome, IdState};

pub(crate) const PREFIX: &str = "SentinelOne.Site";

pub(crate) const ID: ContextPath =
    ContextPath::field("SentinelOne.Site.ID", "String", "ID of the site", "id");
pub(crate) const NAME: ContextPath =
    ContextPath::field("SentinelOne.Site.Name", "String", "Name of the site", "name");
pub(crate) const TYPE: ContextPath =
    ContextPath::field("SentinelOne.Site.Type", "String", "License type, such as Paid or Trial", "siteType");
pub(crate) const ACCOUNT_NAME: ContextPath =
    ContextPath::field("SentinelOne.Site.AccountName", "String", "Name of the account", "accountName");
pub(crate) const STATE: ContextPath =
    ContextPath::field("SentinelOne.Site.State", "String", "State: active, expired or deleted", "state");
pub(crate) const ACTIVE_LICENSES: ContextPath = ContextPath::field(
    "SentinelOne.Site.ActiveLicenses",
    "Number",
    "Number of licenses in use",
    "activeLicenses",
);
pub(crate) const TOTAL_LICENSES: ContextPath =
    ContextPath::field("SentinelOne.Site.TotalLicenses", "Number", "Number of licenses", "totalLicenses");
pub(crate) const UNLIMITED_LICENSES: ContextPath = ContextPath::field(
    "SentinelOne.Site.UnlimitedLicenses",
    "Boolean",
    "Whether the number of licenses is unlimited",
    "unlimitedLicenses",
)
.no_column();
pub(crate) const EXPIRATION: ContextPath =
    ContextPath::field("SentinelOne.Site.Expiration", "String", "Expiration time", "expiration");
pub(crate) const CREATED_AT: ContextPath =
    ContextPath::field("SentinelOne.Site.CreatedAt", "Date", "Creation time", "createdAt").no_column();
pub(crate) const CREATOR: ContextPath = ContextPath::field(
    "SentinelOne.Site.Creator",
    "String",
    "Name of the user who created the site",
    "creator",
)
.no_column();
pub(crate) const SUITE: ContextPath =
    ContextPath::field("SentinelOne.Site.Suite", "String", "Product tier of the site", "suite").no_column();
pub(crate) const HEALTH_STATUS: ContextPath = ContextPath::field(
    "SentinelOne.Site.HealthStatus",
    "Boolean",
    "Health status; documented as always true",
    "healthStatus",
)
.no_column();
pub(crate) const ACCOUNT_ID: ContextPath =
    ContextPath::field("SentinelOne.Site.AccountID", "String", "ID of the account", "accountId").no_column();

/// Derives the result of a site that an action puts into `state`, from the success flag or the site in the response.
pub(crate) fn state_outcome(state: &str, site_id: &str, response: &Value) -> Vec<IdOutcome> {
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
