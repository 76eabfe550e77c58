//! Emits the methods of the client for operations of the documented tier, and calls of them for the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use heck::ToUpperCamelCase;
use quote::ToTokens;
use serde_json::Value;
use syn::visit_mut::VisitMut;

use super::features::{FEATURES, Features, Gate};
use super::fields::{rust_name, single_line};
use super::module::{documentation, function_name, header_parameter, sources, type_module};
use super::{header, header_part, in_module};
use crate::bundle::{Bundle, Operation, members};
use crate::dialect::{Envelope, envelope, query_schema};
use crate::files::Files;
use crate::generator::{FieldModel, Model, TypeModel};
use crate::generic::generic;
use crate::metadata::{self, OperationFacts, Paging};
use crate::{Error, Result};

/// Name of the file with a call of each generated method.
pub const METHOD_CALLS: &str = "documented_calls.rs";

/// Methods of the client that people wrote, by resource.
pub type Handwritten = BTreeMap<String, HandwrittenResource>;

/// The methods of a resource that people wrote.
#[derive(Clone, Debug, Default)]
pub struct HandwrittenResource {
    /// Names of the methods.
    pub methods: BTreeSet<String>,
    /// Functions of the raw client that the methods call.
    pub functions: BTreeSet<String>,
}

/// Reads the methods of the files of a directory, one for each resource.
///
/// # Errors
/// Returns an error if a file cannot be read, or is not valid Rust.
pub fn handwritten(directory: &Path) -> Result<Handwritten> {
    let mut found = Handwritten::new();
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    for entry in std::fs::read_dir(directory).map_err(io(directory))? {
        let path = entry.map_err(io(directory))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".rs")) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).map_err(io(&path))?;
        let wrong = |error| Error::Generator(format!("{}: {error}", path.display()));
        let file = syn::parse_file(&text).map_err(wrong)?;
        let mut resource = HandwrittenResource::default();
        for item in &file.items {
            let syn::Item::Impl(block) = item else { continue };
            let functions = block.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
                _ => None,
            });
            resource.methods.extend(functions);
        }
        let after = text.split("raw::").skip(1);
        let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        resource.functions.extend(after.map(word));
        found.insert(name.to_owned(), resource);
    }
    Ok(found)
}

/// How a generated method presents an operation.
enum Form {
    /// A list that is filtered and sorted in steps; with a path parameter, or with a query that has required fields.
    List { query: String, item: String, path_param: Option<String>, required: bool },
    /// A call whose arguments are complete.
    Call { response: String },
}

/// Returns the files of the generated methods, and the text of the file with their calls.
///
/// # Errors
/// Returns an error if an operation has the name of a handwritten method that does not call it.
pub(crate) fn files(
    bundle: &Bundle,
    model: &Model,
    features: &Features,
    handwritten: &Handwritten,
) -> Result<(Files, String)> {
    let mut operations: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for operation in bundle.operations().filter(|one| *features.operation(one.id()) != Gate::ALWAYS) {
        operations.entry(operation.node["tags"][0].as_str().unwrap_or_default()).or_default().push(operation);
    }
    let mut files = Files::new();
    let (mut modules, mut exports, mut types, mut calls) =
        (String::new(), String::new(), String::new(), String::new());
    for (name, mut operations) in operations {
        operations.sort_by_key(|operation| operation.id());
        let gate = features.operation(operations[0].id());
        let handwritten = handwritten.get(name);
        let methods = methods(bundle, model, name, &operations, handwritten)?;
        methods.iter().for_each(|method| calls.push_str(&method.call()));
        let resource = Resource {
            bundle,
            name,
            handwritten,
            methods,
            types: exported(bundle, model, features, name, gate, handwritten),
        };
        let cfg = gate.attribute("");
        if handwritten.is_some() {
            modules.push_str(&format!("{cfg}#[rustfmt::skip]\nmod {name};\n"));
            types.push_str(&types_module(name, &cfg, &resource.types_export()));
        } else {
            modules.push_str(&format!("{cfg}#[rustfmt::skip]\npub mod {name};\n"));
            exports.push_str(&format!("{}    pub use super::{name};\n", gate.attribute("    ")));
        }
        files.insert(format!("{name}.rs"), resource.source(model));
    }
    // A handwritten resource exports the types of its module, so one without types has another item.
    for (feature, node) in members(&bundle.document, FEATURES) {
        let listed = node["resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in
            listed.filter(|one| handwritten.contains_key(*one) && !files.contains_key(&format!("{one}.rs")))
        {
            let cfg = format!("#[cfg(feature = \"{feature}\")]\n");
            types.push_str(&types_module(name, &cfg, "pub use sentinelone_raw::runtime::Operation;\n"));
        }
    }
    let header = header("//", "spec");
    files.insert(
        "mod.rs".to_owned(),
        format!(
            "{header}\n//! Methods for the operations of the tier `documented`.\n\n{modules}#[rustfmt::skip]\npub(super) mod types;\n\n\
             /// The resource modules that have no handwritten part, re-exported from the crate root.\n\
             #[rustfmt::skip]\npub(crate) mod all {{\n{exports}}}\n"
        ),
    );
    files.insert(
        "types.rs".to_owned(),
        format!(
            "{header}\n//! Types for the operations of the tier `documented`, in modules that also have handwritten methods.\n{types}"
        ),
    );
    Ok((files, calls_file(&header, &calls)))
}

/// Returns the module that a handwritten resource exports.
fn types_module(name: &str, cfg: &str, export: &str) -> String {
    format!("\n/// Types of the module `{name}`.\n{cfg}pub(crate) mod {name} {{\n    {export}}}\n")
}

/// Returns the text of the file with a call of each method.
fn calls_file(header: &str, calls: &str) -> String {
    format!(
        "{header}\n//! Calls of the generated methods.\n\n\
         use sentinelone::Client;\n\
         use sentinelone::raw::runtime::{{Request, RequestParts, RequestPartsError}};\n\
         use serde_json::Value;\n\n\
         /// Returns the request that the method of an operation builds from the parts of a recorded request; `None` if the\n\
         /// operation has no generated method.\n\
         #[rustfmt::skip]\n\
         pub(crate) fn request(client: &Client, operation: &str, parts: &RequestParts) -> Option<Result<Request<Value>, RequestPartsError>> {{\n    \
         // A function for each operation: in one function, the variables of all operations exceed the stack.\n    \
         let build: fn(&Client, &RequestParts) -> Result<Request<Value>, RequestPartsError> = match operation {{\n{calls}        _ => return None,\n    }};\n    \
         Some(build(client, parts))\n}}\n"
    )
}

/// Returns the methods of a resource that no handwritten one replaces.
fn methods<'a>(
    bundle: &'a Bundle,
    model: &'a Model,
    resource: &'a str,
    operations: &[Operation<'a>],
    handwritten: Option<&HandwrittenResource>,
) -> Result<Vec<Method<'a>>> {
    let mut methods = Vec::new();
    for operation in operations {
        let name = function_name(operation.id(), resource);
        if handwritten.is_some_and(|own| own.functions.contains(name)) {
            continue;
        }
        if handwritten.is_some_and(|own| own.methods.contains(name)) {
            let message = "the resource has another method of this name: rename the operation";
            return Err(Error::Generator(format!("{}: {message}", operation.id())));
        }
        methods.push(Method::new(bundle, model, *operation, resource, name)?);
    }
    Ok(methods)
}

/// Returns the types that the module of a resource exports: those that the handwritten part does not export.
fn exported<'a>(
    bundle: &Bundle,
    model: &'a Model,
    features: &Features,
    resource: &str,
    gate: &Gate,
    handwritten: Option<&HandwrittenResource>,
) -> Vec<&'a str> {
    let own_type = resource.to_upper_camel_case();
    let is_exported = |name: &&String| {
        let ty = features.ty(name);
        let is_new = handwritten.is_none() || (*ty != Gate::ALWAYS && **name != own_type);
        type_module(bundle, model, name) == resource && is_new && (ty == gate || ty.is_common())
    };
    model.types.keys().filter(is_exported).map(String::as_str).collect()
}

/// The module of a resource.
struct Resource<'a> {
    bundle: &'a Bundle,
    name: &'a str,
    handwritten: Option<&'a HandwrittenResource>,
    methods: Vec<Method<'a>>,
    /// Exported types.
    types: Vec<&'a str>,
}

impl Resource<'_> {
    fn types_export(&self) -> String {
        format!("pub use sentinelone_raw::{}::{{{}}};\n", self.name, self.types.join(", "))
    }

    fn source(&self, model: &Model) -> String {
        let name = self.name;
        let mut text = header("//", &format!("spec/{}.yaml", name.replace('_', "-")));
        text.push_str(&format!("\n{}\n", documentation(self.bundle, name)));
        text.push_str(&format!("use sentinelone_raw::{name} as raw;\n"));
        let mut title = name.to_upper_camel_case();
        if self.handwritten.is_some() {
            text.push_str(&format!("\nuse crate::resources::{name}::{title};\n"));
        } else {
            if model.types.contains_key(&title) {
                title.push_str("Operations");
            }
            text.push_str(&format!(
                "\n{}\ncrate::resources::builders::resource! {{\n    \
                 /// Operations of the resource `{name}`; see [`Client::{name}`](crate::Client::{name}).\n    \
                 {title}\n}}\n\n\
                 impl crate::Client {{\n    \
                 /// Returns the operations of the resource `{name}`, of the tier `documented`.\n    \
                 pub fn {name}(&self) -> {title} {{\n        \
                 {title}::new(self)\n    }}\n}}\n",
                self.types_export()
            ));
        }
        let queries: String = self.methods.iter().map(|method| method.query_traits(model)).collect();
        if !queries.is_empty() {
            text.push_str(&format!("\ncrate::resources::builders::impl_list_query! {{\n{queries}}}\n"));
        }
        let methods: String = self.methods.iter().map(Method::source).collect();
        text.push_str(&format!("\nimpl {title} {{\n{}}}\n", methods.trim_start_matches('\n')));
        text
    }
}

struct Method<'a> {
    operation: Operation<'a>,
    facts: OperationFacts,
    resource: &'a str,
    name: &'a str,
    form: Form,
    /// Name and type of each argument of the raw function.
    arguments: &'a [(syn::Ident, syn::Type)],
    types: Qualified<'a>,
}

impl<'a> Method<'a> {
    fn new(
        bundle: &'a Bundle,
        model: &'a Model,
        operation: Operation<'a>,
        resource: &'a str,
        name: &'a str,
    ) -> Result<Self> {
        let id = operation.id();
        let wrong = |message: String| Error::Generator(format!("{id}: {message}"));
        let facts = metadata::read_operation(operation.node).map_err(wrong)?;
        let envelope = envelope(bundle, operation).map_err(wrong)?;
        let method = &model.methods[id];
        let types = Qualified { bundle, model, resource };
        let inner = types.text(&method.response);
        let arguments = method.arguments.as_slice();
        let query = arguments.iter().find(|(ident, _)| ident == "query");
        let has_headers = operation.parameters_in("header").next().is_some();
        let path: Vec<_> =
            arguments.iter().filter(|(ident, _)| ident != "query" && ident != "body").collect();
        let is_list = matches!(envelope, Envelope::Page(_)) && facts.paging == Paging::Cursor;
        let has_body = arguments.iter().any(|(ident, _)| ident == "body");
        let runtime = |name: &str| format!("sentinelone_raw::runtime::{name}");
        let form = match (query, path.as_slice()) {
            (Some((_, query)), [] | [_])
                if is_list && !has_body && !has_headers && path.iter().all(|(_, ty)| is_text(ty)) =>
            {
                Form::List {
                    query: types.text(query).trim_start_matches('&').to_owned(),
                    item: inner,
                    path_param: path.first().map(|(ident, _)| ident.to_string()),
                    required: !all_optional(model, &query_schema(id)),
                }
            }
            _ => Form::Call {
                response: match envelope {
                    Envelope::Page(_) => format!("{}<{inner}>", runtime("Page")),
                    Envelope::Data(_) => format!("{}<{inner}>", runtime("Data")),
                    Envelope::Json(_) => format!("{}<{inner}>", runtime("JsonBody")),
                    Envelope::Empty => runtime("Empty"),
                    Envelope::Binary => runtime("Binary"),
                    Envelope::Undocumented => runtime("Undocumented"),
                },
            },
        };
        Ok(Self { operation, facts, resource, name, form, arguments, types })
    }

    fn source(&self) -> String {
        let operation = self.operation;
        let summary = single_line(operation.node["summary"].as_str().unwrap_or_default());
        let version = self.facts.versions.iter().max().map_or("2.1", String::as_str);
        let path = operation.full_path().replace("{version}", version);
        let line = format!("{} {path}", operation.method.to_uppercase());
        let checked = match self.facts.destructive {
            true => "Counts as destructive, because no person has checked the operation.",
            false => "No person has checked the operation.",
        };
        let docs = format!(
            "\n    /// {summary}\n    ///\n    /// `{line}`\n    ///\n    \
             /// {checked} {}\n",
            sources(&self.facts)
        );
        let name = self.name;
        match &self.form {
            Form::List { query, item, path_param, required } => {
                let path = path_param.iter().map(|name| format!(", {name}: impl Into<String>"));
                let given = required.then(|| format!(", query: {query}")).unwrap_or_default();
                let initial = if *required { "query".to_owned() } else { format!("{query}::default()") };
                let (signature, build) = (
                    path.collect::<String>() + &given,
                    match path_param {
                        Some(param) => {
                            format!("with_path_param(&self.client, {param}.into(), {initial}, raw::{name})")
                        }
                        None => format!("new(&self.client, {initial}, |_, query| raw::{name}(query))"),
                    },
                );
                let builder = "crate::resources::ListBuilder";
                format!(
                    "{docs}    #[inline]\n    pub fn {name}(&self{signature}) -> {builder}<{query}, {item}> {{\n        \
                     {builder}::{build}\n    }}\n"
                )
            }
            Form::Call { response } => {
                let (mut signature, mut values) = (String::new(), Vec::new());
                for (ident, ty) in self.arguments {
                    let (parameter, value) = self.argument(ident, ty);
                    signature.push_str(&format!(", {ident}: {parameter}"));
                    values.push(value);
                }
                let builder = "crate::resources::CallBuilder";
                format!(
                    "{docs}    #[inline]\n    pub fn {name}(&self{signature}) -> {builder}<{response}> {{\n        \
                     {builder}::new(&self.client, raw::{name}({}))\n    }}\n",
                    values.join(", ")
                )
            }
        }
    }

    /// Returns the type of an argument, and the value of the raw function.
    fn argument(&self, ident: &syn::Ident, ty: &syn::Type) -> (String, String) {
        let text = self.types.text(ty);
        if ident == "query" || ident == "body" || generic(ty, "Option").is_some() {
            (text, ident.to_string())
        } else if is_text(ty) {
            ("impl AsRef<str>".to_owned(), format!("{ident}.as_ref()"))
        } else if is_plain(ty) {
            (text, ident.to_string())
        } else {
            (format!("impl Into<{}>", text.trim_start_matches('&')), format!("&{ident}.into()"))
        }
    }

    /// Returns the traits of the query of a list, as an entry of `impl_list_query!`.
    fn query_traits(&self, model: &Model) -> String {
        let Form::List { query, .. } = &self.form else { return String::new() };
        let Some(TypeModel::Struct(fields)) = model.types.get(&query_schema(self.operation.id())) else {
            return String::new();
        };
        let field = |name: &str| fields.iter().find(|field| field.ident == name);
        let mut traits = Vec::new();
        if let (Some(sort_by), Some(order)) = (field("sort_by"), field("sort_order")) {
            let order = generic(&order.ty, "Option").map(|ty| ty.to_token_stream().to_string());
            if let (Some(ty), Some("SortOrder")) = (generic(&sort_by.ty, "Option"), order.as_deref()) {
                traits.push(format!("sorts {}", self.types.text(ty)));
            }
        }
        if self.facts.query.is_some()
            && let Some(filter) = field("filter")
        {
            traits.push(format!("filters {}", self.types.text(&filter.ty)));
        }
        let has_count = self.operation.parameters_in("query").any(|one| one["name"] == "countOnly");
        if has_count {
            traits.push("counts".to_owned());
        }
        let traits = if traits.is_empty() { "lists".to_owned() } else { traits.join(", ") };
        format!("    {query}: {traits};\n")
    }

    /// Returns the match arm that calls the method with the parts of a recorded request.
    fn call(&self) -> String {
        let wire = |ident: &syn::Ident| {
            let mut parameters = self.operation.parameters_in("path").filter_map(|one| one["name"].as_str());
            parameters.find(|name| *ident == rust_name(name)).unwrap_or_default()
        };
        let mut arguments = Vec::new();
        let mut after = "";
        for (ident, ty) in self.arguments {
            let value = match (&self.form, ident.to_string().as_str()) {
                (Form::List { required: false, .. }, "query") => {
                    after = ".query(parts.query()?)";
                    continue;
                }
                (Form::List { .. }, "query") => "parts.query()?".to_owned(),
                (_, "query") => "&parts.query()?".to_owned(),
                (_, "body") => "&parts.body()?".to_owned(),
                _ => match header_parameter(self.operation, ident) {
                    Some(parameter) => header_part(parameter),
                    None if is_plain(ty) => {
                        format!("parts.path_param({:?})?.parse().unwrap_or_default()", wire(ident))
                    }
                    None => format!("parts.path_param({:?})?", wire(ident)),
                },
            };
            arguments.push(value);
        }
        let (id, resource, name) = (self.operation.id(), self.resource, self.name);
        let parts = if self.arguments.is_empty() { "_" } else { "parts" };
        format!(
            "        {id:?} => |client, {parts}| Ok(client.{resource}().{name}({}){after}.request()?.with_response_type()),\n",
            arguments.join(", ")
        )
    }
}

/// Returns whether all fields of a type have a default.
fn all_optional(model: &Model, name: &str) -> bool {
    let Some(TypeModel::Struct(fields)) = model.types.get(name) else { return false };
    let is_flat = |field: &FieldModel| field.ident == "filter";
    fields.iter().all(|field| generic(&field.ty, "Option").is_some() || is_flat(field))
}

fn is_text(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Reference(reference) if reference.elem.to_token_stream().to_string() == "str")
}

fn is_plain(ty: &syn::Type) -> bool {
    matches!(ty.to_token_stream().to_string().as_str(), "bool" | "i64" | "f64")
}

/// Writes types with their modules.
struct Qualified<'a> {
    bundle: &'a Bundle,
    model: &'a Model,
    resource: &'a str,
}

impl Qualified<'_> {
    fn text(&self, ty: &syn::Type) -> String {
        let mut ty = ty.clone();
        Qualify(self).visit_type_mut(&mut ty);
        let text = ty.to_token_stream().to_string();
        text.replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace("& ", "&")
    }
}

struct Qualify<'a>(&'a Qualified<'a>);

impl VisitMut for Qualify<'_> {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        syn::visit_mut::visit_path_mut(self, path);
        let [segment] = path.segments.iter().collect::<Vec<_>>()[..] else { return };
        let name = segment.ident.to_string();
        let home = match name.as_str() {
            "Value" | "Map" => "serde_json".to_owned(),
            "BTreeMap" => "std::collections".to_owned(),
            "Timestamp" => "sentinelone_raw::runtime".to_owned(),
            name if self.0.model.types.contains_key(name) => {
                match type_module(self.0.bundle, self.0.model, name) {
                    module if module == self.0.resource => "raw".to_owned(),
                    module => format!("sentinelone_raw::{module}"),
                }
            }
            _ => return,
        };
        in_module(path, &home);
    }
}
