//! The faults of a rules file, with their lines and columns.

use std::fmt;
use std::ops::Range;

/// The most faults that are reported. After correcting these, the next check reports the rest.
const MAX_REPORTED: usize = 100;
/// The most faults that are collected before they are sorted.
const MAX_KEPT: usize = 1000;

/// One fault of a rules file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The problem and the remedy, for a person.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// The faults of a rules file in order of position: at least one and at most 100.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
pub struct Faults(pub Vec<Fault>);

/// Collects faults by their positions in bytes.
#[derive(Debug, Default)]
pub(crate) struct FaultLog(Vec<(usize, String)>);

impl FaultLog {
    pub(crate) fn add(&mut self, at: &Range<usize>, message: impl Into<String>) {
        if self.0.len() < MAX_KEPT {
            self.0.push((at.start, message.into()));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the faults with their lines and columns in the text.
    pub(crate) fn into_faults(mut self, text: &str) -> Faults {
        self.0.sort();
        self.0.dedup();
        self.0.truncate(MAX_REPORTED);
        let (mut line, mut start) = (1, 0);
        let placed = self.0.into_iter().map(|(at, message)| {
            let at = text.floor_char_boundary(at);
            while let Some(end) = text[start..at].find('\n') {
                line += 1;
                start += end + 1;
            }
            Fault { line, column: text[start..at].chars().count() + 1, message }
        });
        Faults(placed.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "ab\r\né fault\n\n";
        let mut log = FaultLog::default();
        for at in [text.len(), 7, 0, 7] {
            log.add(&(at..at), "x");
        }
        let Faults(faults) = log.into_faults(text);
        let places: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column)).collect();
        assert_eq!(places, [(1, 1), (2, 3), (4, 1)]);
    }
}
