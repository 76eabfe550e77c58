//! Tests of parser and translator.

mod operators;
mod parsing;
mod pipelines;
mod properties;
mod refusals;

use sentinelone_raw::query_fields::QUERY_FIELDS;

use super::*;

/// Returns the 2.0 text of a filter and checks that a second translation does not change it.
fn translated(text: &str) -> String {
    let output = translate(text).unwrap_or_else(|error| panic!("{text}: {error}")).text;
    let again = translate(&output).unwrap_or_else(|error| panic!("{output}: {error}"));
    assert_eq!(again.text, output, "{text}");
    assert_eq!(again.changes, [], "{output}");
    assert!(!is_version_1(&output), "{output}");
    output
}

/// Returns the comparisons of a filter.
fn comparisons(filter: &Filter) -> Vec<&Comparison> {
    let mut comparisons = Vec::new();
    filter.for_each_comparison(&mut |comparison| comparisons.push(comparison));
    comparisons
}

/// Returns the first string of a filter.
fn first_text(filter: &Filter) -> Text {
    let comparisons = comparisons(filter);
    match &comparisons[0].values[0].kind {
        ValueKind::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn translate_every_name_of_the_table_returns_name_of_2() {
    for (version_1, version_2) in QUERY_FIELDS {
        assert_eq!(translated(&format!("{version_1} = \"x\"")), format!("{version_2} = \"x\""));
        assert_eq!(translated(&format!("{version_2} = \"x\"")), format!("{version_2} = \"x\""));
        // Words in lower case are names of 1.0 next to a part of 1.0, unless 2.0 has them.
        let lower_case = version_1.to_lowercase();
        let expected = format!("{version_2} contains \"x\"");
        assert_eq!(translated(&format!("{lower_case} ContainsCIS \"x\"")), expected);
        let upper_case = version_1.to_uppercase();
        assert_eq!(translated(&format!("{upper_case} Exists")), format!("{version_2} = *"));
    }
}

#[test]
fn translate_lower_case_word_without_other_1_0_part_keeps_it() {
    for text in
        ["url = 'x'", "dns = 'x' and eventtype = 'y'", "class_uid = 3002 || class_uid = 4001", "uid = '1'"]
    {
        assert_eq!(translated(text), text);
        assert!(!is_version_1(text));
    }
    assert_eq!(translated("url = 'x' and SrcProcName = 'y'"), "url.address = 'x' and src.process.name = 'y'");
}

#[test]
fn translate_object_type_returns_category_in_lower_case() {
    let cases = [
        (r#"ObjectType = "PROCESS""#, r#"event.category = "process""#),
        (r#"ObjectType In ("FILE", "Dns")"#, r#"event.category in ("file", "dns")"#),
        (r#"ObjectType != 'IP'"#, r#"event.category != 'ip'"#),
        (r#"ObjectType == "URL""#, r#"event.category == "url""#),
        (r#"ObjectType RegExp "\S+""#, r#"event.category matches "\\S+""#),
        (r#"event.category = "PROCESS""#, r#"event.category = "PROCESS""#),
        (r#"ObjectType = "process""#, r#"event.category = "process""#),
    ];
    for (text, expected) in cases {
        assert_eq!(translated(text), expected);
    }
}

#[test]
fn translate_module_load_returns_value_of_2() {
    assert_eq!(translated(r#"EventType = "ModuleLoad""#), r#"event.type = "Module Load""#);
    assert_eq!(translated(r#"EventType In ("ModuleLoad","x")"#), r#"event.type in ("Module Load","x")"#);
    assert_eq!(translated(r#"event.type = "ModuleLoad""#), r#"event.type = "ModuleLoad""#);
}

#[test]
fn translate_strings_of_1_0_escapes_them_for_2() {
    let cases = [
        (r#"FilePath = "C:\Temp/a""#, r#"filepath = "C:\\Temp\/a""#),
        (r#"SrcProcCmdLine Contains "IPConfig /all""#, r#"src.process.cmdline contains "IPConfig \/all""#),
        (r#"SrcProcCmdLine = "say \"hi\"""#, r#"src.process.cmdline = 'say "hi"'"#),
        (r#"SrcProcCmdLine = 'it\'s'"#, r#"src.process.cmdline = "it's""#),
        (r#"SrcProcCmdLine = "it's""#, r#"src.process.cmdline = "it's""#),
        (r#"SrcProcImagePath = "\\srv\share""#, r#"src.process.image.path = "\\\\srv\\share""#),
        (r#"SrcProcName = "Ünï 🦀""#, r#"src.process.name = "Ünï 🦀""#),
        // Strings of 2.0 stay.
        (r#"tgt.file.path contains "C:\\Temp\x""#, r#"tgt.file.path contains "C:\\Temp\x""#),
        (r#"tgt.file.path Contains "C:\\Temp/x""#, r#"tgt.file.path Contains "C:\\Temp/x""#),
        (r#"SrcProcName matches "\\.exe""#, r#"src.process.name matches "\\.exe""#),
        (r#"SrcProcName contains:anycase "a\\b""#, r#"src.process.name contains:anycase "a\\b""#),
        (r#"SrcProcName == "a\\b""#, r#"src.process.name == "a\\b""#),
        (r#"SrcProcName !contains "a\\b""#, r#"src.process.name !contains "a\\b""#),
        // The operator is one of 1.0.
        (r#"tgt.file.path ContainsCIS "C:\Temp""#, r#"tgt.file.path contains "C:\\Temp""#),
        (r#""free \ text" FilePath Exists"#, r#""free \ text" filepath = *"#),
    ];
    for (text, expected) in cases {
        assert_eq!(translated(text), expected);
    }
}

#[test]
fn translate_keeps_whitespace_comments_and_case_of_other_parts() {
    let text =
        "( SrcProcName  =\t\"a\" ) // SrcProcName = \"b\"\n\r\n  aNd/* DNS */NOT(TgtProcName Is\n Empty)  ";
    let expected = "( src.process.name  =\t\"a\" ) // SrcProcName = \"b\"\n\r\n  aNd/* DNS */NOT(!(tgt.process.name = *))  ";
    let output = translate(text).unwrap().text;
    assert_eq!(output, expected);
}

#[test]
fn translate_filter_of_2_keeps_all_bytes() {
    let filters = [
        "",
        "  ",
        "*",
        "dataSource.name='SentinelOne' dataSource.category='security'",
        "i.scheme=\"edr\"",
        "dataSource.name = 'SentinelOne' and event.type = 'Process Creation'",
        "(#cmdline matches:anycase 'TerminateProcess' OR cmdScript.content matches:anycase 'x') a.b != 'C (P)' not(#cmdline contains:anycase 'S')",
        "/* Logs */\n\n(\n  event.type = \"FileCreate\"\n  OR event.type = \"FileWrite\"\n)\nAND tgt.file.path contains:anycase \"C:\\\\PerfLogs\\\\\"\nAND NOT (src.process.name contains:anycase \"perfmon\")",
        "src.process.image.path !contains \"x\" && !(a.b in:matchcase ('a', \"b\")) || $serverHost == \"h\"",
        "a.b = * and !(c.d = *) and e >= -1.5 and f < 3 and g = true and h != FALSE and i = null",
        "event.dns.response matches '[A-Za-z0-9+/]{20,}\\.'",
        "not not ! a = 1",
        "a.b contains ('x','y') \"free text\" 'more'",
        "src.process.cmdline contains \"\\\\u00e9 \\n \\/ \\\" '\"",
    ];
    for filter in filters {
        assert_eq!(translated(filter), filter);
    }
}

#[test]
fn translate_changes_name_places_and_parts() {
    let text = r#"SrcProcName Does Not Contain "a/b" and Dstip = "1""#;
    let translation = translate(text).unwrap();
    let changes: Vec<_> = translation
        .changes
        .iter()
        .map(|change| (change.kind, change.from.as_str(), change.to.as_str(), change.note.is_some()))
        .collect();
    assert_eq!(
        changes,
        [
            (ChangeKind::Name, "SrcProcName", "src.process.name", false),
            (ChangeKind::Operator, "Does Not Contain", "NOT (… contains:matchcase …)", true),
            (ChangeKind::Value, "\"a/b\"", r#""a\/b""#, false),
            (ChangeKind::Name, "Dstip", "dst.ip.address", true),
        ]
    );
    for change in &translation.changes {
        assert_eq!(change.span.slice(text), change.from);
    }
}

#[test]
fn translate_doubled_backslash_of_1_0_has_note() {
    let translation = translate(r#"FilePath = "C:\\Temp""#).unwrap();
    let value = translation.changes.iter().find(|change| change.kind == ChangeKind::Value).unwrap();
    assert!(value.note.unwrap().contains("backslash"));
}

#[test]
fn version_1_parts_of_mixed_filter_lists_names_and_operators() {
    let filter = parse_filter(r#"src.process.name = "a" and url EndsWith "b" or Sha1 Exists"#).unwrap();
    let parts: Vec<_> = version_1_parts(&filter)
        .into_iter()
        .map(|part| (part.kind, part.span.start, part.replacement))
        .collect();
    assert_eq!(
        parts,
        [
            (PartKind::Name, 27, "url.address".to_owned()),
            (PartKind::Operator, 31, "matches".to_owned()),
            (PartKind::Name, 47, "sha1".to_owned()),
            (PartKind::Operator, 52, "= *".to_owned()),
        ]
    );
}
