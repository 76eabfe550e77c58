//! Reasons why a call gets no rate-limit permit.

use std::time::Duration;

/// The reason why a call gets no permit within its timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitTimeout {
    /// The rate limit of the class, with the minimum delay until the permit.
    Rate(Duration),
    /// A pause that the console requested, with its remaining time.
    Pause(Duration),
    /// The maximum number of attempts in flight since a response with status 429.
    InFlight(usize),
    /// The call timeout has elapsed.
    CallTimeout,
}
