//! The claims of a token whose signature was verified.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::reason::invalid;
use crate::{Identity, Principal, Refusal, Scopes};

/// The seconds by which the clock of the issuer may differ.
const LEEWAY_SECONDS: f64 = 60.0;
/// The longest subject, in characters: OpenID Connect Core, section 2.
const MAX_SUBJECT_CHARS: usize = 255;

/// The claims that Noren reads. A duplicate of a named field is an error.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Claims {
    /// Checks the claims that `jsonwebtoken` does not check, and returns the principal that they name.
    pub(super) fn principal(
        &self,
        issuer: &str,
        scope_claim: &str,
        now: Timestamp,
    ) -> Result<Principal, Refusal> {
        // `jsonwebtoken` also accepts a list that contains the issuer, which the standard does not allow.
        if self.iss != issuer {
            return Err(invalid("it has another issuer"));
        }
        if self.sub.is_empty() || self.sub.chars().count() > MAX_SUBJECT_CHARS {
            return Err(invalid("its subject does not have 1 to 255 characters"));
        }
        let now = now.as_duration().as_secs_f64();
        if self.nbf.is_some_and(|nbf| now < nbf - LEEWAY_SECONDS) {
            return Err(invalid("it is not valid yet (nbf)"));
        }
        if now >= self.exp + LEEWAY_SECONDS {
            return Err(Refusal::Expired);
        }
        let scopes = self.others.get(scope_claim).map(scopes).unwrap_or_default();
        Ok(Principal::new(Identity::Subject(self.sub.as_str().into()), scopes))
    }
}

/// Returns the scopes of a claim. Ignores scopes of other services.
fn scopes(claim: &Value) -> Scopes {
    match claim {
        Value::String(text) => text.split(' ').filter_map(|word| word.parse().ok()).collect(),
        Value::Array(words) => {
            words.iter().filter_map(Value::as_str).filter_map(|word| word.parse().ok()).collect()
        }
        _ => Scopes::NONE,
    }
}
