//! Formats of findings, and the findings that fail a command.

use std::collections::HashMap;
use std::fmt::Write;
use std::io;

use clap::ArgMatches;
use sentinelone::replace_control_chars;
use sentinelone_contract::{ContractRule, Finding, Severity};
use serde_json::{Value, json};

use crate::failure::CliError;
use crate::json_text;
use crate::options::text;
use crate::stdio;

/// Format of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines of text.
    Text,
    /// One JSON array.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Workflow commands of GitHub Actions, for annotations.
    Github,
}

impl Format {
    pub(crate) const NAMES: [&str; 4] = ["text", "json", "ndjson", "github"];

    /// Returns the format of `--format`, or else of `--output`.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, CliError> {
        match text(matches, if matches.contains_id("format") { "format" } else { "output" }) {
            "json" => Ok(Self::Json),
            "ndjson" => Ok(Self::Ndjson),
            "github" => Ok(Self::Github),
            "context" => {
                Err(CliError::Usage("findings have no context paths; use --format text or json".into()))
            }
            _ => Ok(Self::Text),
        }
    }
}

/// Findings that fail a command.
#[derive(Clone, Debug)]
pub(crate) struct Deny {
    /// Findings with at least this severity.
    severity: Option<Severity>,
    rules: Vec<ContractRule>,
}

impl Deny {
    /// Names of severities.
    const GROUPS: [(&str, Option<Severity>); 5] = [
        ("error", Some(Severity::Error)),
        ("drift", Some(Severity::Drift)),
        ("tolerated", Some(Severity::Tolerated)),
        ("all", Some(Severity::Note)),
        ("none", None),
    ];

    /// Returns all names that the option accepts.
    pub(crate) fn names() -> Vec<&'static str> {
        let groups = Self::GROUPS.iter().map(|(name, _)| *name);
        groups.chain(ContractRule::ALL.iter().map(|rule| rule.as_str())).collect()
    }

    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let names = || matches.get_many::<String>("deny").into_iter().flatten();
        let group = |name: &String| Self::GROUPS.iter().find(|(group, _)| group == name)?.1;
        Self {
            // The lowest severity includes the others.
            severity: names().filter_map(group).min(),
            rules: names().filter_map(|name| name.parse().ok()).collect(),
        }
    }

    pub(crate) fn denies(&self, finding: &Finding) -> bool {
        self.severity.is_some_and(|least| finding.severity() >= least) || self.rules.contains(&finding.rule)
    }
}

/// File and entry of a finding.
pub(crate) struct FindingSource<'a> {
    pub(crate) file: Option<&'a str>,
    /// Number of the entry of a HAR file.
    pub(crate) entry: Option<usize>,
}

impl FindingSource<'_> {
    /// Returns the start of a line of text.
    fn prefix(&self) -> String {
        let file = self.file.unwrap_or_default();
        match self.entry {
            Some(entry) => format!("{file}: entry {entry}: "),
            None if file.is_empty() => String::new(),
            None => format!("{file}: "),
        }
    }
}

/// Findings that differ only in array positions: the first finding and the count.
pub(crate) struct FindingGroup<'a> {
    pub(crate) finding: &'a Finding,
    count: usize,
}

/// Groups findings that differ only in array positions: the items of a page often have the same finding.
pub(crate) fn grouped(findings: &[Finding]) -> Vec<FindingGroup<'_>> {
    let mut positions: HashMap<(ContractRule, String), usize> = HashMap::new();
    let mut groups: Vec<FindingGroup<'_>> = Vec::new();
    for finding in findings {
        let key = (finding.rule, without_positions(&finding.location));
        let position = *positions.entry(key).or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.count += 1,
            None => groups.push(FindingGroup { finding, count: 1 }),
        }
    }
    groups
}

fn without_positions(location: &str) -> String {
    let mut text = String::new();
    let mut rest = location;
    while let Some((before, after)) = rest.split_once('[') {
        text.push_str(before);
        text.push('[');
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    text + rest
}

impl FindingGroup<'_> {
    fn message(&self) -> String {
        match self.count {
            1 => self.finding.message.clone(),
            count => format!("{}; first of {count} occurrences", self.finding.message),
        }
    }

    /// Returns a line of text.
    pub(crate) fn line(&self, source: &FindingSource<'_>) -> String {
        let Finding { rule, location, .. } = self.finding;
        let operation =
            self.finding.operation().map(|operation| format!("{operation}: ")).unwrap_or_default();
        let text = format!("{}{operation}{location}: {rule}: {}", source.prefix(), self.message());
        replace_control_chars(&text) + "\n"
    }

    /// Returns an annotation.
    pub(crate) fn annotation(&self, source: &FindingSource<'_>, deny: &Deny) -> String {
        let finding = self.finding;
        let level = match finding.severity() {
            _ if deny.denies(finding) => "error",
            Severity::Note | Severity::Tolerated => "notice",
            _ => "warning",
        };
        let operation = finding.operation().map(|operation| format!("{operation}: ")).unwrap_or_default();
        let title = format!("{operation}{}", finding.rule);
        let entry = source.entry.map(|entry| format!("entry {entry}: ")).unwrap_or_default();
        let message = format!("{entry}{}: {}", finding.location, self.message());
        annotation(level, source.file, &title, &message)
    }
}

/// Returns a workflow command. Characters that end it or start another command are escaped.
pub(crate) fn annotation(level: &str, file: Option<&str>, title: &str, message: &str) -> String {
    let mut command = format!("::{level} ");
    if let Some(file) = file {
        // A location is not a line number. Line 1 links the annotation to the file.
        let _ = write!(command, "file={},line=1,", property(file));
    }
    let _ = write!(command, "title={}::{}", property(title), data(message));
    replace_control_chars(&command) + "\n"
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns a finding as JSON.
pub(crate) fn json_of(finding: &Finding, deny: &Deny) -> Value {
    json!({
        "operation": finding.operation(),
        "location": finding.location,
        "part": finding.part(),
        "path": finding.path(),
        "rule": finding.rule,
        "severity": finding.severity(),
        "denied": deny.denies(finding),
        "message": finding.message,
    })
}

/// Writes a JSON array or lines of JSON, item by item.
pub(crate) struct JsonWriter {
    format: Format,
    started: bool,
    first: bool,
}

impl JsonWriter {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, started: false, first: true }
    }

    /// Starts the array. It is not started before an exchange was read: a usage error has no output.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        if !self.started && self.format == Format::Json {
            stdio::write("[")?;
        }
        self.started = true;
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
        stdio::write(&format!("{before}{}{after}", json_text::escape_control_chars(&item.to_string())))
    }

    pub(crate) fn end(&self) -> io::Result<()> {
        match (self.format, self.started, self.first) {
            (Format::Json, true, true) => stdio::write("]\n"),
            (Format::Json, true, false) => stdio::write("\n]\n"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn annotation_escapes_workflow_commands() {
        let line = super::annotation("error", Some("a,b:c%.json"), "x: y\nz", "1\r\n::error ::2%\u{1b}[2J");
        let expected = "::error file=a%2Cb%3Ac%25.json,line=1,title=x%3A y%0Az::1%0D%0A::error ::2%25 [2J\n";
        assert_eq!(line, expected);
    }

    #[test]
    fn without_positions_removes_array_positions() {
        assert_eq!(super::without_positions("response.body.data[12].a[0].b"), "response.body.data[].a[].b");
        assert_eq!(super::without_positions("response.body[\"a[1\"].b"), "response.body[\"a[\"].b");
    }
}
