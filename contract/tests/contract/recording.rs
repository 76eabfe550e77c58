//! Sanitizer and fixture recorder: recordings hold no sensitive data and still conform to the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use sentinelone::raw::reencode_response;
use sentinelone::threats::{IncidentStatus, ThreatFilter};
use sentinelone::{ApiToken, Client, agents::AgentFilter};
use sentinelone_contract::fixture::{Exchange, Provenance, ProvenanceKind, read_dir};
use sentinelone_contract::{
    Contract, ContractRule, FixtureRecorder, FixtureRecorderError, OperationSpec, Sanitizer,
};
use sentinelone_sandbox::Sandbox;
use serde_json::{Map, Value, json};

use super::is_curated;
use super::schemas::SeededRng;
use super::values::Values;

const KEY: &[u8] = b"the key of these tests";

fn fixtures() -> Vec<(String, Exchange)> {
    let all = read_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("fixtures")).unwrap();
    let is_curated =
        |exchange: &Exchange| is_curated(exchange.match_operation(Contract::bundled()).unwrap().operation);
    let all = all.into_iter().filter(|(_, exchange)| is_curated(exchange));
    all.map(|(path, exchange)| (path.display().to_string(), exchange)).collect()
}

fn exchange(operation: &str, status: u16) -> Exchange {
    Exchange::new(operation, status, Provenance::new(ProvenanceKind::Recorded, "this test"))
}

/// Returns a response of `threats_list` with one threat.
fn threats(threat: Value) -> Exchange {
    let mut exchange = exchange("GET /web/api/v2.1/threats", 200);
    exchange.response = Some(json!({ "data": [threat] }));
    exchange
}

/// Returns the replacement of a string in an undeclared field.
fn replaced(sanitizer: &Sanitizer, text: &str) -> Value {
    sanitizer.exchange(&threats(json!({ "mood": text }))).response.unwrap()["data"][0]["mood"].clone()
}

fn written(exchange: &Exchange) -> String {
    serde_json::to_string_pretty(exchange).unwrap()
}

fn findings(exchange: &Exchange) -> Vec<(ContractRule, String)> {
    let findings = Contract::bundled().check_exchange(exchange);
    findings.into_iter().map(|finding| (finding.rule, finding.location)).collect()
}

/// Collects all scalars and array lengths with their locations.
fn leaves<'a>(value: &'a Value, location: String, into: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Array(items) => {
            into.push((format!("{location}#{}", items.len()), &Value::Null));
            for (index, item) in items.iter().enumerate() {
                leaves(item, format!("{location}[{index}]"), into);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, format!("{location}.{name}"), into);
            }
        }
        leaf => into.push((location, leaf)),
    }
}

fn leaves_of(exchange: &Exchange) -> BTreeMap<String, Value> {
    let document = json!({ "query": exchange.request.query, "body": exchange.request.body,
        "response": exchange.response });
    let mut all = Vec::new();
    leaves(&document, String::new(), &mut all);
    all.into_iter().map(|(location, value)| (location, value.clone())).collect()
}

/// Sanitizes each fixture as a recording. The result has the same findings, decodes, and has the same fields and types.
/// Sensitive values are replaced.
#[test]
fn sanitizer_keeps_structure_of_fixtures() {
    let sanitizer = Sanitizer::with_key(KEY);
    let mut replaced = BTreeSet::new();
    for (path, mut before) in fixtures() {
        let expected = findings(&before);
        before.provenance.kind = ProvenanceKind::Recorded;
        let after = sanitizer.exchange(&before);
        assert_eq!(findings(&after), expected, "{path}: {}", written(&after));
        assert_eq!(after.operation, before.operation, "{path}");
        assert_eq!((after.status, &after.provenance), (before.status, &before.provenance), "{path}");
        assert_eq!(
            after.headers.keys().collect::<Vec<_>>(),
            before.headers.keys().collect::<Vec<_>>(),
            "{path}"
        );
        assert_eq!(after.response_text.is_some(), before.response_text.is_some(), "{path}");
        let contract = Contract::bundled();
        let id = before.match_operation(contract).unwrap().operation.id();
        assert_eq!(after.match_operation(contract).unwrap().operation.id(), id, "{path}");
        if let Some(body) = after.response.as_ref().filter(|_| after.status < 300) {
            reencode_response(id, body.to_string().as_bytes())
                .unwrap()
                .unwrap_or_else(|e| panic!("{path}: {e}"));
        }
        let (old, new) = (leaves_of(&before), leaves_of(&after));
        for (location, old) in &old {
            // The keys of tags are data, so they are replaced.
            let Some(new) = new.get(location) else {
                assert!(location.contains("cloudProviders"), "{path}: {location} is missing");
                continue;
            };
            match (old, new) {
                (Value::String(old), Value::String(new)) => {
                    assert_eq!(old.is_empty(), new.is_empty(), "{path}: {location}");
                    if old != new {
                        replaced.insert(location.rsplit('.').next().unwrap().to_owned());
                    }
                }
                (old, new) => assert_eq!(old, new, "{path}: {location}"),
            }
        }
    }
    for name in ["computerName", "siteName", "email", "sha1", "id", "agentIpV4", "password", "nextCursor"] {
        assert!(replaced.contains(name), "{name} is not replaced: {replaced:?}");
    }
    for name in ["createdAt", "agentVersion", "incidentStatus", "sortBy", "limit", "totalItems"] {
        assert!(!replaced.contains(name), "{name} is replaced");
    }
}

#[test]
fn sanitizer_replacement_has_same_format() {
    let sanitizer = Sanitizer::with_key(KEY);
    let becomes = |text: &str| replaced(&sanitizer, text).as_str().unwrap().to_owned();
    let same_format = |text: &str, inside: fn(char) -> bool| {
        let new = becomes(text);
        assert!(new != text && new.len() == text.len() && new.chars().all(inside), "{text} became {new}");
        new
    };
    same_format("225494730938493804", |c| c.is_ascii_digit());
    same_format("fd76926466b233e4567bba568367c212c1228855", |c| matches!(c, '0'..='9' | 'a'..='f'));
    same_format("FD76926466B233E4567BBA568367C212C1228855", |c| matches!(c, '0'..='9' | 'A'..='F'));
    let uuid = same_format("6f1d2c3b-4a59-4687-a1b2-c3d4e5f60718", |c| c.is_ascii_hexdigit() || c == '-');
    assert_eq!(
        uuid.replace('-', ""),
        becomes("6f1d2c3b4a594687a1b2c3d4e5f60718"),
        "the same UUID without hyphens"
    );
    let hardware = same_format("00:00:5e:00:53:0f", |c| c.is_ascii_hexdigit() || c == ':');
    assert_eq!(u8::from_str_radix(&hardware[..2], 16).unwrap() & 3, 2, "locally administered");
    let ipv4: std::net::Ipv4Addr = becomes("203.0.113.7").parse().unwrap();
    assert!(ipv4.octets()[0] >= 240 && !ipv4.is_broadcast());
    assert!(becomes("2001:db9::15").starts_with("2001:db8:"));
    let tagged = |text: &str, before: &str, after: &str| {
        let new = becomes(text);
        let tag = new.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap().to_owned();
        assert!(tag.len() == 16 && tag.chars().all(|c| c.is_ascii_hexdigit()), "{text} became {new}");
    };
    tagged("sample.user@corp.test", "user-", "@example.com");
    tagged("files.corp.test", "host-", ".example.com");
    tagged("Sample text", "text-", "");
    let url = becomes("ftp://u:p@files.corp.test:21/a?b=c");
    assert!(url.starts_with(&format!("ftp://{}/", becomes("files.corp.test"))), "{url}");
    assert_eq!(becomes("2026-11-18T06:13:02.004512Z"), "2026-11-18T06:13:02.004512Z");
}

/// Secrets have a constant replacement that satisfies the schema.
#[test]
fn sanitizer_masks_secrets() {
    let sanitizer = Sanitizer::with_key(KEY);
    let mut one = exchange("POST /web/api/v2.1/remote-scripts/execute", 200);
    one.request.body = Some(json!({
        "filter": { "ids": ["190000000000000515"] },
        "data": { "password": "Ex4mple", "apiKey": "k", "passwordFromScope": { "scopeLevel": "site" } },
    }));
    one.response =
        Some(json!({ "data": { "accessToken": "a", "nested": { "cookies": [{ "value": "b", "n": 77 }] },
        "tokenCreatedAt": "2026-11-18T06:13:02Z", "note": "Bearer eyJhbGciOiJF.eyJzdWIiOiJz.c2lnbmF0" } }));
    let clean = sanitizer.exchange(&one);
    let (body, response) = (clean.request.body.unwrap(), clean.response.unwrap());
    assert_eq!(body["data"]["password"], "[secret]");
    assert_eq!(body["data"]["apiKey"], "[secret]");
    assert_eq!(
        body["data"]["passwordFromScope"],
        json!({ "scopeLevel": "site" }),
        "an object is not a secret"
    );
    let expected = json!({ "data": { "accessToken": "[secret]",
        "nested": { "cookies": [{ "value": "[secret]", "n": 0 }] },
        "tokenCreatedAt": "[secret]", "note": "[secret]" } });
    assert_eq!(response, expected);
}

/// Field names with equal replacements get different suffixes, so no field is lost.
#[test]
fn sanitizer_keeps_fields_with_equal_replacements() {
    let sanitizer = Sanitizer::with_key(KEY).add_secret("x7-first");
    let fields = json!({ "x7-first a": 1, "x7-first b": 2, "[secret]-2": 3, "mood": 4, "[secret]": 5 });
    let clean = sanitizer.exchange(&threats(json!({ "map": fields }))).response.unwrap();
    let clean = clean["data"][0]["map"].as_object().unwrap();
    let values: BTreeSet<u64> = clean.values().map(|value| value.as_u64().unwrap()).collect();
    assert_eq!(values, (1..=5).collect(), "{clean:?}");
    assert!(!json!(clean).to_string().contains("x7-first"));
}

/// A secret of the request is also removed from field names of the response.
#[test]
fn sanitizer_request_secret_is_masked_in_response() {
    let mut one = exchange("POST /web/api/v2.1/agents/{agent_id}/actions/fetch-files", 200);
    one.request.path = Some("/web/api/v2.1/agents/190000000000000515/actions/fetch-files".into());
    one.request.body = Some(json!({ "data": { "password": "opensesame", "files": ["/a"] } }));
    one.response = Some(json!({ "data": { "success": true, "opensesameAgain": 1 } }));
    assert!(!written(&Sanitizer::with_key(KEY).exchange(&one)).contains("opensesame"));
}

/// A numeric secret is also removed from numbers of the response. A secret can be a number itself.
#[test]
fn sanitizer_numeric_secret_is_removed_from_numbers() {
    let mut one = exchange("POST /web/api/v2.1/agents/{agent_id}/actions/fetch-files", 200);
    one.request.path = Some("/web/api/v2.1/agents/190000000000000515/actions/fetch-files".into());
    one.request.body = Some(json!({ "data": { "password": "4815162", "files": ["/a"] } }));
    one.response = Some(json!({ "data": { "success": true, "echo": 4815162, "deep": [1, -4815162] } }));
    let text = written(&Sanitizer::with_key(KEY).exchange(&one));
    assert!(!text.contains("4815162"), "{text}");
    one.request.body = Some(json!({ "data": { "password": 2342, "files": ["/a"] } }));
    let text = written(&Sanitizer::with_key(KEY).exchange(&one));
    assert!(!text.contains("2342"), "{text}");
}

#[test]
fn sanitizer_same_value_gets_same_replacement() {
    let sanitizer = Sanitizer::with_key(KEY);
    let (first, second) = ("225494730938493804", "225494730938493915");
    let mut list = exchange("GET /web/api/v2.1/threats", 200);
    list.response = Some(json!({
        "data": [{ "id": first, "threatInfo": { "sha1": "fd76926466b233e4567bba568367c212c1228855" },
            "agentRealtimeInfo": { "agentComputerName": "web-01" } }, { "id": second, "mood": 225494730938493804_u64 }],
        "pagination": { "nextCursor": "eyJpZCI6MTkwfQ==" },
    }));
    let list = sanitizer.exchange(&list).response.unwrap();
    let (id, other) = (list["data"][0]["id"].as_str().unwrap(), list["data"][1]["id"].as_str().unwrap());
    assert_ne!(id, other);
    assert_eq!(list["data"][1]["mood"].to_string(), id, "equal for a number");

    let mut next = exchange("GET /web/api/v2.1/threats", 200);
    next.request.query = BTreeMap::from([
        ("cursor".into(), "eyJpZCI6MTkwfQ==".into()),
        ("ids".into(), format!("{second},{first}")),
        ("limit".into(), "100".into()),
        ("incidentStatuses".into(), "unresolved,in_progress".into()),
        ("mood".into(), format!("web-01,{first}")),
    ]);
    let query = sanitizer.exchange(&next).request.query;
    assert_eq!(list["pagination"]["nextCursor"], query["cursor"]);
    assert_eq!(query["ids"], format!("{other},{id}"));
    let endpoint = list["data"][0]["agentRealtimeInfo"]["agentComputerName"].as_str().unwrap();
    assert_eq!(query["mood"], format!("{endpoint},{id}"), "an undeclared parameter with commas is a list");
    assert_eq!(
        (query["limit"].as_str(), query["incidentStatuses"].as_str()),
        ("100", "unresolved,in_progress")
    );

    let mut note = exchange("GET /web/api/v2.1/threats/{threat_id}/notes", 200);
    note.request.path = Some(format!("/web/api/v2.1/threats/{first}/notes"));
    assert_eq!(sanitizer.exchange(&note).path(), format!("/web/api/v2.1/threats/{id}/notes"));

    let mut action = exchange("POST /web/api/v2.1/threats/mitigate/{action}", 200);
    action.request.path = Some("/web/api/v2.1/threats/mitigate/kill".into());
    action.request.body = Some(json!({ "filter": { "ids": [first], "computerName__contains": ["web-01"] } }));
    let action = sanitizer.exchange(&action);
    assert_eq!(action.path(), "/web/api/v2.1/threats/mitigate/kill");
    let body = action.request.body.unwrap();
    assert_eq!(body["filter"]["ids"], json!([id]));
    assert_eq!(body["filter"]["computerName__contains"][0], endpoint);

    // The path of an upload still matches the operation that downloads it.
    let upload = replaced(&sanitizer, &format!("/agents/{first}/uploads/{second}"));
    assert_eq!(upload, format!("/agents/{id}/uploads/{other}"));

    // Keys and values of tags are replaced in the JSON string.
    let mut tagged = exchange("GET /web/api/v2.1/agents", 200);
    tagged.request.query.insert("tagsData".into(), r#"{"owner":["finance"]}"#.into());
    let tags: Value = serde_json::from_str(&sanitizer.exchange(&tagged).request.query["tagsData"]).unwrap();
    let (owner, finance) = (replaced(&sanitizer, "owner"), replaced(&sanitizer, "finance"));
    assert_eq!(tags, json!({ owner.as_str().unwrap(): [finance] }));
}

/// Undeclared enum values and versions are kept, except strings that could be the name of an endpoint or an ID.
#[test]
fn sanitizer_keeps_enum_values_and_versions() {
    let sanitizer = Sanitizer::with_key(KEY);
    let status = |text: &str| {
        let threat = threats(json!({ "threatInfo": { "incidentStatus": text } }));
        sanitizer.exchange(&threat).response.unwrap()["data"][0]["threatInfo"]["incidentStatus"] == text
    };
    assert!(status("unresolved") && status("escalated_to_vendor") && status("In Progress"));
    for sensitive in ["DESKTOP-4711", "225494730938493804", "10.0.0.7", "a@b.test", "corp.test", "Zoë"] {
        assert!(!status(sensitive), "{sensitive}");
    }
    let version = |text: &str| {
        let threat = threats(json!({ "agentRealtimeInfo": { "agentVersion": text } }));
        sanitizer.exchange(&threat).response.unwrap()["data"][0]["agentRealtimeInfo"]["agentVersion"] == text
    };
    assert!(version("24.1.4.257") && version("24.2.2.20") && version("v1.31.1"));
    assert!(!version("10.0.0.7") && !version("192.168.1.20") && !version("24.1 on web-01"));
}

/// Values that must be removed, placed among other values.
#[derive(Clone, Debug)]
struct Planted {
    rng: SeededRng,
    texts: Vec<String>,
    /// Whether field names are planted, too.
    names: bool,
}

impl Values for Planted {
    fn rng(&mut self) -> &mut SeededRng {
        &mut self.rng
    }

    fn string(&mut self, _schema: &Value) -> String {
        self.planted()
    }

    /// Plants values at any location of a string.
    fn replacement(&mut self, schema: &Value) -> Option<Value> {
        let kind = Contract::bundled().type_of(schema);
        match kind {
            _ if self.rng.below(12) == 0 => Some(Value::Null),
            Some("string") if self.rng.below(4) == 0 => Some(self.planted().into()),
            Some("integer" | "number") => Some(self.rng.pick(&[json!(1), json!(443), json!(1e30)]).clone()),
            _ => None,
        }
    }

    fn extra_field(&mut self) -> Option<(String, Value)> {
        if self.rng.below(3) > 0 {
            return None;
        }
        let name = if self.names { self.planted() } else { "mood".to_owned() };
        Some((name, self.arbitrary(2)))
    }

    fn unconstrained(&mut self) -> Value {
        self.arbitrary(2)
    }
}

impl Planted {
    fn planted(&mut self) -> String {
        let one = self.rng.pick(&self.texts).clone();
        match self.rng.below(8) {
            0 => format!("seen on {one} today"),
            1 => json!({ "deep": { one: [true] } }).to_string(),
            2 => format!("/agents/{one}/uploads/{one}"),
            3 => format!("https://{one}/a/{one}?b={one}"),
            4 => one.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>() + &one,
            _ => one,
        }
    }

    fn arbitrary(&mut self, depth: u32) -> Value {
        match self.rng.below(if depth > 0 { 6 } else { 4 }) {
            0 => Value::Null,
            1 => json!(225494730938493804_u64),
            2 | 3 => self.planted().into(),
            4 => (0..self.rng.below(3)).map(|_| self.arbitrary(depth - 1)).collect(),
            _ => {
                let name = if self.names { self.planted() } else { "calm".to_owned() };
                json!({ name: self.arbitrary(depth - 1) })
            }
        }
    }

    /// Returns an exchange of an operation with planted values in all parts.
    fn exchange(&mut self, operation: &OperationSpec) -> Exchange {
        let template = operation.path().replace("{version}", "2.1");
        let mut exchange =
            exchange(&format!("{} {template}", operation.method()), *self.rng.pick(&[200, 400, 502]));
        let mut path = template.clone();
        for parameter in operation.parameters().iter().filter(|parameter| parameter.is_in_path()) {
            // All characters are percent-encoded.
            let value: String = self.planted().bytes().map(|byte| format!("%{byte:02X}")).collect();
            path = path.replace(&format!("{{{}}}", parameter.name), &value);
        }
        exchange.request.path = (path != template).then_some(path);
        for parameter in operation.parameters().iter().filter(|parameter| parameter.is_in_query()) {
            if self.rng.below(6) == 0 {
                let value = match self.value(&parameter.schema, 2) {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                exchange.request.query.insert(parameter.name.clone(), value);
            }
        }
        exchange.request.query.insert("mood".into(), [self.planted(), self.planted()].join(","));
        if self.names {
            let name = self.planted();
            exchange.request.query.insert(name, self.planted());
            exchange.headers.insert(self.planted(), "1".into());
        }
        exchange.headers.insert("set-cookie".into(), self.planted());
        exchange.headers.insert("content-type".into(), format!("text/html; boundary={}", self.planted()));
        exchange.headers.insert("retry-after".into(), self.planted());
        exchange.request.body = operation.body_schema().map(|schema| self.value(schema, 6));
        match self.rng.below(5) {
            0 => exchange.response_text = Some(format!("<html><b>{}</b></html>", self.planted())),
            _ => {
                let schema = operation.response_schema(exchange.status).unwrap_or(&Value::Null);
                exchange.response = Some(self.value(schema, 6));
            }
        }
        exchange
    }
}

prop_compose! {
    /// Generates a secret, addresses of each format, and names.
    fn planted(names: bool)(
        seed in 1..u64::MAX,
        secret in "[a-zA-Z0-9\"\\\\/+äß]{12,40}",
        user in "[a-z]{3,8}\\.[a-z]{3,8}[0-9]{2}",
        host in "(srv|pc|dc)[0-9]{4}[a-z]{2}",
        last in 1..255_u8,
    ) -> (String, Planted) {
        let texts = vec![
            secret.clone(),
            format!("{user}@{host}.corp.test"),
            format!("{host}.corp.test"),
            format!("192.168.77.{last}"),
            format!("10.99.77.{last}:8443"),
            format!("fd12:3456:789a::{last:x}"),
            format!("CORP\\{user}"),
            format!("eyJ{user}.eyJ{host}{user}.c2lnbmF0dXJl").replace(&user, &user.replace('.', "_")),
            format!("22549473093849{last:04}"),
            format!("fd76926466b233e4567bba568367c212c12{last:05}"),
            host,
        ];
        (secret, Planted { rng: SeededRng(seed), texts, names })
    }
}

/// Asserts that the file does not contain the strings, ignoring case and escapes.
fn assert_removed(texts: &[String], clean: &Exchange) {
    let file = written(clean);
    let mut strings = Vec::new();
    let value: Value = serde_json::from_str(&file).unwrap();
    fn all(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.to_lowercase()),
            Value::Array(items) => items.iter().for_each(|item| all(item, into)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                into.push(name.to_lowercase());
                all(value, into);
            }),
            _ => {}
        }
    }
    all(&value, &mut strings);
    for text in texts {
        let bare = text.split(':').next().filter(|_| text.contains('.')).unwrap_or(text).to_lowercase();
        assert!(!file.to_lowercase().contains(&bare), "{text} is in {file}");
        assert!(strings.iter().all(|string| !string.contains(&bare)), "{text} is in {file}");
    }
}

proptest! {
    // Each case tests all operations.
    #![proptest_config(ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sanitizer_removes_every_planted_value((secret, mut planted) in planted(true)) {
        let sanitizer = Sanitizer::with_key(KEY).add_secret(&secret);
        for (number, operation) in Contract::bundled().operations().enumerate() {
            let mut before = planted.exchange(operation);
            if number % 5 == 0 {
                // An undeclared operation.
                let text = planted.planted();
                before.operation = format!("{text} /web/api/v2.1/{text}/threats");
                before.request.path = Some(format!("/web/api/v2.1/{text}/threats"));
            }
            let clean = sanitizer.exchange(&before);
            assert_removed(&planted.texts, &clean);
            prop_assert!(Contract::bundled().check_secrets(&clean).is_empty(), "{:?}", findings(&clean));
        }
    }

    /// Without planted names, the structure is kept, and the result has no new findings.
    #[test]
    fn sanitizer_adds_no_findings((_, mut planted) in planted(false)) {
        let sanitizer = Sanitizer::with_key(KEY);
        for operation in Contract::bundled().operations() {
            let before = planted.exchange(operation);
            let clean = sanitizer.exchange(&before);
            let mut remaining = findings(&before);
            remaining.retain(|(rule, _)| *rule != ContractRule::UnredactedSecret);
            for finding in findings(&clean) {
                let known = remaining.iter().position(|one| one.0 == finding.0);
                prop_assert!(known.is_some(), "{finding:?} is new: {} became {}", written(&before), written(&clean));
                remaining.remove(known.unwrap());
            }
            let leaves = leaves_of(&clean);
            for (location, old) in leaves_of(&before) {
                let new = leaves.get(&location).cloned();
                let same_type = new.as_ref().is_some_and(|new| {
                    std::mem::discriminant(new) == std::mem::discriminant(&old)
                        && (old.is_string() || old.is_number() || *new == old)
                });
                // A JSON string with replaced keys is a string here; the keys of maps are data.
                let is_data = location.contains(".first");
                prop_assert!(same_type || is_data, "{}: {location}: {old} became {new:?}", operation.id());
                if old == "2026-11-18T06:13:02.004512Z" && !location.to_lowercase().contains("token") {
                    prop_assert_eq!(new, Some(old));
                }
            }
        }
    }

    #[test]
    fn sanitizer_same_key_gives_same_result((secret, mut planted) in planted(true)) {
        for operation in Contract::bundled().operations() {
            let before = planted.exchange(operation);
            let clean = Sanitizer::with_key(KEY).add_secret(&secret).exchange(&before);
            prop_assert_eq!(&clean, &Sanitizer::with_key(KEY).add_secret(&secret).exchange(&before));
            // Sanitizing the result again yields no new findings.
            let twice = Sanitizer::with_key(KEY).exchange(&clean);
            prop_assert_eq!(findings(&twice).len(), findings(&clean).len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sanitizer_other_key_gives_other_result(text in "[a-z]{3,9} [a-z]{3,9}", id in "[1-9][0-9]{11,20}", key in any::<[u8; 8]>()) {
        for text in [&text, &id, &format!("{}.corp.test", &text[..3])] {
            let one = replaced(&Sanitizer::with_key(KEY), text);
            prop_assert_ne!(&one, &replaced(&Sanitizer::with_key(&key), text));
            prop_assert_ne!(one, Value::from(text.as_str()));
        }
    }

    #[test]
    fn sanitizer_distinct_values_get_distinct_replacements(
        texts in proptest::collection::btree_set(
            prop_oneof![
                "[0-9]{10,13}", "[0-9a-f]{16}", "[a-z]{1,3}@[a-z]{1,2}\\.test", "[a-z]{1,3}\\.[a-z]{2}",
                "https://[a-z]/[a-z]{2}", "[a-zA-Z0-9 ]{1,4}", "[0-9]{1,4}", "fd00::[1-9a-f]{1,3}",
            ],
            2..60,
        ),
    ) {
        let sanitizer = Sanitizer::with_key(KEY);
        let list = threats(json!({ "mood": texts }));
        let map = threats(json!({ "mood": texts.iter().map(|text| (text.clone(), json!(1))).collect::<Map<_, _>>() }));
        let list = sanitizer.exchange(&list).response.unwrap()["data"][0]["mood"].clone();
        let new: BTreeSet<&str> = list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        prop_assert_eq!(new.len(), texts.len(), "{:?} became {:?}", texts, new);
        let map = sanitizer.exchange(&map).response.unwrap()["data"][0]["mood"].clone();
        prop_assert_eq!(map.as_object().unwrap().len(), texts.len());
    }

    /// The sanitizer does not panic for any JSON, path or string.
    #[test]
    fn sanitizer_any_json_does_not_panic(
        response in any_json(), body in any_json(), text in any::<String>(), path in any::<String>(), at in any::<Index>(),
    ) {
        let operations: Vec<_> = Contract::bundled().operations().collect();
        let operation = operations[at.index(operations.len())];
        let mut one = exchange(&format!("{} {}", operation.method(), operation.path()), 200);
        one.response = Some(response);
        one.request.body = Some(body);
        one.request.path = Some(format!("/{path}"));
        one.request.query.insert(path, text.clone());
        one.headers.insert("retry-after".into(), text.clone());
        one.response_text = Some(text.clone());
        let sanitizer = Sanitizer::with_key(KEY).add_secret(text);
        let clean = sanitizer.exchange(&one);
        let _ = sanitizer.exchange(&clean);
        let _ = findings(&clean);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9.:/@-]{0,20}".prop_map(Value::from),
        "eyJ[a-z.]{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("data|id|filter|\\PC{0,8}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn sandbox_recorder(dir: &Path) -> FixtureRecorder {
    let token = ApiToken::new(Sandbox::TOKEN).unwrap();
    let provenance = Provenance::new(ProvenanceKind::Sandbox, "this test");
    FixtureRecorder::create(dir, Sanitizer::for_token(&token), provenance).unwrap()
}

/// Recordings of the sandbox conform to the contract, and an ID has the same replacement in each file.
#[tokio::test]
async fn recorder_sandbox_exchanges_conform_to_contract() {
    let sandbox = Sandbox::start().await.unwrap();
    let token = ApiToken::new(Sandbox::TOKEN).unwrap();
    let client = Client::builder(sandbox.url()).token(token).build().unwrap();
    let page = client.threats().list().filter(ThreatFilter::default()).page().await.unwrap();
    let id = page.data[0].id.clone().unwrap();
    let filter = ThreatFilter::default().ids([id.to_string()]);
    let _ = client
        .threats()
        .update_incident()
        .filter(filter)
        .status(IncidentStatus::Resolved)
        .send()
        .await
        .unwrap();
    let _ = client.agents().list().filter(AgentFilter::default()).page().await.unwrap();

    let dir = tempfile::TempDir::new().unwrap();
    let recorder = sandbox_recorder(dir.path());
    for recorded in sandbox.exchanges() {
        let mut one = exchange("", recorded.status);
        let found = Contract::bundled().match_operation(&recorded.method, &recorded.path).unwrap();
        one.provenance.kind = ProvenanceKind::Sandbox;
        one.operation = format!("{} {}", recorded.method, found.operation.path().replace("{version}", "2.1"));
        one.request.path = Some(recorded.path.clone());
        one.request.query = recorded.query.iter().cloned().collect();
        one.request.body = recorded.body.clone();
        one.response = Some(recorded.response.clone());
        recorder.add(&one).unwrap();
    }
    assert_eq!(recorder.written_count(), 3);
    let read: BTreeMap<String, Exchange> = read_dir(dir.path())
        .unwrap()
        .into_iter()
        .map(|(path, exchange)| {
            let name = path.strip_prefix(dir.path()).unwrap();
            (name.iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("/"), exchange)
        })
        .collect();
    let names: Vec<&str> = read.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["agents_list/001-200.json", "threats_list/001-200.json", "threats_update_incident/001-200.json"]
    );
    for (name, exchange) in &read {
        assert_eq!(findings(exchange), [], "{name}");
    }
    let listed = &read["threats_list/001-200.json"].response.as_ref().unwrap()["data"][0]["id"];
    let updated =
        &read["threats_update_incident/001-200.json"].request.body.as_ref().unwrap()["filter"]["ids"][0];
    assert_eq!(listed, updated);
    assert_ne!(*listed, json!(id.to_string()));
}

/// Concurrent and consecutive recorders do not overwrite files, and leave no partial files.
#[test]
fn recorders_share_a_directory() {
    const WRITERS: usize = 8;
    const EXCHANGES: usize = 30;
    let dir = tempfile::TempDir::new().unwrap();
    let target = dir.path().join("new").join("dir");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let recorder = sandbox_recorder(&target);
            scope.spawn(move || {
                for number in 0..EXCHANGES {
                    recorder
                        .add(&threats(json!({ "id": format!("{writer}{number:02}0000000000") })))
                        .unwrap();
                }
                assert_eq!((recorder.written_count(), recorder.errors().len()), (EXCHANGES, 0));
            });
        }
    });
    let last = sandbox_recorder(&target).add(&threats(json!({ "id": "1" }))).unwrap();
    let total = WRITERS * EXCHANGES + 1;
    assert_eq!(last, target.join("threats_list").join(format!("{total}-200.json")));
    let names: BTreeSet<String> = std::fs::read_dir(target.join("threats_list"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, (1..=total).map(|number| format!("{number:03}-200.json")).collect());
    let ids: BTreeSet<String> = read_dir(&target)
        .unwrap()
        .iter()
        .map(|(_, exchange)| exchange.response.as_ref().unwrap()["data"][0]["id"].to_string())
        .collect();
    assert_eq!(ids.len(), total, "each exchange was written");
}

/// `add` fails if the file would contain a secret, or cannot be written.
#[test]
fn recorder_add_reports_secrets_and_io_errors() {
    let dir = tempfile::TempDir::new().unwrap();
    let provenance = Provenance::new(ProvenanceKind::Recorded, "this test");
    // A path segment of the specification, which is always in the file.
    let sanitizer = Sanitizer::with_key(KEY).add_secret("threats");
    let recorder = FixtureRecorder::create(dir.path(), sanitizer, provenance.clone()).unwrap();
    let error = recorder.add(&threats(json!({ "id": "1" }))).unwrap_err();
    assert!(matches!(error, FixtureRecorderError::Secret { .. }), "{error}");
    assert_eq!((recorder.written_count(), read_dir(dir.path()).unwrap().len()), (0, 0));

    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = FixtureRecorder::create(&file, Sanitizer::with_key(KEY), provenance.clone()).unwrap_err();
    assert!(matches!(error, FixtureRecorderError::Io { .. }), "{error}");
    std::fs::write(dir.path().join("threats_list"), "").unwrap();
    let recorder = FixtureRecorder::create(dir.path(), Sanitizer::with_key(KEY), provenance).unwrap();
    let error = recorder.add(&threats(json!({ "id": "1" }))).unwrap_err();
    assert!(error.to_string().contains("threats_list"), "{error}");
}

/// The key depends on the token and the purpose, and the token is removed.
#[test]
fn sanitizer_for_token_derives_key_and_removes_token() {
    let token = |text: &str| Sanitizer::for_token(&ApiToken::new(text).unwrap());
    let (one, other) = (token("x7-first-token"), token("x7-other-token"));
    assert_eq!(replaced(&one, "web-01"), replaced(&token("x7-first-token"), "web-01"));
    assert_ne!(replaced(&one, "web-01"), replaced(&other, "web-01"));
    assert_ne!(
        replaced(&one, "web-01"),
        replaced(&Sanitizer::with_key(b"x7-first-token"), "web-01"),
        "the key is derived for this purpose"
    );
    assert_eq!(replaced(&one, "it was X7-First-Token"), "[secret]");
    assert!(!format!("{one:?}").contains("x7-first-token"));
}
