//! Checks and changes of the text of a query.

use super::error::QueryError;
use crate::s1ql::{self, Filter, Stage, SyntaxError, TranslationError};

/// Checks a filter, and adds the condition of a setting. `limits` is `None` without one.
pub(super) fn filter(text: &str, limits: Option<&str>) -> Result<String, QueryError> {
    let parsed = s1ql::parse_filter(text).map_err(|error| syntax(&error, text))?;
    reject_version_1(&[&parsed], text, s1ql::translate)?;
    Ok(match limits {
        None => text.to_owned(),
        Some(limits) if matches!(parsed, Filter::Everything { .. }) => limits.to_owned(),
        Some(limits) => format!("{limits} and ({text}\n)"),
    })
}

/// Checks a PowerQuery, and adds the condition of a setting to its filter.
pub(super) fn power_query(text: &str, limits: Option<&str>) -> Result<String, QueryError> {
    if text.trim().is_empty() {
        return Err(QueryError::Empty);
    }
    let parsed = s1ql::parse_power_query(text).map_err(|error| syntax(&error, text))?;
    let mut filters = vec![&parsed.filter];
    filters.extend(parsed.stages.iter().filter_map(|stage| match stage {
        Stage::Filter { filter, .. } => Some(filter),
        _ => None,
    }));
    reject_version_1(&filters, text, s1ql::translate_power_query)?;
    let Some(limits) = limits else { return Ok(text.to_owned()) };
    let span = parsed.filter.span();
    let (before, rest) = text.split_at_checked(span.start).unwrap_or(("", text));
    let (own, after) = rest.split_at_checked(span.end - span.start).unwrap_or((rest, ""));
    Ok(match matches!(parsed.filter, Filter::Everything { .. }) {
        true => format!("{before}{limits} {after}"),
        false => format!("{before}{limits} and ({own}\n){after}"),
    })
}

fn syntax(error: &SyntaxError, text: &str) -> QueryError {
    QueryError::Syntax { message: error.to_string(), text: error.render(text) }
}

/// Rejects names and operators of S1QL 1.0, with which a query finds nothing.
fn reject_version_1(
    filters: &[&Filter],
    text: &str,
    translate: impl Fn(&str) -> Result<s1ql::Translation, TranslationError>,
) -> Result<(), QueryError> {
    let parts = filters.iter().flat_map(|filter| s1ql::version_1_parts(filter));
    let parts: Vec<String> =
        parts.filter_map(|part| text.get(part.span.start..part.span.end)).map(str::to_owned).collect();
    if parts.is_empty() {
        return Ok(());
    }
    let translation = translate(text).ok().map(|translation| translation.text);
    Err(QueryError::Version1 { parts, translation })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn condition_of_a_setting_is_added_to_the_filter() {
        let limits = Some("site.id = '7'");
        assert_eq!(filter("a.b = 1 or c.d = 2", None).unwrap(), "a.b = 1 or c.d = 2");
        assert_eq!(filter("a.b = 1 or c.d = 2", limits).unwrap(), "site.id = '7' and (a.b = 1 or c.d = 2\n)");
        // A comment at the end does not hide the parenthesis.
        assert!(filter("a.b = 1 // note", limits).unwrap().ends_with("// note\n)"));
        for everything in ["", "*"] {
            assert_eq!(filter(everything, limits).unwrap(), "site.id = '7'");
        }
        let query = power_query("a.b = 1 | group n = count() | sort -n", limits).unwrap();
        assert_eq!(query, "site.id = '7' and (a.b = 1\n) | group n = count() | sort -n");
        let query = power_query("| group n = count()", limits).unwrap();
        assert_eq!(query.trim(), "site.id = '7' | group n = count()");
    }

    #[test]
    fn version_1_is_rejected_with_its_translation() {
        let error = filter("TgtProcName ContainsCIS 'curl'", None).unwrap_err();
        let QueryError::Version1 { parts, translation } = error else { panic!("{error}") };
        assert_eq!(parts, ["TgtProcName", "ContainsCIS"]);
        assert_eq!(translation.as_deref(), Some("tgt.process.name contains 'curl'"));
        assert!(power_query("* | filter SrcProcName = 'x' | limit 1", None).is_err());
        assert!(matches!(filter("a.b = ", None), Err(QueryError::Syntax { .. })));
        assert_eq!(power_query("  ", None), Err(QueryError::Empty));
    }
}
