//! The one table: every row with its goal and what came of it.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use sentinelone_codegen::{Error, Result};

/// What a row should be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// The ratio is at most this.
    AtMost(f64),
    /// The ratio is at least this.
    AtLeast(f64),
    /// It takes less than so many seconds, beside nothing.
    Seconds(f64),
    /// For comparison alone.
    None,
}

/// A measurement beside another, or beside a limit.
pub(super) struct Row {
    group: &'static str,
    what: String,
    ours: String,
    theirs: String,
    number: f64,
    goal: Goal,
}

impl Row {
    fn ratio(
        group: &'static str,
        what: &str,
        [ours, theirs]: [f64; 2],
        in_words: fn(f64) -> String,
        goal: Goal,
    ) -> Self {
        let number = ours / theirs;
        Self { group, what: what.to_owned(), ours: in_words(ours), theirs: in_words(theirs), number, goal }
    }

    /// Seconds beside seconds.
    pub(super) fn times(group: &'static str, what: &str, ours: f64, theirs: f64, goal: Goal) -> Self {
        Self::ratio(group, what, [ours, theirs], time, goal)
    }

    /// KiB beside KiB.
    pub(super) fn memory(group: &'static str, what: &str, ours: f64, theirs: f64, goal: Goal) -> Self {
        Self::ratio(group, what, [ours, theirs], |kib| format!("{:.1} MiB", kib / 1024.0), goal)
    }

    /// So many a second beside so many.
    pub(super) fn rates(group: &'static str, what: &str, ours: f64, theirs: f64, goal: Goal) -> Self {
        Self::ratio(group, what, [ours, theirs], |rate| format!("{rate:.0}/s"), goal)
    }

    /// Seconds beside a limit.
    pub(super) fn limit(group: &'static str, what: &str, seconds: f64, goal: Goal) -> Self {
        let (what, theirs) = (what.to_owned(), String::new());
        Self { group, what, ours: time(seconds), theirs, number: seconds, goal }
    }

    fn cells(&self) -> [String; 6] {
        let ratio = || format!("{:.2}x", self.number);
        let (ratio, goal, met) = match self.goal {
            Goal::AtMost(most) => (ratio(), format!("<= {most:.2}x"), Some(self.number <= most)),
            Goal::AtLeast(least) => (ratio(), format!(">= {least:.2}x"), Some(self.number >= least)),
            Goal::Seconds(most) => (String::new(), format!("< {}", time(most)), Some(self.number < most)),
            Goal::None => (ratio(), "none".to_owned(), None),
        };
        let verdict = match met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "for comparison",
        };
        [self.what.clone(), self.ours.clone(), self.theirs.clone(), ratio, goal, verdict.to_owned()]
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        long if long >= 1.0 => format!("{long:.1} s"),
        short if short >= 0.01 => format!("{:.0} ms", short * 1e3),
        shorter => format!("{:.1} ms", shorter * 1e3),
    }
}

const HEADER: [&str; 6] = ["what", "ours", "beside it", "ratio", "goal", "verdict"];
const BEGIN: &str = "<!-- measured: `cargo xtask bench` writes what follows -->\n";
const END: &str = "<!-- end of what was measured -->";

#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    fn verdicts(&self) -> (usize, usize) {
        let cells: Vec<_> = self.rows.iter().map(Row::cells).collect();
        let count = |word: &str| cells.iter().filter(|cells| cells[5] == word).count();
        let met = count("met");
        (met, met + count("MISSED"))
    }

    /// For a terminal.
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
                // A String takes everything.
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
        let (met, goals) = self.verdicts();
        text + &format!("{met} of {goals} goals met\n")
    }

    fn markdown(&self) -> String {
        let mut text =
            format!("{}\n\n| {} |\n|{}\n", machine(), HEADER.join(" | "), " --- |".repeat(HEADER.len()));
        for row in &self.rows {
            text.push_str(&format!("| {} |\n", row.cells().join(" | ")));
        }
        let (met, goals) = self.verdicts();
        text + &format!("\n{met} of {goals} goals met.\n")
    }

    /// Puts the table into the page, between its marks.
    pub(super) fn write(&self, page: &Path) -> Result<()> {
        let io = |source| Error::Io { path: page.to_owned(), source };
        let text = std::fs::read_to_string(page).map_err(io)?;
        let text = replaced(&text, &self.markdown()).ok_or_else(|| {
            Error::Generator(format!("{} has lost the marks between which the table stands", page.display()))
        })?;
        std::fs::write(page, text).map_err(io)
    }
}

fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

/// What it was measured on.
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
    use super::{BEGIN, END, Goal, Row, Table, replaced};

    #[test]
    fn goals_are_judged_in_both_directions() {
        let mut table = Table::default();
        table.push(Row::times("a", "quick enough", 1.0, 2.0, Goal::AtMost(0.5)));
        table.push(Row::times("a", "too slow", 1.1, 2.0, Goal::AtMost(0.5)));
        table.push(Row::rates("b", "enough", 9.0, 10.0, Goal::AtLeast(0.9)));
        table.push(Row::rates("b", "too few", 8.0, 10.0, Goal::AtLeast(0.9)));
        table.push(Row::limit("b", "at once", 0.004, Goal::Seconds(0.010)));
        table.push(Row::limit("b", "late", 0.010, Goal::Seconds(0.010)));
        table.push(Row::memory("b", "beside", 2048.0, 1024.0, Goal::None));
        let verdicts: Vec<String> = table.rows.iter().map(|row| row.cells()[5].clone()).collect();
        assert_eq!(verdicts, ["met", "MISSED", "met", "MISSED", "met", "MISSED", "for comparison"]);
        assert_eq!(table.verdicts(), (3, 6));
        let text = table.text();
        for part in ["-- a\n", "-- b\n", "0.55x", "2.0 MiB", "4.0 ms", "3 of 6 goals met"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn the_words_around_the_table_stay() {
        let page = format!("# Words\n{BEGIN}old{END}\nmore words\n");
        assert_eq!(replaced(&page, "new\n"), Some(format!("# Words\n{BEGIN}new\n{END}\nmore words\n")));
        assert_eq!(replaced("no marks", "new"), None);
    }
}
