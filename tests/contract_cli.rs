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
    let total = out.lines().last().unwrap();
    assert!(total.contains(", contradictions: 0, "), "{total}");
    assert!(!total.starts_with("exchanges: 0,"), "{total}");

    let (_folder, path) = changed(|_| {});
    let expected = "exchanges: 1, contradictions: 0, new to the specification: 0\n";
    assert_eq!(verify(&[&path]), (0, expected.to_owned(), String::new()));
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
        "{path}/below/one.json: answer.data[0].mood: undeclared field: the specification has no such field\n\
         exchanges: 1, contradictions: 0, new to the specification: 1\n"
    );
    assert_eq!(out, expected);
}

#[test]
fn what_contradicts_the_specification_fails() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str, &str); 5] = [
        (|one| one["response"]["data"][0]["id"] = json!(7), "answer.data[0].id", "wrong_type"),
        (|one| one["request"]["query"]["mood"] = json!("x"), "request.query.mood", "undeclared_parameter"),
        // What is new in an answer is wrong in a request.
        (
            |one| one["request"]["query"]["sortBy"] = json!("mood"),
            "request.query.sortBy",
            "undeclared_enum_value",
        ),
        (|one| one["operation"] = json!("GET /web/api/v2.1/moods"), "request.path", "undeclared_operation"),
        (|one| one["response"]["data"][0]["apiToken"] = json!("abc"), "answer.data[0].apiToken", "secret"),
    ];
    for (change, place, rule) in changes {
        let (_folder, path) = changed(change);
        let (code, out, err) = verify(&["--output", "json", &path]);
        assert_eq!(code, 1, "{out}{err}");
        let findings: Vec<Value> = serde_json::from_str(&out).unwrap();
        let finding = findings.iter().find(|finding| finding["drift"] == json!(false)).unwrap();
        let names: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["file", "place", "rule", "message", "drift"]);
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

#[test]
fn usage_is_answered_with_2() {
    let empty = TempDir::new().unwrap();
    let (folder, path) = changed(|_| {});
    std::fs::write(folder.path().join("broken.json"), "{}").unwrap();
    let empty = empty.path().to_str().unwrap();
    let missing = format!("{empty}/missing.json");
    let (missing, path) = (missing.as_str(), path.as_str());
    for arguments in [&[][..], &[missing], &[empty], &[path], &[empty, "--output", "context"]] {
        let (code, out, err) = verify(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(!err.is_empty());
    }
    assert!(verify(&[path]).2.contains("broken.json"), "the file that cannot be read is named");
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

/// Two runs with one token, the second on what the first listed: the recording keeps the contract and holds together.
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

    assert_eq!(
        verify(&[path]),
        (0, "exchanges: 3, contradictions: 0, new to the specification: 0\n".into(), "".into())
    );
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
