//! Keeps a file from running in a site, by its hash: ask the reputation service, block it, find it, let it run
//! again.
//!
//! ```console
//! $ cargo run --example blocklist
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so, and removes what it added: `cargo run --example blocklist -- --act SITE-ID SHA1`.

mod support;

use std::error::Error;

use sentinelone::blocklist::{BlocklistCreationData, BlocklistListQuery, BlocklistType, OsType, ScopeFilter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let site = place.argument("SITE-ID", "420000000000000001")?;
    let hash = place.argument("SHA1", "ac343237eb6ee68d9b6db7c861bb4a8d991cf792")?;
    let client = &place.client;

    let known = client.hashes().verdict(&hash).await?.into_value().data.unwrap_or_default();
    println!("{hash} is {}", known.verdict.as_deref().unwrap_or("unknown"));

    let entry = BlocklistCreationData::new(OsType::Windows, BlocklistType::BlackHash, &hash)
        .description("From an incident of our own");
    // Without a scope nothing would be sent: leaving it out might mean the whole tenant.
    let scope = ScopeFilter::default().site_ids([&site]);
    let created = client.blocklist().create(entry).filter(scope).send().await?.into_value();
    let ids: Vec<String> = created.data.into_iter().filter_map(|entry| entry.id).collect();

    let of_site = BlocklistListQuery::default().site_ids([&site]).value(&hash);
    let found = client.blocklist().list().query(of_site.clone()).items().collect().await?;
    for entry in found {
        println!("blocked: {}", entry.description.unwrap_or_default());
    }

    // What was added goes by its identifier, and never by a hash that others may block too.
    let removed = client.blocklist().delete(ids).of_type(BlocklistType::BlackHash).send().await?;
    println!("{} removed", removed.affected().unwrap_or_default());
    println!("{} left", client.blocklist().list().query(of_site).count().await?);
    Ok(())
}
