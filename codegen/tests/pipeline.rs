//! Small specifications through all steps, from the files to the emitted text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says where"
)]

use std::collections::BTreeMap;

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::files::Files;
use sentinelone_codegen::{Result, dialect, emit, generator, lint};
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
  - { name: things, description: What there is. }
paths:
  /things: { $ref: 'things.yaml#/paths/~1things' }
  /things/act: { $ref: 'things.yaml#/paths/~1things~1act' }
  /things/{thing_id}: { $ref: 'things.yaml#/paths/~1things~1{thing_id}' }
  /things/{thing_id}/file: { $ref: 'things.yaml#/paths/~1things~1{thing_id}~1file' }
  /v2.0/things: { $ref: 'things.yaml#/paths/~1v2.0~1things' }
components:
  securitySchemes:
    ApiToken: { type: apiKey, in: header, name: Authorization }
  parameters:
    Cursor:
      name: cursor
      in: query
      schema: { type: string }
      description: Position from the previous answer.
      x-s1: { selects: false }
    ThingId:
      name: thing_id
      in: path
      required: true
      schema: { type: string }
      description: Which thing.
  responses:
    Refused: { description: The console refused the request. }
  schemas:
    Affected:
      type: object
      description: How far an action reached.
      properties:
        affected: { type: integer, format: int32, description: How many things it was applied to. }
    Pagination:
      type: object
      description: Where a page stands.
      properties:
        totalItems: { type: integer, format: int32, description: How many there are. }
        nextCursor: { type: string, nullable: true, description: Where the next page begins. }
"#;

const THINGS: &str = r#"
paths:
  /things:
    get:
      operationId: things_list
      tags: [things]
      summary: List things
      description: Answers with the things that match.
      parameters:
        - $ref: 'openapi.yaml#/components/parameters/Cursor'
        - name: limit
          in: query
          schema: { type: integer, minimum: 1, maximum: 50 }
          description: Size of a page.
          x-s1: { selects: false }
      responses:
        "200":
          description: A page.
          content:
            application/json:
              schema:
                type: object
                properties:
                  data: { type: array, items: { $ref: '#/components/schemas/Thing' } }
                  pagination: { $ref: 'openapi.yaml#/components/schemas/Pagination' }
        "400": { $ref: 'openapi.yaml#/components/responses/Refused' }
      x-s1:
        versions: ["2.1"]
        permission: Things.view
        kind: read
        idempotent: true
        destructive: false
        filter: optional
        rate: { class: things, perSecond: 2.5, burst: 10, source: somebody }
        paging: cursor
        query: ThingFilter
        evidence: [{ source: vendor-document, date: 2024-03, ref: things_get, note: As written. }]
  /things/act:
    post:
      operationId: things_act
      tags: [things]
      summary: Act on things
      description: |-
        Does something to all things
        that are selected.

        It cannot be taken back.
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: '#/components/schemas/ThingAct' } }
      responses:
        "200":
          description: How far it reached.
          content:
            application/json:
              schema:
                type: object
                properties:
                  data: { $ref: 'openapi.yaml#/components/schemas/Affected' }
      x-s1:
        versions: ["2.0", "2.1"]
        permission: null
        kind: action
        idempotent: false
        destructive: true
        filter: mandatory
        rate: null
        paging: none
        evidence: [{ source: inference }]
  /things/{thing_id}:
    delete:
      operationId: things_delete
      tags: [things]
      summary: Delete a thing
      description: Removes it for good.
      parameters:
        - $ref: 'openapi.yaml#/components/parameters/ThingId'
      responses:
        "204": { description: It is gone. }
      x-s1:
        versions: ["2.1"]
        permission: null
        kind: action
        idempotent: true
        destructive: true
        filter: none
        rate: null
        paging: none
        evidence: [{ source: client, ref: somebody }]
  /things/{thing_id}/file:
    get:
      operationId: things_download
      tags: [things]
      summary: Download a thing
      description: The thing itself.
      parameters:
        - $ref: 'openapi.yaml#/components/parameters/ThingId'
      responses:
        "200":
          description: Bytes.
          content:
            application/octet-stream: { schema: { type: string, format: binary } }
      x-s1:
        versions: ["2.1"]
        permission: null
        kind: read
        idempotent: true
        destructive: false
        filter: none
        rate: null
        paging: none
        evidence: [{ source: corpus }]
  /v2.0/things:
    servers: [{ url: 'https://{console}/web/api' }]
    get:
      operationId: things_list_old
      tags: [things]
      summary: List things of old
      description: As it was.
      responses:
        "200":
          description: A page.
          content:
            application/json:
              schema:
                type: object
                properties:
                  data: { type: array, items: { $ref: '#/components/schemas/Thing' } }
      x-s1:
        versions: ["2.0"]
        permission: null
        kind: read
        idempotent: true
        destructive: false
        filter: none
        rate: null
        paging: none
        evidence: [{ source: vendor-document }]
components:
  schemas:
    Thing:
      type: object
      description: A thing.
      required: [id]
      properties:
        id: { type: string, description: Identifier. }
        createdAt: { type: string, format: date-time, description: When it came. }
        kind: { $ref: '#/components/schemas/ThingKind', nullable: true, description: What it is. }
        type: { type: string, description: A name that Rust keeps for itself. }
        sizeInBytes: { type: integer, format: int64, minimum: 0, description: Size. }
        counts: { type: object, additionalProperties: { type: integer }, description: Counts by name. }
        extra: { type: object, additionalProperties: true, description: Anything else. }
        parts: { type: array, items: { $ref: '#/components/schemas/ThingPart' }, description: Parts. }
        names: { type: array, items: { type: string }, description: Names. }
    ThingPart:
      type: object
      description: A part of a thing.
      properties:
        whole: { type: boolean, description: Whether it is whole. }
    ThingKind:
      type: string
      description: What a thing is.
      enum: [kubernetes node, 64 bit, n/a, plain]
    ThingFilter:
      type: object
      description: Selects things.
      x-s1: { filter: true }
      properties:
        ids: { type: array, items: { type: string, minLength: 1 }, maxItems: 100, description: Identifiers., x-s1: { field: id } }
        kinds: { type: array, items: { $ref: '#/components/schemas/ThingKind' }, description: Kinds. }
        createdAt__gt: { type: string, format: date-time, description: Came after. }
        query: { type: string, description: Any text., x-s1: { op: text, field: [id, type] } }
        whole: { type: boolean, description: Whole ones., x-s1: { op: exists } }
        limit: { type: integer, minimum: 1, maximum: 1000, description: How many., x-s1: { selects: false } }
    ThingAct:
      type: object
      description: What to do, and to what.
      required: [data, filter]
      properties:
        data: { $ref: '#/components/schemas/ThingActData', description: What. }
        filter: { $ref: '#/components/schemas/ThingFilter', description: To what. }
    ThingActData:
      type: object
      description: What to do.
      required: [kind]
      properties:
        kind: { $ref: '#/components/schemas/ThingKind', description: What to make of them. }
        note: { type: string, maxLength: 20, description: Why. }
"#;

/// A specification in the making: file name to content.
#[derive(Clone)]
struct Spec(BTreeMap<String, Value>);

impl Spec {
    /// One root and one resource, which break no rule.
    fn small() -> Self {
        let mut spec = Self(BTreeMap::new());
        spec.file("openapi.yaml", ROOT);
        spec.file("things.yaml", THINGS);
        spec
    }

    /// Adds a file.
    fn file(&mut self, name: &str, yaml: &str) {
        self.0.insert(name.to_owned(), serde_saphyr::from_str(yaml).unwrap());
    }

    /// Sets the value at a JSON pointer; what it stands in is made when it is not there.
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

    /// Removes what is at a JSON pointer, which has to be there.
    fn remove(&mut self, file: &str, pointer: &str) -> &mut Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let node = self.0.get_mut(file).unwrap().pointer_mut(parent).unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        assert!(node.as_object_mut().unwrap().remove(&key).is_some(), "{pointer} is not there");
        self
    }

    /// Shorthand for [`set`](Self::set) in the resource file.
    fn thing(&mut self, pointer: &str, value: Value) -> &mut Self {
        self.set("things.yaml", pointer, value)
    }

    /// Sets a property of the schema `Thing`, which is an answer.
    fn property(&mut self, name: &str, yaml: &str) -> &mut Self {
        let value = serde_saphyr::from_str(yaml).unwrap();
        self.thing(&format!("/components/schemas/Thing/properties/{name}"), value)
    }

    /// The texts of the files. JSON is YAML.
    fn texts(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(name, node)| (name.clone(), node.to_string())).collect()
    }

    /// The files as one document.
    fn join(&self) -> Result<Bundle> {
        Bundle::join(&self.texts())
    }

    /// What the lint says, a line each.
    fn findings(&self) -> Vec<String> {
        lint::check(&self.join().unwrap()).iter().map(ToString::to_string).collect()
    }

    /// The generated files, if the specification breaks no rule.
    fn emit(&self) -> Result<Files> {
        assert_eq!(self.findings(), Vec::<String>::new());
        let bundle = self.join()?;
        let dialect = dialect::apply(&bundle)?;
        let model = generator::run(&bundle, &dialect)?;
        emit::all(&bundle, &model)
    }

    /// The generated module of the resource, all white space made one blank.
    fn module(&self) -> String {
        flat(&self.emit().unwrap()["src/things.rs"])
    }
}

/// All white space made one blank.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

// ---- rules

/// Changes the small specification and compares what the lint says.
#[track_caller]
fn breaks(change: impl FnOnce(&mut Spec) -> &mut Spec, expected: &[&str]) {
    let mut spec = Spec::small();
    change(&mut spec);
    assert_eq!(spec.findings(), expected);
}

/// The pointer of an operation: `get /things` and what is below it.
fn at(method: &str, path: &str, below: &str) -> String {
    format!("/paths/{}/{method}{below}", path.replace('/', "~1"))
}

fn schema(name: &str, below: &str) -> String {
    format!("/components/schemas/{name}{below}")
}

#[test]
fn small_breaks_no_rule() {
    breaks(|spec| spec, &[]);
}

#[test]
fn rules_of_the_document() {
    breaks(
        |spec| spec.set("openapi.yaml", "/openapi", json!("3.1.0")),
        &["openapi.yaml: the version is not 3.0.3, which is what the generator reads"],
    );
    breaks(
        |spec| spec.remove("openapi.yaml", "/paths/~1things~1{thing_id}"),
        &["things.yaml: /things/{thing_id} is not in the index; add `/things/{thing_id}: { $ref: \
           'things.yaml#/paths/~1things~1{thing_id}' }` to openapi.yaml"],
    );
}

#[test]
fn rules_of_identifiers() {
    let id = at("delete", "/things/{thing_id}", "/operationId");
    let cases = [
        ("things_list", "operationId things_list is also that of GET /things"),
        ("agents_delete", "operationId \"agents_delete\" does not start with its only tag and _"),
        ("thingsdelete", "operationId \"thingsdelete\" does not start with its only tag and _"),
        ("things_deleteAll", "operationId \"things_deleteAll\" is not snake case"),
    ];
    for (value, message) in cases {
        let place = "DELETE /things/{thing_id}";
        breaks(|spec| spec.thing(&id, json!(value)), &[&format!("{place}: {message}")]);
    }
    let message = "GET /things: operationId \"things_list\" does not start with its only tag and _";
    let tags = at("get", "/things", "/tags");
    for value in [json!([]), json!(["things", "agents"]), json!(null)] {
        breaks(|spec| spec.thing(&tags, value), &[message]);
    }
    let file = "GET /things: the tag is agents, but the file is that of things";
    breaks(|spec| spec.thing(&tags, json!(["agents"])), &[message, file]);
}

#[test]
fn rules_of_operations() {
    let list = |below: &str| at("get", "/things", below);
    let act = |below: &str| at("post", "/things/act", below);
    let answer = "/responses/200/content/application~1json/schema";
    let cases: Vec<(String, Value, &str)> = vec![
        (list("/summary"), json!(" "), "GET /things: has no summary"),
        (list("/summary"), json!(null), "GET /things: has no summary"),
        (list("/description"), json!(""), "GET /things: has no description"),
        (
            at("delete", "/things/{thing_id}", "/parameters"),
            json!([]),
            "DELETE /things/{thing_id}: path parameter thing_id is not declared",
        ),
        (
            at("delete", "/things/{thing_id}", "/requestBody"),
            json!({ "content": { "application/json": { "schema": { "type": "object" } } } }),
            "DELETE /things/{thing_id}: the body is no named schema",
        ),
        (
            act("/responses"),
            json!({ "400": { "description": "No." } }),
            "POST /things/act: declares no successful answer",
        ),
        (
            act(answer),
            json!({ "$ref": "openapi.yaml#/components/schemas/Affected" }),
            "POST /things/act: answer 200 is neither {data: [T]} nor {data: T} with a named schema for T",
        ),
    ];
    for (pointer, value, message) in cases {
        let mut spec = Spec::small();
        spec.thing(&pointer, value);
        let mut findings = spec.findings();
        // The answer's schema is not reached any more, which is a rule of its own.
        findings.retain(|finding| finding != "Affected: no operation uses the schema");
        assert_eq!(findings, [message]);
    }
    breaks(
        |spec| spec.remove("things.yaml", "/paths/~1v2.0~1things/servers"),
        &["GET /v2.0/things: a path of API 2.0 overrides `servers` in its path item"],
    );
    breaks(
        |spec| spec.thing(&act("/x-s1/paging"), json!("cursor")),
        &[
            "POST /things/act: is paged, but its answer is no list",
            "POST /things/act: is paged by cursor, but has no parameter cursor",
        ],
    );
}

#[test]
fn rules_of_parameters() {
    let limit = |below: &str| at("get", "/things", &format!("/parameters/1{below}"));
    breaks(
        |spec| spec.thing(&limit("/description"), json!("")),
        &["GET /things: parameter limit has no description"],
    );
    breaks(
        |spec| spec.thing(&limit("/schema"), json!({ "type": "array", "items": { "type": "string" } })),
        &["GET /things: parameter limit is a list: it needs `style: form, explode: false`"],
    );
    breaks(
        |spec| spec.thing(&limit("/schema"), json!({ "type": "string", "enum": ["a"] })),
        &["GET /things parameter limit: an enum needs a name: put it into components/schemas"],
    );
    let object = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    breaks(
        |spec| spec.thing(&limit("/schema"), object),
        &["GET /things parameter limit: an object needs a name: put it into components/schemas"],
    );
    breaks(
        |spec| spec.thing(&limit("/x-s1"), json!({ "select": false })),
        &[
            "GET /things: parameter limit: unknown field `select`, expected one of `selects`, `json`, `secret`, `field`, `op`, \
           `evidence`",
        ],
    );
}

#[test]
fn rules_of_extensions() {
    let other = "/paths/~1things/get: x-other is an extension, and x-s1 is the only one";
    breaks(|spec| spec.thing(&at("get", "/things", "/x-other"), json!(1)), &[other]);
    let stray = |place: &str| {
        format!(
            "{place}: x-s1 has no meaning here; it goes on operations, parameters, named schemas and their properties"
        )
    };
    let answer = at("get", "/things", "/responses/200/x-s1");
    breaks(|spec| spec.thing(&answer, json!({})), &[&stray("/paths/~1things/get/responses/200")]);
    let items = "/components/schemas/ThingFilter/properties/ids/items/x-s1";
    let place = "/components/schemas/ThingFilter/properties/ids/items";
    let written_out = "/paths/~1things/get/parameters/3/schema/items";
    breaks(|spec| spec.thing(items, json!({})), &[&stray(place), &stray(written_out)]);
    breaks(|spec| spec.set("openapi.yaml", "/info/x-s1", json!({})), &[&stray("/info")]);
    // A property may have any name.
    let named = json!({ "type": "string", "description": "A header." });
    breaks(|spec| spec.thing("/components/schemas/Thing/properties/x-header", named), &[]);
}

#[test]
fn rules_of_places() {
    let mut spec = Spec::small();
    let things = spec.0.remove("things.yaml").unwrap();
    spec.0.insert("other.yaml".into(), things);
    spec.file("openapi.yaml", &ROOT.replace("things.yaml", "other.yaml"));
    let wrong = spec.findings();
    assert_eq!(wrong.len(), 5, "{wrong:?}");
    assert!(wrong.iter().all(|one| one.ends_with("the tag is things, but the file is that of other")));
    breaks(
        |spec| {
            let extra = json!({ "name": "spare", "in": "path", "required": true,
                "schema": { "type": "string" }, "description": "Stands nowhere." });
            spec.thing(&at("get", "/things", "/parameters/1"), extra)
        },
        &["GET /things: path parameter spare is not in the path"],
    );
    let style = at("get", "/things", "/parameters/1");
    let list = json!({ "name": "limit", "in": "query", "style": "pipeDelimited", "explode": false,
        "schema": { "type": "array", "items": { "type": "string" } }, "description": "A list." });
    let message = "GET /things: parameter limit is a list: it needs `style: form, explode: false`";
    breaks(|spec| spec.thing(&style, list), &[message]);
    let member = at("get", "/things", "/responses/200/content/application~1json/schema/properties/more");
    let message = "GET /things: the answer has a member more; an envelope has data, pagination and errors";
    breaks(|spec| spec.thing(&member, json!({ "type": "string" })), &[message]);
}

#[test]
fn rules_of_facts() {
    let list = |below: &str| at("get", "/things", &format!("/x-s1{below}"));
    let act = |below: &str| at("post", "/things/act", &format!("/x-s1{below}"));
    let cases: Vec<(String, Value, &str)> = vec![
        (list("/evidence"), json!([]), "GET /things: says nothing about where its facts come from"),
        (list("/versions"), json!(["2.1", "3.0"]), "GET /things: version 3.0 is neither 2.0 nor 2.1"),
        (
            list("/versions"),
            json!(["2.0"]),
            "GET /things: the prefix /v2.0/ goes with versions [\"2.0\"], and only with them",
        ),
        (
            at("get", "/v2.0/things", "/x-s1/versions"),
            json!(["2.0", "2.1"]),
            "GET /v2.0/things: the prefix /v2.0/ goes with versions [\"2.0\"], and only with them",
        ),
        (list("/destructive"), json!(true), "GET /things: a read cannot be destructive"),
        (
            at("get", "/v2.0/things", "/x-s1/paging"),
            json!("cursor"),
            "GET /v2.0/things: is paged by cursor, but has no parameter cursor",
        ),
        (
            act("/filter"),
            json!("optional"),
            "POST /things/act: the filter of an action is mandatory, or it has none",
        ),
        (
            act("/filter"),
            json!("none"),
            "POST /things/act: the body has a filter, but the facts say that there is none",
        ),
        (
            at("delete", "/things/{thing_id}", "/x-s1/filter"),
            json!("mandatory"),
            "DELETE /things/{thing_id}: a filter is mandatory, but the body has none",
        ),
        (
            list("/colour"),
            json!("red"),
            "GET /things: unknown field `colour`, expected one of `versions`, `permission`, `kind`, \
             `idempotent`, `destructive`, `filter`, `rate`, `paging`, `items`, `query`, `evidence`, `sandbox`",
        ),
        (
            list("/evidence/0/author"),
            json!("me"),
            "GET /things: unknown field `author`, expected one of `source`, `date`, `ref`, `note`",
        ),
        (
            list("/evidence/0/source"),
            json!("hearsay"),
            "GET /things: unknown variant `hearsay`, expected one of `vendor-document`, `integration`, \
             `corpus`, `client`, `inference`",
        ),
        (
            list("/rate/per"),
            json!(1),
            "GET /things: unknown field `per`, expected one of `class`, `perSecond`, `burst`, `source`",
        ),
        (list("/kind"), json!("write"), "GET /things: unknown variant `write`, expected `read` or `action`"),
    ];
    for (pointer, value, message) in cases {
        breaks(|spec| spec.thing(&pointer, value), &[message]);
    }
    breaks(
        |spec| spec.remove("things.yaml", &list("/idempotent")),
        &["GET /things: missing field `idempotent`"],
    );
    breaks(
        |spec| spec.remove("things.yaml", &at("get", "/v2.0/things", "/x-s1")),
        &["GET /v2.0/things: has no x-s1"],
    );
    breaks(
        |spec| spec.remove("things.yaml", &schema("ThingFilter", "/x-s1")),
        &[
            "POST /things/act: filter of ThingAct is no schema with `x-s1: {filter: true}`",
            "ThingFilter.ids: `field` is for filters",
            "ThingFilter.query: `field` is for filters",
        ],
    );
}

#[test]
fn rules_of_schemas() {
    let thing = |below: &str| schema("Thing", &format!("/properties/{below}"));
    let cases: Vec<(String, Value, &str)> = vec![
        (schema("Thing", "/description"), json!(""), "Thing: has no description"),
        (
            schema("ThingPart", "/x-s1"),
            json!({ "filtre": true }),
            "ThingPart: unknown field `filtre`, expected `filter` or `evidence`",
        ),
        (
            schema("ThingKind", "/type"),
            json!("integer"),
            "ThingKind: is neither an object nor an enum of texts",
        ),
        (
            schema("ThingPart", "/type"),
            json!("array"),
            "ThingPart: is neither an object nor an enum of texts",
        ),
        (
            schema("Thing", "/required"),
            json!(["id", "nothing"]),
            "Thing: requires \"nothing\", which is no property",
        ),
        (thing("id/description"), json!(""), "Thing.id: has no description"),
        (
            thing("id"),
            json!({ "type": "string", "enum": ["a"], "description": "x" }),
            "Thing.id: an enum needs a name: put it into components/schemas",
        ),
        (
            thing("names/items"),
            json!({ "type": "string", "enum": ["a"] }),
            "Thing.names: an enum needs a name: put it into components/schemas",
        ),
        (
            thing("counts/additionalProperties"),
            json!({ "type": "object", "properties": { "a": { "type": "string" } } }),
            "Thing.counts: an object needs a name: put it into components/schemas",
        ),
        (
            thing("id/x-s1"),
            json!({ "feild": "a" }),
            "Thing.id: unknown field `feild`, expected one of `selects`, `json`, `secret`, `field`, `op`, `evidence`",
        ),
        (thing("id/x-s1"), json!({ "field": "a" }), "Thing.id: `field` is for filters"),
        (
            schema("ThingFilter", "/properties/query/x-s1/op"),
            json!("exists"),
            "ThingFilter.query: `op: exists` is for flags",
        ),
        (
            thing("created_at"),
            json!({ "type": "string", "description": "x" }),
            "Thing.created_at: has the same Rust name as createdAt",
        ),
    ];
    for (pointer, value, message) in cases {
        breaks(|spec| spec.thing(&pointer, value), &[message]);
    }
    let object = || json!({ "type": "object", "description": "x", "properties": {} });
    breaks(|spec| spec.thing(&schema("Lonely", ""), object()), &["Lonely: no operation uses the schema"]);
    breaks(
        |spec| {
            // Two that use each other, and nobody else does.
            let other = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Two" }, "description": "x" });
            spec.thing(&schema("One", ""), object()).thing(&schema("Two", ""), object());
            spec.thing(&schema("One", "/properties/two"), other);
            let one = json!({ "$ref": "#/components/schemas/One", "description": "x" });
            spec.thing(&schema("Two", "/properties/one"), one)
        },
        &["One: no operation uses the schema", "Two: no operation uses the schema"],
    );
    breaks(
        |spec| {
            spec.thing(&schema("thing_more", ""), object());
            let more = json!({ "$ref": "#/components/schemas/thing_more", "description": "x" });
            spec.thing(&thing("more"), more)
        },
        &["thing_more: the name is not upper camel case"],
    );
}

#[test]
fn rules_of_enums() {
    let cases = [
        (json!(["a", 1]), "ThingKind: the value 1 is no text"),
        (json!(["a", ""]), "ThingKind: the value \"\" gives no usable Rust name"),
        (json!(["a", "<"]), "ThingKind: the value \"<\" gives no usable Rust name"),
        (json!(["a", "Unrecognized"]), "ThingKind: the value \"Unrecognized\" gives no usable Rust name"),
        (json!(["a", "unrecognized"]), "ThingKind: the value \"unrecognized\" gives no usable Rust name"),
        (
            json!(["not_found", "not found"]),
            "ThingKind: \"not found\" and \"not_found\" have the same Rust name",
        ),
    ];
    for (values, message) in cases {
        breaks(|spec| spec.thing(&schema("ThingKind", "/enum"), values), &[message]);
    }
}

#[test]
fn filter_that_is_only_a_query_is_used() {
    breaks(
        |spec| {
            spec.remove("things.yaml", &schema("ThingAct", "/properties/filter"));
            spec.thing(&schema("ThingAct", "/required"), json!(["data"]));
            spec.thing(&at("post", "/things/act", "/x-s1/filter"), json!("none"))
        },
        &[],
    );
}

#[test]
fn filter_that_is_a_query_requires_nothing() {
    breaks(
        |spec| spec.thing(&schema("ThingFilter", "/required"), json!(["query"])),
        &["GET /things: ThingFilter is its query and requires something; a filter cannot"],
    );
}

#[test]
fn names_of_the_support_code_are_taken() {
    for name in ["Field", "Filter", "Page", "Data", "Value", "Option", "Rate", "Request"] {
        let mut spec = Spec::small();
        spec.thing(&schema(name, ""), spec.0["things.yaml"]["components"]["schemas"]["ThingPart"].clone());
        let reference = format!("#/components/schemas/{name}");
        spec.thing(&schema("Thing", "/properties/odd"), json!({ "$ref": reference, "description": "x" }));
        let message = "the name is that of a type in the support code or the standard library";
        assert_eq!(spec.findings(), [format!("{name}: {message}")]);
    }
}

// ---- joining

#[track_caller]
fn refused(spec: &Spec) -> String {
    spec.join().unwrap_err().to_string()
}

#[test]
fn references_with_siblings_become_all_of() {
    let bundle = Spec::small().join().unwrap();
    let kind = &bundle.schema("Thing").unwrap()["properties"]["kind"];
    let expected = json!({
        "allOf": [{ "$ref": "#/components/schemas/ThingKind" }],
        "description": "What it is.",
        "nullable": true,
    });
    assert_eq!(*kind, expected);
    let parts = &bundle.schema("Thing").unwrap()["properties"]["parts"];
    assert_eq!(parts["items"], json!({ "$ref": "#/components/schemas/ThingPart" }), "alone it stays");
}

#[test]
fn references_between_files() {
    let bundle = Spec::small().join().unwrap();
    let text = bundle.document.to_string();
    assert!(!text.contains(".yaml"), "no file is left");
    let mut names = Vec::new();
    sentinelone_codegen::bundle::each_reference(&bundle.document, &mut |name| names.push(name.to_owned()));
    assert!(names.iter().all(|name| bundle.schema(name).is_some()), "{names:?}");
    assert_eq!(bundle.document["components"].as_object().unwrap().len(), 2, "schemas and security only");
    let act = bundle.operations().find(|operation| operation.id() == "things_act").unwrap();
    let list = bundle.operations().find(|operation| operation.id() == "things_list").unwrap();
    assert_eq!(list.node["responses"]["400"]["description"], "The console refused the request.");
    assert_eq!(list.parameters().next().unwrap()["name"], "cursor");
    assert_eq!(act.body().unwrap()["$ref"], "#/components/schemas/ThingAct");
    let modules: Vec<_> = ["Affected", "Thing"].iter().map(|name| bundle.modules[*name].as_str()).collect();
    assert_eq!(modules, ["shared", "things"]);
    let paths: Vec<_> = bundle.operations().map(|operation| operation.full_path()).collect();
    assert_eq!(
        paths,
        [
            "/web/api/v{version}/things",
            "/web/api/v{version}/things/act",
            "/web/api/v{version}/things/{thing_id}",
            "/web/api/v{version}/things/{thing_id}/file",
            "/web/api/v2.0/things",
        ]
    );
}

#[test]
fn module_of_a_file_with_a_dash() {
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
    assert!(files["src/things.rs"].contains("use crate::big_boxes::Box;"));
    assert!(files["src/lib.rs"].contains("pub mod big_boxes;"));
}

#[test]
fn joining_refuses() {
    let mut spec = Spec::small();
    spec.property("id", "{ $ref: '#/components/schemas/Nothing', description: x }");
    assert_eq!(refused(&spec), "spec/things.yaml: #/components/schemas/Nothing leads nowhere");

    let mut spec = Spec::small();
    spec.property("id", "{ $ref: 'other.yaml#/components/schemas/Thing', description: x }");
    assert_eq!(refused(&spec), "spec/things.yaml: other.yaml#/components/schemas/Thing leads nowhere");

    let mut spec = Spec::small();
    spec.set("openapi.yaml", "/paths/~1nowhere", json!({ "$ref": "things.yaml#/paths/~1nowhere" }));
    assert_eq!(refused(&spec), "spec/openapi.yaml: things.yaml#/paths/~1nowhere leads nowhere");

    let mut spec = Spec::small();
    spec.set("openapi.yaml", "/paths/~1here", json!({ "get": {} }));
    assert_eq!(refused(&spec), "spec/openapi.yaml: /here is no $ref to a resource file");

    let mut spec = Spec::small();
    spec.set("openapi.yaml", "/components/schemas/Thing", json!({ "type": "object" }));
    assert_eq!(refused(&spec), "spec/things.yaml: schema Thing is already in the module shared");

    let mut spec = Spec::small();
    spec.thing(&at("get", "/things", "/x-s1/query"), json!("Nothing"));
    assert_eq!(refused(&spec), "spec/things.yaml: x-s1.query names Nothing, which is no schema");

    let mut spec = Spec::small();
    spec.0.remove("openapi.yaml");
    assert_eq!(refused(&spec), "spec/openapi.yaml: is missing");

    let mut texts = Spec::small().texts();
    texts.insert("bad.yaml".into(), "a: [1".into());
    let error = Bundle::join(&texts).unwrap_err().to_string();
    assert!(error.starts_with("spec/bad.yaml: "), "{error}");
}

#[test]
fn folder_that_is_not_there() {
    let error = sentinelone_codegen::generate(std::path::Path::new("/nonexistent/spec")).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/spec: "), "{error}");
}

#[test]
fn query_is_written_out() {
    let bundle = Spec::small().join().unwrap();
    let list = bundle.operations().find(|operation| operation.id() == "things_list").unwrap();
    let names: Vec<_> = list.parameters_in("query").map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cursor", "limit", "createdAt__gt", "ids", "kinds", "query", "whole"]);
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
fn own_parameter_wins() {
    let bundle = Spec::small().join().unwrap();
    let list = bundle.operations().find(|operation| operation.id() == "things_list").unwrap();
    let limits: Vec<_> = list.parameters().filter(|one| one["name"] == "limit").collect();
    assert_eq!(limits.len(), 1);
    assert_eq!(limits[0]["schema"]["maximum"], 50);
    let own = r#"range: (Some(1), Some(50)), ..Field::new("limit", "limit", FieldKind::Integer, "Size of a page.")"#;
    let filters =
        r#"range: (Some(1), Some(1000)), ..Field::new("limit", "limit", FieldKind::Integer, "How many.")"#;
    let text = Spec::small().module();
    assert!(text.contains(own) && text.contains(filters), "{text}");
}

#[test]
fn own_parameter_wins_when_only_the_bounds_differ() {
    let mut spec = Spec::small();
    spec.thing(&schema("ThingFilter", "/properties/limit/description"), json!("Size of a page."));
    let text = spec.module();
    assert!(text.contains("range: (Some(1), Some(50))"), "{text}");
}

// ---- what is emitted

#[test]
fn emitted_module() {
    insta::assert_snapshot!(Spec::small().emit().unwrap()["src/things.rs"]);
}

#[test]
fn emitted_files() {
    let files = Spec::small().emit().unwrap();
    let names: Vec<_> = files.keys().map(String::as_str).filter(|name| !name.contains("runtime")).collect();
    let written = ["openapi.json", "src/lib.rs", "src/shared.rs", "src/things.rs"];
    assert_eq!(names, [&["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT"][..], &written].concat());
    for (name, text) in files.iter().filter(|(name, _)| !name.starts_with("LICENSE-")) {
        let generated = name == "openapi.json" || text.contains("@generated by `cargo xtask generate` from ");
        assert!(generated, "{name} has no header");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}");
    }
    let document: Value = serde_json::from_str(&files["openapi.json"]).unwrap();
    assert_eq!(document, Spec::small().join().unwrap().document);
    let lib = &files["src/lib.rs"];
    let operations = lib.split_once("OPERATIONS").unwrap().1;
    let names = ["ACT", "DELETE", "DOWNLOAD", "LIST", "LIST_OLD"];
    let list: String = names.iter().map(|name| format!(" &things::{name},")).collect();
    assert!(flat(operations).contains(&format!("[{list} ];")), "{operations}");
    assert!(!files["src/shared.rs"].contains("Pagination"), "paging is the support code's");
}

#[test]
fn round_trips_by_operation() {
    let lib = flat(&Spec::small().emit().unwrap()["src/lib.rs"]);
    let (answers, bodies) = lib.split_once("pub fn body_again(").unwrap();
    for part in [
        r#""things_act" => runtime::answer_again::<runtime::Data<shared::Affected>>(body), "things_list" => "#,
        r#""things_list" => runtime::answer_again::<runtime::Page<things::Thing>>(body), "things_list_old" =>"#,
    ] {
        assert!(answers.contains(part), "{part} is not in {answers}");
    }
    assert!(!answers.contains("\"things_download\"") && !answers.contains("\"things_delete\""), "{answers}");
    let only = r#"match operation { "things_act" => runtime::body_again::<things::ThingAct>(body), _ => return None, }"#;
    assert!(bodies.contains(only), "{bodies}");
}

#[test]
fn answers_of_all_forms() {
    let text = Spec::small().module();
    for part in [
        "pub fn list(query: &ThingsListQuery) -> Result<Request<Page<Thing>>, RequestError>",
        "pub fn act(body: &ThingAct) -> Result<Request<Data<Affected>>, RequestError>",
        "pub fn download(thing_id: &str) -> Result<Request<Binary>, RequestError>",
        "pub fn delete(thing_id: &str) -> Result<Request<Empty>, RequestError>",
        "answer: AnswerForm::Binary",
        "answer: AnswerForm::Empty",
        "pub fn list_old() -> Result<Request<Page<Thing>>, RequestError> { Ok(Request::new(&LIST_OLD)) }",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let mut spec = Spec::small();
    spec.thing(
        &at("delete", "/things/{thing_id}", "/responses"),
        json!({ "200": { "description": "x", "content": {} } }),
    );
    assert!(spec.module().contains("pub fn delete(thing_id: &str) -> Result<Request<Empty>, RequestError>"));
}

#[test]
fn enum_values_that_need_care() {
    let mut spec = Spec::small();
    let values = ["n/a", "64 bit", "kubernetes node", "Self", "a\"b\\", "2", "true"];
    spec.thing(&schema("ThingKind", "/enum"), json!(values));
    let text = spec.module();
    for part in [
        "/// `n/a` on the wire.",
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
fn properties_of_all_shapes() {
    let mut spec = Spec::small();
    spec.property("part", "{ $ref: '#/components/schemas/ThingPart', nullable: true, description: x }");
    spec.property("plain", "{ $ref: '#/components/schemas/ThingPart', description: x }");
    spec.property(
        "byName",
        "{ type: object, additionalProperties: { $ref: '#/components/schemas/ThingPart' }, description: x }",
    );
    spec.property("seen", "{ type: array, items: { type: string, format: date-time }, description: x }");
    spec.property("share", "{ type: number, format: float, default: 1, description: x }");
    spec.property("anything", "{ description: x }");
    spec.property("match", "{ type: string, title: x, pattern: a, description: x }");
    spec.property("title", "{ type: string, description: x }");
    spec.property("default", "{ type: string, description: x }");
    spec.property("query", "{ type: string, description: x }");
    spec.property("parent", "{ $ref: '#/components/schemas/Thing', description: x }");
    let text = spec.module();
    for part in [
        "pub created_at: Option<Timestamp>,",
        "pub counts: Option<BTreeMap<String, i64>>,",
        "pub extra: Option<Map<String, Value>>,",
        "pub kind: Option<ThingKind>,",
        "pub type_: Option<String>,",
        "pub id: Option<String>,",
        "pub part: Option<ThingPart>,",
        "pub plain: Option<ThingPart>,",
        "pub by_name: Option<BTreeMap<String, ThingPart>>,",
        "pub seen: Option<Vec<Timestamp>>,",
        "pub share: Option<f64>,",
        "pub anything: Option<Value>,",
        "pub match_: Option<String>,",
        "pub title: Option<String>,",
        "pub default: Option<String>,",
        "pub query: Option<String>,",
        "pub parent: Option<::std::boxed::Box<Thing>>,",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn maps_of_answers_may_hold_null() {
    let text = Spec::small().module();
    let part = r#""counts" => self.counts = crate::runtime::members::map(map)?,"#;
    assert!(text.contains(part), "{text}");
}

#[test]
fn requests_keep_what_is_required() {
    let text = Spec::small().module();
    for part in [
        "pub fn new(kind: impl Into<ThingKind>) -> Self { Self { kind: kind.into(), note: Default::default(), } }",
        "pub fn new(data: impl Into<ThingActData>, filter: impl Into<ThingFilter>) -> Self",
        "#[serde(flatten)] pub filter: ThingFilter,",
        r#"#[serde(rename = "createdAt__gt", skip_serializing_if = "Option::is_none")] pub created_at_gt: Option<Timestamp>,"#,
        "pub fn query(mut self, query: impl Into<String>) -> Self",
        "pub fn ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self",
        r#"Part::new("data", false, <ThingActData as Fields>::FIELDS), Part::new("filter", true, <ThingFilter as Fields>::FIELDS),"#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn filters_are_set_by_name() {
    let text = Spec::small().module();
    let body = r#"impl Filter for ThingFilter { fn set(&mut self, name: &str, value: Setting) -> Result<(), Setting> { match name { "createdAt__gt" => self.created_at_gt = value.text()?, "ids" => self.ids = value.list()?, "kinds" => self.kinds = value.list()?, "limit" => self.limit = value.integer()?, "query" => self.query = value.text()?, "whole" => self.whole = value.boolean()?, _ => return Err(value), } Ok(()) } }"#;
    assert!(text.contains(body), "{text}");
    assert_eq!(text.matches("impl Filter for").count(), 1, "only the filter is one");
}

#[test]
fn fields_that_no_setting_fits_are_left_out() {
    let mut spec = Spec::small();
    let kinds = [
        ("numbers", json!({ "type": "array", "items": { "type": "integer" }, "description": "x" })),
        ("flags", json!({ "type": "array", "items": { "type": "boolean" }, "description": "x" })),
        ("share", json!({ "type": "number", "description": "x" })),
        ("free", json!({ "type": "object", "description": "x" })),
        ("part", json!({ "$ref": "#/components/schemas/ThingPart", "description": "x" })),
        ("odd", json!({ "$ref": "#/components/schemas/ThingKind", "description": "x" })),
    ];
    for (name, node) in kinds {
        spec.thing(&schema("ThingFilter", &format!("/properties/{name}")), node);
    }
    let text = spec.module();
    let table = text.split_once("fn set(").unwrap().1.split_once("_ => return Err(value)").unwrap().0;
    assert!(table.contains(r#""odd" => self.odd = value.text()?"#), "{table}");
    assert!(table.contains(r#""flags" => self.flags = value.flags()?"#), "{table}");
    for name in ["numbers", "share", "free", "part"] {
        assert!(!table.contains(&format!("self.{name} ")), "{name}, which does not compile: {table}");
    }
}

#[test]
fn enum_beside_data_and_filter_is_no_part() {
    let mut spec = Spec::small();
    spec.thing(
        &schema("ThingAct", "/properties/mode"),
        json!({ "$ref": "#/components/schemas/ThingKind", "description": "How." }),
    );
    let text = spec.module();
    assert!(text.contains("pub mode: Option<ThingKind>"), "{text}");
    assert!(!text.contains("<ThingKind as Fields>"), "an enum has no fields: {text}");
}

#[test]
fn numbers_in_paths() {
    let mut spec = Spec::small();
    spec.set("openapi.yaml", "/components/parameters/ThingId/schema", json!({ "type": "integer" }));
    let text = spec.module();
    let part = r#"pub fn delete(thing_id: i64) -> Result<Request<Empty>, RequestError> { Request::new(&DELETE).segment("thing_id", thing_id.to_string()) }"#;
    assert!(text.contains(part), "{text}");
}

#[test]
fn words_of_descriptions_import_nothing() {
    let mut spec = Spec::small();
    spec.remove("things.yaml", &schema("Thing", "/properties/extra"));
    spec.thing(
        &schema("ThingFilter", "/properties/whole/description"),
        json!("No Map, no Value, no Undecoded."),
    );
    assert!(!spec.module().contains("serde_json"), "an import that is not used");
}

#[test]
fn tables_name_fields_as_the_structs_do() {
    let mut spec = Spec::small();
    for wire in ["2fa", "gen", "match", "$count", "_foo", "URL", "self"] {
        let node = json!({ "type": "string", "description": "x" });
        spec.thing(&schema("ThingActData", &format!("/properties/{wire}")), node);
    }
    let text = spec.module();
    let table = text.split_once("impl Fields for ThingActData").unwrap().1;
    for (wire, rust) in [
        ("2fa", "x2fa"),
        ("gen", "gen_"),
        ("match", "match_"),
        ("$count", "count"),
        ("_foo", "foo"),
        ("URL", "url"),
    ] {
        assert!(text.contains(&format!("pub {rust}: Option<String>")), "{rust} is no field in {text}");
        assert!(table.contains(&format!("Field::new(\"{wire}\", \"{rust}\",")), "{rust} is not in {table}");
    }
}

#[test]
fn generator_refuses() {
    let error = |spec: &Spec| spec.emit().unwrap_err().to_string();
    let mut spec = Spec::small();
    spec.thing(&schema("Nothing", ""), json!({ "type": "object", "description": "x" }));
    spec.property("nothing", "{ $ref: '#/components/schemas/Nothing', description: x }");
    let expected = "Nothing is a struct without named fields; the passes have to learn this shape first";
    assert_eq!(error(&spec), format!("generator: {expected}"));

    let mut spec = Spec::small();
    spec.thing(&at("get", "/things", "/parameters/1/name"), json!("filter"));
    assert_eq!(error(&spec), "generator: things_list: a parameter cannot be named filter");

    let mut spec = Spec::small();
    spec.thing(
        &schema("ThingsListQuery", ""),
        spec.0["things.yaml"]["components"]["schemas"]["ThingPart"].clone(),
    );
    spec.property("odd", "{ $ref: '#/components/schemas/ThingsListQuery', description: x }");
    assert_eq!(error(&spec), "generator: ThingsListQuery is the name of the query of things_list");

    let mut spec = Spec::small();
    spec.thing(&at("get", "/things", "/operationId"), json!("things_move"));
    assert!(error(&spec).starts_with("generator: things: "), "a keyword is no name of a function");
}

// ---- the same input, the same bytes

/// The node as YAML-readable text with the keys of every object in the opposite order.
fn backwards(node: &Value) -> String {
    match node {
        Value::Object(map) => {
            let members =
                map.iter().rev().map(|(key, value)| format!("{}: {}", json!(key), backwards(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(backwards).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}

fn emit(texts: &BTreeMap<String, String>) -> Files {
    let bundle = Bundle::join(texts).unwrap();
    let dialect = dialect::apply(&bundle).unwrap();
    emit::all(&bundle, &generator::run(&bundle, &dialect).unwrap()).unwrap()
}

#[test]
fn twice_gives_the_same_bytes() {
    let spec = Spec::small();
    assert_eq!(spec.emit().unwrap(), spec.emit().unwrap());
}

#[test]
fn another_order_gives_the_same_bytes() {
    let spec = Spec::small();
    let expected = spec.emit().unwrap();
    let mut texts = BTreeMap::new();
    for (name, node) in spec.0.iter().rev() {
        texts.insert(name.clone(), backwards(node));
    }
    assert_ne!(texts, spec.texts());
    let files = emit(&texts);
    assert_eq!(files.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, text) in &files {
        assert_eq!(*text, expected[name], "{name}");
    }
    // And as people write it.
    let mut yaml = BTreeMap::from([("openapi.yaml".to_owned(), ROOT.to_owned())]);
    yaml.insert("things.yaml".to_owned(), THINGS.to_owned());
    assert_eq!(emit(&yaml), expected);
}

#[test]
fn list_below_data_is_a_page() {
    let mut spec = Spec::small();
    spec.thing(
        "/paths/~1things/get/responses/200/content/application~1json/schema/properties/data",
        json!({ "$ref": "#/components/schemas/ThingPage" }),
    );
    spec.thing("/paths/~1things/get/x-s1/items", json!("things"));
    spec.thing(
        "/components/schemas/ThingPage",
        json!({ "type": "object", "description": "x", "properties": {
            "things": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" }, "description": "x" },
        } }),
    );
    let text = spec.module();
    assert!(text.contains("Result<Request<Page<Thing>>, RequestError>"), "{text}");
    assert!(text.contains(r#"items: "data.things""#), "{text}");
    spec.thing("/paths/~1things/get/x-s1/items", json!("others"));
    assert!(spec.findings().iter().any(|finding| finding.contains("data.others")), "{:?}", spec.findings());
}

#[test]
fn secrets_have_a_type_that_does_not_print() {
    let mut spec = Spec::small();
    spec.thing(
        &schema("ThingActData", "/properties/password"),
        json!({ "type": "string", "description": "x", "x-s1": { "secret": true } }),
    );
    let text = spec.module();
    assert!(text.contains("pub password: Option<Secret>"), "{text}");
    assert!(text.contains("password: impl Into<Secret>"), "{text}");
    assert!(text.contains("secret: true"), "{text}");
    let list = json!({
        "type": "array", "items": { "type": "string" }, "description": "x", "x-s1": { "secret": true }
    });
    spec.thing(&schema("ThingActData", "/properties/password"), list);
    assert!(spec.emit().unwrap_err().to_string().contains("cannot be a secret"));
}
