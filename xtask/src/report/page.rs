//! HTML of the report: one file with style and script, readable without either.

use std::fmt::Write;

use sentinelone_codegen::html_report::{SCRIPT, STYLE, escape};

use super::evidence::{Evidence, Row, SourceLocation};

/// Renders the page. Links start with `base`.
pub(crate) fn html(evidence: &Evidence, base: &str) -> String {
    let totals = evidence.totals();
    let mut rows = String::new();
    for row in &evidence.rows {
        rows.push_str(&line(row, base));
    }
    let kinds: Vec<String> =
        evidence.fixtures.iter().map(|(kind, count)| format!("{count} {}", escape(kind))).collect();
    let published = match evidence.published {
        Some(count) => format!("{count}"),
        None => "not available".to_owned(),
    };
    let tile = |number: usize, label: &str, bad: bool| {
        let class = if bad { " class=\"bad\"" } else { "" };
        format!("<li{class}><b>{number}</b> {}</li>", escape(label))
    };
    let tiles = [
        tile(totals.curated, "curated operations", false),
        tile(totals.documented, "documented operations", false),
        tile(totals.commands, "commands", false),
        tile(totals.fixtures, "fixtures", false),
        tile(totals.without_success, "without success fixture", totals.without_success > 0),
        tile(totals.without_null, "without null fixture", totals.without_null > 0),
        tile(totals.without_error, "without error fixture", totals.without_error > 0),
        tile(totals.declared, "declared response fields", false),
        tile(totals.only_generated, "fields only in generated fixtures", false),
        tile(totals.never, "fields in no exchange", totals.never > 0),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Operation report</title>\n<style>\n{STYLE}</style>\n</head>\n<body data-rows=\"operations\">\n\
         <header>\n<h1>Operation report</h1>\n\
         <p>Specification, method, commands, fixtures and tests of each operation. Fixtures: {kinds}. Published \
         exchanges: {published}. Fixtures in italics are generated from the specification: they test the client and \
         do not prove the behavior of a console.</p>\n<ul id=\"totals\">{tiles}</ul>\n\
         <p id=\"tools\" hidden><label>Filter <input id=\"filter\" type=\"search\" \
         placeholder=\"operation, path, command, field\" autocomplete=\"off\"></label>\n\
         <label><input id=\"flagged\" type=\"checkbox\"> only operations without evidence</label>\n\
         <button id=\"theme\" type=\"button\">light or dark</button>\n<output id=\"count\"></output></p>\n</header>\n\
         <main>\n<table>\n<thead><tr><th scope=\"col\">Operation</th><th scope=\"col\">Tier</th><th scope=\"col\">Spec</th>\
         <th scope=\"col\">Client</th><th scope=\"col\">Commands</th><th scope=\"col\">Requests</th>\
         <th scope=\"col\">Success</th><th scope=\"col\">Null</th><th scope=\"col\">Error</th>\
         <th scope=\"col\">Tests</th><th scope=\"col\">Published</th><th scope=\"col\">Fields</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n<p id=\"no-match\" hidden>No operation matches.</p>\n</main>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        kinds = kinds.join(", "),
        tiles = tiles.concat(),
    )
}

fn line(row: &Row, base: &str) -> String {
    let link = |location: &SourceLocation, label: &str| link(base, location, label);
    let mut html = String::new();
    let class = if row.lacks.is_empty() { "" } else { " class=\"flagged\"" };
    let _ = write!(
        html,
        "<tr id=\"{0}\"{class}><th scope=\"row\"><a class=\"anchor\" href=\"#{0}\">{0}</a><br><code>{1}</code><br>\
         <span>{2}</span>{3}</th><td data-name=\"Tier\">{4}</td>",
        escape(&row.id),
        escape(&row.request),
        escape(&row.summary),
        requirements(row),
        row.tier.as_str()
    );
    let mut cell = |name: &str, content: &str, good: bool| {
        let class = if good { "good" } else { "none" };
        let _ = write!(html, "<td class=\"{class}\" data-name=\"{name}\">{content}</td>");
    };
    cell("Spec", &link(&row.spec, "spec"), row.spec.line.is_some());
    match &row.client {
        Some(location) => cell("Client", &link(location, &row.resource), true),
        None => cell("Client", "raw request", false),
    }
    let commands: Vec<String> = row.commands.iter().map(|(name, location)| link(location, name)).collect();
    let names = if commands.is_empty() { "–".to_owned() } else { commands.join("<br>") };
    cell("Commands", &names, !commands.is_empty());
    let evidence = [
        ("Requests", &row.requests, None),
        ("Success", &row.successes, Some("success")),
        ("Null", &row.nulls, Some("null")),
        ("Error", &row.errors, Some("error")),
        ("Tests", &row.tests, None),
    ];
    for (name, locations, kind) in evidence {
        let lacks = kind.is_some_and(|kind| row.lacks.iter().any(|lack| lack == kind));
        let content = match locations.as_slice() {
            [] if lacks => "missing".to_owned(),
            // The response has no JSON or no nullable field.
            [] => "not applicable".to_owned(),
            locations => links(locations, base),
        };
        // What is generated from the specification proves nothing about a console.
        let is_generated = !locations.is_empty() && locations.iter().all(SourceLocation::is_generated);
        let class = match (lacks, is_generated) {
            (true, _) => "bad",
            (false, true) => "none",
            (false, false) => "good",
        };
        let content = if is_generated { format!("generated only: {content}") } else { content };
        let _ = write!(html, "<td class=\"{class}\" data-name=\"{name}\">{content}</td>");
    }
    let published = row.published.map_or("not available".to_owned(), |count| count.to_string());
    let class = if row.published.unwrap_or_default() > 0 { "good" } else { "none" };
    let _ = write!(html, "<td class=\"{class}\" data-name=\"Published\">{published}</td>");
    let _ = writeln!(html, "<td data-name=\"Fields\">{}</td></tr>", fields(row));
    html
}

/// Renders permissions and end of an operation.
fn requirements(row: &Row) -> String {
    let mut lines = String::new();
    let permissions = &row.permissions;
    if !permissions.required.is_empty() {
        let _ = write!(lines, "<br><span>Permissions: {}</span>", escape(&permissions.required.join(", ")));
    }
    if !permissions.optional.is_empty() {
        let optional = escape(&permissions.optional.join(", "));
        let _ = write!(lines, "<br><span>Permissions for some values: {optional}</span>");
    }
    if let Some(end) = &row.end {
        let date = end.date.as_deref().map(|date| format!(", ends on {date}")).unwrap_or_default();
        let _ = write!(lines, "<br><span>Deprecated{}</span>", escape(&date));
    }
    lines
}

/// Renders the number of covered fields, with an expandable list of the others.
fn fields(row: &Row) -> String {
    if row.declared == 0 {
        return "no JSON".to_owned();
    }
    let uncovered = row.never.len() + row.only_generated.len();
    let summary = format!("{} of {} covered", row.declared - uncovered, row.declared);
    if uncovered + row.never_null.len() == 0 {
        return summary;
    }
    let list = |title: &str, locations: &[String]| {
        if locations.is_empty() {
            return String::new();
        }
        let items: String =
            locations.iter().map(|location| format!("<li><code>{}</code></li>", escape(location))).collect();
        format!("<p>{title}</p><ul>{items}</ul>")
    };
    format!(
        "<details><summary>{summary}</summary>{}{}{}</details>",
        list("In no exchange:", &row.never),
        list("Never null:", &row.never_null),
        list("Only in generated fixtures:", &row.only_generated)
    )
}

/// Renders links to all locations; from four on, all but two are collapsed.
fn links(locations: &[SourceLocation], base: &str) -> String {
    let name = |location: &SourceLocation| {
        let file = location.path.rsplit('/').next().unwrap_or_default();
        file.trim_end_matches(".json").trim_end_matches(".rs").to_owned()
    };
    let links: Vec<String> = locations
        .iter()
        .map(|location| match name(location).strip_prefix("generated_") {
            Some(name) => format!("<i>{}</i>", link(base, location, name)),
            None => link(base, location, &name(location)),
        })
        .collect();
    if links.len() < 4 {
        return links.join("<br>");
    }
    let (first, more) = links.split_at(2);
    format!(
        "{}<details><summary>{} more</summary>{}</details>",
        first.join("<br>"),
        more.len(),
        more.join("<br>")
    )
}

fn link(base: &str, location: &SourceLocation, label: &str) -> String {
    let line = location.line.map(|line| format!("#L{line}")).unwrap_or_default();
    format!("<a href=\"{}/{}{line}\">{}</a>", escape(base), escape(&location.path), escape(label))
}
