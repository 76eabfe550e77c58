//! Checks and changes of the text of a query.

use super::error::QueryError;
use crate::s1ql::{
    self, Change, ChangeKind, Filter, Stage, SyntaxError, Translation, TranslationError, UnsupportedStage,
};

/// Checks a filter, and adds the condition of a setting.
pub(super) fn filter(text: &str, condition: Option<&str>) -> Result<String, QueryError> {
    let parsed = s1ql::parse_filter(text).map_err(|error| syntax(&error, text))?;
    reject_version_1(text, &parsed, s1ql::translate(text), |_| true)?;
    Ok(match condition {
        None => text.to_owned(),
        Some(condition) if matches!(parsed, Filter::Everything { .. }) => condition.to_owned(),
        Some(condition) => format!("{condition} and ({text}\n)"),
    })
}

/// Checks a PowerQuery, and adds the condition of a setting to its filter.
pub(super) fn power_query(text: &str, condition: Option<&str>) -> Result<String, QueryError> {
    if text.trim().is_empty() {
        return Err(QueryError::Empty);
    }
    let parsed = s1ql::parse_power_query(text).map_err(|error| syntax(&error, text))?;
    let unread: Vec<&UnsupportedStage> = parsed
        .stages
        .iter()
        .filter_map(|stage| match stage {
            Stage::Unsupported(unread) => Some(unread),
            _ => None,
        })
        .collect();
    let span = parsed.filter.span();
    let (before, rest) = text.split_at_checked(span.start).unwrap_or(("", text));
    let (own, after) = rest.split_at_checked(span.end - span.start).unwrap_or((rest, ""));
    // A stage that the parser does not read can define columns with names of 1.0, so names after the filter are kept.
    let is_version_1 =
        |change: &Change| unread.is_empty() || change.kind != ChangeKind::Name || change.span.end <= span.end;
    reject_version_1(text, &parsed.filter, s1ql::translate_power_query(text), is_version_1)?;
    let Some(condition) = condition else { return Ok(text.to_owned()) };
    if let Some(stage) = unread.iter().find(|stage| stage.reads_other_rows()) {
        return Err(QueryError::UnrestrictedCommand(stage.word.clone()));
    }
    Ok(match matches!(parsed.filter, Filter::Everything { .. }) {
        true => format!("{before}{condition} {after}"),
        false => format!("{before}{condition} and ({own}\n){after}"),
    })
}

fn syntax(error: &SyntaxError, text: &str) -> QueryError {
    QueryError::Syntax { message: error.to_string(), text: error.render(text) }
}

/// Rejects a query that its translation to S1QL 2.0 changes: with names and operators of 1.0, it finds nothing.
fn reject_version_1(
    text: &str,
    filter: &Filter,
    translation: Result<Translation, TranslationError>,
    is_version_1: impl Fn(&Change) -> bool,
) -> Result<(), QueryError> {
    let parts: Vec<String> = match &translation {
        Ok(translation) => {
            let changes = translation.changes.iter().filter(|change| is_version_1(change));
            changes.map(|change| change.from.clone()).collect()
        }
        // A name that the table does not have can be one of another data source.
        Err(_) => s1ql::version_1_parts(filter).iter().map(|part| part.span.slice(text).to_owned()).collect(),
    };
    match parts.is_empty() {
        true => Ok(()),
        false => Err(QueryError::Version1 { parts, translation: translation.ok().map(|one| one.text) }),
    }
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

    /// The condition applies to the whole filter, wherever its parentheses are.
    #[test]
    fn condition_restricts_every_form_of_a_filter() {
        for (filter, own) in [
            ("a.b = 1 or c.d = 2", "a.b = 1 or c.d = 2"),
            ("(a.b = 1) or (c.d = 2)", "(a.b = 1) or (c.d = 2)"),
            ("(a.b = 1 or c.d = 2)", "a.b = 1 or c.d = 2"),
            ("((a.b = 1) or c.d = 2)", "(a.b = 1) or c.d = 2"),
            ("not (a.b = 1) or (c.d = 2)", "not (a.b = 1) or (c.d = 2)"),
            ("!(a.b = 1 or c.d = 2)", "!(a.b = 1 or c.d = 2)"),
            ("filter (a.b = 1) or (c.d = 2)", "(a.b = 1) or (c.d = 2)"),
        ] {
            for stages in ["", " | limit 1", "| filter e.f = 3 | limit 1", " // note | x\n | limit 1"] {
                let query = power_query(&format!("{filter}{stages}"), Some("site.id = '7'")).unwrap();
                let parsed = s1ql::parse_power_query(&query).unwrap();
                let Filter::And { terms, .. } = &parsed.filter else {
                    panic!("{query}: {:?}", parsed.filter)
                };
                assert_eq!(terms[0].span().slice(&query), "site.id = '7'", "{query}");
                let expected = s1ql::parse_filter(own).unwrap();
                let rest = if let [_, rest] = terms.as_slice() { rest } else { panic!("{query}") };
                let shape = |filter: &Filter| format!("{filter:?}").replace(|c: char| c.is_ascii_digit(), "");
                assert_eq!(shape(rest), shape(&expected), "{query}");
            }
        }
    }

    #[test]
    fn query_that_reads_other_rows_has_no_condition() {
        for text in [
            "a.b = 1 | join x = (c.d = 1 | limit 3) on y",
            "| union (a.b = 1), (c.d = 2)",
            "union (a.b = 1), (c.d = 2) | limit 1",
            "dataset 'x' | limit 1",
        ] {
            assert!(power_query(text, None).is_ok(), "{text}");
            let error = power_query(text, Some("site.id = '7'")).unwrap_err();
            assert!(matches!(error, QueryError::UnrestrictedCommand(_)), "{text}: {error}");
        }
        assert!(power_query("a.b = 1 | parse 'x' from message", Some("site.id = '7'")).is_ok());
    }

    #[test]
    fn version_1_is_rejected_with_its_translation() {
        let error = filter("TgtProcName ContainsCIS 'curl'", None).unwrap_err();
        let QueryError::Version1 { parts, translation } = error else { panic!("{error}") };
        assert_eq!(parts, ["TgtProcName", "ContainsCIS"]);
        assert_eq!(translation.as_deref(), Some("tgt.process.name contains 'curl'"));
        for text in [
            "* | filter SrcProcName = 'x' | limit 1",
            "* | group n = count() by SrcProcName",
            "* | group n = count_distinct(endpoint.name)",
            "a.b = null | limit 1",
            "SrcProcName = 'x' | parse 'y' from message",
        ] {
            assert!(matches!(power_query(text, None), Err(QueryError::Version1 { .. })), "{text}");
        }
        let own_column = "* | parse '$CmdLine$' from message | group n = count() by CmdLine";
        assert_eq!(power_query(own_column, None).as_deref(), Ok(own_column));
        assert!(matches!(filter("a.b = ", None), Err(QueryError::Syntax { .. })));
        assert_eq!(power_query("  ", None), Err(QueryError::Empty));
    }
}
