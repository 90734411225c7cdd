//! An index in memory that does what [`IndexWriter`] guarantees and no more, under faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::ports::{Applied, IndexWriter, PortError, PortErrorKind};
use domain::{Change, ProductId, Record, Version};

use super::queue::describe;
use super::world::{Event, Fate, Mistake, Part, World};

/// The name of a product that the index refuses.
pub(super) const REFUSED: &str = "refused";
/// The name of a product that makes the index fail.
pub(super) const TOXIC: &str = "toxic";

/// Returns true if the index can never hold this change.
pub(super) fn is_poison(change: &Change) -> bool {
    change.product().is_some_and(|product| [REFUSED, TOXIC].contains(&product.content.name.as_str()))
}

/// The way in which the changes of one call become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    /// All in one step.
    Whole,
    /// Individually, so that some may fail and a crash leaves a part.
    Each,
}

pub(super) struct SimulatedIndex {
    world: Arc<World>,
    commit: Commit,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    records: BTreeMap<ProductId, Record>,
    /// The newest version of each product that a search could have shown.
    shown: BTreeMap<ProductId, Version>,
    /// Products that a search could have seen go back to an older version.
    went_back: Vec<String>,
    /// Changes that were reported as applied but are not durable, if that mistake is planted.
    uncommitted: Vec<Change>,
}

impl SimulatedIndex {
    pub(super) fn new(world: Arc<World>, commit: Commit) -> Self {
        Self { world, commit, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn records(&self) -> BTreeMap<ProductId, Record> {
        self.state().records.clone()
    }

    pub(super) fn went_back(&self) -> Vec<String> {
        self.state().went_back.clone()
    }

    /// Applies the crash of the writing process.
    pub(super) fn crash(&self) {
        self.state().uncommitted.clear();
    }

    /// Makes durable what was reported as applied too early.
    pub(super) fn flush(&self) {
        let uncommitted = std::mem::take(&mut self.state().uncommitted);
        uncommitted.iter().for_each(|change| drop(self.apply_one(change)));
    }

    fn apply_one(&self, change: &Change) -> Applied {
        if is_poison(change) {
            return Applied::Refused("no such document".to_owned());
        }
        let mut state = self.state();
        let (id, version) = (change.id(), change.version());
        let is_stale = state.records.get(id).is_some_and(|record| record.version() >= version);
        if is_stale && !self.world.makes(Mistake::ApplyByArrival) {
            return match self.world.makes(Mistake::RefuseStale) {
                true => Applied::Refused("409".to_owned()),
                false => Applied::Stale,
            };
        }
        self.world.note(format_args!("indexed {}", describe(Some(change))));
        if let Some(newest) = state.shown.get(id).copied()
            && newest > version
        {
            state.went_back.push(format!("{id} went from version {newest} back to {version}"));
        }
        state.shown.insert(id.clone(), version);
        if change.product().is_none() && self.world.makes(Mistake::ForgetTombstones) {
            state.records.remove(id);
        } else {
            state.records.insert(id.clone(), change.record());
        }
        Applied::Done
    }

    async fn apply_all(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        const NAME: &str = "writing the index";
        self.world.step().await;
        let fate = self.world.fate(Part::Index);
        if let Fate::Before(kind) = fate {
            return Err(PortError::bare(kind, NAME));
        }
        let is_toxic =
            |change: &Change| change.product().is_some_and(|product| product.content.name == TOXIC);
        if changes.iter().any(is_toxic) {
            return Err(PortError::bare(PortErrorKind::Internal, "the index fails"));
        }
        if self.world.makes(Mistake::AcknowledgeBeforeCommit) {
            self.flush();
            self.state().uncommitted = changes.to_vec();
            self.world.step().await;
            return Ok(changes.iter().map(|_| Applied::Done).collect());
        }
        let (mut applied, mut failed) = (Vec::with_capacity(changes.len()), false);
        for change in changes {
            if self.commit == Commit::Each {
                tokio::task::yield_now().await;
                if self.world.strikes(0.03) {
                    self.world.note(format_args!("not indexed: {}", describe(Some(change))));
                    self.world.count(Event::PartialFailure);
                    failed = true;
                    applied.push(Applied::Done);
                    continue;
                }
            }
            applied.push(self.apply_one(change));
        }
        self.world.step().await;
        if failed && !self.world.makes(Mistake::IgnoreFailedItems) {
            return Err(PortError::bare(PortErrorKind::Throttled, NAME));
        }
        match fate {
            Fate::After => Err(PortError::bare(PortErrorKind::Unavailable, NAME)),
            _ => Ok(applied),
        }
    }
}

#[async_trait]
impl IndexWriter for SimulatedIndex {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        match self.apply_all(changes).await {
            Err(_) if self.world.makes(Mistake::SwallowErrors) => {
                Ok(changes.iter().map(|_| Applied::Done).collect())
            }
            answer => answer,
        }
    }

    fn back_end(&self) -> &'static str {
        "simulated"
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}
