//! The stored part of an API key.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Identity, KeyId, Principal, RateLimit, Scopes, SecretHash};

/// The stored part of an API key: everything but its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// The public part of the key.
    pub id: KeyId,
    /// The SHA-256 of the secret.
    pub secret_hash: SecretHash,
    /// A label for people; it need not be unique.
    pub name: String,
    /// The scopes of the key.
    pub scopes: Scopes,
    /// The filter of every search with this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The limit of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// The time at which the key was created.
    pub created_at: Timestamp,
    /// The time from which on the key is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The time at which the key was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The key that this one replaces, after a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<KeyId>,
    /// The last hour in which the key was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// The fields that a newer version of Noren wrote. They are kept, and the key is not accepted, because they may restrict it.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Value>,
}

impl KeyRecord {
    /// Returns true if the key has expired at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Returns the time from which on the key is refused for ever, if that is not after `now`.
    pub fn ended_at(&self, now: Timestamp) -> Option<Timestamp> {
        let expired_at = self.expires_at.filter(|at| *at <= now);
        [self.revoked_at, expired_at].into_iter().flatten().min()
    }

    /// Revokes the key from `now` on, unless it is revoked already.
    pub fn revoke(&mut self, now: Timestamp) {
        self.revoked_at.get_or_insert(now);
    }

    /// Lets the key expire at `at`, unless it expires before.
    pub fn expire(&mut self, at: Timestamp) {
        self.expires_at = Some(self.expires_at.map_or(at, |before| before.min(at)));
    }

    /// Records the hour of a use, unless a later one is recorded.
    pub fn note_use(&mut self, hour: Timestamp) {
        self.last_used_at = self.last_used_at.max(Some(hour));
    }

    /// Returns the principal of requests with this key.
    pub fn principal(&self) -> Principal {
        Principal {
            identity: Identity::Key(self.id.clone()),
            scopes: self.scopes,
            filters: self.filter.iter().map(|filter| filter.as_str().into()).collect(),
            rate_limit: self.rate_limit,
            parent_rate_limit: None,
        }
    }
}

#[cfg(test)]
impl KeyRecord {
    /// Returns the record of a usable key with the scope `search`, for tests.
    pub(crate) fn of_usable(key: &crate::ApiKey) -> Self {
        Self {
            id: key.id().clone(),
            secret_hash: key.hash(),
            name: "shop".to_owned(),
            scopes: crate::Scope::Search.into(),
            filter: None,
            rate_limit: None,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            revoked_at: None,
            replaces: None,
            last_used_at: None,
            unknown: BTreeMap::new(),
        }
    }
}
