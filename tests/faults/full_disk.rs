//! Fault 8: a full disk, under the store and under the index.
//!
//! Guarantee: while the disk of the store is full, writes are rejected with 507 or 503, acknowledged writes stay, and searches
//! succeed; while only that of the index is full, writes succeed. Once there is space, writes succeed without a restart, and
//! every acknowledged write is found.
//!
//! `cargo test --workspace --test integration faults::full_disk` repeats it. The disk is a small tmpfs.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{Answer, Running, http_client, wait_until};

/// Kilobytes of each product's description.
const KILOBYTES: usize = 20;

fn product(n: usize) -> Value {
    // Random words, so that they do not compress; long ones, because a debug build needs long to analyse many words.
    let mut chance = fastrand::Rng::with_seed(n as u64);
    let mut words = String::new();
    while words.len() < KILOBYTES * 1024 {
        words.extend((0..90).map(|_| chance.lowercase()));
        words.push(' ');
    }
    json!({ "id": format!("p{n}"), "name": format!("Cup {n}"), "description": words })
}

async fn create(url: &str, n: usize) -> Answer {
    Answer::of(http_client().post(format!("{url}/products")).json(&product(n))).await
}

async fn total(url: &str) -> u64 {
    let answer = Answer::of(http_client().get(format!("{url}/products/search?query=cup"))).await;
    answer.expect(200).json()["total"].as_u64().unwrap()
}

/// Frees space on the disk.
fn make_room(pipe: &Path) {
    std::fs::write(pipe, "now\n").unwrap();
}

/// Compares the store with the index.
async fn assert_converged(url: &str) {
    let answer = Answer::of(http_client().post(format!("{url}/admin/verify"))).await.expect(200);
    let last = answer.text.lines().last().unwrap();
    let summary: Value = serde_json::from_str(last).unwrap();
    assert_eq!(summary["isConverged"], true, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_store_refuses_writes_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    let arguments = ["serve", "--data-dir", folder.to_str().unwrap()];
    let disk = Running::start_on_small_disk("noren", &arguments, &folder, 96, 70);
    let Some((service, pipe)) = disk.await else { return };
    let (url, begun) = (&service.url, Instant::now());
    let mut answered = BTreeSet::new();
    let mut refused = 0;
    // Continues after the first rejection: each must be reported, and none may be written in part.
    for n in 0.. {
        let answer = create(url, n).await;
        match answer.status.as_u16() {
            201 => _ = answered.insert(n),
            507 | 503 => refused += 1,
            status => panic!("{status}: {answer:?}"),
        }
        if refused == 20 {
            break;
        }
        assert!(n < 20_000, "the disk does not fill");
    }
    assert!(!answered.is_empty());
    let found_while_full = total(url).await;
    assert!(found_while_full > 0, "searches go on while the disk is full");
    make_room(&pipe);
    wait_until("writes are taken again", async || create(url, 1_000_000).await.status == 201).await;
    answered.insert(1_000_000);
    wait_until("everything that was answered is found", async || total(url).await >= answered.len() as u64)
        .await;
    for n in &answered {
        Answer::of(http_client().get(format!("{url}/products/p{n}"))).await.expect(200);
    }
    assert_converged(url).await;
    println!(
        "{} writes taken and {refused} refused, {found_while_full} products found while the disk was full; {:?}",
        answered.len(),
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_index_keeps_no_write_from_being_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (data, index) = (dir.path().join("data"), dir.path().join("data/index"));
    let arguments = ["serve", "--data-dir", data.to_str().unwrap()];
    let disk = Running::start_on_small_disk("noren", &arguments, &index, 96, 90);
    let Some((service, pipe)) = disk.await else { return };
    let url = &service.url;
    let client = http_client();
    let backlog = async || {
        let ready = Answer::of(client.get(format!("{url}/health/ready"))).await;
        ready.json()["backlog"]["oldestUnsyncedSeconds"].as_f64().unwrap_or(0.0)
    };
    let mut count = 0;
    // Until the index is two seconds behind.
    while backlog().await < 2.0 {
        create(url, count).await.expect(201);
        count += 1;
        assert!(count < 20_000, "the disk does not fill");
    }
    let found = total(url).await;
    assert!(found < count as u64, "the index is behind");
    create(url, count).await.expect(201);
    make_room(&pipe);
    wait_until("everything is found", async || total(url).await == count as u64 + 1).await;
    assert_converged(url).await;
    let metrics = Answer::of(client.get(format!("{url}/metrics"))).await.text;
    let dead = metrics.lines().find(|line| line.starts_with("noren_queue_dead_letters"));
    assert!(dead.is_some_and(|line| line.ends_with(" 0")), "{dead:?}");
    println!("{count} writes taken, of which {found} were found while the disk was full");
}
