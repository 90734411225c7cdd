//! What every queue must do with the messages that it gave up: a function for each sentence of [`DeadLetters`]'s
//! documentation.

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
use crate::support::give_up_all;

/// A queue with its dead letters.
trait Queue: ChangeQueue + DeadLetters {}
impl<T: ChangeQueue + DeadLetters> Queue for T {}

/// Sends a change and gives it up.
async fn give_up(queue: &dyn Queue, product: &str, version: u64) {
    let tombstone = Tombstone { id: id(product), version: Version(version), deleted_at: domain::now() };
    let envelope = Envelope { change: Change::Delete(tombstone), traceparent: None };
    queue.send(vec![envelope]).await.remove(0).unwrap();
    give_up_all(queue, &format!("no room for {product}")).await;
}

async fn letters(queue: &dyn Queue) -> Vec<DeadLetter> {
    queue.newest(10).await.unwrap().letters
}

fn keys(letters: &[DeadLetter]) -> Vec<DeadLetterKey> {
    letters.iter().map(|letter| letter.key.clone()).collect()
}

async fn a_letter_tells_what_it_is_about_and_why(queue: &dyn Queue) {
    let begun = domain::now();
    give_up(queue, "a", 7).await;
    let letter = letters(queue).await.remove(0);
    assert_eq!((letter.id, letter.version), (Some(id("a")), Some(Version(7))));
    assert_eq!((letter.reason.as_deref(), letter.receives), (Some("no room for a"), MAX_RECEIVES));
    let dead_lettered_at = letter.dead_lettered_at.unwrap();
    assert!(dead_lettered_at >= begun && dead_lettered_at <= domain::now(), "{dead_lettered_at}");
    assert!(letter.body.unwrap().contains("\"DELETE\""));
}

async fn the_newest_come_first_and_at_most_as_many_as_asked_for(queue: &dyn Queue) {
    assert_eq!(queue.newest(5).await.unwrap(), Default::default());
    for product in ["a", "b", "c"] {
        give_up(queue, product, 1).await;
    }
    let ids = |letters: &[DeadLetter]| -> Vec<ProductId> {
        letters.iter().map(|letter| letter.id.clone().unwrap()).collect()
    };
    let all = queue.newest(3).await.unwrap();
    assert_eq!((ids(&all.letters), all.more), (["c", "b", "a"].map(id).into(), false));
    let some = queue.newest(2).await.unwrap();
    assert_eq!((ids(&some.letters), some.more), (["c", "b"].map(id).into(), true));
    // To look takes nothing away, also from another who looks.
    assert_eq!(queue.newest(3).await.unwrap(), all);
    assert_eq!(queue.stats().await.unwrap().dead, 3);
}

async fn letters_are_found_by_their_keys(queue: &dyn Queue) {
    give_up(queue, "a", 1).await;
    give_up(queue, "b", 1).await;
    let all = letters(queue).await;
    let wanted = [keys(&all), vec![DeadLetterKey("none".to_owned())]].concat();
    let found = queue.find(&wanted).await.unwrap();
    assert_eq!(found, [Some(all[0].clone()), Some(all[1].clone()), None]);
}

async fn what_is_removed_is_gone_and_the_others_stay(queue: &dyn Queue) {
    give_up(queue, "a", 1).await;
    give_up(queue, "b", 1).await;
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

/// Makes a module for each adapter with a test for each sentence.
macro_rules! hold_to_the_contract {
    ($sentences:tt $($adapter:ident: $open:expr;)+) => {
        $(hold_to_the_contract!(@adapter $adapter, $open, $sentences);)+
    };
    (@adapter $adapter:ident, $open:expr, [$($sentence:ident),+ $(,)?]) => {
        mod $adapter {
            use super::*;
            $(#[tokio::test]
            async fn $sentence() {
                let Some((queue, _data)) = $open else { return };
                super::$sentence(&queue).await;
            })+
        }
    };
}

hold_to_the_contract! {
    [
        a_letter_tells_what_it_is_about_and_why,
        the_newest_come_first_and_at_most_as_many_as_asked_for,
        letters_are_found_by_their_keys,
        what_is_removed_is_gone_and_the_others_stay,
    ]
    sqlite: embedded();
    sqs: sqs().await;
}
