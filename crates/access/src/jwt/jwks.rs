//! The key set of the issuer, cached.
//!
//! 1. A set is used for an hour, and longer while its source does not respond.
//! 2. A token with an unknown key id causes another read, at most one a minute for all tokens together.
//! 3. While there is no set at all, requests try to read it, at most every 10 s.
//! 4. One request at a time reads. Requests with an unknown key wait for it; all others use the current set.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::keys::{KeySet, KeySetError, Lookup, VerificationKey};
use super::options::JwtOptionsError;
use super::reason::invalid;
use super::source::{ReadError, Source, read_file};
use crate::{AccessStoreError, Refusal};

/// The age at which a set is read again.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(1);
/// The minimum time between two attempts to read the set.
const MIN_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// The minimum time between two attempts while there is no set.
const MIN_PAUSE_WITHOUT_SET: SignedDuration = SignedDuration::from_secs(10);

/// The cached key set of the issuer.
pub(super) struct Jwks {
    source: Source,
    state: RwLock<State>,
    reading: Arc<Mutex<()>>,
}

#[derive(Default, Clone)]
struct State {
    keys: Option<Arc<KeySet>>,
    read_at: Option<Timestamp>,
    attempted_at: Option<Timestamp>,
    failure: Option<AccessStoreError>,
}

#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("{0}")]
    Read(String, #[source] ReadError),
    #[error("{0}")]
    Parse(String, #[source] KeySetError),
}

impl Jwks {
    /// Opens the set. Reads a file immediately, so that a fault in it ends the start.
    pub(super) fn open(source: Source) -> Result<Self, JwtOptionsError> {
        let mut state = State::default();
        if let Source::File(path) = &source {
            let json = read_file(path).map_err(|error| {
                let source = match error {
                    ReadError::File(source) => source,
                    other => std::io::Error::other(other),
                };
                JwtOptionsError::KeySetFile { path: path.clone(), source }
            })?;
            let keys = KeySet::parse(&json)
                .map_err(|source| JwtOptionsError::KeySet { path: path.clone(), source })?;
            let now = Some(Timestamp::now());
            state = State { keys: Some(Arc::new(keys)), read_at: now, attempted_at: None, failure: None };
        }
        Ok(Self { source, state: RwLock::new(state), reading: Arc::default() })
    }

    /// Returns the key that verifies a token, reading the set if necessary.
    pub(super) async fn key(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Arc<VerificationKey>, Refusal> {
        let state = self.state();
        let known = state.keys.as_ref().map(|keys| keys.find(id, algorithm));
        match known {
            None | Some(Lookup::UnknownId) => {
                let reading = Arc::clone(&self.reading).lock_owned().await;
                self.read_again(reading, now).await;
            }
            Some(_) if state.is_older_than(MAX_AGE, now) => {
                if let Ok(reading) = Arc::clone(&self.reading).try_lock_owned() {
                    self.read_again(reading, now).await;
                }
            }
            Some(Lookup::Found(key)) => return Ok(key),
            Some(Lookup::Mismatch) => {}
        }
        let State { keys, failure, .. } = self.state();
        match keys.map(|keys| keys.find(id, algorithm)) {
            Some(Lookup::Found(key)) => Ok(key),
            Some(Lookup::Mismatch) => Err(invalid("the key that it names has another algorithm")),
            Some(Lookup::UnknownId) => Err(invalid("the key that it names is unknown")),
            None => Err(Refusal::Unavailable(
                failure.unwrap_or_else(|| AccessStoreError::new("the key set for tokens was not read yet")),
            )),
        }
    }

    /// Reads the set, unless the last attempt is too recent. The read continues if the client of this request disconnects, because
    /// its attempt is the only one of this minute.
    async fn read_again(self: &Arc<Self>, reading: OwnedMutexGuard<()>, now: Timestamp) {
        if !self.state().may_read(now) {
            return;
        }
        self.change(|state| state.attempted_at = Some(now));
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _reading = reading;
            let loaded = this.load().await;
            this.keep(loaded, now);
        });
        if let Err(error) = task.await {
            tracing::error!(error = %error, "reading the key set for tokens failed");
        }
    }

    async fn load(&self) -> Result<KeySet, LoadError> {
        let context = |fault: &str| format!("the key set at {} {fault}", self.source);
        let json =
            self.source.read().await.map_err(|error| LoadError::Read(context("cannot be read"), error))?;
        KeySet::parse(&json).map_err(|error| LoadError::Parse(context("is unusable"), error))
    }

    fn keep(&self, loaded: Result<KeySet, LoadError>, now: Timestamp) {
        match loaded {
            Ok(keys) => {
                let (usable, ignored) = (keys.len(), keys.ignored);
                tracing::info!(source = %self.source, usable, ignored, "read the key set for tokens");
                self.change(|state| {
                    (state.keys, state.read_at, state.failure) = (Some(Arc::new(keys)), Some(now), None);
                });
            }
            Err(error) => {
                let is_kept = self.state().keys.is_some();
                let failure = AccessStoreError::because("tokens cannot be checked without a key set", error);
                tracing::warn!(error = %failure.chain(), is_kept, "cannot read the key set for tokens");
                self.change(|state| state.failure = Some(failure));
            }
        }
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    /// Returns true if the set is older than `age`, or if it was read in the future, before the clock was set back.
    fn is_older_than(&self, age: SignedDuration, now: Timestamp) -> bool {
        self.read_at.is_none_or(|at| now.duration_since(at).abs() >= age)
    }

    fn may_read(&self, now: Timestamp) -> bool {
        let pause = if self.keys.is_some() { MIN_PAUSE } else { MIN_PAUSE_WITHOUT_SET };
        self.attempted_at.is_none_or(|at| now.duration_since(at).abs() >= pause)
    }
}
