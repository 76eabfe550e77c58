//! Property tests of filters, queries and request builders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sentinelone::iocs::{IocData, ScopeFilter};
use sentinelone::raw::agents::{self, AgentFilter};
use sentinelone::raw::alerts::{self, AlertFilter};
use sentinelone_contract::Contract;

use sentinelone::raw::iocs::{self, IocFilter};
use sentinelone::raw::runtime::{Field, FieldKind, FieldValue, Fields, Filter};
use sentinelone::raw::star_rules::{self, StarRuleFilter};
use sentinelone::raw::threats as raw;
use sentinelone::threats::{
    AnalystVerdict, IncidentStatus, LegacyThreatFilter, MitigationAction, SortOrder, ThreatFilter,
    ThreatIncidentData, ThreatSortField, ThreatsListQuery,
};
use sentinelone::{ApiToken, ApiVersion, Client, RequestErrorKind, Timestamp};
use serde_json::Value;

/// Returns a valid string for a field, without a comma, which a query list cannot contain.
fn string(field: &Field) -> BoxedStrategy<String> {
    if !field.enum_values.is_empty() {
        return select(field.enum_values).prop_map(str::to_owned).boxed();
    }
    let min = field.length.0.unwrap_or(1).max(1) as usize;
    let max = field.length.1.map_or(12, |max| max as usize).max(min);
    vec(any::<char>(), min..=max)
        .prop_map(|chars| chars.into_iter().collect::<String>())
        .prop_filter("blank or with a comma", |string| !string.trim().is_empty() && !string.contains(','))
        .boxed()
}

/// Returns whether the items of a list field have this type.
fn has_items(field: &Field, kind: &str) -> bool {
    let schemas = ["AgentFilter", "IocFilter"];
    let has = |schema: &&str| properties(schema)[field.name]["items"]["type"] == kind;
    field.enum_values.is_empty() && schemas.iter().any(has)
}

/// Returns the properties of a schema of the specification.
fn properties(schema: &str) -> &'static Value {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(sentinelone::raw::OPENAPI).unwrap());
    &DOCUMENT["components"]["schemas"][schema]["properties"]
}

/// Asserts that a filter has the fields of its schema.
fn assert_fields_of_schema(fields: &[Field], schema: &str) {
    let names: BTreeSet<&str> = fields.iter().map(|field| field.name).collect();
    let expected: BTreeSet<&str> =
        properties(schema).as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, expected, "{schema}");
}

fn field_value(field: &'static Field) -> BoxedStrategy<FieldValue> {
    match field.kind {
        FieldKind::List if has_items(field, "boolean") => {
            let boolean = any::<bool>().prop_map(|boolean| boolean.to_string());
            vec(boolean, 1..4).prop_map(FieldValue::List).boxed()
        }
        FieldKind::List if has_items(field, "integer") => {
            let (min, max) = (field.range.0.unwrap_or(1), field.range.1.unwrap_or(1000));
            let integer = (min..=max).prop_map(|integer| integer.to_string());
            vec(integer, 1..4).prop_map(FieldValue::List).boxed()
        }
        FieldKind::List => vec(string(field), 1..4).prop_map(FieldValue::List).boxed(),
        FieldKind::Boolean => any::<bool>().prop_map(FieldValue::Boolean).boxed(),
        FieldKind::Integer => {
            let (min, max) = (field.range.0.unwrap_or(1), field.range.1.unwrap_or(1000));
            (min..=max).prop_map(FieldValue::Integer).boxed()
        }
        FieldKind::Timestamp => (0..4_102_444_800_000i64)
            .prop_map(|millis| FieldValue::String(Timestamp::from_unix_millis(millis).unwrap().to_string()))
            .boxed(),
        FieldKind::Json => vec("[a-z]{1,9}", 1..4)
            .prop_map(|values| FieldValue::String(serde_json::json!({ "key": values }).to_string()))
            .boxed(),
        FieldKind::String => string(field).prop_map(FieldValue::String).boxed(),
        other => panic!("{} has the kind {other:?}, which filters do not use", field.name),
    }
}

/// Generates a filter with the wire names of its fields.
fn filter<F: Filter + std::fmt::Debug + 'static>() -> BoxedStrategy<(F, BTreeSet<&'static str>)> {
    let fields: Vec<_> = F::FIELDS
        .iter()
        .map(|field| option::weighted(0.1, field_value(field)).prop_map(move |value| (field.name, value)))
        .collect();
    fields
        .prop_map(|values| {
            let mut filter = F::default();
            let mut names = BTreeSet::new();
            for (name, value) in values {
                if let Some(value) = value {
                    filter.set(name, value).unwrap();
                    names.insert(name);
                }
            }
            (filter, names)
        })
        .boxed()
}

/// A client that sends no requests in these tests.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let token = ApiToken::new("token-of-the-test").unwrap();
    Client::builder("https://console.example").token(token).build().unwrap()
});

fn is_selective(names: &BTreeSet<&str>) -> bool {
    ThreatFilter::FIELDS.iter().any(|field| field.narrows_selection && names.contains(field.name))
}

fn status() -> impl Strategy<Value = IncidentStatus> {
    select(vec![IncidentStatus::Unresolved, IncidentStatus::InProgress, IncidentStatus::Resolved])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn update_incident_any_filter_matches_specification((filter, names) in filter::<ThreatFilter>(), status in status()) {
        let data = ThreatIncidentData::new(status).analyst_verdict(AnalystVerdict::Suspicious);
        let body = raw::ThreatsUpdateIncidentRequest::new(data, filter);
        let request = raw::update_incident(&body).unwrap();
        let json = request.body().unwrap();

        let contract = Contract::bundled();
        let operation = contract.operation("threats_update_incident").unwrap();
        let findings = contract.check_request(operation, &BTreeMap::new(), &[], Some(json));
        prop_assert!(findings.is_empty(), "{findings:?}");

        let decoded: raw::ThreatsUpdateIncidentRequest = serde_json::from_value(json.clone()).unwrap();
        prop_assert_eq!(&decoded, &body);

        let wire: BTreeSet<&str> = json["filter"].as_object().unwrap().keys().map(String::as_str).collect();
        prop_assert_eq!(&wire, &names);
        prop_assert_eq!(request.validate().is_ok(), is_selective(&names));
    }

    #[test]
    fn list_query_round_trips_through_url(
        (filter, _) in filter::<ThreatFilter>(),
        cursor in option::of("[a-zA-Z0-9=]{1,20}"),
        skip in option::of(0..=1000i64),
        flags in any::<(Option<bool>, Option<bool>)>(),
        sort in option::of(select(vec![ThreatSortField::CreatedAt, ThreatSortField::SiteName])),
        order in option::of(select(vec![SortOrder::Asc, SortOrder::Desc])),
    ) {
        let mut query = ThreatsListQuery::default().filter(filter);
        (query.cursor, query.skip, query.sort_by, query.sort_order) = (cursor, skip, sort, order);
        (query.count_only, query.skip_count) = flags;
        let request = raw::list(&query).unwrap();

        // Encode in the URL and decode again, as on the wire.
        let mut url = url::Url::parse("https://console.example").unwrap();
        url.query_pairs_mut().extend_pairs(request.query());
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(&pairs, &request.query());

        let contract = Contract::bundled();
        let operation = contract.operation("threats_list").unwrap();
        let findings = contract.check_request(operation, &BTreeMap::new(), &pairs, None);
        prop_assert!(findings.is_empty(), "{findings:?}");
        let read = contract.query_to_json(operation, &pairs);
        let decoded: ThreatsListQuery = serde_json::from_value(Value::Object(read)).unwrap();
        prop_assert_eq!(decoded, query);
    }

    #[test]
    fn list_v2_0_any_filter_matches_specification((filter, names) in filter::<LegacyThreatFilter>()) {
        let query = raw::ThreatsListV20Query::default().filter(filter);
        let request = raw::list_v2_0(&query).unwrap();
        let contract = Contract::bundled();
        let operation = contract.operation("threats_list_v2_0").unwrap();
        let pairs = request.query();
        let findings = contract.check_request(operation, &BTreeMap::new(), &pairs, None);
        prop_assert!(findings.is_empty(), "{findings:?}");
        let wire: BTreeSet<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(wire, names);
    }

    /// Request bodies of API 2.0 match the specification too.
    #[test]
    fn mark_as_resolved_any_filter_matches_specification((filter, names) in filter::<LegacyThreatFilter>()) {
        let body = raw::ThreatsMarkAsResolvedRequest::new(filter);
        let request = raw::mark_as_resolved(&body).unwrap();
        let contract = Contract::bundled();
        let operation = contract.operation("threats_mark_as_resolved").unwrap();
        let findings = contract.check_request(operation, &BTreeMap::new(), &[], request.body());
        prop_assert!(findings.is_empty(), "{findings:?}");
        let is_selective = LegacyThreatFilter::FIELDS.iter().any(|field| field.narrows_selection && names.contains(field.name));
        prop_assert_eq!(request.validate().is_ok(), is_selective);
        let decoded: raw::ThreatsMarkAsResolvedRequest = serde_json::from_value(request.body().unwrap().clone()).unwrap();
        prop_assert_eq!(decoded, body);
    }

    /// Builders and raw functions produce the same request, with the same validation.
    #[test]
    fn builders_produce_same_request_as_raw_functions((filter, names) in filter::<ThreatFilter>(), status in status()) {
        let threats = CLIENT.threats();
        let list = raw::list(&ThreatsListQuery::default().filter(filter.clone()));
        prop_assert_eq!(threats.list().filter(filter.clone()).request(), list);

        let data = ThreatIncidentData::new(status.clone());
        let expected = raw::update_incident(&raw::ThreatsUpdateIncidentRequest::new(data, filter.clone())).unwrap();
        let update = threats.update_incident().filter(filter.clone()).status(status);
        prop_assert_eq!(&update.request().unwrap(), &expected);
        prop_assert!(update.everything_in_scope().request().unwrap().validate().is_ok());

        let action = MitigationAction::Kill;
        let expected = raw::mitigate(&action, &raw::ThreatsMitigateRequest::new(filter.clone())).unwrap();
        prop_assert_eq!(&threats.mitigate(action).filter(filter.clone()).request().unwrap(), &expected);
        prop_assert_eq!(expected.validate().is_ok(), is_selective(&names));

        let data = raw::ThreatNoteData::new("a note");
        let expected = raw::add_note(&raw::ThreatsAddNoteRequest::new(data, filter.clone())).unwrap();
        prop_assert_eq!(threats.add_note("a note").filter(filter.clone()).request().unwrap(), expected);

        let data = raw::ThreatVerdictData::new(AnalystVerdict::Suspicious);
        let expected = raw::update_analyst_verdict(&raw::ThreatsUpdateAnalystVerdictRequest::new(data, filter.clone())).unwrap();
        let verdict = threats.update_analyst_verdict(AnalystVerdict::Suspicious).filter(filter);
        prop_assert_eq!(verdict.request().unwrap(), expected);
    }

    /// For any filter, with any fields left empty: either the request is rejected, or exactly the set fields are
    /// on the wire and the validation follows from them.
    #[test]
    fn request_empty_fields_are_rejected(
        (mut filter, mut names) in filter::<ThreatFilter>(),
        emptied in vec(select(ThreatFilter::FIELDS.iter().collect::<Vec<_>>()), 0..3),
        blank in "[ \t]{0,3}",
    ) {
        let mut has_empty_field = false;
        for field in emptied {
            let empty = match field.kind {
                FieldKind::List => FieldValue::List(Vec::new()),
                FieldKind::String | FieldKind::Timestamp | FieldKind::Json => FieldValue::String(blank.clone()),
                _ => continue,
            };
            filter.set(field.name, empty).unwrap();
            names.insert(field.name);
            has_empty_field = true;
        }
        let data = ThreatIncidentData::new("resolved");
        let request = raw::update_incident(&raw::ThreatsUpdateIncidentRequest::new(data, filter.clone()));
        let list = raw::list(&ThreatsListQuery::default().filter(filter));
        if has_empty_field {
            let is_empty_value = |kind: &RequestErrorKind| matches!(kind, RequestErrorKind::EmptyList(_) | RequestErrorKind::Blank(_));
            prop_assert!(is_empty_value(request.unwrap_err().kind()));
            prop_assert!(is_empty_value(list.unwrap_err().kind()));
            return Ok(());
        }
        let request = request.unwrap();
        let sent: BTreeSet<&str> =
            request.body().unwrap()["filter"].as_object().unwrap().keys().map(String::as_str).collect();
        prop_assert_eq!(&sent, &names);
        prop_assert_eq!(request.validate().is_ok(), is_selective(&names));
        let query = list.unwrap().query();
        let sent: BTreeSet<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
        prop_assert_eq!(&sent, &names);
    }
}

#[test]
fn action_with_empty_list_of_objects_is_rejected() {
    let account = ScopeFilter::default().account_ids(["9"]);
    let create = |iocs: Vec<IocData>| CLIENT.iocs().create(iocs).filter(account.clone()).request();
    let error = create(Vec::new()).unwrap_err();
    assert_eq!(error.kind(), &RequestErrorKind::EmptyList("data".into()));
    let ioc = || IocData::new("lab", "198.51.100.7");
    assert!(create(vec![ioc()]).is_ok());
    let error = create(vec![ioc(), ioc().labels(Vec::<String>::new())]).unwrap_err();
    assert_eq!(error.kind(), &RequestErrorKind::EmptyList("data.labels".into()));
}

/// Property tests of one filter: in the body of an action and in the query of a list.
macro_rules! filter_properties {
    ($module:ident, $filter:ty, $action:literal, $action_request:expr, $body:ty, $list:literal, $query:expr) => {
        mod $module {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(64))]

                #[test]
                fn action_and_list_any_filter_match_specification((filter, names) in filter::<$filter>()) {
                    let (contract, none) = (Contract::bundled(), BTreeMap::new());
                    let request = $action_request(filter.clone());
                    let json = request.body().unwrap();
                    let operation = contract.operation($action).unwrap();
                    let findings = contract.check_request(operation, &none, &[], Some(json));
                    prop_assert!(findings.is_empty(), "{findings:?}");
                    let decoded: $body = serde_json::from_value(json.clone()).unwrap();
                    let decoded = serde_json::to_value(&decoded.filter).unwrap();
                    prop_assert_eq!(decoded, serde_json::to_value(&filter).unwrap());
                    let sent: BTreeSet<&str> = json["filter"].as_object().unwrap().keys().map(String::as_str).collect();
                    prop_assert_eq!(&sent, &names);
                    let is_selective = <$filter>::FIELDS.iter().any(|field| field.narrows_selection && names.contains(field.name));
                    prop_assert_eq!(request.validate().is_ok(), is_selective);

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
            fn fields_use_their_own_wire_names() {
                assert_fields_of_schema(<$filter>::FIELDS, stringify!($filter));
                for field in <$filter>::FIELDS {
                    let (value, in_body, in_query) = example(field);
                    let mut filter = <$filter>::default();
                    filter.set(field.name, value).unwrap();
                    let request = $action_request(filter.clone());
                    let expected = serde_json::json!({ field.name: in_body });
                    assert_eq!(request.body().unwrap()["filter"], expected);
                    assert_eq!(request.validate().is_ok(), field.narrows_selection, "{}", field.name);
                    assert_eq!($query(filter).query(), [(field.name.to_owned(), in_query)]);
                }
            }
        }
    };
}

filter_properties!(
    agent_filter,
    AgentFilter,
    "agents_shutdown",
    |filter| agents::shutdown(&agents::AgentsShutdownRequest::new(filter)).unwrap(),
    agents::AgentsShutdownRequest,
    "agents_list",
    |filter| agents::list(&agents::AgentsListQuery::default().filter(filter)).unwrap()
);
filter_properties!(
    alert_filter,
    AlertFilter,
    "alerts_update_incident",
    |filter| {
        let data = alerts::AlertIncidentUpdateData::new("resolved");
        alerts::update_incident(&alerts::AlertsUpdateIncidentRequest::new(data, filter)).unwrap()
    },
    alerts::AlertsUpdateIncidentRequest,
    "alerts_list",
    |filter| alerts::list(&alerts::AlertsListQuery::default().filter(filter)).unwrap()
);
filter_properties!(
    star_rule_filter,
    StarRuleFilter,
    "star_rules_delete",
    |filter| star_rules::delete(&star_rules::StarRulesDeleteRequest::new(filter)).unwrap(),
    star_rules::StarRulesDeleteRequest,
    "star_rules_list",
    |filter| star_rules::list(&star_rules::StarRulesListQuery::default().filter(filter)).unwrap()
);
filter_properties!(
    ioc_filter,
    IocFilter,
    "iocs_delete",
    |filter| iocs::delete(&iocs::IocsDeleteRequest::new(filter)).unwrap(),
    iocs::IocsDeleteRequest,
    "iocs_list",
    |filter| iocs::list(&iocs::IocsListQuery::default().filter(filter)).unwrap()
);

/// Returns a value for a field, with its form in a body and in a query.
fn example(field: &Field) -> (FieldValue, Value, String) {
    let string = field.enum_values.first().copied().unwrap_or("ab").to_owned();
    match field.kind {
        FieldKind::List if has_items(field, "integer") => {
            (FieldValue::List(vec!["6".into(), "7".into()]), serde_json::json!([6, 7]), "6,7".into())
        }
        FieldKind::List if has_items(field, "boolean") => (
            FieldValue::List(vec!["true".into(), "false".into()]),
            serde_json::json!([true, false]),
            "true,false".into(),
        ),
        FieldKind::List => {
            let json = serde_json::json!([string]);
            (FieldValue::List(vec![string.clone()]), json, string)
        }
        FieldKind::Boolean => (FieldValue::Boolean(true), Value::Bool(true), "true".into()),
        FieldKind::Integer => (FieldValue::Integer(7), 7.into(), "7".into()),
        FieldKind::Timestamp => {
            let time = "2026-11-21T08:30:00Z".to_owned();
            (FieldValue::String(time.clone()), time.clone().into(), time)
        }
        FieldKind::Json => {
            let tags = r#"{"key":["value"]}"#.to_owned();
            (FieldValue::String(tags.clone()), tags.clone().into(), tags)
        }
        _ => (FieldValue::String(string.clone()), string.clone().into(), string),
    }
}

/// A list would take such a field of the filter as its page size or position.
#[test]
fn list_filters_have_no_paging_fields() {
    let paging = ["limit", "skip", "skipCount", "cursor", "countOnly", "sortBy", "sortOrder"];
    let mut filters = 0;
    for operation in sentinelone::raw::OPERATIONS {
        let [_, filter] = operation.query_params else { continue };
        let found: Vec<_> =
            filter.iter().map(|field| field.name).filter(|name| paging.contains(name)).collect();
        assert!(found.is_empty(), "{}: {found:?}", operation.id);
        filters += 1;
    }
    assert!(filters > 5, "{filters}");
}

/// Sets each field alone: only its own name is on the wire.
#[test]
fn threat_filter_fields_use_their_own_wire_names() {
    assert_fields_of_schema(ThreatFilter::FIELDS, "ThreatFilter");
    for field in ThreatFilter::FIELDS {
        let (value, in_body, in_query) = example(field);
        let mut filter = ThreatFilter::default();
        filter.set(field.name, value).unwrap();

        let data = ThreatIncidentData::new(IncidentStatus::Resolved);
        let request =
            raw::update_incident(&raw::ThreatsUpdateIncidentRequest::new(data, filter.clone())).unwrap();
        let expected = serde_json::json!({
            "data": { "incidentStatus": "resolved" },
            "filter": { field.name: in_body },
        });
        assert_eq!(request.body(), Some(&expected));
        assert_eq!(request.validate().is_ok(), field.narrows_selection, "{}", field.name);

        let list = raw::list(&ThreatsListQuery::default().filter(filter)).unwrap();
        assert_eq!(list.query(), [(field.name.to_owned(), in_query)]);
        assert_eq!(list.path(ApiVersion::V2_1).unwrap(), "/web/api/v2.1/threats");
    }
}
