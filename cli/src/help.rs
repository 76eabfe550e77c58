//! Help pages: the commands by topic, one topic, the global options, and one command.

use std::fmt::Write;

use clap::builder::styling::{Style, Styles};
use clap::builder::{PossibleValue, PossibleValuesParser, StyledStr};
use clap::{Arg, ArgMatches, Command};
use comfy_table::Table;
use sentinelone::commands::{Topic, find, registry};

use crate::ends;
use crate::failure::{CliError, DONE, USAGE};
use crate::stdio;

/// Widest page, also on a wider terminal.
const MAX_WIDTH: usize = 100;
/// Narrowest page. On a narrower terminal the terminal wraps the lines.
const MIN_WIDTH: usize = 50;
/// Widest label of an option or a command with its text on the same line.
const MAX_LABEL: usize = 30;
/// Width of the topics in the list of commands.
const TOPIC_WIDTH: usize = 14;

pub(crate) const ENVIRONMENT: [(&str, &str); 6] = [
    ("S1_CONSOLE_URL", "Console URL, if --console-url is not set"),
    ("S1_API_TOKEN", "API token, if --api-token-file is not set"),
    ("S1_PROFILE", "Name of the profile, if --profile is not set"),
    ("S1_CONFIG", "Path of the configuration file, instead of s1/config.toml in the configuration directory"),
    ("HTTPS_PROXY, NO_PROXY", "Proxy for the console, and hosts that bypass it"),
    ("NO_COLOR", "Any value that is not empty disables colors"),
];

pub(crate) const EXIT_CODES: [(&str, &str); 4] = [
    ("0", "Success, also if a filter matches no item"),
    ("1", "Failure, no requested ID was found, or the outcome is unknown"),
    ("2", "Usage error: an option, a variable or a profile is missing or invalid; no action was sent"),
    ("3", "Partial success: some of the IDs succeeded or were found, or some of a list was read"),
];

pub(crate) const DASH_VALUES: &str = "Pass a value that begins with a dash as --option=-value.";

pub(crate) const LIST_VALUES: &str = "Pass a list (A,B,…) with commas or as a JSON array, or read it from a file with \
    --option @FILE or from stdin with --option -. A file has one value per line; blank lines and lines that begin \
    with # are ignored.";

/// Commands under one heading of the help.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// Argument of `s1 help`.
    name: &'static str,
    pub(crate) commands: Vec<&'static str>,
}

/// Returns the commands by topic: the topics of the registry, then those of the other commands.
pub(crate) fn groups() -> Vec<Group> {
    let of_topic = |topic: Topic| {
        let mut commands: Vec<_> = registry()
            .iter()
            .filter(|entry| entry.info.topic == topic)
            .map(|entry| entry.info.name)
            .collect();
        match topic {
            Topic::Incidents => commands.insert(0, "fetch-incidents"),
            Topic::Hunting => commands.insert(0, "query"),
            _ => {}
        }
        Group { title: topic.title(), name: topic.name(), commands }
    };
    let other = [
        ("Connection", "connection", vec!["login", "logout", "profiles", "token", "test-connection"]),
        ("Testing", "testing", vec!["sandbox", "contract"]),
        ("Shell", "shell", vec!["commands", "completions", "man", "help"]),
    ];
    let other = other.into_iter().map(|(title, name, commands)| Group { title, name, commands });
    Topic::ALL.into_iter().map(of_topic).chain(other).collect()
}

/// Returns the example of a command or subcommand.
pub(crate) fn example(name: &str) -> Option<&'static str> {
    if let Some(entry) = find(name) {
        return Some(entry.info.example);
    }
    Some(match name {
        "s1" => "s1 --sandbox get-threats --incident-statuses unresolved",
        "fetch-incidents" => "s1 fetch-incidents --state incidents.json --follow --output ndjson",
        "query" => "s1 query 'event.type = \"DNS Resolved\"' --last 7d",
        "translate" => "s1 query translate 'TgtProcName ContainsCIS \"curl\"'",
        "test-connection" => "s1 test-connection --fetch-type both",
        "login" => "s1 login --profile prod --console-url usea1.sentinelone.net",
        "logout" => "s1 logout --profile prod",
        "profiles" => "s1 profiles --output json",
        "token" => "s1 token --profile prod",
        "sandbox" => "s1 sandbox --port 8080 --inject-interval 60",
        "contract" | "verify" => "s1 contract verify recordings --deny drift",
        "probe" => "s1 contract probe --profile lab --format json",
        "commands" => "s1 commands --output json",
        "completions" => "s1 completions bash",
        "man" => "s1 man --out-dir man1",
        "help" => "s1 help threats",
        _ => return None,
    })
}

/// Returns the paragraphs that the manual page of a command has in addition to its options.
pub(crate) fn details(name: &str) -> &'static [&'static str] {
    match name {
        "fetch-incidents" => &[
            "Each run prints the items that are new since the last write of the state file, oldest first, and then \
             writes the state file. If the process is interrupted in between, the next run prints these items \
             again, with the same dedupeKey. Without a state file each run begins at --first-fetch.",
            "Exit status 1: the poll failed and the state file is unchanged. Exit status 3: one of two streams \
             failed; the next poll reads it, unless the console refuses it permanently.",
        ],
        "query" => &[
            "Without --tenant and --account-ids, the command reads the accounts that the token reaches and prints them on \
             stderr. Each query is deleted at the end, also after Ctrl-C.",
            "Exit status 0: the result is complete, and can be empty. Exit status 1: the query failed. Exit status 3: rows \
             are missing from the result.",
        ],
        "login" => &[
            "The command prompts for a missing console URL or token. The token is typed at a hidden prompt, read \
             from stdin with --token-stdin, or read from --api-token-file. It is never an argument. If the \
             connection test fails, no profile is written.",
            "Exit status 0: the profile is stored. Exit status 1: the connection test failed, or the profile could \
             not be written.",
        ],
        "verify" => &[
            "JSON files that are neither exchanges nor HAR files are reported on stderr. Entries of a HAR file with \
             a path outside of /web/api/ are counted, but not validated.",
            "Exit status 0: no finding is denied. Exit status 1: at least one finding is denied. Exit status 2: a \
             path does not exist, no file contains an exchange, or no finding is denied and a file cannot be read.",
        ],
        "probe" => &[
            "The command sends GET requests only, with small pages and within the rate limits. It takes IDs from \
             earlier responses. An operation that needs another ID is reported as skipped.",
            "Exit status 0: no finding is denied, even if some operations failed. Exit status 1: at least \
             one finding is denied, or no operation succeeded.",
        ],
        _ => &[],
    }
}

/// Returns the global options that the help of a command lists.
fn listed_global_options(name: &str) -> &'static [&'static str] {
    match name {
        "login" => &["profile", "console-url", "api-token-file", "api-version"],
        "logout" => &["profile"],
        _ => &[],
    }
}

/// `s1 help`.
pub(crate) fn command() -> Command {
    Command::new("help").about("Print help for a command, a topic or the options").defer(|command| {
        let groups = groups();
        let topics = groups.iter().map(|group| group.name).chain(["options"]).map(PossibleValue::new);
        let commands = groups.iter().flat_map(|group| &group.commands).map(|name| {
            let alias = find(name).map(|entry| entry.info.full_name).filter(|alias| alias != name);
            PossibleValue::new(*name).aliases(alias)
        });
        let subcommands = ["verify", "probe"].map(PossibleValue::new);
        let values: Vec<PossibleValue> = topics.chain(commands).chain(subcommands).collect();
        attach(
            command.arg(
                Arg::new("subject")
                    .value_name("COMMAND|TOPIC")
                    .num_args(0..=2)
                    .value_parser(PossibleValuesParser::new(values))
                    .hide_possible_values(true)
                    .help("Command, such as get-threats; topic, such as threats; or options"),
            ),
        )
    })
}

/// Prints the page that `s1 help` selects. `command` is the whole command line.
pub(crate) fn print(matches: &ArgMatches, command: Command) -> Result<u8, CliError> {
    let subjects: Vec<&str> =
        matches.get_many::<String>("subject").into_iter().flatten().map(String::as_str).collect();
    let groups = groups();
    let group = groups.iter().find(|group| subjects == [group.name]);
    let page = match (subjects.as_slice(), group) {
        ([], _) => overview(&command),
        (["options"], _) => options(command),
        (_, Some(group)) => topic(group, &command),
        (path, None) => {
            let arguments = ["s1"].into_iter().chain(path.iter().copied()).chain(["--help"]);
            return Ok(match command.try_get_matches_from(arguments) {
                Err(error) => {
                    let _ = error.print();
                    u8::try_from(error.exit_code()).unwrap_or(USAGE)
                }
                Ok(_) => DONE,
            });
        }
    };
    stdio::write_styled(&page)?;
    Ok(DONE)
}

/// Sets the help of a subcommand. The global options have their own page.
pub(crate) fn attach(command: Command) -> Command {
    let mut built = command.clone();
    let usage = built.render_usage();
    let mut page = Page::new();
    page.paragraph(&built.get_about().map(ToString::to_string).unwrap_or_default());
    page.blank();
    page.usage(&usage.to_string());

    let listed = listed_global_options(built.get_name());
    let is_listed =
        |arg: &&Arg| !arg.is_hide_set() && (!arg.is_global_set() || listed.contains(&arg.get_id().as_str()));
    let rows = |positional: bool| -> Vec<Row> {
        let args = built.get_arguments().filter(is_listed).filter(|arg| arg.is_positional() == positional);
        args.map(|arg| page.row_of(arg)).collect()
    };
    let (positionals, options) = (rows(true), rows(false));
    let subcommands: Vec<Row> = built.get_subcommands().map(|one| page.row_of_command(one)).collect();
    for (heading, rows) in [("Commands", subcommands), ("Arguments", positionals), ("Options", options)] {
        if !rows.is_empty() {
            page.blank();
            page.heading(heading);
            page.rows(&rows);
        }
    }
    if let Some(example) = example(built.get_name()) {
        page.blank();
        page.heading("Example");
        page.example(example);
    }
    page.blank();
    let entry = find(built.get_name());
    for (operation, end) in entry.into_iter().flat_map(ends::of_command) {
        page.paragraph(&ends::sentence(operation, end));
    }
    let versions = entry.map(|entry| entry.info.versions).unwrap_or_default();
    let versions: Vec<_> = versions.iter().map(|version| version.as_str()).collect();
    let versions = match versions.is_empty() {
        true => String::new(),
        false => format!("API versions: {}. ", versions.join(", ")),
    };
    page.line(&format!("{versions}Global options: s1 help options"));
    command.override_help(page.finish())
}

/// Returns the help of `s1`: every command on a line, by topic.
pub(crate) fn overview(command: &Command) -> StyledStr {
    let mut page = Page::new();
    page.paragraph(&command.get_about().map(ToString::to_string).unwrap_or_default());
    page.blank();
    page.usage("Usage: s1 [OPTIONS] <COMMAND>");
    page.blank();
    let groups = groups();
    let rows = |group: &Group| -> Vec<Row> {
        group
            .commands
            .iter()
            .filter_map(|name| command.find_subcommand(name))
            .map(|one| page.row_of_command(one))
            .collect()
    };
    let rows: Vec<_> = groups.iter().map(|group| (group.title, rows(group))).collect();
    if page.width >= MAX_WIDTH {
        page.columns(&rows);
        page.blank();
    } else {
        for (title, rows) in &rows {
            page.heading(title);
            page.rows(rows);
            page.blank();
        }
    }
    let more = [
        ("s1 COMMAND --help", "Options and an example of a command"),
        ("s1 help TOPIC", "Commands of one topic, such as threats or remote-scripts"),
        ("s1 help options", "Global options, environment variables and exit codes"),
    ];
    page.text_rows(&more, 0);
    page.finish()
}

/// Returns the page of one topic.
fn topic(group: &Group, command: &Command) -> StyledStr {
    let mut page = Page::new();
    page.heading(group.title);
    let commands = group.commands.iter().filter_map(|name| command.find_subcommand(name));
    let rows: Vec<_> = commands.map(|one| page.row_of_command(one)).collect();
    page.rows(&rows);
    page.blank();
    page.line("Options and an example of a command: s1 COMMAND --help");
    page.finish()
}

/// Returns the page of the global options.
fn options(mut command: Command) -> StyledStr {
    command.build();
    let mut page = Page::new();
    page.usage("Usage: s1 [OPTIONS] <COMMAND>");
    page.blank();
    page.heading("Global options");
    let rows: Vec<_> = command.get_arguments().map(|arg| page.row_of(arg)).collect();
    page.rows(&rows);
    page.blank();
    page.heading("Environment");
    page.text_rows(&ENVIRONMENT, 2);
    page.blank();
    page.heading("Exit codes");
    page.text_rows(&EXIT_CODES, 2);
    page.blank();
    page.paragraph(LIST_VALUES);
    page.blank();
    page.paragraph(DASH_VALUES);
    page.finish()
}

/// A label with its text.
struct Row {
    /// Label with styles.
    label: String,
    /// Width of the label without styles.
    width: usize,
    text: String,
}

/// Text of a help page.
struct Page {
    text: String,
    width: usize,
    styles: Styles,
}

impl Page {
    fn new() -> Self {
        let terminal = Table::new().width().map(usize::from).filter(|width| *width > 0);
        let width = terminal.or_else(|| std::env::var("COLUMNS").ok()?.parse().ok()).unwrap_or(MAX_WIDTH);
        Self { text: String::new(), width: width.clamp(MIN_WIDTH, MAX_WIDTH), styles: Styles::styled() }
    }

    fn finish(self) -> StyledStr {
        self.text.into()
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        let heading = styled(self.styles.get_header(), &format!("{heading}:"));
        self.line(&heading);
    }

    /// Writes a usage line, with line breaks before options.
    fn usage(&mut self, usage: &str) {
        let heading = "Usage:";
        let usage = usage.strip_prefix(heading).unwrap_or(usage).trim();
        let lines = split_at_options(usage, self.width.saturating_sub(heading.len() + 1));
        let heading = styled(self.styles.get_usage(), heading);
        self.line(&format!("{heading} {}", lines.join("\n           ")));
    }

    fn paragraph(&mut self, text: &str) {
        for line in wrap(text, self.width) {
            self.line(&line);
        }
    }

    fn row_of_command(&self, command: &Command) -> Row {
        let name = command.get_name();
        Row {
            label: styled(self.styles.get_literal(), name),
            width: name.chars().count(),
            text: command.get_about().map(ToString::to_string).unwrap_or_default(),
        }
    }

    fn row_of(&self, arg: &Arg) -> Row {
        let short = arg.get_short().map(|short| format!("-{short}"));
        let long = arg.get_long().map(|long| format!("--{long}"));
        let names = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let value = match arg.get_value_names() {
            Some([name, ..]) if arg.is_positional() && !arg.is_required_set() => format!("[{name}]"),
            Some([name, ..]) if arg.is_positional() || arg.get_action().takes_values() => {
                format!("<{name}>")
            }
            _ => String::new(),
        };
        let gap = if names.is_empty() || value.is_empty() { "" } else { " " };
        let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let takes_values = arg.get_action().takes_values();
        let defaults =
            arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>();
        if takes_values && !arg.is_hide_default_value_set() && defaults.iter().any(|one| !one.is_empty()) {
            let _ = write!(text, " [default: {}]", defaults.join(","));
        }
        let values = arg.get_possible_values();
        if takes_values && !arg.is_hide_possible_values_set() && !values.is_empty() {
            let values: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
            let _ = write!(text, " [values: {}]", values.join(", "));
        }
        Row {
            width: names.chars().count() + gap.len() + value.chars().count(),
            label: format!(
                "{}{gap}{}",
                styled(self.styles.get_literal(), &names),
                styled(self.styles.get_placeholder(), &value)
            ),
            text,
        }
    }

    /// Writes labels and their texts in two columns.
    fn rows(&mut self, rows: &[Row]) {
        self.indented_rows(rows, 2);
    }

    fn text_rows(&mut self, rows: &[(&str, &str)], indent: usize) {
        let row = |(label, text): &(&str, &str)| Row {
            label: styled(self.styles.get_literal(), label),
            width: label.chars().count(),
            text: (*text).to_owned(),
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        self.indented_rows(&rows, indent);
    }

    fn indented_rows(&mut self, rows: &[Row], indent: usize) {
        let widest = rows.iter().map(|row| row.width).filter(|width| *width <= MAX_LABEL).max();
        let column = indent + widest.unwrap_or(MAX_LABEL) + 2;
        for row in rows {
            let mut lines = wrap(&row.text, self.width.saturating_sub(column)).into_iter();
            let start = format!("{:indent$}{}", "", row.label);
            if row.width > MAX_LABEL {
                self.line(&start);
            } else {
                let gap = column - indent - row.width;
                let first = lines.next().unwrap_or_default();
                self.line(format!("{start}{:gap$}{first}", "").trim_end());
            }
            for line in lines {
                self.line(&format!("{:column$}{line}", ""));
            }
        }
    }

    /// Writes groups of commands in three columns: group, command, text.
    fn columns(&mut self, groups: &[(&str, Vec<Row>)]) {
        let widest = groups.iter().flat_map(|(_, rows)| rows).map(|row| row.width).max().unwrap_or_default();
        let column = TOPIC_WIDTH + 2 + widest + 2;
        for (title, rows) in groups {
            let mut title = wrap(title, TOPIC_WIDTH).into_iter();
            for row in rows {
                let title = title.next().unwrap_or_default();
                let mut lines = wrap(&row.text, self.width.saturating_sub(column)).into_iter();
                self.line(&format!(
                    "{}{:title_gap$}{}{:gap$}{}",
                    styled(self.styles.get_header(), &title),
                    "",
                    row.label,
                    "",
                    lines.next().unwrap_or_default(),
                    title_gap = TOPIC_WIDTH + 2 - title.chars().count(),
                    gap = widest + 2 - row.width,
                ));
                for line in lines {
                    self.line(&format!("{:column$}{line}", ""));
                }
            }
        }
    }

    /// Writes a command line, continued with a backslash before an option if it is too long.
    fn example(&mut self, example: &str) {
        let lines = split_at_options(example, self.width.saturating_sub(2 + 2));
        self.line(&format!("  {}", lines.join(" \\\n      ")));
    }
}

/// Breaks a command line before options. The first line has at most `width` characters, the others are shorter.
fn split_at_options(command_line: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (number, part) in command_line.split(" --").enumerate() {
        let part = if number == 0 { part.to_owned() } else { format!("--{part}") };
        let indent = if lines.len() > 1 { 4 } else { 0 };
        match lines.last_mut() {
            Some(line) if indent + line.chars().count() + 1 + part.chars().count() <= width => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

/// Returns `text` in a style; an empty text has none.
fn styled(style: &Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

/// Breaks a text at spaces into lines of at most `width` characters, but not within a default value.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split(' ').filter(|part| !part.is_empty()) {
        match parts.last_mut() {
            Some(last) if last.starts_with("[default:") && !last.ends_with(']') => {
                last.push(' ');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + part.chars().count() <= width => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli;

    /// Splits a command line at spaces outside of single quotes.
    fn split_arguments(line: &str) -> Vec<String> {
        let mut arguments = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => arguments.push(String::new()),
                c => arguments.last_mut().into_iter().for_each(|argument| argument.push(c)),
            }
        }
        arguments
    }

    #[test]
    fn groups_list_each_command_once() {
        let listed: Vec<_> = groups().into_iter().flat_map(|group| group.commands).collect();
        let command = cli::command();
        let all: BTreeSet<_> = command.get_subcommands().map(Command::get_name).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(listed.len(), all.len());
    }

    #[test]
    fn topic_names_are_not_command_names() {
        let command = cli::command();
        for group in groups() {
            assert!(command.find_subcommand(group.name).is_none(), "{}", group.name);
        }
    }

    #[test]
    fn examples_parse() {
        let mut command = cli::command();
        command.build();
        let nested = command.get_subcommands().flat_map(Command::get_subcommands);
        let names: Vec<_> = command
            .get_subcommands()
            .chain(nested)
            .map(|one| one.get_name().to_owned())
            .chain(["s1".to_owned()])
            .collect();
        assert!(names.len() > registry().len());
        for name in names {
            let line = example(&name).unwrap_or_default();
            let arguments = split_arguments(line);
            assert!(
                line.starts_with("s1 ") && (name == "contract" || arguments.contains(&name)),
                "{name}: {line}"
            );
            let parsed = cli::command().try_get_matches_from(&arguments);
            assert!(
                parsed.is_ok(),
                "{line}: {}",
                parsed.err().map(|error| error.to_string()).unwrap_or_default()
            );
        }
    }

    #[test]
    fn wrap_breaks_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("longer-than-that a", 5), ["longer-than-that", "a"]);
        assert_eq!(wrap("one two [default: 5]", 14), ["one two", "[default: 5]"]);
        assert_eq!(wrap("", 5), [""; 0]);
    }

    #[test]
    fn example_is_continued_before_an_option() {
        let mut page = Page::new();
        page.width = MIN_WIDTH;
        page.example("s1 create --name 'my rule' --description of-my-rule --limit 5");
        assert_eq!(page.text, "  s1 create --name 'my rule' \\\n      --description of-my-rule --limit 5\n");
    }
}
