//! The log: what the client tells of its calls, on stderr.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::progress;

/// Logs what is at this level and above. Of what this client is built on, warnings alone are let through: what
/// else they write down is not ours to vouch for.
pub(crate) fn to_stderr(level: LevelFilter) {
    let only = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("sentinelone", level);
    let log = fmt::layer()
        .with_writer(|| Beside)
        .with_ansi(AutoStream::choice(&io::stderr()) != ColorChoice::Never)
        // Where it comes from matters to those who look closer.
        .with_target(level > LevelFilter::INFO);
    // A second call changes nothing: there is one log for the process.
    let _ = if level > LevelFilter::WARN {
        tracing_subscriber::registry().with(only).with(log).try_init()
    } else {
        tracing_subscriber::registry().with(only).with(log.without_time()).try_init()
    };
}

/// Stderr beside a line of progress.
struct Beside;

impl Write for Beside {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        progress::beside(|| io::stderr().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
