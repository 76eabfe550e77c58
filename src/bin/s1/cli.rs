//! The command line: made from the registry, so that a new command needs nothing here.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};
use sentinelone::commands::{Argument, ArgumentKind, Entry, find, registry};

use crate::findings::{Deny, Format};

const AFTER_HELP: &str = "\
Environment:
  S1_CONSOLE_URL  the console's address, where --console-url is not given
  S1_API_TOKEN    the API token, where --api-token-file is not given
  S1_PROFILE      the profile, where --profile is not given
  S1_CONFIG       the file of profiles, in place of s1/config.toml in the folder for settings
  NO_COLOR        no colours, whatever the terminal can

Exit codes:
  0  done; also when a filter matched nothing
  1  failed: nothing was done, nobody knows, or the result could not be printed
  2  usage: something is missing or does not fit; nothing was sent
  3  only part of the identifiers was affected, or only part of a list was read

A value that begins with a dash is given as --option=-value.";

pub(crate) const OPTIONS: &str = "Console";

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("s1")
        .version(env!("CARGO_PKG_VERSION"))
        .about("SentinelOne at the command line: the commands of the published integrations, safe by default")
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(globals())
        .subcommands(registry().iter().map(subcommand))
        .subcommand(
            Command::new("commands")
                .about("List all commands with their arguments, context paths and API versions"),
        )
        .subcommand(
            Command::new("token")
                .about("Tell when the API token was created and when it expires; warns two weeks before"),
        )
        .subcommand(
            Command::new("sandbox")
                .about("Start the sandbox and keep it up: a console on this machine with an invented tenant")
                .arg(
                    Arg::new("port")
                        .long("port")
                        .value_name("PORT")
                        .value_parser(value_parser!(u16))
                        .default_value("0")
                        .help("Port on 127.0.0.1; 0 for any that is free"),
                )
                .arg(
                    Arg::new("arrivals")
                        .long("arrivals")
                        .value_name("SECONDS")
                        .value_parser(value_parser!(u64).range(1..=86_400))
                        .help("Let a new threat and a new alert come so often"),
                ),
        )
        .subcommands(crate::login::commands())
        .subcommands(crate::shell::commands())
        .subcommand(crate::incidents::fetch())
        .subcommand(crate::incidents::test())
        .subcommand(contract())
}

fn contract() -> Command {
    let verify = Command::new("verify")
        .about("Hold exchanges in files to the specification that this version knows")
        .after_help(
            "Exit codes: 0 when no rule that is denied was broken, 1 when one was, 2 when there is no such file, no \
             exchange in any of them, or one cannot be read. JSON files of another kind are named and left out; so \
             are entries of a HAR that are not below /web/api/.",
        )
        .arg(
            Arg::new("path")
                .value_name("PATH")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("Files of exchanges, HAR 1.2 files, or folders with such files (.json, .har) anywhere in them"),
        )
        .args(findings());
    let probe = Command::new("probe")
        .about("Ask a console everything that changes nothing, and hold its answers to the specification")
        .after_help(
            "Sends GET and nothing else, with small pages and within the console's rates. Identifiers are those of \
             answers on the way; what needs another one is not called, and said.\n\n\
             Exit codes: 0 when no rule that is denied was broken, whatever single operations answered, 1 when one \
             was or nothing was answered, 2 for usage.",
        )
        .arg(
            Arg::new("id")
                .long("id")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help("An identifier that no list tells, such as queryId=… of a query that was started before"),
        )
        .args(findings());
    Command::new("contract")
        .about("Hold what a console says to the specification")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(verify)
        .subcommand(probe)
}

/// What commands that tell findings have in common.
fn findings() -> Vec<Arg> {
    vec![
        Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(Format::NAMES))
            .help("text, json (an array), ndjson, or github (annotations of a workflow). Goes before --output"),
        Arg::new("deny")
            .long("deny")
            .value_name("RULE,…")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(PossibleValuesParser::new(Deny::names()))
            .hide_possible_values(true)
            .default_value("error")
            .help(
                "Which findings make the exit code 1: error (what contradicts the specification, and secrets in \
                 recordings), drift (that, and what is new in an answer), all, none, or rules by their names, as in \
                 the findings of --format json",
            ),
    ]
}

fn globals() -> Vec<Arg> {
    let option = |name: &'static str| Arg::new(name).long(name).global(true).help_heading(OPTIONS);
    let flag = |name: &'static str| option(name).action(ArgAction::SetTrue);
    vec![
        flag("sandbox").help("Use the embedded sandbox, started for this call alone; no account is needed"),
        option("console-url").value_name("URL").help("Address of the console, such as usea1.sentinelone.net"),
        option("api-token-file")
            .value_name("FILE")
            .value_parser(value_parser!(std::path::PathBuf))
            .help("File that holds the API token and nothing else"),
        option("profile")
            .value_name("NAME")
            .help("Profile to take console, token and version from; see s1 login"),
        option("api-version")
            .value_name("VERSION")
            .value_parser(PossibleValuesParser::new(["2.0", "2.1"]))
            .default_value("2.1")
            .help("Version of the API; without it the profile's"),
        option("output")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(["table", "json", "ndjson", "context"]))
            .default_value("table")
            .help("table, json (what the console sent, with the results of an action beside it), ndjson (one thing a \
                 line) or context (SOAR paths)"),
        option("columns")
            .value_name("A,B,…")
            .action(ArgAction::Append)
            .help(
                "Columns of the table, in this order: names as in its header, or dotted paths as in --output json",
            ),
        option("call-timeout")
            .value_name("SECONDS")
            .value_parser(value_parser!(u64).range(1..=86_400))
            .default_value("180")
            .help("How long one call may take in all, with its waits and repetitions"),
        option("attempts")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32).range(1..=100))
            .default_value("5")
            .help("How many times a call is tried where that is safe: a read after failures, an action only when nothing \
                 arrived or the console refused it for the moment. With 1 nothing is made again"),
        option("rate-limits")
            .value_name("SHARE")
            .value_parser(share)
            .default_value("1")
            .help("Which part of the console's documented rates to keep to: 0.5 where two use the token, off for none"),
        option("root-certificate")
            .value_name("FILE")
            .value_parser(value_parser!(std::path::PathBuf))
            .help("A further certificate to trust, in PEM: that of a proxy that opens TLS. Proxies are those of the \
                 environment (HTTPS_PROXY, NO_PROXY)"),
        flag("insecure").help("Trust any certificate: anyone on the way can read the token. For a lab"),
        option("log")
            .value_name("LEVEL")
            .value_parser(PossibleValuesParser::new(["off", "error", "warn", "info", "debug", "trace"]))
            .default_value("warn")
            .help("What is logged to stderr. No level shows the token, a password, or what is in requests and answers"),
        option("record")
            .value_name("DIR")
            .value_parser(value_parser!(std::path::PathBuf))
            .help(
                "Write every exchange with the console as a file into this folder, with secrets, names, addresses \
                 and identifiers replaced",
            ),
        flag("dry-run").help("Print the requests of a command as a JSON array and send nothing"),
        flag("yes").help(
            "Do not ask before an action that stops, removes, isolates or runs something, or reaches everything in \
             scope; needed for one where there is no terminal",
        ),
    ]
}

/// A part of the rates; nothing for off.
fn share(text: &str) -> Result<Option<Share>, String> {
    if text == "off" {
        return Ok(None);
    }
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.map(|share| Some(Share(share))).ok_or_else(|| "is neither off nor above 0 and at most 1".to_owned())
}

/// A part of something, above 0 and at most 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(pub(crate) f64);

fn subcommand(entry: &Entry) -> Command {
    let versions: Vec<_> = entry.info.versions.iter().map(|version| version.as_str()).collect();
    let command = Command::new(entry.info.name)
        .about(entry.info.summary)
        .after_help(format!("On API {}.", versions.join(" and ")));
    // Those of the mirroring have one name only.
    let command = match entry.info.full_name {
        same if same == entry.info.name => command,
        other => command.alias(other),
    };
    command.defer(arguments)
}

/// The options of a command, made for the one that is called: those of all were a third of the time of `s1 --help`.
fn arguments(command: Command) -> Command {
    let Some(entry) = find(command.get_name()) else { return command };
    // An argument that has two names in the integration is one option here.
    let mut arguments: Vec<Argument> = Vec::new();
    for argument in (entry.arguments)() {
        if arguments.iter().all(|other| option(other.name) != option(argument.name)) {
            arguments.push(argument);
        }
    }
    let reads_pages = arguments.iter().any(|argument| argument.or_all);
    let all =
        Arg::new("all").long("all").action(ArgAction::SetTrue).conflicts_with("limit").help(
            "Read every page, however many there are. With --output ndjson each is written as it comes",
        );
    let own = arguments.iter().map(argument).chain(reads_pages.then_some(all));
    // The console's options are there by now; one of the command's own takes the place of that of its name.
    own.fold(command, |command, own| {
        let replaces = command.get_arguments().any(|known| known.get_id() == own.get_id());
        if replaces { command.mut_arg(own.get_id().clone(), |_| own) } else { command.arg(own) }
    })
}

fn argument(argument: &Argument) -> Arg {
    let long = option(argument.name);
    let mut help = argument.doc.to_owned();
    if !argument.values.is_empty() {
        help.push_str(&format!(" Values: {}.", argument.values.join(", ")));
    }
    if let Some(default) = argument.default {
        help.push_str(&format!(" Default: {default}."));
    }
    let (name, action) = match argument.kind {
        ArgumentKind::List => ("A,B,…", ArgAction::Append),
        ArgumentKind::Boolean => ("true|false", ArgAction::Set),
        ArgumentKind::Integer => ("NUMBER", ArgAction::Set),
        ArgumentKind::Time => ("TIME", ArgAction::Set),
        _ => ("TEXT", ArgAction::Set),
    };
    let arg = Arg::new(argument.name)
        .long(long.clone())
        .value_name(name)
        .action(action)
        .required(argument.required)
        // A password may begin with a dash, and must not be quoted in an error for that.
        .allow_hyphen_values(is_secret(argument.name))
        .help(help)
        .hide_possible_values(true);
    let hyphens = argument.name.replace('_', "-");
    // A flag takes its value in words: a variable of a script that is empty must not be a yes.
    arg.aliases([argument.name, hyphens.as_str()].into_iter().filter(|name| *name != long).map(str::to_owned))
}

/// Whether a secret was given on the command line.
pub(crate) fn names_a_secret(words: impl Iterator<Item = String>) -> bool {
    let options = ["password", "api_key"].map(|name| format!("--{}", option(name)));
    let spellings = ["--api_key", "--apiKey"].map(str::to_owned);
    let names: Vec<String> = options.into_iter().chain(spellings).collect();
    let mut words = words;
    words.any(|word| names.iter().any(|name| word.split('=').next() == Some(name)))
}

/// Whether the value of an argument must not be shown.
pub(crate) fn is_secret(argument: &str) -> bool {
    matches!(argument, "password" | "api_key")
}

/// The option of an argument: in lower case with hyphens, whatever the integration spells.
pub(crate) fn option(argument: &str) -> String {
    let mut option = String::new();
    for c in argument.chars() {
        if c.is_ascii_uppercase() && !option.is_empty() && !option.ends_with('-') {
            option.push('-');
        }
        option.push(if c == '_' { '-' } else { c.to_ascii_lowercase() });
    }
    option
}

#[cfg(test)]
mod tests {
    #[test]
    fn options_are_in_lower_case() {
        assert_eq!(super::option("threat_ids"), "threat-ids");
        assert_eq!(super::option("treatAsThreat"), "treat-as-threat");
        assert_eq!(super::option("singularity_xdr_Url"), "singularity-xdr-url");
    }

    #[test]
    fn command_line_is_consistent() {
        super::command().debug_assert();
    }
}
