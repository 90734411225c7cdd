//! Checking JSON Web Tokens (RFC 7519) by the rules of RFC 8725.
//!
//! 1. A token is signed by HS256 with the configured secret, or by RS256, ES256 or EdDSA with a key of the configured key set.
//!    Each key has one algorithm, which its own type and curve decide. The header of a token only selects one of these keys; a
//!    key that the token contains or points to is ignored.
//! 2. `exp`, `iss`, `aud` and `sub` are required, `nbf` is honoured, and clocks may differ by 60 s.
//! 3. Encrypted, compressed and nested tokens, critical headers, and tokens of another type, such as a logout token, are refused.
//!
//! `jsonwebtoken` reads and verifies tokens, with ring for the cryptography. Clients learn only that a token is invalid or
//! expired; the reason is logged at the level `debug`, without anything of the token.

mod claims;
mod crypto;
mod jwks;
mod keys;
mod options;
mod reason;
mod source;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tokens_for_tests;

use std::sync::Arc;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};

pub use keys::KeySetError;
pub use options::{JwksSource, JwtOptions, JwtOptionsError};

use crate::{Principal, Refusal};
use claims::Claims;
use jwks::Jwks;
use reason::{invalid, reason};
use source::Source;

/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Checks the tokens of one issuer for one audience.
pub struct JwtVerifier {
    secret: Option<DecodingKey>,
    jwks: Option<Arc<Jwks>>,
    issuer: String,
    validation: Validation,
    scope_claim: String,
}

impl JwtVerifier {
    /// Opens a verifier. A key set that is a file is read now; one at a URL is fetched when the first token needs it.
    ///
    /// # Errors
    /// If the options are incomplete, or a file cannot be read or is unusable.
    pub fn open(options: JwtOptions) -> Result<Self, JwtOptionsError> {
        options.check()?;
        crypto::install();
        let secret = options.secret_file.as_deref().map(options::read_secret).transpose()?;
        let jwks = options.jwks.map(|source| Jwks::open(Source::open(source)?)).transpose()?;
        let mut validation = Validation::default();
        validation.set_issuer(&[&options.issuer]);
        validation.set_audience(&[&options.audience]);
        // `jsonwebtoken` checks a claim only if the token has it, unless the claim is required.
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // `Claims` checks these by the time that it is given.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        Ok(Self {
            secret: secret.map(|secret| DecodingKey::from_secret(&secret)),
            jwks: jwks.map(Arc::new),
            issuer: options.issuer,
            validation,
            scope_claim: options.scope_claim,
        })
    }

    /// Verifies a token and returns its principal, which has no scopes if the token names none of Noren's.
    ///
    /// # Errors
    /// [`Refusal::Expired`] for a token that was valid, [`Refusal::Unavailable`] until the key set has been fetched once, and
    /// [`Refusal::Invalid`] for everything else.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(invalid("it is longer than 8 KiB"));
        }
        let header = decode_header(token).map_err(|error| invalid(reason(&error)))?;
        check_header(&header)?;
        let claims = match (header.alg, &self.secret, &self.jwks) {
            (Algorithm::HS256, Some(secret), _) => self.claims(token, secret, Algorithm::HS256)?,
            (Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA, _, Some(jwks)) => {
                let key = jwks.key(header.kid.as_deref(), header.alg, now).await?;
                self.claims(token, &key.key, key.algorithm)?
            }
            _ => return Err(invalid("there is no key for its algorithm")),
        };
        claims.principal(&self.issuer, &self.scope_claim, now)
    }

    fn claims(&self, token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Claims, Refusal> {
        let validation = Validation { algorithms: vec![algorithm], ..self.validation.clone() };
        let decoded = decode::<Claims>(token, key, &validation);
        decoded.map(|token| token.claims).map_err(|error| invalid(reason(&error)))
    }
}

impl std::fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtVerifier").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Refuses headers that change the meaning of a token.
fn check_header(header: &Header) -> Result<(), Refusal> {
    if header.crit.is_some() {
        return Err(invalid("it has critical headers"));
    }
    if header.cty.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(invalid("it is nested, encrypted or compressed"));
    }
    let kind = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    match kind.strip_prefix("application/").unwrap_or(&kind) {
        "jwt" | "at+jwt" => Ok(()),
        _ => Err(invalid("its type is neither JWT nor at+jwt")),
    }
}
