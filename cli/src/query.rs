//! `s1 query` and `s1 query translate`.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use sentinelone::queries::{
    LogQuery, QueryEvent, QueryRange, QueryScope, QuerySummary, QueryTable, TableQuery,
};
use sentinelone::s1ql::{self, Translation, TranslationError};
use sentinelone::{Client, Timestamp, parse_timestamp};
use serde_json::{Map, Value, json};

use crate::columns;
use crate::failure::{CliError, DONE, PARTIAL, format_error};
use crate::json_text::{line, lines, pretty};
use crate::options::text;
use crate::session::Session;
use crate::signals::shutdown_signal;
use crate::stdio;
use crate::table::{Grid, plain};
use crate::terminal::Terminal;

/// Fields of an event in a table, with their headings.
const EVENT_COLUMNS: [(&str, &str); 5] = [
    ("Event", "event.type"),
    ("Endpoint", "endpoint.name"),
    ("Source process", "src.process.name"),
    ("Target process", "tgt.process.name"),
    ("Command line", "tgt.process.cmdline"),
];

/// Returns `query`.
pub(crate) fn query_command() -> Command {
    let list = |name: &'static str| {
        Arg::new(name).long(name).value_name("A,B,…").value_delimiter(',').action(ArgAction::Append)
    };
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let power = || flag("power").help("Run a PowerQuery, whose result is a table");
    let file = || {
        Arg::new("file")
            .long("file")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with("text")
            .help("Read the query from this file")
    };
    let text = || Arg::new("text").value_name("QUERY");
    let translate = Command::new("translate").about("Translate a query of S1QL 1.0 to S1QL 2.0").args([
        text().help("The query; - reads stdin"),
        file(),
        power(),
    ]);
    Command::new("query")
        .about("Search events with a filter or a PowerQuery in S1QL 2.0")
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .args([
            text().help("Filter of the events, or a PowerQuery with --power; - reads stdin"),
            file(),
            power(),
            Arg::new("last")
                .long("last")
                .value_name("TIME")
                .conflicts_with_all(["from", "to"])
                .help("Search this period until now, such as 30m, 24h or 7d [default: 24h]"),
            Arg::new("from")
                .long("from")
                .value_name("TIME")
                .help("Set the start: a time, or a duration ago such as 3 days"),
            Arg::new("to").long("to").value_name("TIME").requires("from").help("Set the end [default: now]"),
            list("account-ids")
                .conflicts_with("tenant")
                .help("Select accounts [default: the accounts that the token reaches]"),
            flag("tenant").help("Search all accounts of the tenant"),
            list("site-ids").help("Select sites, as a condition of the filter"),
            Arg::new("limit")
                .long("limit")
                .value_name("NUMBER")
                .value_parser(value_parser!(u64).range(1..))
                .default_value("1000")
                .help("Limit the number of events; a PowerQuery has | limit"),
            Arg::new("slices")
                .long("slices")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(1..=1_000))
                .default_value("1")
                .help("Cut the period into slices, of which up to 4 are searched at the same time"),
            flag("ascending").help("Print the oldest event first"),
            flag("estimate").conflicts_with("power").help("Print the estimated number of events only"),
        ])
        .subcommand(translate)
}

/// Runs `query` or `query translate`.
pub(crate) async fn query(matches: &ArgMatches) -> Result<u8, CliError> {
    if let Some(("translate", matches)) = matches.subcommand() {
        return translate(matches);
    }
    let query = query_text(matches)?;
    let session = Session::open(matches).await?;
    let result = match range(matches, &session.now()) {
        Ok(range) => run(&session.client, matches, query, range).await,
        Err(error) => Err(error),
    };
    session.close(result).await
}

async fn run(
    client: &Client,
    matches: &ArgMatches,
    query: String,
    range: QueryRange,
) -> Result<u8, CliError> {
    let terminal = Terminal::new();
    let label = format!("query: waiting for {}", client.console_url());
    let written = Cell::new(0);
    let work = async {
        let scope = scope(client, matches).await?;
        let site_ids = matches.contains_id("site-ids").then(|| values(matches, "site-ids"));
        if matches.get_flag("power") {
            let mut query = client.queries().power_query(query).scope(scope).range(range);
            query = query.on_progress(terminal.steps());
            if let Some(ids) = site_ids {
                query = query.sites(ids);
            }
            return print_table(query, matches).await;
        }
        let mut query = client.queries().log(query).scope(scope).range(range);
        query = query.on_progress(terminal.steps());
        if let Some(ids) = site_ids {
            query = query.sites(ids);
        }
        match matches.get_flag("estimate") {
            true => print_estimate(query, matches).await,
            false => print_events(query, matches, &written).await,
        }
    };
    let result = tokio::select! {
        result = terminal.during(&label, work) => result,
        signal = shutdown_signal() => {
            signal?;
            match written.get() {
                0 => Err(CliError::Interrupted("the query is deleted".to_owned())),
                _ => Err(CliError::Partial("the list is incomplete; the query is deleted".to_owned())),
            }
        }
    };
    terminal.clear();
    result
}

/// Returns the text of the query: of the argument, a file or stdin.
fn query_text(matches: &ArgMatches) -> Result<String, CliError> {
    if let Some(file) = matches.get_one::<PathBuf>("file") {
        let failed =
            |error: std::io::Error| CliError::Usage(format!("cannot read {}: {error}", file.display()));
        return std::fs::read_to_string(file).map_err(failed);
    }
    match matches.get_one::<String>("text").map(String::as_str) {
        None => {
            Err(CliError::Usage("no query: pass it as the argument, with --file, or - for stdin".to_owned()))
        }
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            Ok(text)
        }
        Some(text) => Ok(text.to_owned()),
    }
}

/// Returns the time range of the options, which ends at `now` by default.
fn range(matches: &ArgMatches, now: &Timestamp) -> Result<QueryRange, CliError> {
    let time = |name: &str, text: &str| {
        parse_timestamp(text, now).map_err(|error| CliError::Usage(format!("--{name}: {error}")))
    };
    if let Some(from) = matches.get_one::<String>("from") {
        let to = matches.get_one::<String>("to").map_or("now", String::as_str);
        return Ok(QueryRange::between(time("from", from)?, time("to", to)?));
    }
    let last = matches.get_one::<String>("last").map_or("24h", String::as_str);
    let parser = jiff::fmt::friendly::SpanParser::new();
    // A day has 24 hours here.
    let span = parser.parse_span(last).ok();
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let duration =
        span.and_then(|span| span.to_duration(relative).ok()).and_then(|one| Duration::try_from(one).ok());
    let invalid =
        || CliError::Usage(format!("--last is {last:?}; expected a duration such as 30m, 24h or 7d"));
    let duration = duration.filter(|duration| !duration.is_zero()).ok_or_else(invalid)?;
    let millis = i64::try_from(duration.as_millis()).ok().zip(now.unix_millis());
    let start = millis.and_then(|(length, now)| Timestamp::from_unix_millis(now.checked_sub(length)?));
    Ok(QueryRange::between(start.ok_or_else(invalid)?, now.clone()))
}

fn values(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().map(|text| text.trim().to_owned()).collect()
}

/// Returns the scope of the options: by default the accounts that the token reaches, which are reported.
async fn scope(client: &Client, matches: &ArgMatches) -> Result<QueryScope, CliError> {
    if matches.get_flag("tenant") {
        return Ok(QueryScope::tenant());
    }
    let ids = values(matches, "account-ids");
    if !ids.is_empty() {
        return QueryScope::accounts(ids).map_err(|error| CliError::Client(error.into()));
    }
    let usage = |reason: &str| {
        CliError::Usage(format!("the accounts of the token are unknown: {reason}; pass --account-ids"))
    };
    let scope = client.queries().accounts_of_token().await.map_err(|error| usage(&error.to_string()))?;
    stdio::report(format_args!("accounts: {}", scope.account_ids().unwrap_or_default().join(", ")));
    Ok(scope)
}

async fn print_estimate(query: LogQuery, matches: &ArgMatches) -> Result<u8, CliError> {
    let count = query.estimate().await?;
    stdio::write(&match text(matches, "output") {
        "table" => count.map_or_else(|| "unknown\n".to_owned(), |count| format!("{count}\n")),
        _ => line(&json!({ "estimatedMatchCount": count })),
    })?;
    Ok(DONE)
}

/// Prints the events. `written` is the number of those that were printed before the end.
async fn print_events(query: LogQuery, matches: &ArgMatches, written: &Cell<u64>) -> Result<u8, CliError> {
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(1_000);
    let slices = matches.get_one::<u32>("slices").copied().unwrap_or(1);
    let page_size = u32::try_from(limit.min(1_000)).unwrap_or(1_000);
    let mut query = query.limit(limit).slices(slices).page_size(page_size);
    if matches.get_flag("ascending") {
        query = query.ascending();
    }
    let format = text(matches, "output");
    let (mut events, mut found, mut count, mut failure) = (query.events(), Vec::new(), 0_u64, None);
    while let Some(event) = events.next().await {
        match event {
            Ok(event) if format == "ndjson" => {
                stdio::write(&line(&json_of(&event)))?;
                written.set(written.get() + 1);
            }
            Ok(event) => found.push(event),
            // Without events, there is only the error.
            Err(error) if count == 0 => return Err(error.into()),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
        count += 1;
    }
    let summary = events.summary();
    match format {
        "ndjson" => {}
        "table" => stdio::write(&table_of_events(&found))?,
        "csv" => stdio::write(&csv_of_events(&found)?)?,
        _ => stdio::write(&pretty(&found.iter().map(json_of).collect()))?,
    }
    if let Some(error) = failure {
        stdio::report(format_args!("error: the list is incomplete: {}", format_error(&error)));
        return Ok(PARTIAL);
    }
    if count == 0 {
        stdio::report("no events match the query in this period");
    } else if count == limit && summary.match_count.is_some_and(|total| total > count) {
        let total = summary.match_count.unwrap_or_default();
        stdio::report(format_args!("{count} of about {total} events; raise --limit for more"));
    }
    Ok(report(&summary))
}

async fn print_table(query: TableQuery, matches: &ArgMatches) -> Result<u8, CliError> {
    let table = query.run().await?;
    let objects: Vec<Value> = table.objects().map(Value::Object).collect();
    stdio::write(&match text(matches, "output") {
        "table" => grid_of(&table),
        "csv" => csv_of_table(&table)?,
        "ndjson" => lines(&objects),
        _ => pretty(&Value::Array(objects)),
    })?;
    if table.rows.is_empty() {
        stdio::report("no rows match the query in this period");
    }
    Ok(report(&table.summary))
}

/// Reports warnings and missing results. Returns the exit code.
fn report(summary: &QuerySummary) -> u8 {
    for warning in &summary.warnings {
        stdio::report(format_args!("warning: {}", sentinelone::replace_control_chars(warning)));
    }
    let gaps = summary.gaps();
    if gaps.is_empty() {
        return DONE;
    }
    stdio::report(format_args!("warning: the result is incomplete: {}", gaps.join("; ")));
    PARTIAL
}

fn json_of(event: &QueryEvent) -> Value {
    json!({
        "timestamp": event.timestamp.as_ref().map(|time| time.as_str()),
        "cursor": event.cursor,
        "values": event.values,
    })
}

fn table_of_events(events: &[QueryEvent]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let cell = |values: &Map<String, Value>, name: &str| plain(&columns::text(values.get(name)));
    let row = |event: &QueryEvent| {
        let time = event.timestamp.as_ref().map(|time| time.as_str().to_owned()).unwrap_or_default();
        let fields = EVENT_COLUMNS.iter().map(|(_, name)| cell(&event.values, name));
        std::iter::once(plain(&time)).chain(fields).collect()
    };
    let header = std::iter::once("Time").chain(EVENT_COLUMNS.iter().map(|(heading, _)| *heading));
    Grid { header: header.map(str::to_owned).collect(), rows: events.iter().map(row).collect() }
        .without_empty()
        .draw()
}

/// Returns the events with a column for each field that one of them has.
fn csv_of_events(events: &[QueryEvent]) -> Result<String, CliError> {
    let mut names: Vec<&str> = Vec::new();
    let mut known = HashSet::new();
    for name in events.iter().flat_map(|event| event.values.keys()) {
        if known.insert(name) {
            names.push(name);
        }
    }
    let header = std::iter::once("timestamp").chain(names.iter().copied());
    let rows = events.iter().map(|event| {
        let time = event.timestamp.as_ref().map(|time| Cow::Borrowed(time.as_str())).unwrap_or_default();
        std::iter::once(time).chain(names.iter().map(|name| columns::text(event.values.get(*name)))).collect()
    });
    csv_of(header.collect(), rows)
}

fn csv_of_table(table: &QueryTable) -> Result<String, CliError> {
    let header = table.columns.iter().map(|column| column.unique_name.as_str()).collect();
    csv_of(header, table.rows.iter().map(|row| row.iter().map(|value| columns::text(Some(value))).collect()))
}

fn csv_of<'a>(header: Vec<&str>, rows: impl Iterator<Item = Vec<Cow<'a, str>>>) -> Result<String, CliError> {
    if header.is_empty() {
        return Ok(String::new());
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| CliError::Io(error.into());
    writer.write_record(header).map_err(failed)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| cell.as_bytes())).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| CliError::Io(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn grid_of(table: &QueryTable) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let header = table.columns.iter().map(|column| column.unique_name.clone()).collect();
    let row = |row: &Vec<Value>| row.iter().map(|value| plain(&columns::text(Some(value)))).collect();
    Grid { header, rows: table.rows.iter().map(row).collect() }.draw()
}

/// Prints the translation of a query, and reports notes.
fn translate(matches: &ArgMatches) -> Result<u8, CliError> {
    let query = query_text(matches)?;
    let translate: fn(&str) -> Result<Translation, TranslationError> = match matches.get_flag("power") {
        true => s1ql::translate_power_query,
        false => s1ql::translate,
    };
    let translation = translate(query.trim_end()).map_err(|error| {
        let help = error.help().map(|help| format!("\n  help: {help}")).unwrap_or_default();
        CliError::Usage(format!("{error}\n{}{help}", error.render(query.trim_end())))
    })?;
    let changes: Vec<Value> = translation
        .changes
        .iter()
        .map(|change| json!({ "from": change.from, "to": change.to, "note": change.note }))
        .collect();
    stdio::write(&match text(matches, "output") {
        "table" => format!("{}\n", translation.text),
        _ => pretty(&json!({ "query": translation.text, "changes": changes })),
    })?;
    for change in translation.changes.iter().filter(|change| change.note.is_some()) {
        let note = change.note.unwrap_or_default();
        stdio::report(format_args!("note: {} became {}: {note}", change.from, change.to));
    }
    Ok(DONE)
}
