//! Lists the infected agents, and the applications that are installed on one endpoint.
//!
//! ```console
//! $ cargo run --example endpoints
//! ```
//!
//! By default, the example runs on the embedded sandbox. It only reads. To use a console, set `S1_CONSOLE_URL` and
//! `S1_API_TOKEN`, and pass the endpoint name: `cargo run --example endpoints -- db-01`.

mod support;

use std::error::Error;

use sentinelone::agents::{AgentFilter, AgentSortField, SortOrder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_reads().await?;
    let endpoint = context.argument("ENDPOINT", "db-01")?;
    let agents = || context.client.agents();

    let infected = AgentFilter::default().infected(true);
    println!(
        "{} of {} agents are infected:",
        agents().count(&infected).await?,
        agents().list().count().await?
    );
    let list = agents().list().filter(infected).sort_by(AgentSortField::ComputerName, SortOrder::Asc);
    let mut found = list.items().limit(50);
    while let Some(agent) = found.next().await {
        let agent = agent?;
        println!(
            "{}  {}  {} threats",
            agent.computer_name.unwrap_or_default(),
            agent.os_name.unwrap_or_default(),
            agent.active_threats.unwrap_or_default()
        );
    }

    let named = AgentFilter::default().computer_name(&endpoint);
    for agent in agents().list().filter(named).items().collect().await? {
        // The entries have no agent ID, so each request is for one agent.
        let applications = agents().applications(agent.id).await?.into_value();
        for application in applications.data {
            let (name, version) =
                (application.name.unwrap_or_default(), application.version.unwrap_or_default());
            println!("on {endpoint}: {name} {version}");
        }
    }
    Ok(())
}
