//! Fault 5: a late update arrives after OpenSearch has forgotten the delete.
//!
//! OpenSearch remembers the version of a deleted document for `index.gc_deletes`, one minute by default. After that,
//! an older version would revive it.
//!
//! Guarantee: a deleted product stays deleted, however late an older change arrives, because its tombstone is a
//! document.
//!
//! `cargo test --workspace --test integration faults::deleted` repeats it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::input::read_product;
use domain::ports::{Applied, IndexWriter, IndexedState, SearchIndex};
use domain::search::SearchRequest;
use domain::{Change, Currency, Product, ProductId, Tombstone, Version};
use opensearch_index::{OpenSearchSearcher, OpenSearchWriter};
use reqwest::Method;
use serde_json::json;

use crate::services;
use crate::support::{Answer, http_client, opensearch_options, wait_until};

/// Longer than the `gc_deletes` of the test.
const FORGOTTEN_AFTER: Duration = Duration::from_millis(2500);

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_product_stays_deleted_when_opensearch_has_forgotten_the_delete() {
    let Some(server) = services::opensearch().await else { return };
    let options = opensearch_options(server, &format!("deleted-{}", ProductId::generate()));
    let writer = OpenSearchWriter::create(&options).await.unwrap();
    let searcher = OpenSearchSearcher::open(&options).await.unwrap();
    let ask = async |method: Method, path: &str, body: serde_json::Value| {
        let request = http_client().request(method, format!("{}/{path}", server.url)).json(&body);
        let answer = Answer::of(request).await;
        (answer.status.as_u16(), answer.text)
    };
    // A plain document of OpenSearch, which shows that the delete really is forgotten.
    let plain = format!("plain-{}", ProductId::generate());
    assert_eq!(ask(Method::PUT, &plain, json!({})).await.0, 200);
    for index in [&options.alias, &plain] {
        let settings = json!({"index": {"gc_deletes": "1s"}});
        assert_eq!(ask(Method::PUT, &format!("{index}/_settings"), settings).await.0, 200);
    }
    let versioned = |version: u64| format!("{plain}/_doc/p1?version={version}&version_type=external");
    assert_eq!(ask(Method::PUT, &versioned(2), json!({})).await.0, 201);
    assert_eq!(ask(Method::DELETE, &versioned(3), json!({})).await.0, 200);
    assert_eq!(ask(Method::PUT, &versioned(1), json!({})).await.0, 409, "the delete is remembered at first");

    let id = ProductId::parse("p1").unwrap();
    let now = domain::now();
    let at_version = |version: u64| {
        let content = read_product(br#"{"name":"Cup"}"#, Currency::USD).unwrap().content;
        let (id, version) = (id.clone(), Version(version));
        Change::Update(Arc::new(Product { id, version, created_at: now, updated_at: now, content }))
    };
    let delete = Change::Delete(Tombstone { id: id.clone(), version: Version(3), deleted_at: now });
    assert_eq!(writer.apply(&[at_version(2)]).await.unwrap(), [Applied::Done]);
    assert_eq!(writer.apply(&[delete]).await.unwrap(), [Applied::Done]);

    let begun = Instant::now();
    wait_until("deletes are forgotten", async || begun.elapsed() > FORGOTTEN_AFTER).await;
    for index in [&options.alias, &plain] {
        for action in ["_refresh", "_flush", "_forcemerge?only_expunge_deletes=true"] {
            assert_eq!(ask(Method::POST, &format!("{index}/{action}"), json!({})).await.0, 200);
        }
    }
    assert_eq!(ask(Method::PUT, &versioned(1), json!({})).await.0, 201, "OpenSearch by itself forgets");

    for version in [1, 2] {
        assert_eq!(writer.apply(&[at_version(version)]).await.unwrap(), [Applied::Stale]);
    }
    let indexed = searcher.get(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
    assert_eq!((indexed.version, indexed.state), (Version(3), IndexedState::Deleted));
    assert_eq!(searcher.search(&SearchRequest::all(Currency::USD)).await.unwrap().total, 0);
    // A change after the delete is applied.
    assert_eq!(writer.apply(&[at_version(4)]).await.unwrap(), [Applied::Done]);
}
