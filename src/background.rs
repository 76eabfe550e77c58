//! Tasks that go on when the future that started them is dropped.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The running tasks of a client and its clones.
#[derive(Debug, Default)]
pub(crate) struct BackgroundTasks(Mutex<Vec<JoinHandle<()>>>);

impl BackgroundTasks {
    /// Starts a task. Returns it outside of a tokio runtime.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: F) -> Option<F> {
        let Ok(runtime) = Handle::try_current() else { return Some(task) };
        let mut running = self.running();
        running.retain(|one| !one.is_finished());
        running.push(runtime.spawn(task));
        None
    }

    /// Waits until all tasks are finished, including those that they start.
    pub(crate) async fn finish(&self) {
        loop {
            let next = self.running().pop();
            let Some(task) = next else { return };
            // A task that panicked is finished, too.
            drop(task.await);
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
