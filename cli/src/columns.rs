//! Columns of a table: their names and values.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::HashSet;

use comfy_table::Cell;
use sentinelone::commands::{ContextPath, RegisteredCommand};
use serde_json::Value;

use crate::failure::CliError;
use crate::suggest::did_you_mean;
use crate::table::{Grid, plain};

/// Columns of the results of an action.
pub(crate) const RESULTS: [&str; 3] = ["ID", "Result", "Detail"];

/// Returns whether a command writes local files.
pub(crate) fn writes_files(entry: &RegisteredCommand) -> bool {
    (entry.arguments)().iter().any(|argument| argument.name == "dir")
}

/// Returns a usage error if the table of a command cannot have a column. Actions and downloads are checked before
/// they start.
pub(crate) fn check_columns(entry: &RegisteredCommand, columns: &[String]) -> Result<(), CliError> {
    let name = entry.info.name;
    let (subject, known): (_, Vec<&str>) = match () {
        () if columns.is_empty() => return Ok(()),
        () if entry.info.is_action => ("the results of an action have", RESULTS.to_vec()),
        () if entry.outputs.is_empty() => {
            let message = format!("--columns: {name} prints the response as JSON, without columns");
            return Err(CliError::Usage(message));
        }
        () if writes_files(entry) => ("a download has", paths(entry.outputs).map(|(path, _)| path).collect()),
        () => return Ok(()),
    };
    match columns.iter().find(|name| known.iter().all(|one| !one.eq_ignore_ascii_case(name))) {
        Some(name) => {
            let (all, hint) = (known.join(", "), did_you_mean(name, known.iter().copied()));
            Err(CliError::Usage(format!("--columns: {subject} no column {name:?}, only {all}{hint}")))
        }
        None => Ok(()),
    }
}

/// Returns the common prefix of context paths.
pub(crate) fn common_prefix(outputs: &[ContextPath]) -> &'static str {
    let first = outputs.first().map(|output| output.path).unwrap_or_default();
    first.rsplit_once('.').map_or("", |(prefix, _)| prefix)
}

/// Returns the context paths below their common prefix, and whether they are columns by default.
fn paths(outputs: &'static [ContextPath]) -> impl Iterator<Item = (&'static str, bool)> {
    let prefix = common_prefix(outputs);
    let relative = move |output: &'static ContextPath| {
        Some((output.path.strip_prefix(prefix)?.strip_prefix('.')?, output.column))
    };
    outputs.iter().filter_map(relative)
}

/// Returns the JSON pointer of a dotted path.
pub(crate) fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// A context entry, and the item of the response that it is made of.
pub(crate) struct Row<'a> {
    pub(crate) entry: Cow<'a, Value>,
    pub(crate) item: RowItem<'a>,
}

/// The item of a row, in which the columns are looked up that the entry does not have.
pub(crate) enum RowItem<'a> {
    Missing,
    Parsed(&'a Value),
    /// JSON text, which is parsed when a column needs it.
    Text(&'a str),
}

impl RowItem<'_> {
    fn value(&self) -> Cow<'_, Value> {
        match self {
            Self::Missing => Cow::Owned(Value::Null),
            Self::Parsed(value) => Cow::Borrowed(value),
            Self::Text(json) => Cow::Owned(serde_json::from_str(json).unwrap_or_default()),
        }
    }
}

/// The columns that a table can have.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) outputs: &'static [ContextPath],
    /// The names of `--columns`; empty for the default columns.
    pub(crate) selected: &'a [String],
}

impl Columns<'_> {
    /// Returns a table with the selected columns. By default these are the context paths that are columns, or all
    /// context paths if `all` is set, and the members that no context path names; without the empty ones.
    pub(crate) fn grid(self, rows: &[Row<'_>], all: bool) -> Result<Grid, CliError> {
        if !self.selected.is_empty() {
            let names = self.selected.iter().map(|name| self.resolve(name, rows));
            let header = names.collect::<Result<Vec<_>, _>>()?;
            return Ok(Grid { rows: self.cells(&header, rows), header });
        }
        let mut header = Vec::new();
        for (path, _) in paths(self.outputs).filter(|(_, column)| all || *column) {
            if rows.iter().any(|row| field(&row.entry, path).is_some()) {
                header.push(path.to_owned());
            }
        }
        for name in rows.iter().flat_map(|row| self.other_members(&row.entry)) {
            if !header.contains(name) {
                header.push(name.clone());
            }
        }
        Ok(Grid { rows: self.cells(&header, rows), header }.without_empty())
    }

    /// Returns the cells of the columns.
    pub(crate) fn cells(self, header: &[String], rows: &[Row<'_>]) -> Vec<Vec<Cell>> {
        let documented: Vec<bool> = header.iter().map(|name| self.has_path(name)).collect();
        let row = |row: &Row<'_>| {
            let item = LazyCell::new(|| row.item.value());
            let value = |(name, documented): (&String, &bool)| {
                let in_item = || if *documented { None } else { field(&item, name) };
                plain(&text(field(&row.entry, name).or_else(in_item)))
            };
            header.iter().zip(&documented).map(value).collect()
        };
        rows.iter().map(row).collect()
    }

    /// Adds the default columns that have values in `rows` and are neither in `header` nor in `names`.
    pub(crate) fn add_omitted(self, header: &[String], rows: &[Row<'_>], names: &mut Vec<String>) {
        if !self.selected.is_empty() {
            return;
        }
        let mut add = |name: &str, value: Option<&Value>| {
            let is_listed = |list: &[String]| list.iter().any(|one| one == name);
            if !is_listed(header) && !is_listed(names) && !text(value).trim().is_empty() {
                names.push(name.to_owned());
            }
        };
        for row in rows {
            for (path, _) in paths(self.outputs).filter(|(_, column)| *column) {
                add(path, field(&row.entry, path));
            }
            for name in self.other_members(&row.entry) {
                add(name, field(&row.entry, name));
            }
        }
    }

    /// Returns the members that no context path names: the columns of a PowerQuery, and those of the argument `columns`.
    fn other_members(self, entry: &Value) -> impl Iterator<Item = &String> {
        let is_named =
            move |name: &str| paths(self.outputs).any(|(path, _)| path.split('.').next() == Some(name));
        entry.as_object().into_iter().flat_map(|entry| entry.keys()).filter(move |name| !is_named(name))
    }

    fn has_path(self, name: &str) -> bool {
        paths(self.outputs).any(|(path, _)| path == name)
    }

    /// Returns the exact name of a column; case is ignored. Without rows every name is accepted.
    fn resolve(self, name: &str, rows: &[Row<'_>]) -> Result<String, CliError> {
        let is_same = |one: &str| one.eq_ignore_ascii_case(name);
        if self.has_path(name) {
            return Ok(name.to_owned());
        }
        if let Some((path, _)) = paths(self.outputs).find(|(path, _)| is_same(path)) {
            return Ok(path.to_owned());
        }
        let has =
            |row: &Row<'_>| field(&row.entry, name).is_some() || field(&row.item.value(), name).is_some();
        if rows.is_empty() || rows.iter().any(has) {
            return Ok(name.to_owned());
        }
        let mut all = PathList::default();
        paths(self.outputs).for_each(|(path, _)| all.add(path.to_owned()));
        rows.iter().for_each(|row| all.collect(&row.entry, ""));
        rows.iter().for_each(|row| all.collect(&row.item.value(), ""));
        let PathList { paths: all, .. } = all;
        match all.iter().find(|one| is_same(one)) {
            Some(path) => Ok(path.clone()),
            None => {
                let hint = did_you_mean(name, all.iter().map(String::as_str));
                Err(CliError::Usage(format!(
                    "--columns: no item has the field {name:?}; --output json lists the fields{hint}"
                )))
            }
        }
    }
}

/// Different paths in the order in which they are added.
#[derive(Default)]
struct PathList {
    paths: Vec<String>,
    known: HashSet<String>,
}

impl PathList {
    fn add(&mut self, path: String) {
        if !self.known.contains(&path) {
            self.known.insert(path.clone());
            self.paths.push(path);
        }
    }

    /// Adds the dotted paths of all members, at every level.
    fn collect(&mut self, value: &Value, prefix: &str) {
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            self.collect(value, &path);
            self.add(path);
        }
    }
}

/// Returns a member of a value, by its name or by its dotted path, which can contain positions in lists.
fn field<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let member = |value: &'a Value, name: &str| {
        value.get(name).or_else(|| value.get(name.parse::<usize>().ok().filter(|_| value.is_array())?))
    };
    value.get(path).or_else(|| path.split('.').try_fold(value, member))
}

/// Returns a value on one line; a missing, null or empty value is an empty string.
pub(crate) fn text(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None | Some(Value::Null) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(Value::Array(list)) if list.is_empty() => Cow::Borrowed(""),
        Some(Value::Object(object)) if object.is_empty() => Cow::Borrowed(""),
        Some(other) => Cow::Owned(other.to_string()),
    }
}
