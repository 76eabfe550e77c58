//! Applies the changes of a new document to the files of `spec/` and keeps their hand-written content.
//!
//! A change names an operation and a location, as [`surface`](crate::surface) does. [`locate`] maps the location to
//! a node of a file. Several locations may share a node: all operations that return agents use one schema. A shared
//! node is changed only if all its locations request the same change.

mod batch;
pub mod locate;
mod operation;
mod schema_writer;
mod shared_responses;
pub(crate) mod style;
mod violations;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::bundle::{METHODS, ROOT, members};
use crate::dialect::check_enum;
use crate::lint::{self, Finding};
use crate::metadata;
use crate::pointer::{join, split};
use crate::surface::Key;
use crate::yaml_editor::{Position, Sources};
use crate::{Error, Result};

use batch::Batch;
pub use locate::Unspecified;
use locate::{LocationIndex, NodeRef, ResolvedLocation};
pub use operation::NewOperation;
pub(crate) use schema_writer::singular;
use schema_writer::{Direction, NOT_SELECTIVE, NewSchemas, SchemaCatalog, SchemaWriter};
use shared_responses::shared_response;
use violations::EditedNodes;

/// Index of a [`Change::Rename`], its operation and its location.
type RenameRequest = (usize, Key, String);

/// A change of the specification.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Sets or removes a keyword of a location.
    Keyword {
        /// Operation.
        operation: Key,
        /// Location.
        location: String,
        /// Keyword.
        keyword: String,
        /// New value; `None` removes the keyword.
        value: Option<Value>,
    },
    /// Adds a location.
    Add {
        /// Operation.
        operation: Key,
        /// Location.
        location: String,
        /// Schema, or parameter object for a query parameter, with all references resolved.
        node: Value,
        /// Whether it is required.
        required: bool,
    },
    /// Removes a location.
    Remove {
        /// Operation.
        operation: Key,
        /// Location.
        location: String,
    },
    /// Adds an error status.
    AddStatus {
        /// Operation.
        operation: Key,
        /// Status code.
        status: String,
    },
    /// Removes an error status.
    RemoveStatus {
        /// Operation.
        operation: Key,
        /// Status code.
        status: String,
    },
    /// Sets or removes a fact of an operation: `deprecated`, or `permissions` of its metadata.
    Fact {
        /// Operation.
        operation: Key,
        /// Name of the fact.
        name: &'static str,
        /// New value; `None` removes the fact.
        value: Option<Value>,
    },
    /// Gives a parameter or a property another name.
    Rename {
        /// Operation.
        operation: Key,
        /// Location, with the old name.
        location: String,
        /// New name.
        to: String,
    },
    /// Moves an operation to another path.
    Move {
        /// Operation, with the old path.
        operation: Key,
        /// New path in the index.
        path: String,
    },
    /// Adds an operation.
    AddOperation {
        /// New operation.
        operation: Box<NewOperation>,
    },
}

/// A change that was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedChange {
    /// The change.
    pub change: Change,
    /// Changed node, as file and JSON pointer.
    pub at: String,
    /// Notes for the report.
    pub notes: Vec<String>,
}

/// Result of [`apply`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Applied changes, including changes without effect.
    pub applied: Vec<AppliedChange>,
    /// Rejected changes, each with the reason.
    pub rejected: Vec<(Change, String)>,
    /// New elements with a placeholder description, as file and name.
    pub undescribed: Vec<String>,
}

/// Note of a change without effect.
const UNCHANGED: &str = "already up to date";

/// Applies changes. A change that cannot be applied, or that violates a lint rule, is rejected; the others are applied.
/// `date` is the month of the document.
///
/// # Errors
/// Returns an error if a new lint finding has no change as its cause, or if an edited file does not have the expected
/// content. `sources` is not changed then.
pub fn apply(sources: &mut Sources, changes: Vec<Change>, date: &str) -> Result<Report> {
    apply_with_unspecified(sources, changes, &Unspecified::default(), date)
}

/// Applies changes as [`apply`] does. Locations in `unspecified` do not block additive changes of a shared node.
///
/// # Errors
/// Returns the errors of [`apply`].
pub fn apply_with_unspecified(
    sources: &mut Sources,
    changes: Vec<Change>,
    unspecified: &Unspecified,
    date: &str,
) -> Result<Report> {
    let previous = LazyCell::new(|| sources.bundle().map(|bundle| lint::check(&bundle)));
    let new_findings = |changed: &Sources| -> Result<Vec<Finding>> {
        let mut found = lint::check(&changed.bundle()?);
        if !found.is_empty() {
            let previous = previous.as_ref().map_err(ToString::to_string).map_err(Error::Generator)?;
            found.retain(|finding| !previous.contains(finding));
        }
        Ok(found)
    };
    let (additions, mut edits): (Vec<Change>, Vec<Change>) =
        changes.into_iter().partition(|change| matches!(change, Change::AddOperation { .. }));
    let mut report = Report::default();
    let mut accepted = sources.clone();
    while !edits.is_empty() {
        let mut update = Update::new(sources, unspecified, date, &edits);
        update.run()?;
        let findings = new_findings(&update.sources)?;
        if !findings.is_empty() {
            let (causes, others) = update.edited().causes(&findings);
            if !others.is_empty() {
                return Err(Error::Lint(others));
            }
            edits = reject(edits, &causes, &mut report);
            continue;
        }
        report.undescribed.append(&mut update.undescribed);
        accepted = update.sources;
        let outcomes = update.outcome;
        record(&mut report, edits, outcomes);
        break;
    }
    let mut additions = additions;
    while !additions.is_empty() {
        let mut candidate = accepted.clone();
        let mut batch = Batch::new(&candidate);
        let (mut outcomes, mut undescribed) = (Vec::new(), Vec::new());
        for change in &additions {
            let Change::AddOperation { operation } = change else { continue };
            outcomes.push(Some(batch.add(&mut candidate, operation)?.map(|added| {
                undescribed.extend(added.undescribed);
                (added.at, added.notes)
            })));
        }
        let findings = new_findings(&candidate)?;
        if !findings.is_empty() {
            // The others are added again, because they may use the schemas of the rejected operations.
            let rejected = batch.rejections(&findings);
            let causes = additions.iter().enumerate().filter_map(|(index, change)| match change {
                Change::AddOperation { operation } => Some((index, rejected.get(&operation.id)?.clone())),
                _ => None,
            });
            let causes = causes.collect();
            additions = reject(additions, &causes, &mut report);
            continue;
        }
        report.undescribed.append(&mut undescribed);
        accepted = candidate;
        record(&mut report, additions, outcomes);
        break;
    }
    accepted.verify()?;
    *sources = accepted;
    Ok(report)
}

/// Moves the changes with a reason to the report, and returns the others.
fn reject(changes: Vec<Change>, reasons: &BTreeMap<usize, String>, report: &mut Report) -> Vec<Change> {
    let mut others = Vec::new();
    for (index, change) in changes.into_iter().enumerate() {
        match reasons.get(&index) {
            Some(reason) => report.rejected.push((change, reason.clone())),
            None => others.push(change),
        }
    }
    others
}

fn record(report: &mut Report, changes: Vec<Change>, outcomes: Vec<Option<Outcome>>) {
    for (change, outcome) in changes.into_iter().zip(outcomes) {
        match outcome {
            Some(Ok((at, notes))) => report.applied.push(AppliedChange { change, at: at.to_string(), notes }),
            Some(Err(reason)) => report.rejected.push((change, reason)),
            None => report.rejected.push((change, "the change is not supported".into())),
        }
    }
}

type Outcome = Result<(NodeRef, Vec<String>), String>;

/// A member of an object in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct EditTarget {
    /// Object.
    at: NodeRef,
    /// Member name, or the property name in the `required` list of the object.
    key: String,
    required_of: bool,
    /// Node whose users must request the same change.
    scope: NodeRef,
}

struct Update<'a> {
    sources: Sources,
    unspecified: &'a Unspecified,
    date: &'a str,
    changes: &'a [Change],
    outcome: Vec<Option<Outcome>>,
    undescribed: Vec<String>,
    unused: BTreeSet<NodeRef>,
    /// New schemas, each with a change that needs it.
    created: Vec<(String, usize)>,
}

/// A keyword change that several locations request.
struct Group {
    target: EditTarget,
    keyword: String,
    value: Option<Value>,
    changes: Vec<usize>,
    users: BTreeSet<(Key, String)>,
}

impl<'a> Update<'a> {
    fn new(sources: &Sources, unspecified: &'a Unspecified, date: &'a str, changes: &'a [Change]) -> Self {
        Self {
            unused: schema_writer::unused_schemas(sources),
            sources: sources.clone(),
            unspecified,
            date,
            changes,
            outcome: vec![None; changes.len()],
            undescribed: Vec::new(),
            created: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<()> {
        let changes = self.changes;
        let has_change = |matches: fn(&Change) -> bool| changes.iter().any(matches);
        if has_change(|change| matches!(change, Change::Fact { .. })) {
            self.facts()?;
        }
        if has_change(|change| matches!(change, Change::Keyword { .. })) {
            self.keywords()?;
        }
        if has_change(|change| matches!(change, Change::Remove { .. })) {
            self.removals()?;
        }
        if has_change(|change| matches!(change, Change::AddStatus { .. } | Change::RemoveStatus { .. })) {
            self.statuses()?;
        }
        if has_change(|change| matches!(change, Change::Add { .. })) {
            self.additions()?;
        }
        // The other changes have the old names.
        if has_change(|change| matches!(change, Change::Rename { .. })) {
            self.renames()?;
        }
        if has_change(|change| matches!(change, Change::Move { .. })) {
            self.moves()?;
        }
        self.remove_unused_schemas()
    }

    /// Returns the nodes that the applied changes edited or created.
    fn edited(&self) -> EditedNodes<usize> {
        let mut edited = EditedNodes::default();
        for (index, outcome) in self.outcome.iter().enumerate() {
            if let Some(Ok((at, _))) = outcome {
                edited.add(at, index);
            }
        }
        for (schema, index) in &self.created {
            edited.add_schema(schema, *index);
        }
        edited
    }

    fn node(&self, at: &NodeRef) -> &Value {
        self.sources.at(&at.file, &at.pointer).unwrap_or(&Value::Null)
    }

    fn reject(&mut self, index: usize, reason: impl Into<String>) {
        self.outcome[index] = Some(Err(reason.into()));
    }

    fn set_applied(&mut self, index: usize, at: &NodeRef, notes: Vec<String>) {
        self.outcome[index] = Some(Ok((at.clone(), notes)));
    }

    // ---- facts of operations ----

    fn facts(&mut self) -> Result<()> {
        let map = self.location_index();
        for (index, change) in self.changes.iter().enumerate() {
            let Change::Fact { operation, name, value } = change else { continue };
            let Some(node) = map.nodes.get(operation) else {
                self.reject(index, format!("unknown operation {operation}"));
                continue;
            };
            let owner = if *name == "permissions" { node.below(metadata::KEY) } else { node.clone() };
            let mut edits = vec![(owner.clone(), *name, value.clone())];
            let facts = node.below(metadata::KEY);
            if *name == "deprecated" && (value.is_none() || self.node(&facts).get("end").is_none()) {
                edits.push((facts, "end", value.as_ref().map(|_| operation::end(self.date))));
            }
            for (owner, name, value) in edits {
                match value {
                    Some(value) => self.sources.put(&owner.file, &owner.pointer, name, &value)?,
                    None if self.node(&owner).get(name).is_some() => {
                        self.sources.remove(&owner.file, &owner.below(name).pointer)?;
                    }
                    None => {}
                }
            }
            self.set_applied(index, &owner, Vec::new());
        }
        Ok(())
    }

    // ---- keywords ----

    fn keywords(&mut self) -> Result<()> {
        let map = self.location_index();
        let mut groups: Vec<Group> = Vec::new();
        let mut group_indexes: BTreeMap<(EditTarget, String), usize> = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            let Change::Keyword { operation, location, keyword, value } = change else { continue };
            let targets = match self.targets(&map, operation, location, keyword, value.as_ref()) {
                Ok(targets) => targets,
                Err(reason) => {
                    self.reject(index, reason);
                    continue;
                }
            };
            if targets.is_empty()
                && let Some(located) = map.find(operation, location)
            {
                self.set_applied(index, &located.site, vec![UNCHANGED.to_owned()]);
            }
            for target in targets {
                let value_json = value.as_ref().map(Value::to_string).unwrap_or_default();
                let group = *group_indexes.entry((target.clone(), value_json)).or_insert_with(|| {
                    groups.push(Group {
                        target,
                        keyword: keyword.clone(),
                        value: value.clone(),
                        changes: Vec::new(),
                        users: BTreeSet::new(),
                    });
                    groups.len() - 1
                });
                groups[group].changes.push(index);
                groups[group].users.insert((operation.clone(), location.clone()));
            }
        }
        let mut copies: BTreeMap<NodeRef, (Value, Vec<usize>)> = BTreeMap::new();
        let mut enums = Vec::new();
        for group in groups {
            let mut missing = other_users(&map, &group.target.scope, &group.users);
            if self.is_additive(&group) {
                missing.retain(|user| !map.unspecified.contains(user));
            }
            let missing = format_users(&missing);
            if !missing.is_empty() {
                self.copy_or_reject(&map, &group, &missing, &mut copies);
                continue;
            }
            // Enum changes replace references, so they come after the changes below these references.
            if group.keyword == "enum" {
                enums.push(group);
                continue;
            }
            let outcome = self.set(&group.target, group.value.as_ref());
            self.record_outcome(&group, outcome)?;
        }
        for group in enums {
            let outcome = self.set_enum(&map, &group);
            self.record_outcome(&group, outcome)?;
        }
        for (element, (copy, changes)) in copies {
            self.sources.replace(&element.file, &element.pointer, &copy)?;
            for index in changes {
                self.set_applied(index, &element, vec!["copied from the shared parameter".into()]);
            }
        }
        Ok(())
    }

    fn record_outcome(&mut self, group: &Group, outcome: Result<Outcome>) -> Result<()> {
        let outcome = outcome?;
        for index in &group.changes {
            // A change with two targets is applied only if both edits succeed.
            if !matches!(self.outcome[*index], Some(Err(_))) {
                self.outcome[*index] = Some(outcome.clone());
            }
        }
        Ok(())
    }

    /// Handles a change that other users of the node do not request: copies a shared parameter, or rejects the
    /// change.
    fn copy_or_reject(
        &mut self,
        map: &LocationIndex,
        group: &Group,
        missing: &[String],
        copies: &mut BTreeMap<NodeRef, (Value, Vec<usize>)>,
    ) {
        for index in &group.changes {
            let Change::Keyword { operation, location, .. } = &self.changes[*index] else { continue };
            let parameter = map.find(operation, location).and_then(|located| located.parameter.as_ref());
            let shared = parameter.filter(|parameter| parameter.element != parameter.node);
            let inside = shared.and_then(|parameter| {
                let same = group.target.at.file == parameter.node.file;
                let rest = same.then(|| group.target.at.pointer.strip_prefix(&parameter.node.pointer))??;
                Some((parameter, rest.to_owned()))
            });
            let Some((parameter, rest)) = inside.filter(|_| group.keyword != "enum") else {
                let reason = not_requested(&group.target.scope, missing);
                self.reject(*index, format!("{reason}{}", split_remedy(group)));
                continue;
            };
            let (copy, changes) = copies.entry(parameter.element.clone()).or_insert_with(|| {
                let mut copy = self.node(&parameter.node).clone();
                make_references_absolute(&mut copy, &parameter.node.file, &parameter.element.file);
                (copy, Vec::new())
            });
            let changed =
                copy.pointer_mut(&rest).and_then(Value::as_object_mut).map(|node| match &group.value {
                    Some(value) => drop(node.insert(group.target.key.clone(), value.clone())),
                    None => drop(node.remove(&group.target.key)),
                });
            if changed.is_some() {
                changes.push(*index);
            }
        }
    }

    /// Returns the location index of the current files.
    fn location_index(&self) -> LocationIndex {
        LocationIndex { unspecified: self.unspecified.clone(), ..LocationIndex::new(&self.sources) }
    }

    /// Returns whether a change keeps all present enum values; true for keywords other than `enum`.
    fn is_additive(&self, group: &Group) -> bool {
        if group.keyword != "enum" {
            return true;
        }
        let values = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let expected = values(group.value.as_ref());
        let NodeRef { file, pointer } = &group.target.at;
        let present = self.sources.at(file, pointer).and_then(|node| node.get(&group.target.key));
        values(present).iter().all(|value| expected.contains(value))
    }

    /// Returns the nodes to edit for a keyword; empty if the keyword already has the value.
    fn targets(
        &self,
        map: &LocationIndex,
        key: &Key,
        location: &str,
        keyword: &str,
        value: Option<&Value>,
    ) -> Result<Vec<EditTarget>, String> {
        let located = map.find(key, location).ok_or_else(|| unknown_location(map, key, location))?;
        let parameter = located.parameter.as_ref();
        if location.starts_with("response.")
            && located.site.pointer.ends_with(&format!("/responses/{}", &location[9..]))
        {
            return Err(
                "the response has no body, so that it has no schema to change; change it manually".into()
            );
        }
        let target = |at: &NodeRef| EditTarget {
            at: at.clone(),
            key: keyword.to_owned(),
            required_of: false,
            scope: at.clone(),
        };
        let has = |at: &NodeRef| self.node(at).get(keyword).is_some();
        let targets = match keyword {
            "required" => match (parameter, &located.owner) {
                (Some(_), _) if location.starts_with("request.path.") => {
                    return Err("path parameters are always required".into());
                }
                (Some(parameter), _) => vec![target(&parameter.node)],
                (None, Some(_)) if location.starts_with("request.query.") => {
                    return Err("it is a filter field, and filter fields are optional".into());
                }
                (None, Some(owner)) => vec![EditTarget {
                    at: owner.clone(),
                    key: split(&located.site.pointer).1,
                    required_of: true,
                    scope: located.site.clone(),
                }],
                (None, None) if location == "request.body" => {
                    let node = map.nodes.get(key).map(|node| node.below("requestBody"));
                    node.iter().map(target).collect()
                }
                _ => return Err("it is not a parameter or a property".into()),
            },
            "description" | "style" | "explode" | "deprecated" => {
                let own = parameter.map_or(&located.site, |parameter| &parameter.node);
                let mut targets = vec![target(own)];
                if value.is_none() && *own != located.site && has(&located.site) {
                    targets.push(target(&located.site));
                }
                targets
            }
            "nullable" => {
                let mut targets = Vec::new();
                if value.is_some() && !has(&located.site) && has(&located.target) {
                    return Ok(targets);
                }
                targets.push(target(&located.site));
                if value.is_none() && located.site != located.target && has(&located.target) {
                    targets.push(target(&located.target));
                }
                targets
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
                let is_at_site = has(&located.site) || (keyword == "default" && !has(&located.target));
                let own = if is_at_site { &located.site } else { &located.target };
                if keyword == "type"
                    && own.is_schema()
                    && value.is_some_and(|value| self.node(own)[keyword] != *value)
                {
                    return Err(format!(
                        "{own} is a named schema; named schemas are objects or string enums"
                    ));
                }
                let mut target = target(own);
                if keyword == "enum" && value.is_none() && located.site != located.target {
                    // Only this location loses its reference; other users keep theirs.
                    target.scope = located.site.clone();
                    target.at = located.site.clone();
                    return Ok(vec![target]);
                }
                vec![target]
            }
            _ => return Err(format!("the keyword {keyword} is not imported from documents")),
        };
        let is_present = |target: &EditTarget| match target.required_of {
            true => requires(self.node(&target.at), &target.key),
            false => self.node(&target.at).get(&target.key).is_some(),
        };
        Ok(match value {
            None => targets.into_iter().filter(is_present).collect(),
            Some(value) => targets
                .into_iter()
                .filter(|target| target.required_of || self.node(&target.at).get(&target.key) != Some(value))
                .filter(|target| {
                    !target.required_of || requires(self.node(&target.at), &target.key) != (*value == true)
                })
                .collect(),
        })
    }

    fn set(&mut self, target: &EditTarget, value: Option<&Value>) -> Result<Outcome> {
        let NodeRef { file, pointer } = &target.at;
        if target.required_of {
            self.require(&target.at, &target.key, value == Some(&json!(true)))?;
        } else {
            match value {
                Some(Value::Bool(false))
                    if !matches!(target.key.as_str(), "default" | "explode" | "additionalProperties") =>
                {
                    if self.node(&target.at).get(&target.key).is_some() {
                        self.sources.remove(file, &target.at.below(&target.key).pointer)?;
                    }
                }
                Some(value) => self.sources.put(file, pointer, &target.key, value)?,
                None => self.sources.remove(file, &target.at.below(&target.key).pointer)?,
            }
        }
        Ok(Ok((target.at.clone(), Vec::new())))
    }

    /// Adds a property to the `required` list of an object, or removes it.
    fn require(&mut self, object: &NodeRef, name: &str, required: bool) -> Result<()> {
        let list = object.below("required");
        let index = self.node(&list).as_array().and_then(|names| names.iter().position(|one| one == name));
        match (index, required) {
            (None, true) if self.node(&list).is_array() => {
                self.sources.push(&list.file, &list.pointer, &json!(name))
            }
            (None, true) => self.sources.put(&object.file, &object.pointer, "required", &json!([name])),
            (Some(index), false) => self.sources.remove(&list.file, &list.below(&index.to_string()).pointer),
            _ => Ok(()),
        }
    }

    fn set_enum(&mut self, map: &LocationIndex, group: &Group) -> Result<Outcome> {
        let NodeRef { file, pointer } = group.target.at.clone();
        let node = self.node(&group.target.at).clone();
        let Some(value) = &group.value else {
            if node.get("enum").is_some() && !group.target.at.is_schema() {
                self.sources.remove(&file, &group.target.at.below("enum").pointer)?;
            } else if node.get("$ref").is_some() {
                self.sources.put(&file, &pointer, "type", &json!("string"))?;
                self.sources.remove(&file, &group.target.at.below("$ref").pointer)?;
            } else {
                return Ok(Err(format!(
                    "{} is a named enum and cannot exist without its values",
                    group.target.at
                )));
            }
            return Ok(Ok((group.target.at.clone(), Vec::new())));
        };
        let Some(expected) = value.as_array() else { return Ok(Err("the enum is not a list".into())) };
        let values: Vec<&Value> = expected.iter().collect();
        if let Err(reason) = check_enum(&values) {
            return Ok(Err(format!("the enum is not supported: {reason}")));
        }
        if let Some(present) = node["enum"].as_array() {
            // Present values keep their order; new values follow.
            let mut values: Vec<Value> =
                present.iter().filter(|one| expected.contains(one)).cloned().collect();
            values.extend(expected.iter().filter(|one| !present.contains(one)).cloned());
            self.sources.put(&file, &pointer, "enum", &json!(values))?;
            return Ok(Ok((group.target.at.clone(), Vec::new())));
        }
        let ignored = ["type", "format", "default", "description", "nullable", "deprecated", "x-s1"];
        let limit =
            node.as_object().into_iter().flatten().find(|(name, _)| !ignored.contains(&name.as_str()));
        if node["type"] != "string" || limit.is_some() {
            return Ok(Err(format!("{} is not a plain string and cannot become an enum", group.target.at)));
        }
        let Some((key, location)) = group.users.first() else {
            return Ok(Err("no location requests it".into()));
        };
        let name = match group.target.at.schema_name() {
            Some(owner) => {
                let last = location.rsplit('.').next().unwrap_or(location);
                schema_writer::property_schema_name(
                    owner,
                    &schema_writer::singular(last.trim_end_matches("[]")),
                )
            }
            None => self.parameter_schema(map, key, location),
        };
        let schema = json!({ "type": "string", "enum": expected });
        let mut catalog = SchemaCatalog::new(&self.sources);
        let mut schemas = SchemaWriter::new(&self.sources, &mut catalog, &file, self.date);
        let reference = match schemas.named_schema(&name, &schema, Direction::Request, false) {
            Ok(reference) => reference,
            Err(reason) => return Ok(Err(reason)),
        };
        self.write_schemas(schemas.finish(), None, &group.changes)?;
        self.sources.put(&file, &pointer, "$ref", &reference["$ref"])?;
        for key in ["type", "format"] {
            if node.get(key).is_some() {
                self.sources.remove(&file, &group.target.at.below(key).pointer)?;
            }
        }
        Ok(Ok((group.target.at.clone(), Vec::new())))
    }

    /// Returns the name for the enum schema of a query parameter.
    fn parameter_schema(&self, map: &LocationIndex, key: &Key, location: &str) -> String {
        let name = location.trim_end_matches("[]").rsplit('.').next().unwrap_or(location);
        let item = self.item(map, key).and_then(|at| at.schema_name().map(str::to_owned));
        let file = map.nodes.get(key).map_or("", |node| node.file.as_str());
        let item = item.unwrap_or_else(|| operation::subject(file));
        match name {
            "sortBy" => format!("{item}SortField"),
            name => schema_writer::property_schema_name(&item, &schema_writer::singular(name)),
        }
    }

    /// Returns the schema of the items in the response of an operation.
    fn item(&self, map: &LocationIndex, key: &Key) -> Option<NodeRef> {
        let locations = map.operations.get(key)?;
        let items = map.nodes.get(key).and_then(|node| self.node(node).pointer("/x-s1/items"));
        let nested = items.and_then(Value::as_str).map(|list| format!("response.200.data.{list}[]"));
        let all = [nested.as_deref().unwrap_or("response.200.data[]"), "response.200.data"];
        all.iter().find_map(|location| locations.get(*location)).map(|located| located.target.clone())
    }

    // ---- removals ----

    fn removals(&mut self) -> Result<()> {
        let map = self.location_index();
        let mut requested: BTreeMap<(Key, String), usize> = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            if let Change::Remove { operation, location } = change {
                requested.insert((operation.clone(), location.clone()), index);
            }
        }
        let mut elements: BTreeMap<NodeRef, Vec<usize>> = BTreeMap::new();
        let mut properties: BTreeMap<NodeRef, (ResolvedLocation, Vec<usize>)> = BTreeMap::new();
        let mut dependent: Vec<(usize, usize)> = Vec::new();
        for ((key, location), index) in &requested {
            let parent =
                ancestors(location).find_map(|parent| requested.get(&(key.clone(), parent.to_owned())));
            if let Some(parent) = parent {
                dependent.push((*index, *parent));
                continue;
            }
            match self.removal(&map, key, location) {
                Err(reason) => self.reject(*index, reason),
                Ok((at, None)) => elements.entry(at).or_default().push(*index),
                Ok((at, Some(located))) => {
                    properties.entry(at).or_insert_with(|| (located, Vec::new())).1.push(*index);
                }
            }
        }
        for (at, (located, changes)) in properties {
            let users: BTreeSet<_> = requested
                .iter()
                .filter(|(_, index)| changes.contains(index))
                .map(|(user, _)| user.clone())
                .collect();
            let missing = format_users(&other_users(&map, &at, &users));
            if !missing.is_empty() {
                let reason = not_requested(&at, &missing);
                changes.iter().for_each(|index| self.reject(*index, reason.clone()));
                continue;
            }
            let (parent, name) = split(&at.pointer);
            if self.sources.at(&at.file, parent).and_then(Value::as_object).is_some_and(|map| map.len() == 1)
            {
                let reason = format!("{at} is the only property of its object");
                changes.iter().for_each(|index| self.reject(*index, reason.clone()));
                continue;
            }
            if let Some(owner) = &located.owner {
                self.require(owner, &name, false)?;
            }
            self.sources.remove(&at.file, &at.pointer)?;
            changes.iter().for_each(|index| self.set_applied(*index, &at, Vec::new()));
        }
        // Elements are removed from the end of each list, so that the indexes of the others stay valid.
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
            changes.iter().for_each(|index| self.set_applied(*index, &at, Vec::new()));
        }
        for (index, parent) in dependent {
            self.outcome[index] = match &self.outcome[parent] {
                Some(Ok((at, _))) => Some(Ok((at.clone(), vec!["removed with its parent".into()]))),
                other => other.clone(),
            };
        }
        Ok(())
    }

    /// Returns the node to remove: a list element or member of the operation, or a property with its location.
    fn removal(
        &self,
        map: &LocationIndex,
        key: &Key,
        location: &str,
    ) -> Result<(NodeRef, Option<ResolvedLocation>), String> {
        let located = map.find(key, location).ok_or_else(|| unknown_location(map, key, location))?;
        let node = map.nodes.get(key).ok_or_else(|| unknown_location(map, key, location))?;
        let metadata = &self.node(node)["x-s1"];
        if let Some(parameter) = &located.parameter {
            if parameter.element.pointer.starts_with(&format!("{}/", node.pointer))
                && parameter.element.file == node.file
            {
                return match location {
                    "request.query.cursor" if metadata["paging"] == "cursor" => {
                        Err("pagination needs the cursor; change x-s1.paging first".into())
                    }
                    _ if location.starts_with("request.path.") => Err("it is part of the path".into()),
                    _ => Ok((parameter.element.clone(), None)),
                };
            }
            return Err("it is declared for all methods of the path".into());
        }
        if location == "request.body" {
            return match metadata["filter"] == "required" {
                true => Err("x-s1.filter is `required`, so the body needs a filter".into()),
                false => Ok((node.below("requestBody"), None)),
            };
        }
        if location == "request.body.filter" && metadata["filter"] != "none" {
            return Err("x-s1.filter declares a filter; change x-s1.filter first".into());
        }
        if location.starts_with("response.")
            && location.ends_with(".data")
            && location.matches('.').count() == 2
        {
            return Err("a response without data is not supported".into());
        }
        match &located.owner {
            Some(_) => Ok((located.site.clone(), Some(located.clone()))),
            None => Err("it is the item type of its parent and cannot be removed alone".into()),
        }
    }

    // ---- names ----

    fn renames(&mut self) -> Result<()> {
        let map = self.location_index();
        // By node and new name.
        let mut groups: BTreeMap<(NodeRef, String), Vec<RenameRequest>> = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            let Change::Rename { operation, location, to } = change else { continue };
            match map.find(operation, location) {
                None => self.reject(index, unknown_location(&map, operation, location)),
                Some(located) => {
                    let own = located.parameter.as_ref().filter(|_| parameter_name(location).is_some());
                    let at = own.map_or(&located.site, |parameter| &parameter.node).clone();
                    groups.entry((at, to.clone())).or_default().push((
                        index,
                        operation.clone(),
                        location.clone(),
                    ));
                }
            }
        }
        for ((at, to), changes) in groups {
            let users = changes.iter().map(|(_, key, location)| (key.clone(), location.clone())).collect();
            let missing = format_users(&other_users(&map, &at, &users));
            let outcome = match missing.is_empty() {
                false => Err(not_requested(&at, &missing)),
                true => self.rename(&map, &at, &changes, &to)?,
            };
            for (index, ..) in changes {
                match &outcome {
                    Ok(at) => self.set_applied(index, at, Vec::new()),
                    Err(reason) => self.reject(index, reason.clone()),
                }
            }
        }
        Ok(())
    }

    /// Renames a parameter, or a property of an object. Returns the renamed node.
    fn rename(
        &mut self,
        map: &LocationIndex,
        at: &NodeRef,
        changes: &[RenameRequest],
        to: &str,
    ) -> Result<Result<NodeRef, String>> {
        let Some(located) = changes.first().and_then(|(_, key, location)| map.find(key, location)) else {
            return Ok(Err("no location has the name".to_owned()));
        };
        if self.node(at).get("in").is_some() {
            self.sources.put(&at.file, &at.pointer, "name", &json!(to))?;
            return Ok(Ok(at.clone()));
        }
        let (parent, name) = split(&at.pointer);
        if self.sources.at(&at.file, parent).is_some_and(|properties| properties.get(to).is_some()) {
            return Ok(Err(format!("{at} cannot be renamed: the object has a property {to}")));
        }
        if let Some(owner) = &located.owner
            && requires(self.node(owner), &name)
        {
            self.require(owner, &name, false)?;
            self.require(owner, to, true)?;
        }
        self.sources.rename(&at.file, parent, &name, to)?;
        Ok(Ok(NodeRef { file: at.file.clone(), pointer: join(parent, to) }))
    }

    fn moves(&mut self) -> Result<()> {
        for (index, change) in self.changes.iter().enumerate() {
            let Change::Move { operation, path } = change else { continue };
            let index_paths = self.sources.keys(ROOT, "/paths");
            let Some(old) = index_paths.iter().find(|one| Key::new(&operation.method, one) == *operation)
            else {
                self.reject(index, format!("unknown operation {operation}"));
                continue;
            };
            let entry = self.sources.tree(ROOT)["paths"][old]["$ref"].as_str().unwrap_or_default().to_owned();
            let Some(item) = locate::resolve(&self.sources, ROOT, &entry) else {
                self.reject(index, format!("the index has no path item for {old}"));
                continue;
            };
            if METHODS.iter().filter(|method| self.node(&item).get(**method).is_some()).count() > 1 {
                self.reject(index, format!("{old} has other methods, which may not have moved"));
                continue;
            }
            if index_paths.contains(path) {
                self.reject(index, format!("{path} has other operations"));
                continue;
            }
            let (parent, name) = split(&item.pointer);
            self.sources.rename(&item.file, parent, &name, path)?;
            let at = NodeRef { file: item.file.clone(), pointer: join(parent, path) };
            self.sources.rename(ROOT, "/paths", old, path)?;
            let target = json!(format!("{}#{}", at.file, at.pointer));
            self.sources.put(ROOT, &join("/paths", path), "$ref", &target)?;
            self.set_applied(index, &at.below(&operation.method), Vec::new());
        }
        Ok(())
    }

    // ---- statuses ----

    fn statuses(&mut self) -> Result<()> {
        let map = self.location_index();
        for (index, change) in self.changes.iter().enumerate() {
            let (key, status, adds) = match change {
                Change::AddStatus { operation, status } => (operation, status, true),
                Change::RemoveStatus { operation, status } => (operation, status, false),
                _ => continue,
            };
            let Some(node) = map.nodes.get(key) else {
                self.reject(index, format!("unknown operation {key}"));
                continue;
            };
            let responses = node.below("responses");
            let at = responses.below(status);
            let exists = self.node(&responses).get(status).is_some();
            match (adds, exists) {
                (true, true) | (false, false) => self.set_applied(index, &at, vec![UNCHANGED.to_owned()]),
                (true, false) => match shared_response(status) {
                    None => self.reject(index, format!("openapi.yaml has no shared response for {status}")),
                    Some(response) => {
                        self.sources.put(&at.file, &responses.pointer, status, &response)?;
                        self.set_applied(index, &at, Vec::new());
                    }
                },
                (false, true) if status.starts_with('2') => {
                    self.reject(index, "an operation needs a success response");
                }
                (false, true) => {
                    self.sources.remove(&at.file, &at.pointer)?;
                    self.set_applied(index, &at, Vec::new());
                }
            }
        }
        Ok(())
    }

    // ---- additions ----

    fn additions(&mut self) -> Result<()> {
        let mut requested: BTreeMap<(Key, String), usize> = BTreeMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            if let Change::Add { operation, location, .. } = change {
                requested.insert((operation.clone(), location.clone()), index);
            }
        }
        let mut dependent = Vec::new();
        // Additions do not move existing nodes, so the index stays valid.
        let map = self.location_index();
        // In this map a location follows its parent.
        for ((key, location), index) in &requested {
            if self.outcome[*index].is_some() {
                continue;
            }
            let parent =
                ancestors(location).find_map(|parent| requested.get(&(key.clone(), parent.to_owned())));
            if let Some(parent) = parent {
                dependent.push((*index, *parent));
                continue;
            }
            if let Err(reason) = self.addition(&map, &requested, key, location, *index)? {
                self.reject(*index, reason);
            }
        }
        for (index, parent) in dependent {
            self.outcome[index] = match &self.outcome[parent] {
                Some(Ok((at, _))) => Some(Ok((at.clone(), vec!["added with its parent".into()]))),
                other => other.clone(),
            };
        }
        Ok(())
    }

    fn addition(
        &mut self,
        map: &LocationIndex,
        requested: &BTreeMap<(Key, String), usize>,
        key: &Key,
        location: &str,
        index: usize,
    ) -> Result<Result<(), String>> {
        let Change::Add { node, required, .. } = &self.changes[index] else { return Ok(Ok(())) };
        let Some(operation) = map.nodes.get(key) else {
            return Ok(Err(format!("unknown operation {key}")));
        };
        if map.find(key, location).is_some() {
            return Ok(Err("it already exists".into()));
        }
        if let Some(name) =
            location.strip_prefix("request.query.").filter(|name| !name.contains(['.', '[', '{']))
        {
            if let Some(filter) = map.queries.get(key).filter(|_| !NOT_SELECTIVE.contains(&name)) {
                let (users, changes) = self.matching_additions(map, requested, filter, name, node, *required);
                if other_property_users(map, filter, name, &users).is_empty() {
                    return self.add_property(map, filter, name, node, *required, &changes, key);
                }
            }
            return self.add_parameter(map, key, operation, name, node, *required, index);
        }
        if location.starts_with("request.path.") {
            return Ok(Err("a path parameter belongs to another operation".into()));
        }
        if location.starts_with("request.headers.") {
            return Ok(Err("a header is an argument of the function; add it manually".into()));
        }
        let (above, name) = match location.rsplit_once('.') {
            _ if location.ends_with("[]") || location.ends_with("{}") => {
                (&location[..location.len() - 2], "")
            }
            Some((above, name)) => (above, name),
            None => return Ok(Err("it is not a location".into())),
        };
        let Some(located) = map.find(key, above) else {
            return Ok(Err(match above {
                "request" => "a request body can be added only with its operation".into(),
                _ => unknown_location(map, key, above),
            }));
        };
        let mut owner = located.target.clone();
        // A property that all users of the extended schema get belongs to that schema.
        if let Some(base) = map.bases.get(&owner).filter(|_| !name.is_empty()) {
            let (users, changes) = self.matching_additions(map, requested, base, name, node, *required);
            if changes.contains(&index) && other_property_users(map, base, name, &users).is_empty() {
                owner = base.clone();
            }
        }
        if above.starts_with("response.") && above.matches('.').count() == 1 {
            return self.add_to_envelope(&owner, name, index);
        }
        if name.is_empty() {
            return self.add_inner(map, requested, &owner, key, location, index);
        }
        if owner.schema_name().is_none() {
            return Ok(Err(format!("{owner} is not a named schema, and only named schemas have properties")));
        }
        if !owner.is_schema() {
            return self.name_inline_object(map, requested, &owner, above);
        }
        let (users, changes) = self.matching_additions(map, requested, &owner, name, node, *required);
        let missing = other_property_users(map, &owner, name, &users);
        if !missing.is_empty() {
            return Ok(Err(not_requested(&owner, &missing)));
        }
        self.add_property(map, &owner, name, node, *required, &changes, key)
    }

    /// Returns the changes that add the same property to an object, and their locations.
    fn matching_additions(
        &self,
        map: &LocationIndex,
        requested: &BTreeMap<(Key, String), usize>,
        owner: &NodeRef,
        name: &str,
        node: &Value,
        required: bool,
    ) -> (BTreeSet<(Key, String)>, Vec<usize>) {
        let mut users = BTreeSet::new();
        let mut changes = Vec::new();
        for (key, location) in property_locations(map, owner, name) {
            let Some(index) = requested.get(&(key.clone(), location.clone())) else { continue };
            let Change::Add { node: other, required: other_required, .. } = &self.changes[*index] else {
                continue;
            };
            let direction = |location: &str| {
                if location.starts_with("response.") { Direction::Response } else { Direction::Request }
            };
            let schema = |node: &Value, direction| {
                schema_writer::normalize(node.get("schema").unwrap_or(node), direction)
            };
            let direction = direction(&location);
            let same_required = direction == Direction::Response || *other_required == required;
            if same_required && schema(other, direction) == schema(node, direction) {
                users.insert((key, location));
                changes.push(*index);
            }
        }
        (users, changes)
    }

    #[allow(clippy::too_many_arguments, reason = "the attributes of one property")]
    fn add_property(
        &mut self,
        map: &LocationIndex,
        owner: &NodeRef,
        name: &str,
        node: &Value,
        required: bool,
        changes: &[usize],
        key: &Key,
    ) -> Result<Result<(), String>> {
        let Some(schema_name) = owner.schema_name().map(str::to_owned) else {
            return Ok(Err(format!("{owner} is not a named schema")));
        };
        let in_request = changes.iter().any(|index| match &self.changes[*index] {
            Change::Add { location, .. } => location.starts_with("request."),
            _ => false,
        });
        let direction = if in_request { Direction::Request } else { Direction::Response };
        let mut catalog = SchemaCatalog::new(&self.sources);
        let mut schemas = SchemaWriter::new(&self.sources, &mut catalog, &owner.file, self.date);
        let filter = self.node(owner)["x-s1"]["filter"] == true;
        if filter {
            schemas.fields = self.fields(map, key);
        }
        let schema = node.get("schema").unwrap_or(node);
        let mut property = match schemas.property(&schema_name, name, schema, direction) {
            Ok(property) => property,
            Err(reason) => return Ok(Err(reason)),
        };
        if filter {
            schemas.add_filter_metadata(name, &mut property);
        }
        let notes = self.write_schemas(schemas.finish(), Some(&schema_name), changes)?;
        let properties = owner.below("properties");
        if self.node(&properties).is_object() {
            let last = self.sources.keys(&properties.file, &properties.pointer).pop();
            let position = Position::After(last.as_deref());
            self.sources.put_at(&properties.file, &properties.pointer, name, &property, position)?;
        } else {
            self.sources.put(&owner.file, &owner.pointer, "properties", &json!({ name: property }))?;
        }
        if required && direction == Direction::Request && !filter {
            self.require(owner, name, true)?;
        }
        let at = properties.below(name);
        changes.iter().for_each(|index| self.set_applied(*index, &at, notes.clone()));
        Ok(Ok(()))
    }

    /// Returns the fields of the items in the response; for an action, of the items that its resource lists.
    fn fields(&self, map: &LocationIndex, key: &Key) -> BTreeSet<String> {
        let file = map.nodes.get(key).map(|node| node.file.clone());
        let same_file = |other: &Key| map.nodes.get(other).map(|node| &node.file) == file.as_ref();
        let lists = map.operations.iter().filter(|(other, locations)| {
            same_file(other) && locations.contains_key("response.200.data[].id")
        });
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

    #[allow(clippy::too_many_arguments, reason = "the attributes of one parameter")]
    fn add_parameter(
        &mut self,
        map: &LocationIndex,
        key: &Key,
        operation: &NodeRef,
        name: &str,
        node: &Value,
        required: bool,
        index: usize,
    ) -> Result<Result<(), String>> {
        let mut catalog = SchemaCatalog::new(&self.sources);
        let mut schemas = SchemaWriter::new(&self.sources, &mut catalog, &operation.file, self.date);
        schemas.fields = self.fields(map, key);
        let schema_name = self.parameter_schema(map, key, &format!("request.query.{name}"));
        let written = operation::parameter(&self.sources, &mut schemas, &schema_name, name, node, required);
        let written = match written {
            Ok(written) => written,
            Err(reason) => return Ok(Err(reason)),
        };
        let notes = self.write_schemas(schemas.finish(), None, &[index])?;
        let parameters = operation.below("parameters");
        if self.node(&parameters).is_array() {
            self.sources.push(&parameters.file, &parameters.pointer, &written)?;
        } else {
            self.sources.put(&operation.file, &operation.pointer, "parameters", &json!([written]))?;
        }
        self.set_applied(index, &parameters, notes);
        Ok(Ok(()))
    }

    fn add_to_envelope(&mut self, owner: &NodeRef, name: &str, index: usize) -> Result<Result<(), String>> {
        let member = match name {
            "pagination" | "errors" => operation::envelope_member(name),
            _ => return Ok(Err("an envelope has only data, pagination and errors".into())),
        };
        if self.node(&owner.below("properties")).is_null() {
            return Ok(Err(format!("{owner} is not an envelope")));
        }
        let properties = owner.below("properties");
        self.sources.put(&owner.file, &properties.pointer, name, &member)?;
        self.set_applied(index, &properties.below(name), Vec::new());
        Ok(Ok(()))
    }

    /// Moves an inline object without declared properties to a new named schema that has the added properties.
    fn name_inline_object(
        &mut self,
        map: &LocationIndex,
        requested: &BTreeMap<(Key, String), usize>,
        owner: &NodeRef,
        above: &str,
    ) -> Result<Result<(), String>> {
        let direction = if above.starts_with("response.") { Direction::Response } else { Direction::Request };
        let mut objects: Vec<(String, Value)> = Vec::new();
        let mut changes = Vec::new();
        for (key, location) in map.users.get(owner).into_iter().flatten() {
            let (mut properties, mut required) = (Map::new(), Vec::new());
            for ((other, below), index) in requested {
                let name = below.strip_prefix(location.as_str()).and_then(|rest| rest.strip_prefix('.'));
                let name = name.filter(|name| other == key && !name.contains(['.', '[', '{']));
                if let (Some(name), Change::Add { node, required: is_required, .. }) =
                    (name, &self.changes[*index])
                {
                    properties.insert(name.to_owned(), node.clone());
                    if *is_required {
                        required.push(name);
                    }
                    changes.push(*index);
                }
            }
            let object = json!({ "type": "object", "properties": properties, "required": required });
            objects.push((format!("{key} {location}"), object));
        }
        let Some((_, object)) = objects.first() else { return Ok(Err(format!("{owner} is not used"))) };
        let expected = schema_writer::normalize(object, direction);
        let missing: Vec<String> = objects
            .iter()
            .filter(|(_, other)| schema_writer::normalize(other, direction) != expected)
            .map(|(user, _)| user.clone())
            .collect();
        if !missing.is_empty() {
            return Ok(Err(not_requested(owner, &missing)));
        }
        let last = above.trim_end_matches("[]").trim_end_matches("{}").rsplit('.').next().unwrap_or(above);
        let last = if above.ends_with("[]") { schema_writer::singular(last) } else { last.to_owned() };
        let name = schema_writer::property_schema_name(owner.schema_name().unwrap_or_default(), &last);
        let mut catalog = SchemaCatalog::new(&self.sources);
        let mut schemas = SchemaWriter::new(&self.sources, &mut catalog, &owner.file, self.date);
        let mut reference = match schemas.named_schema(&name, object, direction, false) {
            Ok(reference) => reference,
            Err(reason) => return Ok(Err(reason)),
        };
        for keyword in ["nullable", "deprecated", "description", "x-s1"] {
            if let Some(value) = self.node(owner).get(keyword) {
                reference[keyword] = value.clone();
            }
        }
        let notes = self.write_schemas(schemas.finish(), owner.schema_name(), &changes)?;
        self.sources.replace(&owner.file, &owner.pointer, &reference)?;
        changes.iter().for_each(|index| self.set_applied(*index, owner, notes.clone()));
        Ok(Ok(()))
    }

    /// Adds the type of the elements of a list, or of the values of a map, that had no type.
    fn add_inner(
        &mut self,
        map: &LocationIndex,
        requested: &BTreeMap<(Key, String), usize>,
        owner: &NodeRef,
        key: &Key,
        location: &str,
        index: usize,
    ) -> Result<Result<(), String>> {
        let Change::Add { node, .. } = &self.changes[index] else { return Ok(Ok(())) };
        let end = &location[location.len() - 2..];
        let users = map.users.get(owner).cloned().unwrap_or_default();
        let mut changes = Vec::new();
        let mut missing = Vec::new();
        for (key, above) in users {
            let other = requested.get(&(key.clone(), format!("{above}{end}")));
            match other.map(|index| (index, &self.changes[*index])) {
                Some((index, Change::Add { node: other, .. }))
                    if schema_writer::normalize(other, Direction::Request)
                        == schema_writer::normalize(node, Direction::Request) =>
                {
                    changes.push(*index);
                }
                _ => missing.push(format!("{key} {above}{end}")),
            }
        }
        if !missing.is_empty() {
            return Ok(Err(not_requested(owner, &missing)));
        }
        let direction =
            if location.starts_with("response.") { Direction::Response } else { Direction::Request };
        let last =
            schema_writer::singular(location[..location.len() - 2].rsplit('.').next().unwrap_or(location));
        let name = match owner.schema_name() {
            Some(schema) => schema_writer::property_schema_name(schema, &last),
            None => self.parameter_schema(map, key, location),
        };
        let mut catalog = SchemaCatalog::new(&self.sources);
        let mut schemas = SchemaWriter::new(&self.sources, &mut catalog, &owner.file, self.date);
        let inner = match schemas.schema(&name, node, direction) {
            Ok(inner) => inner,
            Err(reason) => return Ok(Err(reason)),
        };
        let notes = self.write_schemas(schemas.finish(), owner.schema_name(), &changes)?;
        let member = if end == "[]" { "items" } else { "additionalProperties" };
        self.sources.put(&owner.file, &owner.pointer, member, &inner)?;
        changes.iter().for_each(|index| self.set_applied(*index, owner, notes.clone()));
        Ok(Ok(()))
    }

    /// Writes the new schemas of changes, after the schema `after` if it is given, and returns their notes.
    fn write_schemas(
        &mut self,
        mut new: NewSchemas,
        after: Option<&str>,
        changes: &[usize],
    ) -> Result<Vec<String>> {
        for name in new.names() {
            self.created.extend(changes.iter().map(|index| (name.to_owned(), *index)));
        }
        new.write(&mut self.sources, after)?;
        self.undescribed.append(&mut new.undescribed);
        Ok(new.notes)
    }

    /// Removes the schemas that lost their last reference.
    fn remove_unused_schemas(&mut self) -> Result<()> {
        for at in schema_writer::unused_schemas(&self.sources) {
            if !self.unused.contains(&at) {
                self.sources.remove(&at.file, &at.pointer)?;
            }
        }
        Ok(())
    }
}

fn requires(object: &Value, name: &str) -> bool {
    object["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name))
}

fn unknown_location(map: &LocationIndex, key: &Key, location: &str) -> String {
    match map.operations.contains_key(key) {
        true => format!("{key} has no location {location}"),
        false => format!("unknown operation {key}"),
    }
}

/// Returns the locations that use a node, without `users`.
fn other_users(map: &LocationIndex, at: &NodeRef, users: &BTreeSet<(Key, String)>) -> Vec<(Key, String)> {
    let all = map.users.get(at).into_iter().flatten();
    all.filter(|user| !users.contains(user)).cloned().collect()
}

fn format_users(users: &[(Key, String)]) -> Vec<String> {
    users.iter().map(|(key, location)| format!("{key} {location}")).collect()
}

/// Returns the name of a parameter if the location is a parameter as a whole.
fn parameter_name(location: &str) -> Option<&str> {
    let name = ["request.query.", "request.headers."].iter().find_map(|part| location.strip_prefix(part))?;
    (!name.contains(['.', '[', '{'])).then_some(name)
}

/// Returns the present or future locations of a property of an object.
fn property_locations(map: &LocationIndex, owner: &NodeRef, name: &str) -> BTreeSet<(Key, String)> {
    let mut locations = BTreeSet::new();
    // A schema that extends the owner has its properties, too.
    let extensions = map.bases.iter().filter(|(_, base)| *base == owner).map(|(extension, _)| extension);
    for schema in std::iter::once(owner).chain(extensions) {
        for (key, location) in map.users.get(schema).into_iter().flatten() {
            let located = map.find(key, location);
            if located.is_some_and(|located| located.target == *schema && !located.recursive) {
                locations.insert((key.clone(), format!("{location}.{name}")));
            }
        }
    }
    for (key, query) in &map.queries {
        if query == owner {
            locations.insert((key.clone(), format!("request.query.{name}")));
        }
    }
    locations
}

fn other_property_users(
    map: &LocationIndex,
    owner: &NodeRef,
    name: &str,
    users: &BTreeSet<(Key, String)>,
) -> Vec<String> {
    let all = property_locations(map, owner, name);
    let all = all.iter().filter(|user| !users.contains(*user) && !map.unspecified.contains(user));
    all.map(|(key, location)| format!("{key} {location}")).collect()
}

/// Returns the reason to reject a change of a shared node that other users do not request.
fn not_requested(node: &NodeRef, users: &[String]) -> String {
    format!("{node} is shared, and other users do not request the change: {}", abbreviate(users))
}

/// Returns how to give an enum more values at some of its locations only.
fn split_remedy(group: &Group) -> String {
    match &group.value {
        Some(Value::Array(values)) if group.keyword == "enum" => {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            format!(
                "; to split it, add a schema with enum [{}] and refer to it at the locations of the change",
                values.join(", ")
            )
        }
        _ => String::new(),
    }
}

/// Lists at most three users and the number of the others.
fn abbreviate(users: &[String]) -> String {
    match users {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}

/// Returns the locations that contain a location, outermost first.
fn ancestors(location: &str) -> impl Iterator<Item = &str> {
    let ends = location.char_indices().filter(|(_, c)| matches!(c, '.' | '[' | '{')).map(|(index, _)| index);
    ends.map(|end| &location[..end])
}

/// Adapts the references of a node that is copied from one file to another.
fn make_references_absolute(node: &mut Value, from: &str, to: &str) {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && target.starts_with('#')
                && from != to
            {
                *target = format!("{from}{target}");
            }
            map.values_mut().for_each(|value| make_references_absolute(value, from, to));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| make_references_absolute(value, from, to)),
        _ => {}
    }
}
