//! Rules about imports: crate boundaries, and the layers of the client.

use std::collections::BTreeMap;

use super::manifests::{self, Dependency};
use super::report::Report;
use super::rust::Named;
use super::tree::Tree;

/// A directory and the names that its sources and manifests must not use.
struct Boundary {
    dir: &'static str,
    /// Forbidden paths. A path of one segment is a crate.
    forbidden: &'static [&'static str],
    /// Crates that may only be optional dependencies.
    optional: &'static [&'static str],
    reason: &'static str,
}

/// Modules and crates that do I/O or read the environment.
const IO: &[&str] = &["std::fs", "std::net", "std::process", "std::env", "tokio", "hyper", "reqwest", "ureq"];

/// Dev-dependencies of any crate: tests use the products, and send requests that the client does not send.
const FOR_TESTS: [&str; 3] = ["sentinelone_contract", "sentinelone_sandbox", "reqwest"];

const BOUNDARIES: [Boundary; 11] = [
    Boundary {
        dir: "generated",
        forbidden: &["sentinelone", "sentinelone_codegen", "xtask"],
        optional: &[],
        reason: "the client depends on the raw client, not the reverse",
    },
    Boundary { dir: "generated", forbidden: IO, optional: &[], reason: "the raw client does no I/O" },
    Boundary {
        dir: "codegen/runtime",
        // Crates are covered by the manifest of codegen.
        forbidden: &["std::fs", "std::net", "std::process", "std::env"],
        optional: &[],
        reason: "the runtime is copied into the raw client, which does no I/O",
    },
    Boundary {
        dir: "codegen",
        forbidden: &["sentinelone", "sentinelone_raw", "xtask", "tokio", "hyper", "reqwest", "ureq"],
        optional: &[],
        reason: "codegen must run even if the generated code does not compile",
    },
    Boundary {
        dir: "src",
        forbidden: &[
            "sentinelone_codegen",
            "sentinelone_contract",
            "sentinelone_sandbox",
            "sentinelone_cli",
            "xtask",
            "jsonschema",
            "hyper",
            "clap",
        ],
        optional: &[],
        reason: "the client uses the generated code, and the products use the client",
    },
    Boundary {
        dir: "contract",
        forbidden: &[
            "sentinelone_codegen",
            "sentinelone_sandbox",
            "sentinelone_cli",
            "xtask",
            "reqwest",
            "hyper",
            "clap",
        ],
        optional: &[],
        reason: "the contract validates exchanges from any source, and its probe uses the client",
    },
    Boundary {
        dir: "sandbox",
        forbidden: &["sentinelone_codegen", "sentinelone_cli", "xtask", "reqwest", "clap"],
        optional: &[],
        reason: "the sandbox is a server, and a dev-dependency of tests",
    },
    Boundary {
        dir: "cli",
        forbidden: &["sentinelone_raw", "sentinelone_codegen", "xtask", "reqwest", "hyper"],
        optional: &[],
        reason: "the command line uses only the public interface of the client and of the products",
    },
    Boundary {
        dir: "examples",
        forbidden: &["sentinelone_raw", "sentinelone_codegen", "xtask"],
        optional: &[],
        reason: "an example uses only the public interface of the client",
    },
    Boundary {
        dir: "fuzz",
        forbidden: &["sentinelone_codegen", "xtask"],
        optional: &[],
        reason: "the fuzz targets test the client",
    },
    Boundary {
        dir: "xtask",
        forbidden: &[],
        optional: &["sentinelone", "sentinelone_raw", "reqwest", "tokio"],
        reason: "`cargo xtask generate` must work even if the client does not compile",
    },
];

/// Modules of the client, the layers that they may use, and the reason for the restriction.
struct Layer {
    name: &'static str,
    modules: &'static [&'static str],
    uses: &'static [&'static str],
    reason: &'static str,
}

/// Layers, lowest first. A layer may use itself.
const LAYERS: [Layer; 10] = [
    Layer {
        name: "values",
        modules: &[
            "background",
            "console_url",
            "cancel_on_drop",
            "entry_id",
            "event_fields",
            "json_path",
            "json_repair",
            "json_text",
            "redaction",
            "retry_after",
            "s1ql",
            "text",
            "token",
        ],
        uses: &[],
        reason: "values do not depend on calls",
    },
    Layer {
        name: "errors",
        modules: &["error"],
        uses: &["values"],
        reason: "the layers that raise errors convert into the error type of the crate",
    },
    Layer {
        name: "transport",
        modules: &["transport"],
        uses: &["values", "errors", "responses"],
        reason: "the transport does not depend on its callers",
    },
    Layer {
        name: "responses",
        modules: &["files", "outcome", "response"],
        uses: &["values", "errors", "transport"],
        reason: "responses do not depend on the caller",
    },
    Layer {
        name: "client",
        modules: &[
            "batch",
            "builder",
            "client",
            "items",
            "paging",
            "parallel",
            "rule_update",
            "token_expiry",
        ],
        uses: &["values", "errors", "transport", "responses"],
        reason: "the client sends any request and does not depend on the layers that build them",
    },
    Layer {
        name: "resources",
        modules: &["resources"],
        uses: &["values", "errors", "responses", "client"],
        reason: "resources build requests, and the client sends them",
    },
    Layer {
        name: "queries",
        modules: &["queries"],
        uses: &["values", "errors", "responses", "client", "resources"],
        reason: "the commands that hunt depend on queries, not the reverse",
    },
    Layer {
        name: "unified alerts",
        modules: &["unified_alerts"],
        uses: &["values", "errors", "responses", "client"],
        reason: "the commands that triage depend on unified alerts, not the reverse",
    },
    Layer {
        name: "incidents",
        modules: &["incidents"],
        uses: &["values", "errors", "responses", "client"],
        reason: "the mirroring commands depend on incidents, not the reverse",
    },
    Layer {
        name: "commands",
        modules: &["commands"],
        uses: &["values", "errors", "transport", "responses", "client", "queries", "incidents"],
        reason: "commands are the topmost layer of the client",
    },
];

pub(super) fn crate_boundaries(tree: &Tree, report: &mut Report) {
    for boundary in &BOUNDARIES {
        let is_test =
            |path: &str| path.strip_prefix(boundary.dir).is_some_and(|rest| rest.starts_with("/tests/"));
        let sources = tree.below(boundary.dir).filter(|(path, _)| path.ends_with(".rs") && !is_test(path));
        for (path, file) in sources {
            for named in
                file.rust(boundary.forbidden.iter().copied()).into_iter().flat_map(|rust| &rust.paths)
            {
                let full = named.segments.join("::");
                for forbidden in boundary.forbidden {
                    if full == *forbidden || full.starts_with(&format!("{forbidden}::")) {
                        let finding = format!("{} uses {forbidden}", boundary.dir);
                        report.add(path, named.line, finding, format!("remove the use: {}", boundary.reason));
                    }
                }
            }
        }
        // The manifest of the client is at the root.
        let is_own = |path: &str| match boundary.dir {
            "src" => path == "Cargo.toml",
            dir => path.starts_with(&format!("{dir}/")),
        };
        for (path, file) in tree.ending("Cargo.toml").filter(|(path, _)| is_own(path)) {
            let dependencies = manifests::dependencies(file).into_iter();
            let is_for_tests =
                |one: &Dependency| one.is_dev && FOR_TESTS.contains(&one.name.replace('-', "_").as_str());
            for dependency in dependencies.filter(|one| !one.is_workspace_table && !is_for_tests(one)) {
                let name = dependency.name.replace('-', "_");
                if boundary.forbidden.contains(&name.as_str()) {
                    let finding = format!("{} depends on {}", boundary.dir, dependency.name);
                    let remedy = format!("remove the dependency: {}", boundary.reason);
                    report.add(path, dependency.line, finding, remedy);
                } else if boundary.optional.contains(&name.as_str()) && !dependency.optional {
                    let finding = format!("{} always depends on {}", boundary.dir, dependency.name);
                    let remedy = format!("make the dependency optional: {}", boundary.reason);
                    report.add(path, dependency.line, finding, remedy);
                }
            }
        }
    }
}

pub(super) fn layers(tree: &Tree, report: &mut Report) {
    let layer_of = |module: &str| LAYERS.iter().find(|layer| layer.modules.contains(&module));
    let root_names = root_names(tree);
    for (path, file) in tree.below("src").filter(|(path, _)| path.ends_with(".rs")) {
        let own = modules(path);
        let Some(module) = own.first().filter(|_| path != "src/lib.rs") else { continue };
        let Some(layer) = layer_of(module) else {
            let remedy = "add the module to a layer in xtask/src/tidy/boundaries.rs";
            report.add(path, 1, format!("module {module} has no layer"), remedy);
            continue;
        };
        let forbidden = |other: &str| {
            layer_of(other).filter(|used| used.name != layer.name && !layer.uses.contains(&used.name))
        };
        let names = root_names
            .iter()
            .filter(|(_, module)| forbidden(module).is_some())
            .map(|(name, _)| name.as_str());
        for named in file.rust(names).into_iter().flat_map(|rust| &rust.paths) {
            let Some(name) = root_segment(&own, named) else { continue };
            let other = root_names.get(&name).unwrap_or(&name);
            if let Some(used) = forbidden(other) {
                let finding = format!("{module} in layer {} uses {other} in layer {}", layer.name, used.name);
                report.add(path, named.line, finding, format!("remove the use: {}", layer.reason));
            }
        }
    }
}

/// Returns the module path of a source of the client: `src/a/b.rs` and `src/a/b/mod.rs` are `a::b`.
fn modules(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// Returns the first segment below the crate root of a path, resolved from its module.
fn root_segment(own: &[String], named: &Named) -> Option<String> {
    let mut segments = named.segments.iter();
    let mut module: Vec<&String> = own.iter().chain(&named.modules).collect();
    let mut next = segments.next()?;
    if next == "crate" {
        return segments.next().cloned();
    }
    if next == "self" {
        return module.first().map(|name| (*name).clone());
    }
    while next == "super" {
        module.pop();
        next = segments.next()?;
        if module.is_empty() && next != "super" {
            return Some(next.clone());
        }
    }
    None
}

/// Returns the names at the crate root with the module that defines each. A module maps to itself.
fn root_names(tree: &Tree) -> BTreeMap<String, String> {
    let layered = LAYERS.iter().flat_map(|layer| layer.modules);
    let mut names: BTreeMap<String, String> =
        layered.map(|module| ((*module).to_owned(), (*module).to_owned())).collect();
    for (path, _) in tree.below("src/resources") {
        if let Some(name) = modules(path).pop() {
            names.entry(name).or_insert_with(|| "resources".to_owned());
        }
    }
    let root = tree.file("src/lib.rs").and_then(|file| file.rust(["use"]));
    for named in root.into_iter().flat_map(|rust| &rust.paths) {
        if let [module, .., name] = named.segments.as_slice() {
            names.insert(name.clone(), module.clone());
        }
    }
    names
}
