//! Fault matrix: each curated operation with each fault, and each other operation with one fault of each class.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use sentinelone::raw::runtime::{Binary, Paging, ResponseFormat};
use sentinelone::raw::{OPERATIONS, reencode_response};
use sentinelone::{
    ApiToken, ApiVersion, Client, DecodeError, Delivery, Error, ErrorKind, Operation, OperationKind, Page,
    Request, ResponseBody, RetryPolicy, Secret, Tier,
};
use sentinelone_contract::Contract;
use sentinelone_contract::fixture::ProvenanceKind;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::clock::VirtualClock;
use crate::server::{Fault, Server, ValidResponse};
use crate::support::{fixtures, is_curated, request_of};
use crate::{TOKEN, print_line};

/// Maximum number of attempts, not counting responses with status 429.
const ATTEMPTS: u32 = 3;

/// Timeout of a call, on a clock that skips waits.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Attempts of a throttled call. Six waits from 0.5 s, doubled up to 30 s, take 31.5 s; a seventh wait of 30 s would
/// exceed the timeout.
const THROTTLED_ATTEMPTS: u32 = 7;

/// Number of clients that share the operations of a fast fault, and of a fault that ends with a timeout.
const LANES: (usize, usize) = (2, 10);

/// Timeout that ends a stall.
const STALL_TIMEOUT: Duration = Duration::from_millis(300);

/// Real time that a call may take in addition to its timeouts, for a busy machine.
const ALLOWANCE: Duration = Duration::from_secs(10);

/// Maximum response size, in bytes.
const MAX_RESPONSE_SIZE: usize = 1024 * 1024;

/// Number of bytes after which a download counts as endless.
const DOWNLOAD_LIMIT: u64 = 1024 * 1024;

/// A fault of each class, by the kind of the error: `Connect`, `ConnectionLost`, `Timeout`, `Api`, `Decode` and
/// `ResponseTooLarge`.
const ONE_OF_EACH_CLASS: &[Fault] = &[
    Fault::ConnectionRefused,
    Fault::ResetInBody,
    Fault::StallInBody,
    Fault::Unavailable,
    Fault::InvalidJson,
    Fault::HugeWithLength,
];

tokio::task_local! {
    /// The operation whose type decodes the response.
    static OPERATION: &'static Operation;
}

/// A response that is decoded as the type of the operation.
#[derive(Debug)]
struct TypedResponse;

impl ResponseBody for TypedResponse {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        match OPERATION.with(|operation| reencode_response(operation.id, body)) {
            Some(response) => response.map(|_| Self),
            None => Binary::decode(body).map(|_| Self),
        }
    }
}

/// An operation with the request and response of a fixture.
pub(crate) struct Case {
    pub(crate) operation: &'static Operation,
    pub(crate) version: ApiVersion,
    pub(crate) request: Request<Value>,
    valid_body: Vec<u8>,
    /// Whether the response is a list, which requires `data`.
    is_list: bool,
}

/// Expected outcome of a call.
#[derive(Debug)]
struct Expected {
    /// `None` if the call succeeds.
    error: Option<ErrorKind>,
    delivery: Delivery,
    may_have_taken_effect: bool,
    attempts: u32,
}

/// Expected outcome of a download.
#[derive(Debug, PartialEq, Eq)]
enum DownloadOutcome {
    /// The same error as a call.
    SameAsCall,
    /// The response is not a file.
    NotAFile(ErrorKind),
    Complete,
    Interrupted(ErrorKind),
    /// The download exceeds [`DOWNLOAD_LIMIT`].
    Endless,
}

/// Returns the outcome that `RetryPolicy`, `ErrorKind`, `Delivery` and `Error::may_have_taken_effect` document.
fn expected(fault: Fault, case: &Case) -> Expected {
    let operation = case.operation;
    use ErrorKind::{Api, Connect, ConnectionLost, Decode, ResponseTooLarge, Timeout};
    let is_read = operation.kind == OperationKind::Read;
    // The permit of the next attempt may come after the timeout.
    let period = operation.rate_limit.as_ref().map_or(0.0, |rate| rate.per_second.recip());
    let attempts_in_time = |attempts| if period < CALL_TIMEOUT.as_secs_f64() { attempts } else { 1 };
    let (attempts, throttled) = (attempts_in_time(ATTEMPTS), attempts_in_time(THROTTLED_ATTEMPTS));
    let if_read = if is_read { attempts } else { 1 };
    let json = operation.response_format == ResponseFormat::Json;
    let success =
        Expected { error: None, delivery: Delivery::Delivered, may_have_taken_effect: false, attempts: 1 };
    let error = |kind, delivery, may_have_taken_effect, attempts| Expected {
        error: Some(kind),
        delivery,
        may_have_taken_effect,
        attempts,
    };
    // Only JSON operations decode the body; a binary operation accepts any bytes.
    let decode_error =
        || if json { error(Decode, Delivery::Delivered, true, 1) } else { Expected { ..success } };
    match fault {
        // The request is not delivered, so actions are retried too.
        Fault::ConnectionRefused => error(Connect, Delivery::NotSent, false, attempts),
        #[cfg(target_os = "linux")]
        Fault::HandshakeStall => error(Connect, Delivery::NotSent, false, attempts),

        // The request may have taken effect.
        Fault::ResetUnread
        | Fault::ResetBeforeResponse
        | Fault::CloseBeforeResponse
        | Fault::ResetInHead
        | Fault::ResetInBody
        | Fault::IncompleteChunk
        | Fault::LengthTooLong
        | Fault::InvalidHeaders
        | Fault::HugeHeader
        | Fault::TooManyHeaders
        | Fault::NoStatusLine => error(ConnectionLost, Delivery::Unknown, true, if_read),
        Fault::StallAfterAccept
        | Fault::StallAfterRequest
        | Fault::StallInHead
        | Fault::StallInBody => error(Timeout, Delivery::Unknown, true, if_read),
        // The call timeout ends the attempt and the call.
        Fault::SlowBody => error(Timeout, Delivery::Unknown, true, 1),

        // Status 200 with an invalid body is not retried.
        Fault::InvalidJson
        | Fault::JsonArray
        | Fault::JsonNumber
        | Fault::JsonString
        | Fault::JsonNull
        | Fault::NumericData
        | Fault::HtmlWith200
        // The truncated body is invalid JSON.
        | Fault::LengthTooShort => decode_error(),
        // The response of an action may be empty. A list response without `data` is not an empty list.
        Fault::EmptyObject if case.is_list => decode_error(),
        Fault::EmptyObject => success,
        Fault::EmptyBody | Fault::NoContent if is_read => decode_error(),
        Fault::EmptyBody | Fault::NoContent => success,
        Fault::ErrorsWith200 if json => error(Api, Delivery::Delivered, true, 1),
        Fault::ErrorsWith200 => success,
        // A binary response with an invalid encoding is also an error.
        Fault::InvalidGzip => error(Decode, Delivery::Delivered, true, 1),
        Fault::HugeWithLength | Fault::HugeChunked => error(ResponseTooLarge, Delivery::Delivered, true, 1),

        // The console rejected the request; `Retry-After` does not matter.
        Fault::HtmlWith429
        | Fault::RetryAfterPastDate
        | Fault::RetryAfterZero
        | Fault::RetryAfterEcho => error(Api, Delivery::Delivered, false, throttled),
        // `Retry-After` exceeds the call timeout.
        Fault::RetryAfterYears | Fault::RetryAfterYearsDate => error(Api, Delivery::Delivered, false, 1),
        Fault::UnavailableRetryAfter => error(Api, Delivery::Delivered, false, attempts),
        // The console or a proxy may have failed after the request took effect.
        Fault::Unavailable | Fault::BadGateway | Fault::GatewayTimeout => {
            error(Api, Delivery::Delivered, true, if_read)
        }
        Fault::InternalServerError => error(Api, Delivery::Delivered, true, 1),
        Fault::Unauthorized
        | Fault::Redirect301
        | Fault::Redirect302
        | Fault::Redirect303
        | Fault::Redirect307
        | Fault::Redirect308
        | Fault::RedirectToHostname => error(Api, Delivery::Delivered, false, 1),

        // These faults affect only pagination.
        Fault::RepeatedCursor | Fault::NoPagination => success,
        Fault::InterimResponses => success,
    }
}

/// Returns the expected outcome of a download. Downloads have no size limit, and a timeout only until the body starts.
fn expected_download(fault: Fault) -> DownloadOutcome {
    use DownloadOutcome::{Complete, Endless, Interrupted, NotAFile, SameAsCall};

    match fault {
        Fault::ResetInBody | Fault::IncompleteChunk | Fault::LengthTooLong => {
            Interrupted(ErrorKind::ConnectionLost)
        }
        Fault::StallInBody => Interrupted(ErrorKind::Timeout),
        Fault::SlowBody | Fault::HugeWithLength | Fault::HugeChunked => Endless,
        // A JSON document or an HTML page is not a file.
        Fault::InvalidJson
        | Fault::JsonArray
        | Fault::JsonNumber
        | Fault::JsonString
        | Fault::JsonNull
        | Fault::NumericData
        | Fault::EmptyObject
        | Fault::HtmlWith200
        | Fault::NoContent => NotAFile(ErrorKind::NoResult),
        Fault::ErrorsWith200 => NotAFile(ErrorKind::Api),
        // The upload of an agent is a zip archive.
        Fault::EmptyBody | Fault::LengthTooShort => Interrupted(ErrorKind::Archive),
        // Encoded content is saved unchanged.
        Fault::InvalidGzip | Fault::RepeatedCursor | Fault::NoPagination | Fault::InterimResponses => {
            Complete
        }
        _ => SameAsCall,
    }
}

/// Returns each curated operation with its first successful fixture, handwritten fixtures first.
pub(crate) fn cases() -> Vec<Case> {
    cases_of(Tier::Curated)
}

/// Returns each operation of a tier with its first successful fixture, handwritten fixtures first.
fn cases_of(tier: Tier) -> Vec<Case> {
    let contract = Contract::bundled();
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    let mut fixtures = fixtures();
    fixtures.sort_by_key(|(_, exchange)| exchange.provenance.kind == ProvenanceKind::Generated);
    for (_, exchange) in fixtures.into_iter().filter(|(_, exchange)| exchange.status < 300) {
        let found = exchange.match_operation(contract).unwrap();
        if is_curated(found.operation.id()) != (tier == Tier::Curated) {
            continue;
        }
        let mut request = request_of(found.operation.id(), &exchange, &found.path_values);
        if tier == Tier::Documented {
            // No source declares the fields of some filters.
            request = request.everything_in_scope();
        }
        let (version, valid_body) = (found.version.unwrap_or_default(), exchange.response_bytes());
        let data = found.operation.success_schema().map(|(_, schema)| contract.properties(schema));
        let data = data.and_then(|mut members| members.remove("data"));
        let is_list = request.operation().paging == Paging::Cursor
            || data.is_some_and(|data| contract.type_of(data) == Some("array"));
        let case = Case { operation: request.operation(), version, request, valid_body, is_list };
        cases.entry(found.operation.id().to_owned()).or_insert(case);
    }
    cases.into_values().collect()
}

/// Returns a client for a fault: waits are skipped, and `stall_timeout` ends stalls.
fn client(
    server: &Server,
    fault: Fault,
    version: ApiVersion,
    clock: VirtualClock,
    stall_timeout: Duration,
) -> Client {
    let client = Client::builder(server.url())
        .token(ApiToken::new(TOKEN).unwrap())
        .api_version(version)
        .retry_policy(RetryPolicy::default().max_attempts(ATTEMPTS))
        .clock(clock)
        .jitter_source(|| 1.0)
        .max_response_size(MAX_RESPONSE_SIZE);
    let client = match fault {
        // Only the call timeout ends a slow body.
        Fault::SlowBody => client.timeout(stall_timeout),
        #[cfg(target_os = "linux")]
        Fault::HandshakeStall => client.timeout(CALL_TIMEOUT).connect_timeout(stall_timeout),
        fault if ends_with_timeout(fault) => client.timeout(CALL_TIMEOUT).read_timeout(stall_timeout),
        _ => client.timeout(CALL_TIMEOUT),
    };
    client.build().unwrap()
}

/// Returns whether a timeout of the client ends the fault.
fn ends_with_timeout(fault: Fault) -> bool {
    match fault {
        #[cfg(target_os = "linux")]
        Fault::HandshakeStall => true,
        Fault::StallAfterAccept
        | Fault::StallAfterRequest
        | Fault::StallInHead
        | Fault::StallInBody
        | Fault::SlowBody => true,
        _ => false,
    }
}

/// Returns the real time that a call may take.
fn time_limit(fault: Fault) -> Duration {
    match fault {
        Fault::SlowBody => STALL_TIMEOUT + ALLOWANCE,
        _ => STALL_TIMEOUT * ATTEMPTS + ALLOWANCE,
    }
}

/// Returns all text that an error exposes.
fn error_text(error: &Error) -> String {
    let mut text =
        format!("{error} {error:?} {error:#?} {:?} {:?}", error.request_id(), error.retry_after_header());
    text.push_str(&format!("{:?} {:?}", error.api_errors(), error.decode_error()));
    text.push_str(&String::from_utf8_lossy(error.body().map_or(&[], |body| body)));
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!("{cause} {cause:?}"));
        source = cause.source();
    }
    text
}

/// Failed assertions of the matrix.
#[derive(Default)]
struct Failures {
    messages: Vec<String>,
    /// Number of calls with fewer received requests than attempts.
    undelivered: usize,
}

impl Failures {
    fn check(&mut self, condition: bool, message: impl FnOnce() -> String) {
        if !condition {
            self.messages.push(message());
        }
    }

    /// Checks an error against the expected outcome, and for secrets.
    fn check_error(&mut self, error: &Error, expected: &Expected, case: &Case) {
        let actual = (error.kind(), error.delivery(), error.may_have_taken_effect(), error.attempts());
        let expected =
            (expected.error.unwrap(), expected.delivery, expected.may_have_taken_effect, expected.attempts);
        self.check(actual == expected, || format!("error is {actual:?}, expected {expected:?}: {error}"));
        self.check_any_error(error, case);
    }

    /// Checks the operation and help of an error, and that it contains no secret.
    fn check_any_error(&mut self, error: &Error, case: &Case) {
        self.check(error.operation() == Some(case.operation.id), || "error has no operation".into());
        self.check(error.help().is_some(), || "error has no help".into());
        let text = error_text(error);
        for secret in case.request.secrets().iter().map(Secret::expose).chain([TOKEN]) {
            self.check(!text.contains(secret), || format!("error contains {secret}: {text:.300}"));
        }
    }
}

/// A server with one fault and its clients, shared by consecutive operations. Building a client takes longer than most
/// faults.
struct Lane {
    fault: Fault,
    server: Server,
    valid: Arc<Mutex<ValidResponse>>,
    clock: VirtualClock,
    clients: BTreeMap<ApiVersion, Client>,
}

impl Lane {
    async fn new(fault: Fault, redirect_target: SocketAddr) -> Self {
        let valid = ValidResponse { content_type: "", body: Vec::new(), redirect_target };
        let valid = Arc::new(Mutex::new(valid));
        let server = Server::with_fault(fault, Arc::clone(&valid)).await;
        Self { fault, server, valid, clock: VirtualClock::auto_with_real_time(), clients: BTreeMap::new() }
    }

    /// Returns a client for a call. Throttling pauses of earlier calls are over.
    fn client(&mut self, version: ApiVersion) -> Client {
        self.clock.advance(CALL_TIMEOUT * 10);
        let new = || client(&self.server, self.fault, version, self.clock.clone(), STALL_TIMEOUT);
        self.clients.entry(version).or_insert_with(new).clone()
    }

    /// Sends an operation to the server with the fault.
    async fn run(&mut self, case: &Case) -> Failures {
        let (fault, mut failures) = (self.fault, Failures::default());
        let expected = expected(fault, case);
        {
            let mut valid = self.valid.lock().unwrap();
            valid.body = case.valid_body.clone();
            valid.content_type = match case.operation.response_format {
                ResponseFormat::Json => "application/json",
                _ => "application/octet-stream",
            };
        }

        let before = self.server.connections();
        let client = self.client(case.version);
        let request = case.request.clone().with_response_type::<TypedResponse>();
        let start = Instant::now();
        let result = OPERATION.scope(case.operation, client.send(&request)).await;
        let elapsed = start.elapsed();
        failures.check(elapsed < time_limit(fault), || format!("took {elapsed:?}"));
        match (&result, expected.error) {
            (Ok(response), None) => {
                let success = response.status().is_success();
                failures.check(success, || format!("status is {}", response.status()));
            }
            (Ok(response), Some(kind)) => {
                failures.messages.push(format!("expected {kind:?}, got response {:?}", response.json()));
            }
            (Err(error), None) => failures.messages.push(format!("unexpected error: {error}")),
            (Err(error), Some(_)) => failures.check_error(error, &expected, case),
        }
        self.check_requests(case, &expected, before, &mut failures).await;

        let affects_pagination = matches!(fault, Fault::RepeatedCursor | Fault::NoPagination);
        if affects_pagination && case.operation.paging == Paging::Cursor {
            let before = self.server.requests().len();
            check_pages(case, fault, &self.client(case.version), &mut failures).await;
            let pages = if fault == Fault::RepeatedCursor { 2 } else { 1 };
            let received = self.server.requests().len() - before;
            failures.check(received == pages, || format!("{received} page requests, expected {pages}"));
        }
        if case.operation.response_format == ResponseFormat::Binary {
            let mut client = self.client(case.version);
            if matches!(fault, Fault::StallInBody | Fault::SlowBody) {
                // The body must start even on a busy machine.
                client =
                    self::client(&self.server, fault, case.version, self.clock.clone(), STALL_TIMEOUT * 10);
            }
            check_download(case, fault, &client, &expected, &mut failures).await;
        }
        failures
    }

    /// Checks the number of received requests and connections.
    ///
    /// The server receives each attempt, unless the fault prevents it. After a timeout, the client may close the
    /// connection before the server reads the request, or on a busy machine before it is sent. Then fewer requests are
    /// counted as undelivered, which must be rare.
    async fn check_requests(&self, case: &Case, expected: &Expected, before: usize, failures: &mut Failures) {
        let attempts = expected.attempts as usize;
        let (requests, connections) = match self.fault {
            Fault::ConnectionRefused => (0, 0..=0),
            #[cfg(target_os = "linux")]
            Fault::HandshakeStall => (0, 0..=0),
            Fault::ResetUnread | Fault::StallAfterAccept => (0, attempts..=attempts),
            // A connection may be used for several requests.
            _ => (attempts, 0..=attempts),
        };
        let path = case.request.path(case.version).unwrap();
        let method_and_path = format!("{} {path}", case.request.method());
        let counts = || {
            let received = self.server.requests();
            let received = received.iter().filter(|request| request.method_and_path() == method_and_path);
            (received.count(), self.server.connections() - before)
        };
        let is_expected = || counts().0 == requests && connections.contains(&counts().1);
        let timed_out = ends_with_timeout(self.fault);
        let deadline = Instant::now() + if timed_out { STALL_TIMEOUT } else { ALLOWANCE };
        while !is_expected() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let (received, accepted) = counts();
        let fewer = timed_out && received <= requests && accepted <= *connections.end();
        failures.undelivered += usize::from(fewer && !is_expected());
        failures.check(is_expected() || fewer, || {
            format!(
                "{received} requests over {accepted} connections, expected {requests} over {connections:?}"
            )
        });
    }
}

/// Checks that reading the pages of a list ends.
async fn check_pages(case: &Case, fault: Fault, client: &Client, failures: &mut Failures) {
    let mut pages = client.pages(case.request.clone().with_response_type::<Page<Value>>());
    let mut results = Vec::new();
    while let Some(page) = pages.next().await.filter(|_| results.len() < 9) {
        results.push(page.map(drop).map_err(|error| {
            failures.check_any_error(&error, case);
            error.kind()
        }));
    }
    let expected = match fault {
        // The second page is the first one again.
        Fault::RepeatedCursor => vec![Ok(()), Err(ErrorKind::RepeatedCursor)],
        _ => vec![Ok(())],
    };
    failures.check(results == expected, || format!("pages returned {results:?}"));
}

/// Checks the outcome of a download.
async fn check_download(
    case: &Case,
    fault: Fault,
    client: &Client,
    expected: &Expected,
    failures: &mut Failures,
) {
    let expected_outcome = expected_download(fault);
    let mut file = match client.download(&case.request.clone().with_response_type()).await {
        Ok(file) => file,
        Err(error) => {
            match expected_outcome {
                DownloadOutcome::SameAsCall => failures.check_error(&error, expected, case),
                DownloadOutcome::NotAFile(kind) => {
                    failures.check(error.kind() == kind, || format!("download: {error:?}"));
                    failures.check(error.delivery() == Delivery::Delivered, || {
                        "download: delivery is not Yes".into()
                    });
                    failures.check_any_error(&error, case);
                }
                expected => failures.messages.push(format!("download: expected {expected:?}: {error}")),
            }
            return;
        }
    };
    // A few bytes of a slow body are sufficient.
    let limit = if fault == Fault::SlowBody { case.valid_body.len() as u64 / 2 + 5 } else { DOWNLOAD_LIMIT };
    let outcome = loop {
        match file.chunk().await {
            Ok(Some(_)) if file.received() >= limit => break DownloadOutcome::Endless,
            Ok(Some(_)) => {}
            Ok(None) => break DownloadOutcome::Complete,
            Err(error) => {
                failures.check_any_error(&error, case);
                break DownloadOutcome::Interrupted(error.kind());
            }
        }
    };
    failures.check(outcome == expected_outcome, || {
        format!("download: outcome is {outcome:?}, expected {expected_outcome:?}")
    });
}

/// Runs operations with the fault of a lane. Returns the number of pairs and the failures.
async fn run_lane(mut lane: Lane, cases: Vec<Arc<Case>>) -> (usize, Failures) {
    let (mut pairs, mut failures) = (0, Failures::default());
    for case in cases {
        let pair = format!("{} x {:?}", case.operation.id, lane.fault);
        match AssertUnwindSafe(lane.run(&case)).catch_unwind().await {
            Ok(found) => {
                let messages = found.messages.into_iter().map(|message| format!("{pair}: {message}"));
                failures.messages.extend(messages);
                failures.undelivered += found.undelivered;
            }
            Err(_) => failures.messages.push(format!("{pair}: panic")),
        }
        pairs += 1;
    }
    (pairs, failures)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_with_each_fault_return_expected_outcome() {
    let of_tier = |tier| -> Vec<Arc<Case>> { cases_of(tier).into_iter().map(Arc::new).collect() };
    let (curated, documented) = (of_tier(Tier::Curated), of_tier(Tier::Documented));
    // Counts followed redirects.
    let followed = Arc::new(AtomicUsize::new(0));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let redirect_target = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let counter = Arc::clone(&followed);
    let accepts = tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });

    let start = Instant::now();
    let mut lanes = Vec::new();
    for fault in Fault::ALL.iter().copied() {
        let mut cases = curated.clone();
        if ONE_OF_EACH_CLASS.contains(&fault) {
            cases.extend(documented.iter().cloned());
        }
        let count = if ends_with_timeout(fault) { LANES.1.max(cases.len() / 10) } else { LANES.0 };
        for lane in 0..count {
            let cases: Vec<Arc<Case>> = cases.iter().skip(lane).step_by(count).cloned().collect();
            let mut lane = Lane::new(fault, redirect_target).await;
            // Builds the clients first, since the load would affect faults that end with a timeout.
            cases.iter().for_each(|case| drop(lane.client(case.version)));
            lanes.push((lane, cases));
        }
    }
    // Faults that end with a timeout run last, without other load.
    let (slow, fast): (Vec<_>, Vec<_>) =
        lanes.into_iter().partition(|(lane, _)| ends_with_timeout(lane.fault));
    let (mut pairs, mut failures) = (0, Failures::default());
    for lanes in [fast, slow] {
        let mut running: JoinSet<_> = lanes.into_iter().map(|(lane, cases)| run_lane(lane, cases)).collect();
        while let Some(lane) = running.join_next().await {
            let (count, found) = lane.unwrap();
            pairs += count;
            failures.messages.extend(found.messages);
            failures.undelivered += found.undelivered;
        }
    }
    let Failures { messages, undelivered } = failures;
    accepts.abort();
    let (operations, faults, classes) = (curated.len(), Fault::ALL.len(), ONE_OF_EACH_CLASS.len());
    let others = documented.len();
    print_line(&format!(
        "fault matrix: {operations} operations x {faults} faults + {others} operations x {classes} faults = {pairs} pairs"
    ));
    eprintln!("{:?}, {undelivered} calls with undelivered requests", start.elapsed());
    assert!(messages.is_empty(), "{} failures:\n{}", messages.len(), messages.join("\n"));
    let of_tier = |tier| OPERATIONS.iter().filter(|operation| operation.tier == tier).count();
    assert_eq!((operations, others), (of_tier(Tier::Curated), of_tier(Tier::Documented)));
    assert_eq!(pairs, operations * faults + others * classes, "missing pairs");
    assert!(faults >= 36, "{faults}");
    assert!(undelivered * 3 < 5 * operations + others, "{undelivered} calls with undelivered requests");
    assert_eq!(followed.load(Ordering::SeqCst), 0, "a redirect was followed");
}
