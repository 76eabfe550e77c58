//! Power queries.

use super::*;

fn translated_query(text: &str) -> String {
    let output = translate_power_query(text).unwrap_or_else(|error| panic!("{text}: {error}")).text;
    assert_eq!(translate_power_query(&output).unwrap().text, output);
    output
}

fn unsupported(text: &str) -> Vec<String> {
    let query = parse_power_query(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let words = query.stages.iter().filter_map(|stage| match stage {
        Stage::Unsupported(stage) => {
            assert_eq!(stage.word_span.slice(text), stage.word);
            Some(stage.word.clone())
        }
        _ => None,
    });
    words.collect()
}

#[test]
fn parse_power_query_reads_all_supported_stages() {
    let text = "a.b = 'x' | columns a.b, c = d.e | group n=count(), m = MAX(x), min_by(x, y) by f, g = h | sort -n, +a, b | limit 10 | filter n >= 5 or m = *";
    let query = parse_power_query(text).unwrap();
    assert_eq!(query.filter.span().slice(text), "a.b = 'x'");
    let [
        Stage::Columns { columns, .. },
        Stage::Group { aggregates, by, span },
        Stage::Sort { keys, .. },
        Stage::Limit { rows, .. },
        Stage::Filter { filter, .. },
    ] = query.stages.as_slice()
    else {
        panic!("{:?}", query.stages);
    };
    let names: Vec<_> = columns.iter().map(|column| (column.name(), column.source.text.as_str())).collect();
    assert_eq!(names, [("a.b", "a.b"), ("c", "d.e")]);
    assert_eq!(span.slice(text), "group n=count(), m = MAX(x), min_by(x, y) by f, g = h");
    let functions: Vec<_> = aggregates
        .iter()
        .map(|aggregate| {
            (
                aggregate.alias.as_ref().map(|name| name.text.as_str()),
                aggregate.function,
                aggregate.arguments.len(),
            )
        })
        .collect();
    assert_eq!(
        functions,
        [
            (Some("n"), AggregateFunction::Count, 0),
            (Some("m"), AggregateFunction::Max, 1),
            (None, AggregateFunction::MinBy, 2)
        ]
    );
    assert_eq!(by.iter().map(Column::name).collect::<Vec<_>>(), ["f", "g"]);
    let keys: Vec<_> = keys.iter().map(|key| (key.column.text.as_str(), key.is_descending)).collect();
    assert_eq!(keys, [("n", true), ("a", false), ("b", false)]);
    assert_eq!(*rows, 10);
    assert!(matches!(filter, Filter::Or { .. }));
}

#[test]
fn parse_power_query_of_every_function_reads_it() {
    for function in [
        "count()",
        "sum(a)",
        "min(a)",
        "max(a)",
        "avg(a)",
        "average(a)",
        "estimate_distinct(a)",
        "min_by(a, b)",
        "max_by(a, b)",
    ] {
        assert_eq!(unsupported(&format!("* | group {function} by c")), [""; 0], "{function}");
    }
}

#[test]
fn parse_power_query_without_filter_selects_everything() {
    for text in ["| limit 5", "* | limit 5", "filter a = 1 | limit 5"] {
        assert_eq!(parse_power_query(text).unwrap().stages.len(), 1);
    }
    assert!(matches!(parse_power_query("| limit 5").unwrap().filter, Filter::Everything { .. }));
    assert!(matches!(parse_power_query("filter a = 1 | limit 5").unwrap().filter, Filter::Comparison(_)));
}

#[test]
fn parse_power_query_other_stages_name_their_word() {
    let cases: &[(&str, &[&str])] = &[
        ("* | let a = b + 1 / 2 % {c} ? [d] : ~e", &["let"]),
        ("* | parse 'x | $a{regex=[^\"]+}$' from message | limit 5", &["parse"]),
        ("* | join a = (b = 1 | group count()), c = (*) on d | sort -x", &["join"]),
        ("join (a = 1 | limit 5), (b = 2) on c | limit 5", &["join"]),
        ("| datasource alerts | columns siteId", &["datasource"]),
        ("* | group hosts = any(a), n = count() by b", &["any"]),
        ("* | group count(a = 1)", &["count"]),
        ("* | group n = count() by d = timebucket('1d'), action", &["timebucket"]),
        ("* | columns a = upper(b)", &["upper"]),
        ("* | filter a > b + 1", &["filter"]),
        ("* | filter", &["filter"]),
        ("* | limit", &["limit"]),
        ("* | limit x", &["limit"]),
        ("* | sort a desc", &["sort"]),
        ("* | transpose a on b | nolimit", &["transpose", "nolimit"]),
    ];
    for (text, words) in cases {
        assert_eq!(unsupported(text), *words, "{text}");
    }
}

#[test]
fn parse_power_query_malformed_text_is_an_error() {
    let cases = [
        ("* | let a = 'x", "column 13: found a string that is not closed; expected a closing quote"),
        ("* | let a = (1", "column 15: found the end of the query; expected \")\""),
        ("* | let a = 1)", "column 14: found \")\"; expected \"(\" before \")\""),
        ("* | | limit 5", "column 5: found \"|\"; expected a command after \"|\""),
        ("* |", "column 4: found the end of the query; expected a command after \"|\""),
        (
            "a = | limit 5",
            "column 5: found \"|\"; expected a string in quotes, a number, true, false, null or \"*\"",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_power_query(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn translate_power_query_translates_filters_names_and_functions() {
    let cases = [
        (
            r#"EventType = "Process Creation" | columns SrcProcName, n = TgtProcName | sort -SrcProcName | limit 5"#,
            r#"event.type = "Process Creation" | columns src.process.name, n = tgt.process.name | sort -src.process.name | limit 5"#,
        ),
        (
            "DstIP = * | group n = count_distinct(EndpointName), p = percentile( DstPort , 95 ), m = max(SrcPort) BY DstIP, Hash = Sha1 | sort -n, Hash | filter Hash Exists",
            "dst.ip.address = * | group n = estimate_distinct(endpoint.name), p = p95( dst.port.number  ), m = max(src.port.number) BY dst.ip.address, Hash = sha1 | sort -n, Hash | filter Hash = *",
        ),
        ("a.b = null | filter c != null and not d == null", "!(a.b = *) | filter c = * and not (!(d = *))"),
        ("* | group p50 = percentile(number(a.b), 50)", "* | group p50 = p50(number(a.b))"),
        (
            "* | let x = len(SrcProcName) | filter X > 5 | columns X",
            "* | let x = len(src.process.name) | filter X > 5 | columns X",
        ),
        (
            "* | join a = (SrcProcName = 'x' | group count() by DstIP) on DstIP",
            "* | join a = (src.process.name = 'x' | group count() by dst.ip.address) on dst.ip.address",
        ),
        ("SrcProcName = 'x' | sort url", "src.process.name = 'x' | sort url.address"),
        ("* | filter NOT SrcProcName Is Empty", "* | filter NOT (!(src.process.name = *))"),
    ];
    for (text, expected) in cases {
        assert_eq!(translated_query(text), expected);
    }
}

#[test]
fn translate_power_query_of_2_keeps_all_bytes() {
    let queries = [
        "src.process.name='curl' dst.port.number=* | group hits=count() by dst.ip.address | sort -hits | limit 25",
        "endpoint.os = * | columns when = event.time, host = endpoint.name | sort -when",
        "event.dns.request = *\n| group n=count() by endpoint.name   , slot = timebucket(timestamp, \"5m\") \n| filter  n >= 30 // a comment\n",
        "a.b contains \"x\"\n| let text = format(\"%d of %s\", n, endpoint.name)\n| columns text",
        "* | parse '\"user\": \"$label{regex=[^\"]+}$\"' from message | group n = count() by OwnLabel",
        "| group n = count()",
    ];
    for query in queries {
        assert_eq!(translated_query(query), query);
    }
}
