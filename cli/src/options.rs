//! Options of the command line: their names, which of them are secrets, and their values.

use clap::ArgMatches;
use sentinelone::commands::{Argument, ArgumentKind};

/// Returns the other names of the option of an argument, without dashes.
pub(crate) fn aliases(argument: &Argument) -> [String; 2] {
    [argument.name.to_owned(), argument.name.replace('_', "-")]
}

/// Returns the option of an argument under all its names, with dashes.
pub(crate) fn option_names(argument: &Argument) -> Vec<String> {
    let mut names: Vec<String> = aliases(argument).into_iter().chain([option(argument.name)]).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| format!("--{name}")).collect()
}

/// Returns whether the value of an option can begin with a dash: a text that is neither an ID nor an enum value.
pub(crate) fn allows_dash(argument: &Argument) -> bool {
    let is_text = matches!(argument.kind, ArgumentKind::String | ArgumentKind::List);
    is_text && argument.values.is_empty() && !argument.is_id()
}

/// Returns whether the command line has an option with a secret.
pub(crate) fn has_secret_option(arguments: &[String]) -> bool {
    let options = SECRET_ARGUMENTS.map(|name| format!("--{}", option(name)));
    let aliases = ["--api_key", "--apiKey", "--protected_actions_code"].map(str::to_owned);
    let names: Vec<String> = options.into_iter().chain(aliases).collect();
    arguments.iter().any(|argument| names.iter().any(|name| argument.split('=').next() == Some(name)))
}

/// Returns whether the value of an argument is a secret.
pub(crate) fn is_secret(argument: &str) -> bool {
    SECRET_ARGUMENTS.contains(&argument)
}

/// Arguments whose value is a secret.
const SECRET_ARGUMENTS: [&str; 3] = ["password", "api_key", "protected_actions_code"];

/// Returns the option of an argument of the integration: lower case, with hyphens.
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

/// Returns the value of an option; empty if it is not set.
pub(crate) fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map(String::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn option_is_lower_case_with_hyphens() {
        assert_eq!(super::option("threat_ids"), "threat-ids");
        assert_eq!(super::option("treatAsThreat"), "treat-as-threat");
        assert_eq!(super::option("singularity_xdr_Url"), "singularity-xdr-url");
    }
}
