//! `--parallel`: the same list, and usage errors with the reason.

use std::collections::BTreeSet;

use sentinelone::Timestamp;
use sentinelone::incidents::Stream;
use sentinelone_sandbox::Sandbox;

use super::*;

/// Runs `s1` on a sandbox.
fn run_on(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    s1().env("S1_CONSOLE_URL", sandbox.url())
        .env("S1_API_TOKEN", Sandbox::TOKEN)
        .args(arguments)
        .output()
        .unwrap()
}

/// Returns the IDs of the threats in an output.
fn ids(format: &str, output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    match format {
        "json" => {
            let body: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(body["pagination"]["nextCursor"], Value::Null);
            assert_eq!(body["pagination"]["totalItems"], body["data"].as_array().unwrap().len());
            body["data"].as_array().unwrap().iter().map(id).collect()
        }
        "ndjson" => text.lines().map(|line| id(&serde_json::from_str(line).unwrap())).collect(),
        _ => {
            let is_id = |word: &&str| word.len() == 18 && word.bytes().all(|byte| byte.is_ascii_digit());
            text.lines().filter_map(|line| line.split_whitespace().find(is_id)).map(str::to_owned).collect()
        }
    }
}

#[test]
fn parallel_list_equals_sequential_list() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sandbox = runtime.block_on(Sandbox::start()).unwrap();
    let hour = 3_600_000;
    for batch in 0..21 {
        // Most of them are recent, and many have the same time.
        let created = sandbox.now().unix_millis().unwrap() - batch * batch * hour;
        sandbox.inject(Stream::Threats, 100, &Timestamp::from_unix_millis(created).unwrap());
    }
    let sequential = ids("json", &run_on(&sandbox, &["get-threats", "--all", "--output", "json"]));
    assert!(sequential.len() > 2_100, "{}", sequential.len());
    for format in ["json", "ndjson", "table"] {
        let columns: &[&str] = if format == "table" { &["--columns", "ID"] } else { &[] };
        let list = [&["get-threats", "--all", "--parallel", "8", "--output", format], columns].concat();
        let before = sandbox.exchanges().len();
        let parallel = ids(format, &run_on(&sandbox, &list));
        let requests = sandbox.exchanges().len() - before;
        let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!((set(&parallel), parallel.len()), (set(&sequential), sequential.len()), "{format}");
        assert!(requests > 6, "{format}: {requests} requests, so the list was not cut");
    }
    runtime.block_on(sandbox.stop());
}

#[test]
fn parallel_option_that_does_not_apply_is_usage_error() {
    let no_filter = "its operation has no filter by createdAt or registeredAt, the times that never change";
    for (arguments, reason) in [
        (
            &["get-alerts", "--created-from", "7 days", "--all", "--cursor", "c"][..],
            "the request has a cursor",
        ),
        (&["get-threats", "--limit", "50"], "its limit of 50 items fits in one page of 1000"),
        (&["get-threats"], "items fits in one page of 1000"),
        (&["get-sites", "--all"], no_filter),
        (&["get-groups", "--all"], no_filter),
        (&["get-iocs", "--account-ids", "1", "--all"], no_filter),
        (&["get-blocklist", "--all"], "it is sorted by updatedAt; expected createdAt"),
        (&["get-accounts"], "it reads no list"),
        (&["update-threats-status", "--threat-ids", "1", "--status", "resolved"], "it reads no list"),
    ] {
        let output = run(&[&["--sandbox"], arguments, &["--parallel", "8"]].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        let expected = format!("{} cannot be read in parallel: ", arguments[0]);
        assert!(stderr.contains(&expected) && stderr.contains(reason), "{arguments:?}: {stderr}");
        let dry_run = run(&[&["--dry-run"], arguments, &["--parallel", "8"]].concat());
        assert_eq!(dry_run.status.code(), Some(2), "{arguments:?}");
    }
    for number in ["0", "65", "x"] {
        assert_eq!(run(&["get-threats", "--all", "--parallel", number]).status.code(), Some(2), "{number}");
    }
    assert!(run(&["--sandbox", "get-sites", "--all", "--parallel", "1"]).status.success());
}

#[test]
fn parallel_option_is_in_help_of_lists_that_support_it() {
    for entry in registry() {
        let help = String::from_utf8(run(&[entry.info.name, "--help"]).stdout).unwrap();
        assert_eq!(help.contains("--parallel"), entry.supports_concurrency(), "{}", entry.info.name);
    }
    let supported: Vec<_> =
        registry().iter().filter(|entry| entry.supports_concurrency()).map(|entry| entry.info.name).collect();
    assert_eq!(
        supported,
        [
            "get-activities",
            "get-alerts",
            "get-remote-script-task-status",
            "get-threats",
            "get-white-list",
            "list-agents"
        ]
    );
    for name in supported {
        let own: Vec<String> =
            arguments_of(name, "", "").into_iter().filter(|one| !one.starts_with("--limit")).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let output = run(&[&["--dry-run", name, "--all", "--parallel", "8"], &own[..]].concat());
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
