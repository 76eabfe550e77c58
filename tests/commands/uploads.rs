//! Content of uploads: complete archives, and the outcome of each file by the manifest.

use std::fs;
use std::io::{Cursor, Write};

use sentinelone::ErrorKind;
use serde_json::json;
use tempfile::TempDir;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer};
use zip::ZipWriter;
use zip::unstable::write::FileOptionsExt;
use zip::write::{FileOptions, SimpleFileOptions};

use super::files::{
    FETCH, LOG, PASSWORD, archive, file_names, mount_fetch, page, run_error, timeline, upload,
    upload_activity,
};
use super::*;

const PRESENT: &str = r"E:\Logs\kept.evtx";
const MISSING: &str = r"E:\Logs\absent.evtx";
const REASON: &str = "sharing violation (32)";

fn encrypted(password: &str) -> FileOptions<'_, 'static, ()> {
    SimpleFileOptions::default().with_deprecated_encryption(password.as_bytes()).unwrap()
}

fn zip(entries: &[(&str, &str)], options: FileOptions<'_, 'static, ()>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Returns manifests that report the missing file with its reason.
fn manifests() -> Vec<(&'static str, String)> {
    let json = json!({ "files": [{ "path": MISSING, "status": "failed", "error": REASON }] }).to_string();
    vec![
        ("manifest.json", json.clone()),
        ("report/manifest.json", json),
        ("manifest.txt", format!("{MISSING}: {REASON}")),
        ("manifest.json", json!({ "errors": { MISSING: REASON } }).to_string()),
        ("manifest.json", format!("no JSON <{MISSING}> {REASON}")),
    ]
}

/// Runs download-fetched-file on an archive.
async fn downloaded(zip: Vec<u8>, unpack: &str, password: &str) -> (TempDir, Outcome) {
    let server = MockServer::start().await;
    upload(&server, "77", "11", zip).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [
        ("agent_id", "77"),
        ("activity_id", "11"),
        ("password", password),
        ("dir", &dir),
        ("unpack", unpack),
    ];
    let outcome = run(&server, V2_1, "download-fetched-file", &args).await;
    (temp, outcome)
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_archive_without_files_reports_manifest() {
    for (name, text) in manifests() {
        for options in [encrypted(PASSWORD), SimpleFileOptions::default()] {
            for (unpack, files) in [("true", vec![]), ("false", vec!["77-11.zip"])] {
                let (temp, outcome) = downloaded(zip(&[(name, &text)], options), unpack, PASSWORD).await;
                let failure = outcome.failure.as_ref().unwrap().to_string();
                assert!(
                    failure.contains("absent.evtx") && failure.contains(REASON),
                    "{name} {text}: {failure}"
                );
                assert!(!failure.contains("password"), "{failure}");
                assert!(outcome.results.iter().all(|one| one.state == IdState::NotAffected), "{outcome:?}");
                assert_eq!(file_names(temp.path()), files);
                assert_eq!(outcome.has_results(), unpack == "false", "the kept zip is a result");
                assert_eq!(outcome.context, json!({}));
            }
        }
    }
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_archive_with_unknown_manifest_shows_its_text() {
    let long = "w".repeat(100_000);
    for (text, shown) in [
        ("{\"v\":1,\"note\":\"agent too old\u{1b}[2J\"}", "agent too old\\u{1b}[2J"),
        ("collected later\u{1b}[2J\nmaybe", "collected later\\u{1b}[2J\\nmaybe"),
        (long.as_str(), "wwww"),
        (PASSWORD, "\u{2026}"),
        // The only words on the reason are in a member that the parser does not know.
        (r#"{"files":["/etc/absent"],"comment":"quota of the agent"}"#, "quota of the agent"),
    ] {
        let (_temp, outcome) =
            downloaded(zip(&[("manifest.json", text)], encrypted(PASSWORD)), "true", PASSWORD).await;
        let failure = outcome.failure.as_ref().unwrap();
        assert_eq!((failure.kind(), failure.operation()), (ErrorKind::NoResult, Some("agents_download")));
        let failure = failure.to_string();
        assert!(failure.contains(shown) && failure.len() < 5000, "{failure}");
        assert!(!failure.contains(PASSWORD), "{failure}");
    }
    let (_temp, outcome) = downloaded(zip(&[], encrypted(PASSWORD)), "true", PASSWORD).await;
    assert!(outcome.failure.unwrap().to_string().contains("no file and no reason"));
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_archive_with_one_of_two_files_has_outcome_per_file() {
    let listed =
        json!([{ "path": PRESENT, "ok": true }, { "path": MISSING, "ok": false, "message": REASON }]);
    for (unpack, saved) in [("true", "77-11"), ("false", "77-11.zip")] {
        let entries = [("E/Logs/kept.evtx", "kept"), ("manifest.json", &listed.to_string())];
        let (temp, outcome) = downloaded(zip(&entries, encrypted(PASSWORD)), unpack, PASSWORD).await;
        assert_eq!(states(&outcome), [("E/Logs/kept.evtx", IdState::Done), (MISSING, IdState::NotAffected)]);
        assert_eq!(outcome.results[1].detail.as_deref(), Some(REASON));
        let errors: Vec<_> = outcome.errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors, [format!("{MISSING}: {REASON}")]);
        assert!(outcome.failure.is_none() && !outcome.is_complete() && outcome.has_results());
        assert_eq!(file_names(temp.path()), [saved]);
    }
}

/// A saved file has one line in the output, with and without its outcome.
#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_items_have_each_file_once() {
    let listed =
        json!([{ "path": PRESENT, "ok": true }, { "path": MISSING, "ok": false, "message": REASON }]);
    let entries = [("E/Logs/kept.evtx", "kept"), ("manifest.json", &listed.to_string())];
    let (_temp, outcome) = downloaded(zip(&entries, encrypted(PASSWORD)), "true", PASSWORD).await;
    let items: Vec<_> =
        outcome.items().iter().map(|item| (item["id"].clone(), item["name"].clone())).collect();
    let expected = [
        (json!(MISSING), Value::Null),
        (Value::Null, json!("E/Logs/kept.evtx")),
        (Value::Null, json!("manifest.json")),
    ];
    assert_eq!(items, expected);
    let (_temp, outcome) = downloaded(archive(&["a.txt"]), "true", PASSWORD).await;
    let names: Vec<_> = outcome.items().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["a.txt"]);
}

/// A file on the endpoint can have the name of a manifest.
#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_fetched_manifest_is_a_file() {
    let extension = json!({ "name": "An extension", "icons": { "16": "a.png" }, "files": ["a.js", "b.js"] });
    for entries in [
        vec![("C/Extensions/manifest.json", extension.to_string())],
        vec![("manifest.json", "{}".to_owned()), ("C/Extensions/manifest.json", extension.to_string())],
    ] {
        let entries: Vec<_> = entries.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let (temp, outcome) = downloaded(zip(&entries, encrypted(PASSWORD)), "true", PASSWORD).await;
        assert_eq!(states(&outcome), [("C/Extensions/manifest.json", IdState::Done)]);
        assert!(outcome.is_complete(), "{outcome:?}");
        let text = fs::read_to_string(temp.path().join("77-11/C/Extensions/manifest.json")).unwrap();
        assert_eq!(text, extension.to_string());
    }
}

/// Fetched files with the name of a manifest do not displace the manifest of the upload.
#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_manifest_behind_many_fetched_manifests_is_read() {
    let nested: Vec<String> = (0..40).map(|at| format!("C/Extensions/{at}/manifest.json")).collect();
    let listed = json!({ "files": [{ "path": MISSING, "error": REASON }] }).to_string();
    let mut entries: Vec<_> = nested.iter().map(|name| (name.as_str(), "{}")).collect();
    entries.push(("manifest.json", &listed));
    for unpack in ["true", "false"] {
        let (_temp, outcome) = downloaded(zip(&entries, encrypted(PASSWORD)), unpack, PASSWORD).await;
        let failed: Vec<_> = outcome.results.iter().filter(|one| one.state != IdState::Done).collect();
        let [missing] = failed.as_slice() else { panic!("{failed:?}") };
        assert_eq!((missing.id.as_str(), missing.detail.as_deref()), (MISSING, Some(REASON)));
        assert_eq!(outcome.results.len(), nested.len() + 1, "the manifest of the upload is not a file");
    }
}

/// A manifest that is not encrypted is not a matter of the password.
#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_damaged_manifest_does_not_name_password() {
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut damaged = zip(&[("manifest.json", REASON)], options);
    let at = damaged.windows(REASON.len()).position(|part| part == REASON.as_bytes()).unwrap();
    damaged[at] ^= 1;
    let (temp, outcome) = downloaded(damaged, "false", PASSWORD).await;
    let failure = outcome.failure.as_ref().unwrap();
    assert_eq!(failure.help().unwrap_or_default(), "the manifest is damaged; the zip is kept");
    assert!(!failure.to_string().contains("password"), "{failure}");
    assert_eq!(file_names(temp.path()), ["77-11.zip"]);
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_renamed_files_are_complete() {
    let listed = json!({ "files": [{ "path": PRESENT, "sha1": "00" }, { "path": MISSING, "sha1": "11" }] });
    let entries = [("manifest.json", listed.to_string()), ("1.bin", "one".into()), ("2.bin", "two".into())];
    let entries: Vec<_> = entries.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (_temp, outcome) = downloaded(zip(&entries, encrypted(PASSWORD)), "true", PASSWORD).await;
    assert_eq!(states(&outcome), [("1.bin", IdState::Done), ("2.bin", IdState::Done)]);
    let (_temp, outcome) = downloaded(zip(&entries[..2], encrypted(PASSWORD)), "true", PASSWORD).await;
    let expected =
        [(PRESENT, IdState::NotAffected), (MISSING, IdState::NotAffected), ("1.bin", IdState::Done)];
    assert_eq!(states(&outcome), expected, "listed without a status, and not contained");
}

/// The password is the fault only if an entry was not decrypted.
#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_wrong_password_is_named_only_for_encrypted_entries() {
    let (name, text) = &manifests()[0];
    let server = MockServer::start().await;
    upload(&server, "77", "11", zip(&[(*name, text)], encrypted("Another-word-2"))).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [("agent_id", "77"), ("activity_id", "11"), ("password", PASSWORD), ("dir", &dir)];
    let error = run_error(&server, "download-fetched-file", &args).await;
    assert!(
        error.kind() == ErrorKind::Archive && error.help().unwrap_or_default().contains("password"),
        "{error}"
    );
    assert_eq!(file_names(temp.path()), [""; 0]);

    let (temp, outcome) =
        downloaded(zip(&[(*name, text)], encrypted("Another-word-2")), "false", PASSWORD).await;
    assert!(outcome.failure.as_ref().unwrap().help().unwrap_or_default().contains("check the password"));
    assert_eq!(file_names(temp.path()), ["77-11.zip"]);

    // A zip that is kept needs no password.
    let entries = [("a.txt", "one"), ("manifest.json", "{}")];
    let (_temp, outcome) = downloaded(zip(&entries, encrypted("Another-word-2")), "false", PASSWORD).await;
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!(states(&outcome), [("a.txt", IdState::Done)]);
}

#[tokio::test]
async fn download_incomplete_archive_saves_no_file() {
    let complete = archive(&["manifest.json", "E/Logs/kept.evtx"]);
    let page = b"<html>proxy</html>".as_slice();
    for body in [&complete[..complete.len() / 2], &complete[..complete.len() - 1], b"", page] {
        let server = MockServer::start().await;
        upload(&server, "77", "11", body.to_vec()).await;
        let temp = TempDir::new().unwrap();
        let dir = temp.path().display().to_string();
        let args = [
            ("agent_id", "77"),
            ("activity_id", "11"),
            ("password", PASSWORD),
            ("dir", &dir),
            ("unpack", "false"),
        ];
        let error = run_error(&server, "download-fetched-file", &args).await;
        let expected = if body == page { ErrorKind::NoResult } else { ErrorKind::Archive };
        assert_eq!(error.kind(), expected, "{error}");
        assert_eq!(file_names(temp.path()), [""; 0]);
    }
}

/// Runs fetch-file for a path, with the activities after the request.
async fn fetched(file_path: &str, activities: &[Value], zip: Option<Vec<u8>>) -> (TempDir, Outcome) {
    let server = MockServer::start().await;
    let before =
        json!({ "id": "8", "agentId": "77", "createdAt": NOW, "primaryDescription": "An update failed." });
    let log = || Mock::given(path(LOG));
    let first = page(std::slice::from_ref(&before));
    log().respond_with(first).up_to_n_times(1).with_priority(1).mount(&server).await;
    log().respond_with(page(&[activities, &[before]].concat())).mount(&server).await;
    let accepted = json_response(json!({ "data": { "success": true } }));
    Mock::given(path(FETCH)).respond_with(accepted).mount(&server).await;
    if let Some(zip) = zip {
        upload(&server, "77", "11", zip).await;
    }
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [
        ("agent_id", "77"),
        ("file_path", file_path),
        ("password", PASSWORD),
        ("dir", &dir),
        ("timeout", "1"),
        ("unpack", "false"),
    ];
    let outcome = run(&server, V2_1, "fetch-file", &args).await;
    (temp, outcome)
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn fetch_file_missing_file_is_not_affected() {
    for (name, text) in manifests() {
        let zip = zip(&[(name, &text)], encrypted(PASSWORD));
        let (_temp, outcome) = fetched(MISSING, &[upload_activity("77", "11")], Some(zip)).await;
        assert_eq!(states(&outcome), [("77", IdState::NotAffected)], "{text}");
        let detail = outcome.results[0].detail.as_deref().unwrap();
        assert!(detail.starts_with("/agents/77/uploads/11: ") && detail.contains(REASON), "{detail}");
        assert!(outcome.failure.as_ref().unwrap().to_string().contains(REASON));
        assert!(!outcome.has_effect(), "{outcome:?}");
    }
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn fetch_file_unlisted_file_is_named() {
    for (file_path, is_found) in [
        (r"E:\Logs\kept.evtx", true),
        (r"e:\logs\KEPT.evtx", true),
        (r"E:\Logs", true),
        (r"E:\Logs\*.evtx", true),
        (r"%SystemDrive%\other.evtx", true),
        (r"E:\Logs\other.evtx", false),
    ] {
        let zip = zip(&[("E/Logs/kept.evtx", "kept"), ("manifest.json", "{}")], encrypted(PASSWORD));
        let (temp, outcome) = fetched(file_path, &[upload_activity("77", "11")], Some(zip)).await;
        let state = if is_found { IdState::Done } else { IdState::Partial };
        assert_eq!(states(&outcome), [("77", state)], "{file_path}");
        assert_eq!(outcome.is_complete(), is_found, "{file_path}: {outcome:?}");
        assert_eq!(file_names(temp.path()), ["77-11.zip"]);
        let named = outcome.errors.iter().filter(|error| error.to_string().contains(file_path)).count();
        assert_eq!(named, usize::from(!is_found), "{:?}", outcome.errors);
    }
}

#[tokio::test]
async fn fetch_file_timeout_keeps_reported_failures() {
    let failure = json!({
        "id": "9", "agentId": "77", "createdAt": NOW, "data": null,
        "primaryDescription": "The agent failed to upload the file.", "secondaryDescription": REASON,
    });
    let other =
        json!({ "id": "10", "agentId": "77", "createdAt": NOW, "primaryDescription": "A scan started." });
    let (_temp, outcome) = fetched(MISSING, &[failure, other], None).await;
    assert_eq!(outcome.failure.as_ref().unwrap().kind(), ErrorKind::WaitTimeout);
    let errors: Vec<_> = outcome.errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, [format!("activity 9: The agent failed to upload the file.: {REASON}")]);
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn fetch_threat_file_missing_files_have_reason() {
    let server = MockServer::start().await;
    let listed = json!([{ "path": PRESENT }, { "path": MISSING, "error": REASON }]).to_string();
    let absent = json!([{ "path": MISSING, "error": REASON }]).to_string();
    let archives = [
        ("1", "5", zip(&[("E/Logs/kept.evtx", "kept"), ("manifest.json", &listed)], encrypted(PASSWORD))),
        ("2", "6", zip(&[("manifest.json", &absent)], encrypted(PASSWORD))),
    ];
    for (id, activity, zip) in archives {
        timeline(id).respond_with(page(&[])).up_to_n_times(1).with_priority(1).mount(&server).await;
        timeline(id).respond_with(page(&[upload_activity("77", activity)])).mount(&server).await;
        upload(&server, "77", activity, zip).await;
    }
    mount_fetch(&server, json!({ "data": { "affected": 1 } }), 2).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [("threat_id", "1,2"), ("password", PASSWORD), ("dir", &dir)];
    let outcome = run(&server, V2_1, "fetch-threat-file", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Partial), ("2", IdState::NotAffected)]);
    for (one, upload) in outcome.results.iter().zip(["/agents/77/uploads/5: ", "/agents/77/uploads/6: "]) {
        let detail = one.detail.as_deref().unwrap();
        assert!(detail.starts_with(upload) && detail.contains(&format!("{MISSING}: {REASON}")), "{detail}");
    }
    assert_eq!(outcome.affected, Some(1));
    let unpacked = temp.path().join("1").display().to_string();
    let expected = json!([{ "ID": "1", "Downloadable": true, "ZippedFile": unpacked }, { "ID": "2", "Downloadable": false }]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"], expected);
    assert!(outcome.failure.as_ref().unwrap().to_string().contains(REASON));
    assert_eq!(file_names(temp.path()), ["1"]);
}
