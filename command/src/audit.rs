//! Audit entries of commands.

use domain::ProductId;
use domain::ports::{WriteOutcome, WriteResponse};
use runtime::audit::{Entry, Trail, is_on};
use runtime::off_thread;

use crate::batch::ExecutedLine;
use crate::error::CommandError;

/// The approximate size of an entry in bytes. It decides whether the entries of a request are written on another thread.
const BYTES_OF_ENTRY: usize = 300;

/// Describes the result of a command for the audit log. `id` is the product that the request names.
pub(crate) fn entry_of(id: Option<&ProductId>, result: &Result<WriteResponse, CommandError>) -> Entry {
    let id = || id.map(ToString::to_string);
    match result {
        Ok(response) => entry_of_write(response),
        Err(CommandError::Exists { version, .. }) => {
            Entry { id: id(), version_before: Some(version.0), ..Entry::default() }
        }
        Err(CommandError::Stale { current, .. }) => {
            Entry { id: id(), version_before: current.map(|version| version.0), ..Entry::default() }
        }
        Err(_) => Entry { id: id(), ..Entry::default() },
    }
}

fn entry_of_write(response: &WriteResponse) -> Entry {
    let version = response.version.0;
    let (version_before, outcome) = match response.outcome {
        WriteOutcome::Created => (None, "created"),
        // A write replaces the version just before its own.
        WriteOutcome::Updated => (version.checked_sub(1), "updated"),
        WriteOutcome::Deleted => (version.checked_sub(1), "deleted"),
        WriteOutcome::Unchanged => (Some(version), "unchanged"),
    };
    let id = Some(response.id.to_string());
    Entry { id, version_before, version_after: Some(version), outcome: Some(outcome), ..Entry::default() }
}

/// Writes an entry for each line of a bulk request.
pub(crate) async fn write_lines(trail: &Trail, lines: &[ExecutedLine]) {
    if !is_on() {
        return;
    }
    let entries: Vec<Entry> = lines.iter().map(entry_of_line).collect();
    let trail = trail.clone();
    let write = move || entries.iter().for_each(|entry| trail.write(entry));
    off_thread(lines.len() * BYTES_OF_ENTRY, write).await;
}

fn entry_of_line(line: &ExecutedLine) -> Entry {
    let entry = entry_of(line.id.as_ref(), &line.result);
    let by_result = match &line.result {
        Ok(_) => "done",
        Err(CommandError::Port(_)) => "failed",
        Err(_) => "refused",
    };
    Entry { line: Some(line.line), outcome: entry.outcome.or(Some(by_result)), ..entry }
}
