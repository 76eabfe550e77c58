//! Excludes a directory for the agents of a group, lists the exclusions of the group, and removes the exclusion.
//!
//! ```console
//! $ cargo run --example exclusions
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example exclusions -- --act GROUP-ID /opt/backup/`. It removes the exclusion that
//! it added.

mod support;

use std::error::Error;

use sentinelone::exclusions::{
    ExclusionMode, ExclusionType, ExclusionsCreateData, ExclusionsListQuery, OsType, PathExclusionType,
    ScopeFilter,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let group = context.argument("GROUP-ID", "430000000000000002")?;
    let path = context.argument("PATH", "/opt/backup/")?;
    let client = &context.client;

    // An exclusion reduces the protection. Keep it narrow and state the reason.
    let exclusion = ExclusionsCreateData::new(OsType::Linux, ExclusionType::Path, path)
        .path_exclusion_type(PathExclusionType::Subfolders)
        .mode(ExclusionMode::Suppress)
        .description("Files of the backup");
    let scope = ScopeFilter::default().group_ids([&group]);
    let created = client.exclusions().create(exclusion).filter(scope).send().await?.into_value();
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

    let removed = client.exclusions().delete(ids).exclusion_type(ExclusionType::Path).send().await?;
    println!("{} removed", removed.affected().unwrap_or_default());
    Ok(())
}
