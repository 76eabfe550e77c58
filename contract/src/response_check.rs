//! Check of response bodies, which does not hold the tree of a page.
//!
//! The items of a list are checked one by one: [`QuickCheck`] sorts out the items without findings, and only the others
//! are parsed. The rest of the document is checked with an empty list. The findings are those of the whole document, in the
//! same order.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::finding::{ContractRule, Finding};
use super::json_cursor::{Cursor, Unreadable};
use super::location;
use super::quick_check::{Doubts, QuickCheck};
use super::schema::{Schemas, Splice};
use super::secret_search::Search;
use super::validation::{Direction, compile, summarize, validate, validate_with};
use super::value_context::ValueContext;

#[cfg(test)]
mod tests;

/// The location of a response body.
const BODY: &str = "response.body";

/// The findings of a response body.
#[derive(Debug, Default, PartialEq)]
pub(super) struct BodyFindings {
    /// Differences from the schema.
    pub(super) schema: Vec<Finding>,
    pub(super) secrets: Vec<Finding>,
}

/// What the checks of one declared response use, prepared on first use.
#[derive(Debug, Default)]
pub(super) struct ResponseChecks {
    document: Checks,
    item: Checks,
}

#[derive(Debug, Default)]
struct Checks {
    quick: OnceLock<QuickCheck>,
    validator: OnceLock<Result<Validator, String>>,
}

/// The findings of the items of a list, by check.
#[derive(Default)]
struct BodyParts {
    schema: Vec<Finding>,
    fields: Vec<Finding>,
    secrets: Vec<Finding>,
}

/// The list of a response.
struct List<'a> {
    /// The names of the members from the root to the list.
    path: Vec<&'a str>,
    /// The schema of the items; `None` if the response is not declared.
    items: Option<&'a Value>,
}

impl Checks {
    /// Returns the quick check of a schema and its context.
    fn quick<'a>(
        &self,
        declaration: impl FnOnce() -> (Option<&'a Value>, ValueContext<'a>),
        schemas: &'a Schemas,
    ) -> &QuickCheck {
        self.quick.get_or_init(|| {
            let (schema, context) = declaration();
            QuickCheck::new(schemas, schema, &context)
        })
    }

    fn validator(&self, schema: &Value, schemas: &Schemas) -> &Result<Validator, String> {
        self.validator.get_or_init(|| compile(schemas, schema, Direction::Response))
    }
}

/// A declared response with a JSON body.
#[derive(Clone, Copy)]
pub(super) struct DeclaredBody<'a> {
    pub(super) schema: &'a Value,
    pub(super) checks: Option<&'a ResponseChecks>,
}

/// The check of one response body.
struct BodyCheck<'a> {
    schemas: &'a Schemas,
    /// The schema; `None` if the response is not declared, which has no findings but secrets.
    schema: Option<&'a Value>,
    checks: &'a ResponseChecks,
    /// The checks to run.
    wanted: Doubts,
}

/// Checks a response body; with `secrets`, also for secrets.
///
/// # Errors
/// Returns the error of `serde_json` if the body is not JSON.
pub(super) fn check_body(
    schemas: &Schemas,
    declared: Option<DeclaredBody<'_>>,
    body: &[u8],
    secrets: bool,
) -> Result<BodyFindings, serde_json::Error> {
    let own = ResponseChecks::default();
    let schema = declared.map(|declared| declared.schema);
    let checks = declared.and_then(|declared| declared.checks).unwrap_or(&own);
    let wanted = Doubts { schema: schema.is_some(), fields: schema.is_some(), secrets };
    let check = BodyCheck { schemas, schema, checks, wanted };
    if let Ok(text) = std::str::from_utf8(body)
        && let Ok(findings) = check.text(text)
    {
        return Ok(findings);
    }
    // The error of an invalid document is found without its tree.
    serde_json::from_slice::<Discarded>(body)?;
    Ok(check.tree(&serde_json::from_slice(body)?, wanted))
}

impl<'a> BodyCheck<'a> {
    fn context(&self) -> ValueContext<'a> {
        ValueContext::root(self.schemas, self.schema)
    }

    /// Checks a document. Fails if it is not JSON, or if only its tree decides.
    fn text(&self, text: &str) -> Result<BodyFindings, Unreadable> {
        let list = match self.schema {
            Some(schema) => find_list(self.schemas, schema),
            None => Some(List { path: vec!["data"], items: None }),
        };
        let quick = self.checks.document.quick(|| (self.schema, self.context()), self.schemas);
        let range = match &list {
            Some(list) => {
                let mut cursor = Cursor::new(text, 0);
                let range = list_range(&mut cursor, &list.path, 0)?;
                cursor.end()?;
                range
            }
            None => None,
        };
        let (Some(list), Some(range)) = (list, range) else {
            let doubts = quick.doubts(text)?.and(self.wanted);
            return match doubts.any() {
                true => Ok(self.tree(&serde_json::from_str(text).map_err(|_| Unreadable)?, doubts)),
                false => Ok(BodyFindings::default()),
            };
        };
        let (before, after) = (text.get(..range.start), text.get(range.end..));
        let (Some(before), Some(after)) = (before, after) else { return Err(Unreadable) };
        let doubts = quick.doubts(&format!("{before}[]{after}"))?.and(self.wanted);
        let items = self.items(&list, text, range.start)?;
        if !doubts.any() {
            let BodyParts { mut schema, fields, secrets } = items;
            schema.extend(fields);
            return Ok(BodyFindings { schema, secrets });
        }
        // The item of the list marks the position of the findings of the items. It is not an object, so it is an error.
        let envelope: Value =
            serde_json::from_str(&format!("{before}[\"\"]{after}")).map_err(|_| Unreadable)?;
        self.envelope(&envelope, &list, items)
    }

    /// Checks the items of the list that begins at this offset.
    fn items(&self, list: &List<'a>, text: &str, offset: usize) -> Result<BodyParts, Unreadable> {
        let mut context = self.context();
        let mut list_location = BODY.to_owned();
        for name in &list.path {
            context = context.field(name).0;
            location::field(&mut list_location, name);
        }
        let context = context.item();
        let mut parts = BodyParts::default();
        let mut search = Search::default();
        let depth = list.path.len() + 1;
        let quick = self.checks.item.quick(|| (list.items, context.clone()), self.schemas);
        let mut reader = quick.reader(text, offset);
        reader.cursor.expect(b'[')?;
        let mut index = 0;
        while reader.cursor.next_element(index == 0, b']')? {
            reader.cursor.peek()?;
            let start = reader.cursor.offset();
            let doubts = reader.read(depth)?.and(self.wanted);
            if doubts.any() {
                let item: Value = serde_json::from_str(reader.cursor.slice(start)).map_err(|_| Unreadable)?;
                let mut location = list_location.clone();
                location::index(&mut location, index);
                if let Some(schema) = list.items.filter(|_| doubts.schema) {
                    let validator = self.checks.item.validator(schema, self.schemas);
                    let validator = validator.as_ref().map_err(|_| Unreadable)?;
                    validate_with(validator, &item, &location, &mut parts.schema, |_, _| false);
                }
                if let Some(schema) = list.items.filter(|_| doubts.fields) {
                    self.schemas.undeclared(schema, &item, &location, None, &mut parts.fields);
                }
                if doubts.secrets {
                    search.value(&context, &item, &mut location);
                }
            }
            index += 1;
        }
        parts.secrets = search.findings;
        Ok(parts)
    }

    /// Checks a document with a placeholder as the only item of its list, and inserts the findings of the items.
    fn envelope(&self, value: &Value, list: &List<'_>, items: BodyParts) -> Result<BodyFindings, Unreadable> {
        let pointer = list.path.iter().map(|name| format!("/{name}")).collect::<String>() + "/0";
        let mut list_location = BODY.to_owned();
        list.path.iter().for_each(|name| location::field(&mut list_location, name));
        let BodyParts { schema: item_findings, fields, secrets } = items;
        let splice = |findings| Some(Splice { location: list_location.clone(), findings });
        let mut findings = Vec::new();
        if let Some(schema) = self.schema {
            let validator = self.checks.document.validator(schema, self.schemas);
            let validator = validator.as_ref().map_err(|_| Unreadable)?;
            let mut items = Some(item_findings);
            validate_with(validator, value, BODY, &mut findings, |error_pointer, findings| {
                let is_placeholder = error_pointer.starts_with(&pointer);
                if is_placeholder {
                    findings.extend(items.take().into_iter().flatten());
                }
                is_placeholder
            });
            if items.is_some() {
                return Err(Unreadable);
            }
            self.schemas.undeclared(schema, value, BODY, splice(fields), &mut findings);
            report_deprecation(&mut findings, value);
        }
        let mut search = Search { splice: splice(secrets), ..Search::default() };
        if self.wanted.secrets {
            search.value(&self.context(), value, &mut BODY.to_owned());
        }
        Ok(BodyFindings { schema: findings, secrets: search.findings })
    }

    /// Checks a document in the form of a tree.
    fn tree(&self, value: &Value, doubts: Doubts) -> BodyFindings {
        let mut findings = Vec::new();
        if let Some(schema) = self.schema {
            let validator = self.checks.document.validator(schema, self.schemas);
            validate(validator, value, BODY, &mut findings);
            self.schemas.undeclared(schema, value, BODY, None, &mut findings);
            report_deprecation(&mut findings, value);
        }
        let mut search = Search::default();
        if doubts.secrets {
            search.value(&self.context(), value, &mut BODY.to_owned());
        }
        BodyFindings { schema: findings, secrets: search.findings }
    }
}

/// Changes the rule of undeclared fields that announce the end of an operation.
fn report_deprecation(findings: &mut [Finding], body: &Value) {
    for finding in findings {
        let name = finding.location.strip_prefix("response.body.");
        let name = name.filter(|name| matches!(*name, "deprecation_date" | "sunset_date"));
        if let Some(name) = name.filter(|_| finding.rule == ContractRule::UndeclaredField) {
            finding.message =
                format!("the console announces {}", summarize(body.get(name).unwrap_or(&Value::Null)));
            finding.rule = ContractRule::Deprecation;
        }
    }
}

/// Returns the list of a response: `data`, or the only list in `data`. Returns `None` if the findings of its items are not
/// independent of each other and of the rest of the document.
fn find_list<'a>(schemas: &'a Schemas, schema: &'a Value) -> Option<List<'a>> {
    let (data, schema) = only_property(schemas, schema, |name, _| name == "data")?;
    let (path, list) = match schemas.type_of(schema)? {
        "array" => (vec![data], schema),
        _ => {
            let is_array = |_: &str, schema| schemas.type_of(schema) == Some("array");
            let (name, list) = only_property(schemas, schema, is_array)?;
            (vec![data, name], list)
        }
    };
    let parts = plain_parts(schemas, list)?;
    let is_bounded =
        |part: &&Value| ["minItems", "maxItems", "uniqueItems"].iter().any(|key| part.get(key).is_some());
    if parts.iter().any(is_bounded) {
        return None;
    }
    let mut items = parts.iter().filter_map(|part| part.get("items"));
    let (Some(items), None) = (items.next(), items.next()) else { return None };
    let is_object = |part: &Value| part.get("type").is_some_and(|kind| kind == "object");
    plain_parts(schemas, items)?.into_iter().any(is_object).then_some(List { path, items: Some(items) })
}

/// Returns the only property of an object schema that fits.
fn only_property<'a>(
    schemas: &'a Schemas,
    schema: &'a Value,
    fits: impl Fn(&str, &'a Value) -> bool,
) -> Option<(&'a str, &'a Value)> {
    let parts = plain_parts(schemas, schema)?;
    let properties = parts.into_iter().filter_map(|part| part.get("properties")?.as_object()).flatten();
    let mut found = properties.filter(|(name, schema)| fits(name, schema));
    match (found.next(), found.next()) {
        // Other names are escaped in a JSON pointer.
        (Some((name, schema)), None) if !name.contains(['/', '~']) => Some((name, schema)),
        _ => None,
    }
}

/// Returns the parts of a schema that has no alternatives.
fn plain_parts<'a>(schemas: &'a Schemas, schema: &'a Value) -> Option<Vec<&'a Value>> {
    let parts = schemas.parts(schema);
    let has_alternatives =
        |part: &&Value| ["anyOf", "oneOf", "not", "enum"].iter().any(|key| part.get(key).is_some());
    (!parts.iter().any(has_alternatives)).then_some(parts)
}

/// Returns the position of the list at a path; `None` if the document has no list there, or repeats a name of
/// the path.
fn list_range(
    cursor: &mut Cursor<'_>,
    path: &[&str],
    depth: usize,
) -> Result<Option<Range<usize>>, Unreadable> {
    let kind = cursor.peek()?;
    let start = cursor.offset();
    let Some((name, rest)) = path.split_first().filter(|_| kind == b'{') else {
        cursor.skip_value(depth)?;
        return Ok((kind == b'[' && path.is_empty()).then_some(start..cursor.offset()));
    };
    cursor.expect(b'{')?;
    let mut found = Vec::new();
    let mut is_first = true;
    while cursor.next_element(is_first, b'}')? {
        is_first = false;
        if cursor.name()?.unescape()? == *name {
            found.push(list_range(cursor, rest, depth + 1)?);
        } else {
            cursor.skip_value(depth + 1)?;
        }
    }
    Ok(match found.as_mut_slice() {
        [one] => one.take(),
        _ => None,
    })
}

/// A value that is parsed like a [`Value`], with the same errors, and not kept.
struct Discarded;

impl<'de> Deserialize<'de> for Discarded {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        de.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Discarded {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<String, Self>()?.is_some() {}
        Ok(self)
    }
}
