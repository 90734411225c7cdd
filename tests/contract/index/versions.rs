//! Versions, tombstones and durability.

use domain::ports::Applied;
use domain::search::{Facet, FacetValue, Field};
use domain::{ProductId, Status, Version};

use super::{
    Index, IndexLocation, OpenSearchAlias, TantivyFolder, at_version, deleted, id, named, product, search_for,
};
use crate::support::on_each;

async fn an_applied_change_is_visible_immediately(index: &Index) {
    index.writer.ready().await.unwrap();
    index.searcher.ready().await.unwrap();
    let mut lamp = named("lamp", "Desk lamp");
    index.add([lamp.clone()]).await;
    assert_eq!(*index.answer(&search_for("lamp")).await.hits[0].product, lamp);
    lamp.content.name = "Floor light".to_owned();
    assert_eq!(index.apply(&[at_version(2, lamp)]).await, [Applied::Done]);
    assert_eq!(index.words("light").await, ["lamp"]);
    assert!(index.words("desk").await.is_empty());
}

async fn optimizing_does_not_change_results(index: &Index) {
    for id in ["a", "b", "c"] {
        index.add([named(id, "Desk lamp")]).await;
    }
    index.apply(&[deleted("b", 2)]).await;
    index.writer.optimize().await.unwrap();
    assert_eq!(index.words("lamp").await, ["a", "c"]);
}

async fn an_older_or_equal_version_is_stale(index: &Index) {
    assert_eq!(index.apply(&[at_version(5, named("a", "five"))]).await, [Applied::Done]);
    assert_eq!(index.apply(&[at_version(4, named("a", "four"))]).await, [Applied::Stale]);
    assert_eq!(index.apply(&[at_version(5, named("a", "again"))]).await, [Applied::Stale]);
    assert_eq!(index.apply(&[deleted("a", 5)]).await, [Applied::Stale]);
    let answer = index.answer(&search_for("")).await;
    assert_eq!((answer.total, answer.hits[0].product.content.name.as_str()), (1, "five"));
    assert_eq!(index.apply(&[at_version(9, named("a", "nine"))]).await, [Applied::Done]);
    assert_eq!(index.words("nine").await, ["a"]);
}

async fn a_delete_leaves_a_tombstone(index: &Index) {
    index.add([named("a", "lamp"), named("b", "lamp")]).await;
    assert_eq!(index.apply(&[deleted("a", 2)]).await, [Applied::Done]);
    assert_eq!(index.words("lamp").await, ["b"]);
    assert_eq!(
        index.apply(&[at_version(1, named("a", "lamp")), deleted("b", 1)]).await,
        [Applied::Stale, Applied::Stale]
    );
    assert_eq!(index.apply(&[deleted("a", 2)]).await, [Applied::Stale]);
    assert_eq!(index.words("").await, ["b"]);
    assert_eq!(index.apply(&[at_version(3, named("a", "lamp"))]).await, [Applied::Done]);
    assert_eq!(index.words("lamp").await, ["a", "b"]);
    // The product may be unknown to the index.
    assert_eq!(index.apply(&[deleted("c", 7)]).await, [Applied::Done]);
    assert_eq!(index.apply(&[at_version(6, named("c", "lamp"))]).await, [Applied::Stale]);
}

async fn outcomes_come_in_request_order(index: &Index) {
    assert!(index.apply(&[]).await.is_empty());
    index.add([named("b", "two")]).await;
    let changes = [at_version(1, named("a", "x")), at_version(1, named("b", "x")), deleted("c", 1)];
    assert_eq!(index.apply(&changes).await, [Applied::Done, Applied::Stale, Applied::Done]);
    assert_eq!(index.apply(&changes).await, [const { Applied::Stale }; 3]);
}

async fn only_active_products_match(index: &Index) {
    let with_status = |id, status| {
        let mut product = product(id, serde_json::json!({ "name": "lamp", "brand": "B", "price": 1 }));
        product.content.status = status;
        product
    };
    index
        .add([
            with_status("active", Status::Active),
            with_status("draft", Status::Draft),
            with_status("archived", Status::Archived),
        ])
        .await;
    assert_eq!(index.words("lamp").await, ["active"]);
    assert_eq!(index.words("").await, ["active"]);
    let mut request = search_for("");
    request.facets = vec![Field::Brand];
    let one = Facet::Values {
        values: vec![FacetValue { value: "B".into(), count: 1 }],
        distinct: 1,
        numbers: None,
        dates: None,
    };
    assert_eq!(index.answer(&request).await.facets, [(Field::Brand, one)]);
    index
        .apply(&[
            at_version(2, with_status("active", Status::Draft)),
            at_version(2, with_status("draft", Status::Active)),
        ])
        .await;
    assert_eq!(index.words("lamp").await, ["draft"]);
    // The version of a hidden product counts too.
    assert_eq!(index.apply(&[at_version(2, with_status("active", Status::Active))]).await, [Applied::Stale]);
}

async fn stats_count_everything_but_tombstones(index: &Index) {
    assert_eq!(index.searcher.stats().await.unwrap().products, 0);
    let mut draft = named("c", "draft");
    draft.content.status = Status::Draft;
    index.add([named("a", "one"), named("b", "two"), draft]).await;
    index.apply(&[deleted("a", 2)]).await;
    assert_eq!(index.searcher.stats().await.unwrap().products, 2);
}

async fn versions_returns_those_that_searches_see(index: &Index) {
    let versions = async |ids: &[&str]| {
        let ids: Vec<ProductId> = ids.iter().map(|text| id(text)).collect();
        let versions = index.searcher.versions(&ids).await.unwrap();
        versions.into_iter().map(|version| version.map(|Version(version)| version)).collect::<Vec<_>>()
    };
    assert_eq!(versions(&[]).await, []);
    assert_eq!(versions(&["a"]).await, [None]);
    let draft = product("draft", serde_json::json!({ "name": "lamp", "status": "draft" }));
    index.apply(&[at_version(3, named("a", "lamp")), at_version(4, draft), deleted("gone", 5)]).await;
    assert_eq!(
        versions(&["gone", "nobody", "a", "draft", "a"]).await,
        [Some(5), None, Some(3), Some(4), Some(3)]
    );
    for version in 4..10 {
        index.apply(&[at_version(version, named("a", &format!("v{version}")))]).await;
        assert_eq!(versions(&["a"]).await, [Some(version)]);
        assert_eq!(index.words(&format!("v{version}")).await, ["a"]);
    }
    index.apply(&[at_version(2, named("a", "older"))]).await;
    assert_eq!(versions(&["a"]).await, [Some(9)]);
}

async fn versions_survive_a_restart(location: impl IndexLocation<Writer: 'static, Searcher: 'static>) {
    Index::open(&location).await.apply(&[at_version(3, named("a", "three")), deleted("b", 4)]).await;
    let index = Index::open(&location).await;
    let older = [at_version(2, named("a", "two")), at_version(3, named("b", "three"))];
    assert_eq!(index.apply(&older).await, [Applied::Stale, Applied::Stale]);
    assert_eq!(index.words("").await, ["a"]);
    assert_eq!(index.apply(&[at_version(5, named("b", "five"))]).await, [Applied::Done]);
    assert_eq!(index.words("").await, ["a", "b"]);
}

async fn products_survive_a_restart(location: impl IndexLocation<Writer: 'static, Searcher: 'static>) {
    let lamp = product("lamp", serde_json::json!({ "name": "Desk lamp", "price": 19.9, "tags": ["a", "b"] }));
    Index::open(&location).await.add([lamp.clone()]).await;
    let index = Index::open(&location).await;
    assert_eq!(*index.answer(&search_for("lamp")).await.hits[0].product, lamp);
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (&Index::open(&location).await) [
            an_applied_change_is_visible_immediately,
            optimizing_does_not_change_results,
            an_older_or_equal_version_is_stale,
            a_delete_leaves_a_tombstone,
            outcomes_come_in_request_order,
            only_active_products_match,
            stats_count_everything_but_tombstones,
            versions_returns_those_that_searches_see,
        ]
        |location| (location) [
            versions_survive_a_restart,
            products_survive_a_restart,
        ]
    }
}
