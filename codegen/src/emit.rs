//! Emits the files of `generated/`.

mod features;
mod fields;
mod methods;
mod module;
mod reading;
mod runtime;

pub(crate) use features::{FEATURES, Features, SHARED as SHARED_FEATURE};
pub(crate) use fields::rust_name as field_name;
pub(crate) use methods::files as methods;
pub use methods::{Handwritten, METHOD_CALLS, handwritten};
pub(crate) use module::{function_name, separate_items};
pub(crate) use runtime::RUNTIME;

use std::collections::{BTreeMap, BTreeSet};

use crate::Result;
use crate::bundle::{self, Bundle, Operation};
use crate::dialect::{Envelope, envelope};
use crate::files::Files;
use crate::generator::Model;
use crate::query_fields;
use quote::{ToTokens, format_ident};
use serde_json::Value;
use syn::visit_mut::VisitMut;

use features::Gate;
use runtime::RUNTIME_FILES;

/// Command that regenerates all files; the header of each generated file names it.
pub const COMMAND: &str = "cargo xtask generate";

/// A bundle with its types and their features.
pub(crate) type Part = (Bundle, Model, Features);

/// The modules of a crate, with the features of their items.
type Modules = BTreeMap<String, BTreeSet<Gate>>;

/// Returns the files of `generated/`, except the bundled document.
///
/// # Errors
/// Returns an error if a type or a method of the model does not match the specification.
pub(crate) fn all(
    bundle: &Bundle,
    model: &Model,
    features: &Features,
    graphql: &[Part],
    has_commands: bool,
) -> Result<Files> {
    let mut files = Files::new();
    let graphql_features = graphql.iter().flat_map(|(bundle, ..)| graphql_feature(bundle));
    let features_of_manifest = manifest_features(bundle) + &graphql_features.collect::<String>();
    let cargo = include_str!("../template/Cargo.toml.in").replace("{features}", &features_of_manifest);
    files.insert("Cargo.toml".into(), format!("{}\n{cargo}", header("#", "codegen/template and spec")));
    // A package contains only files of its own directory, and both licenses require that their text is included.
    for (name, source_text) in [
        ("LICENSE-APACHE", include_str!("../../LICENSE-APACHE")),
        ("LICENSE-MIT", include_str!("../../LICENSE-MIT")),
    ] {
        files.insert(name.into(), source_text.to_owned());
    }
    for (name, source_text) in RUNTIME_FILES {
        let header = header("//", &format!("codegen/runtime/{name}"));
        files.insert(format!("src/runtime/{name}"), format!("{header}\n{source_text}"));
    }

    let mut modules = module_files(bundle, model, features, "", &mut files)?;
    for (bundle, model, features) in graphql {
        modules.extend(module_files(bundle, model, features, "graphql/", &mut files)?);
    }
    if !bundle.query_fields.is_empty() {
        let header = header("//", &format!("spec/{}", query_fields::FILE));
        files.insert(
            "src/query_fields.rs".into(),
            format!("{header}\n{}", query_fields::module(&bundle.query_fields)),
        );
    }
    files.insert("src/lib.rs".into(), lib(bundle, model, features, (&modules, graphql), has_commands));
    Ok(files)
}

/// Adds the modules of a bundle, whose files are in a directory below `spec/`. Returns the features of each module.
fn module_files(
    bundle: &Bundle,
    model: &Model,
    features: &Features,
    dir: &str,
    files: &mut Files,
) -> Result<Modules> {
    let mut modules = Modules::new();
    for operation in bundle.operations() {
        let tag = operation.node["tags"][0].as_str().unwrap_or_default();
        modules.entry(tag.to_owned()).or_default().insert(features.operation(operation.id()).clone());
    }
    for name in model.types.keys() {
        let module = module::type_module(bundle, model, name);
        modules.entry(module.to_owned()).or_default().insert(features.ty(name).clone());
    }
    for (name, gates) in &modules {
        let source = match name.as_str() {
            "shared" => bundle::ROOT.to_owned(),
            name => format!("{}.yaml", name.replace('_', "-")),
        };
        let header = header("//", &format!("spec/{dir}{source}"));
        let own = Gate::of_module(gates);
        let root = gates.contains(&own).then_some(&own);
        let mut text = module::documentation(bundle, name);
        for gate in gates.iter().filter(|gate| Some(*gate) != root) {
            let (cfg, part) = (gate.attribute(""), gate.module());
            text.push_str(&format!("\n{cfg}mod {part};\n{cfg}pub use {part}::*;\n"));
            let source_text = module::source(bundle, model, features, name, gate)?;
            let title =
                format!("//! Operations of the documented tier and types, with the feature `{part}`.\n");
            files.insert(format!("src/{name}/{part}.rs"), format!("{header}\n{title}{source_text}"));
        }
        if let Some(gate) = root {
            text.push_str(&module::source(bundle, model, features, name, gate)?);
        }
        files.insert(format!("src/{name}.rs"), format!("{header}\n{text}"));
    }
    Ok(modules)
}

/// Returns the features of the documented tier, as lines of the manifest.
fn manifest_features(bundle: &Bundle) -> String {
    let declared = features::declared(bundle);
    declared
        .map(|(name, description)| format!("# {description}\n{name} = [{:?}]\n", features::SHARED))
        .collect()
}

/// Returns the feature of a GraphQL schema, as lines of the manifest.
fn graphql_feature(bundle: &Bundle) -> Option<String> {
    let tag = bundle.document["tags"].get(0)?;
    let (name, description) = (tag["name"].as_str()?, tag["description"].as_str()?);
    Some(format!("# {description}\n{} = []\n", name.replace('_', "-")))
}

pub(crate) fn header(comment: &str, source: &str) -> String {
    format!("{comment} @generated by `{COMMAND}` from {source}; do not edit.\n")
}

fn lib(
    bundle: &Bundle,
    model: &Model,
    features: &Features,
    (modules, graphql): (&Modules, &[Part]),
    has_commands: bool,
) -> String {
    let mut source_text = format!(
        "{}\n{}\npub mod runtime;\n",
        header("//", "codegen/template and spec"),
        include_str!("../template/lib.rs.in")
    );
    for (name, gates) in modules {
        let cfg = Gate::of_module(gates).attribute("");
        source_text.push_str(&format!("{cfg}#[rustfmt::skip]\npub mod {name};\n"));
    }
    if has_commands {
        source_text.push_str("#[cfg(feature = \"commands\")]\n#[rustfmt::skip]\npub mod commands;\n");
    }
    if !bundle.query_fields.is_empty() {
        source_text.push_str("#[rustfmt::skip]\npub mod query_fields;\n");
    }
    source_text.push_str(
        "\n/// The OpenAPI 3.0.3 document that this crate is generated from, as JSON.\n\
         #[cfg(feature = \"contract\")]\n\
         pub const OPENAPI: &str = include_str!(\"../openapi.json\");\n\n\
         #[cfg(feature = \"contract\")]\n#[rustfmt::skip]\npub mod positions;\n\n\
         /// All operations that the enabled features compile, sorted by ID.\n\
         #[rustfmt::skip]\n\
         pub static OPERATIONS: &[&runtime::Operation] = &[\n",
    );
    source_text.push_str(&operation_list(bundle, features));
    source_text.push_str("];\n");
    if !graphql.is_empty() {
        source_text.push_str(
            "\n/// The operations that send a GraphQL document, sorted by ID. They are not in [`OPERATIONS`], because they have \
             the same path.\n#[rustfmt::skip]\npub static GRAPHQL_OPERATIONS: &[&runtime::Operation] = &[\n",
        );
        for (bundle, _, features) in graphql {
            source_text.push_str(&operation_list(bundle, features));
        }
        source_text.push_str("];\n");
    }
    source_text.push_str(&round_trips(bundle, model, features));
    source_text
}

/// Returns the items of a list of operations, sorted by ID.
fn operation_list(bundle: &Bundle, features: &Features) -> String {
    let mut operations: Vec<_> = bundle.operations().collect();
    operations.sort_by_key(|operation| operation.id());
    let item = |operation: Operation<'_>| {
        let tag = operation.node["tags"][0].as_str().unwrap_or_default();
        let name = module::function_name(operation.id(), tag).to_uppercase();
        let cfg = features.operation(operation.id()).attribute("    ");
        format!("{cfg}    &{tag}::{name},\n")
    };
    operations.into_iter().map(item).collect()
}

/// Returns the expression that reads an argument from the parts of a recorded request.
fn recorded_part(operation: Operation<'_>, ident: &syn::Ident) -> String {
    if ident == "query" || ident == "body" {
        return format!("&parts.{ident}()?");
    }
    if let Some(parameter) = module::header_parameter(operation, ident) {
        return header_part(parameter);
    }
    let is_argument = |one: &&Value| one["name"].as_str().is_some_and(|name| *ident == field_name(name));
    let parameter = operation.parameters_in("path").find(is_argument).unwrap_or(&Value::Null);
    let value = format!("parts.path_param({:?})?", parameter["name"].as_str().unwrap_or_default());
    if bundle::reference(&parameter["schema"]).is_some() { format!("&{value}.into()") } else { value }
}

/// Returns the expression that reads a header from the parts of a recorded request.
fn header_part(parameter: &Value) -> String {
    let name = parameter["name"].as_str().unwrap_or_default().to_ascii_lowercase();
    match parameter["required"] == true {
        true => format!("parts.header({name:?})?"),
        false => format!("parts.optional_header({name:?})"),
    }
}

/// Adds the path of a module to a name.
fn in_module(path: &mut syn::Path, home: &str) {
    let segments = home.split("::").map(|name| syn::PathSegment::from(format_ident!("{name}")));
    path.segments = segments.chain(std::mem::take(&mut path.segments)).collect();
}

/// Returns a type with the modules of its names.
fn qualified(bundle: &Bundle, ty: &syn::Type) -> String {
    struct Qualify<'a>(&'a Bundle);

    impl VisitMut for Qualify<'_> {
        fn visit_path_mut(&mut self, path: &mut syn::Path) {
            syn::visit_mut::visit_path_mut(self, path);
            let Some(ident) = path.get_ident().map(ToString::to_string).or_else(|| {
                path.segments.last().filter(|_| path.segments.len() == 1).map(|one| one.ident.to_string())
            }) else {
                return;
            };
            let home = match ident.as_str() {
                "Value" | "Map" => "serde_json",
                "BTreeMap" => "std::collections",
                "Timestamp" => "runtime",
                name => match self.0.modules.get(name) {
                    Some(module) => module,
                    None => return,
                },
            };
            in_module(path, home);
        }
    }

    let mut ty = ty.clone();
    Qualify(bundle).visit_type_mut(&mut ty);
    ty.to_token_stream().to_string().replace(" :: ", "::").replace(" < ", "<").replace(" >", ">")
}

/// Returns the functions that contract checks need: round trips of response and request bodies, and requests from
/// recorded parts. Each function uses every type, so they have a feature of their own.
fn round_trips(bundle: &Bundle, model: &Model, features: &Features) -> String {
    let path = |name: &str| format!("{}::{name}", bundle.modules[name]);
    let (mut responses, mut request_bodies, mut requests) = (String::new(), String::new(), String::new());
    let mut operations: Vec<_> = bundle.operations().collect();
    operations.sort_by_key(|operation| operation.id());
    for operation in operations {
        let id = operation.id();
        let cfg = features.operation(id).attribute("        ");
        let inner =
            model.methods.get(id).map(|method| qualified(bundle, &method.response)).unwrap_or_default();
        let response_type = match envelope(bundle, operation) {
            Ok(Envelope::Page(_)) => format!("runtime::Page<{inner}>"),
            Ok(Envelope::Data(_)) => format!("runtime::Data<{inner}>"),
            Ok(Envelope::Json(_)) => format!("runtime::JsonBody<{inner}>"),
            _ => String::new(),
        };
        if !response_type.is_empty() {
            responses.push_str(&format!(
                "{cfg}        {id:?} => runtime::reencode_response::<{response_type}>,\n"
            ));
        }
        if let Some(name) = operation.body().and_then(bundle::reference) {
            request_bodies.push_str(&format!(
                "{cfg}        {id:?} => runtime::reencode_request_body::<{}>,\n",
                path(name)
            ));
        }
        let arguments = model.methods.get(id).map(|method| method.arguments.as_slice()).unwrap_or_default();
        let arguments: Vec<String> =
            arguments.iter().map(|(ident, _)| recorded_part(operation, ident)).collect();
        let tag = operation.node["tags"][0].as_str().unwrap_or_default();
        let function = format!("{tag}::{}", module::function_name(id, tag));
        let parts = if arguments.is_empty() { "_" } else { "parts" };
        requests.push_str(&format!(
            "{cfg}        {id:?} => |{parts}| Ok({function}({})?.with_response_type()),\n",
            arguments.join(", ")
        ));
    }
    format!(
        "\n/// Decodes the body of a successful response and encodes it again.\n///\n\
         /// Members that the types do not declare are missing from the result. Returns `None` if the operation is\n\
         /// unknown or its response is not JSON.\n\
         ///\n/// # Errors\n/// Returns an error if the body does not decode.\n\
         #[cfg(feature = \"contract\")]\n#[rustfmt::skip]\n\
         pub fn reencode_response(operation: &str, body: &[u8]) -> Option<Result<serde_json::Value, runtime::DecodeError>> {{\n    \
         let reencode: fn(&[u8]) -> Result<serde_json::Value, runtime::DecodeError> = match operation {{\n{responses}        _ => return None,\n    }};\n    Some(reencode(body))\n}}\n\n\
         /// Decodes a request body and encodes it again.\n///\n\
         /// Returns `None` if the operation is unknown or has no JSON body.\n\
         ///\n/// # Errors\n/// Returns an error if the body does not decode.\n\
         #[cfg(feature = \"contract\")]\n#[rustfmt::skip]\n\
         pub fn reencode_request_body(operation: &str, body: &[u8]) -> Option<Result<serde_json::Value, runtime::DecodeError>> {{\n    \
         let reencode: fn(&[u8]) -> Result<serde_json::Value, runtime::DecodeError> = match operation {{\n{request_bodies}        _ => return None,\n    }};\n    Some(reencode(body))\n}}\n\n\
         /// Builds the request of an operation from the parts of a recorded request.\n\
         ///\n/// # Errors\n/// Returns an error if the operation is unknown, or if a part is missing or invalid.\n\
         #[cfg(feature = \"contract\")]\n#[rustfmt::skip]\n\
         pub fn request_from_parts(operation: &str, parts: &runtime::RequestParts) -> Result<runtime::Request<serde_json::Value>, runtime::RequestPartsError> {{\n    \
         // A function for each operation: in one function, the variables of all operations exceed the stack.\n    \
         let build: fn(&runtime::RequestParts) -> Result<runtime::Request<serde_json::Value>, runtime::RequestPartsError> = match operation {{\n{requests}        _ => return Err(runtime::RequestPartsError::unknown(operation)),\n    }};\n    build(parts)\n}}\n"
    )
}
