//! Formats the events of a service for `noren verify` and `noren reindex`.

use api::wire::verify::{Drift, RepairStatus, Summary};
use domain::Version;
use indicatif::ProgressBar;

use crate::terminal::styled;

/// Formats a product that differs, with its versions and the result of its repair.
pub(crate) fn drift_line(drift: &Drift) -> String {
    let version =
        |version: Option<Version>| version.map_or_else(|| "-".to_owned(), |version| version.to_string());
    let (kind, id) = (drift.kind.as_str(), &drift.id);
    let repair = match &drift.repair {
        RepairStatus::None => String::new(),
        RepairStatus::Done => ", repaired".to_owned(),
        RepairStatus::Overtaken => ", being written by another process".to_owned(),
        RepairStatus::Refused(reason) => format!(", cannot be indexed: {reason}"),
    };
    format!("{kind:9}  {id}  store {}, index {}{repair}", version(drift.stored), version(drift.indexed))
}

/// Formats the result of a comparison.
pub(crate) fn summary_line(Summary { counts, .. }: &Summary) -> String {
    let (compared, repaired) = (counts.compared, counts.repaired);
    if counts.differences() == 0 {
        return format!("{compared} products and tombstones compared: the index equals the store");
    }
    let kinds = counts.by_kind().into_iter().filter(|(_, count)| *count > 0);
    let kinds =
        kinds.map(|(kind, count)| format!("{count} {}", kind.as_str())).collect::<Vec<_>>().join(", ");
    let drifts = counts.differences();
    format!("{compared} products and tombstones compared, {drifts} differ: {kinds}; {repaired} repaired")
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
