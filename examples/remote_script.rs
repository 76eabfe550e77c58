//! Runs a script of the library on an endpoint, waits for it, and fetches what it gave:
//!
//! ```console
//! $ cargo run --example remote_script
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so: `cargo run --example remote_script -- --act "List open ports" web-01 results`.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::agents::AgentFilter;
use sentinelone::commands::{Command, RemoteScriptAutomateResults, RunRemoteScript};
use sentinelone::remote_scripts::{RemoteScriptsListQuery, ScriptOutputDestination};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let wanted = place.argument("SCRIPT", "List open ports")?;
    let computer = place.argument("COMPUTER", "web-01")?;
    let folder = place.folder("FOLDER")?;
    let client = &place.client;

    // The search of the library finds parts of names, so that the name is compared.
    let library = RemoteScriptsListQuery::default().query(&wanted);
    let scripts = client.remote_scripts().list().query(library).items().collect().await?;
    let script = scripts.into_iter().find(|one| one.script_name.as_deref() == Some(wanted.as_str()));
    let script = script.ok_or("the library has no script of this name")?;
    println!("{wanted}: {}", script.script_description.unwrap_or_default());

    let named = AgentFilter::default().computer_name(computer);
    let agents = client.agents().list().filter(named).items().collect().await?;
    let [agent] = agents.as_slice() else { return Err("not one agent has this name".into()) };

    let run = RemoteScriptAutomateResults {
        script: RunRemoteScript {
            account_ids: agent.account_id.iter().cloned().collect(),
            output_destination: ScriptOutputDestination::SentinelCloud,
            task_description: "Open ports, for an incident".to_owned(),
            script_id: script.id.ok_or("the script has no identifier")?,
            output_directory: None,
            agent_ids: agent.id.iter().cloned().collect(),
            singularity_xdr_keyword: None,
            singularity_xdr_url: None,
            api_key: None,
            input_params: None,
            password: None,
            script_runtime_timeout_seconds: 600,
            requires_approval: false,
        },
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(900),
        // The parent task of a run that was interrupted is waited for, instead of running it twice.
        parent_task_id: None,
        folder,
    };
    let outcome = run.run(client).await?;
    for task in &outcome.ids {
        println!("on agent {}: {}", task.id, task.state);
    }
    for file in &outcome.files {
        println!("{}: {} bytes", file.name, file.bytes);
    }
    // What came is there even when not everything did.
    outcome.failure.map_or(Ok(()), |failure| Err(failure.into()))
}
