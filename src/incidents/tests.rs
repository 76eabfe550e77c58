//! Property tests of fetching with a model of a console: each item is delivered exactly once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use proptest::prelude::*;
use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use serde_json::{Value, json};

use super::fetch::{ListPage, ListQuery, PageCursor, PageSource, poll};
use super::{Checkpoint, FetchType, IncidentConfig, IncidentConfigError, Stream};
use crate::Result;
use crate::error::{Error, ErrorRepr};

/// Start of the histories, in milliseconds since 1970. The first fetch starts one hour earlier.
const START: u64 = 1_780_000_000_000;

/// The overlap, in milliseconds.
const OVERLAP: u64 = 60_000;

fn system_time(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// An item of the console.
#[derive(Clone, Debug)]
struct Item {
    stream: Stream,
    created: u64,
    /// Time from which the lists have the item.
    visible: u64,
}

/// A model of a console.
#[derive(Debug, Default)]
struct Console {
    items: Vec<Item>,
    now: u64,
    /// Maximum page size, independent of the request.
    page: usize,
    /// Number of pages before the next failure; `None` without a failure.
    fails_after_pages: Option<usize>,
    /// Lists are sorted newest first, as those of API 2.0 may be.
    newest_first: bool,
    /// Milliseconds per page.
    page_millis: u64,
    version: Option<ApiVersion>,
}

#[derive(Clone)]
struct Model(Rc<RefCell<Console>>);

/// Pages of a list of the model. The model may change between two pages.
struct ModelCursor {
    console: Rc<RefCell<Console>>,
    stream: Stream,
    since: u64,
    size: usize,
    /// The last item of the previous page: creation time and index.
    last: Option<(u64, usize)>,
    done: bool,
}

impl PageSource for Model {
    type Cursor = ModelCursor;

    fn version(&self) -> ApiVersion {
        self.0.borrow().version.unwrap_or(ApiVersion::V2_1)
    }

    fn list(&self, query: ListQuery<'_>) -> ModelCursor {
        let since = query.since.to_system_time().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let size = usize::try_from(query.size).unwrap().min(self.0.borrow().page).max(1);
        let since = u64::try_from(since.as_millis()).unwrap();
        ModelCursor {
            console: Rc::clone(&self.0),
            stream: query.stream,
            since,
            size,
            last: None,
            done: false,
        }
    }
}

impl PageCursor for ModelCursor {
    async fn next(&mut self) -> Option<Result<ListPage>> {
        if self.done {
            return None;
        }
        let mut console = self.console.borrow_mut();
        console.now += console.page_millis;
        if let Some(left) = &mut console.fails_after_pages {
            if *left == 0 {
                self.done = true;
                console.fails_after_pages = None;
                return Some(Err(Error::for_operation(
                    &sentinelone_raw::threats::LIST,
                    ErrorRepr::RepeatedCursor,
                )));
            }
            *left -= 1;
        }
        let is_next = |at: (u64, usize)| match (self.last, console.newest_first) {
            (None, _) => true,
            (Some(last), false) => at > last,
            (Some(last), true) => at < last,
        };
        let mut visible: Vec<(u64, usize)> = console
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| {
                item.stream == self.stream && item.visible <= console.now && item.created >= self.since
            })
            .map(|(index, item)| (item.created, index))
            .filter(|at| is_next(*at))
            .collect();
        visible.sort_unstable();
        if console.newest_first {
            visible.reverse();
        }
        self.done = visible.len() <= self.size;
        visible.truncate(self.size);
        self.last = visible.last().copied().or(self.last);
        let items = visible.iter().map(|(created, index)| item_json(self.stream, *created, *index)).collect();
        Some(Ok(ListPage { items, now: Some(system_time(console.now)), ..ListPage::default() }))
    }
}

fn item_json(stream: Stream, created: u64, index: usize) -> Value {
    let created = Timestamp::from(system_time(created));
    match stream {
        Stream::Threats => json!({ "id": index.to_string(), "threatInfo": { "createdAt": created } }),
        Stream::Alerts => json!({ "alertInfo": { "alertId": index.to_string(), "createdAt": created } }),
    }
}

/// A step of a history.
#[derive(Clone, Debug)]
enum Step {
    /// Time passes, in milliseconds.
    Wait(u64),
    /// Creates items with the same creation time, `age` ago. They appear after `delay`.
    Create { stream: Stream, count: usize, age: u64, delay: u64 },
    /// Creates an item with a future timestamp.
    FutureTimestamp { stream: Stream, ahead: u64 },
    /// Polls, delivers the batch and stores the checkpoint.
    Poll,
    /// Polls and ends before the checkpoint is stored. The batch may have been delivered.
    Crash { delivered: bool },
    /// Fails the next poll at this page.
    Fault(usize),
    /// Changes the page size.
    Page(usize),
}

fn stream() -> impl Strategy<Value = Stream> {
    prop_oneof![Just(Stream::Threats), Just(Stream::Alerts)]
}

fn step() -> impl Strategy<Value = Step> {
    // Few distinct times, so that many are equal.
    let span = || (0..12_u64).prop_map(|tens| tens * 5_000);
    prop_oneof![
        3 => (0..40_u64).prop_map(|seconds| Step::Wait(seconds * 1_000)),
        4 => (stream(), 1..9_usize, span(), span()).prop_map(|(stream, count, age, delay)| {
            Step::Create { stream, count, age, delay }
        }),
        1 => (stream(), span()).prop_map(|(stream, ahead)| Step::FutureTimestamp { stream, ahead: ahead * 10 }),
        4 => Just(Step::Poll),
        2 => any::<bool>().prop_map(|delivered| Step::Crash { delivered }),
        1 => (0..4_usize).prop_map(Step::Fault),
        1 => (1..9_usize).prop_map(Step::Page),
    ]
}

/// A store of batches and checkpoints.
#[derive(Debug, Default)]
struct StoredBatches {
    checkpoint: Option<String>,
    /// Number of batches with each key whose checkpoint was stored.
    stored: BTreeMap<String, usize>,
    /// All delivered keys.
    delivered: BTreeSet<String>,
}

impl StoredBatches {
    /// Polls from the stored checkpoint. Returns whether another poll is needed.
    fn poll(
        &mut self,
        model: &Model,
        config: &IncidentConfig,
        store_checkpoint: bool,
        deliver: bool,
    ) -> bool {
        // As after a restart: the checkpoint is parsed from JSON.
        let before: Checkpoint = match &self.checkpoint {
            Some(json) => serde_json::from_str(json).unwrap(),
            None => Checkpoint::default(),
        };
        let polled = poll(model, config, &before).now_or_never().unwrap();
        let Ok(batch) = polled else { return true };
        for stream in config.fetch_type.streams() {
            let stream_incidents: Vec<_> =
                batch.incidents.iter().filter(|incident| incident.stream == *stream).collect();
            assert!(stream_incidents.len() <= config.limit as usize);
            let times: Vec<_> = stream_incidents
                .iter()
                .map(|incident| incident.occurred.as_ref().unwrap().to_system_time())
                .collect();
            assert!(times.is_sorted(), "oldest first");
        }
        if deliver {
            self.delivered.extend(batch.incidents.iter().map(|incident| incident.dedupe_key.clone()));
        }
        let poll_again = batch.has_more || !batch.failures.is_empty();
        if store_checkpoint {
            for incident in &batch.incidents {
                *self.stored.entry(incident.dedupe_key.clone()).or_default() += 1;
            }
            self.checkpoint = Some(serde_json::to_string(&batch.checkpoint).unwrap());
        }
        poll_again
    }
}

fn config(fetch_type: FetchType, limit: u32) -> IncidentConfig {
    IncidentConfig {
        fetch_type,
        limit,
        first_fetch: Timestamp::from(system_time(START - 3_600_000)).to_string(),
        overlap: Duration::from_millis(OVERLAP),
        min_risk: 0,
        ..IncidentConfig::default()
    }
}

fn run_history(steps: &[Step], config: &IncidentConfig, newest_first: bool, page_millis: u64) {
    let console = Console { now: START, page: 5, newest_first, page_millis, ..Console::default() };
    let model = Model(Rc::new(RefCell::new(console)));
    let mut store = StoredBatches::default();
    for step in steps {
        match *step {
            Step::Wait(millis) => model.0.borrow_mut().now += millis,
            Step::Create { stream, count, age, delay } => {
                let mut console = model.0.borrow_mut();
                // Created within the overlap and visible before it ends.
                let created = console.now - age;
                let visible = (created + delay).max(console.now);
                console.items.extend((0..count).map(|_| Item { stream, created, visible }));
            }
            Step::FutureTimestamp { stream, ahead } => {
                let mut console = model.0.borrow_mut();
                let (created, visible) = (console.now + ahead, console.now);
                console.items.push(Item { stream, created, visible });
            }
            Step::Poll => drop(store.poll(&model, config, true, true)),
            Step::Crash { delivered } => drop(store.poll(&model, config, false, delivered)),
            Step::Fault(page) => model.0.borrow_mut().fails_after_pages = Some(page),
            Step::Page(size) => model.0.borrow_mut().page = size,
        }
    }
    // Finally all items are visible and no request fails. Polls until no items remain.
    {
        let mut console = model.0.borrow_mut();
        (console.fails_after_pages, console.page_millis) = (None, 0);
        console.now = console.items.iter().map(|item| item.visible).max().unwrap_or(START).max(console.now);
    }
    let mut polls = 0;
    while store.poll(&model, config, true, true) {
        polls += 1;
        assert!(polls < 1_000, "polling does not end");
    }
    let console = model.0.borrow();
    let expected = console
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| config.fetch_type.streams().contains(&item.stream));
    let expected: BTreeSet<String> =
        expected.map(|(index, item)| format!("{}:{index}", item.stream.as_str())).collect();
    let stored: BTreeSet<String> = store.stored.keys().cloned().collect();
    assert_eq!(stored, expected, "all expected items and no others");
    assert!(store.stored.values().all(|count| *count == 1), "each item once: {:?}", store.stored);
    assert!(store.delivered.is_subset(&expected));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn fetch_delivers_each_item_exactly_once(
        steps in prop::collection::vec(step(), 1..50),
        both in any::<bool>(),
        limit in 1..12_u32,
        newest_first in prop::bool::weighted(0.3),
        page_millis in prop_oneof![Just(0_u64), 1..3_000_u64],
    ) {
        let fetch_type = if both { FetchType::Both } else { FetchType::Threats };
        run_history(&steps, &config(fetch_type, limit), newest_first, page_millis);
    }
}

/// The model detects losses: without an overlap, late items are lost.
#[test]
fn fetch_without_overlap_loses_late_items() {
    let create = |age, delay| Step::Create { stream: Stream::Threats, count: 1, age, delay };
    let steps = [create(20_000, 40_000), create(0, 0), Step::Poll, Step::Wait(60_000), Step::Poll];
    run_history(&steps, &config(FetchType::Threats, 10), false, 0);
    let mut config = config(FetchType::Threats, 10);
    config.overlap = Duration::ZERO;
    let result = std::panic::catch_unwind(|| run_history(&steps, &config, false, 0));
    assert!(result.is_err());
}

#[test]
fn poll_failed_stream_does_not_block_the_other() {
    let model = Model(Rc::new(RefCell::new(Console { now: START, page: 5, ..Console::default() })));
    let items =
        [Stream::Threats, Stream::Alerts].map(|stream| Item { stream, created: START, visible: START });
    model.0.borrow_mut().items.extend(items);
    model.0.borrow_mut().fails_after_pages = Some(0);
    let config = config(FetchType::Both, 10);
    let batch = poll(&model, &config, &Checkpoint::default()).now_or_never().unwrap().unwrap();
    assert_eq!(batch.failures.len(), 1);
    assert_eq!(batch.failures[0].stream, Stream::Alerts);
    assert_eq!(batch.incidents.len(), 1);
    assert_eq!(batch.checkpoint.newest(Stream::Alerts), None);
    assert!(batch.checkpoint.newest(Stream::Threats).is_some());
    let next = poll(&model, &config, &batch.checkpoint).now_or_never().unwrap().unwrap();
    assert_eq!(next.incidents.len(), 1, "only the alert");

    model.0.borrow_mut().fails_after_pages = Some(0);
    let threats = IncidentConfig { fetch_type: FetchType::Threats, ..config };
    poll(&model, &threats, &Checkpoint::default()).now_or_never().unwrap().unwrap_err();
}

#[test]
fn config_invalid_values_are_rejected() {
    let validate = |change: fn(&mut IncidentConfig), version| {
        let mut config = IncidentConfig::default();
        change(&mut config);
        config.validate(version)
    };
    let (old, new) = (ApiVersion::V2_0, ApiVersion::V2_1);
    assert_eq!(validate(|_| {}, new), Ok(()));
    assert_eq!(validate(|_| {}, old), Ok(()));
    assert_eq!(
        validate(|config| config.fetch_type = FetchType::Both, old),
        Err(IncidentConfigError::AlertsUnsupported(old))
    );
    assert_eq!(validate(|config| config.min_risk = 11, old), Err(IncidentConfigError::MinRiskOutOfRange(11)));
    assert_eq!(validate(|config| config.limit = 0, new), Err(IncidentConfigError::ZeroLimit));
    assert_eq!(
        validate(|config| config.site_ids = vec![" ".into()], new),
        Err(IncidentConfigError::EmptySiteId)
    );
    assert_eq!(
        validate(|config| config.close_resolved = true, new),
        Err(IncidentConfigError::CloseNeedsIncoming)
    );
    assert_eq!(
        validate(|config| config.overlap = Duration::MAX, new),
        Err(IncidentConfigError::OverlapTooLong)
    );
    for text in ["", "soon", "2999-01-01T00:00:00Z"] {
        let config = IncidentConfig { first_fetch: text.into(), ..IncidentConfig::default() };
        assert_eq!(config.validate(new), Err(IncidentConfigError::FirstFetch(text.into())));
    }
    let message =
        validate(|config| config.threat_statuses = vec!["open".into()], new).unwrap_err().to_string();
    assert!(message.contains("threat status is \"open\"; expected one of"), "{message}");
    assert_eq!("ALERTS".parse(), Ok(FetchType::Alerts));
    assert_eq!("Incoming And Outgoing".parse(), Ok(super::MirrorDirection::Both));
    let message = "all".parse::<FetchType>().unwrap_err().to_string();
    assert_eq!(message, "fetch type is \"all\"; expected one of threats, alerts, both");
}

#[test]
fn poll_missing_risk_score_counts_as_0() {
    let console = Console { now: START, page: 50, version: Some(ApiVersion::V2_0), ..Console::default() };
    let model = Model(Rc::new(RefCell::new(console)));
    // The items of the model have the times of API 2.1 and no rank.
    model.0.borrow_mut().items.push(Item { stream: Stream::Threats, created: START, visible: START });
    let mut config = config(FetchType::Threats, 10);
    config.min_risk = 1;
    let batch = poll(&model, &config, &Checkpoint::default()).now_or_never().unwrap().unwrap();
    assert_eq!((batch.incidents.len(), batch.skipped_below_min_risk), (0, 1));
    config.min_risk = 0;
    let batch = poll(&model, &config, &Checkpoint::default()).now_or_never().unwrap().unwrap();
    assert_eq!((batch.incidents.len(), batch.skipped_below_min_risk), (1, 0));
}
