//! The contract of `list`.

use domain::ports::{ListError, ProductStore};
use embedded_store::Outbox;

use super::{
    count_ids_between_writes, create, delete, dynamodb, embedded, listed, named, sorted_ids, update,
    write_all,
};
use crate::support::on_each;

async fn list_returns_each_live_product_once(store: &dyn ProductStore) {
    assert!(listed(store, 5).await.is_empty());
    let writes = (0..57).map(|i| create(&format!("p{i:02}"), named("listed"))).collect();
    write_all(store, writes).await;
    write_all(store, (0..57).step_by(3).map(|i| delete(&format!("p{i:02}"), 2)).collect()).await;
    let expected: Vec<_> = (0..57).filter(|i| i % 3 != 0).map(|i| format!("p{i:02}")).collect();
    for limit in [1, 7, 38, 1000] {
        assert_eq!(sorted_ids(&listed(store, limit).await), expected, "pages of {limit}");
    }
}

async fn the_order_of_the_list_is_stable(store: &dyn ProductStore) {
    let writes = (0..30).rev().map(|i| create(&format!("p{i:02}"), named("listed"))).collect();
    write_all(store, writes).await;
    let before: Vec<_> = listed(store, 4).await.into_iter().map(|product| product.id).collect();
    write_all(store, (0..30).step_by(2).map(|i| update(&format!("p{i:02}"), 2, named("new"))).collect())
        .await;
    let after: Vec<_> = listed(store, 11).await.into_iter().map(|product| product.id).collect();
    assert_eq!(before, after);
}

async fn writes_between_pages_neither_hide_nor_repeat_a_product(store: &dyn ProductStore) {
    // Products from p30 on are deleted one by one, in no particular order; the others stay live.
    let writes = (0..40).map(|i| create(&format!("p{i:02}"), named("listed"))).collect();
    write_all(store, writes).await;
    let page_of = async |cursor: Option<String>, _page_number| {
        let page = store.list(cursor.as_deref(), 5).await.unwrap();
        (page.products.into_iter().map(|product| product.id).collect(), page.next)
    };
    let writes_after = |page_number| {
        vec![
            create(&format!("m{page_number}"), named("new")),
            update(&format!("p{page_number:02}"), 2, named("updated")),
            update(&format!("p{:02}", 29 - page_number), 2, named("updated")),
            delete(&format!("p{:02}", 30 + page_number * 7 % 10), 2),
        ]
    };
    let seen = count_ids_between_writes(store, page_of, writes_after).await;
    for i in 0..30 {
        assert_eq!(seen.get(&format!("p{i:02}")), Some(&1), "p{i:02}");
    }
    assert!(seen.values().all(|times| *times == 1), "listed twice: {seen:?}");
}

async fn a_listed_product_has_its_current_version(store: &dyn ProductStore) {
    write_all(store, vec![create("a", named("old"))]).await;
    let change = update("a", 2, named("new"));
    let expected = change.change.product().unwrap().as_ref().clone();
    write_all(store, vec![change]).await;
    assert_eq!(listed(store, 10).await, [expected]);
}

async fn a_cursor_that_no_page_returned_is_unknown(store: &dyn ProductStore) {
    write_all(store, (0..5).map(|i| create(&format!("p{i}"), named("listed"))).collect()).await;
    let real = store.list(None, 2).await.unwrap().next.unwrap();
    assert_eq!(store.list(Some(&real), 2).await.unwrap().products.len(), 2);
    for made_up in ["", "1", "p0", "nonsense", "名", "-1", &format!("{real}0"), &format!("0{real}")] {
        let result = store.list(Some(made_up), 2).await;
        assert!(matches!(result, Err(ListError::UnknownCursor)), "cursor `{made_up}`: {result:?}");
    }
}

on_each! {
    {
        sqlite_that_enqueues: embedded(Outbox::Enqueue);
        sqlite_with_an_outbox: embedded(Outbox::AddEntry);
        dynamodb_table: dynamodb().await;
    }
    {
        |stores| (&*stores.store) [
            list_returns_each_live_product_once,
            the_order_of_the_list_is_stable,
            writes_between_pages_neither_hide_nor_repeat_a_product,
            a_listed_product_has_its_current_version,
            a_cursor_that_no_page_returned_is_unknown,
        ]
    }
}
