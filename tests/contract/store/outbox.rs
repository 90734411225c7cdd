//! The contract of the outbox: no write is lost on its way to the queue.

use std::time::{Duration, Instant};

use domain::Version;
use domain::ports::{ChangeQueue, OutboxEntryId, OutboxStats, ProductStore};
use embedded_store::Outbox;

use super::{create, delete, dynamodb, embedded, named, update, write_all};
use crate::support::on_each;

/// A write is either in the store's own queue or in the outbox, never in both or neither.
async fn every_write_is_enqueued_or_adds_an_outbox_entry(
    store: &dyn ProductStore,
    queue: Option<&dyn ChangeQueue>,
) {
    let mut first = create("a", named("a"));
    first.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let writes = vec![first.clone(), create("b", named("b")), create("c", named("c"))];
    let written = write_all(store, writes).await;
    write_all(store, vec![delete("c", 2)]).await;
    let pending = store.pending(Duration::ZERO, 10).await.unwrap();
    let envelopes: Vec<_> = match queue {
        Some(queue) => {
            assert!(pending.is_empty() && written.iter().all(|written| written.outbox_entry.is_none()));
            let received = queue.receive(10, Duration::from_secs(10)).await.unwrap();
            received.into_iter().map(|delivery| delivery.envelope.unwrap()).collect()
        }
        None => {
            assert!(written.iter().all(|written| written.outbox_entry.is_some()));
            pending.into_iter().map(|pending| pending.envelope).collect()
        }
    };
    let about = |product_id: &str| -> Vec<_> {
        envelopes.iter().filter(|envelope| envelope.change.id().as_str() == product_id).collect()
    };
    assert_eq!(envelopes.len(), 4);
    assert_eq!(about("a").len(), 1);
    assert_eq!((&about("a")[0].change, &about("a")[0].traceparent), (&first.change, &first.traceparent));
    assert_eq!((about("b")[0].change.version(), about("b")[0].traceparent.as_ref()), (Version(1), None));
    assert_eq!(about("c").iter().filter(|envelope| envelope.change.version() == Version(2)).count(), 2);
}

async fn outbox_entries_stay_until_they_are_removed(
    store: &dyn ProductStore,
    queue: Option<&dyn ChangeQueue>,
) {
    let mut entries = Vec::new();
    for i in 0..6 {
        entries.extend(
            write_all(store, vec![create(&format!("p{i}"), named("marked"))]).await.remove(0).outbox_entry,
        );
    }
    if queue.is_some() {
        assert!(entries.is_empty());
        store.remove_from_outbox(&[]).await.unwrap();
        return;
    }
    let pending = async |age: Duration, limit: usize| -> Vec<String> {
        let pending = store.pending(age, limit).await.unwrap();
        pending.into_iter().map(|pending| pending.envelope.change.id().to_string()).collect()
    };
    assert_eq!(pending(Duration::ZERO, 4).await, ["p0", "p1", "p2", "p3"]);
    assert!(pending(Duration::from_secs(3600), 4).await.is_empty());
    store.remove_from_outbox(&entries[1..3]).await.unwrap();
    store.remove_from_outbox(&entries[1..4]).await.unwrap();
    assert_eq!(pending(Duration::ZERO, 10).await, ["p0", "p4", "p5"]);
    // A new entry has a new id, even after the newest entry was removed.
    store.remove_from_outbox(&entries).await.unwrap();
    let new = write_all(store, vec![create("new", named("marked"))]).await.remove(0).outbox_entry.unwrap();
    store.remove_from_outbox(&entries).await.unwrap();
    let left = store.pending(Duration::ZERO, 10).await.unwrap();
    assert_eq!(left.iter().map(|pending| &pending.id).collect::<Vec<_>>(), [&new]);
}

async fn outbox_returns_the_number_and_age_of_the_entries(
    store: &dyn ProductStore,
    queue: Option<&dyn ChangeQueue>,
) {
    assert_eq!(store.outbox().await.unwrap(), OutboxStats::default());
    let begun = Instant::now();
    let written = write_all(store, (0..3).map(|i| create(&format!("p{i}"), named("marked"))).collect()).await;
    let (stats, took) = (store.outbox().await.unwrap(), begun.elapsed());
    if queue.is_some() {
        return assert_eq!(stats, OutboxStats::default());
    }
    assert_eq!(stats.entries, 3);
    assert!(stats.oldest_age.unwrap() <= took + Duration::from_millis(5), "{stats:?} after {took:?}");
    // Waits until all entries are at least 20 ms old.
    while store.pending(Duration::from_millis(20), 3).await.unwrap().len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(20), "time stands still");
    }
    assert!(store.outbox().await.unwrap().oldest_age.unwrap() >= Duration::from_millis(20));
    let entries: Vec<OutboxEntryId> =
        written.into_iter().filter_map(|written| written.outbox_entry).collect();
    store.remove_from_outbox(&entries[1..]).await.unwrap();
    assert_eq!(store.outbox().await.unwrap().entries, 1);
    store.remove_from_outbox(&entries).await.unwrap();
    assert_eq!(store.outbox().await.unwrap(), OutboxStats::default());
}

async fn a_pending_change_may_be_a_later_one_but_never_an_earlier_one(
    store: &dyn ProductStore,
    queue: Option<&dyn ChangeQueue>,
) {
    write_all(store, vec![create("a", named("a"))]).await;
    write_all(store, vec![update("a", 2, named("b"))]).await;
    let mut versions: Vec<_> = match queue {
        Some(queue) => {
            let received = queue.receive(10, Duration::from_secs(10)).await.unwrap();
            received.into_iter().map(|delivery| delivery.envelope.unwrap().change.version().0).collect()
        }
        None => {
            let pending = store.pending(Duration::ZERO, 10).await.unwrap();
            pending.into_iter().map(|pending| pending.envelope.change.version().0).collect()
        }
    };
    versions.sort_unstable();
    assert!(matches!(versions.as_slice(), [1 | 2, 2]), "{versions:?}");
}

on_each! {
    {
        sqlite_that_enqueues: embedded(Outbox::Enqueue);
        sqlite_with_an_outbox: embedded(Outbox::AddEntry);
        dynamodb_table: dynamodb().await;
    }
    {
        |stores| (&*stores.store, stores.queue.as_deref()) [
            every_write_is_enqueued_or_adds_an_outbox_entry,
            outbox_entries_stay_until_they_are_removed,
            outbox_returns_the_number_and_age_of_the_entries,
            a_pending_change_may_be_a_later_one_but_never_an_earlier_one,
        ]
    }
}
