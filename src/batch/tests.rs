//! Property tests of batches with a model of a console: interruptions at any point, faults of each batch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::future::poll_fn;
use std::path::Path;
use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use sentinelone_raw::runtime::{ApiVersion, Page, Request, ResponseBody};
use sentinelone_raw::threats::{
    self, IncidentStatus, LegacyThreatFilter, LegacyThreatMarkingData, MitigationAction, ThreatActionFilter,
    ThreatFilter, ThreatIncidentData, ThreatNoteData, ThreatTargetScope, ThreatsAddNoteRequest,
    ThreatsMarkAsThreatRequest, ThreatsMitigateRequest, ThreatsUpdateIncidentRequest,
};
use serde_json::{Value, json};

use super::console::Console;
use super::engine::run;
use super::requests::batch_requests;
use super::settings::{BatchSettings, MAX_IN_FLIGHT};
use super::{BatchReport, Journal, StopSignal};
use crate::Result;
use crate::error::{Delivery, Error, ErrorKind, ErrorRepr};
use crate::outcome::IdState;
use crate::response::Response;
use crate::transport::SleepFuture;

/// An action of the tests, by what the console shows about it afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// The state can be read, and a second action has an effect.
    Note,
    /// The state can be read, and a second action has no effect.
    Status,
    /// The state cannot be read, and a second action has an effect.
    Mitigate,
    /// The state cannot be read, and a second action has no effect.
    Mark,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Note, Self::Status, Self::Mitigate, Self::Mark];

    fn template(self) -> Request<Value> {
        let filter = || ThreatFilter::default().ids(["t"]);
        match self {
            Self::Note => {
                let data = ThreatNoteData::new("checked");
                threats::add_note(&ThreatsAddNoteRequest::new(data, filter())).unwrap().with_response_type()
            }
            Self::Status => {
                let data = ThreatIncidentData::new(IncidentStatus::Resolved);
                let body = ThreatsUpdateIncidentRequest::new(data, filter());
                threats::update_incident(&body).unwrap().with_response_type()
            }
            Self::Mitigate => {
                let body = ThreatsMitigateRequest::new(filter());
                threats::mitigate(&MitigationAction::Kill, &body).unwrap().with_response_type()
            }
            Self::Mark => {
                let data = LegacyThreatMarkingData::new(ThreatTargetScope::Site);
                let filter = LegacyThreatFilter::default().ids(["t"]);
                let body = ThreatsMarkAsThreatRequest::new(data, filter);
                threats::mark_as_threat(&body).unwrap().with_response_type()
            }
        }
    }
}

/// Behavior of the console for one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    LostBeforeEffect,
    LostAfterEffect,
    /// The effect comes after this many polls, and the response after as many.
    Slow(u8),
    /// Responses with this status and no effect.
    Rejected(u16),
    /// 500, after the effect.
    ServerError,
    /// A response without a count or details.
    Empty,
}

/// A model of a console.
#[derive(Default)]
struct Model {
    kind: Option<Kind>,
    requested: BTreeSet<String>,
    /// IDs that exist and allow the action.
    allowed: BTreeSet<String>,
    state: Mutex<State>,
    stop: StopSignal,
}

#[derive(Default)]
struct State {
    effects: BTreeMap<String, u32>,
    /// IDs that were received in the current run.
    received: Vec<String>,
    faults: Vec<Fault>,
    in_flight: usize,
    max_in_flight: usize,
    /// Number of batches until the run is stopped.
    batches_until_stop: Option<usize>,
}

/// Ends the count of a batch in flight, also if its future is dropped.
struct InFlight<'a>(&'a Mutex<State>);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

impl Model {
    fn apply(&self, ids: &[String]) -> u64 {
        let mut state = self.state.lock().unwrap();
        let allowed: Vec<_> = ids.iter().filter(|id| self.allowed.contains(*id)).collect();
        for id in &allowed {
            *state.effects.entry((*id).clone()).or_default() += 1;
        }
        allowed.len() as u64
    }

    fn response(&self, ids: &[String], affected: u64) -> Value {
        let details = ids.iter().map(|id| {
            let result = if self.allowed.contains(id) { "updated" } else { "missing_permissions" };
            json!({ "threatId": id, "result": result })
        });
        json!({ "data": { "affected": affected, "details": details.collect::<Vec<_>>() } })
    }
}

/// Waits for this many polls.
async fn polls(count: u8) {
    let mut left = count;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Console for Model {
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    async fn send<A: ResponseBody + Send>(&self, request: &Request<A>) -> Result<Response<A>> {
        let (operation, ids) = (request.operation(), request.ids());
        assert!(ids.iter().all(|id| self.requested.contains(id)), "an ID that was not requested: {ids:?}");
        assert!(!ids.is_empty());
        let fault = {
            let mut state = self.state.lock().unwrap();
            state.received.extend(ids.iter().cloned());
            state.in_flight += 1;
            state.max_in_flight = state.max_in_flight.max(state.in_flight);
            if let Some(left) = &mut state.batches_until_stop {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.stop.stop();
                }
            }
            state.faults.pop()
        };
        let _in_flight = InFlight(&self.state);
        let lost = || {
            let message = "connection lost".to_owned();
            Error::for_operation(
                operation,
                ErrorRepr::Connection { kind: ErrorKind::ConnectionLost, message },
            )
        };
        let status = |status: u16| {
            let body = br#"{"errors":[{"code":1}]}"#.as_slice().into();
            Error::api(operation, StatusCode::from_u16(status).unwrap(), body, None)
        };
        let wait = if let Some(Fault::Slow(polls)) = fault { polls } else { 1 };
        polls(wait).await;
        match fault {
            Some(Fault::LostBeforeEffect) => return Err(lost()),
            Some(Fault::Rejected(code)) => return Err(status(code)),
            _ => {}
        }
        let affected = self.apply(&ids);
        polls(wait).await;
        let body = match fault {
            Some(Fault::LostAfterEffect) => return Err(lost()),
            Some(Fault::ServerError) => return Err(status(500)),
            Some(Fault::Empty) => json!({ "data": {} }),
            _ => self.response(&ids, affected),
        };
        Response::from_parts(operation, StatusCode::OK, HeaderMap::new(), body.to_string())
    }

    async fn list(&self, request: Request<Page<Value>>) -> Result<Vec<Value>> {
        polls(1).await;
        let state = self.state.lock().unwrap();
        let path = request.path(ApiVersion::V2_1)?;
        let has_effect = |id: &str| state.effects.contains_key(id);
        if path.ends_with("/notes") {
            let id = path.rsplit('/').nth(1).unwrap();
            let other = json!({ "text": "another note" });
            return Ok(if has_effect(id) { vec![other, json!({ "text": "checked" })] } else { vec![other] });
        }
        let query = request.query();
        let ids = query.iter().find(|(name, _)| name == "ids").map_or("", |(_, ids)| ids.as_str());
        let known = ids.split(',').filter(|id| self.allowed.contains(*id));
        let item = |id: &str| {
            let status = if has_effect(id) { "resolved" } else { "unresolved" };
            json!({ "id": id, "threatInfo": { "incidentStatus": status, "analystVerdict": null } })
        };
        Ok(known.map(item).collect())
    }

    fn url(&self) -> String {
        "https://console.example.com".to_owned()
    }

    fn version(&self) -> ApiVersion {
        if self.kind == Some(Kind::Mark) { ApiVersion::V2_0 } else { ApiVersion::V2_1 }
    }

    fn sleep(&self, _: Duration) -> SleepFuture {
        Box::pin(polls(20))
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// One run of the action.
#[derive(Clone, Debug)]
struct RunSpec {
    /// Faults of the batches, the last one first.
    faults: Vec<Fault>,
    in_flight: usize,
    batch_size: usize,
    /// Number of bytes that are written to the journal until the process ends.
    crash: Option<usize>,
    /// Number of batches until the run is stopped.
    stop: Option<usize>,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => (0..6_u8).prop_map(Fault::Slow),
        2 => Just(Fault::LostBeforeEffect),
        2 => Just(Fault::LostAfterEffect),
        2 => prop::sample::select(vec![400, 401, 403, 409, 429]).prop_map(Fault::Rejected),
        1 => Just(Fault::ServerError),
        1 => Just(Fault::Empty),
    ]
}

fn run_spec() -> impl Strategy<Value = RunSpec> {
    let crash = prop::option::weighted(0.6, 0..1_500_usize);
    let stop = prop::option::weighted(0.3, 1..5_usize);
    (prop::collection::vec(fault(), 0..6), 1..6_usize, 1..6_usize, crash, stop).prop_map(
        |(faults, in_flight, batch_size, crash, stop)| RunSpec { faults, in_flight, batch_size, crash, stop },
    )
}

/// Runs the action once with the journal at `path`. Returns the report, and the IDs that were sent.
fn run_once(
    model: &mut Model,
    path: &Path,
    ids: &[String],
    spec: &RunSpec,
    resend_unknown: bool,
) -> (Result<BatchReport<Value>>, Vec<String>) {
    model.stop = StopSignal::default();
    {
        let mut state = model.state.lock().unwrap();
        state.received.clear();
        state.max_in_flight = 0;
        (state.faults, state.batches_until_stop) = (spec.faults.clone(), spec.stop);
    }
    let journal = Journal::open(path).unwrap();
    journal.crash_after(spec.crash.unwrap_or(usize::MAX));
    let settings = BatchSettings {
        batch_size: Some(spec.batch_size),
        in_flight: spec.in_flight,
        journal: Some(journal),
        resend_unknown,
        stop: model.stop.clone(),
        ..BatchSettings::default()
    };
    let template = model.kind.unwrap().template();
    let requests = batch_requests(&template, ids, settings.batch_size).unwrap();
    let report = block_on(run(model, requests, &settings));
    let state = model.state.lock().unwrap();
    assert!(state.max_in_flight <= spec.in_flight, "{} in flight", state.max_in_flight);
    assert_eq!(state.in_flight, 0, "all batches have ended");
    let received: HashSet<_> = state.received.iter().collect();
    assert_eq!(received.len(), state.received.len(), "a run sends an ID once");
    (report, state.received.clone())
}

/// Returns the IDs with a recorded outcome.
fn recorded(path: &Path) -> BTreeSet<String> {
    let entries = Journal::open(path).unwrap().entries();
    entries.into_iter().filter(|(_, entry)| entry.is_final()).map(|(id, _)| id).collect()
}

fn assert_laws(kind: Kind, count: usize, forbidden: &BTreeSet<usize>, runs: &[RunSpec]) {
    let ids: Vec<String> = (0..count).map(|id| format!("id{id}")).collect();
    let is_allowed = |(index, _): &(usize, &String)| !forbidden.contains(index);
    let allowed = ids.iter().enumerate().filter(is_allowed).map(|(_, id)| id.clone()).collect();
    let requested = ids.iter().cloned().collect();
    let mut model = Model { kind: Some(kind), requested, allowed, ..Model::default() };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let undisturbed = RunSpec { faults: Vec::new(), in_flight: 3, batch_size: 4, crash: None, stop: None };
    let mut known = BTreeSet::new();
    for spec in runs.iter().chain([&undisturbed]) {
        let (report, sent) = run_once(&mut model, &path, &ids, spec, false);
        let resent: Vec<_> = sent.iter().filter(|id| known.contains(*id)).collect();
        assert!(resent.is_empty(), "IDs with a recorded outcome are sent: {resent:?}");
        let now = recorded(&path);
        assert!(now.is_superset(&known), "a run forgets outcomes");
        known = now;
        let state = model.state.lock().unwrap();
        let effects = |id: &str| state.effects.get(id).copied().unwrap_or_default();
        if matches!(kind, Kind::Note | Kind::Mitigate) {
            assert!(ids.iter().all(|id| effects(id) <= 1), "an action is applied twice: {:?}", state.effects);
        }
        if let Ok(report) = report {
            let reported: Vec<_> = report.outcomes.iter().map(|outcome| outcome.id.clone()).collect();
            assert_eq!(reported, ids, "one outcome per ID, in order");
            for outcome in &report.outcomes {
                match outcome.state {
                    IdState::Done => assert!(effects(&outcome.id) > 0, "{outcome:?}"),
                    IdState::NotAffected => assert_eq!(effects(&outcome.id), 0, "{outcome:?}"),
                    _ => assert_eq!(outcome.state, IdState::Unknown, "{outcome:?}"),
                }
            }
            // What the report says is in the journal, unless the journal failed.
            if spec.crash.is_none() {
                let done = report.outcomes.iter().filter(|outcome| outcome.state.is_success());
                assert!(done.into_iter().all(|outcome| known.contains(&outcome.id)));
            }
        } else {
            assert!(
                ids.iter().all(|id| effects(id) == 0) || spec.crash.is_some(),
                "an error without an effect"
            );
        }
    }
    {
        let state = model.state.lock().unwrap();
        let effects = |id: &String| state.effects.get(id).copied().unwrap_or_default();
        for id in &model.allowed {
            match kind {
                Kind::Note => assert_eq!(effects(id), 1, "{id}"),
                Kind::Status | Kind::Mark => assert!(effects(id) >= 1, "{id}"),
                Kind::Mitigate => assert!(effects(id) == 1 || !known.contains(id), "{id}"),
            }
        }
    }
    if kind == Kind::Mitigate {
        // What the console does not show is sent only if the caller permits it.
        let (report, sent) = run_once(&mut model, &path, &ids, &undisturbed, true);
        let unknown: BTreeSet<String> = ids.iter().filter(|id| !known.contains(*id)).cloned().collect();
        assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), unknown);
        assert!(report.unwrap().failures.is_empty());
    }
    let (report, sent) = run_once(&mut model, &path, &ids, &undisturbed, false);
    assert!(sent.is_empty(), "a complete journal sends nothing: {sent:?}");
    let report = report.unwrap();
    for outcome in &report.outcomes {
        let expected = if model.allowed.contains(&outcome.id) { IdState::Done } else { IdState::NotAffected };
        assert_eq!(outcome.state, expected, "{outcome:?}");
    }
    assert!(Journal::open(&path).unwrap().is_complete());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn run_after_any_interruptions_does_each_id_once(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        count in 1..24_usize,
        forbidden in prop::collection::btree_set(0..24_usize, 0..4),
        runs in prop::collection::vec(run_spec(), 0..5),
    ) {
        assert_laws(kind, count, &forbidden, &runs);
    }
}

/// Returns a model in which all of these IDs exist.
fn model(kind: Kind, ids: &[String]) -> Model {
    let all = || ids.iter().cloned().collect();
    Model { kind: Some(kind), requested: all(), allowed: all(), ..Model::default() }
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|id| format!("id{id}")).collect()
}

fn undisturbed() -> RunSpec {
    RunSpec { faults: Vec::new(), in_flight: 3, batch_size: 2, crash: None, stop: None }
}

#[test]
fn run_with_invalid_number_sends_nothing() {
    let ids = ids(3);
    let mut model = model(Kind::Status, &ids);
    for in_flight in [0, MAX_IN_FLIGHT + 1] {
        let settings = BatchSettings { in_flight, ..BatchSettings::default() };
        let requests = batch_requests(&Kind::Status.template(), &ids, None).unwrap();
        let error = block_on(run(&model, requests, &settings)).unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Configuration, Delivery::NotSent));
        assert!(error.to_string().contains(&format!("is {in_flight}; expected 1 to 16")), "{error}");
    }
    assert_eq!(model.state.get_mut().unwrap().max_in_flight, 0);
    let error = batch_requests(&Kind::Status.template(), &ids, Some(0)).unwrap_err();
    assert_eq!(error.to_string(), "the batch size is 0 IDs; expected 1 or more");
}

#[test]
fn run_keeps_the_number_of_batches_in_flight() {
    let ids = ids(20);
    let mut model = model(Kind::Status, &ids);
    let settings = BatchSettings { batch_size: Some(2), ..BatchSettings::default() };
    let requests = batch_requests(&Kind::Status.template(), &ids, settings.batch_size).unwrap();
    let report = block_on(run(&model, requests, &settings)).unwrap();
    assert!(report.is_complete() && report.responses.len() == 10);
    assert_eq!((report.affected, model.state.get_mut().unwrap().max_in_flight), (Some(20), 4));
}

#[test]
fn stopped_run_reports_each_id_and_resumes() {
    let ids = ids(12);
    let mut model = model(Kind::Note, &ids);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    // The response of the first batch comes in time, that of the second does not.
    let faults = vec![Fault::Slow(200), Fault::Slow(3)];
    let spec = RunSpec { faults, in_flight: 2, stop: Some(2), ..undisturbed() };
    let (report, sent) = run_once(&mut model, &path, &ids, &spec, false);
    let report = report.unwrap();
    assert!(report.is_stopped && !report.is_complete());
    assert_eq!(sent.len(), 4, "no batch starts after the signal");
    let states: Vec<_> = report.outcomes.iter().map(|outcome| outcome.state).collect();
    let expected =
        [[IdState::Done; 2].as_slice(), &[IdState::Unknown; 2], &[IdState::NotAffected; 8]].concat();
    assert_eq!(states, expected);
    let (report, _) = run_once(&mut model, &path, &ids, &undisturbed(), false);
    assert!(report.unwrap().is_complete());
}

/// Returns the content of a journal after a run with a lost response.
fn written_journal(path: &Path) -> Vec<u8> {
    let ids = ids(6);
    let mut model = model(Kind::Note, &ids);
    let spec = RunSpec { faults: vec![Fault::LostAfterEffect], in_flight: 1, ..undisturbed() };
    let _ = run_once(&mut model, path, &ids, &spec, false);
    let _ = run_once(&mut model, path, &ids, &undisturbed(), false);
    std::fs::read(path).unwrap()
}

#[test]
fn journal_incomplete_last_line_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let bytes = written_journal(&path);
    let mut last_count = 0;
    for length in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let count = recorded(&path).len();
        assert!(count >= last_count, "{length}");
        last_count = count;
    }
    assert_eq!(last_count, 6);
    // Without any line that is complete, a new header is written.
    std::fs::write(&path, &bytes[..30]).unwrap();
    let model = &mut model(Kind::Note, &ids(6));
    let (report, _) = run_once(model, &path, &ids(6), &undisturbed(), false);
    assert!(report.unwrap().is_complete() && Journal::open(&path).unwrap().is_complete());
}

#[test]
fn journal_damaged_line_is_an_error_with_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let text = String::from_utf8(written_journal(&path)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 5, "{text}");
    for (index, line) in lines.iter().enumerate() {
        // The outcome of a batch that was not sent, an unknown state, a line without its end, and a missing line.
        let half = &line[..line.len() / 2];
        let changes = [half, "{}", r#"{"rejected":{"batch":99}}"#, "\u{0}", lines[0]];
        for change in changes.into_iter().filter(|change| change != line) {
            let mut damaged = lines.clone();
            damaged[index] = change;
            std::fs::write(&path, damaged.join("\n") + "\n").unwrap();
            let error = Journal::open(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Journal, "{error}");
            assert!(error.to_string().contains(&format!("line {} ", index + 1)), "{index} {change}: {error}");
        }
    }
    let unknown_state = text.replace(r#""state":"done""#, r#""state":"did""#);
    std::fs::write(&path, unknown_state).unwrap();
    assert!(Journal::open(&path).unwrap_err().to_string().contains("the unknown state \"did\""));
}

#[test]
fn journal_other_file_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ids.txt");
    for text in ["1", "460000000000000011\n460000000000000012\n", "{\"journal\":1", "{}\n"] {
        std::fs::write(&path, text).unwrap();
        let error = Journal::open(&path).unwrap_err().to_string();
        assert!(error.contains("the file is not a journal"), "{text:?}: {error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let newer = r#"{"journal":{"format":2,"operation":"o","console":"c","apiVersion":"2.1","request":"r"}}"#;
    std::fs::write(&path, format!("{newer}\n")).unwrap();
    assert!(Journal::open(&path).unwrap_err().to_string().contains("has the format 2; expected 1"));
}

#[test]
fn journal_is_used_by_one_process_and_read_by_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let journal = Journal::open(&path).unwrap();
    let error = Journal::open(&path).unwrap_err().report().to_string();
    assert!(error.contains("another process uses this journal; wait until"), "{error}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(journal);
    assert!(Journal::open(&path).is_ok());
}

#[test]
fn batch_requests_of_many_ids_have_default_size() {
    let sizes = |count, size| -> Vec<usize> {
        let requests = batch_requests(&Kind::Status.template(), &ids(count), size).unwrap();
        requests.iter().map(|request| request.ids().len()).collect()
    };
    assert_eq!(sizes(5_000, None), [5_000]);
    assert_eq!(sizes(5_001, None), [1_000, 1_000, 1_000, 1_000, 1_000, 1]);
    assert_eq!(sizes(6_000, Some(9_000)), [5_000, 1_000]);
    assert_eq!(sizes(5, Some(2)), [2, 2, 1]);
    let error = batch_requests(&Kind::Status.template(), &[], None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let data = ThreatIncidentData::new(IncidentStatus::Resolved);
    let filter = ThreatActionFilter::from(ThreatFilter::default().ids(["t"])).limit(10);
    let limited = threats::update_incident(&ThreatsUpdateIncidentRequest::new(data, filter)).unwrap();
    assert_eq!(batch_requests(&limited, &ids(5), None).unwrap().len(), 1);
    let error = batch_requests(&limited, &ids(5), Some(2)).unwrap_err();
    let message = "threats_update_incident: the action has a limit and 5 IDs in batches of 2; expected at most 2 IDs, because \
                   the limit applies to each batch";
    assert_eq!(error.to_string(), message);
    assert_eq!(error.help().as_deref(), Some("leave out the limit, or pass fewer IDs"));
}
