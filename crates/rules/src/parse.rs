//! Reads a rules file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::fault::{FaultLog, Faults};
use crate::file;
use crate::locale::Locale;
use crate::rules::Rules;

/// The most bytes of a rules file.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Reads the bytes of a rules file, up to one byte more than [`MAX_FILE_BYTES`].
///
/// # Errors
/// Fails if the file cannot be read.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Rules {
    /// Parses the bytes of a rules file.
    ///
    /// # Errors
    /// Returns all faults at once; if the file is not TOML, only the syntax errors.
    pub fn parse(bytes: &[u8], locale: Locale) -> Result<Self, Faults> {
        let mut faults = FaultLog::default();
        let text = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                faults.add(&(at..at), "is not UTF-8; save the file with this encoding");
                return Err(faults.into_faults(str::from_utf8(&bytes[..at]).unwrap_or_default()));
            }
        };
        if bytes.len() > MAX_FILE_BYTES {
            faults.add(&(0..0), format!("the file has more than {MAX_FILE_BYTES} bytes; make it shorter"));
            return Err(faults.into_faults(text));
        }
        let rules = file::read(text, locale, &mut faults);
        match faults.len() {
            0 => Ok(rules.with_version(Self::version_of(bytes))),
            _ => Err(faults.into_faults(text)),
        }
    }

    /// Returns the version of the rules in a file with these bytes: the first four bytes of their SHA-256.
    pub fn version_of(bytes: &[u8]) -> u32 {
        Sha256::digest(bytes).iter().take(4).fold(0, |version, byte| version << 8 | u32::from(*byte))
    }
}
