//! Output on stdout and stderr.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::StyledStr;
use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};
use sentinelone::commands::{ContextPath, ContextSource, Outcome, PreparedCommand, RegisteredCommand, find};
use sentinelone::incidents::Incident;
use sentinelone::{
    ApiVersion, Error, IdState, Repairs, Request, Timestamp, TokenDetails, replace_control_chars,
};
use serde_json::{Value, json};

use crate::progress;
use crate::run::CliError;
use crate::suggest::did_you_mean;

/// Writes text to stdout. A closed pipe is not an error.
pub(crate) fn write(text: &str) -> io::Result<()> {
    write_if_open(text).map(drop)
}

/// Writes text with styles to stdout, without the styles unless the terminal supports them.
pub(crate) fn write_styled(text: &StyledStr) -> io::Result<()> {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => write(&text.to_string()),
        _ => write(&text.ansi().to_string()),
    }
}

/// Writes text to stdout. Returns false if the pipe is closed.
pub(crate) fn write_if_open(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true),
    }
}

/// Writes a line to stderr. Write errors are ignored.
pub(crate) fn report(text: impl std::fmt::Display) {
    let text: Vec<_> = text.to_string().lines().map(replace_control_chars).collect();
    progress::suspend(|| {
        let _ = writeln!(io::stderr(), "{}", text.join("\n"));
    });
}

/// Writes a warning for each repair of the responses of `subject`, a command or a stream.
pub(crate) fn report_repairs(subject: &str, repairs: &Repairs) {
    for repair in repairs {
        report(format_args!("warning: {subject}: the response is not valid JSON at {repair}"));
    }
    if repairs.omitted() > 0 {
        report(format_args!(
            "warning: {subject}: {} more values were repaired or set apart",
            repairs.omitted()
        ));
    }
}

/// Returns an indented JSON document.
pub(crate) fn pretty(value: &Value) -> String {
    escape_control_chars(&format!("{value:#}")) + "\n"
}

/// Escapes the control characters in a JSON document. Its value stays the same.
pub(crate) fn escape_control_chars(json: &str) -> String {
    let one = |c: char| {
        let same = c == '\n' || replace_control_chars(c.encode_utf8(&mut [0; 4])).starts_with(c);
        // The others occur in strings only, and four digits are enough for them.
        if same { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }
    };
    let line = |line: &str| {
        if replace_control_chars(line) == line { line.to_owned() } else { line.chars().map(one).collect() }
    };
    json.lines().map(line).collect::<Vec<String>>().join("\n")
}

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

/// Returns one line of JSON per item.
pub(crate) fn lines(items: &[Value]) -> String {
    items.iter().map(|item| escape_control_chars(&item.to_string()) + "\n").collect()
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
        "ndjson" => escape_control_chars(&json.to_string()) + "\n",
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

/// Columns of the results of an action.
const RESULTS: [&str; 3] = ["ID", "Result", "Detail"];

/// Returns whether a command writes local files.
pub(crate) fn writes_files(entry: &RegisteredCommand) -> bool {
    (entry.arguments)().iter().any(|argument| argument.name == "dir")
}

/// Returns a usage error if the table of a command cannot have a column. Actions and downloads are checked before
/// they start.
pub(crate) fn check_columns(entry: &RegisteredCommand, columns: &[String]) -> Result<(), CliError> {
    let name = entry.info.name;
    let prefix = common_prefix(entry.outputs);
    let (subject, known): (_, Vec<&str>) = match () {
        () if columns.is_empty() => return Ok(()),
        () if entry.info.is_action => ("the results of an action have", RESULTS.to_vec()),
        () if entry.outputs.is_empty() => {
            let message = format!("--columns: {name} prints the response as JSON, without columns");
            return Err(CliError::Usage(message));
        }
        () if writes_files(entry) => (
            "a download has",
            entry.outputs.iter().filter_map(|output| relative_path(output, prefix)).collect(),
        ),
        () => return Ok(()),
    };
    match columns.iter().find(|name| known.iter().all(|one| !one.eq_ignore_ascii_case(name))) {
        Some(name) => {
            let (all, hint) = (known.join(", "), did_you_mean(name, known.iter().copied()));
            Err(CliError::Usage(format!("--columns: {subject} no column {name:?}, only {all}{hint}")))
        }
        None => Ok(()),
    }
}

fn unknown_column(name: &str, known: &[String]) -> CliError {
    let hint = did_you_mean(name, known.iter().map(String::as_str));
    let message = format!("--columns: no item has the field {name:?}; --output json lists the fields{hint}");
    CliError::Usage(message)
}

fn table_of(command: &PreparedCommand, outcome: &Outcome, columns: &[String]) -> Result<String, CliError> {
    if command.info().is_action {
        return Ok(results(outcome, columns));
    }
    let outputs = find(command.info().name).map(|entry| entry.outputs).unwrap_or_default();
    let prefix = common_prefix(outputs);
    let at = |path: &str| outcome.context.pointer(&pointer(path));
    let entries = match at(prefix) {
        Some(Value::Array(entries)) => entries.as_slice(),
        // One item is shown with a row per field.
        Some(entry) => {
            let data = TableData {
                outputs,
                prefix,
                entries: std::slice::from_ref(entry),
                items: response_items(outcome, columns, 1),
            };
            return Ok(data.grid(columns, |_| true)?.transposed().draw());
        }
        // A response without context paths is shown as JSON.
        None if outputs.is_empty() && columns.is_empty() => return Ok(pretty(&outcome.response)),
        None => &[],
    };
    let data = TableData { outputs, prefix, entries, items: response_items(outcome, columns, entries.len()) };
    let grid = data.grid(columns, |output| output.column)?;
    let count = entries.len();
    if count == 0 && !outcome.not_found.is_empty() {
        // stderr names the identifiers.
        return Ok(String::new());
    }
    let total = outcome.response.pointer("/pagination/totalItems").and_then(Value::as_u64);
    let footer = match total {
        Some(total) if total > count as u64 => format!("{count} of {total}\n"),
        _ => format!("{count} found\n"),
    };
    Ok(if grid.header.is_empty() || count == 0 { footer } else { grid.draw() + &footer })
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

/// Returns the items of the response, in which columns are looked up.
fn response_items(outcome: &Outcome, columns: &[String], entries: usize) -> Vec<Value> {
    let items = if columns.is_empty() { Vec::new() } else { outcome.items() };
    // If the numbers differ, an item does not belong to the entry at its position.
    if items.len() == entries { items } else { Vec::new() }
}

/// Source of a table: entries of the context, and the items of the response.
struct TableData<'a> {
    outputs: &'static [ContextPath],
    prefix: &'static str,
    entries: &'a [Value],
    items: Vec<Value>,
}

impl TableData<'_> {
    /// Returns the selected columns. By default these are the `outputs` that match `is_default`, and the members
    /// that no output names.
    fn grid(&self, columns: &[String], is_default: impl Fn(&ContextPath) -> bool) -> Result<Grid, CliError> {
        if !columns.is_empty() {
            let header = columns.iter().map(|name| self.resolve(name)).collect::<Result<Vec<_>, _>>()?;
            let rows = self.rows(&header);
            return Ok(Grid { header, rows });
        }
        let documented = self
            .outputs
            .iter()
            .filter(|output| is_default(output))
            .filter_map(|output| relative_path(output, self.prefix));
        let named = |name: &str| self.paths().any(|path| path.split('.').next() == Some(name));
        let mut header: Vec<String> = documented.filter(|path| self.has(path)).map(str::to_owned).collect();
        // The columns of a PowerQuery, and those of the argument `columns`.
        for name in self.entries.iter().filter_map(Value::as_object).flat_map(|entry| entry.keys()) {
            if !named(name) && !header.contains(name) {
                header.push(name.clone());
            }
        }
        let rows = self.rows(&header);
        Ok(Grid { header, rows }.without_empty())
    }

    fn rows(&self, header: &[String]) -> Vec<Vec<Cell>> {
        let row = |number| header.iter().map(move |name| plain(&text(self.value(number, name)))).collect();
        (0..self.entries.len()).map(row).collect()
    }

    fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.outputs.iter().filter_map(|output| relative_path(output, self.prefix))
    }

    fn has(&self, path: &str) -> bool {
        (0..self.entries.len()).any(|number| self.value(number, path).is_some())
    }

    /// Returns a value of an entry, or else of its item. A name can contain dots.
    fn value(&self, number: usize, path: &str) -> Option<&Value> {
        let both = [self.entries.get(number), self.items.get(number)];
        both.into_iter().flatten().find_map(|one| one.get(path).or_else(|| one.pointer(&pointer(path))))
    }

    /// Returns the exact name of a column; case is ignored. Without entries every name is accepted.
    fn resolve(&self, name: &str) -> Result<String, CliError> {
        let same = |one: &&str| one.eq_ignore_ascii_case(name);
        if let Some(path) = self.paths().find(|path| *path == name).or_else(|| self.paths().find(same)) {
            return Ok(path.to_owned());
        }
        if self.entries.is_empty() || self.has(name) {
            return Ok(name.to_owned());
        }
        let mut all: Vec<String> = self.paths().map(str::to_owned).collect();
        for value in self.entries.iter().chain(&self.items) {
            collect_paths(value, "", &mut all);
        }
        match all.iter().map(String::as_str).find(same) {
            Some(path) => Ok(path.to_owned()),
            None => Err(unknown_column(name, &all)),
        }
    }
}

/// Collects the dotted paths of all members, at every level.
fn collect_paths(value: &Value, prefix: &str, all: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        collect_paths(value, &path, all);
        if !all.contains(&path) {
            all.push(path);
        }
    }
}

/// Returns a context path without the common prefix.
fn relative_path(output: &'static ContextPath, prefix: &str) -> Option<&'static str> {
    output.path.strip_prefix(prefix)?.strip_prefix('.')
}

/// Returns the common prefix of the context paths.
fn common_prefix(outputs: &[ContextPath]) -> &'static str {
    let first = outputs.first().map(|output| output.path).unwrap_or_default();
    first.rsplit_once('.').map_or("", |(prefix, _)| prefix)
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// Returns a value on one line; a missing, null or empty value is an empty string.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) if list.is_empty() => String::new(),
        Some(Value::Object(object)) if object.is_empty() => String::new(),
        Some(other) => other.to_string(),
    }
}

fn plain(text: &str) -> Cell {
    Cell::new(replace_control_chars(text))
}

/// Returns the cell of a state, with a color.
fn state(state: IdState) -> Cell {
    let cell = plain(state.as_str());
    match state {
        _ if !has_color() => cell,
        state if state.is_success() => cell.fg(Color::Green),
        IdState::NotAffected => cell.fg(Color::Red),
        _ => cell.fg(Color::Yellow),
    }
}

/// Returns whether stdout supports colors.
fn has_color() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Tables are wrapped to the width of a terminal with at least this many columns.
const MIN_WIDTH: u16 = 40;

/// Rows under a header.
struct Grid {
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    fn new<const N: usize>(header: [&str; N], rows: impl Iterator<Item = Vec<Cell>>) -> Self {
        Self { header: header.map(str::to_owned).into(), rows: rows.collect() }
    }

    /// Removes the empty columns, unless all of them are empty.
    fn without_empty(self) -> Self {
        let filled = |column: &usize| {
            self.rows.iter().any(|row| row.get(*column).is_some_and(|cell| !cell.content().trim().is_empty()))
        };
        let filled: Vec<usize> = (0..self.header.len()).filter(filled).collect();
        if filled.is_empty() { self } else { self.only(&filled) }
    }

    /// Selects the columns with these names, in their order; without names, the columns that are not empty.
    fn choose(self, columns: &[String]) -> Self {
        if columns.is_empty() {
            return self.without_empty();
        }
        let position = |name: &String| self.header.iter().position(|one| one.eq_ignore_ascii_case(name));
        let chosen: Vec<usize> = columns.iter().filter_map(position).collect();
        self.only(&chosen)
    }

    fn only(&self, columns: &[usize]) -> Self {
        let header = columns.iter().filter_map(|column| self.header.get(*column).cloned()).collect();
        let row = |row: &Vec<Cell>| columns.iter().filter_map(|column| row.get(*column).cloned()).collect();
        Self { header, rows: self.rows.iter().map(row).collect() }
    }

    /// Converts the first row into one row per field.
    fn transposed(self) -> Self {
        let cells = self.rows.into_iter().next().unwrap_or_default();
        let rows = self.header.iter().zip(cells).map(|(name, cell)| vec![plain(name), cell]).collect();
        Self { header: vec!["Field".to_owned(), "Value".to_owned()], rows }
    }

    fn draw(self) -> String {
        let mut table = Table::new();
        let has_color = has_color();
        let title = |name: &String| if has_color { plain(name).fg(Color::Cyan) } else { plain(name) };
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(self.header.iter().map(title));
        if has_color {
            table.enforce_styling();
        }
        table.add_rows(self.rows);
        // Some terminals report a width of 0.
        let window = table.width().filter(|width| io::stdout().is_terminal() && *width >= MIN_WIDTH);
        if let Some(window) = window {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            // The first column has the name or the ID, which is copied. It is not wrapped.
            let first = table.column_max_content_widths().first().copied().unwrap_or_default();
            if let Some(column) = table.column_mut(0).filter(|_| first <= window / 2) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        format!("{table}\n")
    }
}

/// Returns a table of strings.
pub(crate) fn grid<const N: usize>(header: [&str; N], rows: impl Iterator<Item = Vec<String>>) -> String {
    Grid::new(header, rows.map(|row| row.iter().map(|cell| plain(cell)).collect())).without_empty().draw()
}

/// Returns the list of the integration commands.
pub(crate) fn commands(entries: &[RegisteredCommand], format: &str) -> String {
    match format {
        "table" => {
            let rows = entries.iter().map(|entry| {
                let versions: Vec<_> = entry.info.versions.iter().map(|version| version.as_str()).collect();
                vec![entry.info.name.to_owned(), versions.join(", "), entry.info.summary.to_owned()]
            });
            grid(["Command", "API", "Summary"], rows)
        }
        "ndjson" => entries.iter().map(|entry| format!("{}\n", command_json(entry))).collect(),
        _ => pretty(&entries.iter().map(command_json).collect()),
    }
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
                "required": argument.required,
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
        "arguments": arguments,
        "outputs": outputs,
    })
}
