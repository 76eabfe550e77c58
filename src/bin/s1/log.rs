//! The log: what the client tells of its calls, on stderr.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

/// Logs what is at this level and above.
pub(crate) fn to_stderr(level: &str) {
    let level = level.parse().unwrap_or(LevelFilter::WARN);
    let log = fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()))
        // Where it comes from matters to those who look closer.
        .with_target(level > LevelFilter::INFO);
    // A second call changes nothing: there is one log for the process.
    let _ = if level > LevelFilter::WARN { log.try_init() } else { log.without_time().try_init() };
}
