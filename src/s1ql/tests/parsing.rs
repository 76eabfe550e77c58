//! Syntax trees of filters.

use super::*;

/// Returns a filter in words, with its structure in parentheses.
fn shape(filter: &Filter) -> String {
    let join = |word: &str, terms: &[Filter]| {
        let terms: Vec<_> = terms.iter().map(shape).collect();
        format!("({word} {})", terms.join(" "))
    };
    match filter {
        Filter::And { terms, .. } => join("and", terms),
        Filter::Or { terms, .. } => join("or", terms),
        Filter::Not { term, .. } => format!("(not {})", shape(term)),
        Filter::Comparison(comparison) => comparison.field.text.clone(),
        Filter::Text(text) => format!("'{}'", text.value),
        Filter::Everything { .. } => "*".to_owned(),
    }
}

#[test]
fn parse_filter_precedence_is_not_and_or() {
    let cases = [
        ("a=1 or b=1 and c=1", "(or a (and b c))"),
        ("a=1 b=1 or c=1", "(or (and a b) c)"),
        ("not a=1 b=1", "(and (not a) b)"),
        ("!(a=1 or b=1) && c=1 || d=1", "(or (and (not (or a b)) c) d)"),
        ("not not a=1", "(not (not a))"),
        ("a=1 \"x\" * and 'y'", "(and a 'x' * 'y')"),
        ("a=*b=*", "(and a b)"),
        ("((a=1))", "a"),
        ("", "*"),
        ("a Exists b Is Empty c Between 1 And 2 and d=1", "(and a b c d)"),
        ("a=1 NOT b in ('x') AND(c=1)OR(d=1)", "(or (and a (not b) c) d)"),
        ("a in ('x','y') b=1", "(and a b)"),
        ("a Not In ('x') not in=1", "(and a (not in))"),
    ];
    for (text, expected) in cases {
        assert_eq!(shape(&parse_filter(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn parse_filter_spans_cover_their_text() {
    let text = " a.b  contains:anycase ( 'x', -1.5 ) or not f !matches \"y\" ";
    let filter = parse_filter(text).unwrap();
    assert_eq!(filter.span().slice(text), text.trim());
    let comparisons = comparisons(&filter);
    assert_eq!(comparisons[0].span.slice(text), "a.b  contains:anycase ( 'x', -1.5 )");
    assert_eq!(comparisons[0].operator_span.slice(text), "contains:anycase");
    assert_eq!(comparisons[0].list.unwrap().slice(text), "( 'x', -1.5 )");
    assert_eq!(comparisons[0].values[1].span.slice(text), "-1.5");
    assert_eq!(comparisons[1].operator_span.slice(text), "!matches");
    assert!(comparisons[1].is_negated);
}

#[test]
fn parse_filter_values_have_their_kinds() {
    let filter = parse_filter("a = 1 b = -2.5 c = TRUE d = false e = null f = * g = \"\" h = +7").unwrap();
    let kinds: Vec<_> =
        comparisons(&filter).iter().map(|comparison| comparison.values[0].kind.clone()).collect();
    let number = |raw: &str, value| ValueKind::Number { raw: raw.to_owned(), value };
    assert_eq!(kinds[0], number("1", 1.0));
    assert_eq!(kinds[1], number("-2.5", -2.5));
    assert_eq!(kinds[2], ValueKind::Boolean(true));
    assert_eq!(kinds[3], ValueKind::Boolean(false));
    assert_eq!(kinds[4], ValueKind::Null);
    assert_eq!(kinds[5], ValueKind::Wildcard);
    assert!(matches!(&kinds[6], ValueKind::Text(text) if text.value.is_empty() && text.raw == "\"\""));
    assert_eq!(kinds[7], number("+7", 7.0));
}

#[test]
fn text_escapes_have_the_value_of_each_version() {
    let cases = [
        (r#""a\\b""#, r"a\b", r"a\\b"),
        (r#""a\/b""#, "a/b", r"a\/b"),
        (r#""a\"b""#, r#"a"b"#, r#"a"b"#),
        (r#""a\'b""#, "a'b", r"a\'b"),
        (r#"'a\'b'"#, "a'b", "a'b"),
        (r#""a\nb\W""#, r"a\nb\W", r"a\nb\W"),
        (r#""\\""#, r"\", r"\\"),
    ];
    for (raw, version_2, version_1) in cases {
        let text = first_text(&parse_filter(&format!("a = {raw}")).unwrap());
        assert_eq!((text.raw.as_str(), text.value.as_str()), (raw, version_2));
        assert_eq!(text.version_1_value(), version_1);
    }
}
