//! Names of the fields of queries in both versions of the query language.

use std::collections::BTreeSet;

use crate::{Error, Result};

/// File below `spec/`: a line for each name of version 1.0, with the name in version 2.0 after a tab.
pub(crate) const FILE: &str = "query-fields.tsv";

/// Reads the names, which follow a line with the headings.
///
/// # Errors
/// Returns an error if a line does not have two names, or the lines are not sorted by unique names of 1.0.
pub(crate) fn read(text: &str) -> Result<Vec<(String, String)>> {
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let invalid = |message: &str| Err(Error::spec(FILE, format!("line {}: {message}", number + 1)));
        let cells: Vec<&str> = line.split('\t').collect();
        let [version_1, version_2] = cells[..] else {
            return invalid("expected two names with a tab between them");
        };
        if [version_1, version_2].iter().any(|name| name.is_empty() || name.contains(char::is_whitespace)) {
            return invalid("a name is empty or has a space");
        }
        if !seen.insert(version_1) || seen.last() != Some(&version_1) {
            return invalid(&format!("{version_1} is not in order, or a duplicate"));
        }
        names.push((version_1.to_owned(), version_2.to_owned()));
    }
    Ok(names)
}

/// Returns the module with the names.
pub(crate) fn module(names: &[(String, String)]) -> String {
    let rows: String = names.iter().map(|(one, two)| format!("    ({one:?}, {two:?}),\n")).collect();
    format!(
        "//! Names of the fields of queries.\n\n\
         /// Names in S1QL 1.0 with those in S1QL 2.0, sorted by the first. Source: a published converter.\n\
         pub static QUERY_FIELDS: &[(&str, &str)] = &[\n{rows}];\n"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn read_rejects_lines_that_are_not_two_sorted_names() {
        let names = read("1.0\t2.0\nA\ta.b\nB\ta.b\n").unwrap();
        assert_eq!(names, [("A".to_owned(), "a.b".to_owned()), ("B".to_owned(), "a.b".to_owned())]);
        for text in ["A", "A\tb\tc", "A\t", "A\ta b", "B\tb\nA\ta", "A\ta\nA\tb"] {
            let error = read(&format!("1.0\t2.0\n{text}\n")).unwrap_err().to_string();
            assert!(error.contains("query-fields.tsv") && error.contains("line "), "{error}");
        }
    }
}
