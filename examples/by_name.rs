//! Runs a command by its name, with arguments as texts, as a SOAR platform or a chat bot gets them:
//!
//! ```console
//! $ cargo run --example by_name
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so: `cargo run --example by_name -- --act sentinelone-update-threats-status threat_ids=1,2 status=resolved`.

mod support;

use std::error::Error;

use sentinelone::commands::{self, Arguments};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let name = place.argument("COMMAND", "sentinelone-update-threats-status")?;
    let entry = commands::find(&name).ok_or_else(|| format!("there is no command {name}"))?;
    println!("{}: {}", entry.info.full_name, entry.info.summary);

    let mut arguments = Arguments::default();
    let given = [
        place.argument("NAME=VALUE", "threat_ids=460000000000000011,460000000000000099")?,
        place.argument("NAME=VALUE", "status=resolved")?,
    ];
    for argument in &given {
        let (name, value) = argument.split_once('=').ok_or("an argument is NAME=VALUE")?;
        arguments.set(name, value);
    }

    // Unknown names, missing ones and values that nobody knows are refused here, before anything is sent.
    let command = entry.prepare(arguments)?;
    for request in command.requests(place.client.api_version())? {
        println!("would send {} {}", request.operation().method, request.path(place.client.api_version())?);
    }

    let outcome = command.run(&place.client).await?;
    for one in &outcome.ids {
        println!("{}: {}", one.id, one.state);
    }
    // Under the context paths that the integration documents: `SentinelOne.Threat.ID` and the like.
    for (kind, things) in outcome.context["SentinelOne"].as_object().into_iter().flatten() {
        for thing in things.as_array().into_iter().flatten() {
            let fields = entry.outputs.iter().filter_map(|output| output.path.rsplit_once('.'));
            for (path, field) in fields.filter(|(path, _)| *path == format!("SentinelOne.{kind}")) {
                println!("{path}.{field}: {}", thing[field]);
            }
        }
    }
    Ok(())
}
