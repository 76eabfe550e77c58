//! A table that is written page by page.

use std::io::Write;

use sentinelone::commands::{ContextPath, Outcome};
use serde_json::Value;

use crate::columns::{Columns, Row};
use crate::failure::CliError;
use crate::table::OpenTable;

/// The table of a list. The first page with items determines the columns and their widths.
pub(crate) struct TableWriter {
    outputs: &'static [ContextPath],
    /// The names of `--columns`.
    selected: Vec<String>,
    /// The header and the table, from the first page with items on. A table without columns has no text.
    table: Option<(Vec<String>, Option<OpenTable>)>,
    count: usize,
    /// Default columns that were empty on the first page and have values on a later one.
    omitted: Vec<String>,
}

impl TableWriter {
    pub(crate) fn new(outputs: &'static [ContextPath], selected: &[String]) -> Self {
        Self { outputs, selected: selected.to_owned(), table: None, count: 0, omitted: Vec::new() }
    }

    /// Writes the rows of a page. Returns a usage error if no item of the first page has a selected column.
    pub(crate) fn write(&mut self, rows: &[Row<'_>], out: &mut dyn Write) -> Result<(), CliError> {
        if rows.is_empty() {
            return Ok(());
        }
        let columns = Columns { outputs: self.outputs, selected: &self.selected };
        match &self.table {
            None => {
                let grid = columns.grid(rows, false)?;
                let header = grid.header.clone();
                let open = (!header.is_empty()).then(|| grid.begin());
                if let Some((text, _)) = &open {
                    out.write_all(text.as_bytes())?;
                }
                self.table = Some((header, open.map(|(_, table)| table)));
            }
            Some((header, table)) => {
                columns.add_omitted(header, rows, &mut self.omitted);
                if let Some(table) = table {
                    out.write_all(table.draw_rows(columns.cells(header, rows)).as_bytes())?;
                }
            }
        }
        self.count += rows.len();
        Ok(())
    }

    /// Writes the last line of the table.
    pub(crate) fn close(&self, out: &mut dyn Write) -> Result<(), CliError> {
        if let Some((_, Some(table))) = &self.table {
            out.write_all(table.bottom.as_bytes())?;
        }
        Ok(())
    }

    /// Writes the last line of the table and the number of rows, with the number of items on the console if it is larger.
    pub(crate) fn end(&self, outcome: &Outcome, out: &mut dyn Write) -> Result<(), CliError> {
        let count = self.count;
        if count == 0 && !outcome.not_found.is_empty() {
            // stderr names the identifiers.
            return Ok(());
        }
        self.close(out)?;
        match outcome.response.pointer("/pagination/totalItems").and_then(Value::as_u64) {
            Some(total) if total > count as u64 => writeln!(out, "{count} of {total}")?,
            _ => writeln!(out, "{count} found")?,
        }
        Ok(())
    }

    /// Returns the default columns that are not part of the table although a later page has values for them.
    pub(crate) fn omitted(&self) -> &[String] {
        &self.omitted
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use sentinelone::commands::find;
    use serde_json::json;

    use super::*;
    use crate::columns::RowItem;

    fn row(entry: Value, item: &str) -> Row<'_> {
        Row { entry: Cow::Owned(entry), item: RowItem::Text(item) }
    }

    /// Returns the table of pages, or the usage error, and the omitted columns.
    fn table(selected: &[&str], pages: &[&[Row<'_>]]) -> (Result<String, String>, Vec<String>) {
        let selected: Vec<String> = selected.iter().map(|name| (*name).to_owned()).collect();
        let mut table = TableWriter::new(find("get-threats").unwrap().outputs, &selected);
        let mut out = Vec::new();
        let written = pages.iter().try_for_each(|page| table.write(page, &mut out));
        table.close(&mut out).unwrap();
        let text = written.map(|()| String::from_utf8(out).unwrap()).map_err(|error| error.to_string());
        (text, table.omitted().to_owned())
    }

    #[test]
    fn selected_columns_are_read_from_entries_and_then_from_items() {
        let page = [
            row(json!({ "ID": "1" }), r#"{"ID":"9","a":{"b":["x","y"]},"c.d":1.10}"#),
            row(json!({ "ID": "2", "c.d": "entry" }), "{}"),
        ];
        let (text, _) =
            table(&["id", "A.b", "c.d", "a.b.1"], &[&page, &[row(json!({}), r#"{"ID":"9","c.d":7}"#)]]);
        let expected = "\
┌────┬───────────┬───────┬───────┐
│ ID ┆ a.b       ┆ c.d   ┆ a.b.1 │
╞════╪═══════════╪═══════╪═══════╡
│ 1  ┆ [\"x\",\"y\"] ┆ 1.10  ┆ y     │
│ 2  ┆           ┆ entry ┆       │
│    ┆           ┆ 7     ┆       │
└────┴───────────┴───────┴───────┘
";
        assert_eq!(text.unwrap(), expected);
    }

    #[test]
    fn unknown_column_is_a_usage_error_with_the_nearest_field() {
        let (text, _) = table(&["threatinf.name"], &[&[row(json!({}), r#"{"threatInfo":{"name":"x"}}"#)]]);
        let error = text.unwrap_err();
        assert!(
            error.contains("no item has the field \"threatinf.name\"") && error.contains("threatInfo.name"),
            "{error}"
        );
    }

    #[test]
    fn items_are_not_parsed_for_documented_columns() {
        let (text, _) = table(&["ThreatName", "ID"], &[&[row(json!({ "ID": "1" }), "not JSON")]]);
        assert!(text.unwrap().contains("│            ┆ 1  │"));
    }

    #[test]
    fn omitted_columns_are_those_with_later_values() {
        let first = [row(json!({ "ID": "1", "extra": null }), "")];
        let later = [row(json!({ "ID": "2", "Classification": " ", "extra": [] }), "")];
        let last = [row(json!({ "ID": "3", "Classification": "Worm", "extra": 1, "FileSha256": "x" }), "")];
        let pages: &[&[Row<'_>]] = &[&[], &first, &later];
        assert_eq!(table(&[], pages).1, [""; 0]);
        assert_eq!(table(&[], &[pages, &[&last]].concat()).1, ["Classification", "extra"]);
        assert_eq!(table(&["ID"], &[pages, &[&last]].concat()).1, [""; 0]);
    }
}
