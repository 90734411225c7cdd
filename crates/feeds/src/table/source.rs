//! A file that is read twice.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::spool::Spool;
use crate::text_encoding::Input;

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
}

impl Source {
    /// Reads a regular file.
    pub(crate) fn file(file: File, is_gzip: bool) -> Self {
        Self::Text(TextFile { file, is_gzip })
    }

    /// Copies an input to a temporary file, without compression.
    ///
    /// # Errors
    /// If the input cannot be read or the disk is full.
    pub(crate) fn copy(mut input: Input) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        io::copy(&mut input, &mut file)?;
        Ok(Self::file(file, false))
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
        Ok(match self.is_gzip {
            true => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(counted))),
            false => Box::new(counted),
        })
    }
}

/// Counts the bytes read from an input.
pub(crate) struct Counted {
    pub(crate) input: Box<dyn Read + Send>,
    pub(crate) bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
