//! Sends the batches of an action, and derives one outcome per ID.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use sentinelone_raw::runtime::{Request, ResponseBody};

use super::console::Console;
use super::journal::{Entry, Header, Journal, Record};
use super::recovery::{Resolution, resolve};
use super::report::{BatchFailure, BatchReport};
use super::requests::{batch_requests, has_limit, unique_ids};
use super::settings::{BatchProgress, BatchSettings};
use crate::Result;
use crate::error::{Delivery, Error, ErrorKind};
use crate::outcome::{IdOutcome, IdState, affected_count, too_many_affected};
use crate::response::Response;
use crate::transport::SleepFuture;

/// Time for the batches in flight after a stop signal.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Detail of an ID whose batch was not sent.
const NOT_SENT: &str = "not sent";
/// Detail of an ID whose batch was rejected.
const REJECTED: &str = "the request of its batch was rejected";
/// Detail of an ID whose batch was sent without a response.
const NO_RESPONSE: &str = "sent, and no response was received";
/// Detail of an ID whose state was read.
const CONFIRMED: &str = "the response was lost, and the console has the requested state";

/// A batch that was sent, or is about to be.
struct Batch<A> {
    ids: Vec<String>,
    request: Request<A>,
}

/// The end of a batch.
enum BatchEnd<A> {
    Response(Box<BatchResponse<A>>),
    Failure(Error),
    /// The run was stopped before the response.
    Abandoned,
}

/// The response to a batch, and what its body has about the IDs.
struct BatchResponse<A> {
    response: Response<A>,
    affected: Option<u64>,
    outcomes: Vec<IdOutcome>,
}

impl<A: ResponseBody> BatchEnd<A> {
    /// Reads what the body of a response has about the IDs.
    fn of(ids: &[String], result: Result<Response<A>>) -> Self {
        match result {
            Ok(response) => {
                let body = response.json();
                let (affected, outcomes) = (affected_count(&body), response.outcomes_in(&body, ids));
                Self::Response(Box::new(BatchResponse { response, affected, outcomes }))
            }
            Err(error) => Self::Failure(error),
        }
    }
}

/// Returns whether an error concerns the content of one batch only, which certainly had no effect. Other batches can
/// succeed.
fn is_about_batch(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    error.kind() == ErrorKind::Api
        && !error.may_have_taken_effect()
        && !error.is_html_page()
        && matches!(status, Some(400 | 404 | 409 | 413 | 422))
}

/// What is known about the IDs before the batches are sent.
#[derive(Default)]
struct Known {
    outcomes: HashMap<String, IdOutcome>,
    affected: Option<u64>,
    /// IDs that were sent before without an outcome, and that this run sends.
    resent: HashSet<String>,
}

/// Sends the requests of an action. They differ only in their IDs.
pub(crate) async fn run<A: ResponseBody + Send>(
    console: &impl Console,
    requests: Vec<Request<A>>,
    settings: &BatchSettings,
) -> Result<BatchReport<A>> {
    settings.validate()?;
    console.validate()?;
    // No request is sent unless all are valid.
    requests.iter().try_for_each(Request::validate)?;
    let ids = unique_ids(&requests);
    let (known, requests) = match (&settings.journal, requests.first()) {
        (Some(journal), Some(_)) => resume(console, journal, &ids, requests, settings).await?,
        _ => (Known { affected: Some(0), ..Known::default() }, requests),
    };
    let batches = requests.into_iter().map(|request| Batch { ids: request.ids(), request }).collect();
    let run = Run { console, settings, total: ids.len(), known: known.outcomes.len() };
    let sent = run.send(batches).await;
    let mut report = report(&ids, known, sent, settings)?;
    let is_final = |outcome: &IdOutcome| outcome.state != IdState::Unknown;
    if let Some(journal) = &settings.journal
        && report.failures.is_empty()
        && !report.is_stopped
        && report.outcomes.iter().all(is_final)
        && let Err(error) = journal.complete(ids.len() as u64).await
    {
        report.failures.push(BatchFailure { ids: Vec::new(), error });
    }
    Ok(report)
}

/// Returns what the journal and the console have about the IDs, and the requests of the other IDs.
async fn resume<A: ResponseBody + Send>(
    console: &impl Console,
    journal: &Journal,
    ids: &[String],
    requests: Vec<Request<A>>,
    settings: &BatchSettings,
) -> Result<(Known, Vec<Request<A>>)> {
    let Some(template) = requests.first() else { return Ok((Known::default(), requests)) };
    let header = Header::new(&console.url(), console.version(), template)?;
    if has_limit(template) {
        let help = "leave out the limit, or the journal";
        return Err(Error::journal(
            journal.path(),
            "the action has a limit, which applies to each run",
            help,
        ));
    }
    for request in &requests {
        if request.ids().is_empty() || Header::new(&console.url(), console.version(), request)? != header {
            let help = "pass IDs, or leave out the journal";
            return Err(Error::journal(journal.path(), "the action has a request without IDs", help));
        }
    }
    journal.begin(&header).await?;
    let entries = journal.entries();
    let is_unknown = |id: &&String| entries.get(*id).is_some_and(Entry::is_unknown);
    let unknown: Vec<String> = ids.iter().filter(is_unknown).cloned().collect();
    let options = (settings.in_flight, settings.resend_unknown);
    let Resolution { confirmed, resent, keep } =
        resolve(console, console.version(), template, &unknown, options).await?;
    let outcome =
        |id: &String, state, detail: String| IdOutcome { id: id.clone(), state, detail: Some(detail) };
    let confirmed: Vec<IdOutcome> = unknown
        .iter()
        .filter(|id| confirmed.contains(*id))
        .map(|id| outcome(id, IdState::Done, CONFIRMED.to_owned()))
        .collect();
    if !confirmed.is_empty() {
        journal.write(Record::of_confirmed(&confirmed)).await?;
    }
    let mut known = Known { outcomes: HashMap::new(), affected: journal.affected(), resent };
    known.outcomes.extend(confirmed.into_iter().map(|outcome| (outcome.id.clone(), outcome)));
    for id in ids.iter().filter(|id| !known.outcomes.contains_key(*id)).cloned().collect::<Vec<_>>() {
        let kept = match entries.get(&id) {
            Some(Entry::Outcome(state, detail)) if *state != IdState::Unknown => {
                IdOutcome { id, state: *state, detail: detail.clone() }
            }
            Some(entry) if entry.is_unknown() && !known.resent.contains(&id) => {
                // The count of the lost response is unknown.
                known.affected = None;
                outcome(&id, IdState::Unknown, format!("{NO_RESPONSE}; it is not repeated: {keep}"))
            }
            _ => continue,
        };
        known.outcomes.insert(kept.id.clone(), kept);
    }
    if !known.resent.is_empty() {
        known.affected = None;
    }
    let open: Vec<String> = ids.iter().filter(|id| !known.outcomes.contains_key(*id)).cloned().collect();
    if open.is_empty() {
        return Ok((known, Vec::new()));
    }
    if open.len() == ids.len() {
        return Ok((known, requests));
    }
    let size = requests.iter().map(|request| request.ids().len()).max();
    let requests = batch_requests(template, &open, settings.batch_size.or(size))?;
    Ok((known, requests))
}

/// The batches that were sent, by index, and those that were not.
struct SentBatches<A> {
    ends: Vec<(Vec<String>, Option<BatchEnd<A>>)>,
    /// Error of the journal.
    journal_error: Option<Error>,
    is_stopped: bool,
}

struct Run<'a, C> {
    console: &'a C,
    settings: &'a BatchSettings,
    total: usize,
    /// Number of IDs that are not sent, because their outcome is known.
    known: usize,
}

impl<C: Console> Run<'_, C> {
    /// Sends batches until all are sent, one fails, or the run is stopped. The batches in flight then finish.
    async fn send<A: ResponseBody + Send>(&self, batches: Vec<Batch<A>>) -> SentBatches<A> {
        let BatchSettings { journal, stop, progress, .. } = self.settings;
        let limit = if self.total == 0 { 1 } else { self.settings.in_flight };
        let mut sent = SentBatches {
            ends: batches.iter().map(|batch| (batch.ids.clone(), None)).collect(),
            journal_error: None,
            is_stopped: false,
        };
        let mut numbers: HashMap<usize, u64> = HashMap::new();
        let mut in_flight = FuturesUnordered::new();
        let mut queue = batches.into_iter().enumerate();
        let mut finished = self.known;
        let mut has_failed = false;
        // Completes once after the stop signal, and then when the time of the batches in flight is over.
        let mut stopping = Box::pin(stop.stopped());
        let mut deadline: Option<SleepFuture> = None;
        loop {
            sent.is_stopped |= stop.is_stopped();
            while !has_failed && !sent.is_stopped && in_flight.len() < limit {
                let Some((index, batch)) = queue.next() else { break };
                let number = match journal {
                    Some(journal) => journal.sent(&batch.ids).await.map(Some),
                    None => Ok(None),
                };
                match number {
                    Ok(number) => numbers.extend(number.map(|number| (index, number))),
                    Err(error) => {
                        sent.journal_error = Some(error);
                        has_failed = true;
                        break;
                    }
                }
                in_flight.push(async move { (index, self.console.send(&batch.request).await) });
            }
            if in_flight.is_empty() {
                break;
            }
            let next = match &mut deadline {
                Some(deadline) => match select(in_flight.next(), deadline).await {
                    Either::Left((next, _)) => next,
                    Either::Right(_) => break,
                },
                None => match select(in_flight.next(), &mut stopping).await {
                    Either::Left((next, _)) => next,
                    Either::Right(_) => {
                        sent.is_stopped = true;
                        deadline = Some(self.console.sleep(STOP_TIMEOUT));
                        continue;
                    }
                },
            };
            let Some((index, result)) = next else { break };
            let Some((ids, end)) = sent.ends.get_mut(index) else { continue };
            let batch_end = BatchEnd::of(ids, result);
            if let Some((journal, number)) = journal.as_ref().zip(numbers.get(&index))
                && let Some(record) = record(*number, &batch_end)
                && let Err(error) = journal.write(record).await
            {
                sent.journal_error.get_or_insert(error);
                has_failed = true;
            }
            // Requests without IDs, such as those that create objects, build on each other.
            if let BatchEnd::Failure(error) = &batch_end {
                has_failed |= ids.is_empty() || !is_about_batch(error);
            }
            *end = Some(batch_end);
            finished += ids.len();
            if let Some(progress) = progress {
                progress(BatchProgress { finished, total: self.total });
            }
        }
        // What is in flight after the timeout has no response.
        let unsent: HashSet<usize> = queue.map(|(index, _)| index).collect();
        drop(in_flight);
        for (index, (_, end)) in sent.ends.iter_mut().enumerate() {
            let was_sent = journal.is_none() || numbers.contains_key(&index);
            if end.is_none() && was_sent && !unsent.contains(&index) {
                *end = Some(BatchEnd::Abandoned);
            }
        }
        sent
    }
}

/// Returns the record of the end of a batch. Without one, the outcome stays unknown.
fn record<A>(batch: u64, end: &BatchEnd<A>) -> Option<Record> {
    match end {
        BatchEnd::Response(response) => {
            Some(Record::of_outcome(batch, response.affected, &response.outcomes))
        }
        BatchEnd::Failure(error) if !error.may_have_taken_effect() => Some(Record::Rejected { batch }),
        BatchEnd::Failure(_) | BatchEnd::Abandoned => None,
    }
}

/// Derives the report of a run.
fn report<A: ResponseBody>(
    ids: &[String],
    known: Known,
    sent: SentBatches<A>,
    settings: &BatchSettings,
) -> Result<BatchReport<A>> {
    let mut report = BatchReport {
        outcomes: Vec::new(),
        affected: known.affected,
        responses: Vec::new(),
        api_errors: Vec::new(),
        failures: Vec::new(),
        // A run whose last batch finished before the signal is not stopped.
        is_stopped: sent.is_stopped
            && sent.ends.iter().any(|(_, end)| matches!(end, None | Some(BatchEnd::Abandoned))),
    };
    let mut outcomes = known.outcomes;
    let mut may_have_effect = !outcomes.is_empty() || !known.resent.is_empty();
    let mut without_ids = Vec::new();
    for (ids, end) in sent.ends {
        let mut assign = |state, detail: &str| {
            for id in &ids {
                // The request before this one may have had an effect.
                let (state, detail) =
                    if known.resent.contains(id) { (IdState::Unknown, NO_RESPONSE) } else { (state, detail) };
                let outcome = IdOutcome { id: id.clone(), state, detail: Some(detail.to_owned()) };
                outcomes.insert(id.clone(), outcome);
            }
        };
        match end {
            Some(BatchEnd::Response(end)) => {
                let BatchResponse { response, affected, outcomes: results } = *end;
                may_have_effect = true;
                report.affected =
                    report.affected.zip(affected).map(|(before, now)| before.saturating_add(now));
                report.api_errors.extend_from_slice(response.api_errors());
                report.api_errors.extend(too_many_affected(&ids, affected));
                if ids.is_empty() {
                    without_ids.extend(results);
                } else {
                    outcomes.extend(results.into_iter().map(|outcome| (outcome.id.clone(), outcome)));
                }
                report.responses.push(response);
            }
            Some(BatchEnd::Failure(error)) => {
                if error.may_have_taken_effect() {
                    may_have_effect = true;
                    report.affected = None;
                    assign(IdState::Unknown, NO_RESPONSE);
                } else if error.delivery() == Delivery::NotSent {
                    assign(IdState::NotAffected, NOT_SENT);
                } else {
                    assign(IdState::NotAffected, REJECTED);
                }
                report.failures.push(BatchFailure { ids, error });
            }
            Some(BatchEnd::Abandoned) => {
                may_have_effect = true;
                report.affected = None;
                assign(IdState::Unknown, NO_RESPONSE);
            }
            None => assign(IdState::NotAffected, NOT_SENT),
        }
    }
    if let Some(error) = sent.journal_error {
        report.failures.push(BatchFailure { ids: Vec::new(), error });
    }
    if !may_have_effect
        && !report.is_stopped
        && let Some(first) = report.failures.drain(..).next()
    {
        return Err(first.error);
    }
    if report.responses.is_empty() && settings.journal.is_none() {
        report.affected = None;
    }
    report.outcomes = ids.iter().filter_map(|id| outcomes.remove(id)).collect();
    report.outcomes.extend(without_ids);
    Ok(report)
}
