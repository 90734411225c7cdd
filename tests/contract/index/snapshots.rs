//! Snapshots.

use domain::search::{Field, SearchRequest};

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, add_shelf, at_version, deleted, named, product,
    search_for,
};
use crate::support::on_each;

async fn several_searches_run_on_one_snapshot(index: &Index) {
    add_shelf(index).await;
    let faceted = SearchRequest { facets: vec![Field::Brand], ..search_for("") };
    let requests = [search_for("beta"), faceted, search_for("lmps"), search_for("nothing")];
    let together = index.searcher.search_all(&requests).await.unwrap();
    let mut alone = Vec::new();
    for request in &requests {
        alone.push(index.answer(request).await);
    }
    assert_eq!(together, alone);
    assert!(index.searcher.search_all(&[]).await.unwrap().is_empty());
    let write = async {
        for number in 0..20 {
            index.add([named(&format!("p{number}"), "chair")]).await;
        }
    };
    let search = async {
        for _ in 0..10 {
            let answers = index
                .searcher
                .search_all(&[search_for("chair"), search_for("chiar"), search_for("")])
                .await
                .unwrap();
            assert!(answers.iter().all(|answer| answer.snapshot == answers[0].snapshot));
            assert_eq!(answers[0].total + 5, answers[2].total);
        }
    };
    tokio::join!(write, search);
}

async fn the_snapshot_changes_with_each_commit(index: &Index) {
    let snapshot = async || index.answer(&search_for("")).await.snapshot;
    let empty = snapshot().await;
    index.add([named("a", "one")]).await;
    let one = snapshot().await;
    assert_ne!(empty, one);
    assert_eq!(one, snapshot().await);
    index.apply(&[at_version(1, named("a", "stale"))]).await;
    assert_eq!(one, snapshot().await, "nothing was changed");
    index.apply(&[deleted("a", 2)]).await;
    assert_ne!(one, snapshot().await);
}

async fn snapshot_returns_the_newest_one(index: &Index) {
    let newest = async || index.searcher.snapshot().await.unwrap();
    let mut before = None;
    for number in 0..5 {
        index.add([product(&format!("p{number}"), serde_json::json!({ "name": "lamp" }))]).await;
        let newest_id = newest().await;
        assert!(
            newest_id.is_none() || newest_id != before,
            "a snapshot from before the write: {newest_id:?}"
        );
        let searched = index.answer(&search_for("")).await.snapshot;
        let newest_id = newest().await;
        assert!(
            newest_id.as_ref().is_none_or(|newest_id| *newest_id == searched),
            "{newest_id:?}, searched on {searched}"
        );
        before = Some(searched);
    }
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            several_searches_run_on_one_snapshot,
            the_snapshot_changes_with_each_commit,
            snapshot_returns_the_newest_one,
        ]
    }
}
