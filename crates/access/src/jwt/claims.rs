//! The claims of a token whose signature is right.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::reason::invalid;
use crate::{Identity, Principal, Refusal, Scopes};

/// The seconds by which the clock of the issuer may differ.
const LEEWAY_SECONDS: f64 = 60.0;
/// The longest subject, in characters, as OpenID Connect has it.
const MAX_SUBJECT_CHARS: usize = 255;

/// The claims that Noren reads. One of the named ones that is there twice is an error.
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
    /// Checks the claims that `jsonwebtoken` has not checked, and returns whom they name.
    pub(super) fn principal(
        &self,
        issuer: &str,
        scope_claim: &str,
        now: Timestamp,
    ) -> Result<Principal, Refusal> {
        // `jsonwebtoken` also accepts a list that contains the issuer, which is not in the standard.
        if self.iss != issuer {
            return Err(invalid("its issuer is another one"));
        }
        if self.sub.is_empty() || self.sub.chars().count() > MAX_SUBJECT_CHARS {
            return Err(invalid("its subject has not 1 to 255 characters"));
        }
        let now = now.as_duration().as_secs_f64();
        if self.nbf.is_some_and(|nbf| now < nbf - LEEWAY_SECONDS) {
            return Err(invalid("its time has not come"));
        }
        if now >= self.exp + LEEWAY_SECONDS {
            return Err(Refusal::Expired);
        }
        let scopes = self.others.get(scope_claim).map(scopes).unwrap_or_default();
        Ok(Principal::new(Identity::Subject(self.sub.as_str().into()), scopes))
    }
}

/// Returns the scopes of a claim. Words that are no scope of Noren are for other services.
fn scopes(claim: &Value) -> Scopes {
    match claim {
        Value::String(text) => text.split(' ').filter_map(|word| word.parse().ok()).collect(),
        Value::Array(words) => {
            words.iter().filter_map(Value::as_str).filter_map(|word| word.parse().ok()).collect()
        }
        _ => Scopes::NONE,
    }
}
