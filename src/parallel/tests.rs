//! Property tests of parallel reading with a model of a console, on a virtual clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use sentinelone_raw::runtime::{Page, Request, ResponseBody, Timestamp};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::{self, ThreatFilter, ThreatSortField, ThreatsListQuery, ThreatsListV20Query};
use sentinelone_raw::{agents, sites};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::column::{Column, Direction, columns_of};
use super::plan::{PageSource, Plan};
use super::reader::Running;
use crate::Result;
use crate::client::Client;
use crate::error::{Delivery, Error, ErrorKind};
use crate::response::Response;
use crate::token::ApiToken;

/// Creation time 0 of the model, in microseconds since 1970.
const EPOCH: i64 = 1_780_000_000_000_000;

/// An item of the console. Times of the run are milliseconds since its start.
#[derive(Clone, Debug)]
struct Item {
    /// Creation time in microseconds since [`EPOCH`]; `None` for an item without one.
    created: Option<i64>,
    appears: u64,
    vanishes: u64,
    /// Time in which the item does not match the filter.
    changed: Option<(u64, u64)>,
}

impl Item {
    fn matches(&self, now: u64) -> bool {
        let is_changed = self.changed.is_some_and(|(from, until)| (from..until).contains(&now));
        self.appears <= now && now < self.vanishes && !is_changed
    }

    /// Returns whether the item matches during the whole run, up to `end`.
    fn always_matches(&self, end: u64) -> bool {
        self.appears == 0 && self.vanishes > end && self.changed.is_none_or(|(from, _)| from > end)
    }
}

/// The totals that the console returns.
#[derive(Clone, Copy, Debug)]
enum Counts {
    Exact,
    Zero,
    Multiplied(u64),
    Divided(u64),
    Missing,
    /// Alternates between right and wrong values, from an offset.
    Erratic(usize),
}

/// A fault of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Unavailable,
    ConnectionLost,
    /// The cursor of the request is not accepted.
    CursorExpired,
    /// The page is empty and has another cursor.
    EmptyPage,
}

#[derive(Clone, Debug)]
struct History {
    items: Vec<Item>,
    concurrency: usize,
    direction: Option<Direction>,
    page_size: u64,
    /// Maximum page size of the console, independent of the request.
    page_cap: Option<usize>,
    /// Bounds of the caller, in microseconds since [`EPOCH`].
    bounds: (Option<i64>, Option<i64>),
    counts: Counts,
    /// Faults by the number of the request; no fault after the last one.
    faults: Vec<Fault>,
    /// Milliseconds per response, repeated.
    latencies: Vec<u64>,
    /// Items without a creation time come last in ascending order.
    nulls_last: bool,
    /// Milliseconds that the caller needs for a page.
    consumer: u64,
}

#[derive(Default)]
struct Log {
    requests: usize,
    pages: usize,
    in_flight: usize,
    max_in_flight: usize,
    failures: usize,
}

#[derive(Clone)]
struct Console {
    history: Arc<History>,
    start: Instant,
    log: Arc<Mutex<Log>>,
}

/// A request in flight, removed when it is dropped.
struct InFlight(Arc<Mutex<Log>>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

type Key = (Option<i64>, usize);

impl Console {
    fn new(history: &History) -> Self {
        let log = Arc::default();
        Self { history: Arc::new(history.clone()), start: Instant::now(), log }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap()
    }

    /// Returns the place of an item in the order of a list.
    fn rank(&self, created: Option<i64>) -> (i8, i64) {
        match created {
            Some(created) => (0, created),
            None if self.history.nulls_last => (1, 0),
            None => (-1, 0),
        }
    }

    fn respond(
        &self,
        request: &Request<Page<Value>>,
        fault: Fault,
        number: usize,
    ) -> Result<Response<Page<Value>>> {
        let query: BTreeMap<String, String> = request.query().into_iter().collect();
        let error = |status: StatusCode| {
            self.log.lock().unwrap().failures += 1;
            Err(Error::api(request.operation(), status, bytes::Bytes::new(), None))
        };
        let cursor: Option<&String> = query.get("cursor");
        match fault {
            Fault::Unavailable => return error(StatusCode::SERVICE_UNAVAILABLE),
            Fault::ConnectionLost => return error(StatusCode::BAD_GATEWAY),
            Fault::CursorExpired if cursor.is_some() => return error(StatusCode::BAD_REQUEST),
            _ => {}
        }
        let now = self.now();
        let micros = |name: &str| {
            let time = Timestamp::from(query.get(name)?.as_str()).to_system_time().unwrap();
            let time = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            Some(i64::try_from(time.as_micros()).unwrap() - EPOCH)
        };
        let (from, until) = (micros("createdAt__gte"), micros("createdAt__lt"));
        let is_selected = |item: &Item| {
            let is_in_range = |created: i64| {
                from.is_none_or(|from| created >= from) && until.is_none_or(|until| created < until)
            };
            let is_unbounded = from.is_none() && until.is_none();
            item.matches(now) && item.created.map_or(is_unbounded, is_in_range)
        };
        let mut items: Vec<Key> = (0..)
            .zip(&self.history.items)
            .filter(|(_, item)| is_selected(item))
            .map(|(index, item)| (item.created, index))
            .collect();
        let is_sorted = query.contains_key("sortBy");
        let is_descending = query.get("sortOrder").is_some_and(|order| order == "desc");
        // Equal times are in the order of the IDs. The default order is that of the IDs.
        let place = |key: &Key| if is_sorted { (self.rank(key.0), key.1) } else { ((0, 0), key.1) };
        items.sort_by_key(place);
        if is_descending {
            items.reverse();
        }
        let count = items.len() as u64;
        let total = match self.history.counts {
            Counts::Exact => Some(count),
            Counts::Zero => Some(0),
            Counts::Multiplied(factor) => Some(count * factor),
            Counts::Divided(divisor) => Some(count / divisor),
            Counts::Missing => None,
            Counts::Erratic(offset) => Some([count * 7, 0, count, 1_000_000_000][(number + offset) % 4]),
        };
        let body = |items: &[Key], next: Option<String>| {
            let items: Vec<String> =
                items.iter().map(|(created, index)| item_json(*created, *index)).collect();
            let pagination = json!({ "totalItems": total, "nextCursor": next });
            format!(r#"{{"data":[{}],"pagination":{pagination}}}"#, items.join(","))
        };
        let respond =
            |body: String| Response::from_parts(request.operation(), StatusCode::OK, HeaderMap::new(), body);
        if query.contains_key("countOnly") {
            return respond(body(&[], None));
        }
        self.log.lock().unwrap().pages += 1;
        if let Some(cursor) = cursor {
            // The cursor has the last item, so the list continues behind it even if it vanished.
            let index: usize = cursor.split('#').next().unwrap().parse().unwrap();
            let last = place(&(self.history.items[index].created, index));
            items.retain(|key| if is_descending { place(key) < last } else { place(key) > last });
        }
        let size: usize = query["limit"].parse().unwrap();
        let size = self.history.page_cap.unwrap_or(size).min(size);
        if let (Fault::EmptyPage, Some(cursor)) = (fault, cursor) {
            let index = cursor.split('#').next().unwrap();
            return respond(body(&[], Some(format!("{index}#{number}"))));
        }
        let page = &items[..items.len().min(size)];
        let next = page.last().filter(|_| items.len() > page.len()).map(|(_, index)| index.to_string());
        respond(body(page, next))
    }
}

fn item_json(created: Option<i64>, index: usize) -> String {
    let created = created.map_or("null".to_owned(), |created| format!("\"{}\"", timestamp(created)));
    format!(r#"{{"id":"{index}","threatInfo":{{"createdAt":{created}}}}}"#)
}

impl PageSource<Value> for Console {
    fn request(&self, request: Request<Page<Value>>) -> BoxFuture<'static, Result<Response<Page<Value>>>> {
        let console = self.clone();
        async move {
            let number = {
                let mut log = console.log.lock().unwrap();
                log.requests += 1;
                log.in_flight += 1;
                log.max_in_flight = log.max_in_flight.max(log.in_flight);
                log.requests - 1
            };
            let _in_flight = InFlight(Arc::clone(&console.log));
            let latency = console.history.latencies[number % console.history.latencies.len()];
            // The console reads its items halfway between request and response.
            sleep(Duration::from_millis(latency / 2)).await;
            let fault = console.history.faults.get(number).copied().unwrap_or(Fault::None);
            let response = console.respond(&request, fault, number);
            sleep(Duration::from_millis(latency - latency / 2)).await;
            response
        }
        .boxed()
    }

    fn now(&self) -> i64 {
        (EPOCH + 60_000_000) / 1000
    }
}

fn timestamp(micros: i64) -> String {
    Timestamp::from(std::time::UNIX_EPOCH + Duration::from_micros(u64::try_from(EPOCH + micros).unwrap()))
        .to_string()
}

fn request(history: &History) -> Request<Page<Value>> {
    let mut filter = ThreatFilter::default();
    if let Some(from) = history.bounds.0 {
        filter = filter.created_at_gte(timestamp(from));
    }
    if let Some(until) = history.bounds.1 {
        filter = filter.created_at_lt(timestamp(until));
    }
    let page_size = i64::try_from(history.page_size).unwrap();
    let mut query = ThreatsListQuery::default().filter(filter).limit(page_size);
    if let Some(direction) = history.direction {
        let order = if direction == Direction::Ascending { SortOrder::Asc } else { SortOrder::Desc };
        query = query.sort_by(ThreatSortField::CreatedAt).sort_order(order);
    }
    threats::list(&query).unwrap().with_response_type()
}

/// The result of reading a list.
struct Reading {
    keys: Vec<Key>,
    error: Option<Error>,
    millis: u64,
    requests: usize,
    max_in_flight: usize,
    failures: usize,
}

/// Reads the list of a history.
async fn read(history: &History, concurrency: usize) -> Reading {
    read_request(history, &request(history), concurrency).await
}

async fn read_request(history: &History, request: &Request<Page<Value>>, concurrency: usize) -> Reading {
    let console = Console::new(history);
    let mut running = start(&console, request, concurrency);
    let (mut keys, mut error, mut pages) = (Vec::new(), None, 0);
    while let Some(page) = next(&mut running).await {
        match page {
            Ok(page) => {
                pages += 1;
                assert_eq!(page.next_cursor(), None, "the cursor of a part is not shown");
                keys.extend(page.data.iter().map(|item| {
                    let index: usize = item["id"].as_str().unwrap().parse().unwrap();
                    (history.items[index].created, index)
                }));
                sleep(Duration::from_millis(history.consumer)).await;
            }
            Err(failure) => error = Some(failure),
        }
    }
    assert!(pages > 0 || error.is_some(), "a list has at least one page");
    let log = console.log.lock().unwrap();
    let Log { requests, max_in_flight, failures, .. } = *log;
    Reading { keys, error, millis: console.now(), requests, max_in_flight, failures }
}

async fn next(running: &mut Running<Value>) -> Option<Result<Response<Page<Value>>>> {
    poll_fn(|cx| running.poll_next(cx)).await
}

fn start(console: &Console, request: &Request<Page<Value>>, concurrency: usize) -> Running<Value> {
    let column = Column::of(request).unwrap();
    let page_size = console.history.page_size;
    let plan = Plan { request: request.clone(), column, concurrency, page_size, limit: None };
    Running::start(console.clone(), plan, &Handle::current())
}

/// Runs a test on a clock that advances when all tasks wait.
fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

fn is_in_bounds(history: &History, item: &Item) -> bool {
    match item.created {
        Some(created) => {
            history.bounds.0.is_none_or(|from| created >= from)
                && history.bounds.1.is_none_or(|until| created < until)
        }
        None => history.bounds == (None, None),
    }
}

fn check(history: &History, reading: &Reading) {
    let read: BTreeSet<usize> = reading.keys.iter().map(|(_, index)| *index).collect();
    assert_eq!(read.len(), reading.keys.len(), "an item was read twice: {:?}", reading.keys);
    for index in &read {
        let item = &history.items[*index];
        assert!(is_in_bounds(history, item), "item {index} never matched");
        assert!((0..=reading.millis).any(|now| item.matches(now)), "item {index} never matched");
    }
    assert!(
        reading.max_in_flight <= history.concurrency.max(1),
        "{} requests in flight",
        reading.max_in_flight
    );
    if let Some(direction) = history.direction {
        // The order of items without a creation time depends on the console.
        let times: Vec<i64> = reading.keys.iter().filter_map(|(created, _)| *created).collect();
        let is_sorted = match direction {
            Direction::Ascending => times.is_sorted(),
            Direction::Descending => times.iter().rev().is_sorted(),
        };
        assert!(is_sorted, "{times:?}");
    }
    match &reading.error {
        Some(error) => assert!(reading.failures > 0 && error.kind() == ErrorKind::Api, "{error}"),
        None => {
            let expected = (0..)
                .zip(&history.items)
                .filter(|(_, item)| item.always_matches(reading.millis) && is_in_bounds(history, item));
            for (index, item) in expected {
                assert!(read.contains(&index), "item {index} is missing: {item:?}");
            }
        }
    }
}

fn item(has_nulls: bool, has_changes: bool) -> impl Strategy<Value = Item> {
    // Few distinct times, so that many are equal, and times between two milliseconds.
    let created = prop_oneof![
        3 => (0..12_i64).prop_map(|slot| slot * slot * slot * 500),
        1 => 0..2_000_000_i64,
    ];
    let created = created.prop_map(Some);
    let created =
        if has_nulls { prop_oneof![6 => created, 1 => Just(None)].boxed() } else { created.boxed() };
    let unchanged = (Just(0), Just(u64::MAX), Just(None));
    let time = || 0..4_000_u64;
    let changed = (
        prop_oneof![Just(0), time()],
        prop_oneof![Just(u64::MAX), time()],
        prop::option::of((time(), time()).prop_map(|(from, length)| (from, from + length))),
    );
    let life =
        if has_changes { prop_oneof![2 => unchanged, 1 => changed].boxed() } else { unchanged.boxed() };
    (created, life).prop_map(|(created, (appears, vanishes, changed))| Item {
        created,
        appears,
        vanishes,
        changed,
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        14 => Just(Fault::None),
        1 => Just(Fault::Unavailable),
        1 => Just(Fault::ConnectionLost),
        2 => Just(Fault::CursorExpired),
        1 => Just(Fault::EmptyPage),
    ]
}

fn counts() -> impl Strategy<Value = Counts> {
    prop_oneof![
        6 => Just(Counts::Exact),
        1 => Just(Counts::Zero),
        1 => (2..100_u64).prop_map(Counts::Multiplied),
        1 => (2..5_u64).prop_map(Counts::Divided),
        1 => Just(Counts::Missing),
        2 => (0..4_usize).prop_map(Counts::Erratic),
    ]
}

fn history() -> impl Strategy<Value = History> {
    let direction = prop::option::of(prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)]);
    let bound = || {
        prop::option::weighted(0.2, prop_oneof![0..2_000_000_i64, (0..12_i64).prop_map(|slot| slot * 40_000)])
    };
    let items = (prop::bool::weighted(0.2), prop::bool::weighted(0.6))
        .prop_flat_map(|(has_nulls, has_changes)| prop::collection::vec(item(has_nulls, has_changes), 0..70));
    let faults = prop_oneof![1 => Just(Vec::new()), 1 => prop::collection::vec(fault(), 1..60)];
    let page = (1..7_u64, prop::option::weighted(0.2, 1..4_usize));
    let consumer = prop_oneof![2 => Just(0), 1 => 0..900_u64];
    let list = (items, 1..9_usize, direction, page, (bound(), bound()));
    let console = (counts(), faults, prop::collection::vec(1..400_u64, 1..9), any::<bool>(), consumer);
    (list, console).prop_map(|(list, console)| {
        let (items, concurrency, direction, (page_size, page_cap), bounds) = list;
        let (counts, faults, latencies, nulls_last, consumer) = console;
        History {
            items,
            concurrency,
            direction,
            page_size,
            page_cap,
            bounds,
            counts,
            faults,
            latencies,
            nulls_last,
            consumer,
        }
    })
}

/// Returns the number of histories.
fn histories() -> u32 {
    std::env::var("S1_PARALLEL_HISTORIES").ok().and_then(|number| number.parse().ok()).unwrap_or(1_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: histories(), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn parallel_list_delivers_each_item_exactly_once(history in history()) {
        let parallel = run(read(&history, history.concurrency));
        check(&history, &parallel);
        let is_unchanged = history.items.iter().all(|item| item.always_matches(u64::MAX - 1));
        if is_unchanged && parallel.error.is_none() {
            let calm = History { faults: Vec::new(), ..history.clone() };
            let sequential = run(read(&calm, 1));
            let set = |reading: &Reading| reading.keys.iter().map(|(_, index)| *index).collect::<BTreeSet<_>>();
            prop_assert_eq!(set(&parallel), set(&sequential));
        }
    }
}

/// Returns a history with these creation times, in microseconds, and pages that take 300 ms.
fn plain(created: impl IntoIterator<Item = i64>) -> History {
    let item = |created| Item { created: Some(created), appears: 0, vanishes: u64::MAX, changed: None };
    History {
        items: created.into_iter().map(item).collect(),
        concurrency: 8,
        direction: None,
        page_size: 10,
        page_cap: None,
        bounds: (None, None),
        counts: Counts::Exact,
        faults: Vec::new(),
        latencies: vec![300],
        nulls_last: false,
        consumer: 0,
    }
}

#[test]
fn parallel_list_with_limit_requests_no_further_page() {
    let history = plain((0..3_000).map(|item| item * 1_000_000));
    run(async {
        let console = Console::new(&history);
        let request = request(&history);
        let column = Column::of(&request).unwrap();
        let plan = Plan { request, column, concurrency: 4, page_size: 10, limit: Some(45) };
        let mut running = Running::start(console.clone(), plan, &Handle::current());
        let mut items = 0;
        while let Some(page) = next(&mut running).await {
            items += page.unwrap().data.len();
        }
        let requests = console.log.lock().unwrap().requests;
        assert!(items >= 45 && requests < 100, "{items} items with {requests} requests");
        assert_eq!(console.log.lock().unwrap().in_flight, 0);
    });
}

#[test]
fn parallel_list_returns_pages_before_an_error() {
    let mut history = plain((0..1_000).map(|item| item * 1_000_000));
    // More failures than repetitions, of all requests in flight.
    history.faults = [vec![Fault::None; 60], vec![Fault::Unavailable; 40]].concat();
    let reading = run(read(&history, 8));
    check(&history, &reading);
    assert_eq!(reading.error.unwrap().status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(reading.keys.len() >= 250, "{} items", reading.keys.len());
}

/// A linear congruential generator: the times of a console are not evenly spaced.
fn random(count: u64) -> impl Iterator<Item = f64> {
    let next = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((*state >> 11) as f64 / (1_u64 << 53) as f64)
    };
    std::iter::successors(Some(1_u64), |state| Some(state + 1))
        .take(usize::try_from(count).unwrap())
        .scan(7, move |state, _| next(state))
}

#[test]
fn parallel_list_of_100_pages_takes_a_fifth_of_the_time() {
    let year = 365.0 * 86_400e6;
    let history = |direction, exponent: f64| {
        let times = random(10_000).map(|x| (x.powf(exponent) * year) as i64);
        History { direction, page_size: 100, ..plain(times) }
    };
    let sequential = run(read(&history(None, 1.0), 1)).millis;
    assert_eq!(sequential, 100 * 300);
    for (name, direction, exponent, maximum) in [
        ("even", None, 1.0, 0.20),
        ("even", Some(Direction::Ascending), 1.0, 0.20),
        ("growing", None, 0.5, 0.20),
        ("growing", Some(Direction::Descending), 0.5, 0.22),
        ("mostly recent", None, 0.1, 0.22),
    ] {
        let history = history(direction, exponent);
        let parallel = run(read(&history, 8));
        check(&history, &parallel);
        let ratio = parallel.millis as f64 / sequential as f64;
        assert!(ratio <= maximum, "{name} {direction:?}: {ratio:.3} with {} requests", parallel.requests);
    }
}

#[test]
fn parallel_list_with_slow_caller_holds_few_pages() {
    for direction in [None, Some(Direction::Ascending)] {
        let history = History { direction, ..plain((0..5_000).map(|item| item * 1_000_000)) };
        run(async {
            let console = Console::new(&history);
            let mut running = start(&console, &request(&history), 8);
            let _ = next(&mut running).await.unwrap().unwrap();
            sleep(Duration::from_secs(3600)).await;
            let pages = console.log.lock().unwrap().pages;
            // The page of the whole list and the first and last item are not held.
            assert!(pages <= 3 + 2 * 8 + 3, "{direction:?}: {pages} pages");
            drop(running);
            sleep(Duration::from_secs(1)).await;
            assert_eq!(console.log.lock().unwrap().in_flight, 0);
        });
    }
}

#[test]
fn parallel_list_dropped_cancels_its_requests() {
    let history = plain((0..1_000).map(|item| item * 1_000_000));
    run(async {
        let console = Console::new(&history);
        let mut running = start(&console, &request(&history), 8);
        let _ = next(&mut running).await.unwrap().unwrap();
        assert!(console.log.lock().unwrap().in_flight > 1);
        let requests = console.log.lock().unwrap().requests;
        drop(running);
        sleep(Duration::from_secs(60)).await;
        let log = console.log.lock().unwrap();
        assert_eq!((log.in_flight, log.requests), (0, requests));
    });
}

#[test]
fn parallel_list_with_items_without_time_is_read_as_one_list() {
    for nulls_last in [false, true] {
        let mut history = History { nulls_last, ..plain((0..100).map(|item| item * 1_000_000)) };
        history.items[40].created = None;
        let reading = run(read(&history, 8));
        check(&history, &reading);
        assert_eq!(reading.keys.len(), 100);
    }
}

#[test]
fn parallel_list_that_cannot_be_sorted_is_cut_from_the_earliest_time_until_now() {
    let history = plain((0..500).map(|item| -item * 86_400_000_000));
    let query = ThreatsListV20Query::default().limit(10);
    let request = threats::list_v2_0(&query).unwrap().with_response_type();
    let reading = run(read_request(&history, &request, 8));
    check(&history, &reading);
    assert_eq!(reading.keys.len(), 500);
    assert!(reading.max_in_flight > 4, "it is read in parts");
}

/// Returns the reason for which a request is refused, without sending anything.
fn refusal<T: Send + 'static>(request: Request<Page<T>>) -> String
where
    Page<T>: ResponseBody,
{
    let token = ApiToken::new("an-example").unwrap();
    let client = Client::builder("http://127.0.0.1:9").token(token).build().unwrap();
    let error = run(async { client.pages(request).concurrency(8).next().await.unwrap().unwrap_err() });
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
    error.report().to_string()
}

#[test]
fn parallel_list_that_cannot_be_cut_is_refused_with_reason() {
    let threats = |query: ThreatsListQuery| threats::list(&query).unwrap();
    let query = ThreatsListQuery::default;
    let expected = "threats_list: the list cannot be read in parallel: it is sorted by updatedAt; expected createdAt; \
                    read one page after the other; nothing was sent";
    assert_eq!(refusal(threats(query().sort_by(ThreatSortField::UpdatedAt))), expected);
    let text = refusal(threats(query().cursor("c")));
    assert!(text.contains("the request has a cursor, which is a position in one list"), "{text}");
    let text = refusal(threats(query().skip(20)));
    assert!(text.contains("the request skips items"), "{text}");
    let text = refusal(threats(query().sort_order(SortOrder::Desc)));
    assert!(text.contains("sortOrder without sortBy"), "{text}");
    let text = refusal(sites::list(&sites::SitesListQuery::default()).unwrap());
    assert!(text.contains("sites_list") && text.contains("no filter by createdAt or registeredAt"), "{text}");
    let request =
        agents::list(&agents::AgentsListQuery::default().sort_by(agents::AgentSortField::RegisteredAt));
    assert_eq!(Column::of(&request.unwrap()).unwrap().direction, Some(Direction::Ascending));
}

/// The columns are those of the specification: the filter fields, and the location of the value in an item.
#[test]
fn column_of_each_operation_equals_specification() {
    let document: Value = serde_json::from_str(sentinelone_raw::OPENAPI).unwrap();
    let mut fields: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get") else { continue };
        let id = operation["operationId"].as_str().unwrap();
        let metadata = sentinelone_raw::OPERATIONS.iter().find(|operation| operation.id == id).unwrap();
        let columns = columns_of(metadata).unwrap_or_default();
        for column in columns {
            for name in column.fields() {
                let resolve = |parameter: &Value| match parameter["$ref"].as_str() {
                    Some(reference) => document.pointer(&reference[1..]).unwrap().clone(),
                    None => parameter.clone(),
                };
                let parameters = operation["parameters"].as_array().unwrap().iter().map(resolve);
                let parameter = parameters.into_iter().find(|parameter| parameter["name"] == name.as_str());
                let parameter = parameter.unwrap_or_else(|| panic!("{path} has no {name}"));
                let field = parameter["x-s1"]["field"].as_str().unwrap();
                let item = set(field, "2026-11-21T08:30:00.250Z");
                assert_eq!(column.value(&item), Some(1_795_249_800_250), "{id}: {field}");
                fields.entry(metadata.id).or_default().push(name);
            }
        }
    }
    let expected = [
        "activities_list",
        "agents_list",
        "alerts_list",
        "blocklist_list",
        "exclusions_list",
        "remote_scripts_list_tasks",
        "threats_list",
        "threats_list_v2_0",
    ];
    assert!(expected.iter().all(|id| fields.contains_key(id)), "{:?}", fields.keys());
    assert_eq!(fields["agents_list"].len(), 4, "createdAt and registeredAt");
}

/// Returns an object with a value at a path.
fn set(path: &str, value: &str) -> Value {
    path.rsplit('.').fold(json!(value), |value, name| json!({ name: value }))
}

#[test]
fn places_have_ids_and_times_of_each_item_format() {
    let column = |request: &Request<Page<Value>>| Column::of(request).unwrap();
    let threats = column(&request(&plain([])));
    let body = r#"{"data":[null,{"id":"1","threatInfo":{"createdAt":"2026-11-21T08:30:00.25Z"}},{"id":2}]}"#;
    let places = threats.places(body.as_bytes()).unwrap();
    let ids: Vec<&str> = places.iter().map(|place| place.id.as_str()).collect();
    assert_eq!((ids, places[0].time.is_some(), places[1].time), (vec!["1", "2"], true, None));
    let alert = r#"{"data":[{"alertInfo":{"alertId":"7","createdAt":"2026-11-21T08:30:00Z"}}]}"#;
    let places = threats.places(alert.as_bytes()).unwrap();
    assert_eq!((places[0].id.as_str(), places[0].time.is_some()), ("7", true));
    assert!(threats.places(br#"{"data":[{"threatInfo":null}]}"#).is_none(), "no ID");
    assert!(threats.places(b"{").is_none());
}

#[test]
fn parallel_list_keeps_narrower_bounds_of_request() {
    let history = History { bounds: (Some(1_500), Some(9_500)), ..plain([]) };
    let request = request(&history);
    let column = Column::of(&request).unwrap();
    let query = |from: i64, until: i64| {
        let millis = |millis: i64| Some(EPOCH / 1000 + millis);
        let query = column.bounded(&request, millis(from), millis(until)).unwrap().query();
        let value = |name: &str| query.iter().find(|(other, _)| other == name).unwrap().1.clone();
        (value("createdAt__gte"), value("createdAt__lt"))
    };
    assert_eq!(query(1, 10), (timestamp(1_500), timestamp(9_500)), "the bounds of the request are narrower");
    assert_eq!(query(2, 9), (timestamp(2_000), timestamp(9_000)));
}
