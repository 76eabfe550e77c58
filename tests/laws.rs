//! Laws that hold for any filter, query or order of setters.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sentinelone::contract::Contract;
use sentinelone::raw::agents::{self, AgentFilter};
use sentinelone::raw::alerts::{self, AlertFilter};
use sentinelone::raw::iocs::{self, IocFilter};
use sentinelone::raw::runtime::{Field, FieldKind, Fields, Filter, Setting};
use sentinelone::raw::star_rules::{self, StarRuleFilter};
use sentinelone::raw::threats as raw;
use sentinelone::threats::{
    AnalystVerdict, IncidentStatus, LegacyThreatFilter, MitigationAction, SortOrder, ThreatFilter,
    ThreatIncidentData, ThreatSortField, ThreatsListQuery,
};
use sentinelone::{ApiToken, ApiVersion, Client, Problem, Timestamp};
use serde_json::Value;

/// A text that the API could take in this field, without a comma, which a query cannot express.
fn text(field: &Field) -> BoxedStrategy<String> {
    if !field.known.is_empty() {
        return select(field.known).prop_map(str::to_owned).boxed();
    }
    let least = field.length.0.unwrap_or(1).max(1) as usize;
    let most = field.length.1.map_or(12, |most| most as usize).max(least);
    vec(any::<char>(), least..=most)
        .prop_map(|chars| chars.into_iter().collect::<String>())
        .prop_filter("blank or with a comma", |text| !text.trim().is_empty() && !text.contains(','))
        .boxed()
}

/// Whether the items of a list are `true` and `false`.
fn flags(field: &Field) -> bool {
    let schemas = [&*AGENT_FILTER];
    schemas.iter().any(|schema| schema[field.name]["items"]["type"] == "boolean")
}

static AGENT_FILTER: LazyLock<Value> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(sentinelone::raw::OPENAPI).unwrap();
    document["components"]["schemas"]["AgentFilter"]["properties"].clone()
});

fn setting(field: &'static Field) -> BoxedStrategy<Setting> {
    match field.kind {
        FieldKind::List if flags(field) => {
            let flag = any::<bool>().prop_map(|flag| flag.to_string());
            vec(flag, 1..4).prop_map(Setting::List).boxed()
        }
        FieldKind::List => vec(text(field), 1..4).prop_map(Setting::List).boxed(),
        FieldKind::Boolean => any::<bool>().prop_map(Setting::Boolean).boxed(),
        FieldKind::Integer => {
            let (least, most) = (field.range.0.unwrap_or(1), field.range.1.unwrap_or(1000));
            (least..=most).prop_map(Setting::Integer).boxed()
        }
        FieldKind::Timestamp => (0..4_102_444_800_000i64)
            .prop_map(|millis| Setting::Text(Timestamp::from_unix_millis(millis).unwrap().to_string()))
            .boxed(),
        FieldKind::Json => vec("[a-z]{1,9}", 1..4)
            .prop_map(|values| Setting::Text(serde_json::json!({ "key": values }).to_string()))
            .boxed(),
        FieldKind::Text => text(field).prop_map(Setting::Text).boxed(),
        other => panic!("{} is {other:?}, which no filter has", field.name),
    }
}

/// A filter, and the wire names of what was set in it.
fn filter<F: Filter + std::fmt::Debug + 'static>() -> BoxedStrategy<(F, BTreeSet<&'static str>)> {
    let fields: Vec<_> = F::FIELDS
        .iter()
        .map(|field| option::weighted(0.1, setting(field)).prop_map(move |set| (field.name, set)))
        .collect();
    fields
        .prop_map(|settings| {
            let mut filter = F::default();
            let mut names = BTreeSet::new();
            for (name, set) in settings {
                if let Some(set) = set {
                    filter.set(name, set).unwrap();
                    names.insert(name);
                }
            }
            (filter, names)
        })
        .boxed()
}

/// Nothing is sent in this file.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let token = ApiToken::new("token-of-the-test").unwrap();
    Client::builder("https://console.example").token(token).build().unwrap()
});

fn selects(names: &BTreeSet<&str>) -> bool {
    ThreatFilter::FIELDS.iter().any(|field| field.selects && names.contains(field.name))
}

fn status() -> impl Strategy<Value = IncidentStatus> {
    select(vec![IncidentStatus::Unresolved, IncidentStatus::InProgress, IncidentStatus::Resolved])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_filter_is_a_body_that_the_specification_takes((filter, names) in filter::<ThreatFilter>(), status in status()) {
        let data = ThreatIncidentData::new(status).analyst_verdict(AnalystVerdict::Suspicious);
        let body = raw::ThreatIncidentUpdate::new(data, filter);
        let request = raw::update_incident(&body).unwrap();
        let json = request.body().unwrap();

        let contract = Contract::bundled();
        let operation = contract.operation("threats_update_incident").unwrap();
        let findings = contract.check_request(operation, &BTreeMap::new(), &[], Some(json));
        prop_assert!(findings.is_empty(), "{findings:?}");

        let again: raw::ThreatIncidentUpdate = serde_json::from_value(json.clone()).unwrap();
        prop_assert_eq!(&again, &body);

        let wire: BTreeSet<&str> = json["filter"].as_object().unwrap().keys().map(String::as_str).collect();
        prop_assert_eq!(&wire, &names);
        prop_assert_eq!(request.check().is_ok(), selects(&names));
    }

    #[test]
    fn any_list_query_survives_the_query_string(
        (filter, _) in filter::<ThreatFilter>(),
        cursor in option::of("[a-zA-Z0-9=]{1,20}"),
        skip in option::of(0..=1000i64),
        flags in any::<(Option<bool>, Option<bool>)>(),
        sort in option::of(select(vec![ThreatSortField::CreatedAt, ThreatSortField::SiteName])),
        order in option::of(select(vec![SortOrder::Asc, SortOrder::Desc])),
    ) {
        let mut query = ThreatsListQuery { filter, ..ThreatsListQuery::default() };
        (query.cursor, query.skip, query.sort_by, query.sort_order) = (cursor, skip, sort, order);
        (query.count_only, query.skip_count) = flags;
        let request = raw::list(&query).unwrap();

        // Through the URL, as it goes over the wire.
        let mut url = url::Url::parse("https://console.example").unwrap();
        url.query_pairs_mut().extend_pairs(request.query());
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(&pairs, &request.query());

        let contract = Contract::bundled();
        let operation = contract.operation("threats_list").unwrap();
        let findings = contract.check_request(operation, &BTreeMap::new(), &pairs, None);
        prop_assert!(findings.is_empty(), "{findings:?}");
        let read = contract.query_to_json(operation, &pairs);
        let again: ThreatsListQuery = serde_json::from_value(Value::Object(read)).unwrap();
        prop_assert_eq!(again, query);
    }

    #[test]
    fn the_old_list_survives_it_too((filter, names) in filter::<LegacyThreatFilter>()) {
        let query = raw::ThreatsListV20Query { filter, ..Default::default() };
        let request = raw::list_v2_0(&query).unwrap();
        let contract = Contract::bundled();
        let operation = contract.operation("threats_list_v2_0").unwrap();
        let pairs = request.query();
        let findings = contract.check_request(operation, &BTreeMap::new(), &pairs, None);
        prop_assert!(findings.is_empty(), "{findings:?}");
        let wire: BTreeSet<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(wire, names);
    }

    /// The bodies of the old API hold to the specification too.
    #[test]
    fn any_old_filter_is_a_body((filter, names) in filter::<LegacyThreatFilter>()) {
        let body = raw::LegacyThreatResolution::new(filter);
        let request = raw::mark_as_resolved(&body).unwrap();
        let contract = Contract::bundled();
        let operation = contract.operation("threats_mark_as_resolved").unwrap();
        let findings = contract.check_request(operation, &BTreeMap::new(), &[], request.body());
        prop_assert!(findings.is_empty(), "{findings:?}");
        let selects = LegacyThreatFilter::FIELDS.iter().any(|field| field.selects && names.contains(field.name));
        prop_assert_eq!(request.check().is_ok(), selects);
        let again: raw::LegacyThreatResolution = serde_json::from_value(request.body().unwrap().clone()).unwrap();
        prop_assert_eq!(again, body);
    }

    /// What people build by sentences is what the functions below them build: nothing is added or lost,
    /// and the guard is the same.
    #[test]
    fn sentences_say_no_more_than_their_words((filter, names) in filter::<ThreatFilter>(), status in status()) {
        let threats = CLIENT.threats();
        let list = raw::list(&ThreatsListQuery { filter: filter.clone(), ..Default::default() });
        prop_assert_eq!(threats.list().filter(filter.clone()).request(), list);

        let data = ThreatIncidentData::new(status.clone());
        let expected = raw::update_incident(&raw::ThreatIncidentUpdate::new(data, filter.clone())).unwrap();
        let update = threats.update_incident().filter(filter.clone()).status(status);
        prop_assert_eq!(&update.request().unwrap(), &expected);
        prop_assert!(update.everything_in_scope().request().unwrap().check().is_ok());

        let action = MitigationAction::Kill;
        let expected = raw::mitigate(&action, &raw::ThreatMitigation::new(filter.clone())).unwrap();
        prop_assert_eq!(&threats.mitigate(action).filter(filter.clone()).request().unwrap(), &expected);
        prop_assert_eq!(expected.check().is_ok(), selects(&names));

        let data = raw::ThreatNoteData::new("a note");
        let expected = raw::add_note(&raw::ThreatNoteAddition::new(data, filter.clone())).unwrap();
        prop_assert_eq!(threats.add_note("a note").filter(filter.clone()).request().unwrap(), expected);

        let data = raw::ThreatVerdictData::new(AnalystVerdict::Suspicious);
        let expected = raw::update_analyst_verdict(&raw::ThreatVerdictUpdate::new(data, filter.clone())).unwrap();
        let verdict = threats.update_analyst_verdict(AnalystVerdict::Suspicious).filter(filter);
        prop_assert_eq!(verdict.request().unwrap(), expected);
    }

    /// Whatever is set, in whatever order, with whatever left empty: either nothing is sent, or exactly
    /// what was set is on the wire and it selects something.
    #[test]
    fn no_request_is_broader_than_what_was_asked(
        (mut filter, mut names) in filter::<ThreatFilter>(),
        emptied in vec(select(ThreatFilter::FIELDS.iter().collect::<Vec<_>>()), 0..3),
        blank in "[ \t]{0,3}",
    ) {
        let mut broken = false;
        for field in emptied {
            let empty = match field.kind {
                FieldKind::List => Setting::List(Vec::new()),
                FieldKind::Text | FieldKind::Timestamp | FieldKind::Json => Setting::Text(blank.clone()),
                _ => continue,
            };
            filter.set(field.name, empty).unwrap();
            names.insert(field.name);
            broken = true;
        }
        let data = ThreatIncidentData::new("resolved");
        let request = raw::update_incident(&raw::ThreatIncidentUpdate::new(data, filter.clone()));
        let list = raw::list(&ThreatsListQuery { filter, ..Default::default() });
        if broken {
            let refused = |problem: &Problem| matches!(problem, Problem::EmptyList(_) | Problem::Blank(_));
            prop_assert!(refused(request.unwrap_err().problem()));
            prop_assert!(refused(list.unwrap_err().problem()));
            return Ok(());
        }
        let request = request.unwrap();
        let sent: BTreeSet<&str> =
            request.body().unwrap()["filter"].as_object().unwrap().keys().map(String::as_str).collect();
        prop_assert_eq!(&sent, &names);
        prop_assert_eq!(request.check().is_ok(), selects(&names));
        let query = list.unwrap().query();
        let sent: BTreeSet<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(&sent, &names);
    }
}

/// The laws of one filter: as a body of an action, and as the query of a list.
macro_rules! filter_laws {
    ($module:ident, $filter:ty, $fields:literal, $action:literal, $act:expr, $body:ty, $list:literal, $query:expr) => {
        mod $module {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(64))]

                #[test]
                fn any_filter_is_what_the_specification_takes((filter, names) in filter::<$filter>()) {
                    let (contract, none) = (Contract::bundled(), BTreeMap::new());
                    let request = $act(filter.clone());
                    let json = request.body().unwrap();
                    let operation = contract.operation($action).unwrap();
                    let findings = contract.check_request(operation, &none, &[], Some(json));
                    prop_assert!(findings.is_empty(), "{findings:?}");
                    let again: $body = serde_json::from_value(json.clone()).unwrap();
                    prop_assert_eq!(&again.filter, &filter);
                    let sent: BTreeSet<&str> = json["filter"].as_object().unwrap().keys().map(String::as_str).collect();
                    prop_assert_eq!(&sent, &names);
                    let selects = <$filter>::FIELDS.iter().any(|field| field.selects && names.contains(field.name));
                    prop_assert_eq!(request.check().is_ok(), selects);

                    let query = $query(filter);
                    let pairs = query.query();
                    let operation = contract.operation($list).unwrap();
                    let findings = contract.check_request(operation, &none, &pairs, None);
                    prop_assert!(findings.is_empty(), "{findings:?}");
                    let sent: BTreeSet<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
                    prop_assert_eq!(&sent, &names);
                }
            }

            #[test]
            fn every_field_reaches_the_wire_under_its_own_name() {
                assert_eq!(<$filter>::FIELDS.len(), $fields);
                for field in <$filter>::FIELDS {
                    let (value, in_body, in_query) = example(field);
                    let mut filter = <$filter>::default();
                    filter.set(field.name, value).unwrap();
                    let request = $act(filter.clone());
                    let expected = serde_json::json!({ field.name: in_body });
                    assert_eq!(request.body().unwrap()["filter"], expected);
                    assert_eq!(request.check().is_ok(), field.selects, "{}", field.name);
                    assert_eq!($query(filter).query(), [(field.name.to_owned(), in_query)]);
                }
            }
        }
    };
}

filter_laws!(
    agent_filter,
    AgentFilter,
    170,
    "agents_shutdown",
    |filter| agents::shutdown(&agents::AgentShutdown::new(filter)).unwrap(),
    agents::AgentShutdown,
    "agents_list",
    |filter| agents::list(&agents::AgentsListQuery { filter, ..Default::default() }).unwrap()
);
filter_laws!(
    alert_filter,
    AlertFilter,
    44,
    "alerts_update_incident",
    |filter| {
        let data = alerts::AlertIncidentUpdateData::new("resolved");
        alerts::update_incident(&alerts::AlertIncidentUpdate::new(data, filter)).unwrap()
    },
    alerts::AlertIncidentUpdate,
    "alerts_list",
    |filter| alerts::list(&alerts::AlertsListQuery { filter, ..Default::default() }).unwrap()
);
filter_laws!(
    star_rule_filter,
    StarRuleFilter,
    16,
    "star_rules_delete",
    |filter| star_rules::delete(&star_rules::StarRuleDeletion::new(filter)).unwrap(),
    star_rules::StarRuleDeletion,
    "star_rules_list",
    |filter| star_rules::list(&star_rules::StarRulesListQuery { filter, ..Default::default() }).unwrap()
);
filter_laws!(
    ioc_filter,
    IocFilter,
    24,
    "iocs_delete",
    |filter| iocs::delete(&iocs::IocDeletion::new(filter)).unwrap(),
    iocs::IocDeletion,
    "iocs_list",
    |filter| iocs::list(&iocs::IocsListQuery { filter, ..Default::default() }).unwrap()
);

/// A value for a field, and what it is in a body and in a query.
fn example(field: &Field) -> (Setting, Value, String) {
    let text = field.known.first().copied().unwrap_or("ab").to_owned();
    match field.kind {
        FieldKind::List if flags(field) => (
            Setting::List(vec!["true".into(), "false".into()]),
            serde_json::json!([true, false]),
            "true,false".into(),
        ),
        FieldKind::List => {
            let json = serde_json::json!([text]);
            (Setting::List(vec![text.clone()]), json, text)
        }
        FieldKind::Boolean => (Setting::Boolean(true), Value::Bool(true), "true".into()),
        FieldKind::Integer => (Setting::Integer(7), 7.into(), "7".into()),
        FieldKind::Timestamp => {
            let time = "2026-11-21T08:30:00Z".to_owned();
            (Setting::Text(time.clone()), time.clone().into(), time)
        }
        FieldKind::Json => {
            let tags = r#"{"key":["value"]}"#.to_owned();
            (Setting::Text(tags.clone()), tags.clone().into(), tags)
        }
        _ => (Setting::Text(text.clone()), text.clone().into(), text),
    }
}

/// A value for each field, one at a time: it is on the wire under its own name, and nothing else is.
#[test]
fn every_field_of_the_filter_reaches_the_wire_under_its_own_name() {
    assert_eq!(ThreatFilter::FIELDS.len(), 98);
    for field in ThreatFilter::FIELDS {
        let (value, in_body, in_query) = example(field);
        let mut filter = ThreatFilter::default();
        filter.set(field.name, value).unwrap();

        let data = ThreatIncidentData::new(IncidentStatus::Resolved);
        let request = raw::update_incident(&raw::ThreatIncidentUpdate::new(data, filter.clone())).unwrap();
        let expected = serde_json::json!({
            "data": { "incidentStatus": "resolved" },
            "filter": { field.name: in_body },
        });
        assert_eq!(request.body(), Some(&expected));
        assert_eq!(request.check().is_ok(), field.selects, "{}", field.name);

        let list = raw::list(&ThreatsListQuery { filter, ..Default::default() }).unwrap();
        assert_eq!(list.query(), [(field.name.to_owned(), in_query)]);
        assert_eq!(list.path(ApiVersion::V2_1).unwrap(), "/web/api/v2.1/threats");
    }
}
