//! Credentials of every kind, and the responses of routes to them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::{digest, hmac};
use serde_json::{Value, json};

use super::routes::{PUBLIC, Route};
use super::shop::{Key, Shop};

pub(super) const SCOPES: [&str; 4] = ["search", "read", "write", "admin"];
const ISSUER: &str = "https://login.shop.example";
const JWT_SECRET: &[u8] = b"a secret of the identity provider";
const ROOT_KEY: &str = "the key of the one who configures the service";

/// Credentials of a request.
pub(super) struct Credentials {
    pub(super) name: String,
    /// The API key or the token; `None` for a request without credentials.
    pub(super) value: Option<String>,
    /// True to send it in `Authorization`, and not in `X-API-Key`.
    pub(super) is_bearer: bool,
    may: May,
}

/// The routes that credentials allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    /// There are none.
    Anonymous,
    /// Nothing, with this text in the refusal.
    Nothing(&'static str),
    /// Routes with this scope.
    One(&'static str),
    /// Every route.
    All,
}

/// The parts of a response that a test reads.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    /// The header `WWW-Authenticate`.
    pub(super) challenge: String,
    pub(super) body: String,
}

impl Credentials {
    fn key(name: &str, key: impl Into<String>, may: May) -> Self {
        Self { name: name.to_owned(), value: Some(key.into()), is_bearer: false, may }
    }

    fn bearer(name: &str, token: impl Into<String>, may: May) -> Self {
        Self { is_bearer: true, ..Self::key(name, token, may) }
    }

    /// Returns the header of the credentials.
    pub(super) fn header(&self) -> Option<(&'static str, String)> {
        let value = self.value.as_ref()?;
        Some(match self.is_bearer {
            true => ("authorization", format!("Bearer {value}")),
            false => ("x-api-key", value.clone()),
        })
    }

    /// Checks the response to a request of a route with these credentials. `anonymous` is the scope of requests without any.
    pub(super) fn check(&self, route: &Route, anonymous: Option<&str>, seen: &Seen) {
        let shown = format!("{} {} with {}: {seen:?}", route.method, route.path, self.name);
        let is_let_in = route.needs == PUBLIC
            || match self.may {
                May::Anonymous => anonymous == Some(route.needs),
                May::Nothing(_) => false,
                May::One(scope) => scope == route.needs,
                May::All => true,
            };
        if is_let_in {
            assert!(!matches!(seen.status, 401 | 403 | 429), "is let in: {shown}");
            return;
        }
        let (status, challenge, detail) = match self.may {
            May::Anonymous => (401, String::new(), format!("`{}`", route.needs)),
            May::Nothing(word) => (401, ", error=\"invalid_token\"".to_owned(), word.to_owned()),
            May::One(_) | May::All => (
                403,
                format!(", error=\"insufficient_scope\", scope=\"{}\"", route.needs),
                format!("`{}`", route.needs),
            ),
        };
        assert_eq!(seen.status, status, "{shown}");
        assert!(seen.challenge.starts_with(&format!("Bearer realm=\"noren\"{challenge}")), "{shown}");
        let problem: Value =
            serde_json::from_str(&seen.body).unwrap_or_else(|_| panic!("a problem: {shown}"));
        assert!(
            problem[route.description()].as_str().is_some_and(|text| text.contains(&detail)),
            "{detail}: {shown}"
        );
    }
}

/// Returns the variables of a service that accepts all of these credentials. Each request may name the address of its client, so
/// that the limit of wrong credentials does not end the test.
pub(super) fn variables(shop: &Shop) -> Vec<(&'static str, String)> {
    let secret = format!("{}/jwt-secret", shop.folder());
    std::fs::create_dir_all(shop.folder()).unwrap();
    std::fs::write(&secret, JWT_SECRET).unwrap();
    let root = digest::digest(&digest::SHA256, ROOT_KEY.as_bytes());
    let root = hex(root.as_ref());
    [
        ("NOREN_ACCESS", "keys,jwt"),
        ("NOREN_JWT_SECRET_FILE", &secret),
        ("NOREN_JWT_ISSUER", ISSUER),
        ("NOREN_JWT_AUDIENCE", "noren"),
        ("NOREN_ROOT_KEY_HASH", &root),
        ("NOREN_TRUSTED_PROXIES", "127.0.0.1"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// Returns credentials of every kind. Their keys are created in the folder.
pub(super) fn every_kind(shop: &Shop) -> Vec<Credentials> {
    let none =
        Credentials { name: "no credentials".into(), value: None, is_bearer: false, may: May::Anonymous };
    let mut all = vec![none];
    all.extend(wrong_keys(shop));
    all.extend(wrong_tokens());
    all.extend(wrong_tenant_tokens(shop));
    for scope in SCOPES {
        let Key { key, .. } = shop.key(scope);
        all.push(Credentials::key(&format!("a key for {scope}"), key.clone(), May::One(scope)));
        all.push(Credentials::bearer(&format!("a key for {scope} as a token"), key, May::One(scope)));
        let token = token(&json!({"alg": "HS256"}), &claims(scope), JWT_SECRET);
        all.push(Credentials::bearer(&format!("a token for {scope}"), token, May::One(scope)));
    }
    let Key { id, key } = shop.key("search");
    let tenant = tenant_token(&id, &key, &json!({}));
    all.push(Credentials::bearer("a tenant token", tenant.clone(), May::One("search")));
    all.push(Credentials::key("a tenant token as a key", tenant, May::One("search")));
    all.push(Credentials::key("a key for all", shop.key("search,read,write,admin").key, May::All));
    all.push(Credentials::key("the root key", ROOT_KEY, May::All));
    all
}

fn wrong_keys(shop: &Shop) -> Vec<Credentials> {
    const INVALID: May = May::Nothing("invalid");
    let Key { id, key } = shop.key("search,read,write,admin");
    let expired = shop.key("search,read,write,admin");
    Key::of(&shop.keys(&["rotate", &expired.id, "--overlap", "0", "--json"]));
    let revoked = shop.key("search,read,write,admin");
    assert!(shop.keys(&["revoke", &revoked.id]).status.success());
    let checksum = if key.ends_with('0') { "1" } else { "0" };
    vec![
        Credentials::key("nonsense", "nonsense", INVALID),
        Credentials::bearer("nonsense as a token", "nonsense", INVALID),
        Credentials::key("an empty key", "", INVALID),
        Credentials::key("the start of a key", "nrn_", INVALID),
        Credentials::key("another secret", key_of(&id, &"5a".repeat(32)), INVALID),
        Credentials::key("a key that does not exist", key_of("0123456789abcdef", &"5a".repeat(32)), INVALID),
        Credentials::key("a truncated key", &key[..key.len() - 1], INVALID),
        Credentials::key("a key without its checksum", &key[..key.len() - 9], INVALID),
        Credentials::key("a key in upper case", key.to_uppercase(), INVALID),
        Credentials::key("a wrong checksum", format!("{}{checksum}", &key[..key.len() - 1]), INVALID),
        Credentials::key("two keys", format!("{key},{key}"), INVALID),
        Credentials::key("an expired key", expired.key, May::Nothing("expired")),
        Credentials::key("a revoked key", revoked.key, May::Nothing("revoked")),
    ]
}

/// Returns the text of a key with this secret and the right checksum.
pub(super) fn key_of(id: &str, secret: &str) -> String {
    let signed = format!("nrn_{id}_{secret}");
    let mut checksum = flate2::Crc::new();
    checksum.update(signed.as_bytes());
    format!("{signed}_{:08x}", checksum.sum())
}

/// Returns invalid tokens, which show that a service uses `access::jwt`. Its own tests have the cases of RFC 8725.
fn wrong_tokens() -> Vec<Credentials> {
    let all = SCOPES.join(" ");
    let with = |name: &str, value: Value| {
        let mut claims = claims(&all);
        claims[name] = value;
        token(&json!({"alg": "HS256"}), &claims, JWT_SECRET)
    };
    let hour_ago = Timestamp::now().as_second() - 3600;
    let (unsigned, other) = (json!({"alg": "none"}), json!({"alg": "HS512"}));
    [
        ("an expired token", with("exp", json!(hour_ago)), "expired"),
        ("a token without an end", with("exp", Value::Null), "invalid"),
        ("a token for others", with("aud", json!("shop")), "invalid"),
        ("a token of others", with("iss", json!("https://evil.example")), "invalid"),
        ("a token without signature", token(&unsigned, &claims(&all), b""), "invalid"),
        ("a token of another algorithm", token(&other, &claims(&all), JWT_SECRET), "invalid"),
        ("a token of another secret", token(&json!({"alg": "HS256"}), &claims(&all), &[7; 32]), "invalid"),
    ]
    .map(|(name, token, word)| Credentials::bearer(name, token, May::Nothing(word)))
    .into()
}

fn wrong_tenant_tokens(shop: &Shop) -> Vec<Credentials> {
    let (search, all) = (shop.key("search"), shop.key("search,read"));
    let revoked = shop.key("search");
    assert!(shop.keys(&["revoke", &revoked.id]).status.success());
    let hour_ago = Timestamp::now().as_second() - 3600;
    let other = key_of(&search.id, &"5a".repeat(32));
    [
        ("a tenant token of another secret", tenant_token(&search.id, &other, &json!({})), "invalid"),
        ("a tenant token of a key that may do more", tenant_token(&all.id, &all.key, &json!({})), "invalid"),
        (
            "an expired tenant token",
            tenant_token(&search.id, &search.key, &json!({"exp": hour_ago})),
            "expired",
        ),
        ("a tenant token of a revoked key", tenant_token(&revoked.id, &revoked.key, &json!({})), "revoked"),
    ]
    .map(|(name, token, word)| Credentials::bearer(name, token, May::Nothing(word)))
    .into()
}

/// Derives a tenant token from a key, as the server of a shop does. `changed` replaces parts of its payload.
fn tenant_token(id: &str, key: &str, changed: &Value) -> String {
    let mut payload = json!({"key": id, "exp": Timestamp::now().as_second() + 3600, "filter": "brand=Acme"});
    payload.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    let secret = key.split('_').nth(2).unwrap();
    let hash = digest::digest(&digest::SHA256, secret.as_bytes());
    let signed = format!("nrt_{}", BASE64_URL_SAFE_NO_PAD.encode(payload.to_string()));
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, hash.as_ref()), signed.as_bytes());
    format!("{signed}_{}", hex(mac.as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn claims(scope: &str) -> Value {
    let exp = Timestamp::now().as_second() + 3600;
    json!({"iss": ISSUER, "aud": "noren", "sub": "staff-7", "exp": exp, "scope": scope})
}

fn token(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    if secret.is_empty() {
        return format!("{signed}.");
    }
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
