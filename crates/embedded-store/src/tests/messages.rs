//! The content of messages, and how they are found.

use domain::ports::{ChangeQueue, Delivery, MAX_RECEIVES, ProductStore};
use domain::{Action, Change};

use super::{Fixture, VISIBILITY, create, delete, product, write};
use crate::{messages, outbox, products};

#[tokio::test]
async fn a_message_carries_the_record_that_the_store_holds_when_it_is_received() {
    let fixture = Fixture::new();
    let changes = async || -> Vec<(String, Action, u64)> {
        let deliveries = fixture.receive(10).await;
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
        fixture.store.acknowledge(&receipts).await.unwrap();
        let change = |delivery: Delivery| delivery.envelope.unwrap().change;
        let summary = |change: Change| (change.id().to_string(), change.action(), change.version().0);
        deliveries.into_iter().map(change).map(summary).collect()
    };
    let make = async |change| drop(fixture.store.write(vec![write(change)]).await.remove(0).unwrap());
    make(Change::Create(product("a", 1, 10))).await;
    assert_eq!(changes().await, [("a".to_owned(), Action::Create, 1)]);
    make(Change::Update(product("a", 2, 10))).await;
    make(Change::Update(product("a", 3, 10))).await;
    assert_eq!(changes().await, vec![("a".to_owned(), Action::Update, 3); 2]);
    fixture.store.write(vec![delete("a", 4)]).await.remove(0).unwrap();
    assert_eq!(changes().await, [("a".to_owned(), Action::Delete, 4)]);
    make(Change::Create(product("a", 5, 10))).await;
    assert_eq!(changes().await, [("a".to_owned(), Action::Create, 5)]);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_delivered_with_the_reason() {
    let fixture = Fixture::new();
    let sql = "INSERT INTO messages (visible_at, sent_at, id, version, body) VALUES (0, 0, ?1, 1, ?2)";
    let other = fixture.other_connection();
    other.execute(sql, rusqlite::params!["text", "no json"]).unwrap();
    other.execute(sql, rusqlite::params!["bytes", [0xff_u8, 0xfe]]).unwrap();
    other.execute(sql, rusqlite::params!["nothing", rusqlite::types::Null]).unwrap();
    fixture.create("good").await;
    fixture.create("damaged").await;
    other.execute("UPDATE products SET json = '{' WHERE id = 'damaged'", []).unwrap();

    let deliveries = fixture.receive(10).await;
    let outcomes: Vec<_> = deliveries.iter().map(|delivery| delivery.envelope.is_ok()).collect();
    assert_eq!(outcomes, [false, false, false, true, false]);
    assert!(deliveries[2].envelope.as_ref().unwrap_err().contains("nothing"));
    for _ in 2..MAX_RECEIVES {
        fixture.clock.advance(VISIBILITY);
        assert_eq!(fixture.receive(10).await.len(), 5);
    }
    fixture.clock.advance(VISIBILITY);
    for _ in 0..5 {
        assert_eq!(fixture.receive(10).await.len(), 1, "each is received alone for the last time");
    }
    fixture.clock.advance(VISIBILITY);
    assert!(fixture.receive(10).await.is_empty());
    let dead: Vec<_> =
        fixture.dead_letters(10).await.into_iter().map(|d| d.id.unwrap().to_string()).collect();
    assert_eq!(dead, ["damaged", "good", "nothing", "bytes", "text"]);
}

#[tokio::test]
async fn a_receive_of_large_products_ends_early() {
    let fixture = Fixture::new();
    let writes = (0..120).map(|i| create(&format!("p{i}"), 190_000)).collect();
    fixture.store.write(writes).await.into_iter().for_each(|written| drop(written.unwrap()));
    let (first, second) = (fixture.receive(1000).await, fixture.receive(1000).await);
    assert!(first.len() < 120 && !second.is_empty(), "{} and {}", first.len(), second.len());
    assert_eq!(first.len() + second.len(), 120);
    let page = fixture.store.list(None, 120).await.unwrap();
    assert!(page.products.len() < 120);
    let rest = fixture.store.list(page.next.as_deref(), 120).await.unwrap();
    assert_eq!((page.products.len() + rest.products.len(), rest.next), (120, None));
}

#[tokio::test]
async fn a_receive_finds_its_messages_by_an_index() {
    let fixture = Fixture::new();
    let plan = |sql: &str| -> String {
        let conn = fixture.other_connection();
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let of_the_queue = [messages::VISIBLE, messages::TOO_LATE, outbox::PENDING, outbox::OF_THE_FUTURE];
    let of_products = [products::PAGE, products::SCAN, products::VERSIONS];
    for sql in of_the_queue.into_iter().chain(of_products) {
        let plan = plan(&sql.replace("?1", "1").replace("?2", "2"));
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
