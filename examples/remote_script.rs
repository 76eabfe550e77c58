//! Runs a script of the script library on an endpoint, polls the task and fetches the results.
//!
//! ```console
//! $ cargo run --example remote_script
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example remote_script -- --act "List open ports" web-01 results`.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::agents::AgentFilter;
use sentinelone::commands::{Command, NoProgress, RemoteScriptAutomateResults, RunRemoteScript};
use sentinelone::remote_scripts::{RemoteScriptsListQuery, ScriptOutputDestination};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let script_name = context.argument("SCRIPT", "List open ports")?;
    let endpoint = context.argument("ENDPOINT", "web-01")?;
    let dir = context.dir("DIR")?;
    let client = &context.client;

    // The query matches parts of names, so the exact name is compared here.
    let library = RemoteScriptsListQuery::default().query(&script_name);
    let scripts = client.remote_scripts().list().query(library).items().collect().await?;
    let script = scripts.into_iter().find(|one| one.script_name.as_deref() == Some(script_name.as_str()));
    let script = script.ok_or("the library has no script with this name")?;
    println!("{script_name}: {}", script.script_description.unwrap_or_default());

    let named = AgentFilter::default().computer_name(endpoint);
    let agents = client.agents().list().filter(named).items().collect().await?;
    let [agent] = agents.as_slice() else { return Err("the name does not match exactly one agent".into()) };

    let script = RunRemoteScript::new(
        agent.account_id.clone(),
        ScriptOutputDestination::SentinelCloud,
        "Open ports, for an incident",
        script.id.ok_or("the script has no ID")?,
        agent.id.clone(),
    );
    // After an interruption, set the parent task ID to poll the task instead of running the script again.
    let run = RemoteScriptAutomateResults::new(script.script_runtime_timeout_seconds(600))
        .interval(Duration::from_secs(1))
        .timeout(Duration::from_secs(900))
        .dir(dir);
    let outcome = run.run(client, &NoProgress).await?;
    for task in &outcome.results {
        println!("on agent {}: {}", task.id, task.state);
    }
    for file in &outcome.files {
        println!("{}: {} bytes", file.name, file.bytes);
    }
    // The fetched files are available even if a part failed.
    outcome.failure.map_or(Ok(()), |failure| Err(failure.into()))
}
