//! STAR rules: the list with scheduled rules, and updates.

use super::*;

const RULES: &str = "/web/api/v2.1/cloud-detection/rules";

async fn rules(console: &Console, query: &[(&str, &str)]) -> Vec<Value> {
    console.get(RULES, query).await["data"].as_array().unwrap().clone()
}

fn is_scheduled(rule: &Value) -> bool {
    rule["queryType"] == "scheduled"
}

#[tokio::test]
async fn scheduled_star_rules_are_listed_only_on_request() {
    let console = Console::start().await;
    let default = rules(&console, &[]).await;
    assert!(!default.is_empty() && !default.iter().any(is_scheduled));
    assert_eq!(rules(&console, &[("isLegacy", "true")]).await, default);
    let all = rules(&console, &[("isLegacy", "false")]).await;
    let (scheduled, others): (Vec<Value>, Vec<Value>) = all.into_iter().partition(is_scheduled);
    assert_eq!(others, default);

    // A new rule is in the list of its type, and actions affect both types.
    let id = scheduled[0]["id"].as_str().unwrap();
    let data = json!({
        "name": "new", "queryType": "scheduled", "queryLang": "2.0", "severity": "Low", "status": "Draft",
        "expirationMode": "Permanent", "scheduledParams": scheduled[0]["scheduledParams"],
    });
    let filter = json!({ "siteIds": ["420000000000000001"] });
    let created = console.post(RULES, json!({ "data": data, "filter": filter })).await;
    assert_eq!(created["data"]["scheduledParams"], scheduled[0]["scheduledParams"]);
    let new_id = created["data"]["id"].as_str().unwrap();
    assert!(rules(&console, &[("ids", new_id)]).await.is_empty());
    assert_eq!(rules(&console, &[("ids", new_id), ("isLegacy", "false")]).await.len(), 1);
    let body = json!({ "filter": { "ids": [id, new_id] } });
    let (status, disabled) = console.send("PUT", &format!("{RULES}/disable"), &[], Some(&body)).await;
    assert_eq!((status, &disabled["data"]["affected"]), (200, &json!(2)));

    // In a body, the parameter does not exist.
    let body = json!({ "filter": { "ids": [id], "isLegacy": false } });
    assert_eq!(console.send("PUT", &format!("{RULES}/disable"), &[], Some(&body)).await.0, 400);
}

#[tokio::test]
async fn star_rule_update_without_language_stores_first_version() {
    let console = Console::start().await;
    let id = "540000000000000001";
    let mut data = json!({
        "name": "n", "queryType": "events", "s1ql": "q", "severity": "Low", "status": "Draft",
        "expirationMode": "Permanent", "queryLang": "2.0",
    });
    for language in ["2.0", "1.0"] {
        let body = json!({ "data": data, "filter": { "siteIds": ["420000000000000002"] } });
        let (status, updated) = console.send("PUT", &format!("{RULES}/{id}"), &[], Some(&body)).await;
        assert_eq!((status, &updated["data"]["queryLang"]), (200, &json!(language)));
        assert_eq!(rules(&console, &[("ids", id)]).await[0]["queryLang"], language);
        data.as_object_mut().unwrap().remove("queryLang");
    }
}
