//! Emits the module of one resource.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use serde_json::Value;
use syn::visit::Visit;

use super::features::{Features, Gate};
use super::fields::{self, single_line};
use super::reading;
use super::runtime::RUNTIME;
use crate::bundle::{self, Bundle, Operation, reference};
use crate::dialect::{Envelope, envelope, is_file, properties, query_schema};
use crate::generator::{FieldModel, MethodModel, Model, TypeModel, VariantModel};
use crate::generic::generic;
use crate::metadata::{self, FilterRequirement, Kind, OperationFacts, Paging, SchemaFacts, Security, Tier};
use crate::{Error, Result};

/// Returns the function name of an operation: its ID without the resource prefix.
pub(crate) fn function_name<'a>(id: &'a str, tag: &str) -> &'a str {
    id.strip_prefix(tag).and_then(|rest| rest.strip_prefix('_')).unwrap_or(id)
}

/// Returns the documentation of a module.
pub(super) fn documentation(bundle: &Bundle, module: &str) -> String {
    let mut tags = bundle.document["tags"].as_array().into_iter().flatten();
    match tags.find(|tag| tag["name"] == module).and_then(|tag| tag["description"].as_str()) {
        Some(description) => doc("//!", "", description),
        None => "//! Types that several resources use.\n".to_owned(),
    }
}

/// Returns the source text of the items of a module that a feature compiles, without header and documentation.
pub(super) fn source(
    bundle: &Bundle,
    model: &Model,
    features: &Features,
    module: &str,
    gate: &Gate,
) -> Result<String> {
    let mut names = Names::default();
    let mut items = TokenStream::new();
    let is_here = |operation: &Operation<'_>| {
        operation.node["tags"][0] == module && features.operation(operation.id()) == gate
    };
    for operation in bundle.operations().filter(is_here) {
        items.extend(operation_items(bundle, model, operation, &mut names)?);
    }
    let mut enums = String::new();
    for (name, ty) in &model.types {
        if type_module(bundle, model, name) != module || features.ty(name) != gate {
            continue;
        }
        match ty {
            TypeModel::Struct(fields) => items.extend(structure(bundle, model, name, fields, &mut names)?),
            TypeModel::Enum(variants) => enums.push_str(&enumeration(bundle, name, variants)),
        }
    }

    let mut used = BTreeSet::new();
    identifiers(items.clone(), &mut used);
    let file: syn::File =
        syn::parse2(items).map_err(|error| Error::Generator(format!("{module}: {error}")))?;
    let body = separate_items(&prettyplease::unparse(&file));

    let mut text = String::from("\n");
    let mut uses: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (path, name) in [("std::collections", "BTreeMap"), ("serde_json", "Map"), ("serde_json", "Value")] {
        if used.contains(name) {
            uses.entry(path.into()).or_default().insert(name);
        }
    }
    for name in RUNTIME.into_iter().filter(|name| used.contains(*name)) {
        uses.entry("crate::runtime".into()).or_default().insert(name);
    }
    if !enums.is_empty() {
        uses.entry("crate::runtime".into()).or_default().insert("open_enum");
    }
    for name in &names.0 {
        let home = type_module(bundle, model, name);
        if (home, features.ty(name)) != (module, gate)
            && used.contains(name)
            && model.types.contains_key(name)
        {
            uses.entry(format!("crate::{home}")).or_default().insert(name);
        }
    }
    // Import groups: the standard library, other crates, this crate.
    let rank = |path: &str| [!path.starts_with("std"), path.starts_with("crate")];
    let mut uses: Vec<_> = uses.into_iter().collect();
    uses.sort_by_key(|(path, _)| (rank(path), path.clone()));
    let mut group = None;
    for (path, names) in uses {
        if group.replace(rank(&path)).is_some_and(|group| group != rank(&path)) {
            text.push('\n');
        }
        let names: Vec<_> = names.into_iter().map(|name| format_ident!("{name}")).collect();
        let path: syn::Path = syn::parse_str(&path).map_err(|error| Error::Generator(error.to_string()))?;
        let names = if let [name] = names.as_slice() { quote!(#name) } else { quote!({#(#names),*}) };
        let item =
            syn::parse2(quote!(use #path::#names;)).map_err(|error| Error::Generator(error.to_string()))?;
        let file = syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items: vec![item] };
        text.push_str(&prettyplease::unparse(&file));
    }
    text.push('\n');
    text.push_str(&body);
    text.push_str(&enums);
    Ok(text)
}

/// Collects all identifiers of the code; strings and documentation are skipped.
fn identifiers(tokens: TokenStream, into: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                into.insert(ident.to_string());
            }
            TokenTree::Group(group) => identifiers(group.stream(), into),
            _ => {}
        }
    }
}

/// Returns the module of a type. A query type belongs to the module of its operation.
pub(super) fn type_module<'a>(bundle: &'a Bundle, model: &Model, name: &str) -> &'a str {
    if let Some(module) = bundle.modules.get(name) {
        return module;
    }
    query_operation(bundle, model, name)
        .and_then(|operation| operation.node["tags"][0].as_str())
        .unwrap_or("shared")
}

/// Returns the operation of a query type.
fn query_operation<'a>(bundle: &'a Bundle, model: &Model, name: &str) -> Option<Operation<'a>> {
    let id = model.queries.get(name)?;
    bundle.operations().find(|operation| operation.id() == id)
}

/// Identifiers that types and expressions use.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn collect(&mut self, ty: &syn::Type) {
        self.visit_type(ty);
    }
}

impl Visit<'_> for Names {
    fn visit_ident(&mut self, ident: &syn::Ident) {
        self.0.insert(ident.to_string());
    }
}

fn operation_items(
    bundle: &Bundle,
    model: &Model,
    operation: Operation<'_>,
    names: &mut Names,
) -> Result<TokenStream> {
    let id = operation.id();
    let wrong = |message: String| Error::Generator(format!("{id}: {message}"));
    let facts = metadata::read_operation(operation.node).map_err(wrong)?;
    let form = envelope(bundle, operation).map_err(wrong)?;
    let method = &model.methods[id];
    let tag = operation.node["tags"][0].as_str().unwrap_or_default();
    let name = format_ident!("{}", function_name(id, tag));
    let constant = format_ident!("{}", function_name(id, tag).to_uppercase());

    let table = facts_table(bundle, operation, &facts, &form, names)?;
    let path = operation.full_path();
    let http = operation.method.to_uppercase();
    let fact_doc = format!(" Metadata of `{http} {path}`.");
    let summary = single_line(operation.node["summary"].as_str().unwrap_or_default());
    let mut docs = vec![summary, String::new()];
    docs.extend(paragraphs(operation.node["description"].as_str().unwrap_or_default()));
    docs.extend([String::new(), format!("`{http} {path}`, API {}.", facts.versions.join(" and "))]);
    docs.extend([String::new(), sources(&facts)]);
    if facts.filter == FilterRequirement::Required {
        docs.extend([String::new(), "Sending fails if the filter is not selective.".into()]);
    }
    docs.extend([
        String::new(),
        "# Errors".into(),
        "Returns an error if a value is outside the limits of the API or cannot be encoded.".into(),
    ]);
    let docs = docs.into_iter().map(|line| if line.is_empty() { line } else { format!(" {line}") });

    let (arguments, mut steps) = arguments(operation, method, names)?;
    steps.extend(files(bundle, operation));
    let response_type = match &form {
        Envelope::Page(_) | Envelope::Data(_) | Envelope::Json(_) => {
            let inner = &method.response;
            names.collect(inner);
            match form {
                Envelope::Page(_) => quote!(Page<#inner>),
                Envelope::Data(_) => quote!(Data<#inner>),
                _ => quote!(JsonBody<#inner>),
            }
        }
        Envelope::Empty => quote!(Empty),
        Envelope::Binary => quote!(Binary),
        Envelope::Undocumented => quote!(Undocumented),
    };
    let build = if steps.is_empty() {
        quote!(Ok(Request::new(&#constant)))
    } else {
        let last = steps.len() - 1;
        let (first, last) = (&steps[..last], &steps[last]);
        quote!(Request::new(&#constant) #(#first?)* #last)
    };
    Ok(quote! {
        #[doc = #fact_doc]
        pub static #constant: Operation = #table;

        #(#[doc = #docs])*
        #[inline]
        pub fn #name(#(#arguments),*) -> Result<Request<#response_type>, RequestError> {
            #build
        }
    })
}

/// Returns the documentation paragraph with rate limit, permission and sources.
pub(super) fn sources(facts: &OperationFacts) -> String {
    let mut text = String::new();
    if let Some(rate) = &facts.rate_limit {
        let (per_second, burst) = (rate.per_second, rate.burst);
        text.push_str(&format!("Rate limit: {per_second} requests per second, burst {burst}. "));
    }
    if !facts.permissions.required.is_empty() {
        text.push_str(&format!("Required permissions: {}. ", facts.permissions.required.join(", ")));
    }
    if !facts.permissions.optional.is_empty() {
        text.push_str(&format!("Permissions for some values: {}. ", facts.permissions.optional.join(", ")));
    }
    if let Some(access) = &facts.access {
        text.push_str(&format!("Requires {}. ", single_line(access).trim_end_matches('.')));
    }
    if let Some(end) = &facts.end {
        let date = end.date.as_deref().map(|date| format!(" Ends on {date}.")).unwrap_or_default();
        let replacement = end.replacement.as_deref().map(|one| format!(" Use {one} instead."));
        let removed = if end.removed { " Not in the newest vendor document." } else { "" };
        text.push_str(&format!("Deprecated.{removed}{date}{} ", replacement.unwrap_or_default()));
    }
    let mut sources: Vec<String> = Vec::new();
    for one in &facts.evidence {
        let source = one.source.as_str().replace('-', " ");
        let source = if one.date.is_empty() { source } else { format!("{source} ({})", one.date) };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    text + &format!("Sources: {}.", sources.join(", "))
}

/// Returns the arguments of an operation's function and the method calls that add them to the request.
fn arguments(
    operation: Operation<'_>,
    method: &MethodModel,
    names: &mut Names,
) -> Result<(Vec<TokenStream>, Vec<TokenStream>)> {
    let mut arguments = Vec::new();
    let mut steps = Vec::new();
    for (ident, ty) in &method.arguments {
        names.collect(ty);
        let wire = operation
            .parameters_in("path")
            .filter_map(|parameter| parameter["name"].as_str())
            .find(|name| *ident == fields::rust_name(name));
        if let Some(wire) = wire {
            let (ty, value) = match ty.to_token_stream().to_string().as_str() {
                "bool" | "i64" | "f64" => (quote!(#ty), quote!(#ident.to_string())),
                _ if matches!(ty, syn::Type::Reference(_)) => (quote!(#ty), quote!(#ident)),
                _ => (quote!(&#ty), quote!(#ident)),
            };
            arguments.push(quote!(#ident: #ty));
            steps.push(quote!(.path_param(#wire, #value)));
        } else if let Some(wire) = header_parameter(operation, ident).and_then(|one| one["name"].as_str()) {
            arguments.push(quote!(#ident: #ty));
            steps.push(quote!(.header_param(#wire, #ident)));
        } else if ident == "query" || ident == "body" {
            arguments.push(quote!(#ident: #ty));
            let step = format_ident!("with_{ident}");
            steps.push(quote!(.#step(#ident)));
        } else {
            let id = operation.id();
            return Err(Error::Generator(format!("{id}: unknown argument {ident}")));
        }
    }
    Ok((arguments, steps))
}

/// Returns the header that an argument sets.
pub(super) fn header_parameter<'a>(operation: Operation<'a>, ident: &syn::Ident) -> Option<&'a Value> {
    let is_argument =
        |one: &&Value| one["name"].as_str().is_some_and(|name| *ident == fields::rust_name(name));
    operation.parameters_in("header").find(is_argument)
}

/// Returns the method calls that add the files of a form to the request.
fn files(bundle: &Bundle, operation: Operation<'_>) -> Vec<TokenStream> {
    let form = operation.body().filter(|_| operation.has_form());
    let schema = form.and_then(reference).and_then(|name| bundle.schema(name));
    let files = schema.into_iter().flat_map(properties).filter(|(_, node, _)| is_file(node));
    let calls = files.map(|(name, _, required)| {
        let field = format_ident!("{}", fields::rust_name(name));
        let value = if required { quote!(&body.#field) } else { quote!(body.#field.as_ref()) };
        quote!(.with_file(#name, #value))
    });
    calls.collect()
}

fn facts_table(
    bundle: &Bundle,
    operation: Operation<'_>,
    facts: &OperationFacts,
    form: &Envelope<'_>,
    names: &mut Names,
) -> Result<TokenStream> {
    let id = operation.id();
    let resource = operation.node["tags"][0].as_str().unwrap_or_default();
    let path = operation.full_path();
    let summary = single_line(operation.node["summary"].as_str().unwrap_or_default());
    let method = variant(operation.method);
    let versions = facts.versions.iter().map(|v| format_ident!("V{}", v.replace('.', "_")));
    let tier = format_ident!("{}", if facts.tier == Tier::Curated { "Curated" } else { "Documented" });
    let security = match metadata::security(&bundle.document, operation.node) {
        Ok(Security::ApiToken) => quote!(ApiToken),
        Ok(Security::Bearer) => quote!(Bearer),
        Ok(Security::None) => quote!(None),
        Err(message) => return Err(Error::Generator(format!("{id}: {message}"))),
    };
    let request_format = match &facts.graphql {
        Some(graphql) => {
            let document = &graphql.document;
            quote!(GraphQl(#document))
        }
        None if operation.has_form() => quote!(Form),
        None => quote!(Json),
    };
    let (required, some) = (&facts.permissions.required, &facts.permissions.optional);
    let access = optional(facts.access.as_deref().map(single_line));
    let end = match &facts.end {
        None => quote!(None),
        Some(end) => {
            let text = |value: &Option<String>| single_line(value.as_deref().unwrap_or_default());
            let (date, replacement, source) =
                (text(&end.date), text(&end.replacement), single_line(&end.source));
            let removed = end.removed.then(|| quote!(.removed()));
            quote!(Some(End::new(#date, #replacement, #source)#removed))
        }
    };
    let kind = format_ident!("{}", if facts.kind == Kind::Read { "Read" } else { "Action" });
    let filter = format_ident!(
        "{}",
        match facts.filter {
            FilterRequirement::None => "None",
            FilterRequirement::Optional => "Optional",
            FilterRequirement::Required => "Required",
        }
    );
    let paging = format_ident!("{}", if facts.paging == Paging::None { "None" } else { "Cursor" });
    let items = match &facts.items {
        Some(items) => format!("data.{items}"),
        None => "data".to_owned(),
    };
    let response_format = format_ident!(
        "{}",
        match form {
            Envelope::Page(_) | Envelope::Data(_) | Envelope::Json(_) => "Json",
            Envelope::Empty => "Empty",
            Envelope::Binary => "Binary",
            Envelope::Undocumented => "Undocumented",
        }
    );
    let (idempotent, destructive) = (facts.idempotent, facts.destructive);
    let rate = match &facts.rate_limit {
        None => quote!(None),
        Some(rate) => {
            let (class, burst, source) = (&rate.class, rate.burst, single_line(&rate.source));
            let burst = proc_macro2::Literal::u32_unsuffixed(burst);
            let per_second = proc_macro2::Literal::f64_unsuffixed(rate.per_second);
            quote!(Some(RateLimit::new(#class, #per_second, #burst, #source)))
        }
    };

    let mut query = Vec::new();
    if operation.parameters_in("query").next().is_some() {
        let name = query_schema(id);
        names.0.insert(name.clone());
        let name = format_ident!("{name}");
        query.push(quote!(<#name as Fields>::FIELDS));
    }
    if let Some(shared) = &facts.query {
        names.0.insert(shared.clone());
        let name = format_ident!("{shared}");
        query.push(quote!(<#name as Fields>::FIELDS));
    }
    let mut parts = Vec::new();
    let body = operation.body().and_then(reference).and_then(|b| bundle.schema(b));
    let mut flat = false;
    for (part, node, _) in body.into_iter().flat_map(properties) {
        // A list of objects is validated item by item.
        let Some(schema) = reference(node).or_else(|| reference(&node["items"])) else {
            // A filter without declared fields.
            if part == "filter" && facts.filter != FilterRequirement::None {
                parts.push(quote!(BodyPart::new("filter", true, &[])));
            } else {
                flat = true;
            }
            continue;
        };
        // An enum has no fields.
        let Some(object) = bundle.schema(schema).filter(|one| one.get("enum").is_none()) else {
            flat = true;
            continue;
        };
        let is_filter = metadata::read::<SchemaFacts>(object).is_ok_and(|facts| facts.filter);
        names.0.insert(schema.to_owned());
        let schema = format_ident!("{schema}");
        parts.push(quote!(BodyPart::new(#part, #is_filter, <#schema as Fields>::FIELDS)));
    }
    if let Some(body) = operation.body().and_then(reference).filter(|_| flat) {
        names.0.insert(body.to_owned());
        let body = format_ident!("{body}");
        parts.push(quote!(BodyPart::new("", false, <#body as Fields>::FIELDS)));
    }
    let mut secrets = Vec::new();
    if let Some(body) = operation.body() {
        secret_paths(bundle, body, "", &mut Vec::new(), &mut secrets);
    }
    let evidence = facts.evidence.iter().map(|one| {
        let (source, date) = (one.source.as_str(), &one.date);
        let (reference, note) = (single_line(&one.reference), single_line(&one.note));
        quote!(Evidence::new(#source, #date, #reference, #note))
    });
    Ok(quote! {
        Operation {
            id: #id,
            resource: #resource,
            method: Method::#method,
            path: #path,
            summary: #summary,
            versions: &[#(ApiVersion::#versions),*],
            tier: Tier::#tier,
            security: Security::#security,
            permissions: Permissions::new(&[#(#required),*], &[#(#some),*]),
            access: #access,
            end: #end,
            kind: OperationKind::#kind,
            idempotent: #idempotent,
            destructive: #destructive,
            filter: FilterRequirement::#filter,
            rate_limit: #rate,
            paging: Paging::#paging,
            items: #items,
            request_format: RequestFormat::#request_format,
            response_format: ResponseFormat::#response_format,
            query_params: &[#(#query),*],
            body_parts: &[#(#parts),*],
            secret_fields: &[#(#secrets),*],
            evidence: &[#(#evidence),*],
        }
    })
}

fn structure(
    bundle: &Bundle,
    model: &Model,
    name: &str,
    fields: &[FieldModel],
    names: &mut Names,
) -> Result<TokenStream> {
    let operation = query_operation(bundle, model, name);
    let schema = bundle.schema(name);
    let mut fields: Vec<FieldModel> =
        fields.iter().map(|field| with_special_type(field, schema)).collect::<Result<_>>()?;
    let base = schema.and_then(|schema| base(bundle, schema));
    if let Some((base, inherited)) = &base {
        fields.retain(|field| !inherited.contains(&field.wire));
        let ty = syn::parse_str(base).map_err(|error| Error::Generator(format!("{name}: {error}")))?;
        fields.insert(0, FieldModel { ident: format_ident!("filter"), wire: "filter".to_owned(), ty });
    }
    let is_flat = |field: &FieldModel| field.wire == "filter" && (operation.is_some() || base.is_some());
    let fields = fields.as_slice();
    let in_responses = model.in_responses.contains(name);
    let in_requests = model.in_requests.contains(name);
    let description = match (schema, operation) {
        (Some(schema), _) => schema["description"].as_str().unwrap_or_default().to_owned(),
        (None, Some(operation)) => {
            let summary = single_line(operation.node["summary"].as_str().unwrap_or_default());
            format!("Query of [`{0}`](fn@{0}): {summary}", {
                let tag = operation.node["tags"][0].as_str().unwrap_or_default();
                function_name(operation.id(), tag)
            })
        }
        (None, None) => return Err(Error::Generator(format!("{name} is not a schema"))),
    };
    let docs = paragraphs(&description);
    let docs = docs.iter().map(|line| if line.is_empty() { line.clone() } else { format!(" {line}") });

    let ident = format_ident!("{name}");
    let optional = |field: &FieldModel| generic(&field.ty, "Option").is_some();
    let all_optional = fields.iter().all(|field| optional(field) || is_flat(field));
    let mut derives = vec![quote!(Clone), quote!(Debug), quote!(PartialEq)];
    if all_optional {
        derives.push(quote!(Default));
    }
    let member_by_member = all_optional && !(in_requests && in_responses);
    let full_serde = quote!(feature = "full-serde");
    let mut attributes = Vec::new();
    match (in_requests, in_responses) {
        (true, true) => derives.extend([quote!(serde::Serialize), quote!(serde::Deserialize)]),
        (true, false) => {
            derives.push(quote!(serde::Serialize));
            if !member_by_member {
                attributes.push(quote!(#[cfg_attr(#full_serde, derive(serde::Deserialize))]));
            }
        }
        _ => {
            if !member_by_member {
                derives.push(quote!(serde::Deserialize));
            }
            attributes.push(quote!(#[cfg_attr(#full_serde, derive(serde::Serialize))]));
        }
    }
    // A response type that is read member by member needs serde attributes only for serialization.
    let of_serde = |facts: &[TokenStream]| match member_by_member && in_responses {
        true => quote!(#[cfg_attr(#full_serde, serde(#(#facts),*))]),
        false => quote!(#[serde(#(#facts),*)]),
    };
    if fields.iter().any(|field| field.ident != camel(&field.ident.to_string())) {
        attributes.push(of_serde(&[quote!(rename_all = "camelCase")]));
    }
    attributes.push(quote!(#[non_exhaustive]));

    let node = |wire: &str| -> Value {
        match (schema, operation) {
            (Some(schema), _) => schema["properties"][wire].clone(),
            (None, Some(operation)) => operation
                .parameters_in("query")
                .find(|parameter| parameter["name"] == wire)
                .cloned()
                .unwrap_or_default(),
            _ => Value::Null,
        }
    };
    let required_by_schema: Vec<&str> = schema
        .and_then(|schema| schema["required"].as_array())
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut members = Vec::new();
    let mut setters = Vec::new();
    let mut required = Vec::new();
    for field in fields {
        names.collect(&field.ty);
        let FieldModel { ident, wire, ty } = field;
        let flat = is_flat(field);
        let description = match node(wire)["description"].as_str() {
            _ if flat => "Filter.".to_owned(),
            Some(text) => single_line(text),
            None => return Err(Error::Generator(format!("{name}.{wire} has no description"))),
        };
        let node = node(wire);
        let schema = if node["schema"].is_object() { &node["schema"] } else { &node };
        let limits = if in_requests { fields::limits(schema) } else { String::new() };
        let line = format!(" {description}{limits}");
        let mut serde = Vec::new();
        if flat {
            serde.push(quote!(flatten));
        } else if camel(&ident.to_string()) != *wire {
            serde.push(quote!(rename = #wire));
        }
        if let Some(inner) = generic(ty, "Option") {
            // Responses are decoded leniently.
            let function =
                reading::reader_function(model, inner).filter(|_| in_responses && !member_by_member);
            if let Some(function) = function.map(|function| format!("crate::runtime::{function}")) {
                serde.push(quote!(default));
                serde.push(quote!(deserialize_with = #function));
            }
            let is_required = required_by_schema.contains(&wire.as_str());
            // A request without a value sends null, where null is a value of a required field.
            if in_responses || !is_required || schema["nullable"] != true {
                serde.push(quote!(skip_serializing_if = "Option::is_none"));
            }
        } else if !flat {
            required.push(field);
        }
        let serde = (!serde.is_empty()).then(|| of_serde(&serde));
        members.push(quote!(#[doc = #line] #serde pub #ident: #ty));
        if in_requests {
            setters.push(setter(ident, ty, &line));
        }
    }

    let mut items = quote! {
        #(#[doc = #docs])*
        #[derive(#(#derives),*)]
        #(#attributes)*
        pub struct #ident { #(#members,)* }
    };
    if member_by_member {
        items.extend(match in_responses {
            true => reading::response_reader(model, &ident, fields),
            false => reading::request_reader(&ident, fields, &full_serde),
        });
    }
    let count = fields.iter().find(|field| field.wire == "affected");
    if in_responses && count.is_some_and(|count| count.ty.to_token_stream().to_string() == "Option < i64 >") {
        items.extend(quote! {
            impl AffectedCount for #ident {
                #[inline]
                fn affected(&self) -> Option<u64> {
                    self.affected.and_then(|count| u64::try_from(count).ok())
                }
            }
        });
    }
    if in_requests {
        let constructor = (!required.is_empty()).then(|| {
            let (parameters, values): (Vec<_>, Vec<_>) = required
                .iter()
                .map(|field| {
                    let (parameter, value) = input(&field.ident, &field.ty);
                    let ident = &field.ident;
                    let same = *ident == value.to_string();
                    (parameter, if same { quote!(#ident) } else { quote!(#ident: #value) })
                })
                .unzip();
            let rest = fields.iter().filter(|field| !required.iter().any(|r| r.ident == field.ident));
            let rest = rest.map(|field| {
                let ident = &field.ident;
                quote!(#ident: Default::default())
            });
            quote! {
                /// Creates a value with the required fields.
                #[inline]
                pub fn new(#(#parameters),*) -> Self {
                    Self { #(#values,)* #(#rest,)* }
                }
            }
        });
        items.extend(quote!(impl #ident { #constructor #(#setters)* }));
        if let Some((base, _)) = &base {
            let base = format_ident!("{base}");
            items.extend(quote! {
                impl From<#base> for #ident {
                    #[inline]
                    fn from(filter: #base) -> Self {
                        Self { filter, ..Self::default() }
                    }
                }
            });
        }

        let mut entries = Vec::new();
        let rust_name = |wire: &str| match fields.iter().find(|field| field.wire == wire) {
            Some(field) => field.ident.to_string(),
            // A parameter that the filter also has is a field of the filter.
            None => fields::rust_name(wire),
        };
        match (schema, operation) {
            (Some(schema), _) => {
                for (wire, node, required) in properties(schema) {
                    entries.push(fields::entry(bundle, wire, &rust_name(wire), node, node, required)?);
                }
            }
            (None, Some(operation)) => {
                let shared = operation.node.pointer("/x-s1/query").and_then(Value::as_str);
                let shared = shared.and_then(|name| bundle.schema(name));
                for parameter in operation.parameters_in("query") {
                    let wire = parameter["name"].as_str().unwrap_or_default();
                    let schema = &parameter["schema"];
                    // The bundle copies filter fields to query parameters; the filter has its own table.
                    // Declarations of the operation, such as the limits of `limit`, take precedence.
                    let same = shared.and_then(|shared| shared["properties"].get(wire));
                    if same.is_some_and(|same| *parameter == bundle::query_parameter(wire, same)) {
                        continue;
                    }
                    let required = parameter["required"] == true;
                    let rust_name = rust_name(wire);
                    entries.push(fields::entry(bundle, wire, &rust_name, parameter, schema, required)?);
                }
            }
            (None, None) => {}
        }
        for entry in &entries {
            if let Ok(expr) = syn::parse2::<syn::Expr>(entry.clone()) {
                names.visit_expr(&expr);
            }
        }
        let selects =
            schema.is_some_and(|schema| metadata::read::<SchemaFacts>(schema).is_ok_and(|f| f.filter));
        if selects && all_optional {
            let arms = fields.iter().filter_map(|FieldModel { ident, wire, ty }| {
                let inner = generic(ty, "Option")?;
                let name = |ty: &syn::Type| ty.to_token_stream().to_string();
                let string_like = |name: &str| {
                    matches!(name, "String" | "Timestamp")
                        || matches!(model.types.get(name), Some(TypeModel::Enum(_)))
                };
                let take = match (name(inner).as_str(), generic(inner, "Vec")) {
                    ("bool", _) => "boolean",
                    ("i64", _) => "integer",
                    (_, Some(item)) if string_like(&name(item)) => "list",
                    (_, Some(item)) if name(item) == "bool" => "booleans",
                    (_, Some(item)) if name(item) == "i64" => "integers",
                    (one, None) if string_like(one) => "string",
                    // A `FieldValue` cannot hold this type.
                    _ => return None,
                };
                let take = format_ident!("{take}");
                Some(quote!(#wire => self.#ident = value.#take()?,))
            });
            let rest = match base {
                Some(_) => quote!(self.filter.set(name, value)),
                None => quote!(Err(value)),
            };
            let arms: Vec<TokenStream> = arms.collect();
            let body = match arms.is_empty() {
                // No text sets a field of the filter.
                true => quote!(let _ = name; #rest),
                false => quote! {
                    match name {
                        #(#arms)*
                        _ => return #rest,
                    }
                    Ok(())
                },
            };
            items.extend(quote! {
                impl Filter for #ident {
                    #[inline]
                    fn set(&mut self, name: &str, value: FieldValue) -> Result<(), FieldValue> {
                        #body
                    }
                }
            });
        }
        items.extend(quote!(impl crate::runtime::Sealed for #ident {}));
        items.extend(quote!(impl Fields for #ident { const FIELDS: &'static [Field] = &[#(#entries),*]; }));
    }
    Ok(items)
}

/// Returns the schema that a filter extends, and the properties that it does not declare itself. They are members of the
/// flattened base, so that callers build one filter for lists and actions.
fn base<'a>(bundle: &'a Bundle, schema: &Value) -> Option<(&'a str, BTreeSet<String>)> {
    let facts = metadata::read::<SchemaFacts>(schema).ok()?;
    let name = facts.extends.filter(|_| facts.filter)?;
    let (name, base) =
        bundle::members(&bundle.document, "/components/schemas").find(|(one, _)| **one == name)?;
    let is_same = |(wire, node, _): &(&String, &Value, bool)| schema["properties"].get(wire) == Some(*node);
    Some((name, properties(base).filter(is_same).map(|(wire, ..)| wire.clone()).collect()))
}

/// Adds the paths of the secret fields of a schema; see `Operation::secret_fields`.
fn secret_paths(bundle: &Bundle, node: &Value, path: &str, above: &mut Vec<String>, paths: &mut Vec<String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if let Some(name) = reference(node) {
        if !above.iter().any(|other| other == name)
            && let Some(schema) = bundle.schema(name)
        {
            above.push(name.to_owned());
            secret_paths(bundle, schema, path, above, paths);
            above.pop();
        }
        return;
    }
    for (name, property, _) in properties(node) {
        let is_secret = |facts: metadata::PropertyFacts| facts.secret == Some(true);
        if metadata::read(property).is_ok_and(is_secret) {
            paths.push(below(name));
        } else {
            secret_paths(bundle, property, &below(name), above, paths);
        }
    }
    for (key, path) in [("items", path.to_owned()), ("additionalProperties", below("*"))] {
        if let Some(inner) = node.get(key).filter(|inner| inner.is_object()) {
            secret_paths(bundle, inner, &path, above, paths);
        }
    }
}

/// Returns the field; its type is `Secret` if the specification marks it as a secret, and `FilePart` if it is a file.
fn with_special_type(field: &FieldModel, schema: Option<&Value>) -> Result<FieldModel> {
    let mut field = field.clone();
    let Some(node) = schema.map(|schema| &schema["properties"][&field.wire]) else { return Ok(field) };
    let is_secret =
        metadata::read::<metadata::PropertyFacts>(node).is_ok_and(|facts| facts.secret == Some(true));
    let name = match (is_secret, is_file(node)) {
        (true, _) => format_ident!("Secret"),
        (false, true) => format_ident!("FilePart"),
        (false, false) => return Ok(field),
    };
    field.ty = match field.ty.to_token_stream().to_string().as_str() {
        "Option < String >" => syn::parse_quote!(Option<#name>),
        "String" => syn::parse_quote!(#name),
        other => {
            let message = format!("{}: type {other} cannot be a {name}", field.wire);
            return Err(Error::Generator(message));
        }
    };
    Ok(field)
}

fn setter(ident: &syn::Ident, ty: &syn::Type, line: &str) -> TokenStream {
    let inner = generic(ty, "Option");
    let (parameter, value) = input(ident, inner.unwrap_or(ty));
    let value = if inner.is_some() { quote!(Some(#value)) } else { value };
    quote! {
        #[doc = #line]
        #[inline]
        #[must_use]
        pub fn #ident(mut self, #parameter) -> Self {
            self.#ident = #value;
            self
        }
    }
}

/// Returns the parameter of a setter or constructor, and the expression that converts it to `ty`.
fn input(ident: &syn::Ident, ty: &syn::Type) -> (TokenStream, TokenStream) {
    if let Some(item) = generic(ty, "Vec") {
        return (
            quote!(#ident: impl IntoIterator<Item = impl Into<#item>>),
            // One generic function has a fifth of the compile time of this chain in each setter.
            quote!(crate::runtime::converted(#ident)),
        );
    }
    match ty.to_token_stream().to_string().as_str() {
        "bool" | "i64" | "f64" => (quote!(#ident: #ty), quote!(#ident)),
        _ => (quote!(#ident: impl Into<#ty>), quote!(#ident.into())),
    }
}

fn enumeration(bundle: &Bundle, name: &str, variants: &[VariantModel]) -> String {
    let description = bundle.schema(name).and_then(|schema| schema["description"].as_str());
    let mut text = String::from("\nopen_enum! {\n");
    text.push_str(&doc("///", "    ", description.unwrap_or_default()));
    text.push_str(&format!("    pub enum {name} {{\n"));
    for VariantModel { ident, wire } in variants {
        text.push_str(&format!("        /// Wire value `{wire}`.\n        {ident} = {wire:?},\n"));
    }
    text.push_str("    }\n}\n");
    text
}

/// Converts a field name as serde does for `rename_all = "camelCase"`.
fn camel(ident: &str) -> String {
    let mut text = String::new();
    let mut upper = false;
    for c in ident.chars() {
        match c {
            '_' => upper = true,
            c if upper && !text.is_empty() => {
                text.extend(c.to_uppercase());
                upper = false;
            }
            c => {
                text.push(c);
                upper = false;
            }
        }
    }
    text
}

fn variant(method: &str) -> syn::Ident {
    let mut chars = method.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    format_ident!("{}", first.into_iter().chain(chars).collect::<String>())
}

fn optional(text: Option<String>) -> TokenStream {
    match text {
        Some(text) => quote!(Some(#text)),
        None => quote!(None),
    }
}

/// Splits a description into documentation lines: one line per paragraph, separated by empty lines.
fn paragraphs(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split("\n\n").map(single_line).filter(|paragraph| !paragraph.is_empty()) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(paragraph);
    }
    lines
}

fn doc(mark: &str, indent: &str, text: &str) -> String {
    paragraphs(text)
        .iter()
        .map(|line| format!("{indent}{mark} {line}").trim_end().to_owned() + "\n")
        .collect()
}

/// Inserts an empty line between items; prettyplease omits it.
pub(crate) fn separate_items(text: &str) -> String {
    let mut out = String::new();
    let mut previous = "";
    for line in text.lines() {
        let starts = line.starts_with("///") || line.starts_with("#[") || line.starts_with("impl");
        if starts && (previous == "}" || previous == "};" || previous.ends_with(';')) {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        previous = line;
    }
    out
}
