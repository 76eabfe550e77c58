//! Handling of one request, without I/O.

use std::collections::BTreeMap;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use sentinelone::raw::runtime::OperationKind;
use serde_json::{Map, Value, json};

use sentinelone::json_path::{get_path, set_path};
use sentinelone_contract::{Contract, OperationMatch, OperationSpec, Severity};

use super::data_lake::{self, QueryCall};
use super::expression::{EvalContext, FILES_PREFIX};
use super::message::{Body, EXISTS, ResponseContent, SandboxRequest, SandboxResponse};
use super::routing::route;
use super::select::{Condition, FieldEffect, field_effect};
use super::tenant::Tenant;
use super::undeclared::remove_undeclared_values;
use super::values::{equal, order};

/// Handles a request and applies its changes to the tenant.
pub(super) fn handle(
    contract: &Contract,
    tenant: &mut Tenant,
    request: &SandboxRequest<'_>,
) -> SandboxResponse {
    try_handle(contract, tenant, request).unwrap_or_else(|error| error)
}

fn try_handle(
    contract: &Contract,
    tenant: &mut Tenant,
    request: &SandboxRequest<'_>,
) -> Result<SandboxResponse, SandboxResponse> {
    if let Some(file) = request.path.strip_prefix(FILES_PREFIX) {
        let file = percent_decode_str(file).decode_utf8_lossy();
        let file: Value = serde_json::from_str(&file).unwrap_or_default();
        return SandboxResponse::zip(&file["entries"], None);
    }
    let operation_match = route(contract, request)?;
    let operation = operation_match.operation;
    let body = match &request.body {
        Body::Complete(bytes) if bytes.trim_ascii().is_empty() => None,
        Body::Complete(bytes) if operation.has_form() => {
            let content_type = request.content_type.unwrap_or_default();
            let form = contract.form_to_json(operation, content_type, bytes.clone());
            let invalid =
                |error| SandboxResponse::bad_request([format!("request.body: not a form: {error}")]);
            Some(form.map_err(invalid)?)
        }
        Body::Complete(bytes) => match serde_json::from_slice(bytes) {
            Ok(body) => Some(body),
            Err(error) => {
                return Err(SandboxResponse::bad_request([format!("request.body: invalid JSON: {error}")]));
            }
        },
        Body::TooLong => {
            let detail = "The body is longer than 10 MB".to_owned();
            return Err(SandboxResponse::error(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large", [detail]));
        }
        Body::Incomplete => {
            return Err(SandboxResponse::bad_request(["request.body: incomplete".to_owned()]));
        }
    };
    let checked = contract.check_declared(
        operation_match.operation,
        &operation_match.path_values,
        &request.query,
        body.as_ref(),
    );
    let headers = contract.check_headers(operation, &request.headers);
    let query_step = data_lake::step(operation);
    // The data lake takes the declared form only.
    let is_error = |severity| severity > Severity::Tolerated || query_step.is_some();
    let errors = checked.findings.iter().chain(&headers).filter(|finding| is_error(finding.severity()));
    let errors: Vec<String> = errors.map(|f| format!("{}: {}", f.location, f.message)).collect();
    if !errors.is_empty() {
        return Err(match query_step {
            Some(_) => data_lake::invalid(errors),
            None => SandboxResponse::bad_request(errors),
        });
    }
    if let Some(step) = query_step {
        let call = QueryCall {
            step,
            id: operation_match.path_values.get("id").map(String::as_str),
            tag: request.headers.get(data_lake::FORWARD_TAG).map(String::as_str),
            body: checked.body.unwrap_or_default(),
            now: request.now.unix_millis().unwrap_or_default(),
        };
        return data_lake::handle(tenant, &call);
    }
    let Some(plan) = operation_match.operation.x_s1().get("sandbox") else {
        let is_count = checked.query.get("countOnly") == Some(&Value::Bool(true));
        return Ok(SandboxResponse::example(contract, operation_match.operation, is_count));
    };
    let request_id = tenant.new_id();
    let handler = OperationHandler {
        contract,
        plan,
        query: checked.query,
        body: checked.body.unwrap_or_default(),
        now: request.now.as_str(),
        origin: &request.origin,
        request_id: &request_id,
        operation_match,
    };
    handler.check_requirements(tenant)?;
    let operation = handler.operation();
    let mut response = match operation.kind() {
        OperationKind::Read => handler.run_read(tenant)?,
        OperationKind::Action => handler.run_action(tenant)?,
    };
    if let (ResponseContent::Json(body), Some(schema)) =
        (&mut response.body, operation.response_schema(response.status.as_u16()))
    {
        remove_undeclared_values(contract, schema, body);
    }
    Ok(response)
}

fn not_implemented(detail: &str) -> SandboxResponse {
    let status = StatusCode::NOT_IMPLEMENTED;
    SandboxResponse::error(status, "Not Implemented by the Sandbox", [detail.to_owned()])
}

/// An operation with the data of the request.
struct OperationHandler<'a> {
    contract: &'a Contract,
    operation_match: OperationMatch<'a>,
    /// `x-s1.sandbox`.
    plan: &'a Value,
    query: Map<String, Value>,
    body: Value,
    now: &'a str,
    origin: &'a str,
    request_id: &'a str,
}

/// Outcomes of an item if the request sets no fields.
static NO_OUTCOMES: BTreeMap<String, &'static str> = BTreeMap::new();

/// Query parameters that control a list and are not conditions.
const LIST_PARAMETERS: &[&str] =
    &["limit", "skip", "cursor", "countOnly", "skipCount", "sortBy", "sortOrder"];

impl OperationHandler<'_> {
    fn operation(&self) -> &OperationSpec {
        self.operation_match.operation
    }

    fn collection(&self) -> &str {
        self.plan.get("collection").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns an object member of the plan.
    fn plan_object(&self, key: &str) -> Option<&Map<String, Value>> {
        self.plan.get(key)?.as_object()
    }

    /// Returns the evaluation context without a current item.
    fn context<'a>(&'a self, tenant: &'a Tenant) -> EvalContext<'a> {
        let Self { query, body, now, origin, request_id, .. } = self;
        EvalContext {
            path: &self.operation_match.path_values,
            query,
            body,
            now,
            origin,
            request_id,
            tenant,
            item: &Value::Null,
            each: &Value::Null,
            new_id: "",
            set: &NO_OUTCOMES,
            result: &Value::Null,
            affected: 0,
            selected: &[],
        }
    }

    /// Returns an error if a required item does not exist.
    fn check_requirements(&self, tenant: &Tenant) -> Result<(), SandboxResponse> {
        let Some(requirement) = self.plan.get("requires") else { return Ok(()) };
        let collection = requirement.get("collection").and_then(Value::as_str).unwrap_or_default();
        let conditions = self.where_conditions(tenant, requirement.get("where"));
        if tenant.items(collection).iter().any(|item| has_values(item, &conditions)) {
            return Ok(());
        }
        let message = requirement.get("message").and_then(Value::as_str).unwrap_or_default();
        Err(SandboxResponse::bad_request([message.to_owned()]))
    }

    /// Returns the conditions of a `where`. A condition whose value is missing in the request is skipped.
    fn where_conditions(&self, tenant: &Tenant, conditions: Option<&Value>) -> Vec<(String, Value)> {
        let context = self.context(tenant);
        let conditions = conditions.and_then(Value::as_object).into_iter().flatten();
        conditions.filter_map(|(field, value)| Some((field.clone(), context.evaluate(value)?))).collect()
    }

    fn conditions(&self) -> Result<Vec<Condition>, SandboxResponse> {
        let mut conditions = Vec::new();
        let mut unknown = Vec::new();
        let mut add =
            |prefix: &str, name: &str, x_s1: &Value, value: &Value| match field_effect(name, x_s1, value) {
                FieldEffect::Condition(condition) => conditions.push(condition),
                FieldEffect::Ignored => {}
                FieldEffect::Unknown => unknown.push(format!("{prefix}{name}")),
            };
        for (name, value) in &self.query {
            if let Some(parameter) = self.operation().query_parameter(name)
                && !LIST_PARAMETERS.contains(&name.as_str())
            {
                add("", name, &parameter.x_s1, value);
            }
        }
        // A path that selects an item needs no filter; the filter has the scope of the item.
        let schema = self.operation().body_schema().filter(|_| !self.selects_by_path());
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
        Err(not_implemented(&format!("The specification does not map these filters to fields: {names}")))
    }

    /// Returns the positions of the selected items, newest first.
    fn select(&self, tenant: &Tenant) -> Result<Vec<usize>, SandboxResponse> {
        let conditions = self.conditions()?;
        let where_conditions = self.where_conditions(tenant, self.plan.get("where"));
        let selected = |item: &Value| {
            has_values(item, &where_conditions) && conditions.iter().all(|condition| condition.matches(item))
        };
        let items = tenant.items(self.collection()).iter().enumerate().rev();
        Ok(items.filter(|(_, item)| selected(item)).map(|(position, _)| position).collect())
    }

    /// Returns whether the path selects a single item.
    fn selects_by_path(&self) -> bool {
        let conditions = self.plan_object("where").into_iter().flatten();
        conditions.into_iter().any(|(_, e)| e.as_str().is_some_and(|name| name.starts_with("$path.")))
    }

    fn run_read(&self, tenant: &mut Tenant) -> Result<SandboxResponse, SandboxResponse> {
        let positions = self.select(tenant)?;
        let response = self.read_response(tenant, &positions);
        let rejected = response.as_ref().is_err_and(|response| response.status == StatusCode::BAD_REQUEST);
        if !rejected {
            tenant.advance(self.collection(), &positions);
        }
        response
    }

    fn read_response(
        &self,
        tenant: &Tenant,
        positions: &[usize],
    ) -> Result<SandboxResponse, SandboxResponse> {
        let all = tenant.items(self.collection());
        let is_visible = |item: &&Value| item.get("_after").and_then(Value::as_u64).unwrap_or_default() == 0;
        let mut selected: Vec<&Value> = positions.iter().map(|i| &all[*i]).filter(is_visible).collect();
        let context = EvalContext { selected: &selected, ..self.context(tenant) };
        if self.collection().is_empty() {
            let data = self.plan.get("data").and_then(|data| context.evaluate(data));
            return Ok(SandboxResponse::data(data.unwrap_or_default()));
        }
        if let Some(counts) = self.plan_object("count") {
            let count =
                |conditions: &Value| selected.iter().filter(|item| matches_count(item, conditions)).count();
            let counts: Map<_, _> = counts.iter().map(|(name, c)| (name.clone(), count(c).into())).collect();
            return Ok(SandboxResponse::data(counts.into()));
        }
        if let Some(lists) = self.plan_object("collect") {
            let mut data = json!({});
            for (location, expression) in lists {
                let items =
                    selected.iter().filter_map(|item| EvalContext { item, ..context }.evaluate(expression));
                set_path(&mut data, location, items.collect());
            }
            return Ok(SandboxResponse::data(data));
        }
        let missing = || SandboxResponse::not_found("No such item in the sandbox".to_owned());
        if let Some(zip) = self.plan_object("zip") {
            let item = selected.first().ok_or_else(missing)?;
            let context = EvalContext { item, ..context };
            let member = |name: &str| zip.get(name).and_then(|e| context.evaluate(e)).unwrap_or_default();
            return SandboxResponse::zip(&member("entries"), member("password").as_str());
        }
        let siblings = self.plan.get("siblings").and_then(|siblings| context.evaluate(siblings));
        let declared = self.operation().success_schema().map(|(_, schema)| self.contract.properties(schema));
        let declared = declared.unwrap_or_default();
        let list = self.plan.get("list").and_then(Value::as_str);
        let is_list = declared.get("data").and_then(|schema| self.contract.type_of(schema)) == Some("array");
        if !is_list && list.is_none() {
            let data = selected.first().map(|item| self.project(tenant, item));
            let data = data.or_else(|| self.plan.get("notFound").cloned());
            return data.map(SandboxResponse::data).ok_or_else(missing);
        }
        self.sort(&mut selected);
        let (page, pagination) = self.page(&selected)?;
        let items: Value = page.iter().map(|item| self.project(tenant, item)).collect();
        let data = match list {
            None => items,
            Some(name) => {
                let mut data = siblings.unwrap_or_else(|| json!({}));
                set_path(&mut data, name, items);
                data
            }
        };
        let mut body = json!({ "data": data });
        if declared.contains_key("pagination") {
            body["pagination"] = pagination;
        }
        Ok(SandboxResponse::ok(body))
    }

    /// Sorts by `sortBy` if an item has a field of that name. Otherwise keeps the order, newest first.
    fn sort(&self, items: &mut [&Value]) {
        let Some(name) = self.query.get("sortBy").and_then(Value::as_str) else { return };
        let descending = self.query.get("sortOrder").and_then(Value::as_str) == Some("desc");
        items.sort_by(|one, other| {
            let order = order(field_by_name(one, name), field_by_name(other, name));
            if descending { order.reverse() } else { order }
        });
    }

    /// Returns the requested page and its pagination object.
    fn page<'a>(&self, items: &'a [&'a Value]) -> Result<(&'a [&'a Value], Value), SandboxResponse> {
        let is_set = |name| self.query.get(name) == Some(&Value::Bool(true));
        let number = |name| self.query.get(name).and_then(Value::as_u64);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        if is_set("countOnly") {
            return Ok((&[], json!({ "totalItems": items.len(), "nextCursor": null })));
        }
        let start = match self.query.get("cursor").and_then(Value::as_str) {
            Some(cursor) => read_cursor(self.operation().id(), cursor).ok_or_else(|| {
                SandboxResponse::bad_request(["request.query.cursor: not a cursor of this list".to_owned()])
            })?,
            None => number("skip").unwrap_or_default(),
        };
        let start = size(start).min(items.len());
        let default = || {
            let parameter = self.operation().query_parameter("limit")?;
            Some(parameter.schema.get("default").and_then(Value::as_u64).unwrap_or(10))
        };
        let limit = number("limit").or_else(default).map_or(usize::MAX, size);
        let end = start.saturating_add(limit).min(items.len());
        let next = (end < items.len()).then(|| write_cursor(self.operation().id(), end));
        let mut pagination = json!({ "nextCursor": next });
        if !is_set("skipCount") {
            pagination["totalItems"] = items.len().into();
        }
        Ok((&items[start..end], pagination))
    }

    /// Returns an item as in responses.
    fn project(&self, tenant: &Tenant, item: &Value) -> Value {
        let mut projected = match self.plan_object("fields") {
            None => item.clone(),
            Some(projection) => {
                let context = EvalContext { item, ..self.context(tenant) };
                let value = |expression: &Value| match expression {
                    Value::String(path) if !path.starts_with('$') => get_path(item, path).cloned(),
                    other => context.evaluate(other),
                };
                projection.iter().filter_map(|(name, e)| Some((name.clone(), value(e)?))).collect()
            }
        };
        remove_internal_fields(&mut projected);
        projected
    }

    fn run_action(&self, tenant: &mut Tenant) -> Result<SandboxResponse, SandboxResponse> {
        let created = self.create(tenant)?;
        let mut selected = if self.collection().is_empty() { Vec::new() } else { self.select(tenant)? };
        if selected.is_empty() && self.selects_by_path() {
            return Err(SandboxResponse::not_found("No such item in the sandbox".to_owned()));
        }
        let limit = self.body.pointer("/filter/limit").and_then(Value::as_u64);
        selected.truncate(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX));
        // Actions that are not idempotent apply each time. A response without details cannot report unchanged
        // items, so it counts all selected items.
        let count_all =
            self.plan_object("details").is_none() || self.operation().x_s1()["idempotent"] == false;
        let (mut affected, mut details) = (0, Vec::new());
        for position in &selected {
            let (changed, outcome) = self.set(tenant, *position);
            let inserted = self.insert(tenant, *position);
            affected += u64::from(changed || inserted || count_all);
            if let Some(entry) = self.plan_object("details") {
                let item = tenant.items(self.collection()).get(*position).unwrap_or(&Value::Null);
                let context = EvalContext { item, set: &outcome, ..self.context(tenant) };
                let entry: Map<_, _> =
                    entry.iter().filter_map(|(name, e)| Some((name.clone(), context.evaluate(e)?))).collect();
                details.push(Value::Object(entry));
            }
        }
        if let Some(template) = self.plan.get("data") {
            let items = tenant.items(self.collection());
            let first = selected.first().and_then(|position| items.get(*position));
            let first = first.map(|item| self.project(tenant, item));
            let result = created.or(first).unwrap_or_default();
            let data = EvalContext { result: &result, affected, ..self.context(tenant) }.evaluate(template);
            if self.plan.get("delete") == Some(&Value::Bool(true)) {
                tenant.remove(self.collection(), &selected);
            }
            return Ok(SandboxResponse::data(data.unwrap_or_default()));
        }
        if self.plan.get("delete") == Some(&Value::Bool(true)) {
            tenant.remove(self.collection(), &selected);
        }
        let mut body = json!({ "data": { "affected": affected } });
        if self.plan.get("details").is_some() {
            body["data"]["details"] = details.into();
        }
        Ok(SandboxResponse::ok(body))
    }

    /// Creates items, if the plan has a `create`: one, or one per element of a list. Returns them as in
    /// responses.
    fn create(&self, tenant: &mut Tenant) -> Result<Option<Value>, SandboxResponse> {
        let Some(create) = self.plan_object("create") else { return Ok(None) };
        let member = |name: &str| create.get(name);
        let collection = member("collection").and_then(Value::as_str).unwrap_or_default();
        let list = member("each").map(|each| self.context(tenant).evaluate(each).unwrap_or_default());
        let single = Value::Array(vec![Value::Null]);
        let elements = list.as_ref().unwrap_or(&single).as_array().cloned().unwrap_or_default();
        let mut new_items = Vec::new();
        for each in &elements {
            let id = tenant.new_id();
            let context = EvalContext { each, new_id: &id, ..self.context(tenant) };
            new_items.push(new_item(member("item"), &context));
        }
        let unique: Vec<&str> = member("unique")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let has_same_key =
            |new: &Value, old: &Value| unique.iter().all(|path| get_path(new, path) == get_path(old, path));
        let exists = |new: &Value| {
            !unique.is_empty() && tenant.items(collection).iter().any(|old| has_same_key(new, old))
        };
        if new_items.iter().any(exists) {
            let detail = "The item already exists".to_owned();
            return Err(SandboxResponse::error(StatusCode::BAD_REQUEST, EXISTS, [detail]));
        }
        let mut created = Vec::new();
        for item in new_items {
            created.push(self.project(tenant, &item));
            tenant.insert(collection, item);
        }
        Ok(if list.is_some() { Some(Value::Array(created)) } else { created.pop() })
    }

    /// Sets the fields of an item. Returns whether the item changed, and the outcome of each field.
    fn set(&self, tenant: &mut Tenant, position: usize) -> (bool, BTreeMap<String, &'static str>) {
        let mut outcome = BTreeMap::new();
        let item = tenant.items(self.collection()).get(position).cloned();
        let (Some(fields), Some(item)) = (self.plan_object("set"), item) else {
            return (false, outcome);
        };
        let context = EvalContext { item: &item, ..self.context(tenant) };
        let evaluated = fields.iter().filter_map(|(field, e)| Some((field, e, context.evaluate(e)?)));
        let evaluated: Vec<_> = evaluated.collect();
        // The modification time and the next steps do not count as changes.
        let is_change = |field: &str, e: &Value| field != "_then" && e.as_str() != Some("$now");
        let mut changed = false;
        for (field, expression, value) in &evaluated {
            let differs = get_path(&item, field) != Some(value);
            changed |= differs && is_change(field, expression);
            outcome.insert((*field).clone(), if differs { "updated" } else { "already_set" });
        }
        if let Some(item) = tenant.item_mut(self.collection(), position).filter(|_| changed) {
            evaluated.into_iter().for_each(|(field, _, value)| set_path(item, field, value));
        }
        (changed, outcome)
    }

    /// Inserts an item for a selected item, if the plan has an `insert`. Returns whether it did.
    fn insert(&self, tenant: &mut Tenant, position: usize) -> bool {
        let Some(Value::Object(insert)) = self.plan.get("insert") else { return false };
        let collection = insert.get("collection").and_then(Value::as_str).unwrap_or_default();
        let id = tenant.new_id();
        let item = tenant.items(self.collection()).get(position).unwrap_or(&Value::Null);
        let context = EvalContext { item, new_id: &id, ..self.context(tenant) };
        let new = new_item(insert.get("item"), &context);
        tenant.insert(collection, new);
        true
    }
}

/// Creates an item whose fields are the values of expressions.
fn new_item(fields: Option<&Value>, context: &EvalContext<'_>) -> Value {
    let mut new = json!({});
    for (field, expression) in fields.and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = context.evaluate(expression) {
            set_path(&mut new, field, value);
        }
    }
    new
}

/// Returns whether an item has these values. One matching element of a list is sufficient, on either side.
fn has_values(item: &Value, conditions: &[(String, Value)]) -> bool {
    conditions.iter().all(|(field, expected)| {
        get_path(item, field).is_some_and(|actual| match expected {
            Value::Array(any) => any.iter().any(|expected| equal(actual, expected)),
            one => equal(actual, one),
        })
    })
}

/// Returns whether an item matches the conditions of a count: fields with a value or a list of alternatives.
fn matches_count(item: &Value, conditions: &Value) -> bool {
    let conditions = conditions.as_object().into_iter().flatten();
    let conditions: Vec<_> = conditions.map(|(field, expected)| (field.clone(), expected.clone())).collect();
    has_values(item, &conditions)
}

/// Returns the scalar field of this name that is nearest to the root.
fn field_by_name<'a>(item: &'a Value, name: &str) -> Option<&'a Value> {
    let mut level = vec![item];
    while !level.is_empty() {
        let mut values = level.iter().filter_map(|value| value.get(name));
        if let Some(scalar) = values.find(|value| !value.is_array() && !value.is_object()) {
            return Some(scalar);
        }
        level = level.into_iter().filter_map(Value::as_object).flat_map(Map::values).collect();
    }
    None
}

/// Removes the internal fields of the sandbox.
fn remove_internal_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.starts_with('_'));
            fields.values_mut().for_each(remove_internal_fields);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_internal_fields),
        _ => {}
    }
}

/// Returns a cursor: a position in a list with a checksum, so that cursors of other lists are rejected. Positions
/// change with the selection: if the list changes between two pages, an item may appear twice or be missing.
fn write_cursor(operation: &str, position: usize) -> String {
    let position = position as u64;
    format!("{position:08x}{:08x}", checksum(operation, position))
}

fn read_cursor(operation: &str, cursor: &str) -> Option<u64> {
    let (position, _) = cursor.split_at_checked(cursor.len().checked_sub(8)?)?;
    let position = u64::from_str_radix(position, 16).ok()?;
    let index = usize::try_from(position).ok()?;
    (write_cursor(operation, index) == cursor).then_some(position)
}

/// Returns an FNV-1a checksum.
fn checksum(operation: &str, position: u64) -> u32 {
    let bytes = operation.bytes().chain(position.to_be_bytes());
    bytes.fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
