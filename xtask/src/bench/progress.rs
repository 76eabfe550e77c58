//! Progress of a run on stderr.

use std::sync::OnceLock;
use std::time::Instant;

/// Prints a step with the elapsed time.
pub(super) fn progress(step: &str) {
    static START: OnceLock<Instant> = OnceLock::new();
    eprintln!("{:>4} s  {step} …", START.get_or_init(Instant::now).elapsed().as_secs());
}
