//! The address `/`: a page of links for people, and an index of the addresses for programs.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::response::{Html, IntoResponse, Response};
use axum::{Json, Router, routing::get};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::{ACCEPT, VARY};
use http::request::Parts;
use http::{HeaderValue, StatusCode, Uri};
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use crate::Problem;

/// The page without the parts that depend on the service. It loads nothing from elsewhere.
const PAGE: &str = include_str!("landing.html");

/// Returns a page to a browser at `/`, from the head of the request.
pub type HomePage = Arc<dyn Fn(Parts) -> BoxFuture<'static, Response> + Send + Sync>;

/// The addresses that a service has.
pub(crate) struct Landing {
    title: String,
    has_docs: bool,
    has_openapi: bool,
    accepts_keys: bool,
    paths: Vec<String>,
}

impl Landing {
    /// Lists the addresses of an OpenAPI document, and those that every service has. If the service does not serve the document,
    /// the page has `title` instead of that of the document.
    pub(crate) fn new(openapi: &OpenApi, has_openapi: bool, accepts_keys: bool, title: &str) -> Self {
        let mut paths: Vec<String> = openapi.paths.paths.keys().cloned().collect();
        paths.extend(["/health", "/health/live", "/health/ready", "/metrics"].map(str::to_owned));
        paths.sort();
        paths.dedup();
        let title = if has_openapi { &openapi.info.title } else { title };
        Self {
            title: title.to_owned(),
            has_docs: has_openapi && cfg!(feature = "docs"),
            has_openapi,
            accepts_keys,
            paths,
        }
    }

    /// Returns the route `/`, with `home` in place of the page of links, and the response for paths without a route.
    pub(crate) fn routes(&self, home: Option<HomePage>) -> Router {
        let index = self.index();
        let home = home.unwrap_or_else(|| {
            let page = self.page();
            Arc::new(move |_| std::future::ready(Html(page.clone()).into_response()).boxed())
        });
        let (advice, key_advice) = (self.advice(), self.key_advice());
        let root = async move |parts: Parts| answer(parts, &home, &index).await;
        Router::new().route("/", get(root)).fallback(async move |uri: Uri| match is_of_keys(uri.path()) {
            true => not_found(&uri, key_advice),
            false => not_found(&uri, advice),
        })
    }

    fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|known| known == path)
    }

    fn index(&self) -> Value {
        let mut index = json!({"title": self.title, "paths": self.paths});
        if self.has_docs {
            index["docs"] = json!("/docs");
        }
        if self.has_openapi {
            index["openapi"] = json!("/openapi.json");
        }
        index
    }

    /// Returns the sentence that follows "there is nothing here".
    fn advice(&self) -> &'static str {
        match (self.has_docs, self.has_openapi) {
            (true, _) => "see /docs for what there is",
            (false, true) => "see /openapi.json for what there is; this build has no page /docs",
            (false, false) => {
                "see / for what there is; noren-command and noren-query describe theirs at /docs"
            }
        }
    }

    /// Returns the sentence for a path of API keys that a service lacks.
    fn key_advice(&self) -> &'static str {
        match self.accepts_keys {
            false => "this service accepts no API keys; start it with NOREN_ACCESS=keys",
            true => "the API keys are managed at noren-command, or with `noren keys` on the access store",
        }
    }

    fn page(&self) -> String {
        let search = match self.has("/products/search") {
            true => include_str!("landing_search.html"),
            false => "",
        };
        let writes = match self.has("/products") {
            true => include_str!("landing_writes.html"),
            false => "",
        };
        let mut links = String::new();
        for (is_there, path, text) in [
            (self.has_docs, "docs", "The HTTP interface, to read and to try"),
            (self.has_openapi, "openapi.json", "The same for programs: OpenAPI"),
            (self.has("/products"), "products", "All products, page by page"),
            (self.has("/admin/index"), "admin/index", "The state of the index"),
            (true, "health/ready", "Readiness, and changes that wait to be indexed"),
            (true, "metrics", "Metrics for Prometheus"),
        ] {
            if is_there {
                // Writing to a text cannot fail. The addresses are relative, so that they also work behind a prefix.
                let _ = writeln!(links, "<li><a href=\"{path}\">/{path}</a><span>{text}</span></li>");
            }
        }
        PAGE.replace("{title}", &self.title)
            .replace("{search}", search)
            .replace("{links}", &links)
            .replace("{writes}", writes)
    }
}

/// Returns the page to a browser and the index to a program.
async fn answer(parts: Parts, home: &HomePage, index: &Value) -> Response {
    let mut accepted = parts.headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let mut response = match accepted.any(|accept| accept.contains("text/html")) {
        true => home(parts).await,
        false => Json(index).into_response(),
    };
    response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    response
}

/// Returns true for the paths of API keys.
fn is_of_keys(path: &str) -> bool {
    path.strip_prefix("/admin/keys").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The most bytes of an unknown path that a response repeats.
const MAX_SHOWN_PATH: usize = 200;

fn not_found(uri: &Uri, advice: &str) -> Problem {
    let path = uri.path();
    let shown = &path[..path.floor_char_boundary(MAX_SHOWN_PATH)];
    let more = if shown.len() < path.len() { "…" } else { "" };
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {shown}{more}; {advice}"))
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::PathItem;

    use super::*;

    #[test]
    fn a_service_lists_what_it_has() {
        let mut openapi = OpenApi::default();
        openapi.paths.paths.insert("/admin/index".to_owned(), PathItem::default());
        let landing = Landing::new(&openapi, false, false, "Noren sync");
        let paths = ["/admin/index", "/health", "/health/live", "/health/ready", "/metrics"];
        assert_eq!(landing.index(), json!({"title": "Noren sync", "paths": paths}));
        let page = landing.page();
        assert!(page.contains("<h1>Noren sync</h1>") && page.contains("href=\"admin/index\""), "{page}");
        assert!(!page.contains("<form") && !page.contains("href=\"docs\""), "{page}");
        assert!(
            !page.contains("{title}") && !page.contains("{links}") && !page.contains("{writes}"),
            "{page}"
        );
        assert!(landing.advice().contains("/docs"));
    }

    #[test]
    fn a_page_loads_nothing_from_elsewhere() {
        for text in [PAGE, include_str!("landing_search.html"), include_str!("landing_writes.html")] {
            assert!(!text.contains("://") && !text.contains("<script"), "{text}");
        }
    }
}
