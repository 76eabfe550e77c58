//! The binary against the sandbox, as people and scripts use it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

fn s1() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    for name in ["S1_CONSOLE_URL", "S1_API_TOKEN", "COLUMNS", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    s1().args(arguments).output().unwrap()
}

/// What came out, for a snapshot.
fn shown(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    format!(
        "$ s1 {}\nexit {}\n--- stdout\n{out}--- stderr\n{err}",
        arguments.join(" "),
        output.status.code().unwrap()
    )
}

fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn lists_in_every_format() {
    let some =
        ["--sandbox", "get-threats", "--incident-statuses", "unresolved", "--site-ids", "420000000000000002"];
    for format in ["table", "ndjson", "context"] {
        let arguments = [&some[..], &["--output", format]].concat();
        insta::assert_snapshot!(format!("get_threats_{format}"), shown(&arguments));
    }
    let threats = json_of(&run(&[&some[..], &["--output", "json"]].concat()));
    assert_eq!(threats["pagination"]["totalItems"], threats["data"].as_array().unwrap().len());
    assert!(threats["data"][0]["threatInfo"].is_object(), "what the console sent, unabridged");
}

#[test]
fn actions_in_every_format() {
    let some =
        ["--sandbox", "update-threats-status", "--threat-ids", "460000000000000011,460000000000000009,1"];
    for format in ["table", "json", "ndjson", "context"] {
        let arguments = [&some[..], &["--status", "resolved", "--output", format]].concat();
        insta::assert_snapshot!(format!("update_threats_status_{format}"), shown(&arguments));
    }
}

#[test]
fn dry_runs_print_the_requests_and_need_no_console() {
    let arguments = "--dry-run update-threat-incident --incident-status resolved \
        --computer-name-contains web-01,web-02 --incident-statuses unresolved --output json";
    let requests = json_of(&run(&arguments.split_whitespace().collect::<Vec<_>>()));
    let expected = json!([{
        "method": "POST",
        "path": "/web/api/v2.1/threats/incident",
        "query": {},
        "body": {
            "data": { "incidentStatus": "resolved" },
            "filter": { "computerName__contains": ["web-01", "web-02"], "incidentStatuses": ["unresolved"] },
        },
    }]);
    assert_eq!(requests, expected);

    let arguments = ["get-threats", "--threat-ids", "1", "--threat-ids", "2", "--dry-run"];
    let requests = json_of(&run(&arguments));
    assert_eq!(requests[0]["query"], json!({ "ids": "1,2", "limit": "20" }), "an object of texts");
}

#[test]
fn usage_is_answered_with_2_and_a_reason() {
    let wrong: &[&[&str]] = &[
        &["--dry-run", "update-threat-incident", "--incident-status", "resolved"],
        &["--sandbox", "update-threat-incident", "--incident-status", "resolved", "--limit", "3"],
        &["--sandbox", "update-threats-status", "--threat-ids", "1", "--status", "closed"],
        &["--sandbox", "update-threats-status", "--threat-ids", "1,", "--status", "resolved"],
        &[
            "--sandbox",
            "update-threat-incident",
            "--incident-status",
            "resolved",
            "--ids",
            "1",
            "--site-ids",
            "",
        ],
        &["--sandbox", "get-threats", "--limit", "1", "--limit", "2"],
        &["--sandbox", "--api-version", "2.0", "threat-summary"],
        &["get-threats"],
        &["get-threats", "--console-url", "http://console.example.com"],
        &["get-threats", "--console-url", "console.example.com"],
        &["get-threats", "--sandbox", "--console-url", "console.example.com"],
        &["mitigate-threat", "--threat-ids", "1", "--action", "kill", "--console-url", "console.example.com"],
        &[
            "update-threat-incident",
            "--incident-status",
            "resolved",
            "--everything-in-scope",
            "--console-url",
            "console.example.com",
        ],
        &["get-threats", "--unheard-of", "1"],
        &["unheard-of"],
    ];
    let mut all = String::new();
    for arguments in wrong {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        all.push_str(&shown(arguments));
        all.push('\n');
    }
    insta::assert_snapshot!("usage", all);
}

#[test]
fn exit_codes_tell_all_from_part_from_nothing() {
    let note = |ids: &str| {
        let arguments =
            ["--sandbox", "update-threats-verdict", "--verdict", "suspicious", "--threat-ids", ids];
        run(&arguments).status.code().unwrap()
    };
    assert_eq!(note("460000000000000011"), 0);
    assert_eq!(note("460000000000000011,1"), 3);
    assert_eq!(note("1,2"), 1);
    let nothing =
        ["--sandbox", "update-threat-incident", "--incident-status", "resolved", "--classifications", "None"];
    assert_eq!(run(&nothing).status.code(), Some(0), "a filter that matches nothing is done");
    let unreachable = run(&[
        "get-threats",
        "--console-url",
        "http://127.0.0.1:9",
        "--api-token-file",
        token().to_str().unwrap(),
    ]);
    assert_eq!(unreachable.status.code(), Some(1));
}

fn token() -> &'static std::path::Path {
    static FILE: std::sync::LazyLock<tempfile::NamedTempFile> = std::sync::LazyLock::new(|| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "sandbox-token\n").unwrap();
        file
    });
    FILE.path()
}

#[test]
fn names_and_options_of_the_integration_are_taken() {
    let plain = run(&["--dry-run", "write-threat-note", "--threat-ids", "1", "--note", "seen"]);
    let full = run(&["sentinelone-write-threat-note", "--threat_ids", "1", "--note", "seen", "--dry-run"]);
    assert_eq!(json_of(&plain), json_of(&full));
}

#[test]
fn help_and_the_list_of_commands() {
    insta::assert_snapshot!("help", shown(&["--help"]));
    insta::assert_snapshot!("help_get_threats", shown(&["get-threats", "--help"]));
    insta::assert_snapshot!("commands", shown(&["commands"]));
    let commands = json_of(&run(&["commands", "--output", "json"]));
    let names: Vec<_> = commands.as_array().unwrap().iter().map(|command| &command["name"]).collect();
    assert_eq!(names.len(), sentinelone::commands::registry().len());
    let status =
        commands.as_array().unwrap().iter().find(|one| one["name"] == "update-threats-status").unwrap();
    let expected = json!({
        "name": "status", "type": "text", "values": ["unresolved", "in_progress", "resolved"], "default": null,
        "required": true, "description": "The status to set.",
    });
    assert_eq!(status["arguments"][0], expected);
    assert_eq!(status["versions"], json!(["2.1"]));
    assert_eq!(status["outputs"][1]["path"], "SentinelOne.Threat.Updated");
}

/// `s1 sandbox`, stopped when it goes out of scope.
struct Kept {
    child: Child,
    url: String,
}

impl Kept {
    fn start() -> Self {
        let mut child = s1().args(["sandbox", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url =
            lines.find_map(|line| Some(line.strip_prefix("export S1_CONSOLE_URL=")?.to_owned())).unwrap();
        assert_eq!(lines.next().unwrap(), "export S1_API_TOKEN=sandbox-token");
        Self { child, url }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        s1().env("S1_CONSOLE_URL", &self.url)
            .env("S1_API_TOKEN", "sandbox-token")
            .args(arguments)
            .output()
            .unwrap()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn calls_to_a_kept_sandbox_share_its_state() {
    let console = Kept::start();
    let list = ["get-threats", "--incident-statuses", "unresolved", "--output", "json"];
    let before = json_of(&console.run(&list));
    let id = before["data"][0]["id"].as_str().unwrap();

    let update = ["update-threats-status", "--threat-ids", id, "--status", "resolved", "--output", "json"];
    let answer = json_of(&console.run(&update));
    assert_eq!(answer["data"]["affected"], 1);
    assert_eq!(answer["results"], json!([{ "id": id, "state": "done", "detail": "updated" }]));

    let after = json_of(&console.run(&list));
    assert_eq!(after["pagination"]["totalItems"], before["pagination"]["totalItems"].as_u64().unwrap() - 1);
    let threat = json_of(&console.run(&["get-threats", "--threat-ids", id, "--output", "json"]));
    assert_eq!(threat["data"][0]["threatInfo"]["incidentStatus"], "resolved");

    console.run(&["write-threat-note", "--threat-ids", id, "--note", "Closed by the test."]);
    let notes = json_of(&console.run(&["get-threat-notes", "--threat-id", id, "--output", "context"]));
    assert_eq!(notes["SentinelOne"]["Notes"][0]["Text"], "Closed by the test.");

    let refused = s1()
        .args(["get-threats", "--console-url", &console.url])
        .env("S1_API_TOKEN", "a-wrong-token")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("401") && !message.contains("a-wrong-token"), "{message}");
}

/// Every command of the registry runs against one sandbox with plausible arguments, on every version.
#[test]
fn every_command_runs_against_the_sandbox() {
    let console = Kept::start();
    for entry in sentinelone::commands::registry() {
        for version in entry.info.versions {
            let mut arguments = vec![entry.info.name.to_owned(), "--yes".into(), "--api-version".into()];
            arguments.push(version.to_string());
            for argument in (entry.arguments)().into_iter().filter(|argument| argument.required) {
                let value = match argument.name {
                    "threat_id" | "threat_ids" => "460000000000000011",
                    _ => argument.values.first().copied().unwrap_or("plausible"),
                };
                arguments.push(format!("--{}={value}", argument.name.replace('_', "-")));
            }
            if entry.info.name == "update-threat-incident" {
                arguments.push("--os-types=linux".into());
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = console.run(&arguments);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{arguments:?}: {error}");
        }
    }
}

/// What the README shows is what comes out.
#[test]
fn the_readme_shows_real_output() {
    let readme = include_str!("../README.md");
    let mut shown = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let (command, output) = block.split_once('\n').unwrap();
        let Some(arguments) = command.strip_prefix("$ cargo s1 ") else { continue };
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        assert_eq!(String::from_utf8(run(&arguments).stdout).unwrap(), output, "{command}");
        shown += 1;
    }
    assert_eq!(shown, 2);
}
