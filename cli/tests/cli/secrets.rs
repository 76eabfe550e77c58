//! Secrets do not occur in the log, in errors and in printed requests of `s1`.

use std::process::{Command, Stdio};

use sentinelone::commands::registry;
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

use super::echo::{API_KEY, Echo, PASSWORD, PROXY_PASSWORD, TOKEN, VERIFICATION_CODE, assert_no_secret};

/// Returns a value for an argument of a command. Arguments for secrets get a secret.
fn value(command: &str, name: &str) -> &'static str {
    match name {
        "password" => PASSWORD,
        "api_key" => API_KEY,
        "protected_actions_code" => VERIFICATION_CODE,
        _ if command.contains("power") && name == "query" => "event.type = 'x'",
        _ => "4711",
    }
}

/// Returns a call of each command with its required arguments and its secrets.
fn calls() -> Vec<Vec<String>> {
    let mut calls = Vec::new();
    for entry in registry() {
        let mut call = vec![entry.info.name.to_owned()];
        for argument in (entry.arguments)() {
            if argument.required || matches!(argument.name, "password" | "api_key" | "protected_actions_code")
            {
                let option = argument.name.replace('_', "-").to_lowercase();
                let first = argument.values.first().copied();
                call.extend([
                    format!("--{option}"),
                    first.unwrap_or(value(entry.info.name, argument.name)).to_owned(),
                ]);
            }
        }
        calls.push(call);
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_log_of_each_command_has_no_secret() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Echo).mount(&server).await;
    let dir = tempfile::tempdir().unwrap();
    let (mut logged_calls, mut logged_passwords) = (0, 0);
    for call in calls() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
        command
            .current_dir(dir.path())
            .env("S1_API_TOKEN", TOKEN)
            .env("HTTPS_PROXY", format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9"))
            .env("S1_CONSOLE_URL", server.uri())
            .args(["--log-level", "trace", "--yes", "--max-attempts", "1", "--rate-limits", "off"])
            .args(&call)
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_no_secret(&call[0], &error);
        let logged = error.contains("sentinelone: sending");
        logged_calls += usize::from(logged);
        logged_passwords += usize::from(call.iter().any(|arg| arg == PASSWORD) && logged);
        // The output of a successful command can quote the response of the console.
        if !output.status.success() {
            assert_no_secret(&call[0], &String::from_utf8_lossy(&output.stdout));
        }
    }
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| request.headers["authorization"] == format!("ApiToken {TOKEN}")));
    let with_password =
        requests.iter().filter(|request| String::from_utf8_lossy(&request.body).contains("of-the-test-1"));
    assert!(with_password.count() >= 4, "passwords were sent and returned");
    assert!(logged_calls > 40, "calls with log output: {logged_calls}");
    assert!(logged_passwords >= 3, "{logged_passwords}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_error_has_no_password() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    command
        .env("S1_API_TOKEN", TOKEN)
        .env("HTTPS_PROXY", format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9"))
        .args([
            "--console-url",
            "console.example",
            "--log-level",
            "trace",
            "--max-attempts",
            "2",
            "get-threats",
        ]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("was not reached"), "{error}");
    assert_no_secret("get-threats", &error);
}

/// An invalid argument can be a part of an unquoted password, so usage errors do not quote it.
#[test]
fn usage_errors_quote_no_secret() {
    let fetch = ["fetch-file", "--agent-id", "1", "--file-path", "/etc/hosts"];
    for args in [
        &["--password", "Hunter2", "of-the-test"][..],
        &["--password=Hunter2", "--of-the-test"],
        &["--pasword", "x", "--password", "--Hunter2-of-the-test", "of-the-test"],
        &["--password", "--Hunter2-of-the-test", "--unknown"],
        &["--password", "short", "--dry-run"],
        &["--api_key", "of-the-test"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(fetch).args(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(!error.contains("of-the-test") && !error.contains("Hunter2"), "{args:?}: {error}");
    }
    for args in [
        &["login", "Hunter2-of-the-test"][..],
        &["login", "--token-stdin=Hunter2-of-the-test"],
        &["login", "--token", "Hunter2-of-the-test"],
        &["login", "--token-store", "Hunter2-of-the-test"],
        &["login", "--max-attempts", "Hunter2-of-the-test"],
        &["login", "--Hunter2-of-the-test"],
        &["--profile", "lab", "login", "Hunter2-of-the-test"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains("login --help") && !error.contains("of-the-test"), "{args:?}: {error}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_s1"))
        .args(fetch)
        .args(["--password", "--Hunter2-of-the-test", "--dry-run"])
        .output()
        .unwrap();
    assert!(output.status.success(), "a password can begin with a hyphen");
}

#[test]
fn dry_run_redacts_secrets() {
    for call in calls().iter().filter(|call| call.iter().any(|arg| arg == PASSWORD || arg == API_KEY)) {
        let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(["--dry-run"]).args(call).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let output = String::from_utf8_lossy(&output.stdout);
        let has_body = serde_json::from_str::<Value>(&output)
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .any(|one| !one["body"].is_null());
        assert_eq!(output.contains("********"), has_body, "{output}");
        assert_no_secret(&call[0], &output);
    }
}
