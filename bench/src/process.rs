//! Time and peak memory of other programs.

use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

/// Runs a program with its output discarded. Returns the elapsed seconds, and the peak memory in KiB of its largest
/// process, which is null on systems other than Unix.
///
/// The system adds up the memory of all programs that this process has run, so each process runs one program.
///
/// # Errors
/// Returns an error if the program does not start, or exits with a failure.
pub fn run(program: &str, arguments: &[&str]) -> io::Result<Value> {
    let start = Instant::now();
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let elapsed = start.elapsed();
    if !status.success() {
        return Err(io::Error::other(format!("{program}: {status}")));
    }
    Ok(json!({ "seconds": elapsed.as_secs_f64(), "peak_kib": peak_memory()? }))
}

/// Returns the peak memory in KiB of the largest process that this process has run.
#[cfg(unix)]
fn peak_memory() -> io::Result<Option<i64>> {
    use nix::sys::resource::{UsageWho, getrusage};

    let peak = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    // Systems of Apple report bytes.
    Ok(Some(if cfg!(target_vendor = "apple") { peak / 1_024 } else { peak }))
}

#[cfg(not(unix))]
fn peak_memory() -> io::Result<Option<i64>> {
    Ok(None)
}
