//! One poll: what is new since a checkpoint, each thing once.

use std::collections::BTreeSet;
use std::time::SystemTime;

use futures_util::FutureExt;
use sentinelone_raw::alerts::{self, AlertFilter, AlertSortField, AlertsListQuery};
use sentinelone_raw::runtime::{ApiVersion, Page, Request, RequestError, Timestamp};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::{
    self, LegacyThreatFilter, ThreatFilter, ThreatSortField, ThreatsListQuery, ThreatsListV20Query,
};
use serde_json::Value;

use super::checkpoint::{Checkpoint, Position};
use super::incident::{self, Incident};
use super::settings::{Settings, SettingsError, Stream};
use crate::client::Client;
use crate::paging::Pages;
use crate::{Error, Result};

/// Fetches new threats and alerts as incidents. It keeps nothing between polls: how far it has come is in the
/// [`Checkpoint`].
#[derive(Clone, Debug)]
pub struct Fetcher {
    pub(super) client: Client,
    pub(super) settings: Settings,
}

/// What a poll gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Batch {
    /// The new incidents: alerts before threats, each oldest first; at most [`Settings::limit`] of each stream.
    pub incidents: Vec<Incident>,
    /// Where the next poll goes on. Store it when the incidents are safe, and not before.
    pub checkpoint: Checkpoint,
    /// Whether more are waiting, so that the next poll need not wait.
    pub more: bool,
    /// How many threats of API 2.0 were passed over for their risk score.
    pub passed_over: u64,
    /// What is no incident, since it has no identifier to be told apart by. It is here again in every poll that sees
    /// it.
    pub nameless: Vec<Nameless>,
    /// Streams that could not be read, while the other could. Their position is what it was.
    pub failures: Vec<Failure>,
}

/// A thing without an identifier.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Nameless {
    /// Where it came from.
    pub stream: Stream,
    /// The thing, as the console sent it.
    pub raw: Value,
}

/// A stream that could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The stream.
    pub stream: Stream,
    /// Why.
    pub error: Error,
}

impl Fetcher {
    /// One for the console of this client, on its version of the API.
    ///
    /// # Errors
    /// When the settings ask for what there is not; the error says what there is.
    pub fn new(client: Client, settings: Settings) -> Result<Self, SettingsError> {
        settings.check(client.api_version())?;
        Ok(Self { client, settings })
    }

    /// What it fetches.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Fetches what is new since the checkpoint: all pages, oldest first, until the limit of each stream.
    ///
    /// `GET /web/api/v2.1/threats`, `GET /web/api/v2.1/cloud-detection/alerts`
    ///
    /// A poll changes nothing, on the console or here: one that was dropped, or whose batch was lost, is done again
    /// with the same checkpoint.
    ///
    /// # Errors
    /// When no stream could be read; where one of two could, the error is in [`Batch::failures`].
    pub async fn poll(&self, checkpoint: &Checkpoint) -> Result<Batch> {
        poll(&self.client, &self.settings, checkpoint).await
    }
}

/// What a walk through a list starts with.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) stream: Stream,
    /// Created then or later.
    pub(super) since: Timestamp,
    /// How many a page is to have.
    pub(super) size: u64,
    pub(super) settings: &'a Settings,
}

/// A page of a walk.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) things: Vec<Value>,
    /// What time it is there.
    pub(super) now: Option<SystemTime>,
}

/// Where things come from: a console, or a model of one.
pub(super) trait Source {
    /// The pages of a list, each when it is asked for.
    type Walk: Walk;

    fn version(&self) -> ApiVersion;

    fn walk(&self, ask: Ask<'_>) -> Self::Walk;
}

/// The pages of a list.
pub(super) trait Walk {
    async fn next(&mut self) -> Option<Result<Found>>;
}

impl Source for Client {
    type Walk = Pages<Value>;

    fn version(&self) -> ApiVersion {
        self.api_version()
    }

    fn walk(&self, ask: Ask<'_>) -> Pages<Value> {
        Pages::of(self.clone(), request(self.api_version(), &ask)).page_size(ask.size)
    }
}

impl Walk for Pages<Value> {
    async fn next(&mut self) -> Option<Result<Found>> {
        // A large state machine goes on the heap, not into that of whoever polls.
        let page = Pages::next(self).boxed().await?;
        Some(page.map(|page| {
            let date = page.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
            let now = date.and_then(|date| httpdate::parse_http_date(date).ok());
            Found { things: page.into_value().data, now }
        }))
    }
}

pub(super) fn request(version: ApiVersion, ask: &Ask<'_>) -> Result<Request<Page<Value>>, RequestError> {
    let Settings { site_ids, alert_severities, alert_statuses, threat_statuses, .. } = ask.settings;
    let since = ask.since.clone();
    match (ask.stream, version) {
        (Stream::Alerts, _) => {
            let mut filter = AlertFilter::default().created_at_gte(since);
            filter.site_ids = some(site_ids);
            filter.severity = some(alert_severities);
            filter.incident_status = some(alert_statuses);
            let query = AlertsListQuery {
                filter,
                sort_by: Some(AlertSortField::AlertInfoCreatedAt),
                sort_order: Some(SortOrder::Asc),
                ..AlertsListQuery::default()
            };
            Ok(alerts::list(&query)?.answering())
        }
        (Stream::Threats, ApiVersion::V2_0) => {
            let mut filter = LegacyThreatFilter::default().created_at_gte(since);
            filter.site_ids = some(site_ids);
            Ok(threats::list_v2_0(&ThreatsListV20Query { filter, ..ThreatsListV20Query::default() })?
                .answering())
        }
        (Stream::Threats, _) => {
            let mut filter = ThreatFilter::default().created_at_gte(since);
            filter.site_ids = some(site_ids);
            filter.incident_statuses = some(threat_statuses);
            let query = ThreatsListQuery {
                filter,
                sort_by: Some(ThreatSortField::CreatedAt),
                sort_order: Some(SortOrder::Asc),
                ..ThreatsListQuery::default()
            };
            Ok(threats::list(&query)?.answering())
        }
    }
}

/// A list that was not given is none; an empty one would be refused.
fn some<T: Clone>(values: &[T]) -> Option<Vec<T>> {
    (!values.is_empty()).then(|| values.to_vec())
}

pub(super) async fn poll<S: Source>(
    source: &S,
    settings: &Settings,
    checkpoint: &Checkpoint,
) -> Result<Batch> {
    let mut batch = Batch {
        incidents: Vec::new(),
        checkpoint: checkpoint.clone(),
        more: false,
        passed_over: 0,
        nameless: Vec::new(),
        failures: Vec::new(),
    };
    let streams = settings.fetch_type.streams();
    for stream in streams {
        let position = match checkpoint.position(*stream) {
            Some(position) => position.clone(),
            // The settings were held to be good when they were taken; a text that is no time now begins now.
            None => Position::new(settings.start(&Timestamp::now()).unwrap_or_else(|_| Timestamp::now())),
        };
        match one(source, settings, *stream, position).await {
            Ok(news) => {
                batch.incidents.extend(news.incidents);
                batch.nameless.extend(news.nameless.into_iter().map(|raw| Nameless { stream: *stream, raw }));
                batch.passed_over += news.passed_over;
                batch.more |= news.more;
                batch.checkpoint.set(*stream, news.position);
            }
            Err(error) => batch.failures.push(Failure { stream: *stream, error }),
        }
    }
    if batch.failures.len() == streams.len()
        && let Some(failure) = batch.failures.pop()
    {
        return Err(failure.error);
    }
    Ok(batch)
}

/// What a stream has that is new.
struct News {
    incidents: Vec<Incident>,
    nameless: Vec<Value>,
    passed_over: u64,
    more: bool,
    position: Position,
}

/// Something that was not handed out yet.
struct Fresh {
    created: Option<SystemTime>,
    id: String,
    raw: Value,
}

/// How many more than are wanted are kept of a list in another order.
const KEPT: usize = 1000;

/// Things of one moment always come in the same order.
fn oldest_first(fresh: &mut [Fresh]) {
    fresh.sort_by(|one, other| one.created.cmp(&other.created).then_with(|| one.id.cmp(&other.id)));
}

async fn one<S: Source>(
    source: &S,
    settings: &Settings,
    stream: Stream,
    mut position: Position,
) -> Result<News> {
    let version = source.version();
    let floor = position.floor(settings.overlap);
    let limit = usize::try_from(settings.limit).unwrap_or(usize::MAX);
    // As many as are wanted, beside those that are known already.
    let size = (u64::from(settings.limit).saturating_add(position.seen.len() as u64)).clamp(1, 1000);
    let mut walk = source.walk(Ask { stream, since: Timestamp::from(floor), size, settings });

    let (mut fresh, mut nameless, mut passed_over) = (Vec::<Fresh>::new(), Vec::new(), 0);
    let (mut newest, mut last, mut now) = (None, None, None);
    let (mut rises, mut falls) = (false, false);
    let mut known = BTreeSet::new();
    let begun = SystemTime::now();
    let mut ended = false;
    while !ended {
        let Some(found) = walk.next().await else { break };
        let found = found?;
        // What shows from now on may have been passed already, however late the walk ends.
        now = now.or(found.now);
        for raw in found.things {
            let created = incident::created(stream, version, &raw).and_then(|time| time.to_system_time());
            if let Some(created) = created {
                if let Some(last) = last {
                    rises |= last < created;
                    falls |= created < last;
                }
                last = Some(created);
                newest = newest.max(Some(created));
                // The console is not trusted to have looked at the filter.
                if created < floor {
                    continue;
                }
            }
            let Some(id) = incident::id(stream, &raw) else {
                nameless.push(raw);
                continue;
            };
            if position.seen.contains_key(&id) || !known.insert(id.clone()) {
                continue;
            }
            if stream == Stream::Threats
                && version == ApiVersion::V2_0
                && incident::risk(&raw) < f64::from(settings.min_risk)
            {
                passed_over += 1;
                continue;
            }
            fresh.push(Fresh { created, id, raw });
        }
        // One more than is wanted tells that there are more. A list that is not seen to rise is read to its end, since
        // what is oldest may come last: many things of one moment look the same from either side.
        ended = rises && !falls && version != ApiVersion::V2_0 && fresh.len() > limit;
        if fresh.len() > limit.saturating_add(KEPT) {
            oldest_first(&mut fresh);
            fresh.truncate(limit.saturating_add(1));
        }
    }
    oldest_first(&mut fresh);
    let more = fresh.len() > limit;
    fresh.truncate(limit);
    if more {
        newest = fresh.last().and_then(|one| one.created);
    }
    // What claims to be of the future must not let through what comes until then, and neither must what came while the
    // walk went on: it began at this time.
    let now = now.unwrap_or(begun);
    let newest = newest.map(|newest| newest.min(now));

    let mut incidents = Vec::with_capacity(fresh.len());
    for Fresh { id, raw, .. } in fresh {
        let incident = Incident::of(stream, version, id, raw, settings);
        let created = incident.occurred.clone().unwrap_or_else(|| Timestamp::from(""));
        position.seen.insert(incident.id.clone(), created);
        incidents.push(incident);
    }
    position.advance(newest, settings.overlap);
    Ok(News { incidents, nameless, passed_over, more, position })
}
