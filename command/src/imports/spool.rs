//! The folder of import jobs: one subfolder for each job with its lines, faults and checkpoint. All operations block.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use api::wire::imports::{JobId, Mapping};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::checkpoint::{Checkpoint, FaultsPage};
use super::error::ImportError;
use super::space::Space;

const LOCK: &str = "lock";
const LINES: &str = "lines.ndjson";
const NEW_LINES: &str = "lines.ndjson.new";
/// The uploaded file of a job that is converted.
const UPLOAD: &str = "upload";
const MAPPING: &str = "mapping.json";
const NEW_MAPPING: &str = "mapping.json.new";
const FAULTS: &str = "faults.ndjson";
const CHECKPOINT: &str = "job.json";
const NEW_CHECKPOINT: &str = "job.json.new";

/// The folder of all jobs, locked by this process.
pub(crate) struct Spool {
    path: PathBuf,
    /// The system releases the lock when the process ends, however it ends.
    #[expect(dead_code, reason = "held, not read")]
    lock: File,
}

impl Spool {
    /// Opens and locks the folder, creating it if missing. `None` while another process has locked it.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        fs::create_dir_all(path)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path: path.to_owned(), lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Checks that `bytes` fit on the disk beside what is kept free for the store.
    pub(super) fn check_room(&self, bytes: u64) -> Result<(), ImportError> {
        Space::check(&self.path, bytes)
    }

    pub(crate) fn folder(&self, id: JobId) -> JobFolder {
        JobFolder(self.path.join(id.to_string()))
    }

    /// Returns the jobs that were uploaded completely, and removes incomplete uploads.
    pub(crate) fn jobs(&self) -> io::Result<Vec<Checkpoint>> {
        let mut jobs = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(JobId::parse) else { continue };
            let folder = self.folder(id);
            match folder.checkpoint() {
                Ok(checkpoint) => jobs.push(checkpoint),
                Err(error) if error.kind() == io::ErrorKind::NotFound => folder.remove()?,
                Err(error) => {
                    tracing::error!(import.job = %id, error = %error, "cannot read an import job; it is ignored");
                }
            }
        }
        Ok(jobs)
    }

    /// Creates the folder of a job with its file of lines.
    pub(crate) fn create(&self, id: JobId) -> io::Result<(JobFolder, File)> {
        let folder = self.folder(id);
        fs::create_dir(&folder.0)?;
        let made = File::create(folder.0.join(LINES)).and_then(|lines| {
            sync_folder(&self.path)?;
            Ok(lines)
        });
        match made {
            Ok(lines) => Ok((folder, lines)),
            Err(error) => {
                folder.remove_quietly();
                Err(error)
            }
        }
    }
}

/// Checks that `bytes` fit on the disk of a folder beside what is kept free for the store.
///
/// # Errors
/// [`io::ErrorKind::StorageFull`] if they do not.
pub(crate) fn check_room(folder: &Path, bytes: u64) -> io::Result<()> {
    Space::check(folder, bytes).map_err(|error| match error {
        ImportError::Disk(error) => error,
        no_room => io::Error::new(io::ErrorKind::StorageFull, no_room.to_string()),
    })
}

/// The folder of one job.
#[derive(Debug, Clone)]
pub(crate) struct JobFolder(PathBuf);

impl JobFolder {
    fn checkpoint(&self) -> io::Result<Checkpoint> {
        Ok(serde_json::from_slice(&fs::read(self.0.join(CHECKPOINT))?)?)
    }

    /// Replaces the checkpoint, durably.
    pub(crate) fn save(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let new = self.0.join(NEW_CHECKPOINT);
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(checkpoint)?)?;
        file.sync_data()?;
        fs::rename(new, self.0.join(CHECKPOINT))?;
        sync_folder(&self.0)
    }

    /// Opens the file of lines, positioned at a byte.
    pub(crate) fn lines_from(&self, byte: u64) -> io::Result<File> {
        let mut file = File::open(self.0.join(LINES))?;
        file.seek(SeekFrom::Start(byte))?;
        Ok(file)
    }

    /// Returns the path of the folder.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Renames the uploaded file, which is to be converted.
    pub(super) fn keep_as_upload(&self) -> io::Result<()> {
        fs::rename(self.0.join(LINES), self.0.join(UPLOAD))
    }

    /// Opens the uploaded file.
    pub(super) fn upload(&self) -> io::Result<File> {
        File::open(self.0.join(UPLOAD))
    }

    /// Creates the file of converted lines.
    pub(super) fn create_lines(&self) -> io::Result<File> {
        File::create(self.0.join(NEW_LINES))
    }

    /// Makes the converted lines those of the job, durably.
    pub(super) fn rename_lines(&self) -> io::Result<()> {
        fs::rename(self.0.join(NEW_LINES), self.0.join(LINES))?;
        sync_folder(&self.0)
    }

    /// Writes the report on how the file was read.
    pub(super) fn save_mapping(&self, mapping: &Mapping) -> io::Result<()> {
        // Renamed, because a request may read it at any time.
        let new = self.0.join(NEW_MAPPING);
        fs::write(&new, serde_json::to_vec(mapping)?)?;
        fs::rename(new, self.0.join(MAPPING))
    }

    /// Returns the report on how the file was read, if it was converted.
    pub(super) fn mapping(&self) -> io::Result<Option<Mapping>> {
        match fs::read(self.0.join(MAPPING)) {
            Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Checks that `bytes` fit on the disk beside what is kept free for the store.
    pub(super) fn check_room(&self, bytes: u64) -> io::Result<()> {
        check_room(&self.0, bytes)
    }

    /// Cuts the file of lines to this length.
    pub(super) fn truncate_lines(&self, bytes: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.0.join(LINES))?.set_len(bytes)
    }

    /// Opens the file of lines at its end.
    pub(super) fn append_to_lines(&self) -> io::Result<File> {
        OpenOptions::new().append(true).open(self.0.join(LINES))
    }

    /// Durably writes faults after the first `kept` bytes, which belong to the last checkpoint. Returns the new length.
    pub(crate) fn append_faults(&self, kept: u64, faults: &[u8]) -> io::Result<u64> {
        if faults.is_empty() {
            return Ok(kept);
        }
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).open(self.0.join(FAULTS))?;
        file.set_len(kept)?;
        file.seek(SeekFrom::Start(kept))?;
        file.write_all(faults)?;
        file.sync_data()?;
        Ok(kept + faults.len() as u64)
    }

    /// Returns a page of faults, and the line after which the next page begins if there are more.
    pub(crate) fn faults(
        &self,
        kept_bytes: u64,
        page: FaultsPage,
    ) -> io::Result<(Vec<Box<RawValue>>, Option<u64>)> {
        #[derive(Deserialize)]
        struct OfLine {
            line: u64,
            /// Several records may begin in one line.
            record: Option<u64>,
        }
        let file = match File::open(self.0.join(FAULTS)) {
            Ok(file) => io::Read::take(file, kept_bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), None)),
            Err(error) => return Err(error),
        };
        let (mut faults, mut last) = (Vec::new(), page.after);
        for text in BufReader::new(file).lines() {
            let text = text?;
            let OfLine { line, record } = serde_json::from_str(&text)?;
            let line = record.unwrap_or(line);
            if line <= page.after {
                continue;
            }
            if faults.len() == page.limit {
                return Ok((faults, Some(last)));
            }
            faults.push(RawValue::from_string(text)?);
            last = line;
        }
        Ok((faults, None))
    }

    /// Removes the lines of a finished job, and the file that they were converted from.
    pub(crate) fn remove_lines(&self) -> io::Result<()> {
        for file in [LINES, NEW_LINES, UPLOAD] {
            match fs::remove_file(self.0.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the job. The checkpoint is removed first, so that after a crash the rest is an incomplete upload.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(self.0.join(CHECKPOINT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::remove_dir_all(&self.0)
    }

    /// Removes the job. An error is only logged: the next start removes the rest.
    pub(crate) fn remove_quietly(&self) {
        if let Err(error) = self.remove() {
            tracing::warn!(error = %error, "cannot remove an incomplete import job yet");
        }
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::wire::imports::Job;
    use runtime::audit::Caller;

    fn page(after: u64, limit: usize) -> FaultsPage {
        FaultsPage { after, limit }
    }

    #[test]
    fn one_process_locks_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = Spool::open(&dir.path().join("imports")).unwrap();
        assert!(first.is_some());
        assert!(Spool::open(&dir.path().join("imports")).unwrap().is_none());
        drop(first);
        assert!(Spool::open(&dir.path().join("imports")).unwrap().is_some());
    }

    #[test]
    fn an_upload_is_a_job_once_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap().unwrap();
        let (whole, half) = (JobId::generate(), JobId::generate());
        let (folder, mut lines) = spool.create(whole).unwrap();
        lines.write_all(b"{}\n").unwrap();
        folder.save(&Checkpoint::of(Job::queued(whole, domain::now(), 3), Caller::default())).unwrap();
        spool.create(half).unwrap();
        let jobs = spool.jobs().unwrap();
        assert_eq!(jobs.iter().map(|found| found.job.id).collect::<Vec<_>>(), [whole]);
        assert!(!dir.path().join(half.to_string()).exists(), "the rest is removed");
        folder.remove().unwrap();
        assert!(spool.jobs().unwrap().is_empty());
    }

    #[test]
    fn faults_after_the_checkpoint_are_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap().unwrap();
        let (folder, _) = spool.create(JobId::generate()).unwrap();
        assert_eq!(folder.append_faults(0, b"").unwrap(), 0);
        let first = folder.append_faults(0, b"{\"line\":2}\n{\"line\":5}\n").unwrap();
        folder.append_faults(first, b"{\"line\":6}\n").unwrap();
        // The checkpoint after these faults was never saved, so the line is applied again.
        let second = folder.append_faults(first, b"{\"line\":7}\n").unwrap();
        let lines = |kept, asked| {
            let (faults, next) = folder.faults(kept, asked).unwrap();
            (faults.iter().map(|fault| fault.get().to_owned()).collect::<Vec<_>>().join(","), next)
        };
        assert_eq!(lines(first, page(0, 9)), ("{\"line\":2},{\"line\":5}".to_owned(), None));
        assert_eq!(lines(second, page(0, 2)), ("{\"line\":2},{\"line\":5}".to_owned(), Some(5)));
        assert_eq!(lines(second, page(5, 2)), ("{\"line\":7}".to_owned(), None));
        assert_eq!(lines(second, page(2, 1)), ("{\"line\":5}".to_owned(), Some(5)));
    }
}
