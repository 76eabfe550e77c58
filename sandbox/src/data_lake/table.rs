//! Evaluation of PowerQueries.

use std::cmp::Ordering;

use sentinelone::s1ql::{Aggregate, AggregateFunction, Column, SortKey, Stage};
use serde_json::{Map, Value, json};

use super::evaluate::{CompiledFilter, Unsupported, number_of};
use crate::values::{order, scalar_to_string};

/// Fields of an event, or columns of a row.
type Row = Map<String, Value>;

/// Rows with the names of their columns, in order.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Number of the columns by which the rows are grouped.
    pub(super) key_columns: usize,
}

impl Table {
    /// Returns a table of events, with the time and the text of each, unless a stage sets other columns.
    pub(super) fn of_events(events: Vec<Row>) -> Self {
        Self { columns: vec!["timestamp".to_owned(), "message".to_owned()], rows: events, key_columns: 0 }
    }

    /// Applies a stage.
    pub(super) fn apply(mut self, stage: &Stage) -> Result<Self, Unsupported> {
        match stage {
            Stage::Filter { filter, .. } => {
                let filter = CompiledFilter::new(filter)?;
                self.rows.retain(|row| filter.matches(row));
                Ok(self)
            }
            Stage::Columns { columns, .. } => Ok(self.project(columns)),
            Stage::Group { aggregates, by, .. } => Ok(self.group(aggregates, by)),
            Stage::Sort { keys, .. } => {
                self.rows.sort_by(|one, other| compare_rows(one, other, keys));
                Ok(self)
            }
            Stage::Limit { rows, .. } => {
                self.rows.truncate(usize::try_from(*rows).unwrap_or(usize::MAX));
                Ok(self)
            }
            Stage::Unsupported(stage) => Err(Unsupported(stage.word.clone())),
        }
    }

    fn project(self, columns: &[Column]) -> Self {
        let project = |row: &Row| -> Row {
            let value = |column: &Column| row.get(&column.source.text).cloned().unwrap_or_default();
            columns.iter().map(|column| (column.name().to_owned(), value(column))).collect()
        };
        Self {
            rows: self.rows.iter().map(project).collect(),
            columns: columns.iter().map(|column| column.name().to_owned()).collect(),
            key_columns: 0,
        }
    }

    fn group(self, aggregates: &[Aggregate], by: &[Column]) -> Self {
        let mut groups: Vec<(Vec<Value>, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            let value = |column: &Column| row.get(&column.source.text).cloned().unwrap_or_default();
            let key: Vec<Value> = by.iter().map(value).collect();
            match groups.iter_mut().find(|(other, _)| *other == key) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((key, vec![row])),
            }
        }
        if by.is_empty() && groups.is_empty() {
            groups.push((Vec::new(), Vec::new()));
        }
        let mut columns: Vec<String> = by.iter().map(|column| column.name().to_owned()).collect();
        columns.extend(aggregates.iter().map(name_of));
        let rows = groups.into_iter().map(|(key, rows)| {
            let values = key.into_iter().chain(aggregates.iter().map(|aggregate| evaluate(aggregate, &rows)));
            columns.iter().cloned().zip(values).collect()
        });
        Self { rows: rows.collect(), key_columns: by.len(), columns }
    }

    /// Returns the table as the data lake writes it.
    pub(super) fn to_json(&self) -> Value {
        let cells = |row: &Row| -> Value {
            self.columns.iter().map(|column| row.get(column).cloned().unwrap_or_default()).collect()
        };
        let kind = |column: &String| {
            let numbers = self.rows.iter().filter_map(|row| row.get(column)).all(Value::is_number);
            if numbers && !self.rows.is_empty() { "NUMBER" } else { "STRING" }
        };
        let columns = self
            .columns
            .iter()
            .map(|column| json!({ "name": column, "type": kind(column), "decimalPlaces": 0 }));
        json!({
            "columns": columns.collect::<Vec<_>>(),
            "values": self.rows.iter().map(cells).collect::<Vec<_>>(),
            "keyColumns": self.key_columns,
            "omittedEvents": 0,
            "partialResultsDueToTimeLimit": false,
            "warnings": [],
        })
    }
}

/// Returns the name of the column of a function.
fn name_of(aggregate: &Aggregate) -> String {
    match &aggregate.alias {
        Some(alias) => alias.text.clone(),
        None => {
            let arguments: Vec<&str> = aggregate.arguments.iter().map(|name| name.text.as_str()).collect();
            format!("{}({})", aggregate.function.as_str(), arguments.join(", "))
        }
    }
}

fn evaluate(aggregate: &Aggregate, rows: &[&Row]) -> Value {
    let argument = |number: usize| {
        let name = aggregate.arguments.get(number).map(|name| name.text.as_str()).unwrap_or_default();
        rows.iter().map(move |row| row.get(name).cloned().unwrap_or_default())
    };
    let present = || argument(0).filter(|value| !value.is_null());
    let numbers = || present().filter_map(|value| number_of(&value));
    let by_value = |one: &Value, other: &Value| order(Some(one), Some(other));
    let by_second = |pick: fn(Ordering) -> bool| {
        let mut best: Option<(Value, Value)> = None;
        for pair in argument(0).zip(argument(1)).filter(|(_, key)| !key.is_null()) {
            if best.as_ref().is_none_or(|(_, key)| pick(order(Some(&pair.1), Some(key)))) {
                best = Some(pair);
            }
        }
        best.map(|(value, _)| value).unwrap_or_default()
    };
    match aggregate.function {
        AggregateFunction::Count => json!(rows.len()),
        AggregateFunction::Sum => number(numbers().sum()),
        AggregateFunction::Average => {
            let count = numbers().count();
            if count == 0 { Value::Null } else { number(numbers().sum::<f64>() / count as f64) }
        }
        AggregateFunction::Min => present().min_by(by_value).unwrap_or_default(),
        AggregateFunction::Max => present().max_by(by_value).unwrap_or_default(),
        AggregateFunction::EstimateDistinct => {
            let mut values: Vec<String> = present().map(|value| scalar_to_string(&value)).collect();
            values.sort();
            values.dedup();
            json!(values.len())
        }
        AggregateFunction::MinBy => by_second(Ordering::is_lt),
        AggregateFunction::MaxBy => by_second(Ordering::is_gt),
    }
}

/// Returns a number, without a fraction if it is a whole one.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

fn compare_rows(one: &Row, other: &Row, keys: &[SortKey]) -> Ordering {
    let orders = keys.iter().map(|key| {
        let order = order(one.get(&key.column.text), other.get(&key.column.text));
        if key.is_descending { order.reverse() } else { order }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}
