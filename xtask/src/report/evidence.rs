//! The evidence for every operation, gathered from the files of the project.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use sentinelone::commands::registry;
use sentinelone::contract::fixture::{Exchange, ProvenanceKind, read_all};
use sentinelone::contract::{Contract, Coverage, OperationSpec};
use sentinelone_codegen::{Error, Result};

/// A place in a file of the project: path and line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) line: Option<usize>,
}

impl Place {
    fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), line: None }
    }
}

/// Everything that is known of one operation.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) resource: String,
    pub(crate) request: String,
    pub(crate) summary: String,
    pub(crate) spec: Place,
    /// The method of the client; `None` where only the raw request is there.
    pub(crate) client: Option<Place>,
    pub(crate) commands: Vec<(&'static str, Place)>,
    /// Fixtures, by what they are evidence of.
    pub(crate) requests: Vec<Place>,
    pub(crate) successes: Vec<Place>,
    pub(crate) nulls: Vec<Place>,
    pub(crate) errors: Vec<Place>,
    pub(crate) laws: Vec<Place>,
    /// Exchanges that others published; `None` where they are not at hand.
    pub(crate) corpus: Option<usize>,
    /// Declared fields of the answer, and how many of them were seen in what people wrote or others published.
    pub(crate) declared: usize,
    /// Those that were seen nowhere.
    pub(crate) never: Vec<String>,
    /// Those that may be null and were never seen as such.
    pub(crate) never_null: Vec<String>,
    /// Those that only the generated examples show.
    pub(crate) only_generated: Vec<String>,
    /// What is missing, in words.
    pub(crate) lacks: Vec<String>,
}

/// The fixtures of the project with their paths.
type Own = Vec<(String, Exchange)>;

/// The rows, and what they come from.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) rows: Vec<Row>,
    pub(crate) fixtures: BTreeMap<&'static str, usize>,
    pub(crate) corpus: Option<usize>,
}

/// The sums.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) operations: usize,
    pub(crate) commands: usize,
    pub(crate) fixtures: usize,
    pub(crate) corpus: Option<usize>,
    pub(crate) declared: usize,
    pub(crate) never: usize,
    pub(crate) only_generated: usize,
    pub(crate) without_success: usize,
    pub(crate) without_null: usize,
    pub(crate) without_error: usize,
}

impl Totals {
    /// How many operations lack evidence.
    pub(crate) fn lacking(&self) -> usize {
        self.without_success + self.without_null + self.without_error
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "operations: {}, commands: {}", self.operations, self.commands)?;
        match self.corpus {
            Some(corpus) => writeln!(f, "fixtures: {}, published exchanges: {corpus}", self.fixtures)?,
            None => writeln!(f, "fixtures: {}, published exchanges: not at hand", self.fixtures)?,
        }
        writeln!(
            f,
            "declared answer fields: {}, seen only in generated examples: {}, never seen: {}",
            self.declared, self.only_generated, self.never
        )?;
        write!(
            f,
            "operations without success evidence: {}, without null evidence: {}, without error evidence: {}",
            self.without_success, self.without_null, self.without_error
        )
    }
}

impl Evidence {
    /// Reads the project, and the folder of what others published where it is at hand.
    pub(crate) fn gather(root: &Path, published: Option<&Path>) -> Result<Self> {
        let contract = Contract::bundled();
        let failed = |error: &dyn fmt::Display| Error::Generator(error.to_string());
        let own = read_all(root.join("fixtures")).map_err(|error| failed(&error))?;
        let others = match published {
            Some(folder) => Some(read_all(folder).map_err(|error| failed(&error))?),
            None => None,
        };
        let mut by_operation: BTreeMap<String, (Own, Vec<Exchange>)> = BTreeMap::new();
        let mut fixtures = BTreeMap::new();
        for (path, exchange) in own {
            *fixtures.entry(kind_of(&exchange)).or_default() += 1;
            let Some(found) = exchange.find(contract) else { continue };
            let id = found.operation.id().to_owned();
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            by_operation.entry(id).or_default().0.push((path, exchange));
        }
        let corpus = others.as_ref().map(Vec::len);
        for (_, exchange) in others.into_iter().flatten() {
            if let Some(found) = exchange.find(contract) {
                let id = found.operation.id().to_owned();
                by_operation.entry(id).or_default().1.push(exchange);
            }
        }
        let nothing = (Vec::new(), Vec::new());
        let mut rows: Vec<Row> = contract
            .operations()
            .map(|operation| {
                let (own, others) = by_operation.get(operation.id()).unwrap_or(&nothing);
                row(root, operation, own, corpus.map(|_| others.as_slice()))
            })
            .collect();
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Self { rows, fixtures, corpus })
    }

    pub(crate) fn totals(&self) -> Totals {
        let lacking =
            |what: &str| self.rows.iter().filter(|row| row.lacks.iter().any(|one| one == what)).count();
        let sum = |count: fn(&Row) -> usize| self.rows.iter().map(count).sum();
        Totals {
            operations: self.rows.len(),
            commands: registry().len(),
            fixtures: self.fixtures.values().sum(),
            corpus: self.corpus,
            declared: sum(|row| row.declared),
            never: sum(|row| row.never.len()),
            only_generated: sum(|row| row.only_generated.len()),
            without_success: lacking("success"),
            without_null: lacking("null"),
            without_error: lacking("error"),
        }
    }
}

fn kind_of(exchange: &Exchange) -> &'static str {
    match exchange.provenance.kind {
        ProvenanceKind::Composed => "composed",
        ProvenanceKind::Generated => "generated",
        ProvenanceKind::Sandbox => "sandbox",
        ProvenanceKind::Recorded => "recorded",
        ProvenanceKind::Published => "published",
        _ => "other",
    }
}

fn row(
    root: &Path,
    operation: &OperationSpec,
    own: &[(String, Exchange)],
    others: Option<&[Exchange]>,
) -> Row {
    let contract = Contract::bundled();
    let id = operation.id();
    let resource = operation.node()["tags"][0].as_str().unwrap_or_default().to_owned();
    let module = resource.replace('-', "_");
    let status = success_status(operation);
    let empty = || contract.coverage(operation, status).unwrap_or_default();
    let (mut by_people, mut generated) = (empty(), empty());
    let (mut successes, mut nulls, mut errors, mut requests) = (vec![], vec![], vec![], vec![]);
    let mut statuses = Vec::new();
    for (path, exchange) in own {
        let place = Place::file(path.as_str());
        let asked = &exchange.request;
        if asked.path.is_some() || asked.body.is_some() || !asked.query.is_empty() {
            requests.push(place.clone());
        }
        let mut seen = empty();
        if let Some(answer) = &exchange.response {
            // An answer of success may hold errors too, in the form that answers of failure have.
            contract.cover(operation, status, answer, &mut seen);
        }
        let by = match exchange.provenance.kind {
            ProvenanceKind::Generated => &mut generated,
            _ => &mut by_people,
        };
        by.merge(&seen);
        if exchange.status >= 400 {
            statuses.push(exchange.status);
            errors.push(place);
            continue;
        }
        if seen.iter().any(|(_, seen)| seen.as_null) {
            nulls.push(place.clone());
        }
        successes.push(place);
    }
    for exchange in others.into_iter().flatten() {
        if let Some(answer) = &exchange.response {
            contract.cover(operation, status, answer, &mut by_people);
        }
    }
    // What a column is about comes first in it.
    for (places, about) in [(&mut successes, "full"), (&mut nulls, "null")] {
        places.sort_by_key(|place| !place.path.contains(about));
    }
    let mut all = by_people.clone();
    all.merge(&generated);
    let shown = |coverage: &Coverage, place: &str| {
        coverage.iter().any(|(one, seen)| one == place && (seen.with_value || seen.as_null))
    };
    let places = |keep: &dyn Fn(&str) -> bool| -> Vec<String> {
        all.iter().map(|(place, _)| place).filter(|place| keep(place)).map(str::to_owned).collect()
    };
    let never = places(&|place| !shown(&all, place));
    let only_generated = places(&|place| shown(&all, place) && !shown(&by_people, place));

    let mut lacks = Vec::new();
    // With a value: a field that was only ever null says nothing about its form.
    if successes.is_empty() || all.iter().any(|(_, seen)| !seen.with_value) {
        lacks.push("success".to_owned());
    }
    let never_null: Vec<String> = all
        .iter()
        .filter(|(_, seen)| seen.nullable && !seen.as_null)
        .map(|(place, _)| place.to_owned())
        .collect();
    if !never_null.is_empty() {
        lacks.push("null".to_owned());
    }
    if errors.is_empty() || declared_errors(operation).iter().any(|status| !statuses.contains(status)) {
        lacks.push("error".to_owned());
    }
    let function = id.strip_prefix(&format!("{module}_")).unwrap_or(id);
    let source = format!("src/resources/{module}.rs");
    let client = line_of(root, &source, &format!("raw::{function}("))
        .or_else(|| line_of(root, &source, &format!("raw::{function})")))
        .or_else(|| line_of(root, &source, &format!("raw::{function},")));
    let commands = registry().iter().filter(|entry| entry.info.operations.contains(&id));
    let laws = ["tests/laws_of_all.rs", "tests/faults/matrix.rs", "tests/mutations.rs"];
    Row {
        id: id.to_owned(),
        request: format!("{} {}", operation.method(), operation.path()),
        summary: operation.node()["summary"].as_str().unwrap_or_default().to_owned(),
        spec: line_of(
            root,
            &format!("spec/{}.yaml", resource.replace('_', "-")),
            &format!("operationId: {id}"),
        )
        .unwrap_or_else(|| Place::file("spec")),
        client: client.map(|line| Place { path: source, ..line }),
        commands: commands
            .map(|entry| {
                let file = format!("src/commands/{}.rs", entry.info.name.replace('-', "_"));
                (
                    entry.info.name,
                    Place::file(if root.join(&file).is_file() { file } else { "src/commands/mod.rs".into() }),
                )
            })
            .collect(),
        requests,
        successes,
        nulls,
        errors,
        laws: laws.into_iter().filter(|path| root.join(path).is_file()).map(Place::file).collect(),
        corpus: others.map(<[Exchange]>::len),
        declared: all.iter().count(),
        never,
        never_null,
        only_generated,
        lacks,
        resource,
    }
}

/// The first status of success that an operation declares.
fn success_status(operation: &OperationSpec) -> u16 {
    statuses(operation).into_iter().find(|status| (200..300).contains(status)).unwrap_or(200)
}

fn declared_errors(operation: &OperationSpec) -> Vec<u16> {
    statuses(operation).into_iter().filter(|status| *status >= 400).collect()
}

fn statuses(operation: &OperationSpec) -> Vec<u16> {
    let responses = operation.node()["responses"].as_object();
    let mut statuses: Vec<u16> =
        responses.into_iter().flat_map(|map| map.keys()).filter_map(|key| key.parse().ok()).collect();
    statuses.sort_unstable();
    statuses
}

/// Where in a file a text stands first.
fn line_of(root: &Path, path: &str, text: &str) -> Option<Place> {
    let content = std::fs::read_to_string(root.join(path)).ok()?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    // A word is not part of a longer one.
    let ends = |rest: &str| !text.ends_with(is_word) || !rest.starts_with(is_word);
    let line = content
        .lines()
        .position(|line| line.match_indices(text).any(|(at, _)| ends(&line[at + text.len()..])))?;
    Some(Place { path: path.to_owned(), line: Some(line + 1) })
}
