//! Measured processes and their server.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use sentinelone_codegen::{Error, Result};
use serde_json::Value;

/// Example token; the server accepts any token.
const TOKEN: &str = "bench-example-token";

fn failed(command: &Command, cause: impl std::fmt::Display) -> Error {
    Error::Generator(format!("{command:?}: {cause}"))
}

/// Runs a process and returns its standard output.
///
/// # Errors
///
/// Returns an error if the process does not start or exits with a failure.
pub(super) fn run_output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(command, error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(failed(command, String::from_utf8_lossy(&output.stderr)))
}

/// Runs a process.
pub(super) fn run_command(command: &mut Command) -> Result<()> {
    run_output(command).map(drop)
}

/// Runs a process and parses its standard output as JSON.
pub(super) fn run_json(command: &mut Command) -> Result<Value> {
    let output = run_output(command)?;
    serde_json::from_slice(&output).map_err(|error| failed(command, error))
}

/// Returns the median of a member of the results.
pub(super) fn median(runs: &[Value], name: &str) -> Result<f64> {
    let numbers: Vec<f64> = runs.iter().filter_map(|run| run[name].as_f64()).collect();
    median_of(numbers).ok_or_else(|| Error::Generator(format!("no result has {name}")))
}

/// Returns the median time of `runs` runs, in seconds.
pub(super) fn median_seconds(runs: usize, mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64());
    }
    median_of(times).ok_or_else(|| Error::Generator("no runs".into()))
}

fn median_of(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(numbers[half]),
        _ => Some((numbers[half - 1] + numbers[half]) / 2.0),
    }
}

/// Returns a command that runs a program with a server on this machine.
pub(super) fn local(line: &[OsString]) -> Command {
    let mut command = Command::new(line.first().map(OsString::as_os_str).unwrap_or_default());
    command.args(line.iter().skip(1)).env("S1_API_TOKEN", TOKEN);
    // A proxy would be slower, or not reach the server.
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command
}

/// Returns a command that runs a program with its output discarded, and prints its time and peak memory.
pub(super) fn measured(bench: &Path, line: &[OsString]) -> Command {
    let mut whole = vec![bench.as_os_str().to_owned(), "run".into()];
    whole.extend_from_slice(line);
    local(&whole)
}

/// A server process with prepared pages, stopped on drop.
pub(super) struct Server {
    process: Child,
    /// Standard input; the server exits when it is closed.
    _input: Option<ChildStdin>,
    url: String,
}

impl Server {
    /// Starts a server of `pages` pages that sends each response after a delay in milliseconds.
    pub(super) fn start(bench: &Path, pages: usize, delay: usize) -> Result<Self> {
        let mut command = Command::new(bench);
        command.args(["serve", &pages.to_string(), &delay.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(|error| failed(&command, error))?;
        let input = process.stdin.take();
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| failed(&command, error))?;
        }
        let output: Value = serde_json::from_str(&line).map_err(|error| failed(&command, error))?;
        let url = output["url"].as_str().unwrap_or_default().to_owned();
        Ok(Self { process, _input: input, url })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ignores a process that has exited.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::median_of;

    #[test]
    fn median_of_returns_the_middle_value() {
        assert_eq!(median_of(vec![]), None);
        assert_eq!(median_of(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median_of(vec![9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }
}
