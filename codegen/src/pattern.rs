//! Regular expressions of a document, which are in the dialect of Python.

/// Returns a pattern in the dialect of OpenAPI (ECMA-262), or `None` if it cannot be expressed in it.
///
/// Named groups lose their name, and a verbose pattern its white space and comments.
pub(crate) fn translate(pattern: &str) -> Option<String> {
    let text = match pattern.trim_start().strip_prefix("(?x)") {
        Some(verbose) => compact(verbose),
        None => pattern.to_owned(),
    };
    let mut translated = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(group) = rest.strip_prefix("(?P<") {
            translated.push_str("(?:");
            rest = group.split_once('>')?.1;
            continue;
        }
        let length =
            if c == '\\' { 1 + rest[1..].chars().next().map_or(0, char::len_utf8) } else { c.len_utf8() };
        let (token, after) = rest.split_at(length);
        translated.push_str(match token {
            "\\A" => "^",
            "\\Z" => "$",
            other => other,
        });
        rest = after;
    }
    is_valid(&translated).then_some(translated)
}

/// Returns whether a pattern is valid in OpenAPI.
pub(crate) fn is_valid(pattern: &str) -> bool {
    // JSON Schema recommends the flag for Unicode, with which an octal escape is an error.
    regress::Regex::with_flags(pattern, "u").is_ok()
}

/// Removes white space and comments outside of character classes.
fn compact(verbose: &str) -> String {
    let mut text = String::new();
    let (mut in_class, mut in_comment) = (false, false);
    let mut chars = verbose.chars();
    while let Some(c) = chars.next() {
        match c {
            '\n' if in_comment => in_comment = false,
            _ if in_comment => {}
            '\\' => match chars.next() {
                Some(next) if next == '#' || next.is_whitespace() => text.push(next),
                next => text.extend([c].into_iter().chain(next)),
            },
            '#' if !in_class => in_comment = true,
            c if c.is_whitespace() && !in_class => {}
            c => {
                in_class = (in_class || c == '[') && c != ']';
                text.push(c);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn translate_keeps_what_both_dialects_have() {
        for (pattern, expected) in [
            ("^[a-f]{64}$", Some("^[a-f]{64}$")),
            ("(?P<hour>[01]\\d):(?P<minute>\\d\\d)", Some("(?:[01]\\d):(?:\\d\\d)")),
            ("(?x)^ ( [a b#] # a comment\n | \\ c )$", Some("^([a b#]| c)$")),
            ("\\Ax\\Z", Some("^x$")),
            ("\\\\Ax\\(?", Some("\\\\Ax\\(?")),
            // Octal escapes and flags are errors in the other dialect.
            ("[\\001-\\010]", None),
            ("(?i)a", None),
            ("(?P<a", None),
        ] {
            assert_eq!(translate(pattern).as_deref(), expected, "{pattern}");
        }
    }
}
