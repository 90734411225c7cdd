//! The import jobs of a data folder.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use api::wire::imports::{Job, JobDetails, JobId};
use axum::body::{Body, HttpBody as _};
use domain::{Language, WriteMode};
use jiff::{SignedDuration, Timestamp};
use runtime::StartError;
use runtime::audit::Caller;
use runtime::config::ImportLimits;
use tokio::sync::{Notify, mpsc};

use super::checkpoint::{Checkpoint, FaultsPage};
use super::conversion::{FILE_NAME, with_cause};
use super::entry::{Entry, locked};
use super::error::{BYTES_PER_MB, ImportError};
use super::request::ImportRequest;
use super::spool::{JobFolder, Spool};
use super::upload::{CHUNKS_WAITING, Chunk, send_chunks, write_chunks};
use super::uploads::{Upload, Uploads};
use crate::Catalogue;

/// The most finished jobs that are kept.
pub(super) const MAX_FINISHED: usize = 400;
/// A principal with credentials may occupy one in this number of the slots for unfinished jobs.
const SHARES: usize = 4;
/// The retention of finished jobs: 7 days.
const RETENTION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The import jobs of a data folder.
#[derive(Clone)]
pub struct Imports(pub(super) Arc<JobTable>);

/// The jobs in memory, and their folder.
pub(super) struct JobTable {
    pub(super) catalogue: Catalogue,
    path: PathBuf,
    language: Language,
    limits: ImportLimits,
    state: Mutex<State>,
    /// Notified when an upload is complete.
    pub(super) arrived: Notify,
}

#[derive(Default)]
struct State {
    /// `None` until this process has locked the folder.
    spool: Option<Arc<Spool>>,
    /// The jobs that are being uploaded.
    uploads: Uploads,
    jobs: BTreeMap<JobId, Arc<Entry>>,
}

impl State {
    /// Returns the number of a principal's jobs that are being uploaded or are not finished.
    fn unfinished_of(&self, owner: &str) -> usize {
        let is_own = |entry: &&Arc<Entry>| {
            let checkpoint = locked(&entry.checkpoint);
            !checkpoint.job.is_finished() && checkpoint.caller.owner() == Some(owner)
        };
        self.jobs.values().filter(is_own).count() + self.uploads.of(owner)
    }
}

/// Runs a blocking operation on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

impl Imports {
    /// Opens the jobs in a folder. The folder is created by the first job. Files with texts in several languages are read in
    /// `language`.
    ///
    /// # Errors
    /// When the folder exists and cannot be used.
    pub fn open(
        path: PathBuf,
        catalogue: Catalogue,
        language: Language,
        limits: ImportLimits,
    ) -> Result<Self, StartError> {
        let exists = path.exists();
        let table =
            JobTable { catalogue, path, language, limits, state: Mutex::default(), arrived: Notify::new() };
        if exists {
            match table.spool() {
                Ok(_) | Err(ImportError::Elsewhere) => {}
                Err(error) => {
                    let message = format!(
                        "cannot use the import jobs in {}; give this user the right to write there, or choose another data \
                         folder",
                        table.path.display()
                    );
                    return Err(StartError::because(message, error));
                }
            }
        }
        Ok(Self(Arc::new(table)))
    }

    /// Uploads a job of `caller`. Its lines are durable once this returns.
    pub(super) async fn upload(
        &self,
        request: ImportRequest,
        body: Body,
        caller: Caller,
    ) -> Result<Job, ImportError> {
        let max_bytes = self.0.max_bytes();
        // The length that the client declares, or zero.
        let declared = body.size_hint().lower();
        if declared > max_bytes {
            return Err(ImportError::TooLarge(max_bytes));
        }
        let send =
            |sender, upload: Arc<Upload>| async move { send_chunks(body, sender, &upload, max_bytes).await };
        self.create(Some(request), caller, declared, send).await
    }

    /// Creates a job of `caller` from at least `declared` bytes that `send` produces: the file of `request`, or lines if there is none.
    /// They are durable once this returns.
    pub(super) async fn create<S: Future<Output = Result<(), ImportError>>>(
        &self,
        request: Option<ImportRequest>,
        caller: Caller,
        declared: u64,
        send: impl FnOnce(mpsc::Sender<Chunk>, Arc<Upload>) -> S,
    ) -> Result<Job, ImportError> {
        let (sender, receiver) = mpsc::channel(CHUNKS_WAITING);
        let (table, upload) = (Arc::clone(&self.0), Upload::of(&caller));
        let writer = Arc::clone(&upload);
        let writing =
            tokio::task::spawn_blocking(move || table.upload(request, writer, caller, declared, receiver));
        let sent = send(sender, upload).await;
        let job = writing.await.unwrap_or_else(|error| Err(io::Error::other(error).into()));
        // If the writing side fails with `BrokenOff`, the lines ended early for a reason that only the reading side knows. Any other
        // error of the writing side, such as a full disk, is itself the reason.
        match (job, sent) {
            (Err(ImportError::BrokenOff), Err(error)) => Err(error),
            (job, _) => job,
        }
    }

    /// Returns all jobs, newest first.
    pub(super) async fn list(&self) -> Result<Vec<Job>, ImportError> {
        let table = Arc::clone(&self.0);
        blocking(move || {
            if !table.exists() {
                return Ok(Vec::new());
            }
            table.spool()?;
            let state = locked(&table.state);
            Ok(state.jobs.values().rev().map(|entry| locked(&entry.checkpoint).job.clone()).collect())
        })
        .await
    }

    /// Returns one job with a page of its faults.
    pub(super) async fn get(&self, id: JobId, page: FaultsPage) -> Result<JobDetails, ImportError> {
        let table = Arc::clone(&self.0);
        blocking(move || {
            let entry = table.entry(id)?;
            let Checkpoint { job, faults_kept, faults_bytes, .. } = locked(&entry.checkpoint).clone();
            let (faults, next_faults_after) = entry.folder.faults(faults_bytes, page)?;
            let faults_omitted = job.rejected.saturating_sub(faults_kept);
            let mapping = entry.folder.mapping()?;
            Ok(JobDetails { job, mapping, faults, next_faults_after, faults_omitted })
        })
        .await
    }

    /// Removes a job. If it is running, at most the current batch is still applied.
    pub(super) async fn remove(&self, id: JobId) -> Result<(), ImportError> {
        let table = Arc::clone(&self.0);
        blocking(move || {
            let entry = table.entry(id)?;
            table.remove(&entry, id)
        })
        .await
    }
}

impl JobTable {
    /// Returns true if the folder exists. The first upload creates it; requests that only read must not.
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Returns the folder. The first call locks it and reads its jobs.
    pub(super) fn spool(&self) -> Result<Arc<Spool>, ImportError> {
        let mut state = locked(&self.state);
        if let Some(spool) = &state.spool {
            return Ok(Arc::clone(spool));
        }
        let spool = Arc::new(Spool::open(&self.path)?.ok_or(ImportError::Elsewhere)?);
        for checkpoint in spool.jobs()? {
            let id = checkpoint.job.id;
            state.jobs.insert(id, Arc::new(Entry::new(spool.folder(id), checkpoint)));
        }
        state.spool = Some(Arc::clone(&spool));
        Ok(spool)
    }

    fn entry(&self, id: JobId) -> Result<Arc<Entry>, ImportError> {
        let unknown = || ImportError::Unknown(id.to_string());
        if !self.exists() {
            return Err(unknown());
        }
        self.spool()?;
        locked(&self.state).jobs.get(&id).cloned().ok_or_else(unknown)
    }

    /// Writes the chunks of a body of at least `declared` bytes. The job is created once the body is complete and durable.
    fn upload(
        &self,
        request: Option<ImportRequest>,
        upload: Arc<Upload>,
        caller: Caller,
        declared: u64,
        chunks: mpsc::Receiver<Chunk>,
    ) -> Result<Job, ImportError> {
        let spool = self.spool()?;
        let _slot = UploadSlot::take(&self.state, usize::from(self.limits.import_max_jobs), upload)?;
        spool.check_room(declared)?;
        let (id, created_at) = (JobId::generate(), domain::now());
        let (folder, lines) = spool.create(id)?;
        let saved = write_chunks(lines, chunks, |bytes| spool.check_room(bytes)).and_then(|bytes| {
            let mut checkpoint = Checkpoint::of(Job::queued(id, created_at, bytes), caller);
            if let Some(request) = request {
                prepare(&folder, request, &mut checkpoint)?;
            }
            folder.save(&checkpoint)?;
            Ok(checkpoint)
        });
        let checkpoint = saved.inspect_err(|_| folder.remove_quietly())?;
        let job = checkpoint.job.clone();
        locked(&self.state).jobs.insert(id, Arc::new(Entry::new(folder, checkpoint)));
        self.arrived.notify_one();
        Ok(job)
    }

    /// Returns the size limit of a file in bytes.
    pub(super) fn max_bytes(&self) -> u64 {
        u64::from(self.limits.import_max_mb) * BYTES_PER_MB
    }

    /// Returns the language of the catalogue.
    pub(super) fn language(&self) -> Language {
        self.language
    }

    fn remove(&self, entry: &Entry, id: JobId) -> Result<(), ImportError> {
        entry.remove()?;
        locked(&self.state).jobs.remove(&id);
        Ok(())
    }

    /// Returns the oldest unfinished job.
    pub(super) fn next_unfinished(&self) -> Option<(JobId, Arc<Entry>)> {
        let state = locked(&self.state);
        let unfinished = state.jobs.iter().find(|(_, entry)| !entry.is_finished());
        unfinished.map(|(id, entry)| (*id, Arc::clone(entry)))
    }

    /// Removes finished jobs past their retention, and the oldest beyond the maximum.
    pub(super) fn remove_expired(&self, now: Timestamp) -> Result<(), ImportError> {
        let finished: Vec<(JobId, Timestamp, Arc<Entry>)> = {
            let state = locked(&self.state);
            let finished = state.jobs.iter().filter_map(|(id, entry)| {
                let finished_at = locked(&entry.checkpoint).job.finished_at?;
                Some((*id, finished_at, Arc::clone(entry)))
            });
            finished.collect()
        };
        let excess = finished.len().saturating_sub(MAX_FINISHED);
        for (at, (id, finished_at, entry)) in finished.iter().enumerate() {
            if at < excess || now.duration_since(*finished_at) > RETENTION {
                self.remove(entry, *id)?;
            }
        }
        Ok(())
    }
}

/// Recognises the file of a job by its beginning, and decides whether it has to be converted.
fn prepare(
    folder: &JobFolder,
    request: ImportRequest,
    checkpoint: &mut Checkpoint,
) -> Result<(), ImportError> {
    checkpoint.job.mode = request.mode();
    (checkpoint.source, checkpoint.sync) = (request.source.clone(), request.sync());
    if checkpoint.job.bytes == 0 && request.may_be_empty() {
        return Ok(());
    }
    let file = folder.lines_from(0)?;
    let found = feeds::sniff(&file, FILE_NAME);
    let conversion = match found {
        // Only blank lines.
        Err(feeds::FeedError::Empty { .. }) if request.may_be_empty() => None,
        Err(error) => return Err(ImportError::Unreadable(with_cause(&error))),
        Ok(found) => request.conversion(found).map_err(ImportError::Unreadable)?,
    };
    match conversion {
        Some(options) => {
            folder.keep_as_upload()?;
            checkpoint.conversion = Some(options);
        }
        None => checkpoint.job.mode = checkpoint.job.mode.or(Some(WriteMode::Replace)),
    }
    Ok(())
}

/// The slot of an upload among the unfinished jobs. Dropping it frees the slot.
struct UploadSlot<'a> {
    state: &'a Mutex<State>,
    number: u64,
}

impl<'a> UploadSlot<'a> {
    /// Takes one of `max` slots, of which a principal with credentials may occupy a quarter. If all are occupied, the slowest upload
    /// is cancelled, provided that it is slow enough.
    fn take(state: &'a Mutex<State>, max: usize, upload: Arc<Upload>) -> Result<Self, ImportError> {
        let mut locked_state = locked(state);
        let share = (max / SHARES).max(1);
        if upload.owner.as_deref().is_some_and(|owner| locked_state.unfinished_of(owner) >= share) {
            return Err(ImportError::TooManyOfOne(share));
        }
        let unfinished = locked_state.jobs.values().filter(|entry| !entry.is_finished()).count();
        let is_full = unfinished + locked_state.uploads.len() >= max;
        if is_full && !locked_state.uploads.displace_slowest() {
            return Err(ImportError::TooMany(max));
        }
        Ok(Self { state, number: locked_state.uploads.begin(upload) })
    }
}

impl Drop for UploadSlot<'_> {
    fn drop(&mut self) {
        locked(self.state).uploads.end(self.number);
    }
}
