//! What somebody may have meant.

use clap::error::{ContextKind, ContextValue};

/// Alike enough to be worth a question; the measure is that of the options and commands.
const ALIKE: f64 = 0.7;

/// The nearest of the known names, if any is near.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let alike = |name: &str| match strsim::osa_distance(&given, name) {
        // Two letters that changed places make much of a short name.
        1 if given.len() > 2 => 0.99,
        _ => strsim::jaro(&given, name),
    };
    let measured = known.into_iter().map(|name| (alike(&name.to_lowercase()), name));
    let near = measured.filter(|(alike, _)| *alike > ALIKE);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// A question to end an error with; nothing where no name is near.
pub(crate) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, known).map(|name| format!("\n  did you mean {name}?")).unwrap_or_default()
}

/// Leaves the nearest of the commands that an error suggests: all names begin alike, so that many are near.
pub(crate) fn nearest_command(error: &mut clap::Error) {
    let (Some(ContextValue::String(given)), Some(ContextValue::Strings(near))) =
        (error.get(ContextKind::InvalidSubcommand), error.get(ContextKind::SuggestedSubcommand))
    else {
        return;
    };
    if let Some(name) = nearest(given, near.iter().map(String::as_str)) {
        let name = ContextValue::Strings(vec![name.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, name);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["unresolved", "in_progress", "resolved"];
        assert_eq!(super::nearest("resolvd", known), Some("resolved"));
        assert_eq!(super::nearest("In-Progress", known), Some("in_progress"));
        assert_eq!(super::nearest("oen", ["two", "one"]), Some("one"));
        assert_eq!(super::nearest("closed", ["open", "shut"]), None);
        assert_eq!(super::did_you_mean("xyz", known), "");
    }
}
