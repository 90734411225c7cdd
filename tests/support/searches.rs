//! The routes of the read side alone, called as a client with filters.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::{Identity, Principal, Scope};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use domain::ports::SearchIndex;
use domain::{Currency, Language};
use http_body_util::BodyExt as _;
use query::{Locale, Settings, ShopRules};
use serde_json::Value;
use tower::ServiceExt as _;

/// The read side over an index, with its response cache on.
pub(crate) struct Searches(Router);

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
        let settings = Settings {
            currency: Currency::USD,
            language: Language::English,
            cache_seconds: 60,
            answer_cache_mb: 4,
            rules: rules.map(|path| Arc::new(open(path))),
        };
        Self(query::routes(index, settings).split_for_parts().0)
    }

    /// Sends a GET as a client whose credentials have these filters.
    pub(crate) async fn get(&self, filters: &[&str], path: &str) -> Searched {
        self.send(filters, Request::get(path).body(Body::empty()).expect("a valid path")).await
    }

    /// Searches by a JSON body.
    pub(crate) async fn post(&self, filters: &[&str], body: &Value) -> Searched {
        let request = Request::post("/products/search").header("content-type", "application/json");
        self.send(filters, request.body(Body::from(body.to_string())).expect("a valid path")).await
    }

    /// Sends a request as a client whose credentials have these filters; without any, as one that may find all products.
    pub(crate) async fn send(&self, filters: &[&str], mut request: Request<Body>) -> Searched {
        let filters = filters.iter().map(|filter| Arc::from(*filter)).collect();
        let principal = Principal { filters, ..Principal::new(Identity::Anonymous, Scope::Search.into()) };
        request.extensions_mut().insert(principal);
        let response = self.0.clone().oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body is in memory").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("the answer is text");
        Searched { status: parts.status.as_u16(), headers: parts.headers, text }
    }
}
