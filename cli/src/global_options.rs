//! Global options of the command line.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, value_parser};

/// Heading of the global options in manual pages.
const GLOBAL_OPTIONS: &str = "Global options";

/// Returns the global options.
pub(crate) fn global_options() -> Vec<Arg> {
    let option = |name: &'static str| Arg::new(name).long(name).global(true).help_heading(GLOBAL_OPTIONS);
    let flag = |name: &'static str| option(name).action(ArgAction::SetTrue);
    vec![
        flag("sandbox").help("Use an embedded sandbox console for this command, without an account"),
        option("console-url").value_name("URL").help("Set the console URL, such as usea1.sentinelone.net"),
        option("api-token-file")
            .value_name("FILE")
            .value_parser(value_parser!(std::path::PathBuf))
            .help("Read the API token from a file that contains only the token"),
        option("profile")
            .value_name("NAME")
            .help("Select a profile: its console, token and API version; see s1 login"),
        option("api-version")
            .value_name("VERSION")
            .value_parser(PossibleValuesParser::new(["2.0", "2.1"]))
            .default_value("2.1")
            .help("Select the API version; overrides the profile"),
        option("output")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(["table", "json", "ndjson", "csv", "context"]))
            .default_value("table")
            .help("Select the output format; csv is for query; context prints the XSOAR context paths"),
        option("columns")
            .value_name("A,B,…")
            .action(ArgAction::Append)
            .help("Select table columns by header or by dotted path in --output json"),
        option("request-timeout")
            .value_name("SECONDS")
            .value_parser(value_parser!(u64).range(1..=86_400))
            .default_value("180")
            .help("Limit the duration of a call, including its attempts and delays"),
        option("max-attempts")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32).range(1..=100))
            .default_value("5")
            .help("Limit the attempts of a call; 1 disables retries"),
        option("rate-limits")
            .value_name("SHARE")
            .value_parser(share)
            .default_value("1")
            .help("Set the share of the documented rate limits to use, up to 1, or off"),
        option("ca-cert")
            .alias("root-certificate")
            .value_name("FILE")
            .value_parser(value_parser!(std::path::PathBuf))
            .help("Trust an additional root certificate, in PEM"),
        flag("insecure").help("Accept any TLS certificate; an attacker can then read the token"),
        option("log-level")
            .value_name("LEVEL")
            .value_parser(PossibleValuesParser::new(["off", "error", "warn", "info", "debug", "trace"]))
            .default_value("warn")
            .help("Set the level of the log on stderr"),
        option("record")
            .value_name("DIR")
            .value_parser(value_parser!(std::path::PathBuf))
            .help("Record each exchange with the console as a sanitized file in a directory"),
        flag("dry-run").help("Print the requests of a command as a JSON array and send none"),
        flag("yes").help("Skip the prompt before destructive actions; required without a terminal"),
    ]
}

/// Parses a share of the rate limits; `None` is off.
fn share(text: &str) -> Result<Option<Share>, String> {
    if text == "off" {
        return Ok(None);
    }
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share
        .map(|share| Some(Share(share)))
        .ok_or_else(|| "expected off or a number above 0, up to 1".to_owned())
}

/// Share of the rate limits, above 0 and at most 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(pub(crate) f64);

/// Returns the names of the global options, with dashes.
pub(crate) fn global_option_names() -> impl Iterator<Item = String> {
    global_options().into_iter().filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
}
