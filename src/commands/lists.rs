//! What the lists of the console have in common.

use std::collections::HashSet;
use std::iter::{once, repeat};

use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use serde_json::Value;

use super::act::{act, asked_ids, refuse, without_answer};
use super::context::{Output, under};
use super::read::{Walked, Watched, entries, walk};
use super::{ArgumentError, Arguments, Command, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::{at, put};
use crate::outcome::IdState;
use crate::paging::sized;

/// How many identifiers stand in one URL: 100 of them are 2,000 to 4,000 characters, which proxies take.
const IDS_IN_A_URL: usize = 100;

/// A list that is not given is not sent.
pub(super) fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// How many items are wanted: without a limit the usual number, or all that are named if those are more.
pub(super) fn wanted(limit: Option<u64>, usual: u64, named: &[String]) -> u64 {
    limit.unwrap_or(usual.max(named.len() as u64))
}

/// Identifiers, each once.
pub(super) fn unique(ids: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}

/// The requests of a list that identifiers may narrow down: as many of them in each as a URL should hold, and
/// every one as `build` makes it otherwise. Without identifiers it is one request. `wanted` bounds the pages;
/// without it they are as large as the API gives them.
pub(super) fn in_batches(
    ids: &[String],
    wanted: Option<u64>,
    build: impl Fn(Option<Vec<String>>) -> Result<Request<Page<Value>>>,
) -> Result<Vec<Request<Page<Value>>>> {
    let ids = unique(ids);
    let request = |ids| Ok(sized(build(ids)?, wanted)?);
    if ids.is_empty() {
        return Ok(vec![request(None)?]);
    }
    ids.chunks(IDS_IN_A_URL).map(|batch| request(Some(batch.to_vec()))).collect()
}

/// Refuses what has a meaning within one list only, such as a cursor, where the identifiers make several.
pub(super) fn of_one_list<C: Command>(
    _: &C,
    (argument, is_given): (&str, bool),
    (named, ids): (&str, &[String]),
) -> Result<()> {
    if is_given && unique(ids).len() > IDS_IN_A_URL {
        let message = format!(
            "goes with one list, and more than {IDS_IN_A_URL} {named} are read as several; leave it out or name \
             fewer"
        );
        return Err(refuse(C::INFO.name, argument, message));
    }
    Ok(())
}

/// Reads lists one after the other into one outcome, until there are as many items as wanted that `keep` lets
/// pass.
///
/// What ends it early is in the outcome once something was read; before that it is the error.
pub(super) async fn read_all<'a>(
    watched: impl Into<Watched<'a>>,
    requests: Vec<Request<Page<Value>>>,
    limit: Option<u64>,
    keep: impl Fn(&Value) -> bool,
    place: (&str, &[Output]),
) -> Result<Outcome> {
    read_each(watched, requests, limit, keep, place, |_, _| {}).await
}

/// The same, where `fill` puts into each entry of the context what the number of its list tells.
pub(super) async fn read_each<'a>(
    watched: impl Into<Watched<'a>>,
    requests: Vec<Request<Page<Value>>>,
    limit: Option<u64>,
    keep: impl Fn(&Value) -> bool,
    (prefix, outputs): (&str, &[Output]),
    fill: impl Fn(usize, &mut Value),
) -> Result<Outcome> {
    let watched = watched.into();
    let version: ApiVersion = watched.client.api_version();
    let lists = requests.len();
    let place = requests.first().map_or("data", |request| request.operation().items);
    let mut whole = Outcome::found(Value::Null, Value::Null);
    let (mut items, mut context, mut totals) = (Vec::new(), Vec::new(), Vec::new());
    let (mut count, mut enough) = (0_u64, false);
    for (number, request) in requests.into_iter().enumerate() {
        let left = limit.map(|limit| limit.saturating_sub(count));
        if left == Some(0) || enough || whole.failure.is_some() {
            break;
        }
        match walk(watched, request, left, &keep).await {
            Ok(Walked { outcome: mut part, items: mut found, count: more, enough: last }) => {
                if let Value::Array(mut entries) = entries(outputs, prefix, version, &found) {
                    entries.iter_mut().for_each(|entry| fill(number, entry));
                    context.append(&mut entries);
                }
                items.append(&mut found);
                count += more as u64;
                enough = last;
                totals.push(at(&part.answer, "pagination.totalItems").and_then(Value::as_u64));
                whole.errors.append(&mut part.errors);
                (whole.answer, whole.failure) = (part.answer, part.failure);
            }
            Err(error) if whole.answer.is_null() => return Err(error),
            Err(error) => whole.failure = Some(error),
        }
    }
    whole.context = under(prefix, Value::Array(context));
    // The last list's envelope around the items of all.
    put(&mut whole.answer, place, Value::Array(items));
    let pagination = whole.answer.get_mut("pagination").and_then(Value::as_object_mut);
    if let Some(pagination) = pagination.filter(|_| lists > 1) {
        // The count is that of all lists, if each told its own. A cursor would be a place in one of them.
        let total = totals.iter().try_fold(0_u64, |sum, total| Some(sum.saturating_add((*total)?)));
        pagination.insert("totalItems".into(), total.filter(|_| totals.len() == lists).into());
        pagination.insert("nextCursor".into(), Value::Null);
    }
    Ok(whole)
}

/// An identifier, which has to be there.
pub(super) fn required_id(arguments: &mut Arguments, name: &str) -> Result<String, ArgumentError> {
    Ok(arguments.required(name)?.trim().to_owned())
}

/// An identifier, if it is given.
pub(super) fn id(arguments: &mut Arguments, name: &str) -> Result<Option<String>, ArgumentError> {
    Ok(arguments.text(name)?.map(|id| id.trim().to_owned()))
}

/// The identifier of an entry; consoles give numbers too.
pub(super) fn id_of(entry: &Value) -> Option<String> {
    entry.get("id").and_then(id_text)
}

fn id_text(id: &Value) -> Option<String> {
    match id {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The identifiers of a kind, such as `siteIds`, in the scope of an entry. A lone one is a list of one.
pub(super) fn scope_ids(entry: &Value, kind: &str) -> Vec<String> {
    // What is no identifier is still something, and none of those that are known.
    let text = |id: &Value| id_text(id).unwrap_or_else(|| id.to_string());
    match entry.pointer(&format!("/scope/{kind}")) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(ids)) => ids.iter().map(text).collect(),
        Some(one) => vec![text(one)],
    }
}

/// Removes entries that were found. Where the first request fails and may have removed its entries all the same,
/// that is in the outcome, with what was found.
pub(super) async fn remove(client: &Client, deletions: Vec<Request<Value>>) -> Result<Outcome> {
    let asked: Vec<_> = deletions.iter().map(asked_ids).collect();
    match act(client, deletions).await {
        Ok((outcome, _)) => Ok(outcome),
        Err(error) if error.may_have_acted() => {
            let mut outcome = Outcome::found(Value::Null, Value::Null);
            // The further ones were not sent.
            let states = once(IdState::Unknown).chain(repeat(IdState::NotAffected));
            for (ids, state) in asked.into_iter().zip(states) {
                outcome.ids.extend(ids.into_iter().map(|id| without_answer(id, state)));
            }
            outcome.failure = Some(error);
            Ok(outcome)
        }
        Err(error) => Err(error),
    }
}
