//! Cancellation of work on a thread for blocking operations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cancels the work of another thread when it is dropped, together with the future that waits for the work.
#[derive(Default)]
pub(crate) struct CancelOnDrop(Arc<AtomicBool>);

impl CancelOnDrop {
    /// Returns a function for the other thread, which returns whether the work was canceled.
    pub(crate) fn is_canceled(&self) -> impl Fn() -> bool + Send + 'static {
        let flag = Arc::clone(&self.0);
        move || flag.load(Ordering::Acquire)
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
