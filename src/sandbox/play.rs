//! One request, one answer. No I/O.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use sentinelone_raw::runtime::{Kind, Timestamp};
use serde_json::{Map, Value, json};

use crate::contract::{Contract, Found, OperationSpec};
use crate::dotted::{at, put};

use super::Sandbox;
use super::expression::Scope;
use super::select::{Condition, Meaning, meaning, order, same};
use super::tenant::Tenant;

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Vec<(String, String)>,
    pub(super) authorization: Option<&'a str>,
    pub(super) body: Body,
}

/// As much of a body as arrived.
pub(super) enum Body {
    Whole(Bytes),
    TooLong,
    Incomplete,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Reply {
    fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body }
    }

    /// A failure in the vendor's form. The codes of the statuses 400 and 401 are the vendor's, the others
    /// are made up in the same manner.
    fn failure(status: StatusCode, title: &str, details: impl IntoIterator<Item = String>) -> Self {
        let code = match status {
            StatusCode::BAD_REQUEST => 4_000_040,
            other => u32::from(other.as_u16()) * 10_000 + 10,
        };
        let entry = |detail| json!({ "code": code, "title": title, "detail": detail });
        Self { status, body: json!({ "errors": details.into_iter().map(entry).collect::<Vec<_>>() }) }
    }

    fn refusal(details: impl IntoIterator<Item = String>) -> Self {
        Self::failure(StatusCode::BAD_REQUEST, "Validation Error", details)
    }

    fn not_found(detail: String) -> Self {
        Self::failure(StatusCode::NOT_FOUND, "Not Found", [detail])
    }
}

/// Answers a request and changes the tenant as it says.
pub(super) fn play(contract: &Contract, tenant: &mut Tenant, ask: &Ask<'_>) -> Reply {
    answer(contract, tenant, ask).unwrap_or_else(|failure| failure)
}

fn answer(contract: &Contract, tenant: &mut Tenant, ask: &Ask<'_>) -> Result<Reply, Reply> {
    let token = ask.authorization.and_then(|value| value.strip_prefix("ApiToken "));
    if token != Some(Sandbox::TOKEN) {
        let detail =
            "Send the header Authorization with ApiToken, a space and the sandbox's own token".to_owned();
        return Err(Reply::failure(StatusCode::UNAUTHORIZED, "Authentication Failed", [detail]));
    }
    let Some(found) = contract.find(ask.method, ask.path) else {
        let methods = contract.methods(ask.path);
        if methods.is_empty() {
            return Err(Reply::not_found(format!("{} is not in the specification", ask.path)));
        }
        let methods: Vec<_> = methods.into_iter().collect();
        let detail = format!("{} takes {}, not {}", ask.path, methods.join(" and "), ask.method);
        return Err(Reply::failure(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", [detail]));
    };
    if !found.version.is_some_and(|version| found.operation.versions().contains(&version)) {
        let detail = format!("{} does not exist on this version of the API", found.operation.id());
        return Err(Reply::not_found(detail));
    }
    let body = match &ask.body {
        Body::Whole(bytes) if bytes.is_empty() => None,
        Body::Whole(bytes) => match serde_json::from_slice(bytes) {
            Ok(body) => Some(body),
            Err(error) => return Err(Reply::refusal([format!("request.body: it is no JSON: {error}")])),
        },
        Body::TooLong => {
            let detail = "The body is longer than 10 MB".to_owned();
            return Err(Reply::failure(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large", [detail]));
        }
        Body::Incomplete => return Err(Reply::refusal(["request.body: it broke off".to_owned()])),
    };
    let findings = contract.check_request(found.operation, &found.path_values, &ask.query, body.as_ref());
    if !findings.is_empty() {
        return Err(Reply::refusal(findings.iter().map(|f| format!("{}: {}", f.place, f.message))));
    }
    let Some(plan) = found.operation.x_s1().get("sandbox") else {
        return Err(unplayable(&format!("{} cannot be played", found.operation.id())));
    };
    let query = contract.query_to_json(found.operation, &ask.query);
    let now = Timestamp::now();
    let play = Play { contract, plan, query, body: body.unwrap_or_default(), now: now.as_str(), found };
    match play.found.operation.kind() {
        Kind::Read => play.read(tenant),
        Kind::Action => play.act(tenant),
    }
}

fn unplayable(detail: &str) -> Reply {
    let status = StatusCode::NOT_IMPLEMENTED;
    Reply::failure(status, "Not Played by the Sandbox", [detail.to_owned()])
}

/// An operation with all that is known of the request.
struct Play<'a> {
    contract: &'a Contract,
    found: Found<'a>,
    /// `x-s1.sandbox`.
    plan: &'a Value,
    query: Map<String, Value>,
    body: Value,
    now: &'a str,
}

/// Parameters that arrange a list and are no conditions on it.
const ARRANGING: &[&str] = &["limit", "skip", "cursor", "countOnly", "skipCount", "sortBy", "sortOrder"];

impl Play<'_> {
    fn operation(&self) -> &OperationSpec {
        self.found.operation
    }

    fn collection(&self) -> &str {
        self.plan.get("collection").and_then(Value::as_str).unwrap_or_default()
    }

    /// A member of the plan that maps names to something.
    fn mapping(&self, key: &str) -> Option<&Map<String, Value>> {
        self.plan.get(key)?.as_object()
    }

    fn scope<'a>(
        &'a self,
        item: &'a Value,
        set: &'a BTreeMap<String, &'static str>,
        new_id: &'a str,
    ) -> Scope<'a> {
        let Self { query, body, now, .. } = self;
        Scope { path: &self.found.path_values, query, body, item, set, now, new_id }
    }

    fn conditions(&self) -> Result<Vec<Condition>, Reply> {
        let mut conditions = Vec::new();
        let mut unknown = Vec::new();
        let mut add = |place: &str, name: &str, x_s1: &Value, value: &Value| match meaning(name, x_s1, value)
        {
            Meaning::Condition(condition) => conditions.push(condition),
            Meaning::Nothing => {}
            Meaning::Unknown => unknown.push(format!("{place}{name}")),
        };
        for (name, value) in &self.query {
            if let Some(parameter) = self.operation().query_parameter(name)
                && !ARRANGING.contains(&name.as_str())
            {
                add("", name, &parameter.x_s1, value);
            }
        }
        let schema = self.operation().body_schema();
        let filter = schema.and_then(|schema| self.contract.properties(schema).remove("filter"));
        if let (Some(schema), Some(Value::Object(filter))) = (filter, self.body.get("filter")) {
            let properties = self.contract.properties(schema);
            for (name, value) in filter {
                let x_s1 = properties.get(name.as_str()).and_then(|property| property.get("x-s1"));
                add("filter.", name, x_s1.unwrap_or(&Value::Null), value);
            }
        }
        if unknown.is_empty() {
            return Ok(conditions);
        }
        let names = unknown.join(", ");
        Err(unplayable(&format!("The specification does not say which field these look at: {names}")))
    }

    /// The positions of the things that the request selects, newest first.
    fn select(&self, tenant: &Tenant) -> Result<Vec<usize>, Reply> {
        let conditions = self.conditions()?;
        let none = BTreeMap::new();
        let scope = self.scope(&Value::Null, &none, "");
        let fixed = self.mapping("where").into_iter().flatten();
        let fixed: Vec<_> = fixed.map(|(field, value)| (field, scope.evaluate(value))).collect();
        let selected = |thing: &Value| {
            let fits = |(field, wanted): &(&String, Option<Value>)| {
                at(thing, field).zip(wanted.as_ref()).is_some_and(|(found, wanted)| same(found, wanted))
            };
            fixed.iter().all(fits) && conditions.iter().all(|condition| condition.holds(thing))
        };
        let things = tenant.things(self.collection()).iter().enumerate().rev();
        Ok(things.filter(|(_, thing)| selected(thing)).map(|(position, _)| position).collect())
    }

    fn read(&self, tenant: &Tenant) -> Result<Reply, Reply> {
        let all = tenant.things(self.collection());
        let mut selected: Vec<&Value> = self.select(tenant)?.into_iter().map(|i| &all[i]).collect();
        if let Some(counts) = self.mapping("count") {
            let count =
                |conditions: &Value| selected.iter().filter(|thing| counts_in(thing, conditions)).count();
            let counts: Map<_, _> = counts.iter().map(|(n, c)| (n.clone(), count(c).into())).collect();
            return Ok(Reply::ok(json!({ "data": counts })));
        }
        self.sort(&mut selected);
        let declared = self.operation().answer_schema(200).map(|schema| self.contract.properties(schema));
        let declared = declared.unwrap_or_default();
        if declared.get("data").and_then(|schema| self.contract.type_of(schema)) != Some("array") {
            let Some(thing) = selected.first() else {
                return Err(Reply::not_found("There is no such thing in the sandbox".to_owned()));
            };
            return Ok(Reply::ok(json!({ "data": self.shown(thing) })));
        }
        let (page, pagination) = self.page(&selected)?;
        let data: Vec<_> = page.iter().map(|thing| self.shown(thing)).collect();
        let mut answer = json!({ "data": data });
        if declared.contains_key("pagination") {
            answer["pagination"] = pagination;
        }
        Ok(Reply::ok(answer))
    }

    /// By `sortBy` where any thing has a field of that name; the order of creation otherwise.
    fn sort(&self, things: &mut [&Value]) {
        let Some(name) = self.query.get("sortBy").and_then(Value::as_str) else { return };
        let descending = self.query.get("sortOrder").and_then(Value::as_str) == Some("desc");
        things.sort_by(|one, other| {
            let order = order(named(one, name), named(other, name));
            if descending { order.reverse() } else { order }
        });
    }

    /// The part of a list that was asked for, and what to say about the rest.
    fn page<'a>(&self, things: &'a [&'a Value]) -> Result<(&'a [&'a Value], Value), Reply> {
        let flag = |name| self.query.get(name) == Some(&Value::Bool(true));
        let number = |name| self.query.get(name).and_then(Value::as_u64);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        if flag("countOnly") {
            return Ok((&[], json!({ "totalItems": things.len(), "nextCursor": null })));
        }
        let start = match self.query.get("cursor").and_then(Value::as_str) {
            Some(cursor) => read_cursor(self.operation().id(), cursor).ok_or_else(|| {
                Reply::refusal(["request.query.cursor: it is not one that this list gave out".to_owned()])
            })?,
            None => number("skip").unwrap_or_default(),
        };
        let start = size(start).min(things.len());
        let default = || {
            let parameter = self.operation().query_parameter("limit")?;
            Some(parameter.schema.get("default").and_then(Value::as_u64).unwrap_or(10))
        };
        let limit = number("limit").or_else(default).map_or(usize::MAX, size);
        let end = start.saturating_add(limit).min(things.len());
        let next = (end < things.len()).then(|| write_cursor(self.operation().id(), end));
        let mut pagination = json!({ "nextCursor": next });
        if !flag("skipCount") {
            pagination["totalItems"] = things.len().into();
        }
        Ok((&things[start..end], pagination))
    }

    /// A thing as the answer shows it.
    fn shown(&self, thing: &Value) -> Value {
        let mut shown = match self.mapping("as") {
            None => thing.clone(),
            Some(projection) => {
                let none = BTreeMap::new();
                let scope = self.scope(thing, &none, "");
                let value = |expression: &Value| match expression {
                    Value::String(path) if !path.starts_with('$') => at(thing, path).cloned(),
                    other => scope.evaluate(other),
                };
                projection.iter().filter_map(|(name, e)| Some((name.clone(), value(e)?))).collect()
            }
        };
        hide(&mut shown);
        shown
    }

    fn act(&self, tenant: &mut Tenant) -> Result<Reply, Reply> {
        let mut selected = self.select(tenant)?;
        let limit = self.body.pointer("/filter/limit").and_then(Value::as_u64);
        selected.truncate(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX));
        // What is not idempotent is done anew each time. Where the answer has no details, it could not say
        // that something was so already, and counts what the action was applied to.
        let every = self.mapping("details").is_none() || self.operation().x_s1()["idempotent"] == false;
        let (mut affected, mut details) = (0, Vec::new());
        for position in selected {
            let (changed, outcome) = self.set(tenant, position);
            let inserted = self.insert(tenant, position);
            affected += u64::from(changed || inserted || every);
            if let Some(entry) = self.mapping("details") {
                let item = tenant.things(self.collection()).get(position).unwrap_or(&Value::Null);
                let scope = self.scope(item, &outcome, "");
                let entry: Map<_, _> =
                    entry.iter().filter_map(|(name, e)| Some((name.clone(), scope.evaluate(e)?))).collect();
                details.push(Value::Object(entry));
            }
        }
        let mut answer = json!({ "data": { "affected": affected } });
        if self.plan.get("details").is_some() {
            answer["data"]["details"] = details.into();
        }
        Ok(Reply::ok(answer))
    }

    /// Sets the fields of a thing. Says whether that changed anything, and what became of each field.
    fn set(&self, tenant: &mut Tenant, position: usize) -> (bool, BTreeMap<String, &'static str>) {
        let mut outcome = BTreeMap::new();
        let (Some(fields), Some(thing)) =
            (self.mapping("set"), tenant.thing_mut(self.collection(), position))
        else {
            return (false, outcome);
        };
        let none = BTreeMap::new();
        let scope = self.scope(thing, &none, "");
        let evaluated = fields.iter().filter_map(|(field, e)| Some((field, e, scope.evaluate(e)?)));
        let evaluated: Vec<_> = evaluated.collect();
        // The time of a change is not itself a change.
        let is_time = |expression: &Value| expression.as_str() == Some("$now");
        let mut changed = false;
        for (field, expression, value) in &evaluated {
            let differs = at(thing, field) != Some(value);
            changed |= differs && !is_time(expression);
            outcome.insert((*field).clone(), if differs { "updated" } else { "already_set" });
        }
        for (field, _, value) in evaluated.into_iter().filter(|_| changed) {
            put(thing, field, value);
        }
        (changed, outcome)
    }

    /// Adds the new thing that a selected one brings forth, if the operation does that.
    fn insert(&self, tenant: &mut Tenant, position: usize) -> bool {
        let Some(Value::Object(insert)) = self.plan.get("insert") else { return false };
        let collection = insert.get("collection").and_then(Value::as_str).unwrap_or_default();
        let id = tenant.new_id();
        let item = tenant.things(self.collection()).get(position).unwrap_or(&Value::Null);
        let none = BTreeMap::new();
        let scope = self.scope(item, &none, &id);
        let mut new = json!({});
        for (field, expression) in insert.get("item").and_then(Value::as_object).into_iter().flatten() {
            if let Some(value) = scope.evaluate(expression) {
                put(&mut new, field, value);
            }
        }
        tenant.insert(collection, new);
        true
    }
}

/// Whether a thing meets the conditions of a count: fields with a value, or a list of which any will do.
fn counts_in(thing: &Value, conditions: &Value) -> bool {
    conditions.as_object().into_iter().flatten().all(|(field, wanted)| {
        at(thing, field).is_some_and(|found| match wanted {
            Value::Array(any) => any.iter().any(|wanted| same(found, wanted)),
            one => same(found, one),
        })
    })
}

/// The field of this name that lies nearest to the root and holds one value.
fn named<'a>(thing: &'a Value, name: &str) -> Option<&'a Value> {
    let mut level = vec![thing];
    while !level.is_empty() {
        let found = level.iter().filter_map(|value| value.get(name));
        if let Some(found) = found.into_iter().find(|value| !value.is_array() && !value.is_object()) {
            return Some(found);
        }
        level = level.into_iter().filter_map(Value::as_object).flat_map(Map::values).collect();
    }
    None
}

/// Takes out the fields that exist in the sandbox only.
fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.starts_with('_'));
            fields.values_mut().for_each(hide);
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

/// A position in a list with a sum over it, so that a cursor from elsewhere is found out. Positions move
/// when the selection does: a list that changes between two pages may show a thing twice or not at all.
fn write_cursor(operation: &str, position: usize) -> String {
    let position = position as u64;
    format!("{position:08x}{:08x}", sum(operation, position))
}

fn read_cursor(operation: &str, cursor: &str) -> Option<u64> {
    let (position, _) = cursor.split_at_checked(cursor.len().checked_sub(8)?)?;
    let position = u64::from_str_radix(position, 16).ok()?;
    let again = usize::try_from(position).ok()?;
    (write_cursor(operation, again) == cursor).then_some(position)
}

/// FNV-1a.
fn sum(operation: &str, position: u64) -> u32 {
    let bytes = operation.bytes().chain(position.to_be_bytes());
    bytes.fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
