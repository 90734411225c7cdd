//! Sync tokens: returned by a write, and passed to searches that must observe it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::product::{ProductId, Version};

/// Identifies one write: a version of a product. A search with the token waits until the index holds that version or a later
/// one.
///
/// The text form is the version, a full stop and the id: `2.lamp-1`. It needs no escaping in a header or URL. Tokens are not
/// stored anywhere: any process that can read the index can check one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyncToken {
    /// The product.
    pub id: ProductId,
    /// The version after the write, which is the previous one if the write changed nothing.
    pub version: Version,
}

impl fmt::Display for SyncToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.id)
    }
}

impl FromStr for SyncToken {
    type Err = String;

    /// Parses a token. The error is a message that follows the name of the parameter or header.
    fn from_str(text: &str) -> Result<Self, String> {
        let (version, id) = text.split_once('.').ok_or(MALFORMED)?;
        let is_number = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
        let version = version.parse().ok().filter(|_| is_number).ok_or(MALFORMED)?;
        Ok(Self { id: ProductId::parse(id).map_err(|_| MALFORMED)?, version: Version(version) })
    }
}

impl Serialize for SyncToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SyncToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

const MALFORMED: &str = "must be a token that a write answered with as Noren-Sync-Token, such as `2.lamp-1`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        for text in ["1.a", "2.lamp-1", "18446744073709551615.a.b_c-d:e~f", "7.1.2"] {
            assert_eq!(text.parse::<SyncToken>().unwrap().to_string(), text);
        }
        let token: SyncToken = "2.lamp.1".parse().unwrap();
        assert_eq!((token.id.as_str(), token.version), ("lamp.1", Version(2)));
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in [
            "",
            ".",
            "2",
            "2.",
            ".lamp",
            "0.a",
            "02.a",
            "+2.a",
            "-2.a",
            "18446744073709551616.a",
            "2.a b",
            "x.a",
        ] {
            assert_eq!(text.parse::<SyncToken>().unwrap_err(), MALFORMED, "{text}");
        }
    }
}
