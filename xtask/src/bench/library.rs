//! The library, compared with handwritten code.

use std::path::Path;
use std::process::Command;

use sentinelone_codegen::{Error, Result};
use serde_json::Value;

use super::binaries::Binaries;
use super::effort::Effort;
use super::processes::{Server, median, run_command, run_json};
use super::progress::progress;
use super::table::{Goal, Row, Table, Unit};

pub(super) fn measure(binaries: &Binaries, effort: &Effort, table: &mut Table) -> Result<()> {
    measure_decode(binaries, effort, table)?;
    measure_list(&binaries.bench, effort, table)?;
    // It takes longer than a quick run may.
    if !effort.quick {
        measure_fetch(&binaries.bench, table)?;
    }
    measure_actions(&binaries.bench, effort, table)
}

/// Measures decoding a page of 1,000 threats with all fields.
fn measure_decode(binaries: &Binaries, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("decoding");
    let output = binaries.work.join("criterion");
    let [time, samples] = if effort.quick { ["1", "10"] } else { ["10", "40"] };
    run_command(Command::new(&binaries.bench).arg("decode").arg(&output).args([time, samples]))?;
    let median = |name: &str| -> Result<f64> {
        let path = output.join(format!("decode/{name}/new/estimates.json"));
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path, source })?;
        let estimates: Value = serde_json::from_str(&text).unwrap_or_default();
        let nanoseconds = estimates["median"]["point_estimate"].as_f64();
        Ok(nanoseconds.ok_or_else(|| Error::Generator(format!("criterion has no estimate for {name}")))?
            / 1e9)
    };
    let (client, value) = (median("types")?, median("value")?);
    let mut row = |label, reference, goal| {
        table.push(Row::ratio("decode", label, Unit::Seconds, [client, reference], goal));
    };
    row("decode 1,000 threats into types, vs. `serde_json::Value`", value, Goal::AtMost(0.3));
    row("… vs. the same types with derived serde", median("types-by-hand")?, Goal::None);
    row("… vs. skipping them (`IgnoredAny`)", median("skipped")?, Goal::None);
    let raw = [median("raw")?, median("skipped")?];
    let label = "read 1,000 threats as slices of their page (`RawItem`), vs. skipping them";
    table.push(Row::ratio("decode", label, Unit::Seconds, raw, Goal::AtMost(1.3)));
    Ok(())
}

/// Measures listing 100,000 threats in 100 pages from a server that sends prepared bytes.
fn measure_list(bench: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("listing 100,000 threats");
    let server = Server::start(bench, 100, 0)?;
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
    let small_server = Server::start(bench, 10, 0)?;
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
    let mut row = |label, name, client: &[Value], reference: &[Value], goal| -> Result<()> {
        let unit = if name == "seconds" { Unit::Seconds } else { Unit::Kib };
        table.push(Row::ratio("list", label, unit, [median(client, name)?, median(reference, name)?], goal));
        Ok(())
    };
    let label = "list 100,000 threats in 100 pages, vs. a reqwest loop into the same types";
    row(label, "seconds", &client, &types, Goal::AtMost(1.1))?;
    if !values.is_empty() {
        row("… vs. a reqwest loop into `serde_json::Value`", "seconds", &client, &values, Goal::None)?;
    }
    // Some systems report no memory usage.
    if median(&client, "peak_kib").is_ok() {
        let label = "peak memory, vs. the loop into the same types";
        row(label, "peak_kib", &client, &types, Goal::AtMost(1.3))?;
        if !values.is_empty() {
            row("… vs. the loop into `serde_json::Value`", "peak_kib", &client, &values, Goal::None)?;
        }
        row("… vs. the client with 10 pages", "peak_kib", &client, &short, Goal::AtMost(1.1))?;
    }
    let label = "list 10 pages with 100 ms of other work per page, `prefetch` vs. no prefetch";
    row(label, "seconds", &prefetch, &sequential, Goal::AtMost(0.85))?;
    Ok(())
}

/// Measures fetching a backlog of threats as incidents.
fn measure_fetch(bench: &Path, table: &mut Table) -> Result<()> {
    progress("fetching a backlog of 100,000 threats");
    let server = Server::start(bench, 100, 0)?;
    let fetch = run_json(Command::new(bench).args(["fetch", server.url(), "1000"]))?;
    let list = run_json(Command::new(bench).args(["list", "client", server.url(), "0"]))?;
    if fetch["count"] != 100_000 {
        return Err(Error::Generator(format!("missing incidents: {fetch}")));
    }
    let runs = [[fetch], [list]];
    let label = "fetch 100,000 threats as incidents, 1,000 per poll, vs. listing them";
    let [fetch, list] = runs.each_ref().map(|run| median(run, "seconds"));
    table.push(Row::ratio("incidents", label, Unit::Seconds, [fetch?, list?], Goal::None));
    let [fetch, list] = runs.each_ref().map(|run| median(run, "peak_kib"));
    if let (Ok(fetch), Ok(list)) = (fetch, list) {
        let label = "its peak memory, vs. listing them";
        table.push(Row::ratio("incidents", label, Unit::Kib, [fetch, list], Goal::None));
    }
    Ok(())
}

/// Measures 10,000 small actions, 64 in flight.
fn measure_actions(bench: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    progress("10,000 actions");
    let server = Server::start(bench, 1, 0)?;
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
    let rates = [rate(&client)?, rate(&reqwest)?];
    table.push(Row::ratio("actions", label, Unit::PerSecond, rates, Goal::AtLeast(0.9)));
    Ok(())
}
