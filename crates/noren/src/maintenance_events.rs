//! The events of `noren verify` and `noren reindex`: a line of JSON each.

use indicatif::ProgressBar;
use serde::Deserialize;

use crate::client::read_json;
use crate::failure::Failure;
use crate::terminal::styled;

/// An event of a comparison or a rebuild.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub(crate) enum Event {
    Progress { done: u64, total: u64 },
    Drift(Drift),
    Summary(Summary),
    Resumed,
    Filling { done: u64, total: Option<u64> },
    Verifying { done: u64, total: u64 },
    Refused(Drift),
    Switched {},
    Done { indexes: Generations },
    Failed { detail: String },
}

/// A product whose index entry differs from the store.
#[derive(Debug, Deserialize)]
pub(crate) struct Drift {
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

/// The result of a comparison.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) is_converged: bool,
    compared: u64,
    missing: u64,
    stale: u64,
    ghost: u64,
    ahead: u64,
    differing: u64,
    repaired: u64,
}

/// The generations of the index after a rebuild.
#[derive(Debug, Deserialize)]
pub(crate) struct Generations {
    pub(crate) live: Option<Generation>,
    pub(crate) previous: Option<String>,
}

/// A generation of the index.
#[derive(Debug, Deserialize)]
pub(crate) struct Generation {
    pub(crate) name: String,
    pub(crate) documents: u64,
}

impl Drift {
    /// Formats the product with its versions and what the repair did.
    pub(crate) fn line(&self) -> String {
        let version =
            |version: Option<u64>| version.map_or_else(|| "-".to_owned(), |version| version.to_string());
        let (kind, id) = (&self.kind, &self.id);
        let repair = match &self.repair {
            RepairStatus::None => String::new(),
            RepairStatus::Done => ", mended".to_owned(),
            RepairStatus::Overtaken => ", being written by another process".to_owned(),
            RepairStatus::Refused(reason) => format!(", cannot be indexed: {reason}"),
        };
        format!("{kind:9}  {id}  store {}, index {}{repair}", version(self.stored), version(self.indexed))
    }
}

impl Summary {
    /// Formats the counts.
    pub(crate) fn line(&self) -> String {
        let Self { compared, repaired, .. } = self;
        let kinds = [
            (self.missing, "missing"),
            (self.stale, "stale"),
            (self.ghost, "ghost"),
            (self.ahead, "ahead"),
            (self.differing, "differing"),
        ];
        let found: u64 = kinds.iter().map(|(count, _)| count).sum();
        if found == 0 {
            return format!("{compared} products and tombstones compared: the index equals the store");
        }
        let kinds = kinds.iter().filter(|(count, _)| *count > 0);
        let kinds = kinds.map(|(count, kind)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ");
        format!("{compared} products and tombstones compared, {found} differ: {kinds}; {repaired} mended")
    }
}

/// Reads an event.
///
/// # Errors
/// If the line is not an event.
pub(crate) fn read_event(line: &[u8]) -> Result<Event, Failure> {
    read_json(line, "an event")
}

/// Creates a progress bar.
pub(crate) fn progress_bar() -> ProgressBar {
    let template = "{wide_bar} {percent}%  {msg}: {human_pos}, {elapsed} elapsed, {eta} left";
    styled(ProgressBar::new_spinner(), template)
}

/// Updates a progress bar. Without a total, the bar is full.
pub(crate) fn show_progress(bar: &ProgressBar, message: &'static str, done: u64, total: Option<u64>) {
    bar.set_message(message);
    bar.set_length(total.unwrap_or(done));
    bar.set_position(done);
}
