//! The rules of a shop: a TOML file that says what its searches mean, read with every fault at once, and asked for the
//! part of them that applies to one search.
//!
//! No clock and no watching of files: whoever searches says what time it is, and reads the file again when it changed.

#![warn(missing_docs)]

mod fault;
mod file;
mod filters;
mod phrases;
mod reader;
mod rules;
mod summary;
mod window;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use domain::{Currency, Language};

pub use fault::{Fault, Faults};
pub use rules::Rules;
pub use summary::Summary;
pub use text::field_weights::FieldWeights;

/// What the prices and the words of a file are in, as those of the catalogue are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locale {
    /// The currency of prices that name none.
    pub currency: Currency,
    /// Whose forms of a word are one.
    pub language: Language,
}

impl Default for Locale {
    fn default() -> Self {
        Self { currency: Currency::USD, language: Language::default() }
    }
}

/// The most bytes of a rules file.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Reads the bytes of a rules file, no more of them than are needed to see that they are too many.
///
/// # Errors
/// When the file cannot be read.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
