//! The context paths of sites, and what the console says of a site that was acted on.

use serde_json::Value;

use super::act::succeeded;
use super::context::Output;
use crate::outcome::{IdOutcome, IdState};

pub(super) const PREFIX: &str = "SentinelOne.Site";

pub(super) const ID: Output = Output::field("SentinelOne.Site.ID", "String", "Identifier of the site", "id");
pub(super) const NAME: Output = Output::field("SentinelOne.Site.Name", "String", "Name of the site", "name");
pub(super) const TYPE: Output =
    Output::field("SentinelOne.Site.Type", "String", "Whether it is paid for or a trial", "siteType");
pub(super) const ACCOUNT_NAME: Output =
    Output::field("SentinelOne.Site.AccountName", "String", "Name of its account", "accountName");
pub(super) const STATE: Output =
    Output::field("SentinelOne.Site.State", "String", "Whether it is active, expired or deleted", "state");
pub(super) const ACTIVE_LICENSES: Output = Output::field(
    "SentinelOne.Site.ActiveLicenses",
    "Number",
    "How many of its licences are in use",
    "activeLicenses",
);
pub(super) const TOTAL_LICENSES: Output =
    Output::field("SentinelOne.Site.TotalLicenses", "Number", "How many licences it has", "totalLicenses");
pub(super) const UNLIMITED_LICENSES: Output = Output::field(
    "SentinelOne.Site.UnlimitedLicenses",
    "Boolean",
    "Whether its licences have no limit",
    "unlimitedLicenses",
)
.no_column();
pub(super) const EXPIRATION: Output =
    Output::field("SentinelOne.Site.Expiration", "String", "When it expires", "expiration");
pub(super) const CREATED_AT: Output =
    Output::field("SentinelOne.Site.CreatedAt", "Date", "When it was created", "createdAt").no_column();
pub(super) const CREATOR: Output =
    Output::field("SentinelOne.Site.Creator", "String", "Name of the user who created it", "creator")
        .no_column();
pub(super) const SUITE: Output =
    Output::field("SentinelOne.Site.Suite", "String", "Product tier of the site", "suite").no_column();
pub(super) const HEALTH_STATUS: Output = Output::field(
    "SentinelOne.Site.HealthStatus",
    "Boolean",
    "Whether it is healthy; always true, as the vendor says",
    "healthStatus",
)
.no_column();
pub(super) const ACCOUNT_ID: Output =
    Output::field("SentinelOne.Site.AccountID", "String", "Identifier of its account", "accountId")
        .no_column();

/// What the answer says of a site that was to come into a state: a flag, or the site as it is now.
pub(super) fn came_into(state: &str, site_id: &str, answer: &Value) -> Vec<IdOutcome> {
    let mut ids = succeeded(site_id, answer);
    let now = answer.pointer("/data/state").and_then(Value::as_str);
    for one in ids.iter_mut().filter(|one| one.state == IdState::Unknown) {
        // Another state may be the one before, so that it tells nothing.
        if now == Some(state) {
            one.state = IdState::Done;
        }
        one.detail = now.map(str::to_owned);
    }
    ids
}
