//! Text of consoles and endpoints for display.

/// Replaces control characters, line breaks and bidirectional formatting characters by spaces, so that the text cannot
/// control a terminal or change the reading order.
///
/// ```
/// assert_eq!(sentinelone::replace_control_chars("a\u{1b}[2Jb\n"), "a [2Jb ");
/// ```
pub fn replace_control_chars(text: &str) -> String {
    text.replace(is_unprintable, " ")
}

pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
