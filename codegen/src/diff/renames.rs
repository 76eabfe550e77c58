//! Finds renamed fields and moved operations: what is removed, with what probably replaces it.
//!
//! A match is symmetric: it is found in both directions of a comparison. If two candidates are about equally good, none is
//! a match.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::surface::{Key, Node, OperationSurface, is_below};

/// A removed element and its probable replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match<T> {
    pub(crate) from: T,
    pub(crate) to: T,
    /// How sure the match is, in percent.
    pub(crate) confidence: u8,
}

/// Minimum of the score of a match.
const MIN_SCORE: f64 = 0.7;

/// Minimum of the similarity of two names.
const MIN_NAME: f64 = 0.5;

/// Minimum distance to the score of another candidate.
const MIN_MARGIN: f64 = 0.05;

/// Returns the fields of one object, or parameters of one part of a request, that are probably renamed. Names are locations.
pub(crate) fn fields<N: Borrow<Node>>(
    old: &BTreeMap<String, N>,
    new: &BTreeMap<String, N>,
) -> Vec<Match<String>> {
    let only_in = |one: &BTreeMap<String, N>, other: &BTreeMap<String, N>| {
        let mut by_parent: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for location in one.keys().filter(|location| !other.contains_key(*location)) {
            // A part of a removed object is not renamed by itself.
            let Some((parent, _)) = location.rsplit_once('.') else { continue };
            if is_root(parent) || other.contains_key(parent) {
                by_parent.entry(parent.to_owned()).or_default().push(location.clone());
            }
        }
        by_parent
    };
    let (removed, added) = (only_in(old, new), only_in(new, old));
    let mut found = Vec::new();
    for (parent, removed) in &removed {
        let Some(added) = added.get(parent) else { continue };
        let is_only = removed.len() == 1 && added.len() == 1;
        let score = |from: &String, to: &String| {
            let name = name_similarity(&from[parent.len() + 1..], &to[parent.len() + 1..]);
            let shape = shape_similarity((old, from), (new, to));
            if name < MIN_NAME || shape < MIN_SCORE {
                return 0.0;
            }
            let score = 0.65 * name + 0.35 * shape;
            if is_only { (score + 0.1).min(0.99) } else { score }
        };
        found.extend(best(removed, added, score));
    }
    found
}

/// Returns the locations with another name for one of them and for those below it.
pub(crate) fn relocate<N>(all: BTreeMap<String, N>, from: &str, to: &str) -> BTreeMap<String, N> {
    let name = |location: String| match location.strip_prefix(from) {
        Some(rest) if rest.is_empty() || rest.starts_with(['.', '[', '{']) => format!("{to}{rest}"),
        _ => location,
    };
    all.into_iter().map(|(location, node)| (name(location), node)).collect()
}

/// Returns the operations that probably moved to another path.
pub(crate) fn operations<'a>(
    removed: &BTreeMap<&'a Key, &'a OperationSurface>,
    added: &BTreeMap<&'a Key, &'a OperationSurface>,
) -> Vec<Match<&'a Key>> {
    let keys = |of: &BTreeMap<&'a Key, &'a OperationSurface>| of.keys().copied().collect::<Vec<_>>();
    let shapes: BTreeMap<&Key, BTreeSet<String>> =
        removed.iter().chain(added).map(|(key, operation)| (*key, shape_of(operation))).collect();
    let score = |from: &&Key, to: &&Key| {
        if from.method != to.method {
            return 0.0;
        }
        let path = strsim::normalized_damerau_levenshtein(&from.path, &to.path);
        let last = |key: &Key| key.path.rsplit('/').find(|part| !part.contains('{')).map(str::to_owned);
        let (one, other) = (&shapes[*from], &shapes[*to]);
        let shape = jaccard(one, other);
        // A few locations, such as those of `{affected}`, say nothing about the operation.
        let says_enough = one.len().min(other.len()) >= 8;
        match (last(from) == last(to), says_enough && shape >= 0.9) {
            (true, _) => 0.55 * shape + 0.45 * (0.5 + path / 2.0),
            (false, true) => 0.75 * shape + 0.25 * path,
            (false, false) => 0.0,
        }
    };
    best(&keys(removed), &keys(added), score)
}

/// Returns the pairs that are the best candidates for each other.
fn best<T: Clone>(removed: &[T], added: &[T], score: impl Fn(&T, &T) -> f64) -> Vec<Match<T>> {
    let scores: Vec<Vec<f64>> =
        removed.iter().map(|from| added.iter().map(|to| score(from, to)).collect()).collect();
    let mut found = Vec::new();
    for (row, from) in removed.iter().enumerate() {
        for (column, to) in added.iter().enumerate() {
            let own = scores[row][column];
            let in_row = scores[row].iter().enumerate().filter(|(other, _)| *other != column);
            let in_column = scores.iter().enumerate().filter(|(other, _)| *other != row);
            let others = in_row.map(|(_, score)| *score).chain(in_column.map(|(_, all)| all[column]));
            if own >= MIN_SCORE && others.fold(0.0, f64::max) + MIN_MARGIN <= own {
                let confidence = (own * 100.0).round().min(99.0) as u8;
                found.push(Match { from: from.clone(), to: to.clone(), confidence });
            }
        }
    }
    found
}

/// Returns whether a location is a part of a request or a whole response.
fn is_root(location: &str) -> bool {
    matches!(location, "request.query" | "request.headers")
}

/// Returns the similarity of two names: of their characters, or of their words.
fn name_similarity(one: &str, other: &str) -> f64 {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], "");
    let (first, second) = (words(one), words(other));
    let common = first.intersection(&second).count();
    let of_words = 2.0 * common as f64 / (first.len() + second.len()).max(1) as f64;
    strsim::normalized_damerau_levenshtein(&plain(one), &plain(other)).max(of_words)
}

fn words(name: &str) -> BTreeSet<String> {
    let snake = heck::ToSnakeCase::to_snake_case(name);
    let singular =
        |word: &str| word.strip_suffix('s').filter(|stem| stem.len() > 1).unwrap_or(word).to_owned();
    snake.split('_').filter(|word| !word.is_empty()).map(singular).collect()
}

/// Returns the similarity of the types of two locations and of everything below them.
fn shape_similarity<N: Borrow<Node>>(
    (old, from): (&BTreeMap<String, N>, &str),
    (new, to): (&BTreeMap<String, N>, &str),
) -> f64 {
    let shape = |all: &BTreeMap<String, N>, at: &str| -> BTreeSet<String> {
        let below = all.iter().filter(|(location, _)| *location == at || is_below(location, at));
        below.map(|(location, node)| format!("{} {}", &location[at.len()..], kind(node.borrow()))).collect()
    };
    let type_of = |all: &BTreeMap<String, N>, at: &str| all.get(at).map(|node| kind(node.borrow()));
    if type_of(old, from) != type_of(new, to) {
        return 0.0;
    }
    jaccard(&shape(old, from), &shape(new, to))
}

/// Returns the locations of an operation with their types, without error responses and the names of path parameters.
fn shape_of(operation: &OperationSurface) -> BTreeSet<String> {
    let counts = |location: &&String| {
        location.starts_with("request.query.")
            || location.starts_with("request.body")
            || location.starts_with("response.2")
    };
    let locations = operation.locations.iter().filter(|(location, _)| counts(location));
    locations.map(|(location, node)| format!("{location} {}", kind(node))).collect()
}

fn kind(node: &Node) -> String {
    let text = |name: &str| node.facts.get(name).map(Value::to_string).unwrap_or_default();
    let is_enum = node.facts.contains_key("enum");
    format!("{} {} {is_enum}", text("type"), text("format"))
}

fn jaccard(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let union = one.union(other).count();
    if union == 0 { 1.0 } else { one.intersection(other).count() as f64 / union as f64 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;
    use crate::surface::Surface;

    /// Returns the locations of a GET with these string parameters, and with these properties of its body.
    fn surface(path: &str, parameters: &[&str], properties: &Value) -> Surface {
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }))
            .collect();
        let schema = json!({ "type": "object", "properties": properties });
        let content = json!({ "application/json": { "schema": schema } });
        let operation = json!({ "parameters": parameters, "responses": { "200": { "content": content } } });
        Surface::from_document(&json!({ "paths": { path: { "get": operation } } }))
    }

    fn renamed(old: &Surface, new: &Surface) -> Vec<(String, String)> {
        let locations = |surface: &Surface| surface.operations.values().next().unwrap().locations.clone();
        let (old, new) = (locations(old), locations(new));
        let forward = fields(&old, &new);
        let mut backward: Vec<_> = fields(&new, &old).into_iter().map(|one| (one.to, one.from)).collect();
        backward.sort();
        let mut found: Vec<_> = forward.into_iter().map(|one| (one.from, one.to)).collect();
        found.sort();
        assert_eq!(found, backward, "the same in both directions");
        found
    }

    #[test]
    fn fields_with_similar_names_and_the_same_type_are_renamed() {
        let text = json!({ "type": "string" });
        let object = |name: &str, count: &str| json!({ "agent": { "type": "object", "properties": { name: text, count: { "type": "integer" } } } });
        let old = surface("/a", &["siteIds", "limit"], &object("computerName", "count"));
        let new = surface("/a", &["siteIdentifiers", "limit"], &object("hostComputerName", "total"));
        assert_eq!(
            renamed(&old, &new),
            [
                ("request.query.siteIds".to_owned(), "request.query.siteIdentifiers".to_owned()),
                (
                    "response.200.agent.computerName".to_owned(),
                    "response.200.agent.hostComputerName".to_owned()
                ),
            ]
        );
        // Another type, another name, and two candidates that are equally good.
        let none: [(String, String); 0] = [];
        let of = |parameters: &[&str], properties: &Value| surface("/a", parameters, properties);
        let (texts, number) = (json!({ "siteIds": text }), json!({ "siteId": { "type": "integer" } }));
        assert_eq!(renamed(&of(&[], &texts), &of(&[], &number)), none);
        assert_eq!(renamed(&of(&["query"], &texts), &of(&["limit"], &texts)), none);
        assert_eq!(renamed(&of(&["name__an"], &texts), &of(&["name__in", "name__on"], &texts)), none);
    }

    #[test]
    fn operations_with_the_same_shape_moved() {
        let properties = (0..9).map(|number| (format!("f{number}"), json!({ "type": "string" })));
        let properties = Value::Object(properties.collect());
        let moved = |old: &Surface, new: &Surface| {
            let (old, new) = (old.operations.iter().collect(), new.operations.iter().collect());
            operations(&old, &new).into_iter().map(|one| one.to.path.clone()).collect::<Vec<_>>()
        };
        let old = surface("/private/threats/summary", &["siteIds"], &properties);
        assert_eq!(
            moved(&old, &surface("/threats/summary", &["siteIds"], &properties)),
            ["/threats/summary"]
        );
        assert_eq!(moved(&old, &surface("/threats/counts", &["siteIds"], &properties)), ["/threats/counts"]);
        let other = json!({ "affected": { "type": "integer" } });
        assert_eq!(moved(&old, &surface("/agents/counts", &["ids"], &other)), [""; 0]);
        // Two small operations with another name have the same shape by chance.
        let small = |path: &str| surface(path, &[], &other);
        assert_eq!(moved(&small("/agents/actions/scan"), &small("/agents/actions/restart")), [""; 0]);
    }
}
