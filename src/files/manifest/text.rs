//! Words and lines of manifests: the status that a text expresses, paths in a text, and lines with a path and a reason.

use super::record::{FileRecord, FileStatus, Role, bounded, join};

/// Returns whether the text of an error reports none.
pub(super) fn is_benign(text: &str) -> bool {
    let words = ["none", "null", "nil", "n/a", "na", "-", "0", "false"];
    let is_short = text.split_whitespace().count() <= 2;
    words.iter().any(|one| text.eq_ignore_ascii_case(one))
        || is_short && status_of(text) == FileStatus::Collected
}

fn is_success(text: &str) -> bool {
    const WORDS: [&str; 20] = [
        "ok",
        "okay",
        "done",
        "success",
        "succeeded",
        "successful",
        "successfully",
        "complete",
        "completed",
        "collected",
        "uploaded",
        "fetched",
        "found",
        "added",
        "copied",
        "present",
        "included",
        "archived",
        "true",
        "yes",
    ];
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.any(|word| WORDS.iter().any(|one| word.eq_ignore_ascii_case(one)))
}

/// Returns the status that a text expresses.
pub(crate) fn status_of(text: &str) -> FileStatus {
    const FAILURES: [&str; 31] = [
        "fail",
        "error",
        "missing",
        "denied",
        "unable",
        "cannot",
        "can't",
        "could not",
        "skipped",
        "reject",
        "timeout",
        "timed out",
        "locked",
        "no such",
        "invalid",
        "abort",
        "unavailable",
        "too large",
        "toolarge",
        "too big",
        "blocked",
        "exceed",
        "refuse",
        "unsupported",
        "corrupt",
        "cancel",
        "expired",
        "forbidden",
        "notfound",
        "in use",
        "unreadable",
    ];
    let text = text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    if text.trim() == "no error" || text.trim() == "no errors" {
        FileStatus::Collected
    } else if words.any(|word| matches!(word, "not" | "no")) || FAILURES.iter().any(|one| text.contains(one))
    {
        FileStatus::Failed
    } else if is_success(&text) {
        FileStatus::Collected
    } else {
        FileStatus::Listed
    }
}

/// Returns whether a text is an absolute path, or a relative one with a separator and without a space in front of it.
pub(super) fn is_path(text: &str) -> bool {
    let first = text.split(['/', '\\']).next().unwrap_or_default();
    path_start(text) == Some(0) || first.len() < text.len() && !first.contains(' ') && !first.ends_with(':')
}

/// Returns the offset at which an absolute path begins.
pub(super) fn path_start(line: &str) -> Option<usize> {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        let rest = &line[at + c.len_utf8()..];
        let is_boundary = before.is_whitespace() || "\"'`=(,;|:[".contains(before);
        let is_drive = c.is_ascii_alphabetic()
            && (rest.starts_with(":\\") || rest.starts_with(":/"))
            && !rest.starts_with("://");
        let is_share = c == '\\' && rest.starts_with('\\');
        let is_root = c == '/' && rest.starts_with(|c: char| c.is_alphanumeric() || "._".contains(c));
        if is_boundary && (is_drive || is_share || is_root) {
            return Some(at);
        }
        before = c;
    }
    None
}

/// Separators between a path and the text after it.
const SEPARATORS: [&str; 11] = ["\t", ",", ";", "|", ": ", " - ", " = ", " -> ", " => ", " (", " ["];

/// Parses a line of text with a path and a reason, in any order. Returns `None` for a line without a path and a failure.
pub(super) fn parse_line(line: &str) -> Option<FileRecord> {
    let line = line.trim();
    let end_of = |text: &str| SEPARATORS.iter().filter_map(|one| text.find(one)).min().unwrap_or(text.len());
    let (start, end) = match path_start(line) {
        Some(start) => {
            let quote = line[..start].chars().next_back().filter(|c| "\"'`".contains(*c));
            let path = &line[start..];
            let length = match quote.and_then(|quote| path.find(quote)) {
                Some(length) => length,
                // The colon of a drive is not a separator.
                None => path.char_indices().nth(2).map_or(path.len(), |(at, _)| at + end_of(&path[at..])),
            };
            (start, start + length)
        }
        None => {
            let end = end_of(line);
            let first = &line[..end];
            let is_name =
                end < line.len() && !first.contains(char::is_whitespace) && first.contains(['.', '/', '\\']);
            if !is_name {
                let is_sentence = !line.contains([',', ';', '|', '\t']);
                let is_failure = is_sentence && status_of(line) == FileStatus::Failed;
                return is_failure.then(|| FileRecord {
                    path: None,
                    status: FileStatus::Failed,
                    reason: bounded(line),
                });
            }
            (0, end)
        }
    };
    let punctuation = |c: char| c.is_whitespace() || "\"'`:;,|=-()[]>*".contains(c);
    let [before, after] = [&line[..start], &line[end..]].map(|text| text.trim_matches(punctuation));
    // A label such as `path:` is not a reason.
    let before = if matches!(Role::of(before), Role::Path | Role::Name) { "" } else { before };
    let reason = join([before, after].into_iter().filter(|text| !text.is_empty()).map(str::to_owned));
    let status = reason.as_deref().map_or(FileStatus::Listed, status_of);
    let reason = reason.filter(|_| status != FileStatus::Collected);
    let path = line[start..end].trim().trim_end_matches(':');
    Some(FileRecord { path: bounded(path), status, reason })
}
