//! Properties of generated queries.

use proptest::prelude::*;

use super::*;

fn name() -> impl Strategy<Value = String> {
    let rows = QUERY_FIELDS.to_vec();
    let table = proptest::sample::select(rows);
    (table, 0..4_u8).prop_map(|((version_1, version_2), form)| match form {
        0 => version_2.to_owned(),
        1 => version_1.to_lowercase(),
        _ => version_1.to_owned(),
    })
}

/// Strings without both kinds of quotes, as they are written.
fn text() -> impl Strategy<Value = String> {
    let content =
        proptest::string::string_regex(r#"([a-zA-Z0-9 /.*+?()\[\]^$|{}üß:;,=!-]|\\[a-z\\./"]){0,12}"#);
    content.unwrap().prop_map(|content| format!("\"{content}\""))
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![4 => text(), 1 => "-?[0-9]{1,6}(\\.[0-9]{1,3})?", 1 => "(true|false|null|\\*)"]
}

fn list() -> impl Strategy<Value = String> {
    proptest::collection::vec(value(), 1..4).prop_map(|values| format!("({})", values.join(", ")))
}

fn comparison() -> impl Strategy<Value = String> {
    let alone = proptest::sample::select(vec!["Exists", "is not empty", "Is Empty", "IS TRUE", "is False"]);
    let one = proptest::sample::select(vec!["=", "!=", "==", "<", "<=", ">", ">="]);
    let text_operator = proptest::sample::select(vec![
        "StartsWith",
        "StartsWithCIS",
        "startswith anycase",
        "EndsWith",
        "endswithCIS",
        "EndsWith Anycase",
        "RegExp",
    ]);
    let many = proptest::sample::select(vec![
        "Contains",
        "ContainsCIS",
        "contains anycase",
        "In",
        "In Anycase",
        "Not In",
        "NotIn",
        "In Contains",
        "In Contains Anycase",
        "Does Not Contain",
        "Does Not ContainCIS",
        "contains:anycase",
        "contains:matchcase",
        "in:anycase",
        "matches",
        "!contains",
        "!in",
        "matches:anycase",
    ]);
    prop_oneof![
        (name(), alone).prop_map(|(name, operator)| format!("{name} {operator}")),
        (name(), one, value()).prop_map(|(name, operator, value)| format!("{name}{operator}{value}")),
        (name(), text_operator, text())
            .prop_map(|(name, operator, text)| format!("{name} {operator} {text}")),
        (name(), many.clone(), list()).prop_map(|(name, operator, list)| format!("{name} {operator}{list}")),
        (name(), many, value()).prop_map(|(name, operator, value)| format!("{name} {operator} {value}")),
        (name(), value(), value()).prop_map(|(name, from, to)| format!("{name} Between {from} And {to}")),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    let term = prop_oneof![8 => comparison(), 1 => text(), 1 => Just("*".to_owned())];
    term.prop_recursive(4, 24, 3, |inner| {
        let joint = proptest::sample::select(vec![" and ", " OR ", " ", " && ", "\n", " || ", " /* c */ "]);
        prop_oneof![
            (inner.clone(), joint, inner.clone())
                .prop_map(|(left, joint, right)| format!("{left}{joint}{right}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.clone().prop_map(|inner| format!("not {inner}")),
            inner.prop_map(|inner| format!("!({inner}) // c\n")),
        ]
    })
}

/// Returns the value that a string of a comparison has in 2.0 after the translation.
fn expected_value(comparison: &Comparison, text: &Text, is_version_1_name: bool) -> String {
    use Operator as O;
    let is_common = matches!(
        comparison.operator,
        O::Equal
            | O::NotEqual
            | O::Less
            | O::LessOrEqual
            | O::Greater
            | O::GreaterOrEqual
            | O::Contains
            | O::In
    );
    let is_version_1 =
        comparison.operator.is_version_1() || (is_version_1_name && is_common && !comparison.is_negated);
    if is_version_1 { text.version_1_value() } else { text.value.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn translate_generated_filter_is_idempotent(text in filter()) {
        let filter = parse_filter(&text).unwrap();
        let first = match translate(&text) {
            Ok(translation) => translation,
            // Only a string with both quotes is refused; the strategy has none, since it has double quotes only.
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let second = translate(&first.text).unwrap();
        prop_assert_eq!(&second.text, &first.text);
        prop_assert_eq!(second.changes, vec![]);
        prop_assert!(!is_version_1(&first.text));
        if version_1_parts(&filter).is_empty() {
            prop_assert_eq!(&first.text, &text);
        }
    }

    #[test]
    fn translate_generated_filter_keeps_structure(text in filter()) {
        let before = parse_filter(&text).unwrap();
        let lower_case = versions::lower_case(&[&before]);
        let after = parse_filter(&translate(&text).unwrap().text).unwrap();
        prop_assert_eq!(structure(&before, lower_case), structure(&after, lower_case));
    }

    #[test]
    fn translate_generated_filter_keeps_values_of_strings(text in filter()) {
        let before = parse_filter(&text).unwrap();
        let after = parse_filter(&translate(&text).unwrap().text).unwrap();
        let names: Vec<_> = version_1_parts(&before).into_iter().filter(|part| part.kind == PartKind::Name).map(|part| part.span).collect();
        let texts = |comparison: &Comparison| -> Vec<Text> {
            comparison.values.iter().filter_map(|value| match &value.kind {
                ValueKind::Text(text) => Some(text.clone()),
                _ => None,
            }).collect()
        };
        let after: Vec<_> = comparisons(&after).into_iter().flat_map(texts).collect();
        let mut values = after.iter();
        for comparison in comparisons(&before) {
            let has_name = names.contains(&comparison.field.span);
            for text in texts(comparison) {
                let expected = expected_value(comparison, &text, has_name);
                let found = &values.next().unwrap().value;
                use LegacyOperator as L;
                match comparison.operator {
                    Operator::Legacy(L::RegExp) => prop_assert_eq!(found, expected.strip_prefix("(?i)").unwrap_or(&expected)),
                    Operator::Legacy(L::StartsWith | L::StartsWithCis | L::StartsWithAnycase) => {
                        prop_assert_eq!(unescaped(found.strip_prefix('^').unwrap()).to_lowercase(), expected.to_lowercase());
                    }
                    Operator::Legacy(L::EndsWith | L::EndsWithCis | L::EndsWithAnycase) => {
                        prop_assert_eq!(unescaped(found.strip_suffix('$').unwrap()).to_lowercase(), expected.to_lowercase());
                    }
                    _ => prop_assert!(*found == expected || (is_category(comparison) && *found == expected.to_lowercase())),
                }
            }
        }
        prop_assert!(values.next().is_none());
    }

    #[test]
    fn translate_generated_filter_edits_listed_places_only(text in filter()) {
        let translation = translate(&text).unwrap();
        prop_assert!(translation.changes.is_sorted_by_key(|change| change.span));
        for change in &translation.changes {
            prop_assert_ne!(&change.from, &change.to);
            prop_assert_eq!(change.span.slice(&text), &change.from);
        }
        // Whitespace, comments and keywords between comparisons stay.
        let skeleton = |text: &str| -> Vec<String> {
            let filter = parse_filter(text).unwrap();
            let comparisons = comparisons(&filter);
            let mut ends: Vec<usize> = vec![0];
            ends.extend(comparisons.iter().map(|comparison| comparison.span.end));
            let gaps = comparisons.iter().zip(ends).map(|(comparison, end)| text[end..comparison.span.start].replace([')', '('], ""));
            gaps.collect()
        };
        let has_added_terms = translation.changes.iter().any(|change| change.to.contains('…'));
        if !has_added_terms {
            prop_assert_eq!(skeleton(&text), skeleton(&translation.text));
        }
    }

    #[test]
    fn parsers_of_arbitrary_text_do_not_panic(text in any::<String>()) {
        no_panic(&text);
    }

    #[test]
    fn parsers_of_arbitrary_tokens_do_not_panic(
        parts in proptest::collection::vec(
            prop_oneof![
                comparison(),
                name(),
                value(),
                "[(){}|!=<>*,:+\\-'\"\\\\/#$%ü\n]{1,3}",
                proptest::sample::select(vec![
                    "and", "or", "not", "in", "contains", "|", "group", "count()", "by", "columns", "sort", "limit",
                    "filter", "Between", "Is", "Empty", "Does", "percentile(", "first(x)", "join", "(", ")", "null", "let", "=",
                ]).prop_map(str::to_owned),
            ],
            0..16,
        ),
        joint in "[ \n]?",
    ) {
        no_panic(&parts.join(&joint));
    }
}

fn no_panic(text: &str) {
    if let Err(error) = parse_filter(text) {
        let _ = error.render(text);
        assert!(!error.to_string().contains('\n'));
        assert!(text.get(error.span().start..error.span().end).is_some());
    }
    if let Err(error) = parse_power_query(text) {
        let _ = error.render(text);
        assert!(text.get(error.span().start..error.span().end).is_some());
    }
    if let Ok(first) = translate(text) {
        assert_eq!(translate(&first.text).unwrap().text, first.text);
    }
    match translate_power_query(text) {
        Ok(first) => {
            assert!(first.changes.is_sorted_by_key(|change| change.span), "{first:?}");
            assert_eq!(translate_power_query(&first.text).unwrap().text, first.text);
        }
        Err(error) => drop(error.render(text)),
    }
    is_version_1(text);
}

/// Returns the structure of a filter in 2.0, with names, operators and the number of values.
fn structure(filter: &Filter, lower_case: names::LowerCase) -> String {
    let join = |word: &str, terms: &[Filter]| {
        let terms: Vec<_> = terms.iter().map(|term| structure(term, lower_case)).collect();
        format!("({word} {})", terms.join(" "))
    };
    match filter {
        Filter::And { terms, .. } => join("and", terms),
        Filter::Or { terms, .. } => join("or", terms),
        Filter::Not { term, .. } => format!("(not {})", structure(term, lower_case)),
        Filter::Text(text) => text.raw.clone(),
        Filter::Everything { .. } => "*".to_owned(),
        Filter::Comparison(comparison) => {
            let name = match names::resolve(&comparison.field.text, lower_case) {
                names::Resolution::Version1 { version_2, .. } => version_2,
                _ => &comparison.field.text,
            };
            let count = comparison.values.len().max(1);
            let with = |operator: &str| format!("{name} {operator} {count}");
            use LegacyOperator as L;
            match comparison.operator {
                Operator::Legacy(operator) => match operator {
                    L::ContainsCis | L::ContainsAnycase | L::InContainsAnycase => with("contains"),
                    L::InContains => with("contains:matchcase"),
                    L::DoesNotContainCis => format!("(not {})", with("contains")),
                    L::DoesNotContain => format!("(not {})", with("contains:matchcase")),
                    L::InAnycase => with("in:anycase"),
                    L::NotIn => format!("(not {})", with("in")),
                    L::Exists | L::IsNotEmpty | L::IsTrue | L::IsFalse => with("="),
                    L::IsEmpty => format!("(not {})", with("=")),
                    L::Between => format!("(and {name} >= 1 {name} <= 1)"),
                    _ => with("matches"),
                },
                operator => {
                    let negation = if comparison.is_negated { "!" } else { "" };
                    with(&format!("{negation}{}", operator.version_2_text().unwrap()))
                }
            }
        }
    }
}

fn is_category(comparison: &Comparison) -> bool {
    comparison.field.text.eq_ignore_ascii_case("ObjectType")
}

/// Removes the backslashes of a pattern for a string.
fn unescaped(pattern: &str) -> String {
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}
