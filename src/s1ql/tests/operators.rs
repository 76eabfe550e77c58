//! Rows of both operator tables.

use super::*;

#[test]
fn translate_every_operator_of_the_table_returns_operator_of_2() {
    let cases = [
        (r#"= "x""#, r#"src.process.name = "x""#),
        (r#"!= "x""#, r#"src.process.name != "x""#),
        (r#"== "x""#, r#"src.process.name == "x""#),
        ("> 5", "src.process.name > 5"),
        (r#">= "5""#, r#"src.process.name >= "5""#),
        ("< 5", "src.process.name < 5"),
        ("<= -5.25", "src.process.name <= -5.25"),
        (r#"Contains "x""#, r#"src.process.name contains "x""#),
        (r#"ContainsCIS "x""#, r#"src.process.name contains "x""#),
        (r#"Contains Anycase "x""#, r#"src.process.name contains "x""#),
        (r#"Contains ("x", "y")"#, r#"src.process.name contains ("x", "y")"#),
        (r#"Contains  AnyCase ("x","y")"#, r#"src.process.name contains ("x","y")"#),
        (r#"StartsWith "a.b\c""#, r#"src.process.name matches "^a\\.b\\\\c""#),
        (r#"StartsWithCIS "a/(b)""#, r#"src.process.name matches "^a/\\(b\\)""#),
        (r#"StartsWith Anycase "a$""#, r#"src.process.name matches "^a\\$""#),
        (r#"EndsWith ".exe""#, r#"src.process.name matches "\\.exe$""#),
        (r#"EndsWithCIS "\cmd.exe""#, r#"src.process.name matches "\\\\cmd\\.exe$""#),
        (r#"EndsWith Anycase 'x"y'"#, r#"src.process.name matches 'x"y$'"#),
        (r#"RegExp "Set\s+-V\.\\Device""#, r#"src.process.name matches "Set\\s+-V\\.\\\\Device""#),
        (r#"RegExp "(?i)[-\/]f(?:orce)*\s""#, r#"src.process.name matches "[-\\/]f(?:orce)*\\s""#),
        (r#"RegExp "a(?i)b""#, r#"src.process.name matches "a(?i)b""#),
        (r#"In ("x", "y")"#, r#"src.process.name in ("x", "y")"#),
        (r#"In "x""#, r#"src.process.name in ("x")"#),
        (r#"In Anycase ("x")"#, r#"src.process.name in:anycase ("x")"#),
        (r#"In Anycase "x""#, r#"src.process.name in:anycase ("x")"#),
        (r#"Not In ("x", 'y')"#, r#"NOT (src.process.name in ("x", 'y'))"#),
        (r#"NotIn "x""#, r#"NOT (src.process.name in ("x"))"#),
        (r#"In Contains Anycase ("x","y")"#, r#"src.process.name contains ("x","y")"#),
        (r#"In Contains ("x")"#, r#"src.process.name contains:matchcase ("x")"#),
        (r#"Does Not ContainCIS "x""#, r#"NOT (src.process.name contains "x")"#),
        (r#"Does Not Contain Anycase "x""#, r#"NOT (src.process.name contains "x")"#),
        (r#"Does Not Contain "x""#, r#"NOT (src.process.name contains:matchcase "x")"#),
        ("Exists", "src.process.name = *"),
        ("Is Not Empty", "src.process.name = *"),
        ("Is Empty", "!(src.process.name = *)"),
        ("Is True", "src.process.name = true"),
        ("Is False", "src.process.name = false"),
        ("Between 1 And 2", "(src.process.name >= 1 and src.process.name <= 2)"),
        (r#"Between "1" And "2""#, r#"(src.process.name >= "1" and src.process.name <= "2")"#),
        // Operators of 2.0.
        (r#"contains:anycase "x""#, r#"src.process.name contains:anycase "x""#),
        (r#"contains:matchcase "x""#, r#"src.process.name contains:matchcase "x""#),
        (r#"in:anycase ("x")"#, r#"src.process.name in:anycase ("x")"#),
        (r#"in:matchcase ("x")"#, r#"src.process.name in:matchcase ("x")"#),
        (r#"matches "x""#, r#"src.process.name matches "x""#),
        (r#"matches:anycase "x""#, r#"src.process.name matches:anycase "x""#),
        (r#"matches:matchcase "x""#, r#"src.process.name matches:matchcase "x""#),
        (r#"!contains "x""#, r#"src.process.name !contains "x""#),
        (r#"!in ("x")"#, r#"src.process.name !in ("x")"#),
        ("= *", "src.process.name = *"),
    ];
    for (operator, expected) in cases {
        for spelled in [
            operator.to_owned(),
            operator_in_case(operator, str::to_lowercase),
            operator_in_case(operator, str::to_uppercase),
        ] {
            assert_eq!(
                translated(&format!("SrcProcName {spelled}")),
                kept_case(&spelled, expected),
                "{spelled}"
            );
        }
        // The same between other terms.
        let text = format!("(a.b = 1 SrcProcName {operator}) or (TgtProcName Exists)");
        assert_eq!(translated(&text), format!("(a.b = 1 {expected}) or (tgt.process.name = *)"));
        // With a name of 2.0, operators of 1.0 are translated, too.
        let text = format!("src.process.name {operator}");
        if is_version_1(&text) {
            assert_eq!(translated(&text), expected);
        } else {
            assert_eq!(translated(&text), text);
        }
    }
}

/// Changes the case of the words before the first value.
fn operator_in_case(operator: &str, to_case: impl Fn(&str) -> String) -> String {
    let end = operator.find(['"', '\'', '(']).unwrap_or(operator.len());
    format!("{}{}", to_case(&operator[..end]), &operator[end..])
}

/// Operators with `:` or `!` are of 2.0 and keep their case.
fn kept_case(spelled: &str, expected: &str) -> String {
    let end = spelled.find(['"', '\'', '(']).unwrap_or(spelled.len());
    let operator = spelled[..end].trim();
    let is_version_2 =
        operator.contains(':') || operator.starts_with('!') || operator.eq_ignore_ascii_case("matches");
    if is_version_2 { format!("src.process.name {spelled}") } else { expected.to_owned() }
}

#[test]
fn translate_negated_comparison_below_not_keeps_negations_apart() {
    let cases = [
        (r#"NOT SrcProcName Not In ("x")"#, r#"NOT (NOT (src.process.name in ("x")))"#),
        ("!SrcProcName Is Empty", "!(!(src.process.name = *))"),
        ("not SrcProcName Between 1 and 2", "not (src.process.name >= 1 and src.process.name <= 2)"),
        ("NOT (SrcProcName Is Empty)", "NOT (!(src.process.name = *))"),
        ("NOT SrcProcName Exists", "NOT src.process.name = *"),
    ];
    for (text, expected) in cases {
        assert_eq!(translated(text), expected);
    }
}

#[test]
fn translate_whole_queries_returns_queries_of_2() {
    let cases = [
        (
            r#"EventType = "Process Creation" AND (EndpointOS = "linux" OR TgtProcCmdLine containsCIS "\\share\tools\run.exe ")"#,
            r#"event.type = "Process Creation" AND (endpoint.os = "linux" OR tgt.process.cmdline contains "\\\\share\\tools\\run.exe ")"#,
        ),
        (
            r#"RegistryKeyPath In Contains Anycase ( "\run\once" , "\services" ) AND EventType In ( "Registry Value Create" , "Registry Key Create" )"#,
            r#"registry.keyPath contains ( "\\run\\once" , "\\services" ) AND event.type in ( "Registry Value Create" , "Registry Key Create" )"#,
        ),
        (
            r#"( SrcProcCmdScript Does Not ContainCIS "quiet" AND SrcProcName Exists )"#,
            r#"( NOT (cmdScript.content contains "quiet") AND src.process.name = * )"#,
        ),
        (
            r#"TgtProcCmdLine RegExp "^.*-e(nc)?.*" and NOT srcProcCmdLine contains "backup""#,
            r#"tgt.process.cmdline matches "^.*-e(nc)?.*" and NOT src.process.cmdline contains "backup""#,
        ),
        (r#"NetConnOutCount > "12""#, r#"src.process.netConnOutCount > "12""#),
    ];
    for (text, expected) in cases {
        assert_eq!(translated(text), expected);
    }
}
