//! What a document of others says is read right, corrected right, and compared with `spec/` right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sentinelone_codegen::bundle::{Bundle, METHODS};
use sentinelone_codegen::document::{Document, Quirk, convert, extract, open};
use sentinelone_codegen::import::accepted::Accepted;
use sentinelone_codegen::import::corrections::{self, Overlay, apply, unmatched};
use sentinelone_codegen::import::lossy::{Loss, Profile};
use sentinelone_codegen::import::report::Report;
use sentinelone_codegen::import::{Import, What, compare, operations};
use sentinelone_codegen::surface::{Key, Surface};
use serde_json::{Map, Value, json};

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec")
}

fn read(text: &str) -> Document {
    convert("document.yaml", text).unwrap()
}

fn overlay(actions: &str) -> Result<Overlay, String> {
    let text = format!("overlay: 1.0.0\ninfo: {{ title: T, version: 1.0.0 }}\nactions:\n{actions}");
    corrections::parse("overlays/t.yaml", &text).map_err(|error| error.to_string())
}

const EVIDENCE: &str = "x-s1: { evidence: [{ source: inference, date: 2026-11 }] }";

#[test]
fn the_list_names_the_operations_of_the_specification() {
    let bundle = Bundle::read(&spec()).unwrap();
    let have: BTreeMap<String, (String, String, String)> = bundle
        .operations()
        .map(|one| {
            let file = format!("{}.yaml", bundle.path_modules[one.path].replace('_', "-"));
            (one.id().to_owned(), (one.method.to_uppercase(), one.path.to_owned(), file))
        })
        .collect();
    let listed: BTreeMap<_, _> = operations::read(&spec())
        .unwrap()
        .into_iter()
        .map(|(id, one)| (id, (one.method, one.path, one.file)))
        .collect();
    assert_eq!(listed, have);
}

#[test]
fn a_list_says_what_is_wrong_with_a_line() {
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
        ("tags_list = { method = \"GET\", path = \"/tags\", file = \"tags\" }", "no file of a resource"),
        ("list_tags = { method = \"GET\", path = \"/tags\", file = \"tags.yaml\" }", "starts with tags_"),
        ("tags_list = { method = \"GET\", path = \"/tags\" }", "missing field"),
        (
            "tags_a = { method = \"GET\", path = \"/tags/{id}\", file = \"tags.yaml\" }\n\
             tags_b = { method = \"GET\", path = \"/tags/{tag_id}\", file = \"tags.yaml\" }",
            "tags_b is GET /tags/{} as tags_a is",
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
    "/things/{thing_id}": {
      "parameters": [{ "name": "thing_id", "in": "path", "required": true, "type": "string", "minimum": 1e17 }],
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
            "data": { "type": "array", "items": { "$ref": "#/definitions/a.b Thing" } },
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
        "parameters": [{ "name": "body", "in": "body", "required": true, "schema": { "$ref": "#/definitions/a.b Thing" } }],
        "responses": { "200": { "description": "Yes." } }
      }
    }
  },
  "definitions": {
    "a.b Error": { "type": "object" },
    "a.b Thing": {
      "type": "object", "required": ["state"], "discriminator": "state",
      "properties": {
        "state": { "type": "string", "enum": ["on", "off", "on", null, ["broken"]], "default": "" },
        "level": { "type": "integer", "default": { "a": 1 }, "minimum": 1 },
        "free": { "type": "object", "additionalProperties": {} },
        "counts": { "type": "object", "additionalProperties": { "type": "integer", "x-nullable": true } },
        "child": { "$ref": "#/definitions/a.b Thing", "x-nullable": true },
        "raw": { "type": "file" }
      }
    }
  }
}"##;

#[test]
fn quirks_are_settled_and_counted() {
    let document = read(QUIRKS);
    assert_eq!(document.format, "Swagger 2.0");
    let all = &document.value;
    let path = &all["paths"]["/web/api/v2.1/things/{thing_id}"];
    let get = &path["get"];
    assert_eq!(get["parameters"][0]["schema"], json!({ "type": "string" }), "no bound on a text");
    assert_eq!(get["parameters"][1]["schema"], json!({ "type": "integer", "default": 10, "maximum": 1000 }));
    assert_eq!(get["parameters"][2]["explode"], json!(false));
    assert_eq!(get["parameters"][3]["explode"], json!(true));
    assert_eq!(get["parameters"][4]["schema"], json!({ "type": "string", "nullable": true }));
    let answer = &get["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(answer.get("required").is_none(), "a flag is no list");
    assert_eq!(answer["properties"]["required"], json!({ "type": "boolean" }), "a field may have any name");
    assert_eq!(answer["properties"]["properties"]["properties"]["enum"], json!({ "type": "string" }));
    let wrong = &get["responses"]["400"]["content"]["application/json"]["schema"];
    assert_eq!(wrong["$ref"], "#/components/schemas/a.b_Error");
    assert!(get["responses"]["204"].get("content").is_none());
    let form = &path["post"]["requestBody"]["content"]["multipart/form-data"]["schema"];
    assert_eq!(form["required"], json!(["file"]));
    assert_eq!(form["properties"]["file"]["format"], "binary");
    assert_eq!(
        path["put"]["requestBody"]["content"]["text/plain"]["schema"]["$ref"],
        "#/components/schemas/a.b_Thing"
    );
    let thing = &all["components"]["schemas"]["a.b_Thing"];
    assert_eq!(thing["discriminator"], json!({ "propertyName": "state" }));
    assert_eq!(
        thing["properties"],
        json!({
            "state": { "type": "string", "enum": ["on", "off"], "nullable": true },
            "level": { "type": "integer", "minimum": 1 },
            "free": { "type": "object", "additionalProperties": true },
            "counts": { "type": "object", "additionalProperties": { "type": "integer", "nullable": true } },
            "child": { "$ref": "#/components/schemas/a.b_Thing", "nullable": true },
            "raw": { "type": "string", "format": "binary" },
        })
    );
    assert_eq!(all["components"]["securitySchemes"]["Basic"], json!({ "type": "http", "scheme": "basic" }));
    let expected = [
        (Quirk::NullableExtension, 3),
        (Quirk::NullInEnum, 1),
        (Quirk::ListInEnum, 1),
        (Quirk::TwiceInEnum, 1),
        // Once for each of the three operations that share the parameter.
        (Quirk::BoundOnText, 3),
        (Quirk::NullDefault, 1),
        (Quirk::MalformedDefault, 1),
        (Quirk::EmptyDefault, 1),
        (Quirk::RequiredFlag, 1),
        (Quirk::SchemaName, 2),
    ];
    assert_eq!(document.quirks, expected.into_iter().collect());
}

#[test]
fn a_document_of_openapi_is_read_as_yaml_too() {
    let document = read(
        "openapi: 3.0.1\npaths:\n  /a:\n    get:\n      parameters:\n        - { name: q, in: query, schema: { type: string, \
         default: null } }\n      responses:\n        '200':\n          description: Yes.\n",
    );
    assert_eq!(document.format, "OpenAPI 3.0.1");
    assert_eq!(document.value["paths"]["/a"]["get"]["parameters"][0]["schema"], json!({ "type": "string" }));
    assert_eq!(document.quirks, BTreeMap::from([(Quirk::NullDefault, 1)]));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (text, message) in [
        ("{", "document.yaml is no JSON"),
        ("a: [", "document.yaml is no YAML"),
        ("{}", "neither `swagger: \"2.0\"` nor `openapi: 3.0.x`"),
        ("just a text", "neither"),
        ("[1, 2]", "neither"),
        ("swagger: '1.2'", "is Swagger 1.2"),
        ("openapi: 3.1.0", "is OpenAPI 3.1.0; convert it"),
        ("swagger: '2.0'", "has no paths"),
    ] {
        let error = convert("document.yaml", text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}\n{error}");
    }
    let error = open(Path::new("/nowhere/at-all.json")).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/at-all.json: "), "{error}");
}

#[test]
fn operations_are_taken_out_whole_and_under_our_names() {
    let document = read(QUIRKS);
    let names = BTreeMap::from([(
        Key::new("GET", "/things/{}"),
        ("/things/{id}".to_owned(), "things_get".to_owned()),
    )]);
    let taken = extract(&document.value, &names).unwrap();
    let operation = &taken["paths"]["/things/{id}"]["get"];
    assert_eq!(operation["operationId"], "things_get");
    assert_eq!(operation["x-reference"], "_mangled_get");
    assert_eq!(operation["parameters"][0]["name"], "id", "as our path calls it");
    assert!(taken["paths"]["/things/{id}"].get("post").is_none());
    let thing = &operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]
        ["items"];
    assert_eq!(thing["properties"]["state"]["enum"], json!(["on", "off"]));
    let child = &thing["properties"]["child"];
    assert_eq!(
        child,
        &json!({ "type": "object", "x-recursive": true, "nullable": true }),
        "cut off where it comes again"
    );
}

#[test]
fn a_document_beyond_measure_is_refused_and_not_followed() {
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
    // Each refers to the next twice, which doubles the whole every time.
    let double = |n: usize| json!({ "type": "object", "properties": { "a": reference(n + 1), "b": reference(n + 1) } });
    let doubled = of((0..40).map(|n| (format!("s{n}"), double(n))).collect());
    let error = extract(&doubled, &names).unwrap_err().to_string();
    assert!(error.contains("a_get has more than"), "{error}");
    // A long chain is cut off, and is no end of the stack.
    let chain = of((0..5_000)
        .map(|n| (format!("s{n}"), json!({ "properties": { "a": reference(n + 1) } })))
        .collect());
    assert!(extract(&chain, &names).unwrap().to_string().contains("x-recursive"));
    assert!(Surface::of(&chain).operations.values().all(|one| one.places.len() < 200));
}

#[test]
fn what_a_schema_is_put_together_from_is_all_seen() {
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
        let all = Surface::of(&document.value);
        all.operations[&Key::new("patch", "/a")].places.clone()
    };
    let one = surface(&document("integer", "c"));
    assert_eq!(one.keys().collect::<Vec<_>>(), ["request.body", "request.body.b", "request.body.c"]);
    assert_eq!(one["request.body.c"].facts["required"], json!(true));
    assert!(!one["request.body.b"].facts.contains_key("required"));
    assert_ne!(
        one["request.body.c"],
        surface(&document("boolean", "c"))["request.body.c"],
        "a choice is seen through"
    );
}

#[test]
fn a_correction_changes_what_it_names_and_nothing_twice() {
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
    let again = apply(&overlays, &mut document).unwrap();
    assert!(again.iter().all(|one| one.changed == 0));
    assert_eq!(document, expected);
}

#[test]
fn a_correction_that_finds_nothing_is_an_error() {
    let overlays = [overlay(&format!(
        "  - {{ target: $.gone, description: D., remove: true, {EVIDENCE} }}\n  \
         - {{ target: '$.m[''one'', ''gone'']', description: D., update: {{ a: 1 }}, {EVIDENCE} }}\n"
    ))
    .unwrap()];
    let applied = apply(&overlays, &mut json!({ "m": { "one": {} } })).map(|all| unmatched(&all)).unwrap();
    let error = applied.unwrap().to_string();
    assert!(error.contains("overlays/t.yaml: $.gone"), "{error}");
    assert!(error.contains("$.m['one', 'gone'] (gone is not there)"), "{error}");
}

#[test]
fn a_correction_may_go_with_its_operation_and_not_otherwise() {
    let bundle = Bundle::read(&spec()).unwrap();
    let listed = operations::read(&spec()).unwrap();
    let one = |target: &str| {
        [overlay(&format!("  - {{ target: \"{target}\", description: D., remove: true, {EVIDENCE} }}"))
            .unwrap()]
    };
    let of_groups = one("$.paths['/groups', '/agents'].get.nothing");
    let of_agents = one("$.paths['/agents'].get.nothing");
    let of_all = one("$.paths[*].get.nothing");
    let look = |overlays: &[Overlay], document: &Value| {
        let document = convert("vendor.json", &document.to_string()).unwrap();
        compare(&bundle, &listed, overlays, &Accepted::default(), document, None).unwrap()
    };
    let whole = swagger(&bundle);
    for overlays in [&of_groups, &of_agents, &of_all] {
        let import = look(overlays, &whole);
        let report = Report { name: "vendor.json", import: &import, findings: &[], written: None };
        for text in [report.text(), report.markdown(), report.json()] {
            assert!(text.contains("match nothing"), "{text}");
        }
    }
    let mut part = whole.clone();
    part["paths"].as_object_mut().unwrap().remove("/web/api/v2.1/groups");
    for overlays in [&of_groups, &of_all] {
        let import = look(overlays, &part);
        assert!(import.unmatched.is_none());
        assert_eq!(import.untold().count(), 1);
        assert_eq!(import.differences.len(), 1, "the operation itself");
    }
    assert!(look(&of_agents, &part).unmatched.is_some(), "its operation is there");
    // Another method of the same path is another operation.
    let mut part = whole.clone();
    part["paths"]["/web/api/v2.1/restrictions"].as_object_mut().unwrap().remove("get");
    assert!(look(&one("$.paths['/restrictions'].get.nothing"), &part).unmatched.is_none());
    assert!(look(&one("$.paths['/restrictions'].post.nothing"), &part).unmatched.is_some());
}

#[test]
fn an_overlay_says_what_is_wrong_with_it() {
    for (actions, message) in [
        (format!("  - {{ target: $.a, update: {{}}, {EVIDENCE} }}"), "has no description"),
        ("  - { target: $.a, description: D., update: {} }".to_owned(), "has no evidence"),
        (format!("  - {{ target: $.a, description: D., {EVIDENCE} }}"), "either updates or removes"),
        (
            format!("  - {{ target: $.a, description: D., update: {{}}, remove: true, {EVIDENCE} }}"),
            "either updates or removes",
        ),
        (format!("  - {{ target: 'a[', description: D., remove: true, {EVIDENCE} }}"), "action 1, a["),
        (format!("  - {{ target: $.a, description: D., copy: b, {EVIDENCE} }}"), "copy"),
    ] {
        let error = overlay(&actions).unwrap_err();
        assert!(error.starts_with("spec/overlays/t.yaml: ") && error.contains(message), "{actions}\n{error}");
    }
    let old = "overlay: 1.1.0\ninfo: { title: T, version: 1.0.0 }\nactions: []\n";
    assert!(corrections::parse("overlays/t.yaml", old).unwrap_err().to_string().contains("and not of 1.0.0"));
    for (target, update, message) in [
        ("$.text", "{ a: 1 }", "neither an object nor an array"),
        ("$.map", "text", "an object, and what it is updated by is none"),
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

/// The specification as the vendor would write it: Swagger 2.0 with inline copies of everything, `x-nullable`, and
/// the usual oddities.
fn swagger(bundle: &Bundle) -> Value {
    let mut paths = Map::new();
    for operation in bundle.operations().filter(|one| !one.path.starts_with("/v2.0/")) {
        let mut parameters = Vec::new();
        for parameter in operation.parameters() {
            let mut node = old(bundle, &parameter["schema"]);
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
            parameters.push(json!({ "name": "body", "in": "body", "schema": old(bundle, body) }));
        }
        let mut answers = Map::new();
        let mut produces = "application/json";
        for (status, answer) in operation.node["responses"].as_object().unwrap() {
            let mut node = json!({ "description": "A." });
            if let Some((media, content)) =
                answer["content"].as_object().and_then(|content| content.iter().next())
            {
                node["schema"] = old(bundle, &content["schema"]);
                if media != "application/json" {
                    node["schema"]["type"] = json!("file");
                    produces = media;
                }
            }
            answers.insert(status.clone(), node);
        }
        let path = format!("/web/api/v2.1{}", operation.path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        let id = format!("_web_api_{}", operation.id());
        let mut node = json!({ "operationId": id, "parameters": parameters, "responses": answers });
        // Errors are JSON all the same, which such a document cannot say of an operation with a file.
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

/// A schema in the words of Swagger 2.0, with its references written out.
fn old(bundle: &Bundle, schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                let name = target.rsplit('/').next().unwrap();
                return old(bundle, bundle.schema(name).unwrap());
            }
            let mut new = Map::new();
            if let Some(Value::Array(all)) = map.get("allOf") {
                new = old(bundle, &all[0]).as_object().unwrap().clone();
            }
            for (name, value) in map.iter().filter(|(name, _)| *name != "allOf" && *name != "x-s1") {
                match (name.as_str(), value) {
                    ("nullable", _) => drop(new.insert("x-nullable".into(), value.clone())),
                    ("properties", Value::Object(all)) => {
                        let all = all.iter().map(|(name, one)| (name.clone(), old(bundle, one)));
                        new.insert(name.clone(), Value::Object(all.collect()));
                    }
                    ("items" | "additionalProperties", Value::Object(_)) => {
                        new.insert(name.clone(), old(bundle, value));
                    }
                    _ => drop(new.insert(name.clone(), value.clone())),
                }
            }
            Value::Object(new)
        }
        other => other.clone(),
    }
}

fn import(bundle: &Bundle, overlays: &[Overlay], document: &Value, profile: Option<Profile>) -> Import {
    let document = convert("vendor.json", &document.to_string()).unwrap();
    let listed = operations::read(&spec()).unwrap();
    compare(bundle, &listed, overlays, &Accepted::default(), document, profile).unwrap()
}

#[test]
fn the_specification_in_the_words_of_the_vendor_is_no_difference() {
    let bundle = Bundle::read(&spec()).unwrap();
    let import = import(&bundle, &[], &swagger(&bundle), None);
    assert_eq!(import.differences, []);
    // What exists on API 2.0 only is no part of such a document, and evidence says where it comes from.
    let absent: Vec<_> = import.explained.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(absent, ["threats_list_v2_0", "threats_mark_as_resolved", "threats_mark_as_threat"]);
    assert!(import.new.is_empty());
    assert_eq!(import.profile, Profile::default());
}

/// Changes a document as the vendor may, and what that is as a difference.
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
        "an answer is no JSON any more",
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
        "a field goes",
        |all| drop(group(all).as_object_mut().unwrap().remove("rank")),
        "response.200.data[].rank Ours",
    ),
    ("a type changes", |all| group(all)["rank"]["type"] = json!("string"), "response.200.data[].rank type"),
    (
        "a format changes",
        |all| group(all)["rank"]["format"] = json!("int64"),
        "response.200.data[].rank format",
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
        "a parameter goes",
        |all| groups(all)["parameters"].as_array_mut().unwrap().retain(|one| one["name"] != "rank"),
        "request.query.rank Ours",
    ),
    (
        "a bound moves",
        |all| parameter(groups(all), "limit")["maximum"] = json!(200),
        "request.query.limit maximum",
    ),
    (
        "a default moves",
        |all| parameter(groups(all), "limit")["default"] = json!(20),
        "request.query.limit default",
    ),
    (
        "a parameter is demanded",
        |all| parameter(groups(all), "siteIds")["required"] = json!(true),
        "request.query.siteIds required",
    ),
    (
        "a list repeats its key",
        |all| parameter(groups(all), "siteIds")["collectionFormat"] = json!("multi"),
        "request.query.siteIds explode",
    ),
    (
        "a status appears",
        |all| groups(all)["responses"]["429"] = json!({ "description": "Slower." }),
        "response.429 Theirs",
    ),
    (
        "a status goes",
        |all| drop(groups(all)["responses"].as_object_mut().unwrap().remove("400")),
        "response.400 Ours",
    ),
    (
        "another token is wanted",
        |all| {
            all["securityDefinitions"]["Other"] = json!({ "type": "basic" });
            groups(all)["security"] = json!([{ "Other": [] }]);
        },
        " security",
    ),
    ("the vendor advises against it", |all| groups(all)["deprecated"] = json!(true), " deprecated"),
    (
        "an operation goes",
        |all| {
            all["paths"].as_object_mut().unwrap().remove("/web/api/v2.1/groups");
        },
        " Ours",
    ),
];

#[test]
fn what_the_vendor_changes_is_that_difference_alone() {
    let bundle = Bundle::read(&spec()).unwrap();
    for (name, change, expected) in CHANGES {
        let mut document = swagger(&bundle);
        change(&mut document);
        let import = import(&bundle, &[], &document, None);
        let found: Vec<String> = import
            .differences
            .iter()
            .map(|one| match &one.what {
                What::Ours => format!("{} {} Ours", one.id, one.place),
                What::Theirs => format!("{} {} Theirs", one.id, one.place),
                What::Fact { name, .. } => format!("{} {} {name}", one.id, one.place),
            })
            .collect();
        assert_eq!(found, [format!("groups_list {expected}")], "{name}");
    }
}

#[test]
fn what_says_nothing_is_no_difference() {
    let bundle = Bundle::read(&spec()).unwrap();
    let mut document = swagger(&bundle);
    let operation = groups(&mut document);
    operation["description"] = json!("Other words.");
    operation["parameters"].as_array_mut().unwrap().reverse();
    parameter(operation, "siteIds")["x-nullable"] = json!(true);
    group(&mut document)["type"]["enum"].as_array_mut().unwrap().reverse();
    group(&mut document)["name"]["maxLength"] = json!(80);
    group(&mut document)["name"]["readOnly"] = json!(true);
    let answer = groups(&mut document).pointer_mut("/responses/200/schema").unwrap();
    answer["required"] = json!(["data", "pagination"]);
    assert_eq!(import(&bundle, &[], &document, None).differences, []);
}

#[test]
fn evidence_explains_what_was_found_out_and_not_what_is_new() {
    let bundle = Bundle::read(&spec()).unwrap();
    let status = |document: &mut Value, values: Value| {
        let path =
            "/paths/~1web~1api~1v2.1~1dv~1query-status/get/responses/200/schema/properties/data/properties";
        let node = document.pointer_mut(path).unwrap();
        node["responseState"]["enum"] = values;
    };
    let mut document = swagger(&bundle);
    status(&mut document, json!(["RUNNING", "FINISHED"]));
    let older = import(&bundle, &[], &document, None);
    assert_eq!(older.differences, []);
    assert!(older.explained.iter().any(|one| one.place == "response.200.data.responseState"));
    status(&mut document, json!(["RUNNING", "FINISHED", "A_NEW_ONE"]));
    let newer = import(&bundle, &[], &document, None);
    assert_eq!(newer.differences.len(), 1);
    assert_eq!(newer.differences[0].place, "response.200.data.responseState");
}

#[test]
fn what_changes_behind_a_correction_or_evidence_is_told() {
    let bundle = Bundle::read(&spec()).unwrap();
    let listed = operations::read(&spec()).unwrap();
    let body = "$.paths['/agents/actions/connect'].post.requestBody..filter.properties.uuids";
    let overlays = [overlay(&format!(
        "  - {{ target: \"{body}\", description: D., update: {{ maxItems: 5000 }}, {EVIDENCE} }}\n"
    ))
    .unwrap()];
    let look = |document: &Value, accepted: &Accepted| {
        let document = convert("vendor.json", &document.to_string()).unwrap();
        compare(&bundle, &listed, &overlays, accepted, document, None).unwrap()
    };
    let document = swagger(&bundle);
    let first = look(&document, &Accepted::default());
    assert!(!first.moved.is_empty(), "nobody has looked yet");
    let text = first.accepted.to_text();
    let accepted = {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("accepted.toml"), &text).unwrap();
        Accepted::read(folder.path()).unwrap()
    };
    assert_eq!(accepted, first.accepted, "what is written is read");
    assert!(look(&document, &accepted).moved.is_empty());

    // Behind the correction, which sets the same whatever is there.
    let mut behind = document.clone();
    let filter =
        "/paths/~1web~1api~1v2.1~1agents~1actions~1connect/post/parameters/0/schema/properties/filter";
    behind.pointer_mut(&format!("{filter}/properties/uuids")).unwrap()["maxItems"] = json!(7);
    let moved = look(&behind, &accepted);
    assert_eq!(moved.differences, []);
    let report = Report { name: "vendor.json", import: &moved, findings: &[], written: None };
    for text in [report.text(), report.markdown(), report.json()] {
        assert!(text.contains("uuids") && text.contains("maxItems"), "{text}");
    }
    let [one] = moved.moved.as_slice() else { panic!("{:?}", moved.moved) };
    assert!(one.name.ends_with(body), "{}", one.name);
    assert_eq!(one.is.as_deref(), Some(r#"{"maxItems":7}"#));

    // Behind evidence: an enum that loses a value, and one that is lifted.
    let status =
        "/paths/~1web~1api~1v2.1~1dv~1query-status/get/responses/200/schema/properties/data/properties";
    for values in [Some(json!(["RUNNING"])), None] {
        let mut behind = document.clone();
        let node = behind.pointer_mut(&format!("{status}/responseState")).unwrap().as_object_mut().unwrap();
        match values {
            Some(values) => node.insert("enum".into(), values),
            None => node.remove("enum"),
        };
        let moved = look(&behind, &accepted);
        assert_eq!(moved.differences, []);
        assert_eq!(moved.moved.len(), 1, "{:?}", moved.moved);
        assert!(moved.moved[0].name.ends_with("response.200.data.responseState enum"), "{:?}", moved.moved);
        assert!(!moved.is_settled());
    }
}

#[test]
fn a_list_that_is_gone_is_not_made_by_a_correction() {
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
fn what_cannot_be_written_hinders_nothing_else() {
    let bundle = Bundle::read(&spec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(spec()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut document = swagger(&bundle);
    // Two names that are one in Rust, which the lint refuses; a list that becomes an object; and something plain.
    group(&mut document)["site_id"] = json!({ "type": "string" });
    group(&mut document)["brandNew"] = json!({ "type": "string" });
    let path = "/paths/~1web~1api~1v2.1~1accounts/get/responses/200/schema/properties/data";
    *document.pointer_mut(path).unwrap() = json!({ "type": "object", "properties": { "accounts": { "type": "array", "items": { "type": "string" } } } });
    // A value for an enum that API 2.0 has too, of which the document says nothing.
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
    let found = import(&bundle, &[], &document, None);
    let written = sentinelone_codegen::import::write(folder.path(), &found, "2026-11").unwrap();
    let left = written.left.join("\n");
    assert!(left.contains("response.200.data[].site_id"), "{left}");
    assert!(left.contains("accounts_list response.200.data") && left.contains("another form"), "{left}");
    let text = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
    assert!(text("groups.yaml").contains("brandNew:") && !text("groups.yaml").contains("site_id:"));
    assert!(text("threats.yaml").contains("toaster"), "{left}");
    assert_eq!(text("accounts.yaml"), std::fs::read_to_string(spec().join("accounts.yaml")).unwrap());
}

#[test]
fn what_is_lost_is_no_difference_and_what_is_said_is_one() {
    let bundle = Bundle::read(&spec()).unwrap();
    let mut document = swagger(&bundle);
    forget(&mut document["paths"]);
    for item in document["paths"].as_object_mut().unwrap().values_mut() {
        for method in METHODS {
            let Some(operation) = item.get_mut(method) else { continue };
            let answers = operation["responses"].as_object_mut().unwrap();
            let success = answers.iter().find(|(status, _)| status.starts_with('2')).unwrap().1.clone();
            *answers = Map::from_iter([
                ("200".to_owned(), success),
                ("400".to_owned(), json!({ "description": "?" })),
            ]);
            for parameter in operation["parameters"].as_array_mut().unwrap() {
                for node in ["/enum", "/items/enum"] {
                    let (parent, _) = node.rsplit_once('/').unwrap();
                    if let Some(parent) = parameter.pointer_mut(parent).and_then(Value::as_object_mut)
                        && parent.remove("enum").is_some()
                    {
                        parent.insert("x-enum-lost".into(), json!(true));
                    }
                }
            }
        }
    }
    assert!(
        import(&bundle, &[], &document, None).differences.len() > 1000,
        "without a profile everything is missing"
    );
    let restored = import(&bundle, &[], &document, Some(Profile::javascript_client()));
    assert_eq!(restored.differences, []);
    for loss in [Loss::Nullability, Loss::Bounds, Loss::Formats, Loss::ParameterEnums, Loss::IntegerOrNumber]
    {
        assert!(restored.restored[&loss] > 0, "{loss:?}");
    }
    // The document asks for the profile itself.
    groups(&mut document)["x-js-name"] = json!("webApiGroupsGet");
    assert_eq!(import(&bundle, &[], &document, None).profile, Profile::javascript_client());
    group(&mut document)["name"]["x-nullable"] = json!(true);
    group(&mut document)["color"] = json!({ "type": "string" });
    group(&mut document)["type"]["enum"] = json!(["static", "dynamic"]);
    let said = import(&bundle, &[], &document, None);
    let places: Vec<_> = said.differences.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places, ["response.200.data[].name", "response.200.data[].type", "response.200.data[].color"]);
}

/// What a client in JavaScript does not keep.
fn forget(node: &mut Value) {
    match node {
        Value::Object(map) => {
            for name in [
                "x-nullable",
                "minimum",
                "maximum",
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
                "default",
            ] {
                // A field may have such a name.
                if map.get(name).is_some_and(|value| !value.is_object()) {
                    map.remove(name);
                }
            }
            if map.get("format").is_some_and(|format| format.is_string() && format != "date-time") {
                map.remove("format");
            }
            if map.get("type") == Some(&json!("integer")) {
                map.insert("type".into(), json!("number"));
                map.insert("x-number-kind".into(), json!("unknown"));
            }
            map.values_mut().for_each(forget);
        }
        Value::Array(list) => list.iter_mut().for_each(forget),
        _ => {}
    }
}

#[test]
fn a_profile_is_named_or_put_together() {
    assert_eq!("javascript-client".parse(), Ok(Profile::javascript_client()));
    assert_eq!("none".parse(), Ok(Profile::default()));
    let two: Profile = "bounds, formats".parse().unwrap();
    assert_eq!(two.losses, [Loss::Bounds, Loss::Formats].into());
    let error = "bounds,names".parse::<Profile>().unwrap_err();
    assert!(error.contains("\"names\" is no loss; there are nullability, bounds"), "{error}");
}

/// The documents themselves are not part of this project; where they are at hand, these tests look at them.
fn real(variable: &str) -> Option<Document> {
    let path = std::env::var_os(variable)?;
    Some(open(Path::new(&path)).unwrap())
}

#[test]
fn every_difference_from_the_vendors_document_is_explained() {
    let Some(document) = real("S1_VENDOR_DOCUMENT") else { return };
    let bundle = Bundle::read(&spec()).unwrap();
    let overlays = corrections::read(&spec()).unwrap();
    let listed = operations::read(&spec()).unwrap();
    let accepted = Accepted::read(&spec()).unwrap();
    let import = compare(&bundle, &listed, &overlays, &accepted, document, None).unwrap();
    assert_eq!(import.differences, []);
    assert_eq!(import.moved, [], "nothing moved behind a correction or evidence");
    assert!(import.is_settled());
    let idle: Vec<_> = import.corrections.iter().filter(|one| one.changed == 0).collect();
    assert!(idle.is_empty(), "corrects nothing: {idle:#?}");
    // Twice is once.
    let mut again = import.corrected.clone();
    apply(&overlays, &mut again).unwrap();
    assert_eq!(again, import.corrected);
}

#[test]
fn every_place_of_the_specification_is_in_its_surface() {
    let bundle = Bundle::read(&spec()).unwrap();
    let surface = Surface::of(&bundle.document);
    assert_eq!(surface.operations.len(), bundle.operations().count());
    let threats = &surface.operations[&Key::new("get", "/web/api/v2.1/threats")];
    let verdict = &threats.places["response.200.data[].threatInfo.analystVerdict"];
    assert_eq!(verdict.site.schema.as_deref(), Some("ThreatInfo"));
    assert_eq!(verdict.site.path, "analystVerdict");
    assert_eq!(verdict.target.schema.as_deref(), Some("AnalystVerdict"));
    assert_eq!(verdict.spot("enum"), &verdict.target);
    assert_eq!(verdict.spot("nullable"), &verdict.site);
    let ids = &threats.places["request.query.ids"];
    assert_eq!(ids.site.schema.as_deref(), Some("ThreatFilter"), "written out from the filter");
}
