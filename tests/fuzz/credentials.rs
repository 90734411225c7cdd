//! Credentials: API keys, JSON Web Tokens, and the key sets that verify them.

use std::fs;

use access::ApiKey;
use access::jwt::{JwksSource, JwtOptions, JwtVerifier};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::hmac;
use serde_json::Value;

use super::fuzz;

const SECRET: &[u8] = b"a secret of the fuzzer, 32 bytes or longer";
const ISSUER: &str = "https://login.shop.example";
const AUDIENCE: &str = "noren";

/// The prefix, the id and the secret of a key, followed by the checksum.
fn with_checksum(key: &str) -> String {
    let signed = key.rsplit_once('_').map_or(key, |(signed, _)| signed);
    format!("{signed}_{:08x}", crc32fast::hash(signed.as_bytes()))
}

#[test]
fn an_api_key_has_one_form_and_does_not_show_its_secret() {
    fuzz("api_key", |input| {
        let text = String::from_utf8_lossy(input);
        // A wrong checksum would hide everything else.
        for text in [with_checksum(&text), text.into_owned()] {
            let Some(key) = ApiKey::read(&text) else { continue };
            assert!(ApiKey::is_like(&text));
            assert_eq!(key.expose(), text);
            let secret = text.split('_').nth(2).unwrap();
            assert!(!format!("{key:?}").contains(secret));
        }
    });
}

/// A verifier with its keys in a folder.
struct Verifier {
    verifier: JwtVerifier,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Verifier {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (secret_file, jwks) = (folder.path().join("secret"), folder.path().join("jwks.json"));
        fs::write(&secret_file, SECRET).unwrap();
        let keys = super::corpus("jwks").into_iter().find(|(name, _)| name == "three-keys.json");
        fs::write(&jwks, keys.expect("the corpus has the keys").1).unwrap();
        let options = options(Some(secret_file), Some(JwksSource::File(jwks)));
        let verifier = JwtVerifier::open(options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { verifier, runtime, _folder: folder }
    }

    fn accepts(&self, token: &str) -> bool {
        self.runtime.block_on(self.verifier.verify(token, Timestamp::now())).is_ok()
    }
}

fn options(secret_file: Option<std::path::PathBuf>, jwks: Option<JwksSource>) -> JwtOptions {
    JwtOptions {
        secret_file,
        jwks,
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        scope_claim: "scope".to_owned(),
    }
}

#[test]
fn no_change_of_a_token_is_accepted() {
    let verifier = Verifier::new();
    let valid: Vec<_> =
        super::corpus("jwt").into_iter().filter(|(name, _)| name.starts_with("valid")).collect();
    assert!(!valid.is_empty());
    for (name, token) in &valid {
        assert!(verifier.accepts(str::from_utf8(token).unwrap()), "{name}");
    }
    fuzz("jwt", |input| {
        let is_valid = valid.iter().any(|(_, token)| token == input);
        assert_eq!(verifier.accepts(&String::from_utf8_lossy(input)), is_valid);
    });
}

/// Returns the token of a header and claims, one on the first line and the others below, signed with the secret.
fn sign(input: &[u8]) -> String {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (header, claims) = input.split_at(end);
    let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes());
    format!("{signed}.{}", encode(signature.as_ref()))
}

/// Returns true if a signed token has what RFC 8725 and Noren require: read by other code than that under test.
fn is_complete(input: &[u8]) -> bool {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let read = |part: &[u8]| serde_json::from_slice::<Value>(part).unwrap_or_default();
    let (header, claims) = (read(&input[..end]), read(&input[end..]));
    let has_audience = match &claims["aud"] {
        Value::Array(several) => several.iter().any(|one| one == AUDIENCE),
        one => one == AUDIENCE,
    };
    header["alg"] == "HS256"
        && header.get("crit").is_none_or(Value::is_null)
        && claims["iss"] == ISSUER
        && has_audience
        && claims["exp"].as_f64().is_some_and(|exp| exp > Timestamp::now().as_second() as f64 - 61.0)
        && claims["sub"].as_str().is_some_and(|subject| !subject.is_empty())
}

#[test]
fn a_signed_token_is_accepted_only_with_all_claims() {
    let verifier = Verifier::new();
    fuzz("jwt_claims", |input| {
        if verifier.accepts(&sign(input)) {
            assert!(is_complete(input), "{}", input.escape_ascii());
        }
    });
}

#[test]
fn a_key_set_is_read_or_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    fuzz("jwks", |input| {
        fs::write(&file, input).unwrap();
        if let Err(error) = JwtVerifier::open(options(None, Some(JwksSource::File(file.clone())))) {
            assert!(!error.to_string().is_empty());
        }
    });
}
