//! A JSON Web Key Set, reduced to the keys that can verify a token.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The most keys of a set.
const MAX_KEYS: usize = 100;
/// The bytes of an RSA modulus: 2048 to 8192 bits.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// The bytes of a coordinate of a point on P-256, and of an Ed25519 key.
const POINT_BYTES: usize = 32;

/// The reason for which a key set is unusable.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// It is not a JSON Web Key Set.
    #[error("it is not a JSON Web Key Set")]
    Malformed(#[source] serde_json::Error),
    /// It has too many keys.
    #[error("it has {0} keys, and at most {MAX_KEYS} are possible")]
    TooMany(usize),
    /// No key can verify a token.
    #[error(
        "none of its {0} keys can verify a token; it needs an RSA key of 2048 to 8192 bits for RS256, a key on P-256 for \
         ES256, or an Ed25519 key for EdDSA, with the use `sig`"
    )]
    NoKey(usize),
}

/// A public key with its one algorithm.
pub(super) struct VerificationKey {
    id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// The keys of a set that can verify a token.
pub(super) struct KeySet {
    keys: Vec<Arc<VerificationKey>>,
    /// The number of other keys in the set.
    pub(super) ignored: usize,
}

/// The result of looking up the key of a token.
pub(super) enum Lookup {
    /// The key of the token.
    Found(Arc<VerificationKey>),
    /// The key that the token names has another algorithm, or the token names none and there are several.
    Mismatch,
    /// No key has the id that the token names.
    UnknownId,
}

#[derive(Deserialize)]
struct KeySetDocument {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a key set. Keys that cannot verify a token are ignored, as RFC 7517 recommends.
    pub(super) fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        let KeySetDocument { keys } = serde_json::from_slice(json).map_err(KeySetError::Malformed)?;
        let total = keys.len();
        if total > MAX_KEYS {
            return Err(KeySetError::TooMany(total));
        }
        let keys: Vec<_> = keys.into_iter().filter_map(verification_key).map(Arc::new).collect();
        match total - keys.len() {
            ignored if ignored == total => Err(KeySetError::NoKey(total)),
            ignored => Ok(Self { keys, ignored }),
        }
    }

    /// Returns the number of keys that can verify a token.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Finds the key of a token. A token without a key id is possible only if there is one key.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Lookup {
        if id.is_none() && self.keys.len() > 1 {
            return Lookup::Mismatch;
        }
        let named = |key: &&Arc<VerificationKey>| id.is_none() || key.id.as_deref() == id;
        let mut candidates = self.keys.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Lookup::UnknownId;
        }
        match candidates.find(|key| key.algorithm == algorithm) {
            Some(key) => Lookup::Found(Arc::clone(key)),
            None => Lookup::Mismatch,
        }
    }
}

/// Converts a key, or returns `None` if it cannot verify a token.
fn verification_key(jwk: Value) -> Option<VerificationKey> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let common = &jwk.common;
    let is_for_signatures =
        common.public_key_use.as_ref().is_none_or(|use_| *use_ == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    is_for_signatures.then_some(())?;
    let (algorithm, name, key) = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => {
            let (n, e) = (integer(&key.n)?, integer(&key.e)?);
            RSA_MODULUS_BYTES.contains(&n.len()).then_some(())?;
            (Algorithm::RS256, KeyAlgorithm::RS256, DecodingKey::from_rsa_raw_components(&n, &e))
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            let point = [vec![4], point(&key.x)?, point(&key.y)?].concat();
            (Algorithm::ES256, KeyAlgorithm::ES256, DecodingKey::from_ec_der(&point))
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA, DecodingKey::from_ed_der(&point(&key.x)?))
        }
        _ => return None,
    };
    common.key_algorithm.is_none_or(|named| named == name).then_some(())?;
    Some(VerificationKey { id: jwk.common.key_id, algorithm, key })
}

/// Decodes a number without its leading zeros, which ring refuses.
fn integer(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes[zeros..].to_vec()).filter(|bytes| !bytes.is_empty())
}

fn point(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == POINT_BYTES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tokens_for_tests::Signer;
    use super::*;

    fn usable(jwk: &Value) -> bool {
        KeySet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).is_ok()
    }

    #[test]
    fn only_a_key_for_one_of_the_algorithms_can_verify() {
        for signer in [Signer::rs256(), Signer::es256(), Signer::eddsa()] {
            let jwk = signer.jwk("key");
            let with = |name: &str, value: Value| {
                let mut changed = jwk.clone();
                changed[name] = value;
                changed
            };
            assert!(usable(&jwk) && usable(&with("alg", Value::Null)) && usable(&with("use", Value::Null)));
            assert!(
                usable(&with("key_ops", json!(["verify"]))) && !usable(&with("key_ops", json!(["sign"])))
            );
            assert!(!usable(&with("use", json!("enc"))), "for encryption");
            for algorithm in ["RS512", "PS256", "ES384", "HS256", "RSA-OAEP", "none"] {
                assert!(!usable(&with("alg", json!(algorithm))), "{algorithm}");
            }
            for curve in ["P-384", "P-521", "secp256k1", "Ed448", "X25519"] {
                let is_rsa = signer.algorithm() == "RS256";
                assert_eq!(usable(&with("crv", json!(curve))), is_rsa, "{curve}, which RSA does not have");
            }
            assert!(!usable(&with("kty", json!("other"))));
            for name in ["n", "x"].into_iter().filter(|name| jwk.get(name).is_some()) {
                assert!(!usable(&with(name, json!("AQAB"))) && !usable(&with(name, json!("***"))), "{name}");
            }
        }
        assert!(!usable(&Signer::hs256(&[7; 32]).jwk("key")), "a published secret");
        assert!(!usable(&json!("text")));
    }

    #[test]
    fn a_set_with_one_usable_key_is_usable() {
        let set = json!({"keys": [{"kty": "new"}, 7, Signer::es256().jwk("key")], "other": 1}).to_string();
        let set = KeySet::parse(set.as_bytes()).unwrap();
        assert_eq!((set.len(), set.ignored), (1, 2));
    }
}
