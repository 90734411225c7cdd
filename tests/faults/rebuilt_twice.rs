//! The index is rebuilt twice between two searches, so that the generation that was searched last is gone.
//!
//! Guarantee: no search fails.

use futures::future::join_all;
use serde_json::json;

use crate::support::{Answer, TestApp, http_client};

/// Searches that are sent at once, of which one opens the new generation.
const SEARCHES: usize = 24;
/// Repetitions. Searches used to fail only while a generation was being opened, so one round may miss the fault.
const ROUNDS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn searches_succeed_after_two_rebuilds_without_a_search_between() {
    let app = TestApp::spawn().await;
    let products: Vec<_> =
        (0..300).map(|n| json!({"id": format!("p{n}"), "name": format!("Lamp {n}")})).collect();
    app.fill(&products).await;
    let clients: Vec<_> = (0..SEARCHES).map(|_| http_client()).collect();
    for round in 0..ROUNDS {
        app.search("query=lamp").await;
        for _ in 0..2 {
            let rebuilt = app.post("/admin/reindex", &json!({})).await.expect(200).text;
            assert!(rebuilt.lines().last().is_some_and(|line| !line.contains("\"failed\"")), "{rebuilt}");
        }
        // No two searches are equal, so no cache answers one.
        let searches = clients.iter().enumerate().map(|(n, client)| {
            let url = format!("{}/products/search?query=lamp+{n}&pageSize={}", app.url, round + 1);
            Answer::of(client.get(url))
        });
        for answer in join_all(searches).await {
            assert!(answer.expect(200).json()["total"].as_u64().is_some_and(|total| total > 0));
        }
    }
}
