//! Fixtures, methods, commands and tests of each operation, read from the files of the project.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use sentinelone::commands::registry;
use sentinelone_codegen::metadata::{self, End, Permissions, Tier};
use sentinelone_codegen::{Error, Result};
use sentinelone_contract::fixture::{Exchange, ProvenanceKind, read_dir};
use sentinelone_contract::{Contract, Coverage, OperationSpec};
use serde_json::{Value, json};

/// A path in the project, with an optional line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceLocation {
    pub(crate) path: String,
    pub(crate) line: Option<usize>,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

impl SourceLocation {
    /// Returns whether it is a fixture that a program wrote from the specification.
    pub(crate) fn is_generated(&self) -> bool {
        self.path.rsplit('/').next().is_some_and(|file| file.starts_with("generated_"))
    }

    fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), line: None }
    }
}

/// The data of one operation.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) tier: Tier,
    pub(crate) permissions: Permissions,
    pub(crate) end: Option<End>,
    pub(crate) resource: String,
    pub(crate) request: String,
    pub(crate) summary: String,
    pub(crate) spec: SourceLocation,
    /// Method of the client; `None` if the operation has only a raw request.
    pub(crate) client: Option<SourceLocation>,
    pub(crate) commands: Vec<(&'static str, SourceLocation)>,
    /// Fixtures with request details.
    pub(crate) requests: Vec<SourceLocation>,
    pub(crate) successes: Vec<SourceLocation>,
    pub(crate) nulls: Vec<SourceLocation>,
    pub(crate) errors: Vec<SourceLocation>,
    pub(crate) tests: Vec<SourceLocation>,
    /// Number of published exchanges; `None` if they are not available.
    pub(crate) published: Option<usize>,
    /// Number of declared response fields.
    pub(crate) declared: usize,
    /// Fields without a value and without null in all exchanges.
    pub(crate) never: Vec<String>,
    /// Nullable fields that are never null in an exchange.
    pub(crate) never_null: Vec<String>,
    /// Fields that only generated fixtures contain.
    pub(crate) only_generated: Vec<String>,
    /// Missing evidence: `success`, `null` or `error`.
    pub(crate) lacks: Vec<String>,
}

impl Row {
    /// Returns the row as JSON.
    fn json(&self) -> Value {
        let places = |all: &[SourceLocation]| -> Value {
            all.iter().map(|one| Value::from(one.to_string())).collect()
        };
        let commands: Vec<&str> = self.commands.iter().map(|(name, _)| *name).collect();
        let end = self
            .end
            .as_ref()
            .map(|end| json!({ "date": end.date, "replacement": end.replacement, "removed": end.removed, "source": end.source }));
        json!({
            "id": self.id,
            "tier": self.tier.as_str(),
            "resource": self.resource,
            "request": self.request,
            "summary": self.summary,
            "permissions": { "required": self.permissions.required, "optional": self.permissions.optional },
            "end": end,
            "spec": self.spec.to_string(),
            "client": self.client.as_ref().map(ToString::to_string),
            "commands": commands,
            "success": places(&self.successes),
            "null": places(&self.nulls),
            "error": places(&self.errors),
            "published": self.published,
            "fields": {
                "declared": self.declared,
                "onlyGenerated": self.only_generated.len(),
                "inNoExchange": self.never.len(),
            },
            "missing": self.lacks,
        })
    }
}

/// Fixtures of the project with their paths.
type Fixtures = Vec<(String, Exchange)>;

/// The rows of the report and the number of exchanges.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) rows: Vec<Row>,
    /// Number of fixtures per provenance kind.
    pub(crate) fixtures: BTreeMap<&'static str, usize>,
    pub(crate) published: Option<usize>,
}

/// Totals of all rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) operations: usize,
    pub(crate) curated: usize,
    pub(crate) documented: usize,
    pub(crate) commands: usize,
    pub(crate) fixtures: usize,
    pub(crate) published: Option<usize>,
    pub(crate) declared: usize,
    pub(crate) never: usize,
    pub(crate) only_generated: usize,
    pub(crate) without_success: usize,
    pub(crate) without_null: usize,
    pub(crate) without_error: usize,
}

impl Totals {
    /// Returns the number of missing evidence entries.
    pub(crate) fn lacking(&self) -> usize {
        self.without_success + self.without_null + self.without_error
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "operations: {} ({} curated, {} documented), commands: {}",
            self.operations, self.curated, self.documented, self.commands
        )?;
        match self.published {
            Some(published) => writeln!(f, "fixtures: {}, published exchanges: {published}", self.fixtures)?,
            None => writeln!(f, "fixtures: {}, published exchanges: not available", self.fixtures)?,
        }
        writeln!(
            f,
            "declared response fields: {}, only in generated fixtures: {}, in no exchange: {}",
            self.declared, self.only_generated, self.never
        )?;
        write!(
            f,
            "operations without success fixture: {}, without null fixture: {}, without error fixture: {}",
            self.without_success, self.without_null, self.without_error
        )
    }
}

impl Evidence {
    /// Reads the project, and the directory of published exchanges if there is one.
    pub(crate) fn gather(root: &Path, published: Option<&Path>) -> Result<Self> {
        let contract = Contract::bundled();
        let failed = |error: &dyn fmt::Display| Error::Generator(error.to_string());
        let own = read_dir(root.join("fixtures")).map_err(|error| failed(&error))?;
        let external = match published {
            Some(dir) => Some(read_dir(dir).map_err(|error| failed(&error))?),
            None => None,
        };
        let mut by_operation: BTreeMap<String, (Fixtures, Vec<Exchange>)> = BTreeMap::new();
        let mut fixtures = BTreeMap::new();
        for (path, exchange) in own {
            *fixtures.entry(kind_of(&exchange)).or_default() += 1;
            let Some(found) = exchange.match_operation(contract) else { continue };
            let id = found.operation.id().to_owned();
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            by_operation.entry(id).or_default().0.push((path, exchange));
        }
        let published = external.as_ref().map(Vec::len);
        for (_, exchange) in external.into_iter().flatten() {
            if let Some(found) = exchange.match_operation(contract) {
                let id = found.operation.id().to_owned();
                by_operation.entry(id).or_default().1.push(exchange);
            }
        }
        let empty = (Vec::new(), Vec::new());
        let mut rows: Vec<Row> = contract
            .operations()
            .map(|operation| {
                let (own, external) = by_operation.get(operation.id()).unwrap_or(&empty);
                row(root, operation, own, published.map(|_| external.as_slice()))
            })
            .collect::<Result<_>>()?;
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Self { rows, fixtures, published })
    }

    /// Returns the report as JSON: the totals, and all operations.
    pub(crate) fn json(&self) -> Value {
        let totals = self.totals();
        let operations: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({
            "totals": {
                "operations": totals.operations,
                "tiers": { "curated": totals.curated, "documented": totals.documented },
                "commands": totals.commands,
                "fixtures": self.fixtures,
                "published": totals.published,
                "missing": {
                    "success": totals.without_success,
                    "null": totals.without_null,
                    "error": totals.without_error,
                },
            },
            "operations": operations,
        })
    }

    pub(crate) fn totals(&self) -> Totals {
        let lacking =
            |kind: &str| self.rows.iter().filter(|row| row.lacks.iter().any(|lack| lack == kind)).count();
        let sum = |count: fn(&Row) -> usize| self.rows.iter().map(count).sum();
        let of_tier = |tier| self.rows.iter().filter(|row| row.tier == tier).count();
        Totals {
            operations: self.rows.len(),
            curated: of_tier(Tier::Curated),
            documented: of_tier(Tier::Documented),
            commands: registry().len(),
            fixtures: self.fixtures.values().sum(),
            published: self.published,
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
    external: Option<&[Exchange]>,
) -> Result<Row> {
    let contract = Contract::bundled();
    let id = operation.id();
    let facts = metadata::read_operation(operation.as_json());
    let facts = facts.map_err(|message| Error::Generator(format!("{id}: {message}")))?;
    let resource = operation.as_json()["tags"][0].as_str().unwrap_or_default().to_owned();
    let module = resource.replace('-', "_");
    let status = success_status(operation);
    let empty = || contract.coverage(operation, status).unwrap_or_default();
    let (mut handwritten, mut generated) = (empty(), empty());
    let (mut successes, mut nulls, mut errors, mut requests) = (vec![], vec![], vec![], vec![]);
    let mut statuses = Vec::new();
    for (path, exchange) in own {
        let location = SourceLocation::file(path.as_str());
        let request = &exchange.request;
        if request.path.is_some() || request.body.is_some() || !request.query.is_empty() {
            requests.push(location.clone());
        }
        let mut coverage = empty();
        if let Some(response) = &exchange.response {
            // A success response may contain errors in the format of error responses.
            contract.record_coverage(operation, status, response, &mut coverage);
        }
        let total = match exchange.provenance.kind {
            ProvenanceKind::Generated => &mut generated,
            _ => &mut handwritten,
        };
        total.merge(&coverage);
        if exchange.status >= 400 {
            statuses.push(exchange.status);
            errors.push(location);
            continue;
        }
        if coverage.iter().any(|(_, field)| field.has_null) {
            nulls.push(location.clone());
        }
        successes.push(location);
    }
    for exchange in external.into_iter().flatten() {
        if let Some(response) = &exchange.response {
            contract.record_coverage(operation, status, response, &mut handwritten);
        }
    }
    // The fixtures for full and null responses come first.
    for (locations, name) in [(&mut successes, "full"), (&mut nulls, "null")] {
        locations.sort_by_key(|location| !location.path.contains(name));
    }
    let mut all = handwritten.clone();
    all.merge(&generated);
    let covers = |coverage: &Coverage, location: &str| {
        coverage.iter().any(|(other, field)| other == location && (field.has_value || field.has_null))
    };
    let locations = |keep: &dyn Fn(&str) -> bool| -> Vec<String> {
        all.iter()
            .map(|(location, _)| location)
            .filter(|location| keep(location))
            .map(str::to_owned)
            .collect()
    };
    let never = locations(&|location| !covers(&all, location));
    let only_generated = locations(&|location| covers(&all, location) && !covers(&handwritten, location));

    let mut lacks = Vec::new();
    // One generated success shows an operation of the tier `documented`.
    let is_curated = operation.x_s1()["tier"] == Tier::Curated.as_str();
    // Each field needs a value, since null does not prove its type.
    let without_value = || all.iter().any(|(_, field)| !field.has_value);
    if successes.is_empty() || is_curated && without_value() {
        lacks.push("success".to_owned());
    }
    let never_null: Vec<String> = all
        .iter()
        .filter(|(_, field)| field.nullable && !field.has_null)
        .map(|(location, _)| location.to_owned())
        .collect();
    if is_curated && !never_null.is_empty() {
        lacks.push("null".to_owned());
    }
    let is_covered = |status: &u16| statuses.contains(status);
    if is_curated && (errors.is_empty() || !declared_errors(operation).iter().all(is_covered)) {
        lacks.push("error".to_owned());
    }
    let function = id.strip_prefix(&format!("{module}_")).unwrap_or(id);
    let directory = if is_curated { "src/resources" } else { "src/resources/documented" };
    let source = format!("{directory}/{module}.rs");
    let client = line_of(root, &source, &format!("raw::{function}("))
        .or_else(|| line_of(root, &source, &format!("raw::{function})")))
        .or_else(|| line_of(root, &source, &format!("raw::{function},")));
    let commands = registry().iter().filter(|entry| entry.info.operations.contains(&id));
    let tests = [
        "tests/properties/operations.rs",
        "tests/fault_injection/matrix.rs",
        "tests/properties/malformed_input.rs",
    ];
    Ok(Row {
        id: id.to_owned(),
        tier: facts.tier,
        permissions: facts.permissions,
        end: facts.end,
        request: format!("{} {}", operation.method(), operation.path()),
        summary: operation.as_json()["summary"].as_str().unwrap_or_default().to_owned(),
        spec: line_of(
            root,
            &format!("spec/{}.yaml", resource.replace('_', "-")),
            &format!("operationId: {id}"),
        )
        .unwrap_or_else(|| SourceLocation::file("spec")),
        client: client.map(|location| SourceLocation { path: source, ..location }),
        commands: commands
            .map(|entry| {
                let file = format!("src/commands/{}.rs", entry.info.name.replace('-', "_"));
                (
                    entry.info.name,
                    SourceLocation::file(if root.join(&file).is_file() {
                        file
                    } else {
                        "src/commands/mod.rs".into()
                    }),
                )
            })
            .collect(),
        requests,
        successes,
        nulls,
        errors,
        tests: tests.into_iter().filter(|path| root.join(path).is_file()).map(SourceLocation::file).collect(),
        published: external.map(<[Exchange]>::len),
        declared: all.iter().count(),
        never,
        never_null,
        only_generated,
        lacks,
        resource,
    })
}

/// Returns the first success status that an operation declares, or 200.
fn success_status(operation: &OperationSpec) -> u16 {
    statuses(operation).into_iter().find(|status| (200..300).contains(status)).unwrap_or(200)
}

fn declared_errors(operation: &OperationSpec) -> Vec<u16> {
    statuses(operation).into_iter().filter(|status| *status >= 400).collect()
}

fn statuses(operation: &OperationSpec) -> Vec<u16> {
    let responses = operation.as_json()["responses"].as_object();
    let mut statuses: Vec<u16> =
        responses.into_iter().flat_map(|map| map.keys()).filter_map(|key| key.parse().ok()).collect();
    statuses.sort_unstable();
    statuses
}

/// Returns the location of the first occurrence of `text` in a file, as a whole identifier.
fn line_of(root: &Path, path: &str, text: &str) -> Option<SourceLocation> {
    let content = std::fs::read_to_string(root.join(path)).ok()?;
    let is_identifier = |c: char| c.is_alphanumeric() || c == '_';
    // The match must not be a prefix of a longer identifier.
    let ends = |rest: &str| !text.ends_with(is_identifier) || !rest.starts_with(is_identifier);
    let line = content
        .lines()
        .position(|line| line.match_indices(text).any(|(at, _)| ends(&line[at + text.len()..])))?;
    Some(SourceLocation { path: path.to_owned(), line: Some(line + 1) })
}
