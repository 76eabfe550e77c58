//! Looks at sites and their groups, moves a computer into a group, and ends the licence of a site and renews it
//! without an end:
//!
//! ```console
//! $ cargo run --example sites_and_groups
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so, and agents of an expired site are not served:
//! `cargo run --example sites_and_groups -- --act SITE GROUP COMPUTER`.

mod support;

use std::error::Error;

use sentinelone::groups::{AgentFilter, GroupsListQuery};
use sentinelone::sites::{SiteSortField, SitesListQuery, SortOrder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let site = place.argument("SITE", "Head Office")?;
    let group = place.argument("GROUP", "Under Examination")?;
    let computer = place.argument("COMPUTER", "lap-finance-07")?;
    let client = &place.client;

    let mut sites = client.sites().list().sort_by(SiteSortField::Name, SortOrder::Asc).items();
    while let Some(site) = sites.next().await {
        let site = site?;
        println!(
            "{} ({} licences in use)",
            site.name.unwrap_or_default(),
            site.active_licenses.unwrap_or_default()
        );
    }

    let named = client.sites().list().query(SitesListQuery::default().name(&site)).items().collect().await?;
    let [site] = named.as_slice() else { return Err(format!("not one site is called {site}").into()) };
    let site = site.id.as_deref().ok_or("the site has no identifier")?;

    let named = GroupsListQuery::default().site_ids([site]).name(&group);
    let groups = client.groups().list().query(named).items().collect().await?;
    let [found] = groups.as_slice() else { return Err(format!("not one group is called {group}").into()) };
    let found = found.id.as_deref().ok_or("the group has no identifier")?;

    // Names are no identifiers: several computers may have this one.
    let named = AgentFilter::default().computer_name(&computer).site_ids([site]);
    let agents = client.agents().list().filter(named).items().limit(2).collect().await?;
    let [agent] = agents.as_slice() else { return Err(format!("not one agent is called {computer}").into()) };
    let agent = agent.id.as_deref().ok_or("the agent has no identifier")?;

    // The policy of the group applies to the computer from now on.
    let one = AgentFilter::default().ids([agent]);
    let moved = client.groups().move_agents(found).filter(one).send().await?.into_value();
    let moved = moved.data.and_then(|result| result.agents_moved).unwrap_or_default();
    println!("{moved} moved to {group}");

    client.sites().expire(site).send().await?;
    let state =
        |site: sentinelone::sites::Site| site.state.map(|state| state.to_string()).unwrap_or_default();
    println!("the site is {}", state(client.sites().get(site).await?.into_value().data.unwrap_or_default()));
    client.sites().reactivate(site).unlimited().send().await?;
    println!("the site is {}", state(client.sites().get(site).await?.into_value().data.unwrap_or_default()));
    Ok(())
}
