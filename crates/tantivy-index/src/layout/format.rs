//! The format of an index.

use std::fmt;

use crate::layout::schema::FORMAT;

/// The format of an index: that of its schema, then the version of the analysis of its texts. Formats are ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Format {
    pub(crate) schema: u32,
    /// 0 if the index does not record it.
    pub(crate) analysis: u32,
}

impl Format {
    /// The format of the indexes that this version creates.
    pub(crate) const CURRENT: Self = Self { schema: FORMAT, analysis: text::ANALYSIS };
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.analysis {
            0 => write!(f, "{}", self.schema),
            analysis => write!(f, "{}.{analysis}", self.schema),
        }
    }
}
