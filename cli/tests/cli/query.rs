//! `s1 query` and `s1 query translate`.

use std::process::Output;

use serde_json::Value;

use super::{run, s1};

const FILTER: &str = r#"event.type = "Process Creation" and tgt.process.name contains "powershell""#;

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
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
