//! Fetches a file from an endpoint by path, and the file of a threat. Both arrive in password-protected archives,
//! which the example unpacks.
//!
//! ```console
//! $ cargo run --example fetch_file
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example fetch_file -- --act AGENT-ID /var/log/auth.log THREAT-ID files`. The file
//! of a threat is malware; keep it in a directory where it is not opened.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::commands::{Command, FetchFile, FetchThreatFile, NoProgress, Outcome};

const TIMEOUT: Duration = Duration::from_secs(600);

/// Password of the archives. It prevents accidental opening and is not a protection.
const PASSWORD: &str = "Infected-For-A-Reason-1";

fn print_files(outcome: Outcome) -> Result<(), Box<dyn Error>> {
    for file in &outcome.files {
        println!("{}: {} bytes", file.name, file.bytes);
    }
    outcome.failure.map_or(Ok(()), |failure| Err(failure.into()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let agent_id = context.argument("AGENT-ID", "440000000000000001")?;
    let file_path = context.argument("PATH", "/var/log/auth.log")?;
    let threat = context.argument("THREAT-ID", "460000000000000011")?;
    let dir = context.dir("DIR")?;

    // The command requests the file, polls until it is uploaded, downloads it and unpacks it. Files are complete.
    let from_agent = FetchFile::new(agent_id, file_path, PASSWORD).dir(&dir).timeout(TIMEOUT);
    print_files(from_agent.run(&context.client, &NoProgress).await?)?;

    let of_threat = FetchThreatFile::new([threat], PASSWORD).dir(dir).timeout(TIMEOUT);
    print_files(of_threat.run(&context.client, &NoProgress).await?)
}
