//! The files of the project, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use ignore::WalkBuilder;
use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::{Error, Result};

use super::rust::Rust;

/// All texts of the project.
pub(super) struct Tree {
    files: BTreeMap<String, File>,
    /// What is no text, and can be linked to all the same.
    others: BTreeSet<String>,
    bundle: OnceLock<Result<Bundle, String>>,
}

/// A text.
pub(super) struct File {
    /// What is in it.
    pub(super) text: String,
    rust: OnceLock<Option<Rust>>,
}

impl Tree {
    /// Reads what is below a folder, except what its `.gitignore` files leave out, and what is no text.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let (mut files, mut others) = (BTreeMap::new(), BTreeSet::new());
        let walk = WalkBuilder::new(root)
            .hidden(false)
            .parents(false)
            .ignore(false)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = entry.map_err(|error| Error::Command(format!("the project: {error}")))?;
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let path = entry.path();
            let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
            let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
            match String::from_utf8(bytes) {
                Ok(text) => drop(files.insert(name, File { text, rust: OnceLock::new() })),
                Err(_) => drop(others.insert(name)),
            }
        }
        Ok(Self { files, others, bundle: OnceLock::new() })
    }

    /// The file at a path from the root.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Whether there is such a file, or a folder with one.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
            || self.others.contains(path)
            || path.is_empty()
            || self.below(path).next().is_some()
    }

    /// All files, by path.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Those whose path ends like this.
    pub(super) fn ending(&self, ending: &str) -> impl Iterator<Item = (&str, &File)> {
        self.files().filter(move |(path, _)| path.ends_with(ending))
    }

    /// Those in a folder and its folders.
    pub(super) fn below(&self, folder: &str) -> impl Iterator<Item = (&str, &File)> {
        let folder = format!("{}/", folder.trim_end_matches('/'));
        self.files().filter(move |(path, _)| path.starts_with(&folder))
    }

    /// The specification, or why it cannot be read.
    pub(super) fn bundle(&self) -> Result<&Bundle, &str> {
        let read = || {
            let texts = self
                .below("spec")
                .filter_map(|(path, file)| {
                    let name = path.strip_prefix("spec/")?;
                    let joined = name.ends_with(".yaml") && !name.contains('/');
                    joined.then(|| (name.to_owned(), file.text.clone()))
                })
                .collect();
            Bundle::join(&texts).map_err(|error| error.to_string())
        };
        self.bundle.get_or_init(read).as_ref().map_err(String::as_str)
    }
}

impl File {
    /// Its tokens, where it is Rust whose code has one of these names: what has none of them need not be read.
    pub(super) fn rust<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<&Rust> {
        if names.into_iter().any(|name| self.mentions(name)) { self.tokens() } else { None }
    }

    /// Its tokens, where it is Rust. What cannot be read does not compile either.
    pub(super) fn tokens(&self) -> Option<&Rust> {
        self.rust.get_or_init(|| Rust::read(&self.text)).as_ref()
    }

    /// Whether a name stands in it outside of lines of comments; of a path the parts may stand apart.
    fn mentions(&self, name: &str) -> bool {
        // Where rustfmt was, an operator has blanks around it; what has none is a name of something else.
        let in_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_-/".contains(c));
        let whole = self.text.match_indices(name).any(|(place, _)| {
            let (before, after) = self.text.split_at(place);
            let after = after.get(name.len()..).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            !in_name(before.chars().next_back())
                && !in_name(after.chars().next())
                && !line.trim_start().starts_with("//")
        });
        whole || name.split_once("::").is_some_and(|(first, _)| self.text.contains(&format!("{first}::{{")))
    }

    /// The line, from 1, of a place in its bytes.
    pub(super) fn line(&self, place: usize) -> usize {
        let before = self.text.as_bytes().get(..place).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }
}
