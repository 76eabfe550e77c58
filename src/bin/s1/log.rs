//! The log: what the client tells of its calls, on stderr.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs what is at this level and above. Of what this client is built on, warnings alone are let through: what
/// else they write down is not ours to vouch for.
pub(crate) fn to_stderr(level: LevelFilter) {
    let only = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("sentinelone", level);
    let log = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()))
        // Where it comes from matters to those who look closer.
        .with_target(level > LevelFilter::INFO);
    // A second call changes nothing: there is one log for the process.
    let _ = if level > LevelFilter::WARN {
        tracing_subscriber::registry().with(only).with(log).try_init()
    } else {
        tracing_subscriber::registry().with(only).with(log.without_time()).try_init()
    };
}
