//! One job in memory, with its folder.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::checkpoint::Checkpoint;
use super::spool::JobFolder;

/// Locks a mutex whose data stays consistent even if a holder panicked.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A completely uploaded job.
pub(super) struct Entry {
    pub(super) folder: JobFolder,
    pub(super) checkpoint: Mutex<Checkpoint>,
    /// True once the files were removed. Locked while files of the job are written.
    removed: Mutex<bool>,
}

impl Entry {
    pub(super) fn new(folder: JobFolder, checkpoint: Checkpoint) -> Self {
        Self { folder, checkpoint: Mutex::new(checkpoint), removed: Mutex::new(false) }
    }

    /// Writes a checkpoint with the faults of the lines before it. Returns false if the job was removed.
    pub(super) fn save(&self, checkpoint: &mut Checkpoint, faults: &[u8]) -> io::Result<bool> {
        let removed = locked(&self.removed);
        if *removed {
            return Ok(false);
        }
        let before = locked(&self.checkpoint).faults_bytes;
        checkpoint.faults_bytes = self.folder.append_faults(before, faults)?;
        self.folder.save(checkpoint)?;
        *locked(&self.checkpoint) = checkpoint.clone();
        if checkpoint.job.is_finished() {
            self.folder.remove_lines()?;
        }
        Ok(true)
    }

    /// Durably records the number of runs that began at the last checkpoint. Returns false if the job was removed.
    pub(super) fn save_runs_here(&self, runs: u32) -> io::Result<bool> {
        let mut checkpoint = locked(&self.checkpoint).clone();
        checkpoint.runs_here = runs;
        self.save(&mut checkpoint, &[])
    }

    /// Removes the files of the job. Does nothing if they were removed before.
    pub(super) fn remove(&self) -> io::Result<()> {
        let mut removed = locked(&self.removed);
        if !*removed {
            self.folder.remove()?;
            *removed = true;
        }
        Ok(())
    }

    pub(super) fn is_removed(&self) -> bool {
        *locked(&self.removed)
    }

    pub(super) fn is_finished(&self) -> bool {
        locked(&self.checkpoint).job.is_finished()
    }
}
