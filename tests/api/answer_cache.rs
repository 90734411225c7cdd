//! Cached responses: valid until the next change at the latest.

use noren::app::Options;
use query::Settings;
use serde_json::json;

use crate::api::scenarios::shop;
use crate::support::TestApp;

const SEARCH: &str = "/products/search?query=lamp&facets=brand";

/// Starts an app. If two of its responses have equal bytes, the second one was cached, because no two searches take equally
/// long to the microsecond.
async fn app(answer_cache_mb: u32) -> TestApp {
    let app =
        TestApp::spawn_with(Options::of_search(Settings { answer_cache_mb, ..Settings::default() })).await;
    app.fill(&shop()).await;
    // The first search after a change opens the new snapshot.
    app.search("").await;
    app
}

async fn bodies(app: &TestApp, path: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    for _ in 0..10 {
        bodies.push(app.get(path).await.expect(200).text);
    }
    bodies
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_comes_again_gets_the_same_bytes() {
    let app = app(1).await;
    let first = app.get(SEARCH).await.expect(200);
    for body in bodies(&app, SEARCH).await {
        assert_eq!(body, first.text);
    }
    let same = app.get("/products/search?facets=brand&currency=USD&query=+lamp&page=1").await;
    assert_eq!((same.text, &same.headers["etag"]), (first.text.clone(), &first.headers["etag"]));
    let body = json!({"query": "lamp", "facets": ["brand"]});
    assert_eq!(app.post("/products/search", &body).await.expect(200).text, first.text);
    let several = app.post("/products/search", &json!({"searches": [body, body]})).await.expect(200).text;
    assert_eq!(several, format!("{{\"results\":[{0},{0}]}}", first.text));
    let metrics = app.get("/metrics").await.text;
    assert!(metrics.contains("noren_answer_cache_hits_total"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_seen_by_the_next_search() {
    let app = app(1).await;
    for price in 1..=20 {
        app.patch("/products/p5", &json!({"price": price})).await.expect(200);
        app.sync_all().await;
        for _ in 0..3 {
            let answer = app.get(SEARCH).await.expect(200).json();
            assert_eq!(answer["products"][0]["price"].as_f64(), Some(f64::from(price)));
            let several = json!({"searches": [{"query": "lamp"}, {"query": "lamp", "facets": "brand"}]});
            let answer = app.post("/products/search", &several).await.expect(200).json();
            for result in answer["results"].as_array().unwrap() {
                assert_eq!(result["products"][0]["price"].as_f64(), Some(f64::from(price)));
            }
        }
        let brands = app.get("/products/facets/brand?query=lamp").await.json();
        assert_eq!(brands["values"], json!([{"value": "Hikari", "count": 1}]));
    }
    app.delete("/products/p5").await.expect(200);
    app.sync_all().await;
    assert_eq!(app.get(SEARCH).await.json()["total"], 0);
    assert_eq!(app.get("/products/facets/brand?query=lamp").await.json()["values"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cache_every_search_is_made_anew() {
    let app = app(0).await;
    let mut bodies = bodies(&app, SEARCH).await;
    bodies.sort_unstable();
    bodies.dedup();
    assert!(bodies.len() > 1, "ten searches took equally long: {bodies:?}");
}

/// The tag alone tells that the client has the response, so there is nothing to search.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_the_client_has_takes_no_search_even_without_a_cache() {
    let app = app(0).await;
    let first = app.get(SEARCH).await.expect(200);
    assert_eq!(first.header("x-cache"), "MISS");
    let again = app.request(reqwest::Method::GET, SEARCH).header("if-none-match", first.header("etag"));
    let again = crate::support::Answer::of(again).await.expect(304);
    assert_eq!((again.header("x-cache"), again.headers.get("server-timing")), ("HIT", None));
}
