//! The uploads under way: their pace, and their places among the unfinished jobs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use runtime::audit::Caller;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lines::IDLE_TIMEOUT;

/// The least pace of an upload, in bytes a second, beyond a first minute.
pub(super) const MIN_PACE: u64 = 8 * 1024;
/// The pace below which an upload gives its place to another one, in bytes a second.
const PACE_TO_KEEP_A_PLACE: u64 = 1024 * 1024;
/// The time for which an upload keeps its place at any pace.
const MIN_STAY: Duration = Duration::from_secs(5);

/// An upload under way.
#[derive(Debug)]
pub(super) struct Upload {
    /// The principal, if credentials proved it.
    pub(super) owner: Option<String>,
    begun: Instant,
    bytes: AtomicU64,
    /// Cancelled when the place is given to another upload.
    pub(super) displaced: CancellationToken,
}

impl Upload {
    pub(super) fn of(caller: &Caller) -> Arc<Self> {
        let (begun, displaced) = (Instant::now(), CancellationToken::new());
        let owner = caller.owner().map(str::to_owned);
        Arc::new(Self { owner, begun, bytes: AtomicU64::new(0), displaced })
    }

    /// Counts bytes that have arrived. Returns the sum.
    pub(super) fn add(&self, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// Returns the total time for which the client may keep the service waiting, given the bytes that have arrived.
    pub(super) fn patience(&self) -> Duration {
        IDLE_TIMEOUT + Duration::from_secs(self.bytes.load(Ordering::Relaxed) / MIN_PACE)
    }

    /// Returns the pace in bytes a second, if it is too slow to keep the place when another upload needs one.
    fn pace_if_slow(&self) -> Option<u64> {
        let elapsed = self.begun.elapsed();
        let bytes = self.bytes.load(Ordering::Relaxed);
        let pace = bytes.saturating_mul(1000) / (elapsed.as_millis() as u64).max(1);
        (elapsed >= MIN_STAY && pace < PACE_TO_KEEP_A_PLACE).then_some(pace)
    }
}

/// The uploads that have a place.
#[derive(Default)]
pub(super) struct Uploads {
    last: u64,
    running: BTreeMap<u64, Arc<Upload>>,
}

impl Uploads {
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Returns the number of uploads of a principal.
    pub(super) fn of(&self, owner: &str) -> usize {
        self.running.values().filter(|upload| upload.owner.as_deref() == Some(owner)).count()
    }

    /// Gives a place to an upload. Returns the number to [`end`](Self::end) it by.
    pub(super) fn begin(&mut self, upload: Arc<Upload>) -> u64 {
        self.last += 1;
        self.running.insert(self.last, upload);
        self.last
    }

    pub(super) fn end(&mut self, number: u64) {
        self.running.remove(&number);
    }

    /// Ends the slowest upload, unless all are fast or have just begun. Returns true if one was ended.
    pub(super) fn displace_slowest(&mut self) -> bool {
        let slow = self.running.iter().filter_map(|(number, upload)| Some((upload.pace_if_slow()?, *number)));
        let Some((_, number)) = slow.min() else { return false };
        if let Some(upload) = self.running.remove(&number) {
            upload.displaced.cancel();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_slowest_upload_gives_its_place_to_another() {
        let mut uploads = Uploads::default();
        let [fast, slow, slowest] = [8 << 20, 1 << 20, 1 << 10].map(|bytes| {
            let upload = Upload::of(&Caller::default());
            upload.add(bytes);
            uploads.begin(Arc::clone(&upload));
            upload
        });
        assert!(!uploads.displace_slowest(), "all have just begun");
        tokio::time::advance(MIN_STAY).await;
        assert!(uploads.displace_slowest());
        assert!(slowest.displaced.is_cancelled() && !slow.displaced.is_cancelled());
        assert!(uploads.displace_slowest());
        assert!(slow.displaced.is_cancelled());
        assert!(!uploads.displace_slowest(), "a fast upload keeps its place");
        assert_eq!((uploads.len(), fast.displaced.is_cancelled()), (1, false));
    }
}
