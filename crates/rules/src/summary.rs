//! The summary of a rules file in one line.

use std::fmt;

/// The number of rules of each kind, and of those that are inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Groups of synonyms and one-way synonyms.
    pub synonyms: usize,
    /// Stop words.
    pub stop_words: usize,
    /// Rules that pin products.
    pub pins: usize,
    /// Rules that hide products.
    pub hides: usize,
    /// Rules that move products up.
    pub boosts: usize,
    /// Rules that move products down.
    pub buries: usize,
    /// True if a part of products has a weight other than 1.
    pub has_weights: bool,
    /// Rules whose period has not begun.
    pub upcoming: usize,
    /// Rules whose period has ended.
    pub expired: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.synonyms, "synonym", "synonyms"),
            (self.stop_words, "stop word", "stop words"),
            (self.pins, "pin", "pins"),
            (self.hides, "hide", "hides"),
            (self.boosts, "boost", "boosts"),
            (self.buries, "bury", "buries"),
        ];
        for (count, one, many) in counts {
            write!(f, "{count} {}, ", if count == 1 { one } else { many })?;
        }
        f.write_str(if self.has_weights { "weights" } else { "no weights" })?;
        match (self.upcoming, self.expired) {
            (0, 0) => Ok(()),
            (upcoming, expired) => {
                write!(f, "; inactive now: {upcoming} upcoming, {expired} expired")
            }
        }
    }
}
