//! What is wrong with a rules file, and where.

use std::fmt;
use std::ops::Range;

/// The most faults of a file that are told; whoever corrects so many sees the rest next time.
const MAX_TOLD: usize = 100;
/// The most faults that are kept until the first ones are known.
const MAX_KEPT: usize = 1000;
/// How much of a text of the file stands in a message.
const MAX_SHOWN_CHARS: usize = 60;

/// One fault of a rules file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its line, from 1.
    pub line: usize,
    /// The character of the line at which it begins, from 1.
    pub column: usize,
    /// What is wrong and what to do, for a person.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// All the faults of a rules file in the order of their places, at least one and at most 100.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
pub struct Faults(pub Vec<Fault>);

/// Gathers faults by their places, in bytes.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<(usize, String)>);

impl Found {
    pub(crate) fn add(&mut self, at: &Range<usize>, message: impl Into<String>) {
        if self.0.len() < MAX_KEPT {
            self.0.push((at.start, message.into()));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The faults with their lines in the text.
    pub(crate) fn in_text(mut self, text: &str) -> Faults {
        self.0.sort();
        self.0.dedup();
        self.0.truncate(MAX_TOLD);
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

/// The beginning of a text of the file, to name it in a message.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(MAX_SHOWN_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "ab\r\né fault\n\n";
        let mut found = Found::default();
        for at in [text.len(), 7, 0, 7] {
            found.add(&(at..at), "x");
        }
        let Faults(faults) = found.in_text(text);
        let places: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column)).collect();
        assert_eq!(places, [(1, 1), (2, 3), (4, 1)]);
    }

    #[test]
    fn what_is_shown_is_short_and_harmless() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(shown(&"x".repeat(99)).chars().count(), MAX_SHOWN_CHARS + 1);
    }
}
