//! The upload of a job: from the body of a request to a file.

use std::fs::File;
use std::io::Write as _;

use axum::body::{Body, Bytes};
use futures::StreamExt;
use tokio::sync::mpsc;

use super::error::ImportError;
use crate::lines::IDLE_TIMEOUT;

/// Chunks of a body that may wait for the disk.
pub(super) const CHUNKS_WAITING: usize = 4;

/// A message to the thread that writes a body.
pub(super) enum Chunk {
    Bytes(Bytes),
    End,
}

/// Sends the chunks of a body to the thread that writes it, and then the end.
///
/// # Errors
/// When the body breaks off or the client pauses for too long.
pub(super) async fn send_chunks(body: Body, sender: mpsc::Sender<Chunk>) -> Result<(), ImportError> {
    let mut chunks = body.into_data_stream();
    loop {
        let chunk = match tokio::time::timeout(IDLE_TIMEOUT, chunks.next()).await {
            Err(_) => return Err(ImportError::Idle),
            Ok(Some(Err(_))) => return Err(ImportError::BrokenOff),
            Ok(Some(Ok(bytes))) => Chunk::Bytes(bytes),
            Ok(None) => Chunk::End,
        };
        let is_end = matches!(chunk, Chunk::End);
        // If the thread has ended, its own error says why.
        if sender.send(chunk).await.is_err() || is_end {
            return Ok(());
        }
    }
}

/// Writes chunks to a file until their end, durably. Returns the number of bytes. Blocks.
pub(super) fn write_chunks(mut file: File, mut chunks: mpsc::Receiver<Chunk>) -> Result<u64, ImportError> {
    let mut written = 0;
    loop {
        match chunks.blocking_recv() {
            Some(Chunk::Bytes(bytes)) => {
                file.write_all(&bytes)?;
                written += bytes.len() as u64;
            }
            Some(Chunk::End) => {
                file.sync_all()?;
                return Ok(written);
            }
            None => return Err(ImportError::BrokenOff),
        }
    }
}
