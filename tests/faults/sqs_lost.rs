//! Fault 7, the queue again: the SQS server restarts without the queue and its messages.
//!
//! Guarantee: with `NOREN_CREATE_TABLES` the queue is created again, and every product is found, whether its change was
//! lost with the queue or written meanwhile, and whichever process comes back first. Without it nothing is created:
//! changes stay in the outbox, and `/health/ready` names the queue, until an operator has created it.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_setup::Aws;
use domain::ProductId;
use domain::ports::ProductStore;
use dynamodb_store::DynamoStore;
use reqwest::Client;
use serde_json::json;
use sqs_queue::{OpenError, SqsQueue, VISIBILITY};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::aws::variables;
use crate::services::{self, Server};
use crate::support::{Answer, Proxy, Running, finished, http_client, scaled, wait_within};

/// The longest time that anything may take on a busy machine.
const LONG: Duration = Duration::from_secs(180);

/// The services of a shop whose queue can be lost: the store is in DynamoDB, the index in a folder.
struct Shop {
    name: String,
    dynamodb: &'static str,
    sqs: Option<Server>,
    proxy: Proxy,
    data: TempDir,
    creates: bool,
    http: Client,
}

impl Shop {
    /// Returns `None` if there are no servers.
    async fn new(creates: bool) -> Option<Self> {
        let (dynamodb, sqs) = (services::dynamodb().await?, services::own_sqs().await?);
        let mut proxy = Proxy::before(&sqs.url);
        proxy.connect().await;
        let (name, data) = (format!("lost-{}", ProductId::generate()), tempfile::tempdir().unwrap());
        let (dynamodb, sqs, http) = (&*dynamodb.url, Some(sqs), http_client());
        Some(Self { name, dynamodb, sqs, proxy, data, creates, http })
    }

    fn variables(&self, endpoint: &str) -> Vec<(String, String)> {
        let ours = [("NOREN_STORE", "dynamodb"), ("NOREN_QUEUE", "sqs"), ("NOREN_INDEX", "tantivy")];
        let data = [("NOREN_DATA_DIR", self.data.path().to_str().unwrap())];
        let all = [&variables(self.dynamodb, endpoint, &self.name)[..], &ours, &data].concat();
        all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    async fn start(&self, service: &str) -> Running {
        Running::start_with(service, &[], |command| {
            command.envs(self.variables(&self.proxy.url()));
            command.env("NOREN_CREATE_TABLES", self.creates.to_string());
        })
        .await
    }

    /// Ends the server of the queue and starts an empty one at the same address.
    async fn lose_the_queue(&mut self) {
        self.proxy.cut().await;
        self.sqs = None;
        let sqs = services::own_sqs().await.unwrap();
        self.proxy.lead_to(&sqs.url);
        self.sqs = Some(sqs);
        self.proxy.connect().await;
    }

    async fn aws(&self) -> Aws {
        Aws::local(&self.sqs.as_ref().unwrap().url).await.unwrap()
    }

    async fn put(&self, command: &Running, id: &str) {
        let put = self.http.put(format!("{}/products/{id}", command.url));
        Answer::of(put.json(&json!({ "name": "a cup for tea" }))).await.expect(201);
    }

    async fn delete(&self, command: &Running, id: &str) {
        Answer::of(self.http.delete(format!("{}/products/{id}", command.url))).await.expect(200);
    }

    async fn ready(&self, service: &Running) -> Answer {
        Answer::of(self.http.get(format!("{}/health/ready", service.url))).await
    }

    /// Waits until a search finds this many products.
    async fn expect_found(&self, query: &Running, expected: usize) {
        let search = format!("{}/products/search?pageSize=1", query.url);
        let total =
            async || Answer::of(self.http.get(&search)).await.expect(200).json()["total"].as_u64().unwrap();
        let is_found = wait_within(LONG, async || total().await == expected as u64).await;
        assert!(is_found, "{} of {expected} products are found", total().await);
    }

    /// Stops the consumer, which holds the index, and compares the index with the store.
    async fn expect_verified(&self, sync: Running, records: usize) {
        sync.interrupt();
        let variables = self.variables(&self.proxy.url());
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let verified =
            tokio::task::block_in_place(|| finished("noren", &["verify", "--back-ends"], &variables));
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
        let text = String::from_utf8([verified.stdout, verified.stderr].concat()).unwrap();
        assert!(text.contains(&format!("{records} products and tombstones compared")), "{text}");
    }
}

/// Returns the value of a counter in `/metrics`.
async fn counter(http: &Client, service: &Running, name: &str) -> u64 {
    let metrics = Answer::of(http.get(format!("{}/metrics", service.url))).await.expect(200).text;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

const REFILLS: &str = "noren_queue_refills_total ";
const REFILLED: &str = "noren_queue_refilled_records_total ";

#[tokio::test(flavor = "multi_thread")]
async fn every_product_is_found_after_the_queue_was_lost_under_writes() {
    let Some(mut shop) = Shop::new(true).await else { return };
    let (command, sync) = (shop.start("noren-command").await, shop.start("noren-sync").await);
    let query = shop.start("noren-query").await;
    let http = shop.http.clone();
    let refills = async |count: u64| {
        let done = async || counter(&http, &command, REFILLS).await >= count;
        assert!(wait_within(LONG, done).await, "{count} refills");
    };
    for i in 0..20 {
        shop.put(&command, &format!("early-{i}")).await;
    }
    shop.expect_found(&query, 20).await;
    // The first queue was new as well, so the store was enqueued once.
    refills(1).await;

    // Without a consumer these changes stay in the queue, among them the deletes of indexed products.
    sync.kill();
    let kept = scaled(3000, 450) as usize;
    for i in 0..kept {
        shop.put(&command, &format!("kept-{i}")).await;
    }
    for i in 0..5 {
        shop.delete(&command, &format!("early-{i}")).await;
    }
    shop.expect_found(&query, 20).await;

    let stop = CancellationToken::new();
    let writing = {
        let (stop, http, url) = (stop.clone(), shop.http.clone(), command.url.clone());
        tokio::spawn(async move {
            let mut written = 0;
            while !stop.is_cancelled() {
                let put = http.put(format!("{url}/products/during-{written}"));
                Answer::of(put.json(&json!({ "name": "a cup for tea" }))).await.expect(201);
                written += 1;
            }
            written
        })
    };
    shop.lose_the_queue().await;
    let sync = shop.start("noren-sync").await;
    refills(2).await;
    stop.cancel();
    let during: usize = writing.await.unwrap();
    assert!(during > 0, "products were written while the queue was away");
    shop.expect_found(&query, 15 + kept + during).await;
    let refilled = counter(&shop.http, &command, REFILLED).await;
    assert!(refilled >= (20 + kept) as u64, "{refilled} records, tombstones included, were enqueued again");
    let ready = shop.ready(&command).await.expect(200).json();
    assert_eq!(ready["parts"], json!({ "store": "ready", "queue": "ready" }));
    assert_eq!(ready["backlog"]["deadLetters"], 0, "the new queue has its dead-letter queue: {ready}");
    shop.expect_verified(sync, 20 + kept + during).await;
}

/// Two processes of `command` share the store and the queue. Only one enqueues the records again.
#[tokio::test(flavor = "multi_thread")]
async fn the_consumer_may_come_back_first_and_one_of_two_command_processes_refills() {
    let Some(mut shop) = Shop::new(true).await else { return };
    let (command, sync) = (shop.start("noren-command").await, shop.start("noren-sync").await);
    let query = shop.start("noren-query").await;
    shop.put(&command, "early").await;
    shop.expect_found(&query, 1).await;
    let first = wait_within(LONG, async || counter(&shop.http, &command, REFILLS).await == 1).await;
    assert!(first, "the first queue was new as well");
    sync.kill();
    let kept = 60;
    for i in 0..kept {
        shop.put(&command, &format!("kept-{i}")).await;
    }
    command.kill();

    shop.lose_the_queue().await;
    let sync = shop.start("noren-sync").await;
    let is_ready = wait_within(LONG, async || shop.ready(&sync).await.status == 200).await;
    assert!(is_ready, "the consumer created the queue");
    let other_data = tempfile::tempdir().unwrap();
    let other_folder = ["--data-dir", other_data.path().to_str().unwrap()];
    let other = Running::start_with("noren-command", &other_folder, |command| {
        let variables = shop.variables(&shop.proxy.url());
        command.envs(variables.into_iter().filter(|(name, _)| name != "NOREN_DATA_DIR"));
        command.env("NOREN_CREATE_TABLES", "true");
    });
    let (command, other) = tokio::join!(shop.start("noren-command"), other);
    shop.expect_found(&query, 1 + kept).await;
    let both = async |name: &str| {
        counter(&shop.http, &command, name).await + counter(&shop.http, &other, name).await
    };
    assert!(wait_within(LONG, async || both(REFILLS).await == 1).await, "the refill completes");
    assert_eq!(both(REFILLED).await, 1 + kept as u64, "each record was enqueued once");
    shop.expect_verified(sync, 1 + kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_permission_to_create_it_changes_stay_in_the_outbox_until_the_queue_is_there() {
    let Some(mut shop) = Shop::new(true).await else { return };
    // Creates the table and the queue.
    shop.start("noren-command").await.interrupt();
    shop.creates = false;
    let (command, sync) = (shop.start("noren-command").await, shop.start("noren-sync").await);
    let query = shop.start("noren-query").await;
    shop.put(&command, "early").await;
    shop.expect_found(&query, 1).await;

    shop.lose_the_queue().await;
    let ids: BTreeSet<String> = (0..30).map(|i| format!("late-{i}")).collect();
    for id in &ids {
        shop.put(&command, id).await;
    }
    for service in [&command, &sync] {
        let ready = shop.ready(service).await.problem(503);
        let queue = ready["parts"]["queue"].as_str().unwrap();
        assert!(queue.contains(&shop.name) && queue.contains("NOREN_CREATE_TABLES"), "{ready}");
    }
    let store = DynamoStore::open(&Aws::local(shop.dynamodb).await.unwrap(), &shop.name).await.unwrap();
    let outbox = store.outbox().await.unwrap();
    assert_eq!(outbox.entries, ids.len() as u64, "the outbox keeps the changes");
    let missing = SqsQueue::open(&shop.aws().await, &shop.name).await;
    assert!(matches!(missing, Err(OpenError::NoQueue { .. })), "nothing was created");

    SqsQueue::create(&shop.aws().await, &shop.name, VISIBILITY).await.unwrap();
    shop.expect_found(&query, 1 + ids.len()).await;
    assert_eq!(shop.ready(&command).await.status, 200);
    shop.expect_verified(sync, 1 + ids.len()).await;
}
