//! One request, one answer. No I/O.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use percent_encoding::percent_decode_str;
use sentinelone_raw::runtime::{Kind, Timestamp};
use serde_json::{Map, Value, json};

use crate::contract::{Contract, Found, OperationSpec};
use crate::dotted::{at, put};

use super::Sandbox;
use super::expression::{FILES, Scope};
use super::files;
use super::select::{Condition, Meaning, meaning, order, same};
use super::tenant::Tenant;

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Vec<(String, String)>,
    pub(super) authorization: Option<&'a str>,
    /// Where the sandbox is, as the client calls it.
    pub(super) origin: String,
    pub(super) body: Body,
}

/// As much of a body as arrived.
pub(super) enum Body {
    Whole(Bytes),
    TooLong,
    Incomplete,
}

/// The title of the refusal of something that is there already.
const EXISTS: &str = "Already Exists Error";

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Answer,
}

/// What an answer holds.
#[derive(Debug)]
pub(super) enum Answer {
    Json(Value),
    Zip(Vec<u8>),
}

impl Reply {
    fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Answer::Json(body) }
    }

    fn data(data: Value) -> Self {
        Self::ok(json!({ "data": data }))
    }

    fn zip(entries: &Value, password: Option<&str>) -> Result<Self, Self> {
        let failed = |error| {
            let detail = format!("The archive cannot be written: {error}");
            Self::failure(StatusCode::INTERNAL_SERVER_ERROR, "Internal Error", [detail])
        };
        let bytes = files::zip(entries, password).map_err(failed)?;
        Ok(Self { status: StatusCode::OK, body: Answer::Zip(bytes) })
    }

    /// A failure in the vendor's form. The codes of the statuses 400 and 401 are the vendor's, the others
    /// are made up in the same manner.
    fn failure(status: StatusCode, title: &str, details: impl IntoIterator<Item = String>) -> Self {
        let code = match (status, title) {
            (StatusCode::BAD_REQUEST, EXISTS) => 4_000_030,
            (StatusCode::BAD_REQUEST, _) => 4_000_040,
            (other, _) => u32::from(other.as_u16()) * 10_000 + 10,
        };
        let entry = |detail| json!({ "code": code, "title": title, "detail": detail });
        let details = details.into_iter();
        Self { status, body: Answer::Json(json!({ "errors": details.map(entry).collect::<Vec<_>>() })) }
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
    if let Some(file) = ask.path.strip_prefix(FILES) {
        let file = percent_decode_str(file).decode_utf8_lossy();
        let file: Value = serde_json::from_str(&file).unwrap_or_default();
        return Reply::zip(&file["entries"], None);
    }
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
    let request_id = tenant.new_id();
    let play = Play {
        contract,
        plan,
        query,
        body: body.unwrap_or_default(),
        now: now.as_str(),
        origin: &ask.origin,
        request_id: &request_id,
        found,
    };
    play.needs(tenant)?;
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
    origin: &'a str,
    request_id: &'a str,
}

/// What is known of a thing whose fields are not asked to be set.
static NOTHING_SET: BTreeMap<String, &'static str> = BTreeMap::new();

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

    /// What expressions see when they are about nothing in particular.
    fn scope<'a>(&'a self, tenant: &'a Tenant) -> Scope<'a> {
        let Self { query, body, now, origin, request_id, .. } = self;
        Scope {
            path: &self.found.path_values,
            query,
            body,
            now,
            origin,
            request_id,
            tenant,
            item: &Value::Null,
            each: &Value::Null,
            new_id: "",
            set: &NOTHING_SET,
            result: &Value::Null,
            affected: 0,
            selected: &[],
        }
    }

    /// Refuses when something that has to be there is not.
    fn needs(&self, tenant: &Tenant) -> Result<(), Reply> {
        let Some(needs) = self.plan.get("needs") else { return Ok(()) };
        let collection = needs.get("collection").and_then(Value::as_str).unwrap_or_default();
        let fixed = self.fixed(tenant, needs.get("where"));
        if tenant.things(collection).iter().any(|thing| fits(thing, &fixed)) {
            return Ok(());
        }
        let message = needs.get("message").and_then(Value::as_str).unwrap_or_default();
        Err(Reply::refusal([message.to_owned()]))
    }

    /// The conditions of a `where`. One whose value the request does not give is none.
    fn fixed(&self, tenant: &Tenant, conditions: Option<&Value>) -> Vec<(String, Value)> {
        let scope = self.scope(tenant);
        let conditions = conditions.and_then(Value::as_object).into_iter().flatten();
        conditions.filter_map(|(field, value)| Some((field.clone(), scope.evaluate(value)?))).collect()
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
        // What the path names needs no filter: one that is there says where it belongs to.
        let schema = self.operation().body_schema().filter(|_| !self.names_one());
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
        let fixed = self.fixed(tenant, self.plan.get("where"));
        let selected =
            |thing: &Value| fits(thing, &fixed) && conditions.iter().all(|condition| condition.holds(thing));
        let things = tenant.things(self.collection()).iter().enumerate().rev();
        Ok(things.filter(|(_, thing)| selected(thing)).map(|(position, _)| position).collect())
    }

    /// Whether the request names one thing in its path.
    fn names_one(&self) -> bool {
        let conditions = self.mapping("where").into_iter().flatten();
        conditions.into_iter().any(|(_, e)| e.as_str().is_some_and(|text| text.starts_with("$path.")))
    }

    fn read(&self, tenant: &mut Tenant) -> Result<Reply, Reply> {
        let positions = self.select(tenant)?;
        let reply = self.reply(tenant, &positions);
        let refused = reply.as_ref().is_err_and(|reply| reply.status == StatusCode::BAD_REQUEST);
        if !refused {
            tenant.advance(self.collection(), &positions);
        }
        reply
    }

    fn reply(&self, tenant: &Tenant, positions: &[usize]) -> Result<Reply, Reply> {
        let all = tenant.things(self.collection());
        let there = |thing: &&Value| thing.get("_after").and_then(Value::as_u64).unwrap_or_default() == 0;
        let mut selected: Vec<&Value> = positions.iter().map(|i| &all[*i]).filter(there).collect();
        let scope = Scope { selected: &selected, ..self.scope(tenant) };
        if self.collection().is_empty() {
            let answer = self.plan.get("answer").and_then(|answer| scope.evaluate(answer));
            return Ok(Reply::data(answer.unwrap_or_default()));
        }
        if let Some(counts) = self.mapping("count") {
            let count =
                |conditions: &Value| selected.iter().filter(|thing| counts_in(thing, conditions)).count();
            let counts: Map<_, _> = counts.iter().map(|(n, c)| (n.clone(), count(c).into())).collect();
            return Ok(Reply::data(counts.into()));
        }
        if let Some(lists) = self.mapping("collect") {
            let mut data = json!({});
            for (place, item) in lists {
                let items = selected.iter().filter_map(|thing| Scope { item: thing, ..scope }.evaluate(item));
                put(&mut data, place, items.collect());
            }
            return Ok(Reply::data(data));
        }
        let missing = || Reply::not_found("There is no such thing in the sandbox".to_owned());
        if let Some(zip) = self.mapping("zip") {
            let thing = selected.first().ok_or_else(missing)?;
            let scope = Scope { item: thing, ..scope };
            let part = |name: &str| zip.get(name).and_then(|e| scope.evaluate(e)).unwrap_or_default();
            return Reply::zip(&part("entries"), part("password").as_str());
        }
        let beside = self.plan.get("beside").and_then(|beside| scope.evaluate(beside));
        let declared = self.operation().answer_schema(200).map(|schema| self.contract.properties(schema));
        let declared = declared.unwrap_or_default();
        let list = self.plan.get("list").and_then(Value::as_str);
        let is_list = declared.get("data").and_then(|schema| self.contract.type_of(schema)) == Some("array");
        if !is_list && list.is_none() {
            let shown = selected.first().map(|thing| self.shown(tenant, thing));
            let shown = shown.or_else(|| self.plan.get("missing").cloned());
            return shown.map(Reply::data).ok_or_else(missing);
        }
        self.sort(&mut selected);
        let (page, pagination) = self.page(&selected)?;
        let items: Value = page.iter().map(|thing| self.shown(tenant, thing)).collect();
        let data = match list {
            None => items,
            Some(name) => {
                let mut data = beside.unwrap_or_else(|| json!({}));
                put(&mut data, name, items);
                data
            }
        };
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
    fn shown(&self, tenant: &Tenant, thing: &Value) -> Value {
        let mut shown = match self.mapping("as") {
            None => thing.clone(),
            Some(projection) => {
                let scope = Scope { item: thing, ..self.scope(tenant) };
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
        let created = self.create(tenant)?;
        let mut selected = if self.collection().is_empty() { Vec::new() } else { self.select(tenant)? };
        if selected.is_empty() && self.names_one() {
            return Err(Reply::not_found("There is no such thing in the sandbox".to_owned()));
        }
        let limit = self.body.pointer("/filter/limit").and_then(Value::as_u64);
        selected.truncate(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX));
        // What is not idempotent is done anew each time. Where the answer has no details, it could not say
        // that something was so already, and counts what the action was applied to.
        let every = self.mapping("details").is_none() || self.operation().x_s1()["idempotent"] == false;
        let (mut affected, mut details) = (0, Vec::new());
        for position in &selected {
            let (changed, outcome) = self.set(tenant, *position);
            let inserted = self.insert(tenant, *position);
            affected += u64::from(changed || inserted || every);
            if let Some(entry) = self.mapping("details") {
                let item = tenant.things(self.collection()).get(*position).unwrap_or(&Value::Null);
                let scope = Scope { item, set: &outcome, ..self.scope(tenant) };
                let entry: Map<_, _> =
                    entry.iter().filter_map(|(name, e)| Some((name.clone(), scope.evaluate(e)?))).collect();
                details.push(Value::Object(entry));
            }
        }
        if let Some(answer) = self.plan.get("answer") {
            let things = tenant.things(self.collection());
            let shown = selected.first().and_then(|position| things.get(*position));
            let shown = shown.map(|thing| self.shown(tenant, thing));
            let result = created.or(shown).unwrap_or_default();
            let answer = Scope { result: &result, affected, ..self.scope(tenant) }.evaluate(answer);
            if self.plan.get("delete") == Some(&Value::Bool(true)) {
                tenant.remove(self.collection(), &selected);
            }
            return Ok(Reply::data(answer.unwrap_or_default()));
        }
        if self.plan.get("delete") == Some(&Value::Bool(true)) {
            tenant.remove(self.collection(), &selected);
        }
        let mut answer = json!({ "data": { "affected": affected } });
        if self.plan.get("details").is_some() {
            answer["data"]["details"] = details.into();
        }
        Ok(Reply::ok(answer))
    }

    /// Makes new things, if the operation does that: one, or one for each element of a list. Tells what was
    /// made, as it is shown.
    fn create(&self, tenant: &mut Tenant) -> Result<Option<Value>, Reply> {
        let Some(create) = self.mapping("create") else { return Ok(None) };
        let part = |name: &str| create.get(name);
        let collection = part("collection").and_then(Value::as_str).unwrap_or_default();
        let list = part("each").map(|each| self.scope(tenant).evaluate(each).unwrap_or_default());
        let one = Value::Array(vec![Value::Null]);
        let elements = list.as_ref().unwrap_or(&one).as_array().cloned().unwrap_or_default();
        let mut made = Vec::new();
        for each in &elements {
            let id = tenant.new_id();
            let scope = Scope { each, new_id: &id, ..self.scope(tenant) };
            made.push(new_thing(part("item"), &scope));
        }
        let unique: Vec<&str> = part("unique")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let same_as = |new: &Value, old: &Value| unique.iter().all(|path| at(new, path) == at(old, path));
        let exists =
            |new: &Value| !unique.is_empty() && tenant.things(collection).iter().any(|old| same_as(new, old));
        if made.iter().any(exists) {
            let detail = "Such an item is there already".to_owned();
            return Err(Reply::failure(StatusCode::BAD_REQUEST, EXISTS, [detail]));
        }
        let mut shown = Vec::new();
        for thing in made {
            shown.push(self.shown(tenant, &thing));
            tenant.insert(collection, thing);
        }
        Ok(if list.is_some() { Some(Value::Array(shown)) } else { shown.pop() })
    }

    /// Sets the fields of a thing. Says whether that changed anything, and what became of each field.
    fn set(&self, tenant: &mut Tenant, position: usize) -> (bool, BTreeMap<String, &'static str>) {
        let mut outcome = BTreeMap::new();
        let thing = tenant.things(self.collection()).get(position).cloned();
        let (Some(fields), Some(thing)) = (self.mapping("set"), thing) else {
            return (false, outcome);
        };
        let scope = Scope { item: &thing, ..self.scope(tenant) };
        let evaluated = fields.iter().filter_map(|(field, e)| Some((field, e, scope.evaluate(e)?)));
        let evaluated: Vec<_> = evaluated.collect();
        // The time of a change is not itself a change, and neither is what is to come of it.
        let is_change = |field: &str, e: &Value| field != "_then" && e.as_str() != Some("$now");
        let mut changed = false;
        for (field, expression, value) in &evaluated {
            let differs = at(&thing, field) != Some(value);
            changed |= differs && is_change(field, expression);
            outcome.insert((*field).clone(), if differs { "updated" } else { "already_set" });
        }
        if let Some(thing) = tenant.thing_mut(self.collection(), position).filter(|_| changed) {
            evaluated.into_iter().for_each(|(field, _, value)| put(thing, field, value));
        }
        (changed, outcome)
    }

    /// Adds the new thing that a selected one brings forth, if the operation does that.
    fn insert(&self, tenant: &mut Tenant, position: usize) -> bool {
        let Some(Value::Object(insert)) = self.plan.get("insert") else { return false };
        let collection = insert.get("collection").and_then(Value::as_str).unwrap_or_default();
        let id = tenant.new_id();
        let item = tenant.things(self.collection()).get(position).unwrap_or(&Value::Null);
        let scope = Scope { item, new_id: &id, ..self.scope(tenant) };
        let new = new_thing(insert.get("item"), &scope);
        tenant.insert(collection, new);
        true
    }
}

/// A thing whose fields are given by expressions.
fn new_thing(fields: Option<&Value>, scope: &Scope<'_>) -> Value {
    let mut new = json!({});
    for (field, expression) in fields.and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = scope.evaluate(expression) {
            put(&mut new, field, value);
        }
    }
    new
}

/// Whether a thing has these values; of a list any will do, on either side.
fn fits(thing: &Value, conditions: &[(String, Value)]) -> bool {
    conditions.iter().all(|(field, wanted)| {
        at(thing, field).is_some_and(|found| match wanted {
            Value::Array(any) => any.iter().any(|wanted| same(found, wanted)),
            one => same(found, one),
        })
    })
}

/// Whether a thing meets the conditions of a count: fields with a value, or a list of which any will do.
fn counts_in(thing: &Value, conditions: &Value) -> bool {
    let conditions = conditions.as_object().into_iter().flatten();
    let conditions: Vec<_> = conditions.map(|(field, wanted)| (field.clone(), wanted.clone())).collect();
    fits(thing, &conditions)
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
