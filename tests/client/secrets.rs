//! Secrets (token, passwords, API keys) do not occur in logs, errors, `Debug` output and printed requests.

use std::sync::{Arc, Mutex};

use sentinelone::commands::Arguments;
use sentinelone::{ApiToken, Client, ErrorKind, RateLimits, RetryPolicy, Secret, raw};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

use super::echo::{API_KEY, Echo, PASSWORD, PROXY_PASSWORD, TOKEN, assert_no_secret};

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
        // Connections to a console on this machine use no proxy, and another console requires TLS.
        if cfg!(feature = "rustls") {
            let proxied = Client::builder("console.example")
                .token(ApiToken::new(TOKEN).unwrap())
                .proxy(format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9"));
            let proxied = proxied.retry_policy(RetryPolicy::disabled()).build().unwrap();
            let _ = proxied.threats().list().page().await;
        }
    };
    runtime.block_on(call);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("hyper_util") && text.contains("sentinelone"), "{text}");
    assert_no_secret("the log", &text);
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
    if cfg!(feature = "rustls") {
        let proxied = Client::builder("console.example")
            .token(ApiToken::new(TOKEN).unwrap())
            .proxy(format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9"));
        assert_no_secret("a client with a proxy", &format!("{:?}", proxied.build().unwrap()));
    }
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
    let command = sentinelone::commands::FetchFile::new("1", "/etc/hosts", PASSWORD);
    assert_no_secret("a command", &format!("{command:?}"));
}
