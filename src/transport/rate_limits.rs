//! Client-side rate limits.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::{Either, select};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use sentinelone_raw::runtime::Operation;

use super::clock::Clock;
use super::in_flight::InFlight;
use super::lock::lock;
use crate::Result;
use crate::error::{Error, LimitTimeout};

/// Maximum pause of a class after a response with status 429. A longer `Retry-After` may be a mistake.
const MAX_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Maximum time in which a burst is replenished.
const MAX_PERIOD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The rate limits of a client, per class of operations, and the pauses that the console requested.
///
/// The console counts requests per token and class: threats, agents, exclusions and others. The `rate_limit` of an
/// [`Operation`] has the class and the limit with its source; [`class_of`](Self::class_of) also returns a class for
/// operations without a limit, which are not delayed. A call waits for its permit, first come, first served. It fails
/// if the permit would come after the call [timeout](crate::ClientBuilder::timeout). A response with status 429 pauses
/// the class until `Retry-After`, at most five minutes.
///
/// A 429 also bounds the requests of the class in flight: to half of those that were in flight, at least one. The bound
/// grows by one after as many successful responses as it allows requests, and is removed when it reaches the number of
/// requests that were in flight at the first 429. A class without a 429 has no bound. Disabled rate limits keep it.
///
/// Clones of a client share the limits. Clients with the same token should share them too: pass them clones of one
/// value. The limits can be changed while clients use them.
///
/// ```
/// use sentinelone::RateLimits;
///
/// // Three processes use this token.
/// let limits = RateLimits::default();
/// limits.set_share(1.0 / 3.0)?;
/// limits.set("agents", 5.0, 10)?;
/// limits.remove("system-status")?;
/// assert!(limits.set("agents", 0.0, 10).is_err(), "a rate of 0 is not the absence of a limit");
/// # Ok::<(), sentinelone::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct RateLimits(Arc<Shared>);

#[derive(Default)]
struct Shared {
    disabled: AtomicBool,
    /// Whether a class was ever paused.
    paused: AtomicBool,
    classes: Mutex<Classes>,
}

struct Classes {
    /// Limits that replace those of the specification; `None` for no limit.
    overrides: HashMap<String, Option<(f64, u32)>>,
    share: f64,
    active: HashMap<ClassKey, Arc<Class>>,
}

/// The name of a class, without an allocation per call.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct ClassKey {
    name: &'static str,
    /// Whether the class has the operations of a resource that have no limit.
    is_other: bool,
}

impl ClassKey {
    fn new(operation: &Operation) -> Self {
        match &operation.rate_limit {
            Some(limit) => Self { name: limit.class, is_other: false },
            None => Self { name: operation.resource, is_other: true },
        }
    }
}

impl fmt::Display for ClassKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.is_other { f.write_str(".other") } else { Ok(()) }
    }
}

impl Default for Classes {
    fn default() -> Self {
        Self { overrides: HashMap::new(), share: 1.0, active: HashMap::new() }
    }
}

/// Operations that share a limit.
struct Class {
    /// Queue of calls that wait for a permit, in the order of the calls.
    queue: tokio::sync::Mutex<()>,
    limiter: Mutex<Option<Arc<Limiter>>>,
    /// End of the pause, on the clock of the client that received the 429.
    paused_until: Mutex<Duration>,
    in_flight: InFlight,
}

/// Permission for one attempt. Dropping it ends the attempt.
pub(crate) struct Permit {
    class: Arc<Class>,
    /// Number of reductions of the bound before the attempt.
    reductions: usize,
    /// Time waited for the permit.
    pub(crate) waited: Duration,
}

impl Permit {
    fn new(class: Arc<Class>, waited: Duration) -> Self {
        let reductions = class.in_flight.start();
        Self { class, reductions, waited }
    }

    /// Lowers the number of attempts in flight after a response with status 429.
    pub(crate) fn throttled(&self) {
        self.class.in_flight.reduce(self.reductions);
    }

    /// Counts a successful attempt.
    pub(crate) fn succeeded(&self) {
        self.class.in_flight.grow();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.class.in_flight.end();
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, ClientClock, NoOpMiddleware<Duration>>;

/// The client's clock as a clock of the limiter.
struct ClientClock(Arc<dyn Clock>);

impl governor::clock::Clock for ClientClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now()
    }
}

/// A permit that is not available within the call timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PermitTimeout {
    pub(crate) reason: LimitTimeout,
    /// Time waited for the permit.
    pub(crate) waited: Duration,
}

impl RateLimits {
    /// Returns disabled rate limits. Pauses after a 429 remain.
    pub fn disabled() -> Self {
        let limits = Self::default();
        limits.set_enabled(false);
        limits
    }

    /// Enables or disables the rate limits. Pauses that the console requests always apply.
    pub fn set_enabled(&self, enabled: bool) {
        self.0.disabled.store(!enabled, Ordering::Relaxed);
    }

    /// Returns whether the rate limits are enabled.
    pub fn is_enabled(&self) -> bool {
        !self.0.disabled.load(Ordering::Relaxed)
    }

    /// Returns the class of an operation. Operations without a limit share one class per resource, such as
    /// `threats.other`.
    pub fn class_of(operation: &Operation) -> String {
        ClassKey::new(operation).to_string()
    }

    /// Replaces the documented limit of a class: sustained requests per second, and the burst. The next calls start with
    /// a full burst. [`remove`](Self::remove) removes a limit.
    ///
    /// # Errors
    /// Returns an error of the kind [`Configuration`](crate::ErrorKind::Configuration) if no operation has this
    /// [class](Self::class_of), the rate is not a finite number above 0, or the burst is 0. The limit does not change.
    pub fn set(&self, class: &str, per_second: f64, burst: u32) -> Result<()> {
        if !(per_second > 0.0 && per_second.is_finite()) {
            return Err(Error::configuration(format!(
                "the rate of the class {class:?} is {per_second}; expected a finite number above 0"
            )));
        }
        if burst == 0 {
            return Err(Error::configuration(format!(
                "the burst of the class {class:?} is 0; expected 1 or more"
            )));
        }
        self.replace(class, Some((per_second, burst)))
    }

    /// Removes the limit of a class. Pauses after a 429 remain.
    ///
    /// # Errors
    /// Returns an error of the kind [`Configuration`](crate::ErrorKind::Configuration) if no operation has this
    /// [class](Self::class_of).
    pub fn remove(&self, class: &str) -> Result<()> {
        self.replace(class, None)
    }

    fn replace(&self, class: &str, limit: Option<(f64, u32)>) -> Result<()> {
        if !sentinelone_raw::OPERATIONS.iter().any(|operation| Self::class_of(operation) == class) {
            let error = Error::configuration(format!("no operation has the rate-limit class {class:?}"));
            return Err(error.with_help("RateLimits::class_of returns the class of an operation"));
        }
        let mut classes = self.classes();
        classes.overrides.insert(class.to_owned(), limit);
        let active = classes.active.iter().filter(|(key, _)| key.to_string() == class);
        active.for_each(|(_, active)| active.reset());
        Ok(())
    }

    /// Scales all limits, for a token that is shared by several processes: 0.5 for two processes. The next calls start
    /// with a full burst.
    ///
    /// # Errors
    /// Returns an error of the kind [`Configuration`](crate::ErrorKind::Configuration) if the share is not a number above
    /// 0 and up to 1. The share does not change.
    pub fn set_share(&self, share: f64) -> Result<()> {
        if !(share > 0.0 && share <= 1.0) {
            let message =
                format!("the share of the rate limits is {share}; expected a number above 0 and up to 1");
            return Err(Error::configuration(message));
        }
        let mut classes = self.classes();
        classes.share = share;
        classes.active.values().for_each(|class| class.reset());
        Ok(())
    }

    /// Acquires a permit for `operation`, waiting at most `left`. The permit is kept during the attempt.
    ///
    /// Dropping the future releases the position in the queue.
    pub(crate) async fn acquire(
        &self,
        operation: &'static Operation,
        clock: &Arc<dyn Clock>,
        left: Duration,
    ) -> Result<Permit, PermitTimeout> {
        let class = self.classes().class(operation);
        if !self.is_enabled() && !self.0.paused.load(Ordering::Acquire) {
            return Ok(Permit::new(class, Duration::ZERO));
        }
        let start = clock.now();
        let deadline = start.saturating_add(left);
        let waited = || clock.now().saturating_sub(start);
        let queue = Arc::clone(&class);
        let first = queue.queue.try_lock();
        let _queue = match first {
            Ok(guard) => guard,
            Err(_) => match select(pin!(queue.queue.lock()), clock.sleep(left)).await {
                Either::Left((guard, _)) => guard,
                Either::Right(_) => {
                    return Err(PermitTimeout { reason: LimitTimeout::Rate(left), waited: waited() });
                }
            },
        };
        loop {
            let now = clock.now();
            let pause = class.remaining_pause(now);
            let delay = if pause.is_zero() {
                if class.in_flight.is_full() {
                    let left = deadline.saturating_sub(now);
                    match select(pin!(class.in_flight.changed()), clock.sleep(left)).await {
                        Either::Left(_) => continue,
                        Either::Right(_) => {
                            let reason = LimitTimeout::InFlight(class.in_flight.bound());
                            return Err(PermitTimeout { reason, waited: waited() });
                        }
                    }
                }
                let Some(limiter) = self.limiter(&class, operation, clock) else {
                    return Ok(Permit::new(class, waited()));
                };
                match limiter.check() {
                    Ok(()) => return Ok(Permit::new(class, waited())),
                    Err(not_until) => not_until.wait_time_from(now),
                }
            } else {
                pause
            };
            if now.saturating_add(delay) > deadline {
                let reason =
                    if pause.is_zero() { LimitTimeout::Rate(delay) } else { LimitTimeout::Pause(delay) };
                return Err(PermitTimeout { reason, waited: waited() });
            }
            clock.sleep(delay).await;
        }
    }

    /// Pauses the class of an operation.
    pub(crate) fn pause(&self, operation: &'static Operation, now: Duration, pause: Duration) {
        let class = self.classes().class(operation);
        let mut paused_until = lock(&class.paused_until);
        *paused_until = (*paused_until).max(now.saturating_add(pause.min(MAX_PAUSE)));
        self.0.paused.store(true, Ordering::Release);
    }

    fn limiter(&self, class: &Class, operation: &Operation, clock: &Arc<dyn Clock>) -> Option<Arc<Limiter>> {
        if !self.is_enabled() {
            return None;
        }
        let classes = self.classes();
        let mut limiter = lock(&class.limiter);
        if limiter.is_none() {
            let quota = classes.quota(operation)?;
            *limiter = Some(Arc::new(RateLimiter::direct_with_clock(quota, ClientClock(Arc::clone(clock)))));
        }
        limiter.clone()
    }

    fn classes(&self) -> MutexGuard<'_, Classes> {
        lock(&self.0.classes)
    }
}

impl Classes {
    fn class(&mut self, operation: &Operation) -> Arc<Class> {
        let new = || {
            let (queue, limiter, paused_until, in_flight) = Default::default();
            Arc::new(Class { queue, limiter, paused_until, in_flight })
        };
        Arc::clone(self.active.entry(ClassKey::new(operation)).or_insert_with(new))
    }

    fn quota(&self, operation: &Operation) -> Option<Quota> {
        let documented = operation.rate_limit.as_ref().map(|limit| (limit.per_second, limit.burst));
        let replaced = self.overrides.get(&RateLimits::class_of(operation)).copied();
        let (per_second, burst) = replaced.unwrap_or(documented)?;
        // The limiter counts nanoseconds in 64 bits. A limit slower than one request or one burst per year is clamped
        // to that, so that it does not become unlimited.
        let period = Duration::try_from_secs_f64((per_second * self.share).recip()).unwrap_or(MAX_PERIOD);
        let period = period.clamp(Duration::from_nanos(1), MAX_PERIOD);
        let max_burst = MAX_PERIOD.as_nanos() / period.as_nanos();
        let burst = (f64::from(burst) * self.share).min(max_burst as f64) as u32;
        Some(Quota::with_period(period)?.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN)))
    }
}

impl Class {
    /// Resets the limiter, so that the next call creates a new one. A pause remains.
    fn reset(&self) {
        *lock(&self.limiter) = None;
    }

    /// Returns the remaining time of a pause.
    fn remaining_pause(&self, now: Duration) -> Duration {
        lock(&self.paused_until).saturating_sub(now)
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits").field("enabled", &self.is_enabled()).finish_non_exhaustive()
    }
}
