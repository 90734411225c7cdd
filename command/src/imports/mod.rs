//! Import jobs: a file of any size is taken at once, and written in the background, each line once.
//!
//! The lines are spooled to a folder of the job's own before the job is answered for. A runner writes them batch after
//! batch, and keeps a checkpoint behind each. After a crash it goes on from the last one: the lines behind it that were
//! written already have answers under their idempotency keys, and are not written again.

mod job;
mod routes;
mod runner;
mod spool;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use runtime::StartError;
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc};

use self::job::{Checkpoint, FaultsPage, Job, JobId};
use self::spool::{JobFolder, Spool};
use crate::Catalogue;
use crate::lines::IDLE_TIMEOUT;

pub use routes::import_routes;

/// The most jobs that are not finished, those still arriving included.
const MAX_UNFINISHED: usize = 100;
/// The most finished jobs that are kept.
const MAX_FINISHED: usize = 400;
/// How long finished jobs are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Pieces of a body that may wait for the disk.
const PIECES_WAITING: usize = 4;

/// The import jobs of a data folder.
#[derive(Clone)]
pub struct Imports(Arc<Shared>);

struct Shared {
    catalogue: Catalogue,
    path: PathBuf,
    state: Mutex<State>,
    /// There is a new job.
    arrived: Notify,
}

#[derive(Default)]
struct State {
    /// None until this process has the folder for itself.
    spool: Option<Arc<Spool>>,
    /// How many jobs are arriving.
    arriving: usize,
    jobs: BTreeMap<JobId, Arc<Entry>>,
}

/// A job whose lines have all arrived.
struct Entry {
    folder: JobFolder,
    checkpoint: Mutex<Checkpoint>,
    /// Held while files of the job are written; whether they were removed.
    removed: Mutex<bool>,
}

/// Why something cannot be done with the jobs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// Another process has the folder.
    #[error("another process works on the import jobs of this data folder now; try again, or ask that one")]
    Elsewhere,
    /// There are too many already.
    #[error("there are {MAX_UNFINISHED} import jobs that are not finished; try again when one is")]
    TooMany,
    /// The body did not come to its end.
    #[error("the body broke off; nothing of it was imported, so send it again")]
    BrokenOff,
    /// The client sent nothing for a while.
    #[error("nothing came for {} s; nothing was imported, so send it again", IDLE_TIMEOUT.as_secs())]
    Idle,
    /// There is no such job.
    #[error("there is no import job {0}; it was removed, or finished more than 7 days ago")]
    Unknown(String),
    /// The folder cannot be read or written.
    #[error("the folder of the import jobs failed")]
    Disk(#[from] io::Error),
}

/// A job with a page of its faults.
pub(crate) struct JobWithFaults {
    pub(crate) job: Job,
    pub(crate) faults: Vec<Box<RawValue>>,
    /// The line to go on behind, where there are more.
    pub(crate) next_faults_after: Option<u64>,
    /// How many rejected lines have no fault that is kept.
    pub(crate) faults_omitted: u64,
}

/// What the thread that writes a body gets.
enum Piece {
    Bytes(Bytes),
    End,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs what blocks on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

impl Imports {
    /// The jobs in a folder, which is made when the first job comes.
    ///
    /// # Errors
    /// When the folder is there and cannot be used.
    pub fn open(path: PathBuf, catalogue: Catalogue) -> Result<Self, StartError> {
        let exists = path.exists();
        let shared = Shared { catalogue, path, state: Mutex::default(), arrived: Notify::new() };
        if exists {
            match shared.spool() {
                Ok(_) | Err(ImportError::Elsewhere) => {}
                Err(error) => {
                    let message = format!("cannot use the import jobs in {}", shared.path.display());
                    return Err(StartError::because(message, error));
                }
            }
        }
        Ok(Self(Arc::new(shared)))
    }

    /// Takes the lines of a body, and answers once they are durable.
    async fn receive(&self, body: Body) -> Result<Job, ImportError> {
        let (sender, receiver) = mpsc::channel(PIECES_WAITING);
        let shared = Arc::clone(&self.0);
        let spooled = tokio::task::spawn_blocking(move || shared.receive(receiver));
        let sent = send_pieces(body, sender).await;
        let job = spooled.await.unwrap_or_else(|error| Err(io::Error::other(error).into()));
        // A body that cannot be written is not read to its end either: the disk's fault comes first.
        match (job, sent) {
            (Err(ImportError::BrokenOff), Err(error)) => Err(error),
            (job, _) => job,
        }
    }

    /// All jobs, the newest first.
    async fn list(&self) -> Result<Vec<Job>, ImportError> {
        let shared = Arc::clone(&self.0);
        blocking(move || {
            if !shared.exists() {
                return Ok(Vec::new());
            }
            shared.spool()?;
            let state = locked(&shared.state);
            Ok(state.jobs.values().rev().map(|entry| locked(&entry.checkpoint).job.clone()).collect())
        })
        .await
    }

    /// One job, with the faults that a page names.
    async fn get(&self, id: JobId, page: FaultsPage) -> Result<JobWithFaults, ImportError> {
        let shared = Arc::clone(&self.0);
        blocking(move || {
            let entry = shared.entry(id)?;
            let Checkpoint { job, faults_kept, faults_bytes } = locked(&entry.checkpoint).clone();
            let (faults, next_faults_after) = entry.folder.faults(faults_bytes, page)?;
            let faults_omitted = job.rejected.saturating_sub(faults_kept);
            Ok(JobWithFaults { job, faults, next_faults_after, faults_omitted })
        })
        .await
    }

    /// Removes a job. Of one that is running, at most the batch in hand is still written.
    async fn remove(&self, id: JobId) -> Result<(), ImportError> {
        let shared = Arc::clone(&self.0);
        blocking(move || {
            let entry = shared.entry(id)?;
            shared.remove(&entry, id)
        })
        .await
    }
}

/// Hands the pieces of a body to the thread that writes it, and says when all came.
async fn send_pieces(body: Body, sender: mpsc::Sender<Piece>) -> Result<(), ImportError> {
    let mut pieces = body.into_data_stream();
    loop {
        let piece = match tokio::time::timeout(IDLE_TIMEOUT, pieces.next()).await {
            Err(_) => return Err(ImportError::Idle),
            Ok(Some(Err(_))) => return Err(ImportError::BrokenOff),
            Ok(Some(Ok(bytes))) => Piece::Bytes(bytes),
            Ok(None) => Piece::End,
        };
        let is_end = matches!(piece, Piece::End);
        // When the thread is gone, it tells why.
        if sender.send(piece).await.is_err() || is_end {
            return Ok(());
        }
    }
}

impl Shared {
    /// Whether there was ever a job here; the folder is not made for a question.
    fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The folder, which is taken, and its jobs read, when that was not done yet.
    fn spool(&self) -> Result<Arc<Spool>, ImportError> {
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

    /// Writes the pieces of a body; they are a job once the end has come and all is durable.
    fn receive(&self, pieces: mpsc::Receiver<Piece>) -> Result<Job, ImportError> {
        let spool = self.spool()?;
        let _arriving = Arriving::begin(&self.state)?;
        let (id, created_at) = (JobId::generate(), domain::now());
        let (folder, lines) = spool.create(id)?;
        let kept = write_pieces(lines, pieces).and_then(|bytes| {
            let checkpoint = Checkpoint::queued(id, created_at, bytes);
            folder.keep(&checkpoint)?;
            Ok(checkpoint)
        });
        let checkpoint = match kept {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                folder.remove_quietly();
                return Err(error);
            }
        };
        let job = checkpoint.job.clone();
        locked(&self.state).jobs.insert(id, Arc::new(Entry::new(folder, checkpoint)));
        self.arrived.notify_one();
        Ok(job)
    }

    fn remove(&self, entry: &Entry, id: JobId) -> Result<(), ImportError> {
        let mut removed = locked(&entry.removed);
        if !*removed {
            entry.folder.remove()?;
            *removed = true;
        }
        locked(&self.state).jobs.remove(&id);
        Ok(())
    }

    /// The job that is to be worked on.
    fn next_unfinished(&self) -> Option<(JobId, Arc<Entry>)> {
        let state = locked(&self.state);
        let unfinished = state.jobs.iter().find(|(_, entry)| !locked(&entry.checkpoint).job.is_finished());
        unfinished.map(|(id, entry)| (*id, Arc::clone(entry)))
    }

    /// Removes finished jobs that are old, and the oldest of too many.
    fn remove_old(&self, now: Timestamp) -> Result<(), ImportError> {
        let finished: Vec<(JobId, Option<Timestamp>, Arc<Entry>)> = {
            let state = locked(&self.state);
            let all = state.jobs.iter().map(|(id, entry)| {
                let checkpoint = locked(&entry.checkpoint);
                (*id, checkpoint.job.finished_at, Arc::clone(entry))
            });
            all.filter(|(_, finished_at, _)| finished_at.is_some()).collect()
        };
        let too_many = finished.len().saturating_sub(MAX_FINISHED);
        for (at, (id, finished_at, entry)) in finished.iter().enumerate() {
            let is_old = finished_at.is_some_and(|finished_at| now.duration_since(finished_at) > KEPT);
            if is_old || at < too_many {
                self.remove(entry, *id)?;
            }
        }
        Ok(())
    }
}

/// Writes pieces until their end, and waits until they are on the disk; answers how many bytes they have.
fn write_pieces(mut lines: std::fs::File, mut pieces: mpsc::Receiver<Piece>) -> Result<u64, ImportError> {
    let mut written = 0;
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Bytes(bytes)) => {
                io::Write::write_all(&mut lines, &bytes)?;
                written += bytes.len() as u64;
            }
            Some(Piece::End) => {
                lines.sync_all()?;
                return Ok(written);
            }
            None => return Err(ImportError::BrokenOff),
        }
    }
}

/// A job that is arriving has a place among those that are not finished.
struct Arriving<'a>(&'a Mutex<State>);

impl<'a> Arriving<'a> {
    fn begin(state: &'a Mutex<State>) -> Result<Self, ImportError> {
        let mut all = locked(state);
        let unfinished = all.jobs.values().filter(|entry| !locked(&entry.checkpoint).job.is_finished());
        if unfinished.count() + all.arriving >= MAX_UNFINISHED {
            return Err(ImportError::TooMany);
        }
        all.arriving += 1;
        Ok(Self(state))
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        locked(self.0).arriving -= 1;
    }
}

impl Entry {
    fn new(folder: JobFolder, checkpoint: Checkpoint) -> Self {
        Self { folder, checkpoint: Mutex::new(checkpoint), removed: Mutex::new(false) }
    }

    /// Keeps a checkpoint with the faults up to it; `false` when the job was removed.
    fn keep(&self, checkpoint: &mut Checkpoint, faults: &[u8]) -> io::Result<bool> {
        let removed = locked(&self.removed);
        if *removed {
            return Ok(false);
        }
        let before = locked(&self.checkpoint).faults_bytes;
        checkpoint.faults_bytes = self.folder.append_faults(before, faults)?;
        self.folder.keep(checkpoint)?;
        *locked(&self.checkpoint) = checkpoint.clone();
        if checkpoint.job.is_finished() {
            self.folder.forget_lines()?;
        }
        Ok(true)
    }

    fn is_removed(&self) -> bool {
        *locked(&self.removed)
    }
}

#[cfg(test)]
#[cfg(feature = "embedded")]
mod tests {
    use super::*;
    use domain::Currency;
    use embedded_store::EmbeddedStore;
    use tokio_util::sync::CancellationToken;

    fn imports(dir: &std::path::Path) -> Imports {
        let store = Arc::new(EmbeddedStore::open(dir, embedded_store::Options::default()).unwrap());
        let catalogue = Catalogue::new(store.clone(), store, Currency::USD);
        Imports::open(dir.join("imports"), catalogue).unwrap()
    }

    /// Takes empty jobs and works on them until all are finished.
    async fn finish(imports: &Imports, jobs: usize) {
        for _ in 0..jobs {
            imports.receive(Body::empty()).await.unwrap();
        }
        let stop = CancellationToken::new();
        let watch = async {
            while imports.0.next_unfinished().is_some() {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        tokio::join!(imports.run(stop.clone()), watch);
    }

    async fn listed(imports: &Imports) -> usize {
        imports.list().await.unwrap().len()
    }

    #[tokio::test]
    async fn finished_jobs_are_kept_for_a_week() {
        let dir = tempfile::tempdir().unwrap();
        let imports = imports(dir.path());
        finish(&imports, 2).await;
        let days = |days: i64| domain::now() + SignedDuration::from_hours(24 * days);
        imports.0.remove_old(days(6)).unwrap();
        assert_eq!(listed(&imports).await, 2);
        imports.receive(Body::empty()).await.unwrap();
        imports.0.remove_old(days(8)).unwrap();
        assert_eq!(listed(&imports).await, 1, "one that is not finished stays however old it is");
    }

    #[tokio::test]
    async fn of_finished_jobs_only_so_many_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let imports = imports(dir.path());
        for _ in 0..5 {
            finish(&imports, 90).await;
        }
        imports.0.remove_old(domain::now()).unwrap();
        assert_eq!(listed(&imports).await, MAX_FINISHED);
    }

    #[tokio::test]
    async fn the_lines_of_a_finished_job_are_removed_and_the_job_is_still_told() {
        let dir = tempfile::tempdir().unwrap();
        let id = {
            let imports = imports(dir.path());
            let id = imports.receive(Body::from("{}\n")).await.unwrap().id;
            finish(&imports, 0).await;
            id
        };
        assert!(!dir.path().join(format!("imports/{id}/lines.ndjson")).exists());
        let page = FaultsPage { after: 0, limit: 9 };
        let told = imports(dir.path()).get(id, page).await.unwrap();
        assert_eq!((told.job.rejected, told.faults.len()), (1, 1));
    }

    #[tokio::test]
    async fn a_job_whose_lines_are_gone_fails() {
        let dir = tempfile::tempdir().unwrap();
        let imports = imports(dir.path());
        let id = imports.receive(Body::from("{}\n")).await.unwrap().id;
        std::fs::remove_file(dir.path().join(format!("imports/{id}/lines.ndjson"))).unwrap();
        finish(&imports, 0).await;
        let job = imports.list().await.unwrap().remove(0);
        assert_eq!(job.status, job::JobStatus::Failed);
        assert!(job.error.unwrap().contains("is gone"));
    }
}
