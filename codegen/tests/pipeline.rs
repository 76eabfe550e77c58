//! Tests of the generator pipeline with a small specification, from the files to the emitted code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::commands::Commands;
use sentinelone_codegen::files::Files;
use sentinelone_codegen::{Result, document, generate_from, lint};
use serde_json::{Value, json};

const ROOT: &str = r#"
openapi: 3.0.3
info: { title: Small, version: "2.1" }
servers:
  - url: https://{console}/web/api/v{version}
    variables:
      console: { default: example.sentinelone.net }
      version: { default: "2.1", enum: ["2.1", "2.0"] }
security: [{ ApiToken: [] }]
tags:
  - { name: widgets, description: Widgets. }
paths:
  /widgets: { $ref: 'widgets.yaml#/paths/~1widgets' }
  /widgets/act: { $ref: 'widgets.yaml#/paths/~1widgets~1act' }
  /widgets/{widget_id}: { $ref: 'widgets.yaml#/paths/~1widgets~1{widget_id}' }
  /widgets/{widget_id}/file: { $ref: 'widgets.yaml#/paths/~1widgets~1{widget_id}~1file' }
  /v2.0/widgets: { $ref: 'widgets.yaml#/paths/~1v2.0~1widgets' }
components:
  securitySchemes:
    ApiToken: { type: apiKey, in: header, name: Authorization }
  parameters:
    Cursor:
      name: cursor
      in: query
      schema: { type: string }
      description: Position from the previous response.
      x-s1: { selective: false }
    WidgetId:
      name: widget_id
      in: path
      required: true
      schema: { type: string }
      description: ID of the widget.
  responses:
    BadRequest: { description: The console rejected the request. }
  schemas:
    Affected:
      type: object
      description: Number of affected items.
      properties:
        affected: { type: integer, format: int32, description: Number of affected items. }
    Pagination:
      type: object
      description: Position of a page.
      properties:
        totalItems: { type: integer, format: int32, description: Total number of items. }
        nextCursor: { type: string, nullable: true, description: Cursor of the next page. }
"#;

const WIDGETS: &str = r#"
paths:
  /widgets:
    get:
      operationId: widgets_list
      tags: [widgets]
      deprecated: true
      summary: List widgets
      description: Returns the matching widgets.
      parameters:
        - $ref: 'openapi.yaml#/components/parameters/Cursor'
        - name: limit
          in: query
          schema: { type: integer, minimum: 1, maximum: 50 }
          description: Size of a page.
          x-s1: { selective: false }
      responses:
        "200":
          description: A page.
          content:
            application/json:
              schema:
                type: object
                properties:
                  data: { type: array, items: { $ref: '#/components/schemas/Widget' } }
                  pagination: { $ref: 'openapi.yaml#/components/schemas/Pagination' }
        "400": { $ref: 'openapi.yaml#/components/responses/BadRequest' }
      x-s1:
        tier: curated
        versions: ["2.1"]
        permissions: { required: [Widgets.view], optional: [Widgets.count] }
        access: a license
        end: { date: 2030-01-31, replacement: gadgets, source: a page }
        kind: read
        idempotent: true
        destructive: false
        filter: optional
        rateLimit: { class: widgets, perSecond: 2.5, burst: 10, source: integration }
        paging: cursor
        query: WidgetFilter
        evidence: [{ source: vendor-document, date: 2024-03, ref: widgets_get, note: As written. }]
  /widgets/act:
    post:
      operationId: widgets_act
      tags: [widgets]
      summary: Act on widgets
      description: |-
        Changes all widgets
        that match the filter.

        The change is irreversible.
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: '#/components/schemas/WidgetAct' } }
      responses:
        "200":
          description: Number of affected items.
          content:
            application/json:
              schema:
                type: object
                properties:
                  data: { $ref: 'openapi.yaml#/components/schemas/Affected' }
      x-s1:
        tier: curated
        versions: ["2.0", "2.1"]
        kind: action
        idempotent: false
        destructive: true
        filter: required
        rateLimit: null
        paging: none
        evidence: [{ source: inference }]
  /widgets/{widget_id}:
    delete:
      operationId: widgets_delete
      tags: [widgets]
      summary: Delete a widget
      description: Removes it permanently.
      parameters:
        - $ref: 'openapi.yaml#/components/parameters/WidgetId'
      responses:
        "204": { description: Removed. }
      x-s1:
        tier: curated
        versions: ["2.1"]
        kind: action
        idempotent: true
        destructive: true
        filter: none
        rateLimit: null
        paging: none
        evidence: [{ source: client, ref: a client }]
  /widgets/{widget_id}/file:
    get:
      operationId: widgets_download
      tags: [widgets]
      summary: Download a widget
      description: Contents of the widget.
      parameters:
        - $ref: 'openapi.yaml#/components/parameters/WidgetId'
      responses:
        "200":
          description: Bytes.
          content:
            application/octet-stream: { schema: { type: string, format: binary } }
      x-s1:
        tier: curated
        versions: ["2.1"]
        kind: read
        idempotent: true
        destructive: false
        filter: none
        rateLimit: null
        paging: none
        evidence: [{ source: corpus }]
  /v2.0/widgets:
    servers: [{ url: 'https://{console}/web/api' }]
    get:
      operationId: widgets_list_old
      tags: [widgets]
      summary: List widgets of API 2.0
      description: Returns all widgets.
      responses:
        "200":
          description: A page.
          content:
            application/json:
              schema:
                type: object
                properties:
                  data: { type: array, items: { $ref: '#/components/schemas/Widget' } }
      x-s1:
        tier: curated
        versions: ["2.0"]
        kind: read
        idempotent: true
        destructive: false
        filter: none
        rateLimit: null
        paging: none
        evidence: [{ source: vendor-document }]
components:
  schemas:
    Widget:
      type: object
      description: A widget.
      required: [id]
      properties:
        id: { type: string, description: Identifier. }
        createdAt: { type: string, format: date-time, description: Creation time. }
        kind: { $ref: '#/components/schemas/WidgetKind', nullable: true, description: Its kind. }
        type: { type: string, description: A reserved word in Rust. }
        sizeInBytes: { type: integer, format: int64, minimum: 0, description: Size. }
        counts: { type: object, additionalProperties: { type: integer }, description: Counts by name. }
        extra: { type: object, additionalProperties: true, description: Other members. }
        parts: { type: array, items: { $ref: '#/components/schemas/WidgetPart' }, description: Parts. }
        names: { type: array, items: { type: string }, description: Names. }
    WidgetPart:
      type: object
      description: A part of a widget.
      properties:
        intact: { type: boolean, description: Whether it is intact. }
    WidgetKind:
      type: string
      description: Kind of a widget.
      enum: [kubernetes node, 64 bit, n/a, plain]
    WidgetFilter:
      type: object
      description: Selects widgets.
      x-s1: { filter: true }
      properties:
        ids: { type: array, items: { type: string, minLength: 1 }, maxItems: 100, description: Identifiers., x-s1: { field: id } }
        kinds: { type: array, items: { $ref: '#/components/schemas/WidgetKind' }, description: Kinds. }
        createdAt__gt: { type: string, format: date-time, description: Created after. }
        query: { type: string, description: Any string., x-s1: { op: contains, field: [id, type] } }
        intact: { type: boolean, description: Intact ones., x-s1: { op: exists } }
        limit: { type: integer, minimum: 1, maximum: 1000, description: Page size., x-s1: { selective: false } }
    WidgetAct:
      type: object
      description: Data and filter of the action.
      required: [data, filter]
      properties:
        data: { $ref: '#/components/schemas/WidgetActData', description: Data. }
        filter: { $ref: '#/components/schemas/WidgetFilter', description: Filter. }
    WidgetActData:
      type: object
      description: Data of the action.
      required: [kind]
      properties:
        kind: { $ref: '#/components/schemas/WidgetKind', description: New kind. }
        note: { type: string, maxLength: 20, description: Reason. }
"#;

/// A specification under test: content by file name.
#[derive(Clone)]
struct Spec(BTreeMap<String, Value>);

impl Spec {
    /// Returns a valid specification with one root file and one resource file.
    fn small() -> Self {
        let mut spec = Self(BTreeMap::new());
        spec.file("openapi.yaml", ROOT);
        spec.file("widgets.yaml", WIDGETS);
        spec
    }

    /// Adds a file.
    fn file(&mut self, name: &str, yaml: &str) {
        self.0.insert(name.to_owned(), serde_saphyr::from_str(yaml).unwrap());
    }

    /// Sets the value at a JSON pointer. Creates missing objects.
    fn set(&mut self, file: &str, pointer: &str, value: Value) -> &mut Self {
        let mut node = self.0.get_mut(file).unwrap();
        for key in pointer.split('/').skip(1) {
            let key = key.replace("~1", "/").replace("~0", "~");
            node = match key.parse::<usize>() {
                Ok(index) if node.is_array() => node.get_mut(index).unwrap(),
                _ => &mut node[key],
            };
        }
        *node = value;
        self
    }

    /// Removes the value at a JSON pointer, which must exist.
    fn remove(&mut self, file: &str, pointer: &str) -> &mut Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let node = self.0.get_mut(file).unwrap().pointer_mut(parent).unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        assert!(node.as_object_mut().unwrap().remove(&key).is_some(), "{pointer} does not exist");
        self
    }

    /// Sets a value in the resource file; see [`set`](Self::set).
    fn widget(&mut self, pointer: &str, value: Value) -> &mut Self {
        self.set("widgets.yaml", pointer, value)
    }

    /// Sets a property of the schema `Widget`, which is used in responses.
    fn property(&mut self, name: &str, yaml: &str) -> &mut Self {
        let value = serde_saphyr::from_str(yaml).unwrap();
        self.widget(&format!("/components/schemas/Widget/properties/{name}"), value)
    }

    /// Returns the contents of the files. JSON is valid YAML.
    fn texts(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(name, node)| (name.clone(), node.to_string())).collect()
    }

    /// Joins the files to one document.
    fn join(&self) -> Result<Bundle> {
        Bundle::join(&self.texts())
    }

    /// Returns the lint findings.
    fn findings(&self) -> Vec<String> {
        lint::check(&self.join().unwrap()).iter().map(ToString::to_string).collect()
    }

    /// Returns the generated files. The specification must not have lint findings.
    fn emit(&self) -> Result<Files> {
        assert_eq!(self.findings(), Vec::<String>::new());
        generate_from(&self.join()?, &Commands::default())
    }

    /// Returns the generated module of the resource, with whitespace collapsed.
    fn module(&self) -> String {
        collapsed(&self.emit().unwrap()["src/widgets.rs"])
    }
}

/// Collapses whitespace to single spaces.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

// ---- lint rules

/// Changes the small specification and compares the lint findings.
#[track_caller]
fn assert_findings(change: impl FnOnce(&mut Spec) -> &mut Spec, expected: &[&str]) {
    let mut spec = Spec::small();
    change(&mut spec);
    assert_eq!(spec.findings(), expected);
}

/// Returns a pointer below an operation: `get`, `/widgets` and the rest of the pointer.
fn at(method: &str, path: &str, below: &str) -> String {
    format!("/paths/{}/{method}{below}", path.replace('/', "~1"))
}

fn schema(name: &str, below: &str) -> String {
    format!("/components/schemas/{name}{below}")
}

#[test]
fn lint_accepts_minimal_spec() {
    assert_findings(|spec| spec, &[]);
}

#[test]
fn lint_checks_document() {
    assert_findings(
        |spec| spec.set("openapi.yaml", "/openapi", json!("3.1.0")),
        &["openapi.yaml: the OpenAPI version is not 3.0.3"],
    );
    assert_findings(
        |spec| spec.remove("openapi.yaml", "/paths/~1widgets~1{widget_id}"),
        &["widgets.yaml: /widgets/{widget_id} is not in the index: add `/widgets/{widget_id}: { $ref: \
           'widgets.yaml#/paths/~1widgets~1{widget_id}' }` to openapi.yaml"],
    );
}

#[test]
fn lint_checks_tier_and_end() {
    let delete = |rest| at("delete", "/widgets/{widget_id}", rest);
    let location = "DELETE /widgets/{widget_id}";
    let tier = delete("/x-s1/tier");
    let message = "an action of the documented tier is destructive until a person has reviewed it";
    assert_findings(|spec| spec.widget(&tier, json!("documented")), &[]);
    assert_findings(
        |spec| spec.widget(&tier, json!("documented")).widget(&delete("/x-s1/destructive"), json!(false)),
        &[&format!("{location}: {message}")],
    );
    let placeholder = "Delete. Undocumented; description derived from the name (vendor document of 2026-06).";
    assert_findings(
        |spec| spec.widget(&delete("/description"), json!(placeholder)),
        &[&format!("{location}: a curated operation has a placeholder description: describe it")],
    );
    assert_findings(
        |spec| spec.widget(&delete("/deprecated"), json!(true)),
        &[&format!("{location}: x-s1.end requires `deprecated: true`, and the reverse")],
    );
}

#[test]
fn lint_checks_keys_of_every_object() {
    let act = |rest| at("post", "/widgets/act", rest);
    let response = "POST /widgets/act response 200: type is not a key of the response: expected description, content, headers";
    for (pointer, message) in [
        (act("/responses/200/type"), response.to_owned()),
        (act("/nullable"), "POST /widgets/act: nullable is not a key of the operation".to_owned()),
        (
            act("/requestBody/schema"),
            "POST /widgets/act requestBody: schema is not a key of the request body".to_owned(),
        ),
        (schema("Widget", "/property"), "Widget: property is not a key of the schema".to_owned()),
        (schema("Widget", "/properties/id/min"), "Widget.id: min is not a key of the schema".to_owned()),
        (schema("Widget", "/properties/id/oneOf"), "Widget.id: oneOf is not a key of the schema".to_owned()),
    ] {
        let mut spec = Spec::small();
        spec.widget(&pointer, json!("x"));
        let findings = spec.findings();
        assert!(findings.iter().any(|finding| finding.starts_with(&message)), "{pointer}: {findings:?}");
    }
}

#[test]
fn lint_checks_secrets_and_patterns() {
    let property = |rest: &str| schema("WidgetActData", &format!("/properties{rest}"));
    let key = json!({ "type": "string", "description": "Key." });
    let message =
        "WidgetActData.apiKey: the name is that of a secret: set `x-s1.secret`, or to false with evidence";
    assert_findings(|spec| spec.widget(&property("/apiKey"), key.clone()), &[message]);
    let with = |facts: Value| json!({ "type": "string", "description": "Key.", "x-s1": facts });
    assert_findings(|spec| spec.widget(&property("/apiKey"), with(json!({ "secret": true }))), &[]);
    let message = "WidgetActData.apiKey: `secret: false` needs evidence with the reason";
    assert_findings(|spec| spec.widget(&property("/apiKey"), with(json!({ "secret": false }))), &[message]);
    let facts = json!({ "secret": false, "evidence": [{ "source": "inference", "note": "A name." }] });
    assert_findings(|spec| spec.widget(&property("/apiKey"), with(facts)), &[]);

    let python = json!({ "type": "string", "description": "Code.", "pattern": "(?P<a>x)" });
    let message = "WidgetActData.code: pattern \"(?P<a>x)\" is not a valid regular expression of ECMA-262";
    assert_findings(|spec| spec.widget(&property("/code"), python), &[message]);
}

#[test]
fn lint_checks_operation_ids() {
    let id = at("delete", "/widgets/{widget_id}", "/operationId");
    let cases = [
        ("widgets_list", "duplicate operationId widgets_list, also of GET /widgets"),
        ("agents_delete", "operationId \"agents_delete\" does not start with its only tag and an underscore"),
        ("widgetsdelete", "operationId \"widgetsdelete\" does not start with its only tag and an underscore"),
        ("widgets_deleteAll", "operationId \"widgets_deleteAll\" is not snake case"),
    ];
    for (value, message) in cases {
        let location = "DELETE /widgets/{widget_id}";
        assert_findings(|spec| spec.widget(&id, json!(value)), &[&format!("{location}: {message}")]);
    }
    let message =
        "GET /widgets: operationId \"widgets_list\" does not start with its only tag and an underscore";
    let tags = at("get", "/widgets", "/tags");
    for value in [json!([]), json!(["widgets", "agents"]), json!(null)] {
        assert_findings(|spec| spec.widget(&tags, value), &[message]);
    }
    let file = "GET /widgets: tag agents does not match the file of widgets";
    assert_findings(|spec| spec.widget(&tags, json!(["agents"])), &[message, file]);
}

#[test]
fn lint_checks_operations() {
    let list = |below: &str| at("get", "/widgets", below);
    let act = |below: &str| at("post", "/widgets/act", below);
    let response = "/responses/200/content/application~1json/schema";
    let cases: Vec<(String, Value, &str)> = vec![
        (list("/summary"), json!(" "), "GET /widgets: has no summary"),
        (list("/summary"), json!(null), "GET /widgets: has no summary"),
        (list("/description"), json!(""), "GET /widgets: has no description"),
        (
            at("delete", "/widgets/{widget_id}", "/parameters"),
            json!([]),
            "DELETE /widgets/{widget_id}: path parameter widget_id is not declared",
        ),
        (
            at("delete", "/widgets/{widget_id}", "/requestBody"),
            json!({ "content": { "application/json": { "schema": { "type": "object" } } } }),
            "DELETE /widgets/{widget_id}: the request body is not a named schema",
        ),
        (
            act("/responses"),
            json!({ "400": { "description": "No." } }),
            "POST /widgets/act: has no success response",
        ),
        (
            act(response),
            json!({ "type": "object", "properties": { "total": { "type": "integer" } } }),
            "POST /widgets/act: response 200 is an object without `data`: move its schema to components/schemas",
        ),
    ];
    for (pointer, value, message) in cases {
        let mut spec = Spec::small();
        spec.widget(&pointer, value);
        let mut findings = spec.findings();
        // The response schema becomes unused, which is another finding.
        findings.retain(|finding| finding != "Affected: the schema is not used by an operation");
        assert_eq!(findings, [message]);
    }
    assert_findings(
        |spec| spec.remove("widgets.yaml", "/paths/~1v2.0~1widgets/servers"),
        &["GET /v2.0/widgets: a path that starts with /v2.0/ or /sdl/ needs `servers`"],
    );
    assert_findings(
        |spec| spec.widget(&act("/x-s1/paging"), json!("cursor")),
        &[
            "POST /widgets/act: pagination is set, but the response is not a list",
            "POST /widgets/act: pagination is by cursor, but the parameter cursor is missing",
        ],
    );
}

#[test]
fn lint_checks_parameters() {
    let limit = |below: &str| at("get", "/widgets", &format!("/parameters/1{below}"));
    assert_findings(
        |spec| spec.widget(&limit("/description"), json!("")),
        &["GET /widgets: parameter limit has no description"],
    );
    assert_findings(
        |spec| spec.widget(&limit("/schema"), json!({ "type": "array", "items": { "type": "string" } })),
        &["GET /widgets: parameter limit is an array: add `style: form, explode: false`"],
    );
    assert_findings(
        |spec| spec.widget(&limit("/schema"), json!({ "type": "string", "enum": ["a"] })),
        &["GET /widgets parameter limit: an inline enum is not supported: move it to components/schemas"],
    );
    let object = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    assert_findings(
        |spec| spec.widget(&limit("/schema"), object),
        &["GET /widgets parameter limit: an inline object is not supported: move it to components/schemas"],
    );
    assert_findings(
        |spec| spec.widget(&limit("/x-s1"), json!({ "select": false })),
        &[
            "GET /widgets: parameter limit: unknown field `select`, expected one of `selective`, `json`, `secret`, `field`, `op`, `send`, \
           `evidence`",
        ],
    );
    assert_findings(
        |spec| spec.widget(&limit("/x-s1"), json!({ "send": false })),
        &["GET /widgets: parameter limit: `send` is only for request bodies"],
    );
}

#[test]
fn lint_checks_forms_headers_and_security() {
    let act = |below: &str| at("post", "/widgets/act", below);
    let header = |name: &str, kind: &str| json!([{ "name": name, "in": "header", "schema": { "type": kind }, "description": "A header." }]);
    for (pointer, value, message) in [
        (act("/parameters"), header("X-Tag", "string"), None),
        (act("/parameters"), header("X-Tag", "integer"), Some("header X-Tag: expected a string")),
        (
            act("/parameters"),
            header("Accept", "string"),
            Some("header Accept: OpenAPI declares it elsewhere"),
        ),
        (act("/security"), json!([]), None),
        (act("/security"), json!([{ "Bearer": [] }]), None),
        (
            act("/security"),
            json!([{ "Basic": [] }]),
            Some("security is Basic: expected ApiToken, Bearer or none"),
        ),
        (
            act("/requestBody/content/text~1plain"),
            json!({ "schema": { "type": "string" } }),
            Some(
                "the request body is application/json and text/plain: expected application/json or multipart/form-data",
            ),
        ),
    ] {
        let expected: Vec<String> =
            message.into_iter().map(|text| format!("POST /widgets/act: {text}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        assert_findings(|spec| spec.widget(&pointer, value), &expected);
    }
    let file = json!({ "type": "string", "format": "binary", "description": "A file." });
    assert_findings(
        |spec| spec.widget("/components/schemas/WidgetActData/properties/file", file),
        &["WidgetActData.file: `format: binary` is only for members of a multipart/form-data body"],
    );
}

#[test]
fn lint_checks_extensions() {
    let other = "/paths/~1widgets/get: unknown extension x-other: the only one is x-s1";
    assert_findings(|spec| spec.widget(&at("get", "/widgets", "/x-other"), json!(1)), &[other]);
    let misplaced = |location: &str| {
        format!(
            "{location}: x-s1 is not supported here: it belongs to operations, parameters, named schemas and their properties"
        )
    };
    let response = at("get", "/widgets", "/responses/200/x-s1");
    assert_findings(
        |spec| spec.widget(&response, json!({})),
        &[&misplaced("/paths/~1widgets/get/responses/200")],
    );
    let items = "/components/schemas/WidgetFilter/properties/ids/items/x-s1";
    let location = "/components/schemas/WidgetFilter/properties/ids/items";
    let query_param = "/paths/~1widgets/get/parameters/3/schema/items";
    assert_findings(|spec| spec.widget(items, json!({})), &[&misplaced(location), &misplaced(query_param)]);
    assert_findings(|spec| spec.set("openapi.yaml", "/info/x-s1", json!({})), &[&misplaced("/info")]);
    // A property can have any name.
    let named = json!({ "type": "string", "description": "A header." });
    assert_findings(|spec| spec.widget("/components/schemas/Widget/properties/x-header", named), &[]);
}

#[test]
fn lint_checks_files_paths_and_envelopes() {
    let mut spec = Spec::small();
    let widgets = spec.0.remove("widgets.yaml").unwrap();
    spec.0.insert("other.yaml".into(), widgets);
    spec.file("openapi.yaml", &ROOT.replace("widgets.yaml", "other.yaml"));
    let wrong = spec.findings();
    assert_eq!(wrong.len(), 5, "{wrong:?}");
    assert!(wrong.iter().all(|one| one.ends_with("tag widgets does not match the file of other")));
    assert_findings(
        |spec| {
            let extra = json!({ "name": "spare", "in": "path", "required": true,
                "schema": { "type": "string" }, "description": "Not in the path." });
            spec.widget(&at("get", "/widgets", "/parameters/1"), extra)
        },
        &["GET /widgets: path parameter spare is not in the path"],
    );
    let style = at("get", "/widgets", "/parameters/1");
    let list = json!({ "name": "limit", "in": "query", "style": "pipeDelimited", "explode": false,
        "schema": { "type": "array", "items": { "type": "string" } }, "description": "A list." });
    let message = "GET /widgets: parameter limit is an array: add `style: form, explode: false`";
    assert_findings(|spec| spec.widget(&style, list), &[message]);
    let nested = json!({ "name": "limit", "in": "query", "style": "form", "explode": false, "description": "A list.",
        "schema": { "type": "array", "items": { "type": "array", "items": { "type": "string" } } } });
    let message = "GET /widgets: parameter limit is a list of lists; a query has one list of values";
    assert_findings(|spec| spec.widget(&style, nested), &[message]);
    let member = at("get", "/widgets", "/responses/200/content/application~1json/schema/properties/more");
    let message =
        "GET /widgets: the response has a member more: an envelope has only data, pagination and errors";
    assert_findings(|spec| spec.widget(&member, json!({ "type": "string" })), &[message]);
}

#[test]
fn lint_checks_operation_metadata() {
    let list = |below: &str| at("get", "/widgets", &format!("/x-s1{below}"));
    let act = |below: &str| at("post", "/widgets/act", &format!("/x-s1{below}"));
    let cases: Vec<(String, Value, &str)> = vec![
        (list("/evidence"), json!([]), "GET /widgets: x-s1.evidence is empty"),
        (list("/versions"), json!(["2.1", "3.0"]), "GET /widgets: invalid version 3.0: expected 2.0 or 2.1"),
        (
            list("/versions"),
            json!(["2.0"]),
            "GET /widgets: the path prefix /v2.0/ requires versions [\"2.0\"], and the reverse",
        ),
        (
            at("get", "/v2.0/widgets", "/x-s1/versions"),
            json!(["2.0", "2.1"]),
            "GET /v2.0/widgets: the path prefix /v2.0/ requires versions [\"2.0\"], and the reverse",
        ),
        (list("/destructive"), json!(true), "GET /widgets: a read cannot be destructive"),
        (
            at("get", "/v2.0/widgets", "/x-s1/paging"),
            json!("cursor"),
            "GET /v2.0/widgets: pagination is by cursor, but the parameter cursor is missing",
        ),
        (
            act("/filter"),
            json!("optional"),
            "POST /widgets/act: the filter of an action is optional: expected required or none",
        ),
        (
            act("/filter"),
            json!("none"),
            "POST /widgets/act: the request body has a filter, but x-s1.filter is `none`",
        ),
        (
            at("delete", "/widgets/{widget_id}", "/x-s1/filter"),
            json!("required"),
            "DELETE /widgets/{widget_id}: x-s1.filter is `required`, but neither the body nor the query has a filter",
        ),
        (
            list("/color"),
            json!("red"),
            "GET /widgets: unknown field `color`, expected one of `tier`, `versions`, `permissions`, `access`, `end`, `kind`, \
             `idempotent`, `destructive`, `filter`, `rateLimit`, `paging`, `items`, `query`, `evidence`, `sandbox`, \
             `graphql`",
        ),
        (
            list("/graphql"),
            json!({ "path": "/x", "document": "query X { x }" }),
            "GET /widgets: x-s1.graphql is only for the documents of spec/graphql",
        ),
        (
            list("/evidence/0/author"),
            json!("me"),
            "GET /widgets: unknown field `author`, expected one of `source`, `date`, `ref`, `note`",
        ),
        (
            list("/evidence/0/source"),
            json!("hearsay"),
            "GET /widgets: unknown variant `hearsay`, expected one of `vendor-document`, `integration`, \
             `corpus`, `client`, `inference`",
        ),
        (
            list("/rateLimit/per"),
            json!(1),
            "GET /widgets: unknown field `per`, expected one of `class`, `perSecond`, `burst`, `source`",
        ),
        (list("/kind"), json!("write"), "GET /widgets: unknown variant `write`, expected `read` or `action`"),
    ];
    for (pointer, value, message) in cases {
        assert_findings(|spec| spec.widget(&pointer, value), &[message]);
    }
    assert_findings(
        |spec| spec.remove("widgets.yaml", &list("/idempotent")),
        &["GET /widgets: missing field `idempotent`"],
    );
    assert_findings(
        |spec| spec.remove("widgets.yaml", &at("get", "/v2.0/widgets", "/x-s1")),
        &["GET /v2.0/widgets: has no x-s1"],
    );
    assert_findings(
        |spec| spec.remove("widgets.yaml", &schema("WidgetFilter", "/x-s1")),
        &[
            "POST /widgets/act: filter of WidgetAct is not a schema with `x-s1: {filter: true}`",
            "WidgetFilter.ids: `field` is only for filters",
            "WidgetFilter.query: `field` is only for filters",
        ],
    );
}

#[test]
fn lint_checks_schemas() {
    let widget = |below: &str| schema("Widget", &format!("/properties/{below}"));
    let cases: Vec<(String, Value, &str)> = vec![
        (schema("Widget", "/description"), json!(""), "Widget: has no description"),
        (
            schema("WidgetPart", "/x-s1"),
            json!({ "filtre": true }),
            "WidgetPart: unknown field `filtre`, expected one of `filter`, `extends`, `evidence`",
        ),
        (
            schema("WidgetKind", "/type"),
            json!("integer"),
            "WidgetKind: is neither an object nor an enum of strings",
        ),
        (
            schema("WidgetPart", "/type"),
            json!("array"),
            "WidgetPart: is neither an object nor an enum of strings",
        ),
        (
            schema("Widget", "/required"),
            json!(["id", "unknown"]),
            "Widget: required property \"unknown\" does not exist",
        ),
        (widget("id/description"), json!(""), "Widget.id: has no description"),
        (
            widget("id"),
            json!({ "type": "string", "enum": ["a"], "description": "x" }),
            "Widget.id: an inline enum is not supported: move it to components/schemas",
        ),
        (
            widget("names/items"),
            json!({ "type": "string", "enum": ["a"] }),
            "Widget.names: an inline enum is not supported: move it to components/schemas",
        ),
        (
            widget("counts/additionalProperties"),
            json!({ "type": "object", "properties": { "a": { "type": "string" } } }),
            "Widget.counts: an inline object is not supported: move it to components/schemas",
        ),
        (
            widget("id/x-s1"),
            json!({ "feild": "a" }),
            "Widget.id: unknown field `feild`, expected one of `selective`, `json`, `secret`, `field`, `op`, `send`, `evidence`",
        ),
        (widget("id/x-s1"), json!({ "field": "a" }), "Widget.id: `field` is only for filters"),
        (
            schema("WidgetFilter", "/properties/query/x-s1/op"),
            json!("exists"),
            "WidgetFilter.query: `op: exists` is only for booleans",
        ),
        (
            widget("created_at"),
            json!({ "type": "string", "description": "x" }),
            "Widget.created_at: the Rust name is the same as that of createdAt",
        ),
    ];
    for (pointer, value, message) in cases {
        assert_findings(|spec| spec.widget(&pointer, value), &[message]);
    }
    let object = || json!({ "type": "object", "description": "x", "properties": {} });
    assert_findings(
        |spec| spec.widget(&schema("Unused", ""), object()),
        &["Unused: the schema is not used by an operation"],
    );
    assert_findings(
        |spec| {
            // Two schemas that use only each other.
            let other = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Two" }, "description": "x" });
            spec.widget(&schema("One", ""), object()).widget(&schema("Two", ""), object());
            spec.widget(&schema("One", "/properties/two"), other);
            let one = json!({ "$ref": "#/components/schemas/One", "description": "x" });
            spec.widget(&schema("Two", "/properties/one"), one)
        },
        &["One: the schema is not used by an operation", "Two: the schema is not used by an operation"],
    );
    assert_findings(
        |spec| {
            spec.widget(&schema("widget_more", ""), object());
            let more = json!({ "$ref": "#/components/schemas/widget_more", "description": "x" });
            spec.widget(&widget("more"), more)
        },
        &["widget_more: the name is not upper camel case"],
    );
}

#[test]
fn lint_checks_enums() {
    let cases = [
        (json!(["a", 1]), "WidgetKind: enum value 1 is not a string"),
        (json!(["a", ""]), "WidgetKind: enum value \"\" has no valid Rust name"),
        (json!(["a", "<"]), "WidgetKind: enum value \"<\" has no valid Rust name"),
        (json!(["a", "Unrecognized"]), "WidgetKind: enum value \"Unrecognized\" has no valid Rust name"),
        (json!(["a", "unrecognized"]), "WidgetKind: enum value \"unrecognized\" has no valid Rust name"),
        (
            json!(["not_found", "not found"]),
            "WidgetKind: enum values \"not found\" and \"not_found\" have the same Rust name",
        ),
    ];
    for (values, message) in cases {
        assert_findings(|spec| spec.widget(&schema("WidgetKind", "/enum"), values), &[message]);
    }
}

#[test]
fn lint_query_filter_counts_as_used() {
    assert_findings(
        |spec| {
            spec.remove("widgets.yaml", &schema("WidgetAct", "/properties/filter"));
            spec.widget(&schema("WidgetAct", "/required"), json!(["data"]));
            spec.widget(&at("post", "/widgets/act", "/x-s1/filter"), json!("none"))
        },
        &[],
    );
}

#[test]
fn lint_query_filter_with_required_property_is_a_finding() {
    assert_findings(
        |spec| spec.widget(&schema("WidgetFilter", "/required"), json!(["query"])),
        &["GET /widgets: query schema WidgetFilter has required properties: a filter cannot have them"],
    );
}

#[test]
fn lint_reserved_schema_name_is_a_finding() {
    for name in ["Field", "Filter", "Page", "Data", "Value", "Option", "RateLimit", "Request"] {
        let mut spec = Spec::small();
        spec.widget(&schema(name, ""), spec.0["widgets.yaml"]["components"]["schemas"]["WidgetPart"].clone());
        let reference = format!("#/components/schemas/{name}");
        spec.widget(&schema("Widget", "/properties/odd"), json!({ "$ref": reference, "description": "x" }));
        let message = "the name is reserved for a type of the support code or the standard library";
        assert_eq!(spec.findings(), [format!("{name}: {message}")]);
    }
}

// ---- bundle

#[track_caller]
fn join_error(spec: &Spec) -> String {
    spec.join().unwrap_err().to_string()
}

#[test]
fn join_reference_with_siblings_becomes_all_of() {
    let bundle = Spec::small().join().unwrap();
    let kind = &bundle.schema("Widget").unwrap()["properties"]["kind"];
    let expected = json!({
        "allOf": [{ "$ref": "#/components/schemas/WidgetKind" }],
        "description": "Its kind.",
        "nullable": true,
    });
    assert_eq!(*kind, expected);
    let parts = &bundle.schema("Widget").unwrap()["properties"]["parts"];
    assert_eq!(parts["items"], json!({ "$ref": "#/components/schemas/WidgetPart" }), "without siblings");
}

#[test]
fn join_resolves_references_between_files() {
    let bundle = Spec::small().join().unwrap();
    let text = bundle.document.to_string();
    assert!(!text.contains(".yaml"), "no reference to a file");
    let mut names = Vec::new();
    sentinelone_codegen::bundle::each_reference(&bundle.document, &mut |name| names.push(name.to_owned()));
    assert!(names.iter().all(|name| bundle.schema(name).is_some()), "{names:?}");
    assert_eq!(
        bundle.document["components"].as_object().unwrap().len(),
        2,
        "only schemas and security schemes"
    );
    let act = bundle.operations().find(|operation| operation.id() == "widgets_act").unwrap();
    let list = bundle.operations().find(|operation| operation.id() == "widgets_list").unwrap();
    assert_eq!(list.node["responses"]["400"]["description"], "The console rejected the request.");
    assert_eq!(list.parameters().next().unwrap()["name"], "cursor");
    assert_eq!(act.body().unwrap()["$ref"], "#/components/schemas/WidgetAct");
    let modules: Vec<_> = ["Affected", "Widget"].iter().map(|name| bundle.modules[*name].as_str()).collect();
    assert_eq!(modules, ["shared", "widgets"]);
    let paths: Vec<_> = bundle.operations().map(|operation| operation.full_path()).collect();
    assert_eq!(
        paths,
        [
            "/web/api/v2.0/widgets",
            "/web/api/v{version}/widgets",
            "/web/api/v{version}/widgets/act",
            "/web/api/v{version}/widgets/{widget_id}",
            "/web/api/v{version}/widgets/{widget_id}/file",
        ]
    );
}

#[test]
fn emit_file_name_with_dash_becomes_snake_case_module() {
    let mut spec = Spec::small();
    let more = r#"
components:
  schemas:
    Box: { type: object, description: A box., properties: { wide: { type: boolean, description: Wide. } } }
"#;
    spec.file("big-boxes.yaml", more);
    spec.property("box", "{ $ref: 'big-boxes.yaml#/components/schemas/Box', description: Its box. }");
    let files = spec.emit().unwrap();
    assert!(files["src/big_boxes.rs"].contains("from spec/big-boxes.yaml; do not edit"));
    assert!(files["src/big_boxes.rs"].contains("pub struct Box {"));
    assert!(files["src/widgets.rs"].contains("use crate::big_boxes::Box;"));
    assert!(files["src/lib.rs"].contains("pub mod big_boxes;"));
}

#[test]
fn join_invalid_files_are_an_error() {
    let mut spec = Spec::small();
    spec.property("id", "{ $ref: '#/components/schemas/Unknown', description: x }");
    assert_eq!(join_error(&spec), "spec/widgets.yaml: #/components/schemas/Unknown does not exist");

    let mut spec = Spec::small();
    spec.property("id", "{ $ref: 'other.yaml#/components/schemas/Widget', description: x }");
    assert_eq!(join_error(&spec), "spec/widgets.yaml: other.yaml#/components/schemas/Widget does not exist");

    let mut spec = Spec::small();
    spec.set("openapi.yaml", "/paths/~1missing", json!({ "$ref": "widgets.yaml#/paths/~1missing" }));
    assert_eq!(join_error(&spec), "spec/openapi.yaml: widgets.yaml#/paths/~1missing does not exist");

    let mut spec = Spec::small();
    spec.set("openapi.yaml", "/paths/~1here", json!({ "get": {} }));
    assert_eq!(join_error(&spec), "spec/openapi.yaml: /here is not a $ref to a resource file");

    let mut spec = Spec::small();
    spec.set("openapi.yaml", "/components/schemas/Widget", json!({ "type": "object" }));
    assert_eq!(join_error(&spec), "spec/widgets.yaml: duplicate schema Widget, also in module shared");

    let mut spec = Spec::small();
    spec.widget(&at("get", "/widgets", "/x-s1/query"), json!("Unknown"));
    assert_eq!(join_error(&spec), "spec/widgets.yaml: x-s1.query Unknown is not a schema");

    let mut spec = Spec::small();
    spec.0.remove("openapi.yaml");
    assert_eq!(join_error(&spec), "spec/openapi.yaml: is missing");

    let mut texts = Spec::small().texts();
    texts.insert("bad.yaml".into(), "a: [1".into());
    let error = Bundle::join(&texts).unwrap_err().to_string();
    assert!(error.starts_with("spec/bad.yaml: "), "{error}");
}

#[test]
fn generate_missing_directory_is_an_error() {
    let error = sentinelone_codegen::generate(std::path::Path::new("/nonexistent/spec")).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/spec: "), "{error}");
}

#[test]
fn join_copies_filter_properties_to_query_params() {
    let bundle = Spec::small().join().unwrap();
    let list = bundle.operations().find(|operation| operation.id() == "widgets_list").unwrap();
    let names: Vec<_> = list.parameters_in("query").map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cursor", "limit", "createdAt__gt", "ids", "intact", "kinds", "query"]);
    let ids = list.parameters().find(|one| one["name"] == "ids").unwrap();
    let expected = json!({
        "name": "ids",
        "in": "query",
        "required": false,
        "description": "Identifiers.",
        "style": "form",
        "explode": false,
        "schema": { "type": "array", "items": { "type": "string", "minLength": 1 }, "maxItems": 100 },
        "x-s1": { "field": "id" },
    });
    assert_eq!(*ids, expected);
}

#[test]
fn declared_query_param_overrides_filter_field() {
    let bundle = Spec::small().join().unwrap();
    let list = bundle.operations().find(|operation| operation.id() == "widgets_list").unwrap();
    let limits: Vec<_> = list.parameters().filter(|one| one["name"] == "limit").collect();
    assert_eq!(limits.len(), 1);
    assert_eq!(limits[0]["schema"]["maximum"], 50);
    let own = r#"range: (Some(1), Some(50)), ..Field::new("limit", "limit", FieldKind::Integer, "Size of a page.")"#;
    let filters =
        r#"range: (Some(1), Some(1000)), ..Field::new("limit", "limit", FieldKind::Integer, "Page size.")"#;
    let text = Spec::small().module();
    assert!(text.contains(own) && text.contains(filters), "{text}");
}

#[test]
fn declared_query_param_overrides_bounds_of_filter_field() {
    let mut spec = Spec::small();
    spec.widget(&schema("WidgetFilter", "/properties/limit/description"), json!("Size of a page."));
    let text = spec.module();
    assert!(text.contains("range: (Some(1), Some(50))"), "{text}");
}

// ---- emitted code

#[test]
fn emit_module_matches_snapshot() {
    insta::assert_snapshot!("emit_module_matches_snapshot", Spec::small().emit().unwrap()["src/widgets.rs"]);
}

#[test]
fn emit_files_have_headers_and_operations() {
    let files = Spec::small().emit().unwrap();
    let names: Vec<_> = files.keys().map(String::as_str).filter(|name| !name.contains("runtime")).collect();
    let written = ["openapi.json", "src/lib.rs", "src/positions.rs", "src/shared.rs", "src/widgets.rs"];
    assert_eq!(names, [&["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT"][..], &written].concat());
    for (name, text) in files.iter().filter(|(name, _)| !name.starts_with("LICENSE-")) {
        let generated = name == "openapi.json" || text.contains("@generated by `cargo xtask generate` from ");
        assert!(generated, "{name} has no header");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}");
    }
    let document: Value = serde_json::from_str(&files["openapi.json"]).unwrap();
    assert_eq!(document["paths"], Spec::small().join().unwrap().document["paths"]);
    let lib = &files["src/lib.rs"];
    let operations = lib.split_once("OPERATIONS").unwrap().1;
    let names = ["ACT", "DELETE", "DOWNLOAD", "LIST", "LIST_OLD"];
    let list: String = names.iter().map(|name| format!(" &widgets::{name},")).collect();
    assert!(collapsed(operations).contains(&format!("[{list} ];")), "{operations}");
    assert!(!files["src/shared.rs"].contains("Pagination"), "the support code has its own pagination type");
}

#[test]
fn emit_positions_locate_operations_and_schemas() {
    let files = Spec::small().emit().unwrap();
    let (text, positions) = (&files["openapi.json"], &files["src/positions.rs"]);
    let document: Value = serde_json::from_str(text).unwrap();
    let at = |start: &str, end: &str| -> Value {
        serde_json::from_str(&text[start.parse().unwrap()..end.parse().unwrap()]).unwrap()
    };
    let mut count = 0;
    for line in positions.lines().filter_map(|line| line.strip_prefix("    (")) {
        let (tuple, _) = line.split_once(')').unwrap();
        let [name, start, end] = tuple.split(", ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (name, node) = (name.trim_matches('"'), at(start, end));
        let is_operation = node["operationId"] == name;
        assert!(is_operation || node == document["components"]["schemas"][name], "{line}");
        count += 1;
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(count, schemas.len() + 5);
}

#[test]
fn emit_reencode_functions_cover_json_operations() {
    let lib = collapsed(&Spec::small().emit().unwrap()["src/lib.rs"]);
    let (responses, bodies) = lib.split_once("pub fn reencode_request_body(").unwrap();
    for part in [
        r#""widgets_act" => runtime::reencode_response::<runtime::Data<shared::Affected>>, "widgets_list" => "#,
        r#""widgets_list" => runtime::reencode_response::<runtime::Page<widgets::Widget>>, "widgets_list_old" =>"#,
    ] {
        assert!(responses.contains(part), "{part} is not in {responses}");
    }
    assert!(
        !responses.contains("\"widgets_download\"") && !responses.contains("\"widgets_delete\""),
        "{responses}"
    );
    let only = r#"match operation { "widgets_act" => runtime::reencode_request_body::<widgets::WidgetAct>, _ => return None, }"#;
    assert!(bodies.contains(only), "{bodies}");
}

#[test]
fn emit_functions_have_response_types() {
    let text = Spec::small().module();
    for part in [
        "pub fn list(query: &WidgetsListQuery) -> Result<Request<Page<Widget>>, RequestError>",
        "pub fn act(body: &WidgetAct) -> Result<Request<Data<Affected>>, RequestError>",
        "pub fn download(widget_id: &str) -> Result<Request<Binary>, RequestError>",
        "pub fn delete(widget_id: &str) -> Result<Request<Empty>, RequestError>",
        "response_format: ResponseFormat::Binary",
        "response_format: ResponseFormat::Empty",
        "pub fn list_old() -> Result<Request<Page<Widget>>, RequestError> { Ok(Request::new(&LIST_OLD)) }",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let mut spec = Spec::small();
    spec.widget(
        &at("delete", "/widgets/{widget_id}", "/responses"),
        json!({ "200": { "description": "x", "content": {} } }),
    );
    assert!(spec.module().contains("pub fn delete(widget_id: &str) -> Result<Request<Empty>, RequestError>"));
}

#[test]
fn emit_functions_have_response_types_of_every_form() {
    let widget = json!({ "$ref": "#/components/schemas/Widget" });
    let data = |data: Value| json!({ "type": "object", "properties": { "data": data } });
    let json_media = "application/json";
    for (media, schema, expected, format) in [
        (json_media, widget.clone(), "JsonBody<Widget>", "Json"),
        (json_media, json!({ "type": "array", "items": widget }), "JsonBody<Vec<Widget>>", "Json"),
        (
            json_media,
            json!({ "type": "object", "additionalProperties": true }),
            "JsonBody<Map<String, Value>>",
            "Json",
        ),
        (json_media, json!({}), "JsonBody<Value>", "Json"),
        (
            json_media,
            data(json!({ "type": "array", "items": { "type": "object" } })),
            "Page<Map<String, Value>>",
            "Json",
        ),
        (json_media, data(json!({ "type": "array", "items": { "type": "string" } })), "Page<String>", "Json"),
        (json_media, data(json!({ "type": "boolean" })), "Data<bool>", "Json"),
        (json_media, data(json!({})), "Data<Value>", "Json"),
        ("text/csv", json!({ "type": "string" }), "Binary", "Binary"),
        ("*/*", json!({}), "Undocumented", "Undocumented"),
    ] {
        let mut spec = Spec::small();
        let content = json!({ media: { "schema": schema } });
        let responses = json!({ "200": { "description": "x", "content": content } });
        spec.widget(&at("delete", "/widgets/{widget_id}", "/responses"), responses);
        let text = spec.module();
        let function = format!("-> Result<Request<{expected}>, RequestError> {{ Request::new(&DELETE)");
        assert!(text.contains(&function), "{function}");
        assert!(text.contains(&format!("response_format: ResponseFormat::{format},")), "{schema}");
        let lib = spec.emit().unwrap()["src/lib.rs"].clone();
        let decoded = expected
            .replace("Widget", "widgets::Widget")
            .replace("Map<String, Value>", "serde_json::Map<String , serde_json::Value>")
            .replace("<Value>", "<serde_json::Value>");
        let arm = format!("\"widgets_delete\" => runtime::reencode_response::<runtime::{decoded}>,");
        assert_eq!(lib.contains(&arm), format == "Json", "{arm}");
    }
}

#[test]
fn emit_enum_values_become_valid_identifiers() {
    let mut spec = Spec::small();
    let values = ["n/a", "64 bit", "kubernetes node", "Self", "a\"b\\", "2", "true"];
    spec.widget(&schema("WidgetKind", "/enum"), json!(values));
    let text = spec.module();
    for part in [
        "/// Wire value `n/a`.",
        " = \"n/a\",",
        " X64Bit = \"64 bit\",",
        " KubernetesNode = \"kubernetes node\",",
        " Self_ = \"Self\",",
        " = \"a\\\"b\\\\\",",
        " X2 = \"2\",",
        " True = \"true\",",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn emit_properties_have_rust_types() {
    let mut spec = Spec::small();
    spec.property("part", "{ $ref: '#/components/schemas/WidgetPart', nullable: true, description: x }");
    spec.property("plain", "{ $ref: '#/components/schemas/WidgetPart', description: x }");
    spec.property(
        "byName",
        "{ type: object, additionalProperties: { $ref: '#/components/schemas/WidgetPart' }, description: x }",
    );
    spec.property("dates", "{ type: array, items: { type: string, format: date-time }, description: x }");
    spec.property("share", "{ type: number, format: float, default: 1, description: x }");
    spec.property("untyped", "{ description: x }");
    spec.property("match", "{ type: string, pattern: a, description: x }");
    spec.property("title", "{ type: string, description: x }");
    spec.property("default", "{ type: string, description: x }");
    spec.property("query", "{ type: string, description: x }");
    spec.property("parent", "{ $ref: '#/components/schemas/Widget', description: x }");
    let text = spec.module();
    for part in [
        "pub created_at: Option<Timestamp>,",
        "pub counts: Option<BTreeMap<String, i64>>,",
        "pub extra: Option<Map<String, Value>>,",
        "pub kind: Option<WidgetKind>,",
        "pub type_: Option<String>,",
        "pub id: Option<String>,",
        "pub part: Option<WidgetPart>,",
        "pub plain: Option<WidgetPart>,",
        "pub by_name: Option<BTreeMap<String, WidgetPart>>,",
        "pub dates: Option<Vec<Timestamp>>,",
        "pub share: Option<f64>,",
        "pub untyped: Option<Value>,",
        "pub match_: Option<String>,",
        "pub title: Option<String>,",
        "pub default: Option<String>,",
        "pub query: Option<String>,",
        "pub parent: Option<::std::boxed::Box<Widget>>,",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn emit_response_maps_accept_null() {
    let text = Spec::small().module();
    let part = r#""counts" => self.counts = crate::runtime::object_reader::map(map)?,"#;
    assert!(text.contains(part), "{text}");
}

#[test]
fn emit_request_constructors_take_required_fields() {
    let text = Spec::small().module();
    for part in [
        "pub fn new(kind: impl Into<WidgetKind>) -> Self { Self { kind: kind.into(), note: Default::default(), } }",
        "pub fn new(data: impl Into<WidgetActData>, filter: impl Into<WidgetFilter>) -> Self",
        "#[serde(flatten)] pub filter: WidgetFilter,",
        r#"#[serde(rename = "createdAt__gt", skip_serializing_if = "Option::is_none")] pub created_at_gt: Option<Timestamp>,"#,
        "pub fn query(mut self, query: impl Into<String>) -> Self",
        "pub fn ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self",
        r#"BodyPart::new("data", false, <WidgetActData as Fields>::FIELDS), BodyPart::new("filter", true, <WidgetFilter as Fields>::FIELDS),"#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn emit_default_in_documentation_is_a_code_span() {
    for (schema, documented) in [
        (
            json!({ "type": "array", "items": { "type": "string" }, "default": ["CREATE"] }),
            r#"x. Default `["CREATE"]`."#,
        ),
        (json!({ "type": "string", "default": "*" }), "x. Default `*`."),
        (json!({ "type": "string", "default": "" }), "x. Default `\"\"`."),
        (json!({ "type": "boolean", "default": false }), "x. Default false."),
    ] {
        let mut spec = Spec::small();
        let mut schema = schema;
        schema["description"] = json!("x.");
        spec.widget("/components/schemas/WidgetActData/properties/labels", schema);
        let text = spec.module();
        assert!(text.contains(documented), "{documented} is not in {text}");
    }
}

#[test]
fn emit_filter_sets_fields_by_name() {
    let text = Spec::small().module();
    let body = r#"impl Filter for WidgetFilter { #[inline] fn set(&mut self, name: &str, value: FieldValue) -> Result<(), FieldValue> { match name { "createdAt__gt" => self.created_at_gt = value.string()?, "ids" => self.ids = value.list()?, "intact" => self.intact = value.boolean()?, "kinds" => self.kinds = value.list()?, "limit" => self.limit = value.integer()?, "query" => self.query = value.string()?, _ => return Err(value), } Ok(()) } }"#;
    assert!(text.contains(body), "{text}");
    assert_eq!(text.matches("impl Filter for").count(), 1, "only for the filter schema");
}

#[test]
fn emit_filter_omits_unsupported_field_types() {
    let mut spec = Spec::small();
    let kinds = [
        ("numbers", json!({ "type": "array", "items": { "type": "integer" }, "description": "x" })),
        ("booleans", json!({ "type": "array", "items": { "type": "boolean" }, "description": "x" })),
        ("share", json!({ "type": "number", "description": "x" })),
        ("free", json!({ "type": "object", "description": "x" })),
        ("part", json!({ "$ref": "#/components/schemas/WidgetPart", "description": "x" })),
        ("odd", json!({ "$ref": "#/components/schemas/WidgetKind", "description": "x" })),
    ];
    for (name, node) in kinds {
        spec.widget(&schema("WidgetFilter", &format!("/properties/{name}")), node);
    }
    let text = spec.module();
    let table = text.split_once("fn set(").unwrap().1.split_once("_ => return Err(value)").unwrap().0;
    assert!(table.contains(r#""odd" => self.odd = value.string()?"#), "{table}");
    assert!(table.contains(r#""booleans" => self.booleans = value.booleans()?"#), "{table}");
    assert!(table.contains(r#""numbers" => self.numbers = value.integers()?"#), "{table}");
    for name in ["share", "free", "part"] {
        assert!(!table.contains(&format!("self.{name} ")), "{name}: {table}");
    }
}

#[test]
fn emit_enum_property_is_not_a_body_part() {
    let mut spec = Spec::small();
    spec.widget(
        &schema("WidgetAct", "/properties/mode"),
        json!({ "$ref": "#/components/schemas/WidgetKind", "description": "How." }),
    );
    let text = spec.module();
    assert!(text.contains("pub mode: Option<WidgetKind>"), "{text}");
    assert!(!text.contains("<WidgetKind as Fields>"), "an enum has no fields: {text}");
}

#[test]
fn emit_integer_path_param_is_i64() {
    let mut spec = Spec::small();
    spec.set("openapi.yaml", "/components/parameters/WidgetId/schema", json!({ "type": "integer" }));
    let text = spec.module();
    let part = r#"pub fn delete(widget_id: i64) -> Result<Request<Empty>, RequestError> { Request::new(&DELETE).path_param("widget_id", widget_id.to_string()) }"#;
    assert!(text.contains(part), "{text}");
}

#[test]
fn emit_type_names_in_descriptions_are_not_imported() {
    let mut spec = Spec::small();
    spec.remove("widgets.yaml", &schema("Widget", "/properties/extra"));
    spec.widget(
        &schema("WidgetFilter", "/properties/intact/description"),
        json!("Map, Value, UndecodedItem."),
    );
    assert!(!spec.module().contains("serde_json"), "unused import");
}

#[test]
fn emit_field_tables_use_struct_field_names() {
    let mut spec = Spec::small();
    for wire in ["2fa", "gen", "match", "$count", "_foo", "URL", "self"] {
        let node = json!({ "type": "string", "description": "x" });
        spec.widget(&schema("WidgetActData", &format!("/properties/{wire}")), node);
    }
    let text = spec.module();
    let table = text.split_once("impl Fields for WidgetActData").unwrap().1;
    for (wire, rust) in [
        ("2fa", "x2fa"),
        ("gen", "gen_"),
        ("match", "match_"),
        ("$count", "count"),
        ("_foo", "foo"),
        ("URL", "url"),
    ] {
        assert!(text.contains(&format!("pub {rust}: Option<String>")), "{rust} is not a field in {text}");
        assert!(table.contains(&format!("Field::new(\"{wire}\", \"{rust}\",")), "{rust} is not in {table}");
    }
}

#[test]
fn generator_unsupported_input_is_an_error() {
    let error = |spec: &Spec| spec.emit().unwrap_err().to_string();
    let mut spec = Spec::small();
    spec.widget(&schema("Blank", ""), json!({ "type": "object", "description": "x" }));
    spec.property("blank", "{ $ref: '#/components/schemas/Blank', description: x }");
    let expected = "unsupported progenitor output: Blank is a struct without named fields";
    assert_eq!(error(&spec), format!("generator: {expected}"));

    let mut spec = Spec::small();
    spec.widget(&at("get", "/widgets", "/parameters/1/name"), json!("filter"));
    assert_eq!(error(&spec), "generator: widgets_list: the parameter name filter is reserved");

    let mut spec = Spec::small();
    spec.widget(
        &schema("WidgetsListQuery", ""),
        spec.0["widgets.yaml"]["components"]["schemas"]["WidgetPart"].clone(),
    );
    spec.property("odd", "{ $ref: '#/components/schemas/WidgetsListQuery', description: x }");
    assert_eq!(
        error(&spec),
        "generator: schema name WidgetsListQuery is reserved for the query of widgets_list"
    );

    let mut spec = Spec::small();
    spec.widget(&at("get", "/widgets", "/operationId"), json!("widgets_move"));
    assert!(error(&spec).starts_with("generator: widgets: "), "a Rust keyword as function name");
}

// ---- deterministic output

/// Formats a node as JSON, with the keys of each object in reverse order.
/// Returns the emitted document.
fn published(spec: &Spec) -> Value {
    serde_json::from_str(&spec.emit().unwrap()["openapi.json"]).unwrap()
}

#[test]
fn document_states_null_of_a_reference() {
    let document = published(&Spec::small());
    let kind = &document["components"]["schemas"]["Widget"]["properties"]["kind"];
    let only_null = json!({ "type": "string", "nullable": true, "enum": [null] });
    let expected = json!({ "anyOf": [{ "$ref": "#/components/schemas/WidgetKind" }, only_null], "description": "Its kind." });
    assert_eq!(*kind, expected);
    // The comparison of documents reads it as in the specification.
    let read = document::parse("openapi.json", &document.to_string()).unwrap();
    let kind = &read["components"]["schemas"]["Widget"]["properties"]["kind"];
    assert_eq!(kind["nullable"], true);
    assert_eq!(kind["allOf"], json!([{ "$ref": "#/components/schemas/WidgetKind" }]));
}

#[test]
fn document_omits_null_of_any_value() {
    let mut spec = Spec::small();
    spec.property("anything", "{ nullable: true, description: Any value. }");
    let document = published(&spec);
    let anything = &document["components"]["schemas"]["Widget"]["properties"]["anything"];
    assert_eq!(*anything, json!({ "description": "Any value." }));
}

#[test]
fn document_closes_objects_of_requests_only() {
    let mut spec = Spec::small();
    spec.widget(
        &schema("WidgetActData", "/properties/part"),
        json!({ "$ref": "#/components/schemas/WidgetPart", "description": "A part." }),
    );
    let document = published(&spec);
    let schemas = &document["components"]["schemas"];
    for closed in ["WidgetAct", "WidgetActData", "WidgetFilter", "WidgetPartInput"] {
        assert_eq!(schemas[closed]["additionalProperties"], false, "{closed}");
    }
    for open in ["Widget", "WidgetPart", "Affected", "Pagination"] {
        assert_eq!(schemas[open].get("additionalProperties"), None, "{open}");
    }
    let part = &schemas["WidgetActData"]["properties"]["part"]["allOf"];
    assert_eq!(*part, json!([{ "$ref": "#/components/schemas/WidgetPartInput" }]));
    let parts = &schemas["Widget"]["properties"]["parts"]["items"];
    assert_eq!(*parts, json!({ "$ref": "#/components/schemas/WidgetPart" }));
    assert!(!spec.emit().unwrap()["src/widgets.rs"].contains("WidgetPartInput"), "the types are the same");

    spec.widget(
        "/components/schemas/WidgetPartInput",
        json!({ "type": "object", "description": "Taken.", "properties": { "a": { "type": "string", "description": "A." } } }),
    );
    spec.property("other", "{ $ref: '#/components/schemas/WidgetPartInput', description: Other. }");
    let error = spec.emit().unwrap_err().to_string();
    assert!(error.contains("schema name WidgetPartInput is reserved"), "{error}");
}

#[test]
fn send_narrows_the_client_and_not_the_document() {
    let mut spec = Spec::small();
    spec.widget(
        &schema("WidgetActData", "/properties/old"),
        json!({ "type": "object", "description": "Not sent.", "x-s1": { "send": false } }),
    );
    spec.widget(
        "/components/schemas/AnyKind",
        json!({ "type": "string", "description": "Any case.", "enum": ["plain", "PLAIN", "64 bit"] }),
    );
    let send = json!({ "send": { "$ref": "#/components/schemas/WidgetKind" } });
    spec.widget(
        &schema("WidgetActData", "/properties/kind"),
        json!({ "$ref": "#/components/schemas/AnyKind", "description": "New kind.", "x-s1": send }),
    );
    let document = published(&spec);
    let data = &document["components"]["schemas"]["WidgetActData"]["properties"];
    assert_eq!(data["old"]["type"], "object");
    assert_eq!(data["kind"]["allOf"], json!([{ "$ref": "#/components/schemas/AnyKind" }]));
    assert!(
        document["components"]["schemas"]["AnyKind"]["enum"].as_array().unwrap().contains(&json!("PLAIN"))
    );

    let module = spec.module();
    let (_, data) = module.split_once("pub struct WidgetActData {").unwrap();
    let (data, _) = data.split_once('}').unwrap();
    assert!(data.contains("pub kind: WidgetKind,") && !data.contains("old"), "{data}");
    assert!(!module.contains("AnyKind"), "{module}");
}

#[test]
fn send_of_a_required_property_is_a_lint_finding() {
    for (send, expected) in [
        (json!(false), "WidgetActData.kind: `send: false`, but the property is required"),
        (
            json!(true),
            "WidgetActData.kind: `send: true` is the default: expected false, a $ref or an integer schema",
        ),
    ] {
        let mut spec = Spec::small();
        spec.widget(
            &schema("WidgetActData", "/properties/kind"),
            json!({ "$ref": "#/components/schemas/WidgetKind", "description": "K.", "x-s1": { "send": send } }),
        );
        assert_eq!(spec.findings(), [expected]);
    }
}

#[test]
fn extends_copies_the_properties_that_a_schema_does_not_declare() {
    let mut spec = Spec::small();
    spec.widget(
        "/components/schemas/WideFilter",
        json!({ "type": "object", "description": "Wide.", "x-s1": { "filter": true, "extends": "WidgetFilter" },
            "properties": { "ids": { "type": "array", "items": { "type": "string" }, "description": "Ids.", "x-s1": { "field": "id" } } } }),
    );
    let send = json!({ "send": { "$ref": "#/components/schemas/WidgetFilter" } });
    spec.widget(
        &schema("WidgetAct", "/properties/filter"),
        json!({ "$ref": "#/components/schemas/WideFilter", "description": "Filter.", "x-s1": send }),
    );
    let document = published(&spec);
    let schemas = &document["components"]["schemas"];
    let (base, wide) = (&schemas["WidgetFilter"]["properties"], &schemas["WideFilter"]["properties"]);
    assert_eq!(wide["ids"].get("maxItems"), None);
    for name in base.as_object().unwrap().keys().filter(|name| *name != "ids") {
        assert_eq!(wide[name], base[name], "{name}");
    }
    assert!(spec.module().contains("pub filter: WidgetFilter,"));

    spec.widget(&schema("WideFilter", "/x-s1/extends"), json!("Nothing"));
    let error = spec.join().unwrap_err().to_string();
    assert!(error.contains("x-s1.extends Nothing is not a schema"), "{error}");
}

fn reversed(node: &Value) -> String {
    match node {
        Value::Object(map) => {
            let members = map.iter().rev().map(|(key, value)| format!("{}: {}", json!(key), reversed(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(reversed).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}

fn emit(texts: &BTreeMap<String, String>) -> Files {
    generate_from(&Bundle::join(texts).unwrap(), &Commands::default()).unwrap()
}

#[test]
fn emit_is_deterministic() {
    let spec = Spec::small();
    assert_eq!(spec.emit().unwrap(), spec.emit().unwrap());
}

#[test]
fn emit_is_independent_of_key_order() {
    let spec = Spec::small();
    let expected = spec.emit().unwrap();
    let mut texts = BTreeMap::new();
    for (name, node) in spec.0.iter().rev() {
        texts.insert(name.clone(), reversed(node));
    }
    assert_ne!(texts, spec.texts());
    let files = emit(&texts);
    assert_eq!(files.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, text) in &files {
        assert_eq!(*text, expected[name], "{name}");
    }
    // Hand-written YAML.
    let mut yaml = BTreeMap::from([("openapi.yaml".to_owned(), ROOT.to_owned())]);
    yaml.insert("widgets.yaml".to_owned(), WIDGETS.to_owned());
    assert_eq!(emit(&yaml), expected);
}

#[test]
fn emit_nested_list_is_a_page() {
    let mut spec = Spec::small();
    spec.widget(
        "/paths/~1widgets/get/responses/200/content/application~1json/schema/properties/data",
        json!({ "$ref": "#/components/schemas/WidgetPage" }),
    );
    spec.widget("/paths/~1widgets/get/x-s1/items", json!("widgets"));
    spec.widget(
        "/components/schemas/WidgetPage",
        json!({ "type": "object", "description": "x", "properties": {
            "widgets": { "type": "array", "items": { "$ref": "#/components/schemas/Widget" }, "description": "x" },
        } }),
    );
    let text = spec.module();
    assert!(text.contains("Result<Request<Page<Widget>>, RequestError>"), "{text}");
    assert!(text.contains(r#"items: "data.widgets""#), "{text}");
    spec.widget("/paths/~1widgets/get/x-s1/items", json!("others"));
    assert!(spec.findings().iter().any(|finding| finding.contains("data.others")), "{:?}", spec.findings());
}

#[test]
fn emit_secret_property_has_secret_type() {
    let mut spec = Spec::small();
    spec.widget(
        &schema("WidgetActData", "/properties/password"),
        json!({ "type": "string", "description": "x", "x-s1": { "secret": true } }),
    );
    let text = spec.module();
    assert!(text.contains("pub password: Option<Secret>"), "{text}");
    assert!(text.contains("password: impl Into<Secret>"), "{text}");
    let list = json!({
        "type": "array", "items": { "type": "string" }, "description": "x", "x-s1": { "secret": true }
    });
    spec.widget(&schema("WidgetActData", "/properties/password"), list);
    assert!(spec.emit().unwrap_err().to_string().contains("cannot be a Secret"));
}

#[test]
fn extended_filter_has_its_base_as_member() {
    let mut spec = Spec::small();
    let facts = json!({ "selective": false, "send": { "type": "integer", "minimum": 1, "maximum": 9 } });
    spec.widget(
        "/components/schemas/WideFilter",
        json!({ "type": "object", "description": "Wide.", "x-s1": { "filter": true, "extends": "WidgetFilter" },
            "properties": { "most": { "type": "integer", "format": "int32", "description": "Most.", "x-s1": facts } } }),
    );
    spec.widget(
        &schema("WidgetAct", "/properties/filter"),
        json!({ "$ref": "#/components/schemas/WideFilter", "description": "Filter." }),
    );
    let most = &published(&spec)["components"]["schemas"]["WideFilter"]["properties"]["most"];
    assert_eq!(most.get("minimum"), None, "the document has what the API accepts");

    let module = spec.module();
    let (_, wide) = module.split_once("pub struct WideFilter {").unwrap();
    let (members, rest) = wide.split_once('}').unwrap();
    assert_eq!(members.matches("pub ").count(), 2, "{members}");
    assert!(members.contains("#[serde(flatten)] pub filter: WidgetFilter,"), "{members}");
    assert!(members.contains("1 to 9") && members.contains("pub most: Option<i64>,"), "{members}");
    assert!(rest.contains("impl From<WidgetFilter> for WideFilter"), "{rest}");
    assert!(rest.contains("range: (Some(1), Some(9))"), "{rest}");
    assert!(rest.contains("_ => return self.filter.set(name, value),"), "{rest}");
}
