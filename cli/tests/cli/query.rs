//! `s1 query` and `s1 query translate`.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use sentinelone_sandbox::Sandbox;
use serde_json::Value;

use super::{run, s1};

const FILTER: &str = r#"event.type = "Process Creation" and tgt.process.name contains "powershell""#;

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs the query commands as long-running queries.
pub(super) fn run_long_running(run: impl Fn(&str, &[String]) -> Value) {
    let engine = "--engine=lrq".to_owned();
    let period = ["--query=* | limit 3", "--from-date=2 weeks", "--to-date=now"].map(str::to_owned).to_vec();
    let with = |own: &[String]| [own, std::slice::from_ref(&engine)].concat();
    let id = |context: &Value, path: &str| {
        format!("--query-id={}", context.pointer(path).unwrap().as_str().unwrap())
    };
    let events = with(&[vec!["--query=*".to_owned()], period[1..].to_vec()].concat());
    let events = id(&run("create-query", &events), "/SentinelOne/Query/QueryID");
    for name in ["get-dv-query-status", "get-events", "get-processes"] {
        run(name, &with(std::slice::from_ref(&events)));
    }
    let rows = id(&run("create-power-query", &with(&period)), "/SentinelOne/PowerQuery/queryId");
    run("ping-power-query", &with(&[rows]));
    run("get-power-query-results", &with(&period));
}

#[test]
fn query_prints_matching_events() {
    let table = run(&["--sandbox", "query", FILTER, "--last", "7d"]);
    assert!(table.status.success(), "{}", stderr(&table));
    assert!(stdout(&table).contains("powershell.exe -NoProfile"), "{}", stdout(&table));
    assert!(
        stderr(&table).contains("accounts: 410000000000000002, 410000000000000001"),
        "{}",
        stderr(&table)
    );

    let lines = run(&["--sandbox", "query", FILTER, "--last", "7d", "--output", "ndjson", "--tenant"]);
    let events: Vec<Value> = stdout(&lines).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&str> = events.iter().map(|event| event["values"]["event.id"].as_str().unwrap()).collect();
    assert_eq!((ids, stderr(&lines)), (vec!["event-9", "event-3"], String::new()));

    let none = run(&["--sandbox", "query", "tgt.process.name = 'absent'", "--tenant"]);
    assert!(none.status.success() && none.stdout.is_empty());
    assert!(stderr(&none).contains("no events match"), "{}", stderr(&none));

    let count = run(&["--sandbox", "query", FILTER, "--last", "7d", "--tenant", "--estimate"]);
    assert_eq!(stdout(&count), format!("{}\n", events.len()));
    let limited =
        run(&["--sandbox", "query", FILTER, "--last", "7d", "--tenant", "--limit", "1", "--output", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&stdout(&limited)).unwrap().as_array().unwrap().len(), 1);
    assert!(
        stderr(&limited).contains(&format!("1 of about {} events", events.len())),
        "{}",
        stderr(&limited)
    );
}

#[test]
fn csv_has_a_column_for_each_field() {
    let arguments = ["--sandbox", "query", "*", "--last", "2w", "--tenant", "--output"];
    let csv = run(&[&arguments[..], &["csv"]].concat());
    let mut reader = csv::Reader::from_reader(csv.stdout.as_slice());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let lines = run(&[&arguments[..], &["ndjson"]].concat());
    let events: Vec<Value> = stdout(&lines).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), events.len());
    for (row, event) in rows.iter().zip(&events) {
        for (name, cell) in header.iter().zip(row) {
            let value = if name == "timestamp" { &event[name] } else { &event["values"][name] };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert_eq!(cell, if value.is_null() { "" } else { &text }, "{name}");
        }
        for name in event["values"].as_object().unwrap().keys() {
            assert!(header.iter().any(|column| column == name), "{name}");
        }
    }
    let power = ["--power", "* | group n = count() by event.type | sort -n | limit 1"];
    let table = run(&[&arguments[..], &["csv"], &power]
        .concat()
        .into_iter()
        .filter(|one| *one != "*")
        .collect::<Vec<_>>());
    assert_eq!(stdout(&table).lines().next(), Some("event.type,n"), "{}", stderr(&table));
    let other = run(&["--sandbox", "get-threats", "--output", "csv"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(stderr(&other).contains("--output csv is not supported by get-threats"), "{}", stderr(&other));
}

#[test]
fn power_query_prints_its_table() {
    let text = "event.type = * | group n = count() by event.type | sort -n";
    let table = run(&["--sandbox", "query", "--power", text, "--last", "2w", "--tenant"]);
    assert!(stdout(&table).contains("Process Creation"), "{}", stderr(&table));
    let rows =
        run(&["--sandbox", "query", "--power", text, "--last", "2w", "--tenant", "--output", "ndjson"]);
    let first: Value = serde_json::from_str(stdout(&rows).lines().next().unwrap()).unwrap();
    let lines = run(&["--sandbox", "query", "*", "--last", "2w", "--tenant", "--output", "ndjson"]);
    let is_first = |line: &&str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["values"]["event.type"] == first["event.type"]
    };
    assert_eq!(first["n"], stdout(&lines).lines().filter(is_first).count());
}

#[test]
fn invalid_query_is_a_usage_error() {
    for (arguments, expected) in [
        (&["query"][..], "no query"),
        (&["query", "a.b = 'x", "--tenant"], "column 7"),
        (&["query", "TgtProcName ContainsCIS 'curl'", "--tenant"], "write: tgt.process.name contains 'curl'"),
        (&["query", "*", "--last", "soon"], "expected a duration"),
        (&["query", "*", "--tenant", "--account-ids", "7"], "cannot be used with"),
        (&["query", "*", "--tenant", "--from", "2026-01-02", "--to", "2026-01-01"], "not after its start"),
        (&["query", "*", "--file", "q.txt"], "cannot be used with"),
        (&["query", "*", "--tenant", "--site-ids", ""], "the list of sites is empty"),
        (
            &["query", "--power", "* | join a = (*) on b", "--tenant", "--site-ids", "7"],
            "\"join\" reads other rows",
        ),
    ] {
        let output = s1().arg("--sandbox").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn translate_prints_the_query_or_the_place_of_the_refusal() {
    let translated = run(&["query", "translate", r#"SrcProcName EndsWith ".exe" AND DstPort Is Empty"#]);
    assert!(translated.status.success(), "{}", stderr(&translated));
    assert_eq!(stdout(&translated), "src.process.name matches \"\\\\.exe$\" AND !(dst.port.number = *)\n");
    let refused = run(&["query", "translate", "NoSuchName = 'x'"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains("NoSuchName") && stderr(&refused).contains('^'),
        "{}",
        stderr(&refused)
    );
    let power = run(&[
        "query",
        "translate",
        "--power",
        "SrcProcName = 'x' | group n = count_distinct(DstIP)",
        "--output",
        "json",
    ]);
    let document: Value = serde_json::from_str(&stdout(&power)).unwrap();
    assert_eq!(document["query"], "src.process.name = 'x' | group n = estimate_distinct(dst.ip.address)");
    assert_eq!(document["changes"].as_array().unwrap().len(), 3);
}

/// A signal in the middle of a query ends the process with a message, and the console has no query left.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_query_is_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let console = |arguments: &[&str]| {
        let mut command = s1();
        command.env("S1_CONSOLE_URL", sandbox.url()).env("S1_API_TOKEN", Sandbox::TOKEN).args(arguments);
        command
    };
    let period = ["--from-date", "2 weeks", "--to-date", "now"];
    let created = ["create-query", "--query", "*", "--engine", "lrq", "--output", "json"];
    let created = console(&[&created[..], &period].concat()).output().unwrap();
    let created: Value = serde_json::from_slice(&created.stdout).unwrap();
    let id = created["data"]["queryId"].as_str().unwrap();
    let results = ["get-power-query-results", "--engine", "lrq", "--query", "* | limit 1"];
    for arguments in [
        vec!["query", "*", "--last", "2w"],
        vec!["query", "*", "--last", "2w", "--slices", "8", "--output", "ndjson"],
        vec!["query", "--power", "* | limit 1", "--last", "2w"],
        vec!["get-events", "--query-id", id],
        vec!["get-dv-query-status", "--query-id", id],
        [&results[..], &period].concat(),
    ] {
        for signal in ["-INT", "-TERM"] {
            let mut command = console(&arguments);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            while sandbox.running_queries() == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
            assert!(sent.success());
            let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
            assert!(stderr(&output).contains("interrupted"), "{arguments:?}: {}", stderr(&output));
            assert_eq!(sandbox.running_queries(), 0, "{arguments:?} {signal}");
        }
    }
    sandbox.stop().await;
}
