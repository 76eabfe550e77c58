//! Tests of manifests in many forms.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};

use super::record::MAX_TEXT;
use super::*;

const PRESENT: &str = r"D:\Data\report final.log";
const MISSING: &str = r"D:\Data\absent, old.bin";
const REASON: &str = "the path does not resolve";

/// Returns manifests in JSON that list one collected file and one missing file with its reason.
fn json_forms() -> Vec<Value> {
    let mut forms = Vec::new();
    for path in ["path", "filePath", "file_path", "file", "fileName", "name", "fullPath", "sourcePath"] {
        for reason in
            ["error", "errorMessage", "message", "reason", "detail", "error_description", "failureReason"]
        {
            for (status, collected, failed) in [
                ("status", json!("ok"), json!("failed")),
                ("state", json!("COLLECTED"), json!("NOT_FOUND")),
                ("success", json!(true), json!(false)),
                ("found", json!("true"), json!("false")),
                ("result", json!("Success"), json!("access error")),
            ] {
                let list = json!([{ path: PRESENT, status: collected, "size": 7 }, { path: MISSING, status: failed, reason: REASON }]);
                forms.push(json!({ "version": 1, "host": "ws-9", "files": list }));
                forms.push(list);
            }
        }
    }
    let failed = json!({ "path": MISSING, "error": { "code": 7, "name": "E7", "message": REASON } });
    forms.extend([
        json!({ "data": { "upload": { "entries": [{ "path": PRESENT, "error": null }, failed] } } }),
        json!({ "files": { PRESENT: "ok", MISSING: { "status": "failed", "error": REASON } } }),
        json!({ "files": { PRESENT: { "error": "" }, MISSING: { "error": REASON } } }),
        json!({ "files": [PRESENT, MISSING], "errors": [{ "file": MISSING, "message": REASON }] }),
        json!({ "files": [PRESENT], "errors": { MISSING: REASON } }),
        json!({ "files": [PRESENT], "failed": [{ "path": MISSING, "remark": REASON, "hash": { "sha1": "0" } }] }),
        json!({ "path": "D:/Data", "files": [{ "path": PRESENT, "ok": true }, { "path": MISSING, "ok": false, "why": REASON }] }),
        json!({ "collected": [{ "path": PRESENT }], "failed": [{ "path": MISSING, "note": 1, "reason": REASON }] }),
        json!([{ "path": PRESENT, "errorCode": 0 }, { "path": MISSING, "errorCode": 2, "description": REASON }]),
        json!([{ "path": PRESENT, "errors": [] }, { "path": MISSING, "errors": [{ "text": REASON }] }]),
        // The path is in a member of its own, in a member of another name, or in a row.
        json!({ "files": [
            { "source": { "path": PRESENT }, "outcome": { "status": "OK" } },
            { "source": { "path": MISSING }, "outcome": { "status": "FAILED", "error": { "code": 7, "message": REASON } } },
        ] }),
        json!({ "files": [PRESENT], "failed": [{ "file": { "path": MISSING }, "why": REASON }] }),
        json!([{ "item": PRESENT, "fetched": true, "path": PRESENT }, { "item": MISSING, "fetched": false, "note": REASON }]),
        json!({ "files": [PRESENT], "failed": [{ "object": MISSING, "why": REASON }] }),
        json!([[PRESENT, "ok", 7], [MISSING, "failed", REASON]]),
        json!({ "files": [[PRESENT, "collected"], [0, MISSING, REASON, "not found"]] }),
    ]);
    forms
}

#[test]
fn parse_json_forms_have_reason_of_missing_file() {
    for form in json_forms() {
        let manifest = Manifest::parse(&form.to_string());
        let record = |path: &str| {
            let named = |record: &&FileRecord| record.path.as_deref() == Some(path);
            manifest.records.iter().find(named).unwrap_or_else(|| panic!("{path}: {form}: {manifest:?}"))
        };
        let missing = record(MISSING);
        assert_eq!(missing.status, FileStatus::Failed, "{form}");
        assert!(missing.reason.as_deref().unwrap_or_default().contains(REASON), "{form}: {missing:?}");
        assert!(record(PRESENT).status < FileStatus::Failed, "{form}: {manifest:?}");
        assert_eq!(manifest.records.len(), 2, "{form}: {manifest:?}");
        assert!(!manifest.is_text);
    }
}

#[test]
fn parse_json_lines_and_texts_have_reason_of_missing_file() {
    let lines = json_forms().into_iter().find_map(|form| Some(form.as_array()?.clone())).unwrap_or_default();
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let path = r"D:\Data\absent.bin";
    let texts = [
        lines.replace("absent, old.bin", "absent.bin"),
        format!("{path}: {REASON}\n/var/log/x: ok"),
        format!("{path}\t{REASON}"),
        format!("{path} - failed: {REASON}"),
        format!("ERROR: {REASON}: {path}"),
        format!("\"{path}\",failed,\"{REASON}\""),
        format!("path,status,error message\n{path},failed,{REASON}"),
        format!("could not read '{path}' ({REASON})"),
    ];
    for text in texts {
        let manifest = Manifest::parse(&text);
        let missing = manifest.records.iter().find(|record| record.status == FileStatus::Failed);
        let missing = missing.unwrap_or_else(|| panic!("{text}: {manifest:?}"));
        assert_eq!(
            missing.path.as_deref(),
            Some(path).filter(|_| !text.starts_with('{')).or(missing.path.as_deref())
        );
        assert!(
            missing.path.as_deref().is_some_and(|found| found.ends_with("absent.bin")),
            "{text}: {missing:?}"
        );
        assert!(missing.reason.as_deref().unwrap_or_default().contains(REASON), "{text}: {missing:?}");
        let failed = manifest.records.iter().filter(|record| record.status == FileStatus::Failed).count();
        assert_eq!(failed, 1, "{text}: {manifest:?}");
    }
}

#[test]
fn parse_metadata_is_not_a_file() {
    let metadata = [
        json!({ "version": 3, "name": "upload", "host": "ws-9", "tags": ["x", "application/json"] }),
        json!({ "archive": { "name": "upload.zip", "size": 9 }, "created": "2026-11-02" }),
        json!({ "status": "ok", "message": "2 files", "errors": { "count": 0 }, "failed": 0, "skipped": [] }),
        json!({}),
        json!([]),
    ];
    for form in metadata {
        let records = Manifest::parse(&form.to_string()).records;
        assert!(
            records.iter().all(|record| record.path.is_none() && record.status < FileStatus::Failed),
            "{records:?}"
        );
    }
    assert!(Manifest::parse("created on Monday by the agent").records.is_empty());
}

#[test]
fn parse_reason_without_file_is_kept() {
    for text in [
        r#"{"status":"failed","message":"the agent is suspended: error 5"}"#,
        r#"{"error":{"code":5,"message":"the agent is suspended: error 5"}}"#,
        r#"{"errors":["the agent is suspended: error 5"]}"#,
        r#"{"failure":{"remark":"the agent is suspended: error 5"}}"#,
        "the agent is suspended: error 5",
    ] {
        let records = Manifest::parse(text).records;
        let [record] = records.as_slice() else { panic!("{text}: {records:?}") };
        assert_eq!((record.path.as_deref(), record.status), (None, FileStatus::Failed), "{text}");
        assert!(
            record.reason.as_deref().unwrap_or_default().contains("suspended: error 5"),
            "{text}: {record:?}"
        );
    }
}

#[test]
fn parse_reason_is_bounded() {
    let form = json!([{ "path": MISSING, "error": "e".repeat(100_000) }]);
    let records = Manifest::parse(&form.to_string()).records;
    let length =
        records.iter().filter_map(|record| record.reason.as_ref()).map(|reason| reason.chars().count());
    assert_eq!(length.max(), Some(MAX_TEXT + 1), "the reason and an ellipsis");
    assert_eq!(escaped("a\u{1b}[2J\nb\u{202e}", 100), "a\\u{1b}[2J\\nb\\u{202e}");
}

#[test]
fn parse_failure_with_many_texts_is_shortened() {
    let mut form: serde_json::Map<String, Value> =
        (0..40_000).map(|at| (format!("key{at}"), json!(format!("text{at}")))).collect();
    form.insert("found".to_owned(), json!(false));
    let records = Manifest::parse(&Value::from(form).to_string()).records;
    let [record] = records.as_slice() else { panic!("{} records", records.len()) };
    let reason = record.reason.as_deref().unwrap_or_default();
    assert!(reason.starts_with("found: false; text"), "{reason}");
    assert_eq!(reason.chars().count(), MAX_TEXT + 1, "the reason and an ellipsis");
}

/// The records of files without a failure do not displace a failure behind them.
#[test]
fn parse_failure_behind_many_files_is_kept() {
    let mut files: Vec<Value> =
        (0..2 * MAX_RECORDS).map(|at| json!({ "path": format!("D:/Data/{at}"), "status": "ok" })).collect();
    files.push(json!({ "path": MISSING, "error": REASON }));
    let records = Manifest::parse(&Value::from(files).to_string()).records;
    let failed: Vec<_> = records.iter().filter(|record| record.status == FileStatus::Failed).collect();
    let [record] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!((record.path.as_deref(), record.reason.as_deref()), (Some(MISSING), Some(REASON)));
    assert_eq!(records.len(), MAX_RECORDS + 1);
}

#[test]
fn decode_supports_utf_16_and_byte_order_marks() {
    let text = "{\"path\":\"é\"}";
    let utf16: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(utf16.iter().flat_map(|unit| unit.to_le_bytes())).collect();
    let big: Vec<u8> =
        [0xfe, 0xff].into_iter().chain(utf16.iter().flat_map(|unit| unit.to_be_bytes())).collect();
    let marked = ["\u{feff}", text].concat().into_bytes();
    for bytes in [little.as_slice(), &little[2..], &big, &big[2..], &marked, text.as_bytes()] {
        assert_eq!(decode(bytes), text);
    }
    assert_eq!(decode(b""), "");
    assert_eq!(decode(b"\0"), "\0");
}

#[test]
fn is_manifest_uses_last_component() {
    for name in [
        "manifest.json",
        "a/b/Manifest.JSON",
        "x\\manifest.txt",
        "manifest",
        "manifest.yaml",
        "upload_manifest.json",
    ] {
        assert!(is_manifest(name), "{name}");
    }
    for name in ["manifest/a.bin", "manifest.exe", "manifesto.json", "a.json", ""] {
        assert!(!is_manifest(name), "{name}");
    }
}

#[test]
fn name_matches_ignore_notation() {
    use Match::{Exact, FileName, IgnoreCase, Part};
    for (left, right, degree) in [
        (r"D:\Data\a.log", "D/Data/a.log", Exact),
        (r"\\?\D:\Data\a.log", "/D/Data/a.log", Exact),
        ("/var/log/x", "var/log/x", Exact),
        (r"d:\data\A.LOG", "D/Data/a.log", IgnoreCase),
        (r"D:\Data\a.log", "Data/a.log", Part),
        ("/var/log", "var/log/x", Part),
        ("/etc/a.log", "D/Data/a.log", FileName),
    ] {
        let [left, right] = [left, right].map(Name::new);
        let first = Match::ALL.into_iter().find(|degree| left.matches(&right, *degree));
        assert_eq!(first, Some(degree), "{left:?} {right:?}");
    }
    assert!(!Name::new("/").matches(&Name::new("a"), Part));
    assert!(Match::ALL.iter().all(|degree| !Name::new("/a/b").matches(&Name::new("/a/c"), *degree)));
}
