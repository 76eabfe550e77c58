//! The columns by which a list can be cut into parts.

use std::time::SystemTime;

use sentinelone_raw::runtime::{FieldKind, Operation, Page, Request, RequestError, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorRepr};
use crate::json_path::get_path;

/// A column whose value never changes while an item exists.
#[derive(Debug)]
struct StableColumn {
    /// Prefix of the filter fields `__gte` and `__lt`.
    name: &'static str,
    /// Values of `sortBy` that sort by the column.
    sort_fields: &'static [&'static str],
    /// Locations of the value in an item.
    item_fields: &'static [&'static str],
}

/// The stable columns in the order of preference.
///
/// The console sets these times when it creates an item, so an item stays in its part while the parts are read. The
/// list has no column that changes, such as `updatedAt`, and none that another system sets and may correct, such as
/// `creationTime` of an indicator of compromise.
const STABLE_COLUMNS: [StableColumn; 2] = [
    StableColumn {
        name: "createdAt",
        sort_fields: &["createdAt", "alertInfoCreatedAt"],
        item_fields: &["createdAt", "threatInfo.createdAt", "alertInfo.createdAt"],
    },
    StableColumn { name: "registeredAt", sort_fields: &["registeredAt"], item_fields: &["registeredAt"] },
];

/// Direction of a list that is sorted by the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// The column of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    stable: &'static StableColumn,
    /// Value of `sortBy`; `None` if the list cannot be sorted by the column.
    sort_field: Option<&'static str>,
    /// Direction of the request; `None` if it is not sorted.
    pub(crate) direction: Option<Direction>,
}

impl Column {
    /// Returns the column by which a list can be cut.
    ///
    /// # Errors
    /// Returns an error with the reason if the list cannot be cut.
    pub(crate) fn of<T>(request: &Request<T>) -> Result<Self, Error> {
        Self::select(request)
            .map_err(|reason| Error::for_operation(request.operation(), ErrorRepr::NotParallel(reason)))
    }

    fn select<T>(request: &Request<T>) -> Result<Self, String> {
        let operation = request.operation();
        let columns = columns_of(operation)?;
        let query = request.query();
        let param =
            |name: &str| query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        if param("cursor").is_some() {
            return Err("the request has a cursor, which is a position in one list".to_owned());
        }
        if param("skip").is_some_and(|skip| skip != "0") {
            return Err("the request skips items, which is a position in one list".to_owned());
        }
        let direction = match param("sortOrder") {
            Some("desc") => Direction::Descending,
            _ => Direction::Ascending,
        };
        match param("sortBy") {
            Some(field) => {
                let sorted = columns.iter().find(|column| column.sort_field == Some(field));
                sorted.map(|column| Self { direction: Some(direction), ..*column }).ok_or_else(|| {
                    let allowed: Vec<_> = columns.iter().filter_map(|column| column.sort_field).collect();
                    match allowed.is_empty() {
                        true => format!("it is sorted by {field}; expected no sort field"),
                        false => format!("it is sorted by {field}; expected {}", allowed.join(" or ")),
                    }
                })
            }
            None if param("sortOrder").is_some() => {
                Err("the request has sortOrder without sortBy, so its order is not known".to_owned())
            }
            None => columns.first().copied().ok_or_else(no_filter),
        }
    }

    /// Returns the names of the filter fields of both bounds.
    pub(super) fn fields(&self) -> [String; 2] {
        bound_fields(self.stable)
    }

    /// Returns the request of the items with a value from `from` up to, but not including, `until`, in milliseconds
    /// since 1970. A narrower bound of the request remains.
    pub(crate) fn bounded<T>(
        &self,
        request: &Request<Page<T>>,
        from: Option<i64>,
        until: Option<i64>,
    ) -> Result<Request<Page<T>>, RequestError> {
        let mut bounded = request.clone();
        let [gte, lt] = self.fields();
        // A bound between two milliseconds is rounded down.
        if let Some(from) = from.filter(|from| bound(request, &gte).is_none_or(|own| own < *from)) {
            bounded.set_query_param(&gte, timestamp(from))?;
        }
        if let Some(until) = until.filter(|until| bound(request, &lt).is_none_or(|own| own >= *until)) {
            bounded.set_query_param(&lt, timestamp(until))?;
        }
        Ok(bounded)
    }

    /// Returns the requests of the first and the last item; no requests if the list cannot be sorted by the column.
    pub(crate) fn edges<T>(&self, request: &Request<Page<T>>) -> Result<Vec<Request<Page<T>>>, RequestError> {
        let Some(sort_field) = self.sort_field else { return Ok(Vec::new()) };
        let edge = |order: &str| {
            let mut edge = request.clone();
            edge.set_query_param("sortBy", sort_field)?;
            edge.set_query_param("sortOrder", order)?;
            edge.set_query_param("limit", 1)?;
            edge.set_query_param("skipCount", Value::Null)?;
            Ok(edge)
        };
        ["asc", "desc"].into_iter().map(edge).collect()
    }

    /// Returns the value of an item in milliseconds since 1970, rounded down; `None` if it has no valid value.
    pub(crate) fn value(&self, item: &Value) -> Option<i64> {
        let mut values = self.stable.item_fields.iter().filter_map(|field| get_path(item, field)?.as_str());
        Timestamp::from(values.next()?).unix_millis()
    }

    /// Returns the places of the items of a page in their order; `None` if an item has no ID.
    pub(crate) fn places(&self, body: &[u8]) -> Option<Vec<Place>> {
        let page: PlacePage = serde_json::from_slice(body).ok()?;
        // Null items are not part of the page.
        page.data.into_iter().flatten().map(|item| self.place(item)).collect()
    }

    fn place(&self, item: PlaceItem) -> Option<Place> {
        let PlaceItem { id, created_at, registered_at, threat_info, alert_info } = item;
        let info = alert_info.or(threat_info);
        let (alert_id, info_created_at) =
            info.map(|info| (info.alert_id, info.created_at)).unwrap_or_default();
        let time =
            if self.stable.name == "registeredAt" { registered_at } else { created_at.or(info_created_at) };
        let time = time.and_then(|time| Timestamp::from(time.as_str()?).to_system_time());
        let id = match id.or(alert_id)? {
            Value::String(id) => id,
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        Some(Place { id, time })
    }
}

/// The ID and the time of an item.
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) time: Option<SystemTime>,
}

/// A page with only the fields that [`Column::places`] needs, because decoding all fields takes much longer.
#[derive(Deserialize)]
struct PlacePage {
    data: Vec<Option<PlaceItem>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlaceItem {
    id: Option<Value>,
    created_at: Option<Value>,
    registered_at: Option<Value>,
    threat_info: Option<PlaceInfo>,
    alert_info: Option<PlaceInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlaceInfo {
    alert_id: Option<Value>,
    created_at: Option<Value>,
}

/// Returns the columns by which the list of an operation can be cut.
pub(super) fn columns_of(operation: &'static Operation) -> Result<Vec<Column>, String> {
    if operation.query_field("cursor").is_none() {
        return Err("its operation is not a list with a cursor".to_owned());
    }
    let has_bounds = |stable: &StableColumn| {
        bound_fields(stable)
            .iter()
            .all(|name| operation.query_field(name).is_some_and(|field| field.kind == FieldKind::Timestamp))
    };
    let sort_fields = operation.query_field("sortBy").map(|field| field.enum_values).unwrap_or_default();
    let column = |stable: &'static StableColumn| {
        let sort_field = stable.sort_fields.iter().copied().find(|field| sort_fields.contains(field));
        Column { stable, sort_field, direction: None }
    };
    let columns: Vec<_> = STABLE_COLUMNS.iter().filter(|stable| has_bounds(stable)).map(column).collect();
    if columns.is_empty() { Err(no_filter()) } else { Ok(columns) }
}

/// Returns whether the list of an operation can be read in parallel.
#[cfg(feature = "commands")]
pub(crate) fn is_parallel(operation: &'static Operation) -> bool {
    columns_of(operation).is_ok()
}

/// Returns why a list cannot be read in parallel; `None` if it can.
#[cfg(feature = "commands")]
pub(crate) fn refusal<T>(request: &Request<T>) -> Option<String> {
    Column::select(request).err()
}

fn no_filter() -> String {
    let names: Vec<_> = STABLE_COLUMNS.iter().map(|column| column.name).collect();
    format!("its operation has no filter by {}, the times that never change", names.join(" or "))
}

fn bound_fields(stable: &StableColumn) -> [String; 2] {
    ["gte", "lt"].map(|operator| format!("{}__{operator}", stable.name))
}

/// Returns a bound of the request in milliseconds since 1970, rounded down. Requests contain valid timestamps only.
fn bound<T>(request: &Request<T>, name: &str) -> Option<i64> {
    let (_, value) = request.query().into_iter().find(|(other, _)| other == name)?;
    Timestamp::from(value).unix_millis()
}

fn timestamp(millis: i64) -> String {
    Timestamp::from_unix_millis(millis).map(|time| time.to_string()).unwrap_or_default()
}
