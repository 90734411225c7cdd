//! The conditions of a write: `If-Match`, `If-None-Match`, `Idempotency-Key` and the trace context.

use std::fmt::Write as _;

use access::Identity;
use axum::extract::FromRequestParts;
use domain::{FaultKind, Version};
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, Method};
use runtime::Problem;
use runtime::access::principal;
use sha2::{Digest, Sha256};

use crate::problems::bad_request;

/// The request header with the idempotency key of a write.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The request header with the W3C trace context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The length of the hash of a principal in the name of an idempotency key, in bytes.
const OWNER_BYTES: usize = 16;
const MAX_KEY_CHARS: usize = 255;
/// The prefix of the idempotency keys of import lines. Keys of clients may not begin with it.
pub const IMPORT_KEY_PREFIX: &str = "import:";

/// The header with the idempotency key of a write, as OpenAPI documents describe it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is only documented")]
pub struct IdempotencyHeader {
    /// A key for this request: repeating the request under the same key returns the first response and changes nothing.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    key: Option<String>,
}

/// The header with the version to change, as OpenAPI documents describe it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is only documented")]
pub struct IfMatchHeader {
    /// The ETag of the version to change, or `*` for any; 412 if the product has another version, or does not exist.
    #[param(rename = "If-Match", nullable = false, pattern = r#"^(\*|"[0-9]+"( *, *"[0-9]+")*)$"#)]
    tags: Option<String>,
}

/// A condition on the current state of a product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// No condition.
    #[default]
    None,
    /// The product exists, in any version (`If-Match: *`).
    Exists,
    /// The product exists in one of these versions (`If-Match: "3"`).
    IsAt(Vec<Version>),
    /// The product does not exist (`If-None-Match: *`).
    IsAbsent,
}

/// An idempotency key: repeating a request under the same key returns the first response and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The client's key, prefixed so that keys of different principals never collide.
    pub key: String,
    /// A hash of the request, to detect a key that is reused for another request.
    pub fingerprint: [u8; 32],
}

/// The conditions of one write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteConditions {
    /// The state that the product must have.
    pub precondition: Precondition,
    /// The idempotency key, if the client sent one.
    pub idempotency: Option<IdempotencyKey>,
    /// The W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// The head of a write request, from which [`conditions`](Self::conditions) are read once the body is known.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    method: Method,
    path: String,
    headers: HeaderMap,
    /// The principal that idempotency keys belong to; `None` for a request without credentials.
    owner: Option<Identity>,
}

impl<S: Send + Sync> FromRequestParts<S> for WriteRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let principal = principal(&parts.extensions)?;
        let owner = principal.has_credentials().then(|| principal.identity.clone());
        let path = parts.uri.path().to_owned();
        Ok(Self { method: parts.method.clone(), path, headers: parts.headers.clone(), owner })
    }
}

impl WriteRequest {
    /// Reads the conditions of the write. The fingerprint of an idempotency key covers method, path and body.
    ///
    /// # Errors
    /// 400 for a malformed header, for one that is given more than once, and for both preconditions together.
    pub fn conditions(&self, body: &[u8]) -> Result<WriteConditions, Problem> {
        Ok(WriteConditions {
            precondition: precondition(&self.headers)?,
            idempotency: self.idempotency(body)?,
            traceparent: traceparent(&self.headers),
        })
    }

    fn idempotency(&self, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(key) = single_header(&self.headers, &IDEMPOTENCY_KEY)? else { return Ok(None) };
        if key.is_empty() || key.len() > MAX_KEY_CHARS || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("must have 1 to {MAX_KEY_CHARS} visible ASCII characters, such as a UUID");
            return Err(bad_request("Idempotency-Key", FaultKind::Malformed, message));
        }
        if key.starts_with(IMPORT_KEY_PREFIX) {
            let message = format!("must not begin with `{IMPORT_KEY_PREFIX}`, the prefix for import jobs");
            return Err(bad_request("Idempotency-Key", FaultKind::Malformed, message));
        }
        let mut hash = Sha256::new();
        for part in [self.method.as_str().as_bytes(), self.path.as_bytes(), body] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let key = name_of_key(self.owner.as_ref(), key);
        Ok(Some(IdempotencyKey { key, fingerprint: hash.finalize().into() }))
    }
}

/// Returns the name of an idempotency key in the store. Without credentials, it is the client's key. Otherwise it is a hash of the
/// principal, a space and the client's key. A hash, because the subject of a token may be long; a space, because no client's key has one.
fn name_of_key(owner: Option<&Identity>, key: &str) -> String {
    let Some(owner) = owner else { return key.to_owned() };
    let mut name = String::new();
    for byte in Sha256::digest(owner.to_string()).iter().take(OWNER_BYTES) {
        let _ = write!(name, "{byte:02x}");
    }
    name + " " + key
}

/// Reads the precondition of a write from `If-Match` and `If-None-Match`.
fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    match (single_header(headers, &IF_MATCH)?, single_header(headers, &IF_NONE_MATCH)?) {
        (None, None) => Ok(Precondition::None),
        (Some(_), Some(_)) => {
            let message = "cannot be given together with If-None-Match";
            Err(bad_request("If-Match", FaultKind::Malformed, message))
        }
        (Some("*"), None) => Ok(Precondition::Exists),
        (Some(tags), None) => versions(tags).map(Precondition::IsAt).ok_or_else(|| {
            let message = "must be `*` or the ETag of the version to change, such as \"3\"";
            bad_request("If-Match", FaultKind::Malformed, message)
        }),
        (None, Some("*")) => Ok(Precondition::IsAbsent),
        (None, Some(_)) => {
            let message = "of a write must be `*`, for a product that must not exist";
            Err(bad_request("If-None-Match", FaultKind::Malformed, message))
        }
    }
}

/// Reads the versions of a list of entity tags; `None` if a strong tag has no quotes.
///
/// A weak tag never matches a write and is ignored. A tag that is not a version becomes version 0, which no product has.
fn versions(tags: &str) -> Option<Vec<Version>> {
    let strong = tags.split(',').map(str::trim).filter(|tag| !tag.starts_with("W/\""));
    let version = |tag: &str| {
        let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
        Some(opaque.parse().map_or(Version(0), Version))
    };
    strong.map(version).collect()
}

/// Returns the value of a header that may be given once.
fn single_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        let message = "is given more than once; give it once";
        return Err(bad_request(name.as_str(), FaultKind::Repeated, message));
    }
    let text = first.map(|value| value.to_str().map(str::trim));
    text.transpose().map_err(|_| bad_request(name.as_str(), FaultKind::Malformed, "must be ASCII"))
}

/// Returns the W3C trace context of a request, or `None` if it is absent or malformed.
pub fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    let is_plain = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_plain.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(name: &'static str, value: &'static str) -> Result<Precondition, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        precondition(&headers)
    }

    #[test]
    fn preconditions_are_read_from_headers() {
        assert_eq!(of("if-match", "\"3\"").unwrap(), Precondition::IsAt(vec![Version(3)]));
        assert_eq!(
            of("if-match", "\"3\", W/\"4\", \"5\"").unwrap(),
            Precondition::IsAt(vec![Version(3), Version(5)])
        );
        assert_eq!(of("if-match", "W/\"3\"").unwrap(), Precondition::IsAt(vec![]));
        assert_eq!(of("if-match", "\"not ours\"").unwrap(), Precondition::IsAt(vec![Version(0)]));
        assert_eq!(of("if-match", "*").unwrap(), Precondition::Exists);
        assert_eq!(of("if-none-match", "*").unwrap(), Precondition::IsAbsent);
        assert!(of("if-match", "3").is_err());
        assert!(of("if-match", "\"").is_err());
        assert!(of("if-none-match", "\"3\"").is_err());
    }

    #[test]
    fn another_body_has_another_fingerprint() {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("k-1"));
        let request =
            WriteRequest { method: Method::POST, path: "/products".to_owned(), headers, owner: None };
        let of = |body: &[u8]| request.idempotency(body).unwrap().unwrap().fingerprint;
        assert_eq!(of(b"{}"), of(b"{}"));
        assert_ne!(of(b"{}"), of(b"{ }"));
    }

    #[test]
    fn a_key_is_a_name_within_its_principal() {
        let subject = |name: &str| Identity::Subject(name.into());
        let name = |owner: &Identity| name_of_key(Some(owner), "k-1");
        assert_eq!(name_of_key(None, "k-1"), "k-1", "what is stored stays valid");
        assert_eq!(name(&subject("a")), name(&subject("a")));
        assert_ne!(name(&subject("a")), name(&subject("b")));
        assert_ne!(name(&subject("root-key")), name(&Identity::RootKey));
        let long = name(&subject(&"s".repeat(8000)));
        assert!(long.len() < 64 && long.ends_with(" k-1"), "{long}");
    }
}
