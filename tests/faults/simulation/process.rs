//! Processes that crash, by dropping their futures at an await point, and restart.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use command::{Catalogue, relay_forever};
use domain::Currency;
use domain::ports::{ChangeQueue, IndexWriter, ProductStore};
use sync::{Consumer, ConsumerOptions};
use tokio_util::sync::CancellationToken;

use super::index::SimulatedIndex;
use super::queue::SimulatedQueue;
use super::store::SimulatedStore;
use super::world::{Event, World};

/// A future that is dropped at the await point that it has reached after a number of polls.
pub(super) struct Mortal<F> {
    world: Arc<World>,
    life: Pin<Box<F>>,
    polls_left: u64,
}

impl<F> Mortal<F> {
    pub(super) fn new(world: &Arc<World>, polls: u64, life: F) -> Self {
        Self { world: Arc::clone(world), life: Box::pin(life), polls_left: polls }
    }
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // There are no crashes outside of the fault period.
        if self.polls_left == 0 && self.world.has_faults() {
            return Poll::Ready(None);
        }
        self.polls_left = self.polls_left.saturating_sub(1);
        self.life.as_mut().poll(context).map(Some)
    }
}

// ------------------------------------------------------------------------------------------------ command

/// A process that serves writes and runs the relay.
pub(super) struct CommandProcess {
    world: Arc<World>,
    store: Arc<SimulatedStore>,
    queue: Arc<SimulatedQueue>,
    /// Cancelled when it crashes.
    alive: Mutex<CancellationToken>,
    handling: AtomicUsize,
}

impl CommandProcess {
    pub(super) fn new(
        world: &Arc<World>,
        store: &Arc<SimulatedStore>,
        queue: &Arc<SimulatedQueue>,
    ) -> Arc<Self> {
        let (world, store, queue) = (Arc::clone(world), Arc::clone(store), Arc::clone(queue));
        let (alive, handling) = (Mutex::default(), AtomicUsize::new(0));
        Arc::new(Self { world, store, queue, alive, handling })
    }

    pub(super) fn catalogue(&self) -> Catalogue {
        let store: Arc<dyn ProductStore> = self.store.clone();
        let queue: Arc<dyn ChangeQueue> = self.queue.clone();
        Catalogue::new(store, queue, Currency::USD)
    }

    fn alive(&self) -> CancellationToken {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs, crashes and restarts, forever.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            let alive = CancellationToken::new();
            *self.alive.lock().unwrap_or_else(PoisonError::into_inner) = alive.clone();
            let polls = self.world.number(1..40);
            let relay = Mortal::new(&self.world, polls, relay_forever(self.catalogue()));
            alive.run_until_cancelled(relay).await;
            // Its requests end with it.
            alive.cancel();
            self.store.crash();
            self.queue.crash();
            self.world.note(format_args!("command crashes"));
            self.world.count(Event::Crash);
            self.world.wait(self.world.milliseconds(1..3000)).await;
        }
    }

    /// Handles a request. Returns `None` if the client gets no response.
    pub(super) async fn handle<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (process, alive) = (Arc::clone(self), self.alive());
        let guard = Handling::of(&process);
        let ends_early = self.world.strikes(0.08);
        let polls = if ends_early { self.world.number(1..14) } else { u64::MAX };
        let running = async move {
            let _guard = guard;
            let handled = alive.run_until_cancelled(Mortal::new(&process.world, polls, work)).await?;
            if handled.is_none() {
                process.world.count(Event::Disconnect);
                // Either the client disconnects and its handler is dropped, or the whole process crashes.
                if process.world.chance(0.5) {
                    alive.cancel();
                }
            }
            handled
        };
        if self.world.strikes(0.05) {
            // The client disconnects, and its handler continues.
            let patience = self.world.milliseconds(1..200);
            let running = tokio::spawn(running);
            return tokio::time::timeout(patience, running).await.ok()?.ok()?;
        }
        running.await
    }

    pub(super) fn is_idle(&self) -> bool {
        self.handling.load(Ordering::Relaxed) == 0
    }
}

/// Counts a request while it is being handled.
struct Handling(Arc<CommandProcess>);

impl Handling {
    fn of(process: &Arc<CommandProcess>) -> Self {
        process.handling.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(process))
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.0.handling.fetch_sub(1, Ordering::Relaxed);
    }
}

// --------------------------------------------------------------------------------------------------- sync

/// Runs a sync process, which crashes or stops and restarts, forever.
pub(super) async fn run_sync(world: Arc<World>, queue: Arc<SimulatedQueue>, index: Arc<SimulatedIndex>) {
    loop {
        let options = ConsumerOptions {
            max_batch: world.number(1..12) as usize,
            commit_interval: Duration::from_millis(world.pick(&[0, 200])),
        };
        let (queue, writer): (Arc<dyn ChangeQueue>, Arc<dyn IndexWriter>) = (queue.clone(), index.clone());
        let stop = CancellationToken::new();
        let polls = world.number(1..120);
        let worker = Consumer::new(queue, writer, options);
        let work = Mortal::new(&world, polls, worker.run(stop.clone()));
        // Sometimes it is asked to stop, and does so.
        let patience = if world.strikes(0.3) { world.milliseconds(1..5000) } else { Duration::MAX / 2 };
        let stopped = async {
            world.wait(patience).await;
            stop.cancel();
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            biased;
            ended = work => ended,
            () = stopped => None,
        };
        index.crash();
        world.note(format_args!("sync {}", if ended.is_some() { "stops" } else { "crashes" }));
        world.count(Event::Crash);
        world.wait(world.milliseconds(1..3000)).await;
    }
}
