//! Which command may send which operation, read from the sources of the commands.
//!
//! The registry knows it too, and is part of the client: what breaks when the API moves has to be told when the client
//! does not compile. A test compares the two.

use std::collections::BTreeMap;
use std::path::Path;

use sentinelone_codegen::diff::Commands;
use sentinelone_codegen::{Error, Result};
use syn::visit::Visit;

/// Names of commands by operation.
pub(crate) fn by_operation(root: &Path) -> Result<Commands> {
    let mut commands = Commands::new();
    for (name, operations) in declared(&root.join("src/commands"))? {
        for operation in operations {
            commands.entry(operation).or_default().insert(name.clone());
        }
    }
    Ok(commands)
}

/// The operations of every command that a source in the folder declares.
fn declared(folder: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    let mut found = Infos::default();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let text =
            std::fs::read_to_string(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let file = syn::parse_file(&text)
            .map_err(|error| Error::Generator(format!("{}: {error}", path.display())))?;
        found.visit_file(&file);
    }
    Ok(found.0)
}

/// Every `Info { name: "…", operations: &["…"], … }`.
#[derive(Default)]
struct Infos(BTreeMap<String, Vec<String>>);

impl Visit<'_> for Infos {
    fn visit_expr_struct(&mut self, node: &syn::ExprStruct) {
        syn::visit::visit_expr_struct(self, node);
        if node.path.segments.last().is_none_or(|last| last.ident != "Info") {
            return;
        }
        let field = |name: &str| {
            let found = node
                .fields
                .iter()
                .find(|field| matches!(&field.member, syn::Member::Named(ident) if ident == name));
            texts(found.map(|field| &field.expr))
        };
        if let Some(name) = field("name").first() {
            self.0.insert(name.clone(), field("operations"));
        }
    }
}

/// The literal texts of an expression.
fn texts(expression: Option<&syn::Expr>) -> Vec<String> {
    match expression {
        Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) => vec![text.value()],
        Some(syn::Expr::Reference(inner)) => texts(Some(&inner.expr)),
        Some(syn::Expr::Array(all)) => all.elems.iter().flat_map(|one| texts(Some(one))).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn every_operation_that_a_command_names_is_in_the_specification() {
        let bundle = sentinelone_codegen::bundle::Bundle::read(&root().join("spec")).unwrap();
        let known: Vec<&str> = bundle.operations().map(|operation| operation.id()).collect();
        let commands = by_operation(root()).unwrap();
        assert!(commands.len() > 40, "{commands:?}");
        for (operation, names) in commands {
            assert!(known.contains(&operation.as_str()), "{operation} of {names:?}");
        }
    }

    #[cfg(feature = "report")]
    #[test]
    fn the_sources_say_what_the_registry_says() {
        let parsed = declared(&root().join("src/commands")).unwrap();
        let registered: BTreeMap<String, Vec<String>> = sentinelone::commands::registry()
            .iter()
            .map(|entry| {
                let operations = entry.info().operations.iter().map(|one| (*one).to_owned()).collect();
                (entry.info().name.to_owned(), operations)
            })
            .collect();
        assert_eq!(parsed, registered);
    }
}
