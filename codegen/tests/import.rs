//! Tests of the import of a vendor document: reading, corrections and comparison with `spec/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/curated.rs"]
mod curated;

use std::collections::BTreeMap;
use std::path::Path;

use curated::spec;
use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::{self, Direction, Rule, SpecIndex};
use sentinelone_codegen::document::{Document, Quirk, convert, extract, open};
use sentinelone_codegen::import::baseline::Baseline;
use sentinelone_codegen::import::overlays::{self, Overlay, apply, unmatched};
use sentinelone_codegen::import::report::Report;
use sentinelone_codegen::import::{Difference, DifferenceKind, Import, compare, operations};
use sentinelone_codegen::surface::{Key, Surface};
use serde_json::{Map, Value, json};

fn read(text: &str) -> Document {
    convert("document.yaml", text).unwrap()
}

fn overlay(actions: &str) -> Result<Overlay, String> {
    let text = format!("overlay: 1.0.0\ninfo: {{ title: T, version: 1.0.0 }}\nactions:\n{actions}");
    overlays::parse("overlays/t.yaml", &text).map_err(|error| error.to_string())
}

const EVIDENCE: &str = "x-s1: { evidence: [{ source: inference, date: 2026-11 }] }";

#[test]
fn operations_list_matches_specification() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec");
    let bundle = Bundle::read(&spec).unwrap();
    let have: BTreeMap<String, (String, String, String)> = bundle
        .operations()
        .map(|one| {
            let file = format!("{}.yaml", bundle.path_modules[one.path].replace('_', "-"));
            (one.id().to_owned(), (one.method.to_uppercase(), one.path.to_owned(), file))
        })
        .collect();
    let listed: BTreeMap<_, _> = operations::read(&spec)
        .unwrap()
        .into_iter()
        .map(|(id, one)| (id, (one.method, one.path, one.file)))
        .collect();
    assert_eq!(listed, have);
}

#[test]
fn operations_list_invalid_entry_is_an_error() {
    for (line, message) in [
        (
            "tags_list = { method = \"get\", path = \"/tags\", file = \"tags.yaml\" }",
            "GET, POST, PUT or DELETE",
        ),
        (
            "tags_list = { method = \"GET\", path = \"tags\", file = \"tags.yaml\" }",
            "relative to /web/api/v2.1",
        ),
        (
            "tags_list = { method = \"GET\", path = \"/web/api/v2.1/tags\", file = \"tags.yaml\" }",
            "relative to",
        ),
        ("tags_list = { method = \"GET\", path = \"/tags\", file = \"tags\" }", "invalid resource file"),
        (
            "list_tags = { method = \"GET\", path = \"/tags\", file = \"tags.yaml\" }",
            "does not start with tags_",
        ),
        ("tags_list = { method = \"GET\", path = \"/tags\" }", "missing field"),
        (
            "tags_a = { method = \"GET\", path = \"/tags/{id}\", file = \"tags.yaml\" }\n\
             tags_b = { method = \"GET\", path = \"/tags/{tag_id}\", file = \"tags.yaml\" }",
            "tags_b: duplicate operation GET /tags/{}, also listed as tags_a",
        ),
    ] {
        let error = operations::parse(line).unwrap_err().to_string();
        assert!(error.contains(message), "{line}\n{error}");
    }
}

const QUIRKS: &str = r##"{
  "swagger": 2.0, "basePath": "/web/api/v2.1", "info": { "title": "T", "version": "2.1" },
  "consumes": ["application/xml", "application/json"],
  "securityDefinitions": { "Token": { "type": "apiKey", "in": "header", "name": "Authorization" }, "Basic": { "type": "basic" } },
  "security": [{ "Token": [] }],
  "parameters": { "Limit": { "name": "limit", "in": "query", "type": "integer", "default": 10, "maximum": 1000 } },
  "responses": { "Wrong": { "description": "No.", "schema": { "$ref": "#/definitions/a.b Error" } } },
  "paths": {
    "/widgets/{widget_id}": {
      "parameters": [{ "name": "widget_id", "in": "path", "required": true, "type": "string", "minimum": 1e17 }],
      "get": {
        "operationId": "_mangled_get",
        "parameters": [
          { "$ref": "#/parameters/Limit" },
          { "name": "ids", "in": "query", "type": "array", "items": { "type": "string" }, "collectionFormat": "csv" },
          { "name": "tags", "in": "query", "type": "array", "items": { "type": "string" }, "collectionFormat": "multi" },
          { "name": "cursor", "in": "query", "type": "string", "default": null, "x-nullable": true }
        ],
        "responses": {
          "200": { "description": "Yes.", "schema": { "type": "object", "required": true, "properties": {
            "data": { "type": "array", "items": { "$ref": "#/definitions/a.b Widget" } },
            "required": { "type": "boolean" },
            "properties": { "type": "object", "properties": { "enum": { "type": "string" } } }
          } } },
          "400": { "$ref": "#/responses/Wrong" },
          "204": { "description": "Nothing." }
        }
      },
      "post": {
        "operationId": "upload",
        "parameters": [
          { "name": "file", "in": "formData", "type": "file", "required": true },
          { "name": "note", "in": "formData", "type": "string" }
        ],
        "responses": { "200": { "description": "Yes." } }
      },
      "put": {
        "operationId": "change",
        "consumes": ["text/plain"],
        "parameters": [{ "name": "body", "in": "body", "required": true, "schema": { "$ref": "#/definitions/a.b Widget" } }],
        "responses": { "200": { "description": "Yes." } }
      }
    }
  },
  "definitions": {
    "a.b Error": { "type": "object" },
    "a.b Widget": {
      "type": "object", "required": ["state"], "discriminator": "state",
      "properties": {
        "state": { "type": "string", "enum": ["on", "off", "on", null, ["broken"]], "default": "" },
        "level": { "type": "integer", "default": { "a": 1 }, "minimum": 1 },
        "free": { "type": "object", "additionalProperties": {} },
        "counts": { "type": "object", "additionalProperties": { "type": "integer", "x-nullable": true } },
        "child": { "$ref": "#/definitions/a.b Widget", "x-nullable": true },
        "raw": { "type": "file" }
      }
    }
  }
}"##;

#[test]
fn convert_quirks_are_normalized_and_counted() {
    let document = read(QUIRKS);
    assert_eq!(document.format, "Swagger 2.0");
    let all = &document.value;
    let path = &all["paths"]["/web/api/v2.1/widgets/{widget_id}"];
    let get = &path["get"];
    assert_eq!(get["parameters"][0]["schema"], json!({ "type": "string" }), "string without a numeric bound");
    assert_eq!(get["parameters"][1]["schema"], json!({ "type": "integer", "default": 10, "maximum": 1000 }));
    assert_eq!(get["parameters"][2]["explode"], json!(false));
    assert_eq!(get["parameters"][3]["explode"], json!(true));
    assert_eq!(get["parameters"][4]["schema"], json!({ "type": "string", "nullable": true }));
    let response = &get["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(response.get("required").is_none(), "`required` is not a list");
    assert_eq!(
        response["properties"]["required"],
        json!({ "type": "boolean" }),
        "`required` is also a property name"
    );
    assert_eq!(response["properties"]["properties"]["properties"]["enum"], json!({ "type": "string" }));
    let wrong = &get["responses"]["400"]["content"]["application/json"]["schema"];
    assert_eq!(wrong["$ref"], "#/components/schemas/a.b_Error");
    assert!(get["responses"]["204"].get("content").is_none());
    let form = &path["post"]["requestBody"]["content"]["multipart/form-data"]["schema"];
    assert_eq!(form["required"], json!(["file"]));
    assert_eq!(form["properties"]["file"]["format"], "binary");
    assert_eq!(
        path["put"]["requestBody"]["content"]["text/plain"]["schema"]["$ref"],
        "#/components/schemas/a.b_Widget"
    );
    let widget = &all["components"]["schemas"]["a.b_Widget"];
    assert_eq!(widget["discriminator"], json!({ "propertyName": "state" }));
    assert_eq!(
        widget["properties"],
        json!({
            "state": { "type": "string", "enum": ["on", "off"], "nullable": true },
            "level": { "type": "integer", "minimum": 1 },
            "free": { "type": "object", "additionalProperties": true },
            "counts": { "type": "object", "additionalProperties": { "type": "integer", "nullable": true } },
            "child": { "$ref": "#/components/schemas/a.b_Widget", "nullable": true },
            "raw": { "type": "string", "format": "binary" },
        })
    );
    assert_eq!(all["components"]["securitySchemes"]["Basic"], json!({ "type": "http", "scheme": "basic" }));
    let expected = [
        (Quirk::NullableExtension, 3),
        (Quirk::NullInEnum, 1),
        (Quirk::ListInEnum, 1),
        (Quirk::DuplicateInEnum, 1),
        // One for each of the three operations that share the parameter.
        (Quirk::NumericBoundOfString, 3),
        (Quirk::NullDefault, 1),
        (Quirk::InvalidDefault, 1),
        (Quirk::EmptyDefault, 1),
        (Quirk::RequiredFlag, 1),
        (Quirk::SchemaName, 2),
    ];
    assert_eq!(document.quirks, expected.into_iter().collect());
}

#[test]
fn extract_merges_the_parts_of_an_object() {
    let object = |names: &[&str], required: &[&str]| {
        let properties: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
        json!({ "type": "object", "properties": properties, "required": required })
    };
    let mut other = object(&["a", "c"], &["a"]);
    other["properties"]["a"] = json!({ "type": "integer" });
    for (key, parts, required, a) in [
        (
            "allOf",
            vec![object(&["a"], &["a"]), object(&["b"], &["b"])],
            json!(["a", "b"]),
            json!({ "type": "string" }),
        ),
        (
            "oneOf",
            vec![object(&["a", "b"], &["a", "b"]), object(&["a"], &["a"])],
            json!(["a"]),
            json!({ "type": "string" }),
        ),
        ("anyOf", vec![object(&["a"], &["a"]), other], json!(["a"]), json!({})),
    ] {
        let schema = json!({ key: parts });
        let body = json!({ "content": { "application/json": { "schema": schema } } });
        let document = json!({ "openapi": "3.0.3", "paths": { "/x": { "post": { "requestBody": body } } } });
        let names = BTreeMap::from([(Key::new("post", "/x"), ("/x".to_owned(), "x_create".to_owned()))]);
        let extracted = extract(&document, &names).unwrap();
        let merged =
            &extracted["paths"]["/x"]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!((&merged["required"], &merged["properties"]["a"]), (&required, &a), "{key}");
        assert!(merged.get(key).is_none());
    }
}

#[test]
fn convert_choice_with_null_is_nullable() {
    let document = read(
        "swagger: '2.0'\npaths:\n  /a:\n    get:\n      summary: '[DEPRECATED] Get'\n      parameters:\n        - { name: q, in: query, \
         anyOf: [{ type: string }, { type: 'null' }] }\n        - { name: r, in: query, anyOf: [{ type: string }, { type: \
         integer }] }\n      responses: { '200': { description: Yes. } }\n",
    );
    let get = &document.value["paths"]["/a"]["get"];
    assert_eq!(get["parameters"][0]["schema"], json!({ "type": "string", "nullable": true }));
    assert_eq!(get["parameters"][1]["schema"]["anyOf"].as_array().unwrap().len(), 2);
    assert_eq!((&get["deprecated"], &get["summary"]), (&json!(true), &json!("Get")));
    let expected = [(Quirk::NullAlternative, 1), (Quirk::DeprecatedSummary, 1)];
    assert_eq!(document.quirks, BTreeMap::from(expected));
}

/// A query has one list of values for a parameter, in both formats.
#[test]
fn convert_nested_list_in_query_is_a_list() {
    let list = "type: array, items: { type: array, items: { type: string } }";
    let responses = "responses: { '200': { description: Yes. } }";
    for (version, schema) in
        [("swagger: '2.0'", list.to_owned()), ("openapi: 3.0.3", format!("schema: {{ {list} }}"))]
    {
        let document = read(&format!(
            "{version}\npaths:\n  /a:\n    get:\n      parameters: [{{ name: ids, in: query, {schema} }}]\n      {responses}\n"
        ));
        let parameter = &document.value["paths"]["/a"]["get"]["parameters"][0];
        assert_eq!(
            parameter["schema"],
            json!({ "type": "array", "items": { "type": "string" } }),
            "{version}"
        );
        assert_eq!(document.quirks, BTreeMap::from([(Quirk::NestedListInQuery, 1)]), "{version}");
    }
}

/// A file cannot be in JSON, and the headers of a response are part of it.
#[test]
fn convert_file_in_json_is_a_form_and_headers_are_kept() {
    let document = read(
        "swagger: '2.0'\npaths:\n  /a:\n    post:\n      parameters:\n        - { name: body, in: body, schema: { $ref: '#/definitions/Form' } }\n        - \
         { name: X-Tag, in: header, required: true, type: string }\n      responses:\n        '200': { description: Yes., headers: { X-Tag: { type: string, \
         description: The tag. } } }\ndefinitions:\n  Form: { type: object, properties: { file: { type: string, format: binary } } }\n",
    );
    let post = &document.value["paths"]["/a"]["post"];
    let schema = json!({ "$ref": "#/components/schemas/Form" });
    assert_eq!(post["requestBody"]["content"], json!({ "multipart/form-data": { "schema": schema } }));
    let header = json!({ "name": "X-Tag", "in": "header", "required": true, "schema": { "type": "string" } });
    assert_eq!(post["parameters"], json!([header]));
    let header = json!({ "schema": { "type": "string" }, "description": "The tag." });
    assert_eq!(post["responses"]["200"]["headers"], json!({ "X-Tag": header }));
    assert_eq!(document.quirks, BTreeMap::from([(Quirk::FileInJson, 1)]));
}

#[test]
fn convert_openapi_yaml_is_supported() {
    let document = read(
        "openapi: 3.0.1\npaths:\n  /a:\n    get:\n      parameters:\n        - { name: q, in: query, schema: { type: string, \
         default: null } }\n      responses:\n        '200':\n          description: Yes.\n",
    );
    assert_eq!(document.format, "OpenAPI 3.0.1");
    assert_eq!(document.value["paths"]["/a"]["get"]["parameters"][0]["schema"], json!({ "type": "string" }));
    assert_eq!(document.quirks, BTreeMap::from([(Quirk::NullDefault, 1)]));
}

#[test]
fn convert_invalid_document_is_an_error() {
    for (text, message) in [
        ("{", "document.yaml is not valid JSON"),
        ("a: [", "document.yaml is not valid YAML"),
        ("{}", "neither `swagger: \"2.0\"` nor `openapi: 3.0.x`"),
        ("just a text", "neither"),
        ("[1, 2]", "neither"),
        ("swagger: '1.2'", "is Swagger 1.2"),
        ("openapi: 3.1.0", "is OpenAPI 3.1.0; supported is 3.0"),
        ("swagger: '2.0'", "has no paths"),
    ] {
        let error = convert("document.yaml", text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}\n{error}");
    }
    let error = open(Path::new("/nonexistent/document.json")).unwrap_err().to_string();
    assert!(error.starts_with("/nonexistent/document.json: "), "{error}");
}

#[test]
fn extract_resolves_references_and_renames_operations() {
    let document = read(QUIRKS);
    let names = BTreeMap::from([(
        Key::new("GET", "/widgets/{}"),
        ("/widgets/{id}".to_owned(), "widgets_get".to_owned()),
    )]);
    let extracted = extract(&document.value, &names).unwrap();
    let operation = &extracted["paths"]["/widgets/{id}"]["get"];
    assert_eq!(operation["operationId"], "widgets_get");
    assert_eq!(operation["x-reference"], "_mangled_get");
    assert_eq!(operation["parameters"][0]["name"], "id", "name in our path");
    assert!(extracted["paths"]["/widgets/{id}"].get("post").is_none());
    let widget = &operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]
        ["items"];
    assert_eq!(widget["properties"]["state"]["enum"], json!(["on", "off"]));
    let child = &widget["properties"]["child"];
    assert_eq!(
        child,
        &json!({ "type": "object", "x-recursive": true, "nullable": true }),
        "recursive schema"
    );
}

#[test]
fn extract_oversized_operation_is_an_error() {
    let names = BTreeMap::from([(Key::new("GET", "/a"), ("/a".to_owned(), "a_get".to_owned()))]);
    let of = |schemas: Map<String, Value>| {
        json!({
            "openapi": "3.0.3",
            "paths": { "/a": { "get": { "responses": { "200": {
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/s0" } } }
            } } } } },
            "components": { "schemas": schemas },
        })
    };
    let reference = |number: usize| json!({ "$ref": format!("#/components/schemas/s{number}") });
    // Each schema references the next one twice, which doubles the size at each level.
    let double = |n: usize| json!({ "type": "object", "properties": { "a": reference(n + 1), "b": reference(n + 1) } });
    let doubled = of((0..40).map(|n| (format!("s{n}"), double(n))).collect());
    let error = extract(&doubled, &names).unwrap_err().to_string();
    assert!(error.contains("a_get has more than"), "{error}");
    // A long chain is cut off, without a stack overflow.
    let chain = of((0..5_000)
        .map(|n| (format!("s{n}"), json!({ "properties": { "a": reference(n + 1) } })))
        .collect());
    assert!(extract(&chain, &names).unwrap().to_string().contains("x-recursive"));
    assert!(Surface::from_document(&chain).operations.values().all(|one| one.locations.len() < 200));
}

#[test]
fn surface_includes_all_parts_of_all_of() {
    let document = |inner: &str, required: &str| {
        read(&format!(
            "openapi: 3.0.3\npaths:\n  /a:\n    patch:\n      requestBody:\n        content:\n          application/json:\n            \
             schema:\n              allOf: [{{ $ref: '#/components/schemas/B' }}, {{ required: [{required}] }}]\n      \
             responses: {{}}\ncomponents:\n  schemas:\n    B:\n      allOf: [{{ $ref: '#/components/schemas/C' }}, {{ \
             properties: {{ b: {{ type: string }} }} }}]\n    C:\n      properties:\n        c: {{ oneOf: [{{ $ref: \
             '#/components/schemas/D' }}, {{ type: string }}] }}\n    D: {{ type: {inner} }}\n"
        ))
    };
    let surface = |document: &Document| {
        let all = Surface::from_document(&document.value);
        all.operations[&Key::new("patch", "/a")].locations.clone()
    };
    let one = surface(&document("integer", "c"));
    assert_eq!(one.keys().collect::<Vec<_>>(), ["request.body", "request.body.b", "request.body.c"]);
    assert_eq!(one["request.body.c"].facts["required"], json!(true));
    assert!(!one["request.body.b"].facts.contains_key("required"));
    assert_ne!(
        one["request.body.c"],
        surface(&document("boolean", "c"))["request.body.c"],
        "references in a composition are resolved"
    );
}

#[test]
fn overlay_actions_change_only_their_targets_once() {
    let overlays = [overlay(&format!(
        "  - {{ target: $.a, description: D., update: {{ n: 1, list: [x, y], deep: {{ p: q }} }}, {EVIDENCE} }}\n  \
         - {{ target: '$.list[?@.name == ''b'']', description: D., remove: true, {EVIDENCE} }}\n  \
         - {{ target: $.values, description: D., update: v, {EVIDENCE} }}\n  \
         - {{ target: '$.m[''one'', ''two'']', description: D., update: {{ nullable: true }}, {EVIDENCE} }}\n"
    ))
    .unwrap()];
    let mut document = json!({
        "a": { "list": ["x"], "deep": { "o": 1 }, "n": 0 },
        "list": [{ "name": "b" }, { "name": "c" }, { "name": "b" }],
        "values": ["u"],
        "m": { "one": {}, "two": {}, "three": {} },
    });
    let applied = apply(&overlays, &mut document).unwrap();
    assert!(unmatched(&applied).is_none());
    let counts: Vec<_> = applied.iter().map(|one| (one.matched, one.changed)).collect();
    assert_eq!(counts, [(1, 1), (2, 2), (1, 1), (2, 2)]);
    let expected = json!({
        "a": { "list": ["x", "y"], "deep": { "o": 1, "p": "q" }, "n": 1 },
        "list": [{ "name": "c" }],
        "values": ["u", "v"],
        "m": { "one": { "nullable": true }, "two": { "nullable": true }, "three": {} },
    });
    assert_eq!(document, expected);
    let second = apply(&overlays, &mut document).unwrap();
    assert!(second.iter().all(|one| one.changed == 0));
    assert_eq!(document, expected);
}

#[test]
fn overlay_action_without_match_is_an_error() {
    let overlays = [overlay(&format!(
        "  - {{ target: $.gone, description: D., remove: true, {EVIDENCE} }}\n  \
         - {{ target: '$.m[''one'', ''gone'']', description: D., update: {{ a: 1 }}, {EVIDENCE} }}\n"
    ))
    .unwrap()];
    let applied = apply(&overlays, &mut json!({ "m": { "one": {} } })).map(|all| unmatched(&all)).unwrap();
    let error = applied.unwrap().to_string();
    assert!(error.contains("overlays/t.yaml: $.gone"), "{error}");
    assert!(error.contains("$.m['one', 'gone'] (gone does not exist)"), "{error}");
}

#[test]
fn overlay_action_without_match_is_allowed_if_operation_is_missing() {
    let bundle = Bundle::read(&spec()).unwrap();
    let listed = operations::read(&spec()).unwrap();
    let one = |target: &str| {
        [overlay(&format!("  - {{ target: \"{target}\", description: D., remove: true, {EVIDENCE} }}"))
            .unwrap()]
    };
    let of_groups = one("$.paths['/groups', '/agents'].get.unknown");
    let of_agents = one("$.paths['/agents'].get.unknown");
    let of_all = one("$.paths[*].get.unknown");
    let import_with = |overlays: &[Overlay], document: &Value| {
        let document = convert("vendor.json", &document.to_string()).unwrap();
        compare(&bundle, &listed, overlays, &Baseline::default(), document).unwrap()
    };
    let complete = swagger(&bundle);
    for overlays in [&of_groups, &of_agents, &of_all] {
        let import = import_with(overlays, &complete);
        let report = Report { name: "vendor.json", import: &import, findings: &[], written: None };
        for text in [report.text(), report.markdown(), report.json()] {
            assert!(text.contains("without a matching target"), "{text}");
        }
    }
    let mut part = complete.clone();
    part["paths"].as_object_mut().unwrap().remove("/web/api/v2.1/groups");
    for overlays in [&of_groups, &of_all] {
        let import = import_with(overlays, &part);
        assert!(import.unmatched.is_none());
        assert_eq!(import.without_target().count(), 1);
        assert_eq!(import.differences.len(), 1, "the missing operation");
    }
    assert!(import_with(&of_agents, &part).unmatched.is_some(), "the operation exists");
    // Another method of the path is another operation.
    let mut part = complete.clone();
    part["paths"]["/web/api/v2.1/restrictions"].as_object_mut().unwrap().remove("get");
    assert!(import_with(&one("$.paths['/restrictions'].get.unknown"), &part).unmatched.is_none());
    assert!(import_with(&one("$.paths['/restrictions'].post.unknown"), &part).unmatched.is_some());
}

#[test]
fn overlay_invalid_action_is_an_error() {
    for (actions, message) in [
        (format!("  - {{ target: $.a, update: {{}}, {EVIDENCE} }}"), "has no description"),
        ("  - { target: $.a, description: D., update: {} }".to_owned(), "has no evidence"),
        (format!("  - {{ target: $.a, description: D., {EVIDENCE} }}"), "requires either update or remove"),
        (
            format!("  - {{ target: $.a, description: D., update: {{}}, remove: true, {EVIDENCE} }}"),
            "requires either update or remove",
        ),
        (format!("  - {{ target: 'a[', description: D., remove: true, {EVIDENCE} }}"), "action 1, a["),
        (format!("  - {{ target: $.a, description: D., copy: b, {EVIDENCE} }}"), "copy"),
    ] {
        let error = overlay(&actions).unwrap_err();
        assert!(error.starts_with("spec/overlays/t.yaml: ") && error.contains(message), "{actions}\n{error}");
    }
    let old = "overlay: 1.1.0\ninfo: { title: T, version: 1.0.0 }\nactions: []\n";
    assert!(overlays::parse("overlays/t.yaml", old).unwrap_err().to_string().contains("expected 1.0.0"));
    for (target, update, message) in [
        ("$.text", "{ a: 1 }", "neither an object nor an array"),
        ("$.map", "text", "the update is not an object"),
    ] {
        let one =
            [overlay(&format!("  - {{ target: {target}, description: D., update: {update}, {EVIDENCE} }}"))
                .unwrap()];
        let error = apply(&one, &mut json!({ "text": "t", "map": {} })).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let whole =
        [overlay(&format!("  - {{ target: $, description: D., remove: true, {EVIDENCE} }}")).unwrap()];
    assert!(apply(&whole, &mut json!({})).is_err());
}

/// Converts the specification to a document like that of the vendor: Swagger 2.0 with inline schemas, `x-nullable` and
/// quirks.
fn swagger(bundle: &Bundle) -> Value {
    let mut paths = Map::new();
    for operation in bundle.operations().filter(|one| !one.path.starts_with("/v2.0/")) {
        let mut parameters = Vec::new();
        for parameter in operation.parameters() {
            let mut node = swagger_schema(bundle, &parameter["schema"]);
            for key in ["name", "in", "required", "description"] {
                node[key] = parameter[key].clone();
            }
            if node["type"] == "array" {
                node["collectionFormat"] = json!("csv");
            }
            if node["type"] == "string" && node["in"] == "path" {
                node["minimum"] = json!(100_000_000_000_000_000_u64);
            }
            if node["name"] == "cursor" {
                node["default"] = Value::Null;
                node["x-nullable"] = json!(true);
            }
            parameters.push(node);
        }
        if let Some(body) = operation.body() {
            parameters.push(json!({ "name": "body", "in": "body", "schema": swagger_schema(bundle, body) }));
        }
        let mut responses = Map::new();
        let mut produces = "application/json";
        for (status, response) in operation.node["responses"].as_object().unwrap() {
            let mut node = json!({ "description": "A." });
            if let Some((media, content)) =
                response["content"].as_object().and_then(|content| content.iter().next())
            {
                node["schema"] = swagger_schema(bundle, &content["schema"]);
                if media != "application/json" {
                    node["schema"]["type"] = json!("file");
                    produces = media;
                }
            }
            responses.insert(status.clone(), node);
        }
        let path = format!("/web/api/v2.1{}", operation.path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        let id = format!("_web_api_{}", operation.id());
        let mut node = json!({ "operationId": id, "parameters": parameters, "responses": responses });
        if let Some(security) = operation.node.get("security") {
            node["security"] = security.clone();
        }
        let permissions = &operation.node["x-s1"]["permissions"];
        node["x-s1-required-permissions"] = permissions["required"].clone();
        node["x-s1-optional-permissions"] = permissions["optional"].clone();
        let deprecated = if operation.node["deprecated"] == true { "[DEPRECATED] " } else { "" };
        node["summary"] = json!(format!("{deprecated}{}", operation.node["summary"].as_str().unwrap()));
        // Error responses are JSON, which Swagger cannot express for an operation with a file response.
        if produces != "application/json" {
            node["produces"] = json!([produces]);
            let errors = node["responses"].as_object_mut().unwrap();
            errors.retain(|status, _| status.starts_with('2'));
            for status in operation.node["responses"].as_object().unwrap().keys() {
                errors.entry(status.clone()).or_insert(json!({ "description": "No." }));
            }
        }
        item[operation.method] = node;
    }
    let mut all = json!({ "swagger": "2.0", "info": { "title": "T", "version": "2.1" }, "paths": paths });
    all["securityDefinitions"] = bundle.document["components"]["securitySchemes"].clone();
    all["security"] = bundle.document["security"].clone();
    all
}

/// Converts a schema to Swagger 2.0, with references resolved.
fn swagger_schema(bundle: &Bundle, schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                let name = target.rsplit('/').next().unwrap();
                return swagger_schema(bundle, bundle.schema(name).unwrap());
            }
            let mut new = Map::new();
            if let Some(Value::Array(all)) = map.get("allOf") {
                new = swagger_schema(bundle, &all[0]).as_object().unwrap().clone();
            }
            for (name, value) in map.iter().filter(|(name, _)| *name != "allOf" && *name != "x-s1") {
                match (name.as_str(), value) {
                    ("nullable", _) => drop(new.insert("x-nullable".into(), value.clone())),
                    ("properties", Value::Object(all)) => {
                        let all = all.iter().map(|(name, one)| (name.clone(), swagger_schema(bundle, one)));
                        new.insert(name.clone(), Value::Object(all.collect()));
                    }
                    ("items" | "additionalProperties", Value::Object(_)) => {
                        new.insert(name.clone(), swagger_schema(bundle, value));
                    }
                    _ => drop(new.insert(name.clone(), value.clone())),
                }
            }
            Value::Object(new)
        }
        other => other.clone(),
    }
}

fn import(bundle: &Bundle, overlays: &[Overlay], document: &Value) -> Import {
    let document = convert("vendor.json", &document.to_string()).unwrap();
    let listed = operations::read(&spec()).unwrap();
    compare(bundle, &listed, overlays, &Baseline::default(), document).unwrap()
}

#[test]
fn import_writes_permissions_and_deprecation() {
    let bundle = Bundle::read(&spec()).unwrap();
    let mut document = swagger(&bundle);
    let node = &mut document["paths"]["/web/api/v2.1/groups"]["get"];
    node["x-s1-required-permissions"] = json!(["Groups.view", "Sites.view"]);
    node["summary"] = json!("[DEPRECATED] Get Groups");
    let import = import(&bundle, &[], &document);
    let names: Vec<_> = import.differences.iter().map(|one| (one.name(), one.kind.clone())).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(spec()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let written = sentinelone_codegen::import::write(dir.path(), &import, "2026-06").unwrap();
    assert_eq!(written.manual, Vec::<String>::new());
    let text = std::fs::read_to_string(dir.path().join("groups.yaml")).unwrap();
    assert!(text.contains("permissions: { required: [Groups.view, Sites.view] }"), "{text}");
    assert!(
        text.contains("deprecated: true") && text.contains("deprecated in the vendor document of 2026-06")
    );
    let bundle = Bundle::read(dir.path()).unwrap();
    assert!(self::import(&bundle, &[], &document).differences.is_empty());
}

#[test]
fn import_of_a_document_without_permissions_keeps_them() {
    let bundle = Bundle::read(&spec()).unwrap();
    let mut document = swagger(&bundle);
    for item in document["paths"].as_object_mut().unwrap().values_mut() {
        for node in item.as_object_mut().unwrap().values_mut() {
            node.as_object_mut().unwrap().retain(|name, _| !name.ends_with("-permissions"));
            let summary = node["summary"].as_str().unwrap().replace("[DEPRECATED] ", "");
            node["summary"] = json!(summary);
        }
    }
    assert_eq!(import(&bundle, &[], &document).differences, []);
}

#[test]
fn import_without_an_operation_is_a_difference_unless_it_is_removed() {
    let mut bundle = Bundle::read(&spec()).unwrap();
    let mut document = swagger(&bundle);
    document["paths"].as_object_mut().unwrap().remove("/web/api/v2.1/accounts").unwrap();
    let differs = |bundle: &Bundle| {
        let import = import(bundle, &[], &document);
        let of =
            |all: &[Difference]| all.iter().any(|one| one.id == "accounts_list" && one.location.is_empty());
        (of(&import.differences), of(&import.explained))
    };
    assert_eq!(differs(&bundle), (true, false));
    let facts = &mut bundle.document["paths"]["/accounts"]["get"]["x-s1"];
    facts["end"] = json!({ "removed": true, "source": "a page" });
    assert_eq!(differs(&bundle), (false, true));
}

#[test]
fn lost_tier_is_a_finding() {
    let listed = operations::read(&spec()).unwrap();
    let mut bundle = Bundle::read(&spec()).unwrap();
    assert_eq!(operations::tier_findings(&bundle, &listed), []);
    bundle.document["paths"]["/groups"]["get"]["x-s1"]["tier"] = json!("documented");
    let findings = operations::tier_findings(&bundle, &listed);
    assert_eq!(findings.len(), 1);
    let finding = findings[0].to_string();
    assert_eq!(finding, "GET /groups: x-s1.tier is documented, but operations.toml has curated");
}

#[test]
fn import_equivalent_swagger_has_no_differences() {
    let bundle = Bundle::read(&spec()).unwrap();
    let import = import(&bundle, &[], &swagger(&bundle));
    assert_eq!(import.differences, []);
    // The document does not have the operations of API 2.0; they have other evidence.
    let missing: Vec<_> = import.explained.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(missing, ["threats_list_v2_0", "threats_mark_as_resolved", "threats_mark_as_threat"]);
    assert!(import.new.is_empty());
}

/// Name of a vendor change, the change, and the expected difference.
type Change = (&'static str, fn(&mut Value), &'static str);

const LIST: &str = "/paths/~1web~1api~1v2.1~1groups/get";

fn groups(document: &mut Value) -> &mut Value {
    document.pointer_mut(LIST).unwrap()
}

fn parameter<'a>(operation: &'a mut Value, name: &str) -> &'a mut Value {
    operation["parameters"].as_array_mut().unwrap().iter_mut().find(|one| one["name"] == name).unwrap()
}

fn group(document: &mut Value) -> &mut Value {
    groups(document).pointer_mut("/responses/200/schema/properties/data/items/properties").unwrap()
}

const CHANGES: [Change; 19] = [
    (
        "a response is not JSON any more",
        |all| groups(all)["produces"] = json!(["text/csv"]),
        "response.200 media",
    ),
    (
        "a field appears",
        |all| group(all)["color"] = json!({ "type": "string" }),
        "response.200.data[].color Theirs",
    ),
    (
        "an object appears",
        |all| group(all)["owner"] = json!({ "type": "object", "properties": { "id": { "type": "string" } } }),
        "response.200.data[].owner Theirs",
    ),
    (
        "a field disappears",
        |all| drop(group(all).as_object_mut().unwrap().remove("rank")),
        "response.200.data[].rank Ours",
    ),
    ("a type changes", |all| group(all)["rank"]["type"] = json!("string"), "response.200.data[].rank type"),
    (
        "a format changes",
        |all| group(all)["createdAt"]["format"] = json!("date"),
        "response.200.data[].createdAt format",
    ),
    (
        "null is allowed",
        |all| group(all)["name"]["x-nullable"] = json!(true),
        "response.200.data[].name nullable",
    ),
    (
        "an enum grows",
        |all| group(all)["type"]["enum"].as_array_mut().unwrap().push(json!("smart")),
        "response.200.data[].type enum",
    ),
    (
        "a parameter appears",
        |all| {
            let parameters = groups(all)["parameters"].as_array_mut().unwrap();
            parameters.push(json!({ "name": "color", "in": "query", "type": "string" }));
        },
        "request.query.color Theirs",
    ),
    (
        "a parameter disappears",
        |all| groups(all)["parameters"].as_array_mut().unwrap().retain(|one| one["name"] != "rank"),
        "request.query.rank Ours",
    ),
    (
        "a bound changes",
        |all| parameter(groups(all), "limit")["maximum"] = json!(200),
        "request.query.limit maximum",
    ),
    (
        "a default changes",
        |all| parameter(groups(all), "limit")["default"] = json!(20),
        "request.query.limit default",
    ),
    (
        "a parameter becomes required",
        |all| parameter(groups(all), "siteIds")["required"] = json!(true),
        "request.query.siteIds required",
    ),
    (
        "a list becomes exploded",
        |all| parameter(groups(all), "siteIds")["collectionFormat"] = json!("multi"),
        "request.query.siteIds explode",
    ),
    (
        "a status appears",
        |all| groups(all)["responses"]["429"] = json!({ "description": "Slower." }),
        "response.429 Theirs",
    ),
    (
        "a status disappears",
        |all| drop(groups(all)["responses"].as_object_mut().unwrap().remove("400")),
        "response.400 Ours",
    ),
    (
        "the authentication changes",
        |all| {
            all["securityDefinitions"]["Other"] = json!({ "type": "basic" });
            groups(all)["security"] = json!([{ "Other": [] }]);
        },
        " security",
    ),
    ("an operation becomes deprecated", |all| groups(all)["deprecated"] = json!(true), " deprecated"),
    (
        "an operation disappears",
        |all| {
            all["paths"].as_object_mut().unwrap().remove("/web/api/v2.1/groups");
        },
        " Ours",
    ),
];

#[test]
fn import_each_vendor_change_is_one_difference() {
    let bundle = Bundle::read(&spec()).unwrap();
    for (name, change, expected) in CHANGES {
        let mut document = swagger(&bundle);
        change(&mut document);
        let import = import(&bundle, &[], &document);
        let found: Vec<String> = import
            .differences
            .iter()
            .map(|one| match &one.kind {
                DifferenceKind::Ours => format!("{} {} Ours", one.id, one.location),
                DifferenceKind::Theirs => format!("{} {} Theirs", one.id, one.location),
                DifferenceKind::Fact { name, .. } => format!("{} {} {name}", one.id, one.location),
                DifferenceKind::Renamed { to, .. } | DifferenceKind::Moved { to, .. } => {
                    format!("{} {} {to}", one.id, one.location)
                }
            })
            .collect();
        assert_eq!(found, [format!("groups_list {expected}")], "{name}");
    }
}

#[test]
fn import_ignores_descriptions_order_and_read_only() {
    let bundle = Bundle::read(&spec()).unwrap();
    let mut document = swagger(&bundle);
    let operation = groups(&mut document);
    operation["description"] = json!("Another description.");
    operation["parameters"].as_array_mut().unwrap().reverse();
    parameter(operation, "siteIds")["x-nullable"] = json!(true);
    group(&mut document)["type"]["enum"].as_array_mut().unwrap().reverse();
    group(&mut document)["name"]["maxLength"] = json!(80);
    group(&mut document)["name"]["readOnly"] = json!(true);
    let response = groups(&mut document).pointer_mut("/responses/200/schema").unwrap();
    response["required"] = json!(["data", "pagination"]);
    assert_eq!(import(&bundle, &[], &document).differences, []);
}

#[test]
fn import_evidence_explains_old_values_only() {
    let bundle = Bundle::read(&spec()).unwrap();
    let status = |document: &mut Value, values: Value| {
        let path =
            "/paths/~1web~1api~1v2.1~1dv~1query-status/get/responses/200/schema/properties/data/properties";
        let node = document.pointer_mut(path).unwrap();
        node["responseState"]["enum"] = values;
    };
    let mut document = swagger(&bundle);
    status(&mut document, json!(["RUNNING", "FINISHED"]));
    let older = import(&bundle, &[], &document);
    assert_eq!(older.differences, []);
    assert!(older.explained.iter().any(|one| one.location == "response.200.data.responseState"));
    status(&mut document, json!(["RUNNING", "FINISHED", "A_NEW_ONE"]));
    let newer = import(&bundle, &[], &document);
    assert_eq!(newer.differences.len(), 1);
    assert_eq!(newer.differences[0].location, "response.200.data.responseState");
}

#[test]
fn import_reports_changes_behind_corrections_and_evidence() {
    let bundle = Bundle::read(&spec()).unwrap();
    let listed = operations::read(&spec()).unwrap();
    let body = "$.paths['/agents/actions/connect'].post.requestBody..filter.properties.uuids";
    let overlays = [overlay(&format!(
        "  - {{ target: \"{body}\", description: D., update: {{ maxItems: 5000 }}, {EVIDENCE} }}\n"
    ))
    .unwrap()];
    let import_with = |document: &Value, baseline: &Baseline| {
        let document = convert("vendor.json", &document.to_string()).unwrap();
        compare(&bundle, &listed, &overlays, baseline, document).unwrap()
    };
    let document = swagger(&bundle);
    let first = import_with(&document, &Baseline::default());
    assert!(!first.baseline_changes.is_empty(), "empty baseline");
    let text = first.baseline.to_text();
    let baseline = {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("baseline.toml"), &text).unwrap();
        Baseline::read(dir.path()).unwrap()
    };
    assert_eq!(baseline, first.baseline, "round trip");
    assert!(import_with(&document, &baseline).baseline_changes.is_empty());

    // A change behind the correction, which hides it.
    let mut changed = document.clone();
    let filter =
        "/paths/~1web~1api~1v2.1~1agents~1actions~1connect/post/parameters/0/schema/properties/filter";
    changed.pointer_mut(&format!("{filter}/properties/uuids")).unwrap()["maxItems"] = json!(7);
    let import = import_with(&changed, &baseline);
    assert_eq!(import.differences, []);
    let report = Report { name: "vendor.json", import: &import, findings: &[], written: None };
    for text in [report.text(), report.markdown(), report.json()] {
        assert!(text.contains("uuids") && text.contains("maxItems"), "{text}");
    }
    let [one] = import.baseline_changes.as_slice() else { panic!("{:?}", import.baseline_changes) };
    assert!(one.name.ends_with(body), "{}", one.name);
    assert_eq!(one.is.as_deref(), Some(r#"{"maxItems":7}"#));

    // Changes behind evidence: an enum loses a value, and an enum is removed.
    let status =
        "/paths/~1web~1api~1v2.1~1dv~1query-status/get/responses/200/schema/properties/data/properties";
    for values in [Some(json!(["RUNNING"])), None] {
        let mut changed = document.clone();
        let node = changed.pointer_mut(&format!("{status}/responseState")).unwrap().as_object_mut().unwrap();
        match values {
            Some(values) => node.insert("enum".into(), values),
            None => node.remove("enum"),
        };
        let import = import_with(&changed, &baseline);
        assert_eq!(import.differences, []);
        let changes = &import.baseline_changes;
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert!(changes[0].name.ends_with("response.200.data.responseState enum"), "{changes:?}");
        assert!(!import.is_settled());
    }
}

#[test]
fn overlay_update_does_not_create_missing_list() {
    let enums = "  - { target: \"$..['kind']\", description: D., update: { enum: [b] }, ".to_owned()
        + EVIDENCE
        + " }";
    let overlays = [overlay(&enums).unwrap()];
    let mut document =
        json!({ "one": { "kind": { "enum": ["a"] } }, "two": { "kind": { "type": "string" } } });
    let applied = apply(&overlays, &mut document).unwrap();
    assert_eq!((applied[0].matched, applied[0].changed), (1, 1));
    let expected =
        json!({ "one": { "kind": { "enum": ["a", "b"] } }, "two": { "kind": { "type": "string" } } });
    assert_eq!(document, expected);
}

#[test]
fn overlay_update_creates_empty_list() {
    let open =
        "  - { target: $.get, description: D., update: { security: [] }, ".to_owned() + EVIDENCE + " }";
    let overlays = [overlay(&open).unwrap()];
    let mut document = json!({ "get": { "summary": "S" } });
    for changed in [1, 0] {
        let applied = apply(&overlays, &mut document).unwrap();
        assert_eq!((applied[0].matched, applied[0].changed), (1, changed));
        assert_eq!(document, json!({ "get": { "summary": "S", "security": [] } }));
    }
}

#[test]
fn import_write_applies_other_changes_if_one_is_rejected() {
    let bundle = Bundle::read(&spec()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(spec()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut document = swagger(&bundle);
    // Two properties with the same Rust name, which violates a lint rule; a list that becomes an object; and a valid
    // property.
    group(&mut document)["site_id"] = json!({ "type": "string" });
    group(&mut document)["brandNew"] = json!({ "type": "string" });
    let path = "/paths/~1web~1api~1v2.1~1accounts/get/responses/200/schema/properties/data";
    *document.pointer_mut(path).unwrap() = json!({ "type": "object", "properties": { "accounts": { "type": "array", "items": { "type": "string" } } } });
    // A new value of an enum that also belongs to API 2.0, which the document does not have.
    fn grow(node: &mut Value) {
        match node {
            Value::Object(map) => {
                if let Some(Value::Array(values)) = map.get_mut("enum")
                    && values.contains(&json!("laptop"))
                {
                    values.push(json!("toaster"));
                }
                map.values_mut().for_each(grow);
            }
            Value::Array(list) => list.iter_mut().for_each(grow),
            _ => {}
        }
    }
    grow(&mut document);
    let found = import(&bundle, &[], &document);
    let written = sentinelone_codegen::import::write(dir.path(), &found, "2026-11").unwrap();
    let manual = written.manual.join("\n");
    assert!(manual.contains("response.200.data[].site_id"), "{manual}");
    assert!(
        manual.contains("accounts_list response.200.data")
            && manual.contains("has become another one of these"),
        "{manual}"
    );
    let text = |file: &str| std::fs::read_to_string(dir.path().join(file)).unwrap();
    assert!(text("groups.yaml").contains("brandNew:") && !text("groups.yaml").contains("site_id:"));
    assert!(text("threats.yaml").contains("toaster"), "{manual}");
    assert_eq!(text("accounts.yaml"), std::fs::read_to_string(spec().join("accounts.yaml")).unwrap());
}

/// Returns the vendor document at the path in an environment variable. It is not part of the repository, so tests that
/// need it are skipped without the variable.
fn vendor_document(variable: &str) -> Option<Document> {
    let path = std::env::var_os(variable)?;
    Some(open(Path::new(&path)).unwrap())
}

#[test]
fn import_vendor_document_has_no_unexplained_differences() {
    let Some(document) = vendor_document("S1_VENDOR_DOCUMENT") else { return };
    // The corrections of all operations are part of the baseline.
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec");
    let bundle = Bundle::read(&spec).unwrap();
    let overlays = overlays::read(&spec).unwrap();
    let listed = operations::read(&spec).unwrap();
    let baseline = Baseline::read(&spec).unwrap();
    let import = compare(&bundle, &listed, &overlays, &baseline, document).unwrap();
    assert_eq!(import.differences, []);
    assert_eq!(import.baseline_changes, []);
    assert!(import.is_settled());
    let without_effect: Vec<_> = import.corrections.iter().filter(|one| one.changed == 0).collect();
    assert!(without_effect.is_empty(), "{without_effect:#?}");
    // A second application of the overlays has no effect.
    let mut twice = import.corrected.clone();
    apply(&overlays, &mut twice).unwrap();
    assert_eq!(twice, import.corrected);
}

#[test]
fn spec_accepts_every_request_of_the_vendor_document() {
    let Some(document) = vendor_document("S1_VENDOR_DOCUMENT") else { return };
    let bundle = Bundle::read(&spec()).unwrap();
    let mut index = SpecIndex::default();
    index.add(&bundle).unwrap();
    let mut vendor = Surface::from_document(&document.value);
    let mut curated = Surface::from_document(&bundle.document);
    diff::retain_known(&mut vendor, &mut curated, &index);
    let mut narrower = Vec::new();
    for finding in diff::compare(&vendor, &curated, &index) {
        let accepts_more = match finding.rule {
            // Without an enum or with free members, any value is accepted.
            Rule::EnumRemoved | Rule::AdditionalPropertiesChanged => true,
            // The document does not say which type a blocked or excluded value has, or which format a string.
            Rule::FormatChanged => finding.old.is_null(),
            // `spec/overlays/requests.yaml` states why it is removed.
            Rule::BecameOptional => true,
            Rule::FieldRemoved => finding.owner.ends_with(".containerizedWorkloadCounts"),
            // A field without a type takes any value. The overlays state why some fields take one boolean, not a list.
            Rule::TypeChanged => {
                let is_one_of_list = finding.old == "array" && finding.new == "boolean";
                finding.old.is_null() || finding.new.is_null() || is_one_of_list
            }
            _ => false,
        };
        if finding.direction != Direction::Request || !finding.class.breaks() || accepts_more {
            continue;
        }
        let locations = finding.operations.iter().flat_map(|one| &one.locations);
        narrower.extend(locations.filter_map(|location| match finding.rule {
            // A URL cannot contain null, and a list of null means nothing.
            Rule::NoLongerNullable if !location.starts_with("request.body") || location.ends_with("[]") => {
                None
            }
            // The document marks no body as required; the console rejects an action without one.
            Rule::BecameRequired if location == "request.body" => None,
            _ => Some(format!("{location}: {}", finding.message)),
        }));
    }
    assert_eq!(narrower, [""; 0]);
}

#[test]
fn surface_has_schema_locations_of_specification() {
    let bundle = Bundle::read(&spec()).unwrap();
    let surface = Surface::from_document(&bundle.document);
    assert_eq!(surface.operations.len(), bundle.operations().count());
    let threats = &surface.operations[&Key::new("get", "/web/api/v2.1/threats")];
    let verdict = &threats.locations["response.200.data[].threatInfo.analystVerdict"];
    assert_eq!(verdict.site.schema.as_deref(), Some("ThreatInfo"));
    assert_eq!(verdict.site.path, "analystVerdict");
    assert_eq!(verdict.target.schema.as_deref(), Some("AnalystVerdict"));
    assert_eq!(verdict.location_of("enum"), &verdict.target);
    assert_eq!(verdict.location_of("nullable"), &verdict.site);
    let ids = &threats.locations["request.query.ids"];
    assert_eq!(ids.site.schema.as_deref(), Some("ThreatFilter"), "query parameter of the filter");
}
