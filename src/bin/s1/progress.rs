//! What people see while a command takes its time. Where stderr is no terminal, only what is needed to take
//! a command up again.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sentinelone::commands::{Event, Taken, Watch};
use sentinelone::printable;
use serde_json::Value;

use crate::cli::option;
use crate::output::{lines, pass_on, say};

/// Before it nothing is shown.
const MOMENT: Duration = Duration::from_secs(1);

/// The line that is shown, if any is.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Writes something without the line of progress in the middle of it.
pub(crate) fn beside<R>(write: impl FnOnce() -> R) -> R {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown.filter(|bar| !bar.message().is_empty()) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A line at the bottom of the terminal.
pub(crate) struct Terminal {
    bar: ProgressBar,
    resume: Mutex<Option<(String, String)>>,
    /// Whether what lists find is written as it comes, one thing a line.
    streams: bool,
    listed: AtomicUsize,
    /// What kept it from being written.
    broken: Mutex<Option<io::Error>>,
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
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self {
            bar,
            resume: Mutex::new(None),
            streams: false,
            listed: AtomicUsize::new(0),
            broken: Mutex::new(None),
        }
    }

    /// The same, which writes what lists find as it comes.
    pub(crate) fn streaming(mut self) -> Self {
        self.streams = true;
        self
    }

    /// The option and its value that take up again what was started.
    pub(crate) fn resume(&self) -> Option<(String, String)> {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether something was written as it came.
    pub(crate) fn has_written(&self) -> bool {
        self.streams && self.listed.load(Ordering::Relaxed) > 0
    }

    /// What kept things from being written as they came.
    pub(crate) fn broken(&self) -> Option<io::Error> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Does something, and says what for as soon as it takes longer than a moment.
    pub(crate) async fn during<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(MOMENT) => {}
        }
        // Who waits or downloads has said so already.
        if self.bar.message().is_empty() {
            self.style("{spinner} {msg} ({elapsed})");
            let listed = self.listed.load(Ordering::Relaxed);
            self.bar.set_message(if listed > 0 { read(listed) } else { printable(what) });
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
        work.await
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.bar.finish_and_clear();
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }
}

fn read(things: usize) -> String {
    format!("{things} read so far")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Watch for Terminal {
    fn on(&self, event: Event) {
        match event {
            Event::Started { argument, value } => {
                let argument = option(argument);
                say(format_args!("started; --{argument} {value} takes it up again"));
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
            Event::Listed { things } => {
                let listed = self.listed.fetch_add(things, Ordering::Relaxed) + things;
                // Shown once it takes longer than a moment.
                if !self.bar.message().is_empty() {
                    self.bar.set_message(read(listed));
                }
            }
            _ => {}
        }
    }

    fn page(&self, things: &[Value]) -> Taken {
        if !self.streams {
            return Taken::No;
        }
        match beside(|| pass_on(&lines(things))) {
            Ok(true) => Taken::Yes,
            Ok(false) => Taken::Last,
            Err(error) => {
                *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Taken::Last
            }
        }
    }
}

/// How far files were read, shown when that takes longer than a moment.
pub(crate) struct Bytes {
    bar: ProgressBar,
    begun: Instant,
}

impl Bytes {
    pub(crate) fn new(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {bytes} of {total_bytes}") {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now() }
    }

    pub(crate) fn add(&self, bytes: u64) {
        // A target that is no terminal shows nothing.
        if self.bar.is_hidden() && self.begun.elapsed() > MOMENT && io::stderr().is_terminal() {
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
