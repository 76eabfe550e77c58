//! The number of attempts in flight, and a bound that adapts to responses with status 429.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::lock::lock;

/// The attempts of a class that are in flight.
#[derive(Default)]
pub(super) struct InFlight {
    count: AtomicUsize,
    /// Maximum number of attempts in flight; 0 without a bound.
    bound: AtomicUsize,
    /// Number of reductions so far.
    reductions: AtomicUsize,
    growth: Mutex<Growth>,
    /// Notifies the first call of the queue.
    changed: Notify,
}

/// The state of a growing bound.
#[derive(Default)]
struct Growth {
    /// Number of successes since the last change of the bound.
    successes: usize,
    /// Bound that is removed when it is reached: the number of attempts in flight at the first 429.
    peak: usize,
}

impl InFlight {
    /// Adds an attempt. Returns the number of reductions so far.
    pub(super) fn start(&self) -> usize {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.reductions.load(Ordering::SeqCst)
    }

    /// Removes an attempt.
    pub(super) fn end(&self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
        if self.bound() > 0 {
            self.changed.notify_one();
        }
    }

    /// Returns the maximum number of attempts in flight; 0 without a bound.
    pub(super) fn bound(&self) -> usize {
        self.bound.load(Ordering::SeqCst)
    }

    /// Returns whether no attempt may start now.
    pub(super) fn is_full(&self) -> bool {
        let bound = self.bound();
        bound > 0 && self.count.load(Ordering::SeqCst) >= bound
    }

    /// Waits until an attempt has ended or the bound has grown. Only one call may wait.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Reduces the bound to half of the attempts in flight, at least 1. `reductions` is the number at the start of the
    /// throttled attempt: one reduction applies to all attempts that were in flight with it.
    pub(super) fn reduce(&self, reductions: usize) {
        let mut growth = lock(&self.growth);
        if self.reductions.load(Ordering::SeqCst) != reductions {
            return;
        }
        let count = self.count.load(Ordering::SeqCst);
        if self.bound() == 0 {
            growth.peak = count;
        }
        growth.successes = 0;
        self.bound.store((count / 2).max(1), Ordering::SeqCst);
        self.reductions.store(reductions.wrapping_add(1), Ordering::SeqCst);
    }

    /// Counts a success. The bound grows by one after as many successes as it allows attempts.
    pub(super) fn grow(&self) {
        if self.bound() == 0 {
            return;
        }
        let mut growth = lock(&self.growth);
        let bound = self.bound();
        growth.successes += 1;
        if bound == 0 || growth.successes < bound {
            return;
        }
        growth.successes = 0;
        let bound = if bound + 1 < growth.peak { bound + 1 } else { 0 };
        self.bound.store(bound, Ordering::SeqCst);
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_is_halved_once_and_grows_until_it_is_removed() {
        let in_flight = InFlight::default();
        let starts: Vec<usize> = (0..8).map(|_| in_flight.start()).collect();
        assert!(!in_flight.is_full(), "no bound before a 429");
        starts.iter().for_each(|start| in_flight.reduce(*start));
        assert_eq!(
            (in_flight.bound(), in_flight.is_full()),
            (4, true),
            "one reduction for all attempts in flight"
        );
        (0..5).for_each(|_| in_flight.end());
        assert!(!in_flight.is_full());
        let second = in_flight.start();
        assert!(in_flight.is_full());
        in_flight.reduce(second);
        assert_eq!(in_flight.bound(), 2);
        let bounds: Vec<usize> = (0..27)
            .map(|_| {
                in_flight.grow();
                in_flight.bound()
            })
            .collect();
        let expected =
            [vec![2], vec![3; 3], vec![4; 4], vec![5; 5], vec![6; 6], vec![7; 7], vec![0]].concat();
        assert_eq!(bounds, expected, "the bound is removed at the number of attempts at the first 429");
        in_flight.grow();
        assert_eq!(in_flight.bound(), 0);
    }

    #[test]
    fn bound_is_at_least_one() {
        let in_flight = InFlight::default();
        in_flight.reduce(in_flight.start());
        assert_eq!(in_flight.bound(), 1);
        in_flight.grow();
        assert_eq!(in_flight.bound(), 0);
    }
}
