//! `cargo xtask bench`: overhead of the client compared with handwritten code, as ratios of one run.

mod builds;
mod processes;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use sentinelone_codegen::{Error, Result};
use serde_json::Value;

use processes::{Server, median, median_seconds, run_command, run_json};
use table::{Goal, Row, Table};

/// Document with the table between two markers.
const PAGE: &str = "docs/reference/performance.md";

const USAGE: &str = "usage: cargo xtask bench [--quick]\n\
                     --quick  Print the table in less than five minutes, or three if the binaries are built\n\
                     Without --quick, each measurement has more runs, release builds are timed, and the table is \
                     written to docs/reference/performance.md";

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

pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<String> {
    let effort = match arguments {
        [] => Effort { quick: false, runs: 5, steady_runs: 5, action_pairs: 40, startup_runs: 60 },
        ["--quick"] => Effort { quick: true, runs: 2, steady_runs: 1, action_pairs: 14, startup_runs: 20 },
        _ => return Err(Error::Generator(USAGE.into())),
    };
    let mut table = Table::default();
    let binaries = build_binaries(root, &effort)?;
    measure_generate(&mut table, &effort)?;
    measure_decode(root, &binaries.bench, &effort, &mut table)?;
    measure_list(&binaries.bench, &effort, &mut table)?;
    measure_actions(&binaries.bench, &effort, &mut table)?;
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
    s1: PathBuf,
}

/// Prints a step with the elapsed time.
fn progress(step: &str) {
    static START: OnceLock<Instant> = OnceLock::new();
    eprintln!("{:>4} s  {step} …", START.get_or_init(Instant::now).elapsed().as_secs());
}

/// Builds the measured binaries.
///
/// A quick run builds both in one step, without TLS, with a profile that optimizes only the code that affects the
/// ratios. Otherwise the release profile is used, and the benchmark is built alone, so that its library does not have
/// the features of the command line.
fn build_binaries(root: &Path, effort: &Effort) -> Result<Binaries> {
    progress("building the binaries");
    let profile = if effort.quick { "quick" } else { "release" };
    let build = |arguments: &[&str]| {
        run_command(cargo(root).args(["build", "--quiet", "--profile", profile]).args(arguments))
    };
    let bench = ["-p", "sentinelone-bench", "--bin", "s1-bench"];
    let s1 = ["-p", "sentinelone", "--bin", "s1", "--features"];
    if effort.quick {
        build(&[&bench[..], &s1, &["sentinelone/cli", "--no-default-features"]].concat())?;
    } else {
        build(&[&s1[..], &["cli"]].concat())?;
        build(&bench)?;
    }
    let dir = target_dir(root)?.join(profile);
    let binary = |name: &str| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    Ok(Binaries { bench: binary("s1-bench"), s1: binary("s1") })
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

/// Measures decoding a page of 1,000 threats with all fields.
fn measure_decode(root: &Path, bench: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("decoding");
    let output = target_dir(root)?.join("bench/criterion");
    let [time, samples] = if effort.quick { ["1", "10"] } else { ["10", "40"] };
    run_command(Command::new(bench).arg("decode").arg(&output).args([time, samples]))?;
    let median = |name: &str| -> Result<f64> {
        let path = output.join(format!("decode/{name}/new/estimates.json"));
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path, source })?;
        let estimates: Value = serde_json::from_str(&text).unwrap_or_default();
        let nanoseconds = estimates["median"]["point_estimate"].as_f64();
        Ok(nanoseconds.ok_or_else(|| Error::Generator(format!("criterion has no estimate for {name}")))?
            / 1e9)
    };
    let (client, value) = (median("types")?, median("value")?);
    let mut row = |label, reference, goal| table.push(Row::times("decode", label, client, reference, goal));
    row("decode 1,000 threats into types, vs. `serde_json::Value`", value, Goal::AtMost(0.7));
    row("… vs. the same types with derived serde", median("types-by-hand")?, Goal::None);
    row("… vs. skipping them (`IgnoredAny`)", median("skipped")?, Goal::None);
    Ok(())
}

/// Measures listing 100,000 threats in 100 pages from a server that sends prepared bytes.
fn measure_list(bench: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("listing 100,000 threats");
    let server = Server::start(bench, 100)?;
    let list = |server: &Server, reader: &'static str, work: &'static str| {
        run_json(Command::new(bench).args(["list", reader, server.url(), work]))
    };
    let (mut client, mut types, mut values) = (Vec::new(), Vec::new(), Vec::new());
    // The runs alternate, so that other load affects all of them.
    for _ in 0..effort.runs {
        client.push(list(&server, "client", "0")?);
        types.push(list(&server, "types", "0")?);
        if !effort.quick {
            values.push(list(&server, "value", "0")?);
        }
    }
    let small_server = Server::start(bench, 10)?;
    let (mut short, mut sequential, mut prefetch) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.steady_runs {
        short.push(list(&small_server, "client", "0")?);
        sequential.push(list(&small_server, "client", "100")?);
        prefetch.push(list(&small_server, "prefetch", "100")?);
    }
    let all = [(&client, 100_000), (&types, 100_000), (&values, 100_000)];
    for (runs, count) in all.into_iter().chain([(&short, 10_000), (&sequential, 10_000), (&prefetch, 10_000)])
    {
        if let Some(run) = runs.iter().find(|run| run["count"] != count) {
            return Err(Error::Generator(format!("missing threats: {run}")));
        }
    }
    let time = |runs: &[Value]| median(runs, "seconds");
    let label = "list 100,000 threats in 100 pages, vs. a reqwest loop into the same types";
    table.push(Row::times("list", label, time(&client)?, time(&types)?, Goal::AtMost(1.1)));
    if !values.is_empty() {
        let label = "… vs. a reqwest loop into `serde_json::Value`";
        table.push(Row::times("list", label, time(&client)?, time(&values)?, Goal::None));
    }
    // Some systems report no memory usage.
    if let (Ok(client), Ok(types), Ok(short)) =
        (median(&client, "peak_kib"), median(&types, "peak_kib"), median(&short, "peak_kib"))
    {
        let label = "peak memory, vs. the loop into the same types";
        table.push(Row::memory("list", label, client, types, Goal::AtMost(1.3)));
        if let Ok(values) = median(&values, "peak_kib") {
            let label = "… vs. the loop into `serde_json::Value`";
            table.push(Row::memory("list", label, client, values, Goal::None));
        }
        let label = "… vs. the client with 10 pages";
        table.push(Row::memory("list", label, client, short, Goal::AtMost(1.1)));
    }
    let label = "list 10 pages with 100 ms of other work per page, `prefetch` vs. no prefetch";
    table.push(Row::times("list", label, time(&prefetch)?, time(&sequential)?, Goal::AtMost(0.85)));
    Ok(())
}

/// Measures 10,000 small actions, 64 in flight.
fn measure_actions(bench: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("10,000 actions");
    let server = Server::start(bench, 1)?;
    let act = |sender| run_json(Command::new(bench).args(["act", sender, server.url(), "10000", "64"]));
    let (mut client, mut reqwest) = (Vec::new(), Vec::new());
    for _ in 0..effort.action_pairs {
        client.push(act("client")?);
        reqwest.push(act("reqwest")?);
    }
    for run in client.iter().chain(&reqwest) {
        if run["count"] != 10_000 {
            return Err(Error::Generator(format!("missing actions: {run}")));
        }
    }
    let rate = |runs: &[Value]| median(runs, "seconds").map(|seconds| 10_000.0 / seconds);
    let label = "10,000 actions, 64 in flight, vs. reqwest";
    table.push(Row::rates("actions", label, rate(&client)?, rate(&reqwest)?, Goal::AtLeast(0.9)));
    Ok(())
}

/// Measures `cargo xtask generate` with the current build.
fn measure_generate(table: &mut Table, effort: &Effort) -> Result<()> {
    progress("generating");
    let xtask = std::env::current_exe().map_err(|source| Error::Io { path: "xtask".into(), source })?;
    for arguments in [&["generate", "--check"][..], &["generate"]] {
        let time = median_seconds(effort.steady_runs, || run_command(Command::new(&xtask).args(arguments)))?;
        let label = format!("`cargo xtask {}`, without its build", arguments.join(" "));
        table.push(Row::limit("generate", &label, time, Goal::Seconds(3.0)));
    }
    Ok(())
}

/// Measures the start of `s1` with its shortest commands.
fn measure_startup(s1: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("starting s1");
    for (arguments, goal) in [(&["--help"][..], 0.010), (&["--sandbox", "get-threats"], 0.150)] {
        let time = median_seconds(effort.startup_runs, || run_silently(s1, arguments))?;
        let label = format!("`s1 {}`", arguments.join(" "));
        table.push(Row::limit("startup", &label, time, Goal::Seconds(goal)));
    }
    Ok(())
}

fn run_silently(s1: &Path, arguments: &[&str]) -> Result<()> {
    run_command(Command::new(s1).args(arguments).stdout(std::process::Stdio::null()))
}
