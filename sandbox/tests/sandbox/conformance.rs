//! Responses of the sandbox conform to the bundled document, whatever a request contains.

use super::*;

/// Returns the headers of a response without a body that the test needs.
async fn status_and_allow(console: &Console, method: &str, path: &str) -> (u16, Option<String>) {
    let url = format!("{}{path}", console.sandbox.url());
    let request = console.http.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
    let request = request.header("authorization", format!("ApiToken {}", Sandbox::TOKEN));
    let response = request.send().await.unwrap();
    let allow = response.headers().get("allow").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), allow)
}

/// A method that the path does not support gets the header `Allow`, and the methods in it are supported.
#[tokio::test]
async fn response_405_has_allow_header_with_all_methods_of_the_path() {
    let console = Console::start().await;
    for operation in Contract::bundled().operations() {
        for path in paths(operation) {
            let (status, allow) = status_and_allow(&console, "PATCH", &path).await;
            assert_eq!(status, 405, "{path}");
            let allow = allow.unwrap_or_default();
            let methods: Vec<&str> = allow.split(", ").collect();
            assert!(methods.contains(&operation.method()), "{path}: {allow}");
            for method in ["GET", "POST", "PUT", "DELETE"] {
                let (status, other) = status_and_allow(&console, method, &path).await;
                assert_eq!(status == 405, !methods.contains(&method), "{method} {path}: {status}, {allow}");
                assert!(other.is_none_or(|other| other == allow), "{method} {path}");
            }
        }
    }
    // Another version of the API has another method, or does not have the path.
    assert_eq!(status_and_allow(&console, "GET", "/web/api/v2.1/threats/mark-as-threat").await, (404, None));
    let legacy = "/web/api/v2.0/threats/mark-as-threat";
    assert_eq!(status_and_allow(&console, "GET", legacy).await, (405, Some("POST".to_owned())));
}

/// Checks a response. Some operations of the tier `documented` do not declare the statuses that the console has for all.
#[track_caller]
fn assert_conforms(operation: &OperationSpec, status: u16, body: &[u8], path: &str) {
    let mut findings = Contract::bundled().check_response(operation, status, body);
    if operation.x_s1()["tier"] == "documented" {
        findings.retain(|finding| finding.rule != ContractRule::UndeclaredStatus);
    }
    assert_eq!(findings, [], "{path}: {status}");
}

/// Only an operation that the document declares without a security requirement accepts a request without a token.
#[tokio::test]
async fn operation_needs_token_as_its_security_declares() {
    let console = Console::start().await;
    let mut public = Vec::new();
    for operation in Contract::bundled().operations() {
        let is_public = operation.as_json()["security"] == json!([]);
        for path in paths(operation) {
            let url = format!("{}{path}", console.sandbox.url());
            let method = Method::from_bytes(operation.method().as_bytes()).unwrap();
            let response = console.http.request(method, url).send().await.unwrap();
            let status = response.status().as_u16();
            assert_eq!(status == 401, !is_public, "{path}: {status}");
            let body = response.bytes().await.unwrap();
            assert_conforms(operation, status, &body, &path);
        }
        public.extend(is_public.then(|| operation.id()));
    }
    assert!(public.contains(&"system_get_status"), "{public:?}");
}

/// A token with the scheme of another operation is not accepted.
#[tokio::test]
async fn operation_accepts_the_scheme_of_its_security_only() {
    let console = Console::start().await;
    let queries = "/sdl/v2/api/queries";
    for (path, accepted) in [(queries, "bearer"), ("/web/api/v2.1/threats", "ApiToken")] {
        for scheme in ["ApiToken", "bearer"] {
            let url = format!("{}{path}", console.sandbox.url());
            let method = if path == queries { Method::POST } else { Method::GET };
            let request = console.http.request(method, url);
            let request = request.header("authorization", format!("{scheme} {}", Sandbox::TOKEN));
            let response = request.send().await.unwrap();
            // The data lake fails instead of asking for a token.
            let rejection = if path == queries { 500 } else { 401 };
            assert_eq!(response.status() != rejection, scheme == accepted, "{path}: {scheme}");
            if scheme != accepted && rejection == 401 {
                let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
                assert!(challenge.eq_ignore_ascii_case(accepted), "{path}: {challenge}");
            }
        }
    }
}

/// A form is read as the fields that its operation declares.
#[tokio::test]
async fn form_is_validated() {
    let console = Console::start().await;
    let post = async |path: &str, kind: &str, body: &str| {
        let request = console.http.post(format!("{}{path}", console.sandbox.url()));
        let request = request.header("authorization", authorization(None)).header("content-type", kind);
        let response = request.body(body.to_owned()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let kind = "multipart/form-data; boundary=b";
    let part = |head: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    };
    let file = part("name=\"file\"; filename=\"a.csv\"", "a,b");
    let path = "/web/api/v2.1/filters/csv-filter";
    let field = part("name=\"agentFilterField\"", "uuid");
    for (header, status, text) in [("true", 200, "data"), ("maybe", 400, "excludeHeader")] {
        let body = format!("{file}{field}{}--b--\r\n", part("name=\"excludeHeader\"", header));
        let (found, response) = post(path, kind, &body).await;
        assert_eq!(found, status, "{response}");
        assert!(response.contains(text), "{response}");
    }
    for (kind, body) in [("application/json", "{}"), (kind, "--b"), (kind, "x")] {
        let (status, response) = post(path, kind, body).await;
        assert_eq!(status, 400, "{response}");
        assert!(response.contains("request.body: not a form"), "{response}");
    }
}

/// A request that is not valid gets the status 400, which each curated operation declares.
#[tokio::test]
async fn invalid_request_gets_declared_status_400() {
    let console = Console::start().await;
    for operation in Contract::bundled().operations() {
        for path in paths(operation) {
            let url = format!("{}{path}?undeclared=1", console.sandbox.url());
            let method = Method::from_bytes(operation.method().as_bytes()).unwrap();
            let request = console.http.request(method, url);
            let request = request.header("authorization", authorization(Some(operation)));
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 400, "{path}");
            let body = response.bytes().await.unwrap();
            assert_conforms(operation, 400, &body, &path);
        }
    }
}

/// Collects the locations of the nullable members of an object, outside of its filter.
fn nullable_members(schema: &Value, pointer: &str, found: &mut Vec<String>) {
    let contract = Contract::bundled();
    for (name, schema) in contract.properties(schema) {
        let pointer = format!("{pointer}/{name}");
        if pointer == "/filter" {
            continue;
        }
        nullable_members(schema, &pointer, found);
        if let (Some("array"), Some(items)) = (contract.type_of(schema), contract.items(schema)) {
            nullable_members(items, &format!("{pointer}/0"), found);
        }
        if contract.is_nullable(schema) {
            found.push(pointer);
        }
    }
}

/// A null or a string that the contract accepts in a request does not appear where the response declares no null or an
/// enum. `send` checks each response against the document.
#[tokio::test]
async fn response_to_accepted_values_conforms_to_the_document() {
    let contract = Contract::bundled();
    let mut accepted: BTreeSet<(String, String)> = BTreeSet::new();
    for operation in contract.operations() {
        let Some(schema) = operation.body_schema() else { continue };
        // Without a plan, the response does not depend on the request.
        let plan = &operation.x_s1()["sandbox"];
        if !plan.is_object() || plan["longRunningQuery"].is_string() {
            continue;
        }
        let mut members = Vec::new();
        nullable_members(schema, "", &mut members);
        let collections = [&plan["collection"], &plan["create"]["collection"], &plan["insert"]["collection"]];
        let lists = contract.operations().filter(|list| {
            let required = list.parameters().iter().any(|parameter| parameter.required);
            let collection = &list.x_s1()["sandbox"]["collection"];
            list.method() == "GET" && !required && collection.is_string() && collections.contains(&collection)
        });
        let lists: Vec<String> = lists.flat_map(paths).collect();
        // One null at a time, and none: each string without an enum is then an arbitrary word.
        for member in members.into_iter().map(Some).chain([None]) {
            let mut body = plausible(schema);
            if let Some(member) = &member {
                let Some(value) = body.pointer_mut(member) else { continue };
                *value = Value::Null;
            }
            let console = Console::start().await;
            let path = paths(operation).pop().unwrap();
            let (status, response) = console.send(operation.method(), &path, &[], Some(&body)).await;
            assert!([200, 404].contains(&status), "{path} {body}: {status} {response}");
            for list in &lists {
                console.get(list, &[]).await;
            }
            accepted
                .extend(member.filter(|_| status == 200).map(|member| (operation.id().to_owned(), member)));
        }
    }
    for operation in ["exclusions_create", "blocklist_create"] {
        let null = (operation.to_owned(), "/data/description".to_owned());
        assert!(accepted.contains(&null), "{operation}: {accepted:?}");
    }
}

/// A client finds a file of an agent by the name and the path in the activity of the upload.
#[tokio::test]
async fn upload_activities_have_file_name_and_path() {
    let console = Console::start().await;
    let agent = "440000000000000001";
    let agents = "/web/api/v2.1/agents";
    let files =
        json!({ "data": { "files": ["/etc/hosts", "/var/log/app.log"], "password": "Example-Pass-9" } });
    console.post(&format!("{agents}/{agent}/actions/fetch-files"), files).await;
    let filter = json!({ "ids": [agent] });
    console.post(&format!("{agents}/actions/fetch-logs"), json!({ "filter": filter, "data": {} })).await;
    let threat = json!({ "filter": { "ids": [id(8)] }, "data": { "password": "Example-Pass-9" } });
    console.post(&format!("{THREATS}/fetch-file"), threat).await;
    console.get("/web/api/v2.1/activities", &[]).await;
    let list = console.get("/web/api/v2.1/activities", &[("limit", "100")]).await;
    let uploads =
        list["data"].as_array().unwrap().iter().filter(|one| one["data"]["downloadUrl"].is_string());
    let uploads: Vec<_> = uploads.map(|upload| &upload["data"]).collect();
    for upload in &uploads {
        assert_eq!(upload["filePath"], upload["downloadUrl"], "{upload}");
    }
    let names: BTreeSet<_> =
        uploads.iter().map(|upload| upload["fileDisplayName"].as_str().unwrap()).collect();
    let expected = [
        "cryptolock.exe",
        "db-01_fetched_files.zip",
        "reverse-shell",
        "web-01_fetched_files.zip",
        "web-01_logs.zip",
    ];
    assert_eq!(names, expected.into());
}
