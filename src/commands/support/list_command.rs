//! Commands that read a list, as their declaration describes it.

use sentinelone_raw::commands::*;
use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::runtime::commands::ListCommand;

use super::batched_lists::{batched_list_requests, read_lists, require_single_list};
use super::execution::Requests;
use super::ids::unique;
use super::list_entries::ContextEntries;
use super::requested_ids::RequestedIds;
use crate::Result;
use crate::commands::Outcome;
use crate::commands::command::{Behavior, Run};

macro_rules! behaviors {
    ($($command:ident)*) => {$(
        impl Behavior for $command {
            fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
                list_requests(self)
            }

            async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
                read_list(self, run, ContextEntries::of::<Self>()).await
            }
        }
    )*};
}

sentinelone_raw::for_each_list_command!(behaviors);

/// Returns the maximum number of items: the limit, or else the larger of the default and the number of IDs. `None` if the
/// command has no limit.
pub(crate) fn effective_limit<C: ListCommand>(command: &C) -> Option<u64> {
    let default = command.default_limit().map(|default| default.max(command.ids().1.len() as u64));
    command.limit().or(default)
}

/// Returns the requests of the list. IDs go out in batches that fit in a URL.
pub(crate) fn list_requests<C: ListCommand>(command: &C) -> Result<Requests> {
    require_single_list(command)?;
    let (_, ids) = command.ids();
    // Without a limit, the console returns ten items.
    let ids = unique(ids);
    let page_limit = effective_limit(command).or((!ids.is_empty()).then_some(ids.len() as u64));
    batched_list_requests(&ids, page_limit, |ids| Ok(command.request(ids)?))
}

/// Reads the list up to the limit.
pub(crate) async fn read_list<C: ListCommand>(
    command: &C,
    run: Run<'_>,
    entries: ContextEntries<'_>,
) -> Result<Outcome> {
    let requested = RequestedIds::of(command);
    read_lists((run.client, run.observer, &requested), run.requests, effective_limit(command), None, entries)
        .await
}
