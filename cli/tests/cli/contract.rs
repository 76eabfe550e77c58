//! `s1 contract verify`: validation of exchanges in files, with exit codes for scripts.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::run;

fn verify(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(["contract", "verify"]).args(args).output();
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Returns the summary line.
fn total(exchanges: usize, contradictions: usize, new: usize, unknown: usize) -> String {
    format!(
        "exchanges: {exchanges}, errors: {contradictions}, drift: {new}, exchanges of undeclared operations: \
         {unknown}\n"
    )
}

fn fixtures() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("fixtures")
}

/// Creates a directory with a changed exchange of `threats_list`.
fn changed_exchange(change: impl FnOnce(&mut Value)) -> (TempDir, String) {
    let mut exchange = json!({
        "operation": "GET /web/api/v2.1/threats",
        "request": { "query": { "limit": "10" } },
        "status": 200,
        "response": { "data": [{ "id": "1", "threatInfo": { "sha1": "a" } }], "pagination": { "totalItems": 1 } },
        "provenance": { "kind": "sandbox", "source": "this test" },
    });
    change(&mut exchange);
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("below")).unwrap();
    std::fs::write(dir.path().join("below").join("one.json"), exchange.to_string()).unwrap();
    let path = dir.path().to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn verify_conforming_exchanges_exits_0() {
    let (code, out, err) = verify(&[fixtures().to_str().unwrap()]);
    assert_eq!(code, 0, "{out}{err}");
    let last = out.lines().last().unwrap();
    assert!(last.contains(", errors: 0, "), "{last}");
    assert!(!last.starts_with("exchanges: 0,"), "{last}");

    let (_dir, path) = changed_exchange(|_| {});
    let expected = total(1, 0, 0, 0);
    assert_eq!(verify(&[&path]), (0, expected.clone(), String::new()));
    let file = format!("{path}/below/one.json");
    assert_eq!(verify(&[&path, &file]).1, expected, "a file that is passed twice counts once");
    assert_eq!(verify(&[&path, "--output", "json"]).1.trim(), "[]");
}

#[test]
fn verify_drift_is_reported_and_exits_0() {
    let (_dir, path) = changed_exchange(|exchange| exchange["response"]["data"][0]["mood"] = json!("calm"));
    let (code, out, _) = verify(&[&path]);
    assert_eq!(code, 0);
    let expected = format!(
        "{path}/below/one.json: threats_list: response.body.data[0].mood: undeclared field: the specification has no such \
         field\n{}",
        total(1, 0, 1, 0)
    );
    assert_eq!(out, expected);
}

#[test]
fn verify_schema_violation_exits_1() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str, &str); 4] = [
        (|one| one["response"]["data"][0]["id"] = json!(7), "response.body.data[0].id", "type_mismatch"),
        (|one| one["request"]["query"]["mood"] = json!("x"), "request.query.mood", "undeclared_parameter"),
        // An undeclared enum value is drift in a response, and an error in a request.
        (
            |one| one["request"]["query"]["sortBy"] = json!("mood"),
            "request.query.sortBy",
            "undeclared_enum_value",
        ),
        (
            |one| one["response"]["data"][0]["apiToken"] = json!("abc"),
            "response.body.data[0].apiToken",
            "unredacted_secret",
        ),
    ];
    for (change, location, rule) in changes {
        let (_dir, path) = changed_exchange(change);
        let (code, out, err) = verify(&["--output", "json", &path]);
        assert_eq!(code, 1, "{out}{err}");
        let findings: Vec<Value> = serde_json::from_str(&out).unwrap();
        let finding = findings.iter().find(|finding| finding["severity"] == "error").unwrap();
        let names: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        let expected =
            ["file", "operation", "location", "part", "path", "rule", "severity", "denied", "message"];
        assert_eq!(names, expected);
        assert_eq!((&finding["operation"], &finding["denied"]), (&json!("threats_list"), &json!(true)));
        assert_eq!((&finding["location"], &finding["rule"]), (&json!(location), &json!(rule)));
        assert_eq!(finding["file"], json!(format!("{path}/below/one.json")));

        let (code, lines, _) = verify(&["--output", "ndjson", &path]);
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((code, lines), (1, findings));
    }
}

/// The finding of a secret does not quote it.
#[test]
fn verify_reports_secrets_without_quoting_them() {
    let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzYW1wbGUifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";
    let password = "Ex4mple-Pass";
    let (_dir, path) = changed_exchange(|one| {
        one["operation"] = json!("POST /web/api/v2.1/agents/{agent_id}/actions/fetch-files");
        one["request"] = json!({
            "path": "/web/api/v2.1/agents/190000000000000515/actions/fetch-files",
            "body": { "data": { "password": password, "files": [format!("x {jwt}")] } },
        });
        one["headers"] = json!({ "Authorization": "ApiToken abc" });
        one["response"] = json!({ "data": { "success": true } });
    });
    let (code, out, _) = verify(&[&path]);
    assert_eq!(code, 1);
    assert!(!out.contains(jwt) && !out.contains(password), "{out}");
    for location in
        ["request.body.data.password", "request.body.data.files[0]", "response.headers.Authorization"]
    {
        assert!(out.contains(&format!("{location}: unredacted secret: ")), "{location}: {out}");
    }

    let composed = std::fs::read_to_string(format!("{path}/below/one.json")).unwrap();
    std::fs::write(format!("{path}/below/one.json"), composed.replace("\"sandbox\"", "\"composed\""))
        .unwrap();
    assert_eq!(verify(&[&path]).0, 0, "a composed fixture is not scanned for secrets");
}

/// Exchanges of undeclared operations are not validated. They are grouped by operation at the end.
#[test]
fn verify_counts_undeclared_operations() {
    let (dir, path) = changed_exchange(|one| one["operation"] = json!("GET /web/api/v2.1/moods/{mood_id}"));
    std::fs::copy(dir.path().join("below/one.json"), dir.path().join("two.JSON")).unwrap();
    let expected = format!(
        "undeclared operations, not validated (exchanges: 2):\n  GET /web/api/v2.1/moods/{{mood_id}} (2)\n{}",
        total(2, 0, 0, 2)
    );
    assert_eq!(verify(&[&path]), (0, expected, String::new()));
    let (code, out, _) = verify(&[&path, "--deny", "undeclared_operation"]);
    assert_eq!(code, 1);
    assert!(out.contains("two.JSON: GET /web/api/v2.1/moods/{mood_id}: request.path: undeclared operation"));
}

#[test]
fn verify_deny_flag_controls_exit_code() {
    let drift: fn(&mut Value) = |one| one["response"]["data"][0]["mood"] = json!("calm");
    let wrong: fn(&mut Value) = |one| one["response"]["data"][0]["id"] = json!(7);
    let undeclared: fn(&mut Value) = |one| one["operation"] = json!("GET /web/api/v2.1/moods");
    for (deny, [drift_code, wrong_code, undeclared_code]) in [
        (&["error"][..], [0, 1, 0]),
        (&["drift"], [1, 1, 0]),
        (&["all"], [1, 1, 1]),
        (&["none"], [0, 0, 0]),
        (&["undeclared_field"], [1, 0, 0]),
        (&["undeclared_enum_value,type_mismatch", "undeclared_operation"], [0, 1, 1]),
    ] {
        for (change, expected) in [(drift, drift_code), (wrong, wrong_code), (undeclared, undeclared_code)] {
            let (_dir, path) = changed_exchange(change);
            let mut args = vec![path.as_str()];
            deny.iter().for_each(|rules| args.extend(["--deny", rules]));
            assert_eq!(verify(&args).0, expected, "{deny:?}");
        }
    }
    let (_dir, path) = changed_exchange(|_| {});
    let (code, out, err) = verify(&[&path, "--deny", "moods"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("undeclared_field") && err.contains("drift"), "{err}");
}

/// Equal findings of the items of a page are grouped in text output and complete in ndjson.
#[test]
fn verify_groups_repeated_findings() {
    let (_dir, path) = changed_exchange(|one| {
        let item = json!({ "id": "1", "mood": "calm" });
        one["response"]["data"] = (0..500).map(|_| item.clone()).collect();
    });
    let (_, out, _) = verify(&[&path]);
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(
        out.contains("response.body.data[0].mood: ") && out.contains("first of 500 occurrences"),
        "{out}"
    );
    let (_, out, _) = verify(&[&path, "--format", "ndjson"]);
    assert_eq!(out.lines().count(), 500);
}

#[test]
fn github_format_writes_annotations() {
    let (dir, _path) = changed_exchange(|one| {
        one["response"]["data"][0]["mood"] = json!("calm");
        one["response"]["data"][0]["threatInfo"]["incidentStatus"] = json!("100%\n::warning ::x");
        one["response"]["data"][0]["threatInfo"]["sha1"] = json!(7);
    });
    std::fs::rename(dir.path().join("below"), dir.path().join("a, b: c")).unwrap();
    let path = dir.path().to_str().unwrap();
    let (code, out, err) = verify(&[path, "--format", "github"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let file = format!("file={}/a%2C b%3A c/one.json,line=1", path.replace(':', "%3A"));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    let contains = |line: &str| lines.iter().any(|one| one.starts_with(line));
    assert!(contains(&format!(
        "::error {file},title=threats_list%3A type mismatch::response.body.data[0].threatInfo.sha1: "
    )));
    assert!(contains(&format!(
        "::warning {file},title=threats_list%3A undeclared field::response.body.data[0].mood: "
    )));
    let status =
        "undeclared enum value::response.body.data[0].threatInfo.incidentStatus: \"100%25\\n::warning ::x\"";
    assert!(contains(&format!("::warning {file},title=threats_list%3A {status}")), "{out}");
    assert!(contains("exchanges: 1, errors: 1, "));
}

/// Strings in recordings cannot inject workflow commands.
#[test]
fn github_format_escapes_workflow_commands() {
    let dir = TempDir::new().unwrap();
    let operation = "::set-output name=a::b /web/api/v2.1/x";
    let exchange = json!({ "operation": operation, "status": 200, "source": "x" });
    std::fs::write(dir.path().join("one.json"), exchange.to_string()).unwrap();
    let har = json!({ "log": { "entries": [{
        "request": { "method": "::stop-commands::x", "url": "https://console.example.com/web/api/v2.1/y" },
        "response": { "status": 200 },
    }] } });
    std::fs::write(dir.path().join("two.har"), har.to_string()).unwrap();
    std::fs::write(dir.path().join("three.json"), r#"{ "log": { "level": "info" } }"#).unwrap();
    let path = dir.path().to_str().unwrap();
    let (code, out, _) = verify(&[path, "--format", "github"]);
    assert_eq!(code, 0, "{out}");
    for line in out.lines() {
        let command = line.trim_start().strip_prefix("::").and_then(|rest| rest.split([' ', ':']).next());
        assert!(matches!(command, None | Some("notice")), "{line}");
    }
    assert_eq!(out.matches("title=undeclared operation::").count(), 2, "{out}");
    assert!(out.contains("skipped files: 1"), "JSON with a `log` that is not a HAR file: {out}");

    // A usage error has no output, also with --format json.
    let empty = TempDir::new().unwrap();
    let other = r#"{ "log": { "entries": [{ "request": { "url": "https://elsewhere.example.com/" } }] } }"#;
    std::fs::write(empty.path().join("other.har"), other).unwrap();
    let (code, out, _) = verify(&[empty.path().to_str().unwrap(), "--format", "json"]);
    assert_eq!((code, out.as_str()), (2, ""));
    // The error of an invalid file does not quote its content.
    std::fs::write(empty.path().join("typed.json"), r#"{ "operation": "GET /x", "status": "secret-word" }"#)
        .unwrap();
    let (code, out, err) = verify(&[empty.path().to_str().unwrap()]);
    assert_eq!(code, 2, "{out}");
    assert!(err.contains("typed.json: unreadable") && !err.contains("secret-word"), "{err}");
}

/// Other files are skipped. Broken files are reported, and the remaining files are checked.
#[test]
fn verify_skips_other_files_and_reports_broken_ones() {
    let (dir, path) = changed_exchange(|_| {});
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("package.json", r#"{ "name": "web" }"#);
    write("list.json", "[1, 2]");
    write("notes.md", "{");
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    let (code, out, err) = verify(&[&path]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(out, total(1, 0, 0, 0).replace('\n', ", skipped files: 2\n"));
    assert!(err.contains("package.json: skipped: neither") && err.contains("list.json: skipped"));
    assert!(!err.contains("notes.md"));

    // An exchange with a byte order mark, as some editors write it, is read.
    let one = std::fs::read_to_string(dir.path().join("below/one.json")).unwrap();
    write("marked and spaced.json", &format!("\u{feff}{one}"));
    write("cut off.json", &one[..one.len() / 2]);
    write("typed.json", r#"{ "operation": "GET /web/api/v2.1/threats", "status": "x" }"#);
    let (code, out, err) = verify(&[&path]);
    assert_eq!(code, 2, "{err}");
    assert!(out.starts_with("exchanges: 2, "), "{out}");
    assert!(out.ends_with(", skipped files: 2, unreadable files: 2\n"), "{out}");
    assert!(err.contains("cut off.json: unreadable") && err.contains("typed.json: unreadable"), "{err}");
    let (_, out, err) = verify(&[&path, "--format", "github"]);
    assert_eq!(err, "");
    assert!(out.contains("cut off.json,line=1,title=unreadable::"), "{out}");
}

#[test]
fn verify_invalid_usage_exits_2() {
    let empty = TempDir::new().unwrap();
    let (dir, path) = changed_exchange(|_| {});
    let other = dir.path().join("other.json");
    std::fs::write(&other, "{}").unwrap();
    let empty = empty.path().to_str().unwrap();
    let missing = format!("{empty}/missing.json");
    let (missing, path) = (missing.as_str(), path.as_str());
    let other = other.to_str().unwrap();
    for args in [
        &[][..],
        &[missing],
        &[path, missing],
        &[empty],
        &[other],
        &[other, "--format", "json"],
        &[path, "--output", "context"],
        &[path, "--format", "xml"],
    ] {
        let (code, out, err) = verify(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(!err.is_empty());
    }
    assert!(verify(&[path, missing]).2.contains("missing.json"), "the message names the missing file");
}

/// Returns a HAR entry with the other members that browsers write.
fn entry(url: &str, body: &str) -> Value {
    json!({
        "startedDateTime": "2026-11-21T10:00:00.000Z",
        "time": 12.5,
        "request": {
            "method": "GET", "url": url, "httpVersion": "http/2.0", "queryString": [], "cookies": [],
            "headers": [{ "name": "authorization", "value": "ApiToken s3cret-of-the-test" }],
        },
        "response": {
            "status": 200, "statusText": "", "headers": [], "cookies": [],
            "content": { "size": body.len(), "mimeType": "application/json", "text": body },
        },
        "cache": {}, "timings": {},
    })
}

#[test]
fn verify_har_hides_token() {
    let dir = TempDir::new().unwrap();
    let url = "https://console.example.com/web/api/v2.1/threats?limit=10&moods=a%20b";
    let body = json!({ "data": [{ "id": "1", "mood": "calm" }], "pagination": { "totalItems": 1 } });
    let entries = [
        entry("https://console.example.com/assets/app.js", "let x = 1"),
        entry(url, &body.to_string()),
        entry("https://telemetry.example.com/v1", "{}"),
        json!({ "request": 7 }),
    ];
    let har = json!({ "log": { "version": "1.2", "creator": {}, "entries": entries } });
    let write = |name: &str| std::fs::write(dir.path().join(name), format!("\u{feff}{har}")).unwrap();
    write("session of today.har");
    write("exported.json");
    let path = dir.path().to_str().unwrap();
    let (code, out, err) = verify(&[path]);
    assert_eq!(code, 1, "{err}");
    let output = out.clone() + &err;
    assert!(!output.contains("s3cret"), "{output}");
    for line in [
        "session of today.har: entry 2: threats_list: request.query.moods: undeclared parameter: ",
        "exported.json: entry 2: threats_list: response.body.data[0].mood: undeclared field: ",
        "exported.json: request.headers.authorization: unredacted secret: the header contains a secret, in 1 entry",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(err.contains("entries that are not HAR 1.2: 1"), "{err}");
    let last = "exchanges: 2, errors: 4, drift: 2, exchanges of undeclared operations: 0, \
                skipped HAR entries: 4, \
                unreadable files: 2\n";
    assert!(out.ends_with(last), "{out}");
    let (_, out, _) = verify(&[path, "--format", "ndjson"]);
    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(first["entry"], 2);

    // A session without an API call has no exchange to check.
    let har = json!({ "log": { "entries": [entry("https://console.example.com/login", "")] } });
    std::fs::write(dir.path().join("session of today.har"), har.to_string()).unwrap();
    let (code, out, err) = verify(&[dir.path().join("session of today.har").to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("no HAR entry has a path below"), "{err}");
}

/// A large HAR file is read with little memory: 5 MB, or the number of megabytes in `S1_TEST_HAR_MB`.
#[cfg(target_os = "linux")]
#[test]
fn verify_large_har_needs_little_memory() {
    use std::io::Write;
    let megabytes: usize =
        std::env::var("S1_TEST_HAR_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("large.har");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let data: Vec<Value> = (0..100).map(|id| json!({ "id": id.to_string() })).collect();
    let body = json!({ "data": data, "pagination": { "totalItems": 100 } }).to_string();
    let threats = entry("https://console.example.com/web/api/v2.1/threats?limit=100", &body).to_string();
    let script = entry("https://console.example.com/app.js", &"x".repeat(100_000)).to_string();
    file.write_all(br#"{"log": {"entries": ["#).unwrap();
    let (mut written, mut calls) = (0, 0);
    while written < megabytes * 1_000_000 {
        if calls > 0 {
            file.write_all(b",\n").unwrap();
        }
        write!(file, "{threats},{script}").unwrap();
        written += threats.len() + script.len();
        calls += 1;
    }
    file.write_all(b"]}}").unwrap();
    file.into_inner().unwrap();
    // ulimit bounds the address space; threads and code use some hundred megabytes of it.
    let program = env!("CARGO_BIN_EXE_s1");
    let command =
        format!("ulimit -v 400000; exec '{program}' contract verify --deny none '{}'", path.display());
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.contains(&format!("exchanges: {calls}, errors: 1, ")), "{out}");
}

#[test]
fn record_with_dry_run_exits_2() {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("recorded");
    for args in [["--record", "x", "--dry-run", "get-threats"], ["get-threats", "--dry-run", "--record", "x"]]
    {
        let args = args.map(|one| if one == "x" { target.to_str().unwrap() } else { one });
        let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("--record"));
    }
    assert!(!target.exists());
}

/// Two runs with the same token: the second uses an ID of the first. The recordings conform, and their IDs match.
#[test]
fn record_sandbox_calls_conform_to_contract() {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("recorded");
    let path = target.to_str().unwrap();
    let record = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_s1"))
            .args(["--sandbox", "--record", path])
            .args(args)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let id = "460000000000000011";
    let (code, stderr) = record(&["get-threats", "--threat-ids", id]);
    assert_eq!(code, 0);
    assert!(stderr.contains(&format!("1 exchange recorded in {path}")), "{stderr}");
    assert_eq!(record(&["update-threats-status", "--threat-ids", id, "--status", "resolved"]).0, 0);
    assert_eq!(record(&["get-threats", "--threat-ids", id]).0, 0);

    assert_eq!(verify(&[path]), (0, total(3, 0, 0, 0), "".into()));
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(target.join(name)).unwrap();
        assert!(!text.contains(id) && !text.contains("sandbox-token"), "{text}");
        serde_json::from_str(&text).unwrap()
    };
    let (first, second) = (read("threats_list/001-200.json"), read("threats_list/002-200.json"));
    let listed = &first["response"]["data"][0]["id"];
    assert_eq!(&first["request"]["query"]["ids"], listed);
    assert_eq!(&second["request"]["query"]["ids"], listed, "equal in another run");
    assert_eq!(&read("threats_update_incident/001-200.json")["request"]["body"]["filter"]["ids"][0], listed);
    assert_eq!(first["provenance"]["kind"], "sandbox");

    // A running sandbox has the provenance `sandbox`, too, although it is used by its URL.
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_s1"))
        .args(["sandbox"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(sandbox.stdout.take().unwrap()));
    while url.is_empty() {
        let line = lines.next().unwrap().unwrap();
        url = line.strip_prefix("export S1_CONSOLE_URL=").unwrap_or_default().to_owned();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_s1"))
        .args(["--console-url", &url, "--record", path, "get-sites"])
        .env("S1_API_TOKEN", "sandbox-token")
        .output();
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert!(output.unwrap().status.success());
    assert_eq!(read("sites_list/001-200.json")["provenance"]["kind"], "sandbox");

    // A recording error is a failure, although the command succeeded.
    std::fs::write(target.join("agents_list"), "").unwrap();
    let (code, stderr) = record(&["list-agents"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("error: not recorded: "), "{stderr}");
    std::fs::write(dir.path().join("file"), "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_s1"))
        .args(["--sandbox", "get-threats", "--record", dir.path().join("file").to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "no request is sent");
}

#[test]
fn verify_names_the_operations_that_end() {
    let dir = tempfile::tempdir().unwrap();
    let recorded = dir.path().to_str().unwrap();
    let period = ["--query", "x", "--from-date", "2 days", "--to-date", "1 day", "--record", recorded];
    assert!(run(&[&["--sandbox", "create-query"], &period[..]].concat()).status.success());
    let text = run(&["contract", "verify", recorded]);
    let text = String::from_utf8(text.stdout).unwrap();
    let line = "announced end: POST /web/api/v{version}/dv/init-query ends on 2027-02-15; replaced by \
                long-running queries (`POST /sdl/v2/api/queries`) (exchanges: 1)\n";
    assert!(text.starts_with(line) && text.contains("errors: 0, drift: 0"), "{text}");
    let annotations = run(&["contract", "verify", recorded, "--format", "github"]);
    let annotations = String::from_utf8(annotations.stdout).unwrap();
    assert!(annotations.starts_with("::notice title=announced end::POST "), "{annotations}");
    let json = run(&["contract", "verify", recorded, "--format", "json"]);
    assert_eq!(String::from_utf8(json.stdout).unwrap(), "[]\n");
}
