//! `cargo xtask bench`: overhead of the client compared with handwritten code, as ratios of one run.

mod builds;
mod cli;
mod contract;
mod library;
mod processes;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use sentinelone_codegen::{Error, Result};

use processes::{median_seconds, run_command, run_json};
use table::{Goal, Row, Table, Unit};

/// Document with the table between two markers.
const PAGE: &str = "docs/reference/performance.md";

/// Number of runs of each measurement.
struct Effort {
    quick: bool,
    /// Runs of a process that takes seconds.
    runs: usize,
    /// Runs of a measurement with little variance.
    steady_runs: usize,
    /// Pairs of action runs. Each run takes a third of a second; some are slow, and the ratio is close to the goal.
    action_pairs: usize,
    /// Runs of a process that takes milliseconds.
    startup_runs: usize,
}

pub(crate) fn run(root: &Path, quick: bool) -> Result<String> {
    let effort = match quick {
        false => Effort { quick, runs: 5, steady_runs: 5, action_pairs: 40, startup_runs: 60 },
        true => Effort { quick, runs: 2, steady_runs: 1, action_pairs: 14, startup_runs: 20 },
    };
    let mut table = Table::default();
    let binaries = build_binaries(root, &effort)?;
    measure_generate(&mut table, &effort)?;
    library::measure(&binaries, &effort, &mut table)?;
    // A quick build does not optimize the code of the command line.
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

struct Binaries {
    bench: PathBuf,
    /// Built by a full run only.
    contract: PathBuf,
    s1: PathBuf,
    /// Directory for the files of the measurements.
    work: PathBuf,
}

/// Prints a step with the elapsed time.
fn progress(step: &str) {
    static START: OnceLock<Instant> = OnceLock::new();
    eprintln!("{:>4} s  {step} …", START.get_or_init(Instant::now).elapsed().as_secs());
}

/// Builds the measured binaries.
///
/// A quick run builds both in one step, without TLS, with a profile that optimizes only the code that affects the
/// ratios. Otherwise the release profile is used, and each is built alone, so that the library of `s1-bench` does not
/// have the features of the others.
fn build_binaries(root: &Path, effort: &Effort) -> Result<Binaries> {
    progress("building the binaries");
    let profile = if effort.quick { "quick" } else { "release" };
    let build = |arguments: &[&str]| {
        run_command(cargo(root).args(["build", "--quiet", "--profile", profile]).args(arguments))
    };
    let bench = ["-p", "sentinelone-bench", "--bin", "s1-bench"];
    let s1 = ["-p", "sentinelone-cli", "--bin", "s1"];
    if effort.quick {
        build(&[&bench[..], &s1, &["--no-default-features"]].concat())?;
    } else {
        build(&s1)?;
        build(&["-p", "sentinelone-bench", "--bin", "s1-bench-contract", "--features", "contract"])?;
        build(&bench)?;
    }
    let target = target_dir(root)?;
    let dir = target.join(profile);
    let binary = |name: &str| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let work = target.join("bench");
    std::fs::create_dir_all(&work).map_err(|source| Error::Io { path: work.clone(), source })?;
    let (bench, contract) = (binary("s1-bench"), binary("s1-bench-contract"));
    Ok(Binaries { bench, contract, s1: binary("s1"), work })
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // The first variable would move the binaries; the second could cache a clean build.
    command.env_remove("CARGO_BUILD_TARGET").env_remove("RUSTC_WRAPPER");
    command
}

fn target_dir(root: &Path) -> Result<PathBuf> {
    let metadata = run_json(cargo(root).args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let dir = metadata["target_directory"].as_str().unwrap_or("target");
    Ok(root.join(dir))
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
    // A quick build of `s1` is not optimized.
    let [help, threats] = if effort.quick { [0.010, 0.150] } else { [0.0035, 0.040] };
    for (arguments, goal) in [(&["--help"][..], help), (&["--sandbox", "get-threats"], threats)] {
        let time = median_seconds(effort.startup_runs, || run_silently(s1, arguments))?;
        let label = format!("`s1 {}`", arguments.join(" "));
        table.push(Row::alone("startup", &label, Unit::Seconds, time, Goal::Max(goal)));
    }
    Ok(())
}

fn run_silently(s1: &Path, arguments: &[&str]) -> Result<()> {
    run_command(Command::new(s1).args(arguments).stdout(std::process::Stdio::null()))
}
