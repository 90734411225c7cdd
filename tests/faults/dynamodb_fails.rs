//! Fault 7, the store: DynamoDB throttles, and transactions conflict.
//!
//! Guarantee: as long as DynamoDB accepts some of the attempts, every write gets a 2xx, is applied once, and is
//! enqueued.
//!
//! `SEED=7 NOREN_TEST_SCALE=10 cargo test --workspace --test integration faults::dynamodb_fails` repeats it with other
//! faults, ten times as long.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_setup::Aws;
use domain::ProductId;
use dynamodb_store::DynamoStore;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::shop::Shop;
use crate::services;
use crate::support::{Answer, FaultProxy, Passing, Rule, http_client, scaled, seed};

const CLIENTS: u64 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn writes_succeed_while_dynamodb_throttles_and_transactions_conflict() {
    let Some(server) = services::dynamodb().await else { return };
    println!("seed {}", seed());
    let chance = Mutex::new(fastrand::Rng::with_seed(seed()));
    // No faults while the table is created.
    let table = format!("fails-{}", ProductId::generate());
    DynamoStore::create(&Aws::local(&server.url).await.unwrap(), &table).await.unwrap();
    let proxy =
        FaultProxy::before(&server.url, move |passing| rule(passing, &mut chance.lock().unwrap())).await;
    let store = DynamoStore::open(&Aws::local(&proxy.url).await.unwrap(), &table).await.unwrap();
    let shop = Shop::dynamodb_table(&store).await;
    let writes = scaled(40, 20);
    let clients = (0..CLIENTS).map(|client| write(&shop, client, writes));
    let versions: BTreeMap<String, u64> = join_all(clients).await.into_iter().flatten().collect();
    let products: BTreeMap<String, u64> = shop.products().await.into_iter().collect();
    let live: BTreeMap<String, u64> = versions
        .iter()
        .filter(|(_, version)| **version % 4 != 0)
        .map(|(id, version)| (id.clone(), *version))
        .collect();
    assert_eq!(products, live);
    let (events, messages) = shop.events().await;
    for product in versions {
        assert!(events.contains(&product), "the newest change of {product:?} is enqueued");
    }
    println!("{} writes, all answered with 2xx; {messages} messages", CLIENTS * writes);
}

/// Decides the fate of a call to DynamoDB.
fn rule(passing: &Passing, chance: &mut fastrand::Rng) -> Rule {
    let target = passing.headers.get("x-amz-target").map(|target| target.as_bytes()).unwrap_or_default();
    let is_write = target.ends_with(b".TransactWriteItems");
    match (is_write, chance.u8(0..100)) {
        (true, 0..20) => Rule::Answer(400, throttled()),
        (true, 20..35) => Rule::Answer(400, conflict(&passing.body)),
        (false, 0..3) => Rule::Answer(400, throttled()),
        _ => Rule::Pass,
    }
}

fn throttled() -> String {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "message": "The level of configured provisioned throughput for the table was exceeded."
    })
    .to_string()
}

/// Builds the response to a transaction that conflicts on its first item.
fn conflict(request: &[u8]) -> String {
    let request: Value = serde_json::from_slice(request).unwrap();
    let items = request["TransactItems"].as_array().unwrap().len();
    let reason = |at: usize| match at {
        0 => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
        _ => json!({"Code": "None"}),
    };
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": (0..items).map(reason).collect::<Vec<_>>(),
    })
    .to_string()
}

/// Creates, replaces, patches and deletes a client's products one after the other, and returns their versions. Every
/// fourth version is a delete.
async fn write(shop: &Shop, client: u64, writes: u64) -> BTreeMap<String, u64> {
    let (http, mut versions) = (http_client(), BTreeMap::new());
    for step in 0..writes {
        let id = format!("c{client}-{}", step % 5);
        let version = versions.entry(id.clone()).or_insert(0);
        *version += 1;
        let url = format!("{}/products/{id}", shop.url);
        let name = json!({"name": format!("cup {step}"), "sku": id});
        let request = match *version % 4 {
            0 => http.delete(url),
            3 => http
                .request(Method::PATCH, url)
                .header("content-type", "application/merge-patch+json")
                .body(json!({"stock": step}).to_string()),
            _ => http.put(url).json(&name),
        };
        let answer = Answer::of(request).await;
        assert!(answer.status.is_success(), "{id} to version {version}: {answer:?}");
        assert_eq!(answer.json()["version"], *version);
    }
    versions
}
