//! A repair that loses races: sync writes the product between the comparison and the repair, again and again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::wire::verify::DriftCounts;
use async_trait::async_trait;
use domain::input::read_product;
use domain::ports::{Applied, IndexWriter, PortError, ProductStore, Write};
use domain::ports::{
    CompareDepth, Generation, Generations, IndexEntry, IndexMaintenance, Repair, RepairOutcome,
};
use domain::{Change, Currency, Product, ProductId, Record, Version};
use embedded_store::EmbeddedStore;
use sync::reconcile::{Comparison, reconcile};
use sync::{NoProgress, StoreAndIndex};
use tantivy_index::{TantivyWriter, WriterOptions};

fn product(version: u64) -> Change {
    let content = read_product(br#"{"name":"Lamp"}"#, Currency::USD).unwrap().content;
    let (id, now) = (ProductId::parse("lamp").unwrap(), domain::now());
    Change::Create(Arc::new(Product {
        id,
        version: Version(version),
        created_at: now,
        updated_at: now,
        content,
    }))
}

/// An index that receives a later version of the lamp just before each of the first repairs.
struct Contended {
    index: TantivyWriter,
    /// The number of repairs that come too late.
    late: u64,
    repairs: AtomicU64,
}

#[async_trait]
impl IndexWriter for Contended {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        self.index.apply(changes).await
    }

    fn back_end(&self) -> &'static str {
        "test"
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.index.ready().await
    }
}

#[async_trait]
impl IndexMaintenance for Contended {
    fn expected_entries(&self, records: &[Record]) -> Vec<Result<IndexEntry, String>> {
        self.index.expected_entries(records)
    }

    async fn entries(
        &self,
        generation: Generation,
        ids: &[ProductId],
        look: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        self.index.entries(generation, ids, look).await
    }

    async fn scan(
        &self,
        generation: Generation,
        after: Option<&ProductId>,
        limit: usize,
        look: CompareDepth,
    ) -> Result<Vec<IndexEntry>, PortError> {
        self.index.scan(generation, after, limit, look).await
    }

    async fn repair(
        &self,
        generation: Generation,
        repairs: &[Repair],
    ) -> Result<Vec<RepairOutcome>, PortError> {
        let before = self.repairs.fetch_add(1, Ordering::SeqCst);
        if before < self.late {
            assert_eq!(self.index.apply(&[product(10 + before)]).await?, [Applied::Done]);
        }
        self.index.repair(generation, repairs).await
    }

    async fn generations(&self) -> Result<Generations, PortError> {
        self.index.generations().await
    }

    async fn create_next(&self) -> Result<bool, PortError> {
        self.index.create_next().await
    }

    async fn restore_previous(&self) -> Result<bool, PortError> {
        self.index.restore_previous().await
    }

    async fn promote_next(&self) -> Result<(), PortError> {
        self.index.promote_next().await
    }

    async fn discard_next(&self) -> Result<(), PortError> {
        self.index.discard_next().await
    }
}

/// Repairs the only product of a store in an index in which this many repairs come too late. Returns the outcome and
/// the number of repairs.
async fn repaired(folder: &Path, late: u64) -> (DriftCounts, u64) {
    let store = EmbeddedStore::open(folder, embedded_store::Options::default()).unwrap();
    let write = Write { change: product(1), replaces: None, idempotency: None, traceparent: None };
    store.write(vec![write]).await.remove(0).unwrap();
    let index = TantivyWriter::open(&folder.join("index"), WriterOptions::default()).unwrap();
    let index = Arc::new(Contended { index, late, repairs: AtomicU64::new(0) });
    let comparison = Comparison {
        generation: Generation::Live,
        depth: CompareDepth::Documents,
        repair: true,
        grace_period: Duration::ZERO,
        one_in: 1,
    };
    let sides = StoreAndIndex::new(Arc::new(store), index.clone());
    let outcome = reconcile(&sides, comparison, &mut NoProgress).await.unwrap();
    (outcome, index.repairs.load(Ordering::SeqCst))
}

#[tokio::test]
async fn an_overtaken_repair_is_retried() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, repairs) = repaired(folder.path(), 3).await;
    assert_eq!((outcome.missing, outcome.repaired, repairs), (1, 1, 4));
    assert!(outcome.is_converged());
}

#[tokio::test]
async fn a_product_that_is_always_written_first_is_reported_as_not_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, repairs) = repaired(folder.path(), u64::MAX).await;
    assert_eq!((outcome.missing, outcome.repaired, repairs), (1, 0, 6));
    assert!(!outcome.is_converged());
}
