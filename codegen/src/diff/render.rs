//! Findings for people and for machines.
//!
//! The JSON is one object, in this form for good:
//!
//! | member | |
//! | --- | --- |
//! | `format` | 1; another number would mean another form |
//! | `old`, `new` | what was compared, as it was named |
//! | `breaks` | whether a program has to be changed |
//! | `counts` | class to number of findings |
//! | `findings` | the findings, worst first; see [`Finding`]. `class` is one of `breaks-callers`, `breaks-decoding`, `behaves-differently`, `new`, `text-only`; `direction` one of `operation`, `send`, `read`; `rule` a name of the table of [`Rule`](super::Rule) |

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::rules::Class;
use super::{Finding, Reached};
use crate::page;

/// How many names a list shows.
const NAMES: usize = 6;
/// How many findings of one class are shown to people at once.
const FINDINGS: usize = 100;
/// How many findings of one class a pull request shows without being asked.
const OPEN: usize = 8;

/// A comparison, to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// What the old document is called.
    pub old: &'a str,
    /// What the new one is called.
    pub new: &'a str,
    /// What changed.
    pub findings: &'a [Finding],
}

impl<'a> Comparison<'a> {
    /// Whether a program has to be changed.
    pub fn breaks(&self) -> bool {
        self.findings.iter().any(|finding| finding.class.breaks())
    }

    fn of(&self, class: Class) -> impl Iterator<Item = &'a Finding> + use<'a> {
        self.findings.iter().filter(move |finding| finding.class == class)
    }

    /// The findings of a class by what they are about, in order.
    fn grouped(&self, class: Class) -> BTreeMap<String, Vec<&'a Finding>> {
        let mut groups: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
        for finding in self.of(class) {
            groups.entry(heading(finding)).or_default().push(finding);
        }
        groups
    }

    fn summary(&self) -> String {
        match self.findings.len() {
            0 => "nothing changed".to_owned(),
            1 => "1 change".to_owned(),
            many => format!("{many} changes"),
        }
    }
}

/// What a finding is listed under: its operation, or what several operations share.
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

/// Some names, and how many more there are.
fn some<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn operations(finding: &Finding) -> impl Iterator<Item = &str> {
    finding.operations.iter().map(|one| one.operation.as_str())
}

/// The places of a finding, each once.
fn places(finding: &Finding) -> Vec<&str> {
    let mut all: Vec<&str> =
        finding.operations.iter().flat_map(|one| one.places.iter().map(String::as_str)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// For a terminal.
pub fn text(comparison: &Comparison<'_>) -> String {
    let mut out = format!("{} -> {}: {}\n", comparison.old, comparison.new, comparison.summary());
    for class in Class::ALL {
        let _ = writeln!(out, "  {:<20}{:>6}", class.name(), comparison.of(class).count());
    }
    for class in Class::ALL {
        let count = comparison.of(class).count();
        if count == 0 {
            continue;
        }
        let _ = writeln!(out, "\n{} ({count})", class.name().to_uppercase());
        let mut left = FINDINGS;
        for (heading, findings) in comparison.grouped(class) {
            if left == 0 {
                break;
            }
            let _ = writeln!(out, "\n  {heading}");
            for finding in findings.into_iter().take(left) {
                left -= 1;
                let (direction, rule) = (finding.direction.name(), finding.rule.name());
                let _ = writeln!(out, "    - {} [{direction}, {rule}]", finding.message);
                let mut line = |what: &str, names: String| {
                    if !names.is_empty() {
                        let _ = writeln!(out, "      {what}: {names}");
                    }
                };
                if finding.operations.len() > 1 {
                    line("operations", some(operations(finding)));
                }
                line("places", some(places(finding)));
                line("commands", some(finding.commands.iter().map(String::as_str)));
                line("rust", some(finding.rust.iter().map(String::as_str)));
            }
        }
        if count > FINDINGS {
            let _ = writeln!(out, "\n  and {} more; --format json has all", count - FINDINGS);
        }
    }
    out
}

/// For the description of a pull request.
pub fn markdown(comparison: &Comparison<'_>) -> String {
    let mut out =
        format!("## What changes between {} and {}\n\n", code(comparison.old), code(comparison.new));
    if comparison.findings.is_empty() {
        out.push_str("Nothing changed.\n");
        return out;
    }
    out.push_str("| class | changes |\n| --- | ---: |\n");
    for class in Class::ALL {
        let _ = writeln!(out, "| {} | {} |", class.name(), comparison.of(class).count());
    }
    for class in Class::ALL {
        let findings: Vec<&Finding> = comparison.grouped(class).into_values().flatten().collect();
        if findings.is_empty() {
            continue;
        }
        let collapsed = findings.len() > OPEN;
        let title = format!("{} ({})", class.name(), findings.len());
        match collapsed {
            true => {
                let _ = writeln!(out, "\n<details><summary><b>{title}</b></summary>");
            }
            false => {
                let _ = writeln!(out, "\n### {title}");
            }
        }
        out.push_str("\n| what | rule | operations | commands | Rust |\n| --- | --- | --- | --- | --- |\n");
        for finding in findings.iter().take(FINDINGS) {
            let list = |names: Vec<&str>, mark: bool| {
                let names: Vec<String> =
                    names.into_iter().map(|name| if mark { code(name) } else { cell(name) }).collect();
                let all = some(names.iter().map(String::as_str));
                if all.is_empty() { "–".to_owned() } else { all }
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                cell(&finding.message),
                finding.rule.name(),
                list(operations(finding).collect(), true),
                list(finding.commands.iter().map(String::as_str).collect(), false),
                list(finding.rust.iter().map(String::as_str).collect(), true),
            );
        }
        if findings.len() > FINDINGS {
            let _ = writeln!(out, "\nand {} more", findings.len() - FINDINGS);
        }
        if collapsed {
            out.push_str("\n</details>\n");
        }
    }
    out
}

/// A text in a cell of a Markdown table: nothing in it is markup, except code.
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

/// For machines; the form is described at the head of this module.
pub fn json(comparison: &Comparison<'_>) -> String {
    let counts: BTreeMap<&str, usize> =
        Class::ALL.into_iter().map(|class| (class.slug(), comparison.of(class).count())).collect();
    let mut value = json!({
        "format": 1,
        "old": comparison.old,
        "new": comparison.new,
        "breaks": comparison.breaks(),
        "counts": counts,
        "findings": comparison.findings,
    });
    // Also where a dependent lets serde_json keep the order of a file.
    value.sort_all_objects();
    format!("{value:#}\n")
}

/// A page of its own, which needs no network.
pub fn html(comparison: &Comparison<'_>) -> String {
    let (old, new) = (page::text(comparison.old), page::text(comparison.new));
    let mut tiles = String::new();
    for class in Class::ALL {
        let count = comparison.of(class).count();
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
         <title>What changed</title>\n<style>\n{}</style>\n</head>\n<body data-rows=\"changes\">\n\
         <header>\n<h1>What changed</h1>\n<p>From <code>{old}</code> to <code>{new}</code>: {}. A change that several \
         operations share is one row.</p>\n<ul id=\"totals\">{tiles}</ul>\n\
         <p id=\"tools\" hidden><label>Filter <input id=\"filter\" type=\"search\" \
         placeholder=\"operation, rule, command, item\" autocomplete=\"off\"></label>\n\
         <label><input id=\"lacking\" type=\"checkbox\"> only what breaks</label>\n\
         <button id=\"theme\" type=\"button\">light or dark</button>\n<output id=\"shown\"></output></p>\n</header>\n\
         <main>\n<table>\n<thead><tr><th scope=\"col\">What</th><th scope=\"col\">Class</th>\
         <th scope=\"col\">Rule</th><th scope=\"col\">Operations</th><th scope=\"col\">Commands</th>\
         <th scope=\"col\">Rust</th><th scope=\"col\">Was and is</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n<p id=\"nothing\" hidden>No change fits.</p>\n</main>\n\
         <script>\n{}</script>\n</body>\n</html>\n",
        page::STYLE,
        comparison.summary(),
        page::SCRIPT,
    )
}

fn row(finding: &Finding) -> String {
    let (class, state) = match finding.class.breaks() {
        true => (" class=\"lacks\"", "bad"),
        false => ("", if finding.class == Class::New { "good" } else { "none" }),
    };
    let names = |all: &[String]| several(all.iter().map(|one| format!("<code>{}</code>", page::text(one))));
    let operation = |one: &Reached| {
        let places: Vec<String> =
            one.places.iter().map(|place| format!("<code>{}</code>", page::text(place))).collect();
        format!(
            "<b>{}</b> <code>{}</code><br>{}",
            page::text(&one.operation),
            page::text(&one.request),
            places.join("<br>")
        )
    };
    let value = |value: &Value| page::text(&value.to_string());
    format!(
        "<tr{class}><th scope=\"row\">{}</th><td class=\"{state}\" data-name=\"Class\">{}</td>\
         <td data-name=\"Rule\">{}, {}</td><td data-name=\"Operations\">{}</td>\
         <td data-name=\"Commands\">{}</td><td data-name=\"Rust\">{}</td>\
         <td data-name=\"Was and is\"><code>{}</code><br><code>{}</code></td></tr>\n",
        page::text(&finding.message),
        finding.class.name(),
        finding.rule.name(),
        finding.direction.name(),
        several(finding.operations.iter().map(operation)),
        names(&finding.commands),
        names(&finding.rust),
        value(&finding.old),
        value(&finding.new),
    )
}

/// A few, and the others to be opened.
fn several(all: impl Iterator<Item = String>) -> String {
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
