//! The writing side of an index: the live generation and, while it is being built, the next one.

use std::fs::File;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use domain::ports::{
    Applied, CompareDepth, Generation, GenerationState, Generations, IndexEntry, IndexMaintenance,
    IndexWriter, PortError, PortErrorKind, Repair, RepairOutcome,
};
use domain::{Change, ProductId, Record};
use text::projection::Projector;
use tokio::sync::RwLock;

use crate::layout::folder::GenerationFolder;
use crate::layout::format_file::{record_weights, recorded_weights};
use crate::layout::generations::{IndexFolder, Pointer};
use crate::layout::open_error::OpenError;
use crate::write::generation_writer::GenerationWriter;
use crate::write::options::WriterOptions;

/// The only writer of an index folder. Dropping it waits for the current call and for merges, then releases the folder.
pub struct TantivyWriter {
    folder: IndexFolder,
    options: WriterOptions,
    /// Changing which generation is live or next takes the write lock, so it waits for running calls.
    generations: RwLock<GenerationWriters>,
    /// The writer lock of the folder.
    _lock: File,
}

/// The pointer, and the writers of the generations that it names.
struct GenerationWriters {
    pointer: Pointer,
    /// `None` if this program cannot use the live generation.
    live: Option<GenerationWriter>,
    next: Option<GenerationWriter>,
}

impl GenerationWriters {
    fn get(&self, generation: Generation) -> Result<&GenerationWriter, PortError> {
        let (writer, missing) = match generation {
            Generation::Live => {
                (&self.live, "this noren cannot use the index until it is rebuilt (`noren reindex`)")
            }
            Generation::Next => (&self.next, "no index is being built"),
        };
        writer.as_ref().ok_or_else(|| PortError::bare(PortErrorKind::Unavailable, missing))
    }
}

impl TantivyWriter {
    /// Opens the index in `folder` for writing; creates an empty one if there is none. An unfinished next generation receives
    /// every change that the live one receives. An index of an older format is written in that format.
    ///
    /// # Errors
    /// [`OpenError::Busy`] if another writer has the folder; [`OpenError::OtherLanguage`], [`OpenError::Newer`],
    /// [`OpenError::Older`] or [`OpenError::Damaged`] if this program cannot use the index; [`OpenError::Io`] if the file
    /// system fails.
    pub fn open(folder: &Path, options: WriterOptions) -> Result<Self, OpenError> {
        let folder = IndexFolder::open(folder)?;
        // The lock comes first: the previous writer may have replaced the pointer just before it ended.
        let lock = folder.lock()?;
        let pointer = folder.pointer()?;
        if folder.lacks_live(&pointer) {
            return Err(OpenError::damaged(folder.path(), "its rebuild is not complete"));
        }
        let live = open_generation(&folder, &pointer.live, options)?;
        warn_of_other_weights(&folder.generation(&pointer.live), options)?;
        warn_of_unfinished(&pointer);
        Self::with_live(folder, pointer, lock, Some(live), options)
    }

    /// Opens the index in `folder` for a rebuild. An index that this program cannot use is no error; then no change can be
    /// applied until the next generation is live.
    ///
    /// # Errors
    /// [`OpenError::Busy`] if another writer has the folder; [`OpenError::Io`] if the file system fails.
    pub fn open_to_rebuild(folder: &Path, options: WriterOptions) -> Result<Self, OpenError> {
        Self::open_tolerating(folder, options, OpenError::is_fixed_by_rebuild)
    }

    /// Opens the index in `folder` as [`Self::open`] does, for a caller that will rebuild an index of an older format. An
    /// index that is too old to be read is no error; then no change can be applied until the next generation is live.
    ///
    /// # Errors
    /// As [`Self::open`], except [`OpenError::Older`].
    pub fn open_to_upgrade(folder: &Path, options: WriterOptions) -> Result<Self, OpenError> {
        let mut writer =
            Self::open_tolerating(folder, options, |error| matches!(error, OpenError::Older { .. }))?;
        warn_of_unfinished(&writer.generations.get_mut().pointer);
        Ok(writer)
    }

    /// Opens the index; the live generation is missing if opening it fails with an error that is tolerated.
    fn open_tolerating(
        folder: &Path,
        options: WriterOptions,
        is_tolerated: fn(&OpenError) -> bool,
    ) -> Result<Self, OpenError> {
        let folder = IndexFolder::open(folder)?;
        let lock = folder.lock()?;
        let unusable = |error: OpenError| match is_tolerated(&error) {
            true => {
                tracing::info!(%error, "rebuilding an unusable index");
                Ok(())
            }
            false => Err(error),
        };
        let pointer = match folder.pointer() {
            Ok(pointer) => pointer,
            Err(error) => {
                unusable(error)?;
                return Self::with_live(folder, Pointer::to_live(0), lock, None, options);
            }
        };
        if folder.lacks_live(&pointer) {
            return Self::with_live(folder, pointer, lock, None, options);
        }
        let live = match open_generation(&folder, &pointer.live, options) {
            Ok(live) => Some(live),
            Err(error) => unusable(error).map(|()| None)?,
        };
        if live.is_some() {
            warn_of_other_weights(&folder.generation(&pointer.live), options)?;
        }
        Self::with_live(folder, pointer, lock, live, options)
    }

    fn with_live(
        folder: IndexFolder,
        mut pointer: Pointer,
        lock: File,
        live: Option<GenerationWriter>,
        options: WriterOptions,
    ) -> Result<Self, OpenError> {
        let next = match &pointer.next {
            None => None,
            Some(name) => match open_generation(&folder, name, options) {
                Ok(next) => Some(next),
                Err(error) if error.is_fixed_by_rebuild() => {
                    tracing::warn!(%error, "discarding the unfinished index, which cannot be used");
                    None
                }
                Err(error) => return Err(error),
            },
        };
        let io = |source| OpenError::io(folder.path(), source);
        if next.is_none() && pointer.next.take().is_some() {
            folder.write_pointer(&pointer).map_err(io)?;
        }
        // An unusable index is kept until another one is live.
        if live.is_some() {
            folder.remove_unused(&pointer).map_err(io)?;
        }
        let generations = RwLock::new(GenerationWriters { pointer, live, next });
        Ok(Self { folder, options, generations, _lock: lock })
    }

    /// Replaces the pointer. Generations that it no longer names remain until [`Self::remove_unused`].
    fn replace_pointer(&self, writers: &mut GenerationWriters, pointer: Pointer) -> Result<(), PortError> {
        self.folder.write_pointer(&pointer).map_err(|error| {
            PortError::new(PortErrorKind::Unavailable, "writing the pointer to the live index", error)
        })?;
        writers.pointer = pointer;
        Ok(())
    }

    /// Removes generations that the pointer does not name, on a thread that may block. After a failure, the next start
    /// removes them.
    async fn remove_unused(&self, writers: &GenerationWriters) {
        let (folder, pointer) = (self.folder.clone(), writers.pointer.clone());
        let removed = tokio::task::spawn_blocking(move || folder.remove_unused(&pointer)).await;
        if let Err(error) = removed.unwrap_or_else(|panic| Err(io::Error::other(panic))) {
            tracing::warn!(%error, "an old index cannot be removed");
        }
    }

    /// Opens a generation on a thread that may block.
    async fn open_generation(&self, name: &str) -> Result<GenerationWriter, OpenError> {
        let (folder, name, options) = (self.folder.clone(), name.to_owned(), self.options);
        let path = folder.generation(&name);
        let opening = tokio::task::spawn_blocking(move || open_generation(&folder, &name, options));
        let panicked = |panic| OpenError::damaged(&path, format!("opening it panicked: {panic}"));
        opening.await.map_err(panicked)?
    }
}

fn open_generation(
    folder: &IndexFolder,
    name: &str,
    options: WriterOptions,
) -> Result<GenerationWriter, OpenError> {
    let path = folder.generation(name);
    let writer = GenerationWriter::start(GenerationFolder::open(&path, options.language)?, options)?;
    if writer.entries.documents() == 0 {
        record_weights(&path, options.weights)?;
    }
    Ok(writer)
}

/// Logs a warning if a rebuild is unfinished.
fn warn_of_unfinished(pointer: &Pointer) {
    if let Some(next) = &pointer.next {
        tracing::warn!(
            index = next,
            "an unfinished index receives every change along with the live one; `noren reindex` finishes it, `noren reindex --discard` removes it"
        );
    }
}

/// Logs a warning if documents were built with other weights. Only the order of matches is affected.
fn warn_of_other_weights(path: &Path, options: WriterOptions) -> Result<(), OpenError> {
    let weights = options.weights.to_string();
    if let Some(recorded) = recorded_weights(path)?.filter(|recorded| *recorded != weights) {
        tracing::warn!(
            index.weights = recorded,
            rules.weights = weights,
            "the index was made with other weights than the rules have; the new weights apply to products written from now on, and to all after `noren reindex`"
        );
    }
    Ok(())
}

/// Closes a writer on a thread that may block, because that waits for merges.
async fn close(writer: Option<GenerationWriter>) {
    if let Err(panic) = tokio::task::spawn_blocking(move || drop(writer)).await {
        tracing::error!(%panic, "closing an index writer panicked");
    }
}

#[async_trait]
impl IndexWriter for TantivyWriter {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let writers = self.generations.read().await;
        // Cloning a change clones a reference to its product.
        let next = async {
            match &writers.next {
                Some(next) => next.apply(changes.to_vec()).await.map(drop),
                None => Ok(()),
            }
        };
        let (live, next) = tokio::join!(writers.get(Generation::Live)?.apply(changes.to_vec()), next);
        match next {
            // The next generation may lack the change, so the caller must retry it.
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                tracing::error!(
                    error = error.chain(),
                    "discarding the unfinished index, which cannot be written"
                );
                drop(writers);
                self.discard_next().await?;
            }
            Ok(()) => {}
        }
        live
    }

    fn back_end(&self) -> &'static str {
        "tantivy"
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.generations.read().await.get(Generation::Live)?.ready().await
    }

    /// Merges now the segments that would be merged once nothing is written for a while.
    async fn optimize(&self) -> Result<(), PortError> {
        self.generations.read().await.get(Generation::Live)?.optimize().await
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
        depth: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        let generations = self.generations.read().await;
        let writer = generations.get(generation)?;
        writer.entries.get(ids.to_vec(), writer.depth(generation, depth)).await
    }

    async fn scan(
        &self,
        generation: Generation,
        after: Option<&ProductId>,
        limit: usize,
        depth: CompareDepth,
    ) -> Result<Vec<IndexEntry>, PortError> {
        let generations = self.generations.read().await;
        let writer = generations.get(generation)?;
        writer.entries.scan(after.cloned(), limit, writer.depth(generation, depth)).await
    }

    async fn repair(
        &self,
        generation: Generation,
        repairs: &[Repair],
    ) -> Result<Vec<RepairOutcome>, PortError> {
        if repairs.is_empty() {
            return Ok(Vec::new());
        }
        self.generations.read().await.get(generation)?.repair(repairs.to_vec()).await
    }

    async fn generations(&self) -> Result<Generations, PortError> {
        let writers = self.generations.read().await;
        let state = |writer: &Option<GenerationWriter>, name: &str| {
            let writer = writer.as_ref()?;
            let (documents, is_current) = (writer.entries.documents(), writer.is_current);
            Some(GenerationState { name: name.to_owned(), documents, is_current })
        };
        Ok(Generations {
            live: state(&writers.live, &writers.pointer.live),
            next: writers.pointer.next.as_deref().and_then(|name| state(&writers.next, name)),
            previous: writers.pointer.previous.clone(),
        })
    }

    async fn create_next(&self) -> Result<bool, PortError> {
        let mut writers = self.generations.write().await;
        if writers.next.as_ref().is_some_and(|next| next.is_current) {
            return Ok(true);
        }
        let unnamed = |error| PortError::new(PortErrorKind::Unavailable, "naming the next index", error);
        let name = self.folder.new_name(&writers.pointer).map_err(unnamed)?;
        let next = self.open_generation(&name).await.map_err(open_next_error)?;
        let pointer = Pointer { next: Some(name), ..writers.pointer.clone() };
        if let Err(error) = self.replace_pointer(&mut writers, pointer) {
            close(Some(next)).await;
            self.remove_unused(&writers).await;
            return Err(error);
        }
        let outdated = writers.next.replace(next);
        if outdated.is_some() {
            close(outdated).await;
            self.remove_unused(&writers).await;
        }
        Ok(false)
    }

    async fn restore_previous(&self) -> Result<bool, PortError> {
        let mut writers = self.generations.write().await;
        let Some(name) = writers.pointer.previous.clone() else { return Ok(false) };
        let previous = match self.open_generation(&name).await {
            Ok(previous) => previous,
            Err(error) if error.is_fixed_by_rebuild() => {
                tracing::warn!(%error, "the previous index cannot be used");
                return Ok(false);
            }
            Err(error) => return Err(open_next_error(error)),
        };
        let pointer = Pointer { next: Some(name), previous: None, ..writers.pointer.clone() };
        self.replace_pointer(&mut writers, pointer)?;
        close(writers.next.replace(previous)).await;
        self.remove_unused(&writers).await;
        Ok(true)
    }

    async fn promote_next(&self) -> Result<(), PortError> {
        // A new index has many small segments. Merging them before taking the write lock keeps changes flowing meanwhile.
        self.generations.read().await.get(Generation::Next)?.optimize().await?;
        let mut writers = self.generations.write().await;
        let Some(name) = writers.pointer.next.clone() else {
            return Err(PortError::bare(PortErrorKind::Internal, "no index is being built"));
        };
        // A reindex has compared every document with what this writer's weights produce.
        record_weights(&self.folder.generation(&name), self.options.weights).map_err(open_next_error)?;
        let previous = writers.live.is_some().then(|| writers.pointer.live.clone());
        self.replace_pointer(&mut writers, Pointer { live: name, next: None, previous })?;
        let next = writers.next.take();
        close(std::mem::replace(&mut writers.live, next)).await;
        self.remove_unused(&writers).await;
        Ok(())
    }

    async fn discard_next(&self) -> Result<(), PortError> {
        let mut writers = self.generations.write().await;
        if writers.pointer.next.is_some() {
            let pointer = Pointer { next: None, ..writers.pointer.clone() };
            self.replace_pointer(&mut writers, pointer)?;
        }
        close(writers.next.take()).await;
        self.remove_unused(&writers).await;
        Ok(())
    }
}

fn open_next_error(error: OpenError) -> PortError {
    PortError::new(PortErrorKind::Unavailable, "opening the next index", error)
}
