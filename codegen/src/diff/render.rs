//! Reports of findings as text, Markdown, JSON and HTML.
//!
//! The JSON report is one object. Its format is stable:
//!
//! | member | |
//! | --- | --- |
//! | `format` | format version: 1 |
//! | `old`, `new` | names of the compared documents |
//! | `breaks` | whether a program may need changes |
//! | `counts` | number of findings by class |
//! | `findings` | the findings, most severe first; see [`Finding`]. `class` is one of `breaking`, `breaking-decode`, `behavior-change`, `new`, `docs-only`; `direction` is one of `operation`, `request`, `response`; `rule` is the name of a [`Rule`](super::Rule) |

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::rules::Class;
use super::{AffectedOperation, Finding};
use crate::html_report;

/// Maximum number of names in a list.
const MAX_NAMES: usize = 6;
/// Maximum number of findings of one class in text and Markdown.
const MAX_FINDINGS: usize = 100;
/// Maximum number of findings of one class that are not collapsed in Markdown.
const MAX_EXPANDED: usize = 8;

/// A comparison of two documents, for a report.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// Name of the old document.
    pub old: &'a str,
    /// Name of the new document.
    pub new: &'a str,
    /// The changes.
    pub findings: &'a [Finding],
}

impl<'a> Comparison<'a> {
    /// Returns whether a program may need changes.
    pub fn breaks(&self) -> bool {
        self.findings.iter().any(|finding| finding.class.breaks())
    }

    fn findings_of(&self, class: Class) -> impl Iterator<Item = &'a Finding> + use<'a> {
        self.findings.iter().filter(move |finding| finding.class == class)
    }

    /// Returns the findings of a class, grouped by heading.
    fn grouped(&self, class: Class) -> BTreeMap<String, Vec<&'a Finding>> {
        let mut groups: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
        for finding in self.findings_of(class) {
            groups.entry(heading(finding)).or_default().push(finding);
        }
        groups
    }

    fn summary(&self) -> String {
        match self.findings.len() {
            0 => "no changes".to_owned(),
            1 => "1 change".to_owned(),
            many => format!("{many} changes"),
        }
    }
}

/// Returns the heading of a finding: its operation, or the schema that several operations share.
fn heading(finding: &Finding) -> String {
    match finding.operations.as_slice() {
        [one] => one.operation.clone(),
        all => {
            let schema = finding.owner.split(['.', '[', '{']).next().unwrap_or_default();
            match schema.chars().next() {
                Some(first) if first.is_uppercase() => schema.to_owned(),
                _ => format!("{} operations", all.len()),
            }
        }
    }
}

/// Joins names, up to [`MAX_NAMES`], with the number of omitted ones.
fn joined<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let first = names.iter().take(MAX_NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn operations(finding: &Finding) -> impl Iterator<Item = &str> {
    finding.operations.iter().map(|one| one.operation.as_str())
}

/// Returns the locations of a finding, without duplicates.
fn locations(finding: &Finding) -> Vec<&str> {
    let mut all: Vec<&str> =
        finding.operations.iter().flat_map(|one| one.locations.iter().map(String::as_str)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Formats a report for a terminal.
pub fn text(comparison: &Comparison<'_>) -> String {
    let mut out = format!("{} -> {}: {}\n", comparison.old, comparison.new, comparison.summary());
    for class in Class::ALL {
        let _ = writeln!(out, "  {:<20}{:>6}", class.name(), comparison.findings_of(class).count());
    }
    for class in Class::ALL {
        let count = comparison.findings_of(class).count();
        if count == 0 {
            continue;
        }
        let _ = writeln!(out, "\n{} ({count})", class.name().to_uppercase());
        let mut remaining = MAX_FINDINGS;
        for (heading, findings) in comparison.grouped(class) {
            if remaining == 0 {
                break;
            }
            let _ = writeln!(out, "\n  {heading}");
            for finding in findings.into_iter().take(remaining) {
                remaining -= 1;
                let (direction, rule) = (finding.direction.name(), finding.rule.name());
                let _ = writeln!(out, "    - {} [{direction}, {rule}]", finding.message);
                let mut line = |label: &str, names: String| {
                    if !names.is_empty() {
                        let _ = writeln!(out, "      {label}: {names}");
                    }
                };
                if finding.operations.len() > 1 {
                    line("operations", joined(operations(finding)));
                }
                line("locations", joined(locations(finding)));
                line("commands", joined(finding.commands.iter().map(String::as_str)));
                line("rust", joined(finding.rust.iter().map(String::as_str)));
                line("used in", by_file(&finding.users).join(", "));
            }
        }
        if count > MAX_FINDINGS {
            let _ = writeln!(out, "\n  and {} more; use --format json for all", count - MAX_FINDINGS);
        }
    }
    out
}

/// Formats a report for the description of a pull request.
pub fn markdown(comparison: &Comparison<'_>) -> String {
    let mut out = format!("## API changes from {} to {}\n\n", code(comparison.old), code(comparison.new));
    if comparison.findings.is_empty() {
        out.push_str("No changes.\n");
        return out;
    }
    out.push_str("| class | changes |\n| --- | ---: |\n");
    for class in Class::ALL {
        let _ = writeln!(out, "| {} | {} |", class.name(), comparison.findings_of(class).count());
    }
    for class in Class::ALL {
        let findings: Vec<&Finding> = comparison.grouped(class).into_values().flatten().collect();
        if findings.is_empty() {
            continue;
        }
        let collapsed = findings.len() > MAX_EXPANDED;
        let title = format!("{} ({})", class.name(), findings.len());
        match collapsed {
            true => {
                let _ = writeln!(out, "\n<details><summary><b>{title}</b></summary>");
            }
            false => {
                let _ = writeln!(out, "\n### {title}");
            }
        }
        out.push_str("\n| change | rule | operations | commands | Rust |\n| --- | --- | --- | --- | --- |\n");
        for finding in findings.iter().take(MAX_FINDINGS) {
            let list = |names: Vec<&str>, mark: bool| {
                let names: Vec<String> =
                    names.into_iter().map(|name| if mark { code(name) } else { cell(name) }).collect();
                let all = joined(names.iter().map(String::as_str));
                if all.is_empty() { "–".to_owned() } else { all }
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                cell(&finding.message),
                finding.rule.name(),
                list(operations(finding).collect(), true),
                list(finding.commands.iter().map(String::as_str).collect(), false),
                rust_and_users(&list(finding.rust.iter().map(String::as_str).collect(), true), finding),
            );
        }
        if findings.len() > MAX_FINDINGS {
            let _ = writeln!(out, "\nand {} more", findings.len() - MAX_FINDINGS);
        }
        if collapsed {
            out.push_str("\n</details>\n");
        }
    }
    out
}

/// Escapes a text for a cell of a Markdown table. Only code spans remain markup.
fn cell(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '`' => {
                inside = !inside;
                out.push(c);
            }
            '|' => out.push_str("\\|"),
            '\n' | '\r' => out.push(' '),
            '<' | '>' | '&' | '*' | '_' | '[' | ']' | '\\' | '@' | '#' if !inside => {
                let _ = write!(out, "&#{};", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

/// Formats the JSON report. The module documentation describes the format.
pub fn json(comparison: &Comparison<'_>) -> String {
    let counts: BTreeMap<&str, usize> =
        Class::ALL.into_iter().map(|class| (class.slug(), comparison.findings_of(class).count())).collect();
    let mut value = json!({
        "format": 1,
        "old": comparison.old,
        "new": comparison.new,
        "breaks": comparison.breaks(),
        "counts": counts,
        "findings": comparison.findings,
    });
    // A dependent crate may enable `preserve_order` of serde_json.
    value.sort_all_objects();
    format!("{value:#}\n")
}

/// Formats a self-contained HTML page.
pub fn html(comparison: &Comparison<'_>) -> String {
    let (old, new) = (html_report::escape(comparison.old), html_report::escape(comparison.new));
    let mut tiles = String::new();
    for class in Class::ALL {
        let count = comparison.findings_of(class).count();
        let bad = if class.breaks() && count > 0 { " class=\"bad\"" } else { "" };
        let _ = write!(tiles, "<li{bad}><b>{count}</b> {}</li>", class.name());
    }
    let mut rows = String::new();
    for finding in comparison.findings {
        rows.push_str(&row(finding));
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>API changes</title>\n<style>\n{}</style>\n</head>\n<body data-rows=\"changes\">\n\
         <header>\n<h1>API changes</h1>\n<p>From <code>{old}</code> to <code>{new}</code>: {}. A change of several \
         operations is one row.</p>\n<ul id=\"totals\">{tiles}</ul>\n\
         <p id=\"tools\" hidden><label>Filter <input id=\"filter\" type=\"search\" \
         placeholder=\"operation, rule, command, Rust item\" autocomplete=\"off\"></label>\n\
         <label><input id=\"flagged\" type=\"checkbox\"> only breaking changes</label>\n\
         <button id=\"theme\" type=\"button\">light or dark</button>\n<output id=\"count\"></output></p>\n</header>\n\
         <main>\n<table>\n<thead><tr><th scope=\"col\">Change</th><th scope=\"col\">Class</th>\
         <th scope=\"col\">Rule</th><th scope=\"col\">Operations</th><th scope=\"col\">Commands</th>\
         <th scope=\"col\">Rust</th><th scope=\"col\">Old and new</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n<p id=\"no-match\" hidden>No matching changes.</p>\n</main>\n\
         <script>\n{}</script>\n</body>\n</html>\n",
        html_report::STYLE,
        comparison.summary(),
        html_report::SCRIPT,
    )
}

fn row(finding: &Finding) -> String {
    let (class, state) = match finding.class.breaks() {
        true => (" class=\"flagged\"", "bad"),
        false => ("", if finding.class == Class::New { "good" } else { "none" }),
    };
    let users = by_file(&finding.users);
    let used_in = if users.is_empty() { String::new() } else { format!("<p>Used in</p>{}", names(&users)) };
    let operation = |one: &AffectedOperation| {
        let locations: Vec<String> = one
            .locations
            .iter()
            .map(|location| format!("<code>{}</code>", html_report::escape(location)))
            .collect();
        format!(
            "<b>{}</b> <code>{}</code><br>{}",
            html_report::escape(&one.operation),
            html_report::escape(&one.request),
            locations.join("<br>")
        )
    };
    let value = |value: &Value| html_report::escape(&value.to_string());
    format!(
        "<tr{class}><th scope=\"row\">{}</th><td class=\"{state}\" data-name=\"Class\">{}</td>\
         <td data-name=\"Rule\">{}, {}</td><td data-name=\"Operations\">{}</td>\
         <td data-name=\"Commands\">{}</td><td data-name=\"Rust\">{}</td>\
         <td data-name=\"Old and new\"><code>{}</code><br><code>{}</code></td></tr>\n",
        prose(&finding.message),
        finding.class.name(),
        finding.rule.name(),
        finding.direction.name(),
        collapsed_list(finding.operations.iter().map(operation)),
        names(&finding.commands),
        names(&finding.rust) + &used_in,
        value(&finding.old),
        value(&finding.new),
    )
}

fn names(all: &[String]) -> String {
    collapsed_list(all.iter().map(|one| format!("<code>{}</code>", html_report::escape(one))))
}

/// Returns a cell with the Rust items and their handwritten users.
fn rust_and_users(rust: &str, finding: &Finding) -> String {
    match by_file(&finding.users) {
        files if files.is_empty() => rust.to_owned(),
        files => {
            let files: Vec<String> = files.iter().map(|file| code(file)).collect();
            format!("{rust}; used in {}", files.join(", "))
        }
    }
}

/// Groups lines by file: `src/a.rs:1,5`.
fn by_file(users: &[String]) -> Vec<String> {
    let mut files: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for user in users {
        let (file, line) = user.rsplit_once(':').unwrap_or((user, ""));
        files.entry(file).or_default().extend(line.parse::<usize>());
    }
    let lines = |mut lines: Vec<usize>| {
        lines.sort_unstable();
        lines.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
    };
    files.into_iter().map(|(file, all)| format!("{file}:{}", lines(all))).collect()
}

/// Converts a message to HTML: text between backticks becomes code.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let mark = |(at, part)| match at % 2 {
        0 => html_report::escape(part),
        _ => format!("<code>{}</code>", html_report::escape(part)),
    };
    parts.map(mark).collect()
}

/// Joins values for HTML: three are visible, the others are collapsed.
fn collapsed_list(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    if all.is_empty() {
        return "–".to_owned();
    }
    let (first, more) = all.split_at(all.len().min(3));
    let first = first.join("<br>");
    if more.is_empty() {
        return first;
    }
    format!("{first}<details><summary>{} more</summary>{}</details>", more.len(), more.join("<br>"))
}
