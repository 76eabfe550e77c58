//! The binary `s1` on the sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod batches;
mod command_list;
#[path = "../../../tests/support/incident_consoles.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod consoles;
mod contract;
#[path = "../../../tests/support/echo.rs"]
mod echo;
mod incidents;
mod lists;
mod parallel;
mod probe;
mod profiles;
mod query;
mod secrets;
mod start;
#[cfg(unix)]
mod terminal;
mod values;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use sentinelone::commands::{ArgumentKind, Arguments, RegisteredCommand, Topic, registry};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

fn s1() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    let names = [
        "S1_CONSOLE_URL",
        "S1_API_TOKEN",
        "S1_PROFILE",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
    ];
    for name in names {
        command.env_remove(name);
    }
    // No profiles of the user.
    command.env("S1_CONFIG", "/nonexistent/s1/config.toml");
    // The example data has the same times on every day.
    command.env("S1_SANDBOX_NOW", "2026-11-20T10:00:00Z");
    command.stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    s1().args(arguments).output().unwrap()
}

/// Returns the command line, the exit code and the output for a snapshot.
fn transcript(arguments: &[&str]) -> String {
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
fn list_output_formats() {
    let base =
        ["--sandbox", "get-threats", "--incident-statuses", "unresolved", "--site-ids", "420000000000000002"];
    for format in ["table", "ndjson", "context"] {
        let arguments = [&base[..], &["--output", format]].concat();
        insta::assert_snapshot!(format!("get_threats_{format}"), transcript(&arguments));
    }
    let threats = json_of(&run(&[&base[..], &["--output", "json"]].concat()));
    assert_eq!(threats["pagination"]["totalItems"], threats["data"].as_array().unwrap().len());
    assert!(threats["data"][0]["threatInfo"].is_object(), "the complete response");
}

#[test]
fn action_output_formats() {
    let base =
        ["--sandbox", "update-threats-status", "--threat-ids", "460000000000000011,460000000000000009,1"];
    for format in ["table", "json", "ndjson", "context"] {
        let arguments = [&base[..], &["--status", "resolved", "--output", format]].concat();
        insta::assert_snapshot!(format!("update_threats_status_{format}"), transcript(&arguments));
    }
}

#[test]
fn token_command_prints_expiry() {
    let table = String::from_utf8(run(&["token", "--sandbox"]).stdout).unwrap();
    assert!(table.contains("expires   ┆ 2036-06-01T08:00:00.000000Z"), "{table}");
    let json = json_of(&run(&["--sandbox", "token", "--output", "json"]));
    assert_eq!(json["createdAt"], "2026-06-01T08:00:00.000000Z");
    // 2026-11-21 to 2036-06-01 is the upper bound.
    assert!(json["secondsRemaining"].as_u64().unwrap() < 301_000_000, "{json}");
    let old = run(&["--sandbox", "--api-version", "2.0", "token"]);
    assert_eq!(old.status.code(), Some(2), "API 2.0 has no token details");
}

#[test]
fn sandbox_time_variable_sets_the_clock_of_the_sandbox() {
    let arguments = ["--sandbox", "get-threats", "--limit", "1", "--output", "ndjson"];
    let newest = |now: &str| s1().env("S1_SANDBOX_NOW", now).args(arguments).output().unwrap();
    let cases = [
        ("2031-03-04T10:00:00Z", "2031-03-03T14:58:08.212156Z"),
        ("2031-03-04", "2031-03-03T04:58:08.212156Z"),
    ];
    for (now, created) in cases {
        let output = json_of(&newest(now)).to_string();
        assert!(output.contains(created), "{now}: {output}");
    }
    let wrong = newest("soon");
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
    let message = String::from_utf8(wrong.stderr).unwrap();
    assert!(message.contains("S1_SANDBOX_NOW: \"soon\" is not a time"), "{message}");
}

#[test]
fn max_attempts_limits_retries() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (attempts, retries) in [("1", 0), ("2", 1)] {
        let mut command = s1();
        let url = format!("http://{closed}");
        command.env("S1_API_TOKEN", "token-of-the-test").args([
            "--console-url",
            &url,
            "--max-attempts",
            attempts,
        ]);
        let output = command.arg("get-threats").output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert_eq!(error.matches(" wait_ms=").count(), retries, "{error}");
        assert!(error.contains("the console was not reached"), "{error}");
    }
    for wrong in ["0", "1.5", "none", "-1"] {
        assert_eq!(
            run(&["--sandbox", "get-sites", &format!("--rate-limits={wrong}")]).status.code(),
            Some(2)
        );
    }
    assert!(run(&["--sandbox", "get-sites", "--rate-limits", "off"]).status.success());
}

#[test]
fn dry_run_prints_requests_without_console() {
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
    assert_eq!(requests[0]["query"], json!({ "ids": "1,2", "limit": "20" }), "an object of strings");
}

#[test]
fn dry_run_unsupported_command_exits_2() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state.json");
    let state = state.to_str().unwrap();
    for arguments in [
        &["fetch-incidents", "--state", state][..],
        &["token"],
        &["test-connection"],
        &["sandbox"],
        &["commands"],
        &["man"],
        &["completions", "bash"],
        &["contract", "verify", state],
        &["login"],
    ] {
        let output = run(&[&["--dry-run"], arguments].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {error}");
        assert!(error.contains("--dry-run"), "{arguments:?}: {error}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn argument_not_utf8_exits_2() {
    use std::os::unix::ffi::OsStrExt;
    let output = s1().arg(std::ffi::OsStr::from_bytes(b"get-\xff")).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.starts_with("error: "), "{error}");
}

#[test]
fn invalid_usage_exits_2_with_reason() {
    let invalid: &[&[&str]] = &[
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
            "true",
            "--console-url",
            "console.example.com",
        ],
        &["get-threats", "--unheard-of", "1"],
        &["unheard-of"],
    ];
    let mut all = String::new();
    for arguments in invalid {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        all.push_str(&transcript(arguments));
        all.push('\n');
    }
    insta::assert_snapshot!("usage", all);
}

/// The earlier name of the option is accepted too.
#[test]
fn ca_cert_option_has_an_alias() {
    for option in ["--ca-cert", "--root-certificate"] {
        let arguments = ["--console-url", "127.0.0.1:9", option, "no-such-file.pem", "get-sites"];
        let output = s1().env("S1_API_TOKEN", "token-of-the-test").args(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("no-such-file.pem: cannot read the certificate"), "{error}");
    }
}

/// The context of the integration has no details of the results.
#[test]
fn details_of_results_are_on_stderr_for_context_only() {
    let hash = "57c6a24fc3913d0ba0db152c315fbf95ea64565a";
    for (format, expected) in [("context", true), ("table", false), ("json", false), ("ndjson", false)] {
        let output =
            run(&["--sandbox", "remove-hash-from-blocklist", "--sha1", hash, "--yes", "--output", format]);
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let detail = "still blocks the file: it is on the blocklist of site 420000000000000002";
        let line = format!("error: 560000000000000002: not_affected: {detail}\n");
        assert_eq!(
            (err.contains(&line), out.contains(detail)),
            (expected, !expected),
            "{format}: {out}{err}"
        );
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn exit_codes_distinguish_success_partial_failure() {
    let update = |ids: &str| {
        let arguments =
            ["--sandbox", "update-threats-verdict", "--verdict", "suspicious", "--threat-ids", ids];
        run(&arguments).status.code().unwrap()
    };
    assert_eq!(update("460000000000000011"), 0);
    assert_eq!(update("460000000000000011,1"), 3);
    assert_eq!(update("1,2"), 1);
    let no_match =
        ["--sandbox", "update-threat-incident", "--incident-status", "resolved", "--classifications", "None"];
    assert_eq!(run(&no_match).status.code(), Some(0), "a filter without matches succeeds");
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
fn integration_names_are_accepted() {
    let plain = run(&["--dry-run", "write-threat-note", "--threat-ids", "1", "--note", "seen"]);
    let full = run(&["sentinelone-write-threat-note", "--threat_ids", "1", "--note", "seen", "--dry-run"]);
    assert_eq!(json_of(&plain), json_of(&full));
}

#[test]
fn help_and_commands_list_the_registry() {
    insta::assert_snapshot!("help", transcript(&["--help"]));
    insta::assert_snapshot!("help_options", transcript(&["help", "options"]));
    insta::assert_snapshot!("help_topic", transcript(&["help", "remote-scripts"]));
    insta::assert_snapshot!("help_get_threats", transcript(&["get-threats", "--help"]));
    insta::assert_snapshot!("commands", transcript(&["commands"]));
    let commands = json_of(&run(&["commands", "--output", "json"]));
    let names: Vec<_> = commands.as_array().unwrap().iter().map(|command| &command["name"]).collect();
    assert_eq!(names.len(), sentinelone::commands::registry().len());
    let status =
        commands.as_array().unwrap().iter().find(|one| one["name"] == "update-threats-status").unwrap();
    let expected = json!({
        "name": "status", "type": "string", "values": ["unresolved", "in_progress", "resolved"], "default": null,
        "required": true, "all": false, "description": "Incident status.",
    });
    assert_eq!(status["arguments"][0], expected);
    assert_eq!(status["versions"], json!(["2.1"]));
    assert_eq!(
        (&status["fullName"], &status["topic"]),
        (&json!("sentinelone-update-threats-status"), &json!("threats"))
    );
    assert_eq!((&status["isAction"], &status["requiresConfirmation"]), (&json!(true), &json!(false)));
    assert_eq!(status["outputs"][1]["path"], "SentinelOne.Threat.Updated");
}

/// Returns the help at 100 columns.
fn help_at_100_columns(arguments: &[&str]) -> String {
    let output = s1().env("COLUMNS", "100").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_fits_line_limits() {
    for (arguments, limit) in [(&["--help"][..], 90), (&["get-threats", "--help"], 45)] {
        let help = help_at_100_columns(arguments);
        assert!(help.lines().count() <= limit, "{arguments:?}: {} lines:\n{help}", help.lines().count());
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{arguments:?}:\n{help}");
    }
}

#[test]
fn help_groups_commands_by_topic() {
    let help = help_at_100_columns(&["--help"]);
    let narrow = s1().env("COLUMNS", "80").arg("--help").output().unwrap();
    let narrow = String::from_utf8(narrow.stdout).unwrap();
    for entry in registry() {
        let (name, summary) = (entry.info.name, entry.info.summary);
        assert!(
            help.lines().any(|line| line.contains(&format!(" {name} ")) && line.ends_with(summary)),
            "{name}"
        );
        assert!(narrow.lines().any(|line| line.starts_with(&format!("  {name} "))), "{name}:\n{narrow}");
    }
    for topic in Topic::ALL {
        let page = help_at_100_columns(&["help", topic.name()]);
        let of_topic = registry().iter().filter(|entry| entry.info.topic == topic);
        assert!(of_topic.clone().count() > 0 && page.starts_with(&format!("{}:\n", topic.title())), "{page}");
        assert!(of_topic.clone().all(|entry| page.contains(entry.info.name)), "{page}");
    }
}

/// The help of a command has its own options; the global options have a page.
#[test]
fn help_lists_global_options_on_their_own_page() {
    let options = help_at_100_columns(&["help", "options"]);
    let command = help_at_100_columns(&["get-threats", "--help"]);
    for option in ["--console-url", "--log-level", "--max-attempts", "--dry-run"] {
        assert!(options.contains(option) && !command.contains(option), "{option}");
    }
    assert!(command.contains("Global options: s1 help options"), "{command}");
    for content in ["S1_API_TOKEN", "NO_COLOR", "Exit codes:", "--option=-value"] {
        assert!(options.contains(content), "{content}: {options}");
    }
    let login = help_at_100_columns(&["login", "--help"]);
    assert!(login.contains("--profile") && login.contains("--api-token-file"), "{login}");
}

#[test]
fn help_command_equals_help_option() {
    for path in [&[][..], &["get-threats"], &["contract"], &["contract", "verify"], &["login"]] {
        let by_command = help_at_100_columns(&[&["help"], path].concat());
        assert_eq!(by_command, help_at_100_columns(&[path, &["--help"]].concat()), "{path:?}");
    }
    let alias = help_at_100_columns(&["help", "sentinelone-get-threats"]);
    assert_eq!(alias, help_at_100_columns(&["help", "get-threats"]));
    let unknown = run(&["help", "get-threts"]);
    let error = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(unknown.status.code(), Some(2), "{error}");
    assert!(error.contains("get-threats") && !error.contains("get-sites"), "{error}");
}

/// Splits a command line at spaces outside of single quotes.
fn split_arguments(line: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => arguments.push(String::new()),
            c => arguments.last_mut().unwrap().push(c),
        }
    }
    arguments
}

/// The example of each integration command builds valid requests.
#[test]
fn help_examples_build_requests() {
    for entry in registry() {
        let arguments = split_arguments(entry.info.example);
        assert_eq!(arguments[..2], ["s1", entry.info.name], "{}", entry.info.example);
        let output = s1().arg("--dry-run").args(&arguments[1..]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {error}", entry.info.example);
        let requests: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(requests.iter().all(|request| request["path"].is_string()), "{}", entry.info.example);
    }
}

/// `s1 sandbox`, stopped when it goes out of scope.
struct RunningSandbox {
    child: Child,
    url: String,
}

impl RunningSandbox {
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

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn running_sandbox_keeps_state_between_invocations() {
    let console = RunningSandbox::start();
    let list = ["get-threats", "--incident-statuses", "unresolved", "--output", "json"];
    let before = json_of(&console.run(&list));
    let id = before["data"][0]["id"].as_str().unwrap();

    let update = ["update-threats-status", "--threat-ids", id, "--status", "resolved", "--output", "json"];
    let response = json_of(&console.run(&update));
    assert_eq!(response["data"]["affected"], 1);
    assert_eq!(response["results"], json!([{ "id": id, "state": "done", "detail": "updated" }]));

    let after = json_of(&console.run(&list));
    assert_eq!(after["pagination"]["totalItems"], before["pagination"]["totalItems"].as_u64().unwrap() - 1);
    let threat = json_of(&console.run(&["get-threats", "--threat-ids", id, "--output", "json"]));
    assert_eq!(threat["data"][0]["threatInfo"]["incidentStatus"], "resolved");

    console.run(&["write-threat-note", "--threat-ids", id, "--note", "Closed by the test."]);
    let notes = json_of(&console.run(&["get-threat-notes", "--threat-id", id, "--output", "context"]));
    assert_eq!(notes["SentinelOne"]["Notes"][0]["Text"], "Closed by the test.");

    let rejected = s1()
        .args(["get-threats", "--console-url", &console.url])
        .env("S1_API_TOKEN", "a-wrong-token")
        .output()
        .unwrap();
    assert_eq!(rejected.status.code(), Some(1));
    let message = String::from_utf8(rejected.stderr).unwrap();
    assert!(message.contains("401") && !message.contains("a-wrong-token"), "{message}");
}

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [base, more].concat()
}

/// Returns arguments of a command for the tenant of the sandbox. `query` is the ID of a finished query.
fn arguments_of(name: &str, query: &str, dir: &str) -> Vec<String> {
    const AGENT: &str = "440000000000000002";
    const SITE: &str = "420000000000000001";
    const HASH: &str = "3395856ce81f2b7382dee72602f798b642f14140";
    const RULE: &[&str] = &[
        "--name=sample",
        "--rule-severity=Low",
        "--expiration-mode=Temporary",
        "--expiration-date=2036-01-01",
        "--query-type=events",
        "--query=FilePath Contains \"x\"",
        "--description=A sample",
        "--network-quarantine=false",
        "--treat-as-threat=Suspicious",
    ];
    const SCRIPT: &[&str] = &[
        "--account-ids=410000000000000001",
        "--output-destination=SentinelCloud",
        "--task-description=a test",
        "--script-id=570000000000000001",
    ];
    let agent = format!("--agent-id={AGENT}");
    let agents = format!("--agent-ids={AGENT}");
    let site = format!("--site-id={SITE}");
    let sites = format!("--site-ids={SITE}");
    let password = "--password=Sample-Pass-1234";
    let query = format!("--query-id={query}");
    let dir = format!("--dir={dir}");
    let period = ["--query=x", "--from-date=2 days", "--to-date=1 day"];
    let arguments: Vec<&str> = match name {
        "add-hash-to-blocklist" => {
            vec!["--sha1=1a75ccc7ee55cd96a1a9b1b8e1a0a4c8f6c3d9e2", "--os-type=windows"]
        }
        "broadcast-message" => vec![&agent, "--message=Please save your work"],
        "connect-agent" | "disconnect-agent" | "get-agent" | "get-agent-mac" => vec![&agent],
        "shutdown-agent" => vec!["--agent-id=440000000000000004"],
        "uninstall-agent" => vec!["--agent-id=440000000000000005"],
        "initiate-endpoint-scan" => vec![&agents],
        "get-installed-applications" => vec!["--agent-ids=440000000000000001"],
        "move-agent" => vec!["--group-id=430000000000000001", "--agents-ids=440000000000000002"],
        "create-ioc" => vec![
            "--name=sample",
            "--source=test",
            "--description=A sample",
            "--external-id=sample-1",
            "--type=IPV4",
            "--method=EQUALS",
            "--valid-until=2036-01-01",
            "--value=203.0.113.7",
            "--account-ids=410000000000000001",
        ],
        "delete-ioc" => vec!["--account-ids=410000000000000001", "--uuids=8eec4ea1276be0206b6353fdf8be8b03"],
        "get-iocs" => vec!["--account-ids=410000000000000001"],
        "create-query" | "create-power-query" => period.to_vec(),
        "get-power-query-results" => with(&period, &["--interval=1", "--timeout=60"]),
        "ping-power-query" => vec!["--query-id=pq"],
        "get-dv-query-status" | "get-processes" => vec![&query],
        "get-events" => vec![&query, "--limit=5"],
        "create-star-rule" => with(RULE, &[&sites]),
        "update-star-rule" => with(RULE, &["--rule-id=540000000000000001", &sites]),
        "enable-star-rules" => vec!["--rule-ids=540000000000000003"],
        "disable-star-rules" => vec!["--rule-ids=540000000000000001"],
        "delete-star-rule" => vec!["--rule-ids=540000000000000002"],
        "create-white-list-item" => vec![
            "--exclusion-type=path",
            "--exclusion-value=/opt/sample",
            "--os-type=linux",
            "--description=A sample",
            &sites,
        ],
        "remove-item-from-whitelist" => vec!["--item=3395856ce81f2b7382dee72602f798b642f14140"],
        "remove-hash-from-blocklist" => {
            vec!["--sha1=1a75ccc7ee55cd96a1a9b1b8e1a0a4c8f6c3d9e2", "--os-type=windows"]
        }
        "delete-group" => vec!["--group-id=430000000000000004"],
        "expire-site" | "get-site" => vec![&site],
        "reactivate-site" => vec![&site, "--unlimited=true"],
        "get-alerts" => vec!["--created-from=3 years"],
        "get-hash" => return vec![format!("--hash={HASH}")],
        "update-alerts-status" => vec!["--alert-ids=530000000000000001", "--status=resolved"],
        "update-alerts-verdict" => vec!["--alert-ids=530000000000000001", "--verdict=suspicious"],
        "run-remote-script" => with(SCRIPT, &[&agents]),
        "remote-script-automate-results" => with(SCRIPT, &[&agents, &dir, "--interval=1", "--timeout=60"]),
        "get-remote-script-task-status" => vec!["--parent-task-id=580000000000000100"],
        "get-remote-script-task-results" => vec!["--task-ids=580000000000000001", &dir],
        "fetch-file" => vec![&agent, "--file-path=/var/log/sample.log", password, &dir],
        "download-fetched-file" => vec![
            "--agent-id=440000000000000002",
            "--activity-id=510000000000000006",
            "--password=Example-Pass-1",
            &dir,
        ],
        "fetch-threat-file" => vec!["--threat-id=460000000000000011", password, &dir],
        "get-threat-notes" => vec!["--threat-id=460000000000000006"],
        "mark-as-threat" => vec!["--threat-ids=460000000000000011", "--target-scope=site"],
        "mitigate-threat" => vec!["--threat-ids=460000000000000011", "--action=kill"],
        "resolve-threat" => vec!["--threat-ids=460000000000000011"],
        "update-threats-status" => vec!["--threat-ids=460000000000000011", "--status=in_progress"],
        "update-threats-verdict" => vec!["--threat-ids=460000000000000011", "--verdict=suspicious"],
        "write-threat-note" => vec!["--threat-ids=460000000000000011", "--note=A sample"],
        "update-threat-incident" => {
            vec!["--incident-status=resolved", "--analyst-verdict=suspicious", "--os-types=linux"]
        }
        "get-remote-data" => vec!["--id=460000000000000011", "--last-update=1 day"],
        "get-modified-remote-data" => vec!["--last-update=3 years"],
        "update-remote-system" => vec![
            "--remote-id=460000000000000011",
            "--incident-changed=true",
            r#"--delta={"sentinelonethreatanalystverdict": "True positive", "sentinelonethreatstatus": "Resolved"}"#,
        ],
        // The other commands are lists without required arguments.
        _ => Vec::new(),
    };
    arguments.into_iter().map(str::to_owned).collect()
}

/// Paths without a value in the sandbox, or only in other cases.
const UNCOVERED: &[(&str, &str)] = &[
    ("update-threat-incident json_body.errors", "no errors occur"),
    (
        "run-remote-script SentinelOne.RunRemoteScript.pendingExecutionId",
        "only for a run that requires an approval",
    ),
];

/// Returns whether a context has a value at a path, in any entry of its lists.
fn has(context: &Value, path: &str) -> bool {
    path.split('.')
        .fold(vec![context], |values, name| {
            let entries = values.into_iter().flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                one => vec![one],
            });
            entries.filter_map(|value| value.get(name)).collect()
        })
        .iter()
        .any(|value| !value.is_null())
}

/// Runs all commands of an API version on a sandbox. Returns the context paths that differ from their declaration, and
/// the operations that each command sent.
fn run_registry(version: &str) -> (Vec<String>, std::collections::BTreeSet<(&'static str, String)>) {
    let (mut wrong, mut sent) = (Vec::new(), std::collections::BTreeSet::new());
    let console = RunningSandbox::start();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let on_version = |name: &str, arguments: &[String]| {
        let recorded = format!("{dir}/recorded/{name}");
        let mut all = vec![name, "--yes", "--api-version", version, "--output", "context"];
        all.extend(["--record", &recorded]);
        all.extend(arguments.iter().map(String::as_str));
        let output = console.run(&all);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{all:?}: {error}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|error| panic!("{all:?}: {error}"))
    };
    let query = on_version("create-query", &arguments_of("create-query", "", dir));
    let query = query["SentinelOne"]["Query"]["QueryID"].as_str().unwrap().to_owned();
    (0..3).for_each(|_| drop(on_version("get-dv-query-status", &[format!("--query-id={query}")])));

    if version == "2.1" {
        query::run_long_running(|name, arguments| on_version(name, arguments));
    }
    let mut run = 0;
    let entries = sentinelone::commands::registry().iter();
    let entries = entries.filter(|entry| entry.info.versions.iter().any(|one| one.as_str() == version));
    // Commands that require a confirmation come last: they remove items that other commands read.
    let (confirmed, others): (Vec<&RegisteredCommand>, Vec<&RegisteredCommand>) =
        entries.partition(|entry| entry.info.requires_confirmation);
    for entry in others.into_iter().chain(confirmed) {
        let name = entry.info.name;
        let arguments = match name {
            "ping-power-query" => {
                let power = on_version("create-power-query", &arguments_of("create-power-query", "", dir));
                let power = power["SentinelOne"]["PowerQuery"]["queryId"].as_str().unwrap().to_owned();
                vec![format!("--query-id={power}")]
            }
            // API 2.0 has no operation for the mirrored fields.
            "update-remote-system" if version == "2.0" => {
                vec!["--remote-id=1".into(), "--incident-changed=false".into()]
            }
            name => arguments_of(name, &query, dir),
        };
        let context = on_version(name, &arguments);
        run += 1;
        // The recordings show the operations that a command sends.
        for entry_dir in std::fs::read_dir(format!("{dir}/recorded/{name}")).unwrap() {
            let operation = entry_dir.unwrap().file_name().into_string().unwrap();
            assert!(entry.info.operations.contains(&operation.as_str()), "{name} sends {operation}");
            sent.insert((name, operation));
        }
        for output in
            entry.outputs.iter().filter(|output| !output.undocumented && output.unavailable.is_none())
        {
            let unavailable = output.unavailable_on.is_some_and(|(on, _)| on.as_str() == version);
            let expected = UNCOVERED.iter().any(|(path, _)| *path == format!("{name} {}", output.path));
            if has(&context, output.path) == (unavailable || expected) {
                wrong.push(format!("{name} {version} {} {:?}", output.path, output.source));
            }
        }
    }
    assert_eq!(run, if version == "2.1" { 64 } else { 34 });
    (wrong, sent)
}

/// Each command of the registry runs on the sandbox with each API version. Each documented context path has a value,
/// or is marked as unavailable on the version.
#[test]
fn registry_commands_run_on_sandbox() {
    let (wrong, sent) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run_registry("2.0"));
        let (mut wrong, mut sent) = run_registry("2.1");
        let (more_wrong, more_sent) = other.join().unwrap();
        wrong.extend(more_wrong);
        sent.extend(more_sent);
        (wrong, sent)
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    let declared = sentinelone::commands::registry().iter();
    let declared = declared
        .flat_map(|entry| entry.info.operations.iter().map(|one| (entry.info.name, (*one).to_owned())));
    // The threat is only read if it has no notes.
    let threat_of_notes = ("get-threat-notes", "threats_list".to_owned());
    let unsent: Vec<_> = declared.filter(|pair| !sent.contains(pair) && *pair != threat_of_notes).collect();
    // A new rule is only read if the response lacks its language. A single account has its own operation. A session is
    // only elevated with a code.
    let expected = [
        ("create-star-rule", "star_rules_list"),
        ("get-accounts", "accounts_get"),
        ("remote-script-automate-results", "users_elevate_session"),
        ("run-remote-script", "users_elevate_session"),
    ];
    assert_eq!(unsent, expected.map(|(name, operation)| (name, operation.to_owned())));
}

/// Console with 2,500 threats. Two fields of the table are empty.
struct LongList {
    /// Number of the first threat that cannot be read.
    fails_at: usize,
}

impl Respond for LongList {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let number = |name: &str| {
            let value = request.url.query_pairs().find(|(one, _)| one == name).map(|(_, value)| value);
            value.map(|value| value.parse::<usize>().unwrap())
        };
        let (from, size) = (number("cursor").unwrap_or(0), number("limit").unwrap());
        if from >= self.fails_at {
            return ResponseTemplate::new(400).set_body_json(
                json!({ "errors": [{ "code": 4000010, "title": "Bad cursor", "detail": "It is too old" }] }),
            );
        }
        let threat = |id: usize| {
            let os = if id.is_multiple_of(2) { "linux" } else { "macos" };
            let name = format!("sample {id:090}");
            json!({
                "id": id.to_string(),
                "threatInfo": { "threatName": name, "classification": "", "engines": ["a", "b"] },
                "agentRealtimeInfo": { "agentComputerName": null, "agentOsType": os },
            })
        };
        let to = (from + size).min(2_500);
        let data: Vec<Value> = (from..to).map(threat).collect();
        let next = (to < 2_500).then(|| to.to_string());
        ResponseTemplate::new(200)
            .set_body_json(json!({ "data": data, "pagination": { "totalItems": 2_500, "nextCursor": next } }))
    }
}

async fn long_list(fails_at: usize) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(LongList { fails_at }).mount(&server).await;
    server
}

fn s1_on(server: &MockServer, arguments: &[&str]) -> Command {
    let mut command = s1();
    command.env("S1_CONSOLE_URL", server.uri()).env("S1_API_TOKEN", "token-of-the-test").args(arguments);
    command
}

async fn cursors(server: &MockServer) -> Vec<Option<String>> {
    let requests = server.received_requests().await.unwrap();
    let cursor = |request: &Request| {
        assert!(request.url.query().unwrap().contains("limit=1000"), "{}", request.url);
        request.url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, value)| value.into_owned())
    };
    requests.iter().map(cursor).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_option_reads_every_page() {
    let server = long_list(usize::MAX).await;
    let threats = json_of(&s1_on(&server, &["get-threats", "--all", "--output", "json"]).output().unwrap());
    assert_eq!(threats["data"].as_array().unwrap().len(), 2_500);
    let lines = s1_on(&server, &["get-threats", "--all", "--output", "ndjson"]).output().unwrap();
    let ids: Vec<String> = String::from_utf8(lines.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, (0..2_500).map(|id| id.to_string()).collect::<Vec<_>>());
    let pages = [None, Some("1000".to_owned()), Some("2000".to_owned())];
    assert_eq!(cursors(&server).await, [pages.clone(), pages].concat(), "three pages per call");
}

/// A paged list accepts `all`, and then uses the largest pages. An action does not.
#[test]
fn all_option_exists_only_for_paged_lists() {
    let mut lists = 0;
    for entry in registry() {
        let arguments = (entry.arguments)();
        if arguments.iter().all(|argument| !argument.accepts_all) {
            let rejected = run(&[entry.info.name, "--all", "--dry-run"]);
            let error = String::from_utf8(rejected.stderr).unwrap();
            assert!(error.contains("unexpected argument '--all'"), "{}: {error}", entry.info.name);
            continue;
        }
        assert!(
            !entry.info.is_action && !entry.info.requires_confirmation && !entry.info.destructive,
            "{}",
            entry.info.name
        );
        for version in entry.info.versions {
            let required = arguments.iter().filter(|argument| argument.required);
            let arguments = required.fold(Arguments::new().with("limit", "all"), |arguments, argument| {
                arguments
                    .with(argument.name, if argument.kind == ArgumentKind::Time { "3 days" } else { "1" })
            });
            for request in entry.prepare(arguments).unwrap().requests(*version).unwrap() {
                let has_cursor = request.operation().query_field("cursor").is_some();
                assert!(has_cursor, "{} on {version}: {}", entry.info.name, request.operation().id);
                let size = request.query().into_iter().find(|(name, _)| name == "limit").unwrap().1;
                assert!(size.parse::<u64>().unwrap() <= 1_000, "{} on {version}: {size}", entry.info.name);
            }
        }
        lists += 1;
    }
    assert_ne!(lists, 0, "no command accepts `all`");
    assert!(run(&["get-threats", "--limit", "all", "--dry-run"]).status.success(), "--limit accepts all");
    let both = run(&["get-threats", "--all", "--limit", "3", "--dry-run"]);
    assert!(
        String::from_utf8(both.stderr).unwrap().contains("'--all' cannot be used with '--limit <NUMBER>'")
    );
}

#[test]
fn ndjson_streaming_equals_buffered_output() {
    let console = RunningSandbox::start();
    let mut found = 0;
    for entry in
        registry().iter().filter(|entry| (entry.arguments)().iter().any(|argument| argument.accepts_all))
    {
        let name = entry.info.name;
        // These commands require a finished query.
        if ["get-events", "get-processes"].contains(&name) {
            continue;
        }
        let arguments = arguments_of(name, "", "");
        let with = |more: &[&str]| {
            let own = arguments.iter().map(String::as_str).filter(|one| !one.starts_with("--limit"));
            let all: Vec<&str> =
                [name, "--output", "ndjson"].into_iter().chain(own).chain(more.iter().copied()).collect();
            let output = console.run(&all);
            assert_eq!(
                (output.status.code(), String::from_utf8(output.stderr).unwrap()),
                (Some(0), String::new()),
                "{name}"
            );
            String::from_utf8(output.stdout).unwrap()
        };
        let (streamed, buffered) = (with(&["--all"]), with(&["--limit", "1000"]));
        assert_eq!(streamed, buffered, "{name}");
        found += streamed.lines().count();
    }
    assert!(found > 30, "{found}");
}

fn header(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line =
        text.lines().nth(1).unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    line.trim_matches(['│', ' ']).split('┆').map(|name| name.trim().to_owned()).collect()
}

/// A column without values is shown only if it is selected.
#[tokio::test(flavor = "multi_thread")]
async fn table_omits_empty_columns() {
    let server = long_list(usize::MAX).await;
    let table = |arguments: &[&str]| {
        s1_on(&server, &[&["get-threats", "--limit", "2"], arguments].concat()).output().unwrap()
    };
    assert_eq!(header(&table(&[])), ["ID", "ThreatName"]);
    assert_eq!(header(&table(&["--columns", "classification,ID"])), ["Classification", "ID"], "selected");
    // Columns of the response, by path; a list is shown as JSON.
    let chosen = table(&["--columns", "agentRealtimeInfo.agentOsType", "--columns", "ID,threatInfo.engines"]);
    assert_eq!(header(&chosen), ["agentRealtimeInfo.agentOsType", "ID", "threatInfo.engines"]);
    let text = String::from_utf8(chosen.stdout).unwrap();
    assert!(text.contains("│ linux                         ┆ 0  ┆ [\"a\",\"b\"]          │"), "{text}");
    assert!(text.ends_with("2 of 2500\n"), "{text}");
}

#[test]
fn columns_option_selects_and_validates() {
    let agent = ["--sandbox", "get-site", "--site-id", "420000000000000001"];
    let one = run(&with(&agent, &["--columns", "Name,accountId"]));
    let text = String::from_utf8(one.stdout).unwrap();
    assert!(text.contains("│ Name      ┆ Head Office        │") && text.contains("│ AccountID ┆"), "{text}");
    let action =
        ["--sandbox", "update-threats-status", "--threat-ids", "460000000000000011", "--status", "resolved"];
    assert_eq!(header(&run(&with(&action, &["--columns", "result,id"]))), ["Result", "ID"]);
    // A selected column is shown without values.
    let scan = ["--sandbox", "--yes", "initiate-endpoint-scan", "--agent-ids", "440000000000000001"];
    assert_eq!(header(&run(&scan)), ["ID", "Result"]);
    assert_eq!(header(&run(&with(&scan, &["--columns", "detail,id"]))), ["Detail", "ID"]);
    let empty = run(&["--sandbox", "get-threats", "--query", "nothing has this", "--columns", "Nme"]);
    assert_eq!(
        (empty.status.code(), String::from_utf8(empty.stdout).unwrap()),
        (Some(0), "0 found\n".into())
    );
    // The argument `columns` of a command keeps its meaning, also before the command.
    let agents = run(&["--sandbox", "--columns", "uuid", "list-agents"]);
    assert!(header(&agents).len() > 3 && header(&agents).last().unwrap() == "uuid");

    let mut all = String::new();
    for arguments in [
        with(&["--sandbox", "get-threats"], &["--columns", "ThretName"]),
        with(&["--sandbox", "get-threats"], &["--columns", "ID", "--output", "json"]),
        with(&["--sandbox", "get-threats"], &["--columns", "ID,"]),
        with(&action, &["--columns", "Resul"]),
        with(&["--sandbox", "token"], &["--columns", "ID"]),
        with(&["--sandbox", "get-mapping-fields"], &["--columns", "ID"]),
        with(&["--sandbox", "get-remote-script-task-results", "--task-ids", "1"], &["--columns", "filNam"]),
        with(&["--sandbox", "get-threats"], &["--incident-statuses", "resolvd"]),
        with(&["--sandbox", "get-threats"], &["--incident-status", "resolved"]),
        with(&["--sandbox", "get-theats"], &[]),
        with(&["--sandbox", "get-threats"], &["--output", "jsn"]),
    ] {
        let output = run(&arguments);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        all.push_str(&transcript(&arguments));
        all.push('\n');
    }
    insta::assert_snapshot!("suggestions", all);
}

#[test]
fn piped_output_has_no_colors() {
    for arguments in [&["--help"][..], &["unheard-of"], &["--sandbox", "--log-level", "info", "get-threats"]]
    {
        let output = s1()
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor")
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{arguments:?}");
    }
}

#[cfg(unix)]
/// Returns a console that responds with this body.
async fn console_with(body: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn repaired_response_exits_0_and_invalid_item_exits_3() {
    let repaired = console_with(r#"{"data": [{"id": "1", "a": "\ud800"}, {"id": "2", "b": NaN}]}"#).await;
    let invalid = console_with(r#"{"data": [{"id": "1"}, {"id": "2", "path": "C:\q"}]}"#).await;
    let only = console_with(r#"{"data": [{"id": "2", "path": "C:\q"}]}"#).await;
    let cut = console_with(r#"{"data": [{"id": "1", "a": "\ud800"}, {"id": "2""#).await;
    let run = |server: &MockServer| {
        let arguments = ["get-threats", "--output", "ndjson"];
        let output = tokio::task::block_in_place(|| s1_on(server, &arguments).output().unwrap());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let warning = "warning: get-threats: the response is not valid JSON at";
    let (code, out, err) = run(&repaired);
    assert_eq!(
        (code, out.as_str()),
        (0, "{\"id\": \"1\", \"a\": \"\\ufffd\"}\n{\"id\": \"2\", \"b\": null}\n"),
        "{err}"
    );
    let surrogate = format!("{warning} data[0].a (ID 1): unpaired surrogate \\ud800 replaced by U+FFFD\n");
    assert_eq!(err, format!("{surrogate}{warning} data[1].b (ID 2): NaN replaced by null\n"));
    let set_apart =
        |index| format!("{warning} data[{index}] (ID 2): item set apart: invalid escape \\q at path\n");
    assert_eq!(run(&invalid), (3, "{\"id\": \"1\"}\n".to_owned(), set_apart(1)));
    assert_eq!(run(&only), (3, String::new(), set_apart(0)));
    let (code, out, _) = run(&cut);
    assert_eq!((code, out.as_str()), (1, ""), "a part of a page is not a page");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_any_size_keep_their_digits() {
    let numbers = [
        "18446744073709551616123",
        "18446744073709551616124",
        "-9223372036854775809999",
        "0.1234567890123456789012",
        "1.10",
    ];
    let members: Vec<_> =
        numbers.iter().enumerate().map(|(index, number)| format!("\"n{index}\":{number}")).collect();
    let item = format!("{{\"id\":\"1\",\"agentDetectionInfo\":{{{}}}}}", members.join(","));
    let server = console_with(&format!("{{\"data\":[{item}],\"pagination\":{{\"totalItems\":1}}}}")).await;
    for format in ["json", "ndjson"] {
        let arguments = ["get-threats", "--output", format];
        let output = tokio::task::block_in_place(|| s1_on(&server, &arguments).output().unwrap());
        let text = String::from_utf8(output.stdout).unwrap();
        let compact: String = text.split_whitespace().collect();
        assert!(compact.contains(&item), "{format}: {text}");
    }
    // The context has the number of a documented field.
    let agent = format!(r#"{{"data":{{"id":{},"computerName":"web-01"}}}}"#, numbers[0]);
    let server = console_with(&agent.replace("{\"id\"", "[{\"id\"").replace("}}", "}]}")).await;
    let arguments = ["list-agents", "--output", "context"];
    let output = tokio::task::block_in_place(|| s1_on(&server, &arguments).output().unwrap());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("\"ID\": {}", numbers[0])), "{text}");
}

#[test]
fn completions_are_valid_scripts() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        let text = String::from_utf8(script.stdout).unwrap();
        assert!(script.status.success() && text.contains("update-threat-incident"), "{shell}");
        if shell == "bash" {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let parsed = Command::new("bash").arg("-n").arg(file.path()).output().unwrap();
            assert!(parsed.status.success() && parsed.stderr.is_empty(), "{parsed:?}");
        }
    }
    assert_eq!(run(&["completions", "tcsh"]).status.code(), Some(2));
}

/// Each command has a page, and no line of text is a control line.
#[test]
fn man_writes_a_page_per_command() {
    const INSTRUCTIONS: &[&str] =
        &["TH", "SH", "SS", "TP", "PP", "IP", "RS", "RE", "br", "ie", "el", "ds", "nf", "fi"];
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("man1");
    assert!(run(&["man", "--out-dir", out.to_str().unwrap()]).status.success());
    let main = String::from_utf8(run(&["man"]).stdout).unwrap();
    assert_eq!(std::fs::read_to_string(out.join("s1.1")).unwrap(), main);
    for entry in registry() {
        assert!(out.join(format!("s1-{}.1", entry.info.name)).exists(), "{}", entry.info.name);
    }
    for page in std::fs::read_dir(&out).unwrap() {
        let page = page.unwrap().path();
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.contains(".TH s1") && text.contains(".SH NAME"), "{}", page.display());
        for line in text.lines().filter(|line| line.starts_with(['.', '\''])) {
            let instruction = line[1..].split_whitespace().next().unwrap_or_default();
            assert!(INSTRUCTIONS.contains(&instruction), "{}: {line}", page.display());
        }
    }
}
