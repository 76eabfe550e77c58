//! Measured processes and their server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use sentinelone_codegen::{Error, Result};
use serde_json::Value;

fn failed(command: &Command, cause: impl std::fmt::Display) -> Error {
    Error::Generator(format!("{command:?}: {cause}"))
}

/// Runs a process.
///
/// # Errors
///
/// Returns an error if the process does not start or exits with a failure.
pub(super) fn run_command(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(command, error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(command, String::from_utf8_lossy(&output.stderr)))
}

/// Runs a process and parses its standard output as JSON.
pub(super) fn run_json(command: &mut Command) -> Result<Value> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(command, error))?;
    if !output.status.success() {
        return Err(failed(command, String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(command, error))
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

/// A server process with prepared pages, stopped on drop.
pub(super) struct Server {
    process: Child,
    /// Standard input; the server exits when it is closed.
    _input: Option<ChildStdin>,
    url: String,
}

impl Server {
    pub(super) fn start(bench: &Path, pages: usize) -> Result<Self> {
        let mut command = Command::new(bench);
        command.args(["serve", &pages.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
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
