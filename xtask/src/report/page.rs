//! The page: one file of HTML with its style and its script, readable without either.

use std::fmt::Write;

use sentinelone_codegen::page::{SCRIPT, STYLE, text};

use super::evidence::{Evidence, Place, Row};

/// The whole page; links begin with `base`.
pub(crate) fn html(evidence: &Evidence, base: &str) -> String {
    let totals = evidence.totals();
    let mut rows = String::new();
    for row in &evidence.rows {
        rows.push_str(&line(row, base));
    }
    let kinds: Vec<String> =
        evidence.fixtures.iter().map(|(kind, count)| format!("{count} {}", text(kind))).collect();
    let corpus = match evidence.corpus {
        Some(count) => format!("{count} exchanges that others published"),
        None => "what others published was not at hand".to_owned(),
    };
    let tile = |number: usize, what: &str, bad: bool| {
        let class = if bad { " class=\"bad\"" } else { "" };
        format!("<li{class}><b>{number}</b> {}</li>", text(what))
    };
    let tiles = [
        tile(totals.operations, "operations", false),
        tile(totals.commands, "commands", false),
        tile(totals.fixtures, "fixtures", false),
        tile(totals.without_success, "without success evidence", totals.without_success > 0),
        tile(totals.without_null, "without null evidence", totals.without_null > 0),
        tile(totals.without_error, "without error evidence", totals.without_error > 0),
        tile(totals.declared, "declared answer fields", false),
        tile(totals.only_generated, "of them seen only in generated examples", false),
        tile(totals.never, "of them never seen", totals.never > 0),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Evidence for every operation</title>\n<style>\n{STYLE}</style>\n</head>\n<body data-rows=\"operations\">\n\
         <header>\n<h1>Evidence for every operation</h1>\n\
         <p>What the specification, the client, the commands and the fixtures have for each operation, and what \
         proves it. Fixtures: {kinds}; {corpus}. In italics: examples that were generated from the specification, which \
         prove the client and say nothing about a console.</p>\n<ul id=\"totals\">{tiles}</ul>\n\
         <p id=\"tools\" hidden><label>Filter <input id=\"filter\" type=\"search\" \
         placeholder=\"operation, path, command, field\" autocomplete=\"off\"></label>\n\
         <label><input id=\"lacking\" type=\"checkbox\"> only what lacks something</label>\n\
         <button id=\"theme\" type=\"button\">light or dark</button>\n<output id=\"shown\"></output></p>\n</header>\n\
         <main>\n<table>\n<thead><tr><th scope=\"col\">Operation</th><th scope=\"col\">Spec</th>\
         <th scope=\"col\">Client</th><th scope=\"col\">Commands</th><th scope=\"col\">Requests</th>\
         <th scope=\"col\">Success</th><th scope=\"col\">Null</th><th scope=\"col\">Error</th>\
         <th scope=\"col\">Laws</th><th scope=\"col\">Published</th><th scope=\"col\">Fields</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n<p id=\"nothing\" hidden>No operation fits.</p>\n</main>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        kinds = kinds.join(", "),
        tiles = tiles.concat(),
    )
}

fn line(row: &Row, base: &str) -> String {
    let link = |place: &Place, label: &str| link(base, place, label);
    let mut html = String::new();
    let class = if row.lacks.is_empty() { "" } else { " class=\"lacks\"" };
    let _ = write!(
        html,
        "<tr id=\"{0}\"{class}><th scope=\"row\"><a class=\"anchor\" href=\"#{0}\">{0}</a><br><code>{1}</code><br>\
         <span>{2}</span></th>",
        text(&row.id),
        text(&row.request),
        text(&row.summary)
    );
    let mut cell = |name: &str, content: &str, good: bool| {
        let class = if good { "good" } else { "none" };
        let _ = write!(html, "<td class=\"{class}\" data-name=\"{name}\">{content}</td>");
    };
    cell("Spec", &link(&row.spec, "spec"), row.spec.line.is_some());
    match &row.client {
        Some(place) => cell("Client", &link(place, &row.resource), true),
        None => cell("Client", "raw request", false),
    }
    let commands: Vec<String> = row.commands.iter().map(|(name, place)| link(place, name)).collect();
    let names = if commands.is_empty() { "–".to_owned() } else { commands.join("<br>") };
    cell("Commands", &names, !commands.is_empty());
    let evidence = [
        ("Requests", &row.requests, None),
        ("Success", &row.successes, Some("success")),
        ("Null", &row.nulls, Some("null")),
        ("Error", &row.errors, Some("error")),
        ("Laws", &row.laws, None),
    ];
    for (name, places, lack) in evidence {
        let lacks = lack.is_some_and(|lack| row.lacks.iter().any(|one| one == lack));
        let content = match places.as_slice() {
            [] if lacks => "missing".to_owned(),
            // An answer without JSON, or without a field that may be null, has none.
            [] => "none can be".to_owned(),
            places => several(places, base),
        };
        let class = if lacks { "bad" } else { "good" };
        let _ = write!(html, "<td class=\"{class}\" data-name=\"{name}\">{content}</td>");
    }
    let published = row.corpus.map_or("not at hand".to_owned(), |count| count.to_string());
    let class = if row.corpus.unwrap_or_default() > 0 { "good" } else { "none" };
    let _ = write!(html, "<td class=\"{class}\" data-name=\"Published\">{published}</td>");
    let _ = writeln!(html, "<td data-name=\"Fields\">{}</td></tr>", fields(row));
    html
}

/// The declared fields, and those that are not seen, to be opened.
fn fields(row: &Row) -> String {
    if row.declared == 0 {
        return "no JSON".to_owned();
    }
    let unseen = row.never.len() + row.only_generated.len();
    let seen = format!("{} of {} seen", row.declared - unseen, row.declared);
    if unseen + row.never_null.len() == 0 {
        return seen;
    }
    let list = |title: &str, places: &[String]| {
        if places.is_empty() {
            return String::new();
        }
        let items: String =
            places.iter().map(|place| format!("<li><code>{}</code></li>", text(place))).collect();
        format!("<p>{title}</p><ul>{items}</ul>")
    };
    format!(
        "<details><summary>{seen}</summary>{}{}{}</details>",
        list("Never seen:", &row.never),
        list("Never seen as null:", &row.never_null),
        list("Seen only in generated examples:", &row.only_generated)
    )
}

/// Links to all places, short.
fn several(places: &[Place], base: &str) -> String {
    let name = |place: &Place| {
        let file = place.path.rsplit('/').next().unwrap_or_default();
        file.trim_end_matches(".json").trim_end_matches(".rs").to_owned()
    };
    let links: Vec<String> = places
        .iter()
        .map(|place| match name(place).strip_prefix("generated_") {
            Some(name) => format!("<i>{}</i>", link(base, place, name)),
            None => link(base, place, &name(place)),
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

fn link(base: &str, place: &Place, label: &str) -> String {
    let line = place.line.map(|line| format!("#L{line}")).unwrap_or_default();
    format!("<a href=\"{}/{}{line}\">{}</a>", text(base), text(&place.path), text(label))
}
