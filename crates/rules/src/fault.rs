//! The faults of a rules file, with their lines and columns.

use std::fmt;
use std::ops::Range;

/// The most faults that are listed. After correcting these, the next check lists the rest.
const MAX_LISTED: usize = 50;
/// The most faults that are collected before they are sorted; further ones are only counted.
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

/// The faults of a rules file in order of position: at least one and at most 50. If there are more, the last one says how
/// many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
pub struct Faults(pub Vec<Fault>);

/// Collects faults by their positions in bytes.
#[derive(Debug, Default)]
pub(crate) struct FaultLog {
    kept: Vec<(usize, String)>,
    omitted: usize,
}

impl FaultLog {
    pub(crate) fn add(&mut self, at: &Range<usize>, message: impl Into<String>) {
        match self.kept.len() < MAX_KEPT {
            true => self.kept.push((at.start, message.into())),
            false => self.omitted += 1,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Returns the faults with their lines and columns in the text.
    pub(crate) fn into_faults(mut self, text: &str) -> Faults {
        self.kept.sort();
        self.kept.dedup();
        let more = self.kept.len().saturating_sub(MAX_LISTED) + self.omitted;
        self.kept.truncate(MAX_LISTED);
        if more > 0
            && let Some((_, message)) = self.kept.last_mut()
        {
            message.push_str(&format!(" (and {more} more faults after this one)"));
        }
        let (mut line, mut start) = (1, 0);
        let placed = self.kept.into_iter().map(|(at, message)| {
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

    #[test]
    fn faults_beyond_the_limit_are_counted() {
        let mut log = FaultLog::default();
        for at in 0..5000 {
            log.add(&(at..at), "x");
        }
        let Faults(faults) = log.into_faults(&"a".repeat(5000));
        assert_eq!((faults.len(), &*faults[49].message), (50, "x (and 4950 more faults after this one)"));
    }
}
