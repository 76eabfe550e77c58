//! Table of the measurements with their goals.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use sentinelone_codegen::{Error, Result};

/// Goal of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// Maximum ratio.
    AtMost(f64),
    /// Minimum ratio.
    AtLeast(f64),
    /// Maximum in the unit of the row, whatever the reference.
    Max(f64),
    /// Minimum in the unit of the row, whatever the reference.
    Min(f64),
    /// No goal.
    None,
}

/// Unit of a measurement.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Seconds,
    Kib,
    PerSecond,
    MegabytesPerSecond,
}

impl Unit {
    fn format(self, number: f64) -> String {
        match self {
            Self::Seconds => time(number),
            Self::Kib => format!("{:.1} MiB", number / 1024.0),
            Self::PerSecond => format!("{number:.0}/s"),
            Self::MegabytesPerSecond => format!("{number:.0} MB/s"),
        }
    }
}

/// A measurement, with the reference that it is compared with.
pub(super) struct Row {
    group: &'static str,
    label: String,
    unit: Unit,
    client: f64,
    reference: Option<f64>,
    goal: Goal,
}

impl Row {
    /// Compares a measurement with a reference.
    pub(super) fn ratio(
        group: &'static str,
        label: &str,
        unit: Unit,
        [client, reference]: [f64; 2],
        goal: Goal,
    ) -> Self {
        Self { group, label: label.to_owned(), unit, client, reference: Some(reference), goal }
    }

    /// Returns a measurement without a reference. Its goal is not a ratio.
    pub(super) fn alone(group: &'static str, label: &str, unit: Unit, client: f64, goal: Goal) -> Self {
        Self { group, label: label.to_owned(), unit, client, reference: None, goal }
    }

    fn cells(&self) -> [String; 6] {
        let Self { unit, client, goal, .. } = *self;
        let ratio = self.reference.map(|reference| client / reference);
        let (goal, met) = match goal {
            Goal::AtMost(max) => (format!("<= {max:.2}x"), ratio.map(|ratio| ratio <= max)),
            Goal::AtLeast(min) => (format!(">= {min:.2}x"), ratio.map(|ratio| ratio >= min)),
            Goal::Max(max) => (format!("<= {}", unit.format(max)), Some(client <= max)),
            Goal::Min(min) => (format!(">= {}", unit.format(min)), Some(client >= min)),
            Goal::None => ("none".to_owned(), None),
        };
        let result = match met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "not rated",
        };
        [
            self.label.clone(),
            unit.format(client),
            self.reference.map(|reference| unit.format(reference)).unwrap_or_default(),
            ratio.map(|ratio| format!("{ratio:.2}x")).unwrap_or_default(),
            goal,
            result.to_owned(),
        ]
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        long if long >= 1.0 => format!("{long:.1} s"),
        short if short >= 0.01 => format!("{:.0} ms", short * 1e3),
        shorter => format!("{:.1} ms", shorter * 1e3),
    }
}

const HEADER: [&str; 6] = ["measurement", "client", "reference", "ratio", "goal", "result"];
const BEGIN: &str = "<!-- begin: written by `cargo xtask bench` -->\n";
const END: &str = "<!-- end: written by `cargo xtask bench` -->";

#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Returns the number of met goals and of goals.
    fn goals(&self) -> (usize, usize) {
        let cells: Vec<_> = self.rows.iter().map(Row::cells).collect();
        let count = |result: &str| cells.iter().filter(|cells| cells[5] == result).count();
        let met = count("met");
        (met, met + count("MISSED"))
    }

    /// Formats the table for a terminal.
    pub(super) fn text(&self) -> String {
        let rows: Vec<[String; 6]> = self.rows.iter().map(Row::cells).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([HEADER[column].len()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
        let line = |cells: [&str; 6]| {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(&widths) {
                // Writing to a `String` does not fail.
                let _ = write!(line, "{cell:<width$}  ");
            }
            line.trim_end().to_owned() + "\n"
        };
        let mut text = line(HEADER);
        let mut group = "";
        for (row, cells) in self.rows.iter().zip(&rows) {
            if row.group != group {
                group = row.group;
                text.push_str(&format!("-- {group}\n"));
            }
            text.push_str(&line(cells.each_ref().map(String::as_str)));
        }
        let (met, goals) = self.goals();
        text + &format!("{met} of {goals} goals met\n")
    }

    fn markdown(&self) -> String {
        let mut text =
            format!("{}\n\n| {} |\n|{}\n", machine(), HEADER.join(" | "), " --- |".repeat(HEADER.len()));
        for row in &self.rows {
            text.push_str(&format!("| {} |\n", row.cells().join(" | ")));
        }
        let (met, goals) = self.goals();
        text + &format!("\n{met} of {goals} goals met.\n")
    }

    /// Replaces the table between the markers of the page.
    pub(super) fn write(&self, page: &Path) -> Result<()> {
        let io = |source| Error::Io { path: page.to_owned(), source };
        let text = std::fs::read_to_string(page).map_err(io)?;
        let text = replaced(&text, &self.markdown()).ok_or_else(|| {
            Error::Generator(format!("{}: the markers of the table are missing", page.display()))
        })?;
        std::fs::write(page, text).map_err(io)
    }
}

fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

/// Returns the compiler and platform of the run.
fn machine() -> String {
    let rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .arg("--version")
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    let rustc = String::from_utf8_lossy(&rustc);
    let rustc = rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("`cargo xtask bench`, {rustc}, {os} {arch}, {cores} cores; medians of one run, each build once.")
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, Goal, Row, Table, Unit, replaced};

    #[test]
    fn goals_counts_met_and_missed() {
        let mut table = Table::default();
        let rates = Unit::PerSecond;
        table.push(Row::ratio("a", "fast", Unit::Seconds, [1.0, 2.0], Goal::AtMost(0.5)));
        table.push(Row::ratio("a", "slow", Unit::Seconds, [1.1, 2.0], Goal::AtMost(0.5)));
        table.push(Row::ratio("b", "high", rates, [9.0, 10.0], Goal::AtLeast(0.9)));
        table.push(Row::ratio("b", "low", rates, [8.0, 10.0], Goal::AtLeast(0.9)));
        table.push(Row::alone("b", "fast", Unit::Seconds, 0.004, Goal::Max(0.004)));
        table.push(Row::alone("b", "slow", Unit::Seconds, 0.011, Goal::Max(0.010)));
        table.push(Row::ratio("b", "large", Unit::Kib, [2049.0, 4096.0], Goal::Max(2048.0)));
        table.push(Row::alone("b", "rate", Unit::MegabytesPerSecond, 40.0, Goal::Min(40.0)));
        table.push(Row::ratio("b", "size", Unit::Kib, [2048.0, 1024.0], Goal::None));
        let results: Vec<String> = table.rows.iter().map(|row| row.cells()[5].clone()).collect();
        let expected = ["met", "MISSED", "met", "MISSED", "met", "MISSED", "MISSED", "met", "not rated"];
        assert_eq!(results, expected);
        assert_eq!(table.goals(), (4, 8));
        let text = table.text();
        for part in ["-- a\n", "-- b\n", "0.55x", "<= 2.0 MiB", "4.0 ms", ">= 40 MB/s", "4 of 8 goals met"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn replaced_keeps_the_text_around_the_table() {
        let page = format!("# Title\n{BEGIN}old{END}\nmore text\n");
        assert_eq!(replaced(&page, "new\n"), Some(format!("# Title\n{BEGIN}new\n{END}\nmore text\n")));
        assert_eq!(replaced("no markers", "new"), None);
    }
}
