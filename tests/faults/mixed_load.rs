//! Fault 12: a long mixed load of 200 writes, 50 deletes and 200 searches per second.
//!
//! Guarantee: no error, a bounded number of segments, at most twice the disk of a fresh index, and memory that does
//! not grow.
//!
//! It runs for half a minute by default; `NOREN_TEST_SCALE=12 cargo test --workspace --test integration
//! faults::mixed_load` runs for an hour.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, Running, http_client, scaled, seed};

/// The maximum number of products.
const PRODUCTS: u64 = 5_000;
/// Requests of each kind per second.
const WRITES: u32 = 200;
const DELETES: u32 = 50;
const SEARCHES: u32 = 200;
/// The number of clients of each kind, each with one request at a time.
const CLIENTS: u32 = 10;
/// The factor by which memory may grow from the first third of the time to the end.
const MEMORY_GROWTH: f64 = 1.5;
/// The bytes by which memory may grow in any case.
const MEMORY_SLACK: u64 = 64 << 20;

const WORDS: [&str; 12] =
    ["lamp", "desk", "oak", "paper", "shade", "kettle", "iron", "cup", "green", "tea", "black", "small"];

fn product(chance: &mut fastrand::Rng) -> Value {
    let mut words = |count: usize| {
        let words: Vec<&str> = (0..count).map(|_| WORDS[chance.usize(..WORDS.len())]).collect();
        words.join(" ")
    };
    let (name, description) = (words(3), words(30));
    json!({
        "name": name, "description": description, "brand": WORDS[chance.usize(..WORDS.len())],
        "price": chance.u32(1..100_000) as f64 / 100.0, "stock": chance.u32(0..10),
        "attributes": { "colour": WORDS[chance.usize(..WORDS.len())], "watts": chance.u32(1..100) }
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Write,
    Delete,
    Search,
}

/// Sends requests of one kind at a steady pace, as far as responses arrive in time, and counts them by status.
async fn load(
    kind: Kind,
    per_second: u32,
    url: Arc<str>,
    mut chance: fastrand::Rng,
    until: Instant,
    counted: Arc<[AtomicU64; 3]>,
) -> BTreeMap<u16, u64> {
    let client: Client = http_client();
    let mut pace = tokio::time::interval(Duration::from_secs(1) * CLIENTS / per_second);
    let mut statuses = BTreeMap::new();
    while Instant::now() < until {
        pace.tick().await;
        let id = chance.u64(..PRODUCTS);
        let product_url = format!("{url}/products/p{id}");
        let request = match kind {
            Kind::Write => client.put(product_url).json(&product(&mut chance)),
            Kind::Delete => client.delete(product_url),
            Kind::Search => {
                let word = WORDS[chance.usize(..WORDS.len())];
                client.get(format!(
                    "{url}/products/search?query={word}&facets=brand,attributes.colour&priceRange=10-500"
                ))
            }
        };
        let answer = Answer::of(request).await;
        *statuses.entry(answer.status.as_u16()).or_default() += 1;
        counted[kind as usize].fetch_add(1, Ordering::Relaxed);
    }
    statuses
}

/// Returns the number of segments of the live index.
fn segments(generation: &Path) -> usize {
    let meta = std::fs::read(generation.join("meta.json")).unwrap();
    let meta: Value = serde_json::from_slice(&meta).unwrap();
    meta["segments"].as_array().unwrap().len()
}

fn bytes_in(folder: &Path) -> u64 {
    // Files of merged segments disappear meanwhile.
    let files = std::fs::read_dir(folder).unwrap().filter_map(|entry| entry.ok()?.metadata().ok());
    files.map(|file| file.len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_mixed_load_leaves_no_trace() {
    let time = Duration::from_secs(scaled(300, 30));
    let seed = seed();
    println!("seed {seed}");
    let dir = tempfile::tempdir().unwrap();
    let service = Running::start("noren", &["serve", "--data-dir", dir.path().to_str().unwrap()]).await;
    let url: Arc<str> = service.url.as_str().into();
    let (begun, counted) = (Instant::now(), Arc::new([const { AtomicU64::new(0) }; 3]));
    let mut clients = JoinSet::new();
    for (kind, rate) in [(Kind::Write, WRITES), (Kind::Delete, DELETES), (Kind::Search, SEARCHES)] {
        for number in 0..u64::from(CLIENTS) {
            let chance = fastrand::Rng::with_seed(seed * 1000 + kind as u64 * 100 + number);
            clients.spawn(load(kind, rate, url.clone(), chance, begun + time, counted.clone()));
        }
    }
    let live = dir.path().join("index/g1");
    let (mut most_segments, mut early_memory) = (0, None);
    let mut watch = tokio::time::interval(Duration::from_millis(250));
    while begun.elapsed() < time {
        watch.tick().await;
        most_segments = most_segments.max(segments(&live));
        if early_memory.is_none() && begun.elapsed() > time / 3 {
            early_memory = service.own_memory();
        }
    }
    let late_memory = service.own_memory();
    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    while let Some(client) = clients.join_next().await {
        client.unwrap().into_iter().for_each(|(status, count)| *statuses.entry(status).or_default() += count);
    }
    // Deleting a product that does not exist is a 404.
    let expected = |status: &u16| [200, 201, 404].contains(status);
    assert!(statuses.keys().all(expected), "{statuses:?}");
    assert!(most_segments < 30, "{most_segments} segments");
    if let (Some(early), Some(late)) = (early_memory, late_memory) {
        let bound = (early as f64 * MEMORY_GROWTH) as u64 + MEMORY_SLACK;
        assert!(late < bound, "memory grew from {early} to {late} bytes");
    }
    let client = http_client();
    let verify = async || {
        let answer = Answer::of(client.post(format!("{url}/admin/verify"))).await.expect(200);
        serde_json::from_str::<Value>(answer.text.lines().last().unwrap()).unwrap()
    };
    assert_eq!(verify().await["isConverged"], true);
    // Compare with a fresh index of the same products.
    let rebuilt = Answer::of(client.post(format!("{url}/admin/reindex"))).await.expect(200);
    assert!(rebuilt.text.lines().last().unwrap().contains("\"done\""), "{}", rebuilt.text);
    let fresh = dir.path().join("index/g2");
    let (lived, fresh) = (bytes_in(&live), bytes_in(&fresh));
    assert!(lived <= 2 * fresh, "{lived} bytes against {fresh} of a fresh index");
    let [writes, deletes, searches] = [0, 1, 2].map(|kind: usize| counted[kind].load(Ordering::Relaxed));
    println!(
        "{time:?}: {writes} writes, {deletes} deletes, {searches} searches, {statuses:?}; at most {most_segments} \
         segments; {lived} bytes against {fresh} of a fresh index; memory {early_memory:?}, then {late_memory:?}"
    );
}
