//! Unified alerts: documents, filters, pages, notes and actions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use sentinelone::raw::GRAPHQL_OPERATIONS;
use sentinelone::unified_alerts::{
    AlertActionError, AlertActionState, AlertFilter, AlertFilterError, AnalystVerdict, GraphQlError,
    ScopeType, Severity, SkipReasonType, SortOrderType, Status, fields,
};
use sentinelone::{ApiToken, Client, ErrorKind, OperationKind, RequestFormat};
use serde_json::{Value, json};

use super::calls::TOKEN;

/// A console with prepared responses, and the bodies of its requests.
#[derive(Clone, Default)]
struct Console {
    sent: Arc<Mutex<Vec<Value>>>,
}

impl Console {
    fn client(&self, respond: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Client {
        let sent = Arc::clone(&self.sent);
        let console = move |request: Request<Bytes>| {
            assert_eq!(request.uri().path(), "/web/api/v2.1/unifiedalerts/graphql");
            assert_eq!(request.method(), "POST");
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            let response = respond(&body);
            sent.lock().unwrap().push(body);
            let head = Response::builder().header("content-type", "application/json");
            head.body(Bytes::from(response.to_string())).unwrap()
        };
        let client = Client::builder("https://console.example").token(ApiToken::new(TOKEN).unwrap());
        client.transport(console).build().unwrap()
    }

    fn variables(&self) -> Vec<Value> {
        self.sent.lock().unwrap().iter().map(|body| body["variables"].clone()).collect()
    }
}

fn page(ids: &[&str], next: Option<&str>) -> Value {
    let edges: Vec<Value> = ids.iter().map(|id| json!({ "node": { "id": id, "status": "NEW" } })).collect();
    let page_info = json!({ "hasNextPage": next.is_some(), "endCursor": next.unwrap_or("last") });
    json!({ "data": { "alerts": { "totalCount": 3, "edges": edges, "pageInfo": page_info } } })
}

#[test]
fn documents_are_sent_whole_with_their_variables() {
    assert_eq!(GRAPHQL_OPERATIONS.len(), 16);
    for operation in GRAPHQL_OPERATIONS {
        let RequestFormat::GraphQl(document) = operation.request_format else { panic!("{}", operation.id) };
        let kind = if operation.kind == OperationKind::Read { "query " } else { "mutation " };
        assert!(document.starts_with(kind), "{document}");
        assert_eq!(operation.path, "/web/api/v{version}/unifiedalerts/graphql");
    }
}

#[tokio::test]
async fn list_reads_all_pages_of_a_filter() {
    let console = Console::default();
    let client = console.client(|body| match body["variables"]["after"].as_str() {
        None => page(&["1", "2"], Some("a")),
        Some("a") => page(&["3"], None),
        other => panic!("{other:?}"),
    });
    let filter = AlertFilter::all([
        fields::STATUS.is_in([Status::New, Status::InProgress]),
        fields::SEVERITY.is(Severity::High).negated(),
        fields::CREATED_AT.after("2026-11-20T00:00:00Z"),
        fields::ALERT_NAME.contains(["cmd"]),
        fields::ASSIGNEE_USER_ID.is_in([7]),
        fields::ALERT_NOTE_EXISTS.is(true),
    ]);
    let list = client.unified_alerts().list().filter(filter).page_size(2);
    let list = list.scope(ScopeType::Site, ["9"]).sort_by("createdAt", SortOrderType::Asc);
    let alerts = list.collect().await.unwrap();
    let ids: Vec<&str> = alerts.iter().filter_map(|alert| alert.id.as_deref()).collect();
    assert_eq!((ids, &alerts[0].status), (vec!["1", "2", "3"], &Some(Status::New)));
    let expected = json!({
        "first": 2,
        "scope": { "scopeType": "SITE", "scopeIds": ["9"] },
        "sorts": [{ "by": "createdAt", "order": "ASC" }],
        "filters": [
            { "fieldId": "status", "stringIn": { "values": ["NEW", "IN_PROGRESS"] } },
            { "fieldId": "severity", "stringEqual": { "value": "HIGH" }, "isNegated": true },
            { "fieldId": "createdAt", "dateTimeRange": { "start": 1_795_132_800_000_i64, "startInclusive": false } },
            { "fieldId": "alertName", "match": { "operator": "contains", "values": ["cmd"] } },
            { "fieldId": "assigneeUserId", "longIn": { "values": [7] } },
            { "fieldId": "alertNoteExists", "booleanEqual": { "value": true } },
        ],
    });
    assert_eq!(console.variables()[0], expected);
}

#[tokio::test]
async fn list_without_progress_ends_with_an_error() {
    for (first, second) in [
        (page(&["1"], Some("a")), page(&["2"], Some("a"))),
        (page(&["1"], Some("a")), page(&[], Some("b"))),
        (page(&["1"], Some("")), Value::Null),
    ] {
        let console = Console::default();
        let client = console.client(move |body| match body["variables"]["after"].is_null() {
            true => first.clone(),
            false => second.clone(),
        });
        let error = client.unified_alerts().list().collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RepeatedCursor, "{error}");
    }
}

#[tokio::test]
async fn null_nodes_and_unknown_values_lose_nothing() {
    let console = Console::default();
    let client = console.client(|_| {
        let edges = json!([null, { "node": null }, { "node": { "id": "1", "status": "LATER", "new": 1, "assets": [null] } }]);
        json!({ "data": { "alerts": { "edges": edges, "pageInfo": null } } })
    });
    let alerts = client.unified_alerts().list().collect().await.unwrap();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].status, Some(Status::from("LATER")));
}

#[tokio::test]
async fn errors_of_a_response_keep_its_data() {
    let console = Console::default();
    let client = console.client(|_| {
        let error = json!({ "message": "Alert not found", "extensions": { "classification": "DataFetchingException" } });
        json!({ "data": { "alert": null, "other": 1 }, "errors": [error] })
    });
    let error = client.unified_alerts().get("7").await.unwrap_err();
    let cause: &GraphQlError = error.downcast_ref().unwrap();
    assert_eq!(error.to_string(), "unified_alerts_get: Alert not found");
    assert_eq!(
        (cause.classifications.as_slice(), &cause.data["other"]),
        (&["DataFetchingException".to_owned()][..], &json!(1))
    );
}

/// No action leaves the client with a filter that selects all alerts, unless it is allowed.
#[tokio::test]
async fn filter_that_selects_everything_is_rejected() {
    let console = Console::default();
    let client = console.client(|body| panic!("{body}"));
    let alerts = client.unified_alerts();
    let condition = || fields::STATUS.is(Status::New);
    for filter in [
        AlertFilter::default(),
        AlertFilter::all([]),
        AlertFilter::all([]).or([condition()]),
        AlertFilter::all([condition()]).or([]),
        AlertFilter::default().or([]),
    ] {
        let error = alerts.act_on(filter.clone()).status(Status::Resolved).send().await.unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&AlertFilterError::SelectsEverything), "{filter:?}");
        let allowed = alerts.act_on(filter.clone()).status(Status::Resolved).everything_in_scope().request();
        assert_eq!(allowed.is_ok(), filter == AlertFilter::default(), "{filter:?}");
    }
    assert!(alerts.act(Vec::<String>::new()).status(Status::Resolved).send().await.is_err());
    assert!(alerts.act(["1"]).send().await.unwrap_err().downcast_ref::<AlertActionError>().is_some());
    let unknown = AlertFilter::all([fields::STATUS.is(Status::from("FALSE_POSITIVE"))]);
    let error = alerts.list().filter(unknown).collect().await.unwrap_err();
    assert!(error.to_string().contains("expected one of IN_PROGRESS, NEW, RESOLVED"), "{error}");
    assert!(alerts.list().filter(AlertFilter::all([fields::CREATED_AT.from("soon")])).count().await.is_err());
}

#[tokio::test]
async fn outcome_names_each_alert_and_action() {
    let console = Console::default();
    let client = console.client(|_| {
        let done = json!({
            "actionId": "S1/alert/statusUpdate",
            "success": [{ "id": "1" }],
            "skip": [{ "id": "2", "skipType": "NO_CHANGE" }, { "id": "3", "skipType": "UI_ONLY", "skipMessage": "no" }],
            "failure": [{ "id": "4", "errorType": "MISSING_PERMISSION", "errorMessage": "denied" }],
        });
        json!({ "data": { "alertTriggerActions": { "__typename": "ActionsTriggered", "actions": [done] } } })
    });
    let actions = client.unified_alerts().act(["1", "2", "3", "4", "5"]).status(Status::Resolved);
    let outcome = actions.send().await.unwrap();
    let states = &outcome.states["S1/alert/statusUpdate"];
    assert_eq!(states["1"], AlertActionState::Done);
    assert_eq!(states["2"], AlertActionState::Unchanged);
    let skipped = AlertActionState::Skipped { kind: Some(SkipReasonType::UiOnly), message: "no".to_owned() };
    assert_eq!(states["3"], skipped);
    assert!(matches!(&states["4"], AlertActionState::Failed { message, .. } if message == "denied"));
    assert_eq!(states["5"], AlertActionState::Unknown);
    assert_eq!(outcome.done().into_iter().collect::<Vec<_>>(), ["1", "2"]);
    assert!(!outcome.is_complete());
    let variables = &console.variables()[0];
    let expected = json!({
        "filter": { "or": [{ "and": [{ "fieldId": "id", "stringIn": { "values": ["1", "2", "3", "4", "5"] } }] }] },
        "actions": [{ "id": "S1/alert/statusUpdate", "payload": { "status": { "value": "RESOLVED" } } }],
    });
    assert_eq!(*variables, expected);
}

#[tokio::test]
async fn scheduled_and_rejected_actions_are_not_done() {
    let console = Console::default();
    let client = console.client(|_| {
        let scheduled = json!({ "__typename": "TriggerActionsScheduled", "executionId": "e" });
        json!({ "data": { "alertTriggerActions": scheduled } })
    });
    let actions = client.unified_alerts().act(["1"]).unassign().analyst_verdict(AnalystVerdict::Undefined);
    let outcome = actions.send().await.unwrap();
    assert!(outcome.is_scheduled && !outcome.is_complete() && outcome.done().is_empty());
    let by_action: BTreeMap<_, _> =
        outcome.states.iter().map(|(id, states)| (id.as_str(), &states["1"])).collect();
    assert_eq!(by_action["S1/alert/assignUser"], &AlertActionState::Scheduled);
    assert_eq!(console.variables()[0]["actions"][0]["payload"], json!({ "assignUser": { "value": null } }));

    let client = Console::default().client(|_| {
        let limit = json!({ "__typename": "ActionsErrorLimitPayload", "limit": 10_000 });
        let error = json!({ "errorMessage": "too many", "errorPayload": limit });
        json!({ "data": { "alertTriggerActions": { "__typename": "TriggerActionsError", "errors": [error] } } })
    });
    let error = client.unified_alerts().act(["1"]).note("x").send().await.unwrap_err();
    let expected = AlertActionError::Rejected { message: "too many".to_owned(), limit: Some(10_000) };
    assert_eq!(error.downcast_ref(), Some(&expected));
}
