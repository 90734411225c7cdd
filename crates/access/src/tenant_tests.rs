use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ApiKey;
use crate::keyring::MAX_FILTER_BYTES;

fn sign(payload: &str, secret: &SecretHash) -> String {
    let signed = format!("{PREFIX}_{payload}");
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&signed);
    format!("{signed}_{}", hex(&mac.finalize().into_bytes()))
}

fn token(payload: &Value, key: &ApiKey) -> String {
    sign(&BASE64_URL_SAFE_NO_PAD.encode(payload.to_string()), &key.hash())
}

fn payload(key: &ApiKey) -> Value {
    json!({ "key": key.id(), "exp": 2_000_000_000, "filter": "brand=Acme" })
}

#[test]
fn a_token_is_signed_by_the_hash_of_its_parents_secret() {
    let (key, other) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
    let text = token(&payload(&key), &key);
    let read = TenantToken::read(&text).unwrap();
    assert!(read.is_signed_by(&key.hash()) && !read.is_signed_by(&other.hash()));
    let padded = sign(&BASE64_URL_SAFE.encode(payload(&key).to_string()), &key.hash());
    assert!(TenantToken::read(&padded).unwrap().is_signed_by(&key.hash()));
    let shown = format!("{read:?}");
    assert!(!shown.contains("Acme") && !shown.contains(&text[text.len() - 64..]), "{shown}");
}

#[test]
fn a_payload_may_contain_the_separator() {
    let key = ApiKey::generate().unwrap();
    // Base64url of these has `_` and `-`.
    let payload = json!({ "key": key.id(), "exp": 2_000_000_000, "filter": "tags=???&tags=>>>&tags=ÿÿÿ~~~" });
    let text = token(&payload, &key);
    assert!(text.matches('_').count() > 2 && text.contains('-'), "{text}");
    let read = TenantToken::read(&text).unwrap();
    assert!(read.is_signed_by(&key.hash()));
    assert_eq!(read.payload.filter, payload["filter"]);
}

#[test]
fn a_payload_is_checked_before_anything_is_looked_up() {
    let key = ApiKey::generate().unwrap();
    let changed = |field: &str, value: Value| {
        let mut payload = payload(&key);
        payload[field] = value;
        TenantToken::read(&token(&payload, &key))
    };
    assert!(changed("exp", json!(2_000_000_001)).is_some());
    assert!(changed("rateLimit", json!({ "requests": 5, "windowSeconds": 60 })).is_some());
    for (field, value) in [
        ("exp", json!(null)),
        ("exp", json!("2000000000")),
        ("exp", json!(2e9)),
        ("key", json!("x")),
        ("key", json!(key.id().to_string().to_uppercase() + "A")),
        ("filter", json!("")),
        ("filter", json!(null)),
        ("filter", json!("x".repeat(MAX_FILTER_BYTES + 1))),
        ("rateLimit", json!({ "requests": 0, "windowSeconds": 60 })),
        ("rateLimit", json!({ "requests": 5, "windowSeconds": 0 })),
        ("rateLimit", json!({ "requests": 5 })),
        ("scopes", json!(["admin"])),
    ] {
        assert!(changed(field, value.clone()).is_none(), "{field}: {value}");
    }
    for field in ["key", "exp", "filter"] {
        let mut payload = payload(&key);
        payload.as_object_mut().unwrap().remove(field);
        assert!(TenantToken::read(&token(&payload, &key)).is_none(), "without {field}");
    }
    let fields = format!(r#"["{}",2000000000,"brand=A"]"#, key.id());
    assert!(
        TenantToken::read(&sign(&BASE64_URL_SAFE_NO_PAD.encode(fields), &key.hash())).is_none(),
        "an array"
    );
    let twice = format!(r#"{{"key":"{}","exp":1,"exp":2000000000,"filter":"brand=A"}}"#, key.id());
    assert!(TenantToken::read(&sign(&BASE64_URL_SAFE_NO_PAD.encode(twice), &key.hash())).is_none());
}

#[test]
fn anything_else_is_no_token() {
    let key = ApiKey::generate().unwrap();
    let text = token(&payload(&key), &key);
    let (signed, mac) = text.rsplit_once('_').unwrap();
    let too_long = token(&json!({ "key": key.id(), "filter": "a=b", "exp": 1, "x": "x".repeat(9000) }), &key);
    for wrong in [
        "nrt",
        "nrt__",
        &key.expose(),
        &text.to_uppercase(),
        &format!("{signed}_{}", mac.to_uppercase()),
        &format!("{text} "),
        &format!("{text}_"),
        signed,
        &too_long,
    ] {
        assert!(TenantToken::read(wrong).is_none(), "{wrong}");
    }
    assert!(TenantToken::is_like(&text) && !TenantToken::is_like(&key.expose()));
}

#[test]
fn the_principal_has_both_filters_and_both_limits() {
    let key = ApiKey::generate().unwrap();
    let limit = |requests| RateLimit { requests, window_seconds: 60 };
    let parent = |filter: Option<&str>| KeyRecord {
        filter: filter.map(str::to_owned),
        rate_limit: Some(limit(100)),
        ..KeyRecord::of_usable(&key)
    };
    let mut narrow = payload(&key);
    narrow["rateLimit"] = json!({ "requests": 5, "windowSeconds": 60 });
    let principal = |payload: &Value, filter| {
        TenantToken::read(&token(payload, &key)).unwrap().principal(&parent(filter))
    };
    let both = principal(&narrow, Some("inStock=true"));
    assert_eq!(
        both.filters.iter().map(|filter| &**filter).collect::<Vec<_>>(),
        ["inStock=true", "brand=Acme"]
    );
    assert_eq!(
        (both.rate_limit, both.parent_rate_limit.clone()),
        (Some(limit(5)), Some((key.id().clone(), limit(100))))
    );
    assert!(both.has(Scope::Search) && both.has_credentials());
    let alone = principal(&payload(&key), None);
    assert_eq!(alone.filters.len(), 1);
    assert_eq!(alone.identity, both.identity, "a tenant is its filter, whichever token it has");
    let mut other = payload(&key);
    other["filter"] = json!("brand=Other");
    assert_ne!(principal(&other, None).identity, alone.identity);
}

proptest! {
    #[test]
    fn one_wrong_character_is_found(at in any::<prop::sample::Index>(), with in "[0-9a-zA-Z_-]") {
        let key = ApiKey::generate().unwrap();
        let text = token(&payload(&key), &key);
        let at = at.index(text.len());
        let mut changed = text.clone();
        changed.replace_range(at..=at, &with);
        let is_accepted = TenantToken::read(&changed).is_some_and(|token| token.is_signed_by(&key.hash()));
        prop_assert!(changed == text || !is_accepted, "{}", changed);
    }

    #[test]
    fn any_text_may_be_read(text in "(nrt_)?[ -~é]{0,100}(_[0-9a-f]{64})?") {
        prop_assert!(TenantToken::read(&text).is_none());
    }
}
