//! What people see while a command waits or downloads. Where stderr is no terminal, only what is needed to take
//! a command up again.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sentinelone::commands::{Event, Watch};
use sentinelone::printable;

use crate::cli::option;
use crate::output::say;

/// A line at the bottom of the terminal.
pub(crate) struct Terminal {
    bar: ProgressBar,
    resume: Mutex<Option<(String, String)>>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::no_length();
        bar.set_draw_target(target);
        Self { bar, resume: Mutex::new(None) }
    }

    /// The option and its value that take up again what was started.
    pub(crate) fn resume(&self) -> Option<(String, String)> {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }
}

impl Watch for Terminal {
    fn on(&self, event: Event) {
        match event {
            Event::Started { argument, value } => {
                let argument = option(argument);
                self.bar.suspend(|| say(format_args!("started; --{argument} {value} takes it up again")));
                *self.resume.lock().unwrap_or_else(PoisonError::into_inner) = Some((argument, value));
            }
            Event::Waiting { state, next } => {
                self.style("{spinner} {msg} ({elapsed})");
                self.bar.set_message(format!("{}; next look in {} s", printable(&state), next.as_secs()));
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
            Event::Received { name, bytes, total } => {
                match total {
                    Some(total) => {
                        self.style("{msg} [{bar:30}] {bytes} of {total_bytes}");
                        self.bar.set_length(total);
                    }
                    None => self.style("{spinner} {msg} {bytes}"),
                }
                self.bar.set_message(printable(&name));
                self.bar.set_position(bytes);
            }
            _ => {}
        }
    }
}

/// How far files were read, shown when that takes longer than a moment.
pub(crate) struct Bytes {
    bar: ProgressBar,
    begun: Instant,
}

impl Bytes {
    /// Before it nothing is shown.
    const MOMENT: Duration = Duration::from_secs(1);

    pub(crate) fn new(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {bytes} of {total_bytes}") {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now() }
    }

    pub(crate) fn add(&self, bytes: u64) {
        // A target that is no terminal shows nothing.
        if self.bar.is_hidden() && self.begun.elapsed() > Self::MOMENT && io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
    }

    /// Lets something be written without the bar in the middle of it.
    pub(crate) fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
