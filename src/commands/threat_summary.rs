//! `sentinelone-threat-summary`: counts threats by state.

use sentinelone_raw::runtime::{ApiVersion, Data};
use sentinelone_raw::threats::{self as raw, ThreatsSummaryQuery};

use super::command::{Behavior, Run};
use super::support::batched_lists::non_empty;
use super::support::execution::Requests;
use super::support::list_pages::get;
use super::{Outcome, ThreatSummary};
use crate::Result;

impl Behavior for ThreatSummary {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let mut query = ThreatsSummaryQuery::default();
        query.group_ids = non_empty(&self.group_ids);
        Ok(vec![raw::summary(&query)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        get::<Self, Data<raw::ThreatSummary>>(run, None).await
    }
}
