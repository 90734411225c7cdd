//! The upload of a job: from the body of a request to a file.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::error::ImportError;
use super::uploads::Upload;
use crate::lines::IDLE_TIMEOUT;

/// Chunks of a body that may wait for the disk.
pub(super) const CHUNKS_WAITING: usize = 4;
/// Bytes after which the space on the disk is checked again.
const BYTES_BETWEEN_CHECKS: u64 = 8 * 1024 * 1024;

/// A message to the thread that writes a body.
pub(super) enum Chunk {
    Bytes(Bytes),
    End,
}

/// Sends the chunks of a body to the thread that writes it, and then the end.
///
/// # Errors
/// When the body breaks off, is larger than `max_bytes`, or comes too slowly.
pub(super) async fn send_chunks(
    body: Body,
    sender: mpsc::Sender<Chunk>,
    upload: &Upload,
    max_bytes: u64,
) -> Result<(), ImportError> {
    let mut chunks = body.into_data_stream();
    let mut waited = Duration::ZERO;
    loop {
        let (begun, left) = (Instant::now(), upload.patience().saturating_sub(waited));
        let next = tokio::select! {
            next = tokio::time::timeout(left.min(IDLE_TIMEOUT), chunks.next()) => next,
            () = upload.displaced.cancelled() => return Err(ImportError::Displaced),
        };
        waited += begun.elapsed();
        let chunk = match next {
            Err(_) if left < IDLE_TIMEOUT => return Err(ImportError::TooSlow),
            Err(_) => return Err(ImportError::Idle),
            Ok(Some(Err(_))) => return Err(ImportError::BrokenOff),
            Ok(Some(Ok(bytes))) if upload.add(bytes.len()) > max_bytes => {
                return Err(ImportError::TooLarge(max_bytes));
            }
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

/// Writes chunks to a file until their end, durably. Calls `check_space` with the number of bytes to write next before the
/// first one, and again every few megabytes. Returns the number of bytes. Blocks.
pub(super) fn write_chunks(
    mut file: File,
    mut chunks: mpsc::Receiver<Chunk>,
    check_space: impl Fn(u64) -> Result<(), ImportError>,
) -> Result<u64, ImportError> {
    let (mut written, mut checked) = (0, 0);
    loop {
        match chunks.blocking_recv() {
            Some(Chunk::Bytes(bytes)) => {
                written += bytes.len() as u64;
                if written > checked {
                    check_space(BYTES_BETWEEN_CHECKS)?;
                    checked = written + BYTES_BETWEEN_CHECKS;
                }
                file.write_all(&bytes)?;
            }
            Some(Chunk::End) => {
                file.sync_all()?;
                return Ok(written);
            }
            None => return Err(ImportError::BrokenOff),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use runtime::audit::Caller;

    /// Uploads chunks of this size, one a second.
    async fn upload(bytes: usize, max_bytes: u64) -> (Duration, Result<(), ImportError>) {
        let chunks = stream::unfold((), move |()| async move {
            let second = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>());
            second.await.unwrap_err();
            Some((Ok::<_, std::io::Error>(vec![b'\n'; bytes]), ()))
        });
        let (sender, mut receiver) = mpsc::channel(CHUNKS_WAITING);
        tokio::spawn(async move { while receiver.recv().await.is_some() {} });
        let (begun, upload) = (Instant::now(), Upload::of(&Caller::default()));
        let sent = send_chunks(Body::from_stream(chunks), sender, &upload, max_bytes).await;
        (begun.elapsed(), sent)
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_is_too_slow_is_cut_off() {
        let (elapsed, sent) = upload(4 * 1024, u64::MAX).await;
        assert!(matches!(sent, Err(ImportError::TooSlow)), "{sent:?}");
        assert!((60..=130).contains(&elapsed.as_secs()), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_may_last_as_long_as_it_keeps_its_pace() {
        let hour_bytes = 16 * 1024 * 3600;
        let (elapsed, sent) = upload(16 * 1024, hour_bytes).await;
        assert!(matches!(sent, Err(ImportError::TooLarge(bytes)) if bytes == hour_bytes), "{sent:?}");
        assert!(elapsed.as_secs() >= 3600, "{elapsed:?}");
    }
}
