//! Tests of the report page, as text and in a browser if one is installed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use sentinelone::ApiVersion;

use sentinelone_codegen::metadata::Tier;

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns the values of an attribute, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn evidence_covers_every_operation() {
    let evidence = Evidence::gather(&root(), None).unwrap();
    let totals = evidence.totals();
    assert_eq!(totals.operations, sentinelone::raw::OPERATIONS.len());
    let lacking: Vec<_> = evidence.rows.iter().filter(|row| !row.lacks.is_empty()).collect();
    assert_eq!(totals.lacking(), 0, "{lacking:#?}");
    let curated = || evidence.rows.iter().filter(|row| row.tier == Tier::Curated);
    let never: usize = curated().map(|row| row.never.len()).sum();
    assert_eq!(never, 0, "the generated fixtures contain every field");
    let without_command: Vec<&str> =
        curated().filter(|row| row.commands.is_empty()).map(|row| row.id.as_str()).collect();
    assert!(without_command.len() < 20, "{without_command:?}");
    assert!(curated().all(|row| !row.errors.is_empty()));
    for row in &evidence.rows {
        assert!(row.spec.line.is_some() && !row.successes.is_empty(), "{row:?}");
        // Operations of version 2.0 only have a raw request.
        let contract = sentinelone_contract::Contract::bundled();
        let is_newest = contract.operation(&row.id).unwrap().versions().contains(&ApiVersion::V2_1);
        assert_eq!(row.client.is_some(), is_newest, "method of {}", row.id);
    }
}

#[test]
fn html_links_are_valid() {
    let evidence = Evidence::gather(&root(), None).unwrap();
    let base = root().to_string_lossy().into_owned();
    let html = page::html(&evidence, &base);
    let links: BTreeSet<&str> = values(&html, "href").into_iter().collect();
    assert!(links.len() > 400, "{}", links.len());
    let ids: BTreeSet<&str> = values(&html, "id").into_iter().collect();
    for link in links {
        if let Some(id) = link.strip_prefix('#') {
            assert!(ids.contains(id), "{link}");
            continue;
        }
        let (file, line) = link.split_once("#L").unwrap_or((link, "1"));
        let text = std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let lines = String::from_utf8_lossy(&text).lines().count();
        assert!((1..=lines).contains(&line.parse().unwrap()), "{link} has {lines} lines");
    }
    for external in ["src=", "@import", "url(", "http://", "https://"] {
        assert!(!html.contains(external), "external reference: {external}");
    }
}

#[test]
fn json_lists_every_operation_by_tier() {
    let report = Evidence::gather(&root(), None).unwrap().json();
    let operations = report["operations"].as_array().unwrap();
    assert_eq!(operations.len(), sentinelone::raw::OPERATIONS.len());
    for tier in ["curated", "documented"] {
        let of_tier = operations.iter().filter(|one| one["tier"] == tier).count();
        assert_eq!(report["totals"]["tiers"][tier], of_tier);
    }
    let deprecated = operations.iter().find(|one| one["id"] == "deep_visibility_create_query").unwrap();
    assert_eq!(deprecated["end"]["date"], "2027-02-15");
    assert_eq!(deprecated["permissions"]["required"][0], "SDL Data.viewEdr");
}

#[test]
fn generated_fixtures_alone_are_not_shown_as_evidence() {
    let mut evidence = Evidence::gather(&root(), None).unwrap();
    evidence.rows.truncate(1);
    let of_kind = |path: &str| vec![evidence::SourceLocation { path: path.into(), line: None }];
    evidence.rows[0].successes = of_kind("fixtures/x/generated_full.json");
    let cell = |html: &str| {
        html.split("<td ").find(|cell| cell.contains("data-name=\"Success\"")).unwrap().to_owned()
    };
    let generated = cell(&page::html(&evidence, "."));
    assert!(generated.contains("generated only") && !generated.contains("good"), "{generated}");
    evidence.rows[0].successes = of_kind("fixtures/x/corpus.json");
    assert!(cell(&page::html(&evidence, ".")).contains("class=\"good\""));
}

#[test]
fn missing_evidence_is_marked_and_counted() {
    let mut evidence = Evidence::gather(&root(), None).unwrap();
    evidence.rows[3].lacks = vec!["null".into()];
    evidence.rows[3].nulls.clear();
    let totals = evidence.totals();
    assert_eq!((totals.lacking(), totals.without_null), (1, 1));
    let html = page::html(&evidence, ".");
    assert!(html.contains(">missing<") && html.contains("class=\"flagged\""));
    assert!(totals.to_string().ends_with(
        "operations without success fixture: 0, without null fixture: 1, without error fixture: 0"
    ));
}

/// Returns the name of an installed browser.
fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()))
}

/// Returns the DOM of the page after its script ran.
fn rendered(browser: &str, dir: &Path, page: &Path, fragment: &str) -> String {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}{fragment}", page.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(dom.contains("</html>"), "{}", String::from_utf8_lossy(&output.stderr));
    dom
}

#[test]
fn html_filter_and_theme_work_in_a_browser() {
    let Some(browser) = chromium() else {
        eprintln!("Chromium is not installed: the page was not opened");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("index.html");
    run(&root(), Some(&page), None).unwrap();

    let rows = |dom: &str| -> (Vec<String>, usize) {
        let rows: Vec<&str> = dom.split("<tr ").skip(1).filter(|row| row.starts_with("id=")).collect();
        let visible = rows.iter().filter(|row| !row.split('>').next().unwrap().contains("hidden"));
        let ids = visible.map(|row| row.split('"').nth(1).unwrap().to_owned()).collect();
        (ids, rows.len())
    };
    let all = rendered(browser, dir.path(), &page, "");
    let (visible, count) = rows(&all);
    let operations = sentinelone::raw::OPERATIONS.len();
    assert_eq!((visible.len(), count), (operations, operations), "without a filter all rows are visible");
    assert!(all.contains(&format!(">{operations} of {operations} operations<")), "the script ran");

    let filtered = rendered(browser, dir.path(), &page, "#q=update-threat-incident&theme=dark");
    assert_eq!(rows(&filtered).0, ["threats_update_incident"], "a command finds its operations");
    assert!(filtered.contains("data-theme=\"dark\""));
    let two = rendered(browser, dir.path(), &page, "#q=agents%20scan");
    assert_eq!(rows(&two).0.len(), 2, "every term must match: {:?}", rows(&two).0);
    let none = rendered(browser, dir.path(), &page, "#q=no-such-operation");
    assert!(rows(&none).0.is_empty() && !none.contains("id=\"no-match\" hidden"));
    let lacking = rendered(browser, dir.path(), &page, "#flagged");
    assert!(rows(&lacking).0.is_empty(), "no operation lacks evidence");
}
