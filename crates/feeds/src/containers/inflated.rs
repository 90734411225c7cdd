//! A limit to how far compressed data may grow.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The most bytes that come out of one byte of compressed data. Deflate reaches a thousand, real tables stay below a hundred.
const MAX_RATIO: u64 = 250;
/// Bytes that may come out of any data.
const FREE_BYTES: u64 = 16 * 1024 * 1024;

/// Uncompressed data. Reading fails once it is much larger than the compressed data.
pub(crate) struct Inflated<R, P> {
    inner: R,
    packed: P,
    bytes: Arc<AtomicU64>,
}

impl<R: Read, P: Fn() -> u64> Inflated<R, P> {
    /// Reads `inner`; `packed` returns the size in bytes of the compressed data so far.
    pub(crate) fn new(inner: R, packed: P) -> Self {
        Self::counted(inner, packed, Arc::default())
    }

    /// Reads one of several parts of the same compressed data; `bytes` counts what came out of all of them.
    pub(crate) fn counted(inner: R, packed: P, bytes: Arc<AtomicU64>) -> Self {
        Self { inner, packed, bytes }
    }
}

impl<R: Read, P: Fn() -> u64> Read for Inflated<R, P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let bytes = self.bytes.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        if bytes > FREE_BYTES && bytes / MAX_RATIO > (self.packed)() {
            let message = format!(
                "it unpacks to more than {MAX_RATIO} times its size, as no table does; unpack it yourself if it is right"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(count)
    }
}
