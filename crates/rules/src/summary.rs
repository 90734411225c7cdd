//! What is in a rules file, in a line.

use std::fmt;

/// How many rules of each kind there are, and how many of them do not hold at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Groups of synonyms, and texts that find others in one way.
    pub synonyms: usize,
    /// Stop words.
    pub stop_words: usize,
    /// Rules that put products first.
    pub pins: usize,
    /// Rules that take products away.
    pub hides: usize,
    /// Rules that move products up.
    pub boosts: usize,
    /// Rules that move products down.
    pub buries: usize,
    /// Whether a part of products has another weight.
    pub has_weights: bool,
    /// Rules whose time has not come.
    pub ahead: usize,
    /// Rules whose time is over.
    pub over: usize,
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
        match (self.ahead, self.over) {
            (0, 0) => Ok(()),
            (ahead, over) => {
                write!(f, "; not in force now: {ahead} whose time has not come, {over} whose time is over")
            }
        }
    }
}
