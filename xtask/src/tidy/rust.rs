//! A Rust source by its tokens: the paths and macros in it, wherever they stand.
//!
//! The tokens are those that syn parses. The tree that it makes of them ends at a macro, and what an `assert!`
//! names is named too.

use std::ops::Range;
use std::str::FromStr;

use proc_macro2::{Delimiter, Literal, Span, TokenStream, TokenTree};

/// What a source names.
#[derive(Default)]
pub(super) struct Rust {
    /// Paths of more than one segment, and those of `use`.
    pub(super) paths: Vec<Named>,
    /// Macros that are called, by their last segment.
    pub(super) macros: Vec<(String, usize)>,
    /// What stands in attributes, with the line where each begins.
    pub(super) attributes: Vec<(Vec<String>, usize)>,
    /// Where its texts are, in bytes; comments are none.
    texts: Vec<Range<usize>>,
}

/// A path, and the module within the file that it stands in.
pub(super) struct Named {
    /// Its segments, without type arguments.
    pub(super) segments: Vec<String>,
    /// The modules with a body around it.
    pub(super) within: Vec<String>,
    /// Its line, from 1.
    pub(super) line: usize,
}

impl Rust {
    /// Reads a source; nothing when its tokens are not those of Rust.
    pub(super) fn read(text: &str) -> Option<Self> {
        let tokens = TokenStream::from_str(text).ok()?;
        let mut rust = Self::default();
        rust.walk(tokens, &mut Vec::new());
        Some(rust)
    }

    /// The source with blanks in place of its texts: code and comments.
    pub(super) fn without_texts(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for range in &self.texts {
            for byte in bytes.get_mut(range.clone()).into_iter().flatten().filter(|byte| **byte != b'\n') {
                *byte = b' ';
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn walk(&mut self, tokens: TokenStream, within: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Literal(literal) => self.literal(literal),
                TokenTree::Group(group) => self.walk(group.stream(), within),
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
                    self.tree(rest.get(..end).unwrap_or_default(), &[], within);
                    at += end;
                }
                TokenTree::Ident(ident) if ident == "mod" => {
                    let body = at + 1;
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(group))) =
                        (tokens.get(at), tokens.get(body))
                    {
                        within.push(name.to_string());
                        self.walk(group.stream(), within);
                        within.pop();
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
                        self.paths.push(Named { segments, within: within.clone(), line: start });
                    }
                }
            }
        }
    }

    /// The tree of a `use`, or a part of it.
    fn tree(&mut self, tokens: &[TokenTree], prefix: &[String], within: &[String]) {
        for branch in tokens.split(|token| is_punct(token, ',')) {
            let mut segments = prefix.to_vec();
            let mut start = None;
            for token in branch {
                match token {
                    TokenTree::Ident(ident) if ident == "as" => break,
                    TokenTree::Ident(ident) => {
                        start = start.or(Some(line(ident.span())));
                        segments.push(ident.to_string());
                    }
                    TokenTree::Group(group) => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.tree(&inner, &segments, within);
                        start = None;
                    }
                    TokenTree::Punct(punct) if punct.as_char() == '*' => {
                        start = start.or(Some(line(punct.span())));
                    }
                    _ => {}
                }
            }
            if let Some(line) = start {
                self.paths.push(Named { segments, within: within.to_vec(), line });
            }
        }
    }

    /// An attribute; the text of a comment that documents is none of the source's texts.
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
            self.texts.push(literal.span().byte_range());
        }
    }
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
