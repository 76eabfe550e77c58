//! Finds the changes, one by one; what belongs together is put together afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::rules::{Direction, Rule};
use super::{Atlas, above, name_of};
use crate::surface::{Facts, Key, Node, OperationSurface, Spot, Surface};

/// A change at one place of one operation.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) direction: Direction,
    pub(super) rule: Rule,
    pub(super) owner: String,
    /// It stands in a named schema.
    pub(super) in_schema: bool,
    pub(super) place: String,
    pub(super) fact: &'static str,
    pub(super) old: Value,
    pub(super) new: Value,
    pub(super) operation: String,
    pub(super) request: String,
    /// Every identifier that the operation has, for commands.
    pub(super) ids: BTreeSet<String>,
    /// Where the atlas has it.
    pub(super) key: Key,
}

/// Keywords that bound a value, with whether they do so from above.
const BOUNDS: [(&str, bool); 8] = [
    ("minimum", false),
    ("maximum", true),
    ("exclusiveMinimum", false),
    ("exclusiveMaximum", true),
    ("minLength", false),
    ("maxLength", true),
    ("minItems", false),
    ("maxItems", true),
];

/// Facts of the extension, which only one kind of document has.
const OURS: [&str; 2] = ["secret", "selects"];

pub(super) struct Changes<'a> {
    atlas: &'a Atlas,
    pub(super) found: Vec<Change>,
}

/// An operation in both documents.
struct Pair<'a> {
    old: &'a OperationSurface,
    new: &'a OperationSurface,
    operation: String,
    request: String,
    ids: BTreeSet<String>,
    key: Key,
    /// Both are, or neither is, written with the extension.
    alike: bool,
}

impl Pair<'_> {
    /// A change of the operation itself.
    fn change(&self, rule: Rule, fact: &'static str, old: Value, new: Value) -> Change {
        Change {
            direction: Direction::Operation,
            rule,
            owner: String::new(),
            in_schema: false,
            place: String::new(),
            fact,
            old,
            new,
            operation: self.operation.clone(),
            request: self.request.clone(),
            ids: self.ids.clone(),
            key: self.key.clone(),
        }
    }
}

impl<'a> Changes<'a> {
    pub(super) fn new(atlas: &'a Atlas) -> Self {
        Self { atlas, found: Vec::new() }
    }

    pub(super) fn surfaces(&mut self, old: &Surface, new: &Surface) {
        let gone = || old.operations.iter().filter(|(key, _)| !new.operations.contains_key(key));
        let come = || new.operations.iter().filter(|(key, _)| !old.operations.contains_key(key));
        // By identifier, if it is there once.
        let mut moved: BTreeMap<&Key, (&Key, &OperationSurface)> = BTreeMap::new();
        for (key, operation) in gone().filter(|(_, operation)| !operation.id.is_empty()) {
            let mut same = come().filter(|(_, other)| other.id == operation.id);
            if let (Some(one), None) = (same.next(), same.next()) {
                moved.insert(key, one);
            }
        }
        for (key, operation) in &old.operations {
            match (new.operations.get(key), moved.get(key)) {
                (Some(other), _) => self.operation(key, key, operation, other),
                (None, Some((to, other))) => self.operation(key, to, operation, other),
                (None, None) => {
                    self.whole(key, operation, Rule::OperationRemoved, json!(key.to_string()), Value::Null)
                }
            }
        }
        let taken: BTreeSet<&Key> = moved.values().map(|(key, _)| *key).collect();
        for (key, operation) in come().filter(|(key, _)| !taken.contains(key)) {
            self.whole(key, operation, Rule::OperationAdded, Value::Null, json!(key.to_string()));
        }
    }

    fn whole(&mut self, key: &Key, operation: &OperationSurface, rule: Rule, old: Value, new: Value) {
        let mut ids = BTreeSet::from([operation.id.clone()]);
        ids.extend(self.atlas.id(key).map(str::to_owned));
        self.found.push(Change {
            direction: Direction::Operation,
            rule,
            owner: key.to_string(),
            in_schema: false,
            place: String::new(),
            fact: "",
            old,
            new,
            operation: name_of(self.atlas, key, &operation.id),
            request: key.to_string(),
            ids,
            key: key.clone(),
        });
    }

    fn operation(&mut self, from: &Key, to: &Key, old: &OperationSurface, new: &OperationSurface) {
        let key = if self.atlas.knows(to) || !self.atlas.knows(from) { to } else { from };
        let mut ids = BTreeSet::from([old.id.clone(), new.id.clone()]);
        ids.extend(self.atlas.id(key).map(str::to_owned));
        let ours = |one: &OperationSurface| one.facts.contains_key("kind");
        let id = if new.id.is_empty() { &old.id } else { &new.id };
        let pair = Pair {
            old,
            new,
            operation: name_of(self.atlas, key, id),
            request: to.to_string(),
            ids,
            key: key.clone(),
            alike: ours(old) == ours(new),
        };
        let (of_old, of_new) = (path_names(&old.path), path_names(&new.path));
        if from != to {
            let rule = match of_old.len() == of_new.len() {
                true => Rule::OperationMoved,
                false => Rule::OperationReshaped,
            };
            let (old, new) = (json!(from.to_string()), json!(to.to_string()));
            self.of_operation(&pair, rule, &from.to_string(), "path", old, new);
        }
        if old.id != new.id && pair.alike && !old.id.is_empty() && !new.id.is_empty() {
            let rule = if ours(old) { Rule::OperationRenamed } else { Rule::OperationRelabelled };
            self.of_operation(&pair, rule, &to.to_string(), "operationId", json!(old.id), json!(new.id));
        }
        self.operation_facts(&pair);
        self.places(&pair, &of_old, &of_new);
    }

    fn of_operation(
        &mut self,
        pair: &Pair<'_>,
        rule: Rule,
        owner: &str,
        fact: &'static str,
        old: Value,
        new: Value,
    ) {
        self.found.push(Change { owner: owner.to_owned(), ..pair.change(rule, fact, old, new) });
    }

    fn operation_facts(&mut self, pair: &Pair<'_>) {
        for (fact, old, new) in differing(&pair.old.facts, &pair.new.facts) {
            let rule = match fact {
                "summary" | "description" => Rule::TextChanged,
                "deprecated" => flag(&new, Rule::Deprecated, Rule::Undeprecated),
                "security" => match (old.is_null(), new.is_null()) {
                    (true, _) => Rule::SecurityAdded,
                    (_, true) => Rule::SecurityRemoved,
                    _ => Rule::SecurityChanged,
                },
                // What follows is said by one kind of document only.
                _ if !pair.alike => continue,
                "versions" => {
                    let (gone, come) = (without(&old, &new), without(&new, &old));
                    if !gone.is_empty() {
                        let gone = json!(gone);
                        self.of_operation(pair, Rule::VersionRemoved, "", fact, gone, Value::Null);
                    }
                    if !come.is_empty() {
                        let come = json!(come);
                        self.of_operation(pair, Rule::VersionAdded, "", fact, Value::Null, come);
                    }
                    continue;
                }
                "filter" if new == "mandatory" => Rule::FilterMandatory,
                "filter" => Rule::FilterChanged,
                "kind" => Rule::KindChanged,
                "idempotent" => Rule::IdempotenceChanged,
                "destructive" => Rule::DestructivenessChanged,
                "rate" => Rule::RateChanged,
                "permission" => Rule::PermissionChanged,
                "paging" => Rule::PagingChanged,
                "items" => Rule::ListMemberChanged,
                _ => Rule::TextChanged,
            };
            self.of_operation(pair, rule, "", fact, old, new);
        }
    }

    fn places(&mut self, pair: &Pair<'_>, of_old: &[String], of_new: &[String]) {
        if of_old == of_new && pair.old.places == pair.new.places {
            return;
        }
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        if of_old.len() == of_new.len() {
            for (old, new) in of_old.iter().zip(of_new).filter(|(old, new)| old != new) {
                let owner = format!("request.path.{old}");
                self.of_operation(pair, Rule::PathParameterRenamed, &owner, "name", json!(old), json!(new));
                renamed.insert(owner, format!("request.path.{new}"));
            }
        }
        let (gone, come) =
            (without_status(pair.old, pair.new, true), without_status(pair.new, pair.old, true));
        if let ([old], [new]) = (gone.as_slice(), come.as_slice()) {
            let (from, to) = (format!("response.{old}"), format!("response.{new}"));
            let spot = Spot { schema: None, path: from.clone() };
            self.at(pair, Rule::SuccessStatusChanged, &spot, &to, "", json!(old), json!(new));
            renamed.insert(from, to);
        }
        let canonical = |place: &String| {
            let all = std::iter::once(place.as_str()).chain(above(place));
            let found = all.filter_map(|one| Some((one, renamed.get(one)?))).next();
            found.map_or_else(|| place.clone(), |(one, to)| format!("{to}{}", &place[one.len()..]))
        };
        let old: BTreeMap<String, &Node> =
            pair.old.places.iter().map(|(place, node)| (canonical(place), node)).collect();
        let new: BTreeMap<String, &Node> =
            pair.new.places.iter().map(|(place, node)| (place.clone(), node)).collect();
        let reshaped = of_old.len() != of_new.len();
        let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let mut settled: BTreeSet<String> = BTreeSet::new();
        for place in all {
            // What is part of another parameter list was said with the operation.
            if (reshaped && place.starts_with("request.path."))
                || settled.contains(place)
                || above(place).any(|above| settled.contains(above))
            {
                continue;
            }
            match (old.get(place), new.get(place)) {
                (Some(was), Some(is)) => self.node(pair, place, (was, is), (&old, &new), &mut settled),
                (Some(was), None) => {
                    self.existence(pair, place, was, false);
                    settled.insert(place.clone());
                }
                (None, Some(is)) => {
                    self.existence(pair, place, is, true);
                    settled.insert(place.clone());
                }
                (None, None) => {}
            }
        }
    }

    /// A place that came or went with all that is below it.
    fn existence(&mut self, pair: &Pair<'_>, place: &str, node: &Node, come: bool) {
        let required = node.facts.get("required") == Some(&json!(true));
        let pick = |gone: Rule, optional: Rule, needed: Rule| match (come, required) {
            (false, _) => gone,
            (true, false) => optional,
            (true, true) => needed,
        };
        let rule = if let Some(rest) = place.strip_prefix("response.") {
            match (rest.contains(['.', '[', '{']), success(rest), come) {
                (false, true, true) => Rule::SuccessStatusAdded,
                (false, true, false) => Rule::SuccessStatusRemoved,
                (false, false, true) => Rule::ErrorStatusAdded,
                (false, false, false) => Rule::ErrorStatusRemoved,
                (true, _, true) => Rule::FieldAdded,
                (true, _, false) => Rule::FieldRemoved,
            }
        } else if place == "request.body" {
            pick(Rule::BodyRemoved, Rule::BodyAdded, Rule::RequiredBodyAdded)
        } else if place.starts_with("request.body") || above(place).count() > 2 || node.site.schema.is_some()
        {
            // A parameter that a filter brings along is a field of it, and one with the bodies that have it.
            pick(Rule::FieldRemoved, Rule::FieldAdded, Rule::RequiredFieldAdded)
        } else {
            pick(Rule::ParameterRemoved, Rule::ParameterAdded, Rule::RequiredParameterAdded)
        };
        let said = json!(what_it_is(&node.facts));
        let (old, new) = if come { (Value::Null, said) } else { (said, Value::Null) };
        let spot = self.spot(pair, place, |site, _| site, &node.site);
        self.at(pair, rule, &spot, place, "", old, new);
    }

    /// A place that is there in both.
    fn node(
        &mut self,
        pair: &Pair<'_>,
        place: &str,
        (old, new): (&Node, &Node),
        (all_old, all_new): (&BTreeMap<String, &Node>, &BTreeMap<String, &Node>),
        settled: &mut BTreeSet<String>,
    ) {
        let of = |fact: &str| {
            (
                old.facts.get(fact).cloned().unwrap_or_default(),
                new.facts.get(fact).cloned().unwrap_or_default(),
            )
        };
        let mut whole = false;
        for (fact, rule) in [
            ("media", Rule::MediaTypeChanged),
            ("type", Rule::TypeChanged),
            ("recursive", Rule::StructureChanged),
            ("unresolved", Rule::StructureChanged),
        ] {
            let (was, is) = of(fact);
            let differs = match fact {
                // The names of schemas are not compared.
                "recursive" | "unresolved" => was.is_null() != is.is_null(),
                _ => was != is,
            };
            if differs && !whole {
                self.fact(pair, rule, place, fact, (old, new), was, is);
                whole = true;
            }
        }
        if whole {
            settled.insert(place.to_owned());
        } else {
            self.shape(pair, place, (old, new), (all_old, all_new), settled);
        }
        for (fact, was, is) in differing(&old.facts, &new.facts) {
            if OURS.contains(&fact) && !pair.alike {
                continue;
            }
            // With another type these say something else.
            let of_type = !matches!(
                fact,
                "required" | "nullable" | "deprecated" | "description" | "title" | "secret" | "selects"
            );
            if whole && of_type {
                continue;
            }
            if let Some(rule) = rule(fact, &was, &is) {
                self.fact(pair, rule, place, fact, (old, new), was, is);
            } else if fact == "enum" {
                self.values(pair, place, (old, new), &was, &is);
            }
        }
        if !whole && place.starts_with("request.query.") {
            self.style(pair, place, old, new);
        }
    }

    /// How an object or a list is put together.
    fn shape(
        &mut self,
        pair: &Pair<'_>,
        place: &str,
        (old, new): (&Node, &Node),
        (all_old, all_new): (&BTreeMap<String, &Node>, &BTreeMap<String, &Node>),
        settled: &mut BTreeSet<String>,
    ) {
        let (list, map) = (format!("{place}[]"), format!("{place}{{}}"));
        let (was, is) = (all_old.contains_key(&list), all_new.contains_key(&list));
        if was != is {
            let say = |there: bool| if there { json!("items") } else { Value::Null };
            self.fact(pair, Rule::StructureChanged, place, "items", (old, new), say(was), say(is));
            settled.insert(list);
        }
        let open = |node: &Node, all: &BTreeMap<String, &Node>| match all.contains_key(&map) {
            true => json!("typed"),
            false => node.facts.get("additionalProperties").cloned().unwrap_or_default(),
        };
        let (was, is) = (open(old, all_old), open(new, all_new));
        if was != is {
            self.fact(pair, Rule::MapChanged, place, "additionalProperties", (old, new), was, is);
            let members = |all: &BTreeMap<String, &Node>| {
                let start = format!("{place}.");
                all.range(start.clone()..).next().is_some_and(|(next, _)| next.starts_with(&start))
            };
            // From a struct to a map, or back: the members are no change of their own.
            let one = if members(all_old) == members(all_new) { map } else { place.to_owned() };
            settled.insert(one);
        }
    }

    fn values(&mut self, pair: &Pair<'_>, place: &str, nodes: (&Node, &Node), was: &Value, is: &Value) {
        let mut add = |rule, old, new| self.fact(pair, rule, place, "enum", nodes, old, new);
        match (was.is_null(), is.is_null()) {
            (true, _) => add(Rule::EnumImposed, Value::Null, is.clone()),
            (_, true) => add(Rule::EnumLifted, was.clone(), Value::Null),
            _ => {
                let (gone, come) = (without(was, is), without(is, was));
                if !gone.is_empty() {
                    add(Rule::EnumValueRemoved, json!(gone), Value::Null);
                }
                if !come.is_empty() {
                    add(Rule::EnumValueAdded, Value::Null, json!(come));
                }
            }
        }
    }

    /// How a list is written in a query, what OpenAPI takes for granted included.
    fn style(&mut self, pair: &Pair<'_>, place: &str, old: &Node, new: &Node) {
        let style = |node: &Node| node.facts.get("style").cloned().unwrap_or(json!("form"));
        let explode =
            |node: &Node| node.facts.get("explode").cloned().unwrap_or_else(|| json!(style(node) == "form"));
        let list = |node: &Node| node.facts.get("type") == Some(&json!("array"));
        if !list(old) || !list(new) {
            return;
        }
        if style(old) != style(new) {
            self.fact(pair, Rule::StyleChanged, place, "style", (old, new), style(old), style(new));
        } else if explode(old) != explode(new) {
            self.fact(pair, Rule::ExplodeChanged, place, "explode", (old, new), explode(old), explode(new));
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a change has that many sides")]
    fn fact(
        &mut self,
        pair: &Pair<'_>,
        rule: Rule,
        place: &str,
        fact: &'static str,
        (old, new): (&Node, &Node),
        was: Value,
        is: Value,
    ) {
        // Where it is said; a site that says it itself is where it changed.
        let says = |node: &Node| node.facts.contains_key(fact);
        let at_site = match (says(old), says(new)) {
            (true, true) => old.stands_at_site(fact) || new.stands_at_site(fact),
            (false, _) => new.stands_at_site(fact),
            (true, false) => old.stands_at_site(fact),
        };
        let node = if says(old) { old } else { new };
        let own = if at_site { &node.site } else { &node.target };
        let spot = self.spot(pair, place, |site, target| if at_site { site } else { target }, own);
        self.at(pair, rule, &spot, place, fact, was, is);
    }

    /// Where a place stands: as the curated specification has it, else as the document does.
    fn spot(&self, pair: &Pair<'_>, place: &str, pick: impl Fn(Spot, Spot) -> Spot, own: &Spot) -> Spot {
        match self.atlas.spots(&pair.key, place) {
            Some((site, target)) => pick(site, target),
            None => own.clone(),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a change has that many sides")]
    fn at(
        &mut self,
        pair: &Pair<'_>,
        rule: Rule,
        spot: &Spot,
        place: &str,
        fact: &'static str,
        old: Value,
        new: Value,
    ) {
        let direction = if place.starts_with("response.") { Direction::Read } else { Direction::Send };
        let owner = match &spot.schema {
            Some(schema) if spot.path.is_empty() => schema.clone(),
            Some(schema) if spot.path.starts_with(['[', '{']) => format!("{schema}{}", spot.path),
            Some(schema) => format!("{schema}.{}", spot.path),
            None => place.to_owned(),
        };
        let (in_schema, place) = (spot.schema.is_some(), place.to_owned());
        self.found.push(Change { direction, owner, in_schema, place, ..pair.change(rule, fact, old, new) });
    }
}

/// The rule for a fact of a place; none where the fact has more than one, or says the same in other words.
fn rule(fact: &str, was: &Value, is: &Value) -> Option<Rule> {
    Some(match fact {
        "format" => Rule::FormatChanged,
        "composed" => Rule::StructureChanged,
        "required" => flag(is, Rule::BecameRequired, Rule::BecameOptional),
        "nullable" => flag(is, Rule::BecameNullable, Rule::NoLongerNullable),
        "deprecated" => flag(is, Rule::Deprecated, Rule::Undeprecated),
        "description" | "title" => Rule::TextChanged,
        "default" => Rule::DefaultChanged,
        "readOnly" | "writeOnly" => Rule::AccessChanged,
        "secret" => Rule::SecretChanged,
        "selects" => Rule::SelectsChanged,
        "pattern" => match (was.is_null(), is.is_null()) {
            (true, _) => Rule::PatternAdded,
            (_, true) => Rule::PatternRemoved,
            _ => Rule::PatternChanged,
        },
        _ => return bound(fact, was, is),
    })
}

fn bound(fact: &str, was: &Value, is: &Value) -> Option<Rule> {
    let upper = BOUNDS.iter().find(|(name, _)| *name == fact).map(|(_, upper)| *upper);
    if upper.is_none() && !["multipleOf", "uniqueItems"].contains(&fact) {
        return None;
    }
    // "No such bound" is also said by false.
    let there = |value: &Value| !value.is_null() && value != false;
    let wider = match (there(was), there(is)) {
        (false, false) => return None,
        (false, true) => false,
        (true, false) => true,
        (true, true) => {
            let (was, is) = (was.as_f64()?, is.as_f64()?);
            // Steps are wider where every old value is one of the new.
            upper.map_or_else(|| is != 0.0 && was % is == 0.0, |upper| (is > was) == upper)
        }
    };
    Some(if wider { Rule::BoundWidened } else { Rule::BoundNarrowed })
}

/// The Rust items of a change.
pub(super) fn items(change: &Change, atlas: &Atlas) -> Vec<String> {
    let Change { key, place, .. } = change;
    if place.is_empty() {
        return atlas.function(key).map(str::to_owned).into_iter().collect();
    }
    let values = |value: &Value| value.as_array().cloned().unwrap_or_default();
    match change.rule {
        Rule::EnumValueAdded => atlas.values(key, place, &values(&change.new)),
        Rule::EnumValueRemoved => atlas.values(key, place, &values(&change.old)),
        // A member of a shared schema is the schema's; the type itself is meant where the schema changed.
        _ if change.in_schema && !change.owner.contains(['.', '[', '{']) => {
            atlas.type_item(key, place).into_iter().collect()
        }
        _ => atlas.item(key, place).into_iter().collect(),
    }
}

/// What a place is, without the texts: its type, and what makes it another one.
fn what_it_is(facts: &Facts) -> BTreeMap<&'static str, Value> {
    let told = ["type", "format", "enum", "required", "nullable", "default", "media"];
    facts
        .iter()
        .filter(|(fact, _)| told.contains(*fact))
        .map(|(fact, value)| (*fact, value.clone()))
        .collect()
}

/// The facts that are not the same, with null for what is not said.
fn differing(old: &Facts, new: &Facts) -> Vec<(&'static str, Value, Value)> {
    // Compared on their own.
    const APART: [&str; 8] =
        ["media", "type", "recursive", "unresolved", "additionalProperties", "style", "explode", "items"];
    let facts: BTreeSet<&'static str> = old.keys().chain(new.keys()).copied().collect();
    // `items` of an operation is a fact of the extension.
    let ours = old.contains_key("kind") || new.contains_key("kind");
    facts
        .into_iter()
        .filter(|fact| !APART.contains(fact) || (ours && *fact == "items"))
        .filter(|fact| old.get(fact) != new.get(fact))
        .map(|fact| {
            (fact, old.get(fact).cloned().unwrap_or_default(), new.get(fact).cloned().unwrap_or_default())
        })
        .collect()
}

fn flag(is: &Value, set: Rule, unset: Rule) -> Rule {
    if *is == true { set } else { unset }
}

/// The elements of a list that another does not have.
fn without(one: &Value, other: &Value) -> Vec<Value> {
    let others = other.as_array().map(Vec::as_slice).unwrap_or_default();
    one.as_array().into_iter().flatten().filter(|value| !others.contains(value)).cloned().collect()
}

fn success(status: &str) -> bool {
    status.starts_with('2')
}

/// The statuses that one has and the other has not.
fn without_status(one: &OperationSurface, other: &OperationSurface, successes: bool) -> Vec<String> {
    let statuses = |of: &OperationSurface| -> BTreeSet<String> {
        let places = of.places.keys().filter_map(|place| place.strip_prefix("response."));
        places.filter(|rest| !rest.contains(['.', '[', '{'])).map(str::to_owned).collect()
    };
    let others = statuses(other);
    statuses(one)
        .into_iter()
        .filter(|status| success(status) == successes && !others.contains(status))
        .collect()
}

/// The names of a path's parameters, in order.
fn path_names(path: &str) -> Vec<String> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}
