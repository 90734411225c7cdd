//! The pipeline of an import: a thread that reads, concurrent writes, and a reporter in the order of the files.

use std::sync::Arc;
use std::time::Instant;

use feeds::{FeedReader, Preparer, Rules, unwrap_reject};
use futures::StreamExt as _;
use tokio::sync::{mpsc, oneshot};

use super::candidate::Candidate;
use super::options::Options;
use super::reporter::{Reporter, Step};
use super::sink::Sink;
use super::summary::Summary;
use crate::failure::{Context as _, Failure};

/// Maximum number of products in a batch.
const BATCH_PRODUCTS: usize = 500;
/// Size in bytes from which a batch is complete, also with fewer products.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Number of batches that the sink writes concurrently.
const BATCHES_IN_FLIGHT: usize = 4;
/// Number of batches that wait for the sink.
const BATCHES_WAITING: usize = 2;

/// Imports all files into `sink`; without a sink, they are only validated.
///
/// # Errors
/// If a file cannot be read or the catalogue cannot be written. Products written before that stay, and importing them
/// again changes nothing.
pub async fn import(options: Options, sink: Option<Arc<dyn Sink>>) -> Result<Summary, Failure> {
    let started = Instant::now();
    if options.rejects.is_some() && options.source.len() > 1 {
        return Err(Failure::usage(
            "--rejects takes a single FILE; without it, each file gets a rejects file of its own",
        ));
    }
    let mut reporter = Reporter::new(&options, sink.is_none());
    let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
    let (result_sender, read_result) = oneshot::channel();
    // Not a task of the runtime: a thread that waits for standard input must not keep the process from ending.
    std::thread::spawn(move || {
        // Fails only if the import has ended with an error already.
        let _ = result_sender.send(read_all(&options, &sender));
    });
    let steps = futures::stream::unfold(receiver, async |mut receiver: mpsc::Receiver<Step>| {
        receiver.recv().await.map(|step| (step, receiver))
    });
    let mut steps = steps.map(|step| put(step, sink.clone())).buffered(BATCHES_IN_FLIGHT).boxed();
    let mut result = Ok(());
    while let Some(step) = steps.next().await {
        result = step.and_then(|step| reporter.report(step));
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = read_result.await.context(|| "reading the files".to_owned())?;
    }
    let mut summary = reporter.finish()?;
    summary.elapsed = started.elapsed();
    match result {
        Ok(()) => Ok(summary),
        Err(failure) if summary.accepted() + summary.rejected == 0 => Err(failure),
        Err(failure) => Err(failure.with_note(format!("before that: {summary}"))),
    }
}

/// Reads all files and sends their products in batches. Ends early if the receiver is closed.
fn read_all(options: &Options, sender: &mpsc::Sender<Step>) -> Result<(), Failure> {
    let mut bytes_before = 0;
    for reader in options.source.readers(options.format, &options.table) {
        let mut reader = reader?;
        let file = Step::File {
            name: reader.name().to_owned(),
            stem: reader.stem().to_owned(),
            format: reader.format(),
            header: reader.header().cloned(),
        };
        let mut is_open = sender.blocking_send(file).is_ok();
        let rules = Rules { currency: options.currency, check: options.check, mode: reader.mode() };
        let mut preparer = Preparer::new(rules);
        while is_open {
            let mut candidates = Vec::with_capacity(BATCH_PRODUCTS);
            let read = read_batch(&mut reader, &mut preparer, &mut candidates);
            let is_last = candidates.is_empty();
            let bytes_read = bytes_before + reader.bytes_read();
            is_open = is_last || sender.blocking_send(Step::Batch { candidates, bytes_read }).is_ok();
            // Records read before an error are imported.
            read?;
            if is_last {
                let (own, foreign) = (preparer.report(), reader.report());
                let is_of_noren = foreign.is_none();
                let end = Step::End { report: foreign.or(own), is_of_noren, notes: reader.notes() };
                is_open = sender.blocking_send(end).is_ok();
                break;
            }
        }
        if !is_open {
            return Ok(());
        }
        bytes_before += reader.bytes_read();
    }
    Ok(())
}

fn read_batch(
    reader: &mut FeedReader,
    preparer: &mut Preparer,
    batch: &mut Vec<Candidate>,
) -> Result<(), Failure> {
    let mut bytes = 0;
    while batch.len() < BATCH_PRODUCTS && bytes < BATCH_BYTES {
        let Some(mut record) = reader.next_record()? else { break };
        unwrap_reject(&mut record);
        let candidate = Candidate::of(record, reader.mode(), preparer);
        bytes += candidate.json().len();
        batch.push(candidate);
    }
    Ok(())
}

/// Writes a batch. Products with faults are skipped.
async fn put(mut step: Step, sink: Option<Arc<dyn Sink>>) -> Result<Step, Failure> {
    if let (Step::Batch { candidates, .. }, Some(sink)) = (&mut step, sink) {
        let mut valid: Vec<&mut Candidate> =
            candidates.iter_mut().filter(|candidate| candidate.faults.is_empty()).collect();
        if !valid.is_empty() {
            let outcomes = sink.put(&mut valid).await?;
            for (candidate, outcome) in valid.into_iter().zip(outcomes) {
                match outcome {
                    Ok(outcome) => candidate.outcome = Some(outcome),
                    Err(faults) => candidate.faults = faults,
                }
            }
        }
    }
    Ok(step)
}
