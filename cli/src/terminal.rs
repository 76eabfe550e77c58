//! Progress line of a command, and the list that it writes. If stderr is not a terminal, only the option that resumes a
//! job is printed.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sentinelone::commands::{ListPage, Outcome, PageHandling, ProgressEvent, ProgressObserver};
use sentinelone::queries::QueryProgress;
use sentinelone::replace_control_chars;

use crate::failure::CliError;
use crate::options::option;
use crate::progress::{self, DELAY};
use crate::stdio::report;
use crate::stream::ListWriter;

/// Progress line of a command.
pub(crate) struct Terminal {
    bar: ProgressBar,
    resume: Mutex<Option<(String, String)>>,
    /// Writes each page of a list when it arrives.
    list: Option<Mutex<ListWriter>>,
    items_read: AtomicUsize,
    /// Number of all IDs of an action in batches; 0 without batches.
    batch_total: AtomicUsize,
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
        progress::set_current(Some(bar.clone()));
        Self {
            bar,
            resume: Mutex::new(None),
            list: None,
            items_read: AtomicUsize::new(0),
            batch_total: AtomicUsize::new(0),
        }
    }

    /// Writes each page of a list when it arrives.
    pub(crate) fn writing(mut self, list: ListWriter) -> Self {
        self.list = Some(Mutex::new(list));
        self
    }

    /// Returns the option and the value that resume the started job.
    pub(crate) fn resume(&self) -> Option<(String, String)> {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether items of a list were written.
    pub(crate) fn has_written(&self) -> bool {
        self.with_list(false, |list| list.has_items())
    }

    /// Writes the end of a list; see [`ListWriter::end`].
    pub(crate) fn end_list(&self, outcome: &Outcome) -> Result<bool, CliError> {
        self.with_list(Ok(false), |list| list.end(outcome))
    }

    /// Writes the end of an incomplete list; see [`ListWriter::interrupt`].
    pub(crate) fn interrupt_list(&self) -> Result<(), CliError> {
        self.with_list(Ok(()), ListWriter::interrupt)
    }

    fn with_list<R>(&self, default: R, run: impl FnOnce(&mut ListWriter) -> R) -> R {
        match &self.list {
            Some(list) => run(&mut list.lock().unwrap_or_else(PoisonError::into_inner)),
            None => default,
        }
    }

    /// Runs `work`, and shows `label` if it takes longer than [`DELAY`].
    pub(crate) async fn during<T>(&self, label: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(DELAY) => {}
        }
        // A poll or a download has its own message.
        if self.bar.message().is_empty() {
            self.style("{spinner} {msg} ({elapsed})");
            let count = self.items_read.load(Ordering::Relaxed);
            let total = self.batch_total.load(Ordering::Relaxed);
            self.bar.set_message(match count {
                0 => replace_control_chars(label),
                _ if total > 0 => ids_finished(count, total),
                _ => items_read(count),
            });
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
        work.await
    }

    /// Returns a function that shows the steps of a query.
    pub(crate) fn steps(&self) -> impl Fn(QueryProgress) + Send + Sync + use<> {
        let bar = self.bar.clone();
        move |progress| {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.set_message(format!("{} of {} steps", progress.steps_completed, progress.steps_total));
            bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    /// Removes the line.
    pub(crate) fn clear(&self) {
        progress::set_current(None);
        self.bar.finish_and_clear();
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }
}

fn items_read(count: usize) -> String {
    format!("{count} items read")
}

fn ids_finished(count: usize, total: usize) -> String {
    format!("{count} of {total} IDs finished")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}

impl ProgressObserver for Terminal {
    fn on_event(&self, event: ProgressEvent) {
        match event {
            ProgressEvent::Started { argument, value } => {
                let argument = option(argument);
                report(format_args!("started; resume with --{argument} {value}"));
                *self.resume.lock().unwrap_or_else(PoisonError::into_inner) = Some((argument, value));
            }
            ProgressEvent::Accounts { ids } => report(format_args!("accounts: {}", ids.join(", "))),
            ProgressEvent::Warning { message } => {
                report(format_args!("warning: {}", replace_control_chars(&message)));
            }
            ProgressEvent::Waiting { state, next } => {
                self.style("{spinner} {msg} ({elapsed})");
                self.bar.set_message(format!(
                    "{}; next poll in {} s",
                    replace_control_chars(&state),
                    next.as_secs()
                ));
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
            ProgressEvent::Received { name, bytes, total } => {
                match total {
                    Some(total) => {
                        self.style("{msg} [{bar:30}] {bytes} of {total_bytes}");
                        self.bar.set_length(total);
                    }
                    None => self.style("{spinner} {msg} {bytes}"),
                }
                self.bar.set_message(replace_control_chars(&name));
                self.bar.set_position(bytes);
            }
            ProgressEvent::PageRead { items } => {
                let count = self.items_read.fetch_add(items, Ordering::Relaxed) + items;
                // The line is hidden during the delay.
                if !self.bar.message().is_empty() {
                    self.bar.set_message(items_read(count));
                }
            }
            ProgressEvent::BatchFinished { finished, total } => {
                self.items_read.store(finished, Ordering::Relaxed);
                self.batch_total.store(total, Ordering::Relaxed);
                if !self.bar.message().is_empty() {
                    self.bar.set_message(ids_finished(finished, total));
                }
            }
            _ => {}
        }
    }

    fn on_page(&self, page: &ListPage<'_>) -> PageHandling {
        self.with_list(PageHandling::Buffer, |list| list.write(page))
    }
}
