//! `s1 contract verify`: exchanges in files against the specification, with exit codes for scripts.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

fn verify(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(["contract", "verify"]).args(arguments).output();
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The last line.
fn total(exchanges: usize, contradictions: usize, new: usize, unknown: usize) -> String {
    format!(
        "exchanges: {exchanges}, contradictions: {contradictions}, new to the specification: {new}, of unknown \
         operations: {unknown}\n"
    )
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A folder with one exchange, the first of threats, after a change to it.
fn changed(change: impl FnOnce(&mut Value)) -> (TempDir, String) {
    let mut exchange = json!({
        "operation": "GET /web/api/v2.1/threats",
        "request": { "query": { "limit": "10" } },
        "status": 200,
        "response": { "data": [{ "id": "1", "threatInfo": { "sha1": "a" } }], "pagination": { "totalItems": 1 } },
        "provenance": { "kind": "sandbox", "source": "this test" },
    });
    change(&mut exchange);
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    std::fs::write(folder.path().join("below").join("one.json"), exchange.to_string()).unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn what_keeps_the_contract_passes() {
    let (code, out, err) = verify(&[fixtures().to_str().unwrap()]);
    assert_eq!(code, 0, "{out}{err}");
    let last = out.lines().last().unwrap();
    assert!(last.contains(", contradictions: 0, "), "{last}");
    assert!(!last.starts_with("exchanges: 0,"), "{last}");

    let (_folder, path) = changed(|_| {});
    let expected = total(1, 0, 0, 0);
    assert_eq!(verify(&[&path]), (0, expected.clone(), String::new()));
    let file = format!("{path}/below/one.json");
    assert_eq!(verify(&[&path, &file]).1, expected, "a file that is named twice counts once");
    assert_eq!(verify(&[&path, "--output", "json"]).1.trim(), "[]");
}

#[test]
fn what_is_new_is_reported_and_passes() {
    let (_folder, path) = changed(|exchange| exchange["response"]["data"][0]["mood"] = json!("calm"));
    let (code, out, _) = verify(&[&path]);
    assert_eq!(code, 0);
    let expected = format!(
        "{path}/below/one.json: threats_list: answer.data[0].mood: undeclared field: the specification has no such \
         field\n{}",
        total(1, 0, 1, 0)
    );
    assert_eq!(out, expected);
}

#[test]
fn what_contradicts_the_specification_fails() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str, &str); 4] = [
        (|one| one["response"]["data"][0]["id"] = json!(7), "answer.data[0].id", "wrong_type"),
        (|one| one["request"]["query"]["mood"] = json!("x"), "request.query.mood", "undeclared_parameter"),
        // What is new in an answer is wrong in a request.
        (
            |one| one["request"]["query"]["sortBy"] = json!("mood"),
            "request.query.sortBy",
            "undeclared_enum_value",
        ),
        (|one| one["response"]["data"][0]["apiToken"] = json!("abc"), "answer.data[0].apiToken", "secret"),
    ];
    for (change, place, rule) in changes {
        let (_folder, path) = changed(change);
        let (code, out, err) = verify(&["--output", "json", &path]);
        assert_eq!(code, 1, "{out}{err}");
        let findings: Vec<Value> = serde_json::from_str(&out).unwrap();
        let finding = findings.iter().find(|finding| finding["severity"] == "error").unwrap();
        let names: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        let expected =
            ["file", "operation", "place", "part", "path", "rule", "severity", "denied", "message"];
        assert_eq!(names, expected);
        assert_eq!((&finding["operation"], &finding["denied"]), (&json!("threats_list"), &json!(true)));
        assert_eq!((&finding["place"], &finding["rule"]), (&json!(place), &json!(rule)));
        assert_eq!(finding["file"], json!(format!("{path}/below/one.json")));

        let (code, lines, _) = verify(&["--output", "ndjson", &path]);
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((code, lines), (1, findings));
    }
}

/// A secret is not quoted by what reports it.
#[test]
fn secrets_in_recordings_are_found_and_not_shown() {
    let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzYW1wbGUifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";
    let hidden = "Ex4mple-Pass";
    let (_folder, path) = changed(|one| {
        one["operation"] = json!("POST /web/api/v2.1/agents/{agent_id}/actions/fetch-files");
        one["request"] = json!({
            "path": "/web/api/v2.1/agents/190000000000000515/actions/fetch-files",
            "body": { "data": { "password": hidden, "files": [format!("x {jwt}")] } },
        });
        one["headers"] = json!({ "Authorization": "ApiToken abc" });
        one["response"] = json!({ "data": { "success": true } });
    });
    let (code, out, _) = verify(&[&path]);
    assert_eq!(code, 1);
    assert!(!out.contains(jwt) && !out.contains(hidden), "{out}");
    for place in ["request.body.data.password", "request.body.data.files[0]", "answer.headers.Authorization"]
    {
        assert!(out.contains(&format!("{place}: secret: ")), "{place}: {out}");
    }

    let composed = std::fs::read_to_string(format!("{path}/below/one.json")).unwrap();
    std::fs::write(format!("{path}/below/one.json"), composed.replace("\"sandbox\"", "\"composed\""))
        .unwrap();
    assert_eq!(verify(&[&path]).0, 0, "what somebody wrote holds no secret of anybody");
}

/// What the specification does not have cannot contradict it. It is told together, by what was asked.
#[test]
fn operations_that_are_unknown_are_counted() {
    let (folder, path) = changed(|one| one["operation"] = json!("GET /web/api/v2.1/moods/{mood_id}"));
    std::fs::copy(folder.path().join("below/one.json"), folder.path().join("two.JSON")).unwrap();
    let expected = format!(
        "not in the specification, and not checked (2 exchanges):\n  GET /web/api/v2.1/moods/{{mood_id}} (2)\n{}",
        total(2, 0, 0, 2)
    );
    assert_eq!(verify(&[&path]), (0, expected, String::new()));
    let (code, out, _) = verify(&[&path, "--deny", "undeclared_operation"]);
    assert_eq!(code, 1);
    assert!(out.contains("two.JSON: GET /web/api/v2.1/moods/{mood_id}: request.path: undeclared operation"));
}

#[test]
fn what_is_denied_is_what_was_said() {
    let new: fn(&mut Value) = |one| one["response"]["data"][0]["mood"] = json!("calm");
    let wrong: fn(&mut Value) = |one| one["response"]["data"][0]["id"] = json!(7);
    let unknown: fn(&mut Value) = |one| one["operation"] = json!("GET /web/api/v2.1/moods");
    for (deny, [new_code, wrong_code, unknown_code]) in [
        (&["error"][..], [0, 1, 0]),
        (&["drift"], [1, 1, 0]),
        (&["all"], [1, 1, 1]),
        (&["none"], [0, 0, 0]),
        (&["undeclared_field"], [1, 0, 0]),
        (&["undeclared_enum_value,wrong_type", "undeclared_operation"], [0, 1, 1]),
    ] {
        for (change, expected) in [(new, new_code), (wrong, wrong_code), (unknown, unknown_code)] {
            let (_folder, path) = changed(change);
            let mut arguments = vec![path.as_str()];
            deny.iter().for_each(|rules| arguments.extend(["--deny", rules]));
            assert_eq!(verify(&arguments).0, expected, "{deny:?}");
        }
    }
    let (_folder, path) = changed(|_| {});
    let (code, out, err) = verify(&[&path, "--deny", "moods"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("undeclared_field") && err.contains("drift"), "{err}");
}

/// A page says the same of all its items: people read it once, machines every time.
#[test]
fn what_all_items_have_is_told_once() {
    let (_folder, path) = changed(|one| {
        let item = json!({ "id": "1", "mood": "calm" });
        one["response"]["data"] = (0..500).map(|_| item.clone()).collect();
    });
    let (_, out, _) = verify(&[&path]);
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(out.contains("answer.data[0].mood: ") && out.contains("here first, 500 times in all"), "{out}");
    let (_, out, _) = verify(&[&path, "--format", "ndjson"]);
    assert_eq!(out.lines().count(), 500);
}

#[test]
fn findings_are_annotations_of_a_workflow() {
    let (folder, _path) = changed(|one| {
        one["response"]["data"][0]["mood"] = json!("calm");
        one["response"]["data"][0]["threatInfo"]["incidentStatus"] = json!("100%\n::warning ::x");
        one["response"]["data"][0]["threatInfo"]["sha1"] = json!(7);
    });
    std::fs::rename(folder.path().join("below"), folder.path().join("a, b: c")).unwrap();
    let path = folder.path().to_str().unwrap();
    let (code, out, err) = verify(&[path, "--format", "github"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let file = format!("file={}/a%2C b%3A c/one.json,line=1", path.replace(':', "%3A"));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    let is = |line: &str| lines.iter().any(|one| one.starts_with(line));
    assert!(is(&format!(
        "::error {file},title=threats_list%3A wrong type::answer.data[0].threatInfo.sha1: "
    )));
    assert!(is(&format!("::warning {file},title=threats_list%3A undeclared field::answer.data[0].mood: ")));
    let status =
        "undeclared enum value::answer.data[0].threatInfo.incidentStatus: \"100%25\\n::warning ::x\"";
    assert!(is(&format!("::warning {file},title=threats_list%3A {status}")), "{out}");
    assert!(is("exchanges: 1, contradictions: 1, "));
}

/// What a recording holds was written by somebody else: it gives no orders to a workflow.
#[test]
fn no_file_speaks_to_the_workflow() {
    let folder = TempDir::new().unwrap();
    let operation = "::set-output name=a::b /web/api/v2.1/x";
    let exchange = json!({ "operation": operation, "status": 200, "source": "x" });
    std::fs::write(folder.path().join("one.json"), exchange.to_string()).unwrap();
    let har = json!({ "log": { "entries": [{
        "request": { "method": "::stop-commands::x", "url": "https://console.example.com/web/api/v2.1/y" },
        "response": { "status": 200 },
    }] } });
    std::fs::write(folder.path().join("two.har"), har.to_string()).unwrap();
    std::fs::write(folder.path().join("three.json"), r#"{ "log": { "level": "info" } }"#).unwrap();
    let path = folder.path().to_str().unwrap();
    let (code, out, _) = verify(&[path, "--format", "github"]);
    assert_eq!(code, 0, "{out}");
    for line in out.lines() {
        let command = line.trim_start().strip_prefix("::").and_then(|rest| rest.split([' ', ':']).next());
        assert!(matches!(command, None | Some("notice")), "{line}");
    }
    assert_eq!(out.matches("title=not in the specification::").count(), 2, "{out}");
    assert!(out.contains("other files: 1"), "another JSON with a log: {out}");

    // A usage error has no output, in JSON either.
    let nothing = TempDir::new().unwrap();
    let other = r#"{ "log": { "entries": [{ "request": { "url": "https://elsewhere.example.com/" } }] } }"#;
    std::fs::write(nothing.path().join("other.har"), other).unwrap();
    let (code, out, _) = verify(&[nothing.path().to_str().unwrap(), "--format", "json"]);
    assert_eq!((code, out.as_str()), (2, ""));
    // Nor does what is wrong quote what stands there.
    std::fs::write(
        nothing.path().join("typed.json"),
        r#"{ "operation": "GET /x", "status": "secret-word" }"#,
    )
    .unwrap();
    let (code, out, err) = verify(&[nothing.path().to_str().unwrap()]);
    assert_eq!(code, 2, "{out}");
    assert!(err.contains("typed.json: not read") && !err.contains("secret-word"), "{err}");
}

/// Folders hold other files, and files break. Nothing of that keeps the others from being checked.
#[test]
fn other_files_are_left_out_and_broken_ones_are_said() {
    let (folder, path) = changed(|_| {});
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("package.json", r#"{ "name": "web" }"#);
    write("list.json", "[1, 2]");
    write("notes.md", "{");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let (code, out, err) = verify(&[&path]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(out, total(1, 0, 0, 0).replace('\n', ", other files: 2\n"));
    assert!(err.contains("package.json: no exchange: left out") && err.contains("list.json: no exchange"));
    assert!(!err.contains("notes.md"));

    // With the mark that some editors write, it is an exchange all the same.
    let one = std::fs::read_to_string(folder.path().join("below/one.json")).unwrap();
    write("marked and spaced.json", &format!("\u{feff}{one}"));
    write("cut off.json", &one[..one.len() / 2]);
    write("typed.json", r#"{ "operation": "GET /web/api/v2.1/threats", "status": "x" }"#);
    let (code, out, err) = verify(&[&path]);
    assert_eq!(code, 2, "{err}");
    assert!(out.starts_with("exchanges: 2, "), "{out}");
    assert!(out.ends_with(", other files: 2, files not read: 2\n"), "{out}");
    assert!(err.contains("cut off.json: not read") && err.contains("typed.json: not read"), "{err}");
    let (_, out, err) = verify(&[&path, "--format", "github"]);
    assert_eq!(err, "");
    assert!(out.contains("cut off.json,line=1,title=not read::"), "{out}");
}

#[test]
fn usage_is_answered_with_2() {
    let empty = TempDir::new().unwrap();
    let (folder, path) = changed(|_| {});
    let foreign = folder.path().join("foreign.json");
    std::fs::write(&foreign, "{}").unwrap();
    let empty = empty.path().to_str().unwrap();
    let missing = format!("{empty}/missing.json");
    let (missing, path) = (missing.as_str(), path.as_str());
    let foreign = foreign.to_str().unwrap();
    for arguments in [
        &[][..],
        &[missing],
        &[path, missing],
        &[empty],
        &[foreign],
        &[foreign, "--format", "json"],
        &[path, "--output", "context"],
        &[path, "--format", "xml"],
    ] {
        let (code, out, err) = verify(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(!err.is_empty());
    }
    assert!(verify(&[path, missing]).2.contains("missing.json"), "the file that is not there is named");
}

/// An entry of a HAR, with what browsers write around what matters.
fn entry(url: &str, answer: &str) -> Value {
    json!({
        "startedDateTime": "2026-11-21T10:00:00.000Z",
        "time": 12.5,
        "request": {
            "method": "GET", "url": url, "httpVersion": "http/2.0", "queryString": [], "cookies": [],
            "headers": [{ "name": "authorization", "value": "ApiToken s3cret-of-somebody" }],
        },
        "response": {
            "status": 200, "statusText": "", "headers": [], "cookies": [],
            "content": { "size": answer.len(), "mimeType": "application/json", "text": answer },
        },
        "cache": {}, "timings": {},
    })
}

#[test]
fn a_har_is_read_and_its_token_never_shown() {
    let folder = TempDir::new().unwrap();
    let url = "https://console.example.com/web/api/v2.1/threats?limit=10&moods=a%20b";
    let answer = json!({ "data": [{ "id": "1", "mood": "calm" }], "pagination": { "totalItems": 1 } });
    let entries = [
        entry("https://console.example.com/assets/app.js", "let x = 1"),
        entry(url, &answer.to_string()),
        entry("https://telemetry.example.com/v1", "{}"),
        json!({ "request": 7 }),
    ];
    let har = json!({ "log": { "version": "1.2", "creator": {}, "entries": entries } });
    let write = |name: &str| std::fs::write(folder.path().join(name), format!("\u{feff}{har}")).unwrap();
    write("session of today.har");
    write("exported.json");
    let path = folder.path().to_str().unwrap();
    let (code, out, err) = verify(&[path]);
    assert_eq!(code, 1, "{err}");
    let shown = out.clone() + &err;
    assert!(!shown.contains("s3cret"), "{shown}");
    for line in [
        "session of today.har: entry 2: threats_list: request.query.moods: undeclared parameter: ",
        "exported.json: entry 2: threats_list: answer.data[0].mood: undeclared field: ",
        "exported.json: request.headers.authorization: secret: a secret in a recording; one entry has it",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(err.contains("1 of its entries are none of HAR 1.2"), "{err}");
    let last = "exchanges: 2, contradictions: 4, new to the specification: 2, of unknown operations: 0, other \
                entries of HAR files: 4, files not read: 2\n";
    assert!(out.ends_with(last), "{out}");
    let (_, out, _) = verify(&[path, "--format", "ndjson"]);
    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(first["entry"], 2);

    // A page of a browser without a call to the API is nothing to check.
    let har = json!({ "log": { "entries": [entry("https://console.example.com/login", "")] } });
    std::fs::write(folder.path().join("session of today.har"), har.to_string()).unwrap();
    let (code, out, err) = verify(&[folder.path().join("session of today.har").to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("no HAR holds one"), "{err}");
}

/// Large files take time and no memory: a HAR of 5 MB, or of as many MB as `S1_LARGE_HAR` says.
#[cfg(target_os = "linux")]
#[test]
fn a_large_har_is_read_in_little_memory() {
    use std::io::Write;
    let megabytes: usize = std::env::var("S1_LARGE_HAR").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("large.har");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let data: Vec<Value> = (0..100).map(|id| json!({ "id": id.to_string() })).collect();
    let answer = json!({ "data": data, "pagination": { "totalItems": 100 } }).to_string();
    let threats = entry("https://console.example.com/web/api/v2.1/threats?limit=100", &answer).to_string();
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
    // The shell bounds what may be allocated; threads and code are some hundred megabytes of addresses.
    let program = env!("CARGO_BIN_EXE_s1");
    let command =
        format!("ulimit -v 400000; exec '{program}' contract verify --deny none '{}'", path.display());
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.contains(&format!("exchanges: {calls}, contradictions: 1, ")), "{out}");
}

#[test]
fn a_dry_run_records_nothing() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("recorded");
    for arguments in
        [["--record", "x", "--dry-run", "get-threats"], ["get-threats", "--dry-run", "--record", "x"]]
    {
        let arguments = arguments.map(|one| if one == "x" { target.to_str().unwrap() } else { one });
        let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("--record"));
    }
    assert!(!target.exists());
}

/// Two runs with one token, the second on what the first listed: the recording keeps the contract and holds
/// together.
#[test]
fn a_recording_of_the_sandbox_is_written_and_keeps_the_contract() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("recorded");
    let path = target.to_str().unwrap();
    let record = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_s1"))
            .args(["--sandbox", "--record", path])
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let id = "460000000000000011";
    let (code, said) = record(&["get-threats", "--threat-ids", id]);
    assert_eq!(code, 0);
    assert!(said.contains(&format!("1 exchange recorded in {path}")), "{said}");
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
    assert_eq!(&second["request"]["query"]["ids"], listed, "the same in another run");
    assert_eq!(&read("threats_update_incident/001-200.json")["request"]["body"]["filter"]["ids"][0], listed);
    assert_eq!(first["provenance"]["kind"], "sandbox");

    // As an address among others it is no real console either.
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

    // What cannot be written is a failure, though the command did what it should.
    std::fs::write(target.join("agents_list"), "").unwrap();
    let (code, said) = record(&["list-agents"]);
    assert_eq!(code, 1);
    assert!(said.contains("error: not recorded: "), "{said}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_s1"))
        .args(["--sandbox", "get-threats", "--record", folder.path().join("file").to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "nothing is sent");
}
