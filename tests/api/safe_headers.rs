//! Headers that keep browsers from misusing answers.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_safe_headers() {
    let app = TestApp::spawn().await;
    app.fill(&[json!({"id": "a", "name": "Lamp"})]).await;
    let of_data = ["/metrics", "/products", "/products/search", "/admin/index", "/nothing"];
    let of_pages = ["/", "/docs/", "/openapi.json"];
    let own = of_data.into_iter().chain(of_pages).map(|path| (path, app.request(Method::GET, path)));
    let foreign = app.request(Method::GET, "/admin/index").header("origin", "https://evil.example");
    for (path, request) in own.chain([("from another site", foreign)]) {
        let answer = Answer::of(request).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {answer:?}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'unsafe-inline'"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_errors_and_answers_to_operators_are_not_stored() {
    let app = TestApp::spawn().await;
    app.fill(&[json!({"id": "a", "name": "Lamp"})]).await;
    let get = |path: &str| app.request(Method::GET, path);
    for request in [
        get("/products"),
        get("/products/none"),
        get("/nothing"),
        get("/products/search?unknown=1"),
        get("/admin/index"),
        get("/admin/dead-letters"),
        get("/health/ready"),
        get("/metrics"),
        app.request(Method::PATCH, "/products"),
        app.request(Method::POST, "/admin/verify"),
    ] {
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
    // These have an entity tag, or are the same for every client.
    for (path, caching) in
        [("/products/a", "no-cache"), ("/docs/swagger-ui-bundle.js", "no-cache"), ("/", "no-cache")]
    {
        let answer = Answer::of(get(path).header("accept", "text/html")).await.expect(200);
        assert_eq!(answer.header("cache-control"), caching, "{path}");
    }
}
