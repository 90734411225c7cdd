//! The configuration of a verifier of tokens.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::keys::KeySetError;

/// The fewest bytes of a secret, as RFC 7518 requires for HS256.
const MIN_SECRET_BYTES: usize = 32;
/// The most bytes of the file of a secret.
const MAX_SECRET_BYTES: u64 = 4096;

/// The tokens that are accepted. At least one of `secret_file` and `jwks` is needed.
#[derive(Debug, Clone)]
pub struct JwtOptions {
    /// The file of the secret for HS256: at least 32 bytes, not counting a line break at the end.
    pub secret_file: Option<PathBuf>,
    /// The key set for RS256, ES256 and EdDSA.
    pub jwks: Option<JwksSource>,
    /// The value that the claim `iss` must have.
    pub issuer: String,
    /// The value that the claim `aud` must have or contain.
    pub audience: String,
    /// The claim with the scopes, a list or a text separated by spaces; usually `scope`.
    pub scope_claim: String,
}

/// The location of a JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// An address with `https://`, or with `http://` on this machine.
    Url(String),
    /// A file.
    File(PathBuf),
}

/// The reason for which tokens cannot be checked. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum JwtOptionsError {
    /// There is neither a secret nor a key set.
    #[error("tokens need a key; configure the file of a secret, or a key set by its URL or file")]
    NoKey,
    /// A value is empty.
    #[error("tokens need the {0} that is expected of them; it is empty")]
    Empty(&'static str),
    /// The secret cannot be read.
    #[error("cannot read the secret for tokens from {}", path.display())]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The secret is too short or too long.
    #[error(
        "the secret for tokens in {} has {bytes} bytes; it needs {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES}, for example \
         those of `openssl rand -base64 48`",
        path.display()
    )]
    SecretLength {
        /// The file.
        path: PathBuf,
        /// The length of the secret.
        bytes: usize,
    },
    /// The URL of the key set cannot be trusted.
    #[error("`{url}` cannot be the URL of a key set: {fault}")]
    Url {
        /// The URL.
        url: String,
        /// The fault.
        fault: &'static str,
    },
    /// The HTTP client cannot be set up.
    #[error("cannot set up the HTTP client for the key set")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file of the key set cannot be read.
    #[error("cannot read the key set from {}", path.display())]
    KeySetFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file of the key set is unusable.
    #[error("the key set in {} is unusable", path.display())]
    KeySet {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: KeySetError,
    },
}

impl JwtOptions {
    /// Checks that the options are complete.
    pub(super) fn check(&self) -> Result<(), JwtOptionsError> {
        if self.secret_file.is_none() && self.jwks.is_none() {
            return Err(JwtOptionsError::NoKey);
        }
        let values =
            [("issuer", &self.issuer), ("audience", &self.audience), ("claim of scopes", &self.scope_claim)];
        match values.into_iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => Err(JwtOptionsError::Empty(name)),
            None => Ok(()),
        }
    }
}

/// Reads the secret of a file.
pub(super) fn read_secret(path: &Path) -> Result<Vec<u8>, JwtOptionsError> {
    let failed = |source| JwtOptionsError::SecretFile { path: path.to_owned(), source };
    let mut secret = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_SECRET_BYTES + 2).read_to_end(&mut secret))
        .map_err(failed)?;
    for end in [b'\n', b'\r'] {
        if secret.last() == Some(&end) {
            secret.pop();
        }
    }
    match secret.len() {
        bytes if bytes < MIN_SECRET_BYTES || bytes as u64 > MAX_SECRET_BYTES => {
            Err(JwtOptionsError::SecretLength { path: path.to_owned(), bytes })
        }
        _ => Ok(secret),
    }
}
