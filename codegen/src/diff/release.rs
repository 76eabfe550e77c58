//! What a release has to say and which number it takes, as far as findings tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Finding;
use super::rules::{Class, Rule};
use crate::{Error, Result};

/// What a release is to a program that uses the one before, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing of it can be told.
    Nothing,
    /// The same, in other words or more correctly.
    Repair,
    /// It can do more, or does it in another way, and no program has to be changed.
    Addition,
    /// Programs may have to be changed.
    Breaking,
}

impl Step {
    /// What findings add up to.
    pub fn of(findings: &[Finding]) -> Self {
        let one = |finding: &Finding| match finding.class {
            Class::BreaksCallers | Class::BreaksDecoding => Self::Breaking,
            Class::BehavesDifferently | Class::New => Self::Addition,
            Class::TextOnly => Self::Repair,
        };
        findings.iter().map(one).max().unwrap_or(Self::Nothing)
    }

    /// The name of the part of a version that it raises.
    pub fn raises(self, version: [u64; 3]) -> Option<&'static str> {
        let part = match (self, version) {
            (Self::Nothing, _) => return None,
            // Before 1.0 each part counts for the one before it, as cargo resolves versions.
            (_, [0, 0, _]) => "patch",
            (Self::Breaking, [0, ..]) => "minor",
            (_, [0, ..]) => "patch",
            (Self::Breaking, _) => "major",
            (Self::Addition, _) => "minor",
            (Self::Repair, _) => "patch",
        };
        Some(part)
    }

    /// The version after one.
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

/// Reads a version of three numbers.
///
/// # Errors
/// When it is none.
pub fn version(text: &str) -> Result<[u64; 3]> {
    let numbers: Vec<u64> = text.split('.').map_while(|part| part.parse().ok()).collect();
    match (<[u64; 3]>::try_from(numbers), text.split('.').count()) {
        (Ok(version), 3) => Ok(version),
        _ => Err(Error::Generator(format!("{text} is no version of three numbers"))),
    }
}

/// What `cargo semver-checks` said of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The crate.
    pub package: String,
    /// What it asks for; `None` when it could not tell.
    pub step: Option<Step>,
    /// Its own words, in a line.
    pub words: String,
}

impl Verdict {
    /// Reads what it printed.
    pub fn read(package: &str, done: bool, output: &str) -> Self {
        let line = output.lines().map(str::trim).rfind(|line| line.starts_with("Summary "));
        let step = match line {
            Some(line) if line.contains("requires new major version") => Some(Step::Breaking),
            Some(line) if line.contains("requires new minor version") => Some(Step::Addition),
            _ if done => Some(Step::Nothing),
            _ => None,
        };
        let last =
            || output.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
        let words = line.map_or_else(last, |line| line.trim_start_matches("Summary ").trim());
        Self { package: package.to_owned(), step, words: words.to_owned() }
    }
}

/// What is known when a release is made.
#[derive(Clone, Debug)]
pub struct Release<'a> {
    /// The version in `Cargo.toml`.
    pub version: [u64; 3],
    /// The revision that it is compared with.
    pub since: &'a str,
    /// What changed in the specification.
    pub findings: &'a [Finding],
    /// What `cargo semver-checks` said; `None` where it is not installed.
    pub verdicts: Option<Vec<Verdict>>,
}

const HEADINGS: [&str; 4] = ["Removed", "Changed", "Deprecated", "Added"];

impl Release<'_> {
    /// The greatest step that anybody asks for.
    pub fn step(&self) -> Step {
        let verdicts = self.verdicts.iter().flatten().filter_map(|verdict| verdict.step);
        verdicts.fold(Step::of(self.findings), Step::max)
    }

    /// The notes: advice first, then the section of the changelog, then whom it concerns.
    pub fn notes(&self) -> String {
        let step = self.step();
        let next = number(step.next(self.version));
        let mut out = match step.raises(self.version) {
            Some(part) => {
                format!("{part} release: {} -> {next}, since {}\n", number(self.version), self.since)
            }
            None => format!("no release: nothing changed in the specification since {}\n", self.since),
        };
        match &self.verdicts {
            None => out
                .push_str("cargo semver-checks is not installed, so that only the specification is judged\n"),
            Some(verdicts) => {
                for verdict in verdicts {
                    let unknown = if verdict.step.is_none() { " (could not tell)" } else { "" };
                    let _ =
                        writeln!(out, "cargo semver-checks, {}: {}{unknown}", verdict.package, verdict.words);
                }
            }
        }
        let _ = write!(out, "\n## [{next}]\n");
        let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut texts = 0;
        for finding in self.findings {
            match heading(finding) {
                Some(heading) => sections.entry(heading).or_default().push(entry(finding)),
                None => texts += 1,
            }
        }
        for heading in HEADINGS {
            let Some(entries) = sections.get(heading) else { continue };
            let _ = write!(out, "\n### {heading}\n\n");
            out.extend(entries.iter().map(|entry| format!("- {entry}\n")));
        }
        if texts > 0 {
            let noun = if texts == 1 { "change" } else { "changes" };
            let _ = write!(out, "\n{texts} {noun} of texts, or of bounds of answers, are left out.\n");
        }
        let commands: BTreeSet<&str> =
            self.findings.iter().flat_map(|finding| &finding.commands).map(String::as_str).collect();
        let added: Vec<&str> = self
            .findings
            .iter()
            .filter(|finding| finding.rule == Rule::OperationAdded)
            .flat_map(|finding| finding.operations.iter().map(|one| one.operation.as_str()))
            .collect();
        list(&mut out, "Commands touched", &commands.into_iter().collect::<Vec<_>>());
        list(&mut out, "Operations added", &added);
        out
    }
}

/// The heading of a changelog that a finding stands under.
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
        _ if finding.class == Class::TextOnly => return None,
        _ => "Changed",
    })
}

/// A line of a changelog.
fn entry(finding: &Finding) -> String {
    let mark = if finding.class.breaks() { "**Breaking:** " } else { "" };
    let operations: Vec<String> =
        finding.operations.iter().map(|one| format!("`{}`", one.operation)).collect();
    let shown = match operations.split_at(operations.len().min(3)) {
        (first, []) => first.join(", "),
        (first, more) => format!("{} and {} more", first.join(", "), more.len()),
    };
    let mut chars = finding.message.chars();
    let message: String =
        chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default() + chars.as_str();
    // The operation is in the sentence where it is what changed.
    if finding.operations.iter().all(|one| finding.message.contains(&format!("`{}`", one.operation))) {
        return format!("{mark}{message}.");
    }
    format!("{mark}{message} ({shown}).")
}

fn list(out: &mut String, title: &str, names: &[&str]) {
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let _ = write!(out, "\n{title}: {names}\n");
}

fn number([major, minor, patch]: [u64; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}
