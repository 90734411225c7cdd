//! What surrounds the simulated processes: chance, time, faults, and the trace of what happened.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ports::{PortError, PortErrorKind};
use tokio::time::Instant;

/// For how long faults happen; what happens after that must mend everything.
const STORM: Duration = Duration::from_secs(30);

/// A mistake that somebody could make, planted to see that the simulation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The index answers before it has committed.
    AcknowledgeBeforeCommit,
    /// The index answers for the whole of a bulk, whatever became of its items.
    IgnoreFailedItems,
    /// The index applies what comes last, whatever its version.
    ApplyByArrival,
    /// The index removes what was deleted and keeps no tombstone.
    ForgetTombstones,
    /// The index takes a version that it has already for a failure.
    RefuseStale,
    /// An index that is away counts as one that has taken the changes.
    SwallowErrors,
    /// The queue answers before a message is durable, so that marks are cleared too early.
    ClearBeforeSend,
    /// The queue answers for all messages of a send, whatever became of each.
    IgnoreFailedSends,
    /// A message that is given back is removed.
    AcknowledgeRefused,
    /// Clearing a mark clears all marks of its product.
    ClearNewerMarks,
    /// The store answers before a write is durable.
    AnswerBeforeDurable,
    /// The store does not look at the version that a write replaces.
    IgnoreCondition,
    /// The idempotency key is kept in a step of its own.
    KeyApart,
    /// The mark is left in a step of its own.
    MarkApart,
    /// The store keeps no tombstone, so that versions begin again.
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
        Self::ClearBeforeSend,
        Self::IgnoreFailedSends,
        Self::AcknowledgeRefused,
        Self::ClearNewerMarks,
        Self::AnswerBeforeDurable,
        Self::IgnoreCondition,
        Self::KeyApart,
        Self::MarkApart,
        Self::RestartVersions,
    ];
}

/// What fails on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Store,
    Queue,
    Index,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    /// It fails and had no effect.
    Before(PortErrorKind),
    /// It has its effect, and the answer is lost.
    After,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Call,
    FailedCall,
    LostAnswer,
    Outage,
    HalfFailure,
    DuplicateMessage,
    ForgottenMessage,
    DeadLetter,
    HangUp,
    Crash,
    Request,
    AnsweredWrite,
}

impl Event {
    pub(super) const ALL: [Self; 12] = [
        Self::Call,
        Self::FailedCall,
        Self::LostAnswer,
        Self::Outage,
        Self::HalfFailure,
        Self::DuplicateMessage,
        Self::ForgottenMessage,
        Self::DeadLetter,
        Self::HangUp,
        Self::Crash,
        Self::Request,
        Self::AnsweredWrite,
    ];
}

/// How often things happened.
pub(super) type Tally = BTreeMap<Event, u64>;

/// The world of one run.
pub(super) struct World {
    state: Mutex<State>,
    begun: Instant,
    mistake: Option<Mistake>,
}

struct State {
    chance: fastrand::Rng,
    /// How much goes wrong in this run, 1 for an ordinary share.
    roughness: f64,
    down_until: [Instant; 3],
    mercy_until: Instant,
    trace: Trace,
    tally: Tally,
}

impl World {
    /// The world of a seed. It keeps the lines of its trace when it is `told`.
    pub(super) fn new(seed: u64, mistake: Option<Mistake>, told: bool) -> Arc<Self> {
        let mut chance = fastrand::Rng::with_seed(seed);
        let roughness = [0.3, 1.0, 1.0, 2.0][chance.usize(0..4)];
        let begun = Instant::now();
        let trace = Trace { hash: Trace::START, lines: told.then(Vec::new) };
        let state = State {
            chance,
            roughness,
            down_until: [begun; 3],
            mercy_until: begun,
            trace,
            tally: Tally::default(),
        };
        Arc::new(Self { state: Mutex::new(state), begun, mistake })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this mistake is made here.
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

    /// Up to so many milliseconds.
    pub(super) fn milliseconds(&self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.number(range))
    }

    // ----------------------------------------------------------------------------------------------- time

    pub(super) async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// A step of a call: others have their turn, and now and then it takes a while.
    pub(super) async fn step(&self) {
        match self.number(0..100) {
            0..60 => tokio::task::yield_now().await,
            60..95 => self.wait(self.milliseconds(1..40)).await,
            _ => self.wait(self.milliseconds(40..2500)).await,
        }
    }

    // --------------------------------------------------------------------------------------------- faults

    /// Whether faults happen now.
    pub(super) fn storms(&self) -> bool {
        let now = Instant::now();
        now < self.begun + STORM && now >= self.state().mercy_until
    }

    /// A message that was received and forgotten [`MAX_RECEIVES`](domain::ports::MAX_RECEIVES) times becomes a dead
    /// letter, which is right and would be taken for a mistake. So there are no faults for a while when one comes near it.
    pub(super) fn have_mercy(&self, duration: Duration) {
        let until = Instant::now() + duration;
        self.note(format_args!("mercy"));
        let mut state = self.state();
        state.mercy_until = state.mercy_until.max(until);
        state.down_until = [Instant::now(); 3];
    }

    /// Whether something that happens to this share of cases happens now.
    pub(super) fn strikes(&self, share: f64) -> bool {
        self.storms() && {
            let mut state = self.state();
            let share = share * state.roughness;
            state.chance.f64() < share
        }
    }

    /// What becomes of a call of this part.
    pub(super) fn fate(&self, part: Part) -> Fate {
        self.count(Event::Call);
        if !self.storms() {
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

    /// A call whose effect is one step: it may be late, fail before its effect or lose its answer.
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
        // A hash takes whatever comes.
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

    /// Stands for everything that happened.
    pub(super) fn trace_hash(&self) -> u64 {
        self.state().trace.hash
    }

    /// The lines of the trace, if they were kept.
    pub(super) fn told(&self) -> Vec<String> {
        self.state().trace.lines.clone().unwrap_or_default()
    }
}

/// FNV-1a over all lines, and the lines where somebody is going to read them.
struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(Self::PRIME);
        }
        Ok(())
    }
}
