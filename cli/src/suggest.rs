//! Suggestions for misspelled names and values.

use clap::error::{ContextKind, ContextValue};
use sentinelone::commands::{Argument, find};

use crate::cli::option_names;

/// Lowest similarity of a suggestion; clap uses the same value for options and commands.
const MIN_SIMILARITY: f64 = 0.7;

/// Returns the candidate that is most similar to `input`, or `None` if no candidate is similar.
pub(crate) fn nearest<'a>(input: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let input = input.to_lowercase();
    let similarity = |name: &str| match strsim::osa_distance(&input, name) {
        // Two swapped letters lower the similarity of a short name too much.
        1 if input.len() > 2 => 0.99,
        _ => strsim::jaro(&input, name),
    };
    let scored = candidates.into_iter().map(|name| (similarity(&name.to_lowercase()), name));
    let similar = scored.filter(|(similarity, _)| *similarity > MIN_SIMILARITY);
    similar.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// Returns the last line of an error with the most similar candidate, or an empty string.
pub(crate) fn did_you_mean<'a>(input: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(input, candidates).map(|name| format!("\n  did you mean {name}?")).unwrap_or_default()
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
mod tests {
    #[test]
    fn nearest_returns_only_similar_candidates() {
        let candidates = ["unresolved", "in_progress", "resolved"];
        assert_eq!(super::nearest("resolvd", candidates), Some("resolved"));
        assert_eq!(super::nearest("In-Progress", candidates), Some("in_progress"));
        assert_eq!(super::nearest("oen", ["two", "one"]), Some("one"));
        assert_eq!(super::nearest("closed", ["open", "shut"]), None);
        assert_eq!(super::did_you_mean("xyz", candidates), "");
    }
}
