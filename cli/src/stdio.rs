//! Stdout and stderr.

use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::StyledStr;
use sentinelone::{Repairs, replace_control_chars};

use crate::failure::CliError;
use crate::progress;

/// Number of bytes that are written to stdout at once.
const BUFFER: usize = 64 * 1024;

/// Writes text to stdout. A closed pipe is not an error.
pub(crate) fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Writes text with styles to stdout, without the styles unless the terminal supports them.
pub(crate) fn write_styled(text: &StyledStr) -> io::Result<()> {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => write(&text.to_string()),
        _ => write(&text.ansi().to_string()),
    }
}

/// Writes to stdout in large parts, and flushes it. Returns false if the pipe is closed.
pub(crate) fn to_stdout(
    write: impl FnOnce(&mut dyn Write) -> Result<(), CliError>,
) -> Result<bool, CliError> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let done = write(&mut out).and_then(|()| Ok(out.flush()?));
    // After an error the rest is discarded, so that the output has no gap.
    let _ = out.into_parts();
    match done {
        Err(CliError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true),
    }
}

/// Writes a line to stderr. Write errors are ignored.
pub(crate) fn report(text: impl std::fmt::Display) {
    let text: Vec<_> = text.to_string().lines().map(replace_control_chars).collect();
    progress::suspend(|| {
        let _ = writeln!(io::stderr(), "{}", text.join("\n"));
    });
}

/// Writes a warning for each repair of the responses of `subject`, a command or a stream.
pub(crate) fn report_repairs(subject: &str, repairs: &Repairs) {
    for repair in repairs {
        report(format_args!("warning: {subject}: the response is not valid JSON at {repair}"));
    }
    if repairs.omitted() > 0 {
        report(format_args!(
            "warning: {subject}: {} more values were repaired or set apart",
            repairs.omitted()
        ));
    }
}
