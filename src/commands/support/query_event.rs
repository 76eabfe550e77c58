//! Events of long-running queries, with the fields of Deep Visibility.

use std::sync::LazyLock;

use sentinelone_raw::query_fields::QUERY_FIELDS;
use serde_json::{Map, Value};

use crate::event_fields::EventFields;
use crate::queries::QueryEvent;

/// Fields whose names are not those of a query, with the field of the data lake.
///
/// Source: a published summary of both interfaces; `agentIp` is a conclusion from the name of the field.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("id", "event.id"),
    ("objectType", "event.category"),
    ("agentId", "agent.uuid"),
    ("agentUuid", "agent.uuid"),
    ("agentIp", "src.endpoint.ip.address"),
];

/// Fields of Deep Visibility, with the field of the data lake.
static NAMES: LazyLock<Vec<(String, &str)>> = LazyLock::new(|| {
    let of_queries = QUERY_FIELDS.iter().map(|(version_1, version_2)| (field_name(version_1), *version_2));
    // Names without a process, such as `processName`, depend on the event.
    let is_plain = |name: &str| !EventFields::documented_names().any(|one| one == name);
    let of_queries = of_queries.filter(|(name, _)| is_plain(name));
    of_queries.chain(OTHER_NAMES.map(|(name, field)| (name.to_owned(), field))).collect()
});

/// Returns an event with its fields under the names of the data lake, and under those of Deep Visibility. `agentId` is
/// the UUID of the agent, because the data lake does not have the ID of the console.
pub(crate) fn deep_visibility_event(event: &QueryEvent) -> Value {
    let mut fields: Map<String, Value> = event.values.clone();
    for (name, field) in NAMES.iter() {
        if let Some(value) = event.values.get(*field) {
            fields.entry(name.as_str()).or_insert_with(|| value.clone());
        }
    }
    if let Some(time) = &event.timestamp {
        fields.insert("createdAt".to_owned(), time.as_str().into());
    }
    let fields = Value::Object(fields);
    let values: Vec<(&str, Value)> = EventFields::documented_names()
        .filter_map(|name| Some((name, EventFields::new(&fields).get(name)?.clone())))
        .collect();
    let Value::Object(mut fields) = fields else { return fields };
    fields.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Value::Object(fields)
}

/// Returns the field of an event for a name in a query: `srcProcPid` for `SrcProcPID`.
fn field_name(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let is = |index: Option<usize>, test: fn(&char) -> bool| {
        index.and_then(|index| chars.get(index)).is_some_and(test)
    };
    let converted = chars.iter().enumerate().map(|(index, letter)| {
        let begins_word = is(index.checked_sub(1), |before| !before.is_uppercase())
            || (index > 0 && is(Some(index + 1), |next| next.is_lowercase()));
        if begins_word { *letter } else { letter.to_ascii_lowercase() }
    });
    converted.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn field_name_is_that_of_an_event() {
        for (name, field) in [
            ("SrcProcPID", "srcProcPid"),
            ("SrcProcName", "srcProcName"),
            ("DstIP", "dstIp"),
            ("DNS", "dns"),
            ("EndpointOS", "endpointOs"),
            ("SrcProcEUserName", "srcProcEUserName"),
            ("TgtProcIsNative64Bit", "tgtProcIsNative64Bit"),
            ("K8sClusterName", "k8sClusterName"),
        ] {
            assert_eq!(field_name(name), field);
        }
    }

    #[test]
    fn event_has_the_fields_of_both_interfaces() {
        let values = json!({
            "event.type": "Process Creation",
            "event.category": "process",
            "endpoint.name": "web-01",
            "src.process.name": "excel.exe",
            "src.process.user": "amira",
            "tgt.process.name": "cmd.exe",
            "dst.port.number": 443,
            "new.field": [1],
        });
        let values = values.as_object().unwrap().clone();
        let timestamp = Some("2026-11-12T07:48:31Z".into());
        let event = QueryEvent { timestamp, values, ..QueryEvent::default() };
        let fields = deep_visibility_event(&event);
        for (name, value) in [
            ("createdAt", json!("2026-11-12T07:48:31Z")),
            ("objectType", json!("process")),
            ("eventType", json!("Process Creation")),
            ("agentName", json!("web-01")),
            ("srcProcName", json!("excel.exe")),
            ("tgtProcName", json!("cmd.exe")),
            ("processName", json!("cmd.exe")),
            ("parentProcessName", json!("excel.exe")),
            ("user", json!("amira")),
            ("dstPort", json!(443)),
            ("new.field", json!([1])),
            ("tgt.process.name", json!("cmd.exe")),
        ] {
            assert_eq!(fields[name], value, "{name}");
        }
        assert_eq!(deep_visibility_event(&QueryEvent::default()), json!({}));
    }

    /// Each value of the data lake is in the event under its own name, and under each name of the table. A name without a
    /// process has the value of one of the processes.
    #[test]
    fn each_name_of_the_table_is_a_field() {
        let mut event = QueryEvent::default();
        for (_, field) in QUERY_FIELDS {
            event.values.insert((*field).to_owned(), json!(format!("value of {field}")));
        }
        let fields = deep_visibility_event(&event);
        for (name, field) in QUERY_FIELDS {
            assert_eq!(fields[*field], event.values[*field]);
            assert!(fields[field_name(name)].is_string(), "{name}");
            if NAMES.iter().any(|(other, _)| *other == field_name(name)) {
                assert_eq!(fields[field_name(name)], event.values[*field], "{name}");
            }
        }
    }
}
