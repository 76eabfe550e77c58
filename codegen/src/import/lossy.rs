//! Documents that were put together from something else, and have lost some of it.
//!
//! A [`Profile`] names the kinds of loss. What is lost is taken from the specification at hand, so that a difference
//! is one that the document can know of. What a document still says, counts: a `nullable` that is there is a fact.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde_json::{Value, json};

use crate::surface::{Node, Surface};

/// A kind of loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Null is declared for some fields only.
    Nullability,
    /// No bounds of numbers, texts and lists, and some that are guesses.
    Bounds,
    /// No formats other than those of times.
    Formats,
    /// No values of enums in parameters.
    ParameterEnums,
    /// An integer may be called a number.
    IntegerOrNumber,
    /// A value of any type may be called an object, and the other way round.
    ObjectOrAny,
    /// One answer alone, under 200, and errors that are guesses.
    Statuses,
    /// Some defaults only.
    Defaults,
    /// Nothing of what is read-only or write-only.
    ReadOnly,
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Nullability,
        Self::Bounds,
        Self::Formats,
        Self::ParameterEnums,
        Self::IntegerOrNumber,
        Self::ObjectOrAny,
        Self::Statuses,
        Self::Defaults,
        Self::ReadOnly,
    ];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nullability => "nullability",
            Self::Bounds => "bounds",
            Self::Formats => "formats",
            Self::ParameterEnums => "parameter-enums",
            Self::IntegerOrNumber => "integer-or-number",
            Self::ObjectOrAny => "object-or-any",
            Self::Statuses => "statuses",
            Self::Defaults => "defaults",
            Self::ReadOnly => "read-only",
        }
    }
}

/// What a document has lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The kinds.
    pub losses: BTreeSet<Loss>,
    /// The name, where it has one.
    pub name: Option<&'static str>,
}

/// The profile of a document that was put together from a client that swagger-codegen wrote for JavaScript.
pub const JAVASCRIPT_CLIENT: &str = "javascript-client";

impl Profile {
    /// The one of reconstructions from a client in JavaScript, which loses everything that is known here.
    pub fn javascript_client() -> Self {
        Self { losses: Loss::ALL.into(), name: Some(JAVASCRIPT_CLIENT) }
    }

    /// The profile that a document asks for: one that names what the client called its parts is a reconstruction.
    pub fn of(document: &Value) -> Self {
        let marked = ["/paths", "/components/schemas"].iter().any(|part| {
            let all = document.pointer(part).and_then(Value::as_object);
            all.is_some_and(|all| all.values().any(marked))
        });
        if marked { Self::javascript_client() } else { Self::default() }
    }
}

/// Whether a node, or an operation in it, says what a client in JavaScript called it.
fn marked(node: &Value) -> bool {
    let has = |node: &Value| node.get("x-js-name").is_some();
    has(node) || node.as_object().is_some_and(|map| map.values().any(has))
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            JAVASCRIPT_CLIENT => return Ok(Self::javascript_client()),
            "none" => return Ok(Self::default()),
            _ => {}
        }
        let mut losses = BTreeSet::new();
        for name in text.split(',').map(str::trim) {
            let Some(loss) = Loss::ALL.into_iter().find(|loss| loss.as_str() == name) else {
                let names = Loss::ALL.map(Loss::as_str).join(", ");
                return Err(format!(
                    "{name:?} is no loss; there are {names}, and the profiles {JAVASCRIPT_CLIENT} and none"
                ));
            };
            losses.insert(loss);
        }
        Ok(Self { losses, name: None })
    }
}

const BOUNDS: [&str; 8] =
    ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "pattern"];

/// Puts what `theirs` has lost in from `ours`, and counts it by kind.
pub fn restore(profile: &Profile, theirs: &mut Surface, ours: &Surface) -> BTreeMap<Loss, usize> {
    let mut counts = BTreeMap::new();
    for (key, operation) in &mut theirs.operations {
        let Some(known) = ours.operations.get(key) else { continue };
        if profile.losses.contains(&Loss::Statuses) {
            let count = statuses(&mut operation.places, &known.places);
            *counts.entry(Loss::Statuses).or_default() += count;
        }
        if profile.losses.contains(&Loss::ObjectOrAny) {
            let count = anything(&mut operation.places, &known.places);
            *counts.entry(Loss::ObjectOrAny).or_default() += count;
        }
        for (place, node) in &mut operation.places {
            let Some(own) = known.places.get(place) else { continue };
            for loss in &profile.losses {
                *counts.entry(*loss).or_default() += usize::from(settle(*loss, place, node, own));
            }
        }
    }
    counts.retain(|_, count| *count > 0);
    counts
}

/// Settles a kind of loss at a place; whether anything was.
fn settle(loss: Loss, place: &str, node: &mut Node, own: &Node) -> bool {
    let before = node.facts.clone();
    let fact = |node: &mut Node, name: &'static str| match own.facts.get(name) {
        Some(value) => drop(node.facts.insert(name, value.clone())),
        None => drop(node.facts.remove(name)),
    };
    let parameter = place.starts_with("request.query.") || place.starts_with("request.path.");
    match loss {
        Loss::Nullability if !node.facts.contains_key("nullable") => fact(node, "nullable"),
        Loss::Bounds => BOUNDS.into_iter().for_each(|name| fact(node, name)),
        Loss::Formats if !node.facts.contains_key("format") => fact(node, "format"),
        Loss::ParameterEnums if parameter && node.marks.contains("x-enum-lost") => fact(node, "enum"),
        Loss::IntegerOrNumber
            if node.facts.get("type") == Some(&json!("number"))
                && own.facts.get("type") == Some(&json!("integer")) =>
        {
            fact(node, "type");
        }
        Loss::Defaults => fact(node, "default"),
        Loss::ReadOnly => ["readOnly", "writeOnly"].into_iter().for_each(|name| fact(node, name)),
        _ => {}
    }
    node.facts != before
}

type Places = BTreeMap<String, Node>;

/// All answers but the success: those of `own`. The success takes the status that it has there.
fn statuses(places: &mut Places, own: &Places) -> usize {
    let success = |places: &Places| {
        let all = places.keys().filter_map(|place| status(place)).find(|status| status.starts_with('2'));
        all.map(str::to_owned)
    };
    let (Some(here), Some(there)) = (success(places), success(own)) else { return 0 };
    let mut count = 0;
    let mut new = Places::new();
    for (place, node) in std::mem::take(places) {
        match status(&place) {
            Some(status) if status == here => {
                count += usize::from(here != there);
                let rest = place.strip_prefix(&format!("response.{here}")).unwrap_or_default().to_owned();
                new.insert(format!("response.{there}{rest}"), node);
            }
            Some(_) => {}
            None => drop(new.insert(place, node)),
        }
    }
    for (place, node) in own {
        if status(place).is_some_and(|status| status != there) {
            count += 1;
            new.insert(place.clone(), node.clone());
        }
    }
    *places = new;
    count
}

/// The status of a place in an answer.
fn status(place: &str) -> Option<&str> {
    place.strip_prefix("response.")?.split(['.', '[', '{']).next()
}

/// Where an object without members may be anything: what `own` has there.
fn anything(places: &mut Places, own: &Places) -> usize {
    let free: Vec<String> = places
        .iter()
        .filter(|(place, node)| {
            let kind = node.facts.get("type");
            let unknown = node.marks.contains("x-object-or-any") || kind == Some(&json!("object"));
            unknown && !places.range(format!("{place}.")..).next().is_some_and(|(next, _)| below(next, place))
        })
        .map(|(place, _)| place.clone())
        .collect();
    let mut count = 0;
    for place in free {
        let Some(known) = own.get(&place) else { continue };
        let Some(node) = places.get_mut(&place) else { continue };
        if !node.marks.contains("x-object-or-any")
            && known.facts.get("type").is_some_and(|kind| kind != "object")
        {
            continue;
        }
        for name in ["type", "enum", "additionalProperties"] {
            match known.facts.get(name) {
                Some(value) => drop(node.facts.insert(name, value.clone())),
                None => drop(node.facts.remove(name)),
            }
        }
        count += 1;
        let children = own.iter().filter(|(other, _)| below(other, &place));
        for (other, node) in children {
            places.entry(other.clone()).or_insert_with(|| node.clone());
        }
    }
    count
}

/// Whether a place is inside of another.
pub(super) fn below(place: &str, outer: &str) -> bool {
    place.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[', '{']))
}
