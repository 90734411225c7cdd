//! Fault 10: retries of requests with an idempotency key whose response was lost after the write.
//!
//! Guarantee: retried immediately, concurrently with the first, or after 11 minutes (DynamoDB itself recognizes a
//! retried transaction for ten), the request is applied once: one product, one version, one event. Each retry gets the
//! response of the first.
//!
//! `cargo test --workspace --test integration faults::repeated` repeats it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use embedded_store::Outbox;
use futures::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::shop::{LATER, Shop};
use crate::services;
use crate::support::{Answer, FaultProxy, Rule, http_client, on_each, wait_until};

fn request(url: &str, method: &Method, path: &str, key: &str, body: &Value) -> RequestBuilder {
    let request =
        http_client().request(method.clone(), format!("{url}{path}")).header("idempotency-key", key);
    match *method {
        Method::DELETE => request,
        Method::PATCH => {
            request.header("content-type", "application/merge-patch+json").body(body.to_string())
        }
        _ => request.json(body),
    }
}

async fn dynamodb() -> Option<Shop> {
    Some(Shop::dynamodb(&services::dynamodb().await?.url).await)
}

on_each! {
    {
        sqlite_that_enqueues: Some(Shop::embedded(Outbox::Enqueue).await);
        sqlite_with_an_outbox: Some(Shop::embedded(Outbox::AddEntry).await);
        dynamodb: dynamodb().await;
    }
    {
        |shop| (&shop) [
            a_write_whose_answer_is_lost_happens_once,
            a_write_whose_client_hangs_up_happens_once,
            a_write_that_is_repeated_while_it_runs_happens_once,
        ]
    }
}

/// The write was applied, and its response is lost.
async fn a_write_whose_answer_is_lost_happens_once(shop: &Shop) {
    let (mut created, mut version) = (String::new(), 0);
    for (method, key, body) in [
        (Method::POST, "key-1", json!({"name": "Cup", "stock": 1})),
        (Method::PUT, "key-2", json!({"name": "Mug", "stock": 1})),
        (Method::PATCH, "key-3", json!({"stock": 2})),
        (Method::DELETE, "key-4", Value::Null),
    ] {
        version += 1;
        let path = if created.is_empty() { "/products".to_owned() } else { format!("/products/{created}") };
        let lost = request(&shop.mute.url, &method, &path, key, &body).send().await;
        assert!(lost.is_err(), "no answer came: {lost:?}");
        let mut answers = Vec::new();
        for _ in ["at once", "after 11 minutes"] {
            let answer = Answer::of(request(&shop.url, &method, &path, key, &body)).await;
            assert!(answer.status.is_success(), "{answer:?}");
            answers.push(answer.text);
            shop.seconds_later.fetch_add(LATER, Ordering::Relaxed);
        }
        assert_eq!(answers[0], answers[1]);
        let answer: Value = serde_json::from_str(&answers[0]).unwrap();
        assert_eq!(answer["version"], version, "{answer}");
        created = answer["id"].as_str().unwrap().to_owned();
        let expected = if method == Method::DELETE { vec![] } else { vec![(created.clone(), version)] };
        assert_eq!(shop.products().await, expected);
    }
    let made = |version| (created.clone(), version);
    let (events, messages) = shop.events().await;
    // A message with the current record has the newest version, so all four may have version 4.
    assert!(events.contains(&made(4)) && events.len() <= 4, "{events:?}");
    assert_eq!(messages, 4, "one event for each write");
}

/// The client disconnects immediately, so the write may have been applied or not.
async fn a_write_whose_client_hangs_up_happens_once(shop: &Shop) {
    let address = shop.url.trim_start_matches("http://").to_owned();
    for attempt in 0..20 {
        let (key, body) = (format!("key-{attempt}"), json!({"name": format!("Cup {attempt}")}));
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let text = body.to_string();
        let head = format!(
            "POST /products HTTP/1.1\r\nhost: {address}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        stream.write_all(format!("{head}{text}").as_bytes()).await.unwrap();
        drop(stream);
        let repeat = async || {
            let request = request(&shop.url, &Method::POST, "/products", &key, &body);
            Answer::of(request).await.expect(201).json()
        };
        let at_once = repeat().await;
        shop.seconds_later.fetch_add(LATER, Ordering::Relaxed);
        assert_eq!(at_once, repeat().await);
        assert_eq!(at_once["version"], 1);
    }
    let products = shop.products().await;
    assert_eq!(products.len(), 20, "{products:?}");
    let (events, _) = shop.events().await;
    assert_eq!(events, products.into_iter().collect(), "one event for each product");
}

/// An impatient client retries a request that is still running.
async fn a_write_that_is_repeated_while_it_runs_happens_once(shop: &Shop) {
    let put = request(&shop.url, &Method::PUT, "/products/cup", "key-0", &json!({"name": "Cup"}));
    Answer::of(put).await.expect(201);
    for version in 1..20_u64 {
        let (key, body) = (format!("key-{version}"), json!({"name": format!("Cup {version}")}));
        let repeated = (0..8).map(|_| {
            let request = request(&shop.url, &Method::PUT, "/products/cup", &key, &body);
            Answer::of(request.header("if-match", format!("\"{version}\"")))
        });
        for answer in join_all(repeated).await {
            assert_eq!(answer.expect(200).json()["version"], version + 1);
        }
    }
    assert_eq!(shop.products().await, [("cup".to_owned(), 20)]);
    assert_eq!(shop.events().await.1, 20, "one event for each write");
}

/// The response of DynamoDB to the service is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_answer_is_lost_happens_once() {
    let Some(server) = services::dynamodb().await else { return };
    let to_lose = Arc::new(AtomicUsize::new(0));
    let losing = Arc::clone(&to_lose);
    let proxy = FaultProxy::before(&server.url, move |passing| {
        let target = passing.headers.get("x-amz-target").map(|target| target.as_bytes());
        let is_write = target.is_some_and(|target| target.ends_with(b".TransactWriteItems"));
        let lost = |left: usize| left.checked_sub(1);
        match is_write && losing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lost).is_ok() {
            true => Rule::Swallow,
            false => Rule::Pass,
        }
    })
    .await;
    let shop = Shop::dynamodb(&proxy.url).await;
    // The SDK retries one lost response; after ten it gives up, and the client retries.
    for (name, lost) in [("once", 1), ("ten-times", 10)] {
        to_lose.store(lost, Ordering::Relaxed);
        let put = async || {
            let path = format!("/products/{name}");
            let body = json!({"name": name});
            Answer::of(request(&shop.url, &Method::PUT, &path, name, &body)).await
        };
        let first = put().await;
        assert!([201, 503].contains(&first.status.as_u16()), "{first:?}");
        wait_until("the write is answered", async || put().await.status == 201).await;
        shop.seconds_later.fetch_add(LATER, Ordering::Relaxed);
        assert_eq!(put().await.expect(201).json()["version"], 1);
    }
    let products = shop.products().await;
    assert_eq!(products.len(), 2, "{products:?}");
    let (events, messages) = shop.events().await;
    assert_eq!(events, products.into_iter().collect());
    assert_eq!(messages, 2, "one event for each write");
}
