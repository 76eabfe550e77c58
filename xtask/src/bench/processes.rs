//! Processes that are measured, and the one that answers them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use sentinelone_codegen::{Error, Result};
use serde_json::Value;

fn failed(command: &Command, why: impl std::fmt::Display) -> Error {
    Error::Generator(format!("{command:?}: {why}"))
}

/// Runs a process to its end, which has to be a good one.
pub(super) fn ran(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(command, error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(command, String::from_utf8_lossy(&output.stderr)))
}

/// Runs a process, and reads the JSON that it prints.
pub(super) fn said(command: &mut Command) -> Result<Value> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(command, error))?;
    if !output.status.success() {
        return Err(failed(command, String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(command, error))
}

/// The median of what runs said under a name.
pub(super) fn median(runs: &[Value], name: &str) -> Result<f64> {
    let numbers: Vec<f64> = runs.iter().filter_map(|run| run[name].as_f64()).collect();
    middle(numbers).ok_or_else(|| Error::Generator(format!("no run says anything of {name}")))
}

/// The median time of so many runs.
pub(super) fn seconds(runs: usize, mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let begun = Instant::now();
        run()?;
        times.push(begun.elapsed().as_secs_f64());
    }
    middle(times).ok_or_else(|| Error::Generator("nothing was run".into()))
}

fn middle(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(numbers[half]),
        _ => Some((numbers[half - 1] + numbers[half]) / 2.0),
    }
}

/// A server of prepared pages, as long as this lives.
pub(super) struct Server {
    process: Child,
    /// When it closes, the server ends.
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
        let said: Value = serde_json::from_str(&line).map_err(|error| failed(&command, error))?;
        let url = said["url"].as_str().unwrap_or_default().to_owned();
        Ok(Self { process, _input: input, url })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that is gone already is gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::middle;

    #[test]
    fn the_middle_is_no_average() {
        assert_eq!(middle(vec![]), None);
        assert_eq!(middle(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(middle(vec![9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }
}
