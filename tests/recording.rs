//! Recordings: nothing that belongs to people survives, and what is left is still an exchange that fits.
#![cfg(feature = "sandbox")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use sentinelone::contract::fixture::{Exchange, Provenance, ProvenanceKind, read_all};
use sentinelone::contract::{Contract, FindingKind, OperationSpec, Recording, RecordingError, Sanitizer};
use sentinelone::raw::answer_again;
use sentinelone::sandbox::Sandbox;
use sentinelone::threats::{IncidentStatus, ThreatFilter};
use sentinelone::{ApiToken, Client, agents::AgentFilter};
use serde_json::{Map, Value, json};

const KEY: &[u8] = b"the key of these tests";

fn fixtures() -> Vec<(String, Exchange)> {
    let all = read_all(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap();
    all.into_iter().map(|(path, exchange)| (path.display().to_string(), exchange)).collect()
}

fn exchange(operation: &str, status: u16) -> Exchange {
    Exchange::new(operation, status, Provenance::new(ProvenanceKind::Recorded, "this test"))
}

/// An answer of threats with this as the only one.
fn threats(threat: Value) -> Exchange {
    let mut exchange = exchange("GET /web/api/v2.1/threats", 200);
    exchange.response = Some(json!({ "data": [threat] }));
    exchange
}

/// What a text becomes in a place of which nobody knows anything.
fn replaced(sanitizer: &Sanitizer, text: &str) -> Value {
    sanitizer.exchange(&threats(json!({ "mood": text }))).response.unwrap()["data"][0]["mood"].clone()
}

fn written(exchange: &Exchange) -> String {
    serde_json::to_string_pretty(exchange).unwrap()
}

fn findings(exchange: &Exchange) -> Vec<(FindingKind, String)> {
    let findings = Contract::bundled().check_exchange(exchange);
    findings.into_iter().map(|finding| (finding.kind, finding.place)).collect()
}

/// Visits every value that is no list and no object, with its place.
fn leaves<'a>(value: &'a Value, place: String, into: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Array(items) => {
            into.push((format!("{place}#{}", items.len()), &Value::Null));
            for (index, item) in items.iter().enumerate() {
                leaves(item, format!("{place}[{index}]"), into);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, format!("{place}.{name}"), into);
            }
        }
        leaf => into.push((place, leaf)),
    }
}

fn leaves_of(exchange: &Exchange) -> BTreeMap<String, Value> {
    let document = json!({ "query": exchange.request.query, "body": exchange.request.body,
        "answer": exchange.response });
    let mut all = Vec::new();
    leaves(&document, String::new(), &mut all);
    all.into_iter().map(|(place, value)| (place, value.clone())).collect()
}

/// Every fixture is recorded as if it were real: it departs from the contract where it did before and nowhere
/// else, decodes, and has the same fields and types. What it says about people is gone.
#[test]
fn fixtures_stay_what_they_are() {
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
        let id = before.find(contract).unwrap().operation.id();
        assert_eq!(after.find(contract).unwrap().operation.id(), id, "{path}");
        if let Some(answer) = after.response.as_ref().filter(|_| after.status < 300) {
            answer_again(id, answer.to_string().as_bytes())
                .unwrap()
                .unwrap_or_else(|e| panic!("{path}: {e}"));
        }
        let (old, new) = (leaves_of(&before), leaves_of(&after));
        for (place, old) in &old {
            // Keys of tags are people's own.
            let Some(new) = new.get(place) else {
                assert!(place.contains("cloudProviders"), "{path}: {place} is gone");
                continue;
            };
            match (old, new) {
                (Value::String(old), Value::String(new)) => {
                    assert_eq!(old.is_empty(), new.is_empty(), "{path}: {place}");
                    if old != new {
                        replaced.insert(place.rsplit('.').next().unwrap().to_owned());
                    }
                }
                (old, new) => assert_eq!(old, new, "{path}: {place}"),
            }
        }
    }
    for name in ["computerName", "siteName", "email", "sha1", "id", "agentIpV4", "password", "nextCursor"] {
        assert!(replaced.contains(name), "{name} is kept: {replaced:?}");
    }
    for name in ["createdAt", "agentVersion", "incidentStatus", "sortBy", "limit", "totalItems"] {
        assert!(!replaced.contains(name), "{name} is replaced");
    }
}

#[test]
fn kinds_are_kept() {
    let sanitizer = Sanitizer::with_key(KEY);
    let becomes = |text: &str| replaced(&sanitizer, text).as_str().unwrap().to_owned();
    let of = |text: &str, inside: fn(char) -> bool| {
        let new = becomes(text);
        assert!(new != text && new.len() == text.len() && new.chars().all(inside), "{text} became {new}");
        new
    };
    of("225494730938493804", |c| c.is_ascii_digit());
    of("fd76926466b233e4567bba568367c212c1228855", |c| matches!(c, '0'..='9' | 'a'..='f'));
    of("FD76926466B233E4567BBA568367C212C1228855", |c| matches!(c, '0'..='9' | 'A'..='F'));
    let uuid = of("6f1d2c3b-4a59-4687-a1b2-c3d4e5f60718", |c| c.is_ascii_hexdigit() || c == '-');
    assert_eq!(uuid.replace('-', ""), becomes("6f1d2c3b4a594687a1b2c3d4e5f60718"), "one thing in two forms");
    let hardware = of("00:00:5e:00:53:0f", |c| c.is_ascii_hexdigit() || c == ':');
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
    tagged("Someone at work", "text-", "");
    let url = becomes("ftp://u:p@files.corp.test:21/a?b=c");
    assert!(url.starts_with(&format!("ftp://{}/", becomes("files.corp.test"))), "{url}");
    assert_eq!(becomes("2026-11-18T06:13:02.004512Z"), "2026-11-18T06:13:02.004512Z");
}

/// What stands in the place of a secret says nothing about it, and fits where it stands.
#[test]
fn secrets_are_all_the_same() {
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
    let (body, answer) = (clean.request.body.unwrap(), clean.response.unwrap());
    assert_eq!(body["data"]["password"], "[secret]");
    assert_eq!(body["data"]["apiKey"], "[secret]");
    assert_eq!(body["data"]["passwordFromScope"], json!({ "scopeLevel": "site" }), "no secret by its type");
    let expected = json!({ "data": { "accessToken": "[secret]",
        "nested": { "cookies": [{ "value": "[secret]", "n": 0 }] },
        "tokenCreatedAt": "[secret]", "note": "[secret]" } });
    assert_eq!(answer, expected);
}

/// Names that become the same are told apart, so that nothing is lost.
#[test]
fn no_field_takes_the_place_of_another() {
    let sanitizer = Sanitizer::with_key(KEY).secret("x7-first");
    let fields = json!({ "x7-first a": 1, "x7-first b": 2, "[secret]-2": 3, "mood": 4, "[secret]": 5 });
    let clean = sanitizer.exchange(&threats(json!({ "map": fields }))).response.unwrap();
    let clean = clean["data"][0]["map"].as_object().unwrap();
    let values: BTreeSet<u64> = clean.values().map(|value| value.as_u64().unwrap()).collect();
    assert_eq!(values, (1..=5).collect(), "{clean:?}");
    assert!(!json!(clean).to_string().contains("x7-first"));
}

/// A password of the request is not kept where an answer has it as the name of a field or as a word.
#[test]
fn what_was_a_secret_once_is_one_everywhere() {
    let mut one = exchange("POST /web/api/v2.1/agents/{agent_id}/actions/fetch-files", 200);
    one.request.path = Some("/web/api/v2.1/agents/190000000000000515/actions/fetch-files".into());
    one.request.body = Some(json!({ "data": { "password": "opensesame", "files": ["/a"] } }));
    one.response = Some(json!({ "data": { "success": true, "opensesameAgain": 1 } }));
    assert!(!written(&Sanitizer::with_key(KEY).exchange(&one)).contains("opensesame"));
}

/// A password of digits may come back as a number, and a password may be one.
#[test]
fn a_secret_of_digits_is_no_number_either() {
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
fn joins_survive() {
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
    assert_eq!(list["data"][1]["mood"].to_string(), id, "as a number, too");

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
    let computer = list["data"][0]["agentRealtimeInfo"]["agentComputerName"].as_str().unwrap();
    assert_eq!(
        query["mood"],
        format!("{computer},{id}"),
        "a list that the specification does not know is one"
    );
    assert_eq!(
        (query["limit"].as_str(), query["incidentStatuses"].as_str()),
        ("100", "unresolved,in_progress")
    );

    let mut note = exchange("GET /web/api/v2.1/threats/{threat_id}/notes", 200);
    note.request.path = Some(format!("/web/api/v2.1/threats/{first}/notes"));
    assert_eq!(sanitizer.exchange(&note).path(), format!("/web/api/v2.1/threats/{id}/notes"));

    let mut act = exchange("POST /web/api/v2.1/threats/mitigate/{action}", 200);
    act.request.path = Some("/web/api/v2.1/threats/mitigate/kill".into());
    act.request.body = Some(json!({ "filter": { "ids": [first], "computerName__contains": ["web-01"] } }));
    let act = sanitizer.exchange(&act);
    assert_eq!(act.path(), "/web/api/v2.1/threats/mitigate/kill");
    let body = act.request.body.unwrap();
    assert_eq!(body["filter"]["ids"], json!([id]));
    assert_eq!(body["filter"]["computerName__contains"][0], computer);

    // The address of an upload leads to the operation that fetches it.
    let address = replaced(&sanitizer, &format!("/agents/{first}/uploads/{second}"));
    assert_eq!(address, format!("/agents/{id}/uploads/{other}"));

    // Tags are people's own on both sides of the text that holds them.
    let mut tagged = exchange("GET /web/api/v2.1/agents", 200);
    tagged.request.query.insert("tagsData".into(), r#"{"owner":["finance"]}"#.into());
    let tags: Value = serde_json::from_str(&sanitizer.exchange(&tagged).request.query["tagsData"]).unwrap();
    let (owner, finance) = (replaced(&sanitizer, "owner"), replaced(&sanitizer, "finance"));
    assert_eq!(tags, json!({ owner.as_str().unwrap(): [finance] }));
}

/// Words of the vendor are kept where words are expected, but nothing that could be a machine or an identifier.
#[test]
fn enums_keep_what_says_nothing() {
    let sanitizer = Sanitizer::with_key(KEY);
    let status = |text: &str| {
        let threat = threats(json!({ "threatInfo": { "incidentStatus": text } }));
        sanitizer.exchange(&threat).response.unwrap()["data"][0]["threatInfo"]["incidentStatus"] == text
    };
    assert!(status("unresolved") && status("escalated_to_vendor") && status("In Progress"));
    for hidden in ["DESKTOP-4711", "225494730938493804", "10.0.0.7", "a@b.test", "corp.test", "Zoë"] {
        assert!(!status(hidden), "{hidden}");
    }
    let version = |text: &str| {
        let threat = threats(json!({ "agentRealtimeInfo": { "agentVersion": text } }));
        sanitizer.exchange(&threat).response.unwrap()["data"][0]["agentRealtimeInfo"]["agentVersion"] == text
    };
    assert!(version("24.1.4.257") && version("24.2.2.20") && version("v1.31.1"));
    assert!(!version("10.0.0.7") && !version("192.168.1.20") && !version("24.1 on web-01"));
}

/// Consistent random choices.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, many: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % many
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What must not survive, and other texts to stand beside it.
#[derive(Clone, Debug)]
struct Planted {
    dice: Dice,
    texts: Vec<String>,
    /// Whether names of fields are planted too.
    names: bool,
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(sentinelone::raw::OPENAPI).unwrap());

fn words(schema: &Value) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return words(DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap());
    }
    let own = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    own.chain(schema["allOf"].as_array().into_iter().flatten().flat_map(words)).collect()
}

impl Planted {
    fn text(&mut self) -> String {
        let one = self.dice.pick(&self.texts).clone();
        match self.dice.below(8) {
            0 => format!("seen on {one} today"),
            1 => json!({ "deep": { one: [true] } }).to_string(),
            2 => format!("/agents/{one}/uploads/{one}"),
            3 => format!("https://{one}/a/{one}?b={one}"),
            4 => one.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>() + &one,
            _ => one,
        }
    }

    /// A value of a schema, with what is planted wherever a text may stand.
    fn value(&mut self, schema: &Value, depth: u32) -> Value {
        let contract = Contract::bundled();
        let words = words(schema);
        match contract.type_of(schema) {
            _ if self.dice.below(12) == 0 => Value::Null,
            Some("object") if depth > 0 => {
                let mut fields = Map::new();
                for (name, schema) in contract.properties(schema) {
                    if self.dice.below(3) == 0 {
                        fields.insert(name.to_owned(), self.value(schema, depth - 1));
                    }
                }
                if self.dice.below(3) == 0 {
                    let name = if self.names { self.text() } else { "mood".to_owned() };
                    fields.insert(name, self.any(2));
                }
                Value::Object(fields)
            }
            Some("array") if depth > 0 => {
                let items = contract.items(schema).unwrap_or(&Value::Null);
                (0..self.dice.below(4)).map(|_| self.value(items, depth - 1)).collect()
            }
            Some("string") if !words.is_empty() && self.dice.below(4) > 0 => {
                self.dice.pick(&words).clone().into()
            }
            Some("string") if schema["format"] == "date-time" && self.dice.below(4) > 0 => {
                "2026-11-18T06:13:02.004512Z".into()
            }
            Some("string") => self.text().into(),
            Some("integer" | "number") => self.dice.pick(&[json!(1), json!(443), json!(1e30)]).clone(),
            Some("boolean") => self.dice.below(2).eq(&0).into(),
            _ => self.any(2),
        }
    }

    fn any(&mut self, depth: u32) -> Value {
        match self.dice.below(if depth > 0 { 6 } else { 4 }) {
            0 => Value::Null,
            1 => json!(225494730938493804_u64),
            2 | 3 => self.text().into(),
            4 => (0..self.dice.below(3)).map(|_| self.any(depth - 1)).collect(),
            _ => {
                let name = if self.names { self.text() } else { "calm".to_owned() };
                json!({ name: self.any(depth - 1) })
            }
        }
    }

    /// An exchange of an operation, as a console might answer it that has all this in it.
    fn exchange(&mut self, operation: &OperationSpec) -> Exchange {
        let template = operation.path().replace("{version}", "2.1");
        let mut exchange =
            exchange(&format!("{} {template}", operation.method()), *self.dice.pick(&[200, 400, 502]));
        let mut path = template.clone();
        for parameter in operation.parameters().iter().filter(|parameter| parameter.in_path) {
            // Percent-encoded to the last character, as a stubborn client might.
            let value: String = self.text().bytes().map(|byte| format!("%{byte:02X}")).collect();
            path = path.replace(&format!("{{{}}}", parameter.name), &value);
        }
        exchange.request.path = (path != template).then_some(path);
        for parameter in operation.parameters().iter().filter(|parameter| !parameter.in_path) {
            if self.dice.below(6) == 0 {
                let value = match self.value(&parameter.schema, 2) {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                exchange.request.query.insert(parameter.name.clone(), value);
            }
        }
        exchange.request.query.insert("mood".into(), [self.text(), self.text()].join(","));
        if self.names {
            let name = self.text();
            exchange.request.query.insert(name, self.text());
            exchange.headers.insert(self.text(), "1".into());
        }
        exchange.headers.insert("set-cookie".into(), self.text());
        exchange.headers.insert("content-type".into(), format!("text/html; boundary={}", self.text()));
        exchange.headers.insert("retry-after".into(), self.text());
        exchange.request.body = operation.body_schema().map(|schema| self.value(schema, 6));
        match self.dice.below(5) {
            0 => exchange.response_text = Some(format!("<html><b>{}</b></html>", self.text())),
            _ => {
                let schema = operation.answer_schema(exchange.status).unwrap_or(&Value::Null);
                exchange.response = Some(self.value(schema, 6));
            }
        }
        exchange
    }
}

/// Operations, with a few that the specification does not have.
fn operation(number: usize) -> &'static OperationSpec {
    let all: Vec<_> = Contract::bundled().operations().collect();
    all[number % all.len()]
}

prop_compose! {
    /// A secret, an address of each kind, and names.
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
        (secret, Planted { dice: Dice(seed), texts, names })
    }
}

/// Nothing of the texts is in the file, in whatever case or escapes.
fn assert_gone(texts: &[String], clean: &Exchange) {
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
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_planted_survives((secret, mut planted) in planted(true), number in 0..1000_usize) {
        let sanitizer = Sanitizer::with_key(KEY).secret(&secret);
        let mut before = planted.exchange(operation(number));
        if number % 5 == 0 {
            // One that nobody knows.
            let text = planted.text();
            before.operation = format!("{text} /web/api/v2.1/{text}/threats");
            before.request.path = Some(format!("/web/api/v2.1/{text}/threats"));
        }
        let clean = sanitizer.exchange(&before);
        assert_gone(&planted.texts, &clean);
        prop_assert!(Contract::bundled().check_secrets(&clean).is_empty(), "{:?}", findings(&clean));
    }

    /// Where no names are planted, the form of the whole is kept, and nothing comes to contradict the contract.
    #[test]
    fn the_form_is_kept((_, mut planted) in planted(false), number in 0..1000_usize) {
        let sanitizer = Sanitizer::with_key(KEY);
        let before = planted.exchange(operation(number));
        let clean = sanitizer.exchange(&before);
        let mut left = findings(&before);
        left.retain(|(kind, _)| *kind != FindingKind::Secret);
        for finding in findings(&clean) {
            let known = left.iter().position(|one| one.0 == finding.0);
            prop_assert!(known.is_some(), "{finding:?} is new: {} became {}", written(&before), written(&clean));
            left.remove(known.unwrap());
        }
        for (place, old) in leaves_of(&before) {
            let new = leaves_of(&clean).get(&place).cloned();
            let same_type = new.as_ref().is_some_and(|new| {
                std::mem::discriminant(new) == std::mem::discriminant(&old)
                    && (old.is_string() || old.is_number() || *new == old)
            });
            // Documents in texts, whose keys are replaced, are texts here; maps have keys of people.
            prop_assert!(same_type || place.contains("cloudProviders"), "{place}: {old} became {new:?}");
            if old == "2026-11-18T06:13:02.004512Z" && !place.to_lowercase().contains("token") {
                prop_assert_eq!(new, Some(old));
            }
        }
    }

    #[test]
    fn one_key_gives_one_result((secret, mut planted) in planted(true), number in 0..1000_usize) {
        let before = planted.exchange(operation(number));
        let clean = Sanitizer::with_key(KEY).secret(&secret).exchange(&before);
        prop_assert_eq!(&clean, &Sanitizer::with_key(KEY).secret(&secret).exchange(&before));
        // What was replaced is taken again.
        let again = Sanitizer::with_key(KEY).exchange(&clean);
        prop_assert_eq!(findings(&again).len(), findings(&clean).len());
    }

    #[test]
    fn other_keys_give_other_results(text in "[a-z]{3,9} [a-z]{3,9}", id in "[1-9][0-9]{11,20}", key in any::<[u8; 8]>()) {
        for text in [&text, &id, &format!("{}.corp.test", &text[..3])] {
            let one = replaced(&Sanitizer::with_key(KEY), text);
            prop_assert_ne!(&one, &replaced(&Sanitizer::with_key(&key), text));
            prop_assert_ne!(one, Value::from(text.as_str()));
        }
    }

    #[test]
    fn distinct_stays_distinct(
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

    /// Whatever is in it, and wherever: no panic.
    #[test]
    fn any_json_is_taken(
        answer in any_json(), body in any_json(), text in any::<String>(), path in any::<String>(), number in 0..1000_usize,
    ) {
        let operation = operation(number);
        let mut one = exchange(&format!("{} {}", operation.method(), operation.path()), 200);
        one.response = Some(answer);
        one.request.body = Some(body);
        one.request.path = Some(format!("/{path}"));
        one.request.query.insert(path, text.clone());
        one.headers.insert("retry-after".into(), text.clone());
        one.response_text = Some(text.clone());
        let sanitizer = Sanitizer::with_key(KEY).secret(text);
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

fn sandbox_recording(folder: &Path) -> Recording {
    let token = ApiToken::new(Sandbox::TOKEN).unwrap();
    let provenance = Provenance::new(ProvenanceKind::Sandbox, "this test");
    Recording::into_folder(folder, Sanitizer::for_token(&token), provenance).unwrap()
}

/// What the sandbox answers to the real client, recorded: it keeps the contract and leads from one to the next.
#[tokio::test]
async fn a_recording_of_the_sandbox_keeps_the_contract() {
    let sandbox = Sandbox::start().await.unwrap();
    let token = ApiToken::new(Sandbox::TOKEN).unwrap();
    let client = Client::builder(sandbox.url()).token(token).build().unwrap();
    let page = client.threats().list().filter(ThreatFilter::default()).page().await.unwrap();
    let id = page.data[0].id.clone().unwrap();
    let filter = ThreatFilter::default().ids([id.to_string()]);
    client.threats().update_incident().filter(filter).status(IncidentStatus::Resolved).send().await.unwrap();
    client.agents().list().filter(AgentFilter::default()).page().await.unwrap();

    let folder = tempfile::TempDir::new().unwrap();
    let recording = sandbox_recording(folder.path());
    for seen in sandbox.exchanges() {
        let mut one = exchange("", seen.status);
        let found = Contract::bundled().find(&seen.method, &seen.path).unwrap();
        one.provenance.kind = ProvenanceKind::Sandbox;
        one.operation = format!("{} {}", seen.method, found.operation.path().replace("{version}", "2.1"));
        one.request.path = Some(seen.path.clone());
        one.request.query = seen.query.iter().cloned().collect();
        one.request.body = seen.body.clone();
        one.response = Some(seen.answer.clone());
        recording.add(&one).unwrap();
    }
    assert_eq!(recording.written(), 3);
    let read: BTreeMap<String, Exchange> = read_all(folder.path())
        .unwrap()
        .into_iter()
        .map(|(path, exchange)| {
            let name = path.strip_prefix(folder.path()).unwrap();
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
    let acted =
        &read["threats_update_incident/001-200.json"].request.body.as_ref().unwrap()["filter"]["ids"][0];
    assert_eq!(listed, acted);
    assert_ne!(*listed, json!(id.to_string()));
}

/// Several at once, and one after the other: nothing is overwritten, and no part of a file stays behind.
#[test]
fn recordings_share_a_folder() {
    let folder = tempfile::TempDir::new().unwrap();
    let target = folder.path().join("new").join("folder");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let recording = sandbox_recording(&target);
            scope.spawn(move || {
                for number in 0..30 {
                    recording
                        .add(&threats(json!({ "id": format!("{writer}{number:02}0000000000") })))
                        .unwrap();
                }
                assert_eq!((recording.written(), recording.errors().len()), (30, 0));
            });
        }
    });
    let last = sandbox_recording(&target).add(&threats(json!({ "id": "1" }))).unwrap();
    assert_eq!(last, target.join("threats_list").join("241-200.json"));
    let names: BTreeSet<String> = std::fs::read_dir(target.join("threats_list"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, (1..=241).map(|number| format!("{number:03}-200.json")).collect());
    let ids: BTreeSet<String> = read_all(&target)
        .unwrap()
        .iter()
        .map(|(_, exchange)| exchange.response.as_ref().unwrap()["data"][0]["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 241, "each of them was written");
}

/// A file that would hold the secret is not written, and neither is one for which there is no place.
#[test]
fn what_cannot_be_written_is_said() {
    let folder = tempfile::TempDir::new().unwrap();
    let provenance = Provenance::new(ProvenanceKind::Recorded, "this test");
    // A word of the specification, so that it is bound to be in the file.
    let sanitizer = Sanitizer::with_key(KEY).secret("threats");
    let recording = Recording::into_folder(folder.path(), sanitizer, provenance.clone()).unwrap();
    let refused = recording.add(&threats(json!({ "id": "1" }))).unwrap_err();
    assert!(matches!(refused, RecordingError::Secret { .. }), "{refused}");
    assert_eq!((recording.written(), read_all(folder.path()).unwrap().len()), (0, 0));

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = Recording::into_folder(&file, Sanitizer::with_key(KEY), provenance.clone()).unwrap_err();
    assert!(matches!(refused, RecordingError::Io { .. }), "{refused}");
    std::fs::write(folder.path().join("threats_list"), "").unwrap();
    let recording = Recording::into_folder(folder.path(), Sanitizer::with_key(KEY), provenance).unwrap();
    let refused = recording.add(&threats(json!({ "id": "1" }))).unwrap_err();
    assert!(refused.to_string().contains("threats_list"), "{refused}");
}

/// The key of a recording is that of the token, and of no other.
#[test]
fn the_token_is_the_key_and_survives_nowhere() {
    let token = |text: &str| Sanitizer::for_token(&ApiToken::new(text).unwrap());
    let (one, other) = (token("x7-first-token"), token("x7-other-token"));
    assert_eq!(replaced(&one, "web-01"), replaced(&token("x7-first-token"), "web-01"));
    assert_ne!(replaced(&one, "web-01"), replaced(&other, "web-01"));
    assert_ne!(
        replaced(&one, "web-01"),
        replaced(&Sanitizer::with_key(b"x7-first-token"), "web-01"),
        "its own use"
    );
    assert_eq!(replaced(&one, "it was X7-First-Token"), "[secret]");
    assert!(!format!("{one:?}").contains("x7-first-token"));
}
