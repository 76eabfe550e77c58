//! What the commands print for the examples of the published integration, where `S1_INTEGRATION_COMMANDS` names the
//! list of its calls. The list is not part of this project. Every departure is named here with its reason;
//! `docs/differences.md` says more of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use sentinelone::commands::{Arguments, find, registry};
use sentinelone::{ApiVersion, Timestamp};
use serde_json::{Map, Value, json};

/// Departures: the command, what differs, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "sentinelone-connect-agent",
        "1: also query.limit=\"2\"",
        "the console sends 10 agents unless asked for more",
    ),
    (
        "sentinelone-create-star-rule",
        "0: not body.filter.tenant=\"true\"",
        "beside narrower scopes the tenant is not meant",
    ),
    (
        "sentinelone-disconnect-agent",
        "1: also query.limit=\"2\"",
        "the console sends 10 agents unless asked for more",
    ),
    (
        "sentinelone-fetch-file",
        "0: body.data.password=\"********\" for \"Infected1234!\"",
        "secrets are covered in what is shown",
    ),
    ("sentinelone-fetch-file", "1: also GET /activities", "the upload is waited for in the same call"),
    (
        "sentinelone-fetch-threat-file",
        "0: body.data.password=\"********\" for \"Infected1234!\"",
        "secrets are covered in what is shown",
    ),
    (
        "sentinelone-fetch-threat-file",
        "1: also query.sortBy=\"createdAt\"",
        "the name that the vendor document declares",
    ),
    ("sentinelone-fetch-threat-file", "1: not query.skip=\"0\"", "nothing is left out without saying so"),
    (
        "sentinelone-fetch-threat-file",
        "2: not GET /agents/657613730168123595/uploads/1012345678901234567",
        "depends on an answer, so a dry run cannot know it",
    ),
    (
        "sentinelone-get-activities",
        "0: also query.createdAt__gt=\"2023-01-01T00:00:00Z\"",
        "the name that the vendor document declares",
    ),
    (
        "sentinelone-get-activities",
        "0: not query.created_at__gt=\"2023-01-01T00:00:00Z\"",
        "the name that the vendor document declares",
    ),
    (
        "sentinelone-get-agent",
        "0: also query.limit=\"1\"",
        "the console sends 10 agents unless asked for more",
    ),
    (
        "sentinelone-get-agent-mac",
        "0: also query.limit=\"1\"",
        "the console sends 10 agents unless asked for more",
    ),
    (
        "sentinelone-get-blocklist",
        "0: not query.tenant=\"true\"",
        "beside narrower scopes the tenant is not meant",
    ),
    (
        "sentinelone-get-dv-query-status",
        "0: also query.queryId=\"q1xx2xx3\"",
        "the name that the vendor document declares",
    ),
    (
        "sentinelone-get-dv-query-status",
        "0: not query.query_id=\"q1xx2xx3\"",
        "the name that the vendor document declares",
    ),
    (
        "sentinelone-get-events",
        "0: also query.queryId=\"q034ae362a30eba5a187cbe601d19abaa\"",
        "the name that the vendor document declares",
    ),
    (
        "sentinelone-get-events",
        "0: not query.query_id=\"q034ae362a30eba5a187cbe601d19abaa\"",
        "the name that the vendor document declares",
    ),
    ("sentinelone-get-power-query-results", "0: body.limit=100 for \"100\"", "a number is a number"),
    (
        "sentinelone-get-power-query-results",
        "0: not body.accountIds=[\"1523159856757822715\"]",
        "sites are no accounts",
    ),
    (
        "sentinelone-get-power-query-results",
        "1: not GET /dv/events/pq-ping",
        "depends on an answer, so a dry run cannot know it",
    ),
    (
        "sentinelone-get-processes",
        "0: also query.queryId=\"q034ae362a30eba5a187cbe601d19abaa\"",
        "the name that the vendor document declares",
    ),
    (
        "sentinelone-get-processes",
        "0: not query.query_id=\"q034ae362a30eba5a187cbe601d19abaa\"",
        "the name that the vendor document declares",
    ),
    (
        "sentinelone-get-remote-script-task-results",
        "0: not body.data.computerNames=[]",
        "an empty list says nothing",
    ),
    (
        "sentinelone-get-remote-script-task-results",
        "1: not GET https://files.example.com/file1.zip",
        "depends on an answer, so a dry run cannot know it",
    ),
    (
        "sentinelone-get-threat-notes",
        "0: also query.limit=\"1000\"",
        "the console sends 10 notes unless asked for more",
    ),
    (
        "sentinelone-get-threats",
        "0: query.mitigationStatuses=\"not_mitigated\" for \"active\"",
        "what 2.1 calls active",
    ),
    ("sentinelone-list-agents", "0: also query.activeThreats__gt=\"0\"", "declared name; at least so many"),
    ("sentinelone-list-agents", "0: not query.active_threats=\"1\"", "declared name; at least so many"),
    (
        "sentinelone-list-agents",
        "0: query.limit=\"1000\" for \"25\"",
        "agents are looked at again, and some of a page may be dropped",
    ),
    (
        "sentinelone-remote-script-automate-results",
        "1: not GET /remote-scripts/status",
        "depends on an answer, so a dry run cannot know it",
    ),
    (
        "sentinelone-remote-script-automate-results",
        "2: not POST /remote-scripts/fetch-files",
        "depends on an answer, so a dry run cannot know it",
    ),
    (
        "sentinelone-remote-script-automate-results",
        "3: not GET https://files.example.com/file1.zip",
        "depends on an answer, so a dry run cannot know it",
    ),
    (
        "sentinelone-remove-hash-from-blocklist",
        "0: not query.skip=\"0\"",
        "nothing is left out without saying so",
    ),
    (
        "sentinelone-remove-hash-from-blocklist",
        "0: query.limit=\"1000\" for \"4\"",
        "exact matches are looked for on all pages",
    ),
    (
        "sentinelone-remove-hash-from-blocklist",
        "1: not DELETE /restrictions",
        "depends on an answer, so a dry run cannot know it",
    ),
    (
        "sentinelone-remove-item-from-whitelist",
        "0: query.limit=\"1000\" for \"5\"",
        "exact matches are looked for on all pages",
    ),
    (
        "sentinelone-remove-item-from-whitelist",
        "1: not DELETE /exclusions",
        "depends on an answer, so a dry run cannot know it",
    ),
    (
        "sentinelone-update-alerts-status",
        "0: body.filter.ids=[\"715718962991148224\",\"715723437013282014\"] for \"715718962991148224\"",
        "all ids go in one request, as a list",
    ),
    (
        "sentinelone-update-alerts-status",
        "1: not POST /cloud-detection/alerts/incident",
        "all ids go in one request, as a list",
    ),
    (
        "sentinelone-update-alerts-verdict",
        "0: not body.filter.tenant=\"true\"",
        "ids select the alerts; tenant adds nothing",
    ),
    (
        "sentinelone-update-star-rule",
        "0: not body.filter.tenant=\"true\"",
        "beside narrower scopes the tenant is not meant",
    ),
    (
        "sentinelone-update-threats-status",
        "0: body.filter.ids=[\"715718962991148224\",\"715723437013282014\"] for \"715718962991148224\"",
        "all ids go in one request, as a list",
    ),
    (
        "sentinelone-update-threats-status",
        "1: not POST /threats/incident",
        "all ids go in one request, as a list",
    ),
    ("sentinelone-update-threats-verdict", "0: body.filter.tenant=true for \"true\"", "a flag is a flag"),
    ("update-remote-system", "0: body.filter.tenant=true for \"true\"", "a flag is a flag"),
];

/// The calls of the integration, if they are at hand.
fn calls() -> Option<Vec<Value>> {
    let path = std::env::var_os("S1_INTEGRATION_COMMANDS")?;
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Values that say the same: flags in whatever case, and times in whatever form.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) if text == "True" => json!("true"),
        Value::String(text) if text == "False" => json!("false"),
        Value::String(text) if text.len() > 15 => {
            let time = Timestamp::from(text.replacen(' ', "T", 1)).to_utc();
            time.map_or_else(|| value.clone(), |time| json!(time.as_str()))
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// The leaves of a document: place to value.
fn leaves(place: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| leaves(&format!("{place}.{name}"), value, into));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().enumerate().for_each(|(i, item)| leaves(&format!("{place}[{i}]"), item, into));
        }
        Value::Null => {}
        Value::Object(_) if place == "query" => {}
        other => drop(into.insert(place.to_owned(), plain(other).to_string())),
    }
}

/// What differs between two lists of requests, line by line.
fn differences(expected: &[Value], ours: &[Value]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for index in 0..expected.len().max(ours.len()) {
        let (expected, ours) = (expected.get(index), ours.get(index));
        let name = |one: &Value| format!("{} {}", text(&one["method"]), text(&one["path"]));
        let (Some(expected), Some(ours)) = (expected, ours) else {
            found.insert(match (expected, ours) {
                (Some(expected), _) => format!("{index}: not {}", name(expected)),
                (_, Some(ours)) => format!("{index}: also {}", name(ours)),
                _ => String::new(),
            });
            continue;
        };
        if name(expected) != name(ours) {
            found.insert(format!("{index}: {} for {}", name(ours), name(expected)));
        }
        let (mut theirs, mut mine) = (BTreeMap::new(), BTreeMap::new());
        for part in ["query", "body"] {
            leaves(part, &expected[part], &mut theirs);
            leaves(part, &ours[part], &mut mine);
        }
        let places: BTreeSet<&String> = theirs.keys().chain(mine.keys()).collect();
        for place in places {
            match (theirs.get(place), mine.get(place)) {
                (Some(theirs), None) => drop(found.insert(format!("{index}: not {place}={theirs}"))),
                (None, Some(mine)) => drop(found.insert(format!("{index}: also {place}={mine}"))),
                (theirs, mine) if theirs != mine => {
                    let (theirs, mine) = (theirs.unwrap(), mine.unwrap());
                    found.insert(format!("{index}: {place}={mine} for {theirs}"));
                }
                _ => {}
            }
        }
    }
    found
}

/// What a command prints on an API version, as the examples are written.
fn printed(name: &str, version: ApiVersion, arguments: Arguments) -> Result<Vec<Value>, String> {
    let entry = find(name).ok_or_else(|| format!("{name} is no command"))?;
    let command = entry.prepare(arguments).map_err(|error| error.to_string())?;
    let requests = command.requests(version).map_err(|error| error.to_string())?;
    let prefix = format!("/web/api/v{version}");
    let shown = requests.iter().map(|request| {
        let path = request.path(version).unwrap();
        let query: Map<_, _> = request.query().into_iter().map(|(name, value)| (name, value.into())).collect();
        let body = request.shown_body();
        json!({ "method": request.method().as_str(), "path": path.strip_prefix(&prefix), "query": query, "body": body })
    });
    Ok(shown.collect())
}

#[test]
fn every_example_of_the_integration_is_printed_but_for_named_departures() {
    let Some(calls) = calls() else { return };
    assert_eq!(calls.len(), 65);
    let mut found = BTreeSet::new();
    for call in &calls {
        let (name, example) = (text(&call["command"]), &call["example"]);
        let version = if example["api_version"] == "2.0" { ApiVersion::V2_0 } else { ApiVersion::V2_1 };
        let given = example["args"].as_object().unwrap();
        let start = Arguments::new().at(Timestamp::from("2023-06-01T00:00:00Z"));
        let arguments =
            given.iter().fold(start, |arguments, (name, value)| arguments.with(name, text(value)));
        let expected = example["expected_requests"].as_array().cloned().unwrap_or_default();
        match printed(&name, version, arguments) {
            Ok(ours) => {
                found.extend(differences(&expected, &ours).into_iter().map(|what| (name.clone(), what)))
            }
            Err(error) => drop(found.insert((name, format!("refused: {error}")))),
        }
    }
    let allowed: BTreeSet<(String, String)> =
        DIFFERENCES.iter().map(|(name, what, _)| ((*name).to_owned(), (*what).to_owned())).collect();
    let new: Vec<_> = found.difference(&allowed).collect();
    let gone: Vec<_> = allowed.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "departures that are not named: {new:#?}\nand gone: {gone:#?}"
    );
}

/// Names, arguments and outputs are those of the integration.
#[test]
fn every_command_of_the_integration_is_there() {
    let Some(calls) = calls() else { return };
    let mut names: BTreeSet<String> = calls.iter().map(|call| text(&call["command"])).collect();
    names.insert("sentinelone-update-threat-incident".to_owned());
    let ours: BTreeSet<String> = registry().iter().map(|entry| entry.info.full_name.to_owned()).collect();
    assert_eq!(ours, names);
    for call in &calls {
        let entry = find(&text(&call["command"])).unwrap();
        let versions: Vec<_> = entry.info.versions.iter().map(|version| version.as_str()).collect();
        let theirs: Vec<_> = call["api_versions"].as_array().unwrap().iter().map(text).collect();
        assert_eq!(versions, theirs, "{}", entry.info.name);
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
