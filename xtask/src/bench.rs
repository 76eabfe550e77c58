//! `cargo xtask bench`: overhead of the client compared with handwritten code, as ratios of one run.

mod binaries;
mod builds;
mod cli;
mod contract;
mod effort;
mod library;
mod processes;
mod progress;
mod table;

use std::path::Path;
use std::process::Command;

use sentinelone_codegen::{Error, Result};

use binaries::Binaries;
use effort::Effort;
use processes::{median_seconds, run_command};
use progress::progress;
use table::{Goal, Row, Table, Unit};

/// Document with the table between two markers.
const PAGE: &str = "docs/reference/performance.md";

pub(crate) fn run(root: &Path, quick: bool) -> Result<String> {
    let effort = Effort::new(quick);
    let mut table = Table::default();
    let binaries = Binaries::build(root, &effort)?;
    measure_generate(&mut table, &effort)?;
    library::measure(&binaries, &effort, &mut table)?;
    // These take longer than a quick run may.
    if !effort.quick {
        cli::measure(root, &binaries, &effort, &mut table)?;
        contract::measure(&binaries, &mut table)?;
    }
    measure_startup(&binaries.s1, &effort, &mut table)?;
    builds::measure(root, &effort, &mut table)?;
    if effort.quick {
        return Ok(table.text());
    }
    table.write(&root.join(PAGE))?;
    Ok(format!("{}\nwrote {PAGE}", table.text()))
}

/// Measures only the builds of a dependent crate.
pub(crate) fn builds(root: &Path) -> Result<String> {
    let mut table = Table::default();
    builds::measure(root, &Effort::new(false), &mut table)?;
    Ok(table.text())
}

/// Measures `cargo xtask generate` with the current build.
fn measure_generate(table: &mut Table, effort: &Effort) -> Result<()> {
    progress("generating");
    let xtask = std::env::current_exe().map_err(|source| Error::Io { path: "xtask".into(), source })?;
    for arguments in [&["generate", "--check"][..], &["generate"]] {
        let time = median_seconds(effort.steady_runs, || run_command(Command::new(&xtask).args(arguments)))?;
        let label = format!("`cargo xtask {}`, without its build", arguments.join(" "));
        table.push(Row::alone("generate", &label, Unit::Seconds, time, Goal::Max(3.0)));
    }
    Ok(())
}

/// Measures the start of `s1` with its shortest commands.
fn measure_startup(s1: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("starting s1");
    for (arguments, goal) in [(&["--help"][..], 0.0035), (&["--sandbox", "get-threats"], 0.040)] {
        let time = median_seconds(effort.startup_runs, || run_silently(s1, arguments))?;
        let label = format!("`s1 {}`", arguments.join(" "));
        table.push(Row::alone("startup", &label, Unit::Seconds, time, Goal::Max(goal)));
    }
    Ok(())
}

fn run_silently(s1: &Path, arguments: &[&str]) -> Result<()> {
    run_command(Command::new(s1).args(arguments).stdout(std::process::Stdio::null()))
}
