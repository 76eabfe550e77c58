//! Operations of each command, read from the sources of the commands.
//!
//! The registry of the client has the same data. The sources are read instead, because the diff lists affected commands
//! even if the client does not compile. A test compares both.

use std::collections::BTreeMap;
use std::path::Path;

use sentinelone_codegen::diff::Commands;
use sentinelone_codegen::{Error, Result};
use syn::visit::Visit;

/// Returns the command names of each operation.
pub(crate) fn by_operation(root: &Path) -> Result<Commands> {
    let mut commands = Commands::new();
    for (name, operations) in declared(&root.join("src/commands"))? {
        for operation in operations {
            commands.entry(operation).or_default().insert(name.clone());
        }
    }
    Ok(commands)
}

/// Returns the operations of each command that a source in `dir` declares.
fn declared(dir: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let io = |source| Error::Io { path: dir.to_owned(), source };
    let mut found = Infos::default();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_none_or(|extension| extension != "rs") {
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

/// Each `CommandInfo { name: "…", operations: &["…"], … }`.
#[derive(Default)]
struct Infos(BTreeMap<String, Vec<String>>);

impl Visit<'_> for Infos {
    fn visit_expr_struct(&mut self, node: &syn::ExprStruct) {
        syn::visit::visit_expr_struct(self, node);
        if node.path.segments.last().is_none_or(|last| last.ident != "CommandInfo") {
            return;
        }
        let field = |name: &str| {
            let found = node
                .fields
                .iter()
                .find(|field| matches!(&field.member, syn::Member::Named(ident) if ident == name));
            strings(found.map(|field| &field.expr))
        };
        if let Some(name) = field("name").first() {
            self.0.insert(name.clone(), field("operations"));
        }
    }
}

/// Returns the string literals of an expression.
fn strings(expression: Option<&syn::Expr>) -> Vec<String> {
    match expression {
        Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(string), .. })) => vec![string.value()],
        Some(syn::Expr::Reference(inner)) => strings(Some(&inner.expr)),
        Some(syn::Expr::Array(array)) => array.elems.iter().flat_map(|elem| strings(Some(elem))).collect(),
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
    fn by_operation_lists_only_operations_of_the_spec() {
        let bundle = sentinelone_codegen::bundle::Bundle::read(&root().join("spec")).unwrap();
        let ids: Vec<&str> = bundle.operations().map(|operation| operation.id()).collect();
        let commands = by_operation(root()).unwrap();
        assert!(commands.len() > 40, "{commands:?}");
        for (operation, names) in commands {
            assert!(ids.contains(&operation.as_str()), "{operation} of {names:?}");
        }
    }

    #[cfg(feature = "report")]
    #[test]
    fn declared_operations_equal_the_registry() {
        let parsed = declared(&root().join("src/commands")).unwrap();
        let registered: BTreeMap<String, Vec<String>> = sentinelone::commands::registry()
            .iter()
            .map(|entry| {
                let operations = entry.info.operations.iter().map(|id| (*id).to_owned()).collect();
                (entry.info.name.to_owned(), operations)
            })
            .collect();
        assert_eq!(parsed, registered);
    }
}
