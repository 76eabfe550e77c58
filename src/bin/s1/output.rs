//! What people and scripts see.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use sentinelone::commands::{Entry, Outcome, Output, Prepared, Source, find};
use sentinelone::incidents::Incident;
use sentinelone::{ApiVersion, Request, Result, Timestamp, TokenDetails, printable};
use serde_json::{Value, json};

/// Writes text to stdout. A reader that went away, as `head` does, is no failure.
pub(crate) fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Writes a line to stderr. Where nobody reads it there is nothing more to say, and nothing to fail for.
pub(crate) fn say(text: impl std::fmt::Display) {
    let text: Vec<_> = text.to_string().lines().map(printable).collect();
    let _ = writeln!(io::stderr(), "{}", text.join("\n"));
}

/// A JSON document for people and machines alike.
pub(crate) fn pretty(value: &Value) -> String {
    inert(&format!("{value:#}")) + "\n"
}

/// JSON in which nothing steers a terminal: it says the same.
pub(crate) fn inert(json: &str) -> String {
    let one = |c: char| {
        let same = c == '\n' || printable(c.encode_utf8(&mut [0; 4])).starts_with(c);
        // Only texts hold the others, and all of those have four digits.
        if same { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }
    };
    let line =
        |line: &str| if printable(line) == line { line.to_owned() } else { line.chars().map(one).collect() };
    json.lines().map(line).collect::<Vec<String>>().join("\n")
}

/// The requests of a dry run.
pub(crate) fn requests(requests: &[Request<Value>], version: ApiVersion) -> Result<String> {
    let requests = requests
        .iter()
        .map(|request| {
            let query: serde_json::Map<_, _> =
                request.query().into_iter().map(|(name, value)| (name, value.into())).collect();
            Ok(json!({
                "method": request.method().as_str(),
                "path": request.path(version)?,
                "query": query,
                "body": request.shown_body(),
            }))
        })
        .collect::<Result<Value>>()?;
    Ok(pretty(&requests))
}

/// What came of a command, in the format asked for.
pub(crate) fn outcome(command: &Prepared, outcome: &Outcome, format: &str) -> String {
    match format {
        "json" => pretty(&outcome.to_json()),
        "ndjson" => outcome.items().iter().map(|item| inert(&item.to_string()) + "\n").collect(),
        "context" => pretty(&outcome.context),
        _ => table(command, outcome),
    }
}

/// How long a token lives.
pub(crate) fn token(details: &TokenDetails, now: &Timestamp, format: &str) -> String {
    let left = details.left(now);
    let text = |time: &Option<Timestamp>| time.as_ref().map(|time| time.as_str().to_owned());
    let json = json!({
        "createdAt": text(&details.created_at),
        "expiresAt": text(&details.expires_at),
        "secondsLeft": left.map(|left| left.as_secs()),
    });
    match format {
        "json" | "context" => pretty(&json),
        "ndjson" => inert(&json.to_string()) + "\n",
        _ => {
            let unknown = || "unknown".to_owned();
            let left = left.map(|left| match left.as_secs() / 86_400 {
                0 => format!("{} hours", left.as_secs() / 3_600),
                1 => "1 day".to_owned(),
                days => format!("{days} days"),
            });
            let rows = [
                ("created", text(&details.created_at)),
                ("expires", text(&details.expires_at)),
                ("left", left),
            ];
            let rows = rows.map(|(name, value)| vec![name.to_owned(), value.unwrap_or_else(unknown)]);
            grid(&["Token", "Value"], rows.into_iter())
        }
    }
}

/// Incidents, one a row; nothing where there are none.
pub(crate) fn incidents(incidents: &[Incident]) -> String {
    if incidents.is_empty() {
        return String::new();
    }
    let rows = incidents.iter().map(|one| {
        let occurred = one.occurred.as_ref().map(|time| time.as_str().to_owned());
        let severity = one.severity.and_then(|severity| serde_json::to_value(severity).ok());
        let severity = severity.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        vec![occurred.unwrap_or_default(), severity, one.name.clone(), one.dedupe_key.clone()]
    });
    grid(&["Occurred", "Severity", "Incident", "Key"], rows)
}

/// The files that were written.
fn files(outcome: &Outcome) -> String {
    if outcome.files.is_empty() {
        return String::new();
    }
    let rows = outcome
        .files
        .iter()
        .map(|file| vec![file.name.clone(), file.bytes.to_string(), file.path.display().to_string()]);
    grid(&["File", "Bytes", "Written to"], rows)
}

fn table(command: &Prepared, outcome: &Outcome) -> String {
    files(outcome) + &table_of(command, outcome)
}

fn table_of(command: &Prepared, outcome: &Outcome) -> String {
    if command.info().acts {
        let mut text = String::new();
        if !outcome.ids.is_empty() {
            let rows = outcome.ids.iter().map(|one| {
                vec![one.id.clone(), one.state.to_string(), one.detail.clone().unwrap_or_default()]
            });
            text = grid(&["ID", "Result", "Console says"], rows);
        }
        let affected = outcome.affected.map_or("unknown".to_owned(), |count| count.to_string());
        return format!("{text}affected: {affected}\n");
    }
    let outputs = find(command.info().name).map(|entry| entry.outputs).unwrap_or_default();
    let prefix = common_prefix(outputs);
    let at = |path: &str| outcome.context.pointer(&format!("/{}", path.replace('.', "/")));
    let entries = match at(prefix) {
        Some(Value::Array(entries)) => entries.clone(),
        // One thing reads better from top to bottom.
        Some(entry) => {
            let names =
                outputs.iter().filter_map(|output| output.path.strip_prefix(prefix)?.strip_prefix('.'));
            let rows =
                names.filter_map(|name| Some(vec![name.to_owned(), cell(entry.pointer(&pointer(name))?)]));
            return grid(&["Field", "Value"], rows);
        }
        // What is no list, and has no paths of its own, is shown as it is.
        None if outputs.is_empty() => return pretty(&outcome.answer),
        None => Vec::new(),
    };
    let below = |output: &'static Output| output.path.strip_prefix(prefix)?.strip_prefix('.');
    let paths: Vec<&str> = outputs
        .iter()
        .filter(|output| output.column)
        .filter_map(below)
        .filter(|path| entries.iter().any(|entry| entry.pointer(&pointer(path)).is_some()))
        .collect();
    // What no output names: the columns of a power query, and those that `columns` asked for.
    let named =
        |name: &str| outputs.iter().filter_map(below).any(|path| path.split('.').next() == Some(name));
    let mut others: Vec<&str> = Vec::new();
    for name in entries.iter().filter_map(Value::as_object).flat_map(|entry| entry.keys()) {
        if !named(name) && !others.contains(&name.as_str()) {
            others.push(name);
        }
    }
    let rows = entries.iter().map(|entry| {
        let documented = paths.iter().map(|path| entry.pointer(&pointer(path)));
        let further = others.iter().map(|name| entry.get(*name));
        documented.chain(further).map(|value| value.map(cell).unwrap_or_default()).collect()
    });
    let header: Vec<&str> = paths.iter().chain(&others).copied().collect();
    let count = entries.len();
    let total = outcome.answer.pointer("/pagination/totalItems").and_then(Value::as_u64);
    let footer = match total {
        Some(total) if total > count as u64 => format!("{count} of {total}\n"),
        _ => format!("{count} found\n"),
    };
    if header.is_empty() { footer } else { grid(&header, rows) + &footer }
}

/// The part of the context paths that all of them begin with.
fn common_prefix(outputs: &[Output]) -> &'static str {
    let first = outputs.first().map(|output| output.path).unwrap_or_default();
    first.rsplit_once('.').map_or("", |(prefix, _)| prefix)
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A table narrower than this is not wrapped.
const NARROWEST: u16 = 40;

fn grid(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header.to_vec());
    // Some terminals say that they have no width at all.
    if io::stdout().is_terminal() && table.width().is_some_and(|width| width >= NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.add_rows(rows.map(|row| row.iter().map(|cell| printable(cell)).collect::<Vec<_>>()));
    format!("{table}\n")
}

/// The registry, for people or for machines.
pub(crate) fn commands(entries: &[Entry], format: &str) -> String {
    match format {
        "table" => {
            let rows = entries.iter().map(|entry| {
                let versions: Vec<_> = entry.info.versions.iter().map(|version| version.as_str()).collect();
                vec![entry.info.name.to_owned(), versions.join(", "), entry.info.summary.to_owned()]
            });
            grid(&["Command", "API", "What it does"], rows)
        }
        "ndjson" => entries.iter().map(|entry| format!("{}\n", described(entry))).collect(),
        _ => pretty(&entries.iter().map(described).collect()),
    }
}

fn described(entry: &Entry) -> Value {
    let versions = |versions: &[ApiVersion]| -> Value {
        versions.iter().map(|version| Value::from(version.as_str())).collect()
    };
    let arguments: Value = (entry.arguments)()
        .iter()
        .map(|argument| {
            json!({
                "name": argument.name,
                "type": argument.kind.as_str(),
                "values": argument.values,
                "default": argument.default,
                "required": argument.required,
                "description": argument.doc,
            })
        })
        .collect();
    let outputs: Value = entry
        .outputs
        .iter()
        .map(|output| {
            let source = match output.source {
                Source::Field { v2_0, v2_1 } => {
                    let on = |version: &ApiVersion| if *version == ApiVersion::V2_0 { v2_0 } else { v2_1 };
                    let fields: serde_json::Map<_, _> = entry
                        .info
                        .versions
                        .iter()
                        .map(|version| (version.to_string(), json!(on(version))))
                        .collect();
                    json!({ "field": fields })
                }
                Source::Argument(name) => json!({ "argument": name }),
                Source::Never => json!("never"),
                _ => json!("computed"),
            };
            json!({
                "path": output.path,
                "type": output.kind,
                "description": output.doc,
                "source": source,
                "never": output.never,
                "absent": output.absent.map(|(version, why)| json!({ "version": version.as_str(), "why": why })),
                "undocumented": output.undocumented,
            })
        })
        .collect();
    json!({
        "name": entry.info.name,
        "full_name": entry.info.full_name,
        "summary": entry.info.summary,
        "versions": versions(entry.info.versions),
        "acts": entry.info.acts,
        "destructive": entry.info.destructive,
        "asks": entry.info.asks,
        "operations": entry.info.operations,
        "arguments": arguments,
        "outputs": outputs,
    })
}
