//! The writing side: the live generation, and the next one while it is being built.

use std::fs::File;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use domain::ports::{Applied, IndexWriter, PortError, PortErrorKind};
use domain::ports::{
    CompareDepth, Generation, GenerationState, Generations, IndexEntry, IndexMaintenance, Repair,
    RepairOutcome,
};
use domain::{Change, Language, ProductId, Record};
use text::field_weights::FieldWeights;
use text::projection::Projector;
use tokio::sync::RwLock;

use crate::folder::{Folder, OpenError, note_weights, noted_weights};
use crate::generations::{Pointer, Root};
use crate::worker::Worker;

/// How a [`TantivyWriter`] works.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// Bytes that each indexing thread gathers in memory, at most, before it writes a segment; 15 MB at least.
    pub heap_bytes: usize,
    /// Indexing threads.
    pub threads: usize,
    /// What the texts of products are analysed as; the same as that of whoever searches the folder.
    pub language: Language,
    /// How much the parts of products count that are written from now on.
    pub weights: FieldWeights,
}

impl Default for WriterOptions {
    fn default() -> Self {
        let (language, weights) = (Language::default(), FieldWeights::default());
        Self { heap_bytes: 64_000_000, threads: 1, language, weights }
    }
}

/// The one writer of an index folder. Dropping it waits for the call at work and for merges, then lets the
/// folder go.
pub struct TantivyWriter {
    root: Root,
    options: WriterOptions,
    /// Whoever changes which generation is which waits until nothing is being applied.
    state: RwLock<State>,
    /// Held for as long as this lives.
    _lock: File,
}

struct State {
    pointer: Pointer,
    /// None while the index that is there cannot be used.
    live: Option<Worker>,
    next: Option<Worker>,
}

impl TantivyWriter {
    /// Opens the index in `folder` for writing, and makes an empty one when there is none. A next generation that was
    /// begun before is written along.
    ///
    /// # Errors
    /// [`OpenError::Busy`] while another writer has the folder, [`OpenError::OtherLanguage`] for one that was made for
    /// another language, [`OpenError::Newer`], [`OpenError::Older`] and [`OpenError::Damaged`] for one that this program
    /// cannot use, [`OpenError::Io`] when the file system fails.
    pub fn open(folder: &Path, options: WriterOptions) -> Result<Self, OpenError> {
        let root = Root::open(folder)?;
        // The right to write comes first: the last writer may have moved the pointer just before it ended.
        let lock = root.lock()?;
        let pointer = root.pointer()?;
        let live = start(&root, &pointer.live, options)?;
        warn_of_other_weights(&root.generation(&pointer.live), options)?;
        if let Some(next) = &pointer.next {
            tracing::warn!(
                index = next,
                "an index that was begun is written beside the live one; `noren reindex` finishes it, `noren reindex --discard` gives it up"
            );
        }
        Self::opened(root, pointer, lock, Some(live), options)
    }

    /// The same for one who rebuilds the index: one that cannot be used is no error. No change can be applied then until
    /// the next generation is live.
    ///
    /// # Errors
    /// [`OpenError::Busy`] and [`OpenError::Io`], as above.
    pub fn open_to_rebuild(folder: &Path, options: WriterOptions) -> Result<Self, OpenError> {
        let root = Root::open(folder)?;
        let lock = root.lock()?;
        let Some(pointer) = root.pointer_to_rebuild()? else {
            return Self::opened(root, Pointer::to(0), lock, None, options);
        };
        let live = match start(&root, &pointer.live, options) {
            Ok(live) => Some(live),
            Err(error) if error.is_mended_by_rebuilding() => {
                tracing::info!(%error, "the index is rebuilt");
                None
            }
            Err(error) => return Err(error),
        };
        Self::opened(root, pointer, lock, live, options)
    }

    fn opened(
        root: Root,
        mut pointer: Pointer,
        lock: File,
        live: Option<Worker>,
        options: WriterOptions,
    ) -> Result<Self, OpenError> {
        let next = match &pointer.next {
            None => None,
            Some(name) => match start(&root, name, options) {
                Ok(next) => Some(next),
                Err(error) if error.is_mended_by_rebuilding() => {
                    tracing::warn!(%error, "the index that was being built cannot be gone on with");
                    None
                }
                Err(error) => return Err(error),
            },
        };
        let io = |source| OpenError::Io { folder: root.path().to_owned(), source };
        if next.is_none() && pointer.next.take().is_some() {
            root.write(&pointer).map_err(io)?;
        }
        if live.is_some() {
            // What is there is kept until another index has taken its place.
            root.tidy(&pointer).map_err(io)?;
        }
        Ok(Self { root, options, state: RwLock::new(State { pointer, live, next }), _lock: lock })
    }

    /// Replaces the pointer. What it no longer names is there until it is tidied up.
    fn point(&self, state: &mut State, pointer: Pointer) -> Result<(), PortError> {
        let failed =
            |error| PortError::new(PortErrorKind::Unavailable, "writing which index is which", error);
        self.root.write(&pointer).map_err(failed)?;
        state.pointer = pointer;
        Ok(())
    }

    /// Removes generations that are no more, on a thread that may wait. What cannot be removed now is at the next start.
    async fn tidy(&self, state: &State) {
        let (root, pointer) = (self.root.clone(), state.pointer.clone());
        let tidied = tokio::task::spawn_blocking(move || root.tidy(&pointer)).await;
        if let Err(error) = tidied.unwrap_or_else(|panic| Err(io::Error::other(panic))) {
            tracing::warn!(%error, "an old index cannot be removed");
        }
    }

    /// Opens a generation on a thread that may wait.
    async fn start(&self, name: &str) -> Result<Worker, OpenError> {
        let (root, name, options) = (self.root.clone(), name.to_owned(), self.options);
        let folder = root.generation(&name);
        let starting = tokio::task::spawn_blocking(move || start(&root, &name, options));
        let panicked = |panic| OpenError::Damaged { folder, reason: format!("opening it panicked: {panic}") };
        starting.await.map_err(panicked)?
    }
}

fn start(root: &Root, name: &str, options: WriterOptions) -> Result<Worker, OpenError> {
    let path = root.generation(name);
    let worker = Worker::start(Folder::open(&path, options.language)?, options)?;
    if worker.contents.documents() == 0 {
        note_weights(&path, options.weights)?;
    }
    Ok(worker)
}

/// An index whose documents were made with other weights is right in all but the order of what it finds.
fn warn_of_other_weights(path: &Path, options: WriterOptions) -> Result<(), OpenError> {
    let weights = options.weights.to_string();
    if let Some(noted) = noted_weights(path)?.filter(|noted| *noted != weights) {
        tracing::warn!(
            index.weights = noted,
            rules.weights = weights,
            "the index was made with other weights than the rules have; they hold for products that are written from now on, and for all after `noren reindex`"
        );
    }
    Ok(())
}

/// Ends a worker, which waits for its merges, on a thread that may wait.
async fn end(worker: Option<Worker>) {
    if let Err(panic) = tokio::task::spawn_blocking(move || drop(worker)).await {
        tracing::error!(%panic, "ending an index writer panicked");
    }
}

impl State {
    fn of(&self, generation: Generation) -> Result<&Worker, PortError> {
        let (worker, what) = match generation {
            Generation::Live => {
                (&self.live, "the index cannot be used by this noren; rebuild it with `noren reindex`")
            }
            Generation::Next => (&self.next, "no index is being built"),
        };
        worker.as_ref().ok_or_else(|| PortError::bare(PortErrorKind::Unavailable, what))
    }
}

#[async_trait]
impl IndexWriter for TantivyWriter {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let state = self.state.read().await;
        // A copy of a change is a reference to its product.
        let next = async {
            match &state.next {
                Some(next) => next.apply(changes.to_vec()).await.map(drop),
                None => Ok(()),
            }
        };
        let (live, next) = tokio::join!(state.of(Generation::Live)?.apply(changes.to_vec()), next);
        match next {
            // The next generation may lack the change now, so it comes again.
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                tracing::error!(
                    error = error.chain(),
                    "the index that is being built failed and is given up"
                );
                drop(state);
                self.discard_next().await?;
            }
            Ok(()) => {}
        }
        live
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.state.read().await.of(Generation::Live)?.ready().await
    }

    /// Puts the segments together that would be when nothing is written for a while.
    async fn optimize(&self) -> Result<(), PortError> {
        self.state.read().await.of(Generation::Live)?.optimize().await
    }
}

#[async_trait]
impl IndexMaintenance for TantivyWriter {
    fn expected_entries(&self, records: &[Record]) -> Vec<Result<IndexEntry, String>> {
        Projector::new(self.options.language, self.options.weights).expected_entries(records)
    }

    async fn entries(
        &self,
        generation: Generation,
        ids: &[ProductId],
        look: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        self.state.read().await.of(generation)?.contents.held(ids.to_vec(), look).await
    }

    async fn scan(
        &self,
        generation: Generation,
        after: Option<&ProductId>,
        limit: usize,
        look: CompareDepth,
    ) -> Result<Vec<IndexEntry>, PortError> {
        self.state.read().await.of(generation)?.contents.scan(after.cloned(), limit, look).await
    }

    async fn repair(
        &self,
        generation: Generation,
        repairs: &[Repair],
    ) -> Result<Vec<RepairOutcome>, PortError> {
        if repairs.is_empty() {
            return Ok(Vec::new());
        }
        self.state.read().await.of(generation)?.repair(repairs.to_vec()).await
    }

    async fn generations(&self) -> Result<Generations, PortError> {
        let state = self.state.read().await;
        let told = |worker: &Option<Worker>, name: &str| {
            let documents = worker.as_ref()?.contents.documents();
            Some(GenerationState { name: name.to_owned(), documents })
        };
        Ok(Generations {
            live: told(&state.live, &state.pointer.live),
            next: state.pointer.next.as_deref().and_then(|name| told(&state.next, name)),
            previous: state.pointer.previous.clone(),
        })
    }

    async fn create_next(&self) -> Result<bool, PortError> {
        let mut state = self.state.write().await;
        if state.next.is_some() {
            return Ok(true);
        }
        let unnamed = |error| PortError::new(PortErrorKind::Unavailable, "looking for a new index", error);
        let name = self.root.new_name(&state.pointer).map_err(unnamed)?;
        let next = self.start(&name).await.map_err(unopened)?;
        let pointer = Pointer { next: Some(name), ..state.pointer.clone() };
        if let Err(error) = self.point(&mut state, pointer) {
            end(Some(next)).await;
            self.tidy(&state).await;
            return Err(error);
        }
        state.next = Some(next);
        Ok(false)
    }

    async fn restore_previous(&self) -> Result<bool, PortError> {
        let mut state = self.state.write().await;
        let Some(name) = state.pointer.previous.clone() else { return Ok(false) };
        let recalled = match self.start(&name).await {
            Ok(recalled) => recalled,
            Err(error) if error.is_mended_by_rebuilding() => {
                tracing::warn!(%error, "the previous index cannot be used");
                return Ok(false);
            }
            Err(error) => return Err(unopened(error)),
        };
        let pointer = Pointer { next: Some(name), previous: None, ..state.pointer.clone() };
        self.point(&mut state, pointer)?;
        end(state.next.replace(recalled)).await;
        self.tidy(&state).await;
        Ok(true)
    }

    async fn promote_next(&self) -> Result<(), PortError> {
        // Before anybody waits for it: a new index has many small segments.
        self.state.read().await.of(Generation::Next)?.optimize().await?;
        let mut state = self.state.write().await;
        let Some(name) = state.pointer.next.clone() else {
            return Err(PortError::bare(PortErrorKind::Internal, "no index is being built"));
        };
        // All of it was compared with what this writer makes of the store.
        note_weights(&self.root.generation(&name), self.options.weights).map_err(unopened)?;
        let previous = state.live.is_some().then(|| state.pointer.live.clone());
        self.point(&mut state, Pointer { live: name, next: None, previous })?;
        let next = state.next.take();
        end(std::mem::replace(&mut state.live, next)).await;
        self.tidy(&state).await;
        Ok(())
    }

    async fn discard_next(&self) -> Result<(), PortError> {
        let mut state = self.state.write().await;
        if state.pointer.next.is_some() {
            let pointer = Pointer { next: None, ..state.pointer.clone() };
            self.point(&mut state, pointer)?;
        }
        end(state.next.take()).await;
        self.tidy(&state).await;
        Ok(())
    }
}

fn unopened(error: OpenError) -> PortError {
    PortError::new(PortErrorKind::Unavailable, "opening the next index", error)
}
