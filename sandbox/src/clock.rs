//! The clock of a sandbox.

use std::fmt;
use std::sync::Arc;

use sentinelone::raw::runtime::Timestamp;

/// The source of the time of a sandbox.
pub(super) struct SandboxClock(pub(super) Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl SandboxClock {
    pub(super) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for SandboxClock {
    fn default() -> Self {
        Self(Arc::new(Timestamp::now))
    }
}

impl fmt::Debug for SandboxClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SandboxClock")
    }
}
