//! What is on the endpoints: the agents that need attention, and what is installed on one of them.
//!
//! ```console
//! $ cargo run --example endpoints
//! ```
//!
//! That is on the embedded sandbox. It changes nothing; on a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! it wants to know whose applications: `cargo run --example endpoints -- db-01`.

mod support;

use std::error::Error;

use sentinelone::agents::{AgentFilter, AgentSortField, SortOrder};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_read().await?;
    let computer = place.argument("COMPUTER", "db-01")?;
    let agents = || place.client.agents();

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

    let named = AgentFilter::default().computer_name(&computer);
    for agent in agents().list().filter(named).items().collect().await? {
        // The entries do not say whose they are, so that one agent is asked at a time.
        let applications = agents().applications(agent.id).await?.into_value();
        for application in applications.data {
            let (name, version) =
                (application.name.unwrap_or_default(), application.version.unwrap_or_default());
            println!("on {computer}: {name} {version}");
        }
    }
    Ok(())
}
