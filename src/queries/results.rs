//! Results of queries: a table of a PowerQuery, and events.

use sentinelone_raw::runtime::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::exact::{Members, count, items, members, string, value};
use super::progress::{QueryState, QuerySummary};

/// The table of a PowerQuery.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct QueryTable {
    /// The columns.
    pub columns: Vec<QueryColumn>,
    /// The rows, with a value for each column: null where a row of the response is shorter. An integer with more than 64
    /// bits is a string.
    pub rows: Vec<Vec<Value>>,
    /// Number of the columns by which the rows are grouped; `None` if the response has none.
    pub key_columns: Option<u64>,
    /// What the query reports in addition to the rows.
    pub summary: QuerySummary,
}

/// A column of a PowerQuery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryColumn {
    /// Name, which can be empty or that of another column.
    pub name: String,
    /// Name that no other column has: the name with a number, such as `count (2)` or `column 3`.
    pub unique_name: String,
    /// Type of the values, such as `NUMBER`; `None` if the response has none.
    pub kind: Option<String>,
    /// Number of decimal places to show; `None` if the response has none.
    pub decimal_places: Option<u64>,
}

impl QueryTable {
    pub(super) fn of(state: &QueryState<'_>) -> Self {
        let mut columns: Vec<QueryColumn> = Vec::new();
        for text in state.list("columns") {
            let column = column(text, &columns);
            columns.push(column);
        }
        let row = |row: &RawValue| {
            let mut cells: Vec<Value> = items(row.get()).into_iter().map(value).collect();
            // A cell without a column has a column without a name.
            while columns.len() < cells.len() {
                let column = named(String::new(), &columns);
                columns.push(column);
            }
            cells.resize(columns.len(), Value::Null);
            cells
        };
        let mut rows: Vec<Vec<Value>> = state.list("values").into_iter().map(row).collect();
        rows.iter_mut().for_each(|row| row.resize(columns.len(), Value::Null));
        let key_columns = state.member("keyColumns").and_then(count);
        Self { columns, rows, key_columns, summary: QuerySummary::of(state) }
    }

    /// Returns the rows as objects with the unique names of the columns.
    pub fn objects(&self) -> impl Iterator<Item = Map<String, Value>> + '_ {
        let names = || self.columns.iter().map(|column| column.unique_name.clone());
        self.rows.iter().map(move |row| names().zip(row.iter().cloned()).collect())
    }
}

fn column(text: &RawValue, before: &[QueryColumn]) -> QueryColumn {
    let members: Members<'_> = members(text.get());
    let get = |name: &str| members.get(name).copied();
    let name = match get("name") {
        // A name can be a number.
        Some(name) => string(name).unwrap_or_else(|| name.get().to_owned()),
        None => String::new(),
    };
    QueryColumn {
        kind: get("type").or_else(|| get("cellType")).and_then(string),
        decimal_places: get("decimalPlaces").and_then(count),
        ..named(name, before)
    }
}

/// Returns a column with a name that none of the others has.
fn named(name: String, before: &[QueryColumn]) -> QueryColumn {
    let is_free = |name: &String| !name.is_empty() && before.iter().all(|one| one.unique_name != *name);
    let numbered = |number: usize| match name.is_empty() {
        true => format!("column {}", before.len() + number),
        false => format!("{name} ({})", number + 1),
    };
    let mut candidates = std::iter::once(name.clone()).chain((1..).map(numbered));
    let unique_name = candidates.find(is_free).unwrap_or_default();
    QueryColumn { name, unique_name, ..QueryColumn::default() }
}

/// An event that a query found.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct QueryEvent {
    /// Position of the event, from which a page can continue.
    pub cursor: Option<String>,
    /// Time of the event, with nanoseconds.
    pub timestamp: Option<Timestamp>,
    /// Severity; 3 is normal.
    pub severity: Option<u64>,
    /// Session of the source.
    pub session_id: Option<String>,
    /// Thread of the source.
    pub thread_id: Option<String>,
    /// Attributes of the source.
    pub server_info: Map<String, Value>,
    /// Fields of the event, such as `event.type`. An integer with more than 64 bits is a string.
    pub values: Map<String, Value>,
}

impl QueryEvent {
    /// Parses a match. The members that the type does not have are in neither map.
    pub(super) fn parse(text: &RawValue) -> Self {
        let members = members(text.get());
        let get = |name: &str| members.get(name).copied().filter(|text| text.get() != "null");
        let text = |name: &str| get(name).map(|text| string(text).unwrap_or_else(|| text.get().to_owned()));
        let object = |name: &str| match get(name).map(value) {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        Self {
            cursor: text("cursor"),
            timestamp: get("timestamp").and_then(nanoseconds),
            severity: get("severity").and_then(count),
            session_id: text("sessionId"),
            thread_id: text("threadId"),
            server_info: object("serverInfo"),
            values: object("values"),
        }
    }
}

/// Returns the time that a number or a text of nanoseconds since 1970 states.
fn nanoseconds(text: &RawValue) -> Option<Timestamp> {
    let nanoseconds: i128 = text.get().trim_matches('"').parse().ok()?;
    jiff::Timestamp::from_nanosecond(nanoseconds).ok().map(Timestamp::from)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn table_keeps_repeated_and_empty_names_apart() {
        let body = json!({
            "data": {
                "columns": [{ "name": "n" }, { "name": "n", "type": "NUMBER" }, { "name": "" }, {}, { "name": 7 }, { "name": "n (2)" }],
                "values": [[1, 2, 3], [1, 2, 3, 4, 5, 6, 7], []],
                "keyColumns": 1,
                "omittedEvents": 4,
            },
            "warnings": ["slow", { "a": 1 }],
            "partialResultsDueToTimeLimit": true,
        })
        .to_string();
        let table = QueryTable::of(&QueryState::parse(&body));
        let names: Vec<&str> = table.columns.iter().map(|column| column.unique_name.as_str()).collect();
        assert_eq!(names, ["n", "n (2)", "column 3", "column 4", "7", "n (2) (2)", "column 7"]);
        assert_eq!(table.rows.iter().map(Vec::len).collect::<Vec<_>>(), [7, 7, 7]);
        assert_eq!(table.rows[0][2..4], [json!(3), Value::Null]);
        assert_eq!(table.columns[1].kind.as_deref(), Some("NUMBER"));
        let summary = &table.summary;
        assert_eq!((summary.omitted_events, summary.is_partial, table.key_columns), (Some(4), true, Some(1)));
        assert_eq!(summary.warnings, ["slow", r#"{"a":1}"#]);
        assert!(summary.is_incomplete());
        assert_eq!(table.objects().next().unwrap()["column 3"], 3);
    }

    #[test]
    fn event_time_is_exact_as_number_and_text() {
        for time in ["1793491300000000001", "\"1793491300000000001\""] {
            let text = format!(
                r#"{{"timestamp": {time}, "values": {{"a": 18446744073709551616}}, "severity": 3, "cursor": null}}"#
            );
            let event = QueryEvent::parse(serde_json::from_str(&text).unwrap());
            assert_eq!(event.timestamp.unwrap().as_str(), "2026-11-01T00:01:40.000000001Z");
            assert_eq!(event.values["a"], "18446744073709551616");
            assert_eq!((event.severity, event.cursor), (Some(3), None));
        }
        let odd = QueryEvent::parse(
            serde_json::from_str(r#"{"timestamp": {}, "values": [], "severity": "x"}"#).unwrap(),
        );
        assert_eq!(odd, QueryEvent::default());
    }
}
