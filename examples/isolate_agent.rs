//! Disconnects an endpoint from the network and reconnects it. A disconnected agent can still reach the console.
//!
//! ```console
//! $ cargo run --example isolate_agent
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example isolate_agent -- --act web-02`. It reconnects the endpoint immediately.

mod support;

use std::error::Error;

use sentinelone::Client;
use sentinelone::agents::{Agent, AgentFilter};

/// Returns the agent with this endpoint name. If no agent or several agents have the name, it returns an error.
async fn find(client: &Client, endpoint: &str) -> Result<Agent, Box<dyn Error>> {
    let named = AgentFilter::default().computer_name(endpoint);
    let mut found = client.agents().list().filter(named).items().limit(2).collect().await?;
    match (found.pop(), found.pop()) {
        (Some(agent), None) => Ok(agent),
        (None, _) => Err(format!("no agent has the name {endpoint}").into()),
        _ => Err(format!("several agents have the name {endpoint}; use an ID").into()),
    }
}

fn print_status(agent: &Agent) {
    let status = agent.network_status.as_ref().map_or("unknown", |status| status.as_str());
    println!("{}: {status}", agent.computer_name.as_deref().unwrap_or_default());
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let endpoint = context.argument("ENDPOINT", "web-02")?;
    let client = &context.client;

    let agent = find(client, &endpoint).await?;
    print_status(&agent);
    // The actions select the agent by ID, because names can change.
    let one = AgentFilter::default().ids([agent.id.ok_or("the agent has no ID")?]);

    let isolated = client.agents().disconnect().filter(one.clone()).send().await?;
    println!("disconnect: {} affected", isolated.affected().unwrap_or_default());
    // An offline agent disconnects when it is online again. Its network status shows that; the count does not.
    let isolated = find(client, &endpoint).await;

    // Reconnect before the result is checked, so that the endpoint does not stay disconnected.
    let connected = client.agents().connect().filter(one).send().await?;
    println!("connect: {} affected", connected.affected().unwrap_or_default());
    print_status(&isolated?);
    print_status(&find(client, &endpoint).await?);
    Ok(())
}
