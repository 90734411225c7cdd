//! The routes and headers that every service has.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn health_says_which_parts_are_ready() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/health/live").await.expect(200).json()["status"], "live");
    let parts = json!({"store": "ready", "queue": "ready", "index": "ready"});
    let ready = app.get("/health/ready").await.expect(200).json();
    assert_eq!(ready["parts"], parts);
    let outbox = json!({"store": "sqlite", "unsent": 0, "oldestUnsentSeconds": 0.0});
    let backlog = json!({
        "queue": "sqlite", "waiting": 0, "inFlight": 0, "deadLetters": 0, "oldestUnsyncedSeconds": 0.0, "outbox": outbox,
    });
    assert_eq!(ready["backlog"], backlog);
    // Without access control everyone is an operator.
    let overview = app.get("/health").await.expect(200).json();
    assert_eq!((&overview["status"], &overview["parts"]), (&json!("ready"), &parts));
    assert!(overview["memory"]["residentBytes"].as_u64().unwrap() > 1_000_000, "{overview}");
    assert!(overview["uptimeSeconds"].is_u64() && overview["version"].is_string(), "{overview}");
    let now: jiff::Timestamp = overview["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(now.duration_until(jiff::Timestamp::now()).as_secs() < 60, "{overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_requests_queue_and_index() {
    let app = TestApp::spawn().await;
    app.put("/products/p", &json!({"name": "Cup"})).await.expect(201);
    app.sync_all().await;
    app.search("query=cup").await;
    let metrics = app.get("/metrics").await.expect(200).text;
    for name in [
        "noren_http_requests_total{method=\"GET\",path=\"/products/search\",status=\"200\"}",
        "noren_http_request_seconds_bucket",
        "noren_queue_waiting_messages{queue=\"sqlite\"} 0",
        "noren_queue_dead_letters{queue=\"sqlite\"} 0",
        "noren_oldest_unsynced_age_seconds{queue=\"sqlite\"} 0",
        "noren_outbox_unsent_changes{store=\"sqlite\"} 0",
        "# HELP noren_outbox_oldest_age_seconds",
        "noren_sync_lag_seconds",
        "noren_product_writes_total{action=\"create\"}",
        "noren_searches_total{kind=\"search\"}",
        "noren_searches_relaxed_total",
        "noren_index_circuit_open 0",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_threads",
        "noren_sync_freshness_seconds_bucket",
        "noren_index_products",
        "noren_index_bytes",
    ] {
        assert!(metrics.contains(name), "{name} is missing in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_have_ids_and_any_page_may_search() {
    let app = TestApp::spawn().await;
    let given = Answer::of(app.request(Method::GET, "/products").header("x-request-id", "mine-1")).await;
    assert_eq!(given.header("x-request-id"), "mine-1");
    assert_eq!(app.get("/nothing").await.header("x-request-id").len(), 36);
    let preflight = app
        .request(Method::OPTIONS, "/products/search")
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "noren-sync-token,content-type");
    let preflight = Answer::of(preflight).await.expect(200);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_may_not_look_after_the_catalogue() {
    let app = TestApp::spawn().await;
    let foreign = |method, path: &str| app.request(method, path).header("origin", "https://evil.example");
    for request in [
        foreign(Method::GET, "/admin/index"),
        foreign(Method::POST, "/admin/verify?repair=true"),
        foreign(Method::POST, "/admin/reindex"),
        foreign(Method::DELETE, "/admin/reindex"),
    ] {
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{answer:?}");
        answer.problem(403);
    }
    let preflight = foreign(Method::OPTIONS, "/admin/dead-letters/drop");
    let preflight = Answer::of(preflight.header("access-control-request-method", "POST")).await.expect(200);
    for header in ["access-control-allow-origin", "access-control-allow-methods"] {
        assert_eq!(preflight.header(header), "", "a browser sends no request after this: {preflight:?}");
    }
    let own = app.get("/admin/index").await.expect(200);
    assert_eq!(own.header("access-control-allow-origin"), "");
    assert_eq!(app.get("/products/search").await.header("access-control-allow-origin"), "*");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_operators_take_no_other_parameters() {
    let app = TestApp::spawn().await;
    for (method, path) in [
        (Method::GET, "/admin/index"),
        (Method::POST, "/admin/reindex"),
        (Method::DELETE, "/admin/reindex"),
        (Method::POST, "/admin/reindex/rollback"),
    ] {
        Answer::of(app.request(method, &format!("{path}?dryRun=true"))).await.problem(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compressed_for_those_who_ask() {
    let app = TestApp::spawn().await;
    app.put("/products/p", &json!({"name": "Cup", "description": "white ".repeat(200)})).await.expect(201);
    let answer =
        app.request(Method::GET, "/products/p").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let packed = answer.bytes().await.unwrap();
    assert!(packed.len() < 600);
    let unpacked: Value = serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).unwrap();
    assert_eq!(unpacked["name"], "Cup");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_are_served() {
    let app = TestApp::spawn().await;
    let api = app.get("/openapi.json").await.expect(200).json();
    for path in [
        "/products",
        "/products/{id}",
        "/products/bulk",
        "/products/search",
        "/products/suggest",
        "/products/{id}/similar",
        "/products/facets/{field}",
        "/admin/dead-letters",
    ] {
        assert!(api["paths"].get(path).is_some(), "{path} is not described");
    }
    let page = Answer::of(app.request(Method::GET, "/docs/")).await.expect(200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
}
