//! Files of the project, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use ignore::WalkBuilder;
use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::{Error, Result};

use super::rust::Rust;

/// All files of the project.
pub(super) struct Tree {
    files: BTreeMap<String, File>,
    /// Binary files, which can be link targets.
    binaries: BTreeSet<String>,
    bundle: OnceLock<Result<Bundle, String>>,
}

/// A text file.
pub(super) struct File {
    /// Content of the file.
    pub(super) text: String,
    rust: OnceLock<Option<Rust>>,
}

/// First characters of a generated file of Rust.
pub(super) const GENERATED: &str = "// @generated ";

impl File {
    /// Returns whether the first line says that the file is generated.
    pub(super) fn is_generated(&self) -> bool {
        self.text.starts_with(GENERATED)
    }
}

impl Tree {
    /// Reads the files of a directory, except those that its `.gitignore` files exclude.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let (mut files, mut binaries) = (BTreeMap::new(), BTreeSet::new());
        let entries = WalkBuilder::new(root)
            .hidden(false)
            .parents(false)
            .ignore(false)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in entries {
            let entry = entry.map_err(|error| Error::Command(format!("cannot read the project: {error}")))?;
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let path = entry.path();
            let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
            let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
            match String::from_utf8(bytes) {
                Ok(text) => drop(files.insert(name, File { text, rust: OnceLock::new() })),
                Err(_) => drop(binaries.insert(name)),
            }
        }
        Ok(Self { files, binaries, bundle: OnceLock::new() })
    }

    /// Returns the text file at a path relative to the root.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Returns whether the path is a file or a directory with files.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
            || self.binaries.contains(path)
            || path.is_empty()
            || self.below(path).next().is_some()
    }

    /// Iterates over all text files, by path.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Iterates over the files whose path ends with `suffix`.
    pub(super) fn ending(&self, suffix: &str) -> impl Iterator<Item = (&str, &File)> {
        self.files().filter(move |(path, _)| path.ends_with(suffix))
    }

    /// Iterates over the files below a directory, recursively.
    pub(super) fn below(&self, dir: &str) -> impl Iterator<Item = (&str, &File)> {
        let dir = format!("{}/", dir.trim_end_matches('/'));
        self.files().filter(move |(path, _)| path.starts_with(&dir))
    }

    /// Returns the specification, or the error message if it is invalid.
    pub(super) fn bundle(&self) -> Result<&Bundle, &str> {
        let read = || {
            let files = self
                .below("spec")
                .filter_map(|(path, file)| {
                    let name = path.strip_prefix("spec/")?;
                    let joined = name.ends_with(".yaml") && !name.contains('/');
                    joined.then(|| (name.to_owned(), file.text.clone()))
                })
                .collect();
            Bundle::join(&files).map_err(|error| error.to_string())
        };
        self.bundle.get_or_init(read).as_ref().map_err(String::as_str)
    }
}

impl File {
    /// Returns the tokens if the code has one of the names. Other files are not parsed.
    pub(super) fn rust<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<&Rust> {
        if names.into_iter().any(|name| self.mentions(name)) { self.tokens() } else { None }
    }

    /// Returns the tokens, or `None` if the file is not valid Rust, which the compiler reports.
    pub(super) fn tokens(&self) -> Option<&Rust> {
        self.rust.get_or_init(|| Rust::read(&self.text)).as_ref()
    }

    /// Returns whether the file has a name outside of comment lines. For a path, `first::{` is enough.
    fn mentions(&self, name: &str) -> bool {
        // rustfmt puts blanks around operators, so an adjacent `-` or `/` is part of another name.
        let in_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_-/".contains(c));
        let found = self.text.match_indices(name).any(|(offset, _)| {
            let (before, after) = self.text.split_at(offset);
            let after = after.get(name.len()..).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            !in_name(before.chars().next_back())
                && !in_name(after.chars().next())
                && !line.trim_start().starts_with("//")
        });
        found || name.split_once("::").is_some_and(|(first, _)| self.text.contains(&format!("{first}::{{")))
    }

    /// Returns the line number, from 1, of a byte offset.
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }
}
