//! Filters and power queries in S1QL, the query language of the SentinelOne data lake.
//!
//! [`parse_filter`] and [`parse_power_query`] read versions 1.0 and 2.0 with one grammar. [`translate()`] and
//! [`translate_power_query`] rewrite 1.0 as 2.0; other text keeps its bytes. A query of 1.0 does not fail in the data
//! lake: it finds nothing. [`version_1_parts`] returns the parts of a filter to reject or to translate.
//!
//! Keywords are case-insensitive. Terms without a keyword between them are joined by `and`, which binds closer than
//! `or`; `not` and `!` bind closest. Comments are `// …` and `/* … */`.
//!
//! Source: published converter and vendor document of June 2026.
//!
//! ```
//! use sentinelone::s1ql;
//!
//! let translation = s1ql::translate(r#"TgtProcName EndsWith ".exe" AND SrcProcCmdLine Is Empty"#)?;
//! assert_eq!(translation.text, r#"tgt.process.name matches "\\.exe$" AND !(src.process.cmdline = *)"#);
//! assert_eq!(s1ql::translate(&translation.text)?.text, translation.text);
//! # Ok::<(), s1ql::TranslationError>(())
//! ```

mod ast;
mod cursor;
mod edits;
mod error;
mod names;
mod operator;
mod parse;
mod pipeline;
mod rewrite;
mod span;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod translate;
mod translate_pipeline;
mod versions;

/// Returns a string of version 2.0 with this value; `None` if the value has both kinds of quotes.
pub fn string_literal(value: &str) -> Option<String> {
    text::write_text(value, "'", false)
}

pub use ast::{Comparison, Filter, Name, Value, ValueKind};
pub use edits::{Change, ChangeKind, Translation};
pub use error::{SyntaxError, TranslationError};
pub use operator::{LegacyOperator, Operator};
pub use parse::parse_filter;
pub use pipeline::{
    Aggregate, AggregateFunction, Column, PowerQuery, SortKey, Stage, UnsupportedStage, parse_power_query,
};
pub use span::Span;
pub use text::Text;
pub use translate::translate;
pub use translate_pipeline::translate_power_query;
pub use versions::{PartKind, VersionOnePart, is_version_1, version_1_parts};
