//! Bulk writes.

use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::TestApp;

const NDJSON: &str = "application/x-ndjson";

fn results(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn results_can_come_compressed() {
    let app = TestApp::spawn().await;
    let request = app.request(Method::POST, "/products/bulk").header(CONTENT_TYPE, NDJSON);
    let body: String = (0..50).map(|n| format!("{{\"id\":\"p{n}\",\"name\":\"Lamp {n}\"}}\n")).collect();
    let answer = request.header(ACCEPT_ENCODING, "gzip").body(body).send().await.unwrap();
    assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
    let packed = answer.bytes().await.unwrap();
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(&packed[..])).unwrap();
    assert_eq!(results(&text).len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_gets_its_result_in_order() {
    let app = TestApp::spawn().await;
    let body = "{\"id\":\"a\",\"name\":\"A\"}\n\n{\"id\":\"b\",\"name\":\"\"}\nnot json\n{\"name\":\"New\"}\n\
                {\"id\":\"a\",\"name\":\"A\"}\n{\"id\":\"a\",\"name\":\"A2\"}";
    let results = results(&app.post_text("/products/bulk", NDJSON, body).await.expect(200).text);
    let shown: Vec<(u64, u64, &str)> = results
        .iter()
        .map(|result| {
            let outcome = result["outcome"].as_str().unwrap_or("problem");
            (result["line"].as_u64().unwrap(), result["status"].as_u64().unwrap(), outcome)
        })
        .collect();
    let expected = [
        (1, 201, "created"),
        (3, 422, "problem"),
        (4, 400, "problem"),
        (5, 201, "created"),
        (6, 200, "unchanged"),
        (7, 200, "updated"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(results[1]["problem"]["errors"][0]["field"], "name");
    assert_eq!(app.get("/products/a").await.json()["name"], "A2");
    assert_eq!(app.get("/products/a").await.json()["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_far_above_the_limit_of_others_streams_through() {
    let app = TestApp::spawn().await;
    let text = "lorem ipsum ".repeat(150);
    let products: Vec<Value> = (0..2500)
        .map(|n| json!({"id": format!("p{n}"), "name": format!("Thing {n}"), "description": text}))
        .collect();
    let body: String = products.iter().map(|product| format!("{product}\n")).collect();
    assert!(body.len() > 4 * 1024 * 1024);
    let answer = app.post_text("/products/bulk", NDJSON, body).await.expect(200);
    assert!(
        results(&answer.text).iter().enumerate().all(|(at, r)| r["line"] == at + 1 && r["status"] == 201)
    );
    app.sync_all().await;
    assert_eq!(app.search("").await.json()["total"], 2500);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_type_is_refused() {
    let app = TestApp::spawn().await;
    app.post_text("/products/bulk", "application/json", "{}").await.problem(415);
    let answer = app.post_text("/products/bulk", NDJSON, "").await.expect(200);
    assert_eq!(answer.text, "");
}
