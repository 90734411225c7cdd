//! A file that is read twice.

use std::fs::File;
use std::io::{self, BufReader, Seek as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use encoding_rs::Encoding;

use super::spool::Spool;
use crate::containers::{Scratch, gunzip};
use crate::counted::Counted;
use crate::text_encoding::{Input, decoded};

const BUFFER_BYTES: usize = 128 * 1024;

/// A file on disk. An input that cannot be read twice is copied to a temporary file.
#[derive(Debug)]
pub(crate) enum Source {
    /// Text, whose rows are found by reading it.
    Text(TextFile),
    /// Rows of a file in another format.
    Rows(Spool),
}

/// A text file.
#[derive(Debug)]
pub(crate) struct TextFile {
    file: File,
    is_gzip: bool,
    /// The character set, if the user has named it.
    pub(super) encoding: Option<&'static Encoding>,
    /// True if it was decoded before.
    is_decoded: bool,
}

impl Source {
    /// Reads a regular file; `encoding` is its character set, if the user has named it.
    pub(crate) fn file(file: File, is_gzip: bool, encoding: Option<&'static Encoding>) -> Self {
        Self::Text(TextFile { file, is_gzip, encoding, is_decoded: false })
    }

    /// Copies an input, which is decoded already, to a temporary file.
    ///
    /// # Errors
    /// If the input cannot be read or the disk is full.
    pub(crate) fn copy(
        mut input: Input,
        scratch: &Scratch,
        encoding: Option<&'static Encoding>,
    ) -> io::Result<Self> {
        Ok(Self::Text(TextFile {
            file: scratch.copy(&mut input)?,
            is_gzip: false,
            encoding,
            is_decoded: true,
        }))
    }
}

impl Source {
    /// Returns the number of bytes that a reading counts, if it is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let file = match self {
            Self::Text(text) => &text.file,
            Self::Rows(spool) => spool.file(),
        };
        file.metadata().ok().map(|metadata| metadata.len())
    }
}

impl TextFile {
    /// Reads from the start. An earlier reading must have ended. `bytes_read` counts the bytes before decompression.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn open(&self, bytes_read: Arc<AtomicU64>) -> io::Result<Input> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let counted = BufReader::with_capacity(BUFFER_BYTES, Counted { input: Box::new(file), bytes_read });
        let input: Input = match self.is_gzip {
            true => gunzip(Box::new(counted)),
            false => Box::new(counted),
        };
        Ok(match self.encoding.filter(|_| !self.is_decoded) {
            Some(encoding) => decoded(input, encoding),
            None => input,
        })
    }
}
