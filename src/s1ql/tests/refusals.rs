//! Queries that are not translated, and their messages.

use super::*;

fn refusal(text: &str) -> (TranslationError, String) {
    let error = translate(text).unwrap_err();
    assert!(error.syntax_error().is_none(), "{error}");
    assert!(!error.to_string().contains('\n'));
    let place = error.span().slice(text).to_owned();
    (error, place)
}

#[test]
fn translate_unknown_name_is_refused_at_its_place() {
    let text = "a.b = 1 and\n AgentNames = \"x\"";
    let (error, place) = refusal(text);
    assert_eq!(place, "AgentNames");
    assert_eq!(
        error.to_string(),
        "line 2, column 2: the field \"AgentNames\" is in neither version; allowed: a name of 1.0 from the table, or a \
         name of 2.0, which has a dot or is in lower case"
    );
    assert_eq!(error.render(text), " AgentNames = \"x\"\n ^^^^^^^^^^");
    assert!(error.help().is_some());
}

#[test]
fn translate_string_with_both_quotes_is_refused_at_its_place() {
    let strings = [r#""it's a \"trap\"""#, r#"'it\'s a "trap"'"#];
    for string in strings {
        for operator in ["=", "ContainsCIS", "StartsWith", "EndsWith", "RegExp", "In"] {
            let (error, place) = refusal(&format!("SrcProcName {operator} {string}"));
            assert_eq!(place, string);
            assert!(error.to_string().contains("both kinds of quotes"), "{error}");
        }
    }
}

#[test]
fn translate_invalid_syntax_returns_syntax_error() {
    let error = translate("SrcProcName").unwrap_err();
    assert_eq!(error.to_string(), "column 12: found the end of the query; expected an operator");
    assert!(error.syntax_error().is_some());
}

#[test]
fn parse_filter_invalid_syntax_names_place_and_allowed_text() {
    let cases = [
        ("endpoint.name || 1", "column 15: found \"||\"; expected an operator"),
        (
            "a = ",
            "column 5: found the end of the query; expected a string in quotes, a number, true, false, null or \"*\"",
        ),
        ("a = b", "column 5: found \"b\"; expected a string in quotes, a number, true, false, null or \"*\""),
        ("(a = 1", "column 7: found the end of the query; expected \"and\", \"or\" or \")\""),
        ("a = 1)", "column 6: found \")\"; expected \"and\", \"or\" or the end of the filter"),
        ("a = 1 | limit 5", "column 7: found \"|\"; expected \"and\", \"or\" or the end of the filter"),
        ("ä = 'x", "column 5: found a string that is not closed; expected a closing quote"),
        ("a = 1 /* x", "column 7: found a comment that is not closed; expected \"*/\""),
        ("a in ('x' 'y')", "column 11: found \"'y'\"; expected \",\" or \")\""),
        (
            "a in ()",
            "column 7: found \")\"; expected a string in quotes, a number, true, false, null or \"*\"",
        ),
        ("a and = 1", "column 3: found \"and\"; expected an operator"),
        ("and a = 1", "column 1: found \"and\"; expected a field, a string, \"*\", \"not\" or \"(\""),
        (
            "a = 1 and",
            "column 10: found the end of the query; expected a field, a string, \"*\", \"not\" or \"(\"",
        ),
        (
            "a contains:case 'x'",
            "column 12: found \"case\"; expected \"anycase\" or \"matchcase\" directly after \"contains:\", \"in:\" or \"matches:\"",
        ),
        (
            "a contains :anycase 'x'",
            "column 12: found \":\"; expected a string in quotes, a number, true, false, null or \"*\"",
        ),
        (
            "a contains: anycase 'x'",
            "column 13: found \"anycase\"; expected \"anycase\" or \"matchcase\" directly after \"contains:\", \"in:\" or \"matches:\"",
        ),
        ("a RegExp 5", "column 10: found \"5\"; expected a string"),
        ("a Between 1 or 2", "column 13: found \"or\"; expected \"and\" and the end of the range"),
        ("a % 5", "column 3: found \"%\"; expected an operator"),
        ("()", "column 2: found \")\"; expected a field, a string, \"*\", \"not\" or \"(\""),
        ("a = 1\n\tb ~ 2", "line 2, column 4: found \"~\"; expected an operator"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_filter(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn parse_filter_nesting_beyond_limit_is_an_error() {
    let nested = |depth: usize| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse_filter(&nested(64)).is_ok());
    let error = parse_filter(&nested(65)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column 65: found \"(\"; expected at most 64 nested parentheses and negations"
    );
    assert!(parse_filter(&format!("{}a = 1", "!".repeat(65))).is_err());
    for text in ["(".repeat(100_000), "!".repeat(100_000), "not ".repeat(100_000)] {
        assert!(parse_filter(&text).is_err());
        assert!(parse_power_query(&text).is_err());
    }
    assert!(parse_power_query(&format!("* | let a = {}1{}", "(".repeat(65), ")".repeat(65))).is_err());
}

#[test]
fn syntax_error_render_marks_the_place_in_characters() {
    let text = "x = 1\n\tüü = 'ß' ~";
    let error = parse_filter(text).unwrap_err();
    assert_eq!(error.render(text), " üü = 'ß' ~\n          ^");
    assert_eq!((error.line(), error.column()), (2, 11));
    let error = parse_filter("a = 'x").unwrap_err();
    assert!(error.help().unwrap().contains("backslash"));
    let text = r#"a = "x\" or b = "\y\"z""#;
    let error = parse_filter(text).unwrap_err();
    assert_eq!(error.column(), 18);
    assert!(error.help().unwrap().contains("backslash"));
}

#[test]
fn translate_power_query_refusals_name_the_place() {
    let cases = [
        ("* | group a = first(x) by y", "first"),
        ("* | group last(x)", "last"),
        ("* | group p = percentile(x, 75)", "percentile"),
        ("* | group p = percentile(x)", "percentile"),
        ("* | columns Unheard", "Unheard"),
        ("* | sort -Unheard", "Unheard"),
        ("* | filter SrcProcName ContainsCIS x", "x"),
        ("Unheard = 1 | limit 5", "Unheard"),
    ];
    for (text, place) in cases {
        let error = translate_power_query(text).unwrap_err();
        assert_eq!(error.span().slice(text), place, "{error}");
        assert!(error.help().is_some());
        assert!(error.syntax_error().is_none());
    }
    let error = translate_power_query("* | group a = first(x) by y").unwrap_err();
    assert_eq!(error.help(), Some("use min_by(x, timestamp)"));
}
