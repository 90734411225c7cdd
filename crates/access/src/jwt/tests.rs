//! The rules of tokens: RFC 8725's cases, the algorithm bound to the key, and how often the key set is asked for.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::tokens_for_tests::{
    AUDIENCE, ISSUER, KeyServer, Signer, claims, claims_with, encode, key_set, now, options,
};
use super::{JwksSource, JwtOptions, JwtVerifier};
use crate::{Identity, Principal, Refusal, Scope, Scopes};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// Returns a verifier with all kinds of keys: a secret, and a key set with the ids `rsa`, `ec` and `ed`.
fn verifier(folder: &tempfile::TempDir, keys: &[(&str, &Signer)]) -> JwtVerifier {
    let (secret_file, set_file) = (folder.path().join("secret"), folder.path().join("keys.json"));
    std::fs::write(&secret_file, SECRET).unwrap();
    std::fs::write(&set_file, key_set(keys.iter().copied())).unwrap();
    let jwks = Some(JwksSource::File(set_file));
    JwtVerifier::open(JwtOptions { secret_file: Some(secret_file), jwks, ..options() }).unwrap()
}

/// Verifies a token against a verifier whose one secret is [`SECRET`].
async fn verify(token: &str, at: Timestamp) -> Result<Principal, Refusal> {
    let folder = tempfile::tempdir().unwrap();
    verifier(&folder, &[("ed", &Signer::eddsa())]).verify(token, at).await
}

fn signed(claims: &Value) -> String {
    Signer::hs256(SECRET).token("any", claims)
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn a_token_of_each_algorithm_names_its_subject_and_scopes() {
    let folder = tempfile::tempdir().unwrap();
    let (rsa, ec, ed) = (Signer::rs256(), Signer::es256(), Signer::eddsa());
    let verifier = verifier(&folder, &[("rsa", &rsa), ("ec", &ec), ("ed", &ed)]);
    let secret = Signer::hs256(SECRET);
    for (id, signer) in [("rsa", &rsa), ("ec", &ec), ("ed", &ed), ("any", &secret)] {
        let principal = verifier.verify(&signer.token(id, &claims()), now()).await.unwrap();
        assert_eq!(principal.identity, Identity::Subject("shop-1".into()), "{id}");
        assert_eq!(principal.scopes, Scopes::from_iter([Scope::Search, Scope::Read]), "{id}");
        assert!(principal.filters.is_empty() && principal.rate_limit.is_none(), "{id}");
    }
}

#[tokio::test]
async fn forged_confused_and_malformed_tokens_are_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let (rsa, ec, ed) = (Signer::rs256(), Signer::es256(), Signer::eddsa());
    let verifier = verifier(&folder, &[("rsa", &rsa), ("ec", &ec), ("ed", &ed)]);
    let valid = rsa.token("rsa", &claims());
    let (message, signature) = valid.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let all = claims().to_string();
    let with_header = |header: Value| rsa.sign_token(&header.to_string(), &all);
    let unsigned = |algorithm: &str| {
        let header = json!({"alg": algorithm, "kid": "rsa"}).to_string();
        format!("{}.{}.", encode(header.as_bytes()), encode(all.as_bytes()))
    };
    let Value::String(modulus) = rsa.jwk("rsa")["n"].take() else { panic!("the RSA key has no modulus") };
    let public_key_as_secret = |secret: &[u8]| Signer::hs256(secret).token("rsa", &claims());
    let admin = claims_with("scope", json!("admin")).to_string();
    let other_ec = Signer::es256();
    let tokens = [
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("no signature", format!("{message}.")),
        ("alg none with a signature", format!("{}{signature}", unsigned("none"))),
        ("HS256 with the modulus as secret", public_key_as_secret(modulus.as_bytes())),
        ("HS256 with the key as secret", public_key_as_secret(rsa.jwk("rsa").to_string().as_bytes())),
        ("HS256 with an empty secret", public_key_as_secret(b"")),
        ("HS384", Signer::hs256(SECRET).sign_token(r#"{"alg":"HS384"}"#, &all)),
        ("wrong kid", rsa.token("other", &claims())),
        ("no kid, several keys", with_header(json!({"alg": "RS256"}))),
        ("kid of a key of another algorithm", ec.token("rsa", &claims())),
        ("algorithm of another key", with_header(json!({"alg": "ES256", "kid": "rsa"}))),
        ("other algorithm of the same family", with_header(json!({"alg": "PS256", "kid": "rsa"}))),
        ("wrong curve", with_header(json!({"alg": "ES384", "kid": "ec"}))),
        ("right kid, other key", other_ec.token("ec", &claims())),
        (
            "key in the header",
            other_ec.sign_token(
                &json!({"alg": "ES256", "kid": "ec", "jwk": other_ec.jwk("ec")}).to_string(),
                &all,
            ),
        ),
        (
            "URL of keys in the header",
            other_ec.sign_token(r#"{"alg":"ES256","kid":"ec","jku":"http://127.0.0.1:1/keys"}"#, &all),
        ),
        ("changed claims", format!("{header}.{}.{signature}", encode(admin.as_bytes()))),
        ("truncated signature", valid[..valid.len() - 4].to_owned()),
        ("padded", format!("{valid}=")),
        ("space", format!("{valid} ")),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("five parts", format!("{valid}.{valid}")),
        ("nested", with_header(json!({"alg": "RS256", "kid": "rsa", "cty": "JWT"}))),
        ("a token as claims", rsa.sign_token(r#"{"alg":"RS256","kid":"rsa"}"#, &valid)),
        ("encrypted", with_header(json!({"alg": "RS256", "kid": "rsa", "enc": "A256GCM"}))),
        ("compressed", with_header(json!({"alg": "RS256", "kid": "rsa", "zip": "DEF"}))),
        ("crit", with_header(json!({"alg": "RS256", "kid": "rsa", "crit": ["exp"]}))),
        ("logout token", with_header(json!({"alg": "RS256", "kid": "rsa", "typ": "logout+jwt"}))),
        ("huge", rsa.token("rsa", &claims_with("sub", json!("s".repeat(8 * 1024))))),
    ];
    for (name, token) in tokens {
        let refused = verifier.verify(&token, now()).await;
        assert!(matches!(refused, Err(Refusal::Invalid)), "{name}: {refused:?}");
    }
    verifier.verify(&valid, now()).await.expect("the token that these were made of");
}

#[tokio::test]
async fn required_claims_must_be_there_and_right() {
    let missing = ["exp", "iss", "aud", "sub"].map(|name| (name, Value::Null));
    let wrong = [
        ("aud", json!("other")),
        ("aud", json!(["other", "another"])),
        ("aud", json!([])),
        ("iss", json!("https://login.other.example")),
        ("iss", json!([ISSUER])),
        ("iss", json!(format!("{ISSUER}/"))),
        ("exp", json!("2026-11-28T12:05:00Z")),
        ("exp", json!(-1)),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("s".repeat(256))),
        ("nbf", json!("yesterday")),
    ];
    for (name, value) in missing.into_iter().chain(wrong) {
        let refused = verify(&signed(&claims_with(name, value.clone())), now()).await;
        assert!(matches!(refused, Err(Refusal::Invalid)), "{name} {value}: {refused:?}");
    }
    for aud in [json!(AUDIENCE), json!(["other", AUDIENCE])] {
        verify(&signed(&claims_with("aud", aud)), now()).await.expect("the right audience");
    }
    let twice = claims().to_string().replacen('{', r#"{"exp":1,"#, 1);
    let twice = Signer::hs256(SECRET).sign_token(r#"{"alg":"HS256"}"#, &twice);
    assert!(matches!(verify(&twice, now()).await, Err(Refusal::Invalid)), "exp twice");
}

#[tokio::test]
async fn a_token_is_valid_until_a_minute_after_its_end() {
    let token = signed(&claims());
    assert!(verify(&token, later(300 + 59)).await.is_ok());
    let refused = verify(&token, later(300 + 60)).await;
    assert!(matches!(refused, Err(Refusal::Expired)), "{refused:?}");
    // Who cannot make a valid token does not learn that one has expired.
    let forged = Signer::hs256(b"another secret").token("any", &claims());
    assert!(matches!(verify(&forged, later(400)).await, Err(Refusal::Invalid)));
}

#[tokio::test]
async fn a_token_is_valid_from_a_minute_before_its_begin() {
    let token = signed(&claims_with("nbf", json!(later(100).as_second())));
    assert!(matches!(verify(&token, later(39)).await, Err(Refusal::Invalid)));
    assert!(verify(&token, later(40)).await.is_ok());
}

#[tokio::test]
async fn scopes_are_a_text_or_a_list_and_unknown_words_are_ignored() {
    let both = Scopes::from_iter([Scope::Search, Scope::Write]);
    for (claim, scopes) in [
        (json!("search write"), both),
        (json!("openid search  offline_access write"), both),
        (json!(["write", "search", "profile", 7]), both),
        (json!("openid"), Scopes::NONE),
        (json!("Search"), Scopes::NONE),
        (json!(7), Scopes::NONE),
        (Value::Null, Scopes::NONE),
    ] {
        let token = signed(&claims_with("scope", claim.clone()));
        assert_eq!(verify(&token, now()).await.unwrap().scopes, scopes, "{claim}");
    }
}

#[tokio::test]
async fn the_claim_of_scopes_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let secret_file = folder.path().join("secret");
    std::fs::write(&secret_file, [SECRET, b"\r\n"].concat()).unwrap();
    let scope_claim = "https://shop.example/roles".to_owned();
    let options = JwtOptions { secret_file: Some(secret_file), scope_claim, ..options() };
    let verifier = JwtVerifier::open(options).unwrap();
    let mut claims = claims();
    claims["https://shop.example/roles"] = json!(["admin"]);
    assert_eq!(verifier.verify(&signed(&claims), now()).await.unwrap().scopes, Scope::Admin.into());
}

#[tokio::test]
async fn a_rotated_key_is_found_and_the_server_is_asked_once_a_minute() {
    let (old, new) = (Signer::es256(), Signer::eddsa());
    let server = KeyServer::start(&key_set([("old", &old)])).await;
    let verifier = server.verifier();
    assert_eq!(server.requests(), 0, "nothing is fetched before it is needed");
    for _ in 0..10 {
        verifier.verify(&old.token("old", &claims()), now()).await.unwrap();
    }
    assert_eq!(server.requests(), 1);

    server.serves(&key_set([("old", &old), ("new", &new)]));
    let token = new.token("new", &claims());
    for n in 0..50 {
        let unknown = new.token(&format!("made-up-{n}"), &claims());
        assert!(matches!(verifier.verify(&unknown, later(59)).await, Err(Refusal::Invalid)));
    }
    assert!(matches!(verifier.verify(&token, later(59)).await, Err(Refusal::Invalid)));
    assert_eq!(server.requests(), 1, "within the minute");
    verifier.verify(&token, later(60)).await.expect("the new key is found after a minute");
    verifier.verify(&old.token("old", &claims()), later(60)).await.expect("the old key is there still");
    assert_eq!(server.requests(), 2);

    server.serves(&key_set([("new", &new)]));
    let old_token = old.token("old", &claims_with("exp", json!(later(9000).as_second())));
    let new_token = new.token("new", &claims_with("exp", json!(later(9000).as_second())));
    verifier.verify(&old_token, later(60 + 3599)).await.expect("the set is used for an hour");
    verifier.verify(&new_token, later(60 + 3600)).await.unwrap();
    assert_eq!(server.requests(), 3, "after an hour");
    assert!(matches!(verifier.verify(&old_token, later(60 + 3600)).await, Err(Refusal::Invalid)));
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn many_tokens_at_once_ask_the_server_once() {
    let key = Signer::es256();
    let server = KeyServer::start(&key_set([("key", &key)])).await;
    let (verifier, token) = (server.verifier(), key.token("key", &claims()));
    let mut all = tokio::task::JoinSet::new();
    let verifier = std::sync::Arc::new(verifier);
    for _ in 0..100 {
        let (verifier, token) = (std::sync::Arc::clone(&verifier), token.clone());
        all.spawn(async move { verifier.verify(&token, now()).await.is_ok() });
    }
    assert!(all.join_all().await.into_iter().all(|is_valid| is_valid));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn the_old_set_is_kept_while_the_server_is_away_or_wrong() {
    let key = Signer::es256();
    let server = KeyServer::start(&key_set([("key", &key)])).await;
    let verifier = server.verifier();
    let token = key.token("key", &claims_with("exp", json!(later(99_999).as_second())));
    verifier.verify(&token, now()).await.unwrap();
    let too_many: Vec<_> = (0..101).map(|_| ("key", &key)).collect();
    let too_many = key_set(too_many);
    let with_body = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let faults = [
        String::new(),
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned(),
        with_body("<html>"),
        with_body(r#"{"keys": []}"#),
        with_body(&too_many),
        with_body(&" ".repeat(600 * 1024)),
    ];
    for (n, fault) in faults.iter().enumerate() {
        server.responds(fault);
        let at = later(7200 + 60 * i64::try_from(n).unwrap());
        for _ in 0..3 {
            verifier.verify(&token, at).await.unwrap_or_else(|refusal| panic!("{n}: {refusal}"));
        }
        assert_eq!(server.requests(), n + 2, "one request a minute");
    }
}

#[tokio::test]
async fn tokens_cannot_be_checked_before_the_server_first_responds() {
    let key = Signer::es256();
    let server = KeyServer::start("").await;
    server.responds("");
    let (verifier, token) = (server.verifier(), key.token("key", &claims()));
    for at in [now(), later(9)] {
        let refused = verifier.verify(&token, at).await;
        assert!(matches!(refused, Err(Refusal::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(server.requests(), 1);
    server.serves(&key_set([("key", &key)]));
    verifier.verify(&token, later(10)).await.expect("it is tried every 10 s");
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_use_up_the_attempt() {
    let key = Signer::es256();
    let server = KeyServer::start(&key_set([("key", &key)])).await;
    let (verifier, token) = (server.verifier(), key.token("key", &claims()));
    {
        let mut hung_up = Box::pin(verifier.verify(&token, now()));
        // One poll begins the request.
        assert!(futures_poll_once(&mut hung_up).await.is_none());
    }
    verifier.verify(&token, now()).await.expect("the request was completed");
    assert_eq!(server.requests(), 1);
}

/// Polls a future once.
async fn futures_poll_once<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_single_key_verifies_tokens_without_a_key_id() {
    let folder = tempfile::tempdir().unwrap();
    let key = Signer::eddsa();
    let verifier = verifier(&folder, &[("key", &key)]);
    let token = key.sign_token(r#"{"alg":"EdDSA"}"#, &claims().to_string());
    assert!(verifier.verify(&token, now()).await.is_ok());
}

#[test]
fn options_that_cannot_work_are_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Some(path)
    };
    let url = |url: &str| Some(JwksSource::Url(url.to_owned()));
    let short = file("short", &[&SECRET[..31], b"\n"].concat());
    let encryption = json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc"}]}).to_string();
    let set = file("set", encryption.as_bytes()).map(JwksSource::File);
    let missing = Some(JwksSource::File(folder.path().join("missing")));
    let jwks = |jwks| JwtOptions { jwks, ..options() };
    let faulty = [
        (options(), "need a key"),
        (JwtOptions { audience: String::new(), jwks: url("https://a.example"), ..options() }, "audience"),
        (JwtOptions { secret_file: short, ..options() }, "has 31 bytes; it needs 32"),
        (JwtOptions { secret_file: Some(folder.path().join("none")), ..options() }, "cannot read the secret"),
        (jwks(url("http://login.example/keys")), "use https://"),
        (jwks(url("http://127.0.0.1.evil.example/keys")), "use https://"),
        (jwks(url("ftp://login.example/keys")), "must begin with https://"),
        (jwks(url("keys.json")), "not a URL"),
        (jwks(url("https://me:pass-word@login.example/keys")), "must not have a user"),
        (jwks(set), "is unusable"),
        (jwks(missing), "cannot read the key set"),
    ];
    for (options, text) in faulty {
        let error = JwtVerifier::open(options).unwrap_err().to_string();
        assert!(error.contains(text) && !error.contains("pass-word"), "{error}");
    }
    for address in ["https://login.example/keys", "http://localhost:8080/keys", "http://[::1]:8080/keys"] {
        JwtVerifier::open(jwks(url(address))).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
}
