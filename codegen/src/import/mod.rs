//! From a document of the vendor to `spec/`.
//!
//! The operations of `spec/operations.toml` are taken out of the document ([`extract`]), the corrections of
//! `spec/overlays/` are applied ([`corrections`]), and what then differs from `spec/`, place by place, is what the
//! vendor has changed, or what nobody has explained yet. Conventions of `spec/README.md` are no differences
//! ([`conventions`]), and neither is what a lossy document cannot know ([`lossy`]).

pub mod accepted;
pub mod changes;
pub mod corrections;
pub mod lossy;
pub mod operations;
pub mod report;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::document::{Document, Quirk, extract};
use crate::facts::{OperationFacts, Source};
use crate::rewrite::{self, Change, Silent};
use crate::sources::Sources;
use crate::surface::{Facts, Key, Surface};
use crate::{Error, Result, facts, surface};
use accepted::{Accepted, Moved};
use corrections::Overlay;
use lossy::{Loss, Profile};
use operations::Operations;

/// What a document says of our operations, beside what `spec/` says.
#[derive(Debug)]
pub struct Import {
    /// What the document was: `Swagger 2.0`.
    pub format: String,
    /// How many operations it has.
    pub operations: usize,
    /// What was odd in it, and how often.
    pub quirks: BTreeMap<Quirk, usize>,
    /// What it has lost.
    pub profile: Profile,
    /// What was taken from `spec/` for that, and how often.
    pub restored: BTreeMap<Loss, usize>,
    /// What the corrections did.
    pub corrections: Vec<Correction>,
    /// Corrections that match nothing in a document that should have what they correct.
    pub unmatched: Option<Error>,
    /// Where the document says something else than when somebody last looked, behind a correction or evidence.
    pub moved: Vec<Moved>,
    /// What it says there.
    pub accepted: Accepted,
    /// What differs and has no explanation.
    pub differences: Vec<Difference>,
    /// What differs and has evidence in `spec/`.
    pub explained: Vec<Difference>,
    /// Listed operations that `spec/` does not have yet and the document has.
    pub new: Vec<String>,
    /// What `spec/` says, without what conventions settle.
    pub ours: Surface,
    /// What the document says after its corrections, likewise.
    pub theirs: Surface,
    /// The operations of the document after its corrections, as OpenAPI 3.0 without references.
    pub corrected: Value,
}

/// What a correction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The file of the overlay.
    pub file: String,
    /// The target.
    pub target: String,
    /// What it corrects.
    pub description: String,
    /// How many places it found.
    pub matched: usize,
    /// How many of them it changed: none means that the document says so itself by now.
    pub changed: usize,
}

/// A place where document and `spec/` differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Our identifier of the operation.
    pub id: String,
    /// The operation.
    pub key: Key,
    /// The place; empty for the operation itself.
    pub place: String,
    /// What differs.
    pub what: What,
}

/// How a place differs.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// `spec/` alone has it.
    Ours,
    /// The document alone has it.
    Theirs,
    /// They say different things.
    Fact {
        /// The keyword.
        name: &'static str,
        /// What `spec/` says.
        ours: Option<Value>,
        /// What the document says.
        theirs: Option<Value>,
    },
}

/// Looks at a document.
///
/// # Errors
/// When `spec/` cannot be read, or a correction aims at what cannot be corrected.
pub fn look(spec: &Path, document: Document, profile: Option<Profile>) -> Result<Import> {
    let bundle = Bundle::read(spec)?;
    let listed = operations::read(spec)?;
    let overlays = corrections::read(spec)?;
    compare(&bundle, &listed, &overlays, &Accepted::read(spec)?, document, profile)
}

/// The same, with everything that `spec/` holds at hand.
///
/// # Errors
/// When a correction aims at what cannot be corrected.
pub fn compare(
    bundle: &Bundle,
    listed: &Operations,
    overlays: &[Overlay],
    accepted: &Accepted,
    document: Document,
    profile: Option<Profile>,
) -> Result<Import> {
    let profile = profile.unwrap_or_else(|| Profile::of(&document.value));
    let names = listed.iter().map(|(id, one)| (one.key(), (one.path.clone(), id.clone()))).collect();
    let mut corrected = extract(&document.value, &names)?;
    let count = |paths: &Value| -> usize {
        let methods = |item: &Value| {
            crate::bundle::METHODS.iter().filter(|method| item.get(**method).is_some()).count()
        };
        paths.as_object().into_iter().flat_map(|paths| paths.values()).map(methods).sum()
    };

    let applied = corrections::apply(overlays, &mut corrected)?;
    // What is not there may be what was lost, or went with its operation, which is a difference itself.
    let absent: Vec<_> = bundle
        .operations()
        .filter(|one| corrected["paths"][one.path].get(one.method).is_none())
        .filter(|one| documented(bundle, &Key::new(one.method, one.path)))
        .collect();
    let excused = |one: &corrections::Applied<'_>| {
        !profile.losses.is_empty() || absent.iter().any(|gone| one.action.concerns(gone.method, gone.path))
    };
    let unmatched = corrections::unmatched(applied.iter().filter(|one| !excused(one)));
    let before =
        applied.iter().map(|one| (format!("{} {}", one.file, one.action.target), one.before.clone()));
    let before = before.collect();
    let corrections = applied
        .iter()
        .map(|one| Correction {
            file: one.file.to_owned(),
            target: one.action.target.clone(),
            description: one.action.description.clone(),
            matched: one.matched,
            changed: one.changed,
        })
        .collect();

    let mut ours = Surface::of(&bundle.document);
    let mut theirs = Surface::of(&corrected);
    conventions(&mut ours);
    conventions(&mut theirs);
    let restored = lossy::restore(&profile, &mut theirs, &ours);
    without_bodies(&mut theirs, &ours);

    let (mut differences, mut explained, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for (id, one) in listed {
        let key = one.key();
        let whole = |what| Difference { id: id.clone(), key: key.clone(), place: String::new(), what };
        match (ours.operations.get(&key), theirs.operations.get(&key)) {
            (None, Some(_)) => new.push(id.clone()),
            (None, None) => differences.push(whole(What::Ours)),
            (Some(_), None) if documented(bundle, &key) => differences.push(whole(What::Ours)),
            (Some(_), None) => explained.push(whole(What::Ours)),
            (Some(ours), Some(theirs)) => {
                differences.extend(facts_of(&ours.facts, &theirs.facts).into_iter().map(whole));
                for (place, what, evidence) in places(&ours.places, &theirs.places) {
                    let one = Difference { id: id.clone(), key: key.clone(), place, what };
                    if evidence { explained.push(one) } else { differences.push(one) }
                }
            }
        }
    }
    let now = Accepted { corrections: before, explained: explained.iter().map(noted).collect() };
    let moved = accepted.moved(&now, profile.losses.is_empty());
    Ok(Import {
        unmatched,
        moved,
        accepted: now,
        format: document.format,
        operations: count(&document.value["paths"]),
        quirks: document.quirks,
        profile,
        restored,
        corrections,
        differences,
        explained,
        new,
        ours,
        theirs,
        corrected,
    })
}

/// An explained difference as a line.
fn noted(one: &Difference) -> (String, String) {
    match &one.what {
        What::Ours => (one.name(), "nothing".to_owned()),
        What::Theirs => (one.name(), "something".to_owned()),
        What::Fact { name, theirs, .. } => {
            (format!("{} {name}", one.name()), accepted::brief(theirs.as_ref()))
        }
    }
}

/// An error without a body is one whose body the document does not tell: the one that we know.
fn without_bodies(theirs: &mut Surface, ours: &Surface) {
    for (key, operation) in &mut theirs.operations {
        let Some(known) = ours.operations.get(key) else { continue };
        let bare: Vec<String> = operation
            .places
            .iter()
            .filter(|(place, node)| place.starts_with("response.") && node.facts.is_empty())
            .filter(|(place, _)| !place.starts_with("response.2") && !place.contains(['[', '{']))
            .filter(|(place, _)| place.matches('.').count() == 1)
            .map(|(place, _)| place.clone())
            .collect();
        for place in bare {
            let inside = known.places.iter().filter(|(one, _)| **one == place || lossy::below(one, &place));
            operation.places.extend(inside.map(|(place, node)| (place.clone(), node.clone())));
        }
    }
}

/// Whether `spec/` says that it has the operation from a document of the vendor.
fn documented(bundle: &Bundle, key: &Key) -> bool {
    let operation = bundle.operations().find(|one| Key::new(one.method, one.path) == *key);
    let facts: Option<OperationFacts> = operation.and_then(|one| facts::of_operation(one.node).ok());
    facts.is_some_and(|facts| facts.evidence.iter().any(|one| one.source == Source::VendorDocument))
}

/// What became of writing an import.
#[derive(Debug, Default)]
pub struct Written {
    /// Files of `spec/` that changed.
    pub files: Vec<String>,
    /// What was changed, as sentences.
    pub done: Vec<String>,
    /// What people have to settle, as sentences with the reason.
    pub left: Vec<String>,
    /// What is new and described by its name alone.
    pub undescribed: Vec<String>,
}

/// Makes `spec/` say what the document says, as far as a program can; `date` is the month of the document.
///
/// # Errors
/// When `spec/` cannot be read or written, or would break one of its rules. Nothing is written then.
pub fn write(spec: &Path, import: &Import, date: &str) -> Result<Written> {
    let listed = operations::read(spec)?;
    let mut sources = Sources::read(spec)?;
    let (changes, left) = changes::changes(import, &listed, date);
    let report = apply(&mut sources, changes, &silent(import), date)?;
    let name = |change: &Change| changes::name(import, change);
    // Many places may be left for one reason.
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    let refused = report.refused.iter().map(|(change, reason)| (name(change), reason.clone()));
    for (name, reason) in left.into_iter().map(|(one, reason)| (one.name(), reason)).chain(refused) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let left = reasons.into_iter().map(|(reason, names)| format!("{}: {reason}", names.join("; "))).collect();
    let done = report.done.iter().map(|one| {
        let notes: String = one.notes.iter().map(|note| format!("; {note}")).collect();
        format!("{}: {}{notes}", name(&one.change), one.at)
    });
    let done = done.collect();
    Ok(Written { files: sources.write(spec)?, done, left, undescribed: report.undescribed })
}

/// What the document has no say about: operations that it does not have, and what evidence explains.
fn silent(import: &Import) -> Silent {
    let absent = import.ours.operations.keys().filter(|key| !import.theirs.operations.contains_key(*key));
    let explained = import.explained.iter().map(|one| (one.key.clone(), one.place.clone()));
    Silent { operations: absent.cloned().collect(), places: explained.collect() }
}

/// Makes the changes; where they break a rule together, those that break none.
fn apply(
    sources: &mut Sources,
    changes: Vec<Change>,
    silent: &Silent,
    date: &str,
) -> Result<rewrite::Report> {
    let whole = match rewrite::apply_beside(sources, changes.clone(), silent, date) {
        Err(Error::Lint(_) | Error::Spec { .. } | Error::Generator(_)) => None,
        done => Some(done),
    };
    if let Some(done) = whole {
        return done;
    }
    // What several places ask for stays together.
    let mut groups: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for change in changes {
        groups.entry(changes::kind(&change)).or_default().push(change);
    }
    let mut all = rewrite::Report::default();
    for group in groups.into_values() {
        match rewrite::apply_beside(sources, group.clone(), silent, date) {
            Ok(report) => {
                all.done.extend(report.done);
                all.refused.extend(report.refused);
                all.undescribed.extend(report.undescribed);
            }
            Err(error) => {
                let reason = error.to_string();
                all.refused.extend(group.into_iter().map(|change| (change, reason.clone())));
            }
        }
    }
    Ok(all)
}

impl Import {
    /// Whether nothing is left to look at.
    pub fn is_settled(&self) -> bool {
        self.differences.is_empty()
            && self.new.is_empty()
            && self.moved.is_empty()
            && self.unmatched.is_none()
    }
}

impl Difference {
    /// Operation and place.
    pub fn name(&self) -> String {
        if self.place.is_empty() { self.id.clone() } else { format!("{} {}", self.id, self.place) }
    }
}

type Places = BTreeMap<String, surface::Node>;

/// The places that differ, with whether evidence explains it. Of what one side alone has, the outermost place.
fn places(ours: &Places, theirs: &Places) -> Vec<(String, What, bool)> {
    let mut found = Vec::new();
    let mut outermost: Vec<&str> = Vec::new();
    for (place, node) in ours {
        if outermost.iter().any(|outer| lossy::below(place, outer)) {
            continue;
        }
        let Some(other) = theirs.get(place) else {
            // Evidence of a list is about its elements too.
            let list = place.strip_suffix("[]").and_then(|list| ours.get(list));
            let evidence = node.evidence || list.is_some_and(|list| list.evidence);
            found.push((place.clone(), What::Ours, evidence));
            outermost.push(place);
            continue;
        };
        for what in facts_of(&node.facts, &other.facts) {
            let evidence = node.evidence && more(&what);
            found.push((place.clone(), what, evidence));
        }
    }
    outermost.clear();
    for place in theirs.keys() {
        if outermost.iter().any(|outer| lossy::below(place, outer)) {
            continue;
        }
        if !ours.contains_key(place) {
            found.push((place.clone(), What::Theirs, false));
            outermost.push(place);
        }
    }
    found
}

/// The facts that differ.
fn facts_of(ours: &Facts, theirs: &Facts) -> Vec<What> {
    let names = ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
    let differs = names.filter_map(|name| {
        let (here, there) = (ours.get(name), theirs.get(name));
        let what = || What::Fact { name, ours: here.cloned(), theirs: there.cloned() };
        (!same(name, here, there)).then(what)
    });
    differs.collect()
}

/// Whether ours adds to what the document says and contradicts none of it: what the document says anew is never
/// explained by what was found out before.
fn more(what: &What) -> bool {
    let values =
        |value: &Option<Value>| value.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    match what {
        What::Fact { theirs: None, .. } => true,
        What::Fact { name: "enum", ours, theirs } => {
            values(theirs).iter().all(|value| values(ours).contains(value))
        }
        _ => false,
    }
}

/// Whether two facts say the same: the order of an enum's values says nothing.
fn same(name: &str, ours: Option<&Value>, theirs: Option<&Value>) -> bool {
    let set = |value: Option<&Value>| {
        let mut values: Vec<String> =
            value.and_then(Value::as_array).into_iter().flatten().map(Value::to_string).collect();
        values.sort();
        values
    };
    match name {
        "enum" => ours.is_some() == theirs.is_some() && set(ours) == set(theirs),
        _ => ours == theirs,
    }
}

/// What `spec/` does not say of an answer.
const NOT_READ: [&str; 13] = [
    "required",
    "readOnly",
    "writeOnly",
    "default",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
];

/// Takes out what `spec/README.md` settles for every operation, so that it is no difference:
///
/// - texts are the project's own, and so are the facts of `x-s1`;
/// - nothing in an answer is required, bounded, or read-only, and nothing has a default there;
/// - whether a parameter may be null says nothing: it is sent or not;
/// - a body is sent where one is declared;
/// - the media type of an error is that of all errors;
/// - elements of lists are not null, and an object without properties is free.
pub fn conventions(surface: &mut Surface) {
    const TEXTS: [&str; 5] = ["description", "title", "secret", "selects", "unresolved"];
    for operation in surface.operations.values_mut() {
        operation.facts.retain(|name, _| *name == "security" || *name == "deprecated");
        for (place, node) in &mut operation.places {
            let facts = &mut node.facts;
            facts.retain(|name, _| !TEXTS.contains(name));
            if place.starts_with("response.") {
                facts.retain(|name, _| !NOT_READ.contains(name));
            }
            if place.starts_with("request.path.")
                || place.starts_with("request.query.")
                || place.ends_with("[]")
            {
                facts.remove("nullable");
            }
            if place == "request.body" {
                facts.remove("required");
            }
            // Swagger says it of all answers of an operation at once, and means the success.
            if place.starts_with("response.") && !place.starts_with("response.2") {
                facts.remove("media");
            }
            if facts.get("additionalProperties") == Some(&json!(true)) {
                facts.remove("additionalProperties");
            }
        }
    }
}
