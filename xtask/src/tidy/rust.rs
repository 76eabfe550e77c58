//! Paths, macros and attributes of a Rust file, read from its tokens.
//!
//! Tokens are used instead of the syntax tree of syn, since the tree has no paths inside macro calls such as
//! `assert!`.

use std::ops::Range;
use std::str::FromStr;

use proc_macro2::{Delimiter, Literal, Span, TokenStream, TokenTree};

/// Names in a Rust file.
#[derive(Default)]
pub(super) struct Rust {
    /// Paths of more than one segment, and paths in `use`.
    pub(super) paths: Vec<Named>,
    /// Called macros: last segment and line.
    pub(super) macros: Vec<(String, usize)>,
    /// Identifiers in each attribute, with its first line.
    pub(super) attributes: Vec<(Vec<String>, usize)>,
    /// Byte ranges of string literals, without doc comments.
    strings: Vec<Range<usize>>,
}

/// A path and its module within the file.
pub(super) struct Named {
    /// Segments, without type arguments.
    pub(super) segments: Vec<String>,
    /// Enclosing inline modules.
    pub(super) modules: Vec<String>,
    /// Set for a path in `use`.
    pub(super) import: Option<Import>,
    /// Line number, from 1.
    pub(super) line: usize,
}

/// An import by `use`.
pub(super) struct Import {
    /// Name in the importing module; `None` for `*`.
    pub(super) name: Option<String>,
    /// Whether the import is a re-export.
    pub(super) is_public: bool,
}

impl Rust {
    /// Parses a file. Returns `None` if its tokens are not valid Rust.
    pub(super) fn read(text: &str) -> Option<Self> {
        let tokens = TokenStream::from_str(text).ok()?;
        let mut rust = Self::default();
        rust.visit(tokens, &mut Vec::new());
        Some(rust)
    }

    /// Returns the text with string literals replaced by blanks.
    pub(super) fn without_strings(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for range in &self.strings {
            for byte in bytes.get_mut(range.clone()).into_iter().flatten().filter(|byte| **byte != b'\n') {
                *byte = b' ';
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn visit(&mut self, tokens: TokenStream, modules: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Literal(literal) => self.literal(literal),
                TokenTree::Group(group) => self.visit(group.stream(), modules),
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let inner = usize::from(is(&tokens, at, '!'));
                    if let Some(TokenTree::Group(group)) = tokens.get(at + inner)
                        && group.delimiter() == Delimiter::Bracket
                    {
                        self.attribute(group.stream(), line(punct.span()));
                        at += inner + 1;
                    }
                }
                TokenTree::Punct(_) => {}
                TokenTree::Ident(ident) if ident == "use" && !is(&tokens, at, '<') => {
                    let rest = tokens.get(at..).unwrap_or_default();
                    let end = rest.iter().position(|token| is_punct(token, ';')).unwrap_or(rest.len());
                    let is_public = is_public(tokens.get(..at - 1).unwrap_or_default());
                    self.use_tree(rest.get(..end).unwrap_or_default(), &[], modules, is_public);
                    at += end;
                }
                TokenTree::Ident(ident) if ident == "mod" => {
                    let body = at + 1;
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(group))) =
                        (tokens.get(at), tokens.get(body))
                    {
                        modules.push(name.to_string());
                        self.visit(group.stream(), modules);
                        modules.pop();
                        at = body + 1;
                    }
                }
                TokenTree::Ident(ident) => {
                    let mut segments = vec![ident.to_string()];
                    let start = line(ident.span());
                    while is(&tokens, at, ':') && is(&tokens, at + 1, ':') {
                        let Some(TokenTree::Ident(next)) = tokens.get(at + 2) else { break };
                        segments.push(next.to_string());
                        at += 3;
                    }
                    if is(&tokens, at, '!') && !is(&tokens, at + 1, '=') {
                        self.macros.extend(segments.last().map(|name| (name.clone(), start)));
                    }
                    if segments.len() > 1 {
                        let (modules, import) = (modules.clone(), None);
                        self.paths.push(Named { segments, modules, import, line: start });
                    }
                }
            }
        }
    }

    /// Reads a `use` tree or a subtree of it.
    fn use_tree(&mut self, tokens: &[TokenTree], prefix: &[String], modules: &[String], is_public: bool) {
        for branch in tokens.split(|token| is_punct(token, ',')) {
            let mut segments = prefix.to_vec();
            let (mut start, mut alias, mut is_glob) = (None, None, false);
            let mut tokens = branch.iter();
            while let Some(token) = tokens.next() {
                match token {
                    TokenTree::Ident(ident) if ident == "as" => {
                        alias = tokens.next().map(ToString::to_string);
                        break;
                    }
                    TokenTree::Ident(ident) => {
                        start = start.or(Some(line(ident.span())));
                        segments.push(ident.to_string());
                    }
                    TokenTree::Group(group) => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.use_tree(&inner, &segments, modules, is_public);
                        start = None;
                    }
                    TokenTree::Punct(punct) if punct.as_char() == '*' => {
                        start = start.or(Some(line(punct.span())));
                        is_glob = true;
                    }
                    _ => {}
                }
            }
            if let Some(line) = start {
                let last = segments.iter().rev().find(|name| *name != "self").cloned();
                let name = alias.or(last).filter(|_| !is_glob);
                let import = Some(Import { name, is_public });
                self.paths.push(Named { segments, modules: modules.to_vec(), import, line });
            }
        }
    }

    /// Reads an attribute. The string of a doc comment is not recorded as a string literal.
    fn attribute(&mut self, tokens: TokenStream, start: usize) {
        let mut idents = Vec::new();
        let mut todo: Vec<TokenTree> = tokens.into_iter().collect();
        let comment =
            todo.first().is_some_and(|first| matches!(first, TokenTree::Ident(doc) if doc == "doc"));
        todo.reverse();
        while let Some(token) = todo.pop() {
            match token {
                TokenTree::Ident(ident) => idents.push(ident.to_string()),
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    todo.extend(inner.into_iter().rev());
                }
                TokenTree::Literal(literal) if !comment => self.literal(&literal),
                TokenTree::Literal(_) | TokenTree::Punct(_) => {}
            }
        }
        self.attributes.push((idents, start));
    }

    fn literal(&mut self, literal: &Literal) {
        if literal.to_string().ends_with(['"', '#']) {
            self.strings.push(literal.span().byte_range());
        }
    }
}

/// Returns whether tokens before an item end with its visibility.
fn is_public(tokens: &[TokenTree]) -> bool {
    let scope = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
    let tokens = tokens.split_last().filter(|(last, _)| scope(last)).map_or(tokens, |(_, rest)| rest);
    matches!(tokens.last(), Some(TokenTree::Ident(ident)) if ident == "pub")
}

fn line(span: Span) -> usize {
    span.start().line
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is(tokens: &[TokenTree], at: usize, character: char) -> bool {
    tokens.get(at).is_some_and(|token| is_punct(token, character))
}
