//! Definition of the command line. The integration commands come from the registry.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};
use sentinelone::commands::{Argument, ArgumentKind, RegisteredCommand, find, registry};
use sentinelone_sandbox::QueryFault;

use crate::findings::{Deny, Format};
use crate::global_options::global_options;
use crate::options::{aliases, allows_dash, option};
use crate::{batches, completions, help, incidents, login, query};

/// Returns the command line.
pub(crate) fn command() -> Command {
    let command = all_commands();
    let overview = help::overview(&command);
    command.override_help(overview)
}

/// Returns the command line without its help page.
pub(crate) fn all_commands() -> Command {
    with_commands(|_| true)
}

/// Returns the command line with only the commands that the arguments name. It parses valid arguments like the whole command
/// line, in half of the time: clap copies the global options to each command. Returns `None` if the arguments name no
/// command, or ask for the help of `s1` before one.
pub(crate) fn command_of(arguments: &[String]) -> Option<Command> {
    let command = with_commands(|name| arguments.iter().any(|argument| argument == name));
    let is_name = |argument: &str| command.find_subcommand(argument).is_some();
    let first = arguments
        .iter()
        .find(|argument| is_name(argument) || matches!(argument.as_str(), "-h" | "--help"))?;
    is_name(first).then_some(command)
}

/// Returns the command line with the commands of the selected names.
fn with_commands(is_selected: impl Fn(&str) -> bool) -> Command {
    let entries = registry().iter();
    let entries = entries.filter(|entry| is_selected(entry.info.name) || is_selected(entry.info.full_name));
    let others = other_commands().map(|command| command.defer(help::attach)).chain([help::command()]);
    Command::new("s1")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Command line client for the SentinelOne Management API")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .args(global_options())
        .subcommands(entries.map(subcommand))
        .subcommands(others.filter(|command| is_selected(command.get_name())))
}

/// Returns the commands that are not in the registry.
fn other_commands() -> impl Iterator<Item = Command> {
    let commands = Command::new("commands").about("List the integration commands").args([
        Arg::new("command")
            .value_name("COMMAND")
            .num_args(1..)
            .help("Names of commands, with or without the prefix sentinelone- [default: all]"),
        Arg::new("schema")
            .long("schema")
            .action(ArgAction::SetTrue)
            .help("Print the JSON Schema of the arguments of each command, by name"),
    ]);
    let token = Command::new("token").about("Print the creation and expiry time of the API token");
    let sandbox = Command::new("sandbox").about("Run a local sandbox console with example data").args([
        Arg::new("port")
            .long("port")
            .value_name("PORT")
            .value_parser(value_parser!(u16))
            .default_value("0")
            .help("Listen on this port of 127.0.0.1; 0 selects a free port"),
        Arg::new("inject-interval")
            .long("inject-interval")
            .value_name("SECONDS")
            .value_parser(value_parser!(u64).range(0..=86_400))
            // The first fetch reads three days, so it always finds incidents.
            .default_value("43200")
            .help("Inject a new threat and a new alert at this interval; 0 disables it"),
        Arg::new("query-faults")
            .long("query-faults")
            .value_name("A,B,…")
            .value_delimiter(',')
            .value_parser(|name: &str| name.parse::<QueryFault>())
            .help("Let these faults of long-running queries occur once, in order, such as read-not-found"),
    ]);
    [
        query::query_command(),
        commands,
        token,
        sandbox,
        incidents::fetch_command(),
        incidents::test_command(),
        contract(),
    ]
    .into_iter()
    .chain(login::commands())
    .chain(completions::commands())
}

fn contract() -> Command {
    let verify = Command::new("verify")
        .about("Validate recorded exchanges against the bundled API specification")
        .arg(
            Arg::new("path")
                .value_name("PATH")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("Exchange file, HAR 1.2 file, or directory with such files (.json, .har)"),
        )
        .args(finding_options());
    let probe = Command::new("probe")
        .about("Call the GET operations of a console and validate the responses")
        .arg(
            Arg::new("param")
                .long("param")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help("Set a parameter that no list response contains, such as queryId=q1"),
        )
        .args(finding_options());
    Command::new("contract")
        .about("Validate console traffic against the specification")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands([verify, probe].map(|command| command.defer(help::attach)))
}

/// Returns the options of the commands that report findings.
fn finding_options() -> Vec<Arg> {
    vec![
        Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(Format::NAMES))
            .help("Select the format of the findings; overrides --output"),
        Arg::new("deny")
            .long("deny")
            .value_name("RULE,…")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(PossibleValuesParser::new(Deny::names()))
            .hide_possible_values(true)
            .default_value("error")
            .help("Fail on these findings: error, drift, tolerated, all, none or rule IDs"),
    ]
}

fn subcommand(entry: &RegisteredCommand) -> Command {
    let command = Command::new(entry.info.name).about(entry.info.summary);
    // The commands for mirroring have one name only.
    let command = match entry.info.full_name {
        same if same == entry.info.name => command,
        other => command.alias(other),
    };
    command.defer(|command| help::attach(add_arguments(command)))
}

/// Adds the options of an integration command. Clap calls this for the parsed command only: the options of all
/// commands would take a third of the time of `s1 --help`.
fn add_arguments(command: Command) -> Command {
    let Some(entry) = find(command.get_name()) else { return command };
    // Two names of one argument in the integration are one option here.
    let mut arguments: Vec<Argument> = Vec::new();
    for argument in (entry.arguments)() {
        if arguments.iter().all(|other| option(other.name) != option(argument.name)) {
            arguments.push(argument);
        }
    }
    let reads_pages = arguments.iter().any(|argument| argument.accepts_all);
    let all = Arg::new("all")
        .long("all")
        .action(ArgAction::SetTrue)
        .conflicts_with("limit")
        .help("Read every page; --output ndjson writes each page when it arrives");
    // The other commands refuse the option with the reason.
    let parallel = Arg::new("parallel")
        .long("parallel")
        .value_name("NUMBER")
        .value_parser(value_parser!(u8).range(1..=64))
        .default_value("1")
        .hide_default_value(true)
        .hide(!entry.supports_concurrency())
        .help("Read this number of parts of a long list at the same time, up to 64");
    let batches = entry.batch_argument().map(|_| batches::arguments());
    let own = arguments.iter().map(argument).chain(reads_pages.then_some(all)).chain([parallel]);
    let own = own.chain(batches.into_iter().flatten());
    // The global options are present by now. An option of the command replaces a global option with the same name.
    own.fold(command, |command, own| {
        let replaces = command.get_arguments().any(|known| known.get_id() == own.get_id());
        if replaces { command.mut_arg(own.get_id().clone(), |_| own) } else { command.arg(own) }
    })
}

fn argument(argument: &Argument) -> Arg {
    let long = option(argument.name);
    let mut help = argument.doc.trim_end_matches('.').to_owned();
    if let Some(default) = argument.default {
        help.push_str(&format!(" [default: {default}]"));
    }
    if !argument.values.is_empty() && argument.kind != ArgumentKind::Boolean {
        help.push_str(&format!(" [values: {}]", argument.values.join(", ")));
    }
    let (name, action) = match argument.kind {
        ArgumentKind::List => ("A,B,…", ArgAction::Append),
        ArgumentKind::Boolean => ("true|false", ArgAction::Set),
        ArgumentKind::Integer => ("NUMBER", ArgAction::Set),
        ArgumentKind::Time => ("TIME", ArgAction::Set),
        _ => ("VALUE", ArgAction::Set),
    };
    let arg = Arg::new(argument.name)
        .long(long.clone())
        .value_name(name)
        .action(action)
        .required(argument.required)
        // A text or a password can begin with a dash. `missing_value` finds an option in the place of a value.
        .allow_hyphen_values(allows_dash(argument))
        .help(help)
        .hide_possible_values(true);
    // A boolean requires a value: an empty variable in a script must not mean true.
    arg.aliases(aliases(argument).into_iter().filter(|name| *name != long))
}

#[cfg(test)]
mod tests {
    #[test]
    fn command_passes_debug_assertions() {
        super::command().debug_assert();
    }
}
