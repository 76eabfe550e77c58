//! Cuts a computer off from the network, but for the console, and lets it in again:
//!
//! ```console
//! $ cargo run --example isolate_agent
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so, and the computer is let in again at once: `cargo run --example isolate_agent -- --act web-02`.

mod support;

use std::error::Error;

use sentinelone::Client;
use sentinelone::agents::{Agent, AgentFilter};

/// The one agent of this name. That several have it, or none, is no reason to isolate anything.
async fn find(client: &Client, computer: &str) -> Result<Agent, Box<dyn Error>> {
    let named = AgentFilter::default().computer_name(computer);
    let mut found = client.agents().list().filter(named).items().limit(2).collect().await?;
    match (found.pop(), found.pop()) {
        (Some(agent), None) => Ok(agent),
        (None, _) => Err(format!("no agent is called {computer}").into()),
        _ => Err(format!("several agents are called {computer}; go by identifier").into()),
    }
}

fn tell(agent: &Agent) {
    let status = agent.network_status.as_ref().map_or("unknown", |status| status.as_str());
    println!("{}: {status}", agent.computer_name.as_deref().unwrap_or_default());
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let computer = place.argument("COMPUTER", "web-02")?;
    let client = &place.client;

    let agent = find(client, &computer).await?;
    tell(&agent);
    // From here on by identifier: names may be given anew.
    let one = AgentFilter::default().ids([agent.id.ok_or("the agent has no identifier")?]);

    let isolated = client.agents().disconnect().filter(one.clone()).send().await?;
    println!("disconnect reached {} agent", isolated.affected().unwrap_or_default());
    // An agent that is offline follows when it returns: the status tells, the count does not.
    let isolated = find(client, &computer).await;

    // Also when it could not be looked at: nobody is left isolated by an example.
    client.agents().connect().filter(one).send().await?;
    tell(&isolated?);
    tell(&find(client, &computer).await?);
    Ok(())
}
