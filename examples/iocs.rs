//! Gives the agents indicators of a feed to compare with, looks at them, and takes them back:
//!
//! ```console
//! $ cargo run --example iocs
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so, and removes what is of its feed: `cargo run --example iocs -- --act ACCOUNT-ID`.

mod support;

use std::error::Error;

use sentinelone::iocs::{IocData, IocFilter, IocMethod, IocType, ScopeFilter};

/// What the indicators are told apart by.
const FEED: &str = "feed of the example";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let account = place.argument("ACCOUNT-ID", "410000000000000001")?;
    let client = &place.client;

    let indicator = |kind: IocType, value: &str| {
        IocData::new(FEED, value).type_(kind).method(IocMethod::Equals).valid_until("2030-01-01T00:00:00Z")
    };
    let feed = [indicator(IocType::Ipv4, "203.0.113.99"), indicator(IocType::Dns, "worse.example.com")];
    // Several in one request, in a scope that is named.
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
    println!("about to delete {}", delete.count().await?);
    println!("{} deleted", delete.send().await?.affected().unwrap_or_default());
    Ok(())
}
