//! Reads the log: what people, agents and the console did lately about one agent.
//!
//! ```console
//! $ cargo run --example activities
//! ```
//!
//! That is on the embedded sandbox. It changes nothing; on a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! it wants to know whose log, and since when: `cargo run --example activities -- AGENT-ID "7 days"`.

mod support;

use std::collections::HashMap;
use std::error::Error;

use sentinelone::activities::{ActivitiesListQuery, ActivitySortField, SortOrder};
use sentinelone::{Timestamp, point_in_time};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_read().await?;
    let agent = place.argument("AGENT-ID", "440000000000000004")?;
    // A time, or a span before now.
    let since = point_in_time(&place.argument("SINCE", "2026-11-01T00:00:00Z")?, &Timestamp::now())?;
    let activities = || place.client.activities();

    // Activities have numbers; the console tells what they stand for.
    let types = activities().types().await?.into_value().data;
    let names: HashMap<i64, String> =
        types.into_iter().filter_map(|one| Some((one.id?, one.action?))).collect();

    // The log is long, so it is narrowed down before it is read.
    let query = ActivitiesListQuery::default().agent_ids([agent]).created_at_gte(since);
    let list = activities().list().query(query).sort_by(ActivitySortField::CreatedAt, SortOrder::Desc);
    let mut log = list.items().limit(100);
    while let Some(activity) = log.next().await {
        let activity = activity?;
        let name = activity.activity_type.and_then(|kind| names.get(&kind));
        println!(
            "{}  {}: {}",
            activity.created_at.map(|time| time.to_string()).unwrap_or_default(),
            name.map_or("unknown kind", String::as_str),
            activity.primary_description.unwrap_or_default()
        );
    }
    Ok(())
}
