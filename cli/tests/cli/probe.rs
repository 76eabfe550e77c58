//! `s1 contract probe`: one line per operation, recordings, JSON and rejected arguments.

use std::process::Command;

use sentinelone_contract::fixture::{ProvenanceKind, read_dir};
use serde_json::{Value, json};

fn s1(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    for name in ["S1_CONSOLE_URL", "S1_API_TOKEN", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    let output = command.args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn probe_command_reports_each_operation() {
    let dir = tempfile::TempDir::new().unwrap();
    let recorded = dir.path().join("recorded");
    let record = ["--record", recorded.to_str().unwrap()];
    let (code, out, err) = s1(&[&["--sandbox", "contract", "probe", "--deny", "all"][..], &record].concat());
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.lines().any(|line| line.starts_with("threats_list_notes: 200, ")), "{out}");
    assert!(out.contains("threats_list_v2_0: skipped: requires API 2.0\n"), "{out}");
    assert!(out.contains("deep_visibility_list_events: skipped: no value for queryId"), "{out}");
    let last = out.lines().last().unwrap();
    let skipped = out.lines().filter(|line| line.contains(": skipped: ")).count();
    assert!(last.ends_with(&format!("failed: 0, skipped: {skipped}, errors: 0, drift: 0")), "{last}");
    let exchanges = read_dir(&recorded).unwrap();
    assert!(last.starts_with(&format!("succeeded: {}, ", exchanges.len())), "{last}");
    assert!(exchanges.iter().all(|(_, one)| one.provenance.kind == ProvenanceKind::Sandbox));

    let (code, out, _) = s1(&["--sandbox", "contract", "probe", "--format", "json", "--param", "queryId=q1"]);
    assert_eq!(code, 0);
    let all: Vec<Value> = serde_json::from_str(&out).unwrap();
    let one = |id: &str| all.iter().find(|one| one["operation"] == id).unwrap();
    assert_eq!(one("sites_get")["status"], 200);
    assert_eq!(one("sites_get")["findings"], json!([]));
    assert!(one("deep_visibility_get_query_status")["error"].is_string(), "the sandbox has no such query");
    assert!(one("agents_download")["skipped"].is_string());

    let (code, out, _) = s1(&["--sandbox", "contract", "probe", "--dry-run"]);
    let requests: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert!(requests.iter().all(|request| request["method"] == "GET" && request["body"].is_null()));

    for id in ["queryId", "queryId=", "moods=1"] {
        let (code, out, err) = s1(&["--sandbox", "contract", "probe", "--param", id]);
        assert_eq!((code, out.as_str()), (2, ""), "{id}: {err}");
    }
}
