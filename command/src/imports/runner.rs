//! The runner: writes the lines of one job after the other, for as long as the process runs.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use domain::ProductId;
use domain::input::ProductInput;
use domain::ports::PortErrorKind;
use futures::stream::{self, Stream};
use runtime::Backoff;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::job::{Checkpoint, JobId, JobStatus};
use super::{Entry, Imports, Shared, locked};
use crate::batch::{self, Done, Item, carry_out};
use crate::catalogue::{Command, IdempotencyKey, Operation};
use crate::error::CommandError;
use crate::lines::{Line, LineFault, Lines};

/// How long the runner waits for a job until it looks for old ones again.
const IDLE_PAUSE: Duration = Duration::from_secs(60);
/// The same while another process has the folder.
const ELSEWHERE_PAUSE: Duration = Duration::from_secs(1);
/// Bytes of lines that are read from the disk together.
const READ_BYTES: usize = 256 * 1024;
/// How often a line is tried that fails by a defect, before its job is failed.
const MAX_DEFECTS: u32 = 8;
/// The longest pause between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// Why the runner lets go of a job.
enum Halt {
    /// The process ends; the job goes on at the next start.
    Stopped,
    /// Somebody removed it.
    Removed,
    /// It cannot go on, for this reason.
    Failed(String),
}

impl Imports {
    /// Works on the jobs until `stop` is cancelled; then it ends behind the batch in hand.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.tidy().await {
                true => IDLE_PAUSE,
                false => ELSEWHERE_PAUSE,
            };
            match self.0.next_unfinished() {
                Some((id, entry)) => Run::new(&self.0, id, entry, &stop).finish_or_halt().await,
                None => {
                    let waiting = async {
                        let _ = tokio::time::timeout(pause, self.0.arrived.notified()).await;
                    };
                    stop.run_until_cancelled(waiting).await;
                }
            }
        }
    }

    /// Takes the folder, if there is one, and removes old jobs; `false` when another process has it.
    async fn tidy(&self) -> bool {
        let shared = Arc::clone(&self.0);
        let tidied = super::blocking(move || {
            if shared.exists() {
                shared.spool()?;
                shared.remove_old(domain::now())?;
            }
            Ok(())
        });
        match tidied.await {
            Ok(()) => true,
            Err(error) => {
                if !matches!(error, super::ImportError::Elsewhere) {
                    tracing::error!(error = ?error, "the folder of the import jobs cannot be used");
                }
                false
            }
        }
    }
}

/// The work on one job.
struct Run<'a> {
    shared: &'a Shared,
    id: JobId,
    entry: Arc<Entry>,
    stop: &'a CancellationToken,
    /// Behind what was written, and not always on the disk yet.
    reached: Checkpoint,
    backoff: Backoff,
}

impl<'a> Run<'a> {
    fn new(shared: &'a Shared, id: JobId, entry: Arc<Entry>, stop: &'a CancellationToken) -> Self {
        let reached = {
            let mut checkpoint = locked(&entry.checkpoint);
            checkpoint.job.status = JobStatus::Running;
            checkpoint.clone()
        };
        Self { shared, id, entry, stop, reached, backoff: Backoff::up_to(MAX_BACKOFF) }
    }

    async fn finish_or_halt(mut self) {
        let job = self.id;
        tracing::info!(import.job = %job, import.line = self.reached.job.lines_done, "an import job begins or goes on");
        let error = match self.all_lines().await {
            Ok(()) => None,
            Err(Halt::Failed(error)) => Some(error),
            Err(Halt::Stopped | Halt::Removed) => return,
        };
        if let Some(error) = &error {
            tracing::error!(import.job = %job, error, "an import job failed");
        }
        if error.is_some() {
            // Of the batch that failed, some lines may be counted and none is behind the job.
            self.reached = locked(&self.entry.checkpoint).clone();
        }
        self.reached.finish(error);
        if self.keep(Vec::new()).await.is_ok() {
            tracing::info!(import.job = %job, import.rejected = self.reached.job.rejected, "an import job is finished");
        }
    }

    async fn all_lines(&mut self) -> Result<(), Halt> {
        let mut lines = self.open().await?;
        loop {
            if self.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            let Some(batch) = lines.next_batch().await else { break };
            if batch.iter().any(|line| line.text.as_ref().is_err_and(|fault| *fault == LineFault::CutOff)) {
                // The disk failed in between.
                self.wait("its lines cannot be read").await?;
                lines = self.open().await?;
                continue;
            }
            let faults = self.write(batch).await?;
            self.reached.reach(lines.place());
            self.keep(faults).await?;
        }
        // Empty lines at the end are behind it, too.
        self.reached.reach(lines.place());
        Ok(())
    }

    /// The lines behind the checkpoint.
    async fn open(&mut self) -> Result<Lines, Halt> {
        let place = self.reached.place();
        loop {
            let entry = Arc::clone(&self.entry);
            let opened = on_thread(move || entry.folder.lines_from(place.bytes)).await;
            match opened {
                Ok(file) => return Ok(Lines::behind(place, Body::from_stream(pieces(file)))),
                Err(_) if self.entry.is_removed() => return Err(Halt::Removed),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Halt::Failed("the file of its lines is gone; import it again".to_owned()));
                }
                Err(error) => self.wait(&format!("its lines cannot be read: {error}")).await?,
            }
        }
    }

    /// Writes a batch and counts what became of it; answers the faults to keep.
    async fn write(&mut self, lines: Vec<Line>) -> Result<Vec<u8>, Halt> {
        let currency = self.shared.catalogue.currency();
        let id = self.id;
        let items = batch::read(lines, currency, |line, text, input| command_of(id, line, text, input));
        let mut faults = Vec::new();
        for group in without_repeated_products(items) {
            for done in self.settled(group).await? {
                self.reached.count(&done, &mut faults);
            }
        }
        Ok(faults)
    }

    /// Writes lines on different products until each is written or is to be rejected. Those that were written before
    /// get the same answer again.
    async fn settled(&mut self, group: Vec<Item>) -> Result<Vec<Done>, Halt> {
        let mut defects = 0;
        loop {
            let done = carry_out(&self.shared.catalogue, group.clone()).await;
            let Some((line, error)) = done.iter().find_map(held_up) else {
                self.backoff.reset();
                return Ok(done);
            };
            if is_defect(error) {
                defects += 1;
                if defects == MAX_DEFECTS {
                    return Err(Halt::Failed(format!(
                        "line {line}: the store failed; the log has the details"
                    )));
                }
            }
            let reason = match error {
                CommandError::Port(error) => error.chain(),
                error => error.to_string(),
            };
            self.wait(&format!("line {line}: {reason}")).await?;
        }
    }

    /// Keeps what was reached, however long that takes.
    async fn keep(&mut self, faults: Vec<u8>) -> Result<(), Halt> {
        let faults = Arc::new(faults);
        loop {
            let (entry, faults, mut reached) =
                (Arc::clone(&self.entry), Arc::clone(&faults), self.reached.clone());
            let kept = on_thread(move || {
                let kept = entry.keep(&mut reached, &faults)?;
                Ok((kept, reached))
            });
            match kept.await {
                Ok((true, kept)) => {
                    self.reached = kept;
                    self.backoff.reset();
                    return Ok(());
                }
                Ok((false, _)) => return Err(Halt::Removed),
                Err(error) => self.wait(&format!("its checkpoint cannot be written: {error}")).await?,
            }
        }
    }

    /// Waits before something is tried again.
    async fn wait(&mut self, reason: &str) -> Result<(), Halt> {
        if self.entry.is_removed() {
            return Err(Halt::Removed);
        }
        tracing::warn!(import.job = %self.id, reason, "an import job is held up; trying again");
        let pause = self.backoff.next_pause();
        self.stop.run_until_cancelled(tokio::time::sleep(pause)).await.ok_or(Halt::Stopped)
    }
}

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// A file, piece by piece.
fn pieces(file: File) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(file, |mut file| {
        on_thread(move || {
            let mut piece = vec![0; READ_BYTES];
            let read = file.read(&mut piece)?;
            piece.truncate(read);
            Ok((read > 0).then(|| (Bytes::from(piece), file)))
        })
    })
}

/// What to do for a line: the same each time it is read.
fn command_of(job: JobId, line: u64, text: &[u8], input: ProductInput) -> Command {
    // A job and a number always make an id.
    let id = input.id.or_else(|| job.product_of(line).ok()).unwrap_or_else(ProductId::generate);
    let fingerprint = Sha256::digest(text).into();
    let idempotency = Some(IdempotencyKey { key: job.key_of(line), fingerprint });
    Command { idempotency, ..Command::new(id, Operation::Put(input.content)) }
}

/// Cuts lines before each product that was there already. Where the store fails for a line, it is tried again, and no
/// later line on the same product may have been written by then.
fn without_repeated_products(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut groups: Vec<Vec<Item>> = Vec::new();
    let mut products = HashSet::new();
    for item in items {
        let repeats = item.product().is_some_and(|product| !products.insert(product.clone()));
        if repeats {
            products.clear();
            products.extend(item.product().cloned());
        }
        match groups.last_mut() {
            Some(group) if !repeats => group.push(item),
            _ => groups.push(vec![item]),
        }
    }
    groups
}

/// A line that is neither written nor at fault itself.
fn held_up(done: &Done) -> Option<(u64, &CommandError)> {
    let error = done.answer.as_ref().err()?;
    matches!(error, CommandError::Port(_) | CommandError::Contended(_)).then_some((done.line, error))
}

fn is_defect(error: &CommandError) -> bool {
    matches!(error, CommandError::Port(error) if error.kind == PortErrorKind::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;

    fn items(lines: &[&str]) -> Vec<Item> {
        let job = JobId::generate();
        let lines = lines.iter().zip(1..).map(|(text, number)| Line { number, text: Ok((*text).into()) });
        batch::read(lines.collect(), Currency::USD, |line, text, input| command_of(job, line, text, input))
    }

    #[test]
    fn a_group_has_each_product_once() {
        let [a, b, fault] = ["{\"id\":\"a\",\"name\":\"A\"}", "{\"id\":\"b\",\"name\":\"B\"}", "{}"];
        let new = "{\"name\":\"without an id\"}";
        let sizes =
            |lines: &[&str]| without_repeated_products(items(lines)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[a, b, fault, fault, new, new]), [6]);
        assert_eq!(sizes(&[a, b, a, b, b, fault, a]), [2, 2, 3]);
        assert_eq!(sizes(&[a, a, a]), [1, 1, 1]);
    }
}
