//! Imports a document with the changes of a realistic release into a copy of the project: each change is one finding, and
//! the files that do not compile after `--write` are those that the report names.
//!
//! Compiling the copy takes minutes. It is done if `S1_TEST_IMPORT` is set.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use sentinelone_codegen::Error;
use sentinelone_codegen::bundle::Bundle;
use serde_json::{Map, Value, json};

use crate::project_copy::{cargo, copy_curated, target};
use crate::{generation, import, root};

/// Variable that makes the test compile the copies.
const COMPILE: &str = "S1_TEST_IMPORT";

/// A change of a document.
struct Change {
    name: &'static str,
    /// Rule, class and subject of each finding.
    findings: &'static [(&'static str, &'static str, &'static str)],
    apply: fn(&mut Value),
}

/// Returns the changes that do not break the client.
fn changes_outside_client() -> Vec<Change> {
    let change = |name, findings, apply| Change { name, findings, apply };
    vec![
        change(
            "a field of a response is renamed",
            &[("field-renamed", "breaking-decode", "Site.activeLicenses")],
            |document| rename(properties(document, "Site"), "activeLicenses", "licensesActive"),
        ),
        change(
            "a filter field is renamed",
            &[("field-renamed", "breaking", "AgentFilter.infected")],
            |document| {
                rename_filter_field(document, "infected", "isInfected");
            },
        ),
        change(
            "an operation moves",
            &[("operation-moved", "breaking", "PUT /groups/{}/move-agents")],
            |document| {
                let paths = document["paths"].as_object_mut().unwrap();
                let item = paths.remove("/groups/{group_id}/move-agents").unwrap();
                paths.insert("/groups/{group_id}/actions/move-agents".to_owned(), item);
            },
        ),
        change(
            "a field of a response is removed",
            &[("field-removed", "breaking-decode", "Activity.primaryDescription")],
            |document| drop(properties(document, "Activity").remove("primaryDescription").unwrap()),
        ),
        change(
            "an enum loses a value",
            &[
                ("enum-value-removed", "breaking", "PathExclusionType"),
                ("enum-value-removed", "breaking", "PathExclusionType"),
            ],
            |document| {
                let values = document["components"]["schemas"]["PathExclusionType"]["enum"].as_array_mut();
                values.unwrap().retain(|one| one != "subfolders");
            },
        ),
        change(
            "an enum gains a value",
            &[("enum-value-added", "behavior-change", "OsType"), ("enum-value-added", "new", "OsType")],
            |document| {
                let values = document["components"]["schemas"]["OsType"]["enum"].as_array_mut();
                values.unwrap().push(json!("zos"));
            },
        ),
        change(
            "a parameter is bounded",
            &[("bound-narrowed", "breaking", "activities_list request.query.limit")],
            |document| {
                let operation = &mut document["paths"]["/activities"]["get"];
                let list = operation["parameters"].as_array_mut().unwrap();
                list.iter_mut().find(|one| one["name"] == "limit").unwrap()["schema"]["maximum"] = json!(500);
            },
        ),
        change("an operation is deprecated", &[("deprecated", "docs-only", "agents_count")], |document| {
            document["paths"]["/agents/count"]["get"]["deprecated"] = json!(true)
        }),
        change(
            "a parameter is added",
            &[("parameter-added", "new", "threats_list request.query.threatScore")],
            |document| {
                let operation = &mut document["paths"]["/threats"]["get"];
                let list = operation["parameters"].as_array_mut().unwrap();
                list.push(json!({ "name": "threatScore", "in": "query", "schema": { "type": "integer" } }));
            },
        ),
        change(
            "a field of a response is added",
            &[("field-added", "new", "Group.memberCount")],
            |document| {
                let count = json!({ "type": "integer", "format": "int32" });
                properties(document, "Group").insert("memberCount".to_owned(), count);
            },
        ),
        change(
            "an error status is added",
            &[("error-status-added", "new", "agents_shutdown response.409")],
            |document| {
                let responses = &mut document["paths"]["/agents/actions/shutdown"]["post"]["responses"];
                responses["409"] = responses["400"].clone();
            },
        ),
        change(
            "an operation requires another permission",
            &[("permission-changed", "behavior-change", "system_get_status")],
            |document| {
                let operation = &mut document["paths"]["/system/status"]["get"];
                operation["x-s1-required-permissions"] = json!(["System.view"]);
            },
        ),
        change(
            "a default changes",
            &[("default-changed", "behavior-change", "groups_list request.query.limit")],
            |document| {
                let operation = &mut document["paths"]["/groups"]["get"];
                let list = operation["parameters"].as_array_mut().unwrap();
                list.iter_mut().find(|one| one["name"] == "limit").unwrap()["schema"]["default"] = json!(25);
            },
        ),
    ]
}

/// Returns the changes that break the client.
fn changes_in_client() -> Vec<Change> {
    let change = |name, findings, apply| Change { name, findings, apply };
    vec![
        change(
            "a field of a request gets another type",
            &[("type-changed", "breaking", "BlocklistCreateData.description")],
            |document| properties(document, "BlocklistCreateData")["description"]["type"] = json!("integer"),
        ),
        change(
            "a field of a request becomes required",
            &[("became-required", "breaking", "IocData.name")],
            |document| {
                let required = &mut document["components"]["schemas"]["IocData"]["required"];
                required.as_array_mut().unwrap().push(json!("name"));
            },
        ),
        change(
            "a filter field that commands send is renamed",
            &[("field-renamed", "breaking", "ThreatFilter.displayName")],
            |document| {
                rename_filter_field(document, "displayName", "threatDisplayName");
            },
        ),
    ]
}

fn properties<'a>(document: &'a mut Value, name: &str) -> &'a mut Map<String, Value> {
    document["components"]["schemas"][name]["properties"].as_object_mut().unwrap()
}

fn rename(properties: &mut Map<String, Value>, from: &str, to: &str) {
    let field = properties.remove(from).unwrap();
    properties.insert(to.to_owned(), field);
}

/// Renames a field of the filters that have it, in bodies and in queries.
fn rename_filter_field(document: &mut Value, from: &str, to: &str) {
    let schemas = document["components"]["schemas"].as_object_mut().unwrap().iter_mut();
    for (_, schema) in schemas.filter(|(name, _)| name.ends_with("Filter")) {
        if let Some(properties) = schema["properties"].as_object_mut().filter(|all| all.contains_key(from)) {
            rename(properties, from, to);
        }
    }
    parameters(document, from).into_iter().for_each(|one| one["name"] = json!(to));
}

/// Returns the query parameters with this name, of all operations.
fn parameters<'a>(document: &'a mut Value, name: &str) -> Vec<&'a mut Value> {
    let items = document["paths"].as_object_mut().unwrap().values_mut();
    let operations = items.flat_map(|item| item.as_object_mut().unwrap().values_mut());
    let lists = operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut());
    let found: Vec<&mut Value> =
        lists.flatten().filter(|one| one["name"] == name && one["in"] == "query").collect();
    assert!(!found.is_empty(), "{name}");
    found
}

/// Rules of changes after which a program that uses the item does not compile.
const COMPILED: [&str; 5] =
    ["became-required", "enum-value-removed", "field-removed", "field-renamed", "type-changed"];

/// Runs `cargo xtask import` in the copy. Returns the findings.
fn import(project: &Path, document: &Value, write: bool) -> Vec<Value> {
    let file = project.join("document.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let args = import::Args::of(&file, "2026-11", write);
    let report: Value = serde_json::from_str(&import::run_import(project, &args).unwrap().0).unwrap();
    assert_eq!(
        report["written"]["manual"].as_array().map_or(0, Vec::len),
        0,
        "{}",
        report["written"]["manual"]
    );
    report["diff"]["findings"].as_array().unwrap().clone()
}

fn text<'a>(finding: &'a Value, name: &str) -> &'a str {
    finding[name].as_str().unwrap()
}

/// Checks that each change is reported with its rule and class, and nothing else.
fn check_findings(findings: &[Value], changes: &[Change]) {
    // The type of a schema, or the operation and the location in it.
    let subject = |finding: &Value| match text(finding, "owner") {
        owner if owner.starts_with(char::is_uppercase) => owner.to_owned(),
        owner => format!("{} {owner}", text(&finding["operations"][0], "operation")).trim_end().to_owned(),
    };
    let subjects: Vec<String> = findings.iter().map(subject).collect();
    let found = findings.iter().zip(&subjects);
    let mut found: Vec<(&str, &str, &str)> =
        found.map(|(one, subject)| (text(one, "rule"), text(one, "class"), subject.as_str())).collect();
    let mut expected: Vec<(&str, &str, &str)> =
        changes.iter().flat_map(|change| change.findings).copied().collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{:?}", changes.iter().map(|one| one.name).collect::<Vec<_>>());
    for finding in findings {
        let is_match =
            text(finding, "rule").ends_with("-renamed") || text(finding, "rule").ends_with("-moved");
        assert_eq!(finding["confidence"].is_u64(), is_match, "{finding}");
    }
}

/// Returns the lines that the findings name, as `path:line`.
fn named_lines(findings: &[Value]) -> BTreeSet<String> {
    let findings = findings.iter().filter(|one| COMPILED.contains(&text(one, "rule")));
    let users = findings.flat_map(|one| one["users"].as_array().unwrap());
    users.map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Returns the lines at which the compiler finds an error, as `path:line`.
fn broken_lines(mut command: Command) -> BTreeSet<String> {
    command.args(["check", "--workspace", "--all-targets", "--all-features", "--offline", "--keep-going"]);
    let output = command.arg("--message-format=json").output().unwrap();
    let messages = String::from_utf8(output.stdout).unwrap();
    let mut broken = BTreeSet::new();
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let message = &message["message"];
        if message["level"] != "error" {
            continue;
        }
        for span in message["spans"].as_array().unwrap().iter().filter(|one| one["is_primary"] == true) {
            broken.insert(format!("{}:{}", text(span, "file_name"), span["line_start"]));
        }
    }
    assert!(!broken.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    broken
}

/// Checks that what people wrote about renamed and moved parts is still there, and that no file has an old path.
fn check_carried(spec: &Path, before: &Value) {
    let after = Bundle::read(spec).unwrap().document;
    let property = |document: &Value, schema: &str, name: &str| {
        document["components"]["schemas"][schema]["properties"][name].clone()
    };
    let site = property(&after, "Site", "licensesActive");
    assert_eq!(site, property(before, "Site", "activeLicenses"));
    let filter = property(&after, "AgentFilter", "isInfected");
    assert_eq!(filter["description"], property(before, "AgentFilter", "infected")["description"]);
    let put = |document: &Value, path: &str| document["paths"][path]["put"].clone();
    let moved = put(&after, "/groups/{group_id}/actions/move-agents");
    assert_eq!(moved, put(before, "/groups/{group_id}/move-agents"));
    for name in ["groups.yaml", "operations.toml", "overlays/responses.yaml", "baseline.toml"] {
        let text = std::fs::read_to_string(spec.join(name)).unwrap();
        assert!(text.contains("/groups/{group_id}/actions/move-agents"), "{name}");
        assert!(!text.contains("/groups/{group_id}/move-agents"), "{name}");
    }
}

/// Checks that `generate` refuses the lines of command manifests that the findings name, and removes these lines.
fn edit_named_manifests(project: &Path, findings: &[Value]) {
    let named: BTreeSet<String> =
        named_lines(findings).into_iter().filter(|one| one.starts_with("spec/commands/")).collect();
    let Err(Error::Lint(refused)) = generation::write(project) else {
        panic!("expected errors at {named:?}")
    };
    let refused: BTreeSet<String> = refused.into_iter().map(|one| one.location).collect();
    assert_eq!(refused, named);
    // From the end, so that the other numbers stay valid.
    let mut lines: Vec<(&str, usize)> = named
        .iter()
        .map(|one| one.rsplit_once(':').unwrap())
        .map(|(path, number)| (path, number.parse().unwrap()))
        .collect();
    lines.sort_unstable();
    for (path, number) in lines.into_iter().rev() {
        let path = project.join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut kept: Vec<&str> = text.lines().collect();
        kept.remove(number - 1);
        std::fs::write(&path, kept.join("\n") + "\n").unwrap();
    }
}

/// Imports the changes into the copy. Then compares the lines in `scope` that the report names with those that the compiler
/// does.
fn check_broken_files(project: &Path, own_target: &Path, changes: &[Change], scope: &[&str]) {
    let spec = project.join("spec");
    let before = Bundle::read(&spec).unwrap().document;
    let mut document = before.clone();
    changes.iter().for_each(|change| (change.apply)(&mut document));
    let findings = import(project, &document, true);
    check_findings(&findings, changes);
    assert_eq!(import(project, &document, false), [""; 0], "everything is written");
    check_carried(&spec, &before);
    edit_named_manifests(project, &findings);
    generation::write(project).unwrap();
    if std::env::var_os(COMPILE).is_none() {
        return;
    }
    let is_in_scope =
        |line: &&String| line.contains(".rs:") && scope.iter().any(|directory| line.starts_with(directory));
    let named: BTreeSet<String> = named_lines(&findings).iter().filter(is_in_scope).cloned().collect();
    let broken: BTreeSet<String> =
        broken_lines(cargo(project, own_target)).iter().filter(is_in_scope).cloned().collect();
    assert!(broken.is_subset(&named), "broken: {broken:#?}\nnamed: {named:#?}");
    let broken_files: BTreeSet<&str> = broken.iter().filter_map(|line| line.split(':').next()).collect();
    for line in &named {
        let (path, number) = line.rsplit_once(':').unwrap();
        if broken_files.contains(path) {
            continue;
        }
        let content = std::fs::read_to_string(project.join(path)).unwrap();
        let content = content.lines().nth(number.parse::<usize>().unwrap() - 1).unwrap();
        let has_text = content.contains('"') || content.trim_start().starts_with("//");
        assert!(has_text, "{line} is named but compiles: {content}");
    }
}

#[test]
fn imported_changes_break_the_named_files() {
    let work = target().join("import_changes");
    let project = work.join("project");
    let (outside, mut all) = (changes_outside_client(), changes_outside_client());
    all.extend(changes_in_client());
    assert!(all.len() >= 15, "{}", all.len());
    copy_curated(&root().unwrap(), &project);
    check_broken_files(&project, &work.join("target"), &all, &["src/"]);
    if std::env::var_os(COMPILE).is_some() {
        // The dependents of a crate are compiled only if the crate compiles.
        copy_curated(&root().unwrap(), &project);
        let dependents = ["cli/", "contract/", "examples/", "sandbox/", "tests/"];
        check_broken_files(&project, &work.join("target"), &outside, &dependents);
    }
}
