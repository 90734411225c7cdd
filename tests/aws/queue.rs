//! The queue on SQS: large batches, foreign messages, names and URLs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_setup::Aws;
use domain::input::read_product;
use domain::ports::{ChangeQueue, Envelope, PortErrorKind};
use domain::{Change, Currency, Product, ProductId, Version};
use sqs_queue::{OpenError, SqsQueue};

use super::closed_address;
use crate::services;
use crate::support::{Answer, http_client};

const WAIT: Duration = Duration::from_secs(20);

fn envelope(id: &str, name: &str) -> Envelope {
    let json = serde_json::json!({ "name": "a", "description": name }).to_string();
    let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
    let (id, now) = (ProductId::parse(id).unwrap(), domain::now());
    let product = Product { id, version: Version(1), created_at: now, updated_at: now, content };
    Envelope { change: Change::Create(Arc::new(product)), traceparent: None }
}

/// A queue and the address of its server.
async fn queue() -> Option<(SqsQueue, String, String)> {
    let server = services::sqs().await?;
    let aws = Aws::local(&server.url).await.unwrap();
    let name = format!("queue-{}", ProductId::generate());
    let queue = SqsQueue::create(&aws, &name, Duration::from_secs(30)).await.unwrap();
    Some((queue, server.url.clone(), name))
}

#[tokio::test]
async fn thousands_of_messages_and_large_ones_arrive_once() {
    let Some((queue, ..)) = queue().await else { return };
    // Together far more than one call can carry, in sizes that fill a call differently.
    let large = |i: usize| envelope(&format!("large{i}"), &"名".repeat(3_000 * (i % 3 + 1)));
    let small = |i: usize| envelope(&format!("small{i}"), "\u{fffe}\u{ffff}");
    let envelopes: Vec<_> = (0..60).map(large).chain((0..1000).map(small)).collect();
    for answer in queue.send(envelopes.clone()).await {
        answer.unwrap();
    }
    let (mut received, mut calls) = (BTreeSet::new(), 0);
    while received.len() < envelopes.len() {
        let deliveries = queue.receive(5000, WAIT).await.unwrap();
        assert!(!deliveries.is_empty(), "only {} messages came", received.len());
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
        queue.extend(&receipts).await.unwrap();
        queue.acknowledge(&receipts).await.unwrap();
        for delivery in deliveries {
            let envelope = delivery.envelope.unwrap();
            assert!(envelopes.contains(&envelope));
            assert!(received.insert(envelope.change.id().to_string()), "{} came twice", envelope.change.id());
        }
        calls += 1;
    }
    assert!(calls < 100, "{calls} receives for messages that were all there");
    assert_eq!(queue.stats().await.unwrap(), domain::ports::QueueStats::default());
}

/// Sends a text that needs no escaping, as another program with access to the queue would.
pub(super) async fn send_text(server: &str, queue: &str, text: &str) {
    let form = [
        ("Action", "SendMessage"),
        ("QueueUrl", &format!("{server}/000000000000/{queue}")),
        ("MessageBody", text),
    ];
    let body: Vec<String> = form.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let sent = http_client().post(server).header("content-type", "application/x-www-form-urlencoded");
    Answer::of(sent.body(body.join("&"))).await.expect(200);
}

#[tokio::test]
async fn a_message_that_is_no_change_is_delivered_as_such() {
    let Some((queue, server, name)) = queue().await else { return };
    send_text(&server, &name, "poison").await;
    let deliveries = queue.receive(10, WAIT).await.unwrap();
    let reason = deliveries[0].envelope.as_ref().unwrap_err();
    assert!(reason.starts_with("it is not a change"), "{reason}");
}

#[tokio::test]
async fn a_queue_may_be_named_by_its_url_and_its_host_does_not_matter() {
    let Some((queue, server, name)) = queue().await else { return };
    let aws = Aws::local(&server).await.unwrap();
    let url = format!("http://sqs.nowhere.invalid:4566/000000000000/{name}");
    let same = SqsQueue::open(&aws, &url).await.unwrap();
    assert_eq!(same.visibility_timeout(), Duration::from_secs(30));
    same.send(vec![envelope("a", "a")]).await.remove(0).unwrap();
    assert_eq!(queue.receive(1, WAIT).await.unwrap().len(), 1);
    // Creating it again changes nothing.
    SqsQueue::create(&aws, &name, Duration::from_secs(9)).await.unwrap();
    assert_eq!(SqsQueue::open(&aws, &name).await.unwrap().visibility_timeout(), Duration::from_secs(30));
    assert!(matches!(SqsQueue::open(&aws, "missing").await, Err(OpenError::NoQueue { .. })));
    assert!(matches!(SqsQueue::open(&aws, "ordered.fifo").await, Err(OpenError::Fifo { .. })));
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let aws = Aws::local(&format!("http://{}", closed_address())).await.unwrap();
    let queue = SqsQueue::open(&aws, "any").await.unwrap();
    let sent = queue.send(vec![envelope("a", "a"), envelope("b", "b")]).await;
    let kinds = sent.iter().map(|answer| answer.as_ref().err().map(|error| error.kind));
    assert_eq!(kinds.collect::<Vec<_>>(), [Some(PortErrorKind::Unavailable); 2]);
    assert_eq!(queue.ready().await.unwrap_err().kind, PortErrorKind::Unavailable);
    assert_eq!(queue.receive(1, Duration::ZERO).await.unwrap_err().kind, PortErrorKind::Unavailable);
}
