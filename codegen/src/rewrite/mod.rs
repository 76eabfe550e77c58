//! Makes the files of `spec/` say what a new document says, and leaves alone what people wrote.
//!
//! A change names an operation and a place of it, as [`surface`](crate::surface) does. [`locate`] finds where that
//! stands; several places may stand in one spot, as every operation that answers with an agent has its fields from
//! one schema. Such a spot changes when all its places ask for the same, and not otherwise.

mod author;
pub mod locate;
mod operation;
pub(crate) mod style;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::bundle::members;
use crate::lint;
use crate::sources::{Position, Sources, split};
use crate::surface::Key;
use crate::{Error, Result};

use author::{Author, NO_SELECTION, Way};
pub use locate::Silent;
use locate::{At, Located, Map};

pub use operation::NewOperation;

/// A change of the specification.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A fact of a place, by its keyword: set, or taken away.
    Fact {
        /// The operation.
        operation: Key,
        /// The place.
        place: String,
        /// The keyword.
        fact: String,
        /// What it is from now on; nothing takes it away.
        value: Option<Value>,
    },
    /// A place that is new.
    Add {
        /// The operation.
        operation: Key,
        /// The place.
        place: String,
        /// The schema, or the parameter for one of a query, with all references written out.
        node: Value,
        /// Whether it has to be there.
        required: bool,
    },
    /// A place that is gone.
    Remove {
        /// The operation.
        operation: Key,
        /// The place.
        place: String,
    },
    /// An error status that is new.
    AddStatus {
        /// The operation.
        operation: Key,
        /// The status.
        status: String,
    },
    /// An error status that is gone.
    RemoveStatus {
        /// The operation.
        operation: Key,
        /// The status.
        status: String,
    },
    /// An operation that is new.
    AddOperation {
        /// The operation.
        operation: Box<NewOperation>,
    },
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The change.
    pub change: Change,
    /// Where, as file and JSON pointer.
    pub at: String,
    /// What is of interest about it.
    pub notes: Vec<String>,
}

/// What became of the changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Those that were made, or were so already.
    pub done: Vec<Done>,
    /// Those that were not, each with the reason.
    pub refused: Vec<(Change, String)>,
    /// What is new and has a sentence that says nothing but its name, as file and place.
    pub undescribed: Vec<String>,
}

/// What is said of a change that asks for what is there.
const SO_ALREADY: &str = "is so already";

/// The shared answers of `openapi.yaml`, by status.
const ANSWERS: [(&str, &str); 5] = [
    ("400", "BadRequest"),
    ("401", "Unauthorized"),
    ("403", "Forbidden"),
    ("404", "NotFound"),
    ("409", "Conflict"),
];

/// Makes changes; `date` is the month of the document that asks for them. What cannot be made is refused, each by
/// itself.
///
/// # Errors
/// When the specification would break a rule that it kept before, or a text would not say what it should. Nothing
/// is changed then.
pub fn apply(sources: &mut Sources, changes: Vec<Change>, date: &str) -> Result<Report> {
    apply_beside(sources, changes, &Silent::default(), date)
}

/// The same, where the document has no say about some of the places that share a spot.
///
/// # Errors
/// As [`apply`].
pub fn apply_beside(
    sources: &mut Sources,
    changes: Vec<Change>,
    silent: &Silent,
    date: &str,
) -> Result<Report> {
    let mut work = Work {
        unused: author::unused(sources),
        sources: sources.clone(),
        silent,
        date,
        changes: &changes,
        outcome: vec![None; changes.len()],
        undescribed: Vec::new(),
    };
    let asks = |some: fn(&Change) -> bool| changes.iter().any(some);
    if asks(|change| matches!(change, Change::Fact { .. })) {
        work.facts()?;
    }
    if asks(|change| matches!(change, Change::Remove { .. })) {
        work.removals()?;
    }
    if asks(|change| matches!(change, Change::AddStatus { .. } | Change::RemoveStatus { .. })) {
        work.statuses()?;
    }
    if asks(|change| matches!(change, Change::Add { .. })) {
        work.additions()?;
    }
    work.clean()?;
    let mut good = work.sources.clone();
    check(&good, sources)?;
    for (index, change) in changes.iter().enumerate() {
        let Change::AddOperation { operation } = change else { continue };
        // Each by itself: one that breaks a rule takes no other with it.
        let mut tried = good.clone();
        let outcome = match operation::add(&mut tried, operation) {
            Ok(added) => check(&tried, sources).map(|()| added).map_err(|error| error.to_string()),
            Err(reason) => Err(reason),
        };
        work.outcome[index] = Some(outcome.map(|added| {
            good = tried;
            work.undescribed.extend(added.undescribed);
            (added.at, added.notes)
        }));
    }
    let mut report = Report { undescribed: work.undescribed, ..Report::default() };
    for (change, outcome) in changes.iter().cloned().zip(work.outcome) {
        match outcome {
            Some(Ok((at, notes))) => report.done.push(Done { change, at, notes }),
            Some(Err(reason)) => report.refused.push((change, reason)),
            None => report.refused.push((change, "nothing here knows how".into())),
        }
    }
    *sources = good;
    Ok(report)
}

/// Whether the sources say what they should, and break no rule that they kept before.
fn check(changed: &Sources, before: &Sources) -> Result<()> {
    changed.verify()?;
    let mut found = lint::check(&changed.bundle()?);
    if !found.is_empty() {
        let known = lint::check(&before.bundle()?);
        found.retain(|finding| !known.contains(finding));
    }
    if found.is_empty() { Ok(()) } else { Err(Error::Lint(found)) }
}

type Outcome = Result<(String, Vec<String>), String>;

/// A member of an object in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    /// The object.
    at: At,
    /// The member, or the property in the object's list of required ones.
    key: String,
    required_of: bool,
    /// The node whose users have to agree.
    scope: At,
}

struct Work<'a> {
    sources: Sources,
    silent: &'a Silent,
    date: &'a str,
    changes: &'a [Change],
    outcome: Vec<Option<Outcome>>,
    undescribed: Vec<String>,
    unused: BTreeSet<At>,
}

/// A fact that several places ask for.
struct Group {
    spot: Spot,
    fact: String,
    value: Option<Value>,
    changes: Vec<usize>,
    users: BTreeSet<(Key, String)>,
}

impl Work<'_> {
    fn node(&self, at: &At) -> &Value {
        self.sources.at(&at.file, &at.pointer).unwrap_or(&Value::Null)
    }

    fn refuse(&mut self, index: usize, reason: impl Into<String>) {
        self.outcome[index] = Some(Err(reason.into()));
    }

    fn done(&mut self, index: usize, at: &At, notes: Vec<String>) {
        self.outcome[index] = Some(Ok((at.to_string(), notes)));
    }

    // ---- facts ----

    fn facts(&mut self) -> Result<()> {
        let map = self.map();
        let mut groups: Vec<Group> = Vec::new();
        let mut known: BTreeMap<(Spot, String), usize> = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            let Change::Fact { operation, place, fact, value } = change else { continue };
            let spots = match self.spots(&map, operation, place, fact, value.as_ref()) {
                Ok(spots) => spots,
                Err(reason) => {
                    self.refuse(index, reason);
                    continue;
                }
            };
            if spots.is_empty() {
                let at = map.find(operation, place).map(|located| located.site.to_string());
                self.outcome[index] = Some(Ok((at.unwrap_or_default(), vec![SO_ALREADY.to_owned()])));
            }
            for spot in spots {
                let text = value.as_ref().map(Value::to_string).unwrap_or_default();
                let group = *known.entry((spot.clone(), text)).or_insert_with(|| {
                    groups.push(Group {
                        spot,
                        fact: fact.clone(),
                        value: value.clone(),
                        changes: Vec::new(),
                        users: BTreeSet::new(),
                    });
                    groups.len() - 1
                });
                groups[group].changes.push(index);
                groups[group].users.insert((operation.clone(), place.clone()));
            }
        }
        let mut copies: BTreeMap<At, (Value, Vec<usize>)> = BTreeMap::new();
        let mut last = Vec::new();
        for group in groups {
            let mut missing = others(&map, &group.spot.scope, &group.users);
            if self.grows(&group) {
                missing.retain(|user| !map.silent.has(user));
            }
            let missing = named(&missing);
            if !missing.is_empty() {
                self.disagree(&map, &group, &missing, &mut copies);
                continue;
            }
            // References are set and taken away when nothing is to be found below them any more.
            if group.fact == "enum" {
                last.push(group);
                continue;
            }
            let outcome = self.set(&group.spot, group.value.as_ref());
            self.settle(&group, outcome)?;
        }
        for group in last {
            let outcome = self.set_enum(&map, &group);
            self.settle(&group, outcome)?;
        }
        for (element, (copy, changes)) in copies {
            self.sources.replace(&element.file, &element.pointer, &copy)?;
            for index in changes {
                self.done(index, &element, vec!["written out from the shared parameter".into()]);
            }
        }
        Ok(())
    }

    fn settle(&mut self, group: &Group, outcome: Result<Outcome>) -> Result<()> {
        let outcome = outcome?;
        for index in &group.changes {
            // A fact that stands in two spots is not made by one alone.
            if !matches!(self.outcome[*index], Some(Err(_))) {
                self.outcome[*index] = Some(outcome.clone());
            }
        }
        Ok(())
    }

    /// A spot that others share and do not want changed.
    fn disagree(
        &mut self,
        map: &Map,
        group: &Group,
        missing: &[String],
        copies: &mut BTreeMap<At, (Value, Vec<usize>)>,
    ) {
        for index in &group.changes {
            let Change::Fact { operation, place, .. } = &self.changes[*index] else { continue };
            let parameter = map.find(operation, place).and_then(|located| located.parameter.as_ref());
            let shared = parameter.filter(|parameter| parameter.element != parameter.node);
            let inside = shared.and_then(|parameter| {
                let same = group.spot.at.file == parameter.node.file;
                let rest = same.then(|| group.spot.at.pointer.strip_prefix(&parameter.node.pointer))??;
                Some((parameter, rest.to_owned()))
            });
            let Some((parameter, rest)) = inside.filter(|_| group.fact != "enum") else {
                let reason = format!(
                    "{} is shared, and others do not ask for it: {}",
                    group.spot.scope,
                    list(missing)
                );
                self.refuse(*index, reason);
                continue;
            };
            let (copy, changes) = copies.entry(parameter.element.clone()).or_insert_with(|| {
                let mut copy = self.node(&parameter.node).clone();
                absolute(&mut copy, &parameter.node.file, &parameter.element.file);
                (copy, Vec::new())
            });
            let changed =
                copy.pointer_mut(&rest).and_then(Value::as_object_mut).map(|node| match &group.value {
                    Some(value) => drop(node.insert(group.spot.key.clone(), value.clone())),
                    None => drop(node.remove(&group.spot.key)),
                });
            if changed.is_some() {
                changes.push(*index);
            }
        }
    }

    /// Where everything stands, and what the document is silent about.
    fn map(&self) -> Map {
        Map { silent: self.silent.clone(), ..Map::of(&self.sources) }
    }

    /// Whether a change takes nothing away from those that did not ask for it: of an enum, no value.
    fn grows(&self, group: &Group) -> bool {
        if group.fact != "enum" {
            return true;
        }
        let values = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let wanted = values(group.value.as_ref());
        let At { file, pointer } = &group.spot.at;
        let now = self.sources.at(file, pointer).and_then(|node| node.get(&group.spot.key));
        values(now).iter().all(|value| wanted.contains(value))
    }

    /// Where a fact stands; nowhere, if it is taken away and not there.
    fn spots(
        &self,
        map: &Map,
        key: &Key,
        place: &str,
        fact: &str,
        value: Option<&Value>,
    ) -> Result<Vec<Spot>, String> {
        let located = map.find(key, place).ok_or_else(|| unknown(map, key, place))?;
        let parameter = located.parameter.as_ref();
        let spot =
            |at: &At| Spot { at: at.clone(), key: fact.to_owned(), required_of: false, scope: at.clone() };
        let has = |at: &At| self.node(at).get(fact).is_some();
        let spots = match fact {
            "required" => match (parameter, &located.owner) {
                (Some(_), _) if place.starts_with("request.path.") => {
                    return Err("what the path names is always required".into());
                }
                (Some(parameter), _) => vec![spot(&parameter.node)],
                (None, Some(_)) if place.starts_with("request.query.") => {
                    return Err("it stands in a filter, which requires nothing".into());
                }
                (None, Some(owner)) => vec![Spot {
                    at: owner.clone(),
                    key: split(&located.site.pointer).1,
                    required_of: true,
                    scope: located.site.clone(),
                }],
                (None, None) if place == "request.body" => {
                    let node = map.nodes.get(key).map(|node| node.below("requestBody"));
                    node.iter().map(spot).collect()
                }
                _ => return Err("it is neither a parameter nor a property".into()),
            },
            "description" | "style" | "explode" | "deprecated" => {
                let own = parameter.map_or(&located.site, |parameter| &parameter.node);
                let mut spots = vec![spot(own)];
                if value.is_none() && *own != located.site && has(&located.site) {
                    spots.push(spot(&located.site));
                }
                spots
            }
            "nullable" => {
                let mut spots = Vec::new();
                if value.is_some() && !has(&located.site) && has(&located.target) {
                    return Ok(spots);
                }
                spots.push(spot(&located.site));
                if value.is_none() && located.site != located.target && has(&located.target) {
                    spots.push(spot(&located.target));
                }
                spots
            }
            "type"
            | "format"
            | "enum"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
            | "multipleOf"
            | "minLength"
            | "maxLength"
            | "minItems"
            | "maxItems"
            | "uniqueItems"
            | "pattern"
            | "default"
            | "additionalProperties" => {
                let own = if has(&located.site) { &located.site } else { &located.target };
                if fact == "type"
                    && own.is_schema()
                    && value.is_some_and(|value| self.node(own)[fact] != *value)
                {
                    return Err(format!("{own} is a named schema, which is an object or an enum of texts"));
                }
                let mut spot = spot(own);
                if fact == "enum" && value.is_none() && located.site != located.target {
                    // The place refers to it no more; whoever else does is not touched.
                    spot.scope = located.site.clone();
                    spot.at = located.site.clone();
                    return Ok(vec![spot]);
                }
                vec![spot]
            }
            _ => return Err(format!("{fact} is not carried over from a document")),
        };
        let there = |spot: &Spot| match spot.required_of {
            true => requires(self.node(&spot.at), &spot.key),
            false => self.node(&spot.at).get(&spot.key).is_some(),
        };
        Ok(match value {
            None => spots.into_iter().filter(there).collect(),
            Some(value) => spots
                .into_iter()
                .filter(|spot| spot.required_of || self.node(&spot.at).get(&spot.key) != Some(value))
                .filter(|spot| {
                    !spot.required_of || requires(self.node(&spot.at), &spot.key) != (*value == true)
                })
                .collect(),
        })
    }

    fn set(&mut self, spot: &Spot, value: Option<&Value>) -> Result<Outcome> {
        let At { file, pointer } = &spot.at;
        if spot.required_of {
            self.require(&spot.at, &spot.key, value == Some(&json!(true)))?;
        } else {
            match value {
                Some(Value::Bool(false))
                    if !matches!(spot.key.as_str(), "default" | "explode" | "additionalProperties") =>
                {
                    if self.node(&spot.at).get(&spot.key).is_some() {
                        self.sources.remove(file, &spot.at.below(&spot.key).pointer)?;
                    }
                }
                Some(value) => self.sources.put(file, pointer, &spot.key, value)?,
                None => self.sources.remove(file, &spot.at.below(&spot.key).pointer)?,
            }
        }
        Ok(Ok((spot.at.to_string(), Vec::new())))
    }

    /// Adds a name to what an object requires, or takes it away.
    fn require(&mut self, object: &At, name: &str, required: bool) -> Result<()> {
        let list = object.below("required");
        let place = self.node(&list).as_array().and_then(|names| names.iter().position(|one| one == name));
        match (place, required) {
            (None, true) if self.node(&list).is_array() => {
                self.sources.push(&list.file, &list.pointer, &json!(name))
            }
            (None, true) => self.sources.put(&object.file, &object.pointer, "required", &json!([name])),
            (Some(index), false) => self.sources.remove(&list.file, &list.below(&index.to_string()).pointer),
            _ => Ok(()),
        }
    }

    fn set_enum(&mut self, map: &Map, group: &Group) -> Result<Outcome> {
        let At { file, pointer } = group.spot.at.clone();
        let node = self.node(&group.spot.at).clone();
        let Some(value) = &group.value else {
            if node.get("enum").is_some() && !group.spot.at.is_schema() {
                self.sources.remove(&file, &group.spot.at.below("enum").pointer)?;
            } else if node.get("$ref").is_some() {
                self.sources.put(&file, &pointer, "type", &json!("string"))?;
                self.sources.remove(&file, &group.spot.at.below("$ref").pointer)?;
            } else {
                return Ok(Err(format!(
                    "{} is a named schema that is nothing without its values",
                    group.spot.at
                )));
            }
            return Ok(Ok((group.spot.at.to_string(), Vec::new())));
        };
        let Some(wanted) = value.as_array() else { return Ok(Err("an enum is a list".into())) };
        let texts: Vec<&Value> = wanted.iter().collect();
        if let Err(reason) = author::usable(&texts) {
            return Ok(Err(format!("cannot be an enum here: {reason}")));
        }
        if let Some(present) = node["enum"].as_array() {
            // What stays keeps its place.
            let mut values: Vec<Value> = present.iter().filter(|one| wanted.contains(one)).cloned().collect();
            values.extend(wanted.iter().filter(|one| !present.contains(one)).cloned());
            self.sources.put(&file, &pointer, "enum", &json!(values))?;
            return Ok(Ok((group.spot.at.to_string(), Vec::new())));
        }
        let beside = ["type", "format", "description", "nullable", "deprecated", "x-s1"];
        let bound = node.as_object().into_iter().flatten().find(|(name, _)| !beside.contains(&name.as_str()));
        if node["type"] != "string" || bound.is_some() {
            return Ok(Err(format!("{} is no plain text that could become an enum", group.spot.at)));
        }
        let Some((key, place)) = group.users.first() else { return Ok(Err("nobody asks for it".into())) };
        let mut author = Author::new(&self.sources, &file, self.date);
        let name = match group.spot.at.schema_name() {
            Some(owner) => {
                let last = place.rsplit('.').next().unwrap_or(place);
                author::name_below(owner, &author::singular(last.trim_end_matches("[]")))
            }
            None => self.parameter_schema(map, key, place),
        };
        let schema = json!({ "type": "string", "enum": wanted });
        let reference = match author.named(&name, &schema, Way::Sent, false) {
            Ok(reference) => reference,
            Err(reason) => return Ok(Err(reason)),
        };
        author.flush(&mut self.sources, None)?;
        self.undescribed.append(&mut author.undescribed);
        self.sources.put(&file, &pointer, "$ref", &reference["$ref"])?;
        for key in ["type", "format"] {
            if node.get(key).is_some() {
                self.sources.remove(&file, &group.spot.at.below(key).pointer)?;
            }
        }
        Ok(Ok((group.spot.at.to_string(), Vec::new())))
    }

    /// What an enum of a query parameter is called.
    fn parameter_schema(&self, map: &Map, key: &Key, place: &str) -> String {
        let name = place.trim_end_matches("[]").rsplit('.').next().unwrap_or(place);
        let item = self.item(map, key).and_then(|at| at.schema_name().map(str::to_owned));
        let file = map.nodes.get(key).map_or("", |node| node.file.as_str());
        let item = item.unwrap_or_else(|| operation::subject(file));
        match name {
            "sortBy" => format!("{item}SortField"),
            name => author::name_below(&item, &author::singular(name)),
        }
    }

    /// The schema of what an operation answers with, one or several.
    fn item(&self, map: &Map, key: &Key) -> Option<At> {
        let places = map.operations.get(key)?;
        let items = map.nodes.get(key).and_then(|node| self.node(node).pointer("/x-s1/items"));
        let nested = items.and_then(Value::as_str).map(|list| format!("response.200.data.{list}[]"));
        let all = [nested.as_deref().unwrap_or("response.200.data[]"), "response.200.data"];
        all.iter().find_map(|place| places.get(*place)).map(|located| located.target.clone())
    }

    // ---- removals ----

    fn removals(&mut self) -> Result<()> {
        let map = self.map();
        let mut asked: BTreeMap<(Key, String), usize> = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            if let Change::Remove { operation, place } = change {
                asked.insert((operation.clone(), place.clone()), index);
            }
        }
        let mut elements: BTreeMap<At, Vec<usize>> = BTreeMap::new();
        let mut properties: BTreeMap<At, (Located, Vec<usize>)> = BTreeMap::new();
        let mut along: Vec<(usize, usize)> = Vec::new();
        for ((key, place), index) in &asked {
            let above = ancestors(place).find_map(|above| asked.get(&(key.clone(), above.to_owned())));
            if let Some(above) = above {
                along.push((*index, *above));
                continue;
            }
            match self.removal(&map, key, place) {
                Err(reason) => self.refuse(*index, reason),
                Ok((at, None)) => elements.entry(at).or_default().push(*index),
                Ok((at, Some(located))) => {
                    properties.entry(at).or_insert_with(|| (located, Vec::new())).1.push(*index);
                }
            }
        }
        for (at, (located, changes)) in properties {
            let users: BTreeSet<_> = asked
                .iter()
                .filter(|(_, index)| changes.contains(index))
                .map(|(user, _)| user.clone())
                .collect();
            let missing = named(&others(&map, &at, &users));
            if !missing.is_empty() {
                let reason = format!("{at} is shared, and others do not ask for it: {}", list(&missing));
                changes.iter().for_each(|index| self.refuse(*index, reason.clone()));
                continue;
            }
            let (parent, name) = split(&at.pointer);
            if self.sources.at(&at.file, parent).and_then(Value::as_object).is_some_and(|map| map.len() == 1)
            {
                let reason = format!("{at} is the only field of its object");
                changes.iter().for_each(|index| self.refuse(*index, reason.clone()));
                continue;
            }
            if let Some(owner) = &located.owner {
                self.require(owner, &name, false)?;
            }
            self.sources.remove(&at.file, &at.pointer)?;
            changes.iter().for_each(|index| self.done(*index, &at, Vec::new()));
        }
        // From the end of every list, so that the elements before it keep their numbers.
        let mut elements: Vec<_> = elements.into_iter().collect();
        elements.sort_by_key(|(at, _)| {
            let (parent, number) = split(&at.pointer);
            (
                at.file.clone(),
                parent.to_owned(),
                std::cmp::Reverse(number.parse::<usize>().unwrap_or_default()),
            )
        });
        for (at, changes) in elements {
            self.sources.remove(&at.file, &at.pointer)?;
            changes.iter().for_each(|index| self.done(*index, &at, Vec::new()));
        }
        for (index, above) in along {
            self.outcome[index] = match &self.outcome[above] {
                Some(Ok((at, _))) => Some(Ok((at.clone(), vec!["goes with what holds it".into()]))),
                other => other.clone(),
            };
        }
        Ok(())
    }

    /// What is to be removed: an element or a member that belongs to the operation alone, or a property.
    fn removal(&self, map: &Map, key: &Key, place: &str) -> Result<(At, Option<Located>), String> {
        let located = map.find(key, place).ok_or_else(|| unknown(map, key, place))?;
        let node = map.nodes.get(key).ok_or_else(|| unknown(map, key, place))?;
        let facts = &self.node(node)["x-s1"];
        if let Some(parameter) = &located.parameter {
            if parameter.element.pointer.starts_with(&format!("{}/", node.pointer))
                && parameter.element.file == node.file
            {
                return match place {
                    "request.query.cursor" if facts["paging"] == "cursor" => {
                        Err("the operation is paged by it; change x-s1.paging first".into())
                    }
                    _ if place.starts_with("request.path.") => Err("the path names it".into()),
                    _ => Ok((parameter.element.clone(), None)),
                };
            }
            return Err("it stands with all methods of the path".into());
        }
        if place == "request.body" {
            return match facts["filter"] == "mandatory" {
                true => Err("x-s1.filter says that the body's filter is mandatory".into()),
                false => Ok((node.below("requestBody"), None)),
            };
        }
        if place == "request.body.filter" && facts["filter"] != "none" {
            return Err("x-s1.filter says that there is a filter; change it first".into());
        }
        if place.starts_with("response.") && place.ends_with(".data") && place.matches('.').count() == 2 {
            return Err("an answer without data is none of the known forms".into());
        }
        match &located.owner {
            Some(_) => Ok((located.site.clone(), Some(located.clone()))),
            None => Err("it is the type of what holds it, and does not go without it".into()),
        }
    }

    // ---- statuses ----

    fn statuses(&mut self) -> Result<()> {
        let map = self.map();
        for (index, change) in self.changes.iter().enumerate() {
            let (key, status, adds) = match change {
                Change::AddStatus { operation, status } => (operation, status, true),
                Change::RemoveStatus { operation, status } => (operation, status, false),
                _ => continue,
            };
            let Some(node) = map.nodes.get(key) else {
                self.refuse(index, format!("there is no operation {key}"));
                continue;
            };
            let responses = node.below("responses");
            let at = responses.below(status);
            let there = self.node(&responses).get(status).is_some();
            match (adds, there) {
                (true, true) | (false, false) => self.done(index, &at, vec![SO_ALREADY.to_owned()]),
                (true, false) => match answer(status) {
                    None => self.refuse(index, format!("openapi.yaml has no shared answer for {status}")),
                    Some(answer) => {
                        self.sources.put(&at.file, &responses.pointer, status, &answer)?;
                        self.done(index, &at, Vec::new());
                    }
                },
                (false, true) if status.starts_with('2') => {
                    self.refuse(index, "an operation has a successful answer");
                }
                (false, true) => {
                    self.sources.remove(&at.file, &at.pointer)?;
                    self.done(index, &at, Vec::new());
                }
            }
        }
        Ok(())
    }

    // ---- additions ----

    fn additions(&mut self) -> Result<()> {
        let mut asked: BTreeMap<(Key, String), usize> = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            if let Change::Add { operation, place, .. } = change {
                asked.insert((operation.clone(), place.clone()), index);
            }
        }
        let mut along = Vec::new();
        // What is added moves nothing that was there.
        let map = self.map();
        // Places stand behind what holds them, so the order of the map is that of the work.
        for ((key, place), index) in &asked {
            if self.outcome[*index].is_some() {
                continue;
            }
            let above = ancestors(place).find_map(|above| asked.get(&(key.clone(), above.to_owned())));
            if let Some(above) = above {
                along.push((*index, *above));
                continue;
            }
            if let Err(reason) = self.addition(&map, &asked, key, place, *index)? {
                self.refuse(*index, reason);
            }
        }
        for (index, above) in along {
            self.outcome[index] = match &self.outcome[above] {
                Some(Ok((at, _))) => Some(Ok((at.clone(), vec!["comes with what holds it".into()]))),
                other => other.clone(),
            };
        }
        Ok(())
    }

    fn addition(
        &mut self,
        map: &Map,
        asked: &BTreeMap<(Key, String), usize>,
        key: &Key,
        place: &str,
        index: usize,
    ) -> Result<Result<(), String>> {
        let Change::Add { node, required, .. } = &self.changes[index] else { return Ok(Ok(())) };
        let Some(operation) = map.nodes.get(key) else {
            return Ok(Err(format!("there is no operation {key}")));
        };
        if map.find(key, place).is_some() {
            return Ok(Err("it is there already".into()));
        }
        if let Some(name) =
            place.strip_prefix("request.query.").filter(|name| !name.contains(['.', '[', '{']))
        {
            if let Some(filter) = map.queries.get(key).filter(|_| !NO_SELECTION.contains(&name)) {
                let (users, changes) = self.agreed(map, asked, filter, name, node, *required);
                if others_of(map, filter, name, &users).is_empty() {
                    return self.add_property(map, filter, name, node, *required, &changes, key);
                }
            }
            return self.add_parameter(map, key, operation, name, node, *required, index);
        }
        if place.starts_with("request.path.") {
            return Ok(Err("a parameter of the path makes another operation".into()));
        }
        let (above, name) = match place.rsplit_once('.') {
            _ if place.ends_with("[]") || place.ends_with("{}") => (&place[..place.len() - 2], ""),
            Some((above, name)) => (above, name),
            None => return Ok(Err("it is no place".into())),
        };
        let Some(located) = map.find(key, above) else {
            return Ok(Err(match above {
                "request" => "a body is added with its operation".into(),
                _ => unknown(map, key, above),
            }));
        };
        let owner = located.target.clone();
        if above.starts_with("response.") && above.matches('.').count() == 1 {
            return self.add_to_envelope(&owner, name, index);
        }
        if name.is_empty() {
            return self.add_inner(map, asked, &owner, key, place, index);
        }
        if owner.schema_name().is_none() {
            return Ok(Err(format!("{owner} is no named schema, and an object needs a name")));
        }
        let (users, changes) = self.agreed(map, asked, &owner, name, node, *required);
        let missing = others_of(map, &owner, name, &users);
        if !missing.is_empty() {
            return Ok(Err(format!("{owner} is shared, and others do not ask for it: {}", list(&missing))));
        }
        self.add_property(map, &owner, name, node, *required, &changes, key)
    }

    /// The changes that want the same property in an object, and their places.
    fn agreed(
        &self,
        map: &Map,
        asked: &BTreeMap<(Key, String), usize>,
        owner: &At,
        name: &str,
        node: &Value,
        required: bool,
    ) -> (BTreeSet<(Key, String)>, Vec<usize>) {
        let mut users = BTreeSet::new();
        let mut changes = Vec::new();
        for (key, place) in places_below(map, owner, name) {
            let Some(index) = asked.get(&(key.clone(), place.clone())) else { continue };
            let Change::Add { node: other, required: other_required, .. } = &self.changes[*index] else {
                continue;
            };
            let way = |place: &str| if place.starts_with("response.") { Way::Read } else { Way::Sent };
            let schema = |node: &Value, way| author::bare(node.get("schema").unwrap_or(node), way);
            let way = way(&place);
            let same_need = way == Way::Read || *other_required == required;
            if same_need && schema(other, way) == schema(node, way) {
                users.insert((key, place));
                changes.push(*index);
            }
        }
        (users, changes)
    }

    #[allow(clippy::too_many_arguments, reason = "what is known of the property, each by itself")]
    fn add_property(
        &mut self,
        map: &Map,
        owner: &At,
        name: &str,
        node: &Value,
        required: bool,
        changes: &[usize],
        key: &Key,
    ) -> Result<Result<(), String>> {
        let Some(schema_name) = owner.schema_name().map(str::to_owned) else {
            return Ok(Err(format!("{owner} is no named schema")));
        };
        let sent = changes.iter().any(|index| match &self.changes[*index] {
            Change::Add { place, .. } => place.starts_with("request."),
            _ => false,
        });
        let way = if sent { Way::Sent } else { Way::Read };
        let mut author = Author::new(&self.sources, &owner.file, self.date);
        let filter = self.node(owner)["x-s1"]["filter"] == true;
        if filter {
            author.fields = self.fields(map, key);
        }
        let schema = node.get("schema").unwrap_or(node);
        let mut property = match author.property(&schema_name, name, schema, way) {
            Ok(property) => property,
            Err(reason) => return Ok(Err(reason)),
        };
        if filter {
            author.selecting(name, &mut property);
        }
        author.flush(&mut self.sources, Some(&schema_name))?;
        self.undescribed.append(&mut author.undescribed);
        let properties = owner.below("properties");
        if self.node(&properties).is_object() {
            let last = self.sources.keys(&properties.file, &properties.pointer).pop();
            let position = Position::After(last.as_deref());
            self.sources.put_at(&properties.file, &properties.pointer, name, &property, position)?;
        } else {
            self.sources.put(&owner.file, &owner.pointer, "properties", &json!({ name: property }))?;
        }
        if required && way == Way::Sent && !filter {
            self.require(owner, name, true)?;
        }
        let at = properties.below(name);
        let notes = std::mem::take(&mut author.notes);
        changes.iter().for_each(|index| self.done(*index, &at, notes.clone()));
        Ok(Ok(()))
    }

    /// The fields of what an operation answers with, or, where it acts, of what the list of its resource has.
    fn fields(&self, map: &Map, key: &Key) -> BTreeSet<String> {
        let file = map.nodes.get(key).map(|node| node.file.clone());
        let same_file = |other: &Key| map.nodes.get(other).map(|node| &node.file) == file.as_ref();
        let lists = map
            .operations
            .iter()
            .filter(|(other, places)| same_file(other) && places.contains_key("response.200.data[].id"));
        let keys = std::iter::once(key).chain(lists.map(|(other, _)| other));
        for key in keys {
            let Some(item) = self.item(map, key) else { continue };
            let fields: BTreeSet<String> =
                members(self.node(&item), "/properties").map(|(name, _)| name.clone()).collect();
            if fields.contains("id") {
                return fields;
            }
        }
        BTreeSet::new()
    }

    #[allow(clippy::too_many_arguments, reason = "what is known of the parameter, each by itself")]
    fn add_parameter(
        &mut self,
        map: &Map,
        key: &Key,
        operation: &At,
        name: &str,
        node: &Value,
        required: bool,
        index: usize,
    ) -> Result<Result<(), String>> {
        let mut author = Author::new(&self.sources, &operation.file, self.date);
        author.fields = self.fields(map, key);
        let schema_name = self.parameter_schema(map, key, &format!("request.query.{name}"));
        let written = operation::parameter(&self.sources, &mut author, &schema_name, name, node, required);
        let written = match written {
            Ok(written) => written,
            Err(reason) => return Ok(Err(reason)),
        };
        author.flush(&mut self.sources, None)?;
        self.undescribed.append(&mut author.undescribed);
        let parameters = operation.below("parameters");
        if self.node(&parameters).is_array() {
            self.sources.push(&parameters.file, &parameters.pointer, &written)?;
        } else {
            self.sources.put(&operation.file, &operation.pointer, "parameters", &json!([written]))?;
        }
        let notes = std::mem::take(&mut author.notes);
        self.done(index, &parameters, notes);
        Ok(Ok(()))
    }

    fn add_to_envelope(&mut self, owner: &At, name: &str, index: usize) -> Result<Result<(), String>> {
        let member = match name {
            "pagination" | "errors" => operation::envelope_member(name),
            _ => return Ok(Err("an envelope has data, pagination and errors".into())),
        };
        if self.node(&owner.below("properties")).is_null() {
            return Ok(Err(format!("{owner} is no envelope")));
        }
        let properties = owner.below("properties");
        self.sources.put(&owner.file, &properties.pointer, name, &member)?;
        self.done(index, &properties.below(name), Vec::new());
        Ok(Ok(()))
    }

    /// The type of the elements of a list, or of the values of a map, of which nobody said anything.
    fn add_inner(
        &mut self,
        map: &Map,
        asked: &BTreeMap<(Key, String), usize>,
        owner: &At,
        key: &Key,
        place: &str,
        index: usize,
    ) -> Result<Result<(), String>> {
        let Change::Add { node, .. } = &self.changes[index] else { return Ok(Ok(())) };
        let end = &place[place.len() - 2..];
        let users = map.reached.get(owner).cloned().unwrap_or_default();
        let mut changes = Vec::new();
        let mut missing = Vec::new();
        for (key, above) in users {
            let other = asked.get(&(key.clone(), format!("{above}{end}")));
            match other.map(|index| (index, &self.changes[*index])) {
                Some((index, Change::Add { node: other, .. }))
                    if author::bare(other, Way::Sent) == author::bare(node, Way::Sent) =>
                {
                    changes.push(*index);
                }
                _ => missing.push(format!("{key} {above}{end}")),
            }
        }
        if !missing.is_empty() {
            return Ok(Err(format!("{owner} is shared, and others do not ask for it: {}", list(&missing))));
        }
        let way = if place.starts_with("response.") { Way::Read } else { Way::Sent };
        let mut author = Author::new(&self.sources, &owner.file, self.date);
        let last = author::singular(place[..place.len() - 2].rsplit('.').next().unwrap_or(place));
        let name = match owner.schema_name() {
            Some(schema) => author::name_below(schema, &last),
            None => self.parameter_schema(map, key, place),
        };
        let inner = match author.schema(&name, node, way) {
            Ok(inner) => inner,
            Err(reason) => return Ok(Err(reason)),
        };
        author.flush(&mut self.sources, owner.schema_name())?;
        self.undescribed.append(&mut author.undescribed);
        let member = if end == "[]" { "items" } else { "additionalProperties" };
        self.sources.put(&owner.file, &owner.pointer, member, &inner)?;
        let notes = std::mem::take(&mut author.notes);
        changes.iter().for_each(|index| self.done(*index, owner, notes.clone()));
        Ok(Ok(()))
    }

    /// Removes the schemas that nothing refers to any more, and that something referred to before.
    fn clean(&mut self) -> Result<()> {
        for at in author::unused(&self.sources) {
            if !self.unused.contains(&at) {
                self.sources.remove(&at.file, &at.pointer)?;
            }
        }
        Ok(())
    }
}

/// The `$ref` to the shared answer of a status.
fn answer(status: &str) -> Option<Value> {
    let (_, name) = ANSWERS.iter().find(|(known, _)| *known == status)?;
    Some(json!({ "$ref": format!("openapi.yaml#/components/responses/{name}") }))
}

fn requires(object: &Value, name: &str) -> bool {
    object["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name))
}

fn unknown(map: &Map, key: &Key, place: &str) -> String {
    match map.operations.contains_key(key) {
        true => format!("{key} has no place {place}"),
        false => format!("there is no operation {key}"),
    }
}

/// The places that reach a node and are not among these.
fn others(map: &Map, at: &At, users: &BTreeSet<(Key, String)>) -> Vec<(Key, String)> {
    let all = map.reached.get(at).into_iter().flatten();
    all.filter(|user| !users.contains(user)).cloned().collect()
}

fn named(places: &[(Key, String)]) -> Vec<String> {
    places.iter().map(|(key, place)| format!("{key} {place}")).collect()
}

/// The places that a property of an object has, or would have.
fn places_below(map: &Map, owner: &At, name: &str) -> BTreeSet<(Key, String)> {
    let mut places = BTreeSet::new();
    for (key, place) in map.reached.get(owner).into_iter().flatten() {
        let located = map.find(key, place);
        if located.is_some_and(|located| located.target == *owner && !located.again) {
            places.insert((key.clone(), format!("{place}.{name}")));
        }
    }
    for (key, query) in &map.queries {
        if query == owner {
            places.insert((key.clone(), format!("request.query.{name}")));
        }
    }
    places
}

fn others_of(map: &Map, owner: &At, name: &str, users: &BTreeSet<(Key, String)>) -> Vec<String> {
    let all = places_below(map, owner, name);
    let all = all.iter().filter(|user| !users.contains(*user) && !map.silent.has(user));
    all.map(|(key, place)| format!("{key} {place}")).collect()
}

/// Some of many.
fn list(places: &[String]) -> String {
    match places {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}

/// The places that hold a place, the nearest last.
fn ancestors(place: &str) -> impl Iterator<Item = &str> {
    let ends = place.char_indices().filter(|(_, c)| matches!(c, '.' | '[' | '{')).map(|(index, _)| index);
    ends.map(|end| &place[..end])
}

/// Makes the references of a node of one file valid in another.
fn absolute(node: &mut Value, from: &str, to: &str) {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && target.starts_with('#')
                && from != to
            {
                *target = format!("{from}{target}");
            }
            map.values_mut().for_each(|value| absolute(value, from, to));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| absolute(value, from, to)),
        _ => {}
    }
}
