//! `noren import`: products from files into a catalogue.
//!
//! A thread reads, maps and checks; batches go through a bounded channel to the sink, a few at the same time; their
//! answers are counted, and faults told, in the order of the files.

mod csv_rows;
mod identity;
mod mapping;
mod rejects;
mod sink;
mod source;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::input::{InputError, ProductInput, read_product};
use domain::ports::WriteOutcome;
use domain::{Currency, Fault, FaultKind};
use futures::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::{mpsc, oneshot};

use self::source::{Line, Original, Source};
pub use sink::Sink;

use self::identity::SeenIds;
use self::mapping::{map_line, unwrapped_reject};
use self::rejects::{Rejects, RejectsNames, describe};
use crate::cli::Format;
use crate::failure::{Context as _, Failure};

/// The most products in a batch.
pub const BATCH_PRODUCTS: usize = 500;
/// The bytes after which a batch goes out, also when it has fewer products.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Batches that the sink works on at the same time.
const BATCHES_IN_FLIGHT: usize = 4;
/// Batches that wait for the sink.
const BATCHES_WAITING: usize = 2;
/// Faults that are told; the rest is counted.
const FAULTS_TOLD: u64 = 20;

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The files; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// How they are written, where that is given.
    pub format: Option<Format>,
    /// The currency to write into products with a price and without a currency.
    pub currency: Option<Currency>,
    /// Where products are checked before they are written; a price without a currency is in this one. None leaves
    /// the check to the sink.
    pub check: Option<Currency>,
    /// The rejects file, where it is given.
    pub rejects: Option<PathBuf>,
    /// The folder for rejects files.
    pub rejects_folder: PathBuf,
    /// Whether to show no progress and to tell no faults on standard error.
    pub is_quiet: bool,
}

/// A product on its way.
#[derive(Debug)]
pub struct Candidate {
    line: Line,
    mapped: Option<Vec<u8>>,
    input: Option<ProductInput>,
    outcome: Option<WriteOutcome>,
    faults: Vec<Fault>,
}

impl Candidate {
    /// The product as JSON, with an id.
    pub fn json(&self) -> &[u8] {
        match &self.mapped {
            Some(json) => json,
            None => self.line.json().unwrap_or_default(),
        }
    }

    /// The product as it was checked, see [`Options::check`]. There is one only once.
    pub fn take_input(&mut self) -> Option<ProductInput> {
        self.input.take()
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Products that are new.
    pub created: u64,
    /// Products that have a new version.
    pub updated: u64,
    /// Products that were so already.
    pub unchanged: u64,
    /// Products that only were checked.
    pub checked: u64,
    /// Products that were not taken.
    pub rejected: u64,
    /// Where those are.
    pub rejects: Vec<PathBuf>,
    /// Whether nothing was to be written.
    pub is_dry_run: bool,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary {
    /// Products that were taken.
    pub fn taken(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.checked
    }

    /// Products taken a second.
    pub fn rate(&self) -> f64 {
        self.taken() as f64 / self.elapsed.as_secs_f64().max(1e-6)
    }

    fn count(&mut self, outcome: WriteOutcome) {
        match outcome {
            WriteOutcome::Created => self.created += 1,
            WriteOutcome::Unchanged => self.unchanged += 1,
            WriteOutcome::Updated | WriteOutcome::Deleted => self.updated += 1,
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_dry_run {
            write!(f, "nothing was written: {} would be taken, {} rejected", self.checked, self.rejected)?;
        } else {
            let Self { created, updated, unchanged, rejected, .. } = self;
            write!(f, "{created} created, {updated} updated, {unchanged} unchanged, {rejected} rejected")?;
        }
        write!(f, " in {:.1} s, {:.0} products/s", self.elapsed.as_secs_f64(), self.rate())
    }
}

/// Imports everything into `sink`; without a sink, everything is only checked.
///
/// # Errors
/// When a file cannot be read or the catalogue not be written. What was written until then stays; importing again
/// changes nothing of it.
pub async fn import(options: Options, sink: Option<Arc<dyn Sink>>) -> Result<Summary, Failure> {
    let started = Instant::now();
    if options.rejects.is_some() && options.files.len() > 1 {
        return Err(Failure::usage("--rejects is for a single FILE; without it, each file gets its own"));
    }
    let mut teller = Teller::new(&options);
    teller.summary.is_dry_run = sink.is_none();
    let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
    let (read, reading) = oneshot::channel();
    // A thread of its own: one that waits for standard input must not keep the process from ending.
    std::thread::spawn(move || {
        let _ = read.send(read_all(&options, &sender));
    });
    let steps = futures::stream::unfold(receiver, async |mut receiver: mpsc::Receiver<Step>| {
        receiver.recv().await.map(|step| (step, receiver))
    });
    let mut steps = steps.map(|step| put(step, sink.clone())).buffered(BATCHES_IN_FLIGHT).boxed();
    let mut result = Ok(());
    while let Some(step) = steps.next().await {
        result = step.and_then(|step| teller.take(step));
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = reading.await.context(|| "reading the files".to_owned())?;
    }
    let mut summary = teller.finish()?;
    summary.elapsed = started.elapsed();
    match result {
        Ok(()) => Ok(summary),
        Err(failure) if summary.taken() + summary.rejected == 0 => Err(failure),
        Err(failure) => Err(failure.with_note(format!("until then: {summary}"))),
    }
}

/// What goes from the reader to the sink and on to the teller.
enum Step {
    /// A file begins.
    File { name: String, stem: String, format: Format, header: Option<csv::ByteRecord> },
    /// Products of that file, and the bytes that were read of all files.
    Batch { candidates: Vec<Candidate>, bytes_read: u64 },
}

/// Reads all files and sends their products in batches. Ends early when nobody receives them.
fn read_all(options: &Options, sender: &mpsc::Sender<Step>) -> Result<(), Failure> {
    let mut bytes_before = 0;
    for path in &options.files {
        let mut source = Source::open(path, options.format)?;
        let file = Step::File {
            name: source.name.clone(),
            stem: source.stem.clone(),
            format: source.format(),
            header: source.header().cloned(),
        };
        let mut is_heard = sender.blocking_send(file).is_ok();
        let mut seen = SeenIds::default();
        while is_heard {
            let mut candidates = Vec::with_capacity(BATCH_PRODUCTS);
            let read = read_batch(&mut source, options, &mut seen, &mut candidates);
            let is_last = candidates.is_empty();
            let bytes_read = bytes_before + source.bytes_read();
            is_heard = is_last || sender.blocking_send(Step::Batch { candidates, bytes_read }).is_ok();
            // What was read before a file broke off is imported.
            read?;
            if is_last {
                break;
            }
        }
        if !is_heard {
            return Ok(());
        }
        bytes_before += source.bytes_read();
    }
    Ok(())
}

fn read_batch(
    source: &mut Source,
    options: &Options,
    seen: &mut SeenIds,
    batch: &mut Vec<Candidate>,
) -> Result<(), Failure> {
    let mut bytes = 0;
    while batch.len() < BATCH_PRODUCTS && bytes < BATCH_BYTES {
        let Some(mut line) = source.next_line()? else { break };
        unwrap_reject(&mut line);
        let candidate = candidate(line, options, seen);
        bytes += candidate.json().len();
        batch.push(candidate);
    }
    Ok(())
}

/// Takes the product out of a line of a rejects file.
fn unwrap_reject(line: &mut Line) {
    if let (Original::Text(text), Ok(None)) = (&line.original, &line.json)
        && let Some(input) = unwrapped_reject(text)
    {
        line.original = Original::Text(input.into_owned());
    }
}

/// Maps and checks one product.
fn candidate(line: Line, options: &Options, seen: &mut SeenIds) -> Candidate {
    let mut candidate = Candidate { line, mapped: None, input: None, outcome: None, faults: Vec::new() };
    if let Err(faults) = prepare(&mut candidate, options, seen) {
        candidate.faults = faults;
        candidate.input = None;
    }
    candidate
}

fn prepare(candidate: &mut Candidate, options: &Options, seen: &mut SeenIds) -> Result<(), Vec<Fault>> {
    let json = candidate.line.json().map_err(|fault| vec![fault.clone()])?;
    let mapped = map_line(json, options.currency)?;
    candidate.mapped = mapped.rewritten;
    if let Some(currency) = options.check {
        let input = read_product(candidate.json(), currency).map_err(|error| match error {
            InputError::Faults(faults) => faults.0,
            InputError::Syntax(message) => vec![Fault::new("", FaultKind::Malformed, message)],
        })?;
        candidate.input = Some(input);
    }
    match seen.earlier_line(&mapped.id, candidate.json(), candidate.line.number) {
        None => Ok(()),
        Some(line) => Err(vec![same_id(line, mapped.is_id_made)]),
    }
}

fn same_id(line: u64, is_made: bool) -> Fault {
    let message = match is_made {
        false => format!("is that of another product in line {line}; give each its own, or remove one"),
        true => format!(
            "is missing, and the one made of the product's code or name is that of another product in line {line}; \
             give each its own id"
        ),
    };
    Fault::new("id", FaultKind::Taken, message)
}

/// Writes a batch. Products with faults stay behind.
async fn put(mut step: Step, sink: Option<Arc<dyn Sink>>) -> Result<Step, Failure> {
    if let (Step::Batch { candidates, .. }, Some(sink)) = (&mut step, sink) {
        let mut good: Vec<&mut Candidate> =
            candidates.iter_mut().filter(|candidate| candidate.faults.is_empty()).collect();
        if !good.is_empty() {
            let outcomes = sink.put(&mut good).await?;
            for (candidate, outcome) in good.into_iter().zip(outcomes) {
                match outcome {
                    Ok(outcome) => candidate.outcome = Some(outcome),
                    Err(faults) => candidate.faults = faults,
                }
            }
        }
    }
    Ok(step)
}

/// Counts and tells what came of the products.
struct Teller {
    names: RejectsNames,
    rejects: Option<Rejects>,
    file: String,
    summary: Summary,
    progress: ProgressBar,
    is_quiet: bool,
}

impl Teller {
    fn new(options: &Options) -> Self {
        Self {
            names: RejectsNames::new(options.rejects_folder.clone(), options.rejects.clone()),
            rejects: None,
            file: String::new(),
            summary: Summary::default(),
            progress: progress_bar(options),
            is_quiet: options.is_quiet,
        }
    }

    fn take(&mut self, step: Step) -> Result<(), Failure> {
        match step {
            Step::File { name, stem, format, header } => {
                self.finish_rejects()?;
                let path = self.names.next(&stem, format);
                self.rejects = Some(Rejects::new(&name, path, header.as_ref()));
                self.file = name;
            }
            Step::Batch { candidates, bytes_read } => {
                for candidate in &candidates {
                    self.take_candidate(candidate)?;
                }
                self.progress.set_position(bytes_read);
                let products = self.summary.taken() + self.summary.rejected;
                let rate = products as f64 / self.progress.elapsed().as_secs_f64().max(1e-3);
                self.progress.set_message(format!("{products} products, {rate:.0}/s"));
            }
        }
        Ok(())
    }

    fn take_candidate(&mut self, candidate: &Candidate) -> Result<(), Failure> {
        match candidate.outcome {
            Some(outcome) => self.summary.count(outcome),
            None if candidate.faults.is_empty() => self.summary.checked += 1,
            None => {
                self.summary.rejected += 1;
                self.tell(candidate);
                if let Some(rejects) = &mut self.rejects {
                    rejects.write(candidate.line.number, &candidate.line.original, &candidate.faults)?;
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, candidate: &Candidate) {
        if self.is_quiet || self.summary.rejected > FAULTS_TOLD {
            return;
        }
        let faults: Vec<String> = candidate.faults.iter().map(describe).collect();
        let (file, line) = (&self.file, candidate.line.number);
        self.progress.suspend(|| {
            for fault in faults {
                eprintln!("{file}:{line}: {fault}");
            }
        });
    }

    fn finish_rejects(&mut self) -> Result<(), Failure> {
        if let Some(rejects) = self.rejects.take() {
            self.summary.rejects.extend(rejects.finish()?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Summary, Failure> {
        self.finish_rejects()?;
        self.progress.finish_and_clear();
        let untold = self.summary.rejected.saturating_sub(FAULTS_TOLD);
        if untold > 0 && !self.is_quiet {
            eprintln!("and {untold} more products with faults");
        }
        Ok(self.summary)
    }
}

/// A bar over the bytes of all files, which is as good as their products and known in advance. It shows nothing
/// when standard error is no terminal.
fn progress_bar(options: &Options) -> ProgressBar {
    if options.is_quiet {
        return ProgressBar::hidden();
    }
    let size = |path: &PathBuf| std::fs::metadata(path).ok().filter(|it| it.is_file()).map(|it| it.len());
    let sizes: Option<Vec<u64>> = options.files.iter().map(size).collect();
    let (bar, template) = match sizes {
        Some(sizes) => {
            (ProgressBar::new(sizes.iter().sum()), "{wide_bar} {percent}%  {msg}, {elapsed} gone, {eta} left")
        }
        None => (ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed} gone"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests;
