//! Lists sites and groups, moves an endpoint to a group, expires a site and reactivates it without an expiration
//! date.
//!
//! ```console
//! $ cargo run --example sites_and_groups
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example sites_and_groups -- --act SITE GROUP ENDPOINT`. The console does not
//! serve the agents of an expired site.

mod support;

use std::error::Error;

use sentinelone::groups::{AgentFilter, GroupsListQuery};
use sentinelone::sites::{SiteSortField, SitesListQuery, SortOrder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let site = context.argument("SITE", "Head Office")?;
    let group = context.argument("GROUP", "Under Examination")?;
    let endpoint = context.argument("ENDPOINT", "lap-finance-07")?;
    let client = &context.client;

    let mut sites = client.sites().list().sort_by(SiteSortField::Name, SortOrder::Asc).items();
    while let Some(site) = sites.next().await {
        let site = site?;
        println!(
            "{} ({} licenses in use)",
            site.name.unwrap_or_default(),
            site.active_licenses.unwrap_or_default()
        );
    }

    let named = client.sites().list().query(SitesListQuery::default().name(&site)).items().collect().await?;
    let [site] = named.as_slice() else {
        return Err(format!("the name {site} does not match exactly one site").into());
    };
    let site = site.id.as_deref().ok_or("the site has no ID")?;

    let named = GroupsListQuery::default().site_ids([site]).name(&group);
    let groups = client.groups().list().query(named).items().collect().await?;
    let [found] = groups.as_slice() else {
        return Err(format!("the name {group} does not match exactly one group").into());
    };
    let found = found.id.as_deref().ok_or("the group has no ID")?;

    // Names are not unique; several endpoints may have this name.
    let named = AgentFilter::default().computer_name(&endpoint).site_ids([site]);
    let agents = client.agents().list().filter(named).items().limit(2).collect().await?;
    let [agent] = agents.as_slice() else {
        return Err(format!("the name {endpoint} does not match exactly one agent").into());
    };
    let agent = agent.id.as_deref().ok_or("the agent has no ID")?;

    // After the move, the policy of the group applies to the endpoint.
    let one = AgentFilter::default().ids([agent]);
    let moved = client.groups().move_agents(found).filter(one).send().await?.into_value();
    let moved = moved.data.and_then(|result| result.agents_moved).unwrap_or_default();
    println!("{moved} moved to {group}");

    // The state is read afterwards, because a response may lack it.
    let _ = client.sites().expire(site).send().await?;
    let state =
        |site: sentinelone::sites::Site| site.state.map(|state| state.to_string()).unwrap_or_default();
    println!("the site is {}", state(client.sites().get(site).await?.into_value().data.unwrap_or_default()));
    let _ = client.sites().reactivate(site).unlimited().send().await?;
    println!("the site is {}", state(client.sites().get(site).await?.into_value().data.unwrap_or_default()));
    Ok(())
}
