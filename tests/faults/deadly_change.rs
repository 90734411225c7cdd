//! A change that ends the process each time that it is applied.
//!
//! Guarantee: after five attempts, only this change becomes a dead letter. Every other change is indexed, including those that
//! the process held when it ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use domain::ports::{
    Applied, ChangeQueue, DeadLetters, Envelope, IndexWriter, MAX_RECEIVES, PortError, SearchIndex,
};
use domain::{Change, Language, ProductId, Tombstone, Version};
use embedded_store::{EmbeddedStore, Options};
use sync::{Consumer, ConsumerOptions};
use tantivy_index::TantivyWriter;
use tokio_util::sync::CancellationToken;

use crate::support::{indexes, later_clock, wait_until};

/// More than the third receive of a message returns: 1,000 if its receivers ended twice.
const PRODUCTS: usize = 2500;
const DEADLY: &str = "p-1700";

/// An index that never returns from a batch with the deadly change, so that the test can end the process.
struct DeadlyIndex {
    index: TantivyWriter,
    attempts: AtomicU32,
}

#[async_trait]
impl IndexWriter for DeadlyIndex {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        if changes.iter().any(|change| change.id().as_str() == DEADLY) {
            self.attempts.fetch_add(1, Ordering::SeqCst);
            return std::future::pending().await;
        }
        self.index.apply(changes).await
    }

    fn back_end(&self) -> &'static str {
        self.index.back_end()
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}

fn change(id: ProductId) -> Envelope {
    let change = Change::Delete(Tombstone { id, version: Version(1), deleted_at: domain::now() });
    Envelope { change, traceparent: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_ends_every_process_becomes_a_dead_letter_alone() {
    let (_index, writer, searcher) = indexes::tantivy(Language::English);
    let index = Arc::new(DeadlyIndex { index: writer, attempts: AtomicU32::new(0) });
    let (clock, seconds_later) = later_clock();
    let options = Options { clock, ..Options::default() };
    let data = tempfile::tempdir().unwrap();
    let queue = Arc::new(EmbeddedStore::open(data.path(), options).unwrap());
    let ids: Vec<_> = (0..PRODUCTS).map(|n| ProductId::parse(&format!("p-{n}")).unwrap()).collect();
    for sent in queue.send(ids.iter().cloned().map(change).collect()).await {
        sent.unwrap();
    }

    for ended in 1..=MAX_RECEIVES + 1 {
        let consumer = Consumer::new(queue.clone(), index.clone(), ConsumerOptions::default());
        let process = tokio::spawn(async move { consumer.run(CancellationToken::new()).await });
        wait_until("the change is tried or all is done", async || {
            index.attempts.load(Ordering::SeqCst) == ended || queue.is_empty().await.unwrap()
        })
        .await;
        process.abort();
        let _ = process.await;
        // Makes the messages of the process that ended visible again.
        let timeout = i64::try_from(queue.visibility_timeout().as_secs()).unwrap();
        seconds_later.fetch_add(timeout + 1, Ordering::SeqCst);
    }

    assert_eq!(index.attempts.load(Ordering::SeqCst), MAX_RECEIVES);
    assert!(queue.is_empty().await.unwrap());
    let letters = queue.newest(10).await.unwrap().letters;
    let dead: Vec<_> = letters.iter().map(|letter| letter.id.as_ref().map(ProductId::as_str)).collect();
    assert_eq!(dead, [Some(DEADLY)]);
    let indexed = searcher.versions(&ids).await.unwrap();
    let missing: Vec<_> = ids.iter().zip(&indexed).filter(|(_, version)| version.is_none()).collect();
    assert_eq!(missing, [(&ProductId::parse(DEADLY).unwrap(), &None)]);
}
