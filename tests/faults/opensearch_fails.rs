//! Fault 6: OpenSearch answers 429 and 503, fails part of a bulk request, is slow, and cuts connections.
//!
//! Guarantee: nothing is lost, and of each batch only the documents that OpenSearch rejects become dead letters.
//!
//! `SEED=7 NOREN_TEST_SCALE=10 cargo test --workspace --test integration faults::opensearch_fails` repeats it with
//! other faults and ten times as many products.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::input::read_product;
use domain::ports::{
    ChangeQueue, CompareDepth, DeadLetters, Envelope, Generation, IndexMaintenance, IndexWriter,
    IndexedState, SearchIndex,
};
use domain::{Change, Content, Currency, Language, Product, ProductId, Tombstone, Version};
use embedded_store::{EmbeddedStore, Options};
use jiff::{SignedDuration, Timestamp};
use opensearch_index::{OpenSearchSearcher, OpenSearchWriter};
use serde_json::{Value, json};
use sync::{Consumer, ConsumerOptions};
use tokio_util::sync::CancellationToken;

use crate::services;
use crate::support::{FaultProxy, Passing, Rule, opensearch_options, scaled, seed, wait_within};

/// The delay of each answer of a slow server, longer than a health check waits.
const SLOW: Duration = Duration::from_secs(2);
/// Versions of each product.
const VERSIONS: u64 = 3;
/// The prefix of the ids of documents that OpenSearch rejects.
const BAD: &str = "bad";
/// A small batch, so that there are many bulk requests.
const BATCH: usize = 50;
/// The speed of the queue's clock.
const FASTER: f64 = 10.0;
/// The longest time that everything may take on a busy machine.
const LONG: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_only_bad_documents_are_dead_letters() {
    let Some(server) = services::opensearch().await else { return };
    println!("seed {}", seed());
    let mut chance = fastrand::Rng::with_seed(seed());
    let options = opensearch_options(server, &format!("fails-{}", ProductId::generate()));
    let searcher = {
        // No faults while the index is created.
        OpenSearchWriter::create(&options).await.unwrap();
        OpenSearchSearcher::open(&options).await.unwrap()
    };
    let (bulks, faults) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, failed, chances) = (Arc::clone(&bulks), Arc::clone(&faults), Mutex::new(chance.fork()));
    let proxy = FaultProxy::before(&server.url, move |passing| {
        let rule = rule(passing, &mut chances.lock().unwrap());
        counted.fetch_add(usize::from(is_bulk(passing)), Ordering::Relaxed);
        failed.fetch_add(usize::from(!matches!(rule, Rule::Pass)), Ordering::Relaxed);
        rule
    })
    .await;
    let options =
        opensearch_index::Options { url: proxy.url.clone(), language: Language::default(), ..options };
    let writer = OpenSearchWriter::open(&options).await.unwrap();

    // Retries back off, and a dead letter was retried four times, so the queue's clock is fast.
    let (start, begun) = (Timestamp::now(), Instant::now());
    let clock = move || start + SignedDuration::from_secs_f64(begun.elapsed().as_secs_f64() * FASTER);
    let data = tempfile::tempdir().unwrap();
    let visibility_timeout = Duration::from_secs(60).mul_f64(FASTER);
    let queue_options = Options { clock: Arc::new(clock), visibility_timeout, ..Options::default() };
    let queue = Arc::new(EmbeddedStore::open(data.path(), queue_options).unwrap());
    let worker_options = ConsumerOptions { max_batch: BATCH, commit_interval: Duration::ZERO };
    let worker = Consumer::new(queue.clone(), Arc::new(writer), worker_options);
    let stop = CancellationToken::new();
    let (working, stopped) = (worker.clone(), stop.clone());
    let work = tokio::spawn(async move { working.run(stopped).await });

    let changes = changes(&mut chance, scaled(300, 80));
    for part in changes.chunks(500) {
        let envelope = |change: &Change| Envelope { change: change.clone(), traceparent: None };
        for sent in queue.send(part.iter().map(envelope).collect()).await {
            sent.unwrap();
        }
    }
    let done = wait_within(LONG, async || {
        let stats = queue.stats().await.unwrap();
        (stats.waiting, stats.in_flight) == (0, 0)
    });
    assert!(done.await, "the changes are worked off: {:?}", queue.stats().await);
    stop.cancel();
    work.await.expect("the worker ends when it is stopped");

    let dead = queue.newest(10_000).await.unwrap().letters;
    let ids: BTreeSet<String> = dead.iter().map(|dead| dead.id.as_ref().unwrap().to_string()).collect();
    let lost: Vec<&String> = ids.iter().filter(|id| !id.starts_with(BAD)).collect();
    assert!(lost.is_empty(), "dead letters that could have been tried again: {lost:?}");
    let is_refused = |reason: &str| reason.contains("OpenSearch refuses it");
    assert!(dead.iter().all(|dead| dead.reason.as_deref().is_some_and(is_refused)), "{:?}", dead.first());
    holds_newest(&searcher, &changes, &ids).await;
    println!(
        "{} changes in {} bulks with {} faults in {:?}; {} dead letters, all of bad documents",
        changes.len(),
        bulks.load(Ordering::Relaxed),
        faults.load(Ordering::Relaxed),
        begun.elapsed(),
        dead.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_and_a_rebuild_wait_for_a_slow_opensearch() {
    let Some(server) = services::opensearch().await else { return };
    let options = opensearch_options(server, &format!("slow-{}", ProductId::generate()));
    OpenSearchWriter::create(&options).await.unwrap();
    let proxy = FaultProxy::before(&server.url, |_| Rule::Late(SLOW)).await;
    let options = opensearch_index::Options { url: proxy.url.clone(), ..options };
    let writer = OpenSearchWriter::open_to_rebuild(&options).unwrap();
    let entries = writer.scan(Generation::Live, None, 10, CompareDepth::Documents).await;
    assert_eq!(entries.unwrap(), []);
    assert!(!writer.create_next().await.unwrap(), "there was none");
    writer.discard_next().await.unwrap();
    let unready = writer.ready().await.expect_err("a health check does not wait");
    assert!(unready.is_transient(), "{unready:?}");
}

/// Returns the versions of each product in random order, with some deletes and some documents that OpenSearch rejects.
fn changes(chance: &mut fastrand::Rng, products: u64) -> Vec<Change> {
    let content = read_product(br#"{"name":"x","price":19.9}"#, Currency::USD).unwrap().content;
    let at = domain::now();
    let mut changes = Vec::new();
    for number in 0..products {
        let name = if number % 40 == 0 { format!("{BAD}-{number}") } else { format!("p{number}") };
        for version in (1..=VERSIONS).map(Version) {
            let id = ProductId::parse(&name).unwrap();
            changes.push(if version > Version::FIRST && chance.u8(0..6) == 0 {
                Change::Delete(Tombstone { id, version, deleted_at: at })
            } else {
                let content = Content { name: format!("cup {number} of {version}"), ..content.clone() };
                Change::Update(Arc::new(Product { id, version, created_at: at, updated_at: at, content }))
            });
        }
    }
    chance.shuffle(&mut changes);
    changes
}

async fn holds_newest(searcher: &OpenSearchSearcher, changes: &[Change], dead: &BTreeSet<String>) {
    let mut newest: BTreeMap<&ProductId, &Change> = BTreeMap::new();
    for change in changes {
        let newest = newest.entry(change.id()).or_insert(change);
        if change.version() > newest.version() {
            *newest = change;
        }
    }
    for (id, change) in newest {
        let indexed = searcher.get(std::slice::from_ref(id)).await.unwrap().remove(0);
        if id.as_str().starts_with(BAD) {
            assert_eq!(indexed, None, "{id} is not in the index");
            assert!(dead.contains(id.as_str()), "{id} is a dead letter");
            continue;
        }
        let indexed = indexed.unwrap_or_else(|| panic!("{id} is lost"));
        assert_eq!(indexed.version, change.version(), "{id}");
        match change.product() {
            Some(product) => assert_eq!(indexed.state, IndexedState::Active(Arc::clone(product))),
            None => assert_eq!(indexed.state, IndexedState::Deleted),
        }
    }
}

// ------------------------------------------------------------------------------------------------- faults

fn is_bulk(passing: &Passing) -> bool {
    passing.path.contains("/_bulk")
}

/// Decides the fate of a call to OpenSearch.
fn rule(passing: &Passing, chance: &mut fastrand::Rng) -> Rule {
    let busy = |status: u16, kind: &str| {
        Rule::Answer(
            status,
            json!({"error": {"type": kind, "reason": "too much"}, "status": status}).to_string(),
        )
    };
    let throw = chance.u8(0..100);
    if !is_bulk(passing) {
        return match throw {
            0..5 => busy(429, "circuit_breaking_exception"),
            5..10 => busy(503, "cluster_block_exception"),
            10..13 => Rule::Cut,
            _ => Rule::Pass,
        };
    }
    match throw {
        0..10 => busy(429, "rejected_execution_exception"),
        10..20 => busy(503, "unavailable_shards_exception"),
        20..25 => Rule::Cut,
        // A bad document must not be indexed.
        25..30 if !has_bad(&passing.body) => Rule::Swallow,
        30..35 if !has_bad(&passing.body) => Rule::Late(Duration::from_millis(300)),
        35..60 => part_of_bulk(&passing.body, |_| chance.u8(0..3) == 0),
        _ => part_of_bulk(&passing.body, |_| false),
    }
}

fn has_bad(bulk: &[u8]) -> bool {
    bulk.windows(BAD.len()).any(|part| part == BAD.as_bytes())
}

/// Forwards a bulk request without its bad documents, which are rejected, and without those that `is_busy`, which are
/// throttled.
fn part_of_bulk(body: &[u8], mut is_busy: impl FnMut(&str) -> bool) -> Rule {
    let text = std::str::from_utf8(body).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (mut passed, mut answers) = (String::new(), Vec::new());
    for item in lines.chunks(2) {
        let action: Value = serde_json::from_str(item[0]).unwrap();
        let id = action["index"]["_id"].as_str().unwrap();
        answers.push(if id.starts_with(BAD) {
            Some(json!({"index": {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "no"}}}))
        } else if is_busy(id) {
            let error = json!({"type": "rejected_execution_exception", "reason": "queue is full"});
            Some(json!({"index": {"status": 429, "error": error}}))
        } else {
            item.iter().for_each(|line| passed.extend([*line, "\n"]));
            None
        });
    }
    if answers.iter().all(Option::is_none) {
        return Rule::Pass;
    }
    if passed.is_empty() {
        return Rule::Answer(200, json!({"items": answers}).to_string());
    }
    Rule::Change(
        Bytes::from(passed),
        Box::new(move |answer| {
            let mut answer: Value = serde_json::from_slice(answer).unwrap();
            let Some(items) = answer["items"].as_array().cloned() else { return answer.to_string().into() };
            let mut items = items.into_iter();
            let all: Vec<Value> =
                answers.into_iter().filter_map(|answer| answer.or_else(|| items.next())).collect();
            answer["items"] = Value::Array(all);
            answer.to_string().into()
        }),
    )
}
