//! The contract of [`DeadLetters`]: a test of each sentence of its documentation, for each queue.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

use std::time::Duration;

use aws_setup::Aws;
use domain::ports::{ChangeQueue, DeadLetter, DeadLetterKey, DeadLetters, Envelope, MAX_RECEIVES};
use domain::{Change, ProductId, Tombstone, Version};
use embedded_store::{EmbeddedStore, Options};
use sqs_queue::SqsQueue;
use tempfile::TempDir;

use super::store::id;
use crate::services;
use crate::support::{dead_letter_all, on_each};

/// A queue with its dead letters.
trait Queue: ChangeQueue + DeadLetters {}
impl<T: ChangeQueue + DeadLetters> Queue for T {}

/// Sends a change and fails it until it is a dead letter.
async fn dead_letter(queue: &dyn Queue, product: &str, version: u64) {
    let tombstone = Tombstone { id: id(product), version: Version(version), deleted_at: domain::now() };
    let envelope = Envelope { change: Change::Delete(tombstone), traceparent: None };
    queue.send(vec![envelope]).await.remove(0).unwrap();
    dead_letter_all(queue, &format!("no room for {product}")).await;
}

async fn letters(queue: &dyn Queue) -> Vec<DeadLetter> {
    queue.newest(10).await.unwrap().letters
}

fn keys(letters: &[DeadLetter]) -> Vec<DeadLetterKey> {
    letters.iter().map(|letter| letter.key.clone()).collect()
}

async fn a_letter_has_its_change_and_its_reason(queue: &dyn Queue) {
    let begun = domain::now();
    dead_letter(queue, "a", 7).await;
    let letter = letters(queue).await.remove(0);
    assert_eq!((letter.id, letter.version), (Some(id("a")), Some(Version(7))));
    assert_eq!((letter.reason.as_deref(), letter.receives), (Some("no room for a"), MAX_RECEIVES));
    let dead_lettered_at = letter.dead_lettered_at.unwrap();
    assert!(dead_lettered_at >= begun && dead_lettered_at <= domain::now(), "{dead_lettered_at}");
    assert!(letter.body.unwrap().contains("\"DELETE\""));
}

async fn newest_returns_at_most_limit_letters_newest_first(queue: &dyn Queue) {
    assert_eq!(queue.newest(5).await.unwrap(), Default::default());
    for product in ["a", "b", "c"] {
        dead_letter(queue, product, 1).await;
    }
    let ids = |letters: &[DeadLetter]| -> Vec<ProductId> {
        letters.iter().map(|letter| letter.id.clone().unwrap()).collect()
    };
    let all = queue.newest(3).await.unwrap();
    assert_eq!((ids(&all.letters), all.more), (["c", "b", "a"].map(id).into(), false));
    let some = queue.newest(2).await.unwrap();
    assert_eq!((ids(&some.letters), some.more), (["c", "b"].map(id).into(), true));
    // Reading removes nothing, and hides nothing from another reader.
    assert_eq!(queue.newest(3).await.unwrap(), all);
    assert_eq!(queue.stats().await.unwrap().dead, 3);
}

async fn find_returns_letters_in_request_order(queue: &dyn Queue) {
    dead_letter(queue, "a", 1).await;
    dead_letter(queue, "b", 1).await;
    let all = letters(queue).await;
    let wanted = [keys(&all), vec![DeadLetterKey("none".to_owned())]].concat();
    let found = queue.find(&wanted).await.unwrap();
    assert_eq!(found, [Some(all[0].clone()), Some(all[1].clone()), None]);
}

async fn remove_removes_the_letters_that_it_names(queue: &dyn Queue) {
    dead_letter(queue, "a", 1).await;
    dead_letter(queue, "b", 1).await;
    let all = letters(queue).await;
    let first = all[0].key.clone();
    let named = [first.clone(), DeadLetterKey("none".to_owned())];
    assert_eq!(queue.remove(&named).await.unwrap(), [true, false]);
    assert_eq!(letters(queue).await, all[1..]);
    assert_eq!(queue.remove(&[first]).await.unwrap(), [false]);
    assert_eq!(queue.stats().await.unwrap().dead, 1);
}

// ---------------------------------------------------------------------------------------------- adapters

fn embedded() -> Option<(EmbeddedStore, Option<TempDir>)> {
    let data = tempfile::tempdir().unwrap();
    Some((EmbeddedStore::open(data.path(), Options::default()).unwrap(), Some(data)))
}

async fn sqs() -> Option<(SqsQueue, Option<TempDir>)> {
    let server = services::sqs().await?;
    let aws = Aws::local(&server.url).await.unwrap();
    let name = format!("dead-{}", ProductId::generate());
    Some((SqsQueue::create(&aws, &name, Duration::from_secs(30)).await.unwrap(), None))
}

on_each! {
    {
        sqlite: embedded();
        sqs: sqs().await;
    }
    {
        |queue| (&queue.0) [
            a_letter_has_its_change_and_its_reason,
            newest_returns_at_most_limit_letters_newest_first,
            find_returns_letters_in_request_order,
            remove_removes_the_letters_that_it_names,
        ]
    }
}
