//! Every operation meets every fault.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use sentinelone::contract::Contract;
use sentinelone::raw::runtime::{AnswerForm, Binary, Paging};
use sentinelone::raw::{OPERATIONS, answer_again};
use sentinelone::{
    Answer, ApiToken, ApiVersion, Client, DecodeError, Error, ErrorKind, Kind, Operation, Page, Request,
    Retry, Secret, Sent,
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::clock::Virtual;
use crate::server::{Fault, Good, Server};
use crate::support::{fixtures, request_of};
use crate::{TOKEN, say};

/// How many attempts there are in all, but for answers of status 429.
const ATTEMPTS: u32 = 3;

/// How long a call may take in all, on a clock on which waits pass at once.
const DEADLINE: Duration = Duration::from_secs(60);

/// Half a second, doubling up to 30 s, is 31.5 s after six waits: a seventh of 30 s would be beyond the deadline.
const THROTTLED: u32 = 7;

/// How many clients share the operations of a fault that is over at once, and of one that takes its time.
const LANES: (usize, usize) = (2, 10);

/// For how long the console may say nothing where a fault is that it does.
const STALL: Duration = Duration::from_millis(300);

/// For a call that waits for nothing and nobody, and for what it takes beyond its time limits: many calls share a
/// machine that may be busy.
const ALLOWANCE: Duration = Duration::from_secs(10);

/// How much of an answer is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// How many bytes of a download are read before it counts as one that flows.
const ENOUGH: u64 = 1024 * 1024;

/// Lists that are no pages of a longer one, and answers about several new things.
const WHOLE_LISTS: &[&str] = &[
    "activities_list_types",
    "agents_list_applications",
    "blocklist_create",
    "exclusions_create",
    "iocs_create",
];

tokio::task_local! {
    /// The operation whose own type an answer is read into.
    static OPERATION: &'static Operation;
}

/// An answer that was read into the operation's own type.
#[derive(Debug)]
struct Own;

impl Answer for Own {
    fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        match OPERATION.with(|operation| answer_again(operation.id, body)) {
            Some(answer) => answer.map(|_| Self),
            None => Binary::decode(body).map(|_| Self),
        }
    }
}

/// An operation as a fixture asks for it.
pub(crate) struct Case {
    pub(crate) operation: &'static Operation,
    pub(crate) version: ApiVersion,
    pub(crate) request: Request<Value>,
    good: Vec<u8>,
}

/// What has to come of a fault.
#[derive(Debug)]
struct Expected {
    /// `None` when the answer is one.
    fails: Option<ErrorKind>,
    sent: Sent,
    may_have_acted: bool,
    attempts: u32,
}

/// What has to come of a download.
#[derive(Debug, PartialEq, Eq)]
enum Flow {
    /// As without it: it does not begin.
    AsSent,
    /// What begins is no file.
    NoFile(ErrorKind),
    Whole,
    Breaks(ErrorKind),
    /// There is more of it than anyone would read here.
    GoesOn,
}

/// What the documentation of `Retry`, `ErrorKind`, `Sent` and `Error::may_have_acted` promises.
fn expected(fault: Fault, operation: &Operation) -> Expected {
    use ErrorKind::{Api, Broken, Connect, Decode, Timeout, TooLarge};
    let repeatable = operation.kind == Kind::Read;
    // The turn of another attempt may come only when the call is over.
    let period = operation.rate.as_ref().map_or(0.0, |rate| rate.per_second.recip());
    let tries = |attempts| if period < DEADLINE.as_secs_f64() { attempts } else { 1 };
    let (attempts, throttled) = (tries(ATTEMPTS), tries(THROTTLED));
    let if_repeatable = if repeatable { attempts } else { 1 };
    let json = operation.answer == AnswerForm::Json;
    let page = operation.paging == Paging::Cursor || WHOLE_LISTS.contains(&operation.id);
    let fine = Expected { fails: None, sent: Sent::Yes, may_have_acted: false, attempts: 1 };
    let fails =
        |kind, sent, may_have_acted, attempts| Expected { fails: Some(kind), sent, may_have_acted, attempts };
    // Any bytes are a file to who asks for one; a document is asked for as JSON.
    let no_document = || if json { fails(Decode, Sent::Yes, true, 1) } else { Expected { ..fine } };
    match fault {
        // Nothing arrives, so that an action is tried again too.
        Fault::Refuses => fails(Connect, Sent::No, false, attempts),
        #[cfg(target_os = "linux")]
        Fault::NeverConnects => fails(Connect, Sent::No, false, attempts),

        // Nobody knows what was done.
        Fault::ResetsUnread
        | Fault::ResetsBeforeTheAnswer
        | Fault::ClosesBeforeTheAnswer
        | Fault::ResetsInTheHead
        | Fault::ResetsInTheBody
        | Fault::HalfAChunk
        | Fault::LengthTooLong
        | Fault::GarbageHeaders
        | Fault::HugeHeader
        | Fault::TooManyHeaders
        | Fault::NoStatusLine => fails(Broken, Sent::Maybe, true, if_repeatable),
        Fault::StallsAfterAccept
        | Fault::StallsAfterTheRequest
        | Fault::StallsInTheHead
        | Fault::StallsInTheBody => fails(Timeout, Sent::Maybe, true, if_repeatable),
        // Here it is the deadline of the call that ends it, after which there is no attempt.
        Fault::Drips => fails(Timeout, Sent::Maybe, true, 1),

        // An answer of status 200 that is none; asking again would give the same.
        Fault::GarbageJson
        | Fault::JsonArray
        | Fault::JsonNumber
        | Fault::JsonText
        | Fault::JsonNull
        | Fault::DataIsANumber
        | Fault::HtmlWith200
        // What is missing at the end cannot be seen but by what is there.
        | Fault::LengthTooShort => no_document(),
        // An action may say nothing of what it did. A list that says nothing is not an empty list.
        Fault::EmptyObject if page => no_document(),
        Fault::EmptyObject => fine,
        Fault::EmptyBody | Fault::NoContent if repeatable => no_document(),
        Fault::EmptyBody | Fault::NoContent => fine,
        Fault::ErrorsWith200 if json => fails(Api, Sent::Yes, true, 1),
        Fault::ErrorsWith200 => fine,
        // The bytes are not those of the file either.
        Fault::GzipThatIsNone => fails(Decode, Sent::Yes, true, 1),
        Fault::HugeWithLength | Fault::HugeInChunks => fails(TooLarge, Sent::Yes, true, 1),

        // The console refused it, whatever it says about when to come again.
        Fault::HtmlWith429
        | Fault::RetryAfterPastDate
        | Fault::RetryAfterZero
        | Fault::RetryAfterEcho => fails(Api, Sent::Yes, false, throttled),
        // That is later than the call may last.
        Fault::RetryAfterYears | Fault::RetryAfterYearsDate => fails(Api, Sent::Yes, false, 1),
        Fault::UnavailableRetryAfter => fails(Api, Sent::Yes, false, attempts),
        // The console, or what stands before it, failed in the middle of it, maybe.
        Fault::Unavailable | Fault::BadGateway | Fault::GatewayTimeout => {
            fails(Api, Sent::Yes, true, if_repeatable)
        }
        Fault::Fails => fails(Api, Sent::Yes, true, 1),
        Fault::Unauthorized
        | Fault::Redirects301
        | Fault::Redirects302
        | Fault::Redirects303
        | Fault::Redirects307
        | Fault::Redirects308
        | Fault::RedirectsToAName => fails(Api, Sent::Yes, false, 1),

        // Faults of a walk, and none of one answer.
        Fault::RepeatedCursor | Fault::NoPagination => fine,
        Fault::InformsFirst => fine,
    }
}

/// The same for a file that is read part by part. Its size is not limited, and the time only until it begins.
fn expected_flow(fault: Fault) -> Flow {
    match fault {
        Fault::ResetsInTheBody | Fault::HalfAChunk | Fault::LengthTooLong => Flow::Breaks(ErrorKind::Broken),
        Fault::StallsInTheBody => Flow::Breaks(ErrorKind::Timeout),
        Fault::Drips | Fault::HugeWithLength | Fault::HugeInChunks => Flow::GoesOn,
        // A document or a page is no file.
        Fault::GarbageJson
        | Fault::JsonArray
        | Fault::JsonNumber
        | Fault::JsonText
        | Fault::JsonNull
        | Fault::DataIsANumber
        | Fault::EmptyObject
        | Fault::HtmlWith200
        | Fault::NoContent => Flow::NoFile(ErrorKind::Ended),
        Fault::ErrorsWith200 => Flow::NoFile(ErrorKind::Api),
        // An empty file is one. A file that was stored with an encoding is saved with it.
        Fault::EmptyBody
        | Fault::LengthTooShort
        | Fault::GzipThatIsNone
        | Fault::RepeatedCursor
        | Fault::NoPagination
        | Fault::InformsFirst => Flow::Whole,
        _ => Flow::AsSent,
    }
}

/// The operations, each with the first fixture in which all is well.
pub(crate) fn cases() -> Vec<Case> {
    let contract = Contract::bundled();
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for (_, exchange) in fixtures().into_iter().filter(|(_, exchange)| exchange.status < 300) {
        let found = exchange.find(contract).unwrap();
        let request = request_of(found.operation.id(), &exchange, &found.path_values);
        let (version, good) = (found.version.unwrap_or_default(), exchange.answer());
        let case = Case { operation: request.operation(), version, request, good };
        cases.entry(found.operation.id().to_owned()).or_insert(case);
    }
    cases.into_values().collect()
}

/// A client that stands before a fault: its waits pass at once, and so that stalls are over soon.
fn client(server: &Server, fault: Fault, version: ApiVersion, clock: Virtual, patience: Duration) -> Client {
    let client = Client::builder(server.url())
        .token(ApiToken::new(TOKEN).unwrap())
        .api_version(version)
        .retry(Retry::default().attempts(ATTEMPTS))
        .clock(clock)
        .random(|| 1.0)
        .max_answer_size(MAX_ANSWER);
    let client = match fault {
        // Here it is the deadline of the call that ends it.
        Fault::Drips => client.timeout(patience),
        #[cfg(target_os = "linux")]
        Fault::NeverConnects => client.timeout(DEADLINE).connect_timeout(patience),
        fault if is_short(fault) => client.timeout(DEADLINE).read_timeout(patience),
        _ => client.timeout(DEADLINE),
    };
    client.build().unwrap()
}

/// Whether the client is short of patience, so that what stands still is soon over.
fn is_short(fault: Fault) -> bool {
    match fault {
        #[cfg(target_os = "linux")]
        Fault::NeverConnects => true,
        Fault::StallsAfterAccept
        | Fault::StallsAfterTheRequest
        | Fault::StallsInTheHead
        | Fault::StallsInTheBody
        | Fault::Drips => true,
        _ => false,
    }
}

/// How long a call may take on the real clock.
fn time_limit(fault: Fault) -> Duration {
    match fault {
        Fault::Drips => STALL + ALLOWANCE,
        _ => STALL * ATTEMPTS + ALLOWANCE,
    }
}

/// Everything that an error shows to whoever looks.
fn shown(error: &Error) -> String {
    let mut shown =
        format!("{error} {error:?} {error:#?} {:?} {:?}", error.request_id(), error.retry_after());
    shown.push_str(&format!("{:?} {:?}", error.vendor_errors(), error.decode_error()));
    shown.push_str(&String::from_utf8_lossy(error.body().map_or(&[], |body| body)));
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        shown.push_str(&format!("{cause} {cause:?}"));
        source = cause.source();
    }
    shown
}

/// What is wrong, in a word each, and how often less arrived than was tried.
#[derive(Default)]
struct Wrong(Vec<String>, usize);

impl Wrong {
    fn unless(&mut self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.0.push(what());
        }
    }

    /// An error that has to answer questions, and to keep secrets.
    fn in_error(&mut self, error: &Error, expected: &Expected, case: &Case) {
        let facts = (error.kind(), error.was_sent(), error.may_have_acted(), error.attempts());
        let right = (expected.fails.unwrap(), expected.sent, expected.may_have_acted, expected.attempts);
        self.unless(facts == right, || format!("is {facts:?}, has to be {right:?}: {error}"));
        self.in_any_error(error, case);
    }

    fn in_any_error(&mut self, error: &Error, case: &Case) {
        self.unless(error.operation() == Some(case.operation.id), || "names no operation".into());
        self.unless(!error.advice().is_empty(), || "knows no advice".into());
        let shown = shown(error);
        for secret in case.request.secrets().iter().map(Secret::expose).chain([TOKEN]) {
            self.unless(!shown.contains(secret), || format!("shows {secret}: {shown:.300}"));
        }
    }
}

/// A client before a server with one fault, for operations one after the other: building a client takes longer
/// than most faults do.
struct Lane {
    fault: Fault,
    server: Server,
    good: Arc<Mutex<Good>>,
    clock: Virtual,
    clients: BTreeMap<ApiVersion, Client>,
}

impl Lane {
    async fn new(fault: Fault, elsewhere: SocketAddr) -> Self {
        let good = Good { kind: "", body: Vec::new(), elsewhere };
        let good = Arc::new(Mutex::new(good));
        let server = Server::with(fault, Arc::clone(&good)).await;
        Self { fault, server, good, clock: Virtual::real_and_skipping(), clients: BTreeMap::new() }
    }

    /// A client for a call. Pauses that the one before brought about are over.
    fn client(&mut self, version: ApiVersion) -> Client {
        self.clock.advance(DEADLINE * 10);
        let new = || client(&self.server, self.fault, version, self.clock.clone(), STALL);
        self.clients.entry(version).or_insert_with(new).clone()
    }

    /// Lets an operation meet the fault; gives what is wrong.
    async fn pair(&mut self, case: &Case) -> Wrong {
        let (fault, mut wrong) = (self.fault, Wrong::default());
        let expected = expected(fault, case.operation);
        {
            let mut good = self.good.lock().unwrap();
            good.body = case.good.clone();
            good.kind = match case.operation.answer {
                AnswerForm::Json => "application/json",
                _ => "application/octet-stream",
            };
        }

        let before = self.server.connections();
        let client = self.client(case.version);
        let request = case.request.clone().answering::<Own>();
        let start = Instant::now();
        let result = OPERATION.scope(case.operation, client.send(&request)).await;
        let took = start.elapsed();
        wrong.unless(took < time_limit(fault), || format!("took {took:?}"));
        match (&result, expected.fails) {
            (Ok(answer), None) => {
                let success = answer.status().is_success();
                wrong.unless(success, || format!("has status {}", answer.status()));
            }
            (Ok(answer), Some(kind)) => {
                wrong.0.push(format!("has to be {kind:?}, answered {:?}", answer.json()));
            }
            (Err(error), None) => wrong.0.push(format!("has to be fine: {error}")),
            (Err(error), Some(_)) => wrong.in_error(error, &expected, case),
        }
        self.arrivals(case, &expected, before, &mut wrong).await;

        let walks = matches!(fault, Fault::RepeatedCursor | Fault::NoPagination);
        if walks && case.operation.paging == Paging::Cursor {
            let before = self.server.seen().len();
            walk(case, fault, &self.client(case.version), &mut wrong).await;
            let pages = if fault == Fault::RepeatedCursor { 2 } else { 1 };
            let arrived = self.server.seen().len() - before;
            wrong.unless(arrived == pages, || format!("{arrived} pages were asked for, not {pages}"));
        }
        if case.operation.answer == AnswerForm::Binary {
            let mut client = self.client(case.version);
            if matches!(fault, Fault::StallsInTheBody | Fault::Drips) {
                // The file has to begin, however busy the machine is.
                client = self::client(&self.server, fault, case.version, self.clock.clone(), STALL * 10);
            }
            download(case, fault, &client, &expected, &mut wrong).await;
        }
        wrong
    }

    /// What arrived is what was tried, but where nothing can arrive, or nobody reads it.
    ///
    /// Whoever gives up early may be gone before the server has read what was sent, and on a busy machine before
    /// anything was sent: never more may arrive than was tried, and less only seldom.
    async fn arrivals(&self, case: &Case, expected: &Expected, before: usize, wrong: &mut Wrong) {
        let tried = expected.attempts as usize;
        let (requests, connections) = match self.fault {
            Fault::Refuses => (0, 0..=0),
            #[cfg(target_os = "linux")]
            Fault::NeverConnects => (0, 0..=0),
            Fault::ResetsUnread | Fault::StallsAfterAccept => (0, tried..=tried),
            // A connection may serve several.
            _ => (tried, 0..=tried),
        };
        let path = case.request.path(case.version).unwrap();
        let line = format!("{} {path}", case.request.method());
        let counts = || {
            let seen = self.server.seen();
            let arrived = seen.iter().filter(|request| request.line() == line).count();
            (arrived, self.server.connections() - before)
        };
        let right = || counts().0 == requests && connections.contains(&counts().1);
        let early = is_short(self.fault);
        let patience = Instant::now() + if early { STALL } else { ALLOWANCE };
        while !right() && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let (arrived, made) = counts();
        let less = early && arrived <= requests && made <= *connections.end();
        wrong.1 += usize::from(less && !right());
        wrong.unless(right() || less, || {
            format!("{arrived} requests over {made} connections, not {requests} over {connections:?}")
        });
    }
}

/// A walk over the pages of a list comes to an end.
async fn walk(case: &Case, fault: Fault, client: &Client, wrong: &mut Wrong) {
    let mut pages = client.pages(case.request.clone().answering::<Page<Value>>());
    let mut ends = Vec::new();
    while let Some(page) = pages.next().await.filter(|_| ends.len() < 9) {
        ends.push(page.map(drop).map_err(|error| {
            wrong.in_any_error(&error, case);
            error.kind()
        }));
    }
    let right = match fault {
        Fault::RepeatedCursor => vec![Ok(()), Ok(()), Err(ErrorKind::RepeatedCursor)],
        _ => vec![Ok(())],
    };
    wrong.unless(ends == right, || format!("the walk gave {ends:?}"));
}

/// A download begins or does not, and ends as it has to.
async fn download(case: &Case, fault: Fault, client: &Client, expected: &Expected, wrong: &mut Wrong) {
    let right = expected_flow(fault);
    let mut file = match client.download(&case.request.clone().answering()).await {
        Ok(file) => file,
        Err(error) => {
            match right {
                Flow::AsSent => wrong.in_error(&error, expected, case),
                Flow::NoFile(kind) => {
                    wrong.unless(error.kind() == kind, || format!("download: {error:?}"));
                    wrong.unless(error.was_sent() == Sent::Yes, || "download: was sent".into());
                    wrong.in_any_error(&error, case);
                }
                right => wrong.0.push(format!("download: has to be {right:?}: {error}")),
            }
            return;
        }
    };
    // What drips is slow, and a few bytes of it tell enough.
    let enough = if fault == Fault::Drips { case.good.len() as u64 / 2 + 5 } else { ENOUGH };
    let flow = loop {
        match file.chunk().await {
            Ok(Some(_)) if file.received() >= enough => break Flow::GoesOn,
            Ok(Some(_)) => {}
            Ok(None) => break Flow::Whole,
            Err(error) => {
                wrong.in_any_error(&error, case);
                break Flow::Breaks(error.kind());
            }
        }
    };
    wrong.unless(flow == right, || format!("download: is {flow:?}, has to be {right:?}"));
}

/// Lets operations meet a fault one after the other; gives how many did, and what is wrong.
async fn meet_in(mut lane: Lane, cases: Vec<Arc<Case>>) -> (usize, Wrong) {
    let (mut ran, mut wrong) = (0, Wrong::default());
    for case in cases {
        let place = format!("{} x {:?}", case.operation.id, lane.fault);
        match AssertUnwindSafe(lane.pair(&case)).catch_unwind().await {
            Ok(found) => {
                wrong.0.extend(found.0.into_iter().map(|what| format!("{place}: {what}")));
                wrong.1 += found.1;
            }
            Err(_) => wrong.0.push(format!("{place}: a panic")),
        }
        ran += 1;
    }
    (ran, wrong)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_meets_every_fault() {
    let cases: Vec<Arc<Case>> = cases().into_iter().map(Arc::new).collect();
    // Nobody may follow a redirect with the token to here.
    let arrived = Arc::new(AtomicUsize::new(0));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let counted = Arc::clone(&arrived);
    let counts = tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });

    let start = Instant::now();
    let mut lanes = Vec::new();
    for fault in Fault::ALL.iter().copied() {
        let count = if is_short(fault) { LANES.1 } else { LANES.0 };
        for lane in 0..count {
            let cases: Vec<Arc<Case>> = cases.iter().skip(lane).step_by(count).cloned().collect();
            let mut lane = Lane::new(fault, elsewhere).await;
            // Building clients keeps a machine busy; nothing that is short of patience runs beside it.
            cases.iter().for_each(|case| drop(lane.client(case.version)));
            lanes.push((lane, cases));
        }
    }
    // Those that are short of patience come last, when the others leave the machine to them.
    let (short, fast): (Vec<_>, Vec<_>) = lanes.into_iter().partition(|(lane, _)| is_short(lane.fault));
    let (mut ran, mut wrong) = (0, Wrong::default());
    for lanes in [fast, short] {
        let mut running: JoinSet<_> = lanes.into_iter().map(|(lane, cases)| meet_in(lane, cases)).collect();
        while let Some(lane) = running.join_next().await {
            let (pairs, found) = lane.unwrap();
            ran += pairs;
            wrong.0.extend(found.0);
            wrong.1 += found.1;
        }
    }
    let Wrong(wrong, less) = wrong;
    counts.abort();
    let (operations, faults) = (cases.len(), Fault::ALL.len());
    say(&format!("fault matrix: {operations} operations x {faults} faults = {ran} pairs"));
    eprintln!("in {:?}, {less} with less than was tried", start.elapsed());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(ran, OPERATIONS.len() * faults, "a pair is missing");
    assert!(faults >= 36, "{faults}");
    assert!(less * 3 < 5 * operations, "of the stalls, {less} saw less than was tried");
    assert_eq!(arrived.load(Ordering::SeqCst), 0, "a redirect was followed");
}
