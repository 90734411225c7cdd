//! Two processes that open the same store.

use domain::Version;
use domain::ports::{ProductStore, WriteError};
use embedded_store::Outbox;

use super::{
    create, dynamodb, embedded, listed, named, sorted_ids, update, version_of, write_all, write_one,
};
use crate::support::on_each;

async fn a_write_is_visible_to_another_process(store: &dyn ProductStore, another: &dyn ProductStore) {
    for version in 1..20 {
        let (writer, reader) = if version % 2 == 0 { (store, another) } else { (another, store) };
        let change = match version {
            1 => create("a", named("a")),
            _ => update("a", version, named("b")),
        };
        write_all(writer, vec![change]).await;
        assert_eq!(version_of(reader, "a").await, Some(version));
    }
    assert_eq!(sorted_ids(&listed(another, 3).await), ["a"]);
}

async fn one_of_concurrent_writes_by_two_processes_wins(
    store: &dyn ProductStore,
    another: &dyn ProductStore,
) {
    let race = |store, who: &'static str| async move {
        let mut won = 0;
        for i in 0..100 {
            match write_one(store, create(&format!("p{i}"), named(who))).await {
                Ok(_) => won += 1,
                Err(WriteError::Conflict { current: Some(Version(1)) }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        won
    };
    let (one, two) = futures::join!(race(store, "one"), race(another, "two"));
    assert_eq!(one + two, 100);
    let products = listed(store, 100).await;
    assert_eq!(products.iter().filter(|product| product.content.name == "one").count(), one);
    assert_eq!(products.len(), 100);
}

async fn a_cursor_is_valid_in_another_process(store: &dyn ProductStore, another: &dyn ProductStore) {
    write_all(store, (0..9).map(|i| create(&format!("p{i}"), named("listed"))).collect()).await;
    let first = store.list(None, 4).await.unwrap();
    let second = another.list(first.next.as_deref(), 5).await.unwrap();
    let mut all = first.products;
    all.extend(second.products);
    assert_eq!(sorted_ids(&all), (0..9).map(|i| format!("p{i}")).collect::<Vec<_>>());
    assert_eq!(second.next, None);
}

on_each! {
    {
        sqlite_that_enqueues: embedded(Outbox::Enqueue);
        sqlite_with_an_outbox: embedded(Outbox::AddEntry);
        dynamodb_table: dynamodb().await;
    }
    {
        |stores| (&*stores.store, &*stores.another) [
            a_write_is_visible_to_another_process,
            one_of_concurrent_writes_by_two_processes_wins,
            a_cursor_is_valid_in_another_process,
        ]
    }
}
