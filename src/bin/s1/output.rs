//! What people and scripts see.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};
use sentinelone::commands::{Entry, Outcome, Output, Prepared, Source, find};
use sentinelone::incidents::Incident;
use sentinelone::{ApiVersion, Error, IdState, Request, Timestamp, TokenDetails, printable};
use serde_json::{Value, json};

use crate::progress;
use crate::run::Failure;
use crate::suggest::did_you_mean;

/// Writes text to stdout. A reader that went away, as `head` does, is no failure.
pub(crate) fn write(text: &str) -> io::Result<()> {
    pass_on(text).map(drop)
}

/// The same, and whether anybody still reads.
pub(crate) fn pass_on(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true),
    }
}

/// Writes a line to stderr. Where nobody reads it there is nothing more to say, and nothing to fail for.
pub(crate) fn say(text: impl std::fmt::Display) {
    let text: Vec<_> = text.to_string().lines().map(printable).collect();
    progress::beside(|| {
        let _ = writeln!(io::stderr(), "{}", text.join("\n"));
    });
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
                "body": request.shown_body(),
            }))
        })
        .collect::<Result<Value, Error>>()?;
    Ok(pretty(&requests))
}

/// What came of a command, in the format asked for; a table with the columns asked for.
pub(crate) fn outcome(
    command: &Prepared,
    outcome: &Outcome,
    format: &str,
    columns: &[String],
) -> Result<String, Failure> {
    Ok(match format {
        "json" => pretty(&outcome.to_json()),
        "ndjson" => lines(&outcome.items()),
        "context" => pretty(&outcome.context),
        _ => files(outcome) + &table_of(command, outcome, columns)?,
    })
}

/// Things, one a line.
pub(crate) fn lines(things: &[Value]) -> String {
    things.iter().map(|thing| inert(&thing.to_string()) + "\n").collect()
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
            grid(["Token", "Value"], rows.into_iter())
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
    grid(["Occurred", "Severity", "Incident", "Key"], rows)
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
    grid(["File", "Bytes", "Written to"], rows)
}

/// The table of an action.
const RESULTS: [&str; 3] = ["ID", "Result", "Console says"];

/// Whether a command writes files on this machine.
pub(crate) fn writes_files(entry: &Entry) -> bool {
    (entry.arguments)().iter().any(|argument| argument.name == "folder")
}

/// Refuses columns of which it is known that no table has them, before anything is done: where something is done
/// or written it would be too late afterwards.
pub(crate) fn check_columns(entry: &Entry, columns: &[String]) -> Result<(), Failure> {
    let name = entry.info.name;
    let prefix = common_prefix(entry.outputs);
    let (what, known): (_, Vec<&str>) = match () {
        () if columns.is_empty() => return Ok(()),
        () if entry.info.acts => ("results of an action have", RESULTS.to_vec()),
        () if entry.outputs.is_empty() => {
            let message = format!("--columns: {name} shows what the console sent as it is, without columns");
            return Err(Failure::Usage(message));
        }
        () if writes_files(entry) => (
            "what it downloads has",
            entry.outputs.iter().filter_map(|output| below(output, prefix)).collect(),
        ),
        () => return Ok(()),
    };
    match columns.iter().find(|name| known.iter().all(|one| !one.eq_ignore_ascii_case(name))) {
        Some(name) => {
            let (all, meant) = (known.join(", "), did_you_mean(name, known.iter().copied()));
            Err(Failure::Usage(format!("--columns: {what} no {name:?}, only {all}{meant}")))
        }
        None => Ok(()),
    }
}

fn no_column(name: &str, known: &[String]) -> Failure {
    let meant = did_you_mean(name, known.iter().map(String::as_str));
    Failure::Usage(format!(
        "--columns: nothing that was found has {name:?}; --output json shows what there is{meant}"
    ))
}

fn table_of(command: &Prepared, outcome: &Outcome, columns: &[String]) -> Result<String, Failure> {
    if command.info().acts {
        return Ok(results(outcome, columns));
    }
    let outputs = find(command.info().name).map(|entry| entry.outputs).unwrap_or_default();
    let prefix = common_prefix(outputs);
    let at = |path: &str| outcome.context.pointer(&pointer(path));
    let entries = match at(prefix) {
        Some(Value::Array(entries)) => entries.as_slice(),
        // One thing reads better from top to bottom.
        Some(entry) => {
            let things = Things {
                outputs,
                prefix,
                entries: std::slice::from_ref(entry),
                items: raw(outcome, columns, 1),
            };
            return Ok(things.grid(columns, |_| true)?.turned().draw());
        }
        // What is no list, and has no paths of its own, is shown as it is.
        None if outputs.is_empty() && columns.is_empty() => return Ok(pretty(&outcome.answer)),
        None => &[],
    };
    let things = Things { outputs, prefix, entries, items: raw(outcome, columns, entries.len()) };
    let grid = things.grid(columns, |output| output.column)?;
    let count = entries.len();
    let total = outcome.answer.pointer("/pagination/totalItems").and_then(Value::as_u64);
    let footer = match total {
        Some(total) if total > count as u64 => format!("{count} of {total}\n"),
        _ => format!("{count} found\n"),
    };
    Ok(if grid.header.is_empty() || count == 0 { footer } else { grid.draw() + &footer })
}

fn results(outcome: &Outcome, columns: &[String]) -> String {
    let mut text = String::new();
    if !outcome.ids.is_empty() {
        let rows = outcome.ids.iter().map(|one| {
            let detail = one.detail.clone().unwrap_or_default();
            vec![plain(&one.id), state(one.state), plain(&detail)]
        });
        text = Grid::new(RESULTS, rows).choose(columns).draw();
    }
    let affected = outcome.affected.map_or("unknown".to_owned(), |count| count.to_string());
    format!("{text}affected: {affected}\n")
}

/// What the console sent of each entry, where columns may ask for it.
fn raw(outcome: &Outcome, columns: &[String], entries: usize) -> Vec<Value> {
    let items = if columns.is_empty() { Vec::new() } else { outcome.items() };
    // Where the two are not of the same things, only the entries are looked at.
    if items.len() == entries { items } else { Vec::new() }
}

/// What a table of things is made from.
struct Things<'a> {
    outputs: &'static [Output],
    prefix: &'static str,
    entries: &'a [Value],
    items: Vec<Value>,
}

impl Things<'_> {
    /// The columns asked for, or the usual ones: those of `outputs`, and what no output names.
    fn grid(&self, columns: &[String], usual: impl Fn(&Output) -> bool) -> Result<Grid, Failure> {
        if !columns.is_empty() {
            let header = columns.iter().map(|name| self.known(name)).collect::<Result<Vec<_>, _>>()?;
            let rows = self.rows(&header);
            return Ok(Grid { header, rows });
        }
        let documented = self
            .outputs
            .iter()
            .filter(|output| usual(output))
            .filter_map(|output| below(output, self.prefix));
        let named = |name: &str| self.paths().any(|path| path.split('.').next() == Some(name));
        let mut header: Vec<String> = documented.filter(|path| self.has(path)).map(str::to_owned).collect();
        // The columns of a power query, and those that a command's own `columns` asked for.
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
        self.outputs.iter().filter_map(|output| below(output, self.prefix))
    }

    fn has(&self, path: &str) -> bool {
        (0..self.entries.len()).any(|number| self.value(number, path).is_some())
    }

    /// A value of an entry, else of what the console sent of it. A name may have points in it.
    fn value(&self, number: usize, path: &str) -> Option<&Value> {
        let both = [self.entries.get(number), self.items.get(number)];
        both.into_iter().flatten().find_map(|thing| thing.get(path).or_else(|| thing.pointer(&pointer(path))))
    }

    /// The name of a column as it is spelt, for one in whatever letters. Where nothing was found, nothing is
    /// known.
    fn known(&self, name: &str) -> Result<String, Failure> {
        let same = |one: &&str| one.eq_ignore_ascii_case(name);
        if let Some(path) = self.paths().find(|path| *path == name).or_else(|| self.paths().find(same)) {
            return Ok(path.to_owned());
        }
        if self.entries.is_empty() || self.has(name) {
            return Ok(name.to_owned());
        }
        let mut all: Vec<String> = self.paths().map(str::to_owned).collect();
        for thing in self.entries.iter().chain(&self.items) {
            leaves(thing, "", &mut all);
        }
        match all.iter().map(String::as_str).find(same) {
            Some(path) => Ok(path.to_owned()),
            None => Err(no_column(name, &all)),
        }
    }
}

/// The dotted paths of everything in a thing.
fn leaves(thing: &Value, before: &str, all: &mut Vec<String>) {
    for (name, value) in thing.as_object().into_iter().flatten() {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        leaves(value, &path, all);
        if !all.contains(&path) {
            all.push(path);
        }
    }
}

/// A context path without the part that it has in common with the others.
fn below(output: &'static Output, prefix: &str) -> Option<&'static str> {
    output.path.strip_prefix(prefix)?.strip_prefix('.')
}

/// The part of the context paths that all of them begin with.
fn common_prefix(outputs: &[Output]) -> &'static str {
    let first = outputs.first().map(|output| output.path).unwrap_or_default();
    first.rsplit_once('.').map_or("", |(prefix, _)| prefix)
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// A value on one line; what is not there, and what holds nothing, is nothing.
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
    Cell::new(printable(text))
}

/// What became of one thing, in the colour of how good that is.
fn state(state: IdState) -> Cell {
    let cell = plain(state.as_str());
    match state {
        _ if !coloured() => cell,
        state if state.is_fulfilled() => cell.fg(Color::Green),
        IdState::NotAffected => cell.fg(Color::Red),
        _ => cell.fg(Color::Yellow),
    }
}

/// Whether stdout takes colours: a terminal that has them, without NO_COLOR.
fn coloured() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// A table narrower than this is not wrapped.
const NARROWEST: u16 = 40;

/// Rows under a header.
struct Grid {
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    fn new<const N: usize>(header: [&str; N], rows: impl Iterator<Item = Vec<Cell>>) -> Self {
        Self { header: header.map(str::to_owned).into(), rows: rows.collect() }
    }

    /// Without the columns in which nothing stands; as it is where that is all of them.
    fn without_empty(self) -> Self {
        let filled = |column: &usize| {
            self.rows.iter().any(|row| row.get(*column).is_some_and(|cell| !cell.content().trim().is_empty()))
        };
        let filled: Vec<usize> = (0..self.header.len()).filter(filled).collect();
        if filled.is_empty() { self } else { self.only(&filled) }
    }

    /// The columns of these names, in their order; where none is named, those in which something stands.
    fn choose(self, columns: &[String]) -> Self {
        if columns.is_empty() {
            return self.without_empty();
        }
        let place = |name: &String| self.header.iter().position(|one| one.eq_ignore_ascii_case(name));
        let chosen: Vec<usize> = columns.iter().filter_map(place).collect();
        self.only(&chosen)
    }

    fn only(&self, columns: &[usize]) -> Self {
        let header = columns.iter().filter_map(|column| self.header.get(*column).cloned()).collect();
        let row = |row: &Vec<Cell>| columns.iter().filter_map(|column| row.get(*column).cloned()).collect();
        Self { header, rows: self.rows.iter().map(row).collect() }
    }

    /// One row from top to bottom, without what holds nothing.
    fn turned(self) -> Self {
        let cells = self.rows.into_iter().next().unwrap_or_default();
        let rows = self.header.iter().zip(cells).map(|(name, cell)| vec![plain(name), cell]).collect();
        Self { header: vec!["Field".to_owned(), "Value".to_owned()], rows }
    }

    fn draw(self) -> String {
        let mut table = Table::new();
        let coloured = coloured();
        let title = |name: &String| if coloured { plain(name).fg(Color::Cyan) } else { plain(name) };
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(self.header.iter().map(title));
        if coloured {
            table.enforce_styling();
        }
        table.add_rows(self.rows);
        // Some terminals say that they have no width at all.
        let window = table.width().filter(|width| io::stdout().is_terminal() && *width >= NARROWEST);
        if let Some(window) = window {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            // What names a thing is copied from there, so it stays on one line.
            let first = table.column_max_content_widths().first().copied().unwrap_or_default();
            if let Some(column) = table.column_mut(0).filter(|_| first <= window / 2) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        format!("{table}\n")
    }
}

/// A table of texts.
pub(crate) fn grid<const N: usize>(header: [&str; N], rows: impl Iterator<Item = Vec<String>>) -> String {
    Grid::new(header, rows.map(|row| row.iter().map(|cell| plain(cell)).collect())).without_empty().draw()
}

/// The registry, for people or for machines.
pub(crate) fn commands(entries: &[Entry], format: &str) -> String {
    match format {
        "table" => {
            let rows = entries.iter().map(|entry| {
                let versions: Vec<_> = entry.info.versions.iter().map(|version| version.as_str()).collect();
                vec![entry.info.name.to_owned(), versions.join(", "), entry.info.summary.to_owned()]
            });
            grid(["Command", "API", "What it does"], rows)
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
                "all": argument.or_all,
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
