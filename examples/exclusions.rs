//! Has the agents of a group leave a folder alone, looks at what is excluded there, and takes it back:
//!
//! ```console
//! $ cargo run --example exclusions
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so, and removes what it added: `cargo run --example exclusions -- --act GROUP-ID /opt/backup/`.

mod support;

use std::error::Error;

use sentinelone::exclusions::{
    ExclusionCreationData, ExclusionMode, ExclusionType, ExclusionsListQuery, OsType, PathExclusionType,
    ScopeFilter,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let group = place.argument("GROUP-ID", "430000000000000002")?;
    let path = place.argument("PATH", "/opt/backup/")?;
    let client = &place.client;

    // An exclusion is a gap in the protection: as narrow as it can be, and with a reason.
    let folder = ExclusionCreationData::new(OsType::Linux, ExclusionType::Path, path)
        .path_exclusion_type(PathExclusionType::Subfolders)
        .mode(ExclusionMode::Suppress)
        .description("The backup reads everything");
    let scope = ScopeFilter::default().group_ids([&group]);
    let created = client.exclusions().create(folder).filter(scope).send().await?.into_value();
    let ids: Vec<String> = created.data.into_iter().filter_map(|exclusion| exclusion.id).collect();
    println!("{} created", ids.len());

    let of_group = ExclusionsListQuery::default().group_ids([&group]);
    let mut exclusions = client.exclusions().list().query(of_group).items();
    while let Some(exclusion) = exclusions.next().await {
        let exclusion = exclusion?;
        println!(
            "{}  {}  {}",
            exclusion.type_.unwrap_or_default(),
            exclusion.value.unwrap_or_default(),
            exclusion.description.unwrap_or_default()
        );
    }

    let removed = client.exclusions().delete(ids).of_type(ExclusionType::Path).send().await?;
    println!("{} removed", removed.affected().unwrap_or_default());
    Ok(())
}
