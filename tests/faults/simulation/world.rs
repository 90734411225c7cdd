//! The surroundings of the simulated processes: randomness, time, faults, and the trace.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ports::{PortError, PortErrorKind};
use tokio::time::Instant;

/// The length of the fault period, after which everything must recover.
const FAULT_PERIOD: Duration = Duration::from_secs(30);

/// A plausible defect, planted to check that the simulation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The index acknowledges before it has committed.
    AcknowledgeBeforeCommit,
    /// The index acknowledges a whole bulk request, whatever the outcome of its items.
    IgnoreFailedItems,
    /// The index applies changes in the order of arrival, whatever their versions.
    ApplyByArrival,
    /// The index keeps no tombstones.
    ForgetTombstones,
    /// The index reports a stale version as a failure.
    RefuseStale,
    /// An unavailable index counts as one that has applied the changes.
    SwallowErrors,
    /// The queue acknowledges before a message is durable, so outbox entries are removed too early.
    RemoveBeforeSend,
    /// The queue acknowledges all messages of a send, whatever the outcome of each.
    IgnoreFailedSends,
    /// A message that is retried is removed.
    AcknowledgeRefused,
    /// Removing an outbox entry removes all entries of its product.
    RemoveNewerEntries,
    /// The store acknowledges before a write is durable.
    AcknowledgeBeforeDurable,
    /// The store ignores the version that a write replaces.
    IgnoreCondition,
    /// The idempotency record is stored in a separate step.
    SeparateIdempotencyRecord,
    /// The outbox entry is added in a separate step.
    SeparateOutboxEntry,
    /// The store keeps no tombstones, so versions start again.
    RestartVersions,
}

impl Mistake {
    pub(super) const ALL: [Self; 15] = [
        Self::AcknowledgeBeforeCommit,
        Self::IgnoreFailedItems,
        Self::ApplyByArrival,
        Self::ForgetTombstones,
        Self::RefuseStale,
        Self::SwallowErrors,
        Self::RemoveBeforeSend,
        Self::IgnoreFailedSends,
        Self::AcknowledgeRefused,
        Self::RemoveNewerEntries,
        Self::AcknowledgeBeforeDurable,
        Self::IgnoreCondition,
        Self::SeparateIdempotencyRecord,
        Self::SeparateOutboxEntry,
        Self::RestartVersions,
    ];
}

/// A part that fails independently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Store,
    Queue,
    Index,
}

/// The fate of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    /// It fails without an effect.
    Before(PortErrorKind),
    /// It has its effect, and the response is lost.
    After,
}

/// An event that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Call,
    FailedCall,
    LostAnswer,
    Outage,
    PartialFailure,
    DuplicateMessage,
    ExpiredReceive,
    DeadLetter,
    Disconnect,
    Crash,
    Request,
    AcknowledgedWrite,
}

impl Event {
    pub(super) const ALL: [Self; 12] = [
        Self::Call,
        Self::FailedCall,
        Self::LostAnswer,
        Self::Outage,
        Self::PartialFailure,
        Self::DuplicateMessage,
        Self::ExpiredReceive,
        Self::DeadLetter,
        Self::Disconnect,
        Self::Crash,
        Self::Request,
        Self::AcknowledgedWrite,
    ];
}

/// The number of times that each event happened.
pub(super) type Tally = BTreeMap<Event, u64>;

/// The world of one run.
pub(super) struct World {
    state: Mutex<State>,
    begun: Instant,
    mistake: Option<Mistake>,
}

struct State {
    chance: fastrand::Rng,
    /// The factor on all fault rates of this run.
    roughness: f64,
    down_until: [Instant; 3],
    suspended_until: Instant,
    trace: Trace,
    tally: Tally,
}

impl World {
    /// Creates the world of a seed, which keeps the lines of its trace if `keep_trace` is true.
    pub(super) fn new(seed: u64, mistake: Option<Mistake>, keep_trace: bool) -> Arc<Self> {
        let mut chance = fastrand::Rng::with_seed(seed);
        let roughness = [0.3, 1.0, 1.0, 2.0][chance.usize(0..4)];
        let begun = Instant::now();
        let trace = Trace { hash: DefaultHasher::new(), lines: keep_trace.then(Vec::new) };
        let state = State {
            chance,
            roughness,
            down_until: [begun; 3],
            suspended_until: begun,
            trace,
            tally: Tally::default(),
        };
        Arc::new(Self { state: Mutex::new(state), begun, mistake })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if this mistake is planted.
    pub(super) fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    // --------------------------------------------------------------------------------------------- chance

    pub(super) fn chance(&self, share: f64) -> bool {
        self.state().chance.f64() < share
    }

    pub(super) fn number(&self, range: Range<u64>) -> u64 {
        self.state().chance.u64(range)
    }

    pub(super) fn pick<T: Clone>(&self, of: &[T]) -> T {
        of[self.state().chance.usize(0..of.len())].clone()
    }

    pub(super) fn shuffle<T>(&self, items: &mut [T]) {
        self.state().chance.shuffle(items);
    }

    /// Returns a random duration in this range of milliseconds.
    pub(super) fn milliseconds(&self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.number(range))
    }

    // ----------------------------------------------------------------------------------------------- time

    pub(super) async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Takes a step of a call: other tasks run, and sometimes it takes a while.
    pub(super) async fn step(&self) {
        match self.number(0..100) {
            0..60 => tokio::task::yield_now().await,
            60..95 => self.wait(self.milliseconds(1..40)).await,
            _ => self.wait(self.milliseconds(40..2500)).await,
        }
    }

    // --------------------------------------------------------------------------------------------- faults

    /// Returns true during the fault period.
    pub(super) fn has_faults(&self) -> bool {
        let now = Instant::now();
        now < self.begun + FAULT_PERIOD && now >= self.state().suspended_until
    }

    /// Suspends all faults for a while. A message that expired [`MAX_RECEIVES`](domain::ports::MAX_RECEIVES) times
    /// becomes a dead letter, which is correct but would look like a defect.
    pub(super) fn suspend_faults(&self, duration: Duration) {
        let until = Instant::now() + duration;
        self.note(format_args!("faults suspended"));
        let mut state = self.state();
        state.suspended_until = state.suspended_until.max(until);
        state.down_until = [Instant::now(); 3];
    }

    /// Returns true at this rate during the fault period.
    pub(super) fn strikes(&self, share: f64) -> bool {
        self.has_faults() && {
            let mut state = self.state();
            let share = share * state.roughness;
            state.chance.f64() < share
        }
    }

    /// Decides the fate of a call to this part.
    pub(super) fn fate(&self, part: Part) -> Fate {
        self.count(Event::Call);
        if !self.has_faults() {
            return Fate::Fine;
        }
        let now = Instant::now();
        let is_down = now < self.state().down_until[part as usize];
        let fate = if is_down {
            Fate::Before(PortErrorKind::Unavailable)
        } else if self.strikes(0.006) {
            let until = now + self.milliseconds(500..20_000);
            self.state().down_until[part as usize] = until;
            self.count(Event::Outage);
            Fate::Before(PortErrorKind::Unavailable)
        } else if self.strikes(0.04) {
            let kinds = [PortErrorKind::Throttled, PortErrorKind::Unavailable, PortErrorKind::Full];
            Fate::Before(self.pick(&kinds))
        } else if self.strikes(0.04) {
            Fate::After
        } else {
            return Fate::Fine;
        };
        self.count(match fate {
            Fate::After => Event::LostAnswer,
            _ => Event::FailedCall,
        });
        self.note(format_args!("{part:?} {fate:?}"));
        fate
    }

    /// Makes a call whose effect is one step: it may be late, fail before its effect or lose its response.
    pub(super) async fn call<T>(
        &self,
        part: Part,
        name: &str,
        effect: impl FnOnce() -> T,
    ) -> Result<T, PortError> {
        self.step().await;
        let fate = self.fate(part);
        if let Fate::Before(kind) = fate {
            return Err(PortError::bare(kind, name));
        }
        let value = effect();
        self.step().await;
        match fate {
            Fate::After => Err(PortError::bare(PortErrorKind::Unavailable, name)),
            _ => Ok(value),
        }
    }

    // ---------------------------------------------------------------------------------------------- trace

    /// Adds a line to the trace.
    pub(super) fn note(&self, line: fmt::Arguments<'_>) {
        let at = (Instant::now() - self.begun).as_millis();
        let mut state = self.state();
        // Writing to a hash cannot fail.
        let _ = writeln!(state.trace, "{at} {line}");
        if let Some(lines) = &mut state.trace.lines {
            lines.push(format!("{at:>8} ms  {line}"));
        }
    }

    pub(super) fn count(&self, event: Event) {
        *self.state().tally.entry(event).or_default() += 1;
    }

    pub(super) fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// Returns a hash of everything that happened.
    pub(super) fn trace_hash(&self) -> u64 {
        self.state().trace.hash.finish()
    }

    /// Returns the lines of the trace, if they were kept.
    pub(super) fn trace(&self) -> Vec<String> {
        self.state().trace.lines.clone().unwrap_or_default()
    }
}

/// A hash over all lines, and the lines if they are kept.
struct Trace {
    hash: DefaultHasher,
    lines: Option<Vec<String>>,
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hash.write(text.as_bytes());
        Ok(())
    }
}
