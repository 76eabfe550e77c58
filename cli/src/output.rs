//! Results of commands as text: tables and JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sentinelone::commands::{ContextSource, Outcome, PreparedCommand, RegisteredCommand, find};
use sentinelone::incidents::Incident;
use sentinelone::{ApiVersion, End, Error, Permissions, Request, Timestamp, TokenDetails};
use serde_json::{Value, json};

use crate::columns::{Columns, RESULTS, Row, RowItem, common_prefix, pointer};
use crate::ends;
use crate::failure::CliError;
use crate::json_text::{line, lines, pretty};
use crate::stream::TableWriter;
use crate::table::{Grid, grid, plain, state};

/// Returns the requests of a dry run.
pub(crate) fn requests(requests: &[Request<Value>], version: ApiVersion) -> Result<String, Error> {
    let requests = requests
        .iter()
        .map(|request| {
            let query: serde_json::Map<_, _> =
                request.query().into_iter().map(|(name, value)| (name, value.into())).collect();
            Ok(json!({
                "method": request.method().as_str(),
                "path": request.path(version)?,
                "query": query,
                "body": request.redacted_body(),
            }))
        })
        .collect::<Result<Value, Error>>()?;
    Ok(pretty(&requests))
}

/// Returns the outcome of a command in a format, as a table with the selected columns.
pub(crate) fn outcome(
    command: &PreparedCommand,
    outcome: &Outcome,
    format: &str,
    columns: &[String],
) -> Result<String, CliError> {
    Ok(match format {
        "json" => pretty(&outcome.to_json()),
        "ndjson" => lines(&outcome.items()),
        "context" => pretty(&outcome.context),
        _ => files(outcome) + &table_of(command, outcome, columns)?,
    })
}

/// Returns the creation and expiry time of a token.
pub(crate) fn token(details: &TokenDetails, now: &Timestamp, format: &str) -> String {
    let remaining = details.remaining(now);
    let text = |time: &Option<Timestamp>| time.as_ref().map(|time| time.as_str().to_owned());
    let json = json!({
        "createdAt": text(&details.created_at),
        "expiresAt": text(&details.expires_at),
        "secondsRemaining": remaining.map(|remaining| remaining.as_secs()),
    });
    match format {
        "json" | "context" => pretty(&json),
        "ndjson" => line(&json),
        _ => {
            let unknown = || "unknown".to_owned();
            let remaining = remaining.map(|remaining| match remaining.as_secs() / 86_400 {
                0 => format!("{} hours", remaining.as_secs() / 3_600),
                1 => "1 day".to_owned(),
                days => format!("{days} days"),
            });
            let rows = [
                ("created", text(&details.created_at)),
                ("expires", text(&details.expires_at)),
                ("remaining", remaining),
            ];
            let rows = rows.map(|(name, value)| vec![name.to_owned(), value.unwrap_or_else(unknown)]);
            grid(["Token", "Value"], rows.into_iter())
        }
    }
}

/// Returns a table of incidents; empty if the list is empty.
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
    grid(["Occurred", "Severity", "Incident", "Key"], rows)
}

/// Returns a table of the written files.
fn files(outcome: &Outcome) -> String {
    if outcome.files.is_empty() {
        return String::new();
    }
    let rows = outcome
        .files
        .iter()
        .map(|file| vec![file.name.clone(), file.bytes.to_string(), file.path.display().to_string()]);
    grid(["File", "Bytes", "Written to"], rows)
}

fn table_of(command: &PreparedCommand, outcome: &Outcome, columns: &[String]) -> Result<String, CliError> {
    if command.info().is_action {
        return Ok(results(outcome, columns));
    }
    let outputs = find(command.info().name).map(|entry| entry.outputs).unwrap_or_default();
    let (entries, is_list) = match outcome.context.pointer(&pointer(common_prefix(outputs))) {
        Some(Value::Array(entries)) => (entries.as_slice(), true),
        Some(entry) => (std::slice::from_ref(entry), false),
        // A response without context paths is shown as JSON.
        None if outputs.is_empty() && columns.is_empty() => return Ok(pretty(&outcome.response)),
        None => (&[][..], true),
    };
    let items = if columns.is_empty() { Vec::new() } else { outcome.items() };
    let item = |number| match items.get(number) {
        // If the numbers differ, an item does not belong to the entry at its position.
        Some(item) if items.len() == entries.len() => RowItem::Parsed(item),
        _ => RowItem::Missing,
    };
    let row = |(number, entry)| Row { entry: Cow::Borrowed(entry), item: item(number) };
    let rows: Vec<Row<'_>> = entries.iter().enumerate().map(row).collect();
    if !is_list {
        // One item is shown with a row per field.
        return Ok(Columns { outputs, selected: columns }.grid(&rows, true)?.transposed().draw());
    }
    let (mut table, mut text) = (TableWriter::new(outputs, columns), Vec::new());
    table.write(&rows, &mut text)?;
    table.end(outcome, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn results(outcome: &Outcome, columns: &[String]) -> String {
    let mut text = String::new();
    if !outcome.results.is_empty() {
        let rows = outcome.results.iter().map(|one| {
            let detail = one.detail.clone().unwrap_or_default();
            vec![plain(&one.id), state(one.state), plain(&detail)]
        });
        text = Grid::new(RESULTS, rows).choose(columns).draw();
    }
    let affected = outcome.affected.map_or("unknown".to_owned(), |count| count.to_string());
    format!("{text}affected: {affected}\n")
}

/// Returns the list of the integration commands.
pub(crate) fn commands(entries: &[RegisteredCommand], format: &str) -> String {
    match format {
        "table" => {
            let rows = entries.iter().map(|entry| {
                let versions: Vec<_> = entry.info.versions.iter().map(|version| version.as_str()).collect();
                let ends = ends::of_command(entry).map(|(_, end)| ends::day(end)).collect::<BTreeSet<_>>();
                let ends = ends.into_iter().collect::<Vec<_>>().join(", ");
                let (name, summary) = (entry.info.name.to_owned(), entry.info.summary.to_owned());
                vec![name, versions.join(", "), ends, summary]
            });
            grid(["Command", "API", "Ends", "Summary"], rows)
        }
        "ndjson" => entries.iter().map(|entry| format!("{}\n", command_json(entry))).collect(),
        _ => pretty(&entries.iter().map(command_json).collect()),
    }
}

/// Returns the JSON Schemas of the arguments of commands, by name.
pub(crate) fn schemas(entries: &[RegisteredCommand], format: &str) -> String {
    let schema = |entry: &RegisteredCommand| (entry.info.name.to_owned(), entry.arguments_schema());
    match format {
        "ndjson" => entries.iter().map(|entry| format!("{}\n", schema(entry).1)).collect(),
        _ => pretty(&Value::Object(entries.iter().map(schema).collect())),
    }
}

/// Returns the permissions of the operations of a command, each once.
fn permissions(
    entry: &RegisteredCommand,
    list: fn(&Permissions) -> &'static [&'static str],
) -> BTreeSet<&'static str> {
    entry.operations().flat_map(|operation| list(&operation.permissions)).copied().collect()
}

fn end_json((operation, end): (&str, End)) -> Value {
    let text = |text: &'static str| (!text.is_empty()).then_some(text);
    json!({
        "operation": operation,
        "date": text(end.date),
        "replacement": text(end.replacement),
        "removed": end.removed,
        "source": end.source,
    })
}

fn command_json(entry: &RegisteredCommand) -> Value {
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
                "required": argument.required && !argument.documented_as_optional,
                "all": argument.accepts_all,
                "description": argument.doc,
            })
        })
        .collect();
    let outputs: Value = entry
        .outputs
        .iter()
        .map(|output| {
            let source = match output.source {
                ContextSource::Field { v2_0, v2_1 } => {
                    let on = |version: &ApiVersion| if *version == ApiVersion::V2_0 { v2_0 } else { v2_1 };
                    let fields: serde_json::Map<_, _> = entry
                        .info
                        .versions
                        .iter()
                        .map(|version| (version.to_string(), json!(on(version))))
                        .collect();
                    json!({ "field": fields })
                }
                ContextSource::Argument(name) => json!({ "argument": name }),
                ContextSource::Unavailable => json!("unavailable"),
                _ => json!("computed"),
            };
            json!({
                "path": output.path,
                "type": output.kind,
                "description": output.doc,
                "source": source,
                "unavailable": output.unavailable,
                "unavailableOn": output.unavailable_on.map(|(version, why)| json!({ "version": version.as_str(), "why": why })),
                "undocumented": output.undocumented,
            })
        })
        .collect();
    json!({
        "name": entry.info.name,
        "fullName": entry.info.full_name,
        "topic": entry.info.topic.name(),
        "summary": entry.info.summary,
        "versions": versions(entry.info.versions),
        "isAction": entry.info.is_action,
        "destructive": entry.info.destructive,
        "requiresConfirmation": entry.info.requires_confirmation,
        "operations": entry.info.operations,
        "permissions": {
            "required": permissions(entry, |permissions| permissions.required),
            "optional": permissions(entry, |permissions| permissions.optional),
        },
        "ends": ends::of_command(entry).map(|(operation, end)| end_json((operation.id, end))).collect::<Vec<_>>(),
        "arguments": arguments,
        "outputs": outputs,
    })
}
