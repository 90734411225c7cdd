//! The text of an API key: `nrn_<id>_<secret>_<crc>`, in lower-case hexadecimal digits.
//!
//! 1. The id is public. It identifies the record of the key.
//! 2. The secret has 256 random bits. Only its SHA-256 is stored, which protects a random secret of this length.
//! 3. The checksum is the CRC-32 of everything before its underscore. It detects a mistyped or truncated key without a look-up, and
//!    lets scanners for leaked secrets recognise a key.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "nrn";
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// The public part of an API key: 16 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; ID_BYTES]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for KeyId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        unhex(text).map(Self).ok_or("the id of a key has 16 digits of 0-9 and a-f")
    }
}

impl TryFrom<String> for KeyId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_string()
    }
}

/// The SHA-256 of a secret. Two hashes are compared in constant time.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Returns the bytes of the hash, which are the HMAC key of the tenant tokens derived from this secret.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the hash of a text, such as a root key.
    pub fn of_text(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    fn of(secret: &[u8; SECRET_BYTES]) -> Self {
        Self::of_text(&hex(secret))
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl FromStr for SecretHash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        unhex(&text.to_ascii_lowercase()).map(Self).ok_or("a SHA-256 has 64 hexadecimal digits")
    }
}

impl TryFrom<String> for SecretHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SecretHash> for String {
    fn from(hash: SecretHash) -> Self {
        hex(&hash.0)
    }
}

/// An API key with its secret, as a client sends it.
#[derive(Clone)]
pub struct ApiKey {
    id: KeyId,
    secret: [u8; SECRET_BYTES],
}

impl ApiKey {
    /// Generates a key from the random number generator of the system.
    ///
    /// # Errors
    /// If the generator fails.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        getrandom::fill(&mut id)?;
        getrandom::fill(&mut secret)?;
        Ok(Self { id: KeyId(id), secret })
    }

    /// Parses a key. Returns `None` for any other text, such as a key with a wrong checksum or in upper case.
    pub fn read(text: &str) -> Option<Self> {
        let (signed, checksum) = text.rsplit_once('_')?;
        let mut parts = signed.split('_');
        let (prefix, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
        if prefix != PREFIX || parts.next().is_some() || checksum != crc(signed) {
            return None;
        }
        Some(Self { id: KeyId(unhex(id)?), secret: unhex(secret)? })
    }

    /// Returns true if a text begins like a key, so that it must not be read as another kind of token.
    pub fn is_like(text: &str) -> bool {
        text.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('_'))
    }

    /// Returns the public part.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Returns the hash of the secret.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.secret)
    }

    /// Returns the whole key, which is shown once.
    pub fn expose(&self) -> String {
        let signed = format!("{PREFIX}_{}_{}", hex(&self.id.0), hex(&self.secret));
        let checksum = crc(&signed);
        format!("{signed}_{checksum}")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({PREFIX}_{}_…)", self.id)
    }
}

fn crc(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| DIGITS[usize::from(digit)]).collect()
}

/// Parses exactly `2 * N` lower-case hexadecimal digits.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// Returns a text for logs and errors without the secret, if somebody wrote a whole key in the place of something else.
pub fn without_secret(text: &str) -> Cow<'_, str> {
    let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_')?.split_once('_'));
    match parts {
        Some((id, _)) if id.parse::<KeyId>().is_ok() => format!("{PREFIX}_{id}_…").into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_whole_key_is_shown_without_its_secret() {
        let key = ApiKey::generate().unwrap();
        assert_eq!(without_secret(&key.expose()), format!("nrn_{}_…", key.id()));
        for other in ["", "d-1", "nrn_", "nrn_a_b", &key.id().to_string()] {
            assert_eq!(without_secret(other), other);
        }
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = ApiKey::generate().unwrap();
        let read = ApiKey::read(&key.expose()).unwrap();
        assert_eq!((read.id(), read.hash()), (key.id(), key.hash()));
        assert_ne!(ApiKey::generate().unwrap().hash(), key.hash());
    }

    #[test]
    fn anything_else_is_no_key() {
        let key = ApiKey::generate().unwrap().expose();
        assert_eq!(key.len(), 3 + 1 + 16 + 1 + 64 + 1 + 8);
        for end in 0..key.len() {
            assert!(ApiKey::read(&key[..end]).is_none(), "{end}");
        }
        let doubled = format!("{key}{key}");
        for text in ["nrn", "nrn___", &key.to_uppercase(), &format!("{key} "), &format!(" {key}"), &doubled] {
            assert!(ApiKey::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_hash_may_be_written_in_upper_case() {
        let hash = SecretHash::of_text("a key");
        let digits = String::from(hash.clone());
        assert_eq!(digits.to_uppercase().parse(), Ok(hash.clone()));
        assert_eq!(digits.parse(), Ok(hash));
        assert!(digits[1..].parse::<SecretHash>().is_err());
    }

    #[test]
    fn debug_output_has_no_secret() {
        let key = ApiKey::generate().unwrap();
        let shown = format!("{key:?} {:?}", key.hash());
        assert!(!shown.contains(&hex(&key.secret)) && !shown.contains(&String::from(key.hash())), "{shown}");
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_found(at in 0_usize..94, with in "[0-9a-z_]") {
            let key = ApiKey::generate().unwrap().expose();
            let mut changed = key.clone();
            changed.replace_range(at..=at, &with);
            prop_assert!(changed == key || ApiKey::read(&changed).is_none());
        }

        #[test]
        fn any_text_may_be_read(text in ".{0,200}") {
            prop_assert!(ApiKey::read(&text).is_none());
        }
    }
}
