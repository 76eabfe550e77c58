//! Calls of documented operations, with forms, headers and another authentication scheme.

use sentinelone::bytes::Bytes;
use sentinelone::http::Request;
use sentinelone::remote_scripts::{
    RemoteScriptsCreateRequest, RemoteScriptsCreateScopeLevel, ScriptOsType, ScriptType,
};
use sentinelone::{ErrorKind, FilePart};
use sentinelone_contract::Contract;
use serde_json::json;

use crate::transport::{TOKEN, builder, json_response};

#[tokio::test]
async fn form_has_fields_and_files() {
    let client = builder(|request: Request<Bytes>| {
        let kind = request.headers()["content-type"].to_str().unwrap().to_owned();
        let operation = Contract::bundled().operation("remote_scripts_create").unwrap();
        let form = Contract::bundled().form_to_json(operation, &kind, request.body().clone()).unwrap();
        let expected = json!({
            "file": "a.ps1", "inputRequired": false, "osTypes": ["windows", "linux"], "scopeLevel": "site",
            "scriptName": "collect", "scriptType": "dataCollection", "scriptRuntimeTimeoutSeconds": 60,
        });
        assert_eq!(form, expected);
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        assert!(body.contains("\r\n\r\nGet-Process\r\n--"), "{body}");
        json_response(200, &json!({ "data": { "id": "7" } }))
    });
    let body = RemoteScriptsCreateRequest::new(
        false,
        [ScriptOsType::Windows, ScriptOsType::Linux],
        RemoteScriptsCreateScopeLevel::Site,
        "collect",
        ScriptType::DataCollection,
    );
    let body = body.script_runtime_timeout_seconds(60).file(FilePart::new("a.ps1", "Get-Process"));
    let created = client.build().unwrap().remote_scripts().create(&body).await.unwrap();
    assert_eq!(created.into_value().data.unwrap().id.as_deref(), Some("7"));
}

#[tokio::test]
async fn scheme_and_headers_are_those_of_the_operation() {
    let client = builder(|request: Request<Bytes>| {
        let headers = request.headers();
        assert_eq!(request.uri(), "https://console.example/sdl/v2/api/queries/7?lastStepSeen=0");
        assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(headers["x-dataset-query-forward-tag"], "node-3");
        json_response(200, &json!({ "id": "7" }))
    });
    let client = client.build().unwrap();
    let result = client.long_running_query().get("7", 0, Some("node-3")).await.unwrap();
    assert_eq!(result.into_value().id.as_deref(), Some("7"));
    let error = client.long_running_query().get("7", 0, Some("a\nb")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("X-Dataset-Query-Forward-Tag"), "{error}");
}
