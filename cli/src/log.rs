//! Log on stderr.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::progress;

/// Target of the warning about operations that end, which is for people at a terminal.
const ANNOUNCED_END: &str = "sentinelone::announced_end";

/// Starts the log at a level. Without a terminal, the default level has no warning about operations that end. Of other crates only warnings and errors are logged: their other messages may
/// contain secrets.
pub(crate) fn init(level: LevelFilter) {
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("sentinelone", level);
    let filter = match io::stderr().is_terminal() || level > LevelFilter::WARN {
        true => filter,
        false => filter.with_target(ANNOUNCED_END, LevelFilter::OFF),
    };
    let log = fmt::layer()
        .with_writer(|| ProgressAwareStderr)
        .with_ansi(AutoStream::choice(&io::stderr()) != ColorChoice::Never)
        // The module is useful for debugging only.
        .with_target(level > LevelFilter::INFO);
    // A second call has no effect: a process has one log.
    let _ = if level > LevelFilter::WARN {
        tracing_subscriber::registry().with(filter).with(log).try_init()
    } else {
        tracing_subscriber::registry().with(filter).with(log.without_time()).try_init()
    };
}

/// Stderr. The progress line is suspended during a write.
struct ProgressAwareStderr;

impl Write for ProgressAwareStderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        progress::suspend(|| io::stderr().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
