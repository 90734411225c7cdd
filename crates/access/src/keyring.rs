//! Checking, creating, rotating and revoking API keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::store::within;
use crate::{AccessStore, AccessStoreError, ApiKey, KeyId, KeyRecord, RateLimit, Refusal, Scope, Scopes};

/// The time for which a look-up is cached. A revoked key is refused everywhere within 5 s; the remaining second is for the look-up
/// itself.
const CACHE_TIME: Duration = Duration::from_secs(4);
/// The most cached look-ups, including those of keys that do not exist.
const MAX_CACHED: usize = 10_000;
/// The time limit of a call to the store.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit of recording a use. A request waits for it. After a failure, a request tries again once the cached record has
/// expired.
const NOTE_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest name of a key, in characters.
const MAX_NAME_CHARS: usize = 100;
/// The longest filter of a key, in bytes.
pub(crate) const MAX_FILTER_BYTES: usize = 2_000;
/// The most usable keys of a catalogue, because one response lists them all.
const MAX_KEYS: usize = 10_000;
/// The time for which the record of a key is kept after it was revoked or has expired: 90 days.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The number of records above which ended keys are removed at once, because one response lists them all.
const MAX_RECORDS: usize = 2 * MAX_KEYS;
/// The most records that are removed when a key is created.
const MAX_REMOVED: usize = 100;
const HOUR_SECONDS: i64 = 3600;

/// The API keys of a catalogue. Look-ups are cached for 4 s.
pub struct Keyring {
    store: Arc<dyn AccessStore>,
    cache: Cache<KeyId, CachedKey>,
}

#[derive(Clone)]
struct CachedKey {
    record: Option<Arc<KeyRecord>>,
    until: Instant,
}

/// A key to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewKey {
    /// A label for people, 1 to 100 characters.
    pub name: String,
    /// The scopes of the key, at least one.
    pub scopes: Scopes,
    /// The time from which on the key is refused.
    pub expires_at: Option<Timestamp>,
    /// The limit of requests, counted by all processes together.
    pub rate_limit: Option<RateLimit>,
    /// The filter of every search. Only a key with no other scope than `search` may have one.
    pub filter: Option<String>,
}

impl NewKey {
    /// Validates the key.
    ///
    /// # Errors
    /// The name of the first invalid field, and its fault.
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
        if self.rate_limit.is_some_and(|limit| !limit.is_valid()) {
            return Err(("rateLimit", "must have at least 1 request and 1 second".to_owned()));
        }
        match &self.filter {
            Some(filter) if !is_filter_length(filter) => {
                Err(("filter", format!("must have 1 to {MAX_FILTER_BYTES} bytes")))
            }
            Some(_) if self.scopes != Scope::Search.into() => {
                Err(("filter", "is possible only for a key with the scope `search` alone".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// The reason for which a key is not created.
#[derive(Debug, thiserror::Error)]
pub enum NotCreated {
    /// There are 10,000 usable keys already.
    #[error("there are {MAX_KEYS} usable keys already, the maximum; revoke one that is no longer used")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] AccessStoreError),
}

/// The reason for which a key is not rotated.
#[derive(Debug, thiserror::Error)]
pub enum NotRotated {
    /// There is no such key, or it is revoked or expired.
    #[error("there is no usable key with this id")]
    Unusable,
    /// It was rotated already, and this key is its successor.
    #[error("the key was replaced by `{0}`")]
    Replaced(KeyId),
    /// The new key cannot be created.
    #[error(transparent)]
    New(#[from] NotCreated),
}

impl From<AccessStoreError> for NotRotated {
    fn from(error: AccessStoreError) -> Self {
        Self::New(error.into())
    }
}

/// A key that replaces another one.
#[derive(Debug)]
pub struct Rotated {
    /// The new key with its secret.
    pub key: ApiKey,
    /// The record of the new key.
    pub record: KeyRecord,
    /// The time until which the old key is accepted.
    pub old_expires_at: Timestamp,
}

impl Keyring {
    /// Creates a keyring over a store.
    pub fn new(store: Arc<dyn AccessStore>) -> Self {
        Self { store, cache: Cache::new(MAX_CACHED) }
    }

    /// Returns the store.
    pub fn store(&self) -> &Arc<dyn AccessStore> {
        &self.store
    }

    /// Checks the key of a request, records its use and returns its record.
    ///
    /// # Errors
    /// If the key is unknown, has another secret, is expired or revoked, or if the store does not respond.
    pub async fn check(&self, key: &ApiKey, now: Timestamp) -> Result<Arc<KeyRecord>, Refusal> {
        let record = self.find_valid(key.id(), now, |record| record.secret_hash == key.hash()).await?;
        self.note_use(&record, now).await;
        Ok(record)
    }

    /// Returns the record of a key that `accepts` returns true for. Otherwise the result is [`Refusal::Invalid`], even if the key is
    /// expired or revoked: only a client with the secret learns that.
    ///
    /// # Errors
    /// If the key is unknown, not accepted, expired or revoked, or if the store does not respond.
    pub async fn find_valid(
        &self,
        id: &KeyId,
        now: Timestamp,
        accepts: impl FnOnce(&KeyRecord) -> bool,
    ) -> Result<Arc<KeyRecord>, Refusal> {
        let record = self.find(id).await.map_err(Refusal::Unavailable)?;
        let record = record.filter(|record| accepts(record)).ok_or(Refusal::Invalid)?;
        check_known(&record).map_err(Refusal::Unavailable)?;
        if record.revoked_at.is_some() {
            return Err(Refusal::Revoked);
        }
        if record.is_expired(now) {
            return Err(Refusal::Expired);
        }
        Ok(record)
    }

    /// Creates a key, and removes records of keys that ended long ago. The caller must have [checked](NewKey::check) the key.
    ///
    /// # Errors
    /// If the store fails, or if there are 10,000 usable keys already.
    pub async fn create(&self, new: NewKey, now: Timestamp) -> Result<(ApiKey, KeyRecord), NotCreated> {
        let others = self.keys().await?;
        self.create_beside(&others, new, None, now).await
    }

    async fn create_beside(
        &self,
        others: &[KeyRecord],
        new: NewKey,
        replaces: Option<KeyId>,
        now: Timestamp,
    ) -> Result<(ApiKey, KeyRecord), NotCreated> {
        if others.iter().filter(|key| key.ended_at(now).is_none()).count() >= MAX_KEYS {
            return Err(NotCreated::TooMany);
        }
        self.remove_ended(others, now).await;
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
            replaces,
            last_used_at: None,
            unknown: BTreeMap::new(),
        };
        if !within(TIMEOUT, self.store.add(&record)).await? {
            return Err(AccessStoreError::new("a new key has the id of another one").into());
        }
        self.cache.remove(&record.id);
        Ok((key, record))
    }

    /// Removes the records of keys that ended long ago. An ended key never becomes usable again, so no other process needs them. If
    /// the store fails, this only logs the failure: the next new key tries again.
    async fn remove_ended(&self, keys: &[KeyRecord], now: Timestamp) {
        let retention = if keys.len() > MAX_RECORDS { SignedDuration::ZERO } else { RETENTION };
        let is_due =
            |key: &&KeyRecord| key.ended_at(now).is_some_and(|at| now.duration_since(at) >= retention);
        for key in keys.iter().filter(is_due).take(MAX_REMOVED) {
            if let Err(error) = within(TIMEOUT, self.store.remove(&key.id)).await {
                tracing::warn!(error = %error.chain(), "cannot remove the records of ended keys");
                return;
            }
        }
    }

    /// Creates a key with the same name, scopes, filter and limits as another one, which then expires after `overlap`.
    ///
    /// A key that was rotated already is not rotated again: the new key would take over its expiry, which is the end of the overlap.
    ///
    /// # Errors
    /// If the key cannot be rotated, or the store fails.
    pub async fn rotate(
        &self,
        id: &KeyId,
        overlap: SignedDuration,
        now: Timestamp,
    ) -> Result<Rotated, NotRotated> {
        let keys = self.keys().await?;
        let mut usable = keys.iter().filter(|key| key.ended_at(now).is_none());
        let old = usable.clone().find(|key| key.id == *id).ok_or(NotRotated::Unusable)?;
        if let Some(successor) = usable.find(|key| key.replaces.as_ref() == Some(id)) {
            return Err(NotRotated::Replaced(successor.id.clone()));
        }
        check_known(old)?;
        let KeyRecord { name, scopes, expires_at, rate_limit, filter, .. } = old.clone();
        let new = NewKey { name, scopes, expires_at, rate_limit, filter };
        let (key, record) = self.create_beside(&keys, new, Some(id.clone()), now).await?;
        let end = now.checked_add(overlap).unwrap_or(Timestamp::MAX);
        let old_expires_at = expires_at.map_or(end, |at| at.min(end));
        within(TIMEOUT, self.store.expire(id, old_expires_at)).await?;
        self.cache.remove(id);
        Ok(Rotated { key, record, old_expires_at })
    }

    /// Revokes a key: immediately in this process, within 5 s in every other one. Returns false if the key does not exist.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke(&self, id: &KeyId, now: Timestamp) -> Result<bool, AccessStoreError> {
        let is_known = within(TIMEOUT, self.store.revoke(id, now)).await?;
        self.cache.remove(id);
        Ok(is_known)
    }

    /// Reads a key from the store, not from the cache.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn key(&self, id: &KeyId) -> Result<Option<KeyRecord>, AccessStoreError> {
        within(TIMEOUT, self.store.key(id)).await
    }

    /// Returns all keys, the oldest first.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keys(&self) -> Result<Vec<KeyRecord>, AccessStoreError> {
        let mut keys = within(TIMEOUT, self.store.keys()).await?;
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    async fn find(&self, id: &KeyId) -> Result<Option<Arc<KeyRecord>>, AccessStoreError> {
        // Before the look-up, so that a slow one does not prolong the life of its entry.
        let begun = Instant::now();
        if let Some(cached) = self.cache.get(id)
            && begun < cached.until
        {
            return Ok(cached.record);
        }
        let record = within(TIMEOUT, self.store.key(id)).await?.map(Arc::new);
        self.cache.insert(id.clone(), CachedKey { record: record.clone(), until: begun + CACHE_TIME });
        Ok(record)
    }

    /// Returns true if a recent request had this key and its record is still cached. Such a key is worth a look-up even if its network
    /// sent many wrong ones, because nobody guesses a secret. It may be expired or revoked.
    pub fn remembers(&self, key: &ApiKey) -> bool {
        self.remembered(key.id()).is_some_and(|record| record.secret_hash == key.hash())
    }

    /// Returns the cached record of a key, however old it is.
    pub(crate) fn remembered(&self, id: &KeyId) -> Option<Arc<KeyRecord>> {
        self.cache.get(id)?.record
    }

    /// Records the hour of a use, at most once an hour in each process. If the store fails, this only logs the failure: the request
    /// itself continues.
    pub(crate) async fn note_use(&self, record: &KeyRecord, now: Timestamp) {
        let second = now.as_second();
        let Ok(hour) = Timestamp::from_second(second - second.rem_euclid(HOUR_SECONDS)) else { return };
        if record.last_used_at.is_some_and(|at| at >= hour) {
            return;
        }
        let used = KeyRecord { last_used_at: Some(hour), ..record.clone() };
        if let Some(cached) = self.cache.get(&record.id) {
            let cached = CachedKey { record: Some(Arc::new(used)), ..cached };
            self.cache.insert(record.id.clone(), cached);
        }
        if let Err(error) = within(NOTE_TIMEOUT, self.store.note_use(&record.id, hour)).await {
            tracing::warn!(error = %error.chain(), key = %record.id, "cannot record the use of a key");
        }
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

/// Checks that this version of Noren knows everything that may restrict the key.
///
/// # Errors
/// If a newer version wrote the record.
fn check_known(record: &KeyRecord) -> Result<(), AccessStoreError> {
    let Some(field) = record.unknown.keys().next() else { return Ok(()) };
    Err(AccessStoreError::new(format!(
        "the key {} has the field `{}` of a newer version of Noren; use that version, or create another key",
        record.id,
        field.escape_debug()
    )))
}

/// Returns true if a filter has 1 to 2,000 bytes.
pub(crate) fn is_filter_length(filter: &str) -> bool {
    (1..=MAX_FILTER_BYTES).contains(&filter.len())
}

#[cfg(test)]
#[path = "keyring_tests.rs"]
mod tests;
