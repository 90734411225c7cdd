//! A queue in memory that does what [`ChangeQueue`] guarantees and no more: at least once, unordered.

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
/// The number of expired receives after which a message must not expire again.
const MAX_EXPIRED_RECEIVES: u32 = 3;
/// The pause of all faults in which such a message is received again and processed.
const FAULT_PAUSE: Duration = Duration::from_secs(60);

pub(super) struct SimulatedQueue {
    world: Arc<World>,
    /// The store, from which messages without a body take the current record.
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
    /// Messages that were reported as sent but are not durable, if that mistake is planted.
    unflushed: Vec<(Instant, Body)>,
}

#[derive(Clone)]
struct Message {
    body: Body,
    visible_at: Instant,
    /// The receipt of the last receive, unless the message was retried or released since.
    receipt: Option<u64>,
    receives: u32,
    /// The number of receives that expired.
    expired_receives: u32,
    /// The change of the last receive.
    last_change: Option<Change>,
    /// True if it ever carried a change that the index cannot hold.
    carried_poison: bool,
}

#[derive(Clone)]
enum Body {
    Change(Envelope),
    /// The current record of this product in the store.
    Stored(ProductId),
    /// Bytes that cannot be decoded.
    Garbage,
}

/// A dead letter.
#[derive(Debug, Clone)]
pub(super) struct DeadLetter {
    /// The change; `None` if the message cannot be decoded.
    pub(super) change: Option<Change>,
    /// True if it ever carried a change that the index cannot hold.
    pub(super) carried_poison: bool,
    pub(super) reason: String,
}

impl SimulatedQueue {
    pub(super) fn new(world: Arc<World>, store: Arc<Mutex<Disk>>) -> Self {
        Self { world, store, state: Mutex::default(), arrived: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enqueues the current record of a product, in the same step as the store's write.
    pub(super) fn enqueue_stored(&self, id: &ProductId) {
        self.enqueue(&Body::Stored(id.clone()));
    }

    /// Enqueues a message that cannot be decoded.
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
                receipt: None,
                receives: 0,
                expired_receives: 0,
                last_change: None,
                carried_poison: false,
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

    /// Applies the crash of a sending process.
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

    /// Receives some of the visible messages, in random order.
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
        if message.receipt.replace(receipt).is_some() {
            message.expired_receives += 1;
            self.world.count(Event::ExpiredReceive);
        }
        if message.receives >= MAX_RECEIVES {
            let reason = "received too often";
            self.move_to_dead_letters(&mut state, number, reason);
            return None;
        }
        message.receives += 1;
        if message.expired_receives >= MAX_EXPIRED_RECEIVES {
            self.world.suspend_faults(FAULT_PAUSE);
        }
        let hidden_for = if delivered_again { Duration::ZERO } else { VISIBILITY_TIMEOUT };
        message.visible_at = Instant::now() + hidden_for;
        let envelope = self.read(&message.body);
        message.last_change = envelope.as_ref().ok().map(|envelope| envelope.change.clone());
        message.carried_poison |= message.last_change.as_ref().is_some_and(is_poison);
        self.world.note(format_args!(
            "deliver m{number} as r{receipt}: {}",
            describe(message.last_change.as_ref())
        ));
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

    fn move_to_dead_letters(&self, state: &mut State, number: u64, reason: &str) {
        let Some(message) = state.messages.remove(&number) else { return };
        self.world.note(format_args!("m{number} is dead: {reason}"));
        self.world.count(Event::DeadLetter);
        state.dead.push(DeadLetter {
            change: message.last_change,
            carried_poison: message.carried_poison,
            reason: reason.to_owned(),
        });
    }

    /// Applies `effect` to each message whose receipt is valid. A call that fails may have done part of it.
    async fn with_valid_receipts<T>(
        &self,
        name: &str,
        mut items: Vec<(&Receipt, T)>,
        effect: impl Fn(&mut State, u64, T),
    ) -> Result<(), PortError> {
        self.world.step().await;
        let fate = self.world.fate(Part::Queue);
        if let Fate::Before(kind) = fate {
            return Err(PortError::bare(kind, name));
        }
        let fails_partially = items.len() > 1 && self.world.strikes(0.05);
        if fails_partially {
            items.truncate(items.len() / 2);
            self.world.count(Event::PartialFailure);
        }
        for (receipt, with) in items {
            let mut state = self.state();
            let Some((number, receipt)) = parse(receipt) else { continue };
            if state.messages.get(&number).is_some_and(|message| message.receipt == Some(receipt)) {
                self.world.note(format_args!("{name} r{receipt}"));
                effect(&mut state, number, with);
            }
        }
        self.world.step().await;
        if fails_partially || fate == Fate::After {
            return Err(PortError::bare(PortErrorKind::Unavailable, name));
        }
        Ok(())
    }
}

fn parse(receipt: &Receipt) -> Option<(u64, u64)> {
    let (message, receipt) = receipt.0.split_once(' ')?;
    Some((message.parse().ok()?, receipt.parse().ok()?))
}

/// Formats a change for the trace.
pub(super) fn describe(change: Option<&Change>) -> String {
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
                self.world.note(format_args!("not sent: {}", describe(Some(&envelope.change))));
                self.world.count(Event::PartialFailure);
                results.push(Err(PortError::bare(PortErrorKind::Throttled, NAME)));
                continue;
            }
            if self.world.makes(Mistake::RemoveBeforeSend) {
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
            // Wait for a send, or for a message to become visible.
            let _ = timeout_at(next, self.arrived.notified()).await;
        };
        self.world.step().await;
        match fate {
            Fate::After => Err(PortError::bare(PortErrorKind::Unavailable, NAME)),
            _ => Ok(claimed),
        }
    }

    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let items = receipts.iter().map(|receipt| (receipt, ())).collect();
        let remove = |state: &mut State, number: u64, ()| {
            state.messages.remove(&number);
        };
        self.with_valid_receipts("acknowledge", items, remove).await
    }

    async fn retry_later(&self, failed: &[RetryRequest]) -> Result<(), PortError> {
        let items = failed.iter().map(|given| (&given.receipt, given)).collect();
        let retry_later = |state: &mut State, number: u64, given: &RetryRequest| {
            if self.world.makes(Mistake::AcknowledgeRefused) {
                state.messages.remove(&number);
                return;
            }
            let Some(message) = state.messages.get_mut(&number) else { return };
            if message.receives >= MAX_RECEIVES {
                self.move_to_dead_letters(state, number, &given.reason);
            } else {
                message.receipt = None;
                message.visible_at = Instant::now() + given.delay;
            }
        };
        self.with_valid_receipts("retry", items, retry_later).await
    }

    async fn release(&self, unprocessed: &[ReleaseRequest]) -> Result<(), PortError> {
        let items = unprocessed.iter().map(|message| (&message.receipt, ())).collect();
        let release = |state: &mut State, number: u64, ()| {
            if let Some(message) = state.messages.get_mut(&number) {
                message.receipt = None;
                message.receives -= 1;
                message.visible_at = Instant::now();
            }
        };
        self.with_valid_receipts("release", items, release).await
    }

    async fn extend(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let items = receipts.iter().map(|receipt| (receipt, ())).collect();
        let extend = |state: &mut State, number: u64, ()| {
            if let Some(message) = state.messages.get_mut(&number) {
                message.visible_at = Instant::now() + VISIBILITY_TIMEOUT;
            }
        };
        self.with_valid_receipts("extend", items, extend).await
    }

    fn visibility_timeout(&self) -> Duration {
        VISIBILITY_TIMEOUT
    }

    async fn stats(&self) -> Result<QueueStats, PortError> {
        let (state, now) = (self.state(), Instant::now());
        let is_in_flight = |message: &&Message| message.receipt.is_some() && message.visible_at > now;
        let in_flight = state.messages.values().filter(is_in_flight).count() as u64;
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
