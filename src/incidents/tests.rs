//! Fetching against a model of a console: whatever happens, everything comes, and comes once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use proptest::prelude::*;
use sentinelone_raw::runtime::{ApiVersion, Timestamp};
use serde_json::{Value, json};

use super::fetch::{Ask, Found, Source, Walk, poll};
use super::{Checkpoint, FetchType, Settings, SettingsError, Stream};
use crate::Result;
use crate::error::{Error, Trouble};

/// When histories begin, in milliseconds since 1970: the first fetch begins an hour before.
const START: u64 = 1_780_000_000_000;

/// The overlap, in milliseconds.
const OVERLAP: u64 = 60_000;

fn moment(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// A thing of the console.
#[derive(Clone, Debug)]
struct Thing {
    stream: Stream,
    created: u64,
    /// From when on the lists show it.
    shown: u64,
}

/// The console as a model.
#[derive(Debug, Default)]
struct Console {
    things: Vec<Thing>,
    now: u64,
    /// How many things a page has at most, whatever is asked for.
    page: usize,
    /// Pages until the next failure; none where nothing fails.
    fails_after: Option<usize>,
    /// Lists come newest first, as those of API 2.0 may.
    newest_first: bool,
    /// Milliseconds that a page takes.
    slow: u64,
    version: Option<ApiVersion>,
}

#[derive(Clone)]
struct Model(Rc<RefCell<Console>>);

/// A walk through a list of the model, which goes on while the console does.
struct Steps {
    console: Rc<RefCell<Console>>,
    stream: Stream,
    since: u64,
    size: usize,
    /// The last thing that was shown: created and position.
    last: Option<(u64, usize)>,
    over: bool,
}

impl Source for Model {
    type Walk = Steps;

    fn version(&self) -> ApiVersion {
        self.0.borrow().version.unwrap_or(ApiVersion::V2_1)
    }

    fn walk(&self, ask: Ask<'_>) -> Steps {
        let since = ask.since.to_system_time().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let size = usize::try_from(ask.size).unwrap().min(self.0.borrow().page).max(1);
        let since = u64::try_from(since.as_millis()).unwrap();
        Steps { console: Rc::clone(&self.0), stream: ask.stream, since, size, last: None, over: false }
    }
}

impl Walk for Steps {
    async fn next(&mut self) -> Option<Result<Found>> {
        if self.over {
            return None;
        }
        let mut console = self.console.borrow_mut();
        console.now += console.slow;
        if let Some(left) = &mut console.fails_after {
            if *left == 0 {
                self.over = true;
                console.fails_after = None;
                return Some(Err(Error::of(&sentinelone_raw::threats::LIST, Trouble::RepeatedCursor)));
            }
            *left -= 1;
        }
        let is_next = |at: (u64, usize)| match (self.last, console.newest_first) {
            (None, _) => true,
            (Some(last), false) => at > last,
            (Some(last), true) => at < last,
        };
        let mut shown: Vec<(u64, usize)> = console
            .things
            .iter()
            .enumerate()
            .filter(|(_, one)| {
                one.stream == self.stream && one.shown <= console.now && one.created >= self.since
            })
            .map(|(index, one)| (one.created, index))
            .filter(|at| is_next(*at))
            .collect();
        shown.sort_unstable();
        if console.newest_first {
            shown.reverse();
        }
        self.over = shown.len() <= self.size;
        shown.truncate(self.size);
        self.last = shown.last().copied().or(self.last);
        let things = shown.iter().map(|(created, index)| thing(self.stream, *created, *index)).collect();
        Some(Ok(Found { things, now: Some(moment(console.now)) }))
    }
}

fn thing(stream: Stream, created: u64, index: usize) -> Value {
    let created = Timestamp::from(moment(created));
    match stream {
        Stream::Threats => json!({ "id": index.to_string(), "threatInfo": { "createdAt": created } }),
        Stream::Alerts => json!({ "alertInfo": { "alertId": index.to_string(), "createdAt": created } }),
    }
}

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    /// Time goes by, in milliseconds.
    Wait(u64),
    /// Things are created, all at one moment so long ago, and show so long after that.
    Arrive { stream: Stream, count: usize, ago: u64, late: u64 },
    /// A thing claims to be created in the future.
    FromTheFuture { stream: Stream, ahead: u64 },
    /// A poll whose batch is kept and whose checkpoint is stored.
    Poll,
    /// A poll that ends with the process before the checkpoint is stored; the batch may have been kept.
    Crash { kept: bool },
    /// The next poll fails at this page.
    Fault(usize),
    /// The console gives pages of another size.
    Page(usize),
}

fn stream() -> impl Strategy<Value = Stream> {
    prop_oneof![Just(Stream::Threats), Just(Stream::Alerts)]
}

fn step() -> impl Strategy<Value = Step> {
    // Few different times, so that many are equal.
    let span = || (0..12_u64).prop_map(|tens| tens * 5_000);
    prop_oneof![
        3 => (0..40_u64).prop_map(|seconds| Step::Wait(seconds * 1_000)),
        4 => (stream(), 1..9_usize, span(), span()).prop_map(|(stream, count, ago, late)| {
            Step::Arrive { stream, count, ago, late }
        }),
        1 => (stream(), span()).prop_map(|(stream, ahead)| Step::FromTheFuture { stream, ahead: ahead * 10 }),
        4 => Just(Step::Poll),
        2 => any::<bool>().prop_map(|kept| Step::Crash { kept }),
        1 => (0..4_usize).prop_map(Step::Fault),
        1 => (1..9_usize).prop_map(Step::Page),
    ]
}

/// What somebody has kept of the batches.
#[derive(Debug, Default)]
struct Kept {
    checkpoint: Option<String>,
    /// How often each key was in a batch whose checkpoint was stored.
    stored: BTreeMap<String, usize>,
    /// Every key that was ever kept.
    all: BTreeSet<String>,
}

impl Kept {
    /// One poll, from what was stored last to what is stored now.
    fn poll(&mut self, model: &Model, settings: &Settings, stores: bool, keeps: bool) -> bool {
        // As after a restart: the checkpoint comes from a text.
        let before: Checkpoint = match &self.checkpoint {
            Some(text) => serde_json::from_str(text).unwrap(),
            None => Checkpoint::default(),
        };
        let polled = poll(model, settings, &before).now_or_never().unwrap();
        let Ok(batch) = polled else { return true };
        for stream in settings.fetch_type.streams() {
            let mine: Vec<_> = batch.incidents.iter().filter(|one| one.stream == *stream).collect();
            assert!(mine.len() <= settings.limit as usize);
            let times: Vec<_> =
                mine.iter().map(|one| one.occurred.as_ref().unwrap().to_system_time()).collect();
            assert!(times.is_sorted(), "oldest first");
        }
        if keeps {
            self.all.extend(batch.incidents.iter().map(|one| one.dedupe_key.clone()));
        }
        let again = batch.more || !batch.failures.is_empty();
        if stores {
            for incident in &batch.incidents {
                *self.stored.entry(incident.dedupe_key.clone()).or_default() += 1;
            }
            self.checkpoint = Some(serde_json::to_string(&batch.checkpoint).unwrap());
        }
        again
    }
}

fn settings(fetch_type: FetchType, limit: u32) -> Settings {
    Settings {
        fetch_type,
        limit,
        first_fetch: Timestamp::from(moment(START - 3_600_000)).to_string(),
        overlap: Duration::from_millis(OVERLAP),
        min_risk: 0,
        ..Settings::default()
    }
}

fn history(steps: &[Step], settings: &Settings, newest_first: bool, slow: u64) {
    let console = Console { now: START, page: 5, newest_first, slow, ..Console::default() };
    let model = Model(Rc::new(RefCell::new(console)));
    let mut kept = Kept::default();
    for step in steps {
        match *step {
            Step::Wait(millis) => model.0.borrow_mut().now += millis,
            Step::Arrive { stream, count, ago, late } => {
                let mut console = model.0.borrow_mut();
                // Created within the overlap, and shown before it is over.
                let created = console.now - ago;
                let shown = (created + late).max(console.now);
                console.things.extend((0..count).map(|_| Thing { stream, created, shown }));
            }
            Step::FromTheFuture { stream, ahead } => {
                let mut console = model.0.borrow_mut();
                let (created, shown) = (console.now + ahead, console.now);
                console.things.push(Thing { stream, created, shown });
            }
            Step::Poll => drop(kept.poll(&model, settings, true, true)),
            Step::Crash { kept: keeps } => drop(kept.poll(&model, settings, false, keeps)),
            Step::Fault(page) => model.0.borrow_mut().fails_after = Some(page),
            Step::Page(size) => model.0.borrow_mut().page = size,
        }
    }
    // In the end everything shows, nothing fails, and somebody polls until there is nothing more.
    {
        let mut console = model.0.borrow_mut();
        (console.fails_after, console.slow) = (None, 0);
        console.now = console.things.iter().map(|one| one.shown).max().unwrap_or(START).max(console.now);
    }
    let mut polls = 0;
    while kept.poll(&model, settings, true, true) {
        polls += 1;
        assert!(polls < 1_000, "it never ends");
    }
    let console = model.0.borrow();
    let wanted = console
        .things
        .iter()
        .enumerate()
        .filter(|(_, one)| settings.fetch_type.streams().contains(&one.stream));
    let wanted: BTreeSet<String> =
        wanted.map(|(index, one)| format!("{}:{index}", one.stream.as_str())).collect();
    let stored: BTreeSet<String> = kept.stored.keys().cloned().collect();
    assert_eq!(stored, wanted, "everything, and nothing else");
    assert!(kept.stored.values().all(|count| *count == 1), "each once: {:?}", kept.stored);
    assert!(kept.all.is_subset(&wanted));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn every_thing_comes_exactly_once(
        steps in prop::collection::vec(step(), 1..50),
        both in any::<bool>(),
        limit in 1..12_u32,
        newest_first in prop::bool::weighted(0.3),
        slow in prop_oneof![Just(0_u64), 1..3_000_u64],
    ) {
        let fetch_type = if both { FetchType::Both } else { FetchType::Threats };
        history(&steps, &settings(fetch_type, limit), newest_first, slow);
    }
}

/// The model itself can tell: without an overlap, late things are lost.
#[test]
fn without_an_overlap_the_model_finds_a_loss() {
    let arrive = |ago, late| Step::Arrive { stream: Stream::Threats, count: 1, ago, late };
    let steps = [arrive(20_000, 40_000), arrive(0, 0), Step::Poll, Step::Wait(60_000), Step::Poll];
    history(&steps, &settings(FetchType::Threats, 10), false, 0);
    let mut settings = settings(FetchType::Threats, 10);
    settings.overlap = Duration::ZERO;
    let lost = std::panic::catch_unwind(|| history(&steps, &settings, false, 0));
    assert!(lost.is_err());
}

#[test]
fn one_stream_that_fails_holds_up_no_other() {
    let model = Model(Rc::new(RefCell::new(Console { now: START, page: 5, ..Console::default() })));
    let things =
        [Stream::Threats, Stream::Alerts].map(|stream| Thing { stream, created: START, shown: START });
    model.0.borrow_mut().things.extend(things);
    model.0.borrow_mut().fails_after = Some(0);
    let settings = settings(FetchType::Both, 10);
    let batch = poll(&model, &settings, &Checkpoint::default()).now_or_never().unwrap().unwrap();
    assert_eq!(batch.failures.len(), 1);
    assert_eq!(batch.failures[0].stream, Stream::Alerts);
    assert_eq!(batch.incidents.len(), 1);
    assert_eq!(batch.checkpoint.newest(Stream::Alerts), None);
    assert!(batch.checkpoint.newest(Stream::Threats).is_some());
    let next = poll(&model, &settings, &batch.checkpoint).now_or_never().unwrap().unwrap();
    assert_eq!(next.incidents.len(), 1, "the alert, and the threat no second time");

    model.0.borrow_mut().fails_after = Some(0);
    let threats = Settings { fetch_type: FetchType::Threats, ..settings };
    poll(&model, &threats, &Checkpoint::default()).now_or_never().unwrap().unwrap_err();
}

#[test]
fn settings_are_held_to_what_there_is() {
    let of = |change: fn(&mut Settings), version| {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.check(version)
    };
    let (old, new) = (ApiVersion::V2_0, ApiVersion::V2_1);
    assert_eq!(of(|_| {}, new), Ok(()));
    assert_eq!(of(|_| {}, old), Ok(()));
    assert_eq!(of(|one| one.fetch_type = FetchType::Both, old), Err(SettingsError::NoAlerts(old)));
    assert_eq!(of(|one| one.min_risk = 11, old), Err(SettingsError::Risk(11)));
    assert_eq!(of(|one| one.limit = 0, new), Err(SettingsError::Limit));
    assert_eq!(of(|one| one.site_ids = vec![" ".into()], new), Err(SettingsError::EmptySite));
    assert_eq!(of(|one| one.close_mirrored = true, new), Err(SettingsError::Close));
    assert_eq!(of(|one| one.overlap = Duration::MAX, new), Err(SettingsError::Overlap));
    for text in ["", "soon", "2999-01-01T00:00:00Z"] {
        let settings = Settings { first_fetch: text.into(), ..Settings::default() };
        assert_eq!(settings.check(new), Err(SettingsError::FirstFetch(text.into())));
    }
    let wrong = of(|one| one.threat_statuses = vec!["open".into()], new).unwrap_err().to_string();
    assert!(wrong.contains("an incident status of threats cannot be \"open\"; it is one of"), "{wrong}");
    assert_eq!("ALERTS".parse(), Ok(FetchType::Alerts));
    assert_eq!("Incoming And Outgoing".parse(), Ok(super::Mirroring::Both));
    let wrong = "all".parse::<FetchType>().unwrap_err().to_string();
    assert_eq!(wrong, "the fetch type cannot be \"all\"; it is one of threats, alerts, both");
}

#[test]
fn a_threat_without_a_score_has_none() {
    let console = Console { now: START, page: 50, version: Some(ApiVersion::V2_0), ..Console::default() };
    let model = Model(Rc::new(RefCell::new(console)));
    // The things of the model have their times where API 2.1 has them, and no rank.
    model.0.borrow_mut().things.push(Thing { stream: Stream::Threats, created: START, shown: START });
    let mut settings = settings(FetchType::Threats, 10);
    settings.min_risk = 1;
    let batch = poll(&model, &settings, &Checkpoint::default()).now_or_never().unwrap().unwrap();
    assert_eq!((batch.incidents.len(), batch.passed_over), (0, 1));
    settings.min_risk = 0;
    let batch = poll(&model, &settings, &Checkpoint::default()).now_or_never().unwrap().unwrap();
    assert_eq!((batch.incidents.len(), batch.passed_over), (1, 0));
}
