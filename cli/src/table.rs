//! Drawing of tables.

use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};
use sentinelone::{IdState, replace_control_chars};

/// Tables are wrapped to the width of a terminal with at least this many columns.
const MIN_WIDTH: u16 = 40;

/// Returns a cell with text.
pub(crate) fn plain(text: &str) -> Cell {
    Cell::new(replace_control_chars(text))
}

/// Returns the cell of a state, with a color.
pub(crate) fn state(state: IdState) -> Cell {
    let cell = plain(state.as_str());
    match state {
        _ if !has_color() => cell,
        state if state.is_success() => cell.fg(Color::Green),
        IdState::NotAffected => cell.fg(Color::Red),
        _ => cell.fg(Color::Yellow),
    }
}

/// Returns whether stdout supports colors.
fn has_color() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Returns a table of strings.
pub(crate) fn grid<const N: usize>(header: [&str; N], rows: impl Iterator<Item = Vec<String>>) -> String {
    Grid::new(header, rows.map(|row| row.iter().map(|cell| plain(cell)).collect())).without_empty().draw()
}

/// Rows under a header.
pub(crate) struct Grid {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Grid {
    pub(crate) fn new<const N: usize>(header: [&str; N], rows: impl Iterator<Item = Vec<Cell>>) -> Self {
        Self { header: header.map(str::to_owned).into(), rows: rows.collect() }
    }

    /// Removes the empty columns, unless all of them are empty.
    pub(crate) fn without_empty(self) -> Self {
        let filled = |column: &usize| {
            self.rows.iter().any(|row| row.get(*column).is_some_and(|cell| !cell.content().trim().is_empty()))
        };
        let filled: Vec<usize> = (0..self.header.len()).filter(filled).collect();
        if filled.is_empty() { self } else { self.only(&filled) }
    }

    /// Selects the columns with these names, in their order; without names, the columns that are not empty.
    pub(crate) fn choose(self, columns: &[String]) -> Self {
        if columns.is_empty() {
            return self.without_empty();
        }
        let position = |name: &String| self.header.iter().position(|one| one.eq_ignore_ascii_case(name));
        let chosen: Vec<usize> = columns.iter().filter_map(position).collect();
        self.only(&chosen)
    }

    fn only(&self, columns: &[usize]) -> Self {
        let header = columns.iter().filter_map(|column| self.header.get(*column).cloned()).collect();
        let row = |row: &Vec<Cell>| columns.iter().filter_map(|column| row.get(*column).cloned()).collect();
        Self { header, rows: self.rows.iter().map(row).collect() }
    }

    /// Converts the first row into one row per field.
    pub(crate) fn transposed(self) -> Self {
        let cells = self.rows.into_iter().next().unwrap_or_default();
        let rows = self.header.iter().zip(cells).map(|(name, cell)| vec![plain(name), cell]).collect();
        Self { header: vec!["Field".to_owned(), "Value".to_owned()], rows }
    }

    /// Returns the complete table.
    pub(crate) fn draw(self) -> String {
        let (text, table) = self.begin();
        text + &table.bottom
    }

    /// Returns the table without its last line. The widths of the columns are those that these rows need, within the
    /// width of a terminal.
    pub(crate) fn begin(self) -> (String, OpenTable) {
        let mut table = styled();
        let has_color = has_color();
        let title = |name: &String| if has_color { plain(name).fg(Color::Cyan) } else { plain(name) };
        table.set_header(self.header.iter().map(title));
        if has_color {
            table.enforce_styling();
        }
        table.add_rows(self.rows);
        // Some terminals report a width of 0.
        let window = table.width().filter(|width| io::stdout().is_terminal() && *width >= MIN_WIDTH);
        if let Some(window) = window {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            // The first column has the name or the ID, which is copied. It is not wrapped.
            let first = table.column_max_content_widths().first().copied().unwrap_or_default();
            if let Some(column) = table.column_mut(0).filter(|_| first <= window / 2) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let mut text = format!("{table}\n");
        let last = text.trim_end().rfind('\n').map_or(0, |end| end + 1);
        let bottom = text.split_off(last);
        (text, OpenTable { bottom })
    }
}

fn styled() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table
}

/// A table without its last line, to which rows are added.
pub(crate) struct OpenTable {
    /// The last line.
    pub(crate) bottom: String,
}

impl OpenTable {
    /// Returns more rows. The columns keep their widths; longer values are wrapped.
    pub(crate) fn draw_rows(&self, rows: Vec<Vec<Cell>>) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let mut table = styled();
        table.add_rows(rows);
        for (column, width) in table.column_iter_mut().zip(self.widths()) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
        // The first line and the last are the frame.
        let text = table.to_string();
        let rows = text.split_once('\n').and_then(|(_, rest)| rest.rsplit_once('\n'));
        rows.map_or_else(String::new, |(rows, _)| format!("{rows}\n"))
    }

    /// Returns the widths of the columns with their padding, which the last line shows.
    fn widths(&self) -> impl Iterator<Item = u16> {
        let columns = self.bottom.trim_end().trim_matches(['└', '┘']).split('┴');
        columns.map(|column| u16::try_from(column.chars().count()).unwrap_or(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(row: &[&str]) -> Vec<Cell> {
        row.iter().map(|text| plain(text)).collect()
    }

    #[test]
    fn draw_rows_wraps_longer_values_within_their_columns() {
        let grid = Grid::new(["ID", "Name"], [cells(&["12", "one two"])].into_iter());
        let (first, table) = grid.begin();
        let text = first
            + &table.draw_rows(vec![cells(&["3", "x"]), cells(&["456", "one two three"])])
            + &table.bottom;
        let expected = "\
┌────┬─────────┐
│ ID ┆ Name    │
╞════╪═════════╡
│ 12 ┆ one two │
│ 3  ┆ x       │
│ 45 ┆ one two │
│ 6  ┆ three   │
└────┴─────────┘
";
        assert_eq!(text, expected);
        assert_eq!(table.draw_rows(Vec::new()), "");
    }

    fn display_width(line: &str) -> u16 {
        let mut table = Table::new();
        table.add_row([line]);
        table.column_max_content_widths()[0]
    }

    proptest! {
        #[test]
        fn draw_rows_aligns_any_text(
            first in "[ -~éñ界語]{0,20}", rows in prop::collection::vec("[ -~é\u{301}ñ界語\u{7f}\n]{0,60}", 1..4),
        ) {
            let (text, table) = Grid::new(["ID", "Name"], [cells(&["1", &first])].into_iter()).begin();
            let rows = rows.iter().map(|row| cells(&[row, row])).collect();
            let text = text + &table.draw_rows(rows) + &table.bottom;
            for line in text.lines() {
                prop_assert_eq!(display_width(line), display_width(table.bottom.trim_end()), "{}", text);
            }
        }
    }
}
