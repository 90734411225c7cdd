//! Warnings about rows that were imported, counted so that a large file gives few of them.

use std::collections::BTreeMap;

/// Number of different warnings that are kept.
const MAX_NOTES: usize = 50;

/// Warnings about rows, with the number of rows and the first line of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(BTreeMap<String, (u64, u64)>);

impl Notes {
    /// Counts a warning about a row.
    pub(crate) fn add(&mut self, message: &str, line: u64) {
        if let Some((rows, _)) = self.0.get_mut(message) {
            *rows += 1;
        } else if self.0.len() < MAX_NOTES {
            self.0.insert(message.to_owned(), (1, line));
        }
    }

    /// Returns one text per warning.
    pub(crate) fn texts(&self) -> Vec<String> {
        let text = |(message, (rows, line)): (&String, &(u64, u64))| match rows {
            1 => format!("line {line}: {message}"),
            _ => format!("{rows} rows, the first in line {line}: {message}"),
        };
        self.0.iter().map(text).collect()
    }
}
