//! A poll: items that are new since a checkpoint, each returned once.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
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
use super::config::{IncidentConfig, IncidentConfigError, Stream};
use super::incident::{self, Incident};
use crate::client::Client;
use crate::json_repair::{Repair, Repairs, SetApartItem};
use crate::paging::Pages;
use crate::{Error, ErrorKind, Result};

/// Fetches new threats and alerts as incidents. A fetcher holds no state between polls; the position is in the
/// [`Checkpoint`].
#[derive(Clone, Debug)]
pub struct Fetcher {
    pub(super) client: Client,
    pub(super) config: IncidentConfig,
}

/// The result of a poll.
#[derive(Debug)]
#[non_exhaustive]
pub struct Batch {
    /// The new incidents: alerts before threats, each oldest first; at most [`IncidentConfig::limit`] per stream.
    pub incidents: Vec<Incident>,
    /// The checkpoint for the next poll. Store it after the incidents.
    pub checkpoint: Checkpoint,
    /// Whether more items remain. If so, poll again without a delay.
    pub has_more: bool,
    /// Number of threats of API 2.0 that were skipped because of their risk score.
    pub skipped_below_min_risk: u64,
    /// Items without an ID. They cannot be deduplicated, so each poll returns them again.
    pub without_id: Vec<ItemWithoutId>,
    /// Repairs of the returned incidents, which were not valid JSON; see [`Response::repairs`](crate::Response::repairs).
    pub repairs: Repairs,
    /// Items that are not valid JSON and cannot be repaired. Each is returned once.
    pub set_apart: Vec<ItemSetApart>,
    /// Streams that could not be read, or not to their end, although another one or a part could. The position of a
    /// stream does not pass an item that was not read.
    pub failures: Vec<StreamFailure>,
}

/// An item that is not valid JSON and cannot be repaired.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ItemSetApart {
    /// The stream of the item.
    pub stream: Stream,
    /// ID of the item, if it is readable.
    pub id: Option<String>,
    /// Index in its page, from 0.
    pub index: usize,
    /// Location of the invalid value in the item; `.` for the item itself.
    pub path: String,
    /// Reason, such as `invalid escape \q`.
    pub reason: String,
    /// The text of the item. Bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// An item without an ID.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ItemWithoutId {
    /// The stream of the item.
    pub stream: Stream,
    /// The item as returned by the console.
    pub raw: Value,
}

/// A stream that could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct StreamFailure {
    /// The stream.
    pub stream: Stream,
    /// The error.
    pub error: Error,
}

impl StreamFailure {
    /// Returns whether a later poll can read the stream: the console was not reached, is too busy, or failed. Otherwise
    /// each poll fails until the token, its scope or the license changes; to leave the stream out, set
    /// [`IncidentConfig::fetch_type`] to the other one.
    pub fn is_temporary(&self) -> bool {
        self.error.is_temporary()
    }
}

impl Fetcher {
    /// Creates a fetcher for the console and the API version of this client.
    ///
    /// # Errors
    /// Returns an error if the configuration is invalid. The message has the allowed values.
    pub fn new(client: Client, config: IncidentConfig) -> Result<Self, IncidentConfigError> {
        config.validate(client.api_version())?;
        Ok(Self { client, config })
    }

    /// Returns the configuration.
    pub fn config(&self) -> &IncidentConfig {
        &self.config
    }

    /// Fetches the items that are new since the checkpoint, from all pages, oldest first, up to the limit of each
    /// stream.
    ///
    /// `GET /web/api/v2.1/threats`, `GET /web/api/v2.1/cloud-detection/alerts`
    ///
    /// A poll changes neither the console nor the fetcher. After a dropped poll or a lost batch, poll again with
    /// the same checkpoint.
    ///
    /// # Errors
    /// Returns an error if no stream could be read. If one of two streams could, the error is in
    /// [`Batch::failures`].
    pub async fn poll(&self, checkpoint: &Checkpoint) -> Result<Batch> {
        poll(&self.client, &self.config, checkpoint).await
    }
}

/// The parameters of a list.
#[derive(Clone, Debug)]
pub(super) struct ListQuery<'a> {
    pub(super) stream: Stream,
    /// Earliest creation time.
    pub(super) since: Timestamp,
    /// Page size.
    pub(super) size: u64,
    pub(super) config: &'a IncidentConfig,
}

/// A page of a list.
#[derive(Debug, Default)]
pub(super) struct ListPage {
    pub(super) items: Vec<Value>,
    pub(super) repairs: Repairs,
    pub(super) set_apart: Vec<SetApartItem>,
    /// Current time of the console.
    pub(super) now: Option<SystemTime>,
}

/// A source of lists: a console or a model of one.
pub(super) trait PageSource {
    /// The pages of a list, requested one by one.
    type Cursor: PageCursor;

    fn version(&self) -> ApiVersion;

    fn list(&self, query: ListQuery<'_>) -> Self::Cursor;
}

/// Reads the pages of a list.
pub(super) trait PageCursor {
    async fn next(&mut self) -> Option<Result<ListPage>>;
}

impl PageSource for Client {
    type Cursor = Pages<Value>;

    fn version(&self) -> ApiVersion {
        self.api_version()
    }

    fn list(&self, query: ListQuery<'_>) -> Pages<Value> {
        Pages::new(self.clone(), request(self.api_version(), &query)).page_size(query.size)
    }
}

impl PageCursor for Pages<Value> {
    async fn next(&mut self) -> Option<Result<ListPage>> {
        // Boxed so that the future of the caller stays small.
        let page = Pages::next(self).boxed().await?;
        Some(page.map(|page| {
            let date = page.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
            let now = date.and_then(|date| httpdate::parse_http_date(date).ok());
            let (repairs, set_apart) = (page.repairs().clone(), page.set_apart().to_vec());
            ListPage { items: page.into_value().data, repairs, set_apart, now }
        }))
    }
}

pub(super) fn request(
    version: ApiVersion,
    query: &ListQuery<'_>,
) -> Result<Request<Page<Value>>, RequestError> {
    let IncidentConfig { site_ids, alert_severities, alert_statuses, threat_statuses, .. } = query.config;
    let since = query.since.clone();
    match (query.stream, version) {
        (Stream::Alerts, _) => {
            let mut filter = AlertFilter::default().created_at_gte(since);
            filter.site_ids = non_empty(site_ids);
            filter.severity = non_empty(alert_severities);
            filter.incident_status = non_empty(alert_statuses);
            let query = AlertsListQuery::default()
                .filter(filter)
                .sort_by(AlertSortField::AlertInfoCreatedAt)
                .sort_order(SortOrder::Asc);
            Ok(alerts::list(&query)?.with_response_type())
        }
        (Stream::Threats, ApiVersion::V2_0) => {
            let mut filter = LegacyThreatFilter::default().created_at_gte(since);
            filter.site_ids = non_empty(site_ids);
            Ok(threats::list_v2_0(&ThreatsListV20Query::default().filter(filter))?.with_response_type())
        }
        (Stream::Threats, _) => {
            let mut filter = ThreatFilter::default().created_at_gte(since);
            filter.site_ids = non_empty(site_ids);
            filter.incident_statuses = non_empty(threat_statuses);
            let query = ThreatsListQuery::default()
                .filter(filter)
                .sort_by(ThreatSortField::CreatedAt)
                .sort_order(SortOrder::Asc);
            Ok(threats::list(&query)?.with_response_type())
        }
    }
}

/// Returns `None` for an empty list, which the API would reject.
fn non_empty<T: Clone>(values: &[T]) -> Option<Vec<T>> {
    (!values.is_empty()).then(|| values.to_vec())
}

pub(super) async fn poll<S: PageSource>(
    source: &S,
    config: &IncidentConfig,
    checkpoint: &Checkpoint,
) -> Result<Batch> {
    let mut batch = Batch {
        incidents: Vec::new(),
        checkpoint: checkpoint.clone(),
        has_more: false,
        skipped_below_min_risk: 0,
        without_id: Vec::new(),
        repairs: Repairs::default(),
        set_apart: Vec::new(),
        failures: Vec::new(),
    };
    let mut is_read = false;
    let streams = config.fetch_type.streams();
    for stream in streams {
        let position = match checkpoint.position(*stream) {
            Some(position) => position.clone(),
            // The configuration was validated. If the start cannot be parsed any more, fetching starts now.
            None => Position::new(config.start(&Timestamp::now()).unwrap_or_else(|_| Timestamp::now())),
        };
        match poll_stream(source, config, *stream, position).await {
            Ok(stream_batch) => {
                is_read = true;
                batch.incidents.extend(stream_batch.incidents);
                batch.repairs.extend(&stream_batch.repairs);
                batch.set_apart.extend(stream_batch.set_apart);
                let failure = stream_batch.failure.map(|error| StreamFailure { stream: *stream, error });
                batch.failures.extend(failure);
                batch.without_id.extend(
                    stream_batch.without_id.into_iter().map(|raw| ItemWithoutId { stream: *stream, raw }),
                );
                batch.skipped_below_min_risk += stream_batch.skipped_below_min_risk;
                batch.has_more |= stream_batch.has_more;
                batch.checkpoint.set(*stream, stream_batch.position);
            }
            Err(error) => batch.failures.push(StreamFailure { stream: *stream, error }),
        }
    }
    if !is_read && let Some(failure) = batch.failures.pop() {
        return Err(failure.error);
    }
    Ok(batch)
}

/// The result of a poll of one stream.
struct StreamBatch {
    incidents: Vec<Incident>,
    without_id: Vec<Value>,
    repairs: Repairs,
    set_apart: Vec<ItemSetApart>,
    skipped_below_min_risk: u64,
    has_more: bool,
    position: Position,
    /// Error after which the list has no end. The items before it are valid.
    failure: Option<Error>,
}

/// An item that was not returned before.
struct NewItem {
    created: Option<SystemTime>,
    id: String,
    raw: Value,
    repairs: Vec<Repair>,
}

impl ListPage {
    /// Takes the repairs of each repaired item, with the index of the item in `items`, and the number of the repairs
    /// whose item is not known.
    fn take_item_repairs(&mut self) -> (Vec<(usize, Repair)>, u64) {
        let all = std::mem::take(&mut self.repairs);
        let mut items = Vec::new();
        let mut not_described = self.set_apart.len() as u64;
        for repair in &all {
            match repair.item {
                // Reported as an item that is set apart.
                Some(_) if repair.kind.is_loss() => not_described = not_described.saturating_sub(1),
                Some(index) => {
                    let before = self.set_apart.iter().filter(|item| item.index < index).count();
                    items.push((index.saturating_sub(before), repair.clone()));
                }
                None => self.repairs.push(repair.clone()),
            }
        }
        (items, all.omitted().saturating_sub(not_described))
    }
}

/// Returns whether a list has no end, so that the items before the error are all that can be read.
fn is_endless(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::RepeatedCursor | ErrorKind::EmptyPages)
}

/// Returns the key of an item without a readable ID in the checkpoint, so that it is reported once.
fn text_key(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("text:{:016x}", hasher.finish())
}

/// Maximum number of buffered items above the limit, for a list that is not in ascending order.
const MAX_SURPLUS: usize = 1000;

/// Sorts by creation time and then by ID, so that the order of simultaneous items is stable.
fn sort_oldest_first(items: &mut [NewItem]) {
    items.sort_by(|one, other| one.created.cmp(&other.created).then_with(|| one.id.cmp(&other.id)));
}

async fn poll_stream<S: PageSource>(
    source: &S,
    config: &IncidentConfig,
    stream: Stream,
    mut position: Position,
) -> Result<StreamBatch> {
    let version = source.version();
    let floor = position.floor(config.overlap);
    let limit = usize::try_from(config.limit).unwrap_or(usize::MAX);
    // The limit plus the number of items that are already in the checkpoint.
    let size = (u64::from(config.limit).saturating_add(position.seen.len() as u64)).clamp(1, 1000);
    let mut pages = source.list(ListQuery { stream, since: Timestamp::from(floor), size, config });

    let (mut new_items, mut without_id, mut skipped_below_min_risk) = (Vec::<NewItem>::new(), Vec::new(), 0);
    let (mut newest, mut last, mut now) = (None, None, None);
    let (mut ascends, mut descends) = (false, false);
    let (mut repairs, mut set_apart, mut failure) = (Repairs::default(), Vec::new(), None);
    let mut new_ids = BTreeSet::new();
    let started = SystemTime::now();
    let mut done = false;
    while !done {
        let mut page = match pages.next().await {
            None => break,
            Some(Ok(page)) => page,
            Some(Err(error)) if is_endless(&error) && last.is_some() => {
                failure = Some(error);
                break;
            }
            Some(Err(error)) => return Err(error),
        };
        // Time of the first page: items that appear after it may be on pages that were already read.
        now = now.or(page.now);
        let (item_repairs, omitted_repairs) = page.take_item_repairs();
        repairs.extend(&page.repairs);
        for item in page.set_apart {
            let created = incident::creation_time(stream, version, &item.salvaged);
            if let Some(time) = created.as_ref().and_then(Timestamp::to_system_time) {
                newest = newest.max(Some(time));
                if time < floor {
                    continue;
                }
            }
            let id = incident::id(stream, &item.salvaged);
            let key = id.clone().unwrap_or_else(|| text_key(&item.text));
            if position.seen.contains_key(&key) {
                continue;
            }
            // Without a time, the key is kept as long as that of an item that is created now.
            let created = created.filter(|time| time.to_system_time().is_some());
            position.seen.insert(key, created.unwrap_or_else(|| now.unwrap_or(started).into()));
            let SetApartItem { index, path, reason, text, .. } = item;
            set_apart.push(ItemSetApart { stream, id, index, path, reason, text });
        }
        let mut has_new = false;
        for (index, raw) in page.items.into_iter().enumerate() {
            let created =
                incident::creation_time(stream, version, &raw).and_then(|time| time.to_system_time());
            if let Some(created) = created {
                if let Some(last) = last {
                    ascends |= last < created;
                    descends |= created < last;
                }
                last = Some(created);
                newest = newest.max(Some(created));
                // The console may ignore the filter.
                if created < floor {
                    continue;
                }
            }
            let Some(id) = incident::id(stream, &raw) else {
                without_id.push(raw);
                continue;
            };
            if position.seen.contains_key(&id) || !new_ids.insert(id.clone()) {
                continue;
            }
            if stream == Stream::Threats
                && version == ApiVersion::V2_0
                && incident::risk_score(&raw) < f64::from(config.min_risk)
            {
                skipped_below_min_risk += 1;
                continue;
            }
            let repairs = item_repairs.iter().filter(|(item, _)| *item == index);
            let repairs = repairs.map(|(_, repair)| repair.clone()).collect();
            new_items.push(NewItem { created, id, raw, repairs });
            has_new = true;
        }
        if has_new {
            repairs.add_omitted(omitted_repairs);
        }
        // One item above the limit shows that more remain. Unless the list ascends, read it to the end: the
        // oldest item may be last, and items with the same time show no order.
        done = ascends && !descends && version != ApiVersion::V2_0 && new_items.len() > limit;
        if new_items.len() > limit.saturating_add(MAX_SURPLUS) {
            sort_oldest_first(&mut new_items);
            new_items.truncate(limit.saturating_add(1));
        }
    }
    sort_oldest_first(&mut new_items);
    let has_more = new_items.len() > limit;
    new_items.truncate(limit);
    if has_more {
        newest = new_items.last().and_then(|item| item.created);
    }
    // The position must not pass the time when reading began. Otherwise items that appear later would be lost:
    // those before a future timestamp, and those that appeared while pages were read.
    let now = now.unwrap_or(started);
    let newest = newest.map(|newest| newest.min(now));
    // Older items may be missing from a list that was not read to its end, unless it ascends.
    let is_cut_in_order = ascends && !descends && version != ApiVersion::V2_0;
    let newest = newest.filter(|_| failure.is_none() || is_cut_in_order);

    let mut incidents = Vec::with_capacity(new_items.len());
    for NewItem { id, raw, repairs: item_repairs, .. } in new_items {
        item_repairs.into_iter().for_each(|repair| repairs.push(repair));
        let incident = Incident::from_item(stream, version, id, raw, config);
        let created = incident.occurred.clone().unwrap_or_else(|| Timestamp::from(""));
        position.seen.insert(incident.id.clone(), created);
        incidents.push(incident);
    }
    position.advance(newest, config.overlap);
    Ok(StreamBatch {
        incidents,
        without_id,
        repairs,
        set_apart,
        skipped_below_min_risk,
        has_more,
        position,
        failure,
    })
}
