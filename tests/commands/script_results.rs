//! Results of remote scripts: missing tasks, and the reasons that the console and the object store return.

use sentinelone::commands::{Command, NoProgress};
use serde_json::json;
use tempfile::TempDir;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer};

use super::files::{archive, file_names};
use super::queries::{SCRIPTS, automation, link, links, serve, started, task, tasks};
use super::*;

async fn serve_response(server: &MockServer, task: &str, response: ResponseTemplate) {
    Mock::given(path(format!("/files/{task}"))).respond_with(response).mount(server).await;
}

fn not_found(outcome: &Outcome) -> Vec<(&str, &str)> {
    outcome.not_found.iter().map(|one| (one.argument, one.id.as_str())).collect()
}

fn messages(outcome: &Outcome) -> Vec<String> {
    outcome.errors.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn task_results_missing_tasks_are_not_found() {
    let server = MockServer::start().await;
    links(json!({ "download_links": [link(&server, "2", "out.txt")] })).mount(&server).await;
    serve(&server, "2", "output").await;
    for names in [None, Some("web-07")] {
        for (ids, missing) in [("2", vec![]), ("2,8,8", vec!["8"]), ("7,8", vec!["7", "8"])] {
            let temp = TempDir::new().unwrap();
            let dir = temp.path().display().to_string();
            let mut args = vec![("task_ids", ids), ("dir", dir.as_str())];
            args.extend(names.map(|names| ("computer_names", names)));
            let outcome = run(&server, V2_1, "get-remote-script-task-results", &args).await;
            let expected: Vec<_> = missing.iter().map(|id| ("task_ids", *id)).collect();
            assert_eq!((not_found(&outcome), outcome.is_complete()), (expected, missing.is_empty()), "{ids}");
        }
    }
    server.reset().await;
    links(json!({ "download_links": [], "errors": [] })).mount(&server).await;
    let outcome = run(&server, V2_1, "get-remote-script-task-results", &[("task_ids", "999")]).await;
    assert_eq!(not_found(&outcome), [("task_ids", "999")]);
    assert!(!outcome.has_results() && !outcome.is_complete());
}

#[tokio::test]
async fn task_results_entry_without_link_keeps_its_reason() {
    let server = MockServer::start().await;
    let reason =
        json!({ "taskId": "4", "fileName": "out.txt", "downloadUrl": null, "message": "retention is over" });
    links(json!({ "download_links": [reason] })).mount(&server).await;
    let outcome = run(&server, V2_1, "get-remote-script-task-results", &[("task_ids", "4")]).await;
    let errors = messages(&outcome);
    assert!(errors.len() == 1 && errors[0].starts_with("task 4: "), "{errors:?}");
    assert!(errors[0].contains("retention is over"), "{errors:?}");
    assert_eq!(not_found(&outcome), []);
}

/// A truncated archive, an empty one and the error of an object store are errors of their task.
#[tokio::test]
async fn task_results_invalid_files_are_errors_per_task() {
    let server = MockServer::start().await;
    let zip = archive(&["output.txt", "errors.txt"]);
    let expired = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let bytes = |body: &[u8]| ResponseTemplate::new(200).set_body_bytes(body);
    serve_response(&server, "1", bytes(&zip[..zip.len() / 2])).await;
    serve_response(&server, "2", bytes(b"")).await;
    serve_response(&server, "3", ResponseTemplate::new(403).set_body_raw(expired, "application/xml")).await;
    serve_response(&server, "4", bytes(&zip)).await;
    let published: Vec<_> = ["1", "2", "3", "4"].map(|id| link(&server, id, &format!("{id}.zip"))).to_vec();
    links(json!({ "download_links": published })).mount(&server).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().display().to_string();
    let args = [("task_ids", "1,2,3,4"), ("dir", &dir)];
    let outcome = run(&server, V2_1, "get-remote-script-task-results", &args).await;
    let errors = messages(&outcome);
    for (error, (task, words)) in
        errors.iter().zip([("1", "truncated"), ("2", "0 bytes"), ("3", "Request has expired")])
    {
        assert!(
            error.starts_with(&format!("{task}.zip of task {task}: ")) && error.contains(words),
            "{error}"
        );
    }
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert_eq!(file_names(temp.path()), ["4.zip"]);
    let names: Vec<_> = outcome.items().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["4.zip"], "each written file is one item");
    assert!(outcome.has_results());
    // Links alone are not results.
    let server = MockServer::start().await;
    serve_response(&server, "1", bytes(&zip[..zip.len() / 2])).await;
    links(json!({ "download_links": [link(&server, "1", "1.zip")] })).mount(&server).await;
    let outcome =
        run(&server, V2_1, "get-remote-script-task-results", &[("task_ids", "1"), ("dir", &dir)]).await;
    assert_eq!(messages(&outcome).len(), 1, "{outcome:?}");
    assert!(outcome.failure.is_some() && !outcome.has_results(), "{outcome:?}");
}

#[tokio::test]
async fn task_status_missing_identifiers_are_not_found() {
    let (found, empty) = ([task("3", "30", "completed")], []);
    for (items, args, expected) in [
        (found.as_slice(), vec![("ids", "3")], vec![]),
        (&found, vec![("ids", "3,999")], vec![("ids", "999")]),
        (&empty, vec![("ids", "999")], vec![("ids", "999")]),
        (&empty, vec![], vec![("parent_task_id", "6")]),
        // The run may have no task in this state.
        (&empty, vec![("status", "failed")], vec![]),
        // A count lists no task.
        (&empty, vec![("ids", "999"), ("count_only", "true")], vec![]),
    ] {
        let server = MockServer::start().await;
        Mock::given(path(format!("{SCRIPTS}/status")))
            .respond_with(tasks(items, Value::Null))
            .mount(&server)
            .await;
        let args = [vec![("parent_task_id", "6")], args].concat();
        let outcome = run(&server, V2_1, "get-remote-script-task-status", &args).await;
        assert_eq!(not_found(&outcome), expected, "{args:?}");
    }
}

#[tokio::test]
async fn automate_results_failed_tasks_keep_descriptions() {
    let server = MockServer::start().await;
    let mut of_agent = task("101", "1", "failed");
    of_agent["statusDescription"] = "exit code 5 of the interpreter".into();
    let mut without_agent = of_agent.clone();
    without_agent["id"] = "102".into();
    without_agent["agentId"] = Value::Null;
    let list = || Mock::given(path(format!("{SCRIPTS}/status")));
    list().respond_with(tasks(&[of_agent, without_agent], Value::Null)).mount(&server).await;
    let temp = TempDir::new().unwrap();
    let command = automation(temp.path()).parent_task_id("55");
    let outcome = command.run(&client(&server, V2_1), &NoProgress).await.unwrap();
    let description = "failed: some details: exit code 5 of the interpreter";
    assert_eq!(outcome.results[0].detail.as_deref(), Some(description));
    assert_eq!(messages(&outcome), [format!("task 102: {description}")]);
}

#[tokio::test]
async fn run_script_waiting_for_approval_keeps_detail_of_console() {
    let server = MockServer::start().await;
    let details = json!([{ "threatId": "1", "result": "needs a second approver" }]);
    started(json!({ "affected": 2, "pending": true, "details": details })).mount(&server).await;
    let temp = TempDir::new().unwrap();
    let outcome = automation(temp.path()).run(&client(&server, V2_1), &NoProgress).await.unwrap();
    let detail = outcome.results[0].detail.as_deref().unwrap();
    assert_eq!(detail, "needs a second approver; the run waits for approval");
}
