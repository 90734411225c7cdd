//! What handlers take from a request: ids, preconditions, idempotency keys.

use axum::extract::{FromRequestParts, Path};
use domain::{Fault, FaultKind, ProductId, Version};
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};
use runtime::Problem;
use runtime::http::parameters;
use sha2::{Digest, Sha256};

use crate::catalogue::{IdempotencyKey, Precondition};

/// The header with the caller's name for a request.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MAX_KEY_CHARS: usize = 255;
/// What begins the keys of lines of import jobs, and so no key of a caller.
pub(crate) const IMPORT_KEYS: &str = "import:";

/// A 400 for one fault of a parameter or a header.
pub(crate) fn bad_request(field: &str, kind: FaultKind, message: impl Into<String>) -> Problem {
    let fault = Fault::new(field, kind, message);
    Problem::of_faults(StatusCode::BAD_REQUEST, fault.to_string(), &[fault])
}

/// The id in the address.
pub(crate) struct Id(pub(crate) ProductId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| bad_request("id", FaultKind::Malformed, "must be UTF-8"))?;
        ProductId::parse(&text).map(Self).map_err(|message| {
            let fault = Fault::new("id", FaultKind::Malformed, message);
            Problem::of_faults(StatusCode::UNPROCESSABLE_ENTITY, fault.to_string(), &[fault])
        })
    }
}

/// Refuses any query parameter, for addresses that take none.
pub(crate) struct NoParameters;

impl<S: Send + Sync> FromRequestParts<S> for NoParameters {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parameters(&parts.uri).next() {
            None => Ok(Self),
            Some((name, _)) => Err(bad_request(&name, FaultKind::Unknown, "is no parameter of this address")),
        }
    }
}

/// The precondition of a write, from `If-Match` and `If-None-Match`.
pub(crate) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    match (one_header(headers, &IF_MATCH)?, one_header(headers, &IF_NONE_MATCH)?) {
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

/// A strong ETag is the version in quotes. A weak one never matches, but is no fault either.
fn versions(tags: &str) -> Option<Vec<Version>> {
    let tags = tags.split(',').map(str::trim);
    let quoted = |tag: &str| tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"');
    tags.filter(|tag| !tag.starts_with("W/\""))
        .map(
            |tag| {
                if quoted(tag) {
                    Some(tag[1..tag.len() - 1].parse().map_or(Version(0), Version))
                } else {
                    None
                }
            },
        )
        .collect()
}

/// The caller's idempotency key with the fingerprint of this request.
pub(crate) fn idempotency(
    headers: &HeaderMap,
    method: &Method,
    uri: &Uri,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, Problem> {
    let name = HeaderName::from_static(IDEMPOTENCY_KEY);
    let Some(key) = one_header(headers, &name)? else { return Ok(None) };
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("must have 1 to {MAX_KEY_CHARS} visible ASCII characters, such as a UUID");
        return Err(bad_request("Idempotency-Key", FaultKind::Malformed, message));
    }
    if key.starts_with(IMPORT_KEYS) {
        let message = format!("must not begin with `{IMPORT_KEYS}`, as the keys of import jobs do");
        return Err(bad_request("Idempotency-Key", FaultKind::Malformed, message));
    }
    let mut hash = Sha256::new();
    for part in [method.as_str().as_bytes(), uri.path().as_bytes(), body] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Ok(Some(IdempotencyKey { key: key.to_owned(), fingerprint: hash.finalize().into() }))
}

/// A header that may be given once.
fn one_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(bad_request(name.as_str(), FaultKind::Repeated, "is given twice; give it once"));
    }
    let text = first.map(|value| value.to_str().map(str::trim));
    text.transpose().map_err(|_| bad_request(name.as_str(), FaultKind::Malformed, "must be ASCII"))
}

/// The W3C trace context of the request.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
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
        assert!(of("if-none-match", "\"3\"").is_err());
    }

    #[test]
    fn another_body_has_another_fingerprint() {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("k-1"));
        let uri = Uri::from_static("/products");
        let of = |body: &[u8]| idempotency(&headers, &Method::POST, &uri, body).unwrap().unwrap().fingerprint;
        assert_eq!(of(b"{}"), of(b"{}"));
        assert_ne!(of(b"{}"), of(b"{ }"));
    }
}
