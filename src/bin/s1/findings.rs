//! How findings are shown, and which of them make a command fail.

use std::collections::HashMap;
use std::fmt::Write;
use std::io;

use clap::ArgMatches;
use sentinelone::contract::{Finding, FindingKind, Severity};
use sentinelone::printable;
use serde_json::{Value, json};

use crate::output;
use crate::run::{Failure, text};

/// The form of what is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON array.
    Json,
    /// A JSON object a line.
    Ndjson,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
}

impl Format {
    pub(crate) const NAMES: [&str; 4] = ["text", "json", "ndjson", "github"];

    /// `--format`, or else what `--output` says.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        match text(matches, if matches.contains_id("format") { "format" } else { "output" }) {
            "json" => Ok(Self::Json),
            "ndjson" => Ok(Self::Ndjson),
            "github" => Ok(Self::Github),
            "context" => {
                Err(Failure::Usage("findings have no context paths; give --format text or json".into()))
            }
            _ => Ok(Self::Text),
        }
    }
}

/// The rules that make a command fail.
#[derive(Clone, Debug)]
pub(crate) struct Deny {
    /// Everything that is at least as bad.
    severity: Option<Severity>,
    rules: Vec<FindingKind>,
}

impl Deny {
    /// Names that stand for several rules.
    const GROUPS: [(&str, Option<Severity>); 4] = [
        ("error", Some(Severity::Error)),
        ("drift", Some(Severity::Drift)),
        ("all", Some(Severity::Note)),
        ("none", None),
    ];

    /// All names that are taken.
    pub(crate) fn names() -> Vec<&'static str> {
        let groups = Self::GROUPS.iter().map(|(name, _)| *name);
        groups.chain(FindingKind::ALL.iter().map(|kind| kind.name())).collect()
    }

    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let names = || matches.get_many::<String>("deny").into_iter().flatten();
        let group = |name: &String| Self::GROUPS.iter().find(|(group, _)| group == name)?.1;
        Self {
            // The least bad one holds the others.
            severity: names().filter_map(group).min(),
            rules: names().filter_map(|name| name.parse().ok()).collect(),
        }
    }

    pub(crate) fn denies(&self, finding: &Finding) -> bool {
        self.severity.is_some_and(|least| finding.severity() >= least) || self.rules.contains(&finding.kind)
    }
}

/// Where a finding is.
pub(crate) struct Place<'a> {
    pub(crate) file: Option<&'a str>,
    /// Number of an entry of a HAR.
    pub(crate) entry: Option<usize>,
}

impl Place<'_> {
    /// For people, as the beginning of a line.
    fn shown(&self) -> String {
        let file = self.file.unwrap_or_default();
        match self.entry {
            Some(entry) => format!("{file}: entry {entry}: "),
            None if file.is_empty() => String::new(),
            None => format!("{file}: "),
        }
    }
}

/// Findings of the same kind in the items of a list: the first, and how many there are.
pub(crate) struct Folded<'a> {
    pub(crate) finding: &'a Finding,
    count: usize,
}

/// Puts together what differs only in the positions in lists: a page of a thousand items says the same a
/// thousand times.
pub(crate) fn folded(findings: &[Finding]) -> Vec<Folded<'_>> {
    let mut places: HashMap<(FindingKind, String), usize> = HashMap::new();
    let mut folded: Vec<Folded<'_>> = Vec::new();
    for finding in findings {
        let key = (finding.kind, without_positions(&finding.place));
        let at = *places.entry(key).or_insert(folded.len());
        match folded.get_mut(at) {
            Some(one) => one.count += 1,
            None => folded.push(Folded { finding, count: 1 }),
        }
    }
    folded
}

fn without_positions(place: &str) -> String {
    let mut text = String::new();
    let mut rest = place;
    while let Some((before, after)) = rest.split_once('[') {
        text.push_str(before);
        text.push('[');
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    text + rest
}

impl Folded<'_> {
    fn message(&self) -> String {
        match self.count {
            1 => self.finding.message.clone(),
            count => format!("{}; here first, {count} times in all", self.finding.message),
        }
    }

    /// A line for people.
    pub(crate) fn line(&self, place: &Place<'_>) -> String {
        let Finding { kind, place: at, .. } = self.finding;
        let operation =
            self.finding.operation().map(|operation| format!("{operation}: ")).unwrap_or_default();
        let text = format!("{}{operation}{at}: {kind}: {}", place.shown(), self.message());
        printable(&text) + "\n"
    }

    /// An annotation.
    pub(crate) fn annotation(&self, place: &Place<'_>, deny: &Deny) -> String {
        let finding = self.finding;
        let level = match finding.severity() {
            _ if deny.denies(finding) => "error",
            Severity::Note => "notice",
            _ => "warning",
        };
        let operation = finding.operation().map(|operation| format!("{operation}: ")).unwrap_or_default();
        let title = format!("{operation}{}", finding.kind);
        let entry = place.entry.map(|entry| format!("entry {entry}: ")).unwrap_or_default();
        let message = format!("{entry}{}: {}", finding.place, self.message());
        annotation(level, place.file, &title, &message)
    }
}

/// A workflow command. What could end it, or begin another one, is escaped.
pub(crate) fn annotation(level: &str, file: Option<&str>, title: &str, message: &str) -> String {
    let mut command = format!("::{level} ");
    if let Some(file) = file {
        // The place is one of JSON and no line; the first one shows the file.
        let _ = write!(command, "file={},line=1,", property(file));
    }
    let _ = write!(command, "title={}::{}", property(title), data(message));
    printable(&command) + "\n"
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A finding for machines.
pub(crate) fn json_of(finding: &Finding, deny: &Deny) -> Value {
    json!({
        "operation": finding.operation(),
        "place": finding.place,
        "part": finding.part(),
        "path": finding.path(),
        "rule": finding.kind,
        "severity": finding.severity(),
        "denied": deny.denies(finding),
        "message": finding.message,
    })
}

/// Writes a JSON array, or lines of JSON, as things come.
pub(crate) struct Items {
    format: Format,
    begun: bool,
    first: bool,
}

impl Items {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, begun: false, first: true }
    }

    /// Nothing is written before something was read, so that a usage error has no output.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        if !self.begun && self.format == Format::Json {
            output::write("[")?;
        }
        self.begun = true;
        Ok(())
    }

    pub(crate) fn item(&mut self, item: &Value) -> io::Result<()> {
        self.begin()?;
        let before = match self.format {
            Format::Json if self.first => "\n",
            Format::Json => ",\n",
            _ => "",
        };
        let after = if self.format == Format::Json { "" } else { "\n" };
        self.first = false;
        output::write(&format!("{before}{}{after}", output::inert(&item.to_string())))
    }

    pub(crate) fn end(&self) -> io::Result<()> {
        match (self.format, self.begun, self.first) {
            (Format::Json, true, true) => output::write("]\n"),
            (Format::Json, true, false) => output::write("\n]\n"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_workflow_command_is_one_whatever_stands_in_it() {
        let line = super::annotation("error", Some("a,b:c%.json"), "x: y\nz", "1\r\n::error ::2%\u{1b}[2J");
        let expected = "::error file=a%2Cb%3Ac%25.json,line=1,title=x%3A y%0Az::1%0D%0A::error ::2%25 [2J\n";
        assert_eq!(line, expected);
    }

    #[test]
    fn positions_are_left_out() {
        assert_eq!(super::without_positions("answer.data[12].a[0].b"), "answer.data[].a[].b");
        assert_eq!(super::without_positions("answer[\"a[1\"].b"), "answer[\"a[\"].b");
    }
}
