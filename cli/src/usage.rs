//! Usage errors of the command line: forgotten values, suggestions and remedies.

use clap::error::{ContextKind, ContextValue};
use sentinelone::commands::{Argument, RegisteredCommand, find};

use crate::batches;
use crate::global_options::global_option_names;
use crate::options::{allows_dash, has_secret_option, is_secret, option_names};
use crate::suggest::nearest;

/// Returns the usage error for an option that takes a text and is followed by something that looks like an option, such
/// as `--query --from-date`: the value was probably forgotten. `--query=--from-date` is accepted.
pub(crate) fn missing_value(arguments: &[String]) -> Option<String> {
    let entry = arguments.iter().find_map(|argument| find(argument))?;
    let list = (entry.arguments)();
    arguments.windows(2).find_map(|pair| {
        let [name, value] = pair else { return None };
        let argument = list.iter().find(|argument| option_names(argument).contains(name))?;
        let is_option = match is_secret(argument.name) {
            true => is_known_option(entry, value),
            false => looks_like_option(entry, value),
        };
        if !allows_dash(argument) || !is_option {
            return None;
        }
        // A rejected value can be an option with a secret.
        if has_secret_option(arguments) {
            let help = format!("help: pass a value that begins with a dash as {name}=VALUE");
            return Some(format!("{name} requires a value\n  {help}"));
        }
        let quote = if value.contains(char::is_whitespace) { "'" } else { "" };
        Some(format!(
            "{name} requires a value, but {value:?} looks like an option\n  help: pass it as \
             {quote}{name}={value}{quote} if it is the value"
        ))
    })
}

/// Returns the name of an option in an argument of the command line, without its value.
fn option_part(argument: &str) -> &str {
    argument.split_once('=').map_or(argument, |(name, _)| name)
}

/// Returns whether an argument is an option of the command, or a global option.
fn is_known_option(entry: &RegisteredCommand, argument: &str) -> bool {
    let name = option_part(argument);
    let own = (entry.arguments)().iter().any(|argument| option_names(argument).iter().any(|one| one == name));
    let is_of_batches = entry.batch_argument().is_some() && batches::NAMES.contains(&name);
    own || is_of_batches
        || ["-h", "--help", "--all"].contains(&name)
        || global_option_names().any(|one| one == name)
}

/// Returns whether an argument is a known option, or has the form of one.
fn looks_like_option(entry: &RegisteredCommand, argument: &str) -> bool {
    let has_form = option_part(argument).strip_prefix("--").is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    });
    has_form || is_known_option(entry, argument)
}

/// Removes the list of all commands and topics from an error of `s1 help`. The most similar one remains.
pub(crate) fn without_list_of_subjects(error: &mut clap::Error) {
    if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg)
        && argument.starts_with("[COMMAND|TOPIC]")
    {
        error.remove(ContextKind::ValidValue);
    }
}

/// Reduces the commands that an error suggests to the most similar one. The names have common prefixes, so that
/// clap suggests many.
pub(crate) fn nearest_command(error: &mut clap::Error) {
    let (Some(ContextValue::String(input)), Some(ContextValue::Strings(candidates))) =
        (error.get(ContextKind::InvalidSubcommand), error.get(ContextKind::SuggestedSubcommand))
    else {
        return;
    };
    if let Some(name) = nearest(input, candidates.iter().map(String::as_str)) {
        let name = ContextValue::Strings(vec![name.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, name);
    }
}

/// Returns the remedy for a rejected argument that begins with a dash and follows an option that requires a value.
pub(crate) fn dash_value(error: &clap::Error, arguments: &[String]) -> Option<String> {
    let ContextValue::String(rejected) = error.get(ContextKind::InvalidArg)? else { return None };
    let entry = arguments.iter().find_map(|argument| find(argument))?;
    let follows = |pair: &&[String]| {
        let names = |argument: &Argument| option_names(argument).contains(&pair[0]);
        pair[1].starts_with(rejected.as_str()) && (entry.arguments)().iter().any(names)
    };
    let option = arguments.windows(2).find(follows)?.first()?;
    Some(format!("pass a value that begins with a dash as {option}=VALUE"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn check(line: &[&str]) -> Option<String> {
        let arguments: Vec<String> = line.iter().map(|argument| (*argument).to_owned()).collect();
        missing_value(&arguments)
    }

    #[test]
    fn missing_value_of_every_text_option_is_found() {
        for entry in sentinelone::commands::registry() {
            let list = (entry.arguments)();
            let own = list.first().map(option_names).unwrap_or_default();
            for argument in list.iter().filter(|argument| allows_dash(argument)) {
                let names = option_names(argument);
                let name = names[0].as_str();
                for value in own.iter().chain(&names).map(String::as_str).chain(["--output", "--help"]) {
                    let line = [entry.info.name, name, value];
                    let message = check(&line).unwrap_or_else(|| panic!("{line:?}"));
                    assert!(message.starts_with(&format!("{name} requires a value")), "{message}");
                    assert_eq!(check(&[entry.info.name, &format!("{name}={value}")]), None);
                }
                for value in ["-Path C:\\x", "-5", "--", "- item", "--x y", "text", "-"] {
                    assert_eq!(check(&[entry.info.name, name, value]), None, "{name} {value}");
                }
            }
        }
    }

    #[test]
    fn missing_value_of_a_secret_is_not_shown() {
        let secret = ["fetch-file", "--password", "--Xy12"];
        assert_eq!(check(&secret), None, "a password can begin with dashes");
        let message = check(&["fetch-file", "--password", "--file-path=/etc/secret"]).unwrap();
        assert!(!message.contains("secret"), "{message}");
    }
}
