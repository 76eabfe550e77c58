//! What the pages of HTML have in common: a table with a filter, light and dark, and nothing from the network.
//!
//! The script looks for the rows of the table; `data-rows` of the body says what they are, and those of the class
//! `lacks` are what the box with the identifier `lacking` shows alone.

/// The style of a page.
pub const STYLE: &str = include_str!("page/page.css");

/// The script of a page.
pub const SCRIPT: &str = include_str!("page/page.js");

/// Text in HTML.
pub fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
