//! The number of keys, and records of a newer version.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::json;

use super::*;

/// A store in memory.
#[derive(Default)]
struct MemoryStore(Mutex<HashMap<KeyId, KeyRecord>>);

#[async_trait]
impl AccessStore for MemoryStore {
    async fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, AccessStoreError> {
        Ok(self.0.lock().unwrap().get(id).cloned())
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, AccessStoreError> {
        Ok(self.0.lock().unwrap().values().cloned().collect())
    }

    async fn add(&self, record: &KeyRecord) -> Result<bool, AccessStoreError> {
        Ok(self.0.lock().unwrap().insert(record.id.clone(), record.clone()).is_none())
    }

    async fn revoke(&self, _: &KeyId, _: Timestamp) -> Result<bool, AccessStoreError> {
        Ok(false)
    }

    async fn expire(&self, _: &KeyId, _: Timestamp) -> Result<bool, AccessStoreError> {
        Ok(false)
    }

    async fn remove(&self, id: &KeyId) -> Result<bool, AccessStoreError> {
        Ok(self.0.lock().unwrap().remove(id).is_some())
    }

    async fn note_use(&self, _: &KeyId, _: Timestamp) -> Result<(), AccessStoreError> {
        Ok(())
    }

    async fn count(&self, _: &str, _: Timestamp) -> Result<u64, AccessStoreError> {
        Ok(1)
    }

    async fn ready(&self) -> Result<(), AccessStoreError> {
        Ok(())
    }
}

fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn new_key() -> NewKey {
    let name = "new".to_owned();
    NewKey { name, scopes: Scope::Read.into(), expires_at: None, rate_limit: None, filter: None }
}

fn many(number: usize) -> impl Iterator<Item = KeyRecord> {
    (0..number).map(|_| KeyRecord::of_usable(&ApiKey::generate().unwrap()))
}

fn revoked(number: usize, at: Timestamp) -> impl Iterator<Item = KeyRecord> {
    many(number).map(move |key| KeyRecord { revoked_at: Some(at), ..key })
}

fn expired(number: usize, at: Timestamp) -> impl Iterator<Item = KeyRecord> {
    many(number).map(move |key| KeyRecord { expires_at: Some(at), ..key })
}

async fn keyring_of(records: impl IntoIterator<Item = KeyRecord>) -> Keyring {
    let store = MemoryStore::default();
    for record in records {
        store.add(&record).await.unwrap();
    }
    Keyring::new(Arc::new(store))
}

#[tokio::test]
async fn only_usable_keys_count_against_the_most_that_are_possible() {
    let full = keyring_of(many(MAX_KEYS - 1).chain(revoked(50, days_ago(1)))).await;
    full.create(new_key(), now()).await.unwrap();
    let refused = full.create(new_key(), now()).await.unwrap_err();
    assert!(matches!(refused, NotCreated::TooMany) && refused.to_string().contains("10000 usable keys"));
    let ended = keyring_of(revoked(MAX_KEYS, days_ago(1))).await;
    ended.create(new_key(), now()).await.unwrap();
    assert_eq!(ended.keys().await.unwrap().len(), MAX_KEYS + 1, "their records are kept for a time");
}

#[tokio::test]
async fn a_record_is_removed_90_days_after_the_end_of_its_key() {
    let long_ended = revoked(2, days_ago(90)).chain(expired(2, days_ago(91)));
    let recently_ended = revoked(1, days_ago(89)).chain(expired(1, days_ago(89)));
    let keyring = keyring_of(long_ended.chain(recently_ended).chain(many(1))).await;
    keyring.create(new_key(), now()).await.unwrap();
    let mut ends: Vec<_> = keyring.keys().await.unwrap().iter().map(|key| key.ended_at(now())).collect();
    ends.sort_unstable();
    let recent = Some(days_ago(89));
    assert_eq!(ends, [None, None, recent, recent]);
}

#[tokio::test]
async fn records_of_ended_keys_are_bounded() {
    let keyring = keyring_of(revoked(MAX_RECORDS + 1, days_ago(1))).await;
    keyring.create(new_key(), now()).await.unwrap();
    assert_eq!(keyring.keys().await.unwrap().len(), MAX_RECORDS + 1 - MAX_REMOVED + 1);
}

/// The field may restrict the key, so the key is not accepted without it.
#[tokio::test]
async fn a_key_with_a_field_of_a_newer_version_is_listed_but_not_accepted() {
    let key = ApiKey::generate().unwrap();
    let mut json = serde_json::to_value(KeyRecord::of_usable(&key)).unwrap();
    json["origins"] = json!(["https://shop.example"]);
    let keyring = keyring_of([serde_json::from_value(json.clone()).unwrap()]).await;
    assert_eq!(serde_json::to_value(&keyring.keys().await.unwrap()[0]).unwrap(), json);
    match keyring.check(&key, now()).await.unwrap_err() {
        Refusal::Unavailable(error) => assert!(error.chain().contains("`origins` of a newer version")),
        other => panic!("{other}"),
    }
    let not_rotated = keyring.rotate(key.id(), SignedDuration::ZERO, now()).await.unwrap_err();
    assert!(not_rotated.to_string().contains("newer version"), "{not_rotated}");
    keyring.create(new_key(), now()).await.unwrap();
}
