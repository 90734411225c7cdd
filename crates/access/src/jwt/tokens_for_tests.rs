//! Helpers of the tests of tokens: keys that sign, tokens, and a server of key sets that counts its requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{JwksSource, JwtOptions, JwtVerifier};

pub(super) const ISSUER: &str = "https://login.shop.example";
pub(super) const AUDIENCE: &str = "noren";

/// A key that signs tokens.
pub(super) enum Signer {
    Hs256(Vec<u8>),
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    pub(super) fn hs256(secret: &[u8]) -> Self {
        Self::Hs256(secret.to_vec())
    }

    /// Returns the one RSA key of the tests: ring cannot generate any.
    pub(super) fn rs256() -> Self {
        Self::Rs256(RsaKeyPair::from_pkcs8(include_bytes!("test-key-rsa.pk8")).unwrap())
    }

    pub(super) fn es256() -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Es256(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap())
    }

    pub(super) fn eddsa() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::EdDsa(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Hs256(secret) => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
                ring::hmac::sign(&key, message).as_ref().to_vec()
            }
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::Es256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::EdDsa(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// Returns the public key as an entry of a key set.
    pub(super) fn jwk(&self, id: &str) -> Value {
        let mut jwk = match self {
            Self::Hs256(secret) => json!({"kty": "oct", "k": encode(secret)}),
            Self::Rs256(key) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({"kty": "RSA", "n": encode(&n), "e": encode(&e)})
            }
            Self::Es256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Self::EdDsa(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key().as_ref())})
            }
        };
        jwk["kid"] = json!(id);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm());
        jwk
    }

    /// Signs a token with the header of this key.
    pub(super) fn token(&self, id: &str, claims: &Value) -> String {
        self.sign_token(
            &json!({"typ": "JWT", "alg": self.algorithm(), "kid": id}).to_string(),
            &claims.to_string(),
        )
    }

    /// Signs any two texts.
    pub(super) fn sign_token(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = encode(&self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The time of the tests.
pub(super) fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

/// Returns valid claims, which expire in 5 minutes.
pub(super) fn claims() -> Value {
    let exp = now().as_second() + 300;
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "shop-1", "exp": exp, "scope": "search read"})
}

/// Returns valid claims with one of them changed, or removed if the value is null.
pub(super) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name).unwrap();
    } else {
        claims[name] = value;
    }
    claims
}

pub(super) fn options() -> JwtOptions {
    JwtOptions {
        secret_file: None,
        jwks: None,
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        scope_claim: "scope".to_owned(),
    }
}

pub(super) fn key_set<'a>(keys: impl IntoIterator<Item = (&'a str, &'a Signer)>) -> String {
    let keys: Vec<Value> = keys.into_iter().map(|(id, key)| key.jwk(id)).collect();
    json!({"keys": keys}).to_string()
}

/// A server of key sets on this machine.
pub(super) struct KeyServer {
    url: String,
    response: Arc<Mutex<String>>,
    requests: Arc<AtomicUsize>,
}

impl KeyServer {
    pub(super) async fn start(set: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let server = Self { url, response: Arc::default(), requests: Arc::default() };
        server.serves(set);
        let (response, requests) = (Arc::clone(&server.response), Arc::clone(&server.requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                requests.fetch_add(1, Ordering::SeqCst);
                let response = response.lock().unwrap().clone();
                tokio::spawn(respond(stream, response));
            }
        });
        server
    }

    /// Serves another set from now on.
    pub(super) fn serves(&self, set: &str) {
        self.responds(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{set}", set.len()));
    }

    /// Sends this text to every request from now on, and hangs up. An empty one stands for a server that is away.
    pub(super) fn responds(&self, response: &str) {
        response.clone_into(&mut self.response.lock().unwrap());
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(super) fn verifier(&self) -> JwtVerifier {
        JwtVerifier::open(JwtOptions { jwks: Some(JwksSource::Url(self.url.clone())), ..options() }).unwrap()
    }
}

async fn respond(mut stream: TcpStream, response: String) {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(length) if length > 0 => request.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
    // The client may have gone away.
    let _ = stream.write_all(response.as_bytes()).await;
}
