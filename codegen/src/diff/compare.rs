//! Finds the individual changes between two surfaces. The parent module groups them into findings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::facts::{differing, rule, toggle, type_facts};
use super::locations::parents;
use super::renames::{self, Match};
use super::rules::{Direction, Rule};
use super::spec_index::{SpecIndex, operation_name};
use crate::surface::{Key, Node, OperationSurface, SchemaLocation, Surface};

/// A change at one location of one operation.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) direction: Direction,
    pub(super) rule: Rule,
    pub(super) owner: String,
    /// The location is in a named schema.
    pub(super) in_schema: bool,
    pub(super) location: String,
    pub(super) fact: &'static str,
    pub(super) old: Value,
    pub(super) new: Value,
    /// How sure a match is, in percent; `None` if the change is certain.
    pub(super) confidence: Option<u8>,
    pub(super) operation: String,
    pub(super) request: String,
    /// Operation IDs in both documents and in the spec index, for the lookup of commands.
    pub(super) ids: BTreeSet<String>,
    /// Key of the operation in the spec index.
    pub(super) key: Key,
}

/// Facts of `x-s1`, which only the curated specification has.
const EXTENSION_FACTS: [&str; 2] = ["secret", "selective"];

pub(super) struct Changes<'a> {
    index: &'a SpecIndex,
    pub(super) found: Vec<Change>,
}

/// An operation that both documents have.
struct Pair<'a> {
    old: &'a OperationSurface,
    new: &'a OperationSurface,
    operation: String,
    request: String,
    ids: BTreeSet<String>,
    key: Key,
    /// Either both documents have `x-s1` or neither has it.
    same_format: bool,
}

impl Pair<'_> {
    /// Returns a change of the operation itself.
    fn change(&self, rule: Rule, fact: &'static str, old: Value, new: Value) -> Change {
        Change {
            direction: Direction::Operation,
            rule,
            owner: String::new(),
            in_schema: false,
            location: String::new(),
            fact,
            old,
            new,
            confidence: None,
            operation: self.operation.clone(),
            request: self.request.clone(),
            ids: self.ids.clone(),
            key: self.key.clone(),
        }
    }
}

impl<'a> Changes<'a> {
    pub(super) fn new(index: &'a SpecIndex) -> Self {
        Self { index, found: Vec::new() }
    }

    pub(super) fn compare_surfaces(&mut self, old: &Surface, new: &Surface) {
        let removed = || old.operations.iter().filter(|(key, _)| !new.operations.contains_key(key));
        let added = || new.operations.iter().filter(|(key, _)| !old.operations.contains_key(key));
        // An operation has moved if exactly one added operation has its ID, or if one has about its form.
        let mut moved: BTreeMap<&Key, (&Key, Option<u8>)> = BTreeMap::new();
        for (key, operation) in removed().filter(|(_, operation)| !operation.id.is_empty()) {
            let mut same = added().filter(|(_, other)| other.id == operation.id);
            if let (Some((to, _)), None) = (same.next(), same.next()) {
                moved.insert(key, (to, None));
            }
        }
        let by_id: BTreeSet<&Key> = moved.values().map(|(to, _)| *to).collect();
        let left = removed().filter(|(key, _)| !moved.contains_key(key)).collect();
        let arrived = added().filter(|(key, _)| !by_id.contains(key)).collect();
        for one in renames::operations(&left, &arrived) {
            moved.insert(one.from, (one.to, Some(one.confidence)));
        }
        for (key, operation) in &old.operations {
            match (new.operations.get(key), moved.get(key)) {
                (Some(other), _) => self.compare_operation((key, key), (operation, other), None),
                (None, Some((to, confidence))) => {
                    let other = &new.operations[*to];
                    self.compare_operation((key, to), (operation, other), *confidence);
                }
                (None, None) => self.add_operation_existence(
                    key,
                    operation,
                    Rule::OperationRemoved,
                    json!(key.to_string()),
                    Value::Null,
                ),
            }
        }
        let taken: BTreeSet<&Key> = moved.values().map(|(key, _)| *key).collect();
        for (key, operation) in added().filter(|(key, _)| !taken.contains(key)) {
            self.add_operation_existence(
                key,
                operation,
                Rule::OperationAdded,
                Value::Null,
                json!(key.to_string()),
            );
        }
    }

    fn add_operation_existence(
        &mut self,
        key: &Key,
        operation: &OperationSurface,
        rule: Rule,
        old: Value,
        new: Value,
    ) {
        let mut ids = BTreeSet::from([operation.id.clone()]);
        ids.extend(self.index.id(key).map(str::to_owned));
        self.found.push(Change {
            direction: Direction::Operation,
            rule,
            owner: key.to_string(),
            in_schema: false,
            location: String::new(),
            fact: "",
            old,
            new,
            confidence: None,
            operation: operation_name(self.index, key, &operation.id),
            request: key.to_string(),
            ids,
            key: key.clone(),
        });
    }

    fn compare_operation(
        &mut self,
        (from, to): (&Key, &Key),
        (old, new): (&OperationSurface, &OperationSurface),
        confidence: Option<u8>,
    ) {
        let key = if self.index.contains(to) || !self.index.contains(from) { to } else { from };
        let mut ids = BTreeSet::from([old.id.clone(), new.id.clone()]);
        ids.extend(self.index.id(key).map(str::to_owned));
        let has_extension = |one: &OperationSurface| one.facts.contains_key("kind");
        let id = if new.id.is_empty() { &old.id } else { &new.id };
        let pair = Pair {
            old,
            new,
            operation: operation_name(self.index, key, id),
            request: to.to_string(),
            ids,
            key: key.clone(),
            same_format: has_extension(old) == has_extension(new),
        };
        let (old_names, new_names) = (path_names(&old.path), path_names(&new.path));
        if from != to {
            let rule = match old_names.len() == new_names.len() {
                true => Rule::OperationMoved,
                false => Rule::OperationReshaped,
            };
            let (old, new) = (json!(from.to_string()), json!(to.to_string()));
            let moved = Change { confidence, ..pair.change(rule, "path", old, new) };
            self.found.push(Change { owner: from.to_string(), ..moved });
        }
        // The IDs of a vendor document are derived from its paths.
        let follows_path = from != to && !has_extension(old);
        if old.id != new.id && !follows_path && pair.same_format && !old.id.is_empty() && !new.id.is_empty() {
            let rule = if has_extension(old) { Rule::OperationRenamed } else { Rule::OperationIdChanged };
            self.add_operation_change(
                &pair,
                rule,
                &to.to_string(),
                "operationId",
                json!(old.id),
                json!(new.id),
            );
        }
        self.compare_operation_facts(&pair);
        self.compare_locations(&pair, &old_names, &new_names);
    }

    fn add_operation_change(
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

    fn compare_operation_facts(&mut self, pair: &Pair<'_>) {
        for (fact, old, new) in differing(&pair.old.facts, &pair.new.facts) {
            let rule = match fact {
                "summary" | "description" => Rule::DescriptionChanged,
                "deprecated" => toggle(&new, Rule::Deprecated, Rule::Undeprecated),
                "security" => match (old.is_null(), new.is_null()) {
                    (true, _) => Rule::SecurityAdded,
                    (_, true) => Rule::SecurityRemoved,
                    _ => Rule::SecurityChanged,
                },
                // Only the curated specification has the other facts.
                _ if !pair.same_format => continue,
                "versions" => {
                    let (removed, added) = (without(&old, &new), without(&new, &old));
                    if !removed.is_empty() {
                        let removed = json!(removed);
                        self.add_operation_change(pair, Rule::VersionRemoved, "", fact, removed, Value::Null);
                    }
                    if !added.is_empty() {
                        let added = json!(added);
                        self.add_operation_change(pair, Rule::VersionAdded, "", fact, Value::Null, added);
                    }
                    continue;
                }
                "filter" if new == "required" => Rule::FilterRequired,
                "filter" => Rule::FilterChanged,
                "kind" => Rule::KindChanged,
                "idempotent" => Rule::IdempotenceChanged,
                "destructive" => Rule::DestructivenessChanged,
                "rateLimit" => Rule::RateLimitChanged,
                "permissions" | "access" => Rule::PermissionChanged,
                "paging" => Rule::PagingChanged,
                "items" => Rule::ListMemberChanged,
                _ => Rule::DescriptionChanged,
            };
            self.add_operation_change(pair, rule, "", fact, old, new);
        }
    }

    fn compare_locations(&mut self, pair: &Pair<'_>, old_names: &[String], new_names: &[String]) {
        if old_names == new_names && pair.old.locations == pair.new.locations {
            return;
        }
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        if old_names.len() == new_names.len() {
            for (old, new) in old_names.iter().zip(new_names).filter(|(old, new)| old != new) {
                let owner = format!("request.path.{old}");
                self.add_operation_change(
                    pair,
                    Rule::PathParameterRenamed,
                    &owner,
                    "name",
                    json!(old),
                    json!(new),
                );
                renamed.insert(owner, format!("request.path.{new}"));
            }
        }
        let (removed, added) =
            (without_status(pair.old, pair.new, true), without_status(pair.new, pair.old, true));
        if let ([old], [new]) = (removed.as_slice(), added.as_slice()) {
            let (from, to) = (format!("response.{old}"), format!("response.{new}"));
            let schema_location = SchemaLocation { schema: None, path: from.clone() };
            self.add_change(
                pair,
                Rule::SuccessStatusChanged,
                &schema_location,
                &to,
                "",
                json!(old),
                json!(new),
            );
            renamed.insert(from, to);
        }
        let canonical = |location: &String| {
            let all = std::iter::once(location.as_str()).chain(parents(location));
            let found = all.filter_map(|one| Some((one, renamed.get(one)?))).next();
            found.map_or_else(|| location.clone(), |(one, to)| format!("{to}{}", &location[one.len()..]))
        };
        let mut old: BTreeMap<String, &Node> =
            pair.old.locations.iter().map(|(location, node)| (canonical(location), node)).collect();
        let new: BTreeMap<String, &Node> =
            pair.new.locations.iter().map(|(location, node)| (location.clone(), node)).collect();
        for one in renames::fields(&old, &new) {
            // A name with a dot can look like a part of another one.
            let Some(node) = old.get(&one.from).copied() else { continue };
            self.add_rename(pair, &one, node);
            old = renames::relocate(old, &one.from, &one.to);
        }
        let reshaped = old_names.len() != new_names.len();
        let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let mut compared: BTreeSet<String> = BTreeSet::new();
        for location in all {
            // `OperationReshaped` includes the changes of path parameters.
            if (reshaped && location.starts_with("request.path."))
                || compared.contains(location)
                || parents(location).any(|parent| compared.contains(parent))
            {
                continue;
            }
            match (old.get(location), new.get(location)) {
                (Some(old_node), Some(new_node)) => {
                    self.compare_node(pair, location, (old_node, new_node), (&old, &new), &mut compared);
                }
                (Some(old_node), None) => {
                    self.add_location_existence(pair, location, old_node, false);
                    compared.insert(location.clone());
                }
                (None, Some(new_node)) => {
                    self.add_location_existence(pair, location, new_node, true);
                    compared.insert(location.clone());
                }
                (None, None) => {}
            }
        }
    }

    /// Adds the change of a name.
    fn add_rename(&mut self, pair: &Pair<'_>, one: &Match<String>, node: &Node) {
        let name = |location: &String| json!(location.rsplit('.').next().unwrap_or_default());
        let is_parameter = one.from.starts_with("request.query.") || one.from.starts_with("request.headers.");
        let rule = match is_parameter && node.site.schema.is_none() && parents(&one.from).count() == 2 {
            true => Rule::ParameterRenamed,
            false => Rule::FieldRenamed,
        };
        let schema_location = self.schema_location(pair, &one.from, |site, _| site, &node.site);
        self.add_change(pair, rule, &schema_location, &one.from, "name", name(&one.from), name(&one.to));
        if let Some(change) = self.found.last_mut() {
            change.confidence = Some(one.confidence);
        }
    }

    /// Adds the change for a location that was added or removed with its children.
    fn add_location_existence(&mut self, pair: &Pair<'_>, location: &str, node: &Node, added: bool) {
        let required = node.facts.get("required") == Some(&json!(true));
        let pick = |removed: Rule, optional_added: Rule, required_added: Rule| match (added, required) {
            (false, _) => removed,
            (true, false) => optional_added,
            (true, true) => required_added,
        };
        let rule = if let Some(rest) = location.strip_prefix("response.") {
            match (rest.contains(['.', '[', '{']), success(rest), added) {
                (false, true, true) => Rule::SuccessStatusAdded,
                (false, true, false) => Rule::SuccessStatusRemoved,
                (false, false, true) => Rule::ErrorStatusAdded,
                (false, false, false) => Rule::ErrorStatusRemoved,
                (true, _, true) => Rule::FieldAdded,
                (true, _, false) => Rule::FieldRemoved,
            }
        } else if location == "request.body" {
            pick(Rule::BodyRemoved, Rule::BodyAdded, Rule::RequiredBodyAdded)
        } else if location.starts_with("request.body")
            || parents(location).count() > 2
            || node.site.schema.is_some()
        {
            // A query parameter of a filter is a field of the filter, so it is one change with the bodies.
            pick(Rule::FieldRemoved, Rule::FieldAdded, Rule::RequiredFieldAdded)
        } else {
            pick(Rule::ParameterRemoved, Rule::ParameterAdded, Rule::RequiredParameterAdded)
        };
        let value = json!(type_facts(&node.facts));
        let (old, new) = if added { (Value::Null, value) } else { (value, Value::Null) };
        let schema_location = self.schema_location(pair, location, |site, _| site, &node.site);
        self.add_change(pair, rule, &schema_location, location, "", old, new);
    }

    /// Compares a location that both documents have.
    fn compare_node(
        &mut self,
        pair: &Pair<'_>,
        location: &str,
        (old, new): (&Node, &Node),
        (all_old, all_new): (&BTreeMap<String, &Node>, &BTreeMap<String, &Node>),
        compared: &mut BTreeSet<String>,
    ) {
        let values = |fact: &str| {
            (
                old.facts.get(fact).cloned().unwrap_or_default(),
                new.facts.get(fact).cloned().unwrap_or_default(),
            )
        };
        let mut other_type = false;
        for (fact, rule) in [
            ("media", Rule::MediaTypeChanged),
            ("type", Rule::TypeChanged),
            ("recursive", Rule::StructureChanged),
            ("unresolved", Rule::StructureChanged),
        ] {
            let (old_value, new_value) = values(fact);
            let differs = match fact {
                // Schema names are not compared.
                "recursive" | "unresolved" => old_value.is_null() != new_value.is_null(),
                _ => old_value != new_value,
            };
            if differs && !other_type {
                self.add_fact_change(pair, rule, location, fact, (old, new), old_value, new_value);
                other_type = true;
            }
        }
        if other_type {
            compared.insert(location.to_owned());
        } else {
            self.compare_structure(pair, location, (old, new), (all_old, all_new), compared);
        }
        for (fact, old_value, new_value) in differing(&old.facts, &new.facts) {
            if EXTENSION_FACTS.contains(&fact) && !pair.same_format {
                continue;
            }
            // The other facts are not comparable between different types.
            let of_type = !matches!(
                fact,
                "required" | "nullable" | "deprecated" | "description" | "title" | "secret" | "selective"
            );
            if other_type && of_type {
                continue;
            }
            if let Some(rule) = rule(fact, &old_value, &new_value) {
                self.add_fact_change(pair, rule, location, fact, (old, new), old_value, new_value);
            } else if fact == "enum" {
                self.compare_enum(pair, location, (old, new), &old_value, &new_value);
            }
        }
        if !other_type && location.starts_with("request.query.") {
            self.compare_style(pair, location, old, new);
        }
    }

    /// Compares the structure of an object or a list.
    fn compare_structure(
        &mut self,
        pair: &Pair<'_>,
        location: &str,
        (old, new): (&Node, &Node),
        (all_old, all_new): (&BTreeMap<String, &Node>, &BTreeMap<String, &Node>),
        compared: &mut BTreeSet<String>,
    ) {
        let (list, map) = (format!("{location}[]"), format!("{location}{{}}"));
        let (old_value, new_value) = (all_old.contains_key(&list), all_new.contains_key(&list));
        if old_value != new_value {
            let value = |is_list: bool| if is_list { json!("items") } else { Value::Null };
            self.add_fact_change(
                pair,
                Rule::StructureChanged,
                location,
                "items",
                (old, new),
                value(old_value),
                value(new_value),
            );
            compared.insert(list);
        }
        let additional_properties = |node: &Node, all: &BTreeMap<String, &Node>| match all.contains_key(&map)
        {
            true => json!("typed"),
            false => node.facts.get("additionalProperties").cloned().unwrap_or_default(),
        };
        let (old_value, new_value) =
            (additional_properties(old, all_old), additional_properties(new, all_new));
        if old_value != new_value {
            self.add_fact_change(
                pair,
                Rule::AdditionalPropertiesChanged,
                location,
                "additionalProperties",
                (old, new),
                old_value,
                new_value,
            );
            let members = |all: &BTreeMap<String, &Node>| {
                let start = format!("{location}.");
                all.range(start.clone()..).next().is_some_and(|(next, _)| next.starts_with(&start))
            };
            // If a struct becomes a map or the reverse, its members are not separate changes.
            let compared_location =
                if members(all_old) == members(all_new) { map } else { location.to_owned() };
            compared.insert(compared_location);
        }
    }

    fn compare_enum(
        &mut self,
        pair: &Pair<'_>,
        location: &str,
        nodes: (&Node, &Node),
        old_value: &Value,
        new_value: &Value,
    ) {
        let mut add = |rule, old, new| self.add_fact_change(pair, rule, location, "enum", nodes, old, new);
        match (old_value.is_null(), new_value.is_null()) {
            (true, _) => add(Rule::EnumAdded, Value::Null, new_value.clone()),
            (_, true) => add(Rule::EnumRemoved, old_value.clone(), Value::Null),
            _ => {
                let (removed, added) = (without(old_value, new_value), without(new_value, old_value));
                if !removed.is_empty() {
                    add(Rule::EnumValueRemoved, json!(removed), Value::Null);
                }
                if !added.is_empty() {
                    add(Rule::EnumValueAdded, Value::Null, json!(added));
                }
            }
        }
    }

    /// Compares the serialization of a list in a query, with the defaults of OpenAPI.
    fn compare_style(&mut self, pair: &Pair<'_>, location: &str, old: &Node, new: &Node) {
        let style = |node: &Node| node.facts.get("style").cloned().unwrap_or(json!("form"));
        let explode =
            |node: &Node| node.facts.get("explode").cloned().unwrap_or_else(|| json!(style(node) == "form"));
        let list = |node: &Node| node.facts.get("type") == Some(&json!("array"));
        if !list(old) || !list(new) {
            return;
        }
        if style(old) != style(new) {
            self.add_fact_change(
                pair,
                Rule::StyleChanged,
                location,
                "style",
                (old, new),
                style(old),
                style(new),
            );
        } else if explode(old) != explode(new) {
            self.add_fact_change(
                pair,
                Rule::ExplodeChanged,
                location,
                "explode",
                (old, new),
                explode(old),
                explode(new),
            );
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a change has this many parts")]
    fn add_fact_change(
        &mut self,
        pair: &Pair<'_>,
        rule: Rule,
        location: &str,
        fact: &'static str,
        (old, new): (&Node, &Node),
        old_value: Value,
        new_value: Value,
    ) {
        // The change is at the reference if one of the references has the fact, else in the schema.
        let has_fact = |node: &Node| node.facts.contains_key(fact);
        let at_site = match (has_fact(old), has_fact(new)) {
            (true, true) => old.is_at_site(fact) || new.is_at_site(fact),
            (false, _) => new.is_at_site(fact),
            (true, false) => old.is_at_site(fact),
        };
        let node = if has_fact(old) { old } else { new };
        let document_location = if at_site { &node.site } else { &node.target };
        let schema_location = self.schema_location(
            pair,
            location,
            |site, target| if at_site { site } else { target },
            document_location,
        );
        self.add_change(pair, rule, &schema_location, location, fact, old_value, new_value);
    }

    /// Returns the schema location in the curated specification, else in the document.
    fn schema_location(
        &self,
        pair: &Pair<'_>,
        location: &str,
        pick: impl Fn(SchemaLocation, SchemaLocation) -> SchemaLocation,
        document_location: &SchemaLocation,
    ) -> SchemaLocation {
        match self.index.schema_locations(&pair.key, location) {
            Some((site, target)) => pick(site, target),
            None => document_location.clone(),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a change has this many parts")]
    fn add_change(
        &mut self,
        pair: &Pair<'_>,
        rule: Rule,
        schema_location: &SchemaLocation,
        location: &str,
        fact: &'static str,
        old: Value,
        new: Value,
    ) {
        let direction =
            if location.starts_with("response.") { Direction::Response } else { Direction::Request };
        let owner = match &schema_location.schema {
            Some(schema) if schema_location.path.is_empty() => schema.clone(),
            Some(schema) if schema_location.path.starts_with(['[', '{']) => {
                format!("{schema}{}", schema_location.path)
            }
            Some(schema) => format!("{schema}.{}", schema_location.path),
            None => location.to_owned(),
        };
        let (in_schema, location) = (schema_location.schema.is_some(), location.to_owned());
        self.found.push(Change {
            direction,
            owner,
            in_schema,
            location,
            ..pair.change(rule, fact, old, new)
        });
    }
}

/// Returns the items of `one` that are not in `other`.
fn without(one: &Value, other: &Value) -> Vec<Value> {
    let others = other.as_array().map(Vec::as_slice).unwrap_or_default();
    one.as_array().into_iter().flatten().filter(|value| !others.contains(value)).cloned().collect()
}

fn success(status: &str) -> bool {
    status.starts_with('2')
}

/// Returns the status codes of `one` that `other` does not have.
fn without_status(one: &OperationSurface, other: &OperationSurface, successes: bool) -> Vec<String> {
    let statuses = |of: &OperationSurface| -> BTreeSet<String> {
        let locations = of.locations.keys().filter_map(|location| location.strip_prefix("response."));
        locations.filter(|rest| !rest.contains(['.', '[', '{'])).map(str::to_owned).collect()
    };
    let others = statuses(other);
    statuses(one)
        .into_iter()
        .filter(|status| success(status) == successes && !others.contains(status))
        .collect()
}

/// Returns the names of the path parameters, in order.
fn path_names(path: &str) -> Vec<String> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}
