//! The command line, compared with scripts.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use sentinelone_codegen::{Error, Result};
use serde_json::Value;

use super::binaries::Binaries;
use super::effort::Effort;
use super::processes::{Server, local, measured, median, run_json, run_output};
use super::progress::progress;
use super::table::{Goal, Row, Table, Unit};

/// Output formats, with the maximum ratio of their time to that of curl and jq.
const FORMATS: [(&str, f64); 4] = [("ndjson", 0.1), ("json", 0.25), ("table", 0.25), ("context", 0.25)];

/// The script with curl and jq.
const CURL: &str = "curl";

/// The script in Python with requests.
const REQUESTS: &str = "requests";

/// The library, which lists without output.
const LIBRARY: &str = "library";

/// Number of exported pages.
const PAGES: usize = 100;

/// Runs of each export.
const RUNS: usize = 3;

/// Maximum peak memory of an export: 64 MiB.
const MAX_MEMORY: Goal = Goal::Max(65_536.0);

pub(super) fn measure(root: &Path, binaries: &Binaries, effort: &Effort, table: &mut Table) -> Result<()> {
    measure_export(root, binaries, table)?;
    measure_parallel(binaries, table)?;
    measure_batch(binaries, effort, table)
}

/// Returns the program and the arguments of an export of all threats.
fn export(root: &Path, binaries: &Binaries, name: &str, url: &str) -> Vec<OsString> {
    let script = |file: &str| root.join("bench/scripts").join(file).into();
    match name {
        CURL => vec!["bash".into(), script("list_threats.sh"), url.into()],
        REQUESTS => vec!["python3".into(), script("list_threats.py"), url.into()],
        LIBRARY => [binaries.bench.as_os_str()]
            .into_iter()
            .chain(["list", "client", url, "0"].map(OsStr::new))
            .map(OsString::from)
            .collect(),
        format => s1(binaries, url, &["get-threats", "--all", "--output", format]),
    }
}

/// Returns a command line of `s1`, without the rate limits, since the other programs have none.
fn s1(binaries: &Binaries, url: &str, arguments: &[&str]) -> Vec<OsString> {
    let mut line = vec![binaries.s1.clone().into_os_string()];
    line.extend(["--console-url", url, "--rate-limits", "off"].map(OsString::from));
    line.extend(arguments.iter().map(OsString::from));
    line
}

/// Returns the version that a program prints; `None` if the program is missing.
fn version(program: &str, arguments: &[&str]) -> Option<String> {
    let output = run_output(Command::new(program).args(arguments)).ok()?;
    Some(String::from_utf8_lossy(&output).trim().to_owned())
}

/// Measures the export of all threats in each format.
fn measure_export(root: &Path, binaries: &Binaries, table: &mut Table) -> Result<()> {
    let bench = &binaries.bench;
    let jq = version("jq", &["--version"]).filter(|_| version("curl", &["--version"]).is_some());
    let requests = version("python3", &["-c", "import requests; print(requests.__version__)"]);
    let mut names: Vec<&str> = FORMATS.map(|(format, _)| format).to_vec();
    names.extend(jq.as_ref().map(|_| CURL));
    names.extend(requests.as_ref().map(|_| REQUESTS));

    progress("checking the exports");
    let server = Server::start(bench, 2, 0)?;
    for name in &names {
        check_export(&export(root, binaries, name, server.url()), 2_000)?;
    }

    progress("exporting 100,000 threats");
    let server = Server::start(bench, PAGES, 0)?;
    names.push(LIBRARY);
    let mut runs = BTreeMap::<&str, Vec<Value>>::new();
    // The runs alternate, so that other load affects all of them.
    for _ in 0..RUNS {
        for name in &names {
            let run = run_json(&mut measured(bench, &export(root, binaries, name, server.url())))?;
            runs.entry(name).or_default().push(run);
        }
    }
    let of = |name: &str, member| runs.get(name).and_then(|runs| median(runs, member).ok());
    let mut row = |name: &str, label: &str, member, reference, goal| {
        let unit = if member == "seconds" { Unit::Seconds } else { Unit::Kib };
        let row = match (of(name, member), of(reference, member)) {
            (Some(client), Some(reference)) => Row::ratio("export", label, unit, [client, reference], goal),
            (Some(client), None) => Row::alone("export", label, unit, client, goal),
            // Some systems report no memory usage.
            (None, _) => return,
        };
        table.push(row);
    };
    for (format, max) in FORMATS {
        let label = format!("`s1 get-threats --all --output {format}`, 100,000 threats");
        let label = jq.as_ref().map_or_else(|| label.clone(), |jq| format!("{label}, vs. curl and {jq}"));
        row(format, &label, "seconds", CURL, if jq.is_some() { Goal::AtMost(max) } else { Goal::None });
        if format == "ndjson" {
            if let Some(version) = &requests {
                let label = format!("… vs. a loop of requests {version} in Python");
                row(format, &label, "seconds", REQUESTS, Goal::None);
            }
            row(format, "… vs. listing them with the library", "seconds", LIBRARY, Goal::AtMost(1.15));
        }
        let label = if jq.is_some() { "its peak memory, vs. that of jq" } else { "its peak memory" };
        row(format, label, "peak_kib", CURL, MAX_MEMORY);
    }
    let server = Server::start(bench, PAGES * 10, 0)?;
    for format in ["ndjson", "json"] {
        progress(&format!("exporting 10 times as many threats as {format}"));
        let long = [run_json(&mut measured(bench, &export(root, binaries, format, server.url())))?];
        if let (Ok(long), Some(short)) = (median(&long, "peak_kib"), of(format, "peak_kib")) {
            let label = format!("peak memory of `--output {format}` with 10 times as many threats");
            table.push(Row::ratio("export", &label, Unit::Kib, [long, short], Goal::AtMost(1.1)));
        }
    }
    Ok(())
}

/// Returns an error if an export does not have one line for each of the threats, or misses the first or the last one.
fn check_export(line: &[OsString], threats: usize) -> Result<()> {
    let output = run_output(&mut local(line))?;
    let output = String::from_utf8_lossy(&output);
    let lines = output.lines().count();
    if lines < threats {
        return Err(Error::Generator(format!("{line:?}: {lines} lines for {threats} threats")));
    }
    match [0, threats - 1].map(id).iter().find(|id| !output.contains(*id)) {
        Some(id) => Err(Error::Generator(format!("{line:?}: the output does not have threat {id}"))),
        None => Ok(()),
    }
}

/// Returns the ID of a threat of the server.
fn id(number: usize) -> String {
    format!("46{number:016}")
}

/// Measures listing in parallel from a server that takes 300 ms per response.
fn measure_parallel(binaries: &Binaries, table: &mut Table) -> Result<()> {
    let parallel = |server: &Server, number: usize| {
        let number = number.to_string();
        let arguments = ["get-threats", "--all", "--output", "ndjson", "--parallel", &number];
        s1(binaries, server.url(), &arguments)
    };
    progress("checking a parallel list");
    let server = Server::start(&binaries.bench, 10, 0)?;
    check_export(&parallel(&server, 8), 10_000)?;

    progress("listing in parallel, 300 ms per response");
    let server = Server::start(&binaries.bench, PAGES, 300)?;
    let seconds = |number| {
        let run = run_json(&mut measured(&binaries.bench, &parallel(&server, number)))?;
        median(&[run], "seconds")
    };
    let sequential = seconds(1)?;
    for (number, goal) in [(4, Goal::None), (8, Goal::AtMost(0.2)), (16, Goal::None)] {
        let label = format!("`--parallel {number}`, 100 pages, 300 ms per response, vs. `--parallel 1`");
        table.push(Row::ratio("parallel", &label, Unit::Seconds, [seconds(number)?, sequential], goal));
    }
    Ok(())
}

/// Measures an action on 10,000 IDs of a file.
fn measure_batch(binaries: &Binaries, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("an action on 10,000 IDs");
    let ids: String = (0..10_000).map(|number| id(number) + "\n").collect();
    let path = binaries.work.join("ids.txt");
    std::fs::write(&path, ids).map_err(|source| Error::Io { path: path.clone(), source })?;
    let ids = format!("@{}", path.display());
    let journal = binaries.work.join("journal.jsonl");
    let server = Server::start(&binaries.bench, 1, 0)?;
    let mut update =
        s1(binaries, server.url(), &["update-threats-status", "--status", "resolved", "--threat-ids", &ids]);
    let plain = update.clone();
    update.extend(["--journal".into(), journal.clone().into_os_string()]);
    let (mut batches, mut recorded, mut single) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.runs {
        batches.push(run_json(&mut measured(&binaries.bench, &plain))?);
        // A complete journal would send no request. The first run has none.
        let _ = std::fs::remove_file(&journal);
        recorded.push(run_json(&mut measured(&binaries.bench, &update))?);
        let act = ["act", "client", server.url(), "10000", "64"];
        single.push(run_json(Command::new(&binaries.bench).args(act))?);
    }
    let label = "`s1 update-threats-status`, 10,000 IDs of a file, vs. one call each, 64 in flight";
    let times = [median(&batches, "seconds")?, median(&single, "seconds")?];
    table.push(Row::ratio("actions", label, Unit::Seconds, times, Goal::None));
    let times = [median(&recorded, "seconds")?, median(&batches, "seconds")?];
    table.push(Row::ratio("actions", "… with a journal, vs. without", Unit::Seconds, times, Goal::None));
    Ok(())
}
