//! Tenant tokens and their filters.

use std::sync::Arc;

use access::{ApiKey, Keyring, NewKey, Principal, Refusal, Scope, TenantToken};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::Currency;
use jiff::Timestamp;
use ring::hmac;
use search_parameters::{self as parameters, Endpoint};
use serde_json::Value;
use sqlite_access::SqliteAccess;

use super::fuzz;

/// The filter of the parent key.
const PARENT_FILTER: &str = "inStock=true";
/// Stands in the corpus for the id of the parent key.
const PARENT: &str = "PARENT";

/// A shop with a search key.
struct Shop {
    keyring: Keyring,
    key: ApiKey,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Shop {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteAccess::open(&folder.path().join("access.sqlite")).unwrap();
        let keyring = Keyring::new(Arc::new(store));
        let new = NewKey {
            name: "shop".to_owned(),
            scopes: Scope::Search.into(),
            expires_at: None,
            rate_limit: None,
            filter: Some(PARENT_FILTER.to_owned()),
        };
        let key = runtime.block_on(keyring.create(new, Timestamp::now())).unwrap().0;
        Self { keyring, key, runtime, _folder: folder }
    }

    /// Returns the token with a payload, signed by the key.
    fn sign(&self, payload: &[u8]) -> String {
        let signed = format!("nrt_{}", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let mac =
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.key.hash().as_bytes()), signed.as_bytes());
        let mac: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{signed}_{mac}")
    }

    /// Returns what a token allows, or `None` if the text is no token.
    fn verify(&self, text: &str) -> Option<Result<Principal, Refusal>> {
        let token = TenantToken::read(text)?;
        Some(self.runtime.block_on(token.verify(&self.keyring, Timestamp::now())))
    }
}

#[test]
fn a_signed_tenant_token_is_accepted_only_with_its_filter_and_that_of_its_parent() {
    let shop = Shop::open();
    let id = shop.key.id().to_string();
    let valid = format!(r#"{{"key":"{id}","exp":253402300799,"filter":"brand=Acme"}}"#);
    assert!(shop.verify(&shop.sign(valid.as_bytes())).unwrap().is_ok());
    fuzz("tenant_token", |input| {
        let payload = String::from_utf8_lossy(input).replace(PARENT, &id);
        let Some(Ok(principal)) = shop.verify(&shop.sign(payload.as_bytes())) else { return };
        let payload: Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(payload["key"], id);
        assert!(payload["exp"].as_i64().unwrap() > Timestamp::now().as_second() - 1);
        let filters: Vec<_> = principal.filters.iter().map(|filter| Value::from(&**filter)).collect();
        assert_eq!(filters, [Value::from(PARENT_FILTER), payload["filter"].clone()]);
        assert_eq!(principal.scopes, Scope::Search.into());
    });
}

#[test]
fn no_text_that_the_key_has_not_signed_is_a_valid_tenant_token() {
    let shop = Shop::open();
    fuzz("tenant_token_text", |input| {
        let text = String::from_utf8_lossy(input).replace(PARENT, &shop.key.id().to_string());
        assert!(!matches!(shop.verify(&text), Some(Ok(_))), "{text}");
    });
}

#[test]
fn a_filter_means_the_same_as_in_a_search() {
    fuzz("filter", |input| {
        let text = String::from_utf8_lossy(input);
        let Ok(restriction) = parameters::read_filter(&text, Currency::USD) else { return };
        let search = parameters::read(Endpoint::Search, &text, Currency::USD).unwrap().request;
        let [condition] = restriction.conditions() else { panic!("{restriction:?}") };
        assert_eq!((&condition.filters, condition.currency), (&search.filters, search.currency));
    });
}
