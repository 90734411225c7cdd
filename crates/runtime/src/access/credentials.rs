//! The credentials of a request.

use access::Refusal;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::algolia;

/// The header of an API key.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The scheme of a request that is signed for an API of AWS, which checks the signature before it invokes the function. The signature
/// is not a credential of Noren: without `X-API-Key`, such a request is anonymous.
const SIGNED_FOR_AWS: &str = "AWS4-HMAC-SHA256 ";
/// The longest credentials, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// Returns the key or token of a request, if it has one.
///
/// # Errors
/// If there is more than one, or if `Authorization` does not contain a bearer token.
pub(super) fn credentials<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<Option<&'a str>, Refusal> {
    let key = only(headers, &X_API_KEY)?.map(text).transpose()?;
    let key =
        algolia::api_keys(uri, headers).map(checked).try_fold(key, |key, other| match (key, other?) {
            (Some(key), other) if key != other => Err(Refusal::Invalid),
            (_, other) => Ok(Some(other)),
        })?;
    let authorization = only(headers, &AUTHORIZATION)?.map(text).transpose()?;
    let authorization = authorization.filter(|text| !text.starts_with(SIGNED_FOR_AWS));
    let token = authorization.map(bearer).transpose()?;
    match (key, token) {
        (Some(key), Some(token)) if key != token => Err(Refusal::Invalid),
        (key, token) => Ok(key.or(token)),
    }
}

/// Returns the value of a header that may appear once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(Refusal::Invalid) } else { Ok(first) }
}

/// Returns a value as text, up to 8 KiB.
fn text(value: &HeaderValue) -> Result<&str, Refusal> {
    checked(value.to_str().map_err(|_| Refusal::Invalid)?)
}

fn checked(text: &str) -> Result<&str, Refusal> {
    if text.is_empty() || text.len() > MAX_BYTES { Err(Refusal::Invalid) } else { Ok(text) }
}

/// Returns the token of `Bearer TOKEN`. The scheme is case-insensitive: RFC 9110, section 11.1.
fn bearer(authorization: &str) -> Result<&str, Refusal> {
    let (scheme, token) = authorization.split_once(' ').ok_or(Refusal::Invalid)?;
    let token = token.trim();
    let is_token = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ');
    is_token.then_some(token).ok_or(Refusal::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(HeaderName, &str)]) -> Option<Option<String>> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(name, value.parse().unwrap());
        }
        credentials(&Uri::from_static("/"), &headers).ok().map(|found| found.map(str::to_owned))
    }

    #[test]
    fn a_key_or_a_bearer_token_is_read() {
        let found = Some(Some("abc".to_owned()));
        assert_eq!(read(&[]), Some(None));
        assert_eq!(read(&[(X_API_KEY, "abc")]), found);
        assert_eq!(read(&[(AUTHORIZATION, "Bearer abc")]), found);
        assert_eq!(read(&[(AUTHORIZATION, "bearer  abc")]), found);
        assert_eq!(read(&[(AUTHORIZATION, "Bearer abc"), (X_API_KEY, "abc")]), found, "the same twice");
    }

    #[test]
    fn the_signature_of_a_request_to_an_api_of_aws_is_no_credential() {
        let signed = "AWS4-HMAC-SHA256 Credential=AKIA/20261128/eu-central-1/execute-api/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=00";
        assert_eq!(read(&[(AUTHORIZATION, signed)]), Some(None));
        assert_eq!(read(&[(AUTHORIZATION, signed), (X_API_KEY, "abc")]), Some(Some("abc".to_owned())));
    }

    #[test]
    fn anything_else_is_invalid_and_not_ignored() {
        let long = "a".repeat(MAX_BYTES + 1);
        for given in [
            &[(AUTHORIZATION, "Basic YTpi")][..],
            &[(AUTHORIZATION, "Bearer")],
            &[(AUTHORIZATION, "Bearer ")],
            &[(AUTHORIZATION, "Bearer a b")],
            &[(AUTHORIZATION, "abc")],
            &[(AUTHORIZATION, "Bearer abc"), (AUTHORIZATION, "Bearer abc")],
            &[(AUTHORIZATION, "Bearer abc"), (X_API_KEY, "other")],
            &[(X_API_KEY, &long)],
            &[(X_API_KEY, "")],
        ] {
            assert_eq!(read(given), None, "{given:?}");
        }
    }
}
