//! Progress lines on stderr: the current one, and the one of reading files.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Delay before the progress line appears.
pub(crate) const DELAY: Duration = Duration::from_secs(1);

/// The current progress line.
static CURRENT: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Sets the current progress line.
pub(crate) fn set_current(bar: Option<ProgressBar>) {
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// Writes output while the progress line is hidden.
pub(crate) fn suspend<R>(write: impl FnOnce() -> R) -> R {
    let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match current.filter(|bar| !bar.message().is_empty()) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Progress of reading files, shown after [`DELAY`].
pub(crate) struct Bytes {
    bar: ProgressBar,
    started: Instant,
}

impl Bytes {
    pub(crate) fn new(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {bytes} of {total_bytes}") {
            bar.set_style(style);
        }
        Self { bar, started: Instant::now() }
    }

    pub(crate) fn add(&self, bytes: u64) {
        // The bar is hidden unless stderr is a terminal.
        if self.bar.is_hidden() && self.started.elapsed() > DELAY && io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
    }

    /// Writes output while the bar is hidden.
    pub(crate) fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
