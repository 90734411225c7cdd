//! Fault 7, the queue: SQS is unavailable during writes.
//!
//! Guarantee: writes succeed, because the outbox in DynamoDB keeps the changes; memory does not grow with the backlog;
//! once SQS is back, everything is enqueued and found without intervention.
//!
//! `NOREN_TEST_SCALE=60 cargo test --workspace --test integration faults::sqs_away` repeats it with an outage of ten
//! minutes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_setup::Aws;
use domain::ProductId;
use domain::ports::ChangeQueue;
use futures::future::join_all;
use serde_json::json;
use sqs_queue::SqsQueue;

use crate::aws::variables;
use crate::services;
use crate::support::{Answer, FaultProxy, Rule, Running, http_client, scaled, wait_within};

const CLIENTS: usize = 16;
/// The length of the outage at full scale.
const OUTAGE_SECONDS: u64 = 10;
/// The most bytes by which the memory of a service may grow during the outage.
const MAX_GROWTH: u64 = 48 << 20;
/// The longest time that draining may take on a busy machine.
const LONG: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn writes_succeed_while_sqs_is_away_and_are_found_when_it_is_back() {
    let (Some(dynamodb), Some(sqs)) = (services::dynamodb().await, services::sqs().await) else { return };
    let name = format!("away-{}", ProductId::generate());
    let queue =
        SqsQueue::create(&Aws::local(&sqs.url).await.unwrap(), &name, Duration::from_secs(5)).await.unwrap();
    let is_away = Arc::new(AtomicBool::new(false));
    let away = Arc::clone(&is_away);
    let proxy = FaultProxy::before(&sqs.url, move |_| match away.load(Ordering::Relaxed) {
        true => Rule::Cut,
        false => Rule::Pass,
    })
    .await;
    let data = tempfile::tempdir().unwrap();
    let start = async |service: &str| {
        Running::start_with(service, &["--data-dir", data.path().to_str().unwrap()], |command| {
            command.envs(variables(&dynamodb.url, &proxy.url, &name));
            command.env("NOREN_QUEUE", "sqs");
            if service == "noren-command" {
                command.env("NOREN_STORE", "dynamodb").env("NOREN_CREATE_TABLES", "true");
            }
        })
        .await
    };
    let (command, sync) = (start("noren-command").await, start("noren-sync").await);
    let query = Running::start("noren-query", &["--data-dir", data.path().to_str().unwrap()]).await;

    // A warm-up: afterwards the services have allocated the memory that this load needs.
    let mut writers: Vec<Writer> = (0..CLIENTS)
        .map(|number| Writer { number, http: http_client(), written: 0, slowest: Duration::ZERO })
        .collect();
    join_all(writers.iter_mut().map(|writer| writer.write_for(&command, Duration::from_secs(2)))).await;
    let written = |writers: &[Writer]| writers.iter().map(|writer| writer.written).sum::<usize>();
    let (before, memory) = (written(&writers), [&command, &sync].map(Running::memory));

    is_away.store(true, Ordering::Relaxed);
    let outage = Duration::from_secs(scaled(OUTAGE_SECONDS, 3));
    join_all(writers.iter_mut().map(|writer| writer.write_for(&command, outage))).await;
    let grown = [&command, &sync].map(Running::memory).into_iter().zip(memory);
    let grown: Vec<u64> =
        grown.map(|(now, then)| now.unwrap_or(0).saturating_sub(then.unwrap_or(0))).collect();
    is_away.store(false, Ordering::Relaxed);

    let (all, back) = (written(&writers), Instant::now());
    let slowest = writers.iter().map(|writer| writer.slowest).max().unwrap_or_default();
    let http = http_client();
    let total = async || {
        let search = http.get(format!("{}/products/search?pageSize=1", query.url));
        Answer::of(search).await.expect(200).json()["total"].as_u64().unwrap() as usize
    };
    assert!(wait_within(LONG, async || total().await == all).await, "{} of {all} are found", total().await);
    let drained = back.elapsed();
    let is_empty = async || {
        let stats = queue.stats().await.unwrap();
        (stats.waiting, stats.in_flight, stats.dead) == (0, 0, 0)
    };
    assert!(wait_within(LONG, is_empty).await, "the queue runs empty, without dead letters");
    println!(
        "{} writes in {outage:?} without SQS, the slowest in {slowest:?}; command and sync took {:?} KB more; \
         all {all} were found {drained:?} after it was back",
        all - before,
        grown.iter().map(|bytes| bytes / 1024).collect::<Vec<_>>()
    );
    assert!(all > before, "clients wrote without SQS");
    assert!(grown.iter().all(|bytes| *bytes < MAX_GROWTH), "{grown:?} bytes");
}

/// A client that creates products.
struct Writer {
    number: usize,
    http: reqwest::Client,
    written: usize,
    slowest: Duration,
}

impl Writer {
    async fn write_for(&mut self, command: &Running, duration: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < duration {
            let url = format!("{}/products/c{}-{}", command.url, self.number, self.written);
            let sent = Instant::now();
            Answer::of(self.http.put(url).json(&json!({"name": "a cup for tea"}))).await.expect(201);
            self.slowest = self.slowest.max(sent.elapsed());
            self.written += 1;
        }
    }
}
