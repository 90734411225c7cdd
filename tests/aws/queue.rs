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
use crate::support::{Answer, dead_letter_all, http_client};

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
    let error = SqsQueue::create(&aws, "any", WAIT).await.err().unwrap();
    assert!(error.is_transient() && error.to_string().contains("AWS_ENDPOINT_URL_SQS"), "{error}");
    let queue = SqsQueue::unchecked(&aws, "any", None);
    let sent = queue.send(vec![envelope("a", "a"), envelope("b", "b")]).await;
    let kinds = sent.iter().map(|answer| answer.as_ref().err().map(|error| error.kind));
    assert_eq!(kinds.collect::<Vec<_>>(), [Some(PortErrorKind::Unavailable); 2]);
    assert_eq!(queue.ready().await.unwrap_err().kind, PortErrorKind::Unavailable);
    assert_eq!(queue.receive(1, Duration::ZERO).await.unwrap_err().kind, PortErrorKind::Unavailable);
}

/// Deletes a queue, as a server does that is restarted and kept it in memory.
async fn delete(server: &str, queue: &str) {
    let body = format!("Action=DeleteQueue&QueueUrl={server}/000000000000/{queue}");
    let post = http_client().post(server).header("content-type", "application/x-www-form-urlencoded");
    Answer::of(post.body(body)).await.expect(200);
}

#[tokio::test]
async fn a_queue_that_went_missing_is_created_again_with_its_settings_by_the_call_that_finds_it_missing() {
    let Some((queue, server, name)) = queue().await else { return };
    let aws = Aws::local(&server).await.unwrap();
    let another = SqsQueue::create(&aws, &name, Duration::from_secs(30)).await.unwrap();
    let lose = async || {
        delete(&server, &name).await;
        delete(&server, &format!("{name}-dead")).await;
    };
    lose().await;
    for result in queue.send((0..25).map(|i| envelope(&format!("p{i}"), "a")).collect()).await {
        result.unwrap();
    }
    let mut received = 0;
    while received < 25 {
        let deliveries = another.receive(100, WAIT).await.unwrap();
        assert!(!deliveries.is_empty(), "only {received} messages came");
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
        another.acknowledge(&receipts).await.unwrap();
        received += receipts.len();
    }
    lose().await;
    assert!(another.receive(1, Duration::ZERO).await.unwrap().is_empty());
    lose().await;
    another.ready().await.unwrap();
    lose().await;
    assert_eq!(queue.stats().await.unwrap(), domain::ports::QueueStats::default());
    assert_eq!(SqsQueue::open(&aws, &name).await.unwrap().visibility_timeout(), Duration::from_secs(30));
    // Its dead-letter queue is there too.
    queue.send(vec![envelope("dead", "a")]).await.remove(0).unwrap();
    dead_letter_all(&queue, "no room for it").await;
    assert_eq!(queue.stats().await.unwrap().dead, 1);
}

#[tokio::test]
async fn a_queue_that_went_missing_is_an_error_unless_queues_are_created() {
    let Some((_, server, name)) = queue().await else { return };
    let aws = Aws::local(&server).await.unwrap();
    let queue = SqsQueue::open(&aws, &name).await.unwrap();
    delete(&server, &name).await;
    let errors = [
        queue.send(vec![envelope("a", "a")]).await.remove(0).unwrap_err(),
        queue.receive(1, Duration::ZERO).await.unwrap_err(),
        queue.stats().await.unwrap_err(),
        queue.ready().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, PortErrorKind::Unavailable, "{}", error.chain());
        let line = error.chain();
        assert!(line.contains(&format!("`{name}`")) && line.contains("NOREN_CREATE_TABLES"), "{line}");
    }
    assert!(
        matches!(SqsQueue::open(&aws, &name).await, Err(OpenError::NoQueue { .. })),
        "it was not created"
    );
    // Once an operator has created it, it is used without a restart.
    SqsQueue::create(&aws, &name, Duration::from_secs(7)).await.unwrap();
    queue.send(vec![envelope("a", "a")]).await.remove(0).unwrap();
    assert_eq!(queue.visibility_timeout(), Duration::from_secs(7));
}

#[tokio::test]
async fn a_new_queue_is_refilled_once_by_one_of_many_processes() {
    let Some((queue, server, name)) = queue().await else { return };
    let aws = Aws::local(&server).await.unwrap();
    let another = SqsQueue::create(&aws, &name, Duration::from_secs(30)).await.unwrap();
    let only_opened = SqsQueue::open(&aws, &name).await.unwrap();
    assert_eq!(only_opened.claim_refill("c").await.unwrap(), None, "it may not tag queues");

    let (a, b) = tokio::join!(queue.claim_refill("a"), another.claim_refill("b"));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert!(a.is_some() != b.is_some(), "one of two claims succeeds: {a:?}, {b:?}");
    let (owner, waiting) = if a.is_some() { ("a", "b") } else { ("b", "a") };
    let id = a.or(b).unwrap();
    assert_eq!(queue.claim_refill(waiting).await.unwrap(), None);
    assert_eq!(queue.claim_refill(owner).await.unwrap().as_ref(), Some(&id), "a claim is renewed");

    // The queue is lost during the refill: completing that one does not complete the next one.
    delete(&server, &name).await;
    queue.complete_refill(&id).await.unwrap();
    let next = another.claim_refill(waiting).await.unwrap().unwrap();
    assert_ne!(next, id);
    another.complete_refill(&next).await.unwrap();
    assert_eq!(another.claim_refill(waiting).await.unwrap(), None);
    assert_eq!(queue.claim_refill(owner).await.unwrap(), None);
}
