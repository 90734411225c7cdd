//! The contract of [`AccessStore`]: a test of each sentence of its documentation, for each store.
//!
//! To test another adapter, add it to the `on_each!` block.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

use std::collections::BTreeMap;
use std::sync::Arc;

use access::{AccessStore, ApiKey, KeyId, KeyRecord, RateLimit, Scope, Scopes};
use aws_setup::Aws;
use dynamodb_access::DynamoDbAccess;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlite_access::SqliteAccess;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::services;
use crate::support::on_each;

/// A store under test, with its own data.
struct Stores {
    store: Arc<dyn AccessStore>,
    /// The same data, opened again as another process would.
    another: Arc<dyn AccessStore>,
    _data: Option<TempDir>,
}

impl Stores {
    fn both(&self) -> [&Arc<dyn AccessStore>; 2] {
        [&self.store, &self.another]
    }
}

fn in_a_file() -> Option<Stores> {
    let data = tempfile::tempdir().unwrap();
    let open = || Arc::new(SqliteAccess::open(&data.path().join("access.db")).unwrap());
    Some(Stores { store: open(), another: open(), _data: Some(data) })
}

/// Creates a table on DynamoDB Local, or returns `None` if there is no server.
async fn in_a_table() -> Option<Stores> {
    let server = services::dynamodb().await?;
    let table = format!("access-{}", domain::ProductId::generate());
    let open = async |create| {
        let aws = Aws::local(&server.url).await.unwrap();
        Arc::new(DynamoDbAccess::open(&aws, &table, create).await.unwrap())
    };
    Some(Stores { store: open(true).await, another: open(false).await, _data: None })
}

/// Returns a new key without optional properties.
fn record() -> KeyRecord {
    let key = ApiKey::generate().unwrap();
    KeyRecord {
        id: key.id().clone(),
        secret_hash: key.hash(),
        name: "storefront".to_owned(),
        scopes: Scope::Search.into(),
        filter: None,
        rate_limit: None,
        created_at: at("2026-11-28T09:00:00Z"),
        expires_at: None,
        revoked_at: None,
        replaces: None,
        last_used_at: None,
        unknown: BTreeMap::new(),
    }
}

async fn added(store: &dyn AccessStore) -> KeyId {
    let record = record();
    assert!(store.add(&record).await.unwrap());
    record.id
}

async fn read(store: &dyn AccessStore, id: &KeyId) -> KeyRecord {
    store.key(id).await.unwrap().unwrap()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

const EARLY: &str = "2026-11-28T10:00:00Z";
const LATE: &str = "2026-11-28T11:00:00Z";

async fn a_key_is_returned_as_it_was_added(Stores { store, another, .. }: Stores) {
    let full = KeyRecord {
        name: "Büro „Süd“ \u{1f511}".to_owned(),
        scopes: Scopes::all(),
        filter: Some("brand=Acme".to_owned()),
        rate_limit: Some(RateLimit { requests: u32::MAX, window_seconds: 1 }),
        created_at: at("2026-11-28T09:00:00.123456789Z"),
        expires_at: Some(at(LATE)),
        ..record()
    };
    for record in [record(), full] {
        assert_eq!(store.key(&record.id).await.unwrap(), None, "before it is added");
        assert!(store.add(&record).await.unwrap());
        assert_eq!(read(&*store, &record.id).await, record);
        assert_eq!(read(&*another, &record.id).await, record, "another process sees it at once");
    }
}

async fn add_returns_false_and_changes_nothing_if_the_id_is_taken(Stores { store, another, .. }: Stores) {
    let first = record();
    assert!(store.add(&first).await.unwrap());
    let second = KeyRecord { id: first.id.clone(), name: "other".to_owned(), ..record() };
    for store in [&store, &another] {
        assert!(!store.add(&second).await.unwrap());
        assert_eq!(store.keys().await.unwrap(), std::slice::from_ref(&first));
    }
}

async fn of_many_that_add_one_id_one_succeeds(stores: Stores) {
    let (record, mut adding) = (record(), JoinSet::new());
    for n in 0..20 {
        let (store, record) = (stores.both()[n % 2].clone(), record.clone());
        adding.spawn(async move { store.add(&record).await.unwrap() });
    }
    assert_eq!(adding.join_all().await.into_iter().filter(|added| *added).count(), 1);
}

/// The keys together are larger than a page of DynamoDB, which is 1 MB.
async fn keys_returns_all_in_the_order_of_their_ids(Stores { store, another, .. }: Stores) {
    assert_eq!(store.keys().await.unwrap(), []);
    let mut records = Vec::new();
    for n in 0..40 {
        records.push(KeyRecord { name: format!("key {n}"), filter: Some("x".repeat(60_000)), ..record() });
        assert!(store.add(&records[n]).await.unwrap());
    }
    // A counter must not appear in the list.
    store.count("storefront", at(LATE)).await.unwrap();
    records.sort_by_key(|record| record.id.to_string());
    for store in [store, another] {
        assert_eq!(store.keys().await.unwrap(), records);
    }
}

async fn a_key_that_is_expired_or_revoked_is_returned(Stores { store, .. }: Stores) {
    let id = added(&*store).await;
    store.expire(&id, at("2001-01-01T00:00:00Z")).await.unwrap();
    store.revoke(&id, at("2001-01-01T00:00:00Z")).await.unwrap();
    let record = read(&*store, &id).await;
    assert!(record.expires_at.is_some() && record.revoked_at.is_some());
    assert_eq!(store.keys().await.unwrap(), [record]);
}

async fn a_revoked_key_keeps_its_first_time(Stores { store, another, .. }: Stores) {
    let id = added(&*store).await;
    assert!(store.revoke(&id, at(LATE)).await.unwrap());
    for (store, again) in [(&store, LATE), (&another, EARLY), (&store, "2030-01-01T00:00:00Z")] {
        assert!(store.revoke(&id, at(again)).await.unwrap());
        assert_eq!(read(&**store, &id).await.revoked_at, Some(at(LATE)));
    }
}

async fn expire_never_extends_a_key(Stores { store, another, .. }: Stores) {
    let id = added(&*store).await;
    for (time, expected) in [(LATE, LATE), ("2030-01-01T00:00:00Z", LATE), (EARLY, EARLY), (LATE, EARLY)] {
        assert!(store.expire(&id, at(time)).await.unwrap());
        assert_eq!(read(&*another, &id).await.expires_at, Some(at(expected)));
    }
}

async fn note_use_never_goes_back(Stores { store, another, .. }: Stores) {
    let id = added(&*store).await;
    for (hour, expected) in [(EARLY, EARLY), (LATE, LATE), (EARLY, LATE)] {
        store.note_use(&id, at(hour)).await.unwrap();
        assert_eq!(read(&*another, &id).await.last_used_at, Some(at(expected)));
    }
}

async fn a_key_that_does_not_exist_is_not_made_by_a_change(Stores { store, .. }: Stores) {
    let id = record().id;
    assert!(!store.revoke(&id, at(EARLY)).await.unwrap());
    assert!(!store.expire(&id, at(EARLY)).await.unwrap());
    store.note_use(&id, at(EARLY)).await.unwrap();
    assert_eq!(store.key(&id).await.unwrap(), None);
    assert_eq!(store.keys().await.unwrap(), []);
}

async fn a_key_that_is_removed_is_gone_and_no_other(Stores { store, another, .. }: Stores) {
    let (id, other) = (added(&*store).await, added(&*store).await);
    assert!(another.remove(&id).await.unwrap());
    assert!(!store.remove(&id).await.unwrap());
    assert_eq!(store.key(&id).await.unwrap(), None);
    assert!(!store.revoke(&id, at(EARLY)).await.unwrap());
    assert_eq!(store.keys().await.unwrap(), [read(&*another, &other).await]);
}

/// A newer version of Noren wrote them, before an operator went back to this one.
async fn fields_that_this_version_does_not_know_are_kept(Stores { store, another, .. }: Stores) {
    let unknown = BTreeMap::from([("origins".to_owned(), json!(["https://shop.example"]))]);
    let record = KeyRecord { unknown, ..record() };
    assert!(store.add(&record).await.unwrap());
    added(&*store).await;
    store.revoke(&record.id, at(LATE)).await.unwrap();
    store.note_use(&record.id, at(EARLY)).await.unwrap();
    let changed = KeyRecord { revoked_at: Some(at(LATE)), last_used_at: Some(at(EARLY)), ..record.clone() };
    assert_eq!(read(&*another, &record.id).await, changed);
    assert_eq!(another.keys().await.unwrap().len(), 2);
}

/// Of ten concurrent changes of one key, none undoes another or changes anything else.
async fn no_change_of_a_key_is_lost(stores: Stores) {
    let record = record();
    assert!(stores.store.add(&record).await.unwrap());
    let mut changing = JoinSet::new();
    let hour = |n: usize| at(EARLY) + SignedDuration::from_hours(i64::try_from(n).unwrap());
    for n in 0..10 {
        let (store, id, time) = (stores.both()[n % 2].clone(), record.id.clone(), hour(n));
        changing.spawn(async move {
            match n % 3 {
                0 => store.revoke(&id, time).await.unwrap(),
                1 => store.expire(&id, time).await.unwrap(),
                _ => store.note_use(&id, time).await.map(|()| true).unwrap(),
            }
        });
    }
    assert_eq!(changing.join_all().await, [true; 10]);
    let changed = read(&*stores.another, &record.id).await;
    let revoked_at = changed.revoked_at.unwrap();
    assert!([0, 3, 6, 9].map(hour).contains(&revoked_at), "{revoked_at}");
    let expected = KeyRecord {
        revoked_at: Some(revoked_at),
        expires_at: Some(hour(1)),
        last_used_at: Some(hour(8)),
        ..record
    };
    assert_eq!(changed, expected);
}

async fn each_of_many_that_count_at_once_gets_a_number_of_its_own(stores: Stores) {
    let (end, mut counting) = (at(LATE), JoinSet::new());
    for n in 0..100 {
        let store = stores.both()[n % 2].clone();
        counting.spawn(async move { store.count("storefront", end).await.unwrap() });
    }
    let mut counts = counting.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts, Vec::from_iter(1..=100));
}

async fn each_name_and_each_window_has_a_counter_of_its_own(Stores { store, another, .. }: Stores) {
    for expected in 1..=3 {
        for (name, end) in [("a", EARLY), ("a", LATE), ("b", EARLY), ("a#1", EARLY)] {
            let store = if expected == 2 { &another } else { &store };
            assert_eq!(store.count(name, at(end)).await.unwrap(), expected, "{name} until {end}");
        }
    }
}

async fn a_counter_is_kept_for_a_day_after_its_window(Stores { store, .. }: Stores) {
    let end = at(EARLY);
    assert_eq!(store.count("a", end).await.unwrap(), 1);
    assert_eq!(store.count("a", end + SignedDuration::from_hours(24)).await.unwrap(), 1);
    assert_eq!(store.count("a", end).await.unwrap(), 2);
}

async fn a_store_that_responds_is_ready(Stores { store, another, .. }: Stores) {
    store.ready().await.unwrap();
    added(&*store).await;
    another.ready().await.unwrap();
}

on_each!({
    sqlite: in_a_file();
    dynamodb: in_a_table().await;
} {
    |stores| (stores) [
        a_key_is_returned_as_it_was_added,
        add_returns_false_and_changes_nothing_if_the_id_is_taken,
        of_many_that_add_one_id_one_succeeds,
        keys_returns_all_in_the_order_of_their_ids,
        a_key_that_is_expired_or_revoked_is_returned,
        a_revoked_key_keeps_its_first_time,
        expire_never_extends_a_key,
        note_use_never_goes_back,
        a_key_that_does_not_exist_is_not_made_by_a_change,
        a_key_that_is_removed_is_gone_and_no_other,
        fields_that_this_version_does_not_know_are_kept,
        no_change_of_a_key_is_lost,
        each_of_many_that_count_at_once_gets_a_number_of_its_own,
        each_name_and_each_window_has_a_counter_of_its_own,
        a_counter_is_kept_for_a_day_after_its_window,
        a_store_that_responds_is_ready,
    ]
});
