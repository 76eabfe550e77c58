//! Text from consoles and endpoints, on its way to people.

/// The text on one line, without what would steer a terminal or change the order of what is read: control
/// characters and the marks of writing directions become blanks.
///
/// ```
/// assert_eq!(sentinelone::printable("a\u{1b}[2Jb\n"), "a [2Jb ");
/// ```
pub fn printable(text: &str) -> String {
    text.replace(is_unprintable, " ")
}

pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
