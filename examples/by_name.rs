//! Runs a command by name with string arguments, as a SOAR platform or a chat bot does.
//!
//! ```console
//! $ cargo run --example by_name
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`, a command and its arguments:
//! `cargo run --example by_name -- --act sentinelone-update-threats-status threat_ids=1,2 status=resolved`.

mod support;

use std::error::Error;

use sentinelone::commands::{self, Arguments};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let name = context.argument("COMMAND", "sentinelone-update-threats-status")?;
    let entry = commands::find(&name).ok_or_else(|| format!("unknown command {name}"))?;
    println!("{}: {}", entry.info.full_name, entry.info.summary);

    let mut arguments = Arguments::default();
    let pairs = [
        context.argument("NAME=VALUE", "threat_ids=460000000000000011,460000000000000099")?,
        context.argument("NAME=VALUE", "status=resolved")?,
    ];
    for argument in &pairs {
        let (name, value) = argument.split_once('=').ok_or("an argument has the form NAME=VALUE")?;
        arguments.set(name, value);
    }

    // Unknown, missing and invalid arguments are rejected here, before a request is sent.
    let command = entry.prepare(arguments)?;
    for request in command.requests(context.client.api_version())? {
        println!("would send {} {}", request.operation().method, request.path(context.client.api_version())?);
    }

    let outcome = command.run(&context.client).await?;
    for one in &outcome.results {
        println!("{}: {}", one.id, one.state);
    }
    // The context has the paths of the XSOAR integration, such as `SentinelOne.Threat.ID`.
    for (kind, items) in outcome.context["SentinelOne"].as_object().into_iter().flatten() {
        for item in items.as_array().into_iter().flatten() {
            let fields = entry.outputs.iter().filter_map(|output| output.path.rsplit_once('.'));
            for (path, field) in fields.filter(|(path, _)| *path == format!("SentinelOne.{kind}")) {
                println!("{path}.{field}: {}", item[field]);
            }
        }
    }
    Ok(())
}
