//! Checking, creating, rotating and revoking API keys.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::{AccessStore, AccessStoreError, ApiKey, KeyId, KeyRecord, RateLimit, Refusal, Scope, Scopes};

/// The time for which the answer of the store is used again. A revoked key is refused everywhere within 5 s; the rest of these is
/// for the look-up itself.
const FRESH: Duration = Duration::from_secs(4);
/// The most keys whose look-ups are remembered, those that do not exist among them.
const REMEMBERED: usize = 10_000;
/// The time limit of a call to the store.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest name of a key.
const MAX_NAME_CHARS: usize = 100;
/// The longest filter of a key, in bytes.
pub(crate) const MAX_FILTER_BYTES: usize = 2_000;
/// The most keys of a catalogue: all of them are listed at once.
const MAX_KEYS: usize = 10_000;
const HOUR_SECONDS: i64 = 3600;

/// The API keys of a catalogue. Look-ups are remembered for some seconds.
pub struct Keyring {
    store: Arc<dyn AccessStore>,
    remembered: Cache<KeyId, Remembered>,
}

#[derive(Clone)]
struct Remembered {
    record: Option<Arc<KeyRecord>>,
    until: Instant,
}

/// A key to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewKey {
    /// A name for people, 1 to 100 characters.
    pub name: String,
    /// The scopes of the key, at least one.
    pub scopes: Scopes,
    /// From when on the key is not accepted.
    pub expires_at: Option<Timestamp>,
    /// The limit of requests, counted by all processes together.
    pub rate_limit: Option<RateLimit>,
    /// The filter of every search, for a key with the scope `search` alone.
    pub filter: Option<String>,
}

impl NewKey {
    /// Checks the key.
    ///
    /// # Errors
    /// The field that has a fault, and the fault.
    pub fn check(&self, now: Timestamp) -> Result<(), (&'static str, String)> {
        let chars = self.name.chars().count();
        if chars == 0 || chars > MAX_NAME_CHARS || self.name.chars().any(char::is_control) {
            return Err(("name", format!("must have 1 to {MAX_NAME_CHARS} characters, none of control")));
        }
        if self.scopes.is_empty() {
            return Err(("scopes", "must name at least one of search, read, write and admin".to_owned()));
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return Err(("expiresAt", "must be in the future".to_owned()));
        }
        if self.rate_limit.is_some_and(|limit| limit.requests == 0 || limit.window_seconds == 0) {
            return Err(("rateLimit", "must have at least 1 request and 1 second".to_owned()));
        }
        match &self.filter {
            Some(filter) if filter.is_empty() || filter.len() > MAX_FILTER_BYTES => {
                Err(("filter", format!("must have 1 to {MAX_FILTER_BYTES} bytes")))
            }
            Some(_) if self.scopes != Scope::Search.into() => {
                Err(("filter", "is possible only for a key with the scope `search` alone".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// A key that replaces another.
#[derive(Debug)]
pub struct Rotated {
    /// The new key with its secret.
    pub key: ApiKey,
    /// The record of the new key.
    pub record: KeyRecord,
    /// Until when the old key is accepted.
    pub old_expires_at: Timestamp,
}

impl Keyring {
    /// Creates a keyring over a store.
    pub fn new(store: Arc<dyn AccessStore>) -> Self {
        Self { store, remembered: Cache::new(REMEMBERED) }
    }

    /// Returns the store.
    pub fn store(&self) -> &Arc<dyn AccessStore> {
        &self.store
    }

    /// Checks a key of a request and returns its record.
    ///
    /// # Errors
    /// If the key is unknown, expired or revoked, or the store does not respond.
    pub async fn check(&self, key: &ApiKey, now: Timestamp) -> Result<Arc<KeyRecord>, Refusal> {
        let record = self.valid(key.id(), now, |record| record.secret_hash == key.hash()).await?;
        self.note_use(&record, now).await;
        Ok(record)
    }

    /// Returns the record of a valid key that `is_right` accepts. Anyone else gets [`Refusal::Invalid`], also for a key that is
    /// expired or revoked.
    ///
    /// # Errors
    /// If the key is unknown, not right, expired or revoked, or the store does not respond.
    pub async fn valid(
        &self,
        id: &KeyId,
        now: Timestamp,
        is_right: impl FnOnce(&KeyRecord) -> bool,
    ) -> Result<Arc<KeyRecord>, Refusal> {
        let record = self.find(id).await.map_err(Refusal::Unavailable)?;
        let record = record.filter(|record| is_right(record)).ok_or(Refusal::Invalid)?;
        if record.revoked_at.is_some() {
            return Err(Refusal::Revoked);
        }
        if record.expires_at.is_some_and(|at| at <= now) {
            return Err(Refusal::Expired);
        }
        Ok(record)
    }

    /// Creates a key.
    ///
    /// # Errors
    /// If the store fails. The caller has [checked](NewKey::check) the key.
    pub async fn create(&self, new: NewKey, now: Timestamp) -> Result<(ApiKey, KeyRecord), AccessStoreError> {
        if self.keys().await?.len() >= MAX_KEYS {
            return Err(AccessStoreError::new(format!(
                "there are {MAX_KEYS} keys, the most that are possible"
            )));
        }
        let key = ApiKey::generate()
            .map_err(|error| AccessStoreError::because("the system has no random numbers", error))?;
        let record = KeyRecord {
            id: key.id().clone(),
            secret_hash: key.hash(),
            name: new.name,
            scopes: new.scopes,
            filter: new.filter,
            rate_limit: new.rate_limit,
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        if !in_time(self.store.add(&record)).await? {
            return Err(AccessStoreError::new("a new key has the id of another one"));
        }
        self.remembered.remove(&record.id);
        Ok((key, record))
    }

    /// Replaces a key by a new one of the same name and rights. The old one is accepted for `overlap`.
    ///
    /// Returns `None` if there is no such key, or if it is revoked or expired.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn rotate(
        &self,
        id: &KeyId,
        overlap: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<Rotated>, AccessStoreError> {
        let Some(old) = in_time(self.store.key(id)).await? else { return Ok(None) };
        if old.revoked_at.is_some() || old.expires_at.is_some_and(|at| at <= now) {
            return Ok(None);
        }
        let KeyRecord { name, scopes, expires_at, rate_limit, filter, .. } = old;
        let (key, record) = self.create(NewKey { name, scopes, expires_at, rate_limit, filter }, now).await?;
        let end = now.checked_add(overlap).unwrap_or(Timestamp::MAX);
        let old_expires_at = expires_at.map_or(end, |at| at.min(end));
        in_time(self.store.expire(id, old_expires_at)).await?;
        self.remembered.remove(id);
        Ok(Some(Rotated { key, record, old_expires_at }))
    }

    /// Revokes a key: at once here, and in every other process within 5 s. Returns false if there is no such key.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke(&self, id: &KeyId, now: Timestamp) -> Result<bool, AccessStoreError> {
        let is_known = in_time(self.store.revoke(id, now)).await?;
        self.remembered.remove(id);
        Ok(is_known)
    }

    /// Returns a key as the store has it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, AccessStoreError> {
        in_time(self.store.key(id)).await
    }

    /// Returns all keys, the oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keys(&self) -> Result<Vec<KeyRecord>, AccessStoreError> {
        let mut keys = in_time(self.store.keys()).await?;
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    async fn find(&self, id: &KeyId) -> Result<Option<Arc<KeyRecord>>, AccessStoreError> {
        let asked = Instant::now();
        if let Some(remembered) = self.remembered.get(id)
            && asked < remembered.until
        {
            return Ok(remembered.record);
        }
        let record = in_time(self.store.key(id)).await?.map(Arc::new);
        self.remembered.insert(id.clone(), Remembered { record: record.clone(), until: asked + FRESH });
        Ok(record)
    }

    /// Records the hour of a use, once in an hour and process. A store that fails is logged: the request itself is answered.
    pub(crate) async fn note_use(&self, record: &KeyRecord, now: Timestamp) {
        let second = now.as_second();
        let Ok(hour) = Timestamp::from_second(second - second.rem_euclid(HOUR_SECONDS)) else { return };
        if record.last_used_at.is_some_and(|at| at >= hour) {
            return;
        }
        let used = KeyRecord { last_used_at: Some(hour), ..record.clone() };
        if let Some(remembered) = self.remembered.get(&record.id) {
            let remembered = Remembered { record: Some(Arc::new(used)), ..remembered };
            self.remembered.insert(record.id.clone(), remembered);
        }
        if let Err(error) = in_time(self.store.note_use(&record.id, hour)).await {
            tracing::warn!(error = %error, key = %record.id, "cannot record the use of a key");
        }
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

/// Awaits a call to the store within its time limit.
async fn in_time<T>(call: impl Future<Output = Result<T, AccessStoreError>>) -> Result<T, AccessStoreError> {
    match tokio::time::timeout(TIMEOUT, call).await {
        Ok(outcome) => outcome,
        Err(elapsed) => Err(AccessStoreError::because("the access store does not respond", elapsed)),
    }
}
