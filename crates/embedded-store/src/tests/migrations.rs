//! Files of older and newer layouts. The next version is simulated by one more migration.

use std::path::Path;
use std::time::Duration;

use domain::ports::ProductStore;
use domain::{ProductId, hash::fnv1a_32};
use rusqlite::Connection;

use super::{Fixture, create};
use crate::OpenError;
use crate::schema::{FILE_NAME, MIGRATIONS, prepare_file};

/// The migration of a version after this one.
const LATER: &str = "ALTER TABLE products ADD COLUMN later TEXT NOT NULL DEFAULT 'new'";

fn migrate(dir: &Path, migrations: &[&str]) -> Result<Connection, OpenError> {
    let path = dir.join(FILE_NAME);
    let mut conn = Connection::open(&path).unwrap();
    prepare_file(&mut conn, &path, Duration::from_secs(1), migrations).map(|()| conn)
}

fn layout(conn: &Connection) -> i64 {
    conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn an_older_file_is_migrated_in_place_and_keeps_its_data() {
    let Fixture { store, data, .. } = Fixture::new();
    store.write(vec![create("a", 10), create("b", 10)]).await.into_iter().for_each(|w| drop(w.unwrap()));
    let before = store.get(&[ProductId::parse("a").unwrap()]).await.unwrap();
    assert!(before[0].is_some());
    drop(store);
    let next_version = [&MIGRATIONS[..], &[LATER]].concat();
    let conn = migrate(data.path(), &next_version).unwrap();
    assert_eq!(layout(&conn), i64::try_from(next_version.len()).unwrap());
    let rows: (i64, String) = conn
        .query_row("SELECT count(*), min(later) FROM products WHERE json IS NOT NULL", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(rows, (2, "new".to_owned()));
    drop(conn);
    // The earlier version refuses it, and changes nothing.
    let error = migrate(data.path(), &MIGRATIONS).unwrap_err();
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    migrate(data.path(), &next_version).unwrap();
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    let Fixture { store, data, .. } = Fixture::new();
    store.write(vec![create("a", 10)]).await.into_iter().for_each(|w| drop(w.unwrap()));
    drop(store);
    let broken = [&MIGRATIONS[..], &[LATER, "INSERT INTO nothing VALUES (1)"]].concat();
    assert!(matches!(migrate(data.path(), &broken), Err(OpenError::Failed { .. })));
    let conn = migrate(data.path(), &MIGRATIONS).unwrap();
    assert_eq!(layout(&conn), i64::try_from(MIGRATIONS.len()).unwrap());
    assert!(conn.prepare("SELECT later FROM products").is_err());
    assert!(conn.prepare("SELECT json FROM products").unwrap().exists([]).unwrap());
}

/// Files of users have the layout of these statements. A change of the layout is a new migration.
#[test]
fn the_statements_of_a_released_migration_never_change() {
    assert_eq!(MIGRATIONS.map(|sql| fnv1a_32(sql.as_bytes())), [1130273626]);
}
