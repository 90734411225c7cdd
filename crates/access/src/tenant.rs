//! Tenant tokens, which a shop's server derives offline from a search key. Each has a filter and an expiry.
//!
//! A token is `nrt_<payload>_<mac>`:
//!
//! 1. The payload is JSON in base64url: `key` (the id of the parent key), `exp` (seconds since 1970), `filter` and, optionally,
//!    `rateLimit`.
//! 2. The MAC is HMAC-SHA256 of the text `nrt_<payload>`, in lower-case hexadecimal digits. Its key is the SHA-256 of the
//!    parent's secret, which is what the access store keeps. Whoever can read the access store can therefore make tokens.
//!
//! Noren stores no tokens. A token ends at its expiry, and with its parent key.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::keyring::is_filter_length;
use crate::token::{hex, unhex};
use crate::{Identity, KeyId, KeyRecord, Keyring, Object, Principal, RateLimit, Refusal, Scope, SecretHash};

const PREFIX: &str = "nrt";
/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The number of bytes of a filter's hash that identify a tenant.
const TENANT_BYTES: usize = 8;
/// Base64url, padded or not: the libraries of many languages pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A tenant token, as a client sends it.
#[derive(Clone)]
pub struct TenantToken {
    /// The text that is signed: `nrt_<payload>`.
    signed: String,
    mac: [u8; 32],
    payload: Payload,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Payload {
    key: KeyId,
    exp: i64,
    filter: String,
    #[serde(default)]
    rate_limit: Option<RateLimit>,
}

impl Payload {
    fn is_valid(&self) -> bool {
        is_filter_length(&self.filter) && self.rate_limit.is_none_or(RateLimit::is_valid)
    }
}

impl TenantToken {
    /// Parses a token. Returns `None` for any other text, and for an invalid payload. The token may still be forged: only
    /// [`verify`](Self::verify) checks its MAC.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_TOKEN_BYTES || !Self::is_like(text) {
            return None;
        }
        // The payload may contain `_`, the MAC does not.
        let (signed, mac) = text.rsplit_once('_')?;
        let payload = signed.strip_prefix(PREFIX)?.strip_prefix('_')?;
        let Object(payload): Object<Payload> = serde_json::from_slice(&BASE64.decode(payload).ok()?).ok()?;
        let mac = unhex(mac)?;
        payload.is_valid().then(|| Self { signed: signed.to_owned(), mac, payload })
    }

    /// Returns true if a text begins like a tenant token, so that it must not be read as another kind of token.
    pub fn is_like(text: &str) -> bool {
        text.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('_'))
    }

    /// Verifies the token and returns its principal, whose searches have the filters of both the token and its parent key.
    ///
    /// # Errors
    /// If the MAC is wrong, the token or its parent has expired, the parent is revoked or may do more than search, or the store
    /// does not respond. A token with a wrong MAC is invalid, whatever the state of the parent.
    pub async fn verify(&self, keyring: &Keyring, now: Timestamp) -> Result<Principal, Refusal> {
        let accepts = |parent: &KeyRecord| {
            self.is_signed_by(&parent.secret_hash) && parent.scopes == Scope::Search.into()
        };
        let parent = keyring.find_valid(&self.payload.key, now, accepts).await?;
        if self.payload.exp <= now.as_second() {
            return Err(Refusal::Expired);
        }
        keyring.note_use(&parent, now).await;
        Ok(self.principal(&parent))
    }

    /// Returns true if the parent key is cached and the MAC is right, see [`Keyring::remembers`].
    pub fn is_of_remembered(&self, keyring: &Keyring) -> bool {
        keyring.remembered(&self.payload.key).is_some_and(|parent| self.is_signed_by(&parent.secret_hash))
    }

    /// Returns true if the MAC is that of the key with this hash. Compares in constant time.
    fn is_signed_by(&self, secret: &SecretHash) -> bool {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
        mac.chain_update(self.signed.as_bytes()).verify_slice(&self.mac).is_ok()
    }

    fn principal(&self, parent: &KeyRecord) -> Principal {
        let filter = &self.payload.filter;
        let hash: [u8; 32] = Sha256::digest(filter).into();
        let identity = Identity::Tenant { key: parent.id.clone(), tenant: hex(&hash[..TENANT_BYTES]).into() };
        let filters = parent.filter.iter().chain([filter]);
        Principal {
            filters: filters.map(|filter| Arc::from(filter.as_str())).collect(),
            rate_limit: self.payload.rate_limit,
            parent_rate_limit: parent.rate_limit.map(|limit| (parent.id.clone(), limit)),
            ..Principal::new(identity, parent.scopes)
        }
    }
}

/// Shows the parent and the expiry, but nothing that would let a reader use the token.
impl std::fmt::Debug for TenantToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TenantToken(key {}, exp {}, …)", self.payload.key, self.payload.exp)
    }
}

#[cfg(test)]
#[path = "tenant_tests.rs"]
mod tests;
