//! The next, the live and the previous generation.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::ports::{
    Applied, CompareDepth, Generation, IndexMaintenance as _, Repair, RepairOutcome, SearchIndex as _,
};
use domain::search::SearchRequest;
use domain::{Currency, Record, Version};

use super::{
    add, apply, deleted, expect_entries, found, generations, id, name, named, repair, set, versions,
};
use crate::contract::index::{IndexLocation, OpenSearchAlias, TantivyFolder};
use crate::support::on_each;

async fn there_is_no_next_generation_until_one_is_created(location: impl IndexLocation) {
    let writer = location.writer().await;
    add(&writer, &[named("a", 1, "lamp"), deleted("b", 2)]).await;
    let state = generations(&writer).await;
    assert_eq!(state.live.as_ref().unwrap().documents, 2);
    assert_eq!((state.next, state.previous), (None, None));
    assert!(writer.promote_next().await.is_err());
    assert!(writer.entries(Generation::Next, &[id("a")], CompareDepth::Versions).await.is_err());
    assert!(writer.scan(Generation::Next, None, 1, CompareDepth::Versions).await.is_err());
    assert!(writer.repair(Generation::Next, &[repair(None, named("a", 1, "lamp"))]).await.is_err());
    writer.discard_next().await.unwrap();
    expect_entries(&writer, Generation::Live, &[named("a", 1, "lamp"), deleted("b", 2)]).await;
}

async fn the_next_generation_is_empty_and_not_searched(location: impl IndexLocation) {
    let (writer, searcher) = location.open().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    assert!(!writer.create_next().await.unwrap());
    expect_entries(&writer, Generation::Next, &[]).await;
    let filled = [repair(None, named("b", 1, "lamp")), repair(None, named("c", 1, "lamp"))];
    assert_eq!(
        writer.repair(Generation::Next, &filled).await.unwrap(),
        [RepairOutcome::Done, RepairOutcome::Done]
    );
    assert_eq!(found(&searcher, "lamp").await, set(["a"]));
    expect_entries(&writer, Generation::Next, &[named("b", 1, "lamp"), named("c", 1, "lamp")]).await;
    expect_entries(&writer, Generation::Live, &[named("a", 1, "lamp")]).await;
    // A second call keeps it.
    assert!(writer.create_next().await.unwrap());
    let state = generations(&writer).await;
    assert_eq!((state.live.unwrap().documents, state.next.unwrap().documents), (1, 2));
}

async fn both_generations_get_every_change(location: impl IndexLocation) {
    let writer = location.writer().await;
    add(&writer, &[named("a", 3, "lamp"), named("b", 1, "lamp"), named("c", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    // The outcome is that of the live generation, whatever the next one holds.
    let changes = [
        named("a", 2, "older"),
        named("b", 2, "light"),
        deleted("c", 2),
        named("d", 1, "lamp"),
        deleted("e", 4),
    ];
    let applied = apply(&writer, &changes).await;
    assert_eq!(applied, [Applied::Stale, Applied::Done, Applied::Done, Applied::Done, Applied::Done]);
    let [_, written @ ..] = changes;
    let of_live: Vec<Record> = written.iter().cloned().chain([named("a", 3, "lamp")]).collect();
    expect_entries(&writer, Generation::Live, &of_live).await;
    // The first change is stale in the live generation only: the next one lacked version 3 of `a`. A comparison with the
    // store finds that.
    assert_eq!(
        versions(&writer, Generation::Next, &["a", "b", "c", "d", "e"]).await,
        [Some(2), Some(2), Some(2), Some(1), Some(4)]
    );
    // No older version wins in the next generation either.
    let late = repair(Some(2), named("a", 3, "lamp"));
    assert_eq!(writer.repair(Generation::Next, &[late]).await.unwrap(), [RepairOutcome::Done]);
    assert_eq!(apply(&writer, &[named("a", 2, "older")]).await, [Applied::Stale]);
    expect_entries(&writer, Generation::Next, &of_live).await;
}

async fn an_unfinished_generation_is_kept_across_a_restart(location: impl IndexLocation) {
    let writer = location.writer().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    writer.repair(Generation::Next, &[repair(None, named("a", 1, "lamp"))]).await.unwrap();
    let created = name(generations(&writer).await.next);
    drop(writer);
    let writer = location.writer().await;
    // It receives changes immediately, before the build is resumed.
    add(&writer, &[named("b", 1, "lamp")]).await;
    assert!(writer.create_next().await.unwrap());
    assert_eq!(name(generations(&writer).await.next), created);
    expect_entries(&writer, Generation::Next, &[named("a", 1, "lamp"), named("b", 1, "lamp")]).await;
    writer.promote_next().await.unwrap();
    assert_eq!(name(generations(&writer).await.live), created);
}

async fn promoting_makes_the_next_generation_live(location: impl IndexLocation) {
    let (writer, searcher) = location.open().await;
    let another = location.searcher().await;
    add(&writer, &[named("old", 1, "lamp")]).await;
    assert_eq!(found(&searcher, "lamp").await, set(["old"]));
    writer.create_next().await.unwrap();
    writer.repair(Generation::Next, &[repair(None, named("new", 1, "lamp"))]).await.unwrap();
    let before = generations(&writer).await;
    writer.promote_next().await.unwrap();
    let after = generations(&writer).await;
    assert_eq!(after.live, before.next);
    assert_eq!((after.next, after.previous), (None, Some(name(before.live))));
    // Searchers that were opened before the promotion switch too, even if they never ran a search.
    for searcher in [&searcher, &another, &location.searcher().await] {
        assert_eq!(found(searcher, "lamp").await, set(["new"]));
        let indexed = searcher.get(&[id("old"), id("new")]).await.unwrap();
        assert_eq!(indexed.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
        assert_eq!(searcher.versions(&[id("old"), id("new")]).await.unwrap(), [None, Some(Version(1))]);
        assert_eq!(searcher.stats().await.unwrap().products, 1);
        searcher.ready().await.unwrap();
    }
    // Changes go to the new live generation only.
    add(&writer, &[named("later", 1, "lamp")]).await;
    assert_eq!(found(&another, "lamp").await, set(["new", "later"]));
    assert!(writer.restore_previous().await.unwrap());
    expect_entries(&writer, Generation::Next, &[named("old", 1, "lamp")]).await;
    drop(writer);
    let writer = location.writer().await;
    assert_eq!(name(generations(&writer).await.live), name(before.next));
    expect_entries(&writer, Generation::Live, &[named("new", 1, "lamp"), named("later", 1, "lamp")]).await;
}

/// Searches run continuously, and each returns the products that are in both generations.
async fn no_search_fails_while_generations_change(location: impl IndexLocation) {
    let (writer, searcher) = location.open().await;
    let records: Vec<Record> = (0..20).map(|n| named(&format!("p{n}"), 1, "lamp")).collect();
    add(&writer, &records).await;
    let (done, searches) = (AtomicBool::new(false), AtomicU64::new(0));
    let changing = async {
        for _ in 0..4 {
            assert!(!writer.create_next().await.unwrap());
            let repairs: Vec<Repair> = records.iter().map(|record| repair(None, record.clone())).collect();
            writer.repair(Generation::Next, &repairs).await.unwrap();
            writer.promote_next().await.unwrap();
            assert!(writer.restore_previous().await.unwrap());
            writer.promote_next().await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
    };
    let searching = async {
        while !done.load(Ordering::Relaxed) {
            let answer = searcher.search(&SearchRequest::all(Currency::USD)).await.unwrap();
            assert_eq!(answer.total, 20);
            searches.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    futures::join!(changing, searching);
    assert!(searches.into_inner() >= 8);
}

async fn only_one_previous_generation_is_kept(location: impl IndexLocation) {
    let writer = location.writer().await;
    let mut names = vec![name(generations(&writer).await.live)];
    for round in 1..=3 {
        writer.create_next().await.unwrap();
        writer.repair(Generation::Next, &[repair(None, named("a", round, "lamp"))]).await.unwrap();
        writer.promote_next().await.unwrap();
        let state = generations(&writer).await;
        assert_eq!(state.previous.as_ref(), names.last());
        names.push(name(state.live));
    }
    let different: BTreeSet<&String> = names.iter().collect();
    assert_eq!(different.len(), 4, "no name comes twice: {names:?}");
    // The first generation is gone: only one can be restored.
    assert!(writer.restore_previous().await.unwrap());
    assert_eq!(versions(&writer, Generation::Next, &["a"]).await, [Some(2)]);
    assert_eq!(generations(&writer).await.previous, None);
}

async fn restoring_makes_the_previous_generation_the_next_one(location: impl IndexLocation) {
    let (writer, searcher) = location.open().await;
    add(&writer, &[named("a", 1, "lamp"), named("b", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    writer.repair(Generation::Next, &[repair(None, named("a", 1, "lamp"))]).await.unwrap();
    let first = name(generations(&writer).await.live);
    writer.promote_next().await.unwrap();
    add(&writer, &[named("a", 2, "light")]).await;
    assert!(writer.restore_previous().await.unwrap());
    let state = generations(&writer).await;
    assert_eq!((name(state.next), state.previous), (first.clone(), None));
    expect_entries(&writer, Generation::Next, &[named("a", 1, "lamp"), named("b", 1, "lamp")]).await;
    // It receives changes again, and is searched only after it is promoted.
    add(&writer, &[named("c", 1, "lamp")]).await;
    assert_eq!(found(&searcher, "lamp").await, set(["c"]));
    writer.repair(Generation::Next, &[repair(1, named("a", 2, "light"))]).await.unwrap();
    writer.promote_next().await.unwrap();
    assert_eq!(name(generations(&writer).await.live), first);
    assert_eq!(found(&searcher, "lamp").await, set(["b", "c"]));
    assert_eq!(found(&searcher, "light").await, set(["a"]));
}

async fn restoring_replaces_an_unfinished_generation(location: impl IndexLocation) {
    let writer = location.writer().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    writer.promote_next().await.unwrap();
    let previous = generations(&writer).await.previous.unwrap();
    writer.create_next().await.unwrap();
    let created = name(generations(&writer).await.next);
    assert!(writer.restore_previous().await.unwrap());
    let state = generations(&writer).await;
    assert_eq!(name(state.next), previous);
    assert_ne!(created, previous);
    expect_entries(&writer, Generation::Next, &[named("a", 1, "lamp")]).await;
}

async fn without_a_previous_generation_restoring_returns_false(location: impl IndexLocation) {
    let writer = location.writer().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    assert!(!writer.restore_previous().await.unwrap());
    writer.create_next().await.unwrap();
    // The next generation stays.
    assert!(!writer.restore_previous().await.unwrap());
    assert!(generations(&writer).await.next.is_some());
}

async fn the_next_generation_can_be_discarded(location: impl IndexLocation) {
    let (writer, searcher) = location.open().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    writer.repair(Generation::Next, &[repair(None, named("b", 1, "lamp"))]).await.unwrap();
    let created = name(generations(&writer).await.next);
    writer.discard_next().await.unwrap();
    assert_eq!(generations(&writer).await.next, None);
    assert_eq!(found(&searcher, "lamp").await, set(["a"]));
    add(&writer, &[named("c", 1, "lamp")]).await;
    expect_entries(&writer, Generation::Live, &[named("a", 1, "lamp"), named("c", 1, "lamp")]).await;
    // A generation that is created afterwards is a different one, and empty.
    assert!(!writer.create_next().await.unwrap());
    expect_entries(&writer, Generation::Next, &[]).await;
    assert!(created != name(generations(&writer).await.live));
}

async fn whoever_fills_the_next_generation_claims_it_again(location: impl IndexLocation) {
    let writer = location.writer().await;
    add(&writer, &[named("a", 1, "lamp")]).await;
    writer.create_next().await.unwrap();
    assert!(writer.claim_next().await.unwrap());
    assert!(writer.claim_next().await.unwrap(), "a claim is renewed");
    writer.discard_next().await.unwrap();
    writer.create_next().await.unwrap();
    assert!(writer.claim_next().await.unwrap());
}

async fn another_process_gets_no_claim_on_the_next_generation(location: impl IndexLocation) {
    let (first, second) = (location.writer().await, location.writer().await);
    add(&first, &[named("a", 1, "lamp")]).await;
    assert!(!first.create_next().await.unwrap());
    // The second keeps the generation and does not fill it.
    assert!(second.create_next().await.unwrap());
    assert!(!second.claim_next().await.unwrap());
    assert!(first.claim_next().await.unwrap());
    assert!(!second.claim_next().await.unwrap());
}

on_each! {
    {
        tantivy: TantivyFolder::new().await;
        opensearch: OpenSearchAlias::new().await;
    }
    {
        |location| (location) [
            there_is_no_next_generation_until_one_is_created,
            the_next_generation_is_empty_and_not_searched,
            both_generations_get_every_change,
            an_unfinished_generation_is_kept_across_a_restart,
            promoting_makes_the_next_generation_live,
            no_search_fails_while_generations_change,
            only_one_previous_generation_is_kept,
            restoring_makes_the_previous_generation_the_next_one,
            restoring_replaces_an_unfinished_generation,
            without_a_previous_generation_restoring_returns_false,
            the_next_generation_can_be_discarded,
            whoever_fills_the_next_generation_claims_it_again,
        ]
    }
}

// An index in a folder has one process that writes it.
on_each! {
    {
        opensearch_processes: OpenSearchAlias::new().await;
    }
    {
        |location| (location) [another_process_gets_no_claim_on_the_next_generation]
    }
}
