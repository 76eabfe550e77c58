//! Gets files: one from a computer, by its path, and the one of a threat. Both come in an archive with a
//! password, which is unpacked.
//!
//! ```console
//! $ cargo run --example fetch_file
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so: `cargo run --example fetch_file -- --act AGENT-ID /var/log/auth.log THREAT-ID files`. What comes of a
//! threat is malware: keep it where nothing opens it.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::commands::{Command, FetchFile, FetchThreatFile, Outcome};

const PATIENCE: Duration = Duration::from_secs(600);

/// It keeps scanners and people from opening the archive by mistake, and nobody else.
const PASSWORD: &str = "Infected-For-A-Reason-1";

fn tell(outcome: Outcome) -> Result<(), Box<dyn Error>> {
    for file in &outcome.files {
        println!("{}: {} bytes", file.name, file.bytes);
    }
    outcome.failure.map_or(Ok(()), |failure| Err(failure.into()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let agent_id = place.argument("AGENT-ID", "440000000000000001")?;
    let file_path = place.argument("PATH", "/var/log/auth.log")?;
    let threat = place.argument("THREAT-ID", "460000000000000011")?;
    let folder = place.folder("FOLDER")?;

    // Ordered, waited for, downloaded and unpacked: a file that is there is a whole one.
    let from_agent = FetchFile {
        agent_id,
        file_path,
        password: PASSWORD.into(),
        folder: folder.clone(),
        timeout: PATIENCE,
        unpack: true,
    };
    tell(from_agent.run(&place.client).await?)?;

    let of_threat = FetchThreatFile {
        threat_ids: vec![threat],
        password: PASSWORD.into(),
        folder,
        timeout: PATIENCE,
        unpack: true,
    };
    tell(of_threat.run(&place.client).await?)
}
