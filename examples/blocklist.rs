//! Blocks a file hash in a site: reads its reputation, adds it to the blocklist, lists it and removes it.
//!
//! ```console
//! $ cargo run --example blocklist
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example blocklist -- --act SITE-ID SHA1`. It removes the entry that it added.

mod support;

use std::error::Error;

use sentinelone::blocklist::{BlocklistCreateData, BlocklistListQuery, BlocklistType, OsType, ScopeFilter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let site = context.argument("SITE-ID", "420000000000000001")?;
    let hash = context.argument("SHA1", "ac343237eb6ee68d9b6db7c861bb4a8d991cf792")?;
    let client = &context.client;

    let reputation = client.hashes().verdict(&hash).await?.into_value().data.unwrap_or_default();
    println!("{hash} is {}", reputation.verdict.as_deref().unwrap_or("unknown"));

    let entry = BlocklistCreateData::new(OsType::Windows, BlocklistType::BlackHash)
        .value(&hash)
        .description("From an incident");
    // The scope is required; a request without a scope could apply to the whole tenant.
    let scope = ScopeFilter::default().site_ids([&site]);
    let created = client.blocklist().create(entry).filter(scope).send().await?.into_value();
    let ids: Vec<String> = created.data.into_iter().filter_map(|entry| entry.id).collect();

    let of_site = BlocklistListQuery::default().site_ids([&site]).value(&hash);
    let found = client.blocklist().list().query(of_site.clone()).items().collect().await?;
    for entry in found {
        println!("blocked: {}", entry.description.unwrap_or_default());
    }

    // Remove the entry by ID, because other entries may have the same hash.
    let removed = client.blocklist().delete(ids).entry_type(BlocklistType::BlackHash).send().await?;
    println!("{} removed", removed.affected().unwrap_or_default());
    println!("{} left", client.blocklist().list().query(of_site).count().await?);
    Ok(())
}
