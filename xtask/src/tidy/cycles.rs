//! Rule about import cycles between the files of a crate.
//!
//! A path counts as an import of the file that defines the item, not of the files that re-export it. `mod` lines,
//! re-exports of a parent module and test modules do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use super::rust::{Import, Named};
use super::tree::{File, Tree};

type Module = Vec<String>;

/// The files of a crate by their module paths.
struct Modules<'a> {
    files: BTreeMap<Module, (&'a str, &'a File)>,
}

/// Lines of the imports of each file, by the imported file.
type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

pub(super) fn import_cycles(tree: &Tree, report: &mut Report) {
    for modules in crates(tree) {
        let imports = modules.imports();
        for cycle in cycles(&imports) {
            let Some((&first, &second)) = cycle.first().zip(cycle.get(1)) else { continue };
            let line = imports.get(first).and_then(|targets| targets.get(second)).copied().unwrap_or(1);
            let finding = format!("import cycle {} -> {first}", cycle.join(" -> "));
            report.add(first, line, finding, "move what several of these files use into a file below them");
        }
    }
}

/// Returns the crates of the workspace, and the runtime that is copied into the generated crate.
fn crates(tree: &Tree) -> Vec<Modules<'_>> {
    let manifests = tree.files().filter_map(|(path, _)| path.strip_suffix("Cargo.toml"));
    let sources =
        manifests.filter(|dir| !dir.starts_with("generated/")).map(|dir| (format!("{dir}src/"), vec![]));
    let runtime = ("codegen/runtime/".to_owned(), vec!["runtime".to_owned()]);
    sources.chain([runtime]).map(|(dir, prefix)| Modules::read(tree, &dir, &prefix)).collect()
}

impl<'a> Modules<'a> {
    /// Reads the files below a directory, which is the module `prefix`.
    fn read(tree: &'a Tree, dir: &str, prefix: &[String]) -> Self {
        let mut files = BTreeMap::new();
        for (path, file) in tree.below(dir) {
            let Some(name) = path.strip_prefix(dir).and_then(|name| name.strip_suffix(".rs")) else {
                continue;
            };
            // A library comes before a program in the same directory, which is another crate.
            let root = ["lib", "main", "mod"].contains(&name);
            let name = name.strip_suffix("/mod").unwrap_or(name);
            let below = name.split('/').map(str::to_owned).filter(|_| !root);
            let module: Module = prefix.iter().cloned().chain(below).collect();
            if !module.iter().any(|name| is_test(name)) {
                files.entry(module).or_insert((path, file));
            }
        }
        Self { files }
    }

    fn imports(&self) -> Imports<'a> {
        let mut imports = Imports::new();
        for (module, (path, file)) in &self.files {
            for named in file.tokens().into_iter().flat_map(|rust| &rust.paths) {
                if named.modules.iter().any(|name| is_test(name)) {
                    continue;
                }
                let inside: Module = module.iter().chain(&named.modules).cloned().collect();
                let Some(target) = self.resolve(&inside, &named.segments, 0) else { continue };
                let Some((target_path, _)) = self.files.get(&target) else { continue };
                let is_reexport = named.import.as_ref().is_some_and(|import| import.is_public);
                if target_path == path || is_reexport && target.starts_with(module) {
                    continue;
                }
                imports.entry(*path).or_default().entry(*target_path).or_insert(named.line);
            }
        }
        imports
    }

    /// Returns the module whose file defines the item of a path in a module. `None` for another crate.
    fn resolve(&self, module: &[String], segments: &[String], depth: usize) -> Option<Module> {
        // Imports can refer to each other.
        if depth > 16 {
            return None;
        }
        let mut rest = segments;
        let mut at: Module = match segments.first()?.as_str() {
            "crate" => {
                rest = rest.get(1..)?;
                Module::new()
            }
            "self" => {
                rest = rest.get(1..)?;
                module.to_vec()
            }
            "super" => {
                let mut at = module.to_vec();
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop()?;
                    rest = rest.get(1..)?;
                }
                at
            }
            name => {
                let at = self.file_module(module);
                if !self.files.contains_key(&child(&at, name)) && self.import(&at, name).is_none() {
                    return None;
                }
                at
            }
        };
        // `use module::{self}`.
        let rest = rest.strip_suffix(&["self".to_owned()]).unwrap_or(rest);
        for (position, name) in rest.iter().enumerate() {
            let inner = child(&at, name);
            if self.files.contains_key(&inner) {
                at = inner;
                continue;
            }
            let file = self.file_module(&at);
            if let Some(import) = self.import(&file, name) {
                let target: Vec<String> =
                    import.segments.iter().chain(rest.get(position + 1..)?).cloned().collect();
                // The import of a name from another crate, or of the name itself.
                return if target == segments { Some(file) } else { self.resolve(&file, &target, depth + 1) };
            }
            return Some(self.defining(&file, name, depth));
        }
        Some(self.file_module(&at))
    }

    /// Returns the module that defines a name: `module` itself, or a module whose names it imports with `*`.
    fn defining(&self, module: &Module, name: &str, depth: usize) -> Module {
        let (_, file) = self.files[module];
        if defines(file, name) {
            return module.clone();
        }
        let globs = file.tokens().into_iter().flat_map(|rust| &rust.paths).filter(|one| {
            one.modules.is_empty() && one.import.as_ref().is_some_and(|import| import.name.is_none())
        });
        let sources = globs.filter_map(|one| self.resolve(module, &one.segments, depth + 1));
        let mut defines =
            sources.filter(|source| self.files.get(source).is_some_and(|(_, file)| defines(file, name)));
        defines.next().unwrap_or_else(|| module.clone())
    }

    /// Returns the import of a name in a module.
    fn import(&self, module: &Module, name: &str) -> Option<&'a Named> {
        let (_, file) = self.files.get(module)?;
        file.tokens()?.paths.iter().find(|one| {
            let imported = one.import.as_ref().and_then(|Import { name, .. }| name.as_deref());
            imported == Some(name) && one.modules.is_empty()
        })
    }

    /// Returns the innermost module around a module that has a file of its own.
    fn file_module(&self, module: &[String]) -> Module {
        let mut module = module.to_vec();
        while !module.is_empty() && !self.files.contains_key(&module) {
            module.pop();
        }
        module
    }
}

fn is_test(module: &str) -> bool {
    module == "tests" || module.ends_with("_tests")
}

fn child(module: &[String], name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// Returns whether a file has an item with this name.
fn defines(file: &File, name: &str) -> bool {
    const KINDS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod"];
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    KINDS.iter().any(|kind| {
        let item = format!("{kind} {name}");
        file.text.match_indices(&item).any(|(at, _)| file.text.get(at + item.len()..).is_some_and(is_end))
    })
}

/// Returns one cycle, a shortest one through its first file, for each group of files that import each other.
fn cycles<'a>(imports: &Imports<'a>) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for &start in imports.keys() {
        if seen.contains(start) {
            continue;
        }
        if let Some(cycle) = shortest_cycle(imports, start) {
            // The other files of the group would report the same cycle again.
            let reached = reachable(imports, start);
            seen.extend(reached.iter().filter(|file| reachable(imports, file).contains(start)));
            found.push(cycle);
        }
    }
    found
}

fn reachable<'a>(imports: &Imports<'a>, start: &str) -> BTreeSet<&'a str> {
    let targets = |file: &str| imports.get(file).into_iter().flat_map(BTreeMap::keys).copied();
    let mut reached = BTreeSet::new();
    let mut todo: Vec<&'a str> = targets(start).collect();
    while let Some(file) = todo.pop() {
        if reached.insert(file) {
            todo.extend(targets(file));
        }
    }
    reached
}

/// Returns a shortest cycle that starts at a file.
fn shortest_cycle<'a>(imports: &Imports<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut level = vec![start];
    while !level.is_empty() {
        let mut next = Vec::new();
        for file in level {
            for &target in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
                if target == start {
                    let mut cycle = vec![file];
                    while let Some(previous) = cycle.last().and_then(|file| before.get(file)) {
                        cycle.push(previous);
                    }
                    cycle.reverse();
                    return Some(cycle);
                }
                if let std::collections::btree_map::Entry::Vacant(entry) = before.entry(target) {
                    entry.insert(file);
                    next.push(target);
                }
            }
        }
        level = next;
    }
    None
}
