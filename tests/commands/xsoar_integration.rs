//! Comparison of the requests of all commands with the examples of the XSOAR integration, whose path is in
//! `S1_INTEGRATION_COMMANDS`. The list is not part of this project; the tests are skipped without it. Each difference
//! is listed here with its reason; `docs/reference/xsoar-differences.md` has the details.

use std::collections::{BTreeMap, BTreeSet};

use sentinelone::commands::{Arguments, find, registry};
use sentinelone::{ApiVersion, Timestamp};
use serde_json::{Map, Value, json};

/// Differences: command, difference and reason.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "sentinelone-connect-agent",
        "1: unexpected query.limit=\"2\"",
        "the console returns 10 agents by default",
    ),
    (
        "sentinelone-create-star-rule",
        "0: missing body.filter.tenant=\"true\"",
        "with a narrower scope, the tenant scope is not intended",
    ),
    (
        "sentinelone-disconnect-agent",
        "1: unexpected query.limit=\"2\"",
        "the console returns 10 agents by default",
    ),
    (
        "sentinelone-fetch-file",
        "0: body.data.password=\"********\" instead of \"Infected1234!\"",
        "printed requests redact secrets",
    ),
    ("sentinelone-fetch-file", "1: unexpected GET /activities", "the command waits for the upload"),
    (
        "sentinelone-fetch-threat-file",
        "0: body.data.password=\"********\" instead of \"Infected1234!\"",
        "printed requests redact secrets",
    ),
    (
        "sentinelone-fetch-threat-file",
        "1: unexpected query.sortBy=\"createdAt\"",
        "the name in the vendor document",
    ),
    ("sentinelone-fetch-threat-file", "1: missing query.skip=\"0\"", "no items are skipped"),
    (
        "sentinelone-fetch-threat-file",
        "2: missing GET /agents/657613730168123595/uploads/1012345678901234567",
        "depends on a response, so a dry run does not have it",
    ),
    (
        "sentinelone-get-activities",
        "0: unexpected query.createdAt__gt=\"2023-01-01T00:00:00Z\"",
        "the name in the vendor document",
    ),
    (
        "sentinelone-get-activities",
        "0: missing query.created_at__gt=\"2023-01-01T00:00:00Z\"",
        "the name in the vendor document",
    ),
    ("sentinelone-get-agent", "0: unexpected query.limit=\"1\"", "the console returns 10 agents by default"),
    (
        "sentinelone-get-agent-mac",
        "0: unexpected query.limit=\"1\"",
        "the console returns 10 agents by default",
    ),
    (
        "sentinelone-get-blocklist",
        "0: missing query.tenant=\"true\"",
        "with a narrower scope, the tenant scope is not intended",
    ),
    (
        "sentinelone-get-dv-query-status",
        "0: unexpected query.queryId=\"q1xx2xx3\"",
        "the name in the vendor document",
    ),
    (
        "sentinelone-get-dv-query-status",
        "0: missing query.query_id=\"q1xx2xx3\"",
        "the name in the vendor document",
    ),
    (
        "sentinelone-get-events",
        "0: unexpected query.queryId=\"q034ae362a30eba5a187cbe601d19abaa\"",
        "the name in the vendor document",
    ),
    (
        "sentinelone-get-events",
        "0: missing query.query_id=\"q034ae362a30eba5a187cbe601d19abaa\"",
        "the name in the vendor document",
    ),
    (
        "sentinelone-get-power-query-results",
        "0: body.limit=100 instead of \"100\"",
        "a number is sent as a number",
    ),
    (
        "sentinelone-get-power-query-results",
        "0: missing body.accountIds=[\"1523159856757822715\"]",
        "site IDs are not account IDs",
    ),
    (
        "sentinelone-get-power-query-results",
        "1: missing GET /dv/events/pq-ping",
        "depends on a response, so a dry run does not have it",
    ),
    (
        "sentinelone-get-processes",
        "0: unexpected query.queryId=\"q034ae362a30eba5a187cbe601d19abaa\"",
        "the name in the vendor document",
    ),
    (
        "sentinelone-get-processes",
        "0: missing query.query_id=\"q034ae362a30eba5a187cbe601d19abaa\"",
        "the name in the vendor document",
    ),
    (
        "sentinelone-get-remote-script-task-results",
        "0: missing body.data.computerNames=[]",
        "an empty list has no effect",
    ),
    (
        "sentinelone-get-remote-script-task-results",
        "1: missing GET https://files.example.com/file1.zip",
        "depends on a response, so a dry run does not have it",
    ),
    (
        "sentinelone-get-star-rules",
        "1: unexpected GET /cloud-detection/rules",
        "scheduled rules are in a second list",
    ),
    (
        "sentinelone-get-threat-notes",
        "0: unexpected query.limit=\"1000\"",
        "the console returns 10 notes by default",
    ),
    (
        "sentinelone-get-threats",
        "0: query.mitigationStatuses=\"not_mitigated\" instead of \"active\"",
        "the name of `active` in API 2.1",
    ),
    (
        "sentinelone-list-agents",
        "0: unexpected query.activeThreats__gt=\"0\"",
        "the declared name; at least this number",
    ),
    (
        "sentinelone-list-agents",
        "0: missing query.active_threats=\"1\"",
        "the declared name; at least this number",
    ),
    (
        "sentinelone-list-agents",
        "0: query.limit=\"1000\" instead of \"25\"",
        "the command filters the agents, so pages can shrink",
    ),
    (
        "sentinelone-remote-script-automate-results",
        "1: missing GET /remote-scripts/status",
        "depends on a response, so a dry run does not have it",
    ),
    (
        "sentinelone-remote-script-automate-results",
        "2: missing POST /remote-scripts/fetch-files",
        "depends on a response, so a dry run does not have it",
    ),
    (
        "sentinelone-remote-script-automate-results",
        "3: missing GET https://files.example.com/file1.zip",
        "depends on a response, so a dry run does not have it",
    ),
    ("sentinelone-remove-hash-from-blocklist", "0: missing query.skip=\"0\"", "no items are skipped"),
    (
        "sentinelone-remove-hash-from-blocklist",
        "0: query.limit=\"1000\" instead of \"4\"",
        "the command searches all pages for exact matches",
    ),
    (
        "sentinelone-remove-hash-from-blocklist",
        "1: GET /restrictions instead of DELETE /restrictions",
        "a second search, of the scopes below; the removal depends on the responses",
    ),
    (
        "sentinelone-remove-item-from-whitelist",
        "0: query.limit=\"1000\" instead of \"5\"",
        "the command searches all pages for exact matches",
    ),
    (
        "sentinelone-remove-item-from-whitelist",
        "1: missing DELETE /exclusions",
        "depends on a response, so a dry run does not have it",
    ),
    (
        "sentinelone-update-alerts-status",
        "0: body.filter.ids=[\"715718962991148224\",\"715723437013282014\"] instead of \"715718962991148224\"",
        "one request with a list of all IDs",
    ),
    (
        "sentinelone-update-alerts-status",
        "1: missing POST /cloud-detection/alerts/incident",
        "one request with a list of all IDs",
    ),
    (
        "sentinelone-update-alerts-verdict",
        "0: missing body.filter.tenant=\"true\"",
        "IDs select the alerts; the tenant scope is redundant",
    ),
    (
        "sentinelone-update-star-rule",
        "0: GET /cloud-detection/rules instead of PUT /cloud-detection/rules/225494730938493804",
        "the update depends on the rule, which is read first",
    ),
    (
        "sentinelone-update-star-rule",
        "1: unexpected GET /cloud-detection/rules",
        "the rule can be in either list",
    ),
    (
        "sentinelone-update-star-rule",
        "2: unexpected GET /cloud-detection/rules",
        "the rule may be listed without its scope only",
    ),
    (
        "sentinelone-update-star-rule",
        "3: unexpected GET /cloud-detection/rules",
        "the rule can be in either list",
    ),
    (
        "sentinelone-update-threats-status",
        "0: body.filter.ids=[\"715718962991148224\",\"715723437013282014\"] instead of \"715718962991148224\"",
        "one request with a list of all IDs",
    ),
    (
        "sentinelone-update-threats-status",
        "1: missing POST /threats/incident",
        "one request with a list of all IDs",
    ),
    (
        "sentinelone-update-threats-verdict",
        "0: body.filter.tenant=true instead of \"true\"",
        "a boolean is sent as a boolean",
    ),
    (
        "update-remote-system",
        "0: body.filter.tenant=true instead of \"true\"",
        "a boolean is sent as a boolean",
    ),
];

/// Returns the examples of the integration, if `S1_INTEGRATION_COMMANDS` is set.
fn calls() -> Option<Vec<Value>> {
    let path = std::env::var_os("S1_INTEGRATION_COMMANDS")?;
    let json = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&json).unwrap())
}

fn to_string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Normalizes equivalent values: booleans in any case, and times in any format.
fn normalize(value: &Value) -> Value {
    match value {
        Value::String(text) if text == "True" => json!("true"),
        Value::String(text) if text == "False" => json!("false"),
        Value::String(text) if text.len() > 15 => {
            let time = Timestamp::from(text.replacen(' ', "T", 1)).to_utc();
            time.map_or_else(|| value.clone(), |time| json!(time.as_str()))
        }
        Value::Array(items) => items.iter().map(normalize).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), normalize(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Collects the leaves of a document: location to value.
fn leaves(location: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| leaves(&format!("{location}.{name}"), value, into));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().enumerate().for_each(|(i, item)| leaves(&format!("{location}[{i}]"), item, into));
        }
        Value::Null => {}
        Value::Object(_) if location == "query" => {}
        other => drop(into.insert(location.to_owned(), normalize(other).to_string())),
    }
}

/// Returns the differences between two lists of requests, each with the index of the request.
fn differences(expected: &[Value], actual: &[Value]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for index in 0..expected.len().max(actual.len()) {
        let (expected, actual) = (expected.get(index), actual.get(index));
        let name = |one: &Value| format!("{} {}", to_string(&one["method"]), to_string(&one["path"]));
        let (Some(expected), Some(actual)) = (expected, actual) else {
            found.insert(match (expected, actual) {
                (Some(expected), _) => format!("{index}: missing {}", name(expected)),
                (_, Some(actual)) => format!("{index}: unexpected {}", name(actual)),
                _ => String::new(),
            });
            continue;
        };
        if name(expected) != name(actual) {
            // The content of another request is not comparable.
            found.insert(format!("{index}: {} instead of {}", name(actual), name(expected)));
            continue;
        }
        let (mut expected_leaves, mut actual_leaves) = (BTreeMap::new(), BTreeMap::new());
        for part in ["query", "body"] {
            leaves(part, &expected[part], &mut expected_leaves);
            leaves(part, &actual[part], &mut actual_leaves);
        }
        let locations: BTreeSet<&String> = expected_leaves.keys().chain(actual_leaves.keys()).collect();
        for location in locations {
            match (expected_leaves.get(location), actual_leaves.get(location)) {
                (Some(expected), None) => {
                    found.insert(format!("{index}: missing {location}={expected}"));
                }
                (None, Some(actual)) => {
                    found.insert(format!("{index}: unexpected {location}={actual}"));
                }
                (Some(expected), Some(actual)) if expected != actual => {
                    found.insert(format!("{index}: {location}={actual} instead of {expected}"));
                }
                _ => {}
            }
        }
    }
    found
}

/// Returns the requests that a command prints on an API version, in the format of the examples.
fn printed(name: &str, version: ApiVersion, arguments: Arguments) -> Result<Vec<Value>, String> {
    let entry = find(name).ok_or_else(|| format!("{name} is not a command"))?;
    let command = entry.prepare(arguments).map_err(|error| error.to_string())?;
    let requests = command.requests(version).map_err(|error| error.to_string())?;
    let prefix = format!("/web/api/v{version}");
    let printed = requests.iter().map(|request| {
        let path = request.path(version).unwrap();
        let query: Map<_, _> = request.query().into_iter().map(|(name, value)| (name, value.into())).collect();
        let body = request.redacted_body();
        json!({ "method": request.method().as_str(), "path": path.strip_prefix(&prefix), "query": query, "body": body })
    });
    Ok(printed.collect())
}

#[test]
fn integration_examples_differ_as_listed() {
    let Some(calls) = calls() else { return };
    assert_eq!(calls.len(), 65);
    let mut found = BTreeSet::new();
    for call in &calls {
        let (name, example) = (to_string(&call["command"]), &call["example"]);
        let version = if example["api_version"] == "2.0" { ApiVersion::V2_0 } else { ApiVersion::V2_1 };
        let args = example["args"].as_object().unwrap();
        let start = Arguments::new().relative_to(Timestamp::from("2023-06-01T00:00:00Z"));
        let arguments =
            args.iter().fold(start, |arguments, (name, value)| arguments.with(name, to_string(value)));
        let expected = example["expected_requests"].as_array().cloned().unwrap_or_default();
        match printed(&name, version, arguments) {
            Ok(actual) => {
                let differences = differences(&expected, &actual).into_iter();
                found.extend(differences.map(|difference| (name.clone(), difference)));
            }
            Err(error) => drop(found.insert((name, format!("error: {error}")))),
        }
    }
    let allowed: BTreeSet<(String, String)> = DIFFERENCES
        .iter()
        .map(|(name, difference, _)| ((*name).to_owned(), (*difference).to_owned()))
        .collect();
    let unlisted: Vec<_> = found.difference(&allowed).collect();
    let unused: Vec<_> = allowed.difference(&found).collect();
    assert!(
        unlisted.is_empty() && unused.is_empty(),
        "unlisted differences: {unlisted:#?}\nlisted differences that do not occur: {unused:#?}"
    );
}

/// Names, arguments and outputs are those of the integration.
#[test]
fn registry_has_all_integration_commands() {
    let Some(calls) = calls() else { return };
    let mut names: BTreeSet<String> = calls.iter().map(|call| to_string(&call["command"])).collect();
    names.insert("sentinelone-update-threat-incident".to_owned());
    let registered: BTreeSet<String> =
        registry().iter().map(|entry| entry.info.full_name.to_owned()).collect();
    assert_eq!(registered, names);
    for call in &calls {
        let entry = find(&to_string(&call["command"])).unwrap();
        let versions: Vec<_> = entry.info.versions.iter().map(|version| version.as_str()).collect();
        let expected: Vec<_> = call["api_versions"].as_array().unwrap().iter().map(to_string).collect();
        assert_eq!(versions, expected, "{}", entry.info.name);
        let paths: BTreeSet<&str> = entry.outputs.iter().map(|output| output.path).collect();
        for path in call["outputs"].as_object().unwrap().keys() {
            assert!(paths.contains(path.as_str()), "{}: {path}", entry.info.name);
        }
        let arguments: BTreeSet<&str> = (entry.arguments)().iter().map(|argument| argument.name).collect();
        for name in call["example"]["args"].as_object().unwrap().keys() {
            assert!(arguments.contains(name.as_str()), "{}: {name}", entry.info.name);
        }
    }
}
