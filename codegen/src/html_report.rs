//! Style and script of the HTML reports: a table with a filter and a light and dark theme, without network access.
//!
//! The attribute `data-rows` of the body is the noun for the rows, as in "3 of 20 changes". The checkbox `flagged`
//! limits the table to rows of the class `flagged`.

/// CSS of a report.
pub const STYLE: &str = include_str!("page/page.css");

/// JavaScript of a report.
pub const SCRIPT: &str = include_str!("page/page.js");

/// Escapes text for HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
