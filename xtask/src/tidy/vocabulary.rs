//! The rule `vocabulary`: code and documents use the standard terms of the field.
//!
//! [`DENIED`] lists words and phrases with the term that replaces them, [`TYPE_NAMES`] names that no type may have.
//! Identifiers are split into words, so `AnswerForm` and `answer_form` contain "answer". In Markdown, code is
//! skipped. Exceptions and their reasons are in the table `[vocabulary]` of `xtask/tidy.toml`.

use std::collections::HashMap;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use toml::de::{DeTable, DeValue};

use super::report::Report;
use super::tree::{File, Tree};

pub(super) const REQUIREMENT: &str = "comments, strings, identifiers and documents use no word of the deny-list in \
                                      xtask/src/tidy/vocabulary.rs, except where xtask/tidy.toml has a reason";

/// The file with the exceptions.
const EXCEPTIONS: &str = "xtask/tidy.toml";

/// Files that contain the denied words because they are about them.
const ABOUT: [&str; 3] = ["xtask/src/tidy/vocabulary.rs", "xtask/src/tidy/tests.rs", EXCEPTIONS];

/// Path endings of the checked files.
const ENDINGS: [&str; 7] = [".rs", ".md", ".yaml", ".yml", ".toml", ".json", ".in"];

/// A denied word or phrase.
struct Denied {
    /// Its forms, each as words in lower case. Exceptions name the first.
    forms: &'static [&'static [&'static str]],
    /// Words that make a phrase acceptable when they follow it.
    unless: &'static [&'static str],
    /// The standard term.
    term: &'static str,
}

const fn words(forms: &'static [&'static [&'static str]], term: &'static str) -> Denied {
    Denied { forms, unless: &[], term }
}

const DENIED: &[Denied] = &[
    words(&[&["answer"], &["answers"], &["answered"], &["answering"], &["unanswered"]], "response"),
    words(&[&["told"], &["untold"]], "reported, returned or logged"),
    words(&[&["tell"], &["tells"], &["telling"]], "report, return or log"),
    words(
        &[&["walk"], &["walks"], &["walked"], &["walking"], &["walker"]],
        "pagination; for a tree: traverse, visit",
    ),
    words(&[&["turn"], &["turns"], &["turned"], &["turning"]], "permit; for a verb: switch, become, convert"),
    words(&[&["disguise"], &["disguises"], &["disguised"]], "pseudonymize"),
    words(&[&["patience"], &["patient"]], "timeout"),
    words(&[&["spelt"], &["misspelt"]], "spelled, misspelled"),
    words(&[&["spoilt"], &["spoiled"], &["spoils"], &["spoil"]], "malformed, corrupted"),
    words(&[&["beside"]], "with, next to, in addition to"),
    words(&[&["nobody"]], "the actor: the client, the console, the caller; or no one"),
    words(&[&["somebody"], &["someone"]], "the actor: the client, the console, the caller"),
    words(&[&["whoever"], &["whomever"]], "the actor: the client, the console, the caller"),
    words(&[&["thing"], &["things"]], "item"),
    words(&[&["house"]], "repository, project"),
    words(&[&["room"], &["rooms"]], "crate, directory, module"),
    words(&[&["lever"], &["levers"]], "command, option"),
    words(&[&["anew"]], "again"),
    words(&[&["aloud"]], "explicitly"),
    words(&[&["licence"], &["licences"], &["licenced"]], "license"),
    words(&[&["colour"], &["colours"], &["coloured"]], "color"),
    words(&[&["behaviour"], &["behaviours"]], "behavior"),
    words(&[&["neighbour"], &["neighbours"], &["neighbouring"]], "neighbor"),
    words(&[&["recognise"], &["recognised"], &["recognises"]], "recognize"),
    words(&[&["optimise"], &["optimised"], &["optimises"]], "optimize"),
    words(&[&["normalise"], &["normalised"], &["normalises"]], "normalize"),
    words(&[&["initialise"], &["initialised"], &["serialise"], &["serialised"]], "the spelling with z"),
    Denied {
        forms: &[&["is", "no"], &["was", "no"]],
        unless: &["longer", "more"],
        term: "is not a, has no, is missing",
    },
    Denied { forms: &[&["are", "no"]], unless: &["longer", "more"], term: "are not, have no, are missing" },
    words(&[&["is", "none"], &["are", "none"], &["was", "none"]], "is missing, is null, has no"),
    words(&[&["held", "to"], &["hold", "to"], &["holds", "to"]], "validated against"),
    words(&[&["made", "again"], &["sent", "again"], &["tried", "again"]], "retried"),
    words(&[&["what", "it", "costs"], &["costs", "nothing"]], "performance, overhead"),
    words(&[&["in", "the", "making"]], "builder"),
    words(&[&["in", "so", "many", "words"]], "explicitly"),
    words(&[&["other", "side"]], "console, peer"),
];

/// Participles, prepositions and catch-all nouns that no type may have as its name.
const TYPE_NAMES: [&str; 10] =
    ["Seen", "Kept", "Said", "Told", "Spot", "Ground", "Standing", "Found", "Wanted", "Asked"];

/// An exception of `xtask/tidy.toml`: `"path: word" = "reason"`. A path that ends with `/` is a directory.
struct Exception<'a> {
    path: &'a str,
    word: &'a str,
    line: usize,
    used: bool,
}

pub(super) fn vocabulary(tree: &Tree, report: &mut Report) {
    let Some(mut exceptions) = exceptions(tree, report) else { return };
    let index = Index::new();
    for (path, file) in tree.files().filter(|(path, file)| is_checked(path) && !file.is_generated()) {
        let is_markdown = path.ends_with(".md");
        let mut found = Vec::new();
        if is_markdown {
            markdown(file, &index, &mut found);
        } else {
            index.scan(&split_words(&file.text, 0), &mut found);
        }
        if path.ends_with(".rs") {
            type_names(file, &mut found);
            doc_headings(file, &mut found);
        }
        for Occurrence { offset, name, written, term } in found {
            let exception = exceptions.iter_mut().find(|one| one.word == name && covers(one.path, path));
            if let Some(exception) = exception {
                exception.used = true;
                continue;
            }
            report.add(
                path,
                file.line(offset),
                format!("{written:?} is not a standard term"),
                format!("use: {term}"),
            );
        }
    }
    for Exception { path, word, line, .. } in exceptions.into_iter().filter(|one| !one.used) {
        report.add(EXCEPTIONS, line, format!("{path} does not contain {word:?}"), "delete the line");
    }
}

fn is_checked(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending))
        && !path.starts_with("generated/")
        && !path.ends_with("Cargo.lock")
        && !ABOUT.contains(&path)
}

fn covers(exception: &str, path: &str) -> bool {
    exception == path || exception.ends_with('/') && path.starts_with(exception)
}

/// Returns the exceptions, or `None` if the file is not TOML, which the rule `file-length` reports.
fn exceptions<'a>(tree: &'a Tree, report: &mut Report) -> Option<Vec<Exception<'a>>> {
    let Some(file) = tree.file(EXCEPTIONS) else { return Some(Vec::new()) };
    let table = DeTable::parse(&file.text).ok()?;
    let listed = table.get_ref().get("vocabulary").and_then(|listed| listed.get_ref().as_table());
    let mut exceptions = Vec::new();
    for (key, reason) in listed.into_iter().flatten() {
        let span = key.span();
        let line = file.line(span.start);
        let written = file.text.get(span).unwrap_or_default().trim_matches('"');
        let has_reason = matches!(reason.get_ref(), DeValue::String(reason) if !reason.trim().is_empty());
        match written.split_once(": ") {
            Some((path, word)) if has_reason => exceptions.push(Exception { path, word, line, used: false }),
            _ => report.add(
                EXCEPTIONS,
                line,
                format!("{written:?} is not an exception with a reason"),
                "write `\"path: word\" = \"reason\"`",
            ),
        }
    }
    Some(exceptions)
}

/// A denied word in a file.
struct Occurrence {
    offset: usize,
    /// The first form, which exceptions name.
    name: String,
    written: String,
    term: &'static str,
}

/// The denied words and phrases by their first word.
struct Index {
    by_first: HashMap<&'static str, Vec<(&'static [&'static str], &'static Denied)>>,
}

impl Index {
    fn new() -> Self {
        let mut by_first: HashMap<_, Vec<_>> = HashMap::new();
        for denied in DENIED {
            for form in denied.forms {
                if let Some(first) = form.first() {
                    by_first.entry(*first).or_default().push((*form, denied));
                }
            }
        }
        Self { by_first }
    }

    /// Adds the denied words and phrases.
    fn scan(&self, words: &[Word], into: &mut Vec<Occurrence>) {
        for (position, word) in words.iter().enumerate() {
            for (form, denied) in self.by_first.get(word.text.as_str()).into_iter().flatten() {
                let rest = words.get(position + 1..).unwrap_or_default();
                let follows =
                    form.iter().skip(1).zip(rest).all(|(form, word)| word.follows && word.text == *form);
                let next =
                    rest.get(form.len() - 1).filter(|next| next.follows).map(|next| next.text.as_str());
                if form.len() - 1 > rest.len()
                    || !follows
                    || next.is_some_and(|next| denied.unless.contains(&next))
                {
                    continue;
                }
                let name = denied.forms.first().map(|form| form.join(" ")).unwrap_or_default();
                let written = form.join(" ");
                into.push(Occurrence { offset: word.offset, name, written, term: denied.term });
            }
        }
    }
}

/// A word of a text, in lower case.
struct Word {
    text: String,
    offset: usize,
    /// Whether only white space and comment markers separate it from the word before.
    follows: bool,
}

/// Splits a text into words: runs of letters, split again where an identifier in camel case begins a word. `base` is
/// the offset of the text in its file.
fn split_words(text: &str, base: usize) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut current: Option<Word> = None;
    let mut follows = false;
    let mut chars = text.char_indices().peekable();
    let mut previous_is_lower = false;
    while let Some((offset, c)) = chars.next() {
        if c.is_ascii_alphabetic() {
            if c.is_ascii_uppercase() && previous_is_lower {
                words.extend(current.take());
                follows = false;
            }
            previous_is_lower = c.is_ascii_lowercase();
            let offset = base + offset;
            let word = current.get_or_insert_with(|| Word { text: String::new(), offset, follows });
            word.text.push(c.to_ascii_lowercase());
            continue;
        }
        if let Some(word) = current.take() {
            words.push(word);
            follows = true;
        }
        previous_is_lower = false;
        let continues_string = c == '\\' && matches!(chars.peek(), Some((_, '\n')));
        follows &= c.is_whitespace() || matches!(c, '/' | '!' | '*' | '#' | '>') || continues_string;
        if c == '\\' {
            // An escape such as `\n` is not the beginning of a word.
            chars.next_if(|(_, c)| c.is_ascii_alphabetic());
        }
    }
    words.extend(current);
    words
}

/// Adds the denied words of a document outside of code, and headings that begin with "What".
fn markdown(file: &File, index: &Index, into: &mut Vec<Occurrence>) {
    let (mut in_code, mut heading) = (false, None);
    let mut words: Vec<Word> = Vec::new();
    // Whether the next text continues a phrase: it is in the same block, and the text before it ends with a word.
    let mut continues = false;
    for (event, range) in Parser::new_ext(&file.text, Options::ENABLE_TABLES).into_offset_iter() {
        let is_inline = matches!(
            event,
            Event::SoftBreak
                | Event::HardBreak
                | Event::Start(Tag::Emphasis | Tag::Strong | Tag::Link { .. })
                | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link)
        );
        if let Event::Text(text) = &event {
            let mut part = if in_code { Vec::new() } else { split_words(text, range.start) };
            if let Some(first) = part.first_mut() {
                first.follows = continues && text.trim_start().starts_with(|c: char| c.is_ascii_alphabetic());
            }
            words.extend(part);
            let text = text.trim_end();
            continues &= text.is_empty();
            continues |= text.ends_with(|c: char| c.is_ascii_alphabetic());
        } else {
            continues &= is_inline;
        }
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Heading { .. }) => heading = Some(range.start),
            Event::Text(text) if !in_code => {
                if let Some(offset) = heading.take().filter(|_| text.starts_with("What ")) {
                    into.push(heading_occurrence(offset, &text));
                }
            }
            Event::End(TagEnd::Heading(_)) => heading = None,
            _ => {}
        }
    }
    index.scan(&words, into);
}

/// Adds the definitions of types with a denied name.
fn type_names(file: &File, into: &mut Vec<Occurrence>) {
    for (offset, line) in lines(file) {
        let mut words =
            line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            if !["struct", "enum", "trait", "type", "union"].contains(&word) {
                continue;
            }
            if let Some(name) = words.next().and_then(|name| TYPE_NAMES.into_iter().find(|one| *one == name))
            {
                let term = "a noun for the value";
                into.push(Occurrence { offset, name: name.to_owned(), written: name.to_owned(), term });
            }
        }
    }
}

/// Adds headings of doc comments that begin with "What".
fn doc_headings(file: &File, into: &mut Vec<Occurrence>) {
    for (offset, line) in lines(file) {
        let text = line.trim_start();
        let doc = text.strip_prefix("///").or_else(|| text.strip_prefix("//!")).map(str::trim_start);
        let heading = doc.filter(|doc| doc.starts_with('#')).map(|doc| doc.trim_start_matches('#').trim());
        if let Some(heading) = heading.filter(|heading| heading.starts_with("What ")) {
            into.push(heading_occurrence(offset, heading));
        }
    }
}

fn heading_occurrence(offset: usize, heading: &str) -> Occurrence {
    Occurrence { offset, name: "what".to_owned(), written: heading.to_owned(), term: "a topic or a task" }
}

/// Returns the lines of a file with their offsets.
fn lines(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut end = 0;
    file.text.split_inclusive('\n').map(move |line| {
        let offset = end;
        end += line.len();
        (offset, line)
    })
}
