//! `noren verify` and `noren reindex`: asks a service, or the same routes in this process, and shows what is told.

use std::io::Write as _;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde::Deserialize;

use crate::cli::{ReindexArgs, VerifyArgs};
use crate::client::Events;
use crate::failure::{Context as _, Failure};
use crate::operator::{OperatorPlace, Place, Purpose};

/// What is told of a comparison or of a rebuild.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
enum Event {
    Progress { done: u64, total: u64 },
    Drift(Drift),
    Summary(Summary),
    Resumed,
    Filling { done: u64, total: Option<u64> },
    Verifying { done: u64, total: u64 },
    Refused(Drift),
    Switched {},
    Done { indexes: Indexes },
    Failed { detail: String },
}

#[derive(Debug, Deserialize)]
struct Drift {
    id: String,
    kind: String,
    stored: Option<u64>,
    indexed: Option<u64>,
    repair: RepairStatus,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RepairStatus {
    None,
    Done,
    Overtaken,
    Refused(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    is_converged: bool,
    compared: u64,
    missing: u64,
    stale: u64,
    orphaned: u64,
    newer: u64,
    differing: u64,
    repaired: u64,
}

#[derive(Debug, Deserialize)]
struct Indexes {
    live: Option<Built>,
    previous: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Built {
    name: String,
    documents: u64,
}

/// Compares, and shows each product that differs on standard output.
///
/// # Errors
/// When the place cannot be reached, or the comparison fails.
pub async fn verify(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let api = api(&args.place, Purpose::Compare).await?;
    let mut parameters = vec![
        ("repair".to_owned(), args.repair.to_string()),
        ("patience".to_owned(), args.patience.to_string()),
    ];
    parameters.extend(args.sample.map(|sample| ("oneIn".to_owned(), sample.to_string())));
    let progress = bar();
    let mut summary = None;
    let mut show = |line: &[u8]| {
        if args.json {
            print(&progress, &String::from_utf8_lossy(line))?;
        }
        match event(line)? {
            Event::Progress { done, total } => shown(&progress, "comparing", done, Some(total)),
            Event::Drift(drift) if !args.json => print(&progress, &drift.line())?,
            Event::Summary(told) => summary = Some(told),
            Event::Failed { detail } => return Err(Failure::new(detail)),
            _ => {}
        }
        Ok(())
    };
    api.events(Method::POST, "/admin/verify", &parameters, &mut show).await?;
    progress.finish_and_clear();
    let summary = summary.ok_or_else(|| Failure::new("the comparison broke off before its end"))?;
    eprintln!("{}", summary.line());
    Ok(if summary.is_converged { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Rebuilds, goes back, or gives up what was begun.
///
/// # Errors
/// When the place cannot be reached, or what was asked for fails.
pub async fn reindex(args: &ReindexArgs) -> Result<(), Failure> {
    let api = api(&args.place, Purpose::Rebuild).await?;
    let (method, path) = match (args.rollback, args.discard) {
        (true, _) => (Method::POST, "/admin/reindex/rollback"),
        (_, true) => (Method::DELETE, "/admin/reindex"),
        _ => (Method::POST, "/admin/reindex"),
    };
    if args.discard {
        api.events(method, path, &[], &mut |_| Ok(())).await?;
        eprintln!("there is no index in the making any more");
        return Ok(());
    }
    let progress = bar();
    let mut done = None;
    let mut show = |line: &[u8]| {
        match event(line)? {
            Event::Resumed => progress.suspend(|| eprintln!("going on with the index that was begun before")),
            Event::Filling { done, total } => shown(&progress, "filling the new index", done, total),
            Event::Verifying { done, total } => {
                shown(&progress, "comparing with the store", done, Some(total))
            }
            Event::Refused(drift) => progress.suspend(|| eprintln!("left out: {}", drift.line())),
            Event::Done { indexes } => done = Some(indexes),
            Event::Failed { detail } => return Err(Failure::new(detail)),
            Event::Progress { .. } | Event::Drift(_) | Event::Summary(_) | Event::Switched {} => {}
        }
        Ok(())
    };
    api.events(method, path, &[], &mut show).await?;
    progress.finish_and_clear();
    let Some(Indexes { live: Some(live), previous }) = done else {
        return Err(Failure::new("the rebuild broke off before its end; call it again to go on"));
    };
    let Built { name, documents } = live;
    eprintln!("searches use the index {name} now, with {documents} products and tombstones");
    if let Some(previous) = previous {
        eprintln!("the one before, {previous}, is kept; `noren reindex --rollback` goes back to it");
    }
    Ok(())
}

async fn api(place: &OperatorPlace, purpose: Purpose) -> Result<Box<dyn Events>, Failure> {
    Ok(match place.open().await? {
        Place::Service(service) => Box::new(service),
        Place::Local(parts) => Box::new(parts.index_routes(purpose).await?),
    })
}

fn event(line: &[u8]) -> Result<Event, Failure> {
    serde_json::from_slice(line)
        .context(|| "reading what is told; is this address a noren service".to_owned())
}

/// A line on standard output, beside the bar.
fn print(progress: &ProgressBar, line: &str) -> Result<(), Failure> {
    let written = progress.suspend(|| writeln!(std::io::stdout(), "{line}"));
    written.context(|| "writing to standard output".to_owned())
}

impl Drift {
    fn line(&self) -> String {
        let version =
            |version: Option<u64>| version.map_or_else(|| "-".to_owned(), |version| version.to_string());
        let (kind, id) = (&self.kind, &self.id);
        let repair = match &self.repair {
            RepairStatus::None => String::new(),
            RepairStatus::Done => ", repaired".to_owned(),
            RepairStatus::Overtaken => ", being written by others".to_owned(),
            RepairStatus::Refused(reason) => format!(", cannot be indexed: {reason}"),
        };
        format!("{kind:9}  {id}  store {}, index {}{repair}", version(self.stored), version(self.indexed))
    }
}

impl Summary {
    fn line(&self) -> String {
        let Self { compared, repaired, .. } = self;
        let kinds = [
            (self.missing, "missing"),
            (self.stale, "stale"),
            (self.orphaned, "orphaned"),
            (self.newer, "newer"),
            (self.differing, "differing"),
        ];
        let found: u64 = kinds.iter().map(|(count, _)| count).sum();
        if found == 0 {
            return format!("{compared} products and tombstones compared: the index equals the store");
        }
        let kinds = kinds.iter().filter(|(count, _)| *count > 0);
        let kinds = kinds.map(|(count, kind)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ");
        format!("{compared} products and tombstones compared, {found} differ: {kinds}; {repaired} repaired")
    }
}

/// Shows nothing where standard error is no terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template(
        "{wide_bar} {percent}%  {msg}: {human_pos}, {elapsed} gone, {eta} left",
    ) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn shown(progress: &ProgressBar, what: &'static str, done: u64, total: Option<u64>) {
    progress.set_message(what);
    progress.set_length(total.unwrap_or(done));
    progress.set_position(done);
}
