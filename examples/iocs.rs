//! Adds threat indicators of a feed, lists them and deletes them.
//!
//! ```console
//! $ cargo run --example iocs
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example iocs -- --act ACCOUNT-ID`. It deletes the indicators of its own feed.

mod support;

use std::error::Error;

use sentinelone::iocs::{IocData, IocFilter, IocMethod, IocType, ScopeFilter};

/// Source of the indicators; the example selects them by it.
const FEED: &str = "example feed";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let account = context.argument("ACCOUNT-ID", "410000000000000001")?;
    let client = &context.client;

    let indicator = |kind: IocType, value: &str| {
        IocData::new(FEED, value).type_(kind).method(IocMethod::Equals).valid_until("2030-01-01T00:00:00Z")
    };
    let feed = [indicator(IocType::Ipv4, "203.0.113.99"), indicator(IocType::Dns, "worse.example.com")];
    // One request creates several indicators in one scope.
    let scope = ScopeFilter::default().account_ids([&account]);
    let created = client.iocs().create(feed).filter(scope).send().await?;
    println!("{} created", created.data.len());

    let of_feed = IocFilter::default().account_ids([&account]).source([FEED]);
    let mut indicators = client.iocs().list().filter(of_feed.clone()).items();
    while let Some(indicator) = indicators.next().await {
        let indicator = indicator?;
        let kind = indicator.type_.as_ref().map_or("unknown", |kind| kind.as_str());
        println!("{kind}  {}", indicator.value.unwrap_or_default());
    }

    let delete = client.iocs().delete().filter(of_feed);
    println!("{} to delete", delete.count().await?);
    println!("{} deleted", delete.send().await?.affected().unwrap_or_default());
    Ok(())
}
