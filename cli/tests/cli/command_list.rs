//! Tests of `s1 commands`.

use sentinelone::commands::registry;
use serde_json::json;

use super::{json_of, run};

#[test]
fn commands_json_has_permissions_and_announced_ends() {
    let commands = json_of(&run(&["commands", "create-query", "get-sites", "--output", "json"]));
    let of = |name: &str| {
        commands.as_array().unwrap().iter().find(|command| command["name"] == name).unwrap().clone()
    };
    assert_eq!(of("create-query")["permissions"]["required"], json!(["Accounts.view", "SDL Data.viewEdr"]));
    let end = &of("create-query")["ends"][0];
    assert_eq!(
        (&end["operation"], &end["date"]),
        (&json!("deep_visibility_create_query"), &json!("2027-02-15"))
    );
    let sites = of("get-sites");
    let permissions = json!({ "required": ["Sites.view"], "optional": ["Endpoints.moveToAnotherSite"] });
    assert_eq!((&sites["permissions"], &sites["ends"]), (&permissions, &json!([])));
}

#[test]
fn commands_schema_prints_the_arguments_of_the_named_commands() {
    let all = json_of(&run(&["commands", "--schema"]));
    assert_eq!(all.as_object().unwrap().len(), registry().len());
    let one = json_of(&run(&["commands", "--schema", "sentinelone-get-sites"]));
    assert_eq!(one, json!({ "get-sites": all["get-sites"] }));
    assert_eq!(one["get-sites"]["properties"]["state"]["enum"], json!(["active", "deleted", "expired"]));
    let named = json_of(&run(&["commands", "get-sites", "get-site", "--output", "json"]));
    let names: Vec<_> = named.as_array().unwrap().iter().map(|command| &command["name"]).collect();
    assert_eq!(names, ["get-sites", "get-site"]);
    let unknown = run(&["commands", "get-threts"]);
    assert_eq!(unknown.status.code(), Some(2));
    let error = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(error.contains("did you mean get-threats?"), "{error}");
}
