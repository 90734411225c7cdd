//! A reader around a parser that holds a text or tag in memory as a whole.

use std::io::{self, BufRead, Read};

/// Counts lines, and ends a text or tag over the size limit.
pub(super) struct Watched<R> {
    input: R,
    pub(super) line: u64,
    /// Bytes of the current text or tag. The caller resets them with each.
    pub(super) event_bytes: usize,
    max_event_bytes: usize,
}

impl<R> Watched<R> {
    pub(super) fn new(input: R, max_event_bytes: usize) -> Self {
        Self { input, line: 1, event_bytes: 0, max_event_bytes }
    }
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Watched<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.event_bytes > self.max_event_bytes {
            let message = format!("a text has more than {} bytes", self.max_event_bytes);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // `fill_buf` has returned these bytes, so they are there.
        if let Ok(bytes) = self.input.fill_buf() {
            let bytes = &bytes[..amount.min(bytes.len())];
            self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        self.event_bytes += amount;
        self.input.consume(amount);
    }
}
