//! Read-your-writes: a search with the sync token of a write sees it, or fails with 504.

use std::time::{Duration, Instant};

use noren::app::Options;
use query::Settings;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

const HEADER: &str = "Noren-Sync-Token";

async fn asked(app: &TestApp, method: Method, path: &str, tokens: &str) -> Answer {
    let request = app.request(method.clone(), path).header(HEADER, tokens);
    Answer::of(if method == Method::POST { request.json(&json!({ "query": "lamp" })) } else { request }).await
}

/// Returns the sync token of a write.
fn token(written: &Answer) -> String {
    let token = written.header(HEADER);
    assert!(!token.is_empty(), "{written:?}");
    token.to_owned()
}

/// Writes and searches immediately; only the search waits.
async fn every_write_is_seen_by_a_search_with_its_token(app: &TestApp) {
    let search = async |query: &str, token: &str| {
        app.get(&format!("/products/search?query={query}&syncToken={token}")).await.expect(200)
    };
    for round in 1..=20 {
        let written = app.put("/products/lamp-1", &json!({ "name": format!("Lamp lamp{round}") })).await;
        let token = token(&written);
        assert_eq!(token, format!("{round}.lamp-1"));
        assert_eq!(search(&format!("lamp{round}"), &token).await.ids(), ["lamp-1"]);
    }
    let patched = token(&app.patch("/products/lamp-1", &json!({ "status": "draft" })).await.expect(200));
    assert!(search("lamp", &patched).await.ids().is_empty(), "a draft is seen by not being found");
    let shown = token(&app.patch("/products/lamp-1", &json!({ "status": "active" })).await.expect(200));
    assert_eq!(search("lamp", &shown).await.ids(), ["lamp-1"]);
    let deleted = token(&app.delete("/products/lamp-1").await.expect(200));
    assert!(search("lamp", &deleted).await.ids().is_empty());
    assert!(search("lamp", &patched).await.ids().is_empty(), "a later version has what an earlier one had");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_seen_in_one_process() {
    every_write_is_seen_by_a_search_with_its_token(&TestApp::spawn().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_seen_on_opensearch() {
    let Some(app) = TestApp::spawn_on_opensearch(Options::default()).await else { return };
    every_write_is_seen_by_a_search_with_its_token(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_the_read_side_takes_the_header() {
    let app = TestApp::spawn().await;
    for (round, (method, path, found)) in [
        (Method::GET, "/products/search?query=lamp", "/total"),
        (Method::POST, "/products/search", "/total"),
        (Method::GET, "/products/suggest?query=lamp", "/products/0/id"),
        (Method::GET, "/products/facets/brand", "/values/0/value"),
        (Method::GET, "/products/a/similar", "/products/0/id"),
        (Method::GET, "/products/b/explain?query=lamp", "/rank"),
    ]
    .into_iter()
    .enumerate()
    {
        // Both are new in each round, so neither is indexed already.
        for id in ["a", "b"] {
            app.delete(&format!("/products/{id}")).await;
        }
        app.sync_all().await;
        let lamp = json!({ "name": format!("Lamp {round}"), "brand": "Akari" });
        let tokens = [
            token(&app.put("/products/a", &lamp).await.expect(201)),
            token(&app.put("/products/b", &lamp).await.expect(201)),
        ];
        let answer = asked(&app, method, path, &tokens.join(", ")).await.expect(200).json();
        assert!(answer.pointer(found).is_some_and(|value| *value != json!(0)), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_and_each_of_its_searches_may_name_tokens() {
    let app = TestApp::spawn().await;
    let tokens = [
        token(&app.put("/products/a", &json!({ "name": "Lamp" })).await),
        token(&app.put("/products/b", &json!({ "name": "Lamp" })).await),
    ];
    let body = json!({ "searches": [
        { "query": "lamp", "syncToken": tokens[0] },
        { "query": "lamp", "syncToken": [tokens[1]], "syncTimeout": 9.5 },
    ]});
    let answer = app.post("/products/search", &body).await.expect(200).json();
    assert_eq!((&answer["results"][0]["total"], &answer["results"][1]["total"]), (&json!(2), &json!(2)));
    let late = app.post("/products/search", &json!({ "syncToken": "5.a", "syncTimeout": 0 })).await;
    assert_eq!(late.problem(504)["notIndexed"], json!(["5.a"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_bulk_write_has_its_token() {
    let app = TestApp::spawn().await;
    let lines = "{\"id\":\"a\",\"name\":\"Lamp\"}\n{\"id\":\"b\"}\n{\"id\":\"a\",\"name\":\"Lamp\"}\n";
    let answer = app.post_text("/products/bulk", "application/x-ndjson", lines).await.expect(200);
    let results: Vec<Value> =
        answer.text.lines().map(|result| serde_json::from_str(result).unwrap()).collect();
    assert_eq!(results[0]["syncToken"], "1.a");
    assert!(results[1].get("syncToken").is_none(), "nothing was written: {}", results[1]);
    assert_eq!(results[2]["syncToken"], "1.a", "unchanged, it has the version that it had");
    assert_eq!(asked(&app, Method::GET, "/products/search?query=lamp", "1.a").await.ids(), ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_changed_nothing_or_came_twice_has_the_token_of_what_is_there() {
    let app = TestApp::spawn().await;
    let put = || app.request(Method::PUT, "/products/a").json(&json!({ "name": "Lamp" }));
    assert_eq!(token(&Answer::of(put().header("idempotency-key", "k")).await), "1.a");
    assert_eq!(token(&Answer::of(put()).await), "1.a");
    app.patch("/products/a", &json!({ "stock": 1 })).await.expect(200);
    assert_eq!(token(&Answer::of(put().header("idempotency-key", "k")).await), "1.a");
    let refused = Answer::of(put().header("if-match", "\"1\"")).await.expect(412);
    assert_eq!(refused.header(HEADER), "", "what was refused is no write");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_indexed_in_time_is_reported() {
    let app = TestApp::spawn().await;
    let once = asked(&app, Method::GET, "/products/search?syncTimeout=0", "9.a").await;
    assert_eq!(once.problem(504)["notIndexed"], json!(["9.a"]), "a parameter for the header, too");
    let begun = Instant::now();
    let late = app.get("/products/search?syncToken=7.a&syncToken=2.b&syncTimeout=2.5").await;
    assert!(begun.elapsed() >= Duration::from_millis(2500), "longer than the default");
    assert_eq!(late.header("retry-after"), "1");
    let problem = late.problem(504);
    assert_eq!(problem["notIndexed"], json!(["7.a", "2.b"]));
    let begun = Instant::now();
    let problem = asked(&app, Method::GET, "/products/suggest?query=lamp", "7.a").await.problem(504);
    assert!(begun.elapsed() >= Duration::from_secs(2), "the default");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("version 7 of product a is not indexed yet after "), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_is_waited_for() {
    let app = TestApp::spawn().await;
    let request = app.request(Method::GET, "/products/search?query=lamp&syncToken=1.late&syncTimeout=10");
    let waiting = tokio::spawn(Answer::of(request));
    // Later than the first polls, which are a few milliseconds apart.
    assert!(app.get("/products/search?syncToken=1.late&syncTimeout=0.3").await.status == 504);
    app.put("/products/late", &json!({ "name": "Lamp" })).await.expect(201);
    assert_eq!(waiting.await.unwrap().expect(200).ids(), ["late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn faulty_tokens_and_timeouts_are_named() {
    let app = TestApp::spawn().await;
    let fields = async |query: &str| {
        let problem = app.get(&format!("/products/search?{query}")).await.problem(400);
        Answer::faulty_fields(&problem).join(",")
    };
    for wrong in ["syncToken=a", "syncToken=", "syncToken=0.a", "syncToken=1.a%20b"] {
        assert_eq!(fields(wrong).await, "syncToken", "{wrong}");
    }
    for wrong in ["-1", "11", "1e2", "%2B1", "inf", "", "a", "10.00000000001", "1.2.3"] {
        assert_eq!(fields(&format!("syncTimeout={wrong}")).await, "syncTimeout", "{wrong}");
    }
    assert_eq!(fields("syncToken=x&page=0&syncTimeout=99").await, "page,syncTimeout,syncToken");
    // An exponent is part of a number of JSON.
    let late = app.get("/products/search?syncToken=1.a&syncTimeout=1e-3").await;
    late.problem(504);
    let late = app.post("/products/search", &json!({ "syncToken": "1.a", "syncTimeout": 1e-3 })).await;
    late.problem(504);
    let list = |count: usize| (0..count).map(|n| format!("1.p{n}")).collect::<Vec<_>>().join(",");
    for (tokens, path) in [
        ("x", "/products/suggest?query=a"),
        ("1.a,x", "/products/facets/brand"),
        (&*list(101), "/products/search"),
        (&*list(100), "/products/search?syncToken=1.more"),
    ] {
        let problem = asked(&app, Method::GET, path, tokens).await.problem(400);
        assert_eq!(Answer::faulty_fields(&problem), [HEADER], "{path}");
    }
    let problem = app.get("/products/suggest?query=a&syncToken=1.a").await.problem(400);
    assert_eq!(Answer::faulty_fields(&problem), ["syncToken"], "a parameter of searches only");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_token_is_kept_by_nobody_else() {
    let app =
        TestApp::spawn_with(Options::of_search(Settings { cache_seconds: 60, ..Settings::default() })).await;
    app.put("/products/a", &json!({ "name": "Lamp" })).await.expect(201);
    let own = asked(&app, Method::GET, "/products/search?query=lamp", "1.a").await.expect(200);
    assert_eq!(own.header("cache-control"), "private, no-cache");
    let parameter = app.search("query=lamp&syncToken=1.a&syncTimeout=5").await;
    assert_eq!(parameter.header("cache-control"), "private, no-cache");
    let common = app.search("query=lamp").await;
    assert_eq!(
        common.header("cache-control"),
        "public, max-age=60, stale-while-revalidate=60, stale-if-error=3600"
    );
    for answer in [&own, &parameter, &common] {
        assert!(answer.header("vary").contains("noren-sync-token"), "{answer:?}");
        assert_eq!(answer.header("etag"), own.header("etag"), "the answer is the same");
        assert_eq!(answer.text, own.text, "and kept once");
    }
    let known = app
        .request(Method::GET, "/products/search?query=lamp")
        .header(HEADER, "1.a")
        .header("if-none-match", own.header("etag"));
    let known = Answer::of(known).await.expect(304);
    assert_eq!(known.header("cache-control"), "private, no-cache");
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_of_pages_of_other_sites_may_have_a_token() {
    let app = TestApp::spawn().await;
    let preflight = app.request(Method::OPTIONS, "/products/search").header("origin", "https://shop.example");
    let preflight = preflight.header("access-control-request-method", "GET");
    let preflight = preflight.header("access-control-request-headers", "noren-sync-token");
    let answer = Answer::of(preflight).await.expect(200);
    assert!(answer.header("access-control-allow-headers").contains("noren-sync-token"), "{answer:?}");
}
