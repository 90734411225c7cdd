//! The read side alone, called with API keys and tenant tokens that have filters.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::{ApiKey, Keyring, NewKey, Scope};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Parser;
use domain::ports::SearchIndex;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use query::{Locale, Settings, ShopRules};
use runtime::Service;
use runtime::config::{Access, Reach};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlite_access::SqliteAccess;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tower::ServiceExt as _;

/// The read side over an index, with its response cache on and its own API keys.
pub(crate) struct Searches {
    router: Router,
    keyring: Arc<Keyring>,
    /// The key or the tenant token of each list of filters.
    credentials: Mutex<HashMap<Vec<String>, String>>,
    _folder: TempDir,
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    access: Access,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Searched {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Searched {
    /// Returns the body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }

    /// Returns the response, which must have this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl Searches {
    /// Serves an index, under the rules of a file if one is given.
    pub(crate) fn of(index: Arc<dyn SearchIndex>, rules: Option<&Path>) -> Self {
        let open =
            |path| ShopRules::open(path, Locale::default(), Duration::ZERO).expect("the rules are valid");
        let rules = rules.map(|path| Arc::new(open(path)));
        let settings = Settings { cache_seconds: 60, answer_cache_mb: 4, rules, ..Settings::default() };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = SqliteAccess::open(&folder.path().join("access.sqlite")).expect("a new file opens");
        let keyring = Arc::new(Keyring::new(Arc::new(store)));
        let Flags { access } = Flags::parse_from(["test", "--access", "keys"]);
        let guard =
            access.guard(Reach::Lambda, Some(Arc::clone(&keyring))).expect("the flags fit each other");
        let routes = query::ReadSide::new(index, settings).routes();
        let router = Service { guard, routes, ..Service::default() }.into_router();
        Self { router, keyring, credentials: Mutex::default(), _folder: folder }
    }

    /// Returns an API key with the first filter, if any. With two filters, returns a tenant token with the second one, derived
    /// from such a key.
    async fn credentials(&self, filters: &[&str]) -> String {
        let name: Vec<String> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        let mut credentials = self.credentials.lock().await;
        if let Some(known) = credentials.get(&name) {
            return known.clone();
        }
        let new = NewKey {
            name: "shop".to_owned(),
            scopes: Scope::Search.into(),
            expires_at: None,
            rate_limit: None,
            filter: name.first().cloned(),
        };
        let (key, _) = self.keyring.create(new, Timestamp::now()).await.expect("a key can be created");
        let text = match filters {
            [] | [_] => key.expose(),
            [_, filter] => tenant_token(&key, filter),
            more => panic!("credentials have at most two filters, not {more:?}"),
        };
        credentials.insert(name, text.clone());
        text
    }

    /// Sends a GET as a client whose credentials have these filters.
    pub(crate) async fn get(&self, filters: &[&str], path: &str) -> Searched {
        self.send(filters, Request::get(path).body(Body::empty()).expect("a valid path")).await
    }

    /// Searches with a JSON body.
    pub(crate) async fn post(&self, filters: &[&str], body: &Value) -> Searched {
        let request = Request::post("/products/search").header("content-type", "application/json");
        self.send(filters, request.body(Body::from(body.to_string())).expect("a valid path")).await
    }

    /// Sends a request as a client whose credentials have these filters; without filters, it may find all products.
    pub(crate) async fn send(&self, filters: &[&str], mut request: Request<Body>) -> Searched {
        let credentials = self.credentials(filters).await.parse().expect("credentials fit a header");
        request.headers_mut().insert("x-api-key", credentials);
        let response = self.router.clone().oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body is in memory").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("the answer is text");
        Searched { status: parts.status.as_u16(), headers: parts.headers, text }
    }
}

/// Derives a tenant token from a key.
fn tenant_token(key: &ApiKey, filter: &str) -> String {
    let claims = json!({ "key": key.id(), "exp": u32::MAX, "filter": filter });
    let text = format!("nrt_{}", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mac =
        Hmac::<Sha256>::new_from_slice(key.hash().as_bytes()).expect("any key will do").chain_update(&text);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{text}_{digits}")
}
