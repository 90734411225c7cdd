//! Copies of a store.

use domain::ports::{ChangeQueue, ProductStore};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Fixture, create};
use crate::schema::FILE_NAME;
use crate::{EmbeddedStore, OpenError, Outbox, copy};

#[tokio::test]
async fn a_copy_is_one_snapshot_while_others_write() {
    let fixture = Fixture::new();
    for n in 0..200 {
        fixture.create(&format!("before-{n}")).await;
    }
    let store = fixture.store.clone();
    let writing = tokio::spawn(async move {
        for n in 0_u64.. {
            store.write(vec![create(&format!("during-{n}"), 10)]).await.remove(0).unwrap();
        }
    });
    let copies = TempDir::new().unwrap();
    let (from, to) = (fixture.data.path().to_owned(), copies.path().join(FILE_NAME));
    let copying = tokio::task::spawn_blocking(move || copy(&from, &to).map(|()| copy(&from, &to)));
    let again = copying.await.unwrap().unwrap().unwrap_err().to_string();
    writing.abort();
    assert!(again.ends_with("output file already exists"), "{again}");
    let copied = EmbeddedStore::open(copies.path(), fixture.clock.options(Outbox::Enqueue)).unwrap();
    let products = copied.list(None, 100_000).await.unwrap().products;
    let before = products.iter().filter(|product| product.id.as_str().starts_with("before-"));
    assert_eq!(before.count(), 200);
    // If a product was written during the copy, the copy has both the product and its message, or neither.
    assert_eq!(copied.stats().await.unwrap().waiting, products.len() as u64);
}

#[test]
fn only_a_store_is_copied() {
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("copy");
    assert!(matches!(copy(folder.path(), &to), Err(OpenError::Missing { .. })));
    let other = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(copy(folder.path(), &to), Err(OpenError::Foreign { .. })));
    assert!(!to.exists());
}
