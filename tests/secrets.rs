//! Secrets (token, passwords, API keys) do not occur in logs, errors, `Debug` output and printed requests.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use sentinelone::commands::{Arguments, registry};
use sentinelone::{ApiToken, Client, ErrorKind, RateLimits, RetryPolicy, Secret, raw};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const TOKEN: &str = "eyJhbGciOi-token-of-the-test";
const PASSWORD: &str = "Pass\"word\\-of-the-test-1";
const API_KEY: &str = "api-key-of-the-test";
const VERIFICATION_CODE: &str = "471147-of-the-test";
const PROXY_PASSWORD: &str = "proxy-password-of-the-test";

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns the request data, including secrets, in one of four formats: an API error, an HTML page, a success with API
/// errors, and a response that does not decode.
struct Echo;

impl Respond for Echo {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        // Reads before an action with a password.
        if request.url.path().ends_with("/auth/elevate") {
            return ResponseTemplate::new(200).set_body_json(json!({ "data": { "duration": 30 } }));
        }
        if ["/activities", "/timeline"].iter().any(|end| request.url.path().ends_with(end)) {
            return ResponseTemplate::new(200).set_body_json(json!({ "data": [], "pagination": {} }));
        }
        let token = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let token = token.unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let parsed: Value = serde_json::from_str(&body).unwrap_or_default();
        let template = ResponseTemplate::new(400)
            .insert_header("x-rqid", TOKEN)
            .insert_header("retry-after", token.as_str());
        // The length of the URL selects the format, so it is deterministic.
        let password = parsed["data"]["password"].as_str().unwrap_or_default();
        match request.url.as_str().len() % 4 {
            0 => template.set_body_json(json!({
                "errors": [{ "code": token, "title": body, "detail": parsed["data"] }, parsed],
            })),
            1 => {
                let link: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
                let page = password.replace('"', "&quot;");
                template.set_body_raw(format!("<html>{token} {body} {page} <p>?{link}</p>"), "text/html")
            }
            2 => ResponseTemplate::new(200).insert_header("x-rqid", password).set_body_json(json!({
                "data": { "affected": 0, "success": true, "details": [{ "threatId": "4711", "status": body }] },
                "errors": [{ "code": token, "detail": body, "title": parsed.to_string() }],
            })),
            _ => ResponseTemplate::new(200).set_body_json(json!({
                "data": 7, "pagination": { "nextCursor": 7 }, token: body,
                "errors": [{ "detail": parsed.to_string() }],
            })),
        }
    }
}

/// Returns the secrets in all encodings in which they could be printed.
fn encoded_secrets() -> Vec<String> {
    let escaped = json!(PASSWORD).to_string();
    let page = PASSWORD.replace('"', "&quot;");
    let link: String = url::form_urlencoded::byte_serialize(PASSWORD.as_bytes()).collect();
    let secrets = [
        TOKEN,
        PASSWORD,
        escaped.trim_matches('"'),
        API_KEY,
        VERIFICATION_CODE,
        PROXY_PASSWORD,
        &page,
        &link,
    ];
    secrets.map(str::to_owned).into()
}

#[track_caller]
fn assert_no_secret(context: &str, text: &str) {
    for secret in encoded_secrets() {
        assert!(!text.contains(&secret), "{context} contains {secret}:\n{text}");
    }
}

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

/// The trace log of all libraries has no secret.
#[test]
fn trace_log_of_library_has_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = async {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Echo).mount(&server).await;
        let builder = Client::builder(server.uri()).token(ApiToken::new(TOKEN).unwrap());
        let client = builder
            .retry_policy(RetryPolicy::disabled())
            .rate_limits(RateLimits::disabled())
            .build()
            .unwrap();
        let _guard = tracing::subscriber::set_default(subscriber);
        for agent in ["1", "12", "123", "1234"] {
            let data = raw::agents::AgentFileRequestData::new(["/etc/hosts"], PASSWORD);
            let body = raw::agents::AgentsFetchFilesRequest::new(data);
            let _ = client.send(&raw::agents::fetch_files(agent, &body).unwrap()).await;
        }
        let proxied = Client::builder("console.example")
            .token(ApiToken::new(TOKEN).unwrap())
            .proxy(format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9"));
        let _ = proxied.retry_policy(RetryPolicy::disabled()).build().unwrap().threats().list().page().await;
    };
    runtime.block_on(call);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("hyper_util") && text.contains("sentinelone"), "{text}");
    assert_no_secret("the log", &text);
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

#[tokio::test]
async fn errors_and_debug_output_have_no_secret() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Echo).mount(&server).await;
    let builder = Client::builder(server.uri())
        .token(ApiToken::new(TOKEN).unwrap())
        .proxy(format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9"))
        .retry_policy(RetryPolicy::disabled())
        .rate_limits(RateLimits::disabled());
    assert_no_secret("the builder", &format!("{builder:?}"));
    let client = builder.build().unwrap();
    assert_no_secret("the client", &format!("{client:?}"));
    let proxied = Client::builder("console.example")
        .token(ApiToken::new(TOKEN).unwrap())
        .proxy(format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9"));
    assert_no_secret("a client with a proxy", &format!("{:?}", proxied.build().unwrap()));
    assert_eq!(format!("{:?}", Secret::from(PASSWORD)), "Secret(…)");

    let mut kinds = Vec::new();
    for agent in ["1", "12", "123", "1234"] {
        let data = raw::agents::AgentFileRequestData::new(["/etc/hosts"], PASSWORD);
        assert_no_secret("a part of a body", &format!("{data:?}"));
        let request =
            raw::agents::fetch_files(agent, &raw::agents::AgentsFetchFilesRequest::new(data)).unwrap();
        assert_no_secret("a request", &format!("{request:?}"));
        let result = client.send(&request).await;
        if let Ok(response) = &result {
            let debug = format!("{:?} {response:?}", response.api_errors());
            assert_no_secret("a response with API errors", &debug);
            assert!(!response.api_errors().is_empty());
            kinds.push(ErrorKind::NoResult);
            continue;
        }
        let error = result.as_ref().unwrap_err();
        kinds.push(error.kind());
        let body = String::from_utf8_lossy(error.body().unwrap()).into_owned();
        let parts = [
            error.to_string(),
            format!("{error:?} {error:#?}"),
            format!("{:?} {:?} {:?}", error.api_errors(), error.retry_after_header(), error.request_id()),
            format!("{:?}", error.decode_error()),
            body,
        ];
        parts.iter().for_each(|part| assert_no_secret("an error", part));
        // The message of `unwrap`.
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            result.as_ref().unwrap();
        }));
        assert_no_secret("a panic", panic.unwrap_err().downcast_ref::<String>().unwrap());
    }
    kinds.sort_by_key(|kind| format!("{kind:?}"));
    let expected = [ErrorKind::Api, ErrorKind::Api, ErrorKind::Decode, ErrorKind::NoResult];
    assert_eq!(kinds, expected, "each format of the echo occurs");

    let other = ApiToken::new(format!("{TOKEN}-of-another-user")).unwrap();
    let error = client.users().api_token_details(&other).await.unwrap_err();
    assert_no_secret("an error about another token", &format!("{error} {:?}", error.body()));
}

/// `Debug` output of arguments and commands, used in error messages and logs.
#[test]
fn arguments_and_commands_debug_has_no_secret() {
    let arguments = Arguments::new().with("password", PASSWORD).with("api_key", API_KEY);
    assert_no_secret("arguments", &format!("{arguments:?}"));
    let command = sentinelone::commands::FetchFile {
        agent_id: "1".into(),
        file_path: "/etc/hosts".into(),
        password: SecretString::from(PASSWORD),
        dir: ".".into(),
        timeout: Duration::from_secs(1),
        unpack: true,
    };
    assert_no_secret("a command", &format!("{command:?}"));
}
