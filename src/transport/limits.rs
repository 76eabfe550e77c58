//! Keeping to the console's rates.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use sentinelone_raw::runtime::Operation;

use super::clock::Clock;

/// The longest time for which one answer of status 429 holds up others: what asks for more may be a slip.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// The longest time in which a burst may grow again.
const LONGEST_BURST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The rates that a client keeps to, by class of operations, and the pauses that the console asked for.
///
/// The console counts requests by token and class: threats, agents, exclusions and so on. `rate` of every
/// [`Operation`] has its class and rate, with the source; [`class_of`](Self::class_of) says the class of those
/// without a rate, which wait for nobody. A call that would be too early waits for its
/// turn, first come first served, and fails only when its turn would come after its
/// [timeout](crate::ClientBuilder::timeout). An answer of status 429 holds up the whole class until the
/// console's `Retry-After`, though no longer than five minutes.
///
/// Clones of a client share them. Two clients with the same token should too: clones of this value are the same
/// limits. It can be changed while clients use it.
///
/// ```
/// use sentinelone::{ApiToken, Client, RateLimits};
///
/// // Three processes use this token.
/// let limits = RateLimits::default();
/// limits.share(1.0 / 3.0);
/// assert!(limits.set("agents", 5.0, 10), "there is such a class");
/// let token = ApiToken::new("an-example")?;
/// let client = Client::builder("usea1.sentinelone.net").token(token).rate_limits(limits).build()?;
/// assert!(client.rate_limits().is_on());
/// # Ok::<(), sentinelone::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct RateLimits(Arc<Shared>);

#[derive(Default)]
struct Shared {
    off: AtomicBool,
    /// Whether there was ever a pause.
    paused: AtomicBool,
    classes: Mutex<Classes>,
}

struct Classes {
    /// Rates in the place of those of the specification; `None` for none.
    set: HashMap<String, Option<(f64, u32)>>,
    share: f64,
    live: HashMap<Name, Arc<Class>>,
}

/// What a class is called, without a copy of it for every call.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Name {
    of: &'static str,
    /// Whether they are the operations of a resource that have no rate.
    others: bool,
}

impl Name {
    fn of(operation: &Operation) -> Self {
        match &operation.rate {
            Some(rate) => Self { of: rate.class, others: false },
            None => Self { of: operation.resource, others: true },
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.of)?;
        if self.others { f.write_str(".other") } else { Ok(()) }
    }
}

impl Default for Classes {
    fn default() -> Self {
        Self { set: HashMap::new(), share: 1.0, live: HashMap::new() }
    }
}

/// Operations that share a rate.
struct Class {
    /// Whose turn it is: in the order in which they came.
    turn: tokio::sync::Mutex<()>,
    rate: Mutex<Option<Arc<Rate>>>,
    /// Until when the console wants no request, on the clock of the client that was told.
    paused: Mutex<Duration>,
}

type Rate = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>;

/// The client's clock for the limiter.
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now()
    }
}

/// A turn that comes too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLate {
    pub(crate) held: Held,
    /// How long it was waited for.
    pub(crate) waited: Duration,
}

/// What holds a call up beyond its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// The rate of its class: at least so long.
    Rate(Duration),
    /// A pause that the console asked for: at least so long.
    Pause(Duration),
    /// Nothing more: its time is over.
    Over,
}

impl RateLimits {
    /// Limits that hold nothing up but for what the console asks for with status 429.
    pub fn off() -> Self {
        let limits = Self::default();
        limits.switch(false);
        limits
    }

    /// Keeps to the rates, or does not. Pauses that the console asks for are kept in any case.
    pub fn switch(&self, on: bool) {
        self.0.off.store(!on, Ordering::Relaxed);
    }

    /// Whether the rates are kept to.
    pub fn is_on(&self) -> bool {
        !self.0.off.load(Ordering::Relaxed)
    }

    /// The class of an operation: that of its rate; where none is known, one that the operations of its resource
    /// without a rate have for themselves, such as `threats.other`.
    pub fn class_of(operation: &Operation) -> String {
        Name::of(operation).to_string()
    }

    /// Sets the rate of a class in the place of the documented one: requests a second in the long run, and how
    /// many may be made at once before that. A rate that is no positive number takes the limit away. Says whether
    /// any operation is of that [class](Self::class_of).
    ///
    /// The next calls begin with a full burst.
    pub fn set(&self, class: &str, per_second: f64, burst: u32) -> bool {
        let rate = (per_second > 0.0 && per_second.is_finite()).then_some((per_second, burst));
        let mut classes = self.classes();
        classes.set.insert(class.to_owned(), rate);
        let live = classes.live.iter().filter(|(name, _)| name.to_string() == class);
        live.for_each(|(_, live)| live.forget());
        sentinelone_raw::OPERATIONS.iter().any(|operation| Self::class_of(operation) == class)
    }

    /// Keeps to this part of every rate, since others use the same token: a half for two processes. What is
    /// not above zero and at most one is taken for one. The next calls begin with a full burst.
    pub fn share(&self, part: f64) {
        let mut classes = self.classes();
        classes.share = if part > 0.0 && part <= 1.0 { part } else { 1.0 };
        classes.live.values().for_each(|class| class.forget());
    }

    /// Waits for the turn of an operation, but not beyond `left`; gives the time that was waited.
    ///
    /// Dropping the future gives the turn to the next one.
    pub(crate) async fn turn(
        &self,
        operation: &'static Operation,
        clock: &Arc<dyn Clock>,
        left: Duration,
    ) -> Result<Duration, TooLate> {
        if !self.is_on() && !self.0.paused.load(Ordering::Acquire) {
            return Ok(Duration::ZERO);
        }
        let start = clock.now();
        let class = self.classes().class(operation);
        let end = start.saturating_add(left);
        let waited = || clock.now().saturating_sub(start);
        let first = class.turn.try_lock();
        let _turn = match first {
            Ok(turn) => turn,
            Err(_) => match select(pin!(class.turn.lock()), clock.sleep(left)).await {
                Either::Left((turn, _)) => turn,
                Either::Right(_) => return Err(TooLate { held: Held::Rate(left), waited: waited() }),
            },
        };
        loop {
            let now = clock.now();
            let pause = class.pause(now);
            let wait = if pause.is_zero() {
                let Some(rate) = self.rate(&class, operation, clock) else { return Ok(waited()) };
                match rate.check() {
                    Ok(()) => return Ok(waited()),
                    Err(early) => early.wait_time_from(now),
                }
            } else {
                pause
            };
            if now.saturating_add(wait) > end {
                let held = if pause.is_zero() { Held::Rate(wait) } else { Held::Pause(wait) };
                return Err(TooLate { held, waited: waited() });
            }
            clock.sleep(wait).await;
        }
    }

    /// Holds up the class of an operation.
    pub(crate) fn pause(&self, operation: &'static Operation, now: Duration, wait: Duration) {
        let class = self.classes().class(operation);
        let mut paused = lock(&class.paused);
        *paused = (*paused).max(now.saturating_add(wait.min(LONGEST_PAUSE)));
        self.0.paused.store(true, Ordering::Release);
    }

    fn rate(&self, class: &Class, operation: &Operation, clock: &Arc<dyn Clock>) -> Option<Arc<Rate>> {
        if !self.is_on() {
            return None;
        }
        let classes = self.classes();
        let mut rate = lock(&class.rate);
        if rate.is_none() {
            let quota = classes.quota(operation)?;
            *rate = Some(Arc::new(RateLimiter::direct_with_clock(quota, Ticks(Arc::clone(clock)))));
        }
        rate.clone()
    }

    fn classes(&self) -> MutexGuard<'_, Classes> {
        lock(&self.0.classes)
    }
}

/// Only ever held between two awaits; what is in it is whole after every line.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Classes {
    fn class(&mut self, operation: &Operation) -> Arc<Class> {
        let new = || {
            let (turn, rate, paused) = Default::default();
            Arc::new(Class { turn, rate, paused })
        };
        Arc::clone(self.live.entry(Name::of(operation)).or_insert_with(new))
    }

    fn quota(&self, operation: &Operation) -> Option<Quota> {
        let documented = operation.rate.as_ref().map(|rate| (rate.per_second, rate.burst));
        let set = self.set.get(&RateLimits::class_of(operation)).copied();
        let (per_second, burst) = set.unwrap_or(documented)?;
        // The limiter counts nanoseconds in 64 bits: a year for one request, or for all of a burst, is no rate
        // that anyone means. What is slower still is as slow as that, and not without a limit.
        let period = Duration::try_from_secs_f64((per_second * self.share).recip()).unwrap_or(LONGEST_BURST);
        let period = period.clamp(Duration::from_nanos(1), LONGEST_BURST);
        let most = LONGEST_BURST.as_nanos() / period.as_nanos();
        let burst = (f64::from(burst) * self.share).min(most as f64) as u32;
        Some(Quota::with_period(period)?.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN)))
    }
}

impl Class {
    /// Lets the next call begin with a new rate; pauses stay.
    fn forget(&self) {
        *lock(&self.rate) = None;
    }

    /// How long the console still wants no request.
    fn pause(&self, now: Duration) -> Duration {
        lock(&self.paused).saturating_sub(now)
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits").field("on", &self.is_on()).finish_non_exhaustive()
    }
}
