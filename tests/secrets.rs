//! The token, passwords and API keys: nowhere but in what is sent.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use sentinelone::commands::{Arguments, registry};
use sentinelone::{ApiToken, Client, ErrorKind, RateLimits, Retry, Secret, raw};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const TOKEN: &str = "eyJhbGciOi-token-of-the-test";
const PASSWORD: &str = "Pass\"word\\-of-the-test-1";
const API_KEY: &str = "api-key-of-the-test";
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

/// Sends back all that it was told: in an error of the vendor's form, in a page, and in an answer of success that
/// is none.
struct Echo;

impl Respond for Echo {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        // What is looked at before a password is sent.
        if ["/activities", "/timeline"].iter().any(|end| request.url.path().ends_with(end)) {
            return ResponseTemplate::new(200).set_body_json(json!({ "data": [], "pagination": {} }));
        }
        let token = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let token = token.unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let parsed: Value = serde_json::from_str(&body).unwrap_or_default();
        let answer = ResponseTemplate::new(400)
            .insert_header("x-rqid", TOKEN)
            .insert_header("retry-after", token.as_str());
        // Which form it is depends on the request, and is the same for the same one.
        let password = parsed["data"]["password"].as_str().unwrap_or_default();
        match request.url.as_str().len() % 4 {
            0 => answer.set_body_json(json!({
                "errors": [{ "code": token, "title": body, "detail": parsed["data"] }, parsed],
            })),
            1 => {
                let link: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
                let page = password.replace('"', "&quot;");
                answer.set_body_raw(format!("<html>{token} {body} {page} <p>?{link}</p>"), "text/html")
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

/// What is secret in every form in which it could be printed.
fn forms() -> Vec<String> {
    let escaped = json!(PASSWORD).to_string();
    let page = PASSWORD.replace('"', "&quot;");
    let link: String = url::form_urlencoded::byte_serialize(PASSWORD.as_bytes()).collect();
    let secrets = [TOKEN, PASSWORD, escaped.trim_matches('"'), API_KEY, PROXY_PASSWORD, &page, &link];
    secrets.map(str::to_owned).into()
}

#[track_caller]
fn no_secret_in(what: &str, text: &str) {
    for secret in forms() {
        assert!(!text.contains(&secret), "{what} holds {secret}:\n{text}");
    }
}

/// A value for an argument of a command, the secret ones being secret.
fn value(command: &str, name: &str) -> &'static str {
    match name {
        "password" => PASSWORD,
        "api_key" => API_KEY,
        _ if command.contains("power") && name == "query" => "event.type = 'x'",
        _ => "4711",
    }
}

/// Every command as it is asked for with all that it cannot be without, and with what is secret.
fn calls() -> Vec<Vec<String>> {
    let mut calls = Vec::new();
    for entry in registry() {
        let mut call = vec![entry.info.name.to_owned()];
        for argument in (entry.arguments)() {
            if argument.required || matches!(argument.name, "password" | "api_key") {
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
async fn a_run_at_trace_level_prints_no_secret() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Echo).mount(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let (mut spoke, mut with_passwords) = (0, 0);
    for call in calls() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
        command
            .current_dir(folder.path())
            .env("S1_API_TOKEN", TOKEN)
            .env("HTTPS_PROXY", format!("http://someone:{PROXY_PASSWORD}@127.0.0.1:9"))
            .env("S1_CONSOLE_URL", server.uri())
            .args(["--log", "trace", "--yes", "--attempts", "1", "--rate-limits", "off"])
            .args(&call)
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        no_secret_in(&call[0], &error);
        let spoken = error.contains("sentinelone: sending");
        spoke += usize::from(spoken);
        with_passwords += usize::from(call.iter().any(|word| word == PASSWORD) && spoken);
        // What is listed is what the console sent; what an action prints is the client's own.
        if !output.status.success() {
            no_secret_in(&call[0], &String::from_utf8_lossy(&output.stdout));
        }
    }
    let asked = server.received_requests().await.unwrap();
    assert!(asked.iter().all(|request| request.headers["authorization"] == format!("ApiToken {TOKEN}")));
    let told =
        asked.iter().filter(|request| String::from_utf8_lossy(&request.body).contains("of-the-test-1"));
    assert!(told.count() >= 4, "passwords were sent, and came back");
    assert!(spoke > 40, "the log was on: {spoke}");
    assert!(with_passwords >= 3, "{with_passwords}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_is_told_without_its_password() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    command
        .env("S1_API_TOKEN", TOKEN)
        .env("HTTPS_PROXY", format!("http://someone:{PROXY_PASSWORD}@127.0.0.1:9"))
        .args(["--console-url", "console.example", "--log", "trace", "--attempts", "2", "get-threats"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("was not reached"), "{error}");
    no_secret_in("get-threats", &error);
}

/// Everything that everybody logs, the libraries below included.
#[test]
fn a_library_at_trace_level_logs_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let everything = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = async {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Echo).mount(&server).await;
        let builder = Client::builder(server.uri()).token(ApiToken::new(TOKEN).unwrap());
        let client = builder.retry(Retry::off()).rate_limits(RateLimits::off()).build().unwrap();
        let _here = tracing::subscriber::set_default(everything);
        for agent in ["1", "12", "123", "1234"] {
            let data = raw::agents::AgentFileRequestData::new(["/etc/hosts"], PASSWORD);
            let body = raw::agents::AgentFileRequest::new(data);
            let _ = client.send(&raw::agents::fetch_files(agent, &body).unwrap()).await;
        }
        let proxied = Client::builder("console.example")
            .token(ApiToken::new(TOKEN).unwrap())
            .proxy(format!("http://someone:{PROXY_PASSWORD}@127.0.0.1:9"));
        let _ = proxied.retry(Retry::off()).build().unwrap().threats().list().page().await;
    };
    runtime.block_on(call);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("hyper_util") && text.contains("sentinelone"), "{text}");
    no_secret_in("the log", &text);
}

/// What does not fit on the command line may be a password that was not quoted.
#[test]
fn errors_of_the_command_line_show_no_secret() {
    let fetch = ["fetch-file", "--agent-id", "1", "--file-path", "/etc/hosts"];
    for wrong in [
        &["--password", "Hunter2", "of-the-test"][..],
        &["--password=Hunter2", "--of-the-test"],
        &["--pasword", "x", "--password", "--Hunter2-of-the-test", "of-the-test"],
        &["--password", "--Hunter2-of-the-test", "--unknown"],
        &["--password", "short", "--dry-run"],
        &["--api_key", "of-the-test"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(fetch).args(wrong).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {error}");
        assert!(!error.contains("of-the-test") && !error.contains("Hunter2"), "{wrong:?}: {error}");
    }
    for wrong in [
        &["login", "Hunter2-of-the-test"][..],
        &["login", "--token-stdin=Hunter2-of-the-test"],
        &["login", "--token", "Hunter2-of-the-test"],
        &["login", "--token-in", "Hunter2-of-the-test"],
        &["login", "--attempts", "Hunter2-of-the-test"],
        &["login", "--Hunter2-of-the-test"],
        &["--profile", "lab", "login", "Hunter2-of-the-test"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(wrong).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {error}");
        assert!(error.contains("login --help") && !error.contains("of-the-test"), "{wrong:?}: {error}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_s1"))
        .args(fetch)
        .args(["--password", "--Hunter2-of-the-test", "--dry-run"])
        .output()
        .unwrap();
    assert!(output.status.success(), "a password may begin with a dash");
}

#[test]
fn dry_runs_cover_secrets() {
    for call in calls().iter().filter(|call| call.iter().any(|word| word == PASSWORD || word == API_KEY)) {
        let output = Command::new(env!("CARGO_BIN_EXE_s1")).args(["--dry-run"]).args(call).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8_lossy(&output.stdout);
        let sends = serde_json::from_str::<Value>(&shown)
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .any(|one| !one["body"].is_null());
        assert_eq!(shown.contains("********"), sends, "{shown}");
        no_secret_in(&call[0], &shown);
    }
}

#[tokio::test]
async fn no_error_and_no_debug_output_holds_a_secret() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Echo).mount(&server).await;
    let builder = Client::builder(server.uri())
        .token(ApiToken::new(TOKEN).unwrap())
        .proxy(format!("http://someone:{PROXY_PASSWORD}@127.0.0.1:9"))
        .retry(Retry::off())
        .rate_limits(RateLimits::off());
    no_secret_in("the builder", &format!("{builder:?}"));
    let client = builder.build().unwrap();
    no_secret_in("the client", &format!("{client:?}"));
    let elsewhere = Client::builder("console.example")
        .token(ApiToken::new(TOKEN).unwrap())
        .proxy(format!("http://someone:{PROXY_PASSWORD}@127.0.0.1:9"));
    no_secret_in("a client with a proxy", &format!("{:?}", elsewhere.build().unwrap()));
    assert_eq!(format!("{:?}", Secret::from(PASSWORD)), "Secret(…)");

    let mut kinds = Vec::new();
    for agent in ["1", "12", "123", "1234"] {
        let data = raw::agents::AgentFileRequestData::new(["/etc/hosts"], PASSWORD);
        no_secret_in("a part of a body", &format!("{data:?}"));
        let request = raw::agents::fetch_files(agent, &raw::agents::AgentFileRequest::new(data)).unwrap();
        no_secret_in("a request", &format!("{request:?}"));
        let result = client.send(&request).await;
        if let Ok(answer) = &result {
            let said = format!("{:?} {answer:?}", answer.vendor_errors());
            no_secret_in("what the console says beside its data", &said);
            assert!(!answer.vendor_errors().is_empty());
            kinds.push(ErrorKind::Ended);
            continue;
        }
        let error = result.as_ref().unwrap_err();
        kinds.push(error.kind());
        let body = String::from_utf8_lossy(error.body().unwrap()).into_owned();
        let parts = [
            error.to_string(),
            format!("{error:?} {error:#?}"),
            format!("{:?} {:?} {:?}", error.vendor_errors(), error.retry_after(), error.request_id()),
            format!("{:?}", error.decode_error()),
            body,
        ];
        parts.iter().for_each(|part| no_secret_in("an error", part));
        // As a program prints it that gives up on it.
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            result.as_ref().unwrap();
        }));
        no_secret_in("a panic", panic.unwrap_err().downcast_ref::<String>().unwrap());
    }
    kinds.sort_by_key(|kind| format!("{kind:?}"));
    let expected = [ErrorKind::Api, ErrorKind::Api, ErrorKind::Decode, ErrorKind::Ended];
    assert_eq!(kinds, expected, "every form of the echo");

    let other = ApiToken::new(format!("{TOKEN}-of-someone-else")).unwrap();
    let error = client.users().api_token_details(&other).await.unwrap_err();
    no_secret_in("an error about another token", &format!("{error} {:?}", error.body()));
}

/// Arguments are shown when a command is wrong, and logged by those who build on the registry.
#[test]
fn arguments_and_commands_show_no_secret() {
    let arguments = Arguments::new().with("password", PASSWORD).with("api_key", API_KEY);
    no_secret_in("arguments", &format!("{arguments:?}"));
    let command = sentinelone::commands::FetchFile {
        agent_id: "1".into(),
        file_path: "/etc/hosts".into(),
        password: SecretString::from(PASSWORD),
        folder: ".".into(),
        timeout: Duration::from_secs(1),
        unpack: true,
    };
    no_secret_in("a command", &format!("{command:?}"));
}
