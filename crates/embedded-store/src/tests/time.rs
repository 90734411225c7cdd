//! Expiry, retries and ages, by a clock that the tests advance.

use std::time::Duration;

use domain::Version;
use domain::ports::{ChangeQueue, Delivery, MAX_RECEIVES, ProductStore};

use super::{Fixture, VISIBILITY, idempotency_record};
use crate::Outbox;
use crate::messages::MAX_DELAY;
use crate::store::EmbeddedStore;

#[tokio::test]
async fn idempotency_records_are_kept_for_24_hours_and_then_removed() {
    let fixture = Fixture::new();
    let day = Duration::from_secs(24 * 60 * 60);
    for i in 0..1000 {
        fixture.store.record_idempotent(idempotency_record(&format!("old {i}"))).await.unwrap();
    }
    fixture.clock.advance(day - Duration::from_millis(1));
    fixture.store.record_idempotent(idempotency_record("young 1")).await.unwrap();
    assert_eq!(fixture.store.find_idempotent("old 0").await.unwrap(), Some(idempotency_record("old 0")));
    assert_eq!(fixture.count("SELECT count(*) FROM answers"), 1001);
    // Each step removes a bounded number, after the caller got its result: the next call waits for it.
    ProductStore::ready(&fixture.store).await.unwrap();
    fixture.clock.advance(Duration::from_millis(2));
    let mut left = 1000;
    for i in 2.. {
        fixture.store.record_idempotent(idempotency_record(&format!("young {i}"))).await.unwrap();
        ProductStore::ready(&fixture.store).await.unwrap();
        let now_left = fixture.count("SELECT count(*) FROM answers WHERE key LIKE 'old%'");
        assert!(left - now_left <= 300, "{} removed at once", left - now_left);
        left = now_left;
        if left == 0 {
            break;
        }
        assert!(i < 20, "{left} expired records are left");
    }
    assert_eq!(fixture.store.find_idempotent("young 1").await.unwrap(), Some(idempotency_record("young 1")));
    fixture.store.record_idempotent(idempotency_record("old 0")).await.unwrap();
}

#[tokio::test]
async fn outbox_entries_are_found_by_their_age() {
    let fixture = Fixture::with(Outbox::AddEntry);
    for id in ["a", "b", "c"] {
        fixture.create(id).await;
        fixture.clock.advance(Duration::from_secs(10));
    }
    let older_than = async |seconds| {
        let pending = fixture.store.pending(Duration::from_secs(seconds), 10).await.unwrap();
        pending.iter().map(|entry| entry.envelope.change.id().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(older_than(0).await, ["a", "b", "c"]);
    assert_eq!(older_than(15).await, ["a", "b"]);
    assert_eq!(older_than(25).await, ["a"]);
    assert!(older_than(31).await.is_empty());
    assert_eq!(fixture.count("SELECT count(*) FROM messages"), 0);
}

#[tokio::test]
async fn a_message_whose_receivers_crash_becomes_a_dead_letter() {
    let fixture = Fixture::new();
    fixture.create("poison").await;
    fixture.clock.advance(Duration::from_millis(1));
    for receives in 1..=MAX_RECEIVES {
        let deliveries = fixture.receive(10).await;
        assert_eq!(deliveries.len(), 1);
        assert_eq!(deliveries[0].receives, receives);
        fixture.clock.advance(VISIBILITY - Duration::from_millis(1));
        assert!(fixture.receive(10).await.is_empty(), "it is invisible");
        fixture.clock.advance(Duration::from_millis(1));
    }
    fixture.create("good").await;
    // The poison is older, and the receive requests one message only.
    let deliveries = fixture.receive(1).await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].envelope.as_ref().unwrap().change.id().as_str(), "good");
    let dead = fixture.dead_letters(10).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].id.as_ref().unwrap().as_str(), dead[0].version, dead[0].receives),
        ("poison", Some(Version(1)), MAX_RECEIVES)
    );
    assert!(dead[0].reason.as_ref().unwrap().contains("crashed"), "{dead:?}");
    assert_eq!(dead[0].dead_lettered_at.unwrap().as_millisecond(), fixture.store.now());
    assert_eq!(fixture.store.stats().await.unwrap().dead, 1);
}

#[tokio::test]
async fn a_release_does_not_count_the_receive() {
    let fixture = Fixture::new();
    fixture.create("a").await;
    let deliveries = fixture.receive(1).await;
    fixture.store.release(&[deliveries[0].release_request()]).await.unwrap();
    assert_eq!(fixture.receive(1).await[0].receives, 1);
    // The first receipt has expired.
    fixture.store.release(&[deliveries[0].release_request()]).await.unwrap();
    assert_eq!(fixture.store.stats().await.unwrap().in_flight, 1);
}

#[tokio::test]
async fn a_dead_letter_keeps_its_reason() {
    let fixture = Fixture::new();
    fixture.create("a").await;
    let reason = format!("the index refused it: {}", "名".repeat(5_000));
    for _ in 0..MAX_RECEIVES {
        let request = fixture.receive(1).await[0].retry_request(&*reason, Duration::from_secs(3));
        fixture.store.retry_later(&[request]).await.unwrap();
        assert!(fixture.receive(1).await.is_empty());
        fixture.clock.advance(Duration::from_secs(3));
    }
    let dead = fixture.dead_letters(10).await;
    let kept = dead[0].reason.as_ref().unwrap();
    assert!(kept.starts_with("the index refused it: 名") && kept.len() < 7_000);
    assert!(fixture.dead_letters(0).await.is_empty());
}

#[tokio::test]
async fn the_oldest_message_shows_how_far_behind_the_receivers_are() {
    let fixture = Fixture::new();
    fixture.create("a").await;
    fixture.clock.advance(Duration::from_secs(7));
    fixture.create("b").await;
    fixture.clock.advance(Duration::from_secs(2));
    assert_eq!(fixture.store.stats().await.unwrap().oldest_age, Some(Duration::from_secs(9)));
    let first = fixture.receive(1).await;
    assert_eq!(fixture.store.stats().await.unwrap().oldest_age, Some(Duration::from_secs(9)));
    fixture.store.acknowledge(&[first[0].receipt.clone()]).await.unwrap();
    assert_eq!(fixture.store.stats().await.unwrap().oldest_age, Some(Duration::from_secs(2)));
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_clock_that_is_set_back_hides_no_message() {
    let fixture = Fixture::new();
    for id in ["claimed", "retried", "new"] {
        fixture.create(id).await;
    }
    let claimed = fixture.receive(2).await;
    let retried = claimed[1].retry_request("a test", MAX_DELAY);
    fixture.store.retry_later(&[retried]).await.unwrap();
    fixture.clock.set_back(HOUR);
    let stats = fixture.store.stats().await.unwrap();
    assert_eq!((stats.waiting, stats.in_flight), (3, 0));
    fixture.create("later").await;
    let id = |delivery: &Delivery| delivery.envelope.as_ref().unwrap().change.id().to_string();
    let mut received: Vec<String> = fixture.receive(10).await.iter().map(id).collect();
    received.sort();
    assert_eq!(received, ["claimed", "later", "new", "retried"]);
    assert!(fixture.receive(10).await.is_empty(), "each was received once");
    fixture.clock.advance(VISIBILITY);
    assert_eq!(fixture.receive(10).await.len(), 4, "and is visible after its visibility timeout");
}

#[tokio::test]
async fn the_age_of_the_oldest_message_grows_after_the_clock_is_set_back() {
    let fixture = Fixture::new();
    let age = async || fixture.store.stats().await.unwrap().oldest_age.unwrap();
    fixture.create("a").await;
    fixture.clock.advance(Duration::from_secs(30));
    assert_eq!(age().await, Duration::from_secs(30));
    fixture.clock.set_back(HOUR);
    assert_eq!(age().await, Duration::from_secs(30));
    fixture.clock.advance(Duration::from_secs(60));
    assert_eq!(age().await, Duration::from_secs(90));
    // Another process, which starts after the clock was set back, counts from its start.
    let other = EmbeddedStore::open(fixture.data.path(), fixture.clock.options(Outbox::Enqueue)).unwrap();
    assert_eq!(other.stats().await.unwrap().oldest_age, Some(Duration::ZERO));
    fixture.clock.advance(Duration::from_secs(600));
    assert_eq!(other.stats().await.unwrap().oldest_age, Some(Duration::from_secs(600)));
}

#[tokio::test]
async fn a_clock_that_is_set_back_hides_no_outbox_entry() {
    let fixture = Fixture::with(Outbox::AddEntry);
    fixture.create("a").await;
    fixture.clock.advance(Duration::from_secs(30));
    let age = async || fixture.store.outbox().await.unwrap().oldest_age.unwrap();
    assert_eq!(age().await, Duration::from_secs(30));
    fixture.clock.set_back(HOUR);
    fixture.create("b").await;
    assert_eq!(age().await, Duration::from_secs(30));
    let pending = fixture.store.pending(Duration::from_secs(5), 10).await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].envelope.change.id().as_str(), "a");
}
