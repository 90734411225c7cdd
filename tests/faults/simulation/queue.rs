//! A queue in memory: at least once, in no order, as [`ChangeQueue`] says and no better.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{
    ChangeQueue, Delivery, Envelope, MAX_RECEIVES, PortError, PortErrorKind, QueueStats, Receipt,
    ReleaseRequest, RetryRequest,
};
use domain::{Change, ProductId};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::index::is_poison;
use super::store::Disk;
use super::world::{Event, Fate, Mistake, Part, World};

const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(10);
/// A message that was forgotten so often must not be forgotten again.
const FORGOTTEN_TOO_OFTEN: u32 = 3;
/// Until then a message that was forgotten too often has come again and been worked on.
const MERCY: Duration = Duration::from_secs(60);

pub(super) struct SimulatedQueue {
    world: Arc<World>,
    /// What messages without a body are joined with.
    store: Arc<Mutex<Disk>>,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<u64, Message>,
    next_message: u64,
    next_receipt: u64,
    dead: Vec<DeadLetter>,
    /// What was answered for and is not durable, where that mistake is made.
    unflushed: Vec<(Instant, Body)>,
}

#[derive(Clone)]
struct Message {
    body: Body,
    visible_at: Instant,
    /// The receipt of the last receive, unless the message was given back since.
    held: Option<u64>,
    receives: u32,
    /// How often nobody acknowledged it or gave it back.
    forgotten: u32,
    /// What it said last.
    said: Option<Change>,
    /// Whether it ever said what the index cannot hold.
    said_poison: bool,
}

#[derive(Clone)]
enum Body {
    Change(Envelope),
    /// Whatever the store holds of this product.
    Stored(ProductId),
    /// Nothing that could be read.
    Garbage,
}

/// A message that was given up.
#[derive(Debug, Clone)]
pub(super) struct DeadLetter {
    /// The change; none for a message that could not be read.
    pub(super) change: Option<Change>,
    /// Whether it ever said what the index cannot hold.
    pub(super) said_poison: bool,
    pub(super) reason: String,
}

impl SimulatedQueue {
    pub(super) fn new(world: Arc<World>, store: Arc<Mutex<Disk>>) -> Self {
        Self { world, store, state: Mutex::default(), arrived: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enqueues what the store holds of a product, in the same step as the store's write.
    pub(super) fn enqueue_stored(&self, id: &ProductId) {
        self.enqueue(&Body::Stored(id.clone()));
    }

    /// Enqueues what nobody can read.
    pub(super) fn enqueue_garbage(&self) {
        self.enqueue(&Body::Garbage);
    }

    fn enqueue(&self, body: &Body) {
        let copies = if self.world.strikes(0.05) { 2 } else { 1 };
        for copy in 0..copies {
            if copy > 0 {
                self.world.count(Event::DuplicateMessage);
            }
            let delay =
                if self.world.strikes(0.2) { self.world.milliseconds(1..3000) } else { Duration::ZERO };
            let mut state = self.state();
            let number = state.next_message;
            state.next_message += 1;
            let visible_at = Instant::now() + delay;
            let message = Message {
                body: body.clone(),
                visible_at,
                held: None,
                receives: 0,
                forgotten: 0,
                said: None,
                said_poison: false,
            };
            state.messages.insert(number, message);
        }
        self.arrived.notify_waiters();
    }

    pub(super) fn is_empty(&self) -> bool {
        let state = self.state();
        state.messages.is_empty() && state.unflushed.is_empty()
    }

    pub(super) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.state().dead.clone()
    }

    /// What the crash of a process that sends does to it.
    pub(super) fn crash(&self) {
        self.state().unflushed.clear();
    }

    fn flush(&self) {
        let due: Vec<Body> = {
            let mut state = self.state();
            let unflushed = std::mem::take(&mut state.unflushed);
            let (due, rest) = unflushed.into_iter().partition(|(at, _)| *at <= Instant::now());
            state.unflushed = rest;
            let due: Vec<(Instant, Body)> = due;
            due.into_iter().map(|(_, body)| body).collect()
        };
        due.iter().for_each(|body| self.enqueue(body));
    }

    // ------------------------------------------------------------------------------------------- receiving

    /// Hides some of the visible messages for their receiver, in any order.
    fn claim(&self, max: usize) -> Vec<Delivery> {
        self.flush();
        let now = Instant::now();
        let mut visible: Vec<u64> = {
            let state = self.state();
            let visible = state.messages.iter().filter(|(_, message)| message.visible_at <= now);
            visible.map(|(number, _)| *number).collect()
        };
        if visible.is_empty() || max == 0 {
            return Vec::new();
        }
        self.world.shuffle(&mut visible);
        let most = max.min(visible.len()) as u64;
        visible.truncate(self.world.number(0..most) as usize + 1);
        visible.into_iter().filter_map(|number| self.deliver(number)).collect()
    }

    fn deliver(&self, number: u64) -> Option<Delivery> {
        let delivered_again = self.world.strikes(0.02);
        let mut state = self.state();
        let receipt = state.next_receipt;
        state.next_receipt += 1;
        let message = state.messages.get_mut(&number)?;
        if message.held.replace(receipt).is_some() {
            message.forgotten += 1;
            self.world.count(Event::ForgottenMessage);
        }
        if message.receives >= MAX_RECEIVES {
            let reason = "received too often";
            self.bury(&mut state, number, reason);
            return None;
        }
        message.receives += 1;
        if message.forgotten >= FORGOTTEN_TOO_OFTEN {
            self.world.have_mercy(MERCY);
        }
        let hidden_for = if delivered_again { Duration::ZERO } else { VISIBILITY_TIMEOUT };
        message.visible_at = Instant::now() + hidden_for;
        let envelope = self.read(&message.body);
        message.said = envelope.as_ref().ok().map(|envelope| envelope.change.clone());
        message.said_poison |= message.said.as_ref().is_some_and(is_poison);
        self.world.note(format_args!("deliver m{number} as r{receipt}: {}", told(message.said.as_ref())));
        let receipt = Receipt(format!("{number} {receipt}"));
        Some(Delivery { receipt, envelope, receives: message.receives, body: None })
    }

    fn read(&self, body: &Body) -> Result<Envelope, String> {
        match body {
            Body::Change(envelope) => Ok(envelope.clone()),
            Body::Garbage => Err("no JSON".to_owned()),
            Body::Stored(id) => {
                let disk = self.store.lock().unwrap_or_else(PoisonError::into_inner);
                let record = disk.records.get(id).ok_or_else(|| format!("{id} is not in the store"))?;
                Ok(Envelope { change: Change::to(record.clone()), traceparent: None })
            }
        }
    }

    fn bury(&self, state: &mut State, number: u64, reason: &str) {
        let Some(message) = state.messages.remove(&number) else { return };
        self.world.note(format_args!("m{number} is dead: {reason}"));
        self.world.count(Event::DeadLetter);
        state.dead.push(DeadLetter {
            change: message.said,
            said_poison: message.said_poison,
            reason: reason.to_owned(),
        });
    }

    /// Does this to each message that is held under its receipt. A call that fails may have done a part of it.
    async fn with_held<T>(
        &self,
        name: &str,
        mut held: Vec<(&Receipt, T)>,
        effect: impl Fn(&mut State, u64, T),
    ) -> Result<(), PortError> {
        self.world.step().await;
        let fate = self.world.fate(Part::Queue);
        if let Fate::Before(kind) = fate {
            return Err(PortError::bare(kind, name));
        }
        let half_fails = held.len() > 1 && self.world.strikes(0.05);
        if half_fails {
            held.truncate(held.len() / 2);
            self.world.count(Event::HalfFailure);
        }
        for (receipt, with) in held {
            let mut state = self.state();
            let Some((number, receipt)) = parse(receipt) else { continue };
            if state.messages.get(&number).is_some_and(|message| message.held == Some(receipt)) {
                self.world.note(format_args!("{name} r{receipt}"));
                effect(&mut state, number, with);
            }
        }
        self.world.step().await;
        if half_fails || fate == Fate::After {
            return Err(PortError::bare(PortErrorKind::Unavailable, name));
        }
        Ok(())
    }
}

fn parse(receipt: &Receipt) -> Option<(u64, u64)> {
    let (message, receipt) = receipt.0.split_once(' ')?;
    Some((message.parse().ok()?, receipt.parse().ok()?))
}

/// A change in a line of the trace.
pub(super) fn told(change: Option<&Change>) -> String {
    change.map_or("garbage".to_owned(), |change| format!("{}@{}", change.id(), change.version()))
}

#[async_trait]
impl ChangeQueue for SimulatedQueue {
    async fn send(&self, envelopes: Vec<Envelope>) -> Vec<Result<(), PortError>> {
        const NAME: &str = "sending";
        self.world.step().await;
        let fate = self.world.fate(Part::Queue);
        if let Fate::Before(kind) = fate {
            return envelopes.iter().map(|_| Err(PortError::bare(kind, NAME))).collect();
        }
        let mut results = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            if self.world.strikes(0.05) {
                self.world.note(format_args!("not sent: {}", told(Some(&envelope.change))));
                self.world.count(Event::HalfFailure);
                results.push(Err(PortError::bare(PortErrorKind::Throttled, NAME)));
                continue;
            }
            if self.world.makes(Mistake::ClearBeforeSend) {
                let due = Instant::now() + self.world.milliseconds(0..2000);
                self.state().unflushed.push((due, Body::Change(envelope)));
            } else {
                self.enqueue(&Body::Change(envelope));
            }
            results.push(match fate {
                Fate::After => Err(PortError::bare(PortErrorKind::Unavailable, NAME)),
                _ => Ok(()),
            });
        }
        self.world.step().await;
        if self.world.makes(Mistake::IgnoreFailedSends) {
            results = results.iter().map(|_| Ok(())).collect();
        }
        results
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        const NAME: &str = "receiving";
        self.world.step().await;
        let fate = self.world.fate(Part::Queue);
        if let Fate::Before(kind) = fate {
            return Err(PortError::bare(kind, NAME));
        }
        let until = Instant::now() + wait;
        let claimed = loop {
            let claimed = self.claim(max);
            if !claimed.is_empty() || Instant::now() >= until {
                break claimed;
            }
            let next = self.state().messages.values().map(|message| message.visible_at).min();
            let next = next.map_or(until, |next| next.min(until));
            // Either something was sent, or something may be visible again.
            let _ = timeout_at(next, self.arrived.notified()).await;
        };
        self.world.step().await;
        match fate {
            Fate::After => Err(PortError::bare(PortErrorKind::Unavailable, NAME)),
            _ => Ok(claimed),
        }
    }

    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let held = receipts.iter().map(|receipt| (receipt, ())).collect();
        let remove = |state: &mut State, number: u64, ()| {
            state.messages.remove(&number);
        };
        self.with_held("acknowledge", held, remove).await
    }

    async fn retry_later(&self, failed: &[RetryRequest]) -> Result<(), PortError> {
        let held = failed.iter().map(|given| (&given.receipt, given)).collect();
        let retry_later = |state: &mut State, number: u64, given: &RetryRequest| {
            if self.world.makes(Mistake::AcknowledgeRefused) {
                state.messages.remove(&number);
                return;
            }
            let Some(message) = state.messages.get_mut(&number) else { return };
            if message.receives >= MAX_RECEIVES {
                self.bury(state, number, &given.reason);
            } else {
                message.held = None;
                message.visible_at = Instant::now() + given.delay;
            }
        };
        self.with_held("give back", held, retry_later).await
    }

    async fn release(&self, untouched: &[ReleaseRequest]) -> Result<(), PortError> {
        let held = untouched.iter().map(|message| (&message.receipt, ())).collect();
        let release = |state: &mut State, number: u64, ()| {
            if let Some(message) = state.messages.get_mut(&number) {
                message.held = None;
                message.receives -= 1;
                message.visible_at = Instant::now();
            }
        };
        self.with_held("release", held, release).await
    }

    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let held = receipts.iter().map(|receipt| (receipt, ())).collect();
        let extend = |state: &mut State, number: u64, ()| {
            if let Some(message) = state.messages.get_mut(&number) {
                message.visible_at = Instant::now() + VISIBILITY_TIMEOUT;
            }
        };
        self.with_held("extend", held, extend).await
    }

    fn visibility_timeout(&self) -> Duration {
        VISIBILITY_TIMEOUT
    }

    async fn stats(&self) -> Result<QueueStats, PortError> {
        let (state, now) = (self.state(), Instant::now());
        let is_held = |message: &&Message| message.held.is_some() && message.visible_at > now;
        let in_flight = state.messages.values().filter(is_held).count() as u64;
        Ok(QueueStats {
            waiting: state.messages.len() as u64 - in_flight,
            in_flight,
            dead: state.dead.len() as u64,
            oldest_age: None,
        })
    }

    fn back_end(&self) -> &'static str {
        "simulated"
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}
