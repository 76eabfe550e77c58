//! Proposal for the next version and its changelog section, from findings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Finding;
use super::rules::{Class, Rule};
use crate::{Error, Result};

/// Effect of a release on a program that uses the previous one, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReleaseLevel {
    /// No changes.
    Unchanged,
    /// Fixes or documentation only.
    Fix,
    /// New features or changed behavior; programs need no changes.
    Addition,
    /// Programs may need changes.
    Breaking,
}

impl ReleaseLevel {
    /// Returns the highest level of the findings.
    pub fn from_findings(findings: &[Finding]) -> Self {
        let one = |finding: &Finding| match finding.class {
            Class::Breaking | Class::BreakingDecode => Self::Breaking,
            Class::BehaviorChange | Class::New => Self::Addition,
            Class::DocsOnly => Self::Fix,
        };
        findings.iter().map(one).max().unwrap_or(Self::Unchanged)
    }

    /// Returns the name of the version part that the release raises.
    pub fn raises(self, version: [u64; 3]) -> Option<&'static str> {
        let part = match (self, version) {
            (Self::Unchanged, _) => return None,
            // Before 1.0, cargo treats the first non-zero part as the major version.
            (_, [0, 0, _]) => "patch",
            (Self::Breaking, [0, ..]) => "minor",
            (_, [0, ..]) => "patch",
            (Self::Breaking, _) => "major",
            (Self::Addition, _) => "minor",
            (Self::Fix, _) => "patch",
        };
        Some(part)
    }

    /// Returns the next version.
    pub fn next(self, version: [u64; 3]) -> [u64; 3] {
        let [major, minor, patch] = version;
        match self.raises(version) {
            Some("major") => [major + 1, 0, 0],
            Some("minor") => [major, minor + 1, 0],
            Some(_) => [major, minor, patch + 1],
            None => version,
        }
    }
}

/// Parses a version of three numbers.
///
/// # Errors
/// Returns an error if `text` is not such a version.
pub fn version(text: &str) -> Result<[u64; 3]> {
    let numbers: Vec<u64> = text.split('.').map_while(|part| part.parse().ok()).collect();
    match (<[u64; 3]>::try_from(numbers), text.split('.').count()) {
        (Ok(version), 3) => Ok(version),
        _ => Err(Error::Command(format!("invalid version {text:?}: expected three numbers"))),
    }
}

/// Result of `cargo semver-checks` for a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SemverCheck {
    /// Name of the crate.
    pub package: String,
    /// Required level, or `None` if the check failed to run.
    pub level: Option<ReleaseLevel>,
    /// Summary line of the output.
    pub summary: String,
}

impl SemverCheck {
    /// Parses the output of the command.
    pub fn read(package: &str, success: bool, output: &str) -> Self {
        let line = output.lines().map(str::trim).rfind(|line| line.starts_with("Summary "));
        let level = match line {
            Some(line) if line.contains("requires new major version") => Some(ReleaseLevel::Breaking),
            Some(line) if line.contains("requires new minor version") => Some(ReleaseLevel::Addition),
            _ if success => Some(ReleaseLevel::Unchanged),
            _ => None,
        };
        let last = || output.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no output");
        let summary = line.map_or_else(last, |line| line.trim_start_matches("Summary ").trim());
        Self { package: package.to_owned(), level, summary: summary.to_owned() }
    }
}

/// Input for the release notes.
#[derive(Clone, Debug)]
pub struct Release<'a> {
    /// Version in `Cargo.toml`.
    pub version: [u64; 3],
    /// Git revision of the previous release.
    pub since: &'a str,
    /// Changes of the specification.
    pub findings: &'a [Finding],
    /// Results of `cargo semver-checks`, or `None` if it is not installed.
    pub semver_checks: Option<Vec<SemverCheck>>,
}

const HEADINGS: [&str; 4] = ["Removed", "Changed", "Deprecated", "Added"];

impl Release<'_> {
    /// Returns the highest level of the findings and the semver checks.
    pub fn level(&self) -> ReleaseLevel {
        let levels = self.semver_checks.iter().flatten().filter_map(|check| check.level);
        levels.fold(ReleaseLevel::from_findings(self.findings), ReleaseLevel::max)
    }

    /// Formats the notes: the proposed version, the changelog section, then the affected commands and new operations.
    pub fn notes(&self) -> String {
        let level = self.level();
        let next = number(level.next(self.version));
        let mut out = match level.raises(self.version) {
            Some(part) => {
                format!("{part} release: {} -> {next}, since {}\n", number(self.version), self.since)
            }
            None => format!("no release: no changes in the specification since {}\n", self.since),
        };
        match &self.semver_checks {
            None => {
                out.push_str("cargo semver-checks is not installed; only the specification is compared\n")
            }
            Some(checks) => {
                for check in checks {
                    let unknown = if check.level.is_none() { " (no result)" } else { "" };
                    let _ =
                        writeln!(out, "cargo semver-checks, {}: {}{unknown}", check.package, check.summary);
                }
            }
        }
        let _ = write!(out, "\n## [{next}]\n");
        let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut omitted = 0;
        for finding in self.findings {
            match heading(finding) {
                Some(heading) => sections.entry(heading).or_default().push(entry(finding)),
                None => omitted += 1,
            }
        }
        for heading in HEADINGS {
            let Some(entries) = sections.get(heading) else { continue };
            let _ = write!(out, "\n### {heading}\n\n");
            out.extend(entries.iter().map(|entry| format!("- {entry}\n")));
        }
        if omitted > 0 {
            let changes = if omitted == 1 { "change" } else { "changes" };
            let _ = write!(out, "\n{omitted} {changes} without effect on programs omitted.\n");
        }
        let commands: BTreeSet<&str> =
            self.findings.iter().flat_map(|finding| &finding.commands).map(String::as_str).collect();
        let added: Vec<&str> = self
            .findings
            .iter()
            .filter(|finding| finding.rule == Rule::OperationAdded)
            .flat_map(|finding| finding.operations.iter().map(|one| one.operation.as_str()))
            .collect();
        list(&mut out, "Affected commands", &commands.into_iter().collect::<Vec<_>>());
        list(&mut out, "New operations", &added);
        out
    }
}

/// Returns the changelog heading of a finding, or `None` if the changelog does not mention it.
fn heading(finding: &Finding) -> Option<&'static str> {
    Some(match finding.rule {
        Rule::OperationRemoved
        | Rule::ParameterRemoved
        | Rule::BodyRemoved
        | Rule::FieldRemoved
        | Rule::EnumValueRemoved
        | Rule::VersionRemoved
        | Rule::SuccessStatusRemoved => "Removed",
        Rule::Deprecated => "Deprecated",
        Rule::EnumValueAdded => "Added",
        _ if finding.class == Class::New => "Added",
        _ if finding.class == Class::DocsOnly => return None,
        _ => "Changed",
    })
}

/// Formats a changelog entry.
fn entry(finding: &Finding) -> String {
    let mark = if finding.class.breaks() { "**Breaking:** " } else { "" };
    let operations: Vec<String> =
        finding.operations.iter().map(|one| format!("`{}`", one.operation)).collect();
    let first = match operations.split_at(operations.len().min(3)) {
        (all, []) => all.join(", "),
        (first, more) => format!("{} and {} more", first.join(", "), more.len()),
    };
    let mut chars = finding.message.chars();
    let message: String =
        chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default() + chars.as_str();
    // The message names the operation if the operation itself changed.
    if finding.operations.iter().all(|one| finding.message.contains(&format!("`{}`", one.operation))) {
        return format!("{mark}{message}.");
    }
    format!("{mark}{message} ({first}).")
}

fn list(out: &mut String, title: &str, names: &[&str]) {
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let _ = write!(out, "\n{title}: {names}\n");
}

fn number([major, minor, patch]: [u64; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}
