//! The runner: applies the lines of one job after the other until the process ends.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use api::extract::{IMPORT_KEY_PREFIX, IdempotencyKey};
use api::wire::imports::{JobId, JobStatus};
use axum::body::{Body, Bytes};
use bytes::BytesMut;
use domain::input::LineInput;
use domain::ports::PortErrorKind;
use domain::{ProductId, WriteMode};
use futures::stream::{self, Stream};
use runtime::{Retries, audit};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::checkpoint::{Checkpoint, Resume};
use super::entry::{Entry, locked};
use super::error::ImportError;
use super::jobs::{Imports, JobTable, blocking};
use crate::batch::{self, ExecutedLine, Item, Reading};
use crate::command::Command;
use crate::converted_record::ConvertedRecord;
use crate::error::CommandError;
use crate::lines::{BATCH_LINES, Line, LineFault, Lines, Position};

/// The longest wait for a job, after which expired jobs are removed again.
const IDLE_PAUSE: Duration = Duration::from_secs(60);
/// The pause while another process has locked the folder.
const ELSEWHERE_PAUSE: Duration = Duration::from_secs(1);
/// Bytes of lines that are read from the disk at a time.
const READ_BYTES: usize = 256 * 1024;
/// Attempts of a line that fails with an internal error, before its job fails.
const MAX_INTERNAL_ERRORS: u32 = 8;
/// The longest pause between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// The reason for a wait when the file of lines breaks off. It was complete when the job was accepted, so reading it has failed.
pub(super) const UNREADABLE: &str = "its lines cannot be read";

/// The reason why the runner stops working on a job.
pub(super) enum Halt {
    /// The process ends; the next start continues the job.
    Stopped,
    /// The job was removed.
    Removed,
    /// The job cannot continue.
    Failed(String),
}

impl Imports {
    /// Runs the jobs until `stop` is cancelled; then it ends after the current batch.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.remove_expired().await {
                true => IDLE_PAUSE,
                false => ELSEWHERE_PAUSE,
            };
            match self.0.next_unfinished() {
                Some((id, entry)) => Run::new(&self.0, id, entry, &stop).run().await,
                None => {
                    let waiting = async {
                        let _ = tokio::time::timeout(pause, self.0.arrived.notified()).await;
                    };
                    stop.run_until_cancelled(waiting).await;
                }
            }
        }
    }

    /// Locks the folder, if it exists, and removes expired jobs. Returns false if the folder cannot be used, for example
    /// because another process has locked it.
    async fn remove_expired(&self) -> bool {
        let table = Arc::clone(&self.0);
        let removed = blocking(move || {
            if table.exists() {
                table.spool()?;
                table.remove_expired(domain::now())?;
            }
            Ok(())
        });
        match removed.await {
            Ok(()) => true,
            Err(ImportError::Elsewhere) => false,
            Err(error) => {
                tracing::error!(error = ?error, "the folder of the import jobs cannot be used");
                false
            }
        }
    }
}

/// One run of a job.
pub(super) struct Run<'a> {
    pub(super) table: &'a JobTable,
    id: JobId,
    pub(super) entry: Arc<Entry>,
    pub(super) stop: &'a CancellationToken,
    /// The state after the lines applied so far, which may not be on the disk yet.
    pub(super) reached: Checkpoint,
    /// True while the checkpoint counts this run among those that began at its position.
    pub(super) is_counted: bool,
    retries: Retries<'a>,
}

impl<'a> Run<'a> {
    fn new(table: &'a JobTable, id: JobId, entry: Arc<Entry>, stop: &'a CancellationToken) -> Self {
        let reached = {
            let mut checkpoint = locked(&entry.checkpoint);
            checkpoint.job.status = JobStatus::Running;
            checkpoint.clone()
        };
        Self { table, id, entry, stop, reached, is_counted: false, retries: Retries::new(MAX_BACKOFF, stop) }
    }

    /// Applies the rest of the job, and records its end unless the process stops before.
    async fn run(mut self) {
        let job = self.id;
        tracing::info!(import.job = %job, import.line = self.reached.job.lines_done, "an import job starts or continues");
        let error = match self.apply_lines().await {
            Ok(()) => None,
            Err(Halt::Failed(error)) => Some(error),
            Err(Halt::Stopped) => return self.uncount().await,
            Err(Halt::Removed) => return self.audit("removed"),
        };
        if let Some(error) = &error {
            tracing::error!(import.job = %job, error, "an import job failed");
            // Some lines of the failed batch may be counted in `reached`; the job ends at the last checkpoint, without them.
            self.reached = locked(&self.entry.checkpoint).clone();
        }
        let outcome = if error.is_none() { "done" } else { "failed" };
        self.reached.finish(error);
        self.audit(outcome);
        if self.save(Vec::new()).await.is_ok() {
            tracing::info!(import.job = %job, import.rejected = self.reached.job.rejected, "an import job is finished");
        }
    }

    /// Writes the line counts to the audit log before the end of the job is recorded: a crash between the two repeats the entry, but never
    /// loses it.
    fn audit(&self, outcome: &'static str) {
        audit::write("runImport", &self.reached.caller, None, &self.reached.audit_entry(outcome));
    }

    async fn apply_lines(&mut self) -> Result<(), Halt> {
        self.convert().await?;
        self.plan_sync().await?;
        let mut lines = self.resume().await?;
        loop {
            if self.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            let most = if self.reached.is_one_by_one() { 1 } else { BATCH_LINES };
            let Some(batch) = lines.next_lines(most).await else { break };
            if is_cut_off(&batch) {
                self.wait(UNREADABLE).await?;
                lines = self.open().await?;
                continue;
            }
            let faults = self.apply_batch(batch).await?;
            self.advance(lines.position(), faults).await?;
        }
        // Includes empty lines at the end.
        self.reached.advance_to(lines.position());
        Ok(())
    }

    /// Counts this run in the checkpoint, and opens the lines after it. A line that ends the process must not do so for ever:
    ///
    /// 1. The first two runs in a batch apply it as a whole.
    /// 2. If both end with their processes, the next runs apply its lines one by one.
    /// 3. If two of these end at one line, the next run rejects this line and continues after it.
    async fn resume(&mut self) -> Result<Lines, Halt> {
        match self.reached.resume() {
            Resume::Normally => {
                self.reached.runs_here += 1;
                self.is_counted = true;
                self.save(Vec::new()).await?;
                self.open().await
            }
            Resume::OneByOne => {
                let (_, batch) = self.open_and_read(BATCH_LINES).await?;
                self.reached.one_by_one_until = batch.last().map_or(0, |line| line.number);
                tracing::warn!(
                    import.job = %self.id, import.line = self.reached.job.lines_done,
                    "the process ended twice in the lines after this one; they are imported one by one"
                );
                self.advance(self.reached.position(), Vec::new()).await?;
                self.open().await
            }
            Resume::SkippingOne => {
                let (lines, line) = self.open_and_read(1).await?;
                let mut faults = Vec::new();
                for Line { number, text } in line {
                    tracing::error!(
                        import.job = %self.id, import.line = number,
                        "the process ended twice while it imported this line, which is skipped"
                    );
                    self.reached.count(&ExecutedLine::skipped(number, self.source_line(text)), &mut faults);
                }
                self.advance(lines.position(), faults).await?;
                Ok(lines)
            }
        }
    }

    /// Returns the number of the line in the uploaded file, if that file was converted.
    fn source_line(&self, text: Result<BytesMut, LineFault>) -> Option<u64> {
        let text = text.ok().filter(|_| self.reached.converted.is_some())?;
        ConvertedRecord::parse(&text).ok().map(|record| record.line)
    }

    /// Opens the lines after the checkpoint, and reads the first ones.
    async fn open_and_read(&mut self, most: usize) -> Result<(Lines, Vec<Line>), Halt> {
        loop {
            let mut lines = self.open().await?;
            let batch = lines.next_lines(most).await.unwrap_or_default();
            if !is_cut_off(&batch) {
                return Ok((lines, batch));
            }
            self.wait(UNREADABLE).await?;
        }
    }

    /// Saves the checkpoint at a position, at which this run continues.
    async fn advance(&mut self, position: Position, faults: Vec<u8>) -> Result<(), Halt> {
        self.reached.advance_to(position);
        self.reached.runs_here = 1;
        self.is_counted = true;
        self.save(faults).await
    }

    /// Removes this run from the count of the checkpoint: if the process ends now, the next lines are not the cause.
    async fn uncount(&mut self) {
        if !std::mem::take(&mut self.is_counted) {
            return;
        }
        self.reached.runs_here = self.reached.runs_here.saturating_sub(1);
        let (entry, runs) = (Arc::clone(&self.entry), self.reached.runs_here);
        if let Err(error) = on_thread(move || entry.save_runs_here(runs)).await {
            tracing::warn!(import.job = %self.id, error = %error, "the checkpoint of an import job cannot be written");
        }
    }

    /// Opens the lines after the checkpoint.
    pub(super) async fn open(&mut self) -> Result<Lines, Halt> {
        let position = self.reached.position();
        loop {
            let entry = Arc::clone(&self.entry);
            let opened = on_thread(move || entry.folder.lines_from(position.bytes)).await;
            match opened {
                Ok(file) => return Ok(Lines::starting_at(position, Body::from_stream(chunks(file)))),
                Err(_) if self.entry.is_removed() => return Err(Halt::Removed),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Halt::Failed("the file of its lines is gone; import it again".to_owned()));
                }
                Err(error) => self.wait(&format!("its lines cannot be read: {error}")).await?,
            }
        }
    }

    /// Applies a batch and counts its lines. Returns the faults to keep.
    async fn apply_batch(&mut self, lines: Vec<Line>) -> Result<Vec<u8>, Halt> {
        let reading = Reading {
            currency: self.table.catalogue.currency(),
            mode: self.reached.job.mode.unwrap_or(WriteMode::Replace),
            is_converted: self.reached.converted.is_some(),
        };
        let (id, source) = (self.id, self.reached.source.as_deref().map(Arc::<str>::from));
        let items = batch::parse(lines, reading, move |line, text, input| {
            Ok(Command { source: source.clone(), ..command_of(id, line, text, input, reading.mode) })
        });
        let items = items.await;
        let mut faults = Vec::new();
        for group in without_repeated_products(items) {
            for line in self.apply_group(group).await? {
                self.reached.count(&line, &mut faults);
            }
        }
        Ok(faults)
    }

    /// Applies lines on distinct products until each is written or rejected. Lines that were applied before get the same
    /// response again.
    async fn apply_group(&mut self, group: Vec<Item>) -> Result<Vec<ExecutedLine>, Halt> {
        let mut internal_errors = 0;
        loop {
            let executed = batch::execute(&self.table.catalogue, group.clone()).await;
            let Some((line, error)) = executed.iter().find_map(blocking_error) else {
                self.retries.reset();
                return Ok(executed);
            };
            if is_internal(error) {
                internal_errors += 1;
                if internal_errors == MAX_INTERNAL_ERRORS {
                    return Err(Halt::Failed(format!(
                        "line {line}: the store failed; the log has the details"
                    )));
                }
            }
            let reason = match error {
                CommandError::Port(error) => error.chain(),
                error => error.to_string(),
            };
            let reason = format!("line {line}: {reason}");
            // If the process ends while the store is away, no line is the cause.
            self.uncount().await;
            self.wait(&reason).await?;
        }
    }

    /// Writes the checkpoint, retrying as long as the disk fails.
    pub(super) async fn save(&mut self, faults: Vec<u8>) -> Result<(), Halt> {
        let faults = Arc::new(faults);
        loop {
            let (entry, faults, mut reached) =
                (Arc::clone(&self.entry), Arc::clone(&faults), self.reached.clone());
            let saved = on_thread(move || {
                let saved = entry.save(&mut reached, &faults)?;
                Ok((saved, reached))
            });
            match saved.await {
                Ok((true, saved)) => {
                    self.reached = saved;
                    self.retries.reset();
                    return Ok(());
                }
                Ok((false, _)) => return Err(Halt::Removed),
                Err(error) => self.wait(&format!("its checkpoint cannot be written: {error}")).await?,
            }
        }
    }

    /// Waits before a retry.
    pub(super) async fn wait(&mut self, reason: &str) -> Result<(), Halt> {
        if self.entry.is_removed() {
            return Err(Halt::Removed);
        }
        tracing::warn!(import.job = %self.id, reason, "an import job is blocked; retrying");
        self.retries.pause().await.ok_or(Halt::Stopped)
    }
}

/// Returns true if the file breaks off in these lines.
pub(super) fn is_cut_off(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.text.as_ref().is_err_and(|fault| *fault == LineFault::CutOff))
}

pub(super) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Returns the contents of a file in chunks.
fn chunks(file: File) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(file, |mut file| {
        on_thread(move || {
            let mut chunk = vec![0; READ_BYTES];
            let read = file.read(&mut chunk)?;
            chunk.truncate(read);
            Ok((read > 0).then(|| (Bytes::from(chunk), file)))
        })
    })
}

/// Returns the command of a line: the same each time the line is read.
fn command_of(job: JobId, line: u64, text: &[u8], mut input: LineInput, mode: WriteMode) -> Command {
    if let LineInput::Product(product) = &mut input
        && product.id.is_none()
    {
        // A job id and a number always form a product id.
        product.id = product_of(job, line).ok();
    }
    let fingerprint = Sha256::digest(text).into();
    let idempotency = Some(IdempotencyKey { key: key_of(job, line), fingerprint });
    Command { idempotency, ..Command::of_text(input, text, mode) }
}

/// Returns the idempotency key of a line. The store executes each key once, whatever crashes.
fn key_of(job: JobId, line: u64) -> String {
    format!("{IMPORT_KEY_PREFIX}{job}:{line}")
}

/// Returns the product id for a line without one.
fn product_of(job: JobId, line: u64) -> Result<ProductId, String> {
    ProductId::parse(&format!("{job}-{line}"))
}

/// Splits lines into groups of distinct products. If the store fails for a line, the line is retried, and no later line on
/// the same product may be applied before it.
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

/// Returns the number and the error of a line that must be retried: it was not written, and not because of its own faults.
fn blocking_error(line: &ExecutedLine) -> Option<(u64, &CommandError)> {
    let error = line.result.as_ref().err()?;
    matches!(error, CommandError::Port(_) | CommandError::Contended(_)).then_some((line.line, error))
}

fn is_internal(error: &CommandError) -> bool {
    matches!(error, CommandError::Port(error) if error.kind == PortErrorKind::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;

    fn items(lines: &[&str]) -> Vec<Item> {
        let job = JobId::generate();
        let lines = lines.iter().zip(1..).map(|(text, number)| Line { number, text: Ok((*text).into()) });
        let lines = lines.collect();
        let reading = Reading::lines(Currency::USD, WriteMode::Replace);
        batch::parse_lines(lines, reading, |line, text, input| {
            Ok(command_of(job, line, text, input, WriteMode::Replace))
        })
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

    #[test]
    fn a_line_has_one_key_and_one_product() {
        let id = JobId::generate();
        assert_eq!(key_of(id, 7), format!("import:{id}:7"));
        assert_eq!(product_of(id, u64::MAX).unwrap().as_str(), format!("{id}-{}", u64::MAX));
        assert_ne!(product_of(id, 1), product_of(id, 11));
        assert_eq!(JobId::parse(&id.to_string()), Some(id));
        for text in ["", "..", "../x", "a"] {
            assert_eq!(JobId::parse(text), None, "{text}");
        }
        assert!(JobId::generate() > id);
    }
}
