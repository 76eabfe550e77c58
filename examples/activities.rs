//! Lists the latest activities of an agent: actions of users, agents and the console.
//!
//! ```console
//! $ cargo run --example activities
//! ```
//!
//! By default, the example runs on the embedded sandbox. It only reads. To use a console, set `S1_CONSOLE_URL` and
//! `S1_API_TOKEN`, and pass the agent and the start time: `cargo run --example activities -- AGENT-ID "7 days"`.

mod support;

use std::collections::HashMap;
use std::error::Error;

use sentinelone::activities::{ActivitiesListQuery, ActivitySortField, SortOrder};
use sentinelone::{Timestamp, parse_timestamp};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_reads().await?;
    let agent = context.argument("AGENT-ID", "440000000000000004")?;
    // A timestamp, or a duration before now.
    let since = parse_timestamp(&context.argument("SINCE", "2026-11-01T00:00:00Z")?, &Timestamp::now())?;
    let activities = || context.client.activities();

    // Activities have a numeric type; the console lists the names of the types.
    let types = activities().types().await?.into_value().data;
    let names: HashMap<i64, String> =
        types.into_iter().filter_map(|one| Some((one.id?, one.action?))).collect();

    // The activity log is long, so the query narrows it.
    let query = ActivitiesListQuery::default().agent_ids([agent]).created_at_gte(since);
    let list = activities().list().query(query).sort_by(ActivitySortField::CreatedAt, SortOrder::Desc);
    let mut latest = list.items().limit(100);
    while let Some(activity) = latest.next().await {
        let activity = activity?;
        let name = activity.activity_type.and_then(|kind| names.get(&kind));
        println!(
            "{}  {}: {}",
            activity.created_at.map(|time| time.to_string()).unwrap_or_default(),
            name.map_or("unknown type", String::as_str),
            activity.primary_description.unwrap_or_default()
        );
    }
    Ok(())
}
