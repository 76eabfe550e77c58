//! Number of runs of each measurement.

/// Number of runs of each measurement.
pub(super) struct Effort {
    pub(super) quick: bool,
    /// Runs of a process that takes seconds.
    pub(super) runs: usize,
    /// Runs of a measurement with little variance.
    pub(super) steady_runs: usize,
    /// Pairs of action runs. Each run takes a third of a second; some are slow, and the ratio is close to the goal.
    pub(super) action_pairs: usize,
    /// Runs of a process that takes milliseconds.
    pub(super) startup_runs: usize,
}

impl Effort {
    pub(super) fn new(quick: bool) -> Self {
        match quick {
            false => Self { quick, runs: 5, steady_runs: 5, action_pairs: 40, startup_runs: 60 },
            true => Self { quick, runs: 2, steady_runs: 1, action_pairs: 14, startup_runs: 20 },
        }
    }
}
