//! Suggestions for misspelled names and values.

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
