//! Rules about who may know whom: the rooms of the project, and the modules of the client.

use std::collections::BTreeMap;

use super::Report;
use super::manifests;
use super::rust::Named;
use super::tree::Tree;

/// A folder, and what its sources and the manifests in it must not name.
struct Room {
    folder: &'static str,
    /// Paths; those of one segment are crates.
    unknown: &'static [&'static str],
    /// Crates that a manifest in it has as optional, or not at all.
    optional: &'static [&'static str],
    why: &'static str,
}

/// What does I/O, or asks the machine.
const IO: &[&str] = &["std::fs", "std::net", "std::process", "std::env", "tokio", "hyper", "reqwest", "ureq"];

const ROOMS: [Room; 9] = [
    Room {
        folder: "generated",
        unknown: &["sentinelone", "sentinelone_codegen", "xtask"],
        optional: &[],
        why: "the client is built on the raw client",
    },
    Room { folder: "generated", unknown: IO, optional: &[], why: "the raw client does no I/O" },
    Room {
        folder: "codegen/runtime",
        // No crates: none that codegen does not have.
        unknown: &["std::fs", "std::net", "std::process", "std::env"],
        optional: &[],
        why: "it becomes a part of the raw client, which does no I/O",
    },
    Room {
        folder: "codegen",
        unknown: &["sentinelone", "sentinelone_raw", "xtask", "tokio", "hyper", "reqwest", "ureq"],
        optional: &[],
        why: "codegen has to run when nothing that is made from it compiles",
    },
    Room {
        folder: "src",
        unknown: &["sentinelone_codegen", "xtask"],
        optional: &[],
        why: "the client is built on what codegen wrote, and not on codegen",
    },
    Room {
        folder: "src/bin",
        unknown: &["sentinelone_raw"],
        optional: &[],
        why: "the command line is made of what everybody has who has the client",
    },
    Room {
        folder: "examples",
        unknown: &["sentinelone_raw", "sentinelone_codegen", "xtask"],
        optional: &[],
        why: "an example shows what one has with the client alone",
    },
    Room {
        folder: "fuzz",
        unknown: &["sentinelone_codegen", "xtask"],
        optional: &[],
        why: "what is fuzzed is the client",
    },
    Room {
        folder: "xtask",
        unknown: &[],
        optional: &["sentinelone", "sentinelone_raw", "reqwest", "tokio"],
        why: "`cargo xtask generate` has to work when the client does not compile",
    },
];

/// Modules of the client, the groups that they may use, and why no others.
struct Layer {
    name: &'static str,
    modules: &'static [&'static str],
    uses: &'static [&'static str],
    why: &'static str,
}

/// From the bottom up. A layer may use itself.
const LAYERS: [Layer; 10] = [
    Layer {
        name: "values",
        modules: &["address", "dotted", "secrets", "text", "time", "token"],
        uses: &[],
        why: "small values know nothing of calls",
    },
    Layer {
        name: "errors",
        modules: &["error"],
        uses: &["values", "transport", "incidents", "commands"],
        why: "there is one error for all that talks to a console, and so it holds what each of them refuses",
    },
    Layer {
        name: "transport",
        modules: &["transport"],
        uses: &["values", "errors", "answers"],
        why: "a call is made without knowing who asks",
    },
    Layer {
        name: "answers",
        modules: &["files", "outcome", "response"],
        uses: &["values", "errors", "transport"],
        why: "an answer says what it says, whoever asked",
    },
    Layer {
        name: "client",
        modules: &["builder", "client", "paging", "token_life"],
        uses: &["values", "errors", "transport", "answers"],
        why: "the client can send any request, and so needs none of those who make them",
    },
    Layer {
        name: "resources",
        modules: &["resources"],
        uses: &["values", "errors", "answers", "client"],
        why: "resources are a grammar over the client, which sends for them",
    },
    Layer {
        name: "incidents",
        modules: &["incidents"],
        uses: &["values", "errors", "answers", "client"],
        why: "the commands of the mirroring are built on the incidents",
    },
    Layer {
        name: "commands",
        modules: &["commands"],
        uses: &["values", "errors", "transport", "answers", "client", "incidents"],
        why: "commands work without the features contract and sandbox",
    },
    Layer {
        name: "contract",
        modules: &["contract"],
        uses: &["values", "errors", "transport", "answers", "client"],
        why: "exchanges are held to the specification, whoever made them",
    },
    Layer {
        name: "sandbox",
        modules: &["sandbox"],
        uses: &["values", "answers", "incidents", "contract"],
        why: "a console knows nothing of its clients; it shares names with the incidents",
    },
];

pub(super) fn rooms(tree: &Tree, report: &mut Report) {
    for room in &ROOMS {
        for (path, file) in tree.below(room.folder).filter(|(path, _)| path.ends_with(".rs")) {
            for named in file.rust(room.unknown.iter().copied()).into_iter().flat_map(|rust| &rust.paths) {
                let full = named.segments.join("::");
                for unknown in room.unknown {
                    if full == *unknown || full.starts_with(&format!("{unknown}::")) {
                        let what = format!("{} knows {unknown}", room.folder);
                        report.add(path, named.line, what, format!("do without: {}", room.why));
                    }
                }
            }
        }
        // The client's manifest is that of the whole.
        let own = |path: &str| match room.folder {
            "src" => path == "Cargo.toml",
            folder => path.starts_with(&format!("{folder}/")),
        };
        for (path, file) in tree.ending("Cargo.toml").filter(|(path, _)| own(path)) {
            for one in manifests::dependencies(file).into_iter().filter(|one| !one.offered) {
                let name = one.name.replace('-', "_");
                if room.unknown.contains(&name.as_str()) {
                    let what = format!("{} depends on {}", room.folder, one.name);
                    report.add(path, one.line, what, format!("do without: {}", room.why));
                } else if room.optional.contains(&name.as_str()) && !one.optional {
                    let what = format!("{} always depends on {}", room.folder, one.name);
                    report.add(path, one.line, what, format!("make it optional: {}", room.why));
                }
            }
        }
    }
}

pub(super) fn layers(tree: &Tree, report: &mut Report) {
    let home = |module: &str| LAYERS.iter().find(|layer| layer.modules.contains(&module));
    let shown = shown(tree);
    for (path, file) in tree.below("src").filter(|(path, _)| path.ends_with(".rs")) {
        let own = modules(path);
        let Some(module) = own.first().filter(|_| path != "src/lib.rs" && !path.starts_with("src/bin/"))
        else {
            continue;
        };
        let Some(layer) = home(module) else {
            let remedy = "give it one in xtask/src/tidy/rooms.rs";
            report.add(path, 1, format!("the module {module} has no layer"), remedy);
            continue;
        };
        let apart = |other: &str| {
            home(other).filter(|used| used.name != layer.name && !layer.uses.contains(&used.name))
        };
        let names = shown.iter().filter(|(_, module)| apart(module).is_some()).map(|(name, _)| name.as_str());
        for named in file.rust(names).into_iter().flat_map(|rust| &rust.paths) {
            let Some(name) = from_root(&own, named) else { continue };
            let other = shown.get(&name).unwrap_or(&name);
            if let Some(used) = apart(other) {
                let what = format!("{module}, of the layer {}, uses {other}, of {}", layer.name, used.name);
                report.add(path, named.line, what, format!("do without: {}", layer.why));
            }
        }
    }
}

/// The modules of a source of the client: `src/a/b.rs` and `src/a/b/mod.rs` are `a::b`.
fn modules(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The first segment after the root of the crate that a path of a module leads through.
fn from_root(own: &[String], named: &Named) -> Option<String> {
    let mut segments = named.segments.iter();
    let mut place: Vec<&String> = own.iter().chain(&named.within).collect();
    let mut next = segments.next()?;
    if next == "crate" {
        return segments.next().cloned();
    }
    if next == "self" {
        return place.first().map(|one| (*one).clone());
    }
    while next == "super" {
        place.pop();
        next = segments.next()?;
        if place.is_empty() && next != "super" {
            return Some(next.clone());
        }
    }
    None
}

/// What stands at the root of the crate, and the module that each comes from; a module comes from itself.
fn shown(tree: &Tree) -> BTreeMap<String, String> {
    let layered = LAYERS.iter().flat_map(|layer| layer.modules);
    let mut shown: BTreeMap<String, String> =
        layered.map(|module| ((*module).to_owned(), (*module).to_owned())).collect();
    for (path, _) in tree.below("src/resources") {
        if let Some(name) = modules(path).pop() {
            shown.entry(name).or_insert_with(|| "resources".to_owned());
        }
    }
    let root = tree.file("src/lib.rs").and_then(|file| file.rust(["use"]));
    for named in root.into_iter().flat_map(|rust| &rust.paths) {
        if let [module, .., name] = named.segments.as_slice() {
            shown.insert(name.clone(), module.clone());
        }
    }
    shown
}
