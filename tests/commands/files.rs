//! Commands that fetch files, and mirroring commands.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use sentinelone::commands::{Command, RunOptions, UpdateRemoteSystem};
use sentinelone::{Error, ErrorKind};
use serde_json::json;
use tempfile::TempDir;
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request};
use zip::ZipWriter;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;

use super::*;

pub(super) const PASSWORD: &str = "Secret-word-1";

pub(super) const FETCH: &str = "/web/api/v2.1/agents/77/actions/fetch-files";
pub(super) const LOG: &str = "/web/api/v2.1/activities";

pub(super) async fn run_error(server: &MockServer, name: &str, args: &[(&str, &str)]) -> Error {
    entry(name).prepare(arguments(args)).unwrap().run(&client(server, V2_1)).await.unwrap_err()
}

pub(super) fn archive(names: &[&str]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        let options = SimpleFileOptions::default().with_deprecated_encryption(PASSWORD.as_bytes()).unwrap();
        zip.start_file(*name, options).unwrap();
        zip.write_all(name.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(super) async fn upload(server: &MockServer, agent: &str, activity: &str, zip: Vec<u8>) {
    Mock::given(method("GET"))
        .and(path(format!("/web/api/v2.1/agents/{agent}/uploads/{activity}")))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(zip))
        .expect(1)
        .mount(server)
        .await;
}

/// Returns the log entry of an upload.
pub(super) fn upload_activity(agent: &str, activity: &str) -> Value {
    let url = format!("/agents/{agent}/uploads/{activity}");
    json!({ "id": activity, "agentId": agent, "createdAt": NOW, "data": { "downloadUrl": url } })
}

pub(super) fn page(entries: &[Value]) -> ResponseTemplate {
    json_response(json!({ "data": entries, "pagination": { "nextCursor": null } }))
}

pub(super) fn file_names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn fetch_commands_send_documented_requests() {
    let args =
        [("agent_id", " 77 "), ("file_path", "C:\\Temp\\a, b.txt"), ("password", PASSWORD), ("unpack", "no")];
    let expected = [
        json!(["POST", FETCH, {}, { "data": { "files": ["C:\\Temp\\a, b.txt"], "password": PASSWORD } }]),
        json!(["GET", LOG, { "agentIds": "77", "limit": "100", "sortBy": "createdAt", "sortOrder": "desc" }, null]),
    ];
    assert_eq!(sent("fetch-file", V2_1, &args).unwrap(), expected);

    let args = [("agent_id", "77"), ("activity_id", "5"), ("password", "x"), ("unpack", "false")];
    let expected = [json!(["GET", "/web/api/v2.1/agents/77/uploads/5", {}, null])];
    assert_eq!(sent("download-fetched-file", V2_1, &args).unwrap(), expected);

    let args = [("threat_id", "1,2,1"), ("password", PASSWORD), ("unpack", "false")];
    let query = json!({ "limit": "30", "sortBy": "createdAt", "sortOrder": "desc" });
    for version in [V2_0, V2_1] {
        let path = |rest: &str| format!("/web/api/v{version}/threats/{rest}");
        let body = |id: &str| json!({ "data": { "password": PASSWORD }, "filter": { "ids": [id] } });
        let expected = [
            json!(["POST", path("fetch-file"), {}, body("1")]),
            json!(["GET", path("1/timeline"), query, null]),
            json!(["POST", path("fetch-file"), {}, body("2")]),
            json!(["GET", path("2/timeline"), query, null]),
        ];
        assert_eq!(sent("fetch-threat-file", version, &args).unwrap(), expected);
    }
}

#[test]
fn weak_password_is_rejected_before_request() {
    let long = format!("aA1{}", "x".repeat(254));
    for weak in
        ["Short-1", "alllowercase", "lower-and-symbols", "UPPERCASE-ONLY", "12345678901", "Aa 1 b", &long]
    {
        for (name, first) in [("fetch-file", "agent_id"), ("fetch-threat-file", "threat_id")] {
            let mut args = vec![(first, "1"), ("password", weak), ("unpack", "false")];
            if name == "fetch-file" {
                args.push(("file_path", "/tmp/x"));
            }
            let error = sent(name, V2_1, &args).unwrap_err();
            assert!(error.contains("password") && !error.contains(weak), "{error}");
        }
    }
    for strong in ["lower-and-1", "Upper0lower", "UPPER-CASE-1", &long[..256]] {
        let args = [("threat_id", "1"), ("password", strong), ("unpack", "false")];
        assert!(sent("fetch-threat-file", V2_1, &args).is_ok(), "{strong}");
    }
    // The password of an existing upload is not validated.
    let args = [("agent_id", "1"), ("activity_id", "2"), ("password", "x"), ("unpack", "false")];
    assert!(sent("download-fetched-file", V2_1, &args).is_ok());
}

#[test]
fn fetch_file_debug_hides_password() {
    let args = [("agent_id", "77"), ("file_path", "/tmp/x"), ("password", PASSWORD), ("unpack", "false")];
    let command = entry("fetch-file").prepare(arguments(&args)).unwrap();
    assert!(!format!("{command:?}").contains(PASSWORD));
    let request = &command.requests(V2_1).unwrap()[0];
    assert!(!format!("{request:?}").contains(PASSWORD));
    assert!(!request.redacted_body().unwrap().to_string().contains(PASSWORD));
}

#[test]
fn file_commands_invalid_arguments_are_rejected() {
    let file = [("agent_id", "77"), ("file_path", "/tmp/x"), ("password", PASSWORD), ("unpack", "false")];
    let with = |name: &'static str, value: &'static str| {
        let mut args: Vec<_> = file.into_iter().filter(|(one, _)| *one != name).collect();
        args.push((name, value));
        args
    };
    let threat = vec![("threat_id", "1,"), ("password", PASSWORD)];
    let update = |delta: &'static str| vec![("remoteId", "9"), ("incidentChanged", "true"), ("delta", delta)];
    let changed = r#"{"sentinelonethreatstatus":"Resolved"}"#;
    let refusals = [
        ("fetch-file", V2_0, file.to_vec(), "2.0"),
        ("fetch-file", V2_1, with("agent_id", ".."), "agent_id"),
        ("fetch-file", V2_1, with("timeout", "0"), "timeout"),
        ("fetch-file", V2_1, with("timeout", "9999999"), "timeout"),
        ("fetch-file", V2_1, with("unpack", "perhaps"), "unpack"),
        ("fetch-file", V2_1, file[1..].to_vec(), "agent_id"),
        ("download-fetched-file", V2_1, vec![("activity_id", "1"), ("password", "x")], "agent_id"),
        ("fetch-threat-file", V2_1, threat, "threat_id"),
        ("get-mapping-fields", V2_1, vec![("id", "1")], "id"),
        ("get-remote-data", V2_1, vec![("id", "1")], "lastUpdate"),
        ("get-remote-data", V2_1, vec![("lastUpdate", "1 day")], "id"),
        ("get-remote-data", V2_1, vec![("id", "1"), ("lastUpdate", "soon")], "lastUpdate"),
        ("get-remote-data", V2_1, vec![("id", "1,2"), ("lastUpdate", "1 day")], "which is not an ID"),
        ("get-modified-remote-data", V2_1, vec![], "last_update"),
        (
            "get-modified-remote-data",
            V2_1,
            vec![("last_update", "1 day"), ("lastUpdate", "1 day")],
            "last_update",
        ),
        ("update-remote-system", V2_1, vec![("delta", changed)], "remoteId"),
        ("update-remote-system", V2_1, vec![("remoteId", "9"), ("delta", changed)], "incidentChanged"),
        ("update-remote-system", V2_1, update("[]"), "delta"),
        ("update-remote-system", V2_1, update(r#"{"sentinelonethreatstatus":"Closed"}"#), "Closed"),
        ("update-remote-system", V2_1, update(r#"{"sentinelonethreatstatus":2}"#), "sentinelonethreatstatus"),
        ("update-remote-system", V2_1, update(r#"{"sentinelonethreatanalystverdict":"Benign"}"#), "Benign"),
        ("update-remote-system", V2_0, update(changed), "2.0"),
    ];
    for (name, version, args, expected) in refusals {
        let error = sent(name, version, &args).unwrap_err();
        assert!(error.contains(expected), "{name} {args:?}: {error}");
    }
}

#[cfg(not(feature = "unzip"))]
#[test]
fn unpack_without_feature_is_rejected() {
    for (name, first) in [("download-fetched-file", "activity_id"), ("fetch-file", "file_path")] {
        let args = [("agent_id", "1"), (first, "2"), ("password", PASSWORD)];
        assert!(sent(name, V2_1, &args).unwrap_err().contains("unzip"));
    }
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn fetch_file_requests_polls_downloads_and_unpacks() {
    let server = MockServer::start().await;
    let log = || Mock::given(method("GET")).and(path(LOG)).and(query_param("agentIds", "77"));
    let threat_activity = {
        let mut entry = upload_activity("77", "12");
        entry["threatId"] = "3".into();
        entry
    };
    let odd =
        json!({ "id": "13", "data": { "downloadUrl": "https://elsewhere.example/agents/77/uploads/13" } });
    let up = json!({ "id": "14", "data": { "downloadUrl": "/agents/77/uploads/../../users" } });
    let before = [upload_activity("77", "10"), json!({ "id": "9", "data": null }), odd, up];
    let after =
        [upload_activity("77", "11"), upload_activity("78", "15"), threat_activity, before[0].clone()];
    log()
        .and(query_param_is_missing("createdAt__gte"))
        .respond_with(page(&before))
        .expect(1)
        .mount(&server)
        .await;
    let later = || log().and(query_param("createdAt__gte", "2026-11-21T08:25:00Z"));
    later().respond_with(page(&before)).up_to_n_times(1).expect(1).with_priority(1).mount(&server).await;
    later().respond_with(page(&after)).expect(1).mount(&server).await;
    Mock::given(method("POST"))
        .and(path(FETCH))
        .and(wiremock::matchers::body_json(
            json!({ "data": { "files": ["/var/log/x"], "password": PASSWORD } }),
        ))
        .respond_with(json_response(json!({ "data": { "success": true } })))
        .expect(1)
        .mount(&server)
        .await;
    let zip = archive(&["manifest.json", "var/log/x"]);
    let size = zip.len() as u64;
    upload(&server, "77", "11", zip).await;

    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [("agent_id", "77"), ("file_path", "/var/log/x"), ("password", PASSWORD), ("dir", &dir)];
    let log = Log::default();
    let command = entry("fetch-file").prepare(arguments(&args)).unwrap();
    let mut options = RunOptions::default();
    options.observer = &log;
    let outcome = command.run_with(&client(&server, V2_1), &options).await.unwrap();

    assert!(outcome.is_complete() && outcome.has_effect(), "{outcome:?}");
    assert_eq!(states(&outcome), [("77", IdState::Done)]);
    assert_eq!(outcome.results[0].detail.as_deref(), Some("/agents/77/uploads/11"));
    assert_eq!(outcome.context, json!({ "SentinelOne": { "Download": { "Path": "var/log/x" } } }));
    assert_eq!(file_names(temp.path()), ["77-11"], "the zip was removed");
    let files: Vec<_> = outcome.files.iter().map(|file| file.path.as_path()).collect();
    let unpacked = temp.path().join("77-11");
    assert_eq!(files, [unpacked.join("manifest.json"), unpacked.join("var/log/x")]);
    assert_eq!(fs::read(files[1]).unwrap(), b"var/log/x");
    let events = log.events();
    assert!(matches!(events[0], ProgressEvent::Waiting { next, .. } if next.as_secs() == 2), "{events:?}");
    let Some(ProgressEvent::Received { name, bytes, total }) = events.last() else { panic!("{events:?}") };
    assert_eq!((name.as_str(), *bytes, *total), ("77-11.zip", size, Some(size)));
}

#[tokio::test]
async fn fetch_file_timeout_names_resume_command() {
    let server = MockServer::start().await;
    Mock::given(path(LOG)).respond_with(page(&[upload_activity("77", "10")])).mount(&server).await;
    Mock::given(path(FETCH))
        .respond_with(json_response(json!({ "data": { "success": true } })))
        .mount(&server)
        .await;
    let args = [
        ("agent_id", "77"),
        ("file_path", "/x"),
        ("password", PASSWORD),
        ("timeout", "1"),
        ("unpack", "false"),
    ];
    let outcome = run(&server, V2_1, "fetch-file", &args).await;
    let failure = outcome.failure.as_ref().unwrap();
    assert_eq!(failure.kind(), ErrorKind::WaitTimeout);
    assert!(failure.help().unwrap_or_default().contains("download-fetched-file"), "{}", failure.report());
    assert_eq!(states(&outcome), [("77", IdState::Unknown)]);
    assert!(outcome.has_effect() && !outcome.is_complete(), "the console accepted the request");
}

#[tokio::test]
async fn fetch_file_rejected_request_is_not_polled() {
    let server = MockServer::start().await;
    Mock::given(path(LOG)).respond_with(page(&[])).expect(1).mount(&server).await;
    Mock::given(path(FETCH))
        .respond_with(json_response(json!({ "data": { "success": false } })))
        .mount(&server)
        .await;
    let args = [("agent_id", "77"), ("file_path", "/x"), ("password", PASSWORD), ("unpack", "false")];
    let outcome = run(&server, V2_1, "fetch-file", &args).await;
    assert_eq!(states(&outcome), [("77", IdState::NotAffected)]);
    assert!(!outcome.has_effect());
}

#[tokio::test]
async fn fetch_file_download_failure_keeps_upload_path() {
    let server = MockServer::start().await;
    let log = || Mock::given(path(LOG));
    log().respond_with(page(&[])).up_to_n_times(1).with_priority(1).mount(&server).await;
    log().respond_with(page(&[upload_activity("77", "11")])).mount(&server).await;
    Mock::given(path(FETCH))
        .respond_with(json_response(json!({ "data": { "success": true } })))
        .mount(&server)
        .await;
    let args = [("agent_id", "77"), ("file_path", "/x"), ("password", PASSWORD), ("unpack", "false")];
    let outcome = run(&server, V2_1, "fetch-file", &args).await;
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 404);
    assert_eq!(states(&outcome), [("77", IdState::Partial)], "uploaded, and not downloaded");
    assert_eq!(
        outcome.results[0].detail.as_deref(),
        Some("/agents/77/uploads/11"),
        "the path allows a resume"
    );
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_fetched_file_unpacks_files() {
    let server = MockServer::start().await;
    upload(&server, "77", "11", archive(&["manifest.json", "C/a.txt", "C/b.txt"])).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [("agent_id", "77"), ("activity_id", "11"), ("password", PASSWORD), ("dir", &dir)];
    let outcome = run(&server, V2_1, "download-fetched-file", &args).await;
    assert_eq!(outcome.context["SentinelOne"]["Download"]["Path"], "C/a.txt");
    assert_eq!(outcome.files.len(), 3, "all files are unpacked");
    assert_eq!(outcome.response["data"][1]["name"], "C/a.txt");
    assert_eq!(file_names(temp.path()), ["77-11"]);

    // The second run sends no request and overwrites no file.
    let error = run_error(&server, "download-fetched-file", &args).await;
    assert_eq!(error.kind(), ErrorKind::Io);
    server.verify().await;
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn download_fetched_file_invalid_archive_leaves_no_files() {
    for (zip, password) in [
        (archive(&["C/a.txt"]), "another password"),
        (archive(&["../a.txt"]), PASSWORD),
        (b"not a zip".to_vec(), PASSWORD),
    ] {
        let server = MockServer::start().await;
        upload(&server, "77", "11", zip).await;
        let temp = TempDir::new().unwrap();
        let dir = temp.path().display().to_string();
        let args = [("agent_id", "77"), ("activity_id", "11"), ("password", password), ("dir", &dir)];
        let error = run_error(&server, "download-fetched-file", &args).await;
        assert_eq!(error.kind(), ErrorKind::Archive, "{error}");
        assert_eq!(file_names(temp.path()), [""; 0]);
    }
}

#[tokio::test]
async fn download_fetched_file_can_keep_zip() {
    let server = MockServer::start().await;
    let zip = archive(&["manifest.json", "C/a.txt"]);
    upload(&server, "77", "11", zip.clone()).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [
        ("agent_id", "77"),
        ("activity_id", "11"),
        ("password", PASSWORD),
        ("dir", &dir),
        ("unpack", "false"),
    ];
    let outcome = run(&server, V2_1, "download-fetched-file", &args).await;
    assert_eq!(file_names(temp.path()), ["77-11.zip"]);
    assert_eq!(fs::read(&outcome.files[0].path).unwrap(), zip);
    assert_eq!(outcome.context, json!({}), "the content of the zip is unknown");
}

/// Mounts the fetch operation, which expects one request per threat.
pub(super) async fn mount_fetch(server: &MockServer, body: Value, count: u64) {
    Mock::given(method("POST"))
        .and(path("/web/api/v2.1/threats/fetch-file"))
        .respond_with(json_response(body))
        .expect(count)
        .mount(server)
        .await;
}

pub(super) fn timeline(id: &str) -> wiremock::MockBuilder {
    Mock::given(method("GET"))
        .and(path(format!("/web/api/v2.1/threats/{id}/timeline")))
        .and(query_param("sortOrder", "desc"))
}

#[cfg(feature = "unzip")]
#[tokio::test]
async fn fetch_threat_file_ignores_earlier_uploads() {
    let server = MockServer::start().await;
    let before = [json!({ "id": "4" }), upload_activity("77", "3")];
    let after = [json!({ "id": "6" }), upload_activity("77", "5"), before[1].clone()];
    timeline("1").respond_with(page(&before)).up_to_n_times(2).with_priority(1).mount(&server).await;
    timeline("1").respond_with(page(&after)).expect(1).mount(&server).await;
    mount_fetch(&server, json!({ "data": { "affected": 1 } }), 1).await;
    upload(&server, "77", "5", archive(&["bad.exe"])).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [("threat_id", "1"), ("password", PASSWORD), ("dir", &dir)];
    let outcome = run(&server, V2_1, "fetch-threat-file", &args).await;
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!(states(&outcome), [("1", IdState::Done)]);
    let unpacked = temp.path().join("1");
    let expected = json!([{ "ID": "1", "Downloadable": true, "ZippedFile": unpacked.display().to_string() }]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"], expected);
    assert_eq!(outcome.files[0].path, unpacked.join("bad.exe"));
    assert_eq!(file_names(temp.path()), ["1"]);

    // The second run sends no request.
    let error = run_error(&server, "fetch-threat-file", &args).await;
    assert_eq!(error.kind(), ErrorKind::Io);
    server.verify().await;
}

/// The published integration uses one count for all threats.
#[tokio::test]
async fn fetch_threat_file_reports_state_per_threat() {
    let server = MockServer::start().await;
    for id in ["1", "2", "3"] {
        timeline(id).respond_with(page(&[])).up_to_n_times(1).with_priority(1).mount(&server).await;
    }
    timeline("1").respond_with(page(&[upload_activity("77", "5")])).expect(1).mount(&server).await;
    timeline("2").respond_with(page(&[])).mount(&server).await;
    timeline("3").respond_with(ResponseTemplate::new(403)).expect(1).mount(&server).await;
    mount_fetch(&server, json!({ "data": { "affected": 1 } }), 3).await;
    upload(&server, "77", "5", archive(&["bad.exe"])).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [
        ("threat_id", "1,2,3"),
        ("password", PASSWORD),
        ("dir", &dir),
        ("timeout", "1"),
        ("unpack", "false"),
    ];
    let outcome = run(&server, V2_1, "fetch-threat-file", &args).await;
    let expected = [("1", IdState::Done), ("2", IdState::Unknown), ("3", IdState::Unknown)];
    assert_eq!(states(&outcome), expected);
    let zip = temp.path().join("1.zip").display().to_string();
    let expected = json!([
        { "ID": "1", "Downloadable": true, "ZippedFile": zip },
        { "ID": "2", "Downloadable": null },
        { "ID": "3", "Downloadable": null },
    ]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"], expected);
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 403, "the first failure");
    let titles: Vec<_> = outcome.errors.iter().filter_map(|error| error.title.as_deref()).collect();
    assert_eq!(titles, ["threat 3", "threat 2"], "each failure has its threat as the title");
    assert!(outcome.results[2].detail.as_deref().unwrap().contains("403"), "{:?}", outcome.results);
    assert_eq!(outcome.affected, Some(3));
    assert_eq!(file_names(temp.path()), ["1.zip"], "downloaded files are kept if other threats fail");
}

#[tokio::test]
async fn fetch_threat_file_failed_download_is_partial() {
    let server = MockServer::start().await;
    for (id, activity) in [("1", "5"), ("2", "6")] {
        timeline(id).respond_with(page(&[])).up_to_n_times(1).with_priority(1).mount(&server).await;
        timeline(id).respond_with(page(&[upload_activity("77", activity)])).mount(&server).await;
    }
    mount_fetch(&server, json!({ "data": { "affected": 1 } }), 2).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [("threat_id", "1,2"), ("password", PASSWORD), ("dir", &dir), ("unpack", "false")];
    let outcome = run(&server, V2_1, "fetch-threat-file", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::Partial), ("2", IdState::Partial)]);
    for (one, path) in outcome.results.iter().zip(["/agents/77/uploads/5: ", "/agents/77/uploads/6: "]) {
        let detail = one.detail.as_deref().unwrap();
        assert!(detail.starts_with(path) && detail.contains("404"), "{detail}");
    }
    let expected = json!([{ "ID": "1", "Downloadable": true }, { "ID": "2", "Downloadable": true }]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"], expected, "both were uploaded");
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 404);
    let titles: Vec<_> = outcome.errors.iter().filter_map(|error| error.title.as_deref()).collect();
    assert_eq!(titles, ["threat 1", "threat 2"]);
}

#[tokio::test]
async fn fetch_threat_file_slow_or_failed_threat_does_not_affect_others() {
    let server = MockServer::start().await;
    timeline("1").respond_with(page(&[])).up_to_n_times(1).with_priority(1).mount(&server).await;
    // The console throttles one request.
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
    timeline("1").respond_with(busy).up_to_n_times(1).with_priority(2).mount(&server).await;
    timeline("1").respond_with(page(&[upload_activity("77", "5")])).mount(&server).await;
    timeline("3").respond_with(ResponseTemplate::new(404)).expect(1).mount(&server).await;
    mount_fetch(&server, json!({ "data": { "affected": 1 } }), 1).await;
    upload(&server, "77", "5", archive(&["bad.exe"])).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = |ids| {
        [
            ("threat_id", ids),
            ("password", PASSWORD),
            ("dir", dir.as_str()),
            ("timeout", "4"),
            ("unpack", "false"),
        ]
    };
    let outcome = run(&server, V2_1, "fetch-threat-file", &args("3,1")).await;
    assert_eq!(states(&outcome), [("3", IdState::NotAffected), ("1", IdState::Done)], "{outcome:?}");
    assert_eq!(outcome.affected, Some(1));
    assert_eq!(file_names(temp.path()), ["1.zip"]);

    server.reset().await;
    for id in ["4", "2"] {
        timeline(id).respond_with(page(&[])).up_to_n_times(1).with_priority(1).mount(&server).await;
    }
    timeline("4").respond_with(page(&[upload_activity("77", "5")])).mount(&server).await;
    let slow = page(&[]).set_delay(std::time::Duration::from_secs(30));
    timeline("2").respond_with(slow).mount(&server).await;
    mount_fetch(&server, json!({ "data": { "affected": 1 } }), 2).await;
    upload(&server, "77", "5", archive(&["bad.exe"])).await;
    let outcome = run(&server, V2_1, "fetch-threat-file", &args("4,2")).await;
    assert_eq!(states(&outcome), [("4", IdState::Done), ("2", IdState::Unknown)], "{outcome:?}");
    assert_eq!(outcome.failure.as_ref().unwrap().kind(), ErrorKind::WaitTimeout);
}

#[tokio::test]
async fn fetch_threat_file_skipped_threat_is_not_polled() {
    let server = MockServer::start().await;
    timeline("1").respond_with(page(&[])).expect(1).mount(&server).await;
    mount_fetch(&server, json!({ "data": { "affected": 0 } }), 1).await;
    let args = [("threat_id", "1"), ("password", PASSWORD), ("unpack", "false")];
    let outcome = run(&server, V2_1, "fetch-threat-file", &args).await;
    assert_eq!(states(&outcome), [("1", IdState::NotAffected)]);
    assert_eq!(outcome.context["SentinelOne"]["Threat"], json!([{ "ID": "1", "Downloadable": false }]));
}

#[tokio::test]
async fn fetch_threat_file_timeout_names_pending_threats() {
    let server = MockServer::start().await;
    timeline("1").respond_with(page(&[upload_activity("77", "5")])).mount(&server).await;
    mount_fetch(&server, json!({ "data": { "affected": 1 } }), 1).await;
    let args = [("threat_id", "1"), ("password", PASSWORD), ("timeout", "1"), ("unpack", "false")];
    let outcome = run(&server, V2_1, "fetch-threat-file", &args).await;
    let failure = outcome.failure.as_ref().unwrap();
    assert_eq!(failure.kind(), ErrorKind::WaitTimeout);
    assert!(failure.help().unwrap_or_default().contains("upload the files of 1;"), "{failure}");
    assert_eq!(states(&outcome), [("1", IdState::Unknown)]);
}

/// (g) 12: the published command fails with its own arguments.
#[tokio::test]
async fn get_mapping_fields_sends_no_request() {
    for version in [V2_0, V2_1] {
        assert_eq!(sent("get-mapping-fields", version, &[]).unwrap(), [Value::Null; 0]);
        let server = MockServer::start().await;
        let outcome = run(&server, version, "get-mapping-fields", &[]).await;
        let fields = outcome.response["SentinelOne Incident"].as_object().unwrap();
        let mut names: Vec<_> = fields.keys().collect();
        names.sort();
        assert_eq!(names, ["analystVerdict", "incidentStatus"]);
        assert_eq!(outcome.context, outcome.response);
        assert!(server.received_requests().await.unwrap().is_empty());
    }
}

fn note(text: &str) -> Value {
    let body = json!({ "data": { "text": text }, "filter": { "ids": ["9"] } });
    json!(["POST", "/web/api/v2.1/threats/notes", {}, body])
}

const DELTA: &str = r#"{"sentinelonethreatanalystverdict":"True positive","sentinelonethreatstatus":"Resolved",
    "closeNotes":"all clean","severity":3}"#;

#[test]
fn update_remote_system_sends_changes_with_notes() {
    let args =
        [("remoteId", "9"), ("incidentChanged", "true"), ("delta", DELTA), ("status", "2"), ("data", "{}")];
    let verdict =
        json!({ "data": { "analystVerdict": "true_positive" }, "filter": { "ids": ["9"], "tenant": true } });
    let status = json!({ "data": { "incidentStatus": "resolved" }, "filter": { "ids": ["9"] } });
    let expected = [
        json!(["POST", "/web/api/v2.1/threats/analyst-verdict", {}, verdict]),
        note("XSOAR - Updated the threat analyst verdict to True positive"),
        json!(["POST", "/web/api/v2.1/threats/incident", {}, status]),
        note("XSOAR - Marked as resolved \nall clean"),
    ];
    assert_eq!(sent("update-remote-system", V2_1, &args).unwrap(), expected);

    let args = [
        ("remoteId", "9"),
        ("incidentChanged", "true"),
        ("delta", r#"{"sentinelonethreatstatus":"in progress","sentinelonethreatanalystverdict":""}"#),
    ];
    let status = json!({ "data": { "incidentStatus": "in_progress" }, "filter": { "ids": ["9"] } });
    let expected = [
        json!(["POST", "/web/api/v2.1/threats/incident", {}, status]),
        note("XSOAR - Updated the threat status to In progress"),
    ];
    assert_eq!(sent("update-remote-system", V2_1, &args).unwrap(), expected);
}

#[tokio::test]
async fn update_remote_system_without_changes_sends_nothing() {
    let server = MockServer::start().await;
    for args in [
        vec![("incidentChanged", "false"), ("delta", DELTA)],
        vec![("incidentChanged", "true"), ("delta", r#"{"severity":3}"#)],
        vec![("incidentChanged", "true")],
        vec![],
    ] {
        let args = [vec![("remoteId", "9")], args].concat();
        for version in [V2_0, V2_1] {
            assert_eq!(sent("update-remote-system", version, &args).unwrap(), [Value::Null; 0]);
        }
        let outcome = run(&server, V2_1, "update-remote-system", &args).await;
        assert_eq!(outcome.response, json!({ "remoteId": "9" }));
        assert!(outcome.is_complete());
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

async fn post(server: &MockServer, rest: &str, response: ResponseTemplate, times: u64) {
    Mock::given(method("POST"))
        .and(path(format!("/web/api/v2.1/threats/{rest}")))
        .respond_with(response)
        .expect(times)
        .mount(server)
        .await;
}

const CHANGED: [(&str, &str); 3] = [("remoteId", "9"), ("incidentChanged", "true"), ("delta", DELTA)];

#[tokio::test]
async fn update_remote_system_notes_only_applied_changes() {
    let server = MockServer::start().await;
    let affected = |count: u64| json_response(json!({ "data": { "affected": count } }));
    post(&server, "analyst-verdict", affected(0), 1).await;
    post(&server, "incident", affected(1), 1).await;
    post(&server, "notes", affected(1), 1).await;
    let outcome = run(&server, V2_1, "update-remote-system", &CHANGED).await;
    assert_eq!(states(&outcome), [("9", IdState::Partial)]);
    assert_eq!(outcome.affected, Some(1));
    assert_eq!(outcome.response["remoteId"], "9");
    assert_eq!(outcome.response["statusNote"]["data"]["affected"], 1);
    assert!(outcome.response.get("verdictNote").is_none());
    let last: Vec<Request> = server.received_requests().await.unwrap();
    let paths: Vec<_> = last.iter().map(|request| request.url.path().rsplit('/').next().unwrap()).collect();
    assert_eq!(paths, ["analyst-verdict", "incident", "notes"]);
}

/// The published command logs failures and reports success.
#[tokio::test]
async fn update_remote_system_propagates_errors() {
    let affected = || json_response(json!({ "data": { "affected": 1 } }));
    let server = MockServer::start().await;
    post(&server, "analyst-verdict", ResponseTemplate::new(403), 1).await;
    let error = run_error(&server, "update-remote-system", &CHANGED).await;
    assert_eq!(error.status().unwrap(), 403);

    let server = MockServer::start().await;
    post(&server, "analyst-verdict", affected(), 1).await;
    post(&server, "notes", affected(), 1).await;
    post(&server, "incident", ResponseTemplate::new(400), 1).await;
    let outcome = run(&server, V2_1, "update-remote-system", &CHANGED).await;
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 400);
    assert_eq!(states(&outcome), [("9", IdState::Partial)]);

    let server = MockServer::start().await;
    post(&server, "analyst-verdict", affected(), 1).await;
    post(&server, "notes", ResponseTemplate::new(500), 1).await;
    post(&server, "incident", affected(), 0).await;
    let outcome = run(&server, V2_1, "update-remote-system", &CHANGED).await;
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 500);
    assert_eq!(states(&outcome), [("9", IdState::Unknown)], "the note may have taken effect");
    server.verify().await;

    let server = MockServer::start().await;
    for rest in ["analyst-verdict", "incident"] {
        post(&server, rest, affected(), 1).await;
    }
    post(&server, "notes", affected(), 2).await;
    let outcome = run(&server, V2_1, "update-remote-system", &CHANGED).await;
    assert!(outcome.is_complete());
    assert_eq!(states(&outcome), [("9", IdState::Done)]);
}

/// Details take precedence over the count, and a missing note makes the result partial.
#[tokio::test]
async fn update_remote_system_state_uses_details_and_notes() {
    let delta = r#"{"sentinelonethreatstatus":"Resolved"}"#;
    let args = [("remoteId", "9"), ("incidentChanged", "true"), ("delta", delta)];
    let details = |id: &str, result: &str, affected: u64| json!({ "affected": affected, "details": [{ "threatId": id, "result": result }] });
    let one = || json!({ "affected": 1 });
    for (change, note, notes, state) in [
        (one(), one(), 1, IdState::Done),
        (details("9", "already_set", 1), one(), 0, IdState::AlreadySet),
        (details("9", "missing_permissions", 1), one(), 0, IdState::NotAffected),
        (details("8", "updated", 1), one(), 0, IdState::Unknown),
        (details("9", "updated", 0), one(), 1, IdState::Done),
        (json!({ "details": [{ "threatId": "9", "result": "updated" }] }), one(), 1, IdState::Done),
        (one(), json!({ "affected": 0 }), 1, IdState::Partial),
        (one(), json!({}), 1, IdState::Unknown),
    ] {
        let server = MockServer::start().await;
        post(&server, "incident", json_response(json!({ "data": change })), 1).await;
        post(&server, "notes", json_response(json!({ "data": note })), notes).await;
        let outcome = run(&server, V2_1, "update-remote-system", &args).await;
        assert_eq!(states(&outcome), [("9", state)], "{change} {note}");
        server.verify().await;
    }

    for (status, state) in [(403, IdState::Partial), (500, IdState::Unknown)] {
        let server = MockServer::start().await;
        post(&server, "incident", json_response(json!({ "data": one() })), 1).await;
        post(&server, "notes", ResponseTemplate::new(status), 1).await;
        let outcome = run(&server, V2_1, "update-remote-system", &args).await;
        assert_eq!(states(&outcome), [("9", state)]);
        assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), status);
    }
}

#[test]
fn update_remote_system_unknown_label_is_rejected() {
    let delta = json!({ "sentinelonethreatanalystverdict": "benign", "sentinelonethreatstatus": "Resolved" });
    let delta = delta.as_object().unwrap().clone();
    let command = UpdateRemoteSystem::new("9").incident_changed(true).delta(delta);
    assert!(command.requests(V2_1).unwrap_err().to_string().contains("benign"));
}

#[test]
fn get_remote_data_requests_one_threat() {
    let args = [("id", "9"), ("lastUpdate", "2026-11-20T10:00:00+02:00")];
    for version in [V2_0, V2_1] {
        let expected = [json!(["GET", format!("/web/api/v{version}/threats"), { "ids": "9" }, null])];
        assert_eq!(sent("get-remote-data", version, &args).unwrap(), expected);
    }
}

async fn remote(version: ApiVersion, threat: Value, close: bool) -> Value {
    let server = MockServer::start().await;
    Mock::given(path(format!("/web/api/v{version}/threats")))
        .respond_with(page(&[threat]))
        .mount(&server)
        .await;
    let close = close.to_string();
    let args = [("id", "9"), ("lastUpdate", "1 hour"), ("close_xsoar_incident", close.as_str())];
    run(&server, version, "get-remote-data", &args).await.response
}

#[tokio::test]
async fn get_remote_data_closes_and_reopens_incident() {
    let threat = |status: &str| {
        let info = json!({ "incidentStatus": status, "updatedAt": "2026-11-21T08:00:00Z" });
        json!({ "id": "9", "threatInfo": info, "brandNew": 1 })
    };
    let response = remote(V2_1, threat("resolved"), true).await;
    assert_eq!(response["mirrored_object"]["brandNew"], 1);
    assert_eq!(response["mirrored_object"]["incident_type"], "SentinelOne Incident");
    assert_eq!(response["changed"], true);
    assert_eq!(response["entries"][0]["Contents"]["dbotIncidentClose"], true);
    for open in ["unresolved", "in_progress"] {
        let response = remote(V2_1, threat(open), true).await;
        let contents = json!({ "dbotIncidentReopen": true });
        assert_eq!(
            response["entries"],
            json!([{ "Type": 1, "Contents": contents, "ContentsFormat": "json" }])
        );
    }
    assert_eq!(remote(V2_1, threat("brand_new"), true).await["entries"], json!([]));
    assert_eq!(remote(V2_1, threat("resolved"), false).await["entries"], json!([]));
}

#[tokio::test]
async fn get_remote_data_supports_api_2_0_threats() {
    let threat =
        |resolved: bool| json!({ "id": "9", "resolved": resolved, "updatedAt": "2026-11-21T07:00:00Z" });
    let response = remote(V2_0, threat(true), true).await;
    assert_eq!(response["entries"][0]["Contents"]["dbotIncidentClose"], true);
    assert_eq!(response["changed"], false, "an unchanged threat is also in the response");
    let response = remote(V2_0, threat(false), true).await;
    assert_eq!(response["entries"][0]["Contents"]["dbotIncidentReopen"], true);
}

#[tokio::test]
async fn get_remote_data_missing_threat_has_mirror_error() {
    let response =
        remote(V2_1, json!({ "id": "8", "threatInfo": { "incidentStatus": "resolved" } }), true).await;
    assert_eq!(response["mirrored_object"]["id"], "9");
    assert!(response["mirrored_object"]["in_mirror_error"].as_str().unwrap().contains('9'));
    assert_eq!(response["entries"], json!([]));

    // A failed request does not mean that the threat is missing.
    let server = MockServer::start().await;
    let error = run_error(&server, "get-remote-data", &[("id", "9"), ("lastUpdate", "1 hour")]).await;
    assert_eq!(error.status().unwrap(), 404);
}

/// (g) 18: the published command reads another name than documented. (g) 2: its time is not RFC 3339.
#[test]
fn get_modified_remote_data_accepts_both_argument_names() {
    for name in ["last_update", "lastUpdate"] {
        let args = [(name, "2026-11-20T10:00:00.123456+02:00")];
        let query = json!({ "updatedAt__gte": "2026-11-20T08:00:00.123456Z", "limit": "1000" });
        let expected = [json!(["GET", "/web/api/v2.1/threats", query, null])];
        assert_eq!(sent("get-modified-remote-data", V2_1, &args).unwrap(), expected);
    }
}

#[tokio::test]
async fn get_modified_remote_data_reads_all_pages() {
    let server = MockServer::start().await;
    let list = || Mock::given(path("/web/api/v2.1/threats"));
    let page = |ids: [u32; 2], next: Value| {
        let data: Vec<_> = ids.iter().map(|id| json!({ "id": id.to_string() })).collect();
        json_response(json!({ "data": data, "pagination": { "nextCursor": next } }))
    };
    list().and(query_param_is_missing("cursor")).respond_with(page([1, 2], "n".into())).mount(&server).await;
    let last = || list().and(query_param("cursor", "n"));
    last().respond_with(page([3, 4], Value::Null)).up_to_n_times(1).mount(&server).await;
    last().respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let outcome = run(&server, V2_1, "get-modified-remote-data", &[("last_update", "1 hour")]).await;
    assert_eq!(outcome.response, json!({ "ids": ["1", "2", "3", "4"] }));
    assert_eq!(outcome.context, outcome.response);

    let outcome = run(&server, V2_1, "get-modified-remote-data", &[("last_update", "1 hour")]).await;
    assert_eq!(outcome.response, json!({ "ids": ["1", "2"] }));
    assert_eq!(
        outcome.failure.as_ref().unwrap().status().unwrap(),
        503,
        "items read before the failure are kept"
    );
}
