//! The stored part of an API key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Identity, KeyId, Principal, RateLimit, Scopes, SecretHash};

/// The stored part of an API key: everything but its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRecord {
    /// The public part of the key.
    pub id: KeyId,
    /// The SHA-256 of the secret.
    pub secret_hash: SecretHash,
    /// A name for people.
    pub name: String,
    /// The scopes of the key.
    pub scopes: Scopes,
    /// The filter of every search with this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The limit of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// When the key was created.
    pub created_at: Timestamp,
    /// From when on the key is not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When the key was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The hour in which the key was used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

impl KeyRecord {
    /// Returns the principal that the key stands for.
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
