//! Handwritten users of what a change of the API breaks: files and lines.
//!
//! The search is by name, without types. A member counts if the same file names its type or the module of its type. A wire
//! name counts in string literals of files that name the module, in the declarations of affected commands, in fixtures of
//! affected operations, and for responses in the data of the sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use sentinelone_codegen::diff::{Direction, Finding};
use sentinelone_codegen::{Error, Result};

/// Directories with handwritten Rust code.
const RUST: [&str; 7] = ["src", "cli/src", "contract/src", "sandbox/src", "examples", "tests", "bench/src"];

/// Adds the users to the findings that break a program.
///
/// # Errors
/// Returns an error if a file cannot be read.
pub(crate) fn add(root: &Path, findings: &mut [Finding]) -> Result<()> {
    let project = Project::read(root)?;
    for finding in findings.iter_mut().filter(|finding| finding.class.breaks()) {
        finding.users = project.users(finding).into_iter().collect();
    }
    Ok(())
}

/// Keys of a command manifest whose values are names in requests, or in responses.
const REQUEST_KEYS: [&str; 2] = [" as: ", " sends: "];
const RESPONSE_KEYS: [&str; 2] = [" field: ", " identifies: "];

/// The handwritten files of the project.
struct Project {
    sources: Vec<Source>,
    /// Lines of the other files, by path.
    texts: BTreeMap<String, Vec<String>>,
}

/// The names in a Rust file, each with its lines.
#[derive(Default)]
struct Source {
    path: String,
    names: BTreeMap<String, BTreeSet<usize>>,
    /// Names after a dot or before a colon.
    members: BTreeMap<String, BTreeSet<usize>>,
    /// `a::b`.
    pairs: BTreeMap<(String, String), BTreeSet<usize>>,
    literals: Vec<(String, usize)>,
}

impl Project {
    fn read(root: &Path) -> Result<Self> {
        let mut project = Self { sources: Vec::new(), texts: BTreeMap::new() };
        for directory in RUST {
            for (path, text) in files(root, &root.join(directory), "rs")? {
                if !text.starts_with("// @generated ") {
                    project.sources.push(Source::of(path, &text));
                }
            }
        }
        let others = [("spec/commands", "yaml"), ("fixtures", "json"), ("sandbox/src", "json")];
        for (directory, extension) in others {
            for (path, text) in files(root, &root.join(directory), extension)? {
                let is_generated = path.rsplit('/').next().is_some_and(|name| name.starts_with("generated_"));
                if !is_generated {
                    project.texts.insert(path, text.lines().map(str::to_owned).collect());
                }
            }
        }
        Ok(project)
    }

    fn users(&self, finding: &Finding) -> BTreeSet<String> {
        let mut users = BTreeSet::new();
        for item in &finding.rust {
            let parts: Vec<&str> = item.split("::").skip(2).collect();
            for source in &self.sources {
                let mut lines = source.uses(&parts);
                if let (true, [_, ty, _]) = (finding.rule.changes_constructor(), parts.as_slice()) {
                    lines.extend(["new", "default"].iter().flat_map(|name| source.pair(ty, name)));
                }
                users.extend(lines.iter().map(|line| format!("{}:{line}", source.path)));
            }
        }
        let locations = finding.operations.iter().flat_map(|one| &one.locations);
        let wire: BTreeSet<&str> = locations.filter_map(|location| wire_name(location)).collect();
        let modules: BTreeSet<&str> =
            finding.rust.iter().filter_map(|item| item.split("::").nth(2)).collect();
        let of_resource = |source: &&Source| modules.iter().any(|module| source.names.contains_key(*module));
        for source in self.sources.iter().filter(of_resource) {
            for (text, line) in &source.literals {
                if wire.iter().any(|name| has_word(text, name)) {
                    users.insert(format!("{}:{line}", source.path));
                }
            }
        }
        let operations: BTreeSet<&str> =
            finding.operations.iter().map(|one| one.operation.as_str()).collect();
        for (path, lines) in &self.texts {
            let keys = if finding.direction == Direction::Response { RESPONSE_KEYS } else { REQUEST_KEYS };
            let is_manifest = path.starts_with("spec/commands/");
            let is_affected = match path.split('/').collect::<Vec<_>>().as_slice() {
                _ if is_manifest => lines.iter().any(|line| operations.iter().any(|id| has_word(line, id))),
                ["fixtures", id, _] => operations.contains(id),
                _ => finding.direction == Direction::Response,
            };
            let names = |line: &str, name: &str| match is_manifest {
                true => keys.iter().any(|key| has_word(flow_value(line, key), name)),
                false => has_word(line, name),
            };
            let matching = lines
                .iter()
                .enumerate()
                .filter(|(_, line)| is_affected && wire.iter().any(|name| names(line, name)));
            users.extend(matching.map(|(number, _)| format!("{path}:{}", number + 1)));
        }
        users
    }
}

impl Source {
    fn of(path: String, text: &str) -> Self {
        let mut source = Self { path, ..Self::default() };
        if let Ok(tokens) = text.parse::<TokenStream>() {
            source.read(tokens);
        }
        source
    }

    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |index: Option<usize>, sign: char| {
            let token = index.and_then(|index| tokens.get(index));
            matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
        };
        for (index, token) in tokens.iter().enumerate() {
            let line = token.span().start().line;
            let (before, after) = (index.checked_sub(1), Some(index + 1));
            match token {
                TokenTree::Ident(ident) => {
                    let name = ident.to_string();
                    self.names.entry(name.clone()).or_default().insert(line);
                    let after_path = is(after, ':') && is(Some(index + 2), ':');
                    if is(before, '.') || (is(after, ':') && !after_path) {
                        self.members.entry(name.clone()).or_default().insert(line);
                    }
                    if after_path && let Some(TokenTree::Ident(next)) = tokens.get(index + 3) {
                        self.pairs.entry((name, next.to_string())).or_default().insert(line);
                    }
                }
                TokenTree::Literal(literal) => self.literals.push((literal.to_string(), line)),
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Punct(_) => {}
            }
        }
    }

    /// Returns the lines with `one::other`.
    fn pair(&self, one: &str, other: &str) -> BTreeSet<usize> {
        self.pairs.get(&(one.to_owned(), other.to_owned())).cloned().unwrap_or_default()
    }

    /// Returns the lines that use an item, as the parts of its path after `sentinelone::raw`.
    fn uses(&self, parts: &[&str]) -> BTreeSet<usize> {
        let is_type = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
        let mentions = |name: &str| self.names.contains_key(name);
        match *parts {
            [_, ty, variant] if is_type(ty) && is_type(variant) => self.pair(ty, variant),
            [module, ty, member] if is_type(ty) => match mentions(ty) || mentions(module) {
                true => self.members.get(member).cloned().unwrap_or_default(),
                false => BTreeSet::new(),
            },
            [_, ty] if is_type(ty) => self.names.get(ty).cloned().unwrap_or_default(),
            [module, function] if mentions(module) => {
                let own = self.pair("raw", function);
                let qualified = self.pair(module, function);
                let methods = self.members.get(function).cloned().unwrap_or_default();
                own.into_iter().chain(qualified).chain(methods).collect()
            }
            _ => BTreeSet::new(),
        }
    }
}

/// Returns the name of a location on the wire; `None` for a whole body or response.
fn wire_name(location: &str) -> Option<&str> {
    let name = location.trim_end_matches("[]").trim_end_matches("{}").rsplit('.').next()?;
    let is_part = matches!(name, "body" | "data") || name.bytes().all(|byte| byte.is_ascii_digit());
    (!is_part && !name.is_empty()).then_some(name)
}

/// Returns the value of a key in a line of YAML, which may be one of several in braces.
fn flow_value<'a>(line: &'a str, key: &str) -> &'a str {
    let value = line.split_once(key).map_or("", |(_, rest)| rest);
    let end: &[char] = if value.starts_with('[') { &[']'] } else { &[',', '}'] };
    value.split(end).next().unwrap_or_default()
}

/// Returns whether a text contains a name that is not a part of a longer one.
fn has_word(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

/// Returns path and text of each file below a directory with this extension. A missing directory has none.
fn files(root: &Path, directory: &Path, extension: &str) -> Result<Vec<(String, String)>> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    let mut found = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(directory) = todo.pop().filter(|directory| directory.is_dir()) {
        for entry in std::fs::read_dir(&directory).map_err(io(&directory))? {
            let path = entry.map_err(io(&directory))?.path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|one| one == extension) {
                let text = std::fs::read_to_string(&path).map_err(io(&path))?;
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                found.push((name, text));
            }
        }
    }
    Ok(found)
}
