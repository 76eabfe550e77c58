//! `sentinelone-get-threat-notes`: lists the notes of a threat.

use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::threats::{self as raw, ThreatsListNotesQuery};

use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::list_entries::ContextEntries;
use super::support::list_pages::{Keep, list};
use super::support::requested_ids::RequestedIds;
use super::{GetThreatNotes, Outcome};
use crate::Result;
use crate::incidents::mirror::threat_request;
use crate::paging::with_page_size;

impl Behavior for GetThreatNotes {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let request = raw::list_notes(&self.threat_id, &ThreatsListNotesQuery::default())?;
        Ok(vec![with_page_size(request.with_response_type(), None)?])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests, observer } = run;
        let entries = ContextEntries::of::<Self>();
        let notes = AtomicUsize::new(0);
        let count: Keep<'_> = Some(&|_| {
            notes.fetch_add(1, Ordering::Relaxed);
            true
        });
        let mut outcome = list((client, observer), requests, None, count, entries).await?;
        if notes.into_inner() == 0 && outcome.is_complete() {
            // The list is also empty if the threat does not exist.
            let requested =
                RequestedIds::default().with("threat_id", slice::from_ref(&self.threat_id), &["id"]);
            let threat = threat_request(client.api_version(), &self.threat_id)?.with_response_type();
            match list((client, &requested), vec![threat], None, None, entries).await {
                Ok(threats) => outcome.not_found = threats.not_found,
                Err(error) => outcome.failure = Some(error),
            }
        }
        Ok(outcome)
    }
}
