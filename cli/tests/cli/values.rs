//! Values of options: lists from files and stdin, texts that begin with a dash, IDs that are not found.

use std::io::Write;

use super::*;

/// Runs `s1` with text on stdin.
fn run_with_stdin(mut command: Command, stdin: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The process can end without reading stdin.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Returns the IDs of the single request of a dry run.
fn ids(output: &Output) -> Value {
    json_of(output)[0]["query"]["ids"].clone()
}

const LIST: &[u8] = b"\xef\xbb\xbf# collected on Monday\r\n71\r\n\r\n  72  \r\n#73\r\n74";

#[test]
fn list_option_reads_file_and_stdin() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("threats.txt");
    std::fs::write(&file, LIST).unwrap();
    let from_file = format!("@{}", file.display());
    let base = ["--dry-run", "get-threats", "--threat-ids"];
    assert_eq!(ids(&run(&[&base[..], &[&from_file]].concat())), "71,72,74");
    assert_eq!(ids(&run(&[&base[..], &["70,71", "--threat-ids", &from_file]].concat())), "70,71,72,74");
    let mut command = s1();
    command.args(base).arg("-");
    assert_eq!(ids(&run_with_stdin(command, LIST)), "71,72,74");

    // A line is one value, also with a comma.
    let names = dir.path().join("names.txt");
    std::fs::write(&names, "north, south\n[a]\n").unwrap();
    let names = format!("@{}", names.display());
    let arguments =
        ["--dry-run", "update-threat-incident", "--incident-status", "resolved", "--os-names", &names];
    let requests = json_of(&run(&arguments));
    assert_eq!(requests[0]["body"]["filter"]["osNames"], json!(["north, south", "[a]"]));
}

#[test]
fn list_option_of_every_command_reads_files() {
    for entry in registry() {
        for argument in (entry.arguments)().iter().filter(|argument| argument.kind == ArgumentKind::List) {
            let option = format!("--{}", argument.name);
            let mut command = s1();
            command.args(["--dry-run", entry.info.name, &option, "@/nonexistent/list.txt"]);
            for other in
                (entry.arguments)().iter().filter(|other| other.required && other.name != argument.name)
            {
                command.arg(format!("--{}=1", other.name));
            }
            let output = command.output().unwrap();
            let error = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{} {option}: {error}", entry.info.name);
            assert!(
                error.contains("/nonexistent/list.txt cannot be read"),
                "{} {option}: {error}",
                entry.info.name
            );
        }
    }
}

#[test]
fn list_option_without_values_exits_2() {
    let dir = tempfile::tempdir().unwrap();
    for (name, content, problem) in [
        ("empty", &b""[..], "has no value"),
        ("comments", b"# nothing\r\n \n", "has no value"),
        ("binary", b"\xc3\x28", "is not text"),
        ("large", &vec![b'7'; 8 * 1024 * 1024 + 1], "has more than 8388608 bytes"),
    ] {
        let file = dir.path().join(name);
        std::fs::write(&file, content).unwrap();
        let output = run(&["--sandbox", "get-threats", "--threat-ids", &format!("@{}", file.display())]);
        let error = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{name}: {error}");
        assert!(error.contains(&format!("{} {problem}", file.display())), "{name}: {error}");
        let mut command = s1();
        command.args(["--sandbox", "get-threats", "--threat-ids", "-"]);
        let error = stderr(&run_with_stdin(command, content));
        assert!(error.contains(&format!("stdin {problem}")), "{name}: {error}");
    }
    let output = run(&["--sandbox", "get-threats", "--threat-ids", "@"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--threat-ids: @ has no file name"), "{}", stderr(&output));
    let mut command = s1();
    command.args(["--sandbox", "get-threats", "--threat-ids", "-", "--site-ids", "-"]);
    let output = run_with_stdin(command, b"1\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--site-ids -: stdin is already read for --threat-ids"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn incident_sites_are_read_from_a_file_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sites.txt");
    std::fs::write(&file, "# north\n420000000000000002\n").unwrap();
    let fetch = |sites: &str| {
        let arguments = ["--sandbox", "fetch-incidents", "--first-fetch", "30 days", "--output", "ndjson"];
        run(&[&arguments[..], &["--site-ids", sites]].concat())
    };
    let from_file = fetch(&format!("@{}", file.display()));
    assert!(from_file.status.success() && !from_file.stdout.is_empty(), "{}", stderr(&from_file));
    assert_eq!(from_file.stdout, fetch("420000000000000002").stdout);
    for (sites, problem) in [("@/nonexistent/sites", "cannot be read"), ("42 43", "is not an ID")] {
        let output = fetch(sites);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(problem), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn list_from_stdin_cannot_confirm_an_action() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(500)).expect(0).mount(&server).await;
    let command = s1_on(&server, &["shutdown-agent", "--agent-id", "-"]);
    let output = tokio::task::block_in_place(|| run_with_stdin(command, b"440000000000000001\ny\n"));
    assert_eq!(output.status.code(), Some(2));
    let error = stderr(&output);
    assert!(error.contains("stdin was read for --agent-id; pass --yes"), "{error}");
}

#[test]
fn text_option_accepts_a_value_with_a_dash() {
    let base = "--dry-run run-remote-script --script-id 5 --account-ids 6 --agent-ids 7 --output-destination None \
        --task-description ports --input-params";
    let base: Vec<&str> = base.split_whitespace().collect();
    for value in ["-Path D:\\logs", "--verbose yes", "-v"] {
        let requests = json_of(&run(&[&base[..], &[value]].concat()));
        assert_eq!(requests[0]["body"]["data"]["inputParams"], value);
    }
    for value in ["--verbose", "--script-id=8", "--dry-run", "--script-id"] {
        let output = run(&[&base[..], &[value]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{value}");
        assert!(stderr(&output).contains(&format!("--input-params={value}")), "{}", stderr(&output));
        let joined = format!("--input-params={value}");
        let requests = json_of(&run(&[&base[..base.len() - 1], &[&joined]].concat()));
        assert_eq!(requests[0]["body"]["data"]["inputParams"], value);
    }
    let forgotten =
        run(&["--dry-run", "create-query", "--query", "--from-date", "1 day", "--to-date", "now"]);
    assert_eq!(forgotten.status.code(), Some(2));
    assert!(stderr(&forgotten).contains("--query requires a value"), "{}", stderr(&forgotten));
    for arguments in [&["get-threats", "--limit", "-5"][..], &["get-site", "--site-id", "-5"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2));
        let help = format!("help: pass a value that begins with a dash as {}=VALUE", arguments[1]);
        assert!(stderr(&output).contains(&help), "{}", stderr(&output));
    }
}

#[test]
fn missing_identifiers_are_named_and_exit_3_or_1() {
    for (ids, code, rows) in
        [("440000000000000001,908", 3, 1), ("908,909", 1, 0), ("440000000000000001", 0, 1)]
    {
        for format in ["table", "json", "ndjson", "context"] {
            let output = run(&["--sandbox", "get-agent", "--agent-id", ids, "--output", format]);
            let (error, text) = (stderr(&output), String::from_utf8_lossy(&output.stdout));
            assert_eq!(output.status.code(), Some(code), "{ids} {format}: {error}");
            assert_eq!(
                error.contains("get-agent: agent_id not found: 908"),
                code != 0,
                "{ids} {format}: {error}"
            );
            assert_eq!(text.contains("web-01"), rows == 1, "{ids} {format}: {text}");
            assert!(!text.contains(" found\n") || rows == 1, "{ids} {format}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_power_query_prints_no_rows() {
    let failed = json!({ "data": { "queryId": "pq31", "status": "FAILED", "progress": 10 } });
    let started = json!({ "data": { "queryId": "pq31", "status": "RUNNING", "progress": 0 } });
    let server = MockServer::start().await;
    let respond = |body: &Value| ResponseTemplate::new(200).set_body_json(body);
    Mock::given(wiremock::matchers::method("POST")).respond_with(respond(&started)).mount(&server).await;
    Mock::given(wiremock::matchers::method("GET")).respond_with(respond(&failed)).mount(&server).await;
    for format in ["table", "json", "ndjson", "context"] {
        let arguments =
            "get-power-query-results --query x --from-date 2026-11-01 --to-date 2026-11-02 --output";
        let mut command = s1_on(&server, &arguments.split(' ').chain([format]).collect::<Vec<_>>());
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        let error = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{format}: {error}");
        assert!(error.contains("FAILED (query_id=pq31)"), "{format}: {error}");
    }
}
