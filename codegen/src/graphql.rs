//! GraphQL documents of `spec/graphql/`, checked against their schema and converted to operations.
//!
//! Each document becomes an operation of a bundle of its own, whose body has the variables and whose response has the
//! selection. The later steps generate types and requests from it like from the bundle of the REST operations.

mod convert;
mod facts;
mod fields;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::{Error, Result};

use convert::Converter;
use facts::{DocumentFacts, SchemaFile};

/// Directory of the GraphQL files, below `spec/`.
pub const DIR: &str = "graphql";

/// Directory of the documents, below [`DIR`].
const DOCUMENTS: &str = "documents";

/// Document with the fragments that several documents use.
const FRAGMENTS: &str = "fragments";

/// What comes from `spec/graphql/`.
#[derive(Debug, Default)]
pub struct GraphQl {
    /// The operations of each schema.
    pub bundles: Vec<Bundle>,
    /// The module with the fields of filters, if there is a table.
    pub fields: Option<String>,
}

/// Reads `spec/graphql/`; nowidget if the directory does not exist.
///
/// `rest` is the bundle of the REST operations, whose authentication the GraphQL operations share.
///
/// # Errors
/// Returns an error if a file cannot be read, if a document is not valid for its schema, if a document has no facts or the
/// reverse, or if a selection has no name: the selection of each object has to be one fragment.
pub fn read(spec: &Path, rest: &Bundle) -> Result<GraphQl> {
    let dir = spec.join(DIR);
    if !dir.exists() {
        return Ok(GraphQl::default());
    }
    let text = |path: &Path| {
        std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })
    };
    let documents = documents(&dir.join(DOCUMENTS))?;
    let mut bundles = Vec::new();
    let mut known = BTreeSet::from([FRAGMENTS.to_owned()]);
    for (name, yaml) in crate::bundle::yaml_files(&dir)? {
        let file = format!("{DIR}/{name}");
        let facts: SchemaFile =
            serde_saphyr::from_str(&yaml).map_err(|error| Error::spec(&file, error.to_string()))?;
        let schema = Schema::parse_and_validate(text(&dir.join(&facts.schema))?, &facts.schema)
            .map_err(|error| Error::spec(&format!("{DIR}/{}", facts.schema), error.errors.to_string()))?;
        known.extend(facts.operations.keys().cloned());
        bundles.push(bundle(&file, &facts, &schema, &documents, rest)?);
    }
    if let Some(name) = documents.keys().find(|name| !known.contains(*name)) {
        return Err(Error::spec(&format!("{DIR}/{DOCUMENTS}/{name}.graphql"), "has no facts".to_owned()));
    }
    let table = dir.join(fields::FILE);
    let fields = match bundles.first().filter(|_| table.exists()) {
        Some(bundle) => Some(fields::module(&text(&table)?, bundle)?),
        None => None,
    };
    Ok(GraphQl { bundles, fields })
}

/// Returns the documents by name.
fn documents(dir: &Path) -> Result<BTreeMap<String, String>> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    let mut documents = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(io(dir))? {
        let path = entry.map_err(io(dir))?.path();
        if path.extension().is_some_and(|ending| ending == "graphql") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            documents.insert(name, std::fs::read_to_string(&path).map_err(io(&path))?);
        }
    }
    Ok(documents)
}

fn bundle(
    file: &str,
    facts: &SchemaFile,
    schema: &Valid<Schema>,
    documents: &BTreeMap<String, String>,
    rest: &Bundle,
) -> Result<Bundle> {
    let mut converter = Converter::new(schema, &facts.filters, &facts.nulls);
    let mut paths = serde_json::Map::new();
    let fragments = documents.get(FRAGMENTS).map(String::as_str).unwrap_or_default();
    for (name, own) in &facts.operations {
        let document_file = format!("{DIR}/{DOCUMENTS}/{name}.graphql");
        let text = documents.get(name).ok_or_else(|| Error::spec(file, format!("{name} has no document")))?;
        let wrong = |message: String| Error::spec(&document_file, message);
        let document = parse(schema, text, fragments, &document_file)?;
        let id = format!("{}_{name}", facts.tag);
        let operation = converter.operation(&id, &document).map_err(wrong)?;
        let node = node(facts, own, &id, &document, &operation)?;
        paths.insert(format!("{}/{name}", facts.path), json!({ "post": node }));
    }
    let schemas = converter.into_schemas();
    let modules = schemas.keys().map(|name| (name.clone(), facts.tag.clone())).collect();
    let path_modules = paths.keys().map(|path| (path.clone(), facts.tag.clone())).collect();
    let mut document = rest.document.clone();
    document["paths"] = Value::Object(paths);
    document["tags"] = json!([{ "name": facts.tag, "description": facts.description }]);
    document["components"]["schemas"] = Value::Object(schemas);
    document.sort_all_objects();
    Ok(Bundle { document, modules, path_modules, unlisted: Vec::new(), query_fields: Vec::new() })
}

/// Parses a document with the shared fragments that it uses.
fn parse(
    schema: &Valid<Schema>,
    text: &str,
    fragments: &str,
    file: &str,
) -> Result<Valid<ExecutableDocument>> {
    let invalid = |errors: String| Error::spec(file, errors);
    let mut document = ExecutableDocument::parse(schema, format!("{text}\n{fragments}"), file)
        .map_err(|error| invalid(error.errors.to_string()))?;
    let mut used = BTreeSet::new();
    for operation in document.operations.iter() {
        convert::add_fragments(&document, &operation.selection_set, &mut used);
    }
    document.fragments.retain(|name, _| used.contains(name.as_str()));
    document.validate(schema).map_err(|error| invalid(error.errors.to_string()))
}

/// Returns the operation object.
fn node(
    facts: &SchemaFile,
    own: &DocumentFacts,
    id: &str,
    document: &ExecutableDocument,
    operation: &convert::Operation,
) -> Result<Value> {
    if (own.kind == "action") != operation.is_mutation {
        let kind = if operation.is_mutation { "mutation" } else { "query" };
        return Err(Error::spec(DIR, format!("{id} is a {kind}, and its kind is {}", own.kind)));
    }
    let text = document.serialize().no_indent().to_string();
    let content = |schema: &str| json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } });
    let response = json!({
        "type": "object",
        "properties": {
            "data": { "$ref": format!("#/components/schemas/{}", operation.data) },
            "errors": { "type": "array", "nullable": true, "items": { "type": "object" } },
        },
    });
    Ok(json!({
        "operationId": id,
        "tags": [facts.tag],
        "summary": own.summary,
        "description": own.summary,
        "requestBody": { "required": true, "content": content(&operation.variables) },
        "responses": {
            "200": { "description": "The response.", "content": { "application/json": { "schema": response } } },
        },
        "x-s1": {
            "tier": "curated",
            "versions": ["2.1"],
            "permissions": { "required": own.permissions },
            "kind": own.kind,
            "idempotent": own.kind == "read",
            "destructive": own.destructive,
            "filter": own.filter,
            "rateLimit": null,
            "paging": "none",
            "evidence": facts.evidence,
            "graphql": { "path": facts.path, "document": text },
        },
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const SCHEMA: &str = "
        type Query { item(id: ID!): Item! }
        type Mutation { change(filter: Select, note: Note): Result }
        scalar Long
        type Item { id: ID! state: State! size: Long parts: [Item!]! }
        enum State { NEW OLD }
        input Select { or: [String!] = [] }
        input Note { text: String! value: Long }
        union Result = Item | Failure
        type Failure { message: String }
    ";

    const FACTS: &str = "
tag: widgets
path: /widgets/graphql
schema: schema.graphql
description: Widgets.
filters: [Select]
nulls: [Note.value]
evidence: []
operations:
  get: { summary: Get, kind: read, destructive: false, filter: none }
  change: { summary: Change, kind: action, destructive: true, filter: required }
";

    const FRAGMENTS: &str =
        "fragment Widget on Item { id state size parts { ...Part } } fragment Part on Item { id }";
    const GET: &str = "query WidgetsGet($id: ID!) { item(id: $id) { ...Widget } }";
    const CHANGE: &str = "mutation WidgetsChange($filter: Select!, $note: Note) {
        change(filter: $filter, note: $note) { ...Outcome }
    }
    fragment Outcome on Result { __typename ... on Item { id } ... on Failure { message } }";

    fn read_files(files: &[(&str, &str)]) -> Result<GraphQl> {
        let dir = tempfile::tempdir().unwrap();
        let spec = dir.path().join(DIR);
        std::fs::create_dir_all(spec.join(DOCUMENTS)).unwrap();
        let all = [
            ("schema.graphql", SCHEMA),
            ("widgets.yaml", FACTS),
            ("documents/fragments.graphql", FRAGMENTS),
            ("documents/get.graphql", GET),
            ("documents/change.graphql", CHANGE),
        ];
        for (name, text) in all.iter().chain(files) {
            std::fs::write(spec.join(name), text).unwrap();
        }
        let rest = Bundle {
            document: json!({ "openapi": "3.0.3", "info": {}, "components": { "securitySchemes": {} } }),
            modules: BTreeMap::new(),
            path_modules: BTreeMap::new(),
            unlisted: Vec::new(),
            query_fields: Vec::new(),
        };
        read(dir.path(), &rest)
    }

    #[test]
    fn document_becomes_an_operation_with_its_types() {
        let graphql = read_files(&[]).unwrap();
        let [bundle] = graphql.bundles.as_slice() else { panic!("{:?}", graphql.bundles) };
        let operations: Vec<_> = bundle.operations().collect();
        let ids: Vec<_> = operations.iter().map(|one| (one.id(), one.full_path())).collect();
        let path = "/web/api/v{version}/widgets/graphql".to_owned();
        assert_eq!(ids, [("widgets_change", path.clone()), ("widgets_get", path)]);
        let text = operations[1].node.pointer("/x-s1/graphql/document").unwrap().as_str().unwrap();
        assert!(
            text.starts_with("query WidgetsGet($id: ID!) {") && text.contains("fragment Part on Item"),
            "{text}"
        );
        assert!(!text.contains("Outcome") && !text.contains('\n'), "{text}");
        let schema = |name: &str| bundle.schema(name).unwrap();
        assert_eq!(schema("WidgetsGetVariables")["required"], json!(["id"]));
        let id = json!({ "type": "string", "description": "Id." });
        assert_eq!(schema("WidgetsGetVariables")["properties"]["id"], id);
        assert_eq!(schema("Widget")["properties"]["size"]["type"], "integer");
        assert_eq!(schema("State")["enum"], json!(["NEW", "OLD"]));
        assert_eq!(schema("Note")["required"], json!(["text", "value"]));
        assert_eq!(schema("Select")["x-s1"], json!({ "filter": true }));
        let members: Vec<&String> = schema("Outcome")["properties"].as_object().unwrap().keys().collect();
        assert_eq!(members, ["__typename", "id", "message"]);
    }

    #[test]
    fn document_that_does_not_match_is_rejected_with_its_file() {
        for (name, text, expected) in [
            (
                "documents/get.graphql",
                "query WidgetsGet($id: ID!) { item(id: $id) { ...Widget name } }",
                "get.graphql",
            ),
            ("documents/get.graphql", "query WidgetsGet { item(id: $id) { ...Widget } }", "get.graphql"),
            (
                "documents/get.graphql",
                "query Other($id: ID!) { item(id: $id) { ...Widget } }",
                "expected WidgetsGet",
            ),
            (
                "documents/get.graphql",
                "query WidgetsGet($id: ID!) { item(id: $id) { id } }",
                "is not one fragment",
            ),
            ("documents/other.graphql", GET, "has no facts"),
            ("widgets.yaml", "tag: widgets", "widgets.yaml"),
            ("widgets.yaml", &FACTS.replace("kind: action", "kind: read"), "is a mutation"),
            ("schema.graphql", "type Query { item: Missing }", "schema.graphql"),
            ("alert-fields.tsv", "field\tkind\tenum\nb\ttext\t\na\ttext\t\n", "not in order"),
            ("alert-fields.tsv", "field\tkind\tenum\na\tother\t\n", "is not a kind"),
            ("alert-fields.tsv", "field\tkind\tenum\na\tchoice\tWidget\n", "is not an enum"),
        ] {
            let error = read_files(&[(name, text)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
        let fields =
            read_files(&[("alert-fields.tsv", "field\tkind\tenum\nstate\tchoice\tState\n")]).unwrap().fields;
        assert!(
            fields.unwrap().contains("pub const STATE: EnumField<raw::State> = EnumField::new(\"state\");")
        );
    }
}
