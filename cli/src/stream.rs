//! Lists that are written page by page, in each format. A page is on stdout before the next one is read.

mod document;
mod rows;

use std::borrow::Cow;
use std::io::Write;

use sentinelone::RawItem;
use sentinelone::commands::{ListPage, Outcome, PageHandling, RegisteredCommand};
use serde_json::Value;

use crate::columns::{Row, RowItem};
use crate::failure::CliError;
use crate::json_text::append_line;
use crate::progress::suspend;
use crate::stdio::{report, to_stdout};
use document::Document;
pub(crate) use rows::TableWriter;

/// Writes the pages of a list to stdout.
pub(crate) struct ListWriter {
    command: &'static str,
    format: Format,
    /// Path of the list in the document, from the first page on.
    path: Option<String>,
    count: usize,
    /// Whether the reader has closed the pipe.
    is_closed: bool,
    /// Error that ended the output.
    error: Option<CliError>,
}

enum Format {
    Lines,
    Json(Document),
    Context(Document),
    Table(TableWriter),
}

impl ListWriter {
    /// Returns a writer of a format. A table has the selected columns.
    pub(crate) fn new(entry: &RegisteredCommand, format: &str, columns: &[String]) -> Self {
        let format = match format {
            "json" => Format::Json(Document::default()),
            "ndjson" => Format::Lines,
            "context" => Format::Context(Document::default()),
            _ => Format::Table(TableWriter::new(entry.outputs, columns)),
        };
        Self { command: entry.info.name, format, path: None, count: 0, is_closed: false, error: None }
    }

    /// Returns whether items were written.
    pub(crate) fn has_items(&self) -> bool {
        self.count > 0
    }

    /// Writes the items of a page. An error or a closed pipe stops the list.
    pub(crate) fn write(&mut self, page: &ListPage<'_>) -> PageHandling {
        let (format, items) = (&mut self.format, page.items());
        let path =
            if matches!(format, Format::Context(_)) { page.context_prefix() } else { page.items_path() };
        self.path.get_or_insert_with(|| path.to_owned());
        let written = suspend(|| {
            to_stdout(|out| match format {
                Format::Lines => Ok(write_lines(items.iter().map(RawItem::get), out)?),
                Format::Json(document) => Ok(document.write(path, items.iter().map(RawItem::get), out)?),
                Format::Context(document) => {
                    Ok(document.write(path, page.entries().map(|entry| entry.to_string()), out)?)
                }
                Format::Table(table) => {
                    let rows: Vec<Row<'_>> = page
                        .entries()
                        .zip(items)
                        .map(|(entry, item)| Row {
                            entry: Cow::Owned(entry),
                            item: RowItem::Text(item.get()),
                        })
                        .collect();
                    table.write(&rows, out)
                }
            })
        });
        match written {
            Ok(true) => {
                self.count += items.len();
                return PageHandling::Consumed;
            }
            Ok(false) => self.is_closed = true,
            Err(error) => self.error = Some(error),
        }
        PageHandling::Stop
    }

    /// Writes what follows the items of a list. Returns false if the list has no page; the outcome is then the result.
    pub(crate) fn end(&mut self, outcome: &Outcome) -> Result<bool, CliError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let Some(path) = self.path.as_deref().filter(|_| !self.is_closed) else { return Ok(self.is_closed) };
        to_stdout(|out| match &mut self.format {
            Format::Lines => Ok(()),
            Format::Json(document) => Ok(document.end(path, &outcome.to_json(), out)?),
            Format::Context(document) => Ok(document.end(path, &outcome.context, out)?),
            Format::Table(table) => table.end(outcome, out),
        })?;
        if let Format::Table(table) = &self.format
            && !table.omitted().is_empty()
        {
            report(format_args!(
                "warning: {}: columns without a value on the first page are omitted, and later pages have values: {}\n  \
                 help: select the columns with --columns",
                self.command,
                table.omitted().join(", ")
            ));
        }
        Ok(true)
    }

    /// Writes what makes the output of an incomplete list valid, such as closing brackets.
    pub(crate) fn interrupt(&mut self) -> Result<(), CliError> {
        let Some(path) = self.path.as_deref().filter(|_| self.count > 0 && !self.is_closed) else {
            return Ok(());
        };
        to_stdout(|out| match &mut self.format {
            Format::Lines => Ok(()),
            Format::Json(document) | Format::Context(document) => {
                Ok(document.end(path, &Value::Null, out)?)
            }
            Format::Table(table) => table.close(out),
        })?;
        Ok(())
    }
}

/// Writes one item per line.
fn write_lines<'a>(items: impl Iterator<Item = &'a str>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut line = Vec::new();
    for item in items {
        line.clear();
        append_line(item, &mut line);
        out.write_all(&line)?;
    }
    Ok(())
}
