//! Fault 3: changes arrive in random order, three times each, and some long after the rest.
//!
//! Guarantee: whatever the order, number and delay of messages, the index holds the newest version of every product,
//! tombstones included; sending the same messages again changes nothing.
//!
//! `SEED=7 NOREN_TEST_SCALE=3 cargo test --workspace --test integration faults::shuffled` repeats it in another order,
//! with three times as many products.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_setup::Aws;
use domain::input::read_product;
use domain::ports::{ChangeQueue, Envelope, IndexWriter, Indexed, IndexedState, SearchIndex};
use domain::{Change, Content, Currency, Language, Product, ProductId, Record, Tombstone, Version};
use embedded_store::{EmbeddedStore, Options};
use sqs_queue::SqsQueue;
use sync::{Consumer, ConsumerOptions};
use tokio_util::sync::CancellationToken;

use crate::services;
use crate::support::{indexes, scaled, seed, wait_within};

/// The number of times that each change is sent.
const TIMES: usize = 3;
/// Versions of each product.
const VERSIONS: u64 = 7;
/// Messages per send.
const SENT_TOGETHER: usize = 1000;
/// The longest time that all messages may take on a busy machine.
const LONG: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn shuffled_changes_converge_on_tantivy() {
    let (_data, queue) = embedded();
    let (_folder, writer, searcher) = indexes::tantivy(Language::default());
    let products = scaled(5000, 500) as usize;
    converges(queue, Arc::new(writer), &searcher, products).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shuffled_changes_converge_on_opensearch() {
    let Some((writer, searcher)) = indexes::opensearch("shuffled", Language::default()).await else { return };
    let (_data, queue) = embedded();
    let products = scaled(5000, 500) as usize;
    converges(queue, Arc::new(writer), &searcher, products).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shuffled_changes_converge_from_sqs() {
    let Some(server) = services::sqs().await else { return };
    let aws = Aws::local(&server.url).await.unwrap();
    let name = format!("shuffled-{}", ProductId::generate());
    let queue = SqsQueue::create(&aws, &name, Duration::from_secs(10)).await.unwrap();
    let (_folder, writer, searcher) = indexes::tantivy(Language::default());
    let products = scaled(300, 60) as usize;
    converges(Arc::new(queue), Arc::new(writer), &searcher, products).await;
}

fn embedded() -> (tempfile::TempDir, Arc<dyn ChangeQueue>) {
    let data = tempfile::tempdir().unwrap();
    let queue = EmbeddedStore::open(data.path(), Options::default()).unwrap();
    (data, Arc::new(queue))
}

/// Sends everything twice, the second time in another order, and compares the index with the newest versions.
async fn converges(
    queue: Arc<dyn ChangeQueue>,
    writer: Arc<dyn IndexWriter>,
    searcher: &dyn SearchIndex,
    products: usize,
) {
    let seed = seed();
    println!("seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let changes = changes(&mut chance, products);
    let worker = Consumer::new(Arc::clone(&queue), writer, ConsumerOptions::default());
    let stop = CancellationToken::new();
    let (working, stopped) = (worker.clone(), stop.clone());
    let work = tokio::spawn(async move { working.run(stopped).await });
    for pass in ["first", "second"] {
        let begun = Instant::now();
        let mut events: Vec<&Change> = (0..TIMES).flat_map(|_| &changes).collect();
        chance.shuffle(&mut events);
        // One in ten is sent after all others were applied.
        let (on_time, late) = events.split_at(events.len() / 10 * 9);
        for part in [on_time, late] {
            send(&*queue, part).await;
            let idle = wait_within(LONG, async || worker.is_idle().await.unwrap()).await;
            assert!(idle, "the messages are not worked off");
        }
        assert_eq!(queue.stats().await.unwrap().dead, 0, "no dead letters");
        holds_newest(searcher, &changes).await;
        let (count, took) = (events.len(), begun.elapsed());
        println!("{pass} pass: {count} events over {products} products in {took:?}");
    }
    stop.cancel();
    work.await.expect("the worker ends when it is stopped");
}

async fn send(queue: &dyn ChangeQueue, events: &[&Change]) {
    for part in events.chunks(SENT_TOGETHER) {
        let envelope = |change: &&Change| Envelope { change: (*change).clone(), traceparent: None };
        for sent in queue.send(part.iter().map(envelope).collect()).await {
            sent.unwrap();
        }
    }
}

/// Returns the history of each product: versions from 1 on, one in five of them a delete.
fn changes(chance: &mut fastrand::Rng, products: usize) -> Vec<Change> {
    let content =
        read_product(br#"{"name":"x","brand":"Tokoname","price":19.9}"#, Currency::USD).unwrap().content;
    let at = domain::now();
    let mut changes = Vec::with_capacity(products * VERSIONS as usize);
    for number in 0..products {
        let id = ProductId::parse(&format!("p{number}")).unwrap();
        for version in (1..=VERSIONS).map(Version) {
            let id = id.clone();
            changes.push(if version > Version::FIRST && chance.u8(0..5) == 0 {
                Change::Delete(Tombstone { id, version, deleted_at: at })
            } else {
                let content = Content { name: format!("cup {number} of {version}"), ..content.clone() };
                Change::Update(Arc::new(Product { id, version, created_at: at, updated_at: at, content }))
            });
        }
    }
    changes
}

async fn holds_newest(searcher: &dyn SearchIndex, changes: &[Change]) {
    let mut newest: BTreeMap<&ProductId, &Change> = BTreeMap::new();
    for change in changes {
        // Changes of a product are in the order of versions.
        newest.insert(change.id(), change);
    }
    let ids: Vec<ProductId> = newest.keys().map(|id| (*id).clone()).collect();
    for ids in ids.chunks(500) {
        for (id, found) in ids.iter().zip(searcher.get(ids).await.unwrap()) {
            assert_eq!(found, Some(indexed(newest[id])), "{id}");
        }
    }
    let live = newest.values().filter(|change| change.product().is_some()).count();
    assert_eq!(searcher.stats().await.unwrap().products, live as u64);
}

/// Returns the entry that the index must have after a change.
fn indexed(change: &Change) -> Indexed {
    let state = match change.record() {
        Record::Live(product) => IndexedState::Active(product),
        Record::Deleted(_) => IndexedState::Deleted,
    };
    Indexed { version: change.version(), state }
}
