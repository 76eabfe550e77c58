//! `cargo xtask bench`: what the client costs beside what people would write by hand, as ratios of one run.

mod builds;
mod processes;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use sentinelone_codegen::{Error, Result};
use serde_json::Value;

use processes::{Server, median, ran, said, seconds};
use table::{Goal, Row, Table};

/// Where the table stands, between two marks; the words around it are people's.
const PAGE: &str = "docs/performance.md";

const USAGE: &str = "usage: cargo xtask bench [--quick]\n\
                     --quick prints the table in less than five minutes from nothing, and in three once what it \
                     measures is built; without it everything is run more often, release builds are timed too, and \
                     docs/performance.md gets the table";

/// How often things are run.
struct Effort {
    quick: bool,
    /// Of a process that takes seconds.
    runs: usize,
    /// Of what takes much the same time whenever it is run.
    steady: usize,
    /// Of the two sides that act: a third of a second each, of which some are slow, and their goal is close.
    pairs: usize,
    /// Of a process that takes milliseconds.
    starts: usize,
}

pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<String> {
    let effort = match arguments {
        [] => Effort { quick: false, runs: 5, steady: 5, pairs: 40, starts: 60 },
        ["--quick"] => Effort { quick: true, runs: 2, steady: 1, pairs: 14, starts: 20 },
        _ => return Err(Error::Generator(USAGE.into())),
    };
    let mut table = Table::default();
    let binaries = built(root, &effort)?;
    levers(&mut table, &effort)?;
    decode(root, &binaries.bench, &effort, &mut table)?;
    list(&binaries.bench, &effort, &mut table)?;
    act(&binaries.bench, &effort, &mut table)?;
    terminal(&binaries.s1, &effort, &mut table)?;
    builds::measure(root, &effort, &mut table)?;
    if effort.quick {
        return Ok(table.text());
    }
    table.write(&root.join(PAGE))?;
    Ok(format!("{}\nwritten to {PAGE}", table.text()))
}

struct Binaries {
    bench: PathBuf,
    s1: PathBuf,
}

/// Says what is being done, and when that began.
fn progress(what: &str) {
    static START: OnceLock<Instant> = OnceLock::new();
    eprintln!("{:>4} s  {what} …", START.get_or_init(Instant::now).elapsed().as_secs());
}

/// Builds what is measured. A quick run builds all of it at once, without the TLS that nothing of it uses, and optimises
/// little but what its ratios are about. Otherwise it is what is released, and the bench is built alone, so that the
/// features of the command line are not in the library that is measured.
fn built(root: &Path, effort: &Effort) -> Result<Binaries> {
    progress("building what is measured");
    let profile = if effort.quick { "quick" } else { "release" };
    let build = |what: &[&str]| ran(cargo(root).args(["build", "--quiet", "--profile", profile]).args(what));
    let bench = ["-p", "sentinelone-bench", "--bin", "s1-bench"];
    let s1 = ["-p", "sentinelone", "--bin", "s1", "--features"];
    if effort.quick {
        build(&[&bench[..], &s1, &["sentinelone/cli", "--no-default-features"]].concat())?;
    } else {
        build(&[&s1[..], &["cli"]].concat())?;
        build(&bench)?;
    }
    let folder = target(root)?.join(profile);
    let binary = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    Ok(Binaries { bench: binary("s1-bench"), s1: binary("s1") })
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // Binaries are where they are without it, and a build from nothing takes nothing from a cache.
    command.env_remove("CARGO_BUILD_TARGET").env_remove("RUSTC_WRAPPER");
    command
}

fn target(root: &Path) -> Result<PathBuf> {
    let metadata = said(cargo(root).args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let folder = metadata["target_directory"].as_str().unwrap_or("target");
    Ok(root.join(folder))
}

/// A page of 1,000 full threats into types.
fn decode(root: &Path, bench: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("decoding");
    let home = target(root)?.join("bench/criterion");
    let [time, samples] = if effort.quick { ["1", "10"] } else { ["10", "40"] };
    ran(Command::new(bench).arg("decode").arg(&home).args([time, samples]))?;
    let median = |name: &str| -> Result<f64> {
        let path = home.join(format!("decode/{name}/new/estimates.json"));
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path, source })?;
        let estimates: Value = serde_json::from_str(&text).unwrap_or_default();
        let nanoseconds = estimates["median"]["point_estimate"].as_f64();
        Ok(nanoseconds.ok_or_else(|| Error::Generator(format!("criterion says nothing of {name}")))? / 1e9)
    };
    let (ours, value) = (median("types")?, median("value")?);
    let mut row = |what, theirs, goal| table.push(Row::times("decode", what, ours, theirs, goal));
    row("1,000 full threats into types, beside `serde_json::Value`", value, Goal::AtMost(0.7));
    row("… beside the same types with plain serde", median("types-by-hand")?, Goal::None);
    row("… beside skipping it (`IgnoredAny`)", median("skipped")?, Goal::None);
    Ok(())
}

/// 100,000 threats in 100 pages from a server of prepared bytes.
fn list(bench: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("listing 100,000 threats");
    let server = Server::start(bench, 100)?;
    let list = |server: &Server, with: &'static str, work: &'static str| {
        said(Command::new(bench).args(["list", with, server.url(), work]))
    };
    let (mut ours, mut types, mut values) = (Vec::new(), Vec::new(), Vec::new());
    // One after another, so that what else the machine does meets all of them.
    for _ in 0..effort.runs {
        ours.push(list(&server, "client", "0")?);
        types.push(list(&server, "types", "0")?);
        if !effort.quick {
            values.push(list(&server, "value", "0")?);
        }
    }
    let few = Server::start(bench, 10)?;
    let (mut short, mut waiting, mut ahead) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.steady {
        short.push(list(&few, "client", "0")?);
        waiting.push(list(&few, "client", "100")?);
        ahead.push(list(&few, "prefetch", "100")?);
    }
    let all = [(&ours, 100_000), (&types, 100_000), (&values, 100_000)];
    for (runs, count) in all.into_iter().chain([(&short, 10_000), (&waiting, 10_000), (&ahead, 10_000)]) {
        if let Some(run) = runs.iter().find(|run| run["count"] != count) {
            return Err(Error::Generator(format!("not every threat was read: {run}")));
        }
    }
    let time = |runs: &[Value]| median(runs, "seconds");
    let by_hand = "100,000 threats in 100 pages, beside a loop by hand into the same types";
    table.push(Row::times("list", by_hand, time(&ours)?, time(&types)?, Goal::AtMost(1.1)));
    if !values.is_empty() {
        let value = "… beside a loop by hand into `serde_json::Value`";
        table.push(Row::times("list", value, time(&ours)?, time(&values)?, Goal::None));
    }
    // Systems that tell nothing of memory get no row for it.
    if let (Ok(ours), Ok(types), Ok(short)) =
        (median(&ours, "peak_kib"), median(&types, "peak_kib"), median(&short, "peak_kib"))
    {
        let what = "peak memory of it, beside the loop into the same types";
        table.push(Row::memory("list", what, ours, types, Goal::AtMost(1.3)));
        if let Ok(values) = median(&values, "peak_kib") {
            let what = "… beside the loop into `serde_json::Value`";
            table.push(Row::memory("list", what, ours, values, Goal::None));
        }
        let flat = "… beside that for 10 pages: flat in their number";
        table.push(Row::memory("list", flat, ours, short, Goal::AtMost(1.1)));
    }
    let ahead_of = "10 pages with 100 ms of other work after each, `prefetch` beside without";
    table.push(Row::times("list", ahead_of, time(&ahead)?, time(&waiting)?, Goal::AtMost(0.85)));
    Ok(())
}

/// 10,000 small actions, 64 at once.
fn act(bench: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("10,000 actions");
    let server = Server::start(bench, 1)?;
    let act = |with| said(Command::new(bench).args(["act", with, server.url(), "10000", "64"]));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..effort.pairs {
        ours.push(act("client")?);
        theirs.push(act("reqwest")?);
    }
    for run in ours.iter().chain(&theirs) {
        if run["count"] != 10_000 {
            return Err(Error::Generator(format!("not every action was done: {run}")));
        }
    }
    let rate = |runs: &[Value]| median(runs, "seconds").map(|seconds| 10_000.0 / seconds);
    let what = "10,000 actions at 64 in flight, beside raw reqwest";
    table.push(Row::rates("act", what, rate(&ours)?, rate(&theirs)?, Goal::AtLeast(0.9)));
    Ok(())
}

/// What maintainers wait for, in the build that they run.
fn levers(table: &mut Table, effort: &Effort) -> Result<()> {
    progress("generating");
    let itself = std::env::current_exe().map_err(|source| Error::Io { path: "xtask".into(), source })?;
    for arguments in [&["generate", "--check"][..], &["generate"]] {
        let time = seconds(effort.steady, || ran(Command::new(&itself).args(arguments)))?;
        let what = format!("`cargo xtask {}`, built already", arguments.join(" "));
        table.push(Row::limit("levers", &what, time, Goal::Seconds(3.0)));
    }
    Ok(())
}

/// How long a person waits for the least.
fn terminal(s1: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("starting s1");
    for (arguments, goal) in [(&["--help"][..], 0.010), (&["--sandbox", "get-threats"], 0.150)] {
        let time = seconds(effort.starts, || said_nothing_wrong(s1, arguments))?;
        let what = format!("`s1 {}`", arguments.join(" "));
        table.push(Row::limit("terminal", &what, time, Goal::Seconds(goal)));
    }
    Ok(())
}

fn said_nothing_wrong(s1: &Path, arguments: &[&str]) -> Result<()> {
    ran(Command::new(s1).args(arguments).stdout(std::process::Stdio::null()))
}
